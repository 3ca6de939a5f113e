"""Files written whole or not at all."""

from __future__ import annotations

import os
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from visualizer.errors import FormatError


def write_whole(path: str | os.PathLike[str], write: Callable[[IO[bytes]], None]) -> None:
    """Have `write` fill a temporary file beside `path`, then put it in its place; on any failure nothing is left.

    Raises:
        FormatError: the folder is missing or cannot be written to, or the disk is full.
    """
    target = Path(path)
    try:
        if not os.fspath(path) or (target.exists() and not target.is_file()):  # a device would be replaced by a file
            raise FormatError(f"cannot write {os.fspath(path)!r}: it is a folder, a device or nothing; name a file")
        handle, temporary = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    except (OSError, ValueError) as error:  # ValueError: a name with a null character
        reason = getattr(error, "strerror", None) or error
        raise FormatError(f"cannot write {os.fspath(path)!r}: {reason}") from error
    try:
        with os.fdopen(handle, "wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        mask = os.umask(0)
        os.umask(mask)
        Path(temporary).chmod(0o666 & ~mask)
        Path(temporary).replace(target)
    except OSError as error:
        raise FormatError(f"cannot write {str(target)!r}: {error.strerror or error}") from error
    finally:
        Path(temporary).unlink(missing_ok=True)
    _sync_folder(target.parent)


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
