"""Scenario discovery: a planted box is found, none is found where there is none, and what is refused."""

from __future__ import annotations

import itertools
import json
import math
from dataclasses import replace

import numpy as np
import pytest
from conftest import nightly
from scipy import stats

import sim
from sim.explore import Regions, discover
from sim.explore.boxes import Box, Measured, inside, measured, paste, peel, quasi_p
from sim.explore.closed import constant_breakeven
from sim.hazards import Baseline, Calendar
from sim.model import Draws
from sim.outcomes import Pressure
from sim.priors import LogNormal, Normal
from sim.report import json_text

HALF_RING = Pressure("half_ring")


def cube(count: int, d: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).random((count, d))


def planted(points: np.ndarray) -> np.ndarray:
    """Right in [0.2, 0.6] × [0.5, 1] × all: a fifth of the cube."""
    return (points[:, 0] >= 0.2) & (points[:, 0] <= 0.6) & (points[:, 1] >= 0.5)


def best(points, right, boxes) -> Box:
    return max(boxes, key=lambda box: measured(points, right, box).balance)


@pytest.mark.parametrize("seed", range(5))
def test_a_planted_box_is_found(seed):
    points, fresh = cube(1000, 3, seed), cube(1000, 3, seed + 100)
    right, truth = planted(points), planted(fresh)

    boxes = peel(points, right, alpha=0.05, least=0.05)
    box = paste(points, right, best(fresh, truth, boxes), alpha=0.05)

    found = measured(fresh, truth, box)
    # Three faces, each off by at most one slab of 0.05 of the box either way: (1 - 0.05)**3 = 0.857.
    assert found.coverage >= 0.85
    assert found.density >= 0.85
    assert [True, True] == box.restricted[:2].tolist()
    # A slab is 0.05 of the box's side; one more for the sparseness of points.
    assert [0.2, 0.5] == pytest.approx(box.low[:2], abs=0.05)
    assert [0.6, 1.0] == pytest.approx([box.high[0], min(1.0, box.high[1])], abs=0.05)
    assert quasi_p(fresh, truth, box)[:2].max() < 1e-6


def test_no_box_is_found_where_there_is_none():
    """Points right by a toss: on fresh points no box is denser than all, more often than its interval misses."""
    runs = nightly(200, 40)
    found, looks = 0, []
    for seed in range(runs):
        points = cube(800, 3, seed)
        right = np.random.default_rng(seed + 1000).random(800) < 0.3
        boxes = peel(points[:400], right[:400], alpha=0.05, least=0.05)
        box = best(points[400:], right[400:], boxes)
        mine = measured(points[400:], right[400:], box)
        looks.append(measured(points[:400], right[:400], boxes[-1]).density)
        found += mine.density_interval(0.9)[0] > mine.all_right / mine.total

    # One in twenty at most for one box; picking among sixty, here by coverage too, is allowed as much again.
    assert found <= stats.binom.ppf(0.9999, runs, 0.1)
    # On the points that sought it the last box looks dense all the same: that is why fresh ones measure it.
    assert np.mean(looks) > 0.4


def test_boxes_lie_within_one_another_so_that_coverage_only_falls():
    points = cube(1000, 3, 1)
    right = planted(points) | (np.random.default_rng(2).random(1000) < 0.1)

    boxes = peel(points, right, alpha=0.05, least=0.05)

    held = [inside(points, box) for box in boxes]
    assert all((later <= earlier).all() and later.sum() < earlier.sum() for earlier, later in itertools.pairwise(held))
    coverages = [measured(points, right, box).coverage for box in boxes]
    assert 1.0 == coverages[0] and sorted(coverages, reverse=True) == coverages
    assert measured(points, right, boxes[-1]).mass >= 0.05
    # Each peel takes the share asked for, to one point.
    assert all(0.94 * e.sum() - 1 <= later.sum() for e, later in itertools.pairwise(held))


def test_an_increasing_transform_of_a_parameter_moves_the_box_along_and_nothing_else():
    points = cube(600, 3, 3)
    right = planted(points) | (np.random.default_rng(4).random(600) < 0.1)
    moved = np.column_stack([np.exp(5.0 * points[:, 0]), points[:, 1] ** 3, -1.0 / (points[:, 2] + 0.1)])

    for plain, other in zip(
        peel(points, right, alpha=0.05, least=0.05), peel(moved, right, alpha=0.05, least=0.05), strict=True
    ):
        plain, other = (paste(p, right, box, alpha=0.05) for p, box in ((points, plain), (moved, other)))
        assert inside(points, plain).tolist() == inside(moved, other).tolist()
        assert np.exp(5.0 * plain.low[0]) == pytest.approx(other.low[0]) or not np.isfinite(plain.low[0])


def test_pasting_only_adds_and_never_lowers_the_density():
    points = cube(500, 2, 5)
    right = (points[:, 0] > 0.5) & (np.random.default_rng(6).random(500) < 0.8)
    small = Box(np.array([0.7, -math.inf]), np.array([0.9, math.inf]))

    larger = paste(points, right, small, alpha=0.05)

    assert (inside(points, small) <= inside(points, larger)).all()
    assert measured(points, right, larger).density >= measured(points, right, small).density
    assert measured(points, right, larger).held > measured(points, right, small).held


