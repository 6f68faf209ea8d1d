"""Hidden contests: given when capitals were captured, each province's government or contested state, filtered forward.

Every hazard allowed here depends only on who is lost, and since when. Given the times of all captures, the provinces
are therefore independent, and the part of each that nobody saw has two states, government (g) and contested (c), with

    dg/dt = relief c - (assault + seizure) g        dc/dt = assault g - (fall + relief) c

in closed form between captures. A capture at t contributes seizure g + fall c; a sighting keeps one of the two; at the
end of the record g + c survives, and of a capital lost, that nobody recaptured it. Frailties are hidden numbers of each
province: its likelihood is integrated over them by Gauss-Hermite quadrature. Where only the day is known, the product
over provinces is averaged over scrambled Sobol points (Owen 1997, doi:10.1214/aos/1031594731) of the unknown hours.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from sim.compiled import entry, inner
from sim.hours import CAPTURED, LOST, SEEN_CONTESTED, SEEN_GOVERNMENT, Plan
from sim.law import Law
from sim.rates import rates_in

__all__ = ["COLUMNS", "Lens", "advance", "carried", "closed_form", "filtered"]

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]

#: A province's rates in a phase, in the order of ``rates.KINDS``, and what the closed form is made of.
_SEIZURE, _ASSAULT, _FALL, _RELIEF, _RECAPTURE, _SLOW, _GAP, _STAY, _LEAVE = range(9)
COLUMNS = 9


@dataclass(frozen=True, eq=False)
class Lens:
    """What the filter reads of a model's values, and how it weighs what it reads.

    Parameters
    ----------
    kinds : ndarray of int, shape (5,)
        Where the transitions of ``rates.KINDS`` stand in the law; -1 for none.
    start : int
        The column of values with the probability that a capital is contested on day 0; -1 for never.
    frailty : ndarray of int, shape (5,)
        The column with the standard deviation of each transition's frailty; -1 for none.
    nodes : ndarray, shape (node, 5), and weights : ndarray, shape (node,)
        Standard normal frailties and their weights.
    told : ndarray, shape (province, 2)
        How well a province's reported mode of capture fits a seizure, and a fall.
    """

    kinds: Ints
    start: int
    frailty: Ints
    nodes: Floats
    weights: Floats
    told: Floats


def filtered(law: Law, table: Plan, lens: Lens, values: Floats) -> Floats:
    """Return the log-likelihood of the record laid out in *table*, for each row of *values* (row, parameter)."""
    return _run(law, table, lens, values, np.zeros(table.control.shape[1], np.uint8))[0]


def carried(law: Law, table: Plan, lens: Lens, values: Floats, provinces: Sequence[int]) -> Floats:
    """Return the probability of being contested at the end given the record, the mean over *provinces*, for each row.

    The provinces are among those not captured; the rest as for ``filtered``.
    """
    counted = np.zeros(table.control.shape[1], np.uint8)
    counted[list(provinces)] = 1
    return _run(law, table, lens, values, counted)[1] / len(provinces)


def _run(
    law: Law, table: Plan, lens: Lens, values: Floats, counted: NDArray[np.uint8]
) -> tuple[Floats, Floats]:  # fmt: skip
    out, share = np.empty(len(values)), np.empty(len(values))
    start = values[:, lens.start] if lens.start >= 0 else np.zeros(len(values))
    spread = np.where(lens.frailty >= 0, values[:, lens.frailty], 0.0)
    # A block of rows shares the placing of each phase; its tables stay below 32 MB.
    block = max(1, min(64, (1 << 22) // (COLUMNS * table.control.size)))
    for at in range(0, len(values), block):
        rates = rates_in(law, table.control, table.day, values[at : at + block], table.taken)
        _filter(
            start[at : at + block].copy(), spread[at : at + block].copy(), lens.nodes, lens.weights, lens.told, rates,
            lens.kinds, table.phase, table.days, table.does, table.first, table.shared, counted,
            out[at : at + block], share[at : at + block],
        )  # fmt: skip
    return out + table.log_volume, share


@inner
def closed_form(rates: Floats, kinds: Ints, p: int, factor: Floats, here: Floats) -> None:
    """Write what the filter of province *p* needs into *here*: its *rates* (transition, province) by their *factor*."""
    for kind in range(len(kinds)):
        here[kind] = rates[kinds[kind], p] * factor[kind] if kinds[kind] >= 0 else 0.0
    leaves = here[_ASSAULT] + here[_SEIZURE]
    ends = here[_FALL] + here[_RELIEF]
    delta = 0.5 * (ends - leaves)
    ring = here[_ASSAULT] * here[_RELIEF]
    d = math.sqrt(delta * delta + ring)
    # Each of these is a sum, product or quotient of positive numbers: no digits are lost where one is small.
    fast = 0.5 * (leaves + ends) + d
    product = here[_ASSAULT] * here[_FALL] + here[_SEIZURE] * ends
    here[_SLOW] = product / fast if fast > 0.0 else 0.0
    here[_GAP] = 2.0 * d
    here[_STAY] = here[_LEAVE] = 0.5
    if d > 0.0:
        large = (d + abs(delta)) / (2.0 * d)
        small = ring / (d + abs(delta)) / (2.0 * d)
        here[_STAY] = large if delta >= 0.0 else small
        here[_LEAVE] = small if delta >= 0.0 else large


@inner
def advance(here: Floats, t: float, g: float, c: float) -> tuple[float, float]:
    """Return government and contested after *t* days under the closed form *here*."""
    x = here[_GAP] * t
    decay = math.exp(-x)
    if x < 0.01:
        # (1 - exp(-x)) / gap without cancellation, also where the gap is nil
        spread = t * (1.0 - x * (1 / 2 - x * (1 / 6 - x * (1 / 24 - x * (1 / 120 - x * (1 / 720))))))
    else:
        spread = (1.0 - decay) / here[_GAP]
    slow = math.exp(-here[_SLOW] * t)
    return (
        slow * (g * (here[_STAY] + decay * here[_LEAVE]) + c * here[_RELIEF] * spread),
        slow * (g * here[_ASSAULT] * spread + c * (here[_LEAVE] + decay * here[_STAY])),
    )


@inner
def _one(
    start: float, rates: Floats, told: Floats, phase: Ints, days: Floats, does: Ints, begin: int, end: int
) -> tuple[float, float]:
    """Return the likelihood of one province's steps, and the part of it in which it is contested at the end."""
    g, c, lost = 1.0 - start, start, 0.0
    for step in range(begin, end):
        here = rates[phase[step]]
        if does[step] == LOST:
            lost *= math.exp(-here[_RECAPTURE] * days[step])
            continue
        g, c = advance(here, days[step], g, c)
        if does[step] == SEEN_CONTESTED:
            g = 0.0
        elif does[step] == SEEN_GOVERNMENT:
            c = 0.0
        elif does[step] == CAPTURED:
            lost = g * here[_SEIZURE] * told[0] + c * here[_FALL] * told[1]
            g, c = 0.0, 0.0
    return g + c + lost, c


