"""What was believed of a parameter before the week: a distribution that can be drawn and weighed.

Every prior maps a standard normal score to a value (``from_score``): draws come from addressed uniforms, and
samplers work on the scores, where every prior is N(0, 1) and no Jacobian is needed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

__all__ = ["Beta", "Fixed", "HalfNormal", "LogNormal", "Normal", "Prior", "as_prior"]

Floats: TypeAlias = NDArray[np.float64]


def _require(prior: object, field: str, *, positive: bool) -> None:
    value = getattr(prior, field)
    rule = "a positive finite number" if positive else "a finite number"
    if isinstance(value, bool) or not isinstance(value, (int, float, np.floating, np.integer)):
        raise TypeError(f"{type(prior).__name__}: {field} must be {rule}, but was {value!r}")
    if not math.isfinite(value) or (positive and value <= 0):
        raise ValueError(f"{type(prior).__name__}: {field} must be {rule}, but was {value!r}")
    object.__setattr__(prior, field, float(value))


@dataclass(frozen=True)
class Prior:
    """A one-dimensional distribution. Subclasses give ``from_score``, ``log_density`` and ``lower``."""

    @property
    def lower(self) -> float:
        """The lower end of the support."""
        return -math.inf

    @property
    def upper(self) -> float:
        """The upper end of the support."""
        return math.inf

    @property
    def free(self) -> bool:
        """Whether there is anything to learn."""
        return True

    def from_score(self, score: ArrayLike) -> Floats:
        """Return the value whose probability equals that of the standard normal *score*."""
        raise TypeError(f"{type(self).__name__} is not a prior of its own; use one of LogNormal, HalfNormal, …")

    def quantile(self, probability: ArrayLike) -> Floats:
        """Return the quantile at *probability*, in (0, 1)."""
        return self.from_score(special.ndtri(np.asarray(probability, float)))

    def log_density(self, value: ArrayLike) -> Floats:
        """Return the log density at *value*; -inf outside the support."""
        raise TypeError(f"{type(self).__name__} has no density")

    def describe(self) -> dict[str, object]:
        """Return the prior as plain values, for files of a run."""
        return {"prior": type(self).__name__} | {f.name: getattr(self, f.name) for f in fields(self)}

    def __str__(self) -> str:
        inner = ", ".join(f"{f.name}={getattr(self, f.name):.6g}" for f in fields(self))
        return f"{type(self).__name__}({inner})"


@dataclass(frozen=True)
class LogNormal(Prior):
    """Log-normal with the given *median* and the standard deviation *sigma* of the logarithm."""

    median: float
    sigma: float

    def __post_init__(self) -> None:
        _require(self, "median", positive=True)
        _require(self, "sigma", positive=True)

    @property
    def lower(self) -> float:
        return 0.0

    def from_score(self, score: ArrayLike) -> Floats:
        return np.asarray(self.median * np.exp(self.sigma * np.asarray(score, float)))

    def log_density(self, value: ArrayLike) -> Floats:
        x = np.asarray(value, float)
        with np.errstate(divide="ignore", invalid="ignore"):
            z = (np.log(x) - math.log(self.median)) / self.sigma
            return np.where(x > 0, -0.5 * z * z - np.log(x * self.sigma * math.sqrt(2 * math.pi)), -np.inf)


@dataclass(frozen=True)
class HalfNormal(Prior):
    """The absolute value of a normal with mean zero and standard deviation *scale*."""

    scale: float

    def __post_init__(self) -> None:
        _require(self, "scale", positive=True)

    @property
    def lower(self) -> float:
        return 0.0

    def from_score(self, score: ArrayLike) -> Floats:
        # ndtr(-z)/2 keeps its precision in the upper tail, where 1 - ndtr(z) has none left.
        return np.asarray(self.scale * -special.ndtri(0.5 * special.ndtr(-np.asarray(score, float))))

    def log_density(self, value: ArrayLike) -> Floats:
        x = np.asarray(value, float)
        z = x / self.scale
        return np.where(x >= 0, 0.5 * math.log(2 / math.pi) - math.log(self.scale) - 0.5 * z * z, -np.inf)


@dataclass(frozen=True)
class Normal(Prior):
    """Normal with *mean* and standard deviation *sd*."""

    mean: float
    sd: float

    def __post_init__(self) -> None:
        _require(self, "mean", positive=False)
        _require(self, "sd", positive=True)

    def from_score(self, score: ArrayLike) -> Floats:
        return np.asarray(self.mean + self.sd * np.asarray(score, float))

    def log_density(self, value: ArrayLike) -> Floats:
        z = (np.asarray(value, float) - self.mean) / self.sd
        return np.asarray(-0.5 * z * z - math.log(self.sd * math.sqrt(2 * math.pi)))


@dataclass(frozen=True)
class Beta(Prior):
    """Beta(*a*, *b*) on (0, 1), for probabilities."""

    a: float
    b: float

    def __post_init__(self) -> None:
        _require(self, "a", positive=True)
        _require(self, "b", positive=True)

    @property
    def lower(self) -> float:
        return 0.0

    @property
    def upper(self) -> float:
        return 1.0

    def from_score(self, score: ArrayLike) -> Floats:
        return np.asarray(special.betaincinv(self.a, self.b, special.ndtr(np.asarray(score, float))))

    def log_density(self, value: ArrayLike) -> Floats:
        x = np.asarray(value, float)
        with np.errstate(divide="ignore", invalid="ignore"):
            inside = special.xlogy(self.a - 1, x) + special.xlog1py(self.b - 1, -x) - special.betaln(self.a, self.b)
            return np.where((x >= 0) & (x <= 1), inside, -np.inf)


@dataclass(frozen=True)
class Fixed(Prior):
    """A known *value*: nothing to learn."""

    value: float

    def __post_init__(self) -> None:
        _require(self, "value", positive=False)

    @property
    def lower(self) -> float:
        return self.value

    @property
    def upper(self) -> float:
        return self.value

    @property
    def free(self) -> bool:
        return False

    def from_score(self, score: ArrayLike) -> Floats:
        return np.full(np.shape(score), self.value)

    def log_density(self, value: ArrayLike) -> Floats:
        return np.where(np.asarray(value, float) == self.value, 0.0, -np.inf)


def as_prior(value: Prior | float, where: str, *, lower: float = -math.inf, upper: float = math.inf) -> Prior:
    """Return *value* as a prior: a number becomes Fixed.

    Raise a ValueError naming *where* if its support leaves *lower* to *upper*, a TypeError if it is neither.
    """
    if isinstance(value, bool) or not isinstance(value, (Prior, int, float, np.floating, np.integer)):
        raise TypeError(f"{where} must be a number or a prior such as LogNormal(1/60, 1.0), but was {value!r}")
    if isinstance(value, Prior):
        prior: Prior = value
    else:
        if not math.isfinite(value):
            raise ValueError(f"{where} must be finite, but was {value!r}")
        prior = Fixed(float(value))
    told = f"{prior.value:g}" if isinstance(prior, Fixed) else f"{prior}; use a prior that keeps to that side"
    if prior.lower < lower:
        raise ValueError(f"{where} must not be below {lower:g}, but was {told}")
    if prior.upper > upper:
        raise ValueError(f"{where} must not be above {upper:g}, but was {told}")
    return prior
