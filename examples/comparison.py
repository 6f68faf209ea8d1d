"""Compare two scenarios with the same draws and the same streams: as things went, and with air support around Kabul.

Do ten days of air support move the day half the ring around Kabul is lost, and which capital shows it first?
"""

import sim
from sim.hazards import Calendar
from sim.outcomes import Captured, Pressure
from sim.priors import Normal

trend = sim.Scenario("trend", "As things went", families=("constant", "momentum"))
ring = ("Kapisa", "Laghman", "Logar", "Nangarhar", "Parwan", "Wardak")
lever = Calendar("2021-08-15", "2021-08-25", Normal(-0.7, 0.2), provinces=ring, label="air")
air = trend.but("air", "Ten days of air support", levers={"seizure": lever})

found = sim.compare(
    trend, air, outcome=[Pressure("half_ring"), Captured(20)], within=[7, 14], seed=7, replications=4_000, why=True
)
print(found.summary())

pooled = found.of(family="pooled")[1]
print(f"\nP({pooled.outcome} within {pooled.within_days:g} days) moves by {pooled.difference:+.3f}, ", end="")
print(f"95% {pooled.low:+.3f} to {pooled.high:+.3f}")
print(f"Independent runs as precise would take {pooled.variance_ratio:.0f} times as many replications and draws.")

# One parting, told: until then both replications are one history.
first = found.why[0].each[0]
cause, share = first.causes[0]
print(f"Replication {first.replication} parts on day {first.day:.1f}: {first.province} falls in {first.where} alone.")
print(f"Its cause is {cause}, by {share:.0%}.")
