"""Questions put to an ensemble.

Every outcome makes a Watch, a weighted count of capitals with a threshold; the first time it is true is all that is
read of a trajectory. The answer is a Projection.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

import numpy as np

from sim.control import Control, nearest
from sim.ensemble import Run
from sim.law import Watch
from sim.projection import Estimate, Part, Projection, pooled
from sim.theatre import Theatre

__all__ = [
    "PRESSURES", "Captured", "ControlOf", "Estimate", "FullControl", "Outcome", "PeopleUnderControl", "Pressure",
    "Projection", "Territory", "observed", "pooled",
]  # fmt: skip

#: Shares are counted in units of 2**-40 of the whole, so that sums are exact in any order.
_PARTS = 2**40

PRESSURES: Mapping[str, str] = {
    "neighbour": "any province bordering the hub is lost",
    "half_ring": "at least half of the provinces bordering the hub are lost",
    "two_roads": "at least two of the capitals one road-step from the hub are lost",
    "isolated": "all capitals one road-step from the hub are lost",
    "encircled": "no capital one road-step from the hub is in government hands",
    "assault": "the hub itself is contested or lost",
}


class Outcome:
    """A question: something that makes a Watch. Call it with an ensemble for the Projection.

    A new outcome is a subclass with a ``name`` and a ``watch``.
    """

    @property
    def name(self) -> str:
        """What tables call it."""
        raise NotImplementedError(f"{type(self).__name__} must give a name")

    def watch(self, theatre: Theatre) -> Watch:
        """Return the watch on *theatre*. Raise a ValueError if the theatre cannot answer it."""
        raise NotImplementedError(f"{type(self).__name__} must make a Watch")

    def __call__(self, ensemble: Run) -> Projection:
        """Return the projection of *ensemble*, an Ensemble, or Passages that watched this outcome."""
        if not isinstance(ensemble, Run):
            raise TypeError(f"{self.name}: an outcome is put to an Ensemble, but was given {ensemble!r}")
        times = ensemble.first_passage(self.watch(ensemble.theatre))
        return Projection(self.name, (Part(1.0, times, ensemble.draw),), ensemble.horizon)


def _counting(theatre: Theatre, provinces: Sequence[int], threshold: int, *, contested: bool = False) -> Watch:
    weights = np.zeros((len(theatre.provinces), 3), np.int64)
    weights[list(provinces), Control.INSURGENT] = 1
    if contested:
        weights[list(provinces), Control.CONTESTED] = 1
    return Watch(weights, threshold)


@dataclass(frozen=True)
class Pressure(Outcome):
    """Pressure on the theatre's hub, by one of the six definitions in ``PRESSURES``."""

    definition: str

    def __post_init__(self) -> None:
        if self.definition not in PRESSURES:
            raise ValueError(f"Pressure: no definition {self.definition!r}; {nearest(self.definition, PRESSURES)}")

    @property
    def name(self) -> str:
        return self.definition

    def watch(self, theatre: Theatre) -> Watch:
        if theatre.hub is None:
            raise ValueError(f"Pressure({self.definition!r}): the theatre names no hub; give it one in theatre.toml")
        hub = theatre.index(theatre.hub)
        if self.definition == "assault":
            return _counting(theatre, [hub], 1, contested=True)
        by_border = self.definition in ("neighbour", "half_ring")
        ring = theatre.neighbours("border" if by_border else "road")[hub]
        need = {"neighbour": 1, "half_ring": -(-len(ring) // 2), "two_roads": 2}.get(self.definition, len(ring))
        if len(ring) < max(1, need):
            link = "border" if by_border else "road"
            raise ValueError(
                f"Pressure({self.definition!r}): the hub {theatre.hub} has {len(ring)} neighbours by {link}, too few"
            )
        return _counting(theatre, ring, need, contested=self.definition == "encircled")


@dataclass(frozen=True)
class FullControl(Outcome):
    """All capitals lost *but* a number of them."""

    but: int = 0

    def __post_init__(self) -> None:
        _whole(self.but, "FullControl: but", 0)

    @property
    def name(self) -> str:
        return "full_control" if self.but == 0 else f"full_control_but_{self.but}"

    def watch(self, theatre: Theatre) -> Watch:
        n = len(theatre.provinces)
        if self.but >= n:
            raise ValueError(f"FullControl: but must be below the {n} provinces, but was {self.but}")
        return _counting(theatre, range(n), n - self.but)


@dataclass(frozen=True)
class Captured(Outcome):
    """*at_least* so many capitals lost at once."""

    at_least: int

    def __post_init__(self) -> None:
        _whole(self.at_least, "Captured: at_least", 1)

    @property
    def name(self) -> str:
        return f"captured_{self.at_least}"

    def watch(self, theatre: Theatre) -> Watch:
        n = len(theatre.provinces)
        if self.at_least > n:
            raise ValueError(f"Captured: at_least must not exceed the {n} provinces, but was {self.at_least}")
        return _counting(theatre, range(n), self.at_least)


@dataclass(frozen=True)
class ControlOf(Outcome):
    """One *province* lost."""

    province: str

    @property
    def name(self) -> str:
        return f"control_of_{self.province.lower().replace(' ', '_')}"

    def watch(self, theatre: Theatre) -> Watch:
        return _counting(theatre, [theatre.index(self.province, "ControlOf")], 1)


@dataclass(frozen=True)
class Territory(Outcome):
    """At least this *share* of the area in provinces whose capital is lost (column area_km2)."""

    share: float

    def __post_init__(self) -> None:
        _require_share(self.share, "Territory")

    @property
    def name(self) -> str:
        return f"territory_{self.share:g}"

    def watch(self, theatre: Theatre) -> Watch:
        return _weighing(theatre, "area_km2", self.share, "Territory")


@dataclass(frozen=True)
class PeopleUnderControl(Outcome):
    """At least this *share* of the people in provinces whose capital is lost (column population)."""

    share: float

    def __post_init__(self) -> None:
        _require_share(self.share, "PeopleUnderControl")

    @property
    def name(self) -> str:
        return f"people_{self.share:g}"

    def watch(self, theatre: Theatre) -> Watch:
        return _weighing(theatre, "population", self.share, "PeopleUnderControl")


def _whole(value: int, where: str, lowest: int) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < lowest:
        raise ValueError(f"{where} must be a whole number from {lowest}, but was {value!r}")


def _require_share(share: float, where: str) -> None:
    if isinstance(share, bool) or not isinstance(share, (int, float)) or not 0.0 < share <= 1.0:
        raise ValueError(f"{where}: share must be in (0, 1], but was {share!r}")


def _weighing(theatre: Theatre, column: str, share: float, where: str) -> Watch:
    if column not in theatre.columns:
        raise ValueError(f"{where}: the theatre has no column {column!r} in provinces.csv")
    values = [float(v) for v in theatre.columns[column]]
    if not all(math.isfinite(v) and v >= 0 for v in values):
        raise ValueError(f"{where}: column {column!r} must be given and not negative in every province")
    whole = sum(Fraction(v) for v in values)
    if whole == 0:
        raise ValueError(f"{where}: column {column!r} must not be nought in every province")
    parts = [round(Fraction(v) / whole * _PARTS) for v in values]
    weights = np.zeros((len(values), 3), np.int64)
    weights[:, Control.INSURGENT] = parts
    # Each part is rounded by at most a half: allow n of them, about 1e-11 of the whole.
    return Watch(weights, min(sum(parts), math.ceil(Fraction(share) * _PARTS) - len(parts)))


def observed(outcome: Outcome, theatre: Theatre, *, basis: str = "press") -> date | None:
    """Return the day on which *outcome* came true in the theatre's whole record; None if it never did.

    *basis* "press" counts a capture from the evening it was first reported, "best_date" from the day it happened
    by the record's account. Captures alone are counted, not contests.
    """
    if basis not in ("press", "best_date"):
        raise ValueError(f"observed: basis must be 'press' or 'best_date', but was {basis!r}")
    watch = outcome.watch(theatre)
    control = np.zeros(len(theatre.provinces), np.int8)
    when = theatre.record.dates(basis)
    for day in sorted(set(when.values())):
        control[[theatre.index(name) for name, first in when.items() if first == day]] = Control.INSURGENT
        if watch.holds(control):
            return day
    return None
