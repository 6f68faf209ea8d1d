"""What moves an answer: how far the rates would have to move, and what another model makes of it."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

from sim.control import Control, State
from sim.ensemble import Run
from sim.outcomes import Outcome
from sim.theatre import Theatre

__all__ = ["Difference", "constant_breakeven", "paired_difference"]


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


def constant_breakeven(
    outcome: Outcome, theatre: Theatre, start: State, *, within: float, probability: float = 0.5
) -> float:
    """Return the hazard (per day and capital) at which *outcome* has the given *probability* *within* days.

    For one constant hazard of every capital not yet lost, in closed form: capitals fall independently, so the
    outcome's count is binomial, and the binomial tail is an incomplete beta function (DLMF 8.17.5). Contested capitals
    are read as government-held, as in any model without contests. 0 if the outcome is true at the start.

    Raises
    ------
    ValueError
        If *within* or *probability* is out of range, or the outcome weighs capitals unequally.
    """
    if not 0.0 < within < math.inf:
        raise ValueError(f"constant_breakeven: within must be a positive number of days, but was {within!r}")
    if not 0.0 < probability < 1.0:
        raise ValueError(f"constant_breakeven: probability must be in (0, 1), but was {probability!r}")
    watch = outcome.watch(theatre)
    weights = watch.weights[:, Control.INSURGENT]
    if not np.isin(weights, (0, 1)).all():
        raise ValueError(f"constant_breakeven: {outcome.name} weighs capitals unequally, so there is no closed form")
    lost = np.zeros(len(theatre.provinces), bool)
    lost[[theatre.index(name, "constant_breakeven: start") for name in start.lost]] = True
    need = watch.threshold - int(weights[lost].sum())
    left = int(weights[~lost].sum())
    if need <= 0:
        return 0.0
    chance = float(special.betaincinv(need, left - need + 1, probability))
    return -math.log1p(-chance) / within
