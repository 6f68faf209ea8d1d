"""The record: what was known on an evening, and that nothing later can reach it."""

from __future__ import annotations

import pickle
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.control import Control
from sim.record import Capture, Count, Record, Sighting
from sim.theatre import load_theatre

ELEVEN = (
    "Badakhshan", "Baghlan", "Farah", "Ghazni", "Herat", "Jowzjan", "Kunduz", "Nimroz", "Samangan", "Sar-e Pol",
    "Takhar",
)  # fmt: skip
DAYS = ("2021-08-10", "2021-08-11", "2021-08-12", "2021-08-13", "2021-08-14", "2021-08-15")


@pytest.fixture(scope="module")
def record() -> Record:
    return load_theatre("afghanistan_2021").record


def preferring(account: str) -> Record:
    return load_theatre("afghanistan_2021", prefer=account).record


def by_province(record: Record) -> dict[str, Capture]:
    return {capture.province: capture for capture in record.captures}


def test_totals_by_evening_are_those_reported(record: Record) -> None:
    assert [7, 9, 11, 18, 24, 33] == [record.until(day).total for day in DAYS]
    assert 34 == record.until("2021-09-06").total


def test_the_article_knew_the_eleven_and_saw_lashkar_gah_contested(record: Record) -> None:
    week = record.until("2021-08-12")
    state = week.state()

    assert ELEVEN == week.captured == state.lost
    assert ("Helmand",) == state.contested
    assert 34 == len(state.control)
    assert datetime(2021, 8, 13) == week.end == state.instant
    assert {"Helmand", "Kabul"} == state.sighted
    assert 7.0 == week.days


def test_past_captures_carry_their_intervals_in_days_before_the_start(record: Record) -> None:
    past = {row.province: (row.earliest, row.latest) for row in record.until("2021-08-12").state().past}

    assert set(ELEVEN) == set(past)
    assert (-7.0, -6.0) == past["Nimroz"]
    assert (-3.0, -2.0) == past["Farah"]
    assert (-1.0, 0.0) == past["Herat"]


def test_farah_is_contested_on_the_evening_before_it_was_counted(record: Record) -> None:
    assert ("Farah",) == record.until("2021-08-10").state().contested
    assert () == record.until("2021-08-11").state().contested
    assert ("Wardak",) == record.until("2021-08-14").state().contested


def test_best_date_counts_each_capital_from_the_day_it_fell() -> None:
    record = preferring("best_date")

    assert [8, 9, 13, 18, 25, 33] == [record.until(day).total for day in DAYS]
    assert {"Badghis", "Kandahar"} == set(record.until("2021-08-12").captured) - set(ELEVEN)


def test_an_alternative_date_holds_from_when_it_is_told() -> None:
    record = preferring("alternative")
    herat = [by_province(record.until(day))["Herat"].earliest for day in ("2021-08-12", "2021-08-13")]

    assert [7, 9, 11, 18, 24, 33] == [record.until(day).total for day in DAYS]
    assert [datetime(2021, 8, 12), datetime(2021, 8, 13)] == herat
    assert 14 == sum(capture.account == "alternative" for capture in record.captures)


def test_span_takes_the_first_accounts_captures_with_the_interval_of_all(record: Record) -> None:
    span = preferring("span")
    farah, herat = by_province(span)["Farah"], by_province(span)["Herat"]

    assert [7, 9, 11, 18, 24, 33] == [span.until(day).total for day in DAYS]
    assert (datetime(2021, 8, 10), datetime(2021, 8, 12)) == (farah.earliest, farah.latest)
    assert (datetime(2021, 8, 12), datetime(2021, 8, 14)) == (herat.earliest, herat.latest)
    assert [row.known_from for row in record.captures] == [row.known_from for row in span.captures]


