"""Windows, frailties, recapture, modes, counts by simulation, and records that begin with their first capture."""

from __future__ import annotations

import itertools
import math
from datetime import date

import exact
import numpy as np
import pytest
from scipy import integrate, linalg, special
from small_records import FIGHT, SEEN, captured, fight, integral, joint, log_likelihood, theatre, week, when

import sim
from sim import contests, subsets
from sim.control import Control
from sim.hazards import Baseline, Calendar, Covariate, CutOff, Frailty, Momentum, Neighbours
from sim.hours import plan
from sim.lenses import lens_of
from sim.likelihood import likelihood
from sim.lowering import lower
from sim.observations import captures_of, sightings_of
from sim.priors import HalfNormal, LogNormal
from sim.record import Count, Record, Sighting
from sim.stand_in import correction, stand_in

#: The median of siege's posterior given the real week, rounded.
MEDIAN = [0.0054, 1.15, 0.69, 0.058, 0.92, 0.91, 0.117, 1.0, 0.73, 0.059, 0.32]
BOTH_DAYS = [(1.0, 2.0), (0.0, 1.0), (1.0, 2.0)]


# -- the average over hours ------------------------------------------------------------------------------------------


def test_the_filter_integrated_over_the_orders_equals_the_joint_master_equation():
    model, spec = fight()
    law, values = lower(model, when(0.0)), model.draws({}).values
    spans, lens = [(1.0, 2.0), None, (1.0, 2.0)], lens_of(model, np.ones((3, 2)))

    def filtered(times: list[float | None]) -> float:
        known = [(p, t, t) for p, t in enumerate(times) if t is not None]
        table = plan(3, known, [], law.breaks.tolist(), 3.0, np.full((1, 2), 0.5))
        return math.exp(float(contests.filtered(law, table, lens, values)[0]))

    expected = integral(lambda times: joint(spec, times, [], 3.0), spans, [1.25], nodes=5)
    assert integral(filtered, spans, [1.25], nodes=5) == pytest.approx(expected, rel=1e-8)


SPANS = [BOTH_DAYS, [(0.0, 2.0), (0.0, 2.0), None], [(0.5, 1.0), (0.0, 3.0), (1.0, 3.0)]]


@pytest.mark.parametrize("spans", SPANS, ids=str)
@pytest.mark.parametrize("points", [1, 64])
def test_where_nothing_is_hidden_the_stand_in_makes_the_average_exact_at_any_points(points, spans):
    # Nobody can be contested here, so the filter and its stand-in are one history, and the ratio is exact.
    hazard = Baseline(0.3) * Momentum(2.0) * CutOff(0.9) * Neighbours(1.2)
    model = sim.Model(theatre(), {"seizure": hazard, "fall": Baseline(0.5)}, contested=0.0)
    plain = sim.Model(theatre(), {"seizure": hazard})
    record = week(spans)
    law, values, lens = lower(model, when(0.0)), model.draws({}).values, lens_of(model, np.ones((3, 2)))
    captures = captures_of(model, record)
    u = np.random.default_rng(1).random((points, len(captures)))
    table = subsets.stages(3, captures, law.breaks.tolist(), 3.0)
    average = contests.filtered(law, plan(3, captures, [], law.breaks.tolist(), 3.0, u), lens, values)
    found = average + correction(law, stand_in(table, captures, [], u), lens, values)

    if points > 1:  # with one point there is no spread to bound what is credible
        assert found == pytest.approx([log_likelihood(plain, record)], abs=1e-12)
    else:
        assert found == pytest.approx(average, abs=0.0)


def test_the_stand_in_cuts_the_error_of_the_average_over_the_real_week_without_moving_it():
    siege = sim_siege()
    record = siege.theatre.record.until("2021-08-12")
    seen, _ = sightings_of(siege, record)
    captures, values = captures_of(siege, record, seen), np.array([MEDIAN])
    law, lens = lower(siege, record.start), lens_of(siege, np.ones((34, 2)))
    table = subsets.stages(34, captures, [], 7.0)
    without, with_it = [], []
    for seed in range(40):
        u = np.random.default_rng(seed).random((32, len(captures)))
        without.append(float(contests.filtered(law, plan(34, captures, seen, [], 7.0, u), lens, values)[0]))
        with_it.append(without[-1] + float(correction(law, stand_in(table, captures, seen, u), lens, values)[0]))

    # Measured 0.021 and 0.079; two equal spreads of 40 would differ so less than once in a million.
    assert np.std(with_it) < 0.4 * np.std(without)
    many = likelihood(siege, record, seed=1, points=512)
    assert np.mean(with_it) == pytest.approx(float(many(values)[0]), abs=4 * np.std(with_it) / math.sqrt(40) + 0.002)


