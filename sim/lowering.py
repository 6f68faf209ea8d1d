"""A model written out as the tables of the law."""

from __future__ import annotations

import math
from datetime import datetime
from itertools import chain, pairwise
from typing import TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from sim import law as _law
from sim.control import TRANSITIONS
from sim.hazards import (
    Baseline,
    Calendar,
    Covariate,
    Custom,
    CutOff,
    Frailty,
    Momentum,
    Neighbours,
    PullBack,
    Reserves,
    Term,
)
from sim.model import Model

__all__ = ["lower"]

Floats: TypeAlias = NDArray[np.float64]
_T = TypeVar("_T")

#: Numbers of neighbours by border and by road are kept in one cell if that makes no more factors than this.
_SHORT = 512


def lower(model: Model, instant: datetime | None = None) -> _law.Law:
    """Return the law of *model* for a scenario that starts at *instant*.

    Raise a ValueError if a term names a date and *instant* is None.
    """
    return _Lowering(model, instant).law()


class _Lowering:
    """Fills the tables of a Law from a model, term by term."""

    def __init__(self, model: Model, instant: datetime | None):
        self.model, self.theatre, self.instant = model, model.theatre, instant
        self.n = len(model.theatre.provinces)
        self.columns = {name: j for j, name in enumerate(model.parameters)}
        self.graphs: list[tuple[str, tuple[str, ...]]] = []
        self.rules: list[tuple[int, tuple[str, ...]]] = []
        self.covariates: list[Floats] = []
        self.calendars: list[tuple[float, float]] = []
        self.regions: list[NDArray[np.uint8]] = []
        self.windows: list[float] = []
        self.triggers: list[tuple[int, float]] = []
        self.keeps: list[NDArray[np.uint8]] = []
        self.breaks: list[float] = []
        self.frailties = 0
        self.customs = 0

    def _days(self, when: datetime | float | None, where: str, default: float) -> float:
        if when is None:
            return default
        if isinstance(when, datetime):
            if self.instant is None:
                raise ValueError(
                    f"{where} names the date {when.date()}, but the start has no instant; give State(instant=…)"
                )
            return (when - self.instant).total_seconds() / 86400.0
        return float(when)

    def _members(self, provinces: tuple[str, ...] | None) -> NDArray[np.uint8]:
        flags = np.ones(self.n, np.uint8)
        if provinces is not None:
            flags[:] = 0
            flags[[self.theatre.index(name) for name in provinces]] = 1
        return flags

    def _row(self, term: Term, where: str) -> int:
        """Return the row *term* reads, adding it to its table."""
        if isinstance(term, Neighbours):
            return _place(self.graphs, (term.via, ()))
        if isinstance(term, Momentum):
            return 0 if term.window is None else _place(self.windows, float(term.window))
        if isinstance(term, Covariate):
            self.covariates.append(self.theatre.standardised(term.column))
            return len(self.covariates) - 1
        if isinstance(term, Frailty):
            self.frailties += 1
            return self.frailties - 1
        if isinstance(term, CutOff):
            return _place(self.rules, (self.theatre.index(term.hub or self.theatre.hub or ""), term.without))
        if isinstance(term, Calendar):
            start = self._days(term.start, where, -math.inf)  # type: ignore[arg-type]
            stop = self._days(term.stop, where, math.inf)  # type: ignore[arg-type]
            if not start < stop:
                raise ValueError(f"{where}: start must come before stop, but was day {start:g} and day {stop:g}")
            self.calendars.append((start, stop))
            self.regions.append(self._members(term.provinces))
            self.breaks += [start, stop]
            return len(self.calendars) - 1
        if isinstance(term, PullBack):
            counted = isinstance(term.after, int)
            day = math.inf if counted else self._days(term.after, where, math.inf)  # type: ignore[arg-type]
            self.triggers.append((int(term.after) if counted else self.n + 1, day))  # type: ignore[arg-type]
            self.keeps.append(self._members(term.keep))
            self.breaks.append(day)
            return len(self.triggers) - 1
        if isinstance(term, Custom):
            self.breaks += [self._days(b, where, math.inf) for b in term.breaks]  # type: ignore[arg-type]
            self.customs += 1
            return self.customs - 1
        return 0

    def law(self) -> _law.Law:
        """Return the filled tables."""
        found: list[tuple[Term, tuple[int, ...], int]] = []
        ends, sides = [0], list[list[tuple[int, ...]]]()
        for transition, hazard in self.model.hazards.items():
            for term in hazard.terms:
                values = [self.columns[f"{transition}.{name}"] for name in term.values]
                found.append((term, tuple([*values, 0, 0][:2]), self._row(term, f"model: {transition}.{term.name}")))
            ends.append(len(found))
        n = self.n
        for begin, end in pairwise(ends):
            keeps = [self.keeps[row] for term, _, row in found[begin:end] if isinstance(term, PullBack)]
            sides.append([tuple(int(k[p]) for k in keeps) for p in range(n)])
        track, of, member = _tracks(sides, n)
        pointer, link = self._links()
        degrees = np.diff(pointer.astype(int), axis=1).max(axis=1, initial=0)[: len(self.graphs)].tolist()
        cells = self._cells(degrees)
        terms, factors = self._terms(found, cells, degrees)
        owner = np.repeat(np.arange(len(ends) - 1), np.diff(ends))
        parted = np.lexsort((terms["part"], owner))
        place = owner[parted] * 3 + terms["part"][parted]
        bounds = np.searchsorted(place, 3 * np.arange(len(ends) - 1)[:, None] + np.arange(4)).astype(np.uint32)
        counts = self._counts(cells, degrees)
        joint = _joint(terms, ends, cells, counts, factors)
        factors += int(joint["size"].sum())
        hazards = [TRANSITIONS[name] for name in self.model.hazards]
        tables = _law.Law(
            source=np.array([t.source for t in hazards], np.int8),
            target=np.array([t.target for t in hazards], np.int8),
            terms=terms, ends=np.array(ends, np.uint32), parted=terms[parted], part=bounds, track=track, transition=of,
            member=member, pointer=pointer, link=link, size=np.array([cells.pop("all")[0], factors]),
            **{name: np.array(firsts, np.uint32) for name, firsts in cells.items()}, counted=counts, joint=joint,
            hub=np.array([hub for hub, _ in self.rules], np.uint32),
            roads=np.array([len(self.graphs) + j for j in range(len(self.rules))], np.uint32),
            path=np.array([self._reach(*rule) for rule in self.rules], np.uint8).reshape(-1, n),
            covariate=np.array(self.covariates, float).reshape(-1, n),
            calendar=np.array(self.calendars, float).reshape(-1, 2),
            region=np.array(self.regions, np.uint8).reshape(-1, n),
            window=np.array(self.windows, float), trigger=np.array([t for t, _ in self.triggers], np.int64),
            trigger_day=np.array([d for _, d in self.triggers], float),
            keep=np.array(self.keeps, np.uint8).reshape(-1, n),
            breaks=np.array(sorted({b for b in self.breaks if 0.0 < b < math.inf}), float),
        )  # fmt: skip
        for array in tables:
            array.flags.writeable = False
        return tables

    def _cells(self, degrees: list[int]) -> dict[str, list[int]]:
        """Return the first cell of everything that terms look at, and under "all" how many cells there are.

        Under "step", what a neighbour adds to a cell: graphs share one, as digits do, if the numbers stay small.
        """
        n, size = self.n, _law.NOTHING + 1
        shared = math.prod(degree + 1 for degree in degrees) <= _SHORT
        cells: dict[str, list[int]] = {
            "step": [math.prod(degree + 1 for degree in degrees[:g]) if shared else 1 for g in range(len(degrees))]
        }
        for name, each, count in (
            ("recent", 1, len(self.windows)), ("held", n, len(self.graphs)), ("cut", n, len(self.rules)),
            ("active", n, len(self.calendars)), ("pulled", n, len(self.triggers)),
        ):  # fmt: skip
            alone = min(count, 1) if name == "held" and shared else count
            cells[name] = [size + each * min(j, alone - 1) for j in range(count)]
            size += each * alone
        return cells | {"all": [size]}

    def _counts(self, cells: dict[str, list[int]], degrees: list[int]) -> NDArray[np.uint32]:
        """Return how many neighbours a cell tells of, shape (graph, what is in it)."""
        size = 1 + max(
            (sum(d * s for d, s, c in zip(degrees, cells["step"], cells["held"], strict=True) if c == cell)
             for cell in cells["held"]), default=0,
        )  # fmt: skip
        count = np.zeros((len(degrees), size), np.uint32)
        for row, step, degree in zip(count, cells["step"], degrees, strict=True):
            row[:] = np.arange(size) // step % (degree + 1)
        return count

    def _terms(
        self, found: list[tuple[Term, tuple[int, ...], int]], cells: dict[str, list[int]], degrees: list[int]
    ) -> tuple[NDArray[np.void], int]:
        """Return the table of terms, and how many factors a draw has."""
        n, rows, factors = self.n, [], 1
        for term, values, row in found:
            cell, each, size = _law.NOTHING, 0, 0
            if isinstance(term, Neighbours):
                cell, each, size = cells["held"][row], 1, degrees[row] + 1
            elif isinstance(term, Momentum):
                cell, size = _law.LOST if term.window is None else cells["recent"][row], n + 1
            elif isinstance(term, Reserves):
                cell, size = _law.CONTESTED, n + 1
            elif isinstance(term, (CutOff, Calendar, PullBack)):
                name = {CutOff: "cut", Calendar: "active", PullBack: "pulled"}[type(term)]
                cell, each, size = cells[name][row], 1, 3 if name == "pulled" else 2
            rows.append((_law.KINDS.index(term.kind), _part(term), *values, row, cell, each, factors, size))
            factors += size
        return np.array(rows, _law.TERM), factors

    def _links(self) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
        lists = [self.theatre.neighbours(via) for via, _ in self.graphs]  # type: ignore[arg-type]
        lists += [self.theatre.neighbours("road", without=without) for _, without in self.rules]
        sizes = np.array([list(map(len, near)) for near in lists], np.int64).reshape(-1, self.n)
        ends = np.cumsum(sizes).reshape(sizes.shape)
        pointer = np.column_stack([ends[:, 0] - sizes[:, 0], ends]).astype(np.uint32)
        return pointer, np.fromiter(chain.from_iterable(chain.from_iterable(lists)), np.uint32)

    def _reach(self, hub: int, without: tuple[str, ...]) -> NDArray[np.uint8]:
        neighbours = self.theatre.neighbours("road", without=without)
        reached, queue = {hub}, [hub]
        while queue:
            new = [q for q in neighbours[queue.pop()] if q not in reached]
            reached.update(new)
            queue += new
        return np.array([p in reached for p in range(self.n)], np.uint8)


