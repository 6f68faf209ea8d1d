"""What a likelihood takes: records with an end, options that fit them, and terms that leave provinces independent."""

from __future__ import annotations

import math
from typing import Any

from sim.hazards import Calendar, Custom, Frailty, PullBack, Reserves, Term
from sim.model import Model
from sim.record import Record

__all__ = ["MOST_FRAIL", "OPENED", "require_options", "require_record", "require_weighable", "terms_of"]

#: How many transitions may have a frailty: the quadrature has a dimension for each.
MOST_FRAIL = 3
#: What may have opened a record's window.
OPENED = "first capture"
_WITHOUT = "calibrate without it, and add it as a what-if when projecting"


def require_record(model: Model, record: Record) -> None:
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
    if hours not in ("auto", "average"):
        raise ValueError(f"likelihood: hours must be 'auto' or 'average', but was {hours!r}")
    if window_opened_by not in (None, OPENED):
        raise ValueError(f"likelihood: window_opened_by must be None or {OPENED!r}, but was {window_opened_by!r}")
    if not use_mode:
        if mode_error is not None:
            raise ValueError(f"likelihood: mode_error is for use_mode=True, but was {mode_error!r}; leave it out")
        return None
    if isinstance(mode_error, bool) or not isinstance(mode_error, (int, float)) or not 0.0 < mode_error <= 0.5:
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
