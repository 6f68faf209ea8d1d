"""Runs put together of parts: no answer stands under another name, and draws are asked for no more than they say."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import pytest

import sim
from sim.families import constant
from sim.law import Watch
from sim.outcomes import Captured, Outcome, Pressure, Territory
from sim.record import Record
from sim.theatre import Theatre


@dataclass(frozen=True)
class Mine(Outcome):
    """A question of one's own, whose name does not say its threshold."""

    threshold: int

    @property
    def name(self) -> str:
        return "mine"

    def watch(self, theatre: Theatre) -> Watch:
        return Captured(self.threshold).watch(theatre)


def passages(theatre: Theatre, week: Record, *outcomes: Outcome, replications: int | range = 50) -> sim.Passages:
    model = constant(theatre)
    return sim.simulate(
        model, model.draw_prior(20, seed=1), start=week.state(), horizon=30, seed=1, replications=replications,
        record="outcomes", outcomes=outcomes,
    )  # fmt: skip


def test_two_outcomes_of_one_name_are_refused_unless_they_are_the_same(afghan: Theatre, week: Record) -> None:
    for one, other in ((Mine(12), Mine(20)), (Territory(0.33333331), Territory(1 / 3))):
        with pytest.raises(ValueError, match=r"two outcomes are called .* but ask for different things"):
            passages(afghan, week, one, other)
    assert ("mine",) == passages(afghan, week, Mine(12), Mine(12)).names


def test_runs_that_watched_different_things_under_one_name_are_not_merged(afghan: Theatre, week: Record) -> None:
    one = passages(afghan, week, Mine(12), replications=range(50))
    other = passages(afghan, week, Mine(20), replications=range(50, 100))

    with pytest.raises(ValueError, match="watched different outcomes"):
        sim.merge(one, other)
    assert passages(afghan, week, Mine(12)).digest != passages(afghan, week, Mine(20)).digest


def test_a_first_passage_needs_no_room_for_days(afghan: Theatre, week: Record) -> None:
    model = constant(afghan)
    run = sim.simulate(
        model, {"seizure.baseline": 0.05}, start=week.state(), horizon=1e12, replications=10, seed=1
    )  # fmt: skip

    assert np.all(np.isfinite(Captured(17)(run).times))


def test_too_few_draws_are_noticed_and_the_number_to_give_is_about_right(afghan: Theatre, week: Record) -> None:
    model = constant(afghan)
    ring = Pressure("half_ring")
    asked = {"start": week.state(), "horizon": 30, "seed": 1, "record": "outcomes"}
    precise = sim.Precision(ring, within=7, half_width=0.02)
    with pytest.warns(RuntimeWarning, match=r"the 100 draws alone leave .*; give about [\d,]+ draws") as caught:
        few = sim.simulate(model, model.draw_prior(100, seed=1), **asked, until=precise)
    advised = int(str(caught[0].message).split("give about ")[1].split()[0].replace(",", ""))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        many = sim.simulate(model, model.draw_prior(2 * advised, seed=1), **asked, until=precise)

    assert len(few) < 10_000
    assert precise.reached(few) > 0.02 >= precise.reached(many)
    with pytest.raises(ValueError, match="within must be at most the horizon 30, but was 31"):
        sim.simulate(model, model.draw_prior(9, seed=1), **asked, until=sim.Precision(ring, within=31, half_width=0.1))