def test_the_real_week_is_weighed_as_closely_as_promised():
    siege = sim_siege()
    record = siege.theatre.record.until("2021-08-12")

    assert likelihood(siege, record, seed=7).error(MEDIAN) < 0.01
    assert likelihood(siege, record, seed=7, points=512).error(MEDIAN) < 0.001


def sim_siege() -> sim.Model:
    from sim.families import siege

    return siege(sim.load_theatre("afghanistan_2021"))


@pytest.mark.parametrize("hazard", ["momentum", "contagion"])
def test_seizures_averaged_over_hours_agree_with_their_exact_history(hazard):
    term = {"momentum": Momentum(2.5), "contagion": Neighbours(1.7)}[hazard]
    model = sim.Model(theatre(), {"seizure": Baseline(0.3) * term})
    values = model.draws({}).values
    average = likelihood(model, week(BOTH_DAYS), seed=2, points=4096, hours="average")

    assert average.text.endswith("averaged over 4096 scrambled Sobol points of the unknown hours")
    assert float(average(values)[0]) == pytest.approx(log_likelihood(model, week(BOTH_DAYS)), abs=2e-4)


@pytest.mark.parametrize("hours", ["auto", "average"])
@pytest.mark.parametrize("more", [Momentum(0.0), Momentum(0.0, window=5.0)], ids=["plain", "windowed"])
def test_a_capture_at_a_break_falls_under_what_begins_there(hours, more):
    model = sim.Model(theatre(), {"seizure": Baseline(0.3) * Calendar("2021-08-07", None, 2.0) * more})
    record = week([(1.0, 1.0), None, None])
    rate = 0.3 * math.exp(2.0)
    expected = math.log(rate) - 0.9 - 2 * 2.0 * rate

    found = likelihood(model, record, hours=hours)
    assert float(found(model.draws({}).values)[0]) == pytest.approx(expected, abs=1e-12)


def test_a_capital_seen_held_was_not_captured_before_whatever_the_model():
    plain = sim.Model(theatre(), {"seizure": Baseline(0.3)})
    seen = [Sighting(province="A", first=date(2021, 8, 7), last=date(2021, 8, 7), seen=date(2021, 8, 7), source="test",
                     control=Control.GOVERNMENT)]  # fmt: skip
    told = likelihood(plain, week([(0.0, 2.0), None, None], sightings=seen))

    assert log_likelihood(plain, week([(1.0, 2.0), None, None])) == float(told(plain.draws({}).values)[0])
    assert "seen held on a day, so not captured before it (A)" in told.notes


def test_of_two_sightings_of_one_day_the_latest_known_counts():
    model, _ = fight()
    about = {"province": "B", "first": date(2021, 8, 7), "last": date(2021, 8, 7), "source": "test"}
    early = Sighting(**about, seen=date(2021, 8, 7), control=Control.CONTESTED)
    late = Sighting(**about, seen=date(2021, 8, 8), control=Control.GOVERNMENT)
    both, alone = (likelihood(model, week([None] * 3, sightings=rows)) for rows in ([early, late], [late]))

    values = model.draws({}).values
    assert both(values).tolist() == alone(values).tolist() and math.isfinite(both(values)[0])
    assert "of sightings of one day that disagree the latest known counts (B)" in both.notes


# -- windows ---------------------------------------------------------------------------------------------------------


def windowed(effect: float, window: float, times: list[float | None], end: float, rate: float = 0.3) -> float:
    """Return the density of captures under rate x exp(effect x share captured within *window*), by hand."""
    order = sorted((t, p) for p, t in enumerate(times) if t is not None)
    taken = [t for t, _ in order]
    cuts = sorted({0.0, end, *taken, *(t + window for t in taken if t + window < end)})

    def hazard(day: float) -> float:
        return rate * math.exp(effect * sum(t < day < t + window for t in taken) / len(times))

    log = 0.0
    for low, high in itertools.pairwise(cuts):
        held = len(times) - sum(t <= low for t in taken)
        log -= held * hazard((low + high) / 2) * (high - low)
    for t in taken:
        log += math.log(rate * math.exp(effect * sum(s < t < s + window for s in taken) / len(times)))
    return math.exp(log)


