"""Scenarios by name or from a file: the ones that come along, scripts, and TOML files read strictly."""

from __future__ import annotations

import pickle
import re
import sys
import tomllib
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from any_scenario import scenarios
from conftest import nightly
from hypothesis import HealthCheck, given, settings

import sim
from sim.hazards import Baseline, Calendar, Custom, CutOff, Frailty, Hazard, Momentum, PullBack
from sim.priors import HalfNormal, LogNormal
from sim.scenario import Memory, Scenario

ROOT = Path(__file__).parent.parent
HEAD = "from sim.scenario import Scenario\n"


def script(folder: Path, text: str, name: str = "own.py") -> Path:
    path = folder / name
    path.write_text(HEAD + text, encoding="utf-8")
    return path


# ------------------------------------------------------------------------------------------------ those that come along


def test_every_scenario_that_comes_along_is_known_by_the_name_of_its_script():
    names = sim.scenario_names()

    assert "thirty_days" in names
    assert "hindcast" not in names  # a script, but no scenario
    for name, title in names.items():
        assert (name, title) == (sim.load_scenario(name).name, sim.load_scenario(name).title)


def test_a_scenario_is_the_same_by_name_by_path_and_as_it_is():
    by_name = sim.load_scenario("thirty_days")

    assert by_name == sim.load_scenario(ROOT / "scenarios" / "thirty_days.py") == sim.load_scenario(by_name)
    assert by_name.digest == sim.load_scenario(str(ROOT / "scenarios" / "thirty_days.py")).digest
    assert by_name is sim.load_scenario("thirty_days")


def test_an_unknown_name_is_refused_with_the_nearest_one():
    told = (
        "load_scenario: 'thirty_dais' is no scenario that comes along, nor a path to a .toml or .py file; "
        "did you mean 'thirty_days'?"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(told)}$"):
        sim.load_scenario("thirty_dais")
    with pytest.raises(TypeError, match=r"^load_scenario: must be a name or a path, but was 3$"):
        sim.load_scenario(3)  # type: ignore[arg-type]


def test_a_file_that_is_not_there_is_refused_with_the_nearest_one(tmp_path):
    script(tmp_path, "SCENARIO = Scenario('a', 'A')")
    told = f"load_scenario: no file {str(tmp_path / 'onw.py')!r}; did you mean 'own.py'?"
    with pytest.raises(FileNotFoundError, match=f"^{re.escape(told)}$"):
        sim.load_scenario(tmp_path / "onw.py")
    told = f"load_scenario: no file {str(tmp_path / 'no' / 'a.py')!r}; there is no folder {str(tmp_path / 'no')!r}"
    with pytest.raises(FileNotFoundError, match=f"^{re.escape(told)}$"):
        sim.load_scenario(tmp_path / "no" / "a.py")


def test_every_package_is_installed_and_the_scenarios_go_with_them():
    told = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
    found = {".".join(path.parent.relative_to(ROOT).parts) for path in (ROOT / "sim").rglob("__init__.py")}

    assert sorted(found | {"sim.scenarios"}) == sorted(told["packages"])
    assert "scenarios" == told["package-dir"]["sim.scenarios"]


# -------------------------------------------------------------------------------------------------------------- scripts


def test_a_script_is_run_anew_each_time_and_leaves_no_file_behind(tmp_path):
    path = script(tmp_path, "SCENARIO = Scenario('a', 'A')")
    first = sim.load_scenario(path)
    script(tmp_path, "SCENARIO = Scenario('b', 'B')")

    assert ("a", "b") == (first.name, sim.load_scenario(path).name)
    assert [path] == list(tmp_path.iterdir())


