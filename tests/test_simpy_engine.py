"""The SimPy engine: what never changes a run, what stops it where, and processes of one's own beside it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import simpy
from conftest import NAMES, assert_same, model_of, specs, start_of, theatre_of, windowed
from exact import Spec
from hypothesis import given, settings
from hypothesis import strategies as st

import sim
from sim.control import Control, Past, State
from sim.engines.simpy_engine import SimPyEngine, World
from sim.ensemble import Ensemble, Event
from sim.hazards import Baseline, Calendar, Covariate, Custom, Hazard, Momentum, Neighbours, PullBack
from sim.model import Model
from sim.recipe import Recording
from sim.record import Record
from sim.streams import exponential, key_of, name_key
from sim.theatre import Theatre

SEED = 20210812
STARTS = st.lists(st.integers(0, 2), min_size=5, max_size=5)
TRIANGLE = Spec(
    3,
    {
        "seizure": [("baseline", 0.1), ("momentum", 0.8), ("calendar", 2.0, 4.0, 0.6, None)],
        "assault": [("baseline", 0.4), ("neighbours", 0.6, "border"), ("calendar", 1.0, 3.0, -0.4, (0, 2))],
        "fall": [("baseline", 0.3), ("cutoff", 0.5, 0, ())],
        "relief": [("baseline", 0.5), ("reserves", 1.0)],
        "recapture": [("baseline", 0.1), ("pullback", (0,), ("day", 5.0), 0.4, -0.4)],
    },
    borders={(0, 1), (1, 2)},
    roads={(0, 1, "trunk"), (1, 2, "trunk")},
)


def run(
    model: Model, control: Any, *, horizon: float = 6.0, replications: int = 6, seed: int = SEED, **rest: Any
) -> Ensemble:
    start = control if isinstance(control, State) else start_of(control[: len(model.theatre.provinces)])
    rest = {"engine": SimPyEngine(), **rest}
    return sim.simulate(model, start=start, horizon=horizon, replications=replications, seed=seed, **rest)


def budget(province: str, transition: str, *, replication: int = 0, k: int = 0) -> float:
    return float(exponential(key_of(SEED, "clock"), np.uint64(name_key(province, transition)), replication, k))


def with_past(control: list[int], earliest: float = -4.0, latest: float = -1.0) -> State:
    lost = [p for p, held in enumerate(control) if held == 2]
    return start_of(control, past=tuple(Past(NAMES[p], earliest, latest) for p in lost))


# ---------------------------------------------------------------------------------------------- same bits, always


@settings(max_examples=25, deadline=None)
@given(specs(fastest=0.3), STARTS, st.randoms(use_true_random=False))
def test_the_order_in_which_provinces_and_links_are_given_moves_no_bit(
    spec: Spec, control: list[int], chance: Any
) -> None:
    order = list(range(spec.n))
    chance.shuffle(order)
    turned = replace(spec, borders={(b, a) for a, b in spec.borders})

    assert_same(run(model_of(spec), control), run(model_of(spec, theatre_of(turned, order)), control))


def in_units(spec: Spec, unit: float) -> Spec:
    """Return *spec* with its days *unit* times as long in number."""

    def scaled(term: tuple[Any, ...]) -> tuple[Any, ...]:
        match term:
            case ("baseline", rate):
                return ("baseline", rate / unit)
            case ("calendar", start, stop, *rest):
                return ("calendar", *(None if edge is None else edge * unit for edge in (start, stop)), *rest)
            case ("pullback", keep, ("day", day), *rest):
                return ("pullback", keep, ("day", day * unit), *rest)
            case ("custom", fn, breaks):
                return ("custom", lambda t, c, p: fn(t / unit, c, p), tuple(edge * unit for edge in breaks))
        return term

    return replace(spec, hazards={name: [scaled(term) for term in terms] for name, terms in spec.hazards.items()})


@settings(max_examples=25, deadline=None)
@given(specs(fastest=0.3), STARTS, st.integers(-6, 12))
def test_a_time_unit_changed_by_a_power_of_two_rescales_every_day_bit_for_bit(
    spec: Spec, control: list[int], k: int
) -> None:
    unit = 2.0**k
    control = control[: spec.n]
    days = run(windowed(spec), with_past(control))
    units = run(windowed(in_units(spec, unit), unit), with_past(control, -4.0 * unit, -1.0 * unit), horizon=6.0 * unit)

    assert_same(days, units, but=["day"])
    assert (days.day * unit).tolist() == units.day.tolist()


@settings(max_examples=25, deadline=None)
@given(specs(fastest=0.3), STARTS, st.floats(0.1, 6.0))
def test_a_longer_horizon_only_adds_to_the_end_of_each_log(spec: Spec, control: list[int], horizon: float) -> None:
    model, start = windowed(spec), with_past(control[: spec.n])
    long, short = run(model, start), run(model, start, horizon=horizon)
    kept = long.day <= horizon

    assert np.diff(short.offsets).tolist() == np.bincount(long.replication[kept], minlength=6).tolist()
    for name in ("day", "province", "source", "target", "transition", "shares"):
        assert getattr(long, name)[kept].tobytes() == getattr(short, name).tobytes()


@settings(max_examples=15, deadline=None)
@given(specs(fastest=0.3), STARTS, st.permutations(range(6)))
def test_replications_are_the_same_alone_and_in_any_order(spec: Spec, control: list[int], order: list[int]) -> None:
    model, start = windowed(spec), with_past(control[: spec.n])
    together = run(model, start)
    recipe = together.recipe
    shuffled = Ensemble.of(recipe, [recipe.engine.run(recipe, order, Recording(), np.zeros(1, np.uint8))])
    for place, number in enumerate(order):
        rows = slice(*together.offsets[number : number + 2])
        moved = slice(*shuffled.offsets[place : place + 2])
        assert together.initial[number].tolist() == shuffled.initial[place].tolist()
        for name in ("day", "province", "transition"):
            assert getattr(together, name)[rows].tobytes() == getattr(shuffled, name)[moved].tobytes()
        assert list(together.events(number)) == together.replay(replication=number).events


def test_a_replay_of_the_real_week_is_the_log_bit_for_bit(afghan: Theatre, week: Record) -> None:
    from sim.families import siege

    model = siege(afghan)
    draws = model.draw_prior(7, seed=1)
    ensemble = sim.simulate(model, draws, start=week.state(), horizon=30, replications=20, seed=2)
    for number in (0, 6, 7, 19):
        told = ensemble.replay(replication=number)
        assert list(ensemble.events(number)) == told.events
        assert f"siege, seed 2, replication {number}: 11 of 34 lost at the start" == str(told).splitlines()[0]
        assert len(told.events) + 2 == len(str(told).splitlines())
    assert [r % 7 for r in range(20)] == ensemble.draw.tolist()


CONSTANT = {"assault": Baseline(0.4), "fall": Baseline(0.3), "relief": Baseline(0.5), "seizure": Baseline(0.2)}


def first_days(ensemble: Ensemble, transition: str) -> dict[tuple[int, str], float]:
    days: dict[tuple[int, str], float] = {}
    for r in range(len(ensemble)):
        for event in ensemble.events(r):
            if event.transition == transition:
                days.setdefault((r, event.province), event.day)
    return days


def test_removing_a_transition_leaves_the_budgets_of_all_other_clocks_in_place() -> None:
    theatre = Theatre(["A", "B", "C"])
    whole = run(Model(theatre, {"seizure": Baseline(0.3), "recapture": Baseline(0.4)}), [0, 0, 0], replications=200)
    alone = run(Model(theatre, {"seizure": Baseline(0.3)}), [0, 0, 0], replications=200)
    days = first_days(alone, "seizure")

    assert days == first_days(whole, "seizure")
    assert {(r, p): budget(p, "seizure", replication=r) / 0.3 for r, p in days} == pytest.approx(days, rel=1e-15)


def test_removing_a_province_leaves_the_others_where_they_were() -> None:
    four, three = (Model(Theatre(list(names)), CONSTANT, contested=0.2) for names in ("ABCD", "ACD"))
    whole, less = (
        run(four, [0, 0, 1, 0], replications=200),
        run(three, State({"C": Control.CONTESTED}), replications=200),
    )
    for r in range(200):
        assert [event for event in whole.events(r) if event.province != "B"] == list(less.events(r))
    assert whole.initial[:, [0, 2, 3]].tolist() == less.initial.tolist()


def test_the_order_of_transitions_in_the_model_moves_no_day() -> None:
    forward, backward = (Model(Theatre(list("ABC")), dict(CONSTANT), name="x") for _ in range(2))
    backward = Model(backward.theatre, dict(reversed(CONSTANT.items())))
    one = run(forward, [0, 0, 0], replications=50, draws={"start.contested": 0.1})
    other = run(backward, [0, 0, 0], replications=50, draws={"start.contested": 0.1})

    assert [list(one.events(r)) for r in range(50)] == [list(other.events(r)) for r in range(50)]


def test_another_seed_gives_another_run_and_the_same_seed_the_same() -> None:
    model = model_of(TRIANGLE)

    assert_same(run(model, [0, 0, 0]), run(model, [0, 0, 0]))
    assert run(model, [0, 0, 0]).day[0] != run(model, [0, 0, 0], seed=SEED + 1).day[0]


# ------------------------------------------------------------------------------------ looking on changes nothing


def sampler(days: list[float], seen: list[float]) -> Any:
    """Return a process that reads all there is to read on each of *days*."""

    def read(world: World) -> Iterator[simpy.Event]:
        for day in sorted(days):
            while world.env.now < day:
                yield world.env.timeout(day - world.env.now)
            for transition in world._transitions:
                for province in world.control:
                    seen.append(world.rate(province, transition))
            seen.append(world.now)
            assert set(world.lost) | set(world.contested) <= set(world.control)

    return read


def awkward(days: np.ndarray) -> list[float]:
    """Return days that are hard to tell from *days*: themselves, and the numbers next to them."""
    return [float(x) for day in days for x in (np.nextafter(day, 0), day, np.nextafter(day, 9))]


def ticker(world: World) -> Iterator[simpy.Event]:
    while True:
        yield world.env.timeout(0.1)


@settings(max_examples=30, deadline=None)
@given(specs(fastest=0.3), STARTS, st.lists(st.floats(0.0, 7.0), max_size=10))
def test_processes_and_observers_that_only_look_never_change_a_run(
    spec: Spec, control: list[int], days: list[float]
) -> None:
    model, start, seen = windowed(spec), with_past(control[: spec.n]), list[float]()
    plain = run(model, start)
    looking = SimPyEngine([sampler(days, seen), sampler(awkward(plain.day[:20]), seen), ticker], [lambda *_: None])

    assert_same(plain, run(model, start, engine=SimPyEngine(observers=[lambda *_: None])))
    assert_same(plain, run(model, start, engine=looking))


@settings(max_examples=30, deadline=None)
@given(specs(fastest=0.3), STARTS, st.lists(st.floats(0.0, 6.0), max_size=10))
def test_scaling_by_one_changes_nothing_even_an_instant_beside_an_event(
    spec: Spec, control: list[int], days: list[float]
) -> None:
    model, start = windowed(spec), with_past(control[: spec.n])
    plain = run(model, start)
    moments = [*days, *awkward(plain.day[:20]), 2.0, 3.0]

    def idle(world: World) -> Iterator[simpy.Event]:
        for day in sorted(moments):
            while world.env.now < day:
                yield world.env.timeout(day - world.env.now)
            for transition in world._transitions:
                world.scale("A", transition, 1.0)

    assert_same(plain, run(model, start, engine=SimPyEngine([idle, ticker])))


def test_a_process_an_instant_after_an_appointment_never_comes_before_it() -> None:
    # SimPy's now is a sum of delays: the race may wake an ulp late, when such a process is due as well.
    model = Model(Theatre(list("ABC")), {"seizure": Baseline(0.3)})
    plain = run(model, [0, 0, 0], horizon=100.0, replications=500)
    days = plain.day.reshape(500, 3)
    beside = np.nextafter(days[:, 1], 999.0)
    late = days[:, 0] + (days[:, 1] - days[:, 0]) == beside

    def idle(world: World) -> Iterator[simpy.Event]:
        yield world.env.timeout(beside[world.replication])
        world.scale("A", "seizure", 1.0)

    assert 5 < late.sum()
    assert_same(plain, run(model, [0, 0, 0], horizon=100.0, replications=500, engine=SimPyEngine([idle])))


def test_a_process_of_many_small_steps_never_moves_a_day() -> None:
    # Small steps make env.now land an ulp beside the appointment, before and after it.
    model = model_of(TRIANGLE)

    def busy(world: World) -> Iterator[simpy.Event]:
        while True:
            yield world.env.timeout(0.001)
            world.scale("A", "assault", 1.0)

    assert_same(run(model, [0, 0, 0]), run(model, [0, 0, 0], engine=SimPyEngine([busy])))


def test_observers_are_told_every_event_once_with_the_logged_day_and_control_after_it() -> None:
    told: list[tuple[int, Event]] = []

    def note(world: World, event: Event) -> None:
        assert event.day == world.now
        assert event.target is world.control[event.province]
        told.append((world.replication, event))

    ensemble = run(model_of(TRIANGLE), [0, 1, 2], replications=20, engine=SimPyEngine(observers=[note]))

    assert [(r, event) for r in range(20) for event in ensemble.events(r)] == told


# ------------------------------------------------------------------------ stops between events, to the last digit


NEVER = -800.0  # exp(-800) is 0: a hazard that stands still


def day_of(hazard: Hazard, *, start: State | None = None, provinces: str = "A") -> tuple[float, float]:
    """Return the day on which the last of *provinces* is seized, and its budget."""
    model = Model(Theatre(list(provinces)), {"seizure": hazard})
    ensemble = run(model, start or State({}), horizon=1000.0, replications=1)
    name = provinces[-1]
    return next(event.day for event in ensemble.events(0) if event.province == name), budget(name, "seizure")


@pytest.mark.parametrize("provinces", [None, ("A",)], ids=["national", "local"])
def test_a_calendar_that_stops_a_clock_delays_it_by_exactly_its_length(provinces: tuple[str, ...] | None) -> None:
    rate = budget("A", "seizure") / 2.5  # due on day 2.5 if nothing holds it
    for start, stop, expected in (
        (1.0, 4.0, 5.5),
        (2.25, 2.75, 3.0),
        (3.0, 4.0, 2.5),
        (None, 4.0, 6.5),
        (-3.0, 1.0, 3.5),
    ):
        day, _ = day_of(Baseline(rate) * Calendar(start, stop, NEVER, provinces))
        assert expected == pytest.approx(day, rel=1e-14)


@pytest.mark.parametrize("provinces", [None, ("A",)], ids=["national", "local"])
def test_a_calendar_that_doubles_a_hazard_halves_what_is_left(provinces: tuple[str, ...] | None) -> None:
    rate = budget("A", "seizure") / 2.5
    day, _ = day_of(Baseline(rate) * Calendar(1.5, None, math.log(2.0), provinces))

    assert 2.0 == pytest.approx(day, rel=1e-14)


def test_a_pull_back_on_a_day_begins_exactly_then() -> None:
    rate = budget("A", "seizure") / 2.5
    hold = {"hold": math.log(2.0), "abandon": NEVER}

    assert 2.0 == pytest.approx(day_of(Baseline(rate) * PullBack(("A",), 1.5, **hold))[0], rel=1e-14)
    day, spent = day_of(Baseline(0.1) * PullBack((), 1e-3, hold=0.0, abandon=1.0))
    assert 1e-3 + (spent / 0.1 - 1e-3) / math.e == pytest.approx(day, rel=1e-14)


def test_a_window_that_passes_slows_the_rest_exactly_then() -> None:
    # A was taken a day ago; with a window of 3 days it counts until day 2.
    start = State({"A": Control.INSURGENT}, past=(Past("A", -1.0, -1.0),))
    rate = budget("B", "seizure") / 5.0
    day, _ = day_of(Baseline(rate) * Momentum(2 * math.log(2.0), window=3.0), start=start, provinces="AB")

    assert 3.0 == pytest.approx(day, rel=1e-14)  # four of the five days' worth by day 2


def test_a_declared_break_of_a_custom_term_stops_the_race_exactly_there() -> None:
    rate = budget("A", "seizure") / 2.5
    pause = Custom(lambda time, control, province: 0.0 if 1.0 <= time < 4.0 else 1.0, breaks=(1.0, 4.0))

    assert 5.5 == pytest.approx(day_of(Baseline(rate) * pause)[0], rel=1e-14)


def test_dates_are_counted_from_the_start() -> None:
    from datetime import datetime

    rate = budget("A", "seizure") / 2.5
    start = State({}, instant=datetime(2021, 8, 13))
    hazard = Baseline(rate) * Calendar("2021-08-14", "2021-08-15T12:00", NEVER)

    assert 4.0 == pytest.approx(day_of(hazard, start=start)[0], rel=1e-14)


# --------------------------------------------------------------------------------------------------- the start


def test_a_capital_nobody_saw_is_contested_at_the_start_with_the_models_probability() -> None:
    model = Model(Theatre(list("ABCDE")), CONSTANT, contested=0.3)
    start = State({"C": "contested", "D": "insurgent"}, sighted=frozenset("E"))
    initial = run(model, start, horizon=1e-9, replications=20_000).initial
    shares = (initial == Control.CONTESTED).mean(axis=0)

    assert [0.0, 1.0, 0.0] == [shares[4], shares[2], shares[3]]
    # Four standard errors of 0.3 at 20,000.
    assert [0.3, 0.3] == pytest.approx(shares[:2].tolist(), abs=4 * math.sqrt(0.21 / 20_000))
    assert 4 / math.sqrt(20_000) > abs(np.corrcoef(initial[:, 0], initial[:, 1])[0, 1])


def test_contested_reads_as_government_where_nothing_leaves_contested() -> None:
    model = Model(Theatre(list("AB")), {"seizure": Baseline(0.1)})
    read, plain = (run(model, State({"A": held}), replications=50) for held in ("contested", "government"))

    assert_same(plain, read)
    assert 0 == read.initial.max()
    assert "start.contested" not in model.parameters


def test_hours_of_past_captures_matter_to_windowed_momentum_alone() -> None:
    plain, with_window = model_of(TRIANGLE), windowed(TRIANGLE)
    early, late = with_past([0, 0, 2], -4.5, -4.0), with_past([0, 0, 2], -1.0, 0.0)

    assert_same(run(plain, early), run(plain, late))
    assert_same(run(plain, early), run(plain, [0, 0, 2]))
    assert run(with_window, early).day.tolist() != run(with_window, late).day.tolist()


def test_the_share_of_each_capture_is_taken_before_it_counts_itself() -> None:
    model = Model(Theatre(list("AB"), [("A", "B")]), {"seizure": Baseline(1.0) * Neighbours(1.0)})
    first, second = run(model, [0, 0], horizon=100.0, replications=1).events(0)

    assert {"baseline": 1.0, "neighbours.border": 0.0} == first.shares
    assert {"baseline": 0.5, "neighbours.border": 0.5} == second.shares


# ------------------------------------------------------------------------------------------------ custom terms


def neighbours_lost(_: float, control: Mapping[str, Control], province: str) -> float:
    near = {"A": "B", "B": "AC", "C": "B"}[province]
    return 1.0 + 0.6 * sum(control[other] is Control.INSURGENT for other in near)


def assert_same_events(one: Ensemble, other: Ensemble) -> None:
    """The same events on the same days, to twelve digits: where a factor is kept decides how it is rounded."""
    assert_same(one, other, but=["day", "shares"])
    assert one.day == pytest.approx(other.day, rel=1e-12)


def test_a_custom_term_equal_to_a_built_in_one_gives_its_events() -> None:
    theatre = Theatre(list("ABC"), [("A", "B"), ("B", "C")], [("A", "C")], columns={"x": [1.0, 2.0, 6.0]})
    z = dict(zip("ABC", theatre.standardised("x"), strict=True))
    pairs = [
        (Neighbours(0.6), Custom(neighbours_lost)),
        (Covariate("x", 0.7), Custom(lambda time, control, province: math.exp(0.7 * z[province]))),
        (
            Calendar(1.3, 2.9, 0.5, ("A", "B")),
            Custom(
                lambda time, control, province: math.exp(0.5) if 1.3 <= time < 2.9 and province in "AB" else 1.0,
                breaks=(1.3, 2.9),
            ),
        ),
    ]
    for built_in, custom in pairs:
        first, second = (
            run(
                Model(theatre, {
                    "seizure": Baseline(0.2) * term * Momentum(1.0),
                    "recapture": Baseline(0.3) * Neighbours(0.2, via="road") * term,
                }),
                [0, 0, 2], replications=40,
            )
            for term in (built_in, custom)
        )  # fmt: skip
        assert len(first.day) > 100
        assert_same_events(first, second)


def test_a_custom_term_that_changes_unannounced_stops_the_run() -> None:
    model = Model(Theatre(["A", "B"]), {
        "seizure": Baseline(1.0) * Custom(lambda time, control, province: 1.0 + (time > 0.01), label="moon"),
    })  # fmt: skip
    with pytest.raises(RuntimeError) as caught:
        run(model, [0, 0])

    start, end = "seizure.custom.moon: the multiplier for A changed between events, from 1 to 2 by day 0.", "in breaks="
    assert str(caught.value).replace("seizure.", "").startswith(start.replace("seizure.", ""))
    assert str(caught.value).endswith(end)


@pytest.mark.parametrize("value", [-1.0, math.nan, math.inf])
def test_a_custom_multiplier_is_finite_and_not_negative(value: float) -> None:
    model = Model(Theatre(["A"]), {"seizure": Baseline(1.0) * Custom(lambda time, control, province: value)})
    with pytest.raises(ValueError) as caught:
        run(model, [0])

    assert f"custom: a multiplier must be finite and not negative, but was {value!r} for A on day 0" in str(
        caught.value
    )


def test_a_custom_multiplier_of_nought_is_a_clock_that_waits() -> None:
    free = Custom(lambda time, control, province: float(province == "A" or control["A"] is Control.INSURGENT))
    ensemble = run(Model(Theatre(["A", "B"]), {"seizure": Baseline(1.0) * free}), [0, 0], replications=30, horizon=50.0)

    assert [0, 1] * 30 == ensemble.province.tolist()
    a, b = ensemble.day[::2], ensemble.day[1::2]
    assert [budget("B", "seizure", replication=r) for r in range(30)] == pytest.approx((b - a).tolist(), rel=1e-12)


# ---------------------------------------------------------------------------------------- processes of one's own


def airlift(world: World) -> Iterator[simpy.Event]:
    """design.md's example, to the letter."""
    yield world.env.timeout(2)
    world.scale("Kabul", "assault", 0.1)
    yield world.env.timeout(10)
    world.scale("Kabul", "assault", 1.0)