@pytest.mark.parametrize("times", [[0.5, 1.0, 2.75], [0.5, None, 2.0], [1.5, 1.625, None]], ids=str)
def test_a_window_at_exact_times_equals_hazards_by_hand(times):
    model = sim.Model(theatre(), {"seizure": Baseline(0.3) * Momentum(2.0, window=0.75)})
    spans = [(t, t) if t else None for t in times]

    assert log_likelihood(model, week(spans)) == pytest.approx(math.log(windowed(2.0, 0.75, times, 3.0)), abs=1e-12)


def test_a_window_is_averaged_over_the_hours():
    model = sim.Model(theatre(), {"seizure": Baseline(0.3) * Momentum(2.0, window=0.75)})
    spans = [(1.0, 2.0), (0.0, 1.0), None]
    expected, _ = integrate.dblquad(
        lambda a, b: windowed(2.0, 0.75, [a, b, None], 3.0), 0.0, 1.0, 1.0, 2.0, epsabs=1e-7, epsrel=1e-6
    )
    weight = likelihood(model, week(spans), seed=4, points=2048)

    assert float(weight(model.draws({}).values)[0]) == pytest.approx(math.log(expected), abs=5e-4)


# -- frailties -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sd", [0.2, 0.8, 1.5])
def test_a_frailty_is_integrated_out_of_each_province(sd):
    model = sim.Model(theatre(), {"seizure": Baseline(0.3) * Momentum(1.0) * Frailty(sd)})
    times = [0.5, 2.0, None]

    def province(t: float | None) -> float:
        def given(z: float) -> float:
            hazard = lambda share: 0.3 * math.exp(share / 3 + sd * z)  # noqa: E731
            spent = sum(
                hazard(k) * (min(high, t or 3.0) - low)
                for k, (low, high) in enumerate([(0.0, 0.5), (0.5, 2.0), (2.0, 3.0)]) if low < (t or 3.0)
            )  # fmt: skip
            lost_before = {0.5: 0, 2.0: 1}
            return math.exp(-z * z / 2 - spent) * (hazard(lost_before[t]) if t else 1.0) / math.sqrt(2 * math.pi)

        return integrate.quad(given, -9, 9, epsabs=1e-13)[0]

    expected = math.log(math.prod(map(province, times)))
    spans = [(t, t) if t else None for t in times]
    assert log_likelihood(model, week(spans)) == pytest.approx(expected, abs=1e-6)


def test_frailties_of_two_transitions_are_hidden_numbers_of_their_own():
    names = ("seizure", "assault", "fall", "relief")
    sd = {"assault": 0.6, "fall": 0.4}
    model = sim.Model(
        theatre(),
        {name: FIGHT[name][0] * Frailty(sd[name]) if name in sd else FIGHT[name][0] for name in names},
        contested=0.2,
    )
    z, w = special.roots_hermitenorm(12)
    w = w / w.sum()
    plain = {name: FIGHT[name][0] for name in names}
    total = 1.0
    # Given the times provinces are independent: each one's part is the ratio of two weeks that differ in it alone.
    alone = sim.Model(theatre(), plain, contested=0.2)
    law, lens = lower(alone, when(0.0)), lens_of(alone, np.ones((3, 2)))
    for p in range(3):
        part = 0.0
        for (a, u), (b, v) in itertools.product(zip(z, w, strict=True), repeat=2):
            values = alone.draws({}).values.copy()
            names_of = list(alone.parameters)
            values[0, names_of.index("assault.baseline")] *= math.exp(sd["assault"] * a)
            values[0, names_of.index("fall.baseline")] *= math.exp(sd["fall"] * b)
            table = plan(3, [(1, 1.5, 1.5)], [], law.breaks.tolist(), 3.0, np.full((1, 1), 0.5))
            # Provinces share nothing but the times, so p's factor is what is left when the others' is divided out.
            everyone = math.exp(float(contests.filtered(law, table, lens, values)[0]))
            others = math.exp(float(contests.filtered(law, _without(table, p), lens, values)[0]))
            part += u * v * everyone / others
        total *= part

    assert log_likelihood(model, week([None, (1.5, 1.5), None])) == pytest.approx(math.log(total), abs=1e-8)


