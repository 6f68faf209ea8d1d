"""Descriptions of a run as plain JSON values, and back, exactly: what files and folders of runs keep of it.

None, truth values, texts, whole numbers and finite floats stand for themselves, a list for a tuple. Anything else is an
object with one entry, its kind and its content::

    {"LogNormal": {"median": 0.02, "sigma": 1.0}}        any class listed below, and the arguments that make it again
    {"float": "inf"}  {"date": "2021-08-13"}  {"datetime": "2021-08-13T18:00:00"}  {"Control": "INSURGENT"}
    {"set": [...]}  {"mapping": {...}}  {"ordered": [[key, value], ...]}
    {"array": {"dtype": "<f8", "shape": [4000, 10], "base64": "..."}}
    {"function": {"name": "surge.pace", "code": "9f3a..."}}   what can be told from others, but not be made again

Nothing else is read: no code, no pickle.
"""

from __future__ import annotations

import base64
import hashlib
import importlib
import inspect
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import date, datetime
from functools import cache, partial
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any, TypeAlias

import numpy as np

from sim.control import Control, nearest
from sim.model import Draws
from sim.theatre import Theatre

__all__ = ["CLASSES", "FORMS", "Plain", "digest", "from_plain", "to_plain"]

#: What JSON can hold.
Plain: TypeAlias = Any

# Rooms are loaded when one of their values is met: engines and their libraries cost more than reading a model does.
_ROOMS: Mapping[str, tuple[str, ...]] = {
    "control": ("Past", "State"),
    "priors": ("Beta", "Fixed", "HalfNormal", "LogNormal", "Normal"),
    "terms": ("Hazard",),
    "hazards": (
        "Baseline", "Calendar", "Covariate", "Custom", "CutOff", "Frailty", "Momentum", "Neighbours", "PullBack",
        "Reserves",
    ),
    "links": ("Border", "Road"),
    "sources": ("Assessment", "Capture", "Count", "Sighting"),
    "record": ("Record",),
    "theatre": ("Theatre",),
    "model": ("Draws", "Model"),
    "law": ("Watch",),
    "recipe": ("Recipe",),
    "engines.compiled": ("CompiledEngine",),
    "engines.recorded": ("RecordedEngine",),
    "engines.simpy_engine": ("SimPyEngine",),
    "scenario": ("Scenario",),
}  # fmt: skip
#: The classes that are described by the arguments that make them, and where they stand.
CLASSES = {name: f"sim.{room}" for room, names in _ROOMS.items() for name in names}

# Arguments whose value stands under another name.
_KEPT_AS = {("Model", "transitions"): "hazards", ("Record", "captures"): "reports"}
# Observers only look: they are no part of what is run.
_LEFT_OUT = {("SimPyEngine", "observers"), ("CompiledEngine", "processes"), ("CompiledEngine", "observers")}


def to_plain(value: object) -> Plain:
    """Return *value* as plain values: a description, or a number, text, array, tuple, set or mapping of those.

    A function (of a Custom term, a SimPy process) is written as its name and a digest of its code. Raise a TypeError if
    *value* is or holds anything else.
    """
    if value is None or isinstance(value, (bool, np.bool_)):
        return value if value is None else bool(value)
    if isinstance(value, Control):  # a whole number too, so it comes first
        return {"Control": value.name}
    if isinstance(value, str):
        return str(value)
    if isinstance(value, (int, np.integer)):
        return int(value)
    if isinstance(value, (float, np.floating)):
        return float(value) if math.isfinite(value) else {"float": repr(float(value))}
    if isinstance(value, datetime):
        return {"datetime": value.isoformat()}
    if isinstance(value, date):
        return {"date": value.isoformat()}
    if isinstance(value, (tuple, list)) and not hasattr(value, "_fields"):
        return [to_plain(item) for item in value]
    if isinstance(value, (frozenset, set)):
        return {"set": sorted(map(to_plain, value), key=_text)}
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        return {"mapping": {str(key): to_plain(item) for key, item in value.items()}}
    if isinstance(value, np.ndarray):
        return {"array": _from_array(value)}
    return _described(value)


def _described(value: object) -> Plain:
    # A posterior is draws, and how they came about is no part of a run.
    kind = "Draws" if isinstance(value, Draws) else type(value).__name__
    if kind == "Draws" or CLASSES.get(kind) == type(value).__module__:
        return {kind: {name: _argument(value, kind, name) for name in _arguments(kind)}}
    raise TypeError(
        f"plain: a value must be of a kind that files of runs know, but was {value!r}, of "
        f"{type(value).__module__}.{type(value).__qualname__}; {nearest(kind, CLASSES)}"
    )


def _argument(value: object, kind: str, name: str) -> Plain:
    found = getattr(value, _KEPT_AS.get((kind, name), name))
    if (kind, name) == ("Custom", "fn"):
        return _function(found)
    if name == "processes" and kind in ("SimPyEngine", "Scenario"):
        return [_function(process) for process in found]
    if kind == "Model" and name == "transitions":  # their order is the order of parameters, and settles ties
        return {"ordered": [[key, to_plain(item)] for key, item in found.items()]}
    if isinstance(value, Theatre) and name == "columns":  # read back as gaps, not as numbers that are none
        found = {key: [None if math.isnan(number) else number for number in row] for key, row in found.items()}
    return to_plain(found)


def _class(kind: str) -> type[Any]:
    found: type[Any] = getattr(importlib.import_module(CLASSES[kind]), kind)
    return found


@cache
def _arguments(kind: str) -> tuple[str, ...]:
    """Return the arguments that make a *kind*, less those that no comparison looks at."""
    described = _class(kind)
    ignored = {field.name for field in fields(described) if not field.compare}
    names = (name for name in inspect.signature(described).parameters if name not in ignored)
    return tuple(name for name in names if (kind, name) not in _LEFT_OUT)


