"""One evening of a hindcast: what was known on it, what is asked, what is said, and how that scores."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from sim.calibration import calibrate
from sim.checks import scores
from sim.checks.asking import POOL, Asking
from sim.checks.forecasts import Asked, Forecast, of_model, pooled_forecasts
from sim.checks.happened import Facts, already
from sim.checks.rivals import rivals
from sim.checks.standings import Score
from sim.checks.verbal import Reading, Statement, passage_of, speaks_of, statements
from sim.control import State
from sim.model import Model
from sim.record import Record
from sim.theatre import Theatre

__all__ = ["Evening", "Who"]

Floats: TypeAlias = NDArray[np.float64]
Bools: TypeAlias = NDArray[np.bool_]
#: Kind, name and reading of a forecaster.
Who: TypeAlias = tuple[str, str, str]
_Value: TypeAlias = tuple[str, str, float, float, bool]


class Evening:
    """One evening: what was known on it, what is asked, what is said, and how that scores."""

    def __init__(self, asking: Asking, origin: date, facts: Sequence[Facts]) -> None:
        self.asking, self.origin = asking, origin
        self.week = asking.theatre.record.until(origin)
        self.theatre = _known(asking.theatre, self.week)
        self.start: State = self.week.state()
        left = (asking.now - origin).days
        # Beyond now a count is known only if nothing was left to capture.
        whole = all(fact.all_captured_by(asking.now) for fact in facts)
        self.horizons = tuple(day for day in asking.horizons if whole or day <= left)
        outcomes = tuple(o for o in asking.outcomes if not already(o, self.theatre, self.start))
        self.asked = Asked(self.horizons or (1,), outcomes, left)

    def families(self, tell: Callable[[str], object], poor: list[tuple[str, str]]) -> dict[Who, Forecast]:
        asking, said = self.asking, {}
        for name, factory in asking.families.items():
            tell(f"{self.origin}: {name}")
            model = factory(self.theatre)
            if not isinstance(model, Model):
                raise TypeError(f"hindcast: family {name} must make a Model of a theatre, but made {model!r}")
            posterior = calibrate(model, self.week, seed=asking.seed, draws=asking.draws, accept_poor=True)
            if posterior.poor:
                poor.append((str(self.origin), name))
            said["family", name, ""] = of_model(
                model, posterior, self.start, self.asked, seed=asking.seed, replications=asking.replications,
                week=self.week,
            )  # fmt: skip
        return said

    def others(self, families: Mapping[Who, Forecast], notes: dict[str, None]) -> dict[Who, Forecast]:
        said: dict[Who, Forecast] = {}
        if len(families) > 1:
            said["pool", POOL, ""] = pooled_forecasts(list(families.values()))
        for name, forecast in rivals(self.week, self.theatre, self.asked).items():
            said["rival", name, ""] = forecast
        if len(self.horizons) < len(self.asking.horizons):
            notes[f"{self.origin}: horizons beyond now, {self.asking.now}, are left out"] = None
        for outcome in self.asking.outcomes:
            if outcome not in self.asked.outcomes:
                notes[f"{self.origin}: {outcome.name} was true already and is not scored"] = None
        spoken, _ = statements(self.week, self.theatre.hub)
        for reading in self.asking.readings:
            said |= self._assessed(spoken, reading)
        return said

    def _assessed(self, spoken: Sequence[Statement], reading: Reading) -> dict[Who, Forecast]:
        """Return each assessment in force, and of all that speak of an outcome the pool with equal weights."""
        said: dict[Who, Forecast] = {}
        together: dict[str, list[Floats]] = {}
        for statement in spoken:
            told = [o for o in self.asked.outcomes if speaks_of(statement, o, self.theatre.hub)]
            if told:
                bins = passage_of(statement, reading, self.origin, self.asked.evenings)
                said["assessment", statement.label, reading.name] = Forecast(None, None, {o.name: bins for o in told})
                for outcome in told:
                    together.setdefault(outcome.name, []).append(bins)
        if together:
            pool = {name: np.mean(found, axis=0) for name, found in together.items()}
            said["assessments", "assessments", reading.name] = Forecast(None, None, pool)
        return said

    def scored(self, who: Who, forecast: Forecast, fact: Facts, threshold: int) -> Iterator[Score]:
        """Yield every score of *forecast* against *fact*."""
        kind, name, reading = who
        parts = (self._counted(forecast, fact), self._placed(forecast, fact), self._timed(forecast, fact, threshold))
        for subject, score, horizon, value, below in itertools.chain(*parts):
            yield Score(str(self.origin), fact.basis, kind, name, reading, subject, score, horizon, value, below)

    def _counted(self, forecast: Forecast, fact: Facts) -> Iterator[_Value]:
        if forecast.counts is None:
            return
        for i, day in enumerate(self.horizons):
            held = int(fact.captured(self.start, self.origin, day).sum())
            chance, below = forecast.chance(_count_of(i, held))
            yield "capitals", "log", float(day), _minus_log(chance), bool(below)
            yield "capitals", "crps", float(day), scores.crps(forecast.counts[i], held), False

    def _placed(self, forecast: Forecast, fact: Facts) -> Iterator[_Value]:
        if forecast.provinces is None:
            return
        open_ = ~np.isin(self.theatre.provinces, self.start.lost)
        for i, day in enumerate(self.horizons):
            happened = fact.captured(self.start, self.origin, day)[open_]
            right, below = forecast.chance(_provinces_of(i, open_, happened))
            squared = scores.brier(forecast.provinces[i][open_], happened)
            logs = scores.binary_log(right, np.ones(len(right), bool))
            yield "provinces", "brier", float(day), float(np.mean(squared)), False
            yield "provinces", "log", float(day), float(np.mean(logs)), bool(below.any())

    def _timed(self, forecast: Forecast, fact: Facts, threshold: int) -> Iterator[_Value]:
        for outcome, bins in forecast.passages.items():
            evening = fact.evening(outcome, self.origin)
            chance, below = forecast.chance(_bin_of(outcome, int(min(evening, len(bins))) - 1))
            yield outcome, "log", math.nan, _minus_log(chance), bool(below)
            yield outcome, "crps", math.nan, scores.passage_crps(bins, evening), False
            yield outcome, "twcrps", math.nan, scores.passage_crps(bins, evening, threshold), False


def _minus_log(chance: Floats) -> float:
    return -math.log(chance) + 0.0 if chance > 0.0 else math.inf


def _count_of(i: int, held: int) -> Callable[[Forecast], Floats]:
    return lambda forecast: np.asarray([] if forecast.counts is None else forecast.counts[i, held])


def _provinces_of(i: int, open_: Bools, happened: Bools) -> Callable[[Forecast], Floats]:
    """Return what picks the probability given to what came of each province in question."""

    def pick(forecast: Forecast) -> Floats:
        p = np.asarray([] if forecast.provinces is None else forecast.provinces[i][open_])
        return np.where(happened, p, 1.0 - p)

    return pick


def _bin_of(outcome: str, place: int) -> Callable[[Forecast], Floats]:
    return lambda forecast: np.asarray(forecast.passages[outcome][place])


def _known(theatre: Theatre, week: Record) -> Theatre:
    """Return *theatre* with nothing in its record but *week*: a family cannot look at what it is not given."""
    columns = {
        name: [None if math.isnan(value) else float(value) for value in column]
        for name, column in theatre.columns.items()
    }
    return Theatre(
        theatre.provinces, theatre.borders, theatre.roads, hub=theatre.hub, columns=columns,
        capitals=theatre.capitals, labels=theatre.labels, record=week, name=theatre.name, title=theatre.title,
        timezone=theatre.timezone, credits=theatre.credits,
    )  # fmt: skip
