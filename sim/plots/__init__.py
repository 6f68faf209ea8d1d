"""Pictures: each takes Matplotlib axes, or makes them, and gives them back with units and a legend.

Bands say what they cover.
"""

from __future__ import annotations

import importlib
from typing import Any

# Names load their rooms when first used; a room is never named like what it gives, which it would replace here.
_ROOMS = {
    "breakeven_bars": "breakevens", "capture_map": "maps", "capture_maps": "maps", "family_weights": "weights",
    "predictive": "checked", "road_map": "networks", "sbc_ranks": "checked", "score_by_day": "scores",
}  # fmt: skip
__all__ = [
    "breakeven_bars", "capture_map", "capture_maps", "family_weights", "predictive", "road_map", "sbc_ranks",
    "score_by_day",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _ROOMS:
        raise AttributeError(f"module 'sim.plots' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"sim.plots.{_ROOMS[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
