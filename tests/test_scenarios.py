"""Scenarios: made from others, told apart, refused when wrong; the record replayed; and the scripts that come along."""

from __future__ import annotations

import ast
import pickle
import re
import subprocess
import sys
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import NIGHTLY, assert_same
from pinned import differences

import sim
from sim import families
from sim.briefing import briefing
from sim.case import Case, levered, with_levers
from sim.control import State
from sim.engines.recorded import RecordedEngine
from sim.hazards import Baseline, Calendar, CutOff, Hazard, Momentum, Neighbours, PullBack, Reserves, Term
from sim.model import Model
from sim.priors import HalfNormal, LogNormal, Normal
from sim.scenario import Scenario
from sim.theatre import Theatre

ROOT = Path(__file__).parent.parent
NAMES = sorted(sim.scenario_names())
PLAIN = Scenario("plain", "A plain one", families=("constant",), facts={"F2": "eleven"}, arguments={"horizon": "long"})


def airlift(world: Any) -> Any:
    yield world.env.timeout(1.0)


AIR = Calendar("2021-09-01", None, Normal(0.5, 0.5), label="air")
SEED = 2021

# What the article says, typed a second time (shared/article.md), so that a slip in a script shows.
ARTICLE = {
    "F1": "Herat, the third-largest city, was taken on Thursday night, after its defensive lines collapsed in the "
    "afternoon; sporadic gunfire near one government building",
    "F2": "11 of 34 provincial capitals are held by the insurgents",
    "F3": "The government and its forces did not acknowledge the loss at first, and answered no requests for comment",
    "F4": "Ghazni, near Kabul, was captured earlier the same day",
    "F5": "It was a week-long sweep: nine other capitals fell in the week before",
    "F6": "The loss of Ghazni cuts a crucial highway between Kabul and the southern provinces, which are under assault "
    "too",
    "F7": "Kabul itself is not directly under threat at that moment",
    "F8": "The insurgents are estimated to hold some two-thirds of the nation; thousands have fled their homes",
    "F9": "The latest US military intelligence assessment: Kabul could come under insurgent pressure within 30 days",
    "F10": "... and, if current trends hold, full control of the country within a few months",
    "F11": "The government may be forced to pull back to defend the capital and just a few other cities",
    "F12": "A police headquarters fell in Lashkar Gah (Helmand), a capital teetering toward loss; fighting raged, "
    "suspected US air strikes pounded the area, surrounded government forces held on",
    "F13": "President Ghani tries to rally a counter-offensive on special forces, the militias of warlords and "
    "American air power",
    "F14": "The US and NATO withdrawal ends at the end of the month (31 August)",
}  # fmt: skip


# ----------------------------------------------------------------------------------------------------- made from others


def test_a_scenario_made_from_another_inherits_what_it_does_not_change():
    child = PLAIN.but("child", "A child", horizon=90)

    assert ("child", "A child", "plain", 90.0) == (child.name, child.title, child.base, child.horizon)
    same = {each.name for each in fields(Scenario)} - {"name", "title", "base", "horizon"}
    assert all(getattr(PLAIN, name) == getattr(child, name) for name in same)


def test_facts_arguments_models_and_levers_are_added_to():
    mine = {"seizure": Baseline(LogNormal(1 / 50, 1.0))}
    child = PLAIN.but("child", "", facts={"F6": "cut"}, arguments={"families": "one"}, models={"mine": mine})
    grandchild = child.but(
        "grandchild", "", facts={"F2": "11"}, models={"other": mine}, levers={"seizure": CutOff(1.0)}
    )

    assert {"F2": "eleven", "F6": "cut"} == dict(child.facts)
    assert {"horizon": "long", "families": "one"} == dict(child.arguments)
    assert {"F2": "11", "F6": "cut"} == dict(grandchild.facts)
    assert ["mine", "other"] == list(grandchild.models)
    assert {"F2": "eleven"} == dict(PLAIN.facts) and not child.levers


