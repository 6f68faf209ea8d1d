"""Project how control of a country's provinces may change hands, from what a report knew on a given day."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sim import checks, plots
    from sim.archive import open_ensemble, rerun
    from sim.calibration import Posterior, calibrate
    from sim.control import Control, State
    from sim.engines.compiled import CompiledEngine
    from sim.engines.simpy_engine import SimPyEngine
    from sim.ensemble import Ensemble, Passages
    from sim.explore.contrast import compare
    from sim.merging import merge
    from sim.model import Draws, Model
    from sim.outcomes import Projection
    from sim.precision import Precision
    from sim.record import Record
    from sim.scenario import Scenario
    from sim.scenario_file import load_scenario, scenario_names
    from sim.schema import scenario_schema
    from sim.simulation import simulate
    from sim.theatre import Theatre, load_theatre

__version__ = "0.1.0"

# Names load their rooms when first used, so that importing sim costs little (PEP 562).
_ROOMS = {
    "CompiledEngine": "engines.compiled", "Control": "control", "Draws": "model", "Ensemble": "ensemble",
    "Model": "model", "Passages": "ensemble", "Posterior": "calibration", "Precision": "precision",
    "Projection": "outcomes", "Record": "record", "Scenario": "scenario", "SimPyEngine": "engines.simpy_engine",
    "State": "control", "Theatre": "theatre", "calibrate": "calibration", "compare": "explore.contrast",
    "load_scenario": "scenario_file", "load_theatre": "theatre", "merge": "merging", "open_ensemble": "archive",
    "rerun": "archive", "scenario_names": "scenario_file", "scenario_schema": "schema", "simulate": "simulation",
}  # fmt: skip
_PACKAGES = ("checks", "plots")
__all__ = [
    "CompiledEngine", "Control", "Draws", "Ensemble", "Model", "Passages", "Posterior", "Precision", "Projection",
    "Record", "Scenario", "SimPyEngine", "State", "Theatre", "calibrate", "checks", "compare", "load_scenario",
    "load_theatre", "merge", "open_ensemble", "plots", "rerun", "scenario_names", "scenario_schema", "simulate",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name in _PACKAGES:
        return importlib.import_module(f"sim.{name}")
    if name not in _ROOMS:
        raise AttributeError(f"module 'sim' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"sim.{_ROOMS[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
