"""A run spread over any workers, in any pieces and any order: the bits are those of one worker."""

from __future__ import annotations

import itertools
import json
import multiprocessing
import os
import random
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from functools import cache, partial
from pathlib import Path
from typing import Any

import pytest
import simpy
from conftest import NIGHTLY, nightly

import sim
from sim.engines.simpy_engine import SimPyEngine, World
from sim.ensemble import Ensemble, Passages
from sim.families import constant, siege
from sim.merging import merge
from sim.model import Model
from sim.outcomes import Captured, Pressure
from sim.recipe import Recording
from sim.run import Run
from sim.spreading import no_halt

#: From a number that is no multiple of anything, as a part of a longer run would be.
NUMBERS = range(1037, 1037 + 97)
OUTCOMES = (Pressure("half_ring"), Pressure("assault"), Captured(20))
FORK = "fork" in multiprocessing.get_all_start_methods()

# ------------------------------------------------------------- what worker processes import: processes of a SimPy run


def reinforced(world: World) -> Iterator[simpy.Event]:
    """On the third day nothing is assaulted any more around the hub; from the fifth, twice as often."""
    yield world.env.timeout(3.0)
    world.scale("Logar", "assault", 0.0)
    yield world.env.timeout(2.0)
    world.scale("Logar", "assault", 2.0)


def unlucky(world: World) -> Iterator[simpy.Event]:
    """Raise in every seventh replication on its second day, and say in which process of the machine."""
    yield world.env.timeout(2.0)
    if world.replication % 7 == 3:
        raise ArithmeticError(f"out of luck in process {os.getpid()}")


def mistaken(world: World) -> Iterator[simpy.Event]:
    """Ask for what is not there."""
    yield world.env.timeout(1.0)
    world.scale("Atlantis", "seizure", 2.0)


def fatal(once: str, world: World) -> Iterator[simpy.Event]:
    """Kill the worker, the first time that anybody gets to a certain replication."""
    yield world.env.timeout(1.0)
    if world.replication == NUMBERS[60] and Path(once).exists():
        Path(once).unlink()
        os._exit(1)


# ------------------------------------------------------------------------------------------------------ runs to spread


@cache
def week(family: Callable[..., Model] = siege) -> dict[str, Any]:
    """Return what simulate needs to run *family* forward from what the article knew."""
    theatre = sim.load_theatre("afghanistan_2021")
    model = family(theatre)
    return {
        "model": model, "draws": model.draw_prior(20, seed=3), "seed": 5, "horizon": 30.5,
        "start": theatre.record.until("2021-08-12").state(),
    }  # fmt: skip


ENGINES: dict[str, Any] = {
    "compiled": sim.CompiledEngine(),
    "simpy": SimPyEngine(),
    "processes that fail": SimPyEngine([reinforced, unlucky]),
}
CASES = [(engine, record) for engine in ENGINES for record in ("events", "outcomes")]


def run(engine: Any = "compiled", record: str = "events", **changed: Any) -> Any:
    """Return a run of *NUMBERS*, with arguments of ``simulate`` *changed*; failures are not warned of."""
    call = {
        "replications": NUMBERS, "engine": ENGINES.get(engine, engine) if isinstance(engine, str) else engine,
        "record": record, "outcomes": OUTCOMES if record == "outcomes" else (),
    }  # fmt: skip
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "simulate: .* failed", RuntimeWarning)
        return sim.simulate(**week() | call | changed)


@cache
def whole(engine: str, record: str) -> Run:
    """Return the run as one part by one call of its engine: nothing is spread, nothing put together."""
    kind = run(engine, record, replications=range(1))
    watches = kind.watches if isinstance(kind, Passages) else None
    part = kind.recipe.engine.run(kind.recipe, NUMBERS, Recording(watches), no_halt())
    if isinstance(kind, Passages):
        return Passages.of(kind.recipe, [part], kind.names, kind.watches)
    return Ensemble.of(kind.recipe, [part])


def told(found: Run) -> tuple[Any, ...]:
    """Return everything that must be the same: all arrays, and of failures all but who it was."""
    said = [
        (failure.replication, failure.draw, failure.traceback.splitlines()[-1].split(" in process ")[0])
        for failure in found.failures
    ]
    return found.digest, len(found), said


@pytest.fixture(params=CASES, ids=["-".join(case) for case in CASES])
def case(request: pytest.FixtureRequest) -> tuple[str, str]:
    """An engine and what is recorded."""
    return request.param


