"""The theatre: the packaged case, its structure, and theatres built in memory or read from any folder."""

from __future__ import annotations

import csv
import math
import pickle
import random
import shutil
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.folder import PACKAGED
from sim.record import Capture, Record
from sim.theatre import Border, Road, Theatre, load_theatre

FOLDER = PACKAGED / "afghanistan_2021"


@pytest.fixture(scope="module")
def theatre() -> Theatre:
    return load_theatre("afghanistan_2021")


def names(theatre: Theatre, indices: tuple[int, ...]) -> list[str]:
    return [theatre.provinces[i] for i in indices]


def write(folder: Path, **tables: str) -> Path:
    folder.mkdir(exist_ok=True)
    for name, text in tables.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    return folder


def test_the_packaged_theatre_has_its_provinces_borders_roads_and_captures(theatre: Theatre) -> None:
    assert 34 == len(theatre.provinces) == len(set(theatre.capitals))
    assert 78 == len(theatre.borders)
    assert 43 == len(theatre.roads)
    assert 34 == len(theatre.record.captures)
    assert 52 == len(theatre.record.reports)
    assert (14, 9, 16) == (
        len(theatre.record.sightings), len(theatre.record.counts), len(theatre.record.assessments)
    )  # fmt: skip
    assert "Kabul" == theatre.hub
    assert "2021-08-06" == str(theatre.origin)


def test_flags_choose_disputed_borders_and_remembered_roads() -> None:
    disputed = [row for row in load_theatre("afghanistan_2021", borders="all").borders if row.status == "disputed"]
    sourced = load_theatre("afghanistan_2021", roads="sourced").roads

    assert [("Baghlan", "Balkh"), ("Kunduz", "Samangan"), ("Nangarhar", "Paktia")] == [(r.a, r.b) for r in disputed]
    assert 30 == len(sourced)
    assert {"source"} == {road.evidence for road in sourced}


def test_the_hub_has_six_bordering_provinces_and_five_capitals_one_road_away(theatre: Theatre) -> None:
    hub = theatre.index("Kabul")

    assert ["Kapisa", "Laghman", "Logar", "Nangarhar", "Parwan", "Wardak"] == names(theatre, theatre.neighbours()[hub])
    assert ["Laghman", "Logar", "Nangarhar", "Parwan", "Wardak"] == names(theatre, theatre.neighbours("road")[hub])


def test_every_road_of_the_packaged_theatre_crosses_an_agreed_border(theatre: Theatre) -> None:
    borders = {(border.a, border.b) for border in theatre.borders}

    assert {(road.a, road.b) for road in theatre.roads} <= borders


def test_leaving_out_tracks_leaves_out_four_roads(theatre: Theatre) -> None:
    all_roads = sum(map(len, theatre.neighbours("road")))

    assert 4 == sum(road.kind == "track" for road in theatre.roads)
    assert all_roads - 8 == sum(map(len, theatre.neighbours("road", without=("track",))))


def test_area_and_population_sum_to_what_their_provenance_says(theatre: Theatre) -> None:
    assert 642_181 == math.fsum(theatre.columns["area_km2"])
    assert 30_725_560 == math.fsum(theatre.columns["population"])


def test_the_eleven_hold_the_shares_of_area_and_people_that_the_facts_give(theatre: Theatre) -> None:
    lost = [theatre.index(name) for name in theatre.record.until("2021-08-12").captured]
    shares = [theatre.columns[c][lost].sum() / theatre.columns[c].sum() for c in ("area_km2", "population")]

    assert [0.454, 0.326] == [round(float(share), 3) for share in shares]


def test_the_summary_names_what_a_theatre_holds(theatre: Theatre) -> None:
    told = "34 provinces, 78 borders, 43 roads, 34 captures from 2021-08-06 to 2021-09-06"

    assert f"Theatre 'afghanistan_2021': {told}" == repr(theatre)
    assert "Theatre '': 2 provinces, 1 borders, 0 roads" == repr(Theatre(["A", "B"], [("A", "B")]))


def test_provinces_and_all_that_goes_with_them_stand_in_name_order() -> None:
    theatre = Theatre(
        ["C", "A", "B"], [("C", "A")], [("B", "A", "track")], hub="B", capitals=["c", "a", "b"],
        columns={"x": [3, 1, 2]}, labels={"iso": ["cc", "aa", "bb"]},
    )  # fmt: skip

    assert ("A", "B", "C") == theatre.provinces
    assert ("a", "b", "c") == theatre.capitals
    assert [1.0, 2.0, 3.0] == theatre.columns["x"].tolist()
    assert ("aa", "bb", "cc") == theatre.labels["iso"]
    assert (Border("A", "C"),) == theatre.borders
    assert (Road("A", "B", "track"),) == theatre.roads
    assert ((2,), (), (0,)) == theatre.neighbours()
    assert ((1,), (0,), ()) == theatre.neighbours("road")
    assert ((), (), ()) == theatre.neighbours("road", without=("track",))
    assert ("A", "B", "C") == theatre.record.provinces


