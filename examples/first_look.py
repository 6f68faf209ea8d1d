"""Calibrate a model of one's own to the week and ask when Kabul comes under pressure.

How much of the answer is the road, how much the momentum, and how much the prior?
"""

import sim
from sim.hazards import Baseline, Momentum, Neighbours
from sim.outcomes import Pressure
from sim.priors import HalfNormal, LogNormal

theatre = sim.load_theatre("afghanistan_2021")
week = theatre.record.until("2021-08-12")  # what the article knew: 11 of 34

model = sim.Model(theatre, {
    "seizure": Baseline(LogNormal(median=1 / 60, sigma=1.0))
    * Neighbours(HalfNormal(1.0), via="road")
    * Momentum(HalfNormal(2.0)),
})  # fmt: skip
posterior = sim.calibrate(model, week, seed=7)
ensemble = sim.simulate(model, posterior, start=week.state(), horizon=180, replications=4_000, seed=7)

kabul = Pressure("half_ring")(ensemble)
print("half of the ring around Kabul lost")
for days in (3, 7, 14, 30):
    print(f"  within {days:2d} days: {kabul.probability(within=days)}")
print(f"  median: day {kabul.median:.1f}; censored {kabul.censored:.2f}")
