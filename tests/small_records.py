"""Small theatres and records whose likelihood can be had by brute force: over orders, or over all 3^n states."""

from __future__ import annotations

import itertools
import math
from datetime import date, datetime, timedelta

import exact
import numpy as np
from scipy import linalg

import sim
from sim.control import Control
from sim.hazards import Baseline, Calendar, CutOff, Momentum, Neighbours
from sim.likelihood import likelihood
from sim.record import Capture, Record, Sighting

ORIGIN = datetime(2021, 8, 6)
LEVEL = [-1.0, 0.0, 3.0]
PATH = {"borders": [("A", "B"), ("B", "C")], "roads": [("A", "B", "trunk"), ("B", "C", "trunk")], "hub": "A"}
PLAIN = {"borders": {(0, 1), (1, 2)}, "roads": {(0, 1, "trunk"), (1, 2, "trunk")}}


def when(day: float) -> datetime:
    return ORIGIN + timedelta(days=day)


def captured(province: str, low: float, high: float) -> Capture:
    known = max(when(low), when(high) - timedelta(microseconds=1)).date()
    return Capture(province=province, earliest=when(low), latest=when(high), known_from=known)


def theatre(**more: object) -> sim.Theatre:
    return sim.Theatre(["A", "B", "C"], columns={"level": LEVEL}, **(PATH | more))


def week(intervals: list[tuple[float, float] | None], end: float = 3.0, names: str = "ABC", **more: object) -> Record:
    rows = [captured(name, *span) for name, span in zip(names, intervals, strict=True) if span is not None]
    return Record(list("ABC"), rows, origin=ORIGIN.date(), end=when(end), **more)


def log_likelihood(model: sim.Model, record: Record) -> float:
    return float(likelihood(model, record)(model.draws({}).values)[0])


# -- brute force -----------------------------------------------------------------------------------------------------


def density(spec: exact.Spec, times: list[float | None], end: float) -> float:
    """Return the density of seizures at *times* (None: not by *end*): hazards times survival."""
    control = (0,) * spec.n
    order = sorted((t, p) for p, t in enumerate(times) if t is not None)
    log, day = 0.0, 0.0
    for t, p in [*order, (end, -1)]:
        for a, b in itertools.pairwise(sorted({day, t, *(x for x in spec.breaks(end) if day < x < t)})):
            log -= (b - a) * sum(exact.hazard(spec, "seizure", q, control, a) for q in range(spec.n))
        if p >= 0:
            log += math.log(exact.hazard(spec, "seizure", p, control, t))
            control = (*control[:p], 2, *control[p + 1 :])
        day = t
    return math.exp(log)


def integral(function, intervals: list[tuple[float, float] | None], breaks: list[float], nodes: int = 9) -> float:
    """Return the integral of *function* of the times over the box, simplex by simplex (nested Gauss-Legendre)."""
    x, w = np.polynomial.legendre.leggauss(nodes)
    x, w = (x + 1) / 2, w / 2
    cuts = sorted({*breaks, *(t for span in intervals if span for t in span)})
    pieces = list(itertools.pairwise(cuts))
    open_ = [p for p, span in enumerate(intervals) if span is not None]
    choices = [
        [piece for piece in pieces if intervals[p][0] <= piece[0] and piece[1] <= intervals[p][1]] for p in open_
    ]
    total = 0.0
    for choice in itertools.product(*choices):
        groups = [[p for p, mine in zip(open_, choice, strict=True) if mine == piece] for piece in pieces]
        for orders in itertools.product(*(itertools.permutations(group) for group in groups)):
            todo = [
                (p, piece, j == 0) for piece, order in zip(pieces, orders, strict=True) for j, p in enumerate(order)
            ]

            def nest(at: int, times: list[float | None], low: float) -> float:
                if at == len(todo):  # noqa: B023
                    return function(times)
                p, piece, first = todo[at]  # noqa: B023
                low = piece[0] if first else low
                found = 0.0
                for u, v in zip(x, w, strict=True):
                    times[p] = low + u * (piece[1] - low)
                    found += v * (piece[1] - low) * nest(at + 1, times, times[p])
                return found

            total += nest(0, [None] * len(intervals), 0.0)
    return total


