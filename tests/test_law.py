"""The law, state by state, against rates written a second time in ``exact.py``."""

from __future__ import annotations

import itertools
import math
from typing import Any

import exact
import numpy as np
import pytest
from conftest import NAMES, model_of, specs, windowed
from exact import Spec
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sim import law as L  # noqa: N812 - one letter, so that a law of its own can be called law
from sim import moves
from sim.control import Control
from sim.hazards import Baseline, CutOff, Neighbours
from sim.lowering import lower
from sim.model import Model
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


def lost_but(week: Record, theatre: Theatre, *but: str) -> np.ndarray:
    held = set(week.captured) - set(but)
    return np.array([Control.INSURGENT if name in held else 0 for name in theatre.provinces], np.int8)


def test_losing_ghazni_cuts_off_zabul_kandahar_helmand_and_uruzgan_and_nobody_else(
    afghan: Theatre, week: Record
) -> None:
    law = lower(Model(afghan, {"seizure": Baseline(0.1) * CutOff(1.0)}))
    now = L.fresh(law)
    moves.place(law, now, lost_but(week, afghan, "Ghazni"), np.full(34, -np.inf), 0.0)
    before = now.cut[0].copy()
    moves.move(law, now, afghan.index("Ghazni"), 2, 0.0)
    added = {afghan.provinces[p] for p in np.flatnonzero(now.cut[0] > before)}

    assert 11 == len(week.captured)
    assert {"Zabul", "Kandahar", "Helmand", "Uruzgan"} == added
    assert not (now.cut[0] < before).any()
    assert not now.cut[0, afghan.index("Kabul")]


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

    assert expected == set(np.flatnonzero(now.cut[0]).tolist())


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
    pulled, most, day = now.pulled.copy(), int((control == 2).sum()), 0.0
    for _ in range(data.draw(st.integers(1, 12))):
        day += data.draw(st.sampled_from([0.0, 0.25, 1.0, 2.0, 3.0]))
        p, to = data.draw(st.integers(0, n - 1)), data.draw(st.integers(0, 2))
        moves.expire(law, now, day)
        moves.turn(law, now, day)
        if to == control[p]:
            continue
        now.flag[:] = 0
        now.tally[L.MARKED] = 0
        locals_before = [[L.local_rate(law, draw, now, r, q) for q in range(n)] for r in range(len(law.source))]
        moves.move(law, now, p, to, day)
        marked = {*now.marked[: now.tally[L.MARKED]].tolist()}
        locals_after = [[L.local_rate(law, draw, now, r, q) for q in range(n)] for r in range(len(law.source))]
        enabled = [(r, q) for r in range(len(law.source)) for q in range(n) if control[q] == law.source[r]]
        changed = {q for r, q in enabled if locals_before[r][q] != locals_after[r][q]}
        assert changed | {p} <= marked
        taken[p] = day if to == 2 else -np.inf
        control[p] = to
        most = max(most, int((control == 2).sum()))
    following = moves.expire(law, now, day)
    again = L.fresh(law)
    moves.place(law, again, control, taken, day)
    pulled = (law.trigger <= most) | (law.trigger_day <= day)

    assert again.control.tolist() == now.control.tolist() == control.tolist()
    for name in ("held", "cut", "active", "recent", "taken"):
        assert getattr(again, name).tolist() == getattr(now, name).tolist(), name
    assert again.tally[:2].tolist() == now.tally[:2].tolist()
    assert pulled.tolist() == now.pulled.astype(bool).tolist()
    assert [int(((taken + w > day) & (taken > -np.inf)).sum()) for w in law.window] == now.recent.tolist()
    ends = [t + w for t in taken for w in law.window if t > -np.inf and t + w > day]
    assert min(ends, default=math.inf) == following


def test_a_calendar_marks_only_the_provinces_it_names() -> None:
    spec = Spec(3, {"seizure": [("baseline", 0.1), ("calendar", 2.0, 4.0, 1.0, (1,))]})
    placed = Placed(spec, (0, 0, 0), 0.0)
    before = placed.local()
    moves.turn(placed.law, placed.now, 2.0)

    assert [1] == placed.now.marked[: placed.now.tally[L.MARKED]].tolist()
    assert [[0.1, 0.1 * math.exp(1.0), 0.1]] == placed.local()
    assert [[0.1, 0.1, 0.1]] == before


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