def _without(table, p: int):
    """Return *table* in which province *p* takes no steps, so that it contributes one."""
    from dataclasses import replace

    keep = np.ones(len(table.phase), bool)
    keep[table.first[0, p] : table.first[0, p + 1]] = False
    first = np.concatenate([[0], np.cumsum([keep[table.first[0, q] : table.first[0, q + 1]].sum() for q in range(3)])])
    return replace(
        table, phase=table.phase[keep], days=table.days[keep], does=table.does[keep],
        first=first[None].astype(np.int64), shared=np.zeros(3, np.uint8),
    )  # fmt: skip


def test_no_frailty_is_the_limit_of_a_small_one():
    frail = sim.Model(theatre(), {"seizure": Baseline(0.3) * Frailty(1e-9)})
    plain = sim.Model(theatre(), {"seizure": Baseline(0.3)})

    average = likelihood(frail, week(BOTH_DAYS), seed=1)
    assert float(average(frail.draws({}).values)[0]) == pytest.approx(log_likelihood(plain, week(BOTH_DAYS)), abs=1e-8)


def test_the_error_of_the_quadrature_is_told():
    wild, mild = (sim.Model(theatre(), {"seizure": Baseline(0.3) * Frailty(sd)}) for sd in (6.0, 0.5))
    record = week([(1.5, 1.5), None, None])
    errors = [likelihood(model, record).error(model.draws({}).values) for model in (wild, mild)]

    assert errors[0] > 0.01 and errors[1] < 1e-9
    given = likelihood(wild, record, window_opened_by="first capture")
    assert given.error(wild.draws({}).values) == pytest.approx(errors[0], abs=1e-12)


# -- recapture -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("names", [tuple(FIGHT), ("seizure",)])
def test_that_nobody_was_recaptured_is_part_of_the_record(names):
    back = Baseline(0.25) * Neighbours(0.5)
    model = sim.Model(theatre(), {**{name: FIGHT[name][0] for name in names}, "recapture": back}, contested=0.2)
    hazards = {name: FIGHT[name][1] for name in names} | {
        "recapture": [("baseline", 0.25), ("neighbours", 0.5, "border")]
    }
    _, plain = fight()
    spec = exact.Spec(n=3, hazards=hazards, borders=plain.borders, roads=plain.roads)
    times = [1.5, 0.625, None]
    expected = joint(spec, times, [], 3.0)
    if names == ("seizure",):  # nobody is contested, ever
        expected = _from_government(spec, times)
    record = week([(t, t) if t else None for t in times])

    assert log_likelihood(model, record) == pytest.approx(math.log(expected), abs=1e-12)


def _from_government(spec: exact.Spec, times: list[float | None]) -> float:
    """Return the density of seizures at *times* and no recapture until day 3."""
    log, control, day = 0.0, (0, 0, 0), 0.0
    for t, p in [*sorted((t, p) for p, t in enumerate(times) if t), (3.0, -1)]:
        leaves = [("recapture" if held == 2 else "seizure", q) for q, held in enumerate(control)]
        log -= (t - day) * sum(exact.hazard(spec, name, q, control, day) for name, q in leaves)
        if p >= 0:
            log += math.log(exact.hazard(spec, "seizure", p, control, t))
            control = (*control[:p], 2, *control[p + 1 :])
        day = t
    return math.exp(log)


# -- modes of capture ------------------------------------------------------------------------------------------------


def told_week(modes: list[str]) -> Record:
    times = [1.5, 0.625, 2.5]
    rows = [captured(name, t, t) for name, t in zip("ABC", times, strict=True)]
    from dataclasses import replace

    return Record(
        list("ABC"), [replace(row, mode=mode) for row, mode in zip(rows, modes, strict=True)],
        origin=when(0.0).date(), end=when(3.0),
    )  # fmt: skip


def test_modes_weigh_seizures_against_falls_by_their_error():
    model, _ = fight()
    values = model.draws({}).values

    def weight(modes: list[str], error: float) -> float:
        return math.exp(float(likelihood(model, told_week(modes), use_mode=True, mode_error=error)(values)[0]))

    whole = math.exp(log_likelihood(model, told_week(["unknown"] * 3)))
    seized, fought = weight(["unopposed", "unknown", "mixed"], 1e-12), weight(["fighting", "unknown", "mixed"], 1e-12)
    # Either it was a seizure or it was a fall.
    assert seized + fought == pytest.approx(whole, rel=1e-9)
    assert weight(["negotiated", "unknown", "unknown"], 0.2) == pytest.approx(0.8 * seized + 0.2 * fought, rel=1e-9)
    assert weight(["fighting", "mixed", "unknown"], 0.5) == pytest.approx(0.5 * whole, rel=1e-12)


