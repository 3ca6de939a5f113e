"""What a heatmap shows: one matrix with its labels, mask, colours, and each cell in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from visualizer.session.words.numbers import full, short
from visualizer.ui.look import colors
from visualizer.ui.look.colors import LookupTable, Scale
from visualizer.ui.look.theme import Theme

# Signs that make white space visible; the picture's own, so that no label is ever blank.
VISIBLE = str.maketrans(
    {
        " ": "\N{OPEN BOX}",
        "\n": "\N{DOWNWARDS ARROW WITH CORNER LEFTWARDS}",
        "\t": "\N{RIGHTWARDS ARROW TO BAR}",
    }
)
SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
LONGEST_LABEL = 14


class Matrix:
    """A private, read-only copy of a matrix and everything that is drawn with it.

    `values` [rows, columns]; `masked` and `changed` [rows, columns] bool or None; `limit` is the upper end of
    the colour scale in the unit of the values. Raises ValueError where shapes or label counts disagree.
    """

    def __init__(
        self,
        values: NDArray[Any],
        *,
        masked: NDArray[np.bool_] | None,
        changed: NDArray[np.bool_] | None,
        row_labels: Sequence[str],
        column_labels: Sequence[str],
        scale: Scale,
        name: str,
        row_axis: str,
        column_axis: str,
        row_label_colors: Sequence[str] | None,
        column_label_colors: Sequence[str] | None,
        row_positions: bool,
        column_positions: bool,
    ) -> None:
        self.values = _frozen(values)
        if self.values.ndim != 2:
            raise ValueError(f"{name}: a heatmap shows [rows, columns], not shape {self.values.shape}")
        rows, columns = self.values.shape
        if len(row_labels) != rows or len(column_labels) != columns:
            raise ValueError(
                f"{name}: {len(row_labels)} row labels and {len(column_labels)} column labels "
                f"for shape {self.values.shape}"
            )
        for which, hues, count in (("row", row_label_colors, rows), ("column", column_label_colors, columns)):
            if hues is not None and len(hues) != count:
                raise ValueError(f"{name}: {len(hues)} {which} label colours for {count} labels")
        self.masked = self._flags(masked, "masked", name)
        self.changed = self._flags(changed, "changed", name)
        self.row_labels = tuple(row_labels)
        self.column_labels = tuple(column_labels)
        self.row_label_colors = tuple(row_label_colors) if row_label_colors is not None else None
        self.column_label_colors = tuple(column_label_colors) if column_label_colors is not None else None
        self.row_positions = row_positions
        self.column_positions = column_positions
        self.scale = scale
        self.name = name
        self.row_axis = row_axis
        self.column_axis = column_axis
        self.limit = colors.scale_limit(self.values, self.masked, scale)
        self.indices = colors.color_indices(self.values, self.masked, scale.kind, self.limit)
        self._special: tuple[int, ...] = ()
        if self.indices.size and int(self.indices.max()) > colors.MASKED:
            kinds = (colors.NOT_A_NUMBER, colors.POSITIVE_INFINITY, colors.NEGATIVE_INFINITY)
            self._special = tuple(kind for kind in kinds if bool((self.indices == kind).any()))
        self._label_key = (
            (self.row_labels, self.column_labels, row_axis, column_axis, row_positions, column_positions),
            (self.row_label_colors, self.column_label_colors),
        )

    def _flags(self, flags: NDArray[np.bool_] | None, which: str, name: str) -> NDArray[np.bool_] | None:
        if flags is None:
            return None
        result = _frozen(np.asarray(flags, dtype=np.bool_))
        if result.shape != self.values.shape:
            raise ValueError(f"{name}: {which} has shape {result.shape}, the matrix {self.values.shape}")
        return result

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        rows, columns = self.values.shape
        return rows, columns

    def table(self, theme: Theme) -> LookupTable:
        """The colours that `indices` points into."""
        return colors.lookup_table(self.scale.kind, theme)

    def cell(self, row: int, column: int) -> float:
        """The value of one cell. Raises IndexError outside the matrix, negative numbers included."""
        rows, columns = self.shape
        if not (0 <= row < rows and 0 <= column < columns):
            raise IndexError(f"{self.name} has no cell [{row}, {column}]: its shape is [{rows}, {columns}]")
        return float(self.values[row, column])

    def text(self, row: int, column: int, room: int) -> str:
        """The number for a cell with room for so many characters: three digits, else two, else one.

        A fraction that is longer loses its leading zero (``−.04``), or is ``≈0``; a large number leaves the cell empty.
        """
        value = float(self.values[row, column])
        texts = [short(value, digits) for digits in (3, 2, 1)]
        if abs(value) < 1:
            texts += [texts[-1].replace("0.", ".", 1), "≈0"]
        return next((text for text in texts if len(text) <= room), "")

    def special_indices(self) -> tuple[int, ...]:
        """Which of `colors.NOT_A_NUMBER`, `POSITIVE_INFINITY`, `NEGATIVE_INFINITY` occur in cells not masked."""
        return self._special

    @property
    def label_key(self) -> tuple[object, ...]:
        """Equal for two matrices whose labels and axis names are drawn alike."""
        return self._label_key

    def row_text(self, row: int) -> str:
        """A row's label as it is drawn, with its position as subscript."""
        return _label(self.row_labels[row], row if self.row_positions else None)

    def column_text(self, column: int) -> str:
        """A column's label as it is drawn, with its position as subscript."""
        return _label(self.column_labels[column], column if self.column_positions else None)

    def readout(self, row: int, column: int) -> str:
        """One cell with all its digits: ``pattern[query 2 'b', key 1 'a'] = 0.5``."""
        value = full(self.cell(row, column), self.values.dtype)
        place = (
            f"{self.row_axis} {row} {self.row_labels[row]!r}, "
            f"{self.column_axis} {column} {self.column_labels[column]!r}"
        )
        return f"{self.name}[{place}] = {value}{self._remark(row, column)}"

    def spoken(self, row: int, column: int) -> str:
        """One cell for a screen reader: ``query 2 b, key 1 a: 0.5``."""
        value = full(self.cell(row, column), self.values.dtype)
        return (
            f"{self.row_axis} {row} {self.row_labels[row]}, "
            f"{self.column_axis} {column} {self.column_labels[column]}: {value}{self._remark(row, column)}"
        )

    def _remark(self, row: int, column: int) -> str:
        remarks = []
        if self.masked is not None and self.masked[row, column]:
            remarks.append("masked")
        if self.changed is not None and self.changed[row, column]:
            remarks.append("changed")
        return f" ({', '.join(remarks)})" if remarks else ""


def _frozen(array: NDArray[Any]) -> NDArray[Any]:
    result: NDArray[Any] = np.array(array, order="C")
    result.flags.writeable = False
    return result


def _label(text: str, position: int | None) -> str:
    shown = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text.translate(VISIBLE)) or "ε"
    if len(shown) > LONGEST_LABEL:
        shown = shown[: LONGEST_LABEL - 1] + "…"
    return shown if position is None else shown + str(position).translate(SUBSCRIPTS)
