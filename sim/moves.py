"""The one place where control changes, with all that follows from it.

``move`` changes control of one capital and every cell that depends on it. ``place`` sets a situation up; ``turn`` and
``expire`` follow the calendar and the windows. Cells of one province that a change reaches otherwise than along links
are marked, with what they were, until the next change.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from sim.compiled import apart, inner
from sim.control import Control
from sim.law import CONTESTED, LOST, Law, Situation

__all__ = ["change_control", "expire", "follow", "hear", "move", "place", "recall", "restore", "turn"]

Floats: TypeAlias = NDArray[np.float64]
_CONTESTED, _INSURGENT = int(Control.CONTESTED), int(Control.INSURGENT)


@inner
def _set(now: Situation, cell: int, to: int) -> None:
    """Set a *cell*, and mark it."""
    was = now.cell[cell]
    if was != to:
        i = now.marks[0]
        now.marked[i, 0], now.marked[i, 1] = cell, was
        now.marks[0] = i + 1
        now.cell[cell] = to


@apart
def _walk(
    control: NDArray[np.int8], seen: NDArray[np.uint8], queue: NDArray[np.uint32], pointer: NDArray[np.uint32],
    link: NDArray[np.uint32], hub: int,
) -> None:  # fmt: skip
    """Mark who is *seen* on a walk from the *hub* that goes on only from capitals that are not lost."""
    for p in range(len(seen)):
        seen[p] = 0
    size, at = np.uint64(0), np.uint64(0)
    if control[hub] != _INSURGENT:
        seen[hub], queue[0] = 1, hub
        size = np.uint64(1)
    while at < size:
        here = np.uint64(queue[at])
        at += np.uint64(1)
        for j in range(pointer[here], pointer[here + np.uint64(1)]):
            q = link[j]
            if not seen[q]:
                seen[q] = 1
                if control[q] != _INSURGENT:
                    queue[size] = q
                    size += np.uint64(1)


@inner
def _recut(law: Law, now: Situation, rule: int) -> None:
    """Find again who is cut off."""
    hub = law.hub[rule]
    _walk(now.control, now.seen, now.queue, law.pointer[law.roads[rule]], law.link, hub)
    for p in range(np.uint64(len(now.control))):
        lost = now.control[p] == _INSURGENT
        cut = 1 if law.path[rule, p] and not lost and not now.seen[p] and p != hub else 0
        _set(now, law.cut[rule] + p, cut)


@inner
def _parts_roads(law: Law, now: Situation, rule: int, p: int) -> bool:
    """Return whether losing *p* may cut others off: it has a way to the hub, and more than one neighbour not lost."""
    if now.cell[law.cut[rule] + p]:
        return False
    graph, standing = law.roads[rule], 0
    for j in range(law.pointer[graph, p], law.pointer[graph, p + 1]):
        standing += now.control[law.link[j]] != _INSURGENT
    return standing > 1 or p == law.hub[rule]


@apart
def _remember(law: Law, now: Situation, p: int, day: float) -> None:
    """Put *p*, captured on *day*, into the chain of held capitals and into every window."""
    n = len(now.control)
    now.taken[p] = day
    last = now.before[n]
    while last != n and now.taken[last] > day:
        last = now.before[last]
    following = now.after[last]
    now.after[last], now.before[p] = p, last
    now.after[p], now.before[following] = following, p
    for w in range(len(law.window)):
        now.cell[law.recent[w]] += 1
        if now.oldest[w] == following:
            now.oldest[w] = p


@apart
def _forget(law: Law, now: Situation, p: int, day: float) -> None:
    if now.taken[p] == -np.inf:
        return
    for w in range(len(law.window)):
        if now.taken[p] + law.window[w] > day:
            now.cell[law.recent[w]] -= 1
            if now.oldest[w] == p:
                now.oldest[w] = now.after[p]
    now.after[now.before[p]], now.before[now.after[p]] = now.after[p], now.before[p]
    now.taken[p] = -np.inf


@inner
def expire(law: Law, now: Situation, day: float) -> float:
    """Drop from the windows what was captured too long before *day*; return when that next happens (inf if never)."""
    n = len(now.control)
    following = np.inf
    for w in range(len(law.window)):
        while now.oldest[w] != n and now.taken[now.oldest[w]] + law.window[w] <= day:
            now.cell[law.recent[w]] -= 1
            now.oldest[w] = now.after[now.oldest[w]]
        if now.oldest[w] != n:
            following = min(following, now.taken[now.oldest[w]] + law.window[w])
    return following


@apart
def _pull_back(law: Law, now: Situation, b: int) -> None:
    if now.cell[law.pulled[b]]:
        return
    for p in range(len(now.control)):
        now.cell[law.pulled[b] + p] = 1 if law.keep[b, p] else 2


@inner
def turn(law: Law, now: Situation, day: float) -> None:
    """Switch calendars and dated pull-backs to what holds on *day*."""
    now.marks[0] = 0
    for k in range(len(law.calendar)):
        active = 1 if law.calendar[k, 0] <= day < law.calendar[k, 1] else 0
        for p in range(len(now.control)):
            if law.region[k, p]:
                _set(now, law.active[k] + p, active)
    for b in range(len(law.trigger)):
        if day >= law.trigger_day[b]:
            _pull_back(law, now, b)


@inner
def hear(cells: NDArray[np.int32], cell: Any, step: Any) -> Any:
    """Let the *cell* of a province follow a neighbour being lost or regained, by a *step*; return what it then sees."""
    to = cells[cell] + step
    cells[cell] = to
    return to


@inner
def _count(law: Law, now: Situation, p: int, step: int) -> None:
    """Let every neighbour of *p* follow it being lost (*step* 1) or regained (-1)."""
    for g in range(len(law.held)):
        for j in range(law.pointer[g, p], law.pointer[g, p + 1]):
            hear(now.cell, law.held[g] + law.link[j], step * np.int32(law.step[g]))


@inner
def change_control(law: Law, now: Situation, p: int, to: int) -> int:
    """Change control of province *p* to *to*, and the tallies; what neighbours ``hear`` and ``follow`` does is to come.

    Return 1 if it is now lost, -1 if regained, else 0: then nothing else follows.
    """
    was = now.control[p]
    now.control[p] = to
    now.cell[CONTESTED] += (to == _CONTESTED) - (was == _CONTESTED)
    step = (to == _INSURGENT) - (was == _INSURGENT)
    now.cell[LOST] += step
    return step


@inner
def follow(law: Law, now: Situation, p: int, step: int, day: float) -> None:
    """Let windows, pull-backs and roads follow that *p* was lost (*step* 1) or regained (-1) on *day*."""
    now.marks[0] = 0
    for b in range(len(law.trigger)):
        if now.cell[LOST] >= law.trigger[b]:
            _pull_back(law, now, b)
    if len(law.window) > 0:  # only windows ask how long ago
        if step > 0:
            _remember(law, now, p, day)
        else:
            _forget(law, now, p, day)
    for rule in range(len(law.hub)):
        if step < 0 or _parts_roads(law, now, rule, p):
            _recut(law, now, rule)
        else:
            now.cell[law.cut[rule] + p] = 0


@inner
def move(law: Law, now: Situation, p: int, to: int, day: float) -> None:
    """Change control of province *p* to *to* on *day*, with all that follows."""
    step = change_control(law, now, p, to)
    if step != 0:
        follow(law, now, p, step, day)
        _count(law, now, p, step)


@inner
def place(law: Law, now: Situation, control: NDArray[np.int8], taken: Floats, day: float) -> None:
    """Set up *now* on *day* from *control*, with the days held capitals were *taken* (-inf if not known)."""
    n = len(control)
    now.cell[:] = 0
    now.oldest[:] = n
    now.taken[:] = -np.inf
    now.before[:] = n
    now.after[:] = n
    for p in range(n):
        now.control[p] = control[p]
        if control[p] == _CONTESTED:
            now.cell[CONTESTED] += 1
        elif control[p] == _INSURGENT:
            now.cell[LOST] += 1
            _count(law, now, p, 1)
            if taken[p] > -np.inf:
                _remember(law, now, p, taken[p])
    for b in range(len(law.trigger)):
        if now.cell[LOST] >= law.trigger[b]:
            _pull_back(law, now, b)
    for rule in range(len(law.hub)):
        now.marks[0] = 0
        _recut(law, now, rule)
    turn(law, now, day)
    expire(law, now, day)


@inner
def restore(law: Law, now: Situation, home: Situation) -> None:
    """Set *now* to the situation *home*, but for frailties and what others set."""
    for p in range(len(home.control)):
        now.control[p] = home.control[p]
    for cell in range(len(home.cell)):
        now.cell[cell] = home.cell[cell]
    for w in range(len(home.oldest)):
        now.oldest[w] = home.oldest[w]
    if len(law.window) > 0:
        for p in range(len(home.taken)):
            now.taken[p] = home.taken[p]
        for p in range(len(home.before)):
            now.before[p], now.after[p] = home.before[p], home.after[p]


@inner
def recall(law: Law, now: Situation, p: int, day: float) -> None:
    """Add to *now* that held capital *p* was captured on *day*, known only now."""
    _remember(law, now, p, day)