def _from_array(array: np.ndarray[Any, Any]) -> Plain:
    if array.dtype.kind not in "biuf":
        raise TypeError(f"plain: an array must hold numbers, but was of {array.dtype}")
    little = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
    return {
        "dtype": little.dtype.str, "shape": list(array.shape), "base64": base64.b64encode(little.tobytes()).decode(),
    }  # fmt: skip


def from_plain(data: Plain) -> Any:
    """Return what *data*, from ``to_plain``, was made of.

    Raise a ValueError if it holds a function, which plain values cannot give back, or is not of this form.
    """
    if isinstance(data, list):
        return tuple(from_plain(item) for item in data)
    if not isinstance(data, dict):
        return data
    if len(data) != 1:
        raise ValueError(f"plain: an object must have one entry, its kind, but had {', '.join(data) or 'none'}")
    ((kind, content),) = data.items()
    if kind in CLASSES:
        return _made(kind, content)
    if kind not in FORMS:
        raise ValueError(f"plain: no kind {kind!r} is known; {nearest(kind, (*CLASSES, *FORMS))}")
    try:
        return FORMS[kind](content)
    except (TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"plain: {kind} cannot be read: {error}") from error


def _made(kind: str, content: Plain) -> Any:
    wanted, told = _arguments(kind), content if isinstance(content, dict) else {}
    if set(told) != set(wanted):
        raise ValueError(
            f"plain: {kind} must have {', '.join(wanted) or 'no arguments'}, but had {', '.join(told) or 'none'}; "
            "was it written by another version?"
        )
    return _class(kind)(**{name: from_plain(item) for name, item in told.items()})


def _refuse_function(content: Plain) -> Any:
    raise ValueError(
        f"plain: the function {content['name']} cannot be written to a file, so neither its model nor its engine can "
        "be read from one; pass the model itself, as in sim.rerun(path, model=…), or engine= for processes"
    )


def _to_array(content: Plain) -> np.ndarray[Any, Any]:
    raw = base64.b64decode(content["base64"], validate=True)
    return np.frombuffer(raw, np.dtype(content["dtype"])).reshape(content["shape"])


#: The other kinds of objects, and what reads their content.
FORMS: Mapping[str, Callable[[Any], Any]] = {
    "float": float,
    "date": date.fromisoformat,
    "datetime": datetime.fromisoformat,
    "Control": lambda name: Control[name],
    "set": lambda items: frozenset(map(from_plain, items)),
    "mapping": lambda items: {key: from_plain(item) for key, item in items.items()},
    "ordered": lambda items: {key: from_plain(item) for key, item in items},
    "array": _to_array,
    "function": _refuse_function,
}


def _text(plain: Plain) -> str:
    return json.dumps(plain, sort_keys=True, separators=(",", ":"), allow_nan=False)


def digest(value: object) -> str:
    """Return the BLAKE2b, in hexadecimal, of *value* or of its plain form (an object or list): equal for equal ones.

    It does not depend on the process, nor on the order of entries but where that order means something.
    """
    return _hash(value if isinstance(value, (dict, list)) else to_plain(value))


def _hash(plain: Plain) -> str:
    return hashlib.blake2b(_text(plain).encode(), digest_size=16).hexdigest()


# ------------------------------------------------------------------------------------------- functions, told apart


def _function(function: Any) -> Plain:
    inner = getattr(function, "py_func", function)  # what Numba compiled
    named = inner if hasattr(inner, "__qualname__") else getattr(inner, "func", type(inner))
    module = "__main__" if named.__module__ == "__mp_main__" else named.__module__  # a spawned worker's name for it
    return {"function": {"name": f"{module}.{named.__qualname__}", "code": _hash(_code_of(inner, set()))}}


def _code_of(value: Any, seen: set[int]) -> Plain:
    """Return plain values that change when *value* is a function that would do something else, as far as can be told:
    its code, its defaults, and what it reads of its surroundings."""
    if isinstance(value, (tuple, list)):
        return [_code_of(each, seen) for each in value]
    if isinstance(value, Mapping):
        return [[str(key), _code_of(each, seen)] for key, each in value.items()]
    if isinstance(value, CodeType):
        return [value.co_code.hex(), list(value.co_names), _code_of(value.co_consts, seen)]
    if isinstance(value, (bytes, complex, type(...))):
        return repr(value)
    try:
        return to_plain(value)
    except TypeError:
        return "again" if id(value) in seen else _code_of_object(value, seen | {id(value)})


def _code_of_object(value: Any, seen: set[int]) -> Plain:
    value = getattr(value, "py_func", value)
    if isinstance(value, FunctionType):
        cells = inspect.getclosurevars(value).nonlocals
        read = {name: value.__globals__.get(name) for name in sorted(_names(value.__code__))}
        # A library's functions are known by the library's version.
        near = {k: v for k, v in read.items() if not callable(v) or getattr(v, "__module__", "") == value.__module__}
        return _code_of([value.__code__, value.__defaults__, value.__kwdefaults__, cells, near], seen)
    if isinstance(value, MethodType):
        return _code_of([value.__func__, value.__self__], seen)
    if isinstance(value, partial):
        return _code_of([value.func, value.args, value.keywords], seen)
    if isinstance(value, (type, ModuleType)) or not hasattr(value, "__dict__"):
        return str(getattr(value, "__qualname__", getattr(value, "__name__", type(value).__qualname__)))
    return [type(value).__qualname__, _code_of([vars(type(value)).get("__call__"), vars(value)], seen)]


def _names(code: CodeType) -> set[str]:
    inner = (each for each in code.co_consts if isinstance(each, CodeType))
    return set(code.co_names).union(*map(_names, inner))
