"""The weight panel: the chosen parameter as an editable grid, and what can be done to its cells."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QItemSelection, QPoint, Qt
from PySide6.QtGui import QAction, QGuiApplication, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QMenu, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from visualizer.errors import EditError, InputError
from visualizer.session.document import cell_edits
from visualizer.session.document.cells import Cells
from visualizer.session.document.edits import Edit, reset_parameters
from visualizer.session.selection import CellRef, Chosen
from visualizer.session.session import Session
from visualizer.session.words.axis_labels import qkv_bands
from visualizer.session.words.comparison import ADDED
from visualizer.session.words.parameters import meaning, shape_text
from visualizer.session.words.spreadsheet import format_block, parse_block
from visualizer.session.words.typed_numbers import parse_number
from visualizer.ui.bridge.panel import SessionPanel
from visualizer.ui.panels.weights.actions import weight_actions
from visualizer.ui.panels.weights.sweep import Sweeper
from visualizer.ui.panels.weights.table import WeightTableModel
from visualizer.ui.panels.weights.view import WeightView
from visualizer.ui.widgets.buttons import action_button

_IN_A_ROW = ("fillWeights", "scaleWeights", "zeroWeights")
_RESETS = ("resetCells", "resetMatrix", "resetAll")


@dataclass(frozen=True)
class _Place:
    """Where the user was in a parameter: cursor, selection, and how far it was scrolled."""

    row: int
    column: int
    blocks: tuple[tuple[int, int, int, int], ...]
    scrolled: tuple[int, int]


class WeightPanel(SessionPanel):
    """The grid of `selection.parameter`. Every change goes to the document as one named step.

    The grid follows the document by its own model, and the chosen parameter even while nobody sees it.
    """

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(session, parent)
        self.setObjectName("weightPanel")
        self._places: dict[str, _Place] = {}
        self.table = WeightTableModel(session.document, session.selection.now.parameter, self)
        self.view = WeightView(self.table, self)
        self._sweeper = Sweeper(session.document, self.table, self)
        self._title = _Title(self)
        self._value = QLineEdit(self)
        self._build()
        self.table.refused.connect(self.message)
        self.table.modelReset.connect(self._show)
        self.table.dataChanged.connect(self.view.widen)
        self._sweeper.message.connect(self.message)
        self.view.swept.connect(self._sweeper.move)
        self.view.sweep_ended.connect(self._sweeper.end)
        self.view.cell_chosen.connect(self._cell_chosen)
        self.view.entered.connect(lambda index: self._hover(index.row(), index.column()))
        self.view.left.connect(lambda: self.session.selection.hover(None))
        self.view.delegate.refused.connect(lambda _editor, text: self.message.emit(text))
        self.view.delegate.fill_asked.connect(self._fill_with)
        self._show()

    def _build(self) -> None:
        self.actions_by_name = weight_actions(
            {
                "copyWeights": self.copy,
                "pasteWeights": self.paste,
                "zeroWeights": self.zero,
                "fillWeights": lambda: self._with_value(self._fill_with, "fill"),
                "scaleWeights": lambda: self._with_value(self._scale_by, "scale"),
                "sweepUp": lambda: self._sweep(1.0),
                "sweepDown": lambda: self._sweep(-1.0),
                "sweepUpFine": lambda: self._sweep(1.0, fine=True),
                "sweepDownFine": lambda: self._sweep(-1.0, fine=True),
                "resetCells": self.reset_cells,
                "resetMatrix": lambda: self._reset([self.table.parameter]),
                "resetAll": lambda: self._reset(list(self.session.document.state.model.parameters)),
            },
            self,
        )
        logarithmic = QAction("Logarithmic weight colours", self, checkable=True)
        logarithmic.setObjectName("logarithmicWeights")
        logarithmic.setToolTip("Tint weights on a symmetric logarithmic scale: 1 is seen beside 1024")
        logarithmic.setChecked(self.table.logarithmic)
        logarithmic.toggled.connect(self.table.set_logarithmic)
        self.actions_by_name["logarithmicWeights"] = logarithmic
        self.view.addActions(list(self.actions_by_name.values()))
        self.view.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.view.customContextMenuRequested.connect(self._menu)
        column = QVBoxLayout(self)
        column.setContentsMargins(4, 4, 4, 4)
        column.setSpacing(4)
        column.addWidget(self._title)
        column.addWidget(self.view, 1)
        column.addLayout(self._row_of_actions())

    def _row_of_actions(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(2)
        self._value.setObjectName("weightValue")
        self._value.setAccessibleName("Value for fill and scale")
        self._value.setPlaceholderText("value")
        self._value.setToolTip("A number for Fill or Scale: 0.5, 1e-3, 1/3, LG (Return fills)")
        self._value.setMinimumWidth(44)
        self._value.setMaximumWidth(120)
        self._value.returnPressed.connect(self.actions_by_name["fillWeights"].trigger)
        row.addWidget(self._value, 1)
        for name in _IN_A_ROW:
            row.addWidget(action_button(self.actions_by_name[name], f"{name}Button", self))
        reset = QToolButton(self)
        reset.setObjectName("resetWeightsButton")
        reset.setText("Reset")
        reset.setToolTip("Go back to the numbers of the model as it was opened")
        reset.setAccessibleName("Reset weights")
        reset.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(reset)
        menu.addActions([self.actions_by_name[name] for name in _RESETS])
        reset.setMenu(menu)
        row.addWidget(reset)
        row.addStretch(1)
        return row

    # What the actions do

    def copy(self) -> None:
        """Put the selected block on the clipboard as tab-separated text."""
        mask = self.view.selected_mask()
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        if not rows.size:
            self.message.emit("no cell is selected; select a block to copy")
            return
        block = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
        if not mask[block].all():
            self.message.emit("the selection has gaps; select one block of cells to copy")
            return
        QGuiApplication.clipboard().setText(format_block(self.table.shown[block]))
        self.message.emit(f"copied {shape_text(mask[block].shape)} of {self.table.parameter}")

    def paste(self) -> None:
        """Write the clipboard's block from the selection's first cell on, or its single number into all of them."""
        mask = self.view.selected_mask()
        try:
            block = parse_block(QGuiApplication.clipboard().text())
            if not mask.any():
                raise EditError("no cell is selected; choose the one where the block begins")
            if block.size == 1:
                self._fill_with(QGuiApplication.clipboard().text().strip())
                return
            row, column = int(mask.any(axis=1).argmax()), int(mask.any(axis=0).argmax())
            state = self.session.document.state
            self._apply(cell_edits.paste_block(state, self.table.parameter, row, column, block))
        except EditError as error:
            self.message.emit(str(error))
            return
        self.view.select_block(row, column, *block.shape)

    def zero(self) -> None:
        """Write 0 into the selected cells."""
        self._try(lambda: cell_edits.zero_cells(self.session.document.state, self.table.parameter, self._cells()))

    def reset_cells(self) -> None:
        """Give the selected cells the numbers they had when the model was opened."""
        self._try(lambda: cell_edits.reset_cells(self.session.document.state, self.table.parameter, self._cells()))

    def _fill_with(self, text: str) -> None:
        state, name = self.session.document.state, self.table.parameter
        self._try(lambda: cell_edits.fill_cells(state, name, self._cells(), parse_number(text), text.strip()))

    def _scale_by(self, text: str) -> None:
        state, name = self.session.document.state, self.table.parameter
        self._try(lambda: cell_edits.scale_cells(state, name, self._cells(), parse_number(text), text.strip()))

    def _with_value(self, run: Callable[[str], None], verb: str) -> None:
        """Do something with the number in the action row, or ask for it there."""
        text = self._value.text()
        if not text.strip():
            self._value.setFocus(Qt.FocusReason.OtherFocusReason)
            self.message.emit(f"type a value to {verb} the selected cells with, then choose {verb.capitalize()} again")
            return
        run(text)

    def _reset(self, names: list[str]) -> None:
        self._try(lambda: reset_parameters(self.session.document.state, names))

    def _sweep(self, notches: float, fine: bool = False) -> None:
        current = self.view.currentIndex()
        if current.isValid():
            self._sweeper.move(current.row(), current.column(), notches, fine)

    def _cells(self) -> Cells:
        return self.table.cells(self.view.selected_mask())

    def _try(self, make: Callable[[], Edit]) -> None:
        """Make an edit and apply it; a refusal is a message."""
        try:
            self._apply(make())
        except InputError as error:
            self.message.emit(str(error))

    def _apply(self, edit: Edit) -> None:
        self.session.document.apply(edit, self)
        self.message.emit(edit.title())

    # Following the session

    def refresh(self) -> None:
        """Nothing is left to be shown: the grid's model and the selection are followed at once."""

    def selection_changed(self, before: Chosen, now: Chosen) -> None:
        if now.parameter != self.table.parameter and now.parameter in self.session.document.state.model.parameters:
            self._remember()
            self.table.show_parameter(now.parameter)
        if now.comparison != before.comparison:
            self.table.show_comparison(now.comparison)
            self._say_comparison()
        cell = now.cell
        here = cell is not None and (cell.kind, cell.name) == ("parameter", self.table.parameter)
        self.view.hold_choice(here)
        if cell is not None and here and (cell, now.parameter) != (before.cell, before.parameter):
            row, column = self.table.place(cell.cell)
            current = self.view.currentIndex()
            if (current.row(), current.column()) != (row, column):
                self.view.follow(row, column)

    def _cell_chosen(self, row: int, column: int) -> None:
        self.session.selection.choose(cell=CellRef("parameter", self.table.parameter, self.table.cell(row, column)))

    def _hover(self, row: int, column: int) -> None:
        self.session.selection.hover(CellRef("parameter", self.table.parameter, self.table.cell(row, column)))

    def _say_comparison(self) -> None:
        self._title.show_remark(ADDED[self.table.comparison].strip())

    def _remember(self) -> None:
        current = self.view.currentIndex()
        if current.isValid():
            blocks = tuple((b.top(), b.left(), b.bottom(), b.right()) for b in self.view.selected_blocks())
            scrolled = (self.view.horizontalScrollBar().value(), self.view.verticalScrollBar().value())
            self._places[self.table.parameter] = _Place(current.row(), current.column(), blocks, scrolled)

    def _show(self) -> None:
        """Lay the grid out for another parameter, and go back to where the user was in it."""
        name, values = self.table.parameter, self.table.values
        shape = values.shape[1:] if self.table.is_vector else values.shape
        self._title.show_name(name, shape_text(shape), meaning(name))
        self._say_comparison()
        config = self.session.document.state.model.config
        self.view.lay_out(qkv_bands(config) if "attn.c_attn." in name else [])
        place = self._places.get(name)
        if place is None or place.row >= values.shape[0] or place.column >= values.shape[1]:
            self.view.follow(0, 0)
            return
        self.view.follow(place.row, place.column)
        chosen = QItemSelection()
        for top, left, bottom, right in place.blocks:
            chosen.select(self.table.index(top, left), self.table.index(bottom, right))
        self.view.selectionModel().select(chosen, self.view.selectionModel().SelectionFlag.ClearAndSelect)
        self.view.horizontalScrollBar().setValue(place.scrolled[0])
        self.view.verticalScrollBar().setValue(place.scrolled[1])

    def _menu(self, at: QPoint) -> None:
        menu = QMenu(self)
        for name, action in self.actions_by_name.items():
            if name in ("zeroWeights", "sweepUp", "resetCells", "logarithmicWeights"):
                menu.addSeparator()
            menu.addAction(action)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(self.view.viewport().mapToGlobal(at))


class _Title(QLabel):
    """The parameter's name and shape in one line, the name shortened at its front where the panel is narrow."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("weightTitle")
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self._name = self._shape = self._remark = ""

    def show_name(self, name: str, shape: str, tip: str) -> None:
        self._name, self._shape = name, shape
        self.setToolTip(f"{name} {shape}\n{tip}")
        self.setAccessibleName(f"{name} {shape}")
        self._fit()

    def show_remark(self, remark: str) -> None:
        """Say what the numbers are, where they are not the present ones."""
        self._remark = remark
        self._fit()

    def _fit(self) -> None:
        after = "  ".join(("", *filter(None, (self._remark, self._shape))))
        room = self.width() - self.fontMetrics().horizontalAdvance(after) - 2
        self.setText(self.fontMetrics().elidedText(self._name, Qt.TextElideMode.ElideLeft, room) + after)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()
