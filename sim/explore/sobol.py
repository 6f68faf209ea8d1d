"""Which parameter an answer hangs on: Sobol indices of a projection over priors, levers and chance."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.case import Case
from sim.explore.asked import Asked, day_of, level_of, outcome_of, passages, prior_case, teller, whole
from sim.explore.indices import CHANCE, Index, sobol_split
from sim.model import Draws
from sim.outcomes import Outcome
from sim.projecting import Tell
from sim.report import table
from sim.streams import key_of

__all__ = ["Sensitivity", "sensitivity"]


@dataclass(frozen=True, eq=False, repr=False)
class Sensitivity:
    """Sobol indices of a projection.

    Parameters
    ----------
    family, outcome : str
    within : float or None
        Days since the start by which it is to have happened; None where the days themselves, at most *horizon*, are
        split.
    horizon : float
        Days since the start.
    rows : tuple of Index
        One a free parameter, and "chance" last.
    mean, variance : float
        Of what is split, over priors and chance.
    points, used : int
        Rows of the design, and how many of them had no failed run.
    runs, failed : int
    level : float
        Probability of the intervals.
    seed : int
    failure : str
        The first traceback, if a run failed.
    """

    family: str
    outcome: str
    within: float | None
    horizon: float
    rows: tuple[Index, ...]
    mean: float
    variance: float
    points: int
    used: int
    runs: int
    failed: int
    level: float
    seed: int
    failure: str = ""

    def __repr__(self) -> str:
        most = max(self.rows, key=lambda row: row.total)
        return f"<Sensitivity of {self._asked}: most of {most.parameter}, total {most.total:.2f}>"

    @property
    def _asked(self) -> str:
        days = "days until" if self.within is None else "whether"
        end = f"at most {self.horizon:g}" if self.within is None else f"within {self.within:g} days"
        return f"{self.family}, {days} {self.outcome}, {end}"

    @property
    def chance(self) -> Index:
        """The row of chance: its total index is the share of variance that no knowledge of parameters removes."""
        return self.rows[-1]

    def summary(self) -> str:
        """Return the indices as text."""
        body = [
            [row.parameter, _interval(row.first, row.first_low, row.first_high),
             _interval(row.total, row.total_low, row.total_high)]
            for row in sorted(self.rows, key=lambda row: (row.parameter == CHANCE, -row.total))
        ]  # fmt: skip
        left = f"; {self.points - self.used:,} of {self.points:,} rows left out for them" if self.failed else ""
        return "\n".join([
            f"{self._asked}: mean {self.mean:.3g}, variance {self.variance:.3g} over priors and chance",
            table(["parameter", "first order", "total"], body),
            "first order: what knowing it alone removes of the variance; total: what not knowing it alone leaves.",
            "chance: all that is drawn in a replication, given every parameter. Below nought is noise of the estimate.",
            f"{self.points:,} points, {self.runs:,} runs, {self.failed:,} failed{left}; {self.level:.0%} intervals; "
            f"seed {self.seed}",
        ])  # fmt: skip

    def plain(self) -> dict[str, Any]:
        """Return everything as plain values."""
        told = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return told | {"rows": [row._asdict() for row in self.rows]}


def _interval(value: float, low: float, high: float) -> str:
    return f"{value:.2f} ({low:.2f} to {high:.2f})"


def sensitivity(
    case_or_scenario: Asked, outcome: Outcome, within: float | None = 30, *, seed: int, points: int = 1024,
    family: str | None = None, resamples: int = 500, level: float = 0.9, progress: Tell | None = None,
) -> Sensitivity:  # fmt: skip
    """Return first-order and total Sobol indices of an answer, over priors and levers, with one for chance itself.

    Every free parameter, those of levers included, has its prior; all chance is one more input, the replication number.
    Indices are defined for independent inputs, which priors are and posterior draws are not: how much doubt the week
    leaves is what ``sim.explore.budget`` splits. See ``sim.explore.indices`` for the definitions.

    Parameters
    ----------
    case_or_scenario : Case, Scenario, or a scenario's name or path
        Nothing is calibrated. Of a case's draws only the values of fixed parameters are used.
    outcome : Outcome
    within : float or None
        Split the variance of whether it happens within so many days; with None, of the days until it happens or the
        horizon, whichever comes first.
    seed : int
    points : int
        A power of two; of d free parameters there are so many times d + 3 runs.
    family : str, optional
        Which of a scenario's; needed if it has several.
    resamples : int
        For the intervals.
    level : float
        Probability of the intervals.
    progress : function of a text and the share done, optional

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range, the model has no free parameter, or every run gives the same.
    RuntimeError
        If hardly a row is left without failed runs.

    Warns
    -----
    RuntimeWarning
        If some runs failed: the indices are of the rows without them.
    """
    where = "sensitivity"
    key_of(seed, where)
    outcome = outcome_of(outcome, f"{where}: outcome")
    points = whole(points, 16, f"{where}: points", power=True)
    resamples, level = whole(resamples, 50, f"{where}: resamples"), level_of(level, where)
    tell = teller(progress, where)
    case = prior_case(case_or_scenario, family, where, seed=seed)
    end = case.horizon if within is None else day_of(within, case.horizon, f"{where}: within")
    outcome.watch(case.model.theatre)
    names = case.model.free
    if not names:
        raise ValueError(f"{where}: {case.family} has no free parameter, so all is chance; give one a prior")
    failures: list[str] = []

    def answers(unit: NDArray[np.float64], numbers: range) -> NDArray[np.float64]:
        times = passages(case, _draws(case, unit), [outcome], numbers, seed=seed, horizon=end)
        failures.append(times.first)
        days = times.days[0]
        split = np.minimum(days, end) if within is None else (days <= end).astype(float)
        return np.where(np.isnan(days), np.nan, split)

    found = sobol_split(
        answers, names, seed=seed, points=points, resamples=resamples, level=level,
        tell=lambda share: tell(f"running {case.family}", share),
    )  # fmt: skip
    if found.failed:
        warnings.warn(
            f"{where}: {found.failed:,} of {found.runs:,} runs failed; {found.points - found.used:,} of "
            f"{found.points:,} rows are left out (.failure has the first traceback)",
            RuntimeWarning, stacklevel=2,
        )  # fmt: skip
    return Sensitivity(
        case.family, outcome.name, None if within is None else end, end, *found[:5], runs=found.runs,
        failed=found.failed, level=level, seed=int(seed), failure=next(filter(None, failures), ""),
    )  # fmt: skip


def _draws(case: Case, unit: NDArray[np.float64]) -> Draws:
    """Return *unit*, a column a free parameter, as values of all parameters."""
    free = case.model.free
    columns = [
        prior.quantile(unit[:, free.index(name)]) if prior.free else np.full(len(unit), case.draws[name][0])
        for name, prior in case.model.parameters.items()
    ]
    return Draws(tuple(case.model.parameters), np.column_stack(columns))