def test_the_airlift_runs_on_the_real_week_and_spares_kabul(afghan: Theatre, week: Record) -> None:
    from sim.families import siege
    from sim.outcomes import Pressure

    model = siege(afghan)
    draws = model.draw_prior(500, seed=7)
    told = {"start": week.state(), "horizon": 30, "replications": 2000, "seed": 7}
    plain = sim.simulate(model, draws, **told)
    lifted = sim.simulate(model, draws, engine=SimPyEngine(processes=[airlift]), **told)
    one, other = (Pressure("assault")(ensemble) for ensemble in (plain, lifted))

    # Until it begins nothing differs; then Kabul gains, and never loses, because both runs share every draw.
    before = plain.day[: plain.offsets[1]] < 2.0
    assert plain.day[: plain.offsets[1]][before].tolist() == lifted.day[: lifted.offsets[1]][: before.sum()].tolist()
    assert one.probability(2.0).value == other.probability(2.0).value
    assert one.probability(12.0).value > other.probability(12.0).value + 0.02


def test_a_process_that_scales_is_a_calendar() -> None:
    theatre = Theatre(list("ABC"), [("A", "B"), ("B", "C")])
    factor = math.exp(-2.0)
    rest = {"fall": Baseline(0.3), "relief": Baseline(0.5)}
    assault = Baseline(0.4) * Neighbours(0.6)
    calendar = Model(theatre, {"assault": assault * Calendar(1.0, 4.5, -2.0, ("B",)), **rest}, contested=0.0)
    plain = Model(theatre, {"assault": assault, **rest}, contested=0.0)

    def lift(world: World) -> Iterator[simpy.Event]:
        yield world.env.timeout(1.0)
        world.scale("B", "assault", factor)
        yield world.env.timeout(3.5)
        world.scale("B", "assault", 1.0)

    told = run(calendar, [0, 0, 0], replications=300)
    beside = run(plain, [0, 0, 0], replications=300, engine=SimPyEngine([lift]))

    assert_same_events(told, beside)
    assert told.shares.sum(axis=1) == pytest.approx(beside.shares.sum(axis=1))
    # The calendar's share is the processes' share.
    rows = told.transition == 0
    assert told.shares[rows, 2] == pytest.approx(beside.shares[rows, -1], rel=1e-12)


