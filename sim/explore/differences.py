"""Differences as rows, tables and plain values: what `compare` gives."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, TypeAlias

from sim import report
from sim.control import nearest
from sim.explore.partings import Partings

__all__ = ["Comparison", "Quantity", "Row"]

Quantity: TypeAlias = Literal["probability", "days", "median"]


class Row(NamedTuple):
    """One difference: *other* less *base*.

    ``quantity`` is "probability" (that it happens within ``within_days``), "days" (until it happens or the horizon,
    whichever comes first: the restricted mean) or "median" (days; inf beyond the horizon, and then the difference is
    nan). ``within_days`` is nan but for probabilities. ``low`` and ``high`` are the paired 95% interval of the
    difference, from the finite number of replications and draws; ``mc_error`` is its standard error;
    ``variance_ratio`` how many times larger its variance would be with independent runs of the same size.
    """

    base: str
    other: str
    family: str
    outcome: str
    quantity: Quantity
    within_days: float
    base_value: float
    other_value: float
    difference: float
    low: float
    high: float
    mc_error: float
    variance_ratio: float
    paired: str

    def plain(self) -> dict[str, Any]:
        """Return the row as plain values; what is not a finite number becomes None."""
        return {
            name: None if isinstance(value, float) and not math.isfinite(value) else value
            for name, value in self._asdict().items()
        }


@dataclass(frozen=True, eq=False)
class Comparison:
    """What others make of a base's answers: ``rows`` to compute with, ``summary()`` to read.

    Parameters
    ----------
    base : str
    others : tuple of str
    rows : tuple of Row
    notes : tuple of str
        What the sides do not share, and what was left out.
    why : tuple of Partings
        Where pairs part and why, for each other and family; empty unless asked for.
    seed, pairs : int
        Pairs of replications in each family, or in that which has the fewest.
    """

    base: str
    others: tuple[str, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...]
    why: tuple[Partings, ...]
    seed: int
    pairs: int

    def __repr__(self) -> str:
        return f"<Comparison of {', '.join(self.others)} with {self.base}: {self.pairs} pairs, {len(self.rows)} rows>"

    def of(self, other: str | None = None, family: str | None = None) -> tuple[Row, ...]:
        """Return the rows of one *other* and one *family*; None means any.

        Raise a ValueError if there is no such one.
        """
        for name, known in ((other, self.others), (family, {row.family for row in self.rows})):
            if name is not None and name not in known:
                raise ValueError(f"comparison: nothing is called {name!r} here; {nearest(name, sorted(known))}")
        return tuple(row for row in self.rows if other in (None, row.other) and family in (None, row.family))

    def summary(self) -> str:
        """Return the differences as a table for each other, with the notes and, if asked for, the causes."""
        told = []
        for other in self.others:
            found = self.of(other)
            shared = {row.paired for row in found}
            one = f", shared: {shared.pop()}" if len(shared) == 1 else ""
            told.append(f"{other} less {self.base}: {self.pairs} pairs, seed {self.seed}, 95% intervals{one}")
            told.append(_table(found, self.base, other, paired=not one))
        told += [f"note: {note}" for note in self.notes]
        told += [parting.summary() for parting in self.why]
        return "\n".join(told)

    __str__ = summary

    def plain(self) -> dict[str, Any]:
        """Return everything as plain values, ready for JSON."""
        return {
            "base": self.base, "others": list(self.others), "seed": self.seed, "pairs": self.pairs,
            "rows": [row.plain() for row in self.rows], "notes": list(self.notes),
            "why": [parting.plain() for parting in self.why],
        }  # fmt: skip


def _table(found: Sequence[Row], base: str, other: str, *, paired: bool) -> str:
    """Return the rows as a table; with a column for what each shares if *paired*."""
    body = [
        [
            row.family, row.outcome, _asked(row), _value(row, row.base_value), _value(row, row.other_value),
            _signed(row, row.difference), f"({_signed(row, row.low)} to {_signed(row, row.high)})",
            f"{row.variance_ratio:.1f}" if math.isfinite(row.variance_ratio) else "–",
            *([row.paired] if paired else []),
        ]
        for row in found
    ]  # fmt: skip
    head = ["family", "outcome", "asked", base, other, "difference", "95% interval", "variance saved ×"]
    return report.table([*head, *(["shared"] if paired else [])], body)


def _asked(row: Row) -> str:
    return f"within {row.within_days:g} days" if row.quantity == "probability" else {
        "days": "mean days", "median": "median day",
    }[row.quantity]  # fmt: skip


def _value(row: Row, value: float) -> str:
    if math.isinf(value):
        return "beyond the horizon"
    return f"{value:.{3 if row.quantity == 'probability' else 1}f}"


def _signed(row: Row, value: float) -> str:
    """Return a difference with as many decimals as its error bears."""
    if not math.isfinite(value):
        return "–"
    places = 3 if row.quantity == "probability" else 1
    if 0.0 < row.mc_error < math.inf:
        places = min(6, max(0, 1 - math.floor(math.log10(row.mc_error))))
    return f"{value:+.{places}f}"
