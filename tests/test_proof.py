"""The proof: the SimPy engine against a race run by hand, an exact solver, closed forms and the article's figures.

Statistical tests have a fixed seed and thresholds of four or more standard errors, so that a right engine passes for
nearly every seed and a law wrong by a few per cent does not.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from random import Random
from typing import Any

import exact
import numpy as np
import pytest
import simpy
from conftest import NAMES, frequencies, model_of, specs, standard, start_of, windowed
from exact import TRANSITIONS, Spec
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

import sim
from sim.control import Control, Past, State
from sim.engines.simpy_engine import SimPyEngine, World
from sim.ensemble import Ensemble
from sim.families import FAMILIES
from sim.hazards import Baseline, Frailty, Momentum, Neighbours
from sim.model import Model
from sim.outcomes import Captured, ControlOf, FullControl, Pressure
from sim.record import Record
from sim.streams import exponential, key_of, name_key, normal
from sim.theatre import Theatre

SEED = 34


# ---------------------------------------------------------------------------------- a race run by hand, event by event


class Hand:
    """The race again, in plain Python: integrate every hazard from stop to stop until a budget is spent.

    Hazards come from ``exact.py``; budgets are the addressed ones. With *windows*, ``conftest.windowed``'s momentum.
    """

    def __init__(self, spec: Spec, control: Sequence[int], replication: int, *, taken: dict[int, float], windows: bool):
        self.replication, self.windows, self.taken = replication, windows, dict(taken)
        self.spec = Spec(spec.n, {name: list(self._known(name, terms)) for name, terms in spec.hazards.items()},
                         spec.borders, spec.roads)  # fmt: skip
        self.control = tuple(
            held if spec.can_leave_contested or held != exact.CONTESTED else exact.GOVERNMENT for held in control
        )
        self.clocks = list(itertools.product(spec.hazards, range(spec.n)))
        self.fired = dict.fromkeys(self.clocks, 0)
        self.left = {clock: self._budget(*clock) for clock in self.clocks}
        self.level = exact._level(self.spec, self.control)
        self.stops = [*spec.breaks(math.inf), math.inf]

    def _known(self, transition: str, terms: Sequence[Any]) -> Iterator[Any]:
        """Yield *terms* with this replication's frailties."""
        key = key_of(SEED, "frailty")
        for term in terms:
            if term[0] == "frailty":
                names = [np.uint64(name_key(NAMES[p], transition, "frailty")) for p in range(len(term[2]))]
                term = (*term[:2], tuple(normal(key, name, self.replication, 0) for name in names))
            yield term

    def _budget(self, transition: str, p: int) -> float:
        name = np.uint64(name_key(NAMES[p], transition))
        return float(exponential(key_of(SEED, "clock"), name, self.replication, self.fired[transition, p]))

    def _hazard(self, clock: tuple[str, int], day: float) -> float:
        rate = exact.hazard(self.spec, *clock, self.control, day, self.level)
        for effect, length in ((0.5, 2.0), (0.3, 5.0)) if self.windows else ():
            rate *= math.exp(effect * sum(day < taken + length for taken in self.taken.values()) / self.spec.n)
        return rate

    def events(self, horizon: float) -> Iterator[tuple[float, int, str]]:
        """Yield (day, province, transition) of every event up to *horizon*."""
        day = 0.0
        while True:
            rates = {clock: self._hazard(clock, day) for clock in self.clocks}
            due = {clock: day + self.left[clock] / rate for clock, rate in rates.items() if rate > 0}
            ends = [taken + length for taken in self.taken.values() for length in (2.0, 5.0) if self.windows]
            stop = min(edge for edge in [*self.stops, *ends] if edge > day)
            clock = min(due, key=due.__getitem__, default=None)
            following = stop if clock is None else min(stop, due[clock])
            if following > horizon:
                return
            for each, rate in rates.items():
                self.left[each] = max(0.0, self.left[each] - rate * (following - day))
            day = following
            if clock is None or due[clock] > stop:
                continue
            transition, p = clock
            yield day, p, transition
            self.fired[clock] += 1
            self.left[clock] = self._budget(*clock)
            self.control = (*self.control[:p], TRANSITIONS[transition][1], *self.control[p + 1 :])
            self.taken.pop(p, None)
            if self.control[p] == exact.INSURGENT:
                self.taken[p] = day
            self.level = max(self.level, exact._level(self.spec, self.control))


