"""`compare`: what one scenario, or one model, makes of another's answers, with the same draws and the same streams."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from concurrent.futures import Executor
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from sim.ensemble import Ensemble, Run
from sim.explore.differences import Comparison, Quantity, Row
from sim.explore.paired import Difference, clusters_of, difference_of_means, difference_of_medians
from sim.explore.partings import Partings, partings
from sim.explore.shared import differences_told, one_and_the_same, pairing
from sim.explore.sides import Pair, Side, is_record, pairs_of, require_match, resolved, run_sides
from sim.outcomes import FullControl, Outcome, Pressure
from sim.projecting import Memory, Tell
from sim.result import Result
from sim.scenario import Scenario
from sim.streams import key_of

__all__ = ["compare"]

Comparable: TypeAlias = Scenario | Result | Run | str | Path
#: Outcomes, each with the days it is asked for.
Asked: TypeAlias = Sequence[tuple[Outcome, tuple[float, ...]]]


def compare(
    base: Comparable, *others: Comparable, outcome: Outcome | Iterable[Outcome] | None = None,
    within: float | Iterable[float] | None = None, seed: int | None = None, replications: int | None = None,
    why: bool = False, why_pairs: int = 10_000, memory: Memory | None = None, progress: Tell | None = None,
    executor: Executor | None = None,
) -> Comparison:  # fmt: skip
    """Return what *others* make of *base*'s answers, replication by replication.

    Replications of one number share every draw of chance, so what both have in common cancels (common random numbers;
    Glasserman and Yao 1992, doi:10.1287/mnsc.38.6.884; Rathinam et al. 2010, doi:10.1063/1.3280166). Parameter draws
    are paired by index where both have a varying parameter of one name and its draws go together (rank correlation of
    0.9 or more); otherwise streams alone are shared, and ``paired`` and ``notes`` say so. Values stay right without.

    Parameters
    ----------
    base, others : Scenario, its name or path, Result, Ensemble or Passages
        All of one kind. Scenarios are calibrated and run here, family by family for the families both have, and pooled
        with equal weights if there are several; where they share none, pooled answers are compared. What is on record
        (``follows="press"``) has no chance in it: each family is compared with it as with a constant. Runs are compared
        as they are, whatever their models.
    outcome : Outcome or several
        Unless given, ``Pressure("half_ring")``, if the theatre has a hub, and ``FullControl()``.
    within : float or several
        Days since the start for which probabilities are compared; unless given, the scenario's own. Days until it
        happens, and the median day, are always compared.
    seed : int
        Required for scenarios; runs have one.
    replications : int
        Of each family of a scenario; 10,000 unless given.
    why : bool
        Find for each pair the first event at which they part, and the causes: see ``sim.explore.partings``.
    why_pairs : int
        Causes are found for at most so many of the pairs of a family that part: about a quarter of a millisecond each.
    memory : dict, optional
        Calibrations already made, as for ``Scenario.run``.
    progress : function of a text and a share, optional
        Told what is being done, and the share of it done.
    executor : concurrent.futures.Executor, optional
        Who runs scenarios, as for ``sim.simulate``.

    Raises
    ------
    ValueError
        If two sides do not match in seed, start, horizon or provinces, or their replications, saying which; if a day
        lies beyond the horizon, or a theatre cannot answer the outcome.
    TypeError
        If an argument is not of its kind.
    """
    if not others:
        raise TypeError("compare: give at least one other to compare with the base")
    sides = resolved((base, *others))
    for side in sides[1:]:
        require_match(sides[0], side)
    outcomes = _outcomes(outcome, sides)
    asked = [(each, _days(each, within, sides[0])) for each in outcomes]
    seed = _seed(seed, replications, memory, executor, sides)
    _require_count(why_pairs, "why_pairs", 1)
    tell = progress or (lambda what, share: None)
    if not sides[0].runs:
        count = _require_count(10_000 if replications is None else replications, "replications", 2)
        recording: dict[str, Any] = {} if why else {"record": "outcomes", "outcomes": outcomes}
        sides = run_sides(
            sides, seed=seed, replications=count, executor=executor, memory=memory, tell=tell, **recording
        )  # fmt: skip
    return _compared(sides, asked, seed, why_pairs if why else 0, tell)


def _compared(sides: Sequence[Side], asked: Asked, seed: int, why_pairs: int, tell: Tell) -> Comparison:
    """Return the comparison of *sides* that were run; causes are found for at most *why_pairs* of a pair's partings."""
    rows: list[Row] = []
    notes: list[str] = []
    found: list[Partings] = []
    sizes = []
    base, *others = sides
    for other in others:
        pairs, told = pairs_of(base, other)
        for i, pair in enumerate(pairs):
            tell(f"{other.name}: comparing {pair.family}", i / len(pairs))
            shared, more = pairing(pair)
            if one_and_the_same(pair):
                more.append(
                    f"{pair.family} is the same in {base.name} and {other.name}, draws and all: nothing can differ"
                )
            told += [*more, *differences_told(pair, base.name, other.name, [outcome for outcome, _ in asked])]
            rows += _rows(pair, (base.name, other.name), asked, shared, seed)
            sizes.append(len(pair.numbers))
            if why_pairs and len(pair.first) == len(pair.second) == 1:
                causes = _why(pair, base.name, other.name, why_pairs)
                found += [causes] if isinstance(causes, Partings) else []
                told += [] if isinstance(causes, Partings) else [causes]
        notes += [note for note in dict.fromkeys(told) if note not in notes]
    names = tuple(other.name for other in others)
    return Comparison(base.name, names, tuple(rows), tuple(notes), tuple(found), seed, min(sizes))


