"""Which clocks a race has, and which of them hear of what.

A clock, a (province, transition) pair, is in the race if its province can ever be in the transition's source. What its
live terms see are cells of the situation; so each cell has clocks that hear of it, and a capital that is lost has a
*row* of all the clocks that count it as a neighbour.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim import law as _law
from sim.compiled import inner
from sim.control import Control

__all__ = ["IDLE", "Clocks", "clocks_of", "none_of"]

Indices = NDArray[np.uint32]

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
    begin, clocks = [0], []
    for k, r in enumerate(law.transition):
        mine = np.flatnonzero(may[:, law.source[r]] & (law.track[r] == k))
        clocks += [(p, r, k) for p in mine.tolist()]
        clocks += [(0, r, k)] * (-len(clocks) % whole)
        begin.append(len(clocks))
    none, real = len(clocks), []
    of = np.full(law.track.shape, none, np.uint32)
    for k in range(len(law.transition)):
        for c in range(begin[k], begin[k + 1]):
            p, r, _ = clocks[c]
            if may[p, law.source[r]] and law.track[r, p] == k and of[r, p] == none:
                of[r, p] = c
                real.append(c)
    clocks += [(0, 0, 0)] * IDLE
    province, transition, track = np.array(clocks, np.uint32).T.copy()
    known = set(real)
    first, cell = _slots(law, [(p, r) if c in known else None for c, (p, r, _) in enumerate(clocks)])
    common = _common(law)
    heard = _heard(law, real, first, cell)
    rivals = _beside(law, of, size=len(clocks), entered=False)
    starts = np.array([np.sum(law.source == target) for target in law.target], np.uint32)
    return Clocks(
        province=province, transition=transition, track=track, name=names[transition, province],
        begin=np.array(begin, np.uint32), of=of, rival=rivals, starts=starts,
        next=_beside(law, of, size=len(clocks), entered=True), first=first, cell=cell, common=common,
        national=np.flatnonzero((common[:, :, 0] > 0).any(axis=1)).astype(np.uint32),
        **_rows(law, heard, track, none), **_ears(law, heard),
    )  # fmt: skip


def _beside(law: _law.Law, of: Indices, *, size: int, entered: bool) -> Indices:
    """Return, for each clock, those of its province out of the control *entered*, or the others out of that left."""
    transitions, control = range(len(law.source)), law.target if entered else law.source
    out = [[other for other in transitions if other != r and law.source[other] == control[r]] for r in transitions]
    none = size - IDLE
    found = np.full((size, max(map(len, out))), none, np.uint32)
    for r in transitions:
        for p in range(of.shape[1]):
            if of[r, p] < none:
                found[of[r, p], : len(out[r])] = of[out[r], p]
    return found


def _closed(may: NDArray[np.bool_], law: _law.Law) -> NDArray[np.bool_]:
    """Return what control provinces *may* have sooner or later."""
    may = may.copy()
    for _ in Control:
        for source, target in zip(law.source, law.target, strict=True):
            may[:, target] |= may[:, source]
    return may


def _slots(law: _law.Law, clocks: list[tuple[int, int] | None]) -> tuple[Indices, Indices]:
    width = max((len(list(_live(law, r, None))) for r in range(len(law.source))), default=0)
    first = np.zeros((len(clocks), width), np.uint32)  # of the factor that is always 1
    cell = np.full((len(clocks), width), _law.NOTHING, np.uint32)
    for c, clock in enumerate(clocks):
        for j, (base, at) in enumerate(_live(law, clock[1], clock[0]) if clock is not None else ()):
            first[c, j], cell[c, j] = base, at
    return first, cell


def _live(law: _law.Law, r: int, p: int | None) -> Iterator[tuple[int, int]]:
    """Yield where factors of live terms of transition *r* begin, and the cells they see: for *p*, but what never moves.

    A calendar never acts beyond its region, nor is anybody cut off who has no road.
    """
    place = p or 0
    tables = {int(law.held[joint["graph"]]): int(joint["first"]) for joint in law.joint if joint["transition"] == r}
    for term in law.parted[law.part[r, _law.LIVE] : law.part[r, _law.LIVE + 1]]:
        kind, cell = _law.KINDS[term["kind"]], int(term["cell"])
        reach = {"calendar": law.region, "cutoff": law.path}.get(kind)
        if kind == "neighbours":
            if cell in tables:
                yield tables.pop(cell), cell + place
        elif p is None or reach is None or reach[term["row"], p]:
            yield int(term["first"]), cell + place


def _common(law: _law.Law) -> Indices:
    terms = [law.parted[a:b] for a, b in law.part[law.transition][:, _law.COMMON : _law.COMMON + 2]]
    found = np.zeros((len(terms), max(map(len, terms), default=0), 2), np.uint32)
    found[:, :, 1] = _law.NOTHING
    for k, those in enumerate(terms):
        found[k, : len(those), 0] = those["first"]
        found[k, : len(those), 1] = those["cell"] + those["each"] * law.member[k]
    return found


def _heard(law: _law.Law, real: Iterable[int], first: Indices, cell: Indices) -> dict[int, list[tuple[int, int]]]:
    """Return, by cell, the clocks that hear of it, each with where its factors begin."""
    heard: dict[int, list[tuple[int, int]]] = {}
    for c in real:
        for base, at in zip(first[c].tolist(), cell[c].tolist(), strict=True):
            if base > 0:
                heard.setdefault(at, []).append((c, base))
    return heard


def _rows(law: _law.Law, heard: dict[int, list[tuple[int, int]]], track: Indices, none: int) -> dict[str, Indices]:
    n, graphs = law.track.shape[1], len(law.held)
    # What fills a row adds nothing, each to a cell and a clock of its own: the processor need not wait for one another.
    idle = [(int(law.held[0]) + j % n if graphs else _law.NOTHING, 0, 0, none + j, 0) for j in range(IDLE)]
    sizes = {int(joint["first"]): int(joint["size"]) for joint in law.joint}
    steps: list[Counter[int]] = [Counter() for _ in range(n)]
    for g in range(graphs):
        for p in range(n):
            for q in law.link[law.pointer[g, p] : law.pointer[g, p + 1]].tolist():
                steps[p][int(law.held[g]) + q] += int(law.step[g])
    hearing = sorted({int(track[c]) for row in steps for cell in row for c, _ in heard.get(cell, ())})
    found: dict[tuple[int, int], list[tuple[int, int, int, int, int]]] = {}
    for p in range(n):
        told: set[int] = set()
        for h, k in enumerate(hearing):
            found[h, p] = [
                (cell, 0 if cell in told else step, step, c, base)
                for cell, step in steps[p].items() for c, base in heard.get(cell, ()) if track[c] == k
            ]  # fmt: skip
            told.update(entry[0] for entry in found[h, p])
    longest = max(map(len, found.values()), default=0)
    rows = np.zeros((len(hearing), n + 1), np.uint32)
    near: list[tuple[int, int, int, int, int]] = []
    for h in range(len(hearing)):
        for p in range(n):
            rows[h, p] = len(near)
            near += found[h, p]
            near += idle[: longest - len(found[h, p]) if longest <= IDLE else -len(found[h, p]) % (IDLE // 2)]
        rows[h, n] = len(near)
    # The first table, of the factor that is always 1, is for what fills the rows; another's size leaves it room.
    most = max(sizes.values(), default=1)
    begin, ratios, places = most, [(0, 0, most, 0)], {(0, 0): 0}
    for _, _, step, _, base in near:
        if (base, step) not in places:
            places[base, step] = begin
            ratios.append((begin, base, sizes[base], step))
            begin += 2 * sizes[base]
    return {
        "hearing": np.array(hearing, np.uint32), "row": rows,
        "near": np.array([
            (cell, tell, c, places[base, step], places[base, step] + sizes.get(base, 0))
            for cell, tell, step, c, base in near
        ], np.uint32).reshape(-1, 5),
        "origin": np.array([(step, base) for _, _, step, _, base in near], np.uint32).reshape(-1, 2),
        "ratios": np.array(ratios, np.uint32),
    }  # fmt: skip


def _ears(law: _law.Law, heard: dict[int, list[tuple[int, int]]]) -> dict[str, Indices]:
    sizes = [len(heard.get(cell, ())) for cell in range(int(law.size[0]))]
    entries = [entry for cell in range(int(law.size[0])) for entry in heard.get(cell, ())]
    return {
        "ears": np.concatenate([[0], np.cumsum(sizes)]).astype(np.uint32),
        "ear": np.array(entries, np.uint32).reshape(-1, 2),
    }
