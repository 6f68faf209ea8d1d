"""Priors taken apart: the same model with narrower or wider ones, and the scores of given values."""

from __future__ import annotations

import dataclasses
import math
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from sim.hazards import Hazard, Term
from sim.model import Model
from sim.priors import Beta, Fixed, HalfNormal, LogNormal, Normal, Prior

__all__ = ["scaled", "scores", "with_scaled_priors"]

Floats: TypeAlias = NDArray[np.float64]


def scaled(prior: Prior, factor: float) -> Prior:
    """Return *prior* with its scale times *factor*.

    The scale is the standard deviation of the logarithm (LogNormal), that of the normal behind it (HalfNormal,
    Normal), or its own at the same mean (Beta). A fixed value stays.

    Raises
    ------
    ValueError
        If *factor* is not positive, or a beta distribution cannot be that wide.
    TypeError
        If the prior is of a kind whose scale is not known.
    """
    if isinstance(factor, bool) or not isinstance(factor, (int, float)) or not 0.0 < factor < math.inf:
        raise ValueError(f"scaled: factor must be a positive finite number, but was {factor!r}")
    match prior:
        case Fixed():
            return prior
        case LogNormal(median, sigma):
            return LogNormal(median, sigma * factor)
        case HalfNormal(scale):
            return HalfNormal(scale * factor)
        case Normal(mean, sd):
            return Normal(mean, sd * factor)
        case Beta(a, b):
            # The variance is m (1 - m) / (a + b + 1).
            size = (a + b + 1.0) / factor**2 - 1.0
            if size <= 0.0:
                raise ValueError(
                    f"scaled: factor must be below {math.sqrt(a + b + 1.0):.3g} for {prior}, but was {factor!r}: "
                    "no beta distribution of that mean is so wide"
                )
            return Beta(a / (a + b) * size, b / (a + b) * size)
    raise TypeError(f"scaled: prior must be one of LogNormal, HalfNormal, Normal, Beta, Fixed, but was {prior!r}")


def with_scaled_priors(model: Model, factor: float) -> Model:
    """Return *model* with the scale of every prior times *factor*; its errors are those of ``scaled``."""
    hazards = {
        transition: Hazard(tuple(_scaled_term(term, factor) for term in hazard.terms))
        for transition, hazard in model.hazards.items()
    }
    # Where nothing is ever contested the prior of contests is not used, and need not be scalable.
    contested = scaled(model.contested, factor) if model.leaves_contested else model.contested
    return Model(model.theatre, hazards, contested=contested, name=model.name)


def _scaled_term(term: Term, factor: float) -> Term:
    given = {field.name: getattr(term, field.name) for field in dataclasses.fields(term)}
    changed = {name: scaled(value, factor) for name, value in given.items() if isinstance(value, Prior)}
    return dataclasses.replace(term, **changed)


def scores(prior: Prior, values: ArrayLike) -> Floats:
    """Return the standard normal scores of *values*: what ``prior.from_score`` turns into them.

    Values at the very end of the support have scores of at most 37.5 in size, the last that doubles tell from it.
    """
    x = np.asarray(values, float)
    with np.errstate(divide="ignore"):
        match prior:
            case LogNormal(median, sigma):
                found = (np.log(x) - math.log(median)) / sigma
            case HalfNormal(scale):
                # The tail that is small keeps its digits.
                found = np.where(x < scale, special.ndtri(special.erf(x / scale / math.sqrt(2.0))),
                                 -special.ndtri(2.0 * special.ndtr(-x / scale)))  # fmt: skip
            case Normal(mean, sd):
                found = (x - mean) / sd
            case Beta(a, b):
                below = special.betainc(a, b, x)
                found = np.where(below < 0.5, special.ndtri(below), -special.ndtri(special.betaincc(a, b, x)))
            case _:
                raise TypeError(f"scores: prior must be one that can be learned, but was {prior!r}")
    return np.asarray(np.clip(found, -37.5, 37.5))
