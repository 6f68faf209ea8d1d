"""A tournament of model families: what each foresaw of every day's facts, and what weight that gives it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import special

from sim.checks.evidence import log_evidence
from sim.control import nearest
from sim.model import Model
from sim.record import Record
from sim.report import table
from sim.sources import last_day
from sim.tables import as_date

__all__ = ["Tournament", "tournament"]

Floats: TypeAlias = NDArray[np.float64]

#: "Not worth more than a bare mention" (Kass and Raftery 1995).
_BARE = 3.0


@dataclass(frozen=True, eq=False, repr=False)
class Tournament:
    """Log evidence of families by day, and what follows from it.

    Parameters
    ----------
    families : tuple of str
    days : tuple of date
        Evenings; each row is what was known then.
    captured : tuple of int
        Capitals captured by each.
    log_evidence, error : ndarray, shape (day, family)
        Log probability of all that was known by that evening, and its standard error.
    how : tuple of str
        How each family's last evidence was found.
    notes : tuple of str
        What was read as what.
    """

    families: tuple[str, ...]
    days: tuple[date, ...]
    captured: tuple[int, ...]
    log_evidence: Floats
    error: Floats
    how: tuple[str, ...]
    notes: tuple[str, ...]
    provinces: int
    counted: bool
    seed: int

    def __post_init__(self) -> None:
        self.log_evidence.flags.writeable = self.error.flags.writeable = False

    def __repr__(self) -> str:
        shares = ", ".join(f"{name} {w:.2f}" for name, w in zip(self.families, self.weights[-1], strict=True))
        return f"<Tournament of {len(self.families)} families over {len(self.days)} days: {shares}>"

    @property
    def weights(self) -> Floats:
        """The probability of each family given what was known each evening, equal before, shape (day, family)."""
        return np.asarray(special.softmax(self.log_evidence, axis=1))

    @property
    def weight_errors(self) -> Floats:
        """Standard errors of ``weights``, from those of the evidence, to first order."""
        w, e = self.weights, self.error
        others = np.sum((w * e) ** 2, axis=1, keepdims=True) - (w * e) ** 2
        return np.asarray(w * np.sqrt(((1.0 - w) * e) ** 2 + others))

    @property
    def predictive(self) -> Floats:
        """Log probability of each day's news given what was known the evening before, shape (day, family)."""
        return np.diff(self.log_evidence, axis=0, prepend=0.0)

    def bayes_factors(self, against: str = "constant") -> dict[str, tuple[float, float]]:
        """Return each other family's last evidence over that of family *against*, with its standard error.

        Raise a ValueError if *against* is no family of the tournament.
        """
        if against not in self.families:
            raise ValueError(
                f"bayes_factors: no family {against!r} in the tournament; {nearest(against, self.families)}"
            )
        base = self.families.index(against)
        found = {}
        for f, name in enumerate(self.families):
            if f != base:
                factor = math.exp(self.log_evidence[-1, f] - self.log_evidence[-1, base])
                found[name] = (factor, factor * math.hypot(self.error[-1, f], self.error[-1, base]))
        return found

    def verdict(self) -> str:
        """Return in words what the evidence says of the families, against constant where it is one of them."""
        base = "constant" if "constant" in self.families else self.families[0]
        factors = self.bayes_factors(base)
        name, (factor, error) = max(factors.items(), key=lambda item: item[1][0])
        told = f"{_figure(factor)}" + (f" ± {error:.1g}" if error > 0.005 * factor else "")
        if factor <= _BARE:
            what = "one count cannot choose between these families" if self.counted else (
                "no family is told apart from it by what it has more"
            )  # fmt: skip
            return f"no Bayes factor against {base} exceeds 3 (the largest is {told}, {name}): {what}"
        return f"the largest Bayes factor against {base} is {told}, {name}"

    def summary(self) -> str:
        """Return weights by day, the log evidence behind them and the verdict, as text."""
        head = ["evening", "captured", *self.families]
        errors = self.weight_errors
        body = [
            [str(day), f"{self.captured[d]} of {self.provinces}",
             *(_share(self.weights[d, f], errors[d, f]) for f in range(len(self.families)))]
            for d, day in enumerate(self.days)
        ]  # fmt: skip
        lines = ["weights of the families, equal before the first fact", table(head, body)]
        last = [
            [name, _logged(self.log_evidence[-1, f], self.error[-1, f]), self.how[f]]
            for f, name in enumerate(self.families)
        ]
        width = max(len(row[0]) for row in last)
        lines.append(f"log evidence on {self.days[-1]}")
        lines += [f"  {name:<{width}}  {log}  ({how})" for name, log, how in last]
        return "\n".join([*lines, self.verdict(), *(f"note: {note}" for note in self.notes)])


def _figure(factor: float) -> str:
    return f"{factor:.2g}" if 0.01 <= factor < 100 else f"{factor:.1e}"


def _share(weight: float, error: float) -> str:
    """Print nothing beyond its precision."""
    return f"{weight:.{3 if error < 0.0005 else 2}f}"


def _logged(log: float, error: float) -> str:
    return f"{log:.3f}" if error < 0.0005 else f"{log:.{3 if error < 0.005 else 2}f} ± {error:.1g}"


