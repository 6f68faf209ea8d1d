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
from collections.abc import Sequence
from typing import Any, NamedTuple, cast

import numpy as np
from numba import types
from numba.experimental import structref
from numpy.typing import NDArray

from sim import law as _law
from sim import moves
from sim.compiled import entry, inner
from sim.control import Control, State
from sim.lowering import lower
from sim.model import Model
from sim.streams import exponential, key_of, name_key, normal, uniform

__all__ = ["BREAK", "CLOCK", "EXPIRY", "Log", "Race", "advance", "begin", "log_of", "new_race", "rescale", "retouch"]

#: What the next stop of a race is, in the order that settles ties.
BREAK, EXPIRY, CLOCK = range(3)

_CLOCK = np.dtype([("left", "f8"), ("mark", "f8"), ("local", "f8"), ("fired", "i8"), ("on", "i8")])
_TRACK = np.dtype([("common", "f8"), ("tau", "f8"), ("since", "f8")])
_STOP = np.dtype(
    [(f, "f8") for f in ("day", "now", "expiry")] + [(f, "i8") for f in ("kind", "r", "p", "turned", "replication")]
)


class Opening(NamedTuple):
    """Where replications begin: read-only arrays."""

    control: NDArray[np.int8]  # (n,)
    unseen: NDArray[np.uint8]  # (n,) government-held, and nobody reported otherwise
    contested: NDArray[np.int64]  # (1,) column of start.contested; -1 if the model has none
    earliest: NDArray[np.float64]  # (n,) of a past capture, days since the start; nan if none
    latest: NDArray[np.float64]
    key: NDArray[np.uint64]  # Philox keys of clocks, history, start and frailty
    clock: NDArray[np.uint64]  # (R, n) names of the clocks
    province: NDArray[np.uint64]  # (n,)
    frailty: NDArray[np.uint64]  # (frailty term, n)


class Book(NamedTuple):
    """What changes during a race."""

    values: NDArray[np.float64]  # (parameter,) the draw
    clock: NDArray[np.void]  # (R, n) budget left at mark (operational time), local rate, firings, enabled
    due: NDArray[np.float64]  # (R, n) appointments in operational time; inf if none
    track: NDArray[np.void]  # (T,) common rate, operational time at the day since which it holds
    stop: NDArray[np.void]  # (1,) the next stop, and the day of the last


class Log(NamedTuple):
    """Events of the replications run so far, one row an event; only the first ``size[0]`` rows count."""

    size: NDArray[np.int64]
    day: NDArray[np.float64]
    province: NDArray[np.int32]
    source: NDArray[np.int8]
    target: NDArray[np.int8]
    transition: NDArray[np.int8]
    shares: NDArray[np.float64]  # (event, term) in the model's order, processes last


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

    def __new__(cls, law: Any, opening: Any, now: Any, book: Any, log: Any) -> Race:
        return cast(Race, structref.StructRefProxy.__new__(cls, law, opening, now, book, log))  # type: ignore[no-untyped-call]


structref.define_proxy(Race, _RaceType, ["law", "opening", "now", "book", "log"])  # type: ignore[no-untyped-call]


def new_race(model: Model, start: State, seed: int, *, room: int = 4096) -> tuple[Race, _law.Law, _law.Situation, Book]:
    """Return a race of *model* from *start*, and its law, situation and book as arrays that can be read."""
    law = lower(model, start.instant)
    now = _law.fresh(law)
    transitions, n = law.track.shape
    columns = int(np.max(np.diff(law.ends))) + 1
    book = Book(
        values=np.zeros(len(model.parameters)), clock=np.zeros((transitions, n), _CLOCK),
        due=np.full((transitions, n), np.inf), track=np.zeros(len(law.transition), _TRACK), stop=np.zeros(1, _STOP),
    )  # fmt: skip
    log = Log(
        size=np.zeros(1, np.int64), day=np.zeros(room), province=np.zeros(room, np.int32),
        source=np.zeros(room, np.int8), target=np.zeros(room, np.int8), transition=np.zeros(room, np.int8),
        shares=np.zeros((room, columns)),
    )  # fmt: skip
    return Race(law, _opening(model, start, seed), now, book, log), law, now, book


