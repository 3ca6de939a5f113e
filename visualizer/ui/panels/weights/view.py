"""The grid's table view: fixed sizes, selection drawn over the tints, and gestures that sweep a number."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import (
    QEvent,
    QItemSelection,
    QItemSelectionModel,
    QItemSelectionRange,
    QModelIndex,
    QPoint,
    QRect,
    Qt,
    Signal,
)
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPen, QWheelEvent
from PySide6.QtWidgets import QAbstractItemView, QApplication, QTableView, QWidget

from visualizer.ui.look.theme import current_theme, number_font
from visualizer.ui.panels.weights.delegate import WeightDelegate
from visualizer.ui.panels.weights.header import Band, WeightHeader
from visualizer.ui.panels.weights.paint import Visible, paint_cells
from visualizer.ui.panels.weights.table import AnyIndex, WeightTableModel
from visualizer.ui.widgets.plain_text import PlainLabel

NOTCH = 120.0  # the unit of QWheelEvent.angleDelta
DRAG_PER_NOTCH = 6.0  # px of a drag that move a number like one notch
SHADE = 40  # of 255: how strongly the accent lies over selected cells
CONTROL, SHIFT, ALT = (
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.AltModifier,
)


class WeightView(QTableView):
    """Shows a `WeightTableModel`.

    Signals:
        cell_chosen(int, int): the user moved the cursor to this row and column, or pressed the mouse where it was.
        swept(int, int, float, bool, bool): row, column, notches, fine, held by a mouse button.
        sweep_ended(): the mouse button is released.
        left(): the mouse is over no cell any more.
    """

    cell_chosen = Signal(int, int)
    swept = Signal(int, int, float, bool, bool)
    sweep_ended = Signal()
    left = Signal()

    def __init__(self, table: WeightTableModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("weightGrid")
        self.setAccessibleName("Weights of the chosen parameter")
        self.setToolTip("The chosen parameter: type a number into any cell; the menu key offers more")
        self._table = table
        self._following = False
        self._label_width = 0
        self._band_starts: frozenset[int] = frozenset()
        self._pressed: QPoint | None = None  # where Ctrl was pressed, as long as its button is down
        self._dragged: tuple[QModelIndex, float] | None = None  # the swept cell, and the last height of the cursor
        self.column_header = WeightHeader(Qt.Orientation.Horizontal, self)
        self.row_header = WeightHeader(Qt.Orientation.Vertical, self)
        self.setHorizontalHeader(self.column_header)
        self.setVerticalHeader(self.row_header)
        self.delegate = WeightDelegate(table, self)
        self.setItemDelegate(self.delegate)
        self.setModel(table)
        self.setFont(number_font())
        self.setShowGrid(False)
        self.setMouseTracking(True)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        triggers = QAbstractItemView.EditTrigger
        self.setEditTriggers(triggers.DoubleClicked | triggers.EditKeyPressed | triggers.AnyKeyPressed)
        self._holds_choice = False
        self._note = PlainLabel("", self.viewport())
        self._note.setObjectName("refusalNote")
        self._note.setWordWrap(True)
        self._note.hide()
        self.viewportEntered.connect(self.left)
        self.delegate.refused.connect(self._show_note)
        self.delegate.told.connect(self._show_note)
        self.delegate.accepted.connect(self._note.hide)
        self.pressed.connect(lambda index: self.cell_chosen.emit(index.row(), index.column()))

    def hold_choice(self, holds: bool) -> None:
        """Whether the chosen number is in this grid; else its cursor is drawn as the place to come back to."""
        if holds != self._holds_choice:
            self._holds_choice = holds
            self.viewport().update()
            for header in (self.column_header, self.row_header):
                header.hold_choice(holds)

    def lay_out(self, bands: list[Band]) -> None:
        """Sizes for what the table now shows: one width for all columns, from the longest number or label."""
        self._band_starts = frozenset(first for _, first, _ in bands if first > 0)
        self.column_header.set_bands(bands)
        self._label_width = self.column_header.widest_label(self._table.column_labels)
        self.column_header.setDefaultSectionSize(self._column_width())
        self.row_header.setDefaultSectionSize(self.fontMetrics().height() + 4)
        self.row_header.setFixedWidth(self.row_header.widest_label(self._table.row_labels))

    def widen(self) -> None:
        """Give a number that has grown the room it needs; columns do not become narrower while one works."""
        width = self._column_width()
        if width > self.column_header.defaultSectionSize():
            self.column_header.setDefaultSectionSize(width)

    def _column_width(self) -> int:
        digits = self.fontMetrics().horizontalAdvance("0" * max(self._table.widest_text(), 3)) + 8
        return max(digits, self._label_width)

    # Selection

    def follow(self, row: int, column: int) -> None:
        """Move the cursor there because something else chose it."""
        self._following = True
        self.setCurrentIndex(self._table.index(row, column))
        self._following = False

    def selected_blocks(self) -> list[QItemSelectionRange]:
        """The selection as rectangles."""
        selection = self.selectionModel().selection()
        return [selection.at(i) for i in range(selection.count())]

    def selected_mask(self) -> NDArray[np.bool_]:
        """Which cells are selected [row, column]; the cursor's where there is no selection."""
        mask = np.zeros(self._table.values.shape, dtype=np.bool_)
        for part in self.selected_blocks():
            mask[part.top() : part.bottom() + 1, part.left() : part.right() + 1] = True
        current = self.currentIndex()
        if current.isValid() and not mask.any():
            mask[current.row(), current.column()] = True
        return mask

    def select_block(self, row: int, column: int, rows: int, columns: int) -> None:
        """Select a block of cells."""
        last = self._table.index(row + rows - 1, column + columns - 1)
        block = QItemSelection(self._table.index(row, column), last)
        self.selectionModel().select(block, QItemSelectionModel.SelectionFlag.ClearAndSelect)

    # What an editor refuses

    def _show_note(self, editor: QWidget, message: str) -> None:
        """Say under the editor, or over it at the lower end, why its text stays there."""
        theme, room = current_theme(), self.viewport().rect()
        self._note.setStyleSheet(
            f"color: {theme.text}; background: {theme.panel}; border: 1px solid {theme.text}; padding: 3px;"
        )
        self._note.setText(message)
        width = min(room.width(), 320)
        height = self._note.heightForWidth(width)
        below = editor.geometry().bottom() + 1
        top = below if below + height <= room.height() else max(editor.geometry().top() - height, 0)
        self._note.setGeometry(max(min(editor.x(), room.width() - width), 0), top, width, height)
        self._note.show()
        self._note.raise_()

    def _visible(self) -> Visible | None:
        """The cells that are on screen; None where there is no room for any."""
        room = self.viewport().rect()
        first, last = self.columnAt(0), self.columnAt(room.right())
        top, bottom = self.rowAt(0), self.rowAt(room.bottom())
        if first < 0 or top < 0:
            return None
        columns = range(first, (last if last >= 0 else self._table.columnCount() - 1) + 1)
        rows = range(top, (bottom if bottom >= 0 else self._table.rowCount() - 1) + 1)
        left, above = self.columnViewportPosition(first), self.rowViewportPosition(top)
        size = self.column_header.defaultSectionSize(), self.row_header.defaultSectionSize()
        return Visible(rows, columns, left, above, *size)

    # Sweeping by the mouse

    def _sweep_to(self, index: QModelIndex, height: float, fine: bool) -> None:
        before = self._dragged[1] if self._dragged is not None else height
        self._dragged = (index, height)
        if height != before:
            notches = (before - height) / DRAG_PER_NOTCH
            self.swept.emit(index.row(), index.column(), notches, fine, True)

    # Overrides of QTableView

    def currentChanged(self, current: AnyIndex, previous: AnyIndex) -> None:
        super().currentChanged(current, previous)
        self.column_header.viewport().update()
        self.row_header.viewport().update()
        if current.isValid() and not self._following:
            self.cell_chosen.emit(current.row(), current.column())

    def wheelEvent(self, event: QWheelEvent) -> None:
        index = self.indexAt(event.position().toPoint())
        if not event.modifiers() & (ALT | CONTROL) or not index.isValid():
            super().wheelEvent(event)
            return
        # With Alt some platforms turn the wheel sideways, and some window managers keep it: Ctrl does the same.
        delta = event.angleDelta().y() or event.angleDelta().x()
        if delta:
            fine = bool(event.modifiers() & SHIFT)
            self.swept.emit(index.row(), index.column(), delta / NOTCH, fine, False)
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and event.modifiers() & CONTROL:
            self._pressed, self._dragged = event.position().toPoint(), None
            event.accept()
            return
        super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._pressed is None:
            super().mouseMoveEvent(event)
            return
        index = self._dragged[0] if self._dragged is not None else self.indexAt(self._pressed)
        far = abs(event.position().y() - self._pressed.y()) >= QApplication.startDragDistance()
        if index.isValid() and (far or self._dragged is not None):
            if self._dragged is None:
                self._dragged = (index, float(self._pressed.y()))
                self.setCurrentIndex(index)
            self._sweep_to(index, event.position().y(), bool(event.modifiers() & SHIFT))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._pressed is None:
            super().mouseReleaseEvent(event)
            return
        index, swept = self.indexAt(self._pressed), self._dragged is not None
        self._pressed = self._dragged = None
        if swept:
            self.sweep_ended.emit()
        elif index.isValid():  # a click with Ctrl, without a drag: add to the selection, or take away
            flags = QItemSelectionModel.SelectionFlag
            self.selectionModel().setCurrentIndex(index, flags.NoUpdate)
            self.selectionModel().select(index, flags.Toggle)

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self.left.emit()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        visible = self._visible()
        if visible is not None:
            paint_cells(painter, self._table, visible, self._band_starts)
        theme = current_theme()
        accent = QColor(theme.accent)
        if not self._holds_choice and not self.hasFocus():  # the accent is for what everything on screen is about
            accent = QColor(theme.muted_text)
        shade = QColor(accent)
        shade.setAlpha(SHADE)
        for part in self.selected_blocks():
            area = self.visualRect(part.topLeft()).united(self.visualRect(part.bottomRight()))
            if part.width() * part.height() > 1:
                painter.fillRect(area, shade)
            self._outline(painter, area, QPen(accent, 1))
        current = self.currentIndex()
        if current.isValid():
            self._outline(painter, self.visualRect(current), QPen(accent, 2))
        painter.end()

    @staticmethod
    def _outline(painter: QPainter, area: QRect, pen: QPen) -> None:
        painter.setPen(pen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        inset = pen.width() // 2
        painter.drawRect(area.adjusted(inset, inset, -1, -1))

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.StyleChange):
            self.viewport().update()
