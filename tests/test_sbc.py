"""Simulation-based calibration: bands are exact, simulated weeks are told whole, and what is wrong is caught."""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import numpy as np
import pytest
from conftest import NIGHTLY, nightly
from hypothesis import given, settings
from hypothesis import strategies as st
from mistakes import MISTAKES

import sim
from sim import plots
from sim.checks import bands, sbc
from sim.checks.apart import each
from sim.checks.weeks import simulated_weeks
from sim.families import constant, contagion, siege
from sim.hazards import Baseline, Neighbours
from sim.priors import Fixed, HalfNormal, LogNormal
from sim.record import Record

DAY = timedelta(days=1)


# -- bands -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("fits", "draws"), [(1, 3), (3, 3), (4, 2), (5, 1)])
@pytest.mark.parametrize("gamma", [0.9, 0.5, 0.2, 0.05])
def test_the_chance_of_keeping_within_bounds_is_that_of_counting_every_outcome(fits, draws, gamma):
    low, high = bands._bounds(fits, draws, gamma)
    outcomes = itertools.product(range(draws + 1), repeat=fits)
    kept = [
        all(low[i] <= sum(rank < i + 1 for rank in ranks) <= high[i] for i in range(draws)) for ranks in outcomes
    ]  # fmt: skip

    assert bands._chance(fits, draws, gamma) == pytest.approx(np.mean(kept), abs=1e-12)


@pytest.mark.parametrize(("fits", "draws"), [(20, 9), (100, 99), (1000, 99)])
def test_a_band_holds_as_often_as_it_says(fits, draws):
    ranks = np.random.default_rng(1).integers(0, draws + 1, (4000, fits))
    low, high = bands.band(fits, draws, 0.9)
    counts = np.array([bands.below(row, draws) for row in ranks])
    held = np.mean(np.all((low <= counts) & (counts <= high), axis=1))

    # Counts are whole numbers, so that few fits are held a little wide; 0.02 is four standard errors.
    assert 0.9 - 0.02 <= held <= 0.9 + (0.06 if fits < 100 else 0.03)


@settings(max_examples=nightly(300), deadline=None)
@given(st.integers(2, 40), st.integers(1, 20), st.integers(0, 2**32))
def test_ranks_leave_the_band_exactly_where_their_tail_probability_is_small(fits, draws, seed):
    rng = np.random.default_rng(seed)
    ranks = np.minimum((rng.random(fits) ** rng.uniform(0.5, 3) * (draws + 1)).astype(int), draws)
    low, high = bands.band(fits, draws, 0.9)
    counts = bands.below(ranks, draws)

    assert bool(np.all((low <= counts) & (counts <= high))) == (bands.tail(ranks, draws) > 0.1 - 1e-9)


def test_a_tail_probability_is_uniform_when_ranks_are():
    rng = np.random.default_rng(2)
    tails = np.sort([bands.tail(rng.integers(0, 100, 200), 99) for _ in range(200)])

    # Kolmogorov's distance of 200 uniforms exceeds 0.122 once in 200 times.
    assert np.max(np.abs(tails - (np.arange(200) + 0.5) / 200)) < 0.122


# -- simulated weeks -------------------------------------------------------------------------------------------------


def test_a_simulated_week_tells_what_the_run_of_its_number_did(afghan, week):
    model = contagion(afghan)
    draws = model.draw_prior(12, seed=3)
    exact, dated = (simulated_weeks(model, draws, week, seed=3, exact_times=exact) for exact in (True, False))
    start = sim.State(dict.fromkeys(afghan.provinces, sim.Control.GOVERNMENT), instant=week.start)
    runs = sim.simulate(model, draws, start=start, horizon=7.0, replications=12, seed=3)

    assert len({one.total for one in exact}) > 3
    for r, (fine, coarse) in enumerate(zip(exact, dated, strict=True)):
        rows = slice(runs.offsets[r], runs.offsets[r + 1])
        when = {runs.provinces[p]: day for p, day in zip(runs.province[rows], runs.day[rows], strict=True)}
        assert {one.province for one in fine.captures} == set(when)
        for one in fine.captures:
            assert one.earliest == one.latest
            assert fine.day(one.latest) == pytest.approx(when[one.province], abs=1e-10)
        for one in coarse.captures:
            assert one.latest - one.earliest == DAY
            assert coarse.day(one.earliest) == np.floor(when[one.province])
        assert (fine.days, fine.origin) == (week.days, week.origin) == (coarse.days, coarse.origin)


