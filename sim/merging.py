"""Runs of one recipe put together: what was run apart is what would have been run at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from sim.comparing import differences
from sim.ensemble import Ensemble, Passages, Run
from sim.law import same_watch
from sim.plain import digest, to_plain
from sim.recipe import Failure

__all__ = ["merge"]

_R = TypeVar("_R", Ensemble, Passages)


def merge(*runs: _R) -> _R:
    """Return *runs* of one recipe as one: bit for bit the run of them all.

    Raise a ValueError if they are of different recipes or share a replication, a TypeError if they are not of one kind.
    """
    if not runs or not all(type(run) is type(runs[0]) and isinstance(run, (Ensemble, Passages)) for run in runs):
        raise TypeError("merge: give runs of one kind, all Ensembles or all Passages, one by one: merge(*runs)")
    for run in runs[1:]:
        _require_same(runs[0], run)
    numbers = np.concatenate([run.numbers for run in runs])
    every = np.concatenate([numbers, [failure.replication for run in runs for failure in run.failures]])
    if len(np.unique(every)) < len(every):
        twice = next(int(n) for n, count in zip(*np.unique(every, return_counts=True), strict=True) if count > 1)
        raise ValueError(f"merge: replication {twice} is in two of the runs; run them over ranges that do not overlap")
    order = np.argsort(numbers)
    failures = tuple(sorted(failure for run in runs for failure in run.failures))
    if isinstance(runs[0], Passages):
        return _passages(runs, numbers[order], order, failures)
    return _ensemble(runs, numbers[order], order, failures)


def _require_same(one: Run, other: Run) -> None:
    if one.recipe is other.recipe or digest(one.recipe) == digest(other.recipe):
        return
    told = "; ".join(differences(to_plain(one.recipe), to_plain(other.recipe)))
    raise ValueError(f"merge: the runs are of different recipes: {told}")


def _ensemble(
    runs: Sequence[Ensemble], numbers: NDArray[np.int64], order: NDArray[np.int64], failures: tuple[Failure, ...]
) -> Ensemble:  # fmt: skip
    sizes = np.concatenate([np.diff(run.offsets) for run in runs])
    begins = np.concatenate([[0], np.cumsum(sizes)])[:-1][order]
    offsets = np.concatenate([[0], np.cumsum(sizes[order])])
    rows = np.repeat(begins - offsets[:-1], sizes[order]) + np.arange(offsets[-1])
    columns = {
        name: np.concatenate([getattr(run, name) for run in runs])[rows] for name in ("day", "province", "transition")
    }
    return replace(
        runs[0], numbers=numbers, failures=failures, initial=np.concatenate([run.initial for run in runs])[order],
        offsets=offsets, **columns,
    )  # fmt: skip


def _passages(
    runs: Sequence[Passages], numbers: NDArray[np.int64], order: NDArray[np.int64], failures: tuple[Failure, ...]
) -> Passages:  # fmt: skip
    first = runs[0]
    for run in runs:
        if run.names == first.names and all(map(same_watch, run.watches, first.watches)):
            continue
        raise ValueError("merge: the runs watched different outcomes; name the same ones, in the same order")
    return replace(
        runs[0], numbers=numbers, failures=failures,
        times=np.concatenate([run.times for run in runs], axis=1)[:, order],
        lost=np.asarray(np.sum([run.lost for run in runs], axis=0), np.int64),
    )  # fmt: skip
