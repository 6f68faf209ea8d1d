"""What all terms of a hazard have in common, and their product; instants and provinces as terms take them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, ClassVar, TypeAlias

from sim.priors import Prior, as_prior

__all__ = ["Hazard", "Instant", "Term", "Value", "instant_of", "names_of"]

#: An instant: a date (its first moment), an ISO date or date and time, or a number of days since the start.
Instant: TypeAlias = date | datetime | str | float | int
Value: TypeAlias = Prior | float


def instant_of(value: Instant | None, where: str) -> datetime | float | None:
    """Return an instant as local time or days since the start, checked. None stays None."""
    if value is None:
        return None
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            raise ValueError(f"{where} must be an ISO date such as '2021-08-31', but was {value!r}") from None
    if isinstance(value, datetime):
        if value.tzinfo is not None:
            raise ValueError(
                f"{where} must be local time without a zone, but was {value.isoformat()}; leave the zone out"
            )
        return value
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"{where} must be a date or a number of days since the start, but was {value!r}")
    if math.isnan(value):
        raise ValueError(f"{where} must be a date or a number of days since the start, but was nan")
    return float(value)


@dataclass(frozen=True)
class Term:
    """One factor of a hazard. ``kind`` names it; ``values`` are its priors by parameter name."""

    kind: ClassVar[str] = ""
    common: ClassVar[bool] = False

    def __mul__(self, other: Term | Hazard) -> Hazard:
        return Hazard((self,)) * other

    @property
    def qualifier(self) -> str:
        """What tells this term from another of its kind in a parameter name; empty if nothing does."""
        return ""

    @property
    def name(self) -> str:
        """The term's name inside a transition, such as "neighbours.border"."""
        return f"{self.kind}.{self.qualifier}" if self.qualifier else self.kind

    @property
    def values(self) -> Mapping[str, Prior]:
        """Priors by name within a transition: one value for most terms."""
        return {}

    def _prior(self, attribute: str, *, lower: float = -math.inf) -> None:
        where = f"{type(self).__name__}: {attribute}"
        object.__setattr__(self, attribute, as_prior(getattr(self, attribute), where, lower=lower))


@dataclass(frozen=True)
class Hazard:
    """A product of terms, exactly one of them a Baseline, in the order they multiply."""

    terms: tuple[Term, ...]

    def __mul__(self, other: Term | Hazard) -> Hazard:
        if isinstance(other, Hazard):
            return Hazard(self.terms + other.terms)
        if isinstance(other, Term):
            return Hazard((*self.terms, other))
        raise TypeError(f"a hazard is a product of terms such as Baseline(1 / 60), but a factor was {other!r}")


def names_of(value: Iterable[str], where: str) -> tuple[str, ...]:
    """Return names of provinces as a tuple, checked."""
    if isinstance(value, str):
        raise TypeError(f"{where} must be a tuple of province names, but was {value!r}; write ({value!r},)")
    names: tuple[Any, ...] = tuple(value)
    if len(set(names)) != len(names):
        raise ValueError(f"{where} names a province twice: {names!r}")
    return names
