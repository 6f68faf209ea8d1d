"""How probable was the thirty-day assessment of 12 August 2021, and under which assumptions?

Every model class is calibrated to the week that the article knew and projected from that evening.
"""

import sim
from sim.cli import main
from sim.families import FAMILIES

BASE = sim.load_scenario("trend_holds")

SCENARIO = BASE.but(
    name="thirty_days",
    title="The thirty-day question: when would Kabul come under pressure, and the country under full control?",
    families=tuple(FAMILIES),
    facts={
        "F6": "The loss of Ghazni cuts a crucial highway between Kabul and the southern provinces",
        "F12": "surrounded government forces held on",
    },
    arguments={"families": "one week cannot choose between model classes, so all four answer"},
    readings=(*BASE.readings, "the families are weighted equally in the pooled answer"),
    beside=(
        "trend_holds", "contagion", "highways_cut", "air_power_ends", "counter_offensive", "consolidation",
        "negotiated", "everything", "as_it_happened",
    ),
)  # fmt: skip

if __name__ == "__main__":
    raise SystemExit(main(SCENARIO))
