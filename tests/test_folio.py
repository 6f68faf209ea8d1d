"""A folder of finished parts: what was put comes back or is found damaged, whatever stopped the run."""

from __future__ import annotations

import contextlib
import errno
import io
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sim.folio import Folio, versions
from sim.packing import differences

ROOT = Path(__file__).parent.parent
WHAT = {"seed": 7, "horizon": 30.0, "model": {"digest": "ab12", "terms": ["baseline", "neighbours"]}}
MANIFEST = "manifest.json"


def part(first: int, size: int = 5) -> tuple[dict[str, np.ndarray], list[Any]]:
    """Return arrays and notes that no other *first* has."""
    chance = np.random.default_rng(first)
    arrays = {"day": chance.random(size), "province": chance.integers(0, 34, size, np.int32)}
    return arrays, [{"replication": first, "traceback": "line 1\nline 2"}]


def assert_is(folder: Folio, first: int, stop: int, size: int = 5) -> None:
    arrays, notes = folder.get(first, stop)
    expected, said = part(first, size)
    assert notes == said
    assert arrays.keys() == expected.keys()
    for name, array in expected.items():
        assert arrays[name].dtype == array.dtype
        assert arrays[name].tobytes() == array.tobytes()


def begun(path: Path, *parts: tuple[int, int], what: dict[str, Any] = WHAT) -> Path:
    """Return *path*, made a folder of a run with these *parts*."""
    with Folio.open(path, what) as folder:
        for first, stop in parts:
            folder.put(first, stop, *part(first))
    return path


def files(path: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in path.iterdir()}


def part_files(path: Path) -> list[Path]:
    return sorted(path.glob("part-*.npz"))


def script(code: str, *words: object) -> list[str]:
    return [sys.executable, "-c", code, *map(str, words)]


def around() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}


# ------------------------------------------------------------------------------------------- what is put comes back

STRANGE = {
    "none": np.empty((0, 3), np.int8),
    "scalar": np.array(0.1),
    "signs": np.array([-0.0, np.inf, -np.inf, np.nan]),
    "bits": np.array([[True, False], [False, True]]),
    "file": np.arange(6, dtype=">i4").reshape(2, 3),
    "allow_pickle": np.array(["Kābul", ""]),
    "stamp": np.array(["2021-08-15"], "datetime64[D]"),
}


def test_arrays_and_notes_come_back_bit_for_bit(tmp_path):
    notes = [{"lone surrogate": "\udc80", "none": None}, [1, 0.1], "Ghaznī"]
    with Folio.open(tmp_path / "run", WHAT) as folder:
        folder.put(3, 4, STRANGE, notes)
    with Folio.open(tmp_path / "run", WHAT) as folder:
        arrays, said = folder.get(3, 4)

    assert said == notes
    assert arrays.keys() == STRANGE.keys()
    for name, array in STRANGE.items():
        assert (arrays[name].dtype, arrays[name].shape) == (array.dtype, array.shape)
        assert arrays[name].tobytes() == array.tobytes()


def test_numpy_alone_reads_a_part(tmp_path):
    begun(tmp_path / "run", (0, 5))
    (path,) = part_files(tmp_path / "run")

    with np.load(path, allow_pickle=False) as archive:
        assert np.array_equal(archive["day"], part(0)[0]["day"])


def test_equal_content_gives_equal_files_whatever_the_order_of_memory_of_names_and_of_parts(tmp_path, monkeypatch):
    square = np.arange(12.0).reshape(3, 4)
    with Folio.open(tmp_path / "one", WHAT) as folder:
        folder.put(0, 2, {"a": square, "b": square[:, 1]})
        folder.put(2, 3, {"a": square})
    monkeypatch.setattr(time, "time", lambda: 2e9)
    with Folio.open(tmp_path / "other", dict(reversed(WHAT.items()))) as folder:
        folder.put(2, 3, {"a": square})
        folder.put(0, 2, {"b": np.ascontiguousarray(square[:, 1]), "a": np.asfortranarray(square)})

    assert files(tmp_path / "one") == files(tmp_path / "other")


def test_finished_lists_the_parts_in_order_and_they_may_overlap(tmp_path):
    parts = [(100, 200), (0, 10), (5, 100), (0, 5), (4_294_967_290, 4_294_967_296)]
    begun(tmp_path / "run", *parts)

    with Folio.open(tmp_path / "run", WHAT) as folder:
        assert folder.finished == sorted(parts)
        for first, stop in parts:
            assert_is(folder, first, stop)


