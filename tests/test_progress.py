"""How far a run is: a function is told, a terminal shows a bar, a pipe stays clean."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import simpy

import sim
from sim.engines.simpy_engine import SimPyEngine, World
from sim.families import constant
from sim.outcomes import Captured
from sim.precision import Precision

pty = pytest.importorskip("pty", reason="no terminals here")


def slow(world: World) -> Iterator[simpy.Event]:
    """Take a hundredth of a second, as a user's process may."""
    time.sleep(0.01)
    yield world.env.timeout(1.0)


def run(**changed: Any) -> Any:
    theatre = sim.load_theatre("afghanistan_2021")
    model = constant(theatre)
    call = {
        "draws": model.draw_prior(20, seed=3), "start": theatre.record.until("2021-08-12").state(), "horizon": 5.0,
        "replications": 1000, "seed": 5,
    }  # fmt: skip
    return sim.simulate(model, **call | changed)


def run_slowly(replications: int, progress: bool | None) -> None:
    """Run at a hundredth of a second each: the work of a child process."""
    run(replications=replications, engine=SimPyEngine([slow]), progress=progress)


# --------------------------------------------------------------------------------------------------- a function is told


@pytest.mark.parametrize("engine", [sim.CompiledEngine(), SimPyEngine()], ids=["compiled", "simpy"])
def test_a_function_is_told_how_many_are_done_until_all_are(engine):
    told: list[int] = []
    who: set[threading.Thread] = set()

    def tell(done: int) -> None:
        told.append(done)
        who.add(threading.current_thread())

    run(engine=engine, progress=tell)

    assert len(told) > 1
    assert sorted(set(told)) == told
    assert 1000 == told[-1]
    assert {threading.current_thread()} == who


def test_a_run_taken_up_again_begins_with_what_is_done(tmp_path):
    first: list[int] = []

    def stop(done: int) -> None:
        first.append(done)
        if done >= 500:
            raise InterruptedError("enough")

    with pytest.raises(InterruptedError, match="enough"):
        run(into=tmp_path, progress=stop)
    rest: list[int] = []
    run(into=tmp_path, progress=rest.append)
    assert first[-1] < rest[0]
    assert 1000 == rest[-1]


def test_a_run_until_precise_goes_on_counting_from_look_to_look():
    told: list[int] = []
    until = Precision(Captured(13), within=5.0, half_width=0.02)
    draws = constant(sim.load_theatre("afghanistan_2021")).draw_prior(5000, seed=3)
    found = run(replications=None, until=until, draws=draws, progress=told.append)

    assert sorted(told) == told
    assert len(found) == told[-1] > 1000


@pytest.mark.parametrize("progress", [None, False], ids=repr)
def test_nothing_is_written_where_nobody_looks(progress, capfd):
    run(progress=progress)

    assert ("", "") == capfd.readouterr()


@pytest.mark.parametrize("progress", ["yes", 1, [print]], ids=repr)
def test_what_is_neither_a_function_nor_yes_or_no_is_refused(progress):
    with pytest.raises(TypeError) as caught:
        run(progress=progress)
    assert str(caught.value) == (
        f"simulate: progress must be True, False or a function of a number, but was {progress!r}"
    )


# ----------------------------------------------------------------------------------------------------- a bar is shown


def child(replications: int, progress: bool | None, stderr: int) -> subprocess.Popen[str]:
    path = os.pathsep.join([str(Path(__file__).parent), str(Path(sim.__file__).parent.parent)])
    return subprocess.Popen(
        [sys.executable, "-c", f"import test_progress; test_progress.run_slowly({replications}, {progress})"],
        cwd=Path(__file__).parent, env={**os.environ, "PYTHONPATH": path, "TERM": "xterm", "COLUMNS": "120"},
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=stderr, text=True,
    )  # fmt: skip


def on_a_terminal(replications: int, progress: bool | None) -> str:
    """Return what a run writes to standard error if that is a terminal."""
    ours, theirs = pty.openpty()
    process = child(replications, progress, theirs)
    os.close(theirs)
    written = b""
    while True:
        try:
            piece = os.read(ours, 4096)
        except OSError:  # how Linux says that nobody has it open any more
            break
        if not piece:
            break
        written += piece
    os.close(ours)
    assert "" == process.communicate(timeout=60)[0]
    assert 0 == process.returncode
    return written.decode()


def in_a_pipe(replications: int, progress: bool | None) -> str:
    """Return what a run writes to standard error if that is a pipe."""
    process = child(replications, progress, subprocess.PIPE)
    out, err = process.communicate(timeout=60)
    assert ("", 0) == (out, process.returncode)
    return err


def test_a_run_of_over_a_second_shows_a_bar_on_a_terminal_and_takes_it_away():
    written = on_a_terminal(200, None)

    assert "simulating constant" in written
    assert re.search(r"\d+/200", written)
    assert re.search(r"\d+ a second", written)
    assert re.search(r"\d+:\d\d:\d\d", written)  # time left
    assert written.rstrip().endswith("\x1b[2K")  # the line is erased
    assert "\x1b[?25h" in written  # and the cursor is back


def test_a_short_run_shows_none():
    assert "" == on_a_terminal(20, None)


def test_a_bar_asked_for_is_shown_at_once_and_one_refused_never():
    assert "simulating constant" in on_a_terminal(20, True)
    assert "" == on_a_terminal(200, False)


def test_a_pipe_stays_clean():
    assert "" == in_a_pipe(200, None)