@given(st.randoms(use_true_random=False))
def test_permuting_what_is_given_changes_nothing(shuffle: random.Random) -> None:
    provinces = ["A", "B", "C", "D", "\u00c9"]
    borders = [("A", "B"), ("B", "C"), ("C", "\u00c9")]
    captures = [Capture.dated("A", "2021-08-06"), Capture.dated("B", "2021-08-07")]
    numbers = dict(zip(provinces, [0.1, 0.2, 0.3, 1e9, 5.0], strict=True))

    def build(order: list[str]) -> Theatre:
        record = Record(order, captures)
        return Theatre(order, borders, columns={"x": [numbers[name] for name in order]}, record=record)

    straight = build(provinces)
    order = shuffle.sample(provinces, len(provinces))
    shuffle.shuffle(borders)
    borders[0] = borders[0][::-1]
    shuffle.shuffle(captures)
    other = build(order)

    assert straight == other
    assert hash(straight) == hash(other)
    assert straight.standardised("x").tobytes() == other.standardised("x").tobytes()


@given(st.randoms(use_true_random=False))
def test_permuting_the_rows_of_every_table_gives_an_equal_theatre(shuffle: random.Random) -> None:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "afghanistan_2021"
        shutil.copytree(FOLDER, folder)
        for path in folder.glob("*.csv"):
            with path.open(encoding="utf-8", newline="") as file:
                heading, *rows = csv.reader(file)
            shuffle.shuffle(rows)
            with path.open("w", encoding="utf-8", newline="") as file:
                csv.writer(file).writerows([heading, *rows])

        assert load_theatre(FOLDER) == load_theatre(folder)


def test_a_theatre_differs_where_anything_in_it_differs() -> None:
    plain = Theatre(["A", "B"], [("A", "B")], columns={"x": [1, 2]})

    assert plain == Theatre(["A", "B"], [("A", "B")], columns={"x": [1, 2]})
    assert plain != Theatre(["A", "B"], [("A", "B")], columns={"x": [1, 3]})
    assert plain != Theatre(["A", "B"], [("A", "B", "disputed")], columns={"x": [1, 2]})
    assert plain != Theatre(["A", "B"], [("A", "B")], columns={"x": [1, 2]}, hub="A")


def test_arrays_are_read_only_even_after_pickling(theatre: Theatre) -> None:
    copy = pickle.loads(pickle.dumps(theatre))

    assert theatre == copy
    for values in (theatre.columns["population"], copy.columns["population"], theatre.standardised("population")):
        with pytest.raises(ValueError, match="read-only"):
            values[0] = 1.0
    with pytest.raises(TypeError):
        copy.columns["population"] = np.zeros(34)


def test_a_standardised_column_has_mean_zero_and_population_deviation_one(theatre: Theatre) -> None:
    values = theatre.standardised("population")

    assert abs(math.fsum(values)) < 1e-13
    assert abs(math.fsum(values**2) / 34 - 1.0) < 1e-13
    assert [-1.0, 1.0] == Theatre(["A", "B"], columns={"x": [5, 9]}).standardised("x").tolist()


def test_names_that_look_equal_are_equal() -> None:
    theatre = Theatre(["E\u0301rable", "A"], [("\u00c9rable", "A")])

    assert "\u00c9rable" == theatre.provinces[1]
    assert 1 == theatre.index("E\u0301rable") == theatre.index("\u00c9rable")


def test_a_capital_used_for_a_province_is_told_so(theatre: Theatre) -> None:
    with pytest.raises(ValueError) as caught:
        theatre.index("Zaranj", "scenario")

    assert "scenario: no province 'Zaranj' in the theatre; that is the capital of 'Nimroz'" == str(caught.value)


def test_only_provinces_and_borders_are_obligatory(tmp_path: Path) -> None:
    folder = write(tmp_path / "small", provinces="province\nB\nA\n", borders="a,b\nA,B\n")
    theatre = load_theatre(folder)

    assert Theatre(["A", "B"], [("A", "B")], name="small") == theatre == load_theatre(str(folder))
    assert theatre.hub is theatre.origin is None


def test_a_covariate_is_any_further_column_of_numbers_and_a_label_any_of_text(tmp_path: Path) -> None:
    table = "province,militias,ethnicity,iso_3166_2\nA,1.5,p,1\nB,,q,2\nC,4e0,,3\n"
    theatre = load_theatre(write(tmp_path, provinces=table, borders="a,b\n"))

    assert {"militias"} == set(theatre.columns)
    assert [1.5, None, 4.0] == [None if math.isnan(x) else float(x) for x in theatre.columns["militias"]]
    assert {"ethnicity": ("p", "q", ""), "iso_3166_2": ("1", "2", "3")} == dict(theatre.labels)


def test_a_byte_order_mark_and_windows_line_ends_are_read(tmp_path: Path) -> None:
    folder = write(tmp_path, borders="a,b\r\nA,B\r\n")
    (folder / "provinces.csv").write_bytes("\ufeffprovince,capital\r\nA,a\r\n\r\nB,b\r\n".encode())

    assert ("a", "b") == load_theatre(folder).capitals


def test_the_place_in_a_message_is_where_the_row_begins(tmp_path: Path) -> None:
    table = 'province,note,population\nA,"two\nlines",1\n\nB,"three\nmore\nlines",x\n'
    with pytest.raises(ValueError, match=r"provinces\.csv line 5: column 'population'"):
        load_theatre(write(tmp_path, provinces=table, borders="a,b\n"))


def test_credits_name_what_the_licences_ask_for(theatre: Theatre) -> None:
    text = (FOLDER / "DATA.md").read_text(encoding="utf-8")

    assert any("GeoNames" in line and "CC BY 4.0" in line for line in theatre.credits)
    for word in ("GeoNames", "CC BY 4.0", "Natural Earth", "public domain", "NSIA", "Disputed", "Doubts", "Memory"):
        assert word in text
