"""Spread one run over a Dask cluster, here a scheduler and two worker processes on this machine.

Does it matter where a replication is made? Install with ``python -m pip install -e ".[dask]"``.
"""

import sim
from sim.families import contagion
from sim.outcomes import Pressure


def main() -> None:
    from dask.distributed import Client, LocalCluster

    theatre = sim.load_theatre("afghanistan_2021")
    start = theatre.record.until("2021-08-12").state()
    model = contagion(theatre)
    draws = model.draw_prior(500, seed=7)
    asked = {"start": start, "horizon": 60, "replications": 4_000, "seed": 7, "progress": False}

    # Of a real cluster: Client("tcp://scheduler:8786").
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster, Client(cluster) as client:
        spread = sim.simulate(model, draws, executor=client.get_executor(), **asked)
        print(f"on {len(client.scheduler_info()['workers'])} worker processes: {spread}")

    here = sim.simulate(model, draws, **asked)
    print(f"half the ring lost within 7 days: {Pressure('half_ring')(spread).probability(within=7)}")
    print(f"the same bits as in this process: {spread.digest == here.digest}")


if __name__ == "__main__":  # worker processes import this file
    main()
