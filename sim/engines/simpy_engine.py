"""The race in SimPy, custom processes beside it.

SimPy supplies the environment, the order of things and the user's processes. One race process sleeps until the
ledger's next stop, or until a process disturbs it. The logged time is the ledger's appointment, never ``env.now``:
adding a delay to now loses the last bit in a few per cent of cases.
"""

from __future__ import annotations

import math
import traceback
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, TypeAlias

import numpy as np
import simpy
from numpy.typing import NDArray

from sim import ledger
from sim.control import TRANSITIONS, Control, State, nearest
from sim.hazards import Custom
from sim.law import local_rate
from sim.model import Model
from sim.opening import new_race
from sim.recipe import Failure, Halt, Part, Recipe, Recording
from sim.story import Event, event_of
from sim.watching import empty_counts, fold_log, watches_of

__all__ = ["Process", "SimPyEngine", "World"]

Steps: TypeAlias = Generator[simpy.Event, Any, Any]
Process: TypeAlias = Callable[["World"], Steps]
Observer: TypeAlias = Callable[["World", Event], None]


class _Controls(Mapping[str, Control]):
    """Control by province, read-only and always of this moment."""

    def __init__(
        self, provinces: tuple[str, ...], control: NDArray[np.int8], refused: Callable[[Exception], Exception]
    ):
        self._refused = refused
        self._index = {name: p for p, name in enumerate(provinces)}
        self._control = control

    def __getitem__(self, province: str) -> Control:
        if province not in self._index:
            hint = nearest(province, self._index)
            raise self._refused(KeyError(f"control: no province {province!r} in the theatre; {hint}"))
        return Control(self._control[self._index[province]])

    def __iter__(self) -> Iterator[str]:
        return iter(self._index)

    def __len__(self) -> int:
        return len(self._index)


