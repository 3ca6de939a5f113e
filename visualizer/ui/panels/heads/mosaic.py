"""The mosaic widget: every head's pattern in one picture, each a tile that can be pointed at and chosen."""

from __future__ import annotations

import math

from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
)
from PySide6.QtWidgets import QToolTip, QWidget

from visualizer.engine.head_scores import SCORES, Role, main_role
from visualizer.session.words.numbers import short
from visualizer.ui.panels.heads.layout import MODEL, ROLE_NAMES, MosaicLayout, arrange, grouped
from visualizer.ui.panels.heads.paint import Look, MosaicPainter
from visualizer.ui.panels.heads.tiles import Heads
from visualizer.ui.widgets.spoken import speak

EMPTY = "The prompt is empty. Type a few tokens to see what every head attends to."


class HeadMosaic(QWidget):
    """All heads as tiles, in an order; one of them may be chosen.

    Signals:
        hovered(object): (head, query, key) under the mouse, query and key -1 beside or between cells; or None.
        clicked(int): a head was clicked, or Return or Space pressed on it.
        moved(int): an arrow key went to this head.
        let_go(): Esc was pressed.
        context_requested(object, QPoint): a menu is wanted for (head, query, key) at this global position.
    """

    hovered = Signal(object)
    clicked = Signal(int)
    moved = Signal(int)
    let_go = Signal()
    context_requested = Signal(object, QPoint)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("headMosaic")
        self.setAccessibleName("Heads")
        self.setToolTip("The pattern of every head; arrows choose, Esc lets go, the menu key offers to intervene")
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self._heads: Heads | None = None
        self._order, self._message = MODEL, EMPTY
        self._current, self._held = 0, False
        self._hovered: int | None = None
        self._room = QSize(400, 300)
        self._layout: tuple[object, MosaicLayout] | None = None
        self._painter = MosaicPainter(self.font())

    # -- what is shown

    @property
    def heads(self) -> Heads | None:
        """Whose patterns are shown; None before the first."""
        return self._heads

    @property
    def current(self) -> int:
        """The chosen head, as layer · heads + head."""
        return self._current

    @property
    def held(self) -> bool:
        """Whether the chosen head is framed as the user's choice."""
        return self._held

    def set_heads(self, heads: Heads | None, order: str, message: str = EMPTY) -> None:
        """Show these heads in one of ORDERS, or without any a sentence in their place."""
        self._heads, self._order, self._message = heads, order, message
        self._hovered = None
        if heads is None:  # nor what was drawn of them
            self._painter, self._layout = MosaicPainter(self.font()), None
        self._fit()
        self._describe()
        self.update()

    def set_current(self, head: int, held: bool) -> None:
        """Which head the other panels show, and whether it is framed as chosen."""
        self._current, self._held = head, held
        self._describe()
        self.update()

    def set_room(self, room: QSize) -> None:
        """The size that the mosaic should fill, and exceeds only where the smallest tiles do."""
        self._room = room
        self._fit()

    def layout_now(self) -> MosaicLayout | None:
        """Where every head lies; None without heads."""
        heads = self._heads
        if heads is None:
            return None
        key = (heads, self._order, self._room.toTuple(), self.font().key())
        if self._layout is None or self._layout[0] != key:
            per_layer = heads.shape[1] if self._order == MODEL else None
            groups, room = grouped(heads, self._order), (self._room.width(), self._room.height())
            self._layout = (key, arrange(*room, groups, per_layer, **self._painter.margins(heads, self._order)))
        return self._layout[1]

    def order_shown(self) -> list[int]:
        """The heads in the order in which they lie."""
        layout = self.layout_now()
        return [] if layout is None else list(layout.places)

    def role(self, head: int) -> Role | None:
        """What a head mainly does."""
        assert self._heads is not None
        return main_role(self._heads.scores, *divmod(head, self._heads.shape[1]))

    def readout(self, head: int) -> str:
        """A head in words: where it is, what it mainly does, and its scores."""
        heads = self._heads
        if heads is None:
            return ""
        layer, number = divmod(head, heads.shape[1])
        role = self.role(head)
        what = "nothing clear" if role is None else f"mainly {ROLE_NAMES[role.name][0]}"
        if head in heads.intervened:
            what += f"; {heads.intervened[head]} by an intervention"
        scores = (
            f"{ROLE_NAMES[name][0]} {'undefined' if math.isnan(score) else short(score)}"
            for name in SCORES
            for score in [float(heads.scores[name][layer, number])]
        )
        return f"block {layer}, head {number}: {what}\n" + "\n".join(scores)

    def _fit(self) -> None:
        layout = self.layout_now()
        if layout is None:
            self.setMinimumSize(0, 0)
        else:
            self.setMinimumSize(_beyond(layout.width, self._room.width()), _beyond(layout.height, self._room.height()))

    def _describe(self) -> None:
        if self._heads is None:
            self.setAccessibleDescription(self._message)
        else:
            self.setAccessibleDescription(self.readout(self._current).replace("\n", "; "))

    # -- pointing

    def cell_at(self, point: QPointF) -> tuple[int, int, int] | None:
        """(head, query, key) under a point; query and key are -1 where none is or several share the pixel."""
        layout, heads = self.layout_now(), self._heads
        head = None if layout is None else layout.at(point)
        if layout is None or heads is None or head is None:
            return None
        rect = layout.rect(head)
        column = int((point.x() - rect.left()) / rect.width() * heads.count)
        row = int((point.y() - rect.top()) / rect.height() * heads.count)
        single = heads.count <= layout.side and 0 <= row < heads.count and 0 <= column < heads.count
        return (head, row, column) if single else (head, -1, -1)

    def _point_at(self, cell: tuple[int, int, int] | None) -> None:
        head = None if cell is None else cell[0]
        if head != self._hovered:
            self._hovered = head
            self.update()
        self.hovered.emit(cell)

    def _move_to(self, head: int) -> None:
        self.moved.emit(head)
        speak(self)

    # -- Qt

    def sizeHint(self) -> QSize:
        return QSize(480, 320)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        layout, heads = self.layout_now(), self._heads
        if layout is None or heads is None:
            self._painter.paint_message(painter, QRectF(self.rect()), self._message)
        else:
            look = Look(self._order, self._current, self._held, self._hovered, self.hasFocus())
            self._painter.paint(painter, self.size(), heads, layout, look, self.devicePixelRatioF())
        painter.end()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._point_at(self.cell_at(event.position()))

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._point_at(None)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        cell = self.cell_at(event.position())
        if event.button() == Qt.MouseButton.LeftButton and cell is not None:
            self.clicked.emit(cell[0])
        else:
            super().mousePressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        keyboard = event.reason() == QContextMenuEvent.Reason.Keyboard
        cell = (self._current, -1, -1) if keyboard else self.cell_at(QPointF(event.pos()))
        layout = self.layout_now()
        if cell is None or layout is None:
            return
        where = self.mapToGlobal(layout.rect(cell[0]).center().toPoint()) if keyboard else event.globalPos()
        self.context_requested.emit(cell, where)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        layout, key = self.layout_now(), event.key()
        if layout is None or event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier:
            super().keyPressEvent(event)
        elif key in _ARROWS:
            self._move_to(layout.neighbour(self._current, *_ARROWS[Qt.Key(key)]))
        elif key in (Qt.Key.Key_Home, Qt.Key.Key_End):
            self._move_to(list(layout.places)[0 if key == Qt.Key.Key_Home else -1])
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.clicked.emit(self._current)
        elif key == Qt.Key.Key_Escape:
            self.let_go.emit()
        else:
            super().keyPressEvent(event)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            cell = self.cell_at(QPointF(event.pos()))
            if cell is None:
                QToolTip.showText(event.globalPos(), self.toolTip(), self)
            else:
                QToolTip.showText(event.globalPos(), self.readout(cell[0]) + "\nclick to choose it", self)
            return True
        return super().event(event)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.FontChange:
            self._painter = MosaicPainter(self.font())
            self._layout = None
            self._fit()
        super().changeEvent(event)


_ARROWS = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, -1),
    Qt.Key.Key_Down: (0, 1),
}


def _beyond(needed: float, room: int) -> int:
    """The size to insist on: none where the room suffices."""
    return math.ceil(needed) if needed > room + 1 else 0
