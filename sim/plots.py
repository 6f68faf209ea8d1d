"""Pictures: each takes Matplotlib axes, or makes them, and gives them back with units and a legend.

Bands say what they cover. Colours are those of Okabe and Ito (2008), which survive colour-blindness; lines differ in
dash as well, so that they survive print.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, time
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sim.control import Control, State
from sim.links import ROAD_KINDS
from sim.outcomes import ControlOf
from sim.run import Run
from sim.severing import cut_off
from sim.theatre import Theatre

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.cm import ScalarMappable
    from matplotlib.figure import Figure, SubFigure

    from sim.checks.backtest import Hindcast
    from sim.checks.standings import Score

__all__: list[str] = ["capture_map", "capture_maps", "road_map", "score_by_day"]

#: Okabe and Ito: black, blue, vermilion, green, orange, sky, purple.
COLOURS = ("#000000", "#0072B2", "#D55E00", "#009E73", "#E69F00", "#56B4E9", "#CC79A7")
_DASHES = ("-", "--", "-.", ":")


def _axes(ax: Axes | None) -> Axes:
    """Return *ax*, or new axes of a figure that belongs to no window (so pictures leave no state behind)."""
    return _figure((7.0, 4.2)).add_subplot() if ax is None else ax


def _figure(inches: tuple[float, float]) -> Figure:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=inches, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _styles() -> Iterator[dict[str, Any]]:
    """Yield line styles, told apart by colour and by dash."""
    for i in itertools.count():
        yield {"color": COLOURS[i % len(COLOURS)], "linestyle": _DASHES[i % len(_DASHES)]}


def score_by_day(
    result: Hindcast, subject: str = "capitals", score: str = "crps", *, basis: str = "press",
    horizon: float | None = None, ax: Axes | None = None,
) -> Axes:  # fmt: skip
    """Draw each forecaster's score by evening, lower is better; of assessments, the band their readings span.

    Families and priors were chosen by people who knew the outcome.

    Parameters
    ----------
    result : Hindcast
        From ``sim.checks.hindcast``.
    subject, score : str
        As in its rows: "capitals" with "log" or "crps", "provinces" with "brier" or "log", a first passage with "log",
        "crps" or "twcrps".
    basis : str
    horizon : float, optional
        One horizon; unless given, the mean over them.

    Raises
    ------
    ValueError
        If the result has no such scores.
    """
    rows = [
        row
        for row in result.rows
        if (row.subject, row.score, row.basis) == (subject, score, basis) and horizon in (None, row.horizon)
    ]
    if not rows:
        known = sorted({f"{row.subject} {row.score}" for row in result.rows})
        raise ValueError(
            f"score_by_day: no scores of {subject!r} by {score!r}, basis {basis!r}, horizon {horizon!r}; "
            f"there are {', '.join(known)}"
        )
    ax = _axes(ax)
    evenings = list(result.origins)
    styles = _styles()
    for name in dict.fromkeys(row.forecaster for row in rows if not row.kind.startswith("assessment")):
        means = _by_evening([row for row in rows if row.forecaster == name], evenings)
        ax.plot(range(len(evenings)), means, marker="o", markersize=3, label=name, **next(styles))
    spoken = [row for row in rows if row.kind == "assessments"]
    if spoken:
        readings = [_by_evening([r for r in spoken if r.reading == reading], evenings) for reading in _readings(spoken)]
        low, high = ([choose(values) for values in zip(*readings, strict=True)] for choose in (min, max))
        ax.vlines(range(len(evenings)), low, high, color="0.5")  # a single evening has no band
        ax.fill_between(
            range(len(evenings)), low, high, color="0.8", edgecolor="0.5", linewidth=2,
            label=f"assessments, {len(readings)} readings",
        )  # fmt: skip
    if any(row.value == math.inf for row in rows):
        ax.plot([], [], " ", label="infinite scores are not drawn")
    ax.set_xticks(range(len(evenings)), [day[5:] for day in evenings])
    when = "mean over horizons" if horizon is None else f"{horizon:g} days"
    title = subject if math.isnan(rows[0].horizon) else f"{subject}, {when}"
    unit = "capitals" if subject == "capitals" else "days"
    labels = {"crps": f"CRPS ({unit})", "twcrps": "threshold-weighted CRPS (days)", "log": "log score (nats)"}
    ax.set_ylabel(f"{labels.get(score, 'Brier score')}, lower is better")
    ax.set_xlabel("evening (month-day)")
    ax.set_title(f"{title}; dates by {basis}")
    ax.set_ylim(bottom=0.0)
    ax.legend(fontsize="small", ncols=2)
    return ax


def _readings(rows: list[Score]) -> list[str]:
    return list(dict.fromkeys(row.reading for row in rows))


def _by_evening(rows: list[Score], evenings: list[str]) -> list[float]:
    """Return the mean of *rows* on each evening, nan where there is none or it is infinite: a gap in the line."""
    found = []
    for evening in evenings:
        values = [row.value for row in rows if row.origin == evening]
        mean = sum(values) / len(values) if values else math.nan
        found.append(mean if mean != math.inf else math.nan)
    return found


# ------------------------------------------------------------------------------------------------------------- maps

#: Viridis, light to dark: even to the eye, in grey, and with red-green blindness (Nuñez, Anderton and Renslow 2018,
#: doi:10.1371/journal.pone.0199239).
_SHADES = "viridis_r"
_LOST = "lost at the start"
_CHANCE = "probability that the capital is captured"
_CONTROL = {
    Control.GOVERNMENT: ("government", "o", COLOURS[1]),
    Control.CONTESTED: ("contested", "^", COLOURS[4]),
    Control.INSURGENT: ("insurgent", "s", COLOURS[0]),
}
#: Width and dash of a class of road, widest first; any other class is the last.
_ROADS = dict(
    zip(
        (*ROAD_KINDS, ""),
        ((3.2, "-"), (3.2, "--"), (3.2, ":"), (1.7, "-"), (1.7, "--"), (0.9, "-"), (0.9, ":"), (1.2, "-.")),
        strict=True,
    )
)


def capture_map(
    run: Run | Mapping[str, float], day: float, *, theatre: Theatre | None = None, ax: Axes | None = None
) -> Axes:
    """Draw each province in the shade of the probability that its capital is captured by *day* at least once.

    Hatched provinces were lost at the start. A province without an outline is a dot at its capital, over the roads.

    Parameters
    ----------
    run : Ensemble, Passages that watched every ``ControlOf``, or mapping of every province to a probability
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
    if not isinstance(run, (Run, Mapping)):
        raise TypeError(f"{where}: run must be an ensemble or probabilities by province, but was {run!r}")
    by_day = run if isinstance(run, Run) else {day: run}
    theatre = _theatre(where, by_day, theatre)
    (shares,) = _shares(where, by_day, [day], theatre)
    _require_places(where, theatre, set(theatre.provinces) - set(theatre.outlines))
    ax = _axes(ax)
    shade = _shade(ax, theatre, shares, _lost_at_start(run))
    ax.figure.colorbar(shade, ax=ax, label=_CHANCE, shrink=0.8)
    ax.set_title(f"captured {_within(day, run)}")
    _key(ax, loc="best")
    return ax


