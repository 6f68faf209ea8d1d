"""Likelihoods against closed forms, brute-force integration over orders, and the joint master equation."""

from __future__ import annotations

import itertools
import math
from datetime import date

import exact
import numpy as np
import pytest
from scipy import linalg
from small_records import (
    FIGHT,
    LEVEL,
    ORIGIN,
    PLAIN,
    SEEN,
    captured,
    density,
    fight,
    integral,
    joint,
    log_likelihood,
    sightings_of,
    theatre,
    week,
    when,
)

import sim
from sim import chains
from sim.hazards import (
    Baseline,
    Calendar,
    Covariate,
    Custom,
    CutOff,
    Frailty,
    Momentum,
    Neighbours,
    PullBack,
    Reserves,
)
from sim.likelihood import likelihood
from sim.lowering import lower
from sim.maxima import maximum_likelihood, profile_interval
from sim.priors import HalfNormal, LogNormal
from sim.record import Record, Sighting

#: Hazards in the library's words and the exact solver's.
HAZARDS = {
    "constant": (Baseline(0.3), [("baseline", 0.3)]),
    "contagion": (Baseline(0.3) * Neighbours(1.7), [("baseline", 0.3), ("neighbours", 1.7, "border")]),
    "momentum": (Baseline(0.3) * Momentum(2.5), [("baseline", 0.3), ("momentum", 2.5)]),
    "cut-off": (Baseline(0.3) * CutOff(0.9), [("baseline", 0.3), ("cutoff", 0.9, 0, ("track",))]),
    "covariate": (
        Baseline(0.3) * Covariate("level", 0.4),
        [("baseline", 0.3), ("covariate", 0.4, [(x - 2 / 3) / math.sqrt(78 / 27) for x in LEVEL])],
    ),
    "calendar inside a day": (
        Baseline(0.3) * Calendar("2021-08-06T09:00", "2021-08-07T15:00", 0.7) * Momentum(1.0),
        [("baseline", 0.3), ("calendar", 9 / 24, 39 / 24, 0.7, None), ("momentum", 1.0)],
    ),
    "calendar of one province": (
        Baseline(0.3) * Calendar("2021-08-06T09:00", None, -0.7, provinces=("B",)),
        [("baseline", 0.3), ("calendar", 9 / 24, None, -0.7, (1,))],
    ),
    "pull-back by count": (
        Baseline(0.3) * PullBack(("C",), 1, hold=-0.8, abandon=0.5),
        [("baseline", 0.3), ("pullback", (2,), ("lost", 1), -0.8, 0.5)],
    ),
}
#: Intervals in days: overlapping, nested, touching, one capital not captured.
WEEKS = {
    "one day": [(0.0, 1.0), (0.0, 1.0), (0.0, 1.0)],
    "overlapping": [(0.0, 1.0), (0.5, 1.75), (0.25, 2.0)],
    "touching": [(1.0, 2.0), (0.0, 1.0), None],
}


@pytest.mark.parametrize("intervals", WEEKS.values(), ids=WEEKS)
@pytest.mark.parametrize("hazard", HAZARDS)
def test_the_history_of_captures_equals_brute_force_over_the_orders(hazard, intervals):
    term, plain = HAZARDS[hazard]
    spec = exact.Spec(n=3, hazards={"seizure": plain}, **PLAIN)
    expected = integral(lambda times: density(spec, times, 3.0), intervals, list(spec.breaks(3.0)))

    assert log_likelihood(sim.Model(theatre(), {"seizure": term}), week(intervals)) == pytest.approx(
        math.log(expected), abs=1e-10
    )


@pytest.mark.parametrize("hazard", HAZARDS)
def test_exact_times_give_hazards_times_survival(hazard):
    term, plain = HAZARDS[hazard]
    spec = exact.Spec(n=3, hazards={"seizure": plain}, **PLAIN)
    times = [0.75, 2.25, None]

    found = log_likelihood(sim.Model(theatre(), {"seizure": term}), week([(t, t) if t else None for t in times]))
    assert found == pytest.approx(math.log(density(spec, times, 3.0)), abs=1e-12)


def test_an_exact_time_inside_the_interval_of_another_capture():
    term, plain = HAZARDS["contagion"]
    spec = exact.Spec(n=3, hazards={"seizure": plain}, **PLAIN)
    spans = [(0.5, 2.0), None, None]
    expected = integral(lambda times: density(spec, [times[0], 1.25, None], 3.0), spans, [1.25])

    found = log_likelihood(sim.Model(theatre(), {"seizure": term}), week([(0.5, 2.0), (1.25, 1.25), None]))
    assert found == pytest.approx(math.log(expected), abs=1e-10)


