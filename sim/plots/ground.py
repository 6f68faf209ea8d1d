"""What maps are drawn from: shapes, roads and capitals of a theatre, and degrees on the axes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, time
from typing import TYPE_CHECKING, Any

from sim.links import ROAD_KINDS
from sim.theatre import Theatre

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

__all__ = [
    "capital_of", "draw_dots", "draw_hub", "draw_roads", "draw_shapes", "places_of", "require_places", "show_degrees",
    "show_key", "told",
]  # fmt: skip

#: Width and dash of a class of road, widest first; any other class is the last.
_ROADS = dict(
    zip(
        (*ROAD_KINDS, ""),
        ((3.2, "-"), (3.2, "--"), (3.2, ":"), (1.7, "-"), (1.7, "--"), (0.9, "-"), (0.9, ":"), (1.2, "-.")),
        strict=True,
    )
)


def places_of(theatre: Theatre) -> dict[str, tuple[float, float]]:
    """Return longitude and latitude of each capital that has both."""
    if not {"longitude", "latitude"} <= set(theatre.columns):
        return {}
    both = zip(theatre.columns["longitude"].tolist(), theatre.columns["latitude"].tolist(), strict=True)
    return {name: place for name, place in zip(theatre.provinces, both, strict=True) if not any(map(math.isnan, place))}


def require_places(where: str, theatre: Theatre, provinces: Iterable[str]) -> None:
    """Raise a ValueError if one of *provinces*, which have no outline to draw, has no coordinates either."""
    lost = sorted(set(provinces) - set(places_of(theatre)))
    if lost:
        shown = ", ".join(lost[:6]) + (f" and {len(lost) - 6} more" if len(lost) > 6 else "")
        shapes = "" if where == "road_map" else ", or give them outlines (outlines.geojson)"
        raise ValueError(
            f"{where}: a map needs coordinates, but there were none for {shown}; "
            f"fill in columns latitude and longitude of provinces.csv{shapes}"
        )


def capital_of(theatre: Theatre, province: str | None) -> str:
    return theatre.capitals[theatre.index(province or "")]


def draw_shapes(ax: Axes, theatre: Theatre, styles: Mapping[str, Mapping[str, Any]]) -> None:
    """Draw the outlines of the provinces that *styles* names and that have one; their names are the ids of SVG."""
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    for name, style in styles.items():
        if name in theatre.outlines:
            rings = [Path(ring, closed=True) for ring in theatre.outlines[name]]
            ax.add_patch(PathPatch(Path.make_compound_path(*rings), gid=name, **style))


def draw_dots(ax: Axes, places: Sequence[tuple[float, float]], **style: Any) -> None:
    if places:
        ax.scatter(*zip(*places, strict=True), **style)


def draw_roads(ax: Axes, theatre: Theatre, without: Sequence[str] | None = None) -> None:
    """Draw the roads whose ends have coordinates: by class, told which do not count, or thin if *without* is None."""
    places = places_of(theatre)
    for kind in [*ROAD_KINDS, *sorted({road.kind for road in theatre.roads} - set(ROAD_KINDS))]:
        width, dash, label = 0.8, "-", None
        if without is not None:
            width, dash = _ROADS.get(kind, _ROADS[""])
            label = f"road: {kind.replace('_', ' ')}{' (does not count)' if kind in without else ''}"
        for road in theatre.roads:
            if road.kind == kind and road.a in places and road.b in places:
                x, y = zip(places[road.a], places[road.b], strict=True)
                ax.plot(x, y, color="0.55", linewidth=width, linestyle=dash, zorder=1.5, label=label)


def draw_hub(ax: Axes, theatre: Theatre, hub: str | None, colour: Any) -> None:
    """Mark the hub where its coordinates are known."""
    if hub in (places := places_of(theatre)):
        label = f"hub: {capital_of(theatre, hub)}"
        draw_dots(ax, [places[hub]], marker="*", s=190, color=[colour], edgecolors="black", zorder=3.5, label=label)


def show_degrees(ax: Axes) -> None:
    """Name the units, and let a kilometre north be as long as one east in the middle of the map."""
    ax.autoscale_view()
    ax.locator_params(nbins=6, steps=[1, 2, 5, 10])
    low, high = ax.get_ylim()
    # Nearer than this to a pole there is no such map.
    ax.set_aspect(1.0 / math.cos(math.radians(min(abs(low + high) / 2.0, 85.0))))
    ax.set_xlabel("longitude (degrees east)")
    ax.set_ylabel("latitude (degrees north)")


def show_key(ax: Axes, figure: Figure | SubFigure | None = None, **where: Any) -> None:
    """Give *ax*, or the whole *figure*, a legend of what is drawn, each label once."""
    handles = dict(zip(*reversed(ax.get_legend_handles_labels()), strict=True))
    if handles:
        (figure or ax).legend(handles.values(), handles.keys(), fontsize="small", **where)


def told(instant: datetime) -> str:
    return str(instant.date()) if instant.time() == time() else instant.isoformat(" ", "minutes")
