"""Scenarios by name or from a file: the ones that come along, scripts, and TOML files read strictly."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

import sim
from sim.scenario import Scenario

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
    import pickle

    path = script(
        tmp_path,
        "def rest(env, world):\n    yield env.timeout(1.0)\n\nSCENARIO = Scenario('a', 'A', processes=(rest,))",
    )
    scenario = sim.load_scenario(path)

    assert isinstance(scenario, Scenario)
    assert scenario == pickle.loads(pickle.dumps(scenario))
