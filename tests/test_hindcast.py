"""The hindcast knows nothing later than its evenings, is exact where it says so, and ranks what it scored."""

from __future__ import annotations

import csv
import io
import json
import math
import os
import subprocess
import sys
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

import sim
from sim.checks import Hindcast, Reading, forecasts, hindcast
from sim.checks.forecasts import Asked, of_model
from sim.checks.happened import Facts, last_told
from sim.checks.rivals import last_day_pace, no_change, week_pace
from sim.checks.standings import Score, standings
from sim.families import FAMILIES
from sim.hazards import Baseline, Momentum
from sim.model import Model
from sim.outcomes import ControlOf, FullControl, Pressure
from sim.priors import HalfNormal, LogNormal
from sim.record import Record
from sim.sources import Capture
from sim.theatre import Theatre

ROOT = Path(__file__).parent.parent
ASKED = Asked((1, 3, 30), tuple(map(Pressure, ("neighbour", "half_ring", "two_roads", "isolated"))), 30)


@pytest.fixture(scope="module")
def small(afghan) -> Hindcast:
    return hindcast(
        ["constant", "contagion"], afghan, origins=["2021-08-10", "2021-08-12"], seed=5, draws=50, replications=40
    )


def told(result, **wanted):
    found = [row for row in result.rows if all(getattr(row, name) == value for name, value in wanted.items())]
    assert found
    return found


# -- forecasts -------------------------------------------------------------------------------------------------------


def test_the_weeks_pace_is_the_articles_closed_form(afghan, week):
    """11 of 34 in seven days: 0.055838 a day; the table of docs, and the end of it in three days."""
    said = week_pace(week, afghan, ASKED)

    by = {name: float(1.0 - bins[-1]) for name, bins in said.passages.items()}
    assert {"neighbour": 0.99996, "half_ring": 0.98664, "two_roads": 0.99477, "isolated": 0.35457} == {
        name: round(value, 5) for name, value in by.items()
    }
    assert said.counts[1, 33:].sum() == pytest.approx(2.7e-17, rel=0.02)
    assert said.counts[1] @ np.arange(35) - 11 == pytest.approx(3.55, abs=0.005)
    kabul = afghan.index("Kabul")
    assert said.provinces[2, kabul] == pytest.approx(0.8127, abs=5e-5)
    assert np.all(said.provinces[:, afghan.index("Herat")] == 1.0)


def test_the_last_days_pace_is_that_of_what_became_known_that_day(afghan, week):
    """Nine were known on the 11th and eleven on the 12th: two of 25."""
    said = last_day_pace(week, afghan, ASKED)
    rate = -math.log1p(-2 / 25)

    expected = -np.expm1(-rate * np.array(ASKED.horizons))
    assert said.provinces[:, afghan.index("Kabul")] == pytest.approx(expected, rel=1e-9)


def test_no_change_is_certain_of_what_is(afghan, week):
    said = no_change(week, afghan, ASKED)

    assert np.all(said.counts[:, 11] == 1.0)
    assert all(bins[-1] == 1.0 for bins in said.passages.values())


@pytest.mark.parametrize("family", ["constant", "momentum"])
def test_the_exact_chain_is_what_simulation_tends_to(afghan, week, family, monkeypatch):
    model = FAMILIES[family](afghan)
    posterior = sim.calibrate(model, week, seed=3, draws=100)
    exact = of_model(model, posterior, week.state(), ASKED, seed=3, replications=1)
    monkeypatch.setattr(forecasts, "_all_alike", lambda model: False)
    size = 20_000
    simulated = of_model(model, posterior, week.state(), ASKED, seed=3, replications=size)

    assert exact.floor == 0.0 and simulated.floor == 0.5 / (size + 1)
    # Replications take draws in turn, so that the spread between draws adds nothing: binomial errors bound these.
    pairs = [
        (exact.counts, simulated.counts), (exact.provinces, simulated.provinces),
        *((exact.passages[name], simulated.passages[name]) for name in exact.passages),
    ]  # fmt: skip
    for one, other in pairs:
        # Some hundred numbers are compared: 4.5 standard errors are passed by chance once in a thousand times or less.
        # Below ten hits expected the error is that of ten.
        error = np.sqrt(np.maximum(one * (1.0 - one), 10 / size) / size)
        assert np.abs(one - other).max() > 0.0
        assert (np.abs(one - other) / error).max() < 4.5


