"""Projections as a hubverse table: what was found, and nothing of what lies beyond the horizon."""

from __future__ import annotations

import csv
import io
from datetime import date

import numpy as np
import pytest

from sim.hubverse import COLUMNS, LEVELS, hubverse
from sim.projection import Part, Projection, pooled

INF = float("inf")


def projection_of(times: list[float], *, outcome: str = "half_ring", horizon: float = 30.0) -> Projection:
    return Projection(outcome, (Part(1.0, np.array(times), np.zeros(len(times), np.int64)),), horizon)


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def values_of(text: str, kind: str) -> dict[float, float]:
    return {float(row["output_type_id"]): float(row["value"]) for row in rows_of(text) if row["output_type"] == kind}


QUARTERS = projection_of([2.0, 10.5, 20.0, INF])


def test_the_columns_are_those_of_a_hub_and_name_the_task():
    text = hubverse([QUARTERS], origin_date="2021-08-13", location="AF")

    assert "origin_date,target,horizon,location,output_type,output_type_id,value" == text.split("\n")[0]
    tasks = {tuple(row[name] for name in COLUMNS[:4]) for row in rows_of(text)}
    assert {("2021-08-13", "days until half_ring", "NA", "AF")} == tasks


def test_the_cdf_is_the_probability_within_so_many_days_and_ends_at_the_horizon():
    text = hubverse([QUARTERS], origin_date=date(2021, 8, 13), location="AF", within=[0, 2, 10, 20, 40])

    assert {0: 0.0, 2: 0.25, 10: 0.25, 20: 0.75, 30: 0.75} == values_of(text, "cdf")
    for day, share in values_of(text, "cdf").items():
        assert QUARTERS.probability(day).value == share


def test_quantiles_beyond_the_horizon_are_left_out_not_invented():
    text = hubverse([QUARTERS], origin_date="2021-08-13", location="AF", levels=[0.25, 0.5, 0.75, 0.76, 0.99])

    assert {0.25: 2.0, 0.5: 10.5, 0.75: 20.0} == values_of(text, "quantile")


def test_an_outcome_that_never_happened_has_a_cdf_of_noughts_and_no_quantiles():
    text = hubverse([projection_of([INF, INF])], origin_date="2021-08-13", location="AF")

    assert {0.0} == set(values_of(text, "cdf").values())
    assert {} == values_of(text, "quantile")


def test_an_outcome_true_at_the_start_has_quantiles_of_nought():
    text = hubverse([projection_of([0.0, 0.0])], origin_date="2021-08-13", location="AF")

    assert {1.0} == set(values_of(text, "cdf").values())
    assert dict.fromkeys(LEVELS, 0.0) == values_of(text, "quantile")


def test_ids_ascend_and_values_never_descend():
    rng = np.random.default_rng(1)
    times = np.where(rng.random(999) < 0.9, rng.exponential(20.0, 999), INF)
    mixed = pooled({"a": projection_of(times.tolist()), "b": projection_of((times / 3).tolist())})
    text = hubverse([mixed], origin_date="2021-08-13", location="AF")

    for kind in ("cdf", "quantile"):
        found = values_of(text, kind)
        assert sorted(found) == list(found)
        assert sorted(found.values()) == list(found.values())


def test_levels_are_written_as_people_write_them():
    assert "0.15" in {
        row["output_type_id"] for row in rows_of(hubverse([QUARTERS], origin_date="2021-08-13", location="AF"))
    }
    assert 23 == len(LEVELS)


def test_several_outcomes_stand_in_one_table_but_none_twice():
    text = hubverse([QUARTERS, projection_of([1.0], outcome="isolated")], origin_date="2021-08-13", location="AF")

    assert ["days until half_ring", "days until isolated"] == list(
        dict.fromkeys(row["target"] for row in rows_of(text))
    )
    with pytest.raises(ValueError, match="half_ring is given twice; write each model to a file of its own"):
        hubverse([QUARTERS, QUARTERS], origin_date="2021-08-13", location="AF")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"origin_date": "13 August"}, "hubverse: origin_date: must be a date"),
        ({"location": " "}, "location must be what the hub calls the place, but was ' '"),
        ({"levels": [0.5, 1.0]}, r"levels must be in \(0, 1\), but was 1.0"),
        ({"within": [-1]}, "within must be numbers of days from the origin date, but was -1"),
        ({"within": [INF]}, "within must be numbers of days from the origin date, but was inf"),
    ],
)
def test_a_wrong_argument_is_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        hubverse([QUARTERS], **{"origin_date": "2021-08-13", "location": "AF"} | wrong)
