"""Projections as a hubverse model-output table: the form in which forecast hubs collect, score and pool them.

The form is described at https://docs.hubverse.io (user guide, "Model output"). A table is one model's answers of one
day, so its file is named ``<origin_date>-<team>-<model>.csv``. The target of each is the number of days from the
first moment of *origin_date* until the outcome is first true. Its distribution is given twice:

    cdf       output_type_id is a number of days, value the probability that it takes no more
    quantile  output_type_id is a probability, value the number of days by which it has happened with that probability

A run is watched to its horizon and no further. So the cdf ends there, with the share that happened by then as its last
value, and quantiles that lie beyond are left out: there is no number to give, and hubs take none that is missing or
infinite. ``horizon`` is NA, because the date of what is forecast is the answer and not the question.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Sequence
from datetime import date

import numpy as np

from sim.projection import Projection
from sim.tables import as_date

__all__ = ["COLUMNS", "LEVELS", "hubverse"]

COLUMNS = ("origin_date", "target", "horizon", "location", "output_type", "output_type_id", "value")

#: The probability levels of quantiles most hubs ask for.
LEVELS = (0.01, 0.025, *(k / 20 for k in range(1, 20)), 0.975, 0.99)


def hubverse(
    projections: Iterable[Projection],
    *,
    origin_date: date | str,
    location: str,
    within: Sequence[float] = (1, 3, 7, 14, 30, 60, 90, 120, 180),
    levels: Sequence[float] = LEVELS,
) -> str:
    """Return *projections* as the text of a hubverse CSV file.

    Parameters
    ----------
    projections : iterable of Projection
        One model's, each of another outcome; its name becomes the target "days until <outcome>".
    origin_date : date or str
        The day at whose first moment the projections start, local time.
    location : str
        What the hub calls the place, such as "AF".
    within : sequence of float
        Days for which the cdf is given, those beyond a projection's horizon left out; the horizon itself is always
        given.
    levels : sequence of float
        Probabilities for which quantiles are given, if they lie within the horizon.

    Raises
    ------
    ValueError
        If two projections are of one outcome, a level is not in (0, 1), a day is negative, or a text is blank.
    """
    day_0 = as_date(origin_date, "hubverse: origin_date")
    if not isinstance(location, str) or not location.strip():
        raise ValueError(f"hubverse: location must be what the hub calls the place, but was {location!r}")
    for level in levels:
        if not 0.0 < level < 1.0:
            raise ValueError(f"hubverse: levels must be in (0, 1), but was {level!r}")
    for day in within:
        if not 0.0 <= day < math.inf:
            raise ValueError(f"hubverse: within must be numbers of days from the origin date, but was {day!r}")
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)
    seen = set()
    for projection in projections:
        if projection.outcome in seen:
            raise ValueError(f"hubverse: {projection.outcome} is given twice; write each model to a file of its own")
        seen.add(projection.outcome)
        task = (day_0.isoformat(), f"days until {projection.outcome}", "NA", location)
        writer.writerows((*task, *row) for row in _rows(projection, within, levels))
    return stream.getvalue()


def _rows(projection: Projection, within: Sequence[float], levels: Sequence[float]) -> list[tuple[str, str, str]]:
    """Return output type, its id and the value of each row."""
    days = sorted({float(day) for day in within if day < projection.horizon} | {projection.horizon})
    rows = [("cdf", _number(day), _number(_share(projection, day))) for day in days]
    for level in sorted(set(levels)):
        day = projection.quantile(level)
        if day <= projection.horizon:
            rows.append(("quantile", _number(level), _number(day)))
    return rows


def _share(projection: Projection, day: float) -> float:
    return math.fsum(part.weight * float(np.mean(part.times <= day)) for part in projection.parts)


def _number(value: float) -> str:
    # Twelve digits hide that a tenth, summed ten times, is not one; no projection is that precise.
    return f"{value:.12g}"