def test_one_free_parameter_is_integrated_over_the_whole_of_its_posterior(afghan, week):
    """P(33 held three days after the 12th) under one constant pace, by quadrature of our own."""
    model = FAMILIES["constant"](afghan)
    said = of_model(
        model, sim.calibrate(model, week, seed=3, draws=10), week.state(), ASKED, seed=3, replications=1, week=week
    )

    days = np.array([(week.day(row.earliest), week.day(row.latest)) for row in week.captures])
    z = np.linspace(-8, 8, 200_001)
    rate = np.exp(z) / 40
    log = -rate * 7 * 23 - z**2 / 2
    for begin, end in days:
        with np.errstate(divide="ignore"):
            log += -rate * begin + np.log(-np.expm1(-rate * (end - begin)))
    posterior = np.exp(log - log.max())
    gone = -np.expm1(-3 * rate)
    chance = np.sum(posterior * 23 * gone**22 * (1 - gone)) / posterior.sum()
    assert 1e-16 < chance < 1e-9
    assert said.counts[1, 33] == pytest.approx(chance, rel=1e-4)


def test_distributions_sum_to_one_and_pools_are_means(small):
    for forecast in small.forecasts.values():
        for bins in forecast.passages.values():
            assert bins.sum() == pytest.approx(1.0, abs=1e-12) and bins.min() >= 0.0
        if forecast.counts is not None:
            assert np.allclose(forecast.counts.sum(axis=1), 1.0, rtol=0.0, atol=1e-12)
    pool = small.forecasts["2021-08-12", "pooled", ""]
    members = [small.forecasts["2021-08-12", name, ""] for name in ("constant", "contagion")]
    assert np.allclose(pool.counts, (members[0].counts + members[1].counts) / 2, rtol=0.0, atol=1e-15)


def test_what_was_never_seen_is_floored_and_flagged(small):
    """On the 15th, 33 were held: in 40 replications of contagion from the 12th nobody saw that within three days."""
    (row,) = told(
        small, origin="2021-08-12", basis="press", forecaster="contagion", subject="capitals", score="log", horizon=3.0
    )
    assert row.below and row.value == -math.log(0.5 / 41)
    (row,) = told(
        small, origin="2021-08-12", basis="press", forecaster="constant", subject="capitals", score="log", horizon=3.0
    )
    assert not row.below and row.value > 20.0  # the exact chain says how far below
    (pool,) = told(
        small, origin="2021-08-12", basis="press", forecaster="pooled", subject="capitals", score="log", horizon=3.0
    )
    assert pool.below and pool.value == pytest.approx(-math.log((0.5 / 41 + math.exp(-row.value)) / 2), rel=1e-12)


# -- what was known, and what followed -------------------------------------------------------------------------------


def poisoned(theatre: Theatre, origin: str) -> Theatre:
    """Return *theatre* with another future: whatever became known after *origin* is gone, or lies on 20 August."""
    last = date.fromisoformat(origin)
    known = theatre.record.until(origin)
    late = [
        Capture.dated(name, "2021-08-20", source="made up", account="press")
        for name in theatre.provinces
        if name not in known.captured
    ]
    record = Record(
        theatre.provinces,
        [*(row for row in theatre.record.reports if row.known_from <= last), *late],
        [row for row in theatre.record.sightings if row.seen <= last],
        [row for row in theatre.record.counts if row.day <= last],
        [
            *(row for row in theatre.record.assessments if row.day <= last),
            *(replace(row, day=last + timedelta(days=1), low=0.0, high=1.0) for row in theatre.record.assessments),
        ],
        origin=theatre.record.origin, accounts=theatre.record.accounts,
    )  # fmt: skip
    columns = {name: [None if math.isnan(v) else v for v in row] for name, row in theatre.columns.items()}
    return Theatre(
        theatre.provinces, theatre.borders, theatre.roads, hub=theatre.hub, columns=columns, record=record,
        capitals=theatre.capitals, labels=theatre.labels, name=theatre.name,
    )  # fmt: skip


