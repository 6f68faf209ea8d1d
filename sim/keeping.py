"""Parts of a run kept in a folder, and how the run is described there."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any

from sim.folio import Folio
from sim.law import Watch
from sim.plain import digest
from sim.recipe import Failure, Part, Recipe

__all__ = ["folder_of", "kept", "put"]


def _described(recipe: Recipe, watched: Mapping[str, Watch] | None) -> dict[str, Any]:
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
        "outcomes": [f"{name} ({digest(value)[:8]})" for name, value in outcomes.items()],
    }  # fmt: skip


def put(folder: Folio, piece: range, part: Part) -> None:
    """Keep the *part* of the replications *piece*."""
    folder.put(piece.start, piece.stop, dict(part.arrays), [list(failure) for failure in part.failures])


def kept(folder: Folio, gap: range) -> Iterator[tuple[range, Part]]:
    """Yield the parts in *folder* that lie in *gap*, each with its replications, none overlapping the one before."""
    at = gap.start
    for first, stop in sorted(folder.finished, key=lambda part: (part[0], -part[1])):
        if first >= at and stop <= gap.stop:
            arrays, notes = folder.get(first, stop)
            yield range(first, stop), Part(arrays, tuple(Failure(*note) for note in notes))
            at = stop


def folder_of(path: str | os.PathLike[str], recipe: Recipe, watched: Mapping[str, Watch] | None) -> Folio:
    """Return the folder at *path* for the parts of a run. Raise a ValueError if it holds another's."""
    return Folio.open(path, _described(recipe, watched), differences=_differences)


def _differences(there: Mapping[str, Any], here: Mapping[str, Any]) -> list[str]:
    """Return what of two descriptions differs, in words; of digests only that they differ."""
    found = []
    for name, other in here.items():
        one = there.get(name)
        if one == other:
            continue
        said = [f"{one!r} there, {other!r} here"]
        if isinstance(one, dict) and isinstance(other, dict):
            changed = [key for key in other if key != "digest" and one.get(key) != other[key]]
            said = [
                f"{key} {one.get(key)!r} there, {other[key]!r} here" if len(repr(other[key])) < 200 else key
                for key in changed
            ]  # fmt: skip
        found.append(f"{name}: {'; '.join(said) or 'not the same'}")
    return found
