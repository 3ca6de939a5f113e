"""The axes of a heatmap: pyqtgraph's, with the labels of rows and columns as ticks, as many as fit."""

from __future__ import annotations

import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF, Signal
from PySide6.QtGui import QPainter

from visualizer.ui.heatmap.layout import LABEL_GAP, Layout
from visualizer.ui.heatmap.matrix import Axis
from visualizer.ui.heatmap.text import TextBox, TextCache

TIGHT = 0.85  # of a line's height: lines of labels may stand this close
STRIDES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000)


class LabelAxis(pg.AxisItem):
    """Labels beside (`left`) or above (`top`) the cells; wheel and drag act on this axis alone, as pyqtgraph's do.

    Signals:
        label_clicked(int): a row's or column's label was clicked.
    """

    label_clicked = Signal(int)

    def __init__(self, orientation: str) -> None:
        super().__init__(orientation, maxTickLength=0)
        self._axis = Axis("", ())
        self._layout: Layout | None = None
        self._texts: TextCache | None = None
        self._chosen: int | None = None
        self._pointed: int | None = None
        self._thinned: list[int] = []

    @property
    def is_rows(self) -> bool:
        """Whether it labels rows."""
        return self.orientation == "left"

    def show_axis(self, axis: Axis, layout: Layout, texts: TextCache) -> None:
        """Label so many rows or columns as fit into the layout."""
        if (axis.key, layout) == (self._axis.key, self._layout) and texts is self._texts:
            return
        self._axis, self._layout, self._texts = axis, layout, texts
        self._thin()
        self.update()

    def mark(self, chosen: int | None, pointed: int | None) -> None:
        """Have the chosen row's or column's label stand out, and underline the one pointed at."""
        if (chosen, pointed) != (self._chosen, self._pointed):
            self._chosen, self._pointed = chosen, pointed
            self._thin()
            self.update()

    def _thin(self) -> None:
        """Choose the labels that fit, and tell pyqtgraph where its ticks are."""
        layout, texts = self._layout, self._texts
        if layout is None or texts is None:
            return
        if self.is_rows:
            room, step = texts.label_height * TIGHT, layout.cell_height
            first, end = layout.labelled_rows(room)
        else:
            room = texts.label_height * TIGHT if layout.upright else layout.label_room
            step = layout.cell_width
            first, end = layout.labelled_columns(room)
        self._thinned = thinned(first, end, step, room, self._chosen, self._pointed)
        self.setTicks([[(i + 0.5, self._axis.text(i)) for i in sorted(self._thinned)]])

    # -- painting

    def paint_labels(self, painter: QPainter, layout: Layout, texts: TextCache) -> None:
        """Paint the labels and the axis' name in the coordinates of the layout."""
        self._paint_name(painter, layout, texts)
        painter.save()
        painter.setFont(texts.label_font)
        if self.is_rows:
            height = texts.label_height
            painter.setClipRect(layout.row_labels.adjusted(-2, -height / 2, LABEL_GAP, height / 2))
        else:
            room = texts.label_height * TIGHT if layout.upright else layout.label_room
            painter.setClipRect(layout.column_labels.adjusted(-room / 2, 0, room / 2, LABEL_GAP))
        for index in self._thinned:
            box = texts.box(self._axis.text(index), "label", texts.label_font)
            if self.is_rows:
                x = max(layout.row_labels.left(), layout.row_labels.right() - 2 * box.half_width)
                self._paint_label(painter, texts, box, QPointF(x, layout.row_middle(index) - box.half_height), index)
            elif layout.upright:
                painter.save()
                painter.translate(layout.column_middle(index) - box.half_height, layout.column_labels.bottom())
                painter.rotate(-90)
                self._paint_label(painter, texts, box, QPointF(0, 0), index)
                painter.restore()
            else:
                x, y = layout.column_middle(index) - box.half_width, layout.column_labels.bottom()
                self._paint_label(painter, texts, box, QPointF(x, y - 2 * box.half_height), index)
        painter.restore()

    def _paint_name(self, painter: QPainter, layout: Layout, texts: TextCache) -> None:
        painter.setFont(texts.axis_font)
        painter.setPen(texts.color(texts.theme.muted_text))
        box = texts.box(self._axis.name, "axis", texts.axis_font)
        if not self.is_rows:
            x = max(layout.column_axis.left(), layout.column_axis.center().x() - box.half_width)
            painter.drawStaticText(QPointF(x, layout.column_axis.top()), box.static)
            return
        painter.save()
        bottom = max(layout.row_axis.center().y() + box.half_width, 2 * box.half_width)
        painter.translate(layout.row_axis.left(), bottom)
        painter.rotate(-90)
        painter.drawStaticText(QPointF(0, 0), box.static)
        painter.restore()

    def _paint_label(self, painter: QPainter, texts: TextCache, box: TextBox, corner: QPointF, index: int) -> None:
        theme = texts.theme
        hue = self._axis.hues[index] if self._axis.hues is not None else theme.text
        ground = QRectF(corner.x() - 2, corner.y(), 2 * box.half_width + 4, 2 * box.half_height)
        if index == self._chosen:
            painter.fillRect(ground, texts.color(theme.accent))
            hue = theme.accent_text
        elif index == self._pointed:
            painter.fillRect(ground, texts.color(theme.panel))
            underline = QRectF(ground.left(), ground.bottom() - 1, ground.width(), 1)
            painter.fillRect(underline, texts.color(theme.text))
        painter.setPen(texts.color(hue))
        painter.drawStaticText(corner, box.static)

    # -- pyqtgraph and Qt

    def mouseClickEvent(self, event: pg.GraphicsScene.mouseEvents.MouseClickEvent) -> None:
        point, layout = self.mapToScene(event.pos()), self._layout
        if layout is None:
            return
        index = layout.row_label_at(point) if self.is_rows else layout.column_label_at(point)
        if index is not None and event.button().name == "LeftButton" and not event.double():
            event.accept()
            self.label_clicked.emit(index)

    def boundingRect(self) -> QRectF:
        if self._layout is None or self._texts is None:
            return QRectF()
        across = 0.0 if self.is_rows else self._layout.label_room / 2
        down = self._texts.label_height / 2 if self.is_rows else 0.0
        return self.rect().adjusted(-across, -down, across, down)

    def paint(self, painter: QPainter, *_args: object) -> None:
        if self._layout is None or self._texts is None:
            return
        painter.save()
        painter.translate(-self.pos())
        self.paint_labels(painter, self._layout, self._texts)
        painter.restore()


def thinned(first: int, end: int, step: float, room: float, *always: int | None) -> list[int]:
    """Which of the labels `first` to `end` fit, `step` pixels apart and `room` wide; those in `always` come last."""
    stride = next((stride for stride in STRIDES if stride * step >= room), STRIDES[-1])
    marked = [i for i in dict.fromkeys(always) if i is not None and first <= i < end]
    # A marked label takes the room of those that it would cover.
    clear = room / step if stride > 1 else 0.5
    regular = range(first + -first % stride, end, stride)
    return [i for i in regular if all(abs(i - other) >= clear for other in marked)] + marked
