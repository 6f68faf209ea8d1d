"""Where a record is likeliest, whatever the priors say: maximum likelihood and profile intervals."""

from __future__ import annotations

import math
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from sim.likelihood import Likelihood, from_scores, likelihood
from sim.model import Model
from sim.record import Record

__all__ = ["maximum_likelihood", "profile_interval"]

Floats: TypeAlias = NDArray[np.float64]

#: Where a search for the maximum ends, in standard normal scores of the prior.
_FAR = 8.0


def maximum_likelihood(
    model: Model, record: Record, *, seed: int | None = None, window_opened_by: Literal["first capture"] | None = None
) -> dict[str, float]:
    """Return the values of the free parameters at which *record* is likeliest, whatever their priors say.

    The priors give only the scale of the search: it ends eight standard deviations away, or at the support's end.
    *seed* and *window_opened_by* are those of ``sim.likelihood.likelihood``.
    """
    weight = likelihood(model, record, seed=seed, window_opened_by=window_opened_by)
    scores, top = _best(weight, {}, np.zeros(len(model.free)))
    _require_possible(top)
    return _named(model, scores)


def profile_interval(
    model: Model, record: Record, parameter: str, level: float = 0.95, *, seed: int | None = None
) -> tuple[float, float]:
    """Return the ends of the profile-likelihood interval of *parameter*.

    Between them the log-likelihood, largest over the other free parameters, is less than half the *level* quantile of
    chi-square (1) below its maximum (Wilks 1938). Raise a ValueError if *parameter* is not free.
    """
    from scipy import optimize, special

    from sim.control import nearest

    if parameter not in model.free:
        raise ValueError(f"profile_interval: no free parameter {parameter!r}; {nearest(parameter, model.free)}")
    if not 0.0 < level < 1.0:
        raise ValueError(f"profile_interval: level must lie between 0 and 1, but was {level!r}")
    weight = likelihood(model, record, seed=seed)
    scores, top = _best(weight, {}, np.zeros(len(model.free)))
    _require_possible(top)
    at = model.free.index(parameter)
    drop = 0.5 * float(special.ndtri(0.5 + 0.5 * level)) ** 2

    def above(score: float) -> float:
        return _best(weight, {at: score}, scores)[1] - top + drop

    ends = []
    for side in (-_FAR, _FAR):
        end = side if above(side) > 0.0 else float(optimize.brentq(above, scores[at], side, xtol=1e-12))
        ends.append(float(model.parameters[parameter].from_score(end)))
    return ends[0], ends[1]


def _best(weight: Likelihood, fixed: dict[int, float], start: Floats) -> tuple[Floats, float]:
    """Return the scores of the free parameters at the maximum, some of them *fixed*, and the log-likelihood there."""
    from scipy import optimize

    model = weight.model
    open_ = [j for j in range(len(model.free)) if j not in fixed]
    scores = np.array(start, dtype=float)
    scores[list(fixed)] = list(fixed.values())

    def loss(free: Floats) -> float:
        scores[open_] = np.clip(free, -_FAR, _FAR)
        value = float(weight(from_scores(model, scores[None]))[0])
        return -value if value > -math.inf else 1e300

    if len(open_) == 1:
        grid = np.linspace(-_FAR, _FAR, 161)
        at = int(np.argmin([loss(np.array([g])) for g in grid]))
        bounds = (grid[max(at - 1, 0)], grid[min(at + 1, 160)])
        found = optimize.minimize_scalar(lambda g: loss(np.array([g])), bounds=bounds, method="bounded",
                                         options={"xatol": 1e-11})  # fmt: skip
        best = np.array([found.x])
    elif open_:
        found = optimize.minimize(loss, scores[open_], method="Nelder-Mead",
                                  options={"xatol": 1e-8, "fatol": 1e-12, "maxiter": 20000, "maxfev": 20000,
                                           "adaptive": True})  # fmt: skip
        best = found.x
    else:
        best = np.empty(0)
    value = -loss(best)
    return scores, value if value > -1e300 else -math.inf


def _require_possible(value: float) -> None:
    if value == -math.inf:
        raise ValueError("likelihood: the record is impossible under the model, whatever its parameters")


def _named(model: Model, scores: Floats) -> dict[str, float]:
    row = from_scores(model, np.asarray(scores)[None])[0]
    return {name: float(value) for name, value in zip(model.parameters, row, strict=True) if name in model.free}
