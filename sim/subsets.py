"""Captures dated to an interval: the exact likelihood of their history, forward over subsets.

Between two cuts (ends of intervals, calendar breaks) some captures are open: their interval covers the piece, and it is
not known whether they have happened yet. The state is the set of those that have. A capture enters the set at its own
hazard; the hazard of every other capital still held kills. At the end of its interval a capture must be in the set.
With exact times the sets are single and this is the usual product of hazards and survivals (Aalen 1978,
doi:10.1214/aos/1176344247).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numba
import numpy as np
from numpy.typing import NDArray

from sim.control import Control
from sim.law import Law, common_rate, fresh, local_rate, place

__all__ = ["MOST_OPEN", "Stages", "history", "stages"]

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]

#: The most captures that may be open at once: 2**14 sets.
MOST_OPEN = 14
_GOVERNMENT, _INSURGENT = int(Control.GOVERNMENT), int(Control.INSURGENT)
#: Steps of the series are kept this short, so that no weight underflows and few terms are needed.
_STEP = 16.0


@dataclass(frozen=True, eq=False)
class Stages:
    """The pieces of a record, one after another, as arrays.

    A stage is a stretch of *days* in which the captures *open* may enter the set, or, where *points* is positive, an
    instant at which its last *points* captures do.
    """

    day: Floats  # (stage,) when it begins, days since the origin
    days: Floats  # (stage,) how long it is
    points: Ints  # (stage,) captures at its instant; 0 for a stretch
    width: Ints  # (stage,) captures open
    open: Ints  # (stage, widest) their provinces
    control: NDArray[np.int8]  # (stage, n) with the captures that are over
    source: Ints  # sets of all stages: where its probability comes from in the stage before; -1 for none
    first: Ints  # (stage + 1,) where the sets of a stage begin in *source*


def stages(
    provinces: int, captures: Sequence[tuple[int, float, float]], breaks: Sequence[float], end: float
) -> Stages:
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
    control = np.full((len(rows), provinces), _GOVERNMENT, np.int8)
    opens = np.full((len(rows), max(widest, 1)), -1, np.int64)
    sources, firsts = [], [0]
    before: list[int] = []
    for s, (cut, _, opened, points) in enumerate(rows):
        for i, (p, _, b) in enumerate(captures):
            if b <= cut and i not in opened:
                control[s, p] = _INSURGENT
        opens[s, : len(opened)] = [captures[i][0] for i in opened]
        sources.append(_sources(before, opened) if s else np.where(np.arange(1 << len(opened)) == 0, 0, -1))
        firsts.append(firsts[-1] + len(sources[-1]))
        before = opened
    return Stages(
        day=np.array([row[0] for row in rows]), days=np.array([row[1] for row in rows]),
        points=np.array([row[3] for row in rows], np.int64), width=np.array([len(row[2]) for row in rows], np.int64),
        open=opens, control=control, source=np.concatenate(sources).astype(np.int64), first=np.array(firsts, np.int64),
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


def history(law: Law, table: Stages, values: Floats) -> Floats:
    """Return the log-likelihood of the record cut into *table*, for each row of *values* (row, parameter)."""
    widest = int(table.width.max())
    # A block of rows shares the placing of each set; its tables of rates stay below 32 MB.
    block = max(1, min(256, (1 << 22) // ((widest + 2) << widest)))
    n = table.control.shape[1]
    now = fresh(law)
    unknown = np.full(n, -np.inf)
    out = np.empty(len(values))
    for at in range(0, len(values), block):
        rows = np.ascontiguousarray(values[at : at + block])
        _forward(
            law, now, rows, unknown, table.day, table.days, table.points, table.width, table.open, table.control,
            table.source, table.first, out[at : at + block],
        )  # fmt: skip
    return out


@numba.njit(cache=True, nogil=True)
def _forward(law, now, values, unknown, day, days, points, width, opens, control, source, first, out):  # type: ignore[no-untyped-def]
    rows, n = values.shape[0], control.shape[1]
    widest = 1
    for s in range(len(width)):
        widest = max(widest, width[s])
    held = np.empty((rows, 1 << widest))
    after = np.empty((rows, 1 << widest))
    leaving = np.empty((rows, 1 << widest))
    entering = np.empty((rows, 1 << widest, widest))
    room = np.empty((2, 1 << widest))
    here = np.empty(n, np.int8)
    rate = np.empty(n)
    common = np.empty(len(law.transition))
    held[:, 0] = 1.0
    out[:] = 0.0
    for s in range(len(width)):
        m = width[s]
        size = 1 << m
        for member in range(size):
            here[:] = control[s]
            for b in range(m):
                if member >> b & 1:
                    here[opens[s, b]] = _INSURGENT
            place(law, now, here, unknown, day[s])
            origin = source[first[s] + member]
            for row in range(rows):
                after[row, member] = held[row, origin] if origin >= 0 else 0.0
                for track in range(len(common)):
                    common[track] = common_rate(law, values[row], now, track)
                total = 0.0
                for p in range(n):
                    if here[p] == _GOVERNMENT:
                        rate[p] = local_rate(law, values[row], now, 0, p) * common[law.track[0, p]]
                        total += rate[p]
                leaving[row, member] = total
                for b in range(m):
                    if not member >> b & 1:
                        entering[row, member, b] = rate[opens[s, b]]
        held, after = after, held
        for row in range(rows):
            if points[s] > 0:
                _enter(held[row], entering[row], m, points[s])
            else:
                out[row] += _evolve(held[row], leaving[row], entering[row], m, days[s], room)
            out[row] += _rescale(held[row], size)
    last = len(width) - 1
    for row in range(rows):
        # Every interval is over at the end, so all that were open are in the set.
        out[row] += math.log(held[row, (1 << width[last]) - 1]) if held[row, (1 << width[last]) - 1] > 0.0 else -np.inf


@numba.njit(cache=True, nogil=True)
def _rescale(held, size):  # type: ignore[no-untyped-def]
    """Divide by the largest and return its logarithm, so that long records do not underflow."""
    largest = held[:size].max()
    if not largest > 0.0:
        held[:size] = 0.0
        return -np.inf
    held[:size] /= largest
    return math.log(largest)


@numba.njit(cache=True, nogil=True)
def _enter(held, entering, m, points):  # type: ignore[no-untyped-def]
    """Let the last *points* captures happen at one instant: the mean over their orders, the limit of short intervals."""
    for member in range(1 << m):
        for b in range(m - points, m):
            if not member >> b & 1:
                held[member | 1 << b] += held[member] * entering[member, b]
    full = ((1 << points) - 1) << (m - points)
    for member in range(1 << m):
        held[member] = held[member] / math.gamma(points + 1.0) if member & full == full else 0.0


@numba.njit(cache=True, nogil=True)
def _evolve(held, leaving, entering, m, days, room):  # type: ignore[no-untyped-def]
    """Carry *held* through *days* under rates of leaving and entering; return the logarithm taken out of it.

    The series of exp(A days) with A + slowest = generator + largest leaving rate, so that nothing negative is ever
    added and every probability keeps its relative precision (uniformisation; Jensen 1953, Grassmann 1977).
    """
    size = 1 << m
    slowest = leaving[:size].min()
    spread = leaving[:size].max() - slowest
    bound = 0.0
    for member in range(size):
        total = 0.0
        for b in range(m):
            if not member >> b & 1:
                total += entering[member, b]
        bound = max(bound, total)
    bound += spread
    if not bound * days < 1e9:
        held[:size] = 0.0
        return -np.inf
    steps = max(1, int(math.ceil(bound * days / _STEP)))
    h = days / steps
    shift = 0.0
    term, nxt = room[0], room[1]
    for _ in range(steps):
        term[:size] = held[:size]
        j = 0
        while True:
            j += 1
            nxt[:size] = 0.0
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
            if small and j > m and j >= 2.0 * bound * h:
                break
        shift += _rescale(held, size)
    return shift - (spread + slowest) * days