class World:
    """What a custom process sees: the SimPy environment, control of every province, and one lever, ``scale``.

    Attributes
    ----------
    env : simpy.Environment
        One time unit is a day; 0 is the start.
    control : mapping of province to Control
        Control at this moment, read-only.
    replication : int
    """

    def __init__(self, model: Model, start: State, seed: int, *, shares: bool = False):
        self._model = model
        self._race, self._law, self._now, self._book = new_race(model, start, seed, shares=shares)
        self._transitions = tuple(model.hazards)
        self._customs = [term for hazard in model.hazards.values() for term in hazard.terms if isinstance(term, Custom)]
        self.control = _Controls(model.theatre.provinces, self._now.control, self._refused)
        self.env = simpy.Environment()
        self.replication = 0
        self._next = math.inf
        self._racing: simpy.Process | None = None
        self._refusal: Exception | None = None

    @property
    def now(self) -> float:
        """Days since the start: at an event, the ledger's own number for it, because the race wakes exactly there."""
        return float(self.env.now)

    @property
    def lost(self) -> tuple[str, ...]:
        """The insurgent-held provinces."""
        return tuple(name for name, held in self.control.items() if held is Control.INSURGENT)

    @property
    def contested(self) -> tuple[str, ...]:
        """The contested provinces."""
        return tuple(name for name, held in self.control.items() if held is Control.CONTESTED)

    def rate(self, province: str, transition: str) -> float:
        """Return the hazard of *transition* in *province* now, per day; 0 where it cannot happen."""
        r, p = self._clock(province, transition, "rate")
        self._turn()
        if self.control[province] is not TRANSITIONS[transition].source:
            return 0.0
        common = self._book.track["common"][self._law.track[r, p]]
        return float(common * local_rate(self._law, self._book.values, self._now, r, p))

    def scale(self, province: str, transition: str, factor: float) -> None:
        """Multiply the hazard of *transition* in *province* by *factor* from now on; 1 lifts it again.

        It sets the factor, it does not pile up. Raise a ValueError if a name is unknown, or *factor* is negative or not
        finite.
        """
        r, p = self._clock(province, transition, "scale")
        if isinstance(factor, bool) or not (isinstance(factor, (int, float)) and 0.0 <= factor < math.inf):
            raise self._refused(ValueError(f"scale: factor must be a finite number, at least 0, but was {factor!r}"))
        self._turn()
        self._next = ledger.rescale(self._race, r, p, float(factor), self.now)
        if self._racing is not None and self._racing.is_alive:
            self._racing.interrupt()

    def _clock(self, province: str, transition: str, where: str) -> tuple[int, int]:
        if transition not in self._transitions:
            hint = nearest(transition, self._transitions)
            raise self._refused(ValueError(f"{where}: no transition {transition!r} in the model; {hint}"))
        try:
            return self._transitions.index(transition), self._model.theatre.index(province, where)
        except ValueError as error:
            raise self._refused(error) from None

    def _refused(self, error: Exception) -> Exception:
        """Remember *error*: what is asked for wrongly is wrong in every replication, so it ends the run."""
        self._refusal = error
        return error

    def _turn(self) -> None:
        """Take the breaks that are due: they come before processes of the same instant."""
        while self._next <= self.env.now and self._book.stop["kind"][0] != ledger.CLOCK:
            self._step()

    def _begin(self, replication: int, values: NDArray[np.float64]) -> None:
        self.env = simpy.Environment()
        self.replication = replication
        self._next = ledger.begin(self._race, replication, values)
        if self._customs:
            self._ask_customs(0.0)

    def _step(self) -> None:
        """Take the next stop."""
        if not self._customs:
            self._next = ledger.advance(self._race)
            return
        if self._book.stop["kind"][0] != ledger.BREAK:
            self._check_customs(self._next)
        day = self._next
        self._next = ledger.advance(self._race)
        self._ask_customs(day)

    def _multipliers(self, day: float) -> NDArray[np.float64]:
        provinces = self._model.theatre.provinces
        found = np.array([[float(term.fn(day, self.control, name)) for name in provinces] for term in self._customs])
        if not (np.all(found >= 0.0) and np.all(np.isfinite(found))):
            j, p = np.argwhere(~((found >= 0.0) & np.isfinite(found)))[0]
            raise self._refused(ValueError(
                f"{self._customs[j].name}: a multiplier must be finite and not negative, "
                f"but was {float(found[j, p])!r} for {provinces[p]} on day {day:g}"
            ))  # fmt: skip
        return found

    def _ask_customs(self, day: float) -> None:
        found = self._multipliers(day)
        if not np.array_equal(found, self._now.custom):
            self._now.custom[:] = found
            self._next = ledger.retouch(self._race, day)

    def _check_customs(self, day: float) -> None:
        found = self._multipliers(day)
        if not np.array_equal(found, self._now.custom):
            j, p = np.argwhere(found != self._now.custom)[0]
            raise self._refused(RuntimeError(
                f"{self._customs[j].name}: the multiplier for {self._model.theatre.provinces[p]} changed between "
                f"events, from {self._now.custom[j, p]:g} to {found[j, p]:g} by day {day:g}; "
                "declare the instant in breaks="
            ))  # fmt: skip


def _alone(world: World, horizon: float) -> Steps:
    """The race with nothing beside it: sleep until the next stop, take it."""
    race, timeout, advance = world._race, world.env.timeout, ledger.advance
    now, following = 0.0, world._next
    while following <= horizon:
        delay = max(0.0, following - now)
        yield timeout(delay)
        now += delay  # what env.now is, at a fraction of the price of asking
        following = advance(race)


def _beside(world: World, horizon: float, observers: Sequence[Observer]) -> Steps:
    """The race beside processes that may disturb it, with observers told of every event."""
    env = world.env
    logged = int(ledger.log_of(world._race).size[0])
    while world._next <= horizon or env.now < horizon:
        goal = world._next
        try:
            yield env.timeout(_never_past(min(goal, horizon), env.now))
            if env.now < min(goal, horizon):
                continue
            while env.peek() <= env.now:  # processes come before clocks of the same instant
                yield env.timeout(0.0)
        except simpy.Interrupt:
            continue
        if goal > horizon or world._next != goal:
            continue
        world._step()
        if observers:
            _tell(world, observers, logged)
            logged = int(ledger.log_of(world._race).size[0])


def _tell(world: World, observers: Sequence[Observer], logged: int) -> None:
    """Tell *observers* of the events after the first *logged*."""
    log = ledger.log_of(world._race)
    for e in range(logged, int(log.size[0])):
        event = event_of(
            world._model, float(log.day[e]), int(log.province[e]), int(log.transition[e]), log.shares[e]
        )  # fmt: skip
        for observer in observers:
            observer(world, event)


def _never_past(goal: float, now: float) -> float:
    """Return the delay from *now* to *goal*, an ulp less where adding it to *now* would round to after *goal*.

    From so near, the next delay is exact. Waking late would let a process of a later instant go first.
    """
    delay = max(0.0, goal - now)
    return delay if now + delay <= goal else math.nextafter(delay, 0.0)


