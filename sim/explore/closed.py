"""How slow one constant pace would have to be, in closed form."""

from __future__ import annotations

import math

import numpy as np
from scipy import special

from sim.control import Control, State
from sim.outcomes import Outcome
from sim.theatre import Theatre

__all__ = ["constant_breakeven"]


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
