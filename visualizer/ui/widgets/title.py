"""A panel's title with a muted detail after it, which is cut with an ellipsis before it is cut off."""

from __future__ import annotations

from html import escape

from PySide6.QtCore import QPoint, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from visualizer.ui.look.theme import current_theme
from visualizer.ui.widgets.plain_text import as_tip

GAP = 8


class Title(QWidget):
    """One line: `text` in bold, `detail` muted. The whole line is its tooltip and accessible name."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._text = self._detail = self._meaning = ""
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def set_words(self, text: str, detail: str, meaning: str = "") -> None:
        """Show these words; `meaning` is for the tooltip alone."""
        if (text, detail, meaning) != (self._text, self._detail, self._meaning):
            self._text, self._detail, self._meaning = text, detail, meaning
            line = f"{text}: {detail}" if detail else text
            self.setToolTip(f"<p>{escape(line)}</p><p>{escape(meaning)}</p>" if meaning else as_tip(line))
            self.setAccessibleName(f"{text}, {detail}" if detail else text)
            self.setAccessibleDescription(meaning)
            self.update()

    def sizeHint(self) -> QSize:
        metrics = QFontMetrics(self._bold())
        return QSize(metrics.horizontalAdvance(self._text), metrics.height() + 4)

    def minimumSizeHint(self) -> QSize:
        return QSize(0, self.sizeHint().height())

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        bold = self._bold()
        metrics = QFontMetrics(bold)
        baseline = (self.height() + metrics.ascent() - metrics.descent()) // 2
        painter.setFont(bold)
        painter.setPen(QColor(current_theme().text))
        painter.drawText(QPoint(0, baseline), metrics.elidedText(self._text, Qt.TextElideMode.ElideRight, self.width()))
        start = metrics.horizontalAdvance(self._text) + GAP
        painter.setFont(self.font())
        painter.setPen(QColor(current_theme().muted_text))
        room = self.width() - start
        if room > 3 * GAP:
            detail = self.fontMetrics().elidedText(self._detail, Qt.TextElideMode.ElideRight, room)
            painter.drawText(QPoint(start, baseline), detail)

    def _bold(self) -> QFont:
        font = QFont(self.font())
        font.setBold(True)
        return font
