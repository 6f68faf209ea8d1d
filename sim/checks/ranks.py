"""Simulation-based calibration: are posteriors of simulated weeks right on average over the prior?

Parameters are drawn from the prior and a week is simulated under each; ``sim.calibrate`` is given the week. If
simulator, likelihood and sampler agree, the truth ranks uniformly among posterior draws (Cook, Gelman & Rubin 2006,
doi:10.1198/106186006X136976; Talts et al. 2018, arXiv:1804.06788). The ranks of parameters alone miss mistakes that
leave the posterior as wide as the prior, so the log likelihood, which depends on the week too, is ranked beside them
(Modrák et al. 2023, doi:10.1214/23-BA1404).
"""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from sim import sampling
from sim.calibration import calibrate
from sim.checks import bands
from sim.checks.apart import each
from sim.checks.weeks import require_week, simulated_weeks
from sim.likelihood import likelihood
from sim.model import Draws, Model
from sim.progress import Progress
from sim.record import Record
from sim.streams import key_of, uniforms

__all__ = ["LOG_LIKELIHOOD", "Ranks", "sbc"]

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]

#: What tables call the quantity that depends on the week.
LOG_LIKELIHOOD = "log likelihood"
#: Shorter than a calibration's own: a hundred draws need an effective sample of a few hundred, not of a thousand.
_BUDGET = sampling.Budget(walkers=16, round=150, rounds=60, ess=100.0)


@dataclass(frozen=True, eq=False, repr=False)
class Ranks:
    """Ranks of the truth among posterior draws, over simulated weeks.

    Parameters
    ----------
    model : str
        Name of the model.
    quantities : tuple of str
        The free parameters, and "log likelihood".
    ranks : ndarray of int64, shape (fit, quantity)
        How many of the draws are below the truth, from 0 to *draws*; ties are settled at random.
    draws : int
        Draws of each posterior, thinned until they do not remember each other.
    level : float
        Of the bands: the probability that ranks of a right calibration keep within them everywhere.
    captured : ndarray of int64, shape (fit,)
        How many capitals each simulated week lost.
    poor : ndarray of bool, shape (fit,)
        Whether the sampler fell short; such a week counts like any other.
    provinces : int
        How many there are.
    text : str
        What a simulated week was, in words.
    """

    model: str
    quantities: tuple[str, ...]
    ranks: Ints
    draws: int
    level: float
    captured: Ints
    poor: NDArray[np.bool_]
    provinces: int
    text: str
    seed: int

    def __repr__(self) -> str:
        return f"<Ranks of {self.model}: {len(self)} fits, {'passed' if self.passed else 'FAILED'}>"

    def __len__(self) -> int:
        return len(self.ranks)

    def __getitem__(self, quantity: str) -> Ints:
        """Return the ranks of one *quantity*, shape (fit,). Raise a ValueError if there is none of that name."""
        if quantity not in self.quantities:
            raise ValueError(f"sbc: no ranks of {quantity!r}; there are {', '.join(self.quantities)}")
        return np.asarray(self.ranks[:, self.quantities.index(quantity)])

    @property
    def band(self) -> tuple[Ints, Ints]:
        """The least and the most ranks that may lie below 1, 2, …, draws: two arrays of shape (draws,)."""
        return bands.band(len(self), self.draws, self.level)

    def below(self, quantity: str) -> Ints:
        """Return how many ranks of *quantity* lie below 1, 2, …, draws, shape (draws,)."""
        return bands.below(self[quantity], self.draws)

    def within(self, quantity: str) -> bool:
        """Return whether the ranks of *quantity* keep within the band everywhere."""
        low, high = self.band
        counts = self.below(quantity)
        return bool(np.all((low <= counts) & (counts <= high)))

    @property
    def passed(self) -> bool:
        """Whether the ranks of every quantity keep within the band."""
        return all(self.within(quantity) for quantity in self.quantities)

    def table(self) -> list[dict[str, Any]]:
        """Return a row for each quantity: its mean rank as a share, its tail probability, whether it passed."""
        return [
            {
                "quantity": quantity,
                "mean_rank": float((self[quantity] + 0.5).mean() / (self.draws + 1)),
                "tail": bands.tail(self[quantity], self.draws),
                "passed": self.within(quantity),
            }
            for quantity in self.quantities
        ]  # fmt: skip

    def summary(self) -> str:
        """Return the ranks as text: what was done, and each quantity's verdict."""
        widest = max(len(quantity) for quantity in self.quantities)
        low, middle, high = np.quantile(self.captured, (0.05, 0.5, 0.95), method="nearest")
        none, every = int((self.captured == 0).sum()), int((self.captured == self.provinces).sum())
        lines = [
            f"simulation-based calibration of {self.model}: {len(self)} fits of {self.draws} draws, "
            + ("passed" if self.passed else "FAILED"),
            f"weeks: {self.text}; captures {low} to {high} (5% to 95%), median {middle}; {none} with none, "
            f"{every} with all; none left out",
            f"{'ranks of the truth':<{widest}}  mean rank  tail prob.  {self.level:.0%} band",
        ]
        for row in self.table():
            kept = "within" if row["passed"] else "OUTSIDE"
            lines.append(f"{row['quantity']:<{widest}}  {row['mean_rank']:>9.3f}  {row['tail']:>10.3f}  {kept}")
        count = len(self.quantities)
        lines.append(
            f"note: each band is its own, so sound code leaves one of the {count} with probability up to "
            f"{1.0 - self.level**count:.2f}; few fits show gross mistakes only"
        )
        if self.poor.any():
            lines.append(f"note: the sampler fell short in {int(self.poor.sum())} fits, which count all the same")
        return "\n".join(lines)


