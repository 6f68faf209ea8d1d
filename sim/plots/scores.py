"""Pictures of scores: who was right when."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from sim.plots.canvas import axes_or_new, require, styles

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from sim.checks.backtest import Hindcast
    from sim.checks.standings import Score

__all__ = ["score_by_day"]


def score_by_day(
    result: Hindcast, subject: str = "capitals", score: str = "crps", *, basis: str = "press",
    horizon: float | None = None, ax: Axes | None = None,
) -> Axes:  # fmt: skip
    """Draw each forecaster's score by evening, lower is better; of assessments, the band their readings span.

    Families and priors were chosen by people who knew the outcome.

    Parameters
    ----------
    result : Hindcast
        From ``sim.checks.hindcast``.
    subject, score : str
        As in its rows: "capitals" with "log" or "crps", "provinces" with "brier" or "log", a first passage with "log",
        "crps" or "twcrps".
    basis : str
    horizon : float, optional
        One horizon; unless given, the mean over them.

    Raises
    ------
    ValueError
        If the result has no such scores.
    """
    from sim.checks.backtest import Hindcast

    require(result, Hindcast, "score_by_day", "sim.checks.hindcast")
    rows = [
        row
        for row in result.rows
        if (row.subject, row.score, row.basis) == (subject, score, basis) and horizon in (None, row.horizon)
    ]
    if not rows:
        known = sorted({f"{row.subject} {row.score}" for row in result.rows})
        raise ValueError(
            f"score_by_day: no scores of {subject!r} by {score!r}, basis {basis!r}, horizon {horizon!r}; "
            f"there are {', '.join(known)}"
        )
    ax = axes_or_new(ax)
    evenings = list(result.origins)
    each = styles()
    for name in dict.fromkeys(row.forecaster for row in rows if not row.kind.startswith("assessment")):
        means = _by_evening([row for row in rows if row.forecaster == name], evenings)
        ax.plot(range(len(evenings)), means, marker="o", markersize=3, label=name, **next(each))
    spoken = [row for row in rows if row.kind == "assessments"]
    if spoken:
        readings = [_by_evening([r for r in spoken if r.reading == reading], evenings) for reading in _readings(spoken)]
        low, high = ([choose(values) for values in zip(*readings, strict=True)] for choose in (min, max))
        ax.vlines(range(len(evenings)), low, high, color="0.5")  # a single evening has no band
        ax.fill_between(
            range(len(evenings)), low, high, color="0.8", edgecolor="0.5", linewidth=2,
            label=f"assessments, {len(readings)} readings",
        )  # fmt: skip
    if any(row.value == math.inf for row in rows):
        ax.plot([], [], " ", label="infinite scores are not drawn")
    ax.set_xticks(range(len(evenings)), [day[5:] for day in evenings])
    when = "mean over horizons" if horizon is None else f"{horizon:g} days"
    title = subject if math.isnan(rows[0].horizon) else f"{subject}, {when}"
    unit = "capitals" if subject == "capitals" else "days"
    labels = {"crps": f"CRPS ({unit})", "twcrps": "threshold-weighted CRPS (days)", "log": "log score (nats)"}
    ax.set_ylabel(f"{labels.get(score, 'Brier score')}, lower is better")
    ax.set_xlabel("evening (month-day)")
    ax.set_title(f"{title}; dates by {basis}")
    ax.set_ylim(bottom=0.0)
    ax.legend(fontsize="small", ncols=2)
    return ax


def _readings(rows: list[Score]) -> list[str]:
    return list(dict.fromkeys(row.reading for row in rows))


def _by_evening(rows: list[Score], evenings: list[str]) -> list[float]:
    """Return the mean of *rows* on each evening, nan where there is none or it is infinite: a gap in the line."""
    found = []
    for evening in evenings:
        values = [row.value for row in rows if row.origin == evening]
        mean = sum(values) / len(values) if values else math.nan
        found.append(mean if mean != math.inf else math.nan)
    return found
