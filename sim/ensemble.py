"""Event logs of many replications, as columns with labels."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from sim.control import Control, State
from sim.law import Watch
from sim.theatre import Theatre

__all__ = ["Ensemble", "Event", "Story"]

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]


class Event(NamedTuple):
    """One change of control: its *day* since the start, and each term's share of the hazard at that moment."""

    day: float
    province: str
    source: Control
    target: Control
    transition: str
    shares: dict[str, float]


@dataclass(frozen=True, eq=False)
class Ensemble:
    """Trajectories of control: R replications, E events in all, n provinces.

    Parameters
    ----------
    provinces : tuple of str, length n
    transitions : tuple of str
        Names that the column ``transition`` indexes.
    terms : tuple of tuple of str
        For each transition, the terms whose shares of the hazard the first columns of ``shares`` hold; the last
        column holds the share of processes.
    initial : ndarray of int8, shape (R, n)
        Control at the start.
    offsets : ndarray of int64, shape (R + 1,)
        Events of replication r are rows ``offsets[r]`` (inclusive) to ``offsets[r + 1]`` (exclusive).
    day : ndarray, shape (E,)
        Days since the start.
    province, source, target, transition : ndarray of int, shape (E,)
    shares : ndarray, shape (E, terms + 1)
        They sum to 1; a restraining term's is negative.
    draw : ndarray of int64, shape (R,)
        The parameter draw each replication used.
    horizon : float
        Days since the start after which nothing was watched (right-censoring).
    seed : int
    start : State
    model : str
    theatre : Theatre
    """

    provinces: tuple[str, ...]
    transitions: tuple[str, ...]
    terms: tuple[tuple[str, ...], ...]
    initial: NDArray[np.int8]
    offsets: Ints
    day: Floats
    province: NDArray[np.int32]
    source: NDArray[np.int8]
    target: NDArray[np.int8]
    transition: NDArray[np.int8]
    shares: Floats
    draw: Ints
    horizon: float
    seed: int
    start: State
    model: str
    theatre: Theatre
    replayer: Callable[[int], Ensemble] | None = field(repr=False, default=None)

    def __post_init__(self) -> None:
        for name in ("initial", "offsets", "day", "province", "source", "target", "transition", "shares", "draw"):
            getattr(self, name).flags.writeable = False

    def __len__(self) -> int:
        return len(self.initial)

    def __repr__(self) -> str:
        return (
            f"Ensemble of {len(self)} replications of {self.model}: {len(self.day)} events to day {self.horizon:g}, "
            f"{int(self.draw.max()) + 1} draws, seed {self.seed}"
        )

    @property
    def replications(self) -> int:
        """How many trajectories there are."""
        return len(self.initial)

    @property
    def replication(self) -> Ints:
        """The replication of each event, shape (E,)."""
        return np.repeat(np.arange(len(self)), np.diff(self.offsets))

    def events(self, replication: int) -> Iterator[Event]:
        """Yield the events of one *replication*, in order. Raise an IndexError if there is no such replication."""
        if not 0 <= replication < len(self):
            raise IndexError(f"ensemble: replication must be from 0 to {len(self) - 1}, but was {replication!r}")
        for e in range(self.offsets[replication], self.offsets[replication + 1]):
            labels = self.terms[self.transition[e]]
            shares = {name: float(self.shares[e, j]) for j, name in enumerate(labels)}
            if self.shares[e, -1] != 0.0:
                shares["processes"] = float(self.shares[e, -1])
            yield Event(
                float(self.day[e]), self.provinces[self.province[e]], Control(self.source[e]), Control(self.target[e]),
                self.transitions[self.transition[e]], shares,
            )  # fmt: skip

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
        """Return the first day since the start on which *watch* is true, shape (R,); inf if not by the horizon."""
        weights = watch.weights
        step = weights[self.province, self.target] - weights[self.province, self.source]
        running = np.concatenate([[0], np.cumsum(step)])
        at_start = weights[np.arange(len(self.provinces)), self.initial].sum(axis=1)
        owner = self.replication
        level = at_start[owner] + running[1:] - running[self.offsets[owner]]
        time = np.full(len(self), np.inf)
        hits = np.flatnonzero(level >= watch.threshold)
        first, position = np.unique(owner[hits], return_index=True)
        time[first] = self.day[hits[position]]
        time[at_start >= watch.threshold] = 0.0
        return time

    def replay(self, *, replication: int) -> Story:
        """Return one *replication* told event by event, run again alone by the SimPy engine.

        Raise an IndexError if there is no such replication, a RuntimeError if the run could not be made again.
        """
        if not 0 <= replication < len(self):
            raise IndexError(f"replay: replication must be from 0 to {len(self) - 1}, but was {replication!r}")
        if self.replayer is None:
            raise RuntimeError("replay: this ensemble was not made by sim.simulate, so it cannot be run again")
        again = self.replayer(replication)
        rows = slice(self.offsets[replication], self.offsets[replication + 1])
        if not (np.array_equal(again.day, self.day[rows]) and np.array_equal(again.province, self.province[rows])):
            raise RuntimeError(
                f"replay: replication {replication} came out otherwise; a process that remembers other replications "
                "cannot be replayed"
            )
        return Story(again, replication)


@dataclass(frozen=True, eq=False)
class Story:
    """One replication, told: ``str(story)`` or ``story.events``."""

    ensemble: Ensemble
    replication: int

    @property
    def events(self) -> list[Event]:
        """The events, in order."""
        return list(self.ensemble.events(0))

    def __str__(self) -> str:
        run, instant = self.ensemble, self.ensemble.start.instant
        lost = int((run.initial[0] == Control.INSURGENT).sum())
        lines = [
            f"{run.model}, seed {run.seed}, replication {self.replication}: "
            f"{lost} of {len(run.provinces)} lost at the start"
        ]
        for event in self.events:
            lost += (event.target is Control.INSURGENT) - (event.source is Control.INSURGENT)
            causes = ", ".join(f"{name} {share:.0%}" for name, share in event.shares.items())
            what = f"{event.province}: {event.transition}, {event.source.name.lower()} to {event.target.name.lower()}"
            lines.append(f"{_when(event.day, instant)}  {what}; {lost} lost  [{causes}]")
        lines.append(f"{_when(run.horizon, instant)}  end of the horizon; {lost} lost")
        return "\n".join(lines)


def _when(day: float, instant: datetime | None) -> str:
    if instant is None:
        return f"day {day:8.3f}"
    return f"day {day:8.3f} ({instant + timedelta(days=day):%d %b %H:%M})"
