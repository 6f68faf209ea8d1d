"""Logs of events folded into what is asked of them: first-passage times, and counts of capitals lost by day."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.compiled import entry, inner
from sim.control import TRANSITIONS, Control
from sim.law import Watch

__all__ = ["Watches", "empty_counts", "fold", "fold_log", "watches_of"]

Words = NDArray[np.uint64]

_INSURGENT = int(Control.INSURGENT)
_BITS = 64


class Watches(NamedTuple):
    """Several watches side by side, and what transitions do to them: read-only arrays, and room to work in.

    Sums of W watches, less their thresholds, are kept in fields of K words of 64 bits, each as wide as its watch needs.
    A field is offset by half its range: its highest bit is set while the watch holds.
    """

    weights: Words  # (province, 3, K) what a capital adds
    change: Words  # (K, transition, province) what an event adds
    step: NDArray[np.int64]  # (transition,) what it adds to capitals lost
    highest: Words  # (W,) the highest bit of a watch
    first: NDArray[np.int64]  # (K + 1,) watches of word j are first[j] to first[j + 1]
    held: NDArray[np.int8]  # (province,) the start last looked at, and what followed from it: most are the same
    at_start: Words  # (K,)
    lost: NDArray[np.int64]  # (1,)


def watches_of(watches: Sequence[Watch], transitions: Sequence[str], provinces: int) -> Watches:
    """Return *watches* side by side, for *transitions* in a theatre of so many *provinces*."""
    ways = [TRANSITIONS[name] for name in transitions]
    first, used, empty, columns = [0], 0, list[int](), list[Words]()
    highest = np.zeros(len(watches), np.uint64)
    for k, watch in enumerate(watches):
        threshold = int(watch.threshold)
        least = sum(watch.weights.min(axis=1).tolist()) - threshold
        most = sum(watch.weights.max(axis=1).tolist()) - threshold
        width = max(abs(least), abs(most)).bit_length() + 1
        if width > _BITS:
            raise ValueError(
                f"watch: sums of weights, less the threshold, must be below 2**63, but reach {most}, {least}"
            )
        if not columns or used + width > _BITS:
            columns.append(np.zeros((provinces, 3), np.uint64))
            first, used, empty = [*first, k], 0, [*empty, 0]
        columns[-1] += watch.weights.astype(np.uint64) << np.uint64(used)
        empty[-1] += ((1 << (width - 1)) - threshold) << used
        used += width
        highest[k], first[-1] = 1 << (used - 1), k + 1
    weights = np.stack(columns, axis=2) if columns else np.zeros((provinces, 3, 0), np.uint64)
    change = np.array([weights[:, way.target] - weights[:, way.source] for way in ways]).transpose(2, 0, 1)
    return Watches(
        weights=weights, change=change.copy(), highest=highest, first=np.array(first),
        step=np.array([int(way.target is Control.INSURGENT) - int(way.source is Control.INSURGENT) for way in ways]),
        held=np.full(provinces, -1, np.int8), at_start=np.array([word % (1 << _BITS) for word in empty], np.uint64),
        lost=np.zeros(1, np.int64),
    )  # fmt: skip


def empty_counts(horizon: float, provinces: int) -> NDArray[np.int64]:
    """Return room for counts by day: day 0, the start, to the last whole day within *horizon*."""
    return np.zeros((int(horizon) + 1, provinces + 1), np.int64)


@inner
def _start(watches: Watches, initial: NDArray[np.int8]) -> None:
    """Bring what follows from the start up to *initial*."""
    for p in range(len(initial)):
        was, held = watches.held[p], initial[p]
        if was == held:
            continue
        watches.held[p] = held
        watches.lost[0] += (held == _INSURGENT) - (was == _INSURGENT)
        for j in range(len(watches.at_start)):
            watches.at_start[j] += watches.weights[p, held, j]
            if was >= 0:
                watches.at_start[j] -= watches.weights[p, was, j]


@inner
def _look(
    watches: Watches, j: Any, day: NDArray[np.float64], province: NDArray[np.int32], transition: NDArray[np.int8],
    begin: int, end: int, times: NDArray[np.float64],
) -> None:  # fmt: skip
    """Write when watches of word *j* hold for the first time."""
    word, waiting = watches.at_start[j], np.uint64(0)
    for k in range(watches.first[j], watches.first[j + 1]):
        times[k] = 0.0 if word & watches.highest[k] else np.inf
        waiting |= watches.highest[k] & ~word
    for e in range(begin, end):
        word += watches.change[j, np.uint64(transition[e]), np.uint64(province[e])]
        met = word & waiting
        if met:
            waiting ^= met
            for k in range(watches.first[j], watches.first[j + 1]):
                times[k] = day[e] if met & watches.highest[k] else times[k]


@inner
def fold(
    watches: Watches, initial: NDArray[np.int8], day: NDArray[np.float64], province: NDArray[np.int32],
    transition: NDArray[np.int8], begin: int, end: int, times: NDArray[np.float64], steps: NDArray[np.int64],
) -> None:  # fmt: skip
    """Fold events *begin* to *end* of one replication into its first-passage *times*, shape (watch,), and into *steps*.

    *steps*, shape (day, capitals lost), receives changes from one day to the next: summed over days it is the
    number of replications with so many capitals lost at the end of each day.
    """
    _start(watches, initial)
    for j in range(len(watches.at_start)):
        _look(watches, j, day, province, transition, begin, end, times)
    lost = watches.lost[0]
    steps[0, lost] += 1
    for e in range(begin, end):
        step = watches.step[np.uint64(transition[e])]
        if step != 0:
            on = int(np.ceil(day[e]))
            if on < len(steps):
                steps[on, lost] -= 1
                steps[on, lost + step] += 1
            lost += step


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
