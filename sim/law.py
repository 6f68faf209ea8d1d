"""The law: the one place where a state becomes a rate.

A model lowers to a ``Law``, a table of read-only arrays. A ``Situation`` is control of every capital now, with what
follows from it; ``moves.py`` alone changes it. ``factor`` says what a term makes of what it sees; everything that asks
for a rate asks it.

The hazard of a clock (per day) is common x local: the common part (time, national state) belongs to a *track*, one
per transition, or two where a PullBack divides the provinces; the local part to the province and its neighbours. The
local part is own x live: the own part does not move with control. Terms multiply in the model's order in each.

What a live or common term sees is a small whole number, kept in a *cell* of the situation: lost neighbours, whether
roads are cut, capitals lost. So its factors, for one draw of the parameters, are a short table: see ``tabulate``.
Neighbours by border and by road are counted in one cell, as digits are, where that keeps the table short.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from sim.compiled import inner

__all__ = [
    "COMMON", "CONTESTED", "JOINT", "KINDS", "LIVE", "LOST", "NOTHING", "OWN", "Law", "Situation", "Watch",
    "common_rate", "factor", "fresh", "local_rate", "multipliers", "own_rate", "same_watch", "shares", "tabulate",
]  # fmt: skip

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]
Flags: TypeAlias = NDArray[np.uint8]
Indices: TypeAlias = NDArray[np.uint32]
Cells: TypeAlias = NDArray[np.int32]
Terms: TypeAlias = NDArray[np.void]

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
#: The first cells: capitals lost, capitals contested, and one that is always 0.
LOST, CONTESTED, NOTHING = range(3)

#: A term: its kind, its part, the columns of its values; the row of numbers it reads, or else its cell (plus *each* for
#: every province), and where its factors begin in a table of factors, and how many they are. Unsigned, here and in
#: every array of indices that a race reads: an index that cannot be negative need not be looked at.
TERM = np.dtype([(name, "u4") for name in ("kind", "part", "value", "other", "row", "cell", "each", "first", "size")])
#: The factors that a transition's counts of neighbours have together: it, the graph they are of (the first, if of
#: several), where they begin in a table of factors, and how many they are.
JOINT = np.dtype([(name, "u4") for name in ("transition", "graph", "first", "size")])

#: Parts of a hazard: a clock's own numbers; what is common to a track; what moves with control nearby.
OWN, COMMON, LIVE = range(3)


class Law(NamedTuple):
    """What a model says on one theatre from one start: read-only arrays. n provinces, R transitions, T tracks."""

    source: NDArray[np.int8]  # (R,) control a transition leaves
    target: NDArray[np.int8]  # (R,) control it enters
    terms: Terms  # (term,) transition after transition, in the model's order
    ends: Indices  # (R + 1,) terms of transition r are ends[r] to ends[r + 1]
    parted: Terms  # (term,) the same, transition after transition, part after part
    part: Indices  # (R, 4) terms of transition r in a part are part[r, part] to part[r, part + 1] of parted
    track: Indices  # (R, n) the track of a clock
    transition: Indices  # (T,) the transition of a track
    member: Indices  # (T,) a province on the track
    pointer: Indices  # (graph, n + 1) links of province p in graph g are link[pointer[g, p] : pointer[g, p + 1]]
    link: Indices
    size: Ints  # (2,) how many cells a situation has, and factors a table; the first factor is always 1
    held: Indices  # (graph of neighbours,) its first cell, of n: insurgent-held neighbours. Graphs may share cells:
    step: Indices  # (graph of neighbours,) what a neighbour adds to the cell,
    counted: Indices  # (graph of neighbours, what is in the cell) and so how many there are
    joint: Terms  # (transition that counts neighbours, or such a one and graph,)
    recent: Indices  # (window,) its cell: capitals captured within it and still held
    cut: Indices  # (cut-off rule,) its first cell, of n: whether cut off
    active: Indices  # (calendar,) its first cell, of n: whether it acts there now
    pulled: Indices  # (pull-back,) its first cell, of n: 0 before, 1 if kept, 2 if abandoned
    hub: Indices  # (cut-off rule,)
    roads: Indices  # (cut-off rule,) its graph
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
    """Control of every capital at one moment, and the tallies that follow from it. Changed by ``moves.py`` alone."""

    control: NDArray[np.int8]  # (n,)
    cell: Cells  # what terms see
    oldest: Ints  # (window,) the first capital captured within it; n if none
    taken: Floats  # (n,) when a held capital was captured; -inf if not known
    before: Ints  # (n + 1,) the chain of held capitals in order of capture; n is its two ends
    after: Ints  # (n + 1,)
    frailty: Floats  # (frailty term, n) standard normal
    custom: Floats  # (custom term, n) multiplier, kept by the engine
    scale: Floats  # (R, n) factor set by processes
    marked: Cells  # (cell, 2) cells of one province that the last change changed, and what they were
    marks: Ints  # (1,) how many
    seen: Flags  # (n,) and a queue: room for a walk along roads
    queue: Indices  # (n,)


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


def same_watch(one: Watch, other: Watch) -> bool:
    """Return whether two watches are true of the same situations by the same count."""
    return one.threshold == other.threshold and np.array_equal(one.weights, other.weights)


def fresh(law: Law) -> Situation:
    """Return an unplaced Situation for *law*: call ``place`` before use."""
    n = law.track.shape[1]
    kinds = law.terms["kind"]
    return Situation(
        control=np.zeros(n, np.int8), cell=np.zeros(law.size[0], np.int32),
        oldest=np.full(len(law.window), n, np.int64), taken=np.full(n, -np.inf), before=np.full(n + 1, n, np.int64),
        after=np.full(n + 1, n, np.int64), frailty=np.zeros((int(np.sum(kinds == _FRAILTY)), n)),
        custom=np.ones((int(np.sum(kinds == _CUSTOM)), n)), scale=np.ones((len(law.source), n)),
        marked=np.zeros((int(law.size[0]), 2), np.int32), marks=np.zeros(1, np.int64), seen=np.zeros(n, np.uint8),
        queue=np.zeros(n, np.uint32),
    )  # fmt: skip


@inner
def factor(kind: int, value: float, other: float, seen: float, n: int) -> float:
    """Return what a term of *kind* makes of what it has *seen*, in a theatre of *n* capitals: the table of terms, once.

    *value* and *other* are its parameters; *other* is read by a PullBack alone.
    """
    if kind == _NEIGHBOURS:
        return 1.0 + value * seen
    if kind == _BASELINE:
        return value
    if kind == _MOMENTUM:
        return math.exp(value * (seen / n))
    if kind in (_COVARIATE, _FRAILTY):
        return math.exp(value * seen)
    if kind in (_CUTOFF, _CALENDAR):
        return math.exp(value) if seen else 1.0
    if kind == _RESERVES:
        return min(1.0, value / max(1.0, seen))
    if kind == _CUSTOM:
        return seen
    if not seen:
        return 1.0
    return math.exp(value) if seen == 1.0 else math.exp(other)


@inner
def _multiplier(law: Law, term: Any, values: Floats, now: Situation, p: int) -> float:
    """Return the factor of *term* for province *p*."""
    kind, row = term.kind, term.row
    seen = 0.0
    if kind == _COVARIATE:
        seen = law.covariate[row, p]
    elif kind == _FRAILTY:
        seen = now.frailty[row, p]
    elif kind == _CUSTOM:
        seen = now.custom[row, p]
    elif kind == _NEIGHBOURS:
        seen = float(law.counted[row, now.cell[term.cell + p]])
    elif kind != _BASELINE:
        seen = float(now.cell[term.cell + term.each * p])
    return factor(kind, values[term.value], values[term.other], seen, len(now.control))


@inner
def tabulate(law: Law, values: Floats, table: Floats) -> None:
    """Write the factors of every live or common term into *table*, by what it may see."""
    table[0] = 1.0
    for j in range(len(law.terms)):
        term = law.terms[j]
        for seen in range(term.size):
            table[term.first + seen] = factor(
                term.kind, values[term.value], values[term.other], float(seen), law.track.shape[1]
            )
    for i in range(len(law.joint)):
        joint = law.joint[i]
        for cell in range(joint.size):
            table[joint.first + cell] = 1.0
        for j in range(law.part[joint.transition, LIVE], law.part[joint.transition, LIVE + 1]):
            term = law.parted[j]
            if term.kind == _NEIGHBOURS and law.held[term.row] == law.held[joint.graph]:
                for cell in range(joint.size):
                    table[joint.first + cell] *= table[term.first + law.counted[term.row, cell]]


@inner
def _product(law: Law, values: Floats, now: Situation, r: int, p: int, part: int, rate: float) -> float:
    for j in range(law.part[r, part], law.part[r, part + 1]):
        rate *= _multiplier(law, law.parted[j], values, now, p)
    return rate


@inner
def own_rate(law: Law, values: Floats, now: Situation, r: int, p: int) -> float:
    """Return the own part of the hazard of transition *r* in province *p*, with what processes make of it."""
    return _product(law, values, now, r, p, OWN, 1.0) * now.scale[r, p]


@inner
def local_rate(law: Law, values: Floats, now: Situation, r: int, p: int) -> float:
    """Return the local part of the hazard of transition *r* in province *p*, per day, enabled or not."""
    return _product(law, values, now, r, p, LIVE, own_rate(law, values, now, r, p))


@inner
def common_rate(law: Law, values: Floats, now: Situation, track: int) -> float:
    """Return the common part of the hazards on *track*."""
    return _product(law, values, now, law.transition[track], law.member[track], COMMON, 1.0)


@inner
def multipliers(law: Law, values: Floats, now: Situation, r: int, p: int, out: Floats) -> None:
    """Write the factor of each term of the hazard of transition *r* in province *p* into *out*, in the model's order.

    Their product is the hazard, but for what processes make of it.
    """
    terms = law.terms[law.ends[r] : law.ends[r + 1]]
    for j in range(len(terms)):
        out[j] = _multiplier(law, terms[j], values, now, p)


@inner
def shares(law: Law, values: Floats, now: Situation, r: int, p: int, out: Floats) -> None:
    """Write each term's share of the hazard λ = b Π m_j into *out*: by term in the model's order, processes last.

    The logarithmic-mean split (Ang 2004, doi:10.1016/S0301-4215(03)00076-4): baseline b/λ, term j L ln(m_j)/λ with
    L = (λ - b)/ln(λ/b). Written in S = Σ ln m_j, so that they sum to 1 also where λ is close to b.
    """
    out[:] = 0.0
    last = out.shape[0] - 1
    total = math.log(now.scale[r, p])
    out[last] = total
    baseline = 0
    terms = law.terms[law.ends[r] : law.ends[r + 1]]
    for j in range(len(terms)):
        if terms[j].kind == _BASELINE:
            baseline = j
        else:
            out[j] = math.log(_multiplier(law, terms[j], values, now, p))
            total += out[j]
    mean = -math.expm1(-total) / total if total != 0.0 else 1.0
    for j in range(last + 1):
        out[j] *= mean
    out[baseline] = math.exp(-total)
