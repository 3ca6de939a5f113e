"""The ring around the widget that has the keyboard, alike on every control and in every panel."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import shiboken6
from PySide6.QtCore import QEvent, QObject, QRect, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QRegion
from PySide6.QtWidgets import QApplication, QMainWindow, QTabBar, QWidget

from visualizer.ui.look.theme import current_theme

WIDTH = 2


class FocusRings(QObject):
    """Keeps a ring on the widget of a window that has the keyboard, once the keyboard has moved it there.

    Where the mouse gives the focus, no ring is needed: it is where one has clicked.
    """

    def __init__(self, window: QMainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._ring: FocusRing | None = None
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        app.focusChanged.connect(self._moved)

    def _moved(self, _before: QWidget | None, now: QWidget | None) -> None:
        if self._ring is not None and shiboken6.isValid(self._ring):  # it goes with the widget that it is on
            self._ring.hide()
            self._ring.deleteLater()
        self._ring = None
        if now is None or not self._is_ours(now) or QApplication.mouseButtons() != Qt.MouseButton.NoButton:
            return
        if now.window().testAttribute(Qt.WidgetAttribute.WA_KeyboardFocusChange):
            self._ring = FocusRing(now)

    def _is_ours(self, widget: QWidget) -> bool:
        part: QWidget | None = widget
        while part is not None and part is not self._window:
            part = part.parentWidget()
        return part is not None and widget.window().windowType() != Qt.WindowType.Popup


@contextmanager
def without_ring(widget: QWidget) -> Iterator[None]:
    """Take the ring from a widget while a picture is made of it."""
    rings = [child for child in widget.children() if isinstance(child, FocusRing)]
    for ring in rings:
        ring.hide()
    yield
    for ring in rings:
        ring.show()


class FocusRing(QWidget):
    """A frame just inside its parent, or around the chosen tab of a row of tabs."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        parent.installEventFilter(self)
        if isinstance(parent, QTabBar):
            parent.currentChanged.connect(self._fit)
        self._fit()
        self.show()

    def _fit(self, _index: int = 0) -> None:
        parent = self.parentWidget()
        assert parent is not None
        place = parent.tabRect(parent.currentIndex()) if isinstance(parent, QTabBar) else parent.rect()
        self.setGeometry(place)
        self.setMask(QRegion(self.rect()) - QRegion(_inside(self.rect())))  # what lies within repaints on its own
        self.raise_()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize:
            self._fit()
        return super().eventFilter(watched, event)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(event.rect(), QColor(current_theme().text))


def _inside(rect: QRect) -> QRect:
    return rect.adjusted(WIDTH, WIDTH, -WIDTH, -WIDTH)
