"""Common random numbers: two models, one seed, and only what the change touches comes out otherwise."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pytest
from conftest import nightly
from hypothesis import Phase, assume, given, seed, settings
from hypothesis import strategies as st
from strategies import STORM, VALUES, Case, cases

import sim
from sim.calibration import Posterior
from sim.control import TRANSITIONS, Control
from sim.ensemble import Ensemble
from sim.families import contagion
from sim.hazards import Calendar, CutOff, Momentum, Neighbours, PullBack, Reserves, Term
from sim.lowering import lower
from sim.model import CONTESTED_AT_START, Draws
from sim.outcomes import Pressure
from sim.record import Record
from sim.theatre import Theatre

SEED = 20210812
GOVERNMENT, CONTESTED, INSURGENT = (int(held) for held in Control)


# -------------------------------------------------------------------------------- how much less the difference varies


@pytest.fixture(scope="module")
def posterior(afghan: Theatre, week: Record) -> Posterior:
    """Draws of the contagion model given the week."""
    return sim.calibrate(contagion(afghan), week, seed=1)


def half_ring(posterior: Posterior, factor: float, seed: int) -> np.ndarray:
    """Return when half the ring is lost, by replication, with both neighbours' effects times *factor*."""
    scale = [factor if ".neighbours." in name else 1.0 for name in posterior.names]
    ensemble = sim.simulate(
        posterior.model, Draws(posterior.names, posterior.values * scale), start=posterior.record.state(),
        horizon=180.0, replications=8000, seed=seed,
    )  # fmt: skip
    return ensemble.first_passage(Pressure("half_ring").watch(ensemble.theatre))


QUANTITIES = {"time": lambda days: np.minimum(days, 180.0), "chance": lambda days: (days <= 7.0).astype(float)}


@pytest.mark.parametrize(
    ("factor", "quantity", "at_least"),
    [(1.1, "time", 100.0), (1.5, "time", 8.0), (1.1, "chance", 6.0), (1.5, "chance", 1.8)],
)
def test_one_seed_for_both_models_makes_their_difference_vary_less(
    posterior: Posterior, factor: float, quantity: str, at_least: float
) -> None:
    # Draws are paired with either seed, so what is gained is gained by the random numbers alone.
    read = QUANTITIES[quantity]
    base, paired, independent = (
        read(half_ring(posterior, by, seed)) for by, seed in ((1.0, SEED), (factor, SEED), (factor, SEED + 1))
    )
    ratio = np.var(independent - base) / np.var(paired - base)
    print(f"\n{quantity}, effects x {factor}: variance of the difference {ratio:.1f} x smaller")

    assert at_least <= ratio
    # It is not bought with another law: both seeds say the same of the changed model.
    assert abs(paired.mean() - independent.mean()) < 4.5 * math.sqrt(2 * np.var(independent) / len(base))


# --------------------------------------------------------------------------------------- what a change cannot touch


class Stretch(NamedTuple):
    """From *day* (included) to *end*, nobody's control changed from *control*; at most *lost* so far at once."""

    day: float
    end: float
    control: np.ndarray
    lost: int


def stretches(ensemble: Ensemble, row: int) -> Iterator[Stretch]:
    """Yield the stretches between the events of one replication."""
    control, day = ensemble.initial[row].copy(), 0.0
    lost = int((control == INSURGENT).sum())
    for e in range(ensemble.offsets[row], ensemble.offsets[row + 1]):
        yield Stretch(day, float(ensemble.day[e]), control.copy(), lost)
        control[ensemble.province[e]] = ensemble.target[e]
        day, lost = float(ensemble.day[e]), max(lost, int((control == INSURGENT).sum()))
    yield Stretch(day, math.inf, control, lost)


