"""The cells of a matrix as a pyqtgraph image: the numbers are the item's, the colours come from a lookup table."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QColor, QImage, QPainter, QPolygonF

from visualizer.ui.heatmap.layer import is_drawing
from visualizer.ui.heatmap.loudest import loudest_entries
from visualizer.ui.look import colors
from visualizer.ui.look.colors import Kind, Levels, LookupTable

#: So many NaN and Inf are drawn one by one in a picture with several cells a pixel.
MARKED_POINTS = 2000
#: Up to so many cells are drawings of their own in a drawing: a million rectangles no viewer opens.
MOST_RECTANGLES = 65536


class MatrixImage(pg.ImageItem):
    """A matrix [rows, columns] where a cell is one unit wide and high, row 0 first.

    `image` holds the numbers and `levels` the ends of the scale, as in any ImageItem; what is painted are `indices`
    into a table, so that masked cells, NaN and ±Inf have colours of their own. Where several cells share a pixel the
    loudest of them is seen.
    """

    def __init__(self) -> None:
        super().__init__(axisOrder="row-major")
        self.indices = np.zeros((0, 0), dtype=np.uint8)
        self._table: LookupTable | None = None
        self._kind: Kind = "sequential"
        self._afar: tuple[object, QImage] | None = None

    def show_matrix(
        self, values: NDArray[Any], indices: NDArray[np.uint8], table: LookupTable, kind: Kind, levels: Levels
    ) -> None:
        """Show numbers whose entries of the table are `indices`, of the same shape. The arrays are kept, not copied."""
        self.indices, self._table, self._kind, self._afar = indices, table, kind, None
        self.setImage(values, autoLevels=False, autoDownsample=False, levels=levels)

    def render(self) -> None:
        """Make the picture: pyqtgraph calls it before it paints, after a change."""
        assert self._table is not None
        self.qimage = indexed_image(self.indices, self._table.argb)
        self._renderRequired, self._unrenderable = False, False

    # -- Qt

    def paint(self, painter: QPainter, *_args: object) -> None:
        if self.image is None or not self.indices.size or self._table is None:
            return
        seen = self._in_sight()
        if is_drawing(painter) and (seen[1] - seen[0]) * (seen[3] - seen[2]) <= MOST_RECTANGLES:
            self._draw_rectangles(painter, seen)
            return
        to_device = painter.deviceTransform()
        across, down = abs(to_device.m11()), abs(to_device.m22())
        if min(across, down) < 1.0:
            self._paint_afar(painter, seen, (math.ceil(1 / max(down, 1e-9)), math.ceil(1 / max(across, 1e-9))))
            return
        if self._renderRequired:
            self.render()
        first_row, end_row, first_column, end_column = seen
        part = QRectF(first_column, first_row, end_column - first_column, end_row - first_row)
        painter.drawImage(part, self.qimage, part)

    def _in_sight(self) -> tuple[int, int, int, int]:
        """First row, one past the last, first column, one past the last that the view shows."""
        rows, columns = self.indices.shape
        view = self.getViewBox()
        if not isinstance(view, pg.ViewBox):
            return 0, rows, 0, columns
        part = self.mapRectFromView(view.viewRect())
        return (
            max(0, math.floor(part.top())),
            max(0, min(rows, math.ceil(part.bottom()))),
            max(0, math.floor(part.left())),
            max(0, min(columns, math.ceil(part.right()))),
        )

    def _paint_afar(self, painter: QPainter, seen: tuple[int, int, int, int], stride: tuple[int, int]) -> None:
        """Several cells share a pixel: the loudest stands for them, found once for each matrix and size."""
        first_row, end_row, first_column, end_column = seen
        stride = (min(stride[0], end_row - first_row), min(stride[1], end_column - first_column))
        assert self._table is not None
        key = (seen, stride)
        if self._afar is None or self._afar[0] != key:
            part = self.indices[first_row:end_row, first_column:end_column]
            self._afar = (key, indexed_image(loudest_entries(part, self._kind, stride), self._table.argb))
        points = self._afar[1]
        # The last points may reach beyond the matrix: only what lies on it is drawn.
        width, height = (end_column - first_column) / stride[1], (end_row - first_row) / stride[0]
        target = QRectF(first_column, first_row, end_column - first_column, end_row - first_row)
        painter.drawImage(target, points, QRectF(0, 0, width, height))
        self._paint_lost_points(painter, seen)

    def _paint_lost_points(self, painter: QPainter, seen: tuple[int, int, int, int]) -> None:
        """One NaN among a million numbers is three pixels wide, so that it is not overlooked."""
        assert self._table is not None
        first_row, end_row, first_column, end_column = seen
        part = self.indices[first_row:end_row, first_column:end_column]
        if int(part.max()) <= colors.MASKED:
            return
        places = np.argwhere(part > colors.MASKED)[:MARKED_POINTS]
        to_pixels = painter.worldTransform()
        corners = to_pixels.map(QPolygonF([QPointF(c + first_column, r + first_row) for r, c in places.tolist()]))
        painter.save()
        painter.resetTransform()
        for (row, column), corner in zip(places.tolist(), corners.toList(), strict=True):
            color = QColor.fromRgb(self._table.argb[part[row, column]])
            painter.fillRect(QRectF(corner.x() - 1, corner.y() - 1, 3, 3), color)
        painter.restore()

    def _draw_rectangles(self, painter: QPainter, seen: tuple[int, int, int, int]) -> None:
        """Each cell as a rectangle of its own, for a drawing that is to be taken apart elsewhere."""
        assert self._table is not None
        first_row, end_row, first_column, end_column = seen
        part = self.indices[first_row:end_row, first_column:end_column]
        for row, entries in enumerate(part.tolist(), first_row):
            for column, entry in enumerate(entries, first_column):
                painter.fillRect(QRectF(column, row, 1, 1), QColor.fromRgb(self._table.argb[entry]))


def indexed_image(indices: NDArray[np.uint8], argb: tuple[int, ...]) -> QImage:
    """A QImage of uint8 [height, width], each an index into `argb`, that owns its pixels.

    Qt looks the colours up faster than NumPy, and draws the result faster than an indexed image.
    """
    pixels = np.ascontiguousarray(indices)
    height, width = pixels.shape
    image = QImage(pixels.data, width, height, width, QImage.Format.Format_Indexed8)
    image.setColorTable(argb)
    return image.convertToFormat(QImage.Format.Format_RGB32)
