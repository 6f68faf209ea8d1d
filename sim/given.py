"""What a scenario is given, checked and frozen: texts, days, functions, terms by transition, families."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from numbers import Real
from types import MappingProxyType
from typing import Any

from sim.control import TRANSITIONS, nearest, require_transition
from sim.families import FAMILIES
from sim.hazards import Hazard, Term

__all__ = [
    "days", "families", "functions", "hazards", "is_days", "models", "parameters", "require_text", "texts",
    "texts_by_name",
]  # fmt: skip


def require_text(value: object, where: str) -> None:
    """Raise a TypeError naming *where* if *value* is no text."""
    if not isinstance(value, str):
        raise TypeError(f"{where} must be a text, but was {value!r}")


def is_days(value: object) -> bool:
    """Return whether *value* is a finite number of days, not negative."""
    return isinstance(value, Real) and not isinstance(value, bool) and 0.0 <= float(value) < math.inf


def texts(given: object, where: str, what: str) -> tuple[str, ...]:
    """Return texts as a tuple. Raise a TypeError if one is none, or *given* is itself a text."""
    found = _tuple(given, where, what)
    for each in found:
        require_text(each, f"{where}: {what}: each")
    return found


def days(given: object, where: str, what: str) -> tuple[float, ...]:
    """Return days since the start as floats. Raise a ValueError if one is negative or not finite."""
    found = _tuple(given, where, what)
    for day in found:
        if not is_days(day):
            raise ValueError(f"{where}: {what} must be finite days, not negative, but had {day!r}")
    return tuple(map(float, found))


def functions(given: object, where: str, what: str) -> tuple[Callable[..., Any], ...]:
    """Return SimPy processes as a tuple. Raise a TypeError if one cannot be called."""
    found = _tuple(given, where, what)
    for each in found:
        if not callable(each):
            raise TypeError(f"{where}: a process must be a function of the world, but was {each!r}")
    return found


def texts_by_name(given: object, where: str, what: str) -> Mapping[str, str]:
    """Return a mapping of texts that cannot be changed."""
    found = _mapping(given, f"{where}: {what} must be a mapping")
    for name, text in found.items():
        require_text(text, f"{where}: {what} of {name}")
    return MappingProxyType(found)


def hazards(given: object, where: str) -> Mapping[str, Hazard]:
    """Return terms by transition as products: a term alone and a product of that one are the same."""
    found = _mapping(given, f"{where} must be a mapping of transition to terms")
    for transition, hazard in found.items():
        require_transition(transition, where)
        if not isinstance(hazard, (Hazard, Term)) or hazard == Hazard(()):
            raise TypeError(f"{where}: {transition} must be a term or a product of terms, but was {hazard!r}")
    products = {name: each if isinstance(each, Hazard) else Hazard((each,)) for name, each in found.items()}
    return MappingProxyType(products)


def models(given: object, where: str) -> Mapping[str, Mapping[str, Hazard]]:
    """Return models of one's own, by name. Raise a ValueError if one is called like a family, or is empty."""
    found = _mapping(given, f"{where}: models must be a mapping")
    for name, transitions in found.items():
        if transitions == {}:
            raise ValueError(f"{where}: model {name} has no transition; name one of {', '.join(TRANSITIONS)}")
        if name in FAMILIES or name == "pooled":
            raise ValueError(f"{where}: a model of one's own may not be called {name!r}; choose another name")
    return MappingProxyType({name: hazards(each, f"{where}: model {name}") for name, each in found.items()})


def families(given: object, own: Iterable[str], where: str) -> tuple[str, ...]:
    """Return names of families, ready-made or of one's *own*. Raise a ValueError if one is unknown or named twice."""
    found, known = _tuple(given, where, "families"), (*FAMILIES, *own)
    if not found:
        raise ValueError(f"{where}: name at least one family of {', '.join(known)}")
    for name in found:
        if name not in known:
            raise ValueError(f"{where}: no family {name!r}; {nearest(name, known)}")
    if len(set(found)) != len(found):
        raise ValueError(f"{where}: a family is named twice in {found!r}")
    return found


def parameters(by_transition: Mapping[str, Any]) -> Iterator[str]:
    """Yield the names of parameters, such as "fall.calendar.air"."""
    for transition, hazard in by_transition.items():
        for term in hazard.terms:
            yield from (f"{transition}.{name}" for name in term.values)


def _tuple(given: object, where: str, what: str) -> tuple[Any, ...]:
    if isinstance(given, (str, Mapping)) or not isinstance(given, Iterable):
        raise TypeError(f"{where}: {what} must be a tuple, but was {given!r}; write ({given!r},)")
    return tuple(given)


def _mapping(given: object, rule: str) -> dict[str, Any]:
    if not isinstance(given, Mapping):
        raise TypeError(f"{rule}, but was {given!r}")
    return dict(given)
