"""Hidden contests: given when capitals were captured, each province's government or contested state, filtered forward.

Every hazard allowed here depends only on who is lost. Given the times of all captures, the provinces are therefore
independent, and the part of each that nobody saw has two states, government (g) and contested (c), with

    dg/dt = relief c - (assault + seizure) g        dc/dt = assault g - (fall + relief) c

in closed form between captures. A capture at t contributes seizure g + fall c; a sighting keeps one of the two; at the
end of the record g + c survives. Where only the day is known, the product over provinces is averaged over scrambled
Sobol points (Owen 1997, doi:10.1214/aos/1031594731) of the unknown hours.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from sim.compiled import entry, inner
from sim.control import Control
from sim.law import Law
from sim.rates import rates_in

__all__ = ["Capture", "Plan", "Seen", "carried", "filtered", "plan"]

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]

_INSURGENT = int(Control.INSURGENT)
_NOTHING, _SEEN_CONTESTED, _SEEN_GOVERNMENT, _CAPTURED = range(4)
#: The rates a province's filter needs, in this order.
_KINDS = ("seizure", "assault", "fall", "relief")
#: A capture: province, earliest and latest, in days since the origin.
Capture: TypeAlias = tuple[int, float, float]
#: A sighting: province, first and last moment of the day, and what was seen.
Seen: TypeAlias = tuple[int, float, float, Control]


@dataclass(frozen=True, eq=False)
class Plan:
    """The steps of every province's filter at K choices of the captures' times, as arrays.

    A *phase* is who is lost, in which piece between calendar breaks. Province p at point k takes the steps
    first[k, p] to first[k, p + 1]: it stays *days* in *phase*, then *does* something.
    """

    control: NDArray[np.int8]  # (phase, n)
    day: Floats  # (phase,) a moment at which the phase may hold, for the calendars
    phase: Ints  # (step,)
    days: Floats  # (step,)
    does: Ints  # (step,)
    first: Ints  # (K, n + 1)
    shared: NDArray[np.uint8]  # (n,) nothing was seen of the province but that it was not captured
    log_volume: float  # logarithm of the product of the lengths of the intervals


def plan(
    provinces: int, captures: Sequence[Capture], seen: Sequence[Seen], breaks: Sequence[float], end: float,
    points: Floats,
) -> Plan:  # fmt: skip
    """Lay out the filter of a record from 0 to *end* with its *captures* placed at *points*.

    Parameters
    ----------
    points : ndarray, shape (K, capture)
        Uniforms: where in its interval each capture lies. Among captures of one exact time they decide the order.
    """
    inner = [b for b in breaks if 0.0 < b < end]
    pauses = [(b, -1) for b in inner] + [(end, -1)]
    phases: dict[tuple[frozenset[int], int], int] = {}
    steps: list[tuple[int, float, int]] = []
    first = np.zeros((len(points), provinces + 1), np.int64)
    for k, u in enumerate(points):
        times = [low + at * (high - low) for (_, low, high), at in zip(captures, u.tolist(), strict=True)]
        order = sorted(range(len(captures)), key=lambda i, times=times, u=u: (times[i], u[i]))  # type: ignore[misc]
        cuts = sorted([(times[i], captures[i][0]) for i in order] + pauses, key=lambda cut: cut[0])
        edges, lost, era = [], frozenset[int](), 0
        for moment, p in cuts:
            edges.append((moment, phases.setdefault((lost, era), len(phases)), p))
            lost, era = (lost | {p}, era) if p >= 0 else (lost, era + 1)
        gone = {captures[i][0]: times[i] for i in order}
        for p in range(provinces):
            first[k, p] = len(steps)
            steps += _steps(p, edges, _marks(p, seen, gone.get(p, end)))
        first[k, provinces] = len(steps)
    watched = {p for p, *_ in seen} | {p for p, *_ in captures}
    control = np.zeros((len(phases), provinces), np.int8)
    for (lost, _), j in phases.items():
        control[j, list(lost)] = _INSURGENT
    return Plan(
        control=control, day=np.array([inner[era - 1] if era else 0.0 for _, era in phases]),
        phase=np.array([s[0] for s in steps], np.int64), days=np.array([s[1] for s in steps]),
        does=np.array([s[2] for s in steps], np.int64), first=first,
        shared=np.array([p not in watched for p in range(provinces)], np.uint8),
        log_volume=math.fsum(math.log(high - low) for _, low, high in captures if high > low),
    )  # fmt: skip


def _marks(p: int, seen: Sequence[Seen], last: float) -> list[tuple[float, int]]:
    """Return when *p* was seen and as what: in the middle of the day, or of its part before the capture."""
    found = []
    for q, low, high, control in seen:
        if q == p:
            does = _SEEN_CONTESTED if control is Control.CONTESTED else _SEEN_GOVERNMENT
            found.append(((low + max(low, min(high, last))) / 2, does))
    return sorted(found)


def _steps(
    p: int, edges: Sequence[tuple[float, int, int]], marks: list[tuple[float, int]]
) -> list[tuple[int, float, int]]:
    steps, day, at = [], 0.0, 0
    for moment, phase, who in edges:
        while at < len(marks) and marks[at][0] <= moment:
            steps.append((phase, marks[at][0] - day, marks[at][1]))
            day = marks[at][0]
            at += 1
        if who == p:
            return [*steps, (phase, moment - day, _CAPTURED)]
        if moment > day:
            steps.append((phase, moment - day, _NOTHING))
            day = moment
    return steps


def filtered(law: Law, table: Plan, transitions: Sequence[str], start: int, values: Floats) -> Floats:
    """Return the log-likelihood of the record laid out in *table*, for each row of *values* (row, parameter).

    Parameters
    ----------
    transitions : sequence of str
        Those of the model, in its order.
    start : int
        The column of *values* with the probability that a capital is contested on day 0.
    """
    return _run(law, table, transitions, start, values, np.zeros(table.control.shape[1], np.uint8))[0]


def carried(
    law: Law, table: Plan, transitions: Sequence[str], start: int, values: Floats, provinces: Sequence[int]
) -> Floats:
    """Return the probability of being contested at the end given the record, the mean over *provinces*, for each row.

    The provinces are among those not captured; the rest as for ``filtered``.
    """
    counted = np.zeros(table.control.shape[1], np.uint8)
    counted[list(provinces)] = 1
    return _run(law, table, transitions, start, values, counted)[1] / len(provinces)


def _run(
    law: Law, table: Plan, transitions: Sequence[str], start: int, values: Floats, counted: NDArray[np.uint8]
) -> tuple[Floats, Floats]:
    which = np.array([transitions.index(name) if name in transitions else -1 for name in _KINDS], np.int64)
    out, share = np.empty(len(values)), np.empty(len(values))
    # A block of rows shares the placing of each phase; its tables stay below 32 MB.
    block = max(1, min(64, (1 << 22) // (_COLUMNS * table.control.size)))
    for at in range(0, len(values), block):
        rows = values[at : at + block]
        rates = rates_in(law, table.control, table.day, rows)
        _filter(
            rows[:, start].copy(), rates, which, table.phase, table.days, table.does, table.first, table.shared,
            counted, out[at : at + block], share[at : at + block],
        )  # fmt: skip
    return out + table.log_volume, share


#: Columns of a province's rates in a phase: the four, and what the closed form is made of.
_SEIZURE, _ASSAULT, _FALL, _RELIEF, _SLOW, _GAP, _STAY, _LEAVE = range(8)
_COLUMNS = 8


@inner
def _closed_form(rates: Floats, which: Ints, table: Floats) -> None:
    """Write what each province's filter needs in each phase into *table*, shape (province, phase, column)."""
    for phase in range(rates.shape[0]):
        for p in range(rates.shape[2]):
            here = table[p, phase]
            for kind in range(4):
                here[kind] = rates[phase, which[kind], p] if which[kind] >= 0 else 0.0
            leaves = here[_ASSAULT] + here[_SEIZURE]
            ends = here[_FALL] + here[_RELIEF]
            delta = 0.5 * (ends - leaves)
            ring = here[_ASSAULT] * here[_RELIEF]
            d = math.sqrt(delta * delta + ring)
            # Each of these is a sum, product or quotient of positive numbers: no digits are lost where one is small.
            fast = 0.5 * (leaves + ends) + d
            product = here[_ASSAULT] * here[_FALL] + here[_SEIZURE] * ends
            here[_SLOW] = product / fast if fast > 0.0 else 0.0
            here[_GAP] = 2.0 * d
            here[_STAY] = here[_LEAVE] = 0.5
            if d > 0.0:
                large = (d + abs(delta)) / (2.0 * d)
                small = ring / (d + abs(delta)) / (2.0 * d)
                here[_STAY] = large if delta >= 0.0 else small
                here[_LEAVE] = small if delta >= 0.0 else large


