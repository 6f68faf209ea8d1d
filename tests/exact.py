"""An exact solver for small theatres, and closed forms: what the engines are held against.

It shares no code with ``sim``: rates are written again here, from the table of terms, over plain data. A state is a
tuple of control per province (0 government, 1 contested, 2 insurgent); all 3^n are listed, and the master equation
is solved piece by piece between calendar breaks. A theatre and its model are a ``Spec``::

    Spec(n=3, borders={(0, 1), (1, 2)}, roads={(0, 2, "trunk")},
         hazards={"seizure": [("baseline", 0.05), ("neighbours", 0.6, "border")]})

Terms, each a tuple that begins with its kind:

    ("baseline", rate)                              rate per day, exactly one per transition
    ("neighbours", effect, "border" | "road")       1 + effect x lost neighbours, each once, by any class
    ("momentum", effect)                            exp(effect x lost / n)
    ("covariate", effect, values)                   exp(effect x values[province]), values already standardised
    ("frailty", sd, z)                              exp(sd x z[province]), z given
    ("cutoff", effect, hub, without)                exp(effect) where cut off; classes *without* do not count
    ("calendar", start, stop, effect, provinces)    exp(effect) in start <= t < stop; None: open end, or all provinces
    ("reserves", units)                             min(1, units / max(1, contested))
    ("pullback", keep, ("lost", k), hold, abandon)  exp(hold) for *keep*, exp(abandon) else, once k are lost
    ("pullback", keep, ("day", t), hold, abandon)   the same from day t on
    ("custom", fn, breaks)                          fn(time, control, province), constant between events and *breaks*

A count that sets off a pull-back stays set off, so states carry a *level*: how many of the model's distinct
counts have been reached so far. It is summed out of every answer.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, localcontext
from typing import Any

import numpy as np
from scipy import optimize, sparse

GOVERNMENT, CONTESTED, INSURGENT = 0, 1, 2
TRANSITIONS = {
    "seizure": (GOVERNMENT, INSURGENT),
    "assault": (GOVERNMENT, CONTESTED),
    "fall": (CONTESTED, INSURGENT),
    "relief": (CONTESTED, GOVERNMENT),
    "recapture": (INSURGENT, GOVERNMENT),
}
KINDS = {
    "baseline",
    "neighbours",
    "momentum",
    "covariate",
    "frailty",
    "cutoff",
    "calendar",
    "reserves",
    "pullback",
    "custom",
}

Control = tuple[int, ...]
Term = tuple[Any, ...]
Start = Sequence[int] | Mapping[Control, float]


@dataclass(frozen=True)
class Spec:
    """A theatre of *n* provinces and the terms of each transition's hazard, as plain data."""

    n: int
    hazards: Mapping[str, Sequence[Term]]
    borders: Iterable[tuple[int, int]] = ()
    roads: Iterable[tuple[int, int, str]] = ()
    _known: dict[Any, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "borders", frozenset(tuple(pair) for pair in self.borders))
        object.__setattr__(self, "roads", frozenset(tuple(road) for road in self.roads))
        for name, terms in self.hazards.items():
            if name not in TRANSITIONS or [term[0] for term in terms].count("baseline") != 1:
                raise ValueError(f"{name}: must be a transition with exactly one baseline")
            if unknown := {term[0] for term in terms} - KINDS:
                raise ValueError(f"{name}: no terms {unknown}")
        if "assault" in self.hazards and not self.can_leave_contested:
            raise ValueError("the model can enter contested but not leave it")

    @property
    def can_leave_contested(self) -> bool:
        return "fall" in self.hazards or "relief" in self.hazards

    @property
    def terms(self) -> list[Term]:
        return [term for terms in self.hazards.values() for term in terms]

    @property
    def thresholds(self) -> list[int]:
        """The distinct counts of lost capitals that set off a pull-back, ascending."""
        return sorted({term[2][1] for term in self.terms if term[0] == "pullback" and term[2][0] == "lost"})

    def breaks(self, end: float) -> list[float]:
        """Instants strictly between 0 and *end* at which some rate changes by itself."""
        instants: set[float] = set()
        for term in self.terms:
            if term[0] == "calendar":
                instants |= {edge for edge in term[1:3] if edge is not None}
            elif term[0] == "pullback" and term[2][0] == "day":
                instants.add(term[2][1])
            elif term[0] == "custom":
                instants |= set(term[2])
        return sorted(edge for edge in instants if 0 < edge < end)


