"""What happened and what had been said, as days after a start: laid over what was projected from there."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.checks.happened import BASES
from sim.control import State, nearest
from sim.outcomes import PRESSURES, FullControl, Outcome, Pressure, observed
from sim.plots.canvas import COLOURS
from sim.tables import as_date
from sim.theatre import Theatre

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from sim.scenario import Scenario

__all__ = [
    "CALLED",
    "Happened",
    "assessed",
    "day_axis",
    "happened",
    "mark_happened",
    "recorded_by_day",
    "require_bases",
]

_DAY = timedelta(days=1)
#: What a basis is called.
CALLED: Mapping[str, str] = {"press": "first report", "best_date": "best date"}
_EVENING = date(2021, 8, 12)  # from which the article's assessments count


class Happened(NamedTuple):
    """The *day* after the start by which something was true in the record, its *date*, and by which *bases*."""

    day: float
    date: date
    bases: tuple[str, ...]

    def __str__(self) -> str:
        by = "" if self.bases == BASES else f" by {' and '.join(CALLED[basis] for basis in self.bases)}"
        return f"{self.date.day} {self.date:%b}, day {self.day:g}{by}"


def require_bases(where: str, record: str) -> tuple[str, ...]:
    """Return the bases that *record* names: "press", "best_date", "both" or "none". Raise a ValueError otherwise."""
    if record in ("both", "none"):
        return BASES if record == "both" else ()
    if record not in BASES:
        known = (*BASES, "both", "none")
        raise ValueError(f"{where}: record must be one of {', '.join(known)}, but was {record!r}; "
                         f"{nearest(str(record), known)}")  # fmt: skip
    return (record,)


def _after(instant: datetime, day: date) -> float:
    """Return the end of *day* as days after *instant*, 0 if it was over by then."""
    return max(0.0, (datetime.combine(day, time()) + _DAY - instant) / _DAY)


def recorded_by_day(theatre: Theatre, start: State, basis: str, days: float) -> tuple[NDArray[np.int64], ...]:
    """Return whole days after *start*, and how many capitals were lost at the end of each by the record.

    They go from 0 to the day of the last capture on record, or to *days*. Capitals lost at the start stay lost. Both
    are empty where the start has no instant, or the record no captures.
    """
    dates = theatre.record.dates(basis)
    if start.instant is None or not dates:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    taken = [_after(start.instant, day) for name, day in dates.items() if name not in start.lost]
    at = np.arange(int(min(days, math.ceil(max(taken, default=0.0)))) + 1)
    return at, np.array([len(start.lost) + sum(when <= day for when in taken) for day in at], np.int64)


def happened(outcome: Outcome, theatre: Theatre, start: State, bases: tuple[str, ...] = BASES) -> list[Happened]:
    """Return when *outcome* came true in the record, once for each date that *bases* give; empty if it never did."""
    if start.instant is None:
        return []
    found: dict[date, tuple[str, ...]] = {}
    for basis in bases:
        day = observed(outcome, theatre, basis=basis)
        if day is not None:
            found[day] = (*found.get(day, ()), basis)
    instant = start.instant
    return [Happened(_after(instant, day), day, by) for day, by in found.items()]


def mark_happened(
    ax: Axes, outcome: Outcome, theatre: Theatre, start: State, bases: tuple[str, ...], days: float
) -> None:
    """Draw a line where *outcome* came true, one for each date the *bases* give, those within *days* after *start*."""
    dashes: tuple[Any, ...] = ("-", (0, (1, 1)))
    for told, dash in zip(happened(outcome, theatre, start, bases), dashes, strict=False):
        if told.day > days:
            continue
        ax.axvline(told.day, color=COLOURS[6], linewidth=2.0, linestyle=dash, zorder=1.5, label=f"happened: {told}")


def assessed(scenario: Scenario, outcome: Outcome) -> tuple[str, float, float] | None:
    """Return which fact of *scenario* assesses *outcome*, and between which days after its start that puts the median.

    F9, pressure "within 30 days", is read as a median of 30 days, F10, full control "within a few months", as one
    between 60 and 120, from the evening of 12 August 2021 on. None if the scenario rests on no such fact.
    """
    if isinstance(outcome, Pressure) and outcome.name in PRESSURES and "F9" in scenario.facts:
        fact, low, high = "F9", 30, 30
    elif outcome == FullControl() and "F10" in scenario.facts:
        fact, low, high = "F10", 60, 120
    else:
        return None
    gone = (as_date(scenario.seen_from, "seen_from") - _EVENING).days
    return fact, float(low - gone), float(high - gone)


def day_axis(ax: Axes, start: State | None, days: float) -> None:
    """Let days after *start* run from 0 to *days*, and say what day 0 is, if it is known."""
    from matplotlib.ticker import MaxNLocator

    instant = None if start is None else start.instant
    ax.set_xlim(0.0, days)
    ax.xaxis.set_major_locator(MaxNLocator(nbins=9, steps=[1, 2, 3, 5, 10], integer=True))
    ax.set_xlabel("days after the start" if instant is None else f"days after {_told(instant)}")


def _told(instant: datetime) -> str:
    if instant.time() == time():
        evening = instant - _DAY
        return f"the evening of {evening.day} {evening:%B %Y}"
    return instant.isoformat(" ", "minutes")
