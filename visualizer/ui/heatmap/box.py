"""The window onto the cells: pyqtgraph's ViewBox. The wheel zooms, a left drag pans, a right drag scales."""

from __future__ import annotations

from collections.abc import Sequence

import pyqtgraph as pg
from PySide6.QtCore import QPointF, Qt, Signal


class CellBox(pg.ViewBox):
    """A ViewBox of a matrix [rows, columns], row 0 on top, never farther out than the whole matrix.

    Signals:
        clicked(QPointF): a left click without a drag, in the scene's coordinates.
        menu_wanted(QPointF, object): a right click without a drag: where in the scene, and on the screen (QPoint).
        swept(QPointF, QPointF, bool): a left drag with Shift: from where, to where, and whether it has ended.
    """

    clicked = Signal(QPointF)
    menu_wanted = Signal(QPointF, object)
    swept = Signal(QPointF, QPointF, bool)

    def __init__(self) -> None:
        super().__init__(invertY=True, enableMenu=False, defaultPadding=0.0)
        self.disableAutoRange()
        self._shape = (0, 0)

    def set_shape(self, rows: int, columns: int) -> None:
        """Hold so many cells: what of others was in sight is forgotten."""
        if (rows, columns) == self._shape:
            return
        self._shape = (rows, columns)
        # A cell never fills more than the window, nor does the window reach beyond the matrix.
        self.setLimits(
            xMin=0,
            xMax=columns,
            yMin=0,
            yMax=rows,
            minXRange=min(1.0, columns),
            minYRange=min(1.0, rows),
            maxXRange=columns,
            maxYRange=rows,
        )
        self.fit()

    def fit(self) -> None:
        """Show all cells."""
        rows, columns = self._shape
        self.setRange(xRange=(0, columns), yRange=(0, rows), padding=0)

    def factors(self) -> tuple[float, float]:
        """How many times the columns and the rows are enlarged; 1 shows all."""
        (left, right), (top, bottom) = self.viewRange()
        rows, columns = self._shape
        return columns / (right - left), rows / (bottom - top)

    def zoom(self, factor: float, column: float, row: float) -> None:
        """Enlarge by a factor around a place in fractional columns and rows."""
        self.scaleBy((1 / factor, 1 / factor), center=pg.Point(column, row))

    # -- pyqtgraph

    def scaleBy(  # pyqtgraph's own form
        self,
        s: Sequence[float | None] | None = None,
        center: QPointF | None = None,
        x: float | None = None,
        y: float | None = None,
    ) -> None:
        """Scale what is in sight by so much, but not below one cell: both axes stop where one of them must."""
        if s is not None:
            x, y = s
        seen = self.targetRect()
        least = max(
            min(1.0, count) / size
            for count, size, factor in ((self._shape[1], seen.width(), x), (self._shape[0], seen.height(), y))
            if factor is not None
        )
        x, y = (None if factor is None else max(factor, least) for factor in (x, y))
        super().scaleBy(x=x, y=y, center=center)

    def linkedViewChanged(self, view: pg.ViewBox | None, axis: int) -> None:
        """Show the cells that a linked heatmap shows; pyqtgraph would line their pixels up, and cut some cells off."""
        if view is None or self.linksBlocked:
            return
        view.blockLink(True)
        try:
            (self.setXRange, self.setYRange)[axis](*view.viewRange()[axis], padding=0)
        finally:
            view.blockLink(False)

    def wheelEvent(self, event: pg.QtWidgets.QGraphicsSceneWheelEvent, axis: int | None = None) -> None:
        self.updateMatrix()  # two turns may come before a repaint, which is when pyqtgraph does it
        super().wheelEvent(event, axis)

    def mouseClickEvent(self, event: pg.GraphicsScene.mouseEvents.MouseClickEvent) -> None:
        event.accept()
        if event.button() == Qt.MouseButton.LeftButton and not event.double():
            self.clicked.emit(event.scenePos())
        elif event.button() == Qt.MouseButton.RightButton:
            self.menu_wanted.emit(event.scenePos(), event.screenPos().toPoint())

    def mouseDragEvent(self, event: pg.GraphicsScene.mouseEvents.MouseDragEvent, axis: int | None = None) -> None:
        self.updateMatrix()
        shifted = event.modifiers() & Qt.KeyboardModifier.ShiftModifier
        if axis is None and shifted and event.button() == Qt.MouseButton.LeftButton:
            event.accept()
            self.swept.emit(event.buttonDownScenePos(), event.scenePos(), event.isFinish())
        else:
            super().mouseDragEvent(event, axis)
