"""Draws from a posterior on standard normal scores: a grid for one or two of them, emcee's ensembles for more.

A density here is a function of scores, shape (row, score), that gives log densities. Where there is none, draws of the
prior are kept when a simulation from them has the record. Every random number is addressed by the seed.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import special

from sim.streams import key_of, uniforms

__all__ = ["QUANTILES", "Budget", "Sample", "ensembles", "grid", "rejection"]

Floats: TypeAlias = NDArray[np.float64]
Density: TypeAlias = Callable[[Floats], Floats]

#: The quantiles whose Monte Carlo error is told.
QUANTILES = (0.05, 0.5, 0.95)
#: Proposals to a batch, and the most there are, of draws that are kept or not.
_BATCH, _MOST = 20_000, 4_000_000
#: Cells along each axis of a grid, by the number of axes.
_CELLS = {1: 400, 2: 120}
#: The same while it looks for the mass.
_COARSE = {1: 200, 2: 40}
#: A grid covers what is within this of the peak: 1e-9 of it.
_DEPTH = 9.0 * math.log(10.0)
_FAR = 8.0


@dataclass(frozen=True)
class Budget:
    """How long ensembles run, and what they must reach."""

    ensembles: int = 4
    walkers: int = 32
    round: int = 250
    rounds: int = 40
    rhat: float = 1.01
    ess: float = 400.0


@dataclass(frozen=True, eq=False)
class Sample:
    """Scores drawn, shape (draw, score), and the diagnostics of each score: rhat, ess_bulk, ess_tail.

    Draw i comes from ensemble i mod *ensembles*. *errors* are the Monte Carlo errors of ``QUANTILES`` of each score,
    shape (score, 3); *steps* how many steps, or proposals, it took.
    """

    scores: Floats
    diagnostics: list[dict[str, float]]
    steps: int = 0
    ensembles: int = 1
    errors: Floats | None = None


def rejection(
    kept: Callable[[Floats, int], NDArray[np.bool_]], dimension: int, draws: int, seed: int,
    progress: Callable[[int], object] | None = None,
) -> Sample:  # fmt: skip
    """Return draws of the prior for which *kept*, a function of scores and the number of the batch, is true.

    They are exact, independent draws of the posterior (Rubin 1984, doi:10.1214/aos/1176346785). Raise a RuntimeError if
    there are too few of them in four million.
    """
    found: list[Floats] = []
    tried = 0
    while sum(map(len, found)) < draws:
        if tried >= _MOST:
            raise RuntimeError(
                f"calibrate: only {sum(map(len, found))} of {tried} simulated records have the counts, fewer than the "
                f"{draws} draws asked for; ask for fewer, or widen the priors"
            )
        batch = tried // _BATCH
        uniform = [uniforms(seed, f"rejection {batch}", f"score {j}", _BATCH) for j in range(dimension)]
        scores = special.ndtri(np.column_stack(uniform)) if uniform else np.zeros((_BATCH, 0))
        found.append(scores[kept(scores, batch)])
        tried += _BATCH
        if progress is not None:
            progress(tried)
    return Sample(np.concatenate(found)[:draws], [], tried)


def grid(density: Density, dimension: int, draws: int, seed: int) -> Sample:
    """Return systematic draws from a grid fitted to where the mass is, uniform within a cell."""
    centres, widths, log = _fitted(density, dimension)
    weight = np.exp(log - log.max())
    heights = np.cumsum(weight / weight.sum())
    offset = float(uniforms(seed, "grid", "offset", 1)[0])
    cell = np.minimum(np.searchsorted(heights, (np.arange(draws) + offset) / draws), len(weight) - 1)
    # In random order, so that the first few are a fair sample too.
    cell = cell[np.argsort(uniforms(seed, "grid", "order", draws), kind="stable")]
    jitter = np.column_stack([uniforms(seed, "grid", f"jitter {axis}", draws) for axis in range(dimension)])
    return Sample(centres[cell] + (jitter - 0.5) * widths, [])


def _fitted(density: Density, dimension: int) -> tuple[Floats, Floats, Floats]:
    """Return the centres of the cells, shape (cell, axis), their widths by axis, and the log density there."""
    low, high = np.full(dimension, -_FAR), np.full(dimension, _FAR)
    cells = _COARSE[dimension]
    for _ in range(40):
        log, centres, axes, widths = _laid(density, low, high, cells)
        near = (log > log.max() - _DEPTH).reshape((cells,) * dimension)
        narrow = True
        for a in range(dimension):
            kept = np.flatnonzero(near.any(axis=tuple(b for b in range(dimension) if b != a)))
            # One cell more on each side: the mass may begin within the cell beyond.
            new_low, new_high = axes[a][kept[0]] - 1.5 * widths[a], axes[a][kept[-1]] + 1.5 * widths[a]
            narrow = narrow and new_high - new_low > 0.7 * (high[a] - low[a])
            low[a], high[a] = max(new_low, -_FAR), min(new_high, _FAR)
        if narrow:
            break
    for _ in range(20):
        log, centres, axes, widths = _laid(density, low, high, _CELLS[dimension])
        near = (log > log.max() - _DEPTH).reshape((_CELLS[dimension],) * dimension)
        cut = False
        # A narrow ridge may slip between the coarse cells: no mass may lie on the edge of the final ones.
        for a in range(dimension):
            kept = near.any(axis=tuple(b for b in range(dimension) if b != a))
            reach = 0.25 * (high[a] - low[a])
            for edge, ends, step in ((kept[0], low, -reach), (kept[-1], high, reach)):
                if edge and abs(ends[a]) < _FAR:
                    ends[a], cut = min(max(ends[a] + step, -_FAR), _FAR), True
        if not cut:
            break
    return centres, widths, log


def _laid(density: Density, low: Floats, high: Floats, cells: int) -> tuple[Floats, Floats, list[Floats], Floats]:
    """Return the log density at the centres of *cells* cells an axis, the centres, the axes and the cells' widths."""
    widths = (high - low) / cells
    axes = [start + width * (np.arange(cells) + 0.5) for start, width in zip(low, widths, strict=True)]
    centres = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(low))
    log = np.asarray(density(centres))
    if not np.any(log > -math.inf):
        raise ValueError("calibrate: the record is impossible under the model, whatever its parameters")
    return log, centres, axes, widths


