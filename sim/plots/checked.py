"""Pictures of checks: ranks of simulated fits, and simulated weeks beside the record."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from sim.plots.canvas import COLOURS, axes_or_new, panels, require, styles

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from sim.checks.predictive import Check, PredictiveChecks
    from sim.checks.ranks import Ranks

__all__ = ["predictive", "sbc_ranks"]


def sbc_ranks(ranks: Ranks, ax: Axes | None = None) -> Axes:
    """Draw how far the ranks of a simulation-based calibration stray from uniform ones, and the band for all of them.

    Parameters
    ----------
    ranks : Ranks
        Of ``sim.checks.sbc``.
    ax : matplotlib Axes, optional
    """
    from sim.checks.ranks import Ranks

    require(ranks, Ranks, "sbc_ranks", "sim.checks.sbc")
    ax = axes_or_new(ax)
    at = np.arange(1, ranks.draws + 1) / (ranks.draws + 1)
    low, high = (bound / len(ranks) - at for bound in ranks.band)
    ax.fill_between(at, low, high, step="mid", color="0.85", label=f"{ranks.level:.0%} band, everywhere at once")
    ax.axhline(0.0, color="0.6", linewidth=0.8)
    for quantity, style in zip(ranks.quantities, styles(), strict=False):
        told = "" if ranks.within(quantity) else " (outside)"
        ax.plot(at, ranks.below(quantity) / len(ranks) - at, label=f"{quantity}{told}", linewidth=1.4, **style)
    ax.set_xlim(0.0, 1.0)
    ax.set_xlabel("rank of the truth among posterior draws, as a share")
    ax.set_ylabel("share of fits below it,\nless what is due")
    ax.set_title(f"{ranks.model}: {len(ranks)} simulated weeks\n{ranks.text}", fontsize="medium")
    ax.legend(fontsize="small", ncols=2, loc="upper center", bbox_to_anchor=(0.5, -0.2))
    return ax


def predictive(checks: PredictiveChecks, axes: Sequence[Axes] | None = None) -> list[Axes]:
    """Draw predictive checks: captures by day with the bands of simulated weeks, then a histogram for each other check.

    Parameters
    ----------
    checks : PredictiveChecks
        Of ``sim.checks.predictive_checks``.
    axes : sequence of matplotlib Axes, optional
        As many as there are checks.

    Raises
    ------
    ValueError
        If there are not as many axes as checks.
    """
    from sim.checks.predictive import PredictiveChecks

    require(checks, PredictiveChecks, "predictive", "sim.checks.predictive_checks")
    axes = panels(len(checks.checks)) if axes is None else list(axes)
    if len(axes) != len(checks.checks):
        raise ValueError(f"predictive: axes must be {len(checks.checks)}, one for each check, but were {len(axes)}")
    _days(checks, axes[0])
    for check, ax in zip(checks.checks[1:], axes[1:], strict=True):
        whole = bool(np.all(check.replicated == np.round(check.replicated)))
        values = np.append(check.replicated, check.observed)
        edges = (
            np.arange(values.min(), values.max() + 2) - 0.5 if whole else np.linspace(values.min(), values.max(), 41)
        )
        weights = np.full(len(check.replicated), 1 / len(check.replicated))
        ax.hist(check.replicated, edges.tolist(), weights=weights, color=COLOURS[5], label="simulated weeks")
        ax.axvline(check.observed, color=COLOURS[2], linewidth=2.0, label="record")
        ax.set_xlabel(check.unit)
        ax.set_ylabel("share of simulated weeks")
        ax.set_title(f"{check.name}: {_tail(check)}", fontsize="medium")
        ax.legend(fontsize="small")
    axes[0].figure.suptitle(f"{checks.kind} predictive checks of {checks.model}")
    return axes


def _days(checks: PredictiveChecks, ax: Axes) -> None:
    days = np.arange(1, len(checks.observed_by_day) + 1)
    for share, shade in ((0.9, "0.88"), (0.5, "0.74")):
        low, high = np.quantile(checks.by_day, (0.5 - share / 2, 0.5 + share / 2), axis=0, method="inverted_cdf")
        ax.bar(days, high - low + 1.0, 0.9, low - 0.5, color=shade, label=f"{share:.0%} of simulated weeks")
    ax.plot(days, checks.observed_by_day, "o", color=COLOURS[2], label="record")
    ax.set_xlabel(f"day of the week, day 1 is {checks.origin}")
    ax.set_ylabel("captures on the day")
    ax.set_title(f"captures by day: {_tail(checks.checks[0])}", fontsize="medium")
    ax.set_ylim(top=1.3 * ax.get_ylim()[1])  # room for the legend
    ax.legend(fontsize="x-small", ncols=3, loc="upper center", columnspacing=1.0)


def _tail(check: Check) -> str:
    told = f"{check.tail:.2f}" if check.tail >= 0.005 else "below 0.01"
    return f"tail probability {told}, {'two-sided' if check.side == 'both' else 'upper'}"
