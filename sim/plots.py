"""Pictures: each takes Matplotlib axes, or makes them, and gives them back with units and a legend.

Bands say what they cover. Colours are those of Okabe and Ito (2008), which survive colour-blindness; lines differ in
dash as well, so that they survive print.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from sim.checks.rivals import Tournament

__all__: list[str] = ["family_weights"]

#: Okabe and Ito: black, blue, vermilion, green, orange, sky, purple.
COLOURS = ("#000000", "#0072B2", "#D55E00", "#009E73", "#E69F00", "#56B4E9", "#CC79A7")
_DASHES = ("-", "--", "-.", ":")


def _axes(ax: Axes | None) -> Axes:
    """Return *ax*, or new axes of a figure that belongs to no window (so pictures leave no state behind)."""
    if ax is not None:
        return ax
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.0, 4.2), layout="constrained")
    FigureCanvasAgg(figure)
    return figure.add_subplot()


def _styles() -> Iterator[dict[str, Any]]:
    """Yield line styles, told apart by colour and by dash."""
    for i in itertools.count():
        yield {"color": COLOURS[i % len(COLOURS)], "linestyle": _DASHES[i % len(_DASHES)]}


def family_weights(result: Tournament, ax: Axes | None = None) -> Axes:
    """Draw the weight of each family by evening; bands are two standard errors of the evidence."""
    ax = _axes(ax)
    days: list[Any] = list(result.days)
    weights, errors = result.weights, result.weight_errors
    for f, (name, style) in enumerate(zip(result.families, _styles(), strict=False)):
        middle, spread = weights[:, f], 2.0 * errors[:, f]
        ax.plot(days, middle, marker="o", markersize=4, label=name, **style)
        ax.fill_between(days, middle - spread, middle + spread, color=style["color"], alpha=0.15, linewidth=0)
    ax.axhline(1.0 / len(result.families), color="0.6", linewidth=0.8, label="before the first fact")
    ax.set_ylim(0.0, 1.0)
    ax.set_xticks(days, [f"{day.day} {day:%b}" for day in days])
    ax.set_xlabel("evening")
    ax.set_ylabel("weight of the family")
    ax.legend(frameon=False)
    return ax
