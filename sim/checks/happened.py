"""What happened after an evening: capitals held, provinces captured, first passages, as far as the record goes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from sim.control import Control, State
from sim.outcomes import ControlOf, Outcome, observed
from sim.record import Record
from sim.sources import last_day
from sim.theatre import Theatre

__all__ = ["BASES", "Facts", "already", "last_told"]

#: Whose dates count: when a capture was first counted by the press, or the day it happened by the best account.
BASES = ("press", "best_date")

Bools: TypeAlias = NDArray[np.bool_]


@dataclass(frozen=True)
class Facts:
    """On one *basis*, the day on which each province and each outcome first came true; None where it never did."""

    basis: str
    provinces: Mapping[str, date | None]
    outcomes: Mapping[str, date | None]

    @classmethod
    def of(cls, theatre: Theatre, outcomes: Iterable[Outcome], basis: str) -> Facts:
        """Return the facts of the theatre's whole record."""
        return cls(
            basis,
            MappingProxyType({name: observed(ControlOf(name), theatre, basis=basis) for name in theatre.provinces}),
            MappingProxyType({outcome.name: observed(outcome, theatre, basis=basis) for outcome in outcomes}),
        )

    def captured(self, start: State, origin: date, evening: int) -> Bools:
        """Return which provinces are held *evening* evenings after *origin*: those held then, and those taken since.

        A capture dated before the start but not known there counts as taken at the start's first moment.
        """
        held = set(start.lost)
        return np.array([
            name in held or (day is not None and (day - origin).days <= evening) for name, day in self.provinces.items()
        ])  # fmt: skip

    def evening(self, outcome: str, origin: date) -> float:
        """Return the first evening after *origin* by which *outcome* was true, from 1; inf if it never was."""
        day = self.outcomes[outcome]
        return math.inf if day is None else float(max(1, (day - origin).days))

    def all_captured_by(self, day: date) -> bool:
        """Return whether by the evening of *day* nothing is left to capture."""
        return all(when is not None and when <= day for when in self.provinces.values())


def already(outcome: Outcome, theatre: Theatre, start: State) -> bool:
    """Return whether *outcome* is true at the start, by what is known there."""
    control = np.zeros(len(theatre.provinces), np.int8)
    control[[theatre.index(name) for name in start.lost]] = Control.INSURGENT
    return bool(outcome.watch(theatre).holds(control))


def last_told(record: Record) -> date:
    """Return the last day the *record* tells of: its end if it has one. Raise a ValueError if it tells of none."""
    days = [
        *(row.known_from for row in record.reports), *(row.seen for row in record.sightings),
        *(row.day for row in record.counts), *(row.day for row in record.assessments),
    ]  # fmt: skip
    if record.end is not None:
        return last_day(record.end)
    if not days:
        raise ValueError("hindcast: the theatre's record is empty; there is nothing to hold a forecast against")
    return max(days)
