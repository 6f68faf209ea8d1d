"""The one verb: run a model forward from a start, over parameter draws and chance."""

from __future__ import annotations

import math
import os
import sys
import warnings
from collections.abc import Iterable, Mapping
from concurrent.futures import Executor
from contextlib import nullcontext
from typing import Any, Literal, Protocol, overload

import numpy as np
from numpy.typing import ArrayLike

from sim.control import State
from sim.engines.compiled import CompiledEngine, uncompiled
from sim.engines.simpy_engine import SimPyEngine, teller_of
from sim.ensemble import Ensemble, Passages, Run
from sim.folio import Folio
from sim.gathering import Gathered
from sim.keeping import folder_of, kept, put
from sim.law import Watch, same_watch
from sim.model import Draws, Model
from sim.progress import Progress, progress_bar
from sim.recipe import Engine, Recipe, Recording
from sim.spreading import cut, no_halt, spread, workers_of
from sim.theatre import Theatre

__all__ = ["Engine", "simulate"]


class Watched(Protocol):
    """What record="outcomes" can watch: any ``sim.outcomes.Outcome``."""

    @property
    def name(self) -> str:
        """What tables call it."""

    def watch(self, theatre: Theatre) -> Watch:
        """Return the watch on *theatre*."""


class Until(Protocol):
    """When to stop: ``sim.Precision``."""

    @property
    def outcome(self) -> Watched:
        """What it looks at."""

    def first(self, horizon: float) -> int:
        """Return how many replications the first look takes. Raise a ValueError if *horizon* is too near."""

    def following(self, runs: Run) -> int | None:
        """Return how many replications in all the next look takes; None if *runs* are enough."""


