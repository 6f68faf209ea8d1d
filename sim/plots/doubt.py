"""Pictures of doubt: which parameter an answer hangs on, the budget of doubt, and where an assessment is right."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sim.explore.split import SOURCES
from sim.plots.canvas import COLOURS, axes_or_new, require

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from sim.explore.doubt import Budget, Share
    from sim.explore.sobol import Sensitivity
    from sim.explore.trajectory import Regions

__all__ = ["budget_bars", "region_box", "sensitivity_bars"]

_HATCHES = ("", "//", "..", "xx")
_NARROW = 0.36
#: How names of rates end.
_RATE = ".baseline"


def sensitivity_bars(result: Sensitivity, ax: Axes | None = None) -> Axes:
    """Draw first-order and total index of each parameter and of chance; whiskers are the intervals."""
    from sim.explore.sobol import Sensitivity

    require(result, Sensitivity, "sensitivity_bars", "sim.explore.sensitivity")
    ax = axes_or_new(ax)
    # From below: chance, then the parameters, the largest on top.
    rows = [result.rows[-1], *sorted(result.rows[:-1], key=lambda row: row.total)]
    for shift, name, colour, hatch in ((0.19, "first", COLOURS[1], ""), (-0.19, "total", COLOURS[4], "//")):
        values = [getattr(row, name) for row in rows]
        ends = [(getattr(row, f"{name}_low"), getattr(row, f"{name}_high")) for row in rows]
        at = [k + shift for k in range(len(rows))]
        label = "first order: what knowing it removes" if name == "first" else "total: what not knowing it leaves"
        ax.barh(at, values, height=_NARROW, color=colour, hatch=hatch, edgecolor="white", label=label)
        ax.hlines(at, [low for low, _ in ends], [high for _, high in ends], color="0.15", linewidth=1.4)
    ax.set_yticks(range(len(rows)), [row.parameter for row in rows])
    ax.axvline(0.0, color="0.3", linewidth=0.8)
    ax.set_xlabel(f"share of the variance (whiskers: {result.level:.0%} intervals)")
    when = "days until" if result.within is None else f"within {result.within:g} days:"
    ax.set_title(f"{result.family}, {when} {result.outcome}")
    ax.legend(frameon=False, fontsize="small", ncols=2, loc="upper center", bbox_to_anchor=(0.5, -0.15))
    return ax


def budget_bars(result: Budget, ax: Axes | None = None) -> Axes:
    """Draw shares of the variance by day, stacked: to the left in order, to the right by Shapley.

    Whiskers are the intervals of each share, at its upper end. A share below nought, which is noise, is drawn as none.
    """
    from matplotlib.patches import Patch

    from sim.explore.doubt import Budget

    require(result, Budget, "budget_bars", "sim.explore.budget")
    ax = axes_or_new(ax)
    days = list(result.probability)
    keys = [
        Patch(facecolor=_COLOUR[k], hatch=_HATCHES[k], edgecolor="white", label=source)
        for k, source in enumerate(SOURCES)
    ]
    for k in range(len(SOURCES)):
        for d, day in enumerate(days):
            _pile(result.on(day), k, d, ax)
    ticks = [d + shift for d in range(len(days)) for shift in (-0.2, 0.2)]
    names = [f"{what}{end}" for day in days for what, end in (("in order", f"\n{day:g} days"), ("Shapley", "\n"))]
    ax.set_xticks(ticks, names, fontsize="small")
    ax.set_ylabel(f"share of the variance (whiskers: {result.level:.0%})")
    ax.set_xlabel("days since the start")
    ax.set_ylim(0.0, 1.08)
    ax.set_title("What the doubt about pressure is made of")
    ax.legend(
        handles=keys, frameon=False, fontsize="small", ncols=4, loc="upper center", bbox_to_anchor=(0.5, -0.2)
    )  # fmt: skip
    return ax


def _pile(rows: Mapping[str, Share], k: int, at: float, ax: Axes) -> None:
    """Draw the shares of one day's source number *k* upon those before it, around *at*."""
    for split, shift in (("sequential", -0.2), ("shapley", 0.2)):
        value, low, high = (max(0.0, getattr(rows[SOURCES[k]], f"{split}{end}")) for end in ("", "_low", "_high"))
        if math.isnan(getattr(rows[SOURCES[k]], split)):
            continue
        below = sum(max(0.0, getattr(rows[each], split)) for each in SOURCES[:k])
        ax.bar(
            at + shift, value, bottom=below, width=_NARROW, color=_COLOUR[k], hatch=_HATCHES[k], edgecolor="white"
        )  # fmt: skip
        ax.vlines(at + shift + 0.04 * (k - 1.5), below + low, below + high, color="0.1", linewidth=1.2)