@pytest.mark.parametrize("origin", ["2021-08-10", "2021-08-13"])
def test_another_future_changes_no_bit_of_what_was_said(afghan, origin):
    arguments = {"origins": [origin], "seed": 5, "draws": 30, "replications": 30, "now": "2021-09-06"}
    families = ["momentum", "contagion"]
    true, other = (hindcast(families, theatre, **arguments) for theatre in (afghan, poisoned(afghan, origin)))

    assert true.forecasts.keys() == other.forecasts.keys()
    for who, one in true.forecasts.items():
        another = other.forecasts[who]
        assert one.passages.keys() == another.passages.keys()
        pairs = [(one.counts, another.counts), (one.provinces, another.provinces)]
        pairs += [(bins, another.passages[name]) for name, bins in one.passages.items()]
        for left, right in pairs:
            if left is not None:
                n = min(left.shape[0], right.shape[0])  # fewer horizons are known of the made-up future
                assert left[:n].tobytes() == right[:n].tobytes(), who
    scored = [row.value for row in told(true, subject="capitals", score="crps", basis="press")]
    assert scored != [row.value for row in told(other, subject="capitals", score="crps", basis="press")]


def test_a_family_is_given_a_theatre_that_knows_no_more_than_the_week(afghan):
    seen = []

    def nosy(theatre):
        seen.append(theatre.record)
        return FAMILIES["constant"](theatre)

    hindcast({"nosy": nosy}, afghan, origins=["2021-08-12"], horizons=[1], seed=1, draws=10)

    assert [datetime(2021, 8, 13)] == [record.end for record in seen]
    assert 11 == len(seen[0].captured)


def test_what_followed_is_counted_by_press_and_by_best_date(afghan, week):
    origin, start = date(2021, 8, 12), week.state()
    press, best = (Facts.of(afghan, [ControlOf("Kabul"), FullControl()], basis) for basis in ("press", "best_date"))

    assert [18, 24, 33, 33] == [int(press.captured(start, origin, day).sum()) for day in (1, 2, 3, 7)]
    assert [18, 25, 33, 33] == [int(best.captured(start, origin, day).sum()) for day in (1, 2, 3, 7)]
    assert 3.0 == press.evening("control_of_kabul", origin)
    assert 25.0 == press.evening("full_control", origin)


def test_a_capture_dated_before_the_start_but_not_yet_known_is_taken_at_its_first_moment(afghan, week):
    """Badghis and Kandahar fell on the 12th by the best account, and the press counted them on the 13th."""
    origin, start = date(2021, 8, 12), week.state()
    best = Facts.of(afghan, [ControlOf("Kandahar")], "best_date")

    assert "Kandahar" not in start.lost
    assert best.captured(start, origin, 1)[afghan.index("Kandahar")]
    assert 1.0 == best.evening("control_of_kandahar", origin)


def test_now_censors_and_what_lies_beyond_is_not_scored(afghan):
    result = hindcast(
        ["constant"], afghan, origins=["2021-08-12"], horizons=[1, 7], seed=1, draws=20, now="2021-08-14", threshold=2
    )

    assert {1.0} == {row.horizon for row in told(result, subject="capitals")}
    assert "2021-08-12: horizons beyond now, 2021-08-14, are left out" in result.notes
    bins = result.forecasts["2021-08-12", "constant", ""].passages["control_of_kabul"]
    assert 3 == len(bins)  # by the 13th, by the 14th, later
    (row,) = told(result, forecaster="constant", subject="control_of_kabul", score="log", basis="press")
    assert row.value == pytest.approx(-math.log(bins[2]), rel=1e-12)
    (row,) = told(result, forecaster="constant", subject="control_of_kabul", score="crps", basis="press")
    assert row.value == pytest.approx(bins[0] ** 2, rel=1e-9)


def test_a_complete_record_is_known_as_far_as_the_horizons_go(afghan, small):
    assert date(2021, 9, 6) == last_told(afghan.record)
    assert "2021-09-11" == small.asked["now"]  # thirty days after the 12th


