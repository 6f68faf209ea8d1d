"""Runs as datasets with labels, after the CF conventions (https://cfconventions.org, version 1.11).

Control and transitions carry ``flag_values`` and ``flag_meanings``; events are a contiguous ragged array (section
9.3.3), ``row_size`` of them for each replication; times are "days since" the start, in local time of the theatre.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from sim import __version__
from sim.control import Control

if TYPE_CHECKING:
    from xarray import Dataset

    from sim.ensemble import Ensemble, Passages, Run

__all__ = ["of_ensemble", "of_passages"]

_Variable: TypeAlias = tuple[Any, ...]


def of_ensemble(run: Ensemble, days: Sequence[float] | None = None) -> Dataset:
    """Return events, and control of every province on *days* (ascending, since the start) if given.

    Of each replication ``control_at_start`` (replication, province), ``draw`` and ``row_size``, how many events it has;
    of the events, one replication after the other, ``time``, ``province_index``, ``transition``, ``control_before`` and
    ``control_after`` (event); ``control`` (replication, day, province); and what failed, if anything did.

    Raise a ValueError if *days* do not ascend or leave the horizon.
    """
    coords, variables = _common(run)
    variables |= _events(run)
    if days is not None:
        coords["day"], variables["control"] = _control(run, days)
    return _dataset(run, "events", coords, variables)


def of_passages(run: Passages) -> Dataset:
    """Return what was watched, and the watches.

    ``first_passage`` (outcome, replication) in days since the start, inf if not by the horizon; ``replications_with``
    (day, capitals_lost); ``watch_weight`` (outcome, province, control) and ``watch_threshold`` (outcome); ``draw``
    (replication); and what failed, if anything did.
    """
    coords, variables = _common(run)
    more, watched = _watched(run)
    return _dataset(run, "outcomes", coords | more, variables | watched)


def _dataset(run: Run, record: str, coords: dict[str, _Variable], variables: dict[str, _Variable]) -> Dataset:
    import xarray  # half a second that only this needs

    dataset = xarray.Dataset(variables, coords, _attributes(run, record))
    for variable in dataset.variables.values():
        variable.encoding = _encoding(variable.dtype.kind, variable.size)
    return dataset


def _encoding(kind: str, size: int) -> dict[str, Any]:
    """Return how a variable is stored: whole numbers compressed, floats as they are, for they hardly shrink."""
    if kind == "f":
        return {"_FillValue": None}
    return {"zlib": True, "complevel": 1, "shuffle": True} if kind in "iu" and size > 1000 else {}


def _attributes(run: Run, record: str) -> dict[str, Any]:
    theatre = run.theatre
    found = {
        "Conventions": "CF-1.11",
        "title": f"{theatre.title or 'Control of provinces'}: {len(run)} replications of {run.model.name}",
        "source": f"sweepcast {__version__}, model {run.model.name}",
        "record": record,
        "seed": run.seed if run.seed < 2**63 else str(run.seed),
        "horizon_days": run.horizon,
        "digest": run.digest,
    }
    return found | ({"time_zone": theatre.timezone} if theatre.timezone else {})


def _common(run: Run) -> tuple[dict[str, _Variable], dict[str, _Variable]]:
    theatre = run.theatre
    coords: dict[str, _Variable] = {
        "replication": ("replication", run.numbers, {"long_name": "number of the replication, its address"}),
        "province": ("province", _texts(theatre.provinces), {"long_name": "province"}),
        "capital": ("province", _texts(theatre.capitals), {"long_name": "capital of the province"}),
    }
    for name, units in (("latitude", "degrees_north"), ("longitude", "degrees_east")):
        if name in theatre.columns:
            told = {"standard_name": name, "long_name": f"{name} of the capital", "units": units}
            coords[name] = ("province", theatre.columns[name], told)
    row = {"long_name": "row of the parameter draws"}
    values = run.recipe.draws
    coords["parameter"] = ("parameter", _texts(values.names), {"long_name": "parameter of the model"})
    variables: dict[str, _Variable] = {
        "draw": ("replication", run.draw, row),
        "parameter_value": (
            ("parameter_draw", "parameter"), values.values,
            {"long_name": "values of the parameters by draw: rates per day, effects without unit"},
        ),
    }  # fmt: skip
    if run.failures:
        numbers, draws, tracebacks = zip(*run.failures, strict=True)
        raised = {"long_name": "replication that raised"}
        variables["failed_replication"] = ("failure", np.array(numbers, np.int64), raised)
        variables["failed_draw"] = ("failure", np.array(draws, np.int64), row)
        variables["failed_traceback"] = ("failure", _texts(tracebacks), {"long_name": "what was said"})
    return coords, variables


def _texts(texts: Sequence[str]) -> NDArray[Any]:
    return np.array(texts, object) if len(texts) else np.array([], "U1")


def _flags(long_name: str, meanings: Sequence[str]) -> dict[str, Any]:
    values = np.arange(len(meanings), dtype=np.int8)
    return {"long_name": long_name, "flag_values": values, "flag_meanings": " ".join(meanings)}


def _held(long_name: str) -> dict[str, Any]:
    return _flags(long_name, [kind.name.lower() for kind in Control])


def _dated(run: Run, long_name: str) -> dict[str, Any]:
    instant, zone = run.start.instant, run.theatre.timezone
    if instant is None:
        return {"long_name": f"{long_name}, days since the start", "units": "days"}
    return {
        "standard_name": "time", "long_name": long_name, "units": f"days since {instant.isoformat(sep=' ')}",
        "calendar": "proleptic_gregorian", "units_metadata": "leap_seconds: none",
        "comment": "local time of the theatre, no offset from UTC applied" + (f": {zone}" if zone else ""),
    }  # fmt: skip


def _events(run: Ensemble) -> dict[str, _Variable]:
    sizes = {"long_name": "number of events of the replication", "sample_dimension": "event"}
    where = {"long_name": "position along province, counted from 0"}
    place = ("replication", "province")
    return {
        "control_at_start": (place, run.initial, _held("who holds the capital at the start")),
        "row_size": ("replication", np.diff(run.offsets), sizes),
        "time": ("event", run.day, _dated(run, "time of the event")),
        "province_index": ("event", run.province, where),
        "transition": ("event", run.transition, _flags("change of control", run.transitions)),
        "control_before": ("event", run.source, _held("who held the capital before")),
        "control_after": ("event", run.target, _held("who holds the capital after")),
    }


def _control(run: Ensemble, days: Sequence[float]) -> tuple[_Variable, _Variable]:
    asked = np.atleast_1d(np.asarray(days, float))
    if asked.ndim != 1 or not np.all(np.diff(asked) > 0):
        raise ValueError(f"to_xarray: days must ascend, none of them twice, but was {days!r}")
    held = np.empty((len(run), len(asked), len(run.provinces)), np.int8)
    for j, day in enumerate(asked):
        held[:, j] = run.control_at(float(day))
    place = ("replication", "day", "province")
    return ("day", asked, _dated(run, "day") | {"axis": "T"}), (place, held, _held("who holds the capital"))


def _watched(run: Passages) -> tuple[dict[str, _Variable], dict[str, _Variable]]:
    # CF has "day" and "days" mean the same, and xarray would try to make dates of days, which inf is none of.
    first = {
        "long_name": "days from the start until the outcome is first true", "units": "day",
        "comment": "inf where it was not by the horizon (right-censored)",
    }  # fmt: skip
    count = {"long_name": "replications with so many capitals lost at that instant", "units": "1"}
    coords: dict[str, _Variable] = {
        "outcome": ("outcome", _texts(run.names), {"long_name": "outcome watched"}),
        "day": (
            "day", np.arange(len(run.lost), dtype=float),
            _dated(run, "instant of counting: the midnight that ends the day before") | {"axis": "T"},
        ),
        "capitals_lost": (
            "capitals_lost", np.arange(run.lost.shape[1]), {"long_name": "capitals lost", "units": "1"},
        ),
    }  # fmt: skip
    weights = np.array([watch.weights for watch in run.watches], np.int64).reshape(-1, len(run.provinces), len(Control))
    kinds = " ".join(kind.name.lower() for kind in Control)
    weight = {"long_name": f"weight of the capital while held ({kinds})", "units": "1"}
    least = {"long_name": "sum of weights from which the outcome is true", "units": "1"}
    return coords, {
        "first_passage": (("outcome", "replication"), run.times, first),
        "replications_with": (("day", "capitals_lost"), run.lost, count),
        "watch_weight": (("outcome", "province", "control"), weights, weight),
        "watch_threshold": ("outcome", np.array([watch.threshold for watch in run.watches], np.int64), least),
    }
