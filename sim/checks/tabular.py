"""Rows of scores as CSV, as strict JSON and as aligned text."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

__all__ = ["aligned", "csv_of", "json_of"]


def csv_of(fields: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Return *rows* as CSV under *fields*. A number that does not apply (nan) is empty; an infinite score is inf."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(fields)
    for row in rows:
        writer.writerow(["" if isinstance(cell, float) and math.isnan(cell) else cell for cell in row])
    return stream.getvalue()


def json_of(value: Any) -> str:
    """Return *value* as strict JSON: nan becomes null and infinite numbers the text "inf", since a score can be so."""
    return json.dumps(_plain(value), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else "inf" if value > 0 else "-inf"
    return value


def aligned(head: Sequence[str], body: Sequence[Sequence[str]], indent: str = "  ") -> str:
    """Return *body* under *head* in columns, the first to the left, the others to the right."""
    widths = [max(len(line[j]) for line in (head, *body)) for j in range(len(head))]
    lines = []
    for first, *others in (head, *body):
        cells = [first.ljust(widths[0]), *(cell.rjust(w) for cell, w in zip(others, widths[1:], strict=True))]
        lines.append((indent + "  ".join(cells)).rstrip())
    return "\n".join(lines)
