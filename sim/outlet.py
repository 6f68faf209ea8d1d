"""Where an answer goes: text or JSON on standard output, a JSON file, a folder of tables, pictures."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sim import report

__all__ = ["Outlet", "tabled"]

#: Where pictures go unless a folder is named.
_PICTURES = "pictures"
Write = Callable[[Path], list[Path]]


@dataclass(frozen=True)
class Outlet:
    """Where an answer goes, seen to before any work.

    Parameters
    ----------
    out : Path or None
        A folder for tables and, if asked for, pictures.
    json : str or None
        A file for all as JSON; "-" puts it on standard output, and nothing else there.
    pictures : Path or None
        A folder for pictures.
    """

    out: Path | None
    json: str | None
    pictures: Path | None

    @classmethod
    def ready(cls, out: str | None, json: str | None, plots: bool) -> Outlet:
        """Return the outlet, its folders made; pictures go with the tables, else into ./pictures.

        Raise an OSError that says what is wrong with a place.
        """
        folder = None if out is None else report.require_folder(out)
        outlet = cls(folder, json, (folder or report.require_folder(_PICTURES)) if plots else None)
        if outlet.file is not None:
            report.require_folder(outlet.file.parent)
            if outlet.file.is_dir():
                raise IsADirectoryError(f"json: {outlet.file} must be a file, but is a folder; name a file in it")
        return outlet

    @property
    def file(self) -> Path | None:
        """The file for JSON, if there is to be one."""
        return None if self.json in (None, "-") else Path(str(self.json))

    def give(
        self, text: str, whole: str, tables: Write = lambda folder: [], pictures: Write = lambda folder: []
    ) -> None:
        """Print *text*, or *whole*, which is JSON; then write what is to be written, each file whole or not at all.

        *tables* and *pictures* write into a folder and return the paths. What was written is told on standard error.
        Raise a RuntimeError if something could not be written.
        """
        show(whole if self.json == "-" else text)
        try:
            written = [] if self.out is None else tables(self.out)
            if self.file is not None:
                report.write_atomically(self.file, whole)
                written.append(self.file)
            if self.pictures is not None:
                written += pictures(self.pictures)
        except OSError as error:
            raise RuntimeError(f"the answer above could not be written: {error}") from error
        for path in written:
            print(f"wrote {path}", file=sys.stderr)


def show(text: str) -> None:
    """Print *text* as UTF-8, whatever the terminal is said to know, so that no letter can stop an answer."""
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(encoding="utf-8")
    sys.stdout.write(text if text.endswith("\n") else text + "\n")
    sys.stdout.flush()


def tabled(name: str, answer: Any) -> Write:
    """Return what writes *answer*: rows, if it has any (NamedTuples of one kind), as NAME.csv, all as NAME.json."""

    def write(folder: Path) -> list[Path]:
        texts = {f"{name}.json": report.json_text(answer.plain())}
        if rows := getattr(answer, "rows", ()):
            texts = {f"{name}.csv": report.csv_of(rows[0]._fields, rows)} | texts
        for file, text in texts.items():
            report.write_atomically(folder / file, text)
        return [folder / file for file in texts]

    return write
