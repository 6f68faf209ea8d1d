"""Likelihoods against simulation: the score has mean zero at the truth, and intervals cover as often as they say."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from conftest import NIGHTLY, nightly
from mistakes import exposure_one_day_short
from scipy import stats

import sim
from sim.checks import sbc
from sim.checks.ranks import LOG_LIKELIHOOD
from sim.checks.weeks import simulated_weeks
from sim.families import constant, contagion, momentum, siege
from sim.likelihood import likelihood
from sim.record import Record

#: Values near what the real week gives, so that weeks have some ten captures.
TRUE = {
    constant: {"seizure.baseline": 0.05},
    contagion: {"seizure.baseline": 0.03, "seizure.neighbours.border": 0.6, "seizure.neighbours.road": 0.9},
    momentum: {"seizure.baseline": 0.04, "seizure.momentum": 1.3},
    siege: {
        "seizure.baseline": 0.008, "seizure.momentum": 1.5, "seizure.cutoff": 0.7, "assault.baseline": 0.06,
        "assault.neighbours.border": 0.5, "assault.neighbours.road": 0.5, "fall.baseline": 0.25, "fall.momentum": 1.0,
        "fall.cutoff": 0.7, "relief.baseline": 0.1, "start.contested": 0.05,
    },
}  # fmt: skip
Family = Callable[[sim.Theatre], sim.Model]


def scores(family: Family, afghan: sim.Theatre, week: Record, count: int, exact_times: bool, hours: str) -> np.ndarray:
    """Return the slope of the log likelihood in each log parameter at the truth, shape (week, parameter)."""
    model = family(afghan)
    truth = model.draws(TRUE[family])
    draws = sim.Draws(truth.names, np.repeat(truth.values, count, axis=0))
    step = 1e-4
    moved = np.concatenate([truth.values * np.exp(sign * step * np.eye(len(truth.names))) for sign in (1.0, -1.0)])
    found = []
    for i, one in enumerate(simulated_weeks(model, draws, week, seed=11, exact_times=exact_times)):
        log = likelihood(model, one, seed=i, hours=hours)(moved)
        up, down = np.split(log, 2)
        found.append((up - down) / (2 * step))
    return np.array(found)


def strays(slopes: np.ndarray) -> np.ndarray:
    """Return by how many standard errors the mean slope of each parameter differs from zero."""
    return np.asarray(np.abs(slopes.mean(axis=0)) / (slopes.std(axis=0, ddof=1) / np.sqrt(len(slopes))))


@pytest.mark.parametrize(
    ("family", "exact_times", "hours"),
    [
        (constant, True, "auto"), (contagion, True, "auto"), (momentum, True, "auto"), (siege, True, "auto"),
        (constant, False, "auto"), (contagion, False, "auto"), (momentum, False, "auto"),
        (contagion, False, "average"), (momentum, False, "average"), (siege, False, "auto"),
    ],
)  # fmt: skip
def test_the_score_has_mean_zero_at_the_truth(afghan, week, family, exact_times, hours):
    slopes = scores(family, afghan, week, nightly(600), exact_times, hours)

    assert np.all(np.isfinite(slopes))
    # A normal strays 4 standard errors once in 16,000 times.
    assert np.all(strays(slopes) < 4.0)


def test_the_score_of_a_likelihood_that_forgets_a_day_does_not(afghan, week, monkeypatch):
    exposure_one_day_short(monkeypatch, constant(afghan))

    assert np.all(strays(scores(constant, afghan, week, 60, True, "auto")) > 3.0)


def uncovered(family: Family, afghan: sim.Theatre, week: Record, fits: int, exact_times: bool) -> list[str]:
    """Return the parameters whose 90% interval covers the truth more or less often than chance allows."""
    found = sbc(family(afghan), week, fits=fits, seed=21, exact_times=exact_times)
    # Of a hundred equally likely ranks, the ninety in the middle: between the 5% and the 95% point of the draws.
    covers = {name: int(np.sum((found[name] >= 5) & (found[name] < 95))) for name in found.quantities}
    low, high = stats.binom.interval(0.999, fits, 0.9)
    return [f"{name}: {n}" for name, n in covers.items() if name != LOG_LIKELIHOOD and not low <= n <= high]


@pytest.mark.parametrize(
    ("family", "fits"), [(constant, nightly(200)), (momentum, nightly(150, 6)), (contagion, nightly(150, 12))]
)
def test_intervals_of_seizure_only_weeks_cover_the_truth(afghan, week, family, fits):
    assert uncovered(family, afghan, week, fits, True) == []


@pytest.mark.skipif(not NIGHTLY, reason="a hundred fits of eleven parameters, averaged over hours, take an hour")
def test_intervals_of_siege_weeks_cover_the_truth(afghan, week):
    assert uncovered(siege, afghan, week, 100, False) == []
