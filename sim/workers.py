"""Worker processes: how many, when they may be forked, and how they live and end."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

__all__ = ["begin_worker", "cores", "employing", "may_fork"]

_EMPLOYED: ContextVar[int | None] = ContextVar("employed", default=None)


def cores() -> int:
    """Return how many workers there may be: those employed, else the processors this process may use."""
    employed = _EMPLOYED.get()
    if employed is not None:
        return employed
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def employing(count: int | None) -> Iterator[None]:
    """Let all that is spread meanwhile, with no executor of its own, have *count* workers; None: one for each core."""
    if count is not None and (isinstance(count, bool) or not isinstance(count, int) or count < 1):
        raise ValueError(f"workers must be a whole number from 1, but was {count!r}")
    before = _EMPLOYED.set(count)
    try:
        yield
    finally:
        _EMPLOYED.reset(before)


def may_fork() -> bool:
    """Return whether processes can be forked safely: no other thread runs, and this is no worker itself."""
    return (
        "fork" in multiprocessing.get_all_start_methods() and sys.platform != "darwin"
        and threading.active_count() == 1 and multiprocessing.parent_process() is None
    )  # fmt: skip


def begin_worker() -> None:
    """Begin a worker's life: leave Ctrl-C to the parent, and do not outlive it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
