"""Opening a model in the window: what is small at once, a large file beside it, and a word where there is none."""

from __future__ import annotations

from collections.abc import Generator
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal, Slot

from visualizer.errors import FormatError, InputError
from visualizer.formats import NAMES, OpenedModel, open_model
from visualizer.ui.bridge.background import Background

#: A file of so many bytes is read before a frame is over, whatever is in it.
AT_ONCE_BYTES = 2**18


class Opening(QObject):
    """Reads one source at a time; of those that are asked for meanwhile, the latest follows.

    Signals:
        opened(object): the OpenedModel.
        said(str): what is being read, or why it cannot be.
    """

    opened = Signal(object)
    said = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._background = Background(self)
        self._background.finished.connect(self._finished)

    @property
    def busy(self) -> bool:
        """Whether a file is being read."""
        return self._background.busy

    def request(self, source: str) -> None:
        """Read a preset, a shipped model or a file: before this returns where it is small, else on a thread."""
        at_once = is_small(source)
        if not at_once:
            self.said.emit(f"Reading {Path(source).name} …")
        self._background.request(partial(_reading, source), at_once=at_once)

    def stop(self) -> None:
        """Nothing that is being read is wanted any more; returns when the thread has ended."""
        self._background.stop()

    @Slot(object)
    def _finished(self, result: OpenedModel | InputError) -> None:
        if isinstance(result, OpenedModel):
            self.opened.emit(result)
        else:
            self.said.emit(str(result))


def is_small(source: str) -> bool:
    """Whether nobody waits for it: a name of ours, a small file, or none at all."""
    if source in NAMES:
        return True
    try:
        return Path(source).stat().st_size <= AT_ONCE_BYTES
    except (OSError, ValueError):  # ValueError: a name with a null character
        return True


def _reading(source: str) -> Generator[str, None, OpenedModel | InputError]:
    yield source
    try:
        return open_model(source)
    except InputError as error:
        return error
    except MemoryError:
        return FormatError(f"{source!r} is larger than the memory that is left")
