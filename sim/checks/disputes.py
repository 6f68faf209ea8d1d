"""The multiverse: one headline under every way in which sources disagree on what went into it."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeAlias

from sim.calibration import Posterior, calibrate
from sim.checks.headlines import HALF_RING
from sim.control import nearest
from sim.families import FAMILIES, Families
from sim.families import chosen as chosen_families
from sim.hazards import Custom, CutOff, Neighbours
from sim.model import Model
from sim.outcomes import Outcome
from sim.projection import Estimate, Projection, pooled
from sim.record import Capture, Record
from sim.report import table
from sim.simulation import simulate
from sim.sources import last_day
from sim.streams import key_of
from sim.theatre import Theatre, load_theatre

__all__ = ["Answer", "Multiverse", "Universe", "multiverse"]

Asked: TypeAlias = Mapping[str, tuple[Outcome, float]]
POOLED = "pooled"
#: Families with at most so many free parameters are calibrated under every combination of readings: that is cheap.
_CHEAP = 2
_DRAWS = 1000
_Borders: TypeAlias = Literal["agreed", "all"]
_Roads: TypeAlias = Literal["all", "sourced"]
_Counted: TypeAlias = Literal["press", "best_date"]
_Opened: TypeAlias = Literal["first capture"] | None
_BORDERS: tuple[_Borders, ...] = ("agreed", "all")
_ROADS: tuple[_Roads, ...] = ("all", "sourced")
_COUNTED: tuple[_Counted, ...] = ("press", "best_date")
_OPENED: tuple[_Opened, ...] = (None, "first capture")


class Universe(NamedTuple):
    """One reading of everything disputed, named as for ``sim.load_theatre``.

    ``counted`` is "press" (a capture counts from the evening the press counted it) or "best_date" (from the evening of
    the day it happened, by the account called best_date where it has it). ``window_opened_by`` is as for
    ``sim.calibrate``: whether the record is weighed as one that begins because of its first capture.
    """

    prefer: str | None = None
    borders: _Borders = "agreed"
    roads: _Roads = "all"
    counted: _Counted = "press"
    window_opened_by: _Opened = None

    @property
    def name(self) -> str:
        """What differs from the first reading of everything."""
        told = [f"{k}={v}" for (k, v), first in zip(self._asdict().items(), Universe(), strict=True) if v != first]
        return ", ".join(told) or "as shipped"


class Answer(NamedTuple):
    """A row of the multiverse: the answer of a *family* ("pooled": all of them) to a *headline* in a *universe*."""

    universe: Universe
    captured: int
    family: str
    headline: str
    estimate: Estimate


@dataclass(frozen=True, eq=False, repr=False)
class Multiverse:
    """Answers under every dispute.

    Parameters
    ----------
    rows : tuple of Answer
    crossed : tuple of str
        Families answered for in every combination of readings; the others, and the pool, one dispute at a time.
    calibrations : int
        How many were made: readings that give a family the same inputs share one.
    """

    rows: tuple[Answer, ...]
    crossed: tuple[str, ...]
    seen_from: str
    calibrations: int
    seed: int

    def __repr__(self) -> str:
        return f"<Multiverse of {len({row.universe for row in self.rows})} universes, {len(self.rows)} answers>"

    def value(self, headline: str, family: str = POOLED, universe: Universe | None = None) -> Estimate:
        """Return one answer. Raise a ValueError if there is none."""
        wanted = universe or Universe()
        for row in self.rows:
            if (row.headline, row.family, row.universe) == (headline, family, wanted):
                return row.estimate
        raise ValueError(f"multiverse: no answer of {family!r} to {headline!r} in the universe {wanted.name}")

    def span(self, headline: str, family: str = POOLED) -> tuple[float, float]:
        """Return the lowest and the highest answer. Raise a ValueError if there is none."""
        self.value(headline, family)
        found = [row.estimate.value for row in self.rows if (row.headline, row.family) == (headline, family)]
        return min(found), max(found)

    def moves(self, headline: str, family: str = POOLED) -> dict[str, tuple[float, float]]:
        """Return how far each dispute alone moves the answer from the first reading, and the error of that.

        Runs share their seed, so the error, of two independent runs, errs on the safe side.
        """
        first = self.value(headline, family)
        return {
            row.universe.name: (row.estimate.value - first.value, math.hypot(row.estimate.mc_error, first.mc_error))
            for row in self.rows
            if (row.headline, row.family) == (headline, family) and _changes(row.universe) == 1
        }

    def table(self) -> str:
        """Return the answers as text: a table for each headline, their range, and which dispute moves it most."""
        families = list(dict.fromkeys(row.family for row in self.rows))
        lines = [f"every reading of what is disputed, known on the evening of {self.seen_from}"]
        for headline in dict.fromkeys(row.headline for row in self.rows):
            mine = [row for row in self.rows if row.headline == headline]
            body = []
            for universe in dict.fromkeys(row.universe for row in mine if _changes(row.universe) <= 1):
                here = {row.family: row for row in mine if row.universe == universe}
                cells = [f"{here[name].estimate.value:.2f}" for name in families]
                body.append([universe.name, str(next(iter(here.values())).captured), *cells])
            lines += [f"P({headline})", table(["reading", "captured", *families], body)]
            lines += [self._crossing(headline, name) for name in self.crossed]
            lines.append(self._range(headline, families[-1]))
        return "\n".join(lines)

    def _crossing(self, headline: str, family: str) -> str:
        count = sum((row.headline, row.family) == (headline, family) for row in self.rows)
        low, high = self.span(headline, family)
        return f"  {family} over all {count} combinations: {low:.2f} to {high:.2f}"

    def _range(self, headline: str, family: str) -> str:
        low, high = self.span(headline, family)
        moves = self.moves(headline, family)
        name = max(moves, key=lambda key: abs(moves[key][0]))
        move, error = moves[name]
        most = f"{name} moves it most, by {move:+.2f} (± {error:.1g})"
        if abs(move) <= 2.0 * error:
            most = f"no dispute moves it by more than twice the Monte Carlo error ({name}: {move:+.2f} ± {error:.1g})"
        return f"  {family}: {low:.2f} to {high:.2f}, one dispute at a time; {most}"


def _changes(universe: Universe) -> int:
    return sum(value != first for value, first in zip(universe, Universe(), strict=True))


def multiverse(
    theatre: str | Path = "afghanistan_2021",
    families: Iterable[str] | Families = tuple(FAMILIES),
    *,
    seed: int,
    seen_from: str = "2021-08-12",
    headlines: Asked = HALF_RING,  # type: ignore[assignment]
    replications: int = 4000,
    cross: Iterable[str] | None = None,
    progress: Callable[[str], object] | None = None,
) -> Multiverse:
    """Return the headlines under every reading of what is disputed (Steegen et al. 2016, doi:10.1177/1745691616658637).

    The readings: whose account of a capture rules (each account, and the span of all), disputed borders in or out,
    roads known from memory in or out, captures counted when the press counted them or on the day they happened, and the
    record weighed as any other window or as one that its first capture opened.
    Every family and their pool are answered for with one dispute changed at a time, which shows what each does;
    families that are cheap to calibrate also under every combination, which shows whether disputes add up.

    Parameters
    ----------
    theatre : str or Path
        A packaged theatre's name, or a folder.
    families : names from ``sim.families``, or mapping of name to function of a theatre
    seed : int
        Not negative. The same seed gives the same bits; all universes share their chance.
    seen_from : str
        The evening (ISO date) after which nothing is known.
    headlines : mapping of text to (Outcome, within)
        Unless given, pressure on the hub by half its ring within 7 and within 30 days.
    replications : int
        Runs for each family and universe.
    cross : iterable of family names, optional
        Those to run under every combination; unless given, those with at most two free parameters.
    progress : function of a text, optional

    Raises
    ------
    ValueError, TypeError
        If a family or headline is unknown, or whatever ``load_theatre``, ``until`` and ``calibrate`` refuse.
    """
    key_of(seed, "multiverse")
    if not isinstance(theatre, (str, Path)):
        raise TypeError(
            f"multiverse: theatre must be a name or a folder, since each reading loads it anew, but was {theatre!r}"
        )
    chosen = chosen_families(families, "multiverse", POOLED)
    if isinstance(replications, bool) or not isinstance(replications, int) or replications < 1:
        raise ValueError(f"multiverse: replications must be a positive integer, but was {replications!r}")
    _require_headlines(headlines)
    first = load_theatre(theatre)
    accounts: list[str | None] = [None, *first.record.accounts[1:]]
    accounts += ["span"] if len(accounts) > 1 else []
    every = [
        Universe(*reading) for reading in itertools.product(accounts, _BORDERS, _ROADS, _COUNTED, _OPENED)
    ]  # fmt: skip
    crossed = _crossed(cross, chosen, first)
    run = _Runs(theatre, chosen, seen_from, headlines, replications, seed, {}, {}, progress)
    rows: list[Answer] = []
    for universe in sorted(every, key=_changes):
        alone = _changes(universe) <= 1
        if alone or crossed:
            rows += run.answers(universe, tuple(chosen) if alone else crossed, pool=alone and len(chosen) > 1)
    return Multiverse(tuple(rows), crossed, str(seen_from), len(run.posteriors), int(seed))


def _require_headlines(headlines: Asked) -> None:
    if not headlines:
        raise ValueError("multiverse: headlines must be one or more, but there were none")
    for name, question in headlines.items():
        whole = isinstance(question, tuple) and len(question) == 2 and isinstance(question[0], Outcome)
        if not whole or not 0.0 < question[1] < math.inf:
            raise TypeError(
                f"multiverse: headline {name!r} must be (outcome, days), such as (Pressure('half_ring'), 30), "
                f"but was {question!r}"
            )


def _crossed(cross: Iterable[str] | None, chosen: Families, theatre: Theatre) -> tuple[str, ...]:
    if cross is None:
        return tuple(name for name, family in chosen.items() if len(family(theatre).free) <= _CHEAP)
    given = tuple(cross)
    for name in given:
        if name not in chosen:
            raise ValueError(f"multiverse: cross must name families among those asked for, but had {name!r}; "
                             f"{nearest(name, chosen)}")  # fmt: skip
    return given


class _Runs(NamedTuple):
    """What universes share: a posterior, or a projection, with the same inputs is made once."""

    place: str | Path
    families: Families
    seen_from: str
    headlines: Asked
    replications: int
    seed: int
    posteriors: dict[Any, Posterior]
    projections: dict[Any, dict[str, Projection]]
    progress: Callable[[str], object] | None

    def answers(self, universe: Universe, names: tuple[str, ...], *, pool: bool) -> list[Answer]:
        theatre = load_theatre(self.place, borders=universe.borders, roads=universe.roads, prefer=universe.prefer)
        record = counted_when_it_happened(theatre.record) if universe.counted == "best_date" else theatre.record
        week = record.until(self.seen_from)
        mine = {name: self._projected(name, theatre, week, universe) for name in names}
        if pool:
            mine[POOLED] = {
                headline: pooled({name: mine[name][headline] for name in names}) for headline in self.headlines
            }
        return [
            Answer(universe, week.total, name, headline, projection.probability(self.headlines[headline][1]))
            for name, answers in mine.items() for headline, projection in answers.items()
        ]  # fmt: skip

    def _projected(self, name: str, theatre: Theatre, week: Record, universe: Universe) -> dict[str, Projection]:
        model = self.families[name](theatre)
        known = (name, universe.window_opened_by, _facts(week), *_links(model))
        if known not in self.posteriors:
            if self.progress is not None:
                self.progress(f"calibrating {name}: {universe.name}")
            self.posteriors[known] = calibrate(
                model, week, seed=self.seed, draws=_DRAWS, window_opened_by=universe.window_opened_by
            )
        watches = [outcome.watch(theatre) for outcome, _ in self.headlines.values()]
        whole = (*known, *((watch.weights.tobytes(), watch.threshold) for watch in watches))
        if whole not in self.projections:
            draws = self.posteriors[known].thin(min(_DRAWS, max(1, self.replications // 4)))
            ensemble = simulate(
                model, draws, start=week.state(), horizon=max(within for _, within in self.headlines.values()),
                replications=self.replications, seed=self.seed, progress=False,
            )  # fmt: skip
            self.projections[whole] = {headline: outcome(ensemble) for headline, (outcome, _) in self.headlines.items()}
        return self.projections[whole]


def _facts(week: Record) -> tuple[Any, ...]:
    """Return what of the record a calibration or a projection can depend on."""
    captures = tuple((row.province, row.earliest, row.latest, row.mode) for row in week.captures)
    seen = tuple((row.province, row.first, row.last, row.seen, row.control) for row in week.sightings)
    return captures, seen, week.origin, week.end


def _links(model: Model) -> tuple[Any, ...]:
    """Return the links that *model* reads."""
    terms = [term for hazard in model.hazards.values() for term in hazard.terms]
    any_ = any(isinstance(term, Custom) for term in terms)
    via = {term.via for term in terms if isinstance(term, Neighbours)}
    theatre = model.theatre
    borders = theatre.neighbours("border") if any_ or "border" in via else None
    cut = any(isinstance(term, CutOff) for term in terms)
    roads = tuple((road.a, road.b, road.kind) for road in theatre.roads) if any_ or cut or "road" in via else None
    return borders, roads


def counted_when_it_happened(record: Record) -> Record:
    """Return *record* with every capture known from the evening of the day it happened, all accounts alike.

    The day is that of the account called best_date where it has the capture, else that of the first account.
    """
    rank = {name: k for k, name in enumerate(("best_date", *record.accounts))}
    day = {}
    for row in sorted(record.reports, key=lambda row: -rank.get(row.account, len(rank))):
        day[row.province] = last_day(row.latest, row.earliest)
    moved = map(partial(_known_from, day), record.reports)
    return Record(
        record.provinces, moved, record.sightings, record.counts, record.assessments, origin=record.origin,
        end=record.end, accounts=record.accounts, prefer=record.prefer,
    )  # fmt: skip


def _known_from(day: Mapping[str, Any], row: Capture) -> Capture:
    # Nothing is known before it happened, by its own account.
    return replace(row, known_from=max(day[row.province], row.earliest.date()))
