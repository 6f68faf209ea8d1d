"""Maps of the road network: who holds the capitals on it, and whom it leaves cut off."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sim.control import Control, State
from sim.plots.canvas import COLOURS, new_figure
from sim.plots.ground import (
    capital_of,
    draw_dots,
    draw_hub,
    draw_roads,
    draw_shapes,
    places_of,
    require_places,
    show_degrees,
    show_key,
    told,
)  # fmt: skip
from sim.severing import cut_off
from sim.theatre import Theatre

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["road_map"]

_CONTROL = {
    Control.GOVERNMENT: ("government", "o", COLOURS[1]),
    Control.CONTESTED: ("contested", "^", COLOURS[4]),
    Control.INSURGENT: ("insurgent", "s", COLOURS[0]),
}


def road_map(
    theatre: Theatre,
    state: State,
    *,
    hub: str | None = None,
    without: tuple[str, ...] = ("track",),
    ax: Axes | None = None,
) -> Axes:
    """Draw the capitals by who controls them in *state*, the roads by class, and rings round capitals cut off.

    Cut off from the *hub* (the theatre's unless given) by roads other than those of the classes *without* is what
    ``sim.severing.cut_off`` says; without a hub nobody is. Capitals contested or cut off, and the hub, are named. The
    key stands to the right of the axes.

    Raises
    ------
    ValueError
        If the theatre has no roads, a capital has no coordinates, or *hub*, *without* or *state* name what it lacks.
    """
    where = "road_map"
    if not theatre.roads:
        raise ValueError(f"{where}: the theatre has no roads; add roads.csv")
    for name in state.control:
        theatre.index(name, f"{where}: state")
    if hub is None:
        hub = theatre.hub
    centre = None if hub is None else theatre.provinces[theatre.index(hub, f"{where}: hub")]
    require_places(where, theatre, theatre.provinces)
    severed = () if centre is None else cut_off(theatre, state, hub=centre, without=without)
    ax = new_figure((8.0, 4.2)).add_subplot() if ax is None else ax  # wider: the key stands beside the map
    land = {"facecolor": "0.97", "edgecolor": "0.8", "linewidth": 0.6}
    draw_shapes(ax, theatre, dict.fromkeys(theatre.outlines, land))
    draw_roads(ax, theatre, without)
    places = places_of(theatre)
    for control, (label, marker, colour) in _CONTROL.items():
        held = [name for name in theatre.provinces if state.control.get(name, Control.GOVERNMENT) is control]
        draw_dots(ax, [places[name] for name in held], marker=marker, s=45, color=colour, zorder=2.5, label=label)
    draw_dots(
        ax, [places[name] for name in severed], s=150, facecolors="none", edgecolors=COLOURS[2], linewidths=1.8,
        zorder=3, label=f"cut off from {capital_of(theatre, centre)}" if severed else None,
    )  # fmt: skip
    if centre is not None:
        draw_hub(ax, theatre, centre, _CONTROL[state.control.get(centre, Control.GOVERNMENT)][2])
    show_degrees(ax)
    _names(ax, theatre, [name for name in theatre.provinces if name in {*severed, *state.contested, centre}])
    ax.set_title(f"roads and control{f', {told(state.instant)}' if state.instant else ''}")
    show_key(ax, loc="upper left", bbox_to_anchor=(1.01, 1.0), handlelength=3.0)
    return ax


def _names(ax: Axes, theatre: Theatre, provinces: Iterable[str]) -> None:
    """Write the names of capitals beside them, each on the side where it hides the fewest capitals and names."""
    from matplotlib.patheffects import withStroke

    ax.apply_aspect()
    points = 72.0 / ax.figure.get_dpi()
    places = {name: ax.transData.transform(place) * points for name, place in places_of(theatre).items()}
    frame = np.array(ax.get_window_extent().extents) * points
    taken = [np.concatenate([place - 4.0, place + 4.0]) for place in places.values()]
    for name in provinces:
        text = capital_of(theatre, name)
        found: list[tuple[int, int, int, int, NDArray[np.float64]]] = []
        for across, up in itertools.product((1, -1), (0, 1, -1)):
            wide, high = 4.6 * len(text), 8.0  # about what the smallest letters take, in points
            x = places[name][0] + across * 10.0 - (wide if across < 0 else 0.0)
            y = places[name][1] + up * 9.0 - high / 2.0
            box = np.array([x, y, x + wide, y + high])
            hidden = sum(bool(np.all(box[:2] < other[2:]) and np.all(other[:2] < box[2:])) for other in taken)
            outside = bool(np.any(box[:2] < frame[:2]) or np.any(box[2:] > frame[2:]))
            found.append((hidden + 9 * outside, len(found), across, up, box))
        _, _, across, up, box = min(found, key=lambda side: side[:2])
        taken.append(box)
        ax.annotate(
            text, places_of(theatre)[name], xytext=(across * 10.0, up * 9.0), textcoords="offset points", va="center",
            ha="left" if across > 0 else "right", fontsize="x-small", zorder=4,
            path_effects=[withStroke(linewidth=2.0, foreground="white")],
        )  # fmt: skip