class _Job(NamedTuple):
    week: Record
    truth: Floats
    seed: int
    ties: Floats


def sbc(
    model: Model,
    week_shape: Record,
    *,
    fits: int,
    seed: int,
    exact_times: bool = False,
    points: int = 32,
    draws: int = 99,
    level: float = 0.99,
    executor: Executor | None = None,
    progress: Progress = None,
) -> Ranks:
    """Return the ranks of true parameters among posterior draws, over *fits* simulated weeks.

    Parameters
    ----------
    model : Model
    week_shape : Record
        With an end: its length, day 0 and provinces are those of every simulated week. Its captures are not looked
        at.
    fits : int
        How many weeks; none is left out, whatever happens in it.
    seed : int
        Not negative. The same seed gives the same bits, whoever does the work.
    exact_times : bool
        Whether a simulated week tells the times of captures, or their days alone. Days are weighed by the average
        over hours, whether the exact recursion could take the week or not, so that every week is weighed alike.
    points : int
        How many points the average over hours has, a power of two.
    draws : int
        Posterior draws the truth is ranked among.
    level : float
        Of the simultaneous bands.
    executor : concurrent.futures.Executor, optional
        Who does the fits. Unless given: a forked process for each core on Linux, where no other thread runs, else
        this process.
    progress : bool or function of the number of fits done, optional

    Raises
    ------
    TypeError, ValueError
        If an argument is out of its range, or the model cannot be calibrated on dated captures.
    """
    require_week(model, week_shape, "sbc")
    for name, value, least in (("fits", fits, 2), ("draws", draws, 9)):
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
            raise TypeError(f"sbc: {name} must be a whole number, but was {value!r}")
        if value < least:
            raise ValueError(f"sbc: {name} must be {least} at least, but was {value!r}")
    if not 0.5 <= level < 1.0:
        raise ValueError(f"sbc: level must be from 0.5 to 1, and less than 1, but was {level!r}")
    if not model.free:
        raise ValueError("sbc: the model must have a free parameter, but all are fixed; there is nothing to rank")
    truths = model.draw_prior(fits, seed=seed)
    weeks = simulated_weeks(model, truths, week_shape, seed=seed, exact_times=exact_times)
    quantities = (*model.free, LOG_LIKELIHOOD)
    ties = np.column_stack([uniforms(seed, "sbc ties", name, fits) for name in quantities])
    jobs = [
        _Job(week, truth, int(key_of(seed, f"sbc fit {i}")), tie)
        for i, (week, truth, tie) in enumerate(zip(weeks, truths.values, ties, strict=True))
    ]
    ranked = partial(_ranked, model, int(draws), points, "auto" if exact_times else "average")
    found = each(ranked, jobs, what=f"calibrating {model.name}", executor=executor, progress=progress)
    return Ranks(
        model=model.name, quantities=quantities, ranks=np.array([ranks for ranks, _ in found], np.int64),
        draws=int(draws), level=float(level), captured=np.array([week.total for week in weeks], np.int64),
        poor=np.array([poor for _, poor in found]), seed=int(seed), provinces=len(week_shape.provinces),
        text=f"{week_shape.days:g} days of {len(week_shape.provinces)} capitals, "
        f"captures told {'to the microsecond' if exact_times else 'to the day'}",
    )  # fmt: skip


def _ranked(
    model: Model, draws: int, points: int, hours: Literal["auto", "average"], job: _Job
) -> tuple[Ints, bool]:  # fmt: skip
    """Return the rank of each quantity, and whether the fit was poor."""
    posterior = calibrate(
        model, job.week, seed=job.seed, draws=draws, accept_poor=True, points=points, hours=hours, _budget=_BUDGET
    )  # fmt: skip
    # The same seed, so that truth and draws are weighed at the same hours.
    weight = likelihood(model, job.week, seed=job.seed, points=points, hours=hours)
    truth = Draws(tuple(model.parameters), job.truth)
    told = [(posterior.at_origin[name], truth[name][0]) for name in model.free]
    told.append((posterior.log_likelihood, weight(job.truth)[0]))
    ranks = [
        int((among < true).sum()) + int(tie * (1 + (among == true).sum()))
        for (among, true), tie in zip(told, job.ties, strict=True)
    ]
    return np.array(ranks, np.int64), posterior.poor
