"""Standings: mean scores and ranks of forecasters, and whether they hang on what "could" is taken to mean."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sim.report import table

__all__ = ["Score", "Standing", "leaderboard_text", "standings"]

#: What the first table shows.
_COLUMNS = (("capitals", "log"), ("capitals", "crps"), ("provinces", "brier"), ("provinces", "log"))
_WARNING = "Families and priors were\nchosen by people who knew the outcome."
_PASSAGE = ("log", "crps", "twcrps")


class Score(NamedTuple):
    """One score, lower is better. ``horizon`` is nan for first passages; ``reading`` is empty but for assessments.

    ``below`` says that a probability below what simulation resolves entered, as (0 + ½)/(R + 1).
    """

    origin: str
    basis: str
    kind: str
    forecaster: str
    reading: str
    subject: str
    score: str
    horizon: float
    value: float
    below: bool


class Standing(NamedTuple):
    """A forecaster's mean score over evenings (and horizons), and its rank, 1 the best.

    ``beside`` says among whom: "all evenings" among models and rivals; "assessments", on the evenings on which an
    assessment speaks of the subject, with the pooled assessments as one more. ``rank`` to ``rank_to`` is the range over
    readings (for the assessments under one reading, its own); ``depends`` whether the rank differs between readings.
    """

    basis: str
    beside: str
    subject: str
    score: str
    forecaster: str
    reading: str
    mean: float
    rank: int
    rank_to: int
    of: int
    evenings: int
    depends: bool
    below: bool


def standings(rows: Iterable[Score]) -> tuple[Standing, ...]:
    """Return the standings of *rows*, for each basis, subject and score."""
    sorted_: dict[tuple[str, str, str], list[Score]] = {}
    for row in rows:
        if row.kind != "assessment":
            sorted_.setdefault((row.basis, row.subject, row.score), []).append(row)
    found: list[Standing] = []
    for key, mine in sorted_.items():
        models = [row for row in mine if row.kind != "assessments"]
        spoken = [row for row in mine if row.kind == "assessments"]
        found += _alone(key, models)
        if spoken:
            found += _beside(key, models, spoken)
    return tuple(found)


def _alone(key: tuple[str, str, str], models: Sequence[Score]) -> list[Standing]:
    means = _means(models)
    evenings = len({row.origin for row in models})
    found = []
    for name, mean in means.items():
        rank = _rank(mean, means.values())
        below = _below(models, name)
        found.append(
            Standing(key[0], "all evenings", *key[1:], name, "", mean, rank, rank, len(means), evenings, False, below)
        )
    return found


def _beside(key: tuple[str, str, str], models: Sequence[Score], spoken: Sequence[Score]) -> list[Standing]:
    evenings = {row.origin for row in spoken}
    models = [row for row in models if row.origin in evenings]
    means = _means(models)
    assessed = {
        reading: _means([row for row in spoken if row.reading == reading])["assessments"]
        for reading in dict.fromkeys(row.reading for row in spoken)
    }
    ranks = {
        name: [_rank(mean, [*means.values(), other]) for other in assessed.values()] for name, mean in means.items()
    }
    own = {reading: _rank(mean, [*means.values(), mean]) for reading, mean in assessed.items()}
    of, several = len(means) + 1, len(set(own.values())) > 1
    found = [
        Standing(key[0], "assessments", *key[1:], name, "", mean, min(ranks[name]), max(ranks[name]), of, len(evenings),
                 len(set(ranks[name])) > 1, _below(models, name))
        for name, mean in means.items()
    ]  # fmt: skip
    return found + [
        Standing(key[0], "assessments", *key[1:], "assessments", reading, mean, own[reading], own[reading], of,
                 len(evenings), several, False)
        for reading, mean in assessed.items()
    ]  # fmt: skip


def _means(rows: Iterable[Score]) -> dict[str, float]:
    """Return each forecaster's mean over evenings of its mean over horizons."""
    by: dict[str, dict[str, list[float]]] = {}
    for row in rows:
        by.setdefault(row.forecaster, {}).setdefault(row.origin, []).append(row.value)
    return {name: _mean([_mean(values) for values in evenings.values()]) for name, evenings in by.items()}


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values) if all(map(math.isfinite, values)) else math.inf


def _rank(mean: float, among: Iterable[float]) -> int:
    return 1 + sum(other < mean for other in among)


def _below(rows: Iterable[Score], name: str) -> bool:
    return any(row.below for row in rows if row.forecaster == name)


def leaderboard_text(found: Sequence[Standing], rows: Sequence[Score], basis: str, passages: Sequence[str]) -> str:
    """Return the standings on one *basis* as text: models and rivals, then each passage with the assessments."""
    mine = [standing for standing in found if standing.basis == basis]
    sections = [
        _models(mine, _COLUMNS, "capitals held, and provinces captured"),
        _models(mine, [(passage, "crps") for passage in passages], "days until it is first true, or now"),
    ]
    sections += [text for passage in passages if (text := _passage(mine, passage))]
    sections.append(_by_evening(rows, basis))
    sections.append(_best(rows, basis, passages))
    legend = f"Dates by {basis}. Mean scores, lower is better, rank in brackets. " + _WARNING
    if any(standing.below for standing in mine):
        legend += "\n* a probability below what simulation resolves entered, as ½/(R + 1)"
    return "\n\n".join([legend, *sections]) + "\n"