@inner
def _same(one: Floats, other: Floats) -> bool:
    for phase in range(one.shape[0]):
        for column in range(one.shape[1]):
            if one[phase, column] != other[phase, column]:
                return False
    return True


@entry
def _filter(
    start: Floats, rates: Floats, which: Ints, phase: Ints, days: Floats, does: Ints, first: Ints,
    shared: NDArray[np.uint8], counted: NDArray[np.uint8], out: Floats, share: Floats,
) -> None:  # fmt: skip
    """Write the log of the mean over the points, and how many of *counted* are contested at the end, on average."""
    n = rates.shape[3]
    table = np.empty((n, rates.shape[1], _COLUMNS))
    times = np.empty(n, np.int64)
    for row in range(rates.shape[0]):
        _closed_form(rates[row], which, table)
        # Provinces of which nothing was seen and whose rates are all the same share one filter.
        for p in range(n):
            times[p] = 1
            if shared[p]:
                for q in range(p):
                    if shared[q] and times[q] > 0 and counted[q] == counted[p] and _same(table[q], table[p]):
                        times[p] = 0
                        times[q] += 1
                        break
        total, mean = -np.inf, 0.0
        for k in range(first.shape[0]):
            log, contested = 0.0, 0.0
            for p in range(n):
                if times[p] > 0:
                    value, held = _one(start[row], table[p], phase, days, does, first[k, p], first[k, p + 1])
                    log += times[p] * math.log(value) if value > 0.0 else -np.inf
                    if counted[p] and value > 0.0:
                        contested += times[p] * held / value
            top = max(total, log)
            if top > -np.inf:
                # Points weigh as likely as they make the record.
                both = top + math.log(math.exp(total - top) + math.exp(log - top))
                mean = mean * math.exp(total - both) + contested * math.exp(log - both)
                total = both
        out[row] = total - math.log(first.shape[0])
        share[row] = mean


