"""Bits are right where they are known, every planted ridge is warned of, and clean posteriors are left in peace."""

from __future__ import annotations

import math
import re
import warnings
from datetime import datetime, timedelta

import numpy as np
import pytest
from conftest import nightly
from scipy import integrate, special, stats

import sim
from sim.checks.bits import information
from sim.checks.walks import walked
from sim.checks.widths import scaled, scores, with_scaled_priors
from sim.families import constant, contagion, momentum, siege
from sim.hazards import Baseline, Calendar, Covariate, CutOff, Momentum, Neighbours, PullBack
from sim.likelihood import from_scores
from sim.model import Model
from sim.outcomes import FullControl, Pressure
from sim.priors import Beta, Fixed, HalfNormal, LogNormal, Normal, Prior
from sim.record import Capture, Record
from sim.theatre import Theatre

ORIGIN = datetime(2021, 8, 6)

# ------------------------------------------------------------------------------------------------ bits


def gained(density, *, low=-12.0, high=12.0):
    """Return the bits of a posterior with that density of the score, by quadrature."""

    def integrand(z):
        p = density(z)
        return p * (math.log(p) - stats.norm.logpdf(z)) if p > 0.0 else 0.0

    return integrate.quad(integrand, low, high, limit=400)[0] / math.log(2.0)


@pytest.mark.parametrize(("mean", "spread"), [(0.0, 1.0), (0.0, 0.9), (0.5, 0.5), (2.0, 0.1), (0.0, 1.2)])
def test_bits_of_a_normal_posterior_meet_the_closed_form_and_their_error_is_honest(mean, spread):
    exact = (0.5 * (mean**2 + spread**2 - 1.0) - math.log(spread)) / math.log(2.0)
    rng = np.random.default_rng(1)

    found = [information(rng.normal(mean, spread, 1000)) for _ in range(60)]
    bits = np.array([gain.bits for gain in found])

    assert abs(bits.mean() - exact) < 0.02
    # The stated error is that of one estimate: their spread, within a factor.
    assert bits.std() < 1.6 * np.mean([gain.error for gain in found]) + 0.005
    assert np.mean([gain.ratio for gain in found]) == pytest.approx(spread, rel=0.01)


def test_bits_of_skewed_and_flat_posteriors_meet_quadrature():
    rng = np.random.default_rng(2)
    cases = (
        (lambda n: rng.exponential(size=n) - 1.0, stats.expon(loc=-1.0).pdf),
        (lambda n: rng.uniform(-1.0, 1.0, n), stats.uniform(-1.0, 2.0).pdf),
        (lambda n: stats.skewnorm(4.0).rvs(n, random_state=rng), stats.skewnorm(4.0).pdf),
    )
    for draw, density in cases:
        found = np.mean([information(draw(1000)).bits for _ in range(30)])
        assert found == pytest.approx(gained(density), abs=0.05)


def test_bits_of_a_rate_given_a_gamma_posterior_meet_quadrature():
    # A log-normal prior and the constant family's posterior on a count, by its own exact density on scores.
    prior = LogNormal(1 / 40, 1.0)

    def log_posterior(z):
        rate = 1 / 40 * np.exp(z)
        return 11.0 * np.log(-np.expm1(-7.0 * rate)) - 23.0 * 7.0 * rate - 0.5 * z * z

    mass = integrate.quad(lambda z: math.exp(log_posterior(z) + 25.0), -8.0, 4.0)[0]
    exact = gained(lambda z: math.exp(log_posterior(z) + 25.0) / mass, low=-8.0, high=4.0)
    names = [f"P{k:02d}" for k in range(34)]
    posterior = sim.calibrate(
        Model(Theatre(names), {"seizure": Baseline(prior)}), Record.from_count(11, 7.0, names), seed=1, draws=2000
    )

    gain = information(scores(prior, posterior["seizure.baseline"]))

    assert gain.bits == pytest.approx(exact, abs=0.03)
    assert gain.ratio == pytest.approx(0.30, abs=0.01)


