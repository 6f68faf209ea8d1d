"""Scenarios side by side: one seed, one memory of calibrations, one table."""

from __future__ import annotations

import pytest

from sim.beside import beside, beside_table, lever_breakevens, scenarios_beside
from sim.explore import breakeven_table
from sim.hazards import Calendar
from sim.priors import Normal
from sim.scenario import Scenario

TREND = Scenario("trend", "The week's pace", families=("constant",), horizon=60.0)
SLOWER = TREND.but("slower", "Slower from the start", levers={"seizure": Calendar(None, None, -1.0, label="slow")})
DOUBTED = TREND.but(
    "doubted", "Slower, perhaps", levers={"seizure": Calendar(None, None, Normal(-1.0, 0.1), label="slow")}
)
RECORD = TREND.but("record", "What happened", follows="press")


def found(*scenarios, **rest):
    return beside(scenarios, seed=3, replications=800, **rest)


def test_each_answers_as_it_does_alone_and_what_they_share_is_calibrated_once():
    memory = {}
    results = found(TREND, SLOWER, memory=memory)

    assert ["trend", "slower"] == list(results)
    assert 1 == len(memory)
    assert TREND.run(seed=3, replications=800).digest == results["trend"].digest
    assert results["trend"].digest != results["slower"].digest


def test_the_table_tells_probabilities_of_models_and_yes_or_no_of_the_record():
    table = beside_table(found(TREND, SLOWER, RECORD), pressure_within=7, control_within=90)
    rows = {line.split()[0]: line.split() for line in table.splitlines()}

    assert "half_ring 7 d" in table and "full_control 90 d" in table
    assert "beyond" in rows["trend"] and "beyond" not in rows["record"]  # 60 days are watched, and all fell in 25
    assert 3 == rows["record"].count("yes") and "25" == rows["record"][-1]
    assert float(rows["slower"][2]) < float(rows["trend"][2])


def test_progress_is_told_with_the_name_of_the_scenario():
    told = []
    found(SLOWER, progress=lambda what, share: told.append(what))

    assert told and all(what.startswith("slower: ") for what in told)


def test_a_lever_is_asked_of_the_last_scenario_that_has_it():
    results = found(SLOWER, DOUBTED)
    (row,) = lever_breakevens(results, within=30, seed=3)
    (alone,) = breakeven_table(results["doubted"].cases, seed=3, parameters=["seizure.calendar.slow"]).rows

    assert ("doubted, constant", "seizure.calendar.slow") == (row.family, row.parameter)
    assert alone._replace(family=row.family) == row


def test_without_levers_or_days_enough_there_is_nothing_to_ask():
    results = found(TREND, RECORD, SLOWER.but("near", "Seen for a week", horizon=7.0))

    assert () == lever_breakevens(results, within=30, seed=3)


def test_two_of_one_name_are_refused_before_any_work():
    with pytest.raises(ValueError, match="beside: scenarios must have names of their own, but two are called trend"):
        found(TREND, TREND.but("trend", "Another"))
    with pytest.raises(ValueError, match=r"'trend_hold' is no scenario that comes along.*did you mean 'trend_holds'"):
        found("trend_hold")


def test_parameters_no_family_has_are_refused():
    cases = TREND.cases(seed=3, draws=10)
    with pytest.raises(ValueError, match=r"breakeven_table: no parameter 'seizure\.bas' in any family; did you mean"):
        breakeven_table(cases, seed=3, parameters=["seizure.bas"])
    with pytest.raises(TypeError, match="breakeven_table: parameters must be a list of names, but was 'seizure'"):
        breakeven_table(cases, seed=3, parameters="seizure")


def test_what_stands_beside_is_known_by_names_of_its_own_before_any_work():
    with pytest.raises(ValueError, match="names of their own, but two are called trend_holds"):
        scenarios_beside(TREND.but("trend_holds", "Mine", beside=("trend_holds",)))
    with pytest.raises(ValueError, match="'nope' is no scenario that comes along"):
        scenarios_beside(TREND.but("mine", "Mine", beside=("nope",)))
    (other,) = scenarios_beside(TREND.but("mine", "Mine", beside=("contagion",)), horizon=40.0)
    assert ("contagion", 40.0) == (other.name, other.horizon)
