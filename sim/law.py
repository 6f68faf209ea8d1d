"""The law: the one place where a state becomes a rate.

A model lowers to a ``Law``, a table of read-only arrays. A ``Situation`` is control of every capital now, with the
tallies that follow from it; ``moves.py`` alone changes it. ``local_rate`` and ``common_rate`` turn the two into rates.
Engines and likelihoods read nothing else.

The hazard of a clock (per day) is common x local: the common part (time, national state) belongs to a *track*, one
per transition, or two where a PullBack divides the provinces; the local part to the province and its neighbours.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from sim.compiled import inner
from sim.control import Control

__all__ = [
    "KINDS",
    "Law",
    "Situation",
    "Watch",
    "common_rate",
    "expire",
    "fresh",
    "local_rate",
    "move",
    "place",
    "shares",
    "turn",
]

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]
Flags: TypeAlias = NDArray[np.uint8]

KINDS = (
    "baseline",
    "neighbours",
    "momentum",
    "covariate",
    "frailty",
    "cutoff",
    "calendar",
    "reserves",
    "pullback",
    "custom",
)
(
    _BASELINE,
    _NEIGHBOURS,
    _MOMENTUM,
    _COVARIATE,
    _FRAILTY,
    _CUTOFF,
    _CALENDAR,
    _RESERVES,
    _PULLBACK,
    _CUSTOM,
) = range(len(KINDS))
_CONTESTED, _INSURGENT = int(Control.CONTESTED), int(Control.INSURGENT)
LOST, CONTESTED, MARKED = range(3)

#: Columns of a term: its kind, whether it is common, the columns of its values, and the row of the table it reads.
KIND, COMMON, VALUE, OTHER, ROW = range(5)


class Law(NamedTuple):
    """What a model says on one theatre from one start: read-only arrays. n provinces, R transitions, T tracks."""

    source: NDArray[np.int8]  # (R,) control a transition leaves
    target: NDArray[np.int8]  # (R,) control it enters
    terms: Ints  # (term, 5) transition after transition, in the model's order
    ends: Ints  # (R + 1,) terms of transition r are ends[r] to ends[r + 1]
    track: Ints  # (R, n) the track of a clock
    transition: Ints  # (T,) the transition of a track
    member: Ints  # (T,) a province on the track
    pointer: Ints  # (graph, n + 1) links of province p in graph g are link[pointer[g, p] : pointer[g, p + 1]]
    link: Ints
    hub: Ints  # (cut-off rule,)
    roads: Ints  # (cut-off rule,) its graph
    path: Flags  # (cut-off rule, n) whether there is a path to the hub when nothing is held
    covariate: Floats  # (column, n) standardised
    calendar: Floats  # (calendar, 2) start and stop, days since the start
    region: Flags  # (calendar, n) provinces it acts on
    window: Floats  # (window,) days
    trigger: Ints  # (pull-back,) capitals lost at once
    trigger_day: Floats  # (pull-back,) days since the start
    keep: Flags  # (pull-back, n)
    breaks: Floats  # sorted days since the start at which something above, or a Custom term, changes


class Situation(NamedTuple):
    """Control of every capital at one moment, and the tallies that follow from it. Changed by this module alone."""

    control: NDArray[np.int8]  # (n,)
    tally: Ints  # capitals lost, capitals contested, provinces marked
    held: Ints  # (graph of neighbours, n) insurgent-held neighbours
    cut: Flags  # (cut-off rule, n)
    active: Flags  # (calendar,)
    pulled: Flags  # (pull-back,)
    recent: Ints  # (window,) capitals captured within it and still held
    oldest: Ints  # (window,) the first of them; n if none
    taken: Floats  # (n,) when a held capital was captured; -inf if not known
    before: Ints  # (n + 1,) the chain of held capitals in order of capture; n is its two ends
    after: Ints  # (n + 1,)
    frailty: Floats  # (frailty term, n) standard normal
    custom: Floats  # (custom term, n) multiplier, kept by the engine
    scale: Floats  # (R, n) factor set by processes
    marked: Ints  # (n,) provinces whose local rates may have changed since the marks were cleared
    flag: Flags  # (n,)
    seen: Flags  # (n,) and a queue: room for a walk along roads
    queue: Ints  # (n,)


@dataclass(frozen=True, eq=False)
class Watch:
    """A weighted count of capitals with a threshold: true when the weights of all capitals sum to at least that.

    Weights are integers so that the order of summing cannot matter.

    Parameters
    ----------
    weights : ndarray of int64, shape (province, 3)
        What a capital adds while held by the government, contested, insurgent-held.
    threshold : int
    """

    weights: Ints
    threshold: int

    def holds(self, control: NDArray[np.int8]) -> NDArray[np.bool_]:
        """Return whether it is true of *control*, shape (..., province)."""
        total = self.weights[np.arange(len(self.weights)), control].sum(axis=-1)
        return np.asarray(total >= self.threshold)


def fresh(law: Law) -> Situation:
    """Return an unplaced Situation for *law*: call ``place`` before use."""
    n = law.track.shape[1]
    kinds = law.terms[:, KIND]
    graphs = law.pointer.shape[0] - len(law.hub)
    return Situation(
        control=np.zeros(n, np.int8), tally=np.zeros(3, np.int64), held=np.zeros((graphs, n), np.int64),
        cut=np.zeros((len(law.hub), n), np.uint8), active=np.zeros(len(law.calendar), np.uint8),
        pulled=np.zeros(len(law.trigger), np.uint8), recent=np.zeros(len(law.window), np.int64),
        oldest=np.full(len(law.window), n, np.int64), taken=np.full(n, -np.inf), before=np.full(n + 1, n, np.int64),
        after=np.full(n + 1, n, np.int64), frailty=np.zeros((int(np.sum(kinds == _FRAILTY)), n)),
        custom=np.ones((int(np.sum(kinds == _CUSTOM)), n)), scale=np.ones((len(law.source), n)),
        marked=np.zeros(n, np.int64), flag=np.zeros(n, np.uint8), seen=np.zeros(n, np.uint8),
        queue=np.zeros(n, np.int64),
    )  # fmt: skip


@inner
def _multiplier(law: Law, values: Floats, now: Situation, term: int, p: int) -> float:
    """Return the factor of *term* for province *p*: the table of terms, once."""
    kind, row = law.terms[term, KIND], law.terms[term, ROW]
    if kind == _CUSTOM:
        return now.custom[row, p]
    value = values[law.terms[term, VALUE]]
    if kind == _BASELINE:
        return value
    if kind == _NEIGHBOURS:
        return 1.0 + value * now.held[row, p]
    if kind == _MOMENTUM:
        count = now.tally[LOST] if row < 0 else now.recent[row]
        return math.exp(value * (count / len(now.control)))
    if kind == _COVARIATE:
        return math.exp(value * law.covariate[row, p])
    if kind == _FRAILTY:
        return math.exp(value * now.frailty[row, p])
    if kind == _CUTOFF:
        return math.exp(value) if now.cut[row, p] else 1.0
    if kind == _CALENDAR:
        return math.exp(value) if now.active[row] and law.region[row, p] else 1.0
    if kind == _RESERVES:
        return min(1.0, value / max(1, now.tally[CONTESTED]))
    if not now.pulled[row]:
        return 1.0
    return math.exp(value) if law.keep[row, p] else math.exp(values[law.terms[term, OTHER]])


@inner
def _product(law: Law, values: Floats, now: Situation, r: int, p: int, common: int) -> float:
    rate = 1.0
    for term in range(law.ends[r], law.ends[r + 1]):
        if law.terms[term, COMMON] == common:
            rate *= _multiplier(law, values, now, term, p)
    return rate


@inner
def local_rate(law: Law, values: Floats, now: Situation, r: int, p: int) -> float:
    """Return the local part of the hazard of transition *r* in province *p*, per day, enabled or not."""
    return _product(law, values, now, r, p, 0) * now.scale[r, p]


@inner
def common_rate(law: Law, values: Floats, now: Situation, track: int) -> float:
    """Return the common part of the hazards on *track*."""
    return _product(law, values, now, law.transition[track], law.member[track], 1)


@inner
def shares(law: Law, values: Floats, now: Situation, r: int, p: int, out: Floats) -> None:
    """Write each term's share of the hazard λ = b Π m_j into *out*: by term in the model's order, processes last.

    The logarithmic-mean split (Ang 2004, doi:10.1016/S0301-4215(03)00076-4): baseline b/λ, term j L ln(m_j)/λ with
    L = (λ - b)/ln(λ/b). Written in S = Σ ln m_j, so that they sum to 1 also where λ is close to b.
    """
    out[:] = 0.0
    last = out.shape[0] - 1
    first = law.ends[r]
    total = math.log(now.scale[r, p])
    out[last] = total
    baseline = 0
    for term in range(first, law.ends[r + 1]):
        if law.terms[term, KIND] == _BASELINE:
            baseline = term - first
        else:
            out[term - first] = math.log(_multiplier(law, values, now, term, p))
            total += out[term - first]
    mean = -math.expm1(-total) / total if total != 0.0 else 1.0
    for j in range(last + 1):
        out[j] *= mean
    out[baseline] = math.exp(-total)


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
            now.held[g, law.link[j]] += step
            _mark(now, law.link[j])
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
        _remember(law, now, p, day)
    else:
        _count(law, now, p, -1)
        _forget(law, now, p, day)
    for rule in range(len(law.hub)):
        _recut(law, now, rule)


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
