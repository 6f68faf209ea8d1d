"""A named, dated, sourced what-if: what it asks, what it changes, and what it rests on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field, fields, replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any, Literal

from sim import given
from sim.case import Case
from sim.comparing import differences
from sim.control import nearest
from sim.families import FAMILIES
from sim.hazards import Hazard, Term
from sim.model import Model
from sim.outcomes import PRESSURES, FullControl, Outcome, Pressure
from sim.plain import digest, to_plain
from sim.projecting import DRAWS, Memory, Tell, cases_of, models_of, project
from sim.result import Result
from sim.spelling import arguments
from sim.tables import as_date
from sim.theatre import Theatre
from sim.toml_text import save_toml

__all__ = ["Memory", "Scenario", "scenario_keys"]

_LABELS = ("name", "title", "base")
_FOLLOWS = ("models", "press", "best_date")


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
    seen_from : date or str
        The evening (a date, kept as ISO text) after which nothing is known.
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
    beside : tuple of str
        Scenarios whose answers stand beside this one's in what is printed: names, or paths of files.
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
    seen_from: date | str = "2021-08-12"
    families: tuple[str, ...] = tuple(FAMILIES)
    models: Mapping[str, Mapping[str, Hazard | Term]] = field(default_factory=dict)
    levers: Mapping[str, Hazard | Term] = field(default_factory=dict)
    processes: tuple[Callable[..., Any], ...] = ()
    follows: Literal["models", "press", "best_date"] = "models"
    facts: Mapping[str, str] = field(default_factory=dict)
    source: str = ""
    arguments: Mapping[str, str] = field(default_factory=dict)
    readings: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    pressure_within: tuple[float, ...] = (3, 7, 14, 30)
    control_within: tuple[float, ...] = (60, 90, 120)
    horizon: float = 180.0

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name:
            raise ValueError(f"scenario: name must be a text, but was {self.name!r}")
        where = f"scenario {self.name}"
        for name in ("title", "base", "theatre", "source"):
            given.require_text(getattr(self, name), f"{where}: {name}")
        freeze = partial(object.__setattr__, self)
        freeze("seen_from", as_date(self.seen_from, f"{where}: seen_from").isoformat())
        for name in ("readings", "beside"):
            freeze(name, given.texts(getattr(self, name), where, name))
        for name in ("pressure_within", "control_within"):
            freeze(name, given.days(getattr(self, name), where, name))
        for name in ("facts", "arguments"):
            freeze(name, given.texts_by_name(getattr(self, name), where, name))
        freeze("processes", given.functions(self.processes, where, "processes"))
        freeze("models", given.models(self.models, where))
        freeze("levers", given.hazards(self.levers, f"{where}: levers"))
        freeze("families", given.families(self.families, self.models, where))
        if self.follows not in _FOLLOWS:
            rule = f"must be 'models', 'press' or 'best_date', but was {self.follows!r}"
            raise ValueError(f"{where}: follows {rule}; {nearest(self.follows, _FOLLOWS)}")
        if self.follows != "models" and (self.levers or self.processes):
            raise ValueError(f"{where}: a record is replayed as it was; leave levers and processes out")
        if not given.is_days(self.horizon) or not self.horizon:
            raise ValueError(f"{where}: horizon must be a positive finite number of days, but was {self.horizon!r}")
        freeze("horizon", float(self.horizon))
        known = (*self.lever_parameters, *self._own_parameters, *(each.name for each in fields(self)))
        for name in self.arguments:
            if name not in known:
                hint = nearest(name, known)
                raise ValueError(f"{where}: an argument is given for {name!r}, which it has not; {hint}")

    def __reduce__(self) -> tuple[Any, ...]:
        return partial(Scenario, **{each.name: _thawed(getattr(self, each.name)) for each in fields(self)}), ()

    @property
    def lever_parameters(self) -> tuple[str, ...]:
        """Names of the levers' parameters, as the projected models have them."""
        return tuple(given.parameters(self.levers))

    @property
    def _own_parameters(self) -> tuple[str, ...]:
        return tuple(f"{name}.{each}" for name, hazards in self.models.items() for each in given.parameters(hazards))

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
                hint = (
                    "name and title come first, and base is this one's name"
                    if change in _LABELS
                    else nearest(change, known)
                )
                raise ValueError(f"scenario {name}: no field {change!r} to change; {hint}")
        for added in ("facts", "arguments", "models", "levers"):
            mine, more = getattr(self, added), changes.get(added)
            if isinstance(more, Mapping):  # what is none is refused where any scenario refuses it
                if added == "levers":
                    more = {name: mine[name] * lever if name in mine else lever for name, lever in more.items()}
                changes[added] = {**mine, **more}
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
        told = differences(here, there, most=20, names=(f"in {self.name}", f"in {other.name}"))
        return tuple([line for name in here for line in told if line.startswith(f"{name}: ")] or told)

    def describe(self) -> dict[str, Any]:
        """Return the scenario as plain values, for files of a run: facts and readings stand there by themselves."""
        told = to_plain(self)["Scenario"] | {"digest": self.digest}
        return {name: _unwrapped(value) for name, value in told.items() if name not in ("facts", "readings")}

    def save(self, path: str | Path) -> None:
        """Write the scenario to a TOML file, from which ``sim.load_scenario`` makes it again.

        The file stands for itself: what came from a base is written out, and the base only named. An existing file is
        replaced, whole or not at all. Raise a TypeError if the scenario holds functions (Custom terms, processes), or
        terms or priors that are not sweepcast's own, a ValueError unless the name ends in .toml.
        """
        where = f"scenario {self.name}"
        if self.processes:
            raise TypeError(f"{where}: processes are functions, which no TOML file holds; keep them in a .py script")
        save_toml(self, Path(path), keys=scenario_keys(), renamed={"base": "based_on"}, where=where)

    def models_on(self, theatre: Theatre) -> dict[str, tuple[Model, Model]]:
        """Return by family the model to calibrate and the model to project, levers included.

        Raise a ValueError if a family cannot take a lever, or the theatre lacks what a term needs.
        """
        return models_of(self, theatre)

    def cases(
        self, *, seed: int, draws: int = DRAWS, memory: Memory | None = None, progress: Tell | None = None
    ) -> dict[str, Case]:
        """Return by family what is to be run: every family calibrated on what was known, with its levers.

        *draws* is the number of parameter draws. *memory* keeps calibrations: scenarios that share one calibrate what
        they have in common once. With ``follows`` the record there is one case, called "record".
        """
        return cases_of(self, seed=seed, draws=draws, memory=memory, progress=progress)

    def run(
        self, *, seed: int, replications: int = 10_000, executor: Executor | None = None, memory: Memory | None = None,
        progress: Tell | None = None,
    ) -> Result:  # fmt: skip
        """Calibrate every family on what was known, project it, and return the answers.

        *executor* does the work, as for ``sim.simulate``; *memory* is that of ``cases``; *progress* is told what is
        being done, and the share of it done.
        """
        return project(
            self, seed=seed, replications=replications, executor=executor, memory=memory, progress=progress
        )  # fmt: skip


def scenario_keys() -> dict[str, Any]:
    """Return what a TOML file of a scenario may hold, and of which type: its fields, less what no table tells.

    ``base`` is a scenario to make it from; ``based_on`` only names the one it was made from.
    """
    return {name: hint for name, hint in arguments(Scenario).items() if name != "processes"} | {"based_on": str}


def _thawed(value: Any) -> Any:
    """Return frozen mappings as dictionaries, which can be pickled."""
    return {key: _thawed(item) for key, item in value.items()} if isinstance(value, Mapping) else value


def _unwrapped(plain: Any) -> Any:
    """Return plain values with mappings as they are, not as "mapping" and what it holds."""
    if isinstance(plain, dict) and set(plain) == {"mapping"}:
        return {key: _unwrapped(item) for key, item in plain["mapping"].items()}
    return plain
