"""What another model makes of an answer, replication by replication."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.ensemble import Run
from sim.outcomes import Outcome

__all__ = ["Difference", "paired_difference"]


class Difference(NamedTuple):
    """A difference of two runs with common random numbers.

    ``value`` is the second run's answer less the first's; ``mc_error`` its standard error, draws as clusters;
    ``variance_ratio`` how many times larger the variance would be with two independent runs of the same size.
    """

    value: float
    mc_error: float
    variance_ratio: float


def paired_difference(first: Run, second: Run, outcome: Outcome, *, within: float | None = None) -> Difference:
    """Return the difference *second* less *first*, replication by replication, two runs of one seed.

    Replications of one number share every draw of chance, so what both models have in common cancels (common random
    numbers; Rathinam et al. 2010, doi:10.1063/1.3280166). It cancels best where the parameter draws are the same too.

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
    _require_pairs(first, second)
    one, other = (_answers(run, outcome, within) for run in (first, second))
    change = other - one
    by_draw = np.bincount(first.draw, weights=change) / np.maximum(1, np.bincount(first.draw))
    used = np.bincount(first.draw) > 0
    clustered = np.var(by_draw[used], ddof=1) / used.sum() if used.sum() > 1 else np.var(change) / len(change)
    spread = float(np.var(change))
    apart = float(np.var(one) + np.var(other))
    ratio = apart / spread if spread > 0 else math.inf if apart > 0 else math.nan
    return Difference(float(change.mean()), math.sqrt(float(clustered)), ratio)


def _answers(run: Run, outcome: Outcome, within: float | None) -> NDArray[np.float64]:
    times = run.first_passage(outcome.watch(run.theatre))
    if within is None:
        return np.minimum(times, run.horizon)
    if not 0.0 <= within <= run.horizon:
        raise ValueError(f"paired_difference: within must be from 0 to the horizon {run.horizon:g}, but was {within!r}")
    return np.asarray(times <= within, float)


def _require_pairs(first: Run, second: Run) -> None:
    pairs = {
        "seed": (first.seed, second.seed), "horizon": (first.horizon, second.horizon),
        "provinces": (first.provinces, second.provinces), "start": (first.start.control, second.start.control),
        "replications": (first.numbers.tolist(), second.numbers.tolist()),
        "number of draws": (len(first.recipe.draws), len(second.recipe.draws)),
    }  # fmt: skip
    for name, (one, other) in pairs.items():
        if one != other:
            told = f": {one!r} and {other!r}" if name in ("seed", "horizon", "number of draws") else ""
            raise ValueError(
                f"paired_difference: the runs differ in their {name}{told}; make both the same but the model"
            )
