"""How the canvas of the flow view is looked at: zoom, place, and which cells of a tile are in sight. No painting."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from PySide6.QtCore import QPointF, QRectF

from visualizer.ui.panels.flow.layout import Tile

# Logical pixels of a cell as large as it gets: the shorter side; the longer one, if digits fit on the shorter then.
NEAREST, LONGEST, ROOM_FOR_DIGITS = 96.0, 320.0, 48.0
FARTHEST = 0.8  # of the zoom at which the whole canvas fits
BORDER = 24.0  # logical pixels around what is fitted


@dataclass(frozen=True)
class Camera:
    """`scale` logical pixels to a unit of the canvas; `x`, `y` is the canvas' point at the view's upper left corner."""

    scale: float = 1.0
    x: float = 0.0
    y: float = 0.0

    def point(self, point: QPointF) -> QPointF:
        """A point of the canvas in the view."""
        return QPointF((point.x() - self.x) * self.scale, (point.y() - self.y) * self.scale)

    def rect(self, rect: QRectF) -> QRectF:
        """A rectangle of the canvas in the view."""
        corner = self.point(rect.topLeft())
        return QRectF(corner.x(), corner.y(), rect.width() * self.scale, rect.height() * self.scale)

    def canvas(self, point: QPointF) -> QPointF:
        """A point of the view on the canvas."""
        return QPointF(point.x() / self.scale + self.x, point.y() / self.scale + self.y)

    def seen(self, width: float, height: float) -> QRectF:
        """What a view of this size shows of the canvas."""
        return QRectF(self.x, self.y, width / self.scale, height / self.scale)

    def zoomed(self, scale: float, around: QPointF) -> Camera:
        """Another zoom, with the same spot of the canvas under a point of the view."""
        held = self.canvas(around)
        return Camera(scale, held.x() - around.x() / scale, held.y() - around.y() / scale)

    def within(self, bounds: QRectF, width: float, height: float) -> Camera:
        """The nearest place that does not look past the canvas; a canvas smaller than the view is centred."""
        border = BORDER / self.scale
        x = _inside(self.x, bounds.left() - border, bounds.right() + border, width / self.scale)
        y = _inside(self.y, bounds.top() - border, bounds.bottom() + border, height / self.scale)
        return replace(self, x=x, y=y)


def fitting(rect: QRectF, width: float, height: float, largest: float = math.inf) -> Camera:
    """The camera that shows a rectangle of the canvas whole and in the middle."""
    scale = min(
        max(width - 2 * BORDER, 1.0) / max(rect.width(), 1e-9),
        max(height - 2 * BORDER, 1.0) / max(rect.height(), 1e-9),
        largest,
    )
    center = rect.center()
    return Camera(scale, center.x() - width / scale / 2, center.y() - height / scale / 2)


def fitting_width(rect: QRectF, width: float, largest: float) -> Camera:
    """The camera that shows a rectangle in its whole width, from its top on."""
    scale = min(max(width - 2 * BORDER, 1.0) / max(rect.width(), 1e-9), largest)
    return Camera(scale, rect.center().x() - width / scale / 2, rect.top() - BORDER / 2 / scale)


def nearest_scale(tile: Tile) -> float:
    """The zoom at which the cells of a tile are as large as they get."""
    short, long = sorted((max(tile.cell_width, 1e-9), max(tile.cell_height, 1e-9)))
    return min(NEAREST / short, max(LONGEST / long, ROOM_FOR_DIGITS / short))


def revealing(camera: Camera, rect: QRectF, width: float, height: float) -> Camera:
    """The camera after the least movement that brings a rectangle into sight, its start before its end."""
    border = min(BORDER, width / 8, height / 8) * 2 / camera.scale
    x = min(max(camera.x, rect.right() + border - width / camera.scale), rect.left() - border)
    y = min(max(camera.y, rect.bottom() + border - height / camera.scale), rect.top() - border)
    return Camera(camera.scale, x, y)


@dataclass(frozen=True)
class Window:
    """What is in sight of a tile's cells, in logical pixels of the view.

    `left`, `top` is the corner of cell [0, 0]; `clip` the part of the cells in sight; rows and columns from the first
    in sight to one past the last.
    """

    left: float
    top: float
    cell_width: float
    cell_height: float
    clip: QRectF
    first_row: int
    end_row: int
    first_column: int
    end_column: int

    def cell_rect(self, row: int, column: int, rows: int = 1, columns: int = 1) -> QRectF:
        """The rectangle of a cell, or of a block of cells that starts there."""
        return QRectF(
            self.left + column * self.cell_width,
            self.top + row * self.cell_height,
            self.cell_width * columns,
            self.cell_height * rows,
        )


def window_onto(tile: Tile, camera: Camera, view: QRectF) -> Window | None:
    """The window onto a tile's cells; None where none is in sight."""
    rows, columns = tile.matrix.size
    whole = camera.rect(tile.rect)
    clip = whole.intersected(view)
    if not rows or not columns or clip.isEmpty():
        return None
    width, height = whole.width() / columns, whole.height() / rows
    return Window(
        whole.left(),
        whole.top(),
        width,
        height,
        clip,
        first_row=max(0, math.floor((clip.top() - whole.top()) / height + 1e-9)),
        end_row=min(rows, math.ceil((clip.bottom() - whole.top()) / height - 1e-9)),
        first_column=max(0, math.floor((clip.left() - whole.left()) / width + 1e-9)),
        end_column=min(columns, math.ceil((clip.right() - whole.left()) / width - 1e-9)),
    )


def _inside(start: float, low: float, high: float, length: float) -> float:
    if length >= high - low:
        return (low + high - length) / 2
    return min(max(start, low), high - length)
