"""Descriptions as plain values: back to the same bits, told apart, and nothing else let in."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import Any

import numba
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from strategies import Case, cases

import sim
from sim.comparing import differences
from sim.control import Control, Past, State
from sim.engines.compiled import CompiledEngine
from sim.engines.simpy_engine import SimPyEngine
from sim.families import FAMILIES, contagion, siege
from sim.hazards import Baseline, Calendar, Covariate, Custom, CutOff, Frailty, Hazard, Momentum, PullBack, Reserves
from sim.law import Watch
from sim.model import Draws, Model
from sim.plain import digest, from_plain, to_plain
from sim.priors import HalfNormal, LogNormal
from sim.recipe import Recipe, Recording
from sim.record import Record
from sim.theatre import Theatre

PACE = 1.5


def surge(day: float, control: Any, province: str) -> float:
    return PACE if province in {"Kabul", "Ghazni", "Herat", "Kunduz"} else 1.0


def airlift(world: Any) -> Any:
    yield world.env.timeout(1.0)


def there_and_back(value: Any) -> Any:
    return from_plain(json.loads(json.dumps(to_plain(value), allow_nan=False)))


def recipe_of(model: Model, start: State, *, seed: int = 7, horizon: float = 30.0, engine: Any = None) -> Recipe:
    return Recipe(model, model.draw_prior(20, seed=1), start, horizon, seed, engine or CompiledEngine(), SimPyEngine())


def events_of(recipe: Recipe, count: int = 20) -> bytes:
    part = recipe.engine.run(recipe, range(count), Recording(), np.zeros(1, np.uint8))
    return b"".join(part.arrays[name].tobytes() for name in sorted(part.arrays))


# ---------------------------------------------------------------------------------------------------- there and back


@pytest.mark.parametrize(
    "value",
    [
        None, True, 0, -(2**70), 0.1, -0.0, 5e-324, float("inf"), -float("inf"), "", "Zābul", date(2021, 8, 13),
        datetime(2021, 8, 13, 18, 0, 0, 1), Control.CONTESTED, (), (1, (2.0, "x")), frozenset({"a"}),
        {"a": 1, "type": (2,)}, Past("A", -2.5, -1.0), CompiledEngine(), SimPyEngine(),
    ],
    ids=repr,
)  # fmt: skip
def test_a_value_comes_back_equal_and_of_its_kind(value):
    again = there_and_back(value)

    assert value == again
    assert type(value) is type(again)
    assert repr(value) == repr(again)


def test_nan_comes_back():
    assert np.isnan(there_and_back(float("nan")))


@pytest.mark.parametrize("dtype", [float, np.float32, np.int8, np.int64, np.uint8, bool, ">f8"])
def test_an_array_comes_back_bit_for_bit(dtype):
    given_array = np.array([[0.1, np.pi], [-3.0, 0.0], [7.0, 99.5]])[::2].astype(dtype)
    again = there_and_back(given_array)

    assert given_array.dtype == again.dtype.newbyteorder(given_array.dtype.byteorder)
    assert np.array_equal(given_array, again)


def test_numbers_of_numpy_become_plain_numbers():
    assert [1, 0.5, True, "x"] == to_plain([np.int64(1), np.float64(0.5), np.True_, np.str_("x")])
    assert {int, float, bool, str} == {type(item) for item in to_plain([np.int64(1), np.float32(0.5), np.True_, "x"])}


def test_the_packaged_theatre_comes_back_equal_record_and_all(afghan):
    again = there_and_back(afghan)

    assert afghan == again
    assert afghan.record.until("2021-08-12") == again.record.until("2021-08-12")
    assert afghan.record.facts == again.record.facts


@pytest.mark.parametrize("prefer", [None, "span"])
def test_a_theatre_read_otherwise_comes_back_equal(prefer):
    theatre = sim.load_theatre("afghanistan_2021", borders="all", roads="sourced", prefer=prefer)

    assert theatre == there_and_back(theatre)


def test_gaps_and_labels_of_a_theatre_come_back():
    theatre = Theatre(
        ["B", "A"], [("A", "B")], [("A", "B", "mule path")], hub="B", columns={"x": [None, 2.5], "y": [-0.0, 1e-310]},
        capitals=["b", "a"], labels={"note": ["", ""]}, origin="2021-08-06", title="Two", name="two",
        timezone="Asia/Kabul", credits=["one", "one"],
    )  # fmt: skip
    again = there_and_back(theatre)

    assert theatre == again
    assert theatre.columns["y"].tobytes() == again.columns["y"].tobytes()


def test_records_cut_counted_and_given_come_back_equal(week):
    for record in (week, week.as_count(), Record.from_count(11, 7.25, ["A"] + [f"B{i}" for i in range(12)])):
        assert record == there_and_back(record)


def test_a_start_comes_back_with_its_past_and_its_sightings(week):
    start = week.state()
    again = there_and_back(start)

    assert start == again
    assert list(start.control) == list(again.control)


@pytest.mark.parametrize("name", FAMILIES)
def test_a_family_comes_back_to_simulate_the_same_bits(afghan, week, name):
    recipe = recipe_of(FAMILIES[name](afghan), week.state())
    again = there_and_back(recipe)

    assert events_of(recipe) == events_of(again)
    assert digest(recipe) == digest(again)


def test_every_kind_of_term_comes_back_as_it_was(afghan):
    hazard = Hazard(
        (
            Baseline(1 / 60), Covariate("population", HalfNormal(1.0)), Frailty(0.3),
            CutOff(0.5, without=("spur", "track")), Momentum(0.2, window=3.5),
            Calendar(date(2021, 8, 20), 40.0, -0.3, ("Kabul", "Herat"), label="late"),
            PullBack(("Kabul",), 20, hold=-1.0, abandon=0.4), Reserves(2),
        )
    )  # fmt: skip
    model = Model(afghan, {"relief": hazard, "assault": Baseline(0.1), "seizure": hazard.terms[0]}, contested=0.25)
    again = there_and_back(model)

    assert dict(model.hazards) == dict(again.hazards)
    assert list(model.parameters.items()) == list(again.parameters.items())
    assert isinstance(again.hazards["relief"].terms[6].after, int)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(cases(most=5))
def test_any_run_comes_back_to_the_same_bits(case: Case):
    recipe = Recipe(case.model, case.draws, case.start, case.horizon, case.seed, SimPyEngine(), SimPyEngine())
    again = there_and_back(recipe)

    assert digest(recipe) == digest(again)
    assert case.model.theatre == again.model.theatre
    assert case.start == again.start
    assert [] == differences(to_plain(recipe), to_plain(again))
    assert events_of(recipe, 2) == events_of(again, 2)


def test_a_posterior_is_written_as_the_draws_it_holds(afghan, week):
    posterior = sim.calibrate(FAMILIES["constant"](afghan), week, seed=7, draws=50)
    again = there_and_back(posterior)

    assert type(again) is Draws
    assert posterior.names == again.names
    assert posterior.values.tobytes() == again.values.tobytes()


def test_a_watch_comes_back():
    watch = Watch(np.arange(6).reshape(2, 3), 4)
    again = there_and_back(watch)

    assert 4 == again.threshold
    assert np.array_equal(watch.weights, again.weights)


def test_four_thousand_draws_of_ten_parameters_take_less_than_half_a_megabyte():
    draws = Draws(tuple("abcdefghij"), np.random.default_rng(1).normal(size=(4000, 10)))

    assert len(json.dumps(to_plain(draws))) < 500_000


# --------------------------------------------------------------------------------------------------- what is let in


def test_a_custom_term_is_written_by_name_and_not_read_back(afghan):
    plain = to_plain(Model(afghan, {"seizure": Baseline(0.1) * Custom(surge)}))

    assert '"name": "test_plain.surge"' in json.dumps(plain)
    with pytest.raises(ValueError, match=r"function test_plain\.surge cannot be written .* pass the model itself"):
        from_plain(plain)


def test_processes_are_written_by_name_and_not_read_back():
    plain = to_plain(SimPyEngine(processes=[airlift]))

    with pytest.raises(ValueError, match=r"function test_plain\.airlift cannot be written .* engine= for processes"):
        from_plain(plain)


def test_observers_are_no_part_of_a_run():
    assert digest(SimPyEngine()) == digest(SimPyEngine(observers=[print]))


@pytest.mark.parametrize("value", [object(), Path("x"), 1j, b"x", {1: 2}, np.array(["x"]), np.array([None]), surge])
def test_what_files_do_not_know_is_refused(value):
    with pytest.raises(TypeError, match="plain: "):
        to_plain(value)


@dataclass(frozen=True)
class Steeper(Baseline):
    """A user's own term, which no file could make again."""


