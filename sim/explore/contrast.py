"""`compare`: what one scenario, or one model, makes of another's answers, with the same draws and the same streams."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np

from sim import report
from sim.ensemble import Ensemble, Run
from sim.explore.paired import Difference, clusters_of, difference_of_means, difference_of_medians
from sim.explore.partings import Partings, partings
from sim.explore.sides import (
    Pair,
    Side,
    Tell,
    differences_told,
    is_record,
    pairing,
    pairs_of,
    require_match,
    resolved,
    run_sides,
)
from sim.outcomes import FullControl, Outcome, Pressure
from sim.result import Result
from sim.scenario import Memory, Scenario

__all__ = ["Comparison", "Row", "compare"]

Comparable: TypeAlias = Scenario | Result | Run | str | os.PathLike[str]
Quantity: TypeAlias = Literal["probability", "days", "median"]


class Row(NamedTuple):
    """One difference: *other* less *base*.

    ``quantity`` is "probability" (that it happens within ``within_days``), "days" (until it happens or the horizon,
    whichever comes first: the restricted mean) or "median" (days; inf beyond the horizon, and then the difference is
    nan). ``within_days`` is nan but for probabilities. ``low`` and ``high`` are the paired 95% interval of the
    difference, from the finite number of replications and draws; ``mc_error`` is its standard error;
    ``variance_ratio`` how many times larger its variance would be with independent runs of the same size.
    """

    base: str
    other: str
    family: str
    outcome: str
    quantity: Quantity
    within_days: float
    base_value: float
    other_value: float
    difference: float
    low: float
    high: float
    mc_error: float
    variance_ratio: float
    paired: str

    def plain(self) -> dict[str, Any]:
        """Return the row as plain values; what is not a finite number becomes None."""
        return {
            name: None if isinstance(value, float) and not math.isfinite(value) else value
            for name, value in self._asdict().items()
        }


@dataclass(frozen=True, eq=False)
class Comparison:
    """What others make of a base's answers: ``rows`` to compute with, ``summary()`` to read.

    Parameters
    ----------
    base : str
    others : tuple of str
    rows : tuple of Row
    notes : tuple of str
        What the sides do not share, and what was left out.
    why : tuple of Partings
        Where pairs part and why, for each other and family; empty unless asked for.
    seed, pairs : int
        Pairs of replications, in each family.
    """

    base: str
    others: tuple[str, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...]
    why: tuple[Partings, ...]
    seed: int
    pairs: int

    def __repr__(self) -> str:
        return f"<Comparison of {', '.join(self.others)} with {self.base}: {self.pairs} pairs, {len(self.rows)} rows>"

    def of(self, other: str | None = None, family: str | None = None) -> tuple[Row, ...]:
        """Return the rows of one *other* and one *family*; None means any."""
        return tuple(row for row in self.rows if other in (None, row.other) and family in (None, row.family))

    def summary(self) -> str:
        """Return the differences as a table for each other, with the notes and, if asked for, the causes."""
        told = []
        for other in self.others:
            found = self.of(other)
            told.append(f"{other} less {self.base}: {self.pairs} pairs, seed {self.seed}, 95% intervals")
            told.append(_table(found, self.base, other))
        told += [f"note: {note}" for note in self.notes]
        told += [parting.summary() for parting in self.why]
        return "\n".join(told)

    __str__ = summary

    def plain(self) -> dict[str, Any]:
        """Return everything as plain values, ready for JSON."""
        return {
            "base": self.base, "others": list(self.others), "seed": self.seed, "pairs": self.pairs,
            "rows": [row.plain() for row in self.rows], "notes": list(self.notes),
            "why": [parting.plain() for parting in self.why],
        }  # fmt: skip


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
        Causes are found for at most so many pairs of a family that part.
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
    if not sides[0].runs:
        count = _require_count(10_000 if replications is None else replications, "replications", 2)
        recording: dict[str, Any] = {} if why else {"record": "outcomes", "outcomes": outcomes}
        sides = run_sides(
            sides, seed=seed, replications=count, executor=executor, memory=memory,
            tell=progress or (lambda what, share: None), **recording,
        )  # fmt: skip
    rows: list[Row] = []
    notes: list[str] = []
    found: list[Partings] = []
    for other in sides[1:]:
        pairs, told = pairs_of(sides[0], other)
        for pair in pairs:
            shared, more = pairing(pair)
            told += [*more, *differences_told(pair, sides[0].name, other.name, outcomes)]
            rows += _rows(pair, (sides[0].name, other.name), asked, shared, seed)
            if why and len(pair.first) == len(pair.second) == 1:
                causes = _why(pair, sides[0].name, other.name, why_pairs)
                found += [causes] if isinstance(causes, Partings) else []
                told += [] if isinstance(causes, Partings) else [causes]
        notes += [note for note in dict.fromkeys(told) if note not in notes]
    size = len(pairs[0].numbers)
    names = tuple(side.name for side in sides[1:])
    return Comparison(sides[0].name, names, tuple(rows), tuple(notes), tuple(found), seed, size)


def _rows(
    pair: Pair, names: tuple[str, str], asked: Sequence[tuple[Outcome, tuple[float, ...]]], paired: str, seed: int
) -> list[Row]:
    """Return the rows of one pair: probabilities, days and the median of every outcome."""
    found = []
    ones, others = (clusters_of(_chancy(runs), pair.numbers) for runs in (pair.first, pair.second))
    horizon = pair.first[0].horizon
    for outcome, days in asked:
        times = pair.times(outcome, 0), pair.times(outcome, 1)

        def row(quantity: Quantity, within: float, one: float, other: float, told: Difference, name: str) -> Row:
            return Row(
                *names, pair.family, name, quantity, within, one, other, told.value, told.low, told.high,
                told.mc_error, told.variance_ratio, paired,
            )  # fmt: skip

        for day in days:
            one, other = ((side <= day).mean(axis=0) for side in times)
            told = difference_of_means(one, other, ones, others, most=1.0)
            found.append(row("probability", day, float(one.mean()), float(other.mean()), told, outcome.name))
        one, other = (np.minimum(side, horizon).mean(axis=0) for side in times)
        told = difference_of_means(one, other, ones, others, most=horizon)
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
        if isinstance(day, (bool, str)) or not isinstance(day, (int, float)) or not 0.0 <= day <= horizon:
            raise ValueError(f"compare: within must be from 0 to the horizon of {horizon:g} days, but was {day!r}")
    return tuple(float(day) for day in dict.fromkeys(days))


def _seed(
    seed: int | None, replications: object, memory: object, executor: object, sides: Sequence[Side]
) -> int:  # fmt: skip
    """Return the seed, given or of the runs. Raise a TypeError or ValueError if there is none, or two."""
    if not sides[0].runs:
        if seed is None:
            raise TypeError("compare: scenarios are run with a seed, and there is no default; give seed=…")
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


# -------------------------------------------------------------------------------------------------------- the table


def _table(found: Sequence[Row], base: str, other: str) -> str:
    body = [
        [
            row.family, row.outcome, _asked(row), _value(row, row.base_value), _value(row, row.other_value),
            _signed(row, row.difference), f"({_signed(row, row.low)} to {_signed(row, row.high)})",
            f"{row.variance_ratio:.1f}" if math.isfinite(row.variance_ratio) else "–", row.paired,
        ]
        for row in found
    ]  # fmt: skip
    head = ["family", "outcome", "asked", base, other, "difference", "95% interval", "variance saved ×", "shared"]
    return report.table(head, body)


def _asked(row: Row) -> str:
    return f"within {row.within_days:g} days" if row.quantity == "probability" else {
        "days": "mean days", "median": "median day",
    }[row.quantity]  # fmt: skip


def _places(row: Row) -> int:
    """Return how many decimals the error of a row bears."""
    if not 0.0 < row.mc_error < math.inf:
        return 3 if row.quantity == "probability" else 1
    return min(6, max(0, 1 - math.floor(math.log10(row.mc_error))))


def _value(row: Row, value: float) -> str:
    return "beyond the horizon" if math.isinf(value) else f"{value:.{_places(row)}f}"


def _signed(row: Row, value: float) -> str:
    return f"{value:+.{_places(row)}f}" if math.isfinite(value) else "–"