def test_nothing_learned_is_nothing_gained_and_never_less():
    rng = np.random.default_rng(3)

    found = [information(rng.normal(size=400)).bits for _ in range(50)]

    assert min(found) >= 0.0
    assert np.mean(found) < 0.02


def test_fewer_effective_draws_widen_the_error():
    draws = np.random.default_rng(4).normal(size=1000)

    assert information(draws, 250.0).error == pytest.approx(2.0 * information(draws).error)


def test_bits_of_too_few_or_equal_draws_are_refused():
    with pytest.raises(ValueError, match="information: there must be at least 50 draws, but there were 10"):
        information(np.arange(10.0))
    with pytest.raises(ValueError, match="information: the draws must differ, but are all the same"):
        information(np.ones(100))


# ------------------------------------------------------------------------------------------------ priors, scaled

PRIORS = (LogNormal(0.1, 1.5), HalfNormal(2.0), Normal(-1.0, 3.0), Beta(1.0, 20.0), Beta(2.0, 0.5))


@pytest.mark.parametrize("prior", PRIORS, ids=str)
def test_scores_undo_from_score_in_both_tails(prior):
    z = np.linspace(-4.0, 4.0, 49)

    np.testing.assert_allclose(scores(prior, prior.from_score(z)), z, atol=1e-6)


def test_a_scaled_prior_keeps_its_centre_and_scales_its_spread():
    z = np.linspace(-5.0, 5.0, 41)
    for factor in (0.5, 2.0):
        np.testing.assert_allclose(
            np.log(scaled(PRIORS[0], factor).from_score(z) / 0.1), factor * np.log(PRIORS[0].from_score(z) / 0.1)
        )
        np.testing.assert_allclose(scaled(PRIORS[1], factor).from_score(z), factor * PRIORS[1].from_score(z))
        np.testing.assert_allclose(
            scaled(PRIORS[2], factor).from_score(z) + 1.0, factor * (PRIORS[2].from_score(z) + 1)
        )
        wide = scaled(PRIORS[3], factor)
        assert stats.beta(wide.a, wide.b).mean() == pytest.approx(1 / 21)
        assert stats.beta(wide.a, wide.b).std() == pytest.approx(factor * stats.beta(1, 20).std())
    assert scaled(Fixed(3.0), 2.0) == Fixed(3.0)


def test_a_model_with_scaled_priors_differs_in_nothing_else(afghan):
    model = siege(afghan)

    wide = with_scaled_priors(model, 2.0)

    assert wide.terms == model.terms and wide.theatre is afghan and wide.name == "siege"
    assert wide.parameters["fall.baseline"] == LogNormal(1 / 10, 2.0)
    assert wide.parameters["assault.neighbours.road"] == HalfNormal(2.0)
    assert with_scaled_priors(wide, 0.5).parameters["seizure.cutoff"] == model.parameters["seizure.cutoff"]
    assert wide.hazards["seizure"].terms[2].without == CutOff(1.0).without


def test_scales_that_cannot_be_are_refused(afghan):
    with pytest.raises(ValueError, match="scaled: factor must be a positive finite number, but was -1"):
        scaled(Normal(0.0, 1.0), -1)
    with pytest.raises(ValueError, match=re.escape("scaled: factor must be below 4.69 for Beta(a=1, b=20), but was 5")):
        with_scaled_priors(siege(afghan), 5)
    with pytest.raises(TypeError, match="scaled: prior must be one of LogNormal, HalfNormal, Normal, Beta, Fixed"):
        scaled(Prior(), 2.0)


# ------------------------------------------------------------------------------------------------ the walk


