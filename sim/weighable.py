"""What a likelihood takes: records with an end, options that fit them, and terms that leave provinces independent."""

from __future__ import annotations

import math
from numbers import Real
from typing import Any

import numpy as np

from sim.hazards import Calendar, Custom, Frailty, PullBack, Reserves, Term
from sim.lenses import MOST_FRAIL
from sim.model import Model
from sim.record import Record

__all__ = ["OPENED", "require_options", "require_points", "require_record", "require_weighable", "terms_of"]

#: What may have opened a record's window.
OPENED = "first capture"
_WITHOUT = "calibrate without it, and add it as a what-if when projecting"


def require_points(points: object) -> None:
    """Raise a ValueError if *points* is not a power of two."""
    whole = isinstance(points, (int, np.integer)) and not isinstance(points, bool)
    if not whole or points < 1 or points & (points - 1):  # type: ignore[operator]
        raise ValueError(f"likelihood: points must be a power of two, but was {points!r}")


def require_record(model: Model, record: Record) -> None:
    """Refuse what is no model or no record, one without an end, and terms that count days from a projection's start."""
    if not isinstance(model, Model):
        raise TypeError(f"likelihood: model must be a Model, but was {model!r}; sim.families has four")
    if not isinstance(record, Record):
        raise TypeError(
            f"likelihood: the week must be a Record, but was {record!r}; theatre.record.until('…') gives one"
        )
    if record.end is None:
        raise ValueError(
            "likelihood: the record must have an end, or the future would leak in; "
            "say what was known when with record.until('YYYY-MM-DD')"
        )
    if record.provinces != model.theatre.provinces:
        strange = ", ".join(sorted(set(record.provinces).symmetric_difference(model.theatre.provinces)))
        raise ValueError(f"likelihood: the record must be of the model's provinces, but they differ in {strange}")
    for transition, term in terms_of(model):
        if _from_the_start(term):
            raise ValueError(
                f"likelihood: {transition}.{term.name} counts days from a projection's start, which a record does not "
                f"have; name a date, or {_WITHOUT}"
            )


def require_options(hours: Any, use_mode: Any, mode_error: Any, window_opened_by: Any) -> float | None:
    if not isinstance(hours, str) or hours not in ("auto", "average"):
        raise ValueError(f"likelihood: hours must be 'auto' or 'average', but was {hours!r}")
    if window_opened_by is not None and not (isinstance(window_opened_by, str) and window_opened_by == OPENED):
        raise ValueError(f"likelihood: window_opened_by must be None or {OPENED!r}, but was {window_opened_by!r}")
    if not isinstance(use_mode, (bool, np.bool_)):
        raise TypeError(f"likelihood: use_mode must be True or False, but was {use_mode!r}")
    if not use_mode:
        if mode_error is not None:
            raise ValueError(f"likelihood: mode_error is for use_mode=True, but was {mode_error!r}; leave it out")
        return None
    if isinstance(mode_error, bool) or not isinstance(mode_error, Real) or not 0.0 < float(mode_error) <= 0.5:
        raise ValueError(
            f"likelihood: use_mode=True needs mode_error, the probability in (0, 0.5] that a reported mode is wrong, "
            f"but it was {mode_error!r}"
        )
    return float(mode_error)


def terms_of(model: Model) -> list[tuple[str, Term]]:
    return [(transition, term) for transition, hazard in model.hazards.items() for term in hazard.terms]


def _from_the_start(term: Term) -> bool:
    edges = (term.start, term.stop) if isinstance(term, Calendar) else ()
    return any(isinstance(at, float) and math.isfinite(at) for at in edges) or (
        isinstance(term, PullBack) and isinstance(term.after, float) and math.isfinite(term.after)
    )


def require_weighable(model: Model) -> None:
    for transition, term in terms_of(model):
        if isinstance(term, Custom):
            raise ValueError(
                f"likelihood: {transition}.{term.name} is a function the likelihood cannot read; {_WITHOUT}"
            )
        if isinstance(term, Reserves):
            raise ValueError(
                f"likelihood: {transition}.{term.name} ties the contests of different provinces together; {_WITHOUT}"
            )
    frail = [transition for transition, term in terms_of(model) if isinstance(term, Frailty)]
    if len(frail) > MOST_FRAIL:
        raise ValueError(
            f"likelihood: at most {MOST_FRAIL} transitions may have a Frailty, but {len(frail)} have "
            f"({', '.join(frail)}); {_WITHOUT}"
        )
