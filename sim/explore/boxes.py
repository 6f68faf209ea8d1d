"""PRIM: boxes of parameters in which something holds more often than elsewhere, peeled patiently and pasted.

Friedman and Fisher 1999 (doi:10.1023/A:1008894516817), read for scenarios as by Bryant and Lempert 2010
(doi:10.1016/j.techfore.2009.08.002): coverage is the share of all points that are right which a box holds, density the
share of its points that are right, mass its share of all points. Edges are values of points, both within the box, so a
box moves along with any increasing transform of a parameter.
"""

from __future__ import annotations

import math
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import special

__all__ = ["Box", "Measured", "freed", "inside", "measured", "paste", "peel", "quasi_p"]

Floats: TypeAlias = NDArray[np.float64]
Flags: TypeAlias = NDArray[np.bool_]


class Box(NamedTuple):
    """Lowest and highest value of each parameter, both within, shape (parameter,); infinite where unrestricted."""

    low: Floats
    high: Floats

    @property
    def restricted(self) -> Flags:
        """Which parameters it restricts."""
        return np.asarray(np.isfinite(self.low) | np.isfinite(self.high))


class Measured(NamedTuple):
    """What a box holds: of its *held* points *right* are, of *total* points *all_right*."""

    right: int
    held: int
    all_right: int
    total: int

    @property
    def coverage(self) -> float:
        """Share of the right points that are in the box; nan if none is right."""
        return self.right / self.all_right if self.all_right else math.nan

    @property
    def density(self) -> float:
        """Share of the box's points that are right; nan if it is empty."""
        return self.right / self.held if self.held else math.nan

    @property
    def mass(self) -> float:
        """Share of all points that are in the box."""
        return self.held / self.total

    @property
    def balance(self) -> float:
        """Harmonic mean of coverage and density; 0 if nothing right is in the box."""
        return 2.0 * self.right / (self.held + self.all_right) if self.right else 0.0

    def density_interval(self, level: float) -> tuple[float, float]:
        """Return the exact binomial interval of the density (Clopper and Pearson 1934, doi:10.1093/biomet/26.4.404)."""
        tail, hit, miss = (1.0 - level) / 2.0, self.right, self.held - self.right
        low = float(special.betaincinv(hit, miss + 1, tail)) if hit else 0.0
        return low, float(special.betaincinv(hit + 1, miss, 1.0 - tail)) if miss else 1.0


def inside(points: Floats, box: Box) -> Flags:
    """Return which of *points*, shape (point, parameter), are in the *box*."""
    return np.asarray(((points >= box.low) & (points <= box.high)).all(axis=1))


def measured(points: Floats, right: Flags, box: Box) -> Measured:
    """Return what the *box* holds of *points*, of which some are *right*."""
    within = inside(points, box)
    return Measured(int((within & right).sum()), int(within.sum()), int(right.sum()), len(right))


def peel(points: Floats, right: Flags, *, alpha: float, least: float) -> list[Box]:
    """Return boxes, each within the one before, from all of space on.

    Each gives up the slab, of the share *alpha* of its points at one end of one parameter, whose loss leaves the
    highest density; of equals the larger box, then the first parameter, then its low end. It stops before a box has
    less than the share *least* of all points, or once all in it are right.
    """
    d = points.shape[1]
    box = Box(np.full(d, -math.inf), np.full(d, math.inf))
    boxes = [box]
    while True:
        within = inside(points, box)
        here, hit = points[within], right[within]
        if hit.all():
            return boxes
        found: list[tuple[float, int, Box]] = []
        for j in range(d):
            for low in (True, False):
                edge = _peeled(here[:, j] if low else -here[:, j], alpha)
                keep = here[:, j] >= edge if low else here[:, j] <= -edge
                if 0 < keep.sum() < len(here):
                    found.append(
                        (float(hit[keep].mean()), int(keep.sum()), _moved(box, j, low, edge if low else -edge))
                    )
        if not found:
            return boxes
        # max keeps the first of equals.
        _, size, box = max(found, key=lambda each: each[:2])
        if size < least * len(points):
            return boxes
        boxes.append(box)


def _peeled(values: Floats, alpha: float) -> float:
    """Return the lowest of *values* left once the share *alpha* from below is given up, ties and all."""
    ordered = np.sort(values)
    edge = ordered[max(1, int(alpha * len(ordered)))] if len(ordered) > 1 else ordered[0]
    above = ordered[ordered > ordered[0]]
    return float(edge if edge > ordered[0] or not len(above) else above[0])


def _moved(box: Box, j: int, low: bool, edge: float) -> Box:
    moved = Box(box.low.copy(), box.high.copy())
    (moved.low if low else moved.high)[j] = edge
    return moved


def freed(box: Box, j: int) -> Box:
    """Return *box* without its restriction of parameter number *j*."""
    return _moved(_moved(box, j, True, -math.inf), j, False, math.inf)


def paste(points: Floats, right: Flags, box: Box, *, alpha: float) -> Box:
    """Return *box* made larger, by slabs of the share *alpha* of its points, as long as its density holds."""
    while True:
        within = inside(points, box)
        size = max(1, int(alpha * within.sum()))
        best, density = None, float(right[within].mean()) if within.any() else 0.0
        for j in np.flatnonzero(box.restricted).tolist():
            for low in (True, False):
                edge = (box.low if low else box.high)[j]
                if not math.isfinite(edge):
                    continue
                freed = inside(points, _moved(box, j, low, -math.inf if low else math.inf)) & ~within
                beyond = np.sort(points[freed, j])
                if not len(beyond):
                    continue
                far = beyond[-min(size, len(beyond))] if low else beyond[min(size, len(beyond)) - 1]
                larger = _moved(box, j, low, float(far))
                grown = float(right[inside(points, larger)].mean())
                if grown >= density:
                    best, density = larger, grown
        if best is None:
            return box
        box = best


def quasi_p(points: Floats, right: Flags, box: Box) -> Floats:
    """Return, by parameter, the chance of so many right points in the box if its restriction did nothing; 1 if it has
    none.

    Without that restriction the box has a density q; with it, as many right points as it has, or more, come of a
    binomial with q (Bryant and Lempert 2010). "Quasi", since the box was sought; on points it was not sought with, it
    errs only in that several parameters are looked at.
    """
    found = np.ones(points.shape[1])
    own = measured(points, right, box)
    for j in np.flatnonzero(box.restricted).tolist():
        without = measured(points, right, freed(box, j))
        if own.right:
            found[j] = float(special.betainc(own.right, own.held - own.right + 1, without.density))
    return found
