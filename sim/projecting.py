"""A scenario at work: its families calibrated on what was known, with its levers, and projected."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from typing import TYPE_CHECKING, TypeAlias

from sim.calibration import Posterior, calibrate
from sim.case import Case, levered, with_levers
from sim.engines.recorded import RecordedEngine
from sim.engines.simpy_engine import SimPyEngine
from sim.families import FAMILIES, constant
from sim.model import Model
from sim.plain import digest, to_plain
from sim.record import Record
from sim.result import Result
from sim.theatre import Theatre, load_theatre

if TYPE_CHECKING:
    from sim.scenario import Scenario

__all__ = ["DRAWS", "Memory", "Tell", "cases_of", "draws_for", "models_of", "project"]

#: At most this many posterior draws, and at least so many replications of each: enough to tell doubt from chance.
DRAWS, _EACH = 1000, 4
#: With fewer replications each takes a draw of its own, and no interval is given.
_FEW = 50 * _EACH
#: Told what is being done, and the share of it done.
Tell: TypeAlias = Callable[[str, float], object]
#: Calibrations already made, by a hash of model, week and seed.
Memory: TypeAlias = dict[str, Posterior]


def models_of(scenario: Scenario, theatre: Theatre) -> dict[str, tuple[Model, Model]]:
    """Return by family the model to calibrate and the model to project, levers included.

    Raise a ValueError if a family cannot take a lever, or the theatre lacks what a term needs.
    """
    found = {}
    for name in scenario.families:
        own = scenario.models.get(name)
        try:
            model = FAMILIES[name](theatre) if own is None else Model(theatre, own, name=name)
            found[name] = model, levered(model, scenario.levers) if scenario.levers else model
        except ValueError as error:
            raise ValueError(f"scenario {scenario.name}: {error}") from None
    return found


def cases_of(
    scenario: Scenario, *, seed: int, draws: int = DRAWS, memory: Memory | None = None, progress: Tell | None = None
) -> dict[str, Case]:
    """Return by family what is to be run; with ``follows`` the record there is one case, called "record"."""
    theatre = load_theatre(scenario.theatre, borders=scenario.borders, prefer=scenario.prefer)
    week = theatre.record.until(scenario.seen_from)
    start = week.state()
    if scenario.follows != "models":
        engine = RecordedEngine(basis=scenario.follows)
        model = Model(theatre, constant(theatre).hazards, name="record")
        return {"record": Case("record", model, model.draw_prior(1, seed=seed), start, scenario.horizon, engine)}
    beside = SimPyEngine(processes=scenario.processes) if scenario.processes else None
    found: dict[str, Case] = {}
    for name, (calibrated, projected) in models_of(scenario, theatre).items():
        posterior = _posterior(calibrated, week, seed, {} if memory is None else memory, progress or _silent)
        mine = with_levers(projected, posterior.thin(min(len(posterior), draws)), seed=seed)
        found[name] = Case(name, projected, mine, start, scenario.horizon, beside, posterior)
    return found


def project(
    scenario: Scenario, *, seed: int, replications: int, executor: Executor | None = None,
    memory: Memory | None = None, progress: Tell | None = None,
) -> Result:  # fmt: skip
    """Return the answers of *scenario*: *replications* of each family, or the record once."""
    if isinstance(replications, bool) or not isinstance(replications, int) or replications < 1:
        raise ValueError(f"scenario {scenario.name}: replications must be at least 1, but was {replications!r}")
    cases = cases_of(scenario, seed=seed, draws=draws_for(replications), memory=memory, progress=progress)
    count = replications if scenario.follows == "models" else 1  # there is one record
    ensembles = {
        name: case.simulate(
            seed=seed, replications=count, executor=executor,
            progress=lambda done, name=name: (progress or _silent)(f"projecting {name}", done / count),
        )
        for name, case in cases.items()
    }  # fmt: skip
    return Result(scenario, cases, ensembles, seed, count)


def draws_for(replications: int) -> int:
    """Return how many parameter draws a run of so many *replications* takes."""
    return min(DRAWS, replications // _EACH if replications >= _FEW else replications)


def _posterior(model: Model, week: Record, seed: int, memory: Memory, tell: Tell) -> Posterior:
    key = digest([to_plain(model), to_plain(week), seed])
    if key not in memory:
        tell(f"calibrating {model.name}", 0.0)
        memory[key] = calibrate(
            model, week, seed=seed, draws=DRAWS,
            progress=lambda step: tell(f"calibrating {model.name}: step {step}", 0.0),
        )  # fmt: skip
    return memory[key]


def _silent(what: str, share: float) -> None:
    """Tell nobody."""
