"""One replication told again: of a scenario's run, without the rest of that run, or of a saved run."""

from __future__ import annotations

import os
from dataclasses import replace

from sim.archive import open_ensemble
from sim.ensemble import Ensemble
from sim.projecting import Tell, draws_for
from sim.scenario import Scenario
from sim.story import Story

__all__ = ["retold", "retold_file"]


def retold(
    scenario: Scenario, replication: int, *, seed: int, replications: int = 10_000, progress: Tell | None = None
) -> Story:
    """Return one *replication* of the first family, as ``scenario.run`` with that *seed* has it.

    *replications* are those of the run: they say how many parameter draws it takes, and so which of them this
    replication has. Raise a ValueError if the run has no such replication, a RuntimeError if it failed.
    """
    count = replications if scenario.follows == "models" else 1  # there is one record
    if not 0 <= replication < count:
        raise ValueError(f"replication must be from 0 to {count - 1}, the last of the run, but was {replication}")
    first = replace(scenario, families=scenario.families[:1])
    (case,) = first.cases(seed=seed, draws=draws_for(count), progress=progress).values()
    run = case.simulate(seed=seed, replications=range(replication, replication + 1), progress=False)
    return run.replay(replication=replication)


def retold_file(path: str | os.PathLike[str], replication: int) -> Story:
    """Return one *replication* of the run that was saved to *path*.

    Raise a ValueError if the run has no such replication or kept no events, and what ``sim.open_ensemble`` raises.
    """
    run = open_ensemble(path)
    if not isinstance(run, Ensemble):
        raise ValueError(f"{path}: keeps what outcomes need and no events, so there is nothing to tell")
    try:
        return run.replay(replication=replication)
    except IndexError as error:
        raise ValueError(str(error)) from None