def test_a_script_may_make_its_scenario_from_one_that_comes_along(tmp_path):
    path = script(tmp_path, "import sim\nSCENARIO = sim.load_scenario('thirty_days').but('a', 'A', horizon=60.0)")

    assert sim.load_scenario("thirty_days").but("a", "A", horizon=60.0) == sim.load_scenario(path)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("X = 1", "own.py: holds no SCENARIO; write SCENARIO = Scenario(name=…, title=…)"),
        ("SCENARIO = 'thirty_days'", "own.py: SCENARIO must be a Scenario, but was 'thirty_days'"),
        ("def f():\n    return 1 / 0\nX = f()", "own.py line 3: ZeroDivisionError: division by zero"),
        ("SCENARIO = = 1", "own.py line 2: not Python: invalid syntax"),
        (
            "\nSCENARIO = Scenario('a', 'A', families=('seige',))",
            "own.py line 3: scenario a: no family 'seige'; did you mean 'siege'?",
        ),
        (
            "SCENARIO = Scenario('a', 'A')\nraise SystemExit(0)",
            "own.py line 3: ends the program when read; put that line below: if __name__ == '__main__':",
        ),
        (
            "import sim\nSCENARIO = sim.load_scenario(__file__)",
            "own.py line 3: own.py: is made from itself: own.py -> own.py; name another base",
        ),
    ],
)
def test_a_script_that_fails_is_told_of_with_its_line(tmp_path, text, told):
    path = script(tmp_path, text)
    with pytest.raises((ValueError, TypeError), match=f"^{re.escape(told)}$"):
        sim.load_scenario(path)


def test_a_scenario_of_a_script_can_be_pickled(tmp_path):
    path = script(
        tmp_path,
        "def rest(env, world):\n    yield env.timeout(1.0)\n\nSCENARIO = Scenario('a', 'A', processes=(rest,))",
    )
    scenario = sim.load_scenario(path)

    assert isinstance(scenario, Scenario)
    assert scenario == pickle.loads(pickle.dumps(scenario))


def test_a_script_is_compiled_as_python_would_without_the_packages_own_future(tmp_path):
    text = "def f(x: int): ...\nSCENARIO = Scenario('a', f.__annotations__['x'].__name__)"

    assert "int" == sim.load_scenario(script(tmp_path, text)).title  # not the text "int", which has no __name__


def test_a_script_may_import_what_stands_beside_it_and_the_path_is_left_as_it_was(tmp_path):
    before = list(sys.path)
    found = []
    for name in ("one", "two"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "a_helper_beside.py").write_text(f"TITLE = {name!r}\n", encoding="utf-8")
        found.append(script(folder, "from a_helper_beside import TITLE\nSCENARIO = Scenario('a', TITLE)"))
    outer = script(
        tmp_path / "one",
        f"import a_helper_beside as mine\nimport sim\nother = sim.load_scenario({str(found[1])!r})\n"
        "SCENARIO = Scenario('a', f'{mine.TITLE} {other.title}')",
        "outer.py",
    )

    assert ["one", "two", "one"] == [sim.load_scenario(found[k]).title for k in (0, 1, 0)]
    assert "one two" == sim.load_scenario(outer).title
    (tmp_path / "one" / "a_helper_beside.py").write_text("TITLE = 'changed'\n", encoding="utf-8")
    assert "changed" == sim.load_scenario(found[0]).title
    failing = script(tmp_path / "one", "1 / 0", "failing.py")
    with pytest.raises(ValueError, match=r"^failing\.py line 2: ZeroDivisionError"):
        sim.load_scenario(failing)
    assert before == sys.path


def test_scripts_of_one_stem_do_not_displace_each_other(tmp_path):
    text = "def rest(env, world):\n    yield env.timeout(1.0)\n\nSCENARIO = Scenario('a', 'A', processes=(rest,))"
    loaded = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        loaded.append(sim.load_scenario(script(tmp_path / name, text)))

    assert loaded == [pickle.loads(pickle.dumps(scenario)) for scenario in loaded]
    first, second = (scenario.processes[0].__module__ for scenario in loaded)
    assert first != second
    assert re.fullmatch(r"_scenario_own_[0-9a-f]{8}", first)


# ----------------------------------------------------------------------------------------------------------------- TOML


AIR = """\
name = "air"
title = "Air power ends"
base = "thirty_days"
seen_from = 2021-08-11
horizon = 90
families = ["constant", "cut"]

[facts]
F14 = "the withdrawal ends on 31 August"

[[levers.seizure]]
term = "Calendar"
start = 2021-09-01
effect = { prior = "HalfNormal", scale = 0.7 }
label = "air"

[[models.cut.seizure]]
term = "Baseline"
rate = { prior = "LogNormal", median = 0.0167, sigma = 1.0 }

[[models.cut.seizure]]
term = "PullBack"
keep = ["Kabul"]
after = 14
hold = -1
abandon = 0.5
"""


