"""Scenarios side by side: what others answer to the same questions, from the same seed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from pathlib import Path
from typing import Any

from sim.explore.breakevens import Breakeven
from sim.explore.pace import breakeven_table
from sim.outcomes import FullControl, Pressure
from sim.projecting import Memory
from sim.report import days, table
from sim.result import Result
from sim.scenario import Scenario
from sim.scenario_file import load_scenario

__all__ = ["beside", "beside_table", "lever_breakevens", "scenarios_beside"]


def scenarios_beside(scenario: Scenario, **changes: Any) -> tuple[Scenario, ...]:
    """Return the scenarios that *scenario* names beside itself, with the fields that were changed in it changed too.

    Raise what ``sim.load_scenario`` raises; a ValueError if two have one name, the first one's own included.
    """
    found = [replace(load_scenario(name), **changes) for name in scenario.beside]
    names = [scenario.name, *(other.name for other in found)]
    _require_names(names)
    return tuple(found)


def _require_names(names: Sequence[str]) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"beside: scenarios must have names of their own, but two are called {', '.join(twice)}")


def beside(
    others: Iterable[str | Path | Scenario], *, seed: int, replications: int, executor: Executor | None = None,
    memory: Memory | None = None, progress: Callable[[str, float], object] | None = None,
) -> dict[str, Result]:  # fmt: skip
    """Return the answers of *others*, scenarios or what ``sim.load_scenario`` takes, by name.

    All have one *seed*, so what they have in common happens alike in all of them, and one *memory*, so what they have
    in common is calibrated once. Raise what ``sim.load_scenario`` and ``Scenario.run`` raise, before any work where it
    can be seen then; a ValueError if two have one name.
    """
    scenarios = [load_scenario(each) for each in others]
    _require_names([scenario.name for scenario in scenarios])
    known: Memory = {} if memory is None else memory
    found = {}
    for scenario in scenarios:
        tell = None if progress is None else _named(progress, scenario.name)
        found[scenario.name] = scenario.run(
            seed=seed, replications=replications, executor=executor, memory=known, progress=tell
        )
    return found


def _named(progress: Callable[[str, float], object], name: str) -> Callable[[str, float], object]:
    return lambda what, share: progress(f"{name}: {what}", share)


def lever_breakevens(
    results: Mapping[str, Result], *, within: float, seed: int, progress: Callable[[str, float], object] | None = None
) -> tuple[Breakeven, ...]:
    """Return the break-even of every lever in *results*, for half the ring being lost *within* days.

    A lever that several scenarios have is taken from the last of them. Scenarios with processes, which only SimPy can
    run, or whose horizon is nearer than *within* days are left out.
    """
    told = {
        lever: name
        for name, result in results.items()
        if not result.scenario.processes and result.scenario.horizon >= within
        for lever in result.scenario.lever_parameters
    }
    rows: list[Breakeven] = []
    for name in dict.fromkeys(told.values()):
        cases = {family: replace(case, family=f"{name}, {family}") for family, case in results[name].cases.items()}
        mine = [lever for lever, whose in told.items() if whose == name]
        rows += breakeven_table(cases, within=within, seed=seed, parameters=mine, progress=progress).rows
    return tuple(rows)


def beside_table(results: Mapping[str, Result], *, pressure_within: float, control_within: float) -> str:
    """Return as text, for each of *results*, when pressure and full control come: pooled over its families.

    Probabilities are within so many days of the start; medians are days.
    """
    asked = (
        (Pressure("half_ring"), pressure_within),
        (Pressure("assault"), pressure_within),
        (FullControl(), control_within),
    )
    body = []
    for name, result in results.items():
        family = "pooled" if len(result.ensembles) > 1 else next(iter(result.ensembles))
        cells = []
        for outcome, day in asked:
            projection = result.projections.get((family, outcome.name))
            if projection is None:  # a theatre without a hub
                cells += ["", ""]
                continue
            if result.scenario.follows != "models" and projection.median <= day:  # what happened has no probability
                within = "yes"
            elif day > projection.horizon:
                within = "beyond the horizon"
            elif result.scenario.follows != "models":
                within = "no"
            else:
                within = str(projection.probability(day))
            cells += [within, days(projection.median)]
        body.append([name, "+".join(result.ensembles), *cells])
    head = [part for outcome, day in asked for part in (f"{outcome.name} {day:g} d", "median")]
    return table(["scenario", "families", *head], body)