def test_the_run_spread_here_is_worth_spreading(case):
    found = whole(*case)

    assert len(found) + len(found.failures) == len(NUMBERS)
    assert bool(found.failures) == (case[0] == "processes that fail")
    if isinstance(found, Ensemble):
        assert len(found.day) > 10 * len(found)
    else:
        assert ((found.times > 0.0) & (found.times < found.horizon)).any(axis=1).all()


# ------------------------------------------------------------------------------------------------ who does the work


@pytest.mark.parametrize("workers", [1, 2, 3, 8])
def test_any_number_of_threads_gives_the_same_bits(case, workers):
    with ThreadPoolExecutor(workers) as executor:
        assert told(whole(*case)) == told(run(*case, executor=executor))


POOLS = [("fork", 1), ("fork", 2), ("fork", 3), ("fork", 8), ("spawn", 2)]
POOLS += [("spawn", 1), ("spawn", 3), ("spawn", 8)] if NIGHTLY else []


@pytest.fixture(scope="module", params=POOLS, ids=[f"{method}-{workers}" for method, workers in POOLS])
def pool(request: pytest.FixtureRequest) -> Iterator[ProcessPoolExecutor]:
    """A pool of processes, started one way or the other."""
    method, workers = request.param
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"no {method} here")
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context(method)) as executor:
        yield executor


def test_any_number_of_processes_forked_or_spawned_gives_the_same_bits(pool, case):
    assert told(whole(*case)) == told(run(*case, executor=pool))


def test_what_is_asked_for_wrongly_in_a_worker_is_refused_as_it_is_in_this_process(pool):
    with pytest.raises(ValueError, match="scale: no province 'Atlantis' in the theatre"):
        run(SimPyEngine([mistaken]), executor=pool)


def test_unless_told_otherwise_every_core_works_and_the_bits_are_the_same(case):
    assert told(whole(*case)) == told(run(*case))