# ------------------------------------------------------------------------------------------------ from state to rates


def neighbours(spec: Spec, via: str, province: int) -> set[int]:
    """Return the provinces one border or one road away."""
    if (via, province) not in spec._known:
        links = {"border": spec.borders, "road": spec.roads}[via]
        spec._known[via, province] = {b for a, b, *_ in links if a == province} | {
            a for a, b, *_ in links if b == province
        }
    return spec._known[via, province]


def cut_off(spec: Spec, control: Control, hub: int, without: Iterable[str] = ()) -> frozenset[int]:
    """Return the capitals cut off from *hub*, by listing every road path without a repeated capital."""
    key = (hub, tuple(without), tuple(held == INSURGENT for held in control))
    if key not in spec._known:
        roads = [{a, b} for a, b, kind in spec.roads if kind not in key[1]]

        def paths(here: int, before: tuple[int, ...] = ()) -> list[tuple[int, ...]]:
            """Return the capitals after *here* on every path from *here* to the hub."""
            if here == hub:
                return [()]
            seen = (*before, here)
            ahead = sorted(b for b in range(spec.n) if b not in seen and {here, b} in roads)
            return [(there, *rest) for there in ahead for rest in paths(there, seen)]

        spec._known[key] = frozenset(
            province
            for province in range(spec.n)
            if province != hub
            and control[province] != INSURGENT
            and (ways := paths(province))
            and not any(all(control[later] != INSURGENT for later in way) for way in ways)
        )
    return spec._known[key]


def multiplier(spec: Spec, term: Term, province: int, control: Control, time: float = 0.0, level: int = 0) -> float:
    """Return what *term* multiplies the hazard of *province* by; a baseline gives its rate per day."""
    lost = sum(held == INSURGENT for held in control)
    match term:
        case ("baseline", rate):
            return rate
        case ("neighbours", effect, via):
            return 1.0 + effect * sum(control[other] == INSURGENT for other in neighbours(spec, via, province))
        case ("momentum", effect):
            return math.exp(effect * lost / spec.n)
        case ("covariate" | "frailty", effect, values):
            return math.exp(effect * values[province])
        case ("cutoff", effect, hub, without):
            return math.exp(effect) if province in cut_off(spec, control, hub, without) else 1.0
        case ("calendar", start, stop, effect, provinces):
            named = provinces is None or province in provinces
            on = (start is None or start <= time) and (stop is None or time < stop)
            return math.exp(effect) if named and on else 1.0
        case ("reserves", units):
            return min(1.0, units / max(1, sum(held == CONTESTED for held in control)))
        case ("pullback", keep, ("lost", count), hold, abandon):
            # The count may have gone down again since; what was ever reached is in the level.
            triggered = spec.thresholds.index(count) < max(level, _level(spec, control))
        case ("pullback", keep, ("day", day), hold, abandon):
            triggered = time >= day
        case ("custom", fn, _):
            return fn(time, control, province)
        case _:
            raise ValueError(f"malformed term {term!r}")
    return math.exp(hold if province in keep else abandon) if triggered else 1.0


def hazard(spec: Spec, transition: str, province: int, control: Control, time: float = 0.0, level: int = 0) -> float:
    """Return the rate per day of a clock at *time*: 0 where *province* is not in the transition's source state."""
    if transition not in spec.hazards or control[province] != TRANSITIONS[transition][0]:
        return 0.0
    return math.prod(multiplier(spec, term, province, control, time, level) for term in spec.hazards[transition])


