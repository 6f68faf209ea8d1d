"""A record as a likelihood reads it: captures and sightings in days since the origin, and notes on the reading."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from sim.hours import Capture, Seen
from sim.model import Model
from sim.record import Record
from sim.streams import key_of

__all__ = ["captures_of", "chosen_hours", "sightings_of", "survival_note", "told_by_mode", "undecided"]

Floats: TypeAlias = NDArray[np.float64]

#: How a capture was reported to have come about, and the transition it speaks for.
_SPEAKS_FOR = {"unopposed": "seizure", "negotiated": "seizure", "fighting": "fall"}


def captures_of(model: Model, record: Record, seen: Sequence[Seen] = ()) -> list[Capture]:
    """Return the captures of *record*; one *seen* on a day was captured after that day began."""
    found = []
    for row in record.captures:
        p, low, high = model.theatre.index(row.province), record.day(row.earliest), record.day(row.latest)
        found.append((p, max([low, *(first for q, first, _, _ in seen if q == p and first < high)]), high))
    return found


def survival_note(record: Record) -> str:
    """Return what is read from capitals without a capture, in words."""
    left = len(record.provinces) - len(record.captures)
    return f"the {left} capitals without a capture are read as not captured by the record's end"


def uncounted(record: Record) -> list[str]:
    """Return a note on the counts of a record that names its captures, if it has any."""
    told = [f"{row.captured} on {row.day}" for row in record.counts]
    return [f"counts beside named captures are not read ({', '.join(told)})"] if told else []


def sightings_of(model: Model, record: Record) -> tuple[list[Seen], list[str]]:
    """Return what was seen, as moments a filter can be conditioned on, and notes on the reading."""
    seen: dict[tuple[int, float, float], Seen] = {}
    dropped, against = [], []
    latest = {row.province: row.latest for row in record.captures}
    for row in record.sightings:  # in the order they became known, so the latest speaks last
        p = model.theatre.index(row.province)
        for day in dict.fromkeys((row.first, row.last)):
            low = record.day(day)
            if _midnight(day) >= latest.get(row.province, datetime.max):
                dropped.append(row.province)
                continue
            # A span that began before the record is known to hold on its first moment.
            moment = (p, max(low, 0.0), max(min(low + 1.0, record.days), 0.0), row.control)
            if low < record.days and record.day(row.last) >= 0.0:
                if seen.setdefault(moment[:3], moment)[3] != row.control:
                    against.append(row.province)
                seen[moment[:3]] = moment
    found = list(seen.values())
    notes = []
    if found:
        names = sorted({record.provinces[p] for p, *_ in found})
        notes.append(
            "a sighting is read at the middle of its day, or of the part of it before the capture; one over several "
            f"days, on the first and the last of them ({', '.join(names)})"
        )
    if dropped:
        notes.append(f"sightings after the capture are left out ({', '.join(sorted(set(dropped)))})")
    if against:
        notes.append(
            f"of sightings of one day that disagree the latest known counts ({', '.join(sorted(set(against)))})"
        )
    return found, notes


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time())


def told_by_mode(model: Model, record: Record, error: float | None) -> tuple[Floats, list[str]]:
    """Return how well each province's mode of capture fits a seizure and a fall, shape (province, 2), and notes.

    *error* is the probability that a mode that speaks for one of them is reported of the other; None if modes are not
    used.
    """
    told = np.ones((len(record.provinces), 2))
    if error is None:
        return told, []
    for row in record.captures:
        if row.mode in _SPEAKS_FOR:
            right = 0 if _SPEAKS_FOR[row.mode] == "seizure" else 1
            told[model.theatre.index(row.province)] = [error, error]
            told[model.theatre.index(row.province), right] = 1.0 - error
    used = sum(row.mode in _SPEAKS_FOR for row in record.captures)
    note = (
        f"modes of capture are used ({used} of {len(record.captures)}), wrong with probability {error:g}: unopposed "
        "and negotiated speak for a seizure, fighting for a fall, the others for neither"
    )
    return told, [note]


def undecided(captures: Sequence[Capture]) -> list[int]:
    """Return the captures whose time, or whose place among captures of the same exact time, is not known."""
    exact = [low for _, low, high in captures if low == high]
    return [i for i, (_, low, high) in enumerate(captures) if low < high or exact.count(low) > 1]


def chosen_hours(captures: Sequence[Capture], points: int, seed: int | None, scramble: int) -> Floats:
    """Return where captures lie in their intervals at *points* scrambled Sobol points, shape (point, capture).

    One point if nothing is undecided. Raise a TypeError without a seed.
    """
    from scipy.stats import qmc

    unknown = undecided(captures)
    if not unknown:
        return np.full((1, len(captures)), 0.5)
    if seed is None:
        raise TypeError("likelihood: averaging over unknown hours needs a seed; pass seed=")
    rng = np.random.default_rng(int(key_of(seed, f"hours {scramble}")))
    u = np.full((points, len(captures)), 0.5)
    u[:, unknown] = qmc.Sobol(len(unknown), scramble=True, rng=rng).random_base2(int(points).bit_length() - 1)
    return u
