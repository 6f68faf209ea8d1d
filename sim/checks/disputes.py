"""The multiverse: one headline under every way in which sources disagree on what went into it."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from sim.calibration import Posterior, calibrate
from sim.checks.headlines import HALF_RING
from sim.checks.universes import BORDERS, COUNTED, OPENED, POOLED, ROADS, Answer, Multiverse, Universe, changes
from sim.control import nearest
from sim.families import FAMILIES, Families
from sim.families import chosen as chosen_families
from sim.hazards import Custom, CutOff, Neighbours
from sim.model import Model
from sim.outcomes import Outcome
from sim.projection import Projection, pooled
from sim.record import Capture, Record
from sim.simulation import simulate
from sim.sources import last_day
from sim.streams import key_of
from sim.theatre import Theatre, load_theatre

__all__ = ["multiverse"]

Asked: TypeAlias = Mapping[str, tuple[Outcome, float]]
#: Families with at most so many free parameters are calibrated under every combination of readings: that is cheap.
_CHEAP = 2
_DRAWS = 1000


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
        Universe(*reading) for reading in itertools.product(accounts, BORDERS, ROADS, COUNTED, OPENED)
    ]  # fmt: skip
    crossed = _crossed(cross, chosen, first)
    run = _Runs(theatre, chosen, seen_from, headlines, replications, seed, {}, {}, progress)
    rows: list[Answer] = []
    for universe in sorted(every, key=changes):
        alone = changes(universe) <= 1
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
