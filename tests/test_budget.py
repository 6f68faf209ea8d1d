"""The budget of doubt: three models whose split is derived, estimates without bias, and what is refused."""

from __future__ import annotations

import itertools
import json
import math
from dataclasses import replace

import numpy as np
import pytest
from conftest import nightly
from scipy import special

import sim
from sim.explore import Budget, budget
from sim.explore.split import SOURCES, _explained, _layers, split
from sim.model import Draws
from sim.outcomes import FullControl, Pressure
from sim.report import json_text

FAMILIES, DEFINITIONS = np.array([0.3, 0.7]), np.array([0.6, 0.4])


def enumerated(chances, families, definitions, draw, number) -> np.ndarray:
    """Return the two splits of *chances*, shape (family, definition, θ, ω), by summing over every value of everything.

    c(S) = Var E(Y | S), by hand: average over what is not in S, then take the variance. θ tells its family.
    """
    weights = np.einsum("f,d,i,r->fdir", families, definitions, draw, number)
    mean = (weights * chances).sum()

    def known(sources: frozenset[int]) -> float:
        kept = sources | ({0} if 2 in sources else set())
        gone = tuple(axis for axis in range(4) if axis not in kept)
        mass = weights.sum(axis=gone)
        return float((mass * ((weights * chances).sum(axis=gone) / mass - mean) ** 2).sum())

    shares = np.zeros((2, 4))
    for order in itertools.permutations(range(4)):
        for place, source in enumerate(order):
            step = known(frozenset(order[: place + 1])) - known(frozenset(order[:place]))
            shares[1, source] += step / 24
            shares[0, source] += step * (order == (0, 1, 2, 3))
    return shares / known(frozenset(range(4)))


EVEN = (np.arange(400) + 0.5) / 400


def bernoulli() -> tuple[np.ndarray, np.ndarray]:
    """Y = 1{ω below a chance that hangs on all}: no closed form but the sum over a fine grid of θ and ω."""
    at = np.array([[0.1, 0.3], [0.4, 0.6]])[..., None] + np.array([[0.5, 0.3], [0.2, 0.3]])[..., None] * EVEN
    return (EVEN < at[..., None]).astype(float), np.empty(0)


def additive() -> tuple[np.ndarray, np.ndarray]:
    """Y = f + d + 2 θ + ω. In order each has its variance. Only θ and F overlap: θ tells F, so in half of all orders F
    comes too late to add its own."""
    y = np.array([0.0, 1.0])[:, None, None, None] + np.array([0.0, 0.5])[:, None, None]
    y = y + 2.0 * EVEN[:, None] + EVEN
    variance = np.array([0.3 * 0.7, 0.25 * 0.6 * 0.4, 4 / 12, 1 / 12])
    moved = variance + np.array([-1, 0, 1, 0]) * variance[0] / 2
    return y, np.stack([variance, moved]) / variance.sum()


def exclusive_or() -> tuple[np.ndarray, np.ndarray]:
    """Y is one bit each of d, θ and ω, added modulo 2: nothing is known until all three are, and F adds nothing."""
    bit = (EVEN > 0.5).astype(int)
    y = (np.array([0, 1])[:, None, None] + bit[:, None] + bit) % 2
    return np.stack([y, y]).astype(float), np.array([[0, 0, 0, 1], [0, 1 / 3, 1 / 3, 1 / 3]])


@pytest.mark.parametrize("model", [bernoulli, additive, exclusive_or])
def test_both_splits_equal_what_is_derived(model):
    y, known = model()
    definitions = np.array([0.5, 0.5]) if model is exclusive_or else DEFINITIONS
    even = np.full(400, 1 / 400)
    if not known.size:
        known = enumerated(y, FAMILIES, definitions, even, even)

    found = split(y, FAMILIES, definitions, seed=1, resamples=20)

    # A grid stands for θ and ω, whose values are then too even by one part in 400.
    assert known[0] == pytest.approx(found.sequential[:, 0], abs=0.01)
    assert known[1] == pytest.approx(found.shapley[:, 0], abs=0.01)
    assert 1.0 == pytest.approx(found.sequential[:, 0].sum(), abs=1e-9)
    assert 1.0 == pytest.approx(found.shapley[:, 0].sum(), abs=1e-9)


def test_enumeration_agrees_with_the_hand_where_there_is_one():
    even = np.full(400, 1 / 400)
    for model, definitions in ((additive, DEFINITIONS), (exclusive_or, np.array([0.5, 0.5]))):
        y, known = model()
        assert known == pytest.approx(enumerated(y, FAMILIES, definitions, even, even), abs=1e-5)


