"""A log-likelihood as a value: what it weighs, by which facts, and with what error."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sim.model import Draws, Model
from sim.record import Record

__all__ = ["Likelihood", "from_scores"]

Floats: TypeAlias = NDArray[np.float64]
Kind: TypeAlias = Literal["count", "simulated", "captures", "contests"]

_SCRAMBLES = 8
#: The facts each kind of likelihood reads.
_READ: dict[Kind, tuple[str, ...]] = {
    "count": ("count",), "simulated": ("count",), "captures": ("capture",), "contests": ("capture", "sighting"),
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Likelihood:
    """The log-likelihood of *record* under *model*: call it with values, shape (draw, parameter).

    Parameters
    ----------
    kind : "count", "simulated", "captures" or "contests"
    text : str
        Which it is, in words.
    notes : tuple of str
        What of the record was read as what.
    carried : function of values, or None
        Gives, for each row, the probability that a capital nobody reported on is contested at the record's end.
    coarser : function of values, or None
        The same with half the nodes of the quadrature over frailties, where there is one.
    """

    model: Model
    record: Record
    kind: Kind
    text: str
    notes: tuple[str, ...]
    function: Callable[[Floats], Floats]
    again: Callable[[int], Callable[[Floats], Floats]] | None = None
    carried: Callable[[Floats], Floats] | None = None
    coarser: Callable[[Floats], Floats] | None = None

    def __call__(self, values: ArrayLike) -> Floats:
        """Return the log-likelihood of each row of *values*, in the order of ``model.parameters``.

        Raise a ValueError if a row has more or fewer values, or one lies outside its prior's support.
        """
        return self.function(self._rows(values))

    def _rows(self, values: ArrayLike) -> Floats:
        if isinstance(values, Draws):
            values = self.model.checked(values).values
        rows = np.array(values, dtype=float, ndmin=2)
        names = list(self.model.parameters)
        if rows.ndim != 2 or rows.shape[1] != len(names):
            raise ValueError(
                f"likelihood: values must have shape (row, {len(names)}), in the order of {', '.join(names)}, "
                f"but had {np.shape(values)}"
            )
        for column, (name, prior) in zip(rows.T, self.model.parameters.items(), strict=True):
            outside = column[(column < prior.lower) | (column > prior.upper)] if prior.free else column[:0]
            if len(outside):
                raise ValueError(
                    f"likelihood: {name} must lie between {prior.lower:g} and {prior.upper:g}, but was {outside[0]:g}"
                )
        return rows

    @property
    def facts(self) -> list[dict[str, str | int]]:
        """The facts that entered, with their sources."""
        return [fact for fact in self.record.facts if str(fact["id"]).partition(":")[0] in _READ[self.kind]]

    def error(self, values: ArrayLike) -> float:
        """Return the standard error of one log-likelihood at *values*, shape (parameter,); 0 if exact.

        It comes from eight independent scrambles, or eight independent simulations; where frailties are integrated,
        with the difference that half the nodes make.
        """
        rows = self._rows(values)
        found = [float(self.again(scramble)(rows)[0]) for scramble in range(1, _SCRAMBLES + 1)] if self.again else []
        other = float(self.coarser(rows)[0] - self.function(rows)[0]) if self.coarser else 0.0
        if not np.all(np.isfinite([*found, other])):
            return math.nan
        return math.hypot(float(np.std(found, ddof=1)) if found else 0.0, other)


def from_scores(model: Model, scores: Floats) -> Floats:
    """Return values, shape (row, parameter), from standard normal *scores* of the free ones, shape (row, free)."""
    columns = []
    free = 0
    for prior in model.parameters.values():
        if prior.free:
            columns.append(prior.from_score(scores[:, free]))
            free += 1
        else:
            columns.append(prior.from_score(np.zeros(len(scores))))
    return np.column_stack(columns)
