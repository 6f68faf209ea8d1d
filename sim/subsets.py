"""Captures dated to an interval: the exact likelihood of their history, forward over subsets.

Between two cuts (ends of intervals, calendar breaks) some captures are open: their interval covers the piece, and it is
not known whether they have happened yet. The state is the set of those that have. A capture enters the set at its own
hazard; the hazard of every other capital still held kills. At the end of its interval a capture must be in the set.
With exact times the sets are single and this is the usual product of hazards and survivals (Aalen 1978,
doi:10.1214/aos/1176344247).
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from sim.carrying import through
from sim.compiled import entry
from sim.control import Control
from sim.law import Law
from sim.rates import rates_in

__all__ = ["MOST_OPEN", "Stages", "history", "most_open", "stages"]

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]

#: The most captures that may be open at once: 2**14 sets.
MOST_OPEN = 14
_GOVERNMENT, _INSURGENT = int(Control.GOVERNMENT), int(Control.INSURGENT)


@dataclass(frozen=True, eq=False)
class Stages:
    """The pieces of a record, one after another, as arrays.

    A stage is a stretch of *days* in which the captures *open* may enter the set, or, where *points* is positive, an
    instant at which its last *points* captures do.
    """

    days: Floats  # (stage,) how long it is
    points: Ints  # (stage,) captures at its instant; 0 for a stretch
    width: Ints  # (stage,) captures open
    open: Ints  # (stage, widest) their provinces
    first: Ints  # (stage + 1,) where the sets of a stage begin among those of all stages
    source: Ints  # (set,) where its probability comes from in the stage before; -1 for none
    control: NDArray[np.int8]  # (set, n) with the captures that are over and those in the set
    day: Floats  # (set,) when its stage begins, days since the origin


def most_open(captures: Sequence[tuple[int, float, float]]) -> int:
    """Return how many of *captures* are undecided at once, at most, as ``stages`` has them."""
    edges = sorted({t for _, a, b in captures for t in (a, b)})
    stretches = [sum(a <= low and high <= b for _, a, b in captures) for low, high in itertools.pairwise(edges)]
    instants = [sum(a < t < b or a == b == t for _, a, b in captures) for t in edges]
    return max([0, *stretches, *instants])


def stages(provinces: int, captures: Sequence[tuple[int, float, float]], breaks: Sequence[float], end: float) -> Stages:
    """Cut the time from 0 to *end* into stages for *captures*: (province, earliest, latest) in days.

    Raise a ValueError if more than ``MOST_OPEN`` captures are open at once.
    """
    cuts = sorted({0.0, end, *(b for b in breaks if 0.0 < b < end), *(t for _, a, b in captures for t in (a, b))})
    rows: list[tuple[float, float, list[int], int]] = []
    for j, cut in enumerate(cuts):
        points = [i for i, (_, a, b) in enumerate(captures) if a == b == cut]
        if points:
            around = [i for i, (_, a, b) in enumerate(captures) if a < cut < b]
            rows.append((cut, 0.0, around + points, len(points)))
        if j + 1 < len(cuts):
            opened = [i for i, (_, a, b) in enumerate(captures) if a <= cut and cuts[j + 1] <= b]
            rows.append((cut, cuts[j + 1] - cut, opened, 0))
    widest = max(len(row[2]) for row in rows)
    if widest > MOST_OPEN:
        raise ValueError(
            f"likelihood: at most {MOST_OPEN} captures may be undecided at once, but {widest} intervals overlap; "
            "date some of them more closely, or use the count alone: record.as_count()"
        )
    opens = np.full((len(rows), max(widest, 1)), -1, np.int64)
    sources, controls, first, when = [], [], [0], []
    before: list[int] = []
    for s, (cut, _, opened, _) in enumerate(rows):
        opens[s, : len(opened)] = [captures[i][0] for i in opened]
        sources.append(_sources(before, opened))
        first.append(first[-1] + (1 << len(opened)))
        control = np.full((1 << len(opened), provinces), _GOVERNMENT, np.int8)
        for i, (p, _, b) in enumerate(captures):
            if i in opened:
                control[np.arange(1 << len(opened)) >> opened.index(i) & 1 == 1, p] = _INSURGENT
            elif b <= cut:
                control[:, p] = _INSURGENT
        controls.append(control)
        when.append(np.full(1 << len(opened), cut))
        before = opened
    return Stages(
        days=np.array([row[1] for row in rows]), points=np.array([row[3] for row in rows], np.int64),
        width=np.array([len(row[2]) for row in rows], np.int64), open=opens, first=np.array(first, np.int64),
        source=np.concatenate(sources), control=np.concatenate(controls), day=np.concatenate(when),
    )  # fmt: skip


def _sources(before: list[int], now: list[int]) -> Ints:
    """Return, for each set of the captures *now* open, the set of those open *before* that it continues."""
    ended = sum(1 << j for j, i in enumerate(before) if i not in now)
    found = np.full(1 << len(now), -1, np.int64)
    for s in range(len(found)):
        placed = [i for j, i in enumerate(now) if s >> j & 1]
        if all(i in before for i in placed):
            found[s] = ended | sum(1 << before.index(i) for i in placed)
    return found


def history(law: Law, table: Stages, kinds: Ints, values: Floats) -> Floats:
    """Return the log-likelihood of the record cut into *table*, for each row of *values* (row, parameter).

    *kinds* says where the transitions stand in the law, as ``rates.kinds_of`` gives it.
    """
    # A block of rows shares the placing of each set; its table of rates stays below 32 MB.
    block = max(1, min(256, (1 << 22) // table.control.size))
    out = np.empty(len(values))
    for at in range(0, len(values), block):
        rates = rates_in(law, table.control, table.day, values[at : at + block])
        _forward(
            rates, kinds[0], kinds[4], table.days, table.points, table.width, table.open, table.source, table.first,
            out[at : at + block],
        )  # fmt: skip
    return out


@entry
def _forward(
    rates: Floats, seizure: int, recapture: int, days: Floats, points: Ints, width: Ints, opens: Ints, source: Ints,
    first: Ints, out: Floats,
) -> None:  # fmt: skip
    leaving, entering = np.zeros(rates.shape[1]), np.zeros((rates.shape[1], opens.shape[1]))
    for row in range(rates.shape[0]):
        for s in range(len(width)):
            for member in range(first[s], first[s + 1]):
                # The rates of capitals lost are nil, so the sum is over those still held.
                total = 0.0
                for p in range(rates.shape[3]):
                    total += rates[row, member, seizure, p]
                    # That none was recaptured is part of the record.
                    if recapture >= 0:
                        total += rates[row, member, recapture, p]
                leaving[member] = total
                for b in range(width[s]):
                    entering[member, b] = rates[row, member, seizure, opens[s, b]]
        out[row] = through(leaving, entering, days, points, width, source, first)