def _rows(pair: Pair, names: tuple[str, str], asked: Asked, paired: str, seed: int) -> list[Row]:
    """Return the rows of one pair: probabilities, days and the median of every outcome."""
    found = []
    ones, others = (clusters_of(_chancy(runs), pair.numbers) for runs in (pair.first, pair.second))
    horizon = pair.first[0].horizon
    possible = 0.0 if one_and_the_same(pair) else 1.0
    for outcome, days in asked:
        times = pair.times(outcome, 0), pair.times(outcome, 1)

        def row(quantity: Quantity, within: float, one: float, other: float, told: Difference, name: str) -> Row:
            return Row(
                *names, pair.family, name, quantity, within, one, other, told.value, told.low, told.high,
                told.mc_error, told.variance_ratio, paired,
            )  # fmt: skip

        for day in days:
            one, other = ((side <= day).mean(axis=0) for side in times)
            told = difference_of_means(one, other, ones, others, most=possible)
            found.append(row("probability", day, float(one.mean()), float(other.mean()), told, outcome.name))
        one, other = (np.minimum(side, horizon).mean(axis=0) for side in times)
        told = difference_of_means(one, other, ones, others, most=possible * horizon)
        found.append(row("days", math.nan, float(one.mean()), float(other.mean()), told, outcome.name))
        middle, its, told = difference_of_medians(*times, ones, others, seed=seed)
        found.append(row("median", math.nan, middle, its, told, outcome.name))
    return found


def _chancy(runs: Sequence[Run]) -> list[Run]:
    return [run for run in runs if not is_record(run)]


def _why(pair: Pair, base: str, other: str, most: int) -> Partings | str:
    first, second = pair.first[0], pair.second[0]
    for name, run in ((base, first), (other, second)):
        if is_record(run):
            return f"why: {name} is what is on record, and has no hazards to part from"
        if not isinstance(run, Ensemble):
            raise TypeError(f"compare: why=True needs the events of {name}; simulate it with record='events'")
    assert isinstance(first, Ensemble) and isinstance(second, Ensemble)
    return partings(first, second, names=(base, other), family=pair.family, most=most)


# --------------------------------------------------------------------------------------------- what is asked, checked


def _outcomes(given: Outcome | Iterable[Outcome] | None, sides: Sequence[Side]) -> tuple[Outcome, ...]:
    if given is None:
        hubs = all(side.theatre.hub is not None for side in sides)
        given = (Pressure("half_ring"), FullControl()) if hubs else (FullControl(),)
    outcomes = (given,) if isinstance(given, Outcome) or not isinstance(given, Iterable) else tuple(given)
    for outcome in outcomes:
        if not isinstance(outcome, Outcome) or isinstance(given, str):
            raise TypeError(
                f"compare: outcome must be one such as Pressure('half_ring'), or several, but was {given!r}"
            )
        for side in sides:
            outcome.watch(side.theatre)
    names = [outcome.name for outcome in outcomes]
    if not names or len(set(names)) < len(names):
        raise ValueError(f"compare: outcome must be one at least, each once, but was {', '.join(names) or 'none'}")
    return outcomes


def _days(outcome: Outcome, within: float | Iterable[float] | None, base: Side) -> tuple[float, ...]:
    """Return the days *outcome* is asked for: those *within*, or the scenario's own as far as the horizon."""
    horizon = base.ground().horizon
    if within is None:
        asked = Scenario if base.scenario is None else base.scenario
        own = asked.control_within if isinstance(outcome, FullControl) else asked.pressure_within
        return tuple(float(day) for day in own if day <= horizon)
    days = tuple(within) if isinstance(within, Iterable) else (within,)
    for day in days:
        if isinstance(day, bool) or not isinstance(day, (int, float, np.integer)) or not 0.0 <= day <= horizon:
            raise ValueError(f"compare: within must be from 0 to the horizon of {horizon:g} days, but was {day!r}")
    return tuple(float(day) for day in dict.fromkeys(days))


def _seed(
    seed: int | None, replications: object, memory: object, executor: object, sides: Sequence[Side]
) -> int:  # fmt: skip
    """Return the seed, given or of the runs. Raise a TypeError or ValueError if there is none, or two."""
    if not sides[0].runs:
        if seed is None:
            raise TypeError("compare: scenarios are run with a seed, and there is no default; give seed=…")
        key_of(seed, "resamples")  # refuses what is no seed, before any work
        return seed
    own = next(iter(sides[0].runs.values())).seed
    if seed is not None and seed != own:
        raise ValueError(f"compare: the runs have the seed {own}, but seed={seed!r} was given; leave it out")
    for name, value in (("replications", replications), ("memory", memory), ("executor", executor)):
        if value is not None:
            raise TypeError(f"compare: runs are compared as they are, so {name}= has no use; leave it out")
    return own


def _require_count(value: int, name: str, least: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ValueError(f"compare: {name} must be a whole number from {least}, but was {value!r}")
    return value
