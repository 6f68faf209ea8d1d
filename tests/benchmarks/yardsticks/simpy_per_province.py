"""Contagion by hand, as a SimPy user would write it: a process per province, interrupted when its hazard moves."""

from itertools import chain

from numpy.random import default_rng
from simpy import Environment, Interrupt


def _links(pairs, n):
    linked = [set() for _ in range(n)]
    for a, b in pairs:
        linked[a].add(b)
        linked[b].add(a)
    return linked


def run(borders, roads, n, held, baseline, eb, er, horizon, replications, seed):
    """Return the captures in all, and each replication's days of capture in order.

    Hazard per day: baseline x (1 + eb x held border neighbours) x (1 + er x held road neighbours). Those in *held*
    are lost from the start and are not counted.
    """
    near, along, start = _links(borders if eb else (), n), _links(roads if er else (), n), set(held)
    # Whom a capture touches, and what it adds to the two factors of their hazards.
    touched = [
        [(q, baseline * eb * (q in near[p]), er * (q in along[p])) for q in near[p] | along[p]] for p in range(n)
    ]
    border_factors = [baseline * (1.0 + eb * len(near[p] & start)) for p in range(n)]
    road_factors = [1.0 + er * len(along[p] & start) for p in range(n)]
    source = default_rng(seed)
    draw = chain.from_iterable(iter(lambda: source.standard_exponential(4096).tolist(), None)).__next__

    def province(p):
        sleep = dawn
        while True:
            try:
                yield sleep
            except Interrupt as moved:
                sleep = moved.args[0]
                continue
            if sleep is dawn:
                sleep = timeout(due[p])
                continue
            waiting[p] = None
            days.append(now := due[p])
            for q, by_border, by_road in touched[p]:
                if (process := waiting[q]) is not None:
                    old_border, old_road = border[q], road[q]
                    border[q], road[q] = old_border + by_border, old_road + by_road
                    # What is added to the hazard is a rival of what was: the earlier one takes the province.
                    delay = draw() / (border[q] * road[q] - old_border * old_road)
                    if now + delay < due[q]:
                        due[q] = now + delay
                        process.interrupt(timeout(delay))
            sleep = dusk

    # Processes live on from replication to replication: to make them anew costs as much as to run them.
    env, logs = Environment(), []
    timeout, dawn, dusk = env.timeout, env.event(), env.event()
    processes = [None if p in start else env.process(province(p)) for p in range(n)]
    waiting = [None] * n
    for _ in range(replications):
        days, border, road = [], border_factors[:], road_factors[:]
        due = [draw() / (by_border * by_road) for by_border, by_road in zip(border, road, strict=True)]
        for p, process in enumerate(waiting):
            if process is not None:  # still asleep since the last horizon
                process.interrupt(timeout(due[p]))
        dawn.succeed()
        waiting = processes[:]
        env.run(until=env.now + horizon)
        dawn, dusk = dusk, env.event()
        logs.append(days)
    return sum(map(len, logs)), logs
