"""Runs into a folder: stopped at any moment and started again, they end with the bits of an unbroken run."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import nightly

import sim
import sim.simulation
from sim.ensemble import Ensemble
from sim.families import contagion, siege
from sim.outcomes import Pressure

TESTS = Path(__file__).parent

#: Engines, and how many replications keep each busy for a few seconds.
ENGINES: dict[str, tuple[Callable[[], Any], int]] = {
    "compiled": (sim.CompiledEngine, 120_000),
    "simpy": (sim.SimPyEngine, 6_000),
}

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL here")


def run(
    into: Path | None, engine: str = "compiled", *, family: Any = siege, drawn: int = 1, day: str = "2021-08-12",
    **changes: Any,
) -> Ensemble:  # fmt: skip
    """Run what was known on the evening of *day* forward *into* a folder, with *changes* to the call."""
    make, replications = ENGINES[engine]
    theatre = sim.load_theatre("afghanistan_2021")
    model = family(theatre)
    call = {
        "draws": model.draw_prior(50, seed=drawn), "start": theatre.record.until(day).state(), "horizon": 60.0,
        "replications": replications, "seed": 7, "engine": make(),
    }  # fmt: skip
    return sim.simulate(model, **call | changes, into=into)


def small(into: Path | None, **changes: Any) -> Ensemble:
    """Run as ``run`` does, for a moment."""
    return run(into, **{"replications": 300} | changes)


def second() -> float:
    """Return a second, longer where others keep the machine so busy that each process gets but a share of a core."""
    return max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


def tell(engine: str, into: Path) -> None:
    """Say when the run begins, and what came of it: the work of a child process, on two cores at most."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:2])
    print("at work", flush=True)
    print(run(into, engine).digest, flush=True)


