"""Bars to the left and right of zero: what each part of the model adds to a logit."""

from __future__ import annotations

import math
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetricsF, QHelpEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from visualizer.session.words.numbers import full, short
from visualizer.ui.look.signed_color import signed_color
from visualizer.ui.look.theme import current_theme, number_font
from visualizer.ui.widgets.plain_text import show_tip
from visualizer.ui.widgets.spoken import speak

ROW_HEIGHT = 18.0


@dataclass(frozen=True)
class Bar:
    """One part: its words, what it adds, and what the panel knows it by."""

    words: str
    value: float
    key: tuple[str, int | None]


class ContributionBars(QWidget):
    """One row a part. Arrow keys walk, Return and clicks choose.

    Signals:
        chosen(object): the key of a bar.
        current_moved(int): the keyboard is at another row.
        let_go(): Esc was pressed.
    """

    chosen = Signal(object)
    current_moved = Signal(int)
    let_go = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("contributionBars")
        self.setAccessibleName("Direct contributions to the logit")
        self.setToolTip("What each head and MLP writes into the logit; arrows move, Return chooses")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        self.bars: tuple[Bar, ...] = ()
        self._marked: tuple[str, int | None] | None = None
        self._current = 0
        self._largest = 0.0
        self._words_width = 0.0
        self._font = number_font(number_font().pointSizeF() * 0.9)

    def set_bars(self, bars: tuple[Bar, ...], marked: tuple[str, int | None] | None) -> None:
        """Show these; `marked` is the key of the part that is chosen."""
        resized = len(bars) != len(self.bars)
        self.bars, self._marked = bars, marked
        self._largest = max((abs(bar.value) for bar in bars if math.isfinite(bar.value)), default=0.0)
        width = self.fontMetrics().horizontalAdvance
        self._words_width = float(max((width(bar.words) for bar in bars), default=0)) + 8
        self._current = min(self._current, max(len(bars) - 1, 0))
        if resized:
            self.setMinimumHeight(self.sizeHint().height())
        self._describe()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(200, round(ROW_HEIGHT * len(self.bars)) + 2)

    def bar_at(self, y: float) -> Bar | None:
        """The bar under a pixel."""
        index = int(y // ROW_HEIGHT)
        return self.bars[index] if 0 <= index < len(self.bars) else None

    def tooltip(self, bar: Bar) -> str:
        """What hovering over a bar says."""
        return f"{bar.words}: {full(bar.value)}\n{bar.key[0]}\nclick to choose it and explain its largest number"

    def _describe(self) -> None:
        bar = self.bars[self._current] if self.bars else None
        self.setAccessibleDescription("" if bar is None else f"{bar.words}: {full(bar.value)}")

    # -- drawing

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        number = 7.5 * QFontMetricsF(self._font).horizontalAdvance("0")
        words = min(self._words_width, self.width() * 0.55)
        left, right = words + 6, self.width() - number - 6
        middle, half = (left + right) / 2, max((right - left) / 2, 4.0)
        painter.setPen(QColor(current_theme().rule))
        painter.drawLine(round(middle), 0, round(middle), round(ROW_HEIGHT * len(self.bars)))
        first = max(int(event.rect().top() // ROW_HEIGHT), 0)
        last = min(int(event.rect().bottom() // ROW_HEIGHT) + 1, len(self.bars))
        for index in range(first, last):
            self._paint_bar(painter, index, words, middle, half, number)
        painter.end()

    def _paint_bar(
        self, painter: QPainter, index: int, words: float, middle: float, half: float, number: float
    ) -> None:
        theme, bar, top = current_theme(), self.bars[index], ROW_HEIGHT * index
        share = bar.value / self._largest if self._largest and math.isfinite(bar.value) else 0.0
        width = share * half
        painter.fillRect(QRectF(middle, top + 4, width, ROW_HEIGHT - 8).normalized(), signed_color(bar.value))
        painter.setPen(QColor(theme.text))
        painter.setFont(self.font())
        align = Qt.AlignmentFlag.AlignVCenter
        text = self.fontMetrics().elidedText(bar.words, Qt.TextElideMode.ElideRight, round(words))
        painter.drawText(QRectF(4, top, words, ROW_HEIGHT), align | Qt.AlignmentFlag.AlignLeft, text)
        painter.setFont(self._font)
        room = QRectF(self.width() - number - 4, top, number, ROW_HEIGHT)
        painter.drawText(room, align | Qt.AlignmentFlag.AlignRight, short(bar.value))
        if bar.key == self._marked:
            painter.setPen(QPen(QColor(theme.accent), 2))
            painter.drawRect(QRectF(1, top + 1, self.width() - 2, ROW_HEIGHT - 2))
        elif self.hasFocus() and index == self._current:
            painter.setPen(QPen(QColor(theme.text), 1, Qt.PenStyle.DotLine))
            painter.drawRect(QRectF(0.5, top + 0.5, self.width() - 1, ROW_HEIGHT - 1))

    # -- mouse and keyboard

    def mousePressEvent(self, event: QMouseEvent) -> None:
        bar = self.bar_at(event.position().y())
        if event.button() == Qt.MouseButton.LeftButton and bar is not None:
            self._current = self.bars.index(bar)
            self.chosen.emit(bar.key)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, last = event.key(), len(self.bars) - 1
        moves = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1, Qt.Key.Key_Home: -last - 1, Qt.Key.Key_End: last + 1}
        if key == Qt.Key.Key_Escape:
            self.let_go.emit()
        elif self.bars and key in moves:
            self._current = min(max(self._current + moves[Qt.Key(key)], 0), last)
            self._describe()
            speak(self)
            self.current_moved.emit(self._current)
            self.update()
        elif self.bars and key in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.chosen.emit(self.bars[self._current].key)
        else:
            super().keyPressEvent(event)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            bar = self.bar_at(event.pos().y())
            show_tip(event.globalPos(), "" if bar is None else self.tooltip(bar), self)
            return True
        return super().event(event)