@settings(max_examples=60, deadline=None)
@given(specs(fastest=0.4), st.lists(st.integers(0, 2), min_size=5, max_size=5), st.booleans())
def test_every_event_is_where_a_race_run_by_hand_has_it(spec: Spec, control: list[int], windows: bool) -> None:
    control = control[: spec.n]
    past = {p: -0.75 - 1.5 * p for p, held in enumerate(control) if held == 2}
    start = start_of(control, past=tuple(Past(NAMES[p], day, day) for p, day in past.items()))
    model = windowed(spec) if windows else model_of(spec)
    ensemble = sim.simulate(model, start=start, horizon=8.0, replications=3, seed=SEED)

    for r in range(3):
        expected = list(Hand(spec, control, r, taken=past, windows=windows).events(8.0))
        found = list(ensemble.events(r))
        assert [(p, transition) for _, p, transition in expected] == [
            (NAMES.index(event.province), event.transition) for event in found
        ]
        assert [day for day, _, _ in expected] == pytest.approx([event.day for event in found], rel=1e-9)


# ------------------------------------------------------------------------------------------ against the exact solver

LINKS: dict[str, Any] = {
    "borders": {(0, 1), (1, 2), (2, 3)},
    "roads": {(0, 1, "trunk"), (1, 2, "trunk"), (2, 3, "spur"), (0, 3, "track")},
}
CYCLE = {"seizure": 0.08, "assault": 0.15, "fall": 0.25, "relief": 0.3, "recapture": 0.12}


def cycle(**more: Sequence[Any]) -> Spec:
    """Return all five transitions on four provinces, with *more* terms by transition, "all" for each of them."""
    hazards = {name: [("baseline", rate), *more.get("all", ()), *more.get(name, ())] for name, rate in CYCLE.items()}
    return Spec(4, hazards, **LINKS)


X = standard([1.0, 2.0, 4.0, 9.0])
MODELS = {
    "baselines": cycle(),
    "neighbours by border": cycle(all=[("neighbours", 0.8, "border")]),
    "neighbours by road": cycle(seizure=[("neighbours", 1.5, "road")], relief=[("neighbours", 0.4, "road")]),
    "momentum": cycle(all=[("momentum", 1.2)]),
    "covariate": cycle(all=[("covariate", 0.7, X)]),
    "cut-off": cycle(seizure=[("cutoff", 1.5, 0, ("track",))], fall=[("cutoff", 1.0, 0, ("track",))],
                     relief=[("cutoff", -1.5, 2, ())]),
    "calendar, national": cycle(all=[("calendar", 2.0, 5.0, 1.0, None)]),
    "calendar, open": cycle(seizure=[("calendar", None, 3.0, -2.0, None)], relief=[("calendar", 4.0, None, 1.2, None)]),
    "calendar, local": cycle(all=[("calendar", 2.0, 5.0, 1.5, (0, 2))]),
    "reserves": cycle(assault=[("calendar", None, None, 1.0, None)], relief=[("reserves", 1.0)]),
    "pull-back by count": cycle(all=[("pullback", (0, 1), ("lost", 2), -1.0, 1.0)]),
    "pull-back by date": cycle(all=[("pullback", (0,), ("day", 3.0), -1.5, 0.8)]),
    "pull-backs by two counts": cycle(seizure=[("pullback", (0,), ("lost", 1), -1.0, 0.8)],
                                      recapture=[("pullback", (3,), ("lost", 3), 1.0, -0.5)]),
    "custom": cycle(all=[("custom", lambda t, control, p: (1.0 + (t >= 4.0)) * (1.0 + (control[3 - p] == 1)), (4.0,))]),
    "everything": Spec(
        4,
        {
            "seizure": [("baseline", 0.05), ("momentum", 1.5), ("cutoff", 0.7, 0, ("track",)), ("covariate", 0.4, X),
                        ("calendar", 3.0, 6.0, -0.8, None)],
            "assault": [("neighbours", 0.6, "border"), ("baseline", 0.12), ("neighbours", 0.9, "road"),
                        ("pullback", (0,), ("lost", 2), -0.9, 0.6)],
            "fall": [("baseline", 0.2), ("momentum", 0.8), ("cutoff", 0.5, 0, ()),
                     ("pullback", (0, 1), ("day", 4.5), -0.5, 0.2)],
            "relief": [("reserves", 1.5), ("baseline", 0.35), ("calendar", 5.0, None, 0.4, (1, 3))],
            "recapture": [("baseline", 0.1), ("covariate", -0.5, X), ("calendar", None, 4.0, -1.0, (0, 2))],
        },
        **LINKS,
    ),
    "everything, five provinces": Spec(
        5,
        {
            "seizure": [("baseline", 0.05), ("momentum", 1.5), ("cutoff", 0.7, 1, ()),
                        ("calendar", 3.0, 6.0, 0.8, None)],
            "assault": [("baseline", 0.1), ("neighbours", 0.6, "border"), ("neighbours", 0.9, "road")],
            "fall": [("baseline", 0.2), ("momentum", 0.8), ("pullback", (0, 1), ("day", 4.5), -0.5, 0.2)],
            "relief": [("baseline", 0.35), ("reserves", 1.5), ("calendar", 5.0, None, 0.4, (1, 3))],
            "recapture": [("baseline", 0.1), ("pullback", (2, 4), ("lost", 3), 0.9, -0.4)],
        },
        borders={(0, 1), (1, 2), (2, 3), (3, 4), (4, 0), (1, 3)},
        roads={(0, 1, "trunk"), (1, 2, "trunk"), (2, 3, "spur"), (3, 4, "trunk")},
    ),
}  # fmt: skip
DAYS = [1.0, 4.0, 9.0]


