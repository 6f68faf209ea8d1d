"""Bad calls: one mistake each, refused with a message that names the place and what to do."""

# ruff: noqa: E501 - a message stands whole, so that it can be searched for.

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import pytest
import simpy

import sim
from sim.control import Past, State
from sim.engines.simpy_engine import SimPyEngine, World
from sim.ensemble import Ensemble
from sim.hazards import (
    Baseline,
    Calendar,
    Covariate,
    Custom,
    CutOff,
    Frailty,
    Momentum,
    Neighbours,
    PullBack,
    Reserves,
)
from sim.model import Draws, Model
from sim.outcomes import Captured, ControlOf, FullControl, PeopleUnderControl, Pressure, Territory, observed
from sim.priors import Beta, Fixed, HalfNormal, LogNormal, Normal
from sim.projection import pooled
from sim.theatre import Theatre

THEATRE = Theatre(
    ["A", "B", "C"], [("A", "B"), ("B", "C")], [("A", "B", "trunk"), ("B", "C", "track")], hub="A",
    columns={"population": [1.0, 2.0, 3.0], "flat": [1.0, 1.0, 1.0], "gap": [1.0, None, 2.0]},
)  # fmt: skip
BARE = Theatre(["A", "B"])
MODEL = Model(THEATRE, {"seizure": Baseline(0.1)})


def run(model: Any = MODEL, draws: Any = None, **changed: Any) -> Ensemble:
    return sim.simulate(model, draws, **{"start": State({}), "horizon": 10, "replications": 2, "seed": 1, **changed})


def beside(act: Callable[[World], object]) -> Ensemble:
    """Run with a process that does *act* at once."""

    def process(world: World) -> Iterator[simpy.Event]:
        act(world)
        yield world.env.timeout(1)

    return run(engine=SimPyEngine([process]))


ENSEMBLE = run()
ANSWER = Captured(1)(ENSEMBLE)

