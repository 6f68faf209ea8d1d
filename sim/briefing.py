"""A result in words: what was known, what follows, what the assessment implied, and what happened."""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING

from sim.explore.closed import constant_breakeven
from sim.families import constant
from sim.maxima import maximum_likelihood
from sim.outcomes import PRESSURES, ControlOf, FullControl, Pressure, observed
from sim.report import Row, projection_table, table, verdict
from sim.result import Result

if TYPE_CHECKING:
    from sim.explore.breakevens import BreakevenTable

__all__ = ["briefing"]


def briefing(result: Result, breakevens: BreakevenTable | None = None) -> str:
    """Return the whole answer as text, a section for each question.

    *breakevens*, from ``sim.explore.breakeven_table(result.cases, …)``, follow the closed form of one constant pace.
    """
    pressed = result.theatre.hub is not None  # else there is nothing to press on
    sections = [
        _known(result), _calibration(result), _assumed(result), *_families(result), _pooled(result),
        _assessment(result) if pressed else "", _breakeven(result) if pressed else "",
        "" if breakevens is None else _breakevens(breakevens),
        _happened(result), _limits(),
    ]  # fmt: skip
    return "\n\n".join(section for section in sections if section) + "\n"


def _known(result: Result) -> str:
    week, scenario = result.week, result.scenario
    state = week.state()
    capital = dict(zip(result.theatre.provinces, result.theatre.capitals, strict=True))
    lines = [
        scenario.title,
        f"Seen from the evening of {scenario.seen_from}, day {week.days:g} of the record: "
        f"{len(state.lost)} of {len(week.provinces)} provincial capitals lost"
        + (f"; contested: {', '.join(capital[name] for name in state.contested)}" if state.contested else "") + ".",
        _run(result),
    ]  # fmt: skip
    defined = [[name, text] for name, text in PRESSURES.items()]
    asked = max(*scenario.pressure_within, *scenario.control_within, 0.0)
    short = (
        ""
        if asked <= scenario.horizon
        else f"\nQuestions beyond the horizon of {scenario.horizon:g} days are left out."
    )
    if result.theatre.hub is None:
        return "\n".join(lines) + short + "\nThe theatre names no hub, so nothing is asked of pressure on it."
    return (
        "\n".join(lines)
        + short
        + "\nPressure on the hub, six definitions:\n"
        + "\n".join(f"  {name:<10} {text}" for name, text in defined)
    )


def _run(result: Result) -> str:
    if result.scenario.follows != "models":
        return f"The record is replayed, once, to {result.scenario.horizon:g} days: what came true has probability 1."
    return (
        f"{result.replications} replications a family, seed {result.seed}, horizon {result.scenario.horizon:g} days. "
        "Probability (5%–95% over parameter draws)."
    )


def _calibration(result: Result) -> str:
    if not result.posteriors:
        return ""
    body = []
    for family, posterior in result.posteriors.items():
        for name in posterior.names:
            low, middle, high = (f"{value:.3g}" for value in posterior.quantiles(name))
            body.append([family, name, middle, f"{low}–{high}", "prior kept" if name in posterior.kept else ""])
            family = ""
    head = (
        "Each family after the week (rates per day and capital; effects, and the probability start.contested, unitless)"
    )
    used = "\n".join(f"  {family}: {posterior.likelihood}" for family, posterior in result.posteriors.items())
    return head + "\n" + table(["family", "parameter", "median", "5%–95%", ""], body) + "\n" + used


def _assumed(result: Result) -> str:
    """Return the levers, each with its prior and the argument for it."""
    scenario = result.scenario
    priors = {name: prior for case in result.cases.values() for name, prior in case.model.parameters.items()}
    told = []
    for name in scenario.lever_parameters:
        told.append(f"  {name} ~ {priors[name]}")
        told += wrap(scenario.arguments.get(name, ""), 110, initial_indent="    ", subsequent_indent="    ")
    return "\n".join(["Assumed besides, from the start on (drawn, not learned from the week)", *told] if told else [])


def _families(result: Result) -> list[str]:
    return [f"{family}\n" + _tables(result, family) for family in result.ensembles]


def _mine(result: Result, family: str, *, control: bool) -> list[Row]:
    return [row for row in result.rows if row.family == family and (row.outcome in PRESSURES) is not control]


def _tables(result: Result, family: str) -> str:
    """Return the answers on pressure and those on control, as far as either was asked for."""
    found = [_mine(result, family, control=control) for control in (False, True)]
    return "\n\n".join(projection_table(rows) for rows in found if rows)


