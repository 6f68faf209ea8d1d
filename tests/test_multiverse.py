"""One headline under every dispute: each reading's inputs are its own, and what is said of them is so."""

from __future__ import annotations

import pytest

import sim
from sim.checks.disputes import counted_when_it_happened
from sim.checks.universes import Answer, Multiverse, Universe
from sim.families import constant, momentum
from sim.hazards import Baseline, Neighbours
from sim.model import Model
from sim.outcomes import Estimate, FullControl, Pressure
from sim.priors import HalfNormal, LogNormal

DAYS = "half_ring within 7 days"


def bordering(theatre):
    hazard = Baseline(LogNormal(1 / 60, 1.0)) * Neighbours(HalfNormal(1.0), via="border")
    return Model(theatre, {"seizure": hazard}, name="bordering")


@pytest.fixture(scope="module")
def result():
    return sim.checks.multiverse(
        families={"constant": constant, "bordering": bordering}, seed=1, replications=1000, cross=["constant"]
    )


def test_every_dispute_stands_alone_for_every_family_and_their_pool(result):
    rows = [row for row in result.rows if row.headline == DAYS]
    alone = {row.universe.name for row in rows if row.family == "pooled"}

    assert alone == {
        "as shipped", "prefer=best_date", "prefer=alternative", "prefer=span", "borders=all", "roads=sourced",
        "counted=best_date", "window_opened_by=first capture",
    }  # fmt: skip
    assert len([row for row in rows if row.family == "bordering"]) == 8
    assert len([row for row in rows if row.family == "constant"]) == 4 * 2 * 2 * 2 * 2


def test_calibrations_with_the_same_inputs_are_made_once(result):
    # One dispute at a time gives bordering six different inputs: roads it does not read, and the best dates, whether
    # preferred or counted by, are one record.
    told = []
    sim.checks.multiverse(
        families={"constant": constant}, seed=1, replications=50, headlines={"all": (FullControl(), 30.0)},
        progress=told.append,
    )  # fmt: skip

    assert told[0] == "calibrating constant: as shipped"
    assert len(told) == len(set(told)) == result.calibrations - 6
    assert not any("borders" in line or "roads" in line for line in told)


def test_the_first_reading_is_what_calibrate_and_simulate_say(result, afghan, week):
    posterior = sim.calibrate(constant(afghan), week, seed=1, draws=1000)
    runs = sim.simulate(
        constant(afghan),
        posterior.thin(250),
        start=week.state(),
        horizon=30.0,
        replications=1000,
        seed=1,
        progress=False,
    )

    assert result.value(DAYS, "constant") == Pressure("half_ring")(runs).probability(7.0)


def test_a_reading_is_what_load_theatre_reads(result):
    theatre = sim.load_theatre("afghanistan_2021", borders="all")
    week = theatre.record.until("2021-08-12")
    model = bordering(theatre)
    posterior = sim.calibrate(model, week, seed=1, draws=1000)
    runs = sim.simulate(
        model, posterior.thin(250), start=week.state(), horizon=30.0, replications=1000, seed=1, progress=False
    )

    found = result.value(DAYS, "bordering", Universe(borders="all"))

    assert found == Pressure("half_ring")(runs).probability(7.0)
    assert found != result.value(DAYS, "bordering")


def test_roads_move_no_family_that_reads_none(result):
    move, _ = result.moves(DAYS)["roads=sourced"]

    assert move == 0.0


def test_counted_by_the_best_date_thirteen_are_captured_on_the_twelfth(afghan, result):
    record = counted_when_it_happened(afghan.record)

    assert [record.until(f"2021-08-{day}").total for day in (10, 11, 12, 13, 14)] == [8, 9, 13, 18, 25]
    assert [afghan.record.until(f"2021-08-{day}").total for day in (10, 11, 12, 13, 14)] == [7, 9, 11, 18, 24]
    best = next(row for row in result.rows if row.universe == Universe(counted="best_date"))
    assert best.captured == 13
    assert counted_when_it_happened(record) == record


def test_the_table_says_the_range_and_what_moves_it_most(result):
    text = result.table()
    low, high = result.span(DAYS)
    moves = result.moves(DAYS)
    name = max(moves, key=lambda key: abs(moves[key][0]))

    assert f"pooled: {low:.2f} to {high:.2f}, one dispute at a time; {name} moves it most, by " in text
    assert "constant over all 64 combinations: " in text
    assert text.count("\n  as shipped ") == 2
    values = [row.estimate.value for row in result.rows if (row.headline, row.family) == (DAYS, "pooled")]
    assert (low, high) == (min(values), max(values))


def test_a_move_within_the_noise_is_not_claimed():
    def answers(moved: float) -> Multiverse:
        readings = [(Universe(), 0.50), (Universe(borders="all"), 0.50 + moved)]
        rows = tuple(Answer(one, 11, "pooled", "lost", Estimate(p, p, p, 0.01)) for one, p in readings)
        return Multiverse(rows, (), "2021-08-12", 2, 1)

    assert "no dispute moves it by more than twice the Monte Carlo error (borders=all: +0.02 ± 0.01)" in (
        answers(0.02).table()
    )
    assert "borders=all moves it most, by +0.04 (± 0.01)" in answers(0.04).table()


def test_without_families_to_cross_nothing_is_crossed():
    found = sim.checks.multiverse(
        families={"constant": constant}, seed=1, replications=200, cross=(), seen_from="2021-08-07"
    )

    assert found.crossed == () and len(found.rows) == 2 * 8


def test_families_of_at_most_two_free_parameters_are_crossed_unless_told(afghan):
    from sim.checks.disputes import _crossed
    from sim.families import FAMILIES

    assert _crossed(None, dict(FAMILIES), afghan) == ("constant", "momentum")
    assert len(momentum(afghan).free) == 2


def test_bad_calls_say_what_to_do():
    cases = (
        (ValueError, {"families": ["constnat"]}, "multiverse: no family 'constnat'; did you mean 'constant'?"),
        (TypeError, {"families": "constant"},
         "multiverse: families must be a list of names, but was 'constant'; write ['constant']"),
        (ValueError, {"families": []}, "multiverse: name at least one family of constant, contagion, momentum, siege"),
        (ValueError, {"cross": ["sieg"]},
         "multiverse: cross must name families among those asked for, but had 'sieg'; did you mean 'siege'?"),
        (ValueError, {"headlines": {}}, "multiverse: headlines must be one or more, but there were none"),
        (TypeError, {"headlines": {"a": 7}},
         "multiverse: headline 'a' must be (outcome, days), such as (Pressure('half_ring'), 30), but was 7"),
        (ValueError, {"replications": 0}, "multiverse: replications must be a positive integer, but was 0"),
        (ValueError, {"seed": -1}, "seed must be a non-negative integer, but was -1"),
    )  # fmt: skip
    for kind, given, message in cases:
        with pytest.raises(kind) as caught:
            sim.checks.multiverse(**{"seed": 1, **given})
        assert message in str(caught.value)


def test_an_answer_that_is_not_there_is_refused(result):
    with pytest.raises(ValueError, match="multiverse: no answer of 'siege' to 'half_ring within 7 days'"):
        result.value(DAYS, "siege")
