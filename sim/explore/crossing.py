"""Where a simulated probability crosses a level, under common random numbers, and how surely.

A parameter is *turned*: multiplied in every draw, or added to. How far is told by one number, the logarithm of the
factor or what is added; 0 leaves it as it is.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from sim.case import Case
from sim.model import CONTESTED_AT_START, Draws
from sim.outcomes import Outcome

__all__ = ["FEWEST", "By", "Crossing", "Curve", "by_draw", "crossing"]

Floats: TypeAlias = NDArray[np.float64]
Hits: TypeAlias = NDArray[np.bool_]
By: TypeAlias = Literal["factor", "shift"]

#: Points at which a curve is first looked at, ends included.
_LOOKS = 7
#: Half the distance over which a slope is taken: a factor of a tenth to either side.
_REACH = 0.1
#: Hits, or misses, that a probability must have in the mean to be told from none.
FEWEST = 20
#: Replications of a draw in each half, at least; odd, so that a median is one of them.
_EACH = 25
#: Steps of the search of each draw: a range of 10,000 to one is cut down to 1%.
_HALVINGS = 10


@dataclass(frozen=True, eq=False)
class Curve:
    """Whether each replication has each outcome *within* so many days, by how far a *parameter* is turned.

    Every point of the curve takes the same replications, which share all chance (common random numbers), so it is a
    step function; where a faster clock can only hasten an outcome, it is monotone in each replication.

    Parameters
    ----------
    case : Case
    parameter : str
    by : "factor" or "shift"
    outcomes : tuple of Outcome
    within : float
        Days since the start.
    seed : int
    order : ndarray of int, shape (draw,), optional
        Draws in the order in which they were taken systematically, as those of a grid are.
    """

    case: Case
    parameter: str
    by: By
    outcomes: tuple[Outcome, ...]
    within: float
    seed: int
    order: NDArray[np.int64] | None = None
    _seen: dict[tuple[float, int], Hits] = field(default_factory=dict)

    def hits(self, turn: float, count: int) -> Hits:
        """Return the answers of *count* replications, shape (outcome, replication)."""
        found = self._seen.get((turn, count))
        if found is None:
            found = self._seen[turn, count] = self.run(self.case.draws.values, np.array(turn), count)
        return found

    def probability(self, turn: float, count: int, which: int) -> float:
        """Return the share of *count* replications that have outcome number *which*."""
        return float(np.mean(self.hits(turn, count)[which]))

    def run(self, values: Floats, turn: Floats, count: int) -> Hits:
        """Return answers with the draws *values*, the parameter turned by *turn*: one for all, or one for each."""
        names = self.case.draws.names
        values = values.copy()
        column = values[:, names.index(self.parameter)]
        column[:] = column * np.exp(turn) if self.by == "factor" else column + turn
        if self.parameter == CONTESTED_AT_START:
            np.minimum(column, 1.0, out=column)  # the last bit of a product may pass the end of the range
        turned = replace(self.case, draws=Draws(names, values), horizon=self.within)
        run = turned.simulate(
            seed=self.seed, replications=count, record="outcomes", outcomes=self.outcomes, progress=False
        )
        if run.failures:
            last = run.failures[0].traceback.strip().splitlines()[-1]
            raise RuntimeError(f"break-even: {len(run.failures)} of {count} replications failed; the first: {last}")
        times = [run.first_passage(outcome.watch(run.theatre)) for outcome in self.outcomes]
        return np.array(times) <= self.within


class Crossing(NamedTuple):
    """Where a curve crosses a level, nan if it does not, with its standard error from finite replications and draws.

    ``draws_error`` is the part of the error that more replications of the same draws would leave. ``ends`` are the
    probabilities at both ends of the range.
    """

    at: float
    error: float
    draws_error: float
    ends: tuple[float, float]
    rising: bool
    replications: int
    notes: tuple[str, ...]


def crossing(
    curve: Curve, which: int, level: float, ends: tuple[float, float], *, precision: float, count: int | None, most: int
) -> Crossing:
    """Return where outcome number *which* of *curve* has probability *level*, between *ends*.

    The curve is looked at in seven places, then bisected on the same replications. The standard error is that of the
    probability there over the slope (the delta method). *count* replications are taken, or as many as bring the error
    to *precision*, at *most* so many.
    """
    draws = len(curve.case.draws)
    # Where few replications tell, there must be enough of them that some do.
    least = max(2000, math.ceil(FEWEST / min(level, 1.0 - level)))
    taken = count if count is not None else _whole(least, draws, most)
    places = np.linspace(*ends, _LOOKS)
    looks = [curve.hits(float(x), taken)[which] for x in places]
    reached = np.array([np.mean(hits) >= level for hits in looks])
    outer = float(np.mean(looks[0])), float(np.mean(looks[-1]))
    notes = _turns_back(looks)
    jumps = np.flatnonzero(reached[1:] != reached[:-1])
    if len(jumps) == 0:
        return Crossing(math.nan, math.nan, math.nan, outer, outer[1] > outer[0], taken, notes)
    if len(jumps) > 1:
        notes = (*notes, f"the probability is crossed {len(jumps)} times; this is the crossing nearest to no change")
    first = min(jumps, key=lambda j: abs(places[j] + places[j + 1]))
    rising = bool(reached[first + 1])
    bracket = float(places[first]), float(places[first + 1])
    while True:
        at = _bisected(curve, which, level, bracket, ends, rising, taken, 0.05 * precision)
        if math.isnan(at):
            outer = curve.probability(ends[0], taken, which), curve.probability(ends[1], taken, which)
            return Crossing(math.nan, math.nan, math.nan, outer, rising, taken, notes)
        whole, apart, chance = _errors(curve, which, at, ends, rising, taken)
        wanted = _enough(apart, chance, precision, taken, draws, most)
        if count is not None or whole <= precision or wanted <= taken:
            break
        taken = wanted
        reach = max(4.0 * whole, 4.0 * precision) if whole < math.inf else ends[1] - ends[0]
        bracket = max(ends[0], at - reach), min(ends[1], at + reach)
    return Crossing(at, whole, apart, outer, rising, taken, (*notes, *_short(whole, apart, precision, draws)))


def _whole(count: int, draws: int, most: int) -> int:
    """Return *count* or more, a multiple of *draws*, at least two of each; at *most* so many if that allows."""
    each = max(2, -(-count // draws))
    return draws * max(2, min(each, most // draws))


def _turns_back(looks: Sequence[Hits]) -> tuple[str, ...]:
    """Return a note if the curve both rises and falls, by more than three standard errors of a paired difference."""
    rises = falls = False
    for one, other in itertools.pairwise(looks):
        change = other.astype(float) - one
        error = math.sqrt(float(np.var(change)) / len(change))
        rises |= float(np.mean(change)) > 3.0 * error
        falls |= float(np.mean(change)) < -3.0 * error
    return ("the probability both rises and falls over the range",) if rises and falls else ()


def _bisected(
    curve: Curve, which: int, level: float, bracket: tuple[float, float], ends: tuple[float, float], rising: bool,
    count: int, width: float,
) -> float:  # fmt: skip
    """Return the middle of a bracket of at most *width*; nan if even the *ends* do not lie on both sides."""

    def beyond(turn: float) -> bool:
        return (curve.probability(turn, count, which) >= level) is rising

    low, high = bracket
    while beyond(low):
        if low <= ends[0]:
            return math.nan
        low, high = max(ends[0], low - 2.0 * (high - low)), low
    while not beyond(high):
        if high >= ends[1]:
            return math.nan
        low, high = high, min(ends[1], high + 2.0 * (high - low))
    while high - low > width:
        middle = 0.5 * (low + high)
        low, high = (low, middle) if beyond(middle) else (middle, high)
    return 0.5 * (low + high)


def _errors(
    curve: Curve, which: int, at: float, ends: tuple[float, float], rising: bool, count: int
) -> tuple[float, float, float]:
    """Return the standard error of a crossing, the part of it left by the draws, and the part left by chance."""
    low, high = max(ends[0], at - _REACH), min(ends[1], at + _REACH)
    slope = (curve.probability(high, count, which) - curve.probability(low, count, which)) / (high - low)
    slope = slope if rising else -slope
    hits = curve.hits(at, count)[which]
    if slope <= 0.0:
        return math.inf, math.inf, math.inf
    draws = len(curve.case.draws)
    trials = len(hits) // draws
    share = hits[: trials * draws].reshape(trials, draws).mean(axis=0)
    chance = float(np.mean(share * (1.0 - share))) / ((trials - 1) * draws)
    if not 0 < hits.sum() < len(hits):
        # Half a hit more on either side: where none is seen, chance is not nought.
        middle = (float(hits.sum()) + 0.5) / (len(hits) + 1.0)
        chance = middle * (1.0 - middle) / len(hits)
    if draws == 1:
        whole = chance
    elif curve.order is not None:
        # Successive differences, for draws taken systematically (Wolter 2007, doi:10.1007/978-0-387-35099-8, 8.2).
        whole = float(np.mean(np.diff(share[curve.order]) ** 2)) / (2.0 * draws)
    else:
        whole = float(np.var(share, ddof=1)) / draws
    whole = max(whole, chance)
    return math.sqrt(whole) / slope, math.sqrt(whole - chance) / slope, math.sqrt(chance) / slope


def _enough(apart: float, chance: float, precision: float, taken: int, draws: int, most: int) -> int:
    """Return how many replications bring the error to *precision*, or chance to half of what the draws leave."""
    if chance == math.inf:
        return _whole(4 * taken, draws, most)
    room = (0.95 * precision) ** 2 - apart**2
    part = max(room, 0.25 * apart**2, 1e-12)
    return _whole(math.ceil(taken * chance**2 / part), draws, most)


def _short(whole: float, apart: float, precision: float, draws: int) -> tuple[str, ...]:
    if whole <= precision:
        return ()
    if whole == math.inf:
        return ("the probability hardly changes there, so the error is not known",)
    if apart <= precision:
        return (f"the error is above {precision:.2g}: give more replications",)
    wanted = math.ceil(draws * (1.2 * apart / precision) ** 2 / 100) * 100
    return (
        f"the {draws:,} draws alone leave an error of {apart:.2g}: give about {wanted:,} draws for {precision:.2g}",
    )


def by_draw(
    curve: Curve, which: int, level: float, ends: tuple[float, float], rising: bool, *, budget: int
) -> tuple[float, float, float]:
    """Return the 5% and 95% points over draws of each draw's own crossing, and the share of draws that have none.

    Each draw's replications are bisected for it alone, in two halves that share nothing. Their differences tell how
    far chance scatters a crossing, and the crossings are drawn together until only the spread that is left remains
    (Louis 1984, doi:10.1080/01621459.1984.10478062). A draw that has none counts as beyond the range, where it lies:
    -inf or inf. nan for fewer than twenty draws. *budget* is how many replications a step takes.
    """
    each = max(_EACH, math.ceil(5.0 / min(level, 1.0 - level)) | 1)
    draws = min(len(curve.case.draws), max(20, budget // (2 * each)))
    if len(curve.case.draws) < 20 or 40 * each > max(budget, 20_000):
        return math.nan, math.nan, math.nan  # too few draws, or too rare an outcome for each to be searched alone
    rank = min(each, max(1, round(level * (each + 1))))
    values = np.concatenate([curve.case.draws.thin(draws).values] * 2)

    def beyond(turns: Floats) -> Hits:
        hits = curve.run(values, turns, 2 * draws * each)[which]
        return np.asarray((hits[: 2 * draws * each].reshape(each, 2 * draws).sum(axis=0) >= rank) == rising)

    low, high = np.full(2 * draws, ends[0]), np.full(2 * draws, ends[1])
    under, over = beyond(low), ~beyond(high)
    for _ in range(max(_HALVINGS, math.ceil(math.log2((ends[1] - ends[0]) / 0.009)))):
        middle = 0.5 * (low + high)
        passed = beyond(middle)
        low, high = np.where(passed, low, middle), np.where(passed, middle, high)
    found = 0.5 * (low + high)
    found[over], found[under] = math.inf, -math.inf
    return _points(found.reshape(2, draws))


def _points(found: Floats) -> tuple[float, float, float]:
    """Return the 5% and 95% points of crossings, shape (half, draw), chance removed, and the share beyond the range."""
    inside = np.isfinite(found).all(axis=0)
    middle = np.where(inside, found[0], np.where(np.isfinite(found[0]), found[1], found[0]))
    shrink, centre = 1.0, 0.0
    if inside.sum() > 1:
        middle[inside] = found[:, inside].mean(axis=0)
        spread = float(np.var(middle[inside], ddof=1))
        noise = float(np.mean((found[0, inside] - found[1, inside]) ** 2)) / 4.0
        centre = float(np.mean(middle[inside]))
        shrink = math.sqrt(max(0.0, 1.0 - noise / spread)) if spread > 0.0 else 0.0
    middle[inside] = centre + shrink * (middle[inside] - centre)
    low, high = (float(np.quantile(middle, q, method="inverted_cdf")) for q in (0.05, 0.95))
    return low, high, float(np.mean(~np.isfinite(found)))  # of both halves: either alone misses by chance
