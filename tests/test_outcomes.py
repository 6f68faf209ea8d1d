"""Questions put to an ensemble: which provinces they watch, first days, intervals and errors."""

from __future__ import annotations

import math
from datetime import date
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from conftest import model_of, specs, start_of
from exact import Spec
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import sim
from sim.control import Control, State
from sim.ensemble import Ensemble
from sim.hazards import Baseline
from sim.law import Watch
from sim.model import Model
from sim.outcomes import (
    PRESSURES,
    Captured,
    ControlOf,
    FullControl,
    Outcome,
    PeopleUnderControl,
    Pressure,
    Territory,
    observed,
)
from sim.projection import Part, Projection, pooled
from sim.record import Record
from sim.theatre import Theatre

RING = {"Kapisa", "Laghman", "Logar", "Nangarhar", "Parwan", "Wardak"}
ROADS = {"Laghman", "Logar", "Nangarhar", "Parwan", "Wardak"}


def ensemble_of(theatre: Theatre, **rest: Any) -> Ensemble:
    model = Model(theatre, {"seizure": Baseline(0.1)})
    return sim.simulate(model, **{"start": State({}), "horizon": 20.0, "replications": 50, "seed": 3, **rest})


# -------------------------------------------------------------------------------------------------- what is watched


@pytest.mark.parametrize(
    ("definition", "provinces", "threshold", "contested"),
    [
        ("neighbour", RING, 1, 0), ("half_ring", RING, 3, 0), ("two_roads", ROADS, 2, 0), ("isolated", ROADS, 5, 0),
        ("encircled", ROADS, 5, 1), ("assault", {"Kabul"}, 1, 1),
    ],
)  # fmt: skip
def test_each_pressure_watches_its_provinces_round_kabul(
    afghan: Theatre, definition: str, provinces: set[str], threshold: int, contested: int
) -> None:
    watch = Pressure(definition).watch(afghan)

    assert provinces == {afghan.provinces[p] for p in np.flatnonzero(watch.weights.any(axis=1))}
    assert {(0, contested, 1)} == {tuple(row) for row in watch.weights[watch.weights.any(axis=1)].tolist()}
    assert threshold == watch.threshold
    assert definition == Pressure(definition).name


def test_there_are_six_definitions_of_pressure() -> None:
    assert ["neighbour", "half_ring", "two_roads", "isolated", "encircled", "assault"] == list(PRESSURES)


@pytest.mark.parametrize("links", [2, 3, 5])
def test_half_of_an_odd_ring_is_rounded_up(links: int) -> None:
    names = [f"N{k}" for k in range(links)]
    watch = Pressure("half_ring").watch(Theatre(["Hub", *names], [("Hub", name) for name in names], hub="Hub"))

    assert math.ceil(links / 2) == watch.threshold


def test_full_control_captured_and_control_of_count_lost_capitals_alone() -> None:
    theatre = Theatre(list("ABC"))
    held = np.array([[2, 2, 2], [2, 2, 1], [2, 0, 0], [1, 1, 1]])

    assert [True, False, False, False] == FullControl().watch(theatre).holds(held).tolist()
    assert [True, True, False, False] == FullControl(but=1).watch(theatre).holds(held).tolist()
    assert [True, True, False, False] == Captured(2).watch(theatre).holds(held).tolist()
    assert [True, True, False, False] == ControlOf("B").watch(theatre).holds(held).tolist()
    assert ["full_control", "full_control_but_1", "captured_2", "control_of_b", "territory_0.5", "people_0.25"] == [
        outcome.name for outcome in
        (FullControl(), FullControl(1), Captured(2), ControlOf("B"), Territory(0.5), PeopleUnderControl(0.25))
    ]  # fmt: skip


@given(
    st.lists(st.integers(1, 50) | st.floats(0.01, 1e6), min_size=1, max_size=8), st.data(),
    st.sampled_from([Territory, PeopleUnderControl]),
)  # fmt: skip
def test_a_share_of_the_whole_is_reached_exactly_at_its_threshold(values: list[float], data: Any, kind: Any) -> None:
    column = "area_km2" if kind is Territory else "population"
    theatre = Theatre([f"P{k}" for k in range(len(values))], columns={column: values})
    lost = data.draw(st.lists(st.booleans(), min_size=len(values), max_size=len(values)))
    whole = sum(map(Fraction, theatre.columns[column].tolist()))
    share = sum((Fraction(v) for v, gone in zip(values, lost, strict=True) if gone), Fraction(0)) / whole
    control = np.where(lost, 2, 1)

    for step, expected in ((0.0, True), (-1e-9, True), (1e-9, False)):
        if 0.0 < float(share) + step <= 1.0:
            assert expected == kind(float(share) + step).watch(theatre).holds(control)


