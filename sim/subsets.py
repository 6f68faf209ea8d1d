"""Captures dated to an interval: the exact likelihood of their history, forward over subsets.

Between two cuts (ends of intervals, calendar breaks) some captures are open: their interval covers the piece, and it is
not known whether they have happened yet. The state is the set of those that have. A capture enters the set at its own
hazard; the hazard of every other capital still held kills. At the end of its interval a capture must be in the set.
With exact times the sets are single and this is the usual product of hazards and survivals (Aalen 1978,
doi:10.1214/aos/1176344247).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from sim.compiled import entry, inner
from sim.control import Control
from sim.law import Law
from sim.rates import rates_in

__all__ = ["MOST_OPEN", "Stages", "history", "most_open", "stages", "through"]

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]

#: The most captures that may be open at once: 2**14 sets.
MOST_OPEN = 14
_GOVERNMENT, _INSURGENT = int(Control.GOVERNMENT), int(Control.INSURGENT)
#: Steps of the series are kept this short, so that no weight underflows and few terms are needed.
_STEP = 16.0
#: With no more captures open than this, a stretch of more than so many steps is squared instead.
_SQUARED, _STEPS = 6, 16
#: Beyond this many events in one stage the likelihood of a large stage is called nil.
_MOST = 1e7


@dataclass(frozen=True, eq=False)
class Stages:
    """The pieces of a record, one after another, as arrays.

    A stage is a stretch of *days* in which the captures *open* may enter the set, or, where *points* is positive, an
    instant at which its last *points* captures do.
    """

    days: Floats  # (stage,) how long it is
    points: Ints  # (stage,) captures at its instant; 0 for a stretch
    width: Ints  # (stage,) captures open
    open: Ints  # (stage, widest) their provinces
    first: Ints  # (stage + 1,) where the sets of a stage begin among those of all stages
    source: Ints  # (set,) where its probability comes from in the stage before; -1 for none
    control: NDArray[np.int8]  # (set, n) with the captures that are over and those in the set
    day: Floats  # (set,) when its stage begins, days since the origin


def most_open(captures: Sequence[tuple[int, float, float]]) -> int:
    """Return how many of *captures* are undecided at once, at most, as ``stages`` has them."""
    edges = sorted({t for _, a, b in captures for t in (a, b)})
    stretches = [sum(a <= low and high <= b for _, a, b in captures) for low, high in itertools.pairwise(edges)]
    instants = [sum(a < t < b or a == b == t for _, a, b in captures) for t in edges]
    return max([0, *stretches, *instants])


def stages(provinces: int, captures: Sequence[tuple[int, float, float]], breaks: Sequence[float], end: float) -> Stages:
    """Cut the time from 0 to *end* into stages for *captures*: (province, earliest, latest) in days.

    Raise a ValueError if more than ``MOST_OPEN`` captures are open at once.
    """
    cuts = sorted({0.0, end, *(b for b in breaks if 0.0 < b < end), *(t for _, a, b in captures for t in (a, b))})
    rows: list[tuple[float, float, list[int], int]] = []
    for j, cut in enumerate(cuts):
        points = [i for i, (_, a, b) in enumerate(captures) if a == b == cut]
        if points:
            around = [i for i, (_, a, b) in enumerate(captures) if a < cut < b]
            rows.append((cut, 0.0, around + points, len(points)))
        if j + 1 < len(cuts):
            opened = [i for i, (_, a, b) in enumerate(captures) if a <= cut and cuts[j + 1] <= b]
            rows.append((cut, cuts[j + 1] - cut, opened, 0))
    widest = max(len(row[2]) for row in rows)
    if widest > MOST_OPEN:
        raise ValueError(
            f"likelihood: at most {MOST_OPEN} captures may be undecided at once, but {widest} intervals overlap; "
            "date some of them more closely, or use the count alone: record.as_count()"
        )
    opens = np.full((len(rows), max(widest, 1)), -1, np.int64)
    sources, controls, first, when = [], [], [0], []
    before: list[int] = []
    for s, (cut, _, opened, _) in enumerate(rows):
        opens[s, : len(opened)] = [captures[i][0] for i in opened]
        sources.append(_sources(before, opened))
        first.append(first[-1] + (1 << len(opened)))
        control = np.full((1 << len(opened), provinces), _GOVERNMENT, np.int8)
        for i, (p, _, b) in enumerate(captures):
            if i in opened:
                control[np.arange(1 << len(opened)) >> opened.index(i) & 1 == 1, p] = _INSURGENT
            elif b <= cut:
                control[:, p] = _INSURGENT
        controls.append(control)
        when.append(np.full(1 << len(opened), cut))
        before = opened
    return Stages(
        days=np.array([row[1] for row in rows]), points=np.array([row[3] for row in rows], np.int64),
        width=np.array([len(row[2]) for row in rows], np.int64), open=opens, first=np.array(first, np.int64),
        source=np.concatenate(sources), control=np.concatenate(controls), day=np.concatenate(when),
    )  # fmt: skip


def _sources(before: list[int], now: list[int]) -> Ints:
    """Return, for each set of the captures *now* open, the set of those open *before* that it continues."""
    ended = sum(1 << j for j, i in enumerate(before) if i not in now)
    found = np.full(1 << len(now), -1, np.int64)
    for s in range(len(found)):
        placed = [i for j, i in enumerate(now) if s >> j & 1]
        if all(i in before for i in placed):
            found[s] = ended | sum(1 << before.index(i) for i in placed)
    return found


def history(law: Law, table: Stages, kinds: Ints, values: Floats) -> Floats:
    """Return the log-likelihood of the record cut into *table*, for each row of *values* (row, parameter).

    *kinds* says where the transitions stand in the law, as ``rates.kinds_of`` gives it.
    """
    # A block of rows shares the placing of each set; its table of rates stays below 32 MB.
    block = max(1, min(256, (1 << 22) // table.control.size))
    out = np.empty(len(values))
    for at in range(0, len(values), block):
        rates = rates_in(law, table.control, table.day, values[at : at + block])
        _forward(
            rates, kinds[0], kinds[4], table.days, table.points, table.width, table.open, table.source, table.first,
            out[at : at + block],
        )  # fmt: skip
    return out


@entry
def _forward(
    rates: Floats, seizure: int, recapture: int, days: Floats, points: Ints, width: Ints, opens: Ints, source: Ints,
    first: Ints, out: Floats,
) -> None:  # fmt: skip
    leaving, entering = np.zeros(rates.shape[1]), np.zeros((rates.shape[1], opens.shape[1]))
    for row in range(rates.shape[0]):
        for s in range(len(width)):
            for member in range(first[s], first[s + 1]):
                # The rates of capitals lost are nil, so the sum is over those still held.
                total = 0.0
                for p in range(rates.shape[3]):
                    total += rates[row, member, seizure, p]
                    # That none was recaptured is part of the record.
                    if recapture >= 0:
                        total += rates[row, member, recapture, p]
                leaving[member] = total
                for b in range(width[s]):
                    entering[member, b] = rates[row, member, seizure, opens[s, b]]
        out[row] = through(leaving, entering, days, points, width, source, first)


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
