"""What is compared: scenarios that are run for it, or runs as they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.engines.recorded import RecordedEngine
from sim.ensemble import Run
from sim.explore.paired import Ground, ground_of, mismatch
from sim.outcomes import Outcome
from sim.projecting import Memory, Tell, draws_for
from sim.result import Result
from sim.scenario import Scenario
from sim.scenario_file import load_scenario
from sim.theatre import Theatre, load_theatre

__all__ = ["Pair", "Side", "is_record", "pairs_of", "require_match", "resolved", "run_sides"]


@dataclass(frozen=True, eq=False)
class Side:
    """One side of a comparison: a *name*, its *runs* by family (once run), and the scenario it comes from, if any."""

    name: str
    scenario: Scenario | None
    runs: Mapping[str, Run]
    single: bool = False  # a run handed over as it is, compared whatever its model

    @property
    def families(self) -> tuple[str, ...]:
        """The families it has, run or not; "record" for the record."""
        if self.scenario is None:
            return tuple(self.runs)
        return self.scenario.families if self.scenario.follows == "models" else ("record",)

    @property
    def recorded(self) -> bool:
        """Whether it is what happened, one history without chance."""
        if self.runs:
            return all(is_record(run) for run in self.runs.values())
        return self.scenario is not None and self.scenario.follows != "models"

    @cached_property
    def theatre(self) -> Theatre:
        """The theatre, as this side reads it."""
        if self.runs:
            return next(iter(self.runs.values())).theatre
        assert self.scenario is not None
        return load_theatre(self.scenario.theatre, borders=self.scenario.borders, prefer=self.scenario.prefer)

    def ground(self) -> Ground:
        """Return what another side must share with this one."""
        if self.runs:
            return ground_of(next(iter(self.runs.values())))
        assert self.scenario is not None
        start = self.theatre.record.until(self.scenario.seen_from).state()
        return Ground(None, float(self.scenario.horizon), self.theatre.provinces, start)


class Pair(NamedTuple):
    """Runs to be compared: of one family on either side, or of several with equal weights."""

    family: str
    first: tuple[Run, ...]
    second: tuple[Run, ...]
    numbers: NDArray[np.int64]  # replications both have

    def times(self, outcome: Outcome, which: int) -> NDArray[np.float64]:
        """Return the first days of *outcome* on side *which* (0 or 1), shape (run, replication)."""
        return np.array([_times(run, outcome, self.numbers) for run in (self.first, self.second)[which]])


def resolved(given: Sequence[object]) -> list[Side]:
    """Return what is *given* as sides with distinct names. Raise a TypeError if they are not all of one kind."""
    values = [load_scenario(value) if isinstance(value, (str, Path)) else value for value in given]
    for value in values:
        if not isinstance(value, (Scenario, Result, Run)):
            raise TypeError(
                f"compare: it takes scenarios or their names, results, or runs such as simulate(…) gives, but was "
                f"given {value!r}"
            )
    kinds = {next(kind for kind in (Scenario, Result, Run) if isinstance(value, kind)) for value in values}
    if len(kinds) > 1:
        told = " and ".join(sorted(kind.__name__.lower() for kind in kinds))
        raise TypeError(f"compare: base and others must all be scenarios, all results or all runs, but were {told}")
    sides: list[Side] = []
    for value in values:
        side = _side(value)
        taken = [other.name for other in sides]
        name, count = side.name, 2
        while name in taken:
            name, count = f"{side.name} ({count})", count + 1
        sides.append(replace(side, name=name))
    return sides


def _side(value: object) -> Side:
    if isinstance(value, Scenario):
        return Side(value.name, value, {})
    if isinstance(value, Result):
        return Side(value.scenario.name, value.scenario, value.ensembles)
    assert isinstance(value, Run)
    return Side(value.model.name, None, {value.model.name: value}, single=True)


def run_sides(
    sides: Sequence[Side], *, seed: int, replications: int, executor: Executor | None, memory: Memory | None,
    tell: Tell, **recording: Any,
) -> list[Side]:  # fmt: skip
    """Return *sides* with their scenarios run: the families a pair shares, or all where it shares none.

    *recording* is what ``simulate`` takes of record and outcomes.
    """
    memory = {} if memory is None else memory
    done = []
    for side in sides:
        assert side.scenario is not None
        wanted = _wanted(side, sides)
        scenario = replace(side.scenario, families=wanted) if side.scenario.follows == "models" else side.scenario

        def step(what: str, share: float, name: str = side.name) -> object:
            return tell(f"{name}: {what}", share)

        cases = scenario.cases(seed=seed, draws=draws_for(replications), memory=memory, progress=step)
        count = 1 if side.recorded else replications
        runs = {
            family: case.simulate(
                seed=seed, replications=count, executor=executor,
                progress=lambda n, family=family, step=step, count=count: step(f"projecting {family}", n / count),
                **recording,
            )
            for family, case in cases.items()
        }  # fmt: skip
        done.append(replace(side, runs=runs))
    return done


def _wanted(side: Side, sides: Sequence[Side]) -> tuple[str, ...]:
    """Return the families of *side* that some pair it stands in compares."""
    base = sides[0]
    partners = sides[1:] if side is base else [base]
    wanted: set[str] = set()
    for other in partners:
        shared = set(side.families) & set(other.families)
        wanted |= shared or set(side.families)
    return tuple(family for family in side.families if family in wanted)


def pairs_of(base: Side, other: Side) -> tuple[list[Pair], list[str]]:
    """Return the pairs of two sides that were run, and notes on what is left out.

    Raise a ValueError if they do not match, saying in what.
    """
    require_match(base, other)
    notes: list[str] = []
    for side in (base, other):
        if side.recorded:
            notes.append(f"{side.name} is what is on record: one history, compared as a constant")
    if base.single or base.recorded or other.recorded:
        plan = _crossed(base, other)
    else:
        shared = [family for family in base.runs if family in other.runs]
        for one, two in ((base, other), (other, base)):
            strange = [name for name in one.families if name not in two.families]
            if strange and shared:
                notes.append(f"{one.name} has {', '.join(strange)}, which {two.name} has not: left out")
        plan = [(family, (base.runs[family],), (other.runs[family],)) for family in shared]
        if len(shared) != 1:
            mine, its = (shared, shared) if shared else (list(base.runs), list(other.runs))
            plan.append(("pooled", tuple(base.runs[name] for name in mine), tuple(other.runs[name] for name in its)))
        if not shared:
            notes.append(
                f"{base.name} and {other.name} share no family: their pooled answers are compared, with streams "
                "shared alone"
            )
    pairs = []
    for family, first, second in plan:
        numbers, told = _numbers(base.name, other.name, first, second)
        notes += [note for note in told if note not in notes]
        pairs.append(Pair(family, first, second, numbers))
    return pairs, notes


def require_match(base: Side, other: Side) -> None:
    """Raise a ValueError that says in what *other* does not match *base*, if it does not."""
    told = mismatch(base.ground(), other.ground())
    if told is not None:
        raise ValueError(
            f"compare: {base.name} and {other.name} differ in their {told}; make both the same but what is compared"
        )
    if base.recorded and other.recorded:
        raise ValueError(
            f"compare: {base.name} and {other.name} are both the record, in which there is no chance; subtract them"
        )


def _crossed(base: Side, other: Side) -> list[tuple[str, tuple[Run, ...], tuple[Run, ...]]]:
    """Return each run of one side with the only one of the other; all together too, if there are several."""
    first, second = tuple(base.runs.values()), tuple(other.runs.values())
    if base.single:
        name = base.name if first[0].model.name == second[0].model.name else f"{base.name} / {other.name}"
        return [(name, first, second)]
    plan: list[tuple[str, tuple[Run, ...], tuple[Run, ...]]]
    if other.recorded:
        plan = [(family, (run,), second[:1]) for family, run in base.runs.items()]
    else:
        plan = [(family, first[:1], (run,)) for family, run in other.runs.items()]
    return [*plan, ("pooled", first, second)] if len(plan) > 1 else plan


def _numbers(base: str, other: str, first: Sequence[Run], second: Sequence[Run]) -> tuple[NDArray[np.int64], list[str]]:
    """Return the replications all runs have; those that failed in one are left out, and told of."""
    runs = [run for run in (*first, *second) if not is_record(run)] or [first[0]]
    asked = [set(run.numbers.tolist()) | {failed.replication for failed in run.failures} for run in runs]
    if any(numbers != asked[0] for numbers in asked[1:]):
        counts = " and ".join(str(len(numbers)) for numbers in (asked[0], next(n for n in asked if n != asked[0])))
        raise ValueError(
            f"compare: {base} and {other} differ in their replications: {counts} of them, or others; run the same ones"
        )
    numbers = runs[0].numbers
    for run in runs[1:]:
        numbers = np.intersect1d(numbers, run.numbers)
    left = len(asked[0]) - len(numbers)
    if len(numbers) < 2:
        raise ValueError(
            f"compare: {base} and {other} must have two replications in common at least, but have {len(numbers)}"
        )
    return numbers, [f"{left} pairs are left out, of which one failed"] if left else []


def is_record(run: Run) -> bool:
    """Return whether *run* is the record replayed, which no chance moves."""
    return isinstance(run.recipe.engine, RecordedEngine)


def _times(run: Run, outcome: Outcome, numbers: NDArray[np.int64]) -> NDArray[np.float64]:
    times = run.first_passage(outcome.watch(run.theatre))
    if is_record(run):
        return np.full(len(numbers), times[0])
    return times if len(numbers) == len(run) else times[np.searchsorted(run.numbers, numbers)]
