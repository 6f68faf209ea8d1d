"""What a break-even is asked: checked before any work, then calibrated."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np

from sim.case import Case
from sim.control import nearest
from sim.engines.recorded import RecordedEngine
from sim.explore.asked import day_of, family_of, outcome_of, scenario_of, whole
from sim.explore.crossing import FEWEST, By
from sim.model import CONTESTED_AT_START, Model
from sim.outcomes import Outcome
from sim.projecting import Memory, Tell
from sim.scenario import Scenario
from sim.theatre import Theatre, load_theatre

__all__ = ["At", "many_cases", "one_case", "require_question", "signed"]

At: TypeAlias = Literal["posterior", "maximum likelihood"] | Mapping[str, float]

#: Terms whose parameters multiply a hazard as they are, and are never negative; those of others are exponents.
_NEVER_NEGATIVE = ("baseline", "neighbours", "frailty", "reserves")


def signed(vary: str) -> bool:
    """Return whether the parameter is an exponent, which may be of either sign."""
    return vary != CONTESTED_AT_START and vary.split(".")[1] not in _NEVER_NEGATIVE


def one_case(
    given: Scenario | Case | str | Path, family: str | None, vary: str, within: float, outcomes: tuple[Outcome, ...],
    at: At, by: By | None, range: tuple[float, float] | None, seed: int, draws: int, memory: Memory | None,
    progress: Tell | None,
) -> Case:  # fmt: skip
    """Return the case asked about, all of the question checked before it is calibrated."""
    where = "breakeven"
    if isinstance(given, Case):
        if family not in (None, given.family):
            raise ValueError(f"{where}: the case is of {given.family}, not {family!r}; leave family out")
        _require_case(given, where)
        _require(where, given.model, vary, within, given.horizon, outcomes)
        learnt = None if given.posterior is None else given.posterior.model
        _require_at(at, given.model, learnt, given.family)
        _require_by(by, range, vary)
        return given
    scenario = _scenario(given, where)
    family = family_of(scenario, family, where)
    scenario = replace(scenario, families=(family,))
    theatre = _theatre(scenario)
    calibrated, projected = scenario.models_on(theatre)[family]
    _require(where, projected, vary, within, scenario.horizon, outcomes)
    _require_at(at, projected, calibrated, family)
    _require_by(by, range, vary)
    count = whole(draws, 1, f"{where}: draws")
    return scenario.cases(seed=seed, draws=count, memory=memory, progress=progress)[family]


def many_cases(
    given: Scenario | Case | Mapping[str, Case] | str | Path, where: str, within: float, outcomes: tuple[Outcome, ...],
    seed: int, draws: int, memory: Memory | None, progress: Tell | None,
) -> Mapping[str, Case]:  # fmt: skip
    """Return the cases of a table, all of the question checked before any is calibrated."""
    if isinstance(given, (Case, Mapping)):
        cases = {given.family: given} if isinstance(given, Case) else given
        if not cases:
            raise ValueError(f"{where}: give at least one case")
        for case in cases.values():
            _require_case(case, where)
            _require(where, case.model, None, within, case.horizon, outcomes)
        return cases
    scenario = _scenario(given, where)
    for _, model in scenario.models_on(_theatre(scenario)).values():
        _require(where, model, None, within, scenario.horizon, outcomes)
    return scenario.cases(seed=seed, draws=whole(draws, 1, f"{where}: draws"), memory=memory, progress=progress)


def _scenario(given: object, where: str) -> Scenario:
    found = scenario_of(given, where)
    if not isinstance(found, Scenario):
        raise TypeError(
            f"{where}: scenario must be a Scenario, its name or path, or a Case, but was {type(given).__name__}"
        )
    return found


def _theatre(scenario: Scenario) -> Theatre:
    return load_theatre(scenario.theatre, borders=scenario.borders, prefer=scenario.prefer)


def require_question(
    where: str, outcomes: Iterable[Outcome], probability: float, replications: int | None, precision: float, most: int
) -> tuple[Outcome, ...]:
    """Return the outcomes. Raise a ValueError or TypeError if a part of the question that needs no model is wrong."""
    if isinstance(outcomes, (str, Outcome)) or not isinstance(outcomes, Iterable):
        raise TypeError(f"{where}: outcomes must be a list of outcomes, but was {outcomes!r}; write [{outcomes!r}]")
    outcomes = tuple(outcome_of(outcome, f"{where}: outcome") for outcome in outcomes)
    for name, share in (("probability", probability), ("precision", precision)):
        if isinstance(share, bool) or not isinstance(share, (int, float, np.number)) or not 0.0 < share < 1.0:
            raise ValueError(f"{where}: {name} must be in (0, 1), but was {share!r}")
    if replications is not None:
        whole(replications, 100, f"{where}: replications")
    whole(most, 100, f"{where}: most")
    count = most if replications is None else replications
    if min(probability, 1.0 - probability) * count < FEWEST:
        raise ValueError(
            f"{where}: {count:,} replications cannot tell a probability of {probability:g}; it must be at least "
            f"{FEWEST / count:g} away from 0 and 1"
        )
    if not outcomes:
        raise ValueError(f"{where}: name at least one outcome, such as Pressure('half_ring')")
    return outcomes


def _require(
    where: str, model: Model, vary: str | None, within: float, horizon: float, outcomes: tuple[Outcome, ...]
) -> None:
    if vary is not None and vary not in model.parameters:
        raise ValueError(f"{where}: no parameter {vary!r} in {model.name}; {nearest(vary, model.parameters)}")
    day_of(within, horizon, f"{where}: within")
    for outcome in outcomes:
        outcome.watch(model.theatre)


def _require_case(case: object, where: str) -> None:
    if not isinstance(case, Case):
        raise TypeError(f"{where}: a mapping must be of family to Case, as result.cases is, but had {case!r}")
    if isinstance(case.engine, RecordedEngine):
        raise ValueError(f"{where}: the case {case.family} replays the record, which no parameter moves")


def _require_at(at: At, projected: Model, calibrated: Model | None, family: str) -> None:
    if isinstance(at, Mapping):
        for name, value in at.items():
            if isinstance(value, bool) or not isinstance(value, (int, float, np.number)) or not math.isfinite(value):
                raise ValueError(f"breakeven: at must give a finite number for {name}, but was {value!r}")
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


def _require_by(by: By | None, given: tuple[float, float] | None, vary: str) -> None:
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