@inner
def _one(
    start: float, rates: Floats, phase: Ints, days: Floats, does: Ints, begin: int, end: int
) -> tuple[float, float]:
    """Return the likelihood of one province's steps, and the part of it in which it is contested at the end."""
    g, c = 1.0 - start, start
    for step in range(begin, end):
        here = rates[phase[step]]
        t = days[step]
        x = here[_GAP] * t
        decay = math.exp(-x)
        if x < 0.01:
            # (1 - exp(-x)) / gap without cancellation, also where the gap is nil
            spread = t * (1.0 - x * (1 / 2 - x * (1 / 6 - x * (1 / 24 - x * (1 / 120 - x * (1 / 720))))))
        else:
            spread = (1.0 - decay) / here[_GAP]
        slow = math.exp(-here[_SLOW] * t)
        g, c = (
            slow * (g * (here[_STAY] + decay * here[_LEAVE]) + c * here[_RELIEF] * spread),
            slow * (g * here[_ASSAULT] * spread + c * (here[_LEAVE] + decay * here[_STAY])),
        )
        if does[step] == _SEEN_CONTESTED:
            g = 0.0
        elif does[step] == _SEEN_GOVERNMENT:
            c = 0.0
        elif does[step] == _CAPTURED:
            return g * here[_SEIZURE] + c * here[_FALL], 0.0
    return g + c, c
