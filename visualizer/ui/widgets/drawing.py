"""What is drawn on screen as a picture for a document: PNG or SVG, with a caption, without the keyboard's ring."""

from __future__ import annotations

import math
from typing import Protocol, runtime_checkable

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QPoint, QRect, QRectF, QSize, QSizeF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QImage, QPainter
from PySide6.QtWidgets import QWidget

from visualizer.ui.look.theme import current_theme
from visualizer.ui.widgets.focus_ring import without_ring

#: A picture's longer side has at least so many pixels: it stays sharp on a slide.
PICTURE_PIXELS = 1600
MARGIN = 8.0


@runtime_checkable
class Drawing(Protocol):
    """A widget that can paint what it shows anywhere, whole, without what mouse and keyboard point at."""

    def paint_picture(self, painter: QPainter, target: QRectF) -> None:
        """Paint all of it into `target`, on the theme's ground."""

    def picture_caption(self) -> str:
        """What is to be known about it: model, block and head, prompt, scale."""

    def size(self) -> QSize:
        """Its size on screen in logical pixels, and so its proportions."""

    def font(self) -> QFont:
        """The font of the caption."""


@runtime_checkable
class Zoomable(Protocol):
    """A picture that can be enlarged."""

    @property
    def zoomed(self) -> float:
        """How many times enlarged; 1 where all is in sight."""

    def fit(self) -> None:
        """Show all of it."""


def picture_scale(size: QSize) -> float:
    """How many pixels of a picture stand for a logical one on screen: a whole number, at least two."""
    return float(max(2, math.ceil(PICTURE_PIXELS / max(size.width(), size.height(), 1))))


def as_image(drawing: Drawing) -> QImage:
    """The drawing with its caption, `picture_scale` pixels to a logical one."""
    size, scale = _with_caption(drawing), picture_scale(drawing.size())
    image = QImage(size * scale, QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(scale)
    painter = QPainter(image)
    _paint(painter, drawing, QSizeF(size))
    painter.end()
    return image


def as_svg(drawing: Drawing, title: str) -> bytes:
    """The drawing with its caption as SVG."""
    from PySide6.QtSvg import QSvgGenerator  # here, so that the window opens without it

    size = _with_caption(drawing)
    data = QByteArray()
    buffer = QBuffer(data)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    generator = QSvgGenerator()
    generator.setOutputDevice(buffer)
    generator.setSize(size)
    generator.setViewBox(QRect(QPoint(0, 0), size))
    generator.setTitle(title)
    generator.setDescription(drawing.picture_caption())
    painter = QPainter(generator)
    _paint(painter, drawing, QSizeF(size))
    painter.end()
    return bytes(data.data())


def widget_image(widget: QWidget) -> QImage:
    """Any widget as it is on screen but for the keyboard's ring, `picture_scale` pixels to a logical one."""
    scale = picture_scale(widget.size())
    image = QImage(widget.size() * scale, QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(scale)
    image.fill(QColor(current_theme().panel))
    with without_ring(widget):
        widget.render(image, QPoint())
    return image


def _with_caption(drawing: Drawing) -> QSize:
    """The size of a drawing with its caption below it."""
    room = drawing.size()
    return QSize(room.width(), room.height() + math.ceil(_caption_box(drawing)[1]))


def _caption_box(drawing: Drawing) -> tuple[QRectF, float]:
    """The caption's rectangle, broken into lines at the drawing's width, and the height that it takes with margins."""
    if not drawing.picture_caption():
        return QRectF(), 0.0
    wide = QRectF(0, 0, max(1.0, drawing.size().width() - 2 * MARGIN), 10_000)
    box = QFontMetricsF(drawing.font()).boundingRect(wide, int(Qt.TextFlag.TextWordWrap), drawing.picture_caption())
    return box, box.height() + MARGIN


def _paint(painter: QPainter, drawing: Drawing, size: QSizeF) -> None:
    theme = current_theme()
    painter.fillRect(QRectF(0, 0, size.width(), size.height()), QColor(theme.panel))
    painter.save()
    drawing.paint_picture(painter, QRectF(0, 0, drawing.size().width(), drawing.size().height()))
    painter.restore()
    box, _ = _caption_box(drawing)
    if not box.isEmpty():
        painter.setFont(drawing.font())
        painter.setPen(QColor(theme.muted_text))
        place = box.translated(MARGIN, drawing.size().height())
        painter.drawText(place, int(Qt.TextFlag.TextWordWrap), drawing.picture_caption())


def paint_message(painter: QPainter, rect: QRectF, words: str) -> None:
    """What stands in place of a picture, in the middle: what is missing, and what to do next."""
    painter.fillRect(rect, QColor(current_theme().panel))
    painter.setPen(QColor(current_theme().muted_text))
    flags = int(Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap)
    painter.drawText(rect.adjusted(8, 8, -8, -8), flags, words)
