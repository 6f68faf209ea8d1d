"""Pictures of a scenario's answers side by side, one row for each definition of pressure."""

from __future__ import annotations

import math
import textwrap
from typing import TYPE_CHECKING

from sim.outcomes import PRESSURES, Pressure
from sim.plots.canvas import COLOURS, new_figure, require
from sim.plots.ground import capital_of
from sim.plots.mixture import named, shares_of
from sim.plots.reality import assessed, happened, require_bases

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from sim.report import Row
    from sim.result import Result

__all__ = ["definitions"]

#: By number of days, soonest first: markers told apart by shape and by shade.
_MARKS = (("o", "white"), ("s", COLOURS[5]), ("D", COLOURS[1]), ("^", COLOURS[0]), ("v", COLOURS[2]), ("P", COLOURS[4]))
_HEIGHT = 0.72  # of a row, for its marks


def definitions(result: Result, family: str | None = None, ax: Axes | None = None, *, record: str = "both") -> Axes:
    """Draw the probability of pressure on the hub by each of its definitions, within each of the days asked.

    Lines are 5% to 95% points over parameter draws; where draws have one replication each there are none. To the right
    stands the day on which it happened.

    Parameters
    ----------
    result : Result
    family : str, optional
        "pooled" or one of its families: "pooled" unless given, or the only one.
    ax : matplotlib Axes, optional
    record : "both", "press", "best_date" or "none"
        By whose dates it happened.

    Raises
    ------
    ValueError
        If the result has no such family, no answers on pressure, or on more days than there are marks (six).
    TypeError
        If *result* is none.
    """
    from sim.result import Result

    where = "definitions"
    require(result, Result, where, "Scenario.run")
    bases = require_bases(where, record)
    shares = shares_of(where, result, family)
    family = "pooled" if len(shares) > 1 else shares[0].family
    rows = [row for row in result.rows if row.family == family and row.outcome in PRESSURES]
    if not rows:
        raise ValueError(
            f"{where}: the result has no answers on pressure; its theatre must have a hub, and days must be asked for "
            "within the horizon"
        )
    asked = sorted({row.within_days for row in rows})
    if len(asked) > len(_MARKS):
        raise ValueError(
            f"{where}: has marks for {len(_MARKS)} days, but the result answers pressure within {len(asked)}: "
            f"{', '.join(f'{day:g}' for day in asked)}; ask for fewer in pressure_within"
        )
    names = list(dict.fromkeys(row.outcome for row in rows))
    ax = new_figure((8.4, 1.2 + 0.75 * len(names))).add_subplot() if ax is None else ax
    _rows(ax, rows, names)
    _assessment(ax, result)
    ax.set_xlim(-0.02, 1.02)
    ax.set_ylim(len(names) - 0.5, -0.5)  # the first on top
    words = [[name, *textwrap.wrap(PRESSURES[name], 38, break_on_hyphens=False)] for name in names]
    ax.set_yticks(range(len(names)), ["\n".join(lines) for lines in words])
    ax.tick_params(axis="y", length=0, labelsize="small")
    hub = capital_of(result.theatre, result.theatre.hub)
    ax.set_xlabel(f"probability of pressure on {hub} within so many days")
    ax.set_title(f"pressure on {hub}, by its definitions\n{named(shares)}", fontsize="medium")
    if bases:
        _happened(ax, result, names, bases)
    ax.legend(fontsize="small", ncols=3, loc="upper center", bbox_to_anchor=(0.5, -0.13))
    return ax


def _rows(ax: Axes, rows: list[Row], names: list[str]) -> None:
    """Draw the estimates of *rows*, those of one definition below one another."""
    within = sorted({row.within_days for row in rows})
    for k, day in enumerate(within):
        marker, colour = _MARKS[k]
        mine = [row for row in rows if row.within_days == day]
        at = [names.index(row.outcome) + _HEIGHT * ((k + 0.5) / len(within) - 0.5) for row in mine]
        spread = [(y, row) for y, row in zip(at, mine, strict=True) if not math.isnan(row.low)]
        ax.hlines(
            [y for y, _ in spread], [row.low for _, row in spread], [row.high for _, row in spread], color="0.45",
            linewidth=1.6, zorder=2, label="5%–95% over parameter draws" if spread and k == len(within) - 1 else "_",
        )  # fmt: skip
        ax.plot(
            [row.probability for row in mine], at, marker, color=colour, markeredgecolor="black", markersize=6.5,
            zorder=3, clip_on=False, label=f"within {day:g} day{'' if day == 1 else 's'}",
        )  # fmt: skip
    for y in range(1, len(names)):
        ax.axhline(y - 0.5, color="0.85", linewidth=0.8, zorder=1)


def _assessment(ax: Axes, result: Result) -> None:
    said = assessed(result.scenario, Pressure("half_ring"))
    if said is not None:
        label = f"assessment ({said[0]}): within {said[1]:g} days, read as a median"
        ax.axvline(0.5, color="0.35", linewidth=1.2, linestyle="--", zorder=1.5, label=label)


def _happened(ax: Axes, result: Result, names: list[str], bases: tuple[str, ...]) -> None:
    """Write beside each row when it happened."""
    start = next(iter(result.ensembles.values())).start
    told = [happened(Pressure(name), result.theatre, start, bases) for name in names]
    if start.instant is None or not any(told):
        return
    beside = ax.secondary_yaxis("right")
    beside.set_yticks(range(len(names)), ["\n".join(map(str, each)) or "not in the record" for each in told])
    beside.tick_params(axis="y", length=0, labelsize="small")
    beside.set_ylabel("when it happened (days after the start)", fontsize="small")