def test_a_part_put_again_is_left_alone_and_one_that_came_out_otherwise_is_refused(tmp_path):
    begun(tmp_path / "run", (0, 5))
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "run").iterdir()}

    with Folio.open(tmp_path / "run", WHAT) as folder:
        folder.put(0, 5, *part(0))
        with pytest.raises(RuntimeError, match="part 0–5 came out otherwise than the one that is kept"):
            folder.put(0, 5, *part(1))
        assert_is(folder, 0, 5)
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_objects_are_neither_written_nor_read(tmp_path):
    with Folio.open(tmp_path / "run", WHAT) as folder:
        with pytest.raises(TypeError, match=r"part 0–5: 'day' must be a name and an array of numbers, but was"):
            folder.put(0, 5, {"day": np.array([None])})
        with pytest.raises(TypeError, match=r"'\.\./day' must be a name"):
            folder.put(0, 5, {"../day": np.zeros(3)})
        assert files(tmp_path / "run").keys() == {MANIFEST, "lock"}

        pickled, buffer = io.BytesIO(), io.BytesIO()
        np.save(pickled, np.array([print]), allow_pickle=True)
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr("day.npy", pickled.getvalue())
            archive.writestr("notes.json", "[]")
        seal = folder._sealing(0, 5)
        seal.update(buffer.getvalue())
        folder._file(0, 5, seal.hexdigest()).write_bytes(buffer.getvalue())
    with Folio.open(tmp_path / "run", WHAT) as folder, pytest.raises(ValueError, match="allow_pickle=False"):
        folder.get(0, 5)


@pytest.mark.parametrize("notes", [[{1, 2}], [float("nan")], [b"bytes"]])
def test_notes_that_json_cannot_hold_are_refused(tmp_path, notes):
    with Folio.open(tmp_path / "run", WHAT) as folder:
        with pytest.raises((TypeError, ValueError), match="notes must be what JSON can hold, but was not: "):
            folder.put(0, 5, {}, notes)
        assert folder.finished == []


def test_a_part_must_have_a_place_and_the_folder_must_be_open(tmp_path):
    with Folio.open(tmp_path / "run", WHAT) as folder:
        for first, stop in [(5, 5), (6, 5), (-1, 5)]:
            with pytest.raises(ValueError, match=f"not be empty, but was {first}–{stop}"):
                folder.put(first, stop, {})
        folder.put(0, 5, {})
        with pytest.raises(ValueError, match=r"part must be one of \[\(0, 5\)\], but was \(0, 4\)"):
            folder.get(0, 4)
        assert repr(folder) == f"Folio of 1 finished parts in {tmp_path / 'run'}"
    with pytest.raises(ValueError, match="must be open to put a part, but was closed"):
        folder.put(5, 6, {})


# ------------------------------------------------------------------------------------------- one folder, one run


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({**WHAT, "seed": 8}, "seed must be 7, but was 8"),
        ({**WHAT, "horizon": 30}, "horizon must be 30.0, but was 30"),
        (
            {"seed": 7, "horizon": 30.0},
            'model must be {"digest": "ab12", "terms": ["baseline", "neighbours"]}, but was',
        ),
        ({**WHAT, "until": None}, "until must be absent, but was null"),
        ({**WHAT, "model": {**WHAT["model"], "digest": "cd"}}, 'model.digest must be "ab12", but was "cd"'),
        ({**WHAT, "seed": 8, "horizon": 1.5}, "horizon must be 30.0, but was 1.5; seed must be 7, but was 8"),
    ],
)
def test_another_run_is_refused_and_what_differs_is_said(tmp_path, other, said):
    begun(tmp_path / "run", (0, 5))
    before = files(tmp_path / "run")

    with pytest.raises(ValueError, match="holds another run") as caught:
        Folio.open(tmp_path / "run", other)
    assert said in str(caught.value)
    assert str(caught.value).endswith("Make the call it was begun with, or choose another folder")
    assert files(tmp_path / "run") == before
    Folio.open(tmp_path / "run", WHAT).close()  # though the error, still at hand, remembers the one refused


