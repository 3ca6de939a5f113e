"""What is painted over the mosaic's picture: the ground between tiles, what is written at them, and frames."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPainterPath, QPen
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from visualizer.ui.look.theme import current_theme
from visualizer.ui.panels.heads.layout import MODEL, ROLE, ROLE_NAMES, MosaicLayout
from visualizer.ui.panels.heads.tiles import Heads

BAR = 3.0


@dataclass(frozen=True)
class Placing:
    """Where the mosaic is seen: `area` of the widget shows the cells from `left` and `top` on, `scale` pixels each."""

    area: QRectF
    left: float
    top: float
    scale: tuple[float, float]

    def rect(self, cells: QRectF) -> QRectF:
        """Cells in logical pixels of the widget."""
        across, down = self.scale
        return QRectF(
            self.area.left() + (cells.left() - self.left) * across,
            self.area.top() + (cells.top() - self.top) * down,
            cells.width() * across,
            cells.height() * down,
        )


@dataclass(frozen=True)
class Look:
    """How the mosaic stands: the chosen head and whether it is held, the one pointed at, whether it has the focus."""

    current: int
    held: bool
    hovered: int | None
    focused: bool


@dataclass(frozen=True)
class ShownMosaic:
    """What lies where, in which order, and how it stands."""

    heads: Heads
    order: str
    layout: MosaicLayout
    placing: Placing
    look: Look
    font: QFont

    def rect(self, head: int) -> QRectF:
        """Where a head's tile is seen."""
        return self.placing.rect(self.layout.rect(head))


class Overlay(QGraphicsItem):
    """Paints `shown` by a function, within the mosaic's area; takes no mouse."""

    def __init__(self, draw: Callable[[QPainter, ShownMosaic], None], beyond: float = 0.0) -> None:
        super().__init__()
        self._draw, self._beyond = draw, beyond
        self._shown: ShownMosaic | None = None
        self._bounds = QRectF()

    def show_it(self, shown: ShownMosaic | None) -> None:
        """Paint something else, or nothing."""
        bounds = QRectF() if shown is None else shown.placing.area.adjusted(*(s * self._beyond for s in (-1, -1, 1, 1)))
        if bounds != self._bounds:
            self.prepareGeometryChange()
            self._bounds = bounds
        self._shown = shown
        self.update()

    # -- Qt

    def boundingRect(self) -> QRectF:
        return self._bounds

    def shape(self) -> QPainterPath:
        return QPainterPath()

    def paint(self, painter: QPainter, _option: QStyleOptionGraphicsItem, _widget: QWidget | None = None) -> None:
        if self._shown is not None:
            painter.save()
            painter.setClipRect(self._bounds)
            self._draw(painter, self._shown)
            painter.restore()


def draw_words(painter: QPainter, shown: ShownMosaic) -> None:
    """The ground between the tiles, and what is written at them."""
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(current_theme().panel))
    painter.drawRects([shown.placing.rect(gap) for gap in shown.layout.gaps])
    painter.setFont(shown.font)
    metrics, theme, heads = QFontMetricsF(shown.font), current_theme(), shown.heads
    if shown.order != MODEL:
        _write_scores(painter, shown, metrics)
    painter.setPen(QColor(theme.changed))
    for head, done in heads.intervened.items():
        _write_in_corner(painter, heads.count, shown.rect(head), metrics, (f"● {done}", "●"))
    painter.setPen(QColor(theme.masked_text))
    roles = list(ROLE_NAMES.values())
    for head in np.flatnonzero(heads.roles >= 0).tolist():
        if head not in heads.intervened:
            _write_in_corner(painter, heads.count, shown.rect(head), metrics, roles[heads.roles[head]])


