"""Parts of a run gathered as they come, in whatever order, until they are a run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.ensemble import Ensemble, Passages
from sim.law import Watch
from sim.recipe import Failure, Part, Recipe
from sim.watching import empty_counts

__all__ = ["Gathered"]


class Gathered:
    """What has come of a run so far. Make room for replications before they are added."""

    def __init__(self, recipe: Recipe, watched: Mapping[str, Watch] | None):
        self.recipe, self.watched = recipe, watched
        self._stops: dict[int, int] = {}  # of what has come, by first replication
        self._failures: list[Failure] = []
        # Events wait part by part. Times are written where they belong at once: freed parts leave holes in memory.
        self._parts: dict[int, Part] = {}
        self._first = 0
        self._times: NDArray[Any] = np.empty((len(watched or ()), 0))
        self._come: NDArray[np.bool_] = np.zeros(0, bool)
        self._lost = empty_counts(recipe.horizon, len(recipe.model.theatre.provinces)) if watched is not None else None

    def make_room(self, numbers: range) -> None:
        """Make room for the replications *numbers*, which begin where those before began, if there were any."""
        if self.watched is None:
            return
        times, come = np.empty((len(self._times), len(numbers))), np.zeros(len(numbers), bool)
        times[:, : self._times.shape[1]], come[: len(self._come)] = self._times, self._come
        self._first, self._times, self._come = numbers.start, times, come

    def add(self, piece: range, part: Part) -> None:
        """Add the *part* of the replications *piece*."""
        self._stops[piece.start] = piece.stop
        self._failures += part.failures
        if self._lost is None:
            self._parts[piece.start] = part
            return
        rows = np.asarray(part.arrays["numbers"], np.int64) - self._first
        self._times[:, rows] = part.arrays["times"]
        self._come[rows] = True
        self._lost = self._lost + part.arrays["lost"].astype(np.int64)

    def missing(self, numbers: range) -> list[range]:
        """Return the stretches of *numbers* that have not come."""
        gaps, at = [], numbers.start
        for first in sorted(self._stops):
            if at < first:
                gaps.append(range(at, first))
            at = self._stops[first]
        if at < numbers.stop:
            gaps.append(range(at, numbers.stop))
        return gaps

    def joined(self) -> Ensemble | Passages:
        """Return what has come as a run. Raise a RuntimeError if every replication failed."""
        failures = sorted(self._failures)
        if len(failures) == sum(stop - first for first, stop in self._stops.items()):
            raise RuntimeError(f"simulate: every replication failed; the first so:\n{failures[0].traceback}")
        if self.watched is None or self._lost is None:
            return Ensemble.of(self.recipe, [self._parts[first] for first in sorted(self._parts)])
        numbers = self._first + np.flatnonzero(self._come)
        times = self._times if self._come.all() else self._times[:, self._come]
        names, watches = tuple(self.watched), tuple(self.watched.values())
        return Passages(self.recipe, numbers, tuple(failures), names, watches, times, self._lost)
