"""What moves an answer: other models, slower rates, and what is doubtful in it."""

from __future__ import annotations

import importlib
from typing import Any

# Names load their rooms when first used; a room is never named like what it gives, which it would replace here.
_ROOMS = {
    "Comparison": "differences", "Difference": "paired", "Partings": "partings", "compare": "contrast",
    "constant_breakeven": "closed", "paired_difference": "paired",
}  # fmt: skip
__all__ = ["Comparison", "Difference", "Partings", "compare", "constant_breakeven", "paired_difference"]


def __getattr__(name: str) -> Any:
    if name not in _ROOMS:
        raise AttributeError(f"module 'sim.explore' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"sim.explore.{_ROOMS[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
