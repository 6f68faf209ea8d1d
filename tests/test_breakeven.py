"""Break-even: the closed form where there is one, an error that covers, and "none" where no value does it."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, replace

import numpy as np
import pytest
from conftest import nightly
from scipy import optimize, special, stats

import sim
from sim.briefing import briefing
from sim.case import Case
from sim.control import Control, State
from sim.explore import breakeven_table, constant_breakeven
from sim.explore.crossing import Curve, _points, by_draw, crossing
from sim.families import constant
from sim.hazards import Baseline, Calendar, Momentum
from sim.model import Draws, Model
from sim.outcomes import Captured, ControlOf, Pressure
from sim.priors import LogNormal, Normal
from sim.report import json_text
from sim.scenario import Scenario

HALF_RING = Pressure("half_ring")
PLAIN = Scenario("plain", "One pace for every capital", families=("constant",))
#: Hazard per day at which half_ring has its median at 30 days, and its factor on the week's pace (closed form).
HAZARD, FACTOR = 0.018239, 0.32663


@pytest.fixture(scope="module")
def plain() -> Case:
    return PLAIN.cases(seed=5)["constant"]


@pytest.fixture(scope="module")
def steady(afghan, week) -> Case:
    """One draw: every capital at the article's pace."""
    model = constant(afghan)
    return Case("constant", model, model.draws({"seizure.baseline": 0.055838}), week.state(), 180.0)


@pytest.fixture(scope="module")
def fought(afghan, week) -> Case:
    """One draw of a model with contests, a lever without sign and one of both signs."""
    air = Calendar("2021-08-13", None, Normal(0.0, 1.0), label="air")
    hazards = {
        "assault": Baseline(0.1) * Calendar("2021-08-13", None, 0.0, label="still"), "fall": Baseline(0.3) * air,
        "relief": Baseline(0.2),
    }  # fmt: skip
    model = Model(afghan, hazards, contested=0.3, name="fought")
    return Case("fought", model, model.draws({"fall.calendar.air": [-0.5, 0.5]}), week.state(), 60.0)


def test_at_the_weeks_maximum_likelihood_the_closed_form_is_found_to_one_per_cent():
    found = sim.breakeven(PLAIN, HALF_RING, at="maximum likelihood", seed=1)

    assert found.found and found.at == "maximum likelihood"
    assert found.relative_error <= 0.01
    # Four standard errors: a good search misses once in 16,000 seeds.
    assert abs(found.factor - FACTOR) < 4.0 * found.mc_error
    assert found.factor * 0.055838 == pytest.approx(found.value, rel=1e-5)
    assert math.isnan(found.low) and math.isnan(found.high)  # one draw has no spread


@pytest.mark.parametrize("outcome", [Pressure("isolated"), Captured(20)])
@pytest.mark.parametrize("probability", [0.1, 0.9])
def test_other_outcomes_and_probabilities_agree_with_the_closed_form(steady, afghan, outcome, probability):
    found = sim.breakeven(steady, outcome, 14, probability, seed=2, precision=0.03)

    exact = constant_breakeven(outcome, afghan, steady.start, within=14, probability=probability) / 0.055838
    assert found.relative_error <= 0.03
    assert abs(found.factor - exact) < 4.0 * found.mc_error


def test_the_monte_carlo_interval_covers_the_closed_form_as_often_as_it_says(steady):
    repeats = nightly(300, 30)
    found = [sim.breakeven(steady, HALF_RING, seed=seed, precision=0.02) for seed in range(100, 100 + repeats)]
    scores = np.array([(each.factor - FACTOR) / each.mc_error for each in found])

    # Of intervals that cover in 95%, fewer do than this once in a thousand batteries.
    assert stats.binom.ppf(0.001, repeats, 0.95) <= np.sum(np.abs(scores) <= 1.96)
    # And the error is not told too large: the scores' mean square is chi-square over its degrees of freedom.
    assert stats.chi2.ppf(0.001, repeats) / repeats < np.mean(scores**2) < stats.chi2.ppf(0.999, repeats) / repeats


