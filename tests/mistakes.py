"""Mistakes put into the fit by patching shipped functions: what simulation-based calibration is there to catch."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from sim import likelihood, sampling, subsets
from sim.hazards import Hazard, Neighbours
from sim.model import Model


def exposure_one_day_short(patch: pytest.MonkeyPatch, model: Model) -> None:
    """The last day under risk is not counted: captures are, survival is not."""
    laid = subsets.stages

    def short(*arguments: Any) -> subsets.Stages:
        table = laid(*arguments)
        days, left = table.days.copy(), 1.0
        for s in reversed(range(len(days))):
            cut = min(days[s], left)
            days[s], left = days[s] - cut, left - cut
        return replace(table, days=days)

    patch.setattr(subsets, "stages", short)


def prior_on_the_scale_of_values(patch: pytest.MonkeyPatch, model: Model) -> None:
    """Walkers walk on scores, but the prior is weighed as a density of values: the Jacobian is forgotten."""
    walked = sampling.ensembles
    priors = [model.parameters[name] for name in model.free]

    def confused(density: sampling.Density, *arguments: Any) -> sampling.Sample:
        def wrong(scores: np.ndarray) -> np.ndarray:
            near = np.clip(scores, -30.0, 30.0)
            weighed = sum(p.log_density(p.from_score(z)) + 0.5 * z * z for p, z in zip(priors, near.T, strict=True))
            return density(scores) + weighed

        return walked(wrong, *arguments)

    patch.setattr(sampling, "ensembles", confused)


def road_and_border_swapped(patch: pytest.MonkeyPatch, model: Model) -> None:
    """The likelihood reads the border's parameter as the road's, and the road's as the border's."""
    lowered = likelihood.lower

    def swapped(one: Model, *arguments: Any) -> Any:
        hazards = {
            name: Hazard(
                tuple(
                    replace(term, via="border" if term.via == "road" else "road")
                    if isinstance(term, Neighbours)
                    else term
                    for term in hazard.terms
                )
            )
            for name, hazard in one.hazards.items()
        }
        return lowered(Model(one.theatre, hazards, one.contested, one.name), *arguments)

    patch.setattr(likelihood, "lower", swapped)


MISTAKES = (exposure_one_day_short, prior_on_the_scale_of_values, road_and_border_swapped)