@overload
def simulate(
    model: Model, draws: Draws | Mapping[str, ArrayLike] | None = None, *, start: State, horizon: float,
    replications: int | range | None = None, seed: int, engine: Engine | None = None,
    executor: Executor | None = None, into: str | os.PathLike[str] | None = None,
    record: Literal["events"] = "events", outcomes: Iterable[Watched] = (), until: Until | None = None,
    progress: Progress = None,
) -> Ensemble: ...  # fmt: skip
@overload
def simulate(
    model: Model, draws: Draws | Mapping[str, ArrayLike] | None = None, *, start: State, horizon: float,
    replications: int | range | None = None, seed: int, engine: Engine | None = None,
    executor: Executor | None = None, into: str | os.PathLike[str] | None = None,
    record: Literal["outcomes"], outcomes: Iterable[Watched] = (), until: Until | None = None,
    progress: Progress = None,
) -> Passages: ...  # fmt: skip
def simulate(
    model: Model,
    draws: Draws | Mapping[str, ArrayLike] | None = None,
    *,
    start: State,
    horizon: float,
    replications: int | range | None = None,
    seed: int,
    engine: Engine | None = None,
    executor: Executor | None = None,
    into: str | os.PathLike[str] | None = None,
    record: Literal["events", "outcomes"] = "events",
    outcomes: Iterable[Watched] = (),
    until: Until | None = None,
    progress: Progress = None,
) -> Ensemble | Passages:
    """Run *model* forward and return an ensemble of trajectories.

    Parameters
    ----------
    model : Model
    draws : Draws, mapping of parameter name to value, or None
        Replication r uses draw r mod D. A posterior from ``sim.calibrate`` is draws; None will do where every
        parameter is fixed.
    start : State
        Control at the start; ``record.until(…).state()`` gives it.
    horizon : float
        Days since the start; what has not happened by then is censored.
    replications : int or range
        How many; or which, as ``range(10_000, 20_000)``: replication r is the same whichever others are run, and
        ``sim.merge`` puts runs together.
    seed : int
        Not negative. The same seed gives the same bits, and two models with one seed share every draw.
    engine : Engine, optional
        ``CompiledEngine()`` unless given; ``SimPyEngine()`` where a Custom term is a Python function. Both give the
        same bits. ``SimPyEngine(processes=[…])`` runs processes beside the race.
    executor : concurrent.futures.Executor, optional
        Who does the work. Unless given: a thread for each core; for 2,000 replications and more of the SimPy engine,
        processes, unless it has observers, or what the workers need stands in a notebook. Bits do not depend on it.
        For a Dask cluster: ``client.get_executor()``.
    into : path, optional
        A folder that receives parts as they are finished. The same call goes on where it was stopped, however it was
        stopped; with more replications it adds them.
    record : "events" or "outcomes"
        Whether to keep every event, or only what *outcomes* need: memory then does not grow with events.
    outcomes : iterable of Outcome
        What to watch with record="outcomes".
    until : Precision, optional
        In place of *replications*: add replications until an outcome's probability is that precise.
    progress : bool or function of the number of replications done, optional
        Unless given, a bar is shown on terminals, and in notebooks with ipywidgets, once a run lasts over a second.

    Returns
    -------
    Ensemble, or Passages with record="outcomes"

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range; if the draws or the start are of another model or theatre; if *into* holds
        parts of another run.
    OSError
        If *into* cannot be written to. What was finished is kept.
    RuntimeError
        If every replication failed, or the executor's workers died.

    Warns
    -----
    RuntimeWarning
        If some replications failed: the result lacks them, and ``.failures`` has them.
    """
    recipe = _recipe(model, draws, start, horizon, seed, engine)
    watched = _watched(record, outcomes, until, model.theatre)
    numbers = _numbers(replications, until, float(horizon))
    if executor is not None and not isinstance(executor, Executor):
        raise TypeError(
            f"simulate: executor must be a concurrent.futures.Executor, but was {executor!r}; "
            "a Dask client gives one with client.get_executor()"
        )
    recording = Recording(None if watched is None else tuple(watched.values()))
    gathered = Gathered(recipe, watched)
    with folder_of(into, recipe, watched) if into is not None else nullcontext() as folder:
        try:
            while True:
                _run(recipe, numbers, recording, executor, folder, gathered, progress)
                run = gathered.joined()
                more = None if until is None else until.following(run)
                if more is None or more <= numbers.stop:
                    break
                numbers = range(more)
        except KeyboardInterrupt:
            _say_stopped(folder, len(numbers))
            raise
    if run.failures:
        first = run.failures[0]
        warnings.warn(
            f"simulate: {len(run.failures)} of {len(numbers)} replications failed and are not in the result; the first "
            f"is replication {first.replication}: {first.traceback.strip().splitlines()[-1]} (.failures has them all)",
            RuntimeWarning, stacklevel=2,
        )  # fmt: skip
    return run


def _run(
    recipe: Recipe, numbers: range, recording: Recording, executor: Executor | None, folder: Folio | None,
    gathered: Gathered, progress: Progress,
) -> None:  # fmt: skip
    """Add to *gathered* all of *numbers* that are not there yet."""
    gathered.make_room(numbers)
    if folder is not None:
        for gap in gathered.missing(numbers):
            for piece, part in kept(folder, gap):
                gathered.add(piece, part)
    todo = gathered.missing(numbers)
    workers, count = workers_of(executor), sum(len(gap) for gap in todo)
    pieces = [piece for gap in todo for piece in cut(gap, count, recipe, workers)]
    done = len(numbers) - count
    with progress_bar(progress, f"simulating {recipe.model.name}", len(numbers), done) as tell:
        for piece, part in spread(recipe, pieces, recording, executor, no_halt(), count):
            if folder is not None:
                put(folder, piece, part)
            gathered.add(piece, part)
            done += len(piece)
            tell(done)


def _say_stopped(folder: Folio | None, count: int) -> None:
    if folder is None:
        print("simulate: stopped; nothing is kept without into='a folder'", file=sys.stderr)
        return
    kept = sum(stop - first for first, stop in folder.finished)
    print(
        f"simulate: stopped; {kept:,} of {count:,} replications are kept in {folder.path}, and the same call goes on "
        "from there",
        file=sys.stderr,
    )


