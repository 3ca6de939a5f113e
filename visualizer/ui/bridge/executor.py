"""Evaluation on a worker thread: one at work, one waiting, latest wins; small requests are done at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from PySide6.QtCore import QCoreApplication, QEventLoop, QObject, Signal, Slot

from visualizer.errors import CancelledError
from visualizer.formats import OpenedModel
from visualizer.session.evaluation.evaluate import evaluate
from visualizer.session.evaluation.request import Request
from visualizer.session.evaluation.result import Result
from visualizer.ui.bridge.worker_thread import WorkerThread

#: Requests cheaper than this many multiplications take less than the way to another thread and back costs.
AT_ONCE = 5e6
#: Seconds between two reports of how far the work has come.
REPORT_EVERY = 0.1


class _Worker(QObject):
    """Lives on the worker thread.

    Signals:
        begun(object): the Result as far as the step that is looked at, where the rest takes long.
        finished(object): the Result, or None where the work was cancelled.
        progressed(int, int): rows of passes computed, and how many there will be; 0 of 0 where that is not known.
    """

    begun = Signal(object)
    finished = Signal(object)
    progressed = Signal(int, int)

    def __init__(self) -> None:
        super().__init__()
        self.cancelled = threading.Event()
        self._reported = 0.0

    @Slot(object)
    def work(self, request: Request) -> None:
        """Evaluate one request."""
        result: Result | None = None
        try:
            result = evaluate(request, self._watch, self.begun.emit)
        except CancelledError:
            pass
        finally:
            self.finished.emit(result)

    def _watch(self, done: int, total: int) -> None:
        if self.cancelled.is_set():
            raise CancelledError("the evaluation is no longer wanted")
        if time.monotonic() - self._reported >= REPORT_EVERY:
            self._reported = time.monotonic()
            self.progressed.emit(done, total)


class WorkerExecutor(QObject):
    """Carries out requests off the window's thread.

    Signals:
        busy_changed(bool): whether a request is being worked on.
        progressed(int, int): rows of passes computed, and how many there will be (0 of 0 where that is not
            known), not more than ten times a second.
    """

    busy_changed = Signal(bool)
    progressed = Signal(int, int)
    _requested = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._worker = _Worker()
        self._thread = WorkerThread("evaluation", self._worker, self, hurry=self._worker.cancelled.set)
        self._requested.connect(self._worker.work)
        self._worker.begun.connect(self._begun)
        self._worker.finished.connect(self._finished)
        self._worker.progressed.connect(self.progressed)
        self._done: Callable[[Result], None] | None = None
        self._waiting: tuple[Request, Callable[[Result], None]] | None = None
        self._opened: OpenedModel | None = None  # whose pass is under way
        self._stopped = False

    @property
    def busy(self) -> bool:
        """Whether a request is being worked on."""
        return self._done is not None

    def submit(self, request: Request, done: Callable[[Result], None]) -> None:
        """Evaluate at once if it is small and nothing is under way; else on the worker, replacing what waits.

        What is under way is waited for, since it is newer than what is shown; but nobody wants another model's pass.
        """
        if self._stopped:
            return
        if self.busy:
            self._waiting = (request, done)
            if request.snapshot.state.opened is not self._opened:
                self._worker.cancelled.set()
        elif request.cost() <= AT_ONCE:
            done(evaluate(request))
        else:
            self._begin(request, done)

    def cancel(self) -> None:
        """Nothing of what was asked for is wanted any more; what is under way ends after its present operation."""
        self._waiting = None
        if self.busy:
            self._worker.cancelled.set()

    def wait(self) -> None:
        """Process events until nothing is under way."""
        while self.busy:
            QCoreApplication.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents)

    def stop(self) -> None:
        """Drop what waits, cancel what is under way, and join the thread."""
        if self._stopped:
            return
        self._stopped = True
        self._waiting = None
        self._worker.begun.disconnect(self._begun)
        self._worker.finished.disconnect(self._finished)
        self._done = None
        self._thread.stop()

    def _begin(self, request: Request, done: Callable[[Result], None]) -> None:
        self._thread.begin()
        self._done = done
        self._opened = request.snapshot.state.opened
        self._worker.cancelled.clear()
        self.busy_changed.emit(True)
        self._requested.emit(request)

    @Slot(object)
    def _begun(self, result: Result) -> None:
        if self._done is not None:
            self._done(result)

    @Slot(object)
    def _finished(self, result: Result | None) -> None:
        done, self._done = self._done, None
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            request, wanted = waiting
            self._begin(request.after(result), wanted)
        else:
            self.busy_changed.emit(False)
        if done is not None and result is not None:
            done(result)