def test_a_third_and_two_thirds_of_three_equal_provinces_are_one_and_two() -> None:
    theatre = Theatre(list("ABC"), columns={"area_km2": [0.1, 0.1, 0.1]})
    one, two, three = np.array([[2, 0, 0], [2, 2, 0], [2, 2, 2]])

    assert Territory(1 / 3).watch(theatre).holds(one)
    assert not Territory(0.34).watch(theatre).holds(one)
    assert Territory(2 / 3).watch(theatre).holds(two)
    assert not Territory(1.0).watch(theatre).holds(two)
    assert Territory(1.0).watch(theatre).holds(three)


def test_the_eleven_hold_a_third_of_the_people_and_not_two_thirds_of_the_land(afghan: Theatre, week: Record) -> None:
    control = np.array([2 if name in week.captured else 0 for name in afghan.provinces])

    assert PeopleUnderControl(0.325).watch(afghan).holds(control)
    assert not PeopleUnderControl(0.327).watch(afghan).holds(control)
    assert Territory(0.453).watch(afghan).holds(control)
    assert not Territory(0.455).watch(afghan).holds(control)


# ------------------------------------------------------------------------------------------ when it is first true


@settings(max_examples=40, deadline=None)
@given(specs(fastest=0.3), st.lists(st.integers(0, 2), min_size=5, max_size=5), st.data())
def test_the_first_day_is_what_a_slow_walk_through_the_log_finds(spec: Spec, control: list[int], data: Any) -> None:
    start, seed = start_of(control[: spec.n]), data.draw(st.integers(0, 99))
    ensemble = sim.simulate(model_of(spec), start=start, horizon=6.0, replications=8, seed=seed)
    small = st.integers(-2, 3)
    weights = np.array([[data.draw(small) for _ in range(3)] for _ in range(spec.n)])
    watch = Watch(weights, data.draw(st.integers(-3, 6)))
    expected = []
    for r in range(8):
        now = ensemble.initial[r].copy()
        day = 0.0 if watch.holds(now) else math.inf
        for event in ensemble.events(r):
            now[ensemble.provinces.index(event.province)] = event.target
            if math.isinf(day) and watch.holds(now):
                day = event.day
        expected.append(day)
        assert now.tolist() == ensemble.control_at(6.0)[r].tolist()

    assert expected == ensemble.first_passage(watch).tolist()


def test_what_is_true_at_the_start_happened_on_day_nought() -> None:
    theatre = Theatre(list("ABC"))
    answer = Captured(1)(ensemble_of(theatre, start=State({"B": "insurgent"})))

    assert [0.0] * 50 == answer.times.tolist()
    assert 1.0 == answer.probability(0.0).value
    assert 0.0 == answer.median == answer.quantile(0.01) == answer.censored


def test_an_event_on_the_last_day_counts() -> None:
    times = np.array([3.0, math.inf])
    answer = Projection("x", (Part(1.0, times, np.zeros(2, int)),), 3.0)

    assert 0.5 == answer.probability(3.0).value
    assert 0.0 == answer.probability(np.nextafter(3.0, 0)).value


@pytest.mark.parametrize(
    ("definition", "press", "best"),
    [
        ("neighbour", 13, 13), ("half_ring", 15, 15), ("two_roads", 14, 14), ("isolated", 15, 15),
        ("encircled", 15, 15), ("assault", 15, 15),
    ],
)  # fmt: skip
def test_in_the_record_pressure_came_when_design_says(afghan: Theatre, definition: str, press: int, best: int) -> None:
    assert date(2021, 8, press) == observed(Pressure(definition), afghan)
    assert date(2021, 8, best) == observed(Pressure(definition), afghan, basis="best_date")


def test_in_the_record_of_the_week_nothing_has_happened_yet_but_eleven_captures(afghan: Theatre, week: Record) -> None:
    theatre = Theatre(afghan.provinces, afghan.borders, afghan.roads, hub="Kabul", record=week)

    assert date(2021, 8, 12) == observed(Captured(11), theatre)
    assert observed(Captured(12), theatre) is None
    assert observed(Pressure("neighbour"), theatre) is None
    assert observed(ControlOf("Kabul"), theatre) is None


# -------------------------------------------------------------------------------- probability, interval and error