def _recipe(
    model: Model, draws: Draws | Mapping[str, ArrayLike] | None, start: State, horizon: float, seed: int,
    engine: Engine | None,
) -> Recipe:  # fmt: skip
    if not isinstance(model, Model):
        raise TypeError(f"simulate: model must be a Model, but was {model!r}; sim.families has ready-made ones")
    if not (draws is None or isinstance(draws, (Draws, Mapping))):
        raise TypeError(f"simulate: draws must be Draws or values by parameter name, but was {draws!r}")
    if engine is not None and (isinstance(engine, type) or not isinstance(engine, Engine)):
        raise TypeError(f"simulate: engine must be an engine such as SimPyEngine(), but was {engine!r}")
    if isinstance(horizon, bool) or not isinstance(horizon, (int, float, np.number)):
        raise TypeError(f"simulate: horizon must be a number of days, but was {horizon!r}")
    if not 0.0 < horizon < math.inf:
        raise ValueError(f"simulate: horizon must be a positive finite number of days, but was {horizon!r}")
    if not isinstance(start, State):
        raise TypeError(f"simulate: start must be a State, but was {start!r}; record.until(…).state() gives one")
    rows = model.checked(draws) if isinstance(draws, Draws) else model.draws(draws)
    # A Python function in the law is asked at every event: SimPy's engine does that, with the same bits.
    fitting: Engine = SimPyEngine() if any(uncompiled(model)) else CompiledEngine()
    chosen = fitting if engine is None else engine
    chosen.check(model)
    return Recipe(model, rows, start, float(horizon), _seed(seed), chosen, teller_of(chosen))


def _seed(seed: int) -> int:
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)):
        raise TypeError(f"seed must be a non-negative integer, but was {seed!r}; runs are reproducible only with one")
    if seed < 0:
        raise ValueError(f"seed must be a non-negative integer, but was {seed!r}")
    return int(seed)


def _watched(
    record: str, outcomes: Iterable[Watched], until: Until | None, theatre: Theatre
) -> dict[str, Watch] | None:  # fmt: skip
    if record not in ("events", "outcomes"):
        raise ValueError(f"simulate: record must be 'events' or 'outcomes', but was {record!r}")
    if isinstance(outcomes, str) or not isinstance(outcomes, Iterable):
        raise TypeError(f"simulate: outcomes must be a list of outcomes, but was {outcomes!r}; write outcomes=[…]")
    outcomes = tuple(outcomes)
    for outcome in outcomes:
        if isinstance(outcome, type) or not hasattr(outcome, "watch"):
            raise TypeError(f"simulate: outcomes must be outcomes such as Pressure('half_ring'), but was {outcome!r}")
    if until is not None and not hasattr(until, "following"):
        raise TypeError(f"simulate: until must be a Precision, but was {until!r}")
    if record == "events":
        if outcomes:
            raise ValueError("simulate: outcomes are named for record='outcomes' only; events answer every outcome")
        return None
    asked: list[Any] = [*outcomes, *([] if until is None else [until.outcome])]
    watched: dict[str, Watch] = {}
    for outcome in asked:
        watch = outcome.watch(theatre)
        if not same_watch(watched.setdefault(outcome.name, watch), watch):
            raise ValueError(
                f"simulate: two outcomes are called {outcome.name!r} but ask for different things; name them apart"
            )
    return watched


def _numbers(replications: int | range | None, until: Until | None, horizon: float) -> range:
    if (replications is None) == (until is None):
        raise TypeError("simulate: give either replications, or until=Precision(…) to add them as needed")
    if until is not None:
        return range(until.first(horizon))
    if isinstance(replications, range):
        if replications.step != 1 or not 0 <= replications.start < replications.stop <= 2**32:
            raise ValueError(
                f"simulate: replications must be a range of step 1 within 0 to 2**32, but was {replications!r}"
            )
        return replications
    if isinstance(replications, bool) or not isinstance(replications, (int, np.integer)):
        raise TypeError(f"simulate: replications must be a positive integer, but was {replications!r}")
    if not 1 <= replications < 2**32:
        raise ValueError(f"simulate: replications must be from 1 to 2**32 - 1, but was {replications!r}")
    return range(int(replications))
