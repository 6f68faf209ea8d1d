"""Theatres, models and starts that several test modules use."""

from __future__ import annotations

import itertools
import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from exact import TRANSITIONS, Spec, states
from hypothesis import strategies as st

from sim.control import Control, State
from sim.ensemble import Ensemble
from sim.hazards import (
    Baseline,
    Calendar,
    Covariate,
    Custom,
    CutOff,
    Frailty,
    Hazard,
    Momentum,
    Neighbours,
    PullBack,
    Reserves,
    Term,
)
from sim.links import Road
from sim.model import Model
from sim.projecting import Memory
from sim.record import Record
from sim.theatre import Theatre, load_theatre

#: Whether the long batteries run whole (.ci/run --nightly) or a tenth of them, by the same code.
NIGHTLY = os.environ.get("SIM_NIGHTLY") == "1"


def nightly(whole: int, tenth: int | None = None) -> int:
    """Return how many cases to run: the *whole* battery at night, a *tenth* by day."""
    return whole if NIGHTLY else max(1, whole // 10) if tenth is None else tenth


NAMES = "ABCDEFGH"
EVENTS = ("initial", "offsets", "day", "province", "transition", "shares", "draw")


@pytest.fixture(scope="session")
def afghan() -> Theatre:
    return load_theatre("afghanistan_2021")


@pytest.fixture(scope="session")
def week(afghan: Theatre) -> Record:
    """What the article knew: 11 of 34."""
    return afghan.record.until("2021-08-12")


@pytest.fixture(scope="session")
def memory() -> Memory:
    """Calibrations that tests of scenarios share: with it and seed 2021, ``Scenario.run`` fits siege once a session."""
    return {}


def standard(raw: Sequence[float]) -> tuple[float, ...]:
    """Return *raw* less its mean, in units of its population standard deviation."""
    return tuple(float(z) for z in (np.array(raw) - np.mean(raw)) / np.std(raw))


def theatre_of(spec: Spec, order: Sequence[int] | None = None) -> Theatre:
    """Return *spec*'s theatre: provinces A, B, …, handed over in *order*."""
    order = range(spec.n) if order is None else order
    covariates = [term for term in spec.terms if term[0] == "covariate"]
    place = {p: i for i, p in enumerate(order)}
    return Theatre(
        [NAMES[p] for p in order],
        [(NAMES[a], NAMES[b]) for a, b in sorted(spec.borders, key=lambda pair: place[pair[0]])],
        [Road(NAMES[a], NAMES[b], kind, name=str(i)) for i, (a, b, kind) in enumerate(sorted(spec.roads))],
        hub="A",
        columns={f"x{k}": [7.0 + 3.0 * term[2][p] for p in order] for k, term in enumerate(covariates)},
    )


def model_of(spec: Spec, theatre: Theatre | None = None) -> Model:
    """Return the model that says in ``sim``'s words what *spec* says. Nothing is contested unseen."""
    column = itertools.count()
    hazards = {
        name: Hazard(tuple(_term(term, label, column) for label, term in enumerate(terms)))
        for name, terms in spec.hazards.items()
    }
    return Model(theatre or theatre_of(spec), hazards, contested=0.0)


def _term(term: tuple[Any, ...], label: int, column: itertools.count[int]) -> Term:
    match term:
        case ("baseline", rate):
            return Baseline(rate)
        case ("neighbours", effect, via):
            return Neighbours(effect, via)
        case ("momentum", effect):
            return Momentum(effect)
        case ("covariate", effect, _):
            return Covariate(f"x{next(column)}", effect)
        case ("frailty", sd, _):
            return Frailty(sd)
        case ("cutoff", effect, hub, without):
            return CutOff(effect, hub=NAMES[hub], without=without)
        case ("calendar", start, stop, effect, provinces):
            named = None if provinces is None else tuple(NAMES[p] for p in provinces)
            return Calendar(start, stop, effect, named, label=str(label))
        case ("reserves", units):
            return Reserves(units)
        case ("pullback", keep, (by, when), hold, abandon):
            after = int(when) if by == "lost" else float(when)
            return PullBack(tuple(NAMES[p] for p in keep), after, hold=hold, abandon=abandon)
        case ("custom", fn, breaks):

            def told(time: float, control: Mapping[str, Control], province: str) -> float:
                return fn(time, tuple(int(held) for held in control.values()), NAMES.index(province))

            return Custom(told, breaks=breaks, label=str(label))
    raise ValueError(f"no term {term!r}")


def start_of(control: Sequence[int], **rest: Any) -> State:
    """Return the State in which province A is held as *control* begins, B as it goes on, …"""
    return State({NAMES[p]: Control(held) for p, held in enumerate(control)}, **rest)


def frequencies(ensemble: Ensemble, day: float) -> np.ndarray:
    """Return how many replications are in each of the 3^n states on *day*, in the order of ``exact.states``."""
    n = len(ensemble.provinces)
    code = ensemble.control_at(day) @ (3 ** np.arange(n)[::-1])
    return np.bincount(code, minlength=len(states(n)))


def assert_same(one: Ensemble, other: Ensemble, *, but: Sequence[str] = ()) -> None:
    """Assert that two ensembles hold the same bits, columns *but* those named."""
    for name in EVENTS:
        if name not in but:
            left, right = getattr(one, name), getattr(other, name)
            assert left.shape == right.shape, name
            assert left.tobytes() == right.tobytes(), name


def windowed(spec: Spec, unit: float = 1.0) -> Model:
    """Return *spec*'s model with two windows of momentum, of 2 and 5 *unit* days, on every transition."""
    plain = model_of(spec)
    more = {
        name: hazard * Momentum(0.5, window=2.0 * unit) * Momentum(0.3, window=5.0 * unit)
        for name, hazard in plain.hazards.items()
    }
    return Model(plain.theatre, more, contested=0.0)


# ------------------------------------------------------------------------------------------- any theatre, any model

EFFECTS = st.floats(-2.0, 2.0)
POSITIVE = st.floats(0.0, 3.0)
KINDS = ("neighbours", "momentum", "covariate", "frailty", "cutoff", "calendar", "reserves", "pullback", "custom")


def busy(time: float, control: tuple[int, ...], province: int) -> float:
    """A multiplier of everything a Custom term is told."""
    return 0.5 + (time >= 3.0) + sum(control) / 4 + province / 8


@st.composite
def specs(
    draw: st.DrawFn, kinds: tuple[str, ...] = KINDS, *, fewest: int = 2, most: int = 5, fastest: float = 2.0
) -> Spec:
    """Any small theatre, any transitions, any terms of the given *kinds*."""
    n = draw(st.integers(fewest, most))
    pairs = list(itertools.combinations(range(n), 2))
    borders = draw(st.sets(st.sampled_from(pairs)))
    roads = draw(st.sets(st.tuples(st.sampled_from(pairs), st.sampled_from(["trunk", "track", "spur"])), min_size=1))
    transitions = draw(st.sets(st.sampled_from(list(TRANSITIONS)), min_size=1))
    if "assault" in transitions and not transitions & {"fall", "relief"}:
        transitions.add("fall")
    parts = st.sets(st.integers(0, n - 1))
    makers: dict[str, Any] = {
        "neighbours": st.tuples(st.just("neighbours"), POSITIVE, st.sampled_from(["border", "road"])),
        "momentum": st.tuples(st.just("momentum"), EFFECTS),
        "covariate": st.tuples(
            st.just("covariate"), EFFECTS,
            st.permutations([0.3, 1.0, 2.5, 2.75, 7.0]).map(lambda raw: standard(raw[:n])),
        ),
        "frailty": st.tuples(
            st.just("frailty"), POSITIVE, st.lists(st.floats(-3, 3), min_size=n, max_size=n).map(tuple)
        ),
        "cutoff": st.tuples(
            st.just("cutoff"), EFFECTS, st.integers(0, n - 1),
            st.sets(st.sampled_from(sorted({kind for _, kind in roads}))).map(lambda kinds: tuple(sorted(kinds))),
        ),
        "calendar": st.tuples(
            st.just("calendar"), st.sampled_from([None, -1.0, 0.0, 2.0, 3.5]), st.sampled_from([4.0, 6.5, None]),
            EFFECTS, st.none() | parts.map(lambda some: tuple(sorted(some))),
        ),
        "reserves": st.tuples(st.just("reserves"), st.floats(0.1, 4.0)),
        "pullback": st.tuples(
            st.just("pullback"), parts.map(lambda some: tuple(sorted(some))),
            st.tuples(st.just("lost"), st.integers(0, n))
            | st.tuples(st.just("day"), st.sampled_from([-1.0, 0.0, 3.0])),
            EFFECTS, EFFECTS,
        ),
        "custom": st.tuples(st.just("custom"), st.just(busy), st.just((3.0,))),
    }  # fmt: skip
    hazards = {}
    for name in sorted(transitions, key=lambda _: draw(st.integers(0, 99))):
        terms: list[Any] = [("baseline", draw(st.floats(0.01, fastest)))]
        for kind in draw(st.lists(st.sampled_from(kinds), max_size=4, unique=True)):
            if kind != "reserves" or name == "relief":
                terms.insert(draw(st.integers(0, len(terms))), draw(makers[kind]))
        hazards[name] = terms
    return Spec(n, hazards, borders, {(a, b, kind) for (a, b), kind in roads})
