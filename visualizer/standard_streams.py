"""What is told on standard output and error, where perhaps nobody listens any more."""

from __future__ import annotations

import contextlib
import os
from typing import TextIO


def tell(text: str, stream: TextIO | None) -> None:
    """Print a line; whether anybody can read it must not decide about the work that it tells of."""
    if stream is None:  # a program without a terminal
        return
    try:
        stream.write(f"{text}\n")
        stream.flush()
    except (OSError, ValueError):  # who read it has gone, as `head` does; or it is closed
        forget(stream)


def forget(stream: TextIO | None) -> None:
    """Let what still waits to be printed go nowhere: Python would try again at its end, and complain."""
    if stream is None:
        return
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
