"""What the parts of the picture are drawn with: where things lie in the view, and texts in a theme's fonts."""

from __future__ import annotations

import math
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen, QStaticText, QTransform

from visualizer.session.analysis.landscape.shapes import Box
from visualizer.ui.look.theme import Theme, number_font

MOST_TEXTS = 4000
TITLE, DETAIL, BLOCK = "title", "detail", "block"
LABEL = "label"


@dataclass(frozen=True)
class Camera:
    """How the picture is looked at: its units in the view's pixels."""

    across: float = 1.0
    down: float = 1.0
    dx: float = 0.0
    dy: float = 0.0

    @classmethod
    def of(cls, transform: QTransform) -> Camera:
        """The camera of an item's transform."""
        return cls(transform.m11(), transform.m22(), transform.dx(), transform.dy())

    def x(self, x: float) -> float:
        """A place across, in the view."""
        return x * self.across + self.dx

    def y(self, y: float) -> float:
        """A place down, in the view."""
        return y * self.down + self.dy

    def rect(self, box: Box) -> QRectF:
        """A box in the view."""
        return QRectF(self.x(box.left), self.y(box.top), box.width * self.across, box.height * self.down)

    def point(self, point: QPointF) -> tuple[float, float]:
        """The place in the picture of a point in the view."""
        return (point.x() - self.dx) / self.across, (point.y() - self.dy) / self.down


class Texts:
    """Fonts, colours and laid-out texts in one theme, kept so that a repaint lays nothing out anew."""

    def __init__(self, theme: Theme, font: QFont) -> None:
        self.theme = theme
        points = font.pointSizeF() if font.pointSizeF() > 0 else 9.0
        plain = QFont(font)
        self.fonts = {TITLE: QFont(plain), DETAIL: QFont(plain), BLOCK: QFont(plain), LABEL: number_font(points * 0.9)}
        self.fonts[TITLE].setPointSizeF(points * 0.9)
        self.fonts[DETAIL].setPointSizeF(points * 0.8)
        self.fonts[BLOCK].setPointSizeF(points * 0.95)
        self.line = QFontMetricsF(self.fonts[TITLE]).height()
        self.detail_line = QFontMetricsF(self.fonts[DETAIL]).height()
        self.label_line = QFontMetricsF(self.fonts[LABEL]).height()
        self._metrics = {kind: QFontMetricsF(chosen) for kind, chosen in self.fonts.items()}
        self._boxes: dict[tuple[str, str], tuple[QStaticText, float, float]] = {}
        self._colors: dict[str, QColor] = {}
        self._pens: dict[tuple[str, float, Qt.PenStyle], QPen] = {}
        digits = number_font(points)
        digits.setPixelSize(100)
        self.digit_width = QFontMetricsF(digits).horizontalAdvance("0") / 100.0

    def color(self, name: str) -> QColor:
        """The QColor of ``#rrggbb``."""
        color = self._colors.get(name)
        if color is None:
            color = self._colors[name] = QColor(name)
        return color

    def pen(self, name: str, width: float = 1.0, style: Qt.PenStyle = Qt.PenStyle.SolidLine) -> QPen:
        """A pen in a colour, as wide at any zoom."""
        pen = self._pens.get((name, width, style))
        if pen is None:
            pen = self._pens[name, width, style] = QPen(self.color(name), width, style)
            pen.setJoinStyle(Qt.PenJoinStyle.MiterJoin)
        return pen

    def digits(self, pixels: int) -> str:
        """The kind of the digits in cells, so many pixels high."""
        kind = f"digits {pixels}"
        if kind not in self.fonts:
            font = self.fonts[kind] = number_font()
            font.setPixelSize(pixels)
        return kind

    def width(self, text: str, kind: str) -> float:
        """How wide a text is."""
        return self.box(text, kind)[1]

    def box(self, text: str, kind: str) -> tuple[QStaticText, float, float]:
        """A text laid out in the font of its kind, its width and its height."""
        known = self._boxes.get((text, kind))
        if known is None:
            if len(self._boxes) > MOST_TEXTS:
                self._boxes.clear()
            static = QStaticText(text)
            static.setTextFormat(Qt.TextFormat.PlainText)
            static.setPerformanceHint(QStaticText.PerformanceHint.AggressiveCaching)
            static.prepare(QTransform(), self.fonts[kind])
            known = self._boxes[text, kind] = (static, static.size().width(), static.size().height())
        return known

    def fitting(self, texts: tuple[str, ...], kind: str, room: float) -> str:
        """The first of some texts that fits, else the last one cut off; empty where nothing can be read of it."""
        for text in texts:
            if self.width(text, kind) <= room:
                return text
        cut = self._metrics[kind].elidedText(texts[-1], Qt.TextElideMode.ElideRight, room) if texts else ""
        return cut if len(cut) > 2 else ""


@dataclass
class Paper:
    """A painter over the view, the camera that it is looked at with, and texts."""

    painter: QPainter
    camera: Camera
    texts: Texts
    view: QRectF

    @property
    def theme(self) -> Theme:
        """Its colours."""
        return self.texts.theme

    def sees(self, box: Box, margin: float = 0.0) -> bool:
        """Whether something of a box is in the view."""
        return self.camera.rect(box).adjusted(-margin, -margin, margin, margin).intersects(self.view)

    def write(self, text: str, kind: str, color: str, left: float, top: float, ground: str = "") -> QRectF:
        """Write at a corner; on a ground of its own where it has one."""
        static, width, height = self.texts.box(text, kind)
        rect = QRectF(left, top, width, height)
        if ground:
            self.painter.fillRect(rect.adjusted(-2, 0, 2, 0), self.texts.color(ground))
        self.painter.setFont(self.texts.fonts[kind])
        self.painter.setPen(self.texts.color(color))
        self.painter.drawStaticText(QPointF(left, top), static)
        return rect


def every(first: int, end: int, size: float, room: float) -> range:
    """Every first, second, fifth, tenth … of lines that are `size` apart, so that each has `room`; all from 0 on."""
    step, power = 1, 1
    while step * size < room and step < end:
        step = next((n * power for n in (1, 2, 5) if n * power * size >= room), 10 * power)
        power *= 10
    return range(-(-first // step) * step, end, step)


def snapped(rect: QRectF, ratio: float) -> QRectF:
    """The rectangle with its edges on device pixels, at least one of them wide and high."""
    left, top = math.floor(rect.left() * ratio + 0.5) / ratio, math.floor(rect.top() * ratio + 0.5) / ratio
    right, bottom = math.floor(rect.right() * ratio + 0.5) / ratio, math.floor(rect.bottom() * ratio + 0.5) / ratio
    return QRectF(left, top, max(right - left, 1 / ratio), max(bottom - top, 1 / ratio))