def assert_frequencies(counts: np.ndarray, chances: np.ndarray, errors: float = 4.5) -> None:
    """Assert that each state's share lies within *errors* standard errors, and all of them together (chi-square).

    There are up to 1,000 comparisons a model, of which 4.5 errors let one in 150,000 fail by chance. States too rare
    to be normal are pooled.
    """
    total = counts.sum()
    common = chances * total >= 20
    seen, told = (np.append(x[common], x[~common].sum()) for x in (counts, chances * total))
    if told[-1] < 20:
        assert seen[-1] < told[-1] + 10 + 5 * math.sqrt(told[-1])
        seen, told = seen[:-1], told[:-1]
    score = (seen - told) / np.sqrt(told * (1 - told / total))

    assert errors > np.abs(score).max()
    assert 1e-6 < stats.chi2.sf(((seen - told) ** 2 / told).sum(), len(told))


@pytest.mark.parametrize("name", MODELS)
def test_chances_of_every_state_and_counts_of_every_event_are_the_exact_solvers(name: str) -> None:
    spec = MODELS[name]
    control = (0, 0, 1, 2, 0)[: spec.n]
    size = 2_000 if name == "custom" else 20_000
    ensemble = sim.simulate(model_of(spec), start=start_of(control), horizon=DAYS[-1], replications=size, seed=SEED)

    for day, chances in zip(DAYS, exact.transient(spec, control, DAYS), strict=True):
        assert_frequencies(frequencies(ensemble, day), chances)
    for day, expected in zip(DAYS, exact.expected_firings(spec, control, DAYS), strict=True):
        rows = ensemble.day <= day
        for transition, p in itertools.product(spec.hazards, range(spec.n)):
            hit = rows & (ensemble.transition == list(spec.hazards).index(transition)) & (ensemble.province == p)
            fired = np.bincount(ensemble.replication[hit], minlength=size)
            error = max(fired.std(), 1e-2) / math.sqrt(size)
            assert abs(fired.mean() - expected[list(TRANSITIONS).index(transition), p]) < 4.5 * error
    # First passages too: what outcomes are read from.
    first = exact.first_passage(spec, control, lambda held: sum(h == 2 for h in held) >= 3, DAYS)
    times = Captured(3)(ensemble).times
    for day, chance in zip(DAYS, first, strict=True):
        assert abs((times <= day).mean() - chance) < 4.5 * math.sqrt(chance * (1 - chance) / size)