def test_a_walk_keeps_to_a_straight_ridge():
    rng = np.random.default_rng(6)
    x = rng.normal(size=2000)
    drawn = np.column_stack([x, -x + 0.1 * rng.normal(size=2000), rng.normal(size=2000)])

    walk = walked(lambda z: -0.5 * ((z[:, 0] + z[:, 1]) / 0.1) ** 2, drawn, 0, 1, -1.0)

    assert np.all(walk.log_likelihood > -0.05)
    assert np.abs(walk.scores.sum(axis=1) - walk.scores[:, 2]).max() < 0.05
    assert walk.scores[0, 0] < -2.0 and walk.scores[-1, 0] > 2.0
    # The third score is at the top of its prior all along.
    assert np.abs(walk.scores[:, 2]).max() < 0.1


def test_a_walk_keeps_to_a_bent_ridge():
    rng = np.random.default_rng(7)
    x = np.abs(rng.normal(size=3000))
    drawn = np.column_stack([x, x * x + 0.05 * rng.normal(size=3000)])

    walk = walked(lambda z: -0.5 * ((z[:, 1] - z[:, 0] ** 2) / 0.05) ** 2, drawn, 0, 1, 1.0)

    inside = walk.scores[:, 0] > 0.0
    assert inside.sum() > 15
    assert np.all(walk.log_likelihood[inside] > -1.0)


# ------------------------------------------------------------------------------------------------ planted ridges

NAMES = tuple(f"P{k:02d}" for k in range(24))
COMPLETE = [(a, b) for i, a in enumerate(NAMES) for b in NAMES[:i]]


def theatre_with(column):
    return Theatre(NAMES, COMPLETE, hub="P00", columns={"x": column, "y": column})


def record_of(theatre, rate, days, rng, growth=0.0):
    """Return captures at exact times under a constant hazard times exp(growth x share lost), by a pure birth chain."""
    n, t, captures = len(NAMES), 0.0, []
    order = rng.permutation(n)
    for k, p in enumerate(order):
        t += rng.exponential(1.0 / ((n - k) * rate * math.exp(growth * k / n)))
        if t >= days:
            break
        at = ORIGIN + timedelta(days=t)
        captures.append(Capture(province=theatre.provinces[p], earliest=at, latest=at, known_from=at.date()))
    return Record(theatre.provinces, captures, origin=ORIGIN.date(), end=ORIGIN + timedelta(days=days))


def planted(case):
    """Return a model, a record and a headline of which only what two parameters do together is told."""
    rng = np.random.default_rng(100 + case)
    theatre = theatre_with(rng.normal(size=len(NAMES)))
    days, rate = 14.0, float(rng.uniform(0.06, 0.15))
    wide = LogNormal(rate, float(rng.uniform(1.3, 2.0)))
    stop = ORIGIN + timedelta(days=days)
    kind = case % 5
    record = record_of(theatre, rate, days, rng)
    if kind == 0:  # air power that ended with the record: the pace after it is anybody's guess
        hazard = Baseline(wide) * Calendar(None, stop, Normal(0.0, float(rng.uniform(1.5, 3.0))))
        return Model(theatre, {"seizure": hazard}), record, lambda v: -np.expm1(-10.0 * v[:, 0])
    if kind == 1:  # two calendars of one stretch of time
        hazard = (
            Baseline(0.05) * Calendar(None, stop, Normal(0.0, 2.0), label="ends")
            * Calendar(ORIGIN - timedelta(days=9), None, Normal(0.0, 2.0), label="stays")
        )  # fmt: skip
        return Model(theatre, {"seizure": hazard}), record, lambda v: -np.expm1(-0.5 * np.exp(v[:, 2]))
    if kind == 2:  # one column under two names
        hazard = Baseline(LogNormal(rate, 1.0)) * Covariate("x", Normal(0.0, 2.0)) * Covariate("y", Normal(0.0, 2.0))
        return Model(theatre, {"seizure": hazard}), record, lambda v: special.expit(v[:, 1])
    if kind == 3:  # a calendar on part of the provinces, which are all there are, and neighbours that are all lost
        hazard = Baseline(wide) * Calendar(None, stop, Normal(0.0, 2.5), provinces=NAMES)
        return Model(theatre, {"seizure": hazard}), record, lambda v: np.exp(-5.0 * v[:, 0])
    # A pull-back since before the week began: its two effects and the pace without it are three numbers for two.
    keep = NAMES[:12]
    hold, abandon = Normal(0.0, 2.5), Normal(0.0, 2.5)
    hazard = Baseline(wide) * PullBack(keep, ORIGIN - timedelta(days=3), hold=hold, abandon=abandon)
    return Model(theatre, {"seizure": hazard}), record, lambda v: -np.expm1(-3.0 * v[:, 0])


