"""Proper scores of a probability, a count and a waiting time: lower is better, and honesty is the best policy.

Scores come from the library ``scoringrules`` where it has them. Log scores are here: of a discrete distribution it has
none, and its score of an event takes the logarithm of |p + y − 1|, which is nought below 1e-16. What proper means:
Gneiting and Raftery (2007, doi:10.1198/016214506000001437).
"""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["binary_log", "brier", "count_log", "crps", "passage_crps", "passage_log", "threshold_crps"]

Floats: TypeAlias = NDArray[np.float64]

#: How far sums of probabilities may be from what they must be: rounding, no more.
_ROUNDING = 1e-9


def brier(probability: ArrayLike, happened: ArrayLike) -> Floats:
    """Return the squared error of each *probability* of what *happened* or not (Brier 1950).

    Parameters
    ----------
    probability : array of float in [0, 1]
    happened : array of bool, of the same shape
    """
    import scoringrules

    chance, event = _binary(probability, happened, "brier")
    return np.asarray(scoringrules.brier_score(event, chance, backend="numpy"))


def binary_log(probability: ArrayLike, happened: ArrayLike) -> Floats:
    """Return minus the natural logarithm of the probability given to what came (Good 1952); inf if it was nought.

    Parameters
    ----------
    probability : array of float in [0, 1]
        Of the event.
    happened : array of bool, of the same shape
    """
    chance, event = _binary(probability, happened, "binary_log")
    with np.errstate(divide="ignore"):
        return np.asarray(0.0 - np.log(np.where(event == 1.0, chance, 1.0 - chance)))


def count_log(distribution: ArrayLike, observed: int) -> float:
    """Return minus the natural logarithm of the probability *distribution* gives to *observed*; inf if it is nought.

    Parameters
    ----------
    distribution : array, shape (K,)
        Probabilities of 0, 1, …, K - 1; they sum to 1.
    """
    masses = _distribution(distribution, observed, "count_log")
    return -math.log(masses[observed]) + 0.0 if masses[observed] > 0.0 else math.inf


def crps(distribution: ArrayLike, observed: int) -> float:
    """Return the continuous ranked probability score of a count, in its own unit: Σ (F(k) − 1{observed ≤ k})².

    Matheson and Winkler (1976, doi:10.1287/mnsc.22.10.1087). A point forecast scores its distance.

    Parameters
    ----------
    distribution : array, shape (K,)
        Probabilities of 0, 1, …, K - 1; they sum to 1.
    """
    import scoringrules

    masses = _distribution(distribution, observed, "crps")
    members = np.arange(len(masses), dtype=float)
    return float(scoringrules.crps_ensemble(float(observed), members, ens_w=masses, estimator="nrg", backend="numpy"))


def threshold_crps(distribution: ArrayLike, observed: int, threshold: float) -> float:
    """Return the CRPS with weight on values below *threshold* only: Σ over k < threshold.

    Gneiting and Ranjan (2011, doi:10.1198/jbes.2010.08110): what lies beyond the threshold is one class.
    """
    import scoringrules

    masses = _distribution(distribution, observed, "threshold_crps")
    members = np.arange(len(masses), dtype=float)
    return float(
        scoringrules.twcrps_ensemble(
            float(observed), members, b=float(threshold), ens_w=masses, estimator="nrg", backend="numpy"
        )
    )


def passage_log(bins: ArrayLike, evening: float) -> float:
    """Return the log score of a first passage known only up to now: minus the logarithm of the probability of its bin.

    It scores min(T, now) and whether T ≤ now, both of which are seen, so it is proper whatever follows.

    Parameters
    ----------
    bins : array, shape (H + 1,)
        Probabilities that it is first true by evening 1, 2, …, H, and that it is not true by H, which is now.
    evening : float
        The first evening on which it was true, from 1; beyond H, or inf, if it was not by now.
    """
    masses, place = _bins(bins, evening, "passage_log")
    return count_log(masses, place)


def passage_crps(bins: ArrayLike, evening: float, threshold: float = math.inf) -> float:
    """Return the CRPS of min(T, now) in days; with a *threshold*, weighted on the evenings before it only.

    Censoring the forecast as the fact is censored keeps it proper: what was foreseen beyond now is not asked for
    (threshold-weighted; Gneiting and Ranjan 2011, doi:10.1198/jbes.2010.08110; Taggart, Loveday and Louis 2026,
    arXiv:2603.14835). Parameters as for ``passage_log``.
    """
    if not threshold >= 1.0:
        raise ValueError(f"passage_crps: threshold must be an evening from 1 on, but was {threshold!r}")
    masses, place = _bins(bins, evening, "passage_crps")
    # Evening H and later are both min(T, now) = H.
    censored = np.append(masses[:-2], masses[-2] + masses[-1])
    at = min(place, len(censored) - 1)
    if threshold >= len(censored):
        return crps(censored, at)
    return threshold_crps(censored, at, threshold - 1.0)


def _binary(probability: ArrayLike, happened: ArrayLike, where: str) -> tuple[Floats, Floats]:
    chance, event = np.asarray(probability, dtype=float), np.asarray(happened, dtype=float)
    if chance.shape != event.shape:
        raise ValueError(
            f"{where}: probabilities and events must be of one shape, but were {chance.shape} and {event.shape}"
        )
    if not np.all((chance >= 0.0) & (chance <= 1.0)):
        raise ValueError(f"{where}: a probability must be from 0 to 1, but one was {_worst(chance)!r}")
    if not np.all((event == 0.0) | (event == 1.0)):
        raise ValueError(f"{where}: an event must be true or false, but one was {_worst(event)!r}")
    return chance, event


def _worst(values: Floats) -> float:
    flat = values.ravel()
    return float(flat[np.argmax(np.where(np.isnan(flat), np.inf, np.abs(flat - 0.5)))])


def _distribution(distribution: ArrayLike, observed: int, where: str) -> Floats:
    masses = np.asarray(distribution, dtype=float)
    if masses.ndim != 1 or not np.all(masses >= 0.0) or not abs(masses.sum() - 1.0) <= _ROUNDING:
        raise ValueError(f"{where}: a distribution must be a row of probabilities that sum to 1, but was {masses!r}")
    if isinstance(observed, bool) or not isinstance(observed, (int, np.integer)):
        raise TypeError(f"{where}: observed must be a whole number, but was {observed!r}")
    if not 0 <= observed < len(masses):
        raise ValueError(f"{where}: observed must be from 0 to {len(masses) - 1}, but was {observed!r}")
    return masses


def _bins(bins: ArrayLike, evening: float, where: str) -> tuple[Floats, int]:
    """Return the bins, and the place of *evening* among them."""
    if not evening >= 1.0 or (math.isfinite(evening) and evening != int(evening)):
        raise ValueError(f"{where}: evening must be a whole number from 1 on, or inf, but was {evening!r}")
    count = np.asarray(bins).shape[0] if np.ndim(bins) == 1 else 0
    if count < 2:
        raise ValueError(f"{where}: bins must be a row of at least one evening and what is later, but was {bins!r}")
    place = int(min(evening, count)) - 1
    return _distribution(bins, place, where), place