def answer_of(hits: np.ndarray, trials: int, horizon: float = 10.0) -> Projection:
    """Return a projection in which *hits*[d] of *trials* replications of draw d happened on day 1."""
    draws = np.repeat(np.arange(len(hits)), trials)
    times = np.where(np.tile(np.arange(trials), len(hits)) < np.repeat(hits, trials), 1.0, math.inf)
    return Projection("x", (Part(1.0, times, draws),), horizon)


@pytest.mark.parametrize(("a", "b"), [(2.0, 3.0), (8.0, 2.0), (0.5, 0.5), (20.0, 40.0)])
def test_the_interval_is_that_of_the_draws_with_chance_removed(a: float, b: float) -> None:
    chance = np.random.default_rng(1)
    for trials in (10, 40):
        hits = chance.binomial(trials, chance.beta(a, b, 6000))
        found = answer_of(hits, trials).probability(5.0)
        points = stats.beta.ppf([0.05, 0.95], a, b)

        # Pairs of trials within a draw tell the correlation 1/(a + b + 1) to about 1/sqrt(pairs). Allow five such
        # errors in it, half of which in the width; raw shares of ten trials of Beta(20, 40) are off by half.
        width = points[1] - points[0]
        slack = 5 * (a + b + 1) / math.sqrt(6000 * trials * (trials - 1) / 2)
        assert points == pytest.approx([found.low, found.high], abs=(0.02 + 0.25 * slack) * width)
        assert found.value == pytest.approx(hits.mean() / trials)


def test_draws_that_agree_have_an_interval_of_almost_no_width() -> None:
    hits = np.random.default_rng(2).binomial(50, 0.3, 2000)
    found = answer_of(hits, 50).probability(5.0)

    # Raw shares would spread over 0.21; five errors of a correlation of nought, as above, give 0.08.
    assert 0.08 > found.high - found.low
    assert 0.3 == pytest.approx(found.value, abs=0.01)


@pytest.mark.parametrize(("draws", "trials"), [(400, 5), (50, 40), (2000, 1), (1, 2000)])
def test_the_monte_carlo_error_is_the_spread_of_repeated_estimates(draws: int, trials: int) -> None:
    chance = np.random.default_rng(3)
    values, errors = [], []
    for _ in range(400):
        # One draw is a model without free parameters: its chance is a number.
        p = chance.beta(2.0, 5.0, draws) if draws > 1 else np.array([0.3])
        found = answer_of(chance.binomial(trials, p), trials).probability(5.0)
        values.append(found.value)
        errors.append(found.mc_error)

    # The spread of 400 has a standard error of 3.5%.
    assert np.std(values) == pytest.approx(np.mean(errors), rel=0.16)


def test_the_monte_carlo_error_is_never_nought() -> None:
    for hits in (0, 10):
        assert 0.003 < answer_of(np.full(30, hits), 10).probability(5.0).mc_error < 0.004


def test_one_replication_a_draw_cannot_tell_chance_from_belief() -> None:
    for hits in (np.arange(50) % 2, np.zeros(50, int), np.ones(50, int)):
        found = answer_of(hits, 1).probability(5.0)
        assert math.isnan(found.low)
        assert math.isnan(found.high)


def test_one_draw_has_an_interval_of_a_point() -> None:
    found = answer_of(np.array([30]), 100).probability(5.0)

    assert (0.3, 0.3) == pytest.approx((found.low, found.high))
    assert math.sqrt(0.21 / 100) == pytest.approx(found.mc_error)


def test_an_estimate_prints_no_more_than_it_knows() -> None:
    assert "0.30 (0.30–0.30)" == str(answer_of(np.array([30]), 100).probability(5.0))
    assert "0.50" == str(answer_of(np.arange(50) % 2, 1).probability(5.0))


# ------------------------------------------------------------------------------------- quantiles, censoring, survival


def test_quantiles_beyond_the_horizon_are_infinite_and_censoring_is_told() -> None:
    times = np.array([1.0, 2.0, 3.0, 4.0, math.inf, math.inf, math.inf, math.inf, math.inf, math.inf])
    answer = Projection("x", (Part(1.0, times, np.zeros(10, int)),), 5.0)

    assert [1.0, 2.0, 4.0, math.inf] == [answer.quantile(q) for q in (0.1, 0.2, 0.4, 0.41)]
    assert math.inf == answer.median
    assert 0.6 == answer.censored
    assert [1.0, 0.9, 0.9, 0.6, 0.6] == pytest.approx(answer.survival([0.0, 1.0, 1.5, 4.0, 5.0]).tolist())
    assert 4.0 == pytest.approx(answer.restricted_mean)
    assert "median beyond the horizon, censored 0.6" in repr(answer)
    with pytest.raises(ValueError, match=r"mean: 0.6 is censored at day 5"):
        _ = answer.mean