def test_a_clock_held_still_keeps_its_budget_and_goes_on() -> None:
    rate = budget("A", "seizure") / 2.5

    def hold(world: World) -> Iterator[simpy.Event]:
        yield world.env.timeout(1.0)
        world.scale("A", "seizure", 0.0)
        yield world.env.timeout(7.0)
        assert 0.0 == world.rate("A", "seizure")
        world.scale("A", "seizure", 2.0)
        assert 2 * rate == world.rate("A", "seizure")

    model = Model(Theatre(["A"]), {"seizure": Baseline(rate)})
    ensemble = run(model, [0], horizon=20.0, replications=1, engine=SimPyEngine([hold]))

    assert [8.75] == pytest.approx(ensemble.day.tolist(), rel=1e-14)
    assert {"baseline": 0.5, "processes": 0.5} == pytest.approx(next(ensemble.events(0)).shares)


def test_scaling_sets_the_factor_and_does_not_pile_up_or_outlive_its_replication() -> None:
    seen = []

    def twice(world: World) -> Iterator[simpy.Event]:
        seen.append(world.rate("A", "seizure"))
        world.scale("A", "seizure", 3.0)
        world.scale("A", "seizure", 2.0)
        seen.append(world.rate("A", "seizure"))
        yield world.env.timeout(0.0)

    run(Model(Theatre(["A"]), {"seizure": Baseline(0.25)}), [0], replications=3, engine=SimPyEngine([twice]))

    assert [0.25, 0.5] * 3 == seen


