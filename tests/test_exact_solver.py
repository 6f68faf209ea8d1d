"""The exact solver itself, against closed forms and graphs small enough to work by hand."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from benchmarks.yardsticks import simpy_per_province
from exact import (
    CONTESTED,
    GOVERNMENT,
    INSURGENT,
    TRANSITIONS,
    Spec,
    at_least,
    birth_chain,
    break_even,
    competing_risks,
    complete_graph_rates,
    cut_off,
    erlang,
    evolve,
    expectation,
    expected_firings,
    exponential,
    first_passage,
    generator,
    hazard,
    hazard_mle,
    hypoexponential,
    last_loss_quantile,
    momentum_rates,
    multiplier,
    order_statistic_mean,
    probability,
    profile_interval,
    ridge_rates,
    shares,
    states,
    transient,
    two_state,
)
from scipy.linalg import expm

G, C, L = GOVERNMENT, CONTESTED, INSURGENT  # L for lost
DAYS = [0.0, 0.5, 3.0, 7.0, 30.0, 120.0]


def lost(control: tuple[int, ...]) -> int:
    return sum(held == L for held in control)


def counts(spec: Spec, p0: tuple[int, ...], days: float) -> list[float]:
    """Return P(k capitals lost on *days*) for each k."""
    return [float(probability(spec, p0, lambda control, k=k: lost(control) == k, [days])[0]) for k in range(spec.n + 1)]


def complete(n: int) -> set[tuple[int, int]]:
    return set(itertools.combinations(range(n), 2))


def line(*kinds: str) -> set[tuple[int, int, str]]:
    return {(k, k + 1, kind) for k, kind in enumerate(kinds)}


EVERYTHING = Spec(
    n=4,
    borders={(0, 1), (1, 2), (2, 3)},
    roads={(0, 1, "trunk"), (1, 2, "trunk"), (2, 3, "spur"), (3, 0, "track")},
    hazards={
        "seizure": [
            ("baseline", 0.02),
            ("momentum", 1.5),
            ("cutoff", 0.7, 0, ("track",)),
            ("covariate", 0.4, (-1.0, 0.5, 1.2, -0.7)),
            ("calendar", 5.0, 9.0, -0.8, None),
        ],
        "assault": [
            ("baseline", 0.04),
            ("neighbours", 0.6, "border"),
            ("neighbours", 0.9, "road"),
            ("frailty", 0.5, (0.3, -1.1, 0.2, 0.8)),
            ("pullback", (0,), ("lost", 2), -0.9, 0.6),
        ],
        "fall": [
            ("baseline", 0.1),
            ("momentum", 0.8),
            ("cutoff", 0.5, 0, ()),
            ("pullback", (0, 1), ("day", 6.5), -0.5, 0.2),
        ],
        "relief": [("baseline", 0.15), ("reserves", 1.5), ("calendar", 8.0, None, 0.4, (1, 3))],
        "recapture": [
            ("baseline", 0.03),
            ("custom", lambda time, control, p: 2.0 if time >= 4 else 1.0, (4.0,)),
            ("pullback", (2,), ("lost", 3), 0.3, -0.3),
        ],
    },
)


# ------------------------------------------------------------------------------------------------ the master equation


def test_one_capital_at_a_constant_hazard_is_exponential() -> None:
    spec = Spec(1, {"seizure": [("baseline", 0.05)]})

    assert probability(spec, (G,), lambda c: c[0] == L, DAYS) == pytest.approx(
        [exponential(0.05, t) for t in DAYS], rel=1e-13
    )


def test_assault_and_relief_alone_relax_to_their_ratio() -> None:
    spec = Spec(1, {"assault": [("baseline", 0.2)], "relief": [("baseline", 0.3)]})

    assert probability(spec, (G,), lambda c: c[0] == C, DAYS) == pytest.approx(
        [two_state(0.2, 0.3, t) for t in DAYS], rel=1e-12
    )
    assert probability(spec, (G,), lambda c: c[0] == C, [400.0])[0] == pytest.approx(0.4, rel=1e-12)


def test_risks_compete_in_proportion_to_their_rates() -> None:
    spec = Spec(1, {"assault": [("baseline", 0.2)], "seizure": [("baseline", 0.05)], "fall": [("baseline", 0.0)]})
    contested = probability(spec, (G,), lambda c: c[0] == C, DAYS)
    seized = probability(spec, (G,), lambda c: c[0] == L, DAYS)

    assert contested == pytest.approx([competing_risks([0.2, 0.05], t)[0] for t in DAYS], rel=1e-12)
    assert seized == pytest.approx([competing_risks([0.2, 0.05], t)[1] for t in DAYS], rel=1e-12)


def test_an_assault_then_a_fall_at_one_rate_is_erlang() -> None:
    spec = Spec(1, {"assault": [("baseline", 0.1)], "fall": [("baseline", 0.1)]})

    assert probability(spec, (G,), lambda c: c[0] == L, DAYS) == pytest.approx(
        [erlang(2, 0.1, t) for t in DAYS], rel=1e-12, abs=1e-15
    )


def test_two_capitals_whose_neighbour_doubles_the_hazard_fall_as_an_erlang() -> None:
    spec = Spec(2, {"seizure": [("baseline", 0.03), ("neighbours", 1.0, "border")]}, borders={(0, 1)})

    assert probability(spec, (G, G), lambda c: c == (L, L), DAYS) == pytest.approx(
        [erlang(2, 0.06, t) for t in DAYS], rel=1e-12, abs=1e-15
    )


@pytest.mark.parametrize("n", [2, 3, 4, 5])
def test_contagion_on_a_complete_graph_is_a_birth_chain(n: int) -> None:
    rates = complete_graph_rates(n, 0.03, 0.7)
    spec = Spec(n, {"seizure": [("baseline", 0.03), ("neighbours", 0.7, "border")]}, borders=complete(n))

    assert counts(spec, (G,) * n, 7.0) == pytest.approx(birth_chain(rates, 7.0).tolist(), rel=1e-12)
    assert first_passage(spec, (G,) * n, lambda c: lost(c) == n, [7.0])[0] == pytest.approx(
        hypoexponential(rates, 7.0), rel=1e-12
    )


def test_momentum_is_a_birth_chain() -> None:
    spec = Spec(4, {"seizure": [("baseline", 0.03), ("momentum", 1.3)]})

    assert counts(spec, (G,) * 4, 7.0) == pytest.approx(birth_chain(momentum_rates(4, 0.03, 1.3), 7.0), rel=1e-12)


def test_collecting_every_capital_at_one_hazard_is_binomial() -> None:
    spec = Spec(5, {"seizure": [("baseline", 0.055838)]})
    for k in range(1, 6):
        assert first_passage(spec, (G,) * 5, lambda c, k=k: lost(c) >= k, [9.0])[0] == pytest.approx(
            at_least(k, 5, exponential(0.055838, 9.0)), rel=1e-12
        )


def test_capitals_that_ignore_each_other_are_independent() -> None:
    z = (0.4, -1.3, 0.9)
    terms = {"seizure": [("baseline", 0.05), ("covariate", 0.8, z)], "recapture": [("baseline", 0.02)]}
    joint = transient(Spec(3, terms), (G, G, L), [6.0])[0]
    singles = []
    for province, held in enumerate((G, G, L)):
        rate = 0.05 * math.exp(0.8 * z[province])
        gained = rate / (rate + 0.02) * exponential(rate + 0.02, 6.0)
        kept = 1.0 - 0.02 / (rate + 0.02) * exponential(rate + 0.02, 6.0)
        captured = kept if held == L else gained
        singles.append((1.0 - captured, 0.0, captured))

    assert joint == pytest.approx(
        [math.prod(singles[p][held] for p, held in enumerate(control)) for control in states(3)], abs=1e-14
    )


def test_probabilities_sum_to_one_and_none_is_negative() -> None:
    solved = transient(EVERYTHING, {(G, G, C, G): 0.25, (G, L, G, G): 0.75}, DAYS)

    assert solved.sum(axis=1) == pytest.approx(np.ones(len(DAYS)), abs=1e-12)
    assert solved.min() >= 0.0
    assert solved[0, states(4).index((G, L, G, G))] == 0.75


@pytest.mark.parametrize("time", [0.0, 4.5, 7.0, 8.5])
def test_rows_of_the_generator_sum_to_zero(time: float) -> None:
    assert np.abs(generator(EVERYTHING, time).sum(axis=1)).max() < 1e-15


def test_uniformisation_agrees_with_the_matrix_exponential() -> None:
    start = {(G, G, C, G): 0.25, (G, L, G, G): 0.75}
    now = np.zeros(3 * 81)
    for control, chance in start.items():
        now[states(4).index(control)] = chance
    for before, after in itertools.pairwise([0.0, 4.0, 5.0, 6.5, 8.0, 9.0, 11.0]):
        now = now @ expm(generator(EVERYTHING, before).toarray() * (after - before))

    assert transient(EVERYTHING, start, [11.0])[0] == pytest.approx(now.reshape(3, 81).sum(axis=0), abs=1e-13)
    assert EVERYTHING.breaks(11.0) == [4.0, 5.0, 6.5, 8.0, 9.0]


def test_asking_for_moments_in_between_changes_nothing() -> None:
    whole = transient(EVERYTHING, (G, L, G, C), [10.0])[0]
    split = transient(EVERYTHING, (G, L, G, C), [10.0, 3.3, 5.0, 9.99])[0]

    assert split == pytest.approx(whole, rel=1e-12)


def test_the_mean_number_lost_is_the_sum_over_its_distribution() -> None:
    spread = counts(EVERYTHING, (G, L, G, C), 11.0)

    assert expectation(EVERYTHING, (G, L, G, C), lost, [11.0])[0] == pytest.approx(np.arange(5) @ spread, rel=1e-12)


def test_first_passage_never_falls_and_is_at_least_the_chance_of_being_there() -> None:
    there = probability(EVERYTHING, (G, G, G, G), lambda c: lost(c) >= 2, DAYS)
    reached = first_passage(EVERYTHING, (G, G, G, G), lambda c: lost(c) >= 2, DAYS)

    assert (np.diff(reached) >= 0.0).all()
    assert (reached >= there - 1e-15).all()
    assert first_passage(EVERYTHING, (L, G, L, G), lambda c: lost(c) >= 2, [0.0])[0] == 1.0


def test_mean_firings_balance_the_mean_changes_of_control() -> None:
    fired = expected_firings(EVERYTHING, (G, L, G, C), [11.0])[0]
    before, after = transient(EVERYTHING, (G, L, G, C), [0.0, 11.0])
    for held in (G, C, L):
        for province in range(4):
            there = np.array([control[province] == held for control in states(4)])
            entered = sum(fired[k, province] for k, (_, target) in enumerate(TRANSITIONS.values()) if target == held)
            left = sum(fired[k, province] for k, (source, _) in enumerate(TRANSITIONS.values()) if source == held)

            assert (after - before) @ there == pytest.approx(entered - left, abs=1e-12)


def test_mean_firings_at_a_constant_hazard_are_its_probability() -> None:
    fired = expected_firings(Spec(2, {"seizure": [("baseline", 0.05)]}), (G, L), [7.0])

    assert fired.shape == (1, 5, 2)
    assert fired[0, 0] == pytest.approx([exponential(0.05, 7.0), 0.0])


# ------------------------------------------------------------------------------------------------ terms one by one


def test_a_neighbour_counts_once_however_many_roads_lead_to_it_and_whatever_their_class() -> None:
    spec = Spec(3, {}, borders={(0, 1)}, roads={(0, 1, "ring"), (1, 0, "track"), (2, 0, "track")})

    assert multiplier(spec, ("neighbours", 0.5, "road"), 0, (G, L, L)) == 2.0
    assert multiplier(spec, ("neighbours", 0.5, "border"), 0, (G, L, L)) == 1.5
    assert multiplier(spec, ("neighbours", 0.5, "border"), 0, (G, C, C)) == 1.0


def test_a_calendar_holds_from_its_start_until_just_before_its_stop() -> None:
    term = ("calendar", 2.0, 5.0, 0.7, (1,))
    spec = Spec(2, {"seizure": [("baseline", 0.05), term]})

    assert [multiplier(spec, term, 1, (G, G), time) for time in (1.9, 2.0, 4.9, 5.0)] == [
        1.0,
        math.exp(0.7),
        math.exp(0.7),
        1.0,
    ]
    assert multiplier(spec, term, 0, (G, G), 3.0) == 1.0
    for days, exposure in ((1.0, 1.0), (3.0, 2.0 + math.exp(0.7)), (9.0, 6.0 + 3.0 * math.exp(0.7))):
        assert probability(spec, (G, G), lambda c: c[1] == L, [days])[0] == pytest.approx(
            exponential(0.05, exposure), rel=1e-12
        )


def test_a_calendar_may_be_open_at_either_end_or_have_begun_before_the_start() -> None:
    begun, ahead = 4 * math.e + 6, 4 + 6 * math.e
    for edges, exposure in (((None, 4.0), begun), ((4.0, None), ahead), ((-3.0, 4.0), begun)):
        spec = Spec(1, {"seizure": [("baseline", 0.02), ("calendar", *edges, 1.0, None)]})

        assert probability(spec, (G,), lambda c: c[0] == L, [10.0])[0] == pytest.approx(
            exponential(0.02, exposure), rel=1e-12
        )


def test_reserves_are_shared_among_contested_capitals() -> None:
    term = ("reserves", 1.5)
    spec = Spec(3, {"relief": [("baseline", 0.2), term]})

    assert [multiplier(spec, term, 0, c) for c in ((G, G, G), (C, G, L), (C, C, G), (C, C, C))] == [1, 1, 0.75, 0.5]
    # One unit for any number contested: reliefs come one at a time, at one pace.
    one = Spec(3, {"relief": [("baseline", 0.2), ("reserves", 1.0)]})
    assert probability(one, (C, C, C), lambda c: c == (G, G, G), [8.0])[0] == pytest.approx(
        erlang(3, 0.2, 8.0), rel=1e-12
    )


def test_a_pull_back_on_a_day_changes_kept_cities_and_the_rest() -> None:
    spec = Spec(2, {"seizure": [("baseline", 0.05), ("pullback", (0,), ("day", 3.0), -1.0, 0.5)]})
    kept, rest = (probability(spec, (G, G), lambda c, p=p: c[p] == L, [10.0])[0] for p in (0, 1))

    assert kept == pytest.approx(exponential(0.05, 3.0 + 7.0 * math.exp(-1.0)), rel=1e-12)
    assert rest == pytest.approx(exponential(0.05, 3.0 + 7.0 * math.exp(0.5)), rel=1e-12)


def test_a_pull_back_on_a_count_is_set_off_by_the_capture_that_reaches_it() -> None:
    spec = Spec(3, {"seizure": [("baseline", 0.05), ("pullback", (), ("lost", 2), 0.0, 1.5)]})
    rates = [3 * 0.05, 2 * 0.05, 0.05 * math.exp(1.5)]

    assert counts(spec, (G, G, G), 12.0) == pytest.approx(birth_chain(rates, 12.0), rel=1e-12)
    assert counts(spec, (L, L, G), 12.0)[2] == pytest.approx(1 - exponential(rates[2], 12.0), rel=1e-12)


def test_a_pull_back_stays_when_capitals_are_recaptured() -> None:
    latch = ("pullback", (), ("lost", 1), 0.0, math.log(4.0))
    spec = Spec(1, {"seizure": [("baseline", 0.1), latch], "recapture": [("baseline", 0.3)]})
    # By hand: government and never lost, lost, government again; the hazard is four times as high the second time.
    by_hand = np.array([[-0.1, 0.1, 0.0], [0.0, -0.3, 0.3], [0.0, 0.4, -0.4]])
    expected = [expm(by_hand * t)[0, 1] for t in DAYS]

    assert probability(spec, (G,), lambda c: c[0] == L, DAYS) == pytest.approx(expected, abs=1e-13)
    assert probability(spec, (L,), lambda c: c[0] == L, DAYS) == pytest.approx(
        [expm(by_hand * t)[1, 1] for t in DAYS], abs=1e-13
    )


def test_a_pull_back_on_no_capital_at_all_holds_from_the_start() -> None:
    spec = Spec(1, {"seizure": [("baseline", 0.1), ("pullback", (0,), ("lost", 0), -0.7, 0.0)]})

    assert hazard(spec, "seizure", 0, (G,)) == pytest.approx(0.1 * math.exp(-0.7), rel=1e-15)


def test_two_pull_backs_keep_their_own_counts() -> None:
    terms = [
        ("baseline", 0.1),
        ("pullback", (0,), ("lost", 2), math.log(2), 0.0),
        ("pullback", (0,), ("lost", 1), math.log(3), 0.0),
    ]
    spec = Spec(3, {"seizure": terms, "recapture": [("baseline", 0.1)]})

    assert [spec.thresholds, len(generator(spec).toarray())] == [[1, 2], 81]
    assert [hazard(spec, "seizure", 0, (G, G, G), level=level) for level in (0, 1, 2)] == pytest.approx([0.1, 0.3, 0.6])
    assert hazard(spec, "seizure", 0, (G, G, L)) == pytest.approx(0.3)


def test_shares_sum_to_one_and_a_restraining_term_takes_a_negative_share() -> None:
    spec = Spec(
        3,
        {
            "relief": [("baseline", 0.2), ("reserves", 1.0), ("calendar", None, None, 0.4, None)],
            "fall": [("momentum", 2.0), ("baseline", 0.1)],
        },
    )
    relief = shares(spec, "relief", 0, (C, C, L))

    assert sum(relief) == pytest.approx(1.0, abs=1e-13)
    assert relief[1] < 0.0 < relief[2]
    assert shares(spec, "fall", 0, (C, G, G)) == [0.0, 1.0]


def test_contested_reads_as_government_where_nothing_leaves_contested() -> None:
    spec = Spec(2, {"seizure": [("baseline", 0.05)]})

    assert transient(spec, (C, G), [7.0]) == pytest.approx(transient(spec, (G, G), [7.0]), abs=0)
    with pytest.raises(ValueError, match="enter contested but not leave"):
        Spec(2, {"assault": [("baseline", 0.05)]})


# ------------------------------------------------------------------------------------------------ cut off, by hand


def cut(spec: Spec, *control: int, hub: int = 0, without: tuple[str, ...] = ()) -> set[int]:
    return set(cut_off(spec, control, hub, without))


def test_on_a_line_a_lost_capital_cuts_what_lies_beyond_it() -> None:
    spec = Spec(4, {}, roads=line("ring", "ring", "ring"))

    assert cut(spec, G, G, G, G) == set()
    assert cut(spec, G, L, G, G) == {2, 3}
    assert cut(spec, G, G, L, G) == {3}
    assert cut(spec, G, G, G, L) == set()


def test_contested_capitals_do_not_cut_and_can_be_cut_off() -> None:
    spec = Spec(4, {}, roads=line("ring", "ring", "ring"))

    assert cut(spec, G, C, G, G) == set()
    assert cut(spec, C, C, G, G) == set()
    assert cut(spec, G, L, C, C) == {2, 3}


def test_a_way_round_keeps_a_capital_from_being_cut_off() -> None:
    ring = Spec(4, {}, roads={*line("ring", "ring", "ring"), (3, 0, "ring")})

    assert cut(ring, G, L, G, G) == set()
    assert cut(ring, G, L, G, L) == {2}
    assert cut(ring, G, G, L, G) == set()


def test_a_lost_hub_cuts_every_other_capital_but_not_itself() -> None:
    spec = Spec(4, {}, roads=line("ring", "ring", "ring"))

    assert cut(spec, L, G, C, G) == {1, 2, 3}
    assert cut(spec, L, G, L, G) == {1, 3}
    assert cut(spec, G, L, L, L) == set()


def test_a_capital_that_never_had_a_road_to_the_hub_is_not_cut_off() -> None:
    spec = Spec(5, {}, roads={(0, 1, "ring"), (1, 2, "track"), (3, 4, "ring")})

    assert cut(spec, G, L, G, G, G) == {2}
    assert cut(spec, G, L, G, G, G, without=("track",)) == set()
    assert cut(spec, L, L, L, L, G) == set()


def test_a_road_of_a_class_left_out_saves_nobody() -> None:
    spec = Spec(4, {}, roads={*line("ring", "ring", "ring"), (3, 0, "track")})

    assert cut(spec, G, L, G, G) == set()
    assert cut(spec, G, L, G, G, without=("track",)) == {2, 3}
    assert cut(spec, G, L, G, G, without=("track", "ring")) == set()


def test_the_hub_can_be_any_capital() -> None:
    spec = Spec(4, {}, roads=line("ring", "ring", "ring"))

    assert cut(spec, G, G, L, G, hub=3) == {0, 1}


def test_being_cut_off_raises_the_hazard() -> None:
    spec = Spec(3, {"seizure": [("baseline", 0.1), ("cutoff", 0.7, 0, ())]}, roads=line("ring", "ring"))

    assert hazard(spec, "seizure", 2, (G, L, G)) == pytest.approx(0.1 * math.exp(0.7), rel=1e-15)
    assert [hazard(spec, "seizure", p, (G, L, G)) for p in (0, 1)] == [0.1, 0.0]


# ------------------------------------------------------------------------------------------------ the article's figures


def test_the_week_at_one_hazard_has_the_articles_figures() -> None:
    rate = hazard_mle(11, 34, 7.0)

    assert f"{rate:.6f}" == "0.055838"
    assert [f"{edge:.4f}" for edge in profile_interval(11, 34, 7.0)] == ["0.0289", "0.0961"]
    assert f"{math.log(2) / rate:.2f}" == "12.41"
    assert f"{exponential(rate, 30.0):.4f}" == "0.8127"
    assert [f"{exponential(edge, 30.0):.3f}" for edge in profile_interval(11, 34, 7.0)] == ["0.580", "0.944"]
    assert f"{order_statistic_mean(23, 23, rate):.1f}" == "66.9"
    assert [f"{last_loss_quantile(q, 23, rate):.1f}" for q in (0.5, 0.05, 0.95)] == ["63.0", "37.7", "109.4"]
    assert f"{23 * exponential(rate, 3.0):.2f}" == "3.55"
    assert f"{at_least(22, 23, exponential(rate, 3.0)):.1e}" == "2.7e-17"


def test_pressure_at_one_hazard_has_the_articles_figures() -> None:
    chance = exponential(hazard_mle(11, 34, 7.0), 30.0)

    assert [f"{at_least(k, n, chance):.5f}" for k, n in ((1, 6), (3, 6), (2, 5), (5, 5), (1, 1))] == [
        "0.99996",
        "0.98664",
        "0.99477",
        "0.35457",
        "0.81272",
    ]


def test_the_break_even_of_half_ring_has_the_articles_figures() -> None:
    even = break_even(3, 6, 30.0)

    assert f"{even:.6f}" == "0.018239"
    assert even / hazard_mle(11, 34, 7.0) == pytest.approx(0.32663, abs=5.1e-6)


RIDGE = [
    (0.0557, 0.000, "0.145", "14.5", "2.6e-17", "0.008"),
    (0.04, 0.075, "0.114", "15.3", "1.6e-13", "0.273"),
    (0.03, 0.150, "0.092", "16.4", "1.1e-10", "0.768"),
    (0.02, 0.245, "0.068", "18.1", "3.4e-08", "0.973"),
    (0.01, 0.380, "0.041", "20.8", "9.0e-06", "0.999"),
]


@pytest.mark.parametrize(("a", "b", "eleven", "mean", "sweep", "full"), RIDGE)
def test_the_ridge_has_the_articles_digits(a: float, b: float, eleven: str, mean: str, sweep: str, full: str) -> None:
    rates = ridge_rates(a, b)
    # The likelihood is of the week; what follows starts from the article's eleven on day 7.
    ten = birth_chain(rates, 3.0, start=11)

    assert f"{birth_chain(rates, 7.0)[11]:.3f}" == eleven
    assert f"{np.arange(35) @ ten:.1f}" == mean
    assert f"{ten[33:].sum():.1e}" == sweep
    assert f"{birth_chain(rates, 30.0, start=11)[34]:.3f}" == full
    assert rates == pytest.approx(complete_graph_rates(34, a, b / (34 * a)), rel=1e-14)


@pytest.mark.parametrize(("a", "b"), [row[:2] for row in RIDGE])
@pytest.mark.parametrize("days", [1.0, 10.0, 37.0])
def test_a_birth_chain_keeps_eight_digits_down_to_1e_30(a: float, b: float, days: float) -> None:
    rates = ridge_rates(a, b)
    chain = birth_chain(rates, days)
    tails = np.cumsum(chain[::-1])[::-1]
    checked = 0
    for k in range(1, 35):
        exact = hypoexponential(rates[:k], days)
        if exact > 1e-30:
            checked += 1

            assert tails[k] == pytest.approx(exact, rel=1e-10)
    assert checked >= 15


def test_a_birth_chain_at_one_hazard_is_binomial() -> None:
    chance = exponential(0.0557, 10.0)

    assert birth_chain(ridge_rates(0.0557, 0.0), 10.0)[33:].sum() == pytest.approx(at_least(33, 34, chance), rel=1e-12)


def test_a_chain_with_no_rates_stays_where_it_is() -> None:
    assert birth_chain([0.0, 1.0], 5.0).tolist() == [1.0, 0.0, 0.0]
    assert evolve(generator(Spec(1, {})), np.array([0.2, 0.3, 0.5]), 4.0).tolist() == [0.2, 0.3, 0.5]


# ------------------------------------------------------------------------------------------------ the yardstick


BORDERS, ROADS = {(0, 1), (1, 2), (2, 3), (0, 3)}, {(0, 2), (2, 3)}


def test_the_hand_written_simpy_model_has_the_law_it_is_timed_for() -> None:
    spec = Spec(
        4,
        {"seizure": [("baseline", 0.03), ("neighbours", 0.6, "border"), ("neighbours", 0.9, "road")]},
        borders=BORDERS,
        roads={(a, b, "trunk") for a, b in ROADS},
    )
    for horizon in (5.0, 15.0):
        exact = np.array(counts(spec, (G, L, G, G), horizon))[1:]
        mean = np.arange(4) @ exact
        total, logs = simpy_per_province.run(BORDERS, ROADS, 4, [1], 0.03, 0.6, 0.9, horizon, 4000, seed=5)
        seen = np.bincount([len(days) for days in logs], minlength=4) / 4000

        assert total == sum(map(len, logs))
        assert total / 4000 == pytest.approx(mean, abs=4 * math.sqrt((np.arange(4) ** 2 @ exact - mean**2) / 4000))
        assert seen == pytest.approx(exact, abs=4 * math.sqrt(0.25 / 4000))
        assert all(0.0 < earlier <= later < horizon for days in logs for earlier, later in itertools.pairwise(days))


def test_the_hand_written_simpy_model_repeats_itself() -> None:
    first, second = (simpy_per_province.run(BORDERS, ROADS, 4, [], 0.03, 0.6, 0.9, 60.0, 50, seed=1) for _ in range(2))

    assert first == second
