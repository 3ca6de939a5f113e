"""The arcs widget: tokens on a line, arcs from queries to their keys above it, what each key receives below it."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QToolTip, QWidget

from visualizer.session.analysis.arc_weights import Weights
from visualizer.session.words.axis_labels import with_position
from visualizer.session.words.numbers import full, short
from visualizer.ui.heatmap.matrix import VISIBLE
from visualizer.ui.panels.arcs.line import TokenLine
from visualizer.ui.panels.arcs.paint import ArcsPainter, Look
from visualizer.ui.widgets.spoken import speak

EMPTY = "The prompt is empty. Type a few tokens to see which of them attend to which."
LONGEST = 12


class ArcsView(QWidget):
    """Attention of one head, or of the mean over a block's heads, as arcs.

    Signals:
        toggled(int): a token was clicked, or Return or Space pressed on it.
        all_wanted(): Ctrl+A.
        key_chosen(int): the bar under a token was clicked.
        let_go(): Esc was pressed.
        menu_asked(int, bool, QPoint): a right click at a global position: on a token (−1 for none), and whether on the
            bar below it.
    """

    toggled = Signal(int)
    all_wanted = Signal()
    key_chosen = Signal(int)
    let_go = Signal()
    menu_asked = Signal(int, bool, QPoint)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("arcs")
        self.setAccessibleName("Attention as arcs")
        self.setToolTip("Who attends to whom; click tokens to see theirs alone or summed (arrows, space, Esc)")
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self._weights: Weights | None = None
        self._chosen: frozenset[int] = frozenset()
        self._key: int | None = None
        self._cursor: int | None = None
        self._hovered: int | None = None
        self._walking = False
        self._message = EMPTY
        self._received: tuple[object, list[float]] | None = None
        self._painter = ArcsPainter(self.font())
        self._line = TokenLine(self, self._painter)

    # -- what is shown

    @property
    def weights(self) -> Weights | None:
        """Whose attention is shown; None before the first."""
        return self._weights

    @property
    def chosen(self) -> frozenset[int]:
        """The tokens whose weights are summed; none of them stands for all."""
        return self._chosen

    def set_weights(self, weights: Weights | None, message: str = EMPTY) -> None:
        """Show these weights, or without any a sentence in their place."""
        before, self._weights, self._message = self._weights, weights, message
        if weights is None:
            self._line.set_names([])
            self._received = None
            self._renew_painter()  # what was drawn goes, too
        elif before is None or before.labels != weights.labels:
            labels = (label.translate(VISIBLE) for label in weights.labels)
            shortened = (label if len(label) <= LONGEST else label[: LONGEST - 1] + "…" for label in labels)
            self._line.set_names([with_position(label, i) for i, label in enumerate(shortened)])
        count = 0 if weights is None else weights.count
        self._cursor = None if self._cursor is None or self._cursor >= count else self._cursor
        self._hovered = None if self._hovered is None or self._hovered >= count else self._hovered
        self._chosen = frozenset(place for place in self._chosen if place < count)
        self._describe()
        self.update()

    def _renew_painter(self) -> None:
        self._painter = ArcsPainter(self.font())
        self._line.set_painter(self._painter)

    def set_chosen(self, chosen: frozenset[int], key: int | None) -> None:
        """Frame these tokens and sum their weights; `key` is the token whose received weight is marked."""
        if (chosen, key) != (self._chosen, self._key):
            self._chosen, self._key = chosen, key
            self._describe()
            self.update()

    def pointed(self) -> int | None:
        """The token under the mouse, else the one that an arrow key went to: its arcs alone stand out."""
        if self._hovered is not None:
            return self._hovered
        return self._cursor if self._walking and self.hasFocus() else None

    def queries(self) -> list[int]:
        """The tokens whose weights the bars add up: the one pointed at, else the chosen ones, else all."""
        pointed = self.pointed()
        if pointed is not None:
            return [pointed]
        return sorted(self._chosen) if self._chosen else list(range(len(self._line.names)))

    def received(self) -> list[float]:
        """The number under each token."""
        if self._weights is None:
            return []
        queries = self.queries()
        key = (self._weights, queries)
        if self._received is None or self._received[0] != key:
            self._received = (key, self._weights.received(queries).tolist())
        return self._received[1]

    def summary(self) -> str:
        """Whose weights the bars add up, in words."""
        pointed = self.pointed()
        if self._weights is None:
            return ""
        if pointed is not None:
            return f"from {self._line.names[pointed]}"
        if not self._chosen:
            return f"summed over all {len(self._line.names)} tokens (click tokens to choose them)"
        names = [self._line.names[i] for i in sorted(self._chosen)]
        shown = ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")
        return f"from {shown}" if len(names) == 1 else f"summed over {shown}"

    def token_rect(self, place: int) -> QRectF:
        """Where a token lies. Raises IndexError for one that is not there."""
        return self._line.token_rect(place)

    def bar_rect(self, place: int) -> QRectF:
        """Where the weight that a token receives is drawn. Raises IndexError for a token that is not there."""
        return self._line.bar_rect(place)

    # -- words

    def readout(self, place: int) -> str:
        """A token in words: how much it receives, and what it attends to most."""
        weights = self._weights
        if weights is None:
            return ""
        dtype = weights.trace[weights.name].dtype
        lines = [f"{self._line.names[place]} receives {full(self.received()[place], dtype)} {self.summary()}"]
        best = weights.strongest([place], 3)[::-1]
        if best:
            attended = ", ".join(f"{self._line.names[key]} {short(weight)}" for _, key, weight in best)
            lines.append(f"attends to {attended}")
        return "\n".join(lines)

    def _describe(self) -> None:
        place = self._cursor
        if self._weights is None:
            self.setAccessibleDescription(self._message)
        elif place is None:
            self.setAccessibleDescription(f"{len(self._line.names)} tokens; weights {self.summary()}")
        else:
            state = "chosen" if place in self._chosen else "not chosen"
            self.setAccessibleDescription(f"{state}; " + self.readout(place).replace("\n", "; "))

    def _move_to(self, place: int) -> None:
        self._cursor, self._hovered, self._walking = place, None, True
        self._line.bring_into_view(place)
        self._describe()
        speak(self)
        self.update()

    # -- Qt

    def sizeHint(self) -> QSize:
        return QSize(480, 240)

    def minimumSizeHint(self) -> QSize:
        return QSize(160, 120)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        if self._weights is None:
            self._painter.paint_message(painter, QRectF(self.rect()), self._message)
        else:
            cursor = self._cursor if self.hasFocus() else None
            words, received = self.summary(), tuple(self.received())
            look = Look(tuple(self._line.names), self._chosen, self._key, self.pointed(), cursor, received, words)
            self._painter.paint(
                painter, self.size(), self._weights, self._line.places(), look, self.devicePixelRatioF()
            )
        painter.end()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._line.lay_out()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        place, below = self._line.token_at(event.position())
        self._point_at(None if below else place)

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._point_at(None)

    def _choose(self, place: int) -> None:
        """Toggle a token; what that changes is to be seen at once, not when mouse or cursor have left it."""
        self._cursor, self._hovered, self._walking = place, None, False
        self.toggled.emit(place)
        self.update()

    def _point_at(self, place: int | None) -> None:
        if place != self._hovered:
            self._hovered = place
            self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        place, below = self._line.token_at(event.position())
        if event.button() != Qt.MouseButton.LeftButton or place is None:
            super().mousePressEvent(event)
        elif below:
            self.key_chosen.emit(place)
        else:
            self._choose(place)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        place, below = self._line.token_at(QPointF(event.pos()))
        if self._weights is not None:
            self.menu_asked.emit(-1 if place is None else place, below, event.globalPos())

    def wheelEvent(self, event: QWheelEvent) -> None:
        delta = event.angleDelta().x() or event.angleDelta().y()
        self._line.scroll_by(-delta)
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, last = event.key(), len(self._line.names) - 1
        modifiers = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        moves = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1, Qt.Key.Key_Home: -last, Qt.Key.Key_End: last}
        if last >= 0 and key == Qt.Key.Key_A and modifiers == Qt.KeyboardModifier.ControlModifier:
            self._walking = False
            self.all_wanted.emit()
        elif last < 0 or modifiers:
            super().keyPressEvent(event)
        elif key in moves:
            start = self._cursor
            if start is None:
                start = max(self._chosen, default=-1 if key == Qt.Key.Key_Right else last + 1)
            self._move_to(min(max(start + moves[Qt.Key(key)], 0), last))
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            if self._cursor is not None:
                self._choose(self._cursor)
        elif key == Qt.Key.Key_Escape:
            self._cursor, self._walking = None, False
            self.let_go.emit()
            self._describe()
            self.update()
        else:
            super().keyPressEvent(event)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            place, below = self._line.token_at(QPointF(event.pos()))
            if place is None:
                QToolTip.showText(event.globalPos(), self.toolTip(), self)
            else:
                doing = "click to explain the weight" if below else "click to choose it, again to let go"
                QToolTip.showText(event.globalPos(), f"{self.readout(place)}\n{doing}", self)
            return True
        return super().event(event)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.FontChange:
            self._renew_painter()
        super().changeEvent(event)
