"""Pictures of when something happens: survival, and how two runs differ in it, by day."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from sim import explore
from sim.control import State
from sim.outcomes import PRESSURES, Outcome, Pressure
from sim.plots.canvas import COLOURS, axes_or_new, new_figure, styles
from sim.plots.mixture import named, require_days, shares_of
from sim.plots.reality import assessed, day_axis, mark_happened, require_bases
from sim.projection import Projection, pooled
from sim.result import Result
from sim.run import Run

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["difference", "survival"]

_POOLED = "pooled"
_HALF_RING = Pressure("half_ring")
_POINTS = 241  # of a curve: eight a day over thirty days
_BAND_POINTS = 31  # each costs a fit for every family
_BAND = "0.86"


def survival(
    result: Result | Projection | Mapping[str, Projection], outcome: Outcome | None = None, ax: Axes | None = None, *,
    days: float | None = None, record: str = "both",
) -> Axes:  # fmt: skip
    """Draw the probability that *outcome* has not happened, by day and by family, the pooled answer thick.

    The band goes with the pooled answer, or the only one: 5% to 95% points over parameter draws, as
    ``Projection.probability`` gives them. Where draws have one replication each, which cannot tell doubt from chance,
    it is 1.96 Monte Carlo standard errors to either side. An edge that would rise stays where it was: no survival
    rises. Of a result, what happened is drawn as a line, and what the scenario's facts assess as a point: read as a
    median, the survival there is a half.

    Parameters
    ----------
    result : Result, Projection, or mapping of family to Projection
    outcome : Outcome, optional
        Of a result: half of the hub's ring lost unless given. Projections know their own.
    ax : matplotlib Axes, optional
    days : float, optional
        How many days after the start to draw: to the horizon unless given.
    record : "both", "press", "best_date" or "none"
        By whose dates it happened.

    Raises
    ------
    ValueError
        If projections answer different questions, *days* lie beyond the horizon, or the theatre cannot answer.
    TypeError
        If *result* is none of these.
    """
    where = "survival"
    bases = require_bases(where, record)
    found = _projections(where, result, outcome)
    main = found.get(_POOLED) or next(iter(found.values()))
    days = require_days(where, days, main.horizon)
    ax = new_figure((7.0, 5.0)).add_subplot() if ax is None else ax  # taller: the key stands below
    _band(ax, main, days, _POOLED if _POOLED in found else next(iter(found)))
    at = np.linspace(0.0, days, _POINTS)
    each = itertools.islice(styles(), 1, None)  # black is the pooled answer's
    for name, projection in found.items():
        # Below the others, which may lie on it.
        thick = {"color": "black", "linewidth": 3.2, "zorder": 1.9}
        style = thick if name == _POOLED else {"linewidth": 1.6, **next(each)}
        ax.plot(at, projection.survival(at), label=name, drawstyle="steps-post", **style)
    if isinstance(result, Result):
        asked, start = outcome or _HALF_RING, _start(result)
        mark_happened(ax, asked, result.theatre, start, bases, days)
        _assessment(ax, result, asked, days)
        day_axis(ax, start, days)
    else:
        day_axis(ax, None, days)
    ax.set_ylim(-0.02, 1.02)  # a curve at 0 or 1 is not hidden by the frame
    ax.set_ylabel("probability that it has not happened")
    told = f"\n{named(shares_of(where, result))}" if isinstance(result, Result) else ""
    ax.set_title(_title(main.outcome) + told, fontsize="medium")
    ax.legend(fontsize="small", ncols=2, loc="upper center", bbox_to_anchor=(0.5, -0.14))
    return ax


def difference(
    first: Run, second: Run, outcome: Outcome, ax: Axes | None = None, *, days: float | None = None,
    names: tuple[str, str] | None = None,
) -> Axes:  # fmt: skip
    """Draw how much more probable *outcome* is in the *second* run than in the *first*, by whole day, two of one seed.

    Replications are compared number by number, as ``sim.explore.paired_difference`` does. The band is 1.96 standard
    errors to either side, draws as clusters: 95% for each day taken alone, not for all days together.

    Parameters
    ----------
    first, second : Ensemble or Passages
        Passages must have watched *outcome*.
    outcome : Outcome
    ax : matplotlib Axes, optional
    days : float, optional
        How many days after the start to draw: to the horizon unless given.
    names : two of str, optional
        What to call the runs: their models' names unless given.

    Raises
    ------
    ValueError
        If the runs do not share their seed, horizon, provinces, start or replications, or *days* lie beyond the
        horizon.
    TypeError
        If *first* or *second* is no run.
    """
    at_start = explore.paired_difference(first, second, outcome, within=0.0)  # refuses what are no pairs
    days = require_days("difference", days, first.horizon)
    called = (first.model.name, second.model.name) if names is None else names
    if isinstance(called, str) or len(called) != 2:
        raise ValueError(f"difference: names must be two, of the first run and of the second, but was {names!r}")
    at = np.arange(int(days) + 1)
    told = [at_start, *(explore.paired_difference(first, second, outcome, within=float(day)) for day in at[1:])]
    value = np.array([each.value for each in told])
    error = 1.96 * np.array([each.mc_error for each in told])
    ax = axes_or_new(ax)
    ax.axhline(0.0, color="0.5", linewidth=0.8)
    ax.fill_between(
        at, value - error, value + error, color=_BAND, linewidth=0, label=f"95%, each day alone ({len(first)} pairs)"
    )
    ax.plot(at, value, color=COLOURS[1], linewidth=1.8, label=f"{called[1]} − {called[0]}")
    day_axis(ax, first.start, days)
    ax.set_ylabel("difference in the probability\nthat it has happened")
    ax.set_title(_title(outcome.name), fontsize="medium")
    ax.legend(fontsize="small", loc="best")
    return ax


def _projections(
    where: str, result: Result | Projection | Mapping[str, Projection], outcome: Outcome | None
) -> dict[str, Projection]:
    """Return projections of one question by family, "pooled" last. Raise an error if they are not."""
    if isinstance(result, Result):
        asked = outcome or _HALF_RING
        mine = {name: asked(run) for name, run in result.ensembles.items()}
        return {**mine, _POOLED: pooled(mine, result.weights)} if len(mine) > 1 else mine
    found = {result.outcome: result} if isinstance(result, Projection) else result
    if not isinstance(found, Mapping) or not all(isinstance(each, Projection) for each in found.values()):
        raise TypeError(
            f"{where}: takes a Result, a Projection or a mapping of family to Projection, but was {result!r}"
        )
    if not found:
        raise ValueError(f"{where}: give at least one projection")
    name = next(iter(found.values())).outcome if outcome is None else outcome.name
    for family, each in found.items():
        if (each.outcome, each.horizon) != (name, next(iter(found.values())).horizon):
            raise ValueError(
                f"{where}: {family} answers {each.outcome} to day {each.horizon:g}, not the same question; "
                "draw projections of one outcome and one horizon"
            )
    return {**{name: each for name, each in found.items() if name != _POOLED},
            **({_POOLED: found[_POOLED]} if _POOLED in found else {})}  # fmt: skip


def _start(result: Result) -> State:
    return next(iter(result.ensembles.values())).start


def _band(ax: Axes, projection: Projection, days: float, name: str) -> None:
    """Draw the interval of the survival of *projection*, and say what it covers. One trajectory has none."""
    if len(projection.times) < 2:
        return
    at = np.linspace(0.0, days, _BAND_POINTS)
    told = [projection.probability(day) for day in at.tolist()]
    single = all(len(np.unique(part.draw)) == 1 for part in projection.parts)
    if single or any(math.isnan(each.low) for each in told):
        edges = [(each.value - 1.96 * each.mc_error, each.value + 1.96 * each.mc_error) for each in told]
        label = f"{name}: 95%, Monte Carlo error alone"
    else:
        edges = [(each.low, each.high) for each in told]
        worst = max(each.mc_error for each in told)
        label = f"{name}: 5%–95% over parameter draws\n(Monte Carlo error below {_above(worst)})"
    # Estimates at different days may rise by chance, and by fits; no quantile of a survival does.
    low, high = np.minimum.accumulate(1.0 - np.clip(edges, 0.0, 1.0)).T
    ax.fill_between(at, high, low, color=_BAND, linewidth=0, label=label)


def _above(error: float) -> str:
    """Return *error* rounded up to one digit."""
    unit = 10.0 ** math.floor(math.log10(error))
    return f"{math.floor(error / unit + 1) * unit:.1g}"


def _assessment(ax: Axes, result: Result, outcome: Outcome, days: float) -> None:
    """Mark what the scenario's facts say of *outcome*, read as a median."""
    said = assessed(result.scenario, outcome)
    if said is None:
        return
    fact, low, high = said
    if not 0.0 <= low <= days:
        return
    label = f"assessment ({fact}), read as a median"
    ax.plot([low, low], [0.0, 0.5], color="0.4", linewidth=0.8, linestyle=":")
    ax.plot([0.0, low], [0.5, 0.5], color="0.4", linewidth=0.8, linestyle=":")
    shown = [low, min(high, days)] if high > low else [low]
    stars = [0] if high > days else None  # no star where the picture ends, but the assessment does not
    ax.plot(
        shown, [0.5] * len(shown), "*-", color="black", markerfacecolor="white", markersize=14, markevery=stars,
        clip_on=False, zorder=4, label=label,
    )  # fmt: skip


def _title(outcome: str) -> str:
    return f"{outcome}: {PRESSURES[outcome]}" if outcome in PRESSURES else outcome