def test_the_airlifts_law_is_that_of_a_calendar_on_that_capital() -> None:
    spec = cycle(all=[("momentum", 0.8)], assault=[("neighbours", 0.8, "border")])
    told = Spec(4, {**spec.hazards, "assault": [*spec.hazards["assault"], ("calendar", 2.0, 6.0, math.log(0.1), (1,))]},
                **LINKS)  # fmt: skip

    def airlift(world: World) -> Iterator[simpy.Event]:
        yield world.env.timeout(2)
        world.scale("B", "assault", 0.1)
        yield world.env.timeout(4)
        world.scale("B", "assault", 1.0)

    ensemble = sim.simulate(
        model_of(spec), start=State({}), horizon=9.0, replications=10_000, seed=SEED, engine=SimPyEngine([airlift])
    )
    for day, chances in zip(DAYS, exact.transient(told, (0, 0, 0, 0), DAYS), strict=True):
        assert_frequencies(frequencies(ensemble, day), chances)
    # It is a law of its own: without the process these chances are refused.
    with pytest.raises(AssertionError):
        assert_frequencies(frequencies(ensemble, 4.0), exact.transient(spec, (0, 0, 0, 0), [4.0])[0])


# ------------------------------------------------------------------------- time change: residuals are unit exponentials


def test_hazards_integrated_along_trajectories_are_unit_exponentials() -> None:
    # Laid end to end over replications, a clock's integrated hazard is the time of a unit Poisson process whose points
    # are its firings (Meyer 1971; Brown and Nair 1988): no censoring at the horizon to allow for.
    spec, control, horizon = MODELS["everything"], (0, 0, 1, 2), 9.0
    ensemble = sim.simulate(model_of(spec), start=start_of(control), horizon=horizon, replications=600, seed=SEED)
    clocks = list(itertools.product(spec.hazards, range(spec.n)))
    known: dict[Any, np.ndarray] = {}
    spent, gaps = np.zeros(len(clocks)), {clock: list[float]() for clock in clocks}
    breaks = spec.breaks(horizon)
    for r in range(600):
        now, level = control, exact._level(spec, control)
        stops = sorted([(day, None) for day in [*breaks, horizon]] + [(e.day, e) for e in ensemble.events(r)],
                       key=lambda stop: stop[0])  # fmt: skip
        day = 0.0
        for following, event in stops:
            key = (now, level, sum(edge <= day for edge in breaks))
            if key not in known:
                known[key] = np.array([exact.hazard(spec, *clock, now, day, level) for clock in clocks])
            spent += known[key] * (following - day)
            day = following
            if event is not None:
                p = NAMES.index(event.province)
                place = clocks.index((event.transition, p))
                gaps[clocks[place]].append(spent[place])
                spent[place] = 0.0
                now = (*now[:p], int(event.target), *now[p + 1 :])
                level = max(level, exact._level(spec, now))
    for residuals in gaps.values():
        # Kolmogorov's distance at p = 1e-5, for each of twenty clocks.
        assert len(residuals) > 20
        assert 2.47 / math.sqrt(len(residuals)) > stats.kstest(residuals, "expon").statistic
    together = np.concatenate(list(gaps.values()))
    assert 2.47 / math.sqrt(len(together)) > stats.kstest(together, "expon").statistic
    assert 1.0 == pytest.approx(together.mean(), abs=4.5 / math.sqrt(len(together)))


# ---------------------------------------------------------------------------- windows and frailty, by other means


def assert_distribution(times: np.ndarray, cdf: Any) -> None:
    """Assert Kolmogorov's distance is below that of p = 1e-5."""
    assert 2.47 / math.sqrt(len(times)) > stats.kstest(times, cdf).statistic


def test_the_second_of_two_capitals_hurries_while_the_first_is_news() -> None:
    rate, effect, window = 0.2, 3.0, 2.0
    model = Model(Theatre(["A", "B"]), {"seizure": Baseline(rate) * Momentum(effect, window=window)})
    ensemble = sim.simulate(model, start=State({}), horizon=2000.0, replications=20_000, seed=SEED)
    first, second = ensemble.day[::2], ensemble.day[1::2]
    fast = rate * math.exp(effect / 2)

    def after(gap: np.ndarray) -> np.ndarray:
        return -np.expm1(-fast * np.minimum(gap, window) - rate * np.maximum(gap - window, 0.0))

    assert_distribution(first, lambda day: -np.expm1(-2 * rate * day))
    assert_distribution(second - first, after)


