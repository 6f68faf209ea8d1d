"""Scenario discovery: in which region of the rates an assessment is right."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from sim.case import Case
from sim.explore.asked import Asked, day_of, level_of, outcome_of, passages, prior_case, teller, whole
from sim.explore.boxes import measured, peel
from sim.explore.trajectory import Regions
from sim.model import Draws
from sim.outcomes import Outcome, Pressure
from sim.projecting import Tell
from sim.streams import key_of, uniforms

__all__ = ["discover"]

_WHERE = "discover"
Floats: TypeAlias = NDArray[np.float64]
Right: TypeAlias = tuple[float, float] | Callable[[Floats], Any]

_HALF_RING = Pressure("half_ring")
#: Points that must be left, so that half of them can seek and half measure.
_LEAST = 100


def discover(
    case_or_scenario: Asked, outcome: Outcome = _HALF_RING, within: float = 30, *, seed: int,
    right: Right = (0.25, 0.75), family: str | None = None, points: int = 2000, replications: int = 200,
    widen: float = 1.0, alpha: float = 0.05, least: float = 0.05, level: float = 0.9, progress: Tell | None = None,
) -> Regions:  # fmt: skip
    """Find the region of the parameters in which an assessment is right, as a box with coverage and density.

    "Could … within 30 days" is read as a median of about 30 days: by default a point is right if the outcome has come
    within that time with a probability from 0.25 to 0.75. Points are drawn from the priors, half of them to seek boxes
    (``sim.explore.boxes``), half to measure them. Of the trajectory the box with the greatest harmonic mean of coverage
    and density among the latter is picked, pasted, and freed of restrictions that are not sure; ``Regions.pick`` takes
    another.

    Parameters
    ----------
    case_or_scenario : Case, Scenario, or a scenario's name or path
        Nothing is calibrated. Of a case's draws only the values of fixed parameters are used.
    outcome : Outcome
    within : float
        Days since the start.
    seed : int
    right : (float, float) or function
        A band of probabilities, both ends within; or a function of the probabilities of all points, shape (point,),
        that says which are right.
    family : str, optional
        Which of a scenario's; needed if it has several.
    points, replications : int
        How many, half of them to measure; and runs of each, of which too few put points near an end of the band on its
        wrong side.
    widen : float
        Priors are drawn with their normal scores so many times as wide.
    alpha, least : float
        Share of a box given up at a time, and of all points below which no box goes.
    level : float
        Probability of the density's interval.
    progress : function of a text and the share done, optional

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range, the model has no free parameter, or all points or none are right.
    RuntimeError
        If hardly a point is left with a run that did not fail.

    Warns
    -----
    RuntimeWarning
        If some runs failed: a point's probability is of the others.
    """
    key_of(seed, _WHERE)
    outcome = outcome_of(outcome, f"{_WHERE}: outcome")
    points, replications = whole(points, _LEAST, f"{_WHERE}: points"), whole(replications, 2, f"{_WHERE}: replications")
    for name, value, most in (("widen", widen, math.inf), ("alpha", alpha, 0.5), ("least", least, 1.0)):
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0.0 < value < most:
            rule = "a positive number" if most == math.inf else f"above 0 and below {most:g}"
            raise ValueError(f"{_WHERE}: {name} must be {rule}, but was {value!r}")
    level, tell, told = level_of(level, _WHERE), teller(progress, _WHERE), _band(right)
    case = prior_case(case_or_scenario, family, _WHERE, seed=seed)
    within = day_of(within, case.horizon, f"{_WHERE}: within")
    outcome.watch(case.model.theatre)
    if not case.model.free:
        raise ValueError(f"{_WHERE}: {case.family} has no free parameter to look along; give one a prior")
    draws = _drawn(case, points, widen, seed)
    runs = points * replications
    times = passages(
        case, draws, [outcome], range(runs), seed=seed, horizon=within,
        heard=lambda done: tell(f"running {case.family}", done / runs),
    )  # fmt: skip
    # Replication r uses draw r mod D, so the runs of a draw stand in a column.
    came = times.days[0].reshape(replications, points)
    good = ~np.isnan(came)
    left = good.any(axis=0)
    if times.failed:
        warnings.warn(
            f"{_WHERE}: {times.failed:,} of {came.size:,} runs failed; {points - int(left.sum()):,} of "
            f"{points:,} points have none left and are left out (.failure has the first traceback)",
            RuntimeWarning, stacklevel=2,
        )  # fmt: skip
    if left.sum() < _LEAST:
        raise RuntimeError(
            f"{_WHERE}: {times.failed:,} of {came.size:,} runs failed, and {int(left.sum())} of {points:,} points were "
            f"left; {_LEAST} at least are needed"
        )
    chances = (came <= within)[:, left].sum(axis=0) / good[:, left].sum(axis=0)
    free = case.model.free
    where = np.column_stack([draws[name] for name in free])[left]
    flags = _judged(right, chances)
    tell(f"seeking boxes of {case.family}", 1.0)
    half = len(where) // 2
    boxes = tuple(peel(where[:half], flags[:half], alpha=alpha, least=least))
    scores = [measured(where[half:], flags[half:], box).balance for box in boxes]
    means = f"{outcome.name} within {within:g} days {told}"
    first = Regions(
        case.family, outcome.name, within, means, free, where, chances, flags, boxes, 0, boxes[0], alpha, level,
        replications, times.failed, int(seed), times.first,
    )  # fmt: skip
    return first.pick(int(np.argmax(scores)))


def _band(right: Right) -> str:
    if callable(right):
        return f"as {getattr(right, '__name__', 'the function given')} says"
    pair = isinstance(right, tuple) and len(right) == 2 and all(isinstance(end, (int, float)) for end in right)
    if not pair or not 0.0 <= right[0] < right[1] <= 1.0:
        raise ValueError(
            f"{_WHERE}: right must be a band of probabilities such as (0.25, 0.75), or a function of them, but was "
            f"{right!r}"
        )
    return f"has probability {right[0]:g} to {right[1]:g}"


def _judged(right: Right, chances: Floats) -> NDArray[np.bool_]:
    if callable(right):
        flags = np.asarray(right(chances.copy()))
        if flags.dtype != bool or flags.shape != chances.shape:
            raise ValueError(
                f"{_WHERE}: right must give {len(chances)} truth values, but gave {flags.dtype} of shape {flags.shape}"
            )
    else:
        flags = (chances >= right[0]) & (chances <= right[1])
    if flags.all() or not flags.any():
        raise ValueError(
            f"{_WHERE}: {'all' if flags.all() else 'none'} of {len(flags):,} points are right, so there is no region "
            f"to find; probabilities were {chances.min():.2f} to {chances.max():.2f}; widen priors or change the band"
        )
    return flags


def _drawn(case: Case, count: int, widen: float, seed: int) -> Draws:
    """Return draws of the priors with their normal scores *widen* times as wide, each parameter from its own stream."""
    from scipy import special

    columns = [
        prior.from_score(widen * special.ndtri(uniforms(seed, "discover", name, count)))
        if prior.free else np.full(count, case.draws[name][0])
        for name, prior in case.model.parameters.items()
    ]  # fmt: skip
    return Draws(tuple(case.model.parameters), np.column_stack(columns))