def pairs(y, family, definition, number) -> float:
    """The mean of y y' over all pairs of runs that share what is said and differ in the rest, one by one."""
    whole = 0.0
    for f, g in itertools.product(range(2), repeat=2):
        for d, e in itertools.product(range(2), repeat=2):
            if (family and f != g) or (definition and d != e):
                continue
            weight = FAMILIES[f] * (1 if family else FAMILIES[g])
            weight *= DEFINITIONS[d] * (1 if definition else DEFINITIONS[e])
            found = [
                y[f, d, i, r] * y[g, e, j, s]
                for i, j in itertools.product(range(y.shape[2]), repeat=2)
                for r, s in itertools.product(range(y.shape[3]), repeat=2)
                if (i == j) == (family == 2) and (r == s) == bool(number)
            ]
            whole += weight * np.nanmean(found)
    return whole


def test_sums_over_pairs_are_those_of_a_loop_with_failed_runs_too():
    y = np.random.default_rng(1).random((2, 2, 3, 4))
    y[0, :, 1, 2] = y[1, :, 0, 0] = np.nan

    found = _explained(_layers(y, DEFINITIONS), FAMILIES, DEFINITIONS, np.ones((3, 1)), np.ones((4, 1)))

    for shared in itertools.product(range(3), range(2), range(2)):
        assert pairs(y, *shared) == pytest.approx(found.product[shared][0], abs=1e-12)


def test_the_noise_of_few_draws_and_replications_is_not_counted_as_doubt():
    """Tables of two draws and two replications, on average over many, explain what an endless table does."""
    rng = np.random.default_rng(3)
    count = nightly(40_000, 5_000)
    at = np.array([[0.1, 0.3], [0.4, 0.6]])[..., None] + np.array([[0.5, 0.3], [0.2, 0.3]])[..., None] * EVEN
    fine = (EVEN < at[..., None]).astype(float)
    even = np.full(400, 1 / 400)
    weights = np.einsum("f,d,i,r->fdir", FAMILIES, DEFINITIONS, even, even)
    mean = (weights * fine).sum()
    theta, omega = rng.integers(400, size=(count, 2, 2)), rng.integers(400, size=(count, 2))
    family, definition = np.arange(2)[:, None, None, None], np.arange(2)[:, None, None]
    tables = fine[family, definition, theta[:, :, None, :, None], omega[:, None, None, None]]
    one = np.ones((2, 1))
    sets = [frozenset(s) for n in range(1, 5) for s in itertools.combinations(range(4), n)]
    found = np.empty((count, len(sets)))
    for k, table in enumerate(tables):
        explained = _explained(_layers(table, DEFINITIONS), FAMILIES, DEFINITIONS, one, one)
        found[k] = [explained.of(known)[0] for known in sets]

    for known, values in zip(sets, found.T, strict=True):
        kept = known | ({0} if 2 in known else set())
        gone = tuple(axis for axis in range(4) if axis not in kept)
        mass = weights.sum(axis=gone)
        true = float((mass * ((weights * fine).sum(axis=gone) / mass - mean) ** 2).sum())
        # Four standard errors, fifteen times.
        assert true == pytest.approx(values.mean(), abs=4 * values.std() / math.sqrt(count))


def test_intervals_cover_the_truth_about_as_often_as_they_say():
    rng = np.random.default_rng(5)
    runs = nightly(400, 40)
    y, _ = bernoulli()
    even = np.full(400, 1 / 400)
    known = enumerated(y, FAMILIES, DEFINITIONS, even, even)
    hits = np.zeros((2, 4))
    for seed in range(runs):
        theta, omega = rng.integers(400, size=(2, 1, 60, 1)), rng.integers(400, size=80)
        table = y[np.arange(2)[:, None, None, None], np.arange(2)[:, None, None], theta, omega]
        found = split(table, FAMILIES, DEFINITIONS, seed=seed, resamples=100)
        for k, shares in enumerate((found.sequential, found.shapley)):
            hits[k] += (shares[:, 1] <= known[k]) & (known[k] <= shares[:, 2])

    # A bootstrap of 60 draws may lose 0.05 of 0.9; below this it then falls once in ten thousand.
    assert (hits >= runs * 0.85 - 3.7 * math.sqrt(runs * 0.85 * 0.15)).all()


def test_nothing_that_varies_has_no_shares_and_what_cannot_be_compared_is_refused():
    found = split(np.ones((2, 2, 3, 3)), FAMILIES, DEFINITIONS, seed=1)

    assert np.isnan(found.sequential).all() and np.isnan(found.shapley).all()
    assert (1.0, 0.0) == (found.mean, found.variance)
    shape = (
        "split: values must have shape (family, definition, draw, replication), with two draws and two replications at "
        "least, but was"
    )
    few = "split: too many runs failed: some family has no two draws, or no two replications, in common"
    for values, message in (
        (np.ones((2, 2, 3)), f"{shape} (2, 2, 3)"),
        (np.ones((2, 2, 1, 3)), f"{shape} (2, 2, 1, 3)"),
        (np.ones((3, 2, 3, 3)), "split: families must be 3 positive weights, but were [0.3, 0.7]"),
        (np.full((2, 2, 3, 3), np.nan), few),
    ):
        with pytest.raises(ValueError) as caught:
            split(values, FAMILIES, DEFINITIONS, seed=1)
        assert message == str(caught.value)
    torn = np.ones((2, 2, 3, 3))
    torn[0, 1, 0, 0] = np.nan
    with pytest.raises(ValueError, match="split: where one definition has no value, no other may have one: they share"):
        split(torn, FAMILIES, DEFINITIONS, seed=1)