def _keys(names: Sequence[Sequence[str]], what: str) -> NDArray[np.uint64]:
    """Return the key of each name. Raise a ValueError if two share one (about 1 in 2**64 per pair)."""
    keys = [name_key(*name) for name in names]
    if len(set(keys)) != len(keys):
        raise ValueError(f"{what}: two names share a 64-bit key; rename one of {names!r}")
    return np.array(keys, np.uint64)


def _opening(model: Model, start: State, seed: int) -> Opening:
    theatre = model.theatre
    n = len(theatre.provinces)
    control = np.zeros(n, np.int8)
    for province, held in start.control.items():
        seen = held if model.leaves_contested or held is not Control.CONTESTED else Control.GOVERNMENT
        control[theatre.index(province, "start")] = seen
    interval = np.full((2, n), np.nan)
    for past in start.past:
        interval[:, theatre.index(past.province, "start")] = past.earliest, past.latest
    unseen = (control == Control.GOVERNMENT).astype(np.uint8)
    for province in start.sighted:
        unseen[theatre.index(province, "start")] = 0
    clocks = [(province, transition) for transition in model.hazards for province in theatre.provinces]
    frailties = [
        (province, transition, name) for transition, names in model.terms.items() for name in names
        for province in theatre.provinces if name.startswith("frailty")
    ]  # fmt: skip
    names = tuple(model.parameters)
    return Opening(
        control=control, unseen=unseen,
        contested=np.array([names.index("start.contested") if "start.contested" in names else -1]),
        earliest=interval[0], latest=interval[1],
        key=np.array([key_of(seed, purpose) for purpose in ("clock", "history", "start", "frailty")]),
        clock=_keys(clocks, "clocks").reshape(-1, n),
        province=_keys([(province,) for province in theatre.provinces], "provinces"),
        frailty=_keys(frailties, "frailties").reshape(-1, n),
    )  # fmt: skip


@inner
def _tau(track: Any, day: float) -> float:
    return track.tau + track.common * (day - track.since)


@inner
def _settle(law: _law.Law, opening: Opening, now: _law.Situation, book: Book, r: int, p: int, day: float) -> None:
    """Bring the clock (*r*, *p*) up to *day* if its local rate has changed or it was enabled or disabled."""
    clock = book.clock[r, p]
    on = 1 if now.control[p] == law.source[r] else 0
    local = _law.local_rate(law, book.values, now, r, p) if on else 0.0
    if on == clock.on and local == clock.local:
        return
    if not 0.0 <= local < np.inf:
        raise ValueError("a hazard is negative or not finite: a rate, an effect or a Custom term is out of bounds")
    tau = _tau(book.track[law.track[r, p]], day)
    if clock.on:
        clock.left = max(0.0, clock.left - clock.local * (tau - clock.mark))
    elif on and clock.left < 0.0:
        clock.left = exponential(opening.key[0], opening.clock[r, p], book.stop[0].replication, clock.fired)
    clock.on = on
    clock.mark = tau
    clock.local = local
    book.due[r, p] = tau + clock.left / local if local > 0.0 else np.inf


@inner
def _earliest(law: _law.Law, book: Book) -> None:
    """Write the next stop: the earliest of the next break, the next expiry of a window, and the clocks."""
    stop = book.stop[0]
    turned = stop.turned
    stop.kind = BREAK
    stop.day = law.breaks[turned] if turned < len(law.breaks) else np.inf
    if stop.expiry < stop.day:
        stop.kind, stop.day = EXPIRY, stop.expiry
    whole = len(law.transition) == len(law.source)
    for k in range(len(law.transition)):
        r = law.transition[k]
        track = book.track[k]
        best, who = np.inf, -1
        for p in range(book.due.shape[1]):
            if book.due[r, p] < best and (whole or law.track[r, p] == k):
                best, who = book.due[r, p], p
        if who < 0 or not track.common > 0.0:
            continue
        day = max(stop.now, track.since + (best - track.tau) / track.common)
        earlier = day < stop.day
        if day == stop.day and stop.kind == CLOCK:
            earlier = who < stop.p
        if earlier:
            stop.kind, stop.day, stop.r, stop.p = CLOCK, day, r, who


