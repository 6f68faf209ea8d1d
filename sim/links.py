"""Links: the borders and roads that join two provinces, and who is whose neighbour."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from sim.control import nearest
from sim.tables import require_one_of

__all__ = ["EVIDENCE", "ROAD_KINDS", "STATUSES", "Border", "Road", "find_province", "join", "neighbours"]

#: The kinds of road in the packaged theatre, widest first. Others are allowed.
ROAD_KINDS = ("ring", "ring_with_spur", "ring_unfinished", "trunk", "spur", "secondary", "track")
STATUSES = ("agreed", "disputed")
EVIDENCE = ("source", "memory")


@dataclass(frozen=True, slots=True)
class Border:
    """A border between the provinces *a* and *b*, *km* long where that is known."""

    a: str
    b: str
    status: str = "agreed"
    km: float | None = None
    where: str = field(default="", compare=False, repr=False, kw_only=True)

    def __post_init__(self) -> None:
        require_one_of(self.status, STATUSES, f"{self.place}: status")

    @property
    def place(self) -> str:
        """Where a message should point."""
        return self.where or f"border {self.a} - {self.b}"

    @property
    def kind(self) -> str:
        """What ``neighbours`` leaves out by: the status."""
        return self.status


@dataclass(frozen=True, slots=True)
class Road:
    """A road between the capitals of the provinces *a* and *b*, with none between; *evidence* is source or memory."""

    a: str
    b: str
    kind: str = "trunk"
    evidence: str = "source"
    name: str = ""
    note: str = ""
    where: str = field(default="", compare=False, repr=False, kw_only=True)

    def __post_init__(self) -> None:
        require_one_of(self.evidence, EVIDENCE, f"{self.place}: evidence")

    @property
    def place(self) -> str:
        """Where a message should point."""
        return self.where or f"road {self.a} - {self.b}"


_Link = TypeVar("_Link", Border, Road)


def find_province(province: str, provinces: Sequence[str], capitals: Sequence[str], where: str) -> int:
    """Return the position of *province*. Raise a ValueError naming *where* and the nearest name if there is none."""
    name = unicodedata.normalize("NFC", province) if isinstance(province, str) else province
    if name in provinces:
        return provinces.index(name)
    if name in capitals:
        hint = f"that is the capital of {provinces[capitals.index(name)]!r}"
    else:
        hint = nearest(name, provinces)
    raise ValueError(f"{where}: no province {province!r} in the theatre; {hint}")


def join(links: Iterable[_Link], provinces: Sequence[str], capitals: Sequence[str]) -> tuple[_Link, ...]:
    """Return *links* with a before b in name order, sorted. Refuse strangers, loops and duplicates."""
    kept: dict[tuple[str, ...], _Link] = {}
    for link in links:
        what = type(link).__name__.lower()
        a, b = sorted(provinces[find_province(end, provinces, capitals, link.place)] for end in (link.a, link.b))
        if a == b:
            raise ValueError(f"{link.place}: a {what} must join two provinces, but was {a!r} with itself")
        # Two roads may join the same capitals, so long as their names tell them apart.
        key = (a, b, link.name) if isinstance(link, Road) else (a, b)
        if key in kept:
            first = f", first in {kept[key].where}" if kept[key].where else ""
            raise ValueError(f"{link.place}: the {what} {a} - {b} is given twice{first}; keep one")
        kept[key] = replace(link, a=a, b=b)
    return tuple(kept[key] for key in sorted(kept))


def neighbours(
    links: Sequence[Border] | Sequence[Road], provinces: Sequence[str], without: Iterable[str]
) -> tuple[tuple[int, ...], ...]:
    """Return, for each province, the sorted indices of those one link away, kinds *without* left out."""
    without = tuple(without)
    known = dict.fromkeys((*ROAD_KINDS, *STATUSES, *(link.kind for link in links)))
    for kind in without:
        if kind not in known:
            raise ValueError(f"theatre: no kind of road or border is called {kind!r}; {nearest(kind, known)}")
    found: list[set[int]] = [set() for _ in provinces]
    position = {name: i for i, name in enumerate(provinces)}
    for link in links:
        if link.kind not in without:
            found[position[link.a]].add(position[link.b])
            found[position[link.b]].add(position[link.a])
    return tuple(tuple(sorted(near)) for near in found)
