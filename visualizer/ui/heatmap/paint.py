"""Painting a heatmap: cells, hatch, grid, numbers and frames, each from a cache where one helps."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QLineF, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QImage, QPainter, QPen, QPolygonF

from visualizer.ui.heatmap.axes import (
    indexed_image,
    paint_axis_names,
    paint_bar,
    paint_column_labels,
    paint_row_labels,
)
from visualizer.ui.heatmap.layout import Layout
from visualizer.ui.heatmap.loudest import loudest
from visualizer.ui.heatmap.matrix import Matrix
from visualizer.ui.heatmap.text import TextBox, TextCache
from visualizer.ui.look import colors
from visualizer.ui.look.theme import Theme

SMALLEST_NUMBER = 8  # pixel size of the digits in cells; the largest is a label's, or a fifth of the cell
USUAL_NUMBER = 5  # characters; narrower texts don't enlarge the digits, so that the size rests while values change
FEWEST_CHARACTERS = 4  # with less room, some cells would have numbers, rounded beyond use, and others none
GRID_FROM = 12.0  # logical pixels of a cell's side
CORNER_FROM = 6.0
HATCH_PERIOD = 6  # logical pixels
SMALLEST_FRAME = 5.0
MARKED_POINTS = 2000  # so many NaN and Inf are drawn one by one in a picture with several cells a pixel

BLACK, WHITE = "#000000", "#ffffff"


@dataclass(frozen=True)
class Marks:
    """What is framed: rows and columns count from 0, cells are (row, column)."""

    selected_row: int | None = None
    selected_column: int | None = None
    hovered: tuple[int, int] | None = None
    cursor: tuple[int, int] | None = None
    sources: tuple[tuple[int, int], ...] = ()

    @property
    def pointed(self) -> tuple[int, int] | None:
        """The cell under the mouse or, without one, under the keyboard's cursor."""
        return self.hovered if self.hovered is not None else self.cursor