def test_of_long_values_the_place_where_they_differ_is_shown():
    (said,) = differences({"draws": list(range(500))}, {"draws": [*range(300), 7, *range(301, 500)]})

    assert said.startswith("draws must be …")
    assert "299, 300, 301" in said and "299, 7, 301" in said
    assert len(said) < 250


def test_the_caller_may_say_what_differs(tmp_path):
    begun(tmp_path / "run")

    with pytest.raises(ValueError, match=f"{tmp_path / 'run'}: holds another run: the seeds are 7 and 8. Make"):
        Folio.open(
            tmp_path / "run", {**WHAT, "seed": 8},
            differences=lambda there, here: [f"the seeds are {there['seed']} and {here['seed']}"],
        )  # fmt: skip


def test_a_tuple_is_a_list_to_json_and_the_run_is_the_same(tmp_path):
    begun(tmp_path / "run", what={"provinces": ("A", "B")})

    Folio.open(tmp_path / "run", {"provinces": ["A", "B"]}).close()


@pytest.mark.parametrize("what", [{"draws": np.zeros(2)}, {"horizon": float("inf")}])
def test_a_run_that_json_cannot_describe_is_refused_before_anything_is_made(tmp_path, what):
    with pytest.raises((TypeError, ValueError), match="what must be what JSON can hold, but was not"):
        Folio.open(tmp_path / "run", what)
    assert not (tmp_path / "run").exists()


def test_the_manifest_says_what_was_run_by_which_versions_and_lists_the_parts(tmp_path):
    begun(tmp_path / "run", (5, 9), (0, 5))
    manifest = json.loads((tmp_path / "run" / MANIFEST).read_text())

    assert manifest["what"] == WHAT
    assert manifest["versions"] == [versions()]
    assert versions().keys() == {"sim", "python", "numpy", "numba"}
    assert versions()["numpy"] == np.__version__
    assert manifest["parts"] == [path.name for path in part_files(tmp_path / "run")]


def test_another_version_of_sim_is_refused(tmp_path):
    begun(tmp_path / "run", (0, 5))

    with pytest.raises(ValueError, match=r'another version: sim must be "0\.\S+", but was "99"\. Go on with that ver'):
        Folio.open(tmp_path / "run", WHAT, library={**versions(), "sim": "99"})


def test_another_version_of_a_library_is_warned_of_and_noted_with_the_first_part_it_makes(tmp_path):
    begun(tmp_path / "run", (0, 5))
    newer = {**versions(), "numpy": "99.0"}

    with pytest.warns(RuntimeWarning, match=r'of other versions: numpy must be "\S+", but was "99.0". Bits may differ'):
        folder = Folio.open(tmp_path / "run", WHAT, library=newer)
    with folder:
        assert json.loads((tmp_path / "run" / MANIFEST).read_text())["versions"] == [versions()]
        folder.put(5, 9, *part(5))
    assert json.loads((tmp_path / "run" / MANIFEST).read_text())["versions"] == [versions(), newer]
    with pytest.warns(RuntimeWarning, match='numpy must be "99.0", but was'):
        begun(tmp_path / "run", (9, 10))
    assert json.loads((tmp_path / "run" / MANIFEST).read_text())["versions"] == [versions(), newer]


def test_a_folder_with_other_files_is_refused_and_nothing_is_left_in_it(tmp_path):
    (tmp_path / "thesis.tex").write_text("")

    with pytest.raises(ValueError, match=r"one with other files \(thesis.tex\); choose another folder"):
        Folio.open(tmp_path, WHAT)
    assert files(tmp_path) == {"thesis.tex": b""}


def test_a_file_laid_beside_a_run_does_not_stop_it_and_is_left_alone(tmp_path):
    begun(tmp_path / "run", (0, 5))
    for name in ("README", "other.npz", "part-1.npz.tmp"):
        (tmp_path / "run" / name).write_text(name)

    with Folio.open(tmp_path / "run", WHAT) as folder:
        assert folder.finished == [(0, 5)]
    assert {"README", "other.npz", "part-1.npz.tmp"} <= files(tmp_path / "run").keys()


@pytest.mark.parametrize("path", [None, 3, b"run", ["run"]])
def test_the_path_must_be_text_or_pathlike(path):
    with pytest.raises(TypeError, match="into must be the path of a folder, as str or PathLike, but was"):
        Folio.open(path, WHAT)


def test_an_empty_path_is_refused():
    with pytest.raises(ValueError, match="into must be the path of a folder, but was empty"):
        Folio.open("", WHAT)


