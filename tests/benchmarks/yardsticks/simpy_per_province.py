"""Contagion by hand, as a SimPy user would write it: a process per province, interrupted when its hazard moves."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from math import log
from random import Random

from simpy import Environment, Event, Interrupt, Process


def _links(pairs: Iterable[tuple[int, int]], n: int) -> list[set[int]]:
    linked: list[set[int]] = [set() for _ in range(n)]
    for a, b in pairs:
        linked[a].add(b)
        linked[b].add(a)
    return linked


def run(
    borders: Iterable[tuple[int, int]],
    roads: Iterable[tuple[int, int]],
    n: int,
    held: Iterable[int],
    baseline: float,
    eb: float,
    er: float,
    horizon: float,
    replications: int,
    seed: int,
) -> tuple[int, list[list[float]]]:
    """Return the captures in all, and each replication's days of capture in order.

    Hazard per day: baseline x (1 + eb x held border neighbours) x (1 + er x held road neighbours). Those in *held*
    are lost from the start and are not counted.
    """
    near, along, start = _links(borders, n), _links(roads, n), set(held)
    free = [p for p in range(n) if p not in start]
    # Whom a capture touches, and what it adds to the two factors of their hazards.
    touched = [[(q, eb * (q in near[p]), er * (q in along[p])) for q in near[p] | along[p]] for p in range(n)]
    border_factors = [1.0 + eb * len(near[p] & start) for p in range(n)]
    road_factors = [1.0 + er * len(along[p] & start) for p in range(n)]
    random = Random(seed).random

    def province(p: int) -> Generator[Event, None, None]:
        while True:
            try:
                yield env.timeout(-log(1.0 - random()) / (baseline * border[p] * road[p]))
                break
            except Interrupt:
                continue  # No memory: a fresh draw at the new hazard is the same law.
        waiting[p] = None
        days.append(env.now)
        for q, by_border, by_road in touched[p]:
            if (process := waiting[q]) is not None:
                border[q] += by_border
                road[q] += by_road
                process.interrupt()

    logs = []
    for _ in range(replications):
        env, days, border, road = Environment(), list[float](), border_factors[:], road_factors[:]
        waiting: list[Process | None] = [None] * n
        for p in free:
            waiting[p] = env.process(province(p))
        env.run(until=horizon)
        logs.append(days)
    return sum(map(len, logs)), logs
