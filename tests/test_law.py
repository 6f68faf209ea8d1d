"""The law, state by state, against rates written a second time in ``exact.py``."""

from __future__ import annotations

import itertools
import math
from typing import Any

import exact
import numpy as np
import pytest
from conftest import NAMES, model_of, specs, start_of, windowed
from exact import Spec
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sim import law as L  # noqa: N812 - one letter, so that a law of its own can be called law
from sim import ledger, moves
from sim.clocks import IDLE, Clocks, clocks_of
from sim.control import Control
from sim.hazards import Baseline, CutOff, Neighbours
from sim.lowering import lower
from sim.model import Model
from sim.opening import new_parts
from sim.record import Record
from sim.theatre import Theatre


class Placed:
    """A spec's law with a situation on it, and the names of its numbers."""

    def __init__(self, spec: Spec, control: tuple[int, ...], day: float, taken: Any = None):
        self.spec, self.model = spec, model_of(spec)
        self.law = lower(self.model)
        self.values = self.model.draws().values[0].copy()
        self.now = L.fresh(self.law)
        frail = [term for term in spec.terms if term[0] == "frailty"]
        self.now.frailty[:] = [term[2] for term in frail] or self.now.frailty
        taken = np.full(spec.n, -np.inf) if taken is None else taken
        moves.place(self.law, self.now, np.array(control, np.int8), taken, day)
        customs = [term for term in spec.terms if term[0] == "custom"]
        for k, term in enumerate(customs):
            self.now.custom[k] = [term[1](day, control, p) for p in range(spec.n)]

    def rate(self, r: int, p: int) -> float:
        common = L.common_rate(self.law, self.values, self.now, self.law.track[r, p])
        return float(common * L.local_rate(self.law, self.values, self.now, r, p))

    def local(self) -> list[list[float]]:
        return [
            [float(L.local_rate(self.law, self.values, self.now, r, p)) for p in range(self.spec.n)]
            for r in range(len(self.spec.hazards))
        ]

    def shares(self, r: int, p: int) -> np.ndarray:
        out = np.full(int(np.diff(self.law.ends).max()) + 1, np.nan)
        L.shares(self.law, self.values, self.now, r, p, out)
        return out


@st.composite
def situations(draw: st.DrawFn) -> tuple[Spec, tuple[int, ...], float]:
    spec = draw(specs())
    hazards = {name: list(terms) for name, terms in spec.hazards.items()}
    for terms in hazards.values():  # who counts neighbours may count them both ways
        ways = {"border": "road", "road": "border"}
        for other in [ways[term[2]] for term in terms if term[0] == "neighbours"]:
            if draw(st.booleans()):
                terms.insert(draw(st.integers(0, len(terms))), ("neighbours", draw(st.floats(0.0, 3.0)), other))
    spec = Spec(spec.n, hazards, spec.borders, spec.roads)
    control = tuple(draw(st.lists(st.integers(0, 2), min_size=spec.n, max_size=spec.n)))
    return spec, control, draw(st.sampled_from([0.0, 2.0, 3.0, 3.75, 4.0, 6.5, 40.0]))


@settings(max_examples=150, deadline=None)
@given(situations())
@example((Spec(2, {"seizure": [("baseline", 0.1), ("pullback", (0,), ("lost", 0), 1.0, -1.0)]}), (0, 0), 0.0))
def test_every_rate_and_every_share_is_what_the_table_of_terms_says(told: tuple[Spec, tuple[int, ...], float]) -> None:
    spec, control, day = told
    placed = Placed(spec, control, day)

    for r, name in enumerate(spec.hazards):
        for p in range(spec.n):
            expected = math.prod(exact.multiplier(spec, term, p, control, day) for term in spec.hazards[name])
            assert expected == pytest.approx(placed.rate(r, p), rel=1e-12)
            shares = placed.shares(r, p)
            last = len(spec.hazards[name])
            assert exact.shares(spec, name, p, control, day) == pytest.approx(shares[:last], rel=1e-6, abs=1e-9)
            assert not shares[last:].any()
            assert 1.0 == pytest.approx(shares.sum(), abs=1e-12 * max(1.0, np.abs(shares).max()))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(-1.5, 1.5), min_size=1, max_size=4), st.floats(0.2, 5.0))
