"""Examples print what is pinned beside them; the scenario script answers, writes and refuses as it says it does."""

from __future__ import annotations

import csv
import io
import json
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest
from pinned import differences

from sim import report

ROOT = Path(__file__).parent.parent
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
SCRIPT = ROOT / "scenarios" / "thirty_days.py"
COLUMNS = [
    "scenario", "family", "outcome", "within_days", "probability", "low", "high", "mc_error", "median_days",
    "censored_share", "replications", "seed",
]  # fmt: skip


def run(*arguments: str | Path, code: int = 0) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, *map(str, arguments)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        env=environment,
        check=False,
    )
    assert code == done.returncode, done.stderr
    return done


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_prints_what_is_pinned_beside_it(example):
    assert [] == differences(example.with_suffix(".out").read_text(encoding="utf-8"), run(example).stdout)


def test_the_comparison_with_what_is_pinned_can_fail():
    assert [] == differences("half_ring 0.52 (0.31)", "half_ring  0.53 (0.30)")
    assert 1 == len(differences("half_ring 0.52", "half_ring 0.62"))
    assert 1 == len(differences("half_ring 0.52", "two_roads 0.52"))
    assert 1 == len(differences("a\nb", "a"))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_is_short_and_says_what_it_covers(example):
    text = example.read_text(encoding="utf-8")

    assert len(text.splitlines()) < 80
    assert text.startswith('"""')


def test_readme_shows_the_first_example_and_what_it_prints():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    code = (ROOT / "examples" / "first_look.py").read_text(encoding="utf-8").split('"""\n\n', 1)[1]

    assert code in readme
    assert (ROOT / "examples" / "first_look.out").read_text(encoding="utf-8") in readme


def test_readme_gives_two_commands_of_one_line():
    lines = [line for line in (ROOT / "README.md").read_text().splitlines() if line.startswith("python -m pip ")]

    assert 2 == len(lines)
    assert "scenarios/thirty_days.py" in lines[0] and "pytest" in lines[1]


SMALL = ("--replications", "400", "--families", "constant,momentum", "--seed", "3", "--no-breakevens")


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    done = run(SCRIPT, *SMALL, "--out", folder, "--json", "-")
    return folder, done


def test_json_on_standard_output_is_the_table_and_the_run_and_nothing_else(small):
    whole = json.loads(small[1].stdout)

    assert {"projections", "run"} == set(whole)
    assert COLUMNS == list(whole["projections"][0])
    families = {row["family"] for row in whole["projections"]}
    assert {"constant", "momentum", "pooled"} == families
    assert 3 * (6 * 4 + 2 * 3) == len(whole["projections"])
    assert all(row["low"] <= row["probability"] <= row["high"] for row in whole["projections"])


def test_the_files_hold_the_same_table(small):
    folder, done = small
    rows = list(csv.DictReader(io.StringIO((folder / "projections.csv").read_text(encoding="utf-8"))))
    whole = json.loads(done.stdout)

    assert COLUMNS == list(rows[0])
    assert [row["probability"] for row in whole["projections"]] == [float(row["probability"]) for row in rows]
    assert whole["run"] == json.loads((folder / "run.json").read_text(encoding="utf-8"))


def test_the_run_file_says_all_it_takes_to_make_the_run_again(small):
    described = json.loads(small[1].stdout)["run"]

    assert {"scenario", "theatre", "versions", "seed", "replications", "families", "facts", "read_as"} <= set(described)
    assert {"borders": "agreed", "prefer": None}.items() <= described["scenario"].items()
    assert 3 == described["seed"] and 400 == described["replications"]
    assert all(fact["id"] and fact["source"] for fact in described["facts"])
    model = described["families"]["momentum"]["model"]
    assert {"prior": "HalfNormal", "scale": 2.0} == model["parameters"]["seizure.momentum"]
    assert "read as government-held" == model["contested capitals"]
    assert set(model["parameters"]) == set(described["families"]["momentum"]["posterior"]["parameters"])


def test_the_same_call_gives_the_same_bytes(small):
    assert small[1].stdout == run(SCRIPT, *SMALL, "--json", "-").stdout


def test_nothing_is_said_in_a_pipe_but_the_answer_and_the_files_written(small):
    folder, done = small

    assert [f"wrote {folder / name}" for name in ("projections.csv", "run.json")] == done.stderr.splitlines()


def test_the_text_answers_every_part_of_the_question():
    text = run(SCRIPT, "--replications", "400", "--families", "constant").stdout

    for part in (
        "11 of 34 provincial capitals lost; contested: Lashkar Gah",
        "median day",
        "full_control_but_1",
        "What the assessment implied (F9, F10)",
        "0.32663",
        "control_of_kabul     15 Aug (day 3)   15 Aug (day 3)",
        "How much slower, or weaker, each parameter would have had to be",
        "\ndigest ",
    ):
        assert part in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--families", "contagon"), "scenario thirty_days: no family 'contagon'; did you mean 'contagion'?"),
        (("--families", "siege,siege"), "a family is named twice"),
        (("--horizon", "inf"), "'--horizon': must be a positive finite number of days, but was inf"),
        (("--horizon", "-3"), "'--horizon': must be a positive finite number of days, but was -3.0"),
        (("--replications", "0"), "'--replications': must be at least 1, but was 0"),
        (("--replications", "many"), "'--replications': must be a whole number, but was 'many'"),
        (("--prefer", "alternativ"), "did you mean 'alternative'?"),
        (("--borders", "al"), "did you mean 'all'?"),
        (("--seed", "-1"), "'--seed': must not be negative, but was -1"),
        (("--json", str(SCRIPT / "x.json")), "must be a folder, but is a file; name another place"),
        (("--out", str(SCRIPT)), "must be a folder, but is a file; name another place"),
    ],
)  # fmt: skip
def test_a_bad_option_is_refused_with_code_2_before_any_work(arguments, message):
    done = run(SCRIPT, *arguments, code=2)

    assert message in done.stderr
    assert "" == done.stdout
    assert "Traceback" not in done.stderr


def test_a_file_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "run.json"
    report.write_atomically(path, "first")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        report.write_atomically(path, "second, and longer")

    assert "first" == path.read_text()
    assert [path] == list(tmp_path.iterdir())


def test_json_has_no_numbers_that_json_does_not_know():
    assert [None, None, 1.5] == json.loads(report.json_text([math.inf, math.nan, 1.5]))


def test_days_beyond_the_horizon_are_left_out_and_not_guessed():
    whole = json.loads(
        run(SCRIPT, "--replications", "100", "--families", "constant", "--horizon", "20", "--json", "-").stdout
    )

    assert {3, 7, 14} == {row["within_days"] for row in whole["projections"]}
