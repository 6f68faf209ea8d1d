"""Families weighed against one another as each day's facts arrive, and what a bare count could say of them.

The evidence of a family is the probability it gave to all that was known by an evening, priors included. Then the same
question under every reading of what sources dispute.
"""

import sim
from sim.families import FAMILIES, constant, contagion, momentum

theatre = sim.load_theatre("afghanistan_2021")
week = theatre.record.until("2021-08-12")
models = [family(theatre) for family in (constant, contagion, momentum)]

by_name = sim.checks.tournament(models, week, seed=7)
print("What the names and days of the captures say:")
print(by_name.summary())

print()
print("What the number alone says, 11 of 34:")
print(sim.checks.tournament([family(theatre) for family in FAMILIES.values()], week.as_count(), seed=7).summary())

print()
disputed = sim.checks.multiverse(families=["constant", "contagion", "momentum"], seed=7, replications=2_000)
print(disputed.table())
