"""A theatre of one's own, and a model with a closed form to hold the engine against.

Three capitals on a road, one lost: how long until the far one is lost too?
"""

import math

import sim
from sim.hazards import Baseline, Neighbours
from sim.outcomes import ControlOf

theatre = sim.Theatre(["East", "Middle", "West"], borders=[("East", "Middle"), ("Middle", "West")], name="three")
model = sim.Model(theatre, {"seizure": Baseline(0.05) * Neighbours(1.0)})
start = sim.State({"East": "insurgent"})
ensemble = sim.simulate(model, start=start, horizon=200, replications=5_000, seed=1)

# West falls alone at 0.05 a day, at 0.10 once Middle is lost; Middle falls at 0.10, at 0.15 once West is lost.
day = 10.0
alone = math.exp(-0.15 * day)  # neither has fallen
middle_first = 0.10 * (math.exp(-0.10 * day) - math.exp(-0.15 * day)) / 0.05  # Middle has, West has not
exact = 1.0 - alone - middle_first
simulated = ControlOf("West")(ensemble).probability(within=day)
print(f"West lost within {day:g} days: simulated {simulated.value:.3f} +- {simulated.mc_error:.3f}, exact {exact:.3f}")