def test_a_lever_on_a_transition_that_has_one_multiplies_it():
    one = PLAIN.but("one", "", levers={"seizure": AIR})
    two = one.but("two", "", levers={"seizure": CutOff(1.0), "recapture": Baseline(0.1)})

    assert {"seizure": AIR * CutOff(1.0), "recapture": Hazard((Baseline(0.1),))} == dict(two.levers)
    assert ("seizure.calendar.air", "seizure.cutoff", "recapture.baseline") == two.lever_parameters
    assert ("seizure.calendar.air",) == one.lever_parameters


CHANGES: dict[str, Any] = {
    "theatre": "elsewhere",
    "borders": "all",
    "prefer": "span",
    "seen_from": "2021-08-11",
    "families": ("constant", "momentum"),
    "models": {"mine": {"seizure": Baseline(0.1)}},
    "levers": {"seizure": AIR},
    "processes": (airlift,),
    "follows": "press",
    "facts": {"F6": "cut"},
    "source": "a paper",
    "arguments": {"source": "it said so"},
    "readings": ("read",),
    "beside": ("thirty_days",),
    "pressure_within": (1,),
    "control_within": (1,),
    "horizon": 90,
}


def test_every_field_can_be_changed_but_the_labels():
    assert {each.name for each in fields(Scenario)} == {"name", "title", "base", *CHANGES}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_of_one_field_is_told_as_that_field_and_changes_the_digest(name):
    other = PLAIN.but("other", "", **{name: CHANGES[name]})
    told = PLAIN.diff(other)

    assert told and all(line.startswith(f"{name}: ") for line in told)
    assert PLAIN.digest != other.digest


def test_a_difference_says_what_was_and_what_is():
    other = PLAIN.but("other", "", horizon=90, families=("momentum",), levers={"fall": AIR}, facts={"F6": "cut"})

    assert (
        "families: 'constant': only in plain",
        "families: 'momentum': only in other",
        "levers: parameter fall.calendar.air: nothing in plain, Normal(mean=0.5, sd=0.5) in other",
        "levers: fall.calendar.air: nothing in plain, Calendar(start=2021-09-01T00:00:00, stop=None, provinces=None, "
        "label='air') in other",
        "levers: terms of fall: nothing in plain, calendar.air in other",
        "facts: F6: nothing in plain, 'cut' in other",
        "horizon: 180.0 in plain, 90.0 in other",
    ) == PLAIN.diff(other)


def test_two_models_of_ones_own_are_told_apart():
    def with_rates(one: float, two: float) -> Scenario:
        own = {"one": {"seizure": Baseline(one)}, "two": {"seizure": Baseline(two)}}
        return Scenario("own", "", families=("one", "two"), models=own)

    told = with_rates(0.1, 0.2).diff(with_rates(0.3, 0.2))

    assert ("models: one parameter seizure.baseline: Fixed(value=0.1) in own, Fixed(value=0.3) in own",) == told


def test_scenarios_that_are_equal_differ_in_nothing_and_have_one_digest():
    def made(**changed: Any) -> Scenario:
        return Scenario("a", "A", **{"levers": {"fall": AIR}, "families": ("siege",), "horizon": 90.0, **changed})

    assert made() == made() and () == made().diff(made()) and made().digest == made().digest
    # A term alone is the product of that one term, and days are days.
    other = made(levers={"fall": Hazard((AIR,))}, horizon=90, pressure_within=[3, 7, 14, 30])
    assert made() == other and made().digest == other.digest
    renamed = replace(made(), name="b", title="B", base="c")
    assert () == made().diff(renamed) and made().digest != renamed.digest


def test_a_scenario_survives_pickling():
    mine = {"mine": {"seizure": Baseline(LogNormal(0.1, 1.0)) * CutOff(HalfNormal(1.0))}}
    whole = PLAIN.but("whole", "", models=mine, levers={"fall": AIR}, processes=(airlift,), beside=("thirty_days",))
    back = pickle.loads(pickle.dumps(whole))

    assert whole == back and whole.digest == back.digest and () == whole.diff(back)


