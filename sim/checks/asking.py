"""What a hindcast is asked: its arguments, checked before any work."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np

from sim.checks.happened import BASES, Facts, last_told
from sim.checks.verbal import Reading, statements
from sim.control import nearest
from sim.families import Families, chosen
from sim.outcomes import ControlOf, FullControl, Outcome, Pressure
from sim.tables import as_date
from sim.theatre import Theatre

__all__ = ["POOL", "Asking"]


#: What all families together are called.
POOL = "pooled"


class Asking:
    """The arguments of a hindcast, checked."""

    def __init__(
        self, theatre: Theatre, families: Iterable[str] | Families, origins: Iterable[date | str],
        horizons: Iterable[int], seed: int, replications: int, draws: int, pressures: Iterable[str],
        bases: Iterable[str], readings: Sequence[Reading], now: date | str | None,
    ) -> None:  # fmt: skip
        if not isinstance(theatre, Theatre):
            raise TypeError(f"hindcast: theatre must be a Theatre, but was {theatre!r}; load_theatre(…) gives one")
        self.theatre, self.seed = theatre, seed
        self.families = chosen(families, "hindcast", POOL)
        self.replications, self.draws = _count(replications, "replications"), _count(draws, "draws")
        _seed(seed)
        self.readings = _several(readings, Reading, "readings")
        self.bases = _named(bases, BASES, "bases")
        self.origins = sorted({as_date(_day(day), "hindcast: origins") for day in _listed(origins, "origins")})
        self.horizons = tuple(sorted({_count(day, "horizons") for day in _listed(horizons, "horizons")}))
        self.now = self._end() if now is None else as_date(now, "hindcast: now")
        for origin in self.origins:
            if theatre.origin is None or not theatre.origin <= origin < self.now:
                raise ValueError(
                    f"hindcast: origins must be evenings from the record's day 0, {theatre.origin}, to before now, "
                    f"{self.now}, but was {origin}"
                )
            if len(theatre.record.until(origin).captured) == len(theatre.provinces):
                raise ValueError(f"hindcast: by {origin} every capital is captured: nothing is left to foresee")
        asked = [*(Pressure(name) for name in _listed(pressures, "pressures")), Pressure("isolated")]
        hub = [] if theatre.hub is None else [*asked, ControlOf(theatre.hub)]
        self.outcomes: tuple[Outcome, ...] = tuple({o.name: o for o in (*hub, FullControl())}.values())
        for outcome in self.outcomes:
            outcome.watch(theatre)
        self.statements, self.notes = statements(theatre.record, theatre.hub)

    def _end(self) -> date:
        """Return the last day the record tells of; where it leaves nothing to capture, as far as the horizons go.

        Then the evening after it at least: on the last evening of all, what came and what is yet to come are one.
        """
        last = last_told(self.theatre.record)
        complete = all(Facts.of(self.theatre, (), basis).all_captured_by(last) for basis in BASES)
        beyond = max(last + timedelta(days=1), self.origins[-1] + timedelta(days=self.horizons[-1]))
        return beyond if complete else last

    def plain(self) -> dict[str, Any]:
        return {
            "theatre": self.theatre.name, "prefer": self.theatre.record.prefer, "families": list(self.families),
            "origins": [str(day) for day in self.origins], "horizons": list(self.horizons), "seed": int(self.seed),
            "replications": self.replications, "draws": self.draws, "bases": list(self.bases), "now": str(self.now),
            "passages": [outcome.name for outcome in self.outcomes],
            "readings": [dict(vars(reading)) for reading in self.readings],
            "assessments": [statement.plain() for statement in self.statements],
            "warning": "families and priors were chosen by people who knew the outcome",
        }  # fmt: skip


def _listed(given: Any, what: str) -> list[Any]:
    if isinstance(given, (str, bytes)) or not isinstance(given, Iterable):
        raise TypeError(f"hindcast: {what} must be a list, but was {given!r}")
    found = list(given)
    if not found:
        raise ValueError(f"hindcast: {what} must name at least one")
    return found


def _named(given: Any, known: Sequence[str], what: str) -> tuple[str, ...]:
    found = _listed(given, what)
    for name in found:
        if name not in known:
            raise ValueError(f"hindcast: {what} must be of {', '.join(known)}; {nearest(str(name), known)}")
    return tuple(dict.fromkeys(found))


def _several(given: Any, kind: type, what: str) -> tuple[Any, ...]:
    found = _listed(given, what)
    for item in found:
        if not isinstance(item, kind):
            raise TypeError(f"hindcast: {what} must be {kind.__name__}s, but one was {item!r}")
    if len({item.name for item in found}) != len(found):
        raise ValueError(f"hindcast: two {what} have one name; name them apart")
    return tuple(found)


def _count(value: Any, what: str) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise TypeError(f"hindcast: {what} must be whole numbers from 1, but was {value!r}")
    if value < 1:
        raise ValueError(f"hindcast: {what} must be whole numbers from 1, but was {value!r}")
    return int(value)


def _seed(seed: Any) -> None:
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)):
        raise TypeError(f"hindcast: seed must be a non-negative integer, but was {seed!r}; no seed, no repeating")
    if seed < 0:
        raise ValueError(f"hindcast: seed must be a non-negative integer, but was {seed!r}")


def _day(day: Any) -> Any:
    return day.date() if isinstance(day, datetime) else day
