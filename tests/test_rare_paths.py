"""Races whose hazards are 0 for a while, or all but 0, or may be negative: by both engines, and budget by budget.

A clock whose hazard is 0 keeps what is left of its budget. ``by_hand`` spends the same budgets at the hazards written a
second time in ``exact.py``, so that nothing here rests on how the ledger moves appointments.
"""

from __future__ import annotations

import contextlib
import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import exact
import numpy as np
import pytest
from conftest import NAMES, _term, frequencies, nightly, specs, start_of, theatre_of
from exact import Spec
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from scipy import stats

import sim
from sim.control import State
from sim.engines.simpy_engine import SimPyEngine
from sim.ensemble import Ensemble
from sim.hazards import Baseline, Calendar, CutOff, Hazard, Neighbours, Reserves
from sim.model import Draws, Model
from sim.priors import Fixed, HalfNormal, LogNormal
from sim.recipe import Recording
from sim.streams import exponential, key_of, name_key
from sim.theatre import Theatre

ENGINES = {"compiled": sim.CompiledEngine(), "simpy": SimPyEngine()}
REFUSED = "a hazard is negative or not finite: a rate, an effect or a Custom term is out of bounds"
Event = tuple[float, int, int]


@dataclass(frozen=True)
class Free(Neighbours):
    """Neighbours of any effect, and several of them on one graph."""

    label: str = ""

    def __post_init__(self) -> None:
        self._prior("effect")

    @property
    def qualifier(self) -> str:
        return f"{self.via}.{self.label}"


def model_of(spec: Spec) -> Model:
    """Return the model that says what *spec* says, negative effects and several Neighbours of one kind included."""
    column = itertools.count()
    hazards = {
        name: Hazard(tuple(
            Free(term[1], term[2], str(label)) if term[0] == "neighbours" else _term(term, label, column)
            for label, term in enumerate(terms)
        ))
        for name, terms in spec.hazards.items()
    }  # fmt: skip
    return Model(theatre_of(spec), hazards, contested=0.0)


def is_common(term: tuple[Any, ...]) -> bool:
    return term[0] in ("momentum", "reserves", "pullback") or (term[0] == "calendar" and term[4] is None)


def by_hand(spec: Spec, control: tuple[int, ...], horizon: float, seed: int, replication: int) -> list[Event]:
    """Return the events until *horizon*: (day, province, transition). Raise a ValueError if a hazard is negative."""
    names, key = list(spec.hazards), key_of(seed, "clock")
    held = [0 if now == 1 and not spec.can_leave_contested else now for now in control]
    left: dict[tuple[int, int], float] = {}
    fired: dict[tuple[int, int], int] = {}
    breaks, events, day, level = [*spec.breaks(horizon), math.inf], [], 0.0, 0
    while True:
        state = tuple(held)
        level = max(level, exact._level(spec, state))
        rates = {}
        for (r, name), p in itertools.product(enumerate(names), range(spec.n)):
            if state[p] != exact.TRANSITIONS[name][0]:
                continue
            factors = [(exact.multiplier(spec, term, p, state, day, level), term) for term in spec.hazards[name]]
            if math.prod(factor for factor, term in factors if not is_common(term)) < 0.0:
                raise ValueError(REFUSED)
            rates[r, p] = math.prod(factor for factor, _ in factors)
            if (r, p) not in left:
                address = np.uint64(name_key(NAMES[p], name)), replication, fired.get((r, p), 0)
                left[r, p] = exponential(key, *address)
        waits = {clock: left[clock] / rate for clock, rate in rates.items() if rate > 0.0}
        clock = min(waits, key=waits.__getitem__, default=None)
        then = min(breaks[0], day + waits[clock] if clock else math.inf)
        if then > horizon:
            return events
        for each, rate in rates.items():
            left[each] -= rate * (then - day)
        day = then
        if then == breaks[0]:
            breaks.pop(0)
            continue
        assert clock is not None
        r, p = clock
        del left[clock]
        fired[clock] = fired.get(clock, 0) + 1
        held[p] = exact.TRANSITIONS[names[r]][1]
        events.append((day, p, r))


