"""The flow view's canvas under mouse and keyboard: wander over the stages, zoom into a cell, choose it."""

from __future__ import annotations

import html

from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QFocusEvent,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QApplication, QToolTip, QWidget

from visualizer.ui.panels.flow.paint import Cell
from visualizer.ui.panels.flow.view import FlowView
from visualizer.ui.widgets.plain_text import show_tip
from visualizer.ui.widgets.spoken import speak

ZOOM_STEP = 1.25
WHEEL_NOTCH = 120.0  # eighths of a degree
SCROLL_SHARE = 2 / 3  # logical pixels a unit of the wheel's angle
READABLE = 40.0  # logical pixels of a cell's width after a double click on it
LARGE_SHARE = 0.5  # of the view: a matrix that fills so much of it is near

Place = tuple[int, int, int]  # tile, row, column


class FlowCanvas(FlowView):
    """Arrow keys go from cell to cell and across to the next matrix, Ctrl with them or Page keys from stage to stage.

    A double click goes nearer: from the stack to a block, to a matrix, to a cell's digits; on the ground it goes back.

    Signals:
        cell_hovered(object): the place (tile, row, column) under mouse or cursor; None when it leaves.
        cell_chosen(object): a place was clicked, or Return was pressed on it.
        let_go(): Esc was pressed.
        context_requested(object, QPoint): a menu is wanted for a place, at this global position.
    """

    cell_hovered = Signal(object)
    cell_chosen = Signal(object)
    let_go = Signal()
    context_requested = Signal(object, QPoint)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._hovered: Place | None = None
        self._pressed: QPointF | None = None
        self._panned_from: QPointF | None = None
        self.setObjectName("flowCanvas")
        self.setAccessibleName("Flow: the matrices of all stages")
        self.setToolTip("All stages and shapes; arrows move, Page Up and Down change the matrix, + and − zoom")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.viewport().setMouseTracking(True)

    def place_at(self, point: QPointF) -> Place | None:
        """The cell under a point of the view."""
        spot = self.camera.canvas(point)
        index = self.scene.tile_at(spot)
        cell = self.scene.tiles[index].cell_at(spot) if index is not None else None
        return (index, *cell) if index is not None and cell is not None else None

    def point_of(self, tile: int, row: int, column: int) -> QPointF:
        """The middle of a cell in the view."""
        return self.camera.point(self.scene.tiles[tile].cell_rect(row, column).center())

    def readout(self, place: Place) -> str:
        """A cell in words with all its digits; empty where it has none yet."""
        tile = self.scene.tiles[place[0]]
        value = self.value(tile, place[1], place[2])
        return self._content.readout(tile, place[1], place[2], value) if self._content and value is not None else ""

    def set_cursor(self, tile: int, cell: Cell) -> None:
        """Put the keyboard's cursor on a cell, bring it into sight, and tell listeners and screen reader."""
        self.cursor_at = (tile, cell)
        target = self.scene.tiles[tile]
        rect = target.cell_rect(*cell)
        if target.slot.height() * self.camera.scale < self._height() * LARGE_SHARE:
            rect = rect.united(QRectF(rect.left(), target.slot.top(), rect.width(), 1.0))
        self.reveal(rect)
        place = (tile, *cell)
        description = f"{target.stage.title}, {target.matrix.title}: {self.readout(place)}"
        speak(self, description)
        self.cell_hovered.emit(place)
        self.viewport().update()

    # -- keyboard

    def _start(self) -> tuple[int, Cell] | None:
        """Where the cursor first stands: on the chosen cell or the matrix nearest to the view's corner."""
        for index, marks in self._marks.items():
            if marks.cell is not None:
                return index, marks.cell
        nearest = self.scene.nearest(self.camera.canvas(QPointF(40, 60)))
        return (nearest, (0, 0)) if nearest is not None and min(self.scene.tiles[nearest].matrix.size) else None

    def _stage(self, tile: int, step: int) -> tuple[int, Cell]:
        """The next or previous matrix."""
        target = min(max(tile + step, 0), len(self.scene.tiles) - 1)
        return target, (0, 0) if target != tile or self.cursor_at is None else self.cursor_at[1]

    def _neighbour(self, tile: int, cell: Cell, down: int, across: int) -> tuple[int, Cell]:
        """One cell on, or into the nearest matrix in that direction."""
        rows, columns = self.scene.tiles[tile].matrix.size
        row, column = cell[0] + down, cell[1] + across
        if 0 <= row < rows and 0 <= column < columns:
            return tile, (row, column)
        here = self.scene.tiles[tile].cell_rect(*cell).center()
        best: tuple[float, int, Cell] | None = None
        for i, other in enumerate(self.scene.tiles):
            if i == tile or not min(other.matrix.size):
                continue
            rect = other.rect
            near = QPointF(
                min(max(here.x(), rect.left() + other.cell_width / 2), rect.right() - other.cell_width / 2),
                min(max(here.y(), rect.top() + other.cell_height / 2), rect.bottom() - other.cell_height / 2),
            )
            ahead = (near.x() - here.x()) * across + (near.y() - here.y()) * down
            aside = abs((near.x() - here.x()) * down) + abs((near.y() - here.y()) * across)
            target = other.cell_at(near)
            if ahead > 0 and target is not None and (best is None or ahead + 2 * aside < best[0]):
                best = (ahead + 2 * aside, i, target)
        return (best[1], best[2]) if best is not None else (tile, cell)

    def _moved(self, key: int, far: bool) -> tuple[int, Cell] | None:
        """Where a key takes the cursor; `far` is Ctrl. None for other keys."""
        steps = {
            Qt.Key.Key_Up: (-1, 0),
            Qt.Key.Key_Down: (1, 0),
            Qt.Key.Key_Left: (0, -1),
            Qt.Key.Key_Right: (0, 1),
        }
        others = (Qt.Key.Key_PageUp, Qt.Key.Key_PageDown, Qt.Key.Key_Home, Qt.Key.Key_End)
        if key not in steps and key not in others:
            return None
        if self.cursor_at is None:
            return self._start()
        tile, (row, column) = self.cursor_at
        columns = self.scene.tiles[tile].matrix.size[1]
        if key in (Qt.Key.Key_Home, Qt.Key.Key_End):
            last = key == Qt.Key.Key_End
            if far:
                return self._stage(tile, len(self.scene.tiles) if last else -len(self.scene.tiles))
            return tile, (row, columns - 1 if last else 0)
        if key in (Qt.Key.Key_PageUp, Qt.Key.Key_PageDown):
            return self._stage(tile, 1 if key == Qt.Key.Key_PageDown else -1)
        down, across = steps[Qt.Key(key)]
        return self._stage(tile, down + across) if far else self._neighbour(tile, (row, column), down, across)

    # -- mouse

    def _hover(self, place: Place | None) -> None:
        if place != self._hovered:
            self._hovered = place
            self.cell_hovered.emit(place)

    def _go_nearer(self, point: QPointF) -> None:
        spot = self.camera.canvas(point)
        place = self.place_at(point)
        if place is None:
            section = self.scene.section_at(spot)
            block = self.scene.sections[section].block if section is not None else None
            far = self.camera.scale < 0.99 * self._block_scale(block)
            if block is not None and far:
                self.fit_block(block)
            else:
                self.fit_stack()
            return
        tile = self.scene.tiles[place[0]]
        shown = self.camera.rect(tile.rect)
        near = max(shown.width() / self._width(), shown.height() / self._height()) >= LARGE_SHARE
        if not near:
            self.show_rect(tile.slot)
        elif tile.cell_width * self.camera.scale < READABLE:
            self.zoom_by(READABLE / (tile.cell_width * self.camera.scale), point)

    def _block_scale(self, block: int | None) -> float:
        frame = self.scene.frame_of_block(block) if block is not None else QRectF()
        return self._width() / frame.width() * 0.7 if frame.width() else 0.0

    # -- Qt

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            place = self.place_at(QPointF(event.pos()))
            value = self.value(self.scene.tiles[place[0]], place[1], place[2]) if place is not None else None
            if place is None or value is None or self._content is None:
                show_tip(event.globalPos(), self.toolTip(), self)
            else:
                text = html.escape(self._content.tip(self.scene.tiles[place[0]], place[1], place[2], value))
                QToolTip.showText(event.globalPos(), f"<p style='white-space:pre'>{text}</p>", self.viewport())
            return True
        if event.type() == QEvent.Type.Leave:
            self._hover(None)
        return super().viewportEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        point = event.position()
        far = (
            self._pressed is not None and (point - self._pressed).manhattanLength() >= QApplication.startDragDistance()
        )
        if far and self._panned_from is None:
            self._panned_from = self._pressed
            self._hover(None)
            self.viewport().setCursor(Qt.CursorShape.ClosedHandCursor)
        if self._panned_from is not None:
            step = point - self._panned_from
            self._panned_from = point
            self.scroll_by(step.x(), step.y())
            return
        self._hover(self.place_at(point))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._pressed = event.position()
        elif event.button() == Qt.MouseButton.MiddleButton:
            self._pressed = self._panned_from = event.position()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        clicked = self._pressed is not None and self._panned_from is None
        self._pressed = self._panned_from = None
        self.viewport().unsetCursor()
        if not clicked or event.button() != Qt.MouseButton.LeftButton:
            return
        place = self.place_at(event.position())
        if place is not None:
            self.cursor_at = (place[0], place[1:])
            self.cell_chosen.emit(place)
            self.viewport().update()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self._pressed = None  # the release that follows is no click
        if event.button() == Qt.MouseButton.LeftButton and self.scene.tiles:
            self._go_nearer(event.position())

    def wheelEvent(self, event: QWheelEvent) -> None:
        angle, pixels = event.angleDelta(), event.pixelDelta()
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.zoom_by(ZOOM_STEP ** (angle.y() / WHEEL_NOTCH), event.position())
        else:
            dx, dy = float(pixels.x()), float(pixels.y())
            if pixels.isNull():
                dx, dy = angle.x() * SCROLL_SHARE, angle.y() * SCROLL_SHARE
            if event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
                dx, dy = dy, dx
            self.scroll_by(dx, dy)
        self._hover(self.place_at(event.position()))
        event.accept()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        if event.reason() == QContextMenuEvent.Reason.Keyboard:
            if self.cursor_at is not None:
                place = (self.cursor_at[0], *self.cursor_at[1])
                where = self.viewport().mapToGlobal(self.point_of(*place).toPoint())
                self.context_requested.emit(place, where)
            return
        under = self.place_at(QPointF(event.pos()))
        if under is not None:
            self.context_requested.emit(under, event.globalPos())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, modifiers = event.key(), event.modifiers()
        moved = None
        if self.scene.tiles:
            moved = self._moved(key, bool(modifiers & Qt.KeyboardModifier.ControlModifier))
        if moved is not None:
            self.set_cursor(*moved)
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.cursor_at is not None:
            self.cell_chosen.emit((self.cursor_at[0], *self.cursor_at[1]))
        elif key == Qt.Key.Key_Escape:
            self.let_go.emit()
        elif key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal):
            self.zoom_by(ZOOM_STEP)
        elif key == Qt.Key.Key_Minus:
            self.zoom_by(1 / ZOOM_STEP)
        else:
            event.ignore()

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        by_key = event.reason() in (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason)
        if by_key and self.cursor_at is None and self.scene.tiles:
            start = self._start()
            if start is not None:
                self.set_cursor(*start)
        elif self.cursor_at is not None and event.reason() != Qt.FocusReason.MouseFocusReason:
            self.cell_hovered.emit((self.cursor_at[0], *self.cursor_at[1]))  # back from a menu, say
        self.viewport().update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.cell_hovered.emit(None)
        self.viewport().update()
