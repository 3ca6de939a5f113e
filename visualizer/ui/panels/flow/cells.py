"""What lies on the cells of a matrix when one is near: hatch over what is masked, grid, changed corners, digits."""

from __future__ import annotations

from functools import lru_cache

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QPainter, QPixmap, QPolygonF

from visualizer.ui.heatmap.digits import draw_digits
from visualizer.ui.heatmap.frames import draw_corners
from visualizer.ui.heatmap.grid import Grid
from visualizer.ui.heatmap.hatch import GRID_FROM, HATCH_PERIOD
from visualizer.ui.look.colors import lookup_table
from visualizer.ui.look.theme import Theme
from visualizer.ui.panels.flow.paper import Paper
from visualizer.ui.panels.flow.pictures import Picture

HATCH_FROM = 1.5  # logical pixels of a cell's side
MOST_STEPS = 256


def paint_cells(paper: Paper, picture: Picture, grid: Grid, rect: QRectF) -> None:
    """Everything on the cells of the matrix in `rect` that are in sight, and the edge around them."""
    painter = paper.painter
    painter.save()
    painter.setClipRect(rect.adjusted(-1, -1, 1, 1), Qt.ClipOperation.IntersectClip)
    if picture.queries and grid.side >= HATCH_FROM:
        _hatch(paper, grid)
    if grid.side >= GRID_FROM:
        painter.setPen(paper.texts.pen(paper.theme.panel))
        painter.drawLines(grid.lines())
    draw_corners(painter, paper.texts, grid, picture.changed)
    table = lookup_table(picture.kind, paper.theme)
    draw_digits(painter, paper.texts, table, grid, picture.indices[grid.part], picture.text)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(paper.texts.pen(paper.theme.rule))
    painter.drawRect(rect.adjusted(-1, -1, 0, 0))
    painter.restore()


def _hatch(paper: Paper, grid: Grid) -> None:
    """Fine lines over the keys beyond each query's own position."""
    step = max(1, len(grid.rows) // MOST_STEPS)
    right = grid.cell(0, grid.columns.stop).left()
    corners = [QPointF(right, grid.cell(grid.rows.start, 0).top())]
    for row in range(grid.rows.start, grid.rows.stop, step):
        edge = grid.cell(row, min(row + 1, grid.columns.stop))
        corners += [QPointF(edge.left(), edge.top()), QPointF(edge.left(), edge.top() + step * grid.height)]
    corners.append(QPointF(right, corners[-1].y()))
    painter = paper.painter
    painter.save()
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrushOrigin(QPointF(grid.left, grid.top))
    painter.setBrush(QBrush(_hatch_pixmap(paper.theme, painter.device().devicePixelRatioF())))
    painter.drawPolygon(QPolygonF(corners))
    painter.restore()


@lru_cache(maxsize=8)
def _hatch_pixmap(theme: Theme, ratio: float) -> QPixmap:
    side = max(2, round(HATCH_PERIOD * ratio))
    pixmap = QPixmap(side, side)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    for i in range(side):
        painter.fillRect(i, side - 1 - i, max(1, round(ratio)), 1, theme.masked_hatch)
    painter.end()
    pixmap.setDevicePixelRatio(ratio)
    return pixmap
