"""The next-token panel: how probable each token is after the cursor's context, or after the chosen position."""

from __future__ import annotations

import math

from PySide6.QtCore import QEvent, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetricsF, QHelpEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QFrame, QLabel, QScrollArea, QSizePolicy, QToolTip, QVBoxLayout, QWidget

from visualizer.session.evaluation import Result
from visualizer.session.selection import CellRef
from visualizer.session.session import Session
from visualizer.ui.numbers import short
from visualizer.ui.probabilities import NextTokens, Row, next_tokens
from visualizer.ui.session_panel import SessionPanel
from visualizer.ui.theme import current_theme, number_font, token_color

ROW_HEIGHT = 22.0
#: Widths from which the logit, and the log-probability beside it, have columns of their own.
LOGIT_FROM, LOG_PROBABILITY_FROM = 220, 320
TAKEN = "◀"


class NextTokenPanel(SessionPanel):
    """The distribution of the next token as bars, the most probable first."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(session, parent)
        self.setObjectName("nextTokenPanel")
        self.setAccessibleName("Next token")
        self._result_shown: Result | None = None
        self._about: tuple[int, int | None] | None = None
        self.title = QLabel(self)
        self.title.setObjectName("nextTokenTitle")
        self.title.setTextFormat(Qt.TextFormat.PlainText)
        self.note = QLabel(self)
        self.note.setObjectName("nextTokenNote")
        self.note.setTextFormat(Qt.TextFormat.PlainText)
        self.note.setWordWrap(True)
        self.bars = ProbabilityBars(self)
        self.bars.token_chosen.connect(self._explain)
        self.bars.let_go.connect(session.selection.let_go)
        area = QScrollArea(self)
        area.setWidget(self.bars)
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._area = area
        self.bars.current_moved.connect(self._bring_into_view)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 4, 8, 4)
        layout.setSpacing(4)
        layout.addWidget(self.title)
        layout.addWidget(self.note)
        layout.addWidget(area, 1)

    @property
    def shown(self) -> NextTokens | None:
        """The distribution on screen; None before the first result."""
        return self.bars.shown

    def refresh(self) -> None:
        """Show the distribution after the chosen row, or after the whole context."""
        result = self.result
        if result is None:
            self.title.setText("computing …")
            return
        shown, about = self.shown, (self.shown_step, self.session.selection.now.row)
        if shown is None or result is not self._result_shown or about != self._about:
            shown = next_tokens(result, *about)  # a large vocabulary is worth doing this once
            self._result_shown, self._about = result, about
        self.title.setText(shown.title)
        self.note.setText(shown.note)
        self.note.setVisible(bool(shown.note))
        self.bars.set_shown(shown, self._chosen_token(shown))

    def _chosen_token(self, shown: NextTokens) -> int | None:
        """The token whose probability or logit is the chosen cell."""
        cell = self.session.selection.now.cell
        if cell is None or cell.kind != "activation" or cell.name not in ("probs", "logits"):
            return None
        return cell.cell[1] if cell.cell[0] == shown.position else None

    def _explain(self, token: int) -> None:
        position = None if self.shown is None else self.shown.position
        if position is not None:
            self.session.selection.choose(cell=CellRef("activation", "probs", (position, token)))

    def _bring_into_view(self, row: int) -> None:
        self._area.ensureVisible(0, round((row + 1.5) * ROW_HEIGHT), 0, round(ROW_HEIGHT))


class ProbabilityBars(QWidget):
    """Token, bar, probability and, where there is room, log-probability and logit, one row a token.

    Signals:
        token_chosen(int): a token's row was clicked, or Return pressed on it.
        current_moved(int): the keyboard is at another row.
        let_go(): Esc was pressed.
    """

    token_chosen = Signal(int)
    current_moved = Signal(int)
    let_go = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("probabilityBars")
        self.setAccessibleName("Probabilities of the next token")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        self.shown: NextTokens | None = None
        self._chosen: int | None = None
        self._current = 0
        self._font = number_font()
        self._small = number_font(self._font.pointSizeF() * 0.8)
        self._digit = QFontMetricsF(self._font).horizontalAdvance("0")

    def set_shown(self, shown: NextTokens, chosen: int | None) -> None:
        """Draw a distribution; `chosen` is the token whose number is being explained."""
        resized = self.shown is None or self._lines(self.shown) != self._lines(shown)
        self.shown, self._chosen = shown, chosen
        self._current = min(self._current, max(len(shown.rows) - 1, 0))
        if resized:
            self.setMinimumHeight(self.sizeHint().height())
        self._describe()
        self.update()

    @staticmethod
    def _lines(shown: NextTokens) -> int:
        return len(shown.rows) + bool(shown.rows) + bool(shown.more)

    def sizeHint(self) -> QSize:
        return QSize(200, round(ROW_HEIGHT * (0 if self.shown is None else self._lines(self.shown))))

    def row_at(self, y: float) -> Row | None:
        """The row under a pixel."""
        index = int((y - ROW_HEIGHT) // ROW_HEIGHT)
        if self.shown is None or not 0 <= index < len(self.shown.rows):
            return None
        return self.shown.rows[index]

    def _describe(self) -> None:
        shown = self.shown
        if shown is None or not shown.rows:
            self.setAccessibleDescription("" if shown is None else shown.note)
            return
        row = shown.rows[self._current]
        taken = f"; {shown.taken_how}" if row.token == shown.taken else ""
        self.setAccessibleDescription(f"{shown.title}: " + row.readout.replace("\n", "; ") + taken)

    # -- drawing

    def _columns(self) -> dict[str, tuple[float, float]]:
        """Left edge and width of each column; the bar takes what is left."""
        assert self.shown is not None
        longest = max((len(row.text) for row in self.shown.rows), default=1)
        ids = max((len(str(row.token)) for row in self.shown.rows), default=1)
        number = 7.5 * self._digit
        token = min((longest + 1) * self._digit, self.width() * 0.3)
        widths = {"token": token, "id": (ids + 2) * self._digit * 0.8, "bar": 0.0, "taken": 1.6 * self._digit}
        widths["probability"] = number
        if self.width() >= LOG_PROBABILITY_FROM:
            widths["log p"] = number
        if self.width() >= LOGIT_FROM:
            widths["logit"] = number
        widths["bar"] = max(self.width() - sum(widths.values()) - 4, 20.0)
        columns, left = {}, 2.0
        for name, width in widths.items():
            columns[name] = (left, width)
            left += width
        return columns

    def paintEvent(self, event: QPaintEvent) -> None:
        shown = self.shown
        if shown is None or not shown.rows:
            return
        painter = QPainter(self)
        columns = self._columns()
        self._paint_header(painter, columns)
        first = max(int(event.rect().top() // ROW_HEIGHT) - 1, 0)
        last = min(int(event.rect().bottom() // ROW_HEIGHT), len(shown.rows))
        for index in range(first, last):
            self._paint_row(painter, columns, index, shown)
        if shown.more:
            top = ROW_HEIGHT * (len(shown.rows) + 1)
            painter.setFont(self.font())
            painter.setPen(QColor(current_theme().muted_text))
            room = QRectF(2, top, self.width() - 4, ROW_HEIGHT)
            painter.drawText(room, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, shown.more)
        painter.end()

    def _paint_header(self, painter: QPainter, columns: dict[str, tuple[float, float]]) -> None:
        theme = current_theme()
        painter.setFont(self._small)
        painter.setPen(QColor(theme.muted_text))
        words = {"token": "token", "probability": "p", "log p": "log p", "logit": "logit"}
        for name, word in words.items():
            if name in columns:
                left, width = columns[name]
                align = Qt.AlignmentFlag.AlignLeft if name == "token" else Qt.AlignmentFlag.AlignRight
                room = QRectF(left, 0, max(width, 60) if name == "token" else width, ROW_HEIGHT)
                painter.drawText(room, Qt.AlignmentFlag.AlignVCenter | align, word)
        painter.setPen(QColor(theme.rule))
        painter.drawLine(0, round(ROW_HEIGHT) - 1, self.width(), round(ROW_HEIGHT) - 1)

    def _paint_row(
        self, painter: QPainter, columns: dict[str, tuple[float, float]], index: int, shown: NextTokens
    ) -> None:
        theme, row = current_theme(), shown.rows[index]
        top = ROW_HEIGHT * (index + 1)
        hue, text = QColor(token_color(row.token, theme)), QColor(theme.text)
        right = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
        left = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
        self._write(painter, columns["token"], top, self._elided(row.text, columns["token"][1]), left, hue)
        self._write(painter, columns["id"], top, str(row.token), left, QColor(theme.muted_text), small=True)
        at, width = columns["bar"]
        share = 0.0 if math.isnan(row.probability) else min(max(row.probability, 0.0), 1.0)
        painter.fillRect(QRectF(at, top + 5, max(share * width, 1.0), ROW_HEIGHT - 10), hue)
        if row.token == shown.taken:
            self._write(painter, columns["taken"], top, TAKEN, right, text, small=True)
        numbers = {"probability": row.probability, "log p": row.log_probability, "logit": row.logit}
        for name, value in numbers.items():
            if name in columns:
                self._write(painter, columns[name], top, short(value), right, text)
        if row.token == self._chosen:
            painter.setPen(QPen(QColor(theme.accent), 2))
            painter.drawRect(QRectF(1, top + 1, self.width() - 2, ROW_HEIGHT - 2))
        elif self.hasFocus() and index == self._current:
            painter.setPen(QPen(text, 1, Qt.PenStyle.DotLine))
            painter.drawRect(QRectF(0.5, top + 0.5, self.width() - 1, ROW_HEIGHT - 1))

    def _write(
        self, painter: QPainter, column: tuple[float, float], top: float, text: str,
        align: Qt.AlignmentFlag, color: QColor, small: bool = False,
    ) -> None:  # fmt: skip
        painter.setFont(self._small if small else self._font)
        painter.setPen(color)
        painter.drawText(QRectF(column[0], top, column[1], ROW_HEIGHT), align, text)

    def _elided(self, text: str, width: float) -> str:
        return QFontMetricsF(self._font).elidedText(text, Qt.TextElideMode.ElideRight, width)

    # -- mouse and keyboard

    def mousePressEvent(self, event: QMouseEvent) -> None:
        row = self.row_at(event.position().y())
        if event.button() == Qt.MouseButton.LeftButton and row is not None and self.shown is not None:
            self._current = self.shown.rows.index(row)
            self.token_chosen.emit(row.token)
        else:
            super().mousePressEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        rows = () if self.shown is None else self.shown.rows
        key = event.key()
        moves = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1, Qt.Key.Key_Home: -len(rows), Qt.Key.Key_End: len(rows)}
        if key == Qt.Key.Key_Escape:
            self.let_go.emit()
        elif rows and key in moves:
            self._current = min(max(self._current + moves[Qt.Key(key)], 0), len(rows) - 1)
            self._describe()
            self.current_moved.emit(self._current)
            self.update()
        elif rows and key in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.token_chosen.emit(rows[self._current].token)
        else:
            super().keyPressEvent(event)

    def tooltip(self, row: Row) -> str:
        """What hovering over a row says."""
        shown = self.shown
        taken = f"\n{TAKEN} {shown.taken_how}" if shown is not None and row.token == shown.taken else ""
        return f"{row.readout}{taken}\nclick to see where the probability comes from (Return)"

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            row = self.row_at(event.pos().y())
            if row is None:
                QToolTip.hideText()
            else:
                QToolTip.showText(event.globalPos(), self.tooltip(row), self)
            return True
        return super().event(event)
