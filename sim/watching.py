"""Logs of events folded into what is asked of them: first-passage times, and counts of capitals lost by day."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.compiled import distinct, entry, inner
from sim.control import TRANSITIONS, Control
from sim.law import Watch

__all__ = ["Watches", "empty_counts", "fold", "fold_log", "watches_of"]

_INSURGENT = int(Control.INSURGENT)


#: Watches are looked at so many at a time.
_ABREAST = 8
_OUT_OF_REACH = np.iinfo(np.int64).max


class Watches(NamedTuple):
    """Several watches side by side, and what transitions do to them: read-only arrays, and room to work in.

    They are W, of which only the first are asked for: the rest never hold.
    """

    weights: NDArray[np.int64]  # (province, 3, W)
    change: NDArray[np.int64]  # (transition, province, W) what an event adds
    step: NDArray[np.int64]  # (transition,) what it adds to capitals lost
    threshold: NDArray[np.int64]  # (W,)
    level: NDArray[np.int64]  # (W,) work room
    time: NDArray[np.float64]  # (W,) work room
    held: NDArray[np.int8]  # (province,) the start last looked at, and what followed from it: most are the same
    at_start: NDArray[np.int64]  # (W + 1,) levels, and capitals lost


def watches_of(watches: Sequence[Watch], transitions: Sequence[str], provinces: int) -> Watches:
    """Return *watches* side by side, for *transitions* in a theatre of so many *provinces*."""
    ways = [TRANSITIONS[name] for name in transitions]
    width = len(watches) + -len(watches) % _ABREAST
    weights = np.zeros((provinces, 3, width), np.int64)
    threshold = np.full(width, _OUT_OF_REACH)
    for k, watch in enumerate(watches):
        weights[:, :, k], threshold[k] = watch.weights, watch.threshold
    return Watches(
        weights=weights, threshold=threshold, level=np.zeros(width, np.int64), time=np.zeros(width),
        change=np.array([weights[:, way.target] - weights[:, way.source] for way in ways]),
        step=np.array([int(way.target is Control.INSURGENT) - int(way.source is Control.INSURGENT) for way in ways]),
        held=np.full(provinces, -1, np.int8), at_start=np.zeros(width + 1, np.int64),
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


@distinct
def _look(level: Any, threshold: Any, time: Any, change: Any, r: Any, p: Any, first: Any, day: float) -> None:
    """Let watches, from *first* on, follow an event: several at a time."""
    for j in range(_ABREAST):
        k = first + np.uint64(j)
        level[k] += change[r, p, k]
        met = day if level[k] >= threshold[k] else np.inf
        time[k] = met if met < time[k] else time[k]


@inner
def fold(
    watches: Watches, initial: NDArray[np.int8], day: NDArray[np.float64], province: NDArray[np.int32],
    transition: NDArray[np.int8], begin: int, end: int, times: NDArray[np.float64], steps: NDArray[np.int64],
) -> None:  # fmt: skip
    """Fold events *begin* to *end* of one replication into its first-passage *times*, shape (watch,), and into *steps*.

    *steps*, shape (day, capitals lost), receives changes from one day to the next: summed over days it is the
    number of replications with so many capitals lost at the end of each day.
    """
    level, threshold, time, change = watches.level, watches.threshold, watches.time, watches.change
    _start(watches, initial)
    lost = watches.at_start[len(level)]
    for k in range(len(level)):
        level[k] = watches.at_start[k]
        time[k] = 0.0 if level[k] >= threshold[k] else np.inf
    steps[0, lost] += 1
    for e in range(begin, end):
        p, r = np.uint64(province[e]), np.uint64(transition[e])
        for first in range(np.uint64(0), np.uint64(len(level)), np.uint64(_ABREAST)):
            _look(level, threshold, time, change, r, p, first, day[e])
        step = watches.step[r]
        if step != 0:
            on = int(np.ceil(day[e]))
            if on < len(steps):
                steps[on, lost] -= 1
                steps[on, lost + step] += 1
            lost += step
    for k in range(len(times)):
        times[k] = time[k]


@entry
def _fold_log(
    watches: Watches, initial: NDArray[np.int8], offsets: NDArray[np.int64], day: NDArray[np.float64],
    province: NDArray[np.int32], transition: NDArray[np.int8], times: NDArray[np.float64], steps: NDArray[np.int64],
) -> None:  # fmt: skip
    for i in range(len(initial)):
        fold(watches, initial[i], day, province, transition, offsets[i], offsets[i + 1], times[:, i], steps)


def fold_log(
    watches: Sequence[Watch], transitions: Sequence[str], initial: NDArray[np.int8], offsets: NDArray[np.int64],
    day: NDArray[np.float64], province: NDArray[np.int32], transition: NDArray[np.int8], horizon: float,
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:  # fmt: skip
    """Return the first-passage times of a whole log, shape (watch, replication), and counts, shape (day, lost)."""
    times, steps = np.empty((len(watches), len(initial))), empty_counts(horizon, initial.shape[1])
    _fold_log(
        watches_of(watches, transitions, initial.shape[1]), initial, offsets, day, province, transition, times, steps
    )
    return times, np.cumsum(steps, axis=0)
