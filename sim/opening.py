"""A race set up: a model, a start and a seed written out as what the ledger reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim import law as _law
from sim.book import BLOCK, CLOCKS, STOP, TRACK, Book, Log, new_log
from sim.compiled import entry
from sim.control import TRANSITIONS, Control, State
from sim.ledger import Opening
from sim.lowering import lower
from sim.model import Model
from sim.moves import place
from sim.streams import key_of, name_key

__all__ = ["Parts", "new_parts"]


class Parts(NamedTuple):
    """All that a race is made of."""

    law: _law.Law
    opening: Opening
    now: _law.Situation
    book: Book
    log: Log


def new_parts(model: Model, start: State, seed: int, *, room: int = 4096, shares: bool = False) -> Parts:
    """Return the parts of a race of *model* from *start*.

    The log has *room* for so many events at first, and columns for each term's share of the hazard if *shares*.
    """
    law = lower(model, start.instant)
    now = _law.fresh(law)
    columns = int(np.max(np.diff(law.ends))) + 1 if shares else 0
    book = _book(law, len(model.parameters))
    return Parts(law, _opening(model, start, seed, law), now, book, new_log(room, columns))


def _book(law: _law.Law, parameters: int) -> Book:
    transitions, n = law.track.shape
    blocks = -(-n // BLOCK)
    due = np.full((len(law.transition), blocks * BLOCK), np.inf)
    clock = np.zeros((transitions, n), CLOCKS)
    clock["track"] = law.track
    return Book(
        values=np.zeros(parameters), clock=clock, budget=np.zeros(n), due=due,
        order=due.view(np.int64).reshape(len(due), blocks, BLOCK),
        low=np.zeros((len(due), blocks), np.int64), track=np.zeros(len(due), TRACK), stop=np.zeros(1, STOP),
    )  # fmt: skip


def _keys(names: Sequence[Sequence[str]], what: str) -> NDArray[np.uint64]:
    """Return the key of each name. Raise a ValueError if two share one (about 1 in 2**64 per pair)."""
    keys = [name_key(*name) for name in names]
    if len(set(keys)) != len(keys):
        raise ValueError(f"{what}: two names share a 64-bit key; rename one of {names!r}")
    return np.array(keys, np.uint64)


@entry
def _place(law: _law.Law, now: _law.Situation, control: NDArray[np.int8], taken: NDArray[np.float64]) -> None:
    place(law, now, control, taken, 0.0)


def _opening(model: Model, start: State, seed: int, law: _law.Law) -> Opening:
    theatre = model.theatre
    n = len(theatre.provinces)
    control = np.zeros(n, np.int8)
    for province, held in start.control.items():
        seen = held if model.leaves_contested or held is not Control.CONTESTED else Control.GOVERNMENT
        control[theatre.index(province, "start")] = seen
    home = _law.fresh(law)
    _place(law, home, control, np.full(n, -np.inf))
    sighted = {theatre.index(province, "start") for province in start.sighted}
    past = sorted((theatre.index(past.province, "start"), past.earliest, past.latest) for past in start.past)
    if not len(law.window):  # only windows ask how long ago
        past = []
    clocks = [(province, transition) for transition in model.hazards for province in theatre.provinces]
    frailties = [
        (province, transition, name) for transition, names in model.terms.items() for name in names
        for province in theatre.provinces if name.startswith("frailty")
    ]  # fmt: skip
    names = tuple(model.parameters)
    unseen = np.flatnonzero(control == Control.GOVERNMENT).astype(np.uint32)
    return Opening(
        home=home, sources=np.array([TRANSITIONS[name].source in control for name in model.hazards], np.uint8),
        contested=np.array([names.index("start.contested") if "start.contested" in names else -1]),
        unseen=unseen[~np.isin(unseen, sorted(sighted))],
        past=np.array([p for p, _, _ in past], np.uint32), earliest=np.array([e for _, e, _ in past], float),
        latest=np.array([late for _, _, late in past], float),
        key=np.array([key_of(seed, purpose) for purpose in ("clock", "history", "start", "frailty")]),
        clock=_keys(clocks, "clocks").reshape(-1, n),
        province=_keys([(province,) for province in theatre.provinces], "provinces"),
        frailty=_keys(frailties, "frailties").reshape(-1, n),
    )  # fmt: skip
