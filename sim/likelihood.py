"""What a record says of a model's parameters: the likelihood that fits the record and the model, chosen and named.

Counts only: the exact chain of ``chains.py``. Dated captures and seizures only: the exact history of ``subsets.py``.
Hidden contests: the filter of ``contests.py``. What none of them can take is refused by name, before any work.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sim import chains, contests, subsets
from sim.control import Control
from sim.hazards import Baseline, Calendar, Custom, Frailty, Momentum, Neighbours, PullBack, Reserves, Term
from sim.law import Law
from sim.lowering import lower
from sim.model import CONTESTED_AT_START, Model
from sim.record import Record
from sim.streams import key_of

__all__ = ["Likelihood", "from_scores", "likelihood"]

Floats: TypeAlias = NDArray[np.float64]
_DAY = timedelta(days=1)
_SCRAMBLES = 8


@dataclass(frozen=True, eq=False)
class Likelihood:
    """The log-likelihood of *record* under *model*: call it with values, shape (draw, parameter).

    Parameters
    ----------
    kind : "count", "captures" or "contests"
    text : str
        Which it is, in words.
    notes : tuple of str
        What of the record was read as what.
    carried : function of values, or None
        Gives, for each row, the probability that a capital nobody reported on is contested at the record's end.
    """

    model: Model
    record: Record
    kind: Literal["count", "captures", "contests"]
    text: str
    notes: tuple[str, ...]
    function: Callable[[Floats], Floats]
    again: Callable[[int], Callable[[Floats], Floats]] | None = None
    carried: Callable[[Floats], Floats] | None = None

    def __call__(self, values: ArrayLike) -> Floats:
        """Return the log-likelihood of each row of *values*, in the order of ``model.parameters``."""
        return self.function(np.array(values, dtype=float, ndmin=2))

    def error(self, values: ArrayLike) -> float:
        """Return the standard error of one log-likelihood at *values*, shape (parameter,); 0 if exact.

        It comes from eight independent scrambles.
        """
        if self.again is None:
            return 0.0
        rows = np.array(values, dtype=float, ndmin=2)
        found = [float(self.again(scramble)(rows)[0]) for scramble in range(1, _SCRAMBLES + 1)]
        return float(np.std(found, ddof=1))


def likelihood(model: Model, record: Record, *, seed: int | None = None, points: int = 32) -> Likelihood:
    """Return the likelihood of *record* under *model*.

    Parameters
    ----------
    record : Record
        With an end: ``record.until(…)``, ``record.as_count()`` or ``Record.from_count(…)``.
    seed : int
        Addresses the points of the average over unknown hours; needed for hidden contests only.
    points : int
        How many there are, a power of two.

    Raises
    ------
    TypeError, ValueError
        If the record has no end, or the model has a term or a transition this record cannot be weighed under.
    """
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
    _require_weighable(model)
    if not record.named:
        return _of_count(model, record)
    return _of_contests(model, record, seed, points) if model.leaves_contested else _of_captures(model, record)


# -- what cannot be weighed ------------------------------------------------------------------------------------------


def _require_weighable(model: Model) -> None:
    if "recapture" in model.hazards:
        raise ValueError(
            "likelihood: recapture cannot be learned from the record; calibrate a model without it, "
            "and add it as a what-if when projecting"
        )
    for transition, hazard in model.hazards.items():
        for term in hazard.terms:
            reason = _refused(term)
            if reason:
                raise ValueError(f"likelihood: {transition}.{term.name} {reason}")


def _refused(term: Term) -> str:
    without = "calibrate without it, and add it as a what-if when projecting"
    if isinstance(term, Momentum) and term.window is not None:
        return f"depends on when each capital was lost, which the likelihood does not follow; {without}"
    if isinstance(term, Frailty):
        return f"is a hidden number for each province, which the likelihood does not integrate; {without}"
    if isinstance(term, Custom):
        return f"is a function the likelihood cannot read; {without}"
    if isinstance(term, Reserves):
        return f"ties the contests of different provinces together; {without}"
    plain = "counts days from a projection's start, which a record does not have; name a date, or "
    if isinstance(term, Calendar) and any(_plain(edge) for edge in (term.start, term.stop)):
        return plain + without
    if isinstance(term, PullBack) and _plain(term.after):
        return plain + without
    return ""


def _plain(instant: object) -> bool:
    return isinstance(instant, float) and math.isfinite(instant)


# -- counts ----------------------------------------------------------------------------------------------------------


def _of_count(model: Model, record: Record) -> Likelihood:
    if model.leaves_contested:
        raise ValueError(
            "likelihood: a count alone cannot tell seizures from falls; calibrate on the dated record "
            "(record.until(…)), or a model of seizures only"
        )
    for term in model.hazards["seizure"].terms:
        if not _alike(model, term):
            raise ValueError(
                f"likelihood: seizure.{term.name} tells capitals apart, but a count does not say which were lost, and "
                "weighing it by simulation is out of scope; calibrate on the dated record (record.until(…)), or leave "
                "the term out"
            )
    law, n = lower(model, record.start), len(record.provinces)
    counts = [(min(record.day(row.day + _DAY), record.days), row.captured) for row in record.counts]
    only = model.hazards["seizure"].terms
    if len(only) == 1:
        return Likelihood(
            model, record, "count", "binomial probability of the count, exact", _count_notes(record),
            _binomial(law, n, *counts[0]),
        )  # fmt: skip
    return Likelihood(
        model, record, "count", "probability of the count under the exact birth chain", _count_notes(record),
        lambda values: chains.counted(law, counts, values),
    )  # fmt: skip


def _count_notes(record: Record) -> tuple[str, ...]:
    numbers = ", ".join(f"{row.captured} of {len(record.provinces)} on {row.day}" for row in record.counts)
    return (f"the count alone is used ({numbers}), not which capitals or when", "no capital is lost on day 0")


def _alike(model: Model, term: Term) -> bool:
    """Return whether *term* is the same for every capital still held, and depends only on how many are lost."""
    n = len(model.theatre.provinces)
    if isinstance(term, Neighbours):
        return all(len(others) == n - 1 for others in model.theatre.neighbours(term.via))
    if isinstance(term, Calendar):
        return term.provinces is None or len(term.provinces) == n
    if isinstance(term, PullBack):
        return len(term.keep) in (0, n)
    return isinstance(term, (Baseline, Momentum))


def _binomial(law: Law, n: int, days: float, lost: int) -> Callable[[Floats], Floats]:
    from scipy import special

    choices = float(special.gammaln(n + 1) - special.gammaln(lost + 1) - special.gammaln(n - lost + 1))

    def function(values: Floats) -> Floats:
        rate = chains.birth_rates(law, values, most=1)[:, 0] / n
        with np.errstate(divide="ignore"):
            gone = np.log(-np.expm1(-rate * days)) if lost else np.zeros(len(values))
        return np.asarray(choices + lost * gone - (n - lost) * rate * days)

    return function


# -- dated captures --------------------------------------------------------------------------------------------------


def _intervals(model: Model, record: Record) -> list[contests.Capture]:
    return [
        (model.theatre.index(row.province), record.day(row.earliest), record.day(row.latest)) for row in record.captures
    ]


def _survival(record: Record) -> str:
    left = len(record.provinces) - len(record.captures)
    return f"the {left} capitals without a capture are read as not captured by the record's end"


def _of_captures(model: Model, record: Record) -> Likelihood:
    law = lower(model, record.start)
    table = subsets.stages(len(record.provinces), _intervals(model, record), law.breaks.tolist(), record.days)
    notes = [_survival(record)]
    seen = sorted({row.province for row in record.sightings if row.control is Control.CONTESTED})
    if seen:
        notes.append(f"contested is read as government-held in this model ({', '.join(seen)})")
    return Likelihood(
        model, record, "captures", "history of the captures, each within its interval, exact", tuple(notes),
        lambda values: subsets.history(law, table, values),
    )  # fmt: skip


# -- hidden contests -------------------------------------------------------------------------------------------------


def _of_contests(model: Model, record: Record, seed: int | None, points: int) -> Likelihood:
    law, end, n = lower(model, record.start), record.days, len(record.provinces)
    seen, notes = _sightings(model, record)
    captures = []
    for p, low, high in _intervals(model, record):
        # A capital seen on a day was captured after that day began: no point is spent where the sighting forbids it.
        start = max([low, *(first for q, first, _, _ in seen if q == p and first < high)])
        captures.append((p, start, high))
    transitions, column = list(model.hazards), list(model.parameters).index(CONTESTED_AT_START)
    unknown = _undecided(captures)
    notes.insert(0, _survival(record))

    def hours(scramble: int) -> Floats:
        u = np.full((points if unknown else 1, len(captures)), 0.5)
        if unknown:
            u[:, unknown] = _sobol(len(unknown), points, seed, scramble)
        return u

    def laid(scramble: int) -> contests.Plan:
        return contests.plan(n, captures, seen, law.breaks.tolist(), end, hours(scramble))

    def function(scramble: int) -> Callable[[Floats], Floats]:
        table = laid(scramble)
        return lambda values: contests.filtered(law, table, transitions, column, values)

    told = {p for p, *_ in captures} | {record.provinces.index(name) for name in record.state().sighted}
    untold = [p for p in range(n) if p not in told]

    def carried(values: Floats) -> Floats:
        return contests.carried(law, laid(0), transitions, column, values, untold)

    if unknown and (points < 1 or points & (points - 1)):
        raise ValueError(f"likelihood: points must be a power of two, but was {points!r}")
    text = "hidden contests filtered in closed form given the hours of captures"
    if unknown:
        text += f", averaged over {points} scrambled Sobol points of the unknown hours"
    return Likelihood(
        model, record, "contests", text, tuple(notes), function(0), function if unknown else None,
        carried if untold else None,
    )  # fmt: skip


def _undecided(captures: Sequence[contests.Capture]) -> list[int]:
    """Return the captures whose time, or whose place among captures of the same exact time, is not known."""
    exact = [low for _, low, high in captures if low == high]
    return [i for i, (_, low, high) in enumerate(captures) if low < high or exact.count(low) > 1]


def _sobol(dimension: int, points: int, seed: int | None, scramble: int) -> Floats:
    from scipy.stats import qmc

    if seed is None:
        raise TypeError("likelihood: averaging over unknown hours needs a seed; pass seed=")
    rng = np.random.default_rng(int(key_of(seed, f"hours {scramble}")))
    return np.asarray(qmc.Sobol(dimension, scramble=True, rng=rng).random_base2(points.bit_length() - 1))


def _sightings(model: Model, record: Record) -> tuple[list[contests.Seen], list[str]]:
    """Return what was seen, as moments a filter can be conditioned on, and notes on the reading."""
    found: list[contests.Seen] = []
    dropped = []
    latest = {row.province: row.latest for row in record.captures}
    for row in record.sightings:
        p = model.theatre.index(row.province)
        for day in dict.fromkeys((row.first, row.last)):
            low = record.day(day)
            if _midnight(day) >= latest.get(row.province, datetime.max):
                dropped.append(row.province)
                continue
            # A span that began before the record is known to hold on its first moment.
            moment = (p, max(low, 0.0), max(min(low + 1.0, record.days), 0.0), row.control)
            if low < record.days and moment not in found and record.day(row.last) >= 0.0:
                found.append(moment)
    notes = []
    if found:
        names = sorted({record.provinces[p] for p, *_ in found})
        notes.append(
            "a sighting is read at the middle of its day, or of the part of it before the capture; one over several "
            f"days, on the first and the last of them ({', '.join(names)})"
        )
    if dropped:
        notes.append(f"sightings after the capture are left out ({', '.join(sorted(set(dropped)))})")
    return found, notes


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time())


def from_scores(model: Model, scores: Floats) -> Floats:
    """Return values, shape (row, parameter), from standard normal *scores* of the free ones, shape (row, free)."""
    columns = []
    free = 0
    for prior in model.parameters.values():
        if prior.free:
            columns.append(prior.from_score(scores[:, free]))
            free += 1
        else:
            columns.append(prior.from_score(np.zeros(len(scores))))
    return np.column_stack(columns)