def test_a_description_holds_plain_values_and_no_wrapping():
    told = PLAIN.but("told", "", levers={"fall": AIR}).describe()

    assert {each.name for each in fields(Scenario)} - {"facts", "readings"} | {"digest"} == set(told)
    assert {"horizon": "long"} == told["arguments"] and {} == told["models"]
    assert "Calendar" in told["levers"]["fall"]["Hazard"]["terms"][0]


# --------------------------------------------------------------------------------------------------- refused when wrong

A = "scenario a: "
WRONG: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"name": ""}, ValueError, "scenario: name must be a text, but was ''"),
    ({"name": 3}, ValueError, "scenario: name must be a text, but was 3"),
    ({"title": None}, TypeError, A + "title must be a text, but was None"),
    ({"theatre": 3}, TypeError, A + "theatre must be a text, but was 3"),
    ({"source": 3}, TypeError, A + "source must be a text, but was 3"),
    ({"seen_from": "12 August"}, ValueError, A + "seen_from: must be a date such as '2021-08-12', but was '12 August'"),
    ({"seen_from": "2021-02-30"}, ValueError, A + "seen_from: '2021-02-30' is not a day of the calendar"),
    ({"families": "siege"}, TypeError, A + "families must be a tuple, but was 'siege'; write ('siege',)"),
    ({"families": ()}, ValueError, A + "name at least one family of constant, contagion, momentum, siege"),
    ({"families": ("seige",)}, ValueError, A + "no family 'seige'; did you mean 'siege'?"),
    ({"families": ("siege", "siege")}, ValueError, A + "a family is named twice in ('siege', 'siege')"),
    ({"readings": "so"}, TypeError, A + "readings must be a tuple, but was 'so'; write ('so',)"),
    ({"readings": (3,)}, TypeError, A + "readings: each must be a text, but was 3"),
    ({"beside": (3,)}, TypeError, A + "beside: each must be a text, but was 3"),
    ({"processes": ("airlift",)}, TypeError, A + "a process must be a function of the world, but was 'airlift'"),
    ({"processes": 3}, TypeError, A + "processes must be a tuple, but was 3; write (3,)"),
    ({"follows": "record"}, ValueError,
     A + "follows must be 'models', 'press' or 'best_date', but was 'record'; known: models, press, best_date"),
    ({"follows": "press", "levers": {"seizure": AIR}}, ValueError,
     A + "a record is replayed as it was; leave levers and processes out"),
    ({"follows": "press", "processes": (airlift,)}, ValueError,
     A + "a record is replayed as it was; leave levers and processes out"),
    ({"facts": ["F2"]}, TypeError, A + "facts must be a mapping, but was ['F2']"),
    ({"facts": {"F2": 11}}, TypeError, A + "facts of F2 must be a text, but was 11"),
    ({"arguments": {"horizon": 180}}, TypeError, A + "arguments of horizon must be a text, but was 180"),
    ({"arguments": {"fall.calendar.air": "so"}}, ValueError,
     A + "an argument is given for 'fall.calendar.air', which it has not; did you mean 'fall.calendar.end'?"),
    ({"levers": AIR}, TypeError, A + f"levers must be a mapping of transition to terms, but was {AIR!r}"),
    ({"levers": {"falls": AIR}}, ValueError, A + "levers: no transition 'falls'; did you mean 'fall'?"),
    ({"levers": {"fall": 0.5}}, TypeError, A + "levers: fall must be a term or a product of terms, but was 0.5"),
    ({"models": {"mine": AIR}}, TypeError,
     A + f"model mine must be a mapping of transition to terms, but was {AIR!r}"),
    ({"models": {"siege": {"seizure": AIR}}}, ValueError,
     A + "a model of one's own may not be called 'siege'; choose another name"),
    ({"models": {"pooled": {"seizure": AIR}}}, ValueError,
     A + "a model of one's own may not be called 'pooled'; choose another name"),
    ({"pressure_within": (-1,)}, ValueError, A + "pressure_within must be finite days, not negative, but had -1"),
    ({"control_within": ("a",)}, ValueError, A + "control_within must be finite days, not negative, but had 'a'"),
    ({"pressure_within": (True,)}, ValueError, A + "pressure_within must be finite days, not negative, but had True"),
    ({"horizon": 0}, ValueError, A + "horizon must be a positive finite number of days, but was 0"),
    ({"horizon": float("nan")}, ValueError, A + "horizon must be a positive finite number of days, but was nan"),
    ({"horizon": "180"}, ValueError, A + "horizon must be a positive finite number of days, but was '180'"),
]  # fmt: skip


