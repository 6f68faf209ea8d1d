"""The command `sweepcast` does what scripts and calls do, says what was wrong in one line, and starts fast."""

from __future__ import annotations

import io
import json
import os
import re
import shlex
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest
import typer

import sim
from sim import cli, terminal
from sim.naming import outcome_named
from sim.outcomes import PRESSURES, Captured, ControlOf, FullControl, PeopleUnderControl, Pressure, Territory
from sim.report import json_text
from sim.scenario import Scenario
from sim.workers import cores, employing

ROOT = Path(__file__).parent.parent
COMMANDS = ("list", "run", "compare", "breakeven", "sensitivity", "replay", "hindcast", "schema")
SMALL = ("--families", "constant", "--replications", "200", "--seed", "3")
BRIEF = ("run", "thirty_days", *SMALL, "--no-breakevens")


@pytest.fixture
def shell(capsys):
    """What the command answers: its exit code, standard output, standard error."""

    def ask(*arguments):
        code = cli.sweepcast([str(each) for each in arguments])
        return (code, *capsys.readouterr())

    return ask


@pytest.fixture(scope="module")
def constant() -> Scenario:
    return sim.load_scenario("thirty_days").but("small", "a small one", families=("constant",))


def process(*arguments, **options):
    code = "import sys; from sim.cli import sweepcast; sys.exit(sweepcast())"
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)], text=True, encoding="utf-8", stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, env=os.environ | {"PYTHONPATH": str(ROOT)} | options,
    )  # fmt: skip


def strict(text):
    return json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))