@dataclass(frozen=True)
class SimPyEngine:
    """Run the race in a ``simpy.Environment``, one a replication.

    Parameters
    ----------
    processes : sequence of function
        Each is called with the World of a replication and returns a SimPy generator; it may wait on ``world.env`` and
        change hazards with ``world.scale``.
    observers : sequence of function
        Each is called with (world, event) after every event. Observers only look; they never change a run.
    """

    processes: Sequence[Process] = ()
    observers: Sequence[Observer] = ()
    releases_lock: ClassVar[bool] = False

    def __post_init__(self) -> None:
        for name in ("processes", "observers"):
            given = getattr(self, name)
            if callable(given):
                raise TypeError(f"SimPyEngine: {name} must be a list of functions, but was one; write {name}=[…]")
            object.__setattr__(self, name, tuple(given))
            for each in getattr(self, name):
                if not callable(each):
                    raise TypeError(f"SimPyEngine: {name} must be functions of a World, but one was {each!r}")

    def check(self, model: Model) -> None:
        """Every model runs here."""

    def run(self, recipe: Recipe, numbers: Sequence[int], recording: Recording, halt: Halt) -> Part:
        """Return the replications named by *numbers*; ``sim.simulate`` checks and calls this."""
        shares = recording.shares or bool(self.observers)
        world = World(recipe.model, recipe.start, recipe.seed, shares=shares)
        initial, ends, done, failures = [], [0], [], []
        for number in numbers:
            if halt[0]:
                break
            draw = int(number) % len(recipe.draws)
            try:
                world._begin(int(number), recipe.draws.values[draw])
                held = world._now.control.copy()
                self._one(world, recipe.horizon)
            except Exception as error:
                # What is asked for wrongly, or is ours, would be said by every replication. (SimPy raises a copy.)
                refused = world._refusal is not None and world._refusal in (error, error.__cause__)
                if refused or not (self.processes or self.observers or world._customs):
                    raise
                failures.append(Failure(int(number), draw, traceback.format_exc()))
                ledger.log_of(world._race).size[0] = ends[-1]
                continue
            initial.append(held)
            done.append(int(number))
            ends.append(int(ledger.log_of(world._race).size[0]))
        return self._part(world, recipe, recording, done, initial, np.array(ends, np.int64), tuple(failures))

    def _part(
        self, world: World, recipe: Recipe, recording: Recording, done: list[int], initial: list[NDArray[np.int8]],
        ends: NDArray[np.int64], failures: tuple[Failure, ...],
    ) -> Part:  # fmt: skip
        n, size = len(recipe.model.theatre.provinces), int(ends[-1])
        log, law = ledger.log_of(world._race), world._law
        numbers, start = np.array(done, np.int64), np.array(initial, np.int8).reshape(-1, n)
        if recording.watches is None:
            arrays: dict[str, NDArray[Any]] = {
                "numbers": numbers, "initial": start, "sizes": np.diff(ends), "day": log.day[:size].copy(),
                "province": log.province[:size].copy(), "transition": log.transition[:size].copy(),
            }  # fmt: skip
            if recording.shares:
                arrays["shares"] = log.shares[:size].copy()
            return Part(arrays, failures)
        times, steps = np.empty((len(done), len(recording.watches))), empty_counts(recipe.horizon, n)
        watches = watches_of(recording.watches, n)
        fold_log(watches, law.source, law.target, start, ends, log.day, log.province, log.transition, times, steps)
        return Part({"numbers": numbers, "times": times.T.copy(), "lost": np.cumsum(steps, axis=0)}, failures)

    def _one(self, world: World, horizon: float) -> None:
        env = world.env
        if not (self.processes or self.observers or world._customs):
            env.process(_alone(world, horizon))
            env.run()
            return
        world._racing = env.process(_beside(world, horizon, self.observers))
        for process in self.processes:
            steps = process(world)
            if not isinstance(steps, Generator):
                name = getattr(process, "__name__", repr(process))
                raise world._refused(TypeError(
                    f"SimPyEngine: process {name} must be a generator function, one that says yield, but gave {steps!r}"
                ))  # fmt: skip
            env.process(steps)
        env.run(until=world._racing)
        world._racing = None
        if world._customs:
            world._check_customs(horizon)
