"""Files of runs: equal when opened, readable by others, made again from the file alone, and never half a file."""

from __future__ import annotations

import shutil
import subprocess
import sys
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import h5netcdf
import numpy as np
import pytest
import xarray
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from strategies import Case, cases

import sim
from sim import archive, disk, netcdf
from sim.archive import open_ensemble, rerun
from sim.control import Control, State
from sim.engines.compiled import CompiledEngine
from sim.engines.simpy_engine import SimPyEngine
from sim.ensemble import Ensemble, Passages
from sim.families import constant, siege
from sim.hazards import Baseline, Custom
from sim.model import Model
from sim.outcomes import FullControl, Pressure
from sim.plain import digest
from sim.recipe import Engine, Recipe, Recording
from sim.theatre import Theatre

ROOT = Path(sim.__file__).parent.parent
PACE = 1.0


def surge(day: float, control: Any, province: str) -> float:
    return PACE if province == "A" else 2.0


def quarrel(world: Any) -> Any:
    yield world.env.timeout(0.5)
    if world.replication % 5 == 2:
        raise ValueError(f"no agreement on {world.replication}")


def recipe_of(
    model: Model, start: State, *, horizon: float = 20.0, seed: int = 7, engine: Engine | None = None
) -> Recipe:
    engine = engine or CompiledEngine()
    return Recipe(model, model.draw_prior(8, seed=1), start, horizon, seed, engine, SimPyEngine())


def run_of(recipe: Recipe, numbers: Any = range(30)) -> Ensemble:
    return Ensemble.of(recipe, [recipe.engine.run(recipe, numbers, Recording(), np.zeros(1, np.uint8))])


def watched_of(recipe: Recipe, outcomes: Any, numbers: Any = range(30)) -> Passages:
    watches = tuple(outcome.watch(recipe.model.theatre) for outcome in outcomes)
    part = recipe.engine.run(recipe, numbers, Recording(watches), np.zeros(1, np.uint8))
    return Passages.of(recipe, [part], tuple(outcome.name for outcome in outcomes), watches)


def small(*terms: Any) -> Model:
    hazard = Baseline(0.1)
    for term in terms:
        hazard = hazard * term
    return Model(Theatre(["A", "B", "C"], [("A", "B")], name="small"), {"seizure": hazard})


def assert_equal(one: Any, other: Any) -> None:
    assert type(one) is type(other)
    assert one.digest == other.digest
    assert one.failures == other.failures
    assert digest(one.recipe) == digest(other.recipe)
    for name, array in one._arrays().items():
        assert array.dtype == other._arrays()[name].dtype, name
        assert array.tobytes() == other._arrays()[name].tobytes(), name


@pytest.fixture(scope="module")
def siege_run(afghan, week) -> Ensemble:
    return run_of(recipe_of(siege(afghan), week.state()))


@pytest.fixture(scope="module")
def siege_watched(afghan, week) -> Passages:
    return watched_of(recipe_of(siege(afghan), week.state()), [Pressure("half_ring"), FullControl()])