# -- help and start --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["run"], ["nonsense"]], ids=" ".join)
def test_help_and_usage_load_nothing_heavy(arguments):
    code = (
        f"import sys; from sim.cli import sweepcast; code = sweepcast({arguments!r})\n"
        "print(' '.join(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)

    loaded = {name.split(".")[0] for name in done.stderr.split()}
    heavy = {"numpy", "numba", "scipy", "matplotlib", "rich", "simpy", "xarray", "emcee"}
    assert set() == loaded & heavy
    mine = {name for name in done.stderr.split() if name.startswith("sim.")}
    assert {"sim.cli", "sim.commands", "sim.options", "sim.terminal"} == mine


def test_help_names_every_command_and_each_has_help_of_its_own(shell):
    code, out, err = shell("--help")

    assert (0, "") == (code, err)
    assert list(COMMANDS) == re.findall(r"^  (\w+) {2,}[A-Z]", out.split("Commands:")[1], re.MULTILINE)
    assert "..." not in out.split("Commands:")[1]  # nothing is cut short
    assert shell() == (0, out, "")
    for command in COMMANDS:
        code, told, _ = shell(command, "--help")
        assert 0 == code and f"Usage: sweepcast {command}" in told and "--json" in told


@pytest.mark.parametrize("command", ["run", "compare", "breakeven", "sensitivity", "hindcast"])
def test_commands_that_simulate_have_the_common_options(shell, command):
    told = shell(command, "--help")[1]

    for option in ("--seed", "--workers", "--out", "--json", "--plots"):
        assert f"  {option} " in told, option


def test_help_of_outcomes_names_every_definition_of_pressure(shell):
    told = " ".join(shell("sensitivity", "--help")[1].split())

    assert ", ".join(PRESSURES) in told


def test_the_version_is_told(shell):
    assert (0, f"sweepcast {sim.__version__}\n", "") == shell("--version")


def test_a_shell_is_told_how_a_line_might_go_on(monkeypatch, capsys):
    for name, value in {
        "_SWEEPCAST_COMPLETE": "complete_bash",
        "COMP_WORDS": "sweepcast re",
        "COMP_CWORD": "1",
    }.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as end:
        cli.sweepcast([])

    assert 0 == end.value.code and "replay" == capsys.readouterr().out.strip()


def test_readme_shows_commands_that_exist_with_options_that_exist():
    group = typer.main.get_command(cli.app)
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    fences = "".join(re.findall(r"^```console\n(.*?)^```", readme, re.MULTILINE | re.DOTALL))
    lines = [shlex.split(line) for line in fences.splitlines() if line.startswith("sweepcast ")]

    assert set(COMMANDS) - {"schema"} <= {line[1] for line in lines}
    for _, command, *rest in lines:
        group.commands[command].make_context(command, rest)


# -- bad input, failure, stopping ------------------------------------------------------------------------------------


BAD = [
    (["rnu"], "sweepcast: No such command 'rnu'. Did you mean 'run'?"),
    (["run"], "sweepcast run: Missing argument 'SCENARIO'"),
    (["run", "thirty_days", "--familes", "siege"],
     "sweepcast run: no option --familes; did you mean --families?"),
    (["list", "--seed", "1"], "sweepcast list: no option --seed; --help tells those there are"),
    (["run", "thirty_days", "--families", "constant", "siege"],
     "sweepcast run: Got unexpected extra argument(s) (siege); several values of one option are joined by commas"),
    (["run", "thirty_days", "--families", "constant,sige"],
     "sweepcast run: scenario thirty_days: no family 'sige'; did you mean 'siege'?"),
    (["run", "thirty_days", "--seed", "-1"],
     "sweepcast run: Invalid value for '--seed': must not be negative, but was -1"),
    (["run", "thirty_days", "--replications", "0"],
     "sweepcast run: Invalid value for '--replications': must be at least 1, but was 0"),
    (["run", "thirty_days", "--workers", "two"],
     "sweepcast run: Invalid value for '--workers': must be a whole number, but was 'two'"),
    (["run", "thirty_days", "--horizon", "-3"],
     "sweepcast run: Invalid value for '--horizon': must be a positive finite number of days, but was -3.0"),
    (["run", "thirty_days", "--horizon", "soon"],
     "sweepcast run: Invalid value for '--horizon': must be a number of days, but was 'soon'"),
    (["run", "thirty_days", "--horizon", "20", "--breakevens"],
     "sweepcast run: break-evens need models, and a horizon of 30 days; use --no-breakevens"),
    (["run", "thirty_days", "--json", str(ROOT / "docs")],
     f"sweepcast run: json: {ROOT / 'docs'} must be a file, but is a folder; name a file in it"),
    (["compare", "thirty_days"], "sweepcast compare: Missing argument 'OTHER…'"),
    (["compare", "thirty_days", "thirty_days", "--outcome", "half_rng"],
     "sweepcast compare: outcome: no outcome 'half_rng'; did you mean 'half_ring'?"),
    (["breakeven", "thirty_days", "--vary", "seizure.baseline"],
     "sweepcast breakeven: scenario thirty_days has the families constant, contagion, momentum, siege; "
     "name one with --family"),
    (["breakeven", "thirty_days", "--family", "constant", "--vary", "seizure.base"],
     "sweepcast breakeven: no parameter 'seizure.base' in constant; did you mean 'seizure.baseline'?"),
    (["breakeven", "thirty_days", "--probability", "1"],
     "sweepcast breakeven: Invalid value for '--probability': must be between 0 and 1, but was 1.0"),
    (["sensitivity", "thirty_days", "--budget", "--regions"],
     "sweepcast sensitivity: --budget and --regions are two questions; ask one at a time"),
    (["sensitivity", "trend_holds", "--within", "14,30"],
     "sweepcast sensitivity: several outcomes, or days, are taken with --budget only; ask one at a time"),
    (["replay", "run.nc", "--family", "siege"],
     "sweepcast replay: a saved run is what it is; leave --family, --horizon, --prefer and --borders out"),
    (["replay", "thirty_days", "--family", "constant", "--replication", "200", "--replications", "200"],
     "sweepcast replay: replication must be from 0 to 199, the last of the run, but was 200"),
    (["hindcast", "--bases", "prss"], "sweepcast hindcast: bases must be of press, best_date; did you mean 'press'?"),
    (["hindcast", "--horizons", "1,x"],
     "sweepcast hindcast: Invalid value for '--horizons': must be a whole number, but was 'x'"),
    (["hindcast", "--families", "sige"], "sweepcast hindcast: no family 'sige'; did you mean 'siege'?"),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "message"), BAD, ids=lambda given: str(given)[-40:])