def test_an_outcome_true_at_the_start_is_not_scored(afghan):
    result = hindcast(
        ["constant"], afghan, origins=["2021-08-14"], horizons=[1], seed=1, draws=20, pressures=["neighbour", "assault"]
    )

    assert not [row for row in result.rows if row.subject == "neighbour"]
    assert "2021-08-14: neighbour was true already and is not scored" in result.notes
    assert told(result, subject="assault")


# -- scores and standings --------------------------------------------------------------------------------------------


def test_scores_are_of_what_was_said(small, afghan):
    said = small.forecasts["2021-08-12", "constant", ""]
    held = np.cumsum(said.counts[2]) - (33 <= np.arange(35))
    (row,) = told(
        small, origin="2021-08-12", basis="press", forecaster="constant", subject="capitals", score="crps", horizon=3.0
    )
    assert row.value == pytest.approx(float(np.sum(held[:-1] ** 2)), abs=1e-12)

    captured = afghan.record.until("2021-08-12").captured
    left = [name not in captured for name in afghan.provinces]
    came = np.array([name != "Panjshir" for name in afghan.provinces])
    (row,) = told(
        small,
        origin="2021-08-12",
        basis="press",
        forecaster="constant",
        subject="provinces",
        score="brier",
        horizon=3.0,
    )
    assert row.value == pytest.approx(float(np.mean((said.provinces[2] - came)[left] ** 2)), abs=1e-12)

    by = np.cumsum(said.passages["control_of_kabul"])[:-2]
    (row,) = told(
        small, origin="2021-08-12", basis="press", forecaster="constant", subject="control_of_kabul", score="crps"
    )
    assert row.value == pytest.approx(float(np.sum((by - (3 <= np.arange(1, len(by) + 1))) ** 2)), abs=1e-12)


def test_assessments_take_part_only_in_what_they_speak_of_and_only_once_spoken(small):
    spoken = {(row.origin, row.subject) for row in small.rows if row.kind == "assessments"}

    assert {
        ("2021-08-10", "control_of_kabul"),
        *(("2021-08-12", name) for name in ("half_ring", "isolated", "control_of_kabul", "full_control")),
    } == spoken
    assert 8 == len({row.reading for row in small.rows if row.kind == "assessments"})
    pool = small.forecasts["2021-08-12", "assessments", "median"].passages["half_ring"]
    alone = [
        forecast.passages["half_ring"]
        for (origin, name, reading), forecast in small.forecasts.items()
        if (origin, reading) == ("2021-08-12", "median") and "pressure by day" in name
    ]
    assert 2 == len(alone) and np.allclose(pool, np.mean(alone, axis=0), rtol=0.0, atol=1e-15)


def ranks(standing):
    return standing.rank, standing.rank_to, standing.depends


def row(forecaster, value, kind="family", reading="", origin="2021-08-12", below=False):
    return Score(origin, "press", kind, forecaster, reading, "kabul", "log", math.nan, value, below)


def test_a_ranking_that_hangs_on_a_reading_is_flagged():
    rows = [
        row("one", 1.0), row("two", 3.0), row("three", math.inf), row("one", 9.0, origin="2021-08-11"),
        row("assessments", 2.0, "assessments", "low"), row("assessments", 0.5, "assessments", "high"),
    ]  # fmt: skip
    found = {(s.beside, s.forecaster, s.reading): s for s in standings(rows)}

    # Beside the assessments, on the one evening they speak.
    assert (1, 2, True) == ranks(found["assessments", "one", ""])
    assert (3, 3, False) == ranks(found["assessments", "two", ""])
    assert (4, 4, False) == ranks(found["assessments", "three", ""])
    assert (2, 2, True) == ranks(found["assessments", "assessments", "low"])
    assert (1, 1, True) == ranks(found["assessments", "assessments", "high"])
    assert math.isinf(found["assessments", "three", ""].mean)
    # Alone, over all evenings.
    assert 5.0 == found["all evenings", "one", ""].mean and 2 == found["all evenings", "one", ""].rank


