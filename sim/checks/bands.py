"""Whether ranks are uniform: simultaneous bands for their empirical distribution, and a tail probability, exact.

With N ranks uniform on 0 … L, the counts of those below 1, 2, …, L are a Markov chain of binomial steps. So the chance
that all of them keep within given bounds is a forward recursion, with no simulation and no asymptotics (Säilynoja,
Bürkner & Vehtari 2022, doi:10.1007/s11222-022-10090-6, section 2).
"""

from __future__ import annotations

from functools import lru_cache
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["band", "below", "tail"]

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]


def below(ranks: Ints, draws: int) -> Ints:
    """Return how many of *ranks*, each from 0 to *draws*, are below 1, 2, …, *draws*: shape (draws,)."""
    return np.asarray(np.cumsum(np.bincount(ranks, minlength=draws + 1))[:-1], np.int64)


@lru_cache(maxsize=64)
def band(fits: int, draws: int, level: float) -> tuple[Ints, Ints]:
    """Return the least and the most counts of ``below`` that hold all together with probability *level* at least.

    Every count has the same pointwise probability of leaving its bounds, on each side.
    """
    low, high = 0.0, 1.0
    for _ in range(30):
        middle = 0.5 * (low + high)
        if _chance(fits, draws, middle) >= level:
            low = middle
        else:
            high = middle
    return _bounds(fits, draws, low)


def tail(ranks: Ints, draws: int) -> float:
    """Return the probability that uniform ranks stray at least as far as *ranks* do, where they stray the farthest."""
    from scipy.stats import binom

    at = np.arange(1, draws + 1) / (draws + 1)
    counts = below(ranks, draws)
    sides = np.minimum(binom.cdf(counts, len(ranks), at), binom.sf(counts - 1, len(ranks), at))
    # A little more than the least, so that counts just as far out are without.
    return max(0.0, 1.0 - _chance(len(ranks), draws, 2.0 * float(sides.min()) * (1.0 + 1e-9)))


def _bounds(fits: int, draws: int, gamma: float) -> tuple[Ints, Ints]:
    """Return the counts whose probability, of so few and of so many, is *gamma* / 2 at least."""
    from scipy.stats import binom

    at = np.arange(1, draws + 1) / (draws + 1)
    low = binom.ppf(0.5 * gamma, fits, at).astype(np.int64)
    high = binom.isf(0.5 * gamma, fits, at).astype(np.int64)
    return low, high


def _chance(fits: int, draws: int, gamma: float) -> float:
    """Return the probability that all counts keep within the bounds of *gamma*."""
    if not gamma > 0.0:
        return 1.0
    low, high = _bounds(fits, draws, gamma)
    if np.any(low > high):
        return 0.0
    log_factorial = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, fits + 1)))])
    before, held = np.zeros(1, np.int64), np.ones(1)
    for i in range(draws):
        # Of the ranks not below i, the share below i + 1.
        share = 1.0 / (draws + 1 - i)
        now = np.arange(low[i], high[i] + 1)
        left, more = fits - before[:, None], now[None, :] - before[:, None]
        possible = (more >= 0) & (more <= left)
        k = np.where(possible, more, 0)
        log = (
            log_factorial[left] - log_factorial[k] - log_factorial[left - k]
            + k * np.log(share) + (left - k) * np.log1p(-share)
        )  # fmt: skip
        held = held @ np.where(possible, np.exp(log), 0.0)
        before = now
    return float(held.sum())
