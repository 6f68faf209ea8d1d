"""Runs drawn as one: a run alone, or those of a result with their weights in its pooled answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from sim.control import nearest
from sim.ensemble import Ensemble, Passages
from sim.result import Result
from sim.run import Run
from sim.watching import fold_log

__all__ = ["Share", "counts_by_day", "levels_by_day", "named", "require_days", "shares_of"]

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]


class Share(NamedTuple):
    """A run of one *family*, and its *weight* among those drawn as one; weights sum to 1."""

    family: str
    weight: float
    run: Run


def shares_of(where: str, run: Run | Result, family: str | None = None) -> tuple[Share, ...]:
    """Return what is drawn as one: the *run*, or of a result one *family*, or "pooled", all of them (if None).

    Raise a TypeError if *run* is neither, a ValueError if the result has no such family.
    """
    if isinstance(run, Run):
        if family is not None:
            raise ValueError(f"{where}: family chooses among those of a Result, but this is one run; leave it out")
        return (Share(run.model.name, 1.0, run),)
    if not isinstance(run, Result):
        raise TypeError(f"{where}: takes what simulate(…) or Scenario.run(…) gives, but was given {run!r}")
    runs = run.ensembles
    if family in (None, "pooled"):
        return tuple(Share(name, run.weights[name], ensemble) for name, ensemble in runs.items())
    if family not in runs:
        raise ValueError(f"{where}: no family {family!r} in the result; {nearest(str(family), (*runs, 'pooled'))}")
    return (Share(str(family), 1.0, runs[str(family)]),)


def named(shares: Sequence[Share]) -> str:
    """Return in words what is drawn: a family, or the families pooled with their weights."""
    if len(shares) == 1:
        return shares[0].family
    weights = {f"{share.weight:.2f}" for share in shares}
    if len(weights) == 1:
        return f"pooled over {', '.join(share.family for share in shares)}, {weights.pop()} each"
    return f"pooled over {', '.join(f'{share.family} {share.weight:.2f}' for share in shares)}"


def counts_by_day(run: Run) -> Ints:
    """Return of how many replications so many capitals are lost at the end of each day, shape (day, lost).

    Day 0 is the start. Raise a TypeError if *run* is neither an Ensemble nor Passages.
    """
    if isinstance(run, Passages):
        return run.lost
    if not isinstance(run, Ensemble):
        raise TypeError(f"counts by day: takes an Ensemble or Passages, but was given {run!r}")
    log = (run.transitions, run.initial, run.offsets, run.day, run.province, run.transition)
    return fold_log([], *log, horizon=run.horizon)[1]


def levels_by_day(shares: Sequence[Share], levels: Sequence[float]) -> Ints:
    """Return by day the least count of capitals lost that has at least each of *levels* of all weight, (level, day).

    These are quantiles of the mixture that some replication has (Hyndman and Fan 1996, definition 1,
    doi:10.1080/00031305.1996.10473566), not interpolated: capitals are whole.
    """
    below: Floats = sum(
        (share.weight * np.cumsum(counts, axis=1) / counts.sum(axis=1, keepdims=True)
         for share in shares for counts in [counts_by_day(share.run)]),
        start=np.zeros(1),
    )  # fmt: skip
    # Sums of weights may miss a level by the last bits.
    return np.array([np.argmax(below >= level * (1 - 1e-12), axis=1) for level in levels], np.int64)


def require_days(where: str, days: float | None, horizon: float) -> float:
    """Return how many *days* to draw, the *horizon* if None. Raise a ValueError if they lie beyond it."""
    if days is None:
        return float(horizon)
    if isinstance(days, bool) or not isinstance(days, (int, float)) or not 0.0 < days <= horizon:
        raise ValueError(f"{where}: days must be positive and not beyond the horizon of {horizon:g}, but was {days!r}")
    return float(days)
