"""Pictures of answers: what is drawn equals the numbers, says what it covers, and is written whole."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

import sim
from sim import explore, plots
from sim.engines.recorded import RecordedEngine
from sim.ensemble import Ensemble
from sim.families import constant
from sim.outcomes import PRESSURES, ControlOf, FullControl, Pressure
from sim.plots import reality
from sim.plots.mixture import Share, counts_by_day, levels_by_day, named, shares_of
from sim.projection import Estimate, Projection
from sim.result import Result
from sim.scenario import Scenario
from sim.theatre import Theatre

ROOT = Path(__file__).parent.parent
SCENARIO = sim.load_scenario("thirty_days")
RING = Pressure("half_ring")
TABLES = {
    "provinces.csv": "province,latitude,longitude\nA,1,1\nB,1,2\nC,2,1\nD,2,2\n",
    "borders.csv": "a,b\nA,B\nA,C\nA,D\n",
    "captures.csv": "province,earliest,known_from,source\nB,2020-01-02,2020-01-02,S\nC,2020-01-05,2020-01-06,S\n",
}


@pytest.fixture(scope="module")
def memory() -> dict[str, Any]:
    return {}


@pytest.fixture(scope="module")
def result(memory: dict[str, Any]) -> Result:
    """Two families, 400 replications of 100 draws each, 45 days."""
    quick = SCENARIO.but("quick", "quick", families=("constant", "momentum"), horizon=45.0)
    return quick.run(seed=1, replications=400, memory=memory)


@pytest.fixture(scope="module")
def single(memory: dict[str, Any]) -> Result:
    """One family, as many draws as replications."""
    return SCENARIO.but("one", "one", families=("constant",), horizon=20.0).run(seed=1, replications=60, memory=memory)


@pytest.fixture(scope="module")
def record(afghan: Theatre, week: sim.Record) -> Callable[[str], Ensemble]:
    """What happened, by a basis."""
    model = constant(afghan)
    return lambda basis: sim.simulate(
        model, model.draw_prior(1, seed=1), start=week.state(), horizon=45, replications=1, seed=1,
        engine=RecordedEngine(basis),
    )  # fmt: skip


class Quiet(Scenario):
    """A scenario that asks nothing about a hub."""

    @property
    def asked(self) -> Any:
        return ((FullControl(), (3.0,)),)


def own(folder: Path, toml: str, **tables: str) -> Path:
    """Write a theatre of four provinces into *folder*."""
    for name, text in {**TABLES, "theatre.toml": f'name = "own"\norigin = 2020-01-01\n{toml}', **tables}.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(autouse=True)
def _no_window() -> Iterator[None]:
    yield
    assert [] == pyplot.get_fignums()


def line(ax: Axes, label: str) -> tuple[list[float], list[float]]:
    (found,) = [each for each in ax.lines if each.get_label() == label]
    return np.asarray(found.get_xdata(), float).tolist(), np.asarray(found.get_ydata(), float).tolist()


def covers(ax: Axes, label: str, day: float, *values: float) -> list[bool]:
    """Whether the band whose label so begins covers each of *values* on *day*."""
    (band,) = [each for each in ax.collections if str(each.get_label()).startswith(label)]
    return [bool(band.get_paths()[0].contains_point((day, value))) for value in values]


def edges(ax: Axes, label: str, day: float) -> list[float]:
    """Lower and upper edge on *day*, a corner, of the band whose label so begins."""
    (band,) = [each for each in ax.collections if str(each.get_label()).startswith(label)]
    corners = np.asarray(band.get_paths()[0].vertices)
    mine = corners[np.isclose(corners[:, 0], day), 1]
    return [mine.min(), mine.max()]


def key(ax: Axes) -> list[str]:
    return [text.get_text() for text in ax.get_legend().get_texts()]


# ----------------------------------------------------------------------------------------------------- capitals by day


def test_the_fan_of_an_ensemble_is_its_counts(result: Result) -> None:
    ensemble = result.ensembles["momentum"]
    ax = plots.capitals_by_day(ensemble)
    lost = np.array([ensemble.lost_at(day) for day in range(46)])

    assert np.quantile(lost, 0.5, axis=1, method="inverted_cdf").tolist() == line(ax, "median of replications")[1]
    assert list(range(46)) == line(ax, "median of replications")[0]
    for share, points in (("middle 90%", (0.05, 0.95)), ("middle 50%", (0.25, 0.75))):
        for day in (1, 7, 30):
            low, high = np.quantile(lost[day], points, method="inverted_cdf")
            inside = covers(ax, share, day, low - 0.6, low - 0.4, low, high, high + 0.4, high + 0.6)
            assert [False, True, True, True, True, False] == inside


def test_passages_have_the_fan_of_their_ensemble(result: Result) -> None:
    ensemble = result.ensembles["constant"]
    passages = sim.simulate(
        ensemble.model, ensemble.recipe.draws, start=ensemble.start, horizon=45, replications=400, seed=1,
        record="outcomes", outcomes=[RING],
    )  # fmt: skip

    assert counts_by_day(ensemble).tolist() == counts_by_day(passages).tolist()
    one, other = plots.capitals_by_day(ensemble), plots.capitals_by_day(passages)
    assert line(one, "median of replications") == line(other, "median of replications")


def test_families_pooled_are_the_mixture_by_their_weights(result: Result) -> None:
    constant_, momentum = (ensemble for ensemble in result.ensembles.values())
    levels = (0.05, 0.5, 0.95)
    # Nine copies of one to one of the other, all counted.
    lost = [np.concatenate([*[constant_.lost_at(day)] * 9, momentum.lost_at(day)]) for day in range(46)]
    shares = (Share("a", 0.9, constant_), Share("b", 0.1, momentum))

    assert np.quantile(lost, levels, axis=1, method="inverted_cdf").tolist() == levels_by_day(shares, levels).tolist()
    both = [np.concatenate([constant_.lost_at(day), momentum.lost_at(day)]) for day in range(46)]
    ax = plots.capitals_by_day(result)
    assert np.quantile(both, 0.5, axis=1, method="inverted_cdf").tolist() == line(ax, "median of replications")[1]
    assert "capitals lost by day\npooled over constant, momentum, 0.50 each" == ax.get_title()
    assert "pooled over a 0.90, b 0.10" == named(shares)
    assert "momentum" == named(shares_of("here", result, "momentum"))


@pytest.mark.parametrize("basis", ["press", "best_date"])
def test_the_record_is_that_of_the_engine_that_replays_it(
    basis: str, record: Callable[[str], Ensemble], result: Result
) -> None:
    ax = plots.capitals_by_day(result, record=basis)
    days, lost = line(ax, f"record, by {reality.CALLED[basis]}")
    replayed = record(basis)

    assert list(range(26)) == days  # Panjshir, on the 6th of September, is the last
    assert [int(replayed.lost_at(day)[0]) for day in days] == lost
    assert {"press": [11, 18, 24, 33], "best_date": [13, 18, 25, 33]}[basis] == lost[:4]
    assert 1 == sum(label.startswith("record") for label in key(ax))


def test_a_start_within_a_day_counts_days_from_there(afghan: Theatre, week: sim.Record) -> None:
    start = replace(week.state(), instant=datetime(2021, 8, 13, 18))
    days, lost = reality.recorded_by_day(afghan, start, "press", 30.0)

    # The evening of the 13th is a quarter of a day away, that of the 14th one and a quarter.
    assert ([0, 1, 2, 3, 4], [11, 18, 24, 33, 33]) == (days.tolist()[:5], lost.tolist()[:5])
    assert (25, 34) == (days[-1], lost[-1])
    assert ["15 Aug, day 2.25"] == [str(told) for told in reality.happened(RING, afghan, start)]


def test_a_fan_says_its_units_and_what_it_covers(result: Result) -> None:
    ax = plots.capitals_by_day(result, days=20)

    assert ("days after the evening of 12 August 2021", "capitals lost, of 34") == (ax.get_xlabel(), ax.get_ylabel())
    assert (0.0, 20.0) == ax.get_xlim()
    assert [
        "middle 90% of replications", "middle 50% of replications", "median of replications",
        "record, by first report", "record, by best date",
    ] == key(ax)  # fmt: skip
    assert not any(label.startswith("record") for label in key(plots.capitals_by_day(result, record="none")))


def test_a_start_without_an_instant_has_no_record_to_draw() -> None:
    theatre = Theatre(["A", "B", "C"], borders=[("A", "B"), ("B", "C")])
    model = constant(theatre)
    run = sim.simulate(
        model, model.draw_prior(5, seed=1), start=sim.State({"A": "insurgent"}), horizon=9, replications=50, seed=1
    )
    ax = plots.capitals_by_day(run)

    assert ("days after the start", "capitals lost, of 3") == (ax.get_xlabel(), ax.get_ylabel())
    assert 3 == len(key(ax))


# ------------------------------------------------------------------------------------------------------------- survival


def test_survival_is_drawn_as_the_projections_say(result: Result) -> None:
    ax = plots.survival(result, RING, days=30)

    for family in ("constant", "momentum", "pooled"):
        at, shown = line(ax, family)
        assert (0.0, 30.0) == (at[0], at[-1])
        assert result.projections[family, "half_ring"].survival(at).tolist() == shown
    widths = {each.get_label(): each.get_linewidth() for each in ax.lines}
    assert widths["pooled"] > 1.5 * widths["constant"]
    bottom, top = ax.get_ylim()
    assert bottom < 0.0 and top > 1.0  # a sure curve is not under the frame


def test_a_sure_step_of_survival_does_not_slope(record: Callable[[str], Ensemble]) -> None:
    ax = plots.survival(RING(record("press")))

    (drawn,) = [each for each in ax.lines if each.get_label() == "half_ring"]
    assert "steps-post" == drawn.get_drawstyle()


def test_the_band_of_survival_is_the_pooled_interval_and_says_so(result: Result) -> None:
    ax = plots.survival(result, RING, days=30)

    for day in (3, 7, 14, 29):
        told = [result.projections["pooled", "half_ring"].probability(sooner) for sooner in range(day + 1)]
        most, least = max(each.high for each in told), max(each.low for each in told)  # no edge of a survival rises
        assert pytest.approx([1 - most, 1 - least]) == edges(ax, "pooled", day)
    worst = max(result.projections["pooled", "half_ring"].probability(day).mc_error for day in range(31))
    (label,) = [text for text in key(ax) if text.startswith("pooled:")]
    assert label.startswith("pooled: 5%–95% over parameter draws\n(Monte Carlo error below ")
    said = float(label.removesuffix(")").split()[-1])
    assert worst <= said <= 2 * worst


@pytest.mark.parametrize("doubt", [True, False])
def test_no_edge_of_the_band_of_survival_rises(result: Result, doubt: bool) -> None:
    class Wavering(Projection):
        """Estimates whose interval widens and narrows from day to day."""

        def probability(self, within: float) -> Estimate:
            told, wide = super().probability(within), 0.2 if int(within) % 2 else 0.01
            if not doubt:
                return told._replace(low=math.nan, high=math.nan, mc_error=wide)
            return told._replace(low=told.value - wide, high=told.value + wide)

    found = result.projections["constant", "half_ring"]
    wavering = Wavering(**{each.name: getattr(found, each.name) for each in fields(found)})
    ax = plots.survival(wavering, days=30)
    lower, upper = zip(*(edges(ax, "half_ring:", day) for day in range(1, 30)), strict=True)

    told = [wavering.probability(float(day)) for day in range(31)]
    wide = [1.96 * each.mc_error if math.isnan(each.low) else each.value - each.low for each in told]
    bare = [np.clip([1 - each.value - w, 1 - each.value + w], 0, 1) for each, w in zip(told, wide, strict=True)]
    assert any(np.diff([top for _, top in bare]) > 0)  # left alone it would rise
    assert np.minimum.accumulate(bare)[1:30].T == pytest.approx(np.array([lower, upper]))
    assert (np.diff(lower) <= 0).all() and (np.diff(upper) <= 0).all()


def test_without_doubt_to_tell_from_chance_the_band_is_monte_carlo(single: Result) -> None:
    ax = plots.survival(single, RING)
    told = single.projections["constant", "half_ring"].probability(10.0)

    assert ["constant: 95%, Monte Carlo error alone", "constant", "happened: 15 Aug, day 3"] == key(ax)
    spread = 1.96 * told.mc_error
    assert pytest.approx([1 - told.value - spread, 1 - told.value + spread]) == edges(ax, "constant:", 10.0)


def test_one_trajectory_has_no_band(record: Callable[[str], Ensemble]) -> None:
    ax = plots.survival(RING(record("press")))

    assert [] == list(ax.collections)
    assert [1.0, 0.0] == sorted(set(line(ax, "half_ring")[1]), reverse=True)


def test_what_happened_is_drawn_on_its_day_by_each_basis(result: Result, afghan: Theatre) -> None:
    ax = plots.survival(result, RING)
    assert [3.0, 3.0] == line(ax, "happened: 15 Aug, day 3")[0]
    press, best = (afghan.record.dates(basis) for basis in ("press", "best_date"))
    moved = next(name for name in press if press[name] == date(2021, 8, 13) and best[name] == date(2021, 8, 12))

    ax = plots.survival(result, ControlOf(moved))
    assert [1.0, 1.0] == line(ax, "happened: 13 Aug, day 1 by first report")[0]
    assert [0.0, 0.0] == line(ax, "happened: 12 Aug, day 0 by best date")[0]
    assert not any(text.startswith("happened") for text in key(plots.survival(result, RING, record="none")))


def test_the_assessment_is_a_median_where_the_facts_put_it(result: Result) -> None:
    ax = plots.survival(result, RING)
    assert ([30.0], [0.5]) == line(ax, "assessment (F9), read as a median")
    assert ("F10", 60.0, 120.0) == reality.assessed(SCENARIO, FullControl())
    earlier = SCENARIO.but("earlier", "earlier", seen_from="2021-08-10")
    assert ("F9", 32.0, 32.0) == reality.assessed(earlier, RING)  # thirty days from the 12th
    assert reality.assessed(SCENARIO, ControlOf("Kabul")) is None
    assert reality.assessed(Scenario("bare", "bare"), RING) is None


def test_an_assessment_beyond_the_picture_has_no_star_at_its_edge(memory: dict[str, Any]) -> None:
    far = SCENARIO.but("far", "far", families=("constant",), horizon=130.0).run(seed=1, replications=60, memory=memory)
    for days, end, stars in ((100.0, 100.0, [0]), (130.0, 120.0, None)):
        ax = plots.survival(far, FullControl(), days=days)
        (drawn,) = [each for each in ax.lines if str(each.get_label()).startswith("assessment")]
        assert [60.0, end] == np.asarray(drawn.get_xdata()).tolist()
        assert stars == drawn.get_markevery()  # None: a star at every point


def test_projections_are_drawn_without_a_result(result: Result) -> None:
    found = {name: result.projections[name, "assault"] for name in ("pooled", "constant")}
    ax = plots.survival(found, days=20)

    assert found["constant"].survival(line(ax, "constant")[0]).tolist() == line(ax, "constant")[1]
    assert "assault: the hub itself is contested or lost" == ax.get_title()
    assert ("days after the start", "probability that it has not happened") == (ax.get_xlabel(), ax.get_ylabel())


# ---------------------------------------------------------------------------------------------------------- definitions


def test_definitions_are_the_rows_of_the_result(result: Result) -> None:
    for family in (None, "constant"):
        ax = plots.definitions(result, family)
        rows = [row for row in result.rows if row.family == (family or "pooled") and row.outcome in PRESSURES]
        for day in (3, 7, 14, 30):
            values, at = line(ax, f"within {day} days")
            assert list(range(6)) == np.round(at).tolist()
            assert [row.probability for row in rows if row.within_days == day] == values
        spread = [part[:, 0].tolist() for each in ax.collections for part in each.get_segments()]
        assert sorted([row.low, row.high] for row in rows) == sorted(spread)


def test_definitions_say_their_words_their_days_and_when_each_happened(result: Result) -> None:
    ax = plots.definitions(result)
    beside = ax.child_axes[0]
    words = [" ".join(label.get_text().split("\n")) for label in ax.get_yticklabels()]

    assert [f"{name} {text}" for name, text in PRESSURES.items()] == words
    assert ["13 Aug, day 1", "15 Aug, day 3", "14 Aug, day 2", *["15 Aug, day 3"] * 3] == [
        label.get_text() for label in beside.get_yticklabels()
    ]
    assert "when it happened (days after the start)" == beside.get_ylabel()
    assert "probability of pressure on Kabul within so many days" == ax.get_xlabel()
    assert "pressure on Kabul, by its definitions\npooled over constant, momentum, 0.50 each" == ax.get_title()
    assert {
        "within 3 days", "within 7 days", "within 14 days", "within 30 days", "5%–95% over parameter draws",
        "assessment (F9): within 30 days, read as a median",
    } == set(key(ax))  # fmt: skip


def test_more_days_than_marks_are_refused(memory: dict[str, Any]) -> None:
    many = SCENARIO.but("many", "many", families=("constant",), horizon=20.0, pressure_within=tuple(range(1, 8)))
    told = (
        "definitions: has marks for 6 days, but the result answers pressure within 7: 1, 2, 3, 4, 5, 6, 7; "
        "ask for fewer in pressure_within"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(told)}$"):
        plots.definitions(many.run(seed=1, replications=60, memory=memory))


def test_answers_without_intervals_are_drawn_without(single: Result) -> None:
    ax = plots.definitions(single, record="none")

    assert [] == [part for each in ax.collections for part in each.get_segments()]
    assert [] == ax.child_axes
    assert "5%–95% over parameter draws" not in key(ax)
    assert "within 30 days" not in key(ax)  # the horizon is 20


# ----------------------------------------------------------------------------------------------------------- difference


def test_a_difference_is_the_paired_one_by_day_with_its_band(result: Result) -> None:
    first, second = result.ensembles["constant"], result.ensembles["momentum"]
    ax = plots.difference(first, second, RING, days=12)
    at, shown = line(ax, "momentum − constant")

    assert list(range(13)) == at
    for day in (0, 5, 12):
        told = explore.paired_difference(first, second, RING, within=day)
        assert told.value == shown[day]
        spread = 1.96 * told.mc_error
        assert pytest.approx([told.value - spread, told.value + spread]) == edges(ax, "95%", day)
    assert ["95%, each day alone (400 pairs)", "momentum − constant"] == key(ax)
    assert "difference in the probability\nthat it has happened" == ax.get_ylabel()
    assert "days after the evening of 12 August 2021" == ax.get_xlabel()
    named_ = plots.difference(first, second, RING, days=2, names=("as it was", "as it might be"))
    assert "as it might be − as it was" in key(named_)


# ----------------------------------------------------------------------------------------------------------------- maps


def test_a_map_of_a_result_mixes_its_families_by_their_weights(result: Result) -> None:
    ax = plots.capture_map(result, 7)
    shades = {patch.get_gid(): patch.get_facecolor() for patch in ax.patches}
    mean = np.mean([ControlOf("Balkh")(run).probability(within=7).value for run in result.ensembles.values()])

    assert pytest.approx(pyplot.colormaps["viridis_r"](mean)) == shades["Balkh"]
    figure = plots.capture_maps(result, [3, 7])[0].figure
    assert "capitals captured: pooled over constant, momentum, 0.50 each" == figure.get_suptitle()


# ---------------------------------------------------------------------------------------------------------------- files


def test_pictures_are_saved_under_their_names_and_again_with_the_same_bytes(result: Result, tmp_path: Path) -> None:
    wanted = ("survival", "road_map")
    paths = plots.save_pictures(result, tmp_path / "new", pictures=wanted, dpi=50)
    again = plots.save_pictures(result, tmp_path / "other", pictures=wanted, dpi=50)

    assert [f"{name}.{kind}" for name in wanted for kind in ("png", "svg")] == [path.name for path in paths]
    assert [path.read_bytes() for path in paths] == [path.read_bytes() for path in again]
    assert sorted(paths) == sorted((tmp_path / "new").iterdir())


def test_all_pictures_of_a_result_are_saved_unless_chosen(result: Result, tmp_path: Path) -> None:
    paths = plots.save_pictures(result, tmp_path, formats=("png",), dpi=40)

    assert [
        "capitals_by_day.png", "capitals_by_family.png", "survival.png", "definitions.png", "capture_maps.png",
        "road_map.png",
    ] == [path.name for path in paths]  # fmt: skip
    for path in paths:
        with Image.open(path) as image:
            image.load()


def test_a_palette_keeps_every_shade_of_a_map(result: Result, tmp_path: Path) -> None:
    (path,) = plots.save_pictures(result, tmp_path, formats=("png",), pictures=["capture_maps"], dpi=80)
    with Image.open(path) as image:
        shown = np.array(image.convert("RGB"), int).reshape(-1, 3)
    shown = np.unique(shown, axis=0)
    panels = plots.capture_maps(result)
    fills = np.array([patch.get_facecolor()[:3] for ax in panels for patch in ax.patches])

    assert len(shown) <= 256
    away = np.abs(np.round(255 * fills)[:, None] - shown).max(axis=2).min(axis=1)
    assert away.max() <= 3  # of 255: nobody sees it, and it is less than a hundredth of the scale


def test_nothing_is_written_if_a_picture_cannot_be_drawn(
    result: Result, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sim.plots import saving

    def broken(*_: object) -> Figure:
        raise RuntimeError("no ink")

    monkeypatch.setitem(saving.PICTURES, "survival", broken)  # type: ignore[arg-type]
    with pytest.raises(RuntimeError, match="no ink"):
        plots.save_pictures(result, tmp_path, pictures=("capitals_by_day", "survival"), dpi=40)
    assert [] == list(tmp_path.iterdir())


def test_a_picture_is_written_whole_or_not_at_all(
    result: Result, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="disk full"):
        plots.save_pictures(result, tmp_path, formats=("png",), pictures=["capitals_by_day"], dpi=40)
    assert [] == list(tmp_path.iterdir())


def test_a_theatre_without_hub_and_roads_draws_what_it_can_and_says_what_not(tmp_path: Path) -> None:
    folder = own(tmp_path, "")
    scenario = Quiet("own", "own", theatre=str(folder), seen_from="2020-01-03", families=("constant",), horizon=10.0)
    run = scenario.run(seed=1, replications=200)
    with pytest.warns(RuntimeWarning) as told:
        paths = plots.save_pictures(run, tmp_path / "out", formats=("png",), dpi=40)

    assert ["capitals_by_day", "capitals_by_family", "capture_maps"] == [path.stem for path in paths]
    assert [
        "save_pictures: left out survival: Pressure('half_ring'): the theatre names no hub; give it one in "
        "theatre.toml",
        "save_pictures: left out definitions: definitions: the result has no answers on pressure; its theatre must "
        "have a hub, and days must be asked for within the horizon",
        "save_pictures: left out road_map: road_map: the theatre has no roads; add roads.csv",
    ] == [str(each.message) for each in told]


def test_pictures_of_the_readme_are_small() -> None:
    for name in ("capitals_by_day", "survival", "capture_maps"):
        path = ROOT / "docs" / "pictures" / f"{name}.png"
        with Image.open(path) as image:
            image.load()
        assert path.stat().st_size < 120_000


# ------------------------------------------------------------------------------------------------------------ bad calls


def test_axes_that_are_given_come_back(result: Result) -> None:
    axes = Figure().subplots(2, 2).flat
    one, other = result.ensembles.values()

    assert axes[0] is plots.capitals_by_day(result, axes[0])
    assert axes[1] is plots.survival(result, RING, axes[1])
    assert axes[2] is plots.definitions(result, "pooled", axes[2])
    assert axes[3] is plots.difference(one, other, RING, axes[3], days=2)


BAD: dict[str, tuple[Callable[[Result, Path], Any], type[Exception], str]] = {
    "a_fan_of_nothing": (
        lambda result, _: plots.capitals_by_day("Kabul"), TypeError,
        "capitals_by_day: takes what simulate(…) or Scenario.run(…) gives, but was given 'Kabul'",
    ),
    "a_fan_beyond_the_horizon": (
        lambda result, _: plots.capitals_by_day(result, days=46), ValueError,
        "capitals_by_day: days must be positive and not beyond the horizon of 45, but was 46",
    ),
    "a_fan_of_a_family_misspelt": (
        lambda result, _: plots.capitals_by_day(result, family="constnat"), ValueError,
        "capitals_by_day: no family 'constnat' in the result; did you mean 'constant'?",
    ),
    "a_family_of_one_run": (
        lambda result, _: plots.capitals_by_day(result.ensembles["constant"], family="constant"), ValueError,
        "capitals_by_day: family chooses among those of a Result, but this is one run; leave it out",
    ),
    "a_basis_misspelt": (
        lambda result, _: plots.capitals_by_day(result, record="pres"), ValueError,
        "capitals_by_day: record must be one of press, best_date, both, none, but was 'pres'; did you mean 'press'?",
    ),
    "survival_of_nothing": (
        lambda result, _: plots.survival([1.0]), TypeError,
        "survival: takes a Result, a Projection or a mapping of family to Projection, but was [1.0]",
    ),
    "survival_of_none": (
        lambda result, _: plots.survival({}), ValueError, "survival: give at least one projection",
    ),
    "survival_of_two_questions": (
        lambda result, _: plots.survival({
            "a": result.projections["constant", "assault"], "b": result.projections["constant", "isolated"]
        }), ValueError,
        "survival: b answers isolated to day 45, not the same question; draw projections of one outcome and one "
        "horizon",
    ),
    "survival_of_another_question": (
        lambda result, _: plots.survival(result.projections["constant", "assault"], RING), ValueError,
        "survival: assault answers assault to day 45, not the same question; draw projections of one outcome and one "
        "horizon",
    ),
    "no_days_of_survival": (
        lambda result, _: plots.survival(result, days=0), ValueError,
        "survival: days must be positive and not beyond the horizon of 45, but was 0",
    ),
    "definitions_of_nothing": (
        lambda result, _: plots.definitions("Kabul"), TypeError,
        "definitions: needs what Scenario.run gives, but was given str",
    ),
    "definitions_of_no_family": (
        lambda result, _: plots.definitions(result, "siege"), ValueError,
        "definitions: no family 'siege' in the result; known: constant, momentum, pooled",
    ),
    "a_difference_of_nothing": (
        lambda result, _: plots.difference("a", "b", RING), TypeError,
        "paired_difference: it takes runs such as simulate(…) gives, but was given 'a'",
    ),
    "one_name_for_two": (
        lambda result, _: plots.difference(*result.ensembles.values(), RING, names="ab"), ValueError,
        "difference: names must be two, of the first run and of the second, but was 'ab'",
    ),
    "a_format_misspelt": (
        lambda result, folder: plots.save_pictures(result, folder, formats=("pgn",)), ValueError,
        "save_pictures: no format 'pgn'; did you mean 'png'?",
    ),
    "a_format_as_a_text": (
        lambda result, folder: plots.save_pictures(result, folder, formats="png"), TypeError,
        "save_pictures: formats must be a tuple, but was 'png'; write ('png',)",
    ),
    "no_formats": (
        lambda result, folder: plots.save_pictures(result, folder, formats=()), ValueError,
        "save_pictures: formats must name at least one of png, svg, pdf",
    ),
    "a_picture_misspelt": (
        lambda result, folder: plots.save_pictures(result, folder, pictures=["survivel"]), ValueError,
        "save_pictures: no picture 'survivel'; did you mean 'survival'?",
    ),
    "pictures_beyond_the_horizon": (
        lambda result, folder: plots.save_pictures(result, folder, days=50), ValueError,
        "save_pictures: days must be positive and not beyond the horizon of 45, but was 50",
    ),
    "no_dots": (
        lambda result, folder: plots.save_pictures(result, folder, dpi=0), ValueError,
        "save_pictures: dpi must be a positive number of dots per inch, but was 0",
    ),
    "pictures_of_nothing": (
        lambda result, folder: plots.save_pictures("Kabul", folder), TypeError,
        "save_pictures: needs what Scenario.run gives, but was given str",
    ),
}  # fmt: skip


@pytest.mark.parametrize("mistake", BAD)
def test_a_bad_call_is_refused_with_what_to_do_and_writes_nothing(mistake: str, result: Result, tmp_path: Path) -> None:
    call, kind, message = BAD[mistake]

    with pytest.raises(kind) as caught:
        call(result, tmp_path / "out")
    assert message == str(caught.value)
    assert not (tmp_path / "out").exists()


def test_runs_that_are_no_pairs_have_no_difference(result: Result, single: Result) -> None:
    with pytest.raises(ValueError, match="the runs differ in their horizon: 45 and 20 days"):
        plots.difference(result.ensembles["constant"], single.ensembles["constant"], RING)


def test_a_folder_that_is_a_file_is_refused(result: Result, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(NotADirectoryError, match="must be a folder, but is a file"):
        plots.save_pictures(result, tmp_path / "file", dpi=40)
