"""Clocks, budgets, appointments: the race engines run.

Each clock, a (province, transition) pair, owns unit-exponential budgets addressed by (seed, replication, province,
transition, occurrence). An enabled clock spends its budget at its current hazard and fires when it is gone; a disabled
one keeps what is left (random time change; Anderson 2007, doi:10.1063/1.2799998; Rathinam et al. 2010,
doi:10.1063/1.3280166).

Budgets are spent in the operational time τ of the clock's track, dτ = common dt, so a national change moves no
clock: only a track's earliest appointment is ever converted to days. A clock is settled only when its own local rate
changes; nothing that merely looks on settles anything, so nothing that looks on can move a bit.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numba import types
from numba.experimental import structref
from numpy.typing import NDArray

from sim import law as _law
from sim import moves
from sim.book import NEVER, WHEN, WHO, Book, Log, appoint, first
from sim.compiled import entry, inner
from sim.control import Control
from sim.streams import exponential, exponentials, normal, uniform

__all__ = [
    "BREAK", "CLOCK", "EXPIRY", "Opening", "Race", "advance", "begin", "grow", "log_of", "race_of", "rescale",
    "retouch", "start_replication", "take_stop",
]  # fmt: skip

_CONTESTED = int(Control.CONTESTED)

#: What the next stop of a race is, in the order that settles ties.
BREAK, EXPIRY, CLOCK = range(3)


class Opening(NamedTuple):
    """Where replications begin: read-only arrays."""

    home: _law.Situation  # the start, but for what chance adds to it
    sources: NDArray[np.uint8]  # (R,) whether some province is in the transition's source at the start
    contested: NDArray[np.int64]  # (1,) column of start.contested; -1 if the model has none
    unseen: NDArray[np.uint32]  # (k,) government-held provinces of which nobody reported otherwise
    past: NDArray[np.uint32]  # (j,) held provinces whose day of capture matters and is known to an interval
    earliest: NDArray[np.float64]  # (j,) days since the start
    latest: NDArray[np.float64]
    key: NDArray[np.uint64]  # Philox keys of clocks, history, start and frailty
    clock: NDArray[np.uint64]  # (R, n) names of the clocks
    province: NDArray[np.uint64]  # (n,)
    frailty: NDArray[np.uint64]  # (frailty term, n)


@structref.register
class _RaceType(types.StructRef):
    """The numba type of a Race."""


class Race(structref.StructRefProxy):
    """One race and all it needs, handed to compiled code as a single reference."""

    law: _law.Law
    opening: Opening
    now: _law.Situation
    book: Book
    log: Log


structref.define_proxy(Race, _RaceType, ["law", "opening", "now", "book", "log"])  # type: ignore[no-untyped-call]


@entry
def race_of(law: _law.Law, opening: Opening, now: _law.Situation, book: Book, log: Log) -> Race:
    """Return these as one race."""
    # In compiled code, which is kept on disk: made from Python, it would be compiled again by every process.
    return Race(law, opening, now, book, log)  # type: ignore[no-untyped-call]


@inner
def _tau(track: Any, day: float) -> float:
    return track.tau + track.common * (day - track.since)


@inner
def _settle(law: _law.Law, opening: Opening, now: _law.Situation, book: Book, r: int, p: int, day: float) -> None:
    """Bring the clock (*r*, *p*) up to *day* if its local rate has changed or it was enabled or disabled."""
    clock = book.clock[r, p]
    on = now.control[p] == law.source[r]
    if not on and not clock.on:
        return
    if not clock.on:
        clock.steady = _law.steady_rate(law, book.values, now, r, p)
    local = _law.live_rate(law, book.values, now, r, p, clock.steady) if on else 0.0
    if on and clock.on and local == clock.local:
        return
    if not 0.0 <= local < np.inf:
        raise ValueError("a hazard is negative or not finite: a rate, an effect or a Custom term is out of bounds")
    tau = _tau(book.track[clock.track], day)
    if clock.on:
        clock.left = max(0.0, clock.left - clock.local * (tau - clock.mark))
    elif clock.left < 0.0:
        clock.left = exponential(opening.key[0], opening.clock[r, p], book.stop[0].replication, clock.fired)
    clock.on = on
    clock.mark = tau
    clock.local = local
    appoint(book, clock.track, p, tau + clock.left / local if local > 0.0 else np.inf)


@inner
def _earliest(law: _law.Law, book: Book) -> None:
    """Write the next stop: the earliest of the next break, the next expiry of a window, and the clocks."""
    stop = book.stop[0]
    kind, day = BREAK, np.inf
    if stop.turned < len(law.breaks):
        day = law.breaks[stop.turned]
    if stop.expiry < day:
        kind, day = EXPIRY, stop.expiry
    for k in range(len(law.transition)):
        track = book.track[k]
        if track.moved:
            if track.moved & WHO:
                first(book, k)
            waits = track.common > 0.0 and track.best < np.inf
            track.day = track.since + (track.best - track.tau) / track.common if waits else np.inf
            track.moved = 0
        at = max(stop.now, track.day)
        # Of clocks at one instant, the first province by name; within it, the first transition of the model.
        if at < day or (at == day and kind == CLOCK and track.who < stop.p):
            kind, day = CLOCK, at
            stop.r, stop.p = law.transition[k], track.who
    stop.kind, stop.day = kind, day


@inner
def _refresh(law: _law.Law, opening: Opening, now: _law.Situation, book: Book, day: float) -> None:
    """After a change on *day*: settle the marked provinces, bring the tracks up to date, find the next stop."""
    for i in range(now.tally[_law.MARKED]):
        now.flag[now.marked[i]] = 0
    for r in range(len(law.source)):
        for i in range(now.tally[_law.MARKED]):
            _settle(law, opening, now, book, r, now.marked[i], day)
    now.tally[_law.MARKED] = 0
    for k in range(len(law.transition)):
        common = _law.common_rate(law, book.values, now, k)
        track = book.track[k]
        if common != track.common:
            if not common < np.inf:
                raise ValueError("a hazard is not finite: a national effect is too large, or not a number")
            track.tau = _tau(track, day)
            track.since = day
            track.common = common
            track.moved |= WHEN
    book.stop[0].now = day
    _earliest(law, book)


@inner
def _open(law: _law.Law, opening: Opening, now: _law.Situation, book: Book, replication: int) -> None:
    """Set the situation to the start of *replication*, with what chance adds to it."""
    moves.restore(now, opening.home)
    for f in range(now.frailty.shape[0]):
        for p in range(now.frailty.shape[1]):
            now.frailty[f, p] = normal(opening.key[3], opening.frailty[f, p], replication, 0)
    now.scale[:] = 1.0
    now.custom[:] = 1.0
    if opening.contested[0] >= 0:
        chance = book.values[opening.contested[0]]
        for i in range(len(opening.unseen)):
            p = opening.unseen[i]
            if uniform(opening.key[2], opening.province[p], replication, 0) < chance:
                moves.move(law, now, p, _CONTESTED, 0.0)
    for i in range(len(opening.past)):
        p = opening.past[i]
        span = opening.latest[i] - opening.earliest[i]
        taken = opening.earliest[i] + span * uniform(opening.key[1], opening.province[p], replication, 0)
        moves.recall(law, now, p, taken)


@inner
def start_replication(
    law: _law.Law, opening: Opening, now: _law.Situation, book: Book, replication: int, values: NDArray[np.float64]
) -> float:  # fmt: skip
    """Set the race to the start of *replication* with the draw *values*; return the day of the first stop."""
    for j in range(len(values)):
        book.values[j] = values[j]
    stop = book.stop[0]
    stop.replication, stop.turned, stop.now = replication, 0, 0.0
    _open(law, opening, now, book, replication)
    stop.expiry = moves.expire(law, now, 0.0)
    book.due[:] = np.inf
    book.low[:] = NEVER
    for k in range(len(law.transition)):
        track = book.track[k]
        track.common, track.tau, track.since, track.moved = 0.0, 0.0, 0.0, WHO
    for r in range(len(law.source)):
        if opening.sources[r]:
            exponentials(opening.key[0], opening.clock[r], replication, book.budget)
        for p in range(len(now.control)):
            clock = book.clock[r, p]
            clock.left = book.budget[p] if opening.sources[r] else -1.0
            clock.fired, clock.on = 0, 0
    _mark_all(now)
    _refresh(law, opening, now, book, 0.0)
    return stop.day


@inner
def _mark_all(now: _law.Situation) -> None:
    for p in range(len(now.control)):
        now.flag[p] = 1
        now.marked[p] = p
    now.tally[_law.MARKED] = len(now.control)


@inner
def _fire(law: _law.Law, now: _law.Situation, book: Book, log: Log, r: int, p: int, day: float) -> None:
    """Fire the clock (*r*, *p*): log the event, with its causes if asked to, then change control."""
    e = log.size[0]
    log.size[0] = e + 1
    log.day[e], log.province[e], log.transition[e] = day, p, r
    if log.shares.shape[1] > 0:
        _law.shares(law, book.values, now, r, p, log.shares[e])
    clock = book.clock[r, p]
    clock.fired += 1
    clock.left, clock.on = -1.0, 0
    appoint(book, clock.track, p, np.inf)
    moves.move(law, now, p, law.target[r], day)


@inner
def take_stop(law: _law.Law, opening: Opening, now: _law.Situation, book: Book, log: Log) -> float:
    """Take the next stop and return the day of the one after it; do nothing and return nan if the log is full."""
    stop = book.stop[0]
    day = stop.day
    if stop.kind == CLOCK:
        if log.size[0] == len(log.day):
            return np.nan
        _fire(law, now, book, log, stop.r, stop.p, day)
    elif stop.kind == BREAK:
        moves.turn(law, now, day)
        stop.turned += 1
    if len(law.window) > 0:
        stop.expiry = moves.expire(law, now, day)
    _refresh(law, opening, now, book, day)
    return stop.day


@entry
def begin(race: Race, replication: int, values: NDArray[np.float64]) -> float:
    """Set the race to the start of *replication* with the draw *values*; return the day of the first stop."""
    return start_replication(race.law, race.opening, race.now, race.book, replication, values)


@entry
def retouch(race: Race, day: float) -> float:
    """Look at every clock again on *day*, after something outside the race changed; return the day of the next stop."""
    law, now, book = race.law, race.now, race.book
    _mark_all(now)
    _refresh(law, race.opening, now, book, day)
    return book.stop[0].day


@entry
def rescale(race: Race, r: int, p: int, factor: float, day: float) -> float:
    """Set the factor of the clock (*r*, *p*) to *factor* from *day* on; return the day of the next stop."""
    race.now.scale[r, p] = factor
    return retouch(race, day)


@entry
def log_of(race: Race) -> Log:
    """Return the log as it is now: it is replaced by a larger one when it is full."""
    return race.log


@entry
def grow(race: Race) -> None:
    """Double the room for events."""
    log = race.log
    size = len(log.day)
    race.log = Log(
        log.size, np.append(log.day, np.zeros(size)), np.append(log.province, np.zeros(size, np.int32)),
        np.append(log.transition, np.zeros(size, np.int8)), np.concatenate((log.shares, np.zeros_like(log.shares))),
    )  # fmt: skip


@entry
def advance(race: Race) -> float:
    """Take the next stop, whatever it is; return the day of the one after it."""
    # Each array named here is counted once in and once out: the parts of the race are taken out of it only once.
    while True:
        day = take_stop(race.law, race.opening, race.now, race.book, race.log)
        if not math.isnan(day):
            return day
        grow(race)