def test_a_process_comes_before_an_appointment_of_the_same_instant() -> None:
    model = Model(Theatre(["A"]), {"seizure": Baseline(0.25)})
    day = run(model, [0], horizon=50.0, replications=1).day[0]
    seen = []

    def rescue(world: World) -> Iterator[simpy.Event]:
        yield world.env.timeout(day)
        seen.append((world.now, world.control["A"]))
        world.scale("A", "seizure", 0.0)

    def late(world: World) -> Iterator[simpy.Event]:
        yield world.env.timeout(np.nextafter(day, 99.0))
        seen.append((world.now, world.control["A"]))
        world.scale("A", "seizure", 0.0)

    assert 0 == len(run(model, [0], horizon=50.0, replications=1, engine=SimPyEngine([rescue])).day)
    assert [day] == run(model, [0], horizon=50.0, replications=1, engine=SimPyEngine([late])).day.tolist()
    assert [(day, Control.GOVERNMENT), (np.nextafter(day, 99.0), Control.INSURGENT)] == seen


def test_a_break_comes_before_a_process_of_the_same_instant() -> None:
    seen = []

    def read(world: World) -> Iterator[simpy.Event]:
        yield world.env.timeout(2.0)
        seen.append(world.rate("A", "seizure"))
        yield world.env.timeout(1.0)
        seen.append(world.rate("A", "seizure"))

    model = Model(Theatre(["A"]), {"seizure": Baseline(1e-6) * Calendar(2.0, 3.0, math.log(2.0))})
    run(model, [0], replications=1, engine=SimPyEngine([read]))

    assert [2e-6, 1e-6] == seen


