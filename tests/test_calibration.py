"""Posteriors against exact integrals, what may reach them, and when a fit is refused."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from datetime import date, datetime, timedelta

import numpy as np
import pytest
from scipy import integrate, linalg, optimize

import sim
from sim import sampling
from sim.calibration import Posterior, calibrate
from sim.families import constant, contagion, momentum, siege
from sim.hazards import Baseline, Calendar, Momentum, Neighbours
from sim.likelihood import likelihood
from sim.priors import HalfNormal, LogNormal
from sim.record import Capture, Count, Record, Sighting

NAMES = ["A", "B", "C", "D", "E"]
LINKS = {"borders": [("A", "B"), ("B", "C"), ("C", "D"), ("D", "E")], "roads": [("A", "C"), ("B", "E")], "hub": "E"}
ROWS = [("A", "2021-08-06"), ("C", "2021-08-07"), ("B", "2021-08-07")]


def theatre(*later: Capture, sightings: tuple[Sighting, ...] = (), counts: tuple[Count, ...] = ()) -> sim.Theatre:
    rows = [Capture.dated(name, day) for name, day in ROWS]
    return sim.Theatre(NAMES, record=Record(NAMES, [*rows, *later], sightings, counts, origin="2021-08-06"), **LINKS)


def slow() -> Baseline:
    return Baseline(LogNormal(1 / 20, 1.0))


def three(place: sim.Theatre) -> sim.Model:
    sweep = Neighbours(HalfNormal(1.0)) * Neighbours(HalfNormal(1.0), via="road")
    return sim.Model(place, {"seizure": slow() * sweep}, name="three")


@pytest.fixture(scope="module")
def real() -> sim.Theatre:
    return sim.load_theatre("afghanistan_2021")


@pytest.fixture(scope="module")
def week(real: sim.Theatre) -> Record:
    return real.record.until("2021-08-12")


# -- right answers ---------------------------------------------------------------------------------------------------


def test_grid_draws_of_one_parameter_have_the_quantiles_of_the_exact_integral(real, week):
    posterior = calibrate(constant(real), week.as_count(), seed=5, draws=4000)

    def density(score: float) -> float:
        rate = math.exp(score) / 40
        return math.exp(11 * math.log(-math.expm1(-7 * rate)) - 23 * 7 * rate + 22 - 0.5 * score**2)

    total = integrate.quad(density, -6, 6, epsabs=0, epsrel=1e-12, limit=200)[0]
    for share in (0.05, 0.25, 0.5, 0.75, 0.95):
        exact = optimize.brentq(
            lambda z: integrate.quad(density, -6, z, epsabs=0, epsrel=1e-11, limit=200)[0] / total - share,  # noqa: B023
            -3,
            3,
        )
        found = math.log(40 * np.quantile(posterior["seizure.baseline"], share))
        assert found == pytest.approx(exact, abs=2e-3)
    assert posterior.method == "grid"


def test_grid_draws_of_two_parameters_have_the_mean_and_spread_of_the_exact_integral(real, week):
    model = momentum(real)
    posterior = calibrate(model, week, seed=5, draws=4000)
    axes = np.linspace(-7, 7, 281)
    scores = np.stack(np.meshgrid(axes, axes, indexing="ij"), axis=-1).reshape(-1, 2)
    values = np.column_stack([p.from_score(z) for p, z in zip(model.parameters.values(), scores.T, strict=True)])
    weight = likelihood(model, week)(values) - 0.5 * np.sum(scores**2, axis=1)
    weight = np.exp(weight - weight.max())

    for j, name in enumerate(model.parameters):
        mean = np.average(values[:, j], weights=weight)
        spread = math.sqrt(np.average((values[:, j] - mean) ** 2, weights=weight))
        assert posterior[name].mean() == pytest.approx(mean, abs=0.02 * spread)
        assert posterior[name].std() == pytest.approx(spread, rel=0.02)


@pytest.mark.parametrize(
    ("family", "medians"),
    [
        (constant, {"seizure.baseline": 0.050}),
        (contagion, {"seizure.baseline": 0.029, "seizure.neighbours.border": 0.6, "seizure.neighbours.road": 0.9}),
        (momentum, {"seizure.baseline": 0.039, "seizure.momentum": 1.3}),
    ],
)
def test_the_real_week_gives_the_medians_of_the_design(real, week, family, medians):
    posterior = calibrate(family(real), week, seed=7)

    for name, median in medians.items():
        assert np.median(posterior[name]) == pytest.approx(median, rel=0.12)
    assert len(posterior) == 1000
    assert "exact" in posterior.likelihood


def test_the_real_week_teaches_a_siege_what_it_can(real, week):
    posterior = calibrate(siege(real), week, seed=7)

    assert posterior.method == "ensemble sampler"
    assert all(told["rhat"] <= 1.01 and told["ess_bulk"] >= 400 for told in posterior.diagnostics.values())
    assert (
        "filtered in closed form" in posterior.likelihood and "error of the log likelihood 0.0" in posterior.likelihood
    )
    # Most captures follow a sighting of a contest: the week says seizures are rarer than their prior had it.
    assert np.median(posterior["seizure.baseline"]) < 1 / 100
    assert "seizure.cutoff" in posterior.kept
    assert "prior kept" in posterior.summary()


def test_ensembles_agree_with_the_grid_and_keep_the_prior_of_what_is_not_seen():
    place = theatre()
    record = place.record.until("2021-08-07")
    two = sim.Model(place, {"seizure": slow() * Neighbours(HalfNormal(1.0))})
    later = sim.Model(
        place, {"seizure": slow() * Neighbours(HalfNormal(1.0)) * Calendar("2021-09-01", None, HalfNormal(2.0))}
    )
    grid, sampled = calibrate(two, record, seed=3), calibrate(later, record, seed=3)

    for name in two.parameters:
        assert np.median(sampled[name]) == pytest.approx(np.median(grid[name]), rel=0.12)
    assert ("grid", "ensemble sampler") == (grid.method, sampled.method)
    assert "seizure.calendar" in sampled.kept
    assert np.median(sampled["seizure.calendar"]) == pytest.approx(2.0 * 0.6745, rel=0.1)


def test_a_week_in_which_nothing_could_happen_leaves_the_prior():
    end = datetime(2021, 8, 6) + timedelta(seconds=1)
    record = Record(NAMES, origin=date(2021, 8, 6), end=end)
    posterior = calibrate(sim.Model(theatre(), {"seizure": slow()}), record, seed=1, draws=4000)

    assert np.quantile(posterior["seizure.baseline"], [0.05, 0.5, 0.95]) * 20 == pytest.approx(
        np.exp([-1.6449, 0.0, 1.6449]), rel=5e-3
    )
    assert ("seizure.baseline",) == posterior.kept


def test_a_long_record_narrows_the_grid_to_where_the_mass_is():
    names = [f"P{i:04}" for i in range(2000)]
    record = Record.from_count(1500, 1000.0, names)
    posterior = calibrate(sim.Model(sim.Theatre(names), {"seizure": Baseline(LogNormal(1.0, 1.0))}), record, seed=1)
    rate = posterior["seizure.baseline"]

    assert np.median(rate) == pytest.approx(-math.log(0.25) / 1000, rel=0.01)
    assert rate.std() / rate.mean() == pytest.approx(math.sqrt(0.75 / 0.25 / 2000) / -math.log(0.25), rel=0.05)


def test_without_free_parameters_there_is_nothing_to_learn():
    place = theatre()
    posterior = calibrate(
        sim.Model(place, {"seizure": Baseline(0.1)}), place.record.until("2021-08-07"), seed=1, draws=7
    )

    assert "fixed" == posterior.method
    assert posterior["seizure.baseline"].tolist() == [0.1] * 7
    assert len(set(posterior.log_likelihood.tolist())) == 1
    assert "fixed" in posterior.summary()


def test_every_draw_carries_its_log_likelihood():
    place = theatre()
    model, record = three(place), place.record.until("2021-08-07")
    posterior = calibrate(model, record, seed=3, draws=50)

    assert np.array_equal(likelihood(model, record)(posterior.values), posterior.log_likelihood)
    assert posterior.values.shape == (50, 3)


# -- what may reach it -----------------------------------------------------------------------------------------------


def known_later(province: str, earliest: str, known: str) -> Capture:
    return Capture.dated(province, earliest, known_from=known)


@pytest.mark.parametrize("build", [three, siege], ids=["seizures", "contests"])
def test_poisoning_the_future_changes_no_bit(build):
    clean = theatre()
    poisoned = theatre(
        known_later("D", "2021-08-07", "2021-08-09"),
        known_later("E", "2021-08-08", "2021-08-08"),
        sightings=(
            Sighting(province="D", first=date(2021, 8, 6), last=date(2021, 8, 9), seen=date(2021, 8, 9), source="x"),
        ),
        counts=(Count(day=date(2021, 8, 8), captured=5, source="x"),),
    )
    found = []
    for place in (clean, poisoned):
        budget = sampling.Budget(round=20, rounds=2)
        found.append(
            calibrate(
                build(place), place.record.until("2021-08-07"), seed=3, accept_poor=True, draws=64, _budget=budget
            )
        )

    one, other = found
    assert one.values.tobytes() == other.values.tobytes()
    assert one.log_likelihood.tobytes() == other.log_likelihood.tobytes()
    assert (one.facts, one.notes, one.likelihood) == (other.facts, other.notes, other.likelihood)


def test_what_is_known_in_time_does_reach_it():
    place = theatre()
    later = theatre(known_later("D", "2021-08-07", "2021-08-07"))
    one, other = (
        calibrate(sim.Model(p, {"seizure": slow()}), p.record.until("2021-08-07"), seed=3) for p in (place, later)
    )

    assert np.median(one["seizure.baseline"]) < np.median(other["seizure.baseline"])


# -- bits ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("build", [three, momentum, siege])
def test_the_same_seed_gives_the_same_bits_on_any_number_of_threads(build, monkeypatch):
    place = theatre()
    record, budget = place.record.until("2021-08-07"), sampling.Budget(round=25, rounds=2)

    def run(seed: int) -> Posterior:
        return calibrate(build(place), record, seed=seed, accept_poor=True, draws=100, _budget=budget)

    first = run(11)
    monkeypatch.setattr(sampling.os, "cpu_count", lambda: 1)
    again, other = run(11), run(12)

    assert first.values.tobytes() == again.values.tobytes()
    assert first.log_likelihood.tobytes() == again.log_likelihood.tobytes()
    assert first.values.tobytes() != other.values.tobytes()


# -- a poor fit ------------------------------------------------------------------------------------------------------


def test_a_poor_fit_is_refused_with_figures_and_what_to_change():
    place = theatre()
    record, budget = place.record.until("2021-08-07"), sampling.Budget(round=10, rounds=1)
    with pytest.raises(
        RuntimeError,
        match=r"poor fit of three after 10 steps of 4 ensembles: seizure\.baseline has .*"
        r"\(at (most 1\.01|least 400)\).*Narrow the priors, fix a parameter .*accept_poor=True goes on all the same",
    ):
        calibrate(three(place), record, seed=3, _budget=budget)

    posterior = calibrate(three(place), record, seed=3, accept_poor=True, _budget=budget)
    assert posterior.poor
    assert "POOR FIT" in posterior.summary().splitlines()[0]
    assert posterior.describe()["poor fit"] is True


def test_ensembles_that_disagree_are_refused():
    two_peaks = sampling.Budget(round=100, rounds=3)

    def density(scores: np.ndarray) -> np.ndarray:
        near = np.where(scores[:, :1] > 0, scores - 3.0, scores + 3.0)
        return -50.0 * np.sum(near * near, axis=1)

    sample = sampling.ensembles(density, 3, 100, 1, two_peaks)
    assert any(not told["rhat"] <= 1.01 or told["ess_bulk"] < 400 for told in sample.diagnostics)


# -- what it says ----------------------------------------------------------------------------------------------------


def test_the_summary_says_which_likelihood_and_what_was_read_as_what(real, week):
    posterior = calibrate(constant(real), week, seed=7)
    text = posterior.summary()

    assert "constant: 1000 draws, grid" == text.splitlines()[0]
    assert "likelihood: history of the captures, each within its interval, exact" in text
    assert "note: the 23 capitals without a capture are read as not captured by the record's end" in text
    assert "note: contested is read as government-held in this model (Badakhshan, Farah, Ghazni, " in text
    assert "rates are per day and capital" in text


def test_the_description_is_plain_and_names_the_facts(real, week):
    told = calibrate(constant(real), week, seed=7).describe()

    assert told == json.loads(json.dumps(told))
    assert told["method"] == "grid" and told["seed"] == 7
    # Sightings of contests say nothing to a model without them, and are not among what was used.
    assert told["facts"] == [fact for fact in week.facts if fact["id"].startswith("capture:")]
    assert {"median", "low", "high"} <= set(told["parameters"]["seizure.baseline"])


def test_a_count_is_said_to_be_one(real, week):
    text = calibrate(constant(real), week.as_count(), seed=7).summary()

    assert "likelihood: binomial probability of the count, exact" in text
    assert "the count alone is used (11 of 34 on 2021-08-12)" in text


def test_progress_is_told_in_steps():
    place, told = theatre(), []
    calibrate(
        three(place), place.record.until("2021-08-07"), seed=3, accept_poor=True, progress=told.append,
        _budget=sampling.Budget(round=10, rounds=3),
    )  # fmt: skip

    assert told == [10, 20, 30]


# -- bad calls -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"model": "constant"}, TypeError, "calibrate: model must be a Model, but was 'constant'"),
        ({"week": "2021-08-12"}, TypeError, "the week must be a Record, but was '2021-08-12'; theatre.record.until"),
        ({"week": theatre().record}, ValueError, r"the record must have an end.*record\.until\('YYYY-MM-DD'\)"),
        ({"seed": -1}, ValueError, "seed must be a non-negative integer, but was -1"),
        ({"seed": 1.5}, TypeError, "seed must be a non-negative integer, but was 1.5"),
        ({"draws": 0}, ValueError, "draws must be a positive integer, but was 0"),
        ({"draws": 10.0}, TypeError, "draws must be a positive integer, but was 10.0"),
        ({"week": Record.from_count(2, 7.0, ["X", "Y"])}, ValueError, "must be of the model's provinces"),
    ],
)
def test_a_bad_call_is_refused_before_any_work(change, error, message):
    place = theatre()
    call = {
        "model": sim.Model(place, {"seizure": Baseline(LogNormal(0.1, 1.0))}),
        "week": place.record.until("2021-08-07"),
        "seed": 1,
        "draws": 10,
    }
    with pytest.raises(error, match=message):
        calibrate(**(call | change))


def test_a_seed_is_asked_for():
    place = theatre()
    with pytest.raises(TypeError, match="seed"):
        calibrate(three(place), place.record.until("2021-08-07"))


def test_a_record_the_model_cannot_produce_is_refused():
    place = theatre()
    with pytest.raises(ValueError, match="the record is impossible under the model, whatever its parameters"):
        calibrate(sim.Model(place, {"seizure": Baseline(0.0)}), place.record.until("2021-08-07"), seed=1)
    with pytest.raises(ValueError, match="the record is impossible under the model, whatever its parameters"):
        calibrate(
            sim.Model(place, {"seizure": Baseline(0.0) * Momentum(HalfNormal(1.0))}),
            place.record.until("2021-08-07"),
            seed=1,
        )


def test_a_windowed_momentum_is_learned_through_the_average_over_hours():
    place = theatre()
    model = sim.Model(place, {"seizure": slow() * Momentum(HalfNormal(1.0), window=3)})
    posterior = calibrate(model, place.record.until("2021-08-07"), seed=1, points=64)

    assert posterior.method == "grid"
    assert "averaged over 64 scrambled Sobol points of the unknown hours; error of the log" in posterior.likelihood


def test_how_the_record_is_weighed_reaches_the_likelihood(real, week):
    plain, given = (calibrate(constant(real), week, seed=1, window_opened_by=by) for by in (None, "first capture"))

    # The first capture of a record that begins because of it says nothing of the pace.
    assert np.median(given["seizure.baseline"]) < np.median(plain["seizure.baseline"])
    assert given.likelihood.endswith("given the first capture")
    with pytest.raises(ValueError, match="needs mode_error"):
        calibrate(constant(real), week, seed=1, use_mode=True)


def test_draws_are_exported_by_independent_ensemble(real, week):
    posterior = calibrate(contagion(real), week, seed=3, draws=1001)
    tree = posterior.to_arviz()

    assert posterior.ensembles == 4
    chains = tree["posterior"]["seizure.baseline"]
    assert chains.dims == ("chain", "draw") and chains.shape == (4, 250)
    assert chains.values[1, 2] == posterior["seizure.baseline"][2 * 4 + 1]
    assert tree["sample_stats"]["log_likelihood"].values[3, 0] == posterior.log_likelihood[3]
    assert tree.attrs["seed"] == 3


def test_quantiles_have_a_monte_carlo_error_in_the_parameters_unit(real, week):
    runs = [calibrate(contagion(real), week, seed=seed, draws=1000) for seed in range(6)]
    told = runs[0].diagnostics["seizure.baseline"]

    assert 0.0 < told["mcse_median"] < told["mcse_high"] < 0.003
    assert f"{told['mcse_median']:.2g}" in runs[0].summary()
    # Medians of runs that share nothing differ by their errors: those of the sampler, and of a thousand draws of it.
    medians = [np.median(run["seizure.baseline"]) for run in runs]
    spread = math.hypot(told["mcse_median"], 1.25 * np.std(runs[0]["seizure.baseline"]) / math.sqrt(1000))
    assert np.std(medians, ddof=1) < 2.5 * spread


def test_draws_of_a_posterior_are_those_of_its_model():
    place = theatre()
    model = sim.Model(place, {"seizure": slow()})
    posterior = calibrate(model, place.record.until("2021-08-07"), seed=1, draws=20)

    assert model.checked(posterior) is posterior
    assert not posterior.values.flags.writeable
    with pytest.raises(AttributeError):
        posterior.method = "grid"
    assert len(replace(posterior, poor=True).values) == 20


def test_contests_nobody_saw_are_carried_to_the_end_of_the_record():
    place = sim.Theatre(["A", "B", "C"], borders=[("A", "B"), ("B", "C")], origin="2021-08-06", name="unseen")
    seizure, assault, fall, relief, first = 0.02, 0.15, 0.2, 0.1, 0.3
    model = sim.Model(
        place,
        {
            "seizure": Baseline(seizure),
            "assault": Baseline(assault),
            "fall": Baseline(fall),
            "relief": Baseline(relief),
        },
        contested=first,
    )
    posterior = calibrate(model, place.record.until("2021-08-12"), seed=1, draws=3)

    # Government and contested, killed by seizure and fall, for the seven days of the record.
    generator = np.array([[-(assault + seizure), assault], [relief, -(fall + relief)]])
    left = np.array([1 - first, first]) @ linalg.expm(7.0 * generator)
    assert posterior["start.contested"] == pytest.approx(left[1] / left.sum(), rel=1e-12)
    assert any("start.contested is carried" in note for note in posterior.notes)
    assert posterior.at_origin["start.contested"].tolist() == [first] * 3
