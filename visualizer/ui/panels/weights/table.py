"""The grid's table model: one parameter as rows and columns, read from the document and changed through it alone."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QAbstractTableModel, QObject, Qt, Signal
from PySide6.QtGui import QColor

from visualizer.errors import EditError
from visualizer.session.document.cell_edits import write_cells
from visualizer.session.document.cells import Cells, named
from visualizer.session.document.document import Change, Document
from visualizer.session.document.edits import SetCells
from visualizer.session.words.axis_labels import axis_labels
from visualizer.session.words.numbers import against, full, short, typed
from visualizer.session.words.typed_numbers import parse_number
from visualizer.ui.heatmap.scales import ScaleChoice, remembered_choice
from visualizer.ui.look.colors import DIVERGING, lookup_table, scale_indices, symmetric_limit
from visualizer.ui.look.theme import current_theme, theme_notifier
from visualizer.ui.widgets.plain_text import as_tip
from visualizer.ui.widgets.tables import NOWHERE, AnyIndex

Array = NDArray[Any]
Block = tuple[slice, slice]
#: Up to this size a matrix is searched for its longest number; a larger one is taken to hold numbers of any length.
SMALL = 4096
WIDEST = 8  # characters of a cell: −1.05e-5
ZERO = 2  # the ink of a zero, after white and black
_FLAGS = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsEditable
_ALIGNMENT = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)


#: Under which name the grid's colour scale is remembered.
SCALE_NAME = "weightGrid"


class WeightTableModel(QAbstractTableModel):
    """A parameter of the document; a vector is one row.

    With a pinned baseline it shows, as every panel does, the present numbers, the baseline's, or the difference. What
    is typed is always the present number; the baseline's cannot be typed over.

    Signals:
        refused(str): a text was no number; the message says what would be accepted. The cell keeps its number.

    Attributes:
        parameter: the name of the one that is shown.
        row_labels, column_labels: a word for each row and column.
        argb: the colours of the tints as 0xAARRGGBB.
        inks: the colours of numbers: white, black, and that of a zero.
    """

    refused = Signal(str)

    def __init__(self, document: Document, parameter: str, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self._wanted = "value"
        self._scale = remembered_choice(SCALE_NAME).applied(DIVERGING)
        self._read_theme()
        self._show(parameter)
        self.destroyed.connect(document.subscribe(self._follow))
        theme_notifier().theme_changed.connect(self._theme_changed)

    # What is shown

    def show_parameter(self, parameter: str) -> None:
        """Show another parameter, or the same one of another model."""
        if parameter != self.parameter or self._document.state.opened is not self._opened:
            self.beginResetModel()
            self._show(parameter)
            self.endResetModel()

    @property
    def logarithmic(self) -> bool:
        """Whether the tints are on a symmetric logarithmic scale, on which ±1 is seen beside 1024."""
        return self._scale.mode == "log"

    def set_logarithmic(self, logarithmic: bool) -> None:
        """Tint the cells on a symmetric logarithmic scale or a plain one, now and from now on."""
        choice = ScaleChoice(mode="log" if logarithmic else "fixed")
        choice.remember(SCALE_NAME)
        self._scale = choice.applied(DIVERGING)
        self._all_changed()

    def show_comparison(self, comparison: str) -> None:
        """Show the present numbers, the baseline's or the difference, from now on."""
        if comparison != self._wanted:
            self._wanted = comparison
            self._compare()
            self._all_changed()

    @property
    def comparison(self) -> str:
        """What is shown: the value where nothing is pinned."""
        return self._wanted if self._pinned is not None else "value"

    @property
    def values(self) -> Array:
        """The present numbers [row, column]; cannot be written to."""
        return self._values

    @property
    def shown(self) -> Array:
        """The numbers [row, column] on screen: the present ones, the baseline's or the difference."""
        return self._shown

    @property
    def is_vector(self) -> bool:
        """Whether the parameter has one axis."""
        return self._array.ndim == 1

    def cell(self, row: int, column: int) -> tuple[int, ...]:
        """The parameter's own index of a place in the table."""
        return (column,) if self.is_vector else (row, column)

    def place(self, cell: tuple[int, ...]) -> tuple[int, int]:
        """The place in the table of the parameter's own index."""
        return (0, cell[0]) if len(cell) == 1 else (cell[0], cell[1])

    def cells(self, mask: NDArray[np.bool_]) -> Cells:
        """The parameter's own index of all places where `mask` [row, column] holds."""
        return np.nonzero(mask[0] if self.is_vector else mask)

    def text(self, row: int, column: int) -> str:
        """A cell's number in at most `WIDEST` characters."""
        return _worded(float(self._shown[row, column]))

    def texts(self, block: Block) -> list[list[str]]:
        """The numbers of a block of cells, as `text` gives them."""
        return [[_worded(number) for number in row] for row in self._shown[block].tolist()]

    def widest_text(self) -> int:
        """Characters that the longest number of the table takes."""
        if self._values.size > SMALL:
            return WIDEST
        widest = 1
        for number in set(self._shown.reshape(-1).tolist()):
            widest = max(widest, len(_worded(number)))
            if widest >= WIDEST:
                break
        return widest

    def tints(self, block: Block) -> NDArray[np.uint8]:
        """Entries of a block of cells in the diverging `lookup_table`; the limits are the whole parameter's."""
        limit = self._tint_limit
        return scale_indices(self._shown[block], None, self._scale, (-limit, limit))

    def ink_codes(self, block: Block, tints: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Which of `inks` each number of a block has: the one that reads better, and zeros stand back."""
        return np.where(self._shown[block] == 0, ZERO, self._dark_ink[tints]).astype(np.uint8)

    def changed(self, block: Block) -> NDArray[np.bool_]:
        """Which cells of a block differ from the model as it was opened."""
        now, then = self._values[block], self._original[block]
        return (now != then) & ~(np.isnan(now) & np.isnan(then))

    def opened_value(self, row: int, column: int) -> float:
        """The cell's number in the model as it was opened."""
        return float(self._original[row, column])

    @property
    def limit(self) -> float:
        """The largest finite magnitude of the parameter."""
        return self._limit

    def _show(self, parameter: str) -> None:
        state = self._document.state
        self.parameter = parameter
        self._opened = state.opened
        self._array = state.model.parameters[parameter]
        self._values = np.atleast_2d(self._array)
        self._original = np.atleast_2d(state.opened.model.parameters[parameter])
        self.row_labels, self.column_labels = axis_labels(state.opened, parameter)
        self._limit = _largest(self._values)
        self._compare()

    def _compare(self) -> None:
        """Find what is shown, and where its tints end: value and baseline have one scale, the difference its own."""
        self._base = self._document.state.baseline
        self._pinned = None if self._base is None else np.atleast_2d(self._base.model.parameters[self.parameter])
        self._shown, self._tint_limit = self._values, self._limit
        if self._pinned is None:
            return
        if self._wanted == "difference":
            with np.errstate(all="ignore"):
                self._shown = self._values - self._pinned
            self._tint_limit = _largest(self._shown)
            return
        self._tint_limit = max(self._limit, _largest(self._pinned))
        if self._wanted == "baseline":
            self._shown = self._pinned

    # The document

    def _follow(self, change: Change) -> None:
        state = self._document.state
        if state.opened is not self._opened or self.parameter not in state.model.parameters:
            names = state.model.parameters
            self.show_parameter(self.parameter if self.parameter in names else next(iter(names)))
            return
        array = state.model.parameters[self.parameter]
        if array is not self._array:
            self._take(array, change)
        elif state.baseline is not self._base:
            self._compare()
            self._all_changed()

    def _take(self, array: Array, change: Change) -> None:
        """Show new numbers, and tell the view which cells are others."""
        places = self._places(change)
        before, values = self._values, np.atleast_2d(array)
        self._array, self._values = array, values
        tint_limit = self._tint_limit
        self._limit = _largest(values) if places is None else _largest_now(before, values, places, self._limit)
        self._compare()
        if places is None or self._tint_limit != tint_limit:
            self._all_changed()
            return
        rows, columns = places
        last = self.index(int(rows.max()), int(columns.max()))
        self.dataChanged.emit(self.index(int(rows.min()), int(columns.min())), last)

    def _all_changed(self) -> None:
        self.dataChanged.emit(self.index(0, 0), self.index(self.rowCount() - 1, self.columnCount() - 1))

    def _places(self, change: Change) -> tuple[NDArray[np.intp], NDArray[np.intp]] | None:
        """(rows, columns) of the cells that a change names; None where it may be any."""
        written: list[Cells] = []
        for edit in change.edits or (change.edit,):
            if not isinstance(edit, SetCells):
                return None
            if edit.parameter == self.parameter:
                written.append(edit.cells)
        if not written:
            return None
        *rows, columns = (np.hstack(axis) for axis in zip(*written, strict=True))
        return (rows[0] if rows else np.zeros_like(columns)), columns

    # The theme

    def _read_theme(self) -> None:
        table = lookup_table("diverging", current_theme())
        self.argb = np.array(table.argb, dtype=np.uint32)
        self.inks = [QColor("#ffffff"), QColor("#000000"), QColor(current_theme().muted_text)]
        self._dark_ink = np.array(table.dark_ink, dtype=np.uint8)

    def _theme_changed(self) -> None:
        self._read_theme()
        self._all_changed()

    # Overrides of QAbstractTableModel

    def rowCount(self, parent: AnyIndex = NOWHERE) -> int:
        return 0 if parent.isValid() else self._values.shape[0]

    def columnCount(self, parent: AnyIndex = NOWHERE) -> int:
        return 0 if parent.isValid() else self._values.shape[1]

    def flags(self, index: AnyIndex) -> Qt.ItemFlag:
        return _FLAGS if self.comparison != "baseline" else _FLAGS & ~Qt.ItemFlag.ItemIsEditable

    def data(self, index: AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid():
            return None
        row, column = index.row(), index.column()
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return self.text(row, column)
            case Qt.ItemDataRole.EditRole:
                return typed(float(self._values[row, column]), self._values.dtype)
            case Qt.ItemDataRole.ToolTipRole:
                return as_tip(self._description(row, column))
            case Qt.ItemDataRole.AccessibleDescriptionRole:
                return self._description(row, column)
            case Qt.ItemDataRole.TextAlignmentRole:
                return _ALIGNMENT
            case Qt.ItemDataRole.BackgroundRole:
                return QColor.fromRgba(int(self.argb[self.tints(_one(row, column))[0, 0]]))
            case Qt.ItemDataRole.ForegroundRole:
                cell = _one(row, column)
                return self.inks[int(self.ink_codes(cell, self.tints(cell))[0, 0])]
            case Qt.ItemDataRole.AccessibleTextRole:
                return f"{self.row_labels[row]}, {self.column_labels[column]}: {self.text(row, column)}"
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        horizontal = orientation == Qt.Orientation.Horizontal
        labels = self.column_labels if horizontal else self.row_labels
        if not 0 <= section < len(labels):
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return labels[section]
        if role == Qt.ItemDataRole.ToolTipRole:
            return as_tip(f"{'column' if horizontal else 'row'} {section}: {labels[section]}")
        return None

    def setData(self, index: AnyIndex, value: object, role: int = Qt.ItemDataRole.EditRole) -> bool:
        if role != Qt.ItemDataRole.EditRole or not index.isValid():
            return False
        cell = self.cell(index.row(), index.column())
        try:
            number = parse_number(str(value))
        except EditError as error:
            self.refused.emit(f"{named(self.parameter, cell)} stays as it is: {error}")
            return False
        with np.errstate(over="ignore"):
            same = np.array_equal(self._array[cell], self._array.dtype.type(number), equal_nan=True)
        if not same:
            self._document.apply(write_cells(self._document.state, self.parameter, cell, number, ""), self)
        return True

    def _description(self, row: int, column: int) -> str:
        dtype = self._values.dtype
        text = f"{named(self.parameter, self.cell(row, column))} = {full(float(self._values[row, column]), dtype)}"
        text += f"\n{self.row_labels[row]} → {self.column_labels[column]}"
        if self.changed(_one(row, column)).any():
            text += f"\nas opened: {full(self.opened_value(row, column), dtype)}"
        if self._pinned is not None:
            text += f"\n{against(float(self._values[row, column]), float(self._pinned[row, column]), dtype)}"
        return text


def _largest(values: Array) -> float:
    """The largest finite magnitude; in one pass where, as nearly always, every number is finite."""
    most = max(float(values.max()), -float(values.min()), 0.0)
    return most if np.isfinite(most) else symmetric_limit(values, None)


def _largest_now(before: Array, now: Array, places: tuple[Array, Array], limit: float) -> float:
    """The largest finite magnitude after the numbers at `places` have changed; `limit` was that of `before`."""
    most_new = _largest(now[places])
    if most_new >= limit:
        return most_new
    return _largest(now) if _largest(before[places]) == limit else limit


def _worded(number: float) -> str:
    text = short(number)
    return text if len(text) <= WIDEST else short(number, 2)


def _one(row: int, column: int) -> Block:
    return slice(row, row + 1), slice(column, column + 1)
