"""Random theatres, models, draws, starts and runs: everything an engine may be asked to run.

All are valid, and all shrink towards one province, one Baseline and an untouched country. Instants lie on a grid of six
hours, so that breaks, ends of windows and horizons often fall together.
"""

from __future__ import annotations

import itertools
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

import numpy as np
from hypothesis import strategies as st

import sim
from sim.control import TRANSITIONS, Control, Past, State
from sim.ensemble import Ensemble
from sim.hazards import (
    Baseline,
    Calendar,
    Covariate,
    CutOff,
    Frailty,
    Hazard,
    Instant,
    Momentum,
    Neighbours,
    PullBack,
    Reserves,
    Term,
)
from sim.model import Draws, Model
from sim.priors import Beta, HalfNormal, LogNormal, Normal, Prior
from sim.recipe import Recording
from sim.theatre import Theatre

#: Hazards that stand still, and hazards so high that capitals fall within the last digit of one day.
STILL, STORM = -800.0, 45.0
#: What may be multiplied onto a Baseline, each at most once a transition.
KINDS = (
    "border", "road", "momentum", "short window", "long window", "covariate", "another covariate", "frailty", "cutoff",
    "calendar", "local calendar", "reserves", "pullback",
)  # fmt: skip
ROADS = ("trunk", "track", "spur", "ring", "mule path")

