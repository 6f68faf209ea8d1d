"""The pictures of a result as files: the same bytes for the same result, each written whole or not at all."""

from __future__ import annotations

import io
import math
import warnings
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.control import nearest
from sim.disk import write_whole
from sim.plots.answers import definitions
from sim.plots.canvas import panels, require
from sim.plots.curves import survival
from sim.plots.fans import capitals_by_day
from sim.plots.ground import show_key
from sim.plots.maps import capture_maps
from sim.plots.mixture import require_days
from sim.plots.networks import road_map
from sim.report import require_folder

if TYPE_CHECKING:
    from matplotlib.figure import Figure, SubFigure

    from sim.result import Result

__all__ = ["PICTURES", "save_figures", "save_pictures"]

#: What a format would otherwise say of when and by what it was written.
_SILENT: Mapping[str, Mapping[str, None]] = {
    "png": {"Software": None}, "svg": {"Date": None}, "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}  # fmt: skip


def save_pictures(
    result: Result, folder: str | Path, *, formats: Iterable[str] = ("png", "svg"),
    pictures: Iterable[str] | None = None, days: float | None = None, dpi: float = 180,
) -> list[Path]:  # fmt: skip
    """Draw the pictures of *result* and write them into *folder*, made if need be; return their paths.

    All are drawn before any is written. What the theatre lacks the places, roads or hub for is left out, with a
    warning that says why. The same result gives the same bytes with the same Matplotlib.

    Parameters
    ----------
    result : Result
    folder : str or Path
    formats : iterable of str
        Of png, svg and pdf.
    pictures : iterable of str, optional
        Which, of ``PICTURES``: all unless given.
    days : float, optional
        How many days after the start to draw in pictures by day: half as many again as the farthest day pressure is
        asked for unless given, and no more than the horizon.
    dpi : float
        Dots per inch of png.

    Raises
    ------
    ValueError
        If a format or picture is unknown, or *days* lie beyond the horizon.
    TypeError
        If *result* is none, or *formats* or *pictures* are a text.
    OSError
        If *folder* cannot be written to.

    Warns
    -----
    RuntimeWarning
        For each picture left out.
    """
    from sim.result import Result

    where = "save_pictures"
    require(result, Result, where, "Scenario.run")
    kinds = _chosen(where, "formats", formats, _SILENT)
    names = _chosen(where, "pictures", PICTURES if pictures is None else pictures, PICTURES)
    horizon = float(result.scenario.horizon)
    asked = min(horizon, 1.5 * max((*result.scenario.pressure_within, 0.0))) or horizon
    shown = require_days(where, asked if days is None else days, horizon)
    if isinstance(dpi, bool) or not isinstance(dpi, (int, float)) or not 0.0 < dpi < math.inf:
        raise ValueError(f"{where}: dpi must be a positive number of dots per inch, but was {dpi!r}")
    place = require_folder(folder)
    drawn: dict[str, Figure | SubFigure] = {}
    for name in names:
        try:
            drawn[name] = PICTURES[name](result, shown)
        except ValueError as error:
            warnings.warn(f"{where}: left out {name}: {error}", RuntimeWarning, stacklevel=2)
    return save_figures(drawn, place, formats=kinds, dpi=dpi)


def save_figures(
    figures: Mapping[str, Figure | SubFigure], folder: str | Path, *, formats: Iterable[str] = ("png", "svg"),
    dpi: float = 200,
) -> list[Path]:  # fmt: skip
    """Write *figures* into *folder*, each under its name and in each of *formats*; return the paths.

    All are drawn before any is written, each whole or not at all. Raise what ``save_pictures`` raises.
    """
    kinds = _chosen("save_figures", "formats", formats, _SILENT)
    place = require_folder(folder)
    drawn = {f"{name}.{kind}": _bytes(figure, kind, dpi) for name, figure in figures.items() for kind in kinds}
    for name, content in drawn.items():
        write_whole(place / name, content)
    return [place / name for name in drawn]


def _chosen(where: str, what: str, given: Iterable[str], known: Iterable[str]) -> list[str]:
    """Return *given* as a list, each once. Raise an error if they are a text, none, or not all *known*."""
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise TypeError(f"{where}: {what} must be a tuple, but was {given!r}; write ({given!r},)")
    chosen = list(dict.fromkeys(given))
    if not chosen:
        raise ValueError(f"{where}: {what} must name at least one of {', '.join(known)}")
    for name in chosen:
        if name not in known:
            raise ValueError(f"{where}: no {what[:-1]} {name!r}; {nearest(str(name), known)}")
    return chosen


def _bytes(figure: Figure | SubFigure, kind: str, dpi: float) -> bytes:
    """Return *figure* as a file of that *kind*, without dates or random names in it."""
    from matplotlib import rc_context

    stream = io.BytesIO()
    with rc_context({"svg.hashsalt": "sweepcast"}):
        figure.savefig(stream, format=kind, dpi=dpi, metadata=dict(_SILENT[kind]))  # type: ignore[union-attr]
    return _with_palette(stream, dpi) if kind == "png" else stream.getvalue()


def _with_palette(stream: io.BytesIO, dpi: float) -> bytes:
    """Return the png in *stream* with a palette of 256 colours: less than half as large.

    The commonest colour is kept first; each next one is that whose pixels stray most from those kept, in squares summed
    over them, so that what is filled, and the scale of a map, keep the shades that say their numbers.
    """
    from PIL import Image

    with Image.open(stream) as image:
        red, green, blue = np.moveaxis(np.asarray(image.convert("RGB"), np.uint32), 2, 0)
    codes, place, count = np.unique(red << 16 | green << 8 | blue, return_inverse=True, return_counts=True)
    colours = (codes[:, None] >> np.array([16, 8, 0], np.uint32) & 255).astype(np.float64)
    mine, apart = np.zeros(len(codes), np.uint8), np.full(len(codes), 3.0 * 256**2)
    kept: list[int] = []
    for k in range(min(256, len(codes))):
        kept.append(int(np.argmax(apart * count)))
        away = ((colours - colours[kept[k]]) ** 2).sum(axis=1)
        nearer = away < apart
        mine[nearer], apart[nearer] = k, away[nearer]
    small = Image.fromarray(mine[place].reshape(red.shape), "P")
    small.putpalette(colours[kept].astype(np.uint8).tobytes())
    written = io.BytesIO()
    small.save(written, "png", optimize=True, dpi=(dpi, dpi))
    return written.getvalue()


def _families(result: Result, days: float) -> Figure | SubFigure:
    """Draw a fan for each family, with one key."""
    axes = panels(len(result.ensembles))
    for family, ax in zip(result.ensembles, axes, strict=True):
        capitals_by_day(result, ax, family=family, days=days)
        ax.get_legend().remove()  # type: ignore[union-attr]  # it has just been given one
    show_key(axes[0], axes[0].figure, ncols=5, loc="outside lower center")
    return axes[0].figure


#: What is drawn of a result, by the name of its file.
PICTURES: Mapping[str, Callable[[Result, float], Figure | SubFigure]] = {
    "capitals_by_day": lambda result, days: capitals_by_day(result, days=days).figure,
    "capitals_by_family": _families,
    "survival": lambda result, days: survival(result, days=days).figure,
    "definitions": lambda result, days: definitions(result).figure,
    "capture_maps": lambda result, days: _maps(result),
    "road_map": lambda result, days: road_map(result.theatre, _start(result)).figure,
}


def _maps(result: Result) -> Figure | SubFigure:
    horizon = result.scenario.horizon
    return capture_maps(result, [day for day in (3, 7, 14, 30) if day <= horizon] or [horizon])[0].figure


def _start(result: Result) -> Any:
    return next(iter(result.ensembles.values())).start