def events_of(ensemble: Ensemble) -> Iterator[list[Event]]:
    """Yield the events of each replication."""
    for begin, end in itertools.pairwise(ensemble.offsets.tolist()):
        columns = (getattr(ensemble, name)[begin:end].tolist() for name in ("day", "province", "transition"))
        yield list(zip(*columns, strict=True))


def bits(ensemble: Ensemble) -> list[bytes]:
    return [getattr(ensemble, name).tobytes() for name in ("initial", "offsets", "day", "province", "transition")]


@dataclass(frozen=True)
class Rare:
    """One thing to simulate: specs that differ in values alone, one a draw."""

    specs: tuple[Spec, ...]
    control: tuple[int, ...]
    horizon: float
    replications: range
    seed: int

    def run(self, engine: Any, **changed: Any) -> Ensemble:
        models = [model_of(spec) for spec in self.specs]
        draws = Draws(tuple(models[0].parameters), np.vstack([model.draws().values for model in models]))
        asked: dict[str, Any] = {"replications": self.replications, "horizon": self.horizon} | changed
        return sim.simulate(models[0], draws, start=start_of(self.control), seed=self.seed, engine=engine, **asked)

    def by_hand(self) -> list[list[Event]]:
        return [
            by_hand(self.specs[number % len(self.specs)], self.control, self.horizon, self.seed, number)
            for number in self.replications
        ]  # fmt: skip


def assert_all_agree(rare: Rare) -> list[list[Event]]:
    """Assert that both engines give one log, or one refusal, and that it is the log by hand. Return that."""
    try:
        expected = rare.by_hand()
    except ValueError as refusal:
        for engine in ENGINES.values():
            with pytest.raises(ValueError) as caught:
                rare.run(engine)
            assert str(refusal) == str(caught.value)
        return []
    compiled, simpy = (rare.run(engine) for engine in ENGINES.values())
    assert bits(compiled) == bits(simpy)
    for events, found in zip(expected, events_of(compiled), strict=True):
        assert [event[1:] for event in events] == [event[1:] for event in found]
        # Rounding alone: days of some ulps, over at most some hundred events.
        assert [event[0] for event in events] == pytest.approx([event[0] for event in found], rel=1e-10, abs=1e-10)
    return expected


#: Effects by which hazards are 0 at 1, 2, 3 or 4 lost neighbours, negative beyond; all but 0; or as they mostly are.
EFFECTS = st.sampled_from([-1.0, -0.5, -1.0 / 3.0, -0.25, -0.2, 0.0, 1e-200, 0.4, 1.5])
#: Effects by which hazards are 0 (exp(-800)), or so small that no clock ever comes to its end (exp(-300)).
STILLS = st.sampled_from([-800.0, -300.0, -1.0, 0.0, 1.0])


@st.composite
def rares(draw: st.DrawFn) -> Rare:
    """Any small race, with more of what is rare."""
    kinds = ("neighbours", "momentum", "covariate", "cutoff", "calendar", "reserves", "pullback")
    plain = draw(specs(kinds, fastest=0.5))
    hazards = {name: list(terms) for name, terms in plain.hazards.items()}
    if draw(st.integers(0, 3)):  # mostly, capitals are lost and come back
        hazards = {"seizure": [("baseline", 0.8)], "recapture": [("baseline", 0.9)]} | hazards
    for terms in hazards.values():
        at = [term[0] for term in terms].index("baseline")
        terms[at] = ("baseline", draw(st.sampled_from([0.2, 0.5, 1.0])))
        for _ in range(draw(st.integers(0, 2))):
            ways = st.sampled_from(["border", "road"])
            terms.insert(draw(st.integers(0, len(terms))), ("neighbours", 0.0, draw(ways)))

    def again() -> Spec:
        """Return the spec with values drawn anew where they may be rare ones."""
        values = {"neighbours": lambda term: (EFFECTS, 1), "cutoff": lambda term: (STILLS, 1),
                  "calendar": lambda term: (STILLS, 3)}  # fmt: skip
        told = {}
        for name, terms in hazards.items():
            told[name] = list(terms)
            for j, term in enumerate(terms):
                if term[0] in values:
                    among, at = values[term[0]](term)
                    told[name][j] = (*term[:at], draw(among), *term[at + 1 :])
        return Spec(plain.n, told, plain.borders, plain.roads)

    control = tuple(draw(st.lists(st.integers(0, 2), min_size=plain.n, max_size=plain.n)))
    first = draw(st.integers(0, 50))
    return Rare(
        tuple(again() for _ in range(draw(st.integers(1, 2)))), control, draw(st.sampled_from([3.0, 5.0])),
        range(first, first + draw(st.integers(1, 20))), draw(st.integers(0, 99)),
    )  # fmt: skip


