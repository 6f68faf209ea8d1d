"""How this package's functions are compiled, in one place."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numba

__all__ = ["entry", "inner"]

_F = TypeVar("_F", bound=Callable[..., Any])

# Numba's own name for compiling without its reference-counting run time.
_UNCOUNTED: dict[str, Any] = {"_nrt": False}


def _drop_stale() -> None:
    """Delete compiled code older than any source beside it: numba looks at a function's own file alone, but what it
    compiled holds the functions of other files too."""
    here = Path(__file__).parent
    newest = max(source.stat().st_mtime for source in here.rglob("*.py"))
    for index in here.rglob("*.nbi"):
        if index.stat().st_mtime < newest:
            index.unlink(missing_ok=True)


_drop_stale()


def entry(function: _F) -> _F:
    """Compile a *function* that Python calls. Compiled code is kept on disk; the interpreter's lock is released."""
    return cast(_F, numba.njit(cache=True, nogil=True)(function))


def inner(function: _F) -> _F:
    """Compile a *function* that compiled code calls, without reference counting.

    It may not allocate, and its arrays must be held by whoever called the entry. Counting references to tuples of
    arrays would take a hundred times as long as the work on them, and handing them over as arguments as long again, so
    it is written out where it is called.
    """
    return cast(_F, numba.njit(cache=True, nogil=True, forceinline=True, **_UNCOUNTED)(function))
