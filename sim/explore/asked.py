"""What an exploration is asked: a case made of what was given, and runs of it in which failures keep their places."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from sim.case import Case
from sim.control import nearest
from sim.engines.recorded import RecordedEngine
from sim.engines.simpy_engine import SimPyEngine
from sim.model import Draws
from sim.outcomes import Outcome
from sim.projecting import Tell
from sim.scenario import Scenario
from sim.scenario_file import load_scenario
from sim.theatre import load_theatre

__all__ = [
    "Asked",
    "Times",
    "day_of",
    "family_of",
    "level_of",
    "outcome_of",
    "passages",
    "prior_case",
    "scenario_of",
    "teller",
    "whole",
]

#: How ``simulate`` begins to say that nothing was left.
_NOTHING = "simulate: every replication failed"


#: What may be explored: a scenario, its name or path, or a case of one.
Asked: TypeAlias = Case | Scenario | str | Path


class Times(NamedTuple):
    """First-passage times, shape (outcome, replication), nan where a replication failed; how many did, and the first
    traceback."""

    days: NDArray[np.float64]
    failed: int
    first: str


def scenario_of(given: object, where: str) -> object:
    """Return *given*, or the scenario of that name or path. Raise a ValueError if it replays a record."""
    found = load_scenario(given) if isinstance(given, (str, Path)) else given
    if isinstance(found, Scenario) and found.follows != "models":
        raise ValueError(f"{where}: {found.name} replays the record, which has nothing in doubt")
    return found


def prior_case(given: Asked, family: str | None, where: str, *, seed: int) -> Case:
    """Return the case to explore over priors: the one *given*, or that of a scenario's *family*, not calibrated.

    Raise a TypeError or ValueError if it is neither, the family is unknown or not said, or a record is replayed.
    """
    if isinstance(given, Case):
        if family is not None and family != given.family:
            raise ValueError(f"{where}: family must be that of the case, {given.family!r}, but was {family!r}")
        case = given
    else:
        scenario = scenario_of(given, where)
        if not isinstance(scenario, Scenario):
            raise TypeError(f"{where}: needs a Scenario or a Case, but was given {given!r}")
        case = _of_scenario(scenario, family, where, seed)
    if isinstance(case.engine, RecordedEngine):
        raise ValueError(f"{where}: a record replayed has nothing in doubt; give a scenario that follows models")
    return case


def family_of(scenario: Scenario, family: str | None, where: str) -> str:
    """Return the *family* of *scenario*, its only one if None. Raise a ValueError if it has none such, or several."""
    if family is None and len(scenario.families) > 1:
        raise ValueError(
            f"{where}: {scenario.name} has the families {', '.join(scenario.families)}; say which, as family="
            f"{scenario.families[0]!r}"
        )
    name = scenario.families[0] if family is None else family
    if name not in scenario.families:
        raise ValueError(f"{where}: no family {name!r} in {scenario.name}; {nearest(name, scenario.families)}")
    return name


def _of_scenario(given: Scenario, family: str | None, where: str, seed: int) -> Case:
    name = family_of(given, family, where)
    theatre = load_theatre(given.theatre, borders=given.borders, prefer=given.prefer)
    _, model = replace(given, families=(name,)).models_on(theatre)[name]
    beside = SimPyEngine(processes=given.processes) if given.processes else None
    start = theatre.record.until(given.seen_from).state()
    return Case(name, model, model.draw_prior(1, seed=seed), start, float(given.horizon), beside)


def passages(
    case: Case, draws: Draws, outcomes: Sequence[Outcome], numbers: range, *, seed: int, horizon: float,
    heard: Callable[[int], object] = lambda done: None,
) -> Times:  # fmt: skip
    """Return when each of *outcomes* first happens in the replications *numbers*: r uses draw r mod D.

    A replication that fails is nan in its place, and counted. *heard* is told how many are done.
    """
    days = np.full((len(outcomes), len(numbers)), np.nan)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="simulate: .* replications failed", category=RuntimeWarning)
            run = replace(case, draws=draws, horizon=horizon).simulate(
                seed=seed, replications=numbers, record="outcomes", outcomes=outcomes, progress=heard
            )
    except RuntimeError as error:
        if not str(error).startswith(_NOTHING):
            raise
        return Times(days, len(numbers), str(error).split("\n", 1)[-1])
    for row, outcome in enumerate(outcomes):
        days[row, run.numbers - numbers.start] = run.first_passage(outcome.watch(run.theatre))
    return Times(days, len(run.failures), run.failures[0].traceback if run.failures else "")


def day_of(value: float, horizon: float, where: str) -> float:
    """Return *value*, a number of days within the *horizon*. Raise a TypeError or ValueError if it is none."""
    if isinstance(value, bool) or not isinstance(value, (int, float, np.number)):
        raise TypeError(f"{where} must be a number of days, but was {value!r}")
    if not 0.0 < value <= horizon:
        raise ValueError(f"{where} must be above 0 and at most the horizon of {horizon:g} days, but was {value!r}")
    return float(value)


def level_of(value: float, where: str) -> float:
    """Return *value*, the probability of an interval. Raise a ValueError if it is none."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0.0 < value < 1.0:
        raise ValueError(f"{where}: level must be in (0, 1), such as 0.9, but was {value!r}")
    return float(value)


def whole(value: int, least: int, where: str, *, power: bool = False) -> int:
    """Return *value*, a whole number from *least*, of two a *power* if asked. Raise a ValueError if it is none."""
    right = isinstance(value, (int, np.integer)) and not isinstance(value, bool) and value >= least
    if not right or (power and int(value) & (int(value) - 1)):
        rule = f"a power of two from {least}" if power else f"a whole number from {least}"
        close = ""
        if right:
            close = f"; {2 ** math.floor(math.log2(value))} and {2 ** math.ceil(math.log2(value))} are near"
        raise ValueError(f"{where} must be {rule}, but was {value!r}{close}")
    return int(value)


def teller(progress: Tell | None, where: str) -> Tell:
    """Return what is told how far a call is. Raise a TypeError if *progress* cannot be called."""
    if progress is None:
        return lambda what, share: None
    if not callable(progress):
        raise TypeError(f"{where}: progress must be a function of a text and a share, but was {progress!r}")
    return progress


def outcome_of(given: Outcome, where: str) -> Outcome:
    """Return *given*, an outcome. Raise a TypeError if it is none."""
    if not isinstance(given, Outcome):
        raise TypeError(f"{where} must be one such as Pressure('half_ring'), but was {given!r}")
    return given
