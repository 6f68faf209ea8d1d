"""The race in SimPy, custom processes beside it.

SimPy supplies the environment, the order of things and the user's processes. One race process sleeps until the
ledger's next stop, or until a process disturbs it. The logged time is the ledger's appointment, never ``env.now``:
adding a delay to now loses the last bit in a few per cent of cases.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import simpy
from numpy.typing import NDArray

from sim import ledger
from sim.control import TRANSITIONS, Control, State, nearest
from sim.ensemble import Ensemble, Event
from sim.hazards import Custom
from sim.law import local_rate
from sim.model import Draws, Model

__all__ = ["Process", "SimPyEngine", "World"]

Steps: TypeAlias = Generator[simpy.Event, Any, Any]
Process: TypeAlias = Callable[["World"], Steps]
Observer: TypeAlias = Callable[["World", Event], None]


class _Controls(Mapping[str, Control]):
    """Control by province, read-only and always of this moment."""

    def __init__(self, provinces: tuple[str, ...], control: NDArray[np.int8]):
        self._index = {name: p for p, name in enumerate(provinces)}
        self._control = control

    def __getitem__(self, province: str) -> Control:
        if province not in self._index:
            raise KeyError(f"control: no province {province!r} in the theatre; {nearest(province, self._index)}")
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

    def __init__(self, model: Model, start: State, seed: int):
        self._model = model
        self._race, self._law, self._now, self._book = ledger.new_race(model, start, seed)
        self._transitions = tuple(model.hazards)
        self._customs = [term for hazard in model.hazards.values() for term in hazard.terms if isinstance(term, Custom)]
        self.control = _Controls(model.theatre.provinces, self._now.control)
        self.env = simpy.Environment()
        self.replication = 0
        self._next = math.inf
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
        common = self._book.track["common"][self._law.track[r, p]]
        return float(common * local_rate(self._law, self._book.values, self._now, r, p))

    def scale(self, province: str, transition: str, factor: float) -> None:
        """Multiply the hazard of *transition* in *province* by *factor* from now on; 1 lifts it again.

        It sets the factor, it does not pile up. Raise a ValueError if a name is unknown, or *factor* is negative or not
        finite.
        """
        r, p = self._clock(province, transition, "scale")
        if isinstance(factor, bool) or not (isinstance(factor, (int, float)) and 0.0 <= factor < math.inf):
            raise ValueError(f"scale: factor must be a finite number, at least 0, but was {factor!r}")
        self._turn()
        self._next = ledger.rescale(self._race, r, p, float(factor), self.now)
        if self._racing is not None and self._racing.is_alive:
            self._racing.interrupt()

    def _clock(self, province: str, transition: str, where: str) -> tuple[int, int]:
        if transition not in self._transitions:
            raise ValueError(
                f"{where}: no transition {transition!r} in the model; {nearest(transition, self._transitions)}"
            )
        return self._transitions.index(transition), self._model.theatre.index(province, where)

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
            raise ValueError(
                f"{self._customs[j].name}: a multiplier must be finite and not negative, "
                f"but was {float(found[j, p])!r} for {provinces[p]} on day {day:g}"
            )
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
            raise RuntimeError(
                f"{self._customs[j].name}: the multiplier for {self._model.theatre.provinces[p]} changed between "
                f"events, from {self._now.custom[j, p]:g} to {found[j, p]:g} by day {day:g}; "
                "declare the instant in breaks="
            )


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
        log = ledger.log_of(world._race)
        for e in range(logged, int(log.size[0])):
            event = _event(world, log, e)
            for observer in observers:
                observer(world, event)
        logged = int(log.size[0])


def _never_past(goal: float, now: float) -> float:
    """Return the delay from *now* to *goal*, an ulp less where adding it to *now* would round to after *goal*.

    From so near, the next delay is exact. Waking late would let a process of a later instant go first.
    """
    delay = max(0.0, goal - now)
    return delay if now + delay <= goal else math.nextafter(delay, 0.0)


def _event(world: World, log: ledger.Log, e: int) -> Event:
    transition = world._transitions[log.transition[e]]
    names = world._model.terms[transition]
    shares = {name: float(log.shares[e, j]) for j, name in enumerate(names)}
    if log.shares[e, -1] != 0.0:
        shares["processes"] = float(log.shares[e, -1])
    return Event(
        float(log.day[e]), world._model.theatre.provinces[log.province[e]], Control(log.source[e]),
        Control(log.target[e]), transition, shares,
    )  # fmt: skip


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

    def __post_init__(self) -> None:
        for name in ("processes", "observers"):
            given = getattr(self, name)
            if callable(given):
                raise TypeError(f"SimPyEngine: {name} must be a list of functions, but was one; write {name}=[…]")
            object.__setattr__(self, name, tuple(given))
            for each in getattr(self, name):
                if not callable(each):
                    raise TypeError(f"SimPyEngine: {name} must be functions of a World, but one was {each!r}")

    def run(
        self, model: Model, draws: Draws, *, start: State, horizon: float, replications: Iterable[int], seed: int,
        progress: Callable[[int], object] | None = None,
    ) -> Ensemble:  # fmt: skip
        """Return the ensemble of the *replications* named by number; ``sim.simulate`` checks and calls this."""
        numbers = list(replications)
        world = World(model, start, seed)
        initial = np.empty((len(numbers), len(model.theatre.provinces)), np.int8)
        offsets = np.zeros(len(numbers) + 1, np.int64)
        draw = np.array(numbers, np.int64) % len(draws)
        for i, number in enumerate(numbers):
            world._begin(number, draws.values[draw[i]])
            initial[i] = world._now.control
            self._one(world, horizon)
            offsets[i + 1] = ledger.log_of(world._race).size[0]
            if progress is not None and (i + 1) % 50 == 0:
                progress(i + 1)
        log, size = ledger.log_of(world._race), offsets[-1]
        return Ensemble(
            provinces=model.theatre.provinces, transitions=tuple(model.hazards), terms=tuple(model.terms.values()),
            initial=initial, offsets=offsets, day=log.day[:size].copy(), province=log.province[:size].copy(),
            source=log.source[:size].copy(), target=log.target[:size].copy(), transition=log.transition[:size].copy(),
            shares=log.shares[:size].copy(), draw=draw, horizon=horizon, seed=seed, start=start, model=model.name,
            theatre=model.theatre,
        )  # fmt: skip

    def _one(self, world: World, horizon: float) -> None:
        env = world.env
        if not (self.processes or self.observers or world._customs):
            env.process(_alone(world, horizon))
            env.run()
            return
        world._racing = env.process(_beside(world, horizon, self.observers))
        for process in self.processes:
            env.process(process(world))
        env.run(until=world._racing)
        world._racing = None
        if world._customs:
            world._check_customs(horizon)