def test_shares_sum_to_one_whatever_processes_do_and_however_near_the_rate_is_to_the_baseline(
    effects: list[float], factor: float
) -> None:
    terms = [("calendar", None, None, effect, None) for effect in effects]
    placed = Placed(Spec(1, {"seizure": [*terms, ("baseline", 0.3)]}), (0,), 0.0)
    for scale in (factor, 1.0, math.exp(-math.fsum(effects)), math.exp(-math.fsum(effects)) * (1 + 1e-13)):
        placed.now.scale[0, 0] = scale
        shares = placed.shares(0, 0)

        assert 1.0 == pytest.approx(math.fsum(shares), abs=1e-12)
        assert all(math.copysign(1, e) == math.copysign(1, s) for e, s in zip(effects, shares, strict=False) if s)


def test_a_restraining_term_takes_a_negative_share_by_hand() -> None:
    # λ = 0.1 e: L = (λ - b)/ln(λ/b) = 0.1 (e - 1); baseline 1/e; the terms L 2/λ and L (-1)/λ.
    up, down = ("calendar", None, None, 2.0, None), ("calendar", None, None, -1.0, None)
    shares = Placed(Spec(1, {"seizure": [up, ("baseline", 0.1), down]}), (0,), 0.0).shares(0, 0)

    assert [2 * (1 - 1 / math.e), 1 / math.e, -(1 - 1 / math.e), 0.0] == pytest.approx(shares.tolist(), rel=1e-14)


def table_of(law: L.Law, values: np.ndarray) -> np.ndarray:
    """Return the factors of the draw *values*."""
    table = np.full(law.size[1], np.nan)
    L.tabulate(law, values, table)
    return table


def cells_of(law: L.Law, name: str, k: int = 0) -> slice:
    """Return where the cells of the *k*-th cut-off rule, calendar or pull-back are."""
    first = int(getattr(law, name)[k])
    return slice(first, first + law.track.shape[1])


def marked(now: L.Situation) -> dict[int, int]:
    """Return the marked cells and what they were."""
    return dict(now.marked[: now.marks[0]].tolist())


def lost_but(week: Record, theatre: Theatre, *but: str) -> np.ndarray:
    held = set(week.captured) - set(but)
    return np.array([Control.INSURGENT if name in held else 0 for name in theatre.provinces], np.int8)


def test_losing_ghazni_cuts_off_zabul_kandahar_helmand_and_uruzgan_and_nobody_else(
    afghan: Theatre, week: Record
) -> None:
    law = lower(Model(afghan, {"seizure": Baseline(0.1) * CutOff(1.0)}))
    now = L.fresh(law)
    moves.place(law, now, lost_but(week, afghan, "Ghazni"), np.full(34, -np.inf), 0.0)
    cut = now.cell[cells_of(law, "cut")]
    before = cut.copy()
    moves.move(law, now, afghan.index("Ghazni"), 2, 0.0)
    added = {afghan.provinces[p] for p in np.flatnonzero(cut > before)}

    assert 11 == len(week.captured)
    assert {"Zabul", "Kandahar", "Helmand", "Uruzgan"} == added
    assert not (cut < before).any()
    assert not cut[afghan.index("Kabul")]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 2), min_size=34, max_size=34))
def test_who_is_cut_off_on_the_real_roads_is_what_removing_lost_capitals_from_the_graph_says(
    afghan: Theatre, control: list[int]
) -> None:
    law = lower(Model(afghan, {"seizure": Baseline(0.1) * CutOff(1.0)}))
    now = L.fresh(law)
    moves.place(law, now, np.array(control, np.int8), np.full(34, -np.inf), 0.0)
    hub = afghan.index("Kabul")
    links = [(afghan.index(r.a), afghan.index(r.b)) for r in afghan.roads if r.kind != "track"]
    # Every road works both ways; the last step from a capital is allowed only onto one that is not lost.
    safe = {hub} if control[hub] != 2 else set()
    whole = {hub}
    for _ in range(34):
        safe |= {y for a, b in links for x, y in ((a, b), (b, a)) if x in safe and control[y] != 2}
        whole |= {y for a, b in links for x, y in ((a, b), (b, a)) if x in whole}
    expected = {p for p in range(34) if p in whole - safe - {hub} and control[p] != 2}

    assert expected == set(np.flatnonzero(now.cell[cells_of(law, "cut")]).tolist())


