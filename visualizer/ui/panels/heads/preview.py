"""One head close up: its pattern large, and how much it does of what heads are known to do."""

from __future__ import annotations

import math

import numpy as np
from PySide6.QtCore import QEvent, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from visualizer.engine.head_scores import SCORES, main_role
from visualizer.session.words.axis_labels import visible_label
from visualizer.session.words.numbers import MINUS, short
from visualizer.ui.heatmap.image import indexed_image
from visualizer.ui.look.colors import STEPS, lookup_table
from visualizer.ui.look.theme import current_theme, number_font
from visualizer.ui.panels.heads.layout import ROLE_NAMES
from visualizer.ui.panels.heads.tiles import Heads, tile_indices

SMALLEST_CELL = 11.0  # logical pixels, for tokens to be written beside the rows and columns
GAP = 8.0


class HeadPreview(QWidget):
    """Name, pattern and scores of one head; beside each other where it is wider than high."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("headPreview")
        self.setAccessibleName("One head")
        self._heads: Heads | None = None
        self._head = 0
        self._tokens: list[str] = []
        self._image: tuple[object, QImage] | None = None

    @property
    def head(self) -> int:
        """Which head is shown, as layer · heads + head."""
        return self._head

    def set_head(self, heads: Heads | None, head: int) -> None:
        """Show one of these heads, its tokens beside rows and columns where there is room."""
        if (heads, head) != (self._heads, self._head):
            self._heads, self._head, self._image = heads, head, None
            self._tokens = [] if heads is None else [visible_label(token) for token in heads.labels]
            self.setAccessibleDescription(" ".join(self.words()))
            self.update()

    def words(self) -> tuple[str, str]:
        """The head's name, and what it mainly does."""
        if self._heads is None:
            return "", ""
        layer, number = divmod(self._head, self._heads.shape[1])
        role = main_role(self._heads.scores, layer, number)
        what = "does nothing clear" if role is None else f"mainly {ROLE_NAMES[role.name][0]} {short(role.score)}"
        return f"block {layer} · head {number}", what

    def score_rows(self) -> list[tuple[str, float, float]]:
        """Name and value of each score, and its difference from the baseline's; NaN where there is none."""
        if self._heads is None:
            return []
        place = divmod(self._head, self._heads.shape[1])
        scores, changes = self._heads.scores, self._heads.changes
        return [(ROLE_NAMES[name][0], float(scores[name][place]), float(changes[name][place])) for name in SCORES]

    def notes(self) -> list[str]:
        """What has to be known to read the picture and the scores."""
        heads = self._heads
        if heads is None:
            return []
        notes = []
        if self._head in heads.intervened:
            notes.append(f"{heads.intervened[self._head]} by an intervention")
        cells = heads.tiles.shape[-1]
        if cells < heads.count:
            each = -(-heads.count // cells)
            notes.append(f"each cell: the largest of {each}×{each} weights")
        if not heads.detector.defined("previous_token"):
            notes.append("scores need two tokens or more")
        elif not heads.detector.defined("duplicate_token"):
            notes.append("– no token comes twice in this text")
        return notes

    def sizeHint(self) -> QSize:
        return QSize(210, 320)

    # -- drawing

    def _picture(self, heads: Heads, side: int) -> QImage:
        key = (heads, self._head, side, current_theme())
        if self._image is None or self._image[0] != key:
            table = lookup_table("diverging" if heads.signed else "sequential", current_theme())
            self._image = (key, indexed_image(tile_indices(heads, side, (self._head,))[0], table.argb))
        return self._image[1]

    def paintEvent(self, event: QPaintEvent) -> None:
        heads = self._heads
        if heads is None:
            return
        painter = QPainter(self)
        font, small = number_font(), number_font(self.font().pointSizeF() * 0.85)
        line = QFontMetricsF(small).height()
        beside = self.width() > self.height() * 1.2
        texts = 2 * line + 10 + (len(SCORES) + len(self.notes())) * (line + 3)
        if beside:
            side = min(self.height() - line - 12.0, self.width() - 190.0)
            text_left, text_top, text_width = side + 2 * GAP, 0.0, self.width() - side - 3 * GAP
        else:
            side = min(self.width() - GAP, self.height() - texts - line - 16.0)
            text_left, text_top, text_width = 0.0, side + line + 12.0, self.width() - GAP
        if side >= 24:
            self._paint_pattern(painter, heads, side, small)
        else:
            text_left, text_top, text_width = 0.0, 0.0, self.width() - GAP
        self._paint_texts(painter, QRectF(text_left, text_top, text_width, 0), font, small)
        painter.end()

    def _paint_pattern(self, painter: QPainter, heads: Heads, side: float, small: QFont) -> None:
        theme = current_theme()
        painter.setFont(small)
        metrics = QFontMetricsF(small)
        named = len(self._tokens) == heads.count and side / heads.count >= SMALLEST_CELL + 2
        margin = 0.0
        if named:
            margin = min(max(map(metrics.horizontalAdvance, self._tokens)) + 4, side / 3)
        top = metrics.height() if named else 0.0
        inner = float(int(side - max(margin, top)))
        ratio = self.devicePixelRatioF()
        area = QRectF(margin, top, inner, inner)
        painter.drawImage(area, self._picture(heads, max(1, round(inner * ratio))))
        painter.setPen(QColor(theme.muted_text))
        if named:
            cell = inner / heads.count
            for i, token in enumerate(self._tokens):
                words = metrics.elidedText(token, Qt.TextElideMode.ElideRight, margin - 3)
                row = QRectF(0, area.top() + i * cell, margin - 3, cell)
                painter.drawText(row, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, words)
                words = metrics.elidedText(token, Qt.TextElideMode.ElideRight, cell)
                painter.drawText(QRectF(area.left() + i * cell, 0, cell, top), Qt.AlignmentFlag.AlignCenter, words)
        self._paint_scale(painter, heads, QRectF(area.left(), area.bottom() + 4, inner, metrics.height()))

    def _paint_scale(self, painter: QPainter, heads: Heads, rect: QRectF) -> None:
        """A narrow ramp with its two ends."""
        low, high = (short(-heads.limit), short(heads.limit)) if heads.signed else ("0", "1")
        metrics = painter.fontMetrics()
        left, right = metrics.horizontalAdvance(low) + 5, metrics.horizontalAdvance(high) + 5
        table = lookup_table("diverging" if heads.signed else "sequential", current_theme())
        ramp = indexed_image(np.arange(STEPS, dtype=np.uint8)[None], table.argb)
        middle = rect.center().y()
        painter.drawImage(QRectF(rect.left() + left, middle - 3, max(rect.width() - left - right, 0), 6), ramp)
        painter.drawText(rect, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, low)
        painter.drawText(rect, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, high)

    def _paint_texts(self, painter: QPainter, rect: QRectF, font: QFont, small: QFont) -> None:
        theme = current_theme()
        name, what = self.words()
        bold = QFont(font)
        bold.setBold(True)
        line = QFontMetricsF(small).height()
        y = rect.top()
        for words, ink, face in ((name, theme.text, bold), (what, theme.text, small)):
            painter.setFont(face)
            painter.setPen(QColor(ink))
            height = QFontMetricsF(face).height()
            painter.drawText(QRectF(rect.left(), y, rect.width(), height), Qt.AlignmentFlag.AlignLeft, words)
            y += height + 2
        y += 4
        widest = QFontMetricsF(small).horizontalAdvance("duplicate token ")
        compared = self._heads is not None and self._heads.signed
        number = QFontMetricsF(small).horizontalAdvance("0.000 (Δ −0.000) " if compared else "0.000 ")
        painter.setFont(small)
        for words, score, change in self.score_rows():
            painter.setPen(QColor(theme.muted_text))
            painter.drawText(QRectF(rect.left(), y, widest, line), Qt.AlignmentFlag.AlignLeft, words)
            bar = QRectF(rect.left() + widest, y + line / 2 - 2, rect.width() - widest - number, 4)
            if bar.width() > 8:
                painter.fillRect(bar, QColor(theme.rule))
                if not math.isnan(score):
                    painter.fillRect(bar.adjusted(0, 0, bar.width() * (score - 1), 0), QColor(theme.muted_text))
            painter.setPen(QColor(theme.text))
            shown = "–" if math.isnan(score) else f"{score:.3f}"
            if not math.isnan(change):
                shown += f" (Δ {change:.3f})".replace("-", MINUS)
            painter.drawText(QRectF(rect.left(), y, rect.width(), line), Qt.AlignmentFlag.AlignRight, shown)
            y += line + 3
        painter.setPen(QColor(theme.muted_text))
        for note in self.notes():
            words = QFontMetricsF(small).elidedText(note, Qt.TextElideMode.ElideRight, rect.width())
            painter.drawText(QRectF(rect.left(), y, rect.width(), line), Qt.AlignmentFlag.AlignLeft, words)
            y += line + 3

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self.update()
