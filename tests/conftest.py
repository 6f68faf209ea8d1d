"""Theatres, models and starts that several test modules use."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from exact import Spec, states

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
from sim.record import Record
from sim.theatre import Theatre, load_theatre

NAMES = "ABCDEFGH"
EVENTS = ("initial", "offsets", "day", "province", "source", "target", "transition", "shares", "draw")


@pytest.fixture(scope="session")
def afghan() -> Theatre:
    return load_theatre("afghanistan_2021")


@pytest.fixture(scope="session")
def week(afghan: Theatre) -> Record:
    """What the article knew: 11 of 34."""
    return afghan.record.until("2021-08-12")


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
