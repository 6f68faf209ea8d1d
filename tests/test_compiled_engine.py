"""The compiled engine: the log of the SimPy engine, bit for bit, or a refusal that says what to do."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numba
import numpy as np
import pytest
import simpy
from conftest import nightly
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from strategies import STORM, Case, cases

import sim
from sim.control import TRANSITIONS, Control, Past, State
from sim.engines import compiled as compiled_room
from sim.engines.simpy_engine import SimPyEngine, World
from sim.ensemble import Ensemble
from sim.families import FAMILIES
from sim.hazards import (
    Baseline,
    Calendar,
    Custom,
    CutOff,
    Frailty,
    Hazard,
    Momentum,
    Neighbours,
    PullBack,
    Reserves,
    Term,
)
from sim.model import Draws, Model
from sim.recipe import Recording
from sim.record import Record
from sim.theatre import Theatre

COMPILED = sim.CompiledEngine()
#: The SimPy engine has two ways through a run: nothing beside the race, or something that may look on.
SIMPY = {"alone": SimPyEngine(), "observed": SimPyEngine(observers=[lambda world, event: None])}


def log(ensemble: Ensemble) -> dict[str, np.ndarray]:
    """Return the event log, as integers where it holds floats, with the shares found by the same engine."""
    arrays = {name: getattr(ensemble, name) for name in ("numbers", "initial", "offsets", "province", "transition")}
    recipe = ensemble.recipe
    told = recipe.engine.run(recipe, ensemble.numbers.tolist(), Recording(shares=True), np.zeros(1, np.uint8))
    assert told.arrays["day"].tobytes() == ensemble.day.tobytes()
    return arrays | {"day": ensemble.day.view(np.int64), "shares": np.asarray(told.arrays["shares"]).view(np.int64)}


def differing(one: Ensemble, other: Ensemble) -> list[str]:
    """Return what of the two event logs is not the same, type, shape and every bit."""
    assert [f.replication for f in one.failures] == [f.replication for f in other.failures]
    left, right = log(one), log(other)
    return [
        name for name in left
        if left[name].dtype != right[name].dtype or not np.array_equal(left[name], right[name])
    ]  # fmt: skip


def assert_engines_agree(case: Case) -> Ensemble:
    """Assert that the compiled engine gives the SimPy engine's log both ways, and return it."""
    compiled = case.run(COMPILED)
    for way, engine in SIMPY.items():
        assert [] == differing(compiled, case.run(engine)), way
    return compiled


# ------------------------------------------------------------------------------------------------- any run at all


@settings(max_examples=nightly(1000), deadline=None)
@given(cases())
def test_both_engines_give_one_log_bit_for_bit(case: Case) -> None:
    assert_engines_agree(case)


@settings(max_examples=nightly(500), deadline=None)
@given(cases(), st.randoms(use_true_random=False))
def test_replications_are_the_same_alone_and_in_any_order(case: Case, chance: Any) -> None:
    told = case.run(SIMPY["alone"])
    recipe, rows = case.run(COMPILED).recipe, list(enumerate(case.replications))
    chance.shuffle(rows)
    for row, number in rows:
        part = COMPILED.run(recipe, [number], Recording(), np.zeros(1, np.uint8)).arrays
        mine = slice(*told.offsets[row : row + 2])
        assert told.initial[row].tobytes() == part["initial"].tobytes()
        for name in ("day", "province", "transition"):
            assert getattr(told, name)[mine].tobytes() == part[name].tobytes()


@settings(max_examples=nightly(400), deadline=None)
@given(cases(), st.integers(17, 60))
def test_races_that_follow_one_another_in_a_lane_leave_nothing_behind(case: Case, count: int) -> None:
    # More of them than lanes, so that each lane runs several, of one draw after another.
    first = min(case.replications[0], 2**32 - count)
    many = replace(case, replications=range(first, first + count))
    assert [] == differing(many.run(COMPILED), many.run(SIMPY["alone"]))


@settings(max_examples=nightly(400), deadline=None)
@given(cases(), st.integers(1, 20))
def test_races_one_by_one_are_those_side_by_side(case: Case, count: int) -> None:
    first = min(case.replications[0], 2**32 - count)
    many = replace(case, replications=range(first, first + count))
    abreast = many.run(COMPILED)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compiled_room, "_FEW", 0)  # as if there were more clocks than can run side by side
        alone = many.run(COMPILED)

    assert [] == differing(abreast, alone)