#: Model family, definition, parameters, chance.
_COLOUR = (COLOURS[2], COLOURS[4], COLOURS[1], COLOURS[5])


def region_box(result: Regions, ax: Axes | None = None) -> Axes:
    """Draw the picked box over the points it was measured on, along the one or two parameters it restricts most surely.

    Of one parameter, the probability stands against it. Scales of rates are logarithmic.
    """
    from sim.explore.trajectory import Regions

    require(result, Regions, "region_box", "sim.explore.discover")
    ax = axes_or_new(ax)
    named = [row.parameter for row in result.rows] or [result.parameters[0]]
    columns = [result.parameters.index(name) for name in named[:2]]
    half = len(result.points) // 2
    points, right = result.points[half:], result.right[half:]
    other = points[:, columns[1]] if len(columns) == 2 else result.probabilities[half:]
    for chosen, label, style in (
        (~right, "wrong", {"color": "0.65", "marker": "x", "s": 12, "linewidth": 0.8}),
        (right, "right", {"color": COLOURS[1], "marker": "o", "s": 14, "linewidth": 0}),
    ):  # fmt: skip
        kind: dict[str, Any] = style
        ax.scatter(points[chosen, columns[0]], other[chosen], label=f"{label} ({int(chosen.sum())})", **kind)
    for axis, column in zip("xy", columns, strict=False):
        if result.parameters[column].endswith(_RATE):
            getattr(ax, f"set_{axis}scale")("log")
    _edges(result, ax, columns)
    mine = result.measured
    ax.set_title(
        f"{result.family}: density {mine.density:.2f}, coverage {mine.coverage:.2f}"
        if result.found else f"{result.family}: no region"
    )  # fmt: skip
    ax.set_xlabel(_unit(result.parameters[columns[0]]))
    probability = f"probability of {result.outcome} within {result.within:g} days"
    ax.set_ylabel(_unit(result.parameters[columns[1]]) if len(columns) == 2 else probability)
    ax.legend(frameon=True, fontsize="small", title=result.right_means, title_fontsize="small")
    return ax


def _edges(result: Regions, ax: Axes, columns: list[int]) -> None:
    """Draw the box as a frame; where a side is free it ends with the picture."""
    from matplotlib.patches import Rectangle

    if not result.found:
        return
    ends = [ax.get_xlim(), ax.get_ylim()]
    for k, column in enumerate(columns):
        low, high = float(result.box.low[column]), float(result.box.high[column])
        ends[k] = (max(low, ends[k][0]), min(high, ends[k][1]))
    (left, right), (bottom, top) = ends
    frame = Rectangle(
        (left, bottom), right - left, top - bottom, fill=False, edgecolor=COLOURS[2], linewidth=2.0,
        label=f"box {result.number}",
    )  # fmt: skip
    limits = ax.get_xlim(), ax.get_ylim()
    ax.add_patch(frame)
    ax.set_xlim(limits[0])
    ax.set_ylim(limits[1])


def _unit(parameter: str) -> str:
    return f"{parameter} ({'per day' if parameter.endswith(_RATE) else 'without unit'})"
