"""Predictive checks: statistics by hand on small weeks, tails that are fair, and a wrong model that is found out."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import numpy as np
import pytest

import sim
from sim import plots, sampling
from sim.checks import predictive, predictive_checks
from sim.checks.weeks import simulated_weeks
from sim.families import constant, contagion, siege
from sim.hazards import Baseline, Neighbours
from sim.record import Capture, Record

NAMES = ["A", "B", "C", "D", "E"]
LINE = sim.Theatre(NAMES, [("A", "B"), ("B", "C"), ("C", "D"), ("D", "E")], [("A", "E", "trunk")])


def record(*rows: tuple[str, str, str], end: datetime = datetime(2021, 8, 10)) -> Record:
    return Record(NAMES, [Capture.dated(*row) for row in rows], origin="2021-08-06", end=end)


def slow(theatre: sim.Theatre) -> sim.Model:
    return sim.Model(theatre, {"seizure": Baseline(0.1)}, name="slow")


# -- what is asked of a week -----------------------------------------------------------------------------------------


def test_captures_are_counted_on_their_day_or_the_last_of_several():
    found = predictive_checks(
        slow(LINE), record(("A", "2021-08-06", "2021-08-06"), ("B", "2021-08-07", "2021-08-08")), seed=1,
        replications=100,
    )  # fmt: skip

    assert found.observed_by_day.tolist() == [1, 0, 1, 0]
    assert found["pace of the last day"].observed == 0.0


def test_the_order_along_links_is_what_it_is_by_hand():
    week = record(*((name, day, day) for name, day in (("A", "2021-08-06"), ("B", "2021-08-07"), ("E", "2021-08-07"))))
    found = predictive_checks(slow(LINE), week, seed=1, replications=100)

    # On the second morning A is lost. Of B, C, D, E, one borders it (B, captured) and one is a road away (E, captured).
    # So one of the two captured is ahead by 1 - 1/4 and the other by 0 - 1/4; A's own capture had no neighbour lost.
    assert found["order along borders"].observed == pytest.approx((0.75 - 0.25) / 3)
    assert found["order along roads"].observed == pytest.approx((0.75 - 0.25) / 3)


def test_neighbours_captured_on_one_day_do_not_count_for_each_other():
    week = record(*((name, "2021-08-07", "2021-08-07") for name in "ABCDE"))

    assert predictive_checks(slow(LINE), week, seed=1, replications=100)["order along borders"].observed == 0.0


def test_statistics_of_a_simulated_week_are_those_of_the_record_it_is_told_as(afghan, week):
    model = contagion(afghan)
    draws = model.draw_prior(100, seed=4)
    found = predictive_checks(model, week, seed=4, replications=100)

    for r, told in enumerate(simulated_weeks(model, draws, week, seed=4)[:25]):
        other = predictive_checks(model, told, seed=4, replications=100)
        assert other.observed_by_day.tolist() == found.by_day[r].tolist()
        for name in ("captures by day", "pace of the last day", "order along borders", "order along roads"):
            assert other[name].observed == pytest.approx(found[name].replicated[r], abs=1e-12)


def test_order_is_zero_on_average_where_the_order_ignores_links(afghan, week):
    found = predictive_checks(sim.Model(afghan, {"seizure": Baseline(0.06)}), week, seed=2, replications=4000)

    for name in ("order along borders", "order along roads"):
        replicated = found[name].replicated
        # The sum over captures has mean zero; dividing by their number bends it by less than four standard errors.
        assert abs(replicated.mean()) < 4 * replicated.std() / np.sqrt(4000) + 0.01


# -- tails -----------------------------------------------------------------------------------------------------------


def test_a_tail_counts_half_of_what_equals_the_record():
    check = predictive.Check("x", 2.0, np.array([0.0, 1.0, 2.0, 2.0, 3.0, 4.0, 5.0, 6.0]), "captures")

    assert check.tail == 2 * min((2 + 1) / 8, (4 + 1) / 8)
    assert replace(check, side="upper").tail == (4 + 1) / 8
    assert replace(check, observed=9.0).tail == 0.0
    assert check.quantiles == (0.0, 2.0, 6.0)


def test_tails_of_weeks_the_prior_made_are_fair(afghan, week):
    model = contagion(afghan)
    found = predictive_checks(model, week, seed=4, replications=2000)

    for check in found.checks:
        tails = np.array([replace(check, observed=value).tail for value in check.replicated[:400]])
        # A mid-p tail has mean 1/2 exactly of one side, so of both it is near 1/2; what it may not be is often small.
        assert np.mean(tails <= 0.1) < 0.1 + 0.06  # four standard errors
        assert 0.4 < tails.mean() < 0.65


def test_an_order_along_borders_is_found_out_by_a_model_that_knows_none(afghan, week):
    sweep = sim.Model(afghan, {"seizure": Baseline(0.015) * Neighbours(6.0)}, name="sweep")
    swept = simulated_weeks(sweep, sweep.draws(), week, seed=3)[0]
    blind = predictive_checks(sim.calibrate(constant(afghan), swept, seed=1), swept, seed=1)
    seeing = predictive_checks(sweep, swept, seed=1)

    assert swept.total > 8
    assert blind["order along borders"].tail < 0.01
    assert seeing["order along borders"].tail > 0.05


# -- prior, posterior, contests --------------------------------------------------------------------------------------


def test_the_real_week_is_no_stranger_to_the_posterior_of_contagion(afghan, week):
    found = predictive_checks(sim.calibrate(contagion(afghan), week, seed=7), week, seed=7)

    assert [check.name for check in found.checks] == [
        "captures by day", "pace of the last day", "order along borders", "order along roads",
    ]  # fmt: skip
    assert found.observed_by_day.tolist() == [1, 1, 3, 1, 2, 1, 2]
    assert all(row["tail"] > 0.05 for row in found.table())
    assert found.summary().startswith(
        "posterior predictive checks of contagion: 4000 simulated weeks, 7 days from 2021"
    )
    assert "knows no contests" in found.summary()


def test_a_posterior_of_sieges_is_replayed_from_its_day_0(afghan, week):
    few = sampling.Budget(walkers=24, round=20, rounds=1)  # any draws will do
    posterior = sim.calibrate(siege(afghan), week, seed=7, draws=50, accept_poor=True, _budget=few)
    found = predictive_checks(posterior, week, seed=7, replications=1000)
    start = sim.State(dict.fromkeys(afghan.provinces, sim.Control.GOVERNMENT), instant=week.start)
    runs = sim.simulate(posterior.model, posterior.at_origin, start=start, horizon=7.0, replications=1000, seed=7)
    contested = (runs.control_at(7.0) == sim.Control.CONTESTED).sum(axis=1)

    assert (found["contested at the end"].replicated == contested).all()
    assert found["contested at the end"].observed == 1.0  # Lashkar Gah, in Helmand
    assert "so only weeks with fewer speak against the model" in found.summary()


def test_a_posterior_of_another_week_is_told(afghan, week):
    posterior = sim.calibrate(constant(afghan), week, seed=7)
    later = afghan.record.until("2021-08-14")

    assert "the posterior was given another record" in predictive_checks(posterior, later, seed=7).summary()
    assert "another record" not in predictive_checks(posterior, week, seed=7).summary()


def test_the_same_seed_gives_the_same_checks(afghan, week):
    one, other, third = (
        predictive_checks(contagion(afghan), week, seed=seed, replications=200).summary() for seed in (1, 1, 2)
    )

    assert one == other != third


# -- pictures and bad calls ------------------------------------------------------------------------------------------


def test_the_picture_has_an_axes_for_each_check_with_units_and_a_legend(afghan, week):
    found = predictive_checks(siege(afghan), week, seed=1, replications=200)
    axes = plots.predictive(found)

    assert len(axes) == len(found.checks) == 5
    for check, ax in zip(found.checks, axes, strict=True):
        assert ax.get_title().startswith(f"{check.name}: tail probability")
        assert ax.get_xlabel() and ax.get_ylabel() and ax.get_legend()
    with pytest.raises(ValueError) as caught:
        plots.predictive(found, axes[:2])
    assert "predictive: axes must be 5, one for each check, but were 2" == str(caught.value)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (
            {"source": 3}, TypeError,
            "predictive_checks: it takes a Model, or a Posterior of sim.calibrate(…), but was given 3",
        ),
        (
            {"week": LINE.record}, ValueError,
            "predictive_checks: the week must have an end; say what was known when with record.until('YYYY-MM-DD')",
        ),
        (
            {"week": record().as_count()}, ValueError,
            "predictive_checks: the week must name captures, but only a count is known; keep the record that names the "
            "captures",
        ),
        ({"replications": 99}, ValueError, "predictive_checks: replications must be 100 at least, but was 99"),
        ({"replications": 1e3}, TypeError, "predictive_checks: replications must be a whole number, but was 1000.0"),
        ({"seed": -1}, ValueError, "seed must be a non-negative integer, but was -1"),
    ],
)  # fmt: skip
def test_a_bad_call_is_refused_before_any_work(change, error, message):
    arguments = {"source": slow(LINE), "week": record(), "seed": 1} | change
    with pytest.raises(error) as caught:
        predictive_checks(arguments.pop("source"), arguments.pop("week"), **arguments)

    assert message == str(caught.value)


def test_a_check_that_is_not_there_is_refused():
    found = predictive_checks(slow(LINE), record(), seed=1, replications=100)
    with pytest.raises(ValueError, match="no check 'order along rivers'; did you mean 'order along"):
        _ = found["order along rivers"]