# Named after the mistake: the call, the error, the whole message.
CALLS: dict[str, tuple[Callable[[], object], type[Exception], str]] = {
    "negative_rate": (
        lambda: Baseline(-0.1),
        ValueError,
        "Baseline: rate must not be below 0, but was -0.1",
    ),
    "nan_rate": (
        lambda: Baseline(math.nan),
        ValueError,
        "Baseline: rate must be finite, but was nan",
    ),
    "infinite_rate": (
        lambda: Baseline(math.inf),
        ValueError,
        "Baseline: rate must be finite, but was inf",
    ),
    "rate_text": (
        lambda: Baseline("fast"),
        TypeError,
        "Baseline: rate must be a number or a prior such as LogNormal(1/60, 1.0), but was 'fast'",
    ),
    "rate_bool": (
        lambda: Baseline(True),
        TypeError,
        "Baseline: rate must be a number or a prior such as LogNormal(1/60, 1.0), but was True",
    ),
    "rate_prior_below_zero": (
        lambda: Baseline(Normal(0, 1)),
        ValueError,
        "Baseline: rate must not be below 0, but was Normal(mean=0, sd=1); use a prior that keeps to that side",
    ),
    "neighbour_negative": (
        lambda: Neighbours(-1),
        ValueError,
        "Neighbours: effect must not be below 0, but was -1",
    ),
    "via_misspelt": (
        lambda: Neighbours(1, via="boarder"),
        ValueError,
        "Neighbours: via must be 'border' or 'road', but was 'boarder'; did you mean 'border'?",
    ),
    "window_zero": (
        lambda: Momentum(1, window=0),
        ValueError,
        "Momentum: window must be a positive number of days or None, but was 0",
    ),
    "window_inf": (
        lambda: Momentum(1, window=math.inf),
        ValueError,
        "Momentum: window must be a positive number of days or None, but was inf",
    ),
    "window_text": (
        lambda: Momentum(1, window="7"),
        ValueError,
        "Momentum: window must be a positive number of days or None, but was '7'",
    ),
    "window_nan": (
        lambda: Momentum(1, window=math.nan),
        ValueError,
        "Momentum: window must be a positive number of days or None, but was nan",
    ),
    "window_true": (
        lambda: Momentum(1, window=True),
        ValueError,
        "Momentum: window must be a positive number of days or None, but was True",
    ),
    "frailty_negative": (
        lambda: Frailty(-1),
        ValueError,
        "Frailty: sd must not be below 0, but was -1",
    ),
    "cutoff_without_text": (
        lambda: CutOff(1, without="track"),
        TypeError,
        "CutOff: without must be a tuple of road classes, but was 'track'; write without=('track',)",
    ),
    "calendar_reversed": (
        lambda: Calendar(5, 2, 1),
        ValueError,
        "Calendar: start must come before stop, but was 5 and 2",
    ),
    "calendar_date_bad": (
        lambda: Calendar("31 August", None, 1),
        ValueError,
        "Calendar: start must be an ISO date such as '2021-08-31', but was '31 August'",
    ),
    "calendar_nan": (
        lambda: Calendar(math.nan, None, 1),
        ValueError,
        "Calendar: start must be a date or a number of days since the start, but was nan",
    ),
    "calendar_list": (
        lambda: Calendar([1], None, 1),
        TypeError,
        "Calendar: start must be a date or a number of days since the start, but was [1]",
    ),
    "calendar_provinces_text": (
        lambda: Calendar(1, 2, 1, "A"),
        TypeError,
        "Calendar: provinces must be a tuple of province names, but was 'A'; write ('A',)",
    ),
    "calendar_province_twice": (
        lambda: Calendar(1, 2, 1, ("A", "A")),
        ValueError,
        "Calendar: provinces names a province twice: ('A', 'A')",
    ),
    "calendar_aware": (
        lambda: Calendar(datetime(2021, 8, 31, tzinfo=UTC), None, 1),
        ValueError,
        "Calendar: start must be local time without a zone, but was 2021-08-31T00:00:00+00:00; leave the zone out",
    ),
    "calendar_aware_text": (
        lambda: Calendar("2021-08-31T00:00+04:30", None, 1),
        ValueError,
        "Calendar: start must be local time without a zone, but was 2021-08-31T00:00:00+04:30; leave the zone out",
    ),
    "reserves_negative": (
        lambda: Reserves(-1),
        ValueError,
        "Reserves: units must not be below 0, but was -1",
    ),
    "pullback_negative": (
        lambda: PullBack(("A",), -1, hold=0, abandon=0),
        ValueError,
        "PullBack: after must not be negative, but was -1",
    ),
    "pullback_keep_text": (
        lambda: PullBack("A", 1, hold=0, abandon=0),
        TypeError,
        "PullBack: keep must be a tuple of province names, but was 'A'; write ('A',)",
    ),
    "pullback_float_nan": (
        lambda: PullBack(("A",), math.nan, hold=0, abandon=0),
        ValueError,
        "PullBack: after must be a date or a number of days since the start, but was nan",
    ),
    "custom_not_callable": (
        lambda: Custom(1.0),
        TypeError,
        "Custom: fn must be a function of (time, control, province), but was 1.0",
    ),
    "custom_breaks_number": (
        lambda: Custom(lambda *a: 1.0, breaks=5.0),
        TypeError,
        "Custom: breaks must be a tuple of instants, but was 5.0; write (5.0,)",
    ),
    "times_number": (
        lambda: Baseline(0.1) * 2,
        TypeError,
        "a hazard is a product of terms such as Baseline(1 / 60), but a factor was 2",
    ),
    "lognormal_median_zero": (
        lambda: LogNormal(0, 1),
        ValueError,
        "LogNormal: median must be a positive finite number, but was 0",
    ),
    "sigma_nan": (
        lambda: LogNormal(1, math.nan),
        ValueError,
        "LogNormal: sigma must be a positive finite number, but was nan",
    ),
    "half_negative": (
        lambda: HalfNormal(-1),
        ValueError,
        "HalfNormal: scale must be a positive finite number, but was -1",
    ),
    "beta_zero": (
        lambda: Beta(0, 1),
        ValueError,
        "Beta: a must be a positive finite number, but was 0",
    ),
    "fixed_inf": (
        lambda: Fixed(math.inf),
        ValueError,
        "Fixed: value must be a finite number, but was inf",
    ),
    "fixed_text": (
        lambda: Fixed("1"),
        TypeError,
        "Fixed: value must be a finite number, but was '1'",
    ),
    "unknown_transition": (
        lambda: Model(THEATRE, {"siezure": Baseline(0.1)}),
        ValueError,
        "model: no transition 'siezure'; did you mean 'seizure'?",
    ),
    "no_transitions": (
        lambda: Model(THEATRE, {}),
        ValueError,
        "model: give at least one transition, such as {'seizure': Baseline(1 / 60)}",
    ),
    "two_baselines": (
        lambda: Model(THEATRE, {"seizure": Baseline(0.1) * Baseline(0.2)}),
        ValueError,
        "model: seizure must have exactly one Baseline, but has 2",
    ),
    "no_baseline": (
        lambda: Model(THEATRE, {"seizure": Momentum(1)}),
        ValueError,
        "model: seizure must have exactly one Baseline, but has 0",
    ),
    "hazard_number": (
        lambda: Model(THEATRE, {"seizure": 0.1}),
        TypeError,
        "model: seizure must be a product of terms such as Baseline(1 / 60), but was 0.1",
    ),
    "cannot_leave": (
        lambda: Model(THEATRE, {"assault": Baseline(0.1)}),
        ValueError,
        "model: assault makes capitals contested but nothing ends it; add 'fall' or 'relief'",
    ),
    "two_terms": (
        lambda: Model(THEATRE, {"seizure": Baseline(0.1) * Momentum(1) * Momentum(2)}),
        ValueError,
        "model: seizure has two terms called 'momentum'; give one a label=, or merge them",
    ),
    "two_calendars": (
        lambda: Model(THEATRE, {"seizure": Baseline(0.1) * Calendar(1, 2, 1) * Calendar(3, 4, 1)}),
        ValueError,
        "model: seizure has two terms called 'calendar'; give one a label=, or merge them",
    ),
    "column_unknown": (
        lambda: Model(THEATRE, {"seizure": Baseline(0.1) * Covariate("popluation", 1)}),
        ValueError,
        "model: seizure.covariate.popluation: no column 'popluation' in the theatre; did you mean 'population'?",
    ),
    "column_flat": (
        lambda: Model(THEATRE, {"seizure": Baseline(0.1) * Covariate("flat", 1)}),
        ValueError,
        "theatre: column 'flat' must vary between provinces, but is 1.0 everywhere",
    ),
    "column_gap": (
        lambda: Model(THEATRE, {"seizure": Baseline(0.1) * Covariate("gap", 1)}),
        ValueError,
        "theatre: column 'gap' must have no gaps, but is blank for B; fill it in",
    ),
    "no_roads": (
        lambda: Model(BARE, {"seizure": Baseline(0.1) * Neighbours(1, via="road")}),
        ValueError,
        "model: seizure.neighbours.road: the theatre has no roads; add roads.csv or use via='border'",
    ),
    "no_roads_cutoff": (
        lambda: Model(BARE, {"seizure": Baseline(0.1) * CutOff(1)}),
        ValueError,
        "model: seizure.cutoff: the theatre has no roads; add roads.csv or leave CutOff out",
    ),
    "no_hub": (
        lambda: Model(Theatre(["A", "B"], roads=[("A", "B", "trunk")]), {"seizure": Baseline(0.1) * CutOff(1)}),
        ValueError,
        "model: seizure.cutoff: the theatre names no hub; write CutOff(…, hub='…')",
    ),
    "hub_unknown": (
        lambda: Model(THEATRE, {"seizure": Baseline(0.1) * CutOff(1, hub="D")}),
        ValueError,
        "model: seizure.cutoff: no province 'D' in the theatre; known: A, B, C",
    ),
    "road_class": (
        lambda: Model(THEATRE, {"seizure": Baseline(0.1) * CutOff(1, without=("trnk",))}),
        ValueError,
        "model: seizure.cutoff: no road class 'trnk' in the theatre; did you mean 'trunk'?",
    ),
    "reserves_on_seizure": (
        lambda: Model(THEATRE, {"seizure": Baseline(0.1) * Reserves(1)}),
        ValueError,
        "model: seizure.reserves: Reserves act on relief only, but was given to seizure",
    ),
    "calendar_province": (
        lambda: Model(THEATRE, {"seizure": Baseline(0.1) * Calendar(1, 2, 1, ("D",))}),
        ValueError,
        "model: seizure.calendar: no province 'D' in the theatre; known: A, B, C",
    ),
    "keep_province": (
        lambda: Model(THEATRE, {"seizure": Baseline(0.1) * PullBack(("D",), 1, hold=0, abandon=0)}),
        ValueError,
        "model: seizure.pullback: no province 'D' in the theatre; known: A, B, C",
    ),
    "contested_negative": (
        lambda: Model(THEATRE, {"fall": Baseline(0.1)}, contested=-0.1),
        ValueError,
        "model: contested must not be below 0, but was -0.1",
    ),
    "contested_two": (
        lambda: Model(THEATRE, {"fall": Baseline(0.1)}, contested=2.0),
        ValueError,
        "model: contested must not be above 1, but was 2",
    ),
    "contested_lognormal": (
        lambda: Model(THEATRE, {"fall": Baseline(0.1)}, contested=LogNormal(0.1, 1)),
        ValueError,
        "model: contested must not be above 1, but was LogNormal(median=0.1, sigma=1); use a prior that keeps to that side",
    ),
    "theatre_not": (
        lambda: Model("afghanistan_2021", {"seizure": Baseline(0.1)}),
        TypeError,
        "model: theatre must be a Theatre, but was 'afghanistan_2021'; load_theatre(…) gives one",
    ),
    "zero_replications": (
        lambda: run(replications=0),
        ValueError,
        "simulate: replications must be from 1 to 2**32 - 1, but was 0",
    ),
    "half_replication": (
        lambda: run(replications=1.5),
        TypeError,
        "simulate: replications must be a positive integer, but was 1.5",
    ),
    "true_replications": (
        lambda: run(replications=True),
        TypeError,
        "simulate: replications must be a positive integer, but was True",
    ),
    "many": (
        lambda: run(replications=2**32),
        ValueError,
        "simulate: replications must be from 1 to 2**32 - 1, but was 4294967296",
    ),
    "horizon_inf": (
        lambda: run(horizon=math.inf),
        ValueError,
        "simulate: horizon must be a positive finite number of days, but was inf",
    ),
    "horizon_zero": (
        lambda: run(horizon=0),
        ValueError,
        "simulate: horizon must be a positive finite number of days, but was 0",
    ),
    "horizon_nan": (
        lambda: run(horizon=math.nan),
        ValueError,
        "simulate: horizon must be a positive finite number of days, but was nan",
    ),
    "horizon_text": (
        lambda: run(horizon="30"),
        TypeError,
        "simulate: horizon must be a number of days, but was '30'",
    ),
    "horizon_negative": (
        lambda: run(horizon=-1),
        ValueError,
        "simulate: horizon must be a positive finite number of days, but was -1",
    ),
    "seed_none": (
        lambda: run(seed=None),
        TypeError,
        "seed must be a non-negative integer, but was None; runs are reproducible only with one",
    ),
    "seed_negative": (
        lambda: run(seed=-1),
        ValueError,
        "seed must be a non-negative integer, but was -1",
    ),
    "seed_float": (
        lambda: run(seed=1.0),
        TypeError,
        "seed must be a non-negative integer, but was 1.0; runs are reproducible only with one",
    ),
    "start_dict": (
        lambda: run(start={"A": "insurgent"}),
        TypeError,
        "simulate: start must be a State, but was {'A': 'insurgent'}; record.until(…).state() gives one",
    ),
    "start_unknown_province": (
        lambda: run(start=State({"D": "insurgent"})),
        ValueError,
        "start: no province 'D' in the theatre; known: A, B, C",
    ),
    "sighted_unknown": (
        lambda: run(start=State({}, sighted=frozenset(["D"]))),
        ValueError,
        "start: no province 'D' in the theatre; known: A, B, C",
    ),
    "control_unknown": (
        lambda: State({"A": "taliban"}),
        ValueError,
        "state of A: no control 'taliban'; known: GOVERNMENT, CONTESTED, INSURGENT",
    ),
    "control_number": (
        lambda: State({"A": 3}),
        ValueError,
        "state of A: no control 3; known: GOVERNMENT, CONTESTED, INSURGENT",
    ),
    "past_not_held": (
        lambda: State({"A": 0}, past=(Past("A", -2, -1),)),
        ValueError,
        "state: A has a past capture but is not insurgent-held; recaptured?",
    ),
    "past_twice": (
        lambda: State({"A": 2}, past=(Past("A", -2, -1), Past("A", -1, -1))),
        ValueError,
        "state: A has two past captures; keep the one that still stands",
    ),
    "past_future": (
        lambda: Past("A", -1, 1),
        ValueError,
        "past capture of A: earliest <= latest <= 0 days since the start must hold, but was -1, 1",
    ),
    "past_reversed": (
        lambda: Past("A", -1, -2),
        ValueError,
        "past capture of A: earliest <= latest <= 0 days since the start must hold, but was -1, -2",
    ),
    "past_nan": (
        lambda: Past("A", math.nan, -1),
        ValueError,
        "past capture of A: earliest <= latest <= 0 days since the start must hold, but was nan, -1",
    ),
    "past_inf": (
        lambda: Past("A", -math.inf, -1),
        ValueError,
        "past capture of A: earliest <= latest <= 0 days since the start must hold, but was -inf, -1",
    ),
    "instant_date": (
        lambda: run(
            model=Model(THEATRE, {"seizure": Baseline(0.1) * Calendar("2021-08-31", None, 1)}),
            start=State({}, instant=date(2021, 8, 13)),
        ),
        TypeError,
        "state: instant must be a datetime of local time without a zone, but was datetime.date(2021, 8, 13); write datetime(2021, 8, 13)",
    ),
    "instant_aware": (
        lambda: run(
            model=Model(THEATRE, {"seizure": Baseline(0.1) * Calendar("2021-08-31", None, 1)}),
            start=State({}, instant=datetime(2021, 8, 13, tzinfo=UTC)),
        ),
        TypeError,
        "state: instant must be a datetime of local time without a zone, but was datetime.datetime(2021, 8, 13, 0, 0, tzinfo=datetime.timezone.utc); write datetime(2021, 8, 13)",
    ),
    "no_instant": (
        lambda: run(model=Model(THEATRE, {"seizure": Baseline(0.1) * Calendar("2021-08-31", None, 1)})),
        ValueError,
        "model: seizure.calendar names the date 2021-08-31, but the start has no instant; give State(instant=…)",
    ),
    "calendar_mixed_reversed": (
        lambda: run(
            model=Model(THEATRE, {"seizure": Baseline(0.1) * Calendar("2021-08-31", 2.0, 1)}),
            start=State({}, instant=datetime(2021, 8, 13)),
        ),
        ValueError,
        "model: seizure.calendar: start must come before stop, but was day 18 and day 2",
    ),
    "draws_missing": (
        lambda: run(model=Model(THEATRE, {"seizure": Baseline(LogNormal(0.1, 1))})),
        ValueError,
        "draws: no value for seizure.baseline; give one, fix it in the model, or pass model.draw_prior(…)",
    ),
    "draws_unknown": (
        lambda: run(draws={"seizure.basline": 0.1}),
        ValueError,
        "draws: no parameter 'seizure.basline' in the model; did you mean 'seizure.baseline'?",
    ),
    "draws_nan": (
        lambda: run(draws={"seizure.baseline": math.nan}),
        ValueError,
        "draws: seizure.baseline of draw 0 must be finite, but was nan",
    ),
    "draws_negative": (
        lambda: run(model=Model(THEATRE, {"seizure": Baseline(LogNormal(0.1, 1))}), draws={"seizure.baseline": -0.1}),
        ValueError,
        "draws: seizure.baseline must not be below 0, but was -0.1",
    ),
    "draws_fixed_negative": (
        lambda: run(draws={"seizure.baseline": -0.1}),
        ValueError,
        "a hazard is negative or not finite: a rate, an effect or a Custom term is out of bounds",
    ),
    "draws_probability_two": (
        lambda: run(model=Model(THEATRE, {"fall": Baseline(0.1)}), draws={"start.contested": 2.0}),
        ValueError,
        "draws: start.contested must not be above 1, but was 2",
    ),
    "draws_list": (
        lambda: run(draws=[0.1]),
        TypeError,
        "simulate: draws must be Draws or values by parameter name, but was [0.1]",
    ),
    "draws_other_model": (
        lambda: run(draws=Draws(("x",), np.ones((1, 1)))),
        ValueError,
        "draws: these are of another model; parameters x are in only one of them",
    ),
    "draws_shape": (
        lambda: Draws(("x",), np.ones((2, 3))),
        ValueError,
        "draws: values must have shape (draw, 1) with a draw at least, but was (2, 3)",
    ),
    "draws_empty": (
        lambda: Draws(("x",), np.ones((0, 1))),
        ValueError,
        "draws: values must have shape (draw, 1) with a draw at least, but was (0, 1)",
    ),
    "draws_lengths": (
        lambda: run(
            model=Model(THEATRE, {"seizure": Baseline(LogNormal(0.1, 1)) * Momentum(Normal(0, 1))}),
            draws={"seizure.baseline": [0.1, 0.2], "seizure.momentum": [1, 2, 3]},
        ),
        ValueError,
        "shape mismatch: objects cannot be broadcast to a single shape.  Mismatch is between arg 0 with shape (2,) and arg 1 with shape (3,).",
    ),
    "draws_text": (
        lambda: run(draws={"seizure.baseline": "x"}),
        ValueError,
        "could not convert string to float: 'x'",
    ),
    "draw_prior_zero": (
        lambda: MODEL.draw_prior(0, seed=1),
        ValueError,
        "draw_prior: count must be a positive integer, but was 0",
    ),
    "draw_prior_noseed": (
        lambda: MODEL.draw_prior(3, seed=None),
        TypeError,
        "seed must be a non-negative integer, but was None; runs are reproducible only with one",
    ),
    "draws_getitem": (
        lambda: MODEL.draw_prior(3, seed=1)["seizure.basline"],
        KeyError,
        "draws: no parameter 'seizure.basline'; did you mean 'seizure.baseline'?",
    ),
    "thin": (
        lambda: MODEL.draw_prior(3, seed=1).thin(4),
        ValueError,
        "draws: count must be from 1 to 3, but was 4",
    ),
    "engine_processes_function": (
        lambda: SimPyEngine(processes=beside),
        TypeError,
        "SimPyEngine: processes must be a list of functions, but was one; write processes=[…]",
    ),
    "engine_process_text": (
        lambda: SimPyEngine(processes=["x"]),
        TypeError,
        "SimPyEngine: processes must be functions of a World, but one was 'x'",
    ),
    "engine_none_generator": (
        lambda: run(engine=SimPyEngine([lambda w: None])),
        TypeError,
        "SimPyEngine: process <lambda> must be a generator function, one that says yield, but gave None",
    ),
    "engine_text": (
        lambda: run(engine="simpy"),
        TypeError,
        "simulate: engine must be an engine such as SimPyEngine(), but was 'simpy'",
    ),
    "scale_province": (
        lambda: beside(lambda w: w.scale("D", "seizure", 1.0)),
        ValueError,
        "scale: no province 'D' in the theatre; known: A, B, C",
    ),
    "scale_transition": (
        lambda: beside(lambda w: w.scale("A", "assault", 1.0)),
        ValueError,
        "scale: no transition 'assault' in the model; known: seizure",
    ),
    "scale_negative": (
        lambda: beside(lambda w: w.scale("A", "seizure", -1.0)),
        ValueError,
        "scale: factor must be a finite number, at least 0, but was -1.0",
    ),
    "scale_nan": (
        lambda: beside(lambda w: w.scale("A", "seizure", math.nan)),
        ValueError,
        "scale: factor must be a finite number, at least 0, but was nan",
    ),
    "scale_true": (
        lambda: beside(lambda w: w.scale("A", "seizure", True)),
        ValueError,
        "scale: factor must be a finite number, at least 0, but was True",
    ),
    "rate_province": (
        lambda: beside(lambda w: w.rate("D", "seizure")),
        ValueError,
        "rate: no province 'D' in the theatre; known: A, B, C",
    ),
    "control_of": (
        lambda: beside(lambda w: w.control["D"]),
        KeyError,
        "control: no province 'D' in the theatre; known: A, B, C",
    ),
    "overflow": (
        lambda: run(model=Model(THEATRE, {"seizure": Baseline(0.1) * Calendar(None, None, 800.0)})),
        ValueError,
        "a hazard is not finite, or negative: a national effect is too large, or not a number",
    ),
    "overflow_local": (
        lambda: run(model=Model(THEATRE, {"seizure": Baseline(0.1) * Calendar(None, None, 800.0, ("A",))})),
        ValueError,
        "a hazard is negative or not finite: a rate, an effect or a Custom term is out of bounds",
    ),
    "model_text": (
        lambda: run(model="contagion"),
        TypeError,
        "simulate: model must be a Model, but was 'contagion'; sim.families has ready-made ones",
    ),
    "pressure": (
        lambda: Pressure("halfring"),
        ValueError,
        "Pressure: no definition 'halfring'; did you mean 'half_ring'?",
    ),
    "pressure_no_hub": (
        lambda: Pressure("assault")(run(model=Model(BARE, {"seizure": Baseline(0.1)}))),
        ValueError,
        "Pressure('assault'): the theatre names no hub; give it one in theatre.toml",
    ),
    "pressure_two_roads": (
        lambda: Pressure("two_roads")(ENSEMBLE),
        ValueError,
        "Pressure('two_roads'): the hub A has 1 neighbours by road, too few",
    ),
    "full_control_but": (
        lambda: FullControl(but=-1),
        ValueError,
        "FullControl: but must be a whole number from 0, but was -1",
    ),
    "full_control_all": (
        lambda: FullControl(but=3)(ENSEMBLE),
        ValueError,
        "FullControl: but must be below the 3 provinces, but was 3",
    ),
    "captured_zero": (
        lambda: Captured(0),
        ValueError,
        "Captured: at_least must be a whole number from 1, but was 0",
    ),
    "captured_many": (
        lambda: Captured(4)(ENSEMBLE),
        ValueError,
        "Captured: at_least must not exceed the 3 provinces, but was 4",
    ),
    "captured_half": (
        lambda: Captured(1.5),
        ValueError,
        "Captured: at_least must be a whole number from 1, but was 1.5",
    ),
    "control_of_unknown": (
        lambda: ControlOf("D")(ENSEMBLE),
        ValueError,
        "ControlOf: no province 'D' in the theatre; known: A, B, C",
    ),
    "territory_zero": (
        lambda: Territory(0.0),
        ValueError,
        "Territory: share must be in (0, 1], but was 0.0",
    ),
    "territory_two": (
        lambda: Territory(2.0),
        ValueError,
        "Territory: share must be in (0, 1], but was 2.0",
    ),
    "territory_no_column": (
        lambda: Territory(0.5)(ENSEMBLE),
        ValueError,
        "Territory: the theatre has no column 'area_km2' in provinces.csv",
    ),
    "people_gap": (
        lambda: PeopleUnderControl(0.5)(
            run(model=Model(Theatre(["A", "B"], columns={"population": [1.0, None]}), {"seizure": Baseline(0.1)}))
        ),
        ValueError,
        "PeopleUnderControl: column 'population' must be given and not negative in every province",
    ),
    "outcome_of_model": (
        lambda: Captured(1)(0.5),
        TypeError,
        "captured_1: an outcome is put to an Ensemble, but was given 0.5",
    ),
    "within_beyond": (
        lambda: ANSWER.probability(within=11),
        ValueError,
        "probability: within must be from 0 to the horizon of 10 days, but was 11",
    ),
    "within_nan": (
        lambda: ANSWER.probability(math.nan),
        ValueError,
        "probability: within must be from 0 to the horizon of 10 days, but was nan",
    ),
    "within_negative": (
        lambda: ANSWER.probability(-1),
        ValueError,
        "probability: within must be from 0 to the horizon of 10 days, but was -1",
    ),
    "quantile_one": (
        lambda: ANSWER.quantile(1.0),
        ValueError,
        "quantile: q must be in (0, 1), but was 1.0",
    ),
    "quantile_nan": (
        lambda: ANSWER.quantile(math.nan),
        ValueError,
        "quantile: q must be in (0, 1), but was nan",
    ),
    "survival_beyond": (
        lambda: ANSWER.survival([1, 20]),
        ValueError,
        "survival: a time must be from 0 to the horizon of 10 days, but was 20.0",
    ),
    "mean_censored": (
        lambda: Captured(1)(run(horizon=1e-09)).mean,
        ValueError,
        "mean: 1 is censored at day 1e-09; use restricted_mean or a longer horizon",
    ),
    "people_zero": (
        lambda: PeopleUnderControl(0.5)(
            run(model=Model(Theatre(["A", "B"], columns={"population": [0.0, 0.0]}), {"seizure": Baseline(0.1)}))
        ),
        ValueError,
        "PeopleUnderControl: column 'population' must not be nought in every province",
    ),
    "pooled_none": (
        lambda: pooled({}),
        ValueError,
        "pooled: give at least one projection",
    ),
    "pooled_weights": (
        lambda: pooled({"a": ANSWER}, {"b": 1.0}),
        ValueError,
        "pooled: weights must be positive, one for each of a, but were {'b': 1.0}",
    ),
    "pooled_outcomes": (
        lambda: pooled({"a": ANSWER, "b": Captured(2)(ENSEMBLE)}),
        ValueError,
        "pooled: b answers captured_2 to day 10, not the same question",
    ),
    "pooled_zero": (
        lambda: pooled({"a": ANSWER}, {"a": 0.0}),
        ValueError,
        "pooled: weights must be positive, one for each of a, but were {'a': 0.0}",
    ),
    "observed_basis": (
        lambda: observed(Captured(1), THEATRE, basis="pres"),
        ValueError,
        "observed: basis must be 'press' or 'best_date', but was 'pres'",
    ),
    "replay_number": (
        lambda: ENSEMBLE.replay(replication=2),
        IndexError,
        "replay: replication must be from 0 to 1, but was 2",
    ),
    "events_number": (
        lambda: list(ENSEMBLE.events(-1)),
        IndexError,
        "ensemble: replication must be from 0 to 1, but was -1",
    ),
    "control_at": (
        lambda: ENSEMBLE.control_at(11),
        ValueError,
        "control_at: day must be from 0 to the horizon 10, but was 11",
    ),
    "sim_attr": (
        lambda: sim.Modle,
        AttributeError,
        "module 'sim' has no attribute 'Modle'",
    ),
}


@pytest.mark.parametrize("mistake", CALLS)
def test_a_bad_call_is_refused_with_a_message_that_says_what_to_do(mistake: str) -> None:
    call, error, message = CALLS[mistake]
    with pytest.raises(error) as caught:
        call()

    assert error is type(caught.value)
    assert message == caught.value.args[0]


def test_a_seed_must_be_given() -> None:
    with pytest.raises(TypeError, match="missing 1 required keyword-only argument: 'seed'"):
        sim.simulate(MODEL, start=State({}), horizon=1, replications=1)  # type: ignore[call-arg]