def test_a_capture_of_unknown_hour_is_news_for_as_long_as_its_interval_says() -> None:
    rate, effect, window = 0.2, 3.0, 4.0
    model = Model(Theatre(["A", "B"]), {"seizure": Baseline(rate) * Momentum(effect, window=window)})
    start = State({"A": Control.INSURGENT}, past=(Past("A", -3.0, -1.0),))
    times = sim.simulate(model, start=start, horizon=2000.0, replications=20_000, seed=SEED).day
    fast = rate * math.exp(effect / 2)

    def cdf(day: np.ndarray) -> np.ndarray:
        # Taken uniformly between three days and one day ago, it is news for 1 to 3 days more.
        left = np.linspace(1.0, 3.0, 2001)[:, None]
        survival = np.exp(-fast * np.minimum(day, left) - rate * np.maximum(day - left, 0.0))
        return 1 - integrate.simpson(survival, x=left[:, 0], axis=0) / 2.0

    assert_distribution(times[:4000], cdf)


def test_windowed_momentum_has_the_law_of_a_simulation_written_out_by_hand() -> None:
    n, rate, back, effect, window, horizon = 4, 0.15, 0.3, 2.0, 1.5, 6.0
    random, counts = Random(5), []
    for _ in range(20_000):
        taken: dict[int, float] = {}
        day, row = 0.0, []
        while True:
            # Thinning (Lewis and Shedler 1979): the hazard never exceeds that of everything being news.
            bound = n * (rate * math.exp(effect) + back)
            day += random.expovariate(bound)
            if day > horizon:
                break
            mark, p = random.random() * bound / n, random.randrange(n)
            if p in taken:
                if mark < back:
                    del taken[p]
            elif mark < rate * math.exp(effect * sum(day < t + window for t in taken.values()) / n):
                taken[p] = day
            row.append((day, len(taken)))
        counts.append([next((k for t, k in reversed(row) if t <= at), 0) for at in (1.0, 3.0, 6.0)])
    by_hand = np.array(counts)
    model = Model(Theatre(list("ABCD")), {
        "seizure": Baseline(rate) * Momentum(effect, window=window), "recapture": Baseline(back),
    })  # fmt: skip
    ensemble = sim.simulate(model, start=State({}), horizon=horizon, replications=20_000, seed=SEED)

    for j, at in enumerate((1.0, 3.0, 6.0)):
        for k in range(n + 1):
            one, other = (by_hand[:, j] == k).mean(), (ensemble.lost_at(at) == k).mean()
            assert abs(one - other) < 4.5 * math.sqrt(max(one, 1e-3) * 2 / 20_000)


def test_frailty_mixes_hazards_over_a_normal() -> None:
    rate, sd = 0.2, 1.3
    model = Model(Theatre(["A", "B"]), {"seizure": Baseline(rate) * Frailty(sd)})
    ensemble = sim.simulate(model, start=State({}), horizon=1e12, replications=20_000, seed=SEED)
    days = np.empty((20_000, 2))
    days[ensemble.replication, ensemble.province] = ensemble.day
    nodes, weights = np.polynomial.hermite_e.hermegauss(120)
    weights = weights / weights.sum()

    def cdf(day: np.ndarray) -> np.ndarray:
        return -np.expm1(-rate * np.exp(sd * nodes) * np.asarray(day)[..., None]) @ weights

    for p in range(2):
        assert_distribution(days[:, p], cdf)
    # Provinces have frailties of their own.
    assert 4.5 / math.sqrt(20_000) > abs(stats.spearmanr(days).statistic)


# --------------------------------------------------------------------------------------------------- closed forms


def chance_error(chance: float, size: int) -> float:
    return math.sqrt(chance * (1 - chance) / size)


def simulated(
    model: Model, *, horizon: float, control: Sequence[int] = (), size: int = 20_000, seed: int = SEED
) -> Ensemble:
    return sim.simulate(model, start=start_of(control), horizon=horizon, replications=size, seed=seed)