def test_a_bare_date_lasts_to_its_midnight_and_a_time_is_exact() -> None:
    day = Capture.dated("A", "2021-08-12")
    hour = Capture.dated("A", "2021-08-12T18:00")
    span = Capture.dated("A", "2021-08-12", "2021-08-14")

    assert (datetime(2021, 8, 12), datetime(2021, 8, 13)) == (day.earliest, day.latest)
    assert datetime(2021, 8, 12, 18) == hour.earliest == hour.latest
    assert date(2021, 8, 12) == day.known_from == hour.known_from
    assert (datetime(2021, 8, 15), date(2021, 8, 14)) == (span.latest, span.known_from)


def test_an_interval_is_clipped_to_the_evening_of_the_cut_off() -> None:
    long = Capture.dated("A", "2021-08-06", "2021-08-10", known_from="2021-08-07")
    week = Record(["A", "B"], [long]).until("2021-08-08")

    assert datetime(2021, 8, 9) == week.captures[0].latest
    assert week == Record(["A", "B"], [long]).until("2021-08-09").until("2021-08-08")


def test_a_day_is_counted_from_the_first_moment_of_day_0(record: Record) -> None:
    assert 0.0 == record.day("2021-08-06")
    assert 6.75 == record.day("2021-08-12T18:00")
    assert 7.0 == record.day(date(2021, 8, 13))


def test_day_0_is_by_default_the_earliest_day_of_what_was_known_first() -> None:
    captures = [Capture.dated("A", "2021-08-06", "2021-08-07"), Capture.dated("B", "2021-08-07")]

    assert date(2021, 8, 6) == Record(["A", "B"], captures).origin
    assert Record(["A", "B"]).origin is None


def test_the_latest_sighting_of_the_last_day_says_whether_a_capital_is_contested() -> None:
    def seen(control: Control, first: int, last: int, seen: int) -> Sighting:
        day = [date(2021, 8, n) for n in (first, last, seen)]
        return Sighting(province="A", first=day[0], last=day[1], seen=day[2], control=control, source="AP")

    held, fought = Control.GOVERNMENT, Control.CONTESTED
    sightings = [seen(held, 6, 9, 9), seen(fought, 7, 8, 8), seen(fought, 11, 11, 12)]
    record = Record(["A", "B"], sightings=sightings, origin="2021-08-06")
    contested = {day: record.until(f"2021-08-{day:02d}").state().contested for day in (7, 8, 9, 10, 11, 12)}

    assert {7: (), 8: ("A",), 9: (), 10: (), 11: (), 12: ()} == contested
    assert frozenset() == record.until("2021-08-10").state().sighted
    assert {"A"} == record.until("2021-08-09").state().sighted


def test_a_count_only_record_holds_the_number_and_no_name(record: Record) -> None:
    week = record.until("2021-08-12").as_count()
    given_count = Record.from_count(captured=11, days=7, provinces=week.provinces, origin="2021-08-06")

    assert (11, 7.0, ()) == (week.total, week.days, week.captures)
    assert (11, 7.0, ()) == (given_count.total, given_count.days, given_count.captures)
    assert (week.end, week.origin, week.named) == (given_count.end, given_count.origin, given_count.named)
    assert 2.5 == Record.from_count(1, 2.5, ["A"]).days
    for read in (lambda: week.captured, week.state):
        with pytest.raises(ValueError, match="only a count is known"):
            read()


def test_facts_name_the_source_of_everything_used(record: Record) -> None:
    facts = record.until("2021-08-12").facts
    ids = [fact["id"] for fact in facts]

    assert 11 == sum(str(name).startswith("capture:") for name in ids)
    assert "sighting:Helmand:2021-08-12:2021-08-12" in ids
    assert "count:2021-08-12:11" in ids
    assert len(set(ids)) == len(ids)
    assert all(fact["source"] for fact in facts)


def test_a_record_can_be_hashed_and_pickled(record: Record) -> None:
    assert record == pickle.loads(pickle.dumps(record))
    assert hash(record) == hash(pickle.loads(pickle.dumps(record)))


# -- poisoning the future: rows known only later are changed at will, and nothing known before may move -------------

ORIGIN = date(2021, 8, 6)
CUT = date(2021, 8, 10)
PLACES = ("A", "B", "C")
ACCOUNTS = ("press", "best_date", "radio")


