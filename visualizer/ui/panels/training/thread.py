"""Training and estimating in another process, and a thread that hears of it."""

from __future__ import annotations

import threading
from pathlib import Path

from PySide6.QtCore import QObject, QStandardPaths, Signal, Slot

from visualizer.session.training.plan import TrainingPlan, TrainingText
from visualizer.session.training.process import TrainingProcess
from visualizer.session.training.report import Report
from visualizer.ui.bridge.worker_thread import WorkerThread
from visualizer.ui.panels.training.text_file import TextFile


def data_folder() -> Path:
    """Where runs are kept by themselves."""
    place = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.AppLocalDataLocation)
    return Path(place) / "training"


class TrainingRun:
    """One run under way, and whether it waits."""

    def __init__(self, plan: TrainingPlan | None, kept: Path | None, process: TrainingProcess) -> None:
        self.plan, self.kept = plan, kept
        self._process = process
        self.paused = False
        self.stopping = threading.Event()

    def pause(self) -> None:
        """Wait after the step under way."""
        self.paused = True
        self._process.tell("pause")

    def resume(self) -> None:
        """Go on."""
        self.paused = False
        self._process.tell("resume")

    def stop(self) -> None:
        """End after the step under way."""
        self.stopping.set()
        self._process.stop()


class _Worker(QObject):
    """Lives on the thread.

    Signals:
        reported(object, object): the run, and a Report of it.
        estimated(object, object): a plan, and how many seconds it will take; None where it cannot be trained.
        looked(object, object): what was asked about, and a TrainingText without its text, or why there is none.
    """

    reported = Signal(object, object)
    estimated = Signal(object, object)
    looked = Signal(object, object)

    def __init__(self, process: TrainingProcess) -> None:
        super().__init__()
        self._process = process

    @Slot(object)
    def train(self, run: TrainingRun) -> None:
        """Hear of one run to its end."""
        if run.stopping.is_set():  # before it was its turn
            self.reported.emit(run, Report("stopped"))
            return
        ended = False
        try:
            for report in self._process.run(run.plan, run.kept):
                if run.stopping.is_set() and report.phase == "preparing":  # as it began
                    self._process.stop()
                ended = report.last
                self.reported.emit(run, report)
        finally:
            if not ended:  # an error of the program's own: it is on the terminal, and the window must not wait
                self.reported.emit(run, Report("failed", "training broke off by an error of the program"))

    @Slot(object)
    def estimate(self, plan: TrainingPlan) -> None:
        """Hear how long a plan takes."""
        seconds = None
        try:
            seconds = self._process.estimate(plan)
        finally:
            self.estimated.emit(plan, seconds)

    @Slot(object)
    def look(self, file: TextFile) -> None:
        """Hear what has to be known of a text file."""
        found: TrainingText | str = f"{file.path!r} could not be read"
        try:
            found = self._process.look(file.path)
        finally:
            self.looked.emit(file, found)


class TrainingThread(QObject):
    """One run at a time. A report is made only when the one before it has been read.

    Signals:
        reported(object): a Report of the run.
        estimated(object, object): a plan, and its seconds or None.
        looked(object, object): a TextFile, and a TrainingText without its text, or why there is none.
    """

    reported = Signal(object)
    estimated = Signal(object, object)
    looked = Signal(object, object)
    _train = Signal(object)
    _estimate = Signal(object)
    _look = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._process = TrainingProcess()
        self._worker = _Worker(self._process)
        process = self._process
        self._thread = WorkerThread("training", self._worker, self, hurry=process.close, afterwards=process.release)
        self._train.connect(self._worker.train)
        self._estimate.connect(self._worker.estimate)
        self._look.connect(self._worker.look)
        self._worker.reported.connect(self._reported)
        self._worker.estimated.connect(self._estimated)
        self._worker.looked.connect(self._looked)
        self._run: TrainingRun | None = None
        self._estimating = False
        self._next: TrainingPlan | None = None

    @property
    def run(self) -> TrainingRun | None:
        """The run under way."""
        return self._run

    def start(self, plan: TrainingPlan | None, kept: Path | None) -> None:
        """Begin a run, kept in a folder; `plan` None goes on with the kept one. There must be none under way."""
        assert self._run is None, "one run at a time"
        self._next = None
        self._run = TrainingRun(plan, kept, self._process)
        self._thread.begin()
        self._train.emit(self._run)

    def estimate(self, plan: TrainingPlan) -> None:
        """Find out how long a plan takes; of several that are asked for meanwhile, the latest. Not during a run."""
        if self._run is not None:
            return
        if self._estimating:
            self._next = plan
            return
        self._estimating = True
        self._thread.begin()
        self._estimate.emit(plan)

    def look(self, file: TextFile) -> None:
        """Find out what has to be known of a large text file before it is trained on."""
        self._thread.begin()
        self._look.emit(file)

    def shut_down(self) -> None:
        """Stop the run after its present step, and join process and thread; nothing is reported any more."""
        self._next = self._run = None
        self._estimating = False
        self._thread.stop()

    @Slot(object, object)
    def _reported(self, run: TrainingRun, report: Report) -> None:
        if run is not self._run:
            return
        if report.last:
            self._run = None
        self.reported.emit(report)
        self._process.tell("read")

    @Slot(object, object)
    def _looked(self, file: TextFile, found: TrainingText | str) -> None:
        self.looked.emit(file, found)

    @Slot(object, object)
    def _estimated(self, plan: TrainingPlan, seconds: float | None) -> None:
        self._estimating = False
        if self._next is not None and self._run is None:
            following, self._next = self._next, None
            self.estimate(following)
        elif self._run is None:
            self.estimated.emit(plan, seconds)
