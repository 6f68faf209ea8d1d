"""Pictures of break-evens: how much slower or stronger each parameter would have to be."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from sim.plots.canvas import COLOURS, new_figure, require

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from sim.explore.breakevens import Breakeven, BreakevenTable

__all__ = ["breakeven_bars"]


def breakeven_bars(table: BreakevenTable, ax: Axes | None = None, *, outcome: str | None = None) -> Axes:
    """Draw the factor of each parameter on a logarithmic axis; bars are the 5%–95% of draws, arrows go beyond.

    Parameters for which no value in range does it are marked at the end of the range where the probability comes
    nearest, unless it is above what was asked at both ends: then words say so. A parameter that is added to stands at
    the exponential of what is added.

    Parameters
    ----------
    table : BreakevenTable
        From ``sim.explore.breakeven_table``.
    ax : Axes, optional
    outcome : str, optional
        Which, if the table has several; its first unless given.

    Raises
    ------
    ValueError
        If the table has no such outcome.
    """
    from sim.explore.breakevens import BreakevenTable

    require(table, BreakevenTable, "breakeven_bars", "sim.explore.breakeven_table")
    names = list(dict.fromkeys(row.outcome for row in table.rows))
    chosen = names[0] if outcome is None else outcome
    rows = [row for row in table.rows if row.outcome == chosen]
    if not rows:
        raise ValueError(f"breakeven_bars: the table has no outcome {chosen!r}, only {', '.join(names)}")
    if ax is None:
        ax = new_figure((7.5, 1.6 + 0.27 * len(rows))).add_subplot()
    families = list(dict.fromkeys(row.family for row in rows))
    for y, row in enumerate(rows):
        colour = COLOURS[1 + families.index(row.family) % (len(COLOURS) - 1)]
        if row.found:
            _draw(ax, y, row, colour)
        elif min(row.at_least, row.at_most) > row.probability:
            ax.annotate(
                "more probable than that, at either end", (0.5, y), xycoords=("axes fraction", "data"), color="0.4",
                ha="center", va="center", fontsize="small", bbox={"facecolor": "white", "edgecolor": "none", "pad": 1},
            )  # fmt: skip
        else:
            x = _scale(row, row.most if _nearest_is_high(row) else row.least)
            ax.plot([x], [y], marker="x", color="0.6", clip_on=False)
    _dress(ax, rows)
    return ax


def _draw(ax: Axes, y: int, row: Breakeven, colour: str) -> None:
    if not math.isnan(row.low):
        low, high = _scale(row, max(row.low, row.least)), _scale(row, min(row.high, row.most))
        ax.plot([low, high], [y, y], color=colour, linewidth=4, alpha=0.4, solid_capstyle="butt")
        if row.low < row.least:
            ax.plot([low], [y], marker="<", color=colour, markersize=7, clip_on=False)
        if row.high > row.most:
            ax.plot([high], [y], marker=">", color=colour, markersize=7, clip_on=False)
    ax.plot([_scale(row, row.factor)], [y], marker="o", color=colour, markersize=5)


def _dress(ax: Axes, rows: list[Breakeven]) -> None:
    first = rows[0]
    ax.set_xscale("log")
    ax.xaxis.set_major_formatter("{x:g}")
    ax.set_xlim(min(_scale(row, row.least) for row in rows), max(_scale(row, row.most) for row in rows))
    ax.axvline(1.0, color="0.4", linewidth=0.8, linestyle=":")
    named = [f"{row.family}: {row.parameter}" + (f" (at {row.at})" if row.at != "posterior" else "") for row in rows]
    ax.set_yticks(range(len(rows)), named, fontsize="small")
    ax.set_ylim(len(rows) - 0.4, -0.6)
    ax.set_xlabel(
        "factor on the parameter (no unit; 1 leaves it as it is)\n"
        "×: no value in range does it; arrowhead: beyond the range"
    )
    ax.set_title(
        f"{first.outcome} within {first.within:g} days with probability {first.probability:g}:\n"
        "point: all draws and chance; bar: 5%–95% of draws",
        fontsize="medium",
    )


def _scale(row: Breakeven, value: float) -> float:
    """Return where *value* stands on an axis of factors: a shift of an exponent is a factor on the hazard."""
    return value if row.by == "factor" else math.exp(value)


def _nearest_is_high(row: Breakeven) -> bool:
    return abs(row.at_most - row.probability) < abs(row.at_least - row.probability)
