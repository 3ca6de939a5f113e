"""Long readings beside the window: a generator at work on a thread of its own, or at once where it is small."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator
from functools import partial
from typing import Any

from PySide6.QtCore import QObject, Signal, Slot

from visualizer.ui.bridge.worker_thread import WorkerThread

#: A generator of progress whose return value is the result.
Steps = Generator[Any, None, Any]
#: Seconds between two reports of progress.
REPORT_EVERY = 0.05


class _Job:
    """One generator, whether it is still wanted, and what it returned."""

    def __init__(self, steps: Steps) -> None:
        self.steps = steps
        self.cancelled = threading.Event()
        self.result: object = None
        self.complete = False

    def run(self, report: Callable[[object], None]) -> None:
        """Work to the end, or until it is cancelled."""
        reported = -REPORT_EVERY
        while not self.cancelled.is_set():
            try:
                progress = next(self.steps)
            except StopIteration as end:
                self.result, self.complete = end.value, True
                return
            if time.monotonic() - reported >= REPORT_EVERY:
                reported = time.monotonic()
                report(progress)


class _Worker(QObject):
    """Lives on the thread.

    Signals:
        progressed(object, object): the job, and what its generator yielded.
        ended(object): the job, complete, cancelled or broken.
    """

    progressed = Signal(object, object)
    ended = Signal(object)

    @Slot(object)
    def work(self, job: _Job) -> None:
        """Carry out one job."""
        try:
            job.run(partial(self.progressed.emit, job))
        finally:
            self.ended.emit(job)


class Background(QObject):
    """Carries out one reading at a time; of those that are asked for meanwhile, the latest follows.

    What is read must be immutable, or the generator's own.

    Signals:
        progressed(object): what the generator yielded, not more than twenty times a second.
        finished(object): what it returned.
        busy_changed(bool): whether one is under way on the thread.
    """

    progressed = Signal(object)
    finished = Signal(object)
    busy_changed = Signal(bool)
    _requested = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._jobs: list[_Job] = []  # those on the thread; all but the last are cancelled
        self._waiting: Callable[[], Steps] | None = None
        self._worker = _Worker()
        self._thread = WorkerThread("reading", self._worker, self, hurry=partial(_cancel_all, self._jobs))
        self._requested.connect(self._worker.work)
        self._worker.progressed.connect(self._progressed)
        self._worker.ended.connect(self._ended)

    @property
    def busy(self) -> bool:
        """Whether a reading that is still wanted is under way."""
        return bool(self._jobs) and not self._jobs[-1].cancelled.is_set()

    def request(self, make: Callable[[], Steps], *, at_once: bool) -> None:
        """Carry out the generator that `make` gives: now, if it is small; else on the thread, after what is there."""
        if at_once:
            self.cancel()
            job = _Job(make())
            job.run(self.progressed.emit)
            self.finished.emit(job.result)
        elif self.busy:
            self._waiting = make
        else:
            self._begin(make())

    def cancel(self) -> None:
        """Nothing of what was asked for is wanted any more; it ends after its present step."""
        self._waiting = None
        if self.busy:
            self._jobs[-1].cancelled.set()
            self.busy_changed.emit(False)

    def stop(self) -> None:
        """Cancel, and join the thread."""
        self.cancel()
        self._thread.stop()

    def _begin(self, steps: Steps) -> None:
        self._thread.begin()
        job = _Job(steps)
        self._jobs.append(job)
        self.busy_changed.emit(True)
        self._requested.emit(job)

    @Slot(object, object)
    def _progressed(self, job: _Job, progress: object) -> None:
        if not job.cancelled.is_set():
            self.progressed.emit(progress)

    @Slot(object)
    def _ended(self, job: _Job) -> None:
        self._jobs.remove(job)
        if not job.cancelled.is_set():
            waiting, self._waiting = self._waiting, None
            if waiting is not None:
                self._begin(waiting())
            else:
                self.busy_changed.emit(False)
            if job.complete:
                self.finished.emit(job.result)
        if not self._jobs:
            self._thread.rest()


def _cancel_all(jobs: list[_Job]) -> None:
    for job in jobs:
        job.cancelled.set()
