"""Where the parts of a heatmap lie, and which cell is under a point. No painting."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from PySide6.QtCore import QPointF, QRectF, QSizeF

from visualizer.ui.heatmap.grid import Grid

PADDING = 4.0
LABEL_GAP = 4.0
BAR_GAP = 11.0
BAR_WIDTH = 12.0
# The colour bar goes below the cells where that makes their smaller side grow by so much.
WORTH_MOVING = 1.15
# Square cells smaller than this, of a long strip say, are stretched across until they are so large, in logical pixels.
TOO_SMALL, READABLE = 6.0, 16.0
# From here on a cell's sides are whole device pixels, so that all cells look alike.
WHOLE_PIXELS = 10.0


@dataclass(frozen=True)
class Metrics:
    """Sizes of the texts around the cells in logical pixels: heights of a label and an axis name, widest labels."""

    line: float
    axis_line: float
    row_label: float
    column_label: float
    bar_label: float


@dataclass(frozen=True)
class Layout:
    """The parts of one heatmap in the widget's coordinates (logical pixels, y down).

    `cells` is the window onto the matrix; `left`, `top` is the corner of cell [0, 0], which lies outside of `cells`
    when the picture is zoomed in. `label_room` is the width of the widest column label. The `bar` stands at the right
    of the cells, or lies below them: `bar_below`; `bar_room` has its numbers, too.
    """

    rows: int
    columns: int
    cells: QRectF
    cell_width: float
    cell_height: float
    left: float
    top: float
    row_labels: QRectF
    column_labels: QRectF
    label_room: float
    upright: bool
    row_axis: QRectF
    column_axis: QRectF
    bar: QRectF
    bar_room: QRectF
    bar_below: bool

    def seen(self, x: tuple[float, float], y: tuple[float, float]) -> Layout:
        """The same where the window shows the fractional columns `x` and rows `y`."""
        width, height = self.cells.width() / (x[1] - x[0]), self.cells.height() / (y[1] - y[0])
        left, top = self.cells.left() - x[0] * width, self.cells.top() - y[0] * height
        return replace(self, cell_width=width, cell_height=height, left=left, top=top)

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
        first_row = max(0, math.floor((self.cells.top() - self.top) / self.cell_height + 1e-6))
        first_column = max(0, math.floor((self.cells.left() - self.left) / self.cell_width + 1e-6))
        end_row = min(self.rows, math.ceil((self.cells.bottom() - self.top) / self.cell_height - 1e-6))
        end_column = min(self.columns, math.ceil((self.cells.right() - self.left) / self.cell_width - 1e-6))
        return first_row, end_row, first_column, end_column

    @property
    def grid(self) -> Grid:
        """The cells that `cells` shows."""
        first_row, end_row, first_column, end_column = self.visible()
        rows, columns = range(first_row, end_row), range(first_column, end_column)
        return Grid(rows, columns, self.left, self.top, self.cell_width, self.cell_height)

    def _row(self, y: float) -> int | None:
        row = math.floor((y - self.top) / self.cell_height)
        return row if 0 <= row < self.rows else None

    def _column(self, x: float) -> int | None:
        column = math.floor((x - self.left) / self.cell_width)
        return column if 0 <= column < self.columns else None


def arrange(size: QSizeF, shape: tuple[int, int], metrics: Metrics, *, square: bool, pixel_ratio: float) -> Layout:
    """Lay a matrix of `shape` out in `size`, as large as it can be and in the middle, all of it in sight.

    Column labels stand upright where they are wider than a cell; the colour bar lies below the cells where it would
    take too much of their width.
    """
    beside, below = (_labelled(size, shape, metrics, square, pixel_ratio, bar_below) for bar_below in (False, True))
    smaller_side = min(beside.cell_width, beside.cell_height)
    return below if min(below.cell_width, below.cell_height) >= WORTH_MOVING * smaller_side else beside


def _labelled(
    size: QSizeF, shape: tuple[int, int], metrics: Metrics, square: bool, pixel_ratio: float, bar_below: bool
) -> Layout:
    level = _arrange(size, shape, metrics, square, pixel_ratio, bar_below, upright=False)
    if metrics.column_label + 2 <= level.cell_width or metrics.column_label <= metrics.line * 1.6:
        return level
    upright = _arrange(size, shape, metrics, square, pixel_ratio, bar_below, upright=True)
    return upright if upright.cell_width >= metrics.line * 0.8 else level


def _arrange(
    size: QSizeF,
    shape: tuple[int, int],
    metrics: Metrics,
    square: bool,
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
    overhang = metrics.line / 2 if crowded else LABEL_GAP
    top = header_top + header + overhang
    bar_side = BAR_WIDTH + LABEL_GAP + metrics.bar_label  # across the bar
    bar_line = BAR_WIDTH + metrics.line + LABEL_GAP
    width, height = size.width() - left, size.height() - top - max(PADDING + 1, overhang)
    if bar_below:
        width, height = width - metrics.column_label / 2 - PADDING, height - BAR_GAP - bar_line
    else:
        width -= BAR_GAP + bar_side + PADDING
    width, height = max(1.0, width), max(1.0, height)

    cell_width, cell_height = (_whole(side, pixel_ratio) for side in _fitted_cell(shape, width, height, square))
    # What is left over goes to both sides, so that the picture stands in the middle.
    spare_x, spare_y = width - cell_width * columns, height - cell_height * rows
    left += max(0.0, spare_x / 2)
    dy = max(0.0, spare_y / 2)
    header_top, top = header_top + dy, top + dy
    left, top = round(left * pixel_ratio) / pixel_ratio, round(top * pixel_ratio) / pixel_ratio
    cells = QRectF(left, top, cell_width * columns, cell_height * rows)
    if bar_below:
        long = max(cells.width(), min(width, 3 * metrics.bar_label))
        bar = QRectF(left, cells.bottom() + max(BAR_GAP, overhang), long, BAR_WIDTH)
        bar_room = QRectF(bar.left(), bar.top(), bar.width(), bar_line)
    else:
        long = max(cells.height(), min(height, 3 * metrics.line))
        bar = QRectF(cells.right() + BAR_GAP, top, BAR_WIDTH, long)
        bar_room = QRectF(bar.left(), bar.top(), bar_side, bar.height())
    return Layout(
        rows=rows,
        columns=columns,
        cells=cells,
        cell_width=cell_width,
        cell_height=cell_height,
        left=left,
        top=top,
        row_labels=QRectF(left - LABEL_GAP - margin, top, margin, cells.height()),
        column_labels=QRectF(left, header_top, cells.width(), header),
        label_room=metrics.column_label,
        upright=upright,
        row_axis=QRectF(left - LABEL_GAP - margin - metrics.axis_line, top, metrics.axis_line, cells.height()),
        column_axis=QRectF(left, header_top - metrics.axis_line, cells.width(), metrics.axis_line),
        bar=bar,
        bar_room=bar_room,
        bar_below=bar_below,
    )


def _fitted_cell(shape: tuple[int, int], width: float, height: float, square: bool) -> tuple[float, float]:
    """Width and height of a cell where all of the matrix fits into the room."""
    across, down = width / shape[1], height / shape[0]
    if not square:
        return across, down
    side = min(across, down)
    longest = READABLE if side < TOO_SMALL else side
    return min(across, longest), min(down, longest)


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


def _whole(side: float, pixel_ratio: float) -> float:
    return math.floor(side * pixel_ratio + 1e-6) / pixel_ratio if side >= WHOLE_PIXELS else side
