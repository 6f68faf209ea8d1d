"""A race taken stop by stop from Python, with the Custom terms that only Python can ask."""

from __future__ import annotations

import functools
import math
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import numba
import numpy as np
from numba.core.dispatcher import Dispatcher
from numpy.typing import NDArray

from sim import ledger
from sim.control import Control, State, nearest
from sim.hazards import Custom
from sim.law import Situation
from sim.model import Model
from sim.opening import new_parts
from sim.recipe import Failure, Halt, Part, Recipe, Recording, part_of

__all__ = ["Controls", "Stepper", "customs_of", "is_compiled", "run_each"]

Ask: TypeAlias = Callable[[float, NDArray[np.float64]], object]


def customs_of(model: Model) -> Iterator[tuple[str, Custom]]:
    """Yield the Custom terms of *model*, with the names of their transitions."""
    for transition, hazard in model.hazards.items():
        for term in hazard.terms:
            if isinstance(term, Custom):
                yield transition, term


def is_compiled(term: Custom) -> bool:
    """Return whether *term*'s function was compiled with numba."""
    return isinstance(term.fn, Dispatcher)


class Controls(Mapping[str, Control]):
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


class Stepper:
    """One race: ``begin`` a replication, ``step`` to the next stop, ``check`` at the horizon.

    Attributes
    ----------
    next : float
        The day of the next stop, in days since the start.
    refusal : Exception or None
        What was asked for wrongly, which every replication would say.
    """

    def __init__(self, model: Model, start: State, seed: int, *, shares: bool = False):
        parts = new_parts(model, start, seed, shares=shares)
        self.race, self.law, self.opening = ledger.race_of(*parts), parts.law, parts.opening
        # The only lane, by views of its arrays.
        self.now, self.book = Situation(*(array[0] for array in parts.lanes)), parts.book
        self.provinces = model.theatre.provinces
        self.refusal: Exception | None = None
        self.control = Controls(self.provinces, self.now.control, self.refused)
        self.next = math.inf
        self.customs = [term for _, term in customs_of(model)]
        self._asks = [self._ask_of(term) for term in self.customs]
        self._found = np.ones_like(self.now.custom)

    def refused(self, error: Exception) -> Exception:
        """Remember *error*: what is asked for wrongly is wrong in every replication, so it ends the run."""
        self.refusal = error
        return error

    def begin(self, replication: int, values: NDArray[np.float64]) -> None:
        """Set the race to the start of *replication* with the draw *values*."""
        self.next = self._asked(ledger.begin, replication, values)
        if self.customs:
            self._ask(0.0)

    def kind(self) -> int:
        """Return what the next stop is: BREAK, EXPIRY or CLOCK of the ledger."""
        return ledger.kind(self.race)

    def rescale(self, r: int, p: int, factor: float, day: float) -> None:
        """Set the factor of the clock (*r*, *p*) to *factor* from *day* on."""
        self.next = self._asked(ledger.rescale, r, p, factor, day)

    def _asked(self, what: Callable[..., float], *arguments: Any) -> float:
        """Ask the ledger. What it refuses, such as a hazard that is not finite, is no replication's own misfortune."""
        try:
            return what(self.race, *arguments)
        except ValueError as error:
            raise self.refused(error) from None

    def step(self) -> None:
        """Take the next stop."""
        if not self.customs:
            self.next = self._asked(ledger.advance)
            return
        if self.kind() != ledger.BREAK:
            self.check(self.next)
        day = self.next
        self.next = self._asked(ledger.advance)
        self._ask(day)

    def check(self, day: float) -> None:
        """Raise a RuntimeError if a Custom multiplier changed since the last stop, unannounced, by *day*."""
        found = self._multipliers(day)
        if not np.array_equal(found, self.now.custom):
            j, p = np.argwhere(found != self.now.custom)[0]
            raise self.refused(RuntimeError(
                f"{self.customs[j].name}: the multiplier for {self.provinces[p]} changed between events, "
                f"from {self.now.custom[j, p]:g} to {found[j, p]:g} by day {day:g}; declare the instant in breaks="
            ))  # fmt: skip

    def look(self, day: float) -> bool:
        """Write the Custom multipliers of *day* into the situation; return whether any is another than before."""
        found = self._multipliers(day)
        changed = not np.array_equal(found, self.now.custom)
        self.now.custom[:] = found
        return changed

    def _ask(self, day: float) -> None:
        if self.look(day):
            self.next = self._asked(ledger.retouch, day)

    def _multipliers(self, day: float) -> NDArray[np.float64]:
        found = self._found
        for ask, row in zip(self._asks, found, strict=True):
            ask(day, row)
        if not (np.all(found >= 0.0) and np.all(np.isfinite(found))):
            j, p = np.argwhere(~((found >= 0.0) & np.isfinite(found)))[0]
            raise self.refused(ValueError(
                f"{self.customs[j].name}: a multiplier must be finite and not negative, "
                f"but was {float(found[j, p])!r} for {self.provinces[p]} on day {day:g}"
            ))  # fmt: skip
        return found

    def _ask_of(self, term: Custom) -> Ask:
        """Return the function that writes *term*'s multipliers of a day, province by province."""
        if is_compiled(term):
            asked = _compiled_ask(term.fn)

            def ask_compiled(day: float, row: NDArray[np.float64]) -> None:
                asked(day, self.now.control, row)

            return ask_compiled

        def ask(day: float, row: NDArray[np.float64]) -> None:
            row[:] = [float(term.fn(day, self.control, name)) for name in self.provinces]

        return ask


def run_each(
    recipe: Recipe, numbers: Sequence[int], recording: Recording, halt: Halt, stepper: Stepper,
    go: Callable[[int, NDArray[np.float64]], NDArray[np.int8]], *, fallible: bool,
) -> Part:  # fmt: skip
    """Run the replications *numbers* one by one and return them as a part.

    *go* runs one, given its number and draw, and returns control at its start. With *fallible*, code of the user's
    takes part: a replication that raises is recorded as a failure and the rest go on.
    """
    initial, ends, done, failures = [], [0], [], []
    for number in map(int, numbers):
        if halt[0]:
            break
        draw = number % len(recipe.draws)
        try:
            held = go(number, recipe.draws.values[draw])
        except Exception as error:
            # What is asked for wrongly, or is ours, would be said by every replication. (SimPy raises a copy.)
            refused = stepper.refusal is not None and stepper.refusal in (error, error.__cause__)
            if refused or not fallible:
                raise
            failures.append(Failure(number, draw, traceback.format_exc()))
            ledger.log_of(stepper.race).size[0] = ends[-1]
            continue
        initial.append(held)
        done.append(number)
        ends.append(int(ledger.log_of(stepper.race).size[0]))
    control = np.array(initial, np.int8).reshape(-1, len(stepper.provinces))
    log = ledger.log_of(stepper.race)
    return part_of(recipe, recording, log, np.array(done, np.int64), control, np.array(ends, np.int64), tuple(failures))


@functools.lru_cache(maxsize=64)
def _compiled_ask(function: Any) -> Callable[..., None]:
    @numba.njit(nogil=True)
    def ask(day: float, control: NDArray[np.int8], row: NDArray[np.float64]) -> None:
        for p in range(len(row)):
            row[p] = function(day, control, p)

    return ask
