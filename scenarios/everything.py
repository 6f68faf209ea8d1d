"""What if any of it may be so: every lever of the other scenarios at once, each wide enough to do nothing at all?

Made to be taken apart: which lever moves the answer (``sim.explore``), and how much doubt they add together.
"""

import sim
from sim.cli import main
from sim.hazards import Baseline, Calendar, CutOff, Momentum, PullBack, Reserves
from sim.priors import LogNormal, Normal

BASE = sim.load_scenario("trend_holds")
AIR_ENDS, RALLY, REGROUPED = "2021-09-01", "2021-08-13", "2021-08-20"
MILITIAS = ("Balkh", "Panjshir")
KEPT, HALF = ("Kabul", "Kandahar", "Balkh", "Nangarhar"), 17


def pull_back() -> PullBack:
    """Return the term of the consolidation, the same for seizures and falls."""
    return PullBack(KEPT, after=HALF, hold=Normal(-0.7, 1.0), abandon=Normal(0.7, 1.0))


def militias() -> Calendar:
    """Return the term of the counter-offensive's militias, the same for seizures and falls."""
    return Calendar(RALLY, None, Normal(-0.5, 1.0), provinces=MILITIAS, label="militias")


SCENARIO = BASE.but(
    name="everything",
    title="Everything: what if air power ends, forces rally, retake or pull back, and capitals are handed over?",
    families=("siege",),
    levers={
        "seizure": Momentum(Normal(0.0, 2.0), window=3) * militias() * pull_back(),
        "fall": Calendar(AIR_ENDS, None, Normal(0.5, 1.0), label="air_ends") * militias() * pull_back(),
        "relief": Calendar(AIR_ENDS, None, Normal(-0.5, 1.0), label="air_ends")
        * Calendar(RALLY, None, Normal(0.5, 1.0), label="rally")
        * CutOff(Normal(-0.5, 1.0))
        * Reserves(LogNormal(8, 1.5)),
        "recapture": Baseline(LogNormal(1 / 500, 2.0))
        * Calendar(None, REGROUPED, -50.0, label="not_yet")
        * Calendar(AIR_ENDS, None, Normal(-0.5, 1.0), label="air_ends"),
    },
    facts={
        "F6": "The loss of Ghazni cuts a crucial highway between Kabul and the southern provinces",
        "F11": "The government may be forced to pull back to defend the capital and just a few other cities",
        "F12": "suspected US air strikes pounded the area, surrounded government forces held on",
        "F13": "President Ghani tries to rally a counter-offensive on special forces, the militias of warlords and "
        "American air power",
        "F14": "The US and NATO withdrawal ends at the end of the month (31 August)",
    },
    arguments={
        "families": "the one family that every lever can act on",
        "seizure.momentum.3d": "either way from nothing: the family learned its pace from a week that had this in it, "
        "so only a change is left to guess, some 1.3 times at the start (five captures of 34 in three days)",
        "seizure.calendar.militias": "the mean of the counter-offensive, its doubt doubled",
        "seizure.pullback.hold": "the mean of the consolidation, its doubt doubled",
        "seizure.pullback.abandon": "the mean of the consolidation, its doubt doubled",
        "fall.calendar.air_ends": "the mean of the end of air power, its doubt doubled",
        "fall.calendar.militias": "the mean of the counter-offensive, its doubt doubled",
        "fall.pullback.hold": "the mean of the consolidation, its doubt doubled",
        "fall.pullback.abandon": "the mean of the consolidation, its doubt doubled",
        "relief.calendar.air_ends": "the mean of the end of air power, its doubt doubled",
        "relief.calendar.rally": "the mean of the counter-offensive, its doubt doubled",
        "relief.cutoff": "no reserves by a road that is cut (F6): 0.6 times as fast, a guess, 0.1 to 3 (5%-95%)",
        "relief.reserves": "from fewer than one capital at a time to more than are ever contested, which is no limit",
        "recapture.baseline": "from less than one recapture in half a year anywhere, hardly any, to one of each lost "
        "capital in some 20 days (5%-95%)",
        "recapture.calendar.not_yet": "exp(-50) is none, as in the counter-offensive",
        "recapture.calendar.air_ends": "the mean of the counter-offensive, its doubt doubled",
    },
    readings=(*BASE.readings, "the pull-back is ordered when 17 capitals are lost at once, and stays"),
)  # fmt: skip

if __name__ == "__main__":
    raise SystemExit(main(SCENARIO))
