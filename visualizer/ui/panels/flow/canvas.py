"""The picture of the whole pass under mouse and keyboard: look around, choose a cell, open a block."""

from __future__ import annotations

import html
from dataclasses import dataclass

from pyqtgraph.GraphicsScene.mouseEvents import MouseClickEvent
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QFocusEvent, QHelpEvent, QKeyEvent, QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QToolTip, QWidget

from visualizer.session.analysis.landscape.shapes import Box, Tile
from visualizer.ui.panels.flow.marks import Cell
from visualizer.ui.panels.flow.view import FlowView
from visualizer.ui.widgets.spoken import speak
from visualizer.ui.widgets.zoom_keys import ZOOM_KEYS

READABLE = 40.0  # logical pixels of a cell's width after a double click on it
LARGE_SHARE = 0.5  # of the view: a matrix that fills so much of it is near

Place = tuple[int, int, int]  # tile, row, column


@dataclass(frozen=True)
class Spot:
    """What is under the mouse, where it is no cell: a block to open or close, one of its heads, a token's row."""

    block: int | None = None
    head: int | None = None
    row: int | None = None


class FlowCanvas(FlowView):
    """The wheel zooms around the pointer, the left button pans, the right one scales; a click chooses.

    Arrow keys go from cell to cell and across to the next matrix, Ctrl with them or Page keys from stage to stage; the
    space bar opens and closes the block that the cursor is in.

    Signals:
        cell_hovered(object): the place (tile, row, column) under mouse or cursor; None when it leaves.
        cell_chosen(object): a place was clicked, or Return was pressed on it.
        head_chosen(int, int): a head of a block was clicked: block, head.
        block_toggled(int): a block is to be opened or closed.
        row_chosen(int): a token at either end was clicked.
        let_go(): Esc was pressed.
        context_requested(object, QPoint): a menu is wanted for a place (or None), at this global position.
    """

    cell_hovered = Signal(object)
    cell_chosen = Signal(object)
    head_chosen = Signal(int, int)
    block_toggled = Signal(int)
    row_chosen = Signal(int)
    let_go = Signal()
    context_requested = Signal(object, QPoint)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._hovered: Place | None = None
        self.setObjectName("flowCanvas")
        self.setAccessibleName("Flow: the matrices of all stages")
        self.setToolTip("The whole pass: the wheel zooms, dragging moves, 0 fits; arrows go from cell to cell")
        self.setMouseTracking(True)
        self.scene().sigMouseClicked.connect(self._clicked)

    # -- what is where

    def place_at(self, point: QPointF) -> Place | None:
        """The cell under a point of the view."""
        x, y = self.camera.point(point)
        index = self.landscape.tile_at(x, y)
        if index is None:
            return None
        tile = self.landscape.tiles[index]
        cell = tile.box.cell_at(x, y, *tile.matrix.size)
        return (index, *cell) if cell is not None else None

    def spot_at(self, point: QPointF) -> Spot | None:
        """What else can be clicked at a point of the view."""
        x, y = self.camera.point(point)
        for heads in self.landscape.heads:
            head = heads.head_at(x, y)
            if head is not None:
                return Spot(heads.block, head)
        for frame in self.landscape.frames:
            if frame.header.holds(x, y):
                return Spot(frame.block)
        for end in (self.landscape.prompt, self.landscape.prediction):
            cell = end.cell_at(x, y, self.landscape.count, 1)
            if cell is not None:
                return Spot(row=cell[0])
        return None

    def point_of(self, tile: int, row: int, column: int) -> QPointF:
        """The middle of a cell in the view."""
        return self.camera.rect(self.landscape.tiles[tile].cell(row, column)).center()

    def readout(self, place: Place) -> str:
        """A cell in words with all its digits; empty where it has none yet."""
        value = self.value(*place)
        if self.content is None or value is None:
            return ""
        return self.content.readout(self.landscape.tiles[place[0]].matrix, place[1], place[2], value)

    def set_cursor(self, index: int, cell: Cell) -> None:
        """Put the keyboard's cursor on a cell, bring it into sight, and tell listeners and screen reader."""
        self.cursor_at = (index, cell)
        tile = self.landscape.tiles[index]
        self.reveal(tile.cell(*cell))
        place = (index, *cell)
        speak(self, f"{tile.matrix.title}: {self.readout(place)}")
        self.cell_hovered.emit(place)
        self.viewport().update()

    # -- keyboard

    def _start(self) -> tuple[int, Cell] | None:
        """Where the cursor first stands: on the chosen cell, else on the first one in sight of the lit row."""
        marks = self._scenery.marks
        for index, cell in marks.cells.items():
            return index, cell
        seen = [i for i, tile in enumerate(self.landscape.tiles) if self.box.viewRect().contains(*tile.box.middle)]
        activations = [i for i in seen or range(len(self.landscape.tiles)) if self._is_activation(i)]
        if not activations:
            return None
        return activations[0], self._clamped(activations[0], (marks.row or 0, 0))

    def _is_activation(self, index: int) -> bool:
        tile = self.landscape.tiles[index]
        return tile.matrix.kind == "activation" and min(tile.matrix.size) > 0

    def _clamped(self, index: int, cell: Cell) -> Cell:
        rows, columns = self.landscape.tiles[index].matrix.size
        return min(max(cell[0], 0), rows - 1), min(max(cell[1], 0), columns - 1)

    def _stage(self, index: int, step: int) -> tuple[int, Cell]:
        """The next or previous matrix, in the same row."""
        target = min(max(index + step, 0), len(self.landscape.tiles) - 1)
        assert self.cursor_at is not None
        return target, self._clamped(target, self.cursor_at[1] if target == index else (self.cursor_at[1][0], 0))

    def _neighbour(self, index: int, cell: Cell, down: int, across: int) -> tuple[int, Cell]:
        """One cell on; at a matrix' side, the same token in the next activation."""
        columns = self.landscape.tiles[index].matrix.size[1]
        row, column = cell[0] + down, cell[1] + across
        if 0 <= column < columns:
            return index, self._clamped(index, (row, column))
        others = range(index + 1, len(self.landscape.tiles)) if across > 0 else range(index - 1, -1, -1)
        target = next((i for i in others if self._is_activation(i)), None)
        if target is None:
            return index, cell
        height = self.landscape.tiles[index].cell(*cell).middle[1]
        tile = self.landscape.tiles[target]
        row = int((height - tile.box.top) / tile.box.height * tile.matrix.size[0])
        return target, self._clamped(target, (row, 0 if across > 0 else tile.matrix.size[1] - 1))

    def _moved(self, key: int, far: bool) -> tuple[int, Cell] | None:
        """Where a key takes the cursor; `far` is Ctrl. None for other keys."""
        steps = {Qt.Key.Key_Up: (-1, 0), Qt.Key.Key_Down: (1, 0), Qt.Key.Key_Left: (0, -1), Qt.Key.Key_Right: (0, 1)}
        others = (Qt.Key.Key_PageUp, Qt.Key.Key_PageDown, Qt.Key.Key_Home, Qt.Key.Key_End)
        if key not in steps and key not in others:
            return None
        if self.cursor_at is None:
            return self._start()
        index, (row, column) = self.cursor_at
        if key in (Qt.Key.Key_Home, Qt.Key.Key_End):
            last = key == Qt.Key.Key_End
            if far:
                return self._stage(index, len(self.landscape.tiles) * (1 if last else -1))
            return index, (row, self.landscape.tiles[index].matrix.size[1] - 1 if last else 0)
        if key in (Qt.Key.Key_PageUp, Qt.Key.Key_PageDown):
            return self._stage(index, 1 if key == Qt.Key.Key_PageDown else -1)
        down, across = steps[Qt.Key(key)]
        return self._stage(index, down + across) if far else self._neighbour(index, (row, column), down, across)

    # -- mouse

    def _hover(self, place: Place | None) -> None:
        if place != self._hovered:
            self._hovered = place
            self.cell_hovered.emit(place)

    def _clicked(self, event: MouseClickEvent) -> None:
        """A button went up where it went down."""
        point = QPointF(event.scenePos())
        place = self.place_at(point)
        if event.button() == Qt.MouseButton.RightButton:
            self.context_requested.emit(place, event.screenPos().toPoint())
        elif event.button() == Qt.MouseButton.LeftButton and event.double():
            self._go_nearer(point, place)
        elif event.button() == Qt.MouseButton.LeftButton and place is not None:
            self.cursor_at = (place[0], place[1:])
            self.cell_chosen.emit(place)
            self.viewport().update()
        elif event.button() == Qt.MouseButton.LeftButton and (spot := self.spot_at(point)) is not None:
            if spot.row is not None:
                self.row_chosen.emit(spot.row)
            elif spot.head is not None and spot.block is not None:
                self.head_chosen.emit(spot.block, spot.head)
            elif spot.block is not None:
                self.block_toggled.emit(spot.block)

    def _go_nearer(self, point: QPointF, place: Place | None) -> None:
        """From the whole to a matrix, from there to a cell's digits; beside the matrices, back to the whole."""
        if place is None:
            if self.spot_at(point) is None:
                self.fit()
            return
        tile = self.landscape.tiles[place[0]]
        shown = self.camera.rect(tile.box)
        if (
            max(shown.width() / self.width(), shown.height() / self.height()) < LARGE_SHARE
            or shown.width() < READABLE * 2
        ):
            self.show_box(self._surroundings(tile))
        elif (width := shown.width() / tile.matrix.size[1]) < READABLE:
            self.zoom_by(READABLE / width, point)

    def _surroundings(self, tile: Tile) -> Box:
        """A matrix with its titles."""
        box = tile.box
        if tile.matrix.kind == "parameter":
            return box
        top = self.landscape.stream_height
        return Box(box.left, top, box.width, box.bottom - top)

    # -- Qt

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            text = self._tip(QPointF(event.pos()))
            QToolTip.showText(event.globalPos(), f"<p style='white-space:pre'>{html.escape(text)}</p>", self.viewport())
            return True
        if event.type() == QEvent.Type.Leave:
            self._hover(None)
        return super().viewportEvent(event)

    def _tip(self, point: QPointF) -> str:
        place, spot = self.place_at(point), self.spot_at(point)
        if place is not None and self.content is not None and (value := self.value(*place)) is not None:
            tile = self.landscape.tiles[place[0]]
            return self.content.tip(tile.matrix, place[1], place[2], value, self._scenery.pictures[tile.key].odd)
        if spot is None or spot.block is None:
            return self.toolTip()
        opened = spot.block in self.opened
        if spot.head is not None:
            return f"block {spot.block}, head {spot.head}: softmax weights; click to choose it"
        remarks = self.content.block_remarks(spot.block) if self.content is not None else []
        words = "".join(f"\n{remark.sign} {remark.words}" for remark in remarks)
        return f"block {spot.block}: click to {'close' if opened else 'open'} it{words}"

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        super().mouseMoveEvent(event)
        if event.buttons() != Qt.MouseButton.NoButton:
            self._hover(None)
            return
        place = self.place_at(event.position())
        self._hover(place)
        weights = place is not None and self.landscape.tiles[place[0]].matrix.kind == "parameter"
        hand = weights or (place is None and self.spot_at(event.position()) is not None)
        self.viewport().setCursor(Qt.CursorShape.PointingHandCursor if hand else Qt.CursorShape.ArrowCursor)

    def wheelEvent(self, event: QWheelEvent) -> None:
        super().wheelEvent(event)
        self._hover(self.place_at(event.position()))
        event.accept()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        event.accept()  # with the mouse, a click asks for it: the right button also scales
        if event.reason() == QContextMenuEvent.Reason.Keyboard and self.cursor_at is not None:
            place = (self.cursor_at[0], *self.cursor_at[1])
            self.context_requested.emit(place, self.viewport().mapToGlobal(self.point_of(*place).toPoint()))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, modifiers = event.key(), event.modifiers()
        moved = None
        if self.landscape.tiles:
            moved = self._moved(key, bool(modifiers & Qt.KeyboardModifier.ControlModifier))
        if moved is not None:
            self.set_cursor(*moved)
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.cursor_at is not None:
            self.cell_chosen.emit((self.cursor_at[0], *self.cursor_at[1]))
        elif key == Qt.Key.Key_Space and self.cursor_at is not None:
            block = self.landscape.tiles[self.cursor_at[0]].block
            if block is not None:
                self.block_toggled.emit(block)
        elif key == Qt.Key.Key_Escape:
            self.let_go.emit()
        elif key in ZOOM_KEYS:
            self.zoom_by(ZOOM_KEYS[Qt.Key(key)])
        else:
            event.ignore()

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        by_key = event.reason() in (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason)
        if by_key and self.cursor_at is None and self.landscape.tiles:
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
