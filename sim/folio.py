"""A folder of finished parts of a run: what stands in it under its own name is whole, whatever stopped the run."""

from __future__ import annotations

import contextlib
import errno
import functools
import hashlib
import os
import platform
import re
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

from numpy.typing import NDArray

from sim import __version__
from sim.disk import hold, make_folder, write_whole
from sim.packing import Arrays, differences, packed, plain_of, sealed, text_of, unpacked, unsealed

if sys.platform != "win32":
    pass

__all__ = ["Folio", "versions"]

Differences: TypeAlias = Callable[[dict[str, Any], dict[str, Any]], Sequence[str]]

_MANIFEST = "manifest.json"
_LOCK = "lock"
_PART = re.compile(r"part-(\d{10,})-(\d{10,})-([0-9a-f]{32})\.npz")
_TEMPORARY = re.compile(rf"({_PART.pattern}|{re.escape(_MANIFEST)})\.tmp")

_ADVICE = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT, errno.EFBIG), "make room, then make the same call again"),
    **dict.fromkeys((errno.EACCES, errno.EPERM, errno.EROFS), "choose a folder that you may write in"),
    **dict.fromkeys((errno.EAGAIN, errno.EWOULDBLOCK), "wait for its end, or choose another folder"),
    **dict.fromkeys((errno.EEXIST, errno.ENOTDIR), "choose the name of a folder, or of nothing yet"),
}


def versions() -> dict[str, str]:
    """Return the versions that the bits of a run may depend on, without importing anything."""
    libraries = {name: _version(name) for name in ("numba", "numpy")}
    return {"sim": __version__, "python": platform.python_version(), **libraries}


@functools.cache
def _version(name: str) -> str:
    return metadata.version(name)


