"""Who was right when? Every family calibrated on what was known each evening of 7 to 14 August 2021, and scored.

Families and priors were chosen by people who knew the outcome.
"""

from sim.cli import alone

if __name__ == "__main__":
    raise SystemExit(alone("hindcast", "hindcast.py"))
