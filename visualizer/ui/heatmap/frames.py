"""What is marked in a heatmap: changed cells, the selection, sources, crosshair and cursor."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

from visualizer.ui.heatmap.grid import Grid
from visualizer.ui.heatmap.layer import Layer, Shown
from visualizer.ui.heatmap.layout import Layout
from visualizer.ui.heatmap.text import TextCache

CORNER_FROM = 6.0
SMALLEST_FRAME = 5.0
CROSSHAIR_OPACITY = 150


class Frames(Layer):
    """Corners of changed cells, frames with a halo, and thin lines through the row and column pointed at."""

    BEYOND = 2.0

    def draw(self, painter: QPainter, shown: Shown) -> None:
        draw_corners(painter, shown.texts, shown.layout.grid, shown.painted.matrix.changed)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        layout, marks, theme = shown.layout, shown.marks, shown.texts.theme
        if marks.hovered is not None:
            _crosshair(painter, layout, layout.cell_rect(*marks.hovered), shown.texts.color(theme.text))
        if marks.row is not None and marks.column is not None:
            draw_frame(painter, shown.texts, layout.cell_rect(marks.row, marks.column), theme.accent, 2.0)
        elif marks.row is not None:
            draw_frame(painter, shown.texts, layout.cell_rect(marks.row, 0, 1, layout.columns), theme.accent, 2.0)
        elif marks.column is not None:
            draw_frame(painter, shown.texts, layout.cell_rect(0, marks.column, layout.rows, 1), theme.accent, 2.0)
        if marks.block is not None:
            (top, left), (bottom, right) = marks.block
            rect = layout.cell_rect(top, left, bottom - top + 1, right - left + 1)
            draw_frame(painter, shown.texts, rect, theme.text, 2.0, Qt.PenStyle.DotLine)
        # All inside the cell, so that the selection's frame stays in sight around them.
        for source in marks.sources:
            rect = layout.cell_rect(*source).adjusted(2, 2, -2, -2)
            draw_frame(painter, shown.texts, rect, theme.text, 1.0, Qt.PenStyle.DashLine)
        if marks.hovered is not None:
            draw_frame(painter, shown.texts, layout.cell_rect(*marks.hovered).adjusted(2, 2, -2, -2), theme.text, 1.0)
        if marks.cursor is not None:
            draw_frame(painter, shown.texts, layout.cell_rect(*marks.cursor).adjusted(3, 3, -3, -3), theme.text, 2.0)


def draw_corners(painter: QPainter, texts: TextCache, grid: Grid, changed: NDArray[np.bool_] | None) -> None:
    """A corner in each cell in sight that was changed; `changed` is of the whole matrix."""
    if changed is None or grid.side < CORNER_FROM:
        return
    leg = min(9.0, grid.side * 0.3)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
    painter.setPen(QPen(texts.color(texts.theme.panel), 1.0))
    painter.setBrush(texts.color(texts.theme.changed))
    for row, column in np.argwhere(changed[grid.part]).tolist():
        corner = grid.cell(grid.rows.start + row, grid.columns.start + column).topRight()
        painter.drawPolygon(QPolygonF([corner - QPointF(leg, 0), corner, corner + QPointF(0, leg)]))
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)


def _crosshair(painter: QPainter, layout: Layout, rect: QRectF, ink: QColor) -> None:
    """From the cell to its labels: left to the row's, up to the column's."""
    faint = QColor(ink)
    faint.setAlpha(CROSSHAIR_OPACITY)
    painter.setPen(QPen(faint, 1.0, Qt.PenStyle.DotLine))
    middle = rect.center()
    painter.drawLine(QLineF(layout.cells.left(), middle.y(), rect.left(), middle.y()))
    painter.drawLine(QLineF(middle.x(), layout.cells.top(), middle.x(), rect.top()))


def draw_frame(
    painter: QPainter,
    texts: TextCache,
    rect: QRectF,
    color: str,
    width: float,
    style: Qt.PenStyle = Qt.PenStyle.SolidLine,
) -> None:
    """A frame with a halo in the panel's colour, to be seen on any cell; never too small to be seen."""
    wider = max(0.0, SMALLEST_FRAME - rect.width()) / 2
    higher = max(0.0, SMALLEST_FRAME - rect.height()) / 2
    rect = rect.adjusted(-wider, -higher, wider, higher)
    for ink, line, dashes in ((texts.theme.panel, width + 2, Qt.PenStyle.SolidLine), (color, width, style)):
        pen = QPen(texts.color(ink), line, dashes)
        pen.setJoinStyle(Qt.PenJoinStyle.MiterJoin)
        painter.setPen(pen)
        painter.drawRect(rect)
