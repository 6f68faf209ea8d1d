"""A scenario written to a TOML file, as one would write it by hand."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import fields
from datetime import datetime, time
from pathlib import Path
from typing import Any

import tomli_w

from sim.control import nearest
from sim.disk import write_whole
from sim.hazards import Custom, Hazard
from sim.priors import Fixed, Prior
from sim.spelling import FUNCTION, PRIORS, TERMS, Place, read_fields

__all__ = ["save_toml"]


def save_toml(value: Any, path: Path, *, keys: Mapping[str, Any], renamed: Mapping[str, str], where: str) -> None:
    """Write the arguments of a dataclass to *path*, whole or not at all, under the *keys* that ``read_fields`` knows.

    *renamed* gives keys that are not the argument's name. What is written is read back first. Raise a TypeError naming
    *where* if *value* holds what no table tells, an OSError if the file cannot be written.
    """
    if path.suffix != ".toml":
        raise ValueError(f"{where}: save writes TOML, but was given {str(path)!r}; let the name end in .toml")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"{where}: there is no folder {str(path.parent)!r} to save into; make it first")
    named = {renamed.get(name, name): item for name, item in _told(value).items()}
    told = {name: item for name, item in named.items() if name in keys}
    try:
        text = _text(told)
    except TypeError as error:
        raise TypeError(f"{where}: {error}") from None
    given = read_fields(type(value), tomllib.loads(text), Place(where), known=keys)
    back = {new: old for old, new in renamed.items()}
    if type(value)(**{back.get(name, name): item for name, item in given.items()}) != value:
        raise TypeError(f"{where}: holds values that TOML gives back as others; keep it in a .py script")
    write_whole(path, text.encode())


def _told(value: Any) -> dict[str, Any]:
    """Return the arguments of a dataclass, less those that hold nothing and hold nothing by default."""
    given = {each.name: (getattr(value, each.name), each.default) for each in fields(value)}
    return {name: item for name, (item, default) in given.items() if not (item is None or item == default in ("", ()))}


def _text(told: Mapping[str, Any]) -> str:
    """Return *told* as TOML, tables last. Raise a TypeError for a Custom term, or a term or prior of one's own."""
    single = {key: item for key, item in told.items() if not isinstance(item, Mapping)}
    tables = {key: item for key, item in told.items() if isinstance(item, Mapping)}
    lines = [f"{_key(key)} = {_literal(item)}" for key, item in single.items()]
    for key, table in tables.items():
        lines += _table_lines(_key(key), table)
    return "\n".join(lines) + "\n"


def _table_lines(path: str, table: Mapping[str, Any]) -> Iterator[str]:
    if all(isinstance(item, str) for item in table.values()):
        if table:
            yield f"\n[{path}]"
        yield from (f"{_key(key)} = {_literal(item)}" for key, item in table.items())
        return
    for key, item in table.items():
        if isinstance(item, Mapping):
            yield from _table_lines(f"{path}.{_key(key)}", item)
            continue
        for term in item.terms if isinstance(item, Hazard) else (item,):
            yield f"\n[[{path}.{_key(key)}]]"
            yield f"term = {_literal(_name(term, TERMS))}"
            yield from (f"{name} = {_literal(value)}" for name, value in _told(term).items())


def _name(value: object, classes: Mapping[str, type]) -> str:
    name = type(value).__name__
    if isinstance(value, Custom):
        raise TypeError(f"a Custom term holds {FUNCTION}")
    if classes.get(name) is not type(value):
        raise TypeError(f"no table tells {value!r}; {nearest(name, classes)}")
    return name


def _literal(value: Any) -> str:
    """Return *value* as TOML, on one line if there is room."""
    if isinstance(value, Fixed):
        return _literal(value.value)
    if isinstance(value, Prior):
        told = {"prior": _name(value, PRIORS)} | {each.name: getattr(value, each.name) for each in fields(value)}
        return "{ " + ", ".join(f"{key} = {_literal(item)}" for key, item in told.items()) + " }"
    if isinstance(value, (tuple, list)):
        items = [_literal(item) for item in value]
        line = f"[{', '.join(items)}]"
        return line if len(line) <= 100 else "[\n" + "".join(f"    {item},\n" for item in items) + "]"
    if isinstance(value, datetime) and value.time() == time():
        value = value.date()  # its first moment
    if isinstance(value, float):
        value = float(value)  # not NumPy's own kind
    return tomli_w.dumps({"_": value})[len("_ = ") : -1]


def _key(text: str) -> str:
    return text if re.fullmatch(r"[A-Za-z0-9_-]+", text) else _literal(text)
