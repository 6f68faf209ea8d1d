"""Many replications of a run, as columns with labels: event logs, or what was watched of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from sim import datasets
from sim.control import TRANSITIONS, Control
from sim.law import Watch, same_watch
from sim.recipe import Failure, Part, Recipe, Recording
from sim.run import Run
from sim.story import Event, Story, event_of
from sim.watching import fold_log

if TYPE_CHECKING:
    import xarray

__all__ = ["Ensemble", "Event", "Passages", "Run", "Story"]

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True, eq=False, repr=False)
class Ensemble(Run):
    """Trajectories of control: R replications, E events in all, n provinces.

    Parameters
    ----------
    initial : ndarray of int8, shape (R, n)
        Control at the start.
    offsets : ndarray of int64, shape (R + 1,)
        Events of replication r are rows ``offsets[r]`` (inclusive) to ``offsets[r + 1]`` (exclusive).
    day : ndarray, shape (E,)
        Days since the start.
    province : ndarray of int32, shape (E,)
        Index of the province.
    transition : ndarray of int8, shape (E,)
        Index of the transition in ``transitions``.
    """

    initial: NDArray[np.int8]
    offsets: Ints
    day: Floats
    province: NDArray[np.int32]
    transition: NDArray[np.int8]

    def __post_init__(self) -> None:
        self._freeze()

    @classmethod
    def of(cls, recipe: Recipe, parts: Sequence[Part]) -> Ensemble:
        """Return *parts* put together, in the order of their replications."""
        columns = _joined(parts, ("numbers", "initial", "sizes", "day", "province", "transition"))
        offsets = np.concatenate([[0], np.cumsum(columns.pop("sizes"))])
        return cls(recipe=recipe, failures=_failures(parts), offsets=offsets, **columns)

    def __repr__(self) -> str:
        return (
            f"Ensemble of {len(self)} replications of {self.model.name}: {len(self.day)} events to day "
            f"{self.horizon:g}, {self._tail()}"
        )

    def _arrays(self) -> dict[str, NDArray[Any]]:
        names = ("numbers", "initial", "offsets", "day", "province", "transition")
        return {name: getattr(self, name) for name in names}

    @property
    def transitions(self) -> tuple[str, ...]:
        """Names that the column ``transition`` indexes."""
        return tuple(self.model.hazards)

    @property
    def terms(self) -> tuple[tuple[str, ...], ...]:
        """For each transition, the terms of the first columns of ``shares``; the last column is for processes."""
        return tuple(self.model.terms.values())

    @property
    def source(self) -> NDArray[np.int8]:
        """Control each event left, shape (E,)."""
        return np.array([TRANSITIONS[name].source for name in self.transitions], np.int8)[self.transition]

    @property
    def target(self) -> NDArray[np.int8]:
        """Control each event entered, shape (E,)."""
        return np.array([TRANSITIONS[name].target for name in self.transitions], np.int8)[self.transition]

    @property
    def replication(self) -> Ints:
        """The row of ``numbers`` that each event belongs to, shape (E,)."""
        return np.repeat(np.arange(len(self)), np.diff(self.offsets))

    @cached_property
    def shares(self) -> Floats:
        """Each term's share of the hazard at each event, shape (E, terms + 1); found by running again.

        They sum to 1, or to 0 where no hazard played a part; a restraining term's is negative. Raise a RuntimeError if
        the run could not be made again.
        """
        return self._again(np.arange(len(self)))

    def _row(self, replication: int, where: str) -> int:
        row = int(np.searchsorted(self.numbers, replication))
        if row < len(self) and self.numbers[row] == replication:
            return row
        if any(failure.replication == replication for failure in self.failures):
            raise IndexError(f"{where}: replication {replication!r} failed; .failures has its traceback")
        gaps = len(self) + len(self.failures) < self.numbers[-1] - self.numbers[0] + 1
        raise IndexError(
            f"{where}: replication must be from {self.numbers[0]} to {self.numbers[-1]}"
            f"{', and one that was run' if gaps else ''}, but was {replication!r}"
        )

    def _again(self, rows: Ints) -> Floats:
        whole = len(rows) > 1 and self.recipe.engine.releases_lock
        engine = self.recipe.engine if whole else self.recipe.teller
        part = engine.run(self.recipe, self.numbers[rows].tolist(), Recording(shares=True), np.zeros(1, np.uint8))
        mine = np.concatenate(
            [np.arange(self.offsets[row], self.offsets[row + 1]) for row in rows] or [np.zeros(0, int)]
        )
        for name in ("day", "province", "transition"):
            if not np.array_equal(part.arrays[name], getattr(self, name)[mine]):
                which = f"replication {self.numbers[rows[0]]}" if len(rows) == 1 else "the run"
                raise RuntimeError(
                    f"replay: {which} came out otherwise; a process that remembers other replications cannot be "
                    "replayed"
                )
        return np.asarray(part.arrays["shares"], float)

    def events(self, replication: int) -> Iterator[Event]:
        """Yield the events of one *replication*, in order. Raise an IndexError if there is no such replication."""
        row = self._row(replication, "ensemble")
        begin = int(self.offsets[row])
        for j, shares in enumerate(self._again(np.array([row]))):
            e = begin + j
            yield event_of(self.model, float(self.day[e]), int(self.province[e]), int(self.transition[e]), shares)

    def control_at(self, day: float) -> NDArray[np.int8]:
        """Return control of each province on *day* since the start, events of that instant included, shape (R, n)."""
        if not 0.0 <= day <= self.horizon:
            raise ValueError(f"control_at: day must be from 0 to the horizon {self.horizon:g}, but was {day!r}")
        control = self.initial.copy()
        rows = self.day <= day
        # Of several events of one capital, NumPy keeps the last assignment, and rows are in order of time.
        control[self.replication[rows], self.province[rows]] = self.target[rows]
        return control

    def lost_at(self, day: float) -> Ints:
        """Return how many capitals are lost on *day* since the start, shape (R,)."""
        return np.asarray((self.control_at(day) == Control.INSURGENT).sum(axis=1), np.int64)

    def first_passage(self, watch: Watch) -> Floats:
        times, _ = fold_log(
            [watch], self.transitions, self.initial, self.offsets, self.day, self.province, self.transition, horizon=0.0
        )  # counts by day are not asked for: day 0 is the least there is
        return np.asarray(times[0])

    def replay(self, *, replication: int) -> Story:
        """Return one *replication* told event by event, run again alone by the SimPy engine.

        Raise an IndexError if there is no such replication, a RuntimeError if the run could not be made again.
        """
        row = self._row(replication, "replay")
        return Story(self.recipe, replication, self.initial[row], list(self.events(replication)))

    def to_xarray(self, *, days: Sequence[float] | None = None) -> xarray.Dataset:
        """Return events as a Dataset with labels, and control of every province on *days* since the start if given.

        See ``sim.datasets.of_ensemble``. Raise a ValueError if *days* do not ascend or leave the horizon.
        """
        return datasets.of_ensemble(self, days)


@dataclass(frozen=True, eq=False, repr=False)
class Passages(Run):
    """What named outcomes need of R replications, watched as they ran; their events were not kept.

    Parameters
    ----------
    names : tuple of str
        Names of the outcomes.
    watches : tuple of Watch
    times : ndarray, shape (outcome, R)
        First day since the start on which each was true; inf if not by the horizon.
    lost : ndarray of int64, shape (day, capitals lost)
        Of how many replications so many capitals were lost at the end of each day; day 0 is the start.
    """

    names: tuple[str, ...]
    watches: tuple[Watch, ...]
    times: Floats
    lost: Ints

    def __post_init__(self) -> None:
        self._freeze()

    @classmethod
    def of(cls, recipe: Recipe, parts: Sequence[Part], names: tuple[str, ...], watches: tuple[Watch, ...]) -> Passages:
        """Return *parts* put together, in the order of their replications."""
        columns = _joined(parts, ("numbers",))
        times = np.concatenate([part.arrays["times"] for part in parts], axis=1).astype(float, copy=False)
        lost = np.asarray(np.sum([part.arrays["lost"] for part in parts], axis=0), np.int64)
        return cls(
            recipe=recipe, failures=_failures(parts), names=names, watches=watches, times=times, lost=lost, **columns
        )

    def __repr__(self) -> str:
        return (
            f"Passages of {len(self)} replications of {self.model.name} to day {self.horizon:g}: "
            f"{', '.join(self.names) or 'counts by day'}, {self._tail()}"
        )

    def _arrays(self) -> dict[str, NDArray[Any]]:
        watched = {f"{name} {watch.threshold}": watch.weights for name, watch in self.watched.items()}
        return {"numbers": self.numbers, "times": self.times, "lost": self.lost, **watched}

    @property
    def watched(self) -> dict[str, Watch]:
        """The watches by the names of their outcomes."""
        return dict(zip(self.names, self.watches, strict=True))

    def first_passage(self, watch: Watch) -> Floats:
        for mine, times in zip(self.watches, self.times, strict=True):
            if same_watch(mine, watch):
                return np.asarray(times)
        raise ValueError(
            f"first_passage: this was not watched, only {', '.join(self.names) or 'counts by day'}; "
            "name the outcome in simulate(outcomes=…), or keep record='events'"
        )

    def to_xarray(self) -> xarray.Dataset:
        return datasets.of_passages(self)


def _joined(parts: Sequence[Part], names: Sequence[str]) -> dict[str, NDArray[Any]]:
    if len(parts) == 1:
        return {name: parts[0].arrays[name] for name in names}
    return {name: np.concatenate([part.arrays[name] for part in parts]) for name in names}


def _failures(parts: Sequence[Part]) -> tuple[Failure, ...]:
    return tuple(failure for part in parts for failure in part.failures)
