"""`sim.compare`: paired intervals that cover, what is shared and what is not, and why histories part."""

# ruff: noqa: E501 - a message stands whole, so that it can be searched for.

from __future__ import annotations

import itertools
import json
import math
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import nightly
from exact import at_least, exponential
from hypothesis import assume, given, settings
from scipy import optimize
from strategies import STORM, Case, cases

import sim
from sim.control import TRANSITIONS, Control, State
from sim.ensemble import Ensemble
from sim.explore import Comparison, paired_difference
from sim.explore.causes import Cause
from sim.explore.paired import difference_of_means
from sim.families import contagion, siege
from sim.following import Follower
from sim.hazards import Baseline, Calendar, Custom, CutOff, Frailty, Hazard, Momentum
from sim.model import Draws, Model
from sim.outcomes import Captured, FullControl, Pressure
from sim.priors import HalfNormal, LogNormal, Normal
from sim.theatre import Theatre

NAMES = tuple("ABCDEFGH")
EIGHT = Theatre(NAMES, itertools.pairwise(NAMES), [(a, b, "trunk") for a, b in itertools.pairwise(NAMES)], hub="A")
PRIOR = LogNormal(0.05, 0.5)
OPEN = State({})
PACE = Model(EIGHT, {"seizure": Baseline(PRIOR)}, name="pace")
SLOWED = Model(EIGHT, {"seizure": Baseline(PRIOR) * Calendar(None, None, math.log(0.7))}, name="slowed")


def run(model: Model, draws: Any = None, **changed: Any) -> Any:
    asked = {"start": OPEN, "horizon": 40.0, "replications": 400, "seed": 1, "progress": False} | changed
    return sim.simulate(model, draws, **asked)


# --------------------------------------------------------------------------------- intervals cover as often as said

THREE, WITHIN, HORIZON = Captured(3), 14.0, 40.0
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(40)


def chance(days: float, pace: float, spread: float) -> float:
    """Return P(three of eight lost within *days*) at a log-normal pace, the median of which is *pace*."""
    rates = pace * np.exp(spread * _NODES)
    return float(_WEIGHTS @ [at_least(3, 8, exponential(rate, days)) for rate in rates] / _WEIGHTS.sum())


def truth(spread: float) -> dict[str, float]:
    """Return in closed form what a pace of 0.7 makes of the probability, the restricted mean and the median day."""
    grid = np.linspace(0.0, HORIZON, 401)

    def answers(pace: float) -> tuple[float, float, float]:
        survival = [1.0 - chance(day, pace, spread) for day in grid]
        median = optimize.brentq(lambda day: chance(day, pace, spread) - 0.5, 0.1, HORIZON)
        return 1.0 - survival[140], float(np.trapezoid(survival, grid)), float(median)

    before, after = answers(0.05), answers(0.05 * 0.7)
    return dict(zip(("probability", "days", "median"), np.subtract(after, before).tolist(), strict=True))


def one_draw(seed: int) -> tuple[Ensemble, Ensemble]:
    draw = {"seizure.baseline": 0.05}
    return run(PACE, draw, seed=seed), run(SLOWED, draw, seed=seed)


def draws_paired(seed: int) -> tuple[Ensemble, Ensemble]:
    return tuple(run(model, model.draw_prior(100, seed=seed), seed=seed) for model in (PACE, SLOWED))  # type: ignore[return-value]


def streams_alone(seed: int) -> tuple[Ensemble, Ensemble]:
    """Draws of 100 and of 80 rows, of other seeds."""
    mine, its = PACE.draw_prior(100, seed=seed), SLOWED.draw_prior(80, seed=seed + 10**6)
    return run(PACE, mine, seed=seed), run(SLOWED, its, seed=seed)


@pytest.mark.parametrize(
    ("runs", "spread", "paired"),
    [(one_draw, 0.0, "draws and streams"), (draws_paired, 0.5, "draws and streams"), (streams_alone, 0.5, "streams")],
)
def test_an_interval_of_95_per_cent_covers_93_to_97_in_a_thousand_repeats(
    runs: Callable[[int], tuple[Ensemble, Ensemble]], spread: float, paired: str
) -> None:
    repeats = nightly(1000, 40)
    true, hits = truth(spread), dict.fromkeys(("probability", "days", "median"), 0)
    for seed in range(repeats):
        found = sim.compare(*runs(seed), outcome=THREE, within=WITHIN)
        for row in found.rows:
            hits[row.quantity] += row.low <= true[row.quantity] <= row.high
            assert paired == row.paired
    print(f"\n{runs.__name__}: covered, of {repeats}: {hits}")

    # Of 40 repeats at 95%, 32 or fewer happen once in 1,500 (binomial); of a thousand, 930 to 970 are three standard
    # deviations (of 6.9) to either side.
    least, most = (930, 970) if repeats == 1000 else (33, 40)
    assert all(least <= count <= most for count in hits.values())


