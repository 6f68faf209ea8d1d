"""Who holds a capital, and the five ways that changes.

A capital is held by the GOVERNMENT, is CONTESTED, or is held by the INSURGENT side. *Lost* and *captured*
mean insurgent-held, everywhere.
"""

from __future__ import annotations

import difflib
import math
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from types import MappingProxyType

__all__ = ["TRANSITIONS", "Control", "Past", "State", "Transition", "nearest", "require_transition"]


class Control(IntEnum):
    """Control of a provincial capital."""

    GOVERNMENT = 0
    CONTESTED = 1
    INSURGENT = 2


@dataclass(frozen=True, slots=True)
class Transition:
    """A change of control: its *name*, the control it leaves (*source*) and the one it enters (*target*)."""

    name: str
    source: Control
    target: Control


TRANSITIONS: Mapping[str, Transition] = MappingProxyType(
    {
        name: Transition(name, source, target)
        for name, source, target in (
            ("seizure", Control.GOVERNMENT, Control.INSURGENT),
            ("assault", Control.GOVERNMENT, Control.CONTESTED),
            ("fall", Control.CONTESTED, Control.INSURGENT),
            ("relief", Control.CONTESTED, Control.GOVERNMENT),
            ("recapture", Control.INSURGENT, Control.GOVERNMENT),
        )
    }
)


def nearest(name: object, known: Iterable[str]) -> str:
    """Return a hint naming the *known* spelling nearest to *name*, or listing what is known."""
    options = list(known)
    near = difflib.get_close_matches(str(name), options, n=1, cutoff=0.5)
    if not near:
        lower = {option.lower(): option for option in options}
        near = [lower[hit] for hit in difflib.get_close_matches(str(name).lower(), lower, n=1, cutoff=0.5)]
    if near:
        return f"did you mean {near[0]!r}?"
    shown = ", ".join(options[:12]) + (", …" if len(options) > 12 else "")
    return f"known: {shown}" if options else "none is known here"


def require_transition(name: str, where: str) -> Transition:
    """Return the transition called *name*. Raise a ValueError naming *where* if there is none."""
    if name not in TRANSITIONS:
        raise ValueError(f"{where}: no transition {name!r}; {nearest(name, TRANSITIONS)}")
    return TRANSITIONS[name]


@dataclass(frozen=True, slots=True)
class Past:
    """A capture before the start: between *earliest* and *latest*, in days since the start (at most 0)."""

    province: str
    earliest: float
    latest: float

    def __post_init__(self) -> None:
        if not -math.inf < self.earliest <= self.latest <= 0.0:
            raise ValueError(
                f"past capture of {self.province}: earliest <= latest <= 0 days since the start must hold, "
                f"but was {self.earliest!r}, {self.latest!r}"
            )


@dataclass(frozen=True)
class State:
    """Control of every province at one instant: where a projection starts.

    Parameters
    ----------
    control : mapping of province to Control
        Control of each province; provinces left out are held by the government.
    instant : datetime or None
        The start as local time; needed only where the model names dates.
    past : iterable of Past
        Captures before the start that still stand, with their intervals.
    sighted : iterable of str
        Provinces whose control was seen at the start. Any other government-held capital may be contested
        unseen, with the model's probability ``start.contested``.
    """

    control: Mapping[str, Control]
    instant: datetime | None = None
    past: tuple[Past, ...] = ()
    sighted: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        control: dict[str, Control] = {}
        for given, held in self.control.items():
            province = unicodedata.normalize("NFC", given)
            if province in control:
                raise ValueError(f"state: {province} is given twice, in two spellings of the same name; keep one")
            try:
                control[province] = Control[held.upper()] if isinstance(held, str) else Control(held)
            except (KeyError, ValueError):
                hint = nearest(held, (kind.name for kind in Control))
                raise ValueError(f"state of {province}: no control {held!r}; {hint}") from None
        if self.instant is not None and (not isinstance(self.instant, datetime) or self.instant.tzinfo is not None):
            raise TypeError(
                f"state: instant must be a datetime of local time without a zone, but was {self.instant!r}; "
                "write datetime(2021, 8, 13)"
            )
        object.__setattr__(self, "control", MappingProxyType(control))
        object.__setattr__(self, "past", tuple(self.past))
        object.__setattr__(self, "sighted", frozenset(unicodedata.normalize("NFC", name) for name in self.sighted))
        seen = set()
        for past in self.past:
            province = unicodedata.normalize("NFC", past.province)
            if province in seen:
                raise ValueError(f"state: {past.province} has two past captures; keep the one that still stands")
            if control.get(province) is not Control.INSURGENT:
                raise ValueError(f"state: {past.province} has a past capture but is not insurgent-held; recaptured?")
            seen.add(province)

    def __reduce__(self) -> tuple[type[State], tuple[object, ...]]:
        # A read-only view of a mapping cannot be pickled, and workers need the start.
        return State, (dict(self.control), self.instant, self.past, self.sighted)

    @property
    def lost(self) -> tuple[str, ...]:
        """The insurgent-held provinces."""
        return tuple(name for name, held in self.control.items() if held is Control.INSURGENT)

    @property
    def contested(self) -> tuple[str, ...]:
        """The provinces seen contested."""
        return tuple(name for name, held in self.control.items() if held is Control.CONTESTED)
