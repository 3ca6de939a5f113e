"""Painting the cells of a stage's matrix: picture, hatch, grid, numbers in sight, and frames."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass

from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QFont, QPainter, QPen, QPixmap, QPolygonF

from visualizer.session.words.numbers import short
from visualizer.ui.heatmap.text import TextBox, TextCache
from visualizer.ui.look import colors
from visualizer.ui.look.theme import Theme
from visualizer.ui.panels.flow.camera import Window
from visualizer.ui.panels.flow.picture import BLOCK, Picture, stride_for

SMALLEST_NUMBER = 8  # pixel size of the digits in cells
FEWEST_CHARACTERS = 4
USUAL_NUMBER = 5
GRID_FROM, CORNER_FROM, HATCH_FROM = 12.0, 6.0, 1.5  # logical pixels of a cell's side
HATCH_PERIOD = 6
SMALLEST_FRAME = 5.0
MOST_STEPS = 256
BLACK, WHITE = "#000000", "#ffffff"

Cell = tuple[int, int]


@dataclass(frozen=True)
class TileMarks:
    """What is framed in one tile: a whole row, the chosen cell, the cells that made it, and the cells pointed at."""

    row: int | None = None
    cell: Cell | None = None
    sources: tuple[Cell, ...] = ()
    hovered: Cell | None = None
    cursor: Cell | None = None


class CellPainter:
    """Draws the cells of tiles in one theme with one font; made anew when either changes."""

    def __init__(self, theme: Theme, font: QFont) -> None:
        self.theme = theme
        self.texts = TextCache(theme, font)
        self._hatches: dict[float, QPixmap] = {}

    def prepare(self, picture: Picture, window: Window, ratio: float, until: float) -> None:
        """Make what `paint` will show of a picture, for so long."""
        stride = _stride(window, ratio)
        for row, column in _blocks_seen(window, stride):
            if time.perf_counter() > until:
                return
            picture.block(row, column, stride, self.theme)

    def paint(self, painter: QPainter, picture: Picture, window: Window, ratio: float) -> bool:
        """Everything inside the cells' edge; False where some of the picture has not been made yet."""
        painter.save()
        painter.setClipRect(window.clip.adjusted(-1, -1, 1, 1))
        whole = self._blocks(painter, picture, window, ratio)
        if picture.masked is not None and min(window.cell_width, window.cell_height) >= HATCH_FROM:
            self._hatch(painter, window, ratio)
        if picture.points:
            self._points(painter, picture, window)
        if min(window.cell_width, window.cell_height) >= GRID_FROM:
            painter.setPen(self.texts.color(self.theme.panel))
            painter.drawLines(_grid(window))
        if picture.changed is not None:
            self._changed(painter, picture, window)
        if whole:
            self._numbers(painter, picture, window)
        painter.restore()
        painter.setPen(self.texts.color(self.theme.rule))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(window.clip.adjusted(-1, -1, 0, 0))
        return whole

    # -- the picture

    def _blocks(self, painter: QPainter, picture: Picture, window: Window, ratio: float) -> bool:
        stride = _stride(window, ratio)
        smooth = min(window.cell_width, window.cell_height) * ratio < 1.0
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, smooth)
        down, across = BLOCK * stride[0], BLOCK * stride[1]
        whole = True
        for row, column in _blocks_seen(window, stride):
            if not picture.has_block(row, column, stride, self.theme):
                whole = False
                continue
            image = picture.block(row, column, stride, self.theme)
            # Only what is in sight: a block can be many times larger than the view.
            first_row = max(window.first_row - row * down, 0) // stride[0]
            first_column = max(window.first_column - column * across, 0) // stride[1]
            end_row = min(-(-(window.end_row - row * down) // stride[0]), image.height())
            end_column = min(-(-(window.end_column - column * across) // stride[1]), image.width())
            source = QRectF(first_column, first_row, end_column - first_column, end_row - first_row)
            rows, columns = picture.values.shape
            last_row = min(row * down + end_row * stride[0], rows)
            last_column = min(column * across + end_column * stride[1], columns)
            target = window.cell_rect(
                row * down + first_row * stride[0],
                column * across + first_column * stride[1],
                last_row - row * down - first_row * stride[0],
                last_column - column * across - first_column * stride[1],
            )
            painter.drawImage(_snapped(target, ratio), image, source)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
        return whole

    def _points(self, painter: QPainter, picture: Picture, window: Window) -> None:
        """One NaN among a million numbers must not vanish between the cells that are looked at."""
        if min(window.cell_width, window.cell_height) >= 3.0:
            return
        table = colors.lookup_table(picture.kind, self.theme)
        for row, column in picture.points:
            if window.first_row <= row < window.end_row and window.first_column <= column < window.end_column:
                index = int(picture.indices(slice(row, row + 1), slice(column, column + 1))[0, 0])
                corner = window.cell_rect(row, column).topLeft()
                painter.fillRect(QRectF(corner.x() - 1, corner.y() - 1, 3, 3), QColor.fromRgb(table.argb[index]))

    def _hatch(self, painter: QPainter, window: Window, ratio: float) -> None:
        """Fine lines over the cells beyond each row's own position."""
        step = max(1, (window.end_row - window.first_row) // MOST_STEPS)
        left, right = window.clip.left() - 2, window.clip.right() + 2
        corners = [QPointF(right, window.cell_rect(window.first_row, 0).top())]
        for row in range(window.first_row, window.end_row, step):
            edge = window.cell_rect(row, row + 1)
            x = min(max(edge.left(), left), right)
            corners += [QPointF(x, edge.top()), QPointF(x, edge.top() + step * window.cell_height)]
        corners.append(QPointF(right, corners[-1].y()))
        painter.save()
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrushOrigin(QPointF(window.left, window.top))
        painter.setBrush(QBrush(self._hatch_pixmap(ratio)))
        painter.drawPolygon(QPolygonF(corners))
        painter.restore()

    def _hatch_pixmap(self, ratio: float) -> QPixmap:
        pixmap = self._hatches.get(ratio)
        if pixmap is None:
            side = max(2, round(HATCH_PERIOD * ratio))
            pixmap = QPixmap(side, side)
            pixmap.fill(Qt.GlobalColor.transparent)
            painter = QPainter(pixmap)
            color = self.texts.color(self.theme.masked_hatch)
            for i in range(side):
                painter.fillRect(i, side - 1 - i, max(1, round(ratio)), 1, color)
            painter.end()
            pixmap.setDevicePixelRatio(ratio)
            self._hatches[ratio] = pixmap
        return pixmap

    def _changed(self, painter: QPainter, picture: Picture, window: Window) -> None:
        """A corner in each cell that is no longer what it was when the model was opened."""
        side = min(window.cell_width, window.cell_height)
        if picture.changed is None or side < CORNER_FROM:
            return
        seen = picture.changed[window.first_row : window.end_row, window.first_column : window.end_column]
        leg = min(9.0, side * 0.3)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        painter.setPen(QPen(self.texts.color(self.theme.panel), 1.0))
        painter.setBrush(self.texts.color(self.theme.changed))
        for row, column in zip(*(places.tolist() for places in seen.nonzero()), strict=True):
            corner = window.cell_rect(window.first_row + row, window.first_column + column).topRight()
            painter.drawPolygon(QPolygonF([corner - QPointF(leg, 0), corner, corner + QPointF(0, leg)]))
        painter.restore()

    # -- digits

    def _numbers(self, painter: QPainter, picture: Picture, window: Window) -> None:
        texts = self.texts
        room = int((window.cell_width - 5) / (texts.digit_width * SMALLEST_NUMBER))
        if room < FEWEST_CHARACTERS or window.cell_height < SMALLEST_NUMBER * 1.6:
            return
        rows = slice(window.first_row, window.end_row)
        columns = slice(window.first_column, window.end_column)
        written = [fitted(value, room) for value in picture.values[rows, columns].ravel().tolist()]
        indices = picture.indices(rows, columns).ravel().tolist()
        longest = max(max(map(len, written), default=0), min(USUAL_NUMBER, room))
        comfortable = max(texts.label_ascent, window.cell_height * 0.2)
        pixels = min((window.cell_width - 5) / (texts.digit_width * longest), window.cell_height * 0.5, comfortable)
        font = texts.number_font(max(int(pixels), SMALLEST_NUMBER))
        kind = f"number {font.pixelSize()}"
        dark_ink = colors.lookup_table(picture.kind, self.theme).dark_ink
        inks: dict[str, list[tuple[QPointF, TextBox]]] = {}
        width = window.end_column - window.first_column
        for i, (text, index) in enumerate(zip(written, indices, strict=True)):
            if text:
                color = self.theme.masked_text if index == colors.MASKED else BLACK if dark_ink[index] else WHITE
                box = texts.box(text, kind, font)
                x = window.left + (window.first_column + i % width + 0.5) * window.cell_width + 0.5 - box.half_width
                y = window.top + (window.first_row + i // width + 0.5) * window.cell_height + 0.5 - box.half_height
                inks.setdefault(color, []).append((QPointF(x, y), box))
        painter.setFont(font)
        for color, placed in inks.items():
            painter.setPen(texts.color(color))
            for place, box in placed:
                painter.drawStaticText(place, box.static)

    # -- frames

    def frames(self, painter: QPainter, window: Window, columns: int, marks: TileMarks) -> None:
        """The selection in the accent, sources dashed, and what is pointed at."""
        painter.save()
        painter.setClipRect(window.clip.adjusted(-3, -3, 3, 3))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        text, accent = self.theme.text, self.theme.accent
        if marks.row is not None:
            near = window.clip.adjusted(-8, -8, 8, 8)  # a long row is mostly out of sight
            self._frame(painter, window.cell_rect(marks.row, 0, 1, columns).intersected(near), accent, 2.0)
        if marks.cell is not None:
            self._frame(painter, window.cell_rect(*marks.cell), accent, 2.0)
        for rect in self._source_rects(window, marks.sources):
            self._frame(painter, rect, text, 1.0, Qt.PenStyle.DashLine)
        if marks.hovered is not None:
            self._frame(painter, window.cell_rect(*marks.hovered).adjusted(2, 2, -2, -2), text, 1.0)
        if marks.cursor is not None:
            self._frame(painter, window.cell_rect(*marks.cursor).adjusted(3, 3, -3, -3), text, 2.0)
        painter.restore()

    def _source_rects(self, window: Window, sources: tuple[Cell, ...]) -> list[QRectF]:
        """Each source's outline; one around them all where cells are too small for outlines of their own."""
        if not sources:
            return []
        if min(window.cell_width, window.cell_height) >= SMALLEST_FRAME:
            return [
                window.cell_rect(row, column).adjusted(2, 2, -2, -2)
                for row, column in sources
                if window.first_row <= row < window.end_row and window.first_column <= column < window.end_column
            ]
        rows, columns = [row for row, _ in sources], [column for _, column in sources]
        first_row, first_column = min(rows), min(columns)
        return [window.cell_rect(first_row, first_column, max(rows) - first_row + 1, max(columns) - first_column + 1)]

    def _frame(
        self, painter: QPainter, rect: QRectF, color: str, width: float, style: Qt.PenStyle = Qt.PenStyle.SolidLine
    ) -> None:
        """A frame with a halo in the panel's colour, to be seen on any cell; never too small to be seen."""
        wider = max(0.0, SMALLEST_FRAME - rect.width()) / 2
        higher = max(0.0, SMALLEST_FRAME - rect.height()) / 2
        rect = rect.adjusted(-wider, -higher, wider, higher)
        for ink, line, dashes in ((self.theme.panel, width + 2, Qt.PenStyle.SolidLine), (color, width, style)):
            pen = QPen(self.texts.color(ink), line, dashes)
            pen.setJoinStyle(Qt.PenJoinStyle.MiterJoin)
            painter.setPen(pen)
            painter.drawRect(rect)


def fitted(value: float, room: int) -> str:
    """A number in so many characters: three digits, else two, else one, else empty."""
    for digits in (3, 2, 1):
        text = short(value, digits)
        if len(text) <= room:
            return text
    return ""


def _grid(window: Window) -> list[QLineF]:
    clip, lines = window.clip, []
    for row in range(window.first_row, window.end_row + 1):
        y = window.top + row * window.cell_height
        lines.append(QLineF(clip.left(), y, clip.right(), y))
    for column in range(window.first_column, window.end_column + 1):
        x = window.left + column * window.cell_width
        lines.append(QLineF(x, clip.top(), x, clip.bottom()))
    return lines


def _stride(window: Window, ratio: float) -> tuple[int, int]:
    """How many rows and columns share a pixel."""
    return stride_for(window.cell_height * ratio), stride_for(window.cell_width * ratio)


def _blocks_seen(window: Window, stride: tuple[int, int]) -> Iterator[tuple[int, int]]:
    """Row and column of each block that is in sight."""
    down, across = BLOCK * stride[0], BLOCK * stride[1]
    for row in range(window.first_row // down, -(-window.end_row // down)):
        for column in range(window.first_column // across, -(-window.end_column // across)):
            yield row, column


def _snapped(rect: QRectF, ratio: float) -> QRectF:
    """The rectangle with its edges on device pixels, at least one of them wide and high."""
    left, top = math.floor(rect.left() * ratio + 0.5) / ratio, math.floor(rect.top() * ratio + 0.5) / ratio
    right, bottom = math.floor(rect.right() * ratio + 0.5) / ratio, math.floor(rect.bottom() * ratio + 0.5) / ratio
    return QRectF(left, top, max(right - left, 1 / ratio), max(bottom - top, 1 / ratio))
