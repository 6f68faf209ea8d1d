"""Verbal assessments read as distributions: event, horizon and a band of probability, by several readings of "could".

What a word means is a choice. Each ``Reading`` names its source; where the source does not speak of "could" (or may,
might, possible) itself, the match of word and band is ours, and it is called argued, not published.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from sim.outcomes import PRESSURES, ControlOf, FullControl, Outcome, Pressure
from sim.record import Record
from sim.sources import Assessment

__all__ = ["FLAT", "READINGS", "Reading", "Statement", "passage_of", "speaks_of", "statements"]

Floats: TypeAlias = NDArray[np.float64]

#: A band is read as this many equally likely probabilities, the middles of equal parts of it.
_PARTS = 1000


@dataclass(frozen=True)
class Reading:
    """What "could happen within so many days" is taken to say: that its probability lies in [*low*, *high*].

    Parameters
    ----------
    name : str
    low, high : float
        Every probability between them is equally likely.
    status : "published" or "argued"
        Whether the source gives the band for could, may, might or possible, or we chose the band for it.
    source : str
        Author, year, and DOI or place.
    note : str
        What of the source is used.
    """

    name: str
    low: float
    high: float
    status: Literal["published", "argued"]
    source: str
    note: str

    def __post_init__(self) -> None:
        if not 0.0 <= self.low <= self.high <= 1.0:
            raise ValueError(
                f"reading {self.name}: 0 <= low <= high <= 1 must hold, but was {self.low!r}, {self.high!r}"
            )
        if self.status not in ("published", "argued"):
            raise ValueError(f"reading {self.name}: status must be 'published' or 'argued', but was {self.status!r}")

    @property
    def probabilities(self) -> Floats:
        """Equally likely probabilities of the band, ascending."""
        return self.low + (self.high - self.low) * (np.arange(_PARTS) + 0.5) / _PARTS


READINGS: tuple[Reading, ...] = (
    Reading(
        "possible", 0.0, 1.0, "published",
        "Kent (1964), Words of Estimative Probability, Studies in Intelligence 8(4); so too the US National "
        "Intelligence Council's notes on estimative language (2007)",
        "the possible is all between impossible and certain, without odds; may: likelihood cannot be assessed",
    ),
    Reading(
        "two analysts", 0.30, 0.80, "published",
        "Phillips (2004), The Independent, 7 February 2004",
        "'could be broken within a week': 30 per cent to one of its two authors, 80 to the other",
    ),
    Reading(
        "might happen", 0.10, 0.55, "published",
        "Mauboussin and Mauboussin (2018), Harvard Business Review, July 2018; answers at "
        "github.com/amauboussin/probability-survey",
        "10% to 90% of 1,858 answers for 'might happen' (median 0.40), computed by us from the published answers",
    ),
    Reading(
        "could happen", 0.15, 0.60, "published",
        "Kucharski (2026), CAPphrase, doi:10.5281/zenodo.18750055",
        "10% to 90% of 5,174 answers for 'could happen' (median 0.40), computed by us from the published answers",
    ),
    Reading(
        "realistic possibility", 0.40, 0.50, "argued",
        "UK Professional Head of Intelligence Assessment, probability yardstick (gov.uk, 24 March 2025, and before)",
        "the yardstick's band for 'realistic possibility'; that 'could' means it is our match",
    ),
    Reading(
        "median", 0.50, 0.50, "argued",
        "this library's scenarios/thirty_days.py",
        "the horizon is taken for the median of the waiting time",
    ),
    Reading(
        "likely", 0.55, 0.80, "argued",
        "US Intelligence Community Directive 203 (2015)",
        "the directive's band for 'likely'; that an official who says 'could' to the press means it is our argument",
    ),
    Reading(
        "outer edge", 0.05, 0.20, "argued",
        "after Juanchich, Teigen and Gourdon (2013), Judgment and Decision Making 8(3), 345-364, who find 'possible' "
        "said of extreme values; the band is US Intelligence Community Directive 203's (2015) for 'very unlikely'",
        "'could within 30 days' names the soonest that is not excluded; the match is our argument",
    ),
)  # fmt: skip

#: What is said without could, may, might or possible: expected, whatever the reading.
FLAT = Reading(
    "flat", 0.55, 0.80, "argued", "US Intelligence Community Directive 203 (2015)",
    "the directive's band for 'likely', for what is said without a hedge",
)  # fmt: skip

_HEDGE = re.compile(r"\b(could|may|might|possibly|possible)\b")


class _Point(NamedTuple):
    """By *day* it has happened with a probability that is *hedged*, flat, or (None) one half."""

    day: float
    hedged: bool | None


@dataclass(frozen=True)
class Statement:
    """An assessment in a form that can be scored: an event, and points its waiting time passes through.

    *quiet* days at the start are free of the event.
    """

    assessment: Assessment
    event: str
    points: tuple[_Point, ...]
    quiet: float = 0.0

    @property
    def label(self) -> str:
        """What tables call it: its day, who said it, and of what by when."""
        return f"{self.assessment.day}, {self.assessment.who}: {self.event} by day {self.points[-1].day:g}"

    def plain(self) -> dict[str, Any]:
        """Return event, horizons and which band holds at each, as plain values."""
        bands = {True: "the reading's", False: f"{FLAT.low:g} to {FLAT.high:g}", None: "0.5"}
        return {
            "assessment": self.label, "statement": self.assessment.statement, "event": self.event,
            "points": [{"by_day": point.day, "probability": bands[point.hedged]} for point in self.points],
            "not_before_day": self.quiet, "source": self.assessment.source,
        }  # fmt: skip

    @property
    def hedged(self) -> bool:
        """Whether what it says depends on the reading of "could"."""
        return any(point.hedged for point in self.points)


def statements(record: Record, hub: str | None) -> tuple[list[Statement], list[str]]:
    """Return the assessments of *record* that can be scored, and a note for each that cannot.

    The rules: an assessment needs a horizon counted from its own day, and an event that is an outcome here. "Could …
    within N" is the reading's band at N; "within N" alone is the band FLAT at N; "in about N" is a median of N;
    "within N, possibly within M" is both; "in September", days 21 to 50, is free of the event before; a horizon that is
    itself a band ("a few months") is its middle.
    """
    found, notes = [], []
    for row in record.assessments:
        event = _event(row.event, hub)
        if row.low is None or row.high is None:
            notes.append(f"{row.day}, {row.who}: left out, states no horizon")
        elif row.counted_from != "report date":
            notes.append(f"{row.day}, {row.who}: left out, its horizon counts from another event ({row.counted_from})")
        elif event is None:
            notes.append(f"{row.day}, {row.who}: left out, no outcome here is {row.event!r}")
        else:
            found.append(_statement(row, row.low, row.high, event))
    return found, notes


def _event(said: str, hub: str | None) -> str | None:
    text = said.lower()
    if text == "full control of the country":
        return "full_control"
    if hub is None or hub.lower() not in text:
        return None
    for word in ("pressure", "isolated", "fall"):
        if word in text:
            return word
    return None


def _statement(row: Assessment, low: float, high: float, event: str) -> Statement:
    text = row.statement.lower()
    hedged = bool(_HEDGE.search(text))
    if low == 0.0:
        return Statement(row, event, (_Point(high, hedged),))
    if low == high:
        return Statement(row, event, (_Point(high, True if hedged else None),))
    if "possibly within" in text:
        return Statement(row, event, (_Point(low, True), _Point(high, False)))
    if "within" in text:
        return Statement(row, event, (_Point(0.5 * (low + high), hedged),))
    return Statement(row, event, (_Point(high, hedged),), quiet=low)


def speaks_of(statement: Statement, outcome: Outcome, hub: str | None) -> bool:
    """Return whether *statement* is about *outcome*: pressure is any of its definitions but isolation."""
    if statement.event == "full_control":
        return outcome == FullControl()
    if statement.event == "fall":
        return hub is not None and outcome == ControlOf(hub)
    if statement.event == "isolated":
        return outcome == Pressure("isolated")
    return isinstance(outcome, Pressure) and outcome.definition in PRESSURES and outcome.definition != "isolated"


def passage_of(statement: Statement, reading: Reading, day: date, evenings: int) -> Floats:
    """Return when the event comes by *statement*, under *reading*, given that it has not come by the evening of *day*.

    Between its points the hazard is constant, and after the last goes on as it was, given each probability of the band.

    Returns
    -------
    ndarray, shape (evenings + 1,)
        Probabilities of the first evening after *day*, the second, …, and of later than the last.
    """
    age = (day - statement.assessment.day).days
    if age < 0:
        raise ValueError(f"assessment of {statement.assessment.day}: not yet spoken on {day}; take a later evening")
    still = _survival(statement, reading, age + np.arange(evenings + 1.0))
    if not still[0] > 0.0:
        raise ValueError(f"assessment of {statement.assessment.day}: under {reading.name!r} it must have come by {day}")
    still = still / still[0]
    return np.append(-np.diff(still), still[-1])


def _survival(statement: Statement, reading: Reading, days: Floats) -> Floats:
    """Return P(not by *days* since it was spoken), averaged over the band."""
    steps = [(statement.quiet, np.ones(_PARTS))]
    for day, hedged in statement.points:
        flat = np.full(_PARTS, 0.5) if hedged is None else FLAT.probabilities
        # One place in the band for all points of a statement; later is never less probable.
        left = np.minimum(steps[-1][1], 1.0 - (reading.probabilities if hedged else flat))
        steps.append((day, left))
    total = np.empty(len(days))
    for i, t in enumerate(days):
        last = max(1, next((k for k, (day, _) in enumerate(steps) if t <= day), len(steps) - 1))
        (begin, before), (end, after) = steps[last - 1], steps[last]
        total[i] = np.mean(before * (after / before) ** (max(0.0, t - begin) / (end - begin)))
    return total