def test_ties_are_given_up_together_and_a_constant_parameter_is_left_free():
    points = np.column_stack([np.repeat([0.0, 1.0, 2.0, 3.0], 25), np.full(100, 7.0)])
    right = points[:, 0] == 2.0

    boxes = peel(points, right, alpha=0.05, least=0.05)

    assert [100, 75, 50, 25] == [int(inside(points, box).sum()) for box in boxes]
    assert 1.0 == measured(points, right, boxes[-1]).density
    assert (False, 2.0, 2.0) == (bool(boxes[-1].restricted[1]), boxes[-1].low[0], boxes[-1].high[0])


def test_what_a_box_holds_is_counted_and_its_interval_is_exact():
    mine = Measured(right=8, held=10, all_right=16, total=100)

    assert (0.5, 0.8, 0.1) == (mine.coverage, mine.density, mine.mass)
    assert 2 * 0.5 * 0.8 / 1.3 == pytest.approx(mine.balance)
    exact = stats.binomtest(8, 10).proportion_ci(0.9, method="exact")
    assert (exact.low, exact.high) == pytest.approx(mine.density_interval(0.9))
    assert (0.0, 1.0) == (Measured(0, 5, 5, 9).density_interval(0.9)[0], Measured(5, 5, 5, 9).density_interval(0.9)[1])


def test_quasi_p_values_are_binomial_tails():
    points, right = cube(200, 2, 7), cube(200, 1, 8)[:, 0] < 0.3
    box = Box(np.array([0.3, -math.inf]), np.array([math.inf, math.inf]))

    mine = measured(points, right, box)
    assert stats.binom.sf(mine.right - 1, mine.held, right.mean()) == pytest.approx(quasi_p(points, right, box)[0])
    assert 1.0 == quasi_p(points, right, box)[1]


@pytest.fixture(scope="module")
def scenario() -> sim.Scenario:
    return sim.Scenario("test", "A test", families=("constant", "momentum"))


@pytest.fixture(scope="module")
def constant(scenario) -> Regions:
    return discover(scenario, seed=7, family="constant", points=1000, replications=200)


def test_the_region_of_a_constant_rate_is_the_one_in_closed_form(constant):
    theatre = sim.load_theatre("afghanistan_2021")
    start = theatre.record.until("2021-08-12").state()
    low, high = (constant_breakeven(HALF_RING, theatre, start, within=30, probability=p) for p in (0.25, 0.75))

    (row,) = constant.rows

    # Chances of 200 runs are known to 0.03, a tenth of a rate there; and a slab is as wide again.
    assert (low, high) == pytest.approx((row.low, row.high), rel=0.12)
    assert "seizure.baseline" == row.parameter and row.quasi_p < 1e-6
    assert constant.found and constant.measured.density > 0.85 and constant.measured.coverage > 0.85
    assert constant.base_rate == pytest.approx(constant.right[500:].mean())
    rates = Draws(("seizure.baseline",), np.array([[low / 2], [math.sqrt(low * high)], [2 * high]]))
    assert [False, True, False] == constant.holds(rates).tolist()


def test_another_box_can_be_picked_and_a_parameter_left_free(constant):
    coverages = [step.coverage for step in constant.steps]

    assert sorted(coverages, reverse=True) == coverages
    everything = constant.pick(0)
    assert (1.0, 1.0) == (everything.measured.coverage, everything.measured.mass)
    assert not everything.found and "no region: the best box has density" in everything.summary()
    assert constant.rows == constant.pick().rows
    assert () == constant.pick(without="seizure.baseline").rows
    with pytest.raises(ValueError, match=f"regions: number must be from 0 to {len(constant.boxes) - 1}, but was 500"):
        constant.pick(500)
    with pytest.raises(
        ValueError, match=r"regions: no parameter 'seizure.base' to leave free; did you mean 'seizure.b"
    ):
        constant.pick(without=["seizure.base"])


def test_restrictions_that_are_not_sure_are_lifted_unless_asked_otherwise(scenario):
    """Whether pressure comes by chance, with a parameter that does nothing beside one that does all."""
    idle = {"seizure": Baseline(LogNormal(1 / 40, 1.0)) * Calendar(170.0, None, Normal(0.0, 1.0), label="idle")}
    given = scenario.but("idle", "Idle", families=("mine",), models={"mine": idle})
    found = discover(given, seed=8, points=600, replications=60)

    everything = [found.pick(number, without=()) for number in range(len(found.boxes))]
    wider = max(everything, key=lambda regions: len(regions.rows))
    assert ["seizure.baseline"] == [row.parameter for row in found.rows]
    assert {"seizure.baseline", "seizure.calendar.idle"} == {row.parameter for row in wider.rows}
    assert all(row.quasi_p <= 0.05 for regions in everything for row in regions.pick().rows)