class Reach:
    """Says when a change of one parameter of a case can first be felt, province by province.

    A national change is felt in the last *digits* of all days counted at the pace it moves, so of every province it is
    in force for; apart from those digits, only of provinces to which that transition can happen at the time.
    """

    def __init__(self, case: Case, parameter: str, *, digits: bool):
        self.model, self.parameter = case.model, parameter
        self.law = lower(case.model, case.start.instant)
        self.n = len(case.model.theatre.provinces)
        self.near = {via: case.model.theatre.neighbours(via) for via in ("border", "road")}
        self.term = next((term for r, term in self._terms() if parameter in self._names(r, term)), None)
        national = isinstance(self.term, Calendar) and self.term.provinces is None
        self.everywhere = digits and self.term is not None and (self.term.common or national)

    def _terms(self) -> Iterator[tuple[str, Term]]:
        return ((r, term) for r, hazard in self.model.hazards.items() for term in hazard.terms)

    def _names(self, r: str, term: Term) -> set[str]:
        return {f"{r}.{name}" for name in term.values}

    def _row(self, kind: type[Term]) -> int:
        """Return the place of the parameter's term among those of its *kind*, i.e. its row in the law's tables."""
        terms = [(r, term) for r, term in self._terms() if isinstance(term, kind)]
        return next(i for i, (r, term) in enumerate(terms) if self.parameter in self._names(r, term))

    def direct(self, ensemble: Ensemble, row: int) -> np.ndarray:
        """Return the first day on which the parameter moves a hazard in force, shape (province,); inf if never."""
        first = np.full(self.n, math.inf)
        if self.term is None:  # contested at the start: seen in who is
            return first
        source = TRANSITIONS[self.parameter.split(".")[0]].source
        for stretch in stretches(ensemble, row):
            for p in np.flatnonzero(self.everywhere | (stretch.control == source)):
                begin, end = self.active(int(p), stretch)
                if max(begin, stretch.day) < min(end, stretch.end):
                    first[p] = min(first[p], max(begin, stretch.day))
        return first

    def active(self, p: int, stretch: Stretch) -> tuple[float, float]:
        """Return from when to when, in *stretch*, the term may be other than 1 for *p*."""
        always, never = (-math.inf, math.inf), (math.inf, math.inf)
        lost = np.flatnonzero(stretch.control == INSURGENT)
        match self.term:
            case Neighbours(via=via):
                return always if set(lost) & set(self.near[via][p]) else never
            case Momentum() | CutOff():
                return always if len(lost) else never
            case Calendar():
                k = self._row(Calendar)
                return tuple(self.law.calendar[k]) if self.law.region[k, p] else never
            case PullBack():
                b = self._row(PullBack)
                if bool(self.law.keep[b, p]) is not self.parameter.endswith(".hold"):
                    return never
                return always if stretch.lost >= self.law.trigger[b] else (self.law.trigger_day[b], math.inf)
        return always

    def felt_by(self, q: int) -> set[int]:
        """Return the provinces whose hazards may depend on control of province *q*."""
        found = {q}
        for _, term in self._terms():
            if isinstance(term, (Momentum, CutOff, Reserves, PullBack)):
                return set(range(self.n))
            if isinstance(term, Neighbours):
                found.update(self.near[term.via][q])
        return found

    def first(self, runs: tuple[Ensemble, Ensemble], row: int) -> np.ndarray:
        """Return the first day on which each province may feel the change in replication *row*, shape (province,)."""
        first = np.minimum(*(self.direct(run, row) for run in runs))
        changes = [
            (float(run.day[e]), int(run.province[e]))
            for run in runs for e in range(run.offsets[row], run.offsets[row + 1])
        ]  # fmt: skip
        for q in np.flatnonzero(runs[0].initial[row] != runs[1].initial[row]):
            first[q] = 0.0
            changes.append((0.0, int(q)))
        while True:
            before = first.copy()
            for day, q in sorted(changes):
                if first[q] <= day:
                    for p in self.felt_by(q):
                        first[p] = min(first[p], day)
            if np.array_equal(before, first):
                return first


