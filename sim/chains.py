"""A count and nothing else: the exact chain of how many capitals are lost, where all that are held are alike.

The likelihood of k lost at the end is one entry of exp(G t), G the generator of a pure birth chain whose rates are read from
the law with 0, 1, 2, … capitals lost.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeAlias

import numba
import numpy as np
from numpy.typing import NDArray

from sim.control import Control
from sim.law import Law, common_rate, fresh, local_rate, place

__all__ = ["birth", "birth_rates", "counted", "single_rates"]

Floats: TypeAlias = NDArray[np.float64]
_INSURGENT = int(Control.INSURGENT)


@numba.njit(cache=True, nogil=True)
def birth(rates, days):  # type: ignore[no-untyped-def]
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


@numba.njit(cache=True, nogil=True)
def birth_rates(law, now, values, day, rates):  # type: ignore[no-untyped-def]
    """Write the rate from k to k + 1 capitals lost on *day* into *rates*, shape (province,), for each k."""
    n = len(rates)
    here = np.zeros(n, np.int8)
    unknown = np.full(n, -np.inf)
    for k in range(n):
        if k > 0:
            here[k - 1] = _INSURGENT
        place(law, now, here, unknown, day)
        rates[k] = (n - k) * (local_rate(law, values, now, 0, k) * common_rate(law, values, now, law.track[0, k]))


@numba.njit(cache=True, nogil=True)
def _singles(law, now, values, n, out):  # type: ignore[no-untyped-def]
    place(law, now, np.zeros(n, np.int8), np.full(n, -np.inf), 0.0)
    for row in range(values.shape[0]):
        out[row] = local_rate(law, values[row], now, 0, 0) * common_rate(law, values[row], now, law.track[0, 0])


def single_rates(law: Law, provinces: int, values: Floats) -> Floats:
    """Return the hazard of one capital while none is lost, per day, for each row of *values* (row, parameter)."""
    out = np.empty(len(values))
    _singles(law, fresh(law), np.ascontiguousarray(values), provinces, out)
    return out


@numba.njit(cache=True, nogil=True)
def _counted(law, now, values, n, eras, days, number, out):  # type: ignore[no-untyped-def]
    rates = np.empty(n)
    last = number.max()
    for row in range(values.shape[0]):
        chance = np.zeros(last + 1)
        chance[0] = 1.0
        out[row] = 0.0
        for e in range(len(days)):
            birth_rates(law, now, values[row], eras[e], rates)
            # Beyond the largest number ever counted nothing is asked.
            stretch = birth(rates[: last + 1], days[e])
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


def counted(law: Law, provinces: int, counts: Sequence[tuple[float, int]], values: Floats) -> Floats:
    """Return the log probability of the *counts*, (day, capitals lost), for each row of *values* (row, parameter).

    Nothing is lost on day 0. What the law says must be the same for every capital still held.
    """
    end = counts[-1][0]
    edges = sorted({0.0, *(day for day, _ in counts), *(b for b in law.breaks.tolist() if b < end)})
    known = dict(counts)
    number = np.array([known.get(edge, -1) for edge in edges[1:]], np.int64)
    out = np.empty(len(values))
    _counted(
        law, fresh(law), np.ascontiguousarray(values), provinces, np.array(edges[:-1]), np.diff(edges), number, out
    )
    return out