def air() -> Scenario:
    return sim.load_scenario("thirty_days").but(
        "air", "Air power ends", seen_from="2021-08-11", horizon=90.0, families=("constant", "cut"),
        facts={"F14": "the withdrawal ends on 31 August"},
        levers={"seizure": Calendar(date(2021, 9, 1), None, HalfNormal(0.7), label="air")},
        models={
            "cut": {"seizure": Baseline(LogNormal(0.0167, 1.0)) * PullBack(("Kabul",), 14, hold=-1.0, abandon=0.5)}
        },
    )  # fmt: skip


def saved(scenario: Scenario, folder: Path) -> Path:
    path = folder / "saved.toml"
    scenario.save(path)
    return path


def test_a_file_says_what_a_script_says(tmp_path):
    (tmp_path / "air.toml").write_text(AIR, encoding="utf-8")
    loaded = sim.load_scenario(tmp_path / "air.toml")

    assert air() == loaded
    assert air().digest == loaded.digest
    assert "thirty_days" == loaded.base


def test_a_saved_file_reads_as_one_would_write_it(tmp_path):
    given = replace(
        air(), facts={"F14": "it ends"}, readings=(), source="", beside=(), arguments={"seizure.calendar.air": "argued"}
    )

    assert (
        saved(given, tmp_path).read_text(encoding="utf-8")
        == """\
name = "air"
title = "Air power ends"
based_on = "thirty_days"
theatre = "afghanistan_2021"
borders = "agreed"
seen_from = "2021-08-11"
families = ["constant", "cut"]
follows = "models"
pressure_within = [3.0, 7.0, 14.0, 30.0]
control_within = [60.0, 90.0, 120.0]
horizon = 90.0

[[models.cut.seizure]]
term = "Baseline"
rate = { prior = "LogNormal", median = 0.0167, sigma = 1.0 }

[[models.cut.seizure]]
term = "PullBack"
keep = ["Kabul"]
after = 14
hold = -1.0
abandon = 0.5

[[levers.seizure]]
term = "Calendar"
start = 2021-09-01
effect = { prior = "HalfNormal", scale = 0.7 }
label = "air"

[facts]
F14 = "it ends"

[arguments]
"seizure.calendar.air" = "argued"
"""
    )


def test_a_base_is_a_file_beside_or_a_script_and_is_changed_as_but_changes(tmp_path):
    inner = tmp_path / "inner"
    inner.mkdir()
    saved(air(), inner)
    script(inner, "import sim\nSCENARIO = sim.load_scenario(__file__.replace('own.py', 'saved.toml'))")
    told = 'name = "b"\ntitle = "B"\nbase = "inner/own.py"\n[[levers.seizure]]\nterm = "Frailty"\nsd = 1\n'
    (tmp_path / "b.toml").write_text(told, encoding="utf-8")

    assert air().but("b", "B", levers={"seizure": Frailty(1.0)}) == sim.load_scenario(tmp_path / "b.toml")