@pytest.mark.parametrize(("given", "error", "message"), WRONG, ids=lambda value: str(value)[:40])
def test_a_bad_value_is_refused_at_construction(given, error, message):
    end = Calendar("2021-09-01", None, 0.0, label="end")
    levers = {} if given.get("follows") == "press" else {"levers": {"fall": end}}
    with pytest.raises(error, match=f"^{re.escape(message)}$"):
        Scenario(**{"name": "a", "title": "A", **levers, **given})


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"horizons": 90}, ValueError, "scenario b: no field 'horizons' to change; did you mean 'horizon'?"),
        (
            {"base": "c"}, ValueError,
            "scenario b: no field 'base' to change; name and title come first, and base is this one's name",
        ),
        ({"facts": "F6"}, TypeError, "scenario b: facts must be a mapping, but was 'F6'"),
        ({"levers": AIR}, TypeError, f"scenario b: levers must be a mapping of transition to terms, but was {AIR!r}"),
        ({"levers": {"seizure": 2}}, TypeError,
         "scenario b: levers: seizure must be a term or a product of terms, but was 2"),
    ],
)  # fmt: skip
def test_a_bad_change_is_refused(changes, error, message):
    with pytest.raises(error, match=f"^{re.escape(message)}$"):
        PLAIN.but("b", "B", **changes)


def test_bad_calls_are_refused_before_any_work():
    for count in (0, -1, 2.5, True, None):
        told = f"scenario plain: replications must be at least 1, but was {count!r}"
        with pytest.raises(ValueError, match=f"^{re.escape(told)}$"):
            PLAIN.run(seed=1, replications=count)
    with pytest.raises(TypeError, match=r"^scenario plain: diff compares with another Scenario, but was given 3$"):
        PLAIN.diff(3)  # type: ignore[arg-type]


def test_a_family_that_cannot_take_a_lever_is_refused_by_name(afghan):
    told = (
        "scenario a: lever on fall: constant has no fall to act on; give the lever a Baseline, or name families that "
        "have it, since this one has seizure"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(told)}$"):
        PLAIN.but("a", "", levers={"fall": AIR}).run(seed=1, replications=10)
    told = "scenario a: lever on seizure: constant has a Baseline for it already; leave it out of the lever"
    with pytest.raises(ValueError, match=f"^{re.escape(told)}$"):
        PLAIN.but("a", "", levers={"seizure": Baseline(0.1)}).models_on(afghan)
    own = {"mine": {"seizure": CutOff(1.0)}}
    told = "scenario a: model: seizure must have exactly one Baseline, but has 0"
    with pytest.raises(ValueError, match=f"^{re.escape(told)}$"):
        PLAIN.but("a", "", families=("mine",), models=own).models_on(afghan)


# --------------------------------------------------------------------------------------------------------------- levers


def cases(scenario: Scenario, theatre: Theatre, *, draws: int = 40, horizon: float = 60.0) -> tuple[Case, Case]:
    """Return the one family of *scenario* without and with its levers, on the same draws from the priors."""
    ((calibrated, projected),) = scenario.models_on(theatre).values()
    start, prior = theatre.record.until("2021-08-12").state(), calibrated.draw_prior(draws, seed=5)
    return tuple(
        Case(model.name, model, with_levers(model, prior, seed=5), start, horizon) for model in (calibrated, projected)
    )  # type: ignore[return-value]