def mean_over(draws: Draws, factor: float) -> float:
    """The probability of half_ring within 30 days: three of the six around Kabul, each alone."""
    fallen = 1.0 - np.exp(-30.0 * factor * draws["seizure.baseline"])
    return float(np.mean(stats.binom.sf(2, 6, fallen)))


def test_over_the_posterior_the_factor_is_that_of_the_mixture_and_the_interval_that_of_its_draws(plain):
    found = sim.breakeven(plain, HALF_RING, seed=3)

    exact = optimize.brentq(lambda factor: mean_over(plain.draws, factor) - 0.5, 0.1, 1.0)
    assert found.relative_error <= 0.01
    assert abs(found.factor - exact) < 4.0 * found.mc_error
    # Each draw's own factor is known too. With 2 x 25 replications a draw, chance left in 1,000 of them scatters an
    # end by 1.2% about a point 1% off (twenty seeds), so 5% is more than three standard errors.
    low, high = np.quantile(HAZARD / plain.draws["seizure.baseline"], (0.05, 0.95))
    assert low == pytest.approx(found.low, rel=0.05)
    assert high == pytest.approx(found.high, rel=0.05)


def test_draws_of_a_grid_are_not_taken_for_independent_ones(plain):
    curve = Curve(plain, "seizure.baseline", "factor", (HALF_RING,), 30.0, 3)
    ends = (math.log(0.01), math.log(100.0))
    loose = crossing(curve, 0, 0.5, ends, precision=0.01, count=20_000, most=20_000)
    found = sim.breakeven(plain, HALF_RING, seed=3, replications=20_000)

    assert math.exp(loose.at) == pytest.approx(found.factor)
    # Clusters charge the spread of 1,000 independent draws; systematic ones leave next to none of it.
    assert 0.006 > found.relative_error
    assert 0.01 < loose.error


def test_the_same_seed_gives_the_same_number_and_another_seed_another(steady):
    first, again, other = (sim.breakeven(steady, HALF_RING, seed=seed, precision=0.05) for seed in (1, 1, 2))

    assert repr(first) == repr(again)
    assert first.factor != other.factor


def test_processes_run_beside_the_search(steady):
    def calm(world):
        yield world.env.timeout(1.0)
        for province in steady.model.theatre.provinces:
            world.scale(province, "seizure", 0.5)

    found, calmed = (
        sim.breakeven(replace(steady, engine=engine), HALF_RING, seed=1, replications=100, precision=0.1)
        for engine in (None, sim.SimPyEngine(processes=[calm]))
    )

    # Halved for 29 of 30 days, so the factor is 30 / 15.5 times as large, replication by replication; the bracket is
    # 0.5% wide.
    assert found.factor * 30.0 / 15.5 == pytest.approx(calmed.factor, rel=0.01)


def test_under_common_random_numbers_no_replication_is_saved_by_a_faster_pace(steady):
    model = Model(steady.model.theatre, {"seizure": Baseline(0.02) * Momentum(1.5)})
    case = Case("m", model, model.draws(), steady.start, 60.0)
    for parameter in model.parameters:
        curve = Curve(case, parameter, "factor", (HALF_RING,), 30.0, 4)
        hits = np.array([curve.hits(turn, 500)[0] for turn in np.linspace(-2.0, 2.0, 15)])

        assert not np.any(hits[:-1] & ~hits[1:])
        assert np.any(hits[-1] & ~hits[0])


def test_where_no_value_in_range_does_it_that_is_the_answer(steady):
    found = sim.breakeven(steady, HALF_RING, seed=1, range=(0.5, 2.0))

    assert not found.found
    assert math.isnan(found.factor) and math.isnan(found.mc_error) and math.isnan(found.value)
    # The closed form at both ends, within four standard errors of 2,000 replications.
    assert mean_over(steady.draws, 0.5) == pytest.approx(found.at_least, abs=0.04)
    assert mean_over(steady.draws, 2.0) == pytest.approx(found.at_most, abs=0.01)
    assert "no value in range does it: from 0.5 to 2 the probability is 0." in found.summary()


def test_what_is_true_at_the_start_has_no_breakeven(steady):
    found = sim.breakeven(steady, Captured(11), seed=1)

    assert not found.found
    assert (1.0, 1.0) == (found.at_least, found.at_most)


