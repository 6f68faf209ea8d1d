"""What if the sweep spreads: capitals fall faster next to what is lost, by border and by road?"""

import sim
from sim.cli import main

BASE = sim.load_scenario("trend_holds")

SCENARIO = BASE.but(
    name="contagion",
    title="Contagion: what if capitals fall faster the more of their neighbours are lost?",
    families=("contagion",),
    facts={
        "F6": "The loss of Ghazni cuts a crucial highway between Kabul and the southern provinces, which are under "
        "assault too",
    },
    arguments={
        "families": "a sweep (F5) in which what is lost endangers what is next to it (F6); how much is learned from "
        "the week, from HalfNormal(1) for borders and for roads: nothing at all is as likely as anything",
    },
)  # fmt: skip

if __name__ == "__main__":
    raise SystemExit(main(SCENARIO))
