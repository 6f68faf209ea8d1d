"""A model: a theatre, and for each transition of control the hazard that drives it.

``Draws`` are values of its parameters, one row a draw.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sim.control import TRANSITIONS, Control, nearest, require_transition
from sim.hazards import Baseline, Calendar, Covariate, CutOff, Hazard, Neighbours, PullBack, Reserves, Term
from sim.priors import Beta, Prior, as_prior
from sim.streams import uniforms
from sim.theatre import Theatre

__all__ = ["CONTESTED_AT_START", "Draws", "Model"]

Floats: TypeAlias = NDArray[np.float64]

#: The parameter for a capital contested unseen at the start.
CONTESTED_AT_START = "start.contested"
_UNSEEN = Beta(1.0, 20.0)


@dataclass(frozen=True, eq=False)
class Draws:
    """Values of a model's parameters, one row a draw.

    Parameters
    ----------
    names : tuple of str
    values : ndarray, shape (draw, parameter)
        Rates per day; effects without unit.
    """

    names: tuple[str, ...]
    values: Floats

    def __post_init__(self) -> None:
        values = np.array(self.values, dtype=float, ndmin=2)
        if values.shape[0] == 0 or values.shape[1:] != (len(self.names),):
            raise ValueError(
                f"draws: values must have shape (draw, {len(self.names)}) with a draw at least, but was {values.shape}"
            )
        if not np.all(np.isfinite(values)):
            row, column = np.argwhere(~np.isfinite(values))[0]
            raise ValueError(f"draws: {self.names[column]} of draw {row} must be finite, but was {values[row, column]}")
        values.flags.writeable = False
        object.__setattr__(self, "values", values)

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, name: str) -> Floats:
        if name not in self.names:
            raise KeyError(f"draws: no parameter {name!r}; {nearest(name, self.names)}")
        return self.values[:, self.names.index(name)]

    def thin(self, count: int) -> Draws:
        """Return *count* of the draws, evenly spaced. Raise a ValueError if there are not that many."""
        if not 1 <= count <= len(self):
            raise ValueError(f"draws: count must be from 1 to {len(self)}, but was {count!r}")
        return Draws(self.names, self.values[np.arange(count) * len(self) // count])


@dataclass(frozen=True, eq=False)
class Model:
    """A theatre and the hazards of its transitions of control.

    Parameters
    ----------
    theatre : Theatre
    transitions : mapping of transition to hazard
        "seizure", "assault", "fall", "relief", "recapture", each a product of terms from ``sim.hazards``.
    contested : Prior
        Probability that a government-held capital nobody reported on is contested at the start. Used only if some
        transition leaves contested.
    name : str
        What tables call it.

    Raises
    ------
    ValueError
        If a transition, column, province, hub or road class is unknown; if a hazard has no or two baselines, or two
        terms of one name; if the model can enter contested but not leave it.
    """

    theatre: Theatre
    transitions: Mapping[str, Hazard | Term]
    contested: Prior = _UNSEEN
    name: str = "model"
    hazards: Mapping[str, Hazard] = field(init=False)
    parameters: Mapping[str, Prior] = field(init=False)

    def __post_init__(self) -> None:
        if not isinstance(self.theatre, Theatre):
            raise TypeError(f"model: theatre must be a Theatre, but was {self.theatre!r}; load_theatre(…) gives one")
        if not self.transitions:
            raise ValueError("model: give at least one transition, such as {'seizure': Baseline(1 / 60)}")
        hazards = {name: _as_hazard(value, name) for name, value in self.transitions.items()}
        object.__setattr__(self, "transitions", MappingProxyType(dict(self.transitions)))
        object.__setattr__(self, "hazards", MappingProxyType(hazards))
        _require_exit(hazards)
        for name, hazard in hazards.items():
            for term in hazard.terms:
                _check_term(self.theatre, name, term)
        object.__setattr__(self, "parameters", MappingProxyType(self._collect()))

    def __reduce__(self) -> tuple[type[Model], tuple[object, ...]]:
        return Model, (self.theatre, dict(self.transitions), self.contested, self.name)

    def _collect(self) -> dict[str, Prior]:
        parameters: dict[str, Prior] = {}
        for transition, hazard in self.hazards.items():
            names = [term.name for term in hazard.terms]
            for term in hazard.terms:
                if names.count(term.name) > 1:
                    raise ValueError(
                        f"model: {transition} has two terms called {term.name!r}; give one a label=, or merge them"
                    )
                for name, prior in term.values.items():
                    parameters[f"{transition}.{name}"] = prior
        if self.leaves_contested:
            parameters[CONTESTED_AT_START] = as_prior(self.contested, "model: contested", lower=0.0, upper=1.0)
        return parameters

    @property
    def leaves_contested(self) -> bool:
        """Whether some transition leaves contested. If none does, contested capitals are read as government."""
        return any(TRANSITIONS[name].source is Control.CONTESTED for name in self.hazards)

    @property
    def free(self) -> tuple[str, ...]:
        """Names of the parameters that are not fixed."""
        return tuple(name for name, prior in self.parameters.items() if prior.free)

    @property
    def terms(self) -> Mapping[str, tuple[str, ...]]:
        """Names of the terms of each transition, in order: the labels of an event's shares."""
        return {name: tuple(term.name for term in hazard.terms) for name, hazard in self.hazards.items()}

    def draws(self, values: Mapping[str, ArrayLike] | None = None) -> Draws:
        """Return draws with the given *values* by parameter name; fixed parameters may be left out.

        Raise a ValueError if a name is unknown, one is missing, or a value lies outside its prior's support.
        """
        given = {} if values is None else dict(values)
        for name in given:
            if name not in self.parameters:
                raise ValueError(f"draws: no parameter {name!r} in the model; {nearest(name, self.parameters)}")
        missing = [name for name in self.free if name not in given]
        if missing:
            raise ValueError(
                f"draws: no value for {', '.join(missing)}; give one, fix it in the model, or pass model.draw_prior(…)"
            )
        columns = [
            np.atleast_1d(np.asarray(given.get(n, p.from_score(0.0)), float)) for n, p in self.parameters.items()
        ]
        table = np.column_stack(np.broadcast_arrays(*columns)) if columns else np.zeros((1, 0))
        return self.checked(Draws(tuple(self.parameters), table))

    def checked(self, draws: Draws) -> Draws:
        """Return *draws* with the columns in this model's order, and those of fixed parameters they lack.

        So a posterior of one model serves another that adds terms with fixed values, as a what-if does. Raise a
        ValueError if they hold parameters this model has not, or lack one that is free.
        """
        odd = sorted(set(draws.names) - set(self.parameters))
        lacking = [name for name in self.parameters if name not in draws.names]
        odd += [name for name in lacking if self.parameters[name].free]
        if odd:
            raise ValueError(f"draws: these are of another model; parameters {', '.join(odd)} are in only one of them")
        if lacking:
            fixed = np.column_stack([self.parameters[name].from_score(np.zeros(len(draws))) for name in lacking])
            draws = Draws((*draws.names, *lacking), np.hstack([draws.values, fixed]))
        for name, prior in self.parameters.items():
            low, high = float(np.min(draws[name])), float(np.max(draws[name]))
            if prior.free and low < prior.lower:
                raise ValueError(f"draws: {name} must not be below {prior.lower:g}, but was {low:g}")
            if prior.free and high > prior.upper:
                raise ValueError(f"draws: {name} must not be above {prior.upper:g}, but was {high:g}")
        if draws.names == tuple(self.parameters):
            return draws
        return Draws(tuple(self.parameters), np.column_stack([draws[name] for name in self.parameters]))

    def draw_prior(self, count: int, *, seed: int) -> Draws:
        """Return *count* draws from the priors, each parameter from its own stream addressed by its name."""
        if isinstance(count, bool) or not isinstance(count, (int, np.integer)) or count < 1:
            raise ValueError(f"draw_prior: count must be a positive integer, but was {count!r}")
        columns = [prior.quantile(uniforms(seed, "prior", name, count)) for name, prior in self.parameters.items()]
        return Draws(tuple(self.parameters), np.column_stack(columns))

    def describe(self) -> dict[str, object]:
        """Return the model as plain values: transitions, terms and priors."""
        return {
            "name": self.name,
            "theatre": self.theatre.name,
            "transitions": {name: list(terms) for name, terms in self.terms.items()},
            "parameters": {name: prior.describe() for name, prior in self.parameters.items()},
            "contested capitals": "a state of their own" if self.leaves_contested else "read as government-held",
        }