def test_a_class_derived_from_a_known_one_is_refused():
    with pytest.raises(TypeError, match=r"must be of a kind that files of runs know, but was .*test_plain\.Steeper"):
        to_plain(Steeper(1.0))


@pytest.mark.parametrize(
    ("plain", "message"),
    [
        ({"LogNormal": {"median": 1.0, "sigma": 1.0}, "Fixed": {"value": 1.0}}, "must have one entry, its kind"),
        ({}, "one entry, its kind, but had none"),
        ({"Logormal": {}}, "no kind 'Logormal' is known; did you mean 'LogNormal'?"),
        ({"os.system": {"command": "true"}}, "no kind 'os.system' is known"),
        ({"Fixed": {"value": 1.0, "more": 2}}, "Fixed must have value, but had value, more; was it written by another"),
        ({"Fixed": 1.0}, "Fixed must have value, but had none"),
        ({"Fixed": {"value": {"float": "nan"}}}, "Fixed: value must be a finite number"),
        ({"array": {"dtype": "|O", "shape": [1], "base64": "AAAAAAAAAAA="}}, ""),
        ({"array": {"dtype": "<f8", "shape": [2], "base64": "AAAAAAAAAAA="}}, "reshape"),
        ({"date": 3}, "date cannot be read"),
        ({"Control": "REBEL"}, "Control cannot be read"),
    ],
)  # fmt: skip
def test_what_is_not_of_the_form_is_refused(plain, message):
    with pytest.raises(ValueError) as caught:
        from_plain(plain)

    assert message in str(caught.value)