def draw_frames(painter: QPainter, shown: ShownMosaic) -> None:
    """Around the chosen head, in the accent if it is held, and around the one pointed at."""
    theme, look = current_theme(), shown.look
    if look.current in shown.layout.places:
        rect = shown.rect(look.current)
        ink, width = (theme.accent, 2.0) if look.held else (theme.muted_text, 1.0)
        _frame(painter, rect.adjusted(-0.5, -0.5, 0.5, 0.5), ink, width)
        if look.focused:
            painter.setPen(QPen(QColor(theme.text), 1, Qt.PenStyle.DotLine))
            painter.drawRect(rect.adjusted(-3, -3, 3, 3))
    if look.hovered is not None:
        _frame(painter, shown.rect(look.hovered).adjusted(2, 2, -2, -2), theme.text, 1.0)


def _write_in_corner(painter: QPainter, count: int, rect: QRectF, metrics: QFontMetricsF, names: Sequence[str]) -> None:
    """The longest of the names for which the weights, up to the diagonal, leave room in the upper right corner."""
    line = metrics.height()
    # In the line's lower edge the weights reach this far in from the left.
    weights = (math.floor(line / rect.height() * count) + 1) * rect.width() / count
    room = rect.width() - weights - 2
    words = next((name for name in names if metrics.horizontalAdvance(name) <= room), "")
    painter.drawText(QRectF(rect.left(), rect.top(), rect.width() - 2, line), Qt.AlignmentFlag.AlignRight, words)


def _write_scores(painter: QPainter, shown: ShownMosaic, metrics: QFontMetricsF) -> None:
    """Headings, and under each tile block and head, the score as a number and as a bar."""
    theme, line = current_theme(), metrics.height()
    muted, text, rule = QColor(theme.muted_text), QColor(theme.text), QColor(theme.rule)
    painter.setPen(text)
    layout = shown.layout
    for heading, column, y, reach in layout.headings:
        place = shown.placing.rect(QRectF(column * layout.pitch, y, reach * layout.pitch, 1))
        heading = metrics.elidedText(heading, Qt.TextElideMode.ElideRight, place.width() - 4)
        painter.drawText(
            QRectF(place.left(), place.top() + 3, place.width(), line), Qt.AlignmentFlag.AlignLeft, heading
        )
    layers, per_layer = shown.heads.shape
    tile = layout.side * shown.placing.scale[0]
    named = tile >= metrics.horizontalAdvance(f"{layers - 1}.{per_layer - 1}")
    for head in layout.places:
        rect = shown.rect(head)
        words, score = caption(shown.heads, shown.order, head)
        if score is not None:
            bar = QRectF(rect.left(), rect.bottom() + 1, rect.width(), BAR)
            painter.fillRect(bar, rule)
            if not math.isnan(score):
                painter.fillRect(bar.adjusted(0, 0, rect.width() * (min(max(score, 0.0), 1.0) - 1), 0), muted)
        under = QRectF(rect.left(), rect.bottom() + BAR + 2, rect.width(), line)
        number = "" if score is None else "–" if math.isnan(score) else f"{score:.2f}"
        if named:
            painter.drawText(under, Qt.AlignmentFlag.AlignLeft, words)
        if metrics.horizontalAdvance(f"{words} 0.00") <= rect.width():
            painter.drawText(under, Qt.AlignmentFlag.AlignRight, number)


def caption(heads: Heads, order: str, head: int) -> tuple[str, float | None]:
    """What is written under a head's tile, and the score of its bar; None where the order has none to show."""
    place = divmod(head, heads.shape[1])
    words = f"{place[0]}.{place[1]}"
    if order == ROLE:
        role = heads.role(head)
        return words, None if role is None else role.score
    return words, float(heads.scores[order][place])


def _frame(painter: QPainter, rect: QRectF, color: str, width: float) -> None:
    """A frame with a halo in the panel's colour, to be seen on any tile."""
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for ink, line in ((current_theme().panel, width + 2), (color, width)):
        pen = QPen(QColor(ink), line)
        pen.setJoinStyle(Qt.PenJoinStyle.MiterJoin)
        painter.setPen(pen)
        painter.drawRect(rect)