@pytest.fixture(scope="module")
def scenario() -> sim.Scenario:
    return sim.Scenario("test", "A test", families=("constant", "momentum"))


@pytest.fixture(scope="module")
def cases(scenario):
    return scenario.cases(seed=7, draws=40)


def test_two_rates_and_one_definition_split_as_the_binomial_does(cases):
    """Half of the draws have one rate, half another: parameters explain the spread of two binomial tails."""
    rates = np.array([0.01, 0.03])
    draws = Draws(cases["constant"].draws.names, np.tile(rates, 100)[:, None])
    case = replace(cases["constant"], draws=draws)
    theatre = case.model.theatre
    watch = Pressure("half_ring").watch(theatre)
    ring = np.flatnonzero(watch.weights[:, 2])
    left = sum(theatre.provinces[p] not in case.start.lost for p in ring)
    chances = special.betainc(watch.threshold, left - watch.threshold + 1, 1 - np.exp(-30 * rates))
    assert len(ring) == left  # nothing of the ring is lost yet

    asked = {"definitions": ["half_ring"], "draws": 200, "replications": 400, "resamples": 50}
    found = budget(case, (30,), seed=2, **asked).on(30)

    mean = chances.mean()
    between = chances.var() / (mean * (1 - mean))
    # Replications are common to all draws: over 120 seeds, 400 of them left a standard error of 0.036.
    assert between == pytest.approx(found["parameters"].sequential, abs=0.11)
    assert 0.0 == pytest.approx(found["definition"].sequential, abs=1e-12)
    assert 0.0 == pytest.approx(found["model family"].sequential, abs=1e-12)
    assert 1.0 - between == pytest.approx(found["chance"].sequential, abs=0.11)


def test_the_budget_has_a_row_a_day_and_source_and_sums_to_one(cases):
    found = budget(cases, seed=7, draws=30, replications=40, resamples=50)

    assert isinstance(found, Budget)
    assert [(day, source) for day in (3.0, 7.0, 14.0, 30.0) for source in SOURCES] == [row[:2] for row in found.rows]
    for day, chance in found.probability.items():
        rows = found.on(day).values()
        assert 1.0 == pytest.approx(sum(row.sequential for row in rows), abs=1e-9)
        assert 1.0 == pytest.approx(sum(row.shapley for row in rows), abs=1e-9)
        assert all(row.sequential_low <= row.sequential_high and row.shapley_low <= row.shapley_high for row in rows)
        # Whether it happens is yes or no.
        assert chance * (1 - chance) == pytest.approx(found.variance[day], abs=0.01)
    assert sorted(found.probability.values()) == list(found.probability.values())
    assert {"constant": 0.5, "momentum": 0.5} == found.families
    assert 2 * 30 * 40 == found.runs and 0 == found.failed


def test_the_same_seed_gives_the_same_rows_and_weights_matter(cases):
    one, other = (budget(cases, (7,), seed=7, draws=20, replications=20, resamples=50) for _ in range(2))
    tilted = budget(
        cases, (7,), seed=7, draws=20, replications=20, resamples=50, weights={"constant": 3, "momentum": 1},
        definitions=["half_ring", FullControl()], definition_weights={"half_ring": 2.0, "full_control": 2.0},
    )  # fmt: skip

    assert one.rows == other.rows
    assert {"constant": 0.75, "momentum": 0.25} == tilted.families
    assert {"half_ring": 0.5, "full_control": 0.5} == tilted.definitions
    text = tilted.summary()
    assert "  families, by weight: constant 0.75, momentum 0.25" == text.splitlines()[1]
    assert "  definitions, of equal weight: half_ring, full_control" == text.splitlines()[2]
    assert "20 draws a family, each with the same 20 replications: 800 runs, 0 failed; 90% intervals; seed 7" in text
    assert "momentum" in json.loads(json_text(one.plain()))["families"]


def test_a_day_on_which_nothing_varies_says_so(cases):
    found = budget(cases, (0.001, 30), seed=7, draws=4, replications=4, resamples=50, definitions=["isolated"])

    assert math.isnan(found.on(0.001)["chance"].shapley)
    assert "model family  nothing varies  nothing varies" in found.summary()
    assert None is json.loads(json_text(found.plain()))["rows"][0]["shapley"]