def test_bad_input_is_one_line_and_code_2_before_any_work(shell, monkeypatch, arguments, message):
    monkeypatch.setattr("sim.projecting.calibrate", lambda *a, **k: pytest.fail("worked"))

    assert (2, "", message + "\n") == shell(*arguments)


def test_a_scenario_that_is_nowhere_is_code_2_with_what_there_is(shell):
    for named in ("thirty_day", "nowhere.toml", "nowhere.py"):
        code, out, err = shell("run", named)

        assert (2, "", 1) == (code, out, err.count("\n")) and named in err
    assert "did you mean 'thirty_days'?" in shell("run", "thirty_day")[2]


FAILING = """
from sim.scenario import Scenario

def breaks(world):
    yield world.env.timeout(1)
    raise ArithmeticError("no more fuel")

SCENARIO = Scenario("failing", "A scenario whose process breaks", families=("constant",), processes=(breaks,))
"""


def test_a_run_that_fails_is_code_1_and_says_why(shell, tmp_path):
    (tmp_path / "failing.py").write_text(FAILING)
    code, out, err = shell("run", tmp_path / "failing.py", "--replications", "3", "--workers", "1", "--no-breakevens")

    assert (1, "") == (code, out)
    assert err.startswith("sweepcast run: simulate: every replication failed") and "no more fuel" in err


@pytest.mark.parametrize(
    ("raised", "code", "said"),
    [
        (KeyboardInterrupt(), 130, "sweepcast run: stopped\n"),
        (OSError("disk on fire"), 2, "sweepcast run: disk on fire\n"),
    ],
)  # fmt: skip
def test_ctrl_c_is_code_130_and_a_place_that_fails_code_2(shell, monkeypatch, raised, code, said):
    def stop(*_, **__):
        raise raised

    monkeypatch.setattr("sim.scenario.Scenario.run", stop)

    assert (code, "", said) == shell(*BRIEF)


def test_a_bug_shows_its_traceback_and_is_not_taken_for_bad_input(monkeypatch):
    """A TypeError that no raise statement of ours made is no message to a user."""
    monkeypatch.setattr("sim.scenario.Scenario.run", lambda *_, **__: None + 1)

    with pytest.raises(TypeError, match="unsupported operand"):
        cli.sweepcast(BRIEF)


def test_an_answer_that_cannot_be_written_is_code_1(shell, monkeypatch, tmp_path):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("sim.report.write_whole", full)
    code, out, err = shell("list", "--json", tmp_path / "x.json")

    assert 1 == code
    assert out.startswith("air_power_ends")  # what was found is not lost
    assert "sweepcast list: the answer above could not be written: [Errno 28] No space left on device\n" == err


def test_a_reader_that_goes_away_is_quiet():
    with process("list") as going:
        going.stdout.close()
        said = going.stderr.read()

    assert (141, "") == (going.returncode, said)


# -- one code, one answer --------------------------------------------------------------------------------------------


def test_a_script_a_name_and_a_file_print_the_same_bytes(shell, capsys, tmp_path):
    scenario = sim.load_scenario("thirty_days")
    code, out, err = shell(*BRIEF)
    assert (0, "") == (code, err)
    assert 0 == cli.main(scenario, BRIEF[2:])

    assert out == capsys.readouterr().out
    assert out == shell("run", ROOT / "scenarios" / "thirty_days.py", *BRIEF[2:])[1]
    scenario.save(tmp_path / "copy.toml")
    assert out == shell("run", tmp_path / "copy.toml", *BRIEF[2:])[1]


def test_the_same_hash_comes_out_of_a_file_the_command_and_python(shell, constant, tmp_path):
    constant.save(tmp_path / "small.toml")
    expected = constant.run(seed=3, replications=200).digest

    assert expected == sim.load_scenario(tmp_path / "small.toml").run(seed=3, replications=200).digest
    out = shell("run", tmp_path / "small.toml", *SMALL, "--no-breakevens")[1]
    assert f"\ndigest {expected}\n" == out[out.rindex("\ndigest") :]
    assert expected == strict(shell("run", "thirty_days", *SMALL, "--json", "-", "--no-breakevens")[1])["run"]["digest"]


