"""The cells of a matrix that are in sight: which they are, and where they lie."""

from __future__ import annotations

import math
from dataclasses import dataclass

from PySide6.QtCore import QLineF, QRectF


@dataclass(frozen=True)
class Grid:
    """The rows and columns of a matrix that are in sight; cell [0, 0] has its corner at `left`, `top`."""

    rows: range
    columns: range
    left: float
    top: float
    width: float
    height: float

    @classmethod
    def onto(cls, rect: QRectF, size: tuple[int, int], view: QRectF) -> Grid | None:
        """What `view` sees of a matrix of so many rows and columns that fills `rect`; None where that is nothing."""
        seen = rect.intersected(view)
        if seen.isEmpty() or not min(size):
            return None
        width, height = rect.width() / size[1], rect.height() / size[0]
        rows = range(
            int((seen.top() - rect.top()) / height), min(math.ceil((seen.bottom() - rect.top()) / height), size[0])
        )
        first = int((seen.left() - rect.left()) / width)
        columns = range(first, min(math.ceil((seen.right() - rect.left()) / width), size[1]))
        return cls(rows, columns, rect.left(), rect.top(), width, height)

    def cell(self, row: int, column: int) -> QRectF:
        """The rectangle of a cell."""
        return QRectF(self.left + column * self.width, self.top + row * self.height, self.width, self.height)

    @property
    def side(self) -> float:
        """The shorter side of a cell."""
        return min(self.width, self.height)

    @property
    def part(self) -> tuple[slice, slice]:
        """What is in sight of an array [rows, columns]."""
        return slice(self.rows.start, self.rows.stop), slice(self.columns.start, self.columns.stop)

    def lines(self) -> list[QLineF]:
        """The lines between the cells in sight, and around them."""
        seen = self.cell(self.rows.start, self.columns.start).united(
            self.cell(self.rows.stop - 1, self.columns.stop - 1)
        )
        ys = [self.top + row * self.height for row in range(self.rows.start, self.rows.stop + 1)]
        xs = [self.left + column * self.width for column in range(self.columns.start, self.columns.stop + 1)]
        return [
            *(QLineF(seen.left(), y, seen.right(), y) for y in ys),
            *(QLineF(x, seen.top(), x, seen.bottom()) for x in xs),
        ]
