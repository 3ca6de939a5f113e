"""The heatmap widget: a matrix as coloured cells that answers to mouse, keyboard and screen reader."""

from __future__ import annotations

import html

from PySide6.QtCore import QEvent, QPoint, QPointF, Qt, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QEnterEvent,
    QFocusEvent,
    QGuiApplication,
    QHelpEvent,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
)
from PySide6.QtWidgets import QWidget

from visualizer.session.words.numbers import typed
from visualizer.session.words.spreadsheet import format_block
from visualizer.ui.heatmap.layer import Cell
from visualizer.ui.heatmap.layout import Layout
from visualizer.ui.heatmap.view import HeatmapView
from visualizer.ui.widgets.plain_text import show_tip
from visualizer.ui.widgets.spoken import speak
from visualizer.ui.widgets.zoom_keys import ZOOM_KEYS

#: What is sent to the part of the widget that takes mouse and drops, even where it is sent to the widget itself.
FOR_VIEWPORT = (
    QEvent.Type.MouseButtonPress,
    QEvent.Type.MouseButtonRelease,
    QEvent.Type.MouseButtonDblClick,
    QEvent.Type.MouseMove,
    QEvent.Type.Wheel,
    QEvent.Type.ContextMenu,
    QEvent.Type.DragEnter,
    QEvent.Type.DragMove,
    QEvent.Type.DragLeave,
    QEvent.Type.Drop,
)


