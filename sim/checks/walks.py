"""A walk along a ridge of a posterior: place by place along one direction, the best in all others."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["Walk", "walked"]

Floats: TypeAlias = NDArray[np.float64]

_PLACES = 25
#: Of the draws that the walk goes past: those between these points.
_ENDS = (0.005, 0.995)
_STEPS = (0.8, 0.4, 0.2, 0.1, 0.05)
_TRIES = 6


class Walk(NamedTuple):
    """Places along a ridge: scores, shape (place, score), and the log-likelihood there."""

    scores: Floats
    log_likelihood: Floats


def walked(log_likelihood: Callable[[Floats], Floats], drawn: Floats, i: int, j: int, sign: float) -> Walk:
    """Return the walk along the ridge of scores *i* and *j*, given posterior draws of all scores.

    The direction is the long axis of the two once standardised; at each place along it, a pattern search over all
    other directions, in steps of the posterior's spread there, looks for the highest posterior density. The places lie
    between the 0.5% and 99.5% points of the draws.

    Parameters
    ----------
    log_likelihood : function of scores, shape (row, score)
    drawn : ndarray, shape (draw, score)
    sign : 1.0 or -1.0
        That of their correlation.
    """
    centre, spread = drawn.mean(axis=0), drawn.std(axis=0)
    along = np.zeros(drawn.shape[1])
    along[i], along[j] = 1.0 / spread[i] / math.sqrt(2.0), sign / spread[j] / math.sqrt(2.0)
    place = (drawn - centre) @ along
    slope = (drawn - centre).T @ place / (place @ place)
    left = drawn - centre - np.outer(place, slope)
    values, vectors = np.linalg.eigh(left.T @ left / len(drawn))
    # One direction is the walk's own: nothing is left in it.
    across = (vectors * np.sqrt(np.maximum(values, 0.0)))[:, 1:]
    places = np.linspace(float(np.quantile(place, _ENDS[0])), float(np.quantile(place, _ENDS[1])), _PLACES)

    def density(rows: Floats) -> tuple[Floats, Floats]:
        likely = np.asarray(log_likelihood(rows))
        likely = np.where(np.isnan(likely), -math.inf, likely)
        return likely - 0.5 * np.sum(rows * rows, axis=1), likely

    # The line of the means, or the best draw nearby moved onto the place: a bent ridge leaves the line.
    at = centre + np.outer(places, slope)
    best, likely = density(at)
    known, _ = density(drawn)
    nearby = np.array([_best_near(place, known, x) for x in places])
    other = drawn[nearby] + np.outer(places - place[nearby], slope)
    best, likely, at = _better(best, likely, at, *density(other), other)
    moves = np.concatenate([across.T, -across.T])
    for step in _STEPS:
        for _ in range(_TRIES):
            rows = (at[:, None, :] + step * moves[None]).reshape(-1, drawn.shape[1])
            tried, probable = (found.reshape(_PLACES, -1) for found in density(rows))
            pick = tried.argmax(axis=1)
            all_ = np.arange(_PLACES)
            chosen = rows.reshape(_PLACES, -1, drawn.shape[1])[all_, pick]
            gained = tried[all_, pick] > best
            best, likely, at = _better(best, likely, at, tried[all_, pick], probable[all_, pick], chosen)
            if not gained.any():
                break
    return Walk(at, likely)


def _best_near(place: Floats, known: Floats, x: float) -> int:
    """Return the draw of highest density among the fiftieth of the draws nearest to *x*."""
    near = np.argsort(np.abs(place - x), kind="stable")[: max(5, len(place) // 50)]
    return int(near[known[near].argmax()])


def _better(
    best: Floats, likely: Floats, at: Floats, tried: Floats, probable: Floats, rows: Floats
) -> tuple[Floats, Floats, Floats]:
    gained = tried > best
    return np.where(gained, tried, best), np.where(gained, probable, likely), np.where(gained[:, None], rows, at)
