"""Replications of one recipe, whatever is kept of them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sim import netcdf
from sim.control import State
from sim.law import Watch
from sim.model import Model
from sim.recipe import Failure, Recipe
from sim.theatre import Theatre

if TYPE_CHECKING:
    import os

    import xarray

__all__ = ["Run"]


@dataclass(frozen=True, eq=False)
class Run:
    """Replications of one recipe, whatever is kept of them.

    Parameters
    ----------
    recipe : Recipe
        What it takes to make any of them again.
    numbers : ndarray of int64, shape (R,)
        Which replications these are, ascending: their addresses.
    failures : tuple of Failure
        Replications that raised, and are not among the others.
    """

    recipe: Recipe
    numbers: NDArray[np.int64]
    failures: tuple[Failure, ...]

    def __len__(self) -> int:
        return len(self.numbers)

    def _tail(self) -> str:
        failed = f", {len(self.failures)} FAILED (see .failures)" if self.failures else ""
        return f"{len(np.unique(self.draw))} draws, seed {self.seed}{failed}"

    @property
    def replications(self) -> int:
        """How many trajectories there are."""
        return len(self.numbers)

    @property
    def draw(self) -> NDArray[np.int64]:
        """The parameter draw each replication used, shape (R,)."""
        return np.asarray(self.numbers % len(self.recipe.draws))

    @property
    def model(self) -> Model:
        """The model that was run."""
        return self.recipe.model

    @property
    def theatre(self) -> Theatre:
        """The theatre it was run on."""
        return self.recipe.model.theatre

    @property
    def provinces(self) -> tuple[str, ...]:
        """Names of the provinces, in the order of the columns."""
        return self.theatre.provinces

    @property
    def start(self) -> State:
        """Control at the start, as it was known."""
        return self.recipe.start

    @property
    def horizon(self) -> float:
        """Days since the start after which nothing was watched (right-censoring)."""
        return self.recipe.horizon

    @property
    def seed(self) -> int:
        """The seed of every number drawn."""
        return self.recipe.seed

    def first_passage(self, watch: Watch) -> NDArray[np.float64]:
        """Return the first day since the start on which *watch* is true, shape (R,); inf if not by the horizon."""
        raise NotImplementedError

    def _arrays(self) -> dict[str, NDArray[Any]]:
        """Return what is kept, by name."""
        raise NotImplementedError

    def _freeze(self) -> None:
        for array in self._arrays().values():
            array.flags.writeable = False

    @cached_property
    def digest(self) -> str:
        """BLAKE2b of everything kept, in hexadecimal: equal for equal bits."""
        found = hashlib.blake2b(digest_size=16)
        for name, array in self._arrays().items():
            found.update(f"{name} {array.dtype.str} {array.shape}".encode())
            found.update(np.ascontiguousarray(array).tobytes())
        for failure in self.failures:
            found.update(f"failed {failure.replication}".encode())
        return found.hexdigest()

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write everything to one netCDF file at *path*, whole or not at all; a file that is there is replaced.

        ``sim.open_ensemble`` reads it back, ``sim.rerun`` makes it again, and any reader of netCDF can open it. Raise
        an OSError if it cannot be written, a TypeError if the recipe holds what a file cannot even name.
        """
        netcdf.write(self.to_xarray(), self.recipe, path)

    def to_xarray(self) -> xarray.Dataset:
        """Return everything as a Dataset with labels, after the CF conventions: see ``sim.datasets``.

        Times are numbers with their units, exact to the bit; ``xarray.decode_cf`` turns them into dates.
        """
        raise NotImplementedError
