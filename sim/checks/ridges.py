"""What the week cannot tell: information gained, ridges along which answers move, and how much the priors decide."""

from __future__ import annotations

import itertools
import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from sim.calibration import Posterior, calibrate
from sim.checks.bits import Gain, information
from sim.checks.headlines import Headline, Headlines, asked
from sim.checks.walks import Walk, walked
from sim.checks.widths import scores, with_scaled_priors
from sim.control import State
from sim.likelihood import Likelihood, from_scores, likelihood
from sim.model import CONTESTED_AT_START, Model
from sim.report import table
from sim.streams import uniforms

__all__ = ["Identifiability", "Ridge", "identifiability"]

Floats: TypeAlias = NDArray[np.float64]

#: A ridge: correlation above, and a headline that moves by more, within so many units of log-likelihood.
_CORRELATION, _MOVE, _UNITS = 0.9, 0.1, 2.0
#: Less information than this, a tenth of a bit, leaves a parameter alone: its mean moved by less than 0.37 of the
#: prior's spread, or its spread shrank to no less than three quarters.
_ALONE = 0.1
_NODES = 33


class Ridge(NamedTuple):
    """Two parameters the record tells together better than apart.

    ``correlation`` is the posterior's, of the parameters' logarithms or of their ranks, whichever is larger in size;
    ``ends`` the pair's values at either end of the stretch within two units of log-likelihood; ``moves`` the lowest
    and highest value of each headline along it.
    """

    first: str
    second: str
    correlation: float
    ends: tuple[tuple[float, float], tuple[float, float]]
    moves: Mapping[str, tuple[float, float]]

    @property
    def flagged(self) -> bool:
        """Whether it is a ridge that matters: correlation above 0.9 and a headline that moves by more than 0.1."""
        return abs(self.correlation) > _CORRELATION and self.move > _MOVE

    @property
    def move(self) -> float:
        """How far the headline moves that moves most."""
        return max((high - low for low, high in self.moves.values()), default=0.0)


@dataclass(frozen=True, eq=False, repr=False)
class Identifiability:
    """What a posterior learned, and what it could not.

    Parameters
    ----------
    gains : mapping of free parameter to Gain
        Information in bits, its error, and the ratio of posterior to prior spread, all of standard normal scores.
    pairs : tuple of Ridge
        Every pair correlated above 0.9, and in any case the most correlated one, that first.
    headlines : mapping of headline to mapping of width to value
        Its mean over the posterior with the scales of all priors times 1 and times each width.
    notes : tuple of str
    """

    name: str
    gains: Mapping[str, Gain]
    pairs: tuple[Ridge, ...]
    headlines: Mapping[str, Mapping[float, float]]
    notes: tuple[str, ...]
    seed: int

    def __repr__(self) -> str:
        return (
            f"<Identifiability of {self.name}: {len(self.ridges)} ridges, {len(self.left_alone)} parameters left alone>"
        )

    @property
    def ridges(self) -> tuple[Ridge, ...]:
        """Pairs correlated above 0.9 along which a headline moves by more than 0.1: what it warns of."""
        return tuple(pair for pair in self.pairs if pair.flagged)

    @property
    def left_alone(self) -> tuple[str, ...]:
        """Parameters on which the record gave less than a tenth of a bit."""
        return tuple(name for name, gain in self.gains.items() if gain.bits < _ALONE)

    def summary(self) -> str:
        """Return all of it as text."""
        body = [
            [name, f"{gain.bits:.2f} ± {gain.error:.2f}", f"{gain.ratio:.2f}",
             "left alone" if name in self.left_alone else ""]
            for name, gain in self.gains.items()
        ]  # fmt: skip
        lines = [f"what the record taught {self.name}", table(["parameter", "bits gained", "spread", ""], body)]
        lines.append("spread: of the posterior over that of the prior, in standard normal scores")
        lines += [line for pair in self.pairs for line in _told(pair)]
        if not self.pairs:
            lines.append("with fewer than two free parameters there is no ridge")
        if self.headlines:
            widths = list(next(iter(self.headlines.values())))
            lines.append("headlines, with the scale of every prior times")
            body = [[name, *(f"{told[w]:.2f}" for w in widths)] for name, told in self.headlines.items()]
            lines.append(table(["", *(f"{w:g}" for w in widths)], body))
        return "\n".join([*lines, *(f"note: {note}" for note in self.notes)])


