"""Outcomes watched as a run goes: what the events would have said, in memory that does not grow with them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import simpy
from conftest import nightly
from hypothesis import given, settings
from strategies import Case, cases

import sim
from sim.control import State
from sim.engines.simpy_engine import SimPyEngine, World
from sim.ensemble import Ensemble, Passages
from sim.families import FAMILIES, contagion
from sim.hazards import Baseline
from sim.law import Watch
from sim.model import Model
from sim.outcomes import (
    PRESSURES,
    Captured,
    ControlOf,
    FullControl,
    Outcome,
    PeopleUnderControl,
    Pressure,
    Territory,
)
from sim.theatre import Theatre

ENGINES = {"compiled": sim.CompiledEngine(), "simpy": SimPyEngine()}
OUTCOMES = (
    *map(Pressure, PRESSURES), Captured(12), Captured(30), FullControl(), FullControl(but=2), ControlOf("Kandahar"),
    Territory(0.5), PeopleUnderControl(0.25),
)  # fmt: skip


def assert_says_what_events_say(events: Ensemble, watched: Passages, outcomes: tuple[Outcome, ...]) -> None:
    """Assert that what was *watched* is what *events* say, to the bit."""
    assert watched.numbers.tobytes() == events.numbers.tobytes()
    assert watched.draw.tobytes() == events.draw.tobytes()
    assert watched.names == tuple(outcome.name for outcome in outcomes)
    for outcome, times in zip(outcomes, watched.times, strict=True):
        watch = outcome.watch(events.theatre)
        assert events.first_passage(watch).tobytes() == times.tobytes()
        assert times.tobytes() == watched.first_passage(watch).tobytes()
    days = range(int(events.horizon) + 1)
    counts = [np.bincount(events.lost_at(float(day)), minlength=len(events.provinces) + 1) for day in days]
    assert np.array_equal(counts, watched.lost)


def both(engine: Any, outcomes: tuple[Outcome, ...], **call: Any) -> tuple[Ensemble, Passages]:
    """Return one run twice, with every event and with *outcomes* alone."""
    return (
        sim.simulate(**call, engine=engine),
        sim.simulate(**call, engine=engine, record="outcomes", outcomes=outcomes),
    )


@cache
def week(family: str = "siege", horizon: float = 45.5) -> dict[str, Any]:
    theatre = sim.load_theatre("afghanistan_2021")
    model = FAMILIES[family](theatre)
    return {
        "model": model, "draws": model.draw_prior(100, seed=8), "seed": 9, "horizon": horizon,
        "start": theatre.record.until("2021-08-12").state(),
    }  # fmt: skip


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("engine", ENGINES)
def test_outcomes_watched_in_a_run_are_what_its_events_say(engine, family):
    replications = nightly(20_000, 2000) if engine == "compiled" else nightly(2000, 200)
    events, watched = both(ENGINES[engine], OUTCOMES, **week(family), replications=replications)

    assert_says_what_events_say(events, watched, OUTCOMES)
    happens = np.isfinite(watched.times).mean(axis=1)
    assert (happens > 0.0).all() and (happens < 1.0).any()


class Weighed(Outcome):
    """Capitals by weight, contested ones too, some of them against: it may be true at the start, and true again."""

    name = "weighed"

    def __init__(self, threshold: int):
        self.threshold = threshold

    def watch(self, theatre: Theatre) -> Watch:
        n = len(theatre.provinces)
        return Watch(np.stack([np.arange(n) % 3 - 1, np.arange(n) % 5, 3 - np.arange(n) % 4], axis=1), self.threshold)


@settings(max_examples=nightly(1000, 100), deadline=None)
@given(cases())
def test_of_any_run_whatever_is_watched_is_what_its_events_say(case: Case) -> None:
    numbers = case.replications
    stretch = range(numbers[0], numbers[0] + len(numbers))
    for weighed in (Weighed(0), Weighed(4)):
        for engine in ENGINES.values():
            outcomes = (Captured(1), weighed)
            events = case.run(engine, replications=stretch)
            watched = case.run(engine, replications=stretch, record="outcomes", outcomes=outcomes)
            assert_says_what_events_say(events, watched, outcomes)


def test_both_engines_watch_the_same_bits():
    compiled, simpy_told = (
        sim.simulate(**week(), replications=300, engine=engine, record="outcomes", outcomes=OUTCOMES)
        for engine in ENGINES.values()
    )

    assert compiled.digest == simpy_told.digest


@pytest.mark.parametrize("horizon", [0.25, 1.0, 30.0, 30.999])
@pytest.mark.parametrize("engine", ENGINES)
def test_capitals_are_counted_at_the_end_of_every_whole_day_of_any_horizon(engine, horizon):
    events, watched = both(ENGINES[engine], (), **week("contagion", horizon), replications=100)

    assert_says_what_events_say(events, watched, ())
    assert watched.lost.shape == (int(horizon) + 1, 35)
    assert (watched.lost.sum(axis=1) == 100).all()


@pytest.mark.parametrize("engine", ENGINES)
def test_what_is_true_at_the_start_is_true_on_day_0(engine):
    theatre = Theatre(["A", "B", "C"])
    start = State({"A": sim.Control.INSURGENT})
    _, watched = both(
        ENGINES[engine], (Captured(1), Captured(2)), model=Model(theatre, {"seizure": Baseline(0.1)}), start=start,
        horizon=5.0, replications=50, seed=1,
    )  # fmt: skip

    assert (watched.times[0] == 0.0).all()
    assert (watched.times[1] > 0.0).all()
    assert [0, 50, 0, 0] == watched.lost[0].tolist()


def unlucky(world: World) -> Iterator[simpy.Event]:
    """Raise in every seventh replication."""
    yield world.env.timeout(2.0)
    if world.replication % 7 == 3:
        raise ArithmeticError("out of luck")


@pytest.mark.filterwarnings("ignore:simulate. .* failed:RuntimeWarning")
def test_replications_that_fail_are_counted_nowhere():
    events, watched = both(SimPyEngine([unlucky]), OUTCOMES, **week(), replications=70)

    assert_says_what_events_say(events, watched, OUTCOMES)
    assert 10 == len(watched.failures) == 70 - watched.lost[0].sum()


@pytest.mark.parametrize("outcome", OUTCOMES, ids=lambda outcome: outcome.name)
def test_a_projection_of_what_was_watched_is_that_of_the_events(outcome):
    events, watched = both(sim.CompiledEngine(), OUTCOMES, **week(), replications=600)
    one, other = outcome(events), outcome(watched)

    assert one.times.tobytes() == other.times.tobytes()
    assert repr(one) == repr(other)
    for within in (0.0, 3.0, 45.5):
        assert repr(one.probability(within)) == repr(other.probability(within))
    assert one.quantile(0.1) == other.quantile(0.1)
    assert (one.median, one.censored, one.restricted_mean) == (other.median, other.censored, other.restricted_mean)
    assert one.survival([1.0, 20.0]).tolist() == other.survival([1.0, 20.0]).tolist()


# ------------------------------------------------------------------------------------------------ what was not watched


def watch_two() -> Passages:
    return sim.simulate(
        **week(), replications=5, record="outcomes", outcomes=[Pressure("half_ring"), Captured(20)]
    )  # fmt: skip


def test_what_was_not_watched_is_refused_and_what_was_is_named():
    for outcome in (Captured(21), Pressure("assault")):
        with pytest.raises(ValueError) as caught:
            outcome(watch_two())
        assert str(caught.value) == (
            "first_passage: this was not watched, only half_ring, captured_20; name the outcome in "
            "simulate(outcomes=…), or keep record='events'"
        )
    with pytest.raises(ValueError, match="this was not watched, only counts by day; name the outcome"):
        Captured(20)(sim.simulate(**week(), replications=5, record="outcomes"))


def test_another_question_that_watches_the_same_is_answered():
    watched = sim.simulate(**week(), replications=50, record="outcomes", outcomes=[FullControl(but=14)])

    assert Captured(20)(watched).times.tobytes() == FullControl(but=14)(watched).times.tobytes()


@pytest.mark.parametrize(
    ("changed", "error", "said"),
    [
        ({"record": "outcome"}, ValueError, "simulate: record must be 'events' or 'outcomes', but was 'outcome'"),
        (
            {"outcomes": [Captured(3)]},
            ValueError,
            "simulate: outcomes are named for record='outcomes' only; events answer every outcome",
        ),
        (
            {"record": "outcomes", "outcomes": ["half_ring"]},
            TypeError,
            "simulate: outcomes must be outcomes such as Pressure('half_ring'), but was 'half_ring'",
        ),
        (
            {"record": "outcomes", "outcomes": [Pressure]},
            TypeError,
            f"simulate: outcomes must be outcomes such as Pressure('half_ring'), but was {Pressure!r}",
        ),
        (
            {"record": "outcomes", "outcomes": [Captured(99)]},
            ValueError,
            "Captured: at_least must not exceed the 34 provinces, but was 99",
        ),
    ],
    ids=["record", "events", "text", "class", "impossible"],
)
def test_what_cannot_be_watched_is_refused(changed, error, said):
    with pytest.raises(error) as caught:
        sim.simulate(**week(), replications=5, **changed)
    assert str(caught.value) == said


def test_what_was_watched_cannot_be_changed_and_says_what_it_is():
    watched = watch_two()

    assert repr(watched) == "Passages of 5 replications of siege to day 45.5: half_ring, captured_20, 5 draws, seed 9"
    for array in (watched.numbers, watched.times, watched.lost):
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0


# ------------------------------------------------------------------------------------------------------------- memory

#: A million replications may take so much; a tenth of them what stands whatever their number, and a tenth of the rest.
LIMIT, STANDING = 100.0, 10.0
MILLION = nightly(1_000_000)


def status(field: str) -> float:
    """Return a field of this process's status, in megabytes."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(field))
    return int(line.split()[1]) * 1024 / 1e6


