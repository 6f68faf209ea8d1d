"""Many fits side by side: one function of many things, each done on its own, in processes where that is safe."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from typing import TypeVar

from sim.progress import Progress, progress_bar
from sim.workers import begin_worker, cores, may_fork

__all__ = ["each"]

_Given = TypeVar("_Given")
_Made = TypeVar("_Made")


def each(
    task: Callable[[_Given], _Made], given: Sequence[_Given], *, what: str, executor: Executor | None = None,
    progress: Progress = None,
) -> list[_Made]:  # fmt: skip
    """Return *task* of each of *given*, in order.

    Parameters
    ----------
    task : function
        At the top level of a module, or a partial of one, so that it can be sent to a process.
    what : str
        What a bar calls the work.
    executor : concurrent.futures.Executor, optional
        Who does it. Unless given: a forked process for each core where processes can be forked safely (Linux, no
        other thread running, not a worker already), else this one.

    Raises
    ------
    TypeError
        If *executor* is none.
    Whatever *task* raises.
    """
    if executor is not None and not isinstance(executor, Executor):
        raise TypeError(f"{what}: executor must be a concurrent.futures.Executor, but was {executor!r}")
    made: list[_Made] = []
    with progress_bar(progress, what, len(given)) as tell:
        for one in _made(task, given, executor):
            made.append(one)
            tell(len(made))
    return made


def _made(task: Callable[[_Given], _Made], given: Sequence[_Given], executor: Executor | None) -> Iterable[_Made]:
    if executor is not None:
        # In pieces, so that what all have in common is sent a few dozen times and not a thousand.
        return executor.map(task, given, chunksize=max(1, len(given) // 64))
    if len(given) > 2 and cores() > 1 and may_fork():
        return _forked(task, given)
    return map(task, given)


def _forked(task: Callable[[_Given], _Made], given: Sequence[_Given]) -> Iterator[_Made]:
    # The first is done here, so that the processes inherit what it had compiled.
    yield task(given[0])
    pool = ProcessPoolExecutor(cores(), mp_context=multiprocessing.get_context("fork"), initializer=begin_worker)
    try:
        yield from pool.map(task, given[1:])
    except BaseException:
        workers = list((pool._processes or {}).values())
        pool.shutdown(wait=False, cancel_futures=True)
        for worker in workers:
            worker.terminate()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
