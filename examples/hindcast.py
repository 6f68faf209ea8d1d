"""Two families scored on what followed two evenings, beside rivals and what officials said.

Both families have an exact chain, so nothing is simulated and the log scores reach below what simulation could resolve.
Families and priors were chosen by people who knew the outcome.
"""

import sim

theatre = sim.load_theatre("afghanistan_2021")
result = sim.checks.hindcast(
    ["constant", "momentum"], theatre, origins=["2021-08-10", "2021-08-12"], horizons=[3, 7], seed=7, draws=200
)

print("capitals held three days after the evening, log score (press count)")
for row in result.rows:
    if (row.subject, row.score, row.basis, row.horizon) == ("capitals", "log", "press", 3):
        print(f"  {row.origin}  {row.forecaster:<15}  {row.value:.2f}")

print("\nwhat officials said on 12 August of pressure on Kabul, by what 'could' means (days to half of its ring lost)")
for row in result.standings:
    if (row.subject, row.score, row.basis, row.beside) == ("half_ring", "crps", "press", "assessments"):
        print(f"  {row.forecaster:<15}  {row.reading:<21}  CRPS {row.mean:5.2f}")