def test_one_capital_at_a_constant_hazard_falls_exponentially() -> None:
    ensemble = simulated(Model(Theatre(["A"]), {"seizure": Baseline(0.3)}), horizon=1000.0)

    assert_distribution(ensemble.day, lambda day: -np.expm1(-0.3 * day))


def test_the_first_of_two_risks_comes_in_proportion_to_its_rate_and_says_nothing_of_when() -> None:
    model = Model(Theatre(["A"]), {"seizure": Baseline(0.1), "assault": Baseline(0.3), "fall": Baseline(0.0)})
    ensemble = sim.simulate(
        model, {"start.contested": 0.0}, start=State({}), horizon=1000.0, replications=20_000, seed=SEED
    )
    seized = ensemble.transition == 0

    assert abs(seized.mean() - 0.25) < 4 * chance_error(0.25, 20_000)
    assert_distribution(ensemble.day[seized], lambda day: -np.expm1(-0.4 * day))
    for chance, found in zip(exact.competing_risks([0.1, 0.3], 2.0), (seized, ~seized), strict=True):
        assert abs((found & (ensemble.day <= 2.0)).mean() - chance) < 4 * chance_error(chance, 20_000)


def test_an_assault_and_then_a_fall_at_one_rate_is_erlang() -> None:
    model = Model(Theatre(["A"]), {"assault": Baseline(0.5), "fall": Baseline(0.5)}, contested=0.0)
    times = ControlOf("A")(simulated(model, horizon=1000.0)).times

    assert_distribution(times, lambda day: stats.gamma.cdf(day, 2, scale=2.0))
    assert exact.erlang(2, 0.5, 3.0) == pytest.approx(stats.gamma.cdf(3.0, 2, scale=2.0))


def test_contagion_on_a_complete_graph_is_a_birth_chain() -> None:
    names = list("ABCDEFGH")
    model = Model(Theatre(names, list(itertools.combinations(names, 2))), {"seizure": Baseline(0.02) * Neighbours(0.9)})
    ensemble = simulated(model, horizon=30.0)

    for day in (5.0, 15.0, 30.0):
        chances = exact.birth_chain(exact.complete_graph_rates(8, 0.02, 0.9), day)
        assert_frequencies(np.bincount(ensemble.lost_at(day), minlength=9), chances)


def test_momentum_is_a_birth_chain() -> None:
    model = Model(Theatre([f"P{k:02}" for k in range(34)]), {"seizure": Baseline(0.02) * Momentum(3.0)})
    ensemble = simulated(model, horizon=30.0)

    for day in (5.0, 15.0, 30.0):
        chances = exact.birth_chain(exact.momentum_rates(34, 0.02, 3.0), day)
        assert_frequencies(np.bincount(ensemble.lost_at(day), minlength=35), chances)


@pytest.mark.parametrize(("a", "b"), [(0.0557, 0.0), (0.04, 0.075), (0.03, 0.15), (0.02, 0.245), (0.01, 0.38)])
def test_the_ridge_of_the_pure_birth_chain_is_the_engines_too(a: float, b: float) -> None:
    names = [f"P{k:02}" for k in range(34)]
    theatre = Theatre(names, list(itertools.combinations(names, 2)))
    ensemble = simulated(Model(theatre, {"seizure": Baseline(a) * Neighbours(b / (34 * a))}), horizon=10.0, size=4000)

    assert_frequencies(
        np.bincount(ensemble.lost_at(7.0), minlength=35), exact.birth_chain(exact.ridge_rates(a, b), 7.0)
    )
    chances = exact.birth_chain(exact.ridge_rates(a, b), 10.0)
    mean, spread = chances @ np.arange(35), math.sqrt(chances @ np.arange(35) ** 2 - (chances @ np.arange(35)) ** 2)
    assert abs(ensemble.lost_at(10.0).mean() - mean) < 4 * spread / math.sqrt(4000)


# ------------------------------------------------------------------------------------------- the article's figures

RATE = exact.hazard_mle(11, 34, 7.0)


@pytest.fixture(scope="module")
def constant(afghan: Theatre, week: Record) -> Ensemble:
    model = FAMILIES["constant"](afghan)
    return sim.simulate(
        model, {"seizure.baseline": RATE}, start=week.state(), horizon=400, replications=20_000, seed=SEED
    )


