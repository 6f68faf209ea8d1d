"""The one place where control changes, with all that follows from it.

``move`` changes control of one capital and every tally that depends on it, and marks the provinces it may concern.
``place`` sets a situation up; ``turn`` and ``expire`` follow the calendar and the windows.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from sim.compiled import inner
from sim.control import Control
from sim.law import CONTESTED, LOST, MARKED, Law, Situation

__all__ = ["expire", "move", "place", "recall", "restore", "turn"]

Floats: TypeAlias = NDArray[np.float64]
_CONTESTED, _INSURGENT = int(Control.CONTESTED), int(Control.INSURGENT)


@inner
def _mark(now: Situation, p: int) -> None:
    if not now.flag[p]:
        now.flag[p] = 1
        now.marked[now.tally[MARKED]] = p
        now.tally[MARKED] += 1


@inner
def _recut(law: Law, now: Situation, rule: int) -> None:
    """Find again who is cut off: walk from the hub, going on only from capitals that are not lost."""
    hub, graph = law.hub[rule], law.roads[rule]
    now.seen[:] = 0
    size = 0
    if now.control[hub] != _INSURGENT:
        now.seen[hub] = 1
        now.queue[0] = hub
        size = 1
    at = 0
    while at < size:
        p = now.queue[at]
        at += 1
        for j in range(law.pointer[graph, p], law.pointer[graph, p + 1]):
            q = law.link[j]
            if not now.seen[q]:
                now.seen[q] = 1
                if now.control[q] != _INSURGENT:
                    now.queue[size] = q
                    size += 1
    for p in range(len(now.control)):
        lost = now.control[p] == _INSURGENT
        cut = 1 if law.path[rule, p] and not lost and not now.seen[p] and p != hub else 0
        if cut != now.cut[rule, p]:
            now.cut[rule, p] = cut
            _mark(now, p)


@inner
def _parts_roads(law: Law, now: Situation, rule: int, p: int) -> bool:
    """Return whether losing *p* may cut others off: it has a way to the hub, and more than one neighbour not lost."""
    if now.cut[rule, p]:
        return False
    graph, standing = law.roads[rule], 0
    for j in range(law.pointer[graph, p], law.pointer[graph, p + 1]):
        standing += now.control[law.link[j]] != _INSURGENT
    return standing > 1 or p == law.hub[rule]


@inner
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
        now.recent[w] += 1
        if now.oldest[w] == following:
            now.oldest[w] = p


@inner
def _forget(law: Law, now: Situation, p: int, day: float) -> None:
    if now.taken[p] == -np.inf:
        return
    for w in range(len(law.window)):
        if now.taken[p] + law.window[w] > day:
            now.recent[w] -= 1
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
            now.recent[w] -= 1
            now.oldest[w] = now.after[now.oldest[w]]
        if now.oldest[w] != n:
            following = min(following, now.taken[now.oldest[w]] + law.window[w])
    return following


@inner
def turn(law: Law, now: Situation, day: float) -> None:
    """Switch calendars and dated pull-backs to what holds on *day*."""
    for k in range(len(law.calendar)):
        active = 1 if law.calendar[k, 0] <= day < law.calendar[k, 1] else 0
        if active != now.active[k]:
            now.active[k] = active
            for p in range(len(now.control)):
                if law.region[k, p]:
                    _mark(now, p)
    for b in range(len(law.trigger)):
        if day >= law.trigger_day[b]:
            now.pulled[b] = 1


@inner
def _count(law: Law, now: Situation, p: int, step: int) -> None:
    """Follow a capital being lost (*step* 1) or regained (-1) through every tally but the chain."""
    now.tally[LOST] += step
    for g in range(now.held.shape[0]):
        for j in range(law.pointer[g, p], law.pointer[g, p + 1]):
            q = law.link[j]
            now.held[g, q] += step
            if law.hears[g, now.control[q]]:
                _mark(now, q)
    for b in range(len(law.trigger)):
        if now.tally[LOST] >= law.trigger[b]:
            now.pulled[b] = 1


@inner
def move(law: Law, now: Situation, p: int, to: int, day: float) -> None:
    """Change control of province *p* to *to* on *day*, with all that follows; mark whom it may concern."""
    was = now.control[p]
    now.control[p] = to
    now.tally[CONTESTED] += (to == _CONTESTED) - (was == _CONTESTED)
    _mark(now, p)
    if (was == _INSURGENT) == (to == _INSURGENT):
        return
    if to == _INSURGENT:
        _count(law, now, p, 1)
        if len(law.window) > 0:  # only windows ask how long ago
            _remember(law, now, p, day)
    else:
        _count(law, now, p, -1)
        if len(law.window) > 0:
            _forget(law, now, p, day)
    for rule in range(len(law.hub)):
        if to != _INSURGENT or _parts_roads(law, now, rule, p):
            _recut(law, now, rule)
        else:
            now.cut[rule, p] = 0


@inner
def place(law: Law, now: Situation, control: NDArray[np.int8], taken: Floats, day: float) -> None:
    """Set up *now* on *day* from *control*, with the days held capitals were *taken* (-inf if not known)."""
    n = len(control)
    now.tally[:] = 0
    now.held[:] = 0
    now.active[:] = 0
    now.pulled[:] = 0
    now.recent[:] = 0
    now.oldest[:] = n
    now.taken[:] = -np.inf
    now.before[:] = n
    now.after[:] = n
    now.flag[:] = 0
    now.cut[:] = 0
    for p in range(n):
        now.control[p] = control[p]
        if control[p] == _CONTESTED:
            now.tally[CONTESTED] += 1
        elif control[p] == _INSURGENT:
            _count(law, now, p, 1)
            if taken[p] > -np.inf:
                _remember(law, now, p, taken[p])
    for b in range(len(law.trigger)):
        if law.trigger[b] == 0:  # reached before any capital is counted
            now.pulled[b] = 1
    for rule in range(len(law.hub)):
        _recut(law, now, rule)
    turn(law, now, day)
    expire(law, now, day)


@inner
def restore(now: Situation, home: Situation) -> None:
    """Set *now* to the situation *home*, frailties and what others set apart, with nobody marked."""
    n = len(now.control)
    for p in range(n):
        now.control[p] = home.control[p]
        now.taken[p] = home.taken[p]
        now.flag[p] = 0
        for g in range(now.held.shape[0]):
            now.held[g, p] = home.held[g, p]
        for rule in range(now.cut.shape[0]):
            now.cut[rule, p] = home.cut[rule, p]
    for p in range(n + 1):
        now.before[p] = home.before[p]
        now.after[p] = home.after[p]
    for k in range(len(now.active)):
        now.active[k] = home.active[k]
    for b in range(len(now.pulled)):
        now.pulled[b] = home.pulled[b]
    for w in range(len(now.recent)):
        now.recent[w] = home.recent[w]
        now.oldest[w] = home.oldest[w]
    now.tally[LOST] = home.tally[LOST]
    now.tally[CONTESTED] = home.tally[CONTESTED]
    now.tally[MARKED] = 0


@inner
def recall(law: Law, now: Situation, p: int, day: float) -> None:
    """Add to *now* that held capital *p* was captured on *day*, known only now."""
    _remember(law, now, p, day)
