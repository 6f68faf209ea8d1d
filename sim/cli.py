"""Running a scenario from a script: options, progress, files."""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from sim import report
from sim.briefing import briefing
from sim.families import FAMILIES
from sim.scenario import Scenario

__all__ = ["main"]

Tell = Callable[[str, float], object]


def main(scenario: Scenario, arguments: Sequence[str] | None = None) -> int:
    """Run *scenario* with command-line *arguments* (``sys.argv`` if None), print the answer, return the exit code.

    0 is success, 1 a run that failed, 2 bad input, 130 a run stopped by Ctrl-C.
    """
    options = _parser(scenario).parse_args(arguments)
    try:
        asked = replace(
            scenario, families=_families(options.families), horizon=options.horizon, borders=options.borders,
            prefer=options.prefer,
        )  # fmt: skip
        folder = None if options.out is None else report.require_folder(options.out)
        if options.json not in (None, "-"):
            report.require_folder(Path(options.json).parent)
        with _progress() as tell:
            result = asked.run(seed=options.seed, replications=options.replications, progress=tell)
    except (ValueError, TypeError, OSError) as error:
        print(f"{scenario.name}: {error}", file=sys.stderr)
        return 2
    except RuntimeError as error:
        print(f"{scenario.name}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"{scenario.name}: stopped", file=sys.stderr)
        return 130
    whole = {"projections": [row.plain() for row in result.rows], "run": result.describe()}
    if options.json == "-":
        sys.stdout.write(report.json_text(whole))
    else:
        print(briefing(result), end="")
    written = [] if folder is None else report.write_run(folder, result.rows, result.describe())
    if options.json not in (None, "-"):
        report.write_atomically(Path(options.json), report.json_text(whole))
        written.append(Path(options.json))
    for path in written:
        print(f"wrote {path}", file=sys.stderr)
    return 0


def _parser(scenario: Scenario) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=f"{scenario.name}.py", description=scenario.title)
    parser.add_argument(
        "--seed", type=_natural, default=2021, help="seed of every draw; same seed, same bits (default %(default)s)"
    )
    parser.add_argument(
        "--replications", type=_positive, default=10_000, help="trajectories a family (default %(default)s)"
    )
    parser.add_argument(
        "--horizon", type=float, default=scenario.horizon, help="days watched after the start (default %(default)g)"
    )
    parser.add_argument(
        "--families", nargs="+", metavar="FAMILY", default=list(scenario.families),
        help=f"model classes, of {', '.join(FAMILIES)} (default: all of the scenario's)",
    )  # fmt: skip
    parser.add_argument(
        "--prefer", metavar="ACCOUNT", default=scenario.prefer,
        help="whose dates rule where sources disagree: best_date, alternative, span (default: the press count)",
    )  # fmt: skip
    parser.add_argument("--borders", default=scenario.borders, help="agreed or all (default %(default)s)")
    parser.add_argument("--out", metavar="DIR", help="write projections.csv and run.json into DIR")
    parser.add_argument(
        "--json", metavar="FILE", help="write the table and the run as JSON; - prints it instead of the text"
    )
    return parser


def _families(given: Sequence[str]) -> tuple[str, ...]:
    return tuple(name for part in given for name in part.split(",") if name)


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be a whole number, but was {text!r}") from None


def _natural(text: str) -> int:
    value = _whole(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f"must not be negative, but was {text}")
    return value


def _positive(text: str) -> int:
    value = _whole(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, but was {text}")
    return value


@contextlib.contextmanager
def _progress() -> Iterator[Tell | None]:
    """Give a function that shows progress on a terminal; None in a pipe."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None)
        # How long a calibration takes is not known before: the bar pulses until there is a share to show.
        yield lambda what, share: bar.update(task, description=what, completed=share, total=1.0 if share else None)
