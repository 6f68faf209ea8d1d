"""Any scenario that a TOML file can hold: every term and prior, any texts, dates, times and numbers."""

from __future__ import annotations

from datetime import datetime

from hypothesis import strategies as st

from sim.control import TRANSITIONS
from sim.families import FAMILIES
from sim.hazards import (
    Baseline,
    Calendar,
    Covariate,
    CutOff,
    Frailty,
    Hazard,
    Momentum,
    Neighbours,
    PullBack,
    Reserves,
    Term,
)
from sim.priors import Beta, Fixed, HalfNormal, LogNormal, Normal
from sim.scenario import Scenario

TEXT = st.text(max_size=12) | st.sampled_from(
    ["#", "'", '"""', "\\u0041", "a.b", "[x]", "\r\n", "\x7f", "ï ü 山", "\u2028"]
)
SOME = st.text(min_size=1, max_size=8)
NUMBERS = st.floats(-1e308, 1e308) | st.integers(-9, 9)
POSITIVE = st.floats(5e-324, 1e308, exclude_min=True) | st.integers(1, 9)
DAYS = st.floats(0, 1e17) | st.integers(0, 10**6)
MOMENTS = st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31)) | st.dates() | st.floats(-1e9, 1e9)
WHENS = MOMENTS | st.integers(-9, 9)
NAMES = st.lists(SOME, max_size=3, unique=True).map(tuple)

ABOVE_ZERO = (
    st.builds(LogNormal, POSITIVE, POSITIVE) | st.builds(HalfNormal, POSITIVE) | st.builds(Beta, POSITIVE, POSITIVE)
)
RATES = ABOVE_ZERO | st.floats(0, 1e308) | st.integers(0, 9) | st.builds(Fixed, st.floats(0, 9))
EFFECTS = ABOVE_ZERO | NUMBERS | st.builds(Normal, NUMBERS, POSITIVE)


@st.composite
def _calendars(draw: st.DrawFn) -> Calendar:
    start, stop = draw(st.none() | WHENS), draw(st.none() | WHENS)
    label, where = draw(TEXT), draw(st.none() | NAMES)
    try:
        return Calendar(start, stop, draw(EFFECTS), where, label)
    except ValueError:  # ends before it starts
        return Calendar(start, None, draw(EFFECTS), where, label)


TERMS: st.SearchStrategy[Term] = st.one_of(
    st.builds(Baseline, RATES),
    st.builds(Neighbours, RATES, st.sampled_from(["border", "road"])),
    st.builds(Momentum, EFFECTS, st.none() | POSITIVE),
    st.builds(Covariate, TEXT, EFFECTS),
    st.builds(Frailty, RATES),
    st.builds(CutOff, EFFECTS, st.none() | TEXT, st.lists(SOME, max_size=3).map(tuple)),
    _calendars(),
    st.builds(Reserves, RATES),
    st.builds(PullBack, NAMES, st.integers(0, 99) | MOMENTS, hold=EFFECTS, abandon=EFFECTS),
)
PRODUCTS = TERMS | st.lists(TERMS, min_size=1, max_size=4).map(lambda terms: Hazard(tuple(terms)))
HAZARDS = st.dictionaries(st.sampled_from(list(TRANSITIONS)), PRODUCTS, max_size=3)


def _terms(hazard: Hazard | Term) -> tuple[Term, ...]:
    return hazard.terms if isinstance(hazard, Hazard) else (hazard,)


@st.composite
def scenarios(draw: st.DrawFn) -> Scenario:
    """Any scenario without functions."""
    names = SOME.filter(lambda name: name not in FAMILIES and name != "pooled")
    models = draw(st.dictionaries(names, HAZARDS.filter(bool), max_size=2))
    known = st.sampled_from([*FAMILIES, *models])
    follows = draw(st.sampled_from(["models", "press", "best_date"]))
    levers = draw(HAZARDS) if follows == "models" else {}
    named = [f"{key}.{name}" for key, lever in levers.items() for term in _terms(lever) for name in term.values]
    argued = st.sampled_from(["horizon", "levers", *named])
    return Scenario(
        draw(SOME), draw(TEXT), base=draw(TEXT), theatre=draw(TEXT), borders=draw(st.sampled_from(["agreed", "all"])),
        prefer=draw(st.none() | TEXT), seen_from=draw(st.dates()), models=models, levers=levers,
        families=draw(st.lists(known, min_size=1, unique=True)), source=draw(TEXT),
        follows=follows,
        facts=draw(st.dictionaries(TEXT, TEXT, max_size=3)), arguments=draw(st.dictionaries(argued, TEXT, max_size=2)),
        readings=draw(st.lists(TEXT, max_size=3)), beside=draw(st.lists(TEXT, max_size=2)),
        pressure_within=draw(st.lists(DAYS, max_size=4)),
        control_within=draw(st.lists(DAYS, max_size=4)), horizon=draw(POSITIVE),
    )  # fmt: skip