class Heatmap(HeatmapView):
    """One matrix on screen, to be looked at, walked over and chosen from.

    Signals:
        cell_hovered(int, int): row and column under mouse or keyboard's cursor; -1, -1 when it leaves.
        cell_chosen(int, int): a cell was clicked, or Return was pressed on it.
        row_chosen(int): a row's label was clicked.
        column_chosen(int): a column's label was clicked.
        let_go(): Esc was pressed.
        context_requested(int, int, QPoint): a menu is wanted for a cell, at this global position; -1, -1 for the
            colour bar.
    """

    cell_hovered = Signal(int, int)
    cell_chosen = Signal(int, int)
    row_chosen = Signal(int)
    column_chosen = Signal(int)
    let_go = Signal()
    context_requested = Signal(int, int, QPoint)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._linked: list[Heatmap] = []
        self.setMouseTracking(True)
        self.viewport().setMouseTracking(True)
        self._box.clicked.connect(self._clicked)
        self._box.menu_wanted.connect(self._menu_at)
        self._box.swept.connect(self._swept)
        self._parts.rows.label_clicked.connect(self.row_chosen)
        self._parts.columns.label_clicked.connect(self.column_chosen)

    def link(self, other: Heatmap) -> None:
        """Zoom, move and hover as one with a heatmap of the same axes."""
        self._box.setXLink(other.view_box())
        self._box.setYLink(other.view_box())
        self._linked.append(other)
        other._linked.append(self)

    def set_cursor(self, row: int, column: int) -> None:
        """Put the keyboard's cursor on a cell, scroll it into sight, and tell listeners and screen reader."""
        if self._inside((row, column)) is None:
            raise IndexError(f"no cell [{row}, {column}] to put the cursor on")
        self._mark(cursor=(row, column), hovered=None)
        self._scroll_to(row, column)
        self._describe()
        speak(self)
        self.cell_hovered.emit(row, column)

    def cursor_cell(self) -> Cell | None:
        """The cell of the keyboard's cursor."""
        return self._marks.cursor

    def chosen_block(self) -> tuple[Cell, Cell] | None:
        """The upper left and the lower right of the cells that were swept over with Shift; None without any."""
        return self._marks.block

    def _scroll_to(self, row: int, column: int) -> None:
        """Move the window onto the cells by the least that brings a cell into sight."""
        (left, right), (top, bottom) = self._box.viewRange()
        dx = min(0.0, column - left) or max(0.0, column + 1 - right)
        dy = min(0.0, row - top) or max(0.0, row + 1 - bottom)
        if dx or dy:
            self._box.translateBy(x=dx, y=dy)

    def _hover(self, cell: Cell | None) -> None:
        if cell != self._marks.hovered:
            self._mark(hovered=cell)
            for other in self._linked:
                other._mark(hovered=other._inside(cell))
            self._describe()
            self.cell_hovered.emit(*(cell if cell is not None else (-1, -1)))

    def _clicked(self, point: QPointF) -> None:
        layout = self.layout_now()
        cell = layout.cell_at(point) if layout is not None else None
        if cell is not None:
            self._mark(cursor=cell, block=None)
            self._describe()
            self.cell_chosen.emit(*cell)

    def _swept(self, start: QPointF, end: QPointF, _finished: bool) -> None:
        """Choose all cells between two points."""
        layout = self.layout_now()
        if layout is None:
            return
        held = [QPointF(*_held(point, layout)) for point in (start, end)]
        cells = [cell for cell in map(layout.cell_at, held) if cell is not None]
        if len(cells) == 2:
            rows, columns = zip(*cells, strict=True)
            self._mark(block=((min(rows), min(columns)), (max(rows), max(columns))))

    def _menu_at(self, point: QPointF, where: QPoint) -> None:
        layout = self.layout_now()
        cell = layout.cell_at(point) if layout is not None else None
        if cell is not None:
            self.context_requested.emit(*cell, where)

    def _bar_menu(self, where: QPoint) -> None:
        self.context_requested.emit(-1, -1, where)

    def _moved_cursor(self, key: int, whole: bool) -> Cell | None:
        """Where a key takes the cursor; with `whole` (Ctrl) Home and End mean the first and the last cell."""
        layout = self.layout_now()
        if layout is None:
            return None
        last_row, last_column = layout.rows - 1, layout.columns - 1
        start = self._marks.cursor or self._marks.hovered
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
        if self._marks.cursor is None:
            return row, column
        row, column = moves[Qt.Key(key)]
        return min(max(row, 0), last_row), min(max(column, 0), last_column)

    def _copied_text(self) -> str | None:
        """What Ctrl+C copies: the block that was swept over, the cell under the mouse, or the keyboard's."""
        block = self.chosen_block()
        if block is not None:
            (top, left), (bottom, right) = block
            return format_block(self.image()[top : bottom + 1, left : right + 1])
        cell = self._marks.pointed
        return typed(self.cell(*cell), self.image().dtype) if cell is not None else None

    # -- Qt

    def event(self, event: QEvent) -> bool:
        if event.type() in FOR_VIEWPORT:
            return self.viewportEvent(event)
        return super().event(event)

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            layout = self.layout_now()
            cell = layout.cell_at(QPointF(event.pos())) if layout is not None else None
            if layout is None or cell is None:
                show_tip(event.globalPos(), self.toolTip(), self)
            else:
                text = f"<p style='white-space:pre'>{html.escape(self.readout(*cell))}</p>"
                show_tip(event.globalPos(), text, self, layout.cell_rect(*cell).toAlignedRect())
            return True
        return super().viewportEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        super().mouseMoveEvent(event)
        layout = self.layout_now()
        dragging = event.buttons() != Qt.MouseButton.NoButton
        self._hover(layout.cell_at(event.position()) if layout is not None and not dragging else None)

    def enterEvent(self, event: QEnterEvent) -> None:
        self.color_bar()  # its levels can be dragged
        super().enterEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        self._hover(None)
        super().leaveEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        layout = self.layout_now()
        event.accept()
        if layout is None:
            return
        if event.reason() == QContextMenuEvent.Reason.Keyboard:
            cell = self._marks.cursor or (0, 0)  # where the arrow keys begin
            self.context_requested.emit(*cell, self.mapToGlobal(layout.cell_rect(*cell).center().toPoint()))
        elif Qt.MouseButton.RightButton not in QGuiApplication.mouseButtons():
            # Where the button is down, it may become a drag: then the click, if it was one, asks for the menu.
            self._menu_at(QPointF(event.pos()), event.globalPos())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = event.key()
        moved = self._moved_cursor(key, bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier))
        if moved is not None:
            self.set_cursor(*moved)
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self._marks.cursor is not None:
            self.cell_chosen.emit(*self._marks.cursor)
        elif event.matches(QKeySequence.StandardKey.Copy) and self._copied_text() is not None:
            QGuiApplication.clipboard().setText(self._copied_text() or "")
        elif key == Qt.Key.Key_Escape:
            self._mark(block=None)
            self.let_go.emit()
        elif key in ZOOM_KEYS:
            self.zoom_by(ZOOM_KEYS[Qt.Key(key)])
        elif key == Qt.Key.Key_0:
            self.fit()
        else:
            event.ignore()

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        by_key = event.reason() in (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason)
        cursor = self._marks.cursor
        if by_key and cursor is None and self.layout_now() is not None:
            start = self._inside((self._marks.row or 0, self._marks.column or 0))
            self.set_cursor(*(start if start is not None else (0, 0)))
        elif cursor is not None and event.reason() != Qt.FocusReason.MouseFocusReason:
            self.cell_hovered.emit(*cursor)  # back from a menu, say
        self._show_marks()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        if self._marks.cursor is not None and self._marks.hovered is None:
            self.cell_hovered.emit(-1, -1)
        self._show_marks()


def _held(point: QPointF, layout: Layout) -> tuple[float, float]:
    """The spot of the cells that is nearest to a point."""
    cells = layout.cells.adjusted(0.5, 0.5, -0.5, -0.5)
    return min(max(point.x(), cells.left()), cells.right()), min(max(point.y(), cells.top()), cells.bottom())