def _told(pair: Ridge) -> list[str]:
    kind = "RIDGE" if pair.flagged else "most correlated" if abs(pair.correlation) <= _CORRELATION else "correlated"
    (a, b), (c, d) = pair.ends
    return [
        f"{kind}: {pair.first} and {pair.second}, correlation {pair.correlation:.2f}",
        f"  from ({a:.3g}, {b:.3g}) to ({c:.3g}, {d:.3g}), within {_UNITS:g} units of log-likelihood,",
        *(f"  {name} moves from {low:.2f} to {high:.2f}" for name, (low, high) in pair.moves.items()),
    ]


def identifiability(
    posterior: Posterior,
    *,
    seed: int,
    headlines: Headlines | None = None,
    start: State | None = None,
    replications: int = 1000,
    widths: tuple[float, ...] = (0.5, 2.0),
) -> Identifiability:
    """Return what the record told *posterior*'s parameters, which it told only together, and what hangs on that.

    A ridge is followed from the posterior's one end to the other: at each place along it, between the 0.5% and 99.5%
    points of the draws, the other directions are set to where the posterior density is highest (a profile, Raue et al.
    2009, doi:10.1093/bioinformatics/btp358), and the stretch is kept where the likelihood is within two units of the
    best on the way.

    Parameters
    ----------
    posterior : Posterior
        From ``sim.calibrate``.
    seed : int
        Not negative. The same seed gives the same bits.
    headlines : mapping of text to (Outcome, within) or to function of values, optional
        A function takes values, shape (row, parameter) in the model's order, and returns one number for each row.
        Unless given: pressure on the hub by half its ring within 7 and within 30 days.
    start : State, optional
        Where headlines that are outcomes start; the record's end unless given. A count without names needs it.
    replications : int
        Runs for each place along a ridge, sharing their chance, and for each mean over a posterior.
    widths : tuple of float
        Factors on the scales of all priors, with each of which the model is calibrated again.

    Raises
    ------
    TypeError, ValueError
        If an argument is not what it must be, a headline gives no finite numbers, or a prior cannot be so wide.

    Warns
    -----
    RuntimeWarning
        For each ridge along which a headline moves by more than 0.1.
    """
    if not isinstance(posterior, Posterior):
        raise TypeError(
            f"identifiability: posterior must be a Posterior, but was {posterior!r}; sim.calibrate gives one"
        )
    for width in widths:
        with_scaled_priors(posterior.model, width)  # refused before any work
    model = posterior.model
    questions = asked(headlines, model, posterior.record, start, replications, seed, "identifiability")
    weight = likelihood(model, posterior.record, seed=posterior.seed)
    drawn, notes = _scores(posterior, weight, seed)
    gains = {
        name: information(drawn[:, j], _effective(posterior, name)) for j, name in enumerate(model.free)
    }  # fmt: skip
    pairs = tuple(_followed(model, weight, drawn, questions, i, j, r) for i, j, r in _correlated(model, drawn))
    answers = {name: {1.0: question.mean(posterior)} for name, question in questions.items()}
    for width in widths:
        wider = with_scaled_priors(model, width)
        again = calibrate(wider, posterior.record, seed=posterior.seed, draws=len(posterior), accept_poor=True)
        notes += (f"with scales times {width:g} the fit is poor",) if again.poor else ()
        for name, question in questions.items():
            answers[name][width] = question.mean(again)
    order = sorted([1.0, *widths])
    result = Identifiability(
        name=model.name, gains=MappingProxyType(gains), pairs=pairs, notes=notes, seed=int(seed),
        headlines=MappingProxyType({name: {w: by_width[w] for w in order} for name, by_width in answers.items()}),
    )  # fmt: skip
    for ridge in result.ridges:
        told = " ".join(line.strip() for line in _told(ridge))
        warnings.warn(f"identifiability: {model.name}: {told}", RuntimeWarning, stacklevel=2)
    return result


def _effective(posterior: Posterior, name: str) -> float | None:
    return posterior.diagnostics[name]["ess_bulk"] if name in posterior.diagnostics else None