def test_levers_multiply_as_in_a_model_written_by_hand(afghan):
    levers: dict[str, Term | Hazard] = {
        "fall": Calendar(3.0, None, 0.7, label="air") * Momentum(0.4, window=2),
        "relief": Reserves(2.0),
        "recapture": Baseline(0.02) * Neighbours(0.1),
    }
    plain = families.siege(afghan)
    by_hand = Model(
        afghan,
        {
            "seizure": plain.hazards["seizure"],
            "assault": plain.hazards["assault"],
            "fall": plain.hazards["fall"] * Calendar(3.0, None, 0.7, label="air") * Momentum(0.4, window=2),
            "relief": plain.hazards["relief"] * Reserves(2.0),
            "recapture": Baseline(0.02) * Neighbours(0.1),
        },
    )
    start, draws = afghan.record.until("2021-08-12").state(), plain.draw_prior(20, seed=1)
    runs = [
        sim.simulate(model, draws, start=start, horizon=40, replications=20, seed=1)
        for model in (levered(plain, levers), by_hand)
    ]

    assert len(runs[0].day) > 200
    assert_same(*runs)


def test_levers_whose_effect_is_nothing_leave_every_bit_in_place(afghan):
    nothing = {
        "seizure": Momentum(0.0, window=3) * PullBack(("Kabul",), 17, hold=0.0, abandon=0.0),
        "assault": Calendar("2021-08-20", None, 0.0, provinces=("Balkh",), label="militias"),
        "fall": Calendar("2021-09-01", None, 0.0, label="air") * PullBack(("Kabul",), 12, hold=0.0, abandon=0.0),
        "relief": Calendar(None, "2021-09-01", 0.0) * CutOff(0.0) * Reserves(1e9),
    }
    base, same = (each.simulate(seed=3, replications=40) for each in cases(
        PLAIN.but("nothing", "", families=("siege",), levers=nothing), afghan
    ))  # fmt: skip
    _, other = cases(PLAIN.but("some", "", families=("siege",), levers={"fall": Calendar(5.0, None, 0.1)}), afghan)

    assert_same(base, same, but=["shares"])  # there is a column for each lever
    assert base.digest != other.simulate(seed=3, replications=40).digest


def test_a_lever_has_the_same_draws_in_every_scenario_of_a_seed(afghan):
    (_, air), (_, counter) = (
        cases(sim.load_scenario(name), afghan) for name in ("air_power_ends", "counter_offensive")
    )
    name = "fall.calendar.air_ends"

    assert air.draws[name].tobytes() == counter.draws[name].tobytes()
    assert 40 == len(set(air.draws[name]))
    assert set(air.draws.names) < set(counter.draws.names)


def test_scenarios_that_share_a_memory_calibrate_once(memory):
    told: list[str] = []
    runs = [
        scenario.run(seed=SEED, replications=20, memory=memory, progress=lambda what, share: told.append(what))
        for scenario in (PLAIN, PLAIN.but("cut", "", levers={"seizure": CutOff(HalfNormal(1.0))}))
    ]

    assert runs[0].posteriors["constant"] is runs[1].posteriors["constant"]
    assert 1 >= sum(what == "calibrating constant" for what in told)
    assert "projecting constant" in told
    assert ("seizure.baseline",) == runs[0].cases["constant"].draws.names
    assert ("seizure.baseline", "seizure.cutoff") == runs[1].cases["constant"].draws.names


# ------------------------------------------------------------------------------------------------- the record, replayed


def replay(theatre: Theatre, basis: Any, seen_from: str, replications: int = 1) -> sim.Ensemble:
    model = families.constant(theatre)
    return sim.simulate(
        model, model.draw_prior(1, seed=1), start=theatre.record.until(seen_from).state(), horizon=30,
        replications=replications, seed=1, engine=RecordedEngine(basis),
    )  # fmt: skip


def test_the_replayed_record_counts_as_was_reported(afghan):
    run = replay(afghan, "press", "2021-08-10")

    assert [7, 9, 11, 18, 24, 33] == [int(run.lost_at(day)[0]) for day in range(6)]  # evenings of 10 to 15 August
    assert [33, 34] == [int(run.lost_at(day)[0]) for day in (26.9, 27.0)]  # Panjshir, 6 September