@pytest.mark.parametrize("workers", [1, 3])
def test_bits_do_not_depend_on_workers(shell, workers):
    assert shell(*BRIEF)[1] == shell(*BRIEF, "--workers", workers)[1]


def test_so_many_workers_are_employed_and_no_more(monkeypatch):
    usual = cores()
    with employing(5):
        assert 5 == cores()
        with employing(None):
            assert usual == cores()
    assert usual == cores()
    with pytest.raises(ValueError, match="workers must be a whole number from 1, but was 0"), employing(0):
        pass
    hired = []
    from sim import spreading

    threads = spreading.Threads
    monkeypatch.setattr(spreading, "Threads", lambda count, *rest: hired.append(count) or threads(count, *rest))
    assert 0 == cli.sweepcast([*BRIEF, "--workers", "3", "--json", os.devnull])
    assert [3] == hired


def test_out_has_the_tables_and_json_has_all(shell, tmp_path):
    code, out, err = shell("run", "thirty_days", *SMALL, "--out", tmp_path / "new", "--json", "-")
    whole = strict(out)

    assert 0 == code and {"projections", "run", "breakevens"} == set(whole)
    names = ["projections.csv", "run.json", "breakevens.csv"]
    assert [f"wrote {tmp_path / 'new' / name}" for name in names] == err.splitlines()
    assert whole["run"] == strict((tmp_path / "new" / "run.json").read_text(encoding="utf-8"))


def test_breakevens_are_told_unless_the_horizon_is_too_short_or_they_are_not_wanted(shell):
    known = {"projections", "run"}

    assert known == set(strict(shell("run", "thirty_days", *SMALL, "--horizon", "20", "--json", "-")[1]))
    assert known == set(strict(shell(*BRIEF, "--json", "-")[1]))


def test_a_scenario_that_stands_beside_another_is_told_with_it(shell, constant, tmp_path):
    constant.but("other", "The one beside").save(tmp_path / "other.toml")
    constant.but("mine", "With another beside it", beside=(str(tmp_path / "other.toml"),)).save(tmp_path / "mine.toml")
    asked = ("run", tmp_path / "mine.toml", "--replications", "200", "--seed", "3")
    code, out, _ = shell(*asked, "--out", tmp_path / "out")

    assert 0 == code and "Beside other scenarios, from the same seed\n  scenario" in out
    rows = (tmp_path / "out" / "beside.csv").read_text(encoding="utf-8").splitlines()
    assert {"other"} == {row.split(",")[0] for row in rows[1:]}
    whole = strict(shell(*asked, "--json", "-")[1])
    assert ["other"] == list(whole["beside"])
    assert whole["run"]["digest"] == whole["beside"]["other"]["run"]["digest"]  # the same but in name


# -- the other commands ----------------------------------------------------------------------------------------------


def test_list_tells_every_built_in_scenario_with_its_facts(shell):
    code, out, err = shell("list")
    told = strict(shell("list", "--json", "-")[1])

    assert (0, "") == (code, err)
    assert list(sim.scenario_names()) == [each["name"] for each in told]
    (thirty,) = [each for each in told if each["name"] == "thirty_days"]
    assert "Kabul could come under insurgent pressure within 30" in thirty["facts"]["F9"]
    assert all(text in out for each in told for text in (each["name"], each["title"], *each["facts"].values()))


def test_schema_is_that_of_scenario_files(shell):
    assert (0, json_text(sim.scenario_schema()), "") == shell("schema")


def test_replay_tells_the_replication_that_the_run_has(shell, constant):
    run = constant.run(seed=3, replications=200)
    expected = run.ensembles["constant"].replay(replication=41)
    asked = ("replay", "thirty_days", "--family", "constant", "--replication", "41", *SMALL[2:])

    assert (0, f"{expected}\n", "") == shell(*asked)
    told = strict(shell(*asked, "--json", "-")[1])
    assert [event.province for event in expected.events] == [event["province"] for event in told["events"]]
    assert (3, 41, "constant") == tuple(told[name] for name in ("seed", "replication", "family"))
    assert 11 == list(told["control_at_start"].values()).count("INSURGENT")


