"""An outcome by its name, as tables print it and as a command line gives it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeVar

from sim.control import nearest
from sim.outcomes import (
    PRESSURES,
    Captured,
    ControlOf,
    FullControl,
    Outcome,
    PeopleUnderControl,
    Pressure,
    Territory,
)  # fmt: skip
from sim.theatre import Theatre

__all__ = ["outcome_named"]

_COUNTED: dict[str, Callable[[int], Outcome]] = {"full_control_but": FullControl, "captured": Captured}
_SHARED: dict[str, Callable[[float], Outcome]] = {"territory": Territory, "people": PeopleUnderControl}
_Number = TypeVar("_Number", int, float)
#: How those with something to fill in are written.
_FORMS = ("full_control_but_N", "captured_N", "control_of:PROVINCE", "territory:SHARE", "people:SHARE")


def outcome_named(name: str, theatre: Theatre) -> Outcome:
    """Return the outcome called *name*, which *theatre* is to answer.

    Names are those of tables: a definition of pressure ("half_ring"), "full_control", "full_control_but_3",
    "captured_20", "control_of_kabul", "territory_0.5" (share of the area), "people_0.5" (share of the people). Before
    what is filled in a colon will do: "control_of:Kabul".

    Raises
    ------
    ValueError
        If there is no such outcome, or the theatre cannot answer it.
    """
    if not isinstance(name, str):
        raise TypeError(f"outcome: must be a name such as 'half_ring', but was {name!r}")
    outcome = _found(name.strip(), theatre)
    outcome.watch(theatre)
    return outcome


def _found(name: str, theatre: Theatre) -> Outcome:
    if name in PRESSURES:
        return Pressure(name)
    if name == "full_control":
        return FullControl()
    kind, filled = _split(name)
    if kind == "control_of":
        return ControlOf(_province(filled, theatre))
    if kind in _COUNTED:
        return _COUNTED[kind](_number(filled, name, f"{kind}_N", int))
    if kind in _SHARED:
        return _SHARED[kind](_number(filled, name, f"{kind}:SHARE", float))
    known = (*PRESSURES, "full_control", *_FORMS)
    hint = nearest(name, known)
    raise ValueError(
        f"outcome: no outcome {name!r}; {hint if hint.startswith('did') else 'known: ' + ', '.join(known)}"
    )


def _split(name: str) -> tuple[str, str]:
    """Return the kind an outcome's *name* begins with and what is filled in; no kind if it begins with none."""
    for kind in (*_COUNTED, *_SHARED, "control_of"):
        if match := re.fullmatch(rf"{kind}[_:](.+)", name):
            return kind, match[1]
    return "", name


def _number(text: str, name: str, form: str, kind: type[_Number]) -> _Number:
    try:
        return kind(text)
    except ValueError:
        what = "a whole number" if kind is int else "a number"
        raise ValueError(f"outcome: {name!r} must be {form} with {what}, but had {text!r}") from None


def _province(text: str, theatre: Theatre) -> str:
    plain = {ControlOf(province).name: province for province in theatre.provinces}
    if text in theatre.provinces:
        return text
    asked = ControlOf(text).name
    if asked not in plain:
        raise ValueError(f"outcome: no province {text!r} in {theatre.name}; {nearest(text, theatre.provinces)}")
    return plain[asked]
