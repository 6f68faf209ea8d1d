"""What a week taught: information gained on a parameter, in bits, from draws of its standard normal score."""

from __future__ import annotations

import functools
import math
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import special

from sim.streams import uniforms

__all__ = ["Gain", "information"]

Floats: TypeAlias = NDArray[np.float64]

#: Spacings reach over the number of draws to this power.
_REACH = 0.6
_COPIES = 16


class Gain(NamedTuple):
    """Information gained in *bits*, its standard *error*, and the *ratio* of posterior to prior spread of the score."""

    bits: float
    error: float
    ratio: float


def information(scores: Floats, effective: float | None = None) -> Gain:
    """Return the Kullback-Leibler divergence of the posterior from the prior N(0, 1) of a score, given posterior draws.

    With mean m, spread s and entropy h of the standardised draws it is (m² + s² - 1)/2 - log s + log √(2πe) - h: what a
    normal posterior would have gained, and how far it is from normal. The entropy is estimated by spacings of the
    ordered draws (Vasicek 1976, doi:10.1111/j.2517-6161.1976.tb01566.x); its bias is taken from normal samples of the
    same size, so that a normal posterior is right on average. The measure is Lindley's (1956,
    doi:10.1214/aoms/1177728069); it does not depend on the parameter's scale, so scores serve as well as values.

    Parameters
    ----------
    scores : ndarray, shape (draw,)
    effective : float, optional
        How many independent draws they are worth; all of them unless given. It widens the error only.

    Raises
    ------
    ValueError
        If there are fewer than 50 draws, or they are all the same.
    """
    z = np.sort(np.asarray(scores, float))
    n = len(z)
    if n < 50:
        raise ValueError(f"information: there must be at least 50 draws, but there were {n}")
    mean, spread = float(z.mean()), float(z.std())
    if not spread > 0.0:
        raise ValueError("information: the draws must differ, but are all the same")
    log_density = _log_density((z - mean) / spread)
    apart = float(log_density.mean()) - _of_normals(n)
    nats = 0.5 * (mean * mean + spread * spread - 1.0) - math.log(spread) + apart
    # The estimate is a mean of log posterior less log prior density over draws.
    each = log_density - math.log(spread) + 0.5 * z * z
    error = float(each.std()) / math.sqrt(max(1.0, min(n, n if effective is None else effective)))
    return Gain(max(0.0, nats / math.log(2.0)), error / math.log(2.0), spread)


def _log_density(ordered: Floats) -> Floats:
    """Return the log density at each of *ordered* draws from the spacing around it."""
    n = len(ordered)
    reach = max(2, round(n**_REACH / 2))
    at = np.arange(n)
    low, high = np.maximum(at - reach, 0), np.minimum(at + reach, n - 1)
    # A walker that stood still repeats a value: a spacing of nothing would be infinitely dense.
    apart = np.maximum(ordered[high] - ordered[low], 1e-12)
    return np.asarray(np.log((high - low) / n) - np.log(apart))


@functools.cache
def _of_normals(n: int) -> float:
    """Return the mean log density that is estimated of standardised samples of *n* normal draws."""
    found = []
    for copy in range(_COPIES):
        z = np.sort(special.ndtri(uniforms(0, "normal samples", f"copy {copy}", n)))
        found.append(float(_log_density((z - z.mean()) / z.std()).mean()))
    return math.fsum(found) / _COPIES