def test_the_summary_and_the_plain_values_tell_the_whole(constant):
    text = constant.summary().splitlines()

    assert text[0].startswith("constant: right means half_ring within 30 days has probability 0.25 to 0.75; so are 0.3")
    assert text[1].startswith(f"box {constant.number}: density 0.")
    assert text[-1].endswith("500 others measure them, 200 runs each, 0 failed; 90% interval; seed 7")
    told = json.loads(json_text(constant.plain()))
    assert len(constant.steps) == len(told["steps"]) and constant.measured.coverage == told["coverage"]


def test_what_is_right_can_be_a_band_or_a_function_and_priors_can_be_widened(scenario):
    def likely(chances):
        return chances > 0.8

    one = discover(scenario, HALF_RING, 14, seed=7, family="momentum", points=200, replications=50, right=likely)
    other = discover(scenario, HALF_RING, 14, seed=7, family="momentum", points=200, replications=50, right=(0.81, 1.0))
    wide = discover(
        scenario, HALF_RING, 14, seed=7, family="momentum", points=200, replications=50, right=likely, widen=2.0
    )

    assert one.right.tolist() == other.right.tolist()
    assert "half_ring within 14 days as likely says" == one.right_means
    narrow, broad = (np.log(found.points[:, 0] * 60) for found in (one, wide))
    assert 2.0 * narrow == pytest.approx(broad)


def test_a_call_that_finds_nothing_says_so(scenario):
    def tossed(chances):
        return np.random.default_rng(1).random(len(chances)) < 0.3

    found = discover(scenario, seed=7, family="momentum", points=400, replications=2, right=tossed)

    assert not found.found
    assert "no region: the best box has density 0." in found.summary()


def fragile(world):
    """Raise on the first points, whatever else happens."""
    yield world.env.timeout(1.0)
    if world.replication % 120 < 10:
        raise ArithmeticError("out of money")


def test_failed_runs_are_counted_and_points_without_any_are_left_out(scenario):
    risky = scenario.but("risky", "Risky", families=("constant",), processes=(fragile,))

    with pytest.warns(
        RuntimeWarning, match=r"discover: 20 of 240 runs failed; 10 of 120 points have none left and are"
    ):
        found = discover(risky, seed=7, points=120, replications=2)

    assert (20, 110) == (found.failed, len(found.points))
    assert "ArithmeticError: out of money" in found.failure
    with (
        pytest.warns(RuntimeWarning, match="discover: 20 of 200 runs failed"),
        pytest.raises(
            RuntimeError, match="discover: 20 of 200 runs failed, and 90 of 100 points were left; 100 at least"
        ),
    ):
        discover(replace(risky, processes=(broken,)), seed=7, points=100, replications=2)


def broken(world):
    yield world.env.timeout(1.0)
    if world.replication % 100 < 10:
        raise ArithmeticError("out of money")


FIXED = sim.Scenario("fixed", "Fixed", families=("fixed",), models={"fixed": {"seizure": Baseline(0.05)}})
BAND = "discover: right must be a band of probabilities such as (0.25, 0.75), or a function of them, but was"


@pytest.mark.parametrize(
    ("error", "change", "message"),
    [
        (TypeError, {"case_or_scenario": 3}, "discover: needs a Scenario or a Case, but was given 3"),
        (TypeError, {"outcome": "x"}, "discover: outcome must be one such as Pressure('half_ring'), but was 'x'"),
        (
            ValueError, {"within": 500},
            "discover: within must be above 0 and at most the horizon of 180 days, but was 500",
        ),
        (ValueError, {"right": (0.75, 0.25)}, f"{BAND} (0.75, 0.25)"),
        (ValueError, {"right": 0.5}, f"{BAND} 0.5"),
        (ValueError, {"points": 50}, "discover: points must be a whole number from 100, but was 50"),
        (ValueError, {"replications": 1}, "discover: replications must be a whole number from 2, but was 1"),
        (ValueError, {"widen": 0}, "discover: widen must be a positive number, but was 0"),
        (ValueError, {"alpha": 0.5}, "discover: alpha must be above 0 and below 0.5, but was 0.5"),
        (ValueError, {"least": 1}, "discover: least must be above 0 and below 1, but was 1"),
        (ValueError, {"level": 0}, "discover: level must be in (0, 1), such as 0.9, but was 0"),
        (
            ValueError, {"family": None},
            "discover: test has the families constant, momentum; say which, as family='constant'",
        ),
        (
            ValueError, {"case_or_scenario": FIXED, "family": None},
            "discover: fixed has no free parameter to look along; give one a prior",
        ),
        (
            ValueError, {"right": lambda chances: chances, "points": 100, "replications": 2},
            "discover: right must give 100 truth values, but gave float64 of shape (100,)",
        ),
        (
            ValueError, {"right": lambda chances: chances > 2, "points": 100, "replications": 2},
            "discover: none of 100 points are right, so there is no region to find; probabilities were 0.00 to 1.00; "
            "widen priors or change the band",
        ),
    ],
)  # fmt: skip
def test_a_bad_call_is_refused(scenario, error, change, message):
    with pytest.raises(error) as caught:
        discover(**({"case_or_scenario": scenario, "seed": 1, "family": "constant"} | change))
    assert message == str(caught.value)
