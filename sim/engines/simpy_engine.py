"""The race in SimPy, custom processes beside it.

SimPy supplies the environment, the order of things and the user's processes. One race process sleeps until the
ledger's next stop, or until a process disturbs it. The logged time is the ledger's appointment, never ``env.now``:
adding a delay to now loses the last bit in a few per cent of cases.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, TypeAlias

import numpy as np
import simpy
from numpy.typing import NDArray

from sim import ledger
from sim.control import TRANSITIONS, Control, State, nearest
from sim.law import local_rate
from sim.model import Model
from sim.recipe import Engine, Halt, Part, Recipe, Recording
from sim.stepping import Stepper, run_each
from sim.story import Event, event_of

__all__ = ["Process", "SimPyEngine", "World", "teller_of"]

Steps: TypeAlias = Generator[simpy.Event, Any, Any]
Process: TypeAlias = Callable[["World"], Steps]
Observer: TypeAlias = Callable[["World", Event], None]


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
        self._stepper = Stepper(model, start, seed, shares=shares)
        self._transitions = tuple(model.hazards)
        self.control: Mapping[str, Control] = self._stepper.control
        self.env = simpy.Environment()
        self.replication = 0
        self._racing: simpy.Process | None = None

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
        law, book = self._stepper.law, self._stepper.book
        common = book.common[law.track[r, p], 0]
        return float(common * local_rate(law, book.values[0], self._stepper.now, r, p))

    def scale(self, province: str, transition: str, factor: float) -> None:
        """Multiply the hazard of *transition* in *province* by *factor* from now on; 1 lifts it again.

        It sets the factor, it does not pile up. Raise a ValueError if a name is unknown, or *factor* is negative or not
        finite.
        """
        r, p = self._clock(province, transition, "scale")
        if isinstance(factor, bool) or not (isinstance(factor, (int, float)) and 0.0 <= factor < math.inf):
            raise self._stepper.refused(
                ValueError(f"scale: factor must be a finite number, at least 0, but was {factor!r}")
            )
        self._turn()
        self._stepper.rescale(r, p, float(factor), self.now)
        if self._racing is not None and self._racing.is_alive:
            self._racing.interrupt()

    def _clock(self, province: str, transition: str, where: str) -> tuple[int, int]:
        if transition not in self._transitions:
            hint = nearest(transition, self._transitions)
            raise self._stepper.refused(ValueError(f"{where}: no transition {transition!r} in the model; {hint}"))
        try:
            return self._transitions.index(transition), self._model.theatre.index(province, where)
        except ValueError as error:
            raise self._stepper.refused(error) from None

    def _turn(self) -> None:
        """Take the breaks that are due: they come before processes of the same instant."""
        stepper = self._stepper
        while stepper.next <= self.env.now and stepper.kind() != ledger.CLOCK:
            stepper.step()

    def _begin(self, replication: int, values: NDArray[np.float64]) -> None:
        self.env = simpy.Environment()
        self.replication = replication
        self._stepper.begin(replication, values)


def _alone(world: World, horizon: float) -> Steps:
    """The race with nothing beside it: sleep until the next stop, take it."""
    race, timeout, advance = world._stepper.race, world.env.timeout, ledger.advance
    now, following = 0.0, world._stepper.next
    while following <= horizon:
        delay = max(0.0, following - now)
        yield timeout(delay)
        now += delay  # what env.now is, at a fraction of the price of asking
        following = advance(race)


def _beside(world: World, horizon: float, observers: Sequence[Observer]) -> Steps:
    """The race beside processes that may disturb it, with observers told of every event."""
    env, stepper = world.env, world._stepper
    logged = int(ledger.log_of(stepper.race).size[0])
    while stepper.next <= horizon or env.now < horizon:
        goal = stepper.next
        try:
            yield env.timeout(_never_past(min(goal, horizon), env.now))
            if env.now < min(goal, horizon):
                continue
            while env.peek() <= env.now:  # processes come before clocks of the same instant
                yield env.timeout(0.0)
        except simpy.Interrupt:
            continue
        if goal > horizon or stepper.next != goal:
            continue
        stepper.step()
        if observers:
            _tell(world, observers, logged)
            logged = int(ledger.log_of(world._stepper.race).size[0])


def _tell(world: World, observers: Sequence[Observer], logged: int) -> None:
    """Tell *observers* of the events after the first *logged*."""
    log = ledger.log_of(world._stepper.race)
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

        def go(number: int, values: NDArray[np.float64]) -> NDArray[np.int8]:
            world._begin(number, values)
            control = world._stepper.now.control.copy()
            self._one(world, recipe.horizon)
            return control

        fallible = bool(self.processes or self.observers or world._stepper.customs)
        return run_each(recipe, numbers, recording, halt, world._stepper, go, fallible=fallible)

    def _one(self, world: World, horizon: float) -> None:
        env = world.env
        if not (self.processes or self.observers or world._stepper.customs):
            env.process(_alone(world, horizon))
            env.run()
            return
        world._racing = env.process(_beside(world, horizon, self.observers))
        for process in self.processes:
            steps = process(world)
            if not isinstance(steps, Generator):
                name = getattr(process, "__name__", repr(process))
                raise world._stepper.refused(TypeError(
                    f"SimPyEngine: process {name} must be a generator function, one that says yield, but gave {steps!r}"
                ))  # fmt: skip
            env.process(steps)
        env.run(until=world._racing)
        world._racing = None
        if world._stepper.customs:
            world._stepper.check(horizon)


def teller_of(engine: Engine) -> Engine:
    """Return the engine that tells one replication of *engine* again: its processes, and no observers."""
    if getattr(engine, "tells_itself", False):
        return engine
    return replace(engine, observers=()) if isinstance(engine, SimPyEngine) else SimPyEngine()