def test_modes_are_not_read_unless_asked_for():
    model, _ = fight()

    one, other = (log_likelihood(model, told_week([mode] * 3)) for mode in ("unopposed", "fighting"))
    assert one == other


def test_modes_need_their_error_and_dated_captures():
    model, _ = fight()
    record = told_week(["fighting"] * 3)
    with pytest.raises(
        ValueError, match=r"use_mode=True needs mode_error, the probability in \(0, 0\.5\] that a repor"
    ):
        likelihood(model, record, use_mode=True)
    with pytest.raises(ValueError, match=r"needs mode_error.*but it was 0\.7"):
        likelihood(model, record, use_mode=True, mode_error=0.7)
    with pytest.raises(ValueError, match=r"mode_error is for use_mode=True, but was 0\.1; leave it out"):
        likelihood(model, record, mode_error=0.1)
    with pytest.raises(
        ValueError, match=r"use_mode needs dated captures, but the record is a count; use record\.until"
    ):
        likelihood(model, record.as_count(), use_mode=True, mode_error=0.1)


# -- a window opened by its first capture ----------------------------------------------------------------------------


def test_a_day_that_opened_the_window_is_worth_one_less_capture():
    model = sim.Model(theatre(), {"seizure": Baseline(0.3)})
    record = week([(0.0, 1.0), (1.0, 2.0), None])
    given = likelihood(model, record, window_opened_by="first capture")

    expected = log_likelihood(model, record) - math.log(-math.expm1(-0.9))
    assert float(given(model.draws({}).values)[0]) == pytest.approx(expected, abs=1e-12)
    assert "the record begins because of it" in given.notes[-1]


@pytest.mark.parametrize("hidden", [False, True])
def test_an_exact_time_that_opened_the_window_is_divided_out(hidden):
    model, spec = fight() if hidden else (sim.Model(theatre(), {"seizure": Baseline(0.3) * Neighbours(1.7)}), None)
    record = week([(1.5, 1.5), (0.5, 0.5), None])
    given = likelihood(model, record, window_opened_by="first capture")
    if hidden:
        first = sum(joint(spec, [0.5 if q == p else None for q in range(3)], [], 0.5) for p in range(3))
    else:
        first = 0.9 * math.exp(-0.9 * 0.5)

    expected = log_likelihood(model, record) - math.log(first)
    assert float(given(model.draws({}).values)[0]) == pytest.approx(expected, abs=1e-12)


def test_an_opening_day_after_the_origin_is_given_a_quiet_time_before_it():
    model, spec = fight()
    record = week([(1.0, 2.0), (2.0, 3.0), None])
    given = likelihood(model, record, seed=1, window_opened_by="first capture")
    none = [joint(spec, [None] * 3, [], end) for end in (1.0, 2.0)]
    whole = float(likelihood(model, record, seed=1)(model.draws({}).values)[0])

    assert float(given(model.draws({}).values)[0]) == pytest.approx(whole - math.log(none[0] - none[1]), abs=1e-12)


@pytest.mark.parametrize("rate", [0.0, 1e-300, 1e-18, 1e-12, 1e-7, 3e-6, 1e-4, 0.3])
@pytest.mark.parametrize("hidden", [False, True])
def test_an_opening_keeps_its_digits_where_next_to_nothing_happens(rate, hidden):
    more = {"assault": Baseline(rate), "fall": Baseline(rate)} if hidden else {}
    model = sim.Model(theatre(), {"seizure": Baseline(rate), **more}, contested=0.0)
    record = week([(0.0, 1.0), (1.0, 2.0), None])
    values = model.draws({}).values
    given = float(likelihood(model, record, seed=1, window_opened_by="first capture")(values)[0])
    whole = float(likelihood(model, record, seed=1)(values)[0])

    if rate == 0.0:
        assert given == -math.inf
    elif not hidden:
        assert given == pytest.approx(whole - math.log(-math.expm1(-3 * rate)), abs=1e-9)
    else:
        survives = linalg.expm(np.array([[-2 * rate, rate], [0.0, -rate]]))[0].sum()
        lost = -math.expm1(3 * math.log(survives)) if rate > 1e-5 else 3 * rate
        assert given == pytest.approx(whole - math.log(lost), abs=2e-5 if rate == 3e-6 else 1e-6)


