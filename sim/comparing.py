"""How two descriptions of a run differ, in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from sim.plain import CLASSES, FORMS, Plain, digest, from_plain, to_plain

__all__ = ["differences"]

# What a difference is looked for inside of; any other kind is told as a whole.
_OPENED = ("Draws", "Model", "Record", "State", "Theatre")
_Names: TypeAlias = tuple[str, str]


def differences(there: Plain, here: Plain, most: int = 4, names: _Names = ("there", "here")) -> list[str]:
    """Return what differs between two plain recipes, or objects that hold some, in words: "seed: 7 there, 8 here".

    *names* are what the two are called. Each part (model, draws, start, …) is told of *most* times, then counted. Empty
    if they are equal.
    """
    left, right = dict(_lines(there, ())), dict(_lines(here, ()))
    found: dict[str, list[str]] = {}
    for path in dict.fromkeys([*left, *right]):
        one, other = left.get(path, "nothing"), right.get(path, "nothing")
        if one != other:
            told = _apart(one, other, names) if path[-1:] != (_ITEM,) else f"only {names[path not in left]}"
            label = " ".join(name for name in path[1:] if name != _ITEM)
            found.setdefault(path[0], []).append(f"{label}: {told}" if label else told)
    if not found and digest(there) != digest(here):
        return ["the same in another order"]
    return [
        f"{part}: {told}" for part, all_told in found.items()
        for told in all_told[:most] + [f"and {len(all_told) - most} more"] * (len(all_told) > most)
    ]  # fmt: skip


#: The last step of a path to an item of a list whose order means nothing: the item itself is the step before.
_ITEM = "\0"
_Path: TypeAlias = tuple[str, ...]


def _lines(data: Plain, path: _Path) -> Iterator[tuple[_Path, str]]:
    """Yield what *data* consists of, each as the path to it and a text."""
    kind, content = next(iter(data.items())) if isinstance(data, dict) and len(data) == 1 else ("", data)
    if kind == "Recipe" or (isinstance(data, dict) and kind not in CLASSES and kind not in FORMS):
        for name, item in (content if kind == "Recipe" else data).items():
            if name != "teller":  # it follows from the engine
                yield from _lines(item, (*path, name) if kind != "Recipe" else (name,))
    elif kind in _OPENED:
        for name in sorted(content, key="theatre".__eq__):  # what is done with a theatre is told before the theatre
            yield from _lines(content[name], (*path, name))
    elif kind == "Hazard":
        yield from _term_lines(content["terms"], path)
    elif kind == "mapping" or kind == "ordered":
        pairs = content.items() if kind == "mapping" else content
        for name, item in pairs:
            yield from _lines(item, (*path, name))
        if kind == "ordered":
            yield (*path, "order"), ", ".join(name for name, _ in pairs)
    elif _is_bag(data):
        for item in data:
            yield (*path, _words(item), _ITEM), ""
    else:
        yield path, _words(data)


def _is_bag(data: Plain) -> bool:
    """Return whether *data* is a list of different names or descriptions: to be told by what only one side has."""
    named = isinstance(data, list) and all(isinstance(item, (str, dict)) for item in data)
    return named and 0 < len(data) == len(set(map(digest, data)))


def _term_lines(terms: Plain, path: _Path) -> Iterator[tuple[_Path, str]]:
    *model, part, transition = path
    if part != "transitions":  # of a scenario: its levers, or a model of its own
        model.append(part)
    names = []
    for plain in terms:
        ((kind, content),) = plain.items()
        try:
            term = from_plain(plain)
        except ValueError:  # it holds a function
            label = f"{kind.lower()}.{content['label']}".rstrip(".")
            yield (*model, f"{transition}.{label}"), _words(plain)
        else:
            label = term.name
            for name, prior in term.values.items():
                yield (*model, f"parameter {transition}.{name}"), _words(to_plain(prior))
            priors = [to_plain(prior) for prior in term.values.values()]
            rest = {name: item for name, item in content.items() if item not in priors}
            yield (*model, f"{transition}.{label}"), _words({kind: rest})
        names.append(label)
    yield (*model, f"terms of {transition}"), " × ".join(names)


def _words(data: Plain) -> str:
    """Return *data* as it would be written in Python, more or less."""
    if isinstance(data, list):
        return f"({', '.join(map(_words, data))})"
    if not isinstance(data, dict):
        return repr(data)
    told = []
    for kind, content in data.items():
        if kind == "array":
            shape = " × ".join(map(str, content["shape"]))
            told.append(f"{shape} numbers ({digest(content)[:8]})")
        elif kind == "function":
            told.append(f"{content['name']} (code {content['code'][:8]})")
        elif kind in CLASSES:
            told.append(f"{kind}({', '.join(f'{name}={_words(item)}' for name, item in content.items())})")
        elif kind in FORMS:
            text = content if isinstance(content, str) else _words(content)
            told.append(text.lower() if kind == "Control" else text)
        else:
            told.append(f"{kind}: {_words(content)}")
    return ", ".join(told)


def _apart(one: str, other: str, names: _Names, room: int = 90) -> str:
    """Return both texts, of long ones a stretch around the first place where they differ."""
    first = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), 0)
    begin = max(0, min(first, len(one), len(other)) - room // 3)
    texts = [t if len(t) <= room else f"{'…' * (begin > 0)}{t[begin : begin + room]}…" for t in (one, other)]
    return f"{texts[0]} {names[0]}, {texts[1]} {names[1]}"