def test_cases_reach_every_term_and_much_happens_in_them() -> None:
    seen: Counter[str] = Counter()

    @settings(max_examples=300, deadline=None, derandomize=True, database=None, phases=[Phase.generate])
    @given(cases())
    def look(case: Case) -> None:
        ensemble = case.run(COMPILED)
        shares = log(ensemble)["shares"].view(float)
        seen["case"] += 1
        seen["events"] += len(ensemble.day) > 0
        seen["draws"] += len(np.unique(ensemble.draw)) > 1
        seen["unseen"] += any(
            name not in case.start.control and (ensemble.initial[:, p] == 1).any()
            for p, name in enumerate(ensemble.provinces)
        )
        seen["ties"] += bool((np.diff(ensemble.day)[np.diff(ensemble.replication) == 0] == 0.0).any())
        for r, (transition, terms) in enumerate(case.model.terms.items()):
            rows = shares[ensemble.transition == r]
            seen[transition] += len(rows) > 0
            # A term counts where it moved the hazard of an event.
            seen.update({name.split(".")[0] for j, name in enumerate(terms) if (rows[:, j] != 0.0).any()})
            seen["window"] += any(
                term.window is not None and (rows[:, j] != 0.0).any()
                for j, term in enumerate(case.model.hazards[transition].terms)
                if isinstance(term, Momentum)
            )

    look()
    print({name: seen[name] for name in sorted(seen)})
    kinds = ("neighbours", "momentum", "window", "covariate", "frailty", "cutoff", "calendar", "reserves", "pullback")

    assert seen["case"] < 2 * seen["events"]
    assert 3 <= min(seen[name] for name in (*TRANSITIONS, *kinds, "draws", "unseen"))


# --------------------------------------------------------------------------------------------- runs of one's choice


def near(model: Model, count: int) -> Draws:
    """Return draws as narrow as a posterior's, about the priors' medians."""
    scores = 0.5 * np.random.default_rng(1).standard_normal((count, len(model.parameters)))
    values = [prior.from_score(scores[:, j]) for j, prior in enumerate(model.parameters.values())]
    return Draws(tuple(model.parameters), np.column_stack(values))


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_on_the_real_week_is_the_same_by_both_engines(family: str, afghan: Theatre, week: Record) -> None:
    model = FAMILIES[family](afghan)
    ensemble = assert_engines_agree(Case(model, near(model, 11), week.state(), 30.0, range(60), 7))

    assert len(ensemble.day) > 500


def lattice(width: int, length: int, **rest: Any) -> Theatre:
    """Return provinces in rows of *width*: borders between neighbours, roads along rows and the first column."""

    def name(i: int, j: int) -> str:
        return f"P{i:02}{j:02}"

    places = list(itertools.product(range(length), range(width)))
    right = [(name(i, j), name(i, j + 1)) for i, j in places if j + 1 < width]
    down = [(name(i, j), name(i + 1, j)) for i, j in places if i + 1 < length]
    roads = [(*pair, "trunk") for pair in right] + [(*pair, "spur") for pair in down if pair[0].endswith("00")]
    columns = {"x": [(7 * i + 3 * j) % 11 for i, j in places]}
    return Theatre([name(*at) for at in places], right + down, roads, hub=name(0, 0), columns=columns, **rest)


#: Every term there is, in a country where capitals change hands again and again.
EVERYTHING: dict[str, Hazard | Term] = {
    "seizure": Baseline(0.03) * Momentum(0.8) * CutOff(0.6) * Frailty(0.5) * Calendar(2.0, 4.0, -0.5),
    "assault": Baseline(0.05) * Neighbours(0.4) * Neighbours(0.3, via="road") * Momentum(1.0, window=1.5),
    "fall": Baseline(0.3) * PullBack(("P0000", "P0001"), 4, hold=-0.5, abandon=0.4),
    "relief": Baseline(0.4) * Reserves(2.0) * Calendar(3.0, None, 0.3, ("P0000", "P0002")),
    "recapture": Baseline(0.2) * PullBack(("P0001",), 5.0, hold=0.5, abandon=-0.2) * Frailty(0.2),
}


@pytest.mark.parametrize(("width", "length"), [(4, 8), (3, 11), (8, 8), (5, 13), (14, 15)])
def test_large_countries_are_the_same_by_both_engines(width: int, length: int) -> None:
    model = Model(lattice(width, length), EVERYTHING, contested=0.1)
    start = State({"P0102": "insurgent", "P0201": "insurgent"}, past=(Past("P0102", -2.0, -0.5),))
    ensemble = assert_engines_agree(Case(model, model.draws(), start, 8.0, range(3, 15, 4), 5))

    assert len(ensemble.day) > width * length


