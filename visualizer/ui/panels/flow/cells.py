"""What lies on the cells of a matrix when one is near: hatch over what is masked, grid, changed corners, digits."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QPainter, QPixmap, QPolygonF, QStaticText

from visualizer.session.words.numbers import short
from visualizer.ui.look import colors
from visualizer.ui.look.theme import Theme
from visualizer.ui.panels.flow.paper import Paper
from visualizer.ui.panels.flow.pictures import Picture

SMALLEST_DIGITS, LARGEST_DIGITS = 8, 13  # pixels of their font
FEWEST_CHARACTERS, USUAL_CHARACTERS = 4, 5
GRID_FROM, CORNER_FROM, HATCH_FROM = 12.0, 6.0, 1.5  # logical pixels of a cell's side
HATCH_PERIOD = 6
MOST_STEPS = 256


@dataclass(frozen=True)
class Window:
    """The part of a matrix that is in sight: its cells from row and column to the ones after the last, in the view."""

    rect: QRectF
    rows: range
    columns: range
    width: float
    height: float

    @classmethod
    def onto(cls, rect: QRectF, size: tuple[int, int], view: QRectF) -> Window | None:
        """What `view` sees of a matrix that fills `rect`; None where that is nothing."""
        seen = rect.intersected(view)
        if seen.isEmpty() or not min(size):
            return None
        width, height = rect.width() / size[1], rect.height() / size[0]
        return cls(
            rect,
            range(int((seen.top() - rect.top()) / height), min(math.ceil((seen.bottom() - rect.top()) / height), size[0])),
            range(int((seen.left() - rect.left()) / width), min(math.ceil((seen.right() - rect.left()) / width), size[1])),
            width,
            height,
        )

    def cell(self, row: int, column: int) -> QRectF:
        """A cell in the view."""
        return QRectF(
            self.rect.left() + column * self.width, self.rect.top() + row * self.height, self.width, self.height
        )

    @property
    def side(self) -> float:
        """The shorter side of a cell."""
        return min(self.width, self.height)


def paint_cells(paper: Paper, picture: Picture, window: Window) -> None:
    """Everything on the cells of one matrix that is in sight, and the edge around them."""
    painter = paper.painter
    painter.save()
    painter.setClipRect(window.rect.adjusted(-1, -1, 1, 1), Qt.ClipOperation.IntersectClip)
    if picture.queries and window.side >= HATCH_FROM:
        _hatch(paper, window)
    if window.side >= GRID_FROM:
        painter.setPen(paper.texts.pen(paper.theme.panel))
        painter.drawLines(_grid(window))
    if picture.changed is not None and window.side >= CORNER_FROM:
        _changed(paper, picture, window)
    _digits(paper, picture, window)
    painter.restore()


def _grid(window: Window) -> list[QLineF]:
    rect = window.rect
    lines = []
    for row in window.rows[1:] if window.rows.start == 0 else window.rows:
        y = rect.top() + row * window.height
        lines.append(QLineF(window.cell(row, window.columns.start).left(), y, window.cell(row, window.columns.stop).left(), y))
    for column in window.columns[1:] if window.columns.start == 0 else window.columns:
        x = rect.left() + column * window.width
        lines.append(QLineF(x, window.cell(window.rows.start, column).top(), x, window.cell(window.rows.stop, column).top()))
    return lines


def _hatch(paper: Paper, window: Window) -> None:
    """Fine lines over the keys beyond each query's own position."""
    step = max(1, len(window.rows) // MOST_STEPS)
    right = window.cell(0, window.columns.stop).left()
    corners = [QPointF(right, window.cell(window.rows.start, 0).top())]
    for row in range(window.rows.start, window.rows.stop, step):
        edge = window.cell(row, min(row + 1, window.columns.stop))
        corners += [QPointF(edge.left(), edge.top()), QPointF(edge.left(), edge.top() + step * window.height)]
    corners.append(QPointF(right, corners[-1].y()))
    painter = paper.painter
    painter.save()
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrushOrigin(window.rect.topLeft())
    device = painter.device()
    painter.setBrush(QBrush(_hatch_pixmap(paper.theme, device.devicePixelRatioF() if device is not None else 1.0)))
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


def _changed(paper: Paper, picture: Picture, window: Window) -> None:
    """A corner in each cell that is no longer what it was when the model was opened."""
    assert picture.changed is not None
    rows, columns = window.rows, window.columns
    seen = picture.changed[rows.start : rows.stop, columns.start : columns.stop]
    leg = min(9.0, window.side * 0.3)
    painter = paper.painter
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
    painter.setPen(paper.texts.pen(paper.theme.panel))
    painter.setBrush(paper.texts.color(paper.theme.changed))
    for row, column in zip(*(places.tolist() for places in seen.nonzero()), strict=True):
        corner = window.cell(rows.start + row, columns.start + column).topRight()
        painter.drawPolygon(QPolygonF([corner - QPointF(leg, 0), corner, corner + QPointF(0, leg)]))
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    painter.setBrush(Qt.BrushStyle.NoBrush)


def _digits(paper: Paper, picture: Picture, window: Window) -> None:
    """The numbers of the cells in sight, as long as they fit."""
    texts = paper.texts
    room = int((window.width - 5) / (texts.digit_width * SMALLEST_DIGITS))
    if room < FEWEST_CHARACTERS or window.height < SMALLEST_DIGITS * 1.6:
        return
    rows, columns = slice(window.rows.start, window.rows.stop), slice(window.columns.start, window.columns.stop)
    written = [fitted(value, room) for value in picture.values[rows, columns].ravel().tolist()]
    longest = max(max(map(len, written), default=0), min(USUAL_CHARACTERS, room))
    pixels = min((window.width - 5) / (texts.digit_width * longest), window.height * 0.5, LARGEST_DIGITS)
    kind = texts.digits(max(int(pixels), SMALLEST_DIGITS))
    ink = colors.lookup_table(picture.kind, paper.theme).dark_ink
    by_color: dict[str, list[tuple[QPointF, QStaticText]]] = {}
    for i, (text, index) in enumerate(zip(written, picture.indices(rows, columns).ravel().tolist(), strict=True)):
        if text:
            color = paper.theme.masked_text if index == colors.MASKED else "#000000" if ink[index] else "#ffffff"
            static, width, height = texts.box(text, kind)
            row, column = divmod(i, len(window.columns))
            middle = window.cell(window.rows.start + row, window.columns.start + column).center()
            place = QPointF(middle.x() + 0.5 - width / 2, middle.y() + 0.5 - height / 2)
            by_color.setdefault(color, []).append((place, static))
    paper.painter.setFont(texts.fonts[kind])
    for color, placed in by_color.items():
        paper.painter.setPen(texts.color(color))
        for place, static in placed:
            paper.painter.drawStaticText(place, static)


def fitted(value: float, room: int) -> str:
    """A number in so many characters: three digits, else two, else one, else empty."""
    for digits in (3, 2, 1):
        text = short(value, digits)
        if len(text) <= room:
            return text
    return ""
