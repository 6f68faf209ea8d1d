"""The record: dated, sourced captures, sightings and counts, and what of them was known on a given evening.

Days are dates of the theatre's local time; the evening of a day is the midnight that ends it. A capture may be
told by several *accounts*: the first one listed counts, unless *prefer* names another, or the span of all.
"""

from __future__ import annotations

import itertools
import math
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any, TypeVar

from sim.accounts import check_accounts, choose
from sim.control import Control, Past, State, nearest
from sim.sources import Assessment, Capture, Count, Sighting, last_day
from sim.tables import as_date, as_instant

__all__ = ["Assessment", "Capture", "Count", "Record", "Sighting"]

_DAY = timedelta(days=1)
_Row = TypeVar("_Row", Capture, Sighting)


@dataclass(frozen=True, init=False)
class Record:
    """What is known of *provinces* from *origin* (day 0, its first moment) to *end* (None: no cut-off yet).

    Parameters
    ----------
    provinces : iterable of str
        Kept in name order.
    captures : iterable of Capture
        The rows of every account. ``reports`` keeps them all; ``captures`` holds the chosen one for each province.
    sightings, counts, assessments : iterables
    origin : date
        Day 0. By default the earliest day among the captures known first.
    accounts : sequence of str
        The accounts, the one that counts first. Needed only when the captures have more than one.
    prefer : str or None
        The account to take instead of the first, wherever it has the capture; "span" takes the first account's
        captures, each with the intervals of all accounts together.
    """

    provinces: tuple[str, ...]
    captures: tuple[Capture, ...]
    sightings: tuple[Sighting, ...]
    counts: tuple[Count, ...]
    assessments: tuple[Assessment, ...]
    origin: date | None
    end: datetime | None
    accounts: tuple[str, ...]
    prefer: str | None
    reports: tuple[Capture, ...]
    #: False where the record is a number only and names no captured capital.
    named: bool

    def __init__(
        self,
        provinces: Iterable[str],
        captures: Iterable[Capture] = (),
        sightings: Iterable[Sighting] = (),
        counts: Iterable[Count] = (),
        assessments: Iterable[Assessment] = (),
        *,
        origin: date | str | None = None,
        end: datetime | None = None,
        accounts: Sequence[str] | None = None,
        prefer: str | None = None,
        named: bool = True,
    ) -> None:
        if isinstance(provinces, str) or not isinstance(provinces, Iterable):
            raise TypeError(f"record: provinces must be the names of the provinces, but was {provinces!r}")
        names = tuple(sorted(unicodedata.normalize("NFC", name) for name in provinces))
        known = frozenset(names)
        if len(known) < len(names):
            twice = next(name for name, after in itertools.pairwise(names) if name == after)
            raise ValueError(f"record: province {twice!r} is given twice; keep one")
        given = [_known(row, known) for row in captures]
        told = sorted({row.account for row in given})
        if accounts is None and len(told) > 1:
            raise ValueError(
                f"record: captures of {len(told)} accounts ({', '.join(told)}) need a list of them with the one "
                "that counts first: accounts=[...], in theatre.toml or in the call"
            )
        spoken = tuple(accounts if accounts is not None else told or ("press",))
        check_accounts(spoken, given, prefer)
        reports = tuple(sorted(given, key=_report_key))
        sights = tuple(sorted((_known(row, known) for row in sightings), key=_sighting_key))
        _check_conflicts(sights)
        numbers = tuple(sorted(counts, key=lambda row: (row.day, row.captured, row.source, row.note)))
        for row in numbers:
            if not 0 <= row.captured <= len(names):
                raise ValueError(
                    f"{row.place}: captured must be between 0 and {len(names)}, the number of provinces, "
                    f"but was {row.captured}"
                )
        if origin is None and reports:
            # Only captures known first may set it: a later row must not be able to move what was known before.
            first = min(row.known_from for row in reports)
            origin = min(row.earliest for row in reports if row.known_from == first).date()
        day_0 = None if origin is None else as_date(origin, "record: origin")
        for report in reports:
            if day_0 is not None and report.earliest < datetime.combine(day_0, time()):
                raise ValueError(
                    f"{report.place}: captured before day 0: earliest must not be before the origin {day_0}, "
                    f"but was {report.earliest}; give an earlier origin"
                )
            if end is not None and (report.latest > end or report.known_from > last_day(end)):
                raise ValueError(f"{report.place}: reaches beyond the record's end, {end}; cut with until() instead")
        if day_0 is not None and end is not None and end <= datetime.combine(day_0, time()):
            raise ValueError(f"record: the end must come after the origin, the first moment of {day_0}, but was {end}")
        if not named and (reports or len(numbers) != 1):
            raise ValueError("record: one that names no captures must hold one count and no captures; use from_count")
        foreseen = tuple(sorted(assessments, key=lambda row: (row.day, row.who, row.statement)))
        for name, value in (
            ("provinces", names),
            ("reports", reports),
            ("sightings", sights),
            ("counts", numbers),
            ("assessments", foreseen),
            ("origin", day_0),
            ("end", end),
            ("accounts", spoken),
            ("prefer", prefer),
            ("named", named),
            ("captures", choose(reports, spoken[0], prefer)),
        ):
            object.__setattr__(self, name, value)

    def __repr__(self) -> str:
        told = f"{len(self.captures)} captures" if self.named else f"a count of {self.total}"
        until = f" until {last_day(self.end)}" if self.end else ""
        return f"<Record of {len(self.provinces)} provinces from {self.origin}{until}: {told}>"

    # -- time ---------------------------------------------------------------------------------------------------

    @property
    def start(self) -> datetime:
        """The first moment of day 0. Raise a ValueError if the record has no origin."""
        if self.origin is None:
            raise ValueError("record: day 0 is not known; give an origin, e.g. origin = 2021-08-06 in theatre.toml")
        return datetime.combine(self.origin, time())

    def day(self, moment: date | datetime | str) -> float:
        """Return *moment* (a bare date is its first moment) as days since the origin."""
        return (as_instant(moment, "record: day") - self.start) / _DAY

    @property
    def days(self) -> float:
        """The length of the record in days, from the origin to its end."""
        return (self._cut() - self.start) / _DAY

    def _cut(self) -> datetime:
        if self.end is None:
            raise ValueError("record: no cut-off; say what was known when with record.until('YYYY-MM-DD')")
        return self.end

    # -- knowledge ----------------------------------------------------------------------------------------------

    def until(self, day: date | str) -> Record:
        """Return what was known on the evening of *day*, and nothing else.

        Keeps captures known from that day or before, in every account, their intervals clipped to the day's end;
        sightings, counts and assessments likewise. An account is chosen among those already told. Raise a
        ValueError if *day* is before the origin or after the record's end.
        """
        last = as_date(day, "record: until")
        end = datetime.combine(last, time()) + _DAY
        if end <= self.start:
            raise ValueError(f"record: until must not be before day 0, {self.origin}, but was {last}")
        if self.end is not None and end > self.end:
            raise ValueError(f"record: until must not be after the record's end, {self.end}, but was {last}")
        if not self.named:
            raise ValueError("record: a count-only record cannot be cut earlier; cut the named record first")
        return Record(
            self.provinces,
            [replace(row, latest=min(row.latest, end)) for row in self.reports if row.known_from <= last],
            [replace(row, last=min(row.last, last)) for row in self.sightings if row.seen <= last],
            [row for row in self.counts if row.day <= last],
            [row for row in self.assessments if row.day <= last],
            origin=self.origin,
            end=end,
            accounts=self.accounts,
            prefer=self.prefer,
        )

    @property
    def captured(self) -> tuple[str, ...]:
        """The provinces whose capitals are captured, in name order."""
        self._require_names("the captured capitals are")
        return tuple(capture.province for capture in self.captures)

    @property
    def total(self) -> int:
        """How many capitals are captured."""
        return len(self.captures) if self.named else self.counts[-1].captured

    def state(self) -> State:
        """Return control at the record's end: where a projection starts.

        Captured capitals are insurgent-held. Of the others, one is contested if the latest sighting that covers
        the last day says so.
        """
        self._require_names("the state is")
        end = self._cut()
        last = last_day(end)
        control = dict.fromkeys(self.provinces, Control.GOVERNMENT)
        sighted = set()
        for row in self.sightings:  # in the order seen, so the latest speaks last
            if row.first <= last <= row.last:
                control[row.province] = row.control
                sighted.add(row.province)
        past = []
        for capture in self.captures:
            control[capture.province] = Control.INSURGENT
            past.append(Past(capture.province, (capture.earliest - end) / _DAY, (capture.latest - end) / _DAY))
        return State(control, instant=end, past=tuple(past), sighted=frozenset(sighted.difference(self.captured)))

    def dates(self, basis: str = "press") -> dict[str, date]:
        """Return the day of each province's capture, by name.

        *basis* "press" counts it from the evening it was first reported, "best_date" from the day it happened by the
        record's account.
        """
        if basis not in ("press", "best_date"):
            raise ValueError(f"record: basis must be 'press' or 'best_date', but was {basis!r}")
        # By the first account, whatever prefer= chose; the best date is its own, or that of the account so called.
        told = {row.province: row for row in self.reports if row.account == self.accounts[0]}
        if basis == "best_date":
            told |= {row.province: row for row in self.reports if row.account == "best_date"}
        return {name: row.known_from if basis == "press" else row.earliest.date() for name, row in told.items()}

    def as_count(self) -> Record:
        """Return the number of captured capitals at the end, and nothing else."""
        end = self._cut()
        count = Count(day=last_day(end), captured=self.total, source="the captures of the record, counted")
        return Record(self.provinces, counts=[count], origin=self.origin, end=end, named=False)

    @classmethod
    def from_count(
        cls, captured: int, days: float, provinces: Iterable[str], origin: date | str = date(2000, 1, 1)
    ) -> Record:
        """Return the record that *captured* capitals are held *days* after the *origin* (any, if nothing is dated)."""
        if isinstance(captured, bool) or not isinstance(captured, int):
            raise TypeError(f"record: captured must be a whole number, but was {captured!r}")
        if not (math.isfinite(days) and days > 0):
            raise ValueError(f"record: days must be a positive, finite number, but was {days!r}")
        day_0 = as_date(origin, "record: origin")
        try:
            end = datetime.combine(day_0, time()) + days * _DAY
        except OverflowError:
            raise ValueError(f"record: days must end before the year 10000, but was {days!r} after {day_0}") from None
        count = Count(day=last_day(end), captured=captured, source="given")
        return cls(provinces, counts=[count], origin=day_0, end=end, named=False)

    def _require_names(self, what: str) -> None:
        if not self.named:
            raise ValueError(f"record: only a count is known, so {what} not; keep the record that names the captures")

    @property
    def facts(self) -> list[dict[str, str | int]]:
        """Every capture, sighting and count the record rests on, with its source: for a run's provenance."""
        rows: tuple[Capture | Sighting | Count, ...] = (*self.captures, *self.sightings, *self.counts)
        return [row.fact for row in rows]


def _report_key(row: Capture) -> tuple[Any, ...]:
    return (row.province, row.account, row.earliest, row.latest, row.known_from)


def _sighting_key(row: Sighting) -> tuple[Any, ...]:
    return (row.seen, row.province, row.first, row.last, row.control, row.source, row.note)


def _known(row: _Row, provinces: frozenset[str]) -> _Row:
    """Return *row* with its province in NFC. Raise a ValueError if there is no such province."""
    name = unicodedata.normalize("NFC", row.province)
    if name not in provinces:
        hint = nearest(name, sorted(provinces))
        raise ValueError(f"{row.place}: no province {row.province!r} in the theatre; {hint}")
    return row if name == row.province else replace(row, province=name)


def _check_conflicts(sightings: tuple[Sighting, ...]) -> None:
    """Refuse two sightings seen on one evening that disagree on a day."""
    for number, row in enumerate(sightings):
        for other in sightings[:number]:
            together = row.province == other.province and row.seen == other.seen and row.control != other.control
            if together and row.first <= other.last and other.first <= row.last:
                raise ValueError(
                    f"{row.place}: contradicts {other.place}: {row.province} cannot be seen both "
                    "contested and held by the government on one day; keep one row"
                )
