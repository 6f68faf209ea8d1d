"""A run on a Dask cluster, a real scheduler and real worker processes: the bits of a run without, whoever is killed."""

from __future__ import annotations

import os
import signal
import threading
import time
import warnings
from collections.abc import Iterator
from functools import cache, partial
from pathlib import Path
from typing import Any

import pytest
import simpy

import sim
from sim.engines.simpy_engine import SimPyEngine, World
from sim.families import siege
from sim.outcomes import Captured, Pressure

distributed = pytest.importorskip("distributed")

OUTCOMES = (Pressure("half_ring"), Captured(20))
#: The replication at whose start a worker is killed.
LAST_WORDS = 150


def unlucky(world: World) -> Iterator[simpy.Event]:
    """Raise in every seventh replication."""
    yield world.env.timeout(2.0)
    if world.replication % 7 == 3:
        raise ArithmeticError("out of luck")


def doomed(obituary: str, world: World) -> Iterator[simpy.Event]:
    """Whoever comes first to a certain replication says who it is, and stays there until it is killed."""
    if world.replication == LAST_WORDS and not Path(obituary).exists():
        draft = Path(f"{obituary} {os.getpid()}")
        draft.write_text(str(os.getpid()))
        draft.rename(obituary)
        time.sleep(60.0)
        raise AssertionError("nobody came to kill it")
    yield world.env.timeout(1.0)


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    """Two worker processes and their scheduler, on this machine's loopback."""
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, host="127.0.0.1", dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


@cache
def week() -> dict[str, Any]:
    theatre = sim.load_theatre("afghanistan_2021")
    model = siege(theatre)
    return {
        "model": model, "draws": model.draw_prior(20, seed=3), "seed": 5, "horizon": 60.0,
        "start": theatre.record.until("2021-08-12").state(),
    }  # fmt: skip


def run(**changed: Any) -> Any:
    if changed.get("record") == "outcomes":
        changed["outcomes"] = OUTCOMES
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "simulate: .* failed", RuntimeWarning)
        return sim.simulate(**week() | changed)


def pids(client: Any) -> dict[str, int]:
    """Return the process of each worker, by its address."""
    return dict(client.run(os.getpid))


@pytest.mark.parametrize(
    ("engine", "record"),
    [
        (sim.CompiledEngine(), "events"),
        (sim.CompiledEngine(), "outcomes"),
        (SimPyEngine(), "outcomes"),
        (SimPyEngine([unlucky]), "events"),
    ],
    ids=["compiled, events", "compiled, outcomes", "simpy, outcomes", "simpy with failures, events"],
)
def test_a_cluster_gives_the_same_bits(client, engine, record):
    found, alone = (
        run(engine=engine, record=record, replications=300, executor=executor)
        for executor in (client.get_executor(), None)
    )

    assert found.digest == alone.digest
    assert [failure[:2] for failure in found.failures] == [failure[:2] for failure in alone.failures]
    assert len(found) + len(found.failures) == 300


def test_a_worker_killed_in_the_middle_of_a_replication_changes_no_bit(client, tmp_path):
    obituary = tmp_path / "obituary"
    engine, before = SimPyEngine([partial(doomed, str(obituary))]), pids(client)

    def kill() -> None:
        while not obituary.exists():
            time.sleep(0.01)
        # It says who it is from within its task, and sleeps there: it dies at work.
        os.kill(int(obituary.read_text()), signal.SIGKILL)

    killer = threading.Thread(target=kill, daemon=True)
    killer.start()
    found = run(engine=engine, replications=300, executor=client.get_executor())
    killer.join(10.0)

    dead = int(obituary.read_text())
    assert dead in before.values()
    assert found.digest == run(engine=engine, replications=300).digest == run(replications=300).digest
    client.wait_for_workers(2, timeout=30.0)
    assert dead not in pids(client).values()


def test_a_worker_killed_while_compiled_code_runs_changes_no_bit(client):
    client.wait_for_workers(2, timeout=30.0)
    before, killed = pids(client), []

    def kill_one_at_work(done: int) -> None:
        """Stop a worker; if the scheduler then still waits for a task of its, kill it: it cannot have finished it."""
        for address, pid in before.items():
            if killed:
                return
            os.kill(pid, signal.SIGSTOP)
            time.sleep(0.2)  # for what it had sent to arrive
            if client.processing().get(address):
                os.kill(pid, signal.SIGKILL)
                killed.append(pid)
            else:
                os.kill(pid, signal.SIGCONT)

    call = {"record": "outcomes", "replications": 20_000}
    found = run(**call, executor=client.get_executor(), progress=kill_one_at_work)

    assert len(killed) == 1
    assert found.digest == run(**call).digest
    client.wait_for_workers(2, timeout=30.0)
    assert killed[0] not in pids(client).values()


def test_a_result_that_arrives_just_before_its_worker_dies_is_taken_or_made_again(client, monkeypatch):
    result_of, lost = distributed.Future._result, []

    async def lost_on_arrival(self: Any, *args: Any, **kwargs: Any) -> Any:
        """Return the result; but the first time, Dask learns at that moment that who held it is gone."""
        result = await result_of(self, *args, **kwargs)
        if not lost:
            lost.append(self.key)
            self._state.lose()
        return result

    monkeypatch.setattr(distributed.Future, "_result", lost_on_arrival)
    found = run(replications=100, executor=client.get_executor())

    assert len(lost) == 1
    assert found.digest == run(replications=100).digest


def test_a_run_that_raises_on_a_cluster_raises_here(client):
    def mistaken(world: World) -> Iterator[simpy.Event]:
        yield world.env.timeout(1.0)
        world.scale("Atlantis", "seizure", 2.0)

    with pytest.raises(ValueError, match="scale: no province 'Atlantis' in the theatre"):
        run(engine=SimPyEngine([mistaken]), replications=20, executor=client.get_executor())