def test_an_opening_needs_a_dated_capture_and_a_known_name():
    model = sim.Model(theatre(), {"seizure": Baseline(0.3)})
    with pytest.raises(ValueError, match="window_opened_by='first capture' needs a capture, but the record has none"):
        likelihood(model, week([None] * 3), window_opened_by="first capture")
    with pytest.raises(ValueError, match="window_opened_by needs dated captures, but the record is a count"):
        likelihood(model, Record.from_count(1, 2.0, list("ABC")), window_opened_by="first capture")
    with pytest.raises(ValueError, match="window_opened_by must be None or 'first capture', but was 'first'"):
        likelihood(model, week([None] * 3), window_opened_by="first")
    with pytest.raises(ValueError, match="hours must be 'auto' or 'average', but was 'exact'"):
        likelihood(model, week([None] * 3), hours="exact")


# -- counts by simulation --------------------------------------------------------------------------------------------


def test_a_simulated_count_agrees_with_the_exact_solver_within_its_error():
    hazard = Baseline(0.2) * Neighbours(1.5)
    model = sim.Model(theatre(), {"seizure": hazard})
    spec = exact.Spec(
        n=3, hazards={"seizure": [("baseline", 0.2), ("neighbours", 1.5, "border")]}, borders={(0, 1), (1, 2)}
    )
    by_order = [
        density_of_count(spec, lost, 2.0) for lost in range(4)
    ]  # fmt: skip
    assert sum(by_order) == pytest.approx(1.0, abs=1e-9)
    values = model.draws({}).values
    for lost in range(4):
        weight = likelihood(model, Record.from_count(lost, 2.0, list("ABC")), seed=3)
        assert weight.kind == "simulated" and "NOT exact" in weight.text
        assert math.exp(float(weight(values)[0])) == pytest.approx(by_order[lost], abs=0.055)
        p = by_order[lost]
        assert 0.2 < weight.error(values) / math.sqrt((1 - p) / (1000 * p)) < 2.5


def density_of_count(spec: exact.Spec, lost: int, end: float) -> float:
    listed = exact.states(spec.n)
    from scipy.linalg import expm

    moved = expm(exact.generator(spec, 0.0).toarray() * end)[listed.index((0,) * spec.n)]
    return float(sum(p for p, control in zip(moved, listed, strict=True) if sum(h == 2 for h in control) == lost))


def test_contests_can_be_weighed_by_a_count():
    model, spec = fight()
    weight = likelihood(model, Record.from_count(1, 1.0, list("ABC"), origin="2021-08-06"), seed=3)
    listed = exact.states(3)
    from scipy.linalg import expm

    start = np.array([math.prod((0.8, 0.2, 0.0)[held] for held in control) for control in listed])
    moved = start @ expm(exact.generator(spec, 0.0).toarray() * 1.0)
    expected = sum(p for p, control in zip(moved, listed, strict=True) if sum(h == 2 for h in control) == 1)

    assert math.exp(float(weight(model.draws({}).values)[0])) == pytest.approx(expected, abs=0.055)


def test_a_row_of_values_is_weighed_alike_alone_and_among_others():
    model = sim.Model(theatre(), {"seizure": Baseline(LogNormal(0.2, 1.0)) * Neighbours(HalfNormal(1.0))})
    weight = likelihood(model, Record.from_count(2, 2.0, list("ABC")), seed=3)
    values = model.draw_prior(4, seed=1).values

    assert weight(values).tolist() == [float(weight(row)[0]) for row in values]


def test_a_simulated_count_needs_a_seed():
    model = sim.Model(theatre(), {"seizure": Baseline(0.1) * Covariate("level", 1.0)})
    with pytest.raises(TypeError, match="a count under a model that tells capitals apart is simulated; pass seed="):
        likelihood(model, Record.from_count(1, 2.0, list("ABC")))


