"""What a break-even is asked, checked before any work."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np

from sim.case import Case
from sim.control import nearest
from sim.engines.recorded import RecordedEngine
from sim.explore.crossing import By
from sim.model import CONTESTED_AT_START, Model
from sim.outcomes import Outcome
from sim.scenario import Scenario
from sim.scenario_file import load_scenario
from sim.theatre import Theatre, load_theatre

__all__ = [
    "At", "models_of", "require_at", "require_by", "require_case", "require_draws", "require_parameter",
    "require_question", "require_scenario", "signed", "theatre_of",
]  # fmt: skip

At: TypeAlias = Literal["posterior", "maximum likelihood"] | Mapping[str, float]

#: Terms whose parameters multiply a hazard as they are, and are never negative; those of others are exponents.
_NEVER_NEGATIVE = ("baseline", "neighbours", "frailty", "reserves")


def signed(vary: str) -> bool:
    return vary != CONTESTED_AT_START and vary.split(".")[1] not in _NEVER_NEGATIVE


def require_scenario(given: object, where: str) -> Scenario:
    if not isinstance(given, (Scenario, str, Path)):
        raise TypeError(
            f"{where}: scenario must be a Scenario, its name or path, or a Case, but was {type(given).__name__}"
        )
    return load_scenario(given)


def theatre_of(scenario: Scenario) -> Theatre:
    return load_theatre(scenario.theatre, borders=scenario.borders, prefer=scenario.prefer)


def models_of(scenario: Scenario, theatre: Theatre, where: str) -> dict[str, Model]:
    if scenario.follows != "models":
        raise ValueError(f"{where}: scenario {scenario.name} replays the record, which no parameter moves")
    return {name: projected for name, (_, projected) in scenario.models_on(theatre).items()}


def require_question(
    where: str, outcomes: Iterable[Outcome], probability: float, replications: int | None, precision: float
) -> tuple[Outcome, ...]:
    if isinstance(outcomes, (str, Outcome)) or not isinstance(outcomes, Iterable):
        raise TypeError(f"{where}: outcomes must be a list of outcomes, but was {outcomes!r}; write [{outcomes!r}]")
    outcomes = tuple(outcomes)
    for outcome in outcomes:
        if not isinstance(outcome, Outcome):
            raise TypeError(f"{where}: outcome must be one such as Pressure('half_ring'), but was {outcome!r}")
    for name, share in (("probability", probability), ("precision", precision)):
        if isinstance(share, bool) or not isinstance(share, (int, float, np.number)) or not 0.0 < share < 1.0:
            raise ValueError(f"{where}: {name} must be in (0, 1), but was {share!r}")
    whole = isinstance(replications, (int, np.integer)) and not isinstance(replications, bool)
    if replications is not None and not (whole and replications >= 100):
        raise ValueError(f"{where}: replications must be a whole number, at least 100, but was {replications!r}")
    if not outcomes:
        raise ValueError(f"{where}: name at least one outcome, such as Pressure('half_ring')")
    return outcomes


def require_parameter(
    where: str, model: Model, vary: str | None, within: float, horizon: float, outcomes: tuple[Outcome, ...]
) -> None:
    if vary is not None and vary not in model.parameters:
        raise ValueError(f"{where}: no parameter {vary!r} in {model.name}; {nearest(vary, model.parameters)}")
    odd = isinstance(within, bool) or not isinstance(within, (int, float, np.number))
    if odd or not 0.0 < within <= horizon:
        raise ValueError(f"{where}: within must be above 0 and at most the horizon {horizon:g}, but was {within!r}")
    for outcome in outcomes:
        outcome.watch(model.theatre)


def require_draws(draws: int, where: str) -> int:
    if isinstance(draws, bool) or not isinstance(draws, (int, np.integer)) or draws < 1:
        raise ValueError(f"{where}: draws must be a positive whole number, but was {draws!r}")
    return int(draws)


def require_case(case: object, where: str) -> None:
    if not isinstance(case, Case):
        raise TypeError(f"{where}: a mapping must be of family to Case, as result.cases is, but had {case!r}")
    if isinstance(case.engine, RecordedEngine):
        raise ValueError(f"{where}: the case {case.family} replays the record, which no parameter moves")


def require_at(at: At, projected: Model, calibrated: Model | None, family: str) -> None:
    if isinstance(at, Mapping):
        for name in at:
            if name not in projected.parameters:
                raise ValueError(
                    f"breakeven: at has {name!r}, no parameter of {family}; {nearest(name, projected.parameters)}"
                )
        return
    if at not in ("posterior", "maximum likelihood"):
        raise ValueError(
            f"breakeven: at must be 'posterior', 'maximum likelihood' or values by parameter, but was {at!r}"
        )
    free = 0 if calibrated is None else len(calibrated.free)
    if at == "maximum likelihood" and free != 1:
        raise ValueError(
            f"breakeven: the week's count alone cannot tell the {free} free parameters of {family}; use "
            "at='posterior', or give values, at={'seizure.baseline': …}"
        )


def require_by(by: By | None, given: tuple[float, float] | None, vary: str) -> None:
    if by not in (None, "factor", "shift"):
        raise ValueError(f"breakeven: by must be 'factor' or 'shift', but was {by!r}")
    if by == "shift" and not signed(vary):
        raise ValueError(f"breakeven: {vary} is never negative, so it is not added to; use by='factor'")
    if given is None:
        return
    pair = isinstance(given, (tuple, list)) and len(given) == 2
    if not pair or not all(isinstance(end, (int, float, np.number)) for end in given):
        raise TypeError(f"breakeven: range must be a pair of numbers, but was {given!r}")
    low, high = given
    if not -math.inf < low < high < math.inf or (by != "shift" and low <= 0.0):
        what = "two shifts" if by == "shift" else "two positive factors"
        raise ValueError(f"breakeven: range must be {what}, the lower first, but was {given!r}")
