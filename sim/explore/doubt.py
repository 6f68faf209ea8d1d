"""The budget of doubt: how much of an answer's uncertainty is model, definition, parameters and chance."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.case import Case
from sim.engines.recorded import RecordedEngine
from sim.explore.asked import Asked, day_of, level_of, outcome_of, passages, scenario_of, teller, whole
from sim.explore.split import SOURCES, split
from sim.model import Draws
from sim.outcomes import PRESSURES, Outcome, Pressure
from sim.projecting import Memory, Tell
from sim.report import table
from sim.scenario import Scenario
from sim.streams import key_of

__all__ = ["Budget", "Share", "budget"]

_WHERE = "budget"


class Share(NamedTuple):
    """A row of the budget: what share of the variance on a *day* a *source* has, in order and by Shapley, each with its
    interval; nan if nothing varies."""

    day: float
    source: str
    sequential: float
    sequential_low: float
    sequential_high: float
    shapley: float
    shapley_low: float
    shapley_high: float


@dataclass(frozen=True, eq=False, repr=False)
class Budget:
    """Shares of the variance of whether it happens by a day.

    Parameters
    ----------
    rows : tuple of Share
        A row a day and source, sources in the order of the split.
    probability, variance : mapping of day to float
        Of its happening by that day, over all families, definitions, draws and chance.
    families, definitions : mapping of name to weight
    draws, replications : int
        Draws of each family, and replications of each draw.
    runs, failed : int
    level : float
        Probability of the intervals.
    seed : int
    failure : str
        The first traceback, if a run failed.
    """

    rows: tuple[Share, ...]
    probability: Mapping[float, float]
    variance: Mapping[float, float]
    families: Mapping[str, float]
    definitions: Mapping[str, float]
    draws: int
    replications: int
    runs: int
    failed: int
    level: float
    seed: int
    failure: str = ""

    def __repr__(self) -> str:
        return f"<Budget of {', '.join(self.families)}: {', '.join(f'{day:g}' for day in self.probability)} days>"

    def on(self, day: float) -> dict[str, Share]:
        """Return the rows of one *day*, by source. Raise a ValueError if it was not asked for."""
        found = {row.source: row for row in self.rows if row.day == day}
        if not found:
            raise ValueError(
                f"{_WHERE}: day must be one of {', '.join(f'{each:g}' for each in self.probability)}, but was {day!r}"
            )
        return found

    def summary(self) -> str:
        """Return both splits as text, a table a day, with the weights."""
        lines = [
            "variance of 1{pressure by day h}, over",
            _told("families", self.families),
            _told("definitions", self.definitions),
        ]
        for day, chance in self.probability.items():
            lines.append(f"h = {day:g} days: probability {chance:.2f}, variance {self.variance[day]:.3f}")
            body = [
                [row.source, _share(*row[2:5]), _share(*row[5:8])] for row in self.on(day).values()
            ]  # fmt: skip
            lines.append(table(["source", "in this order", "Shapley"], body))
        lines += [
            "in this order: what a source adds to those above it. Shapley: what it adds on average over all orders.",
            f"{self.draws} draws a family, each with the same {self.replications} replications: {self.runs:,} runs, "
            f"{self.failed:,} failed; {self.level:.0%} intervals; seed {self.seed}",
        ]
        if any(row.sequential < 0 or row.shapley < -1e-12 for row in self.rows):
            lines.append("Shares below nought, noise of the estimate, are printed as 0; .rows has them as they are.")
        return "\n".join(lines)

    def plain(self) -> dict[str, Any]:
        """Return everything as plain values."""
        told: dict[str, Any] = {name: getattr(self, name) for name in self.__dataclass_fields__}
        for name in ("probability", "variance"):
            told[name] = {f"{day:g}": value for day, value in told[name].items()}
        for name in ("families", "definitions"):
            told[name] = dict(told[name])
        return told | {"rows": [row._asdict() for row in self.rows]}


def _told(what: str, weights: Mapping[str, float]) -> str:
    if len(weights) > 1 and len(set(weights.values())) == 1:
        return f"  {what}, of equal weight: {', '.join(weights)}"
    return f"  {what}, by weight: {', '.join(f'{name} {weight:.2f}' for name, weight in weights.items())}"


def _share(value: float, low: float, high: float) -> str:
    if math.isnan(value):
        return "nothing varies"
    return f"{max(0.0, value):.2f} ({max(0.0, low):.2f} to {max(0.0, high):.2f})"


def budget(
    scenario_or_cases: Asked | Mapping[str, Case], days: Iterable[float] = (3, 7, 14, 30), *, seed: int,
    definitions: Iterable[str | Outcome] = tuple(PRESSURES), weights: Mapping[str, float] | None = None,
    definition_weights: Mapping[str, float] | None = None, draws: int = 128, replications: int = 200,
    resamples: int = 200, level: float = 0.9, memory: Memory | None = None, progress: Tell | None = None,
) -> Budget:  # fmt: skip
    """Split the variance of whether pressure has come by a day into model family, definition, parameters and chance.

    Once in that order, and once by Shapley shares, where order does not matter; see ``sim.explore.split``. Every draw
    of every family has the same replication numbers. Chance that comes last, as it does in order, is what stays when
    all else is known; its Shapley share also counts what one replication has in common under several families and
    definitions, and so hangs on the streams they share by name.

    Parameters
    ----------
    scenario_or_cases : Scenario, a scenario's name or path, Case, or mapping of family to Case
        A scenario is calibrated.
    days : iterable of float
        Days since the start.
    seed : int
    definitions : iterable of str or Outcome
        Definitions of pressure by name, or any outcomes.
    weights, definition_weights : mapping of name to float, optional
        Positive, one for each; equal unless given.
    draws, replications : int
        Draws of each family, at most as many as a case has; and replications of each.
    resamples : int
        For the intervals.
    level : float
        Probability of the intervals.
    memory : dict, optional
        Keeps calibrations, as for ``Scenario.cases``.
    progress : function of a text and the share done, optional

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range, cases start differently, or too many runs failed.

    Warns
    -----
    RuntimeWarning
        If some runs failed: pairs of the others are compared.
    """
    key_of(seed, _WHERE)
    tell = teller(progress, _WHERE)
    draws, replications = whole(draws, 2, f"{_WHERE}: draws"), whole(replications, 2, f"{_WHERE}: replications")
    resamples, level = whole(resamples, 50, f"{_WHERE}: resamples"), level_of(level, _WHERE)
    asked = _definitions(definitions)
    given = scenario_of(scenario_or_cases, _WHERE)
    horizon, names = _horizon_and_names(given)
    when = _days(days, horizon)
    by_family = _weights(names, weights, "weights")
    by_definition = _weights([outcome.name for outcome in asked], definition_weights, "definition_weights")
    if isinstance(given, Scenario):
        cases = given.cases(seed=seed, draws=draws, memory=memory, progress=tell)
    else:
        cases = _mapped(given)
    draws = min([draws, *(len(case.draws) for case in cases.values() if case.model.free)])
    times, failed, failure = _crossed(cases, asked, draws, replications, max(when), seed, tell)
    if failed:
        warnings.warn(
            f"{_WHERE}: {failed:,} of {times[:, 0].size:,} runs failed and are left out (.failure has the first "
            "traceback)", RuntimeWarning, stacklevel=2,
        )  # fmt: skip
    rows: list[Share] = []
    probability, variance = {}, {}
    for day in when:
        tell(f"splitting day {day:g}", 1.0)
        happened = np.where(np.isnan(times), np.nan, times <= day)
        found = split(
            happened, list(by_family.values()), list(by_definition.values()), seed=seed, resamples=resamples,
            level=level,
        )  # fmt: skip
        probability[day], variance[day] = found.mean, max(0.0, found.variance)
        rows += [
            Share(day, source, *map(float, found.sequential[k]), *map(float, found.shapley[k]))
            for k, source in enumerate(SOURCES)
        ]
    return Budget(
        tuple(rows), probability, variance, by_family, by_definition, draws, replications, times[:, 0].size, failed,
        level, int(seed), failure,
    )  # fmt: skip


def _definitions(given: Iterable[str | Outcome]) -> tuple[Outcome, ...]:
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise TypeError(f"{_WHERE}: definitions must be a list of names, but was {given!r}; write [{given!r}]")
    found = tuple(
        Pressure(each) if isinstance(each, str) else outcome_of(each, f"{_WHERE}: a definition") for each in given
    )
    names = [outcome.name for outcome in found]
    if not names or len(set(names)) != len(names):
        raise ValueError(f"{_WHERE}: definitions must be one or more, each named once, but were {names!r}")
    return found


def _days(given: Iterable[float], horizon: float) -> tuple[float, ...]:
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise TypeError(f"{_WHERE}: days must be a list of numbers, but was {given!r}; write [{given!r}]")
    found = tuple(day_of(day, horizon, f"{_WHERE}: a day") for day in given)
    if not found or len(set(found)) != len(found):
        raise ValueError(f"{_WHERE}: days must be one or more, each named once, but were {found!r}")
    return found


def _horizon_and_names(given: object) -> tuple[float, list[str]]:
    """Return up to when *given* is watched, and its families, before any work."""
    if isinstance(given, Scenario):
        return float(given.horizon), list(given.families)
    cases = _mapped(given)
    first = next(iter(cases.values()))
    for name, case in cases.items():
        if isinstance(case.engine, RecordedEngine):
            raise ValueError(f"{_WHERE}: case {name} replays the record, which has nothing in doubt")
        if case.start.control != first.start.control or case.model.theatre.provinces != first.model.theatre.provinces:
            raise ValueError(
                f"{_WHERE}: case {name} starts otherwise than {first.family}; split one question at a time"
            )
        if case.model.free and len(case.draws) < 2:
            raise ValueError(f"{_WHERE}: case {name} has one draw, which cannot tell doubt from chance; give it more")
    return min(case.horizon for case in cases.values()), list(cases)


def _mapped(given: object) -> dict[str, Case]:
    cases = {given.family: given} if isinstance(given, Case) else given
    if not isinstance(cases, Mapping) or not cases or not all(isinstance(case, Case) for case in cases.values()):
        raise TypeError(f"{_WHERE}: needs a Scenario, a Case or a mapping of family to Case, but was given {given!r}")
    return dict(cases)


def _weights(names: list[str], given: Mapping[str, float] | None, what: str) -> dict[str, float]:
    found = dict.fromkeys(names, 1.0) if given is None else given
    right = isinstance(found, Mapping) and set(found) == set(names)
    if not right or not all(isinstance(w, (int, float)) and 0 < w < math.inf for w in found.values()):
        raise ValueError(
            f"{_WHERE}: {what} must be positive numbers, one for each of {', '.join(names)}, but were {given!r}"
        )
    whole_of = math.fsum(found.values())
    return {name: found[name] / whole_of for name in names}


def _crossed(
    cases: Mapping[str, Case], outcomes: tuple[Outcome, ...], draws: int, replications: int, horizon: float, seed: int,
    tell: Tell,
) -> tuple[NDArray[np.float64], int, str]:  # fmt: skip
    """Return first-passage times, shape (family, definition, draw, replication); how many runs failed, and how."""
    times = np.empty((len(cases), len(outcomes), draws, replications))
    failed, failure = 0, ""
    for f, (name, case) in enumerate(cases.items()):
        mine = case.thin(draws) if len(case.draws) >= draws else case
        for i in range(draws):
            if i % 20 == 0:
                tell(f"projecting {name}", i / draws)
            # A draw alone, so that it meets every replication number.
            alone = Draws(mine.draws.names, mine.draws.values[[i % len(mine.draws)]])
            found = passages(mine, alone, outcomes, range(replications), seed=seed, horizon=horizon)
            times[f, :, i] = found.days
            failed, failure = failed + found.failed, failure or found.first
    return times, failed, failure
