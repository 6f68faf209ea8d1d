"""Bad theatres: one mistake each, refused with a message that names the place and what to do."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

import pytest

from sim.record import Capture, Count, Record, Sighting
from sim.theatre import Border, Theatre, load_theatre

HERE = Path(__file__).parent / "bad_theatres"

# Folder of tests/bad_theatres, named after its mistake: the whole message.
FOLDERS = {
    "account_called_span": "record: accounts must be different names, none of them 'span', but was ('press', 'span')",
    "account_unknown": "captures.csv line 2: unknown account 'pres'; did you mean 'press'?",
    "accounts_not_ranked": (
        "record: captures of 2 accounts (press, radio) need a list of them with the one that counts first: "
        "accounts=[...], in theatre.toml or in the call"
    ),
    "assessment_horizon_reversed": (
        "assessments.csv line 2: 0 <= horizon_days_low <= horizon_days_high must hold, but was 90.0, 30.0"
    ),
    "border_length_infinite": (
        "borders.csv line 2: column 'km' must be a finite number, but was 'inf'; leave a gap blank"
    ),
    "border_status_unknown": (
        "borders.csv line 3: column 'status' must be one of agreed, disputed, but was 'contested'"
    ),
    "border_to_a_capital": (
        "borders.csv line 4: no province 'Cedarville' in the theatre; that is the capital of 'Cedar'"
    ),
    "border_to_unknown_province": "borders.csv line 4: no province 'Cedra' in the theatre; did you mean 'Cedar'?",
    "border_twice": (
        "borders.csv line 4: the border Alder - Birch is given twice, first in borders.csv line 2; keep one"
    ),
    "border_twice_the_other_way_round": (
        "borders.csv line 4: the border Alder - Birch is given twice, first in borders.csv line 2; keep one"
    ),
    "border_with_itself": "borders.csv line 4: a border must join two provinces, but was 'Cedar' with itself",
    "capture_without_date": "captures.csv line 2: column 'earliest' must not be blank",
    "capture_without_source": "captures.csv line 2: column 'source' must not be blank; no source, no row",
    "captured_before_day_0": (
        "captures.csv line 2: captured before day 0: earliest must not be before the origin 2021-08-06, but "
        "was 2021-08-05 00:00:00; give an earlier origin"
    ),
    "captured_province_unknown": "captures.csv line 3: no province 'Brich' in the theatre; did you mean 'Birch'?",
    "captured_twice": (
        "captures.csv line 3: Alder is captured twice in the account 'press', first in captures.csv line 2; "
        "keep one row"
    ),
    "column_missing": "provinces.csv line 1: no column 'province'; add it",
    "column_misspelt": "captures.csv line 1: no column 'known_from'; is it 'knwon_from'?",
    "column_twice": "provinces.csv line 1: column 'population' is given twice; keep one",
    "column_unknown": "borders.csv line 1: unknown column 'stauts'; did you mean 'status'?",
    "column_without_name": "provinces.csv line 1: column 2 has no name",
    "confidence_unknown": (
        "captures.csv line 2: column 'confidence' must be one of high, medium, low, unknown, but was 'certain'"
    ),
    "count_above_the_provinces": (
        "counts.csv line 2: captured must be between 0 and 3, the number of provinces, but was 4"
    ),
    "count_negative": "counts.csv line 2: captured must be between 0 and 3, the number of provinces, but was -1",
    "count_of_half_a_capital": "counts.csv line 2: column 'captured' must be a whole number, but was '1.5'",
    "covariate_half_text": (
        "provinces.csv line 3: column 'militias' must be a finite number, but was 'none'; leave a gap blank"
    ),
    "date_not_in_the_calendar": "captures.csv line 2: latest: '2021-08-32' is not a day of the calendar",
    "date_written_the_other_way": (
        "captures.csv line 2: earliest: must be a date or a local time such as '2021-08-12' or "
        "'2021-08-12T18:00', but was '06/08/2021'"
    ),
    "earliest_after_latest": (
        "captures.csv line 2: earliest must not be after latest, but was 2021-08-08 and 2021-08-06"
    ),
    "earliest_the_day_after_latest": (
        "captures.csv line 2: earliest must not be after latest, but was 2021-08-07 and 2021-08-06"
    ),
    "empty_provinces_file": "provinces.csv: the file is empty; its first line must name the columns province",
    "heading_without_provinces": "provinces.csv: no rows; a theatre needs at least one province",
    "hub_unknown": "theatre.toml: hub: no province 'Ceder' in the theatre; did you mean 'Cedar'?",
    "known_before_it_happened": (
        "captures.csv line 2: known before it happened: known_from must not be before earliest, but was "
        "2021-08-05 and 2021-08-06 00:00:00"
    ),
    "latitude_beyond_the_pole": "provinces.csv line 3: column 'latitude' must be between -90 and 90, but was '95'",
    "mode_unknown": (
        "captures.csv line 2: column 'mode' must be one of fighting, negotiated, unopposed, mixed, unknown, "
        "but was 'figthing'; did you mean 'fighting'?"
    ),
    "no_borders_file": "borders.csv: missing from the theatre's folder '{folder}'; it must be there",
    "no_provinces_file": "provinces.csv: missing from the theatre's folder '{folder}'; it must be there",
    "origin_not_a_date": "theatre.toml: origin: must be a date such as '2021-08-12', but was '6 August'",
    "population_nan": (
        "provinces.csv line 5: column 'population' must be a finite number, but was 'nan'; leave a gap blank"
    ),
    "population_negative": "provinces.csv line 5: column 'population' must be at least 0, but was '-5'",
    "population_text": (
        "provinces.csv line 5: column 'population' must be a finite number, but was 'many'; leave a gap blank"
    ),
    "province_blank": "provinces.csv line 5: column 'province' must not be blank",
    "province_twice": (
        "provinces.csv line 5: province 'Birch' is given twice, first in provinces.csv line 3; keep one"
    ),
    "province_twice_in_two_unicode_forms": (
        "provinces.csv line 6: province 'Érable' is given twice, first in provinces.csv line 5; keep one"
    ),
    "quote_not_closed": "provinces.csv line 5: not CSV: unexpected end of data",
    "road_evidence_unknown": (
        "roads.csv line 2: column 'evidence' must be one of source, memory, but was 'memroy'; did you mean 'memory'?"
    ),
    "road_to_unknown_province": "roads.csv line 2: no province 'Brich' in the theatre; did you mean 'Birch'?",
    "road_twice": "roads.csv line 3: the road Alder - Birch is given twice, first in roads.csv line 2; keep one",
    "road_with_itself": "roads.csv line 2: a road must join two provinces, but was 'Alder' with itself",
    "road_without_kind": "roads.csv line 2: column 'kind' must not be blank",
    "row_too_long": "provinces.csv line 5: must have 3 fields as line 1 has, but had 4",
    "row_too_short": "borders.csv line 4: must have 2 fields as line 1 has, but had 1",
    "setting_of_wrong_kind": "theatre.toml: accounts must be a list of texts, but was 'press'",
    "setting_unknown": "theatre.toml: unknown setting 'hubb'; did you mean 'hub'?",
    "sighting_from_after_to": "contested.csv line 2: from must not be after to, but was 2021-08-08 and 2021-08-07",
    "sighting_of_insurgent_control": (
        "contested.csv line 2: column 'control' must be one of contested, government, but was 'insurgent'"
    ),
    "sighting_of_unknown_province": "contested.csv line 2: no province 'Aldre' in the theatre; did you mean 'Alder'?",
    "sighting_seen_before_it_began": (
        "contested.csv line 2: seen before it began: seen must not be before from, but was 2021-08-05 and 2021-08-06"
    ),
    "sighting_without_source": "contested.csv line 2: column 'source' must not be blank; no source, no row",
    "sightings_contradict": (
        "contested.csv line 3: contradicts contested.csv line 2: Alder cannot be seen both contested and held "
        "by the government on one day; keep one row"
    ),
    "table_misspelt": "capture.csv: not a table of a theatre; did you mean 'captures.csv'?",
    "time_with_zone": (
        "captures.csv line 2: earliest: must be a date or a local time such as '2021-08-12' or "
        "'2021-08-12T18:00', but was '2021-08-06T18:00+04:30'"
    ),
    "toml_broken": "theatre.toml: not TOML: Invalid value (at line 1, column 7)",
    "utf_16": "provinces.csv line 1: must be UTF-8, but byte 0xff is not; save the file again with that encoding",
    "wrong_encoding": (
        "provinces.csv line 5: must be UTF-8, but byte 0xc9 is not; save the file again with that encoding"
    ),
}


@pytest.mark.parametrize("mistake", FOLDERS)
def test_a_bad_folder_is_refused_with_its_message(mistake: str) -> None:
    folder = HERE / mistake
    with pytest.raises((ValueError, FileNotFoundError)) as caught:
        load_theatre(folder)

    assert FOLDERS[mistake].replace("{folder}", str(folder)) == str(caught.value)


def test_every_bad_folder_has_its_message() -> None:
    assert sorted(FOLDERS) == sorted(path.name for path in HERE.iterdir())


AB = ("A", "B")
WEEK = Record(AB, [Capture.dated("A", "2021-08-06")], origin="2021-08-06")

# Call, named after its mistake: the call, the error and the whole message.
CALLS: dict[str, tuple[Callable[[], object], type[Exception], str]] = {
    "packaged name misspelt": (
        lambda: load_theatre("afganistan_2021"),
        FileNotFoundError,
        "load_theatre: no folder and no packaged theatre 'afganistan_2021'; did you mean 'afghanistan_2021'?",
    ),
    "file instead of folder": (
        lambda: load_theatre(HERE / "hub_unknown" / "theatre.toml"),
        NotADirectoryError,
        f"load_theatre: must be a folder of tables, but {str(HERE / 'hub_unknown' / 'theatre.toml')!r} is a file; "
        "give the folder it is in",
    ),
    "borders misspelt": (
        lambda: load_theatre("afghanistan_2021", borders="al"),
        ValueError,
        "load_theatre: borders must be one of agreed, all, but was 'al'; did you mean 'all'?",
    ),
    "roads misspelt": (
        lambda: load_theatre("afghanistan_2021", roads="source"),
        ValueError,
        "load_theatre: roads must be one of all, sourced, but was 'source'; did you mean 'sourced'?",
    ),
    "account misspelt": (
        lambda: load_theatre("afghanistan_2021", prefer="bestdate"),
        ValueError,
        "record: no account 'bestdate' to prefer; did you mean 'best_date'?",
    ),
    "no provinces": (
        lambda: Theatre([]),
        ValueError,
        "theatre: at least one province is needed, but none was given",
    ),
    "a text for provinces": (
        lambda: Theatre("AB"),
        TypeError,
        "theatre: provinces must be a sequence of names, but was the text 'AB'",
    ),
    "province given twice": (
        lambda: Theatre(["A", "B", "A"]),
        ValueError,
        "theatre: province 'A' is given twice; keep one",
    ),
    "province with outer blanks": (
        lambda: Theatre(["A", "B "]),
        ValueError,
        "theatre: the name of a province must not be blank or begin or end so, but was 'B '",
    ),
    "province that is a number": (
        lambda: Theatre(["A", 2]),
        TypeError,
        "theatre: the name of a province must be text, but was 2",
    ),
    "hub unknown": (
        lambda: Theatre(["Alder", "Birch"], hub="Brich"),
        ValueError,
        "theatre: hub: no province 'Brich' in the theatre; did you mean 'Birch'?",
    ),
    "border with itself": (
        lambda: Theatre(AB, [("A", "A")]),
        ValueError,
        "border A - A: a border must join two provinces, but was 'A' with itself",
    ),
    "border twice": (
        lambda: Theatre(AB, [("A", "B"), ("B", "A")]),
        ValueError,
        "border B - A: the border A - B is given twice; keep one",
    ),
    "border to a stranger": (
        lambda: Theatre(["Alder", "Birch"], [("Alder", "Birhc")]),
        ValueError,
        "border Alder - Birhc: no province 'Birhc' in the theatre; did you mean 'Birch'?",
    ),
    "border status unknown": (
        lambda: Border("A", "B", "disputd"),
        ValueError,
        "border A - B: status must be one of agreed, disputed, but was 'disputd'; did you mean 'disputed'?",
    ),
    "road twice": (
        lambda: Theatre(AB, roads=[("A", "B", "trunk"), ("B", "A", "track")]),
        ValueError,
        "road B - A: the road A - B is given twice; keep one",
    ),
    "column too short": (
        lambda: Theatre(AB, columns={"x": [1.0]}),
        ValueError,
        "theatre: column 'x' must have 2 values, as provinces, but had 1",
    ),
    "column with nan": (
        lambda: Theatre(AB, columns={"x": [1.0, float("nan")]}),
        ValueError,
        "theatre: column 'x' must hold finite numbers, but had nan; a gap is None",
    ),
    "capitals too few": (
        lambda: Theatre(AB, capitals=["a"]),
        ValueError,
        "theatre: capitals must be 2, one for each province, but were 1",
    ),
    "record of other provinces": (
        lambda: Theatre(["A", "C"], record=WEEK),
        ValueError,
        "theatre: the record must have the same provinces, but they differ in B, C",
    ),
    "two origins": (
        lambda: Theatre(AB, record=WEEK, origin="2021-08-07"),
        ValueError,
        "theatre: origin must be the record's, 2021-08-06, but was 2021-08-07; give only one",
    ),
    "kind of road unknown": (
        lambda: Theatre(AB, roads=[("A", "B", "trunk")]).neighbours("road", without=("trakc",)),
        ValueError,
        "theatre: no kind of road or border is called 'trakc'; did you mean 'track'?",
    ),
    "neighbours by air": (
        lambda: Theatre(AB).neighbours("air"),
        ValueError,
        "theatre: neighbours go via 'border' or 'road', but was 'air'",
    ),
    "column unknown": (
        lambda: Theatre(AB, columns={"people": [1, 2]}).standardised("peeple"),
        ValueError,
        "theatre: no numeric column 'peeple' among the provinces; did you mean 'people'?",
    ),
    "column of text": (
        lambda: Theatre(AB, labels={"iso": ["a", "b"]}).standardised("iso"),
        ValueError,
        "theatre: no numeric column 'iso' among the provinces; it holds text",
    ),
    "column with gaps": (
        lambda: Theatre(AB, columns={"x": [1, None]}).standardised("x"),
        ValueError,
        "theatre: column 'x' must have no gaps, but is blank for B; fill it in",
    ),
    "column constant": (
        lambda: Theatre(AB, columns={"x": [0.1, 0.1]}).standardised("x"),
        ValueError,
        "theatre: column 'x' must vary between provinces, but is 0.1 everywhere",
    ),
    "earliest after latest": (
        lambda: Capture(
            province="A", earliest=datetime(2021, 8, 7), latest=datetime(2021, 8, 6), known_from=date(2021, 8, 7)
        ),
        ValueError,
        "capture of A: earliest must not be after latest, but was 2021-08-07 00:00:00 and 2021-08-06 00:00:00",
    ),
    "known before it happened": (
        lambda: Capture.dated("A", "2021-08-07", known_from="2021-08-06"),
        ValueError,
        "capture of A: known before it happened: known_from must not be before earliest, "
        "but was 2021-08-06 and 2021-08-07 00:00:00",
    ),
    "sighting without source": (
        lambda: Sighting(
            province="A", first=date(2021, 8, 6), last=date(2021, 8, 6), seen=date(2021, 8, 6), source=" "
        ),
        ValueError,
        "sighting of A: a sighting must name its source; no source, no row",
    ),
    "captured a stranger": (
        lambda: Record(["Alder", "Birch"], [Capture.dated("Adler", "2021-08-06")]),
        ValueError,
        "capture of Adler: no province 'Adler' in the theatre; did you mean 'Alder'?",
    ),
    "captured twice": (
        lambda: Record(AB, [Capture.dated("A", "2021-08-06"), Capture.dated("A", "2021-08-07")]),
        ValueError,
        "capture of A: A is captured twice in the account 'press'; keep one row",
    ),
    "count above the provinces": (
        lambda: Record(AB, counts=[Count(day=date(2021, 8, 6), captured=3)]),
        ValueError,
        "count of 2021-08-06: captured must be between 0 and 2, the number of provinces, but was 3",
    ),
    "provinces given as a number": (
        lambda: Record(34),
        TypeError,
        "record: provinces must be the names of the provinces, but was 34",
    ),
    "province of the record twice": (
        lambda: Record(["A", "A"]),
        ValueError,
        "record: province 'A' is given twice; keep one",
    ),
    "until before day 0": (
        lambda: WEEK.until("2021-08-05"),
        ValueError,
        "record: until must not be before day 0, 2021-08-06, but was 2021-08-05",
    ),
    "until after the end": (
        lambda: WEEK.until("2021-08-08").until("2021-08-09"),
        ValueError,
        "record: until must not be after the record's end, 2021-08-09 00:00:00, but was 2021-08-09",
    ),
    "until a day not in the calendar": (
        lambda: WEEK.until("2021-02-30"),
        ValueError,
        "record: until: '2021-02-30' is not a day of the calendar",
    ),
    "until a short date": (
        lambda: WEEK.until("2021-8-12"),
        ValueError,
        "record: until: must be a date such as '2021-08-12', but was '2021-8-12'",
    ),
    "until an hour": (
        lambda: WEEK.until(datetime(2021, 8, 12, 18)),
        TypeError,
        "record: until: must be a date without a time of day, but was datetime.datetime(2021, 8, 12, 18, 0)",
    ),
    "until without origin": (
        lambda: Record(AB).until("2021-08-12"),
        ValueError,
        "record: day 0 is not known; give an origin, e.g. origin = 2021-08-06 in theatre.toml",
    ),
    "state without cut-off": (
        lambda: WEEK.state(),
        ValueError,
        "record: no cut-off; say what was known when with record.until('YYYY-MM-DD')",
    ),
    "days without cut-off": (
        lambda: WEEK.days,
        ValueError,
        "record: no cut-off; say what was known when with record.until('YYYY-MM-DD')",
    ),
    "state of a count": (
        lambda: WEEK.until("2021-08-08").as_count().state(),
        ValueError,
        "record: only a count is known, so the state is not; keep the record that names the captures",
    ),
    "cutting a count": (
        lambda: Record.from_count(1, 7, AB).until("2000-01-02"),
        ValueError,
        "record: a count-only record cannot be cut earlier; cut the named record first",
    ),
    "count above the provinces given": (
        lambda: Record.from_count(3, 7, AB),
        ValueError,
        "count of 2000-01-07: captured must be between 0 and 2, the number of provinces, but was 3",
    ),
    "count that is not whole": (
        lambda: Record.from_count(1.5, 7, AB),
        TypeError,
        "record: captured must be a whole number, but was 1.5",
    ),
    "count in no time": (
        lambda: Record.from_count(1, 0, AB),
        ValueError,
        "record: days must be a positive, finite number, but was 0",
    ),
    "count in infinite time": (
        lambda: Record.from_count(1, float("inf"), AB),
        ValueError,
        "record: days must be a positive, finite number, but was inf",
    ),
    "count after the end of time": (
        lambda: Record.from_count(1, 1e9, AB),
        ValueError,
        "record: days must end before the year 10000, but was 1000000000.0 after 2000-01-01",
    ),
    "record beyond its end": (
        lambda: Record(AB, [Capture.dated("A", "2021-08-07")], end=datetime(2021, 8, 7)),
        ValueError,
        "capture of A: reaches beyond the record's end, 2021-08-07 00:00:00; cut with until() instead",
    ),
}


@pytest.mark.parametrize("mistake", CALLS)
def test_a_bad_call_is_refused_with_its_message(mistake: str) -> None:
    call, error, message = CALLS[mistake]
    with pytest.raises(error) as caught:
        call()

    assert message == str(caught.value)
