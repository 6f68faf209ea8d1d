"""Mistakes put into the fit by patching shipped functions: what simulation-based calibration is there to catch."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sim import calibration, likelihood, subsets
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


def scale_of_prior_confused(patch: pytest.MonkeyPatch, model: Model) -> None:
    """The fit takes a prior's scale for two standard deviations; the weeks were drawn with it as one."""
    shipped = calibration.from_scores
    patch.setattr(calibration, "from_scores", lambda one, scores: shipped(one, 0.5 * scores))


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


MISTAKES = (exposure_one_day_short, scale_of_prior_confused, road_and_border_swapped)