def _pooled(result: Result) -> str:
    if len(result.ensembles) < 2:
        return ""
    weights = ", ".join(f"{name} {weight:.2f}" for name, weight in result.weights.items())
    text = f"pooled over families, weights: {weights} (equal: one week cannot choose between model classes)\n"
    return text + _tables(result, "pooled")


def _assessment(result: Result) -> str:
    """Hold the families against the article's assessment, read as medians (F9, F10)."""
    lines = [
        'What the assessment implied (F9, F10): "could come under insurgent pressure within 30 days" is read as a',
        'median of 30 days, "within a few months" as a median between 60 and 120 days. A family agrees if 0.5 lies',
        "in the interval of its probability; it is sooner if the interval lies above, later if below. Wide intervals",
        'agree easily, and sooner does not make "could" false. Full control is sooner by day 60, later by day 120.',
    ]  # fmt: skip
    names = [*result.ensembles, *(["pooled"] if len(result.ensembles) > 1 else [])]
    body = []
    for family in names:
        cells = []
        for definition in PRESSURES:
            found = [
                row
                for row in _mine(result, family, control=False)
                if row.outcome == definition and row.within_days == 30
            ]
            cells.append(verdict(found[0].estimate) if found else "beyond")
        body.append([family, *cells, _months(result, family)])
    return (
        "\n".join(lines)
        + "\n"
        + table(["family", *PRESSURES, "full control"], body)
        + "\n"
        + _count(body[: len(result.ensembles)])
    )


def _months(result: Result, family: str) -> str:
    by_day = {
        row.within_days: row.estimate for row in _mine(result, family, control=True) if row.outcome == "full_control"
    }
    if 60 not in by_day or 120 not in by_day:
        return "beyond"
    if verdict(by_day[60]) == "sooner":
        return "sooner"
    return "later" if verdict(by_day[120]) == "later" else "agrees"


def _count(body: list[list[str]]) -> str:
    sooner = sum(cell == "sooner" for line in body for cell in line[1:-1])
    agrees = sum(cell == "agrees" for line in body for cell in line[1:-1])
    total = sum(len(line) - 2 for line in body)
    beyond = sum(cell == "beyond" for line in body for cell in line[1:-1])
    if beyond == total:
        return "  The horizon is too short to hold any family against 30 days."
    return f"  On pressure, {agrees} of {total} answers of single families agree with 30 days and {sooner} say sooner."


def _breakeven(result: Result) -> str:
    """How much slower the week would have had to be, under one constant pace."""
    week, start = result.week, result.week.state()
    model = constant(result.theatre)
    pace = float(maximum_likelihood(model, week.as_count())["seizure.baseline"])
    body = []
    for definition in PRESSURES:
        rate = constant_breakeven(Pressure(definition), result.theatre, start, within=30.0)
        body.append([definition, f"{rate:.6f}", f"{rate / pace:.5f}"] if rate > 0 else [definition, "already true", ""])
    head = (
        f"How much slower the week would have had to be: its count alone gives a constant pace of {pace:.6f} per day\n"
        "and capital (maximum likelihood). For 30 days to be the median of pressure it would have to be (closed form;\n"
        "a factor below 1 is slower than the week, above 1 faster):"
    )
    return head + "\n" + table(["outcome", "hazard per day", "factor on the pace"], body)


def _breakevens(found: BreakevenTable) -> str:
    """The same question put to every parameter and lever of every family."""
    return (
        "How much slower, or weaker, each parameter would have had to be, by simulation (common random numbers):\n"
        + found.summary()
    )


def _happened(result: Result) -> str:
    """What the record says came true, by press count and by best date."""
    theatre, week = result.theatre, result.week
    if theatre.hub is None or week.end is None:
        return ""
    asked = [
        *(Pressure(definition) for definition in PRESSURES),
        ControlOf(theatre.hub),
        FullControl(but=1),
        FullControl(),
    ]
    origin = week.end.date()
    body = []
    for outcome in asked:
        cells = []
        for basis in ("press", "best_date"):
            day = observed(outcome, theatre, basis=basis)
            # The evening of a day is the next midnight, where the record stands.
            cells.append("not in the record" if day is None else f"{day:%d %b} (day {max(0, (day - origin).days + 1)})")
        body.append([outcome.name, *cells])
    head = "What happened (days after the start, by which it was true; by first report, and by the day itself):"
    return head + "\n" + table(["outcome", "press count", "best date"], body)


def _limits() -> str:
    return (
        "Families and priors were chosen by people who knew the outcome. A capital stands for its province. This\n"
        "describes one week of public reports under stated assumptions; it plans nothing and advises no side."
    )
