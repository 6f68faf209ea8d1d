"""The law, asked many times: the rates of every clock in given situations, under many values of the parameters.

Likelihoods read their rates here and do arithmetic on plain arrays; what a rate is stays in ``law.py``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from sim.compiled import entry
from sim.control import Control
from sim.law import Law, Situation, common_rate, fresh, local_rate
from sim.moves import place

__all__ = ["KINDS", "kinds_of", "rates_in"]

Floats: TypeAlias = NDArray[np.float64]
_INSURGENT = int(Control.INSURGENT)

#: The transitions a likelihood reads, in the order its arrays have them.
KINDS = ("seizure", "assault", "fall", "relief", "recapture")


def kinds_of(transitions: Iterable[str]) -> NDArray[np.int64]:
    """Return where each of ``KINDS`` stands among a model's *transitions*; -1 if it does not."""
    listed = list(transitions)
    return np.array([listed.index(kind) if kind in listed else -1 for kind in KINDS], np.int64)


@entry
def _ask(
    law: Law, now: Situation, values: Floats, taken: Floats, control: NDArray[np.int8], day: Floats, common: Floats,
    out: Floats,
) -> None:  # fmt: skip
    for s in range(control.shape[0]):
        place(law, now, control[s], taken[min(s, len(taken) - 1)], day[s])
        for row in range(values.shape[0]):
            for track in range(len(common)):
                common[track] = common_rate(law, values[row], now, track)
            for r in range(out.shape[2]):
                for p in range(out.shape[3]):
                    if (control[s, p] == _INSURGENT) == (law.source[r] == _INSURGENT):
                        out[row, s, r, p] = local_rate(law, values[row], now, r, p) * common[law.track[r, p]]


def rates_in(law: Law, control: NDArray[np.int8], day: Floats, values: Floats, taken: Floats | None = None) -> Floats:
    """Return the hazard of each transition in each province, per day, whether its clock is enabled or not.

    Frailties are nil here: a likelihood that knows them integrates over them.

    Parameters
    ----------
    control : ndarray of int8, shape (situation, province)
    day : ndarray, shape (situation,)
        Days since the law's start.
    values : ndarray, shape (row, parameter)
    taken : ndarray, shape (situation, province), optional
        When each capital that is lost was captured; without it windows are empty.

    Returns
    -------
    ndarray, shape (row, situation, transition, province)
        Of a lost province only recapture is given, of the others all but that; the rest is zero.
    """
    out = np.zeros((len(values), len(control), len(law.source), control.shape[1]))
    when = np.full((1, control.shape[1]), -np.inf) if taken is None else taken
    # A copy, since compiled code is kept apart for arrays that are read-only.
    _ask(law, fresh(law), np.array(values, dtype=float), when, control, day, np.empty(len(law.transition)), out)
    return out