@given(st.lists(st.floats(0.0, 10.0) | st.just(math.inf), min_size=1, max_size=30), st.floats(0.01, 0.99))
def test_a_quantile_is_the_first_day_by_which_that_share_has_happened(times: list[float], q: float) -> None:
    answer = Projection("x", (Part(1.0, np.array(times), np.zeros(len(times), int)),), 10.0)
    day = answer.quantile(q)
    share = sum(time <= day for time in times) / len(times)
    before = sum(time < day for time in times) / len(times)

    assert share >= q - 1e-9
    assert before < q + 1e-9


def test_a_pooled_answer_is_the_mixture_by_its_weights() -> None:
    one, other = answer_of(np.full(100, 2), 10), answer_of(np.full(30, 9), 10)
    pool = pooled({"a": one, "b": other}, {"a": 3.0, "b": 1.0})
    first, second, found = (each.probability(5.0) for each in (one, other, pool))

    assert 0.75 * 0.2 + 0.25 * 0.9 == pytest.approx(found.value)
    assert math.hypot(0.75 * first.mc_error, 0.25 * second.mc_error) == pytest.approx(found.mc_error)
    assert (first.low, second.high) == pytest.approx((found.low, found.high), abs=0.02)
    assert 0.75 * 0.8 + 0.25 * 0.1 == pytest.approx(pool.censored)
    assert 0.55 == pytest.approx(pooled({"a": one, "b": other}).probability(5.0).value)
    assert [1.0, 0.625] == pytest.approx(pool.survival([0.0, 5.0]).tolist())
    assert math.inf == pool.median
    assert pooled({"a": one}).probability(5.0) == one.probability(5.0)


def test_a_pool_of_pools_keeps_every_weight() -> None:
    a, b, c = (answer_of(np.full(4, hits), 10) for hits in (1, 5, 9))
    inner = pooled({"a": a, "b": b})

    assert [0.25, 0.25, 0.5] == [part.weight for part in pooled({"ab": inner, "c": c}).parts]


def test_a_question_of_ones_own_is_a_name_and_a_watch() -> None:
    class Either(Outcome):
        name = "either"

        def watch(self, theatre: Theatre) -> Watch:
            weights = np.zeros((len(theatre.provinces), 3), np.int64)
            weights[:2, Control.INSURGENT] = 1
            return Watch(weights, 1)

    ensemble = ensemble_of(Theatre(list("ABC")))
    one, other, either = (outcome(ensemble).times for outcome in (ControlOf("A"), ControlOf("B"), Either()))

    assert np.minimum(one, other).tolist() == either.tolist()


def _binomial_hits(a: float, b: float, draws: int, each: int, seed: int) -> Projection:
    chance = np.random.default_rng(seed)
    p = np.tile(chance.beta(a, b, draws), each)
    times = np.where(chance.random(len(p)) < p, 1.0, np.inf)
    return Projection("test", (Part(1.0, times, np.tile(np.arange(draws), each)),), 10.0)


@pytest.mark.parametrize("seed", range(40))
def test_the_fit_of_the_interval_never_stops_where_it_starts(seed: int) -> None:
    # Where a beta is right, its points are found: an optimiser stuck at concentration 1 would give about (0, 1).
    a, b = [(30.0, 10.0), (8.0, 2.0), (200.0, 4.0), (3.0, 60.0)][seed % 4]
    found = _binomial_hits(a, b, 1000, 10, seed).probability(1.0)

    assert stats.beta.ppf([0.05, 0.95], a, b) == pytest.approx([found.low, found.high], abs=0.03)


@pytest.mark.parametrize(("a", "b"), [(1.0, 3000.0), (3000.0, 1.0), (0.5, 0.5), (40.0, 40.0)])
def test_an_interval_always_holds_its_value(a: float, b: float) -> None:
    for seed in range(10):
        found = _binomial_hits(a, b, 300, 4, seed).probability(1.0)

        assert 0.0 <= found.low <= found.value <= found.high <= 1.0


def test_what_happened_by_press_count_does_not_depend_on_the_account_preferred() -> None:
    for prefer in (None, "best_date", "alternative", "span"):
        theatre = sim.load_theatre("afghanistan_2021", prefer=prefer)

        assert date(2021, 8, 13) == observed(Captured(13), theatre, basis="press")
        assert date(2021, 8, 12) == observed(Captured(13), theatre, basis="best_date")
