"""One family of a scenario, ready to run: a model with its levers, parameter draws, a start and a horizon."""

from __future__ import annotations

import math
from collections.abc import Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.control import State, nearest
from sim.hazards import Hazard, Term
from sim.model import Draws, Model
from sim.recipe import Engine
from sim.simulation import simulate

if TYPE_CHECKING:
    from sim.calibration import Posterior
    from sim.ensemble import Ensemble

__all__ = ["Case", "levered", "with_levers"]


def levered(model: Model, levers: Mapping[str, Hazard | Term]) -> Model:
    """Return *model* with *levers*: terms by transition, which multiply its hazard from the start on.

    A transition the model lacks is added, and its lever then needs a Baseline of its own. Raise a ValueError if the
    model cannot take one.
    """
    hazards: dict[str, Hazard | Term] = dict(model.hazards)
    for transition, lever in levers.items():
        terms = (lever,) if isinstance(lever, Term) else lever.terms
        based = any(term.kind == "baseline" for term in terms)
        if transition in hazards and based:
            raise ValueError(
                f"lever on {transition}: {model.name} has a Baseline for it already; leave it out of the lever"
            )
        if transition not in hazards and not based:
            raise ValueError(
                f"lever on {transition}: {model.name} has no {transition} to act on; give the lever a Baseline, or "
                f"name families that have it, since this one has {', '.join(hazards)}"
            )
        hazards[transition] = model.hazards[transition] * lever if transition in hazards else lever
    return Model(model.theatre, hazards, model.contested, model.name)


def with_levers(model: Model, posterior: Draws, *, seed: int) -> Draws:
    """Return the draws of *posterior* with columns for what *model* has besides, drawn from its priors.

    A lever of one name has the same draws in every scenario of one *seed*, so scenarios can be compared draw by draw.
    """
    lacking = [name for name in model.free if name not in posterior.names]
    if not lacking:
        return model.checked(Draws(posterior.names, posterior.values))
    prior = model.draw_prior(len(posterior), seed=seed)
    more = np.column_stack([prior[name] for name in lacking])
    return model.checked(Draws((*posterior.names, *lacking), np.hstack([posterior.values, more])))


@dataclass(frozen=True, eq=False)
class Case:
    """One family of a scenario, ready to run.

    Parameters
    ----------
    family : str
    model : Model
        Levers included.
    draws : Draws
        Columns of the calibration, and of levers from their priors.
    start : State
    horizon : float
        Days since the start after which nothing is watched.
    engine : Engine, optional
    posterior : Posterior, optional
        What the calibration gave; None where nothing was calibrated.
    """

    family: str
    model: Model
    draws: Draws
    start: State
    horizon: float
    engine: Engine | None = None
    posterior: Posterior | None = None

    def __repr__(self) -> str:
        return f"<Case of {self.family}: {len(self.draws)} draws of {len(self.draws.names)} parameters>"

    def simulate(
        self, *, seed: int, replications: int | range, executor: Executor | None = None, progress: Any = None,
        **rest: Any,
    ) -> Ensemble:  # fmt: skip
        """Return the ensemble of this case; *rest* is what ``sim.simulate`` takes besides."""
        ensemble: Ensemble = simulate(
            self.model, self.draws, start=self.start, horizon=self.horizon, replications=replications, seed=seed,
            engine=self.engine, executor=executor, progress=progress, **rest,
        )  # fmt: skip
        return ensemble

    def scaled(self, parameter: str, factor: float) -> Case:
        """Return the case with every draw of *parameter*, a fixed one included, multiplied by *factor*.

        Raise a ValueError if the model has no such parameter, or the result leaves its support.
        """
        if parameter not in self.model.parameters:
            raise ValueError(
                f"case: no parameter {parameter!r} in {self.family}; {nearest(parameter, self.model.parameters)}"
            )
        if isinstance(factor, bool) or not isinstance(factor, (int, float, np.number)) or not math.isfinite(factor):
            raise ValueError(f"case: factor must be a finite number, but was {factor!r}")
        values = self.draws.values.copy()
        values[:, self.draws.names.index(parameter)] *= factor
        return replace(self, draws=self.model.checked(Draws(self.draws.names, values)))

    def thin(self, count: int) -> Case:
        """Return the case with *count* of its draws, evenly spaced."""
        return replace(self, draws=self.draws.thin(count))
