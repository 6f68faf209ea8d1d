"""A history followed event by event: what the hazard of one clock is made of along it.

The events are given, by a log; the law says what the hazard was meanwhile. So one history can be read by two models.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from sim import law as _law
from sim import moves
from sim.book import Book, lane_of
from sim.compiled import entry, inner
from sim.control import TRANSITIONS
from sim.ledger import Race
from sim.recipe import Recipe
from sim.stepping import Stepper
from sim.streams import exponential

__all__ = ["Followed", "Follower"]

Floats: TypeAlias = NDArray[np.float64]


class Followed(NamedTuple):
    """The hazard of a clock along a history: K stretches, in each of which it stays as it is.

    ``begin``: days since the start, shape (K,). ``factors``: the term's multipliers in the model's order, shape
    (K, term). ``control``: of every province, shape (K, province). ``fresh``: the day since which the clock spends the
    budget it has; ``fired``: how often it had fired before.
    """

    begin: Floats
    factors: Floats
    control: NDArray[np.int8]
    fresh: float
    fired: int


class Follower:
    """Follows histories of the replications of one *recipe*."""

    def __init__(self, recipe: Recipe):
        self.recipe = recipe
        self._stepper = Stepper(recipe.model, recipe.start, recipe.seed)
        law = self._stepper.law
        self._breaks = law.breaks.tolist()
        self._targets = [int(TRANSITIONS[name].target) for name in recipe.model.hazards]
        self._factors = [np.ones(size) for size in np.diff(law.ends).tolist()]

    def values(self, replication: int) -> Floats:
        """Return the parameter draw of *replication*."""
        draws = self.recipe.draws
        return np.asarray(draws.values[replication % len(draws)])

    def budget(self, replication: int, r: int, p: int, fired: int) -> float:
        """Return the budget of the clock (*r*, *p*) after it has *fired* so often: a unit exponential."""
        opening = self._stepper.opening
        return float(exponential(opening.key[0], opening.clock[r, p], replication, fired))

    def follow(
        self, replication: int, days: Sequence[float], provinces: Sequence[int], transitions: Sequence[int],
        r: int, p: int, until: float,
    ) -> Followed:  # fmt: skip
        """Return what the hazard of the clock (*r*, *p*) is made of, from the start of *replication* *until* a day.

        Its events before then are given: their *days* since the start, ascending, the indices of their *provinces*,
        and of their *transitions* in the model. Factors set by processes are not followed.
        """
        stepper, race, factors = self._stepper, self._stepper.race, self._factors[r]
        stepper.begin(replication, self.values(replication))
        expiry = _pass(race, 0.0)
        turned = happened = fired = 0
        begin, made, control, fresh = [], [], [], 0.0
        day = 0.0
        while True:
            _read(race, r, p, factors)
            begin.append(day)
            made.append(factors.copy())
            control.append(stepper.now.control.copy())
            turn = self._breaks[turned] if turned < len(self._breaks) else math.inf
            event = days[happened] if happened < len(days) else math.inf
            day = min(turn, expiry, event)
            if day >= until:
                break
            # In the order that settles ties of a race: breaks, ends of windows, clocks.
            if turn == day or expiry == day:
                turned += turn == day
                expiry = _pass(race, day)
            else:
                where, what = provinces[happened], transitions[happened]
                expiry = _change(race, where, self._targets[what], day)
                happened += 1
                if (what, where) == (r, p):
                    fresh, fired = day, fired + 1
            if stepper.customs:
                stepper.look(day)
        return Followed(np.array(begin), np.array(made), np.array(control), fresh, fired)


@inner
def _multipliers(law: _law.Law, lanes: _law.Situation, book: Book, r: int, p: int, out: Floats) -> None:
    _law.multipliers(law, book.values[0], lane_of(lanes, 0), r, p, out)


@inner
def _move(law: _law.Law, lanes: _law.Situation, p: int, to: int, day: float) -> float:
    moves.move(law, lane_of(lanes, 0), p, to, day)
    return moves.expire(law, lane_of(lanes, 0), day)


@inner
def _turn(law: _law.Law, lanes: _law.Situation, day: float) -> float:
    moves.turn(law, lane_of(lanes, 0), day)
    return moves.expire(law, lane_of(lanes, 0), day)


@entry
def _read(race: Race, r: int, p: int, out: Floats) -> None:
    _multipliers(race.law, race.lanes, race.book, r, p, out)


@entry
def _change(race: Race, p: int, to: int, day: float) -> float:
    return _move(race.law, race.lanes, p, to, day)


@entry
def _pass(race: Race, day: float) -> float:
    return _turn(race.law, race.lanes, day)
