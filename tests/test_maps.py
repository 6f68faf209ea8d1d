"""Maps: what they draw of an ensemble, a state and a theatre; and who is cut off, asked of the law."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import matplotlib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch

import sim
from sim import plots
from sim.control import Control, State
from sim.ensemble import Ensemble
from sim.families import contagion
from sim.links import Road
from sim.outcomes import ControlOf
from sim.severing import cut_off
from sim.theatre import Theatre

SQUARE = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0], [0.0, 0.0]]
PLACES: Mapping[str, list[float | None]] = {"longitude": [0.5, 1.5, 2.5], "latitude": [60.5, 60.5, 59.5]}
THREE = Theatre(["A", "B", "C"], roads=[("A", "B"), ("B", "C", "track")], hub="B", columns=PLACES)
CHANCES = {"A": 0.0, "B": 0.25, "C": 1.0}


@pytest.fixture(scope="module")
def start(week: sim.Record) -> State:
    return week.state()


@pytest.fixture(scope="module")
def ensemble(afghan: Theatre, start: State) -> Ensemble:
    model = contagion(afghan)
    return sim.simulate(model, model.draw_prior(40, seed=2), start=start, horizon=30, replications=200, seed=2)


@pytest.fixture(scope="module")
def bare(afghan: Theatre) -> Theatre:
    """The packaged theatre without outlines."""
    columns = {name: list(afghan.columns[name]) for name in ("longitude", "latitude")}
    return Theatre(
        afghan.provinces, afghan.borders, afghan.roads, hub="Kabul", columns=columns, capitals=afghan.capitals
    )


def patches(ax: Axes) -> dict[str, PathPatch]:
    return {str(patch.get_gid()): patch for patch in ax.patches if isinstance(patch, PathPatch)}


def dots(ax: Axes, label: str) -> set[tuple[float, ...]]:
    """Where the dots with that *label* in the key are."""
    found = [row for row in ax.collections if row.get_label() == label]
    return {tuple(map(float, place)) for row in found for place in np.asarray(row.get_offsets())}


def where(theatre: Theatre, *provinces: str) -> set[tuple[float, ...]]:
    both = zip(theatre.columns["longitude"].tolist(), theatre.columns["latitude"].tolist(), strict=True)
    return {place for name, place in zip(theatre.provinces, both, strict=True) if name in provinces}


def key(ax: Axes | Figure) -> list[str]:
    legend = ax.get_legend() if isinstance(ax, Axes) else ax.legends[0]
    return [] if legend is None else [text.get_text() for text in legend.get_texts()]


def shade(chance: float) -> Any:
    return pytest.approx(matplotlib.colormaps["viridis_r"](chance))


# ------------------------------------------------------------------------------------------ probabilities by province


def test_each_province_has_the_shade_of_the_probability_that_its_outcome_gives(ensemble: Ensemble) -> None:
    drawn = patches(plots.capture_map(ensemble, 7))

    assert list(ensemble.provinces) == list(drawn)
    for name, patch in drawn.items():
        assert shade(ControlOf(name)(ensemble).probability(within=7).value) == patch.get_facecolor()


def test_a_province_is_drawn_as_its_outline(ensemble: Ensemble, afghan: Theatre) -> None:
    for name, patch in patches(plots.capture_map(ensemble, 7)).items():
        assert np.concatenate(afghan.outlines[name]).tolist() == patch.get_path().vertices.tolist()


def test_provinces_lost_at_the_start_are_hatched_and_no_others(ensemble: Ensemble, start: State) -> None:
    ax = plots.capture_map(ensemble, 0)
    hatched = {name for name, patch in patches(ax).items() if patch.get_hatch()}

    assert set(start.lost) == hatched
    assert 11 == len(hatched)
    assert ["lost at the start", "hub: Kabul"] == key(ax)


def test_a_map_says_its_day_its_units_and_its_scale(ensemble: Ensemble) -> None:
    ax = plots.capture_map(ensemble, 7)
    bar = ax.figure.axes[1]

    assert "captured within 7 days of 2021-08-13" == ax.get_title()
    assert ("longitude (degrees east)", "latitude (degrees north)") == (ax.get_xlabel(), ax.get_ylabel())
    assert "probability that the capital is captured" == bar.get_ylabel()
    assert (0.0, 1.0) == bar.get_ylim()


def test_a_kilometre_north_is_as_long_as_one_east_in_the_middle() -> None:
    low, high = plots.road_map(THREE, State({})).get_ylim()
    aspect = plots.road_map(THREE, State({})).get_aspect()

    assert pytest.approx(60.0) == (low + high) / 2.0
    assert pytest.approx(2.0) == aspect == pytest.approx(1.0 / math.cos(math.radians(60.0)))


def test_the_hub_is_marked_at_its_capital(ensemble: Ensemble, afghan: Theatre) -> None:
    assert where(afghan, "Kabul") == dots(plots.capture_map(ensemble, 7), "hub: Kabul")


def test_axes_that_are_given_come_back_and_new_ones_belong_to_no_window(ensemble: Ensemble, start: State) -> None:
    from matplotlib import pyplot

    given = Figure().subplots(1, 2)

    assert given[0] is plots.capture_map(ensemble, 3, ax=given[0])
    assert given[1] is plots.road_map(ensemble.theatre, start, ax=given[1])
    plots.capture_maps(ensemble)
    assert [] == pyplot.get_fignums()


def test_passages_that_watched_every_province_make_the_same_map(ensemble: Ensemble) -> None:
    passages = sim.simulate(
        ensemble.model, ensemble.recipe.draws, start=ensemble.start, horizon=30, replications=200, seed=2,
        record="outcomes", outcomes=[ControlOf(name) for name in ensemble.provinces],
    )  # fmt: skip
    one, other = patches(plots.capture_map(ensemble, 7)), patches(plots.capture_map(passages, 7))

    assert [p.get_facecolor() for p in one.values()] == [p.get_facecolor() for p in other.values()]


def test_without_outlines_capitals_are_shaded_dots_over_thin_roads(ensemble: Ensemble, bare: Theatre) -> None:
    ax = plots.capture_map(ensemble, 7, theatre=bare)
    held, other = ax.collections[1], ax.collections[0]

    assert {} == patches(ax)
    assert 43 == len(ax.lines)
    assert where(bare, *ensemble.start.lost) == dots(ax, "lost at the start")
    (star,) = [row for row in ax.collections if row.get_label() == "hub: Kabul"]
    kabul = ControlOf("Kabul")(ensemble).probability(within=7).value
    assert shade(kabul) == tuple(star.get_facecolors()[0])  # it hides the dot
    assert 11 == len(held.get_offsets()) and 23 == len(other.get_offsets())
    left = [name for name in bare.provinces if name not in ensemble.start.lost]
    for name, colour in zip(left, other.get_facecolors(), strict=True):
        assert shade(ControlOf(name)(ensemble).probability(within=7).value) == tuple(colour)


def test_a_province_without_an_outline_is_a_dot_beside_those_that_have_one() -> None:
    theatre = Theatre(THREE.provinces, roads=THREE.roads, columns=PLACES, outlines={"B": [SQUARE]})
    ax = plots.capture_map(CHANCES, 2, theatre=theatre)

    assert ["B"] == list(patches(ax))
    assert [[0.5, 60.5], [2.5, 59.5]] == ax.collections[0].get_offsets().tolist()


def test_outlines_need_no_coordinates() -> None:
    theatre = Theatre(["A", "B"], outlines={"A": [SQUARE], "B": [np.array(SQUARE) + 1.0]}, hub="A")
    ax = plots.capture_map({"A": 0.2, "B": 0.7}, 1, theatre=theatre)

    assert ["A", "B"] == list(patches(ax))
    assert "captured within 1 day" == ax.get_title()
    assert [] == key(ax)


def test_the_hole_of_a_province_runs_against_it_so_that_it_is_not_filled() -> None:
    hole = [[0.4, 0.4], [0.4, 0.6], [0.6, 0.6], [0.6, 0.4], [0.4, 0.4]]
    ax = plots.capture_map({"A": 0.2}, 1, theatre=Theatre(["A"], outlines={"A": [SQUARE, hole]}))
    whole, inner = patches(ax)["A"].get_path().to_polygons(closed_only=True)

    def turn(ring: Any) -> float:
        return float(np.sum(ring[:-1, 0] * ring[1:, 1] - ring[1:, 0] * ring[:-1, 1]))

    assert (2.0, pytest.approx(-0.08)) == (turn(whole), turn(inner))


def test_small_multiples_share_one_scale_and_one_key(ensemble: Ensemble) -> None:
    panels = plots.capture_maps(ensemble, days=(3, 7, 14, 30))
    figure = panels[0].figure

    assert 4 + 1 == len(figure.axes)
    assert [f"within {day} days of 2021-08-13" for day in (3, 7, 14, 30)] == [ax.get_title() for ax in panels]
    assert ["lost at the start", "hub: Kabul"] == key(figure)
    alone = patches(plots.capture_map(ensemble, 14))
    for name, patch in patches(panels[2]).items():
        assert alone[name].get_facecolor() == patch.get_facecolor()


def test_an_odd_number_of_days_leaves_a_gap_and_each_column_keeps_its_units(ensemble: Ensemble) -> None:
    panels = plots.capture_maps(ensemble, days=(1, 3, 7, 14, 30))

    assert 5 + 1 == len(panels[0].figure.axes)
    assert ["", "", *["longitude (degrees east)"] * 3] == [ax.get_xlabel() for ax in panels]
    assert ["latitude (degrees north)", "", ""] * 2 == [*(ax.get_ylabel() for ax in panels), ""]


def test_small_multiples_go_into_the_figure_given_and_take_probabilities() -> None:
    figure = Figure()
    late = dict.fromkeys("ABC", 1.0)
    panels = plots.capture_maps({2: CHANCES, 5: late}, days=[5, 2], theatre=THREE, figure=figure)

    assert figure is panels[0].figure
    assert ["within 5 days", "within 2 days"] == [ax.get_title() for ax in panels]
    assert shade(1.0) == tuple(panels[0].collections[0].get_facecolors()[0])
    assert shade(0.25) == tuple(panels[1].collections[0].get_facecolors()[1])


# --------------------------------------------------------------------------------------------------------- the roads


def test_capitals_are_told_apart_by_colour_and_by_marker(afghan: Theatre, start: State) -> None:
    ax = plots.road_map(afghan, start)
    other = set(afghan.provinces) - set(start.lost) - set(start.contested)
    rows = {row.get_label(): row for row in ax.collections}

    assert where(afghan, *start.lost) == dots(ax, "insurgent")
    assert where(afghan, *start.contested) == dots(ax, "contested")
    assert where(afghan, *other) == dots(ax, "government")
    kinds = [rows[name] for name in ("government", "contested", "insurgent")]
    assert 3 == len({tuple(row.get_facecolors()[0]) for row in kinds})
    assert 3 == len({row.get_paths()[0].vertices.tobytes() for row in kinds})


def test_rings_are_round_those_whom_the_law_cuts_off(afghan: Theatre, start: State) -> None:
    ax = plots.road_map(afghan, start)
    severed = cut_off(afghan, start)

    assert ("Badghis", "Balkh", "Faryab", "Helmand", "Kandahar", "Uruzgan", "Zabul") == severed
    assert where(afghan, *severed) == dots(ax, "cut off from Kabul")
    capitals = {afghan.capitals[afghan.index(name)] for name in (*severed, *start.contested, "Kabul")}
    assert capitals == {text.get_text() for text in ax.texts}


def test_roads_are_drawn_by_class_and_those_that_do_not_count_say_so(afghan: Theatre, start: State) -> None:
    ax = plots.road_map(afghan, start)
    styles = {(line.get_linewidth(), line.get_linestyle()): line.get_label() for line in ax.lines}

    assert 43 == len(ax.lines)
    assert len({road.kind for road in afghan.roads}) == len(styles)
    assert ["road: track (does not count)"] == [name for name in key(ax) if "count" in name]
    assert 34 == len(patches(ax))
    assert "roads and control, 2021-08-13" == ax.get_title()


def test_the_hub_has_the_colour_of_its_control_and_another_may_be_named(afghan: Theatre, start: State) -> None:
    star = [row for row in plots.road_map(afghan, start, hub="Herat").collections if row.get_label() == "hub: Herat"]

    assert to_rgba("#000000") == tuple(star[0].get_facecolors()[0])
    severed = cut_off(afghan, start, hub="Herat")  # which is lost: nobody can reach it
    assert where(afghan, *severed) == dots(plots.road_map(afghan, start, hub="Herat"), "cut off from Herat")
    assert set(afghan.provinces) - set(start.lost) - {"Ghor", "Daykundi"} == set(severed)


def test_the_week_cut_off_whom_the_scenario_on_highways_says(afghan: Theatre) -> None:
    told = {
        7: "Sar-e Pol",
        8: "Badakhshan",
        9: "Badakhshan, Balkh",
        10: "Badakhshan, Balkh",
        11: "Badghis, Balkh, Faryab, Herat",
        12: "Badghis, Balkh, Faryab, Helmand, Kandahar, Uruzgan, Zabul",
    }
    evenings = {day: afghan.record.until(f"2021-08-{day:02}").state() for day in (*told, 6)}

    assert told | {6: ""} == {day: ", ".join(cut_off(afghan, state)) for day, state in evenings.items()}
    for name, day in {"Sar-e Pol": 8, "Badakhshan": 11, "Herat": 12}.items():
        assert (False, True) == (name in evenings[day - 1].lost, name in evenings[day].lost)
    assert not {"Badghis", "Balkh", "Faryab"} & set(evenings[12].lost)


def test_without_a_hub_nobody_is_cut_off() -> None:
    theatre = Theatre(["A", "B"], roads=[("A", "B")], columns={"longitude": [0, 1], "latitude": [0, 1]})
    ax = plots.road_map(theatre, State({"A": Control.INSURGENT}))

    assert ["road: trunk", "government", "insurgent"] == key(ax)


def test_a_class_of_road_of_ones_own_is_drawn() -> None:
    theatre = Theatre(["A", "B", "C"], roads=[("A", "B", "river"), ("B", "C")], columns=PLACES)

    assert ["road: trunk", "road: river", "government"] == key(plots.road_map(theatre, State({})))


def test_names_of_capitals_do_not_hide_one_another(afghan: Theatre) -> None:
    whole = afghan.record.until("2021-08-14").state()
    for state in (afghan.record.until("2021-08-12").state(), whole):
        ax = plots.road_map(afghan, state)
        ax.figure.draw_without_rendering()
        boxes = [text.get_window_extent() for text in ax.texts]

        assert not any(one.overlaps(other) for k, one in enumerate(boxes) for other in boxes[:k])


# -------------------------------------------------------------------------------------------------- who is cut off


def expected(n: int, roads: list[Road], control: list[Control], hub: int, without: tuple[str, ...]) -> set[str]:
    """By the words of ``CutOff``, over all simple paths: none to the hub whose later capitals are all not lost."""
    near = {name: {r.b if r.a == name else r.a for r in roads if name in (r.a, r.b) and r.kind not in without}
            for name in "ABCDEF"[:n]}  # fmt: skip
    lost = {name for name, held in zip("ABCDEF", control, strict=False) if held is Control.INSURGENT}
    centre = "ABCDEF"[hub]

    def path(name: str, closed: set[str], visited: frozenset[str] = frozenset()) -> bool:
        return name == centre or any(
            path(other, closed, visited | {name}) for other in near[name] - closed - visited
        )  # fmt: skip

    return {name for name in near if name not in lost and name != centre and path(name, set()) and not path(name, lost)}


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_cut_off_is_what_the_words_of_the_rule_say(data: st.DataObject) -> None:
    n = data.draw(st.integers(2, 6))
    pairs = [(a, b) for k, a in enumerate("ABCDEF"[:n]) for b in "ABCDEF"[:k]]
    chosen = data.draw(st.lists(st.sampled_from(pairs), min_size=1, unique=True))
    roads = [Road(a, b, data.draw(st.sampled_from(["trunk", "track"]))) for a, b in chosen]
    control = data.draw(st.lists(st.sampled_from(list(Control)), min_size=n, max_size=n))
    hub = data.draw(st.integers(0, n - 1))
    without = data.draw(st.sampled_from([("track",), ()]))
    theatre = Theatre(list("ABCDEF"[:n]), roads=roads, hub="ABCDEF"[hub])
    state = State(dict(zip(theatre.provinces, control, strict=True)))

    assert expected(n, roads, control, hub, without) == set(cut_off(theatre, state, without=without))


# ---------------------------------------------------------------------------------------------------------- bad calls


def chances(**other: Any) -> dict[str, Any]:
    return {**CHANCES, **other}


NOWHERE = Theatre(["A", "B", "C"], roads=[("A", "B")])
GAP = Theatre(
    ["A", "B", "C"], roads=[("A", "B")], columns={"longitude": [0.5, None, 2.5], "latitude": [60.5, 60.5, 59.5]}
)
SHAPED = Theatre(["A", "B", "C"], outlines={"A": [SQUARE]})
BAD: Mapping[str, tuple[Any, type[Exception], str]] = {
    "a_run_that_is_none": (
        lambda: plots.capture_map([0.5], 3, theatre=THREE),  # type: ignore[arg-type]
        TypeError,
        "capture_map: run must be an ensemble or probabilities by province, but was [0.5]",
    ),
    "no_theatre": (
        lambda: plots.capture_map(CHANCES, 3),
        TypeError,
        "capture_map: probabilities by province need the theatre to draw; pass theatre=",
    ),
    "a_probability_too_many": (
        lambda: plots.capture_map(chances(D=0.1), 3, theatre=THREE),
        ValueError,
        "capture_map: no province 'D' in the theatre; known: A, B, C",
    ),
    "a_probability_too_few": (
        lambda: plots.capture_map({"B": 0.5}, 3, theatre=THREE),
        ValueError,
        "capture_map: every province must have a probability, but A, C had none",
    ),
    "a_probability_above_one": (
        lambda: plots.capture_map(chances(B=25), 3, theatre=THREE),
        ValueError,
        "capture_map: the probability of B must be from 0 to 1, but was 25",
    ),
    "a_probability_that_is_no_number": (
        lambda: plots.capture_map(chances(B=math.nan), 3, theatre=THREE),
        ValueError,
        "capture_map: the probability of B must be from 0 to 1, but was nan",
    ),
    "no_coordinates": (
        lambda: plots.capture_map(CHANCES, 3, theatre=NOWHERE),
        ValueError,
        "capture_map: a map needs coordinates, but there were none for A, B, C; fill in columns latitude and longitude "
        "of provinces.csv, or give them outlines (outlines.geojson)",
    ),
    "neither_outline_nor_coordinates": (
        lambda: plots.capture_map(CHANCES, 3, theatre=SHAPED),
        ValueError,
        "capture_map: a map needs coordinates, but there were none for B, C; fill in columns latitude and longitude "
        "of provinces.csv, or give them outlines (outlines.geojson)",
    ),
    "no_days": (
        lambda: plots.capture_maps({}, days=(), theatre=THREE),
        ValueError,
        "capture_maps: days must name at least one day, but were none",
    ),
    "a_day_without_probabilities": (
        lambda: plots.capture_maps({2: CHANCES}, days=(2, 7), theatre=THREE),
        ValueError,
        "capture_maps: no probabilities for day 7; the days given are 2",
    ),
    "one_day_given_for_many": (
        lambda: plots.capture_maps(CHANCES, days=(2, 7), theatre=THREE),  # type: ignore[arg-type]
        TypeError,
        "capture_maps: run must be an ensemble or, by day, probabilities by province, but was "
        "{'A': 0.0, 'B': 0.25, 'C': 1.0}",
    ),
    "roads_without_coordinates": (
        lambda: plots.road_map(NOWHERE, State({})),
        ValueError,
        "road_map: a map needs coordinates, but there were none for A, B, C; fill in columns latitude and longitude "
        "of provinces.csv",
    ),
    "a_gap_in_the_coordinates": (
        lambda: plots.road_map(GAP, State({})),
        ValueError,
        "road_map: a map needs coordinates, but there were none for B; fill in columns latitude and longitude of "
        "provinces.csv",
    ),
    "no_roads": (
        lambda: plots.road_map(SHAPED, State({})),
        ValueError,
        "road_map: the theatre has no roads; add roads.csv",
    ),
    "hub_misspelt": (
        lambda: plots.road_map(THREE, State({}), hub="b"),
        ValueError,
        "road_map: hub: no province 'b' in the theatre; did you mean 'B'?",
    ),
    "a_state_of_elsewhere": (
        lambda: plots.road_map(THREE, State({"c": Control.INSURGENT})),
        ValueError,
        "road_map: state: no province 'c' in the theatre; did you mean 'C'?",
    ),
}  # fmt: skip


@pytest.mark.parametrize("mistake", BAD)
def test_a_bad_call_is_refused_with_what_to_do(mistake: str) -> None:
    call, kind, message = BAD[mistake]

    with pytest.raises(kind) as caught:
        call()
    assert message == str(caught.value)


def test_a_day_beyond_the_horizon_or_another_theatre_is_refused(ensemble: Ensemble) -> None:
    with pytest.raises(ValueError) as caught:
        plots.capture_maps(ensemble, days=(30, 31))
    assert "capture_maps: a day must be from 0 to the horizon of 30, but was 31" == str(caught.value)
    with pytest.raises(ValueError) as caught:
        plots.capture_map(ensemble, -1)
    assert "capture_map: a day must be from 0 to the horizon of 30, but was -1" == str(caught.value)
    with pytest.raises(ValueError, match="theatre must have the provinces of the run, but they differ in A, B, "):
        plots.capture_map(ensemble, 3, theatre=THREE)