def error_of(chance: float) -> float:
    return chance_error(chance, 20_000)


@pytest.mark.parametrize(
    ("outcome", "chance"),
    [
        ("neighbour", 0.99996),
        ("half_ring", 0.98664),
        ("two_roads", 0.99477),
        ("isolated", 0.35457),
        ("assault", 0.81272),
    ],
)
def test_pressure_within_thirty_days_is_the_closed_form(constant: Ensemble, outcome: str, chance: float) -> None:
    answer = Pressure(outcome)(constant).probability(within=30)

    assert abs(answer.value - chance) < 3 * error_of(chance)
    assert answer.mc_error == pytest.approx(error_of(chance), rel=0.3, abs=5e-5)


def test_under_seizures_alone_encircled_is_isolated(constant: Ensemble) -> None:
    one, other = (Pressure(name)(constant).times for name in ("encircled", "isolated"))

    assert one.tolist() == other.tolist()


def test_a_named_capital_falls_as_the_article_implies(constant: Ensemble, afghan: Theatre) -> None:
    free = [name for name, held in constant.start.control.items() if held is not Control.INSURGENT]

    assert 23 == len(free)
    for name in ("Kabul", "Helmand", "Kandahar"):  # Helmand is seen contested, which is read as government
        falls = ControlOf(name)(constant)
        assert abs(falls.probability(30).value - 0.8127) < 3 * error_of(0.8127)
        # The error of a median is 1/(2 f sqrt(R)), f = rate/2 at it.
        assert abs(falls.median - 12.41) < 3 / (RATE * math.sqrt(20_000)) + 0.005
    days = constant.day[constant.province == afghan.index("Kabul")]
    assert_distribution(days, lambda day: -np.expm1(-RATE * day))


def test_all_are_fallen_when_the_article_implies(constant: Ensemble) -> None:
    fallen = FullControl()(constant)
    spread = math.sqrt(sum(1 / (RATE * k) ** 2 for k in range(1, 24)))

    assert 0.0 == fallen.censored
    assert abs(fallen.mean - 66.9) < 3 * spread / math.sqrt(20_000) + 0.05
    for share, day in ((0.05, 37.7), (0.5, 63.0), (0.95, 109.4)):
        # F = (1 - e^-rt)^23, so f = 23 r e^-rt F / (1 - e^-rt).
        still = math.exp(-RATE * exact.last_loss_quantile(share, 23, RATE))
        density = 23 * RATE * still * share / (1 - still)
        assert abs(fallen.quantile(share) - day) < 3 * error_of(share) / density + 0.05


def test_three_days_bring_the_captures_the_article_implies(constant: Ensemble) -> None:
    more = constant.lost_at(3.0) - 11
    chance = exact.exponential(RATE, 3.0)

    assert abs(more.mean() - 3.55) < 3 * math.sqrt(23 * chance * (1 - chance) / 20_000) + 0.005
    assert 0 == (more >= 22).sum()
    assert_frequencies(np.bincount(more, minlength=24), stats.binom.pmf(np.arange(24), 23, chance))


# ---------------------------------------------------------------------------------------------- prior predictive


@pytest.mark.parametrize("family", FAMILIES)
def test_before_the_week_a_family_believes_a_week_like_it_and_much_else(family: str, afghan: Theatre) -> None:
    model = FAMILIES[family](afghan)
    draws = model.draw_prior(4000, seed=SEED)
    ensemble = sim.simulate(model, draws, start=State({}), horizon=7, replications=4000, seed=SEED)
    lost = ensemble.lost_at(7.0)
    print(
        f"\n{family}: median {np.median(lost):g}, P(0) {np.mean(lost == 0):.3f}, P(>= 30) {np.mean(lost >= 30):.3f}, "
        f"10% {np.quantile(lost, 0.1):g}, 90% {np.quantile(lost, 0.9):g}"
    )

    assert 3 <= np.median(lost) <= 10
    assert 0.02 <= np.mean(lost == 0) <= 0.15
    assert 0.005 <= np.mean(lost >= 30) <= 0.10
    assert np.quantile(lost, 0.1) <= 11 <= np.quantile(lost, 0.9)
