"""Readings of what is disputed, and the answers of a headline under each: what a multiverse gives."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

from sim.projection import Estimate
from sim.report import table

__all__ = ["BORDERS", "COUNTED", "OPENED", "POOLED", "ROADS", "Answer", "Multiverse", "Universe", "changes"]

POOLED = "pooled"
_Borders: TypeAlias = Literal["agreed", "all"]
_Roads: TypeAlias = Literal["all", "sourced"]
_Counted: TypeAlias = Literal["press", "best_date"]
_Opened: TypeAlias = Literal["first capture"] | None
BORDERS: tuple[_Borders, ...] = ("agreed", "all")
ROADS: tuple[_Roads, ...] = ("all", "sourced")
COUNTED: tuple[_Counted, ...] = ("press", "best_date")
OPENED: tuple[_Opened, ...] = (None, "first capture")


class Universe(NamedTuple):
    """One reading of everything disputed, named as for ``sim.load_theatre``.

    ``counted`` is "press" (a capture counts from the evening the press counted it) or "best_date" (from the evening of
    the day it happened, by the account called best_date where it has it). ``window_opened_by`` is as for
    ``sim.calibrate``: whether the record is weighed as one that begins because of its first capture.
    """

    prefer: str | None = None
    borders: _Borders = "agreed"
    roads: _Roads = "all"
    counted: _Counted = "press"
    window_opened_by: _Opened = None

    @property
    def name(self) -> str:
        """What differs from the first reading of everything."""
        told = [f"{k}={v}" for (k, v), first in zip(self._asdict().items(), Universe(), strict=True) if v != first]
        return ", ".join(told) or "as shipped"


class Answer(NamedTuple):
    """A row of the multiverse: the answer of a *family* ("pooled": all of them) to a *headline* in a *universe*."""

    universe: Universe
    captured: int
    family: str
    headline: str
    estimate: Estimate


@dataclass(frozen=True, eq=False, repr=False)
class Multiverse:
    """Answers under every dispute.

    Parameters
    ----------
    rows : tuple of Answer
    crossed : tuple of str
        Families answered for in every combination of readings; the others, and the pool, one dispute at a time.
    calibrations : int
        How many were made: readings that give a family the same inputs share one.
    """

    rows: tuple[Answer, ...]
    crossed: tuple[str, ...]
    seen_from: str
    calibrations: int
    seed: int

    def __repr__(self) -> str:
        return f"<Multiverse of {len({row.universe for row in self.rows})} universes, {len(self.rows)} answers>"

    def value(self, headline: str, family: str = POOLED, universe: Universe | None = None) -> Estimate:
        """Return one answer. Raise a ValueError if there is none."""
        wanted = universe or Universe()
        for row in self.rows:
            if (row.headline, row.family, row.universe) == (headline, family, wanted):
                return row.estimate
        raise ValueError(f"multiverse: no answer of {family!r} to {headline!r} in the universe {wanted.name}")

    def span(self, headline: str, family: str = POOLED) -> tuple[float, float]:
        """Return the lowest and the highest answer. Raise a ValueError if there is none."""
        self.value(headline, family)
        found = [row.estimate.value for row in self.rows if (row.headline, row.family) == (headline, family)]
        return min(found), max(found)

    def moves(self, headline: str, family: str = POOLED) -> dict[str, tuple[float, float]]:
        """Return how far each dispute alone moves the answer from the first reading, and the error of that.

        Runs share their seed, so the error, of two independent runs, errs on the safe side.
        """
        first = self.value(headline, family)
        return {
            row.universe.name: (row.estimate.value - first.value, math.hypot(row.estimate.mc_error, first.mc_error))
            for row in self.rows
            if (row.headline, row.family) == (headline, family) and changes(row.universe) == 1
        }

    def table(self) -> str:
        """Return the answers as text: a table for each headline, their range, and which dispute moves it most."""
        families = list(dict.fromkeys(row.family for row in self.rows))
        lines = [f"every reading of what is disputed, known on the evening of {self.seen_from}"]
        for headline in dict.fromkeys(row.headline for row in self.rows):
            mine = [row for row in self.rows if row.headline == headline]
            body = []
            for universe in dict.fromkeys(row.universe for row in mine if changes(row.universe) <= 1):
                here = {row.family: row for row in mine if row.universe == universe}
                cells = [f"{here[name].estimate.value:.2f}" for name in families]
                body.append([universe.name, str(next(iter(here.values())).captured), *cells])
            lines += [f"P({headline})", table(["reading", "captured", *families], body)]
            lines += [self._crossing(headline, name) for name in self.crossed]
            lines.append(self._range(headline, families[-1]))
        return "\n".join(lines)

    def _crossing(self, headline: str, family: str) -> str:
        count = sum((row.headline, row.family) == (headline, family) for row in self.rows)
        low, high = self.span(headline, family)
        return f"  {family} over all {count} combinations: {low:.2f} to {high:.2f}"

    def _range(self, headline: str, family: str) -> str:
        low, high = self.span(headline, family)
        moves = self.moves(headline, family)
        name = max(moves, key=lambda key: abs(moves[key][0]))
        move, error = moves[name]
        most = f"{name} moves it most, by {move:+.2f} (± {error:.1g})"
        if abs(move) <= 2.0 * error:
            most = f"no dispute moves it by more than twice the Monte Carlo error ({name}: {move:+.2f} ± {error:.1g})"
        return f"  {family}: {low:.2f} to {high:.2f}, one dispute at a time; {most}"


def changes(universe: Universe) -> int:
    """Return in how many disputes *universe* departs from the first reading."""
    return sum(value != first for value, first in zip(universe, Universe(), strict=True))