@pytest.fixture(scope="module")
def siege_file(siege_run, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("runs") / "siege.nc"
    siege_run.save(path)
    return path


# ------------------------------------------------------------------------------------------------------- datasets


def test_a_dataset_has_the_events_of_each_replication_one_after_the_other(siege_run):
    dataset = siege_run.to_xarray()
    ends = np.cumsum(dataset.row_size)

    sizes = {"replication": 30, "province": 34, "event": len(siege_run.day), "parameter": 11, "parameter_draw": 8}
    assert sizes == dict(dataset.sizes)
    assert np.array_equal(siege_run.recipe.draws.values, dataset.parameter_value)
    assert "event" == dataset.row_size.attrs["sample_dimension"]
    for row, (begin, end) in enumerate(pairwise([0, *ends.values.tolist()])):
        assert np.array_equal(
            siege_run.day[siege_run.offsets[row] : siege_run.offsets[row + 1]], dataset.time[begin:end]
        )
    first = dataset.province.values[dataset.province_index.values[0]]
    assert siege_run.provinces[siege_run.province[0]] == first
    assert np.array_equal(siege_run.source, dataset.control_before)
    assert np.array_equal(siege_run.target, dataset.control_after)


def test_control_on_days_is_what_the_ensemble_says(siege_run):
    dataset = siege_run.to_xarray(days=[0, 2.5, 20])

    assert ("replication", "day", "province") == dataset.control.dims
    for day in (0.0, 2.5, 20.0):
        assert np.array_equal(siege_run.control_at(day), dataset.control.sel(day=day))
    kabul = dataset.control.sel(province="Kabul", day=20.0) == Control.INSURGENT
    assert siege_run.control_at(20.0)[:, siege_run.provinces.index("Kabul")].tolist().count(2) == int(kabul.sum())


@pytest.mark.parametrize("days", [[1, 1], [2, 1], [[1, 2]]])
def test_days_must_ascend(siege_run, days):
    with pytest.raises(ValueError, match="to_xarray: days must ascend, none of them twice"):
        siege_run.to_xarray(days=days)


def test_days_must_lie_within_the_horizon(siege_run):
    with pytest.raises(ValueError, match="from 0 to the horizon 20, but was 21"):
        siege_run.to_xarray(days=[1, 21])


def test_passages_give_first_passages_and_counts_by_day(siege_watched):
    dataset = siege_watched.to_xarray()

    assert np.array_equal(siege_watched.times[0], dataset.first_passage.sel(outcome="half_ring"))
    assert np.array_equal(siege_watched.lost, dataset.replications_with)
    assert {30} == set(dataset.replications_with.sum("capitals_lost").values.tolist())


def test_a_dataset_of_passages_says_what_was_watched(siege_watched):
    dataset = siege_watched.to_xarray()

    assert {"outcome": 2, "province": 34, "control": 3} == dict(dataset.watch_weight.sizes)
    for row, watch in enumerate(siege_watched.watches):
        assert np.array_equal(watch.weights, dataset.watch_weight[row])
        assert watch.threshold == dataset.watch_threshold[row]


def test_every_variable_follows_the_cf_conventions(siege_run, siege_watched):
    for dataset in (siege_run.to_xarray(days=[0, 7]), siege_watched.to_xarray()):
        assert "CF-1.11" == dataset.attrs["Conventions"]
        for name, variable in dataset.variables.items():
            assert str(name).isidentifier()
            assert variable.attrs.keys() & {"long_name", "standard_name"}, name
            if "flag_values" in variable.attrs:
                assert variable.attrs["flag_values"].dtype == variable.dtype
                assert len(variable.attrs["flag_values"]) == len(variable.attrs["flag_meanings"].split())
                assert set(np.unique(variable)) <= set(variable.attrs["flag_values"])
    assert "government contested insurgent" == siege_run.to_xarray().control_at_start.attrs["flag_meanings"]
    assert " ".join(siege_run.transitions) == siege_run.to_xarray().transition.attrs["flag_meanings"]


def test_times_are_days_since_the_start_in_local_time_and_say_so(siege_run):
    time = siege_run.to_xarray().time

    assert "days since 2021-08-13 00:00:00" == time.attrs["units"]
    assert "local time of the theatre, no offset from UTC applied: Asia/Kabul" in time.attrs["comment"]
    decoded = xarray.decode_cf(siege_run.to_xarray()).time.values
    expected = np.datetime64("2021-08-13") + (siege_run.day * 86400e9).astype("timedelta64[ns]")
    assert np.abs(decoded - expected).max() <= np.timedelta64(1, "us")


def test_a_start_in_mid_day_is_the_reference_of_its_times():
    start = State({}, datetime(2021, 8, 13, 18, 30, 0, 500))
    time = run_of(recipe_of(small(), start)).to_xarray().time

    assert "days since 2021-08-13 18:30:00.000500" == time.attrs["units"]
    assert start.instant + timedelta(days=float(time[0])) - xarray.decode_cf(time.to_dataset()).time.values[0].astype(
        "datetime64[us]"
    ).item() < timedelta(microseconds=2)


def test_without_a_date_times_are_plain_days():
    time = run_of(recipe_of(small(), State({}))).to_xarray().time

    assert {"long_name": "time of the event, days since the start", "units": "days"} == time.attrs


# --------------------------------------------------------------------------------------------------- there and back


def test_an_ensemble_opens_equal(siege_run, siege_file):
    again = open_ensemble(siege_file)

    assert_equal(siege_run, again)
    assert str(siege_run.replay(replication=3)) == str(again.replay(replication=3))


def test_passages_open_equal_and_answer_the_same_questions(siege_watched, tmp_path):
    siege_watched.save(tmp_path / "watched.nc")
    again = open_ensemble(tmp_path / "watched.nc")

    assert_equal(siege_watched, again)
    assert siege_watched.names == again.names
    for outcome in (Pressure("half_ring"), FullControl()):
        watch = outcome.watch(again.theatre)
        assert np.array_equal(siege_watched.first_passage(watch), again.first_passage(watch))


@pytest.mark.parametrize(
    "run",
    [
        pytest.param(lambda: run_of(recipe_of(small(), State(dict.fromkeys("ABC", 2)))), id="no event at all"),
        pytest.param(lambda: run_of(recipe_of(small(), State({}), seed=2**80)), id="a seed that no integer holds"),
        pytest.param(lambda: run_of(recipe_of(small(), State({})), range(5, 90, 7)), id="every seventh replication"),
        pytest.param(lambda: run_of(recipe_of(small(), State({})), [3]), id="one replication"),
        pytest.param(lambda: watched_of(recipe_of(small(), State({})), []), id="counts by day alone"),
        pytest.param(lambda: watched_of(recipe_of(small(), State({}), horizon=0.5), [FullControl()]), id="half a day"),
    ],
)
def test_odd_runs_open_equal_and_are_made_again(run, tmp_path):
    run = run()
    run.save(tmp_path / "odd.nc")

    assert_equal(run, open_ensemble(tmp_path / "odd.nc"))
    assert_equal(run, rerun(tmp_path / "odd.nc"))


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
@given(case=cases(most=5))
def test_any_run_opens_equal_and_is_made_again(tmp_path, case: Case):
    recipe = Recipe(case.model, case.draws, case.start, case.horizon, case.seed, CompiledEngine(), SimPyEngine())
    run = run_of(recipe, case.replications)
    run.save(tmp_path / "any.nc")

    assert_equal(run, open_ensemble(tmp_path / "any.nc"))
    assert_equal(run, rerun(tmp_path / "any.nc"))


def test_failures_are_kept_and_fail_again():
    engine = SimPyEngine(processes=[quarrel])
    run = run_of(recipe_of(small(), State({}), engine=engine), range(12))
    dataset = run.to_xarray()

    assert [2, 7] == dataset.failed_replication.values.tolist()
    assert "no agreement on 7" in dataset.failed_traceback.values[1]
    assert 10 == dataset.sizes["replication"]


@pytest.mark.parametrize("count", [12, 1])
def test_a_run_with_processes_opens_with_its_engine_alone(tmp_path, count):
    engine = SimPyEngine(processes=[quarrel])
    numbers = range(12) if count == 12 else [2]  # of which every one failed
    recipe = Recipe(small(), small().draws(), State({}), 20.0, 7, engine, engine)
    run = run_of(recipe, numbers)
    run.save(tmp_path / "quarrel.nc")

    with pytest.raises(ValueError, match=r"function test_archive\.quarrel cannot be .* engine= for processes"):
        open_ensemble(tmp_path / "quarrel.nc")
    assert_equal(run, open_ensemble(tmp_path / "quarrel.nc", engine=engine))
    assert run.digest == rerun(tmp_path / "quarrel.nc", engine=engine).digest


# --------------------------------------------------------------------------------------------------- for other readers


def test_plain_xarray_opens_a_file_with_dates_and_without(siege_run, siege_file):
    with xarray.open_dataset(siege_file) as dataset:
        assert "datetime64[ns]" == str(dataset.time.dtype)
        assert np.array_equal(siege_run.initial, dataset.control_at_start)
    with xarray.open_dataset(siege_file, decode_times=False) as dataset:
        assert siege_run.day.tobytes() == dataset.time.values.tobytes()


def test_a_file_of_passages_opens_with_times_decoded_as_eagerly_as_can_be(siege_watched, tmp_path):
    siege_watched.save(tmp_path / "watched.nc")
    with xarray.open_dataset(tmp_path / "watched.nc", decode_timedelta=True) as dataset:
        assert np.datetime64("2021-08-14") == dataset.day.values[1]
        assert np.array_equal(siege_watched.times, dataset.first_passage)


def test_a_dataset_that_a_user_writes_follows_the_conventions_too(siege_run, tmp_path):
    siege_run.to_xarray(days=[0, 7]).to_netcdf(tmp_path / "mine.nc", engine="h5netcdf")
    with h5netcdf.File(tmp_path / "mine.nc", "r") as file:
        assert not any("_FillValue" in variable.attrs for variable in file.variables.values())


def test_the_header_says_what_a_reader_needs(siege_file):
    with h5netcdf.File(siege_file, "r") as file:
        assert {"replication": 30, "province": 34} == {k: file.dimensions[k].size for k in ("replication", "province")}
        assert "event" == file["row_size"].attrs["sample_dimension"]
        assert [0, 1, 2] == file["control_at_start"].attrs["flag_values"].tolist()
        assert 7 == file.attrs["seed"]
        assert file.attrs["source"].startswith(f"sweepcast {sim.__version__}")
        for name, variable in file.variables.items():
            assert "_FillValue" not in variable.attrs, name


def test_ncdump_shows_a_short_header(siege_file):
    ncdump = shutil.which("ncdump")
    if ncdump is None:
        pytest.skip("ncdump is not installed")
    header = subprocess.run([ncdump, "-h", siege_file], capture_output=True, text=True, check=True).stdout

    assert 'row_size:sample_dimension = "event"' in header
    assert len(header) < 10_000


def test_the_library_of_netcdf_itself_reads_a_file(siege_run, siege_file):
    library = pytest.importorskip("netCDF4")
    with library.Dataset(siege_file) as file:
        assert np.array_equal(siege_run.day, file["time"][:])
        assert list(siege_run.provinces) == list(file["province"][:])


# --------------------------------------------------------------------------------------------------------- once more


def test_a_file_alone_makes_the_run_again_in_another_process(siege_run, siege_watched, siege_file, tmp_path):
    shutil.copy(siege_file, tmp_path / "events.nc")
    siege_watched.save(tmp_path / "outcomes.nc")
    code = "import sim.archive as a\nfor n in ('events', 'outcomes'): print(a.rerun(n + '.nc').digest)"
    path = [str(ROOT), *(p for p in sys.path if p)]
    found = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path[:0] = {path!r}\n{code}"],
        capture_output=True, text=True, check=True, cwd=tmp_path,
    )  # fmt: skip

    assert [siege_run.digest, siege_watched.digest] == found.stdout.split()


