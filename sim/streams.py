"""A random number addressed by seed, purpose, replication, name and occurrence.

Philox4x32-10 (Salmon et al. 2011, doi:10.1145/2063384.2063405) is a keyed bijection of counters: there is no state to
carry, so any number can be had alone, in any order, by any worker. Names enter as 64-bit BLAKE2b of their NFC
text, never as positions, so adding or removing one name leaves the numbers of all others in place.
"""

from __future__ import annotations

import functools
import hashlib
import math
import unicodedata

import numpy as np
from numpy.typing import NDArray

from sim.arithmetic import log
from sim.compiled import distinct, entry, inner

__all__ = [
    "exponential", "exponentials", "key_of", "name_key", "normal", "philox", "uniform", "uniforms", "uniforms_at",
]  # fmt: skip

_HALF_STEP = 0.5
_STEP = 2.0**-53
_BELOW_ONE = 1.0 - 2.0**-53


@functools.lru_cache(maxsize=1 << 16)
def name_key(*names: str) -> int:
    """Return the 64-bit key of *names* (BLAKE2b of their NFC text, joined by a separator no name contains)."""
    text = "\x1f".join(names)
    if not text.isascii():
        text = "\x1f".join(unicodedata.normalize("NFC", name) for name in names)
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8"), digest_size=8).digest(), "little")


def key_of(seed: int, purpose: str) -> np.uint64:
    """Return the Philox key of a *seed* and a *purpose* such as "clock".

    Raise a TypeError or ValueError if *seed* is not a non-negative integer: there is no default seed.
    """
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)):
        raise TypeError(f"seed must be a non-negative integer, but was {seed!r}; runs are reproducible only with one")
    if seed < 0:
        raise ValueError(f"seed must be a non-negative integer, but was {seed!r}")
    return np.uint64(name_key("seed", str(int(seed)), purpose))


@inner
def _round(
    c0: np.uint64, c1: np.uint64, c2: np.uint64, c3: np.uint64, k0: np.uint64, k1: np.uint64
) -> tuple[np.uint64, np.uint64, np.uint64, np.uint64]:
    low = np.uint64(0xFFFFFFFF)
    shift = np.uint64(32)
    p0 = np.uint64(0xD2511F53) * c0
    p1 = np.uint64(0xCD9E8D57) * c2
    return (p1 >> shift) ^ c1 ^ k0, p1 & low, (p0 >> shift) ^ c3 ^ k1, p0 & low


@inner
def philox(key: np.uint64, name: np.uint64, replication: int, occurrence: int) -> tuple[np.uint64, np.uint64]:
    """Return two 64-bit words of Philox4x32-10 under *key* at counter (*name*, *replication*, *occurrence*)."""
    low = np.uint64(0xFFFFFFFF)
    shift = np.uint64(32)
    c0 = np.uint64(name) & low
    c1 = np.uint64(name) >> shift
    c2 = np.uint64(replication) & low
    c3 = np.uint64(occurrence) & low
    k0 = np.uint64(key) & low
    k1 = np.uint64(key) >> shift
    for _ in range(10):
        c0, c1, c2, c3 = _round(c0, c1, c2, c3, k0, k1)
        k0 = (k0 + np.uint64(0x9E3779B9)) & low
        k1 = (k1 + np.uint64(0xBB67AE85)) & low
    return c0 | (c1 << shift), c2 | (c3 << shift)


@inner
def _unit(word: np.uint64) -> float:
    # The largest words round up to 1.0, whose logarithm is no budget.
    unit = (np.float64(word >> np.uint64(11)) + _HALF_STEP) * _STEP
    return unit if unit < _BELOW_ONE else _BELOW_ONE


@inner
def uniform(key: np.uint64, name: np.uint64, replication: int, occurrence: int) -> float:
    """Return a uniform in (0, 1): (bits + 1/2) / 2**53 with 53 bits, never an end."""
    word, _ = philox(key, name, replication, occurrence)
    return _unit(word)


@inner
def exponential(key: np.uint64, name: np.uint64, replication: int, occurrence: int) -> float:
    """Return a unit exponential: the budget of a clock."""
    return 0.0 - log(uniform(key, name, replication, occurrence))


@distinct
def uniforms_at(key: np.uint64, names: NDArray[np.uint64], replication: int, out: NDArray[np.float64]) -> None:
    """Write the uniforms of *names* at occurrence 0 of *replication*: the same numbers, several at a time."""
    for i in range(len(names)):
        out[i] = uniform(key, names[i], replication, 0)


@distinct
def exponentials(key: np.uint64, names: NDArray[np.uint64], replication: int, out: NDArray[np.float64]) -> None:
    """Write the unit exponentials of *names* at occurrence 0 of *replication*: the same numbers, several at a time."""
    for i in range(len(names)):
        out[i] = exponential(key, names[i], replication, 0)


@inner
def normal(key: np.uint64, name: np.uint64, replication: int, occurrence: int) -> float:
    """Return a standard normal (Box and Muller 1958, doi:10.1214/aoms/1177706645), from one address."""
    first, second = philox(key, name, replication, occurrence)
    return math.sqrt(-2.0 * log(_unit(first))) * math.cos(2.0 * math.pi * _unit(second))


@entry
def _fill(key: np.uint64, name: np.uint64, out: NDArray[np.float64]) -> None:
    for i in range(out.shape[0]):
        out[i] = uniform(key, name, i, 0)


def uniforms(seed: int, purpose: str, name: str, count: int) -> NDArray[np.float64]:
    """Return the uniforms at replications 0 … *count* - 1 of one *name*, shape (count,)."""
    out = np.empty(count)
    _fill(key_of(seed, purpose), np.uint64(name_key(name)), out)
    return out