_LETTERS = "ABCabc'-7éßñŞčŁöЖћكابل中🜁\u0301"
_EFFECTS = st.floats(-2.0, 2.0)
_JUMPS = st.one_of(_EFFECTS, _EFFECTS, _EFFECTS, st.just(STILL))
_STORMS = st.one_of(_EFFECTS, st.just(STORM), st.just(STILL))
#: Values by kind of term, held within bounds so that runs that go round and round stay short.
VALUES: dict[str, st.SearchStrategy[float]] = {
    "baseline": st.one_of(st.integers(4, 24).map(lambda k: k / 24), st.floats(0.1, 1.0), st.floats(0.0, 3.0)),
    "neighbours": st.floats(0.0, 1.0),
    "momentum": _EFFECTS,
    "covariate": st.floats(-0.7, 0.7),
    "frailty": st.one_of(st.floats(0.2, 1.0), st.floats(0.0, 1.0)),
    "cutoff": _EFFECTS,
    "calendar": _JUMPS,
    "reserves": st.one_of(st.floats(0.1, 1.0), st.floats(0.0, 4.0)),
    "pullback": _JUMPS,
    "contested": st.floats(0.0, 1.0),
}
#: The same where capitals cannot go round: a storm is over once all have fallen.
_STORMY = VALUES | {"calendar": _STORMS, "pullback": _STORMS}
_PRIORS: dict[str, Prior] = {
    "baseline": LogNormal(1 / 60, 1.0), "neighbours": HalfNormal(1.0), "frailty": HalfNormal(1.0),
    "reserves": HalfNormal(2.0), "contested": Beta(1.0, 20.0),
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Case:
    """One thing to simulate."""

    model: Model
    draws: Draws
    start: State
    horizon: float
    replications: range
    seed: int

    def run(self, engine: Any = None, **changed: Any) -> Ensemble:
        """Return its ensemble by *engine*, with some arguments of ``simulate`` *changed*."""
        asked: dict[str, Any] = {
            "model": self.model, "draws": self.draws, "start": self.start, "horizon": self.horizon,
            "replications": self.replications, "seed": self.seed, "engine": engine,
        }  # fmt: skip
        asked |= changed
        numbers = asked["replications"]
        if numbers.step == 1:
            return sim.simulate(**asked)
        # The verb runs stretches; an engine runs any replications it is told.
        recipe = sim.simulate(**asked | {"replications": range(numbers[0], numbers[0] + 1)}).recipe
        return Ensemble.of(recipe, [recipe.engine.run(recipe, list(numbers), Recording(), np.zeros(1, np.uint8))])

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(repr(self))  # else Hypothesis prints every field of every field

    def __repr__(self) -> str:
        """Return how to make it again."""
        theatre, start = self.model.theatre, self.start
        borders = [(b.a, b.b, b.status) for b in theatre.borders]
        roads = [(r.a, r.b, r.kind, r.evidence, r.name) for r in theatre.roads]
        columns = {name: column.tolist() for name, column in theatre.columns.items()}
        origin = None if theatre.origin is None else str(theatre.origin)
        hazards = ", ".join(f"{name!r}: Hazard({h.terms!r})" for name, h in self.model.hazards.items())
        control = {name: int(held) for name, held in start.control.items()}
        return (
            f"Case(Model(Theatre({theatre.provinces!r}, {borders!r}, {roads!r}, hub={theatre.hub!r}, "
            f"columns={columns!r}, origin={origin!r}), {{{hazards}}}, contested={self.model.contested!r}), "
            f"Draws({self.draws.names!r}, {self.draws.values.tolist()!r}), State({control!r}, {start.instant!r}, "
            f"{start.past!r}, {sorted(start.sighted)!r}), {self.horizon!r}, {self.replications!r}, {self.seed!r})"
        )


def grid(first: float, last: float) -> st.SearchStrategy[float]:
    """Any of the quarters of a day from *first* to *last*."""
    return st.integers(round(4 * first), round(4 * last)).map(lambda quarters: quarters / 4)


# ------------------------------------------------------------------------------------------------------- theatres


def _names(count: int) -> st.SearchStrategy[list[str]]:
    text = st.text(_LETTERS, min_size=1, max_size=4)
    return st.lists(text, min_size=count, max_size=count, unique_by=lambda name: unicodedata.normalize("NFC", name))


def _pairs(draw: st.DrawFn, n: int) -> list[tuple[int, int]]:
    """Return links between provinces 0 to n - 1: most of a tree, and a few more."""
    parents = [(draw(st.integers(-1, p - 1)), p) for p in range(1, n)]
    every = list(itertools.combinations(range(n), 2))
    more = draw(st.lists(st.sampled_from(every), max_size=n)) if every else []
    return sorted({(a, b) for a, b in [*parents, *more] if a >= 0})


@st.composite
def theatres(draw: st.DrawFn, *, most: int = 12) -> Theatre:
    """Any theatre of 1 to *most* provinces."""
    names = draw(st.integers(1, most).flatmap(_names))
    n = len(names)
    borders = [(names[a], names[b], draw(st.sampled_from(["agreed", "disputed"]))) for a, b in _pairs(draw, n)]
    roads = [
        (names[a], names[b], kind, "source", kind)
        for a, b in (_pairs(draw, n) if draw(st.booleans()) or draw(st.booleans()) else [])
        for kind in draw(st.lists(st.sampled_from(ROADS), min_size=1, max_size=2, unique=True))
    ]
    columns = {}
    for name in ("x", "Höhe"):
        values: list[float] = draw(st.lists(st.integers(-9, 99), min_size=n, max_size=n))
        if len(set(values)) > 1:  # a constant column cannot be standardised
            columns[name] = values
    return Theatre(
        names, borders, roads, hub=draw(st.none() | st.sampled_from(names)), columns=columns,
        origin=draw(st.none() | st.dates(datetime(2001, 10, 7).date(), datetime(2021, 8, 31).date())),
    )  # fmt: skip


# --------------------------------------------------------------------------------------------------------- models


def _goes_round(transitions: Iterable[str]) -> bool:
    """Return whether a capital can come back to a control it has left."""
    known = set(transitions)
    falls = "seizure" in known or {"assault", "fall"} <= known
    return {"assault", "relief"} <= known or (falls and "recapture" in known)


def _values(transitions: Iterable[str]) -> dict[str, st.SearchStrategy[float]]:
    return VALUES if _goes_round(transitions) else _STORMY


def _instant(draw: st.DrawFn, day: float, instant: datetime | None) -> Instant:
    """Return *day* as a number of days since the start or, given the start's *instant*, as any form of date."""
    if instant is None or draw(st.booleans()):
        return day
    when = instant + timedelta(days=day)
    forms: list[Instant] = [when, when.isoformat()]
    if when == datetime(when.year, when.month, when.day):
        forms += [when.date(), str(when.date())]
    return draw(st.sampled_from(forms))


class _Terms:
    """Makes the terms of one transition of a model on *theatre*."""

    def __init__(self, draw: st.DrawFn, theatre: Theatre, instant: datetime | None, transition: str, values: Any):
        self.draw, self.theatre, self.instant, self.transition = draw, theatre, instant, transition
        self.values = values

    def kinds(self) -> list[str]:
        """Return what this theatre and this transition allow."""
        theatre = self.theatre
        allowed = {
            "road": bool(theatre.roads), "cutoff": bool(theatre.roads), "reserves": self.transition == "relief",
            "covariate": "x" in theatre.columns, "another covariate": "Höhe" in theatre.columns,
        }  # fmt: skip
        return [kind for kind in KINDS if allowed.get(kind, True)]

    def value(self, kind: str) -> Prior | float:
        """Return a known value, or the prior of one that the draws will bring."""
        free = self.draw(st.booleans())
        return _PRIORS.get(kind, Normal(0.0, 1.0)) if free else self.draw(self.values[kind])

    def some(self) -> tuple[str, ...]:
        """Return some of the provinces, in any order."""
        return tuple(self.draw(st.lists(st.sampled_from(self.theatre.provinces), unique=True, max_size=6)))

    def term(self, kind: str) -> Term:
        """Return any term of that *kind*."""
        match kind:
            case "border" | "road":
                via: Literal["border", "road"] = "border" if kind == "border" else "road"
                return Neighbours(self.value("neighbours"), via)
            case "momentum":
                return Momentum(self.value("momentum"))
            case "short window" | "long window":
                window = self.draw(st.sampled_from([0.25, 1.0, 1.1] if kind == "short window" else [2.0, 3.5, 1e6]))
                return Momentum(self.value("momentum"), window=window)
            case "covariate" | "another covariate":
                return Covariate("x" if kind == "covariate" else "Höhe", self.value("covariate"))
            case "frailty":
                return Frailty(self.value("frailty"))
            case "cutoff":
                return self.cutoff()
            case "reserves":
                return Reserves(self.value("reserves"))
            case "pullback":
                return self.pullback()
        return self.calendar(None if kind == "calendar" else self.some(), label="" if kind == "calendar" else "local")

    def cutoff(self) -> CutOff:
        """Return a rule that refers to the theatre's hub, or to one of its own."""
        own = st.sampled_from(self.theatre.provinces)
        hub = self.draw(own if self.theatre.hub is None else st.none() | own)
        present = sorted({road.kind for road in self.theatre.roads})
        without = self.draw(st.just(("track",)) | st.lists(st.sampled_from(present), unique=True).map(tuple))
        return CutOff(self.value("cutoff"), hub=hub, without=without)

    def calendar(self, provinces: tuple[str, ...] | None, label: str) -> Calendar:
        """Return a calendar, open at either end, both or none."""
        first = self.draw(grid(-2, 6))
        last = first + self.draw(grid(0.25, 4))
        start = None if self.draw(st.booleans()) and self.draw(st.booleans()) else first
        stop = None if self.draw(st.booleans()) and self.draw(st.booleans()) else last
        ends = (None if day is None else _instant(self.draw, day, self.instant) for day in (start, stop))
        return Calendar(*ends, self.value("calendar"), provinces, label=label)

    def pullback(self) -> PullBack:
        """Return a pull-back triggered by losses, or on a day."""
        if self.draw(st.booleans()):
            after: int | Instant = self.draw(st.integers(0, len(self.theatre.provinces)))
        else:
            after = _instant(self.draw, self.draw(grid(-1, 6)), self.instant)
        return PullBack(self.some(), after, hold=self.value("pullback"), abandon=self.value("pullback"))


@st.composite
def models(draw: st.DrawFn, theatre: Theatre, instant: datetime | None = None) -> Model:
    """Any model on *theatre*, for a start at *instant*; it names dates only if that is given."""
    chosen = draw(st.lists(st.sampled_from(list(TRANSITIONS)), min_size=1, unique=True))
    if "assault" in chosen and not {"fall", "relief"} & set(chosen):
        chosen.append(draw(st.sampled_from(["fall", "relief"])))
    hazards = {}
    for transition in chosen:
        maker = _Terms(draw, theatre, instant, transition, _values(chosen))
        kinds = draw(st.lists(st.sampled_from(maker.kinds()), max_size=5, unique=True))
        if transition == "relief" and "reserves" not in kinds and draw(st.booleans()):
            kinds.append("reserves")  # which can stand nowhere else
        terms = [maker.term(kind) for kind in kinds]
        if not _goes_round(chosen) and draw(st.integers(0, 2)) == 2:
            terms.append(Calendar(draw(grid(0.25, 2)), None, STORM, label="storm"))
        terms.insert(draw(st.integers(0, len(terms))), Baseline(maker.value("baseline")))
        hazards[transition] = Hazard(tuple(terms))
    contested = _PRIORS["contested"] if draw(st.booleans()) else draw(VALUES["contested"])
    return Model(theatre, hazards, contested=contested, name="any")


@st.composite
def draws_of(draw: st.DrawFn, model: Model, *, most: int = 4) -> Draws:
    """Any draws of the free parameters of *model*, 1 to *most* rows."""
    rows = draw(st.integers(1, most)) if model.free else 1
    ranges = _values(model.hazards)
    values = {name: draw(st.lists(ranges[name.split(".")[1]], min_size=rows, max_size=rows)) for name in model.free}
    return model.draws(values)


# ----------------------------------------------------------------------------------------------------- whole runs


@st.composite
def states(draw: st.DrawFn, theatre: Theatre, instant: datetime | None = None) -> State:
    """Any start: who holds what, what was captured when, and what was seen."""
    control, past, sighted = {}, [], set()
    for province in theatre.provinces:
        control[province] = Control(draw(st.integers(0, 2)))
        if control[province] is Control.INSURGENT and draw(st.booleans()):
            latest = draw(st.sampled_from([-1.0, 0.0]) | grid(-4, 0))
            past.append(Past(province, latest - draw(st.just(0.0) | st.floats(0.0, 3.0)), latest))
        elif control[province] is Control.GOVERNMENT:
            if draw(st.booleans()):
                sighted.add(province)
            if draw(st.booleans()):
                del control[province]
    return State(control, instant, tuple(past), frozenset(sighted))


def numbers() -> st.SearchStrategy[range]:
    """Any handful of replications, with gaps or without, also from among the last there are."""
    first = st.one_of(st.just(0), st.integers(0, 99), st.just(2**31 - 2), st.just(2**32 - 40))
    return st.builds(
        lambda first, count, step: range(first, first + (count - 1) * step + 1, step),
        first, st.integers(1, 4), st.one_of(st.just(1), st.integers(1, 9)),
    )  # fmt: skip


@st.composite
def cases(draw: st.DrawFn, *, most: int = 12) -> Case:
    """Any run, of a theatre of 1 to *most* provinces."""
    theatre = draw(theatres(most=most))
    hours = draw(st.none() | st.integers(0, 3).map(lambda k: timedelta(hours=6 * k)))
    day = datetime(2021, 8, 12) if theatre.origin is None else datetime.combine(theatre.origin, datetime.min.time())
    instant = None if hours is None else day + hours
    model = draw(models(theatre, instant))
    return Case(
        model, draw(draws_of(model)), draw(states(theatre, instant)),
        draw(st.one_of(grid(3, 12), grid(3, 12), st.floats(0.1, 12.0))), draw(numbers()),
        draw(st.one_of(st.integers(0, 99), st.integers(0, 2**80))),
    )  # fmt: skip
