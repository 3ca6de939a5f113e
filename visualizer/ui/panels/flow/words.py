"""The words around a stage's matrix: title, formula and shape above it, labels of rows and columns beside its cells."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache

from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QPainter, QPen

from visualizer.session.words.axis_labels import visible_label
from visualizer.ui.heatmap.axis import thinned
from visualizer.ui.heatmap.text import TextBox, TextCache
from visualizer.ui.panels.flow.camera import Window
from visualizer.ui.panels.flow.layout import GAP_X, SECTION_TITLE, Tile

TITLE_SIZE, FORMULA_SIZE, SECTION_SIZE = 13.0, 11.0, 16.0  # pixels at zoom 1 and nearer
SMALLEST_TEXT = 7.0
TIGHT = 0.85
GAP = 4.0
LOOKED_AT = 64  # labels whose width is measured to see how many fit
NARROWEST_BANDS = 48.0  # logical pixels of all together
SMALLEST_SECTION = 10.0  # pixels of a section's title, however far away


@dataclass(frozen=True)
class Heading:
    """What stands above a matrix. `remark` is what is out of the ordinary: changed, or intervened in."""

    title: str
    formula: str
    shape: str
    remark: str = ""


Label = Callable[[int], tuple[str, str | None]]  # the text of a row or column, and its colour if it has its own


class WordPainter:
    """Draws the words of tiles in the fonts and colours of a text cache."""

    def __init__(self, texts: TextCache, font: QFont) -> None:
        self.texts = texts
        self._font = font
        self._fonts: dict[tuple[int, bool], QFont] = {}

    def heading(
        self, painter: QPainter, rect: QRectF, tile: Tile, heading: Heading, scale: float, view: QRectF, labelled: bool
    ) -> None:
        """Title, formula and shape over the cells `rect`; smaller from afar, and gone where nobody could read them.

        They move along where the cells begin out of sight, and stand above the columns' labels where it is `labelled`.
        """
        left = max(rect.left() - 1, view.left() + GAP)
        room = self._slot_left(rect, tile, scale) + (tile.slot.width() + GAP_X * 0.6) * scale - left
        zoom = min(scale, 1.0)
        if TITLE_SIZE * zoom < SMALLEST_TEXT or room < TITLE_SIZE:
            return
        theme = self.texts.theme
        y = rect.top() - (self.texts.label_height + 1 if labelled else self._label_room(scale))
        lines = [(heading.title, True, theme.text, TITLE_SIZE)]
        for text in (heading.formula, heading.shape):
            if text and FORMULA_SIZE * zoom >= SMALLEST_TEXT:
                lines.append((text, False, theme.muted_text, FORMULA_SIZE))
        for text, bold, color, size in reversed(lines):
            font = self._sized(size * zoom, bold)
            box = self.texts.box(_elided(text, font.pixelSize(), bold, font, room), _kind(font), font)
            y -= 2 * box.half_height - 1
            painter.setFont(font)
            painter.setPen(self.texts.color(color))
            painter.drawStaticText(QPointF(left, y), box.static)
            if bold and heading.remark:
                self._remark(painter, QPointF(left + 2 * box.half_width + 6, y), heading.remark, font)

    def section(self, painter: QPainter, frame: QRectF, title: str, scale: float, chosen: bool) -> None:
        """A section's title over its upper left corner, in a size that can be read from any distance."""
        font = self._sized(max(SECTION_SIZE * min(scale, 1.0), SMALLEST_SECTION), True)
        box = self.texts.box(title, _kind(font), font)
        if 2 * box.half_width > max(frame.width(), 1.0):
            box = self.texts.box(title.rpartition(" ")[2], _kind(font), font)
        y = frame.top() + min(SECTION_TITLE * scale - 2 * box.half_height, 0.0)
        ground = QRectF(frame.left() - 2, y, 2 * box.half_width + 4, 2 * box.half_height)
        theme = self.texts.theme
        painter.fillRect(ground, self.texts.color(theme.accent if chosen else theme.panel))
        painter.setFont(font)
        painter.setPen(self.texts.color(theme.accent_text if chosen else theme.muted_text))
        painter.drawStaticText(QPointF(frame.left(), y), box.static)

    def bands(self, painter: QPainter, window: Window, bands: Iterable[tuple[str, int, int]], near: bool) -> None:
        """Rules between what stands side by side in the columns, and a letter over each where there are no labels."""
        font = self.texts.label_font
        if (bands := tuple(bands)) and window.cell_width * bands[-1][2] < NARROWEST_BANDS:
            return
        painter.setFont(font)
        for letter, first, end in bands:
            left, right = window.left + first * window.cell_width, window.left + end * window.cell_width
            if first:
                painter.setPen(QPen(self.texts.color(self.texts.theme.text), 1.0))
                painter.drawLine(QLineF(left, window.clip.top() - 3, left, window.clip.bottom() + 3))
            box = self.texts.box(letter, "label", font)
            if not near and right - left > 2 * box.half_width + 4:
                painter.setPen(self.texts.color(self.texts.theme.muted_text))
                y = window.top - 2 * box.half_height
                painter.drawStaticText(QPointF((left + right) / 2 - box.half_width, y), box.static)

    def row_labels(
        self, painter: QPainter, window: Window, label: Label, marked: int | None, pointed: int | None, view: QRectF
    ) -> None:
        """As many rows' labels as fit left of the cells, or over them where their edge is out of sight."""
        room = self.texts.label_height * TIGHT
        painter.setFont(self.texts.label_font)
        rows = thinned(window.first_row, window.end_row, window.cell_height, room, marked, pointed)
        widest = max((2 * self._box(label(row))[0].half_width for row in rows), default=0.0)
        if window.left < view.left() + widest:  # the labels stay in sight in a strip over the cells
            strip = QRectF(view.left(), window.clip.top(), widest + 2 * GAP, window.clip.height())
            painter.fillRect(strip, self.texts.color(self.texts.theme.panel))
        for row in rows:
            middle = window.top + (row + 0.5) * window.cell_height
            top, bottom = window.top + row * window.cell_height, window.top + (row + 1) * window.cell_height
            if bottom - top > room:  # a row larger than the view keeps its label in sight
                middle = (max(top, window.clip.top()) + min(bottom, window.clip.bottom())) / 2
            box, hue = self._box(label(row))
            x = max(window.left - GAP - 2 * box.half_width, view.left() + GAP)
            self._label(painter, box, QPointF(x, middle - box.half_height), hue, row == marked, x + 4 > window.left)

    def column_labels(
        self, painter: QPainter, window: Window, label: Label, marked: int | None, pointed: int | None, view: QRectF
    ) -> None:
        """The same for the columns, above the cells."""
        step = max(1, (window.end_column - window.first_column) // LOOKED_AT)
        looked_at = range(window.first_column, window.end_column, step)
        widths = sorted(2 * self._box(label(column))[0].half_width for column in looked_at)
        room = widths[len(widths) // 2] + GAP if widths else GAP
        painter.setFont(self.texts.label_font)
        y = max(window.top - self.texts.label_height - 1, view.top())
        if y >= window.top - self.texts.label_height / 2:
            strip = QRectF(window.clip.left(), y, window.clip.width(), self.texts.label_height + 1)
            painter.fillRect(strip, self.texts.color(self.texts.theme.panel))
        taken: list[tuple[float, float]] = []
        columns = thinned(window.first_column, window.end_column, window.cell_width, room, marked, pointed)
        for column in sorted(columns, key=lambda column: (column != marked, column != pointed)):
            left = window.left + column * window.cell_width
            right = left + window.cell_width
            middle = (left + right) / 2
            if right - left > room:
                middle = (max(left, window.clip.left()) + min(right, window.clip.right())) / 2
            box, hue = self._box(label(column))
            start, end = middle - box.half_width, middle + box.half_width
            if all(end + GAP <= other or start >= far + GAP for other, far in taken):
                taken.append((start, end))
                self._label(painter, box, QPointF(start, y), hue, column == marked, y >= window.top - 4)

    def caption(self, painter: QPainter, view: QRectF, heading: Heading) -> None:
        """What fills the view, in its lower left corner, where the heading is out of sight."""
        font = self._sized(TITLE_SIZE, True)
        box = self.texts.box(f"{heading.title}   {heading.shape}", _kind(font), font)
        corner = QPointF(view.left() + 6, view.bottom() - 2 * box.half_height - 4)
        ground = QRectF(corner.x() - 6, corner.y() - 2, 2 * box.half_width + 12, 2 * box.half_height + 6)
        painter.fillRect(ground, self.texts.color(self.texts.theme.panel))
        painter.setFont(font)
        painter.setPen(self.texts.color(self.texts.theme.text))
        painter.drawStaticText(corner, box.static)

    def labels_fit(self, window: Window) -> tuple[bool, bool]:
        """Whether there is room for labels of the rows, and of the columns."""
        return (
            window.cell_height >= self.texts.label_height * TIGHT,
            window.cell_width >= self.texts.label_height,
        )

    # -- inside

    def _box(self, label: tuple[str, str | None]) -> tuple[TextBox, str]:
        text, hue = label
        shown = visible_label(text)
        return self.texts.box(shown, "label", self.texts.label_font), hue or self.texts.theme.muted_text

    def _label(
        self, painter: QPainter, box: TextBox, corner: QPointF, hue: str, marked: bool, over_cells: bool
    ) -> None:
        theme = self.texts.theme
        ground = QRectF(corner.x() - 2, corner.y(), 2 * box.half_width + 4, 2 * box.half_height)
        if marked:
            painter.fillRect(ground, self.texts.color(theme.accent))
            hue = theme.accent_text
        elif over_cells:
            painter.fillRect(ground, self.texts.color(theme.panel))
        painter.setPen(self.texts.color(hue))
        painter.drawStaticText(corner, box.static)

    def _remark(self, painter: QPainter, corner: QPointF, remark: str, font: QFont) -> None:
        small = self._sized(max(font.pixelSize() - 2.0, SMALLEST_TEXT), False)
        painter.setFont(small)
        painter.setPen(self.texts.color(self.texts.theme.changed))
        painter.drawStaticText(corner + QPointF(0, 1), self.texts.box(remark, _kind(small), small).static)

    def _label_room(self, scale: float) -> float:
        return min(self.texts.label_height + 2, 18.0 * scale)

    def _slot_left(self, rect: QRectF, tile: Tile, scale: float) -> float:
        return rect.left() - (tile.rect.left() - tile.slot.left()) * scale

    def _sized(self, pixels: float, bold: bool) -> QFont:
        key = (max(int(pixels + 0.5), 1), bold)
        font = self._fonts.get(key)
        if font is None:
            font = self._fonts[key] = QFont(self._font)
            font.setPixelSize(key[0])
            font.setBold(bold)
        return font


def _kind(font: QFont) -> str:
    return f"words {font.pixelSize()} {font.bold()}"


@lru_cache(maxsize=4096)
def _fitting_text(text: str, size: int, bold: bool, family: str, room: int) -> str:
    font = QFont(family)
    font.setPixelSize(size)
    font.setBold(bold)
    return QFontMetricsF(font).elidedText(text, Qt.TextElideMode.ElideRight, float(room))


def _elided(text: str, size: int, bold: bool, font: QFont, room: float) -> str:
    return _fitting_text(text, size, bold, font.family(), max(int(room) // 8 * 8, 16))
