"""Simulated weeks: runs from nothing lost on day 0, told as records of the shape of another."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from sim.control import Control, State
from sim.ensemble import Ensemble
from sim.model import Draws, Model
from sim.record import Record
from sim.simulation import simulate
from sim.sources import Capture

__all__ = ["require_week", "simulated_runs", "simulated_weeks"]

_DAY = timedelta(days=1)
_TICK = timedelta(microseconds=1)


def require_week(model: Model, week: Record, where: str) -> None:
    """Raise a TypeError or ValueError unless *week* has an end, names captures, and is of the model's provinces."""
    if not isinstance(model, Model):
        raise TypeError(f"{where}: model must be a Model, but was {model!r}; sim.families has ready-made ones")
    if not isinstance(week, Record):
        raise TypeError(f"{where}: the week must be a Record, but was {week!r}; theatre.record.until('…') gives one")
    if week.end is None:
        raise ValueError(f"{where}: the week must have an end; say what was known when with record.until('YYYY-MM-DD')")
    if not week.named:
        raise ValueError(
            f"{where}: the week must name captures, but only a count is known; keep the record that names the captures"
        )
    if week.provinces != model.theatre.provinces:
        strange = ", ".join(sorted(set(week.provinces).symmetric_difference(model.theatre.provinces)))
        raise ValueError(f"{where}: the week must be of the model's provinces, but they differ in {strange}")


def simulated_runs(model: Model, draws: Draws, week: Record, *, seed: int, replications: int) -> Ensemble:
    """Return runs of *model* from nothing lost at the first moment of *week*'s day 0 to its end.

    A capital is contested unseen on day 0 with the probability the draw has for it, where the model knows contests.
    """
    start = State(dict.fromkeys(model.theatre.provinces, Control.GOVERNMENT), instant=week.start)
    return simulate(
        model, draws, start=start, horizon=week.days, replications=replications, seed=seed, progress=False
    )  # fmt: skip


def simulated_weeks(
    model: Model, draws: Draws, shape: Record, *, seed: int, exact_times: bool = False
) -> list[Record]:  # fmt: skip
    """Return one simulated record for each of *draws*, of the length and day 0 of *shape*.

    Every capture is told, on the evening of its day; no contest is seen.

    Parameters
    ----------
    model : Model
    draws : Draws
        Parameters of each week: a prior's, ``model.draw_prior(…)``, or a posterior's.
    shape : Record
        With an end. Its captures and sightings are not looked at.
    seed : int
        Week i is replication i of ``sim.simulate`` under it.
    exact_times : bool
        Whether captures are told to the microsecond; unless so, the day alone is known.

    Raises
    ------
    TypeError, ValueError
        If *shape* has no end or is of other provinces.
    """
    require_week(model, shape, "simulated_weeks")
    runs = simulated_runs(model, draws, shape, seed=seed, replications=len(draws))
    names, lost = runs.provinces, runs.target == Control.INSURGENT
    weeks = []
    for begin, end in zip(runs.offsets, runs.offsets[1:], strict=False):
        first: dict[str, float] = {}
        for e in range(begin, end):
            if lost[e]:
                first.setdefault(names[runs.province[e]], float(runs.day[e]))
        captures = [_told(name, day, shape, exact_times) for name, day in first.items()]
        weeks.append(Record(names, captures, origin=shape.origin, end=shape.end))
    return weeks


def _told(province: str, day: float, shape: Record, exact_times: bool) -> Capture:
    end = shape.end or datetime.max
    # Rounded to the microsecond, the last instant of a week could fall on the next morning.
    moment = min(shape.start + day * _DAY, end - _TICK)
    morning = datetime.combine(moment.date(), time())
    early, late = (moment, moment) if exact_times else (morning, min(morning + _DAY, end))
    return Capture(
        province=province, earliest=early, latest=late, known_from=morning.date(), source="simulated"
    )  # fmt: skip
