"""Tell one run as a story: which capital changed hands when, and what each term had to do with it.

What share of the first losses is momentum, and what share is being cut off from Kabul?
"""

import sim
from sim.families import siege

theatre = sim.load_theatre("afghanistan_2021")
start = theatre.record.until("2021-08-12").state()
model = siege(theatre)
rates = {
    "seizure.baseline": 0.01, "seizure.momentum": 1.5, "seizure.cutoff": 0.7,
    "assault.baseline": 0.05, "assault.neighbours.border": 0.9, "assault.neighbours.road": 0.9,
    "fall.baseline": 0.12, "fall.momentum": 1.0, "fall.cutoff": 0.7, "relief.baseline": 0.06, "start.contested": 0.05,
}  # fmt: skip
ensemble = sim.simulate(model, rates, start=start, horizon=4, replications=100, seed=5)

story = ensemble.replay(replication=41)
print(story)
lost = [event for event in story.events if event.target is sim.Control.INSURGENT]
for term in ("momentum", "cutoff"):
    print(
        f"{term}: {sum(event.shares[term] for event in lost) / len(lost):.2f} of the hazard at the losses, on average"
    )
