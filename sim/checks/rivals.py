"""Forecasts that know no model: nothing changes, the week's pace goes on, the last day's pace goes on."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from sim.checks.forecasts import Asked, Forecast, of_births
from sim.record import Record
from sim.sources import last_day
from sim.theatre import Theatre

__all__ = ["RIVALS", "last_day_pace", "no_change", "rivals", "week_pace"]

Floats: TypeAlias = NDArray[np.float64]

#: Names of the rivals every forecaster is set beside.
RIVALS = ("no change", "week's pace", "last day's pace")


def rivals(week: Record, theatre: Theatre, asked: Asked) -> dict[str, Forecast]:
    """Return the forecasts of every rival on the evening on which *week* ends."""
    made = (no_change, week_pace, last_day_pace)
    return {name: make(week, theatre, asked) for name, make in zip(RIVALS, made, strict=True)}


def no_change(week: Record, theatre: Theatre, asked: Asked) -> Forecast:
    """Return the forecast that control stays as it is, and nothing else can be."""
    return of_births(_constant(0.0, theatre), theatre, week.state(), asked)


def week_pace(week: Record, theatre: Theatre, asked: Asked) -> Forecast:
    """Return the forecast that every capital goes on falling at one constant pace: that of all the days so far.

    Of n capitals k fell in so many days: the hazard −ln(1 − k/n)/days, by maximum likelihood.
    """
    return _going_on(len(week.captured), len(week.provinces), week.days, week, theatre, asked)


def last_day_pace(week: Record, theatre: Theatre, asked: Asked) -> Forecast:
    """Return the forecast that every capital goes on falling at the pace of the last day, by what was known of it.

    Of those not known to be captured on the evening before, so many were known to be the evening after.
    """
    if week.end is None:
        raise ValueError("hindcast: a rival needs a record with an end; cut it with record.until('YYYY-MM-DD')")
    last, held = last_day(week.end), set(week.captured)
    before = set(week.until(last - timedelta(days=1)).captured) & held if last != week.origin else set()
    return _going_on(len(held) - len(before), len(week.provinces) - len(before), 1.0, week, theatre, asked)


def _going_on(fell: int, of: int, days: float, week: Record, theatre: Theatre, asked: Asked) -> Forecast:
    if fell == of:
        raise ValueError(f"hindcast: by {week.end} every capital is captured: nothing is left to foresee")
    return of_births(_constant(-math.log1p(-fell / of) / days, theatre), theatre, week.state(), asked)


def _constant(rate: float, theatre: Theatre) -> Floats:
    n = len(theatre.provinces)
    return rate * (n - np.arange(n, dtype=float))[None]