def test_processes_that_never_end_and_start_others_do_not_keep_a_run_from_ending() -> None:
    counted = []

    def child(world: World) -> Iterator[simpy.Event]:
        counted.append(world.env.now)
        yield world.env.event()

    def parent(world: World) -> Iterator[simpy.Event]:
        while True:
            yield world.env.process(child(world)) | world.env.timeout(1.0)

    ensemble = run(model_of(TRIANGLE), [0, 0, 0], horizon=4.5, engine=SimPyEngine([parent]))

    assert [0.0, 1.0, 2.0, 3.0, 4.0] * 6 == counted
    assert_same(run(model_of(TRIANGLE), [0, 0, 0], horizon=4.5), ensemble)


def test_processes_run_to_the_horizon_though_nothing_is_left_to_happen() -> None:
    seen = []

    def wait(world: World) -> Iterator[simpy.Event]:
        yield world.env.timeout(5.9)
        seen.append(world.now)

    run(Model(Theatre(["A"]), {"seizure": Baseline(0.0)}), [0], replications=2, engine=SimPyEngine([wait]))

    assert [5.9, 5.9] == seen


def test_a_replication_whose_process_raises_is_told_of_and_the_rest_goes_on() -> None:
    def fails(world: World) -> Iterator[simpy.Event]:
        yield world.env.timeout(1.0)
        if world.replication in (1, 4):
            raise LookupError(f"no aircraft left in {world.replication}")

    whole = run(model_of(TRIANGLE), [0, 0, 0])
    with pytest.warns(RuntimeWarning, match=r"2 of 6 replications failed .* replication 1: LookupError: no aircraft"):
        ensemble = run(model_of(TRIANGLE), [0, 0, 0], engine=SimPyEngine([fails]))

    assert [0, 2, 3, 5] == ensemble.numbers.tolist()
    assert [(1, 0), (4, 0)] == [(failure.replication, failure.draw) for failure in ensemble.failures]
    assert "no aircraft left in 4" in ensemble.failures[1].traceback and "in fails" in ensemble.failures[1].traceback
    assert "2 FAILED" in repr(ensemble)
    for number in (0, 2, 3, 5):
        assert list(whole.events(number)) == list(ensemble.events(number))
    with pytest.raises(IndexError, match="replication 4 failed"):
        ensemble.replay(replication=4)


