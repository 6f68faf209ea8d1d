"""Models, their parameters and draws of them."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pytest
from scipy import stats

from sim.families import FAMILIES
from sim.hazards import Baseline, Calendar, Covariate, Custom, CutOff, Frailty, Momentum, Neighbours, PullBack, Reserves
from sim.lowering import lower
from sim.model import Draws, Model
from sim.priors import Beta, Fixed, HalfNormal, LogNormal, Normal
from sim.theatre import Theatre

SMALL = Theatre(list("ABC"), [("A", "B")], [("A", "B", "trunk")], hub="A", columns={"population": [1.0, 2.0, 4.0]})


def full() -> Model:
    return Model(SMALL, {
        "seizure": Baseline(LogNormal(0.1, 1)) * Neighbours(HalfNormal(1)) * Neighbours(0.5, via="road")
        * Momentum(HalfNormal(2)) * Momentum(Normal(0, 1), window=7) * Covariate("population", Normal(0, 1))
        * Frailty(HalfNormal(1)) * CutOff(HalfNormal(1)) * Calendar(1, 2, 0.5) * Calendar(3, 4, 0.5, label="lull")
        * PullBack(("A",), 2, hold=-1.0, abandon=Normal(1, 1)) * Custom(lambda *_: 1.0, label="mine"),
        "fall": Baseline(0.1), "relief": Baseline(0.2) * Reserves(LogNormal(3, 1)),
    })  # fmt: skip


def test_parameters_are_named_transition_term_and_qualifier() -> None:
    assert [
        "seizure.baseline", "seizure.neighbours.border", "seizure.neighbours.road", "seizure.momentum",
        "seizure.momentum.7d", "seizure.covariate.population", "seizure.frailty", "seizure.cutoff", "seizure.calendar",
        "seizure.calendar.lull", "seizure.pullback.hold", "seizure.pullback.abandon", "fall.baseline",
        "relief.baseline", "relief.reserves", "start.contested",
    ] == list(full().parameters)  # fmt: skip
    assert Beta(1.0, 20.0) == full().parameters["start.contested"]
    assert Fixed(0.5) == full().parameters["seizure.neighbours.road"]
    assert "seizure.neighbours.road" not in full().free


def test_terms_label_shares_in_the_order_they_multiply() -> None:
    assert ("baseline", "reserves") == full().terms["relief"]
    assert ("baseline", "neighbours.border", "neighbours.road", "momentum") == full().terms["seizure"][:4]


@pytest.mark.parametrize(
    ("family", "parameters"),
    [
        ("constant", {"seizure.baseline": LogNormal(1 / 40, 1)}),
        ("contagion", {"seizure.baseline": LogNormal(1 / 60, 1), "seizure.neighbours.border": HalfNormal(1),
                       "seizure.neighbours.road": HalfNormal(1)}),
        ("momentum", {"seizure.baseline": LogNormal(1 / 60, 1), "seizure.momentum": HalfNormal(2)}),
        ("siege", {
            "seizure.baseline": LogNormal(1 / 100, 1), "seizure.momentum": HalfNormal(2),
            "seizure.cutoff": HalfNormal(1), "assault.baseline": LogNormal(1 / 60, 1),
            "assault.neighbours.border": HalfNormal(1), "assault.neighbours.road": HalfNormal(1),
            "fall.baseline": LogNormal(1 / 10, 1),
            "fall.momentum": HalfNormal(2), "fall.cutoff": HalfNormal(1), "relief.baseline": LogNormal(1 / 10, 1),
            "start.contested": Beta(1, 20),
        }),
    ],
)  # fmt: skip
def test_families_have_the_priors_of_the_design(family: str, parameters: dict[str, object], afghan: Theatre) -> None:
    model = FAMILIES[family](afghan)

    assert parameters == dict(model.parameters)
    assert family == model.name
    assert ("siege" == family) == model.leaves_contested
    told = "a state of their own" if family == "siege" else "read as government-held"
    assert told == model.describe()["contested capitals"]


def test_prior_draws_of_a_parameter_depend_on_its_name_and_the_seed_alone() -> None:
    more = full().draw_prior(500, seed=1)
    less = Model(SMALL, {"seizure": Baseline(LogNormal(0.1, 1))}).draw_prior(20, seed=1)

    assert more["seizure.baseline"][:20].tolist() == less["seizure.baseline"].tolist()
    assert more["seizure.baseline"][0] != full().draw_prior(1, seed=2)["seizure.baseline"][0]
    assert {0.5} == set(more["seizure.neighbours.road"])
    # Kolmogorov's distance at p = 1e-5.
    for name, told in (("seizure.baseline", stats.lognorm(1, scale=0.1)), ("start.contested", stats.beta(1, 20)),
                       ("seizure.momentum", stats.halfnorm(scale=2))):  # fmt: skip
        assert 2.47 / np.sqrt(500) > stats.kstest(more[name], told.cdf).statistic


def test_draws_are_put_in_the_models_order_and_may_leave_out_what_is_fixed() -> None:
    model = Model(SMALL, {"seizure": Baseline(LogNormal(0.1, 1)) * Momentum(0.5) * Neighbours(HalfNormal(1))})
    draws = model.draws({"seizure.neighbours.border": [1.0, 2.0], "seizure.baseline": 0.1})
    turned = Draws(tuple(reversed(draws.names)), draws.values[:, ::-1])

    assert [[0.1, 0.5, 1.0], [0.1, 0.5, 2.0]] == draws.values.tolist()
    assert draws.values.tolist() == model.checked(turned).values.tolist()
    assert not draws.values.flags.writeable


def test_thinned_draws_are_evenly_spaced() -> None:
    draws = Draws(("x",), np.arange(10.0)[:, None])

    assert [0.0, 2.0, 5.0, 7.0] == draws.thin(4)["x"].tolist()
    assert 10 == len(draws.thin(10))


def test_dates_are_lowered_to_days_since_the_start() -> None:
    model = Model(SMALL, {
        "seizure": Baseline(0.1) * Calendar("2021-08-31", None, 1.0)
        * PullBack(("A",), "2021-08-15T12:00", hold=0, abandon=1)
        * Custom(lambda *_: 1.0, breaks=("2021-08-14", 4.0, -3.0)),
    })  # fmt: skip

    assert [1.0, 2.5, 4.0, 18.0] == lower(model, datetime(2021, 8, 13)).breaks.tolist()
    assert [[18.0, np.inf]] == lower(model, datetime(2021, 8, 13)).calendar.tolist()
    assert all(not table.flags.writeable for table in lower(model, datetime(2021, 8, 13)))


def test_a_pull_back_divides_the_provinces_into_two_tracks() -> None:
    law = lower(full())

    assert [0, 0, 1, 2] == law.transition.tolist()
    assert [{2}, {3}] == [{*row} for row in law.track[1:].tolist()]
    assert law.track[0, 0] != law.track[0, 1] == law.track[0, 2]


def test_a_hazard_multiplies_either_way_round_and_by_whole_products() -> None:
    product = Momentum(1.0) * (Baseline(0.1) * Frailty(0.5))

    assert ("momentum", "baseline", "frailty") == Model(SMALL, {"seizure": product}).terms["seizure"]


def test_a_posterior_of_one_model_serves_a_what_if_with_fixed_terms_added() -> None:
    theatre = Theatre(["A", "B"], borders=[("A", "B")])
    plain = Model(theatre, {"seizure": Baseline(LogNormal(0.1, 1.0))})
    what_if = Model(theatre, {"seizure": Baseline(LogNormal(0.1, 1.0)) * Momentum(0.5), "recapture": Baseline(0.01)})
    draws = plain.draw_prior(5, seed=1)
    found = what_if.checked(draws)

    assert np.array_equal(draws["seizure.baseline"], found["seizure.baseline"])
    assert [0.5] * 5 == found["seizure.momentum"].tolist() and [0.01] * 5 == found["recapture.baseline"].tolist()


def test_two_custom_terms_need_labels_so_that_causes_can_be_told_apart() -> None:
    theatre = Theatre(["A", "B"], borders=[("A", "B")])
    half = Custom(lambda time, control, province: 0.5)
    with pytest.raises(ValueError, match="seizure has two terms called 'custom'; give one a label="):
        Model(theatre, {"seizure": Baseline(0.1) * half * half})
