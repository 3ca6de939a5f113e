"""Where the parts of a heatmap lie, which cell is under a point, and how zooming moves them. No painting."""

from __future__ import annotations

import math
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, QSizeF

PADDING = 4.0
LABEL_GAP = 4.0
BAR_GAP = 10.0
BAR_WIDTH = 10.0
# The colour bar goes below the cells where that makes their smaller side grow by so much.
WORTH_MOVING = 1.15
# How large a cell grows by itself, in logical pixels and beyond that as a part of the room; and how large by zooming.
LARGEST_SQUARE, SQUARE_PART = 72.0, 0.14
LARGEST_WIDTH, WIDTH_PART = 112.0, 0.16
LARGEST_HEIGHT, HEIGHT_PART = 56.0, 0.08
LARGEST_ZOOMED = 160.0
# From here on a cell's sides are whole device pixels, so that all cells look alike.
WHOLE_PIXELS = 4.0


@dataclass(frozen=True)
class Metrics:
    """Sizes of the texts around the cells in logical pixels: height of a label and an axis name, widest labels."""

    line: float
    axis_line: float
    row_label: float
    column_label: float
    bar_label: float


@dataclass(frozen=True)
class Layout:
    """The parts of one heatmap in the widget's coordinates (logical pixels, y down).

    `cells` is the window onto the matrix; `left`, `top` is the corner of cell [0, 0], which lies outside of
    `cells` when the picture is zoomed and scrolled; on whole device pixels. `x`, `y` is the exact fractional column
    and row at the corner of `cells`. `label_room` is the width of the widest column label. The `bar` stands at the
    right of the cells, or lies below them: `bar_below`.
    """

    rows: int
    columns: int
    cells: QRectF
    cell_width: float
    cell_height: float
    left: float
    top: float
    x: float
    y: float
    row_labels: QRectF
    column_labels: QRectF
    label_room: float
    upright: bool
    row_axis: QRectF
    column_axis: QRectF
    bar: QRectF
    bar_below: bool

    def cell_rect(self, row: int, column: int, row_count: int = 1, column_count: int = 1) -> QRectF:
        """The rectangle of a cell, or of a block of cells that starts there."""
        return QRectF(
            self.left + column * self.cell_width,
            self.top + row * self.cell_height,
            self.cell_width * column_count,
            self.cell_height * row_count,
        )

    def cell_at(self, point: QPointF) -> tuple[int, int] | None:
        """Row and column of the cell under a point, or None beside the cells."""
        if not self.cells.contains(point):
            return None
        row, column = self._row(point.y()), self._column(point.x())
        return (row, column) if row is not None and column is not None else None

    def row_label_at(self, point: QPointF) -> int | None:
        """The row whose label is under a point."""
        return self._row(point.y()) if self.row_labels.contains(point) else None

    def column_label_at(self, point: QPointF) -> int | None:
        """The column whose label is under a point."""
        return self._column(point.x()) if self.column_labels.contains(point) else None

    def row_middle(self, row: int) -> float:
        """The height at which a row's label stands: the middle of what is in sight of the row."""
        top = self.top + row * self.cell_height
        return (max(top, self.cells.top()) + min(top + self.cell_height, self.cells.bottom())) / 2

    def column_middle(self, column: int) -> float:
        """Where a column's label stands: the middle of what is in sight of the column."""
        left = self.left + column * self.cell_width
        return (max(left, self.cells.left()) + min(left + self.cell_width, self.cells.right())) / 2

    def labelled_rows(self, room: float) -> tuple[int, int]:
        """First row and one past the last that show enough of themselves for a label `room` pixels high."""
        first, end, _, _ = self.visible()
        window = (self.cells.top(), self.cells.bottom())
        return _with_room(first, end, self.top, self.cell_height, window, room)

    def labelled_columns(self, room: float) -> tuple[int, int]:
        """First column and one past the last that show enough of themselves for a label `room` pixels wide."""
        _, _, first, end = self.visible()
        window = (self.cells.left(), self.cells.right())
        return _with_room(first, end, self.left, self.cell_width, window, room)

    def visible(self) -> tuple[int, int, int, int]:
        """First row, one past the last row, first column, one past the last column that `cells` shows."""
        first_row = max(0, math.floor((self.cells.top() - self.top) / self.cell_height + 1e-9))
        first_column = max(0, math.floor((self.cells.left() - self.left) / self.cell_width + 1e-9))
        end_row = min(self.rows, math.ceil((self.cells.bottom() - self.top) / self.cell_height - 1e-9))
        end_column = min(self.columns, math.ceil((self.cells.right() - self.left) / self.cell_width - 1e-9))
        return first_row, end_row, first_column, end_column

    def _row(self, y: float) -> int | None:
        row = math.floor((y - self.top) / self.cell_height)
        return row if 0 <= row < self.rows else None

    def _column(self, x: float) -> int | None:
        column = math.floor((x - self.left) / self.cell_width)
        return column if 0 <= column < self.columns else None


