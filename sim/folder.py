"""A folder of tables: the form a theatre takes on disk.

A theatre's folder holds UTF-8 tables; only the first two are obligatory. The order of rows means nothing.

    provinces.csv    province, capital, latitude, longitude, area_km2, population; text: iso_3166_2, geonames_id,
                     ocha_pcode, alternative_spellings, note, source. Any further column is a covariate if it
                     holds numbers (a blank is a gap), a label if it holds none. Only province is needed.
    borders.csv      a, b; status (agreed, disputed; default agreed), km, length_agreement, note, source, and any
                     in_<map> flag, by which a drawing has the border
    theatre.toml     name, title, hub (the province whose capital is defended last), origin (day 0), timezone,
                     accounts (those of captures.csv, the one that counts first), credits
    roads.csv        a, b, kind; evidence (source, memory; default source), km, name, note
    captures.csv     province, earliest, known_from, source; latest (default earliest), account, mode, confidence
    contested.csv    province, from, to, seen, source; control (contested, government; default contested), note
    counts.csv       date, captured, source; note
    assessments.csv  date_reported, who, statement, event, evidence; horizon_days_low, horizon_days_high,
                     horizon_counted_from
    outlines.geojson a FeatureCollection (RFC 7946) with at most one feature for each province, its name in the property
                     province, its shape a Polygon or MultiPolygon of longitudes and latitudes in degrees. Other
                     members and properties are left alone: attribution belongs there. For pictures alone

A bare date as *earliest* is the first moment of that day, as *latest* the midnight that ends it; a date and time
such as 2021-08-12T18:00 is exact. All times are local.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from sim.control import Control, nearest
from sim.links import EVIDENCE, STATUSES, Border, Road, find_province
from sim.record import Record
from sim.sources import CONFIDENCES, MODES, Assessment, Capture, Count, Sighting
from sim.tables import Row, as_date, read_table, read_text, require_one_of

__all__ = ["PACKAGED", "read_folder"]

#: Where the packaged theatres live.
PACKAGED = Path(__file__).parent / "theatres"

# Columns of provinces.csv that are always text, and numbers with the range they must lie in.
_TEXTS = ("iso_3166_2", "geonames_id", "ocha_pcode", "alternative_spellings", "note", "source")
_INF = float("inf")
_RANGES = {"latitude": (-90.0, 90.0), "longitude": (-180.0, 180.0), "area_km2": (0.0, _INF), "population": (0.0, _INF)}
_SETTINGS: Mapping[str, type] = {
    "name": str, "title": str, "hub": str, "origin": date, "timezone": str, "accounts": list, "credits": list,
}  # fmt: skip
_FILES = (
    "provinces.csv", "borders.csv", "theatre.toml", "roads.csv", "captures.csv", "contested.csv", "counts.csv",
    "assessments.csv", "outlines.geojson",
)  # fmt: skip


def read_folder(name_or_folder: str | Path, *, borders: str, roads: str, prefer: str | None) -> dict[str, Any]:
    """Return what a Theatre is made of, by argument name, read from a packaged theatre or a folder."""
    for what, value, choices in (("borders", borders, ("agreed", "all")), ("roads", roads, ("all", "sourced"))):
        require_one_of(value, choices, f"load_theatre: {what}")
    folder = _find(name_or_folder)
    settings = _settings(folder / "theatre.toml")
    parts = _provinces(folder / "provinces.csv")
    names, capitals = parts["provinces"], parts["capitals"]

    def province(row: Row, column: str = "province") -> str:
        return str(names[find_province(row.need(column), names, capitals, row.where)])

    if "hub" in settings:
        find_province(settings["hub"], names, capitals, "theatre.toml: hub")
    parts["hub"] = settings.get("hub")
    parts["borders"] = [row for row in _borders(folder, province) if borders == "all" or row.status == "agreed"]
    parts["roads"] = [row for row in _roads(folder, province) if roads == "all" or row.evidence == "source"]
    parts["record"] = _record(folder, names, province, settings, prefer)
    outlines = folder / "outlines.geojson"
    parts["outlines"] = outlines.resolve() if outlines.is_file() else {}
    parts["name"] = settings.get("name", folder.name)
    for key in ("title", "timezone", "credits"):
        if key in settings:
            parts[key] = settings[key]
    return parts


def _find(name_or_folder: str | Path) -> Path:
    """Return the folder. Raise an OSError saying what is near if there is none, or a ValueError for a stray table."""
    packaged = sorted(path.name for path in PACKAGED.iterdir() if (path / "provinces.csv").is_file())
    folder = PACKAGED / name_or_folder if name_or_folder in packaged else Path(name_or_folder)
    if not folder.exists():
        raise FileNotFoundError(
            f"load_theatre: no folder and no packaged theatre {str(name_or_folder)!r}; "
            f"{nearest(name_or_folder, packaged)}"
        )
    if not folder.is_dir():
        raise NotADirectoryError(
            f"load_theatre: must be a folder of tables, but {str(name_or_folder)!r} is a file; give the folder it is in"
        )
    for needed in _FILES[:2]:
        if not (folder / needed).is_file():
            raise FileNotFoundError(f"{needed}: missing from the theatre's folder {str(folder)!r}; it must be there")
    for path in sorted(folder.iterdir()):
        # A misspelt table would otherwise be left out in silence.
        table = path.suffix.lower() in (".csv", ".toml", ".geojson") and not path.name.startswith(".")
        if table and path.name not in _FILES:
            raise ValueError(f"{path.name}: not a table of a theatre; {nearest(path.name, _FILES)}")
    return folder


def _settings(path: Path) -> dict[str, Any]:
    """Return the settings of theatre.toml; none if there is no such file."""
    if not path.is_file():
        return {}
    try:
        settings = tomllib.loads(read_text(path))
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{path.name}: not TOML: {error}") from None
    for key, value in settings.items():
        if key not in _SETTINGS:
            raise ValueError(f"{path.name}: unknown setting {key!r}; {nearest(key, _SETTINGS)}")
        if key == "origin":
            settings[key] = as_date(value, f"{path.name}: origin")
        elif not isinstance(value, _SETTINGS[key]):
            kind = "text" if _SETTINGS[key] is str else "a list of texts"
            raise ValueError(f"{path.name}: {key} must be {kind}, but was {value!r}")
        elif isinstance(value, list) and not all(isinstance(item, str) for item in value):
            raise ValueError(f"{path.name}: {key} must be a list of texts, but was {value!r}")
    return settings


def _provinces(path: Path) -> dict[str, Any]:
    """Return names, capitals, numeric columns and text columns of provinces.csv."""
    rows = read_table(path, ("province",), ("capital", *_TEXTS, *_RANGES), extra=lambda column: True)
    if not rows:
        raise ValueError(f"{path.name}: no rows; a theatre needs at least one province")
    places: dict[str, Row] = {}
    for row in rows:
        first = places.setdefault(row.name("province"), row)
        if first is not row:
            raise ValueError(
                f"{row.where}: province {row.name('province')!r} is given twice, first in {first.where}; keep one"
            )
    columns: dict[str, list[float | None]] = {}
    labels: dict[str, list[str]] = {}
    for column in rows[0].cells:
        if column in ("province", "capital"):
            continue
        if column in _RANGES or (column not in _TEXTS and any(_is_number(row.text(column)) for row in rows)):
            low, high = _RANGES.get(column, (-_INF, _INF))
            columns[column] = [row.number(column, low, high) for row in rows]
        else:
            labels[column] = [row.text(column) for row in rows]
    capitals = [row.name("capital") if row.text("capital") else row.name("province") for row in rows]
    return {"provinces": list(places), "capitals": capitals, "columns": columns, "labels": labels}


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _borders(folder: Path, province: Callable[..., str]) -> list[Border]:
    optional = ("status", "km", "length_agreement", "note", "source")
    table = read_table(folder / "borders.csv", ("a", "b"), optional, lambda column: column.startswith("in_"))
    return [
        Border(
            province(row, "a"), province(row, "b"), row.one_of("status", STATUSES, "agreed"), row.number("km", 0.0),
            where=row.where,
        )
        for row in table
    ]  # fmt: skip


def _roads(folder: Path, province: Callable[..., str]) -> list[Road]:
    if not (folder / "roads.csv").is_file():
        return []
    return [
        Road(
            province(row, "a"), province(row, "b"), row.need("kind"), row.one_of("evidence", EVIDENCE, "source"),
            row.text("name"), row.text("note"), where=row.where,
        )
        for row in read_table(folder / "roads.csv", ("a", "b", "kind"), ("evidence", "km", "name", "note"))
    ]  # fmt: skip


def _record(
    folder: Path, names: list[str], province: Callable[..., str], settings: Mapping[str, Any], prefer: str | None
) -> Record:
    """Return the record that captures.csv, contested.csv, counts.csv and assessments.csv hold, all optional."""

    def table(name: str, required: tuple[str, ...], optional: tuple[str, ...]) -> list[Row]:
        return read_table(folder / name, required, optional) if (folder / name).is_file() else []

    accounts = settings.get("accounts")
    captures = []
    for row in table(
        "captures.csv", ("province", "earliest", "known_from", "source"), ("latest", "account", "mode", "confidence")
    ):
        account = row.text("account", accounts[0] if accounts else "press")
        captures.append(Capture.dated(
            province(row), row.need("earliest"), row.text("latest") or None, row.need("known_from"),
            mode=row.one_of("mode", MODES, "unknown"), confidence=row.one_of("confidence", CONFIDENCES, "unknown"),
            source=row.need("source", "no source, no row"), account=account, where=row.where,
        ))  # fmt: skip
    sightings = [
        Sighting(
            province=province(row), first=row.day("from"), last=row.day("to"), seen=row.day("seen"),
            source=row.need("source", "no source, no row"), note=row.text("note"), where=row.where,
            control=Control[row.one_of("control", ("contested", "government"), "contested").upper()],
        )
        for row in table("contested.csv", ("province", "from", "to", "seen", "source"), ("control", "note"))
    ]  # fmt: skip
    counts = [
        Count(
            day=row.day("date"), captured=row.whole("captured"), source=row.need("source", "no source, no row"),
            note=row.text("note"), where=row.where,
        )
        for row in table("counts.csv", ("date", "captured", "source"), ("note",))
    ]  # fmt: skip
    assessments = [
        Assessment(
            day=row.day("date_reported"), who=row.need("who"), statement=row.need("statement"),
            low=row.number("horizon_days_low", 0.0), high=row.number("horizon_days_high", 0.0),
            event=row.need("event"), counted_from=row.text("horizon_counted_from"), source=row.need("evidence"),
            where=row.where,
        )
        for row in table(
            "assessments.csv", ("date_reported", "who", "statement", "event", "evidence"),
            ("horizon_days_low", "horizon_days_high", "horizon_counted_from"),
        )
    ]  # fmt: skip
    return Record(
        names, captures, sightings, counts, assessments,
        origin=settings.get("origin"), accounts=accounts, prefer=prefer,
    )  # fmt: skip
