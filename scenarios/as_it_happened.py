"""What did happen? The record after 12 August, replayed as a run of one, to be asked what the projections are asked."""

import sim
from sim.cli import main

BASE = sim.load_scenario("trend_holds")

SCENARIO = BASE.but(
    name="as_it_happened",
    title="As it happened: the record itself, by the evening on which each capture was first reported",
    follows="press",
    arguments={
        "follows": "the press count is the basis of the article's eleven (F2); by best_date, captures count from their "
        "own day, and Badghis and Kandahar are lost at the first moment",
        "families": "no model is run; the name is the base scenario's",
    },
)  # fmt: skip

if __name__ == "__main__":
    raise SystemExit(main(SCENARIO))
