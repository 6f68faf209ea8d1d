"""A named, dated, sourced what-if, and the answers it gives."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

from sim import report
from sim.calibration import Posterior, calibrate
from sim.control import nearest
from sim.ensemble import Ensemble
from sim.families import FAMILIES
from sim.outcomes import PRESSURES, FullControl, Outcome, Pressure
from sim.projection import Projection, pooled
from sim.record import Record
from sim.simulation import simulate
from sim.theatre import Theatre, load_theatre

__all__ = ["Result", "Scenario"]

#: At most this many posterior draws, and at least this many replications of each: enough to tell doubt from chance.
_DRAWS, _EACH = 1000, 4


@dataclass(frozen=True)
class Scenario:
    """A question put to a theatre from what was known on a day.

    Parameters
    ----------
    name, title : str
    theatre : str
        A packaged theatre or a folder.
    borders, prefer : str
        How it is read where sources disagree, as for ``sim.load_theatre``.
    seen_from : str
        The evening (ISO date) after which nothing is known.
    families : tuple of str
        Model classes from ``sim.families``.
    facts : mapping of fact id to text
        What the scenario rests on, besides the record.
    source : str
        Where those facts stand.
    readings : tuple of str
        What was read as what, for ``run.json``.
    pressure_within, control_within : tuple of float
        Days since the start for which probabilities are given.
    horizon : float
        Days since the start after which nothing is watched.
    """

    name: str
    title: str
    theatre: str = "afghanistan_2021"
    borders: Literal["agreed", "all"] = "agreed"
    prefer: str | None = None
    seen_from: str = "2021-08-12"
    families: tuple[str, ...] = tuple(FAMILIES)
    facts: Mapping[str, str] = field(default_factory=dict)
    source: str = ""
    readings: tuple[str, ...] = ()
    pressure_within: tuple[float, ...] = (3, 7, 14, 30)
    control_within: tuple[float, ...] = (60, 90, 120)
    horizon: float = 180.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "facts", MappingProxyType(dict(self.facts)))
        if not self.families:
            raise ValueError(f"scenario {self.name}: name at least one family of {', '.join(FAMILIES)}")
        for name in self.families:
            if name not in FAMILIES:
                raise ValueError(f"scenario {self.name}: no family {name!r}; {nearest(name, FAMILIES)}")
        if len(set(self.families)) != len(self.families):
            raise ValueError(f"scenario {self.name}: a family is named twice in {self.families!r}")
        if not 0 < self.horizon < math.inf:
            raise ValueError(
                f"scenario {self.name}: horizon must be a positive finite number of days, but was {self.horizon!r}"
            )

    @property
    def asked(self) -> tuple[tuple[Outcome, tuple[float, ...]], ...]:
        """The outcomes, each with the days it is asked for."""
        pressure = tuple((Pressure(definition), self.pressure_within) for definition in PRESSURES)
        return (*pressure, (FullControl(), self.control_within), (FullControl(but=1), self.control_within))

    def run(
        self, *, seed: int, replications: int = 10_000, progress: Callable[[str, float], object] | None = None
    ) -> Result:
        """Calibrate every family on what was known, project it, and return the answers.

        *progress* is told what is being done, and the share of it done.
        """
        theatre = load_theatre(self.theatre, borders=self.borders, prefer=self.prefer)
        week = theatre.record.until(self.seen_from)
        start = week.state()
        tell = progress if progress is not None else lambda what, share: None
        posteriors: dict[str, Posterior] = {}
        ensembles: dict[str, Ensemble] = {}
        for name in self.families:
            model = FAMILIES[name](theatre)
            tell(f"calibrating {name}", 0.0)
            posteriors[name] = posterior = calibrate(
                model, week, seed=seed, draws=_DRAWS,
                progress=lambda step, name=name: tell(f"calibrating {name}: step {step}", 0.0),  # type: ignore[misc]
            )  # fmt: skip
            # With very few replications each takes a draw of its own, and no interval is given.
            several = replications // _EACH if replications >= 50 * _EACH else replications
            draws = posterior.thin(min(len(posterior), several))
            ensembles[name] = simulate(
                model, draws, start=start, horizon=self.horizon, replications=replications, seed=seed,
                progress=lambda done, name=name: tell(f"projecting {name}", done / replications),  # type: ignore[misc]
            )  # fmt: skip
        return Result(self, theatre, week, seed, replications, posteriors, ensembles)


@dataclass(frozen=True, eq=False)
class Result:
    """The answers of a scenario: ``rows`` to compute with, ``describe`` to make the run again."""

    scenario: Scenario
    theatre: Theatre
    week: Record
    seed: int
    replications: int
    posteriors: Mapping[str, Posterior]
    ensembles: Mapping[str, Ensemble]
    projections: Mapping[tuple[str, str], Projection] = field(init=False)
    rows: tuple[report.Row, ...] = field(init=False)

    def __post_init__(self) -> None:
        answers: dict[tuple[str, str], Projection] = {}
        found: list[report.Row] = []
        for outcome, within in self.scenario.asked:
            mine = {family: outcome(ensemble) for family, ensemble in self.ensembles.items()}
            if len(mine) > 1:
                mine["pooled"] = pooled(mine)
            for family, projection in mine.items():
                answers[family, outcome.name] = projection
                count = self.replications * (len(self.ensembles) if family == "pooled" else 1)
                found += report.rows(self.scenario.name, family, projection, within, count, self.seed)
        order = [*self.ensembles, "pooled"]
        object.__setattr__(self, "projections", answers)
        object.__setattr__(self, "rows", tuple(sorted(found, key=lambda row: order.index(row.family))))

    @property
    def weights(self) -> dict[str, float]:
        """The weight of each family in the pooled answer."""
        return {name: 1.0 / len(self.ensembles) for name in self.ensembles}

    def describe(self) -> dict[str, Any]:
        """Return all it takes to make the run again, as plain values."""
        return {
            "scenario": {
                "name": self.scenario.name,
                "title": self.scenario.title,
                "seen_from": self.scenario.seen_from,
                "borders": self.scenario.borders,
                "prefer": self.scenario.prefer,
                "families": list(self.scenario.families),
                "pressure_within": list(self.scenario.pressure_within),
                "control_within": list(self.scenario.control_within),
            },
            "theatre": {"name": self.theatre.name, "title": self.theatre.title, "credits": list(self.theatre.credits)},
            "versions": report.versions(),
            "seed": self.seed,
            "replications": self.replications,
            "draws": {name: int(ensemble.draw.max()) + 1 for name, ensemble in self.ensembles.items()},
            "horizon_days": self.scenario.horizon,
            "families": {
                name: {"model": posterior.model.describe(), "posterior": posterior.describe()}
                for name, posterior in self.posteriors.items()
            },
            "pooled_weights": self.weights,
            "facts": [
                *(
                    {"id": name, "fact": text, "source": self.scenario.source}
                    for name, text in self.scenario.facts.items()
                ),
                *self.week.facts,
            ],
            "read_as": list(self.scenario.readings),
        }