# ---------------------------------------------------------------------------------------------------------- digests


def test_equal_recipes_have_equal_digests_however_they_were_built(afghan, week):
    start = week.state()
    turned = State(dict(reversed(start.control.items())), start.instant, start.past, start.sighted)
    loaded = sim.load_theatre("afghanistan_2021")

    assert digest(recipe_of(siege(afghan), start)) == digest(recipe_of(siege(loaded), turned))


def test_a_digest_of_the_plain_form_is_that_of_the_thing(afghan):
    model = siege(afghan)

    assert digest(model) == digest(to_plain(model)) == digest(json.loads(json.dumps(to_plain(model))))


def test_the_order_of_transitions_is_part_of_a_model(afghan):
    one, other = ("seizure", "recapture"), ("recapture", "seizure")
    models = [Model(afghan, dict.fromkeys(order, Baseline(0.1))) for order in (one, other)]

    assert digest(models[0]) != digest(models[1])
    assert [] != differences(*map(to_plain, models))


def test_a_digest_is_the_same_in_every_process(tmp_path):
    (tmp_path / "told.py").write_text(
        "from functools import partial\nPACE = 1.5\nTABLE = {'A': 2.0}\n"
        "def base(day, control, province):\n"
        "    return PACE * TABLE.get(province, 0.5) if province in {'A', 'B', 'Zabul', 'q'} else len(...)\n"
        "def made(k):\n    def inner(day, control, province):\n        return k if inner else base\n    return inner\n",
        encoding="utf-8",
    )
    code = (
        "import told, sim\nfrom sim.plain import digest\nfrom sim.hazards import *\n"
        "t = sim.load_theatre('afghanistan_2021')\n"
        "h = Baseline(0.1) * Custom(told.base) * Custom(told.made(2.0), label='b')\n"
        "print(digest(sim.Model(t, {'seizure': h * Custom(told.partial(told.base, 1.0), label='c')})))\n"
    )
    path = f"{Path(sim.__file__).parent.parent}{os.pathsep}."
    found = {
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path,
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": path},
        ).stdout
        for seed in ("1", "2", "2")
    }  # fmt: skip

    assert 1 == len(found)


def _made(factor: float) -> Any:
    return lambda day, control, province: factor


