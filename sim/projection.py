"""The answer to an outcome: probabilities, quantiles and a survival curve, with what was censored kept in sight."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

__all__ = ["Estimate", "Part", "Projection", "pooled"]

Floats: TypeAlias = NDArray[np.float64]

#: Mean and standard deviation of the logarithm of a beta's concentration, believed before any hit is seen; its bound.
_SPREAD = (2.0, 3.0)
_SPREAD_LIMIT = 16.0
Ints: TypeAlias = NDArray[np.int64]


class Estimate(NamedTuple):
    """A probability with its uncertainties.

    ``low`` and ``high`` are the 5% and 95% points of the probability over parameter draws, chance noise removed
    (nan where there is only one replication a draw, which cannot tell the two apart). ``mc_error`` is the standard
    error of ``value`` from the finite number of replications, draws as clusters.
    """

    value: float
    low: float
    high: float
    mc_error: float

    def __str__(self) -> str:
        # Print nothing beyond its precision.
        places = 2 if self.mc_error >= 0.0005 else 3
        if math.isnan(self.low):
            return f"{self.value:.{places}f}"
        return f"{self.value:.{places}f} ({self.low:.{places}f}–{self.high:.{places}f})"


class Part(NamedTuple):
    """First-passage times of one model in a projection, with its weight and the draw of each replication."""

    weight: float
    times: Floats
    draw: Ints


@dataclass(frozen=True, eq=False)
class Projection:
    """The answer to an outcome: when it first happens, days since the start.

    Parameters
    ----------
    outcome : str
    parts : tuple of Part
        One for a model; several, with weights that sum to 1, for a pooled answer.
    horizon : float
        Days since the start after which nothing was watched.
    """

    outcome: str
    parts: tuple[Part, ...]
    horizon: float

    def __repr__(self) -> str:
        median = "beyond the horizon" if math.isinf(self.median) else f"{self.median:.3g} days"
        return (
            f"Projection {self.outcome}: median {median}, censored {self.censored:.3g}, horizon {self.horizon:g} days"
        )

    @property
    def times(self) -> Floats:
        """Days since the start, shape (R,); inf where it had not happened by the horizon. Parts follow one another."""
        return np.concatenate([part.times for part in self.parts])

    def probability(self, within: float) -> Estimate:
        """Return the probability that it happens at most *within* days after the start.

        The interval comes from a beta distribution of p(draw), fitted to the hits of each draw, which are binomial
        given it (beta-binomial; Skellam 1948, doi:10.1111/j.2517-6161.1948.tb00014.x), by maximum likelihood with a
        weak belief about the spread. It always holds the value. With one draw there is no spread; with one
        replication a draw it is not given (nan).
        Raise a ValueError if *within* is negative or beyond the horizon.
        """
        self._inside(within, "probability: within")
        value, variance, betas = 0.0, 0.0, []
        for part in self.parts:
            trials = np.bincount(part.draw).astype(np.float64)
            hits = np.bincount(part.draw, weights=part.times <= within).astype(np.float64)
            used = trials > 0
            mean, error = _clustered(hits[used], trials[used])
            value += part.weight * mean
            variance += (part.weight * error) ** 2
            betas.append((part.weight, *_beta(hits[used], trials[used])))
        low, high = _points(betas)
        return Estimate(value, min(low, value), max(high, value), math.sqrt(variance))

    def quantile(self, q: float) -> float:
        """Return the day by which it has happened with probability *q*; inf if that lies beyond the horizon."""
        if not 0.0 < q < 1.0:
            raise ValueError(f"quantile: q must be in (0, 1), but was {q!r}")
        times, weights = self._sorted
        reached = np.searchsorted(weights, q * (1 - 1e-12))
        return float(times[min(int(reached), len(times) - 1)])

    @property
    def median(self) -> float:
        """Days until it is as likely as not to have happened; inf if that lies beyond the horizon."""
        return self.quantile(0.5)

    @property
    def censored(self) -> float:
        """The share that had not happened by the horizon."""
        return sum(part.weight * float(np.mean(np.isinf(part.times))) for part in self.parts)

    @property
    def mean(self) -> float:
        """Mean days until it happens. Raise a ValueError if anything is censored: use ``restricted_mean`` then."""
        if self.censored > 0:
            raise ValueError(
                f"mean: {self.censored:.3g} is censored at day {self.horizon:g}; "
                "use restricted_mean or a longer horizon"
            )
        return self.restricted_mean

    @property
    def restricted_mean(self) -> float:
        """Mean of the days until it happens or the horizon, whichever comes first."""
        return sum(part.weight * float(np.mean(np.minimum(part.times, self.horizon))) for part in self.parts)

    def survival(self, times: ArrayLike) -> Floats:
        """Return the probability that it has not happened by each of *times*, in days since the start."""
        days = np.atleast_1d(np.asarray(times, float))
        for day in days.ravel():
            self._inside(float(day), "survival: a time")
        ordered, weights = self._sorted
        at = np.searchsorted(ordered, days, side="right")
        return np.asarray(1.0 - np.concatenate([[0.0], weights])[at])

    @cached_property
    def _sorted(self) -> tuple[Floats, Floats]:
        """Times in order, and the weight up to and including each."""
        times = self.times
        each = np.concatenate([np.full(len(p.times), p.weight / len(p.times)) for p in self.parts])
        order = np.argsort(times, kind="stable")
        return times[order], np.cumsum(each[order])

    def _inside(self, day: float, where: str) -> None:
        if not 0.0 <= day <= self.horizon:
            raise ValueError(f"{where} must be from 0 to the horizon of {self.horizon:g} days, but was {day!r}")


def _clustered(hits: Floats, trials: Floats) -> tuple[float, float]:
    """Return the share of hits and its standard error, with draws as clusters."""
    total = float(trials.sum())
    mean = float(hits.sum()) / total
    if len(trials) == 1:
        error = math.sqrt(mean * (1 - mean) / total)
    else:
        residual = hits - trials * mean
        error = math.sqrt(float(residual @ residual) * len(trials) / (len(trials) - 1)) / total
    # No variation seen is not certainty: one unseen case more or less (Laplace's rule).
    return mean, error if error > 0 else math.sqrt((total + 1) / (total + 2) ** 2 / total)


def _beta(hits: Floats, trials: Floats) -> tuple[float, float]:
    """Return mean and concentration of the beta distribution of p(draw); inf for no spread, nan if unknown."""
    total = float(trials.sum())
    if len(trials) == 1:
        return float(hits.sum()) / total, math.inf
    if trials.max() < 2:
        return float(hits.sum()) / total, math.nan
    cells, counts = np.unique(np.stack([hits, trials]), axis=1, return_counts=True)
    k, m = cells

    def loss(point: Floats) -> float:
        centre, size = special.expit(point[0]), math.exp(min(point[1], _SPREAD_LIMIT))
        a, b = centre * size, (1 - centre) * size
        fit = -float(counts @ (special.betaln(k + a, m - k + b) - special.betaln(a, b)))
        # A weak belief about the spread, so that none is claimed where the hits cannot tell.
        return fit + 0.5 * float((point[1] - _SPREAD[0]) / _SPREAD[1]) ** 2

    from scipy import optimize  # 0.1 s that only a fit needs

    # Half a hit more on either side keeps the centre inside (0, 1) where nothing or everything was hit.
    centre = float(special.logit((hits.sum() + 0.5) / (total + 1.0)))
    if hits.sum() in (0.0, total):
        return float(special.expit(centre)), math.exp(_SPREAD[0])
    # Nelder and Mead's own first simplex is tiny at zero, and stops there.
    simplex = [[centre, 0.0], [centre + 0.5, 1.0], [centre, 3.0]]
    options = {"xatol": 1e-4, "fatol": 1e-6, "initial_simplex": simplex}
    best = optimize.minimize(loss, simplex[0], method="Nelder-Mead", options=options)
    return float(special.expit(best.x[0])), math.exp(min(best.x[1], _SPREAD_LIMIT))


def _points(betas: Sequence[tuple[float, float, float]]) -> tuple[float, float]:
    """Return the 5% and 95% points of a mixture of (weight, mean, concentration) beta distributions."""
    if any(math.isnan(size) for _, _, size in betas):
        return math.nan, math.nan

    def cdf(x: float) -> float:
        total = 0.0
        for weight, mean, size in betas:
            if math.isinf(size):
                total += weight * (x >= mean)
            else:
                total += weight * float(special.betainc(mean * size, (1 - mean) * size, x))
        return total

    points = []
    for level in (0.05, 0.95):
        low, high = 0.0, 1.0
        for _ in range(50):
            middle = 0.5 * (low + high)
            low, high = (low, middle) if cdf(middle) >= level else (middle, high)
        points.append(round(high, 12))
    return points[0], points[1]


def pooled(projections: Mapping[str, Projection], weights: Mapping[str, float] | None = None) -> Projection:
    """Return the mixture of *projections* by family, with the given *weights*, equal if None.

    Raise a ValueError if outcomes or horizons differ, or the weights are not positive numbers for the same families.
    """
    if not projections:
        raise ValueError("pooled: give at least one projection")
    shares = dict.fromkeys(projections, 1.0) if weights is None else dict(weights)
    if set(shares) != set(projections) or not all(0 < w < math.inf for w in shares.values()):
        raise ValueError(
            f"pooled: weights must be positive, one for each of {', '.join(projections)}, but were {shares!r}"
        )
    first = next(iter(projections.values()))
    for name, projection in projections.items():
        if (projection.outcome, projection.horizon) != (first.outcome, first.horizon):
            raise ValueError(
                f"pooled: {name} answers {projection.outcome} to day {projection.horizon:g}, not the same question"
            )
    total = math.fsum(shares.values())
    parts = [
        part._replace(weight=part.weight * shares[name] / total)
        for name, projection in projections.items() for part in projection.parts
    ]  # fmt: skip
    return Projection(first.outcome, tuple(parts), first.horizon)