def ensembles(density: Density, dimension: int, draws: int, seed: int, budget: Budget,
              progress: Callable[[int], object] | None = None) -> Sample:  # fmt: skip
    """Return draws of independent ensembles of walkers (Foreman-Mackey et al. 2013, doi:10.1086/670067).

    Each starts from draws of the prior and runs in rounds until, after a burn-in of ten autocorrelation times,
    rank-normalised R-hat and effective sample sizes over ensembles (Vehtari et al. 2021, doi:10.1214/20-BA1221) are
    good, or the budget is spent.
    """
    samplers = [_sampler(density, dimension, seed, i, budget) for i in range(budget.ensembles)]
    if not any(np.any(density(walk.at.coords) > -math.inf) for walk in samplers):
        raise ValueError("calibrate: the record is impossible under the model, whatever its parameters")
    chains: list[list[Floats]] = [[] for _ in samplers]
    kept, told = np.empty(0), [dict.fromkeys(("rhat", "ess_bulk", "ess_tail"), math.nan)] * dimension
    done = 0
    # Ensembles share nothing, so threads change the time this takes and not a bit of the result.
    with ThreadPoolExecutor(max_workers=min(budget.ensembles, os.cpu_count() or 1)) as pool:
        for _ in range(budget.rounds):
            for chain, part in zip(chains, pool.map(lambda s: _run(s, budget.round), samplers), strict=True):
                chain.append(part)
            done += budget.round
            if progress is not None:
                progress(done)
            whole = np.array([np.concatenate(chain) for chain in chains])  # (ensemble, step, walker, score)
            kept = _settled(whole)
            told = _diagnostics(kept)
            if _good(told, budget, max(2.0 * budget.ess, draws)):
                break
    scores = np.empty((draws, dimension))
    for e, flat in enumerate(kept.reshape(len(samplers), -1, dimension)):
        order = np.argsort(uniforms(seed, "ensembles", f"order {e}", len(flat)), kind="stable")
        share = scores[e :: len(samplers)]
        # With replacement only where fewer were kept than asked for.
        share[:] = flat[order[np.arange(len(share)) % len(flat)]]
    return Sample(scores, told, done, len(samplers), _quantile_errors(scores, len(samplers)))


