"""The bars of the next-token panel: token, probability before and after the filters, log-probability and logit."""

from __future__ import annotations

import math

from PySide6.QtCore import QEvent, QPoint, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QContextMenuEvent,
    QFontMetricsF,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from visualizer.session.analysis.token_probabilities import NextTokens, TokenRow
from visualizer.session.words.numbers import short
from visualizer.ui.look.signed_color import signed_color
from visualizer.ui.look.theme import current_theme, number_font, token_color
from visualizer.ui.widgets.plain_text import show_tip
from visualizer.ui.widgets.spoken import speak

ROW_HEIGHT = 22.0
#: The bar is at least so wide in pixels; columns of numbers that would leave it less are left out, the last first.
NARROWEST_BAR = 36.0
TAKEN = "◀"
#: The columns of numbers, and from left to right their headings: before the filters, after them, and the logarithm.
NUMBERS = ("p", "final", "log p", "logit")
#: The bar of the probability before the filters, behind that of the final one.
FAINT = 0.35


class ProbabilityBars(QWidget):
    """Token, bar, probability and, where there is room, log-probability and logit, one row a token.

    The token forces itself, its numbers say where they come from.

    Signals:
        token_chosen(int, str): a row's number was clicked, or Return pressed on the row: the token, and which
            activation the number belongs to, `probs` or `logits`.
        force_asked(int): a token is to be forced: a click on the token itself, Ctrl and a click, or Ctrl+Return.
        menu_asked(int, QPoint): a menu is wanted for a token, at this global position.
        current_moved(int): the keyboard is at another row.
        let_go(): Esc was pressed.
    """

    token_chosen = Signal(int, str)
    force_asked = Signal(int)
    menu_asked = Signal(int, QPoint)
    current_moved = Signal(int)
    let_go = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("probabilityBars")
        self.setAccessibleName("Probabilities of the next token")
        self.setToolTip("Each token's probability to come next; arrows move, Return chooses, the menu key offers more")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        self.shown: NextTokens | None = None
        self._chosen: int | None = None
        self._current = 0
        self._pointed: int | None = None  # the row whose token the mouse is over
        self.setMouseTracking(True)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self._font = number_font()
        self._small = number_font(self._font.pointSizeF() * 0.8)
        self._digit = QFontMetricsF(self._font).horizontalAdvance("0")

    def set_shown(self, shown: NextTokens | None, chosen: int | None) -> None:
        """Draw a distribution, or nothing; `chosen` is the token whose number is being explained."""
        before, token = self.shown, self.current_token()
        self.shown, self._chosen, self._pointed = shown, chosen, None
        tokens = [] if shown is None else [row.token for row in shown.rows]
        self._current = min(self._current, max(len(tokens) - 1, 0))
        # Differences stand in an order of their own: there the cursor stays at its token, not at its row.
        if token in tokens and any(side is not None and side.signed for side in (before, shown)):
            self._current = tokens.index(token)
        if before is None or self._lines(before) != self._lines(shown):
            self.setMinimumHeight(self.sizeHint().height())
        self._describe()
        self.update()

    @staticmethod
    def _lines(shown: NextTokens | None) -> int:
        return 0 if shown is None else len(shown.rows) + bool(shown.rows) + bool(shown.more)

    def sizeHint(self) -> QSize:
        return QSize(200, round(ROW_HEIGHT * self._lines(self.shown)))

    def current_token(self) -> int | None:
        """The token of the row that the keyboard is at, or that was clicked last."""
        rows = () if self.shown is None else self.shown.rows
        return rows[self._current].token if self._current < len(rows) else None

    def row_at(self, y: float) -> TokenRow | None:
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
        rows = self.shown.rows
        longest = max((len(row.text) for row in rows), default=1)
        ids = max((len(str(row.token)) + 2 for row in rows if row.text != str(row.token)), default=0)
        token = min((longest + 1) * self._digit, self.width() * 0.3)
        widths = {"token": token, "id": ids * self._digit * 0.8, "bar": NARROWEST_BAR, "taken": 1.6 * self._digit}
        for name in NUMBERS:
            texts = [text for row in rows if (text := _number(row, name))]
            width = (max(5, *map(len, texts)) + 1.5) * self._digit if texts else math.inf
            if name == "p" or sum(widths.values()) + width <= self.width() - 4:
                widths[name] = width
        widths["bar"] += max(self.width() - 4 - sum(widths.values()), NARROWEST_BAR / 2 - NARROWEST_BAR)
        columns, left = {}, 2.0
        for name, width in widths.items():
            columns[name] = (left, width)
            left += width
        return columns

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(event.rect(), QColor(current_theme().background))
        shown = self.shown
        if shown is None or not shown.rows:
            painter.end()
            return
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
        for name in ("token", *NUMBERS):
            if name in columns:
                left, width = columns[name]
                align = Qt.AlignmentFlag.AlignLeft if name == "token" else Qt.AlignmentFlag.AlignRight
                room = QRectF(left, 0, max(width, 60) if name == "token" else width, ROW_HEIGHT)
                heading = f"Δ{name}" if self.shown is not None and self.shown.signed and name in NUMBERS else name
                painter.drawText(room, Qt.AlignmentFlag.AlignVCenter | align, heading)
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
        token = self._elided(row.text, columns["token"][1])
        self._write(painter, columns["token"], top, token, left, hue)
        if index == self._pointed:
            base, width = round(top + ROW_HEIGHT - 4), QFontMetricsF(self._font).horizontalAdvance(token)
            painter.drawLine(2, base, round(2 + width), base)
        if columns["id"][1]:  # without a tokenizer the id is all there is to say
            self._write(painter, columns["id"], top, str(row.token), left, QColor(theme.muted_text), small=True)
        at, width = columns["bar"]
        final = row.probability if row.final is None else row.final
        if row.final is not None:
            faint = self._bar_color(row.probability, hue)
            faint.setAlphaF(FAINT)
            painter.fillRect(self._bar(at, top + 5, width, row.probability, ROW_HEIGHT - 10), faint)
        inset = 5 if row.final is None else 8
        bar = self._bar(at, top + inset, width, final, ROW_HEIGHT - 2 * inset)
        painter.fillRect(bar, self._bar_color(final, hue))
        if row.token == shown.taken:
            self._write(painter, columns["taken"], top, TAKEN, right, text, small=True)
        for name in NUMBERS:
            if name in columns:
                ink = QColor(theme.muted_text) if name == "final" and row.final == 0 else text
                self._write(painter, columns[name], top, _number(row, name), right, ink)
        if row.token == self._chosen:
            painter.setPen(QPen(QColor(theme.accent), 2))
            painter.drawRect(QRectF(1, top + 1, self.width() - 2, ROW_HEIGHT - 2))
        elif self.hasFocus() and index == self._current:
            painter.setPen(QPen(text, 1, Qt.PenStyle.DotLine))
            painter.drawRect(QRectF(0.5, top + 0.5, self.width() - 1, ROW_HEIGHT - 1))

    def _bar(self, left: float, top: float, width: float, value: float, height: float) -> QRectF:
        """A bar from the left for 0 to 1; for a difference, from the middle for −1 to 1."""
        share = 0.0 if math.isnan(value) else min(max(value, -1.0), 1.0)
        if self.shown is None or not self.shown.signed:
            return QRectF(left, top, max(share * width, 1.0), height)
        return QRectF(left + width / 2, top, share * width / 2 or 1.0, height).normalized()

    def _bar_color(self, value: float, hue: QColor) -> QColor:
        """The token's own hue; for a difference, the end of the diverging scale that it lies towards."""
        if self.shown is None or not self.shown.signed or math.isnan(value):
            return QColor(hue)
        return signed_color(value)

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
            column = self._column_at(event.position().x())
            if event.modifiers() & Qt.KeyboardModifier.ControlModifier or self._forces(column):
                self.force_asked.emit(row.token)
            else:
                self.token_chosen.emit(row.token, "logits" if column == "logit" else "probs")
        else:
            super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        row = self.row_at(event.position().y())
        on_token = row is not None and self._forces(self._column_at(event.position().x()))
        self._point(self.shown.rows.index(row) if on_token and row is not None and self.shown is not None else None)

    def leaveEvent(self, event: QEvent) -> None:
        self._point(None)
        super().leaveEvent(event)

    def _point(self, index: int | None) -> None:
        if index != self._pointed:
            self._pointed = index
            self.setCursor(Qt.CursorShape.ArrowCursor if index is None else Qt.CursorShape.PointingHandCursor)
            self.update()

    def _column_at(self, x: float) -> str:
        """The column under a pixel."""
        found = [name for name, (left, _) in self._columns().items() if left <= x]
        return found[-1] if found else "token"

    def _forces(self, column: str) -> bool:
        """Whether a click in a column forces the token."""
        return column in ("token", "id") and self.shown is not None and self.shown.forcible

    def keyPressEvent(self, event: QKeyEvent) -> None:
        rows = () if self.shown is None else self.shown.rows
        key = event.key()
        moves = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1, Qt.Key.Key_Home: -len(rows), Qt.Key.Key_End: len(rows)}
        if key == Qt.Key.Key_Escape:
            self.let_go.emit()
        elif rows and key in moves:
            self._current = min(max(self._current + moves[Qt.Key(key)], 0), len(rows) - 1)
            self._describe()
            speak(self)
            self.current_moved.emit(self._current)
            self.update()
        elif rows and key in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            token = rows[self._current].token
            if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
                self.force_asked.emit(token)
            else:
                self.token_chosen.emit(token, "probs")
        else:
            super().keyPressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        rows = () if self.shown is None else self.shown.rows
        if event.reason() == QContextMenuEvent.Reason.Keyboard and rows:
            below = QPoint(20, round(ROW_HEIGHT * (self._current + 2)))
            self.menu_asked.emit(rows[self._current].token, self.mapToGlobal(below))
            return
        row = self.row_at(event.pos().y())
        if row is not None:
            self._current = rows.index(row)
            self.update()
            self.menu_asked.emit(row.token, event.globalPos())

    def tooltip(self, row: TokenRow) -> str:
        """What hovering over a row says."""
        shown = self.shown
        taken = f"\n{TAKEN} {shown.taken_how}" if shown is not None and row.token == shown.taken else ""
        force = "\nclick the token to force it and branch (Ctrl+Return)" if shown is not None and shown.forcible else ""
        return f"{row.readout}{taken}{force}\nclick a number to see where it comes from (Return)"

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            row = self.row_at(event.pos().y())
            if row is None:
                show_tip(event.globalPos(), self.toolTip(), self)
            else:
                show_tip(event.globalPos(), self.tooltip(row), self)
            return True
        return super().event(event)


def _number(row: TokenRow, column: str) -> str:
    """What stands in a column of numbers; empty where the row has none."""
    value = {"p": row.probability, "final": row.final, "log p": row.log_probability, "logit": row.logit}[column]
    return "" if value is None else short(value)
