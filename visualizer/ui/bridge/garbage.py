"""Garbage is collected on the window's thread alone, and all of it only while nothing is awaited."""

from __future__ import annotations

import gc
from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QObject, QTimer

EVERY_MS = 1000
#: Those at work; while there are any, Python collects nothing by itself.
_at_work: set[int] = set()
_was_enabled = True


class GarbageCollector(QObject):
    """Collects circles of references once a second, where Python would do it on whichever thread allocates.

    Found on a worker's thread, a widget in such a circle would be deleted there, which Qt does not survive. And to look
    through everything that is alive takes up to 50 ms beside a working engine, with every thread waiting.
    """

    def __init__(self, busy: Callable[[], bool], parent: QObject) -> None:
        """While `busy()`, only what is young is looked through."""
        super().__init__(parent)
        self._busy = busy
        self._timer = QTimer(self, interval=EVERY_MS)
        self._timer.timeout.connect(self.collect)
        self._timer.start()
        _begin(id(self))
        self.destroyed.connect(partial(_end, id(self)))

    def collect(self) -> None:
        """Collect what Python would have collected by now."""
        counts, limits = gc.get_count(), gc.get_threshold()
        due = [generation for generation in range(3) if counts[generation] > limits[generation]]
        if 2 in due and not self._busy():
            gc.collect()
        elif 1 in due:
            gc.collect(1)
        elif 0 in due:
            gc.collect(0)

    def stop(self) -> None:
        """Leave it to Python again, unless another window is open."""
        self._timer.stop()
        _end(id(self))


def _begin(who: int) -> None:
    global _was_enabled
    if not _at_work:
        _was_enabled = gc.isenabled()
        gc.disable()
    _at_work.add(who)


def _end(who: int, _destroyed: QObject | None = None) -> None:
    if who in _at_work:
        _at_work.remove(who)
        if not _at_work and _was_enabled:
            gc.enable()