def changes(law: L.Law, before: np.ndarray, now: L.Situation) -> dict[int, int]:
    """Return the cells that are not what they were *before*, and that, but for national ones and pull-backs."""
    national = {L.LOST, L.CONTESTED, *law.recent.tolist()}
    national |= {cell for k in range(len(law.pulled)) for cell in range(*cells_of(law, "pulled", k).indices(10**9))}
    return {cell: int(before[cell]) for cell in np.flatnonzero(before != now.cell).tolist() if cell not in national}


def along_links(law: L.Law, p: int, step: int) -> dict[int, int]:
    """Return what is added to the cells of neighbours of *p* if it is lost (*step* 1) or regained (-1)."""
    added: dict[int, int] = {}
    for g in range(len(law.held)):
        for q in law.link[law.pointer[g, p] : law.pointer[g, p + 1]].tolist():
            added[int(law.held[g]) + q] = added.get(int(law.held[g]) + q, 0) + step * int(law.step[g])
    return added


def sees(law: L.Law, r: int, p: int) -> set[int]:
    """Return the cells that live terms of transition *r* look at for province *p*."""
    terms = law.parted[law.part[r, L.LIVE] : law.part[r, L.LIVE + 1]]
    return {int(term["cell"] + term["each"] * p) for term in terms}


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_after_any_moves_a_situation_is_what_placing_it_afresh_would_give(data: st.DataObject) -> None:
    spec = data.draw(specs())
    law = lower(windowed(spec))
    draw = windowed(spec).draws().values[0].copy()
    n, now = spec.n, L.fresh(law)
    control = np.array(data.draw(st.lists(st.integers(0, 2), min_size=n, max_size=n)), np.int8)
    days = st.sampled_from([-7.0, -5.0, -3.0, -2.0, -0.5, 0.0, -np.inf])
    taken = np.array([data.draw(days) if held == 2 else -np.inf for held in control])
    moves.place(law, now, control, taken, 0.0)
    most, day = int((control == 2).sum()), 0.0

    def local_rates() -> list[list[float]]:
        return [[L.local_rate(law, draw, now, r, q) for q in range(n)] for r in range(len(law.source))]

    for _ in range(data.draw(st.integers(1, 12))):
        day += data.draw(st.sampled_from([0.0, 0.25, 1.0, 2.0, 3.0]))
        p, to = data.draw(st.integers(0, n - 1)), data.draw(st.integers(0, 2))
        moves.expire(law, now, day)
        before = now.cell.copy()
        moves.turn(law, now, day)
        assert changes(law, before, now) == marked(now)
        if to == control[p]:
            continue
        now.marks[0] = 0
        before, rates_before = now.cell.copy(), local_rates()
        moves.move(law, now, p, to, day)
        added = along_links(law, p, int(to == 2) - int(control[p] == 2))
        told = {cell: int(before[cell]) for cell in added}
        own = {int(first) + p: int(before[int(first) + p]) for first in law.cut}
        assert all(now.cell[cell] == before[cell] + step for cell, step in added.items())
        # What is not marked moved along links, or is of the province itself, whose clocks start afresh.
        assert changes(law, before, now).items() <= (marked(now) | told | own).items()
        assert marked(now).items() <= changes(law, before, now).items()
        rates_after = local_rates()
        enabled = [(r, q) for r in range(len(law.source)) for q in range(n) if control[q] == law.source[r] and q != p]
        changed = {(r, q) for r, q in enabled if rates_before[r][q] != rates_after[r][q]}
        assert all(sees(law, r, q) & (marked(now).keys() | added.keys()) for r, q in changed)
        taken[p] = day if to == 2 else -np.inf
        control[p] = to
        most = max(most, int((control == 2).sum()))
    moves.turn(law, now, day)
    following = moves.expire(law, now, day)
    again = L.fresh(law)
    moves.place(law, again, control, taken, day)
    pulled = (law.trigger <= most) | (law.trigger_day <= day)

    assert again.control.tolist() == now.control.tolist() == control.tolist()
    for b, triggered in enumerate(pulled):
        cells = cells_of(law, "pulled", b)
        assert [(2 - kept) * triggered for kept in law.keep[b].tolist()] == now.cell[cells].tolist()
        # Losses that were regained have set it off here alone.
        again.cell[cells] = now.cell[cells]
    assert again.cell.tolist() == now.cell.tolist()
    assert again.taken.tolist() == now.taken.tolist()
    assert [int(((taken + w > day) & (taken > -np.inf)).sum()) for w in law.window] == now.cell[law.recent].tolist()
    ends = [t + w for t in taken for w in law.window if t > -np.inf and t + w > day]
    assert min(ends, default=math.inf) == following


