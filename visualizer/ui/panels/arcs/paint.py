"""Painting attention as arcs: tokens, arcs as wide and solid as their weights, bars and numbers."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QImage, QPainter, QPainterPath, QPen

from visualizer.session.analysis.arc_weights import FAINTEST, Weights
from visualizer.session.words.numbers import short
from visualizer.ui.look.colors import STEPS, lookup_table
from visualizer.ui.look.theme import current_theme, number_font, token_color

MOST_ARCS = 300
MOST_QUERIES = 128  # of more chosen tokens than this, only those in view have arcs
WIDEST, NARROWEST = 6.0, 0.6  # pens for a weight of 1 and for the faintest
LABELLED = 8  # arcs of the token pointed at that have their number written
MARGIN = 6.0
_CENTRED = int(Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap)


@dataclass(frozen=True)
class Places:
    """Where things lie, in logical pixels.

    Attributes:
        lefts, widths: of the tokens, before they are moved by `offset`.
        width: of the widget; bottom: where the room for bars ends.
        line: the upper edge of the tokens; token: their height.
    """

    lefts: Sequence[float]
    widths: Sequence[float]
    offset: float
    width: float
    bottom: float
    line: float
    token: float

    def left(self, place: int) -> float:
        """A token's left edge on the widget."""
        return self.lefts[place] + self.offset

    def centre(self, place: int) -> float:
        """A token's middle on the widget."""
        return self.left(place) + self.widths[place] / 2

    def visible(self) -> range:
        """The tokens that lie at least partly on the widget."""
        first = max(bisect_right(self.lefts, -self.offset) - 1, 0)
        return range(first, bisect_right(self.lefts, self.width - self.offset))


@dataclass(frozen=True)
class Look:
    """What is marked: the chosen tokens, the key, the token pointed at, the keyboard's; the bars' numbers and words."""

    names: tuple[str, ...]
    chosen: frozenset[int]
    key: int | None
    pointed: int | None
    cursor: int | None
    received: tuple[float, ...]
    summary: str


