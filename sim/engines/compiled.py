"""The race over many replications at once, in compiled code."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import InitVar, dataclass
from typing import ClassVar
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from sim.book import Book, Log, new_log
from sim.compiled import entry
from sim.law import Law, Situation
from sim.ledger import Opening, start_replication, take_stop
from sim.model import Model
from sim.opening import new_parts
from sim.recipe import Halt, Part, Recipe, Recording
from sim.stepping import Stepper, customs_of, is_compiled, run_each
from sim.watching import Watches, empty_counts, fold, watches_of

__all__ = ["CompiledEngine", "uncompiled"]

_ROOM = 1 << 16


@entry
def _run(
    law: Law, opening: Opening, now: Situation, book: Book, log: Log,
    numbers: NDArray[np.int64], values: NDArray[np.float64], horizon: float, halt: Halt, keep: bool,
    initial: NDArray[np.int8], ends: NDArray[np.int64], watches: Watches, times: NDArray[np.float64],
    steps: NDArray[np.int64],
) -> int:  # fmt: skip
    """Run the replications *numbers* until all are done, the log is full, or halted; return how many were done.

    With *keep*, events stay in the log, up to row ends[i] those of replication i; else they are folded and dropped.
    """
    for i in range(len(numbers)):
        if halt[0]:
            return i
        begin = log.size[0]
        day = start_replication(law, opening, now, book, numbers[i], values[numbers[i] % len(values)])
        row = initial[i] if keep else initial[0]
        row[:] = now.control
        while day <= horizon and not halt[0]:
            day = take_stop(law, opening, now, book, log)
        if np.isnan(day) or halt[0]:
            log.size[0] = begin
            return i
        if keep:
            ends[i] = log.size[0]
        else:
            fold(
                watches, law.source, law.target, row, log.day, log.province, log.transition, begin, log.size[0],
                times[i], steps,
            )  # fmt: skip
            log.size[0] = begin
    return len(numbers)


class _Runner:
    """A race kept ready for one recipe and recording."""

    def __init__(self, recipe: Recipe, shares: bool):
        self.parts = new_parts(recipe.model, recipe.start, recipe.seed, room=_ROOM, shares=shares)
        # A copy, since compiled code is kept apart for arrays that are read-only.
        self.values = np.array(recipe.draws.values)
        self.provinces = len(recipe.model.theatre.provinces)

    def _widen(self) -> None:
        """Make room for twice as many events: one replication has filled the log."""
        log = self.parts.log
        self.parts = self.parts._replace(log=new_log(2 * len(log.day), log.shares.shape[1]))

    def rest(self) -> None:
        """Let go of a log that grew."""
        log = self.parts.log
        if len(log.day) > _ROOM:
            self.parts = self.parts._replace(log=new_log(_ROOM, log.shares.shape[1]))

    def events(self, numbers: NDArray[np.int64], horizon: float, halt: Halt) -> dict[str, NDArray[np.generic]]:
        initial = np.empty((len(numbers), self.provinces), np.int8)
        ends = np.zeros(len(numbers), np.int64)
        nothing = watches_of((), self.provinces)
        pieces: list[tuple[NDArray[np.generic], ...]] = []
        sizes, done = [np.zeros(0, np.int64)], 0
        while done < len(numbers) and not halt[0]:
            log = self.parts.log
            log.size[0] = 0
            more = _run(
                *self.parts, numbers[done:], self.values, horizon, halt, True, initial[done:], ends[done:], nothing,
                np.empty((1, 0)), np.zeros((1, 1), np.int64),
            )  # fmt: skip
            if more == 0 and not halt[0]:
                self._widen()
                continue
            size = int(log.size[0])
            pieces.append(tuple(column[:size].copy() for column in (log.day, log.province, log.transition, log.shares)))
            sizes.append(np.diff(ends[done : done + more], prepend=0))
            done += more
        names = ("day", "province", "transition", "shares")
        empty = tuple(column[:0] for column in self.parts.log[1:])
        columns = {name: np.concatenate([p[j] for p in pieces or [empty]]) for j, name in enumerate(names)}
        if not columns["shares"].shape[1]:
            del columns["shares"]
        return {"numbers": numbers[:done], "initial": initial[:done], "sizes": np.concatenate(sizes), **columns}

    def passages(
        self, numbers: NDArray[np.int64], horizon: float, halt: Halt, watches: Watches
    ) -> dict[str, NDArray[np.generic]]:
        times = np.empty((len(numbers), len(watches.threshold)))
        steps = empty_counts(horizon, self.provinces)
        initial, ends, done = np.empty((1, self.provinces), np.int8), np.zeros(1, np.int64), 0
        self.parts.log.size[0] = 0
        while done < len(numbers) and not halt[0]:
            more = _run(
                *self.parts, numbers[done:], self.values, horizon, halt, False, initial, ends, watches, times[done:],
                steps,
            )  # fmt: skip
            done += more
            if done < len(numbers) and not halt[0]:
                self._widen()
        return {"numbers": numbers[:done], "times": times[:done].T.copy(), "lost": np.cumsum(steps, axis=0)}


def _stepped(recipe: Recipe, numbers: NDArray[np.int64], recording: Recording, halt: Halt) -> Part:
    """Run a model with compiled Custom terms: they are asked at every stop, from here."""
    stepper = Stepper(recipe.model, recipe.start, recipe.seed, shares=recording.shares)

    def go(number: int, values: NDArray[np.float64]) -> NDArray[np.int8]:
        stepper.begin(number, values)
        control = stepper.now.control.copy()
        while stepper.next <= recipe.horizon:
            stepper.step()
        stepper.check(recipe.horizon)
        return control

    return run_each(recipe, numbers.tolist(), recording, halt, stepper, go, fallible=True)


def uncompiled(model: Model) -> Iterator[str]:
    """Yield the names of the Custom terms of *model* that compiled code cannot call."""
    for transition, term in customs_of(model):
        if not is_compiled(term):
            yield f"{transition}.{term.name}"


@dataclass(frozen=True)
class CompiledEngine:
    """Run the race in compiled code: every built-in term, many replications at once, the bits of ``SimPyEngine``.

    A Custom term must be compiled with ``numba.njit``. It takes no SimPy processes or observers and raises a TypeError
    if given any; give those to ``SimPyEngine``.
    """

    processes: InitVar[object] = None
    observers: InitVar[object] = None
    releases_lock: ClassVar[bool] = True

    def __post_init__(self, processes: object, observers: object) -> None:
        for name, given in (("processes", processes), ("observers", observers)):
            if given is not None:
                raise TypeError(
                    f"CompiledEngine: compiled code runs no SimPy {name}; write sim.SimPyEngine({name}=[…]), which "
                    "gives the same bits"
                )

    def check(self, model: Model) -> None:
        """Raise a TypeError if *model* has a Custom term that is not compiled."""
        for name in uncompiled(model):
            raise TypeError(
                f"CompiledEngine: {name} is a Python function, which compiled code cannot call; pass "
                "engine=sim.SimPyEngine(), or compile it with numba.njit"
            )

    def run(self, recipe: Recipe, numbers: Sequence[int], recording: Recording, halt: Halt) -> Part:
        """Return the replications named by *numbers*; ``sim.simulate`` checks and calls this."""
        wanted = np.arange(numbers.start, numbers.stop) if isinstance(numbers, range) else np.array(numbers, np.int64)
        if any(customs_of(recipe.model)):
            return _stepped(recipe, wanted, recording, halt)
        idle = _IDLE.setdefault(recipe, {}).setdefault(recording.shares, [])
        try:
            runner = idle.pop()
        except IndexError:
            runner = _Runner(recipe, recording.shares)
        try:
            if recording.watches is None:
                return Part(runner.events(wanted, recipe.horizon, halt))
            watches = watches_of(recording.watches, runner.provinces)
            return Part(runner.passages(wanted, recipe.horizon, halt, watches))
        finally:
            runner.rest()
            idle.append(runner)


#: Races at rest: setting one up takes as long as a thousand replications of a small theatre.
_IDLE: WeakKeyDictionary[Recipe, dict[bool, list[_Runner]]] = WeakKeyDictionary()
