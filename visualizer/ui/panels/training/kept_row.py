"""The row of the training panel that offers the runs on disk."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QWidget

from visualizer.errors import InputError
from visualizer.session.training.files import AboutRun, KeptRun
from visualizer.session.training.kept_runs import KeptRuns
from visualizer.ui.widgets.buttons import push_button
from visualizer.ui.widgets.labels import WrappedLabel


class KeptRow(QWidget):
    """What can be gone on with, one of it chosen.

    Signals:
        resume_wanted(): go on with `chosen`.
        refused(str): why a run cannot be removed.

    Attributes:
        runs: all of them.
        damage: what was set aside because it cannot be read; nothing where all can.
        chosen: the one at hand; None where there is none.
    """

    resume_wanted = Signal()
    refused = Signal(str)

    def __init__(self, runs: KeptRuns, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.runs, self.damage = runs, runs.set_aside()
        self.chosen: KeptRun | None = None
        self._waiting: list[tuple[KeptRun, AboutRun]] = []
        self._words = WrappedLabel("trainingKept", self)
        self._list = QComboBox(self)
        self._list.setObjectName("trainingRuns")
        self._list.setAccessibleName("Runs that are kept on disk")
        self._list.setToolTip("Every training is kept by itself: choose the one to go on with, the newest first")
        self._list.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self._list.setMinimumContentsLength(12)
        self._resume = push_button("Resume", "trainingResume", "Go on with the run that was kept on disk", self)
        self._forget = push_button("Forget it", "trainingForget", "Remove this kept run from disk", self)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self._words, 1)
        row.addWidget(self._list, 2)
        row.addWidget(self._resume)
        row.addWidget(self._forget)
        self._list.currentIndexChanged.connect(self._choose)
        self._resume.clicked.connect(self.resume_wanted)
        self._forget.clicked.connect(self._remove)

    def offer(self, waiting: bool) -> None:
        """Look what is on disk and offer it, the newest first; nothing where that is not wanted now."""
        self._waiting = self.runs.waiting() if waiting else []
        several = len(self._waiting) > 1
        words = [f"{about.name}, step {about.step:,} of {about.steps:,}" for _, about in self._waiting]
        self._words.setText("Kept on disk:" if several or not words else f"Kept on disk: {words[0]}")
        self._list.setVisible(several)
        blocked = self._list.blockSignals(True)
        self._list.clear()
        self._list.addItems(words)
        self._list.blockSignals(blocked)
        self.setVisible(bool(words))
        self._choose(0)

    def _choose(self, index: int) -> None:
        self.chosen, about = self._waiting[index] if 0 <= index < len(self._waiting) else (None, None)
        if about is not None:
            self._resume.setText("Bring it back" if about.step >= about.steps else "Resume")

    def _remove(self) -> None:
        if self.chosen is not None:
            try:
                self.runs.forget(self.chosen)
            except InputError as error:
                self.refused.emit(str(error))
        self.offer(True)
