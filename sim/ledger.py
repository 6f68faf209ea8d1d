"""Clocks, budgets, appointments: the race engines run.

Each clock, a (province, transition) pair, owns unit-exponential budgets addressed by (seed, replication, province,
transition, occurrence). An enabled clock spends its budget at its current hazard and fires when it is gone; a disabled
one keeps what is left (random time change; Anderson 2007, doi:10.1063/1.2799998; Rathinam et al. 2010,
doi:10.1063/1.3280166).

Budgets are spent in the operational time τ of the clock's track, dτ = common dt, so a national change moves no
clock: only a track's earliest appointment is ever converted to days. When a clock's local hazard goes from a to b, what
it still waits, in operational time, goes times a/b (Gibson and Bruck 2000, doi:10.1021/jp993732q). It waits on
untouched otherwise; nothing that merely looks on touches a clock, so nothing that looks on can move a bit.
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
from sim.book import BLOCK, LANES, Book, Log, appoint, earliest, earliest_of_all, lane_of, least_of_block
from sim.clocks import IDLE, Clocks
from sim.compiled import apart, distinct, entry, inner
from sim.control import Control
from sim.streams import exponential, exponentials, normal, uniform, uniforms_at

__all__ = [
    "BREAK", "CLOCK", "EXPIRY", "Opening", "Race", "advance", "begin", "find_stop", "find_stops", "grow", "kind",
    "log_of", "race_of", "rescale", "retouch", "start_replication", "take_stop",
]  # fmt: skip

_CONTESTED = int(Control.CONTESTED)

#: What the next stop of a race is, in the order that settles ties.
BREAK, EXPIRY, CLOCK = range(3)

#: Where hazards may come to be outside these, steps are taken by way of the budget.
_SMALL, _LARGE = 1e-100, 1e100


class Opening(NamedTuple):
    """Where replications begin: read-only arrays."""

    home: _law.Situation  # the start, but for what chance adds to it
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


# ------------------------------------------------------------------------------------------------------------ hazards


@inner
def _checked(rate: float) -> float:
    if not 0.0 <= rate < np.inf:
        raise ValueError("a hazard is negative or not finite: a rate, an effect or a Custom term is out of bounds")
    return rate


@inner
def _rate(clocks: Clocks, lanes: _law.Situation, book: Book, k: Any, c: Any) -> float:
    """Return the local hazard of clock *c*."""
    rate = book.own[book.slot[k], c]
    for j in range(np.uint64(clocks.first.shape[1])):
        rate *= book.table[book.slot[k], clocks.first[c, j] + np.uint64(lanes.cell[k, clocks.cell[c, j]])]
    return rate


@inner
def _common(clocks: Clocks, lanes: _law.Situation, book: Book, k: Any, t: Any) -> float:
    """Return the common part of the hazards on track *t*."""
    rate = 1.0
    for j in range(np.uint64(clocks.common.shape[1])):
        rate *= book.table[book.slot[k], clocks.common[t, j, 0] + np.uint64(lanes.cell[k, clocks.common[t, j, 1]])]
    if not 0.0 <= rate < np.inf:
        raise ValueError("a hazard is not finite, or negative: a national effect is too large, or not a number")
    return rate


@distinct
def _find_ratios(factors: Any, step: Any, ratio: Any) -> None:
    """Write what waits are multiplied by as a cell goes up, then down, by *step*."""
    size = len(factors)
    for to in range(size):
        ratio[to] = factors[to - step] / factors[to] if to >= step else 1.0
        ratio[size + to] = factors[to + step] / factors[to] if to + step < size else 1.0


@inner
def _are_plain(law: _law.Law, table: Any, own: Any, r: Any, begin: Any, end: Any) -> bool:
    """Return whether no hazard of transition *r*, of clocks *begin* to *end*, can ever be 0, or far from plain numbers.

    Then what is left of a budget can always be told from the appointment, and need not be kept.
    """
    low, high = 1.0, 1.0
    for j in range(law.part[r, _law.LIVE], law.part[r, _law.LIVE + 1]):
        first, last = law.parted[j].first, law.parted[j].first + law.parted[j].size
        least, most = table[first], table[first]
        for i in range(first, last):
            least, most = min(least, table[i]), max(most, table[i])
        low, high = low * least, high * most
        if not least > 0.0:
            return False
    for c in range(begin, end):
        if own[c] != 0.0 and not (_SMALL < own[c] * low and own[c] * high < _LARGE):
            return False
    return True


@apart
def _learn(
    law: _law.Law, clocks: Clocks, lanes: _law.Situation, book: Book, k: Any, values: NDArray[np.float64]
) -> None:  # fmt: skip
    """Write down what the draw *values* makes of every term, and the hazards at the start."""
    now = lane_of(lanes, k)
    for j in range(len(values)):
        book.values[book.slot[k], j] = values[j]
    slot = book.slot[k]
    book.stale[slot] = 1
    table, ratio, plain = book.table[slot], book.ratio[slot], True
    _law.tabulate(law, values, table)
    for j in range(1, len(clocks.ratios)):
        begin, base, size, step = clocks.ratios[j]
        _find_ratios(table[base : base + size], step, ratio[begin : begin + 2 * size])
    for c in range(_none(clocks)):
        r, p = clocks.transition[c], clocks.province[c]
        book.own[slot, c] = _law.own_rate(law, values, now, r, p)
        on = clocks.of[r, p] == c and now.control[p] == law.source[r]
        book.home[slot, c] = _checked(_rate(clocks, lanes, book, k, c)) if on else 0.0
    for t in range(len(law.transition)):
        begin, end = clocks.begin[t], clocks.begin[t + 1]
        plain = plain and _are_plain(law, table, book.own[slot], law.transition[t], begin, end)
    book.plain[slot] = plain
    book.stale[slot] = 0


# ------------------------------------------------------------------------------------------------------------- clocks


@inner
def _none(clocks: Clocks) -> Any:
    """Return the clock that is none."""
    return np.uint64(len(clocks.province) - IDLE)


@inner
def _read_time(clocks: Clocks, book: Book, k: Any, day: float) -> None:
    """Write down the operational time of each track on *day*."""
    for t in range(np.uint64(book.here.shape[1])):
        book.here[k, t] = day  # and so it is where nothing is common
    for i in range(np.uint64(len(clocks.national))):
        t = clocks.national[i]
        book.here[k, t] = book.tau[t, k] + book.common[t, k] * (day - book.since[t, k])


@apart
def _draw(key: Any, name: Any, replication: Any, occurrence: Any) -> float:
    return exponential(key, name, replication, occurrence)


@inner
def _wind(law: _law.Law, clocks: Clocks, opening: Opening, lanes: _law.Situation, book: Book, k: Any, c: Any) -> None:
    """Let clock *c* run from now on."""
    left = book.left[k, c]
    if left < 0.0:
        left = _draw(opening.key[0], clocks.name[c], book.replication[k], book.fired[k, c])
        book.left[k, c] = left
    rate = _checked(_rate(clocks, lanes, book, k, c))
    appoint(book, c, k, book.here[k, clocks.track[c]] + left / rate if rate > 0.0 else np.inf)


@inner
def _unwind(clocks: Clocks, lanes: _law.Situation, book: Book, k: Any, c: Any) -> None:
    """Stop clock *c*, if it runs, and keep what is left of its budget."""
    wait = book.due[c, k] - book.here[k, clocks.track[c]]
    if wait < np.inf:  # one that has no appointment kept what it had when it lost it
        book.left[k, c] = _rate(clocks, lanes, book, k, c) * max(0.0, wait)
    appoint(book, c, k, np.inf)


@inner
def _partial(
    clocks: Clocks, lanes: _law.Situation, book: Book, k: Any, c: Any, base: Any, cell: Any, was: Any, own: bool
) -> float:  # fmt: skip
    """Return the local hazard of clock *c* as if the factors from that at *base* on (if *own*) saw *was* in *cell*."""
    rate, behind = book.own[book.slot[k], c], False
    for j in range(clocks.first.shape[1]):
        first, at = clocks.first[c, j], clocks.cell[c, j]
        seen = was if at == cell and (behind or (own and first == base)) else lanes.cell[k, at]
        behind = behind or first == base
        rate *= book.table[book.slot[k], first + np.uint64(seen)]
    return rate


@apart
def _step_by_budget(
    law: _law.Law, clocks: Clocks, lanes: _law.Situation, book: Book, k: Any, c: Any, base: Any, cell: Any, was: Any
) -> None:  # fmt: skip
    """Let clock *c* follow what its factor at *base* sees in *cell*, which *was* another: where rates may be 0."""
    tau, p = book.here[k, clocks.track[c]], clocks.province[c]
    if book.due[c, k] < np.inf:
        before = _partial(clocks, lanes, book, k, c, base, cell, was, True)
        book.left[k, c] = before * max(0.0, book.due[c, k] - tau)
    elif lanes.control[k, p] != law.source[clocks.transition[c]] or book.left[k, c] < 0.0:
        return
    rate = _partial(clocks, lanes, book, k, c, base, cell, was, False)
    if not 0.0 <= rate < np.inf:
        book.doubt[k] = 1
    appoint(book, c, k, tau + book.left[k, c] / rate if rate > 0.0 else np.inf)


@apart
def _look_again(law: _law.Law, clocks: Clocks, lanes: _law.Situation, book: Book, k: Any) -> None:
    """Raise a ValueError if a hazard is not one."""
    book.doubt[k] = 0
    for c in range(_none(clocks)):
        r, p = clocks.transition[c], clocks.province[c]
        if clocks.of[r, p] == c and lanes.control[k, p] == law.source[r]:
            _checked(_rate(clocks, lanes, book, k, c))


@distinct
def _tell_row(
    near: Any, begin: Any, end: Any, cells: Any, due: Any, ratio: Any, tau: float, step: Any, which: Any, k: Any
) -> None:  # fmt: skip
    """Let the clocks of a row of neighbours follow, where all is plain. *step* and *which* are constants."""
    for i in range(begin, end):
        cell, tell, c = near[i, 0], step * np.int32(near[i, 1]), near[i, 2]
        times = ratio[near[i, which] + np.uint64(moves.hear(cells, cell, tell))]
        was = due[c, k]
        wait = was - tau
        then = tau + (wait if wait > 0.0 else 0.0) * times
        due[c, k] = then if times != 1.0 else was


@inner
def _tell_neighbours(
    law: _law.Law, clocks: Clocks, lanes: _law.Situation, book: Book, k: Any, p: Any, step: Any
) -> None:  # fmt: skip
    """Let clocks follow that *p* was lost (*step* 1) or regained (-1)."""
    slot = book.slot[k]
    for h in range(np.uint64(len(clocks.hearing))):
        tau = book.here[k, clocks.hearing[h]]
        begin, end = clocks.row[h, p], clocks.row[h, np.uint64(p) + np.uint64(1)]
        if not book.plain[slot] or len(book.low) > 0:
            _tell_row_with_care(law, clocks, lanes, book, k, begin, end, tau, step)
        elif step > 0:
            _tell_row(clocks.near, begin, end, lanes.cell[k], book.due, book.ratio[slot], tau, 1, 3, k)
        else:
            _tell_row(clocks.near, begin, end, lanes.cell[k], book.due, book.ratio[slot], tau, -1, 4, k)


@apart
def _tell_row_with_care(
    law: _law.Law, clocks: Clocks, lanes: _law.Situation, book: Book, k: Any, begin: Any, end: Any, tau: float, step: Any
) -> None:  # fmt: skip
    """Let the clocks of a row of neighbours follow, whatever their factors, and blocks with them."""
    slot = book.slot[k]
    for i in range(begin, end):
        cell, c = clocks.near[i, 0], clocks.near[i, 2]
        to = moves.hear(lanes.cell[k], cell, step * np.int32(clocks.near[i, 1]))
        if book.plain[slot]:
            times = book.ratio[slot, clocks.near[i, 3 if step > 0 else 4] + np.uint64(to)]
            if times != 1.0:
                appoint(book, c, k, tau + max(0.0, book.due[c, k] - tau) * times)
        else:
            was = to - step * np.int32(clocks.origin[i, 0])
            _step_by_budget(law, clocks, lanes, book, k, c, clocks.origin[i, 1], cell, was)


@inner
def _tell_marked(law: _law.Law, clocks: Clocks, lanes: _law.Situation, book: Book, k: Any) -> None:
    """Let clocks follow the cells that are marked."""
    now, slot = lane_of(lanes, k), book.slot[k]
    for i in range(now.marks[0]):  # one after the other
        cell, was = now.marked[i, 0], now.marked[i, 1]
        now.marked[i, 1] = now.cell[cell]
        now.cell[cell] = was
    for i in range(now.marks[0]):
        cell, to = now.marked[i, 0], now.marked[i, 1]
        was = now.cell[cell]
        now.cell[cell] = to
        for j in range(clocks.ears[cell], clocks.ears[cell + 1]):
            c, base = clocks.ear[j, 0], clocks.ear[j, 1]
            before, after = book.table[slot, base + was], book.table[slot, base + to]
            if not book.plain[slot]:
                _step_by_budget(law, clocks, lanes, book, k, c, base, cell, was)
            elif before != after:
                tau = book.here[k, clocks.track[c]]
                appoint(book, c, k, tau + max(0.0, book.due[c, k] - tau) * (before / after))
    now.marks[0] = 0


@apart
def _follow(
    law: _law.Law, clocks: Clocks, lanes: _law.Situation, book: Book, k: Any, p: Any, step: int, day: float
) -> None:  # fmt: skip
    """Let windows, pull-backs and roads follow a change, and clocks follow them."""
    now = lane_of(lanes, k)
    moves.follow(law, now, p, step, day)
    _tell_marked(law, clocks, lanes, book, k)


@inner
def _tell_tracks(clocks: Clocks, lanes: _law.Situation, book: Book, k: Any, day: float) -> None:
    """Let tracks follow what is common to their hazards."""
    for i in range(np.uint64(len(clocks.national))):
        t = clocks.national[i]
        common = _common(clocks, lanes, book, k, t)
        if common != book.common[t, k]:
            book.tau[t, k] = book.here[k, t]
            book.since[t, k] = day
            book.common[t, k] = common


@inner
def _pass_on(
    law: _law.Law, clocks: Clocks, lanes: _law.Situation, book: Book, k: Any, p: Any, to: Any, day: float
) -> None:  # fmt: skip
    """Change control of *p*, whose clocks have stopped, and let those of others follow."""
    step = moves.change_control(law, lane_of(lanes, k), p, to)
    if step != 0:
        if len(law.window) + len(law.trigger) + len(law.hub) > 0:
            _follow(law, clocks, lanes, book, k, p, step, day)
        _tell_neighbours(law, clocks, lanes, book, k, p, step)
    if book.doubt[k]:
        _look_again(law, clocks, lanes, book, k)


@inner
def _fire(
    law: _law.Law, clocks: Clocks, opening: Opening, lanes: _law.Situation, book: Book, k: Any, c: Any, day: float
) -> None:  # fmt: skip
    """Let clock *c* go."""
    p, r = clocks.province[c], clocks.transition[c]
    _read_time(clocks, book, k, day)
    book.left[k, c] = -1.0
    book.fired[k, c] += np.uint32(1)
    appoint(book, c, k, np.inf)
    for j in range(np.uint64(clocks.rival.shape[1])):
        _unwind(clocks, lanes, book, k, clocks.rival[c, j])
    _pass_on(law, clocks, lanes, book, k, p, law.target[r], day)
    for j in range(np.uint64(clocks.starts[r])):
        _wind(law, clocks, opening, lanes, book, k, clocks.next[c, j])


@inner
def _contest(
    law: _law.Law, clocks: Clocks, opening: Opening, lanes: _law.Situation, book: Book, k: Any, p: Any
) -> None:  # fmt: skip
    """Let *p* be contested at the start, though nobody reported it."""
    for r in range(len(law.source)):
        if law.source[r] == lanes.control[k, p]:
            _unwind(clocks, lanes, book, k, clocks.of[r, p])
    _pass_on(law, clocks, lanes, book, k, p, _CONTESTED, 0.0)
    for r in range(len(law.source)):
        if law.source[r] == _CONTESTED:
            _wind(law, clocks, opening, lanes, book, k, clocks.of[r, p])


# -------------------------------------------------------------------------------------------------------------- stops


@inner
def _date(law: _law.Law, book: Book, k: Any) -> None:
    """Write down when the next break or end of a window is."""
    turned = book.turned[k]
    turn = law.breaks[turned] if turned < len(law.breaks) else np.inf
    book.dated[k] = min(turn, book.expiry[k])


@inner
def _kind_of(law: _law.Law, clocks: Clocks, book: Book, k: Any) -> int:
    """Return what the next stop is."""
    if np.uint64(book.clock[k]) < _none(clocks):
        return CLOCK
    turned = book.turned[k]
    return BREAK if turned < len(law.breaks) and law.breaks[turned] <= book.expiry[k] else EXPIRY


@distinct
def _compare(
    province: Any, none: Any, common: Any, tau: Any, since: Any, now: Any, best: Any, who: Any, at: Any, day: Any,
    clock: Any, lanes: Any,
) -> None:  # fmt: skip
    """Let the earliest appointments of a track, *best*, be the next stop where they come before those found so far."""
    ties = 0
    for k in range(lanes):
        due = since[k] + (best[k] - tau[k]) / common[k]
        due = due if common[k] > 0.0 and best[k] < np.inf else np.inf
        at[k] = due if due > now[k] else now[k]
        ties += (at[k] == day[k]) & (at[k] < np.inf)
    if ties > 0:
        # Of clocks at one instant, the first province by name; within it, the first transition of the model.
        for k in range(lanes):
            if at[k] == day[k] and clock[k] < none and province[who[k]] < province[clock[k]]:
                clock[k] = who[k]
    for k in range(lanes):
        sooner = at[k] < day[k]
        clock[k] = who[k] if sooner else clock[k]
        day[k] = at[k] if sooner else day[k]


@inner
def find_stop(law: _law.Law, clocks: Clocks, book: Book) -> None:
    """Write down the next stop of a race alone: the earliest of break, end of a window, and clocks, in this order."""
    book.day[0], book.clock[0] = book.dated[0], np.int64(_none(clocks))
    for t in range(np.uint64(len(law.transition))):
        earliest(clocks, book, t)
        _compare(
            clocks.province, np.int64(_none(clocks)), book.common[t], book.tau[t], book.since[t], book.now, book.best,
            book.who, book.at, book.day, book.clock, 1,
        )  # fmt: skip


@apart
def find_stops(law: _law.Law, clocks: Clocks, book: Book) -> None:
    """Write down the next stop in every one of LANES lanes, as ``find_stop`` does."""
    for k in range(LANES):
        book.day[k], book.clock[k] = book.dated[k], np.int64(_none(clocks))
    for t in range(np.uint64(len(law.transition))):
        earliest_of_all(
            book.due, clocks.begin[t], clocks.begin[t + np.uint64(1)], np.int64(_none(clocks)), book.best, book.who
        )
        _compare(
            clocks.province, np.int64(_none(clocks)), book.common[t], book.tau[t], book.since[t], book.now, book.best,
            book.who, book.at, book.day, book.clock, LANES,
        )  # fmt: skip


@apart
def _log_shares(
    law: _law.Law, lanes: _law.Situation, book: Book, k: Any, r: int, p: int, out: NDArray[np.float64]
) -> None:  # fmt: skip
    _law.shares(law, book.values[book.slot[k]], lane_of(lanes, k), r, p, out)


@apart
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
    if c < _none(clocks):
        e = np.uint64(log.size[0])
        if e == np.uint64(len(log.day)):
            return False
        log.size[0] += 1
        p, r = clocks.province[c], clocks.transition[c]
        log.day[e], log.province[e], log.transition[e] = day, p, r
        if log.shares.shape[1] > 0:
            _log_shares(law, lanes, book, k, r, p, log.shares[e])
        _fire(law, clocks, opening, lanes, book, k, c, day)
    else:
        _pass_date(law, clocks, lanes, book, k, day)
    if len(law.window) > 0:
        _end_windows(law, lanes, book, k, day)
    _tell_tracks(clocks, lanes, book, k, day)
    book.now[k] = day
    return True


@apart
def _pass_date(law: _law.Law, clocks: Clocks, lanes: _law.Situation, book: Book, k: Any, day: float) -> None:
    """Pass a break or the end of a window."""
    _read_time(clocks, book, k, day)
    if _kind_of(law, clocks, book, k) == BREAK:
        moves.turn(law, lane_of(lanes, k), day)
        _tell_marked(law, clocks, lanes, book, k)
        if book.doubt[k]:
            _look_again(law, clocks, lanes, book, k)
        book.turned[k] += 1
        _date(law, book, k)


# ------------------------------------------------------------------------------------------------------- replications


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
                _contest(law, clocks, opening, lanes, book, k, opening.unseen[i])
    for i in range(len(opening.past)):
        p = opening.past[i]
        span = opening.latest[i] - opening.earliest[i]
        taken = opening.earliest[i] + span * uniform(opening.key[1], opening.province[p], replication, 0)
        moves.recall(law, lane_of(lanes, k), p, taken)
    book.expiry[k] = moves.expire(law, lane_of(lanes, k), 0.0)
    _tell_tracks(clocks, lanes, book, k, 0.0)


@distinct
def _appoint_all(left: Any, home: Any, due: Any, k: Any) -> None:
    for c in range(np.uint64(len(left) - IDLE)):
        due[c, k] = left[c] / home[c] if home[c] > 0.0 else np.inf


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
        _learn(law, clocks, lanes, book, k, values)
    book.replication[k], book.turned[k], book.now[k], book.expiry[k] = replication, 0, 0.0, np.inf
    left, home = book.left[k], book.home[book.slot[k]]
    book.fired[k, :] = 0
    exponentials(opening.key[0], clocks.name, replication, left)
    for t in range(np.uint64(len(law.transition))):
        book.tau[t, k], book.since[t, k], book.here[k, t] = 0.0, 0.0, 0.0
        book.common[t, k] = _common(clocks, lanes, book, k, t)
    _appoint_all(left, home, book.due, k)
    for block in range(len(book.low)):
        book.low[block] = least_of_block(book.order, np.uint64(block * BLOCK))
    if opening.contested[0] >= 0 or len(law.window) > 0:
        _add_chance(law, clocks, opening, lanes, book, k, replication)
    _date(law, book, k)


# ---------------------------------------------------------------------------------------------- one race, from Python


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
    _read_time(clocks, book, 0, day)
    book.stale[0] = 1
    for c in range(_none(clocks)):
        r, p = clocks.transition[c], clocks.province[c]
        own = _law.own_rate(law, book.values[0], now, r, p)
        if own == book.own[0, c] or clocks.of[r, p] != c:
            continue
        on = lanes.control[k, p] == law.source[r]
        if on:
            _unwind(clocks, lanes, book, 0, c)
        book.own[0, c] = own
        if on:
            _wind(law, clocks, opening, lanes, book, 0, c)
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
