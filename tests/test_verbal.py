"""Verbal assessments become event, horizon and band by plain rules, and distributions that keep to them."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.checks.verbal import FLAT, READINGS, Reading, passage_of, speaks_of, statements
from sim.outcomes import Captured, ControlOf, FullControl, Pressure
from sim.record import Record
from sim.sources import Assessment

DAY = date(2021, 8, 12)


def said(statement, low, high, event="pressure on Kabul", counted_from="report date"):
    row = Assessment(
        day=DAY,
        who="somebody",
        statement=statement,
        low=low,
        high=high,
        event=event,
        counted_from=counted_from,
        source="s",
    )
    return statements(Record(["Kabul"], assessments=[row]), "Kabul")


def one(*arguments):
    (found,), _ = said(*arguments)
    return found


def test_there_are_at_least_five_readings_each_with_a_source_and_a_status():
    assert len(READINGS) >= 5 and len({reading.name for reading in READINGS}) == len(READINGS)
    assert 4 <= sum(reading.status == "published" for reading in READINGS)
    for reading in READINGS:
        assert reading.source and reading.note
        assert any(digit.isdigit() for digit in reading.source) or reading.status == "argued"


def test_the_recorded_assessments_are_read_by_the_rules(afghan):
    found, notes = statements(afghan.record, afghan.hub)

    assert {
        ("2021-08-10", "fall", ((30, False),), 0),
        ("2021-08-10", "fall", ((90, False),), 0),
        ("2021-08-11", "isolated", ((30, None),), 0),
        ("2021-08-11", "fall", ((90, None),), 0),
        ("2021-08-12", "full_control", ((60, True),), 0),  # could be wholly … within two months
        ("2021-08-12", "pressure", ((50, True),), 21),  # could … in September
        ("2021-08-12", "full_control", ((90, False),), 0),  # within a few months, 60 to 120
        ("2021-08-12", "pressure", ((30, True),), 0),  # could … within 30 days
        ("2021-08-13", "isolated", ((3, True), (7, False)), 0),  # within the week, possibly within 72 hours
    } == {(str(s.assessment.day), s.event, tuple(map(tuple, s.points)), s.quiet) for s in found}
    assert 9 == len(found)
    assert len(found) + len(notes) == len(afghan.record.assessments)
    assert sum("counts from another event (withdrawal complete)" in note for note in notes) == 4
    assert sum("states no horizon" in note for note in notes) == 3


def test_an_assessment_that_cannot_be_scored_is_left_out_and_noted():
    assert ([], ["2021-08-12, somebody: left out, states no horizon"]) == said("soon", None, None)
    assert (
        [],
        ["2021-08-12, somebody: left out, its horizon counts from another event (withdrawal complete)"],
    ) == said("could fall within 90 days", 0, 90, "fall of Kabul", "withdrawal complete")
    assert ([], ["2021-08-12, somebody: left out, no outcome here is 'peace'"]) == said("could", 0, 9, "peace")


def test_an_assessment_speaks_of_its_own_event_only():
    outcomes = [Pressure("half_ring"), Pressure("neighbour"), Pressure("isolated"), ControlOf("Kabul"), FullControl()]
    spoken = {
        "pressure on Kabul": [True, True, False, False, False],
        "Kabul isolated": [False, False, True, False, False],
        "fall of Kabul": [False, False, False, True, False],
        "full control of the country": [False, False, False, False, True],
    }
    for event, expected in spoken.items():
        statement = one("could within 30 days", 0, 30, event)
        assert expected == [speaks_of(statement, outcome, "Kabul") for outcome in outcomes]
        assert not speaks_of(statement, Captured(3), "Kabul")


def by(statement, reading, days, day=DAY):
    """Return P(by *days* evenings after *day*)."""
    return float(passage_of(statement, reading, day, days)[:-1].sum())


BANDS = st.tuples(st.floats(0.01, 0.99), st.floats(0.01, 0.99)).map(sorted)


@given(BANDS, st.integers(1, 60))
def test_could_within_a_horizon_has_the_middle_of_the_band_at_it(band, days):
    reading = Reading("given", *band, "argued", "x", "y")

    assert by(one("could within", 0.0, float(days)), reading, days) == pytest.approx(sum(band) / 2, abs=1e-9)


@given(BANDS)
def test_what_is_not_hedged_does_not_hang_on_the_reading(band):
    reading = Reading("given", *band, "argued", "x", "y")

    assert by(one("collapse within 30 days", 0, 30), reading, 30) == pytest.approx((FLAT.low + FLAT.high) / 2, abs=1e-9)
    assert by(one("isolated in about 30 days", 30, 30), reading, 30) == pytest.approx(0.5, abs=1e-9)
    assert not one("collapse within 30 days", 0, 30).hedged and one("could within 30 days", 0, 30).hedged


def test_a_band_from_nought_to_one_gives_the_closed_form():
    """The mean of (1 - p)^x over p in (0, 1) is 1 / (1 + x)."""
    statement = one("could within 30 days", 0, 30)
    bins = passage_of(statement, READINGS[0], DAY, 90)

    days = np.arange(1, 91)
    assert np.allclose(np.cumsum(bins)[:-1], (days / 30) / (1 + days / 30), rtol=0.0, atol=2e-5)


def test_one_probability_gives_a_constant_hazard():
    statement = one("could within 30 days", 0, 30)
    bins = passage_of(statement, Reading("even", 0.5, 0.5, "argued", "x", "y"), DAY, 40)

    assert np.allclose(np.cumsum(bins)[:-1], 1 - 0.5 ** (np.arange(1, 41) / 30), rtol=0.0, atol=1e-12)


def test_in_september_is_free_of_the_event_before():
    statement = one("could be under pressure in September", 21, 50)
    bins = passage_of(statement, READINGS[2], DAY, 60)

    assert np.all(bins[:21] == 0.0) and bins[21] > 0.0
    assert bins[:50].sum() == pytest.approx((READINGS[2].low + READINGS[2].high) / 2, abs=1e-9)


def test_within_a_week_possibly_within_three_days_keeps_to_both():
    statement = one("isolated within the week, possibly within 72 hours", 3, 7)
    low = Reading("low", 0.1, 0.3, "argued", "x", "y")

    assert by(statement, low, 3) == pytest.approx(0.2, abs=1e-9)
    assert by(statement, low, 7) == pytest.approx(0.675, abs=1e-9)
    assert np.all(passage_of(statement, Reading("sure", 0.9, 0.95, "argued", "x", "y"), DAY, 9) >= 0.0)


@given(st.sampled_from(READINGS), st.integers(0, 20), st.sampled_from([(0, 30), (30, 30), (21, 50), (60, 120)]))
def test_days_that_pass_without_the_event_are_conditioned_on(reading, age, horizon):
    statement = one("it could be", float(horizon[0]), float(horizon[1]))
    fresh = passage_of(statement, reading, DAY, age + 40)
    aged = passage_of(statement, reading, DAY + timedelta(days=age), 40)

    assert aged.sum() == pytest.approx(1.0, abs=1e-12) and np.all(aged >= 0.0)
    assert np.allclose(aged, fresh[age:] / fresh[age:].sum(), rtol=1e-9, atol=1e-12)


def test_an_assessment_says_nothing_before_it_was_spoken():
    with pytest.raises(
        ValueError, match="assessment of 2021-08-12: not yet spoken on 2021-08-11; take a later evening"
    ):
        passage_of(one("could within", 0, 30), READINGS[0], DAY - timedelta(days=1), 9)


def test_a_bad_reading_is_refused():
    with pytest.raises(ValueError) as caught:
        Reading("odd", 0.6, 0.4, "argued", "x", "y")
    assert "reading odd: 0 <= low <= high <= 1 must hold, but was 0.6, 0.4" == str(caught.value)
    with pytest.raises(ValueError) as caught:
        Reading("odd", 0.4, 0.6, "guessed", "x", "y")  # type: ignore[arg-type]
    assert "reading odd: status must be 'published' or 'argued', but was 'guessed'" == str(caught.value)