def test_two_captures_at_one_exact_time_are_the_limit_of_a_short_interval():
    model = sim.Model(theatre(), {"seizure": HAZARDS["contagion"][0]})
    width = 1 / 86400
    short = log_likelihood(model, week([(1.0, 1.0 + width), (1.0, 1.0 + width), None])) - 2 * math.log(width)

    assert log_likelihood(model, week([(1.0, 1.0), (1.0, 1.0), None])) == pytest.approx(short, abs=5e-5)


@pytest.mark.parametrize("hazard", ["contagion", "momentum", "calendar inside a day"])
def test_cutting_an_interval_in_two_splits_its_probability(hazard):
    model = sim.Model(theatre(), {"seizure": HAZARDS[hazard][0]})
    whole = log_likelihood(model, week([(0.0, 1.0), (0.25, 2.0), (0.0, 1.5)]))
    parts = [log_likelihood(model, week([(0.0, 1.0), span, (0.0, 1.5)])) for span in [(0.25, 0.875), (0.875, 2.0)]]

    assert np.logaddexp(*parts) == pytest.approx(whole, abs=1e-12)


def test_all_histories_together_have_probability_one():
    model = sim.Model(theatre(), {"seizure": HAZARDS["momentum"][0]})
    found = [log_likelihood(model, week(list(spans))) for spans in itertools.product([(0.0, 3.0), None], repeat=3)]

    assert math.fsum(map(math.exp, found)) == pytest.approx(1.0, abs=1e-13)


def test_names_do_not_matter():
    spans = [(0.0, 1.0), (0.5, 1.75), (0.25, 2.0)]
    found = []
    for names in itertools.permutations("ABC"):
        to = dict(zip("ABC", names, strict=True))
        place = theatre(borders=[(to["A"], to["B"]), (to["B"], to["C"])], roads=[(to["A"], to["B"])], hub=to["A"])
        model = sim.Model(place, {"seizure": Baseline(0.3) * Neighbours(1.7) * Neighbours(0.4, via="road")})
        found.append(log_likelihood(model, week(spans, names="".join(names))))

    assert found == pytest.approx([found[0]] * 6, abs=1e-13)


@pytest.mark.parametrize("rate", [1e-12, 1e-3, 10.0, 1e4, 1e6])
def test_slow_and_very_fast_hazards_keep_their_digits(rate):
    model = sim.Model(theatre(), {"seizure": Baseline(rate)})
    spans = [(0.0, 1.0), (0.5, 1.75), (0.25, 2.0)]
    expected = sum(-rate * a + math.log(-math.expm1(-rate * (b - a))) for a, b in spans)

    assert log_likelihood(model, week(spans)) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("effect", [math.inf, math.nan])
def test_values_that_overflow_have_no_likelihood_and_do_not_stall(effect):
    spans = [(0.0, 1.0), (0.5, 1.75), None]
    sweep = Baseline(0.3) * Neighbours(HalfNormal(1.0))
    plain = likelihood(sim.Model(theatre(), {"seizure": sweep}), week(spans))
    hidden = likelihood(
        sim.Model(theatre(), {"assault": sweep, "fall": Baseline(0.5)}, contested=0.1), week(spans), seed=1
    )

    assert plain([[0.3, effect]]).tolist() == [-math.inf]
    assert hidden([[0.3, effect, 0.5, 0.1]]).tolist() == [-math.inf]


def test_fourteen_captures_of_one_day_are_weighed_exactly_and_fifteen_by_the_average_over_hours():
    names = [f"P{i:02}" for i in range(15)]
    model = sim.Model(sim.Theatre(names), {"seizure": Baseline(0.3)})
    record = Record(names, [captured(p, 0.0, 1.0) for p in names[:14]], origin=ORIGIN.date(), end=when(1.0))

    assert log_likelihood(model, record) == pytest.approx(14 * math.log(-math.expm1(-0.3)) - 0.3, abs=1e-11)
    record = Record(names, [captured(p, 0.0, 1.0) for p in names], origin=ORIGIN.date(), end=when(1.0))
    many = likelihood(model, record, seed=1)
    values = model.draws({}).values
    assert many.kind == "captures" and many.text.endswith(
        "averaged over 32 scrambled Sobol points of the unknown hours"
    )
    assert float(many(values)[0]) == pytest.approx(15 * math.log(-math.expm1(-0.3)), abs=5 * many.error(values))


# -- counts ----------------------------------------------------------------------------------------------------------