def test_by_best_date_captures_count_from_their_own_day(afghan):
    run = replay(afghan, "best_date", "2021-08-10")

    # Farah fell on the 10th and was not known: it comes at the first moment.
    assert [8, 9, 13, 18, 25, 33] == [int(run.lost_at(day)[0]) for day in range(6)]


def test_every_replication_of_the_record_is_the_record_whatever_the_seed(afghan):
    run = replay(afghan, "press", "2021-08-12", replications=3)

    assert [33, 33, 33] == run.lost_at(3.0).tolist()
    assert 3 * 23 == len(run.day)
    assert [list(run.events(0)), list(run.events(0))] == [list(run.events(1)), list(run.events(2))]


def test_the_replayed_record_is_saved_made_again_and_told(afghan, tmp_path):
    run = replay(afghan, "press", "2021-08-12")
    run.save(tmp_path / "record.nc")
    again = sim.rerun(tmp_path / "record.nc")

    assert_same(run, again)
    assert_same(run, sim.open_ensemble(tmp_path / "record.nc"))
    lines = str(again.replay(replication=0)).splitlines()
    assert "day    1.000 (14 Aug 00:00)  Badghis: seizure, government to insurgent; 12 lost  [as recorded]" == lines[1]
    assert all(line.endswith("[as recorded]") for line in lines[1:-1])
    assert {} == next(iter(again.events(0))).shares


def test_a_record_that_cannot_be_replayed_is_refused(afghan):
    model = families.constant(afghan)

    def run(model: Model, start: State) -> None:
        sim.simulate(
            model, model.draw_prior(1, seed=1), start=start, horizon=9, replications=1, seed=1,
            engine=RecordedEngine("press"),
        )  # fmt: skip

    told = "RecordedEngine: the start must have an instant, so that the record's dates can be placed"
    with pytest.raises(ValueError, match=f"^{re.escape(told)}$"):
        run(model, State({}))
    start = afghan.record.until("2021-08-12").state()
    told = "RecordedEngine: the model must have a seizure, which is what the record's captures are"
    with pytest.raises(ValueError, match=f"^{re.escape(told)}$"):
        run(Model(afghan, {"recapture": Baseline(0.1)}), start)
    bare = Theatre(["A", "B"], [("A", "B")], hub="A")
    told = f"RecordedEngine: theatre {bare.name} has no captures on record to replay"
    with pytest.raises(ValueError, match=f"^{re.escape(told)}$"):
        run(families.constant(bare), State({}))
    told = "RecordedEngine: basis must be 'press' or 'best_date', but was 'span'"
    with pytest.raises(ValueError, match=f"^{re.escape(told)}$"):
        RecordedEngine("span")  # type: ignore[arg-type]


# ------------------------------------------------------------------------------------------ the scripts that come along


def test_the_article_has_its_scenarios():
    wanted = {
        "trend_holds", "contagion", "highways_cut", "air_power_ends", "counter_offensive", "consolidation",
        "negotiated", "everything", "thirty_days", "as_it_happened",
    }  # fmt: skip

    assert wanted <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_script_is_short_asks_a_question_and_is_the_same_by_path(name):
    path = ROOT / "scenarios" / f"{name}.py"
    text = path.read_text(encoding="utf-8")
    asked = ast.get_docstring(ast.parse(text)) or ""

    assert len(text.splitlines()) < 100
    assert "?" in asked.splitlines()[0]
    assert text.endswith('if __name__ == "__main__":\n    raise SystemExit(main(SCENARIO))\n')
    scenario = sim.load_scenario(path)
    assert name == scenario.name and scenario == sim.load_scenario(name)