def remember(replications: int) -> None:
    """Print by how many megabytes memory rose at most in a run, after a run of 1,000: the work of a child process."""
    theatre = sim.load_theatre("afghanistan_2021")
    model = contagion(theatre)
    call = {
        "model": model, "draws": model.draw_prior(1000, seed=8), "seed": 9, "horizon": 30.0, "record": "outcomes",
        "start": theatre.record.until("2021-08-12").state(), "outcomes": [Pressure(name) for name in PRESSURES],
    }  # fmt: skip
    sim.simulate(**call, replications=1000)
    before = status("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    found = sim.simulate(**call, replications=replications)
    assert found.times.shape == (6, replications)
    print(json.dumps(status("VmHWM") - before))


@pytest.mark.skipif(not os.access("/proc/self/clear_refs", os.W_OK), reason="needs Linux's account of memory")
def test_outcomes_of_a_million_replications_take_less_than_100_megabytes():
    path = os.pathsep.join([str(Path(__file__).parent), str(Path(sim.__file__).parent.parent)])
    child = subprocess.run(
        [sys.executable, "-c", f"import test_passages; test_passages.remember({MILLION})"],
        cwd=Path(__file__).parent, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True,
        check=False, timeout=500,
    )  # fmt: skip
    assert child.returncode == 0, child.stderr
    rose = json.loads(child.stdout)
    print(f"{MILLION:,} replications: {rose:.1f} MB")

    assert rose < STANDING + (LIMIT - STANDING) * MILLION / 1_000_000