def test_an_observer_that_raises_in_every_replication_ends_the_run_with_its_traceback() -> None:
    def fails(world: World, event: Event) -> None:
        raise LookupError(f"seen {event.transition}")

    with pytest.raises(RuntimeError, match=r"(?s)every replication failed.*in fails.*LookupError: seen "):
        run(model_of(TRIANGLE), [0, 0, 0], horizon=60.0, engine=SimPyEngine(observers=[fails]))


def test_a_hazard_that_overflows_ends_the_run_with_observers_as_without() -> None:
    model = Model(Theatre(["A", "B"]), {"seizure": Baseline(0.1) * Momentum(2e3)})
    for engine in (SimPyEngine(), SimPyEngine(observers=[lambda world, event: None]), sim.CompiledEngine()):
        with pytest.raises(ValueError, match="a hazard is not finite"):
            run(model, [0, 0], horizon=60.0, replications=20, engine=engine)


def test_control_shown_to_processes_cannot_be_written() -> None:
    def writes(world: World) -> Iterator[simpy.Event]:
        world.control["A"] = Control.INSURGENT  # type: ignore[index]
        yield world.env.timeout(1.0)

    with pytest.raises(RuntimeError, match="does not support item assignment"):
        run(model_of(TRIANGLE), [0, 0, 0], engine=SimPyEngine([writes]))


