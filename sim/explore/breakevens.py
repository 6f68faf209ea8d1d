"""A break-even as a value, and many of them as a table."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from sim import report
from sim.explore.crossing import By

__all__ = ["Breakeven", "BreakevenTable"]


class Breakeven(NamedTuple):
    """By how much a parameter must change for an outcome to have a given probability within so many days.

    Attributes
    ----------
    family, parameter, outcome : str
    within : float
        Days since the start.
    probability : float
        That the outcome happens by then, over draws and chance.
    at : str
        Where the parameters stand: "posterior", "maximum likelihood", or values given.
    by : "factor" or "shift"
        Whether every draw of the parameter is multiplied, or added to.
    factor : float
        What it is multiplied by, or with "shift" what is added; nan if no value in range does it.
    low, high : float
        The 5% and 95% points of each draw's own break-even, chance removed; 0 (with "shift" -inf) and inf if they lie
        beyond the range, nan for fewer than twenty draws. Far from a probability of a half the factor may lie outside.
    mc_error : float
        Standard error of ``factor`` from the finite number of replications and of draws, draws as clusters.
    value : float
        The parameter's median over draws, changed so: per day for a baseline, else unitless.
    least, most : float
        The range searched.
    at_least, at_most : float
        The probability at both ends of it.
    replications : int
        How many every point of the search took.
    draws : int
    notes : tuple of str
        What to know of it: a probability that rises and falls, an error above what was asked for.
    """

    family: str
    parameter: str
    outcome: str
    within: float
    probability: float
    at: str
    by: By
    factor: float
    low: float
    high: float
    mc_error: float
    value: float
    least: float
    most: float
    at_least: float
    at_most: float
    replications: int
    draws: int
    notes: tuple[str, ...]

    @property
    def found(self) -> bool:
        """Whether some value in range does it."""
        return not math.isnan(self.factor)

    @property
    def relative_error(self) -> float:
        """The Monte Carlo error as a share of the factor; with "shift", where effects are logarithms, as it is."""
        return self.mc_error / self.factor if self.by == "factor" else self.mc_error

    @property
    def rows(self) -> tuple[Breakeven, ...]:
        """This one, as a table has it."""
        return (self,)

    def plain(self) -> dict[str, Any]:
        """Return the break-even as plain values; what is not a finite number becomes None."""
        told = {
            name: None if isinstance(value, float) and not math.isfinite(value) else value
            for name, value in self._asdict().items()
        }
        return told | {"found": self.found, "notes": list(self.notes)}

    def summary(self) -> str:
        """Return the break-even in words."""
        what = "factor on" if self.by == "factor" else "shift of"
        asked = f"{self.outcome} within {self.within:g} days at probability {self.probability:g}"
        lines = [f"{self.family}, {what} {self.parameter} for {asked}, at {self.at}:"]
        if self.found:
            error = f"Monte Carlo error {_short(self.mc_error, 2)}"
            lines.append(f"  {self.told}{self._interval()}, {error}; the parameter is then {_short(self.value)}")
        else:
            ends = f"the probability is {self.at_least:.3f} to {self.at_most:.3f}"
            lines.append(f"  no value in range does it: from {self.least:g} to {self.most:.3g} {ends}")
        lines += [f"  note: {note}" for note in self.notes]
        return "\n".join(lines)

    @property
    def told(self) -> str:
        """The factor for a table, no more digits than the error allows."""
        if not self.found:
            return "none"
        digits = 3 if self.relative_error <= 0.02 else 2
        return _short(self.factor, digits) if self.by == "factor" else f"{self.factor:+.2f}"

    @property
    def told_interval(self) -> str:
        """The interval for a table; empty if there is none."""
        if math.isnan(self.low):
            return ""
        low = f"below {self.least:g}" if self.low in (0.0, -math.inf) else _short(self.low, 2)
        return f"{low}–{f'above {self.most:g}' if self.high == math.inf else _short(self.high, 2)}"

    def _interval(self) -> str:
        return f" ({self.told_interval})" if self.told_interval else ""


@dataclass(frozen=True, eq=False)
class BreakevenTable:
    """Break-evens of one question, a row for each family, outcome and parameter."""

    rows: tuple[Breakeven, ...]

    def __repr__(self) -> str:
        return f"<BreakevenTable: {len(self.rows)} rows, {sum(row.found for row in self.rows)} found>"

    def plain(self) -> dict[str, Any]:
        """Return the table as plain values."""
        return {"breakevens": [row.plain() for row in self.rows]}

    def summary(self) -> str:
        """Return the table as text, a part for each outcome, with what it means."""
        parts = []
        for outcome in dict.fromkeys(row.outcome for row in self.rows):
            mine = [row for row in self.rows if row.outcome == outcome]
            first = mine[0]
            head = f"{outcome} within {first.within:g} days at probability {first.probability:g}:"
            columns = ["family", "parameter", "factor", "5%–95%", "MC error", "value", "probability over the range"]
            parts.append(f"{head}\n{report.table(columns, list(_body(mine)))}")
        return "\n".join(parts) + "\n" + _MEANING + _notes(self.rows)


_MEANING = (
    "  Each parameter alone, every draw multiplied by the factor (+: added to). The interval is over draws, each by\n"
    "  its own factor; the value is the median draw's. none: no value in range does it."
)


def _body(rows: Iterable[Breakeven]) -> Iterable[list[str]]:
    family = ""
    for row in rows:
        name = row.parameter if row.at == "posterior" else f"{row.parameter} at {row.at}"
        error = f"{100.0 * row.relative_error:.1f}%" if row.found and row.relative_error < math.inf else ""
        ends = f"{row.at_least:.3f} to {row.at_most:.3f}"
        value = _short(row.value) if row.found else ""
        shown = "" if row.family == family else row.family
        yield [shown, name, row.told, row.told_interval, error, value, f"{ends} ({_range(row)})"]
        family = row.family


def _range(row: Breakeven) -> str:
    sign = "+" if row.by == "shift" else ""
    return f"{row.least:{sign}.3g} to {row.most:{sign}.3g}"


def _notes(rows: Iterable[Breakeven]) -> str:
    """Return the notes, each once, with the parameters they belong to."""
    by_text: dict[str, list[str]] = {}
    for row in rows:
        for note in row.notes:
            by_text.setdefault(note, []).append(f"{row.family} {row.parameter}")
    return "".join(f"\n  Note on {', '.join(dict.fromkeys(names))}: {note}." for note, names in by_text.items())


def _short(value: float, digits: int = 3) -> str:
    """Return *value* with so many digits that count, and no exponent where it can be helped."""
    if not math.isfinite(value) or value == 0.0 or abs(value) < 1e-4 or abs(value) >= 1e4:
        return f"{value:.{digits}g}"
    return f"{value:.{max(0, digits - 1 - math.floor(math.log10(abs(value))))}f}"
