"""Maps of how likely each capital is captured, and by when."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sim.control import State
from sim.outcomes import ControlOf
from sim.plots.canvas import axes_or_new, new_figure
from sim.plots.ground import (
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
from sim.plots.mixture import named, shares_of
from sim.result import Result
from sim.run import Run
from sim.theatre import Theatre

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.cm import ScalarMappable
    from matplotlib.figure import Figure, SubFigure

__all__ = ["capture_map", "capture_maps"]

#: Viridis, light to dark: even to the eye, in grey, and with red-green blindness (Nuñez, Anderton and Renslow 2018,
#: doi:10.1371/journal.pone.0199239).
_SHADES = "viridis_r"
_LOST = "lost at the start"
_CHANCE = "probability that the capital is captured"


def capture_map(
    run: Run | Result | Mapping[str, float], day: float, *, theatre: Theatre | None = None, ax: Axes | None = None
) -> Axes:
    """Draw each province in the shade of the probability that its capital is captured by *day* at least once.

    Hatched provinces were lost at the start. A province without an outline is a dot at its capital, over the roads.

    Parameters
    ----------
    run : Ensemble, Passages that watched every ``ControlOf``, Result, or mapping of every province to a probability
        Of a result, the mixture of its families by their weights.
    day : float
        Days since the start. Of a mapping it is what the title says.
    theatre : Theatre, optional
        Whose outlines and coordinates to draw: the run's own unless given. A run that was opened from a file has no
        outlines, so give the theatre again; a mapping needs it.

    Raises
    ------
    ValueError
        If *day* lies beyond the horizon, a probability is not one, the theatre has other provinces than the run, or a
        province has neither outline nor coordinates.
    TypeError
        If *run* is neither, or a mapping without *theatre*.
    """
    where = "capture_map"
    if not isinstance(run, (Run, Result, Mapping)):
        raise TypeError(f"{where}: run must be an ensemble or probabilities by province, but was {run!r}")
    by_day = {day: run} if isinstance(run, Mapping) else run
    theatre = _theatre(where, by_day, theatre)
    (shares,) = _shares(where, by_day, [day], theatre)
    require_places(where, theatre, set(theatre.provinces) - set(theatre.outlines))
    ax = axes_or_new(ax)
    shade = _shade(ax, theatre, shares, _lost_at_start(run))
    ax.figure.colorbar(shade, ax=ax, label=_CHANCE, shrink=0.8)
    ax.set_title(f"captured {_within(day, run)}")
    show_key(ax, loc="best")
    return ax


def capture_maps(
    run: Run | Result | Mapping[float, Mapping[str, float]],
    days: Sequence[float] = (3, 7, 14, 30),
    *,
    theatre: Theatre | None = None,
    figure: Figure | SubFigure | None = None,
) -> tuple[Axes, ...]:
    """Draw ``capture_map`` for each of *days*, side by side in one *figure* with one scale; return their axes.

    Of probabilities, *run* is a mapping of day to what ``capture_map`` takes. Raises what ``capture_map`` raises.
    """
    where = "capture_maps"
    if not len(days):
        raise ValueError(f"{where}: days must name at least one day, but were none")
    theatre = _theatre(where, run, theatre)
    found = _shares(where, run, days, theatre)
    require_places(where, theatre, set(theatre.provinces) - set(theatre.outlines))
    across = len(days) if len(days) < 4 else -(-len(days) // 2)
    down = -(-len(days) // across)
    paper = new_figure((1.4 + 3.4 * across, 4.2)) if figure is None else figure
    grid = paper.subplots(down, across, sharex=True, sharey=True, squeeze=False)
    panels = tuple(grid.flat)[: len(days)]
    for spare in grid.flat[len(days) :]:
        spare.remove()
    for place, (ax, day, shares) in enumerate(zip(panels, days, found, strict=True)):
        shade = _shade(ax, theatre, shares, _lost_at_start(run))
        ax.set_title(_within(day, run), fontsize="medium")
        left, bottom = place % across == 0, place + across >= len(days)
        ax.tick_params(labelleft=left, labelbottom=bottom)
        ax.set(xlabel=ax.get_xlabel() if bottom else "", ylabel=ax.get_ylabel() if left else "")
    if figure is None:
        high, wide = (np.ptp(limits) for limits in (ax.get_ylim(), ax.get_xlim()))
        height = (1.2 if isinstance(run, Result) else 0.9) + down * (0.5 + 3.0 * float(ax.get_aspect()) * high / wide)
        paper.set_figheight(height)  # type: ignore[union-attr]  # our own is a whole figure
    if isinstance(run, Result):
        paper.suptitle(f"capitals captured: {named(shares_of(where, run))}", fontsize="medium")
    paper.colorbar(shade, ax=panels, label=_CHANCE, shrink=0.9)
    show_key(ax, paper, ncols=3, loc="outside lower center" if figure is None else "lower center")
    return panels


def _theatre(where: str, run: Run | Result | Mapping[float, Mapping[str, float]], theatre: Theatre | None) -> Theatre:
    """Return the theatre to draw. Raise an error if it is not given where it must be, or has other provinces."""
    if isinstance(run, (Run, Result)):
        known = run.theatre.provinces
        if theatre is not None and theatre.provinces != known:
            strange = ", ".join(sorted(set(theatre.provinces).symmetric_difference(known)))
            raise ValueError(f"{where}: theatre must have the provinces of the run, but they differ in {strange}")
        return run.theatre if theatre is None else theatre
    if not isinstance(run, Mapping) or not all(isinstance(shares, Mapping) for shares in run.values()):
        raise TypeError(f"{where}: run must be an ensemble or, by day, probabilities by province, but was {run!r}")
    if theatre is None:
        raise TypeError(f"{where}: probabilities by province need the theatre to draw; pass theatre=")
    return theatre


def _shares(
    where: str, run: Run | Result | Mapping[float, Mapping[str, float]], days: Sequence[float], theatre: Theatre
) -> list[NDArray[np.float64]]:
    """Return the probability of each province by each of *days*. Raise a ValueError if there is none."""
    if isinstance(run, (Run, Result)):
        found = [np.zeros(len(theatre.provinces)) for _ in days]
        for _, weight, each in shares_of(where, run):
            for day in days:
                if not 0.0 <= day <= each.horizon:
                    raise ValueError(
                        f"{where}: a day must be from 0 to the horizon of {each.horizon:g}, but was {day!r}"
                    )
            times = np.array([each.first_passage(ControlOf(name).watch(each.theatre)) for name in theatre.provinces])
            found = [sum_ + weight * (times <= day).mean(axis=1) for sum_, day in zip(found, days, strict=True)]
        # Weights may sum to a little more than 1.
        return [np.minimum(shares, 1.0) for shares in found]
    found = []
    for day in days:
        if day not in run:
            known = ", ".join(map(str, run)) or "none"
            raise ValueError(f"{where}: no probabilities for day {day!r}; the days given are {known}")
        shares = np.full(len(theatre.provinces), math.nan)
        for name, share in run[day].items():
            if not 0.0 <= share <= 1.0:
                raise ValueError(f"{where}: the probability of {name} must be from 0 to 1, but was {share!r}")
            shares[theatre.index(name, where)] = share
        gaps = [name for name, share in zip(theatre.provinces, shares, strict=True) if math.isnan(share)]
        if gaps:
            raise ValueError(f"{where}: every province must have a probability, but {', '.join(gaps)} had none")
        found.append(shares)
    return found


def _start(run: object) -> State | None:
    """Return where a run, or those of a result, started."""
    if isinstance(run, Result):
        return next(iter(run.ensembles.values())).start
    return run.start if isinstance(run, Run) else None


def _lost_at_start(run: object) -> set[str]:
    start = _start(run)
    return set() if start is None else set(start.lost)


def _within(day: float, run: object) -> str:
    start = _start(run)
    started = None if start is None else start.instant
    return f"within {day:g} day{'' if day == 1 else 's'}{f' of {told(started)}' if started else ''}"


def _shade(ax: Axes, theatre: Theatre, shares: NDArray[np.float64], lost: set[str]) -> ScalarMappable:
    """Draw *shares* of all provinces, those *lost* at the start marked; return the scale of colours."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    scale = ScalarMappable(Normalize(0.0, 1.0), _SHADES)
    colours = dict(zip(theatre.provinces, scale.to_rgba(shares), strict=True))
    marked = {"hatch": "////", "label": _LOST}
    styles = {
        name: {"facecolor": colour, "edgecolor": "white", "linewidth": 0.8, **(marked if name in lost else {})}
        for name, colour in colours.items()
    }
    draw_shapes(ax, theatre, styles)
    places = places_of(theatre)
    dots = [name for name in theatre.provinces if name not in theatre.outlines]
    if dots:
        draw_roads(ax, theatre)
        for held, marker, label in ((False, "o", None), (True, "s", _LOST)):
            mine = [name for name in dots if (name in lost) == held]
            style = {"marker": marker, "label": label, "s": 70, "edgecolors": "0.2", "zorder": 2.5}
            draw_dots(ax, [places[name] for name in mine], color=[colours[name] for name in mine], **style)
    draw_hub(ax, theatre, theatre.hub, colours[theatre.hub] if theatre.hub in dots else "white")
    show_degrees(ax)
    return scale