def test_draws_kept_for_a_count_are_the_posterior_of_its_exact_chain():
    # A covariate without effect: nothing changes but that the exact chain does not apply.
    priors = Baseline(LogNormal(0.2, 1.0)) * Momentum(HalfNormal(2.0))
    names = [f"P{i}" for i in range(6)]
    exactly = sim.Model(sim.Theatre(names, borders=list(itertools.combinations(names, 2))), {"seizure": priors})
    apart = sim.Model(
        sim.Theatre(names, columns={"level": [0.0, 1, 2, 3, 4, 5]}), {"seizure": priors * Covariate("level", 0.0)}
    )
    record = Record.from_count(3, 2.0, names)
    one, other = sim.calibrate(exactly, record, seed=1, draws=4000), sim.calibrate(apart, record, seed=1, draws=500)

    assert other.method == "rejection" and "draws of the prior kept of" in other.notes[-1]
    for name in one.model.free:
        ks = np.abs(
            np.searchsorted(np.sort(one[name]), other[name]) / 4000 - (np.argsort(np.argsort(other[name])) + 0.5) / 500
        ).max()
        # The 99.9% point of Kolmogorov and Smirnov for 500 and 4000 draws.
        assert ks < 1.95 * math.sqrt(1 / 500 + 1 / 4000)


def test_the_exact_history_of_seizures_is_what_brute_force_says_of_a_mixed_record():
    # An exact time, days, and a capital seen contested, in one record.
    model, spec = fight()
    spans = [(1.5, 1.5), (0.0, 1.0), None]
    record = week(spans, sightings=SEEN[2:3])
    expected = integrate.quad(
        lambda t: joint(spec, [1.5, t, None], [(0.0, 2, 1), (0.5, 2, 1)], 3.0), 0.0, 1.0, epsabs=1e-10
    )[0]
    weight = likelihood(model, record, seed=1, points=512)

    assert float(weight(model.draws({}).values)[0]) == pytest.approx(math.log(expected), abs=2e-4)


# -- what a likelihood is called with --------------------------------------------------------------------------------


def test_values_of_another_shape_or_beyond_their_support_are_refused():
    model = sim.Model(theatre(), {"seizure": Baseline(LogNormal(0.1, 1.0)) * Neighbours(HalfNormal(1.0))})
    weight = likelihood(model, week([(1.5, 1.5), None, None]))
    for values in ([[0.3]], [[0.3, 1.0, 2.0]], [[[0.3, 1.0]]]):
        with pytest.raises(
            ValueError, match=r"values must have shape \(row, 2\), in the order of seizure\.baseline, sei"
        ):
            weight(values)
    with pytest.raises(ValueError, match=r"seizure\.neighbours\.border must lie between 0 and inf, but was -0\.5"):
        weight([[0.3, -0.5]])
    draws = model.draws({"seizure.baseline": [0.3], "seizure.neighbours.border": [1.0]})
    assert weight(draws).tolist() == weight([[0.3, 1.0]]).tolist()


def test_what_is_no_model_seed_number_of_points_or_answer_is_refused():
    model, _ = fight()
    record = week([(1.5, 1.5), None, None])
    with pytest.raises(TypeError, match="likelihood: model must be a Model, but was 'siege'"):
        likelihood("siege", record)
    with pytest.raises(TypeError, match=r"seed must be a non-negative integer, but was 1\.5"):
        likelihood(model, record, seed=1.5)
    with pytest.raises(ValueError, match="points must be a power of two, but was 20"):
        likelihood(model, record, points=20)
    with pytest.raises(TypeError, match="use_mode must be True or False, but was 'no'"):
        likelihood(model, record, use_mode="no")
    with pytest.raises(ValueError, match="the end must come after the origin, the first moment of 2021-08-06"):
        week([None] * 3, end=0.0)


def test_facts_are_those_that_were_read():
    hidden, _ = fight()
    plain = sim.Model(theatre(), {"seizure": Baseline(0.3)})
    counts = [Count(day=date(2021, 8, 7), captured=2, source="test")]
    record = week([(1.5, 1.5), None, None], sightings=SEEN[:1], counts=counts)
    kinds = [
        {str(fact["id"]).partition(":")[0] for fact in likelihood(model, of, seed=1).facts}
        for model, of in ((hidden, record), (plain, record), (plain, record.as_count()))
    ]

    assert kinds == [{"capture", "sighting"}, {"capture"}, {"count"}]
    assert "counts beside named captures are not read (2 on 2021-08-07)" in likelihood(plain, record).notes