def shares(
    spec: Spec, transition: str, province: int, control: Control, time: float = 0.0, level: int = 0
) -> list[float]:
    """Return each term's share of the hazard, in the model's order, by the logarithmic-mean split (Ang 2004)."""
    terms = spec.hazards[transition]
    values = [multiplier(spec, term, province, control, time, level) for term in terms]
    total = math.prod(values)
    base = next(value for value, term in zip(values, terms, strict=True) if term[0] == "baseline")
    mean = base if math.isclose(total, base, rel_tol=1e-15) else (total - base) / math.log(total / base)
    return [
        value / total if term[0] == "baseline" else mean * math.log(value) / total
        for value, term in zip(values, terms, strict=True)
    ]


# ------------------------------------------------------------------------------------------------ the master equation


def states(n: int) -> list[Control]:
    """Return all 3^n states of control, in the order of every distribution here (the last province fastest)."""
    return list(itertools.product((GOVERNMENT, CONTESTED, INSURGENT), repeat=n))


def transient(spec: Spec, p0: Start, times: Sequence[float]) -> np.ndarray:
    """Return the distribution over states at each of *times*.

    Parameters
    ----------
    p0 : sequence of int, shape (province,), or mapping of such tuples to probability
        Control at day 0. Contested reads as government where the model has no transition that leaves contested.
    times : sequence of float
        Days since the start, in any order, not negative.

    Returns
    -------
    ndarray, shape (time, 3^n)
        Probabilities, in the order of ``states(n)``.
    """
    solved = _solve(spec, p0, times)
    return solved[:, : 3**spec.n * (len(spec.thresholds) + 1)].reshape(len(times), -1, 3**spec.n).sum(axis=1)


def probability(spec: Spec, p0: Start, predicate: Callable[[Control], bool], times: Sequence[float]) -> np.ndarray:
    """Return P(*predicate* holds of the control at t) for each t of *times*."""
    return transient(spec, p0, times) @ _mask(spec, predicate)


def expectation(spec: Spec, p0: Start, quantity: Callable[[Control], float], times: Sequence[float]) -> np.ndarray:
    """Return the mean of *quantity* of the control at each of *times*."""
    return transient(spec, p0, times) @ np.array([quantity(control) for control in states(spec.n)], dtype=float)


def first_passage(spec: Spec, p0: Start, target: Callable[[Control], bool], times: Sequence[float]) -> np.ndarray:
    """Return P(T <= t) for each t of *times*, T the first day on which *target* holds (0 if it does at the start)."""
    mask = np.tile(_mask(spec, target), len(spec.thresholds) + 1)
    return _solve(spec, p0, times, absorbing=mask)[:, : mask.size] @ mask


def expected_firings(spec: Spec, p0: Start, times: Sequence[float]) -> np.ndarray:
    """Return the mean number of firings of each clock by each of *times*.

    Returns
    -------
    ndarray, shape (time, transition, province)
        Transitions in the order of ``TRANSITIONS``.
    """
    clocks = len(TRANSITIONS) * spec.n
    solved = _solve(spec, p0, times, counting=True)
    return solved[:, -clocks:].reshape(len(times), len(TRANSITIONS), spec.n)


def generator(
    spec: Spec, time: float = 0.0, absorbing: np.ndarray | None = None, counting: bool = False
) -> sparse.csr_matrix:
    """Return the rates between (level, state) pairs in force from *time* until the next break.

    Rows leave, columns enter, and rows sum to zero. With *counting*, one more column per clock receives the
    clock's rate, so that it collects the mean number of its firings.
    """
    listed = states(spec.n)
    place = {control: index for index, control in enumerate(listed)}
    size = len(listed) * (len(spec.thresholds) + 1)
    rows, columns, rates = [], [], []
    for level, control in itertools.product(range(len(spec.thresholds) + 1), listed):
        here = level * len(listed) + place[control]
        if absorbing is not None and absorbing[here]:
            continue
        for clock, (transition, province) in enumerate(itertools.product(TRANSITIONS, range(spec.n))):
            rate = hazard(spec, transition, province, control, time, level)
            if rate == 0.0:
                continue
            after = (*control[:province], TRANSITIONS[transition][1], *control[province + 1 :])
            there = max(level, _level(spec, after)) * len(listed) + place[after]
            rows += [here, here]
            columns += [there, here]
            rates += [rate, -rate]
            if counting:
                rows.append(here)
                columns.append(size + clock)
                rates.append(rate)
    total = size + (len(TRANSITIONS) * spec.n if counting else 0)
    return sparse.csr_matrix((rates, (rows, columns)), shape=(total, total))


