"""What if the counter-offensive is rallied: special forces, militias of warlords, American air power while it lasts?

Contested capitals are relieved sooner, but reserves are limited; two provinces have militias; from 20 August on lost
capitals may be retaken; and air power ends on 31 August, as in the scenario this one is built on.
"""

import sim
from sim.cli import main
from sim.hazards import Baseline, Calendar, Reserves
from sim.priors import LogNormal, Normal

BASE = sim.load_scenario("air_power_ends")
RALLY = "2021-08-13"  # the first moment of the projection
REGROUPED = "2021-08-20"
# The theatre has no column of militias. Named here are those a source places, in government hands on 12 August: Balkh
# (AFP, 11 August 2021: the president with Atta Mohammad Noor and Abdul Rashid Dostum in Mazar-i-Sharif) and Panjshir
# (TOLOnews, 5 July 2021: Ahmad Massoud's front). Ismail Khan's Herat is lost (F1). Others there were are left out.
MILITIAS = ("Balkh", "Panjshir")

SCENARIO = BASE.but(
    name="counter_offensive",
    title="The counter-offensive: what if special forces, militias and air power relieve and retake capitals?",
    levers={
        "relief": Calendar(RALLY, None, Normal(0.5, 0.5), label="rally") * Reserves(LogNormal(4, 0.7)),
        "seizure": Calendar(RALLY, None, Normal(-0.5, 0.5), provinces=MILITIAS, label="militias"),
        "fall": Calendar(RALLY, None, Normal(-0.5, 0.5), provinces=MILITIAS, label="militias"),
        "recapture": Baseline(LogNormal(1 / 150, 1.0))
        * Calendar(None, REGROUPED, -50.0, label="not_yet")
        * Calendar("2021-09-01", None, Normal(-0.5, 0.5), label="air_ends"),
    },
    facts={
        "F1": "Herat, the third-largest city, was taken on Thursday night",
        "F13": "President Ghani tries to rally a counter-offensive on special forces, the militias of warlords and "
        "American air power",
    },
    arguments={
        "relief.calendar.rally": "the siege family has relief once in some 17 days after the week; Kunduz was given up "
        "after 15 days (28 September to 13 October 2015, New York Times), Ghazni cleared in 5 (10 to 15 August 2018, "
        "Time), both with American air strikes and special forces: one to three times, so 1.6 times, 0.7 to 3.8",
        "relief.reserves": "capitals that special forces can relieve at once: a guess, 4 (1.3 to 13). Kunduz and "
        "Ghazni each had them alone. If more can, relief is faster than said; the siege family alone has no limit",
        "seizure.calendar.militias": "0.6 times as fast, 0.3 to 1.4: argued as for the fall",
        "fall.calendar.militias": "0.6 times as fast, 0.3 to 1.4: Herat, with Ismail Khan's militia, was contested for "
        "some 14 days (contested.csv) where the week's falls take some 8: one case, and it fell",
        "recapture.baseline": "one Kunduz of 2015, 15 days, at a time among the eleven lost is 1/165 per capital and "
        "day; rounded, and e-fold either way. Wrong, it moves full control most: each retaking undoes a fall",
        "recapture.calendar.not_yet": "exp(-50) is none: nothing is retaken before 20 August. A week to regroup is a "
        "guess; earlier, more is retaken before Kabul is reached",
        "recapture.calendar.air_ends": "0.6 times as fast, 0.3 to 1.4: Kunduz was retaken with air strikes (and Ghazni "
        "cleared); as uncertain as for relief",
    },
)  # fmt: skip

if __name__ == "__main__":
    raise SystemExit(main(SCENARIO))
