"""When the first capture of all comes: what a record that begins because of it has to be weighed given."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from sim import contests
from sim.hours import plan
from sim.law import Law
from sim.lenses import lens_of
from sim.model import Model

__all__ = ["first_capture"]

Floats: TypeAlias = NDArray[np.float64]

#: Below this probability of a first capture the survivals before and after it are too close to be subtracted.
_RARE = 1e-5


def first_capture(model: Model, law: Law, after: float, before: float) -> Callable[[Floats], Floats]:
    """Return the log probability (density, if the two are one) that the first capture comes between two times."""
    n, breaks = len(model.theatre.provinces), law.breaks.tolist()
    lens, one = lens_of(model, np.ones((n, 2))), np.full((1, 1), 0.5)

    def none_by(end: float) -> Callable[[Floats], Floats]:
        table = plan(n, [], [], breaks, end, one[:, :0], windows=law.window.tolist())
        return lambda values: contests.filtered(law, table, lens, values)

    def density(moment: float) -> Callable[[Floats], Floats]:
        alone = [plan(n, [(p, moment, moment)], [], breaks, moment, one, windows=law.window.tolist()) for p in range(n)]
        return lambda values: np.logaddexp.reduce([contests.filtered(law, t, lens, values) for t in alone], axis=0)

    if after == before:
        return density(after)
    late = none_by(before)
    early = none_by(after) if after > 0.0 else lambda values: np.zeros(len(values))
    edges = [after, *(b for b in breaks if after < b < before), before]
    x, w = np.polynomial.legendre.leggauss(4)
    nodes = [
        (density(low + (high - low) * (u + 1) / 2), math.log(v * (high - low) / 2))
        for low, high in itertools.pairwise(edges) for u, v in zip(x, w, strict=True)
    ]  # fmt: skip

    def function(values: Floats) -> Floats:
        since = early(values)
        lost = since - late(values)
        with np.errstate(divide="ignore"):
            found = np.asarray(since + np.log(-np.expm1(-lost)))
        # Where next to nothing happens the difference of two survivals has no digits left: integrate the density.
        rare = np.flatnonzero(lost < _RARE)
        if len(rare):
            some = values[rare]
            found[rare] = np.logaddexp.reduce([of(some) + weight for of, weight in nodes], axis=0)
        return found

    return function
