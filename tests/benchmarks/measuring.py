"""Ways to do the same work, timed in turn: seconds of one machine mean little, ratios within a round something.

What slows the machine for a while slows all that is timed in that round alike, and the median takes no notice of a
round that was disturbed.
"""

from __future__ import annotations

import gc
import json
import os
import platform
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

ROUNDS = 7


class Runner(NamedTuple):
    """A way to do the work: *call* does it with a seed; *look*, not timed, tells how much it was and what to keep."""

    call: Callable[[int], Any]
    look: Callable[[Any], tuple[float, Any]]


@dataclass(frozen=True)
class Timing:
    """A way to do the work, timed: by round, the *seconds*, the *work* done and what was *kept* of it."""

    seconds: list[float] = field(default_factory=list)
    work: list[float] = field(default_factory=list)
    kept: list[Any] = field(default_factory=list)

    @property
    def rates(self) -> list[float]:
        """Work per second, by round."""
        return [work / seconds for work, seconds in zip(self.work, self.seconds, strict=True)]


def in_turn(runners: Mapping[str, Runner], rounds: int = ROUNDS) -> dict[str, Timing]:
    """Return the timings of *runners*, each called once a round with the round's number as its seed.

    A round 0 that does not count comes first, since compiled code has to be loaded. Every other round goes backwards.
    """
    timings = {name: Timing() for name in runners}
    for turn in range(rounds + 1):
        for name in list(runners)[:: 1 if turn % 2 else -1]:
            gc.collect()  # nobody pays for another's litter
            began = perf_counter()
            result = runners[name].call(turn)
            seconds = perf_counter() - began
            if turn > 0:
                work, kept = runners[name].look(result)
                timings[name].seconds.append(seconds)
                timings[name].work.append(float(work))
                timings[name].kept.append(kept)
    return timings


@dataclass(frozen=True)
class Row:
    """A line of the table: how many times *one* does the work of *other*, or what *one* costs in terms of *other*.

    Parameters
    ----------
    what : str
    one, other : str
        Names of the timings compared.
    ratios : list of float
        By round.
    at_least, at_most, aim : float or None
        What the ratio must be, and what would be better still.
    """

    what: str
    one: str
    other: str
    timings: Mapping[str, Timing]
    at_least: float | None = None
    at_most: float | None = None
    aim: float | None = None

    def __post_init__(self) -> None:
        if len(self.ratios) < 5:
            raise ValueError(f"{self.what}: rounds must be at least 5, but were {len(self.ratios)}")

    @property
    def ratios(self) -> list[float]:
        """The ratio of each round: of speeds if there is an *at_least*, else of costs."""
        pairs = zip(self.timings[self.one].rates, self.timings[self.other].rates, strict=True)
        return [one / other if self.at_least is not None else other / one for one, other in pairs]

    @property
    def ratio(self) -> float:
        """The median ratio."""
        return median(self.ratios)

    @property
    def bound(self) -> str:
        """What the ratio must be, in words."""
        if self.at_least is not None:
            return f"at least {self.at_least:g}"
        return "" if self.at_most is None else f"at most {self.at_most:g}"

    @property
    def holds(self) -> bool:
        """Whether the median ratio is what it must be."""
        above = self.at_least is None or self.ratio >= self.at_least
        return above and (self.at_most is None or self.ratio <= self.at_most)

    def __str__(self) -> str:
        aim = "" if self.aim is None else f"{self.aim:g}"
        spread = f"{min(self.ratios):.3g} to {max(self.ratios):.3g}"
        return (
            f"{self.what:<60}{self.ratio:>8.3g}  {spread:<16}{self.bound:<14}{aim:<6}{'' if self.holds else 'MISSED'}"
        )

    def described(self) -> dict[str, Any]:
        """Return the row as JSON knows it."""
        pair = {name: self.timings[name] for name in (self.one, self.other)}
        return {
            "what": self.what, "one": self.one, "other": self.other, "ratio": self.ratio, "ratios": self.ratios,
            "at_least": self.at_least, "at_most": self.at_most, "aim": self.aim, "holds": self.holds,
            "seconds": {name: timing.seconds for name, timing in pair.items()},
            "work": {name: timing.work for name, timing in pair.items()},
            "work_per_second": {name: median(timing.rates) for name, timing in pair.items()},
        }  # fmt: skip


class Table:
    """The rows measured so far."""

    def __init__(self) -> None:
        self.rows: list[Row] = []

    def add(self, *rows: Row) -> None:
        """Add *rows*, then raise an AssertionError if one misses its bound."""
        self.rows.extend(rows)
        for row in rows:
            assert row.holds, f"{row.what}: the ratio must be {row.bound}, but was {row.ratio:.3g}"

    def __str__(self) -> str:
        head = f"{'median ratio of rounds in turn':<60}{'ratio':>8}  {'from, to':<16}{'bound':<14}{'aim':<6}"
        speeds = [""]
        for name, timing in {name: timing for row in self.rows for name, timing in row.timings.items()}.items():
            speeds.append(f"{name:<60}{median(timing.rates):>14,.4g} a second, {median(timing.seconds):.3g} s a round")
        return "\n".join([head, *map(str, self.rows), *speeds])

    def write(self) -> None:
        """Write the rows as JSON to the file that SIM_BENCHMARK_OUT names, if it names one."""
        if path := os.environ.get("SIM_BENCHMARK_OUT"):
            versions = {name: metadata.version(name) for name in ("numba", "numpy", "simpy")}
            told = {
                "rows": [row.described() for row in self.rows], "machine": platform.machine(), "cores": os.cpu_count(),
                "python": platform.python_version(), **versions,
            }  # fmt: skip
            Path(path).write_text(json.dumps(told, indent=1), encoding="utf-8")


def assert_same_mean(one: ArrayLike, other: ArrayLike, errors: float = 5.0) -> None:
    """Assert that the means of two samples agree to so many standard *errors* of their difference."""
    left, right = np.asarray(one, float), np.asarray(other, float)
    error = np.sqrt(left.var() / len(left) + right.var() / len(right))
    # The smallest means are of things so rare that a sample may have none of them.
    assert abs(left.mean() - right.mean()) <= errors * error + 10.0 / min(len(left), len(right))
