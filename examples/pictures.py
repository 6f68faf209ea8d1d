"""The pictures of a scenario's result: how far from the answer may a picture be read, and what do its bands cover?

Two quick families, drawn into a folder that goes away. With a folder (docs/pictures) it makes the README's instead.
"""

import sys
import tempfile

import sim
from sim import plots

SCENARIO = sim.load_scenario("thirty_days")

if len(sys.argv) > 1:
    result = SCENARIO.run(seed=2021, replications=10_000)
    for path in plots.save_pictures(
        result, sys.argv[1], formats=("png",), pictures=("capitals_by_day", "survival", "capture_maps")
    ):
        print(path)
else:
    quick = SCENARIO.but("quick", "Two quick families", families=("constant", "momentum"), horizon=45.0)
    result = quick.run(seed=1, replications=400)
    with tempfile.TemporaryDirectory() as folder:
        for path in plots.save_pictures(result, folder, formats=("png",), dpi=60):
            print(path.name)
    # Each function takes axes, or makes them, and gives them back: what is drawn can be asked for.
    ax = plots.capitals_by_day(result, family="constant", days=14)
    print(ax.get_ylabel(), "|", ax.get_xlabel())
    for text in ax.get_legend().get_texts():
        print(" ", text.get_text())
    ax = plots.survival(result)
    for text in ax.get_legend().get_texts():
        print(" ", text.get_text().replace("\n", " "))