@dataclass(frozen=True)
class Zoom:
    """How far in, and where: `factor` 1 fits everything; `x`, `y` is the fractional column and row at the upper
    left corner of the window onto the cells.
    """

    factor: float = 1.0
    x: float = 0.0
    y: float = 0.0


FIT = Zoom()


def arrange(
    size: QSizeF, shape: tuple[int, int], metrics: Metrics, *, square: bool, zoom: Zoom, pixel_ratio: float
) -> Layout:
    """Lay a matrix of `shape` out in `size`.

    Column labels stand upright where they are wider than a cell; the colour bar lies below the cells where it would
    take too much of their width.
    """
    beside, below = (
        _labelled(size, shape, metrics, square, zoom, pixel_ratio, bar_below) for bar_below in (False, True)
    )
    smaller_side = min(beside.cell_width, beside.cell_height)
    return below if min(below.cell_width, below.cell_height) >= WORTH_MOVING * smaller_side else beside


def _labelled(
    size: QSizeF,
    shape: tuple[int, int],
    metrics: Metrics,
    square: bool,
    zoom: Zoom,
    pixel_ratio: float,
    bar_below: bool,
) -> Layout:
    level = _arrange(size, shape, metrics, square, zoom, pixel_ratio, bar_below, upright=False)
    if metrics.column_label + 2 <= level.cell_width or metrics.column_label <= metrics.line * 1.6:
        return level
    upright = _arrange(size, shape, metrics, square, zoom, pixel_ratio, bar_below, upright=True)
    return upright if upright.cell_width >= metrics.line * 0.8 else level


def _arrange(
    size: QSizeF,
    shape: tuple[int, int],
    metrics: Metrics,
    square: bool,
    zoom: Zoom,
    pixel_ratio: float,
    bar_below: bool,
    upright: bool,
) -> Layout:
    rows, columns = shape
    header = min(metrics.column_label + 2, size.height() * 0.4) if upright else metrics.line
    margin = min(metrics.row_label, size.width() * 0.4)
    left = PADDING + metrics.axis_line + margin + LABEL_GAP
    header_top = PADDING + metrics.axis_line
    # Labels higher than their rows reach beyond the first and the last one.
    crowded = (size.height() - header_top - header) / rows < metrics.line
    overhang = metrics.line / 2 if crowded else LABEL_GAP / 2
    top = header_top + header + overhang
    width, height = size.width() - left, size.height() - top - max(PADDING + 1, overhang)
    if bar_below:
        width, height = width - metrics.column_label / 2 - PADDING, height - BAR_GAP - BAR_WIDTH - metrics.line
    else:
        width -= BAR_GAP + BAR_WIDTH + LABEL_GAP + metrics.bar_label + PADDING
    width, height = max(1.0, width), max(1.0, height)

    cell_width, cell_height = _fitted_cell(shape, width, height, square)
    cell_width = _whole(_zoomed(cell_width, zoom.factor), pixel_ratio)
    cell_height = _whole(_zoomed(cell_height, zoom.factor), pixel_ratio)

    left, top = round(left * pixel_ratio) / pixel_ratio, round(top * pixel_ratio) / pixel_ratio
    cells = QRectF(left, top, min(width, cell_width * columns), min(height, cell_height * rows))
    x = _clamp(zoom.x, columns - cells.width() / cell_width)
    y = _clamp(zoom.y, rows - cells.height() / cell_height)
    if bar_below:
        long = max(cells.width(), min(width, 3 * metrics.bar_label))
        bar = QRectF(left, cells.bottom() + max(BAR_GAP, overhang), long, BAR_WIDTH)
    else:
        long = max(cells.height(), min(height, 3 * metrics.line))
        bar = QRectF(cells.right() + BAR_GAP, top, BAR_WIDTH, long)
    return Layout(
        rows=rows,
        columns=columns,
        cells=cells,
        cell_width=cell_width,
        cell_height=cell_height,
        left=left - round(x * cell_width * pixel_ratio) / pixel_ratio,
        top=top - round(y * cell_height * pixel_ratio) / pixel_ratio,
        x=x,
        y=y,
        row_labels=QRectF(left - LABEL_GAP - margin, top, margin, cells.height()),
        column_labels=QRectF(left, header_top, cells.width(), header),
        label_room=metrics.column_label,
        upright=upright,
        row_axis=QRectF(PADDING, top, metrics.axis_line, cells.height()),
        column_axis=QRectF(left, PADDING, cells.width(), metrics.axis_line),
        bar=bar,
        bar_below=bar_below,
    )


