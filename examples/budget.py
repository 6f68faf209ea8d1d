"""The budget of doubt: how much of it is the model, the definition, the parameters, and chance.

The variance of "pressure by day h", split in that order, and by Shapley shares, where no order matters.
"""

import sim
from sim.outcomes import Pressure

scenario = sim.load_scenario("thirty_days").but(
    "quick", "Three quick families", families=("constant", "contagion", "momentum")
)
memory = {}  # calibrations, so that both budgets share them

found = sim.explore.budget(scenario, days=(3, 7, 14, 30), seed=7, draws=100, replications=100, memory=memory)
print(found.summary())

# Whoever means one thing by pressure, and believes contagion three times as much, has another budget.
mine = sim.explore.budget(
    scenario, days=(7,), seed=7, draws=100, replications=100, memory=memory,
    definitions=[Pressure("half_ring")], weights={"constant": 1, "contagion": 3, "momentum": 1},
)  # fmt: skip
print()
print(mine.summary())

shares = mine.on(7)
known = shares["model family"].sequential + shares["parameters"].sequential
print()
print(f"{known:.2f} of that doubt is want of knowledge; {shares['chance'].sequential:.2f} is chance, whatever is known")
