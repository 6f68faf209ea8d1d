"""What two runs share, draws and streams or streams alone, and in what their theatres differ."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from sim.ensemble import Run
from sim.explore.sides import Pair, is_record
from sim.outcomes import Outcome
from sim.theatre import Theatre

__all__ = ["DRAWS", "NOTHING", "STREAMS", "differences_told", "one_and_the_same", "pairing"]

#: What a pair may share.
DRAWS, STREAMS, NOTHING = "draws and streams", "streams", "nothing: the record has no chance"
#: Ranks of a parameter's draws that correlate less are no pairs of draws.
_IN_STEP = 0.9


def pairing(pair: Pair) -> tuple[str, list[str]]:
    """Return what the runs of *pair* share, and notes on it: parameters in one alone, draws that are not in step."""
    if any(is_record(run) for run in (*pair.first, *pair.second)):
        return NOTHING, []
    if [run.model.name for run in pair.first] != [run.model.name for run in pair.second] and len(pair.first) > 1:
        return STREAMS, []
    shared, notes = DRAWS, []
    for one, other in zip(pair.first, pair.second, strict=True):
        told = _out_of_step(one, other)
        if told:
            shared = STREAMS
            notes.append(f"{_families(one, other)}: streams are shared, draws are not: {told}")
    return shared, notes


def one_and_the_same(pair: Pair) -> bool:
    """Return whether both sides of *pair* are the same models with the same draws, so that nothing can differ."""
    return len(pair.first) == len(pair.second) and all(map(_same, pair.first, pair.second))


def _same(one: Run, other: Run) -> bool:
    ours, theirs = one.recipe, other.recipe
    return (
        (ours.model.hazards, ours.model.contested) == (theirs.model.hazards, theirs.model.contested)
        and ours.model.theatre == theirs.model.theatre
        and np.array_equal(ours.draws.values, theirs.draws.values)
        and getattr(ours.engine, "processes", ()) == getattr(theirs.engine, "processes", ())
    )


def _families(one: Run, other: Run) -> str:
    return one.model.name if one.model.name == other.model.name else f"{one.model.name} and {other.model.name}"


def _out_of_step(one: Run, other: Run) -> str:
    """Return why draws of one index are no pair; empty if they are one."""
    ours, theirs = one.recipe.draws, other.recipe.draws
    if len(ours) != len(theirs):
        return f"there are {len(ours)} and {len(theirs)}"
    common = [name for name in ours.names if name in theirs.names]
    if not common:
        return "no parameter has a name that both know"
    if len(ours) == 1:
        return ""
    for name in common:
        pair = ours[name], theirs[name]
        varied = [np.ptp(values) > 0.0 for values in pair]
        if all(varied) and _rank_correlation(*pair) < _IN_STEP:
            return f"{name} goes its own way in each (rank correlation {_rank_correlation(*pair):.2f})"
    moving = [{name for name in draws.names if np.ptp(draws[name]) > 0.0} for draws in (ours, theirs)]
    if all(moving) and not moving[0] & moving[1]:
        return "no parameter that varies has a name that both know"
    return ""


def _rank_correlation(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    ranks = np.array([np.argsort(np.argsort(values, kind="stable"), kind="stable") for values in (one, other)])
    return float(np.corrcoef(ranks)[0, 1])


def differences_told(pair: Pair, base: str, other: str, outcomes: Sequence[Outcome]) -> Iterator[str]:
    """Yield in words how the theatres of a *pair* differ, and whether an outcome then asks something else of each."""
    one, two = pair.first[0].theatre, pair.second[0].theatre
    for name in ("borders", "roads"):
        alone = [_links(mine, its, name) for mine, its in ((one, two), (two, one))]
        for side, links in zip((base, other), alone, strict=True):
            if links:
                yield f"the theatres differ in {name}: {_some(links)} in {side} only"
    yield from _columns_told(one, two)
    if one.hub != two.hub:
        yield f"the theatres differ in their hub: {one.hub} and {two.hub}"
    for outcome in outcomes:
        watches = [outcome.watch(theatre) for theatre in (one, two)]
        if watches[0].threshold != watches[1].threshold or not np.array_equal(watches[0].weights, watches[1].weights):
            yield f"{outcome.name} asks for other capitals, or more of them, in {other}: its theatre is another"


def _columns_told(one: Theatre, two: Theatre) -> Iterator[str]:
    for name in sorted({*one.columns, *two.columns}):
        mine, its = one.columns.get(name), two.columns.get(name)
        if mine is None or its is None or not np.array_equal(mine, its, equal_nan=True):
            yield f"the theatres differ in the column {name}"


def _links(mine: Theatre, its: Theatre, name: str) -> list[str]:
    kept = [(link.a, link.b, link.kind) for link in getattr(its, name)]
    return [f"{link.a} – {link.b}" for link in getattr(mine, name) if (link.a, link.b, link.kind) not in kept]


def _some(names: Sequence[str], most: int = 4) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
