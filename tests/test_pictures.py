"""Pictures: what they refuse, and that axes given are the axes drawn on."""

from __future__ import annotations

import pytest

import sim
import sim.families


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
