"""A run spread over workers: which part goes where cannot change a bit, so it is decided by what is at hand."""

from __future__ import annotations

import multiprocessing
import pickle
import sys
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, ProcessPoolExecutor, wait
from concurrent.futures import ThreadPoolExecutor as Threads
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from sim.recipe import Halt, Part, Recipe, Recording
from sim.workers import begin_worker, cores, may_fork

__all__ = ["cut", "no_halt", "spread", "workers_of"]

#: Replications below which starting processes takes longer than it saves.
_FEW = 2000

#: What forked workers inherit: a recipe need not be picklable to reach them.
_INHERITED: dict[int, Recipe] = {}
#: In a worker process, the flag shared with the process that started it.
_SHARED: list[Halt] = []


def workers_of(executor: Executor | None) -> int:
    """Return for how many workers a run is to be cut up."""
    known = getattr(executor, "_max_workers", None)
    return known if isinstance(known, int) and known > 0 else cores() if executor is None else 16


def cut(numbers: range, count: int, recipe: Recipe, workers: int) -> list[range]:
    """Return *numbers*, of *count* in all, in pieces: several for each worker, none so long that nothing is heard."""
    provinces = len(recipe.model.theatre.provinces)
    longest = max(1, (20_000 if recipe.engine.releases_lock else 500) * 34 // max(34, provinces))
    size = max(1, min(longest, -(-count // (4 * workers))))
    return [numbers[i : i + size] for i in range(0, len(numbers), size)]


def _work(recipe: Recipe, numbers: range, recording: Recording, halt: Halt) -> Part:
    return recipe.engine.run(recipe, numbers, recording, halt)


def _in_process(recipe: Recipe | int, numbers: range, recording: Recording, _: Halt) -> Part:
    """Work in a process of our own: it looks at the flag it shares, and a forked one has the recipe already."""
    return _work(_INHERITED[recipe] if isinstance(recipe, int) else recipe, numbers, recording, _SHARED[0])


def spread(
    recipe: Recipe, pieces: Iterable[range], recording: Recording, executor: Executor | None, halt: Halt,
    count: int,
) -> Iterator[tuple[range, Part]]:  # fmt: skip
    """Yield each of *pieces* with its part as it is finished, in whatever order; *count* replications in all.

    With no *executor*: threads where the engine releases the interpreter's lock, else processes, else this thread.
    Set *halt* to stop. Raise a RuntimeError if the workers died, a TypeError if the run cannot be sent to them.
    """
    if executor is not None:
        if isinstance(executor, ProcessPoolExecutor):
            _require_picklable(recipe)
        yield from _hand_out(executor, _work, recipe, pieces, recording, halt)
        return
    workers = cores()
    if recipe.engine.releases_lock:  # a thread even where there is one core: this one listens for Ctrl-C
        with Threads(workers, "sweepcast") as threads:
            yield from _hand_out(threads, _work, recipe, pieces, recording, halt)
        return
    # What observers see is wanted here, not in other processes.
    apart = workers > 1 and count >= _FEW and not getattr(recipe.engine, "observers", ())
    if apart and (method := _method(recipe)):
        with _processes(workers, method, recipe) as (processes, task, what):
            yield from _hand_out(processes, task, what, pieces, recording, halt)
        return
    if apart and multiprocessing.parent_process() is None:
        warnings.warn(
            "simulate: this run keeps to one process, because other threads are running and a function it needs stands "
            "in the script or notebook itself, or in another function; put it in a module, or pass an executor",
            RuntimeWarning, stacklevel=5,
        )  # fmt: skip
    for piece in pieces:
        yield piece, _work(recipe, piece, recording, halt)


def _hand_out(
    executor: Executor, task: Callable[..., Part], what: Any, pieces: Iterable[range], recording: Recording, halt: Halt
) -> Iterator[tuple[range, Part]]:  # fmt: skip
    coming, window = iter(pieces), 4 * workers_of(executor)
    waiting: dict[Future[Part], range] = {}
    try:
        while True:
            for piece in islice(coming, window - len(waiting)):
                waiting[executor.submit(task, what, piece, recording, halt)] = piece
            if not waiting:
                return
            # Woken now and then, so that Ctrl-C is heard.
            done, _ = wait(waiting, timeout=0.2, return_when=FIRST_COMPLETED)
            for future in done:
                piece = waiting.pop(future)
                if isinstance(future.exception(), TypeError) and not isinstance(executor, ProcessPoolExecutor):
                    # Dask takes a result for an error if its worker dies as it arrives: make it here, or raise here.
                    yield piece, task(what, piece, recording, halt)
                else:
                    yield piece, future.result()
    except BrokenExecutor as error:
        raise RuntimeError(
            f"simulate: workers died ({error}); an executor whose workers died cannot be used again. With into=… what "
            "is finished is kept, and the same call goes on from there"
        ) from error
    finally:
        halt[0] = len(waiting) > 0  # left early: nobody waits for what is still running
        for future in waiting:
            future.cancel()


def _method(recipe: Recipe) -> str | None:
    """Return how processes can be started: by fork while no other thread runs, else by spawn; None if not at all."""
    if multiprocessing.parent_process() is not None:
        return None  # a worker already
    if may_fork():
        return "fork"
    try:
        sent = pickle.dumps(recipe)
    except (pickle.PicklingError, AttributeError, TypeError):
        return None
    # A spawned process runs the user's script again, in search of what stands in it, and as if to answer it.
    return None if b"__main__" in sent or not _script_is_guarded() else "spawn"


def _script_is_guarded() -> bool:
    """Return whether the script being run, if any, looks at its __name__ before it acts."""
    script = getattr(sys.modules["__main__"], "__file__", None)
    try:
        return script is None or "__main__" in Path(script).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return False


@contextmanager
def _processes(workers: int, method: str, recipe: Recipe) -> Iterator[tuple[Executor, Callable[..., Part], Any]]:
    key = id(recipe)
    _INHERITED[key] = recipe
    context = multiprocessing.get_context(method)
    flag = context.RawArray("B", 1)
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_enter, initargs=(flag,))
    try:
        yield pool, _in_process, key if method == "fork" else recipe
    except BaseException:
        # Asked to stop rather than killed: of a part half handed over by one that is killed, we would await the rest.
        flag[0] = 1
        processes = list((pool._processes or {}).values())
        pool.shutdown(wait=False, cancel_futures=True)
        end = time.monotonic() + 0.5
        for process in processes:
            process.join(max(0.0, end - time.monotonic()))
            if process.is_alive():  # still starting, or in one long replication
                process.terminate()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
        del _INHERITED[key]


def _enter(flag: Any) -> None:
    """Begin a worker's life, sharing the *flag*."""
    _SHARED[:] = [np.frombuffer(flag, np.uint8)]
    begin_worker()


def _require_picklable(recipe: Recipe) -> None:
    try:
        pickle.dumps(recipe)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise TypeError(
            f"simulate: the run cannot be sent to the executor's processes: {error}; define functions at the top level "
            "of a module, or leave executor= out"
        ) from error


def no_halt() -> Halt:
    """Return a flag that is not set."""
    return np.zeros(1, np.uint8)