class InTurn(Executor):
    """Does each task at once, in the thread that hands it in."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except BaseException as error:
            future.set_exception(error)
        return future


class Anyhow(Executor):
    """Lets tasks pile up and does them in random order, up to three at a time."""

    def __init__(self, seed: int) -> None:
        self._chance, self._pile, self._lock = random.Random(seed), [], threading.Lock()
        self._threads = ThreadPoolExecutor(3)

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        with self._lock:
            self._pile.append((future, partial(fn, *args, **kwargs)))
        self._threads.submit(self._one)
        return future

    def _one(self) -> None:
        time.sleep(0.002)
        with self._lock:
            future, task = self._pile.pop(self._chance.randrange(len(self._pile)))
        if future.set_running_or_notify_cancel():
            try:
                future.set_result(task())
            except BaseException as error:
                future.set_exception(error)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self._threads.shutdown(wait=wait)


def test_an_executor_of_ones_own_gives_the_same_bits_in_turn_or_in_any_order(case):
    assert told(whole(*case)) == told(run(*case, executor=InTurn()))
    for seed in range(nightly(30, 3)):
        with Anyhow(seed) as executor:
            assert told(whole(*case)) == told(run(*case, executor=executor))


# ----------------------------------------------------------------------------------------------- in which pieces


def cut_at(places: Sequence[int], numbers: range) -> list[range]:
    """Return *numbers* cut at *places*, rows between 0 and their length."""
    edges = [0, *sorted(places), len(numbers)]
    return [numbers[a:b] for a, b in itertools.pairwise(edges) if a < b]


@pytest.mark.parametrize("size", [1, 2, 13, 96, 97, 1000])
def test_pieces_of_any_size_give_the_same_bits(case, size, monkeypatch):
    monkeypatch.setattr("sim.simulation.cut", lambda numbers, *_: cut_at(range(0, len(numbers), size), numbers))

    assert told(whole(*case)) == told(run(*case))


def test_uneven_pieces_in_shuffled_order_give_the_same_bits(case, monkeypatch):
    chance = random.Random(2)

    def shuffled(numbers: range, *_: object) -> list[range]:
        pieces = cut_at(chance.sample(range(1, len(numbers)), chance.randrange(len(numbers) // 2)), numbers)
        chance.shuffle(pieces)
        return pieces

    monkeypatch.setattr("sim.simulation.cut", shuffled)
    for executor in [InTurn(), None] * nightly(20, 2):
        assert told(whole(*case)) == told(run(*case, executor=executor))


# ------------------------------------------------------------------------------------------- run apart, put together


def test_two_runs_over_two_ranges_put_together_are_the_run_of_both(case):
    for middle in (1, 50, 96):
        first, second = (run(*case, replications=piece) for piece in cut_at([middle], NUMBERS))
        assert told(whole(*case)) == told(merge(first, second)) == told(merge(second, first))


def test_ranges_that_lie_between_one_another_are_put_together_in_their_order(case):
    runs = [run(*case, replications=piece) for piece in cut_at([20, 40, 60, 80], NUMBERS)]
    evens, odds = merge(*runs[::2]), merge(*runs[1::2])

    assert told(whole(*case)) == told(merge(evens, odds)) == told(merge(odds, evens))
    chance = random.Random(4)
    for _ in range(3):
        chance.shuffle(runs)
        assert told(whole(*case)) == told(merge(*runs))


def test_runs_put_together_answer_as_the_run_of_both_does(case):
    found = merge(*(run(*case, replications=piece) for piece in cut_at([33], NUMBERS)))

    for outcome in OUTCOMES:
        for within in (0.0, 7.0, 30.5):
            assert str(outcome(whole(*case)).probability(within)) == str(outcome(found).probability(within))


def test_a_run_put_together_with_itself_or_with_another_is_refused():
    half, rest = (run(replications=piece) for piece in cut_at([50], NUMBERS))

    with pytest.raises(
        ValueError, match=r"merge: replication 1037 is in two of the runs; run them over ranges that do"
    ):
        merge(half, half)
    with pytest.raises(ValueError, match=r"merge: the runs are of different recipes: .*seed"):
        merge(half, run(replications=range(7), seed=6))
    with pytest.raises(TypeError, match="merge: give runs of one kind, all Ensembles or all Passages"):
        merge(rest, run(record="outcomes", replications=range(7)))
    with pytest.raises(ValueError, match="merge: the runs watched different outcomes"):
        merge(run(record="outcomes"), run(record="outcomes", replications=range(7), outcomes=OUTCOMES[:2]))


def test_a_failed_replication_counts_as_run_when_runs_are_put_together():
    failing = NUMBERS[next(i for i, number in enumerate(NUMBERS) if number % 7 == 3)]
    one = run("processes that fail", replications=range(failing - 2, failing + 1))
    other = run("processes that fail", replications=range(failing, failing + 3))

    with pytest.raises(ValueError, match=f"merge: replication {failing} is in two of the runs"):
        merge(one, other)


# ---------------------------------------------------------------------------------- processes for the SimPy engine


WAYS = {
    "of a module": True,
    "of a closure": True,
    "of a module, few": False,
    "of a module, beside a thread": True,
    "of a closure, beside a thread": False,
}


def in_processes() -> None:
    """Run the SimPy engine with no executor given, in all *WAYS*, and print whether others did the work.

    The work of a script of its own: processes are forked only from one that has no other threads.
    """

    def luckless(world: World) -> Iterator[simpy.Event]:
        yield from unlucky(world)

    elsewhere = {}
    for how in WAYS:
        if "thread" in how and threading.active_count() == 1:
            threading.Thread(target=time.sleep, args=(3600,), daemon=True).start()
        engine = SimPyEngine([luckless if "closure" in how else unlucky])
        call = {**week(constant), "horizon": 4.0, "replications": 1999 if "few" in how else 2000}
        found, alone = (run(engine, **call, executor=executor) for executor in (None, InTurn()))
        assert told(found) == told(alone)
        who = {int(failure.traceback.split()[-1]) for failure in found.failures}
        assert who == {os.getpid()} or os.getpid() not in who
        elsewhere[how] = os.getpid() not in who
    print(json.dumps(elsewhere))


def say(code: str) -> subprocess.CompletedProcess[str]:
    """Run *code* in an interpreter of its own, with this folder to import from."""
    path = os.pathsep.join([str(Path(__file__).parent), str(Path(sim.__file__).parent.parent)])
    return subprocess.run(
        [sys.executable, "-c", code], cwd=Path(__file__).parent, env={**os.environ, "PYTHONPATH": path},
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip


@pytest.mark.skipif(not FORK or len(os.sched_getaffinity(0)) < 2, reason="needs fork and a second core")
def test_many_replications_by_simpy_take_processes_unless_none_can_be_started():
    child = say("import test_spreading; test_spreading.in_processes()")

    assert child.returncode == 0, child.stderr
    assert json.loads(child.stdout) == WAYS


SCRIPT = """
import threading, time
import sim
from sim.families import constant
from sim.outcomes import Captured