def fragile(world):
    """Raise on a fifth of all replications, whatever else happens."""
    yield world.env.timeout(1.0)
    if world.replication % 5 == 0:
        raise ArithmeticError("out of money")


def hopeless(world):
    yield world.env.timeout(1.0)
    raise ArithmeticError("no money")


def test_failed_runs_are_counted_and_a_draw_without_any_is_left_out(scenario):
    given, memory = {}, {}
    for process in (fragile, hopeless):
        risky = scenario.but("risky", "Risky", families=("constant",), processes=(process,))
        given[process.__name__] = risky.cases(seed=7, draws=5, memory=memory)["constant"]
    with pytest.warns(RuntimeWarning, match=r"budget: 10 of 50 runs failed and are left out \(.failure has the first"):
        found = budget(given["fragile"], (7, 30), seed=7, draws=5, replications=10, resamples=50)

    assert 10 == found.failed
    assert "ArithmeticError: out of money" in found.failure
    assert all(math.isfinite(value) for row in found.rows for value in row[2:])
    with (
        pytest.warns(RuntimeWarning, match="budget: 50 of 50 runs failed"),
        pytest.raises(ValueError, match="split: too many runs failed"),
    ):
        budget(given["hopeless"], (7,), seed=7, draws=5, replications=10)


def test_a_bad_call_is_refused_before_any_work(scenario, cases):
    def refused(error, message, given=scenario, *rest, **named):
        with pytest.raises(error) as caught:
            budget(given, *rest, **({"seed": 1} | named))
        assert message == str(caught.value)

    horizon = "at most the horizon of 180 days"
    refused(TypeError, "budget: needs a Scenario, a Case or a mapping of family to Case, but was given 3", 3)
    refused(TypeError, "budget: needs a Scenario, a Case or a mapping of family to Case, but was given {}", {})
    refused(TypeError, "budget: days must be a list of numbers, but was 30; write [30]", scenario, 30)
    refused(ValueError, f"budget: a day must be above 0 and {horizon}, but was 200", scenario, (3, 200))
    refused(TypeError, "budget: a day must be a number of days, but was 'x'", scenario, ("x",))
    refused(ValueError, "budget: days must be one or more, each named once, but were (3.0, 3.0)", scenario, (3, 3))
    refused(ValueError, "budget: days must be one or more, each named once, but were ()", scenario, ())
    refused(
        TypeError, "budget: definitions must be a list of names, but was 'isolated'; write ['isolated']",
        definitions="isolated",
    )  # fmt: skip
    refused(ValueError, "Pressure: no definition 'isolatd'; did you mean 'isolated'?", definitions=["isolatd"])
    refused(
        ValueError, "budget: definitions must be one or more, each named once, but were ['isolated', 'isolated']",
        definitions=["isolated", Pressure("isolated")],
    )  # fmt: skip
    refused(
        TypeError, "budget: a definition must be one such as Pressure('half_ring'), but was 3", definitions=[3]
    )  # fmt: skip
    refused(
        ValueError,
        "budget: weights must be positive numbers, one for each of constant, momentum, but were {'constant': 1}",
        weights={"constant": 1},
    )
    refused(
        ValueError, "budget: definition_weights must be positive numbers, one for each of isolated, but were "
        "{'isolated': 0}", definitions=["isolated"], definition_weights={"isolated": 0},
    )  # fmt: skip
    refused(ValueError, "budget: draws must be a whole number from 2, but was 1", draws=1)
    refused(ValueError, "budget: replications must be a whole number from 2, but was 1.5", replications=1.5)
    refused(ValueError, "budget: level must be in (0, 1), such as 0.9, but was 1", level=1)
    refused(ValueError, "seed must be a non-negative integer, but was -1", seed=-1)
    one = cases["constant"].thin(1)
    refused(
        ValueError, "budget: case constant has one draw, which cannot tell doubt from chance; give it more",
        {"constant": one},
    )  # fmt: skip
    replayed = scenario.but("replayed", "Replayed", follows="press")
    refused(ValueError, "budget: replayed replays the record, which has nothing in doubt", replayed)
    refused(
        ValueError, "budget: case record replays the record, which has nothing in doubt", replayed.cases(seed=1)
    )  # fmt: skip
    early = scenario.but("early", "Early", seen_from="2021-08-11").cases(seed=7, draws=5)["momentum"]
    refused(
        ValueError, "budget: case momentum starts otherwise than constant; split one question at a time",
        {"constant": cases["constant"], "momentum": early},
    )  # fmt: skip
    with pytest.raises(ValueError, match="budget: day must be one of 7, but was 8"):
        budget(cases, (7,), seed=1, draws=2, replications=2, resamples=50).on(8)
