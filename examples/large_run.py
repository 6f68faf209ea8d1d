"""A large run: only what is asked is kept, parts go to a folder, and it stops when it is precise enough.

How likely is it that half the ring around Kabul is lost within 7 days, to a hundredth?
"""

import tempfile
from pathlib import Path

import sim
from sim.families import contagion
from sim.outcomes import Captured, Pressure

theatre = sim.load_theatre("afghanistan_2021")
start = theatre.record.until("2021-08-12").state()
model = contagion(theatre)
ring = Pressure("half_ring")
run = {"start": start, "horizon": 60, "seed": 11}
folder = Path(tempfile.mkdtemp())

# Stopped in any way and called again, this goes on from the parts in the folder, and ends with the same bits.
passages = sim.simulate(
    model, model.draw_prior(20_000, seed=11), **run, record="outcomes", outcomes=[ring, Captured(20)],
    until=sim.Precision(ring, within=7, half_width=0.01), into=folder / "parts",
)  # fmt: skip
print(f"{len(passages):,} replications, chosen by the precision asked for")
print(f"half the ring lost within 7 days: {ring(passages).probability(within=7).value:.2f}")
print(f"on day 7, {passages.lost[7, 20:].sum() / len(passages):.2f} of them have lost 20 capitals or more")

# Any replications can be run apart, by anybody, and put together.
draws = model.draw_prior(1_000, seed=11)
first = sim.simulate(model, draws, **run, replications=range(600))
second = sim.simulate(model, draws, **run, replications=range(600, 1_000))
whole = sim.merge(first, second)
at_once = sim.simulate(model, draws, **run, replications=1_000)
print(f"run apart and at once are the same: {whole.digest == at_once.digest}")

# One netCDF file holds the events and all it takes to make them again.
whole.save(folder / "week.nc")
print(f"opened again: {sim.open_ensemble(folder / 'week.nc')}")
print(f"made again from the file alone: {sim.rerun(folder / 'week.nc').digest == whole.digest}")
lost = whole.to_xarray(days=[0, 7, 30]).control == sim.Control.INSURGENT
print(f"Kabul lost by days 0, 7 and 30: {lost.sel(province='Kabul').mean('replication').values.round(2)}")
