"""Outlines: the shapes of provinces, for pictures alone, read from GeoJSON when they are first looked at."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sim.control import nearest
from sim.links import find_province
from sim.tables import read_text, require_one_of

__all__ = ["Outlines", "Rings"]

#: The rings of one province.
Rings: TypeAlias = tuple[NDArray[np.float64], ...]

_NONE: Mapping[str, Iterable[ArrayLike]] = MappingProxyType({})
_DEGREES = (("longitude", 180.0), ("latitude", 90.0))


class Outlines(Mapping[str, Rings]):
    """The rings of each province that has an outline, by its name, in the order of *provinces*.

    A ring is an array of shape (points, 2), read-only: longitude and latitude in degrees (WGS 84), the last point the
    first again. Outer rings run counter-clockwise, holes clockwise (RFC 7946, section 3.1.6, doi:10.17487/RFC7946).
    Whether rings cross is not looked at.

    Parameters
    ----------
    given : mapping of province to rings, or Path
        Of a mapping, a lone ring is turned if it has to be; several must run as said above. A path is that of a
        GeoJSON file, read and checked when the first outline is asked for: its form is described in ``folder.py``.
    provinces, capitals : sequences of str
        Of the theatre.

    Raises
    ------
    ValueError
        If a province is not in the theatre, or a ring is not closed, encloses nothing or leaves the range of degrees.
    """

    def __init__(
        self,
        given: Mapping[str, Iterable[ArrayLike]] | Path = _NONE,
        provinces: Sequence[str] = (),
        capitals: Sequence[str] = (),
    ) -> None:
        self._path = given if isinstance(given, Path) else None
        self._names = (tuple(provinces), tuple(capitals))
        self._rings: dict[str, Rings] | None = None
        if not isinstance(given, Path):
            self._keep({name: (f"theatre: outline of {name}", _turned(name, rings)) for name, rings in given.items()})

    def _keep(self, found: Mapping[str, tuple[str, Rings]]) -> None:
        """Keep the rings *found* by name, each with its place for messages, in the order of provinces."""
        provinces, capitals = self._names
        kept: dict[int, Rings] = {}
        for name, (where, rings) in found.items():
            kept[find_province(name, provinces, capitals, where)] = rings
        self._rings = {provinces[i]: kept[i] for i in sorted(kept)}

    def _all(self) -> dict[str, Rings]:
        if self._rings is None and self._path is not None:
            self._keep(_read(self._path, *self._names))
        return self._rings or {}

    def __getitem__(self, province: str) -> Rings:
        return self._all()[province]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())

    def __repr__(self) -> str:
        return f"Outlines of {len(self)} provinces"

    def __reduce__(self) -> tuple[type[Outlines], tuple[Any, ...]]:
        # Of a file only the path travels: workers of a run draw nothing.
        return Outlines, (self._path or self._all(), *self._names)


def _turned(name: str, rings: Iterable[ArrayLike]) -> Rings:
    checked = tuple(_ring(ring, f"theatre: outline of {name}") for ring in rings)
    if not checked:
        raise ValueError(f"theatre: outline of {name}: must have at least one ring, but had none; leave it out")
    return (_run(checked[0], False),) if len(checked) == 1 else checked


def _read(path: Path, provinces: Sequence[str], capitals: Sequence[str]) -> dict[str, tuple[str, Rings]]:
    """Return place and rings of each feature of the GeoJSON file *path*, by the theatre's name of its province."""
    try:
        whole = json.loads(read_text(path))
    except json.JSONDecodeError as error:
        raise ValueError(f"{path.name} line {error.lineno}: not JSON: {error.msg}") from None
    kind, features = (whole.get("type"), whole.get("features")) if isinstance(whole, dict) else (whole, None)
    if kind != "FeatureCollection" or not isinstance(features, list):
        raise ValueError(
            f"{path.name}: must be a FeatureCollection with a list of features, but was {_short(kind)}; "
            "save it as one, with a feature for each province"
        )
    found: dict[str, tuple[str, Rings]] = {}
    for number, feature in enumerate(features, 1):
        where = f"{path.name} feature {number}"
        feature = feature if isinstance(feature, dict) else {}
        properties = feature.get("properties") or {}
        told = properties.get("province") if isinstance(properties, dict) else None
        if not isinstance(told, str):
            hint = nearest("province", properties).replace("did you mean", "is it")
            raise ValueError(f"{where}: property 'province' must name a province, but was {told!r}; {hint}")
        name = provinces[find_province(told, provinces, capitals, where)]
        if name in found:
            raise ValueError(f"{where}: the outline of {name} is given twice, first in {found[name][0]}; keep one")
        found[name] = (where, tuple(_geometry(feature.get("geometry"), f"{where} ({name})")))
    return found


def _geometry(geometry: object, where: str) -> Iterator[NDArray[np.float64]]:
    """Yield the rings of a Polygon or MultiPolygon, each running as it must."""
    held = geometry if isinstance(geometry, dict) else {}
    require_one_of(held.get("type"), ("Polygon", "MultiPolygon"), f"{where}: type of the geometry")
    polygons = held.get("coordinates")
    if held["type"] == "Polygon":
        polygons = [polygons]
    if not isinstance(polygons, list) or not polygons or not all(isinstance(p, list) and p for p in polygons):
        raise ValueError(
            f"{where}: coordinates of a {held['type']} must be lists of rings, but were {_short(polygons)}; "
            "leave a province without an outline out"
        )
    for rings in polygons:
        for place, ring in enumerate(rings):
            yield _run(_ring(ring, where), place > 0)


def _ring(points: object, where: str) -> NDArray[np.float64]:
    """Return *points* as a ring, a third coordinate (height) left out. Raise a ValueError unless it is one."""
    try:
        given = np.asarray(points)
    except ValueError:  # lists of unequal length
        given = np.zeros(0)
    if given.dtype.kind not in "iuf" or given.ndim != 2 or given.shape[1] not in (2, 3):
        raise ValueError(
            f"{where}: a ring must be a list of points, [longitude, latitude] in degrees, but was {_short(points)}"
        )
    ring = np.array(given[:, :2], np.float64)
    for column, (what, most) in enumerate(_DEGREES):
        for value in ring[:, column]:
            if not -most <= value <= most:
                raise ValueError(
                    f"{where}: {what} must be between {-most:g} and {most:g} degrees, but was {float(value)!r}; "
                    "a point is [longitude, latitude]"
                )
    if len(ring) < 4 or not np.array_equal(ring[0], ring[-1]):
        raise ValueError(
            f"{where}: a ring must have at least four points, the last of them the first again, but had {len(ring)} "
            f"from {_point(ring, 0)} to {_point(ring, -1)}; close it"
        )
    if _area(ring) == 0.0:
        raise ValueError(f"{where}: a ring must enclose an area, but that of {_point(ring, 0)} encloses none")
    ring.setflags(write=False)
    return ring


def _area(ring: NDArray[np.float64]) -> float:
    """Return the area a ring encloses, in square degrees; negative if it runs clockwise."""
    x, y = (ring - ring[0]).T
    return float(x[:-1] @ y[1:] - x[1:] @ y[:-1]) / 2.0


def _run(ring: NDArray[np.float64], clockwise: bool) -> NDArray[np.float64]:
    return ring if (_area(ring) < 0) == clockwise else ring[::-1]


def _point(ring: NDArray[np.float64], at: int) -> str:
    return "(" + ", ".join(f"{value:g}" for value in ring[at]) + ")" if len(ring) else "none"


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:37]}…"
