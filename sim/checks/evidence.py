"""How well a model foresaw a record: the logarithm of its marginal likelihood, with a standard error.

It is the integral of the likelihood over standard normal scores, where every prior is N(0, 1). One or two free
parameters are summed over a lattice; more by importance sampling on scrambled Sobol points. A count without names is a
single probability, which runs of the prior give where no chain does.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import special

from sim.control import Control, State
from sim.likelihood import Likelihood, from_scores, likelihood
from sim.model import Model
from sim.record import Record
from sim.simulation import simulate
from sim.streams import key_of

__all__ = ["Evidence", "log_evidence", "log_integral"]

Floats: TypeAlias = NDArray[np.float64]
LogLikelihood: TypeAlias = Callable[[Floats], Floats]

#: Spacings of a lattice in units of the posterior's spread, tried until two sums agree to _CLOSE; how far it goes at
#: least and at most; and the logarithm of what a ring must add to go on.
_SPACINGS, _CLOSE = (0.5, 0.35, 0.25, 0.175, 0.125, 0.09), 1e-7
_NEAR, _FAR, _NOTHING = 5.0, 15.0, math.log(1e-11)
_SCRAMBLES = 8
#: Degrees of freedom of the t; one in five points comes from the prior.
_FREEDOM, _DEFENCE = 6.0, 0.2
_ROUNDS = 12


class Evidence(NamedTuple):
    """A log marginal likelihood, its standard error, and how it was found."""

    log: float
    error: float
    text: str


def log_evidence(
    model: Model, record: Record, *, seed: int, points: int = 1024, replications: int = 20_000
) -> Evidence:
    """Return the log of the probability (density, where times are exact) that *model* gave to *record*.

    Priors included: the parameters are integrated out. Where a record's likelihood is itself an average over unknown
    hours, each scramble of the parameters has its own scramble of the hours, so the error covers both.

    Parameters
    ----------
    record : Record
        With an end.
    seed : int
        Not negative. The same seed gives the same bits.
    points : int
        Sobol points in each of eight independent scrambles, a power of two; for three and more free parameters, and
        for hidden contests.
    replications : int
        Runs of the prior, where a count has no exact chain.

    Raises
    ------
    TypeError, ValueError
        If the record cannot be weighed under the model, or an argument is out of its range.
    """
    key_of(seed, "evidence")
    _require(points, replications)
    if not isinstance(model, Model):
        raise TypeError(f"log_evidence: model must be a Model, but was {model!r}")
    if isinstance(record, Record) and not record.named:
        weight = _exact_count(model, record)
        if weight is None:
            return _simulated(model, record, seed, replications)
    else:
        weight = likelihood(model, record, seed=seed)
    again = weight.again

    def scored(scramble: int) -> LogLikelihood:
        function = weight if again is None else again(scramble)
        return lambda scores: function(from_scores(model, scores))

    return log_integral(scored, len(model.free), seed=seed, points=points, noisy=again is not None)


def log_integral(
    scored: Callable[[int], LogLikelihood], dimension: int, *, seed: int, points: int = 1024, noisy: bool = False
) -> Evidence:
    """Return the log of the integral of a likelihood times N(0, 1) in each of *dimension* scores.

    Parameters
    ----------
    scored : function of a scramble's number
        Gives the log-likelihood as a function of scores, shape (row, score). They differ only if it is *noisy*.
    points : int
        As for ``log_evidence``.
    noisy : bool
        Whether the likelihood is itself an average that depends on the scramble: then no lattice is used.
    """
    if dimension <= 2 and not noisy:
        return _on_a_lattice(scored(0), dimension, seed, points)
    return _sampled(scored, dimension, seed, points)


def _require(points: int, replications: int) -> None:
    for name, value in (("points", points), ("replications", replications)):
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
            raise ValueError(f"log_evidence: {name} must be a positive integer, but was {value!r}")
    if points < 64 or points & (points - 1):
        raise ValueError(f"log_evidence: points must be a power of two from 64, but was {points!r}")


# -- a lattice -------------------------------------------------------------------------------------------------------


def _on_a_lattice(log_likelihood: LogLikelihood, dimension: int, seed: int, points: int) -> Evidence:
    """Sum over a lattice laid where the posterior is, finer and finer until two sums agree.

    For smooth integrands that die out on both sides such sums converge faster than any power of the spacing (Trefethen
    and Weideman 2014, doi:10.1137/130932132). The lattice follows the posterior's own axes, so a narrow ridge is no
    obstacle, and ends where nothing is left, so no time is spent on rates nobody believes.
    """
    if dimension == 0:
        return Evidence(float(log_likelihood(np.zeros((1, 0)))[0]), 0.0, "nothing to integrate")
    place = _fitted(log_likelihood, dimension, seed, points)
    if place is None:
        return Evidence(-math.inf, 0.0, "impossible")
    total, error, size = math.nan, math.inf, 0
    for spacing in _SPACINGS:
        before = total
        total, size = _summed(log_likelihood, place, spacing)
        # The finer sum is closer than the two are to one another, so this errs on the safe side.
        error = abs(total - before)
        if error < _CLOSE:
            break
    return Evidence(total, error, f"sum over a lattice of {size} points")


def _summed(log_likelihood: LogLikelihood, place: _Proposal, spacing: float) -> tuple[float, int]:
    """Return the log of the sum over a lattice, ring by ring until one adds nothing, and the number of points."""
    d = len(place.centre)
    steps = np.arange(-math.ceil(_FAR / spacing), math.ceil(_FAR / spacing) + 1) * spacing
    lattice = np.stack(np.meshgrid(*[steps] * d, indexing="ij"), axis=-1).reshape(-1, d)
    radius = np.sqrt(np.sum(lattice * lattice, axis=1))
    total, size, inner = -math.inf, 0, -1.0
    for outer in (_NEAR, *np.arange(_NEAR + 1.0, _FAR + 0.5)):
        ring = lattice[(radius > inner) & (radius <= outer)]
        inner = float(outer)
        log = _density(log_likelihood, place.centre + ring @ place.root.T)
        more = float(special.logsumexp(log)) if np.any(log > -math.inf) else -math.inf
        total, size = float(np.logaddexp(total, more)), size + len(ring)
        if more < total + _NOTHING:
            break
    return total + d * math.log(spacing) + float(np.sum(np.log(np.diag(place.root)))), size


def _density(log_likelihood: LogLikelihood, scores: Floats) -> Floats:
    """Return log-likelihood plus log prior; what is not a number counts as impossible."""
    log = np.asarray(log_likelihood(scores)) + _log_normal(scores)
    return np.where(np.isnan(log), -math.inf, log)


def _log_normal(scores: Floats) -> Floats:
    return np.asarray(-0.5 * np.sum(scores * scores, axis=1) - 0.5 * scores.shape[1] * math.log(2.0 * math.pi))


# -- importance sampling ---------------------------------------------------------------------------------------------


class _Proposal(NamedTuple):
    """A multivariate t (centre, Cholesky root) and, in defence, the prior; the weights stay bounded by the latter."""

    centre: Floats
    root: Floats

    def draw(self, seed: int, purpose: str, points: int) -> Floats:
        """Return *points* of the t and a quarter as many of the prior, both on scrambled Sobol points."""
        d = len(self.centre)
        u = _sobol(seed, f"{purpose} t", d + 1, points)
        # Chi-squared over its degrees of freedom, by its quantile.
        spread = np.sqrt(2.0 * special.gammaincinv(0.5 * _FREEDOM, u[:, d]) / _FREEDOM)
        fitted = self.centre + special.ndtri(u[:, :d]) @ self.root.T / spread[:, None]
        prior = special.ndtri(_sobol(seed, f"{purpose} prior", d, max(1, round(points * _DEFENCE / (1 - _DEFENCE)))))
        return np.concatenate([fitted, prior])

    def log_density(self, scores: Floats) -> Floats:
        """Return the log density of the mixture, whatever part a row came from (the balance heuristic)."""
        d = len(self.centre)
        z = (scores - self.centre) @ np.linalg.inv(self.root).T
        q = np.sum(z * z, axis=1)
        scale = special.gammaln(0.5 * (_FREEDOM + d)) - special.gammaln(0.5 * _FREEDOM)
        scale -= 0.5 * d * math.log(_FREEDOM * math.pi) + float(np.sum(np.log(np.diag(self.root))))
        fitted = scale - 0.5 * (_FREEDOM + d) * np.log1p(q / _FREEDOM)
        return np.asarray(np.logaddexp(math.log1p(-_DEFENCE) + fitted, math.log(_DEFENCE) + _log_normal(scores)))


def _sobol(seed: int, purpose: str, dimension: int, points: int) -> Floats:
    from scipy.stats import qmc

    rng = np.random.default_rng(int(key_of(seed, f"evidence {purpose}")))
    u = qmc.Sobol(dimension, scramble=True, rng=rng).random_base2(max(0, points.bit_length() - 1))
    # A scrambled point may be 0, whose score is no number.
    return np.asarray(np.clip(u, 2.0**-54, 1.0 - 2.0**-53))


def _sampled(scored: Callable[[int], LogLikelihood], dimension: int, seed: int, points: int) -> Evidence:
    """Average likelihood x prior / proposal over eight scrambles.

    The proposal is a defensive mixture (Owen and Zhou 2000, doi:10.1080/01621459.2000.10473909): no weight exceeds five
    times the likelihood.
    """
    proposal = _fitted(scored(0), dimension, seed, points)
    if proposal is None:
        return Evidence(-math.inf, 0.0, "impossible")
    found, sizes = [], []
    for scramble in range(1, _SCRAMBLES + 1):
        scores = proposal.draw(seed, f"scramble {scramble}", points)
        log = _density(scored(scramble), scores) - proposal.log_density(scores)
        found.append(float(special.logsumexp(log)) - math.log(len(log)))
        sizes.append(_effective(log))
    top = max(found)
    each = np.exp(np.array(found) - top)
    error = float(np.std(each, ddof=1) / math.sqrt(_SCRAMBLES) / np.mean(each))
    text = (
        f"importance sampling, {_SCRAMBLES} scrambles of {len(scores)} Sobol points, "
        f"{sum(sizes) / len(sizes) / len(scores):.0%} effective"
    )
    return Evidence(top + math.log(float(np.mean(each))), error, text)


def _fitted(log_likelihood: LogLikelihood, dimension: int, seed: int, points: int) -> _Proposal | None:
    """Return a proposal fitted to likelihood x prior in rounds, the first from the prior; None if nothing is possible.

    Where few points carry the weight, weights are raised to a power below one until a tenth of them count, which
    walks from the prior to the posterior (tempering).
    """
    proposal = _Proposal(np.zeros(dimension), np.eye(dimension))
    for i in range(_ROUNDS):
        scores = proposal.draw(seed, f"round {i}", points)
        log = _density(log_likelihood, scores) - proposal.log_density(scores)
        if not np.any(log > -math.inf):
            return None
        power, enough = 1.0, max(0.1 * len(log), 4.0 * dimension)
        while _effective(power * log) < enough and power > 1e-6:
            power *= 0.7
        weight = np.exp(power * (log - log.max()))
        weight /= weight.sum()
        centre = weight @ scores
        apart = scores - centre
        spread = (weight[:, None] * apart).T @ apart + 1e-9 * np.eye(dimension)
        proposal = _Proposal(centre, np.linalg.cholesky(spread))
        if power == 1.0 and i > 0:
            break
    return proposal


def _effective(log: Floats) -> float:
    """Return the effective number of points with these log weights (Kish)."""
    weight = np.exp(np.where(log > -math.inf, log - log.max(), -math.inf))
    return float(weight.sum() ** 2 / np.sum(weight * weight))


# -- a count ---------------------------------------------------------------------------------------------------------


def _exact_count(model: Model, record: Record) -> Likelihood | None:
    """Return the exact likelihood of a count; None where capitals differ, and runs must answer."""
    if "recapture" in model.hazards:
        return None
    try:
        found = likelihood(model, record)
    except (TypeError, ValueError):
        return None
    return found if found.kind == "count" else None


def _simulated(model: Model, record: Record, seed: int, replications: int) -> Evidence:
    """Return P(the count) under the prior predictive, each run with a draw of its own: (hits + 1/2) / (runs + 1)."""
    if record.end is None:
        raise ValueError("log_evidence: the record must have an end; cut it with record.until('YYYY-MM-DD')")
    start = State(dict.fromkeys(record.provinces, Control.GOVERNMENT), instant=record.start)
    draws = model.draw_prior(replications, seed=seed)
    runs = simulate(
        model, draws, start=start, horizon=record.days, replications=replications, seed=seed, progress=False
    )
    hits = int(np.sum(runs.lost_at(record.days) == record.total))
    chance = (hits + 0.5) / (replications + 1.0)
    error = math.sqrt((1.0 - chance) / (chance * replications))
    return Evidence(math.log(chance), error, f"{hits} of {replications} runs of the prior meet the count")