# -------------------------------------------------------------------------------------------------- the arithmetic


def test_the_variance_of_a_difference_is_that_of_draws_as_clusters() -> None:
    rng = np.random.default_rng(1)
    draw = np.arange(600) % 20
    one = rng.normal(size=20)[draw] + rng.normal(size=600)
    other = one + 0.1 * rng.normal(size=20)[draw] + 0.1 * rng.normal(size=600)
    found = difference_of_means(one, other, {20: draw}, {20: draw}, most=1.0)

    def by_draw(values: np.ndarray) -> float:
        return float(np.var([values[draw == d].mean() for d in range(20)], ddof=1) / 20)

    assert found.value == pytest.approx((other - one).mean(), rel=1e-12)
    assert found.mc_error == pytest.approx(math.sqrt(by_draw(other - one)), rel=1e-12)
    assert found.variance_ratio == pytest.approx((by_draw(one) + by_draw(other)) / by_draw(other - one), rel=1e-12)
    # 2.0930 is Student's 97.5% point for 19 degrees of freedom.
    assert found.high - found.value == pytest.approx(2.0930240544 * found.mc_error, rel=1e-9)


def test_with_one_draw_replications_stand_alone() -> None:
    one, other = np.array([1.0, 2.0, 4.0, 8.0]), np.array([1.5, 2.0, 5.0, 9.0])
    found = difference_of_means(one, other, {}, {}, most=1.0)

    assert found.mc_error == pytest.approx(np.std(other - one, ddof=1) / 2.0, rel=1e-12)


def test_no_pair_that_differs_is_not_certainty() -> None:
    same = np.zeros(98)
    found = difference_of_means(same, same, {}, {}, most=40.0)

    # One unseen pair of a hundred, by as much as can be: 40 sqrt(1/100/98).
    assert found.mc_error == pytest.approx(40.0 * math.sqrt(1 / 100 / 98))
    assert 0.0 == found.value
    assert math.isnan(found.variance_ratio)


def test_a_model_and_itself_differ_in_nothing_for_certain() -> None:
    found = sim.compare(run(PACE, {"seizure.baseline": 0.05}), run(PACE, {"seizure.baseline": 0.05}), outcome=THREE)

    assert {(0.0, 0.0, 0.0, 0.0)} == {(row.difference, row.low, row.high, row.mc_error) for row in found.rows}
    assert ("pace is the same in pace and pace (2), draws and all: nothing can differ",) == found.notes


def test_clusters_of_two_kinds_are_crossed() -> None:
    rng = np.random.default_rng(2)
    numbers = np.arange(5900)
    ones, others = {59: numbers % 59}, {50: numbers % 50}
    one, other = rng.normal(size=59)[numbers % 59], rng.normal(size=50)[numbers % 50]
    found = difference_of_means(one, other, ones, others, most=1.0)
    apart = difference_of_means(one, np.zeros(5900), ones, {}, most=1.0).mc_error, difference_of_means(other, np.zeros(5900), others, {}, most=1.0).mc_error  # fmt: skip

    # Draws that share nothing: the variance is the sum of both, but for their crossing, and nothing is saved.
    assert found.mc_error == pytest.approx(math.hypot(*apart), rel=0.02)
    assert found.variance_ratio == pytest.approx(1.0, rel=0.04)


def test_the_table_holds_what_projections_say() -> None:
    one, other = one_draw(3)
    found = sim.compare(one, other, outcome=(THREE, FullControl()), within=(7, 14))
    first, second = THREE(one), THREE(other)
    rows = {(row.outcome, row.quantity, row.within_days): row for row in found.rows if row.quantity == "probability"}
    rows |= {(row.outcome, row.quantity): row for row in found.rows}

    row = rows["captured_3", "probability", 14.0]
    assert (first.probability(14).value, second.probability(14).value) == (row.base_value, row.other_value)
    days, median = rows["captured_3", "days"], rows["captured_3", "median"]
    assert (first.restricted_mean, second.restricted_mean) == pytest.approx((days.base_value, days.other_value))
    assert (first.median, second.median) == (median.base_value, median.other_value)
    assert all(row.difference == pytest.approx(row.other_value - row.base_value) for row in (row, days, median))
    beyond = rows["full_control", "median"]
    assert math.isinf(beyond.other_value) and math.isnan(beyond.difference) and math.isnan(beyond.low)
    assert "beyond the horizon" in found.summary()