def test_relief_must_be_stronger_not_weaker(fought):
    found = sim.breakeven(fought, HALF_RING, vary="relief.baseline", seed=1, precision=0.05)

    assert found.factor > 1.0 and found.at_least > 0.5 > found.at_most
    there = fought.scaled("relief.baseline", found.factor).simulate(seed=99, replications=4000)
    # Another seed: 4,000 replications have a standard error of 0.008, and the factor's is worth less than 0.02.
    assert 0.5 == pytest.approx(HALF_RING(there).probability(30).value, abs=0.09)


def test_an_effect_without_a_sign_of_its_own_is_added_to(fought):
    still = sim.breakeven(fought, HALF_RING, vary="assault.calendar.still", seed=1, precision=0.05)
    both = sim.breakeven(fought, HALF_RING, vary="fall.calendar.air", seed=1, precision=0.05)
    rate = sim.breakeven(fought, HALF_RING, vary="assault.baseline", seed=1, precision=0.05)

    assert "shift" == still.by == both.by and both.found
    # A constant effect is a factor on the baseline, so one is the logarithm of the other.
    assert math.log(rate.factor) == pytest.approx(still.factor, abs=0.05 * 4)
    assert still.factor == still.value  # it was 0 in every draw
    assert f"{still.factor:+.2f}, Monte Carlo error" in still.summary()


def test_a_probability_is_not_multiplied_beyond_one(fought):
    found = sim.breakeven(fought, Pressure("neighbour"), 3, 0.9, "start.contested", seed=1, precision=0.05)

    assert 1.0 / 0.3 == pytest.approx(found.most)


@dataclass(frozen=True, eq=False)
class Known(Curve):
    """A curve whose probability is known: a replication has the outcome if its number falls below it."""

    def run(self, values, turn, count):
        chance = np.random.default_rng(self.seed).random(count)
        turns = (turn + np.log(values[:, 0]))[np.arange(count) % len(values)]
        return np.array([chance < self.outcomes(turns)])


def known(steady: Case, shape, seed: int, rates=(1.0,)) -> Known:
    model = steady.model
    case = Case("known", model, model.draws({"seizure.baseline": rates}), steady.start, 180.0)
    return Known(case, "seizure.baseline", "factor", shape, 30.0, seed)


def test_the_error_is_right_for_independent_draws_too(steady):
    """400 fresh draws for each of many searches of a curve known exactly: the mixture's crossing is at 0."""
    repeats = nightly(300, 100)
    scores = []
    for seed in range(repeats):
        rates = np.exp(0.5 * np.random.default_rng(10_000 + seed).standard_normal(400))
        curve = known(steady, lambda x: stats.norm.cdf(1.5 * x), seed, rates)
        found = crossing(curve, 0, 0.5, (-4.0, 4.0), precision=0.02, count=4000, most=4000)
        scores.append(found.at / found.error)

    assert stats.chi2.ppf(0.001, repeats) / repeats < np.mean(np.square(scores))
    assert np.mean(np.square(scores)) < stats.chi2.ppf(0.999, repeats) / repeats


def test_replications_are_added_until_the_error_is_what_was_asked(steady):
    curve = known(steady, lambda x: stats.norm.cdf(0.2 * x), 1)
    found = crossing(curve, 0, 0.5, (-4.0, 4.0), precision=0.02, count=None, most=1_000_000)
    short = crossing(curve, 0, 0.5, (-4.0, 4.0), precision=0.02, count=None, most=10_000)

    # The slope is 0.2 x 0.399 and the deviation a half, so 1% takes 98,000 replications.
    assert 0.02 >= found.error and 80_000 < found.replications < 200_000
    assert 10_000 == short.replications
    assert ("the error is above 0.02: give more replications",) == short.notes


def test_when_the_draws_alone_leave_too_much_it_says_how_many_would_do(steady):
    rates = np.exp(0.5 * np.random.default_rng(1).standard_normal(100))
    found = crossing(known(steady, lambda x: stats.norm.cdf(1.5 * x), 1, rates), 0, 0.5, (-4.0, 4.0),
                     precision=0.01, count=None, most=100_000)  # fmt: skip

    assert 0.03 < found.draws_error < found.error
    assert found.notes[0].startswith("the 100 draws alone leave an error of 0.0")
    assert found.replications < 100_000  # more would not help


