"""How much slower the week would have had to be for the assessment's 30 days to be the median of pressure on Kabul.

Of the count alone there is a closed form to check against; of anything else, and of a lever, only simulation tells.
"""

import sim
from sim.explore import breakeven_table, constant_breakeven
from sim.hazards import Calendar
from sim.outcomes import Pressure
from sim.scenario import Scenario

half_ring = Pressure("half_ring")
plain = Scenario("plain", "The week goes on", families=("constant", "momentum"))

pace = sim.breakeven(plain, half_ring, within=30, family="constant", at="maximum likelihood", seed=7)
print(pace.summary())
theatre = sim.load_theatre(plain.theatre)
start = theatre.record.until(plain.seen_from).state()
print(f"  closed form: {constant_breakeven(half_ring, theatre, start, within=30):.4f} per day and capital")
print()

# Air power that slows seizures by 40% (a factor of exp(-0.5)) until the withdrawal ends: F13, F14.
air = plain.but(
    "air", "Air power until 31 August", levers={"seizure": Calendar("2021-08-13", "2021-08-31", -0.5, label="air")},
)  # fmt: skip
print(breakeven_table(air, [half_ring], within=30, seed=7).summary())
