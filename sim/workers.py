"""Worker processes: how many, when they may be forked, and how they live and end."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading

__all__ = ["begin_worker", "cores", "may_fork"]


def cores() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


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
