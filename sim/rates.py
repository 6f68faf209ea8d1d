"""The law, asked many times: the rates of every clock in given situations, under many values of the parameters.

Likelihoods read their rates here and do arithmetic on plain arrays; what a rate is stays in ``law.py``.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from sim.compiled import entry
from sim.control import Control
from sim.law import Law, Situation, common_rate, fresh, local_rate
from sim.moves import place

__all__ = ["rates_in"]

Floats: TypeAlias = NDArray[np.float64]
_INSURGENT = int(Control.INSURGENT)


@entry
def _ask(
    law: Law, now: Situation, values: Floats, unknown: Floats, control: NDArray[np.int8], day: Floats, common: Floats,
    out: Floats,
) -> None:  # fmt: skip
    for s in range(control.shape[0]):
        place(law, now, control[s], unknown, day[s])
        for row in range(values.shape[0]):
            for track in range(len(common)):
                common[track] = common_rate(law, values[row], now, track)
            for r in range(out.shape[2]):
                for p in range(out.shape[3]):
                    if control[s, p] != _INSURGENT:
                        out[row, s, r, p] = local_rate(law, values[row], now, r, p) * common[law.track[r, p]]


def rates_in(law: Law, control: NDArray[np.int8], day: Floats, values: Floats) -> Floats:
    """Return the hazard of each transition in each province, per day, whether its clock is enabled or not.

    Parameters
    ----------
    control : ndarray of int8, shape (situation, province)
        When each capital was lost is not told: terms that need it are refused before.
    day : ndarray, shape (situation,)
        Days since the law's start.
    values : ndarray, shape (row, parameter)

    Returns
    -------
    ndarray, shape (row, situation, transition, province)
        Zero where the province is lost.
    """
    out = np.zeros((len(values), len(control), len(law.source), control.shape[1]))
    unknown = np.full(control.shape[1], -np.inf)
    # A copy, since compiled code is kept apart for arrays that are read-only.
    _ask(law, fresh(law), np.array(values, dtype=float), unknown, control, day, np.empty(len(law.transition)), out)
    return out
