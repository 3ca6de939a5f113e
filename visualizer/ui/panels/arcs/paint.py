"""Painting attention as arcs: tokens, arcs as wide and solid as their weights, bars and numbers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QImage, QPainter, QPainterPath, QPen

from visualizer.session.analysis.arc_weights import Weights
from visualizer.session.words.numbers import short
from visualizer.ui.look.colors import STEPS, lookup_table
from visualizer.ui.look.theme import current_theme, drawn_font, token_color
from visualizer.ui.panels.arcs.line import SMALL, Line

WIDEST, NARROWEST = 6.0, 0.6  # pens for a weight of 1 and for the faintest
NUMBERED = 12  # arcs of the token pointed at that may have their number written

Arcs = Sequence[tuple[int, int, float]]


@dataclass(frozen=True)
class ArcsLook:
    """What is drawn and marked.

    Attributes:
        resting, pointed_at: the arcs of the chosen tokens or of all, and those of the token pointed at.
        chosen, key, pointed, cursor: the chosen tokens, the key, the token pointed at, the keyboard's.
        received: the bars' numbers; summary: what they add up.
        note: how much of all there is has an arc, or why nothing has.
    """

    resting: Arcs
    pointed_at: Arcs
    chosen: frozenset[int]
    key: int | None
    pointed: int | None
    cursor: int | None
    received: Sequence[float]
    summary: str
    note: str

    def involved(self) -> set[int] | None:
        """The tokens that the chosen ones, or the one pointed at, are about; None for all."""
        if self.pointed is None and not self.chosen:
            return None
        arcs = self.resting if self.pointed is None else self.pointed_at
        queries = self.chosen if self.pointed is None else {self.pointed}
        return {*queries, *self.chosen, *(key for _, key, _ in arcs)}


class ArcsPainter:
    """Draws the arcs of some weights on a line of tokens."""

    def __init__(self, weights: Weights, line: Line, font: QFont) -> None:
        self._weights, self._line = weights, line
        self._small = drawn_font(font.pointSizeF() * SMALL)
        self._metrics = QFontMetricsF(self._small)
        self._image: tuple[object, QImage] | None = None

    def paint(self, painter: QPainter, look: ArcsLook) -> None:
        """Everything, on a ground that is there already."""
        self._paint_arcs(painter, look.resting, faint=0.9)
        self._paint_rest(painter, look)

    def paint_kept(self, painter: QPainter, look: ArcsLook, size: QSize, ratio: float) -> None:
        """Everything and the ground; the arcs, which stay while one points, as a picture that is kept."""
        painter.drawImage(QPointF(0, 0), self._resting(look.resting, size, ratio))
        self._paint_rest(painter, look)

    def _resting(self, arcs: Arcs, size: QSize, ratio: float) -> QImage:
        key = (arcs, size.toTuple(), ratio, current_theme())
        if self._image is None or self._image[0] != key:
            image = QImage(size * ratio, QImage.Format.Format_RGB32)
            image.setDevicePixelRatio(ratio)
            image.fill(QColor(current_theme().panel))
            painter = QPainter(image)
            self._paint_arcs(painter, arcs, faint=0.9)
            painter.end()
            self._image = (key, image)
        return self._image[1]

    def _paint_rest(self, painter: QPainter, look: ArcsLook) -> None:
        line, theme = self._line, current_theme()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if look.pointed is not None:
            veil = QColor(theme.panel)
            veil.setAlpha(215)
            painter.fillRect(QRectF(0, 0, line.width, line.line), veil)
            self._paint_arcs(painter, look.pointed_at, faint=1.0)
            self._paint_numbers(painter, look.pointed_at[-NUMBERED:])
        self._paint_tokens(painter, look)
        self._paint_bars(painter, look)
        painter.setFont(self._small)
        painter.setPen(QColor(theme.muted_text))
        corner = QRectF(6, 3, line.width - 12, self._metrics.height())
        painter.drawText(corner, Qt.AlignmentFlag.AlignRight, look.note)
        corner.setRight(corner.right() - self._metrics.horizontalAdvance(look.note) - 12)
        words = self._metrics.elidedText(look.summary, Qt.TextElideMode.ElideRight, corner.width())
        painter.drawText(corner, Qt.AlignmentFlag.AlignLeft, words)

    # -- arcs

    def _color(self, query: int, weight: float) -> QColor:
        """A query's own hue; for differences the two ends of the diverging map."""
        if not self._weights.signed:
            return QColor(token_color(self._weights.tokens[query], current_theme()))
        table = lookup_table("diverging", current_theme()).argb
        return QColor.fromRgb(table[STEPS - 1 if weight > 0 else 0])

    def _paint_arcs(self, painter: QPainter, arcs: Arcs, faint: float) -> None:
        ground = QColor(current_theme().panel)
        widest = min(WIDEST, max(0.35 * self._line.pitch, 2.5))
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for query, key, weight in arcs:
            strength = min(abs(weight), 1.0)
            # Mixed with the ground here: Qt draws opaque curves five times faster than see-through ones.
            color = _mixed(self._color(query, weight), ground, faint * (0.4 + 0.6 * strength))
            pen = QPen(color, NARROWEST + (widest - NARROWEST) * strength)
            pen.setCapStyle(Qt.PenCapStyle.FlatCap)
            if weight < 0:
                pen.setStyle(Qt.PenStyle.DashLine)
            painter.setPen(pen)
            painter.drawPath(self._path(query, key))
        painter.restore()

    def _path(self, query: int, key: int) -> QPainterPath:
        """Half an ellipse from a query down to its key; a small loop where they are the same."""
        path, line = QPainterPath(), self._line
        if query == key:
            middle, width = line.centre(query), min(line.widths[query], 22.0) / 2
            path.moveTo(middle + width * 0.6, line.line)
            path.cubicTo(
                QPointF(middle + width * 1.6, line.line - line.loop),
                QPointF(middle - width * 1.6, line.line - line.loop),
                QPointF(middle - width * 0.6, line.line),
            )
            return path
        left, right = sorted((line.centre(query), line.centre(key)))
        height = line.rise(right - left)
        path.arcMoveTo(QRectF(left, line.line - height, right - left, 2 * height), 0)
        path.arcTo(QRectF(left, line.line - height, right - left, 2 * height), 0, 180)
        return path

    def _paint_numbers(self, painter: QPainter, arcs: Arcs) -> None:
        """The weight at the top of each arc, the strongest first, where none is written yet."""
        theme, line, high = current_theme(), self._line, self._metrics.height()
        painter.setFont(self._small)
        taken: list[QRectF] = []
        for query, key, weight in reversed(arcs):
            rise = line.loop * 0.75 if query == key else line.rise(abs(line.centre(query) - line.centre(key)))
            words = _narrow(weight, self._weights.signed)
            width = self._metrics.horizontalAdvance(words) + 4
            middle = (line.centre(query) + line.centre(key)) / 2
            box = QRectF(middle - width / 2, line.line - rise - high / 2, width, high)
            if any(box.intersects(other) for other in taken):
                continue
            taken.append(box)
            ground = QColor(theme.panel)
            ground.setAlpha(225)
            painter.fillRect(box, ground)
            painter.setPen(QColor(theme.text))
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, words)

    # -- tokens and bars

    def _paint_tokens(self, painter: QPainter, look: ArcsLook) -> None:
        line, theme = self._line, current_theme()
        involved = look.involved()
        boxed = min(line.widths, default=0.0) >= 12.0 and not line.upright
        painter.setFont(line.font)
        for place in line.visible():
            rect = line.token_rect(place).adjusted(0.5, 1, -0.5, -1)
            faded = involved is not None and place not in involved
            hue = QColor(token_color(self._weights.tokens[place], theme))
            fill = QColor(hue)
            fill.setAlpha(20 if faded else 60)
            painter.setPen(QPen(hue, 1) if boxed and not faded else Qt.PenStyle.NoPen)
            painter.setBrush(fill)
            painter.drawRoundedRect(rect, 3, 3)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            if place in look.chosen:
                painter.setPen(QPen(QColor(theme.accent), 2))
                painter.drawRoundedRect(rect, 3, 3)
            if place == look.pointed:
                painter.setPen(QPen(QColor(theme.text), 1))
                painter.drawRoundedRect(rect.adjusted(2, 2, -2, -2) if boxed else rect, 2, 2)
            if place == look.cursor:
                painter.setPen(QPen(QColor(theme.text), 1, Qt.PenStyle.DotLine))
                painter.drawRect(rect.adjusted(2.5, 2.5, -2.5, -2.5) if boxed else rect)
        first = [place for place in (look.pointed, look.cursor, *sorted(look.chosen)) if place is not None]
        for place in written_tokens(line, [*first, *sorted(involved or ())], self._metrics.height()):
            faded = involved is not None and place not in involved
            painter.setPen(QColor(theme.muted_text if faded else theme.text))
            self._write(painter, line.token_rect(place), line.labels[place])
        if line.ruler:
            self._paint_ruler(painter)

    def _write(self, painter: QPainter, rect: QRectF, label: str) -> None:
        if not self._line.upright:
            painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, label)
            return
        painter.save()
        painter.translate(rect.center().x(), rect.top())
        painter.rotate(90)
        high = self._metrics.height()
        words = self._metrics.elidedText(label, Qt.TextElideMode.ElideRight, rect.height() - 4)
        painter.drawText(QRectF(4, -high / 2, rect.height(), high), Qt.AlignmentFlag.AlignVCenter, words)
        painter.restore()

    def _paint_ruler(self, painter: QPainter) -> None:
        """Every so many-th position, below tokens that are written without theirs."""
        line = self._line
        room = self._metrics.horizontalAdvance(str(len(line.labels))) + 6
        steps = (step * 10**power for power in range(9) for step in (1, 2, 5))
        every = next(step for step in steps if step * line.pitch >= room)
        painter.setPen(QColor(current_theme().muted_text))
        for place in line.visible():
            if place % every == 0:
                box = QRectF(line.centre(place) - room / 2, line.line + line.token, room, line.ruler)
                painter.drawText(box, Qt.AlignmentFlag.AlignCenter, str(place))

    def _paint_bars(self, painter: QPainter, look: ArcsLook) -> None:
        """Hanging from each token what it receives, the longest bar for the largest weight or 1; numbers below."""
        line, theme, high = self._line, current_theme(), self._metrics.height()
        signed, received = self._weights.signed, look.received
        finite = [abs(number) for number in received if math.isfinite(number)]
        largest = max([*finite, 0.0 if signed else 1.0], default=1.0) or 1.0
        for place in line.visible():
            number, rect = received[place], line.bar_rect(place)
            room = max(rect.height() - high - 4, 4.0)
            tall = room * abs(number) / largest if math.isfinite(number) else 0.0
            if tall >= 0.5:
                color = self._color(place, number) if signed else QColor(theme.muted_text)
                width = min(max(rect.width() - 4, 3.0), 26.0)
                bar = QRectF(rect.center().x() - width / 2, rect.top() + 2, width, tall)
                painter.setPen(QPen(color, 1))
                painter.setBrush(Qt.BrushStyle.NoBrush if number < 0 else color)
                painter.drawRect(bar.adjusted(0.5, 0.5, -0.5, -0.5))
            if place == look.key:
                painter.setPen(QPen(QColor(theme.accent), 2))
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.drawRect(QRectF(rect.left() + 1, rect.top() + 2, rect.width() - 2, room))
        self._paint_sums(painter, [place for place in line.visible() if not abs(received[place]) < 0.005], received)

    def _paint_sums(self, painter: QPainter, places: list[int], received: Sequence[float]) -> None:
        """The bars' numbers, NaN and the largest first, where there is room."""
        line, high = self._line, self._metrics.height()
        painter.setFont(self._small)
        painter.setPen(QColor(current_theme().text))
        taken: list[QRectF] = []
        size = {place: abs(received[place]) if math.isfinite(received[place]) else math.inf for place in places}
        for place in sorted(places, key=lambda place: -size[place]):
            words = _narrow(received[place], self._weights.signed)
            wide = self._metrics.horizontalAdvance(words)
            left = min(max(line.centre(place) - wide / 2, 1.0), line.width - wide - 2)
            box = QRectF(left, line.bottom - high, wide + 1, high)
            if not any(box.adjusted(-2, 0, 2, 0).intersects(other) for other in taken):
                taken.append(box)
                painter.drawText(box, Qt.AlignmentFlag.AlignLeft, words)


def written_tokens(line: Line, first: Iterable[int], high: float) -> list[int]:
    """The tokens whose words, each `high`, do not collide: those that come `first`, then every so many-th."""
    visible = line.visible()
    if not line.upright:
        return list(visible)
    every = max(1, math.ceil(high / line.pitch))
    written: dict[int, None] = {}
    for place in (*first, *(place for place in visible if place % every == 0), *visible):
        if place in visible and written.keys().isdisjoint(range(place - every + 1, place + every)):
            written[place] = None
    return list(written)


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