def test_a_ranking_that_hangs_on_no_reading_is_not_flagged():
    rows = [
        row("one", 1.0),
        row("assessments", 2.0, "assessments", "low"),
        row("assessments", 3.0, "assessments", "high"),
    ]

    assert not any(standing.depends for standing in standings(rows))


def test_the_leaderboard_names_everyone_and_says_what_hangs_on_a_reading(afghan):
    """One reading puts pressure at once, another never: the ranking must turn on it."""
    sure, never = (
        Reading(name, p, p, "argued", "made up", "for the test") for name, p in (("sure", 1.0 - 1e-9), ("no", 0))
    )
    result = hindcast(
        ["constant"], afghan, origins=["2021-08-12"], horizons=[3], seed=1, draws=20, readings=[sure, never]
    )
    text = result.leaderboard()

    for name in ("constant", "no change", "week's pace", "last day's pace", "assessments, could = sure"):
        assert name in text
    assert 'FLAG: by crps the ranking depends on the reading of "could"' in text
    assert "Dates by best_date" in result.leaderboard("best_date")
    with pytest.raises(ValueError, match=r"leaderboard: no basis 'pres'; did you mean 'press'\?"):
        result.leaderboard("pres")


def test_the_same_seed_gives_the_same_scores_in_any_order(small, afghan):
    again = hindcast(
        ["contagion", "constant"],
        afghan,
        origins=[date(2021, 8, 12), date(2021, 8, 10)],
        seed=5,
        draws=50,
        replications=40,
    )  # fmt: skip

    assert sorted(map(repr, small.rows)) == sorted(map(repr, again.rows))


def test_files_hold_the_scores(small, tmp_path):
    paths = small.save(tmp_path / "new")

    assert ["scores.csv", "standings.csv", "hindcast.json"] == [path.name for path in paths]
    rows = list(csv.DictReader(io.StringIO(paths[0].read_text(encoding="utf-8"))))
    assert list(Score._fields) == list(rows[0]) and len(rows) == len(small.rows)
    assert [repr(row.value) for row in small.rows] == [row["value"] for row in rows]
    described = json.loads(paths[2].read_text(encoding="utf-8"))
    assert "families and priors were chosen by people who knew the outcome" == described["warning"]
    assert {"seed": 5, "replications": 40, "draws": 50}.items() <= described.items()
    assert 8 == len(described["readings"]) and all(reading["source"] for reading in described["readings"])
    spoken = described["assessments"]
    assert 9 == len(spoken) and {"by_day": 30.0, "probability": "the reading's"} in [
        p for s in spoken for p in s["points"]
    ]
    whole = json.loads(small.json(), parse_constant=lambda name: pytest.fail(name))
    assert {"scores", "standings", "run"} == set(whole)
    assert "inf" in {row["value"] for row in whole["scores"]}  # no change was wrong


def test_progress_is_told_and_poor_fits_are_named(afghan, monkeypatch):
    from sim.checks import evening

    calibrate = evening.calibrate
    monkeypatch.setattr(evening, "calibrate", lambda *a, **k: replace(calibrate(*a, **k), poor=True))
    seen = []
    result = hindcast(
        ["constant"], afghan, origins=["2021-08-12"], horizons=[1], seed=1, draws=10,
        progress=lambda what, share: seen.append((what, share)),
    )  # fmt: skip

    assert [("2021-08-12: constant", 0.0), ("scored", 1.0)] == seen
    assert (("2021-08-12", "constant"),) == result.poor
    assert [["2021-08-12", "constant"]] == result.describe()["poor fits"]


def test_a_family_of_ones_own_is_exact_where_its_chain_is(afghan):
    def own(theatre):
        return Model(theatre, {"seizure": Baseline(LogNormal(1 / 40, 1.0)) * Momentum(HalfNormal(1.0))}, name="own")

    result = hindcast({"own": own}, afghan, origins=["2021-08-12"], horizons=[1], seed=1, draws=10)

    assert "exact" == result.forecasts["2021-08-12", "own", ""].method
    assert not [row for row in result.rows if row.forecaster == "pooled"]  # nothing to pool


