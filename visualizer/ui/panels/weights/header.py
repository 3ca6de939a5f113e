"""The grid's headers: a word for each row and column, and the bands Q | K | V above their columns."""

from __future__ import annotations

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QHeaderView, QWidget

from visualizer.ui.look.theme import current_theme
from visualizer.ui.panels.weights.paint import RULE

Band = tuple[str, int, int]
PADDING = 8
WIDEST_LABEL = 64  # px; a longer word is elided, and whole in its tooltip
MEASURED = 64  # labels that are measured to find the widest; more are taken to be like those
_WORDS = {"Q": "queries", "K": "keys", "V": "values"}


class WeightHeader(QHeaderView):
    """One of the two headers. Labels come from the table; bands are (letter, first section, section after the last)."""

    def __init__(self, orientation: Qt.Orientation, parent: QWidget) -> None:
        super().__init__(orientation, parent)
        self._bands: list[Band] = []
        self._holds_choice = False
        self.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.setSectionsClickable(True)
        self.setHighlightSections(True)
        self.setMinimumSectionSize(16)
        words = "columns" if orientation == Qt.Orientation.Horizontal else "rows"
        self.setAccessibleName(f"Weight {words}")

    def set_bands(self, bands: list[Band]) -> None:
        """Show these bands; none takes their line away."""
        self._bands = bands
        self.setFixedHeight(self._line() * (2 if bands else 1))
        self.viewport().update()

    def hold_choice(self, holds: bool) -> None:
        """Whether the marked section is that of the chosen number, and not only of the grid's cursor."""
        self._holds_choice = holds
        self.viewport().update()

    def widest_label(self, labels: list[str]) -> int:
        """Pixels that the longest of some labels needs, up to `WIDEST_LABEL`."""
        metrics = self.fontMetrics()
        widest = max((metrics.horizontalAdvance(label) for label in labels[:MEASURED]), default=0)
        if len(labels) > MEASURED:
            widest = max(widest, metrics.horizontalAdvance(labels[-1]))
        return min(widest, WIDEST_LABEL) + PADDING

    def _line(self) -> int:
        return self.fontMetrics().height() + 6

    def _starts_band(self, section: int) -> bool:
        return any(section == first and first > 0 for _, first, _ in self._bands)

    def _paint_band(self, painter: QPainter, band: Band) -> None:
        """The band's name over the visible part of its columns, and a rule at its left end."""
        theme = current_theme()
        letter, first, after = band
        left, right = self.sectionViewportPosition(first), self.sectionViewportPosition(after - 1) + self.sectionSize(0)
        rule = QRect(left, 0, RULE, self._line())
        left, right = max(left, 0), min(right, self.viewport().width())
        if right <= left:
            return
        area = QRect(left, 0, right - left, self._line())
        painter.fillRect(area, QColor(theme.panel))
        painter.fillRect(QRect(left, area.bottom(), right - left, 1), QColor(theme.rule))
        if first > 0:
            painter.fillRect(rule, QColor(theme.muted_text))
        painter.setPen(QColor(theme.text))
        words = f"{letter}  {_WORDS[letter]}"
        if self.fontMetrics().horizontalAdvance(words) + PADDING > area.width():
            words = letter
        painter.drawText(area, Qt.AlignmentFlag.AlignCenter, words)

    # Overrides of QHeaderView

    def sizeHint(self) -> QSize:
        # Of the first label alone: Qt would ask for those of thousands of sections.
        return QSize(self.widest_label([]), self._line() * (2 if self._bands else 1))

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self._bands:
            painter = QPainter(self.viewport())
            for band in self._bands:
                self._paint_band(painter, band)
            painter.end()

    def paintSection(self, painter: QPainter, rect: QRect, logicalIndex: int) -> None:
        theme = current_theme()
        horizontal = self.orientation() == Qt.Orientation.Horizontal
        current = self.selectionModel().currentIndex() if self.selectionModel() is not None else None
        here = current is not None and logicalIndex == (current.column() if horizontal else current.row())
        if self._bands:
            rect = rect.adjusted(0, self._line(), 0, 0)
        painter.fillRect(rect, QColor(theme.background))
        painter.fillRect(QRect(rect.right(), rect.top(), 1, rect.height()), QColor(theme.rule))
        painter.fillRect(QRect(rect.left(), rect.bottom(), rect.width(), 1), QColor(theme.rule))
        if self._starts_band(logicalIndex):
            painter.fillRect(QRect(rect.left(), rect.top(), RULE, rect.height()), QColor(theme.muted_text))
        if here:
            edge = (
                QRect(rect.left(), rect.bottom() - 1, rect.width(), 2)
                if horizontal
                else QRect(rect.right() - 1, rect.top(), 2, rect.height())
            )
            painter.fillRect(edge, QColor(theme.accent if self._holds_choice else theme.muted_text))
        painter.setPen(QColor(theme.text if here else theme.muted_text))
        room = rect.adjusted(3, 0, -4, 0)
        label = str(self.model().headerData(logicalIndex, self.orientation()))
        align = Qt.AlignmentFlag.AlignRight if horizontal else Qt.AlignmentFlag.AlignLeft
        text = self.fontMetrics().elidedText(label, Qt.TextElideMode.ElideRight, room.width())
        painter.drawText(room, align | Qt.AlignmentFlag.AlignVCenter, text)
