"""The probability of each set of captures carried from stage to stage, at given rates.

A capture enters the set at its own rate, and every set is left at a rate of its own. Nothing here knows what the rates
are made of: ``subsets.py`` lays out stages and asks the law.
"""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from sim.compiled import entry, inner

__all__ = ["through"]

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]

#: Steps of the series are kept this short, so that no weight underflows and few terms are needed.
_STEP = 16.0
#: With no more captures open than this, a stretch of more than so many steps is squared instead.
_SQUARED, _STEPS = 6, 16
#: Beyond this many events in one stage the likelihood of a large stage is called nil.
_MOST = 1e7


@entry
def through(
    leaving: Floats, entering: Floats, days: Floats, points: Ints, width: Ints, source: Ints, first: Ints
) -> float:  # fmt: skip
    """Return the log of the probability that every capture open in a stage has entered by the end of its interval.

    Parameters
    ----------
    leaving : ndarray, shape (set,)
        The rate, per day, at which the history of a set ends or goes on.
    entering : ndarray, shape (set, widest)
        The rate at which a capture open in the set's stage enters it.
    days, points, width, source, first : ndarrays
        Of a ``Stages``.
    """
    size = 1
    for s in range(len(width)):
        size = max(size, 1 << width[s])
    held, after = np.zeros(size), np.zeros(size)
    room = np.zeros((2, size))
    held[0] = 1.0
    log = 0.0
    for s in range(len(width)):
        m = width[s]
        for member in range(1 << m):
            before = source[first[s] + member]
            after[member] = held[before] if before >= 0 else 0.0
        held, after = after, held
        leave, enter = leaving[first[s] : first[s + 1]], entering[first[s] : first[s + 1]]
        if points[s] > 0:
            _enter(held, enter, m, points[s])
        elif m <= _SQUARED and _events(leave, enter, m, days[s]) > _STEPS * _STEP:
            log += _square(held, leave, enter, m, days[s])
        else:
            log += _evolve(held, leave, enter, m, days[s], room[0], room[1])
        log += _rescale(held, 1 << m)
    # Every interval is over at the end, so all that were open are in the set.
    full = held[(1 << width[len(width) - 1]) - 1]
    return log + math.log(full) if full > 0.0 else -np.inf


@inner
def _rescale(held: Floats, size: int) -> float:
    """Divide by the largest and return its logarithm, so that long records do not underflow."""
    largest = 0.0
    for member in range(size):
        largest = max(largest, held[member])
    if not largest > 0.0:
        return -np.inf
    for member in range(size):
        held[member] /= largest
    return math.log(largest)


@inner
def _enter(held: Floats, entering: Floats, m: int, points: int) -> None:
    """Let the last *points* captures happen at one instant: the mean over orders, the limit of short intervals."""
    for member in range(1 << m):
        for b in range(m - points, m):
            if not member >> b & 1:
                held[member | 1 << b] += held[member] * entering[member, b]
    full = ((1 << points) - 1) << (m - points)
    for member in range(1 << m):
        held[member] = held[member] / math.gamma(points + 1.0) if member & full == full else 0.0


@inner
def _extremes(leaving: Floats, size: int) -> tuple[float, float]:
    slowest, fastest = np.inf, 0.0
    for member in range(size):
        slowest = min(slowest, leaving[member])
        fastest = max(fastest, leaving[member])
    return slowest, fastest


@inner
def _events(leaving: Floats, entering: Floats, m: int, days: float) -> float:
    """Return a bound on the norm of the generator of a stage, less its slowest rate, times its *days*.

    Infinite if a rate is infinite or not a number.
    """
    slowest, fastest = _extremes(leaving, 1 << m)
    bound = 0.0
    for member in range(1 << m):
        if not leaving[member] < np.inf:
            return np.inf
        total = 0.0
        for b in range(m):
            if not member >> b & 1:
                total += entering[member, b]
        bound = max(bound, total)
    return (bound + fastest - slowest) * days


@inner
def _evolve(held: Floats, leaving: Floats, entering: Floats, m: int, days: float, term: Floats, nxt: Floats) -> float:
    """Carry *held* through *days* under rates of leaving and entering; return the logarithm taken out of it.

    The series of exp(A days) with A + slowest = generator + largest leaving rate, so that nothing negative is ever
    added and every probability keeps its relative precision (uniformisation; Jensen 1953, Grassmann 1977).
    """
    size = 1 << m
    slowest, fastest = _extremes(leaving, size)
    spread = fastest - slowest
    events = _events(leaving, entering, m, days)
    if not events < _MOST:
        return -np.inf
    steps = max(1, math.ceil(events / _STEP))
    h = days / steps
    shift = 0.0
    for _ in range(steps):
        for member in range(size):
            term[member] = held[member]
        j = 0
        while True:
            j += 1
            for member in range(size):
                nxt[member] = 0.0
            for member in range(size):
                w = term[member] * h / j
                if w != 0.0:
                    nxt[member] += w * (spread - (leaving[member] - slowest))
                    for b in range(m):
                        if not member >> b & 1:
                            nxt[member | 1 << b] += w * entering[member, b]
            term, nxt = nxt, term
            small = True
            for member in range(size):
                held[member] += term[member]
                small = small and term[member] <= 1e-17 * held[member]
            if small and j > m and j >= 2.0 * events / steps:
                break
        shift += _rescale(held, size)
    return shift - fastest * days


@entry
def _square(held: Floats, leaving: Floats, entering: Floats, m: int, days: float) -> float:
    """Do what ``_evolve`` does where rates are so large that steps would be too many: square a short step."""
    size = 1 << m
    slowest, fastest = _extremes(leaving, size)
    events = _events(leaving, entering, m, days)
    if not events < 1e300:
        return -np.inf
    doublings = 0
    while events > 1.0:
        events *= 0.5
        doublings += 1
    h = days / 2.0**doublings
    spread = (fastest - slowest) * h
    step, other = np.zeros((size, size)), np.zeros((size, size))
    term = np.zeros(size)
    for start in range(size):
        term[:] = 0.0
        term[start] = math.exp(-spread)
        step[start, start] = term[start]
        for j in range(1, m + 20):
            # From the last set down, so that a set is read before it is changed.
            for member in range(size - 1, start - 1, -1):
                now = term[member] * (spread - (leaving[member] - slowest) * h)
                for b in range(m):
                    if member >> b & 1:
                        now += term[member ^ 1 << b] * entering[member ^ 1 << b, b] * h
                term[member] = now / j
                step[start, member] += term[member]
    for _ in range(doublings):
        h *= 2.0
        for i in range(size):
            for k in range(i, size):
                total = 0.0
                if i & k == i:
                    for j in range(i, k + 1):
                        total += step[i, j] * step[j, k]
                other[i, k] = total
        for i in range(size):
            other[i, i] = math.exp(-(leaving[i] - slowest) * h)
        step, other = other, step
    for k in range(size - 1, -1, -1):
        total = 0.0
        for i in range(k + 1):
            total += held[i] * step[i, k]
        held[k] = total
    return -slowest * days