def test_a_calendar_marks_only_the_provinces_it_names() -> None:
    spec = Spec(3, {"seizure": [("baseline", 0.1), ("calendar", 2.0, 4.0, 1.0, (1,))]})
    placed = Placed(spec, (0, 0, 0), 0.0)
    before, cell = placed.local(), int(placed.law.active[0]) + 1
    moves.turn(placed.law, placed.now, 2.0)

    assert {cell: 0} == marked(placed.now)
    assert [[0.1, 0.1 * math.exp(1.0), 0.1]] == placed.local()
    assert [[0.1, 0.1, 0.1]] == before
    moves.turn(placed.law, placed.now, 4.0)
    assert {cell: 1} == marked(placed.now)


# ------------------------------------------------------------------------------------------- what a race is run from


def clocks_on(law: L.Law, may: np.ndarray, whole: int) -> Clocks:
    return clocks_of(law, np.arange(law.track.size, dtype=np.uint64).reshape(law.track.shape) + 7, may, whole)


def starts(control: tuple[int, ...], unseen: tuple[int, ...] = ()) -> np.ndarray:
    """Return what control provinces may have at the start, those *unseen* contested too."""
    may = np.array(control)[:, None] == np.arange(3)
    may[list(unseen), 1] = True
    return may


@settings(max_examples=150, deadline=None)
@given(situations())
@example((
    Spec(2, {"fall": [("neighbours", 0.7, "road"), ("baseline", 0.3), ("neighbours", 1.3, "border")]},
         {(0, 1)}, {(0, 1, "trunk")}), (1, 2), 0.0,
))  # fmt: skip
def test_factors_in_tables_are_those_of_the_law_bit_for_bit(told: tuple[Spec, tuple[int, ...], float]) -> None:
    spec, control, day = told
    placed = Placed(spec, control, day)
    law, now, table = placed.law, placed.now, table_of(placed.law, placed.values)
    clocks = clocks_on(law, np.ones((spec.n, 3), bool), 4)

    assert 1.0 == table[0]
    assert np.isfinite(table).all()
    for r, (first, end) in enumerate(itertools.pairwise(law.ends.tolist())):
        for p in range(spec.n):
            factors = np.full(end - first, np.nan)
            L.multipliers(law, placed.values, now, r, p, factors)
            for term, factor in zip(law.terms[first:end], factors, strict=True):
                if term["size"]:
                    seen = int(now.cell[term["cell"] + term["each"] * p])
                    if L.KINDS[term["kind"]] == "neighbours":
                        seen = int(law.counted[term["row"], seen])
                    assert seen < term["size"]
                    assert factor == table[term["first"] + seen]
            c = clocks.of[r, p]
            rate = L.own_rate(law, placed.values, now, r, p)
            for base, cell in zip(clocks.first[c], clocks.cell[c], strict=True):
                rate *= table[base + now.cell[cell]]
            local = L.local_rate(law, placed.values, now, r, p)
            # Counts of neighbours by border and by road have their factors multiplied first.
            several = sum(term[0] == "neighbours" for term in spec.hazards[list(spec.hazards)[r]]) > 1
            assert (pytest.approx(local, rel=1e-15) if several else local) == rate
    for k in range(len(law.transition)):
        common = 1.0
        for base, cell in clocks.common[k]:
            common *= table[base + now.cell[cell]]
        assert L.common_rate(law, placed.values, now, k) == common
        assert (k in clocks.national) == bool(
            law.part[law.transition[k], L.COMMON + 1] > law.part[law.transition[k], 1]
        )


