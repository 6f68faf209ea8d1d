"""What a record says of a rate: the likelihood that fits it, its maximum, and its error.

The same week as a number, as dates, with hidden contests, and as the week that its first capture opened.
"""

import numpy as np

import sim
from sim.families import constant, contagion, siege
from sim.hazards import Baseline, Custom
from sim.likelihood import likelihood
from sim.maxima import maximum_likelihood, profile_interval

theatre = sim.load_theatre("afghanistan_2021")
week = theatre.record.until("2021-08-12")

# A number alone, 11 of 34 in seven days: binomial, so the best pace is known in closed form.
model = constant(theatre)
pace = maximum_likelihood(model, week.as_count())["seizure.baseline"]
low, high = profile_interval(model, week.as_count(), "seizure.baseline")
print(f"11 of 34 in 7 days: {pace:.6f} a day and capital, 95% from {low:.4f} to {high:.4f}")
print(f"closed form:        {-np.log(1 - 11 / 34) / 7:.6f}")

# Dates say more: when, in which order, and next to whom.
for window in (None, "first capture"):
    best = maximum_likelihood(model, week, window_opened_by=window)["seizure.baseline"]
    print(f"dated captures, window opened by {window}: {best:.4f}")

# The same call picks the way that fits the model, and says which and how exact it is.
for build in (contagion, siege):
    weight = likelihood(build(theatre), week, seed=7)
    middle = [prior.from_score(0.0) for prior in weight.model.parameters.values()]
    print(f"{weight.model.name}: {weight.text}")
    print(f"  at the priors' medians {weight(middle)[0]:.2f}, error {weight.error(middle):.3f}")

# What it cannot weigh is refused by name, with the way out.
try:
    likelihood(sim.Model(theatre, {"seizure": Baseline(0.1) * Custom(lambda day, control, province: 1.0)}), week)
except ValueError as refused:
    print(refused)
