"""How clocks follow what changes: budgets, hazards, appointments.

Each clock, a (province, transition) pair, owns unit-exponential budgets addressed by (seed, replication, province,
transition, occurrence). An enabled clock spends its budget at its current hazard and fires when it is gone; a disabled
one keeps what is left (random time change; Anderson 2007, doi:10.1063/1.2799998; Rathinam et al. 2010,
doi:10.1063/1.3280166).

Budgets are spent in the operational time τ of the clock's track, dτ = common dt, so a national change moves no
clock: only a track's earliest appointment is ever converted to days. When a clock's local hazard goes from a to b, what
it still waits, in operational time, goes times a/b (Gibson and Bruck 2000, doi:10.1021/jp993732q). A clock waits on
untouched otherwise; nothing that merely looks on touches one, so nothing that looks on can move a bit.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim import law as _law
from sim import moves
from sim.book import Book, Opening, appoint, lane_of
from sim.clocks import Clocks, none_of
from sim.compiled import apart, distinct, inner
from sim.control import Control
from sim.streams import exponential

__all__ = [
    "common_of", "contest", "fire", "is_plain", "learn", "look_again", "read_time", "tell_marked", "tell_tracks",
    "unwind", "wind",
]  # fmt: skip

_CONTESTED = int(Control.CONTESTED)

#: Where hazards may come to be outside these, steps are taken by way of the budget.
_SMALL, _LARGE = 1e-100, 1e100


@inner
def _checked(rate: float) -> float:
    if not 0.0 <= rate < np.inf:
        raise ValueError("a hazard is negative or not finite: a rate, an effect or a Custom term is out of bounds")
    return rate


@inner
def _rate(clocks: Clocks, lanes: _law.Situation, book: Book, k: Any, c: Any) -> Any:
    """Return the local hazard of clock *c*."""
    rate = book.own[book.slot[k], c]
    for j in range(np.uint64(clocks.first.shape[1])):
        rate *= book.table[book.slot[k], clocks.first[c, j] + np.uint64(lanes.cell[k, clocks.cell[c, j]])]
    return rate


@inner
def common_of(clocks: Clocks, lanes: _law.Situation, book: Book, k: Any, t: Any) -> float:
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
def is_plain(own: Any, low: float, high: float) -> bool:
    """Return whether a hazard of this *own* part, times *low* to *high*, is a plain number throughout, or always 0.

    Then what is left of a budget can always be told from the appointment, and need not be kept; and ratios are plain.
    """
    some = 1.0 if own == 0.0 else own
    return _SMALL < some * low and some * high < _LARGE


@inner
def _find_extremes(book: Book, table: Any, first: Any, size: Any) -> None:
    """Write the least and the greatest of so many factors from *first* on; of none, 1 is both."""
    for i in range(first, first + size):
        book.least[first] = table[i] if i == first else min(book.least[first], table[i])
        book.most[first] = table[i] if i == first else max(book.most[first], table[i])


@inner
def _find_plain(clocks: Clocks, book: Book, slot: Any) -> None:
    """Write which clocks are plain, whatever their terms come to see."""
    book.smooth[slot] = 1
    for c in range(none_of(clocks)):
        low, high = 1.0, 1.0
        for j in range(clocks.first.shape[1]):
            least = book.least[clocks.first[c, j]]
            low, high = low * least if least > 0.0 else 0.0, high * book.most[clocks.first[c, j]]
        book.plain[slot, c] = is_plain(book.own[slot, c], low, high)
        book.smooth[slot] &= book.plain[slot, c]


@apart
def learn(
    law: _law.Law, clocks: Clocks, lanes: _law.Situation, book: Book, k: Any, values: NDArray[np.float64]
) -> None:  # fmt: skip
    """Write down what the draw *values* makes of every term, and the hazards at the start."""
    now = lane_of(lanes, k)
    for j in range(len(values)):
        book.values[book.slot[k], j] = values[j]
    slot = book.slot[k]
    book.stale[slot] = 1
    table, ratio = book.table[slot], book.ratio[slot]
    _law.tabulate(law, values, table)
    for j in range(1, len(clocks.ratios)):
        begin, base, size, step = clocks.ratios[j]
        _find_ratios(table[base : base + size], step, ratio[begin : begin + 2 * size])
    for c in range(none_of(clocks)):
        r, p = clocks.transition[c], clocks.province[c]
        book.own[slot, c] = _law.own_rate(law, values, now, r, p)
        on = clocks.of[r, p] == c and now.control[p] == law.source[r]
        book.home[slot, c] = _checked(_rate(clocks, lanes, book, k, c)) if on else 0.0
    for j in range(len(law.terms)):
        _find_extremes(book, table, law.terms[j].first, law.terms[j].size)
    for j in range(len(law.joint)):
        _find_extremes(book, table, law.joint[j].first, law.joint[j].size)
    _find_plain(clocks, book, slot)
    book.stale[slot] = 0


@inner
def read_time(clocks: Clocks, book: Book, k: Any, day: float) -> None:
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
def wind(law: _law.Law, clocks: Clocks, opening: Opening, lanes: _law.Situation, book: Book, k: Any, c: Any) -> None:
    """Let clock *c* run from now on."""
    left = book.left[k, c]
    if left < 0.0:
        left = _draw(opening.key[0], clocks.name[c], book.replication[k], book.fired[k, c])
        book.left[k, c] = left
    rate = _checked(_rate(clocks, lanes, book, k, c))
    appoint(book, c, k, book.here[k, clocks.track[c]] + left / rate if rate > 0.0 else np.inf)


@inner
def unwind(clocks: Clocks, lanes: _law.Situation, book: Book, k: Any, c: Any) -> None:
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
def look_again(law: _law.Law, clocks: Clocks, lanes: _law.Situation, book: Book, k: Any) -> None:
    """Raise a ValueError if a hazard is not one."""
    book.doubt[k] = 0
    for c in range(none_of(clocks)):
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
        if not book.smooth[slot]:
            _tell_row_with_care(law, clocks, lanes, book, k, begin, end, tau, step)
        elif len(book.low) > 0:
            _tell_row_of_one(clocks.near, begin, end, lanes.cell[k], book, book.ratio[slot], tau, step)
        elif step > 0:
            _tell_row(clocks.near, begin, end, lanes.cell[k], book.due, book.ratio[slot], tau, 1, 3, k)
        else:
            _tell_row(clocks.near, begin, end, lanes.cell[k], book.due, book.ratio[slot], tau, -1, 4, k)


@inner
def _tell_row_of_one(
    near: Any, begin: Any, end: Any, cells: Any, book: Book, ratio: Any, tau: float, step: Any
) -> None:  # fmt: skip
    """Let the clocks of a row of neighbours follow in a race alone, and blocks with them, where all is plain."""
    which = 3 if step > 0 else 4
    for i in range(begin, end):
        cell, tell, c = near[i, 0], step * np.int32(near[i, 1]), near[i, 2]
        times = ratio[near[i, which] + np.uint64(moves.hear(cells, cell, tell))]
        if times != 1.0:
            appoint(book, c, 0, tau + max(0.0, book.due[c, 0] - tau) * times)


@apart
def _tell_row_with_care(
    law: _law.Law, clocks: Clocks, lanes: _law.Situation, book: Book, k: Any, begin: Any, end: Any, tau: float,
    step: Any,
) -> None:  # fmt: skip
    """Let the clocks of a row of neighbours follow, whatever their factors, and blocks with them."""
    slot = book.slot[k]
    for i in range(begin, end):
        cell, c = clocks.near[i, 0], clocks.near[i, 2]
        to = moves.hear(lanes.cell[k], cell, step * np.int32(clocks.near[i, 1]))
        if book.plain[slot, c]:
            times = book.ratio[slot, clocks.near[i, 3 if step > 0 else 4] + np.uint64(to)]
            if times != 1.0:
                appoint(book, c, k, tau + max(0.0, book.due[c, k] - tau) * times)
        else:
            was = to - step * np.int32(clocks.origin[i, 0])
            _step_by_budget(law, clocks, lanes, book, k, c, clocks.origin[i, 1], cell, was)


@inner
def tell_marked(law: _law.Law, clocks: Clocks, lanes: _law.Situation, book: Book, k: Any) -> None:
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
            if not book.plain[slot, c]:
                _step_by_budget(law, clocks, lanes, book, k, c, base, cell, was)
            elif before != after:
                tau = book.here[k, clocks.track[c]]
                appoint(book, c, k, tau + max(0.0, book.due[c, k] - tau) * (before / after))
    now.marks[0] = 0


@inner
def _follow(
    law: _law.Law, clocks: Clocks, lanes: _law.Situation, book: Book, k: Any, p: Any, step: int, day: float
) -> None:  # fmt: skip
    """Let windows, pull-backs and roads follow a change, and clocks follow them."""
    now = lane_of(lanes, k)
    moves.follow(law, now, p, step, day)
    tell_marked(law, clocks, lanes, book, k)


@inner
def tell_tracks(clocks: Clocks, lanes: _law.Situation, book: Book, k: Any, day: float) -> None:
    """Let tracks follow what is common to their hazards."""
    for i in range(np.uint64(len(clocks.national))):
        t = clocks.national[i]
        common = common_of(clocks, lanes, book, k, t)
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
        look_again(law, clocks, lanes, book, k)


@inner
def fire(
    law: _law.Law, clocks: Clocks, opening: Opening, lanes: _law.Situation, book: Book, k: Any, c: Any, day: float
) -> None:  # fmt: skip
    """Let clock *c* go."""
    p, r = clocks.province[c], clocks.transition[c]
    read_time(clocks, book, k, day)
    if clocks.next.shape[1] > 0:  # else no clock ever runs again
        book.left[k, c] = -1.0
        book.fired[k, c] += np.uint32(1)
    appoint(book, c, k, np.inf)
    for j in range(np.uint64(clocks.rival.shape[1])):
        unwind(clocks, lanes, book, k, clocks.rival[c, j])
    _pass_on(law, clocks, lanes, book, k, p, law.target[r], day)
    for j in range(np.uint64(clocks.starts[r])):
        wind(law, clocks, opening, lanes, book, k, clocks.next[c, j])


@inner
def contest(
    law: _law.Law, clocks: Clocks, opening: Opening, lanes: _law.Situation, book: Book, k: Any, p: Any
) -> None:  # fmt: skip
    """Let *p* be contested at the start, though nobody reported it."""
    for r in range(len(law.source)):
        if law.source[r] == lanes.control[k, p]:
            unwind(clocks, lanes, book, k, clocks.of[r, p])
    _pass_on(law, clocks, lanes, book, k, p, _CONTESTED, 0.0)
    for r in range(len(law.source)):
        if law.source[r] == _CONTESTED:
            wind(law, clocks, opening, lanes, book, k, clocks.of[r, p])