def evolve(rates: sparse.csr_matrix, distribution: np.ndarray, days: float) -> np.ndarray:
    """Return *distribution* after *days* under the generator *rates*, by uniformisation.

    Nothing negative is ever added, so each probability keeps its relative precision however small it is
    (Jensen 1953; Grassmann 1977). expm and expm_multiply are right to about 1e-16 absolutely, which is not enough.
    """
    pace = float(-rates.diagonal().min())
    if pace * days == 0.0:
        return distribution.copy()
    steps = math.ceil(pace * days / 32)
    mean = pace * days / steps
    jump = (sparse.identity(rates.shape[0]) + rates / pace).T.tocsr()
    for _ in range(steps):
        weight = math.exp(-mean)
        visited, total = distribution, weight * distribution
        for k in itertools.count(1):
            weight *= mean / k
            visited = jump @ visited
            total = total + weight * visited
            if k > mean and weight < 1e-60:
                break
        distribution = total
    return distribution


def _solve(
    spec: Spec, p0: Start, times: Sequence[float], absorbing: np.ndarray | None = None, counting: bool = False
) -> np.ndarray:
    if any(not 0 <= time < math.inf for time in times):
        raise ValueError(f"times must be finite and not negative, but were {times!r}")
    edges = sorted({0.0, *times, *spec.breaks(max(times))})
    piece_starts = {0.0, *spec.breaks(max(times))}
    rates = generator(spec, 0.0, absorbing, counting)
    now = np.zeros(rates.shape[0])
    given = p0 if isinstance(p0, Mapping) else {tuple(p0): 1.0}
    place = {control: index for index, control in enumerate(states(spec.n))}
    for control, chance in given.items():
        read = tuple(int(held) if spec.can_leave_contested or held != CONTESTED else GOVERNMENT for held in control)
        now[_level(spec, read) * len(place) + place[read]] += chance
    if not math.isclose(now.sum(), 1.0, abs_tol=1e-12):
        raise ValueError(f"p0 must sum to 1, but was {now.sum()!r}")
    solved = {0.0: now}
    for before, after in itertools.pairwise(edges):
        if before in piece_starts and before > 0:
            rates = generator(spec, before, absorbing, counting)
        now = solved[after] = evolve(rates, now, after - before)
    return np.array([solved[time] for time in times])


def _mask(spec: Spec, predicate: Callable[[Control], bool]) -> np.ndarray:
    return np.array([bool(predicate(control)) for control in states(spec.n)])


def _level(spec: Spec, control: Control) -> int:
    lost = sum(held == INSURGENT for held in control)
    return sum(threshold <= lost for threshold in spec.thresholds)


# ------------------------------------------------------------------------------------------------ birth chains


def birth_chain(rates: Sequence[float], days: float, start: int = 0) -> np.ndarray:
    """Return P(k after *days*) for each k, beginning at k = *start*; *rates[k]* is the rate from k to k + 1.

    The result has one more entry than *rates*. Relative error under 1e-8 down to 1e-30, by uniformisation.
    """
    leaving = np.array([*rates, 0.0])
    now = np.zeros(leaving.size)
    now[start] = 1.0
    return evolve(sparse.csr_matrix(np.diag(-leaving) + np.diag(leaving[:-1], 1)), now, days)


def ridge_rates(a: float, b: float, n: int = 34) -> list[float]:
    """Return the birth rates of *n* capitals, each remaining one at hazard a + b k / n with k lost.

    This is Baseline(a) x Neighbours(b / (n a)) on a complete graph.
    """
    return [(n - k) * (a + b * k / n) for k in range(n)]


