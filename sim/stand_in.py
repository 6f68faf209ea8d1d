"""A stand-in for hidden contests whose average over unknown hours is exact: a control variate for the Sobol points.

Let every capital still held be lost at the rate seizure + fall q, q its chance of being contested at that time along
one typical course of the record. Nothing in that history is hidden, so its likelihood is known exactly
(``subsets.py``), and hour by hour it follows that of the contests closely, jumps at changes of order included. The
average over points is multiplied by exact over averaged stand-in, a ratio estimator (Owen 2013, Monte Carlo theory,
methods and examples, section 8.9).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from sim.carrying import through
from sim.compiled import entry, inner
from sim.contests import COLUMNS, Lens, advance, closed_form
from sim.control import Control
from sim.hours import CAPTURED, LOST, SEEN_CONTESTED, SEEN_GOVERNMENT, Capture, Edge, Seen, course, marks
from sim.law import Law
from sim.rates import rates_in
from sim.subsets import Stages

__all__ = ["StandIn", "correction", "stand_in"]

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]
_INSURGENT = int(Control.INSURGENT)
_SEIZURE, _FALL, _RECAPTURE = 0, 2, 4
#: So many standard errors of the average over points its stand-in may be off.
_CREDIBLE = 3.0


@dataclass(frozen=True, eq=False)
class StandIn:
    """The ways of K points through the sets of a record's stages, and the steps of provinces along a typical one."""

    table: Stages
    stage: Ints  # (set,) its stage
    way: Ints  # (K, stretch) the set of a stretch
    days: Floats  # (K, stretch) how long it lasts
    entering: Ints  # (K, stretch) which of the captures open enters at its end; -1 for none
    step: Ints  # (step,) the set of a step of the typical course
    step_days: Floats  # (step,)
    does: Ints  # (step,)
    first: Ints  # (n + 1,) province p takes the steps first[p] to first[p + 1]
    log_volume: float


def stand_in(table: Stages, captures: Sequence[Capture], seen: Sequence[Seen], points: Floats) -> StandIn:
    """Lay the stand-in out for *captures*, cut into *table*, placed at *points*, shape (K, capture), and *seen*."""
    ways = [list(_way(table, captures, u.tolist())) for u in points]
    ends = np.array([[moment for moment, _, _ in way] for way in ways])
    typical = list(_way(table, captures, _spread(captures)))
    bits = {p: p for p, *_ in captures}
    gone = {who: moment for moment, _, who in typical if who >= 0}
    edges: list[Edge] = [(moment, member, bits.get(who, -1)) for moment, member, who in typical]
    last, n = typical[-1][0], table.control.shape[1]
    steps = [course(p, edges, marks(p, seen, gone.get(p, last))) for p in range(n)]
    flat = [step for listed in steps for step in listed]
    stage = np.repeat(np.arange(len(table.width)), np.diff(table.first))
    way = np.array([[member for _, member, _ in way] for way in ways], np.int64)
    return StandIn(
        table=table, stage=stage, way=way, days=np.diff(ends, axis=1, prepend=0.0),
        entering=np.array([[_bit(table, stage[s], p) for _, s, p in way] for way in ways], np.int64),
        step=np.array([s.phase for s in flat], np.int64), step_days=np.array([s.days for s in flat]),
        does=np.array([s.does for s in flat], np.int64),
        first=np.cumsum([0, *map(len, steps)]).astype(np.int64),
        log_volume=math.fsum(math.log(b - a) for _, a, b in captures if b > a),
    )  # fmt: skip


def _spread(captures: Sequence[Capture]) -> list[float]:
    """Return where captures lie in a typical record: those of one interval evenly, in the order given."""
    spans = [(low, high) for _, low, high in captures]
    return [(spans[:i].count(span) + 1) / (spans.count(span) + 1) for i, span in enumerate(spans)]


def _bit(table: Stages, stage: int, province: int) -> int:
    return int(np.flatnonzero(table.open[stage] == province)[0]) if province >= 0 else -1


def _way(table: Stages, captures: Sequence[Capture], u: Sequence[float]) -> Iterator[Edge]:
    """Yield the stretches of one point: the moment each ends, its set, and the province captured then (-1 for none)."""
    when = {p: low + at * (high - low) for (p, low, high), at in zip(captures, u, strict=True)}
    over = {p: high for p, _, high in captures}
    waiting = [p for _, _, p in sorted((when[c[0]], at, c[0]) for c, at in zip(captures, u, strict=True))]
    for s in range(len(table.width)):
        opened = table.open[s, : table.width[s]].tolist()
        start = float(table.day[table.first[s]])
        stop = start + float(table.days[s])
        member = sum(1 << j for j, p in enumerate(opened) if p not in waiting)
        for p in [p for p in waiting if p in opened and (when[p] < stop or over[p] <= stop)]:
            yield when[p], int(table.first[s]) + member, p
            member |= 1 << opened.index(p)
            waiting.remove(p)
        yield stop, int(table.first[s]) + member, -1