def test_a_theatre_of_ones_own_needs_no_hub_and_no_assessments():
    days = {"A": "2020-01-01", "B": "2020-01-03", "C": "2020-01-04"}
    record = Record(
        list("ABCD"), [Capture.dated(name, day, source="s") for name, day in days.items()], origin="2020-01-01"
    )
    theatre = Theatre(list("ABCD"), borders=[("A", "B"), ("B", "C"), ("C", "D")], record=record)
    result = hindcast(["constant"], theatre, origins=["2020-01-01", "2020-01-03"], horizons=[1, 2], seed=1, draws=20)

    assert {"capitals", "provinces", "full_control"} == {row.subject for row in result.rows}
    assert "2020-01-04" == result.asked["now"]  # D may fall any day: nothing beyond the record is known
    assert "2020-01-03: horizons beyond now, 2020-01-04, are left out" in result.notes
    # By the evening of the 1st the week's pace is one of four in a day; by the 4th nobody knows of D.
    bins = result.forecasts["2020-01-01", "week's pace", ""].passages["full_control"]
    assert bins[0] == pytest.approx(0.25**3, rel=1e-9)
    (censored,) = told(
        result, origin="2020-01-01", basis="press", forecaster="week's pace", subject="full_control", score="log"
    )
    assert censored.value == pytest.approx(-math.log(1.0 - (1.0 - 0.75**3) ** 3), rel=1e-9)
    assert "constant" in result.leaderboard()


def test_docs_and_leaderboard_say_that_the_outcome_was_known(small):
    assert "chosen by people who knew the outcome" in " ".join(small.leaderboard().split())
    for told in (hindcast.__doc__, Hindcast.__doc__, sim.checks.backtest.__doc__, sim.plots.score_by_day.__doc__):
        assert "chosen by people who knew" in " ".join(told.split())


# -- picture and script ----------------------------------------------------------------------------------------------


def test_the_picture_has_a_line_for_each_forecaster_and_a_band_for_the_readings(small):
    ax = sim.plots.score_by_day(small, "control_of_kabul")

    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert {"constant", "contagion", "pooled", "no change", "week's pace", "last day's pace"} <= set(labels)
    assert "assessments, 8 readings" in labels
    assert "CRPS (days), lower is better" == ax.get_ylabel()
    (line,) = [line for line in ax.get_lines() if line.get_label() == "constant"]
    rows = told(small, forecaster="constant", subject="control_of_kabul", score="crps", basis="press")
    assert [row.value for row in rows] == line.get_ydata().tolist()
    assert ax is sim.plots.score_by_day(small, "provinces", "log", horizon=3, ax=ax)
    assert "infinite scores are not drawn" in [text.get_text() for text in ax.get_legend().get_texts()]


def test_a_picture_of_nothing_is_refused(small):
    with pytest.raises(ValueError) as caught:
        sim.plots.score_by_day(small, "capitals", "brier")

    assert (
        "score_by_day: no scores of 'capitals' by 'brier', basis 'press', horizon None; there are capitals crps, "
        "capitals log, control_of_kabul crps, control_of_kabul log, control_of_kabul twcrps, full_control crps, "
        "full_control log, full_control twcrps, half_ring crps, half_ring log, half_ring twcrps, isolated crps, "
        "isolated log, isolated twcrps, provinces brier, provinces log"
    ) == str(caught.value)


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "scenarios" / "hindcast.py"), *map(str, arguments)],
        capture_output=True, text=True, encoding="utf-8", env=os.environ | {"PYTHONPATH": str(ROOT)}, check=False,
    )  # fmt: skip


def test_the_script_prints_writes_and_warns(tmp_path):
    done = run(
        "--families", "constant", "--origins", "2021-08-12", "--horizons", "3", "--out", tmp_path, "--seed", "3",
        "--bases", "press,best_date",
    )  # fmt: skip

    assert 0 == done.returncode, done.stderr
    assert "Families and priors were chosen by people who knew the outcome" in done.stdout
    assert "Dates by press" in done.stdout and "Dates by best_date" in done.stdout
    assert {"scores.csv", "standings.csv", "hindcast.json"} == {path.name for path in tmp_path.iterdir()}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--families", "sige"), "hindcast: no family 'sige'; did you mean 'siege'?\n"),
        (("--replications", "0"), "hindcast: Invalid value for '--replications': must be at least 1, but was 0\n"),
        (("--seed", "-1"), "hindcast: Invalid value for '--seed': must not be negative, but was -1\n"),
        (("--out", str(ROOT / "README.md")), "must be a folder, but is a file; name another place"),
    ],
)
def test_a_bad_option_is_refused_before_any_work(arguments, message):
    done = run(*arguments)

    assert 2 == done.returncode and message in done.stderr
    assert "" == done.stdout and "Traceback" not in done.stderr