def test_a_difference_of_two_runs_is_that_of_their_comparison() -> None:
    one, other = draws_paired(5)
    plain = paired_difference(one, other, THREE, within=14.0)
    row = sim.compare(one, other, outcome=THREE, within=14.0).rows[0]

    assert tuple(plain) == (row.difference, row.mc_error, row.variance_ratio, row.low, row.high)


def test_what_is_saved_is_what_independent_runs_would_cost() -> None:
    # One draw: 400 repeats of independent pairs scatter this much more than paired ones; ratios of variances of 400
    # have a standard error of 10%.
    draw = {"seizure.baseline": 0.05}
    days = [
        [np.minimum(run(model, draw, seed=seed).first_passage(THREE.watch(EIGHT)), HORIZON).mean() for seed in range(401)]
        for model in (PACE, SLOWED)
    ]  # fmt: skip
    before, after = np.array(days)
    scatter = np.var(after[1:] - before[:-1]) / np.var(after - before)
    told = sim.compare(*one_draw(1), outcome=THREE).rows[-2].variance_ratio

    assert told == pytest.approx(scatter, rel=0.4)


# --------------------------------------------------------------------------------------------------- what is shared


def trend(name: str = "trend", **changed: Any) -> sim.Scenario:
    return sim.Scenario(name, name, **{"families": ("constant", "momentum"), "horizon": 60.0, **changed})


LEVER = {"seizure": Calendar("2021-08-15", "2021-08-25", Normal(-0.5, 0.1), label="air")}


@pytest.fixture(scope="module")
def memory() -> dict[str, Any]:
    return {}


def test_scenarios_are_compared_family_by_family_and_pooled(memory: dict[str, Any]) -> None:
    found = sim.compare(
        trend(), trend().but("air", "air", levers=LEVER), seed=3, replications=400, memory=memory, why=True
    )

    assert ["constant", "momentum", "pooled"] == list(dict.fromkeys(row.family for row in found.rows))
    assert {"draws and streams"} == {row.paired for row in found.rows}
    assert (3, 7, 14, 30) == tuple(row.within_days for row in found.rows[:4])
    assert () == found.notes
    assert [60.0] == [row.within_days for row in found.of(family="pooled") if row.outcome == "full_control"][:1]
    # The pooled difference is the mean of the families', and no better known than its pairs allow.
    by = {family: found.of("air", family)[0] for family in ("constant", "momentum", "pooled")}
    assert by["pooled"].difference == pytest.approx((by["constant"].difference + by["momentum"].difference) / 2)
    assert by["pooled"].mc_error <= (by["constant"].mc_error + by["momentum"].mc_error) / 2 * (1 + 1e-12)
    assert ["constant", "momentum"] == [parting.family for parting in found.why]
    assert {Cause("seizure", "calendar.air", "in air only")} == {row.cause for each in found.why for row in each.rows}
    json.dumps(found.plain(), allow_nan=False)


def test_ten_lines_of_the_users_code_are_enough(memory: dict[str, Any]) -> None:
    base = sim.Scenario("trend", "As it went", families=("constant",))
    quiet = base.but("quiet", "A quiet week", levers={"seizure": Calendar("2021-08-13", "2021-08-20", -1.0)})
    found = sim.compare(base, quiet, seed=3, replications=400, memory=memory)

    assert (
        "quiet less trend: 400 pairs, seed 3, 95% intervals, shared: draws and streams"
        == found.summary().splitlines()[0]
    )
    assert "<Comparison of quiet with trend: 400 pairs, 11 rows>" == repr(found)
    assert all(row.low <= row.difference <= row.high for row in found.rows if not math.isnan(row.difference))
    assert found.rows[1].difference < 0.0 and found.rows[1].variance_ratio > 1.0


def test_families_that_one_has_alone_are_told_and_left_out(memory: dict[str, Any]) -> None:
    more = trend("more", families=("constant", "contagion"))
    found = sim.compare(trend(), more, seed=3, replications=60, memory=memory)

    assert {"constant"} == {row.family for row in found.rows}
    assert "trend has momentum, which more has not: left out" in found.notes
    assert "more has contagion, which trend has not: left out" in found.notes


def test_without_a_family_in_common_pooled_answers_share_streams_alone(memory: dict[str, Any]) -> None:
    found = sim.compare(
        trend(), trend("sweep", families=("contagion",)), seed=3, replications=60, memory=memory, why=True
    )

    assert {("pooled", "streams")} == {(row.family, row.paired) for row in found.rows}
    assert (
        "trend and sweep share no family: their pooled answers are compared, with streams shared alone",
    ) == found.notes
    assert () == found.why


