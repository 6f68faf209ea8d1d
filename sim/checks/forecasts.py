"""What a forecaster says on an evening: capitals held, provinces captured, first passages; simulated, exact or pooled.

Evenings count from the origin, whose own is 0. A first passage is told by the first evening on which it is true.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from sim import chains
from sim.control import Control, State
from sim.ensemble import Passages
from sim.hazards import Baseline, Momentum
from sim.law import Watch
from sim.likelihood import from_scores, likelihood
from sim.lowering import lower
from sim.model import Draws, Model
from sim.outcomes import ControlOf, Outcome
from sim.record import Record
from sim.simulation import simulate
from sim.theatre import Theatre

__all__ = ["Asked", "Forecast", "of_births", "of_model", "pooled_forecasts"]

Floats: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True)
class Asked:
    """What every forecaster is asked on an evening.

    Parameters
    ----------
    horizons : tuple of int
        Evenings for which capitals held and provinces captured are asked.
    outcomes : tuple of Outcome
        First passages asked for.
    evenings : int
        How many evenings they are followed.
    """

    horizons: tuple[int, ...]
    outcomes: tuple[Outcome, ...]
    evenings: int

    @property
    def last(self) -> int:
        """The last evening anything is asked about."""
        return max(*self.horizons, self.evenings)


@dataclass(frozen=True, eq=False)
class Forecast:
    """What one forecaster says on one evening.

    Parameters
    ----------
    counts : ndarray, shape (horizon, n + 1), or None
        Probability of each number of capitals held; None where the forecaster does not speak of it.
    provinces : ndarray, shape (horizon, n), or None
        Probability that each province is captured by then.
    passages : mapping of outcome to ndarray, shape (evenings + 1,)
        Probabilities that it is first true by evening 1, 2, …, and that it is not true by the last.
    floor : float
        What stands for a probability that was never seen: (0 + ½)/(R + 1) of R replications; 0 where exact.
    parts : tuple of Forecast
        What a pool with equal weights was made of.
    method : str
    """

    counts: Floats | None
    provinces: Floats | None
    passages: Mapping[str, Floats]
    floor: float = 0.0
    parts: tuple[Forecast, ...] = ()
    method: str = "exact"

    def chance(self, of: Callable[[Forecast], Floats]) -> tuple[Floats, NDArray[np.bool_]]:
        """Return the probabilities *of* picks, lifted from nought to the floor, and which of them were."""
        if self.parts:
            found = [part.chance(of) for part in self.parts]
            return np.mean([p for p, _ in found], axis=0), np.any([low for _, low in found], axis=0)
        p = np.asarray(of(self), dtype=float)
        low = (p <= 0.0) & (self.floor > 0.0)
        return np.where(low, self.floor, p), low


def pooled_forecasts(parts: Sequence[Forecast]) -> Forecast:
    """Return the linear pool of *parts* with equal weights. Parts that speak of other things are not pooled."""
    counts = [part.counts for part in parts if part.counts is not None]
    provinces = [part.provinces for part in parts if part.provinces is not None]
    named = [name for name in parts[0].passages if all(name in part.passages for part in parts)]
    return Forecast(
        np.mean(counts, axis=0) if len(counts) == len(parts) else None,
        np.mean(provinces, axis=0) if len(provinces) == len(parts) else None,
        {name: np.mean([part.passages[name] for part in parts], axis=0) for name in named},
        parts=tuple(parts), method="equal weights",
    )  # fmt: skip


def of_model(
    model: Model, draws: Draws, start: State, asked: Asked, *, seed: int, replications: int, week: Record | None = None
) -> Forecast:
    """Return what *model* says from *start*: by its exact chain where it has one, else by simulation.

    It has one if seizures alone move it, all capitals still held are alike, and every outcome counts capitals. The
    chain is averaged over *draws* or, given the *week* they come from and one free parameter, over all of its
    posterior: what is very improbable is decided by parameters so rare that no thousand draws hold one.
    """
    if _all_alike(model) and all(_counts(outcome.watch(model.theatre)) for outcome in asked.outcomes):
        values, weights = np.array(draws.values), np.full(len(draws), 1.0 / len(draws))
        if week is not None and len(model.free) == 1:
            values, weights = _posterior(model, week)
        rates = chains.birth_rates(lower(model, start.instant), values)
        return of_births(rates, model.theatre, start, asked, weights)
    captured = [ControlOf(name) for name in model.theatre.provinces]
    watched = {outcome.name: outcome for outcome in (*asked.outcomes, *captured)}
    run = simulate(
        model, draws, start=start, horizon=float(asked.last), replications=replications, seed=seed,
        record="outcomes", outcomes=watched.values(), progress=False,
    )  # fmt: skip
    return _of_run(run, captured, asked)


def _of_run(run: Passages, captured: Sequence[ControlOf], asked: Asked) -> Forecast:
    times = dict(zip(run.names, run.times, strict=True))
    held = run.lost[list(asked.horizons)] / len(run)
    provinces = np.array([[np.mean(times[name.name] <= day) for name in captured] for day in asked.horizons])
    passages = {}
    for outcome in asked.outcomes:
        # An event at the very start is true on the first evening after it.
        evening = np.clip(np.ceil(times[outcome.name]), 1, asked.evenings + 1)
        passages[outcome.name] = np.bincount(evening.astype(np.int64) - 1, minlength=asked.evenings + 1) / len(run)
    return Forecast(held, provinces, passages, 0.5 / (len(run) + 1), method=f"{len(run)} replications")


def _posterior(model: Model, week: Record) -> tuple[Floats, Floats]:
    """Return values of the one free parameter over its whole range, and their posterior weights."""
    scores = np.linspace(-8.0, 8.0, 4_001)
    values = from_scores(model, scores[:, None])
    log = likelihood(model, week, seed=0)(values) - 0.5 * scores**2
    weights = np.exp(np.where(np.isnan(log), -np.inf, log) - np.nanmax(log))
    kept = weights > 1e-30
    return values[kept], weights[kept] / weights[kept].sum()


def _all_alike(model: Model) -> bool:
    if set(model.hazards) != {"seizure"}:
        return False
    return all(
        isinstance(term, Baseline) or (isinstance(term, Momentum) and term.window is None)
        for term in model.hazards["seizure"].terms
    )


def _counts(watch: Watch) -> bool:
    """Return whether *watch* counts lost capitals, each once. What contested adds is nothing to a model without."""
    lost, held = watch.weights[:, Control.INSURGENT], watch.weights[:, Control.GOVERNMENT]
    return bool(np.isin(lost, (0, 1)).all() and not held.any())


def of_births(rates: Floats, theatre: Theatre, start: State, asked: Asked, weights: Floats | None = None) -> Forecast:
    """Return the exact forecast of a pure birth chain of capitals that are all alike, averaged over rows of *rates*.

    Which capitals are lost is then a draw without replacement, so provinces and passages follow from the count.

    Parameters
    ----------
    rates : ndarray, shape (draw, n)
        Rate per day from k to k + 1 capitals lost.
    weights : ndarray, shape (draw,), optional
        Equal unless given.
    """
    n, first = len(theatre.provinces), len(start.lost)
    left = n - first
    chance = np.zeros((asked.last + 1, left + 1))  # (evening, captured since)
    for row, weight in zip(rates, np.ones(len(rates)) if weights is None else weights, strict=True):
        step = chains.birth(np.ascontiguousarray(row[first:]), 1.0)
        now = np.zeros(left + 1)
        now[0] = weight
        chance[0] += now
        for evening in range(1, asked.last + 1):
            now = now @ step
            chance[evening] += now
    chance /= chance.sum(axis=1, keepdims=True)
    days = list(asked.horizons)
    counts = np.zeros((len(days), n + 1))
    counts[:, first:] = chance[days]
    lost = np.isin(theatre.provinces, start.lost)
    share = chance[days] @ np.arange(left + 1.0) / max(left, 1)
    provinces = np.where(lost, 1.0, share[:, None])
    passages = {
        outcome.name: _passage(outcome.watch(theatre), lost, chance[: asked.evenings + 1]) for outcome in asked.outcomes
    }
    return Forecast(counts, provinces, passages)


def _passage(watch: Watch, lost: NDArray[np.bool_], chance: Floats) -> Floats:
    """Return the probability of each evening, and of later, that *watch* is first true, given the chain of the count.

    Of m capitals lost among those left, the watched are hypergeometric. The count never falls, so by-then is then.
    """
    watched = watch.weights[:, Control.INSURGENT].astype(bool)
    need, many, left = int(watch.threshold) - int((watched & lost).sum()), int((watched & ~lost).sum()), chance.shape[1]
    total = left - 1
    met = np.zeros(left)
    for m in range(left):
        ways = (math.comb(many, j) * math.comb(total - many, m - j) for j in range(max(need, 0), min(many, m) + 1))
        met[m] = sum(ways) / math.comb(total, m)
    by = chance @ met
    # What is later is summed on its own: a small rest would drown in one less the sum of the others.
    bins = np.append(np.diff(by), chance[-1] @ (1.0 - met))
    return np.asarray(np.maximum(bins, 0.0))
