"""Long computations: how far one has come, a way to end it, and a veil over what is not up to date meanwhile."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QPushButton, QWidget

from visualizer.session.evaluation import Result
from visualizer.session.session import Session
from visualizer.ui.executor import WorkerExecutor
from visualizer.ui.theme import current_theme

#: Work that takes longer than this shows itself.
SHOWN_AFTER_MS = 500
VEIL_OPACITY = 0.55


class BusyBar(QWidget):
    """In the status bar: the passes done, and Cancel; after that, what to do to have the rest computed.

    Signals:
        stale_changed(bool): what is shown is not of the present state, and will not be for a while.
    """

    stale_changed = Signal(bool)

    def __init__(self, session: Session, executor: WorkerExecutor, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("busyBar")
        self._session, self._executor = session, executor
        self._late = QTimer(self, singleShot=True, interval=SHOWN_AFTER_MS)
        self._words = QLabel(self)
        self._progress = QProgressBar(self)
        self._progress.setAccessibleName("Passes computed")
        self._progress.setFixedWidth(110)
        self._progress.setTextVisible(False)
        self._progress.setMaximumHeight(8)
        self.button = QPushButton(self)
        self.button.setObjectName("cancelButton")
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

    @property
    def marked(self) -> bool:
        """Whether what is shown is marked as not up to date."""
        return not self.isHidden()

    def _busy_changed(self, busy: bool) -> None:
        if busy and not self._late.isActive() and not self.marked:
            self._progress.setRange(0, 0)  # nothing is known yet
            self._late.start()
        elif not busy:
            self._late.stop()
            QTimer.singleShot(0, self, self._settle)  # the result, if there is one, arrives right after

    def _settle(self) -> None:
        """Nothing is under way: either all is up to date, or the work was cancelled."""
        if self._executor.busy:
            return
        if self._session.stale:
            self._words.setText("not computed: what is shown is from before")
            self.button.setText("Compute")
            self.button.setToolTip("Compute what was cancelled")
            self._progress.hide()
            self._mark(True)
        else:
            self._mark(False)

    def _result_arrived(self, _result: Result) -> None:
        if self._executor.busy:
            self._late.start()
        self._mark(False)

    def _show_work(self) -> None:
        self._words.setText("computing …")
        self.button.setText("Cancel")
        self.button.setToolTip("Stop computing; what is shown stays as it was before the last change")
        self._progress.show()
        self._mark(True)

    def _progressed(self, done: int, total: int) -> None:
        if total > 1:
            self._progress.setRange(0, total)
            self._progress.setValue(done)

    def _mark(self, on: bool) -> None:
        if on != self.marked:
            self.setVisible(on)
            self.stale_changed.emit(on)

    def _pressed(self) -> None:
        if self._executor.busy:
            self.button.setEnabled(False)
            self._executor.cancel()
            self.button.setEnabled(True)
            self._words.setText("stopping …")
        else:
            self._session.recompute()


class Veil(QWidget):
    """Over a panel whose numbers are from before the last change: they stay legible, and say so. Takes no clicks."""

    def __init__(self, panel: QWidget) -> None:
        super().__init__(panel)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAccessibleName("From before the last change")
        self.setGeometry(panel.rect())
        panel.installEventFilter(self)
        self.raise_()
        self.show()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize and isinstance(watched, QWidget):
            self.setGeometry(watched.rect())
        return False

    def paintEvent(self, _event: QPaintEvent) -> None:
        theme = current_theme()
        painter = QPainter(self)
        ground = QColor(theme.background)
        ground.setAlphaF(VEIL_OPACITY)
        painter.fillRect(self.rect(), ground)
        words = "from before the last change"
        room = self.fontMetrics().size(0, words)
        label = QRectF(
            self.width() - room.width() - 20, self.height() - room.height() - 12, room.width() + 12, room.height() + 4
        )
        painter.setPen(QColor(theme.text))
        painter.fillRect(label, QColor(theme.panel))
        painter.drawRect(label)
        painter.drawText(label, Qt.AlignmentFlag.AlignCenter, words)