def complete_graph_rates(n: int, baseline: float, effect: float) -> list[float]:
    """Return the birth rates of *n* capitals under Baseline x Neighbours on a complete graph."""
    return [(n - k) * baseline * (1.0 + effect * k) for k in range(n)]


def momentum_rates(n: int, baseline: float, effect: float) -> list[float]:
    """Return the birth rates of *n* capitals under Baseline x Momentum."""
    return [(n - k) * baseline * math.exp(effect * k / n) for k in range(n)]


# ------------------------------------------------------------------------------------------------ closed forms


def exponential(rate: float, days: float) -> float:
    """Return P(T <= days) at a constant *rate*."""
    return -math.expm1(-rate * days)


def competing_risks(rates: Sequence[float], days: float) -> list[float]:
    """Return, for each of *rates*, P(it is the first to happen, and by *days*)."""
    total = math.fsum(rates)
    return [rate / total * exponential(total, days) for rate in rates]


def two_state(enter: float, leave: float, days: float) -> float:
    """Return P(contested at *days*) from government, entered and left at constant rates, with no other way out."""
    return enter / (enter + leave) * exponential(enter + leave, days)


def erlang(stages: int, rate: float, days: float) -> float:
    """Return P(the sum of *stages* exponentials of one *rate* <= days)."""
    return 1.0 - math.fsum(math.exp(-rate * days) * (rate * days) ** k / math.factorial(k) for k in range(stages))


def hypoexponential(rates: Sequence[float], days: float) -> float:
    """Return P(the sum of exponentials of distinct *rates* <= days), by partial fractions in 120 digits."""
    with localcontext() as context:
        context.prec = 120
        exact = [Decimal(rate) for rate in rates]
        total = Decimal(1)
        for i, rate in enumerate(exact):
            weight = Decimal(1)
            for j, other in enumerate(exact):
                if i != j:
                    weight *= other / (other - rate)
            total -= weight * (-rate * Decimal(days)).exp()
        return float(total)


def at_least(k: int, n: int, chance: float) -> float:
    """Return P(at least *k* of *n* independent capitals), each with probability *chance*."""
    return math.fsum(math.comb(n, j) * chance**j * (1.0 - chance) ** (n - j) for j in range(k, n + 1))


def order_statistic_mean(k: int, n: int, rate: float) -> float:
    """Return the mean day of the *k*-th loss of *n* capitals at one constant *rate*."""
    return math.fsum(1.0 / (rate * (n - j)) for j in range(k))


def last_loss_quantile(share: float, n: int, rate: float) -> float:
    """Return the day by which all *n* capitals are lost with probability *share*, at one constant *rate*."""
    return -math.log1p(-(share ** (1.0 / n))) / rate


def hazard_mle(lost: int, n: int, days: float) -> float:
    """Return the maximum-likelihood constant hazard given *lost* of *n* after *days*."""
    return -math.log1p(-lost / n) / days


def profile_interval(lost: int, n: int, days: float, drop: float = 1.920729410347062) -> tuple[float, float]:
    """Return the constant hazards whose log-likelihood is *drop* below the maximum (half the 95% point of chi2(1))."""
    best = hazard_mle(lost, n, days)

    def below(rate: float) -> float:
        def log_likelihood(value: float) -> float:
            return lost * math.log(exponential(value, days)) - (n - lost) * value * days

        return log_likelihood(best) - log_likelihood(rate) - drop

    return (
        float(optimize.brentq(below, best * 1e-3, best, xtol=1e-14)),
        float(optimize.brentq(below, best, best * 1e2, xtol=1e-14)),
    )


def break_even(k: int, n: int, days: float, chance: float = 0.5) -> float:
    """Return the constant hazard at which P(at least *k* of *n* lost within *days*) is *chance*."""
    return float(optimize.brentq(lambda rate: at_least(k, n, exponential(rate, days)) - chance, 1e-9, 10.0, xtol=1e-15))
