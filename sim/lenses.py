"""What the filter of hidden contests reads of a model: where its transitions stand, and the frailties to integrate."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from sim.contests import Lens
from sim.hazards import Frailty
from sim.model import CONTESTED_AT_START, Model
from sim.rates import KINDS, kinds_of

__all__ = ["MOST_FRAIL", "lens_of"]

Floats: TypeAlias = NDArray[np.float64]

#: Nodes of the quadrature over frailties, by how many transitions have one.
_NODES = {0: 1, 1: 64, 2: 24, 3: 12}
#: How many transitions may have a frailty: the quadrature has a dimension for each.
MOST_FRAIL = max(_NODES)


def lens_of(model: Model, told: Floats, share: int = 1) -> Lens:
    """Return what the filter reads of *model*; *told*, shape (province, 2), is how modes of capture fit.

    *share* divides the number of nodes of the quadrature over frailties.
    """
    names = list(model.parameters)
    frail = [
        next((f"{kind}.{term.name}" for term in model.hazards[kind].terms if isinstance(term, Frailty)), None)
        if kind in model.hazards
        else None
        for kind in KINDS
    ]
    with_one = [i for i, name in enumerate(frail) if name is not None]
    z, w = np.polynomial.hermite_e.hermegauss(_NODES[len(with_one)] // share) if with_one else (np.zeros(1), np.ones(1))
    grids = np.meshgrid(*[np.arange(len(z))] * len(with_one), indexing="ij")
    index = np.stack(grids, axis=-1).reshape(-1, len(with_one)) if with_one else np.zeros((1, 0), np.int64)
    nodes = np.zeros((len(index), len(KINDS)))
    nodes[:, with_one] = z[index]
    weights = np.prod(w[index] / w.sum(), axis=1) if with_one else np.ones(1)
    return Lens(
        kinds=kinds_of(model.hazards), start=names.index(CONTESTED_AT_START) if model.leaves_contested else -1,
        frailty=np.array([names.index(name) if name else -1 for name in frail], np.int64), nodes=nodes,
        weights=weights, told=told,
    )  # fmt: skip
