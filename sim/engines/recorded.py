"""What happened, as a run: the record replayed as an ensemble of one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from sim.book import new_log
from sim.control import Control, State
from sim.model import Model
from sim.recipe import Halt, Part, Recipe, Recording, part_of

__all__ = ["RecordedEngine"]


@dataclass(frozen=True)
class RecordedEngine:
    """Replay the record of the model's theatre: every replication is what happened after the start.

    A capture is dated to the end of its day, when it was certainly true; one dated before the start but not known
    there comes at the start's first moment. Hazards play no part, nor do draws or the seed.

    Parameters
    ----------
    basis : "press" or "best_date"
        Whether a capture counts from the evening it was first reported, or from the day it happened.
    """

    basis: Literal["press", "best_date"] = "press"
    releases_lock: ClassVar[bool] = True
    #: No race is run, so there is none that SimPy could tell.
    tells_itself: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if self.basis not in ("press", "best_date"):
            raise ValueError(f"RecordedEngine: basis must be 'press' or 'best_date', but was {self.basis!r}")

    def check(self, model: Model) -> None:
        """Raise a ValueError if *model* has no seizure or its theatre no captures on record."""
        if "seizure" not in model.hazards:
            raise ValueError("RecordedEngine: the model must have a seizure, which is what the record's captures are")
        if not model.theatre.record.reports:
            raise ValueError(f"RecordedEngine: theatre {model.theatre.name} has no captures on record to replay")

    def run(self, recipe: Recipe, numbers: Sequence[int], recording: Recording, halt: Halt) -> Part:
        """Return the replications named by *numbers*, each of them the record."""
        model = recipe.model
        events = _events(recipe, self.basis)
        columns = max(map(len, model.terms.values())) + 1 if recording.shares else 0
        log = new_log(len(events) * len(numbers), columns)
        log.size[0] = len(log.day)
        log.day[:] = np.tile([day for day, _ in events], len(numbers))
        log.province[:] = np.tile([province for _, province in events], len(numbers))
        log.transition[:] = tuple(model.hazards).index("seizure")
        initial = np.tile(_control(recipe.start, model), (len(numbers), 1))
        ends = np.arange(len(numbers) + 1, dtype=np.int64) * len(events)
        return part_of(recipe, recording, log, np.array(numbers, np.int64), initial, ends)


def _control(start: State, model: Model) -> np.ndarray[tuple[int], np.dtype[np.int8]]:
    control = np.zeros(len(model.theatre.provinces), np.int8)
    for province, held in start.control.items():
        control[model.theatre.index(province, "start")] = held
    return control


def _events(recipe: Recipe, basis: str) -> list[tuple[float, int]]:
    """Return captures after the start, (day, province), in order of time and then of name."""
    start, theatre = recipe.start, recipe.model.theatre
    if start.instant is None:
        raise ValueError("RecordedEngine: the start must have an instant, so that the record's dates can be placed")
    found = []
    for province, day in theatre.record.dates(basis).items():
        if start.control.get(province) is not Control.INSURGENT:
            # The evening of a day is the next midnight.
            passed = (day - start.instant.date()).days + 1
            found.append((float(max(0, passed)), theatre.index(province)))
    return sorted(each for each in found if each[0] <= recipe.horizon)
