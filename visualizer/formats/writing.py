"""Files written whole or not at all."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from visualizer.errors import FormatError
from visualizer.formats.locks import lock, try_lock

#: What a temporary file's name begins and ends with. It says nothing of the target, whose name may be as long as any.
TEMPORARY = (".visualizer-", ".tmp")


def write_whole(path: str | os.PathLike[str], write: Callable[[IO[bytes]], None]) -> None:
    """Have `write` fill a temporary file beside `path`, then put it in its place; on any failure nothing is left.

    A file that is there already keeps its permissions, and a link stays a link to what is written. What a killed
    program left half written in the folder is removed.

    Raises:
        FormatError: the folder is missing or cannot be written to, the file is read-only, or the disk is full.
    """
    target, before = _target(path)
    handle, temporary = _begin(path, target.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
            _give_permissions(temporary, before)
            if os.name == "posix":  # the lock lasts until the file is in its place
                temporary.replace(target)
        if os.name != "posix":  # where an open file cannot be renamed
            temporary.replace(target)
    except OSError as error:
        raise _refusal(path, error) from error
    finally:
        temporary.unlink(missing_ok=True)
    _sync_folder(target.parent)


def require_writable(path: str | os.PathLike[str]) -> None:
    """Refuse at once what `write_whole` would refuse once the work is done. Raises FormatError as that does."""
    target, _ = _target(path)
    handle, temporary = _begin(path, target.parent)
    os.close(handle)
    temporary.unlink(missing_ok=True)


def is_same_file(one: str | os.PathLike[str], other: str | os.PathLike[str]) -> bool:
    """Whether two names are of one file that is there, links followed."""
    try:
        return Path(one).samefile(other)
    except (OSError, ValueError):  # one of them is not there, or no name
        return False


def _target(path: str | os.PathLike[str]) -> tuple[Path, os.stat_result | None]:
    """The file that is to be written, links followed, and what is there now."""
    nothing = FormatError(f"cannot write {os.fspath(path)!r}: it is a folder, a device or nothing; name a file")
    if not os.fspath(path):
        raise nothing
    try:
        target = Path(os.path.realpath(path))
        try:
            before = target.stat()
        except FileNotFoundError:
            return target, None
    except (OSError, ValueError) as error:
        raise _refusal(path, error) from error
    if not stat.S_ISREG(before.st_mode):  # a device would be replaced by a file
        raise nothing
    # The system lets an administrator write to any file; who took the right away from everyone meant it.
    if not before.st_mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH) or not os.access(target, os.W_OK):
        raise FormatError(f"cannot write {os.fspath(path)!r}: it is read-only; name another file, or make it writable")
    return target, before


def _begin(path: str | os.PathLike[str], folder: Path) -> tuple[int, Path]:
    """A temporary file in the folder, open and locked: as long as it is, nobody takes it for a leftover."""
    prefix, suffix = TEMPORARY
    try:
        _remove_leftovers(folder)
        while True:
            handle, temporary = tempfile.mkstemp(prefix=prefix, suffix=suffix, dir=folder)
            lock(handle)
            if os.name != "posix" or os.fstat(handle).st_nlink:
                return handle, Path(temporary)
            os.close(handle)  # another process looked for leftovers before it was locked
    except (OSError, ValueError) as error:
        raise _refusal(path, error) from error


def _remove_leftovers(folder: Path) -> None:
    """Remove temporary files of ours that no living process holds."""
    prefix, suffix = TEMPORARY
    with contextlib.suppress(OSError):  # a folder may be written to by those who may not look into it
        for path in folder.iterdir():
            if path.name.startswith(prefix) and path.name.endswith(suffix):
                _remove_if_left(path)


def _remove_if_left(temporary: Path) -> None:
    with contextlib.suppress(OSError):
        if os.name != "posix":
            temporary.unlink()  # refused while somebody has it open
            return
        descriptor = os.open(temporary, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK)
        try:
            if stat.S_ISREG(os.fstat(descriptor).st_mode) and try_lock(descriptor):
                temporary.unlink()
        finally:
            os.close(descriptor)


def _give_permissions(temporary: Path, before: os.stat_result | None) -> None:
    """Those of the file that was there, its owner too where that is allowed; else the usual ones of a new file."""
    if before is None:
        mask = os.umask(0)
        os.umask(mask)
        temporary.chmod(0o666 & ~mask)
        return
    if os.name == "posix":
        with contextlib.suppress(PermissionError):
            os.chown(temporary, before.st_uid, before.st_gid)
    temporary.chmod(stat.S_IMODE(before.st_mode))


def _refusal(path: str | os.PathLike[str], error: Exception) -> FormatError:
    reason = getattr(error, "strerror", None) or error  # ValueError has none: a name with a null character
    return FormatError(f"cannot write {os.fspath(path)!r}: {reason}")


def _sync_folder(folder: Path) -> None:
    """Make the new name itself durable, where the system lets a folder be synced."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_npz(path: str | os.PathLike[str], arrays: Iterator[tuple[str, NDArray[Any]]]) -> None:
    """Write named arrays as .npz, one at a time, so that only one has to be in memory.

    Raises:
        FormatError: as `write_whole`.
    """

    def write(file: IO[bytes]) -> None:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
            for name, array in arrays:
                with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                    np.lib.format.write_array(member, np.asanyarray(array), allow_pickle=False)

    write_whole(path, write)
