"""Pictures of how many capitals are lost by day, and how many were."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.plots.canvas import COLOURS, new_figure
from sim.plots.mixture import levels_by_day, named, require_days, shares_of
from sim.plots.reality import CALLED, day_axis, recorded_by_day, require_bases

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from sim.result import Result
    from sim.run import Run

__all__ = ["capitals_by_day"]

#: Points of a band's lower and upper edge, what it covers, and its shade of grey.
_BANDS = ((0.05, 0.95, "90%", "0.87"), (0.25, 0.75, "50%", "0.70"))
_RECORD: Mapping[str, Mapping[str, Any]] = {
    "press": {"linestyle": "-", "marker": "o", "markersize": 4.5, "color": COLOURS[2]},
    "best_date": {"linestyle": ":", "marker": "D", "markersize": 8.0, "color": COLOURS[1], "fillstyle": "none"},
}


def capitals_by_day(
    run: Run | Result, ax: Axes | None = None, *, family: str | None = None, record: str = "both",
    days: float | None = None,
) -> Axes:  # fmt: skip
    """Draw the number of capitals lost at the end of each day: median, the middle 50% and 90%, and the record.

    Capitals are whole: a band covers every number from its 5% to its 95% point, and both are counts that some
    replication has.

    Parameters
    ----------
    run : Ensemble, Passages or Result
        Of a result, the mixture of its families by their weights.
    ax : matplotlib Axes, optional
    family : str, optional
        Of a result, one family alone.
    record : "both", "press", "best_date" or "none"
        What happened, by first report, by the best date, or by both; it is drawn to the last capture on record, if
        there is one and the start has an instant.
    days : float, optional
        How many days after the start to draw: to the horizon unless given.

    Raises
    ------
    ValueError
        If *days* lie beyond the horizon, or *record* or *family* is none there is.
    TypeError
        If *run* is neither.
    """
    from matplotlib.ticker import MaxNLocator

    where = "capitals_by_day"
    shares = shares_of(where, run, family)
    bases = require_bases(where, record)
    first = shares[0].run
    days = require_days(where, days, first.horizon)
    middle, *edges = levels_by_day(shares, [0.5, *(point for low, high, *_ in _BANDS for point in (low, high))])
    at = np.arange(min(int(days) + 1, len(middle)))
    ax = new_figure((7.0, 4.7)).add_subplot() if ax is None else ax  # taller: the key stands below
    for k, (_, _, share, shade) in enumerate(_BANDS):
        low, high = edges[2 * k][at], edges[2 * k + 1][at]
        # A count fills the unit round it, so that one alone can be seen.
        ax.fill_between(
            at, low - 0.5, high + 0.5, step="mid", color=shade, linewidth=0, label=f"middle {share} of replications"
        )
    ax.plot(at, middle[at], drawstyle="steps-mid", color="black", linewidth=1.6, label="median of replications")
    for basis in bases:
        told, lost = recorded_by_day(first.theatre, first.start, basis, days)
        if len(told):
            changed = [0, *(np.flatnonzero(np.diff(lost)) + 1).tolist()]
            ax.plot(
                told, lost, drawstyle="steps-mid", markevery=changed, linewidth=1.4, clip_on=False, zorder=3,
                label=f"record, by {CALLED[basis]}", **_RECORD[basis],
            )  # fmt: skip
    n = len(first.provinces)
    ax.set_ylim(0.0, n + 0.5)
    ax.set_ylabel(f"capitals lost, of {n}")
    day_axis(ax, first.start, days)
    ax.set_title(f"capitals lost by day\n{named(shares)}", fontsize="medium")
    ax.yaxis.set_major_locator(MaxNLocator(integer=True))
    ax.legend(fontsize="small", ncols=3, loc="upper center", bbox_to_anchor=(0.5, -0.14))
    return ax
