"""A thread of its own for one worker object, which is ended before the program ends."""

from __future__ import annotations

import atexit
from collections.abc import Callable
from functools import partial

import shiboken6
from PySide6.QtCore import QCoreApplication, QObject, QThread


def _nothing() -> None:
    """Nothing is to be done."""


class WorkerThread(QObject):
    """Owns the thread that a worker lives on; the worker's slots are called by signals of whoever owns this.

    A thread that still runs when Python ends, or when its QThread is deleted, aborts the process. So it is joined
    when the application quits, when the owner is destroyed and when Python ends, whichever comes first.
    """

    def __init__(
        self,
        name: str,
        worker: QObject,
        owner: QObject,
        *,
        hurry: Callable[[], None] = _nothing,
        afterwards: Callable[[], None] = _nothing,
    ) -> None:
        """Put `worker`, which has no parent, onto a thread that runs from the first `begin` on.

        `hurry` makes the work under way end soon; it is called from the window's thread, before the worker's is joined,
        and must not keep the owner alive. `afterwards` is called once the thread is joined.
        """
        super().__init__(owner)
        self._thread = QThread()
        self._thread.setObjectName(name)
        worker.moveToThread(self._thread)
        self._end = partial(_end, self._thread, hurry, afterwards)
        atexit.register(self._end)
        self.destroyed.connect(partial(_end_and_forget, self._end))
        app = QCoreApplication.instance()
        if app is not None:
            app.aboutToQuit.connect(self.stop)

    def begin(self) -> None:
        """Have the thread run, if it does not."""
        if not self._thread.isRunning():
            self._thread.start()

    def rest(self) -> None:
        """There is no work: let the thread go until the next `begin`."""
        self._thread.quit()
        self._thread.wait()

    def stop(self) -> None:
        """Have the work under way end, and join the thread."""
        self._end()


def _end(thread: QThread, hurry: Callable[[], None], afterwards: Callable[[], None]) -> None:
    hurry()
    if shiboken6.isValid(thread):  # at the very end Qt may have deleted it first
        thread.quit()
        thread.wait()
    afterwards()


def _end_and_forget(end: Callable[[], None], _destroyed: QObject | None = None) -> None:
    end()
    atexit.unregister(end)