@settings(max_examples=150, deadline=None)
@given(situations(), st.sets(st.integers(0, 4)), st.sampled_from([4, 32]))
def test_a_race_has_the_clocks_that_can_ever_run_and_no_others(
    told: tuple[Spec, tuple[int, ...], float], unseen: set[int], whole: int
) -> None:
    spec, control, _ = told
    law = lower(model_of(spec))
    may = starts(control, tuple(p for p in sorted(unseen) if p < spec.n and control[p] == 0))
    clocks = clocks_on(law, may, whole)
    ways = [exact.TRANSITIONS[name] for name in spec.hazards]
    expected = set()
    for p in range(spec.n):
        reached: set[int] = set()
        ahead = np.flatnonzero(may[p]).tolist()
        while ahead:
            here = ahead.pop()
            if here not in reached:
                reached.add(here)
                ahead += [target for source, target in ways if source == here]
        expected |= {(r, p) for r, (source, _) in enumerate(ways) if source in reached}
    none = len(clocks.province) - IDLE
    found = {(r, p): int(clocks.of[r, p]) for r in range(len(ways)) for p in range(spec.n) if clocks.of[r, p] != none}

    assert expected == found.keys()
    assert len(found) == len(set(found.values()))
    for (r, p), c in found.items():
        k = law.track[r, p]
        assert (p, r, k) == (clocks.province[c], clocks.transition[c], clocks.track[c])
        assert clocks.begin[k] <= c < clocks.begin[k + 1]
        assert r * spec.n + p + 7 == clocks.name[c]
    for begin, end in itertools.pairwise(clocks.begin.tolist()):
        real = [c for c in range(begin, end) if c in found.values()]
        assert 0 == begin % whole == end % whole
        # Earlier names first, and no room for more than fills up a whole.
        assert list(range(begin, begin + len(real))) == real
        assert sorted(clocks.province[real]) == clocks.province[real].tolist()
        assert end - begin - len(real) < whole

    def out_of(control: int, p: int) -> set[int]:
        return {found[k, p] for k, (source, _) in enumerate(ways) if source == control}

    for (r, p), c in found.items():
        source, target = ways[r]
        assert out_of(source, p) - {c} == set(clocks.rival[c].tolist()) - {none}
        assert sorted(out_of(target, p)) == sorted(clocks.next[c, : clocks.starts[r]].tolist())


@settings(max_examples=150, deadline=None)
@given(situations(), st.sampled_from([4, 32]))
def test_clocks_hear_of_what_their_terms_see_and_of_nothing_else(
    told: tuple[Spec, tuple[int, ...], float], whole: int
) -> None:
    spec, control, _ = told
    law = lower(model_of(spec))
    clocks = clocks_on(law, starts(control), whole)
    none = len(clocks.province) - IDLE
    graphs = list(dict.fromkeys(term[2] for term in spec.terms if term[0] == "neighbours"))
    rules = list(dict.fromkeys(term[2:] for term in spec.terms if term[0] == "cutoff"))
    calendars = itertools.count()
    seeing: dict[int, set[int]] = {}
    for r, terms in enumerate(spec.hazards.values()):
        numbered = [(next(calendars) if term[0] == "calendar" else None, term) for term in terms]
        for p in np.flatnonzero(clocks.of[r] != none).tolist():
            cells = {int(law.held[graphs.index(term[2])]) + p for term in terms if term[0] == "neighbours"}
            # What can never move is not heard of: one without a road is not cut off, a calendar has its region.
            cutting = {rules.index(term[2:]) for term in terms if term[0] == "cutoff"}
            cells |= {int(law.cut[rule]) + p for rule in cutting if law.path[rule, p]}
            cells |= {
                int(law.active[k]) + p for k, term in numbered if k is not None and term[4] is not None and p in term[4]
            }
            seeing[int(clocks.of[r, p])] = cells
    tables = {(c, int(cell)): int(first) for c in range(none)
              for first, cell in zip(clocks.first[c], clocks.cell[c], strict=True) if first}  # fmt: skip

    assert {(c, cell) for c, cells in seeing.items() for cell in cells} == tables.keys()
    heard = [
        (int(c), cell, int(base)) for cell in range(int(law.size[0]))
        for c, base in clocks.ear[clocks.ears[cell] : clocks.ears[cell + 1]]
    ]  # fmt: skip
    assert sorted((c, cell, base) for (c, cell), base in tables.items()) == sorted(heard)
    loses = [Control.INSURGENT in (source, target) for source, target in zip(law.source, law.target, strict=True)]
    for p in range(spec.n):
        added: dict[int, int] = {}
        moves_on = (clocks.of[loses, p] != none).any()  # of one that is never lost or regained nobody hears
        for g, via in enumerate(graphs):
            for q in exact.neighbours(spec, via, p):
                added[int(law.held[g]) + q] = added.get(int(law.held[g]) + q, 0) + int(law.step[g])
        told_of, so_far = [], dict.fromkeys(added, 0)
        for h, k in enumerate(clocks.hearing.tolist()):
            idle = set()
            for i in range(clocks.row[h, p], clocks.row[h, p + 1]):
                cell, tell, c, _, _ = clocks.near[i].tolist()
                add, base = clocks.origin[i].tolist()
                if c >= none:
                    idle.add(c)
                    assert (0, 0, 0) == (tell, add, base)
                    continue
                so_far[cell] += tell
                # By the time a clock is told of a cell, the cell has been told.
                assert added[cell] == so_far[cell] == add
                assert k == clocks.track[c]
                told_of.append((c, cell, base))
            assert len(idle) < IDLE
        assert sorted((c, cell, tables[c, cell]) for c, cell in tables if moves_on and cell in added) == sorted(told_of)