def test_a_probability_that_rises_and_falls_is_told(steady):
    curve = known(steady, lambda x: 0.9 * np.exp(-0.5 * (x - 1.0) ** 2), 1)
    found = crossing(curve, 0, 0.5, (-4.0, 4.0), precision=0.02, count=None, most=100_000)

    assert (
        "the probability both rises and falls over the range",
        "the probability is crossed 2 times; this is the crossing nearest to no change",
    ) == found.notes
    # 0.9 exp(-y²/2) = 0.5 at y = ±1.0842; the nearer to 0 is 1 - 1.0842.
    assert found.rising and abs(found.at + 0.0842) < 4.0 * found.error


def test_draws_without_a_breakeven_of_their_own_lie_beyond_the_range(steady):
    rates = np.exp(np.linspace(-2.0, 2.0, 200))
    curve = known(steady, lambda x: stats.norm.cdf(4.0 * x), 1, rates)
    low, high, none = by_draw(curve, 0, 0.5, (-1.0, 3.0), True, budget=20_000)

    # Crossings are spread evenly over -2 to 2: a quarter lies below -1; 95% lie below 1.8.
    assert -math.inf == low
    assert 1.8 == pytest.approx(high, abs=0.15)
    assert 0.25 == pytest.approx(none, abs=0.05)


def test_chance_is_taken_out_of_the_spread_of_the_draws():
    random = np.random.default_rng(3)
    true = 0.3 * random.standard_normal(4000)
    noisy = true + 0.4 * random.standard_normal((2, 4000))

    low, high, none = _points(noisy)

    assert (-0.4935, 0.4935) == pytest.approx((low, high), abs=0.04)
    assert 0.0 == none


@pytest.fixture(scope="module")
def table(plain, fought):
    return breakeven_table(
        {"constant": plain, "fought": fought}, [HALF_RING, Captured(20)], seed=3, precision=0.05, most=1000
    )


def test_the_table_has_every_parameter_of_every_family_for_every_outcome(table, plain, fought):
    assert 2 * (1 + 1 + len(fought.model.parameters)) == len(table.rows)
    assert {"half_ring", "captured_20"} == {row.outcome for row in table.rows}
    assert {"start.contested", "fall.calendar.air"} <= {row.parameter for row in table.rows}
    counted = next(row for row in table.rows if row.at == "maximum likelihood" and row.outcome == "half_ring")
    assert abs(counted.factor - FACTOR) < 4.0 * counted.mc_error


def test_a_row_of_the_table_is_what_asking_alone_gives(table, plain):
    alone = sim.breakeven(plain, Captured(20), seed=3, precision=0.05)
    row = next(row for row in table.rows if row.family == "constant" and row.outcome == "captured_20")

    assert alone.replications == row.replications
    assert (alone.factor, alone.mc_error) == (row.factor, row.mc_error)


def test_the_table_tells_itself(table):
    text = table.summary()

    assert "half_ring within 30 days at probability 0.5:" in text
    assert "seizure.baseline at maximum likelihood" in text
    assert len(json.loads(json_text(table.plain()))["breakevens"]) == len(table.rows)
    assert all(row.found or row.told == "none" for row in table.rows)


def test_the_briefing_tells_the_table_after_the_closed_form(table):
    result = PLAIN.run(seed=5, replications=200)
    text, without = briefing(result, table), briefing(result)

    assert (
        text.index("0.32663") < text.index("How much slower, or weaker, each parameter") < text.index("What happened")
    )
    assert table.summary() in text
    assert "How much slower, or weaker" not in without


