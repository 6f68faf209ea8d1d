"""Ready-made model classes, with the priors projections start from.

A baseline's median is per day and capital. They are argued in docs/architecture.md: a week of the article's size
lies between the 10% and 90% points of each family's captures in seven days.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import TypeAlias

from sim.control import nearest
from sim.hazards import Baseline, CutOff, Momentum, Neighbours
from sim.model import Model
from sim.priors import HalfNormal, LogNormal
from sim.theatre import Theatre

__all__ = ["FAMILIES", "Families", "chosen", "constant", "contagion", "momentum", "siege"]


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


#: Model classes by name: each makes the model of a theatre.
Families: TypeAlias = Mapping[str, Callable[[Theatre], Model]]

FAMILIES: Families = MappingProxyType(
    {"constant": constant, "contagion": contagion, "momentum": momentum, "siege": siege}
)


def chosen(given: Iterable[str] | Families, where: str, pool: str) -> dict[str, Callable[[Theatre], Model]]:
    """Return the families *given*, by names among ``FAMILIES`` or as a mapping of one's own.

    Raise a TypeError or ValueError, told *where*, if there are none, one is unknown, no function or named twice, or is
    called *pool*: what all together are called.
    """
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise TypeError(f"{where}: families must be a list of names, but was {given!r}; write [{given!r}]")
    found = dict(given) if isinstance(given, Mapping) else _by_name(list(given), where)
    for name, family in found.items():
        if not callable(family):
            raise TypeError(f"{where}: family {name!r} must be a function of a theatre, but was {family!r}")
    if pool in found:
        raise ValueError(f"{where}: no family may be called {pool!r}; that is what all together are called")
    if not found:
        raise ValueError(f"{where}: name at least one family of {', '.join(FAMILIES)}")
    return found


def _by_name(names: list[str], where: str) -> dict[str, Callable[[Theatre], Model]]:
    for name in names:
        if not isinstance(name, str):
            raise TypeError(
                f"{where}: families must be names, or a mapping of name to function, but had {type(name).__name__}; "
                "write {'mine': my_family}"
            )
        if name not in FAMILIES:
            raise ValueError(f"{where}: no family {name!r}; {nearest(name, FAMILIES)}")
    if len(set(names)) != len(names):
        raise ValueError(f"{where}: a family is named twice in {names!r}")
    return {name: FAMILIES[name] for name in names}