def test_replay_tells_a_replication_of_a_saved_run(shell, constant, tmp_path):
    (case,) = constant.cases(seed=3, draws=5).values()
    run = case.simulate(seed=3, replications=5, progress=False)
    run.save(tmp_path / "run.nc")

    assert (0, f"{run.replay(replication=2)}\n", "") == shell("replay", tmp_path / "run.nc", "--replication", "2")
    assert (2, "", "sweepcast replay: replication must be from 0 to 4, but was 7\n") == shell(
        "replay", tmp_path / "run.nc", "--replication", "7"
    )
    watched = case.simulate(seed=3, replications=5, progress=False, record="outcomes", outcomes=[FullControl()])
    watched.save(tmp_path / "watched.nc")
    code, out, err = shell("replay", tmp_path / "watched.nc")
    assert (2, "") == (code, out)
    assert err.endswith("watched.nc: keeps what outcomes need and no events, so there is nothing to tell\n")


def test_compare_says_what_the_call_says(shell):
    one = replace(sim.load_scenario("thirty_days"), families=("constant",))
    expected = sim.compare(one, one, outcome=[Pressure("half_ring")], within=[30.0], seed=3, replications=200)
    asked = ("compare", "thirty_days", "thirty_days", *SMALL, "--outcome", "half_ring", "--within", "30")

    assert (0, expected.summary().rstrip("\n") + "\n", "") == shell(*asked)
    assert json_text(expected.plain()) == shell(*asked, "--json", "-")[1]


def test_breakeven_says_what_the_call_says(shell, constant):
    expected = sim.breakeven(constant, Pressure("isolated"), 14, 0.4, seed=3)
    code, out, err = shell(
        "breakeven", "thirty_days", "--family", "constant", "--vary", "seizure.baseline", "--outcome", "isolated",
        "--within", "14", "--probability", "0.4", "--seed", "3", "--json", "-",
    )  # fmt: skip

    assert (0, "") == (code, err)
    (row,) = strict(out)["breakevens"]
    assert (expected.factor, "isolated", 14.0, 0.4) == tuple(
        row[name] for name in ("factor", "outcome", "within", "probability")
    )


def test_breakeven_without_a_parameter_gives_a_row_for_each(shell):
    code, out, _ = shell(
        "breakeven", "thirty_days", "--family", "constant", "--json", "-", "--outcome", "half_ring,isolated"
    )

    assert 0 == code
    assert {"half_ring", "isolated"} == {row["outcome"] for row in strict(out)["breakevens"]}


def test_sensitivity_asks_what_the_calls_ask(shell):
    one = sim.load_scenario("trend_holds")
    asked = ("sensitivity", "trend_holds", "--seed", "3")

    expected = sim.explore.sensitivity(one, Pressure("isolated"), 14.0, seed=3)
    assert (0, f"{expected.summary()}\n", "") == shell(*asked, "--outcome", "isolated", "--within", "14")
    budget = sim.explore.budget(one, [7.0, 14.0], definitions=["half_ring", "isolated"], seed=3)
    told = shell(*asked, "--budget", "--outcome", "half_ring,isolated", "--within", "7,14", "--json", "-")
    assert (0, json_text(budget.plain()), "") == told
    regions = sim.explore.discover(one, Pressure("half_ring"), 30.0, seed=3)
    assert (0, json_text(regions.plain()), "") == shell(*asked, "--regions", "--json", "-")


def test_hindcast_prints_what_its_script_prints(shell, capsys):
    asked = ("--families", "constant", "--origins", "2021-08-12", "--horizons", "3", "--bases", "press", "--seed", "3")
    code, out, err = shell("hindcast", *asked)

    assert (0, "") == (code, err)
    assert out.startswith("The hindcast:") and "Dates by press" in out and "Dates by best_date" not in out
    assert 0 == cli.alone("hindcast", "hindcast.py", asked) and out == capsys.readouterr().out


# -- pictures ------------------------------------------------------------------------------------------------------


