"""How much slower, or stronger, a parameter would have to be for an assessment to be right: its break-even."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from sim.case import Case
from sim.control import nearest
from sim.engines.compiled import uncompiled
from sim.engines.simpy_engine import SimPyEngine
from sim.explore.asked import teller
from sim.explore.asking import At, many_cases, one_case, require_question, signed
from sim.explore.breakevens import Breakeven, BreakevenTable
from sim.explore.crossing import By, Crossing, Curve, by_draw, crossing
from sim.maxima import maximum_likelihood
from sim.model import CONTESTED_AT_START, Draws
from sim.outcomes import Outcome, Pressure
from sim.projecting import Memory, Tell
from sim.scenario import Scenario

__all__ = ["breakeven", "breakeven_table"]

Ints: TypeAlias = NDArray[np.int64]

_RANGES: Mapping[By, tuple[float, float]] = {"factor": (0.01, 100.0), "shift": (-5.0, 5.0)}
#: Replications of a point of the search, at most; replications of a step of the search of every draw.
_MOST, _BUDGET = 400_000, 100_000
#: The same, where only SimPy can run the model: a hundred times as slow.
_SLOWLY = 20_000, 2_000


def breakeven(
    scenario: Scenario | Case | str | Path, outcome: Outcome, within: float = 30.0, probability: float = 0.5,
    vary: str = "seizure.baseline", *, seed: int, family: str | None = None, at: At = "posterior",
    by: By | None = None, range: tuple[float, float] | None = None, replications: int | None = None,
    precision: float = 0.01, draws: int = 2000, memory: Memory | None = None, progress: Tell | None = None,
) -> Breakeven:  # fmt: skip
    """Return by how much a parameter must change for *outcome* to have the given *probability* *within* so many days.

    How much slower must the week's pace have been for the assessment's 30 days to be the median? Every point of the
    search takes the same replications (common random numbers; Glasserman and Yao 1992, doi:10.1287/mnsc.38.6.884), so
    the probability is a step function of the factor, and bisection finds where it crosses.

    Parameters
    ----------
    scenario : Scenario, Case, or the name or path of a scenario
    outcome : Outcome
    within : float
        Days since the start.
    probability : float
        Over draws and chance.
    vary : str
        A parameter of the projected model, a family's own or a lever's, such as "fall.calendar.air".
    seed : int
    family : str, optional
        Which, if the scenario has several.
    at : "posterior", "maximum likelihood" or mapping of parameter to value
        What is changed: the draws as they are; those draws with the values at which the week's count alone is
        likeliest, for families with one free parameter; or with values of one's own.
    by : "factor" or "shift", optional
        Whether every draw is multiplied or added to. Unless given: multiplied, but for an effect (an exponent) whose
        draws are of both signs, or all 0, and for which no *range* is given, added to.
    range : pair of float, optional
        Where to look: factors from 0.01 to 100, shifts from -5 to 5, unless given. A probability ends at 1.
    replications : int, optional
        How many each point takes, rounded down to a multiple of the draws (thinned to half as many at most), and about
        as many for the interval. Unless given, as many as bring the Monte Carlo error to *precision*, at most 400,000;
        20,000 where only SimPy can run the model, which takes minutes.
    precision : float
        Standard error allowed, as a share of the factor; of a shift, as it is.
    draws : int
        Parameter draws of a scenario. A Case has its own.
    memory, progress
        As in ``Scenario.cases``.

    Returns
    -------
    Breakeven
        Where no value in range does it, its ``found`` is False, its ``factor`` nan, and it has the probabilities at
        both ends of the range.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range, or a parameter or family unknown: before any work.
    RuntimeError
        If a replication failed.
    """
    if not isinstance(vary, str):
        raise TypeError(
            f"breakeven: vary must be the name of a parameter, but was {vary!r}; breakeven_table asks of all"
        )
    progress = None if progress is None else teller(progress, "breakeven")
    outcomes = require_question("breakeven", (outcome,), probability, replications, precision, _MOST)
    case = one_case(scenario, family, vary, within, outcomes, at, by, range, seed, draws, memory, progress)
    if progress is not None:
        progress(f"searching {vary} of {case.family}", 0.0)
    if replications is not None and replications < 2 * len(case.draws):
        case = case.thin(replications // 2)
    question = _Question(
        outcomes, float(within), float(probability), seed, by, range, replications, precision, _MOST,
        min(_BUDGET, replications or _BUDGET),
    )  # fmt: skip
    return _found(_placed(case, at), vary, at if isinstance(at, str) else "values given", question)[0]


def breakeven_table(
    scenario: Scenario | Case | Mapping[str, Case] | str | Path, outcomes: Sequence[Outcome] = (Pressure("half_ring"),),
    within: float = 30.0, probability: float = 0.5, *, seed: int, precision: float = 0.01, most: int = 20_000,
    draws: int = 1000, parameters: Iterable[str] | None = None, memory: Memory | None = None,
    progress: Tell | None = None,
) -> BreakevenTable:  # fmt: skip
    """Return the break-even of every parameter and lever of every family, each alone; see ``breakeven``.

    Free and fixed ones, the share contested at the start included. Families with one free parameter have a row at the
    week's maximum likelihood too. Outcomes share the simulations.

    Parameters
    ----------
    scenario : Scenario, Case, mapping of family to Case (such as ``result.cases``), or a name or path
    outcomes : sequence of Outcome
    within, probability, seed, precision, draws, memory, progress
        As in ``breakeven``.
    parameters : iterable of str, optional
        These alone, in the families that have them.
    most : int
        Replications a point may take, so that a table takes seconds; rows whose error is above *precision* for it say
        so by their error.

    Returns
    -------
    BreakevenTable
        A row for each family, parameter and outcome, found or not.
    """
    where = "breakeven_table"
    progress = None if progress is None else teller(progress, where)
    outcomes = require_question(where, outcomes, probability, None, precision, most)
    cases = many_cases(scenario, where, within, outcomes, seed, draws, memory, progress)
    only = _only(parameters, cases.values(), where)
    jobs: list[tuple[Case, str, Literal["posterior", "maximum likelihood"]]] = []
    for case in cases.values():
        learnt = () if case.posterior is None else case.posterior.model.free
        for name in filter(only.__contains__, case.model.parameters):
            jobs.append((case, name, "posterior"))
            if learnt == (name,):
                jobs.append((case, name, "maximum likelihood"))
    question = _Question(
        outcomes, float(within), float(probability), seed, None, None, None, precision, most, _BUDGET // 4
    )
    rows: list[Breakeven] = []
    for done, (case, name, at) in enumerate(jobs):
        if progress is not None:
            progress(f"break-even of {case.family} {name}", done / len(jobs))
        rows += _found(_placed(case, at), name, at, question)
    return BreakevenTable(tuple(rows))


def _only(parameters: Iterable[str] | None, cases: Iterable[Case], where: str) -> frozenset[str]:
    known = {name for case in cases for name in case.model.parameters}
    if isinstance(parameters, str):
        raise TypeError(f"{where}: parameters must be a list of names, but was {parameters!r}; write [{parameters!r}]")
    asked = known if parameters is None else frozenset(parameters)
    for name in asked:
        if name not in known:
            raise ValueError(f"{where}: no parameter {name!r} in any family; {nearest(name, sorted(known))}")
    return frozenset(asked)


class _Question(NamedTuple):
    """What a search is asked: *budget* is for the search of every draw, *most* for all draws together."""

    outcomes: tuple[Outcome, ...]
    within: float
    probability: float
    seed: int
    by: By | None
    range: tuple[float, float] | None
    replications: int | None
    precision: float
    most: int
    budget: int


def _found(case: Case, vary: str, at: str, asked: _Question) -> list[Breakeven]:
    """Return the break-even of each outcome; the searches share what they simulate."""
    values = case.draws[vary]
    by = asked.by or ("factor" if asked.range is not None else _fitting(vary, values.min(), values.max()))
    least, most = _range(vary, by, _RANGES[by] if asked.range is None else asked.range, float(values.max()))
    ends = (math.log(least), math.log(most)) if by == "factor" else (least, most)
    curve = Curve(case, vary, by, asked.outcomes, asked.within, asked.seed, _order(case))
    each = None if asked.replications is None else asked.replications // len(case.draws)
    count = None if each is None else each * len(case.draws)
    at_most, budget = asked.most, asked.budget
    if isinstance(case.engine, SimPyEngine) or any(uncompiled(case.model)):
        at_most, budget = min(at_most, _SLOWLY[0]), min(budget, _SLOWLY[1])
    rows = []
    for j, outcome in enumerate(asked.outcomes):
        where = crossing(curve, j, asked.probability, ends, precision=asked.precision, count=count, most=at_most)
        low = high = math.nan
        notes = where.notes
        if not math.isnan(where.at):
            low, high, none = by_draw(curve, j, asked.probability, ends, where.rising, budget=budget)
            if none > 0.0:
                notes = (*notes, f"{100 * none:.0f}% of the draws have no break-even of their own in range")
        told = _told(by, where, low, high, float(np.median(values)))
        rows.append(
            Breakeven(
                case.family, vary, outcome.name, asked.within, asked.probability, at, by, *told, least, most,
                *where.ends, where.replications, len(case.draws), notes,
            )
        )  # fmt: skip
    return rows


def _told(by: By, where: Crossing, low: float, high: float, median: float) -> tuple[float, float, float, float, float]:
    """Return factor, interval, Monte Carlo error and value of a crossing, whose place is a logarithm or a shift."""
    if by == "shift":
        return where.at, low, high, where.error, median + where.at
    factor = math.exp(where.at)
    return factor, math.exp(low), math.exp(high), where.error * factor, median * factor


def _fitting(vary: str, low: float, high: float) -> By:
    """Return how a parameter is best turned: effects without a sign of their own can only be added to."""
    return "shift" if signed(vary) and (low < 0.0 < high or low == high == 0.0) else "factor"


def _range(vary: str, by: By, given: tuple[float, float], largest: float) -> tuple[float, float]:
    low, high = map(float, given)
    if vary == CONTESTED_AT_START and largest > 0.0:
        high = min(high, 1.0 / largest)
        if low >= high:
            raise ValueError(f"breakeven: range must reach below {high:.3g}, where {vary} is 1, but was {given!r}")
    return low, high


def _placed(case: Case, at: At) -> Case:
    """Return the case with its draws where they are asked for, one if all are alike."""
    if at == "posterior":
        return case
    values = case.draws.values.copy()
    for name, value in (_likeliest(case) if isinstance(at, str) else at).items():
        values[:, case.draws.names.index(name)] = value
    alike = bool((values == values[0]).all())
    placed = case.model.checked(Draws(case.draws.names, values[:1] if alike else values))
    return replace(case, draws=placed, posterior=None)


def _likeliest(case: Case) -> Mapping[str, float]:
    assert case.posterior is not None  # seen to by _require_at
    return maximum_likelihood(case.posterior.model, case.posterior.record.as_count())


def _order(case: Case) -> Ints | None:
    """Return the order in which draws were taken from a grid, row by row; None if they were taken at random.

    Rows are bands of the first parameter; every other one is walked backwards, so that neighbours stay neighbours.
    """
    posterior = case.posterior
    if posterior is None or posterior.method != "grid" or len(posterior) != len(case.draws):
        return None
    free, count = posterior.model.free, len(case.draws)
    first = np.argsort(np.argsort(case.draws[free[0]], kind="stable"), kind="stable")
    if len(free) == 1:
        return np.asarray(np.argsort(first), np.int64)
    row = first * math.isqrt(count) // count
    second = case.draws[free[1]]
    return np.asarray(np.lexsort((np.where(row % 2 == 0, second, -second), row)), np.int64)
