"""Which pictures each kind of answer has, and all of them written into a folder."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sim.outcomes import FullControl, Outcome, Pressure
from sim.plots.breakevens import breakeven_bars
from sim.plots.canvas import axes_or_new, panels
from sim.plots.curves import difference
from sim.plots.doubt import budget_bars, region_box, sensitivity_bars
from sim.plots.saving import save_figures, save_pictures
from sim.plots.scores import score_by_day

if TYPE_CHECKING:
    from matplotlib.figure import Figure, SubFigure

    from sim.checks.backtest import Hindcast
    from sim.explore.breakevens import BreakevenTable
    from sim.result import Result

__all__ = ["draw", "draw_differences"]


def draw(answer: object, folder: str | Path) -> list[Path]:
    """Draw the pictures of *answer* into *folder* as PNG and SVG, and return their paths.

    *answer* is a Result, a BreakevenTable, a Sensitivity, a Budget, Regions or a Hindcast. Raise a TypeError if it is
    none of them.
    """
    from sim.checks.backtest import Hindcast
    from sim.explore.breakevens import BreakevenTable
    from sim.explore.doubt import Budget
    from sim.explore.sobol import Sensitivity
    from sim.explore.trajectory import Regions
    from sim.result import Result

    if isinstance(answer, Result):
        return save_pictures(answer, folder)
    if isinstance(answer, BreakevenTable):
        return save_figures(_breakevens(answer), folder)
    if isinstance(answer, Hindcast):
        return save_figures(_scores(answer), folder)
    bars: Any = {Sensitivity: sensitivity_bars, Budget: budget_bars, Regions: region_box}
    for kind, picture in bars.items():
        if isinstance(answer, kind):
            return save_figures({kind.__name__.lower(): picture(answer).figure}, folder)
    raise TypeError(f"draw: there are no pictures of {answer!r}")


def draw_differences(
    base: Result, others: Sequence[Result], outcomes: Sequence[Outcome] | None, folder: str | Path
) -> list[Path]:
    """Draw what each of *others* adds to the probability of each outcome by day, family by family, into *folder*.

    Half of the ring around the hub, and full control, if no *outcomes* are named. What shares no chance with the base,
    such as a record replayed, has no such picture.
    """
    asked = (Pressure("half_ring"), FullControl()) if outcomes is None else outcomes
    figures: dict[str, Figure | SubFigure] = {}
    for other in others:
        both = [family for family in base.ensembles if family in other.ensembles and family != "record"]
        for outcome in asked if both else ():
            axes = panels(len(both)) if len(both) > 1 else [axes_or_new(None)]
            names = (base.scenario.name, other.scenario.name)
            for family, ax in zip(both, axes, strict=True):
                difference(base.ensembles[family], other.ensembles[family], outcome, ax, names=names)
                ax.set_title(f"{outcome.name}, {family}")
            figures[_free(f"{other.scenario.name}_less_{base.scenario.name}_{outcome.name}", figures)] = axes[0].figure
    return save_figures(figures, folder)


def _free(name: str, taken: Iterable[str]) -> str:
    """Return *name* as a file can be called, and as none of those *taken* is."""
    plain = re.sub(r"[^\w.-]+", "_", name).strip(".") or "picture"
    found, count = plain, 2
    while found in taken:
        found, count = f"{plain}_{count}", count + 1
    return found


def _breakevens(table: BreakevenTable) -> dict[str, Figure | SubFigure]:
    names = dict.fromkeys(row.outcome for row in table.rows)
    return {f"breakevens_{name}": breakeven_bars(table, outcome=name).figure for name in names}


def _scores(result: Hindcast) -> dict[str, Figure | SubFigure]:
    """Return a picture for each subject, by CRPS where it has one, else by Brier score."""
    found = {}
    for subject in dict.fromkeys(row.subject for row in result.rows):
        score = "crps" if any((row.subject, row.score) == (subject, "crps") for row in result.rows) else "brier"
        found[f"{subject}_{score}"] = score_by_day(result, subject, score).figure
    return found
