"""If current trends hold, when does Kabul come under pressure, and when is the country under full control?

The plainest reading: each capital still held falls at the week's constant pace, alone. Others are built on it.
"""

from sim.cli import main
from sim.scenario import Scenario

SCENARIO = Scenario(
    name="trend_holds",
    title="Current trends hold: when would Kabul come under pressure at the week's constant pace?",
    seen_from="2021-08-12",
    families=("constant",),
    facts={
        "F2": "11 of 34 provincial capitals are held by the insurgents",
        "F5": "It was a week-long sweep: nine other capitals fell in the week before",
        "F7": "Kabul itself is not directly under threat at that moment",
        "F9": "The latest US military intelligence assessment: Kabul could come under insurgent pressure within 30 "
        "days",
        "F10": "if current trends hold, full control of the country within a few months",
    },
    source="Associated Press, story on the fall of Herat, 12 August 2021",
    arguments={
        "families": "a trend that holds is one pace, the same for every capital: nothing spreads, tires or gathers way",
        "seen_from": "the evening of the article, day 7 of the week it tells of (F5); later facts calibrate nothing",
    },
    readings=(
        "'could … within 30 days' is read as a median of 30 days",
        "'within a few months' is read as a median between 60 and 120 days",
        "'pressure' is left open by the article: six definitions are shown side by side",
        "control of a capital stands for control of its province",
    ),
)

if __name__ == "__main__":
    raise SystemExit(main(SCENARIO))
