"""Scores equal plain sums, censor as they say, and are proper: no distortion of the truth beats the truth."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scoringrules
from conftest import nightly
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.checks.scores import (
    binary_log,
    brier,
    count_log,
    crps,
    passage_crps,
    passage_log,
    threshold_crps,
)

WEIGHTS = st.lists(st.floats(0.0, 1.0), min_size=2, max_size=35).filter(lambda w: sum(w) > 0.1)


def masses(weights):
    array = np.array(weights)
    return array / array.sum()


@settings(deadline=None)
@given(WEIGHTS, st.data())
def test_the_crps_of_a_count_is_the_sum_of_squared_steps(weights, data):
    p = masses(weights)
    y = data.draw(st.integers(0, len(p) - 1))
    steps = (np.cumsum(p) - (y <= np.arange(len(p)))) ** 2

    assert abs(crps(p, y) - steps[:-1].sum()) < 1e-12
    threshold = data.draw(st.integers(1, len(p) - 1))
    assert abs(threshold_crps(p, y, threshold) - steps[:threshold].sum()) < 1e-12


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(1e-4, 1.0 - 1e-4), st.booleans()), min_size=1))
def test_brier_and_log_scores_of_events_are_their_formulas_and_the_librarys(pairs):
    p, y = (np.array(column) for column in zip(*pairs, strict=True))

    assert np.abs(brier(p, y) - (p - y) ** 2).max() < 1e-12
    assert np.abs(binary_log(p, y) - scoringrules.log_score(y.astype(float), p, backend="numpy")).max() < 1e-12 / 1e-4


def test_a_probability_far_below_rounding_keeps_its_log_score():
    assert binary_log(2.7e-17, True) == pytest.approx(-math.log(2.7e-17), rel=1e-15)
    assert binary_log(1e-300, True) == pytest.approx(300 * math.log(10), rel=1e-15)
    assert [math.inf, math.inf, 0.0, 0.0] == binary_log([0.0, 1.0, 1.0, 0.0], [True, False, True, False]).tolist()


@pytest.mark.parametrize("y", [0, 3, 9])
def test_a_point_forecast_scores_its_distance(y):
    point = np.eye(10)[4]

    assert abs(y - 4) == crps(point, y)
    assert count_log(point, y) == math.inf and count_log(point, 4) == 0.0


@settings(deadline=None)
@given(WEIGHTS, st.data())
def test_a_passage_is_scored_as_it_is_seen_by_now(weights, data):
    p = masses([*weights, 0.2])
    evenings = len(p) - 1
    y = data.draw(st.one_of(st.integers(1, evenings + 3), st.just(math.inf)))
    by = np.cumsum(p)[: evenings - 1]  # by evening 1, …, H - 1
    steps = (by - (y <= np.arange(1, evenings))) ** 2

    assert abs(passage_crps(p, y) - steps.sum()) < 1e-12
    assert passage_log(p, y) == count_log(p, int(min(y, evenings + 1)) - 1)
    for threshold in (2, 5):
        if threshold < evenings:
            assert abs(passage_crps(p, y, threshold) - steps[: threshold - 1].sum()) < 1e-12
    assert passage_crps(p, y, evenings) == passage_crps(p, y) == passage_crps(p, y, 10_000)


def test_what_is_foreseen_beyond_now_moves_no_score():
    """Forecasts over 12 evenings that agree to evening 6 score alike if now is evening 6."""
    early = np.array([0.05, 0.1, 0.05, 0.2, 0.1, 0.1])
    one, other = (np.append(early, rest) for rest in ([0.4, 0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0.1, 0.3]))
    seen = [np.append(whole[:6], whole[6:].sum()) for whole in (one, other)]

    for y in (1.0, 6.0, 7.0, math.inf):
        assert passage_log(seen[0], y) == pytest.approx(passage_log(seen[1], y), abs=1e-12)
        assert passage_crps(seen[0], y) == pytest.approx(passage_crps(seen[1], y), abs=1e-12)


# -- propriety ---------------------------------------------------------------------------------------------------------

CATEGORIES, TOLD = 8, 20_000


def _events(score):
    return lambda p, y: float(score(p[:1].sum(), y == 0))


PROPER = {
    "brier": _events(brier),
    "log of an event": _events(binary_log),
    "log of a count": count_log,
    "crps": crps,
    "threshold crps": lambda p, y: threshold_crps(p, y, 4),
    "log of a passage": lambda p, y: passage_log(p, y + 1),
    "crps of a passage": lambda p, y: passage_crps(p, y + 1),
    "threshold crps of a passage": lambda p, y: passage_crps(p, y + 1, 4),
    "censored log": lambda p, y: passage_log(np.append(p[:4], p[4:].sum()), y + 1),
    "censored crps": lambda p, y: passage_crps(np.append(p[:4], p[4:].sum()), y + 1),
}


def _beaten(score, trials):
    """Return in how many trials the truth has a lower mean score than each of 20 distortions of it."""
    random = np.random.default_rng(20210812)
    won = 0
    for _ in range(trials):
        truth = random.dirichlet(np.full(CATEGORIES, 2.0))
        bent = truth * np.exp(random.normal(0.0, 0.7, (20, CATEGORIES)))
        said = [truth, *(bent / bent.sum(axis=1, keepdims=True))]
        seen = random.multinomial(TOLD, truth)
        means = [sum(seen[y] * score(p, y) for y in range(CATEGORIES)) / TOLD for p in said]
        won += all(means[0] < other for other in means[1:])
    return won


def _event_trials(score, trials):
    """The same for a single event, where a distortion moves its log odds by half a unit at least."""
    random = np.random.default_rng(20210812)
    won = 0
    for _ in range(trials):
        p = random.uniform(0.05, 0.95)
        shift = random.uniform(0.3, 2.0, 20) * random.choice([-1, 1], 20)
        odds = p / (1 - p) * np.exp(shift)
        said = np.append(p, odds / (1 + odds))
        share = random.binomial(TOLD, p) / TOLD
        means = share * score(said, np.ones(21, bool)) + (1 - share) * score(said, np.zeros(21, bool))
        won += bool(np.all(means[0] < means[1:]))
    return won


@pytest.mark.parametrize("name", [name for name in PROPER if name not in ("brier", "log of an event")])
def test_no_distortion_beats_the_truth(name):
    trials = nightly(1000)

    assert _beaten(PROPER[name], trials) >= 0.99 * trials


@pytest.mark.parametrize("score", [brier, binary_log], ids=["brier", "log of an event"])
def test_no_distortion_of_one_probability_beats_the_truth(score):
    trials = nightly(1000)

    assert _event_trials(score, trials) >= 0.99 * trials


def test_the_test_of_propriety_finds_an_improper_score():
    """The distance of the mean is not proper, nor is scoring an unfinished wait as if it had ended now."""
    assert _beaten(lambda p, y: abs(p @ np.arange(CATEGORIES) - y), 20) < 10
    assert _beaten(lambda p, y: crps(p, min(y, 3)), 20) < 10


# -- bad calls ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: brier(1.5, True), ValueError, "brier: a probability must be from 0 to 1, but one was 1.5"),
        (lambda: brier(math.nan, True), ValueError, "brier: a probability must be from 0 to 1, but one was nan"),
        (lambda: brier(0.5, 2), ValueError, "brier: an event must be true or false, but one was 2.0"),
        (
            lambda: binary_log([0.5], [True, False]),
            ValueError,
            "binary_log: probabilities and events must be of one shape, but were (1,) and (2,)",
        ),
        (
            lambda: crps([0.5, 0.4], 0),
            ValueError,
            "crps: a distribution must be a row of probabilities that sum to 1, but was array([0.5, 0.4])",
        ),
        (lambda: crps([0.5, 0.5], 2), ValueError, "crps: observed must be from 0 to 1, but was 2"),
        (lambda: count_log([0.5, 0.5], 1.0), TypeError, "count_log: observed must be a whole number, but was 1.0"),
        (
            lambda: passage_log([0.5, 0.5], 0),
            ValueError,
            "passage_log: evening must be a whole number from 1 on, or inf, but was 0",
        ),
        (
            lambda: passage_log([1.0], 1),
            ValueError,
            "passage_log: bins must be a row of at least one evening and what is later, but was [1.0]",
        ),
        (
            lambda: passage_crps([0.5, 0.5], 1, 0.5),
            ValueError,
            "passage_crps: threshold must be an evening from 1 on, but was 0.5",
        ),
    ],
)
def test_a_bad_call_is_refused(call, error, message):
    with pytest.raises(error) as caught:
        call()

    assert message == str(caught.value)
