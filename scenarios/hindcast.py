"""Who was right when? Every family calibrated on what was known each evening of 7 to 14 August 2021, and scored.

Families and priors were chosen by people who knew the outcome.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import sim
from sim import report
from sim.checks.backtest import HORIZONS, ORIGINS
from sim.families import FAMILIES

TITLE = "The hindcast: families, rivals and recorded assessments, scored on what followed each evening."
WARNING = (
    "Families and priors were chosen by people who knew the outcome, so no family's score here is evidence of\n"
    "foresight. Rivals and assessments had no such help. Scores are of one week of one war."
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it; return 0 for success, 1 for a run that failed, 2 for bad input, 130 if stopped."""
    options = _parser().parse_args(arguments)
    try:
        folder = None if options.out is None else report.require_folder(options.out)
        if options.json not in (None, "-"):
            report.require_folder(Path(options.json).parent)
        theatre = sim.load_theatre("afghanistan_2021")
        with _progress() as tell:
            result = sim.checks.hindcast(
                [name for part in options.families for name in part.split(",") if name], theatre,
                origins=options.origins, horizons=options.horizons, seed=options.seed,
                replications=options.replications, progress=tell,
            )  # fmt: skip
    except (ValueError, TypeError, OSError) as error:
        print(f"hindcast: {str(error).removeprefix('hindcast: ')}", file=sys.stderr)
        return 2
    except RuntimeError as error:
        print(f"hindcast: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("hindcast: stopped", file=sys.stderr)
        return 130
    if options.json == "-":
        sys.stdout.write(result.json())
    else:
        print(_told(result, options.bases), end="")
    written = [] if folder is None else result.save(folder)
    if options.json not in (None, "-"):
        report.write_atomically(Path(options.json), result.json())
        written.append(Path(options.json))
    for path in written:
        print(f"wrote {path}", file=sys.stderr)
    return 0


def _told(result: sim.checks.Hindcast, bases: Sequence[str]) -> str:
    notes = "\n".join(f"  {note}" for note in result.notes)
    poor = "".join(f"  poor fit, used all the same: {family} on {origin}\n" for origin, family in result.poor)
    return "\n".join([TITLE, WARNING, "", *(result.leaderboard(basis) for basis in bases), f"Notes\n{notes}\n{poor}"])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="hindcast.py", description=TITLE)
    parser.add_argument("--seed", type=int, default=2021, help="same seed, same bits (default %(default)s)")
    parser.add_argument(
        "--replications", type=int, default=4_000, help="trajectories of each simulated family (default %(default)s)"
    )
    parser.add_argument(
        "--families", nargs="+", metavar="FAMILY", default=list(FAMILIES), help="model classes (default: all four)"
    )
    parser.add_argument("--origins", nargs="+", metavar="DAY", default=list(ORIGINS), help="evenings, as 2021-08-12")
    parser.add_argument("--horizons", nargs="+", type=int, metavar="DAYS", default=list(HORIZONS), help="days after")
    parser.add_argument(
        "--bases", nargs="+", choices=["press", "best_date"], default=["press", "best_date"],
        help="whose dates the printed tables go by (default: both)",
    )  # fmt: skip
    parser.add_argument("--out", metavar="DIR", help="write scores.csv, standings.csv and hindcast.json into DIR")
    parser.add_argument("--json", metavar="FILE", help="write all as JSON; - prints it instead of the text")
    return parser


@contextlib.contextmanager
def _progress() -> Iterator[Callable[[str, float], object] | None]:
    """Give a function that shows progress on a terminal; None in a pipe."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=1.0)
        yield lambda what, share: bar.update(task, description=what, completed=share)


if __name__ == "__main__":
    raise SystemExit(main())