@inner
def _same(one: Floats, other: Floats) -> bool:
    for phase in range(one.shape[0]):
        for column in range(one.shape[1]):
            if one[phase, column] != other[phase, column]:
                return False
    return True


@inner
def _share(table: Floats, shared: NDArray[np.uint8], counted: NDArray[np.uint8], times: Ints) -> None:
    """Write into *times* how many provinces the filter of each stands for.

    Provinces of which nothing was seen and whose rates are all the same share one.
    """
    for p in range(len(times)):
        times[p] = 1
        if shared[p]:
            for q in range(p):
                if shared[q] and times[q] > 0 and counted[q] == counted[p] and _same(table[q], table[p]):
                    times[p] = 0
                    times[q] += 1
                    break


@entry
def _filter(
    start: Floats, spread: Floats, nodes: Floats, weights: Floats, told: Floats, rates: Floats, kinds: Ints,
    phase: Ints, days: Floats, does: Ints, first: Ints, shared: NDArray[np.uint8], counted: NDArray[np.uint8],
    out: Floats, share: Floats,
) -> None:  # fmt: skip
    """Write the log of the mean over the points, and how many of *counted* are contested at the end, on average."""
    n = rates.shape[3]
    table = np.empty((n, rates.shape[1], COLUMNS))
    times = np.empty(n, np.int64)
    factor = np.ones(len(kinds))
    likely, contested = np.zeros((first.shape[0], n)), np.zeros((first.shape[0], n))
    for row in range(rates.shape[0]):
        likely[:] = 0.0
        contested[:] = 0.0
        for j in range(len(weights)):
            for kind in range(len(kinds)):
                factor[kind] = math.exp(spread[row, kind] * nodes[j, kind]) if spread[row, kind] != 0.0 else 1.0
            for p in range(n):
                for s in range(rates.shape[1]):
                    closed_form(rates[row, s], kinds, p, factor, table[p, s])
            if j == 0:
                _share(table, shared, counted, times)
            for k in range(first.shape[0]):
                for p in range(n):
                    if times[p] > 0:
                        value, held = _one(
                            start[row], table[p], told[p], phase, days, does, first[k, p], first[k, p + 1]
                        )
                        likely[k, p] += weights[j] * value
                        contested[k, p] += weights[j] * held
        total, mean = -np.inf, 0.0
        for k in range(first.shape[0]):
            log, number = 0.0, 0.0
            for p in range(n):
                if times[p] > 0:
                    value = likely[k, p]
                    log += times[p] * math.log(value) if value > 0.0 else -np.inf
                    if counted[p] and value > 0.0:
                        number += times[p] * contested[k, p] / value
            top = max(total, log)
            if top > -np.inf:
                # Points weigh as likely as they make the record.
                both = top + math.log(math.exp(total - top) + math.exp(log - top))
                mean = mean * math.exp(total - both) + number * math.exp(log - both)
                total = both
        out[row] = total - math.log(first.shape[0])
        share[row] = mean
