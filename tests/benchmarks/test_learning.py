"""How fast a record is weighed: the filter of hidden contests beside the same functions in plain Python.

Run with ``pytest -m benchmark -s tests/benchmarks``.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from types import ModuleType

import numpy as np
import pytest
from benchmarks.measuring import Row, Runner, Table, in_turn

import sim
from sim import contests, stand_in, subsets
from sim.families import siege
from sim.hours import plan
from sim.lenses import lens_of
from sim.likelihood import from_scores, likelihood
from sim.lowering import lower
from sim.observations import captures_of, chosen_hours, sightings_of

pytestmark = pytest.mark.benchmark

ROWS = 640  # values of the parameters a round, of compiled code; plain Python weighs one


@pytest.fixture(scope="module")
def table() -> Iterator[Table]:
    table = Table()
    yield table
    print(f"\n\n{table}")


def uncompiled(module: ModuleType, **known: object) -> ModuleType:
    """Return *module* with its own functions left as Python, and those of others that it *known* to be so."""
    source = inspect.getsource(module).replace("from sim.compiled import entry, inner", "entry = inner = lambda f: f")
    plain = ModuleType(f"plain_{module.__name__.rpartition('.')[2]}")
    plain.__dict__["__name__"] = module.__name__  # dataclasses look their module up
    exec(compile(source, module.__file__ or "", "exec"), plain.__dict__)
    plain.__dict__.update(known)
    return plain


class Week:
    """The real week under siege, weighed at so many points of the unknown hours, compiled or not."""

    def __init__(self, points: int) -> None:
        self.model = siege(sim.load_theatre("afghanistan_2021"))
        self.record = self.model.theatre.record.until("2021-08-12")
        seen, _ = sightings_of(self.model, self.record)
        captures = captures_of(self.model, self.record, seen)
        u = chosen_hours(captures, points, 7, 0)
        self.law, self.lens = lower(self.model, self.record.start), lens_of(self.model, np.ones((34, 2)))
        self.plan = plan(34, captures, seen, [], 7.0, u)
        self.stand_in = stand_in.stand_in(subsets.stages(34, captures, [], 7.0), captures, seen, u)
        self.points = points
        free = len(self.model.free)
        self.values = from_scores(self.model, 0.3 * np.random.default_rng(1).standard_normal((ROWS, free)))

    def weigh(self, filters: ModuleType, stands: ModuleType) -> Callable[[np.ndarray], np.ndarray]:
        def function(values: np.ndarray) -> np.ndarray:
            found = filters.filtered(self.law, self.plan, self.lens, values)
            if self.points == 1:
                return found
            return found + stands.correction(self.law, self.stand_in, self.lens, values)

        return function


@pytest.mark.parametrize("points", [1, 32])
def test_a_siege_week_is_weighed(table, points):
    week = Week(points)
    plain_contests = uncompiled(contests)
    plain_stand_in = uncompiled(
        stand_in, advance=plain_contests.advance, closed_form=plain_contests.closed_form
    )  # fmt: skip
    compiled, plain = week.weigh(contests, stand_in), week.weigh(plain_contests, plain_stand_in)
    assert plain(week.values[:1]) == pytest.approx(compiled(week.values[:1]), abs=1e-10)
    if points > 1:
        shipped = likelihood(week.model, week.record, seed=7, points=points)
        assert shipped(week.values).tolist() == compiled(week.values).tolist()
    what = "one set of times" if points == 1 else f"{points} sets of times and their stand-in"
    here, there = f"siege week, {what}: compiled", f"siege week, {what}: plain Python"
    timings = in_turn({
        here: Runner(lambda _: compiled(week.values), lambda found: (len(found), None)),
        there: Runner(lambda _: plain(week.values[:1]), lambda found: (len(found), None)),
    })  # fmt: skip
    table.add(Row(f"siege week, {what}: compiled to plain Python", here, there, timings, at_least=50.0))