@settings(max_examples=100, deadline=None)
@given(situations())
def test_waits_are_multiplied_by_a_factor_over_the_next_as_neighbours_are_lost_and_regained(
    told: tuple[Spec, tuple[int, ...], float],
) -> None:
    spec, control, _ = told
    model = model_of(spec)
    parts = new_parts(model, start_of(control), 1)
    ledger.begin(ledger.race_of(*parts), 0, model.draws().values[0])
    law, clocks, table, ratio = parts.law, parts.clocks, parts.book.table[0], parts.book.ratio[0]
    sizes = {int(joint["first"]): int(joint["size"]) for joint in law.joint}

    assert table_of(law, model.draws().values[0].copy()).tobytes() == table.tobytes()
    for (_, _, c, up, down), (add, base) in zip(clocks.near.tolist(), clocks.origin.tolist(), strict=True):
        for seen in range(sizes.get(base, law.counted.shape[1])):
            if c >= len(clocks.province) - IDLE:
                assert 1.0 == ratio[up + seen] == ratio[down + seen]
            else:
                assert seen < add or table[base + seen - add] / table[base + seen] == ratio[up + seen]
                if seen + add < sizes[base]:
                    assert table[base + seen + add] / table[base + seen] == ratio[down + seen]


def test_neighbours_by_border_and_by_road_are_told_apart_in_one_cell_or_two() -> None:
    terms = [("baseline", 0.1), ("neighbours", 0.5, "border"), ("neighbours", 0.25, "road")]
    small = Spec(3, {"seizure": terms}, {(0, 1), (0, 2)}, {(0, 2, "trunk")})
    placed = Placed(small, (0, 2, 2), 0.0)

    assert [1, 3] == placed.law.step.tolist()
    assert 2 * 1 + 1 * 3 == placed.now.cell[placed.law.held[0]]
    assert 0.1 * 2.0 * 1.25 == placed.local()[0][0]
    # A star of so many points that both counts would make too long a table.
    points = [f"P{k:02}" for k in range(26)]
    star = [(points[0], point) for point in points[1:]]
    theatre = Theatre(points, star, [(*pair, "trunk") for pair in star[:20]])
    law = lower(Model(theatre, {"seizure": Baseline(0.1) * Neighbours(0.5) * Neighbours(0.25, via="road")}))
    now = L.fresh(law)
    moves.place(law, now, np.array([0] + [2] * 25, np.int8), np.full(26, -np.inf), 0.0)
    assert [1, 1] == law.step.tolist()
    assert [25, 20] == now.cell[law.held].tolist()
    assert 0.1 * 13.5 * 6.0 == L.local_rate(law, np.array([0.1, 0.5, 0.25]), now, 0, 0)


def test_many_roads_between_two_capitals_make_one_neighbour() -> None:
    theatre = Theatre(["A", "B"], roads=[("A", "B", "trunk"), ("B", "A", "track", "source", "old road")])
    law = lower(Model(theatre, {"seizure": Baseline(0.1) * Neighbours(0.5, via="road")}))
    now = L.fresh(law)
    moves.place(law, now, np.array([2, 0], np.int8), np.full(2, -np.inf), 0.0)

    assert 0.1 * 1.5 == L.local_rate(law, np.array([0.1, 0.5]), now, 0, 1)
    assert NAMES[:2] == "".join(theatre.provinces)


def test_a_watch_counts_exactly_in_any_order() -> None:
    watch = L.Watch(np.array([[0, 1, 2], [0, 0, 5]]), 6)
    control = np.array(list(itertools.product(range(3), repeat=2)))

    assert [[1, 2], [2, 2]] == control[watch.holds(control)].tolist()
