"""The arcs widget: the picture of who attends to whom, answering to mouse and keyboard."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPoint, QPointF, Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QHelpEvent, QKeyEvent, QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QWidget

from visualizer.ui.panels.arcs.picture import ArcsPicture
from visualizer.ui.widgets.plain_text import show_tip
from visualizer.ui.widgets.spoken import speak

#: Tokens closer than this far ahead of the cursor are kept in view.
AHEAD = 60.0


class ArcsView(ArcsPicture):
    """Attention of one head, or of the mean over a block's heads, as arcs.

    Signals:
        toggled(int): a token was clicked, or Return or Space pressed on it.
        all_wanted(): Ctrl+A.
        key_chosen(int): the bar under a token was clicked.
        let_go(): Esc was pressed.
        menu_asked(int, bool, QPoint): a right click at a global position: on a token (−1 for none), and whether on the
            bar below it.
    """

    toggled = Signal(int)
    all_wanted = Signal()
    key_chosen = Signal(int)
    let_go = Signal()
    menu_asked = Signal(int, bool, QPoint)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def _move_to(self, place: int) -> None:
        self._cursor, self._hovered, self._walking = place, None, True
        left = self._line.lefts[place]
        right = left + self._line.widths[place]
        if left - AHEAD < self._scroll.value():
            self._scroll.setValue(round(left - AHEAD))
        elif right + AHEAD > self._scroll.value() + self.width():
            self._scroll.setValue(round(right + AHEAD - self.width()))
        self._describe()
        speak(self)
        self.update()

    # -- Qt

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        place, below = self._line.token_at(event.position())
        self._point_at(None if below else place)

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._point_at(None)

    def _choose(self, place: int) -> None:
        """Toggle a token; what that changes is to be seen at once, not when mouse or cursor have left it."""
        self._cursor, self._hovered, self._walking = place, None, False
        self.toggled.emit(place)
        self.update()

    def _point_at(self, place: int | None) -> None:
        if place != self._hovered:
            self._hovered = place
            self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        place, below = self._line.token_at(event.position())
        if event.button() != Qt.MouseButton.LeftButton or place is None:
            super().mousePressEvent(event)
        elif below:
            self.key_chosen.emit(place)
        else:
            self._choose(place)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        place, below = self._line.token_at(QPointF(event.pos()))
        if self._weights is not None:
            self.menu_asked.emit(-1 if place is None else place, below, event.globalPos())

    def wheelEvent(self, event: QWheelEvent) -> None:
        delta = event.angleDelta().x() or event.angleDelta().y()
        self._scroll.setValue(self._scroll.value() - delta)
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, last = event.key(), len(self._names) - 1
        modifiers = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        moves = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1, Qt.Key.Key_Home: -last, Qt.Key.Key_End: last}
        if last >= 0 and key == Qt.Key.Key_A and modifiers == Qt.KeyboardModifier.ControlModifier:
            self._walking = False
            self.all_wanted.emit()
        elif last < 0 or modifiers:
            super().keyPressEvent(event)
        elif key in moves:
            start = self._cursor
            if start is None:
                start = max(self._chosen, default=-1 if key == Qt.Key.Key_Right else last + 1)
            self._move_to(min(max(start + moves[Qt.Key(key)], 0), last))
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            if self._cursor is not None:
                self._choose(self._cursor)
        elif key == Qt.Key.Key_Escape:
            self._cursor, self._walking = None, False
            self.let_go.emit()
            self._describe()
            self.update()
        else:
            super().keyPressEvent(event)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            place, below = self._line.token_at(QPointF(event.pos()))
            if place is None:
                show_tip(event.globalPos(), self.toolTip(), self)
            else:
                doing = "click to explain the weight" if below else "click to choose it, again to let go"
                show_tip(event.globalPos(), f"{self.readout(place)}\n{doing}", self)
            return True
        return super().event(event)