def test_days_may_be_numbers_of_numpy():
    given = {"pressure_within": np.array([3, 7]), "control_within": (np.float32(30.0),), "horizon": np.int64(60)}
    plain = Scenario("a", "A", pressure_within=(3, 7), control_within=(30,), horizon=60)

    assert plain == Scenario("a", "A", **given)
    assert {float} == {type(day) for day in (*Scenario("a", "A", **given).pressure_within, plain.horizon)}
    for wrong in (np.True_, np.int64(-1), np.float64("nan"), np.float32("inf"), 1j):
        with pytest.raises(
            ValueError, match=r"^scenario a: pressure_within must be finite days, not negative, but had"
        ):
            Scenario("a", "A", pressure_within=(wrong,))


@pytest.mark.parametrize("name", NAMES)
def test_a_script_cites_only_what_the_article_says_in_its_words(name):
    scenario = sim.load_scenario(name)

    assert scenario.facts and scenario.source
    for fact, text in scenario.facts.items():
        assert text in ARTICLE[fact]
    told = " ".join(scenario.arguments.values())
    assert set(re.findall(r"\bF\d+\b", told)) <= set(scenario.facts)


@pytest.mark.parametrize("name", NAMES)
def test_a_script_argues_every_parameter_that_is_its_own(name):
    scenario = sim.load_scenario(name)
    own = [
        f"{model}.{transition}.{value}"
        for model, hazards in scenario.models.items()
        for transition, hazard in hazards.items()
        for term in hazard.terms
        for value in term.values
    ]

    assert {*scenario.lever_parameters, *own} <= set(scenario.arguments)
    assert all(len(scenario.arguments[each]) > 10 for each in own)


def quick(name: str) -> Scenario | None:
    """Return the scenario with the families that are quick to calibrate, or with siege where it has no other.

    None if all models are of its own: those are drawn from their priors below, and calibrated at night.
    """
    scenario = sim.load_scenario(name)
    ready = [each for each in scenario.families if each not in scenario.models]
    fast = tuple(each for each in ready if each != "siege")
    return replace(scenario, families=fast or ("siege",)) if ready else None


@pytest.mark.parametrize("name", list(filter(quick, NAMES)))
def test_a_script_runs_and_nothing_explodes(name, memory):
    scenario = quick(name)
    assert scenario is not None
    result = scenario.run(seed=SEED, replications=200, memory=memory)

    outcomes = 6 * len(scenario.pressure_within) + 2 * len(scenario.control_within)
    families_asked = len(result.ensembles) + (len(result.ensembles) > 1)
    assert outcomes * families_asked == len(result.rows)
    for family, run in result.ensembles.items():
        # Within the first hour of the projection hardly anything may happen: a hazard that explodes shows there.
        assert np.mean(run.lost_at(1 / 24) - 11) < 0.5, family
        assert 11 <= run.lost_at(0.0).min()
    for row in result.rows:
        assert 0.0 <= row.probability <= 1.0
    text = briefing(result)
    assert text.startswith(scenario.title)
    assert all(f"  {each} ~ " in text for each in scenario.lever_parameters)


@pytest.mark.parametrize("name", ["contagion_cut", "negotiated"])
def test_a_model_of_a_scripts_own_meets_the_house_rule_before_the_week(name, afghan):
    own = {**sim.load_scenario("highways_cut").models, **sim.load_scenario("negotiated").models}
    model = Model(afghan, own[name], contested=0.0)
    run = sim.simulate(
        model, model.draw_prior(4_000, seed=1), start=State({}), horizon=7, replications=4_000, seed=1
    )  # fmt: skip
    lost = run.lost_at(7.0)

    # docs/architecture.md, "Priors". 4,000 draws put a share of 0.1 within 0.005.
    assert 3 <= np.median(lost) <= 10
    assert 0.02 <= np.mean(lost == 0) <= 0.15
    assert 0.005 <= np.mean(lost >= 30) <= 0.10
    assert np.quantile(lost, 0.1) < 11 < np.quantile(lost, 0.9)


def before(run: sim.Ensemble, row: int, day: float) -> list[tuple[float, int, int]]:
    """Return the events of a replication before *day*."""
    rows = slice(run.offsets[row], run.offsets[row + 1])
    events = zip(run.day[rows].tolist(), run.province[rows].tolist(), run.target[rows].tolist(), strict=True)
    return [event for event in events if event[0] < day]


