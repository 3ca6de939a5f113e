"""The busy bar: how far a long computation has come, and a way to end it."""

from __future__ import annotations

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QPushButton, QWidget

from visualizer.session.document.document import Change
from visualizer.session.evaluation.result import Result
from visualizer.session.session import Session
from visualizer.ui.bridge.executor import WorkerExecutor
from visualizer.ui.widgets.plain_text import PlainLabel

#: Work that takes longer than this shows itself.
SHOWN_AFTER_MS = 500


class BusyBar(QWidget):
    """In the status bar: how much is done, and Cancel; after that, what to do to have the rest computed.

    Signals:
        stale_changed(bool): what is shown is not of the present state, and will not be for a while. Where nothing
            is shown yet, nothing is stale.
    """

    stale_changed = Signal(bool)

    def __init__(self, session: Session, executor: WorkerExecutor, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("busyBar")
        self._session, self._executor = session, executor
        self._told_stale = False
        self._late = QTimer(self, singleShot=True, interval=SHOWN_AFTER_MS)
        self._words = PlainLabel("", self)
        self._progress = QProgressBar(self)
        self._progress.setAccessibleName("Share computed")
        self._progress.setFixedWidth(110)
        self._progress.setTextVisible(False)
        self._progress.setMaximumHeight(8)
        self.button = QPushButton(self)
        self.button.setObjectName("cancelButton")
        self.button.setAccessibleName("Cancel")
        self.button.setToolTip("Stop computing; the last picture stays")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        for widget in (self._words, self._progress, self.button):
            row.addWidget(widget)
        self.hide()
        self._late.timeout.connect(self._show_work)
        self.button.clicked.connect(self._pressed)
        executor.busy_changed.connect(self._busy_changed)
        executor.progressed.connect(self._progressed)
        session.subscribe(self._result_arrived)
        session.document.subscribe(self._document_changed)
        if executor.busy:  # the first pass began with the session
            self._busy_changed(True)

    def _busy_changed(self, busy: bool) -> None:
        if busy:
            self._progress.setRange(0, 0)  # nothing is known yet
            if not self.isHidden():
                self._show_work()
            elif not self._late.isActive():
                self._late.start()
        else:
            self._late.stop()
            QTimer.singleShot(0, self, self._settle)  # the result, if there is one, arrives right after

    def _settle(self) -> None:
        """Nothing is under way: either all is up to date, or the work was cancelled."""
        if self._executor.busy:
            return
        if self._session.pending:
            self._words.setText(self._what_is_missing())
            self.button.setText("Compute")
            self.button.setToolTip("Compute what was cancelled")
            self._progress.hide()
        self._show(self._session.pending)

    def _what_is_missing(self) -> str:
        if self._session.result is None:
            return "not computed"
        if self._session.stale:
            return "not computed: what is shown is from before"
        return "not computed: the rest of the text"

    def _result_arrived(self, result: Result) -> None:
        if self._executor.busy and not self.isHidden() and not result.complete:
            self._show_work()  # it goes on with the rest of the text
            return
        if self._executor.busy:
            self._late.start()
        self._show(False)

    def _document_changed(self, _change: Change) -> None:
        if self._session.result is None:  # of another model nothing is shown, so nothing is stale
            self._tell_stale(False)
        elif self._executor.busy and not self._late.isActive():
            self._late.start()  # what is shown may be from before for long, also where the bar is there already

    def _show_work(self) -> None:
        if self._session.pending and not self._session.stale:
            self._words.setText("generating …")
            self.button.setToolTip("Stop generating; the tokens that are there stay")
        else:
            self._words.setText("computing …")
            self.button.setToolTip("Stop computing; what is shown stays as it was before the last change")
        self.button.setText("Cancel")
        self._progress.show()
        self._show(True)

    def _progressed(self, done: int, total: int) -> None:
        if total > 1:
            self._progress.setRange(0, total)
            self._progress.setValue(done)

    def _show(self, on: bool) -> None:
        """Show the bar or hide it, and say whether what is shown is marked as stale with it."""
        self.setVisible(on)
        self._tell_stale(on and self._session.result is not None and self._session.stale)

    def _tell_stale(self, stale: bool) -> None:
        if stale != self._told_stale:
            self._told_stale = stale
            self.stale_changed.emit(stale)

    def _pressed(self) -> None:
        if self._executor.busy:
            self.button.setEnabled(False)
            self._executor.cancel()
            self.button.setEnabled(True)
            self._words.setText("stopping …")
        else:
            self._session.recompute()
