"""Files put on the disk whole or not at all, whatever stops the writing."""

from __future__ import annotations

import contextlib
import os
import secrets
import sys
from pathlib import Path

__all__ = ["sync_folder", "write_whole"]


def write_whole(path: Path, *blocks: bytes | memoryview, temporary: Path | None = None) -> None:
    """Put *blocks*, one after the other, on the disk under the name *path*; a file that is there is replaced.

    Until all is on the disk it has the name *temporary*, which must lie in the same folder: unless given, one that
    nobody else uses. Raise an OSError if it cannot be written.
    """
    temporary = temporary or path.parent / f".{path.name}.{secrets.token_hex(8)}"
    try:
        with open(temporary, "wb") as stream:
            for block in blocks:
                stream.write(block)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Put names given and taken in *folder* on the disk."""
    if sys.platform == "win32":  # which opens no folders
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