def test_the_record_is_a_constant(memory: dict[str, Any]) -> None:
    happened = trend("happened", follows="press")
    found = sim.compare(trend(), happened, outcome=Pressure("half_ring"), seed=3, replications=400, memory=memory)
    row = found.of(family="constant")[0]

    assert {"constant", "momentum", "pooled"} == {row.family for row in found.rows}
    assert 1.0 == row.other_value and row.difference == pytest.approx(1.0 - row.base_value)
    assert row.paired == "nothing: the record has no chance"
    assert row.variance_ratio == pytest.approx(1.0)
    assert ("happened is what is on record: one history, compared as a constant",) == found.notes
    back = sim.compare(happened, trend(), outcome=Pressure("half_ring"), seed=3, replications=400, memory=memory)
    assert [row.difference for row in found.rows] == [-row.difference for row in back.rows]


def test_results_are_compared_without_running_them_again(memory: dict[str, Any]) -> None:
    air = trend().but("air", "air", levers=LEVER)
    before, after = (each.run(seed=3, replications=400, memory=memory) for each in (trend(), air))

    told = sim.compare(trend(), air, seed=3, replications=400, memory=memory)
    assert sim.compare(before, after).plain() == told.plain()


def test_scenarios_are_named_or_read_from_files(tmp_path: Path, memory: dict[str, Any]) -> None:
    script = tmp_path / "slow.py"
    script.write_text(
        "import sim\nfrom sim.hazards import Calendar\n"
        "SCENARIO = sim.load_scenario('thirty_days').but('slow', 'Slow', families=('constant',), "
        "levers={'seizure': Calendar(None, None, -0.5)})\n"
    )
    found = sim.compare("thirty_days", script, outcome=THIRD, seed=3, replications=40, memory=memory)

    assert ("thirty_days", ("slow",)) == (found.base, found.others)
    assert {"constant"} == {row.family for row in found.rows}


def test_progress_is_told(memory: dict[str, Any]) -> None:
    told: list[str] = []
    sim.compare(
        trend(), trend("same"), seed=3, replications=40, memory=memory, progress=lambda what, share: told.append(what)
    )

    assert {"trend: projecting constant", "same: projecting momentum", "same: comparing pooled"} <= set(told)


def test_several_others_are_each_compared_with_the_base(memory: dict[str, Any]) -> None:
    one = trend(families=("constant",))
    others = [one.but(f"slow {k}", "", levers={"seizure": Calendar(None, None, -0.1 * k)}) for k in (1, 2)]
    found = sim.compare(one, *others, outcome=THIRD, within=7, seed=3, replications=100, memory=memory)

    assert ("slow 1", "slow 2") == found.others
    assert found.of("slow 2")[1].difference > found.of("slow 1")[1].difference > 0.0


THIRD = Captured(14)


def test_draws_that_do_not_go_together_are_no_pairs() -> None:
    mine, its = PACE.draw_prior(50, seed=1), SLOWED.draw_prior(50, seed=2)
    found = sim.compare(run(PACE, mine), run(SLOWED, its), outcome=THREE)

    assert {"streams"} == {row.paired for row in found.rows}
    assert 1 == len(found.notes)
    assert found.notes[0].startswith(
        "pace and slowed: streams are shared, draws are not: seizure.baseline goes its own way in each (rank correlation "
    )


def test_draws_are_no_pairs_if_there_are_other_numbers_of_them_or_no_name_in_common() -> None:
    fewer = run(SLOWED, SLOWED.draw_prior(40, seed=1))
    base = run(PACE, PACE.draw_prior(50, seed=1))
    strange = Model(EIGHT, {"assault": Baseline(PRIOR), "fall": Baseline(PRIOR)}, contested=0.0, name="strange")

    assert ("pace and slowed: streams are shared, draws are not: there are 50 and 40",) == sim.compare(
        base, fewer
    ).notes
    assert (
        "pace and strange: streams are shared, draws are not: no parameter has a name that both know",
    ) == sim.compare(base, run(strange, strange.draw_prior(50, seed=1))).notes


def test_scaled_draws_are_pairs_still() -> None:
    draws = PACE.draw_prior(50, seed=1)
    halved = Draws(draws.names, draws.values * 0.5)

    assert {"draws and streams"} == {row.paired for row in sim.compare(run(PACE, draws), run(PACE, halved)).rows}


def test_theatres_that_differ_in_links_or_columns_are_compared_and_told() -> None:
    other = Theatre(
        NAMES, itertools.pairwise("ABCDEFG"), [*EIGHT.roads, ("A", "C", "trunk")], hub="A", columns={"x": range(8)}
    )
    found = sim.compare(run(PACE, PACE.draw_prior(5, seed=1)), run(Model(other, PACE.hazards, name="pace"), PACE.draw_prior(5, seed=1)), outcome=(Pressure("neighbour"), Pressure("isolated")))  # fmt: skip

    assert (
        "the theatres differ in borders: G – H in pace only",
        "the theatres differ in roads: A – C in pace (2) only",
        "the theatres differ in the column x",
        "isolated asks for other capitals, or more of them, in pace (2): its theatre is another",
    ) == found.notes
    assert found.rows[0].difference == 0.0