print("begun", flush=True)
threading.Thread(target=time.sleep, args=(3600,), daemon=True).start()
theatre = sim.load_theatre("afghanistan_2021")
model = constant(theatre)
found = sim.simulate(
    model, model.draw_prior(20, seed=3), start=theatre.record.until("2021-08-12").state(), horizon=6.0,
    replications=2000, seed=5, engine=sim.SimPyEngine(),
)
print(found.digest)
"""


def test_a_script_is_not_run_again_for_workers_that_need_nothing_of_it(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    child = subprocess.run(
        [sys.executable, str(script)], env={**os.environ, "PYTHONPATH": str(Path(sim.__file__).parent.parent)},
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    whole = run("simpy", **{**week(constant), "horizon": 6.0, "replications": 2000}, executor=InTurn())

    assert child.returncode == 0, child.stderr
    assert ["begun", whole.digest] == child.stdout.split()


def observed() -> None:
    """Print how many events there were and of how many an observer was told: the work of a script of its own."""
    seen: list[float] = []
    engine = SimPyEngine(observers=[lambda world, event: seen.append(event.day)])
    found = run(engine, **{**week(constant), "horizon": 4.0, "replications": 2000})
    print(len(found.day), len(seen))


def test_an_observer_is_told_of_every_event_however_many_replications_there_are():
    child = say("import test_spreading; test_spreading.observed()")

    assert child.returncode == 0, child.stderr
    happened, told_of = map(int, child.stdout.split())
    assert 0 < happened == told_of


# ----------------------------------------------------------------------------------------------------- what goes wrong


def test_a_run_that_cannot_be_sent_to_processes_is_refused_and_told_why():
    def luckless(world: World) -> Iterator[simpy.Event]:
        yield from unlucky(world)

    with ProcessPoolExecutor(1) as executor, pytest.raises(TypeError) as caught:
        run(SimPyEngine([luckless]), executor=executor)
    assert str(caught.value).startswith("simulate: the run cannot be sent to the executor's processes: ")
    assert "luckless" in str(caught.value)
    assert str(caught.value).endswith("; define functions at the top level of a module, or leave executor= out")


@pytest.mark.skipif(not FORK, reason="no fork here")
def test_workers_that_die_end_the_run_and_what_was_finished_is_kept(tmp_path):
    once, into = tmp_path / "once", tmp_path / "run"
    once.touch()
    engine = SimPyEngine([partial(fatal, str(once))])

    def again(**changed: Any) -> Ensemble:
        with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("fork")) as executor:
            return run(engine, into=into, executor=executor, **changed)

    with pytest.raises(
        RuntimeError, match=r"simulate: workers died .*; an executor whose workers died .* again. With into="
    ):
        again()
    kept = {path: path.read_bytes() for path in into.glob("part-*")}
    found = again()
    assert kept.items() <= {path: path.read_bytes() for path in into.glob("part-*")}.items()
    assert kept
    assert told(found) == told(run(engine, executor=InTurn()))


@pytest.mark.skipif(not FORK or len(os.sched_getaffinity(0)) < 2, reason="needs fork and a second core")
def test_workers_of_its_own_that_die_end_the_run_too():
    child = say("import test_spreading; test_spreading.dying()")

    assert "RuntimeError: simulate: workers died" in child.stderr
    assert child.returncode == 1


def dying() -> None:
    """Run with a process that kills its worker, and no executor given: the work of a script of its own."""

    def deadly(world: World) -> Iterator[simpy.Event]:
        yield world.env.timeout(1.0)
        os._exit(1)

    run(SimPyEngine([deadly]), replications=2000)


@pytest.mark.parametrize(
    "executor", [4, "threads", ThreadPoolExecutor, map, lambda: None], ids=["4", "str", "class", "map", "lambda"]
)
def test_what_is_no_executor_is_refused(executor):
    with pytest.raises(TypeError) as caught:
        run(executor=executor)
    assert str(caught.value) == (
        f"simulate: executor must be a concurrent.futures.Executor, but was {executor!r}; a Dask client gives one with "
        "client.get_executor()"
    )


def test_an_executor_that_was_shut_down_says_so():
    executor = ThreadPoolExecutor(1)
    executor.shutdown()

    with pytest.raises(RuntimeError, match="cannot schedule new futures after shutdown"):
        run(executor=executor)


def test_an_error_while_parts_come_stops_the_workers_that_are_still_at_it(monkeypatch):
    monkeypatch.setattr("sim.simulation.cut", lambda numbers, *_: [range(1), range(1, 10**6), range(10**6, 10**7)])

    def enough(done: int) -> None:
        raise InterruptedError("enough")

    with ThreadPoolExecutor(3) as executor:
        begun = time.monotonic()
        with pytest.raises(InterruptedError, match="enough"):
            run(record="outcomes", executor=executor, replications=10**7, progress=enough)
    # Left alone, they would be at it for minutes.
    assert time.monotonic() - begun < 5.0
