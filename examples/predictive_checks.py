"""Hold weeks a model makes beside the week it was given, before and after it has learned from it.

Does a constant pace make weeks that follow the roads as the real one did? Does contagion?
"""

import sim
from sim.families import constant, contagion

theatre = sim.load_theatre("afghanistan_2021")
week = theatre.record.until("2021-08-12")

for family in (constant, contagion):
    model = family(theatre)
    print(sim.checks.predictive_checks(model, week, seed=7).summary(), end="\n\n")
    posterior = sim.calibrate(model, week, seed=7)
    print(sim.checks.predictive_checks(posterior, week, seed=7).summary(), end="\n\n")
