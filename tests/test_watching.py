"""Folding a log into what is watched, held against asking every watch about control after every event."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from conftest import nightly
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.control import TRANSITIONS
from sim.law import Watch
from sim.watching import fold_log, watches_of

NAMES = tuple(TRANSITIONS)


@st.composite
def walks(draw: st.DrawFn) -> tuple[list[Watch], list[list[int]], list[list[tuple[int, int]]]]:
    """Draw watches, and for each replication control at the start and events: province and transition."""
    n = draw(st.integers(1, 8))
    size = draw(st.sampled_from([2, 50, 10**6, 10**15]))
    weight = st.integers(-size, size)
    watches = [
        Watch(np.array(draw(st.lists(st.tuples(weight, weight, weight), min_size=n, max_size=n))), draw(weight))
        for _ in range(draw(st.integers(0, 12)))
    ]
    starts = draw(st.lists(st.lists(st.integers(0, 2), min_size=n, max_size=n), min_size=1, max_size=4))
    walked = []
    for start in starts:
        control, events = list(start), []
        for _ in range(draw(st.integers(0, 20))):
            p = draw(st.integers(0, n - 1))
            r = draw(st.sampled_from([r for r, name in enumerate(NAMES) if TRANSITIONS[name].source == control[p]]))
            control[p] = int(TRANSITIONS[NAMES[r]].target)
            events.append((p, r))
        walked.append(events)
    return watches, starts, walked


@settings(max_examples=nightly(1000), deadline=None)
@given(walks())
def test_a_watch_holds_for_the_first_time_when_control_says_so(told: Any) -> None:
    watches, starts, walked = told
    expected = np.full((len(watches), len(starts)), np.inf)
    for i, (start, events) in enumerate(zip(starts, walked, strict=True)):
        control = np.array(start, np.int8)
        for e, (p, r) in enumerate([(0, -1), *events]):
            if r >= 0:
                control[p] = TRANSITIONS[NAMES[r]].target
            for k, watch in enumerate(watches):
                if watch.holds(control):
                    expected[k, i] = min(expected[k, i], 0.5 * e)
    offsets = np.concatenate([[0], np.cumsum([len(events) for events in walked])])
    columns = np.array([event for events in walked for event in events], int).reshape(-1, 2)
    days = np.array([0.5 * e for events in walked for e in range(1, len(events) + 1)])

    times, _ = fold_log(
        watches, NAMES, np.array(starts, np.int8), offsets, days, columns[:, 0].astype(np.int32),
        columns[:, 1].astype(np.int8), horizon=30.0,
    )  # fmt: skip

    assert expected.tolist() == times.tolist()


def test_a_threshold_may_be_a_number_of_numpy() -> None:
    alone = Watch(np.array([[0, 0, 1]]), np.int64(1))
    log = np.zeros((1, 1), np.int8), np.array([0, 1]), np.array([0.5]), np.zeros(1, np.int32), np.zeros(1, np.int8)

    assert [[0.5]] == fold_log([alone], ("seizure",), *log, horizon=1.0)[0].tolist()


def test_weights_that_no_word_holds_are_refused() -> None:
    watch = Watch(np.full((2, 3), 2**62), -(2**62))

    with pytest.raises(
        ValueError, match=r"^watch: sums of weights, less the threshold, must be below 2\*\*63, but rea"
    ):
        watches_of([watch], NAMES, 2)
