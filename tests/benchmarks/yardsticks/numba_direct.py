"""Contagion by hand in Numba: the direct method (Gillespie 1977), LANES replications side by side in vector loops."""

import numpy as np
from numba import float64, int64, njit, uint64

LANES, BATCH, UNIT = 32, 1024, 2.0**32  # hazards are whole UNITths of the baseline, so that their sums are exact


@njit(nogil=True)
def _uniforms(seed, first, out):  # SplitMix64 from its *first* number on: a vector loop
    for i in range(len(out)):
        z = uint64(seed) + uint64(first + i) * uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> uint64(30))) * uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> uint64(27))) * uint64(0x94D049BB133111EB)
        out[i] = (float64((z ^ (z >> uint64(31))) >> uint64(12)) + 0.5) * 2.0**-52


@njit(nogil=True, error_model="numpy")
def _race(first, wait, point, law, name, weight, need, horizon, day, province, passage, lane):
    (codes, hazards, near, added), (now, total, target, under, who, met), draw = law, lane, uint64(0)
    lanes, degree, start, sink = uint64(LANES), uint64(near.shape[1]), hazards[codes], uint64(len(hazards) // 2)
    near, added, whole = near.ravel() * lanes, added.ravel(), start.sum() // LANES
    for row in range(uint64(first), uint64(first + len(wait) // len(name)), lanes):
        code, hazard, now[:], total[:], met[:] = codes.copy(), start.copy(), 0.0, whole, 0
        log = row if need == 0 else uint64(0)
        for s in range(uint64(len(name))):
            for k in range(lanes):
                now[k] += wait[draw + k] / total[k]
                target[k], under[k], who[k] = int64(point[draw + k] * total[k]), 0, 0
            draw += lanes
            for i in range(uint64(0), uint64(len(code)), lanes + lanes):  # two provinces at a time: fewer stores
                for k in range(lanes):
                    under[k] += hazard[i + k] + hazard[i + lanes + k]
                    who[k] += int64(under[k] - hazard[i + lanes + k] <= target[k]) + int64(under[k] <= target[k])
            for k in range(lanes):
                p, rest = uint64(who[k]), total[k] - hazard[uint64(who[k]) * lanes + k]
                day[log + k, s], province[log + k, s] = now[k], name[p]
                code[p * lanes + k], hazard[p * lanes + k] = sink, 0
                for j in range(p * degree, p * degree + degree):
                    q = near[j] + k
                    c = code[q] = code[q] + added[j]
                    rest += hazards[c] - hazard[q]
                    hazard[q] = hazards[c]
                total[k] = rest
            for k in range(lanes if need > 0 else uint64(0)):
                met[k] += weight[who[k]] if now[k] <= horizon else 0
                passage[row + k] = min(passage[row + k], now[k] if met[k] >= need else np.inf)
            if now[0] > horizon and now.min() > horizon:
                day[log : log + lanes, s + uint64(1) :] = np.inf
                break


def run(border, road, held, baseline, eb, er, horizon, replications, seed, weight=None, need=0):
    """Return the days and provinces of capture, each (replications, free provinces); a day past *horizon* is no event.

    With a *weight* by province and a *need* above 0, keep no log and return the days when those captured first weigh
    so much. *border* and *road* are matrices of 0 and 1; *held* is 1 where a province is lost from the start.
    """
    # A province's code is its held neighbours by border + base x those by road; in the table's second half, its loss.
    base, free = 1 + border.sum(0).max(), np.flatnonzero(held == 0)
    step, code = border + base * road, np.arange(base * (1 + road.sum(0).max()))
    hazards = UNIT * np.append((1 + eb * (code % base)) * (1 + er * (code // base)), 0.0 * code)
    codes = np.repeat(np.append((step @ held)[free], [len(code)] * (len(free) % 2)), LANES)
    links = step[np.ix_(free, free)]
    near = np.argsort(-links)[:, : np.count_nonzero(links, 1).max()]  # one length for all: no branch to mispredict
    law = codes.astype("u8"), hazards.astype("i8"), near.astype("u8"), np.take_along_axis(links, near, 1).astype("u8")
    rows, lane = -(-replications // LANES) * LANES, (np.empty(LANES), *np.empty((5, LANES), np.int64))
    day, passage = np.empty((LANES if need > 0 else rows, len(free))), np.full(rows, np.inf)
    watch, province = (free if weight is None else weight[free], need, horizon), np.empty(day.shape, np.int32)
    for first in range(0, rows, BATCH):
        draws = np.empty((2, min(BATCH, rows - first) * len(free)))
        _uniforms(seed << 40, 2 * first * len(free), draws.ravel())
        # NumPy's logarithm is a vector loop, Numba's is not.
        _race(first, np.log(draws[0]) * (-UNIT / baseline), draws[1], law, free, *watch, day, province, passage, lane)
    return passage[:replications] if need > 0 else (day[:replications], province[:replications])
