"""Calibrate to the week, and see whether the draws can be trusted and what they rest on."""

import sim
from sim.families import contagion

theatre = sim.load_theatre("afghanistan_2021")
week = theatre.record.until("2021-08-12")
model = contagion(theatre)

posterior = sim.calibrate(model, week, seed=7)
print(posterior.summary())

# Every fact that entered, with its source.
first = posterior.facts[0]
print(f"{len(posterior.facts)} facts, the first {first['id']}: {first['source'][:48]}…")

# The count alone leaves the sweep's causes open; it is weighed by simulation here, and the summary says so.
count = sim.calibrate(model, week.as_count(), seed=7, draws=200)
for name in model.free:
    print(f"{name:<26} dated {posterior.quantiles(name)[1]:.2f}, count alone {count.quantiles(name)[1]:.2f}")

# A fit that falls short is refused with its figures; ArviZ takes the draws as chains of independent ensembles.
tree = posterior.to_arviz()
print(dict(tree["posterior"].sizes))
