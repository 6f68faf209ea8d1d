"""A count and nothing else: the exact chain of how many capitals are lost, where all that are held are alike.

The likelihood of k lost at the end is one entry of exp(G t), G the generator of a pure birth chain whose rates are read
from the law with 0, 1, 2, … capitals lost.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from sim.compiled import entry
from sim.control import Control
from sim.law import Law
from sim.rates import rates_in

__all__ = ["birth", "birth_rates", "counted"]

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]
_GOVERNMENT, _INSURGENT = int(Control.GOVERNMENT), int(Control.INSURGENT)


@entry
def birth(rates: Floats, days: float) -> Floats:
    """Return P(k births by *days*) from every number so far, *rates[k]* being that of the next birth after k.

    Relative error below 1e-10 down to the smallest floats: a short stretch by uniformisation, then squared again and
    again. Nothing negative is ever added, and the diagonal is known.

    Returns
    -------
    ndarray, shape (k + 1, k + 1)
        Row: births at the start; column: at the end. The last state stays.
    """
    size = len(rates) + 1
    pace = 0.0
    for k in range(size - 1):
        pace = max(pace, rates[k] * days)
    if not pace < 1e300:
        return np.zeros((size, size))
    doublings = 0
    while pace > 1.0:
        pace *= 0.5
        doublings += 1
    h = days / 2.0**doublings
    stretch = np.zeros((size, size))
    term = np.zeros(size)
    for i in range(size):
        term[:] = 0.0
        term[i] = math.exp(-pace)
        stretch[i] = term
        # A path of all births needs as many terms as there are births, and twenty more for 1e-18.
        for j in range(1, size - i + 20):
            for k in range(size - 1, i - 1, -1):
                leave = rates[k] * h if k < size - 1 else 0.0
                term[k] = term[k] * (pace - leave) / j
                if k > i:
                    term[k] += term[k - 1] * rates[k - 1] * h / j
            for k in range(i, size):
                stretch[i, k] += term[k]
    other = np.zeros((size, size))
    for _ in range(doublings):
        h *= 2.0
        for i in range(size):
            for k in range(i, size):
                total = 0.0
                for j in range(i, k + 1):
                    total += stretch[i, j] * stretch[j, k]
                other[i, k] = total
        for i in range(size - 1):
            other[i, i] = math.exp(-rates[i] * h)
        stretch, other = other, stretch
    return stretch


@entry
def _counted(rates: Floats, days: Floats, number: Ints, out: Floats) -> None:
    last = number.max()
    for row in range(rates.shape[0]):
        chance = np.zeros(last + 1)
        chance[0] = 1.0
        out[row] = 0.0
        for e in range(len(days)):
            # Beyond the largest number ever counted nothing is asked.
            stretch = birth(rates[row, e, : last + 1], days[e])
            before = chance.copy()
            chance[:] = 0.0
            for k in range(last + 1):
                for j in range(k + 1):
                    chance[k] += before[j] * stretch[j, k]
            if number[e] >= 0:
                seen = chance[number[e]]
                out[row] += math.log(seen) if seen > 0.0 else -np.inf
                chance[:] = 0.0
                chance[number[e]] = 1.0


def birth_rates(law: Law, values: Floats, day: float = 0.0, most: int | None = None) -> Floats:
    """Return the rate from k to k + 1 capitals lost on *day*, shape (row, k), for each row of *values*.

    For k below *most*, or all of them; for laws that treat all capitals still held alike.
    """
    n = law.track.shape[1]
    lost = np.arange(n if most is None else most)
    control = np.where(np.arange(n) < lost[:, None], _INSURGENT, _GOVERNMENT).astype(np.int8)
    rates = rates_in(law, control, np.full(len(lost), day), values)
    # With k lost, the first that is still held is number k.
    return np.asarray((n - lost) * rates[:, lost, 0, lost])


def counted(law: Law, counts: Sequence[tuple[float, int]], values: Floats) -> Floats:
    """Return the log probability of the *counts*, (day, capitals lost), for each row of *values* (row, parameter).

    Nothing is lost on day 0. What the law says must be the same for every capital still held.
    """
    end = counts[-1][0]
    edges = sorted({0.0, *(day for day, _ in counts), *(b for b in law.breaks.tolist() if b < end)})
    known = dict(counts)
    number = np.array([known.get(edge, -1) for edge in edges[1:]], np.int64)
    n = law.track.shape[1]
    most = min(n, int(number.max()) + 1)
    out = np.empty(len(values))
    # The table of rates of a block of rows stays below 32 MB.
    block = max(1, (1 << 22) // (most * n))
    for at in range(0, len(values), block):
        rows = values[at : at + block]
        rates = np.stack([birth_rates(law, rows, day, most) for day in edges[:-1]], axis=1)
        _counted(rates, np.diff(edges), number, out[at : at + block])
    return out
