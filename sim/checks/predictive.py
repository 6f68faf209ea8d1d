"""Predictive checks: weeks a model makes, beside the week it was given.

Weeks are simulated from nothing lost on day 0 to the record's end, under prior or posterior draws (Box 1980,
doi:10.2307/2982063; Gelman, Meng & Stern 1996, Statistica Sinica 6, 733–807). Four things are asked of them and of the
record: how many captures each day brought, the pace of the last day, whether the order followed borders and roads, and
how many capitals were contested at the end. A posterior has seen the week, so its tail probabilities lean towards the
middle: a small one speaks against the model, a large one does not speak for it.

**Order along links.** Each morning the capitals still held are compared: how many of their neighbours by a link are
lost? The statistic is the mean, over captures, of the captured capital's lost neighbours less the average of all then
held. Summed, that is the score of a neighbour's effect where there is none (Cox 1972,
doi:10.1111/j.2517-6161.1972.tb00899.x): about zero if the order ignores the links, however fast captures come. What is
captured on one day counts as lost from the next morning on, in the record, which knows no hours, and in simulated weeks
alike.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from sim.calibration import Posterior
from sim.checks.weeks import require_week, simulated_runs
from sim.control import Control, nearest
from sim.ensemble import Ensemble
from sim.model import Model
from sim.record import Record
from sim.sources import last_day

__all__ = ["Check", "PredictiveChecks", "predictive_checks"]

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]

#: A capital not captured by the end.
_NEVER = 1 << 30


@dataclass(frozen=True, eq=False)
class Check:
    """One thing asked of the record and of every simulated week.

    Parameters
    ----------
    name : str
    observed : float
        Of the record.
    replicated : ndarray, shape (R,)
        Of the simulated weeks.
    unit : str
        What is counted.
    side : "both" or "upper"
        Which tails count: of both, twice the smaller.
    """

    name: str
    observed: float
    replicated: Floats
    unit: str
    side: Literal["both", "upper"] = "both"

    @property
    def tail(self) -> float:
        """The mid-p tail probability of the record among simulated weeks: half of what equals it counts (Lancaster
        1961, doi:10.1080/01621459.1961.10482105)."""
        equal = 0.5 * float(np.mean(self.replicated == self.observed))
        above = float(np.mean(self.replicated > self.observed)) + equal
        return above if self.side == "upper" else 2.0 * min(above, 1.0 - above)

    @property
    def quantiles(self) -> tuple[float, float, float]:
        """The 5%, 50% and 95% points of the simulated weeks."""
        low, middle, high = np.quantile(self.replicated, (0.05, 0.5, 0.95), method="inverted_cdf")
        return float(low), float(middle), float(high)


@dataclass(frozen=True, eq=False, repr=False)
class PredictiveChecks:
    """A record beside weeks simulated by a model.

    Parameters
    ----------
    kind : "prior" or "posterior"
        Which draws made the simulated weeks.
    model : str
        Name of the model.
    origin : date
        The first day.
    observed_by_day : ndarray of int64, shape (day,)
        Captures of the record. One told over several days counts on the last of them.
    by_day : ndarray of int64, shape (R, day)
        Captures of the simulated weeks.
    checks : tuple of Check
        "captures by day" (how far the counts are from the average of simulated weeks: the sum over days of squared
        differences in units of the variance), "pace of the last day", "order along borders", "order along roads" where
        the theatre has any, and "contested at the end" where the model knows contests.
    notes : tuple of str
        What was read as what.
    """

    kind: Literal["prior", "posterior"]
    model: str
    origin: date
    observed_by_day: Ints
    by_day: Ints
    checks: tuple[Check, ...]
    notes: tuple[str, ...]
    seed: int

    def __repr__(self) -> str:
        return f"<PredictiveChecks of {self.model}: {self.kind}, {len(self.by_day)} simulated weeks>"

    def __getitem__(self, name: str) -> Check:
        """Return the check called *name*. Raise a ValueError if there is none."""
        for check in self.checks:
            if check.name == name:
                return check
        known = [check.name for check in self.checks]
        raise ValueError(f"predictive_checks: no check {name!r}; {nearest(name, known)}")

    def table(self) -> list[dict[str, Any]]:
        """Return a row for each check: the record, the 5%, 50% and 95% points of simulated weeks, the tail."""
        rows = []
        for check in self.checks:
            low, middle, high = check.quantiles
            rows.append({
                "check": check.name, "record": check.observed, "low": low, "median": middle, "high": high,
                "tail": check.tail, "side": check.side,
            })  # fmt: skip
        return rows

    def summary(self) -> str:
        """Return the checks as text."""
        count, days = self.by_day.shape
        lines = [
            f"{self.kind} predictive checks of {self.model}: {count} simulated weeks, {days} days from {self.origin}",
            f"{'captures by day':<22}" + "".join(f"{day:>5}" for day in range(1, days + 1)),
            f"{'  record':<22}" + "".join(f"{n:>5}" for n in self.observed_by_day),
        ]
        for share in (0.05, 0.5, 0.95):
            points = np.quantile(self.by_day, share, axis=0, method="inverted_cdf")
            lines.append(f"{f'  simulated, {share:.0%}':<22}" + "".join(f"{n:>5}" for n in points))
        lines.append(f"{'check':<22}{'record':>8}{'5%':>8}{'50%':>8}{'95%':>8}  tail probability")
        for row in self.table():
            told = "".join(f"{round(row[name], 2) + 0.0:>8g}" for name in ("record", "low", "median", "high"))
            tail = f"{row['tail']:.2f}" if row["tail"] >= 0.005 else "<0.01"
            side = "two-sided" if row["side"] == "both" else "upper"
            lines.append(f"{row['check']:<22}{told}  {tail} {side}")
        return "\n".join([*lines, *(f"note: {note}" for note in self.notes)])


def predictive_checks(
    source: Model | Posterior, week: Record, *, seed: int, replications: int = 4000
) -> PredictiveChecks:  # fmt: skip
    """Return *week* beside weeks that *source* makes.

    Parameters
    ----------
    source : Model or Posterior
        A model gives the prior predictive; a posterior, of ``sim.calibrate``, the posterior predictive.
    week : Record
        With an end, and naming captures.
    seed : int
        Not negative. The same seed gives the same bits.
    replications : int
        Simulated weeks, 100 at least.

    Raises
    ------
    TypeError, ValueError
        If *week* has no end, is a count only, or is of other provinces.
    """
    if not isinstance(source, (Model, Posterior)):
        raise TypeError(
            f"predictive_checks: it takes a Model, or a Posterior of sim.calibrate(…), but was given {source!r}"
        )
    model = source.model if isinstance(source, Posterior) else source
    require_week(model, week, "predictive_checks")
    if isinstance(replications, bool) or not isinstance(replications, (int, np.integer)):
        raise TypeError(f"predictive_checks: replications must be a whole number, but was {replications!r}")
    if replications < 100:
        raise ValueError(f"predictive_checks: replications must be 100 at least, but was {replications!r}")
    draws = source.at_origin if isinstance(source, Posterior) else source.draw_prior(int(replications), seed=seed)
    runs = simulated_runs(model, draws, week, seed=seed, replications=int(replications))
    days = math.ceil(week.days)
    told, made = _told(week, days), _made(runs, days)
    counts, by_day = _by_day(told[None], days)[0], _by_day(made, days)
    mean, spread = by_day.mean(axis=0), np.maximum(by_day.var(axis=0), 1.0 / len(by_day))
    checks = [
        Check(
            "captures by day", float(((counts - mean) ** 2 / spread).sum()),
            ((by_day - mean) ** 2 / spread).sum(axis=1), "squared differences", "upper",
        ),
        Check("pace of the last day", float(counts[-1]), by_day[:, -1].astype(float), "captures on the last day"),
    ]  # fmt: skip
    for name, via in (("order along borders", "border"), ("order along roads", "road")):
        near = model.theatre.neighbours("border" if via == "border" else "road")
        if any(near):
            observed, replicated = float(_order(told[None], near, days)[0]), _order(made, near, days)
            checks.append(Check(name, observed, replicated, "lost neighbours, more than the capitals held"))
    notes = []
    if isinstance(source, Posterior) and (source.record.end != week.end or source.record.total != week.total):
        notes.append("the posterior was given another record than the one it is held against")
    if model.leaves_contested:
        seen = len(week.state().contested)
        contested = (runs.control_at(week.days) == Control.CONTESTED).sum(axis=1)
        checks.append(
            Check("contested at the end", float(seen), contested.astype(float), "capitals contested", "upper")
        )
        notes.append("contests seen are the fewest there were, so only weeks with fewer speak against the model")
    else:
        notes.append("this model knows no contests, so it says nothing of how many capitals were contested")
    return PredictiveChecks(
        kind="posterior" if isinstance(source, Posterior) else "prior", model=model.name, origin=week.start.date(),
        observed_by_day=counts, by_day=by_day, checks=tuple(checks), notes=tuple(notes), seed=int(seed),
    )  # fmt: skip


def _told(week: Record, days: int) -> Ints:
    """Return the day on which each capital of the record was captured, shape (n,); of several, the last."""
    found = np.full(len(week.provinces), _NEVER)
    for row in week.captures:
        day = (last_day(row.latest, row.earliest) - week.start.date()).days
        found[week.provinces.index(row.province)] = min(day, days - 1)
    return found


def _made(runs: Ensemble, days: int) -> Ints:
    """Return the day on which each capital was first captured, shape (R, n)."""
    found = np.full((len(runs), len(runs.provinces)), _NEVER)
    rows = runs.target == Control.INSURGENT
    when = np.minimum(np.floor(runs.day[rows]).astype(np.int64), days - 1)
    np.minimum.at(found, (runs.replication[rows], runs.province[rows]), when)
    return found


def _by_day(captured: Ints, days: int) -> Ints:
    return np.stack([(captured == day).sum(axis=1) for day in range(days)], axis=1)


def _order(captured: Ints, near: Sequence[Sequence[int]], days: int) -> Floats:
    """Return by how many lost neighbours a captured capital was ahead of those held that morning, on average.

    0 where nothing was captured. Shape (R,).
    """
    linked = np.zeros((len(near), len(near)))
    for p, others in enumerate(near):
        linked[p, list(others)] = 1.0
    ahead = np.zeros(len(captured))
    for day in range(1, days):  # on the first, nothing is lost yet
        lost, now = captured < day, captured == day
        around = lost @ linked
        held = np.maximum(1, (~lost).sum(axis=1))
        ahead += (around * now).sum(axis=1) - now.sum(axis=1) * (around * ~lost).sum(axis=1) / held
    return np.asarray(ahead / np.maximum(1, (captured < _NEVER).sum(axis=1)))