BAD = [
    (
        {"families": "constant"}, TypeError,
        "hindcast: families must be a list of names, but was 'constant'; write ['constant']",
    ),
    ({"families": []}, ValueError, "hindcast: name at least one family of constant, contagion, momentum, siege"),
    ({"families": {}}, ValueError, "hindcast: name at least one family of constant, contagion, momentum, siege"),
    ({"families": ["constant"] * 2}, ValueError, "hindcast: a family is named twice in ['constant', 'constant']"),
    ({"families": {"x": 1}}, TypeError, "hindcast: family 'x' must be a function of a theatre, but was 1"),
    (
        {"families": {"pooled": FAMILIES["constant"]}},
        ValueError,
        "hindcast: no family may be called 'pooled'; that is what all together are called",
    ),
    (
        {"families": {"x": lambda theatre: 1}},
        TypeError,
        "hindcast: family x must make a Model of a theatre, but made 1",
    ),
    ({"theatre": "afghanistan"}, TypeError,
     "hindcast: theatre must be a Theatre, but was 'afghanistan'; load_theatre(…) gives one"),
    (
        {"origins": ["2021-08-05"]},
        ValueError,
        "hindcast: origins must be evenings from the record's day 0, 2021-08-06, to before now, 2021-09-07, "
        "but was 2021-08-05",
    ),
    ({"origins": ["2021-09-06"]}, ValueError,
     "hindcast: by 2021-09-06 every capital is captured: nothing is left to foresee"),
    ({"origins": ["12 August"]}, ValueError,
     "hindcast: origins: must be a date such as '2021-08-12', but was '12 August'"),
    ({"horizons": [1.5]}, TypeError, "hindcast: horizons must be whole numbers from 1, but was 1.5"),
    ({"horizons": [0]}, ValueError, "hindcast: horizons must be whole numbers from 1, but was 0"),
    ({"seed": -1}, ValueError, "hindcast: seed must be a non-negative integer, but was -1"),
    ({"seed": 1.0}, TypeError,
     "hindcast: seed must be a non-negative integer, but was 1.0; no seed, no repeating"),
    ({"draws": True}, TypeError, "hindcast: draws must be whole numbers from 1, but was True"),
    ({"pressures": ["half-ring"]}, ValueError, "Pressure: no definition 'half-ring'; did you mean 'half_ring'?"),
    ({"bases": ["best"]}, ValueError, "hindcast: bases must be of press, best_date; did you mean 'best_date'?"),
    ({"readings": ["kent"]}, TypeError, "hindcast: readings must be Readings, but one was 'kent'"),
    ({"threshold": 1}, ValueError, "hindcast: threshold must be a whole number of evenings from 2, but was 1"),
    ({"now": "2021-08-12"}, ValueError,
     "hindcast: origins must be evenings from the record's day 0, 2021-08-06, to before now, 2021-08-12, "
     "but was 2021-08-12"),
]  # fmt: skip


@pytest.mark.parametrize(("changed", "error", "message"), BAD, ids=lambda given: str(given)[:40])
def test_a_bad_argument_is_refused(afghan, changed, error, message):
    arguments = {"families": ["constant"], "theatre": afghan, "origins": ["2021-08-12"], "horizons": [1], "seed": 1}
    families, theatre = (changed.get(name, arguments[name]) for name in ("families", "theatre"))
    rest = {name: value for name, value in (arguments | changed).items() if name not in ("families", "theatre")}
    with pytest.raises(error) as caught:
        hindcast(families, theatre, **rest)

    assert message == str(caught.value)
