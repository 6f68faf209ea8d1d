"""What a search for regions found: a trajectory of boxes, the one picked, and what it holds."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from sim.control import nearest
from sim.explore.boxes import Box, Measured, freed, inside, measured, paste, quasi_p
from sim.model import Draws
from sim.report import table

__all__ = ["Limit", "Regions", "Step"]

Floats: TypeAlias = NDArray[np.float64]

#: A restriction with a larger quasi-p-value is lifted.
_UNSURE = 0.05


class Step(NamedTuple):
    """A box of the trajectory, measured on points it was not sought with; *restricted* counts its parameters."""

    number: int
    coverage: float
    density: float
    mass: float
    restricted: int


class Limit(NamedTuple):
    """A parameter the box restricts: lowest and highest value, both within, infinite where free; its quasi-p-value."""

    parameter: str
    low: float
    high: float
    quasi_p: float


@dataclass(frozen=True, eq=False, repr=False)
class Regions:
    """Boxes of parameters in which an assessment is right, and the one that was picked.

    Parameters
    ----------
    family, outcome : str
    within : float
        Days since the start.
    right_means : str
        When a point counts as right.
    parameters : tuple of str
    points : ndarray, shape (point, parameter)
        Rates per day; effects without unit. The first half sought the boxes, the second measures them.
    probabilities : ndarray, shape (point,)
        Of the outcome within so many days, at each point.
    right : ndarray of bool, shape (point,)
    boxes : tuple of Box
        The trajectory, from all of space on.
    number : int
        The one picked, of the trajectory.
    box : Box
        The same, pasted, and without restrictions that are not sure or not wanted; see ``pick``.
    alpha, level : float
        Share of a slab; probability of the density's interval.
    replications, failed : int
        Runs of each point, and how many of all failed.
    seed : int
    failure : str
        The first traceback, if a run failed.
    """

    family: str
    outcome: str
    within: float
    right_means: str
    parameters: tuple[str, ...]
    points: Floats
    probabilities: Floats
    right: NDArray[np.bool_]
    boxes: tuple[Box, ...]
    number: int
    box: Box
    alpha: float
    level: float
    replications: int
    failed: int
    seed: int
    failure: str = ""

    def __repr__(self) -> str:
        return (
            f"<Regions of {self.family}: box {self.number} of {len(self.boxes)}, density {self.measured.density:.2f}>"
        )

    @property
    def _seek(self) -> slice:
        return slice(0, len(self.points) // 2)

    @property
    def _test(self) -> slice:
        return slice(len(self.points) // 2, None)

    def _measure(self, box: Box) -> Measured:
        return measured(self.points[self._test], self.right[self._test], box)

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """The trajectory of boxes as peeled."""
        found = []
        for number, box in enumerate(self.boxes):
            mine = self._measure(box)
            found.append(Step(number, mine.coverage, mine.density, mine.mass, int(box.restricted.sum())))
        return tuple(found)

    @cached_property
    def measured(self) -> Measured:
        """What the picked box holds of the points it was not sought with."""
        return self._measure(self.box)

    @property
    def base_rate(self) -> float:
        """The density of all of space."""
        return self.measured.all_right / self.measured.total

    @property
    def found(self) -> bool:
        """Whether the picked box restricts something, and its density, interval and all, is above that of all space."""
        return bool(self.box.restricted.any()) and self.measured.density_interval(self.level)[0] > self.base_rate

    @cached_property
    def rows(self) -> tuple[Limit, ...]:
        """What the picked box restricts, the surest first."""
        values = self._quasi_p(self.box)
        limits = [
            Limit(self.parameters[j], float(self.box.low[j]), float(self.box.high[j]), float(values[j]))
            for j in np.flatnonzero(self.box.restricted)
        ]
        return tuple(sorted(limits, key=lambda row: row.quasi_p))

    def pick(self, number: int | None = None, *, without: Iterable[str] | None = None) -> Regions:
        """Return the same with box *number* of the trajectory, by default the one it has, pasted.

        Parameters *without* are left free: unless given, those whose restriction has a quasi-p-value above 0.05, one
        after the other, the largest first. Raise a ValueError if there is no such box or parameter.
        """
        wanted = self.number if number is None else number
        if isinstance(wanted, bool) or not isinstance(wanted, int) or not 0 <= wanted < len(self.boxes):
            raise ValueError(f"regions: number must be from 0 to {len(self.boxes) - 1}, but was {number!r}")
        box = paste(self.points[self._seek], self.right[self._seek], self.boxes[wanted], alpha=self.alpha)
        if without is None:
            while (values := self._quasi_p(box)).max() > _UNSURE:
                box = freed(box, int(values.argmax()))
            return replace(self, number=wanted, box=box)
        for name in (without,) if isinstance(without, str) else without:
            if name not in self.parameters:
                raise ValueError(f"regions: no parameter {name!r} to leave free; {nearest(name, self.parameters)}")
            box = freed(box, self.parameters.index(name))
        return replace(self, number=wanted, box=box)

    def _quasi_p(self, box: Box) -> Floats:
        """Return the quasi-p-value of each restriction; 0 where there is none."""
        values = quasi_p(self.points[self._test], self.right[self._test], box)
        return np.where(box.restricted, values, 0.0)

    def holds(self, draws: Draws) -> NDArray[np.bool_]:
        """Return which of *draws*, such as a posterior's, lie in the box. Raise a KeyError if they lack a parameter."""
        return inside(np.column_stack([draws[name] for name in self.parameters]), self.box)

    def summary(self) -> str:
        """Return the picked box, what it holds, and the trajectory as text."""
        mine, (low, high) = self.measured, self.measured.density_interval(self.level)
        lines = [f"{self.family}: right means {self.right_means}; so are {self.base_rate:.2f} of all points"]
        if self.found:
            lines.append(
                f"box {self.number}: density {mine.density:.2f} ({low:.2f} to {high:.2f}), coverage "
                f"{mine.coverage:.2f}, mass {mine.mass:.2f}"
            )
            body = [[row.parameter, _edge(row.low), _edge(row.high), _small(row.quasi_p)] for row in self.rows]
            lines.append(table(["parameter", "from", "to", "quasi-p"], body))
        else:
            lines.append(
                f"no region: the best box has density {mine.density:.2f} ({low:.2f} to {high:.2f}), no better than all"
            )
        lines.append("trajectory, every fifth box:")
        body = [
            [f"{step.number}", f"{step.coverage:.2f}", f"{step.density:.2f}", f"{step.mass:.2f}", f"{step.restricted}"]
            for step in self.steps[::5]
        ]  # fmt: skip
        lines.append(table(["box", "coverage", "density", "mass", "restricted"], body))
        half = len(self.points) // 2
        lines.append(
            f"{half:,} points sought the boxes, {len(self.points) - half:,} others measure them, {self.replications} "
            f"runs each, {self.failed:,} failed; {self.level:.0%} interval; seed {self.seed}"
        )
        return "\n".join(lines)

    def plain(self) -> dict[str, Any]:
        """Return the answers as plain values, without the points."""
        names = (
            "family", "outcome", "within", "right_means", "number", "base_rate", "found", "alpha", "level",
            "replications", "failed", "seed", "failure",
        )  # fmt: skip
        told: dict[str, Any] = {name: getattr(self, name) for name in names}
        told["parameters"], told["points"] = list(self.parameters), len(self.points)
        for name in ("coverage", "density", "mass"):
            told[name] = getattr(self.measured, name)
        told["density_low"], told["density_high"] = self.measured.density_interval(self.level)
        told["rows"] = [row._asdict() for row in self.rows]
        return told | {"steps": [step._asdict() for step in self.steps]}


def _edge(value: float) -> str:
    return f"{value:.3g}" if math.isfinite(value) else "any"


def _small(value: float) -> str:
    return f"{value:.2f}" if value >= 0.005 else "<0.005"
