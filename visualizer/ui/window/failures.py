"""What fails inside the program and nobody caught: said in the status bar, kept in a file, and told as before."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from functools import partial
from pathlib import Path
from types import TracebackType

import shiboken6
from PySide6.QtCore import QObject, QStandardPaths, Signal

#: The file of failures begins anew once it is longer, in bytes.
LONGEST_FILE = 2**18


def errors_file() -> Path:
    """Where failures are kept, for whoever mends them."""
    place = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.AppLocalDataLocation)
    return Path(place) / "errors.log"


class Failures(QObject):
    """Hears of every exception that reached `sys.excepthook`, from whatever thread, as long as its parent lives.

    An exception in a handler ends that handler alone: the window goes on, and without a word nobody would know that
    something is missing. Whoever was told before (the terminal, a test) is still told.
    """

    _failed = Signal(str)

    def __init__(self, say: Callable[[str], None], file: Path, parent: QObject) -> None:
        """`say` shows a sentence, on the window's thread."""
        super().__init__(parent)
        self._file, self._before = file, sys.excepthook
        self._failed.connect(say)
        sys.excepthook = hook = self._hear
        parent.destroyed.connect(partial(_restore, hook, self._before))

    def _hear(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if shiboken6.isValid(self) and issubclass(kind, Exception):
            with suppress(OSError):
                self._keep("".join(traceback.format_exception(kind, error, trace)))
            said = " ".join(str(error).split())
            self._failed.emit(
                f"This failed by a mistake in the program: {kind.__name__}{f': {said[:200]}' if said else ''}. "
                f"Your work is as it was; details are in {self._file}."
            )
        self._before(kind, error, trace)

    def _keep(self, text: str) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        anew = self._file.exists() and self._file.stat().st_size > LONGEST_FILE
        with self._file.open("w" if anew else "a", encoding="utf-8", errors="backslashreplace") as file:
            file.write(f"{datetime.now().isoformat(timespec='seconds')}\n{text}\n")


def _restore(hook: object, before: Callable[..., object], _destroyed: QObject | None = None) -> None:
    if sys.excepthook == hook:
        sys.excepthook = before
