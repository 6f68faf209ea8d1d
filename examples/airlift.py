"""Put a SimPy process of one's own beside the race: ten quiet days for Kabul.

Does an airlift that holds off assaults on Kabul for ten days move the day the city is contested?
"""

import sim
from sim.families import siege
from sim.outcomes import Pressure


def airlift(world):
    yield world.env.timeout(2)
    world.scale("Kabul", "assault", 0.1)  # ten quiet days
    yield world.env.timeout(10)
    world.scale("Kabul", "assault", 1.0)


theatre = sim.load_theatre("afghanistan_2021")
start = theatre.record.until("2021-08-12").state()
model = siege(theatre)
draws = model.draw_prior(500, seed=3)

plain = sim.simulate(model, draws, start=start, horizon=30, replications=2_000, seed=3)
lifted = sim.simulate(
    model, draws, start=start, horizon=30, replications=2_000, seed=3, engine=sim.SimPyEngine(processes=[airlift])
)
for days in (7, 14, 30):
    before = Pressure("assault")(plain).probability(within=days)
    after = Pressure("assault")(lifted).probability(within=days)
    print(
        f"Kabul contested or lost within {days:2d} days: {before.value:.2f} without, {after.value:.2f} with the airlift"
    )