PICTURED = [
    (("compare", "trend_holds", "thirty_days", *SMALL, "--outcome", "half_ring"),
     ["thirty_days_less_trend_holds_half_ring"]),
    (("breakeven", "trend_holds", "--vary", "seizure.baseline"), ["breakevens_half_ring"]),
    (("sensitivity", "trend_holds"), ["sensitivity"]),
    (("hindcast", "--families", "constant", "--origins", "2021-08-12", "--horizons", "3"),
     ["capitals_crps", "provinces_brier", "half_ring_crps", "isolated_crps", "control_of_kabul_crps",
      "full_control_crps"]),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "names"), PICTURED, ids=lambda given: str(given[0]))
def test_pictures_go_with_the_tables_as_png_and_svg(shell, tmp_path, arguments, names):
    code, _, err = shell(*arguments, "--plots", "--out", tmp_path)

    assert 0 == code, err
    assert {f"{name}.{kind}" for name in names for kind in ("png", "svg")} == {
        path.name for path in tmp_path.iterdir() if path.suffix in (".png", ".svg")
    }
    assert all(f"wrote {path}" in err for path in tmp_path.iterdir())


def test_pictures_of_a_run_go_into_pictures_unless_a_folder_is_named(shell, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, _, err = shell(*BRIEF, "--plots")

    assert 0 == code, err
    made = {path.name for path in (tmp_path / "pictures").iterdir()}
    assert {"survival.png", "survival.svg", "definitions.png", "capitals_by_day.png"} <= made


def test_what_has_no_pictures_is_refused():
    from sim.plots.gallery import draw

    with pytest.raises(TypeError, match="draw: there are no pictures of 'Kabul'"):
        draw("Kabul", ".")


# -- what is typed, and what is shown --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("two_roads", Pressure("two_roads")), ("full_control", FullControl()), ("full_control_but_3", FullControl(3)),
        ("captured_20", Captured(20)), ("control_of:Kabul", ControlOf("Kabul")), ("territory:0.5", Territory(0.5)),
        ("people:0.25", PeopleUnderControl(0.25)), (" control_of:sar-e pol", ControlOf("Sar-e Pol")),
    ],
)  # fmt: skip
def test_an_outcome_is_found_by_what_is_typed_and_by_its_name_in_tables(afghan, text, expected):
    assert expected == outcome_named(text, afghan)
    assert expected == outcome_named(expected.name, afghan)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("half-rng", "outcome: no outcome 'half-rng'; did you mean 'half_ring'?"),
        ("captured", "outcome: no outcome 'captured'; did you mean 'captured_N'?"),
        ("captured_many", "outcome: 'captured_many' must be captured_N with a whole number, but had 'many'"),
        ("captured_35", "Captured: at_least must not exceed the 34 provinces, but was 35"),
        ("territory:2", "Territory: share must be in (0, 1], but was 2.0"),
        ("control_of:Kabol", "outcome: no province 'Kabol' in afghanistan_2021; did you mean 'Kabul'?"),
        ("victory", "outcome: no outcome 'victory'; known: neighbour, half_ring, two_roads, isolated, encircled, "
         "assault, full_control, full_control_but_N, captured_N, control_of:PROVINCE, territory:SHARE, people:SHARE"),
    ],
)  # fmt: skip
def test_a_misspelt_outcome_is_refused_with_the_nearest_spelling(afghan, text, message):
    with pytest.raises(ValueError) as caught:
        outcome_named(text, afghan)

    assert message == str(caught.value)


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_progress_is_shown_on_a_terminal_by_no_thread_of_its_own(monkeypatch):
    """Beside another thread processes cannot be forked."""
    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setenv("TERM", "xterm")
    with terminal.progress() as tell:
        tell("calibrating siege", 0.0)
        assert 1 == sum(thread.name.startswith("Main") for thread in threading.enumerate())
        threads = threading.active_count()
    shown = sys.stderr.getvalue()

    assert "calibrating siege" in shown
    assert threads == threading.active_count()


def test_nothing_is_shown_in_a_pipe(shell):
    with terminal.progress() as tell:
        assert tell is None
