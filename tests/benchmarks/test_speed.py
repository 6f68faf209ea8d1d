"""How fast the engines are beside code written by hand for one model, beside each other, and as theatres grow.

Run with ``pytest -m benchmark -s tests/benchmarks``; SIM_BENCHMARK_OUT names a file that receives the table as JSON.
"""

from __future__ import annotations

import ast
import inspect
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from benchmarks.measuring import Row, Runner, Table, Timing, assert_same_mean, in_turn
from benchmarks.yardsticks import numba_direct, simpy_per_province
from scipy.spatial import cKDTree

import sim
from sim.control import Control, State
from sim.families import siege
from sim.hazards import Baseline, Momentum, Neighbours
from sim.law import Watch
from sim.model import Model
from sim.outcomes import PRESSURES, Pressure
from sim.record import Record
from sim.theatre import Theatre

pytestmark = pytest.mark.benchmark

BASELINE, BY_BORDER, BY_ROAD, HORIZON = 0.029, 0.6, 0.9, 120.0
MANY, FEW = 50_000, 1_000  # replications a round, of compiled code and of SimPy
DAYS = (2.0, 7.0, 20.0, HORIZON)  # when captures are counted
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def table() -> Iterator[Table]:
    table = Table()
    yield table
    print(f"\n\n{table}")
    table.write()


def contagion(theatre: Theatre, *more: Momentum) -> Model:
    """Return the model of every row but one: hazards per day, of plausible size."""
    hazard = Baseline(BASELINE) * Neighbours(BY_BORDER, via="border") * Neighbours(BY_ROAD, via="road")
    for term in more:
        hazard = hazard * term
    return Model(theatre, {"seizure": hazard}, name="contagion")


def engine(
    model: Model,
    replications: int,
    threads: int = 1,
    keep: Callable[[sim.Ensemble], Any] = lambda run: run,
    **rest: Any,
) -> Runner:
    """Return what simulates *model* on so many *threads*. Its work is events; of an ensemble, it has *keep* of it."""

    def call(seed: int) -> sim.Ensemble:
        with ThreadPoolExecutor(threads) as executor:
            return sim.simulate(
                model, replications=replications, seed=seed, executor=executor, progress=False, **rest
            )  # fmt: skip

    return Runner(call, lambda run: (len(run.day), keep(run)))


# --------------------------------------------------------------------------------- beside code written for one model


class ByHand:
    """Contagion, capture only, 34 provinces, 11 of them held at the start, to day 120: what yardsticks take."""

    def __init__(self, theatre: Theatre, week: Record) -> None:
        self.theatre, self.model, self.start = theatre, contagion(theatre), State(week.state().control)
        self.n, self.held = len(theatre.provinces), [theatre.index(name) for name in week.captured]
        self.borders = [(theatre.index(row.a), theatre.index(row.b)) for row in theatre.borders]
        self.roads = sorted({(theatre.index(row.a), theatre.index(row.b)) for row in theatre.roads})
        self.effects = (BASELINE, BY_BORDER, BY_ROAD, HORIZON)

    def simpy(self, replications: int, seed: int) -> tuple[int, list[list[float]]]:
        return simpy_per_province.run(
            self.borders, self.roads, self.n, self.held, *self.effects, replications, seed
        )  # fmt: skip

    def numba(self, replications: int, seed: int, watch: Watch | None = None) -> Any:
        border, road, held = np.zeros((self.n, self.n), int), np.zeros((self.n, self.n), int), np.zeros(self.n, int)
        held[self.held] = 1
        for matrix, pairs in ((border, self.borders), (road, self.roads)):
            for a, b in pairs:
                matrix[a, b] = matrix[b, a] = 1
        if watch is None:
            return numba_direct.run(border, road, held, *self.effects, replications, seed)
        free, lost = watch.weights[:, Control.GOVERNMENT], watch.weights[:, Control.INSURGENT]
        need = watch.threshold - int(np.where(held, lost, free).sum())
        return numba_direct.run(border, road, held, *self.effects, replications, seed, lost - free, need)