def test_a_replication_that_failed_leaves_its_pair_out() -> None:
    def breaks(world: Any) -> Any:
        yield world.env.timeout(1)
        if world.replication == 7:
            raise RuntimeError("lost the thread")

    base = run(PACE, {"seizure.baseline": 0.05}, replications=20)
    with pytest.warns(RuntimeWarning, match="1 of 20 replications failed"):
        broken = run(PACE, {"seizure.baseline": 0.05}, replications=20, engine=sim.SimPyEngine([breaks]))
    found = sim.compare(base, broken, outcome=THREE)

    assert 19 == found.pairs
    assert ("1 pairs are left out, of which one failed",) == found.notes
    assert {0.0} == {row.difference for row in found.rows if not math.isnan(row.difference)}


# -------------------------------------------------------------------------------------------------- why they part


@settings(max_examples=nightly(300), deadline=None)
@given(cases())
def test_a_hazard_followed_along_a_history_spends_the_clocks_budget_by_its_event(case: Case) -> None:
    assume(case.draws.values.max() < STORM)  # where digits decide
    runs = case.run()
    follower = Follower(runs.recipe)
    for row, number in enumerate(runs.numbers.tolist()):
        begin, end = runs.offsets[row], runs.offsets[row + 1]
        for e in range(begin, min(end, begin + 6)):
            log = [getattr(runs, name)[begin:e].tolist() for name in ("day", "province", "transition")]
            r, p, day = int(runs.transition[e]), int(runs.province[e]), float(runs.day[e])
            found = follower.follow(number, *log, r, p, day)
            running = (found.begin >= found.fresh) & (found.control[:, p] == TRANSITIONS[runs.transitions[r]].source)
            spent = np.diff(np.append(found.begin, day)) * running @ found.factors.prod(axis=1)

            assert spent == pytest.approx(follower.budget(number, r, p, found.fired), rel=1e-6, abs=1e-9)


def random_theatre(seed: int) -> tuple[Theatre, Theatre, tuple[str, str]]:
    """Return a connected theatre of 8 to 12 provinces, the same less one border, and that border."""
    rng = random.Random(seed)
    names = [f"P{k:02d}" for k in range(rng.randint(8, 12))]
    pairs = {(names[rng.randrange(k)], names[k]) for k in range(1, len(names))}
    pairs |= set(rng.sample(list(itertools.combinations(names, 2)), len(names)))
    roads = [(a, b, "trunk") for a, b in itertools.pairwise(names)]
    lost = rng.choice(sorted(pairs))
    return (
        Theatre(names, sorted(pairs), roads, hub="P00"),
        Theatre(names, sorted(pairs - {lost}), roads, hub="P00"),
        lost,
    )


@pytest.mark.parametrize("seed", range(nightly(40, 4)))
@pytest.mark.parametrize(("family", "transition"), [(contagion, "seizure"), (siege, "assault")])
def test_a_planted_change_of_one_link_is_the_first_cause_in_99_of_100_pairs(
    seed: int, family: Callable[[Theatre], Model], transition: str
) -> None:
    whole, less, (a, b) = random_theatre(seed)
    start = State({a: Control.INSURGENT})
    draws = family(whole).draw_prior(100, seed=seed)
    one, other = (run(family(theatre), draws, start=start, replications=500, seed=seed) for theatre in (whole, less))
    (found,) = sim.compare(one, other, outcome=Captured(4), why=True).why
    link = Cause(transition, "neighbours.border", f"border {a} – {b} in {family.__name__} only")
    named = [parting.causes[0][0] == link for parting in found.each]

    assert 100 < found.parted
    assert 0.99 * found.parted <= sum(named)
    assert {a, b} >= {parting.province for parting in found.each}
    assert link == found.rows[0].cause and 0.99 <= found.rows[0].share


def test_a_planted_road_is_named_where_it_cuts_off() -> None:
    less = Theatre(
        NAMES, EIGHT.borders, [r for r in EIGHT.roads if (r.a, r.b) != ("F", "G")] + [("A", "H", "trunk")], hub="A"
    )
    draw = {"seizure.baseline": 0.05, "seizure.cutoff": 1.5}
    models = [
        Model(theatre, {"seizure": Baseline(PRIOR) * CutOff(HalfNormal(1.0))}, name="cut") for theatre in (EIGHT, less)
    ]
    (found,) = sim.compare(*(run(model, draw) for model in models), outcome=THREE, why=True).why

    assert {"road F – G in cut only, road A – H in cut (2) only"} == {row.cause.what for row in found.rows}


