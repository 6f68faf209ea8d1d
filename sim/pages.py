"""Arrays in one piece of memory, so that large pages hold them: small ones come one by one, which takes its time."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

__all__ = ["arrays_of"]

#: NumPy asks for large pages for memory in one piece of at least so many bytes.
_LARGE = 1 << 22
#: Where an array begins is a multiple of so many bytes.
_LINE = 64


def arrays_of(kinds: Mapping[str, tuple[DTypeLike, tuple[int, ...]]]) -> dict[str, NDArray[Any]]:
    """Return an array of each kind, a type and a shape; what is in them is not said."""
    sizes = {name: math.prod(shape) * np.dtype(kind).itemsize for name, (kind, shape) in kinds.items()}
    size = sum(bytes_ + _LINE for bytes_ in sizes.values())
    memory = np.empty(max(size, _LARGE) if size > _LARGE // 4 else size, np.uint8)
    found, at = {}, 0
    for name, (kind, shape) in kinds.items():
        found[name] = memory[at : at + sizes[name]].view(kind).reshape(shape)
        at += sizes[name] + -sizes[name] % _LINE
    return found