class _Walk:
    """A sampler and where its walkers are."""

    def __init__(self, sampler: Any, at: Any) -> None:
        self.sampler, self.at = sampler, at


def _sampler(density: Density, dimension: int, seed: int, i: int, budget: Budget) -> _Walk:
    import emcee

    walkers = max(budget.walkers, 2 * dimension + 2)
    start = np.column_stack([
        special.ndtri(uniforms(seed, f"ensemble {i} start", f"score {j}", walkers)) for j in range(dimension)
    ])  # fmt: skip
    moves = [(emcee.moves.DEMove(), 0.7), (emcee.moves.DESnookerMove(), 0.1), (emcee.moves.StretchMove(), 0.2)]
    sampler = emcee.EnsembleSampler(walkers, dimension, density, vectorize=True, moves=moves)
    key = int(key_of(seed, f"ensemble {i}"))
    random = np.random.RandomState([key & 0xFFFFFFFF, key >> 32])
    return _Walk(sampler, emcee.State(start, random_state=random.get_state()))


def _run(walk: _Walk, steps: int) -> Floats:
    walk.sampler.reset()
    walk.at = walk.sampler.run_mcmc(walk.at, steps)
    return np.array(walk.sampler.get_chain())


def _settled(whole: Floats) -> Floats:
    """Return *whole*, shape (ensemble, step, walker, score), without its burn-in and thinned by autocorrelation."""
    from emcee.autocorr import integrated_time

    steps = whole.shape[1]
    # Of the second half, which the start has left behind, to judge how much of the first to drop.
    half = whole[:, steps // 2 :]
    with np.errstate(divide="ignore", invalid="ignore"):
        found = [float(np.max(integrated_time(part, tol=0, quiet=True))) for part in half]
    # A walker that never moved has no autocorrelation time: nothing shorter than the run can be claimed.
    slowest = max(time if math.isfinite(time) else float(steps) for time in found)
    burn = min(int(10 * slowest), steps // 2)
    thin = max(1, int(slowest))
    return whole[:, burn :: min(thin, max(1, (steps - burn) // 8))]


def _diagnostics(kept: Floats) -> list[dict[str, float]]:
    from arviz_stats.base import array_stats

    ensembles_, steps, walkers, dimension = kept.shape
    told = []
    for j in range(dimension):
        by_step = kept[..., j].reshape(ensembles_, steps * walkers)
        # Walker after walker, so that what a walker remembers from step to step counts against the sample.
        by_walker = kept[..., j].transpose(0, 2, 1).reshape(ensembles_, steps * walkers)
        told.append({
            "rhat": float(array_stats.rhat(by_step)),
            "ess_bulk": float(array_stats.ess(by_walker, method="bulk")),
            "ess_tail": float(array_stats.ess(by_walker, method="tail", prob=0.9)),
        })  # fmt: skip
    return told


def _quantile_errors(scores: Floats, ensembles_: int) -> Floats:
    """Return the Monte Carlo errors of ``QUANTILES`` of the draws given out; nan for too few of them."""
    from arviz_stats.base import array_stats

    each = len(scores) // ensembles_
    if each < 4:
        return np.full((scores.shape[1], len(QUANTILES)), math.nan)
    chains = scores[: each * ensembles_].reshape(each, ensembles_, -1).transpose(2, 1, 0)
    return np.array([
        [float(array_stats.mcse(chain, method="quantile", prob=q)) for q in QUANTILES] for chain in chains
    ])  # fmt: skip


def _good(told: list[dict[str, float]], budget: Budget, ess: float) -> bool:
    return all(d["rhat"] <= budget.rhat and min(d["ess_bulk"], d["ess_tail"]) >= ess for d in told)
