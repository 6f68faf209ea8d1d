"""Checks of a calibration and of its projections: against themselves, against the record, against rivals."""

from __future__ import annotations

import importlib
from typing import Any

# Names load their rooms when first used; a room is never named like what it gives, which it would replace here.
_ROOMS = {
    "READINGS": "verbal", "Hindcast": "backtest", "Reading": "verbal", "hindcast": "backtest",
    "identifiability": "ridges", "multiverse": "disputes", "predictive_checks": "predictive", "sbc": "ranks",
    "tournament": "weights",
}  # fmt: skip
__all__ = [
    "READINGS", "Hindcast", "Reading", "hindcast", "identifiability", "multiverse", "predictive_checks", "sbc",
    "tournament",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _ROOMS:
        raise AttributeError(f"module 'sim.checks' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"sim.checks.{_ROOMS[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
