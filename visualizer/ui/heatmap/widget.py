"""The heatmap widget: a matrix as coloured cells that answers to mouse, keyboard and screen reader."""

from __future__ import annotations

import html

from PySide6.QtCore import QEvent, QPoint, QPointF, Qt, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QFocusEvent,
    QGuiApplication,
    QHelpEvent,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QToolTip, QWidget

from visualizer.session.words.numbers import typed
from visualizer.ui.heatmap.layout import scrolled_to
from visualizer.ui.heatmap.view import Cell, HeatmapView
from visualizer.ui.widgets.spoken import speak

ZOOM_STEP = 1.25
WHEEL_NOTCH = 120.0  # eighths of a degree
SCROLL_SHARE = 1 / 3  # logical pixels a unit of the wheel's angle


class Heatmap(HeatmapView):
    """One matrix on screen, to be looked at, walked over and chosen from.

    Signals:
        cell_hovered(int, int): row and column under mouse or keyboard's cursor; -1, -1 when it leaves.
        cell_chosen(int, int): a cell was clicked, or Return was pressed on it.
        row_chosen(int): a row's label was clicked.
        column_chosen(int): a column's label was clicked.
        let_go(): Esc was pressed.
        context_requested(int, int, QPoint): a menu is wanted for a cell, at this global position.
    """

    cell_hovered = Signal(int, int)
    cell_chosen = Signal(int, int)
    row_chosen = Signal(int)
    column_chosen = Signal(int)
    let_go = Signal()
    context_requested = Signal(int, int, QPoint)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._pan_from: QPointF | None = None
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def set_cursor(self, row: int, column: int) -> None:
        """Put the keyboard's cursor on a cell, scroll it into sight, and tell listeners and screen reader."""
        if self._inside((row, column)) is None:
            raise IndexError(f"no cell [{row}, {column}] to put the cursor on")
        self._cursor = (row, column)
        self._hovered = None
        layout = self.layout_now()
        if layout is not None:
            self._zoom = scrolled_to(layout, self._zoom, row, column)
        self._describe()
        speak(self)
        self.cell_hovered.emit(row, column)
        self.update()

    def cursor_cell(self) -> Cell | None:
        """The cell of the keyboard's cursor."""
        return self._cursor

    def _hover(self, cell: Cell | None) -> None:
        if cell != self._hovered:
            self._hovered = cell
            self._describe()
            self.cell_hovered.emit(*(cell if cell is not None else (-1, -1)))
            self.update()

    def _moved_cursor(self, key: int, whole: bool) -> Cell | None:
        """Where a key takes the cursor; with `whole` (Ctrl) Home and End mean the first and the last cell."""
        layout = self.layout_now()
        if layout is None:
            return None
        last_row, last_column = layout.rows - 1, layout.columns - 1
        start = self._cursor or self._hovered
        row, column = start if start is not None else (0, 0)
        page = max(1, int(layout.cells.height() / layout.cell_height))
        moves = {
            Qt.Key.Key_Up: (row - 1, column),
            Qt.Key.Key_Down: (row + 1, column),
            Qt.Key.Key_Left: (row, column - 1),
            Qt.Key.Key_Right: (row, column + 1),
            Qt.Key.Key_Home: (0, 0) if whole else (row, 0),
            Qt.Key.Key_End: (last_row, last_column) if whole else (row, last_column),
            Qt.Key.Key_PageUp: (row - page, column),
            Qt.Key.Key_PageDown: (row + page, column),
        }
        if key not in moves:
            return None
        if self._cursor is None:
            return row, column
        row, column = moves[Qt.Key(key)]
        return min(max(row, 0), last_row), min(max(column, 0), last_column)

    # -- Qt

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            layout = self.layout_now()
            cell = layout.cell_at(QPointF(event.pos())) if layout is not None else None
            if layout is None or cell is None:
                QToolTip.showText(event.globalPos(), self.toolTip(), self)
            else:
                text = f"<p style='white-space:pre'>{html.escape(self.readout(*cell))}</p>"
                QToolTip.showText(event.globalPos(), text, self, layout.cell_rect(*cell).toAlignedRect())
            return True
        return super().event(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._pan_from is not None:
            step = event.position() - self._pan_from
            self._pan_from = event.position()
            self._scroll_by(step.x(), step.y())
            return
        layout = self.layout_now()
        self._hover(layout.cell_at(event.position()) if layout is not None else None)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        layout = self.layout_now()
        if layout is None:
            return
        point = event.position()
        if event.button() == Qt.MouseButton.MiddleButton:
            self._pan_from = point
            self.setCursor(Qt.CursorShape.ClosedHandCursor)
        elif event.button() == Qt.MouseButton.LeftButton:
            cell = layout.cell_at(point)
            row, column = layout.row_label_at(point), layout.column_label_at(point)
            if cell is not None:
                self._cursor = cell
                self._describe()
                self.cell_chosen.emit(*cell)
                self.update()
            elif row is not None:
                self.row_chosen.emit(row)
            elif column is not None:
                self.column_chosen.emit(column)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.MiddleButton and self._pan_from is not None:
            self._pan_from = None
            self.unsetCursor()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        layout = self.layout_now()
        if layout is not None and layout.cell_at(event.position()) is None:
            self.fit()

    def leaveEvent(self, event: QEvent) -> None:
        self._hover(None)
        super().leaveEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        notches = event.angleDelta().y() / WHEEL_NOTCH
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.zoom_by(ZOOM_STEP**notches, event.position())
            event.accept()
        elif self._zoom.factor > 1.0:
            pixels, angle = event.pixelDelta(), event.angleDelta()
            dx, dy = float(pixels.x()), float(pixels.y())
            if pixels.isNull():
                dx, dy = angle.x() * SCROLL_SHARE, angle.y() * SCROLL_SHARE
            if event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
                dx, dy = dy, dx
            self._scroll_by(dx, dy)
            event.accept()
        else:
            event.ignore()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        layout = self.layout_now()
        if layout is None:
            return
        if event.reason() == QContextMenuEvent.Reason.Keyboard:
            if self._cursor is not None:
                place = layout.cell_rect(*self._cursor).center().toPoint()
                self.context_requested.emit(*self._cursor, self.mapToGlobal(place))
            return
        cell = layout.cell_at(QPointF(event.pos()))
        if cell is not None:
            self.context_requested.emit(*cell, event.globalPos())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = event.key()
        moved = self._moved_cursor(key, bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier))
        if moved is not None:
            self.set_cursor(*moved)
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self._cursor is not None:
            self.cell_chosen.emit(*self._cursor)
        elif event.matches(QKeySequence.StandardKey.Copy) and self._copied is not None:
            QGuiApplication.clipboard().setText(typed(self.cell(*self._copied), self.image().dtype))
        elif key == Qt.Key.Key_Escape:
            self.let_go.emit()
        elif key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal):
            self.zoom_by(ZOOM_STEP)
        elif key == Qt.Key.Key_Minus:
            self.zoom_by(1 / ZOOM_STEP)
        elif key == Qt.Key.Key_0:
            self.fit()
        else:
            super().keyPressEvent(event)

    @property
    def _copied(self) -> tuple[int, int] | None:
        """The cell that Ctrl+C copies: the one under the mouse, or the keyboard's."""
        return self._hovered or self._cursor

    def focusInEvent(self, event: QFocusEvent) -> None:
        by_key = event.reason() in (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason)
        if by_key and self._cursor is None and self.layout_now() is not None:
            row, column = self._selection
            start = self._inside((row or 0, column or 0))
            self.set_cursor(*(start if start is not None else (0, 0)))
        elif self._cursor is not None and event.reason() != Qt.FocusReason.MouseFocusReason:
            self.cell_hovered.emit(*self._cursor)  # back from a menu, say
        self.update()
        super().focusInEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        if self._cursor is not None and self._hovered is None:
            self.cell_hovered.emit(-1, -1)
        self.update()
        super().focusOutEvent(event)