def test_a_relative_path_stays_where_it_was_when_the_working_directory_changes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with Folio.open("runs/kabul", WHAT) as folder:
        monkeypatch.chdir("/")
        folder.put(0, 5, *part(0))

    assert len(part_files(tmp_path / "runs" / "kabul")) == 1


def test_a_second_run_in_the_same_folder_is_refused_until_the_first_is_closed(tmp_path):
    with Folio.open(tmp_path / "run", WHAT) as folder:
        folder.put(0, 5, *part(0))
        with pytest.raises(
            BlockingIOError, match=r"another run is at work in it; .*; wait for its end, or choose anot"
        ):
            Folio.open(tmp_path / "run", WHAT)
        folder.put(5, 9, *part(5))
    with Folio.open(tmp_path / "run", WHAT) as folder:
        assert folder.finished == [(0, 5), (5, 9)]


HOLDER = """
import os, sys, time
from sim.folio import Folio
folder = Folio.open(sys.argv[1], {"seed": 7})
child = os.fork() if sys.argv[2] == "with a forked worker" else 1
if child:
    print(child, flush=True)
time.sleep(60)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.parametrize("how", ["alone", "with a forked worker"])
def test_a_killed_run_lets_go_of_its_folder_even_if_a_worker_of_its_lives_on(tmp_path, how):
    with subprocess.Popen(
        script(HOLDER, tmp_path / "run", how), env=around(), stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        worker = int(holder.stdout.readline())
        try:
            with pytest.raises(BlockingIOError, match="another run is at work in it"):
                Folio.open(tmp_path / "run", {"seed": 7})
        finally:
            holder.kill()
            holder.wait()
        try:
            # A worker lets go as soon as it first runs, which a busy machine may put off beyond its parent's end.
            for attempt in range(100):
                with contextlib.suppress(BlockingIOError) if attempt < 99 else contextlib.nullcontext():
                    Folio.open(tmp_path / "run", {"seed": 7}).close()
                    break
                time.sleep(0.05)
        finally:
            if worker != 1:
                os.kill(worker, signal.SIGKILL)


@pytest.mark.skipif(sys.platform == "win32", reason="no fcntl here")
def test_a_disk_that_knows_no_locks_is_warned_of(tmp_path, monkeypatch):
    import fcntl

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", refuse)
    with pytest.warns(RuntimeWarning, match=r"cannot be locked \(No locks available\); see to it that no other run"):
        Folio.open(tmp_path / "run", WHAT).close()


# ------------------------------------------------------------------------------------------- damage is found


def test_a_flipped_byte_anywhere_in_a_part_is_found_at_opening_and_at_reading(tmp_path):
    begun(tmp_path / "run", (0, 5), (5, 9))
    path, _ = part_files(tmp_path / "run")
    sound, chance = path.read_bytes(), random.Random(1)

    for position in range(len(sound)):
        hurt = bytearray(sound)
        hurt[position] ^= chance.randrange(1, 256)
        with Folio.open(tmp_path / "run", WHAT) as folder:
            path.write_bytes(hurt)
            with pytest.raises(ValueError, match=f"{path}: must be as it was written, but has changed since") as caught:
                folder.get(0, 5)
            assert "delete it" in str(caught.value) and "the same call makes it again" in str(caught.value)
            assert_is(folder, 5, 9)
        with pytest.raises(ValueError, match=f"{path}: must be as it was written"):
            Folio.open(tmp_path / "run", WHAT)
        path.write_bytes(sound)


@pytest.mark.parametrize(
    "change", [lambda b: b[:-1], lambda b: b + b"\0", lambda b: b""], ids=["short", "long", "none"]
)
def test_a_part_cut_short_or_grown_is_found(tmp_path, change):
    begun(tmp_path / "run", (0, 5))
    (path,) = part_files(tmp_path / "run")
    path.write_bytes(change(path.read_bytes()))

    with pytest.raises(ValueError, match=f"{path}: must be as it was written"):
        Folio.open(tmp_path / "run", WHAT)


def test_a_deleted_part_is_made_again_with_the_same_bytes(tmp_path):
    begun(tmp_path / "run", (0, 5), (5, 9))
    before = files(tmp_path / "run")
    part_files(tmp_path / "run")[0].unlink()

    with Folio.open(tmp_path / "run", WHAT) as folder:
        assert folder.finished == [(5, 9)]
        folder.put(0, 5, *part(0))
    assert files(tmp_path / "run") == before


def test_a_part_that_vanishes_while_the_folder_is_open_is_an_error_of_reading(tmp_path):
    begun(tmp_path / "run", (0, 5))

    with Folio.open(tmp_path / "run", WHAT) as folder:
        part_files(tmp_path / "run")[0].unlink()
        with pytest.raises(FileNotFoundError, match="part 0–5 cannot be read: No such file or directory; 1 finished"):
            folder.get(0, 5)


def test_a_flipped_byte_anywhere_in_the_manifest_is_found_and_a_manifest_moved_away_is_made_again(tmp_path):
    begun(tmp_path / "run", (0, 5), (5, 9))
    path = tmp_path / "run" / MANIFEST
    sound, chance = path.read_bytes(), random.Random(2)

    hurts = [sound[:position] for position in range(0, len(sound), 7)]
    for position in range(len(sound)):
        hurts.append(sound[:position] + bytes([sound[position] ^ chance.randrange(1, 256)]) + sound[position + 1 :])
    for hurt in [*hurts, b"[]", b"null", b"{}"]:
        path.write_bytes(hurt)
        with pytest.raises(ValueError, match=f"{path}: must be as it was written, but has changed since; move it away"):
            Folio.open(tmp_path / "run", WHAT)
        assert path.read_bytes() == hurt

    path.rename(tmp_path / "away")
    with Folio.open(tmp_path / "run", WHAT) as folder:
        assert folder.finished == [(0, 5), (5, 9)]
    assert path.read_bytes() == sound


@pytest.mark.parametrize("with_manifest", [True, False])
def test_a_part_of_another_run_or_under_another_address_is_refused(tmp_path, with_manifest):
    begun(tmp_path / "run", (0, 5))
    other = begun(tmp_path / "other", (5, 9), what={**WHAT, "seed": 8})
    shutil.copy(part_files(other)[0], tmp_path / "run")
    if not with_manifest:
        (tmp_path / "run" / MANIFEST).unlink()

    with pytest.raises(ValueError, match=f"{part_files(other)[0].name}: must be as it was written, .* of another run"):
        Folio.open(tmp_path / "run", WHAT)

    (tmp_path / "run" / part_files(other)[0].name).unlink()
    (mine,) = part_files(tmp_path / "run")
    mine.rename(mine.with_name(mine.name.replace("-0000000005-", "-0000000006-")))
    with pytest.raises(ValueError, match=r"0000000006.*must be as it was written"):
        Folio.open(tmp_path / "run", WHAT)


def test_two_whole_parts_at_one_address_are_refused(tmp_path):
    begun(tmp_path / "run", (0, 5))
    with Folio.open(tmp_path / "copy", WHAT) as folder:
        folder.put(0, 5, *part(1))
    shutil.copy(part_files(tmp_path / "copy")[0], tmp_path / "run")

    with pytest.raises(ValueError, match="part 0–5 must be there once, but was twice; delete one of them"):
        Folio.open(tmp_path / "run", WHAT)


# ------------------------------------------------------------------------------------------- killed at any moment


def test_a_part_in_place_but_not_yet_in_the_manifest_is_adopted(tmp_path):
    begun(tmp_path / "run", (0, 5))
    earlier = (tmp_path / "run" / MANIFEST).read_bytes()
    begun(tmp_path / "run", (5, 9))
    later = (tmp_path / "run" / MANIFEST).read_bytes()
    (tmp_path / "run" / MANIFEST).write_bytes(earlier)

    with Folio.open(tmp_path / "run", WHAT) as folder:
        assert folder.finished == [(0, 5), (5, 9)]
        assert_is(folder, 5, 9)
    assert (tmp_path / "run" / MANIFEST).read_bytes() == later


def test_half_written_temporaries_are_swept_away(tmp_path):
    begun(tmp_path / "run", (0, 5))
    before = files(tmp_path / "run")
    (tmp_path / "run" / f"{part_files(tmp_path / 'run')[0].name}.tmp").write_bytes(b"PK")
    (tmp_path / "run" / f"{MANIFEST}.tmp").write_bytes(b"{")

    Folio.open(tmp_path / "run", WHAT).close()
    assert files(tmp_path / "run") == before


def test_content_is_on_the_disk_before_its_name_and_its_name_before_the_manifest(tmp_path, monkeypatch):
    told: list[str] = []
    sync, rename = os.fsync, os.replace

    def name_of(descriptor: int) -> str:
        return Path(os.readlink(f"/proc/self/fd/{descriptor}")).name[:4]

    def told_sync(descriptor: int) -> None:
        told.append(f"sync {name_of(descriptor)}")
        sync(descriptor)

    def told_rename(source: Path, target: Path) -> None:
        told.append(f"name {target.name[:4]}")
        rename(source, target)

    if not Path("/proc/self/fd").exists():
        pytest.skip("descriptors have no names here")
    monkeypatch.setattr(os, "fsync", told_sync)
    monkeypatch.setattr(os, "replace", told_rename)
    with Folio.open(tmp_path / "fold", WHAT) as folder:
        assert told == ["sync " + tmp_path.name[:4], "sync mani", "name mani", "sync fold"]
        told.clear()
        folder.put(0, 5, *part(0))
    assert told == ["sync part", "name part", "sync fold", "sync mani", "name mani", "sync fold"]


MORTAL = ("fsync", "replace", "unlink", "mkdir", "open", "close")


def put_until_step(path: Path, last: int) -> None:
    """Put two parts in a child process that dies before or after its system calls: at the *last* of those moments."""
    left = [last]

    def mortal(call: Callable[..., Any]) -> Callable[..., Any]:
        def step(*words: Any, **named: Any) -> Any:
            for moment in (0, 1):
                done = call(*words, **named) if moment else None
                left[0] -= 1
                if left[0] == 0:
                    os._exit(9)
            return done

        return step

    for name in MORTAL:
        setattr(os, name, mortal(getattr(os, name)))
    with Folio.open(path, WHAT) as folder:
        for first in (0, 5):
            folder.put(first, first + 5, *part(first))
            print(first, flush=True)
    os._exit(0)


def die_at_every_step(home: Path) -> None:
    """Run in a process of its own, for it forks: whatever the moment, what was reported as put is there, and whole."""
    unbroken = files(begun(home / "unbroken", (0, 5), (5, 10)))
    for last in range(1, 1000):
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.dup2(writing, 1)
            put_until_step(home / f"run {last}", last)
        os.close(writing)
        with os.fdopen(reading) as said:
            reported = [int(line) for line in said]
        _, status = os.waitpid(child, 0)
        with Folio.open(home / f"run {last}", WHAT) as folder:
            assert {first for first, _ in folder.finished} >= set(reported), last
            for first, stop in folder.finished:
                assert_is(folder, first, stop)
            for first in (0, 5):
                folder.put(first, first + 5, *part(first))
        assert files(home / f"run {last}") == unbroken, last
        if os.waitstatus_to_exitcode(status) == 0:
            print(last)
            return
    raise AssertionError("never came to the end")


def put_many(path: Path) -> None:
    with Folio.open(path, WHAT) as folder:
        print(-1, flush=True)
        for first in range(0, 1500, 5):
            if (first, first + 5) not in folder.finished:
                folder.put(first, first + 5, *part(first, 3000))
                print(first, flush=True)


def child(function: Callable[[Path], None], path: Path) -> list[str]:
    """Return the command that calls a *function* of this module with *path*."""
    code = "import sys, pathlib; sys.path.insert(0, sys.argv[1]); import test_folio as t; "
    return script(f"{code}t.{function.__name__}(pathlib.Path(sys.argv[2]))", Path(__file__).parent, path)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_dying_at_any_step_loses_nothing_that_was_put_and_shows_nothing_half_written(tmp_path):
    done = subprocess.run(child(die_at_every_step, tmp_path), env=around(), capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 50


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL here")
def test_killed_at_random_moments_it_loses_no_part_and_ends_with_the_files_of_an_unbroken_run(tmp_path):
    chance, times = random.Random(3), {}
    for _ in range(12):
        with subprocess.Popen(
            child(put_many, tmp_path / "run"), env=around(), stdout=subprocess.PIPE, text=True
        ) as run:
            assert run.stdout is not None
            first_word = run.stdout.readline()
            time.sleep(chance.uniform(0.0, 0.08))
            run.kill()
            reported = [int(line) for line in [first_word, *run.stdout] if line.endswith("\n")][1:]
        here = {path: path.stat().st_mtime_ns for path in part_files(tmp_path / "run")}
        assert times.items() <= here.items()
        times = here
        with Folio.open(tmp_path / "run", WHAT) as folder:
            assert {first for first, _ in folder.finished} >= set(reported)
            assert len(folder.finished) == len(here)
            for first, stop in folder.finished:
                assert_is(folder, first, stop, 3000)
        assert not list((tmp_path / "run").glob("*.tmp"))

    assert len(times) > 12
    put_many(tmp_path / "run")
    put_many(tmp_path / "unbroken")
    assert times.items() <= {path: path.stat().st_mtime_ns for path in part_files(tmp_path / "run")}.items()
    assert files(tmp_path / "run") == files(tmp_path / "unbroken")


def test_an_interrupt_from_the_keyboard_during_a_put_leaves_no_temporary(tmp_path, monkeypatch):
    sync, calls = os.fsync, []

    def interrupted(descriptor: int) -> None:
        calls.append(descriptor)
        if len(calls) == moment:
            raise KeyboardInterrupt
        sync(descriptor)

    for moment in range(1, 5):
        path = begun(tmp_path / f"run {moment}", (0, 5))
        with Folio.open(path, WHAT) as folder:
            calls.clear()
            monkeypatch.setattr(os, "fsync", interrupted)
            with pytest.raises(KeyboardInterrupt):
                folder.put(5, 9, *part(5))
            monkeypatch.undo()
            assert not list(path.glob("*.tmp"))
            folder.put(5, 9, *part(5))
        assert files(begun(path, (9, 10))) == files(begun(tmp_path / "unbroken", (0, 5), (5, 9), (9, 10)))


# ------------------------------------------------------------------------------------------- a disk that will not


def assert_kept(error: OSError, path: Path, *parts: tuple[int, int]) -> None:
    """Assert that *error* says what *path* keeps, and that it does keep these *parts*, whole and alone."""
    count = f"{len(parts)} finished part{'s' * (len(parts) != 1)} kept; "
    assert str(path) in str(error) and count in str(error)
    assert not list(path.glob("*.tmp"))
    with Folio.open(path, WHAT) as folder:
        assert folder.finished == sorted(parts)
        for first, stop in parts:
            assert_is(folder, first, stop)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS])
@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_an_error_of_the_disk_keeps_its_number_says_what_is_kept_and_is_got_over(tmp_path, monkeypatch, call, number):
    advice = {
        errno.ENOSPC: "make room, then make the same call again",
        errno.EDQUOT: "make room, then make the same call again",
        errno.EROFS: "choose a folder that you may write in",
        errno.EIO: "mend that, then make the same call again",
    }
    whole, calls = getattr(os, call), []

    def failing(*words: Any) -> None:
        calls.append(words)
        if len(calls) == moment:
            raise OSError(number, os.strerror(number))
        whole(*words)

    for moment in range(1, 5 if call == "fsync" else 3):
        path = begun(tmp_path / f"run {moment}", (0, 5))
        with Folio.open(path, WHAT) as folder:
            calls.clear()
            monkeypatch.setattr(os, call, failing)
            with pytest.raises(OSError, match=f"part 5–9 cannot be written: {os.strerror(number)}; ") as caught:
                folder.put(5, 9, *part(5))
            monkeypatch.undo()
            assert caught.value.errno == number
            assert str(caught.value).endswith(f"; {advice[number]}")
            assert_is(folder, 0, 5)
        kept = [(0, 5), (5, 9)][: len(part_files(path))]  # one in place is kept, though the manifest failed
        assert not list(path.glob("*.tmp"))
        with Folio.open(path, WHAT) as folder:
            assert folder.finished == kept
            folder.put(5, 9, *part(5))
        assert files(path) == files(begun(tmp_path / "unbroken", (0, 5), (5, 9)))


FULL = """
import pathlib, resource, sys
sys.path.insert(0, sys.argv[1])
import test_folio as t
path = pathlib.Path(sys.argv[2])
if sys.argv[3] == "limit":
    resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000))