def test_a_week_cut_within_a_day_is_told_to_its_end_and_no_further(afghan):
    shape = Record(afghan.provinces, origin="2021-08-06", end=datetime(2021, 8, 8, 6))
    model = sim.Model(afghan, {"seizure": Baseline(0.5)})

    for one in simulated_weeks(model, model.draws(), shape, seed=1):
        assert one.total > 15
        assert max(row.latest for row in one.captures) == datetime(2021, 8, 8, 6)


def test_a_simulated_week_of_sieges_tells_captures_only(afghan, week):
    model = siege(afghan)
    for one in simulated_weeks(model, model.draw_prior(5, seed=1), week, seed=1):
        assert one.sightings == ()


# -- ranks -----------------------------------------------------------------------------------------------------------


def test_weeks_with_no_capture_and_with_all_are_counted_like_any_other(afghan, week):
    slow, fast = (sim.Model(afghan, {"seizure": Baseline(LogNormal(pace, 0.1))}) for pace in (1e-7, 50.0))

    for model, captured in ((slow, 0), (fast, 34)):
        found = sbc(model, week, fits=16, seed=1, exact_times=True)
        assert (found.captured == captured).all()
        assert found.passed
        assert f"16 with {'none' if captured == 0 else 'all'}" in found.summary()


def test_the_same_seed_gives_the_same_ranks_whoever_does_the_work(afghan, week):
    model = constant(afghan)
    here = sbc(model, week, fits=12, seed=5, exact_times=True)
    with ThreadPoolExecutor(2) as threads:
        there = sbc(model, week, fits=12, seed=5, exact_times=True, executor=threads)

    assert (here.ranks == there.ranks).all()
    assert not (here.ranks == sbc(model, week, fits=12, seed=6, exact_times=True).ranks).all()


def test_ranks_of_a_constant_pace_are_uniform(afghan, week):
    found = sbc(constant(afghan), week, fits=nightly(2000), seed=2, exact_times=True)

    assert found.passed, found.summary()
    assert found.quantities == ("seizure.baseline", "log likelihood")


# -- mistakes --------------------------------------------------------------------------------------------------------

RING = [chr(ord("A") + i) for i in range(16)]


@pytest.fixture(scope="module")
def ring() -> sim.Model:
    """Sixteen capitals whose borders and roads share no pair: a week of a few days tells much about each effect."""
    theatre = sim.Theatre(
        RING, [(RING[i], RING[(i + 1) % 16]) for i in range(16)],
        [(RING[i], RING[(i + 5) % 16], "trunk") for i in range(16)],
    )  # fmt: skip
    sweep = Neighbours(HalfNormal(2.0)) * Neighbours(HalfNormal(2.0), via="road")
    return sim.Model(theatre, {"seizure": Baseline(LogNormal(0.08, 0.5)) * sweep}, name="ring")


RING_DAYS = Record(RING, origin="2021-08-06", end=datetime(2021, 8, 9))
FITS = 40


def test_clean_code_passes(ring):
    found = sbc(ring, RING_DAYS, fits=FITS, seed=1, exact_times=True)

    assert found.passed, found.summary()
    assert not found.poor.any()
    assert {0, 16} <= set(found.captured)


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.__name__)
def test_a_mistake_is_caught_at_the_size_and_seed_at_which_clean_code_passes(ring, mistake, monkeypatch):
    mistake(monkeypatch, ring)
    found = sbc(ring, RING_DAYS, fits=FITS, seed=1, exact_times=True)

    assert not found.passed, found.summary()


@pytest.mark.skipif(not NIGHTLY, reason="a thousand fits take minutes; the ring shows the same by day")
@pytest.mark.parametrize("mistake", [None, *MISTAKES], ids=lambda mistake: getattr(mistake, "__name__", "clean"))
def test_a_thousand_fits_of_contagion_pass_clean_and_catch_each_mistake(afghan, week, mistake, monkeypatch):
    model = contagion(afghan)
    if mistake is not None:
        mistake(monkeypatch, model)
    found = sbc(model, week, fits=1000, seed=1, exact_times=True)

    assert found.passed == (mistake is None), found.summary()
    assert {0, 34} <= set(found.captured)