def test_a_planted_calendar_is_the_cause_also_after_it_is_over() -> None:
    hazards = {"seizure": Baseline(PRIOR) * Momentum(0.5)}
    base = Model(EIGHT, hazards, name="base")
    quiet = Model(EIGHT, {"seizure": base.hazards["seizure"] * Calendar(3, 6, -1.0, ("C",))}, name="quiet")
    draws = base.draw_prior(50, seed=2)
    (found,) = sim.compare(run(base, draws), run(quiet, draws), outcome=THREE, why=True).why

    assert {Cause("seizure", "calendar", "in quiet only")} == {row.cause for row in found.rows}
    assert {"C"} == {parting.province for parting in found.each}
    assert all(parting.day >= 3.0 for parting in found.each)
    assert any(parting.day > 10.0 for parting in found.each)
    # Those in which C falls before it begins, or not at all, are one history.
    assert found.same == found.pairs - len(found.each) > 0


@pytest.mark.parametrize("parameter", ["seizure.neighbours.border", "seizure.neighbours.road", "seizure.baseline"])
def test_a_change_of_one_value_by_a_tenth_is_the_cause(parameter: str) -> None:
    model = contagion(EIGHT)
    draws = model.draw_prior(50, seed=2)
    factor = [1.1 if name == parameter else 1.0 for name in draws.names]
    runs = [run(model, each) for each in (draws, Draws(draws.names, draws.values * factor))]
    (found,) = sim.compare(*runs, outcome=THREE, why=True).why

    term = parameter.removeprefix("seizure.")
    assert [Cause("seizure", term, "its value")] == [row.cause for row in found.rows]
    assert (1.0, 1.0) == pytest.approx((found.rows[0].share, found.rows[0].first))


def test_two_causes_share_by_the_operational_time_in_which_they_count() -> None:
    theatre = Theatre(["A"])
    base = Model(theatre, {"seizure": Baseline(0.2)}, name="base")
    both = Model(
        theatre,
        {"seizure": Baseline(0.2) * Calendar(0, 2, 0.6, label="x") * Calendar(1, 3, -0.9, label="y")},
        name="both",
    )
    (found,) = sim.compare(run(base), run(both), outcome=Captured(1), why=True).why
    checked = 0
    for parting in found.each:
        spans = np.clip([parting.day, parting.day - 1, parting.day - 2], 0, 1)
        logs = np.array([0.6, -0.3, -0.9])
        mean = np.expm1(logs) / logs  # the logarithmic mean of 1 and exp(log)
        x = 0.6 * (spans * mean)[:2].sum()
        y = 0.9 * (spans * mean)[1:].sum()
        shares = {cause.term: share for cause, share in parting.causes}
        assert x / (x + y) == pytest.approx(shares["calendar.x"], rel=1e-6)
        checked += "calendar.y" in shares

    assert 100 < checked


def test_pairs_with_one_history_are_counted_and_have_no_cause() -> None:
    (found,) = sim.compare(*(run(PACE, {"seizure.baseline": 0.05}) for _ in range(2)), outcome=THREE, why=True).why

    assert (400, 0, ()) == (found.same, found.parted, found.rows)
    assert "why pace (2) and pace part, pace: 0 of 400 pairs do; 400 have the same history" == found.summary()


def test_a_transition_of_one_model_is_named() -> None:
    back = Model(EIGHT, {**PACE.hazards, "recapture": Baseline(0.1) * Momentum(0.2)}, name="back")
    draw = {"seizure.baseline": 0.05}
    (found,) = sim.compare(run(PACE, draw), run(back, draw), outcome=THREE, why=True).why

    assert [Cause("recapture", "baseline", "transition in back only")] == [row.cause for row in found.rows]
    assert {"back"} == {parting.where for parting in found.each}


def test_control_at_the_start_is_a_cause() -> None:
    hazards = {"assault": Baseline(0.1), "fall": Baseline(0.2)}
    one, other = (Model(EIGHT, hazards, contested=chance, name="contests") for chance in (0.0, 0.2))
    (found,) = sim.compare(run(one), run(other), outcome=THREE, why=True).why

    assert [Cause("", "start.contested", "control at the start")] == [row.cause for row in found.rows]
    assert {0.0} == {parting.day for parting in found.each}
    # One of eight is contested in 1 - 0.8^8 = 83% of pairs; four standard errors.
    assert 0.832 == pytest.approx(found.parted / 400, abs=0.075)