def test_the_end_of_air_power_changes_not_a_bit_before_it(afghan):
    base, air = (each.simulate(seed=2, replications=40) for each in cases(sim.load_scenario("air_power_ends"), afghan))
    end = 19.0  # 1 September, counted from the first moment of 13 August

    assert all(before(base, row, end) == before(air, row, end) for row in range(40))
    assert any(before(base, row, 60.0) != before(air, row, 60.0) for row in range(40))


def test_the_pull_back_changes_not_a_bit_before_half_of_the_capitals_are_lost(afghan):
    base, back = (each.simulate(seed=2, replications=40) for each in cases(sim.load_scenario("consolidation"), afghan))
    changed = 0
    for row in range(40):
        events = before(base, row, 60.0)
        lost = np.cumsum([11, *(1 if target == 2 else 0 for _, _, target in events)])  # siege retakes nothing
        trigger = events[int(np.argmax(lost >= 17)) - 1][0] if lost[-1] >= 17 else 60.0
        assert before(base, row, trigger + 1e-12) == before(back, row, trigger + 1e-12)
        changed += events != before(back, row, 60.0)

    assert changed > 20


def test_nothing_is_retaken_before_the_counter_offensive_has_regrouped(afghan):
    _, counter = cases(sim.load_scenario("counter_offensive"), afghan)
    run = counter.simulate(seed=2, replications=40)
    retaken = run.day[run.transition == list(counter.model.hazards).index("recapture")]

    assert len(retaken) > 20 and 7.0 <= retaken.min()


def test_no_provinces_but_those_with_militias_are_touched_by_them(afghan):
    militias = Calendar("2021-08-13", None, -20.0, provinces=("Balkh", "Panjshir"), label="militias")
    levers = {"seizure": militias, "assault": militias}
    _, case = cases(PLAIN.but("militias", "", families=("siege",), levers=levers), afghan)
    lost = case.simulate(seed=2, replications=40).control_at(60.0) == 2
    kept = [afghan.index(name) for name in ("Balkh", "Panjshir")]

    assert lost[:, kept].mean() < 0.2 < 0.9 < np.delete(lost, kept, axis=1).mean()


def test_every_lever_of_everything_may_do_nothing():
    scenario = sim.load_scenario("everything")
    for transition, hazard in scenario.levers.items():
        for term in hazard.terms:
            for name, prior in term.values.items():
                low, high = prior.quantile(np.array([0.05, 0.95]))
                if name == "baseline":  # fewer than one recapture in half a year among 34
                    assert low * 180 * 34 < 1
                elif name == "reserves":  # more than are ever contested
                    assert high > 34
                elif prior.free:
                    assert low < 0.0 < high, f"{transition}.{name}"


def test_a_script_runs_by_itself_and_tells_the_record_as_it_is():
    path = ROOT / "scenarios" / "as_it_happened.py"
    done = subprocess.run([sys.executable, path], capture_output=True, text=True, check=True, cwd=ROOT)

    assert done.stdout.startswith("As it happened: ")
    assert "The record is replayed, once, to 180 days: what came true has probability 1." in done.stdout


@pytest.mark.skipif(not NIGHTLY, reason="calibrates siege and a model like it, some minutes: at night")
def test_the_figures_in_the_docs_are_what_their_command_prints():
    text = (ROOT / "docs" / "scenarios.md").read_text(encoding="utf-8")
    code, told = (text.split(f"```{kind}\n")[1].split("```")[0] for kind in ("python", "text"))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)

    assert [] == differences(told, done.stdout)


def test_the_docs_tell_of_every_script_and_of_what_it_rests_on():
    text = (ROOT / "docs" / "scenarios.md").read_text(encoding="utf-8")

    for name in NAMES:
        (row,) = [line for line in text.splitlines() if line.startswith(f"| `{name}` |")]
        assert f"**`{name}`**" in text and f"\n  {name} " in text
        for fact in re.findall(r"\bF\d+\b", row):
            assert fact in sim.load_scenario(name).facts
