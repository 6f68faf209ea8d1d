"""Bad scenario files: one mistake each, refused with a message that names the place and what to do."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import sim

HERE = Path(__file__).parent / "bad_scenarios"

# File of tests/bad_scenarios, named after its mistake: the whole message, after the file's name.
MISTAKES = {
    "argument_for_nothing": (
        "scenario air: an argument is given for 'fall.calendar', which it has not; known: name, title, "
        "base, theatre, borders, prefer, seen_from, families, models, levers, processes, follows, …"
    ),
    "base_and_based_on": "base is followed and based_on only named, but both were given; keep one",
    "base_bad": "base: key_misspelt.toml: no key 'familes' for Scenario; did you mean 'families'?",
    "base_circular": (
        "base: base_circular_too.toml: base: base_circular.toml: is made from itself: base_circular.toml -> "
        "base_circular_too.toml -> base_circular.toml; name another base"
    ),
    "base_circular_too": (
        "base: base_circular.toml: base: base_circular_too.toml: is made from itself: "
        "base_circular_too.toml -> base_circular.toml -> base_circular_too.toml; name another base"
    ),
    "base_file_missing": "base: load_scenario: no file 'not_tolm.toml'; did you mean 'not_toml.toml'?",
    "base_of_itself": (
        "base: base_of_itself.toml: is made from itself: base_of_itself.toml -> base_of_itself.toml; name another base"
    ),
    "base_unknown": (
        "base: load_scenario: 'thirty_dais' is no scenario that comes along, nor a path to a .toml or .py "
        "file; did you mean 'thirty_days'?"
    ),
    "borders_misspelt": "borders: must be one of agreed, all, but was 'agred'; did you mean 'agreed'?",
    "calendar_a_time_of_day": (
        "levers.fall[0].start: must be a date such as 2021-08-31, or a number of days since the start, but was 07:30:00"
    ),
    "calendar_label_a_number": "levers.fall[0].label: must be a text, but was 3; put it in quotes",
    "calendar_no_date": "levers.fall[0]: Calendar: start must be an ISO date such as '2021-08-31', but was 'September'",
    "calendar_province_twice": "levers.fall[0]: Calendar: provinces names a province twice: ('Herat', 'Herat')",
    "calendar_provinces_a_text": "levers.fall[0].provinces: must be a list of values, but was 'Herat'; write ['Herat']",
    "calendar_reversed": (
        "levers.fall[0]: Calendar: start must come before stop, but was datetime.date(2021, 9, 1) and "
        "datetime.date(2021, 8, 1)"
    ),
    "calendar_with_a_zone": (
        "levers.fall[0]: Calendar: start must be local time without a zone, but was "
        "2021-09-01T00:00:00+00:00; leave the zone out"
    ),
    "days_negative": "scenario air: pressure_within must be finite days, not negative, but had -7",
    "effect_a_text": "levers.fall[0].effect: must be a number or a prior, but was '0.5'",
    "effect_no_number": "levers.fall[0]: Calendar: effect must be finite, but was nan",
    "effect_true": "levers.fall[0].effect: must be a number or a prior, but was true",
    "fact_a_number": "facts.F12: must be a text, but was 12; put it in quotes",
    "facts_a_list": "facts: must be a table, but was a list",
    "families_a_number": "families[1]: must be a text, but was 3; put it in quotes",
    "families_a_text": "families: must be a list of values, but was 'siege'; write ['siege']",
    "families_empty": "scenario air: name at least one family of constant, contagion, momentum, siege",
    "family_twice": "scenario air: a family is named twice in ('siege', 'siege')",
    "family_unknown": "scenario air: no family 'seige'; did you mean 'siege'?",
    "follows_unknown": "follows: must be one of models, press, best_date, but was 'pres'; did you mean 'press'?",
    "horizon_a_text": "horizon: must be a number, but was '180'",
    "horizon_beyond_64_bits": (
        "horizon: a whole number must lie within 64 bits; write a smaller one, or one with a point"
    ),
    "horizon_endless": "scenario air: horizon must be a positive finite number of days, but was inf",
    "horizon_negative": "scenario air: horizon must be a positive finite number of days, but was -3",
    "horizon_true": "horizon: must be a number, but was true",
    "key_misspelt": "no key 'familes' for Scenario; did you mean 'families'?",
    "key_of_nothing": "no key 'colour' for Scenario; did you mean 'source'?",
    "lever_a_number": "levers.fall[0]: must be a term, but was 0.5",
    "lever_a_table": "levers.fall: must be a list of terms, but was a table; write [[levers.fall]]",
    "lever_empty": "levers.fall: must have at least one of its terms; leave the key out for none",
    "lever_of_no_transition": "levers: no transition 'fal'; did you mean 'fall'?",
    "levers_a_list": "levers: must be a table, but was a list",
    "model_a_list": "models.cut: must be a table, but was a list",
    "model_named_as_a_family": "scenario air: a model of one's own may not be called 'siege'; choose another name",
    "model_of_no_transition": "models.cut: no transition 'siezure'; did you mean 'seizure'?",
    "model_term_misspelt": "models.'my cut'.seizure[0]: no term 'Baselin'; did you mean 'Baseline'?",
    "model_without_transition": (
        "scenario air: model cut has no transition; name one of seizure, assault, fall, relief, recapture"
    ),
    "momentum_window_zero": "levers.fall[0]: Momentum: window must be a positive number of days or None, but was 0",
    "name_empty": "scenario: name must be a text, but was ''",
    "name_missing": "Scenario needs the key 'name'; add it",
    "neighbours_via_air": "levers.fall[0].via: must be one of border, road, but was 'rode'; did you mean 'road'?",
    "prior_key_missing": "levers.fall[0].effect: LogNormal needs the key 'sigma'; add it",
    "prior_key_misspelt": "levers.fall[0].effect: no key 'scal' for HalfNormal; did you mean 'scale'?",
    "prior_missing": (
        "levers.fall[0].effect: names no prior; add prior = … with one of Beta, Fixed, HalfNormal, LogNormal, Normal"
    ),
    "prior_misspelt": "levers.fall[0].effect: no prior 'HalfNorml'; did you mean 'HalfNormal'?",
    "prior_scale_a_text": "levers.fall[0].effect.scale: must be a number, but was '0.7'",
    "prior_scale_negative": "levers.fall[0].effect: HalfNormal: scale must be a positive finite number, but was -0.7",
    "processes_given": "processes are functions, which no TOML file holds; make the scenario in a .py script",
    "pullback_after_a_list": (
        "levers.fall[0].after: must be a date such as 2021-08-31, or a number of days since the start, but was a list"
    ),
    "rate_negative": "levers.recapture[0]: Baseline: rate must not be below 0, but was -0.1",
    "rate_of_a_normal": (
        "levers.recapture[0]: Baseline: rate must not be below 0, but was Normal(mean=0.1, sd=0.1); use a "
        "prior that keeps to that side"
    ),
    "second_term_key_misspelt": "levers.fall[1]: no key 'windows' for Momentum; did you mean 'window'?",
    "seen_from_a_number": "seen_from: must be a date such as 2021-08-31, but was 12",
    "seen_from_no_date": "scenario air: seen_from: must be a date such as '2021-08-12', but was '12 August 2021'",
    "seen_from_with_a_time": (
        "scenario air: seen_from: must be a date without a time of day, but was datetime.datetime(2021, 8, 12, 18, 0)"
    ),
    "term_a_number": "levers.fall[0].term: must be a text, but was 3; put it in quotes",
    "term_custom": (
        "levers.fall[0]: a Custom term holds a function, which no TOML file holds; make the scenario in a "
        ".py script, as SCENARIO = Scenario(…)"
    ),
    "term_key_missing": "levers.fall[0]: Calendar needs the key 'effect'; add it",
    "term_key_misspelt": "levers.fall[0]: no key 'efect' for Calendar; did you mean 'effect'?",
    "term_missing": (
        "levers.fall[0]: names no term; add term = … with one of Baseline, Calendar, Covariate, CutOff, "
        "Frailty, Momentum, Neighbours, PullBack, Reserves"
    ),
    "term_misspelt": "levers.fall[0]: no term 'Calender'; did you mean 'Calendar'?",
    "term_of_a_base_class": (
        "levers.fall[0]: no term 'Term'; known: Baseline, Calendar, Covariate, CutOff, Frailty, Momentum, "
        "Neighbours, PullBack, Reserves"
    ),
    "title_a_number": "title: must be a text, but was 12; put it in quotes",
    "title_missing": "Scenario needs the key 'title'; add it",
}
# Files that are no TOML, and the line that Python's reader names; its words differ between versions.
SYNTAX = {"date_not_of_the_calendar": 6, "key_twice": 3, "not_toml": 4, "text_without_end": 1}


def test_every_bad_file_is_looked_at():
    assert {path.stem for path in HERE.glob("*")} == {*MISTAKES, *SYNTAX, "not_utf_8"}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_refused_with_its_place(name, monkeypatch):
    monkeypatch.chdir(HERE)
    with pytest.raises((ValueError, TypeError, OSError), match=f"^{re.escape(f'{name}.toml: {MISTAKES[name]}')}$"):
        sim.load_scenario(f"{name}.toml")


@pytest.mark.parametrize("name", SYNTAX)
def test_a_file_that_is_not_toml_is_refused_with_the_line(name):
    with pytest.raises(ValueError, match=rf"^{name}\.toml: not TOML: .+ \(at line {SYNTAX[name]}, column \d+\)$"):
        sim.load_scenario(HERE / f"{name}.toml")


def test_a_file_in_another_encoding_is_refused_with_the_line():
    told = "not_utf_8.toml line 2: must be UTF-8, but byte 0xe9 is not; save the file again with that encoding"
    with pytest.raises(ValueError, match=f"^{re.escape(told)}$"):
        sim.load_scenario(HERE / "not_utf_8.toml")


def test_a_file_nested_too_deeply_is_refused(tmp_path):
    path = tmp_path / "deep.toml"
    path.write_text(f"a = {'[' * 100_000}", encoding="utf-8")
    with pytest.raises(ValueError, match=r"^deep\.toml: not TOML: "):
        sim.load_scenario(path)