class ArcsPainter:
    """Draws arcs with one font; what does not change while pointing is kept as a picture."""

    def __init__(self, font: QFont) -> None:
        self._usual = self._font = number_font(font.pointSizeF())
        self._small = number_font(font.pointSizeF() * 0.8)
        self._metrics, self._small_metrics = QFontMetricsF(self._font), QFontMetricsF(self._small)
        self._image: tuple[object, QImage] | None = None

    def set_dense(self, dense: bool) -> None:
        """Write the tokens in the small font, or in the usual one."""
        self._font = self._small if dense else self._usual
        self._metrics = QFontMetricsF(self._font)

    def token_metrics(self) -> QFontMetricsF:
        """How wide tokens are."""
        return self._metrics

    def places(
        self, lefts: Sequence[float], widths: Sequence[float], offset: float, width: float, bottom: float
    ) -> Places:
        """Arcs get what tokens, bars and numbers leave."""
        token = self._metrics.height() + 6
        bars = min(max((bottom - token) * 0.3, 36.0), 90.0)
        return Places(lefts, widths, offset, width, bottom, max(bottom - token - bars, 0.0), token)

    def paint_message(self, painter: QPainter, rect: QRectF, words: str) -> None:
        """The empty state."""
        painter.fillRect(rect, QColor(current_theme().panel))
        painter.setPen(QColor(current_theme().muted_text))
        painter.drawText(rect.adjusted(8, 8, -8, -8), _CENTRED, words)

    def paint(self, painter: QPainter, size: QSize, weights: Weights, places: Places, look: Look, ratio: float) -> None:
        """Everything."""
        theme = current_theme()
        painter.drawImage(QPointF(0, 0), self._resting(size, weights, places, look, ratio))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if look.pointed is not None:
            veil = QColor(theme.panel)
            veil.setAlpha(215)
            painter.fillRect(QRectF(0, 0, size.width(), places.line), veil)
            arcs = weights.strongest([look.pointed], MOST_ARCS)
            self._paint_arcs(painter, weights, places, arcs, faint=1.0)
            self._paint_numbers(painter, weights, places, arcs[-LABELLED:])
        for place in places.visible():
            self._paint_token(painter, weights, places, look, place)
        self._paint_bars(painter, weights, places, look)
        painter.setFont(self._small)
        painter.setPen(QColor(theme.muted_text))
        corner = QRectF(6, 3, size.width() - 12, self._small_metrics.height())
        painter.drawText(corner, Qt.AlignmentFlag.AlignLeft, f"weights {look.summary}")

    def _resting(self, size: QSize, weights: Weights, places: Places, look: Look, ratio: float) -> QImage:
        """The ground and the arcs of the chosen tokens, or of all in view."""
        key = (weights, size.toTuple(), places, look.chosen, ratio, current_theme())
        if self._image is None or self._image[0] != key:
            image = QImage(size * ratio, QImage.Format.Format_RGB32)
            image.setDevicePixelRatio(ratio)
            image.fill(QColor(current_theme().panel))
            queries = sorted(look.chosen)
            if not 0 < len(queries) <= MOST_QUERIES:
                queries = [place for place in places.visible() if not queries or place in look.chosen]
            painter = QPainter(image)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            arcs = weights.strongest(queries, MOST_ARCS)
            self._paint_arcs(painter, weights, places, arcs, faint=0.85)
            if not arcs:
                painter.setPen(QColor(current_theme().muted_text))
                words = f"No weight differs by {FAINTEST} or more." if weights.signed else "No weight can be drawn."
                painter.drawText(QRectF(8, 0, size.width() - 16, places.line), _CENTRED, words)
            painter.end()
            self._image = (key, image)
        return self._image[1]

    # -- arcs

    def _color(self, weights: Weights, query: int, weight: float) -> QColor:
        """A query's own hue; for differences the two ends of the diverging map."""
        if not weights.signed:
            return QColor(token_color(weights.tokens[query], current_theme()))
        table = lookup_table("diverging", current_theme()).argb
        return QColor.fromRgb(table[STEPS - 1 if weight > 0 else 0])

    def _paint_arcs(
        self,
        painter: QPainter,
        weights: Weights,
        places: Places,
        arcs: Sequence[tuple[int, int, float]],
        faint: float,
    ) -> None:
        ground = QColor(current_theme().panel)
        painter.save()
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for query, key, weight in arcs:
            strength = min(abs(weight), 1.0)
            # Mixed with the ground here: Qt draws opaque curves five times faster than see-through ones.
            color = _mixed(self._color(weights, query, weight), ground, faint * (0.15 + 0.85 * strength))
            pen = QPen(color, NARROWEST + (WIDEST - NARROWEST) * strength)
            pen.setCapStyle(Qt.PenCapStyle.FlatCap)
            if weight < 0:
                pen.setStyle(Qt.PenStyle.DashLine)
            painter.setPen(pen)
            painter.drawPath(self._path(places, query, key))
        painter.restore()

    def _path(self, places: Places, query: int, key: int) -> QPainterPath:
        """Half an ellipse from a query down to its key; a small loop where they are the same."""
        path = QPainterPath()
        if query == key:
            middle, width = places.centre(query), min(places.widths[query], 22.0) / 2
            path.moveTo(middle + width * 0.6, places.line)
            path.cubicTo(
                QPointF(middle + width * 1.6, places.line - self._loop(places)),
                QPointF(middle - width * 1.6, places.line - self._loop(places)),
                QPointF(middle - width * 0.6, places.line),
            )
            return path
        left, right = sorted((places.centre(query), places.centre(key)))
        height = self._height(places, right - left)
        path.arcMoveTo(QRectF(left, places.line - height, right - left, 2 * height), 0)
        path.arcTo(QRectF(left, places.line - height, right - left, 2 * height), 0, 180)
        return path

    def _loop(self, places: Places) -> float:
        return min(24.0, places.line * 0.5)

    def _height(self, places: Places, distance: float) -> float:
        """How high an arc rises: near ones grow with distance, far ones approach the upper edge."""
        room = max(places.line - MARGIN - WIDEST / 2 - self._small_metrics.height(), 4.0)
        return room * (1 - math.exp(-distance / 2 / room)) if room > 4 else room

    def _paint_numbers(
        self, painter: QPainter, weights: Weights, places: Places, arcs: Sequence[tuple[int, int, float]]
    ) -> None:
        """The weight at the top of each arc, the strongest first, where none is written yet."""
        theme, line = current_theme(), self._small_metrics.height()
        painter.setFont(self._small)
        taken: list[QRectF] = []
        for query, key, weight in reversed(arcs):
            distance = abs(places.centre(query) - places.centre(key))
            rise = self._loop(places) * 0.75 if query == key else self._height(places, distance)
            words = _narrow(weight, weights.signed)
            width = self._small_metrics.horizontalAdvance(words) + 4
            middle = (places.centre(query) + places.centre(key)) / 2
            box = QRectF(middle - width / 2, places.line - rise - line / 2, width, line)
            if any(box.intersects(other) for other in taken):
                continue
            taken.append(box)
            ground = QColor(theme.panel)
            ground.setAlpha(225)
            painter.fillRect(box, ground)
            painter.setPen(QColor(theme.text))
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, words)

    # -- tokens and bars

    def _paint_token(self, painter: QPainter, weights: Weights, places: Places, look: Look, place: int) -> None:
        theme = current_theme()
        rect = QRectF(places.left(place), places.line, places.widths[place], places.token).adjusted(0.5, 1, -0.5, -1)
        hue = QColor(token_color(weights.tokens[place], theme))
        fill = QColor(hue)
        fill.setAlpha(60)
        painter.setBrush(fill)
        chosen = place in look.chosen
        painter.setPen(QPen(QColor(theme.accent), 2) if chosen else QPen(hue, 1))
        painter.drawRoundedRect(rect, 3, 3)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        if place == look.pointed:
            painter.setPen(QPen(QColor(theme.text), 1))
            painter.drawRoundedRect(rect.adjusted(2, 2, -2, -2), 2, 2)
        if place == look.cursor:
            painter.setPen(QPen(QColor(theme.text), 1, Qt.PenStyle.DotLine))
            painter.drawRect(rect.adjusted(2.5, 2.5, -2.5, -2.5))
        painter.setPen(QColor(theme.text))
        painter.setFont(self._font)
        painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, look.names[place])

    def _paint_bars(self, painter: QPainter, weights: Weights, places: Places, look: Look) -> None:
        """Hanging from each token what it receives, the longest bar for the largest weight or 1; numbers below."""
        theme, line = current_theme(), self._small_metrics.height()
        top = places.line + places.token + 2
        room = max(places.bottom - top - line - 2, 4.0)
        finite = [abs(number) for number in look.received if math.isfinite(number)]
        largest = max([*finite, 0.0 if weights.signed else 1.0], default=1.0) or 1.0
        painter.setFont(self._small)
        end = -math.inf
        for place in places.visible():
            number, middle = look.received[place], places.centre(place)
            width = min(places.widths[place] - 4, 26.0)
            if math.isfinite(number) and number:
                color = self._color(weights, place, number) if weights.signed else QColor(theme.muted_text)
                bar = QRectF(middle - width / 2, top, width, max(room * abs(number) / largest, 1.0))
                painter.setPen(QPen(color, 1))
                painter.setBrush(Qt.BrushStyle.NoBrush if number < 0 else color)
                painter.drawRect(bar.adjusted(0.5, 0.5, -0.5, -0.5))
            if place == look.key:
                painter.setPen(QPen(QColor(theme.accent), 2))
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.drawRect(QRectF(places.left(place) + 1, top, places.widths[place] - 2, room))
            if not math.isfinite(number) or abs(number) >= 0.005:
                words = _narrow(number, weights.signed)
                wide = self._small_metrics.horizontalAdvance(words)
                if middle - wide / 2 > end + 2:
                    painter.setPen(QColor(theme.text))
                    box = QRectF(middle - wide / 2, places.bottom - line, wide + 1, line)
                    painter.drawText(box, Qt.AlignmentFlag.AlignLeft, words)
                    end = middle + wide / 2


def _mixed(color: QColor, ground: QColor, share: float) -> QColor:
    """So much of a colour, the rest of it the ground's."""
    return QColor.fromRgbF(
        ground.redF() + (color.redF() - ground.redF()) * share,
        ground.greenF() + (color.greenF() - ground.greenF()) * share,
        ground.blueF() + (color.blueF() - ground.blueF()) * share,
    )


def _narrow(number: float, signed: bool) -> str:
    """A weight with few characters: ``0.5``, ``1``, ``2.7``, ``−0.07``; differences with their sign."""
    return ("+" if signed and number > 0 else "") + short(round(number, 2) if abs(number) < 1 else number, 2)