@st.composite
def capture(draw: st.DrawFn, province: str, account: str, after: date | None = None) -> Capture:
    """A capture known on any day, or on one after the date *after*."""
    known = draw(st.integers((after - ORIGIN).days + 1 if after else 0, 12))
    begins = draw(st.integers(0, known))
    ends = draw(st.integers(begins, 15))
    mode = draw(st.sampled_from(["fighting", "unknown"]))
    day = [ORIGIN + timedelta(days=n) for n in (begins, ends, known)]
    return Capture.dated(province, *day, account=account, mode=mode)


def fully(captures: list[Capture], rows: list[Sighting], counts: list[Count], prefer: str | None) -> Record:
    return Record(PLACES, captures, rows, counts, origin=ORIGIN, accounts=ACCOUNTS, prefer=prefer)


@given(st.data(), st.sampled_from([None, "press", "best_date", "radio", "span"]))
def test_changing_every_later_row_at_will_leaves_what_was_known_equal(data: st.DataObject, prefer: str | None) -> None:
    slots = [(p, a) for p in PLACES for a in ACCOUNTS]
    clean = [data.draw(capture(*slot)) for slot in slots if data.draw(st.booleans())]
    known = [row for row in clean if row.known_from <= CUT]
    free = [slot for slot in slots if slot not in {(row.province, row.account) for row in known}]
    poison = [data.draw(capture(*slot, after=CUT)) for slot in free if data.draw(st.booleans())]
    later = CUT + timedelta(days=data.draw(st.integers(1, 9)))
    seen = Sighting(province="A", first=ORIGIN, last=CUT, seen=CUT, source="AP")
    reach = Sighting(province="B", first=ORIGIN, last=later, seen=CUT, source="AP")
    short = Sighting(province="B", first=ORIGIN, last=CUT, seen=CUT, source="AP")
    lie = Sighting(province="A", first=ORIGIN, last=CUT, seen=later, source="?", control=Control.GOVERNMENT)
    told, untold = Count(day=CUT, captured=1), Count(day=later, captured=3)
    before = fully(clean, [seen, short], [told], prefer).until(CUT)
    after = fully([*poison, *known], [lie, seen, reach], [told, untold], prefer).until(CUT)

    assert before == after
    assert before.state() == after.state()
    assert before.as_count() == after.as_count()
    assert before.facts == after.facts
    assert all(row.latest <= datetime(2021, 8, 11) and row.known_from <= CUT for row in before.reports)


@given(st.data(), st.sampled_from([None, "best_date", "radio", "span"]), st.integers(0, 12), st.integers(0, 12))
def test_cutting_twice_is_cutting_at_the_earlier(data: st.DataObject, prefer: str | None, one: int, two: int) -> None:
    slots = [(p, a) for p in PLACES for a in ACCOUNTS]
    record = fully([data.draw(capture(*slot)) for slot in slots if data.draw(st.booleans())], [], [], prefer)
    early, late = (ORIGIN + timedelta(days=n) for n in sorted((one, two)))

    assert record.until(early) == record.until(late).until(early)


def test_poisoning_the_packaged_tables_after_the_article_changes_nothing_it_knew(record: Record) -> None:
    cut = date(2021, 8, 12)
    changed = [
        Capture.dated("Kabul" if row.province == "Panjshir" else row.province, "2021-08-06", "2021-12-31",
                      "2021-08-13", account=row.account, source="poison")
        for row in record.reports
        if row.known_from > cut and row.province != "Kabul"
    ]  # fmt: skip
    kept = [row for row in record.reports if row.known_from <= cut]
    for prefer in (None, "best_date", "alternative", "span"):
        clean, poisoned = (
            Record(record.provinces, rows, record.sightings, record.counts, record.assessments,
                   origin=record.origin, accounts=record.accounts, prefer=prefer).until(cut)
            for rows in (record.reports, [*kept, *changed])
        )  # fmt: skip

        assert clean == poisoned
        assert clean.state() == poisoned.state()
