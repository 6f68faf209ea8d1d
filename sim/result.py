"""The answers of a scenario, and all it takes to make them again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sim import report
from sim.calibration import Posterior
from sim.case import Case
from sim.ensemble import Ensemble
from sim.outcomes import Pressure
from sim.plain import digest
from sim.projection import Projection, pooled
from sim.record import Record
from sim.theatre import Theatre

if TYPE_CHECKING:
    from sim.scenario import Scenario

__all__ = ["Result"]


@dataclass(frozen=True, eq=False)
class Result:
    """The answers of a scenario: ``rows`` to compute with, ``describe`` to make the run again.

    Parameters
    ----------
    scenario : Scenario
    cases : mapping of family to Case
        What was run.
    ensembles : mapping of family to Ensemble
    seed, replications : int
        Replications of each family.
    """

    scenario: Scenario
    cases: Mapping[str, Case]
    ensembles: Mapping[str, Ensemble]
    seed: int
    replications: int
    projections: Mapping[tuple[str, str], Projection] = field(init=False)
    rows: tuple[report.Row, ...] = field(init=False)

    def __post_init__(self) -> None:
        answers: dict[tuple[str, str], Projection] = {}
        found: list[report.Row] = []
        hub = next(iter(self.cases.values())).model.theatre.hub
        for outcome, within in self.scenario.asked:
            if hub is None and isinstance(outcome, Pressure):
                continue  # there is nothing to press on
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

    def __repr__(self) -> str:
        return f"<Result of {self.scenario.name}: {', '.join(self.cases)}, {self.replications} replications each>"

    @property
    def theatre(self) -> Theatre:
        """The theatre, as the scenario reads it."""
        return next(iter(self.ensembles.values())).theatre

    @property
    def week(self) -> Record:
        """What was known."""
        return self.theatre.record.until(self.scenario.seen_from)

    @property
    def posteriors(self) -> Mapping[str, Posterior]:
        """What each family learned of the week; empty where nothing was calibrated."""
        return {name: case.posterior for name, case in self.cases.items() if case.posterior is not None}

    @property
    def weights(self) -> dict[str, float]:
        """The weight of each family in the pooled answer."""
        return {name: 1.0 / len(self.ensembles) for name in self.ensembles}

    @property
    def digest(self) -> str:
        """A hash of every bit of every ensemble: the same wherever the same scenario ran with the same seed."""
        return digest({name: ensemble.digest for name, ensemble in self.ensembles.items()})

    def describe(self) -> dict[str, Any]:
        """Return all it takes to make the run again, as plain values."""
        scenario = self.scenario
        return {
            "scenario": scenario.describe(),
            "theatre": {"name": self.theatre.name, "title": self.theatre.title, "credits": list(self.theatre.credits)},
            "versions": report.versions(),
            "seed": self.seed,
            "replications": self.replications,
            "digest": self.digest,
            "draws": {name: int(ensemble.draw.max()) + 1 for name, ensemble in self.ensembles.items()},
            "horizon_days": scenario.horizon,
            "families": {name: _described(case) for name, case in self.cases.items()},
            "pooled_weights": self.weights,
            "facts": [
                *({"id": name, "fact": text, "source": scenario.source} for name, text in scenario.facts.items()),
                *self.week.facts,
            ],
            "read_as": list(scenario.readings),
        }


def _described(case: Case) -> dict[str, Any]:
    told: dict[str, Any] = {"model": case.model.describe()}
    if case.posterior is not None:
        told["posterior"] = case.posterior.describe()
    return told