# A hub A on a triangle of roads with B, and C behind B; D is a neighbour of all by border.
ROADS = {(0, 1, "trunk"), (1, 2, "trunk")}
STAR = {(0, 3), (1, 3), (2, 3)}
ROUND = [("baseline", 0.8)]
ZERO_AT_TWO = Spec(4, {
    "seizure": [("baseline", 0.5), ("neighbours", -0.5, "border")], "recapture": ROUND,
}, {(0, 1), (1, 2), (2, 3)})  # fmt: skip
ZERO_AT_THREE = Spec(4, {
    "seizure": [("neighbours", -1 / 3, "border"), ("baseline", 0.7), ("neighbours", 0.5, "road")], "recapture": ROUND,
}, STAR, ROADS)  # fmt: skip
CUT_STILL = Spec(4, {
    "seizure": [("baseline", 0.5), ("cutoff", -800.0, 0, ()), ("neighbours", 0.5, "road")], "recapture": ROUND,
}, (), {*ROADS, (2, 3, "trunk")})  # fmt: skip
TWICE = Spec(3, {
    "assault": [("neighbours", 0.5, "border"), ("baseline", 0.3), ("neighbours", 2.0, "border")],
    "fall": [("baseline", 0.9), ("neighbours", 0.3, "border"), ("neighbours", -0.5, "border")],
    "recapture": ROUND,
}, {(0, 1), (1, 2)})  # fmt: skip
#: C has nothing to fear in these days, so B never has two lost neighbours, at which its hazard would be negative.
NEVER_REACHED = Spec(3, {
    "seizure": [("baseline", 0.5), ("neighbours", -0.7, "border"), ("calendar", None, None, -800.0, (2,))],
    "recapture": ROUND,
}, {(0, 1), (1, 2)})  # fmt: skip
SPECS = {
    "zero at two lost neighbours": ZERO_AT_TWO, "zero at three": ZERO_AT_THREE, "cut off and still": CUT_STILL,
    "two terms on one graph": TWICE, "negative where never reached": NEVER_REACHED,
}  # fmt: skip


@settings(max_examples=nightly(2000), deadline=None)
@given(rares())
@example(Rare((CUT_STILL,), (0, 2, 0, 2), 5.0, range(7), 1))
@example(Rare((ZERO_AT_THREE,), (2, 2, 2, 0), 5.0, range(7), 1))
def test_rare_races_are_the_same_by_both_engines_and_by_hand(rare: Rare) -> None:
    with contextlib.suppress(ValueError):  # refusals are compared too
        assume(len(rare.run(ENGINES["compiled"]).day) < 1000)
    assert_all_agree(rare)


def woken(spec: Spec, control: tuple[int, ...], events: list[Event]) -> int:
    """Return how many of the *events* are of clocks that stood still for a while since they last began to run."""
    names, state, still = list(spec.hazards), list(control), set()
    count = 0
    for _, p, r in events:
        for (k, name), q in itertools.product(enumerate(names), range(spec.n)):
            if state[q] != exact.TRANSITIONS[name][0]:
                still.discard((k, q))
            elif exact.hazard(spec, name, q, tuple(state)) == 0.0:
                still.add((k, q))
        count += (r, p) in still
        still.discard((r, p))
        state[p] = exact.TRANSITIONS[names[r]][1]
    return count


@pytest.mark.parametrize("name", SPECS)
@pytest.mark.parametrize("start", range(3))
def test_clocks_that_stood_still_go_on_with_what_was_left_of_their_budgets(name: str, start: int) -> None:
    spec = SPECS[name]
    starts = [(0, 0, 0), (2, 0, 0), (0, 2, 0)] if "never" in name else [(0, 0, 0, 0), (2, 0, 2, 2), (2, 2, 2, 0)]
    rare = Rare((spec,), starts[start][: spec.n], 12.0, range(30), 4)
    expected = assert_all_agree(rare)
    count = sum(woken(spec, rare.control, events) for events in expected)

    assert sum(map(len, expected)) > 100
    # Where nothing is ever 0 but what is so for good, nobody wakes.
    assert (count == 0) if "never" in name else (count > 20)


