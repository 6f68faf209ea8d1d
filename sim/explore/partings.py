"""Where the pairs of two runs part, and why, over all of them.

Two replications of one number part with the first event that only one of them has; ``causes.py`` says what made it so.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from sim import report
from sim.ensemble import Ensemble
from sim.explore.causes import DIGITS, Cause, Log, Parting, Reasons

__all__ = ["CauseRow", "Partings", "first_differences", "partings"]

Ints: TypeAlias = NDArray[np.int64]


class CauseRow(NamedTuple):
    """A cause, over all pairs: its mean *share*, the share of pairs in which it is *first* among the causes, and in
    those it has a part in the mean *day* of parting and the *provinces* that parted, most frequent first.
    """

    cause: Cause
    share: float
    first: float
    day: float
    provinces: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Partings:
    """Where the pairs of two runs part, and why.

    Parameters
    ----------
    base, other, family : str
    pairs : int
    parted : int
        Pairs whose histories differ before the horizon; the others are the same.
    each : tuple of Parting
        Those of them whose causes were found, in order of their replications.
    """

    base: str
    other: str
    family: str
    pairs: int
    parted: int
    each: tuple[Parting, ...]

    def __repr__(self) -> str:
        return f"<Partings of {self.other} and {self.base}, {self.family}: {self.parted} of {self.pairs} pairs part>"

    @property
    def same(self) -> int:
        """How many pairs have the same history."""
        return self.pairs - self.parted

    @property
    def rows(self) -> tuple[CauseRow, ...]:
        """The causes, the largest first."""
        shares: dict[Cause, float] = defaultdict(float)
        days: dict[Cause, float] = defaultdict(float)
        first: dict[Cause, int] = defaultdict(int)
        where: dict[Cause, dict[str, float]] = defaultdict(lambda: defaultdict(float))
        for parting in self.each:
            first[parting.causes[0][0]] += 1
            for cause, share in parting.causes:
                shares[cause] += share
                days[cause] += share * parting.day
                where[cause][parting.province] += share
        count = max(1, len(self.each))
        return tuple(
            CauseRow(
                cause, share / count, first[cause] / count, days[cause] / share,
                tuple(sorted(where[cause], key=lambda name: (-where[cause][name], name))),
            )
            for cause, share in sorted(shares.items(), key=lambda item: (-item[1], item[0]))
        )  # fmt: skip

    def summary(self, most: int = 12) -> str:
        """Return as text how many pairs part, when, and why: the *most* important causes."""
        head = f"why {self.other} and {self.base} part, {self.family}: {self.parted} of {self.pairs} pairs do"
        if self.parted:
            day = sum(parting.day for parting in self.each) / len(self.each)
            head += f", on day {day:.1f} in the mean"
        if len(self.each) < self.parted:
            head += f" (causes of the first {len(self.each)})"
        head += f"; {self.same} have the same history"
        body = [
            [str(row.cause), f"{row.share:.3f}", f"{row.first:.3f}", f"{row.day:.1f}", ", ".join(row.provinces[:2])]
            for row in self.rows[:most]
        ]
        if not body:
            return head
        left = len(self.rows) - len(body)
        more = f"\n  … and {left} causes more" if left else ""
        return f"{head}\n{report.table(['cause', 'share', 'first in', 'mean day', 'mostly in'], body)}{more}"

    __str__ = summary

    def plain(self) -> dict[str, Any]:
        """Return counts and causes as plain values; not each pair."""
        return {
            "base": self.base, "other": self.other, "family": self.family, "pairs": self.pairs, "parted": self.parted,
            "explained": len(self.each),
            "causes": [
                {**row.cause._asdict(), "share": row.share, "first": row.first, "day": row.day,
                 "provinces": list(row.provinces)}
                for row in self.rows
            ],
        }  # fmt: skip


def partings(one: Ensemble, other: Ensemble, *, names: tuple[str, str], family: str, most: int) -> Partings:
    """Return where the replications that *one* and *other* both have part, with causes for at most *most* of them."""
    numbers = np.intersect1d(one.numbers, other.numbers)
    rows = np.searchsorted(one.numbers, numbers), np.searchsorted(other.numbers, numbers)
    same = first_differences(one, other, *rows)
    ends = [np.diff(run.offsets)[mine] for run, mine in zip((one, other), rows, strict=True)]
    begun = (one.initial[rows[0]] != other.initial[rows[1]]).any(axis=1)
    parted = np.flatnonzero(begun | (same < np.maximum(*ends)))
    reason = Reasons(one.recipe, other.recipe, names)
    each = []
    for i in parted[:most]:
        stretch = [
            slice(int(run.offsets[mine[i]]), int(run.offsets[mine[i] + 1]))
            for run, mine in zip((one, other), rows, strict=True)
        ]
        if begun[i]:
            apart = np.flatnonzero(one.initial[rows[0][i]] != other.initial[rows[1][i]])
            each.append(reason.at_the_start(int(numbers[i]), int(apart[0]), other.initial[rows[1][i]]))
        else:
            logs = [Log.of(run, where) for run, where in zip((one, other), stretch, strict=True)]
            each.append(reason.of(int(numbers[i]), logs, int(same[i])))
    return Partings(*names, family, len(numbers), len(parted), tuple(each))


def first_differences(one: Ensemble, other: Ensemble, ours: Ints, theirs: Ints) -> Ints:
    """Return for each pair of rows, *ours* and *theirs*, how many events from the start are the same.

    Events are the same if province and transition are, and days but for their last digits (nine are compared).
    """
    names = {name: code for code, name in enumerate(dict.fromkeys((*one.transitions, *other.transitions)))}
    codes = [np.array([names[name] for name in run.transitions]) for run in (one, other)]
    begins = one.offsets[ours], other.offsets[theirs]
    size = np.minimum(one.offsets[ours + 1] - begins[0], other.offsets[theirs + 1] - begins[1])
    pair = np.repeat(np.arange(len(size)), size)
    place = np.arange(len(pair)) - np.repeat(np.cumsum(size) - size, size)
    i, j = begins[0][pair] + place, begins[1][pair] + place
    alike = one.province[i] == other.province[j]
    alike &= codes[0][one.transition[i]] == codes[1][other.transition[j]]
    alike &= np.abs(one.day[i] - other.day[j]) <= DIGITS * np.maximum(1.0, one.day[i])
    same = np.array(size, np.int64)
    np.minimum.at(same, pair[~alike], place[~alike])
    return same