def test_the_picture_has_a_line_for_each_parameter_and_marks_those_without_a_value(table):
    ax = sim.plots.breakeven_bars(table, outcome="captured_20")
    rows = [row for row in table.rows if row.outcome == "captured_20"]

    assert len(rows) == len(ax.get_yticklabels())
    missing = sum(not row.found for row in rows)
    assert missing > 0
    for most, crosses, words in ((0.4, missing, 0), (1.0, 0, missing)):  # of what is asked, at both ends
        ends = {"probability": 0.5, "at_least": most, "at_most": most}
        drawn = sim.plots.breakeven_bars(replace(table, rows=tuple(row._replace(**ends) for row in rows)))
        assert crosses == sum(line.get_marker() == "x" and len(line.get_xdata()) > 0 for line in drawn.lines)
        assert ["more probable than that, at either end"] * words == [text.get_text() for text in drawn.texts]
    assert ax is sim.plots.breakeven_bars(table, ax)
    with pytest.raises(
        ValueError, match="breakeven_bars: the table has no outcome 'ring', only half_ring, captured_20"
    ):
        sim.plots.breakeven_bars(table, outcome="ring")
    with pytest.raises(
        TypeError, match=r"breakeven_bars: needs what sim\.explore\.breakeven_table gives, but was given str"
    ):
        sim.plots.breakeven_bars("Kabul")


def test_a_scenario_is_named_and_its_levers_are_asked_about():
    slower = PLAIN.but("slower", "Air power", levers={"seizure": Calendar("2021-08-13", None, -0.3, label="air")})
    found = sim.breakeven(slower, HALF_RING, vary="seizure.calendar.air", seed=1, precision=0.05, draws=400)

    assert ("constant", "factor", 400) == (found.family, found.by, found.draws)
    # Pressure is as it is at -0.3; it must slow the pace to a factor of about 0.37 in all.
    assert math.log(0.37) / -0.3 == pytest.approx(found.factor, rel=0.1)


def test_more_draws_than_usual_are_calibrated_and_do_not_change_what_memory_gives():
    memory: dict = {}
    many = PLAIN.cases(seed=5, draws=1500, memory=memory)["constant"]
    usual = PLAIN.cases(seed=5, memory=memory)["constant"]

    assert (1500, 1000) == (len(many.draws), len(usual.draws))
    assert np.array_equal(PLAIN.cases(seed=5)["constant"].draws.values, usual.draws.values)


def refused(message: str, *arguments, error=ValueError, **options):
    with pytest.raises(error) as raised:
        sim.breakeven(*arguments, **{"seed": 1, **options})
    assert message == str(raised.value)


def test_what_cannot_be_asked_is_refused_before_any_work(steady, monkeypatch):
    monkeypatch.setattr("sim.projecting.calibrate", lambda *_, **__: pytest.fail("calibrated"))
    four = Scenario("four", "All families")
    refused(
        "breakeven: four has the families constant, contagion, momentum, siege; say which, as family='constant'",
        four, HALF_RING,
    )  # fmt: skip
    refused("breakeven: no family 'seige' in four; did you mean 'siege'?", four, HALF_RING, family="seige")
    refused("breakeven: no parameter 'seizure.basline' in constant; did you mean 'seizure.baseline'?", PLAIN, HALF_RING,
            vary="seizure.basline")  # fmt: skip
    refused("breakeven: outcome must be one such as Pressure('half_ring'), but was 'half_ring'", PLAIN, "half_ring",
            error=TypeError)  # fmt: skip
    refused("breakeven: probability must be in (0, 1), but was 1.0", PLAIN, HALF_RING, probability=1.0)
    refused("breakeven: within must be above 0 and at most the horizon of 180 days, but was 181", PLAIN, HALF_RING, 181)
    refused("breakeven: within must be above 0 and at most the horizon of 180 days, but was 0", PLAIN, HALF_RING, 0)
    refused("breakeven: range must be two positive factors, the lower first, but was (0, 5)", PLAIN, HALF_RING,
            range=(0, 5))  # fmt: skip
    refused("breakeven: range must be two positive factors, the lower first, but was (5, 1)", PLAIN, HALF_RING,
            range=(5, 1))  # fmt: skip
    refused("breakeven: range must be a pair of numbers, but was 5", PLAIN, HALF_RING, range=5, error=TypeError)
    refused("breakeven: by must be 'factor' or 'shift', but was 'sum'", PLAIN, HALF_RING, by="sum")
    refused("breakeven: seizure.baseline is never negative, so it is not added to; use by='factor'", PLAIN, HALF_RING,
            by="shift")  # fmt: skip
    refused("breakeven: at must be 'posterior', 'maximum likelihood' or values by parameter, but was 'prior'", PLAIN,
            HALF_RING, at="prior")  # fmt: skip
    refused("breakeven: at has 'rate', no parameter of constant; known: seizure.baseline", PLAIN, HALF_RING,
            at={"rate": 1.0})  # fmt: skip
    refused(
        "breakeven: the week's count alone cannot tell the 2 free parameters of momentum; use at='posterior', or give "
        "values, at={'seizure.baseline': …}",
        four, HALF_RING, family="momentum", at="maximum likelihood",
    )  # fmt: skip
    refused("breakeven: replications must be a whole number from 100, but was 99", PLAIN, HALF_RING,
            replications=99)  # fmt: skip
    refused("breakeven: precision must be in (0, 1), but was 0", PLAIN, HALF_RING, precision=0)
    refused("breakeven: draws must be a whole number from 1, but was 0", PLAIN, HALF_RING, draws=0)
    refused("breakeven: scenario must be a Scenario, its name or path, or a Case, but was Model", steady.model,
            HALF_RING, error=TypeError)  # fmt: skip
    refused("breakeven: the case is of constant, not 'siege'; leave family out", steady, HALF_RING, family="siege")
    press = Scenario("press", "As it was reported", follows="press")
    refused("breakeven: press replays the record, which has nothing in doubt", press, HALF_RING,
            family="constant")  # fmt: skip
    with pytest.raises(ValueError, match="ControlOf: no province 'Kabull'"):
        sim.breakeven(PLAIN, ControlOf("Kabull"), seed=1)