elif sys.argv[3] == "full":
    path = t.begun(path / "run", (0, 5))
parts = [(0, 5)]
with t.Folio.open(path, t.WHAT) as folder:
    try:
        for first in range(5, 100, 5):
            folder.put(first, first + 5, *t.part(first, 10 * first))
            parts.append((first, first + 5))
        folder.put(200, 205, *t.part(200, 100000))
    except OSError as error:
        caught = error
t.assert_kept(caught, path, (0, 5)) if len(parts) == 1 else None
assert not list(path.glob("*.tmp"))
with t.Folio.open(path, t.WHAT) as folder:
    assert folder.finished == parts, folder.finished
    for first, stop in parts:
        t.assert_is(folder, first, stop, 10 * first or 5)
print(caught.errno, len(parts), caught)
"""


def test_a_file_that_may_not_grow_is_a_clear_error_and_leaves_the_finished_parts(tmp_path):
    pytest.importorskip("resource")
    path = begun(tmp_path / "run", (0, 5))
    command = script(FULL, Path(__file__).parent, path, "limit")
    done = subprocess.run(command, env=around(), capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    number, count, said = done.stdout.split(" ", 2)
    assert (int(number), int(count)) == (errno.EFBIG, 20)
    assert "part 200–205 cannot be written: File too large; 20 finished parts kept; make room, then" in said


def in_a_room_of_its_own(mount: str) -> list[str]:
    """Return the beginning of a command that runs the rest of it after *mount*, or skip the test where none may."""
    begin = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-ec"]
    if (
        shutil.which("unshare") is None
        or subprocess.run([*begin, "mount -t tmpfs -o size=64k none /mnt"], capture_output=True, check=False).returncode
    ):
        pytest.skip("no disk can be mounted here")
    return [*begin, f'{mount}; exec "$@"', "sh"]


def test_a_full_disk_is_a_clear_error_and_leaves_the_finished_parts(tmp_path):
    room = in_a_room_of_its_own(f"mount -t tmpfs -o size=128k none {tmp_path}")
    command = [*room, *script(FULL, Path(__file__).parent, tmp_path, "full")]
    done = subprocess.run(command, env=around(), capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    number, count, said = done.stdout.split(" ", 2)
    assert int(number) == errno.ENOSPC
    assert 1 < int(count) < 20
    assert f"No space left on device; {count} finished parts kept; make room, then make the same call again" in said


def test_a_disk_that_is_read_only_is_a_clear_error_at_opening(tmp_path):
    path = begun(tmp_path / "run", (0, 5))
    room = in_a_room_of_its_own(f"mount --bind {path} {path}; mount -o remount,ro,bind {path}")
    code = "import sys; from sim.folio import Folio; Folio.open(sys.argv[1], {})"
    done = subprocess.run([*room, *script(code, path)], env=around(), capture_output=True, text=True, check=False)

    assert f"OSError: [Errno {errno.EROFS}] {path}: cannot be opened: Read-only file system; nothing" in done.stderr
    assert "choose a folder that you may write in" in done.stderr


@pytest.fixture
def someone_else() -> Iterator[None]:
    """Let root be somebody to whom permissions apply."""
    if os.geteuid() == 0:
        os.seteuid(65534)
        yield
        os.seteuid(0)
    else:
        yield


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="no permissions here")
def test_an_unwritable_folder_is_a_clear_error_at_opening_and_nothing_is_changed(tmp_path, request):
    home = Path("/tmp") / f"folio-{os.getpid()}-{time.time_ns()}"  # tmp_path may be its owner's alone
    home.mkdir()
    try:
        begun(home / "run", (0, 5))
        before = files(home / "run")
        for path in [*(home / "run").iterdir()]:
            path.chmod(0o666)
        (home / "run").chmod(0o555)
        home.chmod(0o555)
        request.getfixturevalue("someone_else")
        for name in ("run", "new", "new/below"):
            with pytest.raises(
                PermissionError, match=r"cannot be opened: Permission denied; .*; choose a folder"
            ) as at:
                Folio.open(home / name, WHAT)
            assert str(home / name) in str(at.value)
        assert files(home / "run") == before
    finally:
        if os.getuid() == 0:
            os.seteuid(0)
        home.chmod(0o755)
        (home / "run").chmod(0o755)
        shutil.rmtree(home)


@pytest.mark.parametrize("below", ["", "run", "deep/run"])
def test_a_file_where_the_folder_should_be_is_a_clear_error(tmp_path, below):
    (tmp_path / "file").write_text("mine")

    with pytest.raises(NotADirectoryError, match=r"file is not a folder; .*; choose the name of a folder"):
        Folio.open(tmp_path / "file" / below, WHAT)
    assert (tmp_path / "file").read_text() == "mine"
