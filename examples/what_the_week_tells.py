"""What one week of captures tells of a model's parameters, and what it cannot.

Bits are information gained over the prior. A parameter the week left alone is still as its prior had it; and a headline
that moves when the priors are narrowed or widened rests on them, not on the week.
"""

import warnings
from datetime import date

import sim
from sim.families import constant, contagion, momentum
from sim.hazards import Baseline, Calendar
from sim.priors import LogNormal, Normal

theatre = sim.load_theatre("afghanistan_2021")
week = theatre.record.until("2021-08-12")

for family in (constant, momentum, contagion):
    posterior = sim.calibrate(family(theatre), week, seed=7)
    print(sim.checks.identifiability(posterior, seed=7).summary())
    print()

# A ridge made on purpose: something that held all week and ends with it. The week tells the pace with it, and nothing
# of the pace without it, which is what a projection needs.
ending = Baseline(LogNormal(1 / 40, 1.5)) * Calendar(None, date(2021, 8, 13), Normal(0.0, 2.0))
posterior = sim.calibrate(sim.Model(theatre, {"seizure": ending}, name="a week unlike others"), week, seed=7)
with warnings.catch_warnings(record=True) as warned:
    warnings.simplefilter("always")
    found = sim.checks.identifiability(posterior, seed=7, widths=())
print(found.summary())
print(f"warnings: {len(warned)}")
