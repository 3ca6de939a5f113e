"""Every text that a widget paints, with its ink and the ground that it stands on, as they are on the screen."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from PySide6.QtCore import QPoint, QPointF, QRect, QRectF
from PySide6.QtGui import QColor, QImage, QPaintDevice, QPaintEngine, QPaintEngineState, QPainter, QRegion, QTextItem
from PySide6.QtWidgets import QWidget

from visualizer.ui.look.theme import contrast_ratio

_METRICS = QPaintDevice.PaintDeviceMetric


@dataclass(frozen=True)
class PaintedText:
    """A text, the colour it is written in, and the most frequent colour of its place."""

    text: str
    ink: str
    ground: str

    @property
    def contrast(self) -> float:
        """The ratio of WCAG 2.2."""
        return contrast_ratio(self.ink, self.ground)


class _Recorder(QPaintEngine):
    """Writes down texts, and paints nothing."""

    def __init__(self) -> None:
        super().__init__(QPaintEngine.PaintEngineFeature.AllFeatures)
        self.found: list[tuple[str, QColor, QRectF]] = []
        self._ink = QColor()

    def begin(self, _device: QPaintDevice) -> bool:
        return True

    def end(self) -> bool:
        return True

    def type(self) -> QPaintEngine.Type:
        return QPaintEngine.Type.User

    def updateState(self, state: QPaintEngineState) -> None:
        self._ink = QColor(state.pen().color())
        self._ink.setAlphaF(self._ink.alphaF() * state.opacity())
        self._transform, painter = state.transform(), state.painter()
        self._clip = self._transform.mapRect(painter.clipBoundingRect()) if painter.hasClipping() else None

    def drawTextItem(self, at: QPointF, item: QTextItem) -> None:  # type: ignore[override]
        box = QRectF(at.x(), at.y() - item.ascent(), item.width(), item.ascent() + item.descent())
        box = self._transform.mapRect(box)
        if self._clip is None or self._clip.contains(box.center()):
            self.found.append((item.text(), self._ink, box))

    def _nothing(self, *_: object) -> None:
        """Pictures and shapes are looked at on the screen."""

    drawPixmap = drawImage = drawTiledPixmap = drawPath = drawPolygon = _nothing  # type: ignore[assignment]
    drawRects = drawLines = drawEllipse = drawPoints = _nothing  # type: ignore[assignment]


class _Sheet(QPaintDevice):
    """As large as a widget, at one pixel to a pixel."""

    def __init__(self, widget: QWidget, engine: QPaintEngine) -> None:
        super().__init__()
        self._engine = engine
        self._metrics = {
            _METRICS.PdmWidth: widget.width(),
            _METRICS.PdmHeight: widget.height(),
            _METRICS.PdmDepth: 32,
            _METRICS.PdmDevicePixelRatioScaled: 0x10000,
            **dict.fromkeys((_METRICS.PdmDpiX, _METRICS.PdmDpiY), widget.logicalDpiX()),
            **dict.fromkeys((_METRICS.PdmPhysicalDpiX, _METRICS.PdmPhysicalDpiY), widget.logicalDpiX()),
        }

    def paintEngine(self) -> QPaintEngine:
        return self._engine

    def metric(self, metric: QPaintDevice.PaintDeviceMetric) -> int:
        return self._metrics.get(metric, 1)


def painted_texts(widget: QWidget) -> list[PaintedText]:
    """The texts that a widget and all in it paint now; those that are mostly cut off are left out."""
    screen, found = widget.grab().toImage(), []
    for part in [widget, *widget.findChildren(QWidget)]:
        if part.isVisible() and not part.visibleRegion().isEmpty():
            at = part.mapTo(widget, QPoint(0, 0))
            for text, ink, box in _written(part):
                place = box.toAlignedRect()
                seen = part.visibleRegion().intersected(place).boundingRect()
                if text.strip() and seen.width() * seen.height() > 0.6 * place.width() * place.height():
                    ground = most_frequent(screen, seen.translated(at))
                    found.append(PaintedText(text, _over(ink, ground), ground))
    return found


def _written(widget: QWidget) -> list[tuple[str, QColor, QRectF]]:
    """The texts of a widget without its children: with the pen, and in its own coordinates."""
    recorder = _Recorder()
    sheet = _Sheet(widget, recorder)  # the painter does not keep it
    painter = QPainter(sheet)
    widget.render(painter, QPoint(0, 0), QRegion(), QWidget.RenderFlag(0))
    painter.end()
    return recorder.found


def most_frequent(picture: QImage, place: QRect) -> str:
    """The colour that most pixels of a place have, as ``#rrggbb``."""
    points = ((x, y) for x in range(place.left(), place.right() + 1) for y in range(place.top(), place.bottom() + 1))
    return Counter(picture.pixelColor(x, y).name() for x, y in points).most_common(1)[0][0]


def _over(ink: QColor, ground: str) -> str:
    """What an ink that lets its ground through looks like on it."""
    below, share = QColor(ground), ink.alphaF()
    pairs = ((ink.redF(), below.redF()), (ink.greenF(), below.greenF()), (ink.blueF(), below.blueF()))
    return QColor.fromRgbF(*(a * share + b * (1 - share) for a, b in pairs)).name()