def test_what_a_table_cannot_be_asked_is_refused(steady):
    with pytest.raises(ValueError, match="breakeven_table: give at least one case"):
        breakeven_table({}, seed=1)
    with pytest.raises(TypeError, match=r"breakeven_table: outcomes must be a list of outcomes, but was Pressure"):
        breakeven_table(steady, HALF_RING, seed=1)
    with pytest.raises(ValueError, match="breakeven_table: name at least one outcome"):
        breakeven_table(steady, [], seed=1)
    with pytest.raises(TypeError, match=r"breakeven_table: a mapping must be of family to Case, as result\.cases is"):
        breakeven_table({"constant": steady.model}, seed=1)


def test_a_start_with_everything_lost_answers_and_does_not_fail(steady, afghan):
    lost = State(dict.fromkeys(afghan.provinces, Control.INSURGENT))
    case = Case("constant", Model(afghan, {"seizure": Baseline(LogNormal(0.05, 1.0))}), steady.draws, lost, 60.0)

    assert not sim.breakeven(case, HALF_RING, seed=1).found


def test_a_probability_so_few_replications_cannot_tell_is_refused(steady):
    refused(
        "breakeven: 400,000 replications cannot tell a probability of 1e-06; it must be at least 5e-05 away from 0 "
        "and 1",
        steady, HALF_RING, probability=1e-6,
    )  # fmt: skip
    refused(
        "breakeven: 2,000 replications cannot tell a probability of 0.001; it must be at least 0.01 away from 0 and 1",
        steady, HALF_RING, probability=0.001, replications=2000,
    )  # fmt: skip
    with pytest.raises(ValueError, match="breakeven_table: most must be a whole number from 100, but was 0"):
        breakeven_table(steady, seed=1, most=0)


def test_a_rare_outcome_is_found_where_it_is(steady):
    rate = steady.draws["seizure.baseline"]
    found = sim.breakeven(steady, HALF_RING, probability=0.001, seed=2, precision=0.02)

    def chance(factor):
        return float(np.mean(special.bdtrc(2, 6, 1.0 - np.exp(-factor * rate * 30.0)))) - 0.001

    exact = optimize.brentq(chance, 1e-4, 1.0)
    assert abs(found.factor - exact) < 5.0 * found.mc_error
    assert found.mc_error < 0.05 * exact


def test_a_case_is_scaled_within_its_support(steady):
    with pytest.raises(ValueError, match=r"draws: seizure\.baseline must not be below 0"):
        steady.scaled("seizure.baseline", -1.0)
    with pytest.raises(ValueError, match="case: factor must be a finite number, but was '2'"):
        steady.scaled("seizure.baseline", "2")
