"""Evaluation on a worker thread: one at work, one waiting, latest wins; small requests are done at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from numpy.typing import NDArray
from PySide6.QtCore import QCoreApplication, QEventLoop, QObject, QTimer, Signal, Slot

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
#: Seconds that the worker waits for the window to show a result, at most; and how often it asks whether it shall end.
PATIENCE, STEP = 0.5, 0.02
#: What is to be painted after a result is painted before so much time has passed: Qt gathers it for 5 ms.
PAINTED_MS = 10


class _Worker(QObject):
    """Lives on the worker thread, and works while `may_work` is set.

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
        self.may_work = threading.Event()
        self.may_work.set()
        self._reported = 0.0

    @Slot(object)
    def work(self, request: Request) -> None:
        """Evaluate one request."""
        result: Result | None = None
        try:
            self._wait_until_shown()
            result = evaluate(request, self._watch, self._say_begun)
        except CancelledError:
            pass
        finally:
            self.finished.emit(result)

    def _say_begun(self, result: Result) -> None:
        self.may_work.clear()
        self.begun.emit(result)
        self._wait_until_shown()

    def _wait_until_shown(self) -> None:
        """Leave the machine to the window while it draws a result.

        Beside a working engine that takes many times as long: they share the cores, and a product of matrices in the
        window's thread waits for the whole of one that is under way here.
        """
        waited = 0.0
        while not self.may_work.wait(STEP) and not self.cancelled.is_set() and waited < PATIENCE:
            waited += STEP

    def _watch(self, done: int, total: int) -> None:
        if self.cancelled.is_set():
            raise CancelledError("the evaluation is no longer wanted")
        if time.monotonic() - self._reported >= REPORT_EVERY:
            self._reported = time.monotonic()
            self.progressed.emit(done, total)


class _Releaser(QObject):
    """Lives on a thread of its own, and lets go of arrays.

    To give a large model's pass back to the system takes 60 ms and more in which every thread waits, wherever it is
    done; array by array, the window's thread has its turn in between.
    """

    @Slot(object)
    def let_go(self, arrays: list[NDArray[Any]]) -> None:
        """Forget them one after the other."""
        while arrays:
            arrays.pop()


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
    _released = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._worker = _Worker()
        self._thread = WorkerThread("evaluation", self._worker, self, hurry=self._worker.cancelled.set)
        self._requested.connect(self._worker.work)
        self._worker.begun.connect(self._begun)
        self._worker.finished.connect(self._finished)
        self._worker.progressed.connect(self.progressed)
        self._releaser = _Releaser()
        self._releasing = WorkerThread("letting go", self._releaser, self)
        self._released.connect(self._releaser.let_go)
        self._shown: Result | None = None  # what was reported last, kept until the next one is shown in its place
        self._first: Result | None = None  # what was reported of the request under way
        self._done: Callable[[Result], None] | None = None
        self._waiting: tuple[Request, Callable[[Result], None]] | None = None
        self._opened: OpenedModel | None = None  # whose pass is under way
        self._stopped = False
        self._painted = QTimer(self, singleShot=True, interval=PAINTED_MS)
        self._painted.timeout.connect(self._go_on)

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
        if self._shown is not None and self._shown.state.opened is not request.snapshot.state.opened:
            self._let_go(None)
        if self.busy:
            self._waiting = (request, done)
            if request.snapshot.state.opened is not self._opened:
                self._worker.cancelled.set()
        elif request.cost() <= AT_ONCE:
            done(self._evaluated(request))
            self._let_go(None)
        else:
            self._begin(request, done)

    def _evaluated(self, request: Request) -> Result:
        """The result of a small request. Where it fails, what is shown is from before, as after one that was ended."""
        result = None
        try:
            result = evaluate(request)
        finally:
            if result is None:
                self.busy_changed.emit(False)
        return result

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
        self._painted.stop()
        self._waiting = None
        self._worker.begun.disconnect(self._begun)
        self._worker.finished.disconnect(self._finished)
        self._done = self._shown = self._first = None
        self._thread.stop()
        self._releasing.stop()

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
            self._first = result
            self._show(result, self._done)

    def _show(self, result: Result, done: Callable[[Result], None]) -> None:
        """Report a result; until it is painted, the worker waits."""
        self._worker.may_work.clear()
        try:
            done(result)
        finally:
            self._painted.start()

    def _go_on(self) -> None:
        self._worker.may_work.set()

    @Slot(object)
    def _finished(self, result: Result | None) -> None:
        done, self._done = self._done, None
        first, self._first = self._first, None
        waiting, self._waiting = self._waiting, None
        if result is not None:
            self._worker.may_work.clear()  # until it is shown
        if waiting is not None:
            request, wanted = waiting
            self._begin(request.after(result), wanted)
        else:
            self.busy_changed.emit(False)
        if done is not None and result is not None:
            self._show(result, done)
        shown = result if result is not None else first
        if shown is not None:
            self._let_go(shown)

    def _let_go(self, shown: Result | None) -> None:
        """Nobody shows the result before this one any more: have what only it held given back to the system."""
        before, self._shown = self._shown, shown
        if before is not None:
            arrays = [array for trace in before.passes() for array in trace.recorded.values()]
            del before  # or this thread might be the last to hold it
            self._releasing.begin()
            self._released.emit(arrays)