def test_processes_are_the_cause_where_the_law_says_the_same() -> None:
    def quiet(world: Any) -> Any:
        yield world.env.timeout(2)
        world.scale("C", "seizure", 0.2)

    def fierce(world: Any) -> Any:
        yield world.env.timeout(2)
        world.scale("C", "seizure", 3.0)

    draw = {"seizure.baseline": 0.05}
    beside = run(PACE, draw, engine=sim.SimPyEngine([quiet]), replications=200)
    (found,) = sim.compare(run(PACE, draw, replications=200), beside, outcome=THREE, why=True).why

    assert [Cause("", "processes", "in pace (2)")] == [row.cause for row in found.rows]
    assert {"C"} == {parting.province for parting in found.each}
    # Where the event is of the run with the process, the budget says how much the process did: here, with a lever.
    more = run(SLOWED, draw, engine=sim.SimPyEngine([fierce]), replications=200)
    (found,) = sim.compare(run(PACE, draw, replications=200), more, outcome=THREE, why=True).why
    both = [parting for parting in found.each if parting.where == "slowed"]
    assert {2} == {len(parting.causes) for parting in both}
    for parting in both:
        # Slowed from day 0 on: 0.05 for less 0.035; hastened from day 2: 3 x 0.035 less 0.035.
        law, process = 0.015 * parting.day, 0.07 * (parting.day - 2.0)
        assert process / (law + process) == pytest.approx(
            dict(parting.causes)[Cause("", "processes", "in slowed")], rel=1e-6
        )


def test_custom_terms_and_frailties_are_followed() -> None:
    def fierce(time: float, control: Any, province: str) -> float:
        return 2.0 if control["A"] is Control.INSURGENT else 1.0

    base = Model(EIGHT, {"seizure": Baseline(0.05) * Frailty(0.5)}, name="base")
    more = Model(EIGHT, {"seizure": Baseline(0.05) * Frailty(0.5) * Custom(fierce)}, name="more")
    (found,) = sim.compare(
        *(run(model, replications=150, engine=sim.SimPyEngine()) for model in (base, more)), outcome=THREE, why=True
    ).why

    assert {Cause("seizure", "custom", "in more only")} == {row.cause for row in found.rows}
    assert "A" not in {parting.province for parting in found.each}


def test_causes_are_found_for_so_many_pairs_as_asked_and_that_is_told() -> None:
    draws = PACE.draw_prior(50, seed=2)
    (found,) = sim.compare(run(PACE, draws), run(SLOWED, draws), outcome=THREE, why=True, why_pairs=30).why

    assert 30 == len(found.each) < found.parted
    assert "(causes of the first 30)" in found.summary()
    assert {"explained": 30, "parted": found.parted}.items() <= found.plain().items()


@settings(max_examples=nightly(100), deadline=None)
@given(cases())
def test_every_parting_of_any_model_has_a_cause(case: Case) -> None:
    assume(case.draws.values.max() < STORM)
    one = case.run(replications=range(4))
    hazards = {
        name: Hazard((*hazard.terms, Calendar(0.5, None, -0.4, label="planted")))
        for name, hazard in case.model.hazards.items()
    }
    model = Model(case.model.theatre, hazards, case.model.contested, "planted")
    other = case.run(model=model, replications=range(4))
    (found,) = sim.compare(one, other, outcome=Captured(1), why=True).why

    for parting in found.each:
        assert 1.0 == pytest.approx(sum(share for _, share in parting.causes))
        assert {"calendar.planted"} == {cause.term for cause, _ in parting.causes}


# ------------------------------------------------------------------------------------------------------- bad calls

DRAW = {"seizure.baseline": 0.05}


def ground(**changed: Any) -> Callable[[], Comparison]:
    """Return a comparison of a run with another of which something is *changed*."""
    return lambda: sim.compare(run(PACE, DRAW, replications=2), run(PACE, DRAW, **({"replications": 2} | changed)))


def elsewhere() -> Comparison:
    return sim.compare(run(PACE, DRAW), run(Model(Theatre([*NAMES, "I"], hub="A"), PACE.hazards), DRAW))


def two(**changed: Any) -> Callable[[], Comparison]:
    runs = run(PACE, DRAW, replications=2), run(PACE, DRAW, replications=2)
    return lambda: sim.compare(*runs, **changed)


def watched() -> Comparison:
    return sim.compare(
        *(run(PACE, DRAW, record="outcomes", outcomes=[THREE]) for _ in range(2)), outcome=THREE, why=True
    )


