"""How fast the SimPy engine is beside SimPy written by hand, process by process, for the same model.

Times of one machine mean little; ratios taken in turn, round by round in one process, mean something. Run with
``pytest -m benchmark -s``; SIM_BENCHMARK_OUT names a file that receives the figures as JSON.
"""

from __future__ import annotations

import json
import math
import os
import platform
from statistics import median
from time import perf_counter

import numpy as np
import pytest
import simpy
from benchmarks.yardsticks import simpy_per_province

import sim
from sim.control import State
from sim.hazards import Baseline, Neighbours
from sim.model import Model
from sim.record import Record
from sim.theatre import Theatre

BASELINE, BY_BORDER, BY_ROAD = 0.029, 0.6, 0.9
HORIZON, REPLICATIONS, ROUNDS = 120.0, 300, 7


@pytest.mark.benchmark
def test_the_engine_is_at_least_as_fast_as_simpy_written_by_hand(afghan: Theatre, week: Record) -> None:
    model = Model(afghan, {
        "seizure": Baseline(BASELINE) * Neighbours(BY_BORDER, via="border") * Neighbours(BY_ROAD, via="road"),
    }, name="contagion, 34 provinces")  # fmt: skip
    start = State(week.state().control)
    held = [afghan.index(name) for name in week.captured]
    borders = [(afghan.index(row.a), afghan.index(row.b)) for row in afghan.borders]
    roads = sorted({(afghan.index(row.a), afghan.index(row.b)) for row in afghan.roads})

    def engine(seed: int) -> list[list[float]]:
        ensemble = sim.simulate(model, start=start, horizon=HORIZON, replications=REPLICATIONS, seed=seed)
        return [ensemble.day[a:b].tolist() for a, b in zip(ensemble.offsets[:-1], ensemble.offsets[1:], strict=True)]

    def by_hand(seed: int) -> list[list[float]]:
        return simpy_per_province.run(
            borders, roads, len(afghan.provinces), held, BASELINE, BY_BORDER, BY_ROAD, HORIZON, REPLICATIONS, seed
        )[1]

    seconds: dict[str, list[float]] = {"engine": [], "by hand": []}
    logs: dict[str, list[list[float]]] = {"engine": [], "by hand": []}
    engine(0), by_hand(0)  # compiled code is loaded, caches are warm
    for turn in range(ROUNDS):
        for name, runner in (("engine", engine), ("by hand", by_hand)):
            began = perf_counter()
            log = runner(turn + 1)
            seconds[name].append(perf_counter() - began)
            logs[name] += log
    counts = {name: np.array([len(days) for days in log]) for name, log in logs.items()}
    events = {name: int(count.sum()) for name, count in counts.items()}
    ratios = [hand / own for own, hand in zip(seconds["engine"], seconds["by hand"], strict=True)]
    rates = {name: events[name] / ROUNDS / median(seconds[name]) for name in seconds}
    print(f"\n{model.name}, {REPLICATIONS} replications to day {HORIZON:g}, {ROUNDS} rounds in turn")
    print(f"{'':<10}{'events':>9}{'median s':>10}{'events/s':>11}")
    for name in seconds:
        print(f"{name:<10}{events[name]:>9}{median(seconds[name]):>10.3f}{rates[name]:>11,.0f}")
    print(f"ratio by hand / engine: median {median(ratios):.2f}, from {min(ratios):.2f} to {max(ratios):.2f}")
    if path := os.environ.get("SIM_BENCHMARK_OUT"):
        with open(path, "w", encoding="utf-8") as file:
            json.dump({
                "benchmark": "simpy_speed", "model": model.name, "replications": REPLICATIONS, "horizon": HORIZON,
                "rounds": ROUNDS, "events": events, "seconds": seconds, "events_per_second": rates, "ratios": ratios,
                "ratio": median(ratios), "python": platform.python_version(), "simpy": simpy.__version__,
                "machine": platform.machine(), "cores": os.cpu_count(),
            }, file, indent=1)  # fmt: skip

    # The same work: as many captures, and as many of them in the first week, to five standard errors.
    for until in (7.0, HORIZON):
        one, other = (np.array([sum(day <= until for day in days) for days in logs[name]]) for name in logs)
        error = math.sqrt((one.var() + other.var()) / len(one))
        assert abs(one.mean() - other.mean()) <= 5 * error + 1e-9
    assert median(ratios) >= 1.0
