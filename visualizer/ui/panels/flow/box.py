"""What the picture of the whole pass is looked at through: pyqtgraph's view box, and layers in the view's pixels."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pyqtgraph
from pyqtgraph.GraphicsScene.mouseEvents import MouseDragEvent
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QPainter, QTransform
from PySide6.QtWidgets import QGraphicsSceneWheelEvent, QStyleOptionGraphicsItem, QWidget

from visualizer.session.analysis.landscape.shapes import Box
from visualizer.ui.panels.flow.paper import Camera, Paper, Texts

MARGIN = 4000.0  # around the picture, for words that reach beyond it
FARTHEST = 1.25  # how many times as much as the picture can be in sight


class ViewLayer(pyqtgraph.GraphicsObject):
    """Something painted over or under the matrices, in the view's pixels at any zoom."""

    def __init__(self, paint: Callable[[Paper], None], texts: Callable[[], Texts]) -> None:
        super().__init__()
        self._paint = paint
        self._texts = texts
        self._bounds = QRectF()

    def cover(self, box: Box) -> None:
        """Lie over the whole picture."""
        self.prepareGeometryChange()
        self._bounds = QRectF(box.left, box.top, box.width, box.height).adjusted(-MARGIN, -MARGIN, MARGIN, MARGIN)

    def boundingRect(self) -> QRectF:
        return self._bounds

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        transform = painter.worldTransform()
        view = self.getViewBox()
        seen = transform.mapRect(QRectF(view.viewRect())) if view is not None else transform.mapRect(self._bounds)
        painter.setWorldTransform(QTransform())
        self._paint(Paper(painter, Camera.of(transform), self._texts(), seen))
        painter.setWorldTransform(transform)


class PassBox(pyqtgraph.ViewBox):
    """A view box that goes no nearer than so many times, and not much farther than all of it."""

    def __init__(self) -> None:
        super().__init__(invertY=True, enableMenu=False, defaultPadding=0)
        self.disableAutoRange()
        self._all = QRectF(0, 0, 1, 1)
        self._nearest = 1.0

    def hold(self, box: Box, nearest: float) -> None:
        """Hold a picture."""
        self._all, self._nearest = QRectF(box.left, box.top, box.width, box.height), nearest
        spare = (FARTHEST - 1) / 2
        self.setLimits(
            xMin=-spare * box.width,
            xMax=(1 + spare) * box.width,
            yMin=-spare * box.height,
            yMax=(1 + spare) * box.height,
        )

    def scaleBy(  # pyqtgraph's own form
        self,
        s: Sequence[float | None] | None = None,
        center: QPointF | None = None,
        x: float | None = None,
        y: float | None = None,
    ) -> None:
        """Scale what is in sight by so much; both axes stop where one of them must."""
        x, y = s if s is not None else (x, y)
        seen = self.targetRect()
        sides = ((self._all.width(), seen.width(), x), (self._all.height(), seen.height(), y))
        least = max(side / self._nearest / now for side, now, factor in sides if factor is not None)
        x, y = (None if factor is None else max(factor, least) for factor in (x, y))
        super().scaleBy(x=x, y=y, center=center)

    def wheelEvent(self, event: QGraphicsSceneWheelEvent, axis: int | None = None) -> None:
        self.updateMatrix()  # two turns may come before a repaint, which is when pyqtgraph does it
        super().wheelEvent(event, axis)

    def mouseDragEvent(self, event: MouseDragEvent, axis: int | None = None) -> None:
        self.updateMatrix()
        super().mouseDragEvent(event, axis)
