"""Pictures: each takes Matplotlib axes, or makes them, and gives them back with units and a legend.

Bands say what they cover.
"""

from __future__ import annotations

import importlib
from typing import Any

# Names load their rooms when first used; a room is never named like what it gives, which it would replace here.
_ROOMS = {
    "breakeven_bars": "breakevens", "budget_bars": "doubt", "capitals_by_day": "fans", "capture_map": "maps",
    "capture_maps": "maps", "definitions": "answers", "difference": "curves", "family_weights": "weights",
    "predictive": "checked", "region_box": "doubt", "road_map": "networks", "save_pictures": "saving",
    "sbc_ranks": "checked", "score_by_day": "scores", "sensitivity_bars": "doubt", "survival": "curves",
}  # fmt: skip
__all__ = [
    "breakeven_bars", "budget_bars", "capitals_by_day", "capture_map", "capture_maps", "definitions", "difference",
    "family_weights", "predictive", "region_box", "road_map", "save_pictures", "sbc_ranks", "score_by_day",
    "sensitivity_bars", "survival",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _ROOMS:
        raise AttributeError(f"module 'sim.plots' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"sim.plots.{_ROOMS[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
