"""Parts of a run kept in a folder, and how the run is described there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sim.folio import Folio
from sim.law import Watch
from sim.plain import digest
from sim.recipe import Failure, Part, Recipe

__all__ = ["described", "kept", "put"]


def described(recipe: Recipe, watched: Mapping[str, Watch] | None) -> dict[str, Any]:
    """Return what the bits of a run depend on, as plain values: readable where short, else digests."""
    outcomes = {name: [watch.weights.tolist(), watch.threshold] for name, watch in (watched or {}).items()}
    return {
        "seed": recipe.seed,
        "horizon": recipe.horizon,
        "engine": {"name": type(recipe.engine).__name__, "digest": digest(recipe.engine)},
        "model": {**recipe.model.describe(), "digest": digest(recipe.model)},
        "start": {
            "instant": str(recipe.start.instant),
            "held": {name: held.name.lower() for name, held in sorted(recipe.start.control.items()) if held},
            "digest": digest(recipe.start),
        },
        "draws": {"count": len(recipe.draws), "digest": digest(recipe.draws)},
        "record": "events" if watched is None else "outcomes",
        "outcomes": {name: digest(value) for name, value in outcomes.items()},
    }  # fmt: skip


def put(folder: Folio, piece: range, part: Part) -> None:
    """Keep the *part* of the replications *piece*."""
    folder.put(piece.start, piece.stop, dict(part.arrays), [list(failure) for failure in part.failures])


def kept(folder: Folio, numbers: range, but: Mapping[int, Part]) -> dict[int, Part]:
    """Return the parts in *folder* that lie in *numbers* and follow one another without overlap, by first replication.

    Those that overlap *but*, or one another, are left out.
    """
    taken = [(first, first + part.count) for first, part in but.items()]
    found: dict[int, Part] = {}
    for first, stop in folder.finished:
        outside = first < numbers.start or stop > numbers.stop
        if outside or any(first < end and begin < stop for begin, end in taken):
            continue
        arrays, notes = folder.get(first, stop)
        found[first] = Part(arrays, tuple(Failure(*note) for note in notes))
        taken.append((first, stop))
    return found
