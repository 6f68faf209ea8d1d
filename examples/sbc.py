"""Check a calibration against simulated weeks whose parameters are known: do the truths rank as they should?

What do the ranks look like if the pace is drawn from one prior and calibrated under another?
"""

import numpy as np

import sim
from sim.checks.weeks import simulated_weeks
from sim.families import constant
from sim.hazards import Baseline
from sim.priors import LogNormal

theatre = sim.load_theatre("afghanistan_2021")
week = theatre.record.until("2021-08-12")
model = constant(theatre)


def by_tenths(ranks):
    """Return how many ranks, from 0 to 99, lie in each tenth: about as many in each, if all is right."""
    return " ".join(f"{count:3d}" for count in np.bincount(ranks // 10, minlength=10))


ranks = sim.checks.sbc(model, week, fits=200, seed=7, exact_times=True)
print(ranks.summary())
print("ranks of the pace by tenths:          ", by_tenths(ranks["seizure.baseline"]))

# The same weeks, calibrated by somebody too sure that capitals fall slowly.
sure = sim.Model(theatre, {"seizure": Baseline(LogNormal(1 / 80, 0.5))})
truths = model.draw_prior(200, seed=7)
weeks = simulated_weeks(model, truths, week, seed=7, exact_times=True)
posteriors = [sim.calibrate(sure, one, seed=i, draws=99) for i, one in enumerate(weeks)]
found = [
    int((posterior["seizure.baseline"] < truth).sum())
    for posterior, truth in zip(posteriors, truths["seizure.baseline"], strict=True)
]
print("calibrated by somebody who is too sure:", by_tenths(np.array(found)))