def capture_maps(
    run: Run | Mapping[float, Mapping[str, float]],
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
    _require_places(where, theatre, set(theatre.provinces) - set(theatre.outlines))
    across = len(days) if len(days) < 4 else -(-len(days) // 2)
    down = -(-len(days) // across)
    paper = _figure((1.4 + 3.4 * across, 4.2)) if figure is None else figure
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
        height = 0.9 + down * (0.5 + 3.0 * float(ax.get_aspect()) * high / wide)
        paper.set_figheight(height)  # type: ignore[union-attr]  # our own is a whole figure
    paper.colorbar(shade, ax=panels, label=_CHANCE, shrink=0.9)
    _key(ax, paper, ncols=3, loc="outside lower center" if figure is None else "lower center")
    return panels


def road_map(
    theatre: Theatre,
    state: State,
    *,
    hub: str | None = None,
    without: tuple[str, ...] = ("track",),
    ax: Axes | None = None,
) -> Axes:
    """Draw the capitals by who controls them in *state*, the roads by class, and rings round capitals cut off.

    Cut off from the *hub* (the theatre's unless given) by roads other than those of the classes *without* is what
    ``sim.severing.cut_off`` says; without a hub nobody is. Capitals contested or cut off, and the hub, are named. The
    key stands to the right of the axes.

    Raises
    ------
    ValueError
        If the theatre has no roads, a capital has no coordinates, or *hub*, *without* or *state* name what it lacks.
    """
    where = "road_map"
    if not theatre.roads:
        raise ValueError(f"{where}: the theatre has no roads; add roads.csv")
    for name in state.control:
        theatre.index(name, f"{where}: state")
    if hub is None:
        hub = theatre.hub
    centre = None if hub is None else theatre.provinces[theatre.index(hub, f"{where}: hub")]
    _require_places(where, theatre, theatre.provinces)
    severed = () if centre is None else cut_off(theatre, state, hub=centre, without=without)
    ax = _figure((8.0, 4.2)).add_subplot() if ax is None else ax  # wider: the key stands beside the map
    land = {"facecolor": "0.97", "edgecolor": "0.8", "linewidth": 0.6}
    _shapes(ax, theatre, dict.fromkeys(theatre.outlines, land))
    _roads(ax, theatre, without)
    places = _places(theatre)
    for control, (label, marker, colour) in _CONTROL.items():
        held = [name for name in theatre.provinces if state.control.get(name, Control.GOVERNMENT) is control]
        _dots(ax, [places[name] for name in held], marker=marker, s=45, color=colour, zorder=2.5, label=label)
    _dots(
        ax, [places[name] for name in severed], s=150, facecolors="none", edgecolors=COLOURS[2], linewidths=1.8,
        zorder=3, label=f"cut off from {_capital(theatre, centre)}" if severed else None,
    )  # fmt: skip
    if centre is not None:
        _hub(ax, theatre, centre, _CONTROL[state.control.get(centre, Control.GOVERNMENT)][2])
    _degrees(ax)
    _names(ax, theatre, [name for name in theatre.provinces if name in {*severed, *state.contested, centre}])
    ax.set_title(f"roads and control{f', {_told(state.instant)}' if state.instant else ''}")
    _key(ax, loc="upper left", bbox_to_anchor=(1.01, 1.0), handlelength=3.0)
    return ax


def _theatre(where: str, run: Run | Mapping[float, Mapping[str, float]], theatre: Theatre | None) -> Theatre:
    """Return the theatre to draw. Raise an error if it is not given where it must be, or has other provinces."""
    if isinstance(run, Run):
        if theatre is not None and theatre.provinces != run.provinces:
            strange = ", ".join(sorted(set(theatre.provinces).symmetric_difference(run.provinces)))
            raise ValueError(f"{where}: theatre must have the provinces of the run, but they differ in {strange}")
        return run.theatre if theatre is None else theatre
    if not isinstance(run, Mapping) or not all(isinstance(shares, Mapping) for shares in run.values()):
        raise TypeError(f"{where}: run must be an ensemble or, by day, probabilities by province, but was {run!r}")
    if theatre is None:
        raise TypeError(f"{where}: probabilities by province need the theatre to draw; pass theatre=")
    return theatre


def _shares(
    where: str, run: Run | Mapping[float, Mapping[str, float]], days: Sequence[float], theatre: Theatre
) -> list[NDArray[np.float64]]:
    """Return the probability of each province by each of *days*. Raise a ValueError if there is none."""
    if isinstance(run, Run):
        for day in days:
            if not 0.0 <= day <= run.horizon:
                raise ValueError(f"{where}: a day must be from 0 to the horizon of {run.horizon:g}, but was {day!r}")
        times = np.array([run.first_passage(ControlOf(name).watch(run.theatre)) for name in theatre.provinces])
        return [np.asarray((times <= day).mean(axis=1)) for day in days]
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


def _lost_at_start(run: object) -> set[str]:
    return set(run.start.lost) if isinstance(run, Run) else set()


def _within(day: float, run: object) -> str:
    started = run.start.instant if isinstance(run, Run) else None
    return f"within {day:g} day{'' if day == 1 else 's'}{f' of {_told(started)}' if started else ''}"


def _told(instant: datetime) -> str:
    return str(instant.date()) if instant.time() == time() else instant.isoformat(" ", "minutes")


def _places(theatre: Theatre) -> dict[str, tuple[float, float]]:
    """Return longitude and latitude of each capital that has both."""
    if not {"longitude", "latitude"} <= set(theatre.columns):
        return {}
    both = zip(theatre.columns["longitude"].tolist(), theatre.columns["latitude"].tolist(), strict=True)
    return {name: place for name, place in zip(theatre.provinces, both, strict=True) if not any(map(math.isnan, place))}


def _require_places(where: str, theatre: Theatre, provinces: Iterable[str]) -> None:
    """Raise a ValueError if one of *provinces*, which have no outline to draw, has no coordinates either."""
    lost = sorted(set(provinces) - set(_places(theatre)))
    if lost:
        shown = ", ".join(lost[:6]) + (f" and {len(lost) - 6} more" if len(lost) > 6 else "")
        shapes = "" if where == "road_map" else ", or give them outlines (outlines.geojson)"
        raise ValueError(
            f"{where}: a map needs coordinates, but there were none for {shown}; "
            f"fill in columns latitude and longitude of provinces.csv{shapes}"
        )


def _capital(theatre: Theatre, province: str | None) -> str:
    return theatre.capitals[theatre.index(province or "")]


def _shapes(ax: Axes, theatre: Theatre, styles: Mapping[str, Mapping[str, Any]]) -> None:
    """Draw the outlines of the provinces that *styles* names and that have one; their names are the ids of SVG."""
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    for name, style in styles.items():
        if name in theatre.outlines:
            rings = [Path(ring, closed=True) for ring in theatre.outlines[name]]
            ax.add_patch(PathPatch(Path.make_compound_path(*rings), gid=name, **style))


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
    _shapes(ax, theatre, styles)
    places = _places(theatre)
    dots = [name for name in theatre.provinces if name not in theatre.outlines]
    if dots:
        _roads(ax, theatre)
        for held, marker, label in ((False, "o", None), (True, "s", _LOST)):
            mine = [name for name in dots if (name in lost) == held]
            style = {"marker": marker, "label": label, "s": 70, "edgecolors": "0.2", "zorder": 2.5}
            _dots(ax, [places[name] for name in mine], color=[colours[name] for name in mine], **style)
    _hub(ax, theatre, theatre.hub, colours[theatre.hub] if theatre.hub in dots else "white")
    _degrees(ax)
    return scale


def _dots(ax: Axes, places: Sequence[tuple[float, float]], **style: Any) -> None:
    if places:
        ax.scatter(*zip(*places, strict=True), **style)


def _roads(ax: Axes, theatre: Theatre, without: Sequence[str] | None = None) -> None:
    """Draw the roads whose ends have coordinates: by class, told which do not count, or thin if *without* is None."""
    places = _places(theatre)
    for kind in [*ROAD_KINDS, *sorted({road.kind for road in theatre.roads} - set(ROAD_KINDS))]:
        width, dash, label = 0.8, "-", None
        if without is not None:
            width, dash = _ROADS.get(kind, _ROADS[""])
            label = f"road: {kind.replace('_', ' ')}{' (does not count)' if kind in without else ''}"
        for road in theatre.roads:
            if road.kind == kind and road.a in places and road.b in places:
                x, y = zip(places[road.a], places[road.b], strict=True)
                ax.plot(x, y, color="0.55", linewidth=width, linestyle=dash, zorder=1.5, label=label)


def _hub(ax: Axes, theatre: Theatre, hub: str | None, colour: Any) -> None:
    """Mark the hub where its coordinates are known."""
    if hub in (places := _places(theatre)):
        label = f"hub: {_capital(theatre, hub)}"
        _dots(ax, [places[hub]], marker="*", s=190, color=[colour], edgecolors="black", zorder=3.5, label=label)


def _degrees(ax: Axes) -> None:
    """Name the units, and let a kilometre north be as long as one east in the middle of the map."""
    ax.autoscale_view()
    ax.locator_params(nbins=6, steps=[1, 2, 5, 10])
    low, high = ax.get_ylim()
    # Nearer than this to a pole there is no such map.
    ax.set_aspect(1.0 / math.cos(math.radians(min(abs(low + high) / 2.0, 85.0))))
    ax.set_xlabel("longitude (degrees east)")
    ax.set_ylabel("latitude (degrees north)")


def _names(ax: Axes, theatre: Theatre, provinces: Iterable[str]) -> None:
    """Write the names of capitals beside them, each on the side where it hides the fewest capitals and names."""
    from matplotlib.patheffects import withStroke

    ax.apply_aspect()
    points = 72.0 / ax.figure.get_dpi()
    places = {name: ax.transData.transform(place) * points for name, place in _places(theatre).items()}
    frame = np.array(ax.get_window_extent().extents) * points
    taken = [np.concatenate([place - 4.0, place + 4.0]) for place in places.values()]
    for name in provinces:
        text = _capital(theatre, name)
        found: list[tuple[int, int, int, int, NDArray[np.float64]]] = []
        for across, up in itertools.product((1, -1), (0, 1, -1)):
            wide, high = 4.6 * len(text), 8.0  # about what the smallest letters take, in points
            x = places[name][0] + across * 10.0 - (wide if across < 0 else 0.0)
            y = places[name][1] + up * 9.0 - high / 2.0
            box = np.array([x, y, x + wide, y + high])
            hidden = sum(bool(np.all(box[:2] < other[2:]) and np.all(other[:2] < box[2:])) for other in taken)
            outside = bool(np.any(box[:2] < frame[:2]) or np.any(box[2:] > frame[2:]))
            found.append((hidden + 9 * outside, len(found), across, up, box))
        _, _, across, up, box = min(found, key=lambda side: side[:2])
        taken.append(box)
        ax.annotate(
            text, _places(theatre)[name], xytext=(across * 10.0, up * 9.0), textcoords="offset points", va="center",
            ha="left" if across > 0 else "right", fontsize="x-small", zorder=4,
            path_effects=[withStroke(linewidth=2.0, foreground="white")],
        )  # fmt: skip


def _key(ax: Axes, figure: Figure | SubFigure | None = None, **where: Any) -> None:
    """Give *ax*, or the whole *figure*, a legend of what is drawn, each label once."""
    handles = dict(zip(*reversed(ax.get_legend_handles_labels()), strict=True))
    if handles:
        (figure or ax).legend(handles.values(), handles.keys(), fontsize="small", **where)
