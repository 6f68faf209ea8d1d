"""Which parameter an answer hangs on, how much is chance whatever is known, and where an assessment is right.

Sobol indices over priors; then a box of rates in which pressure within 30 days is about as likely as not.
"""

import sim
from sim.hazards import Calendar
from sim.outcomes import Pressure
from sim.priors import HalfNormal

half_ring = Pressure("half_ring")
base = sim.load_scenario("thirty_days")

for within in (7, 30):
    print(sim.explore.sensitivity(base, half_ring, within, seed=7, family="contagion").summary())
    print()

# A lever's prior is one more parameter: a city that slows the sweep, by how much nobody knows.
slower = base.but(
    "slower", "Something slows every seizure from the third day on",
    families=("momentum",), levers={"seizure": Calendar(2.0, None, HalfNormal(1.0), label="faster")},
)  # fmt: skip
found = sim.explore.sensitivity(slower, half_ring, 14, seed=7)
print(f"{found.rows[-2].parameter}: total {found.rows[-2].total:.2f}; chance: total {found.chance.total:.2f}")
print()

for family in ("constant", "momentum"):
    region = sim.explore.discover(base, half_ring, 30, seed=7, family=family, points=1000)
    print(region.summary())
    print()

# Is that where the week puts the rates? A share of the posterior's draws lies in the box.
momentum = base.but("momentum", "Momentum alone", families=("momentum",)).cases(seed=7)["momentum"]
print(f"of the posterior of momentum, {region.holds(momentum.draws).mean():.2f} lies in that box")