def _scores(posterior: Posterior, weight: Likelihood, seed: int) -> tuple[Floats, tuple[str, ...]]:
    """Return the scores of the free parameters' draws, shape (draw, free), and what was done to have them."""
    model = posterior.model
    found = np.column_stack(
        [scores(model.parameters[name], posterior[name]) for name in model.free] or [np.empty((len(posterior), 0))]
    )
    if weight.carried is None or CONTESTED_AT_START not in model.free:
        return found, ()
    column = model.free.index(CONTESTED_AT_START)
    found[:, column] = _drawn_again(model, weight, found, column, seed)
    return found, (
        f"{CONTESTED_AT_START} is that of day 0 here, drawn again given the other parameters: the posterior holds what "
        "became of it by the record's end",
    )


def _drawn_again(model: Model, weight: Likelihood, found: Floats, column: int, seed: int) -> Floats:
    """Return draws of one score given the others of each row (a Gibbs step), by its distribution on a grid."""
    nodes = np.linspace(-4.0, 4.0, _NODES)
    rows = np.repeat(found, _NODES, axis=0)
    rows[:, column] = np.tile(nodes, len(found))
    log = weight(from_scores(model, rows)).reshape(len(found), _NODES) - 0.5 * nodes**2
    density = np.exp(log - log.max(axis=1, keepdims=True))
    steps = 0.5 * (density[:, 1:] + density[:, :-1])
    heights = np.concatenate([np.zeros((len(found), 1)), np.cumsum(steps, axis=1)], axis=1)
    at = uniforms(seed, "identifiability", CONTESTED_AT_START, len(found)) * heights[:, -1]
    return np.array([np.interp(u, row, nodes) for u, row in zip(at, heights, strict=True)])


# -- ridges ----------------------------------------------------------------------------------------------------------


def _correlated(model: Model, drawn: Floats) -> list[tuple[int, int, float]]:
    """Return the pairs (i, j, correlation) above the threshold and in any case the highest, that first."""
    if drawn.shape[1] < 2:
        return []
    values = from_scores(model, drawn)
    free = [list(model.parameters).index(name) for name in model.free]
    ranks = np.atleast_2d(np.corrcoef(np.argsort(np.argsort(drawn, axis=0), axis=0).T))
    # Parameters that may be negative, as exponents may, are logarithms already.
    with np.errstate(divide="ignore"):
        logs = np.column_stack([
            values[:, k] if np.any(values[:, k] <= 0.0) else np.log(values[:, k]) for k in free
        ])  # fmt: skip
    plain = np.atleast_2d(np.corrcoef(logs.T))
    found = []
    for i, j in itertools.combinations(range(len(free)), 2):
        r = max(float(plain[i, j]), float(ranks[i, j]), key=abs)
        found.append((i, j, r))
    found.sort(key=lambda pair: -abs(pair[2]))
    return [pair for k, pair in enumerate(found) if k == 0 or abs(pair[2]) > _CORRELATION]


def _followed(
    model: Model,
    weight: Likelihood,
    drawn: Floats,
    questions: Mapping[str, Headline],
    i: int,
    j: int,
    correlation: float,
) -> Ridge:
    def log_likelihood(rows: Floats) -> Floats:
        return weight(from_scores(model, rows))

    walk: Walk = walked(log_likelihood, drawn, i, j, math.copysign(1.0, correlation))
    near = walk.log_likelihood >= walk.log_likelihood.max() - _UNITS
    values = from_scores(model, walk.scores[near])
    # Headlines start at the record's end, and so does what they must know of contests nobody saw.
    carried = values.copy()
    if weight.carried is not None:
        carried[:, list(model.parameters).index(CONTESTED_AT_START)] = weight.carried(values)
    first, second = model.free[i], model.free[j]
    columns = [list(model.parameters).index(first), list(model.parameters).index(second)]
    moves = {}
    for name, question in questions.items():
        answers = question.along(carried)
        moves[name] = (float(answers.min()), float(answers.max()))
    ends = (tuple(float(v) for v in values[0, columns]), tuple(float(v) for v in values[-1, columns]))
    return Ridge(first, second, correlation, ends, MappingProxyType(moves))  # type: ignore[arg-type]
