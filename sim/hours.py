"""Unknown hours: the times of captures at K points of their intervals, and the course of every capital at each.

A *phase* is who is lost, who was lost of late (where a window asks), and in which piece between calendar breaks. At one
point the record is a sequence of phases; a capital's steps are the stretches it spends in them and what is seen of it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from sim.control import Control

__all__ = [
    "CAPTURED", "LOST", "NOTHING", "SEEN_CONTESTED", "SEEN_GOVERNMENT", "Capture", "Plan", "Seen", "course",
    "marks", "plan",
]  # fmt: skip

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]

_INSURGENT = int(Control.INSURGENT)
#: What a step ends with; LOST is a step in which the capital is lost and nothing happens.
NOTHING, SEEN_CONTESTED, SEEN_GOVERNMENT, CAPTURED, LOST = range(5)
#: A capture: province, earliest and latest, in days since the origin.
Capture: TypeAlias = tuple[int, float, float]
#: A sighting: province, first and last moment of the day, and what was seen.
Seen: TypeAlias = tuple[int, float, float, Control]
#: A stretch before a moment: its phase, the moment, and the province captured then (-1 for none).
Edge: TypeAlias = tuple[float, int, int]


class Step(NamedTuple):
    """A stretch of *days* a capital spends in a phase, and what it *does* at the end."""

    phase: int
    days: float
    does: int


@dataclass(frozen=True, eq=False)
class Plan:
    """The steps of every province at K choices of the captures' times, as arrays.

    Province p at point k takes the steps first[k, p] to first[k, p + 1].
    """

    control: NDArray[np.int8]  # (phase, n)
    day: Floats  # (phase,) a moment at which the phase may hold, for the calendars
    taken: Floats | None  # (phase, n) times at which captures may have been, where a window asks
    phase: Ints  # (step,)
    days: Floats  # (step,)
    does: Ints  # (step,)
    first: Ints  # (K, n + 1)
    shared: NDArray[np.uint8]  # (n,) nothing was seen of the province but that it was not captured
    log_volume: float  # logarithm of the product of the lengths of the intervals


def plan(
    provinces: int, captures: Sequence[Capture], seen: Sequence[Seen], breaks: Sequence[float], end: float,
    points: Floats, *, windows: Sequence[float] = (), afterwards: bool = False,
) -> Plan:  # fmt: skip
    """Lay out a record from 0 to *end* with its *captures* placed at *points*.

    Parameters
    ----------
    points : ndarray, shape (K, capture)
        Uniforms: where in its interval each capture lies. Among captures of one exact time they decide the order.
    windows : sequence of float
        Lengths, in days, of which the law asks who was lost within.
    afterwards : bool
        Whether to follow capitals after their capture too.
    """
    table = _Phases(provinces, sorted(b for b in breaks if 0.0 < b < end), windows)
    steps: list[Step] = []
    first = np.zeros((len(points), provinces + 1), np.int64)
    for k, u in enumerate(points):
        times = [low + at * (high - low) for (_, low, high), at in zip(captures, u.tolist(), strict=True)]
        order = sorted(range(len(captures)), key=lambda i, times=times, u=u: (times[i], u[i]))  # type: ignore[misc]
        taken = [(times[i], captures[i][0]) for i in order]
        edges = list(table.edges(taken, end))
        gone = {p: t for t, p in taken}
        for p in range(provinces):
            first[k, p] = len(steps)
            steps += course(p, edges, marks(p, seen, gone.get(p, end)), afterwards=afterwards)
        first[k, provinces] = len(steps)
    watched = {p for p, *_ in seen} | {p for p, *_ in captures}
    control, taken_at = table.arrays()
    return Plan(
        control=control, day=np.array(table.day), taken=taken_at if windows else None,
        phase=np.array([s.phase for s in steps], np.int64), days=np.array([s.days for s in steps]),
        does=np.array([s.does for s in steps], np.int64), first=first,
        shared=np.array([p not in watched for p in range(provinces)], np.uint8),
        log_volume=math.fsum(math.log(high - low) for _, low, high in captures if high > low),
    )  # fmt: skip


@dataclass
class _Phases:
    """The phases met so far, each with a moment at which it holds."""

    provinces: int
    breaks: Sequence[float]
    windows: Sequence[float]
    known: dict[tuple[object, ...], int] = field(default_factory=dict)
    day: list[float] = field(default_factory=list)
    when: list[dict[int, float]] = field(default_factory=list)

    def edges(self, taken: Sequence[tuple[float, int]], end: float) -> Iterator[Edge]:
        """Yield the stretches of a record with captures *taken*, (time, province) in order."""
        fading = sorted({t + w for t, _ in taken for w in self.windows if t + w < end})
        # What is captured at a break is captured under what begins there, as in the law.
        breaks = ((b, -1) for b in self.breaks)
        cuts = sorted([*breaks, *taken, (end, -1), *((t, -2) for t in fading)], key=lambda cut: cut[0])
        lost: dict[int, float] = {}
        era, last = 0, 0.0
        for moment, p in cuts:
            yield moment, self._phase(lost, era, last, moment), p
            if p >= 0:
                lost[p] = moment
            era, last = era + (p == -1), moment

    def _phase(self, lost: dict[int, float], era: int, last: float, moment: float) -> int:
        late = tuple(frozenset(p for p, t in lost.items() if t + w > last) for w in self.windows)
        # A moment without length may lie on a break, so it must not stand for a stretch that does not.
        brief = bool(self.windows) and not moment > last
        number = self.known.setdefault((frozenset(lost), era, late, brief), len(self.day))
        if number == len(self.day):
            start = self.breaks[era - 1] if era else 0.0
            self.day.append((last + moment) / 2 if self.windows else start)
            self.when.append(dict(lost))
        return number

    def arrays(self) -> tuple[NDArray[np.int8], Floats]:
        control = np.zeros((len(self.day), self.provinces), np.int8)
        taken = np.full(control.shape, -np.inf)
        for j, lost in enumerate(self.when):
            control[j, list(lost)] = _INSURGENT
            taken[j, list(lost)] = list(lost.values())
        return control, taken


def marks(p: int, seen: Sequence[Seen], last: float) -> list[tuple[float, int]]:
    """Return when *p* was seen and as what: in the middle of the day, or of its part before the capture."""
    found = []
    for q, low, high, control in seen:
        if q == p:
            does = SEEN_CONTESTED if control is Control.CONTESTED else SEEN_GOVERNMENT
            found.append(((low + max(low, min(high, last))) / 2, does))
    return sorted(found)


def course(
    p: int, edges: Sequence[Edge], seen: Sequence[tuple[float, int]], *, afterwards: bool = False
) -> list[Step]:  # fmt: skip
    """Return the steps of province *p* along *edges*, with what was *seen* of it: (moment, what)."""
    steps: list[Step] = []
    day, at, lost = 0.0, 0, False
    for moment, phase, who in edges:
        while at < len(seen) and seen[at][0] <= moment and not lost:
            steps.append(Step(phase, seen[at][0] - day, seen[at][1]))
            day = seen[at][0]
            at += 1
        if who == p:
            steps.append(Step(phase, moment - day, CAPTURED))
            if not afterwards:
                return steps
            day, lost = moment, True
        elif moment > day:
            steps.append(Step(phase, moment - day, LOST if lost else NOTHING))
            day = moment
    return steps
