"""The theatre: provinces, borders, roads, covariates and the record, built in memory or read from a folder.

The tables of a folder are described in ``folder.py``.
"""

from __future__ import annotations

import itertools
import math
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sim.control import nearest
from sim.folder import read_folder
from sim.links import ROAD_KINDS, Border, Road, find_province, join, neighbours
from sim.outlines import Outlines
from sim.record import Record
from sim.tables import as_date

__all__ = ["ROAD_KINDS", "Border", "Road", "Theatre", "load_theatre"]

_T = TypeVar("_T")


@dataclass(frozen=True, init=False, eq=False, repr=False)
class Theatre:
    """Provinces in name order, and everything about them aligned with that order.

    Parameters
    ----------
    provinces : iterable of str
    borders, roads : iterables of Border and Road, or of tuples of their first fields, e.g. ("A", "B", "trunk")
    hub : str or None
        The province that pressure and cut-off refer to.
    columns : mapping of column name to numbers, in the order of *provinces* as given
        None stands for a gap.
    capitals : sequence of str, in the order of *provinces* as given
        By default the names of the provinces.
    labels : mapping of column name to texts, in the order of *provinces* as given
    origin : date or None
        Day 0; by default the record's.
    record : Record or None
        By default an empty one.
    outlines : mapping of province to rings, or Path of a GeoJSON file
        Shapes of provinces, as ``sim.outlines.Outlines`` says. For pictures alone: two theatres are equal without
        them, and files of runs do not hold them.
    """

    name: str
    title: str
    provinces: tuple[str, ...]
    capitals: tuple[str, ...]
    hub: str | None
    borders: tuple[Border, ...]
    roads: tuple[Road, ...]
    columns: Mapping[str, NDArray[np.float64]]
    labels: Mapping[str, tuple[str, ...]]
    record: Record
    timezone: str
    credits: tuple[str, ...]
    outlines: Outlines = field(compare=False)  # so that runs and their files leave them out
    _near: dict[tuple[str, tuple[str, ...]], tuple[tuple[int, ...], ...]] = field(compare=False, repr=False)

    def __init__(
        self,
        provinces: Iterable[str],
        borders: Iterable[Border | tuple[Any, ...]] = (),
        roads: Iterable[Road | tuple[Any, ...]] = (),
        *,
        hub: str | None = None,
        columns: Mapping[str, Sequence[float | None] | NDArray[np.float64]] | None = None,
        capitals: Sequence[str] | None = None,
        labels: Mapping[str, Sequence[str]] | None = None,
        origin: date | str | None = None,
        record: Record | None = None,
        name: str = "",
        title: str = "",
        timezone: str = "",
        credits: Iterable[str] = (),
        outlines: Mapping[str, Iterable[ArrayLike]] | Path = MappingProxyType({}),
    ) -> None:
        if isinstance(provinces, str):
            raise TypeError(f"theatre: provinces must be a sequence of names, but was the text {provinces!r}")
        given = [_name(province) for province in provinces]
        if not given:
            raise ValueError("theatre: at least one province is needed, but none was given")
        order = sorted(range(len(given)), key=given.__getitem__)
        names = tuple(given[i] for i in order)
        for one, next_one in itertools.pairwise(names):
            if one == next_one:
                raise ValueError(f"theatre: province {one!r} is given twice; keep one")
        cities = given if capitals is None else list(capitals)
        if len(cities) != len(given):
            raise ValueError(f"theatre: capitals must be {len(given)}, one for each province, but were {len(cities)}")
        towns = tuple(unicodedata.normalize("NFC", cities[i]) for i in order)
        kept = Record(names, origin=origin) if record is None else record
        if kept.provinces != names:
            strange = ", ".join(sorted(set(kept.provinces).symmetric_difference(names)))
            raise ValueError(f"theatre: the record must have the same provinces, but they differ in {strange}")
        if origin is not None and kept.origin != as_date(origin, "theatre: origin"):
            raise ValueError(f"theatre: origin must be the record's, {kept.origin}, but was {origin}; give only one")
        fields: dict[str, Any] = {
            "name": name,
            "title": title or name,
            "provinces": names,
            "capitals": towns,
            "hub": None if hub is None else names[find_province(hub, names, towns, "theatre: hub")],
            "borders": join([row if isinstance(row, Border) else Border(*row) for row in borders], names, towns),
            "roads": join([row if isinstance(row, Road) else Road(*row) for row in roads], names, towns),
            "columns": MappingProxyType({key: _column(key, row, order) for key, row in (columns or {}).items()}),
            "labels": MappingProxyType({key: _label(key, row, order) for key, row in (labels or {}).items()}),
            "record": kept,
            "timezone": timezone,
            "credits": tuple(credits),
            "outlines": Outlines(outlines, names, towns),
            "_near": {},
        }
        for key, value in fields.items():
            object.__setattr__(self, key, value)

    @property
    def origin(self) -> date | None:
        """Day 0; None where nothing is dated."""
        return self.record.origin

    def index(self, province: str, where: str = "theatre") -> int:
        """Return the position of *province*. Raise a ValueError with *where* and the nearest name if there is none."""
        return find_province(province, self.provinces, self.capitals, where)

    def standardised(self, column: str) -> NDArray[np.float64]:
        """Return a numeric column less its mean, in units of its (population) standard deviation.

        Raise a ValueError if there is no such column, if it has gaps or if it is constant.
        """
        if column not in self.columns:
            text = "; it holds text" if column in self.labels else f"; {nearest(column, self.columns)}"
            raise ValueError(f"theatre: no numeric column {column!r} among the provinces{text}")
        values = self.columns[column]
        gaps = ", ".join(name for name, value in zip(self.provinces, values, strict=True) if math.isnan(value))
        if gaps:
            raise ValueError(f"theatre: column {column!r} must have no gaps, but is blank for {gaps}; fill it in")
        if min(values) == max(values):
            raise ValueError(f"theatre: column {column!r} must vary between provinces, but is {values[0]} everywhere")
        mean = math.fsum(values) / len(values)
        spread = math.sqrt(math.fsum((float(value) - mean) ** 2 for value in values) / len(values))
        result = np.array([(float(value) - mean) / spread for value in values])
        result.setflags(write=False)
        return result

    def neighbours(
        self, via: Literal["border", "road"] = "border", without: Iterable[str] = ()
    ) -> tuple[tuple[int, ...], ...]:
        """Return, for each province, the sorted indices of those one border or one road away.

        *without* leaves out kinds of road, or statuses of border.
        """
        if via not in ("border", "road"):
            raise ValueError(f"theatre: neighbours go via 'border' or 'road', but was {via!r}")
        key = (via, (without,) if isinstance(without, str) else tuple(without))
        if key not in self._near:  # found once: nothing of a theatre changes
            self._near[key] = neighbours(self.borders if via == "border" else self.roads, self.provinces, key[1])
        return self._near[key]

    def __repr__(self) -> str:
        told = [f"{len(self.provinces)} provinces", f"{len(self.borders)} borders", f"{len(self.roads)} roads"]
        captures = self.record.captures
        if captures:
            first, last = min(row.earliest for row in captures), max(row.earliest for row in captures)
            told.append(f"{len(captures)} captures from {first.date()} to {last.date()}")
        return f"Theatre {self.name!r}: {', '.join(told)}"

    def _key(self) -> tuple[Any, ...]:
        columns = tuple((name, values.tobytes()) for name, values in sorted(self.columns.items()))
        return (
            self.name, self.title, self.provinces, self.capitals, self.hub, self.borders, self.roads, columns,
            tuple(sorted(self.labels.items())), self.record, self.timezone, self.credits,
        )  # fmt: skip

    def __eq__(self, other: object) -> bool:
        return self._key() == other._key() if isinstance(other, Theatre) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._key())

    def __getstate__(self) -> dict[str, Any]:
        # Mapping proxies do not pickle, and workers of a parallel run receive the theatre pickled.
        return {**self.__dict__, "columns": dict(self.columns), "labels": dict(self.labels), "_near": {}}

    def __setstate__(self, state: dict[str, Any]) -> None:
        for values in state["columns"].values():
            values.setflags(write=False)
        for key in ("columns", "labels"):
            state[key] = MappingProxyType(state[key])
        self.__dict__.update(state)