def same(runs: tuple[Ensemble, Ensemble], row: int, p: int, until: float, *, digits: bool) -> tuple[bool, bool]:
    """Return whether two runs have one history of province *p* before the day *until*, and whether it is eventful.

    To all *digits*, or to ten and leaving out the tenth before *until*, which they may straddle.
    """
    rows = [slice(*run.offsets[row : row + 2]) for run in runs]
    mine = [(run.province[r] == p) & (run.day[r] < until) for run, r in zip(runs, rows, strict=True)]
    days, transitions = (
        [getattr(run, name)[r][m] for run, r, m in zip(runs, rows, mine, strict=True)] for name in ("day", "transition")
    )
    if digits:
        alike = days[0].tobytes() == days[1].tobytes()
    else:
        edge = until - 1e-9
        transitions = [t[d < edge] for t, d in zip(transitions, days, strict=True)]
        days = [d[d < edge] for d in days]
        alike = len(days[0]) == len(days[1]) and np.allclose(*days, rtol=1e-10, atol=0.0)
    return alike and np.array_equal(*transitions), len(days[0]) > 0


@st.composite
def changes(draw: st.DrawFn) -> tuple[Case, str, Draws]:
    """Any run, one of its parameters, and draws with other values of that one."""
    case = draw(cases())
    parameter = draw(st.sampled_from(tuple(case.model.parameters)))
    values = case.draws.values.copy()
    column = values[:, case.draws.names.index(parameter)]
    column[:] = draw(VALUES["contested" if parameter == CONTESTED_AT_START else parameter.split(".")[1]])
    return case, parameter, Draws(case.draws.names, values)


def untouched(
    case: Case, parameter: str, draws: Draws, *, digits: bool = True, late: float = 0.0
) -> Iterator[tuple[bool, bool, bool]]:
    """Yield, of each province and replication, whether its history is one until *late* days after it is touched,
    whether anything happened until then, and whether it is one to the end.
    """
    runs = case.run(), case.run(draws=draws)
    reach = Reach(case, parameter, digits=digits)
    for row in range(len(case.replications)):
        first = reach.first(runs, row) + late
        for p in range(reach.n):
            yield *same(runs, row, p, first[p], digits=digits), same(runs, row, p, math.inf, digits=digits)[0]


@settings(max_examples=nightly(1000), deadline=None)
@given(changes())
def test_until_a_change_can_touch_a_province_its_history_stays_to_the_last_digit(
    change: tuple[Case, str, Draws],
) -> None:
    assert all(alike for alike, _, _ in untouched(*change))


@settings(max_examples=nightly(1000), deadline=None)
@given(changes())
def test_a_national_change_moves_but_digits_of_provinces_it_cannot_happen_to(change: tuple[Case, str, Draws]) -> None:
    case, _, draws = change
    assume(max(case.draws.values.max(), draws.values.max()) < STORM)  # where digits decide who is first

    assert all(alike for alike, _, _ in untouched(*change, digits=False))


def test_histories_stay_for_long_and_part_once_they_are_touched() -> None:
    kept, parted, early = [], [], []

    # Examples depend on the constants in the sources too: with most seeds 30 to 200 histories part, not 10.
    @seed(5)
    @settings(max_examples=200, deadline=None, database=None, phases=[Phase.generate])
    @given(changes())
    def look(change: tuple[Case, str, Draws]) -> None:
        for alike, eventful, still in untouched(*change):
            assert alike
            kept.append(eventful and still)
            parted.append(eventful and not still)
        early.append(all(alike for alike, _, _ in untouched(*change, late=0.5)))

    look()
    print(f"\nstayed {sum(kept)}, stayed and then parted {sum(parted)}, of {len(kept)} histories; "
          f"{early.count(False)} of {len(early)} changes show within half a day")  # fmt: skip
    assert 100 <= sum(kept)
    assert 10 <= sum(parted)
    # What is claimed is not far from the most that could be: half a day more is too much.
    assert 20 <= early.count(False)