RIDGE = [  # article.md: a, b, P(11 at day 7), E[k] at day 10, P(k >= 33 by day 10), P(all 34 by day 37)
    (0.0557, 0.000, "0.145", "14.5", "2.6e-17", "0.008"),
    (0.04, 0.075, "0.114", "15.3", "1.6e-13", "0.273"),
    (0.03, 0.150, "0.092", "16.4", "1.1e-10", "0.768"),
    (0.02, 0.245, "0.068", "18.1", "3.4e-08", "0.973"),
    (0.01, 0.380, "0.041", "20.8", "9.0e-06", "0.999"),
]
THIRTY_FOUR = [f"P{i:02}" for i in range(34)]


def complete(n: int) -> sim.Theatre:
    return sim.Theatre(THIRTY_FOUR[:n], borders=list(itertools.combinations(THIRTY_FOUR[:n], 2)))


@pytest.mark.parametrize(("a", "b", "eleven", "mean", "most", "all_"), RIDGE)
def test_the_birth_chain_gives_the_articles_table(a, b, eleven, mean, most, all_):
    model = sim.Model(complete(34), {"seizure": Baseline(a) * Neighbours(b / (34 * a))})
    rates = chains.birth_rates(lower(model), model.draws({}).values)[0]
    soon, later = chains.birth(rates, 3.0)[11], chains.birth(rates, 30.0)[11]

    assert eleven == f"{math.exp(log_likelihood(model, Record.from_count(11, 7.0, THIRTY_FOUR))):.3f}"
    assert mean == f"{soon @ np.arange(35):.1f}"
    assert most == f"{soon[33:].sum():.1e}"
    assert all_ == f"{later[34]:.3f}"


@pytest.mark.parametrize("days", [0.01, 1.0, 30.0, 3000.0])
def test_the_birth_chain_keeps_its_digits_down_to_1e_minus_30(days):
    rates = exact.momentum_rates(34, 0.02, 3.0)
    found, expected = chains.birth(np.array(rates), days)[0], exact.birth_chain(rates, days)
    seen = expected > 1e-30

    assert found[seen] == pytest.approx(expected[seen], rel=1e-8)
    assert found.sum() == pytest.approx(1.0, abs=1e-11)


def test_the_birth_chain_of_equal_capitals_is_binomial_far_into_the_tail():
    rates = [(34 - k) * 0.05 for k in range(34)]
    chance = -math.expm1(-0.05 * 2.0)
    expected = [math.comb(34, k) * chance**k * (1 - chance) ** (34 - k) for k in range(35)]

    assert min(expected) < 1e-30
    assert chains.birth(np.array(rates), 2.0)[0] == pytest.approx(expected, rel=1e-11)


def test_a_count_gives_the_articles_maximum_and_profile_interval():
    place = complete(34)
    model = sim.Model(place, {"seizure": Baseline(LogNormal(1 / 40, 1.0))})
    record = Record.from_count(11, 7.0, THIRTY_FOUR)
    low, high = profile_interval(model, record, "seizure.baseline")

    assert maximum_likelihood(model, record)["seizure.baseline"] == pytest.approx(0.055838, abs=1e-6)
    assert maximum_likelihood(model, record)["seizure.baseline"] == pytest.approx(-math.log(1 - 11 / 34) / 7, abs=1e-8)
    assert low == pytest.approx(0.0289, abs=1e-4)
    assert high == pytest.approx(0.0961, abs=1e-4)
    assert (low, high) == pytest.approx(exact.profile_interval(11, 34, 7.0), abs=1e-8)


def test_the_real_week_counted_gives_the_same_maximum():
    place = sim.load_theatre("afghanistan_2021")
    record = place.record.until("2021-08-12").as_count()

    found = maximum_likelihood(sim.Model(place, {"seizure": Baseline(LogNormal(1 / 40, 1.0))}), record)
    assert found == pytest.approx({"seizure.baseline": 0.055838}, abs=1e-6)


def test_a_profile_gives_up_what_the_other_parameter_can_explain():
    model = sim.Model(complete(6), {"seizure": Baseline(LogNormal(0.1, 1.0)) * Momentum(HalfNormal(2.0))})
    record = Record(
        THIRTY_FOUR[:6],
        [captured(p, j, j + 1) for j, p in enumerate(THIRTY_FOUR[:4])],
        origin=ORIGIN.date(),
        end=when(5),
    )
    best = maximum_likelihood(model, record)
    low, high = profile_interval(model, record, "seizure.baseline")

    assert low < best["seizure.baseline"] < high
    alone = sim.Model(complete(6), {"seizure": Baseline(LogNormal(0.1, 1.0)) * Momentum(best["seizure.momentum"])})
    narrow = profile_interval(alone, record, "seizure.baseline")
    assert low < narrow[0]
    # A larger baseline cannot be made up for by a momentum below nil.
    assert narrow[1] <= high * (1 + 1e-9)