@pytest.mark.parametrize("name", SPECS)
def test_races_with_hazards_of_nought_have_the_distribution_of_the_exact_solver(name: str) -> None:
    spec, days = SPECS[name], (1.0, 4.0)
    control = (0, 2, 0, 0)[: spec.n]
    ensemble = Rare((spec,), control, 4.0, range(40_000), 8).run(ENGINES["compiled"])
    for day, expected in zip(days, exact.transient(spec, control, days), strict=True):
        seen = frequencies(ensemble, day)
        likely = expected * len(ensemble) >= 5
        rest = [seen[~likely].sum(), expected[~likely].sum() * len(ensemble)]
        pairs = np.column_stack([seen[likely], expected[likely] * len(ensemble)])
        pairs = np.vstack([pairs, rest]) if rest[1] > 0 else pairs

        assert 0 == seen[expected == 0.0].sum()
        # Ten such comparisons: a sound engine fails one of them once in 1e5 seeds.
        assert 1e-6 < stats.chisquare(pairs[:, 0], pairs[:, 1] * pairs[:, 0].sum() / pairs[:, 1].sum()).pvalue


#: B's hazard is negative once A and C are both lost.
REACHED = Spec(3, {"seizure": [("baseline", 0.5), ("neighbours", -0.7, "border")]}, {(0, 1), (1, 2)})


@pytest.mark.parametrize("engine", ENGINES)
def test_a_hazard_that_may_be_negative_is_refused_when_it_is_and_not_before(engine: str) -> None:
    # By hand: at which replication, and on which day, B is left between two lost neighbours.
    reached = []
    for number in range(40):
        first = sorted((exponential(key_of(3, "clock"), np.uint64(name_key(NAMES[p], "seizure")), number, 0), p)
                       for p in (0, 1, 2))  # fmt: skip
        with contextlib.suppress(ValueError):
            by_hand(REACHED, (0, 0, 0), 100.0, 3, number)
            continue
        reached.append(number)
        assert first[0][1] != 1
    rare = Rare((REACHED,), (0, 0, 0), 100.0, range(40), 3)

    assert 5 < len(reached) < 35
    for number in range(40):
        one = replace(rare, replications=range(number, number + 1))
        if number in reached:
            with pytest.raises(ValueError) as caught:
                one.run(ENGINES[engine])
            assert REFUSED == str(caught.value)
        else:
            assert one.by_hand()[0] == [
                (pytest.approx(day, rel=1e-12), p, r) for day, p, r in next(events_of(one.run(ENGINES[engine])))
            ]
    with pytest.raises(ValueError):
        rare.run(ENGINES[engine])
    # Too short for any of them to come so far.
    assert 1 <= len(rare.run(ENGINES[engine], horizon=0.1).day)


def test_a_fixed_effect_may_be_drawn_below_nought_and_is_held_to_the_same() -> None:
    theatre = Theatre(["A", "B", "C"], [("A", "B"), ("B", "C")])
    model = Model(theatre, {"seizure": Baseline(0.5) * Neighbours(0.0), "recapture": Baseline(0.8)})
    draws = Draws(tuple(model.parameters), np.array([[0.5, -0.5, 0.8], [0.5, -0.4, 0.8], [0.5, 0.3, 0.8]]))
    refused = Draws(draws.names, np.array([[0.5, 0.3, 0.8], [0.5, -0.6, 0.8]]))
    runs = []
    for engine in ENGINES.values():
        asked: dict[str, Any] = {"start": State({}), "horizon": 30.0, "seed": 2, "engine": engine}
        runs.append(sim.simulate(model, draws, replications=60, **asked))
        with pytest.raises(ValueError, match="a hazard is negative or not finite"):
            sim.simulate(model, refused, replications=60, **asked)
    spec = {effect: Spec(3, {
        "seizure": [("baseline", 0.5), ("neighbours", effect, "border")], "recapture": [("baseline", 0.8)]
    }, {(0, 1), (1, 2)}) for effect in draws["seizure.neighbours.border"]}  # fmt: skip

    assert bits(runs[0]) == bits(runs[1])
    for number, events in enumerate(events_of(runs[0])):
        told = by_hand(spec[float(draws.values[number % 3, 1])], (0, 0, 0), 30.0, 2, number)
        assert [event[1:] for event in told] == [event[1:] for event in events]


