"""The terms a hazard is a product of: descriptions, no arithmetic.

A hazard (per day) is written as a product, one Baseline and any number of multipliers::

    Baseline(LogNormal(1 / 60, 1.0)) * Neighbours(HalfNormal(1.0), via="road") * Momentum(HalfNormal(2.0))

A term holds priors (a number means a fixed value) and what it needs to know of the theatre. What each does to
the rate is written once, in ``law.py``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from sim.control import Control, nearest
from sim.priors import Prior, as_prior
from sim.terms import Hazard, Instant, Term, Value, instant_of, names_of

__all__ = [
    "Baseline",
    "Calendar",
    "Covariate",
    "Custom",
    "CutOff",
    "Frailty",
    "Hazard",
    "Instant",
    "Momentum",
    "Neighbours",
    "PullBack",
    "Reserves",
    "Term",
]


@dataclass(frozen=True)
class Baseline(Term):
    """The *rate* per day of an undisturbed clock; every transition has exactly one (F5, the week's pace)."""

    rate: Value
    kind: ClassVar[str] = "baseline"

    def __post_init__(self) -> None:
        self._prior("rate", lower=0.0)

    @property
    def values(self) -> Mapping[str, Prior]:
        return {self.name: as_prior(self.rate, "rate")}


@dataclass(frozen=True)
class Neighbours(Term):
    """1 + *effect* x insurgent-held neighbours, *via* the "border" or the "road" (F6, the sweep)."""

    effect: Value
    via: Literal["border", "road"] = "border"
    kind: ClassVar[str] = "neighbours"

    def __post_init__(self) -> None:
        self._prior("effect", lower=0.0)
        if self.via not in ("border", "road"):
            raise ValueError(
                f"Neighbours: via must be 'border' or 'road', but was {self.via!r}; "
                f"{nearest(self.via, ('border', 'road'))}"
            )

    @property
    def qualifier(self) -> str:
        return self.via

    @property
    def values(self) -> Mapping[str, Prior]:
        return {self.name: as_prior(self.effect, "effect")}


@dataclass(frozen=True)
class Momentum(Term):
    """exp(*effect* x share of all capitals lost) (F5, the blitz).

    With a *window* in days, only capitals captured within the last *window* days and still held count.
    """

    effect: Value
    window: float | None = None
    kind: ClassVar[str] = "momentum"
    common: ClassVar[bool] = True

    def __post_init__(self) -> None:
        self._prior("effect")
        odd = isinstance(self.window, bool) or not isinstance(self.window, (int, float, type(None)))
        if odd or not (self.window is None or 0 < self.window < math.inf):
            raise ValueError(f"Momentum: window must be a positive number of days or None, but was {self.window!r}")
        if self.window is not None:
            object.__setattr__(self, "window", float(self.window))

    @property
    def qualifier(self) -> str:
        return "" if self.window is None else f"{self.window:g}d"

    @property
    def values(self) -> Mapping[str, Prior]:
        return {self.name: as_prior(self.effect, "effect")}


@dataclass(frozen=True)
class Covariate(Term):
    """exp(*effect* x *column* of provinces.csv, standardised over the provinces when the theatre was loaded)."""

    column: str
    effect: Value
    kind: ClassVar[str] = "covariate"

    def __post_init__(self) -> None:
        self._prior("effect")

    @property
    def qualifier(self) -> str:
        return self.column

    @property
    def values(self) -> Mapping[str, Prior]:
        return {self.name: as_prior(self.effect, "effect")}


@dataclass(frozen=True)
class Frailty(Term):
    """exp(*sd* x z), z standard normal per province, transition and replication: what no column tells."""

    sd: Value
    kind: ClassVar[str] = "frailty"

    def __post_init__(self) -> None:
        self._prior("sd", lower=0.0)

    @property
    def values(self) -> Mapping[str, Prior]:
        return {self.name: as_prior(self.sd, "sd")}


@dataclass(frozen=True)
class CutOff(Term):
    """exp(*effect*) for a capital cut off from the *hub* (F6: Ghazni cuts the south).

    A capital that is not lost is cut off if it has a road path to the hub when nothing is held, and now has none
    whose later capitals, hub included, are all not lost. Contested capitals do not cut; the hub is never cut
    off. Roads of the classes *without* do not count. *hub* None means the theatre's.
    """

    effect: Value
    hub: str | None = None
    without: tuple[str, ...] = ("track",)
    kind: ClassVar[str] = "cutoff"

    def __post_init__(self) -> None:
        self._prior("effect")
        if isinstance(self.without, str):
            raise TypeError(
                f"CutOff: without must be a tuple of road classes, but was {self.without!r}; "
                f"write without=({self.without!r},)"
            )
        object.__setattr__(self, "without", tuple(self.without))

    @property
    def values(self) -> Mapping[str, Prior]:
        return {self.name: as_prior(self.effect, "effect")}


@dataclass(frozen=True)
class Calendar(Term):
    """exp(*effect*) from *start* (included) to *stop* (not included), for all or for named *provinces* (F13, F14).

    Instants are dates (their first moment, local time) or days since the start of the scenario; None leaves that
    end open. Give a *label* where a transition has two.
    """

    start: Instant | None
    stop: Instant | None
    effect: Value
    provinces: tuple[str, ...] | None = None
    label: str = ""
    kind: ClassVar[str] = "calendar"

    def __post_init__(self) -> None:
        self._prior("effect")
        start, stop = instant_of(self.start, "Calendar: start"), instant_of(self.stop, "Calendar: stop")
        if type(start) is type(stop) and start is not None and not start < stop:  # type: ignore[operator]
            raise ValueError(f"Calendar: start must come before stop, but was {self.start!r} and {self.stop!r}")
        object.__setattr__(self, "start", start)
        object.__setattr__(self, "stop", stop)
        if self.provinces is not None:
            object.__setattr__(self, "provinces", names_of(self.provinces, "Calendar: provinces"))

    @property
    def qualifier(self) -> str:
        return self.label

    @property
    def values(self) -> Mapping[str, Prior]:
        return {self.name: as_prior(self.effect, "effect")}


@dataclass(frozen=True)
class Reserves(Term):
    """min(1, *units* / max(1, capitals contested)), on relief: special forces are few (F13)."""

    units: Value
    kind: ClassVar[str] = "reserves"
    common: ClassVar[bool] = True

    def __post_init__(self) -> None:
        self._prior("units", lower=0.0)

    @property
    def values(self) -> Mapping[str, Prior]:
        return {self.name: as_prior(self.units, "units")}


@dataclass(frozen=True)
class PullBack(Term):
    """Once triggered, exp(*hold*) for the provinces to *keep* and exp(*abandon*) elsewhere (F11, consolidation).

    *after* is a number of capitals lost at once, or an instant (a date, or days since the start as a float).
    Once triggered it stays so.
    """

    keep: tuple[str, ...]
    after: int | Instant
    hold: Value = field(kw_only=True)
    abandon: Value = field(kw_only=True)
    kind: ClassVar[str] = "pullback"
    common: ClassVar[bool] = True

    def __post_init__(self) -> None:
        self._prior("hold")
        self._prior("abandon")
        object.__setattr__(self, "keep", names_of(self.keep, "PullBack: keep"))
        if isinstance(self.after, int) and not isinstance(self.after, bool):
            if self.after < 0:
                raise ValueError(f"PullBack: after must not be negative, but was {self.after!r}")
        else:
            object.__setattr__(self, "after", instant_of(self.after, "PullBack: after"))

    @property
    def values(self) -> Mapping[str, Prior]:
        return {
            f"{self.name}.hold": as_prior(self.hold, "hold"),
            f"{self.name}.abandon": as_prior(self.abandon, "abandon"),
        }


@dataclass(frozen=True)
class Custom(Term):
    """*fn*(time, control, province): any multiplier, constant between events and its declared *breaks*.

    *time* is in days since the start, *control* a read-only mapping of province to Control, *province* a name.
    A change between events that is not declared in *breaks* raises a RuntimeError when it is noticed.

    The compiled engine takes only compiled functions, made with ``numba.njit``. Those are told arrays and numbers:
    *control* is an int8 array over provinces in name order (0 government, 1 contested, 2 insurgent-held), *province*
    an index into it; ``theatre.provinces.index("Kabul")`` gives the index of a name. They run in either engine, many
    times as fast as Python functions do.
    """

    fn: Callable[[float, Mapping[str, Control], str], float]
    breaks: tuple[Instant, ...] = ()
    label: str = ""
    kind: ClassVar[str] = "custom"

    def __post_init__(self) -> None:
        if not callable(self.fn):
            raise TypeError(f"Custom: fn must be a function of (time, control, province), but was {self.fn!r}")
        if isinstance(self.breaks, str) or not isinstance(self.breaks, Iterable):
            raise TypeError(
                f"Custom: breaks must be a tuple of instants, but was {self.breaks!r}; write ({self.breaks!r},)"
            )
        object.__setattr__(self, "breaks", tuple(instant_of(b, "Custom: a break") for b in self.breaks))

    @property
    def qualifier(self) -> str:
        return self.label
