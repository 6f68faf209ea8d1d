"""Rows of CSV tables, each knowing its place, so that an error says "captures.csv line 3"."""

from __future__ import annotations

import csv
import io
import math
import re
import unicodedata
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path

from sim.control import nearest

__all__ = ["Row", "as_date", "as_instant", "read_table", "read_text", "require_one_of"]

_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?")


def as_date(value: date | str, where: str) -> date:
    """Return *value* as a date. Raise a ValueError naming *where* unless it reads YYYY-MM-DD and exists."""
    if isinstance(value, datetime):
        raise TypeError(f"{where}: must be a date without a time of day, but was {value!r}")
    if isinstance(value, date):
        return value
    if not isinstance(value, str):
        raise TypeError(f"{where}: must be a date or text such as '2021-08-12', but was {value!r}")
    try:
        # The pattern comes first: fromisoformat also takes 20210812 and week dates, more likely slips than meant.
        if _DATE.fullmatch(value):
            return date.fromisoformat(value)
    except ValueError:
        raise ValueError(f"{where}: {value!r} is not a day of the calendar") from None
    raise ValueError(f"{where}: must be a date such as '2021-08-12', but was {value!r}")


def as_instant(value: date | datetime | str, where: str, *, closing: bool = False) -> datetime:
    """Return *value* as local time. A bare date is its first moment or, if *closing*, the midnight that ends it."""
    if isinstance(value, str) and _INSTANT.fullmatch(value):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            raise ValueError(f"{where}: {value!r} is not a moment of the calendar") from None
    elif isinstance(value, str) and not _DATE.fullmatch(value):
        raise ValueError(
            f"{where}: must be a date or a local time such as '2021-08-12' or '2021-08-12T18:00', but was {value!r}"
        )
    if isinstance(value, datetime):
        if value.tzinfo is not None:
            raise ValueError(f"{where}: must be local time without a zone, but was {value.isoformat()!r}")
        return value
    return datetime.combine(as_date(value, where), time()) + timedelta(days=1 if closing else 0)


def require_one_of(value: object, choices: Collection[str], where: str) -> None:
    """Raise a ValueError naming *where* and the nearest choice unless *value* is one of *choices*."""
    if value not in choices:
        hint = nearest(value, choices)
        near = f"; {hint}" if hint.startswith("did") else ""  # all of them are listed already
        raise ValueError(f"{where} must be one of {', '.join(choices)}, but was {value!r}{near}")


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table: its place, and its cells by column with outer blanks removed."""

    where: str
    cells: Mapping[str, str]

    def text(self, column: str, default: str = "") -> str:
        """Return the cell, or *default* where it is blank or the table has no such column."""
        return self.cells.get(column, "") or default

    def need(self, column: str, why: str = "") -> str:
        """Return the cell. Raise a ValueError if it is blank."""
        value = self.text(column)
        if not value:
            raise ValueError(f"{self.where}: column {column!r} must not be blank{why and '; ' + why}")
        return value

    def one_of(self, column: str, choices: Collection[str], default: str) -> str:
        """Return the cell, which must be one of *choices*."""
        value = self.text(column, default)
        require_one_of(value, choices, f"{self.where}: column {column!r}")
        return value

    def name(self, column: str) -> str:
        """Return the cell in Unicode's NFC form, in which equal-looking names are equal."""
        return unicodedata.normalize("NFC", self.need(column))

    def number(self, column: str, low: float = -math.inf, high: float = math.inf) -> float | None:
        """Return the cell as a number from *low* to *high*; None is a gap. Raise a ValueError if it is neither."""
        value = self.text(column)
        if not value:
            return None
        try:
            number = float(value)
        except ValueError:
            number = math.nan
        if not math.isfinite(number) or "_" in value:
            raise ValueError(
                f"{self.where}: column {column!r} must be a finite number, but was {value!r}; leave a gap blank"
            )
        if not low <= number <= high:
            bounds = f"at least {low:g}" if math.isinf(high) else f"between {low:g} and {high:g}"
            raise ValueError(f"{self.where}: column {column!r} must be {bounds}, but was {value!r}")
        return number

    def whole(self, column: str) -> int:
        """Return the cell, which must not be blank, as a whole number."""
        number = self.number(column)
        if number is None or not number.is_integer():
            raise ValueError(f"{self.where}: column {column!r} must be a whole number, but was {self.text(column)!r}")
        return int(number)

    def day(self, column: str) -> date:
        """Return the cell as a date."""
        return as_date(self.need(column), f"{self.where}: column {column!r}")


def read_text(path: Path) -> str:
    """Return the text of *path*, which must be UTF-8; a byte order mark, as spreadsheets write it, is dropped."""
    raw = path.read_bytes()
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise ValueError(
            f"{path.name} line {line}: must be UTF-8, but byte {raw[error.start]:#04x} is not; "
            "save the file again with that encoding"
        ) from None


def read_table(
    path: Path,
    required: Sequence[str],
    optional: Sequence[str] = (),
    extra: Callable[[str], bool] = lambda column: False,
) -> list[Row]:
    """Return the rows of the CSV file *path*, blank lines left out.

    The first line names the columns, in any order: all *required* ones, any *optional* ones, and those that
    *extra* accepts. Raise a ValueError naming file and line for any other column, a column given twice, a row
    of the wrong length or broken quotes.
    """
    lines = _lines(path)
    try:
        _, heading = next(lines)
    except StopIteration:
        names = ", ".join(required)
        raise ValueError(f"{path.name}: the file is empty; its first line must name the columns {names}") from None
    place = f"{path.name} line 1"
    for column in required:
        if column not in heading:
            strange = [name for name in heading if name not in required and name not in optional]
            hint = nearest(column, strange).replace("did you mean", "is it")
            raise ValueError(f"{place}: no column {column!r}; {hint if hint.startswith('is') else 'add it'}")
    for number, column in enumerate(heading):
        if column in heading[:number]:
            raise ValueError(f"{place}: column {column!r} is given twice; keep one")
        if not column:
            raise ValueError(f"{place}: column {number + 1} has no name")
        if column not in required and column not in optional and not extra(column):
            raise ValueError(f"{place}: unknown column {column!r}; {nearest(column, [*required, *optional])}")
    rows = []
    for line, cells in lines:
        where = f"{path.name} line {line}"
        if len(cells) != len(heading):
            raise ValueError(f"{where}: must have {len(heading)} fields as line 1 has, but had {len(cells)}")
        rows.append(Row(where, dict(zip(heading, cells, strict=True))))
    return rows


def _lines(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield the line number and cells of each row that is not blank."""
    reader = csv.reader(io.StringIO(read_text(path), newline=""), strict=True)
    while True:
        line = reader.line_num + 1  # a quoted cell may run over several lines: the place is where the row begins
        try:
            cells = [cell.strip() for cell in next(reader)]
        except StopIteration:
            return
        except csv.Error as error:
            raise ValueError(f"{path.name} line {line}: not CSV: {error}") from None
        if any(cells):
            yield line, cells