class Folio:
    """Finished parts of one run, each addressed by the first of its replications and the one after its last.

    A part is named after its own bytes, so one that was renamed into place just before the run was killed is known to
    be whole and adopted at the next opening; the manifest says to which run the parts belong. Use from one thread.
    """

    def __init__(self, path: Path, what: dict[str, Any], library: dict[str, str]) -> None:
        self.path = path
        self._what = what
        self._library = library
        self._used: list[dict[str, str]] = []
        self._parts: dict[tuple[int, int], str] = {}
        self._lock: BinaryIO | None = None

    @classmethod
    def open(
        cls,
        path: str | os.PathLike[str],
        what: Mapping[str, Any],
        *,
        differences: Differences = differences,
        library: Mapping[str, str] | None = None,
    ) -> Folio:
        """Begin a run in a new or empty folder, or continue the one that is there.

        Parameters
        ----------
        path : str or PathLike
        what : mapping
            All that the bits of the run depend on, as JSON knows it; no two runs may share it.
        differences : function of what was begun and what is asked for now, optional
            Says in sentences how they differ, for the error.
        library : mapping of name to version, optional
            What runs this; ``versions()`` unless given. Another "sim" is refused, others are warned of.

        Raises
        ------
        ValueError
            If the folder holds another run or other files, or a file in it has been damaged.
        BlockingIOError
            If another process, or another Folio of this one, has the folder open.
        OSError
            If the folder cannot be made, read or written in.
        """
        where = _place(path)
        folio = cls(where, plain_of(what, f"{where}: what"), dict(library or versions()))
        try:
            with folio._telling("cannot be opened"):
                make_folder(where)
                folio._refuse_other_files()
                folio._lock = hold(where / _LOCK)
                folio._resume(differences)
        except BaseException:
            folio.close()
            raise
        return folio

    def __enter__(self) -> Folio:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Folio of {len(self._parts)} finished parts in {self.path}"

    def close(self) -> None:
        """Let others open the folder. All that was put is on the disk already."""
        if self._lock is not None:
            self._lock.close()

    @property
    def finished(self) -> list[tuple[int, int]]:
        """The parts there are, as (first, stop), in order; *stop* is exclusive, and parts may overlap."""
        return sorted(self._parts)

    def put(self, first: int, stop: int, arrays: Mapping[str, NDArray[Any]], notes: Sequence[Any] = ()) -> None:
        """Keep the part of replications *first* (inclusive) to *stop* (exclusive); when this returns, it is safe.

        Raise a TypeError if an array holds Python objects or a note is not plain, an OSError if the part could not be
        written, and a RuntimeError if it is there already with other content.
        """
        if self._lock is None or self._lock.closed:
            raise ValueError(f"{self.path}: must be open to put a part, but was closed; use Folio.open")
        if not 0 <= first < stop:
            raise ValueError(f"{self.path}: a part must begin at 0 or later and not be empty, but was {first}–{stop}")
        content = packed(arrays, notes, f"{self.path}: part {first}–{stop}")
        seal = self._sealing(first, stop)
        seal.update(content)
        digest = seal.hexdigest()
        if self._parts.get((first, stop), digest) != digest:
            raise RuntimeError(
                f"{self.path}: part {first}–{stop} came out otherwise than the one that is kept; a process that "
                "remembers other replications, or reads a clock, cannot be continued"
            )
        if (first, stop) in self._parts:
            return
        with self._telling(f"part {first}–{stop} cannot be written"):
            _write(self._file(first, stop, digest), content)
            self._parts[first, stop] = digest
            if self._library not in self._used:
                self._used.append(self._library)
            self._write_manifest()

    def get(self, first: int, stop: int) -> tuple[Arrays, list[Any]]:
        """Return arrays and notes of the part of replications *first* (inclusive) to *stop* (exclusive).

        Raise a ValueError if there is no such part or it has been damaged, an OSError if it cannot be read.
        """
        if (first, stop) not in self._parts:
            raise ValueError(f"{self.path}: part must be one of {self.finished}, but was {(first, stop)}")
        digest = self._parts[first, stop]
        path = self._file(first, stop, digest)
        with self._telling(f"part {first}–{stop} cannot be read"):
            content = path.read_bytes()
        seal = self._sealing(first, stop)
        seal.update(content)
        if seal.hexdigest() != digest:
            raise _damaged(path)
        return unpacked(content)

    # -------------------------------------------------------------------------------------------- opening

    def _refuse_other_files(self) -> None:
        names = sorted(os.listdir(self.path))
        ours = (_MANIFEST, _LOCK)
        others = [n for n in names if n not in ours and not _PART.fullmatch(n) and not _TEMPORARY.fullmatch(n)]
        if others and _MANIFEST not in names:
            shown = ", ".join(others[:3]) + (", …" if len(others) > 3 else "")
            raise ValueError(
                f"{self.path}: must be a new or empty folder, or one with a run in it, but was one with other files "
                f"({shown}); choose another folder"
            )

    def _resume(self, tell: Differences) -> None:
        for name in os.listdir(self.path):
            if _TEMPORARY.fullmatch(name):
                (self.path / name).unlink()
        listed = None
        if (self.path / _MANIFEST).exists():
            listed = self._read_manifest(tell)
        else:
            self._used = [self._library]
        self._parts = self._survey()
        if listed != self._names():
            self._write_manifest()
        else:
            _require_writable(self.path)

    def _read_manifest(self, tell: Differences) -> list[str]:
        manifest = unsealed(self.path / _MANIFEST)
        if text_of(manifest["what"]) != text_of(self._what):
            how = "; ".join(tell(manifest["what"], self._what))
            raise ValueError(
                f"{self.path}: holds another run: {how}. Make the call it was begun with, or choose another folder"
            )
        self._used = manifest["versions"]
        for used in self._used:
            # Another sim may mean something else by the same call; another library at most rounds otherwise.
            how = "; ".join(differences(used, self._library))
            if used.get("sim") != self._library.get("sim"):
                raise ValueError(
                    f"{self.path}: holds parts of another version: {how}. Go on with that version, or choose another "
                    "folder"
                )
            if how:
                warnings.warn(
                    f"{self.path}: holds parts of other versions: {how}. Bits may differ from those of an unbroken run",
                    RuntimeWarning,
                    stacklevel=4,
                )
        return list(manifest["parts"])

    def _survey(self) -> dict[tuple[int, int], str]:
        """Return the digest of each part in the folder. Raise a ValueError if one of them is not whole."""
        parts: dict[tuple[int, int], str] = {}
        for path in sorted(self.path.iterdir()):
            if not (match := _PART.fullmatch(path.name)):
                continue
            first, stop, digest = int(match[1]), int(match[2]), match[3]
            with open(path, "rb") as file:
                seal = hashlib.file_digest(file, partial(self._sealing, first, stop))
            if seal.hexdigest() != digest:
                raise _damaged(path)
            if (first, stop) in parts:
                raise ValueError(f"{path}: part {first}–{stop} must be there once, but was twice; delete one of them")
            parts[first, stop] = digest
        return parts

    # -------------------------------------------------------------------------------------------- files

    def _file(self, first: int, stop: int, digest: str) -> Path:
        return self.path / f"part-{first:010d}-{stop:010d}-{digest}.npz"

    def _names(self) -> list[str]:
        return [self._file(*part, digest).name for part, digest in sorted(self._parts.items())]

    def _sealing(self, first: int, stop: int) -> hashlib.blake2b:
        """Return a hash of this part of this run, so that no part passes for another, nor for another run's."""
        whose = hashlib.blake2b(text_of([self._what, self._library.get("sim"), first, stop]).encode())
        return hashlib.blake2b(key=whose.digest(), digest_size=16)

    def _write_manifest(self) -> None:
        _write(self.path / _MANIFEST, sealed({"parts": self._names(), "versions": self._used, "what": self._what}))

    @contextlib.contextmanager
    def _telling(self, trouble: str) -> Iterator[None]:
        """Say of an OSError what was kept and what to do."""
        try:
            yield
        except OSError as error:
            count = len(self._parts)
            kept = f"{count} finished part{'s' * (count != 1)} kept" if count else "nothing finished was touched"
            advice = _ADVICE.get(error.errno or 0, "mend that, then make the same call again")
            reason = error.strerror or str(error)
            raise OSError(error.errno, f"{self.path}: {trouble}: {reason}; {kept}; {advice}") from error


def _place(path: str | os.PathLike[str]) -> Path:
    named = os.fspath(path) if isinstance(path, (str, os.PathLike)) else None
    if not isinstance(named, str):
        raise TypeError(f"into must be the path of a folder, as str or PathLike, but was {path!r}")
    if not named:
        raise ValueError("into must be the path of a folder, but was empty")
    return Path(os.path.abspath(named))  # a later change of directory must not move it


def _damaged(path: Path) -> ValueError:
    return ValueError(
        f"{path}: must be as it was written, but has changed since, or is of another run; delete it, or move it away: "
        "the same call makes it again"
    )


# ------------------------------------------------------------------------------------------------ the disk


def _write(path: Path, content: bytes) -> None:
    # Whoever opens the folder next must know the temporary of a run that was killed, to sweep it away.
    write_whole(path, content, temporary=path.with_name(f"{path.name}.tmp"))


def _require_writable(folder: Path) -> None:
    probe = folder / f"{_MANIFEST}.tmp"
    probe.touch()
    probe.unlink()
