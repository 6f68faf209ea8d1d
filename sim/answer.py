"""All that a run of a scenario answers: its result, its break-evens, and what others answer beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sim import report
from sim.beside import beside_table
from sim.briefing import briefing
from sim.explore.breakevens import BreakevenTable
from sim.result import Result

__all__ = ["Answer"]

#: Days of the questions put to all scenarios where this one asks for none.
_PRESSURE, _CONTROL = 30.0, 120.0


@dataclass(frozen=True, eq=False)
class Answer:
    """What `sweepcast run` gives: text, plain values, files.

    Parameters
    ----------
    result : Result
    breakevens : BreakevenTable or None
    others : mapping of name to Result
        Of the scenarios that stand beside this one.
    """

    result: Result
    breakevens: BreakevenTable | None = None
    others: Mapping[str, Result] = field(default_factory=dict)

    def text(self) -> str:
        """Return the whole answer in words, and last the digest of the run."""
        sections = [briefing(self.result, self.breakevens)]
        if self.others:
            scenario = self.result.scenario
            sections.append(
                "Beside other scenarios, from the same seed\n"
                + beside_table(
                    {scenario.name: self.result, **self.others},
                    pressure_within=max(scenario.pressure_within, default=_PRESSURE),
                    control_within=max(scenario.control_within, default=_CONTROL),
                )
                + "\n"
            )  # fmt: skip
        return "\n".join([*sections, f"digest {self.result.digest}\n"])

    def plain(self) -> dict[str, Any]:
        """Return the answer as plain values: projections, how to make the run again, and what more there is."""
        found = _plain(self.result)
        if self.breakevens is not None:
            found["breakevens"] = self.breakevens.plain()
        if self.others:
            found["beside"] = {name: _plain(other) for name, other in self.others.items()}
        return found

    def write(self, folder: Path) -> list[Path]:
        """Write ``projections.csv`` and ``run.json``, and what more there is, into *folder*; return their paths."""
        paths = report.write_run(folder, self.result.rows, self.result.describe())
        more: dict[str, str] = {}
        if self.breakevens is not None:
            rows = self.breakevens.rows
            more["breakevens.csv"] = report.csv_of(type(rows[0])._fields, rows)
        if self.others:
            more["beside.csv"] = report.csv_text([row for other in self.others.values() for row in other.rows])
        for name, text in more.items():
            report.write_atomically(folder / name, text)
        return [*paths, *(folder / name for name in more)]


def _plain(result: Result) -> dict[str, Any]:
    return {"projections": [row.plain() for row in result.rows], "run": result.describe()}
