"""What if the government pulls back, to defend the capital and just a few other cities?

Once half of the capitals are lost, those kept are harder to take and all others easier.
"""

import sim
from sim.cli import main
from sim.hazards import PullBack
from sim.priors import Normal

BASE = sim.load_scenario("trend_holds")
# "The capital and just a few other cities" (F11): Kandahar, Mazar-i-Sharif and Jalalabad, large cities still held that
# evening. That forces were being drawn to Kabul, other cities, border crossings and infrastructure, which leaves other
# areas unguarded, had been reported in July (Reuters, "As Taliban advances, Afghan military overhauls war strategy").
KEPT = ("Kabul", "Kandahar", "Balkh", "Nangarhar")
HALF = 17  # of 34 lost: a guess at what "may be forced" takes; from 11 it is six more


def pull_back() -> PullBack:
    """Return the term, the same for seizures and for falls of contested capitals."""
    return PullBack(KEPT, after=HALF, hold=Normal(-0.7, 0.5), abandon=Normal(0.7, 0.5))


SCENARIO = BASE.but(
    name="consolidation",
    title="Consolidation: what if the government pulls back to Kabul and a few other cities?",
    families=("siege",),
    levers={"seizure": pull_back(), "fall": pull_back()},
    facts={
        "F11": "The government may be forced to pull back to defend the capital and just a few other cities",
    },
    arguments={
        "families": "defending a city is a contest, which only this family has; whom to attack stays the attackers' "
        "choice, so assaults are left alone",
        "seizure.pullback.hold": "half as fast, 0.2 to 1.1 (5%-95%): as if the pace went with one over the garrison, "
        "and garrisons of kept cities doubled. A guess: nothing was found that measures it",
        "seizure.pullback.abandon": "twice as fast, 0.9 to 4.6: a garrison halved, by the same guess. If whole "
        "garrisons leave, the towns go at once and this is far too little",
        "fall.pullback.hold": "as for seizures",
        "fall.pullback.abandon": "as for seizures",
    },
    readings=(*BASE.readings, "the pull-back is ordered when 17 capitals are lost at once, and stays"),
)

if __name__ == "__main__":
    raise SystemExit(main(SCENARIO))
