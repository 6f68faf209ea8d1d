"""What does it matter that Ghazni's loss cuts the highway: is a capital cut off from Kabul the weaker for it?

Contagion with a weakness of capitals cut off, and the siege family, which has one in seizures and in falls. Both may
learn it from the week. Cut off in the evening, by ``sim.severing.cut_off(theatre, theatre.record.until(day).state())``:
on the 7th Sar-e Pol (lost on the 8th), from the 8th Badakhshan (lost on the 11th), from the 9th Balkh (held), from the
11th Badghis, Faryab (both held) and Herat (lost on the 12th). Ghazni's loss cut the south on the last evening, the
12th: Helmand, Kandahar, Uruzgan and Zabul.
"""

import sim
from sim.cli import main
from sim.hazards import Baseline, CutOff, Neighbours
from sim.priors import HalfNormal, LogNormal

BASE = sim.load_scenario("contagion")

SCENARIO = BASE.but(
    name="highways_cut",
    title="Highways cut: what if a capital that no open road joins to Kabul is weaker?",
    families=("contagion_cut", "siege"),
    models={
        "contagion_cut": {
            "seizure": Baseline(LogNormal(1 / 80, 1.0))
            * Neighbours(HalfNormal(1.0), via="border")
            * Neighbours(HalfNormal(1.0), via="road")
            * CutOff(HalfNormal(1.0)),
        },
    },
    facts={
        "F12": "A police headquarters fell in Lashkar Gah (Helmand), a capital teetering toward loss; fighting raged, "
        "suspected US air strikes pounded the area, surrounded government forces held on",
    },
    arguments={
        "contagion_cut.seizure.baseline": "1/80 where contagion has 1/60: with the cut in it, weeks drawn from the "
        "priors then meet the house rule (docs/architecture.md): median 4 captures, none 0.14, thirty or more 0.09",
        "contagion_cut.seizure.neighbours.border": "as in the contagion family",
        "contagion_cut.seizure.neighbours.road": "as in the contagion family",
        "contagion_cut.seizure.cutoff": "as in the siege family: no reserves and no supplies by road weaken (F6), "
        "airlift may make up for a road, so 0 is likeliest; up to 7 times (95%) is a wide guess, and the week hardly "
        "moves it: by sim.severing.cut_off, evening by evening, Sar-e Pol, Badakhshan and Herat were cut off and then "
        "lost, Balkh, Badghis and Faryab cut off and held, and the south was cut on the last evening",
        "families": "with contests the cut can also shorten a siege (F12, a surrounded garrison), so both forms answer",
    },
)  # fmt: skip

if __name__ == "__main__":
    raise SystemExit(main(SCENARIO))
