"""Parts of a run gathered as they come, in whatever order, until they are a run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.ensemble import Ensemble, Passages
from sim.law import Watch
from sim.recipe import Part, Recipe

__all__ = ["Gathered"]


class Gathered:
    """Parts by their first replication.

    Counts by day are added up as they come and columns are handed on part by part, so that a million replications are
    never in memory twice.
    """

    def __init__(self, recipe: Recipe, watched: Mapping[str, Watch] | None):
        self.recipe, self.watched = recipe, watched
        self._parts: dict[int, Part] = {}
        self._lost: NDArray[Any] | None = None

    def add(self, first: int, part: Part) -> None:
        """Add the *part* of replications from *first* on."""
        if "lost" in part.arrays:
            lost = part.arrays["lost"]
            self._lost = lost.astype(np.int64) if self._lost is None else self._lost + lost
            part = replace(part, arrays={name: array for name, array in part.arrays.items() if name != "lost"})
        self._parts[first] = part

    def missing(self, numbers: range) -> list[range]:
        """Return the stretches of *numbers* that are in no part."""
        gaps, at = [], numbers.start
        for first in sorted(self._parts):
            if at < first:
                gaps.append(range(at, first))
            at = first + self._parts[first].count
        if at < numbers.stop:
            gaps.append(range(at, numbers.stop))
        return gaps

    def joined(self) -> Ensemble | Passages:
        """Return all parts as a run, and go on with that as the one part.

        Raise a RuntimeError if every replication failed.
        """
        parts = self._parts.values()
        count = sum(len(part.arrays["numbers"]) for part in parts)
        if not count:
            failure = next(failure for part in parts for failure in part.failures)
            raise RuntimeError(f"simulate: every replication failed; the first so:\n{failure.traceback}")
        first, run = min(self._parts), self._join(count)
        names: tuple[str, ...] = ("numbers", "times")
        arrays: dict[str, Any] = {}
        if isinstance(run, Ensemble):
            names = ("numbers", "initial", "day", "province", "transition")
            arrays["sizes"] = np.diff(run.offsets)
        arrays |= {name: getattr(run, name) for name in names}
        self._parts = {first: Part(arrays, run.failures)}
        self._lost = run.lost if isinstance(run, Passages) else None
        return run

    def _join(self, count: int) -> Ensemble | Passages:
        if self.watched is None:
            return Ensemble.of(self.recipe, list(self._handed_on()))
        names, watches = tuple(self.watched), tuple(self.watched.values())
        return Passages.of(self.recipe, self._handed_on(), names, watches, count=count)

    def _handed_on(self) -> Iterator[Part]:
        for first in sorted(self._parts):
            part = self._parts.pop(first)
            if self._lost is not None and "times" in part.arrays:
                part, self._lost = replace(part, arrays={**part.arrays, "lost": self._lost}), None
            yield part
