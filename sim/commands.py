"""What each command of `sweepcast` does with what it is asked: it calls the library and gives the answer away.

Nothing heavy is loaded before there is something to do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sim import options as ask
from sim.options import flat, of_one_family, outcomes_named, scenario_asked
from sim.terminal import Tell, progress

if TYPE_CHECKING:
    from sim.outlet import Outlet
    from sim.projecting import Memory
    from sim.scenario import Scenario

__all__ = ["breakeven", "catalogue", "compare", "hindcast", "replay", "run", "schema", "sensitivity"]

#: Within so many days the article's assessment saw pressure on Kabul (F9): what a briefing's break-evens are for.
_ASSESSED = 30.0
#: What is asked about unless something else is, as an option gives it.
_HALF_RING = [("half_ring",)]
_HINDCAST = """The hindcast: families, rivals and recorded assessments, scored on what followed each evening.
Families and priors were chosen by people who knew the outcome, so no family's score here is evidence of
foresight. Rivals and assessments had no such help. Scores are of one week of one war.
"""


def run(
    scenario: ask.Named, seed: ask.Seed = 2021, replications: ask.Replications = 10_000,
    families: ask.Families = None, horizon: ask.Horizon = None, prefer: ask.Prefer = None,
    borders: ask.Borders = None, breakevens: ask.Breakevens = None, beside: ask.Beside = None,
    workers: ask.Workers = None, out: ask.OutFolder = None, json: ask.Json = None, plots: ask.Plots = False,
) -> None:  # fmt: skip
    """Calibrate a scenario's families on what was known, project them, and say what follows.

    --out writes projections.csv and run.json, which holds all it takes to make the run again.
    """
    from sim.answer import Answer
    from sim.beside import beside as answers_beside
    from sim.beside import lever_breakevens, scenarios_beside
    from sim.explore.breakevens import BreakevenTable
    from sim.explore.pace import breakeven_table
    from sim.outlet import Outlet
    from sim.report import json_text

    asked = scenario_asked(scenario, families, horizon, prefer, borders)
    can = asked.follows == "models" and asked.horizon >= _ASSESSED
    if breakevens and not can:
        raise ValueError(f"break-evens need models, and a horizon of {_ASSESSED:g} days; use --no-breakevens")
    changes = {"horizon": horizon, "prefer": prefer, "borders": borders}
    wanted = families is None if beside is None else beside
    company = (
        ()
        if not wanted
        else scenarios_beside(asked, **{name: value for name, value in changes.items() if value is not None})
    )
    outlet = Outlet.ready(out, json, plots)
    memory: Memory = {}
    slower = None
    with _at_work(workers) as tell:
        result = asked.run(seed=seed, replications=replications, memory=memory, progress=tell)
        plain = can and not asked.levers and not asked.processes and result.theatre.hub is not None
        if breakevens or (breakevens is None and plain):
            slower = breakeven_table(result.cases, within=_ASSESSED, seed=seed, progress=tell)
        others = answers_beside(company, seed=seed, replications=replications, memory=memory, progress=tell)
        if slower is not None:
            levers = lever_breakevens(others, within=_ASSESSED, seed=seed, progress=tell)
            slower = BreakevenTable((*slower.rows, *levers))
    given = Answer(result, slower, others)
    outlet.give(given.text(), json_text(given.plain()), given.write, _pictures(result, slower))


def replay(
    scenario: ask.Saved, replication: ask.Replication = 0, family: ask.OneFamily = None, seed: ask.Seed = 2021,
    replications: ask.Replications = 10_000, horizon: ask.Horizon = None, prefer: ask.Prefer = None,
    borders: ask.Borders = None, out: ask.OutFolder = None, json: ask.Json = None,
) -> None:  # fmt: skip
    """Tell one replication event by event, each event with its causes.

    It is the one that `sweepcast run` makes with the same options: --replications says how many parameter draws there
    are, and so which of them this one takes.
    """
    from sim.outlet import Outlet, tabled
    from sim.report import json_text
    from sim.retelling import retold, retold_file

    outlet = Outlet.ready(out, json, False)
    if scenario.endswith(".nc"):
        if (family, horizon, prefer, borders) != (None, None, None, None):
            raise ValueError("a saved run is what it is; leave --family, --horizon, --prefer and --borders out")
        story = retold_file(scenario, replication)
    else:
        asked = of_one_family(scenario_asked(scenario, None, horizon, prefer, borders), family)
        with _at_work(None) as tell:
            story = retold(asked, replication, seed=seed, replications=replications, progress=tell)
    outlet.give(str(story), json_text(story.plain()), tabled("replay", story))


def compare(
    scenario: ask.Named, others: ask.Others, outcome: ask.Outcomes = None, within: ask.Days = None,
    why: ask.Why = False, families: ask.Families = None, seed: ask.Seed = 2021,
    replications: ask.Replications = 10_000, workers: ask.Workers = None, out: ask.OutFolder = None,
    json: ask.Json = None, plots: ask.Plots = False,
) -> None:  # fmt: skip
    """Hold scenarios against a first one, replication by replication.

    Runs of one seed share all chance, so that a difference is what the scenarios differ in.
    """
    from sim.explore.contrast import compare as contrasted
    from sim.outlet import Outlet
    from sim.plots.gallery import draw_differences

    sides: list[Any] = [scenario_asked(each, families) for each in (scenario, *others)]
    outcomes, pictures = outcomes_named(outcome, sides[0]), None
    outlet = Outlet.ready(out, json, plots)
    with _at_work(workers) as tell:
        if outlet.pictures is not None:  # they need the runs
            memory: Memory = {}
            sides = [side.run(seed=seed, replications=replications, memory=memory, progress=tell) for side in sides]
            pictures = partial(draw_differences, sides[0], sides[1:], outcomes)
        settings: dict[str, Any] = {} if outlet.pictures is not None else {"seed": seed, "replications": replications}
        answer = contrasted(*sides, outcome=outcomes, within=flat(within), why=why, progress=tell, **settings)
    _give("compare", answer, outlet, pictures)


def breakeven(
    scenario: ask.Named, vary: ask.Vary = None, outcome: ask.Outcomes = None, within: ask.Within = 30.0,
    probability: ask.Probability = 0.5, family: ask.OneFamily = None, seed: ask.Seed = 2021,
    workers: ask.Workers = None, out: ask.OutFolder = None, json: ask.Json = None, plots: ask.Plots = False,
) -> None:  # fmt: skip
    """By how much a rate would have to change for an outcome to have a given probability.

    With --vary, for that parameter of one family; without, for each parameter and lever of every family, or of the one
    named.
    """
    from sim.explore.breakevens import BreakevenTable
    from sim.explore.pace import breakeven as solved
    from sim.explore.pace import breakeven_table
    from sim.outlet import Outlet

    asked = scenario_asked(scenario, None)
    asked = asked if family is None and vary is None else of_one_family(asked, family)
    outcomes = outcomes_named(outcome or _HALF_RING, asked) or ()
    outlet = Outlet.ready(out, json, plots)
    with _at_work(workers) as tell:
        if vary is None:
            answer = breakeven_table(asked, outcomes, within, probability, seed=seed, progress=tell)
        else:
            known: Memory = {}
            found = [
                solved(asked, each, within, probability, vary, seed=seed, memory=known, progress=tell)
                for each in outcomes
            ]
            answer = BreakevenTable(tuple(found))
    _give("breakeven", answer, outlet)


def sensitivity(
    scenario: ask.Named, outcome: ask.Outcomes = None, within: ask.Days = None, family: ask.OneFamily = None,
    budget: ask.Budget = False, regions: ask.Regions = False, seed: ask.Seed = 2021, workers: ask.Workers = None,
    out: ask.OutFolder = None, json: ask.Json = None, plots: ask.Plots = False,
) -> None:  # fmt: skip
    """Which parameters the doubt about an outcome comes from (Sobol indices).

    Of half_ring within 30 days, unless said otherwise. With --budget: how much of the doubt is chance, parameters,
    family or definition, for several outcomes and days at once; with --regions: where among the parameters the outcome
    comes true.
    """
    from sim.explore import doubt, sobol
    from sim.explore import regions as boxes
    from sim.outlet import Outlet

    if budget and regions:
        raise ValueError("--budget and --regions are two questions; ask one at a time")
    asked = scenario_asked(scenario, None)
    asked = asked if budget and family is None else of_one_family(asked, family)
    outcomes, day = outcomes_named(outcome, asked), flat(within)
    if not budget and (len(outcomes or "1") > 1 or len(day or "1") > 1):
        raise ValueError("several outcomes, or days, are taken with --budget only; ask one at a time")
    outlet = Outlet.ready(out, json, plots)
    with _at_work(workers) as tell:
        if budget:
            given: dict[str, Any] = {"days": day, "definitions": outcomes}
            chosen = {name: value for name, value in given.items() if value is not None}
            answer: Any = doubt.budget(asked, seed=seed, progress=tell, **chosen)
        else:
            (one,) = outcomes or outcomes_named(_HALF_RING, asked) or ()
            call = boxes.discover if regions else sobol.sensitivity
            answer = call(asked, one, 30.0 if day is None else day[0], seed=seed, progress=tell)
    _give("budget" if budget else "regions" if regions else "sensitivity", answer, outlet)


def hindcast(
    families: ask.Families = None, origins: ask.Origins = None, horizons: ask.Horizons = None,
    bases: ask.Bases = None, seed: ask.Seed = 2021, replications: ask.Replications = 4_000,
    workers: ask.Workers = None, out: ask.OutFolder = None, json: ask.Json = None, plots: ask.Plots = False,
) -> None:  # fmt: skip
    """Who was right when: families calibrated on each evening's facts, scored on what followed.

    Families and priors were chosen by people who knew the outcome. --out writes scores.csv, standings.csv and
    hindcast.json.
    """
    from sim.checks.backtest import HORIZONS, ORIGINS
    from sim.checks.backtest import hindcast as scored
    from sim.checks.happened import BASES
    from sim.control import nearest
    from sim.families import FAMILIES
    from sim.outlet import Outlet
    from sim.theatre import load_theatre

    shown = flat(bases) or BASES
    for basis in shown:
        if basis not in BASES:
            raise ValueError(f"bases must be of {', '.join(BASES)}; {nearest(basis, BASES)}")
    outlet = Outlet.ready(out, json, plots)
    with _at_work(workers) as tell:
        result = scored(
            flat(families) or FAMILIES, load_theatre("afghanistan_2021"), origins=flat(origins) or ORIGINS,
            horizons=flat(horizons) or HORIZONS, seed=seed, replications=replications, progress=tell,
        )  # fmt: skip
    notes = "\n".join(f"  {note}" for note in result.notes)
    poor = "".join(f"  poor fit, used all the same: {family} on {origin}\n" for origin, family in result.poor)
    text = "\n".join([_HINDCAST, *(result.leaderboard(basis) for basis in shown), f"Notes\n{notes}\n{poor}"])
    outlet.give(text, result.json(), result.save, _pictures(result))


def catalogue(json: ask.Json = None) -> None:
    """The built-in scenarios: names, titles, and the facts they rest on."""
    from sim.outlet import Outlet
    from sim.report import json_text
    from sim.scenario_file import load_scenario, scenario_names

    outlet = Outlet.ready(None, json, False)
    found = [load_scenario(name) for name in scenario_names()]
    plain = [
        {"name": each.name, "title": each.title, "base": each.base, "facts": dict(each.facts), "source": each.source}
        for each in found
    ]
    outlet.give("\n\n".join(map(_presented, found)), json_text(plain))


def schema(json: ask.Json = None) -> None:
    """The JSON Schema of scenario files, for editors and checkers."""
    from sim.outlet import Outlet
    from sim.report import json_text
    from sim.schema import scenario_schema

    outlet = Outlet.ready(None, json, False)
    text = json_text(scenario_schema())
    outlet.give(text, text)


def _presented(scenario: Scenario) -> str:
    made = f", made from {scenario.base}" if scenario.base else ""
    facts = "".join(f"\n    {name}: {text}" for name, text in scenario.facts.items())
    return f"{scenario.name}{made}\n  {scenario.title}{facts}"


def _give(name: str, answer: Any, outlet: Outlet, pictures: Callable[[Path], list[Path]] | None = None) -> None:
    """Give away an *answer* that has a summary, rows and plain values, with its own pictures unless given."""
    from sim.outlet import tabled
    from sim.report import json_text

    outlet.give(answer.summary(), json_text(answer.plain()), tabled(name, answer), pictures or _pictures(answer))


@contextmanager
def _at_work(workers: int | None) -> Iterator[Tell | None]:
    """Let so many *workers* do what is done meanwhile, and give what shows its progress."""
    from sim.workers import employing

    with employing(workers), progress() as tell:
        yield tell


def _pictures(*answers: Any) -> Callable[[Path], list[Path]]:
    """Return what draws *answers*, those there are, into a folder."""

    def drawn(folder: Path) -> list[Path]:
        from sim.plots.gallery import draw

        return [path for answer in answers if answer is not None for path in draw(answer, folder)]

    return drawn
