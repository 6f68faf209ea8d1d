"""Files put on the disk whole or not at all, whatever stops the writing; folders, and locks on them."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import sys
import warnings
import weakref
from pathlib import Path
from typing import BinaryIO

if sys.platform != "win32":
    import fcntl

__all__ = ["hold", "make_folder", "sync_folder", "write_whole"]


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


def make_folder(folder: Path) -> None:
    """Make *folder*, and those it lies in, on the disk. Raise a NotADirectoryError if a file has its name."""
    if folder.exists() and not folder.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, f"{folder} is not a folder")
    if not folder.exists():
        make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        sync_folder(folder.parent)


_LOCKS: weakref.WeakSet[BinaryIO] = weakref.WeakSet()


def hold(path: Path) -> BinaryIO:
    """Return the lock of the folder at *path*, held until it is closed or this process ends, however it ends."""
    lock = open(path, "ab")  # noqa: SIM115
    if sys.platform != "win32":
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.close()
            raise BlockingIOError(error.errno, "another run is at work in it") from None
        except OSError as error:  # some network disks
            warnings.warn(
                f"{path}: cannot be locked ({error.strerror}); see to it that no other run uses this folder",
                RuntimeWarning,
                stacklevel=4,
            )
        _LOCKS.add(lock)
    return lock


def _let_go() -> None:
    for lock in list(_LOCKS):
        lock.close()


if sys.platform != "win32":
    # A forked worker outlives a killed parent, and would hold the lock against its restart.
    os.register_at_fork(after_in_child=_let_go)
