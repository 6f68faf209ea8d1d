"""The JSON Schema takes what is saved, and refuses what is spelt wrongly."""

from __future__ import annotations

import json
import tomllib
from datetime import date, time
from pathlib import Path
from typing import Any

import pytest
from any_scenario import scenarios
from conftest import nightly
from hypothesis import HealthCheck, given, settings
from jsonschema import Draft202012Validator
from test_bad_scenarios import HERE, MISTAKES

import sim
from sim import hazards, priors
from sim.hazards import Term
from sim.priors import Prior

SCHEMA = sim.scenario_schema()
VALIDATOR = Draft202012Validator(SCHEMA)
# Mistakes of meaning, not of shape: only loading finds them.
MEANT = {
    "argument_for_nothing", "base_bad", "base_circular", "base_circular_too", "base_file_missing", "base_of_itself",
    "base_unknown", "calendar_province_twice", "calendar_reversed", "days_negative", "effect_no_number",
    "families_empty", "family_twice", "family_unknown", "horizon_beyond_64_bits", "horizon_endless", "horizon_negative",
    "model_named_as_a_family", "model_without_transition", "momentum_window_zero", "name_empty",
    "prior_scale_negative", "rate_negative", "rate_of_a_normal",
}  # fmt: skip


def told(path: Path) -> Any:
    """Return what a TOML file says, as editors hand it to a schema: dates and times as texts."""

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: plain(item) for key, item in value.items()}
        if isinstance(value, list):
            return [plain(item) for item in value]
        return value.isoformat() if isinstance(value, (date, time)) else value

    return plain(tomllib.loads(path.read_text(encoding="utf-8")))


def test_it_is_a_schema_and_can_be_printed():
    Draft202012Validator.check_schema(SCHEMA)

    assert SCHEMA == json.loads(json.dumps(SCHEMA))


def test_every_term_and_prior_has_a_shape_but_custom_ones():
    found = {
        name
        for room, base in ((hazards, Term), (priors, Prior))
        for name, kind in vars(room).items()
        if isinstance(kind, type) and issubclass(kind, base) and kind is not base
    }

    assert found - {"Custom"} == {name for name, shape in SCHEMA["$defs"].items() if "title" in shape}
    assert all(SCHEMA["$defs"][name]["description"] for name in found - {"Custom"})


def test_every_key_but_name_and_title_says_what_it_is():
    silent = {key for key, shape in SCHEMA["properties"].items() if not shape.get("description")}

    assert {"name", "title"} == silent


@settings(max_examples=nightly(500, 50), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(scenario=scenarios())
def test_it_takes_what_is_saved(scenario, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / "any.toml"
    scenario.save(path)

    assert [] == [error.message for error in VALIDATOR.iter_errors(told(path))]


@pytest.mark.parametrize("name", sorted(sim.scenario_names()))
def test_it_takes_the_scenarios_that_come_along(name, tmp_path):
    scenario = sim.load_scenario(name)
    if scenario.processes:
        pytest.skip("holds functions")
    scenario.save(tmp_path / "any.toml")

    assert [] == [error.message for error in VALIDATOR.iter_errors(told(tmp_path / "any.toml"))]


@pytest.mark.parametrize("name", MISTAKES)
def test_it_refuses_mistakes_of_shape_and_only_those(name):
    assert (name in MEANT) == VALIDATOR.is_valid(told(HERE / f"{name}.toml"))
