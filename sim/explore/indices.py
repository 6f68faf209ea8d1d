"""First-order and total Sobol indices of any function of parameters and of chance, failures left out and counted.

A stochastic function is read as a deterministic one of its parameters x and of all its chance ω, addressed by a
replication number and independent of x. The indices of x and of ω are then the classical ones (the first of the three
definitions that Zhu and Sudret 2021 compare, doi:10.1016/j.ress.2021.107815). Of ω the total index is
E Var(Y | x) / Var Y, what no knowledge of parameters removes, and the first-order one Var E(Y | ω) / Var Y. (Hart,
Alexanderian and Gremaud 2017, arXiv:1602.06218, keep ω fixed instead, and so give x random indices and ω none.)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from sim.streams import key_of

__all__ = ["CHANCE", "Index", "Indices", "sobol_split"]

Floats: TypeAlias = NDArray[np.float64]
#: Points in the unit cube, shape (N, d), and N replication numbers, to N values; nan where a run failed.
Function: TypeAlias = Callable[[Floats, range], Floats]

#: What the row of all chance is called.
CHANCE = "chance"
#: Sobol points are multiples of 2**-30, zero among them; half a step more keeps them inside (0, 1).
_BITS = 30


class Index(NamedTuple):
    """A row of indices: the *parameter*, or "chance"; first-order and total index, each with its interval."""

    parameter: str
    first: float
    first_low: float
    first_high: float
    total: float
    total_low: float
    total_high: float


class Indices(NamedTuple):
    """Indices of each input, chance last; mean and variance of the function.

    Of *points* rows *used* had no failed run; *failed* of all *runs* failed.
    """

    rows: tuple[Index, ...]
    mean: float
    variance: float
    points: int
    used: int
    runs: int
    failed: int


def sobol_split(
    function: Function, names: Sequence[str], *, seed: int, points: int, resamples: int = 500, level: float = 0.9,
    tell: Callable[[float], object] = lambda share: None,
) -> Indices:  # fmt: skip
    """Return the Sobol indices of *function* by SciPy's ``sobol_indices`` (Saltelli et al. 2010,
    doi:10.1016/j.cpc.2009.09.018).

    Two sets A and B of scrambled Sobol points, with the replication numbers 0 … N - 1 and N … 2N - 1; then A with one
    column, or the numbers, taken from B. A row of which any run failed is left out. Intervals are percentiles over
    resampled rows: SciPy's own bootstrap takes no seed. They take rows for independent, which points this even are
    not, and so err on the wide side.

    Parameters
    ----------
    function : callable
        See ``Function``.
    names : sequence of str
        Of the d inputs, at least one.
    seed : int
    points : int
        N, a power of two; the function is asked N (d + 3) times.
    resamples : int
    level : float
        Probability of the intervals.
    tell : function of the share done

    Raises
    ------
    RuntimeError
        If fewer than two rows are left.
    ValueError
        If the function does not vary.
    """
    from scipy.stats import qmc

    d = len(names)
    rng = np.random.default_rng(int(key_of(seed, "sobol points")))
    unit = qmc.Sobol(2 * d, scramble=True, bits=_BITS, rng=rng).random_base2(points.bit_length() - 1)
    unit += 0.5 * 2.0**-_BITS
    first, second = unit[:, :d], unit[:, d:]
    here, there = range(points), range(points, 2 * points)
    asked = [(first, here), (second, there)]
    for j in range(d):
        mixed = first.copy()
        mixed[:, j] = second[:, j]
        asked.append((mixed, here))
    asked.append((first, there))
    values = np.empty((d + 3, points))
    for k, (at, numbers) in enumerate(asked):
        tell(k / len(asked))
        values[k] = function(at, numbers)
    return _indices(values, (*names, CHANCE), seed, resamples, level)


def _indices(values: Floats, names: Sequence[str], seed: int, resamples: int, level: float) -> Indices:
    good = np.asarray(np.isfinite(values).all(axis=0))
    used, points = int(good.sum()), values.shape[1]
    failed = int((~np.isfinite(values)).sum())
    if used < 2:
        raise RuntimeError(
            f"sensitivity: {failed:,} of {values.size:,} runs failed, and {used} of {points:,} rows were left whole; "
            "two at least are needed"
        )
    both = values[:2, good]
    if np.ptp(both) == 0.0:
        raise ValueError(
            f"sensitivity: every run gave the same, {both[0, 0]:g}, so there is nothing to split; ask for another day "
            "or outcome"
        )
    found = _scipy(values, good)
    rng = np.random.default_rng(int(key_of(seed, "sobol resamples")))
    again = np.full((resamples, *found.shape), np.nan)
    for b in range(resamples):
        chosen = np.asarray(rng.integers(0, points, size=points))
        kept = chosen[good[chosen]]
        if len(kept) and np.ptp(values[:2, kept]) > 0.0:
            again[b] = _scipy(values[:, chosen], good[chosen])
    low, high = np.nanquantile(again, [(1 - level) / 2, (1 + level) / 2], axis=0)
    rows = tuple(
        Index(name, *(float(table[order, j]) for order in (0, 1) for table in (found, low, high)))
        for j, name in enumerate(names)
    )
    return Indices(rows, float(both.mean()), float(both.var()), points, used, values.size, failed)


def _scipy(values: Floats, good: NDArray[np.bool_]) -> Floats:
    """Return first-order and total indices over the *good* rows, shape (2, input).

    SciPy asks for 2**m rows. Centred on the good ones, a row of zeros adds nothing to any of its sums, and their number
    cancels in every ratio: so the others are set to zero.
    """
    from scipy.stats import sobol_indices

    centred = np.where(good, values - values[:2, good].mean(), 0.0)
    tables = {"f_A": centred[:1], "f_B": centred[1:2], "f_AB": centred[2:, None, :]}
    found = sobol_indices(func=tables, n=values.shape[1])
    return np.stack([found.first_order, found.total_order])