def tournament(
    families: Iterable[Model] | Mapping[str, Model],
    record: Record,
    *,
    seed: int,
    days: Iterable[date | str] | None = None,
    points: int = 1024,
    replications: int = 20_000,
) -> Tournament:
    """Return the evidence for each family and its predictive weight as each day's facts arrive.

    Families weigh the same before the first fact. The evidence of an evening is the probability, priors included, of
    all that was known then; a day's predictive probability is its ratio to that of the evening before (Kass and Raftery
    1995, doi:10.1080/01621459.1995.10476572). All families weigh the same facts: sightings of contests are left out as
    soon as one of them knows no contests. A count without names has one evening.

    Parameters
    ----------
    families : iterable of Model, or mapping of name to Model
        At least two.
    record : Record
        With an end.
    seed : int
        Not negative. The same seed gives the same bits.
    days : iterable of dates, optional
        The evenings, in order; each evening of the record unless given.
    points, replications : int
        How finely parameters are integrated; see ``sim.checks.evidence.log_evidence``.

    Raises
    ------
    TypeError, ValueError
        If the record has no end, the evenings are not its own or not in order, a family cannot be weighed, or no
        family can have made an evening's facts.
    """
    models = _named(families)
    evenings = _evenings(record, days)
    if all(model.leaves_contested for model in models.values()) or not any(row.sightings for row in evenings):
        notes: tuple[str, ...] = ()
    else:
        evenings = [_without_sightings(row) for row in evenings]
        notes = ("sightings of contests are left out, since not every family gives them a probability",)
    if late := _late(record):
        notes += (f"a capture counts as not captured until the evening it became known ({', '.join(late)})",)
    log, error = np.empty((len(evenings), len(models))), np.empty((len(evenings), len(models)))
    how = []
    for f, model in enumerate(models.values()):
        for d, known in enumerate(evenings):
            # One seed for all evenings, so that errors of successive ones cancel in part.
            log[d, f], error[d, f], text = log_evidence(
                model, known, seed=seed, points=points, replications=replications
            )
        how.append(text)
    for known, row in zip(evenings, log, strict=True):
        if not np.any(row > -math.inf):
            raise ValueError(
                f"tournament: the facts of {_day(known)} are impossible under every family; give one that allows them"
            )
    return Tournament(
        families=tuple(models), days=tuple(_day(known) for known in evenings),
        captured=tuple(known.total for known in evenings), log_evidence=log, error=error, how=tuple(how), notes=notes,
        provinces=len(record.provinces), counted=not record.named, seed=int(seed),
    )  # fmt: skip


def _named(families: Iterable[Model] | Mapping[str, Model]) -> dict[str, Model]:
    pairs = list(families.items()) if isinstance(families, Mapping) else [(_name(model), model) for model in families]
    models = dict(pairs)
    for name, model in pairs:
        if not isinstance(model, Model):
            raise TypeError(f"tournament: family {name} must be a Model, but was {model!r}; call it with a theatre")
        if models[name] is not model:
            raise ValueError(f"tournament: two families are called {name!r}; pass a mapping of names to models")
    if len(models) < 2:
        raise ValueError(f"tournament: families must be two or more, but there was {len(models)}")
    return models


def _name(model: object) -> str:
    if not isinstance(model, Model):
        raise TypeError(
            f"tournament: families must be models, but one was {model!r}; "
            "write [family(theatre) for family in sim.families.FAMILIES.values()]"
        )
    return model.name


def _day(known: Record) -> date:
    assert known.end is not None  # every evening has one
    return last_day(known.end)


def _evenings(record: Record, days: Iterable[date | str] | None) -> list[Record]:
    if not isinstance(record, Record):
        raise TypeError(f"tournament: the record must be a Record, but was {record!r}; theatre.record.until('…')")
    if record.end is None:
        raise ValueError("tournament: the record must have an end; say what was known when with record.until('…')")
    last = last_day(record.end)
    if not record.named:
        if days is not None:
            raise ValueError("tournament: a count without names has one evening; leave days out")
        return [record]
    first = record.start.date()
    if isinstance(days, str):
        raise TypeError(f"tournament: days must be a list of evenings, but was {days!r}; write [{days!r}]")
    asked = [first + timedelta(days=k) for k in range((last - first).days + 1)] if days is None else [
        as_date(day, "tournament: days") for day in days
    ]  # fmt: skip
    if not asked or asked != sorted(set(asked)) or asked[0] < first or asked[-1] > last:
        told = ", ".join(map(str, asked)) or "none"
        raise ValueError(f"tournament: days must be evenings from {first} to {last}, in order, but were {told}")
    return [record if day == last else record.until(day) for day in asked]


def _without_sightings(record: Record) -> Record:
    return Record(
        record.provinces, record.reports, (), record.counts, record.assessments, origin=record.origin, end=record.end,
        accounts=record.accounts, prefer=record.prefer,
    )  # fmt: skip


def _late(record: Record) -> list[str]:
    """Return the captures that became known after the evening of the day they certainly had happened by."""
    return [row.province for row in record.captures if row.known_from > last_day(row.latest, row.earliest)]
