"""Painting the mosaic of heads: tiles, what is written at them, and frames."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypedDict

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QImage, QPainter, QPen

from visualizer.engine.head_scores import main_role
from visualizer.ui.heatmap.image import indexed_image
from visualizer.ui.look.colors import STEPS, lookup_table
from visualizer.ui.look.theme import current_theme, number_font
from visualizer.ui.panels.heads.layout import MODEL, ROLE, ROLE_NAMES, SMALLEST_SIDE, MosaicLayout
from visualizer.ui.panels.heads.tiles import Heads, tile_indices

GROUND = STEPS + 4  # the one place that is left in a table of 256 colours
BAR = 3.0
_CENTRED = int(Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap)


class Margins(TypedDict):
    """The room that is kept for words, in logical pixels, as `arrange` takes it."""

    left: float
    top: float
    caption: float
    heading: float
    smallest: float


@dataclass(frozen=True)
class Look:
    """How the mosaic stands: the order, the chosen head and whether it is held, the one pointed at, the focus."""

    order: str
    current: int
    held: bool
    hovered: int | None
    focused: bool


def caption(heads: Heads, order: str, head: int) -> tuple[str, float | None]:
    """What is written under a head's tile, and the score of its bar; None where the order has none to show."""
    place = divmod(head, heads.shape[1])
    words = f"{place[0]}.{place[1]}"
    if order == ROLE:
        role = main_role(heads.scores, *place)
        return words, None if role is None else role.score
    return words, float(heads.scores[order][place])


