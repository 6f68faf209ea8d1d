"""When a run is long enough: an outcome's probability, known to a stated half-width."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass

import numpy as np

from sim.ensemble import Run
from sim.outcomes import Outcome

__all__ = ["Precision"]

#: Half the width of a normal 95% interval, in standard errors.
_NORMAL = 1.96
#: Looks are taken at whole multiples of so many replications.
_STEP = 500


@dataclass(frozen=True)
class Precision:
    """Add replications until an outcome's probability is known to *half_width*, by 1.96 standard errors.

    Looks are taken at counts that follow from the results so far, which do not depend on workers, and so neither does
    the count a run stops at. Replication r takes draw r mod D: each new one brings a new draw, until all D given are
    used. Of an outcome that seldom happens, or seldom fails to, the half-width holds at least as often as said, but
    1.96 standard errors, from few hits, hold less often.

    Parameters
    ----------
    outcome : Outcome
    within : float
        Days since the start.
    half_width : float
        Of a 95% interval for the probability, from the finite number of replications and draws.
    at_least : int
        Replications of the first look.
    at_most : int
        Replications after which to stop all the same, with a warning.
    """

    outcome: Outcome
    within: float
    half_width: float
    at_least: int = 1000
    at_most: int = 1_000_000

    def __post_init__(self) -> None:
        if not isinstance(self.outcome, Outcome):
            raise TypeError(f"Precision: outcome must be one such as Pressure('half_ring'), but was {self.outcome!r}")
        for name in ("within", "half_width"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, (int, float, np.number)):
                raise TypeError(f"Precision: {name} must be a number, but was {value!r}")
        if not 0.0 <= self.within < math.inf:
            raise ValueError(f"Precision: within must be a finite number of days, at least 0, but was {self.within!r}")
        if not 0.0 < self.half_width < 0.5:
            raise ValueError(f"Precision: half_width must be above 0 and below 0.5, but was {self.half_width!r}")
        for name in ("at_least", "at_most"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
                raise TypeError(f"Precision: {name} must be a whole number, but was {value!r}")
        if not 100 <= self.at_least <= self.at_most < 2**32:
            raise ValueError(
                "Precision: 100 <= at_least <= at_most < 2**32 must hold, for fewer cannot tell how precise they are, "
                f"but was {self.at_least!r}, {self.at_most!r}"
            )

    def first(self, horizon: float) -> int:
        """Return how many replications the first look takes. Raise a ValueError if *horizon* comes before *within*."""
        if self.within > horizon:
            raise ValueError(f"Precision: within must be at most the horizon {horizon:g}, but was {self.within!r}")
        return int(self.at_least)

    def reached(self, runs: Run) -> float:
        """Return the half-width that *runs* have reached."""
        estimate = self.outcome(runs).probability(self.within)
        # Two hits and two misses more (Agresti and Coull 1998, doi:10.2307/2685469): none of many is no proof of never.
        near = (estimate.value * len(runs) + 2) / (len(runs) + 4)
        return _NORMAL * max(estimate.mc_error, math.sqrt(near * (1 - near) / (len(runs) + 4)))

    def following(self, runs: Run) -> int | None:
        """Return how many replications in all the next look takes; None if *runs* are enough or no more are allowed."""
        reached, taken, draws = self.reached(runs), len(runs) + len(runs.failures), len(runs.recipe.draws)
        if reached <= self.half_width:
            return None
        floor = self._floor(runs) if taken >= 2 * draws > 2 else 0.0
        if floor > self.half_width:
            _warn(
                f"no number of replications brings half-width {self.half_width:g}: the {draws:,} draws alone leave "
                f"{floor:.2g}; give about {math.ceil(draws * (floor / self.half_width) ** 2 / 100) * 100:,} draws"
            )
            return None
        if taken >= self.at_most:
            _warn(
                f"half-width {reached:.2g} was reached, not {self.half_width:g}, with the {taken:,} replications "
                f"at_most allows; raise it"
            )
            return None
        # A little more than the square law asks for; never so much more that a first rough look decides alone.
        wanted = taken * min(4.0, max(1.1, 1.05 * (reached / self.half_width) ** 2))
        return min(int(self.at_most), math.ceil(wanted / _STEP) * _STEP)

    def _floor(self, runs: Run) -> float:
        """Return the half-width that the number of draws alone leaves: chance within draws taken out of the error."""
        trials = np.bincount(runs.draw)
        hit = runs.first_passage(self.outcome.watch(runs.theatre)) <= self.within
        share = np.bincount(runs.draw, weights=hit) / np.maximum(1, trials)
        several = trials > 1
        chance = (share * (1.0 - share) * trials / np.maximum(1, trials - 1))[several] / trials[several]
        error = self.outcome(runs).probability(self.within).mc_error
        return _NORMAL * math.sqrt(max(0.0, error**2 - float(chance.sum()) / len(trials) ** 2))


def _warn(text: str) -> None:
    warnings.warn(f"Precision: {text}", RuntimeWarning, stacklevel=4)
