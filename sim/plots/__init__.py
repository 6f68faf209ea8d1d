"""Pictures: each takes Matplotlib axes, or makes them, and gives them back with units and a legend.

Bands say what they cover.
"""

from __future__ import annotations

import importlib
from typing import Any

# Names load their rooms when first used; a room is never named like what it gives, which it would replace here.
_ROOMS = {"family_weights": "weights", "predictive": "checked", "sbc_ranks": "checked", "score_by_day": "scores"}
__all__ = ["family_weights", "predictive", "sbc_ranks", "score_by_day"]


def __getattr__(name: str) -> Any:
    if name not in _ROOMS:
        raise AttributeError(f"module 'sim.plots' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"sim.plots.{_ROOMS[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
