"""What if capitals are handed over, the sooner the more were handed over or taken in the days before?

The siege family, but seizures, those captures that need no siege, go with the captures of the last three days and not
with all that is lost: bargains follow news. Falls of contested capitals are as in the siege family.
"""

import sim
from sim.cli import main
from sim.hazards import Baseline, CutOff, Momentum, Neighbours
from sim.priors import HalfNormal, LogNormal

BASE = sim.load_scenario("trend_holds")

SCENARIO = BASE.but(
    name="negotiated",
    title="Negotiated: what if capitals are handed over without a siege, faster after days of many captures?",
    families=("negotiated",),
    models={
        "negotiated": {
            "seizure": Baseline(LogNormal(1 / 100, 1.0))
            * Momentum(HalfNormal(4.0), window=3)
            * CutOff(HalfNormal(1.0)),
            "assault": Baseline(LogNormal(1 / 60, 1.0))
            * Neighbours(HalfNormal(1.0), via="border")
            * Neighbours(HalfNormal(1.0), via="road"),
            "fall": Baseline(LogNormal(1 / 10, 1.0)) * Momentum(HalfNormal(2.0)) * CutOff(HalfNormal(1.0)),
            "relief": Baseline(LogNormal(1 / 10, 1.0)),
        },
    },
    facts={
        "F1": "defensive lines collapsed in the afternoon; sporadic gunfire near one government building",
        "F4": "Ghazni, near Kabul, was captured earlier the same day",
    },
    arguments={
        "negotiated.seizure.momentum.3d": "of the week's eleven two were unopposed (Nimroz, Samangan) and two mixed "
        "(Ghazni, whose governor gave in, and Herat), by captures.csv: handing over is real. Three days is a guess at "
        "how long news counts; 4 is twice the momentum family's scale, as a window holds fewer captures: weeks drawn "
        "from the priors have median 5, none 0.06, thirty or more 0.08, within the house rule",
        "negotiated.seizure.baseline": "as in the siege family, and so are all parameters below",
        "negotiated.seizure.cutoff": "as in the siege family",
        "negotiated.assault.baseline": "as in the siege family",
        "negotiated.assault.neighbours.border": "as in the siege family",
        "negotiated.assault.neighbours.road": "as in the siege family",
        "negotiated.fall.baseline": "as in the siege family",
        "negotiated.fall.momentum": "as in the siege family",
        "negotiated.fall.cutoff": "as in the siege family",
        "negotiated.relief.baseline": "as in the siege family",
    },
)  # fmt: skip

if __name__ == "__main__":
    raise SystemExit(main(SCENARIO))
