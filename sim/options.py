"""What a shell may ask: the options of commands, and how what is typed is read."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

if TYPE_CHECKING:
    from sim.outcomes import Outcome
    from sim.scenario import Scenario

__all__ = [
    "Bases",
    "Borders",
    "Breakevens",
    "Budget",
    "Days",
    "Families",
    "Horizon",
    "Horizons",
    "Json",
    "Named",
    "OneFamily",
    "Origins",
    "Others",
    "OutFolder",
    "Outcomes",
    "Plots",
    "Prefer",
    "Probability",
    "Regions",
    "Replication",
    "Replications",
    "Saved",
    "Seed",
    "Vary",
    "Why",
    "Within",
    "Workers",
    "flat",
    "of_one_family",
    "outcomes_named",
    "scenario_asked",
]


def whole(lowest: int) -> Callable[[Any], int]:
    """Return what reads a whole number from *lowest*, 0 or 1."""

    def read(text: Any) -> int:
        try:
            value = int(text)
        except ValueError:
            raise typer.BadParameter(f"must be a whole number, but was {str(text)!r}") from None
        if value < lowest:
            raise typer.BadParameter(f"must {'not be negative' if lowest == 0 else 'be at least 1'}, but was {text}")
        return value

    return read


def number(text: Any, what: str = "number") -> float:
    """Return a number."""
    try:
        return float(text)
    except ValueError:
        raise typer.BadParameter(f"must be a {what}, but was {str(text)!r}") from None


def days(text: Any) -> float:
    """Return a number of days, positive and finite."""
    value = number(text, "number of days")
    if not 0 < value < math.inf:
        raise typer.BadParameter(f"must be a positive finite number of days, but was {value}")
    return value


def share(text: Any) -> float:
    """Return a number between 0 and 1."""
    value = number(text)
    if not 0 < value < 1:
        raise typer.BadParameter(f"must be between 0 and 1, but was {value}")
    return value


def commas(read: Callable[[str], Any] = str) -> Callable[[Any], tuple[Any, ...]]:
    """Return what reads values joined by commas, each as *read* does."""

    def several(text: Any) -> tuple[Any, ...]:
        found = tuple(read(part.strip()) for part in str(text).split(",") if part.strip())
        if not found:
            raise typer.BadParameter(f"must name at least one, but was {str(text)!r}")
        return found

    return several


def flat(given: Iterable[tuple[Any, ...]] | None) -> tuple[Any, ...] | None:
    """Return the values of an option given once, joined by commas, or several times; None if it was not given."""
    return None if given is None else tuple(value for part in given for value in part)


def scenario_asked(
    scenario: str | Scenario, families: Sequence[Any] | None, horizon: float | None = None, prefer: str | None = None,
    borders: str | None = None,
) -> Scenario:  # fmt: skip
    """Return the scenario of that name or file, or the one given, with what was asked for changed."""
    from sim.scenario_file import load_scenario

    changes: dict[str, Any] = {"families": flat(families), "horizon": horizon, "prefer": prefer, "borders": borders}
    return replace(load_scenario(scenario), **{name: value for name, value in changes.items() if value is not None})


def of_one_family(scenario: Scenario, family: str | None) -> Scenario:
    """Return the scenario with that family alone."""
    if family is None and len(scenario.families) > 1 and scenario.follows == "models":
        raise ValueError(
            f"scenario {scenario.name} has the families {', '.join(scenario.families)}; name one with --family"
        )
    return scenario if family is None else replace(scenario, families=(family,))


def outcomes_named(names: Sequence[Any] | None, scenario: Scenario) -> tuple[Outcome, ...] | None:
    """Return the outcomes of those names, which the scenario's theatre is to answer; None if there are none."""
    from sim.naming import outcome_named
    from sim.theatre import load_theatre

    theatre = load_theatre(scenario.theatre, borders=scenario.borders, prefer=scenario.prefer)
    return None if names is None else tuple(outcome_named(name, theatre) for name in flat(names) or ())


def _option(name: str, metavar: str, help: str, parser: Callable[[Any], Any] | None = None) -> Any:
    return typer.Option(name, metavar=metavar, help=help, parser=parser)


_FILES = "A built-in name (`sweepcast list` tells them), a .toml file or a .py script"
Named: TypeAlias = Annotated[str, typer.Argument(metavar="SCENARIO", help=f"{_FILES}.")]
Saved: TypeAlias = Annotated[str, typer.Argument(metavar="SCENARIO", help=f"{_FILES}; or the .nc file of a saved run.")]
Others: TypeAlias = Annotated[
    list[str], typer.Argument(metavar="OTHER…", help="Scenarios to hold against the first, named likewise.")
]

