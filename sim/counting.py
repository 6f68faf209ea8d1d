"""Counts and nothing else ("11 of 34"): the exact chain where all capitals are alike, simulation where they are not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from sim import chains
from sim.control import Control, State
from sim.hazards import Baseline, Calendar, Momentum, Neighbours, PullBack, Term
from sim.law import Law
from sim.lowering import lower
from sim.model import Draws, Model
from sim.record import Record
from sim.simulation import simulate
from sim.streams import key_of

__all__ = ["alike", "count_notes", "exact", "matched", "only_baseline", "simulated", "stream_seed"]

Floats: TypeAlias = NDArray[np.float64]
_DAY = timedelta(days=1)


def count_notes(record: Record) -> tuple[str, ...]:
    """Return what is read from a count, in words."""
    numbers = ", ".join(f"{row.captured} of {len(record.provinces)} on {row.day}" for row in record.counts)
    return (f"the count alone is used ({numbers}), not which capitals or when", "no capital is lost on day 0")


def _counts(record: Record) -> list[tuple[float, int]]:
    return [(min(record.day(row.day + _DAY), record.days), row.captured) for row in record.counts]


def alike(model: Model) -> bool:
    """Return whether only seizures happen, and every capital still held is lost at one rate."""
    return set(model.hazards) == {"seizure"} and all(_alike(model, term) for term in model.hazards["seizure"].terms)


def _alike(model: Model, term: Term) -> bool:
    n = len(model.theatre.provinces)
    if isinstance(term, Neighbours):
        return all(len(others) == n - 1 for others in model.theatre.neighbours(term.via))
    if isinstance(term, Calendar):
        return term.provinces is None or len(term.provinces) == n
    if isinstance(term, PullBack):
        return len(term.keep) in (0, n)
    return isinstance(term, Baseline) or (isinstance(term, Momentum) and term.window is None)


def only_baseline(model: Model) -> bool:
    """Return whether seizures have one rate, whoever is lost."""
    return len(model.hazards["seizure"].terms) == 1


def exact(model: Model, record: Record) -> Callable[[Floats], Floats]:
    """Return the exact log probability of the counts as a function of values (row, parameter)."""
    law, counts = lower(model, record.start), _counts(record)
    if only_baseline(model):
        return _binomial(law, len(record.provinces), *counts[0])
    return lambda values: chains.counted(law, counts, values)


def _binomial(law: Law, n: int, days: float, lost: int) -> Callable[[Floats], Floats]:
    from scipy import special

    choices = float(special.gammaln(n + 1) - special.gammaln(lost + 1) - special.gammaln(n - lost + 1))

    def function(values: Floats) -> Floats:
        rate = chains.birth_rates(law, values, most=1)[:, 0] / n
        with np.errstate(divide="ignore"):
            gone = np.log(-np.expm1(-rate * days)) if lost else np.zeros(len(values))
        return np.asarray(choices + lost * gone - (n - lost) * rate * days)

    return function


def matched(model: Model, record: Record, draws: Draws, replications: int, seed: int) -> NDArray[np.bool_]:
    """Return which of the simulated records have the counts; replication r takes draw r mod D."""
    start = State(dict.fromkeys(record.provinces, Control.GOVERNMENT), instant=record.start)
    runs = simulate(model, draws, start=start, horizon=record.days, replications=replications, seed=seed)
    return np.asarray(np.all([runs.lost_at(day) == lost for day, lost in _counts(record)], axis=0))


def simulated(
    model: Model, record: Record, replications: int, seed: int, stream: int = 0
) -> Callable[[Floats], Floats]:  # fmt: skip
    """Return an estimate of the log probability of the counts as a function of values (row, parameter).

    (hits + 1/2) / (replications + 1), with the same streams for every row, so that it moves little where values do.
    """
    key = stream_seed(seed, f"counts {stream}")

    def function(values: Floats) -> Floats:
        names = tuple(model.parameters)
        hits = [matched(model, record, Draws(names, row[None].copy()), replications, key).sum() for row in values]
        return np.log((np.array(hits) + 0.5) / (replications + 1.0))

    return function


def stream_seed(seed: int, purpose: str) -> int:
    """Return a seed of its own for *purpose*."""
    return int(key_of(seed, purpose)) >> 1