def test_provinces_that_never_touch_are_each_as_if_alone() -> None:
    # Nothing in such a country depends on how large it is, so whatever finds the next event must not either.
    names = [f"P{k:03}" for k in range(150)]
    rates = {"seizure": 0.2, "assault": 0.3, "fall": 0.5, "relief": 0.6, "recapture": 0.7}
    hazards = {transition: Baseline(rate) * Frailty(0.5) for transition, rate in rates.items()}
    whole, *alone = (
        sim.simulate(
            Model(Theatre(some), hazards, contested=0.2), start=State({}), horizon=20.0, replications=4, seed=3
        )
        for some in (names, *([name] for name in names))
    )

    assert len(whole.day) > 4000
    for p, one in enumerate(alone):
        mine = whole.province == p
        assert one.day.tobytes() == whole.day[mine].tobytes()
        assert one.transition.tobytes() == whole.transition[mine].tobytes()
        assert one.replication.tobytes() == whole.replication[mine].tobytes()


def test_capitals_that_fall_within_the_last_digit_of_one_day_do_so_in_one_order() -> None:
    hazard = Baseline(0.02) * Calendar(5.0, None, STORM) * Neighbours(0.5)
    model = Model(lattice(6, 7), {"assault": hazard, "fall": hazard, "seizure": hazard}, contested=0.0)
    ensemble = assert_engines_agree(Case(model, model.draws(), State({"P0303": "insurgent"}), 6.0, range(20), 2))
    same = np.diff(ensemble.day) == 0.0

    assert same.sum() > 100


@pytest.mark.parametrize(("rate", "replications"), [(4.0, 25), (120.0, 1)], ids=["many runs", "one run"])
def test_logs_larger_than_any_room_set_aside_are_the_same(rate: float, replications: int) -> None:
    model = Model(lattice(5, 5), {"seizure": Baseline(rate) * Neighbours(0.1), "recapture": Baseline(2 * rate)})
    case = Case(model, model.draws(), State({}), 20.0, range(replications), 1)
    compiled = case.run(COMPILED)

    assert len(compiled.day) > 70_000
    assert [] == differing(compiled, case.run(SIMPY["alone"]))


# -------------------------------------------------------------------------------------------- terms of one's own


@numba.njit
def busy(time: float, control: Any, province: int) -> float:
    """A multiplier of everything a compiled Custom term is told."""
    total = 0
    for held in control:
        total += held
    return 0.5 + (1.0 if time >= 3.0 else 0.0) + total / (4 * len(control)) + province / 16


def busy_in_python(time: float, control: Mapping[str, Control], province: str) -> float:
    """The same, of what a Python function is told."""
    place = list(control).index(province)
    return 0.5 + (1.0 if time >= 3.0 else 0.0) + sum(control.values()) / (4 * len(control)) + place / 16


@settings(max_examples=nightly(300), deadline=None)
@given(cases(), st.data())
def test_a_compiled_custom_term_gives_one_log_by_both_engines_and_in_plain_python(case: Case, data: Any) -> None:
    chosen = data.draw(st.lists(st.sampled_from(list(case.model.hazards)), min_size=1, unique=True))
    with_busy, in_python = (
        replace(case, model=altered(case.model, chosen, Custom(fn, breaks=(3.0,)))) for fn in (busy, busy_in_python)
    )
    compiled = assert_engines_agree(with_busy)

    assert [] == differing(compiled, in_python.run(SIMPY["alone"]))


@numba.njit
def sudden(time: float, control: Any, province: int) -> float:
    return 1.0 + (time > 0.01)


@numba.njit
def below(time: float, control: Any, province: int) -> float:
    return 1.0 - 2.0 * (control[province] == 2)


@pytest.mark.parametrize(
    ("fn", "error", "told"), [(sudden, RuntimeError, "declare the instant in breaks="), (below, ValueError, "negative")]
)
def test_a_compiled_custom_term_is_held_to_its_word_by_both_engines(fn: Any, error: type[Exception], told: str) -> None:
    model = Model(Theatre(["A", "B"]), {"seizure": Baseline(1.0) * Custom(fn)})
    case = Case(model, model.draws(), State({}), 30.0, range(3), 1)
    for engine in (COMPILED, *SIMPY.values()):
        with pytest.raises(error, match=told):
            case.run(engine)


@numba.njit
def divides(time: float, control: Any, province: int) -> float:
    return 1.0 / ((2 - control[0]) + 0.0)


def test_a_compiled_custom_term_that_raises_is_a_failure_in_both_engines() -> None:
    model = Model(Theatre(["A", "B"]), {"seizure": Baseline(0.1) * Custom(divides)})
    case = Case(model, model.draws(), State({}), 5.0, range(20), 1)
    with pytest.warns(RuntimeWarning, match="ZeroDivisionError"):
        one, *others = (case.run(engine) for engine in (COMPILED, *SIMPY.values()))

    assert 0 < len(one.failures) < 20 == len(one) + len(one.failures)
    for other in others:
        assert [] == differing(one, other)