class MosaicPainter:
    """Draws the mosaic with one font; the picture is kept while pass, size, order and theme stay."""

    def __init__(self, font: QFont) -> None:
        self._small = number_font(font.pointSizeF() * 0.85)
        self._metrics = QFontMetricsF(self._small)
        self._image: tuple[object, QImage] | None = None

    def margins(self, heads: Heads, order: str) -> Margins:
        """The room for words in an order."""
        line, (layers, per_layer) = self._metrics.height(), heads.shape
        heading = line + 6
        if order == MODEL:
            left = self._metrics.horizontalAdvance(f"block {layers - 1}") + 10
            return {"left": left, "top": line + 4, "caption": 0.0, "heading": heading, "smallest": SMALLEST_SIDE}
        name = self._metrics.horizontalAdvance(f"{layers - 1}.{per_layer - 1}")
        return {
            "left": 4.0,
            "top": 4.0,
            "caption": line + BAR + 3,
            "heading": heading,
            "smallest": max(SMALLEST_SIDE, name),
        }

    def paint(
        self, painter: QPainter, size: QSize, heads: Heads, layout: MosaicLayout, look: Look, ratio: float
    ) -> None:
        """The picture, the ground around it, and the frames."""
        theme = current_theme()
        image = self._picture(heads, layout, look.order, ratio)
        painter.drawImage(QPointF(0, 0), image)
        painted = image.deviceIndependentSize()
        painter.fillRect(QRectF(painted.width(), 0, size.width(), size.height()), QColor(theme.panel))
        painter.fillRect(QRectF(0, painted.height(), size.width(), size.height()), QColor(theme.panel))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        if look.current in layout.places:
            rect = layout.rect(look.current).adjusted(-0.5, -0.5, 0.5, 0.5)
            self._frame(painter, rect, *((theme.accent, 2.0) if look.held else (theme.muted_text, 1.0)))
            if look.focused:
                painter.setPen(QPen(QColor(theme.text), 1, Qt.PenStyle.DotLine))
                painter.drawRect(rect.adjusted(-2.5, -2.5, 2.5, 2.5))
        if look.hovered is not None and look.hovered in layout.places:
            self._frame(painter, layout.rect(look.hovered).adjusted(2, 2, -2, -2), theme.text, 1.0)

    def paint_message(self, painter: QPainter, rect: QRectF, words: str) -> None:
        """The empty state."""
        painter.fillRect(rect, QColor(current_theme().panel))
        painter.setPen(QColor(current_theme().muted_text))
        painter.drawText(rect.adjusted(8, 8, -8, -8), _CENTRED, words)

    def _picture(self, heads: Heads, layout: MosaicLayout, order: str, ratio: float) -> QImage:
        theme = current_theme()
        key = (heads, layout, theme, ratio)
        if self._image is None or self._image[0] != key:
            table = lookup_table("diverging" if heads.signed else "sequential", theme)
            side = max(1, round(layout.side * ratio))
            tiles = tile_indices(heads, side)
            shape = (round(layout.height * ratio) + 1, round(layout.width * ratio) + 1)
            canvas = np.full(shape, GROUND, dtype=np.uint8)
            for head in layout.places:
                rect = layout.rect(head)
                x, y = round(rect.left() * ratio), round(rect.top() * ratio)
                canvas[y : y + side, x : x + side] = tiles[head]
            image = indexed_image(canvas, (*table.argb, QColor(theme.panel).rgb()))
            image.setDevicePixelRatio(ratio)
            painter = QPainter(image)
            painter.setFont(self._small)
            if order == MODEL:
                self._write_numbers(painter, heads, layout)
                self._write_roles(painter, heads, layout)
            else:
                self._write_scores(painter, heads, layout, order)
            self._mark_intervened(painter, heads, layout)
            painter.end()
            self._image = (key, image)
        return self._image[1]

    # -- what is written

    def _write_numbers(self, painter: QPainter, heads: Heads, layout: MosaicLayout) -> None:
        """Blocks down the side, heads along the top."""
        layers, per_layer = heads.shape
        line, right = self._metrics.height(), Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        painter.setPen(QColor(current_theme().muted_text))
        wide = self._metrics.horizontalAdvance(f"head {per_layer - 1}") <= layout.side
        if not wide:
            painter.drawText(QRectF(0, 1, layout.left - 6, line), right, "head")
        for head in range(per_layer):
            words = f"head {head}" if wide else str(head)
            painter.drawText(
                QRectF(layout.rect(head).left(), 1, layout.side, line), Qt.AlignmentFlag.AlignCenter, words
            )
        for layer in range(layers):
            y = layout.rect(layer * per_layer).top()
            painter.drawText(QRectF(0, y, layout.left - 6, layout.side), right, f"block {layer}")

    def _write_roles(self, painter: QPainter, heads: Heads, layout: MosaicLayout) -> None:
        """What a head mainly does, in the corner of its tile where there are no weights."""
        painter.setPen(QColor(current_theme().masked_text))
        for head in layout.places:
            role = main_role(heads.scores, *divmod(head, heads.shape[1]))
            if role is not None and head not in heads.intervened:
                self._write_in_corner(painter, heads, layout.rect(head), ROLE_NAMES[role.name])

    def _mark_intervened(self, painter: QPainter, heads: Heads, layout: MosaicLayout) -> None:
        """What is done to a head, in the same corner and in the colour of changes."""
        painter.setPen(QColor(current_theme().changed))
        for head in layout.places:
            if head in heads.intervened:
                self._write_in_corner(painter, heads, layout.rect(head), (f"● {heads.intervened[head]}", "●"))

    def _write_in_corner(self, painter: QPainter, heads: Heads, rect: QRectF, names: Sequence[str]) -> None:
        """The longest of the names for which the weights leave room."""
        line = self._metrics.height()
        # In the line's lower edge the weights reach this far in from the left.
        weights = (math.floor(line / rect.height() * heads.count) + 1) * rect.width() / heads.count
        room = rect.width() - weights - 2
        words = next((name for name in names if self._metrics.horizontalAdvance(name) <= room), "")
        painter.drawText(QRectF(rect.left(), rect.top(), rect.width() - 2, line), Qt.AlignmentFlag.AlignRight, words)

    def _write_scores(self, painter: QPainter, heads: Heads, layout: MosaicLayout, order: str) -> None:
        """Block and head, the score as a number and as a bar, under each tile."""
        theme, line = current_theme(), self._metrics.height()
        muted, text, rule = QColor(theme.muted_text), QColor(theme.text), QColor(theme.rule)
        painter.setPen(text)
        for heading, y in layout.headings:
            painter.drawText(QRectF(layout.left, y + 3, layout.width, line), Qt.AlignmentFlag.AlignLeft, heading)
        for head in layout.places:
            words, score = caption(heads, order, head)
            rect = layout.rect(head)
            if score is not None:
                bar = QRectF(rect.left(), rect.bottom() + 1, rect.width(), BAR)
                painter.fillRect(bar, rule)
                if not math.isnan(score):
                    painter.fillRect(bar.adjusted(0, 0, rect.width() * (min(max(score, 0.0), 1.0) - 1), 0), muted)
            under = QRectF(rect.left(), rect.bottom() + BAR + 2, rect.width(), line)
            painter.drawText(under, Qt.AlignmentFlag.AlignLeft, words)
            number = "" if score is None else "–" if math.isnan(score) else f"{score:.2f}"
            if self._metrics.horizontalAdvance(f"{words} {number}") <= rect.width():
                painter.drawText(under, Qt.AlignmentFlag.AlignRight, number)

    def _frame(self, painter: QPainter, rect: QRectF, color: str, width: float) -> None:
        """A frame with a halo in the panel's colour, to be seen on any tile."""
        for ink, line in ((current_theme().panel, width + 2), (color, width)):
            pen = QPen(QColor(ink), line)
            pen.setJoinStyle(Qt.PenJoinStyle.MiterJoin)
            painter.setPen(pen)
            painter.drawRect(rect)