def _name(province: object) -> str:
    """Return a province's name in NFC. Raise a ValueError if it is blank or has blanks around it."""
    if not isinstance(province, str):
        raise TypeError(f"theatre: the name of a province must be text, but was {province!r}")
    if not province or province != province.strip():
        raise ValueError(f"theatre: the name of a province must not be blank or begin or end so, but was {province!r}")
    return unicodedata.normalize("NFC", province)


def _column(name: str, values: Iterable[float | None], order: Sequence[int]) -> NDArray[np.float64]:
    """Return the numbers of a column in name order, read-only; None is a gap (nan)."""
    listed = _aligned(name, values, order)
    for value in listed:
        if value is not None and not math.isfinite(value):
            raise ValueError(f"theatre: column {name!r} must hold finite numbers, but had {value!r}; a gap is None")
    result = np.array([math.nan if value is None else value for value in listed], dtype=np.float64)
    result.setflags(write=False)
    return result


def _label(name: str, texts: Iterable[str], order: Sequence[int]) -> tuple[str, ...]:
    """Return the texts of a column in name order."""
    return tuple(_aligned(name, texts, order))


def _aligned(name: str, values: Iterable[_T], order: Sequence[int]) -> list[_T]:
    listed = list(values)
    if len(listed) != len(order):
        raise ValueError(f"theatre: column {name!r} must have {len(order)} values, as provinces, but had {len(listed)}")
    return [listed[i] for i in order]


def load_theatre(
    name_or_folder: str | Path,
    *,
    borders: Literal["agreed", "all"] = "agreed",
    roads: Literal["all", "sourced"] = "all",
    prefer: str | None = None,
) -> Theatre:
    """Return the packaged theatre of that name, or the one in that folder.

    Parameters
    ----------
    name_or_folder : str or Path
        A packaged theatre's name, e.g. "afghanistan_2021"; else the path of a folder (see the module's text).
    borders : "agreed" or "all"
        Whether disputed borders count.
    roads : "all" or "sourced"
        Whether roads known from memory only count.
    prefer : str or None
        The account of captures.csv whose dates to take where it has the capture, or "span" for the interval of
        all accounts; None takes the first account.
    """
    return Theatre(**read_folder(name_or_folder, borders=borders, roads=roads, prefer=prefer))
