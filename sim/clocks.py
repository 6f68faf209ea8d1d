"""Which clocks a race has, and which of them hear of what.

A clock, a (province, transition) pair, is in the race if its province can ever be in the transition's source. What its
live terms see are cells of the situation; so each cell has clocks that hear of it, and a capital that is lost has a
*row* of all the clocks that count it as a neighbour.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim import law as _law
from sim.compiled import inner
from sim.control import Control

__all__ = ["IDLE", "Clocks", "clocks_of", "none_of"]

Indices = NDArray[np.uint32]
Ints = NDArray[np.int64]

#: Rows of neighbours are of one length up to this, or else in wholes of half: so that how long one is can mostly be
#: foreseen by the processor.
IDLE = 8


class Clocks(NamedTuple):
    """The clocks of a race, track after track: read-only arrays. The last IDLE are none: they never go."""

    province: Indices  # (C + IDLE,)
    transition: Indices  # (C + IDLE,)
    track: Indices  # (C + IDLE,)
    name: NDArray[np.uint64]  # (C + IDLE,)
    begin: Indices  # (T + 1,) clocks of track k are begin[k] to begin[k + 1], some of them none
    of: Indices  # (R, n) the clock of a province; C if it has none
    rival: Indices  # (C + IDLE, Q) the clocks that stop as one goes: others of its province, and some that are none
    next: Indices  # (C + IDLE, S) those that start as it goes; so many of them by transition: starts
    starts: Indices  # (R,)
    first: Indices  # (C + IDLE, J) for each live term: where its factors begin, and the cell it sees
    cell: Indices  # (C + IDLE, J)
    common: Indices  # (T, K, 2) the same for each common term of a track
    national: Indices  # (tracks with such a term,)
    hearing: Indices  # (H,) tracks with clocks that count neighbours
    row: Indices  # (H, n + 1) of those, clocks that hear of province p are near[row[h, p] : row[h, p + 1]]
    near: Indices  # (entry, 5) cell, what to add to it here, clock, where its ratios begin for steps up, and down
    origin: Indices  # (entry, 2) what is added to the cell, where the factors begin
    ratios: Indices  # (table of ratios, 4) where it begins, of factors from where on, how many, what is added
    ears: Indices  # (cell + 1,) clocks that hear of a cell are ear[ears[cell] : ears[cell + 1]]
    ear: Indices  # (entry, 2) clock, where the factors begin


@inner
def none_of(clocks: Clocks) -> Any:
    """Return the first clock that is none."""
    return np.uint64(len(clocks.province) - IDLE)


def clocks_of(law: _law.Law, names: NDArray[np.uint64], may: NDArray[np.bool_], whole: int) -> Clocks:
    """Return the clocks of a race.

    Parameters
    ----------
    names : ndarray of uint64, shape (R, n)
        Of the clocks, to address their budgets.
    may : ndarray of bool, shape (n, 3)
        Control each province may have at the start.
    whole : int
        The clocks of each track come in wholes of so many.
    """
    may = _closed(may, law)
    mine = [np.flatnonzero(may[:, law.source[r]] & (law.track[r] == k)) for k, r in enumerate(law.transition)]
    begin = np.concatenate([[0], np.cumsum([len(those) + -len(those) % whole for those in mine])]).astype(np.uint32)
    none = int(begin[-1])
    province, transition, track = np.zeros((3, none + IDLE), np.uint32)
    track[:none] = np.repeat(np.arange(len(mine)), np.diff(begin))
    transition[:none] = law.transition[track[:none]]
    of = np.full(law.track.shape, none, np.uint32)
    for k, those in enumerate(mine):
        province[begin[k] : begin[k] + len(those)] = those
        of[law.transition[k], those] = begin[k] + np.arange(len(those))
    real = (of[transition, province] == np.arange(len(province))) & (np.arange(len(province)) < none)
    first, cell = _slots(law, province, transition, real)
    common = _common(law)
    ears = _ears(law, first, cell)
    return Clocks(
        province=province, transition=transition, track=track, name=names[transition, province],
        begin=begin, of=of, rival=_beside(law, of, size=len(province), entered=False),
        starts=np.array([np.sum(law.source == target) for target in law.target], np.uint32),
        next=_beside(law, of, size=len(province), entered=True), first=first, cell=cell, common=common,
        national=np.flatnonzero((common[:, :, 0] > 0).any(axis=1)).astype(np.uint32),
        **ears, **_rows(law, track, of, none, **ears),
    )  # fmt: skip


def _beside(law: _law.Law, of: Indices, *, size: int, entered: bool) -> Indices:
    """Return, for each clock, those of its province out of the control *entered*, or the others out of that left."""
    transitions, control = range(len(law.source)), law.target if entered else law.source
    out = [[other for other in transitions if other != r and law.source[other] == control[r]] for r in transitions]
    none = size - IDLE
    found = np.full((size, max(map(len, out))), none, np.uint32)
    for r in transitions:
        runs = of[r] < none
        found[of[r, runs], : len(out[r])] = of[out[r]][:, runs].T
    return found


def _closed(may: NDArray[np.bool_], law: _law.Law) -> NDArray[np.bool_]:
    """Return what control provinces *may* have sooner or later."""
    may = may.copy()
    for _ in Control:
        for source, target in zip(law.source, law.target, strict=True):
            may[:, target] |= may[:, source]
    return may


def _slots(law: _law.Law, province: Indices, transition: Indices, real: NDArray[np.bool_]) -> tuple[Indices, Indices]:
    """Return where factors of a clock's live terms begin and the cells they see, but of what never moves.

    A calendar never acts beyond its region, nor is anybody cut off who has no road.
    """
    live = [_live(law, r) for r in range(len(law.source))]
    first = np.zeros((len(province), max(map(len, live))), np.uint32)  # of the factor that is always 1
    cell = np.full(first.shape, _law.NOTHING, np.uint32)
    for r, terms in enumerate(live):
        clocks = np.flatnonzero(real & (transition == r))
        for j, (base, at, reach) in enumerate(terms):
            reached = clocks if reach is None else clocks[reach[province[clocks]] > 0]
            first[reached, j], cell[reached, j] = base, at + province[reached]
    return first, cell


def _live(law: _law.Law, r: int) -> list[tuple[int, int, NDArray[np.uint8] | None]]:
    """Return where factors of live terms of transition *r* begin, the first cells they see, and whom they reach."""
    found: list[tuple[int, int, NDArray[np.uint8] | None]] = []
    tables = {int(law.held[joint["graph"]]): int(joint["first"]) for joint in law.joint if joint["transition"] == r}
    for term in law.parted[law.part[r, _law.LIVE] : law.part[r, _law.LIVE + 1]]:
        kind, cell = _law.KINDS[term["kind"]], int(term["cell"])
        if kind != "neighbours":
            reach = {"calendar": law.region, "cutoff": law.path}.get(kind)
            found.append((int(term["first"]), cell, None if reach is None else reach[term["row"]]))
        elif cell in tables:
            found.append((tables.pop(cell), cell, None))
    return found


def _common(law: _law.Law) -> Indices:
    terms = [law.parted[a:b] for a, b in law.part[law.transition][:, _law.COMMON : _law.COMMON + 2]]
    found = np.zeros((len(terms), max(map(len, terms), default=0), 2), np.uint32)
    found[:, :, 1] = _law.NOTHING
    for k, those in enumerate(terms):
        found[k, : len(those), 0] = those["first"]
        found[k, : len(those), 1] = those["cell"] + those["each"] * law.member[k]
    return found


def _ears(law: _law.Law, first: Indices, cell: Indices) -> dict[str, Indices]:
    clock, slot = np.nonzero(first)
    at = cell[clock, slot]
    order = np.argsort(at, kind="stable")
    sizes = np.bincount(at, minlength=int(law.size[0]))
    return {
        "ears": np.concatenate([[0], np.cumsum(sizes)]).astype(np.uint32),
        "ear": np.column_stack([clock, first[clock, slot]])[order].astype(np.uint32),
    }


def _rows(law: _law.Law, track: Indices, of: Indices, none: int, ears: Indices, ear: Indices) -> dict[str, Indices]:
    """Return who hears of whom as neighbours, row by row: see Clocks."""
    n = law.track.shape[1]
    lost, cell, step = _steps(law)
    told_of = _comes_and_goes(law, of, none)[lost]
    lost, cell, step = lost[told_of], cell[told_of], step[told_of]
    # Every clock that hears of each cell; the first of them tells the cell.
    sizes = (ears[1:] - ears[:-1])[cell].astype(np.int64)
    ends = np.cumsum(sizes)
    told = np.repeat(np.arange(len(cell)), sizes)
    heard = ear[ears[cell][told] + np.arange(len(told)) - (ends - sizes)[told]].astype(np.int64)
    clock, base = heard[:, 0], heard[:, 1]
    tell = np.zeros(len(told), np.int64)
    tell[(ends - sizes)[sizes > 0]] = step[sizes > 0]
    hearing = np.flatnonzero(np.bincount(track[clock], minlength=1))
    row = np.searchsorted(hearing, track[clock]) * n + lost[told]
    ratios, up, down = _ratios(law, base, step[told])
    starts, places, filler = _places(row, len(hearing) * n)
    near, origin = np.zeros((starts[-1], 5), np.uint32), np.zeros((starts[-1], 2), np.uint32)
    # What fills rows adds nothing, each to a cell and a clock of its own: the processor need not wait for one another.
    near[:, 0] = law.held[0] + filler % n if len(law.held) else _law.NOTHING
    near[:, 2] = none + filler
    near[places] = np.column_stack([cell[told], tell, clock, up, down])
    origin[places] = np.column_stack([step[told], base])
    return {
        "hearing": hearing.astype(np.uint32), "near": near, "origin": origin, "ratios": ratios,
        "row": starts[np.arange(len(hearing))[:, None] * n + np.arange(n + 1)].astype(np.uint32),
    }  # fmt: skip


def _comes_and_goes(law: _law.Law, of: Indices, none: int) -> NDArray[np.bool_]:
    """Return which provinces can be lost or regained, shape (n,)."""
    lost = (law.source == Control.INSURGENT) | (law.target == Control.INSURGENT)
    return np.asarray((of[lost] < none).any(axis=0))


def _steps(law: _law.Law) -> tuple[Ints, Ints, Ints]:
    """Return who is counted as a neighbour in which cell, and what it adds, in this order."""
    cells = int(law.size[0])
    keys, steps = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for g in range(len(law.held)):
        pointer = law.pointer[g].astype(np.int64)
        others = law.link[pointer[0] : pointer[-1]].astype(np.int64)
        keys.append(np.repeat(np.arange(len(pointer) - 1), np.diff(pointer)) * cells + int(law.held[g]) + others)
        steps.append(np.full(len(others), law.step[g], np.int64))
    key, place = np.unique(np.concatenate(keys), return_inverse=True)
    return key // cells, key % cells, np.bincount(place, np.concatenate(steps), len(key)).astype(np.int64)


def _ratios(law: _law.Law, base: Ints, step: Ints) -> tuple[Indices, Ints, Ints]:
    """Return the tables of ratios, and where those of each clock that hears begin, for steps up and down."""
    known = {int(joint["first"]): int(joint["size"]) for joint in law.joint}
    most = max(known.values(), default=1)
    kinds, kind = np.unique(base * (most + 1) + step, return_inverse=True)
    bases, steps = kinds // (most + 1), kinds % (most + 1)
    sizes = np.array([known[int(b)] for b in bases], np.int64)
    # The first table, of the factor that is always 1, is for what fills the rows; another's size leaves it room.
    begin = most + np.cumsum(2 * sizes) - 2 * sizes
    tables = np.vstack([[(0, 0, most, 0)], np.column_stack([begin, bases, sizes, steps])])
    return tables.astype(np.uint32), begin[kind], (begin + sizes)[kind]


def _places(row: Ints, rows: int) -> tuple[Ints, Ints, Ints]:
    """Return where rows begin and end, the places of entries of a *row* in it, and for every place which filler it is.

    Rows are filled up to one length, or in wholes: see IDLE.
    """
    count = np.bincount(row, minlength=rows)
    longest = int(count.max(initial=0))
    full = np.full(rows, longest) if longest <= IDLE else count + -count % (IDLE // 2)
    starts = np.concatenate([[0], np.cumsum(full)])
    filler = np.maximum(np.arange(starts[-1]) - np.repeat(starts[:-1] + count, full), 0)
    order = np.argsort(row, kind="stable")
    places = np.empty(len(row), np.int64)
    places[order] = starts[row[order]] + np.arange(len(row)) - (np.cumsum(count) - count)[row[order]]
    return starts, places, filler
