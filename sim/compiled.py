"""How this package's functions are compiled, in one place."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
from numba.core.cpu import CPUTargetOptions

__all__ = ["apart", "distinct", "entry", "inner"]

_F = TypeVar("_F", bound=Callable[..., Any])

# Numba's own name for compiling without its reference-counting run time.
_UNCOUNTED: dict[str, Any] = {"_nrt": False}
_APART: dict[str, Any] = {"noalias": True}
# A flag of its compiler that decorators cannot name unless told: without it code is slower, and the same.
CPUTargetOptions.noalias = CPUTargetOptions.Mapping("noalias")  # type: ignore[no-untyped-call]


def _kept() -> bool:
    """Return whether compiled code can be kept on disk, after dropping what other sources than today's compiled.

    Numba looks at a function's own file alone, but what it compiled holds the functions of other files too.
    """
    here = Path(__file__).parent
    sources = b"".join(path.read_bytes() for path in sorted(here.rglob("*.py")))
    digest = hashlib.blake2b(sources, digest_size=16).hexdigest()
    elsewhere = getattr(numba.config, "CACHE_DIR", "")
    places = [here, *([Path(elsewhere)] if elsewhere else [])]
    try:
        for place in places:
            place.mkdir(parents=True, exist_ok=True)
            stamp = place / "__pycache__" / "sources.blake2"
            if not stamp.exists() or stamp.read_text() != digest:
                for index in place.rglob("*.nbi"):
                    if place == here or index.parent.name.startswith(("sim_", "engines_")):
                        index.unlink(missing_ok=True)
                stamp.parent.mkdir(exist_ok=True)
                stamp.write_text(digest)
    except OSError:  # a place that cannot be written to: compile afresh rather than trust it
        return False
    return True


_KEPT = _kept()


def entry(function: _F) -> _F:
    """Compile a *function* that Python calls. Compiled code is kept on disk; the interpreter's lock is released."""
    return cast(_F, numba.njit(cache=_KEPT, nogil=True)(function))


def inner(function: _F) -> _F:
    """Compile a *function* that compiled code calls, without reference counting.

    It may not allocate, and its arrays must be held by whoever called the entry. Counting references to tuples of
    arrays takes many times as long as the work on them, and so does handing them over as arguments, so
    it is written out where it is called. Division by zero is IEEE's, not Python's.
    """
    compiled = numba.njit(cache=_KEPT, nogil=True, forceinline=True, error_model="numpy", **_UNCOUNTED)
    return cast(_F, compiled(function))


def apart(function: _F) -> _F:
    """Compile a *function* as ``inner`` does, but keep it where it is: one that is long and seldom called."""
    return cast(_F, numba.njit(cache=_KEPT, nogil=True, error_model="numpy", **_UNCOUNTED)(function))


def distinct(function: _F) -> _F:
    """Compile a *function* as ``inner`` does, of which no two arrays that it is given overlap."""
    compiled = numba.njit(cache=_KEPT, nogil=True, forceinline=True, error_model="numpy", **_UNCOUNTED, **_APART)
    return cast(_F, compiled(function))
