"""Heatmaps that numbers can be dragged from, and dropped on."""

from __future__ import annotations

from PySide6.QtCore import QByteArray, QMimeData, QPoint, QPointF, Qt, Signal
from PySide6.QtGui import QDrag, QDragEnterEvent, QDragLeaveEvent, QDragMoveEvent, QDropEvent, QMouseEvent
from PySide6.QtWidgets import QApplication, QWidget

from visualizer.session.words.whole_numbers import parse_whole
from visualizer.ui.heatmap.widget import Heatmap
from visualizer.ui.widgets.plain_text import PlainLabel

#: What is dragged: row and column of the cell where it was taken up.
FORMAT = "application/x-heatmap-cell"


def cell_data(row: int, column: int) -> QMimeData:
    """A cell, to be dragged."""
    data = QMimeData()
    data.setData(FORMAT, QByteArray(f"{row},{column}".encode("ascii")))
    return data


def dragged_cell(data: QMimeData) -> tuple[int, int] | None:
    """The cell that is dragged; None if it is something else."""
    if not data.hasFormat(FORMAT):
        return None
    row, _, column = bytes(data.data(FORMAT).data()).decode("ascii", "replace").partition(",")
    cell = parse_whole(row), parse_whole(column)
    return None if cell[0] is None or cell[1] is None or min(cell[0], cell[1]) < 0 else (cell[0], cell[1])


class DragHeatmap(Heatmap):
    """A heatmap whose cells and rows can be dragged away.

    Attributes:
        dragged_words: what the label under the mouse says while something is dragged.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.dragged_words = ""
        self._pressed: tuple[QPoint, int, int] | None = None

    def mousePressEvent(self, event: QMouseEvent) -> None:
        super().mousePressEvent(event)
        layout = self.layout_now()
        self._pressed = None
        if layout is not None and event.button() == Qt.MouseButton.LeftButton:
            cell, row = layout.cell_at(event.position()), layout.row_label_at(event.position())
            if cell is None and row is not None:
                cell = (row, 0)
            if cell is not None:
                self._pressed = (event.position().toPoint(), *cell)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._pressed is None or not event.buttons() & Qt.MouseButton.LeftButton:
            super().mouseMoveEvent(event)
            return
        start, row, column = self._pressed
        if (event.position().toPoint() - start).manhattanLength() >= QApplication.startDragDistance():
            self._pressed = None
            self._drag(row, column)

    def _drag(self, row: int, column: int) -> None:
        self.scene().clickEvents.clear()  # its press is never released: pyqtgraph is to forget it
        drag = QDrag(self)
        drag.setMimeData(cell_data(row, column))
        label = PlainLabel(self.dragged_words, None)
        label.setMargin(4)
        drag.setPixmap(label.grab())
        drag.setHotSpot(QPoint(-12, -8))
        drag.exec(Qt.DropAction.CopyAction)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._pressed = None
        super().mouseReleaseEvent(event)


class DropHeatmap(Heatmap):
    """A heatmap that takes what is dragged from another.

    Signals:
        dragged_over(object, object): the cell that is dragged, and the one under the mouse (None beside the cells);
            both None when it leaves.
        dropped(object, object): the same, when it is let go.
    """

    dragged_over = Signal(object, object)
    dropped = Signal(object, object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAcceptDrops(True)

    def _cell_under(self, point: QPointF) -> tuple[int, int] | None:
        layout = self.layout_now()
        if layout is None:
            return None
        cell, row = layout.cell_at(point), layout.row_label_at(point)
        return (row, 0) if cell is None and row is not None else cell

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if dragged_cell(event.mimeData()) is not None and self.layout_now() is not None:
            event.acceptProposedAction()

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        cell = dragged_cell(event.mimeData())
        if cell is not None:
            self.dragged_over.emit(cell, self._cell_under(event.position()))
            event.acceptProposedAction()

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self.dragged_over.emit(None, None)
        super().dragLeaveEvent(event)

    def dropEvent(self, event: QDropEvent) -> None:
        cell = dragged_cell(event.mimeData())
        self.dragged_over.emit(None, None)
        if cell is not None:
            event.acceptProposedAction()
            self.dropped.emit(cell, self._cell_under(event.position()))
