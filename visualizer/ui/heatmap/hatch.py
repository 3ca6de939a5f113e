"""The hatch over masked cells and the lines between cells, which rest while values change."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QLineF, QRectF
from PySide6.QtGui import QColor, QImage, QPainter

from visualizer.ui.heatmap.layer import Layer, Shown, is_drawing

GRID_FROM = 12.0  # logical pixels of a cell's side
HATCH_PERIOD = 6  # logical pixels


class Hatch(Layer):
    """Hatch and grid as one picture on a transparent ground."""

    def __init__(self, depth: float) -> None:
        super().__init__(depth)
        self._picture: tuple[object, NDArray[np.bool_] | None, QImage] | None = None

    def draw(self, painter: QPainter, shown: Shown) -> None:
        if is_drawing(painter):
            _draw_lines(painter, shown)
            return
        masked, layout = shown.painted.matrix.masked, shown.layout
        key = (layout, shown.pixel_ratio, shown.texts.theme)
        known = self._picture
        if known is None or known[0] != key or not _same(known[1], masked):
            known = self._picture = (key, masked, _picture(shown))
        painter.drawImage(layout.cells.topLeft(), known[2])


def _same(one: NDArray[np.bool_] | None, other: NDArray[np.bool_] | None) -> bool:
    return one is other or (one is not None and other is not None and np.array_equal(one, other))


def _picture(shown: Shown) -> QImage:
    layout, masked, pixel_ratio = shown.layout, shown.painted.matrix.masked, shown.pixel_ratio
    width = max(1, round(layout.cells.width() * pixel_ratio)) + 1
    height = max(1, round(layout.cells.height() * pixel_ratio)) + 1
    pixels = np.zeros((height, width), dtype=np.uint32)
    if masked is not None:
        x = (np.arange(width) + 0.5) / pixel_ratio + layout.cells.left() - layout.left
        y = (np.arange(height) + 0.5) / pixel_ratio + layout.cells.top() - layout.top
        column = np.clip((x / layout.cell_width).astype(np.intp), 0, layout.columns - 1)
        row = np.clip((y / layout.cell_height).astype(np.intp), 0, layout.rows - 1)
        period = max(2, round(HATCH_PERIOD * pixel_ratio))
        line = (np.arange(width) + np.arange(height)[:, None]) % period < max(1, round(pixel_ratio))
        pixels[line & masked[row][:, column]] = shown.texts.color(shown.texts.theme.masked_hatch).rgba()
    # The strip one pixel beyond the cells is for the closing grid lines alone.
    pixels[-1], pixels[:, -1] = 0, 0
    image = QImage(pixels.data, width, height, width * 4, QImage.Format.Format_ARGB32_Premultiplied).copy()
    image.setDevicePixelRatio(pixel_ratio)
    if min(layout.cell_width, layout.cell_height) >= GRID_FROM:
        painter = QPainter(image)
        painter.translate(-layout.cells.topLeft())
        painter.setPen(shown.texts.color(shown.texts.theme.panel))
        painter.drawLines(layout.grid.lines())
        painter.end()
    return image


def _draw_lines(painter: QPainter, shown: Shown) -> None:
    """The same as lines, for a drawing."""
    layout, masked, theme = shown.layout, shown.painted.matrix.masked, shown.texts.theme
    if masked is not None and min(layout.cell_width, layout.cell_height) >= HATCH_PERIOD / 2:
        painter.setPen(QColor(theme.masked_hatch))
        first_row, end_row, first_column, end_column = layout.visible()
        for row, column in np.argwhere(masked[first_row:end_row, first_column:end_column]).tolist():
            painter.drawLines(_hatched(layout.cell_rect(row + first_row, column + first_column)))
    if min(layout.cell_width, layout.cell_height) >= GRID_FROM:
        painter.setPen(QColor(theme.panel))
        painter.drawLines(layout.grid.lines())


def _hatched(rect: QRectF) -> list[QLineF]:
    """Lines from lower left to upper right in a rectangle, `HATCH_PERIOD` apart along its sides."""
    lines = []
    first = int((rect.left() + rect.top()) // HATCH_PERIOD + 1) * HATCH_PERIOD
    for total in range(first, int(rect.right() + rect.bottom()) + 1, HATCH_PERIOD):  # x + y along a line
        left = max(rect.left(), total - rect.bottom())
        right = min(rect.right(), total - rect.top())
        if right > left:
            lines.append(QLineF(left, total - left, right, total - right))
    return lines
