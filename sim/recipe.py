"""What it takes to make any replication of a run again, and the part of a run an engine hands back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from sim.book import Log
from sim.control import State
from sim.law import Watch
from sim.model import Draws, Model
from sim.watching import fold_log

__all__ = ["Engine", "Failure", "Halt", "Part", "Recipe", "Recording", "part_of"]

#: One flag: an engine looks at it between replications, and stops once it is not 0.
Halt = NDArray[np.uint8]


class Failure(NamedTuple):
    """A replication that raised: its address, and what was said."""

    replication: int
    draw: int
    traceback: str


@dataclass(frozen=True, eq=False)
class Recording:
    """What is kept of a run: its events (*watches* is None), with each term's share of the hazard if *shares*;
    or, of each watch, the first time it holds, and counts of capitals lost by day."""

    watches: tuple[Watch, ...] | None = None
    shares: bool = False


@dataclass(frozen=True, eq=False)
class Part:
    """Some replications of a run, as arrays by name.

    Always ``numbers``, shape (R,). Of events: ``initial`` (R, province), ``sizes`` (R,), ``day``, ``province``,
    ``transition`` and, if asked for, ``shares``. Of watches: ``times`` (watch, R) and ``lost`` (day, capitals lost).
    """

    arrays: Mapping[str, NDArray[np.generic]]
    failures: tuple[Failure, ...] = ()

    @property
    def count(self) -> int:
        """How many replications were run, those that failed included."""
        return len(self.arrays["numbers"]) + len(self.failures)


def part_of(
    recipe: Recipe, recording: Recording, log: Log, numbers: NDArray[np.int64], initial: NDArray[np.int8],
    ends: NDArray[np.int64], failures: tuple[Failure, ...] = (),
) -> Part:  # fmt: skip
    """Return the part that *log* holds: events of the i-th of *numbers* are its rows ends[i] to ends[i + 1]."""
    size = int(ends[-1])
    columns = {name: getattr(log, name)[:size].copy() for name in ("day", "province", "transition")}
    if recording.watches is not None:
        transitions = tuple(recipe.model.hazards)
        times, lost = fold_log(recording.watches, transitions, initial, ends, **columns, horizon=recipe.horizon)
        return Part({"numbers": numbers, "times": times, "lost": lost}, failures)
    if recording.shares:
        columns["shares"] = log.shares[:size].copy()
    return Part({"numbers": numbers, "initial": initial, "sizes": np.diff(ends), **columns}, failures)


@runtime_checkable
class Engine(Protocol):
    """A way to run the race."""

    @property
    def releases_lock(self) -> bool:
        """Whether threads help: the interpreter's lock is released while it runs."""

    def check(self, model: Model) -> None:
        """Raise a TypeError or ValueError if this engine cannot run *model*."""

    def run(self, recipe: Recipe, numbers: Sequence[int], recording: Recording, halt: Halt) -> Part:
        """Return the replications named by *numbers*, in that order; fewer if halted."""


@dataclass(frozen=True, eq=False)
class Recipe:
    """A run: replication r of it is the same bits whoever makes it, whenever, beside whatever else.

    Parameters
    ----------
    model : Model
    draws : Draws
        Columns in the model's order. Replication r uses draw r mod D.
    start : State
    horizon : float
        Days since the start.
    seed : int
    engine : Engine
    teller : Engine
        What tells one replication again: SimPy's engine, with the processes of the run and no observers, or the
        engine itself if it runs no race.
    """

    model: Model
    draws: Draws
    start: State
    horizon: float
    seed: int
    engine: Engine
    teller: Engine

    def __repr__(self) -> str:
        return (
            f"Recipe of {self.model.name}: {len(self.draws)} draws, horizon {self.horizon:g} days, seed {self.seed}, "
            f"{type(self.engine).__name__}"
        )
