"""Scenarios, terms and priors as tables of TOML: what they may hold, read strictly, each mistake with its place.

What a table may hold is what the dataclass it stands for takes::

    [[levers.fall]]                                       # a list of terms, in the order they multiply
    term = "Calendar"                                     # the class; its arguments follow by name
    start = 2021-09-01                                    # a date, a local time, or days since the start
    effect = { prior = "HalfNormal", scale = 0.7 }        # or a number, which is known

An argument that may be None is then left out. Custom terms and processes are functions, which no table holds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, dataclass, fields
from datetime import date, time
from types import MappingProxyType, NoneType, UnionType
from typing import Any, Literal, TypeAlias, Union, get_args, get_origin, get_type_hints

from sim import hazards, priors
from sim.control import nearest, require_transition
from sim.hazards import Custom, Hazard, Term
from sim.priors import Prior
from sim.tables import require_one_of

__all__ = ["FUNCTION", "PRIORS", "TERMS", "Place", "arguments", "needed", "of", "read_fields"]

Plain: TypeAlias = Any


def _classes(room: Any, base: type, *less: type) -> Mapping[str, type[Any]]:
    found = {name: getattr(room, name) for name in room.__all__}
    kinds = {name: each for name, each in found.items() if isinstance(each, type) and issubclass(each, base)}
    return MappingProxyType({name: kind for name, kind in kinds.items() if kind not in (base, *less)})


#: What ``term = "…"`` and ``prior = "…"`` may name.
TERMS = _classes(hazards, Term, Custom)
PRIORS = _classes(priors, Prior)

#: Why some things have no table.
FUNCTION = "a function, which no TOML file holds; make the scenario in a .py script, as SCENARIO = Scenario(…)"
_WHOLE = 2**63  # TOML 1.0: whole numbers have 64 bits


@dataclass(frozen=True)
class Place:
    """Where in a file something stands: "air.toml: levers.fall[0]"."""

    file: str
    path: str = ""

    def __getitem__(self, key: str | int) -> Place:
        step = f"[{key}]" if isinstance(key, int) else f".{_bare(key)}" if self.path else _bare(key)
        return Place(self.file, self.path + step)

    def __str__(self) -> str:
        return f"{self.file}: {self.path}" if self.path else self.file


def _bare(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else f"{key!r}"


# ------------------------------------------------------------------------------------------ what a class may be told


def arguments(kind: type) -> Mapping[str, Any]:
    """Return the types of the arguments of a dataclass, by name."""
    hints = get_type_hints(kind)
    return MappingProxyType({each.name: hints[each.name] for each in fields(kind)})


def of(hint: Any) -> set[Any]:
    """Return the types that a *hint* joins, None among them."""
    return set(get_args(hint)) if get_origin(hint) in (Union, UnionType) else {hint}


def needed(kind: type) -> tuple[str, ...]:
    """Return the arguments that a table for a dataclass must hold: those without a default that may not be None."""
    bare = (each.name for each in fields(kind) if each.default is MISSING and each.default_factory is MISSING)
    return tuple(name for name in bare if NoneType not in of(arguments(kind)[name]))


# ------------------------------------------------------------------------------------------------------------ reading


def read_fields(kind: type, told: Mapping[str, Plain], place: Place, *, known: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of *kind* that a table tells, of the *known* ones, read and checked.

    Raise a ValueError naming the place for a key that is unknown or lacking, a TypeError for a value of another kind.
    """
    for key in told:
        if key not in known:
            raise ValueError(f"{place}: no key {key!r} for {kind.__name__}; {nearest(key, known)}")
    for key in needed(kind):
        if key not in told:
            raise ValueError(f"{place}: {kind.__name__} needs the key {key!r}; add it")
    return {key: _read(known[key], item, place[key]) for key, item in told.items()}


