"""One replication, told event by event."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.control import TRANSITIONS, Control
from sim.model import Model
from sim.recipe import Recipe

__all__ = ["Event", "Story", "event_of"]


class Event(NamedTuple):
    """One change of control: its *day* since the start, and each term's share of the hazard at that moment.

    Shares sum to 1; a restraining term's is negative. What a custom process did is the share "processes". There are
    none where no hazard played a part: in the record, replayed.
    """

    day: float
    province: str
    source: Control
    target: Control
    transition: str
    shares: dict[str, float]


def event_of(model: Model, day: float, province: int, transition: int, shares: NDArray[np.float64]) -> Event:
    """Return a row of a log with its labels; *shares* has a column for each term, processes last."""
    name = tuple(model.hazards)[transition]
    told = {term: float(shares[j]) for j, term in enumerate(model.terms[name]) if shares.any()}
    if shares[-1] != 0.0:
        told["processes"] = float(shares[-1])
    way = TRANSITIONS[name]
    return Event(day, model.theatre.provinces[province], way.source, way.target, name, told)


@dataclass(frozen=True, eq=False)
class Story:
    """One replication, told: ``str(story)`` or ``story.events``."""

    recipe: Recipe
    replication: int
    initial: NDArray[np.int8]
    events: Sequence[Event]

    def __str__(self) -> str:
        recipe, instant = self.recipe, self.recipe.start.instant
        lost = int((self.initial == Control.INSURGENT).sum())
        lines = [
            f"{recipe.model.name}, seed {recipe.seed}, replication {self.replication}: "
            f"{lost} of {len(self.initial)} lost at the start"
        ]
        for event in self.events:
            lost += (event.target is Control.INSURGENT) - (event.source is Control.INSURGENT)
            causes = ", ".join(f"{name} {share:.0%}" for name, share in event.shares.items()) or "as recorded"
            what = f"{event.province}: {event.transition}, {event.source.name.lower()} to {event.target.name.lower()}"
            lines.append(f"{_when(event.day, instant)}  {what}; {lost} lost  [{causes}]")
        lines.append(f"{_when(recipe.horizon, instant)}  end of the horizon; {lost} lost")
        return "\n".join(lines)

    def plain(self) -> dict[str, Any]:
        """Return the story as plain values: who, what it began with, and every event with its causes."""
        recipe, instant = self.recipe, self.recipe.start.instant
        names = recipe.model.theatre.provinces
        return {
            "family": recipe.model.name,
            "seed": recipe.seed,
            "replication": self.replication,
            "start": None if instant is None else instant.isoformat(),
            "horizon_days": recipe.horizon,
            "control_at_start": {name: Control(held).name for name, held in zip(names, self.initial, strict=True)},
            "events": [
                {**event._asdict(), "source": event.source.name, "target": event.target.name} for event in self.events
            ],
        }


def _when(day: float, instant: datetime | None) -> str:
    if instant is None:
        return f"day {day:8.3f}"
    return f"day {day:8.3f} ({instant + timedelta(days=day):%d %b %H:%M})"
