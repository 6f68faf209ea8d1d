"""A dataset and the recipe of its run as one netCDF file: readable by anybody, sealed, and never half a file.

The recipe is JSON (see ``plain.py``). The file ends with a seal over all its bytes, which readers of netCDF pass over.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import platform
from pathlib import Path
from typing import TYPE_CHECKING

from sim.disk import write_whole
from sim.folio import versions
from sim.plain import to_plain
from sim.recipe import Recipe

if TYPE_CHECKING:
    from xarray import Dataset

__all__ = ["circumstances", "read", "write"]

#: The last bytes of a file: this, and the BLAKE2b of all before it.
_SEAL = b"\nsweepcast seal "
_SEAL_LENGTH = len(_SEAL) + 64


def circumstances() -> dict[str, str]:
    """Return what bits may depend on beside the recipe: versions, and the machine."""
    return {**versions(), "machine": platform.machine()}


def write(dataset: Dataset, recipe: Recipe, path: str | os.PathLike[str]) -> None:
    """Write *dataset* and *recipe* to *path*, whole or not at all; a file that is there is replaced.

    Raise an OSError if it cannot be written, a TypeError if *recipe* holds what a file cannot even name.
    """
    told = {"long_name": "what it takes to make this run again, as JSON", "comment": "sim.rerun(path) does it"}
    dataset = dataset.assign(recipe=((), json.dumps(to_plain(recipe)), told))
    dataset = dataset.assign_attrs(versions=json.dumps(circumstances()))
    # Written by HDF5 itself, a full disk would take the interpreter down with it.
    image = dataset.to_netcdf(engine="h5netcdf")
    path = Path(path)
    try:
        write_whole(path, image, _SEAL + hashlib.blake2b(image, digest_size=32).hexdigest().encode())
    except OSError as error:
        reason = error.strerror or str(error)
        raise OSError(
            error.errno, f"save: {path} cannot be written: {reason}; mend that, or name another place"
        ) from error  # fmt: skip


def read(path: str | os.PathLike[str], where: str) -> Dataset:
    """Return the dataset at *path*, loaded, its numbers as they are; ``recipe`` is among its variables.

    Raise a ValueError that begins with *where* if it is not as ``write`` wrote it, an OSError if it cannot be read.
    """
    import xarray

    try:
        with open(path, "rb") as stream:
            whole = _is_whole(stream)
    except OSError as error:
        raise OSError(error.errno, f"{where} cannot be read: {error.strerror}") from error
    if not whole:
        raise ValueError(
            f"{where} must be a file that save() wrote, every byte as it was written, but was not; "
            "xarray.open_dataset may still read what is there"
        )
    with xarray.open_dataset(path, engine="h5netcdf", decode_times=False, mask_and_scale=False) as dataset:
        return dataset.load()


def _is_whole(stream: io.BufferedReader) -> bool:
    size = stream.seek(0, os.SEEK_END) - _SEAL_LENGTH
    if size < 0:
        return False
    stream.seek(size)
    seal = stream.read()
    stream.seek(0)
    found, left = hashlib.blake2b(digest_size=32), size
    while left and (block := stream.read(min(left, 1 << 20))):
        found.update(block)
        left -= len(block)
    return seal == _SEAL + found.hexdigest().encode()