def _read(hint: Any, told: Plain, place: Place) -> Any:
    kinds = of(hint) - {NoneType}
    if Prior in kinds:
        return told if _is_number(told, place) else _made(_table(told, place, "a number or a prior"), "prior", place)
    if Hazard in kinds:
        terms = [_made(_table(each, at, "a term"), "term", at) for each, at in _items(told, place, "terms")]
        return Hazard(tuple(terms))
    if date in kinds:
        return _instant(told, place, days=float in kinds)
    (single,) = kinds
    origin, inner = get_origin(single), get_args(single)
    if origin is Literal:
        require_one_of(_text(told, place), inner, f"{place}:")
    elif origin is tuple:
        return tuple(_read(inner[0], each, at) for each, at in _items(told, place, "values", fewest=0))
    elif issubclass(origin or single, Mapping):
        table = _table(told, place, "a table")
        for key in table if Hazard in of(inner[1]) else ():
            require_transition(key, str(place))
        return {key: _read(inner[1], item, place[key]) for key, item in table.items()}
    elif single is float and not _is_number(told, place):
        raise TypeError(f"{place}: must be a number, but was {_shown(told)}")
    return told if single is float else _text(told, place)


def _text(told: Plain, place: Place) -> str:
    if not isinstance(told, str):
        raise TypeError(f"{place}: must be a text, but was {_shown(told)}; put it in quotes")
    return told


def _is_number(told: Plain, place: Place) -> bool:
    if isinstance(told, bool) or not isinstance(told, (int, float)):
        return False
    if isinstance(told, int) and not -_WHOLE <= told < _WHOLE:
        raise ValueError(f"{place}: a whole number must lie within 64 bits; write a smaller one, or one with a point")
    return True


def _instant(told: Plain, place: Place, *, days: bool) -> Any:
    if isinstance(told, (str, date)) or (days and _is_number(told, place)):
        return told
    more = ", or a number of days since the start" if days else ""
    raise TypeError(f"{place}: must be a date such as 2021-08-31{more}, but was {_shown(told)}")


def _table(told: Plain, place: Place, what: str) -> Mapping[str, Plain]:
    if not isinstance(told, dict):
        raise TypeError(f"{place}: must be {what}, but was {_shown(told)}")
    return told


def _items(told: Plain, place: Place, what: str, fewest: int = 1) -> Iterator[tuple[Plain, Place]]:
    if not isinstance(told, list):
        hint = f"; write [[{place.path}]]" if isinstance(told, dict) else f"; write [{_shown(told)}]"
        raise TypeError(f"{place}: must be a list of {what}, but was {_shown(told)}{hint}")
    if len(told) < fewest:
        raise ValueError(f"{place}: must have at least one of its {what}; leave the key out for none")
    return ((each, place[number]) for number, each in enumerate(told))


def _shown(told: Plain) -> str:
    if isinstance(told, (date, time)):
        return told.isoformat()
    if isinstance(told, bool):
        return "true" if told else "false"
    return "a table" if isinstance(told, dict) else "a list" if isinstance(told, list) else f"{told!r}"


def _made(told: Mapping[str, Plain], label: Literal["term", "prior"], place: Place) -> Any:
    """Return the term or prior that a table names, made of its other keys."""
    classes = TERMS if label == "term" else PRIORS
    if label not in told:
        raise ValueError(f"{place}: names no {label}; add {label} = … with one of {', '.join(classes)}")
    name = _text(told[label], place[label])
    if name == "Custom":
        raise ValueError(f"{place}: a Custom term holds {FUNCTION}")
    if name not in classes:
        raise ValueError(f"{place}: no {label} {name!r}; {nearest(name, classes)}")
    kind = classes[name]
    rest = {key: item for key, item in told.items() if key != label}
    given = read_fields(kind, rest, place, known=arguments(kind))
    try:
        return kind(**dict.fromkeys(arguments(kind)) | _defaults(kind) | given)
    except (ValueError, TypeError) as error:
        raise (TypeError if isinstance(error, TypeError) else ValueError)(f"{place}: {error}") from None


def _defaults(kind: type) -> dict[str, Any]:
    return {each.name: each.default for each in fields(kind) if each.default is not MISSING}