def test_functions_that_do_otherwise_are_told_apart(monkeypatch):
    def named(day: float, control: Any, province: str, factor: float = 1.0) -> float:
        return factor

    functions = [surge, _made(1.0), _made(2.0), named, partial(named, factor=2.0), partial(named, factor=3.0), max]
    digests = [digest(Custom(each)) for each in functions]

    assert len(functions) == len(set(digests))
    assert digests[1] == digest(Custom(_made(1.0)))
    monkeypatch.setitem(globals(), "PACE", 2.5)
    assert digests[0] != digest(Custom(surge))


class Wave:
    def __init__(self, height: float):
        self.height = height

    def __call__(self, day: float, control: Any, province: str) -> float:
        return self.height

    def low(self, day: float, control: Any, province: str) -> float:
        return self.height / 2


def test_callable_objects_and_methods_are_told_apart_by_what_they_hold():
    told = {digest(Custom(each)) for each in (Wave(1.0), Wave(2.0), Wave(1.0).low, Wave(2.0).low)}

    assert 4 == len(told)
    assert digest(Custom(Wave(1.0))) == digest(Custom(Wave(1.0)))


def test_a_compiled_function_is_told_by_what_was_compiled():
    assert digest(Custom(surge)) == digest(Custom(numba.njit(surge)))


# ------------------------------------------------------------------------------------------------ what differs


def test_a_recipe_does_not_differ_from_itself(afghan, week):
    recipe = to_plain(recipe_of(siege(afghan), week.state()))

    assert [] == differences(recipe, json.loads(json.dumps(recipe)))


def test_what_differs_is_said_part_by_part(afghan, week):
    recipe = recipe_of(contagion(afghan), week.state())
    faster = Model(afghan, {"seizure": Baseline(LogNormal(0.05, 1.0)) * Momentum(1.0)}, name="contagion")
    start = State({**recipe.start.control, "Kabul": Control.CONTESTED}, recipe.start.instant, recipe.start.past)
    other = replace(recipe, model=faster, seed=8, horizon=60.0, start=start, engine=SimPyEngine(processes=[airlift]))
    told = differences(to_plain(recipe), to_plain(other), most=9)

    assert "seed: 7 there, 8 here" in told
    assert "horizon: 30.0 there, 60.0 here" in told
    parameter = "model: parameter seizure.baseline: LogNormal(median=0.016666666666666666, sigma=1.0) there"
    assert f"{parameter}, LogNormal(median=0.05, sigma=1.0) here" in told
    assert "model: parameter seizure.neighbours.road: HalfNormal(scale=1.0) there, nothing here" in told
    terms = "baseline × neighbours.border × neighbours.road there, baseline × momentum here"
    assert f"model: terms of seizure: {terms}" in told
    assert "start: control Kabul: government there, contested here" in told
    assert any(
        line.startswith("engine: CompiledEngine() there, SimPyEngine(processes=(test_plain.air") for line in told
    )
    assert not any(line.startswith("draws") for line in told)


def test_other_draws_and_what_stands_beside_a_recipe_are_told(afghan, week):
    recipe = recipe_of(contagion(afghan), week.state())
    other = replace(recipe, draws=contagion(afghan).draw_prior(20, seed=2))
    sides = [{"recipe": to_plain(each), "record": kept} for each, kept in ((recipe, "events"), (other, "outcomes"))]
    told = differences(*sides)

    assert 2 == len(told)
    assert told[0].startswith("draws: values: 20 × 3 numbers (")
    assert "record: 'events' there, 'outcomes' here" == told[1]


def test_another_theatre_is_told_by_what_only_one_side_has(afghan):
    other = sim.load_theatre("afghanistan_2021", borders="all")
    told = differences(to_plain(siege(afghan)), to_plain(siege(other)))

    assert any(line.startswith("theatre: borders Border(a=") and line.endswith(": only here") for line in told)
    assert len(told) <= 5


def test_a_function_of_the_same_name_and_other_code_is_told(afghan):
    models = [Model(afghan, {"seizure": Baseline(0.1) * Custom(_made(each))}) for each in (1.0, 2.0)]
    (told,) = differences(*map(to_plain, models))

    assert "test_plain._made.<locals>.<lambda> (code" in told
    assert told.startswith("seizure.custom: Custom(fn=")
