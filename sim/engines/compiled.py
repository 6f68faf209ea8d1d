"""The race over many replications at once, in compiled code."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import InitVar, dataclass
from typing import ClassVar
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from sim.book import LANES, Book, Log, Opening, log_of_lane, new_lanes, new_log
from sim.clocks import Clocks
from sim.compiled import entry, inner
from sim.law import Law, Situation, Watch
from sim.ledger import find_stop, find_stops, start_replication, take_stop
from sim.model import Model
from sim.opening import new_parts
from sim.recipe import Halt, Part, Recipe, Recording
from sim.stepping import Stepper, customs_of, is_compiled, run_each
from sim.watching import Watches, empty_counts, fold, watches_of

__all__ = ["CompiledEngine", "uncompiled"]

#: Events there is room for at first in the log of a lane; no power of two, or all lanes share one place in the cache.
_ROOM = (1 << 12) + 24
#: Replications that are put in order at a time: their logs stay in the cache.
_SHEAF = 1024
#: Replications a log must have room for: of as many as there are lanes, half is run in vain when it is full.
_ENOUGH = 16
#: Clocks up to which races run side by side: of more, those of a race alone are all that the cache holds.
_FEW = 512

Ints = NDArray[np.int64]


@inner
def _run(
    law: Law, clocks: Clocks, opening: Opening, lanes: Situation, book: Book, logs: Log, abreast: int,
    numbers: Ints, values: NDArray[np.float64], horizon: float, halt: Halt, initial: NDArray[np.int8], where: Ints,
    busy: Ints,
) -> int:  # fmt: skip
    """Run the replications *numbers*, so many *abreast*; return how many of the first of them are done.

    They are fewer if it is halted, or if a log is full. Each lane takes the next replication as soon as it is through
    with one. where[i] receives the lane of replication i, and between which rows of its log the events are.
    """
    following, running, full = 0, 0, False
    for lane in range(abreast):
        book.slot[lane] = lane if len(values) > 1 or opening.fickle[0] else 0
    logs.size[:, 0] = 0
    busy[:] = -1
    book.due[:] = np.inf
    book.day[:] = np.inf
    where[:, 0] = -1
    while not halt[0] and not full:
        for lane in range(abreast):
            k = np.uint64(lane)
            if book.day[k] <= horizon:
                full |= not take_stop(law, clocks, opening, lanes, book, log_of_lane(logs, k), k)
                continue
            i = busy[k]
            if i >= 0:
                where[i, 0], where[i, 2] = lane, logs.size[k, 0]
                running -= 1
                busy[k] = -1
            if following < len(numbers):
                number = numbers[following]
                start_replication(law, clocks, opening, lanes, book, k, number, values[number % len(values)])
                for p in range(initial.shape[1]):
                    initial[following, p] = lanes.control[k, p]
                where[following, 1] = logs.size[k, 0]
                busy[k] = following
                following += 1
                running += 1
            elif i >= 0:
                book.due[:, k] = np.inf
                book.dated[k] = np.inf
        if running == 0:
            break
        if abreast == 1:
            find_stop(law, clocks, book)
        else:
            find_stops(law, clocks, book)
    done = 0
    while done < len(numbers) and where[done, 0] >= 0:
        done += 1
    return done


@entry
def _run_abreast(
    law: Law, clocks: Clocks, opening: Opening, lanes: Situation, book: Book, logs: Log, numbers: Ints,
    values: NDArray[np.float64], horizon: float, halt: Halt, initial: NDArray[np.int8], where: Ints, busy: Ints,
) -> int:  # fmt: skip
    return _run(
        law, clocks, opening, lanes, book, logs, LANES, numbers, values, horizon, halt, initial, where, busy
    )  # fmt: skip


@entry
def _run_alone(
    law: Law, clocks: Clocks, opening: Opening, lanes: Situation, book: Book, logs: Log, numbers: Ints,
    values: NDArray[np.float64], horizon: float, halt: Halt, initial: NDArray[np.int8], where: Ints, busy: Ints,
) -> int:  # fmt: skip
    return _run(
        law, clocks, opening, lanes, book, logs, 1, numbers, values, horizon, halt, initial, where, busy
    )  # fmt: skip


@entry
def _gather(logs: Log, where: Ints, log: Log) -> None:
    """Append events that lie in lanes to *log*, which has room, in the order of their replications."""
    end = log.size[0]
    for i in range(len(where)):
        lane, first, size = where[i, 0], where[i, 1], where[i, 2] - where[i, 1]
        for e in range(size):
            log.day[end + e] = logs.day[lane, first + e]
            log.province[end + e] = logs.province[lane, first + e]
            log.transition[end + e] = logs.transition[lane, first + e]
        for e in range(size if log.shares.shape[1] > 0 else 0):
            log.shares[end + e] = logs.shares[lane, first + e]
        end += size
    log.size[0] = end


@inner
def _fold_each(
    logs: Log, where: Ints, initial: NDArray[np.int8], watches: Watches, times: NDArray[np.float64], begin: int,
    steps: Ints,
) -> None:  # fmt: skip
    for i in range(len(where)):
        log = log_of_lane(logs, where[i, 0])
        fold(
            watches, initial[i], log.day, log.province, log.transition, where[i, 1], where[i, 2], times[:, begin + i],
            steps,
        )  # fmt: skip


@entry
def _fold(
    logs: Log, where: Ints, initial: NDArray[np.int8], watches: Watches, times: NDArray[np.float64], begin: int,
    steps: Ints,
) -> None:  # fmt: skip
    """Fold events that lie in lanes into what is watched: *times*, (watch, replication), from *begin* on."""
    _fold_each(logs, where, initial, watches, times, begin, steps)


class _Runner:
    """Races kept ready for one recipe and recording."""

    def __init__(self, recipe: Recipe, shares: bool):
        alone = len(recipe.model.theatre.provinces) * len(recipe.model.hazards) > _FEW
        self.lanes = 1 if alone else LANES
        self.parts = new_parts(recipe.model, recipe.start, recipe.seed, room=_ROOM, shares=shares, lanes=self.lanes)
        self.run = _run_alone if alone else _run_abreast
        # A copy, since compiled code is kept apart for arrays that are read-only.
        self.values = np.array(recipe.draws.values)
        self.provinces, self.transitions = len(recipe.model.theatre.provinces), tuple(recipe.model.hazards)
        self.busy = np.zeros(self.lanes, np.int64)
        self.usual = 0.0  # events of a replication

    def _set_room(self, room: int) -> None:
        log = new_log(room, self.parts.log.shares.shape[2])
        self.parts = self.parts._replace(log=new_lanes(log, self.lanes))

    def rest(self) -> None:
        """Let go of logs that grew."""
        if self.parts.log.day.shape[1] > 16 * _ROOM:
            self._set_room(_ROOM)

    def sheaves(
        self, numbers: Ints, horizon: float, halt: Halt, initial: NDArray[np.int8]
    ) -> Iterator[tuple[int, int, Ints]]:
        """Run *numbers*, sheaf after sheaf; yield from where to where each goes and where in the logs its events are.

        *initial* receives control at the start of each.
        """
        where, done = np.zeros((_SHEAF, 3), np.int64), 0
        while done < len(numbers) and not halt[0]:
            stop = min(len(numbers), done + _SHEAF)
            more = self.run(
                *self.parts, numbers[done:stop], self.values, horizon, halt, initial[done:stop], where[: stop - done],
                self.busy,
            )  # fmt: skip
            if more > 0:
                yield done, done + more, where[:more]
            done += more
            if done < stop and more < _ENOUGH * self.lanes and not halt[0]:  # a log was full, and too soon
                self._set_room(2 * self.parts.log.day.shape[1])

    def events(self, numbers: Ints, horizon: float, halt: Halt) -> dict[str, NDArray[np.generic]]:
        initial, sizes, done = np.empty((len(numbers), self.provinces), np.int8), np.zeros(len(numbers), np.int64), 0
        log = new_log(int(1.05 * self.usual * len(numbers)) + 64, self.parts.log.shares.shape[2])
        for begin, done, where in self.sheaves(numbers, horizon, halt, initial):
            sizes[begin:done] = where[:, 2] - where[:, 1]
            need = int(log.size[0] + sizes[begin:done].sum())
            self.usual = max(self.usual, need / done)
            if need > len(log.day):
                log = _grown(log, max(need, int(1.05 * self.usual * len(numbers)) + 64))
            _gather(self.parts.log, where, log)
        columns = {name: getattr(log, name)[: log.size[0]] for name in ("day", "province", "transition", "shares")}
        if not columns["shares"].shape[1]:
            del columns["shares"]
        return {"numbers": numbers[:done], "initial": initial[:done], "sizes": sizes[:done], **columns}

    def passages(
        self, numbers: Ints, horizon: float, halt: Halt, watches: Sequence[Watch]
    ) -> dict[str, NDArray[np.generic]]:
        times, done = np.empty((len(watches), len(numbers))), 0
        beside, steps = watches_of(watches, self.transitions, self.provinces), empty_counts(horizon, self.provinces)
        initial = np.empty((len(numbers), self.provinces), np.int8)
        for begin, done, where in self.sheaves(numbers, horizon, halt, initial):
            _fold(self.parts.log, where, initial[begin:done], beside, times, begin, steps)
        return {
            "numbers": numbers[:done],
            "times": np.ascontiguousarray(times[:, :done]),
            "lost": np.cumsum(steps, axis=0),
        }


def _grown(log: Log, room: int) -> Log:
    """Return *log* with so much *room*."""
    size = int(log.size[0])
    larger = new_log(room, log.shares.shape[1])
    larger.size[0] = size
    for name in log._fields[1:]:
        getattr(larger, name)[:size] = getattr(log, name)[:size]
    return larger


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
            return Part(runner.passages(wanted, recipe.horizon, halt, recording.watches))
        finally:
            runner.rest()
            idle.append(runner)


#: Races at rest: setting one up takes as long as a thousand replications of a small theatre.
_IDLE: WeakKeyDictionary[Recipe, dict[bool, list[_Runner]]] = WeakKeyDictionary()