# --------------------------------------------------------------------------------------- the comparison can fail


def altered(model: Model, transitions: Sequence[str], term: Term) -> Model:
    """Return *model* with *term* on some of its *transitions* as well."""
    more = {name: model.hazards[name] * term for name in transitions}
    return Model(model.theatre, {**model.hazards, **more}, model.contested)


def up(day: float) -> float:
    return float(np.nextafter(day, np.inf))


BASE = Model(lattice(4, 4), EVERYTHING, contested=0.1)
CASE = Case(BASE, BASE.draws(), State({}), 8.0, range(4), 5)
MISTAKES: dict[str, Callable[[], dict[str, Any]]] = {
    "another seed": lambda: {"seed": 6},
    "other replications": lambda: {"replications": range(1, 5)},
    "a gap too many": lambda: {"replications": range(0, 8, 2)},
    "a shorter horizon": lambda: {"horizon": 7.0},
    "a start that was seen": lambda: {"start": State({}, sighted=frozenset(BASE.theatre.provinces))},
    "a rate an ulp higher": lambda: {"draws": BASE.draws({"assault.baseline": up(0.05)})},
    "an effect four ulps higher": lambda: {"draws": BASE.draws({"assault.neighbours.road": 0.3 + 2.0**-52})},
    "a calendar a little later": lambda: {"model": altered(BASE, ["assault"], Calendar(7.9, 8, 0.1)), "draws": None},
    "other units": lambda: {"draws": BASE.draws({"relief.reserves": 1.9})},
    "a province that bleeds": lambda: {
        "model": altered(BASE, ["fall"], Calendar(None, None, 0.1, ("P0303",))), "draws": None,
    },
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_planted_mistake_is_seen(mistake: str) -> None:
    assert [] == differing(CASE.run(COMPILED), CASE.run(SIMPY["alone"]))
    for one, other in ((COMPILED, SIMPY["alone"]), (SIMPY["observed"], COMPILED)):
        assert differing(CASE.run(one), CASE.run(other, **MISTAKES[mistake]()))


@pytest.mark.parametrize("column", ["numbers", "initial", "offsets", "day", "province", "transition"])
def test_one_wrong_entry_in_a_column_is_seen(column: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ensemble = CASE.run(COMPILED)
    wrong = getattr(ensemble, column).copy()
    wrong.flat[-1] = up(wrong.flat[-1]) if column == "day" else wrong.flat[-1] + 1
    # Only columns are compared here: what is wrong could not be run again for its shares.
    monkeypatch.setattr("test_compiled_engine.log", lambda run: {
        name: getattr(run, name) for name in ("numbers", "initial", "offsets", "day", "province", "transition")
    })  # fmt: skip

    assert [column] == differing(ensemble, replace(ensemble, **{column: wrong}))


# ------------------------------------------------------------------------------------------------------ refusals


def test_a_custom_term_in_plain_python_is_refused_at_once_with_what_to_use() -> None:
    asked: list[str] = []

    def moon(time: float, control: Any, province: str) -> float:
        asked.append(province)
        return 1.0

    model = Model(Theatre(["A"]), {"seizure": Baseline(0.1) * Custom(moon, label="moon")})
    with pytest.raises(TypeError) as caught:
        sim.simulate(model, start=State({}), horizon=5.0, replications=2, seed=1, engine=COMPILED)

    assert "seizure.custom.moon" in str(caught.value)
    assert "SimPyEngine()" in str(caught.value) and "numba.njit" in str(caught.value)
    assert [] == asked


@pytest.mark.parametrize("effect", ["momentum", "neighbours"])
def test_a_hazard_that_is_not_finite_is_refused_by_both_engines_and_the_next_run_is_whole(effect: str) -> None:
    hazard = Baseline(1.0) * (Momentum(3000.0) if effect == "momentum" else Neighbours(1e308) * Neighbours(9.0, "road"))
    model = Model(lattice(4, 4), {"seizure": hazard})
    case = Case(model, model.draws(), State({}), 30.0, range(3), 1)
    for engine in (COMPILED, SIMPY["alone"]):
        with pytest.raises(ValueError, match=r"a hazard is .*not finite"):
            case.run(engine)
        assert len(CASE.run(engine).day) > 0
    assert [] == differing(CASE.run(COMPILED), CASE.run(SIMPY["alone"]))


def idle(world: World) -> Iterator[simpy.Event]:
    yield world.env.timeout(1.0)


@pytest.mark.parametrize("beside", ["processes", "observers"])
def test_simpy_processes_and_observers_cannot_be_passed_to_it(beside: str) -> None:
    with pytest.raises(TypeError, match="SimPyEngine"):
        sim.CompiledEngine(**{beside: [idle]})