@pytest.fixture(scope="module")
def hand(afghan: Theatre, week: Record) -> ByHand:
    return ByHand(afghan, week)


def captures(log: Any) -> np.ndarray:
    """Return the captures of each replication by each of DAYS: of an ensemble, of columns, or of lists of days."""
    if isinstance(log, sim.Ensemble):
        alone = np.diff(log.offsets) > 0
        return np.array([np.add.reduceat(np.append(log.day <= d, False), log.offsets[:-1]) * alone for d in DAYS])
    if isinstance(log, tuple):
        return np.array([np.count_nonzero(log[0] <= d, axis=1) for d in DAYS])
    return np.array([[np.searchsorted(days, d, "right") for days in log] for d in DAYS])


@pytest.fixture(scope="module")
def four_ways(hand: ByHand) -> dict[str, Timing]:
    """Each with its captures, shape (day, replication)."""
    about: dict[str, Any] = {"start": hand.start, "horizon": HORIZON, "keep": captures}
    return in_turn({
        "CompiledEngine, one thread": engine(hand.model, MANY, engine=sim.CompiledEngine(), **about),
        "Numba by hand": Runner(
            lambda seed: hand.numba(MANY, seed), lambda log: (np.count_nonzero(log[0] <= HORIZON), captures(log))
        ),
        "SimPyEngine": engine(hand.model, FEW, engine=sim.SimPyEngine(), **about),
        "SimPy by hand": Runner(
            lambda seed: hand.simpy(FEW, seed), lambda found: (found[0], captures(found[1]))
        ),
    })  # fmt: skip


@pytest.mark.parametrize("name", ["Numba by hand", "SimPyEngine", "SimPy by hand"])
def test_what_is_compared_is_equal_in_law(four_ways: dict[str, Timing], name: str) -> None:
    ours, other = (np.hstack(four_ways[each].kept) for each in ("CompiledEngine, one thread", name))
    assert [ours[-1].sum(), other[-1].sum()] == [
        sum(four_ways[each].work) for each in ("CompiledEngine, one thread", name)
    ]
    for one, another in zip(ours, other, strict=True):
        assert_same_mean(one, another)
        assert_same_mean((one - one.mean()) ** 2, (another - another.mean()) ** 2)


def test_numba_by_hand_captures_each_province_and_meets_each_outcome_as_early_as_the_engine(hand: ByHand) -> None:
    ensemble = sim.simulate(hand.model, start=hand.start, horizon=HORIZON, replications=MANY, seed=1)
    day, province = hand.numba(MANY, seed=2)

    for p in set(range(hand.n)) - set(hand.held):
        assert_same_mean(ensemble.day[ensemble.province == p], day[(province == p) & (day <= HORIZON)])
    for name in set(PRESSURES) - {"neighbour"}:
        watch = Pressure(name).watch(hand.theatre)
        ours, other = ensemble.first_passage(watch), hand.numba(MANY, 3, watch)
        for within in DAYS:
            assert_same_mean(ours <= within, other <= within)


@pytest.mark.parametrize("yardstick", [numba_direct, simpy_per_province])
def test_a_yardstick_is_under_60_lines_of_code(yardstick: ModuleType) -> None:
    text = inspect.getsource(yardstick)
    told = {
        line
        for node in ast.walk(ast.parse(text))
        if isinstance(node, (ast.Module, ast.FunctionDef)) and ast.get_docstring(node)
        for line in range(node.body[0].lineno, node.body[0].end_lineno + 1)
    }
    lines = enumerate(text.splitlines(), start=1)

    assert sum(bool(line.split("#")[0].strip()) and i not in told for i, line in lines) < 60


def test_the_compiled_engine_against_simpy_by_hand(four_ways: dict[str, Timing], table: Table) -> None:
    table.add(Row(
        "CompiledEngine to SimPy by hand", "CompiledEngine, one thread", "SimPy by hand", four_ways,
        at_least=100.0, aim=250.0,
    ))  # fmt: skip


