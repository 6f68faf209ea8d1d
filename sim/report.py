"""Tables and files of a run, with provenance: what was asked, what was answered, and what it takes to ask again."""

from __future__ import annotations

import csv
import io
import json
import math
import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

from sim.disk import write_whole
from sim.projection import Estimate, Projection

__all__ = [
    "Row", "csv_of", "csv_text", "days", "json_text", "projection_table", "require_folder", "rows", "table", "verdict",
    "versions", "write_atomically", "write_run",
]  # fmt: skip

#: What a run's numbers depend on.
_PACKAGES = ("sweepcast", "numpy", "scipy", "numba", "simpy", "emcee", "arviz-stats")


class Row(NamedTuple):
    """One line of ``projections.csv``. ``median_days`` is inf if the median lies beyond the horizon.

    ``low`` and ``high`` are nan where draws have one replication each; files leave both kinds empty.
    """

    scenario: str
    family: str
    outcome: str
    within_days: float
    probability: float
    low: float
    high: float
    mc_error: float
    median_days: float
    censored_share: float
    replications: int
    seed: int

    @property
    def estimate(self) -> Estimate:
        """The probability with its uncertainties."""
        return Estimate(self.probability, self.low, self.high, self.mc_error)

    def plain(self) -> dict[str, Any]:
        """Return the row as plain values; what is not a finite number becomes None."""
        return {
            name: None if isinstance(value, float) and not math.isfinite(value) else value
            for name, value in self._asdict().items()
        }


def rows(
    scenario: str, family: str, projection: Projection, within: Iterable[float], replications: int, seed: int
) -> list[Row]:
    """Return a row for each of the days *within*, leaving out those beyond the horizon."""
    found = []
    for day in within:
        if day <= projection.horizon:
            estimate = projection.probability(day)
            found.append(
                Row(
                    scenario,
                    family,
                    projection.outcome,
                    float(day),
                    *estimate,
                    projection.median,
                    projection.censored,
                    replications,
                    seed,
                )
            )
    return found


def days(value: float) -> str:
    """Return a number of days for a table."""
    if math.isinf(value):
        return "beyond the horizon"
    return f"{value:.1f}" if value < 10 else f"{value:.0f}"


def verdict(estimate: Estimate, level: float = 0.5) -> str:
    """Return "sooner", "agrees" or "later": whether the interval lies above, around or below *level*."""
    low = estimate.value if math.isnan(estimate.low) else estimate.low
    high = estimate.value if math.isnan(estimate.high) else estimate.high
    return "sooner" if low > level else "later" if high < level else "agrees"


def table(head: Sequence[str], body: Sequence[Sequence[str]], indent: str = "  ") -> str:
    """Return *body* under *head* in aligned columns, the first to the left, the others to the right."""
    widths = [max(len(line[j]) for line in (head, *body)) for j in range(len(head))]

    def line(cells: Sequence[str]) -> str:
        first = cells[0].ljust(widths[0])
        return (indent + "  ".join([first, *(c.rjust(w) for c, w in zip(cells[1:], widths[1:], strict=True))])).rstrip()

    return "\n".join([line(head), *(line(cells) for cells in body)])


def projection_table(found: Sequence[Row], label: str = "outcome") -> str:
    """Return *found* as a table, a line for each *label* (a column of Row), a column for each number of days."""
    within = sorted({row.within_days for row in found})
    body = []
    for name in dict.fromkeys(getattr(row, label) for row in found):
        mine = {row.within_days: row for row in found if getattr(row, label) == name}
        last = next(iter(mine.values()))
        cells = [str(mine[day].estimate) if day in mine else "" for day in within]
        body.append([name, *cells, days(last.median_days), f"{last.censored_share:.2f}"])
    return table([label, *(f"{day:g} days" for day in within), "median day", "censored"], body)


def csv_text(found: Sequence[Row]) -> str:
    """Return *found* as CSV with a header."""
    return csv_of(Row._fields, (["" if value is None else value for value in row.plain().values()] for row in found))


def csv_of(fields: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Return *rows* as CSV under *fields*. A number that does not apply (nan) is empty; an infinite one is inf."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(fields)
    for row in rows:
        writer.writerow(["" if isinstance(cell, float) and math.isnan(cell) else cell for cell in row])
    return stream.getvalue()


def json_text(value: Any, *, infinite: bool = False) -> str:
    """Return *value* as strict JSON: what is not a finite number becomes null, or "inf" where it may be *infinite*."""
    return json.dumps(_finite(value, infinite), indent=2, ensure_ascii=False, allow_nan=False, default=str) + "\n"


def _finite(value: Any, infinite: bool) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _finite(item, infinite) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item, infinite) for item in value]
    if hasattr(value, "item") and not isinstance(value, str):
        value = value.item()
    if not isinstance(value, float) or math.isfinite(value):
        return value
    return None if math.isnan(value) or not infinite else "inf" if value > 0 else "-inf"


def versions() -> dict[str, str]:
    """Return the versions a run's bits depend on."""
    found = {"python": platform.python_version(), "machine": platform.machine()}
    for package in _PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = "not installed"
    return found


def write_atomically(path: Path, text: str) -> None:
    """Write *text* to *path* whole or not at all, as UTF-8."""
    write_whole(path, text.encode())


def require_folder(path: str | Path) -> Path:
    """Return *path* as a folder that can be written to, made if need be. Raise an OSError that says what is wrong."""
    folder = Path(path)
    if folder.exists() and not folder.is_dir():
        raise NotADirectoryError(f"out: {folder} must be a folder, but is a file; name another place")
    folder.mkdir(parents=True, exist_ok=True)
    if not os.access(folder, os.W_OK):
        raise PermissionError(f"out: {folder} cannot be written to; name another place")
    return folder


def write_run(folder: Path, found: Sequence[Row], run: Mapping[str, Any]) -> list[Path]:
    """Write ``projections.csv`` and ``run.json`` into *folder*; return their paths."""
    paths = [folder / "projections.csv", folder / "run.json"]
    write_atomically(paths[0], csv_text(found))
    write_atomically(paths[1], json_text(run))
    return paths
