"""Which clocks a race has, and which of them hear of what.

A clock, a (province, transition) pair, is in the race if its province can ever be in the transition's source. What its
live terms see are cells of the situation; so each cell has clocks that hear of it, and a capital that is lost has a
*row* of all the clocks that count it as a neighbour.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim import law as _law
from sim.control import Control

__all__ = ["Clocks", "clocks_of"]

Indices = NDArray[np.uint32]

#: Rows of neighbours come in whole pairs, so that how long they are can mostly be foreseen by the processor.
_ROW = 2


class Clocks(NamedTuple):
    """The clocks of a race, track after track: read-only arrays. The last is none: it never goes."""

    province: Indices  # (C + 1,)
    transition: Indices  # (C + 1,)
    track: Indices  # (C + 1,)
    name: NDArray[np.uint64]  # (C + 1,)
    begin: Indices  # (T + 1,) clocks of track k are begin[k] to begin[k + 1], some of them none
    of: Indices  # (R, n) the clock of a province; the last if it has none
    first: Indices  # (C + 1, J) for each live term: where its factors begin, and the cell it sees
    cell: Indices  # (C + 1, J)
    common: Indices  # (T, K, 2) the same for each common term of a track
    national: Indices  # (tracks with such a term,)
    leaver: Indices  # (R,) transitions by source
    leaving: Indices  # (4,) those out of a control are leaver[leaving[control] : leaving[control + 1]]
    hearing: Indices  # (H,) tracks with clocks that count neighbours
    row: Indices  # (H, n + 1) of those, clocks that hear of province p are near[row[h, p] : row[h, p + 1]]
    near: Indices  # (entry, 5) cell, what to add to it here, what is added to it, clock, where the factors begin
    ears: Indices  # (cell + 1,) clocks that hear of a cell are ear[ears[cell] : ears[cell + 1]]
    ear: Indices  # (entry, 2) clock, where the factors begin


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
    clocks.append((0, 0, 0))
    province, transition, track = np.array(clocks, np.uint32).T.copy()
    first, cell = _slots(law, [(p, r) if c in set(real) else None for c, (p, r, _) in enumerate(clocks)])
    common = _common(law)
    order = np.argsort(law.source, kind="stable")
    heard = _heard(law, real, first, cell)
    return Clocks(
        province=province, transition=transition, track=track, name=names[transition, province],
        begin=np.array(begin, np.uint32), of=of, first=first, cell=cell, common=common,
        national=np.flatnonzero((common[:, :, 0] > 0).any(axis=1)).astype(np.uint32),
        leaver=order.astype(np.uint32), leaving=np.searchsorted(law.source[order], np.arange(4)).astype(np.uint32),
        **_rows(law, heard, track, none), **_ears(law, heard),
    )  # fmt: skip


def _closed(may: NDArray[np.bool_], law: _law.Law) -> NDArray[np.bool_]:
    """Return what control provinces *may* have sooner or later."""
    may = may.copy()
    for _ in Control:
        for source, target in zip(law.source, law.target, strict=True):
            may[:, target] |= may[:, source]
    return may


def _slots(law: _law.Law, clocks: list[tuple[int, int] | None]) -> tuple[Indices, Indices]:
    live = [list(_live(law, r)) for r in range(len(law.source))]
    width = max(map(len, live), default=0)
    first = np.zeros((len(clocks), width), np.uint32)  # of the factor that is always 1
    cell = np.full((len(clocks), width), _law.NOTHING, np.uint32)
    for c, clock in enumerate(clocks):
        for j, (base, at) in enumerate(live[clock[1]] if clock is not None else ()):
            first[c, j], cell[c, j] = base, at + clock[0]  # type: ignore[index]
    return first, cell


def _live(law: _law.Law, r: int) -> Iterator[tuple[int, int]]:
    """Yield where factors of live terms of transition *r* begin, and the first of the cells they see."""
    tables = {int(law.held[joint["graph"]]): int(joint["first"]) for joint in law.joint if joint["transition"] == r}
    for term in law.parted[law.part[r, _law.LIVE] : law.part[r, _law.LIVE + 1]]:
        if _law.KINDS[term["kind"]] != "neighbours":
            yield int(term["first"]), int(term["cell"])
        elif int(term["cell"]) in tables:
            yield tables.pop(int(term["cell"])), int(term["cell"])


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
    # The cell of nobody at the end of a graph's takes up what fills the rows.
    idle = (law.held[0] + n if graphs else _law.NOTHING, 0, 0, none, 0)
    steps: list[Counter[int]] = [Counter() for _ in range(n)]
    for g in range(graphs):
        for p in range(n):
            for q in law.link[law.pointer[g, p] : law.pointer[g, p + 1]].tolist():
                steps[p][int(law.held[g]) + q] += int(law.step[g])
    hearing = sorted({int(track[c]) for row in steps for cell in row for c, _ in heard.get(cell, ())})
    rows, near = np.zeros((len(hearing), n + 1), np.uint32), []
    told: list[set[int]] = [set() for _ in range(n)]
    for h, k in enumerate(hearing):
        for p in range(n):
            rows[h, p] = len(near)
            for cell, step in steps[p].items():
                for c, base in heard.get(cell, ()):
                    if track[c] == k:
                        near.append((cell, 0 if cell in told[p] else step, step, c, base))
                        told[p].add(cell)
            near += [idle] * ((int(rows[h, p]) - len(near)) % _ROW)
        rows[h, n] = len(near)
    return {
        "hearing": np.array(hearing, np.uint32), "row": rows, "near": np.array(near, np.uint32).reshape(-1, 5)
    }  # fmt: skip


def _ears(law: _law.Law, heard: dict[int, list[tuple[int, int]]]) -> dict[str, Indices]:
    sizes = [len(heard.get(cell, ())) for cell in range(int(law.size[0]))]
    entries = [entry for cell in range(int(law.size[0])) for entry in heard.get(cell, ())]
    return {
        "ears": np.concatenate([[0], np.cumsum(sizes)]).astype(np.uint32),
        "ear": np.array(entries, np.uint32).reshape(-1, 2),
    }