# -- hidden contests -------------------------------------------------------------------------------------------------

FIGHT = {
    "seizure": (
        Baseline(0.1) * Momentum(0.9) * CutOff(0.4),
        [("baseline", 0.1), ("momentum", 0.9), ("cutoff", 0.4, 0, ())],
    ),
    "assault": (Baseline(0.4) * Neighbours(1.1), [("baseline", 0.4), ("neighbours", 1.1, "border")]),
    "fall": (Baseline(0.6) * Momentum(0.5), [("baseline", 0.6), ("momentum", 0.5)]),
    "relief": (
        Baseline(0.5) * Calendar("2021-08-07T06:00", None, -0.6),
        [("baseline", 0.5), ("calendar", 1.25, None, -0.6, None)],
    ),
}
START = 0.2
SEEN = [
    Sighting(province="B", first=date(2021, 8, 6), last=date(2021, 8, 6), seen=date(2021, 8, 6), source="test"),
    Sighting(province="C", first=date(2021, 8, 7), last=date(2021, 8, 7), seen=date(2021, 8, 7), source="test",
             control=Control.GOVERNMENT),
    Sighting(province="C", first=date(2021, 8, 1), last=date(2021, 8, 6), seen=date(2021, 8, 6), source="test"),
    Sighting(province="A", first=date(2021, 8, 7), last=date(2021, 8, 7), seen=date(2021, 8, 7), source="test"),
]  # fmt: skip


def fight(names: tuple[str, ...] = tuple(FIGHT)) -> tuple[sim.Model, exact.Spec]:
    model = sim.Model(theatre(), {name: FIGHT[name][0] for name in names}, contested=START)
    return model, exact.Spec(n=3, hazards={name: FIGHT[name][1] for name in names}, **PLAIN)


def joint(spec: exact.Spec, times: list[float | None], seen: list[tuple[float, int, int]], end: float) -> float:
    """Return the density of captures at *times* and sightings (day, province, control), over all 3^n states."""
    listed = exact.states(spec.n)
    now = np.array([math.prod((1 - START, START, 0.0)[held] for held in control) for control in listed])
    what = [(t, "capture", p, 0) for p, t in enumerate(times) if t is not None]
    what += [(t, "seen", p, held) for t, p, held in seen] + [(b, "break", 0, 0) for b in spec.breaks(end)]
    day = 0.0
    for t, kind, p, held in [*sorted(what), (end, "end", 0, 0)]:
        rates = exact.generator(spec, day).toarray()
        lost = np.array([sum(h == 2 for h in control) for control in listed])
        quiet = np.where(lost[:, None] == lost[None, :], rates, 0.0)
        now = now @ linalg.expm(quiet * (t - day))
        if kind == "capture":
            here = np.array([control[p] == 2 for control in listed])
            now = now @ np.where((lost[:, None] + 1 == lost[None, :]) & here[None, :] & ~here[:, None], rates, 0.0)
        elif kind == "seen":
            now = np.where([control[p] == held for control in listed], now, 0.0)
        day = t
    return float(now.sum())


def sightings_of(times: list[float | None], end: float) -> list[tuple[float, int, int]]:
    """Return SEEN as moments: the middle of the day or of its part before the capture; day 0 for a span from before."""
    middle = [min(high, times[p] or end) for p, high in ((1, 1.0), (2, 2.0), (2, 1.0), (0, 2.0))]
    return [(middle[0] / 2, 1, 1), ((1 + middle[1]) / 2, 2, 0), (0.0, 2, 1), (middle[2] / 2, 2, 1),
            ((1 + middle[3]) / 2, 0, 1)]  # fmt: skip