BAD: dict[str, tuple[Callable[[], object], type[Exception], str]] = {
    "no other": (lambda: sim.compare(trend(), seed=1), TypeError, "compare: give at least one other to compare with the base"),
    "no seed": (lambda: sim.compare(trend(), trend()), TypeError, "compare: scenarios are run with a seed, and there is no default; give seed=…"),
    "odd seed": (lambda: sim.compare(trend(), trend(), seed=-1), ValueError, "seed must be a non-negative integer, but was -1"),
    "another seed": (ground(seed=2), ValueError, "compare: pace and pace (2) differ in their seed: 1 and 2; make both the same but what is compared"),
    "another horizon": (ground(horizon=30), ValueError, "compare: pace and pace (2) differ in their horizon: 40 and 30 days; make both the same but what is compared"),
    "another start": (ground(start=State({"B": Control.INSURGENT})), ValueError, "compare: pace and pace (2) differ in their start: control of B; make both the same but what is compared"),
    "another sight": (ground(start=State({}, sighted=frozenset("A"))), ValueError, "compare: pace and pace (2) differ in their start: whose control was seen; make both the same but what is compared"),
    "other replications": (ground(replications=3), ValueError, "compare: pace and pace (2) differ in their replications: 2 and 3 of them, or others; run the same ones"),
    "one replication": (lambda: sim.compare(*(run(PACE, DRAW, replications=1) for _ in range(2))), ValueError, "compare: pace and pace (2) must have two replications in common at least, but have 1"),
    "another theatre": (elsewhere, ValueError, "compare: pace and model differ in their theatre: I is in one of them only; make both the same but what is compared"),
    "scenarios' horizons": (lambda: sim.compare(trend(), trend("long", horizon=90.0), seed=1), ValueError, "compare: trend and long differ in their horizon: 60 and 90 days; make both the same but what is compared"),
    "scenarios' starts": (lambda: sim.compare(trend(), trend("late", seen_from="2021-08-13"), seed=1), ValueError, "compare: trend and late differ in their start: 2021-08-13 00:00:00 and 2021-08-14 00:00:00; make both the same but what is compared"),
    "two records": (lambda: sim.compare(trend(follows="press"), trend("best", follows="best_date"), seed=1), ValueError, "compare: trend and best are both the record, in which there is no chance; subtract them"),
    "two kinds": (lambda: sim.compare(trend(), run(PACE, DRAW), seed=1), TypeError, "compare: base and others must all be scenarios, all results or all runs, but were run and scenario"),
    "no scenario": (lambda: sim.compare(trend(), 7, seed=1), TypeError, "compare: it takes scenarios or their names, results, or runs such as simulate(…) gives, but was given 7"),
    "no outcome": (two(outcome="half_ring"), TypeError, "compare: outcome must be one such as Pressure('half_ring'), or several, but was 'half_ring'"),
    "outcome twice": (two(outcome=[THREE, THREE]), ValueError, "compare: outcome must be one at least, each once, but was captured_3, captured_3"),
    "outcome of none": (two(outcome=[]), ValueError, "compare: outcome must be one at least, each once, but was none"),
    "too much asked": (two(outcome=Captured(9)), ValueError, "Captured: at_least must not exceed the 8 provinces, but was 9"),
    "beyond": (two(within=41), ValueError, "compare: within must be from 0 to the horizon of 40 days, but was 41"),
    "no day": (two(within="7"), ValueError, "compare: within must be from 0 to the horizon of 40 days, but was '7'"),
    "nan": (two(within=[7, math.nan]), ValueError, "compare: within must be from 0 to the horizon of 40 days, but was nan"),
    "two seeds": (two(seed=2), ValueError, "compare: the runs have the seed 1, but seed=2 was given; leave it out"),
    "runs with replications": (two(replications=9), TypeError, "compare: runs are compared as they are, so replications= has no use; leave it out"),
    "no pairs": (two(why=True, why_pairs=0), ValueError, "compare: why_pairs must be a whole number from 1, but was 0"),
    "one of a scenario": (lambda: sim.compare(trend(), trend(), seed=1, replications=1), ValueError, "compare: replications must be a whole number from 2, but was 1"),
    "no events": (watched, TypeError, "compare: why=True needs the events of pace; simulate it with record='events'"),
    "no such other": (lambda: two(outcome=THREE)().of("pacc"), ValueError, "comparison: nothing is called 'pacc' here; did you mean 'pace (2)'?"),
    "no such name": (lambda: sim.compare("thirty_day", trend(), seed=1), ValueError, "did you mean 'thirty_days'?"),
    "paired, other seed": (lambda: paired_difference(run(PACE, DRAW), run(PACE, DRAW, seed=2), THREE), ValueError, "paired_difference: the runs differ in their seed: 1 and 2; make both the same but the model"),
    "paired, other replications": (lambda: paired_difference(run(PACE, DRAW), run(PACE, DRAW, replications=9), THREE), ValueError, "paired_difference: the runs differ in their replications; make both the same but the model"),
}  # fmt: skip


@pytest.mark.parametrize("mistake", BAD)
def test_a_bad_comparison_is_refused_with_a_message_that_says_which(mistake: str) -> None:
    call, error, message = BAD[mistake]
    with pytest.raises(error) as caught:
        call()

    assert message in str(caught.value)