def judged(model, record, headline, seed):
    posterior = sim.calibrate(model, record, seed=seed, draws=600)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = sim.checks.identifiability(posterior, seed=seed, headlines={"asked": headline}, widths=())
    assert len(caught) == len(found.ridges)
    return found


def test_every_planted_ridge_is_warned_of():
    missed = []
    for case in range(nightly(50)):
        found = judged(*planted(case), seed=case)
        if not found.ridges:
            missed.append((case, found.summary()))

    assert not missed


def clean(case):
    """Return a model, a record and a headline where a whole history tells the parameters apart."""
    rng = np.random.default_rng(9000 + case)
    theatre = theatre_with(rng.normal(size=len(NAMES)))
    rate = float(rng.uniform(0.03, 0.1))
    kind = case % 4
    record = record_of(theatre, rate, 60.0, rng, growth=float(rng.uniform(0.0, 3.0)) if kind in (1, 3) else 0.0)
    base = Baseline(LogNormal(rate, 1.0))
    if kind == 0:
        return Model(theatre, {"seizure": base * Covariate("x", Normal(0.0, 1.0))}), record, _week
    if kind == 1:
        return Model(theatre, {"seizure": base * Momentum(HalfNormal(2.0))}), record, _week
    if kind == 2:
        middle = ORIGIN + timedelta(days=5.0)
        return Model(theatre, {"seizure": base * Calendar(None, middle, Normal(0.0, 1.0))}), record, _week
    return Model(theatre, {"seizure": base * Neighbours(HalfNormal(0.3))}), record, _week


def _week(values):
    return -np.expm1(-7.0 * values[:, 0])


def test_clean_posteriors_raise_false_alarms_in_at_most_one_of_twenty():
    cases = nightly(200)

    alarms = sum(bool(judged(*clean(case), seed=case).ridges) for case in range(cases))

    assert alarms <= 0.05 * cases


def test_a_correlated_pair_that_moves_no_headline_is_told_but_not_warned_of():
    model, record, _ = planted(0)

    found = judged(model, record, lambda v: np.full(len(v), 0.5), seed=1)

    assert not found.ridges
    assert abs(found.pairs[0].correlation) > 0.9
    assert found.summary().count("\ncorrelated: ") == 1


# ------------------------------------------------------------------------------------------------ the week itself


def test_the_week_leaves_momentum_alone_and_tells_the_pace(afghan, week):
    found = sim.checks.identifiability(sim.calibrate(momentum(afghan), week, seed=1), seed=2, widths=())

    assert found.left_alone == ("seizure.momentum",)
    assert found.gains["seizure.baseline"].bits == pytest.approx(1.39, abs=0.1)
    assert found.ridges == ()
    # One count's ridge in small: the pair is not correlated above 0.9, yet the headline swings along it.
    assert found.pairs[0].move > 0.3
    assert set(found.headlines) == {"half_ring within 7 days", "half_ring within 30 days"}


