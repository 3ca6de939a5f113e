"""The mosaic widget: the picture of all heads, each of which can be pointed at and chosen."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QFocusEvent, QHelpEvent, QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QWidget

from visualizer.ui.panels.heads.picture import MosaicPicture
from visualizer.ui.widgets.plain_text import show_tip
from visualizer.ui.widgets.spoken import speak
from visualizer.ui.widgets.zoom_keys import ZOOM_KEYS


class HeadMosaic(MosaicPicture):
    """The mosaic, which answers to mouse and keyboard: a click without a drag chooses a head.

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
        self._box.clicked.connect(self._click)
        self._box.menu_wanted.connect(self._menu)

    # -- pointing

    def cell_at(self, point: QPointF) -> tuple[int, int, int] | None:
        """(head, query, key) under a point; query and key are -1 where none is or several share the pixel."""
        layout, heads, placing = self._layout, self._heads, self._placing()
        if layout is None or heads is None or not placing.area.contains(point):
            return None
        across, down = placing.scale
        x = placing.left + (point.x() - placing.area.left()) / across
        y = placing.top + (point.y() - placing.area.top()) / down
        head = layout.at(QPointF(x, y))
        if head is None:
            return None
        left, top = layout.corner(head)
        row, column = int((y - top) // layout.repeat), int((x - left) // layout.repeat)
        each = layout.repeat * min(across, down)
        single = each >= 1 and heads.count == heads.tiles.shape[-1] and row < heads.count and column < heads.count
        return (head, row, column) if single else (head, -1, -1)

    def _point_at(self, cell: tuple[int, int, int] | None) -> None:
        self._set_look(replace(self._look, hovered=None if cell is None else cell[0]))
        self.hovered.emit(cell)

    def _click(self, point: QPointF) -> None:
        cell = self.cell_at(point)
        if cell is not None:
            self.clicked.emit(cell[0])

    def _menu(self, point: QPointF, where: QPoint) -> None:
        cell = self.cell_at(point)
        if cell is not None:
            self.context_requested.emit(cell, where)

    def _move_to(self, head: int) -> None:
        self.moved.emit(head)
        speak(self)

    # -- Qt

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        super().mouseMoveEvent(event)
        if event.buttons() == Qt.MouseButton.NoButton:
            self._point_at(self.cell_at(event.position()))

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        if event.reason() == QContextMenuEvent.Reason.Keyboard and self._layout is not None:
            where = self.mapToGlobal(self.tile_rect(self.current).center().toPoint())
            self.context_requested.emit((self.current, -1, -1), where)
        event.accept()  # the mouse's menu comes when the button is let go of: its drag scales

    def inputMethodQuery(self, query: Qt.InputMethodQuery) -> object:
        """Where the menu key asks for a menu: on the chosen head."""
        if query == Qt.InputMethodQuery.ImCursorRectangle:
            return QRect() if self._layout is None else self.tile_rect(self.current).toRect()
        return super().inputMethodQuery(query)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        layout, key = self._layout, event.key()
        modifiers = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        if layout is None or (modifiers and key != Qt.Key.Key_Plus):
            event.ignore()
        elif key in _ARROWS:
            self._move_to(layout.neighbour(self.current, *_ARROWS[Qt.Key(key)]))
        elif key in (Qt.Key.Key_Home, Qt.Key.Key_End):
            self._move_to(list(layout.places)[0 if key == Qt.Key.Key_Home else -1])
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.clicked.emit(self.current)
        elif key == Qt.Key.Key_Escape:
            self.let_go.emit()
        elif key in ZOOM_KEYS:
            self.zoom_by(ZOOM_KEYS[Qt.Key(key)])
        elif key == Qt.Key.Key_0:
            self.fit()
        else:
            event.ignore()

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self._set_look(replace(self._look, focused=True))

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self._set_look(replace(self._look, focused=False))

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._point_at(None)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            cell = self.cell_at(QPointF(event.pos()))
            text = self.toolTip() if cell is None else self.readout(cell[0]) + "\nclick to choose it"
            show_tip(event.globalPos(), text, self)
            return True
        return super().event(event)


_ARROWS = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, -1),
    Qt.Key.Key_Down: (0, 1),
}