def test_the_log_grows_beyond_its_first_room() -> None:
    model = Model(Theatre(["A", "B"]), {"seizure": Baseline(50.0), "recapture": Baseline(50.0)})
    ensemble = run(model, [0, 0], horizon=100.0, replications=2)

    assert len(ensemble.day) > 8192
    for r in range(2):
        rows = slice(*ensemble.offsets[r : r + 2])
        assert np.all(np.diff(ensemble.day[rows]) > 0)
        for p in range(2):
            own = ensemble.province[rows] == p
            assert ([2, 0] * own.sum())[: own.sum()] == ensemble.target[rows][own].tolist()
    assert 1.0 == ensemble.shares.sum(axis=1).min() == ensemble.shares.sum(axis=1).max()


def test_an_undeclared_change_of_a_custom_term_is_noticed_though_no_event_follows() -> None:
    theatre = sim.Theatre(["A", "B"], borders=[("A", "B")])
    model = sim.Model(theatre, {"seizure": Baseline(1.0) * Custom(lambda t, control, province: 0.0 if t < 5 else 1.0)})

    with pytest.raises(RuntimeError, match="declare the instant in breaks="):
        sim.simulate(model, start=sim.State({}), horizon=50, replications=1, seed=1)


def test_a_replay_that_comes_out_otherwise_is_refused() -> None:
    theatre = sim.Theatre(["A", "B"], borders=[("A", "B")])
    seen: list[int] = []

    def remembers(world: World) -> Iterator[simpy.Event]:
        seen.append(1)
        world.scale("A", "seizure", float(len(seen)))
        yield world.env.timeout(1)

    ensemble = sim.simulate(
        sim.Model(theatre, {"seizure": Baseline(0.5)}), start=sim.State({}), horizon=50, replications=3, seed=1,
        engine=sim.SimPyEngine(processes=[remembers]),
    )  # fmt: skip
    with pytest.raises(RuntimeError, match="replay: replication 0 came out otherwise"):
        ensemble.replay(replication=0)


def test_the_names_of_a_state_are_normalised() -> None:
    assert {"N\u00edmroz": sim.Control.INSURGENT} == dict(sim.State({"Ni\u0301mroz": "insurgent"}).control)
    with pytest.raises(ValueError, match="given twice"):
        sim.State({"N\u00edmroz": "insurgent", "Ni\u0301mroz": "government"})
