"""A race set up: a model, a start and a seed written out as what the ledger reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim import law as _law
from sim.book import BLOCK, Book, Log, Opening, new_book, new_lanes, new_log
from sim.clocks import Clocks, clocks_of
from sim.compiled import entry
from sim.control import Control, State
from sim.lowering import lower
from sim.model import Model
from sim.moves import place
from sim.streams import key_of, name_key

__all__ = ["Parts", "new_parts"]


#: In lanes, clocks of a track are looked through so many at a time.
_WHOLE = 4


class Parts(NamedTuple):
    """All that a race is made of, or several in lanes."""

    law: _law.Law
    clocks: Clocks
    opening: Opening
    lanes: _law.Situation
    book: Book
    log: Log


def new_parts(
    model: Model, start: State, seed: int, *, room: int = 4096, shares: bool = False, lanes: int | None = None
) -> Parts:  # fmt: skip
    """Return the parts of a race of *model* from *start*, or of so many side by side in *lanes*.

    The log has *room* for so many events at first, and columns for each term's share of the hazard if *shares*; lanes
    have a log each.
    """
    law = lower(model, start.instant)
    opening = _opening(model, start, seed, law)
    clocks = clocks_of(law, opening.clock, _may_be(opening), _WHOLE if (lanes or 1) > 1 else BLOCK)
    log = new_log(room, int(np.max(np.diff(law.ends))) + 1 if shares else 0)
    return Parts(
        law, clocks, opening, new_lanes(_law.fresh(law), lanes or 1),
        new_book(law, clocks, len(model.parameters), lanes or 1), new_lanes(log, lanes) if lanes else log,
    )  # fmt: skip


def _may_be(opening: Opening) -> NDArray[np.bool_]:
    """Return what control each province may have at the start, shape (n, 3)."""
    may = opening.home.control[:, None] == np.arange(len(Control))
    if opening.contested[0] >= 0:
        may[opening.unseen, Control.CONTESTED] = True
    return np.asarray(may)


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
    unseen = unseen[~np.isin(unseen, sorted(sighted))]
    places = _keys([(province,) for province in theatre.provinces], "provinces")
    return Opening(
        home=home, fickle=np.array([len(home.frailty) + len(home.custom) > 0], np.uint8),
        contested=np.array([names.index("start.contested") if "start.contested" in names else -1]),
        unseen=unseen, unseen_name=places[unseen],
        past=np.array([p for p, _, _ in past], np.uint32), earliest=np.array([e for _, e, _ in past], float),
        latest=np.array([late for _, _, late in past], float),
        key=np.array([key_of(seed, purpose) for purpose in ("clock", "history", "start", "frailty")]),
        clock=_keys(clocks, "clocks").reshape(-1, n),
        province=places,
        frailty=_keys(frailties, "frailties").reshape(-1, n),
    )  # fmt: skip
