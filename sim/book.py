"""What changes during a race: clocks, appointments and the log of events.

Races run in *lanes*, one or several side by side, each its own replication: every array has a row for each lane, but
for the appointments, which have a column, so that all lanes are looked through at once.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.clocks import IDLE, Clocks
from sim.compiled import distinct, inner
from sim.law import Law, Situation
from sim.pages import arrays_of

__all__ = [
    "BLOCK", "LANES", "NEVER", "Book", "Log", "Opening", "appoint", "chosen", "earliest", "earliest_of_all", "lane_of",
    "least_of_block", "log_of_lane", "new_book", "new_lanes", "new_log",
]  # fmt: skip

#: How many races run side by side in compiled code.
LANES = 16

#: In a race alone, appointments are in blocks of so many clocks, each with its earliest: a change looks through one.
BLOCK = 64

#: Bits of +inf: those of appointments, which are not negative, order as integers do, and integers vectorise.
NEVER = int(np.array(np.inf).view(np.int64))

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Book(NamedTuple):
    """What changes during the races of L lanes, of C clocks, on T tracks."""

    values: Floats  # (L, parameter) the draw
    table: Floats  # (L, factor) what terms make of what they see
    ratio: Floats  # (L, ratio) what waits of clocks are multiplied by as neighbours are lost and regained
    slot: NDArray[np.uint64]  # (L,) where its values, factors and own rates are: lanes of one draw share them
    stale: NDArray[np.uint8]  # (L,) whether tables and own rates must be found again
    plain: NDArray[np.uint8]  # (L, C + IDLE) whether its hazard cannot come to be 0, or far from plain numbers
    smooth: NDArray[np.uint8]  # (L,) whether all are plain
    doubt: NDArray[np.uint8]  # (L,) whether a hazard may be negative
    own: Floats  # (L, C + IDLE) the own part of each clock's hazard
    home: Floats  # (L, C + IDLE) the local hazard at the start; 0 if not enabled
    left: Floats  # (L, C + IDLE) budget left of one that waits for nothing; negative if the next is not drawn yet
    fired: NDArray[np.uint32]  # (L, C + IDLE) how often it has
    due: Floats  # (C + IDLE, L) appointments in operational time; inf if none
    order: Ints  # (C + IDLE times L,) the same memory, in one line, read as integers
    low: Ints  # (block,) the earliest of each block, of a race alone; else empty
    common: Floats  # (T, L) common rate of a track
    tau: Floats  # (T, L) operational time at the day since which it holds
    since: Floats  # (T, L)
    here: Floats  # (L, T) operational time now
    uniform: Floats  # (n,) work room
    least: Floats  # (factor,) work room: where factors begin, the least of them, and the greatest
    most: Floats  # (factor,)
    best: Floats  # (L,) work room: a track's earliest appointment, whose it is, and on what day
    who: Ints  # (L,)
    at: Floats  # (L,)
    day: Floats  # (L,) of the next stop
    clock: Ints  # (L,) that goes there; none at a break or the end of a window
    now: Floats  # (L,) the day of the last stop
    dated: Floats  # (L,) of the next break or end of a window
    expiry: Floats  # (L,) of the next end of a window
    turned: Ints  # (L,) breaks passed
    replication: Ints  # (L,)


class Opening(NamedTuple):
    """Where replications begin: read-only arrays."""

    home: Situation  # the start, but for what chance adds to it
    fickle: NDArray[np.uint8]  # (1,) whether own parts of hazards differ from replication to replication
    contested: NDArray[np.int64]  # (1,) column of start.contested; -1 if the model has none
    unseen: NDArray[np.uint32]  # (k,) government-held provinces of which nobody reported otherwise
    unseen_name: NDArray[np.uint64]  # (k,)
    past: NDArray[np.uint32]  # (j,) held provinces whose day of capture matters and is known to an interval
    earliest: NDArray[np.float64]  # (j,) days since the start
    latest: NDArray[np.float64]
    key: NDArray[np.uint64]  # Philox keys of clocks, history, start and frailty
    clock: NDArray[np.uint64]  # (R, n) names of the clocks
    province: NDArray[np.uint64]  # (n,)
    frailty: NDArray[np.uint64]  # (frailty term, n)


class Log(NamedTuple):
    """Events of the replications run so far, one row an event; only the first ``size[0]`` rows count."""

    size: NDArray[np.int64]
    day: NDArray[np.float64]
    province: NDArray[np.int32]
    transition: NDArray[np.int8]
    shares: NDArray[np.float64]  # (event, term) in the model's order, processes last; no columns if not asked for


def new_book(law: Law, clocks: Clocks, parameters: int, lanes: int) -> Book:
    """Return an empty book for so many *lanes*."""
    size, factors, tracks = len(clocks.province), int(law.size[1]), len(law.transition)
    due, ratios = np.full((size, lanes), np.inf), int((clocks.ratios[:, 0] + 2 * clocks.ratios[:, 2]).max())

    def zeros(*shape: int) -> Floats:
        return np.zeros(shape)

    def whole(*shape: int) -> Ints:
        return np.zeros(shape, np.int64)

    def flags() -> NDArray[np.uint8]:
        return np.zeros(lanes, np.uint8)

    return Book(
        values=np.full((lanes, parameters), np.nan), table=zeros(lanes, factors), ratio=np.ones((lanes, ratios)),
        slot=np.arange(lanes, dtype=np.uint64), stale=flags() + np.uint8(1), plain=np.ones((lanes, size), np.uint8),
        smooth=flags(), doubt=flags(),
        own=zeros(lanes, size), home=zeros(lanes, size), left=zeros(lanes, size),
        fired=np.zeros((lanes, size), np.uint32), due=due, order=due.view(np.int64).ravel(),
        low=np.full((size - IDLE) // BLOCK if lanes == 1 else 0, NEVER, np.int64), common=zeros(tracks, lanes),
        tau=zeros(tracks, lanes), since=zeros(tracks, lanes), here=zeros(lanes, tracks),
        uniform=zeros(max(size, law.track.shape[1])), least=zeros(factors) + 1.0,
        most=zeros(factors) + 1.0, best=zeros(lanes), who=whole(lanes), at=zeros(lanes),
        day=zeros(lanes), clock=whole(lanes), now=zeros(lanes), dated=zeros(lanes), expiry=zeros(lanes),
        turned=whole(lanes), replication=whole(lanes),
    )  # fmt: skip


def new_log(room: int, columns: int) -> Log:
    """Return an empty log for *room* events, with *columns* of shares."""
    kinds = {"day": (np.float64, (room,)), "province": (np.int32, (room,)), "transition": (np.int8, (room,))}
    return Log(size=np.zeros(1, np.int64), shares=np.zeros((room, columns)), **arrays_of(kinds))


def new_lanes(one: Any, lanes: int) -> Any:
    """Return what *lanes* of what *one* is have: a row each of every array."""
    return type(one)(*(np.repeat(array[None], lanes, axis=0) for array in one))


@inner
def lane_of(lanes: Situation, k: Any) -> Situation:
    """Return the situation of lane *k*."""
    return Situation(
        lanes.control[k], lanes.cell[k], lanes.oldest[k], lanes.taken[k], lanes.before[k], lanes.after[k],
        lanes.frailty[k], lanes.custom[k], lanes.scale[k], lanes.marked[k], lanes.marks[k], lanes.seen[k],
        lanes.queue[k],
    )  # fmt: skip


@inner
def log_of_lane(lanes: Log, k: Any) -> Log:
    """Return the log of lane *k*."""
    return Log(lanes.size[k], lanes.day[k], lanes.province[k], lanes.transition[k], lanes.shares[k])


@inner
def chosen(which: Any, one: Any, other: Any) -> Any:
    """Return *one* if *which* holds, else the *other*: integers, without a branch, so that writes depend on nothing."""
    return other ^ ((one ^ other) & -np.int64(which))


@inner
def _lesser(a: Any, b: Any) -> Any:
    return chosen(a < b, a, b)


@inner
def _least(values: NDArray[np.int64], begin: Any, end: Any) -> Any:
    least = np.int64(NEVER)
    for j in range(begin, end):
        least = _lesser(least, values[j])
    return least


@inner
def _place_of(value: Any, values: Ints, begin: Any, end: Any) -> Any:
    """Return the first place of *value* among *values* from *begin* to *end*, which hold it."""
    beyond = np.int64(len(values))
    place = beyond
    for j in range(begin, end):
        place = _lesser(place, np.int64(j) | (-np.int64(values[j] != value) & beyond))
    return place


@inner
def least_of_block(order: Ints, begin: Any) -> Any:
    """Return the earliest appointment, as an integer, of the block of clocks that begins at *begin*."""
    return _least(order, begin, _end_of_block(order, begin))


@inner
def _end_of_block(order: Ints, begin: Any) -> Any:
    # Of a loop whose length is known the compiler makes a chain, one number at a time: it is not let know.
    return min(begin + np.uint64(BLOCK), np.uint64(len(order)))


@inner
def appoint(book: Book, c: Any, k: Any, due: float) -> None:
    """Write the appointment of clock *c* in lane *k*, and what it does to the earliest of its block."""
    if len(book.low) == 0:
        book.due[c, k] = due
        return
    block = np.uint64(c) // np.uint64(BLOCK)
    if block < np.uint64(len(book.low)):
        was = book.order[c]
        book.due[c, 0] = due
        bits = book.order[c]
        if bits <= book.low[block]:
            book.low[block] = bits
        elif was == book.low[block]:
            book.low[block] = least_of_block(book.order, block * np.uint64(BLOCK))


@inner
def earliest(clocks: Clocks, book: Book, t: Any) -> None:
    """Find the earliest appointment on track *t* of a race alone: the first clock, of several at once."""
    begin, end = np.uint64(clocks.begin[t] // BLOCK), np.uint64(clocks.begin[t + np.uint64(1)] // BLOCK)
    best = _least(book.low, begin, end)
    who = np.uint64(len(clocks.province) - IDLE)
    if best < NEVER:
        block = np.uint64(_place_of(best, book.low, begin, end))
        first = block * np.uint64(BLOCK)
        who = np.uint64(_place_of(best, book.order, first, _end_of_block(book.order, first)))
    book.best[0], book.who[0] = book.due[who, 0], np.int64(who)


@distinct
def earliest_of_all(due: Floats, begin: Any, end: Any, none: Any, best: Floats, who: Ints) -> None:
    """Find the earliest appointment of clocks *begin* to *end* in each lane of LANES: of several at once, the first."""
    for k in range(len(best)):  # of a length not known here, or they are unrolled, lane by lane
        best[k] = np.inf
    for k in range(len(who)):
        who[k] = none
    for c in range(begin, end, 4):
        one, two, three = c + np.uint64(1), c + np.uint64(2), c + np.uint64(3)
        for k in range(LANES):
            # Four at a time: fewer writes. Strictly earlier, so that the first of several at once is kept.
            a, b, x, y = due[c, k], due[one, k], due[two, k], due[three, k]
            ab, xy = b if b < a else a, y if y < x else x
            first = np.int64(one) if b < a else np.int64(c)
            second = np.int64(three) if y < x else np.int64(two)
            four, which = xy if xy < ab else ab, second if xy < ab else first
            who[k] = chosen(four < best[k], which, who[k])
            best[k] = four if four < best[k] else best[k]