def test_a_dated_calendar_for_all_enters_the_chain_of_counts():
    slowed = Baseline(0.1) * Calendar("2000-01-03", None, -0.7)
    model = sim.Model(complete(5), {"seizure": slowed})
    chance = -math.expm1(-(0.1 * 2 + 0.1 * math.exp(-0.7) * 3))

    found = log_likelihood(model, Record.from_count(2, 5.0, THIRTY_FOUR[:5]))
    assert found == pytest.approx(math.log(10 * chance**2 * (1 - chance) ** 3), abs=1e-12)


def test_several_counts_are_weighed_one_after_another():
    model = sim.Model(complete(5), {"seizure": Baseline(0.1) * Momentum(2.0)})
    rates = exact.momentum_rates(5, 0.1, 2.0)
    expected = exact.birth_chain(rates, 2.0)[1] * exact.birth_chain(rates, 2.0, start=1)[3]

    found = chains.counted(lower(model), [(2.0, 1), (4.0, 3)], model.draws({}).values)
    assert found == pytest.approx([math.log(expected)], abs=1e-11)


# -- what is refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("term", "message"),
    [
        (Custom(lambda t, c, p: 1.0), r"seizure\.custom is a function the likelihood cannot read.*what-if"),
        (Calendar(0.0, 3.0, 0.5), r"seizure\.calendar counts days from a projection's start.*name a date"),
        (PullBack(("A",), 2.5, hold=0.0, abandon=0.1), r"seizure\.pullback counts days from a projection's start"),
    ],
)
def test_a_term_the_record_cannot_be_weighed_under_is_refused_by_name(term, message):
    with pytest.raises(ValueError, match=message):
        likelihood(sim.Model(theatre(), {"seizure": Baseline(0.1) * term}), week([(0.0, 1.0), None, None]))


def test_reserves_and_too_many_frailties_are_refused_by_name():
    fight = {"assault": Baseline(0.1), "fall": Baseline(0.1), "relief": Baseline(0.1) * Reserves(2.0)}
    with pytest.raises(
        ValueError, match=r"relief\.reserves ties the contests of different provinces together.*what-if"
    ):
        likelihood(sim.Model(theatre(), fight), week([(0.0, 1.0), None, None]))
    frail = {name: Baseline(0.1) * Frailty(0.5) for name in ("seizure", "assault", "fall", "relief")}
    with pytest.raises(
        ValueError, match=r"at most 3 transitions may have a Frailty, but 4 have \(seizure, assault, .*"
    ):
        likelihood(sim.Model(theatre(), frail), week([(0.0, 1.0), None, None]))


def test_a_record_without_an_end_or_of_other_provinces_is_refused():
    model = sim.Model(theatre(), {"seizure": Baseline(0.1)})
    with pytest.raises(ValueError, match=r"the record must have an end.*record\.until\('YYYY-MM-DD'\)"):
        likelihood(model, Record(list("ABC"), [captured("A", 0.0, 1.0)], origin=ORIGIN.date()))
    with pytest.raises(ValueError, match="must be of the model's provinces, but they differ in C, D"):
        likelihood(model, Record.from_count(1, 2.0, list("ABD")))
    with pytest.raises(TypeError, match="the week must be a Record, but was 11"):
        likelihood(model, 11)


# -- hidden contests -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("names", [tuple(FIGHT), ("seizure", "assault", "relief"), ("assault", "fall", "relief")])
@pytest.mark.parametrize("times", [[1.5, 0.625, None], [2.75, None, 2.5], [None, None, None]], ids=str)
def test_the_filter_with_exact_times_equals_the_joint_master_equation(names, times):
    model, spec = fight(names)
    spans = [(t, t) if t else None for t in times]
    unseen, seen = week(spans), week(spans, sightings=SEEN)

    assert log_likelihood(model, unseen) == pytest.approx(math.log(joint(spec, times, [], 3.0)), abs=1e-12)
    expected = joint(spec, times, sightings_of(times, 3.0), 3.0)
    assert log_likelihood(model, seen) == pytest.approx(math.log(expected), abs=1e-12)