def test_of_siege_it_says_which_parameters_the_week_left_alone(afghan, week):
    early = week.until("2021-08-08")
    posterior = sim.calibrate(siege(afghan), early, seed=1, draws=300, accept_poor=True)

    found = sim.checks.identifiability(posterior, seed=2, widths=(), headlines={"pace": lambda v: v[:, 0]})

    assert "seizure.cutoff" in found.left_alone
    assert "assault.baseline" not in found.left_alone
    assert "start.contested is that of day 0 here, drawn again given the other parameters" in found.notes[0]
    told = [line.split()[0] for line in found.summary().splitlines() if line.endswith("left alone")]
    assert tuple(told) == found.left_alone


def test_headlines_are_given_with_all_prior_scales_halved_and_doubled(afghan, week):
    posterior = sim.calibrate(constant(afghan), week, seed=1)

    found = sim.checks.identifiability(
        posterior, seed=2, headlines={"pace": lambda v: v[:, 0], "all": (FullControl(), 60)}, replications=400
    )

    assert list(found.headlines["pace"]) == list(found.headlines["all"]) == [0.5, 1.0, 2.0]
    for width in (0.5, 2.0):
        again = sim.calibrate(with_scaled_priors(constant(afghan), width), week, seed=1)
        assert found.headlines["pace"][width] == pytest.approx(again["seizure.baseline"].mean(), rel=1e-12)
    # A narrower prior, whose median is a slower pace, holds the pace back.
    assert found.headlines["pace"][0.5] < found.headlines["pace"][1.0]
    assert found.pairs == ()
    assert "with fewer than two free parameters there is no ridge" in found.summary()


def test_a_count_needs_a_start_and_takes_one(afghan, week):
    posterior = sim.calibrate(momentum(afghan), week.as_count(), seed=1, draws=200)
    with pytest.raises(
        ValueError, match="identifiability: a count without names does not say where to start; pass start="
    ):
        sim.checks.identifiability(posterior, seed=1)

    found = sim.checks.identifiability(posterior, seed=1, start=week.state(), widths=(), replications=200)

    assert 0.0 < found.headlines["half_ring within 7 days"][1.0] < 1.0


def test_the_same_seed_gives_the_same_answer(afghan, week):
    posterior = sim.calibrate(momentum(afghan), week, seed=1, draws=200)

    one, other = (sim.checks.identifiability(posterior, seed=5, widths=(), replications=200) for _ in range(2))

    assert one.summary() == other.summary()
    assert one.gains == other.gains


def test_bad_calls_say_what_to_do(afghan, week):
    posterior = sim.calibrate(constant(afghan), week, seed=1, draws=100)
    cases = (
        (TypeError, {"posterior": week}, "identifiability: posterior must be a Posterior"),
        (TypeError, {"headlines": {"a": Pressure("half_ring")}},
         "identifiability: headline 'a' must be (outcome, days), such as (Pressure('half_ring'), 30), or a function of "
         "parameter values"),
        (ValueError, {"headlines": {"a": (Pressure("half_ring"), 0)}},
         "identifiability: headline 'a' must be within a positive number of days, but was 0"),
        (ValueError, {"headlines": {"a": lambda v: v}},
         "headline 'a': the function must return one finite number for each of 100 rows"),
        (ValueError, {"widths": (0.0,)}, "scaled: factor must be a positive finite number, but was 0.0"),
        (ValueError, {"replications": 0}, "identifiability: replications must be a positive integer, but was 0"),
        (ValueError, {"seed": -2}, "seed must be a non-negative integer, but was -2"),
    )  # fmt: skip
    for kind, given, message in cases:
        with pytest.raises(kind) as caught:
            sim.checks.identifiability(**{"posterior": posterior, "seed": 1, **given})
        assert message in str(caught.value)


def test_scores_of_a_familys_draws_give_the_draws_again(afghan):
    for family in (constant, contagion, momentum, siege):
        model = family(afghan)
        draws = model.draw_prior(50, seed=1)
        z = np.column_stack([scores(model.parameters[name], draws[name]) for name in model.free])
        np.testing.assert_allclose(from_scores(model, z), draws.values, rtol=1e-9)