@settings(max_examples=nightly(2000, 150), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(scenario=scenarios())
def test_any_scenario_without_functions_comes_back_from_its_file(scenario, tmp_path_factory):
    path = saved(scenario, tmp_path_factory.getbasetemp())
    loaded = sim.load_scenario(path)

    assert scenario == loaded
    assert scenario.digest == loaded.digest
    assert [*scenario.levers] == [*loaded.levers]  # their order is that of parameters, and settles ties
    for name, hazards in scenario.models.items():
        assert [*hazards] == [*loaded.models[name]]
    assert [*scenario.facts] == [*loaded.facts]
    text = path.read_bytes()
    loaded.save(path)
    assert text == path.read_bytes()


def test_the_answers_of_a_file_are_those_of_the_script(tmp_path):
    asked = sim.load_scenario("thirty_days").but(
        "constant", "Constant", families=("constant",), horizon=30, pressure_within=(3,), control_within=(7.0,),
        levers={"seizure": Calendar("2021-08-20", None, HalfNormal(0.7))},
    )  # fmt: skip
    memory: Memory = {}
    ours, theirs = (
        each.run(seed=7, replications=200, memory=memory) for each in (asked, sim.load_scenario(saved(asked, tmp_path)))
    )

    assert asked.digest == theirs.scenario.digest
    assert ours.digest == theirs.digest


def test_equal_scenarios_have_equal_digests_however_they_were_written():
    one = Scenario("a", "A", horizon=60, pressure_within=(3.0, 7), levers={"fall": Hazard((Momentum(1, window=7),))})
    other = Scenario("a", "A", horizon=60.0, pressure_within=(3, 7.0), levers={"fall": Momentum(1.0, window=7.0)})

    assert one == other
    assert one.digest == other.digest


def surge(time: float, control: object, province: str) -> float:
    return 1.0


class Own(Frailty):
    pass


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        (
            {"levers": {"fall": Custom(surge)}},
            "scenario a: a Custom term holds a function, which no TOML file holds; make the scenario in a .py script, "
            "as SCENARIO = Scenario(…)",
        ),
        (
            {"processes": (surge,)},
            "scenario a: processes are functions, which no TOML file holds; keep them in a .py script",
        ),
        ({"levers": {"fall": Own(1.0)}}, "scenario a: no table tells Own(sd=Fixed(value=1.0)); known: Baseline, "),
        (
            {"levers": {"fall": CutOff(1.0, without=(3,))}},  # type: ignore[arg-type]
            "scenario a: levers.fall[0].without[0]: must be a text, but was 3; put it in quotes",
        ),
    ],
)
def test_what_no_file_holds_is_not_saved(tmp_path, changed, told):
    path = saved(Scenario("a", "A"), tmp_path)
    before = path.read_bytes()
    with pytest.raises(TypeError, match=f"^{re.escape(told)}"):
        Scenario("b", "B").but("a", "A", **changed).save(path)

    assert before == path.read_bytes()
    assert [path] == list(tmp_path.iterdir())


def test_a_scenario_is_saved_under_a_name_that_can_be_loaded(tmp_path):
    told = "scenario a: save writes TOML, but was given 'air.json'; let the name end in .toml"
    with pytest.raises(ValueError, match=f"^{re.escape(told)}$"):
        Scenario("a", "A").save("air.json")
    told = f"scenario a: there is no folder {str(tmp_path / 'no')!r} to save into; make it first"
    with pytest.raises(FileNotFoundError, match=f"^{re.escape(told)}$"):
        Scenario("a", "A").save(tmp_path / "no" / "air.toml")


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"source": 3}, "scenario a: source must be a text, but was 3"),
        ({"facts": {"F12": 3}}, "scenario a: facts of F12 must be a text, but was 3"),
        ({"seen_from": "12 August"}, "scenario a: seen_from: must be a date such as '2021-08-12', but was '12 August'"),
        (
            {"models": {"cut": {}}},
            "scenario a: model cut has no transition; name one of seizure, assault, fall, relief, recapture",
        ),
        (
            {"levers": {"fall": Hazard(())}},
            "scenario a: levers: fall must be a term or a product of terms, but was Hazard(terms=())",
        ),
    ],
)
def test_a_scenario_that_no_file_could_hold_is_refused_when_made(changed, told):
    with pytest.raises((ValueError, TypeError), match=f"^{re.escape(told)}$"):
        Scenario("a", "A", **changed)


def test_the_file_that_readme_shows_can_be_loaded(tmp_path):
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"^```toml\n(.*?)^```", readme, re.MULTILINE | re.DOTALL)
    (tmp_path / "air.toml").write_text(shown, encoding="utf-8")
    levers = {"fall": Calendar(date(2021, 9, 1), None, HalfNormal(0.7))}

    made = sim.load_scenario("thirty_days").but("air", "Air power ends on 31 August", levers=levers)
    assert made == sim.load_scenario(tmp_path / "air.toml")


def test_a_saving_that_fails_leaves_the_file_that_was_there(tmp_path, monkeypatch):
    path = saved(Scenario("a", "A"), tmp_path)
    before = path.read_bytes()

    def full(*names: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(OSError, match="no space left"):
        Scenario("b", "B").save(path)

    assert before == path.read_bytes()
    assert [path] == list(tmp_path.iterdir())
