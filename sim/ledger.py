"""The race engines run: its stops in their order, and how a replication starts.

A race stops at breaks of the calendar, at ends of windows, and where clocks go. A logged time is the appointment of the
clock that went.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types
from numba.experimental import structref
from numpy.typing import NDArray

from sim import law as _law
from sim import moves
from sim.book import BLOCK, LANES, Book, Log, Opening, chosen, earliest, earliest_of_all, lane_of, least_of_block
from sim.clocks import IDLE, Clocks, none_of
from sim.compiled import apart, distinct, entry, inner
from sim.streams import exponentials, normal, uniform, uniforms_at
from sim.telling import (
    common_of,
    contest,
    fire,
    is_plain,
    learn,
    look_again,
    read_time,
    tell_marked,
    tell_tracks,
    unwind,
    wind,
)

__all__ = [
    "BREAK", "CLOCK", "EXPIRY", "Race", "advance", "begin", "find_stop", "find_stops", "grow", "kind", "log_of",
    "race_of", "rescale", "retouch", "start_replication", "take_stop",
]  # fmt: skip

#: What the next stop of a race is, in the order that settles ties.
BREAK, EXPIRY, CLOCK = range(3)


@inner
def _date(law: _law.Law, book: Book, k: Any) -> None:
    """Write down when the next break or end of a window is."""
    turned = book.turned[k]
    turn = law.breaks[turned] if turned < len(law.breaks) else np.inf
    book.dated[k] = min(turn, book.expiry[k])


@inner
def _kind_of(law: _law.Law, clocks: Clocks, book: Book, k: Any) -> int:
    """Return what the next stop is."""
    if np.uint64(book.clock[k]) < none_of(clocks):
        return CLOCK
    turned = book.turned[k]
    return BREAK if turned < len(law.breaks) and law.breaks[turned] <= book.expiry[k] else EXPIRY


@distinct
def _compare(
    province: Any, none: Any, common: Any, tau: Any, since: Any, now: Any, best: Any, who: Any, at: Any, day: Any,
    clock: Any, lanes: Any,
) -> None:  # fmt: skip
    """Let the earliest appointments of a track, *best*, be the next stop where they come before those found so far."""
    ties = np.int64(0)
    for k in range(lanes):  # in one loop: a short one would be unrolled instead of done several lanes at a time
        due = since[k] + (best[k] - tau[k]) / common[k]
        due = due if (common[k] > 0.0) & (best[k] < np.inf) else np.inf
        due = due if due > now[k] else now[k]
        before = day[k]
        at[k] = due
        ties |= np.int64((due == before) & (due < np.inf))
        clock[k] = chosen(due < before, who[k], clock[k])
        day[k] = due if due < before else before
    if ties != 0:
        # Of clocks at one instant, the first province by name; within it, the first transition of the model.
        for k in range(lanes):
            if at[k] == day[k] and who[k] != clock[k] < none and province[who[k]] < province[clock[k]]:
                clock[k] = who[k]


@inner
def find_stop(law: _law.Law, clocks: Clocks, book: Book) -> None:
    """Write down the next stop of a race alone: the earliest of break, end of a window, and clocks, in this order."""
    book.day[0], book.clock[0] = book.dated[0], np.int64(none_of(clocks))
    for t in range(np.uint64(len(law.transition))):
        earliest(clocks, book, t)
        _compare(
            clocks.province, np.int64(none_of(clocks)), book.common[t], book.tau[t], book.since[t], book.now, book.best,
            book.who, book.at, book.day, book.clock, 1,
        )  # fmt: skip


@apart
def find_stops(law: _law.Law, clocks: Clocks, book: Book) -> None:
    """Write down the next stop in every one of LANES lanes, as ``find_stop`` does."""
    for k in range(len(book.day)):
        book.day[k] = book.dated[k]
    for k in range(len(book.day)):
        book.clock[k] = np.int64(none_of(clocks))
    for t in range(np.uint64(len(law.transition))):
        earliest_of_all(
            book.due, clocks.begin[t], clocks.begin[t + np.uint64(1)], np.int64(none_of(clocks)), book.best, book.who
        )
        _compare(
            clocks.province, np.int64(none_of(clocks)), book.common[t], book.tau[t], book.since[t], book.now, book.best,
            book.who, book.at, book.day, book.clock, LANES,
        )  # fmt: skip


@apart
def _log_shares(
    law: _law.Law, lanes: _law.Situation, book: Book, k: Any, r: int, p: int, out: NDArray[np.float64]
) -> None:  # fmt: skip
    _law.shares(law, book.values[book.slot[k]], lane_of(lanes, k), r, p, out)


@inner
def _end_windows(law: _law.Law, lanes: _law.Situation, book: Book, k: Any, day: float) -> None:
    """Drop from the windows what was captured too long ago, and write down when that next happens."""
    book.expiry[k] = moves.expire(law, lane_of(lanes, k), day)
    _date(law, book, k)


@inner
def take_stop(
    law: _law.Law, clocks: Clocks, opening: Opening, lanes: _law.Situation, book: Book, log: Log, k: Any
) -> bool:  # fmt: skip
    """Take the next stop of lane *k*; do nothing and return False if the log is full."""
    day, c = book.day[k], np.uint64(book.clock[k])
    if c < none_of(clocks):
        e = np.uint64(log.size[0])
        if e == np.uint64(len(log.day)):
            return False
        log.size[0] += 1
        p, r = clocks.province[c], clocks.transition[c]
        log.day[e], log.province[e], log.transition[e] = day, p, r
        if log.shares.shape[1] > 0:
            _log_shares(law, lanes, book, k, r, p, log.shares[e])
        fire(law, clocks, opening, lanes, book, k, c, day)
    else:
        _pass_date(law, clocks, lanes, book, k, day)
    if len(law.window) > 0:
        _end_windows(law, lanes, book, k, day)
    tell_tracks(clocks, lanes, book, k, day)
    book.now[k] = day
    return True


@apart
def _pass_date(law: _law.Law, clocks: Clocks, lanes: _law.Situation, book: Book, k: Any, day: float) -> None:
    """Pass a break or the end of a window."""
    read_time(clocks, book, k, day)
    if _kind_of(law, clocks, book, k) == BREAK:
        moves.turn(law, lane_of(lanes, k), day)
        tell_marked(law, clocks, lanes, book, k)
        if book.doubt[k]:
            look_again(law, clocks, lanes, book, k)
        book.turned[k] += 1
        _date(law, book, k)


@apart
def _add_chance(
    law: _law.Law, clocks: Clocks, opening: Opening, lanes: _law.Situation, book: Book, k: Any, replication: int
) -> None:  # fmt: skip
    """Add to the start what chance adds to control and history."""
    if opening.contested[0] >= 0:
        chance, found = book.values[book.slot[k], opening.contested[0]], book.uniform
        uniforms_at(opening.key[2], opening.unseen_name, replication, found)
        for i in range(len(opening.unseen)):
            if found[i] < chance:
                contest(law, clocks, opening, lanes, book, k, opening.unseen[i])
    for i in range(len(opening.past)):
        p = opening.past[i]
        span = opening.latest[i] - opening.earliest[i]
        taken = opening.earliest[i] + span * uniform(opening.key[1], opening.province[p], replication, 0)
        moves.recall(law, lane_of(lanes, k), p, taken)
    book.expiry[k] = moves.expire(law, lane_of(lanes, k), 0.0)
    tell_tracks(clocks, lanes, book, k, 0.0)


@distinct
def _appoint_all(left: Any, home: Any, room: Any, due: Any, k: Any) -> None:
    clocks = np.uint64(len(left) - IDLE)
    for c in range(clocks):
        wait = left[c] / home[c]
        room[c] = wait if home[c] > 0.0 else np.inf
    for c in range(clocks):
        due[c, k] = room[c]


@apart
def start_replication(
    law: _law.Law, clocks: Clocks, opening: Opening, lanes: _law.Situation, book: Book, k: Any, replication: int,
    values: NDArray[np.float64],
) -> None:  # fmt: skip
    """Set lane *k* to the start of *replication* with the draw *values*."""
    now = lane_of(lanes, k)
    moves.restore(law, now, opening.home)
    stale = book.stale[book.slot[k]] != 0 or opening.fickle[0] != 0
    for j in range(len(values)):
        stale = stale or values[j] != book.values[book.slot[k], j]
    if stale:
        for f in range(now.frailty.shape[0]):
            for p in range(now.frailty.shape[1]):
                now.frailty[f, p] = normal(opening.key[3], opening.frailty[f, p], replication, 0)
        now.scale[:] = 1.0
        now.custom[:] = 1.0
        learn(law, clocks, lanes, book, k, values)
    book.replication[k], book.turned[k], book.now[k], book.expiry[k] = replication, 0, 0.0, np.inf
    left, home = book.left[k], book.home[book.slot[k]]
    book.fired[k, :] = 0
    clock = none_of(clocks)
    exponentials(opening.key[0], clocks.name[:clock], replication, left[:clock])
    for t in range(np.uint64(len(law.transition))):
        book.tau[t, k], book.since[t, k], book.here[k, t] = 0.0, 0.0, 0.0
        book.common[t, k] = common_of(clocks, lanes, book, k, t)
    _appoint_all(left, home, book.uniform, book.due, k)
    for block in range(len(book.low)):
        book.low[block] = least_of_block(book.order, np.uint64(block * BLOCK))
    if opening.contested[0] >= 0 or len(law.window) > 0:
        _add_chance(law, clocks, opening, lanes, book, k, replication)
    _date(law, book, k)


@structref.register
class _RaceType(types.StructRef):
    """The numba type of a Race."""


class Race(structref.StructRefProxy):
    """One race and all it needs, handed to compiled code as a single reference."""

    law: _law.Law
    clocks: Clocks
    opening: Opening
    lanes: _law.Situation
    book: Book
    log: Log


structref.define_proxy(  # type: ignore[no-untyped-call]
    Race, _RaceType, ["law", "clocks", "opening", "lanes", "book", "log"]
)


@entry
def race_of(law: _law.Law, clocks: Clocks, opening: Opening, lanes: _law.Situation, book: Book, log: Log) -> Race:
    """Return these as one race, that of a single lane."""
    # In compiled code, which is kept on disk: made from Python, it would be compiled again by every process.
    return Race(law, clocks, opening, lanes, book, log)  # type: ignore[no-untyped-call]


# What gives a view of an array stays within inner functions: an entry would count it as a reference of its own.


@inner
def _begin(
    law: _law.Law, clocks: Clocks, opening: Opening, lanes: _law.Situation, book: Book, replication: int,
    values: NDArray[np.float64],
) -> float:  # fmt: skip
    start_replication(law, clocks, opening, lanes, book, 0, replication, values)
    find_stop(law, clocks, book)
    return book.day[0]


@inner
def _retouch(
    law: _law.Law, clocks: Clocks, opening: Opening, lanes: _law.Situation, book: Book, day: float
) -> float:  # fmt: skip
    now, k = lane_of(lanes, 0), 0
    read_time(clocks, book, 0, day)
    book.stale[0] = 1
    for c in range(none_of(clocks)):
        r, p = clocks.transition[c], clocks.province[c]
        own = _law.own_rate(law, book.values[0], now, r, p)
        if own == book.own[0, c] or clocks.of[r, p] != c:
            continue
        on = lanes.control[k, p] == law.source[r]
        if on:
            unwind(clocks, lanes, book, 0, c)
        book.own[0, c] = own
        if not is_plain(own, 1.0, 1.0):
            book.plain[0, c], book.smooth[0] = 0, 0
        if on:
            wind(law, clocks, opening, lanes, book, 0, c)
    book.now[0] = day
    find_stop(law, clocks, book)
    return book.day[0]


@inner
def _advance(
    law: _law.Law, clocks: Clocks, opening: Opening, lanes: _law.Situation, book: Book, log: Log
) -> bool:  # fmt: skip
    if not take_stop(law, clocks, opening, lanes, book, log, 0):
        return False
    find_stop(law, clocks, book)
    return True


@entry
def begin(race: Race, replication: int, values: NDArray[np.float64]) -> float:
    """Set the race to the start of *replication* with the draw *values*; return the day of the first stop."""
    return _begin(race.law, race.clocks, race.opening, race.lanes, race.book, replication, values)


@entry
def retouch(race: Race, day: float) -> float:
    """Look at every clock again on *day*, after something outside the race changed; return the day of the next stop."""
    return _retouch(race.law, race.clocks, race.opening, race.lanes, race.book, day)


@entry
def rescale(race: Race, r: int, p: int, factor: float, day: float) -> float:
    """Set the factor of the clock (*r*, *p*) to *factor* from *day* on; return the day of the next stop."""
    race.lanes.scale[0, r, p] = factor
    return retouch(race, day)


@entry
def kind(race: Race) -> int:
    """Return what the next stop is: BREAK, EXPIRY or CLOCK."""
    return _kind_of(race.law, race.clocks, race.book, 0)


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
    law, clocks, opening, lanes, book = race.law, race.clocks, race.opening, race.lanes, race.book
    while not _advance(law, clocks, opening, lanes, book, race.log):
        grow(race)
    return book.day[0]