def correction(law: Law, plan: StandIn, lens: Lens, values: Floats) -> Floats:
    """Return the log of exact over averaged stand-in, for each row of *values* (row, parameter)."""
    table, out = plan.table, np.empty(len(values))
    start = values[:, lens.start] if lens.start >= 0 else np.zeros(len(values))
    block = max(1, min(64, (1 << 22) // (COLUMNS * table.control.size)))
    for at in range(0, len(values), block):
        rates = rates_in(law, table.control, table.day, values[at : at + block])
        _correct(
            start[at : at + block].copy(), lens.told, rates, lens.kinds, plan.step, plan.step_days, plan.does,
            plan.first, table.control, plan.stage, plan.way, plan.days, plan.entering, table.open, table.days,
            table.points, table.width, table.source, table.first, plan.log_volume, out[at : at + block],
        )  # fmt: skip
    return out


@inner
def _held(
    start: float, rates: Floats, kinds: Ints, p: int, step: Ints, days: Floats, does: Ints, begin: int, end: int,
    stage: Ints, one: Floats, here: Floats, chance: Floats, alive: Floats,
) -> float:  # fmt: skip
    """Add up in *chance* and *alive* (stage,) how long *p* is contested and held; return its chance when captured."""
    g, c = 1.0 - start, start
    for j in range(begin, end):
        if does[j] == LOST:
            break
        closed_form(rates[step[j]], kinds, p, one, here)
        was = c / (g + c) if g + c > 0.0 else 0.0
        g, c = advance(here, days[j], g, c)
        now = c / (g + c) if g + c > 0.0 else 0.0
        s = stage[step[j]]
        chance[s] += 0.5 * (was + now) * days[j]
        alive[s] += days[j]
        if does[j] == CAPTURED:
            return now
        if does[j] == SEEN_CONTESTED:
            g, c = 0.0, 1.0
        elif does[j] == SEEN_GOVERNMENT:
            g, c = 1.0, 0.0
        else:
            g, c = 1.0 - now, now
    return 0.0


@entry
def _correct(
    start: Floats, told: Floats, rates: Floats, kinds: Ints, step: Ints, step_days: Floats, does: Ints, first: Ints,
    control: NDArray[np.int8], stage: Ints, way: Ints, way_days: Floats, entering: Ints, opens: Ints, days: Floats,
    points: Ints, width: Ints, source: Ints, begins: Ints, log_volume: float, out: Floats,
) -> None:  # fmt: skip
    sets, n = control.shape
    leave, enter = np.zeros(sets), np.zeros((sets, opens.shape[1]))
    chance, alive = np.zeros((n, len(width))), np.zeros((n, len(width)))
    logs = np.empty(way.shape[0])
    last, one, here = np.zeros(n), np.ones(len(kinds)), np.zeros(COLUMNS)
    for row in range(rates.shape[0]):
        chance[:] = 0.0
        alive[:] = 0.0
        for p in range(n):
            last[p] = _held(
                start[row], rates[row], kinds, p, step, step_days, does, first[p], first[p + 1], stage, one, here,
                chance[p], alive[p],
            )  # fmt: skip
        for s in range(sets):
            leave[s] = 0.0
            for p in range(n):
                if control[s, p] == _INSURGENT:
                    if kinds[_RECAPTURE] >= 0:
                        leave[s] += rates[row, s, kinds[_RECAPTURE], p]
                    continue
                q = chance[p, stage[s]] / alive[p, stage[s]] if alive[p, stage[s]] > 0.0 else last[p]
                leave[s] += _rate(rates[row, s], kinds, p, 1.0, q)
            for b in range(width[stage[s]]):
                p = opens[stage[s], b]
                if control[s, p] != _INSURGENT:
                    enter[s, b] = _rate(rates[row, s], kinds, p, told[p, 0], last[p] * told[p, 1])
        exact = through(leave, enter, days, points, width, source, begins)
        for k in range(way.shape[0]):
            product = 1.0
            logs[k] = 0.0
            for j in range(way.shape[1]):
                logs[k] -= leave[way[k, j]] * way_days[k, j]
                if entering[k, j] >= 0:
                    product *= enter[way[k, j], entering[k, j]]
            logs[k] += math.log(product) if product > 0.0 else -np.inf
        out[row] = _ratio(exact - log_volume, logs)


@inner
def _ratio(exact: float, logs: Floats) -> float:
    """Return *exact* less the log of the mean of exp(*logs*), within what the points' own spread makes credible."""
    top, first, second = -np.inf, 0.0, 0.0
    for k in range(len(logs)):
        top = max(top, logs[k])
    # Where the stand-in gives the record no chance it has nothing to say.
    if not exact > -np.inf or not top > -np.inf:
        return 0.0
    for k in range(len(logs)):
        share = math.exp(logs[k] - top)
        first += share
        second += share * share
    mean = first / len(logs)
    error = math.sqrt(max(0.0, second / len(logs) - mean * mean) / len(logs)) / mean
    # Where one point outweighs all others, exact over average may be anything, and the contests need not follow it.
    most = math.log1p(_CREDIBLE * error)
    return max(-most, min(most, exact - top - math.log(mean)))


@inner
def _rate(rates: Floats, kinds: Ints, p: int, seized: float, fallen: float) -> float:
    rate = 0.0
    if kinds[_SEIZURE] >= 0:
        rate += rates[kinds[_SEIZURE], p] * seized
    if kinds[_FALL] >= 0:
        rate += rates[kinds[_FALL], p] * fallen
    return rate
