"""Texts to train on."""

from __future__ import annotations

import os
from pathlib import Path

from visualizer.errors import TrainingError


def read_corpus(path: str | os.PathLike[str]) -> str:
    """The text of a UTF-8 file, with line ends as they are.

    Raises:
        TrainingError: the file cannot be read, is empty, or is no UTF-8.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise TrainingError(f"cannot read {str(path)!r}: {error.strerror}") from error
    if not data:
        raise TrainingError(f"{str(path)!r} is empty; a text to train on is needed")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise TrainingError(
            f"{str(path)!r} is not UTF-8 text: byte 0x{data[error.start]:02x} at {error.start} cannot be read; "
            "save it as UTF-8"
        ) from error
