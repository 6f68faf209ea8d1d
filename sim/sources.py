"""Sourced rows: a capture, a sighting, a count and an assessment, each with its day and who says so."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from sim.control import Control
from sim.tables import as_date, as_instant, require_one_of

__all__ = ["CONFIDENCES", "MODES", "Assessment", "Capture", "Count", "Sighting", "last_day"]

MODES = ("fighting", "negotiated", "unopposed", "mixed", "unknown")
CONFIDENCES = ("high", "medium", "low", "unknown")


@dataclass(frozen=True, slots=True, kw_only=True)
class Capture:
    """A capital captured between *earliest* and *latest* (local time), as one *account* has it.

    *known_from* is the first evening on which the account's source counted it. *where* is the row's place in a
    file, for messages only. Raise a ValueError if it ends before it begins or was known before it happened.
    """

    province: str
    earliest: datetime
    latest: datetime
    known_from: date
    mode: str = "unknown"
    confidence: str = "unknown"
    source: str = ""
    account: str = "press"
    where: str = field(default="", compare=False, repr=False)

    def __post_init__(self) -> None:
        if not self.earliest <= self.latest:
            raise ValueError(
                f"{self.place}: earliest must not be after latest, but was {self.earliest} and {self.latest}"
            )
        if self.known_from < self.earliest.date():
            raise ValueError(
                f"{self.place}: known before it happened: known_from must not be before earliest, "
                f"but was {self.known_from} and {self.earliest}"
            )
        require_one_of(self.mode, MODES, f"{self.place}: mode")
        require_one_of(self.confidence, CONFIDENCES, f"{self.place}: confidence")

    @classmethod
    def dated(
        cls,
        province: str,
        earliest: date | datetime | str,
        latest: date | datetime | str | None = None,
        known_from: date | str | None = None,
        **more: str,
    ) -> Capture:
        """Return a capture from dates or texts: *latest* is that day's end, *known_from* the evening of *latest*."""
        place = more.get("where") or f"capture of {province}"
        first = as_instant(earliest, f"{place}: earliest")
        ends = earliest if latest is None else latest
        last = as_instant(ends, f"{place}: latest", closing=True)
        if last <= first and last != as_instant(ends, place):  # a day that is over before the other begins
            raise ValueError(f"{place}: earliest must not be after latest, but was {earliest} and {latest}")
        known = last_day(last, first) if known_from is None else as_date(known_from, f"{place}: known_from")
        return cls(province=province, earliest=first, latest=last, known_from=known, **more)

    @property
    def place(self) -> str:
        """Where a message should point."""
        return self.where or f"capture of {self.province}"

    @property
    def fact(self) -> dict[str, str | int]:
        """The row as an entry of a run's provenance."""
        return {
            "id": f"capture:{self.province}:{self.account}", "earliest": self.earliest.isoformat(),
            "latest": self.latest.isoformat(), "known_from": self.known_from.isoformat(), "source": self.source,
        }  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """Control of a province as seen by *source* on the days *first* to *last*, both included.

    *seen* is the evening from which it is known. Raise a ValueError if it names no source.
    """

    province: str
    first: date
    last: date
    seen: date
    source: str
    control: Control = Control.CONTESTED
    note: str = ""
    where: str = field(default="", compare=False, repr=False)

    def __post_init__(self) -> None:
        if not self.source.strip():
            raise ValueError(f"{self.place}: a sighting must name its source; no source, no row")
        if self.control not in (Control.CONTESTED, Control.GOVERNMENT):
            raise ValueError(
                f"{self.place}: control must be contested or government, but was {self.control!r}; "
                "a loss belongs among the captures"
            )
        if not self.first <= self.last:
            raise ValueError(f"{self.place}: from must not be after to, but was {self.first} and {self.last}")
        if self.seen < self.first:
            raise ValueError(
                f"{self.place}: seen before it began: seen must not be before from, "
                f"but was {self.seen} and {self.first}"
            )

    @property
    def place(self) -> str:
        """Where a message should point."""
        return self.where or f"sighting of {self.province}"

    @property
    def fact(self) -> dict[str, str | int]:
        """The row as an entry of a run's provenance."""
        return {
            "id": f"sighting:{self.province}:{self.first}:{self.seen}", "control": self.control.name.lower(),
            "from": self.first.isoformat(), "to": self.last.isoformat(), "source": self.source,
        }  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """The number of capitals reported *captured* on the evening of *day*."""

    day: date
    captured: int
    source: str = ""
    note: str = ""
    where: str = field(default="", compare=False, repr=False)

    @property
    def place(self) -> str:
        """Where a message should point."""
        return self.where or f"count of {self.day}"

    @property
    def fact(self) -> dict[str, str | int]:
        """The row as an entry of a run's provenance."""
        return {"id": f"count:{self.day}:{self.captured}", "captured": self.captured, "source": self.source}


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """What somebody foresaw on *day*: an *event* within *low* to *high* days, where a horizon was given."""

    day: date
    who: str
    statement: str
    low: float | None
    high: float | None
    event: str
    counted_from: str
    source: str
    where: str = field(default="", compare=False, repr=False)

    def __post_init__(self) -> None:
        if self.low is not None and self.high is not None and not 0 <= self.low <= self.high:
            raise ValueError(
                f"{self.where or 'assessment'}: 0 <= horizon_days_low <= horizon_days_high must hold, "
                f"but was {self.low!r}, {self.high!r}"
            )


def last_day(end: datetime, start: datetime | None = None) -> date:
    """Return the day whose evening, or some hour before it, is *end*; never before *start*'s."""
    day = (end - timedelta(microseconds=1)).date()
    return day if start is None else max(day, start.date())
