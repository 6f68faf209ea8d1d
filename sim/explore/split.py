"""The variance of an answer split by source: in a stated order, and by Shapley shares, where order does not matter.

An answer Y hangs on the model family F, the definition D, the parameters θ (which live in a family: to know them is to
know it) and chance ω. For a set S of sources let c(S) = Var E(Y | S), the part of the variance that knowing S explains
(Owen 2014, doi:10.1137/130936233; Song, Nelson and Staum 2016, doi:10.1137/15M1048070, where inputs depend). In order,
a source has what it adds to those before it (the law of total variance); its Shapley share is what it adds on average
over all orders.

c(S) is E(Y Y') - E(Y)², with Y and Y' two answers that share S and nothing else. From a crossed table, every draw of a
family with the same replications, E(Y Y') is estimated without bias by the mean over all pairs of cells that share S
and differ in the rest; E(Y)² by that over pairs which share nothing. So no noise of finitely many draws or replications
is counted as doubt, and an estimate of nothing can come out below nought.
"""

from __future__ import annotations

import itertools
import math
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sim.streams import key_of

__all__ = ["SOURCES", "Split", "split"]

Floats: TypeAlias = NDArray[np.float64]

#: In the order in which the variance is split.
SOURCES = ("model family", "definition", "parameters", "chance")
_FAMILY, _DEFINITION, _PARAMETERS, _CHANCE = range(4)
#: How much of a family two answers share: nothing, the family, the family and the draw.
_NOTHING, _SAME_FAMILY, _SAME_DRAW = range(3)
#: At most so many numbers are laid out at a time while resampling.
_ROOM = 1_000_000


class Split(NamedTuple):
    """Mean and variance of the answer; shares of the variance, shape (source, 3): value, low, high. Nan if nothing
    varies."""

    mean: float
    variance: float
    sequential: Floats
    shapley: Floats