def test_the_compiled_engine_against_numba_by_hand(four_ways: dict[str, Timing], table: Table) -> None:
    table.add(Row(
        "CompiledEngine to Numba by hand", "CompiledEngine, one thread", "Numba by hand", four_ways,
        at_least=0.5, aim=1.0,
    ))  # fmt: skip


def test_the_simpy_engine_against_simpy_by_hand(four_ways: dict[str, Timing], table: Table) -> None:
    table.add(Row(
        "SimPyEngine to SimPy by hand", "SimPyEngine", "SimPy by hand", four_ways, at_least=1.0,
    ))  # fmt: skip


# ------------------------------------------------------------------------------------------------ beside each other


def test_the_full_model_in_compiled_code_against_simpy(afghan: Theatre, week: Record, table: Table) -> None:
    model = siege(afghan)
    about: dict[str, Any] = {
        "draws": {name: float(prior.quantile(0.5)) for name, prior in model.parameters.items()},
        "start": week.state(), "horizon": HORIZON,
    }  # fmt: skip
    names = ("siege, CompiledEngine, one thread", "siege, SimPyEngine")
    engines = (sim.CompiledEngine(), sim.SimPyEngine())
    timings = in_turn({
        name: engine(model, count, engine=of, **about)
        for name, count, of in zip(names, (MANY // 5, FEW // 2), engines, strict=True)
    })  # fmt: skip
    for fast, slow in zip(*(timings[name].kept for name in names), strict=True):
        events = len(slow.day)  # those of the first replications, bit for bit
        assert fast.offsets[len(slow)] == events > 10 * len(slow)
        assert fast.day[:events].tobytes() == slow.day.tobytes()
        assert fast.province[:events].tobytes() == slow.province.tobytes()
        assert fast.transition[:events].tobytes() == slow.transition.tobytes()
    table.add(Row("siege: CompiledEngine to SimPyEngine", *names, timings, at_least=50.0, aim=150.0))


def test_two_threads_against_one(hand: ByHand, table: Table) -> None:
    about: dict[str, Any] = {"start": hand.start, "horizon": HORIZON, "keep": lambda run: run.digest}
    names = ("two threads", "one thread")
    timings = in_turn({
        name: engine(hand.model, 2 * MANY, threads, **about) for name, threads in zip(names, (2, 1), strict=True)
    })  # fmt: skip
    assert timings[names[0]].kept == timings[names[1]].kept
    table.add(Row("two threads to one", *names, timings, at_least=1.8, aim=1.95))


def test_watching_outcomes_against_recording_nothing(hand: ByHand, table: Table) -> None:
    def watching(*outcomes: Pressure) -> Runner:
        def call(seed: int) -> sim.Passages:
            with ThreadPoolExecutor(1) as executor:
                return sim.simulate(
                    hand.model, start=hand.start, horizon=HORIZON, replications=MANY, seed=seed, executor=executor,
                    record="outcomes", outcomes=outcomes, progress=False,
                )  # fmt: skip

        return Runner(call, lambda passages: (len(passages), passages.lost.tolist()))

    ring = Pressure("half_ring").watch(hand.theatre)
    timings = in_turn({
        "watching one outcome": watching(Pressure("half_ring")),
        "watching six outcomes": watching(*map(Pressure, PRESSURES)),
        "watching none": watching(),
        "one outcome, Numba by hand": Runner(lambda seed: hand.numba(MANY, seed, ring), lambda times: (len(times), 0)),
    })  # fmt: skip
    assert (
        timings["watching one outcome"].kept == timings["watching six outcomes"].kept == timings["watching none"].kept
    )
    table.add(
        Row("watching one outcome: cost, to none", "watching one outcome", "watching none", timings, at_most=1.1),
        Row("watching six outcomes: cost, to none", "watching six outcomes", "watching none", timings, at_most=1.1),
        Row("one outcome: cost, to Numba by hand", "watching one outcome", "one outcome, Numba by hand", timings),
    )


# --------------------------------------------------------------------------------------------------- as theatres grow


def scattered(n: int, degree: float = 4.5, seed: int = 1) -> Theatre:
    """Return *n* provinces strewn over a square, the nearest of them linked until each has *degree* links on average.

    By two links in three goes a road too.
    """
    draws = np.random.default_rng(seed)
    places = draws.random((n, 2))
    pairs = cKDTree(places).query_pairs(2.5 / np.sqrt(n), output_type="ndarray")
    apart = np.linalg.norm(places[pairs[:, 0]] - places[pairs[:, 1]], axis=1)
    links = [(f"{a:04}", f"{b:04}") for a, b in pairs[np.argsort(apart)[: round(n * degree / 2)]].tolist()]
    assert len(links) == round(n * degree / 2)
    roads = [(*link, "trunk") for link, chance in zip(links, draws.random(len(links)), strict=True) if chance < 2 / 3]
    return Theatre([f"{i:04}" for i in range(n)], links, roads, name=f"{n} provinces")


@pytest.mark.parametrize(
    ("name", "more"), [("local terms", ()), ("national momentum", (Momentum(1.0),))], ids=["local", "national"]
)
def test_the_cost_of_an_event_grows_little_with_the_theatre(
    name: str, more: tuple[Momentum, ...], table: Table
) -> None:
    runners = {}
    for n in (4000, 34):
        model, replications = contagion(scattered(n), *more), 100 * 4000 // n
        about: dict[str, Any] = {"start": State({}), "replications": replications}
        pilot = sim.simulate(model, seed=0, horizon=200.0, **about)
        half = float(np.quantile(pilot.day, n * len(pilot) / 2 / len(pilot.day)))  # when half are lost, on average
        runners[f"{name}, {n} provinces"] = engine(model, keep=len, horizon=half, **about)
    timings = in_turn(runners)
    for n, timing in zip((4000, 34), timings.values(), strict=True):
        assert 0.45 < sum(timing.work) / sum(timing.kept) / n < 0.55
    table.add(Row(f"{name}: cost of an event, 4,000 provinces to 34", *timings, timings, at_most=3.0, aim=2.0))


# ------------------------------------------------------------------------------------------------------- from nothing

SCRIPT = """
import sim
from sim.families import contagion
from sim.outcomes import Pressure
theatre = sim.load_theatre("afghanistan_2021")
week, model = theatre.record.until("2021-08-12"), contagion(theatre)
values = {name: 0.03 if name.endswith("baseline") else 0.7 for name in model.parameters}
ensemble = sim.simulate(model, values, start=week.state(), horizon=120, replications=1_000, seed=7)
print(len(ensemble), Pressure("half_ring")(ensemble).probability(within=30))
"""


def script(text: str) -> Runner:
    """A way to do the work: a Python of its own that runs *text*, from a cold start."""
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])

    def call(_: int) -> str:
        command = [sys.executable, "-c", text]
        done = subprocess.run(command, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return Runner(call, lambda said: (1, said))


def test_a_script_of_a_thousand_replications_from_a_cold_start(table: Table) -> None:
    timings = in_turn({
        "script of 1,000 replications": script(SCRIPT), "import numpy, numba": script("import numpy, numba"),
    })  # fmt: skip
    assert {out.split()[0] for out in timings["script of 1,000 replications"].kept} == {"1000"}
    table.add(Row("cold start: script to import numpy, numba", *timings, timings))


def test_the_command_shows_its_help_in_hardly_more_than_typer_takes_to_load(table: Table) -> None:
    timings = in_turn({
        "sweepcast --help": script("from sim.cli import sweepcast; sweepcast(['--help'])"),
        "import typer": script("import typer"), "bare Python": script("pass"),
    })  # fmt: skip
    assert all(out.startswith("Usage: sweepcast") for out in timings["sweepcast --help"].kept)
    table.add(Row("cold start: sweepcast --help to import typer", *list(timings)[:2], timings, at_most=2.0))
    table.add(Row("cold start: sweepcast --help to a bare Python", *list(timings)[::2], timings))
