"""What another model makes of an answer, replication by replication: the arithmetic of paired differences."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import special

from sim.control import Control, State
from sim.ensemble import Run
from sim.outcomes import Outcome
from sim.streams import key_of

__all__ = [
    "Clusters", "Difference", "Ground", "clusters_of", "difference_of_means", "difference_of_medians", "ground_of",
    "mismatch", "paired_difference",
]  # fmt: skip

Floats: TypeAlias = NDArray[np.float64]
#: The parameter draw of each replication, shape (R,), by the number of draws; empty where there is only one.
Clusters: TypeAlias = Mapping[int, NDArray[np.int64]]

_RESAMPLES = 500


class Difference(NamedTuple):
    """A difference of two runs with common random numbers.

    ``value`` is the second run's answer less the first's; ``mc_error`` its standard error, draws as clusters;
    ``variance_ratio`` how many times larger the variance would be with two independent runs of the same size, draws
    and all; ``low`` and ``high`` the ends of the 95% interval of the value, from the finite number of replications and
    draws.
    """

    value: float
    mc_error: float
    variance_ratio: float
    low: float
    high: float


def paired_difference(first: Run, second: Run, outcome: Outcome, *, within: float | None = None) -> Difference:
    """Return the difference *second* less *first*, replication by replication, two runs of one seed.

    Replications of one number share every draw of chance, so what both models have in common cancels (common random
    numbers; Rathinam et al. 2010, doi:10.1063/1.3280166). It cancels best where the parameter draws are the same too.
    ``sim.compare`` does this for whole scenarios.

    Parameters
    ----------
    first, second : Ensemble or Passages
    outcome : Outcome
    within : float, optional
        Compare probabilities that it happens within so many days; unless given, the days until it happens or the
        horizon, whichever comes first.

    Raises
    ------
    ValueError
        If the runs do not share their seed, horizon, provinces, start or replications, or *within* is beyond the
        horizon.
    """
    if not isinstance(outcome, Outcome):
        raise TypeError(f"paired_difference: outcome must be one such as Pressure('half_ring'), but was {outcome!r}")
    for run in (first, second):
        if not isinstance(run, Run):
            raise TypeError(f"paired_difference: it takes runs such as simulate(…) gives, but was given {run!r}")
    told = mismatch(ground_of(first), ground_of(second))
    if told is None and not np.array_equal(first.numbers, second.numbers):
        told = "replications"
    if told is not None:
        raise ValueError(f"paired_difference: the runs differ in their {told}; make both the same but the model")
    if within is not None and not 0.0 <= within <= first.horizon:
        raise ValueError(
            f"paired_difference: within must be from 0 to the horizon {first.horizon:g}, but was {within!r}"
        )
    one, other = (run.first_passage(outcome.watch(run.theatre)) for run in (first, second))
    clusters = [clusters_of([run], first.numbers) for run in (first, second)]
    if within is None:
        one, other = (np.asarray(np.minimum(times, first.horizon), float) for times in (one, other))
        return difference_of_means(one, other, *clusters, most=first.horizon)
    return difference_of_means(
        np.asarray(one <= within, float), np.asarray(other <= within, float), *clusters, most=1.0
    )


class Ground(NamedTuple):
    """What two runs must have in common to be compared; *seed* is None before they are run."""

    seed: int | None
    horizon: float
    provinces: tuple[str, ...]
    start: State


def ground_of(run: Run) -> Ground:
    """Return what another run must share with *run*."""
    return Ground(run.seed, float(run.horizon), run.provinces, run.start)


def mismatch(one: Ground, other: Ground) -> str | None:
    """Return in words what two runs do not have in common: "seed: 1 and 2"; None if they match."""
    if one.seed != other.seed:
        return f"seed: {one.seed} and {other.seed}"
    if one.horizon != other.horizon:
        return f"horizon: {one.horizon:g} and {other.horizon:g} days"
    if one.provinces != other.provinces:
        alone = sorted(set(one.provinces) ^ set(other.provinces))
        more = ", …" if len(alone) > 3 else ""
        return f"theatre: {', '.join(alone[:3])}{more} {'is' if len(alone) == 1 else 'are'} in one of them only"
    return _other_start(one.start, other.start, one.provinces)


def _other_start(one: State, other: State, provinces: tuple[str, ...]) -> str | None:
    if one.instant != other.instant:
        return f"start: {one.instant} and {other.instant}"
    held = [[state.control.get(name, Control.GOVERNMENT) for name in provinces] for state in (one, other)]
    apart = [name for name, mine, theirs in zip(provinces, *held, strict=True) if mine != theirs]
    if apart:
        return f"start: control of {', '.join(apart[:3])}{', …' if len(apart) > 3 else ''}"
    if set(one.past) != set(other.past):
        return "start: what is known of the days of past captures"
    return None if one.sighted == other.sighted else "start: whose control was seen"


def clusters_of(runs: list[Run], numbers: NDArray[np.int64]) -> Clusters:
    """Return the parameter draw of each of the replications *numbers*, by the number of draws of the *runs*."""
    return {count: numbers % count for run in runs if (count := len(run.recipe.draws)) > 1}


def difference_of_means(one: Floats, other: Floats, ones: Clusters, others: Clusters, *, most: float) -> Difference:
    """Return the difference of the means of *other* and *one*, shape (R,), pair by pair.

    The variance is that of sums over draws (clusters); where the two have other numbers of draws, over both at once
    (Cameron, Gelbach and Miller 2011, doi:10.1198/jbes.2010.07136). The interval is Student's, with a degree of
    freedom less than there are clusters. Where no pair differs the error is that of one unseen pair (Laplace's rule)
    that differs by *most*; nought, if nothing can differ.
    """
    change = other - one
    both = {**ones, **others}
    alike = float(np.ptp(change)) <= 1e-12 * max(1.0, float(np.abs(change).max()))  # but for rounding
    variance = 0.0 if alike else _variance(change, both)
    apart = _variance(one, ones) + _variance(other, others)
    ratio = apart / variance if variance > 0.0 else math.inf if apart > 0.0 else math.nan
    error = math.sqrt(variance) if variance > 0.0 else most / math.sqrt(len(change) * (len(change) + 2))
    reach = _student(both, len(change)) * error
    value = float(change.mean())
    return Difference(value, error, ratio, max(-most, value - reach), min(most, value + reach))


def _student(clusters: Clusters, size: int) -> float:
    """Return the 97.5% point of Student's t with a degree of freedom less than there are clusters."""
    units = min((len(np.unique(draw)) for draw in clusters.values()), default=size)
    return float(special.stdtrit(units - 1, 0.975))


def _variance(values: Floats, clusters: Clusters) -> float:
    """Return the variance of the mean of *values*, which may depend on one another within each cluster."""
    residual = values - values.mean()
    parts = []
    for sign, group in _crossed(clusters, len(values)):
        sums = np.bincount(group, weights=residual)
        parts.append((sign, float(sums @ sums) * len(sums) / max(1, len(sums) - 1) / len(values) ** 2))
    return _summed(parts)


def _crossed(clusters: Clusters, size: int) -> Iterator[tuple[int, NDArray[np.intp]]]:
    """Yield the cluster of each of *size* replications, for each way to cluster and each crossing, with its sign."""
    ways = list(clusters.values()) or [np.arange(size)]
    for count in range(1, len(ways) + 1):
        for some in itertools.combinations(ways, count):
            yield 1 if count % 2 else -1, np.unique(np.stack(some), axis=1, return_inverse=True)[1].ravel()


def _summed(parts: list[tuple[int, float]]) -> float:
    """Return signed variances summed; the largest, where inclusion and exclusion of few clusters end at nought."""
    total = sum(sign * variance for sign, variance in parts)
    return total if total > 0.0 else max(variance for _, variance in parts)


def difference_of_medians(
    one: Floats, other: Floats, ones: Clusters, others: Clusters, *, seed: int
) -> tuple[float, float, Difference]:
    """Return both medians and their difference, of days with shape (part, R): parts have equal weights.

    Error and interval are those of 500 resamples of draws (of replications, where there is one draw), the same for
    both sides and all parts: the percentile bootstrap (Efron 1979, doi:10.1214/aos/1176344552). Where the two have
    other numbers of draws the variances of resamples of either and of both are summed as for means, and the interval
    is Student's. Where a median lies beyond the horizon (inf) the difference is not a number, and where one of a
    resample does it has no interval.
    """
    rng = np.random.default_rng(int(key_of(seed, "resamples")))
    sides, size = [_Sorted(one), _Sorted(other)], one.shape[1]
    first, second = (side.median(np.ones(size)) for side in sides)
    if not (math.isfinite(first) and math.isfinite(second)):
        return first, second, Difference(math.nan, math.nan, math.nan, math.nan, math.nan)
    value, both = second - first, {**ones, **others}
    found = _resampled(sides, both, size, rng)
    alone = [found if own.keys() == both.keys() else _resampled(sides, own, size, rng) for own in (ones, others)]
    if not all(np.isfinite(medians).all() for _, medians in (*found, *alone[0], *alone[1])):
        return first, second, Difference(value, math.nan, math.nan, math.nan, math.nan)
    spread = _summed([(sign, float(np.var(medians[:, 1] - medians[:, 0], ddof=1))) for sign, medians in found])
    apart = sum(
        _summed([(sign, float(np.var(medians[:, side], ddof=1))) for sign, medians in alone[side]]) for side in (0, 1)
    )
    ratio = apart / spread if spread > 0.0 else math.inf if apart > 0.0 else math.nan
    error = math.sqrt(spread)
    if len(found) == 1:
        change = found[0][1][:, 1] - found[0][1][:, 0]
        low, high = map(float, np.quantile(change, (0.025, 0.975), method="inverted_cdf"))
    else:
        reach = _student(both, size) * error
        low, high = value - reach, value + reach
    return first, second, Difference(value, error, ratio, low, high)


def _resampled(
    sides: list[_Sorted], clusters: Clusters, size: int, rng: np.random.Generator
) -> list[tuple[int, Floats]]:  # fmt: skip
    """Return the medians of both *sides*, shape (resample, 2), for each way to cluster and each crossing."""
    found = []
    for sign, group in _crossed(clusters, size):
        count = int(group.max()) + 1
        taken = (np.bincount(rng.integers(0, count, count), minlength=count)[group] for _ in range(_RESAMPLES))
        found.append((sign, np.array([[side.median(weights) for side in sides] for weights in taken])))
    return found


class _Sorted:
    """Days in order, each with the replication it belongs to."""

    def __init__(self, days: Floats):
        order = np.argsort(days, axis=None, kind="stable")
        self.days, self.row = days.ravel()[order], order % days.shape[1]

    def median(self, weights: NDArray[Any]) -> float:
        """Return the first day by which half the weight has come; replications weigh *weights*."""
        reached = np.cumsum(weights[self.row])
        return float(self.days[np.searchsorted(reached, reached[-1] * 0.5 * (1 - 1e-12))])