def test_a_custom_term_needs_its_model_and_no_other(tmp_path):
    model = small(Custom(surge))
    path = tmp_path / "custom.nc"
    run = run_of(recipe_of(model, State({}), engine=SimPyEngine()), range(6))
    run.save(path)

    with pytest.raises(ValueError, match=r"open_ensemble: .*test_archive\.surge cannot be written .* model=…"):
        open_ensemble(path)
    with pytest.raises(ValueError, match=r"is of another run: model: .*seizure.custom: .* there, nothing here"):
        open_ensemble(path, model=small())
    assert_equal(run, open_ensemble(path, model=model))
    assert_equal(run, rerun(path, model=model))


def test_a_run_that_comes_out_otherwise_is_told_with_what_has_changed(tmp_path, monkeypatch):
    model = small(Custom(surge))
    path = tmp_path / "custom.nc"
    run_of(recipe_of(model, State({}), engine=SimPyEngine()), range(6)).save(path)
    monkeypatch.setitem(globals(), "PACE", 3.0)
    monkeypatch.setattr(netcdf, "versions", lambda: {"sim": "0.0.1", "numpy": "1.0"})

    with pytest.raises(RuntimeError) as caught:
        rerun(path, model=model)
    message = str(caught.value)
    assert "6 of 6 replications differ, the first of them 0" in message
    assert "numpy: '2." in message
    assert "there, '1.0' here" in message
    assert "seizure.custom: Custom(fn=test_archive.surge (code" in message


