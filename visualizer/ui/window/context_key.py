"""Shift+F10 opens the context menu of what has the keyboard, as the menu key does, which many keyboards lack."""

from __future__ import annotations

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QContextMenuEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import QAbstractScrollArea, QApplication, QWidget


class ContextKey(QShortcut):
    """The shortcut for a whole window."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(QKeySequence("Shift+F10"), window)
        self.activated.connect(open_context_menu)


def open_context_menu() -> None:
    """Ask the control that has the keyboard for its context menu, at its cursor."""
    control = QApplication.focusWidget()
    if control is None:
        return
    cursor = control.inputMethodQuery(Qt.InputMethodQuery.ImCursorRectangle)
    at = cursor.center() if isinstance(cursor, QRect) and not cursor.isNull() else control.rect().center()
    asked = control.viewport() if isinstance(control, QAbstractScrollArea) else control
    policy = control.contextMenuPolicy()
    if policy == Qt.ContextMenuPolicy.CustomContextMenu:
        asked = control
    event = QContextMenuEvent(QContextMenuEvent.Reason.Keyboard, at, asked.mapToGlobal(at))
    QApplication.sendEvent(asked, event)
