"""What if the effect of air power ends with the withdrawal, on 31 August?

The week was fought with air strikes, so its pace holds their effect already: nothing changes until 1 September, when
contested capitals fall sooner and are relieved later.
"""

import sim
from sim.cli import main
from sim.hazards import Calendar
from sim.priors import Normal

BASE = sim.load_scenario("trend_holds")
END = "2021-09-01"  # its first moment is the end of 31 August (F14)

# Direction. For sieges: Lashkar Gah held on under strikes (F12); senior Afghan officials told SIGAR that strikes let
# them retake ground, and SIGAR calls the limits put on them the loss of a key advantage (Collapse of the ANDSF,
# interim report, May 2022); air superiority went with winning the decisive battles of wars between states, 1932-2003
# (Saunders and Souva 2020, "Air superiority and battlefield victory", Research & Politics). Against: bombing shifted
# control of hamlets to the insurgents (Kocher, Pepinsky and Kalyvas 2011, doi:10.1111/j.1540-5907.2010.00498.x), and
# strikes in Afghanistan were followed by more attacks for at least 90 days (Lyall 2015, working paper "Bombing to
# Lose?"). Those are of the countryside and of months, so the sign for a siege follows the former, and the sd leaves
# it open.
# Size. No published estimate of how much longer a besieged town holds out was found: 1.6 times is a guess.

SCENARIO = BASE.but(
    name="air_power_ends",
    title="Air power ends: what if contested capitals are weaker once the withdrawal is complete?",
    families=("siege",),
    levers={
        "fall": Calendar(END, None, Normal(0.5, 0.5), label="air_ends"),
        "relief": Calendar(END, None, Normal(-0.5, 0.5), label="air_ends"),
    },
    facts={
        "F12": "fighting raged, suspected US air strikes pounded the area, surrounded government forces held on",
        "F14": "The US and NATO withdrawal ends at the end of the month (31 August)",
    },
    arguments={
        "families": "air strikes bear on contests, which only this family has",
        "fall.calendar.air_ends": "1.6 times as fast, 0.7 to 3.8 (5%-95%); the sign from F12 and SIGAR 2022, with one "
        "chance in six of the contrary (Kocher et al. 2011, Lyall 2015); the size is a guess. Wrong, it moves only "
        "what still stands on 1 September, day 19",
        "relief.calendar.air_ends": "0.6 times as fast, 0.3 to 1.4 (5%-95%); argued and as uncertain as the fall",
    },
)  # fmt: skip

if __name__ == "__main__":
    raise SystemExit(main(SCENARIO))
