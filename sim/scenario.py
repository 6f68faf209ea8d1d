"""A named, dated, sourced what-if: what it changes, what it rests on, and how it is run."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field, fields, replace
from types import MappingProxyType
from typing import Any, Literal, TypeAlias

from sim.calibration import Posterior, calibrate
from sim.case import Case, levered, with_levers
from sim.comparing import differences
from sim.control import nearest, require_transition
from sim.engines.recorded import RecordedEngine
from sim.engines.simpy_engine import SimPyEngine
from sim.families import FAMILIES, constant
from sim.hazards import Hazard, Term
from sim.model import Model
from sim.outcomes import PRESSURES, FullControl, Outcome, Pressure
from sim.plain import digest, to_plain
from sim.result import Result
from sim.theatre import Theatre, load_theatre

__all__ = ["Memory", "Scenario"]

#: At most this many posterior draws, and at least this many replications of each: enough to tell doubt from chance.
_DRAWS, _EACH = 1000, 4
_POOLED = "pooled"
_LABELS = ("name", "title", "base")
Tell = Callable[[str, float], object]
#: Calibrations already made, by a hash of model, week and seed.
Memory: TypeAlias = dict[str, Posterior]


@dataclass(frozen=True)
class Scenario:
    """A question put to a theatre from what was known on a day, and what is assumed besides.

    Families are calibrated on what was known; *levers* then change their hazards from the start of the projection on.

    Parameters
    ----------
    name, title : str
    base : str
        The name of the scenario this one was made from; see ``but``.
    theatre : str
        A packaged theatre or a folder.
    borders, prefer : str
        How it is read where sources disagree, as for ``sim.load_theatre``.
    seen_from : str
        The evening (ISO date) after which nothing is known.
    families : tuple of str
        Model classes, of ``sim.families`` or of *models*.
    models : mapping of name to transitions
        Model classes of one's own: by name, a hazard for each transition, as ``sim.Model`` takes them.
    levers : mapping of transition to terms
        What multiplies a hazard from the start on. A transition that a family lacks is added, with the lever's own
        Baseline. Priors of levers are not updated by the week: they are drawn.
    processes : tuple of function
        SimPy processes run beside the race, as ``SimPyEngine`` takes them.
    follows : "models" or "press" or "best_date"
        Whether models are projected, or the record itself is replayed as an ensemble of one, by first report or by
        the day itself.
    facts : mapping of fact id to text
        What the scenario rests on, besides the record.
    source : str
        Where those facts stand.
    arguments : mapping of parameter or field to text
        Why a number is what it is, by the name of a lever's parameter (such as "fall.calendar.air") or of a field.
    readings : tuple of str
        What was read as what, for ``run.json``.
    pressure_within, control_within : tuple of float
        Days since the start for which probabilities are given.
    horizon : float
        Days since the start after which nothing is watched.

    Raises
    ------
    ValueError, TypeError
        If a family, transition or argument is unknown, or a value out of its range. Whether a family can take a lever
        shows in ``models_on``.
    """

    name: str
    title: str
    base: str = ""
    theatre: str = "afghanistan_2021"
    borders: Literal["agreed", "all"] = "agreed"
    prefer: str | None = None
    seen_from: str = "2021-08-12"
    families: tuple[str, ...] = tuple(FAMILIES)
    models: Mapping[str, Mapping[str, Hazard | Term]] = field(default_factory=dict)
    levers: Mapping[str, Hazard | Term] = field(default_factory=dict)
    processes: tuple[Callable[..., Any], ...] = ()
    follows: Literal["models", "press", "best_date"] = "models"
    facts: Mapping[str, str] = field(default_factory=dict)
    source: str = ""
    arguments: Mapping[str, str] = field(default_factory=dict)
    readings: tuple[str, ...] = ()
    pressure_within: tuple[float, ...] = (3, 7, 14, 30)
    control_within: tuple[float, ...] = (60, 90, 120)
    horizon: float = 180.0

    def __post_init__(self) -> None:
        where = f"scenario {self.name}"
        if not isinstance(self.name, str) or not self.name:
            raise ValueError(f"scenario: name must be a text, but was {self.name!r}")
        self._freeze(where)
        known = (*FAMILIES, *self.models)
        if not self.families:
            raise ValueError(f"{where}: name at least one family of {', '.join(known)}")
        for name in self.families:
            if name not in known:
                raise ValueError(f"{where}: no family {name!r}; {nearest(name, known)}")
        if len(set(self.families)) != len(self.families):
            raise ValueError(f"{where}: a family is named twice in {self.families!r}")
        if self.follows not in ("models", "press", "best_date"):
            hint = nearest(self.follows, ("models", "press", "best_date"))
            raise ValueError(
                f"{where}: follows must be 'models', 'press' or 'best_date', but was {self.follows!r}; {hint}"
            )
        if (
            isinstance(self.horizon, bool)
            or not isinstance(self.horizon, (int, float))
            or not 0 < self.horizon < math.inf
        ):
            raise ValueError(f"{where}: horizon must be a positive finite number of days, but was {self.horizon!r}")
        self._require_arguments(where)

    def _freeze(self, where: str) -> None:
        for name in ("families", "processes", "readings", "pressure_within", "control_within"):
            value = getattr(self, name)
            if isinstance(value, str) or not isinstance(value, Iterable):
                raise TypeError(f"{where}: {name} must be a tuple, but was {value!r}; write ({value!r},)")
            object.__setattr__(self, name, tuple(value))
        for name in ("pressure_within", "control_within"):
            for day in getattr(self, name):
                if isinstance(day, bool) or not isinstance(day, (int, float)) or not 0 <= day < math.inf:
                    raise ValueError(f"{where}: {name} must be finite days, not negative, but had {day!r}")
        for name in ("facts", "levers", "arguments", "models"):
            value = getattr(self, name)
            if not isinstance(value, Mapping):
                raise TypeError(f"{where}: {name} must be a mapping, but was {value!r}")
            object.__setattr__(self, name, MappingProxyType(dict(value)))
        for name, hazards in self.models.items():
            if name in FAMILIES or name == _POOLED:
                raise ValueError(f"{where}: a model of one's own may not be called {name!r}; choose another name")
            _require_hazards(hazards, f"{where}: model {name}")
        _require_hazards(self.levers, f"{where}: levers")
        object.__setattr__(
            self, "models", MappingProxyType({k: MappingProxyType(dict(v)) for k, v in self.models.items()})
        )

    def _require_arguments(self, where: str) -> None:
        known = (*self.lever_parameters, *(each.name for each in fields(self)))
        for name in self.arguments:
            if name not in known and name.split(".")[0] not in self.models:
                raise ValueError(
                    f"{where}: an argument is given for {name!r}, which it has not; {nearest(name, known)}"
                )

    def __reduce__(self) -> tuple[Any, ...]:
        given = {each.name: getattr(self, each.name) for each in fields(self)}
        plain = {name: dict(value) if isinstance(value, Mapping) else value for name, value in given.items()}
        plain["models"] = {name: dict(hazards) for name, hazards in self.models.items()}
        return _made, (plain,)

    @property
    def lever_parameters(self) -> tuple[str, ...]:
        """Names of the levers' parameters, as the projected models have them."""
        return tuple(f"{transition}.{name}" for transition, name in _values(self.levers))

    @property
    def digest(self) -> str:
        """A hash of everything the answers depend on and of everything told: equal for equal scenarios."""
        return digest(self)

    @property
    def asked(self) -> tuple[tuple[Outcome, tuple[float, ...]], ...]:
        """The outcomes, each with the days it is asked for."""
        pressure = tuple((Pressure(definition), self.pressure_within) for definition in PRESSURES)
        return (*pressure, (FullControl(), self.control_within), (FullControl(but=1), self.control_within))

    def but(self, name: str, title: str, **changes: Any) -> Scenario:
        """Return a scenario made from this one: *changes* replace fields; facts, arguments and levers are added to.

        A lever on a transition that has one already multiplies it. Raise a ValueError if a change names no field.
        """
        known = [each.name for each in fields(self)]
        for change in changes:
            if change not in known or change in _LABELS:
                raise ValueError(f"scenario {name}: no field {change!r} to change; {nearest(change, known)}")
        for added in ("facts", "arguments", "models"):
            if added in changes:
                changes[added] = {**getattr(self, added), **changes[added]}
        if "levers" in changes:
            levers = dict(self.levers)
            for transition, lever in changes["levers"].items():
                levers[transition] = levers[transition] * lever if transition in levers else lever
            changes["levers"] = levers
        return replace(self, name=name, title=title, base=self.name, **changes)

    def diff(self, other: Scenario) -> tuple[str, ...]:
        """Return in words how *other* differs from this scenario, a line for each field; names and titles are left out.

        Empty if they differ in nothing else.
        """
        if not isinstance(other, Scenario):
            raise TypeError(f"scenario {self.name}: diff compares with another Scenario, but was given {other!r}")
        here, there = (
            {name: told for name, told in to_plain(scenario)["Scenario"].items() if name not in _LABELS}
            for scenario in (self, other)
        )
        names = (f"in {self.name}", f"in {other.name}")
        return tuple(differences(here, there, most=20, names=names))

    def describe(self) -> dict[str, Any]:
        """Return the scenario as plain values, for files of a run."""
        told = {each.name: getattr(self, each.name) for each in fields(self) if each.name not in ("facts", "readings")}
        for name, value in told.items():
            if isinstance(value, tuple):
                told[name] = list(value)
        for name in ("models", "levers", "processes"):
            told[name] = to_plain(getattr(self, name))
        return told | {"arguments": dict(self.arguments), "digest": self.digest}

    def models_on(self, theatre: Theatre) -> dict[str, tuple[Model, Model]]:
        """Return by family the model to calibrate and the model to project, levers included.

        Raise a ValueError if a family cannot take a lever, or the theatre lacks what a term needs.
        """
        found = {}
        for name in self.families:
            own = self.models.get(name)
            model = FAMILIES[name](theatre) if own is None else Model(theatre, own, name=name)
            try:
                found[name] = model, levered(model, self.levers) if self.levers else model
            except ValueError as error:
                raise ValueError(f"scenario {self.name}: {error}") from None
        return found

    def cases(
        self, *, seed: int, draws: int = _DRAWS, memory: Memory | None = None, progress: Tell | None = None
    ) -> dict[str, Case]:
        """Return by family what is to be run: every family calibrated on what was known, with its levers.

        *draws* is the number of parameter draws. *memory* keeps calibrations: scenarios that share one calibrate what
        they have in common once. With ``follows`` the record there is one case, called "record".
        """
        theatre = load_theatre(self.theatre, borders=self.borders, prefer=self.prefer)
        week = theatre.record.until(self.seen_from)
        start = week.state()
        if self.follows != "models":
            engine = RecordedEngine(basis=self.follows)
            model = Model(theatre, constant(theatre).hazards, name="record")
            return {"record": Case("record", model, model.draw_prior(1, seed=seed), start, float(self.horizon), engine)}
        tell = progress if progress is not None else lambda what, share: None
        beside = SimPyEngine(processes=self.processes) if self.processes else None
        found: dict[str, Case] = {}
        for name, (calibrated, projected) in self.models_on(theatre).items():
            key = digest([to_plain(calibrated), to_plain(week), seed])
            posterior = None if memory is None else memory.get(key)
            if posterior is None:
                tell(f"calibrating {name}", 0.0)
                posterior = calibrate(
                    calibrated, week, seed=seed, draws=_DRAWS,
                    progress=lambda step, name=name: tell(f"calibrating {name}: step {step}", 0.0),  # type: ignore[misc]
                )  # fmt: skip
            if memory is not None:
                memory[key] = posterior
            thinned = posterior.thin(min(len(posterior), draws))
            mine = with_levers(projected, thinned, seed=seed)
            found[name] = Case(name, projected, mine, start, float(self.horizon), beside, posterior)
        return found

    def run(
        self, *, seed: int, replications: int = 10_000, executor: Executor | None = None, memory: Memory | None = None,
        progress: Tell | None = None,
    ) -> Result:  # fmt: skip
        """Calibrate every family on what was known, project it, and return the answers.

        *executor* does the work, as for ``sim.simulate``; *memory* is that of ``cases``; *progress* is told what is
        being done, and the share of it done.
        """
        if isinstance(replications, bool) or not isinstance(replications, int) or replications < 1:
            raise ValueError(f"scenario {self.name}: replications must be at least 1, but was {replications!r}")
        tell = progress if progress is not None else lambda what, share: None
        # With very few replications each takes a draw of its own, and no interval is given.
        several = replications // _EACH if replications >= 50 * _EACH else replications
        cases = self.cases(seed=seed, draws=min(_DRAWS, several), memory=memory, progress=progress)
        if self.follows != "models":
            replications = 1  # there is one record
        ensembles = {
            name: case.simulate(
                seed=seed, replications=replications, executor=executor,
                progress=lambda done, name=name: tell(f"projecting {name}", done / replications),
            )
            for name, case in cases.items()
        }  # fmt: skip
        return Result(self, cases, ensembles, seed, replications)


def _made(given: dict[str, Any]) -> Scenario:
    return Scenario(**given)


def _require_hazards(hazards: object, where: str) -> None:
    if not isinstance(hazards, Mapping):
        raise TypeError(f"{where} must be a mapping of transition to terms, but was {hazards!r}")
    for transition, hazard in hazards.items():
        require_transition(transition, where)
        if not isinstance(hazard, (Hazard, Term)):
            raise TypeError(f"{where}: {transition} must be a term or a product of terms, but was {hazard!r}")


def _values(levers: Mapping[str, Hazard | Term]) -> Iterable[tuple[str, str]]:
    for transition, lever in levers.items():
        for term in lever.terms if isinstance(lever, Hazard) else (lever,):
            for name in term.values:
                yield transition, name
