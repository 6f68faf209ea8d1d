"""What a record says of a model's parameters: the likelihood that fits the record and the model, chosen and named.

Counts only: the exact chain of ``chains.py``, or simulation. Dated captures and seizures only: the exact history of
``subsets.py``. Hidden contests, frailties, windows: the filter of ``contests.py``, averaged over unknown hours. What
none of them can take is refused by name, before any work.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from sim import contests, counting, subsets
from sim.control import Control
from sim.first_capture import first_capture
from sim.hazards import Frailty
from sim.hours import Capture, plan
from sim.law import Law
from sim.lenses import lens_of
from sim.lowering import lower
from sim.model import Model
from sim.observations import (
    captures_of,
    chosen_hours,
    sightings_of,
    survival_note,
    told_by_mode,
    uncounted,
    undecided,
)
from sim.rates import kinds_of
from sim.record import Record
from sim.stand_in import correction, stand_in
from sim.streams import key_of
from sim.weighable import OPENED, require_options, require_points, require_record, require_weighable, terms_of
from sim.weight import Likelihood, from_scores

__all__ = ["Likelihood", "from_scores", "likelihood"]

Floats: TypeAlias = NDArray[np.float64]

#: Weeks simulated for each value of the parameters where a count has no exact chain.
_SIMULATED = 1_000


def likelihood(
    model: Model,
    record: Record,
    *,
    seed: int | None = None,
    points: int = 32,
    hours: Literal["auto", "average"] = "auto",
    use_mode: bool = False,
    mode_error: float | None = None,
    window_opened_by: Literal["first capture"] | None = None,
) -> Likelihood:
    """Return the likelihood of *record* under *model*.

    Parameters
    ----------
    record : Record
        With an end: ``record.until(…)``, ``record.as_count()`` or ``Record.from_count(…)``.
    seed : int
        Addresses the points of the average over unknown hours, and simulations; needed only where there are any.
    points : int
        How many points there are, a power of two.
    hours : "auto" or "average"
        "average" averages over unknown hours also where an exact recursion does without.
    use_mode : bool
        Read how a capital was reported to have been captured as telling a seizure from a fall.
    mode_error : float
        The probability, in (0, 1/2], that such a report is wrong; needed with *use_mode*, and only then.
    window_opened_by : None or "first capture"
        "first capture" weighs the record given that a capital was captured in the interval of its first capture and
        none before: what is to be expected where the record begins on a day because of that capture.

    Raises
    ------
    TypeError, ValueError
        If the record has no end, or the model has a term or a transition this record cannot be weighed under.
    """
    require_record(model, record)
    if seed is not None:
        key_of(seed, "likelihood")
    error = require_options(hours, use_mode, mode_error, window_opened_by)
    if not record.named:
        if error is not None or window_opened_by is not None:
            what = "use_mode" if error is not None else "window_opened_by"
            raise ValueError(f"likelihood: {what} needs dated captures, but the record is a count; use record.until(…)")
        return _of_count(model, record, seed)
    require_weighable(model)
    law = lower(model, record.start)
    require_points(points)
    found = _of_captures(model, record, law, seed, points, hours, error)
    return found if window_opened_by is None else _given_the_first(found, law)


# -- counts ----------------------------------------------------------------------------------------------------------


def _of_count(model: Model, record: Record, seed: int | None) -> Likelihood:
    notes = counting.count_notes(record)
    if counting.alike(model):
        chain = "binomial probability of the count" if counting.only_baseline(model) else (
            "probability of the count under the exact birth chain"
        )  # fmt: skip
        text = f"{chain}, exact" if counting.only_baseline(model) else chain
        return Likelihood(model, record, "count", text, notes, counting.exact(model, record))
    if seed is None:
        raise TypeError("likelihood: a count under a model that tells capitals apart is simulated; pass seed=")

    def again(stream: int) -> Callable[[Floats], Floats]:
        return counting.simulated(model, record, _SIMULATED, seed, stream)

    text = (
        f"probability of the count by simulation, NOT exact: the share of {_SIMULATED} simulated records that have it, "
        "for each value of the parameters"
    )
    return Likelihood(model, record, "simulated", text, notes, again(0), again)


# -- dated captures --------------------------------------------------------------------------------------------------


def _of_captures(
    model: Model, record: Record, law: Law, seed: int | None, points: int, hours: str, error: float | None
) -> Likelihood:  # fmt: skip
    hidden = model.leaves_contested
    seen, notes = sightings_of(model, record)
    captures = captures_of(model, record, seen)
    narrowed = sorted(record.provinces[p] for (p, *span), (_, *whole) in zip(captures, captures_of(model, record),
                      strict=True) if span != whole)  # fmt: skip
    seen, notes = (seen, notes) if hidden else ([], [])
    if narrowed:
        notes.append(f"seen held on a day, so not captured before it ({', '.join(narrowed)})")
    told, more = told_by_mode(model, record, error if hidden else None)
    notes = [survival_note(record), *notes, *more, *uncounted(record)]
    if not hidden:
        notes += _unread(record, error)
    open_ = subsets.most_open(captures)
    windows = law.window.tolist()
    plain = not hidden and not windows and not any(isinstance(term, Frailty) for _, term in terms_of(model))
    if plain and hours == "auto" and open_ <= subsets.MOST_OPEN:
        table = subsets.stages(len(record.provinces), captures, law.breaks.tolist(), record.days)
        kinds = kinds_of(model.hazards)
        return Likelihood(
            model, record, "captures", "history of the captures, each within its interval, exact", tuple(notes),
            lambda values: subsets.history(law, table, kinds, values),
        )  # fmt: skip
    steady = not plain and not windows and open_ <= subsets.MOST_OPEN
    return _averaged(model, record, law, captures, seen, told, notes, seed, points, steady)


def _unread(record: Record, error: float | None) -> list[str]:
    seen = sorted({row.province for row in record.sightings if row.control is Control.CONTESTED})
    notes = [f"contested is read as government-held in this model ({', '.join(seen)})"] if seen else []
    return notes + (["modes of capture say nothing to a model of seizures only"] if error is not None else [])


def _averaged(
    model: Model, record: Record, law: Law, captures: Sequence[Capture], seen: Sequence[Any], told: Floats,
    notes: Sequence[str], seed: int | None, points: int, steady: bool,
) -> Likelihood:  # fmt: skip
    lens, n, breaks, end = lens_of(model, told), len(record.provinces), law.breaks.tolist(), record.days
    frail = bool(np.any(lens.frailty >= 0))
    half = lens_of(model, told, share=2) if frail else lens
    table = subsets.stages(n, captures, breaks, end) if steady else None
    unknown = bool(undecided(captures))

    def laid(scramble: int) -> tuple[Any, Any]:
        u = chosen_hours(captures, points, seed, scramble)
        laid_out = plan(
            n, captures, seen, breaks, end, u, windows=law.window.tolist(), afterwards="recapture" in model.hazards
        )
        return laid_out, stand_in(table, captures, seen, u) if table is not None and unknown else None

    first = laid(0)

    def function(scramble: int, lens: contests.Lens = lens) -> Callable[[Floats], Floats]:
        laid_out, stand = laid(scramble) if scramble else first

        def weigh(values: Floats) -> Floats:
            found = contests.filtered(law, laid_out, lens, values)
            return found if stand is None else found + correction(law, stand, lens, values)

        return weigh

    told_of = {p for p, *_ in captures} | {record.provinces.index(name) for name in record.state().sighted}
    untold = [p for p in range(n) if p not in told_of]
    hidden = model.leaves_contested
    text = "hidden contests filtered in closed form" if hidden else "history of the captures"
    text += " given the hours of captures"
    if frail:
        text += ", frailties integrated by Gauss-Hermite quadrature for each province"
    if unknown:
        text += f", averaged over {points} scrambled Sobol points of the unknown hours"
    return Likelihood(
        model, record, "contests" if hidden else "captures", text, tuple(notes), function(0),
        function if unknown else None,
        (lambda values: contests.carried(law, first[0], lens, values, untold)) if hidden and untold else None,
        function(0, half) if frail else None,
    )  # fmt: skip


# -- a record that begins with its first capture ---------------------------------------------------------------------


def _given_the_first(found: Likelihood, law: Law) -> Likelihood:
    """Return *found* given that a capital was captured in the interval of the record's first capture, none before."""
    record, model = found.record, found.model
    captures = captures_of(model, record)
    if not captures:
        raise ValueError(
            f"likelihood: window_opened_by={OPENED!r} needs a capture, but the record has none; leave it out"
        )
    after, before = min(low for _, low, _ in captures), min(high for _, _, high in captures)
    opening = first_capture(model, law, after, before)

    def given(function: Callable[[Floats], Floats]) -> Callable[[Floats], Floats]:
        def divided(values: Floats) -> Floats:
            whole = function(values)
            out = np.full(len(values), -np.inf)
            possible = whole > -np.inf
            out[possible] = whole[possible] - opening(values[possible])
            return out

        return divided

    note = (
        f"weighed given that the record's first capture fell between days {after:g} and {before:g}, with none before: "
        "the record begins because of it"
    )
    again = found.again
    return replace(
        found, text=f"{found.text}, given the first capture", notes=(*found.notes, note),
        function=given(found.function),
        again=None if again is None else (lambda scramble: given(again(scramble))),
        coarser=None if found.coarser is None else given(found.coarser),
    )  # fmt: skip