def test_weeks_told_by_the_day_pass_through_the_average_over_hours(ring, afghan, week):
    if NIGHTLY:
        found = sbc(contagion(afghan), week, fits=1000, seed=1, points=8)
    else:
        found = sbc(ring, RING_DAYS, fits=16, seed=1, points=8)

    assert found.passed, found.summary()
    assert "captures told to the day" in found.summary()


def test_the_picture_names_what_strays_and_says_what_the_band_covers(ring, monkeypatch):
    found = sbc(constant(ring.theatre), RING_DAYS, fits=20, seed=1, exact_times=True)
    all_low = type(found)(**{**vars(found), "ranks": np.zeros_like(found.ranks)})
    for ranks, strays in ((found, False), (all_low, True)):
        ax = plots.sbc_ranks(ranks)
        told = [text.get_text() for text in ax.get_legend().get_texts()]
        assert told[0] == "99% band, everywhere at once"
        assert [("(outside)" in line) for line in told[1:]] == [strays, strays]
        assert "20 simulated weeks" in ax.get_title() and ax.get_xlabel() and ax.get_ylabel()
    assert "OUTSIDE" in all_low.summary() and "FAILED" in all_low.summary()


# -- work done apart -------------------------------------------------------------------------------------------------


def _twice(number: int) -> int:
    return 2 * number


def test_work_done_apart_comes_back_in_order_and_its_errors_are_raised_here():
    told = []

    assert each(_twice, list(range(50)), what="doubling", progress=told.append) == [2 * i for i in range(50)]
    assert told == list(range(1, 51))
    with pytest.raises(TypeError, match="unsupported operand"):
        each(_twice, [1, 2, 3, {}], what="doubling")  # type: ignore[list-item]


# -- bad calls -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"fits": 1}, ValueError, "sbc: fits must be 2 at least, but was 1"),
        ({"fits": 10.0}, TypeError, "sbc: fits must be a whole number, but was 10.0"),
        ({"draws": 8}, ValueError, "sbc: draws must be 9 at least, but was 8"),
        ({"level": 99}, ValueError, "sbc: level must be from 0.5 to 1, and less than 1, but was 99"),
        ({"seed": -1}, ValueError, "seed must be a non-negative integer, but was -1"),
        (
            {"executor": 2}, TypeError,
            "calibrating constant: executor must be a concurrent.futures.Executor, but was 2",
        ),
        (
            {"week_shape": 7}, TypeError,
            "sbc: the week must be a Record, but was 7; theatre.record.until('…') gives one",
        ),
        (
            {"model": "constant"}, TypeError,
            "sbc: model must be a Model, but was 'constant'; sim.families has ready-made ones",
        ),
    ],
)  # fmt: skip
def test_a_bad_call_is_refused_before_any_work(afghan, week, change, error, message):
    arguments = {"model": constant(afghan), "week_shape": week, "fits": 10, "seed": 1, "exact_times": True} | change
    with pytest.raises(error) as caught:
        sbc(arguments.pop("model"), arguments.pop("week_shape"), **arguments)

    assert message == str(caught.value)


def test_a_week_that_has_no_shape_is_refused(afghan, week):
    model = constant(afghan)
    others = Record(["A", *afghan.provinces[1:]], origin=week.origin, end=week.end)
    for shape, message in (
        (afghan.record, "sbc: the week must have an end; say what was known when with record.until('YYYY-MM-DD')"),
        (
            week.as_count(),
            "sbc: the week must name captures, but only a count is known; keep the record that names the captures",
        ),
        (others, "sbc: the week must be of the model's provinces, but they differ in A, Badakhshan"),
    ):
        with pytest.raises(ValueError) as caught:
            sbc(model, shape, fits=10, seed=1)
        assert message == str(caught.value)
    with pytest.raises(ValueError, match="must have a free parameter, but all are fixed; there is nothing to rank"):
        sbc(sim.Model(afghan, {"seizure": Baseline(Fixed(0.1))}), week, fits=10, seed=1)
