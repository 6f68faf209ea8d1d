"""Why one pair parts: the clock that fired in one replication alone, and what made its hazard another.

Until a pair parts the two have one history, so the clock of the earlier of the two differing events had spent its
budget in the one and not in the other: its hazard differed somewhere along that history, since it last fired. The law
says what that hazard was made of in each; the difference of the two hazards, integrated over the time for which the
clock was running, is split among the terms whose multipliers differ.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from sim.control import TRANSITIONS, Control
from sim.ensemble import Ensemble
from sim.following import Followed, Follower
from sim.hazards import Baseline, Covariate, CutOff, Hazard, Neighbours, Term
from sim.priors import Prior
from sim.recipe import Recipe

__all__ = ["DIGITS", "Cause", "Log", "Parting", "Reasons"]

Floats: TypeAlias = NDArray[np.float64]

#: Days that differ by less than so many parts of themselves are one day: a national change moves last digits.
DIGITS = 1e-9


class Cause(NamedTuple):
    """What made a clock's hazard differ: a *term* of a *transition*, and *what* of it differs.

    *transition* is empty for what is no hazard: control at the start, and processes.
    """

    transition: str
    term: str
    what: str

    def __str__(self) -> str:
        name = f"{self.transition}.{self.term}" if self.transition else self.term
        return f"{name}: {self.what}" if self.what else name


class Parting(NamedTuple):
    """Where one pair parts: an event of *province* and *transition* on *day* that of the two only *where* has then.

    ``causes``: each with its share of the difference, the largest first. They sum to 1.
    """

    replication: int
    day: float
    province: str
    transition: str
    where: str
    causes: tuple[tuple[Cause, float], ...]


class Log(NamedTuple):
    """The events of one replication, in lists."""

    days: list[float]
    provinces: list[int]
    transitions: list[int]

    @classmethod
    def of(cls, run: Ensemble, rows: slice) -> Log:
        return cls(run.day[rows].tolist(), run.province[rows].tolist(), run.transition[rows].tolist())

    def day(self, k: int) -> float:
        return self.days[k] if k < len(self.days) else math.inf


class Reasons:
    """Finds causes: two recipes, followed along the histories they share."""

    def __init__(self, one: Recipe, other: Recipe, names: tuple[str, str]):
        self.recipes, self.names = (one, other), names
        self.followers = Follower(one), Follower(other)
        self.hazards = one.model.hazards, other.model.hazards
        self.theatres = one.model.theatre, other.model.theatre
        self.columns = [
            {name: j for j, name in enumerate(recipe.model.parameters)} for recipe in self.recipes
        ]  # fmt: skip
        self.terms = {name: _terms_of(self.hazards, name) for name in {*self.hazards[0], *self.hazards[1]}}
        self.processes = [
            name for name, recipe in zip(names, self.recipes, strict=True) if getattr(recipe.engine, "processes", ())
        ]
        # The same processes on both sides are no difference, where the law has one.
        engines = [recipe.engine for recipe in self.recipes]
        self.shared_processes = len({getattr(engine, "processes", ()) for engine in engines}) == 1

    def at_the_start(self, replication: int, p: int, control: NDArray[np.int8]) -> Parting:
        """Return the parting of a pair of which province *p* begins otherwise."""
        where = self.names[int(control[p] == Control.CONTESTED)]
        cause = Cause("", "start.contested", "control at the start")
        return Parting(replication, 0.0, self.theatres[0].provinces[p], "", where, ((cause, 1.0),))

    def of(self, replication: int, logs: Sequence[Log], same: int) -> Parting:
        """Return the parting of a pair whose first *same* events are the same."""
        side = int(logs[1].day(same) < logs[0].day(same))
        day, p = logs[side].days[same], logs[side].provinces[same]
        name = tuple(self.hazards[side])[logs[side].transitions[same]]
        followed: list[Followed | None] = []
        for mine, follower, hazards in zip(logs, self.followers, self.hazards, strict=True):
            if name in hazards:
                r = tuple(hazards).index(name)
                past = mine.days[:same], mine.provinces[:same], mine.transitions[:same]
                followed.append(follower.follow(replication, *past, r, p, day))
            else:
                followed.append(None)
        weights = self._weights(replication, name, p, day, followed)
        self._processes(weights, replication, name, p, day, side, followed[side])
        total = sum(weights.values())
        causes = tuple(sorted(((c, w / total) for c, w in weights.items()), key=lambda item: (-item[1], item[0])))
        return Parting(replication, day, self.theatres[0].provinces[p], name, self.names[side], causes)

    def _weights(
        self, replication: int, name: str, p: int, until: float, followed: Sequence[Followed | None]
    ) -> dict[Cause, float]:
        """Return what each cause adds to the difference of the hazards, integrated, without its sign."""
        terms = self.terms[name]
        known = [each for each in followed if each is not None]
        begin = np.unique(np.concatenate([each.begin for each in known]))
        factors = np.ones((2, len(begin), len(terms)))
        for side, each in enumerate(followed):
            if each is None:  # a transition that one model has not: its rate is nought there
                factors[side][:, [isinstance(term[1 - side], Baseline) for term in terms.values()]] = 0.0
                continue
            stretch = np.searchsorted(each.begin, begin, side="right") - 1
            mine = [j for j, term in enumerate(terms.values()) if term[side] is not None]
            factors[side][:, mine] = each.factors[stretch]
        shared = known[0]
        control = shared.control[np.searchsorted(shared.begin, begin, side="right") - 1]
        running = (control[:, p] == TRANSITIONS[name].source) & (begin >= shared.fresh)
        time = np.diff(np.append(begin, until)) * running
        parts = _split(factors, time)
        found: dict[Cause, float] = defaultdict(float)
        for j in np.flatnonzero(parts.any(axis=0)):
            for what, share in self._what(replication, name, list(terms)[j], p, parts[:, j], control).items():
                found[Cause(name, list(terms)[j], what)] += share
        return found

    def _what(
        self, replication: int, transition: str, name: str, p: int, part: Floats, control: NDArray[np.int8]
    ) -> dict[str, float]:
        """Return what of a term differs, each with its share of *part*, shape (stretch,)."""
        pair = self.terms[transition][name]
        whole = float(part.sum())
        for side, term in enumerate(pair):
            if term is None:
                lacking = transition not in self.hazards[side]
                return {f"{'transition ' if lacking else ''}in {self.names[1 - side]} only": whole}
        one, other = pair
        assert one is not None and other is not None
        told = []
        parameters = [f"{transition}.{each}" for each in one.values]
        values = [
            follower.values(replication)[[columns[each] for each in parameters]]
            for follower, columns in zip(self.followers, self.columns, strict=True)
        ]
        if not np.array_equal(values[0], values[1]):
            told.append("its value")
        if _settings(one) != _settings(other):
            told.append("when or where it acts")
        if isinstance(one, Covariate):
            columns = [theatre.standardised(one.column) for theatre in self.theatres]
            told += ["its column"] if columns[0][p] != columns[1][p] else []
        links = self._links(one, p, part, control)
        if not links:
            return {", ".join(told): whole}
        return {", ".join([*told, link] if link else told): share for link, share in links.items()}

    def _links(self, term: Term, p: int, part: Floats, control: NDArray[np.int8]) -> dict[str, float]:
        """Return the links of one theatre only by which *term* may act otherwise, each with its share of *part*."""
        if isinstance(term, CutOff):
            roads = [{(r.a, r.b) for r in theatre.roads if r.kind not in term.without} for theatre in self.theatres]
            told = [
                f"road {a} – {b} in {self.names[side]} only"
                for side in (0, 1) for a, b in sorted(roads[side] - roads[1 - side])
            ]  # fmt: skip
            return {", ".join(told): float(part.sum())} if told else {}
        if not isinstance(term, Neighbours):
            return {}
        near = [set(theatre.neighbours(term.via)[p]) for theatre in self.theatres]
        names = self.theatres[0].provinces
        found: dict[str, float] = defaultdict(float)
        apart = sorted(near[0] ^ near[1])
        held = control[:, apart] == Control.INSURGENT
        counts = np.maximum(1, held.sum(axis=1))
        for q, mine in zip(apart, held.T, strict=True):
            share = float((part * mine / counts).sum())
            if share > 0.0:
                a, b = sorted((names[p], names[q]))
                found[f"{term.via} {a} – {b} in {self.names[int(q in near[1])]} only"] = share
        rest = float(part[~held.any(axis=1)].sum())
        if found and rest > 0.0:
            found[""] = rest
        return found

    def _processes(
        self, weights: dict[Cause, float], replication: int, name: str, p: int, day: float, side: int,
        followed: Followed | None,
    ) -> None:  # fmt: skip
        """Add what the law does not say: the budget spent otherwise where the event happened, by processes there."""
        assert followed is not None
        cause = Cause("", "processes", f"in {' and '.join(self.processes)}")
        if self.names[side] in self.processes and not (self.shared_processes and sum(weights.values()) > 0.0):
            r = tuple(self.hazards[side]).index(name)
            budget = self.followers[side].budget(replication, r, p, followed.fired)
            running = (followed.control[:, p] == TRANSITIONS[name].source) & (followed.begin >= followed.fresh)
            spent = np.diff(np.append(followed.begin, day)) * running @ followed.factors.prod(axis=1)
            if abs(budget - spent) > DIGITS * budget:
                weights[cause] = abs(budget - spent)
        if not sum(weights.values()) > 0.0:
            weights[cause if self.processes else Cause("", "not found", "")] = 1.0


def _terms_of(
    hazards: tuple[Mapping[str, Hazard], Mapping[str, Hazard]], name: str
) -> dict[str, tuple[Term | None, Term | None]]:
    """Return the terms of transition *name* by their names, as each of two models has them."""
    mine = [{term.name: term for term in each[name].terms} if name in each else {} for each in hazards]
    return {term: (mine[0].get(term), mine[1].get(term)) for term in dict.fromkeys((*mine[0], *mine[1]))}


def _split(factors: Floats, time: Floats) -> Floats:
    """Return what each term adds to the difference of two hazards, integrated, without signs: shape (stretch, term).

    *factors* are the multipliers of both, shape (2, stretch, term); *time* is the days each stretch lasts. λ₂ − λ₁ is
    L(λ₁, λ₂) Σ ln(m₂/m₁), with L the logarithmic mean (Ang 2004, doi:10.1016/S0301-4215(03)00076-4): that is the
    operational time in which a difference of logarithms counts. Where a hazard is nought, the terms that make it so
    have all of the difference.
    """
    rates = factors.prod(axis=2)
    change = np.abs(rates[1] - rates[0])
    nought = (factors[0] == 0.0) != (factors[1] == 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        apart = np.log(rates[1] / rates[0])
        mean = np.where(np.abs(apart) > 1e-9, change / np.abs(apart), rates[0])
        logs = np.abs(np.log(factors[1] / factors[0]))
    parts = np.where(np.isfinite(logs), logs, 0.0) * np.where(np.isfinite(mean), mean, 0.0)[:, None]
    ends = nought.any(axis=1)
    parts[ends] = (nought * (change / np.maximum(1, nought.sum(axis=1)))[:, None])[ends]
    return np.asarray(parts * time[:, None])


def _settings(term: Term) -> dict[str, object]:
    """Return what defines a term besides its values."""
    return {each.name: value for each in fields(term) if not isinstance(value := getattr(term, each.name), Prior)}