def _cell(standing: Standing) -> str:
    told = "inf" if math.isinf(standing.mean) else f"{standing.mean:.3f}"
    span = f"{standing.rank}" if standing.rank == standing.rank_to else f"{standing.rank}–{standing.rank_to}"
    return f"{told}{'*' if standing.below else ''} ({span})"


def _models(mine: Sequence[Standing], columns: Sequence[tuple[str, str]], what: str) -> str:
    alone = {(s.subject, s.score, s.forecaster): s for s in mine if s.beside == "all evenings"}
    columns = [column for column in columns if any(key[:2] == column for key in alone)]
    names = list(dict.fromkeys(name for *column, name in alone if tuple(column) in columns))
    body = [[name, *(_cell(alone[*column, name]) for column in columns)] for name in names]
    evenings = [f"{max(s.evenings for s in alone.values() if (s.subject, s.score) == column)}" for column in columns]
    head = ["", *(" ".join(column) for column in columns)]
    return f"Families, their pool and rivals: {what}\n" + table(head, [*body, ["evenings", *evenings]])


def _passage(mine: Sequence[Standing], passage: str) -> str:
    here = [s for s in mine if s.beside == "assessments" and s.subject == passage]
    if not here:
        return ""
    by = {(s.forecaster, s.reading, s.score): s for s in here}
    names = list(dict.fromkeys((s.forecaster, s.reading) for s in here))
    spoken = [name for name in names if name[1]]
    if len(spoken) > 1 and len({tuple(by[*name, score].mean for score in _PASSAGE) for name in spoken}) == 1:
        names = [name for name in names if name not in spoken[1:]]
        told = {names[-1]: "assessments, whatever could means"}
    else:
        told = {name: f"assessments, could = {name[1]}" for name in spoken}
    body = [[told.get(name, name[0]), *(_cell(by[*name, score]) for score in _PASSAGE)] for name in names]
    lines = [
        f"{passage}, with the recorded assessments, on the {here[0].evenings} evenings they speak of it",
        table(["", *_PASSAGE], body),
    ]
    for score in _PASSAGE:
        ranks = [s.rank for s in here if s.score == score and s.reading]
        hang = any(s.depends for s in here if s.score == score)
        if hang:
            lines.append(
                f'  FLAG: by {score} the ranking depends on the reading of "could": the assessments come '
                f"{min(ranks)} to {max(ranks)} of {here[0].of}"
            )
    return "\n".join(lines)


def _by_evening(rows: Sequence[Score], basis: str) -> str:
    """Return the scores of capitals held, evening by evening: CRPS, and log score at the middle one of the horizons."""
    mine = [row for row in rows if (row.basis, row.subject) == (basis, "capitals")]
    horizons = sorted({row.horizon for row in mine})
    if not horizons:
        return "Nothing was asked of capitals held that is known by now"
    middle = horizons[len(horizons) // 2]
    crps = [row for row in mine if row.score == "crps"]
    log = [row for row in mine if row.score == "log" and row.horizon == middle]
    return (
        f"Capitals held, CRPS by evening (month-day), mean over horizons\n{_evenings(crps)}\n\n"
        f"Capitals held {middle:g} days later, log score by evening\n{_evenings(log)}"
    )


def _evenings(rows: Sequence[Score]) -> str:
    evenings = list(dict.fromkeys(row.origin for row in rows))
    by = [_means(row for row in rows if row.origin == evening) for evening in evenings]
    names = dict.fromkeys(row.forecaster for row in rows)
    body = [[name, *(f"{means[name]:.2f}" if name in means else "" for means in by)] for name in names]
    return table(["", *(evening[5:] for evening in evenings)], body)


def _best(rows: Sequence[Score], basis: str, passages: Sequence[str]) -> str:
    """Return who had the lowest score on each evening."""
    asked = [("capitals", "crps"), ("provinces", "brier"), *((passage, "crps") for passage in passages)]
    mine = [row for row in rows if row.basis == basis and row.kind not in ("assessment", "assessments")]
    origins = list(dict.fromkeys(row.origin for row in mine))
    body = []
    for origin in origins:
        cells = []
        for subject, score in asked:
            means = _means(row for row in mine if (row.origin, row.subject, row.score) == (origin, subject, score))
            best = min(means, key=means.__getitem__, default="")
            cells.append(best)
        body.append([origin, *cells])
    return "Best of families, pool and rivals on each evening\n" + table(
        ["evening", *(f"{subject} {score}" for subject, score in asked)], body
    )
