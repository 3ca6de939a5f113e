"""What a heatmap shows: one matrix with its axes, mask, colours, and each cell in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from visualizer.session.words.axis_labels import visible_label, with_position
from visualizer.session.words.numbers import fitted, full, short
from visualizer.ui.look import colors
from visualizer.ui.look.colors import Scale

#: Up to so many numbers a matrix is compared with the one before, so that what rests is not painted again.
MOST_COMPARED = 65536


@dataclass(frozen=True)
class Axis:
    """One side of a matrix.

    Attributes:
        name: what runs along it: `query`, `token`.
        labels: a word for each row or column.
        hues: ``#rrggbb`` for each label, or None for the theme's.
        positions: whether each stands for a position, whose index follows its label as a subscript.
    """

    name: str
    labels: Sequence[str]
    hues: Sequence[str] | None = None
    positions: bool = True

    def text(self, index: int) -> str:
        """A label as it is drawn."""
        label = visible_label(self.labels[index])
        return with_position(label, index) if self.positions else label

    def check(self, what: str, count: int) -> None:
        """Raises ValueError where there are not `count` labels and hues."""
        if len(self.labels) != count:
            raise ValueError(f"{what}: {len(self.labels)} labels along {self.name}, which has {count}")
        if self.hues is not None and len(self.hues) != count:
            raise ValueError(f"{what}: {len(self.hues)} label colours along {self.name}, which has {count}")

    @property
    def key(self) -> tuple[object, ...]:
        """Equal for two axes that are drawn alike."""
        return self.name, tuple(self.labels), None if self.hues is None else tuple(self.hues), self.positions


class Matrix:
    """A private, read-only copy of a matrix and everything that is drawn with it.

    Args:
        values: [rows, columns].
        rows, columns: its axes.
        name: what it is called.
        scale: how its numbers become colours.
        masked, changed: bool [rows, columns], or None.
        about: what it is the matrix of in words, for a caption: model, block and head, prompt.
        origin: what it is a matrix of, a model say; a zoom does not outlast it.

    Raises:
        ValueError: shapes or label counts disagree.
    """

    def __init__(
        self,
        values: NDArray[Any],
        rows: Axis,
        columns: Axis,
        *,
        name: str,
        scale: Scale,
        masked: NDArray[np.bool_] | None = None,
        changed: NDArray[np.bool_] | None = None,
        about: str = "",
        origin: object = None,
    ) -> None:
        self.values = _frozen(values)
        if self.values.ndim != 2:
            raise ValueError(f"{name}: a heatmap shows [rows, columns], not shape {self.values.shape}")
        rows.check(name, self.values.shape[0])
        columns.check(name, self.values.shape[1])
        self.rows, self.columns, self.name, self.scale = rows, columns, name, scale
        self.about, self.origin = about, origin
        self.masked = self._flags(masked, "masked")
        self.changed = self._flags(changed, "changed")
        self.label_key = (rows.key, columns.key)

    def _flags(self, flags: NDArray[np.bool_] | None, which: str) -> NDArray[np.bool_] | None:
        if flags is None:
            return None
        result = _frozen(np.asarray(flags, dtype=np.bool_))
        if result.shape != self.values.shape:
            raise ValueError(f"{self.name}: {which} has shape {result.shape}, the matrix {self.values.shape}")
        return result

    def same_as(self, other: Matrix) -> bool:
        """Whether another matrix looks alike to the last digit; a large one is never taken the time for."""
        return (
            self.values.size <= MOST_COMPARED
            and self.values.dtype == other.values.dtype
            and (self.name, self.scale, self.about) == (other.name, other.scale, other.about)
            and self.origin is other.origin
            and self.label_key == other.label_key
            and np.array_equal(self.values, other.values)
            and _same(self.masked, other.masked)
            and _same(self.changed, other.changed)
        )

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        rows, columns = self.values.shape
        return rows, columns

    def cell(self, row: int, column: int) -> float:
        """The value of one cell. Raises IndexError outside the matrix, negative numbers included."""
        rows, columns = self.shape
        if not (0 <= row < rows and 0 <= column < columns):
            raise IndexError(f"{self.name} has no cell [{row}, {column}]: its shape is [{rows}, {columns}]")
        return float(self.values[row, column])

    def text(self, row: int, column: int, room: int) -> str:
        """The number for a cell with room for so many characters."""
        return fitted(float(self.values[row, column]), room)

    def readout(self, row: int, column: int) -> str:
        """One cell with all its digits: ``pattern[query 2 'b', key 1 'a'] = 0.5``."""
        value = full(self.cell(row, column), self.values.dtype)
        place = (
            f"{self.rows.name} {row} {self.rows.labels[row]!r}, "
            f"{self.columns.name} {column} {self.columns.labels[column]!r}"
        )
        return f"{self.name}[{place}] = {value}{self._remark(row, column)}"

    def spoken(self, row: int, column: int) -> str:
        """One cell for a screen reader: ``query 2 b, key 1 a: 0.5``."""
        value = full(self.cell(row, column), self.values.dtype)
        return (
            f"{self.rows.name} {row} {self.rows.labels[row]}, "
            f"{self.columns.name} {column} {self.columns.labels[column]}: {value}{self._remark(row, column)}"
        )

    def _remark(self, row: int, column: int) -> str:
        remarks = []
        if self.masked is not None and self.masked[row, column]:
            remarks.append("masked")
        if self.changed is not None and self.changed[row, column]:
            remarks.append("changed")
        return f" ({', '.join(remarks)})" if remarks else ""


class Painted:
    """A matrix as colours: its levels, and each cell's entry of the lookup table.

    Attributes:
        matrix: what is painted.
        scale: the scale that is used, which may be another than the matrix's own: people choose.
        levels: the (low, high) ends of the scale, in the unit of the values.
        indices: uint8 [rows, columns], rows of the `lookup_table` of `scale`.
        special: which of `colors.NOT_A_NUMBER`, `POSITIVE_INFINITY`, `NEGATIVE_INFINITY` occur in cells not masked.
    """

    def __init__(self, matrix: Matrix, scale: Scale, levels: tuple[float, float] | None = None) -> None:
        self.matrix, self.scale = matrix, scale
        self.levels = levels if levels is not None else scale.levels(matrix.values, matrix.masked)
        self.indices = colors.scale_indices(matrix.values, matrix.masked, scale, self.levels)
        self.special: tuple[int, ...] = ()
        if self.indices.size and int(self.indices.max()) > colors.MASKED:
            kinds = (colors.NOT_A_NUMBER, colors.POSITIVE_INFINITY, colors.NEGATIVE_INFINITY)
            self.special = tuple(kind for kind in kinds if bool((self.indices == kind).any()))

    def words(self, by_hand: bool) -> list[str]:
        """What is to be known about the picture: of what it is, and its scale."""
        low, high = self.levels
        ends = "each row to its largest" if self.scale.mode == "row" else f"{short(low)} to {short(high)}"
        said = ", ".join((*self.scale.words(), *(("levels by hand",) if by_hand else ())))
        scale = f"colours from {ends}" + (f" ({said})" if said else "")
        return [*([self.matrix.about] if self.matrix.about else []), scale]


def _same(one: NDArray[np.bool_] | None, other: NDArray[np.bool_] | None) -> bool:
    return one is other or (one is not None and other is not None and np.array_equal(one, other))


def _frozen(array: NDArray[Any]) -> NDArray[Any]:
    result: NDArray[Any] = np.array(array, order="C")
    result.flags.writeable = False
    return result