def _as_hazard(value: Hazard | Term, transition: str) -> Hazard:
    require_transition(transition, "model")
    if not isinstance(value, (Hazard, Term)):
        raise TypeError(f"model: {transition} must be a product of terms such as Baseline(1 / 60), but was {value!r}")
    hazard = value if isinstance(value, Hazard) else Hazard((value,))
    baselines = sum(isinstance(term, Baseline) for term in hazard.terms)
    if baselines != 1:
        raise ValueError(f"model: {transition} must have exactly one Baseline, but has {baselines}")
    return hazard


def _require_exit(hazards: Iterable[str]) -> None:
    enters = [name for name in hazards if TRANSITIONS[name].target is Control.CONTESTED]
    leaves = [name for name in hazards if TRANSITIONS[name].source is Control.CONTESTED]
    if enters and not leaves:
        raise ValueError(f"model: {enters[0]} makes capitals contested but nothing ends it; add 'fall' or 'relief'")


def _check_term(theatre: Theatre, transition: str, term: Term) -> None:
    where = f"model: {transition}.{term.name}"
    if isinstance(term, Covariate):
        if term.column not in theatre.columns:
            raise ValueError(
                f"{where}: no column {term.column!r} in the theatre; {nearest(term.column, theatre.columns)}"
            )
        theatre.standardised(term.column)
    elif isinstance(term, Neighbours) and term.via == "road" and not theatre.roads:
        raise ValueError(f"{where}: the theatre has no roads; add roads.csv or use via='border'")
    elif isinstance(term, CutOff):
        if not theatre.roads:
            raise ValueError(f"{where}: the theatre has no roads; add roads.csv or leave CutOff out")
        if term.hub is None and theatre.hub is None:
            raise ValueError(f"{where}: the theatre names no hub; write CutOff(…, hub='…')")
        theatre.index(term.hub or theatre.hub or "", where)
        kinds = {road.kind for road in theatre.roads}
        for kind in term.without:
            # "track" is the default, which a theatre without tracks need not know.
            if kind not in kinds and kind != "track":
                raise ValueError(f"{where}: no road class {kind!r} in the theatre; {nearest(kind, kinds)}")
    elif isinstance(term, Reserves) and transition != "relief":
        raise ValueError(f"{where}: Reserves act on relief only, but was given to {transition}")
    named: tuple[str, ...] = ()
    if isinstance(term, Calendar):
        named = term.provinces or ()
    elif isinstance(term, PullBack):
        named = term.keep
    for province in named:
        theatre.index(province, where)
