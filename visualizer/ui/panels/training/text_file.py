"""A text file of the user's as it is at one moment."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

#: A file of more bytes is read by the process that trains: the window never holds its text.
LARGE = 4 * 2**20


@dataclass(frozen=True)
class TextFile:
    """Which file, and when and how large: another time or size, and it has to be looked at again."""

    path: str
    changed: int
    size: int

    @classmethod
    def at(cls, path: str) -> TextFile:
        """As it is now; of no size where it cannot be read."""
        try:
            found = Path(path).stat()
        except (OSError, ValueError):  # ValueError: a name with a null character
            return cls(path, 0, 0)
        return cls(path, found.st_mtime_ns, found.st_size)

    @property
    def large(self) -> bool:
        """Whether reading it would hold the window up."""
        return self.size > LARGE
