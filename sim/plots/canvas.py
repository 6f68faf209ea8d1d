"""What pictures are drawn on and with: axes that belong to no window, colours and dashes.

Colours are those of Okabe and Ito (2008), which survive colour-blindness; lines differ in dash as well, so that they
survive print.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["COLOURS", "axes_or_new", "new_figure", "panels", "require", "styles"]

#: Okabe and Ito: black, blue, vermilion, green, orange, sky, purple.
COLOURS = ("#000000", "#0072B2", "#D55E00", "#009E73", "#E69F00", "#56B4E9", "#CC79A7")
_DASHES = ("-", "--", "-.", ":")


def new_figure(inches: tuple[float, float]) -> Figure:
    """Return a figure, *inches* wide and high, that belongs to no window (so pictures leave no state behind)."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=inches, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def axes_or_new(ax: Axes | None) -> Axes:
    """Return *ax*, or the axes of a new figure."""
    return new_figure((7.0, 4.2)).add_subplot() if ax is None else ax


def require(result: object, kind: type, where: str, maker: str) -> None:
    """Raise a TypeError unless *result* is of the *kind* that *maker* gives."""
    if not isinstance(result, kind):
        raise TypeError(f"{where}: needs what {maker} gives, but was given {type(result).__name__}")


def styles() -> Iterator[dict[str, Any]]:
    """Yield line styles, told apart by colour and by dash."""
    for i in itertools.count():
        yield {"color": COLOURS[i % len(COLOURS)], "linestyle": _DASHES[i % len(_DASHES)]}


def panels(count: int) -> list[Axes]:
    """Return *count* axes of one new figure, two a row."""
    rows = -(-count // 2)
    figure = new_figure((11.0, 3.4 * rows))
    return [figure.add_subplot(rows, 2, i + 1) for i in range(count)]
