"""A run as one file: opened, equal to the last bit, and made again from that file alone."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor
from typing import TYPE_CHECKING

import numpy as np

from sim.comparing import differences
from sim.engines.simpy_engine import teller_of
from sim.ensemble import Ensemble, Passages
from sim.law import Watch
from sim.model import Model
from sim.netcdf import circumstances, read
from sim.plain import Plain, from_plain, to_plain
from sim.recipe import Engine, Failure, Part, Recipe, Recording
from sim.spreading import cut, no_halt, spread, workers_of

if TYPE_CHECKING:
    from xarray import Dataset

__all__ = ["open_ensemble", "rerun"]


def open_ensemble(
    path: str | os.PathLike[str], *, model: Model | None = None, engine: Engine | None = None
) -> Ensemble | Passages:
    """Return the run that was saved to *path*, equal to the last bit.

    Parameters
    ----------
    path : str or PathLike
    model : Model, optional
        Needed only if the model has a Custom term, which no file can hold.
    engine : Engine, optional
        Needed only if SimPy processes ran beside the race.

    Raises
    ------
    ValueError
        If the file is not one of a saved run, or not as it was written, or *model* is another.
    OSError
        If there is no such file, or it cannot be read.
    """
    where = f"open_ensemble: {path}"
    dataset = read(path, where)
    elsewhere = json.loads(dataset.attrs["versions"]).get("python") != circumstances().get("python")
    recipe = _recipe(json.loads(dataset["recipe"].item()), model, engine, where, elsewhere)
    run = _ensemble(recipe, dataset) if dataset.attrs["record"] == "events" else _passages(recipe, dataset)
    if run.digest != dataset.attrs["digest"]:
        raise ValueError(f"{where}: the digest must be {dataset.attrs['digest']}, but was {run.digest}; it was altered")
    return run


def _ensemble(recipe: Recipe, dataset: Dataset) -> Ensemble:
    names = ("replication", "control_at_start", "row_size", "time", "province_index", "transition")
    numbers, initial, sizes, day, province, transition = (dataset[name].to_numpy() for name in names)
    offsets = np.concatenate([[0], np.cumsum(sizes)])
    return Ensemble(recipe, numbers, _failures(dataset), initial, offsets, day, province, transition)


def _passages(recipe: Recipe, dataset: Dataset) -> Passages:
    names = ("replication", "watch_weight", "watch_threshold", "first_passage", "replications_with")
    numbers, weights, least, times, lost = (dataset[name].to_numpy() for name in names)
    watches = tuple(Watch(weight, int(threshold)) for weight, threshold in zip(weights, least, strict=True))
    outcomes = tuple(map(str, dataset["outcome"].values))
    return Passages(recipe, numbers, _failures(dataset), outcomes, watches, times, lost)


def _failures(dataset: Dataset) -> tuple[Failure, ...]:
    if "failure" not in dataset.sizes:
        return ()
    numbers, draws, said = (dataset[f"failed_{name}"].to_numpy() for name in ("replication", "draw", "traceback"))
    return tuple(Failure(int(r), int(d), str(text)) for r, d, text in zip(numbers, draws, said, strict=True))


def _recipe(plain: Plain, model: Model | None, engine: Engine | None, where: str, elsewhere: bool) -> Recipe:
    """Return the recipe, *model* and *engine* in the place of those that were written, if given.

    Functions are told apart by their code too, unless the file was written *elsewhere*, by another Python.
    """
    parts: Mapping[str, Plain] = plain["Recipe"]
    asked = {"model": model, "engine": engine}
    given = {name: to_plain(value) for name, value in asked.items() if value is not None}
    sides = [{name: side[name] for name in given} for side in (parts, given)]
    if other := differences(*(map(_codeless, sides) if elsewhere else sides)):
        raise ValueError(f"{where} is of another run: {'; '.join(other)}. Pass the one it was made with")
    try:
        made = {name: from_plain(value) for name, value in parts.items() if name not in (*given, "teller")}
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from error
    made |= {name: value for name, value in asked.items() if value is not None}
    return Recipe(**made, teller=teller_of(made["engine"]))


def _codeless(plain: Plain) -> Plain:
    """Return *plain* with functions by name alone: their code looks otherwise to every version of Python."""
    text = json.dumps(plain)
    return json.loads(text, object_hook=lambda each: {**each, "code": ""} if set(each) == {"name", "code"} else each)


def rerun(
    path: str | os.PathLike[str],
    *,
    model: Model | None = None,
    engine: Engine | None = None,
    executor: Executor | None = None,
) -> Ensemble | Passages:
    """Make the run that was saved to *path* once more, from that file alone, and return it: the same bits.

    Parameters
    ----------
    path : str or PathLike
    model : Model, optional
        Needed only if the model has a Custom term, which no file can hold.
    engine : Engine, optional
        Needed only if SimPy processes ran beside the race.
    executor : concurrent.futures.Executor, optional
        As for ``sim.simulate``.

    Raises
    ------
    RuntimeError
        If it came out otherwise; the message says where, and which versions made the one and the other.
    ValueError, OSError
        As ``open_ensemble`` does.
    """
    was = open_ensemble(path, model=model, engine=engine)
    recipe = was.recipe
    recipe.engine.check(recipe.model)
    recording = Recording(was.watches if isinstance(was, Passages) else None)
    numbers = sorted({*was.numbers.tolist(), *(failure.replication for failure in was.failures)})
    workers = workers_of(executor)
    pieces = [piece for stretch in _stretches(numbers) for piece in cut(stretch, len(numbers), recipe, workers)]
    parts: dict[int, Part] = {}
    for piece, part in spread(recipe, pieces, recording, executor, no_halt(), len(numbers)):
        parts[piece.start] = part
    ordered = [parts[first] for first in sorted(parts)]
    now: Ensemble | Passages
    if isinstance(was, Passages):
        now = Passages.of(recipe, ordered, was.names, was.watches)
    else:
        now = Ensemble.of(recipe, ordered)
    if now.digest != was.digest:
        raise RuntimeError(f"rerun: {path} came out otherwise: {_otherwise(was, now)}{_changed(path, recipe)}")
    return now


def _stretches(numbers: Sequence[int]) -> Iterator[range]:
    """Yield *numbers*, ascending, as ranges."""
    first = 0
    while first < len(numbers):
        stop = first + 1
        step = numbers[stop] - numbers[first] if stop < len(numbers) else 1
        while stop < len(numbers) and numbers[stop] - numbers[stop - 1] == step:
            stop += 1
        yield range(numbers[first], numbers[stop - 1] + 1, step)
        first = stop


def _otherwise(was: Ensemble | Passages, now: Ensemble | Passages) -> str:
    """Return in words how *now* differs from *was*."""
    if not np.array_equal(was.numbers, now.numbers) or len(was.failures) != len(now.failures):
        there, here = (f"{len(run)} replications finished and {len(run.failures)} failed" for run in (was, now))
        return f"{there} there, {here} here"
    if isinstance(was, Ensemble) and isinstance(now, Ensemble):
        rows = [row for row in range(len(was)) if _story(was, row) != _story(now, row)]
    elif isinstance(was, Passages) and isinstance(now, Passages):
        rows = np.flatnonzero((was.times != now.times).any(axis=0)).tolist()
    if not rows:
        return "other counts of capitals lost by day"
    return f"{len(rows)} of {len(was)} replications differ, the first of them {was.numbers[rows[0]]}"


def _story(run: Ensemble, row: int) -> tuple[bytes, ...]:
    events = slice(run.offsets[row], run.offsets[row + 1])
    columns = (run.initial[row], run.day[events], run.province[events], run.transition[events])
    return tuple(column.tobytes() for column in columns)


def _changed(path: str | os.PathLike[str], recipe: Recipe) -> str:
    """Return what else is not as it was when the file was written: versions, and the code of functions."""
    dataset = read(path, f"rerun: {path}")
    told = differences(json.loads(dataset.attrs["versions"]), circumstances())
    told += differences(json.loads(dataset["recipe"].item()), to_plain(recipe))
    return f". What is not as it was: {'; '.join(told)}" if told else ""
