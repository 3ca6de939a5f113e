"""What one head does, in words and bars: its name, its role, and each of its scores."""

from __future__ import annotations

import math

from PySide6.QtCore import QEvent, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from visualizer.engine.head_scores import SCORES
from visualizer.session.words.numbers import MINUS, short
from visualizer.ui.look.theme import current_theme, number_font
from visualizer.ui.panels.heads.layout import ROLE_NAMES
from visualizer.ui.panels.heads.tiles import Heads


class HeadScores(QWidget):
    """Name, role and scores of one head."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("headScores")
        self.setAccessibleName("What one head does")
        self._heads: Heads | None = None
        self._head = 0

    @property
    def head(self) -> int:
        """Which head is shown, as layer · heads + head."""
        return self._head

    def set_head(self, heads: Heads | None, head: int) -> None:
        """Show one of these heads."""
        self._heads, self._head = heads, head
        self.setAccessibleDescription(" ".join(self.words()))
        self.updateGeometry()
        self.update()

    def words(self) -> tuple[str, str]:
        """The head's name, and what it mainly does."""
        if self._heads is None:
            return "", ""
        layer, number = divmod(self._head, self._heads.shape[1])
        role = self._heads.role(self._head)
        what = "no clear role" if role is None else f"mainly {ROLE_NAMES[role.name][0]} {short(role.score)}"
        return f"block {layer} · head {number}", what

    def score_rows(self) -> list[tuple[str, float, float]]:
        """Name and value of each score, and its difference from the baseline's; NaN where there is none."""
        if self._heads is None:
            return []
        place = divmod(self._head, self._heads.shape[1])
        scores, changes = self._heads.scores, self._heads.changes
        return [(ROLE_NAMES[name][0], float(scores[name][place]), float(changes[name][place])) for name in SCORES]

    def notes(self) -> list[str]:
        """What has to be known to read the pictures and the scores."""
        heads = self._heads
        if heads is None:
            return []
        notes = []
        if self._head in heads.intervened:
            notes.append(f"{heads.intervened[self._head]} by an intervention")
        cells = heads.tiles.shape[-1]
        if cells < heads.count:
            each = -(-heads.count // cells)
            notes.append(f"tiles: the largest of {each}×{each} weights")
        if heads.measured is not None:
            notes.append("scores: means over several random texts")
        elif not heads.detector.defined("previous_token"):
            notes.append("scores need two tokens or more")
        elif not heads.detector.defined("duplicate_token"):
            notes.append("– no token comes twice in this text")
        return notes

    # -- Qt

    def _fonts(self) -> tuple[QFont, QFont]:
        bold = number_font(self.font().pointSizeF())
        bold.setBold(True)
        return bold, number_font(self.font().pointSizeF() * 0.85)

    def sizeHint(self) -> QSize:
        bold, small = (QFontMetricsF(font) for font in self._fonts())
        lines = 1 + len(SCORES) + max(len(self.notes()), 1)
        return QSize(round(small.horizontalAdvance("0") * 32), round(bold.height() + lines * (small.height() + 3) + 8))

    def minimumSizeHint(self) -> QSize:
        return QSize(120, 0)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        bold, small = self._fonts()
        theme, metrics = current_theme(), QFontMetricsF(small)
        width, step = float(self.width()), metrics.height() + 3
        y = 0.0

        def line(words: str, ink: str, align: Qt.AlignmentFlag = Qt.AlignmentFlag.AlignLeft) -> None:
            shown = painter.fontMetrics().elidedText(words, Qt.TextElideMode.ElideRight, round(width))
            painter.setPen(QColor(ink))
            painter.drawText(QRectF(0, y, width, painter.fontMetrics().height()), align, shown)

        name, what = self.words()
        painter.setFont(bold)
        line(name, theme.text)
        y += QFontMetricsF(bold).height() + 2
        painter.setFont(small)
        line(what, theme.text)
        y += step + 3
        compared = self._heads is not None and self._heads.signed
        left = metrics.horizontalAdvance("duplicate token ")
        right = metrics.horizontalAdvance("0.000 (Δ −0.000) " if compared else "0.000 ")
        for words, score, change in self.score_rows():
            line(words, theme.muted_text)
            bar = QRectF(left, y + metrics.height() / 2 - 2, width - left - right, 4)
            if bar.width() > 8:
                painter.fillRect(bar, QColor(theme.rule))
                if not math.isnan(score):
                    painter.fillRect(bar.adjusted(0, 0, bar.width() * (score - 1), 0), QColor(theme.muted_text))
            shown = "–" if math.isnan(score) else f"{score:.3f}"
            if not math.isnan(change):
                shown += f" (Δ {change:.3f})".replace("-", MINUS)
            line(shown, theme.text, Qt.AlignmentFlag.AlignRight)
            y += step
        for note in self.notes():
            line(note, theme.muted_text)
            y += step
        painter.end()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.FontChange):
            self.updateGeometry()
            self.update()
