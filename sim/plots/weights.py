"""Pictures of a tournament: which family the facts favour, evening by evening."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sim.plots.canvas import axes_or_new, require, styles

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from sim.checks.weights import Tournament

__all__ = ["family_weights"]


def family_weights(result: Tournament, ax: Axes | None = None) -> Axes:
    """Draw the weight of each family by evening; bands are two standard errors of the evidence."""
    from sim.checks.weights import Tournament

    require(result, Tournament, "family_weights", "sim.checks.tournament")
    ax = axes_or_new(ax)
    days: list[Any] = list(result.days)
    weights, errors = result.weights, result.weight_errors
    for f, (name, style) in enumerate(zip(result.families, styles(), strict=False)):
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