def _fitted_cell(shape: tuple[int, int], width: float, height: float, square: bool) -> tuple[float, float]:
    """Width and height of a cell where all of the matrix fits into the room."""
    rows, columns = shape
    if square:
        side = min(width / columns, height / rows, max(LARGEST_SQUARE, SQUARE_PART * min(width, height)))
        return side, side
    cell_width = min(width / columns, max(LARGEST_WIDTH, WIDTH_PART * width))
    return cell_width, min(height / rows, max(LARGEST_HEIGHT, HEIGHT_PART * height))


def limited_factor(fitted: Layout, zoom: Zoom, factor: float) -> float:
    """The factor after zooming by `factor`: between 1 and where the smaller side of a cell is largest."""
    highest = max(1.0, LARGEST_ZOOMED / min(fitted.cell_width, fitted.cell_height))
    return min(max(1.0, zoom.factor * factor), highest)


def held(now: Layout, nearer: Layout, point: QPointF, factor: float) -> Zoom:
    """The zoom by `factor` at which the same spot of the matrix stays under `point`, as far as the edges let it.

    `nearer` is a layout with that factor, wherever it is scrolled to.
    """
    column = now.x + (point.x() - now.cells.left()) / now.cell_width
    row = now.y + (point.y() - now.cells.top()) / now.cell_height
    return Zoom(
        factor,
        column - (point.x() - nearer.cells.left()) / nearer.cell_width,
        row - (point.y() - nearer.cells.top()) / nearer.cell_height,
    )


def scrolled(now: Layout, zoom: Zoom, dx: float, dy: float) -> Zoom:
    """The zoom after the picture moved by so many logical pixels to the right and down."""
    return Zoom(
        zoom.factor,
        now.x - dx / now.cell_width,
        now.y - dy / now.cell_height,
    )


def scrolled_to(now: Layout, zoom: Zoom, row: int, column: int) -> Zoom:
    """The zoom after the least movement that brings a cell into sight."""
    x = min(max(now.x, column + 1 - now.cells.width() / now.cell_width), column)
    y = min(max(now.y, row + 1 - now.cells.height() / now.cell_height), row)
    return Zoom(zoom.factor, x, y)


def _with_room(
    first: int, end: int, start: float, side: float, window: tuple[float, float], room: float
) -> tuple[int, int]:
    """Drop the first and the last of `first` to `end` where the window cuts off too much of them."""
    needed = min(room, side) - 1.0
    if end - first > 1 and start + (first + 1) * side - window[0] < needed:
        first += 1
    if end - first > 1 and window[1] - (start + (end - 1) * side) < needed:
        end -= 1
    return first, end


def _zoomed(side: float, factor: float) -> float:
    return side if factor <= 1.0 else max(side, min(side * factor, LARGEST_ZOOMED))


def _whole(side: float, pixel_ratio: float) -> float:
    return math.floor(side * pixel_ratio + 1e-6) / pixel_ratio if side >= WHOLE_PIXELS else side


def _clamp(start: float, last: float) -> float:
    return min(max(0.0, start), max(0.0, last))
