"""Headlines: the answers a check watches, each a number that parameter values or posterior draws give."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from sim.control import Control, State
from sim.model import Draws, Model
from sim.outcomes import Outcome, Pressure
from sim.record import Record
from sim.simulation import simulate
from sim.streams import key_of

__all__ = ["HALF_RING", "Headline", "Headlines", "asked"]

Floats: TypeAlias = NDArray[np.float64]
Question: TypeAlias = tuple[Outcome, float] | Callable[[Floats], Any]
Headlines: TypeAlias = Mapping[str, Question]

#: The question the library exists for, by its middle definition.
HALF_RING: Headlines = {
    "half_ring within 7 days": (Pressure("half_ring"), 7.0),
    "half_ring within 30 days": (Pressure("half_ring"), 30.0),
}


@dataclass(frozen=True, eq=False)
class _Runs:
    """Runs that several headlines read: made once for each set of values, of which only the answers are kept."""

    model: Model
    start: State
    replications: int
    seed: int
    outcomes: Mapping[str, tuple[Outcome, float]]
    kept: dict[bytes, dict[str, float]] = field(default_factory=dict)

    def answer(self, name: str, values: Floats) -> float:
        key = values.tobytes()
        if key not in self.kept:
            # Places along a ridge share the seed, so every draw of chance.
            runs = simulate(
                self.model, Draws(tuple(self.model.parameters), values), start=self.start,
                horizon=max(within for _, within in self.outcomes.values()), replications=self.replications,
                seed=self.seed, progress=False,
            )  # fmt: skip
            self.kept[key] = {
                name: float(np.mean(outcome(runs).times <= within)) for name, (outcome, within) in self.outcomes.items()
            }
        return self.kept[key][name]


@dataclass(frozen=True, eq=False)
class Headline:
    """A question that can be put to single parameter values, and to draws."""

    name: str
    question: Question
    runs: _Runs

    def along(self, values: Floats) -> Floats:
        """Return the answer at each row of *values*, shape (row, parameter)."""
        if self.name in self.runs.outcomes:
            return np.array([self.runs.answer(self.name, row[None]) for row in values])
        return self._called(values)

    def mean(self, draws: Draws) -> float:
        """Return the mean answer over *draws*."""
        if self.name in self.runs.outcomes:
            return self.runs.answer(self.name, draws.thin(min(len(draws), self.runs.replications)).values)
        return float(self._called(np.array(draws.values)).mean())

    def _called(self, values: Floats) -> Floats:
        assert not isinstance(self.question, tuple)
        found = np.asarray(self.question(values), float)
        if found.shape != (len(values),) or not np.all(np.isfinite(found)):
            raise ValueError(
                f"headline {self.name!r}: the function must return one finite number for each of {len(values)} rows, "
                f"but returned {found!r}"
            )
        return found


def asked(
    headlines: Headlines | None,
    model: Model,
    record: Record,
    start: State | None,
    replications: int,
    seed: int,
    where: str,
) -> dict[str, Headline]:
    """Return headlines ready to be put. Raise a TypeError or ValueError, told *where*, if one cannot be."""
    key_of(seed, where)
    if isinstance(replications, bool) or not isinstance(replications, (int, np.integer)) or replications < 1:
        raise ValueError(f"{where}: replications must be a positive integer, but was {replications!r}")
    given = dict(HALF_RING if headlines is None else headlines)
    outcomes = {}
    for name, question in given.items():
        if isinstance(question, tuple) and len(question) == 2 and isinstance(question[0], Outcome):
            outcome, within = question
            if not 0.0 < within < math.inf:
                raise ValueError(
                    f"{where}: headline {name!r} must be within a positive number of days, but was {within!r}"
                )
            outcome.watch(model.theatre)  # one the theatre cannot answer is refused before any work
            outcomes[name] = (outcome, float(within))
        elif isinstance(question, Outcome) or not callable(question):
            raise TypeError(
                f"{where}: headline {name!r} must be (outcome, days), such as (Pressure('half_ring'), 30), or a "
                f"function of parameter values, but was {question!r}"
            )
    if start is None and outcomes:
        if not record.named:
            raise ValueError(
                f"{where}: a count without names does not say where to start; pass start=, such as "
                "theatre.record.until('…').state()"
            )
        start = record.state()
    begun = start if start is not None else State(dict.fromkeys(record.provinces, Control.GOVERNMENT))
    runs = _Runs(model, begun, int(replications), seed, outcomes)
    return {name: Headline(name, question, runs) for name, question in given.items()}
