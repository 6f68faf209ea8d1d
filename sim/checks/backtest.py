"""The hindcast: every family calibrated on what was known each evening, and scored on what followed.

Whoever reads its scores must know that families and priors were chosen by people who knew the outcome: a good score
here is no evidence of foresight. The rivals and the assessments had no such help.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

from sim.checks.asking import Asking
from sim.checks.evening import Evening
from sim.checks.forecasts import Forecast
from sim.checks.happened import BASES, Facts
from sim.checks.standings import Score, Standing, leaderboard_text, standings
from sim.checks.verbal import READINGS, Reading
from sim.control import nearest
from sim.disk import write_whole
from sim.families import Families
from sim.report import csv_of, json_text
from sim.theatre import Theatre

__all__ = ["HORIZONS", "ORIGINS", "Hindcast", "Score", "hindcast"]

#: The evenings of 7 to 14 August 2021, and the days after each that are asked about.
ORIGINS = tuple(f"2021-08-{day:02d}" for day in range(7, 15))
HORIZONS = (1, 2, 3, 7, 30)


@dataclass(frozen=True, eq=False, repr=False)
class Hindcast:
    """Scores of families, rivals, their pool and the recorded assessments, evening by evening.

    Families and priors were chosen by people who knew the outcome: no score of theirs is evidence of foresight.

    Parameters
    ----------
    rows : tuple of Score
    forecasts : mapping of (origin, forecaster, reading) to Forecast
        What was said, for whoever wants other scores.
    poor : tuple of (origin, family)
        Fits whose diagnostics fell short and that were used all the same.
    notes : tuple of str
        What was left out, and how what was said was read.
    asked : mapping
        The arguments, as plain values.
    """

    rows: tuple[Score, ...]
    forecasts: Mapping[tuple[str, str, str], Forecast]
    poor: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]
    asked: Mapping[str, Any]

    def __repr__(self) -> str:
        names = dict.fromkeys(row.forecaster for row in self.rows)
        return (
            f"<Hindcast: {len(self.rows)} scores of {len(names)} forecasters on {len(self.asked['origins'])} evenings>"
        )

    @property
    def origins(self) -> tuple[str, ...]:
        """The evenings."""
        return tuple(self.asked["origins"])

    def table(self) -> list[dict[str, Any]]:
        """Return every score as a tidy row of plain values."""
        return [row._asdict() for row in self.rows]

    @cached_property
    def standings(self) -> tuple[Standing, ...]:
        """Mean scores and ranks; ``depends`` where a rank hangs on the reading of "could"."""
        return standings(self.rows)

    def leaderboard(self, basis: str = "press") -> str:
        """Return the standings on one *basis* as text, and who was best on each evening."""
        if basis not in self.asked["bases"]:
            raise ValueError(f"leaderboard: no basis {basis!r}; {nearest(basis, self.asked['bases'])}")
        return leaderboard_text(self.standings, self.rows, basis, self.asked["passages"])

    def describe(self) -> dict[str, Any]:
        """Return what it takes to make the hindcast again, as plain values."""
        return {**self.asked, "poor fits": [list(pair) for pair in self.poor], "notes": list(self.notes)}

    def plain(self) -> dict[str, Any]:
        """Return scores, standings and run as plain values, for JSON."""
        return {
            "scores": self.table(), "standings": [row._asdict() for row in self.standings], "run": self.describe(),
        }  # fmt: skip

    def save(self, folder: str | Path) -> list[Path]:
        """Write ``scores.csv``, ``standings.csv`` and ``hindcast.json`` into *folder*, each whole or not at all.

        Return their paths. Raise an OSError if the folder cannot be written to.
        """
        place = Path(folder)
        place.mkdir(parents=True, exist_ok=True)
        texts = {
            "scores.csv": csv_of(Score._fields, self.rows),
            "standings.csv": csv_of(Standing._fields, self.standings),
            "hindcast.json": json_text(self.describe(), infinite=True),
        }
        for name, text in texts.items():
            write_whole(place / name, text.encode())
        return [place / name for name in texts]

    def json(self) -> str:
        """Return scores, standings and run as strict JSON; an infinite score is the text "inf"."""
        return json_text(self.plain(), infinite=True)


def hindcast(
    families: Iterable[str] | Families,
    theatre: Theatre,
    *,
    origins: Iterable[date | str] = ORIGINS,
    horizons: Iterable[int] = HORIZONS,
    seed: int,
    replications: int = 4_000,
    draws: int = 1_000,
    pressures: Iterable[str] = ("half_ring",),
    bases: Iterable[str] = BASES,
    readings: Sequence[Reading] = READINGS,
    now: date | str | None = None,
    threshold: int = 7,
    progress: Callable[[str, float], object] | None = None,
) -> Hindcast:
    """Calibrate each of *families* on what was known each evening, project it, and score it on what followed.

    Beside them stand, always: no change, the week's pace, the last day's pace, the families pooled with equal weights,
    and the assessments of the record under each of *readings*. Families and priors were chosen by people who knew the
    outcome; rivals and assessments were not. Scores (lower is better): log score and CRPS of the capitals held, Brier
    and log score of each province not known to be captured (mean over provinces), and log score, CRPS and
    threshold-weighted CRPS of the days until pressure on the hub, its isolation, its fall and full control, censored
    now. A family whose chain is exact (one pace, or momentum, for all capitals) is not simulated; others are, and a
    probability they never saw is ½/(R + 1), flagged.

    Parameters
    ----------
    families : names in ``sim.families.FAMILIES``, or mapping of name to function of a theatre
    theatre : Theatre
        With its whole record. What a family is given is the same theatre, its record cut at the evening.
    origins : iterable of date or ISO text
        Evenings.
    horizons : iterable of int
        Days after the evening.
    seed : int
    replications, draws : int
        Of each family that is simulated; of each calibration.
    pressures : iterable of str
        Definitions of pressure on the hub, of ``sim.outcomes.PRESSURES``; "isolated" is always there.
    bases : iterable of "press", "best_date"
        Whose dates count for what followed.
    readings : sequence of Reading
    now : date or ISO text
        The evening after which nothing is known; by default the last day the record tells of or, if by then nothing
        is left to capture, the last day asked about or the day after, whichever is later.
    threshold : int
        The evening before which the threshold-weighted CRPS weighs.
    progress : function of what is being done and the share done, optional

    Returns
    -------
    Hindcast

    Raises
    ------
    TypeError, ValueError
        Before any work, if an argument is out of its range.
    """
    asking = Asking(theatre, families, origins, horizons, seed, replications, draws, pressures, bases, readings, now)
    if isinstance(threshold, bool) or not isinstance(threshold, int) or threshold < 2:
        raise ValueError(f"hindcast: threshold must be a whole number of evenings from 2, but was {threshold!r}")
    tell = progress if progress is not None else lambda what, share: None
    facts = [Facts.of(theatre, asking.outcomes, basis) for basis in asking.bases]
    rows: list[Score] = []
    forecasts: dict[tuple[str, str, str], Forecast] = {}
    poor: list[tuple[str, str]] = []
    notes: dict[str, None] = dict.fromkeys(asking.notes)
    for number, origin in enumerate(asking.origins):
        evening = Evening(asking, origin, facts)
        said = evening.families(lambda what, number=number: tell(what, number / len(asking.origins)), poor)  # type: ignore[misc]
        said |= evening.others(said, notes)
        forecasts |= {(str(origin), name, reading): forecast for (_, name, reading), forecast in said.items()}
        for fact in facts:
            for who, forecast in said.items():
                rows += evening.scored(who, forecast, fact, threshold)
    tell("scored", 1.0)
    return Hindcast(tuple(rows), forecasts, tuple(poor), tuple(notes), {**asking.plain(), "threshold": threshold})