def split(
    values: ArrayLike, families: ArrayLike, definitions: ArrayLike, *, seed: int, resamples: int = 200,
    level: float = 0.9,
) -> Split:  # fmt: skip
    """Return how the variance of *values* splits among ``SOURCES``.

    Intervals are percentiles over *resamples* in which every draw and every replication number has an exponential
    weight of its own, and a cell the product of its two (the Bayesian pigeonhole bootstrap: Owen 2007,
    doi:10.1214/07-AOAS122; Owen and Eckles 2012, doi:10.1214/12-AOAS547). It errs on the wide side. Families and
    definitions are all there are, and are not resampled.

    Parameters
    ----------
    values : array_like, shape (family, definition, draw, replication)
        Answers; nan, of all definitions at once, where a run failed. Replication numbers are common to all draws and
        families.
    families, definitions : array_like
        Weights, positive; they are made to sum to 1.
    seed : int
    resamples : int
        For the intervals.
    level : float
        Probability of the intervals.

    Raises
    ------
    ValueError
        If shapes do not fit, weights are not positive, or what has not failed leaves no pair to compare.
    """
    table = np.array(values, float)
    if table.ndim != 4 or min(table.shape[2:], default=0) < 2:
        raise ValueError(
            "split: values must have shape (family, definition, draw, replication), with two draws and two "
            f"replications at least, but was {table.shape}"
        )
    by_family = _weights(families, table.shape[0], "families")
    by_definition = _weights(definitions, table.shape[1], "definitions")
    layers = _layers(table, by_definition)
    draws, numbers = table.shape[2:]
    value = _explained(layers, by_family, by_definition, np.ones((draws, 1)), np.ones((numbers, 1)))
    if not np.isfinite(value.mean):
        raise ValueError("split: too many runs failed: some family has no two draws, or no two replications, in common")
    rng = np.random.default_rng(int(key_of(seed, "split")))
    room = max(1, _ROOM // (layers.shape[1] * max(draws, numbers) * len(by_family)))
    again = []
    for begin in range(0, resamples, room):
        size = min(room, resamples - begin)
        weights = rng.standard_exponential((draws, size)), rng.standard_exponential((numbers, size))
        again.append(_explained(layers, by_family, by_definition, *weights).shares())
    return Split(
        float(value.mean[0]),
        float(value.variance[0]),
        *_intervals(value.shares(), np.concatenate(again, axis=-1), level),
    )


def _weights(given: ArrayLike, count: int, where: str) -> Floats:
    weights = np.array(given, float)
    if weights.shape != (count,) or not (np.isfinite(weights) & (weights > 0)).all():
        raise ValueError(f"split: {where} must be {count} positive weights, but were {np.asarray(given).tolist()!r}")
    return np.asarray(weights / weights.sum())


def _layers(table: Floats, definitions: Floats) -> Floats:
    """Return *table* with nought where a run failed, its mean over definitions, and whether it did not fail."""
    came = np.isfinite(table)
    if (came != came[:, :1]).any():
        raise ValueError("split: where one definition has no value, no other may have one: they share the run")
    filled = np.where(came, table, 0.0)
    mean = np.einsum("d,fdir->fir", definitions, filled)[:, None]
    return np.concatenate([filled, mean, came[:, :1].astype(float)], axis=1)


class _Explained(NamedTuple):
    """What each set of sources explains of the variance, for each of several weightings of the table."""

    mean: Floats
    product: Floats  # (share of the family, definition shared, number shared, weighting)

    @property
    def variance(self) -> Floats:
        return self.of(frozenset(range(4)))

    def of(self, known: frozenset[int]) -> Floats:
        """Return c(known)."""
        family = _SAME_DRAW if _PARAMETERS in known else _SAME_FAMILY if _FAMILY in known else _NOTHING
        both = self.product[family, int(_DEFINITION in known), int(_CHANCE in known)]
        return np.asarray(both - self.product[_NOTHING, 0, 0])

    def shares(self) -> Floats:
        """Return the sequential and the Shapley shares, shape (2, source, weighting); nan where nothing varies."""
        added = np.zeros((2, 4, len(self.mean)))
        for order in itertools.permutations(range(4)):
            for place, source in enumerate(order):
                step = self.of(frozenset(order[: place + 1])) - self.of(frozenset(order[:place]))
                added[1, source] += step / math.factorial(4)
                if order == (0, 1, 2, 3):
                    added[0, source] = step
        whole = self.variance
        return np.divide(added, whole, out=np.full_like(added, np.nan), where=whole > 0)


def _explained(layers: Floats, families: Floats, definitions: Floats, draw: Floats, number: Floats) -> _Explained:
    """Return what is explained, with weights of draws, shape (draw, weighting), and numbers, (number, weighting).

    A pair of cells has the product of the weights of its draws and numbers, those it shares once.
    """
    rows = _product(layers, number)  # (family, layer, draw, weighting)
    columns = _product(np.swapaxes(layers, 2, 3), draw)  # (family, layer, number, weighting)
    whole = (rows * draw).sum(axis=2)
    product = np.zeros((3, 2, 2, draw.shape[1]))
    for f, g in itertools.combinations_with_replacement(range(len(families)), 2):
        both = layers[f] * layers[g]
        once, twice = _product(both, number), _product(both, number**2)
        by_row, by_column = rows[f] * rows[g], columns[f] * columns[g]
        shared_number = (by_column * number).sum(axis=1) - (once * draw**2).sum(axis=1)
        apart = whole[f] * whole[g] - (by_row * draw**2).sum(axis=1) - (by_column * number**2).sum(axis=1)
        apart += (twice * draw**2).sum(axis=1)
        weight = families[f] * families[g] * (1.0 if f == g else 2.0)
        product[_NOTHING] += weight * _means(apart, shared_number, definitions)
        if f == g:
            shared_draw = ((by_row - twice) * draw).sum(axis=1)
            product[_SAME_FAMILY] += families[f] * _means(apart, shared_number, definitions)
            product[_SAME_DRAW] += families[f] * _means(shared_draw, (once * draw).sum(axis=1), definitions)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = families @ (whole[:, -2] / whole[:, -1])
    return _Explained(mean, product)


def _product(table: Floats, weights: Floats) -> Floats:
    """Return *table* @ *weights*, as one product of matrices, which is faster than many."""
    return (table.reshape(-1, len(weights)) @ weights).reshape(*table.shape[:-1], -1)


def _means(apart: Floats, together: Floats, definitions: Floats) -> Floats:
    """Return mean products, shape (definition shared, number shared, weighting), of sums by layer.

    *apart* are sums over pairs of two numbers, *together* over pairs of one; the last layer counts the pairs.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        means = [sums[:-1] / sums[-1] for sums in (apart, together)]
    return np.stack([[mean[-1] for mean in means], [definitions @ mean[:-1] for mean in means]])


def _intervals(value: Floats, again: Floats, level: float) -> tuple[Floats, Floats]:
    tail = (1.0 - level) / 2.0
    if np.isnan(value).any():
        low = high = np.full(value.shape[:2], np.nan)
    else:
        low, high = np.nanquantile(again, [tail, 1.0 - tail], axis=-1)
    table = np.stack([value[..., 0], low, high], axis=-1)
    return table[0], table[1]
