"""How far a run is: a bar on terminals and in notebooks, nothing in a pipe."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any, TypeAlias

__all__ = ["Progress", "progress_bar"]

#: A function of the number done; True or False to show a bar or not; None to show one where somebody may look.
Progress: TypeAlias = Callable[[int], object] | bool | None

#: Seconds after which a run is long enough for a bar.
_PATIENCE = 1.0


def _watched() -> bool:
    return sys.stderr.isatty() or "ipykernel" in sys.modules


@contextmanager
def progress_bar(progress: Progress, what: str, total: int, done: int = 0) -> Iterator[Callable[[int], object]]:
    """Give the function to call with the number done so far, of *total*; *done* are done already.

    Raise a TypeError if *progress* is none of the things it may be.
    """
    if progress is not None and not isinstance(progress, bool):
        if not callable(progress):
            raise TypeError(f"simulate: progress must be True, False or a function of a number, but was {progress!r}")
        yield progress
        return
    if progress is False or (progress is None and not _watched()):
        yield lambda count: None
        return
    bar = _Bar(what, total, done, patience=_PATIENCE if progress is None else 0.0)
    try:
        yield bar.tell
    finally:
        bar.close()


class _Bar:
    """A bar that appears once the run has lasted longer than *patience* seconds."""

    def __init__(self, what: str, total: int, done: int, patience: float):
        self.what, self.total, self.done, self.begun, self.patience = what, total, done, monotonic(), patience
        self.bar: Any = None
        self.task: Any = None

    def tell(self, done: int) -> None:
        """Show that *done* are done."""
        if self.bar is None and monotonic() - self.begun >= self.patience:
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
            from rich.progress import Progress as Rich

            self.bar = Rich(
                TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
                TextColumn("{task.fields[rate]}"), TimeRemainingColumn(), console=Console(stderr=True), transient=True,
            )  # fmt: skip
            self.bar.start()
            self.task = self.bar.add_task(self.what, total=self.total, completed=self.done, rate="")
        if self.bar is not None:
            rate = (done - self.done) / max(1e-9, monotonic() - self.begun)
            self.bar.update(self.task, completed=done, rate=f"{rate:,.0f} a second")

    def close(self) -> None:
        """Take the bar away."""
        if self.bar is not None:
            self.bar.stop()
