"""What changes during a race: clocks, appointments and the log of events."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.compiled import inner

__all__ = ["BLOCK", "CLOCKS", "NEVER", "STOP", "TRACK", "WHEN", "WHO", "Book", "Log", "appoint", "first", "new_log"]

#: Appointments are kept in blocks of so many provinces, each with its earliest: a change looks through one block.
BLOCK = 32

#: Bits of +inf: those of appointments, which are not negative, order as integers do, and integers vectorise.
NEVER = int(np.array(np.inf).view(np.int64))

#: A clock: the steady part of its hazard; the budget left (negative if the next is not drawn yet) at mark, in
#: operational time, and its local rate since; its track, its firings, whether it is enabled.
CLOCKS = np.dtype(
    [(f, "f8") for f in ("steady", "left", "mark", "local")] + [(f, "u4") for f in ("track", "fired")] + [("on", "i8")]
)
#: A track: its common rate, and operational time at the day since which it holds; its earliest appointment in
#: operational time, whose it is and on what day; what of these must be found again.
TRACK = np.dtype([(f, "f8") for f in ("common", "tau", "since", "best", "day")] + [(f, "u4") for f in ("who", "moved")])
WHO, WHEN = 1, 2
STOP = np.dtype(
    [(f, "f8") for f in ("day", "now", "expiry")]
    + [(f, "u4") for f in ("kind", "r", "p", "turned")]
    + [("replication", "i8")]
)


class Book(NamedTuple):
    """What changes during a race."""

    values: NDArray[np.float64]  # (parameter,) the draw
    clock: NDArray[np.void]  # (R, n)
    budget: NDArray[np.float64]  # (n,) work room
    due: NDArray[np.float64]  # (T, n to whole blocks) appointments in operational time; inf if none
    order: NDArray[np.int64]  # (T, block, BLOCK) the same memory read as integers
    low: NDArray[np.int64]  # (T, block) the earliest of each block
    track: NDArray[np.void]  # (T,)
    stop: NDArray[np.void]  # (1,) the next stop, and the day of the last


class Log(NamedTuple):
    """Events of the replications run so far, one row an event; only the first ``size[0]`` rows count."""

    size: NDArray[np.int64]
    day: NDArray[np.float64]
    province: NDArray[np.int32]
    transition: NDArray[np.int8]
    shares: NDArray[np.float64]  # (event, term) in the model's order, processes last; no columns if not asked for


def new_log(room: int, columns: int) -> Log:
    """Return an empty log for *room* events, with *columns* of shares."""
    return Log(
        size=np.zeros(1, np.int64), day=np.zeros(room), province=np.zeros(room, np.int32),
        transition=np.zeros(room, np.int8), shares=np.zeros((room, columns)),
    )  # fmt: skip


@inner
def _lesser(a: Any, b: Any) -> Any:
    # Without a branch, so that a loop of it is done several lanes at a time.
    return b ^ ((a ^ b) & -np.int64(a < b))


@inner
def _least(values: NDArray[np.int64]) -> Any:
    least = np.int64(NEVER)
    for j in range(len(values)):
        least = _lesser(least, values[j])
    return least


@inner
def _place_of(value: Any, values: NDArray[np.int64]) -> Any:
    """Return the first place of *value* among *values*, which hold it."""
    size = np.int64(len(values))
    place = size
    for j in range(len(values)):
        place = _lesser(place, j | (-np.int64(values[j] != value) & size))
    return place


@inner
def appoint(book: Book, k: int, p: int, due: float) -> None:
    """Write the appointment of province *p* on track *k*, and what it does to the earliest of its block."""
    block = p // BLOCK
    was = book.order[k, block, p % BLOCK]
    book.due[k, p] = due
    bits = book.order[k, block, p % BLOCK]
    if bits <= book.low[k, block]:
        book.low[k, block] = bits
        book.track[k].moved |= WHO
    elif was == book.low[k, block]:
        book.low[k, block] = _least(book.order[k, block])
        book.track[k].moved |= WHO


@inner
def first(book: Book, k: int) -> None:
    """Find the earliest appointment on track *k* again: the first by name, of several at once."""
    best = _least(book.low[k])
    block = _place_of(best, book.low[k])
    p = block * BLOCK + _place_of(best, book.order[k, block])
    book.track[k].best, book.track[k].who = book.due[k, p], p
