"""How probable was the thirty-day assessment of 12 August 2021, and under which assumptions?

Every model class is calibrated to the week that the article knew and projected from that evening.
"""

from sim.cli import main
from sim.scenario import Scenario

SCENARIO = Scenario(
    name="thirty_days",
    title="The thirty-day question: when would Kabul come under pressure, and the country under full control?",
    seen_from="2021-08-12",
    facts={
        "F2": "11 of 34 provincial capitals are held by the insurgents",
        "F5": "a week-long sweep, 6 to 12 August: the calibration window",
        "F6": "the loss of Ghazni cuts the highway between Kabul and the south: roads, and capitals cut off",
        "F7": "Kabul itself is not directly under threat: it starts government-held and not contested",
        "F9": "assessment: Kabul could come under insurgent pressure within 30 days",
        "F10": "assessment: full control within a few months, if current trends hold",
        "F12": "Lashkar Gah is contested",
    },
    source="Associated Press, story on the fall of Herat, 12 August 2021",
    readings=(
        "'could … within 30 days' is read as a median of 30 days",
        "'within a few months' is read as a median between 60 and 120 days",
        "'pressure' is left open by the article: six definitions are shown side by side",
        "control of a capital stands for control of its province",
        "the families are weighted equally in the pooled answer",
    ),
)

if __name__ == "__main__":
    raise SystemExit(main(SCENARIO))
