"""The JSON Schema of a scenario's TOML file, for editors: made from what the dataclasses take.

It knows shapes and names. What a value may be (a rate not negative, a family that is known) is checked on loading.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from dataclasses import MISSING, fields
from datetime import date
from types import NoneType
from typing import Any, Literal, TypeAlias, get_args, get_origin

from sim.control import TRANSITIONS
from sim.hazards import Hazard
from sim.priors import Prior
from sim.scenario import Scenario, scenario_keys
from sim.spelling import PRIORS, TERMS, arguments, needed, of

__all__ = ["scenario_schema"]

Schema: TypeAlias = dict[str, Any]

_DAY = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_TIME = r"([T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?)?"


def scenario_schema() -> Schema:
    """Return the JSON Schema (draft 2020-12) of scenario files, as plain values for ``json.dump``.

    Dates and times, which JSON lacks, are texts to it, as they are to editors of TOML.
    """
    keys, told, defaults = scenario_keys(), _parameters(Scenario), _defaults(Scenario)
    told["base"] = "A built-in scenario, or a .toml or .py file seen from this one's folder: the other keys change it."
    told["based_on"] = "The name of the scenario this one was made from; it is not looked up."
    properties = {
        key: _shape(hint) | _if("description", told.get(key)) | _if("default", defaults.get(key))
        for key, hint in keys.items()
    }
    named = {label: {"oneOf": [_ref(name) for name in kinds]} for label, kinds in (("term", TERMS), ("prior", PRIORS))}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A scenario of sweepcast",
        "description": _first_words(Scenario),
        **_object(properties, needed(Scenario)),
        "not": {"required": ["base", "based_on"]},
        "$defs": {
            **named,
            "value": {"anyOf": [{"type": "number"}, _ref("prior")], "description": "A known number, or a prior."},
            "terms": {"type": "array", "items": _ref("term"), "minItems": 1},
            **{name: _named(kind, "term") for name, kind in TERMS.items()},
            **{name: _named(kind, "prior") for name, kind in PRIORS.items()},
        },
    }


def _named(kind: type[Any], label: str) -> Schema:
    """Return the shape of a table that names a term or prior, and gives its arguments."""
    shapes = {name: _shape(hint) for name, hint in arguments(kind).items()}
    properties = {label: {"const": kind.__name__}, **shapes}
    return {"title": kind.__name__, "description": _first_words(kind), **_object(properties, (label, *needed(kind)))}


def _shape(hint: Any) -> Schema:
    """Return the shape of what a table holds for an argument of that type."""
    kinds = of(hint) - {NoneType}
    if Prior in kinds:
        return _ref("value")
    if Hazard in kinds:
        return _ref("terms")
    if date in kinds:
        days = [{"type": "number"}] if float in kinds else []
        return {"anyOf": [{"type": "string", "pattern": f"^{_DAY}{_TIME if days else ''}$"}, *days]}
    (single,) = kinds
    origin, inner = get_origin(single), get_args(single)
    if origin is Literal:
        return {"enum": list(inner)}
    if origin is tuple:
        return {"type": "array", "items": _shape(inner[0])}
    if origin is not None:  # a mapping
        if Hazard in of(inner[1]):
            return _object(dict.fromkeys(TRANSITIONS, _shape(inner[1])), ())
        return {"type": "object", "additionalProperties": _shape(inner[1])}
    return {"type": "number" if single is float else "string"}


def _object(properties: Mapping[str, Schema], required: tuple[str, ...]) -> Schema:
    shape = {"type": "object", "properties": dict(properties), "additionalProperties": False}
    return shape | _if("required", list(required))


def _ref(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}


def _if(key: str, value: Any) -> Schema:
    return {key: value} if value else {}


def _defaults(kind: type[Any]) -> dict[str, Any]:
    found = {each.name: each.default for each in fields(kind) if each.default is not MISSING}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in found.items()}


def _first_words(kind: type[Any]) -> str:
    return _plain(inspect.cleandoc(kind.__doc__ or "").split("\n\n")[0])


def _parameters(kind: type[Any]) -> dict[str, str]:
    """Return what the docstring says of each parameter."""
    text = inspect.cleandoc(kind.__doc__ or "").partition("Parameters\n----------\n")[2].partition("\n\nRaises")[0]
    found = re.findall(r"^([\w, ]+) : .*\n((?:    .*\n?)*)", text, re.MULTILINE)
    return {name: _plain(told) for names, told in found for name in names.split(", ")}


def _plain(text: str) -> str:
    return re.sub(r"[*`]", "", " ".join(text.split()))