@pytest.mark.parametrize("engine", ENGINES)
def test_reserves_drawn_below_nought_are_refused(engine: str) -> None:
    model = Model(Theatre(["A"]), {"assault": Baseline(1.0), "relief": Baseline(1.0) * Reserves(1.0)}, contested=0.0)
    draws = Draws(tuple(model.parameters), np.array([[1.0, 1.0, -1.0, 0.0]]))
    with pytest.raises(ValueError, match="a hazard is not finite, or negative"):
        sim.simulate(model, draws, start=State({}), horizon=9.0, replications=1, seed=1, engine=ENGINES[engine])


def test_local_terms_that_change_nothing_leave_every_bit() -> None:
    theatre = theatre_of(ZERO_AT_THREE)
    hazard = Baseline(0.3) * Neighbours(0.5)
    some = ("A", "B", "C")
    same = [hazard, hazard * CutOff(0.0), hazard * Calendar(0.7, 2.0, 0.0, some), hazard * Calendar(0.7, None, 0.0)]
    for engine in ENGINES.values():
        first, *others = (
            sim.simulate(
                Model(theatre, {"seizure": one, "recapture": Baseline(0.4)}), start=State({}), horizon=8.0,
                replications=50, seed=1, engine=engine,
            ) for one in same
        )  # fmt: skip
        assert [True] * 3 == [bits(first) == bits(other) for other in others]


@pytest.mark.parametrize("begin", [None, 1.0])
def test_many_small_factors_together_stop_a_clock_and_let_it_go_on(begin: float | None) -> None:
    calendars = [("calendar", begin and begin + k / 8, 2.0 + k / 8, -200.0, (0, 1)) for k in range(4)]
    spec = Spec(3, {"seizure": [("baseline", 0.4), *calendars, ("neighbours", 0.2, "border")]}, {(0, 1), (1, 2)})
    expected = assert_all_agree(Rare((spec,), (0, 0, 0), 12.0, range(40), 6))

    assert 100 < sum(map(len, expected)) <= 120


def test_a_draw_that_is_refused_is_refused_again() -> None:
    theatre = Theatre(["A", "B"], [("A", "B")])
    model = Model(theatre, {"seizure": Baseline(0.5) * Neighbours(0.3)})
    draws = Draws(tuple(model.parameters), np.array([[0.5, 0.3], [-0.5, 0.3]]))
    sound = sim.simulate(model, draws, start=State({}), horizon=9.0, replications=1, seed=1, engine=ENGINES["compiled"])
    for number, refused in ((0, False), (1, True), (1, True), (0, False)):
        with pytest.raises(ValueError, match="negative") if refused else contextlib.nullcontext():
            ENGINES["compiled"].run(sound.recipe, [number], Recording(), np.zeros(1, np.uint8))


@pytest.mark.parametrize("effect", [-800.0, 300.0])
@pytest.mark.parametrize("engine", ENGINES)
def test_a_hazard_of_nothing_stays_so_whatever_a_factor_of_it_does(engine: str, effect: float) -> None:
    acts = Calendar(start=0.0, stop=1.0, effect=Fixed(effect), provinces=("A",))
    hazard = Baseline(LogNormal(0.1, 1.0)) * acts * Neighbours(HalfNormal(1.0), via="border")
    model = Model(Theatre(["A", "B"], [("A", "B")]), {"seizure": hazard})
    values = [[0.0 if name.endswith("baseline") else 1.0 if "neigh" in name else effect for name in model.parameters]]
    draws = Draws(tuple(model.parameters), np.array(values))

    ensemble = sim.simulate(
        model, draws, start=State({}), horizon=1e6, replications=20, seed=1, engine=ENGINES[engine]
    )  # fmt: skip

    assert 0 == len(ensemble.day)
