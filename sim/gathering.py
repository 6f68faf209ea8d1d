"""Parts of a run gathered as they come, in whatever order, until they are a run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.ensemble import Ensemble, Passages
from sim.law import Watch
from sim.pages import arrays_of
from sim.recipe import Failure, Part, Recipe
from sim.watching import empty_counts

__all__ = ["Gathered"]

_COLUMNS: dict[str, Any] = {
    "numbers": np.int64, "initial": np.int8, "sizes": np.int64, "day": np.float64, "province": np.int32,
    "transition": np.int8,
}  # fmt: skip
#: Room for events is made for so many times as are to be expected from those that have come.
_SPARE = 1.05


class _Columns:
    """Events of parts, one after the other. A part is copied and let go of: memory it had serves the next one."""

    def __init__(self) -> None:
        self._arrays: dict[str, NDArray[Any]] = {}
        self._sizes = dict.fromkeys(_COLUMNS, 0)

    def add(self, part: Part, share: float) -> None:
        """Add *part*, of a run of which with it so large a *share* has come."""
        if self._arrays and not len(part.arrays["numbers"]):  # all of it failed
            return
        begins = self._sizes
        self._sizes = {name: size + len(part.arrays[name]) for name, size in begins.items()}
        if not self._arrays and share == 1.0:
            self._arrays = {name: part.arrays[name] for name in _COLUMNS}
            return
        if not self._arrays or any(size > len(self._arrays[name]) for name, size in self._sizes.items()):
            self._grow(part, begins, _SPARE / share)
        for name, size in self._sizes.items():
            self._arrays[name][begins[name] : size] = part.arrays[name]

    def _grow(self, part: Part, sizes: Mapping[str, int], times: float) -> None:
        shapes = {name: part.arrays[name].shape[1:] for name in _COLUMNS}
        larger = arrays_of({
            name: (_COLUMNS[name], (int(times * size) + 1, *shapes[name]))
            for name, size in self._sizes.items()
        })  # fmt: skip
        for name, array in self._arrays.items():
            larger[name][: sizes[name]] = array[: sizes[name]]
        self._arrays = larger

    def joined(self, failures: tuple[Failure, ...]) -> Part:
        """Return what has come as one part, with these *failures*."""
        return Part({name: self._arrays[name][:size] for name, size in self._sizes.items()}, failures)


class Gathered:
    """What has come of a run so far. Make room for replications before they are added."""

    def __init__(self, recipe: Recipe, watched: Mapping[str, Watch] | None):
        self.recipe, self.watched = recipe, watched
        self._stops: dict[int, int] = {}  # of what has come, by first replication
        self._failures: list[Failure] = []
        # Events wait for those before them. Times are written where they belong at once: freed parts leave holes in
        # memory.
        self._waiting: dict[int, tuple[range, Part]] = {}
        self._columns = _Columns()
        self._numbers, self._next = range(0), 0
        self._times: NDArray[Any] = np.empty((len(watched or ()), 0))
        self._come: NDArray[np.bool_] = np.zeros(0, bool)
        self._lost = empty_counts(recipe.horizon, len(recipe.model.theatre.provinces)) if watched is not None else None

    def make_room(self, numbers: range) -> None:
        """Make room for the replications *numbers*, which begin where those before began, if there were any."""
        if not self._numbers:
            self._next = numbers.start
        self._numbers = numbers
        if self.watched is None:
            return
        times = arrays_of({"times": (np.float64, (len(self._times), len(numbers)))})["times"]
        come = np.zeros(len(numbers), bool)
        times[:, : self._times.shape[1]], come[: len(self._come)] = self._times, self._come
        self._times, self._come = times, come

    def add(self, piece: range, part: Part) -> None:
        """Add the *part* of the replications *piece*."""
        self._stops[piece.start] = piece.stop
        self._failures += part.failures
        if self._lost is None:
            self._waiting[piece.start] = piece, part
            while self._next in self._waiting:
                piece, part = self._waiting.pop(self._next)
                self._next = piece.stop
                self._columns.add(part, (self._next - self._numbers.start) / len(self._numbers))
            return
        numbers = np.asarray(part.arrays["numbers"], np.int64) - self._numbers.start
        # A slice, which is faster, where none is missing.
        rows = slice(numbers[0], numbers[-1] + 1) if len(numbers) == len(piece) else numbers
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
        failures = tuple(sorted(self._failures))
        if len(failures) == sum(stop - first for first, stop in self._stops.items()):
            raise RuntimeError(f"simulate: every replication failed; the first so:\n{failures[0].traceback}")
        if self.watched is None or self._lost is None:
            return Ensemble.of(self.recipe, [self._columns.joined(failures)])
        numbers = self._numbers.start + np.flatnonzero(self._come)
        times = self._times if self._come.all() else self._times[:, self._come]
        names, watches = tuple(self.watched), tuple(self.watched.values())
        return Passages(self.recipe, numbers, failures, names, watches, times, self._lost)
