"""Ready-made model classes, with the priors projections start from.

A baseline's median is per day and capital. They are argued in docs/architecture.md: a week of the article's size
lies between the 10% and 90% points of each family's captures in seven days.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from sim.hazards import Baseline, CutOff, Momentum, Neighbours
from sim.model import Model
from sim.priors import HalfNormal, LogNormal
from sim.theatre import Theatre

__all__ = ["FAMILIES", "constant", "contagion", "momentum", "siege"]


def constant(theatre: Theatre) -> Model:
    """Return the plainest model: every capital falls at one constant pace (F10, current trends hold)."""
    return Model(theatre, {"seizure": Baseline(LogNormal(1 / 40, 1.0))}, name="constant")


def contagion(theatre: Theatre) -> Model:
    """Return the sweep: a capital falls faster the more of its neighbours, by border and by road, are lost (F6)."""
    hazard = (
        Baseline(LogNormal(1 / 60, 1.0))
        * Neighbours(HalfNormal(1.0), via="border")
        * Neighbours(HalfNormal(1.0), via="road")
    )
    return Model(theatre, {"seizure": hazard}, name="contagion")


def momentum(theatre: Theatre, *, effect: float = 2.0) -> Model:
    """Return the blitz: every capital falls faster the more of the country is lost (F5); *effect* scales the prior."""
    hazard = Baseline(LogNormal(1 / 60, 1.0)) * Momentum(HalfNormal(effect))
    return Model(theatre, {"seizure": hazard}, name="momentum")


def siege(theatre: Theatre) -> Model:
    """Return the full model: seizures, and assaults that end in fall or relief (F1, F6, F12, F13)."""
    national = Momentum(HalfNormal(2.0)) * CutOff(HalfNormal(1.0))
    sweep = Neighbours(HalfNormal(1.0), via="border") * Neighbours(HalfNormal(1.0), via="road")
    return Model(
        theatre,
        {
            "seizure": Baseline(LogNormal(1 / 100, 1.0)) * national,
            "assault": Baseline(LogNormal(1 / 60, 1.0)) * sweep,
            "fall": Baseline(LogNormal(1 / 10, 1.0)) * national,
            "relief": Baseline(LogNormal(1 / 10, 1.0)),
        },
        name="siege",
    )


FAMILIES: Mapping[str, Callable[[Theatre], Model]] = MappingProxyType(
    {"constant": constant, "contagion": contagion, "momentum": momentum, "siege": siege}
)
