"""What stands in a folder of parts, as bytes: arrays with notes, a manifest with a check; how two of these differ."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["Arrays", "differences", "packed", "plain_of", "sealed", "text_of", "unpacked", "unsealed"]

Arrays: TypeAlias = dict[str, NDArray[Any]]

_NOTES = "notes.json"


def differences(there: dict[str, Any], here: dict[str, Any], at: str = "") -> list[str]:
    """Return a sentence for each entry in which *here* differs from *there*, entries of entries told apart by dots."""
    found = []
    for key in sorted({*there, *here}):
        old, new = there.get(key), here.get(key)
        if isinstance(old, dict) and isinstance(new, dict):
            found += differences(old, new, f"{at}{key}.")
        elif text_of(old) != text_of(new) or (key in there) != (key in here):
            said = [text_of(side[key]) if key in side else "absent" for side in (there, here)]
            same = next((i for i, (a, b) in enumerate(zip(*said, strict=False)) if a != b), 0)
            must, was = (t if len(t) <= 80 else f"…{t[max(0, same - 20) : same + 60]}…" for t in said)
            found.append(f"{at}{key} must be {must}, but was {was}")
    return found


def text_of(value: Any) -> str:
    return json.dumps(value, sort_keys=True, allow_nan=False)


def plain_of(value: Any, where: str) -> Any:
    try:
        return json.loads(text_of(value))
    except (TypeError, ValueError) as error:
        raise type(error)(f"{where} must be what JSON can hold, but was not: {error}") from error


def packed(arrays: Mapping[str, NDArray[Any]], notes: Sequence[Any], where: str) -> bytes:
    """Return the bytes of an .npz file, uncompressed: equal content gives equal bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:  # np.savez may not be given names of arguments of its own
        for name in sorted(arrays):
            array = np.asarray(arrays[name], order="C")
            if not name.isidentifier() or array.dtype.hasobject:
                raise TypeError(f"{where}: {name!r} must be a name and an array of numbers, but was {arrays[name]!r}")
            with archive.open(zipfile.ZipInfo(f"{name}.npy"), "w", force_zip64=True) as member:
                np.lib.format.write_array(member, array, allow_pickle=False)
        archive.writestr(zipfile.ZipInfo(_NOTES), text_of(plain_of(list(notes), f"{where}: notes")))
    return buffer.getvalue()


def unpacked(content: bytes) -> tuple[Arrays, list[Any]]:
    arrays: Arrays = {}
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for name in archive.namelist():
            if name != _NOTES:
                with archive.open(name) as member:
                    arrays[name.removesuffix(".npy")] = np.lib.format.read_array(member, allow_pickle=False)
        return arrays, json.loads(archive.read(_NOTES))


def sealed(body: dict[str, Any]) -> bytes:
    """Return the bytes of a manifest: *body*, and a check over it."""
    check = hashlib.blake2b(text_of(body).encode(), digest_size=16).hexdigest()
    return (json.dumps({"check": check, **body}, indent=1, sort_keys=True) + "\n").encode()


def unsealed(path: Path) -> dict[str, Any]:
    content = path.read_bytes()
    try:
        body: dict[str, Any] = json.loads(content)
        del body["check"]
        whole = sealed(body) == content and body.keys() == {"parts", "versions", "what"}
    except (ValueError, TypeError, KeyError, AttributeError):
        whole = False
    if not whole:
        raise ValueError(
            f"{path}: must be as it was written, but has changed since; move it away: the same call makes it again "
            "from the parts, which are not touched"
        )
    return body