def test_a_model_that_needs_another_engine_is_refused_before_any_work(tmp_path, monkeypatch):
    run_of(recipe_of(small(), State({}))).save(tmp_path / "small.nc")

    def refuse(engine: CompiledEngine, model: Model) -> None:
        raise TypeError("not here")

    monkeypatch.setattr(CompiledEngine, "check", refuse)
    with pytest.raises(TypeError, match="not here"):
        rerun(tmp_path / "small.nc")


@given(st.sets(st.integers(0, 60), min_size=1).map(sorted))
def test_stretches_hold_the_same_numbers(numbers):
    assert numbers == [number for stretch in archive._stretches(numbers) for number in stretch]


# ----------------------------------------------------------------------------------------------------- damage


def test_a_flipped_byte_anywhere_is_found(siege_file, tmp_path):
    whole = siege_file.read_bytes()
    copy = tmp_path / "flipped.nc"
    for place in {*range(0, len(whole), len(whole) // 200), *range(64), *range(len(whole) - 100, len(whole))}:
        changed = bytearray(whole)
        changed[place] ^= 1 << place % 8
        copy.write_bytes(changed)
        with pytest.raises(ValueError, match="every byte as it was written, but was not"):
            open_ensemble(copy)


@pytest.mark.parametrize("cut", [0, 1, 79, 80, 5000, -1, -80])
def test_a_file_cut_short_is_found(siege_file, tmp_path, cut):
    (tmp_path / "short.nc").write_bytes(siege_file.read_bytes()[:cut])

    with pytest.raises(ValueError, match=r"short\.nc must be a file that save\(\) wrote"):
        open_ensemble(tmp_path / "short.nc")


def test_a_file_of_others_is_refused(tmp_path):
    xarray.Dataset({"x": ("y", [1.0])}).to_netcdf(tmp_path / "other.nc", engine="h5netcdf")
    (tmp_path / "notes.txt").write_text("notes", encoding="utf-8")

    for name in ("other.nc", "notes.txt"):
        with pytest.raises(ValueError, match=r"must be a file that save\(\) wrote"):
            open_ensemble(tmp_path / name)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"open_ensemble: .*nowhere\.nc cannot be read: No such file"):
        open_ensemble(tmp_path / "nowhere.nc")
    with pytest.raises(IsADirectoryError, match="cannot be read: Is a directory"):
        open_ensemble(tmp_path)


# ------------------------------------------------------------------------------------------------------ the disk


def test_saving_leaves_one_file_that_others_may_read_as_any_other(siege_run, tmp_path):
    siege_run.save(str(tmp_path / "run.nc"))
    siege_run.save(tmp_path / "run.nc")

    assert ["run.nc"] == [path.name for path in tmp_path.iterdir()]
    (tmp_path / "any.txt").touch()
    assert (tmp_path / "any.txt").stat().st_mode == (tmp_path / "run.nc").stat().st_mode


def test_a_place_that_cannot_be_written_to_is_named(siege_run, siege_file, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"save: .*run\.nc cannot be written: No such file or directory"):
        siege_run.save(tmp_path / "nowhere" / "run.nc")
    with pytest.raises(NotADirectoryError, match="cannot be written: Not a directory"):
        siege_run.save(siege_file / "run.nc")
    with pytest.raises(OSError, match=r"save: \. cannot be written"):
        siege_run.save("")
    (tmp_path / "folder").mkdir()
    with pytest.raises(IsADirectoryError, match="cannot be written: Is a directory"):
        siege_run.save(tmp_path / "folder")
    assert ["folder"] == [path.name for path in tmp_path.iterdir()]


def test_a_full_disk_leaves_the_old_file_and_the_interpreter_alive(siege_file, tmp_path):
    pytest.importorskip("resource")
    shutil.copy(siege_file, tmp_path / "run.nc")
    code = (
        "import resource, signal\nfrom sim.archive import *\nrun = open_ensemble('run.nc')\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\nresource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))\n"
        "try:\n    run.save('run.nc')\nexcept OSError as error:\n    print(error)\n"
        "print(open_ensemble('run.nc').digest == run.digest)\n"
    )
    path = [str(ROOT), *(p for p in sys.path if p)]
    found = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path[:0] = {path!r}\n{code}"],
        capture_output=True, text=True, check=True, cwd=tmp_path,
    ).stdout.split("\n")  # fmt: skip

    assert "save: run.nc cannot be written: File too large; mend that, or name another place" in found[0]
    assert "True" == found[1]
    assert ["run.nc"] == [each.name for each in tmp_path.iterdir()]


def test_an_interrupted_save_leaves_nothing(siege_run, tmp_path, monkeypatch):
    def interrupt(handle: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(disk.os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        siege_run.save(tmp_path / "run.nc")
    assert [] == list(tmp_path.iterdir())


def test_the_plainest_run_is_saved_in_little(afghan, tmp_path):
    run = run_of(recipe_of(constant(afghan), State({}, datetime(2021, 8, 13))), range(10))
    run.save(tmp_path / "plain.nc")

    assert (tmp_path / "plain.nc").stat().st_size < 200_000
