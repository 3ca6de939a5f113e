"""Locks on files, which the system lets go of when the process that holds them ends, however it ends."""

from __future__ import annotations

import contextlib
import sys

if sys.platform == "win32":
    import msvcrt

    def try_lock(descriptor: int) -> bool:
        """Lock an open file for whoever opened it, without waiting; False where another holds it.

        Raises:
            OSError: the file system knows no locks.
        """
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except PermissionError:
            return False
        return True

    def lock(descriptor: int) -> None:
        """Nothing: here an open file cannot be taken away."""

else:
    import fcntl

    def try_lock(descriptor: int) -> bool:
        """Lock an open file for whoever opened it, without waiting; False where another holds it.

        Raises:
            OSError: the file system knows no locks.
        """
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def lock(descriptor: int) -> None:
        """Lock an open file, once nobody else holds it; on a file system without locks, do nothing."""
        with contextlib.suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
