"""The one verb: run a model forward from a start, over parameter draws and chance."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike

from sim.control import State
from sim.engines.simpy_engine import SimPyEngine
from sim.ensemble import Ensemble
from sim.model import Draws, Model

__all__ = ["Engine", "simulate"]


class Engine(Protocol):
    """A way to run the race."""

    def run(
        self, model: Model, draws: Draws, *, start: State, horizon: float, replications: Iterable[int], seed: int,
        progress: Callable[[int], object] | None = None,
    ) -> Ensemble:  # fmt: skip
        """Return the ensemble of the *replications* named by number."""


def simulate(
    model: Model,
    draws: Draws | Mapping[str, ArrayLike] | None = None,
    *,
    start: State,
    horizon: float,
    replications: int,
    seed: int,
    engine: Engine | None = None,
    progress: Callable[[int], object] | None = None,
) -> Ensemble:
    """Run *model* forward and return an ensemble of trajectories.

    Parameters
    ----------
    model : Model
    draws : Draws, mapping of parameter name to value, or None
        Replication r uses draw r mod D. A posterior from ``sim.calibrate`` is draws; None will do where every
        parameter is fixed.
    start : State
        Control at the start; ``record.until(…).state()`` gives it.
    horizon : float
        Days since the start; what has not happened by then is censored.
    replications : int
    seed : int
        Not negative. The same seed gives the same bits, and two models with one seed share every draw.
    engine : Engine, optional
        ``SimPyEngine()`` unless given; its ``processes`` run beside the race.
    progress : function of the number of replications done, optional

    Returns
    -------
    Ensemble

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range, or the draws or the start are of another model or theatre.
    """
    if not isinstance(model, Model):
        raise TypeError(f"simulate: model must be a Model, but was {model!r}; sim.families has ready-made ones")
    if not (draws is None or isinstance(draws, (Draws, Mapping))):
        raise TypeError(f"simulate: draws must be Draws or values by parameter name, but was {draws!r}")
    if engine is not None and not hasattr(engine, "run"):
        raise TypeError(f"simulate: engine must be an engine such as SimPyEngine(), but was {engine!r}")
    _require_count(replications, "replications")
    if isinstance(horizon, bool) or not isinstance(horizon, (int, float, np.number)):
        raise TypeError(f"simulate: horizon must be a number of days, but was {horizon!r}")
    if not 0.0 < horizon < math.inf:
        raise ValueError(f"simulate: horizon must be a positive finite number of days, but was {horizon!r}")
    if not isinstance(start, State):
        raise TypeError(f"simulate: start must be a State, but was {start!r}; record.until(…).state() gives one")
    rows = model.checked(draws) if isinstance(draws, Draws) else model.draws(draws)
    run = (engine if engine is not None else SimPyEngine()).run
    ensemble = run(
        model, rows, start=start, horizon=float(horizon), replications=range(replications), seed=seed, progress=progress
    )

    def again(replication: int) -> Ensemble:
        story = SimPyEngine() if not isinstance(engine, SimPyEngine) else engine
        return story.run(model, rows, start=start, horizon=float(horizon), replications=[replication], seed=seed)

    return replace(ensemble, replayer=again)


def _require_count(value: int, name: str) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise TypeError(f"simulate: {name} must be a positive integer, but was {value!r}")
    if not 1 <= value < 2**32:
        raise ValueError(f"simulate: {name} must be from 1 to 2**32 - 1, but was {value!r}")
