"""Which capitals are cut off from the hub, by the law's own rule."""

from __future__ import annotations

from sim.control import State
from sim.hazards import Baseline, CutOff
from sim.model import Model
from sim.opening import new_parts
from sim.theatre import Theatre

__all__ = ["cut_off"]


def cut_off(
    theatre: Theatre, state: State, *, hub: str | None = None, without: tuple[str, ...] = ("track",)
) -> tuple[str, ...]:
    """Return the provinces whose capitals are cut off from the *hub* in *state*, as ``sim.hazards.CutOff`` says it.

    Parameters
    ----------
    theatre : Theatre
    state : State
        Control of every province; those left out are held by the government.
    hub : str or None
        A province; None means the theatre's.
    without : tuple of str
        Classes of road that do not count.

    Raises
    ------
    ValueError
        If the theatre has no such hub, class of road, or province of the state.
    """
    rule = CutOff(0.0, hub=hub, without=without)
    model = Model(theatre, {"seizure": Baseline(1.0) * rule}, name="cut-off")
    law, _, opening, *_ = new_parts(model, State(state.control), seed=0, room=1)
    cut = opening.home.cell[law.cut[0] :]
    return tuple(name for name, is_cut in zip(theatre.provinces, cut, strict=False) if is_cut)