class HeatmapPainter:
    """Draws one heatmap in one theme with one font; made anew when either changes."""

    def __init__(self, theme: Theme, font: QFont) -> None:
        self.theme = theme
        self.texts = TextCache(theme, font)
        self._surroundings: tuple[object, QImage] | None = None
        self._overlay: tuple[object, QImage] | None = None
        self._overlay_mask: np.ndarray | None = None
        self._picture: tuple[object, QImage] | None = None

    def paint(
        self, painter: QPainter, size: QSize, matrix: Matrix, layout: Layout, marks: Marks, pixel_ratio: float
    ) -> None:
        """Ground, cells and everything around them."""
        painter.drawImage(QPointF(0, 0), self._around(size, matrix, layout, marks, pixel_ratio))
        painter.save()
        painter.setClipRect(layout.cells.adjusted(0, 0, 1, 1))
        self._paint_cells(painter, matrix, layout, pixel_ratio)
        painter.drawImage(layout.cells.topLeft(), self._hatch_and_grid(matrix, layout, pixel_ratio))
        self._paint_changed(painter, matrix, layout)
        self._paint_numbers(painter, matrix, layout)
        painter.restore()
        self._paint_frames(painter, layout, marks)
        paint_bar(painter, self.texts, matrix, layout, marks.pointed)

    def paint_message(self, painter: QPainter, rect: QRectF, message: str) -> None:
        """The text of the empty state, in the middle."""
        painter.fillRect(rect, self.texts.color(self.theme.panel))
        painter.setFont(self.texts.axis_font)
        painter.setPen(self.texts.color(self.theme.muted_text))
        flags = int(Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap)
        painter.drawText(rect.adjusted(8, 8, -8, -8), flags, message)

    def _around(self, size: QSize, matrix: Matrix, layout: Layout, marks: Marks, pixel_ratio: float) -> QImage:
        """Ground, labels and axis names, which rest while values change."""
        pointed = marks.pointed if marks.pointed is not None else (None, None)
        key = (
            size.toTuple(),
            pixel_ratio,
            layout,
            matrix.label_key,
            (marks.selected_row, marks.selected_column),
            pointed,
        )
        if self._surroundings is None or self._surroundings[0] != key:
            image = QImage(size * pixel_ratio, QImage.Format.Format_RGB32)
            image.setDevicePixelRatio(pixel_ratio)
            image.fill(self.texts.color(self.theme.panel))
            painter = QPainter(image)
            paint_axis_names(painter, self.texts, matrix, layout)
            paint_row_labels(painter, self.texts, matrix, layout, marks.selected_row, pointed[0])
            paint_column_labels(painter, self.texts, matrix, layout, marks.selected_column, pointed[1])
            painter.end()
            self._surroundings = (key, image)
        return self._surroundings[1]

    # -- cells

    def _paint_cells(self, painter: QPainter, matrix: Matrix, layout: Layout, pixel_ratio: float) -> None:
        first_row, end_row, first_column, end_column = layout.visible()
        argb = matrix.table(self.theme).argb
        if min(layout.cell_width, layout.cell_height) * pixel_ratio >= 1.0:
            target = layout.cell_rect(first_row, first_column, end_row - first_row, end_column - first_column)
            block = matrix.indices[first_row:end_row, first_column:end_column]
            painter.drawImage(target, indexed_image(block, argb))
            return
        # Several cells share a pixel: the loudest stands for them, found once for each matrix and size.
        down, across = (math.ceil(1 / (side * pixel_ratio)) for side in (layout.cell_height, layout.cell_width))
        key = (matrix, layout.visible(), down, across)
        if self._picture is None or self._picture[0] != key:
            part = (slice(first_row, end_row), slice(first_column, end_column))
            hidden = matrix.masked[part] if matrix.masked is not None else None
            seen, hidden = loudest(matrix.values[part], hidden, (down, across))
            indices = colors.color_indices(seen, hidden, matrix.scale.kind, matrix.limit)
            self._picture = (key, indexed_image(indices, argb))
        points = self._picture[1]
        target = layout.cell_rect(first_row, first_column, points.height() * down, points.width() * across)
        painter.drawImage(target, points)  # the last points may reach beyond the cells, where they are clipped
        if matrix.special_indices():
            self._paint_lost_points(painter, matrix, layout, argb)

    def _paint_lost_points(self, painter: QPainter, matrix: Matrix, layout: Layout, argb: tuple[int, ...]) -> None:
        """One NaN among a million numbers must not vanish in the average of its neighbours."""
        places = np.argwhere(matrix.indices > colors.MASKED)
        for row, column in places[:MARKED_POINTS].tolist():
            corner = layout.cell_rect(row, column).topLeft()
            color = QColor.fromRgb(argb[matrix.indices[row, column]])
            painter.fillRect(QRectF(corner.x() - 1, corner.y() - 1, 3, 3), color)

    def _hatch_and_grid(self, matrix: Matrix, layout: Layout, pixel_ratio: float) -> QImage:
        """Hatch over masked cells and lines between cells on a transparent ground, which rest while values change."""
        key = (layout, pixel_ratio, matrix.masked is None)
        stale = self._overlay is None or self._overlay[0] != key
        if not stale and matrix.masked is not None and self._overlay_mask is not None:
            stale = not np.array_equal(self._overlay_mask, matrix.masked)
        if stale or self._overlay is None:
            self._overlay = (key, self._drawn_hatch_and_grid(matrix.masked, layout, pixel_ratio))
            self._overlay_mask = matrix.masked
        return self._overlay[1]

    def _drawn_hatch_and_grid(self, masked: np.ndarray | None, layout: Layout, pixel_ratio: float) -> QImage:
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
            pixels[line & masked[row][:, column]] = self.texts.color(self.theme.masked_hatch).rgba()
        # The strip one pixel beyond the cells is for the closing grid lines alone.
        pixels[-1], pixels[:, -1] = 0, 0
        image = QImage(pixels.data, width, height, width * 4, QImage.Format.Format_ARGB32_Premultiplied).copy()
        image.setDevicePixelRatio(pixel_ratio)
        if min(layout.cell_width, layout.cell_height) >= GRID_FROM:
            painter = QPainter(image)
            painter.translate(-layout.cells.topLeft())
            painter.setPen(self.texts.color(self.theme.panel))
            painter.drawLines(_grid(layout))
            painter.end()
        return image

    def _paint_changed(self, painter: QPainter, matrix: Matrix, layout: Layout) -> None:
        side = min(layout.cell_width, layout.cell_height)
        if matrix.changed is None or side < CORNER_FROM:
            return
        first_row, end_row, first_column, end_column = layout.visible()
        places = np.argwhere(matrix.changed[first_row:end_row, first_column:end_column]).tolist()
        leg = min(9.0, side * 0.3)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        painter.setPen(QPen(self.texts.color(self.theme.panel), 1.0))
        painter.setBrush(self.texts.color(self.theme.changed))
        for row, column in places:
            corner = layout.cell_rect(first_row + row, first_column + column).topRight()
            painter.drawPolygon(QPolygonF([corner - QPointF(leg, 0), corner, corner + QPointF(0, leg)]))
        painter.restore()

    def _paint_numbers(self, painter: QPainter, matrix: Matrix, layout: Layout) -> None:
        digit_width, texts = self.texts.digit_width, self.texts
        room = int((layout.cell_width - 5) / (digit_width * SMALLEST_NUMBER))
        if room < FEWEST_CHARACTERS or layout.cell_height < SMALLEST_NUMBER * 1.6:
            return
        first_row, end_row, first_column, end_column = layout.visible()
        rows, columns = range(first_row, end_row), range(first_column, end_column)
        numbers = [matrix.text(row, column, room) for row in rows for column in columns]
        longest = max(max(map(len, numbers), default=0), min(USUAL_NUMBER, room))
        comfortable = max(texts.label_ascent, layout.cell_height * 0.2)
        pixels = int(min((layout.cell_width - 5) / (digit_width * longest), layout.cell_height * 0.4, comfortable))
        pixels = max(pixels, SMALLEST_NUMBER)
        font = texts.number_font(pixels)
        kind = f"number {pixels}"
        indices = matrix.indices[first_row:end_row, first_column:end_column].ravel().tolist()
        dark_ink = matrix.table(self.theme).dark_ink
        inks: dict[str, list[tuple[float, float, TextBox]]] = {
            self.theme.masked_text: [],
            BLACK: [],
            WHITE: [],
        }
        masked, black, white = inks.values()
        cells = iter(zip(indices, numbers, strict=True))
        centers = [layout.left + (column + 0.5) * layout.cell_width + 0.5 for column in columns]
        for row in rows:
            middle = layout.top + (row + 0.5) * layout.cell_height + 0.5
            for center in centers:
                index, number = next(cells)
                if number:
                    box = texts.box(number, kind, font)
                    ink = masked if index == colors.MASKED else black if dark_ink[index] else white
                    ink.append((center - box.half_width, middle - box.half_height, box))
        painter.setFont(font)
        draw = painter.drawStaticText
        for color, placed in inks.items():
            if placed:
                painter.setPen(texts.color(color))
                for x, y, box in placed:
                    draw(QPointF(x, y), box.static)

    # -- frames

    def _paint_frames(self, painter: QPainter, layout: Layout, marks: Marks) -> None:
        painter.save()
        painter.setClipRect(layout.cells.adjusted(-3, -3, 3, 3))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        text, accent = self.theme.text, self.theme.accent
        row, column = marks.selected_row, marks.selected_column
        if row is not None and column is not None:
            self._frame(painter, layout.cell_rect(row, column), accent, 2.0)
        elif row is not None:
            self._frame(painter, layout.cell_rect(row, 0, 1, layout.columns), accent, 2.0)
        elif column is not None:
            self._frame(painter, layout.cell_rect(0, column, layout.rows, 1), accent, 2.0)
        # All inside the cell, so that the selection's frame stays in sight around them.
        for source in marks.sources:
            self._frame(painter, layout.cell_rect(*source).adjusted(2, 2, -2, -2), text, 1.0, Qt.PenStyle.DashLine)
        if marks.hovered is not None:
            self._frame(painter, layout.cell_rect(*marks.hovered).adjusted(2, 2, -2, -2), text, 1.0)
        if marks.cursor is not None:
            self._frame(painter, layout.cell_rect(*marks.cursor).adjusted(3, 3, -3, -3), text, 2.0)
        painter.restore()

    def _frame(
        self,
        painter: QPainter,
        rect: QRectF,
        color: str,
        width: float,
        style: Qt.PenStyle = Qt.PenStyle.SolidLine,
    ) -> None:
        """A frame with a halo in the panel's colour, to be seen on any cell; never too small to be seen."""
        wider = max(0.0, SMALLEST_FRAME - rect.width()) / 2
        higher = max(0.0, SMALLEST_FRAME - rect.height()) / 2
        rect = rect.adjusted(-wider, -higher, wider, higher)
        for ink, line, dashes in (
            (self.theme.panel, width + 2, Qt.PenStyle.SolidLine),
            (color, width, style),
        ):
            pen = QPen(self.texts.color(ink), line, dashes)
            pen.setJoinStyle(Qt.PenJoinStyle.MiterJoin)
            painter.setPen(pen)
            painter.drawRect(rect)


def _grid(layout: Layout) -> list[QLineF]:
    first_row, end_row, first_column, end_column = layout.visible()
    lines = []
    for row in range(first_row, end_row + 1):
        y = layout.top + row * layout.cell_height
        lines.append(QLineF(layout.cells.left(), y, layout.cells.right(), y))
    for column in range(first_column, end_column + 1):
        x = layout.left + column * layout.cell_width
        lines.append(QLineF(x, layout.cells.top(), x, layout.cells.bottom()))
    return lines
