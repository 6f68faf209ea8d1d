"""Pictures: what they refuse, and that axes given are the axes drawn on."""

from __future__ import annotations

import pytest

import sim
import sim.families
from sim.outcomes import Pressure
from sim.plots.canvas import new_figure


@pytest.mark.parametrize(
    ("picture", "maker"),
    [
        ("score_by_day", "hindcast"), ("sbc_ranks", "sbc"), ("predictive", "predictive_checks"),
        ("family_weights", "tournament"),
    ],
)  # fmt: skip
def test_a_picture_of_something_else_is_refused_with_what_makes_the_right_thing(picture, maker):
    with pytest.raises(TypeError, match=f"{picture}: needs what sim.checks.{maker} gives, but was given str"):
        getattr(sim.plots, picture)("Kabul")


@pytest.mark.parametrize(
    ("picture", "maker"),
    [("sensitivity_bars", "sensitivity"), ("budget_bars", "budget"), ("region_box", "discover")],
)
def test_a_picture_of_doubt_needs_what_an_exploration_gives(picture, maker):
    with pytest.raises(TypeError, match=f"{picture}: needs what sim.explore.{maker} gives, but was given str"):
        getattr(sim.plots, picture)("Kabul")


def test_pictures_of_doubt_show_the_numbers_of_their_results():
    scenario = sim.Scenario("test", "A test", families=("constant", "momentum"))
    half_ring = Pressure("half_ring")
    axes = new_figure((7.0, 4.0)).add_subplot()
    found = sim.explore.sensitivity(scenario, half_ring, seed=7, family="momentum", points=64, resamples=50)
    split = sim.explore.budget(scenario, (0.001, 7), seed=7, draws=4, replications=4, resamples=50)
    regions = sim.explore.discover(scenario, seed=7, family="momentum", points=200, replications=20)

    assert axes is sim.plots.sensitivity_bars(found, axes)
    widths = sorted(round(bar.get_width(), 9) for bar in axes.patches)
    assert sorted(round(value, 9) for row in found.rows for value in (row.first, row.total)) == widths
    assert ["chance", "seizure.momentum", "seizure.baseline"] == [text.get_text() for text in axes.get_yticklabels()]
    # Nothing varies on the first day, so it has no bars.
    stacked = sim.plots.budget_bars(split)
    bars = stacked.patches
    assert 8 == len(bars)
    assert [bars[k].get_facecolor() for k in range(0, 8, 2)] == [
        key.get_facecolor() for key in stacked.get_legend().get_patches()
    ]
    assert {round(max(0.0, row.shapley), 9) for row in split.on(7).values()} <= {round(b.get_height(), 9) for b in bars}
    drawn = sim.plots.region_box(regions)
    assert 100 == sum(len(points.get_offsets()) for points in drawn.collections)
    assert "log" == drawn.get_xscale() and "seizure.baseline (per day)" == drawn.get_xlabel()


def test_a_misspelt_picture_is_an_attribute_error():
    with pytest.raises(AttributeError, match=r"module 'sim\.plots' has no attribute 'capture_mpa'"):
        _ = sim.plots.capture_mpa


def test_families_as_functions_and_a_theatre_for_a_name_are_refused_with_the_way_out():
    theatre = sim.load_theatre("afghanistan_2021")
    with pytest.raises(TypeError, match=r"hindcast: families must be names, .*but had function; write"):
        sim.checks.hindcast([sim.families.constant], theatre, seed=1)
    with pytest.raises(TypeError, match=r"multiverse: families must be names, .*write \{'mine': my_family\}"):
        sim.checks.multiverse(families=[sim.families.constant], seed=1)
    with pytest.raises(TypeError, match=r"multiverse: theatre must be a name or a folder, .*but was Theatre"):
        sim.checks.multiverse(theatre, seed=1)
    week = theatre.record.until("2021-08-12")
    models = [family(theatre) for family in (sim.families.constant, sim.families.momentum)]
    with pytest.raises(TypeError, match=r"tournament: days must be a list of evenings, but was '2021-08-10'"):
        sim.checks.tournament(models, week, seed=1, days="2021-08-10")