def test_days_only_average_over_the_hours_to_the_integral_over_the_orders():
    model, spec = fight()
    spans = [(1.0, 2.0), None, (1.0, 2.0)]
    expected = integral(lambda times: joint(spec, times, [], 3.0), spans, [1.25], nodes=5)
    values = model.draws({}).values
    coarse, fine = (likelihood(model, week(spans), seed=3, points=points) for points in (32, 1024))

    assert float(fine(values)[0]) == pytest.approx(math.log(expected), abs=5e-4)
    assert float(coarse(values)[0]) == pytest.approx(math.log(expected), abs=5 * coarse.error(values[0]))
    assert fine.error(values[0]) < 1e-3 < coarse.error(values[0]) < 0.01


def test_captures_at_one_exact_time_are_averaged_over_their_orders():
    model, spec = fight()
    expected = 0.5 * sum(joint(spec, times, [], 3.0) for times in ([1.5, 1.5 + 1e-9, None], [1.5 + 1e-9, 1.5, None]))
    weight = likelihood(model, week([(1.5, 1.5), (1.5, 1.5), None]), seed=3, points=256)

    assert float(weight(model.draws({}).values)[0]) == pytest.approx(math.log(expected), abs=1e-2)


def test_a_filter_without_contests_is_the_history_of_seizures():
    quiet = sim.Model(theatre(), {"seizure": HAZARDS["momentum"][0], "fall": Baseline(0.5)}, contested=0.0)
    plain = sim.Model(theatre(), {"seizure": HAZARDS["momentum"][0]})
    record = week([(0.75, 0.75), (2.0, 2.0), None])

    assert log_likelihood(quiet, record) == pytest.approx(log_likelihood(plain, record), abs=1e-13)


def test_rates_of_any_size_keep_the_filter_positive():
    spans = [(1.5, 1.5), None, None]
    for rates in itertools.product([0.0, 1e-12, 1.0, 200.0], repeat=3):
        terms = dict(zip(("assault", "fall", "relief"), map(Baseline, rates), strict=True))
        model = sim.Model(theatre(), {"seizure": Baseline(1e-3), **terms}, contested=0.1)
        a, f, r = rates
        step = linalg.expm(np.array([[-(a + 1e-3), a], [r, -(f + r)]]) * 1.5)
        g, c = np.array([0.9, 0.1]) @ step
        rest = np.array([0.9, 0.1]) @ step @ step
        expected = math.log(g * 1e-3 + c * f) + 2 * math.log(rest.sum())

        assert log_likelihood(model, week(spans)) == pytest.approx(expected, rel=1e-9)


def test_contests_carried_to_the_end_are_the_likelihood_with_such_a_sighting_over_that_without():
    model, spec = fight()
    times = [1.5, None, None]
    weight = likelihood(model, week([(1.5, 1.5), None, None], sightings=SEEN))
    seen = sightings_of(times, 3.0)
    whole = joint(spec, times, seen, 3.0)
    # B and C were last seen on the first two days, so nothing is reported of them at the end.
    expected = sum(joint(spec, times, [*seen, (3.0, p, 1)], 3.0) / whole for p in (1, 2)) / 2

    assert weight.carried is not None
    assert weight.carried(model.draws({}).values) == pytest.approx([expected], abs=1e-12)


def test_a_capital_seen_on_a_day_was_not_captured_before_it():
    model, _ = fight()
    seen = [Sighting(province="A", first=date(2021, 8, 7), last=date(2021, 8, 7), seen=date(2021, 8, 7), source="test")]
    wide = likelihood(model, week([(0.0, 2.0), None, None], sightings=seen), seed=1, points=256)
    narrow = likelihood(model, week([(1.0, 2.0), None, None], sightings=seen), seed=1, points=256)
    values = model.draws({}).values

    assert float(wide(values)[0]) == float(narrow(values)[0])


def test_sightings_after_the_capture_are_left_out_and_said_to_be():
    model, _ = fight()
    seen = [Sighting(province="A", first=date(2021, 8, 8), last=date(2021, 8, 8), seen=date(2021, 8, 8), source="test")]
    told = likelihood(model, week([(0.5, 0.5), None, None], sightings=seen))

    assert "sightings after the capture are left out (A)" in told.notes
    values = model.draws({}).values
    assert float(told(values)[0]) == log_likelihood(model, week([(0.5, 0.5), None, None]))


def test_unknown_hours_need_a_seed_and_a_power_of_two():
    model, _ = fight()
    with pytest.raises(TypeError, match="averaging over unknown hours needs a seed"):
        likelihood(model, week([(0.0, 1.0), None, None]))
    with pytest.raises(ValueError, match="points must be a power of two, but was 20"):
        likelihood(model, week([(0.0, 1.0), None, None]), seed=1, points=20)