@inner
def _refresh(law: _law.Law, opening: Opening, now: _law.Situation, book: Book, day: float) -> None:
    """After a change on *day*: settle the marked provinces, bring the tracks up to date, find the next stop."""
    for i in range(now.tally[_law.MARKED]):
        p = now.marked[i]
        now.flag[p] = 0
        for r in range(len(law.source)):
            _settle(law, opening, now, book, r, p, day)
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
    book.stop[0].now = day
    _earliest(law, book)


@entry
def begin(race: Race, replication: int, values: NDArray[np.float64]) -> float:
    """Set the race to the start of *replication* with the draw *values*; return the day of the first stop."""
    law, now, book, opening = race.law, race.now, race.book, race.opening
    book.values[:] = values
    stop = book.stop[0]
    stop.replication, stop.turned, stop.now = replication, 0, 0.0
    for f in range(now.frailty.shape[0]):
        for p in range(now.frailty.shape[1]):
            now.frailty[f, p] = normal(opening.key[3], opening.frailty[f, p], replication, 0)
    now.scale[:] = 1.0
    now.custom[:] = 1.0
    control = opening.control.copy()
    taken = np.full(len(control), -np.inf)
    for p in range(len(control)):
        if opening.contested[0] >= 0 and opening.unseen[p]:
            chance = values[opening.contested[0]]
            control[p] = 1 if uniform(opening.key[2], opening.province[p], replication, 0) < chance else 0
        if not math.isnan(opening.earliest[p]):
            span = opening.latest[p] - opening.earliest[p]
            taken[p] = opening.earliest[p] + span * uniform(opening.key[1], opening.province[p], replication, 0)
    moves.place(law, now, control, taken, 0.0)
    stop.expiry = moves.expire(law, now, 0.0)
    for r in range(len(law.source)):
        for p in range(len(control)):
            clock = book.clock[r, p]
            clock.left, clock.mark, clock.local, clock.fired, clock.on = -1.0, 0.0, 0.0, 0, 0
            book.due[r, p] = np.inf
    for k in range(len(law.transition)):
        book.track[k].common, book.track[k].tau, book.track[k].since = 0.0, 0.0, 0.0
    return retouch(race, 0.0)


@entry
def retouch(race: Race, day: float) -> float:
    """Look at every clock again on *day*, after something outside the race changed; return the day of the next stop."""
    now, book = race.now, race.book
    for p in range(len(now.control)):
        now.flag[p] = 1
        now.marked[p] = p
    now.tally[_law.MARKED] = len(now.control)
    _refresh(race.law, race.opening, now, book, day)
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
def _grow(race: Race) -> None:
    log = race.log
    size = log.size[0]
    race.log = Log(
        log.size, np.append(log.day, np.zeros(size)), np.append(log.province, np.zeros(size, np.int32)),
        np.append(log.source, np.zeros(size, np.int8)), np.append(log.target, np.zeros(size, np.int8)),
        np.append(log.transition, np.zeros(size, np.int8)), np.concatenate((log.shares, np.zeros_like(log.shares))),
    )  # fmt: skip


@inner
def _fire(law: _law.Law, now: _law.Situation, book: Book, log: Log, r: int, p: int, day: float) -> None:
    """Fire the clock (*r*, *p*): log the event with its causes, then change control."""
    e = log.size[0]
    log.size[0] += 1
    log.day[e], log.province[e], log.transition[e] = day, p, r
    log.source[e], log.target[e] = law.source[r], law.target[r]
    _law.shares(law, book.values, now, r, p, log.shares[e])
    clock = book.clock[r, p]
    clock.fired += 1
    clock.left, clock.on, clock.local = -1.0, 0, 0.0
    book.due[r, p] = np.inf
    moves.move(law, now, p, law.target[r], day)


@inner
def _advance(law: _law.Law, opening: Opening, now: _law.Situation, book: Book, log: Log) -> float:
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
def advance(race: Race) -> float:
    """Take the next stop, whatever it is; return the day of the one after it."""
    # Each array named here is counted once in and once out: the parts of the race are taken out of it only once.
    while True:
        day = _advance(race.law, race.opening, race.now, race.book, race.log)
        if not math.isnan(day):
            return day
        _grow(race)
