"""What the parts of the picture are drawn with: where things lie in the view, and texts in a theme's fonts."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QPainter, QPen, QTransform

from visualizer.session.analysis.landscape.shapes import Box
from visualizer.ui.heatmap.text import TextBox, TextCache
from visualizer.ui.look.theme import Theme

#: Kinds of text, each in a font of its own.
TITLE, DETAIL, BLOCK, LABEL = "title", "detail", "block", "small"


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


class Texts(TextCache):
    """The fonts and colours of a theme, and every text laid out so far: those of heatmaps, and of titles."""

    def __init__(self, theme: Theme, font: QFont) -> None:
        super().__init__(theme, font)
        self.fonts = {LABEL: self.small_font}
        points = font.pointSizeF() if font.pointSizeF() > 0 else 9.0
        for kind, share in ((TITLE, 0.9), (DETAIL, 0.8), (BLOCK, 0.95)):
            self.fonts[kind] = QFont(font)
            self.fonts[kind].setPointSizeF(points * share)
        self.line, self.detail_line = (QFontMetricsF(self.fonts[kind]).height() for kind in (TITLE, DETAIL))
        self.label_line = self.small_height
        self._pens: dict[tuple[str, float, Qt.PenStyle], QPen] = {}

    def pen(self, name: str, width: float = 1.0, style: Qt.PenStyle = Qt.PenStyle.SolidLine) -> QPen:
        """A pen in a colour, as wide at any zoom."""
        pen = self._pens.get((name, width, style))
        if pen is None:
            pen = self._pens[name, width, style] = QPen(self.color(name), width, style)
            pen.setJoinStyle(Qt.PenJoinStyle.MiterJoin)
        return pen

    def laid_out(self, text: str, kind: str) -> TextBox:
        """A text in the font of its kind."""
        return self.box(text, kind, self.fonts[kind])

    def width(self, text: str, kind: str) -> float:
        """How wide a text is."""
        return 2 * self.laid_out(text, kind).half_width

    def fitting(self, texts: tuple[str, ...], kind: str, room: float) -> str:
        """The first of some texts that fits, else the last one cut off; empty where nothing can be read of it."""
        for text in texts:
            if self.width(text, kind) <= room:
                return text
        elide = QFontMetricsF(self.fonts[kind]).elidedText
        cut = elide(texts[-1], Qt.TextElideMode.ElideRight, room) if texts else ""
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
        box = self.texts.laid_out(text, kind)
        rect = QRectF(left, top, 2 * box.half_width, 2 * box.half_height)
        if ground:
            self.painter.fillRect(rect.adjusted(-2, 0, 2, 0), self.texts.color(ground))
        self.painter.setFont(self.texts.fonts[kind])
        self.painter.setPen(self.texts.color(color))
        self.painter.drawStaticText(QPointF(left, top), box.static)
        return rect