Seed: TypeAlias = Annotated[int, _option("--seed", "N", "Seed of every draw; same seed, same bits.", whole(0))]
Replications: TypeAlias = Annotated[int, _option("--replications", "N", "Trajectories of each family.", whole(1))]
Workers: TypeAlias = Annotated[
    int | None,
    _option("--workers", "N", "Threads or processes at work; no bit depends on it [one for each core].", whole(1)),
]
OutFolder: TypeAlias = Annotated[
    str | None, _option("--out", "DIR", "Write the tables as CSV and all as JSON into DIR.")
]
Json: TypeAlias = Annotated[
    str | None, _option("--json", "FILE", "Write all as JSON into FILE; - prints it in place of the text.")
]
Plots: TypeAlias = Annotated[
    bool, typer.Option("--plots", help="Draw pictures, PNG and SVG, into the folder of --out, else into ./pictures.")
]

Families: TypeAlias = Annotated[
    list[Any] | None,
    _option(
        "--families", "FAMILY,…",
        "Model classes: constant, contagion, momentum, siege, or the scenario's own [all of the scenario's].", commas(),
    ),
]  # fmt: skip
OneFamily: TypeAlias = Annotated[
    str | None, _option("--family", "FAMILY", "Model class, such as siege; needed where there are several.")
]
Horizon: TypeAlias = Annotated[
    float | None, _option("--horizon", "DAYS", "Days watched after the start [the scenario's].", days)
]
Prefer: TypeAlias = Annotated[
    str | None,
    _option(
        "--prefer", "ACCOUNT",
        "Whose dates rule where sources disagree: best_date, alternative, span [the scenario's; else the press count].",
    ),
]  # fmt: skip
Borders: TypeAlias = Annotated[
    str | None, _option("--borders", "WHICH", "agreed, or all: the disputed ones too [the scenario's].")
]
Breakevens: TypeAlias = Annotated[
    bool | None,
    typer.Option(
        "--breakevens/--no-breakevens",
        help="Whether to say how much slower the week would have had to be, parameter by parameter "
        "[yes, if the scenario has no levers].",
        show_default=False,
    ),
]
Beside: TypeAlias = Annotated[
    bool | None,
    typer.Option(
        "--beside/--no-beside",
        help="Whether to run what the scenario names to stand beside it too [yes, unless --families is given].",
        show_default=False,
    ),
]

Replication: TypeAlias = Annotated[int, _option("--replication", "N", "Which one, from 0.", whole(0))]
_OUTCOMES = (
    "Pressure on the hub: neighbour, half_ring, two_roads, isolated, encircled, assault. Or full_control, "
    "full_control_but_3, captured_20, control_of:Kabul, territory:0.5, people:0.5."
)
Outcomes: TypeAlias = Annotated[list[Any] | None, _option("--outcome", "OUTCOME,…", _OUTCOMES, commas())]
Within: TypeAlias = Annotated[float, _option("--within", "DAYS", "By which day after the start.", days)]
Days: TypeAlias = Annotated[
    list[Any] | None, _option("--within", "DAYS,…", "By which days after the start.", commas(days))
]
Probability: TypeAlias = Annotated[float, _option("--probability", "P", "What its probability is to be.", share)]
Vary: TypeAlias = Annotated[
    str | None,
    _option("--vary", "PARAMETER", "What is made slower, such as seizure.baseline; the whole table if not given."),
]
Why: TypeAlias = Annotated[bool, typer.Option("--why", help="Tell where the runs part, and what parts them.")]
Budget: TypeAlias = Annotated[
    bool,
    typer.Option("--budget", help="Instead: how much of the doubt is chance, parameters, family, definition."),
]
Regions: TypeAlias = Annotated[
    bool, typer.Option("--regions", help="Instead: in which region of the parameters it comes true (PRIM boxes).")
]

Origins: TypeAlias = Annotated[
    list[Any] | None,
    _option("--origins", "DAY,…", "Evenings, such as 2021-08-12 [those of 7 to 14 August 2021].", commas()),
]
Horizons: TypeAlias = Annotated[
    list[Any] | None, _option("--horizons", "DAYS,…", "Days after each [1,2,3,7,30].", commas(whole(1)))
]
Bases: TypeAlias = Annotated[
    list[Any] | None,
    _option("--bases", "BASIS,…", "Whose dates the tables printed go by [press,best_date].", commas()),
]