class Child:
    """A process that runs ``tell``, the first of a session and group of its own, as if started from a terminal."""

    def __init__(self, engine: str, into: Path, number: int) -> None:
        code = "import sys, pathlib, test_durable_runs as t; t.tell(sys.argv[1], pathlib.Path(sys.argv[2]))"
        # Files, for workers that outlive their parent would keep its pipes open.
        self.out, self.err = (into.parent / f"{into.name}, child {number}, {name}" for name in ("out", "err"))
        with open(self.out, "w") as out, open(self.err, "w") as err:
            self.process = subprocess.Popen(
                [sys.executable, "-c", code, engine, str(into)],
                env={**os.environ, "PYTHONPATH": os.pathsep.join([str(TESTS), str(TESTS.parent)])},
                stdout=out, stderr=err, start_new_session=True,
            )  # fmt: skip
        while not self.out.read_text():
            time.sleep(0.01)
            if self.process.poll() is not None:
                raise AssertionError(self.err.read_text())
        self.begun = time.monotonic()

    def ended(self) -> tuple[str, str]:
        """Wait for the end; return the digest, empty if there is none, and what stands on standard error."""
        self.process.wait(300.0)  # a hang is a failure
        self.seconds = time.monotonic() - self.begun
        return self.out.read_text().removeprefix("at work\n").strip(), self.err.read_text()

    def sweep(self) -> None:
        """End what is left of the group."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@pytest.fixture
def start() -> Iterator[Callable[[str, Path], Child]]:
    """Start children, and let none outlive the test."""
    children: list[Child] = []

    def started(engine: str, into: Path) -> Child:
        children.append(Child(engine, into, len(children)))
        return children[-1]

    yield started
    for child in children:
        child.sweep()


@pytest.fixture(scope="module", params=list(ENGINES))
def unbroken(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str, float]:
    """An engine, the digest of a run of it into a folder that nothing stopped, and the seconds that took."""
    home, seconds = tmp_path_factory.mktemp("unbroken"), []
    for number, name in enumerate(("first, which compiles", "second")):
        child = Child(request.param, home / name, number)
        digest, said = child.ended()
        child.sweep()
        assert digest, said
        seconds.append(child.seconds)
    assert digest == run(None, request.param).digest
    return request.param, digest, min(seconds)


def names(into: Path) -> set[str]:
    """Return the names of the finished parts."""
    return {path.name for path in into.glob("part-*.npz")}


def kept(into: Path) -> dict[str, tuple[int, bytes]]:
    """Return when each finished part was last changed, and its bytes."""
    return {path.name: (path.stat().st_mtime_ns, path.read_bytes()) for path in into.glob("part-*.npz")}


def stop_and_go_on(
    unbroken: tuple[str, str, float], start: Callable[[str, Path], Child], home: Path, times: int,
    stop: Callable[[Child, Path], None],
) -> Iterator[tuple[Child, str, Path, bool]]:  # fmt: skip
    """Run into a folder below *home*, *stop* it and start it again, until it was stopped so many *times*; then finish.

    A run that comes to its end is checked, and another begun. Yield of each that was stopped the child, what stands on
    standard error, its folder, and whether there are parts in it that were not before.
    """
    engine, digest, _ = unbroken
    runs, before = 0, {}
    while True:
        into = home / f"run {runs}"
        child = start(engine, into)
        if times:
            stop(child, into)
        found, said = child.ended()
        after = kept(into)
        assert before.items() <= after.items()
        if found:
            assert found == digest
            assert not list(into.glob("*.tmp"))
            runs, before = runs + 1, {}
            if not times:
                return
        else:
            assert times, said
            yield child, said, into, before.keys() < after.keys()
            times, before = times - 1, after


def test_killed_at_random_moments_it_loses_no_finished_part_and_ends_with_the_bits_of_an_unbroken_run(
    unbroken, start, tmp_path
):
    engine, _, seconds = unbroken
    chance, more = random.Random(11), 0

    def kill(child: Child, _: Path) -> None:
        time.sleep(chance.uniform(0.0, 0.6 * seconds))
        child.process.kill()

    times = nightly(100, 10) if engine == "compiled" else nightly(20, 3)
    for child, said, _, parts in stop_and_go_on(unbroken, start, tmp_path, times, kill):
        assert child.process.returncode == -signal.SIGKILL, said
        more += parts
    assert more > 0 or engine == "simpy"


def test_an_interrupt_stops_it_within_a_second_keeps_what_is_finished_and_says_how_to_go_on(unbroken, start, tmp_path):
    chance, more, pressed = random.Random(12), 0, 0.0

    def interrupt(child: Child, into: Path) -> None:
        nonlocal pressed
        before = names(into)
        while child.process.poll() is None and names(into) == before:
            time.sleep(0.005)
        time.sleep(chance.uniform(0.0, 0.2))
        pressed = time.monotonic()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.process.pid, signal.SIGINT)  # as a terminal does, to all of them

    for child, said, into, parts in stop_and_go_on(unbroken, start, tmp_path, nightly(20, 2), interrupt):
        assert child.begun + child.seconds - pressed < second()
        assert child.process.returncode != 0
        assert f"kept in {into}" in said and "the same call goes on from there" in said
        more += parts
    assert more > 0


def test_the_same_call_again_only_opens(tmp_path):
    one = small(tmp_path / "run")
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "run").iterdir()}
    again = small(tmp_path / "run")

    assert one.digest == again.digest == small(None).digest
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "run").iterdir()} == before


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"seed": 8}, "seed: 7 there, 8 here"),
        ({"family": contagion}, "model"),
        ({"horizon": 61.0}, "horizon: 60.0 there, 61.0 here"),
        ({"drawn": 2}, "draws"),
        ({"day": "2021-08-11"}, "start"),
    ],
    ids=["seed", "model", "horizon", "draws", "start"],
)
def test_another_run_in_the_same_folder_is_refused_and_what_differs_is_said(tmp_path, changes, said):
    small(tmp_path / "run")
    before = kept(tmp_path / "run")

    with pytest.raises(ValueError, match="holds another run: ") as caught:
        small(tmp_path / "run", **changes)
    assert said in str(caught.value)
    assert "choose another folder" in str(caught.value)
    assert kept(tmp_path / "run") == before


def test_a_flipped_byte_is_refused_by_name_and_the_part_deleted_the_same_bits_come_again(tmp_path):
    whole = small(tmp_path / "run")
    path = sorted((tmp_path / "run").glob("part-*.npz"))[-1]
    sound = path.read_bytes()
    hurt = bytearray(sound)
    hurt[len(hurt) // 2] ^= 1
    path.write_bytes(hurt)

    with pytest.raises(ValueError, match=f"{path}: must be as it was written, but has changed since"):
        small(tmp_path / "run")
    path.unlink()
    assert small(tmp_path / "run").digest == whole.digest


def test_a_folder_of_outcomes_refuses_them_in_another_order(tmp_path: Path) -> None:
    first, second = Pressure("neighbour"), Pressure("isolated")
    ask = {"horizon": 30.0, "replications": 200, "record": "outcomes"}
    kept = run(tmp_path / "run", outcomes=[first, second], **ask)

    with pytest.raises(ValueError, match="outcomes"):
        run(tmp_path / "run", outcomes=[second, first], **ask)
    assert kept.digest == run(tmp_path / "run", outcomes=[first, second], **ask).digest


def test_a_smaller_run_between_hides_no_finished_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = run(tmp_path / "run", replications=4_000)
    run(tmp_path / "run", replications=100)
    ran: list[range] = []
    cut = sim.simulation.cut
    monkeypatch.setattr(sim.simulation, "cut", lambda gap, *rest: ran.append(gap) or cut(gap, *rest))

    assert whole.digest == run(tmp_path / "run", replications=4_000).digest
    assert [] == ran
