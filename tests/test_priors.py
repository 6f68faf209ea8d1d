"""Priors against SciPy's distributions."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from sim.priors import Beta, Fixed, HalfNormal, LogNormal, Normal, Prior, as_prior

PAIRS = [
    (LogNormal(1 / 60, 1.0), stats.lognorm(1.0, scale=1 / 60)),
    (LogNormal(2.5, 0.3), stats.lognorm(0.3, scale=2.5)),
    (HalfNormal(1.0), stats.halfnorm(scale=1.0)),
    (HalfNormal(4.0), stats.halfnorm(scale=4.0)),
    (Normal(-1.5, 0.7), stats.norm(-1.5, 0.7)),
    (Beta(1.0, 20.0), stats.beta(1.0, 20.0)),
    (Beta(0.5, 2.5), stats.beta(0.5, 2.5)),
]
each = pytest.mark.parametrize(("prior", "told"), PAIRS, ids=lambda value: str(value)[:24])
CHANCES = [1e-12, 1e-4, 0.05, 0.3, 0.5, 0.8, 0.95, 1 - 1e-4, 1 - 1e-9]


@each
def test_the_log_density_is_scipys(prior: Prior, told: stats.rv_continuous) -> None:
    inside = told.ppf(CHANCES)
    outside = [-1.0, -1e-9] if told.support()[0] == 0 else []

    assert told.logpdf(inside) == pytest.approx(prior.log_density(inside), rel=1e-9, abs=1e-9)
    assert [-math.inf] * len(outside) == prior.log_density(outside).tolist()


@each
def test_quantiles_are_scipys(prior: Prior, told: stats.rv_continuous) -> None:
    assert told.ppf(CHANCES) == pytest.approx(prior.quantile(CHANCES), rel=1e-6)
    assert told.median() == pytest.approx(float(prior.quantile(0.5)), rel=1e-12)


@each
def test_a_score_maps_to_the_value_of_its_probability_and_rises(prior: Prior, told: stats.rv_continuous) -> None:
    scores = np.linspace(-6, 6, 241)
    values = prior.from_score(scores)

    assert np.all(np.diff(values) > 0)
    assert scores[40:-40] == pytest.approx(stats.norm.ppf(told.cdf(values))[40:-40], abs=1e-6)


@each
def test_the_lower_end_is_scipys(prior: Prior, told: stats.rv_continuous) -> None:
    assert told.support()[0] == prior.lower
    assert prior.free


def test_the_median_of_a_log_normal_is_its_first_number() -> None:
    assert 1 / 60 == pytest.approx(float(LogNormal(1 / 60, 1.0).quantile(0.5)), rel=1e-15)


def test_a_fixed_value_is_all_there_is() -> None:
    prior = Fixed(0.25)

    assert [0.25, 0.25] == prior.quantile([0.1, 0.9]).tolist()
    assert [0.0, -math.inf] == prior.log_density([0.25, 0.3]).tolist()
    assert not prior.free


def test_a_prior_describes_itself_in_plain_values() -> None:
    assert {"prior": "LogNormal", "median": 0.1, "sigma": 1.0} == LogNormal(0.1, 1).describe()
    assert "Beta(a=1, b=20)" == str(Beta(1, 20))


def test_a_number_becomes_a_fixed_prior_and_a_prior_stays() -> None:
    assert Fixed(2.0) == as_prior(2, "rate")
    assert Normal(0.0, 1.0) == as_prior(Normal(0, 1), "effect")
    with pytest.raises(ValueError, match="use a prior that keeps to that side"):
        as_prior(Normal(0.0, 1.0), "Baseline: rate", lower=0.0)
