"""Fonts, colours and laid-out texts of heatmaps, kept so that a repaint lays nothing out anew."""

from __future__ import annotations

from functools import lru_cache

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QStaticText, QTransform

from visualizer.ui.heatmap.layout import Metrics
from visualizer.ui.heatmap.matrix import Axis, Matrix
from visualizer.ui.look.theme import Theme, number_font

MOST_TEXTS = 4000


class TextBox:
    """A laid-out text and half its size in logical pixels, for centring."""

    __slots__ = ("half_height", "half_width", "static")

    def __init__(self, text: str, font: QFont) -> None:
        self.static = QStaticText(text)
        self.static.setTextFormat(Qt.TextFormat.PlainText)
        self.static.setPerformanceHint(QStaticText.PerformanceHint.AggressiveCaching)
        self.static.prepare(QTransform(), font)
        size = self.static.size()
        self.half_width, self.half_height = size.width() / 2, size.height() / 2


@lru_cache(maxsize=4)
def texts_for(theme: Theme, points: float, family: str) -> TextCache:
    """The cache that all heatmaps of a theme and a font share."""
    font = QFont(family)
    font.setPointSizeF(points)
    return TextCache(theme, font)


class TextCache:
    """Fonts and colours of heatmaps in one theme, and every text laid out so far."""

    def __init__(self, theme: Theme, font: QFont) -> None:
        points = font.pointSizeF() if font.pointSizeF() > 0 else 9.0
        self.theme = theme
        self.label_font = number_font(points)
        self.small_font = number_font(points * 0.88)
        self.axis_font = QFont(font)
        self.axis_font.setPointSizeF(points * 0.9)
        self.label_height = QFontMetricsF(self.label_font).height()
        self.label_ascent = QFontMetricsF(self.label_font).ascent()
        self.small_height = QFontMetricsF(self.small_font).height()
        probe = number_font(points)
        probe.setPixelSize(100)
        self.digit_width = QFontMetricsF(probe).horizontalAdvance("0") / 100.0
        self._number_fonts: dict[int, QFont] = {}
        self._boxes: dict[str, dict[str, TextBox]] = {}
        self._colors: dict[str, QColor] = {}

    def metrics(self, matrix: Matrix, bar_characters: int) -> Metrics:
        """Sizes of the texts around `matrix`; the colour bar's labels have room for `bar_characters`."""
        return Metrics(
            line=self.label_height,
            axis_line=QFontMetricsF(self.axis_font).height() + 2,
            row_label=self._widest(matrix.rows),
            column_label=self._widest(matrix.columns),
            bar_label=QFontMetricsF(self.small_font).horizontalAdvance("0") * bar_characters,
        )

    def _widest(self, axis: Axis) -> float:
        width = QFontMetricsF(self.label_font).horizontalAdvance
        return max((width(text) for text in {axis.text(i) for i in range(len(axis.labels))}), default=0.0) + 4

    def color(self, name: str) -> QColor:
        """The QColor of ``#rrggbb``."""
        color = self._colors.get(name)
        if color is None:
            color = self._colors[name] = QColor(name)
        return color

    def number_font(self, pixels: int) -> QFont:
        """The font of the digits in cells, so many pixels high."""
        font = self._number_fonts.get(pixels)
        if font is None:
            font = self._number_fonts[pixels] = number_font()
            font.setPixelSize(pixels)
        return font

    def box(self, text: str, kind: str, font: QFont) -> TextBox:
        """`text` laid out in `font`; `kind` names the font."""
        known = self._boxes.setdefault(kind, {})
        box = known.get(text)
        if box is None:
            if len(known) > MOST_TEXTS:
                known.clear()
            box = known[text] = TextBox(text, font)
        return box