def _part(term: Term) -> int:
    if term.common or (isinstance(term, Calendar) and term.provinces is None):
        return _law.COMMON
    return _law.OWN if isinstance(term, (Baseline, Covariate, Frailty, Custom)) else _law.LIVE


def _joint(
    terms: NDArray[np.void], ends: list[int], cells: dict[str, list[int]], counts: NDArray[np.uint32], first: int
) -> NDArray[np.void]:
    """Return the tables of factors of neighbours, by transition and cell, from *first* on."""
    rows: list[tuple[int, int, int, int]] = []
    for r, (begin, end) in enumerate(pairwise(ends)):
        graphs = [t["row"] for t in terms[begin:end] if t["kind"] == _law.KINDS.index("neighbours")]
        firsts = {cells["held"][g]: int(g) for g in reversed(graphs)}
        for graph in dict.fromkeys(firsts[cells["held"][g]] for g in graphs):
            rows.append((r, graph, first, counts.shape[1]))
            first += counts.shape[1]
    return np.array(rows, _law.JOINT)


def _place(table: list[_T], item: _T) -> int:
    if item not in table:
        table.append(item)
    return table.index(item)


def _tracks(
    sides: list[list[tuple[int, ...]]], n: int
) -> tuple[NDArray[np.uint32], NDArray[np.uint32], NDArray[np.uint32]]:
    """Return the track of each clock, and the transition and a member of each track."""
    track = np.zeros((len(sides), n), np.uint32)
    of: list[int] = []
    member: list[int] = []
    for r, side in enumerate(sides):
        for key in sorted(set(side)):
            provinces = [p for p in range(n) if side[p] == key]
            track[r, provinces] = len(of)
            of.append(r)
            member.append(provinces[0])
    return track, np.array(of, np.uint32), np.array(member, np.uint32)
