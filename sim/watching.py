"""Logs of events folded into what is asked of them: first-passage times, and counts of capitals lost by day."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.compiled import entry, inner
from sim.control import TRANSITIONS, Control
from sim.law import Watch

__all__ = ["Watches", "empty_counts", "fold", "fold_log", "watches_of"]

_INSURGENT = int(Control.INSURGENT)


class Watches(NamedTuple):
    """Several watches side by side: read-only arrays, and room to work in."""

    weights: NDArray[np.int64]  # (province, 3, watch)
    threshold: NDArray[np.int64]  # (watch,)
    level: NDArray[np.int64]  # (watch,) work room
    held: NDArray[np.int8]  # (province,) the start last looked at, and what followed from it: most are the same
    at_start: NDArray[np.int64]  # (watch + 1,) levels, and capitals lost


def watches_of(watches: Sequence[Watch], provinces: int) -> Watches:
    """Return *watches* side by side, for a theatre of so many *provinces*."""
    weights = np.zeros((provinces, 3, len(watches)), np.int64)
    for k, watch in enumerate(watches):
        weights[:, :, k] = watch.weights
    return Watches(
        weights, np.array([w.threshold for w in watches], np.int64), np.zeros(len(watches), np.int64),
        np.full(provinces, -1, np.int8), np.zeros(len(watches) + 1, np.int64),
    )  # fmt: skip


def empty_counts(horizon: float, provinces: int) -> NDArray[np.int64]:
    """Return room for counts by day: day 0, the start, to the last whole day within *horizon*."""
    return np.zeros((int(horizon) + 1, provinces + 1), np.int64)


@inner
def _start(watches: Watches, initial: NDArray[np.int8]) -> None:
    """Bring what follows from the start up to *initial*."""
    last = len(watches.level)
    for p in range(len(initial)):
        was, held = watches.held[p], initial[p]
        if was == held:
            continue
        watches.held[p] = held
        watches.at_start[last] += (held == _INSURGENT) - (was == _INSURGENT)
        for k in range(last):
            watches.at_start[k] += watches.weights[p, held, k] - (watches.weights[p, was, k] if was >= 0 else 0)


@inner
def fold(
    watches: Watches, source: NDArray[np.int8], target: NDArray[np.int8], initial: NDArray[np.int8],
    day: NDArray[np.float64], province: NDArray[np.int32], transition: NDArray[np.int8], begin: int, end: int,
    times: NDArray[np.float64], steps: NDArray[np.int64],
) -> None:  # fmt: skip
    """Fold events *begin* to *end* of one replication into its first-passage *times*, shape (watch,), and into *steps*.

    *steps*, shape (day, capitals lost), receives changes from one day to the next: summed over days it is the
    number of replications with so many capitals lost at the end of each day.
    """
    level, threshold, weights = watches.level, watches.threshold, watches.weights
    _start(watches, initial)
    lost = watches.at_start[len(level)]
    for k in range(len(level)):
        level[k] = watches.at_start[k]
        times[k] = 0.0 if level[k] >= threshold[k] else np.inf
    steps[0, lost] += 1
    for e in range(begin, end):
        p, was, to = province[e], source[transition[e]], target[transition[e]]
        for k in range(len(level)):
            level[k] += weights[p, to, k] - weights[p, was, k]
            if level[k] >= threshold[k] and times[k] == np.inf:
                times[k] = day[e]
        change = (to == _INSURGENT) - (was == _INSURGENT)
        if change != 0:
            on = int(np.ceil(day[e]))
            if on < len(steps):
                steps[on, lost] -= 1
                steps[on, lost + change] += 1
            lost += change


@entry
def _fold_log(
    watches: Watches, source: NDArray[np.int8], target: NDArray[np.int8], initial: NDArray[np.int8],
    offsets: NDArray[np.int64], day: NDArray[np.float64], province: NDArray[np.int32], transition: NDArray[np.int8],
    times: NDArray[np.float64], steps: NDArray[np.int64],
) -> None:  # fmt: skip
    for i in range(len(initial)):
        fold(
            watches, source, target, initial[i], day, province, transition, offsets[i], offsets[i + 1], times[i], steps
        )


def fold_log(
    watches: Sequence[Watch], transitions: Sequence[str], initial: NDArray[np.int8], offsets: NDArray[np.int64],
    day: NDArray[np.float64], province: NDArray[np.int32], transition: NDArray[np.int8], horizon: float,
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:  # fmt: skip
    """Return the first-passage times of a whole log, shape (watch, replication), and counts, shape (day, lost)."""
    ways = [TRANSITIONS[name] for name in transitions]
    times = np.empty((len(initial), len(watches)))
    steps = empty_counts(horizon, initial.shape[1])
    _fold_log(
        watches_of(watches, initial.shape[1]), np.array([way.source for way in ways], np.int8),
        np.array([way.target for way in ways], np.int8), initial, offsets, day, province, transition, times, steps,
    )  # fmt: skip
    return times.T.copy(), np.cumsum(steps, axis=0)
