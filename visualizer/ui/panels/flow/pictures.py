"""The numbers of one matrix as colours, made when there is time for them, and the item that shows them."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF
from PySide6.QtGui import QPainter

from visualizer.session.words.numbers import fitted
from visualizer.ui.heatmap.image import MatrixImage
from visualizer.ui.look import colors
from visualizer.ui.look.colors import Kind
from visualizer.ui.look.theme import Theme, current_theme

Array = NDArray[Any]

#: The colours of more cells than this are made later, when there is nothing else to do.
AT_ONCE = 100_000


class Picture:
    """The numbers [rows, columns] of one matrix as colours.

    Attributes:
        origin: what the numbers follow from; the same objects, the same numbers.
        values: the numbers.
        kind: "sequential" or "diverging".
        changed: which of them differ from the model as it was opened; None for none.
        queries: how many rows, and columns, belong to one causal pattern, whose later keys are masked; 0 for none.
        made: whether the colours are there.
    """

    def __init__(
        self,
        origin: tuple[object, ...],
        values: Array,
        kind: Kind,
        queries: int = 0,
        beside: Array | None = None,
        changed: NDArray[np.bool_] | None = None,
    ) -> None:
        self.origin = origin
        self.values = values
        self.kind = kind
        self.queries = queries
        self.changed = changed
        self.made = False
        self._beside = beside

    def is_of(self, origin: tuple[object, ...]) -> bool:
        """Whether the numbers follow from these very objects."""
        return self.origin[0] is origin[0] and self.origin[1] is origin[1] and self.origin[2] == origin[2]

    def looks_like(self, other: Picture) -> bool:
        """Whether another picture that is soon made, of numbers that were computed anew, looks the same."""
        alone = all(extra is None for one in (self, other) for extra in (one.changed, one._beside))
        same = (self.kind, self.queries, self.values.shape) == (other.kind, other.queries, other.values.shape)
        return alone and same and self.values.size <= AT_ONCE and np.array_equal(self.values, other.values, equal_nan=True)

    def again(self, origin: tuple[object, ...]) -> Picture:
        """The same picture for numbers that follow from these objects now."""
        self.origin = origin
        return self

    @cached_property
    def masked(self) -> NDArray[np.bool_] | None:
        """Which numbers are hidden from the softmax; None for none."""
        if not self.queries:
            return None
        down, across = (np.arange(count) % self.queries for count in self.values.shape)
        hidden: NDArray[np.bool_] = across > down[:, None]
        return hidden

    @cached_property
    def limit(self) -> float:
        """The end of a diverging scale: that of the numbers that are compared with these, too."""
        if self.kind == "sequential":
            return 1.0
        return max(_limit(array, self.masked) for array in (self.values, self._beside) if array is not None)

    @cached_property
    def indices(self) -> NDArray[np.uint8]:
        """Each number's entry in the lookup table of its kind."""
        self.made = True
        return colors.color_indices(self.values, self.masked, self.kind, self.limit)

    @cached_property
    def odd(self) -> int:
        """How many numbers that count are NaN or infinite."""
        return int(np.count_nonzero(self.indices > colors.MASKED))

    def text(self, row: int, column: int, room: int) -> str:
        """A number in so many characters."""
        return fitted(float(self.values[row, column]), room)


def _limit(values: Array, masked: NDArray[np.bool_] | None) -> float:
    with np.errstate(all="ignore"):
        if masked is None and values.size and math.isfinite(top := max(float(values.max()), -float(values.min()))):
            return max(top, 0.0)
    return colors.symmetric_limit(values, masked)


class MatrixItem(MatrixImage):
    """A picture in its place. One that takes long is asked for by `later`, and shown when it has been made."""

    def __init__(self, later: Callable[[MatrixItem], None]) -> None:
        super().__init__()
        self._picture: Picture | None = None
        self._shown: tuple[Picture, Theme] | None = None
        self._place = QRectF()
        self._later = later

    def place(self, rect: QRectF) -> None:
        """Lie there in the picture of the whole pass."""
        self._place = rect
        if self.image is not None:
            self.setRect(rect)

    def show_picture(self, picture: Picture) -> None:
        """Show other numbers: now, or those from before until their colours have been made."""
        if self._shown == (picture, current_theme()):
            return
        self._picture = picture
        if picture.made or picture.values.size <= AT_ONCE:
            self.make()
        else:
            self._later(self)

    def make(self) -> None:
        """Show the numbers that are wanted."""
        picture = self._picture
        if picture is None or not picture.values.size:
            return
        table, levels = colors.lookup_table(picture.kind, current_theme()), (-picture.limit, picture.limit)
        self.show_matrix(picture.values, picture.indices, table, picture.kind, levels)
        self.setRect(self._place)
        self._shown = picture, current_theme()

    def paint_at(self, painter: QPainter, rect: QRectF) -> None:
        """Paint it elsewhere, in a rectangle."""
        self.make()
        rows, columns = self.indices.shape
        if not rows or not columns:
            return
        painter.save()
        painter.translate(rect.topLeft())
        painter.scale(rect.width() / columns, rect.height() / rows)
        self.paint(painter)
        painter.restore()

    # -- how finely it is painted

    def _in_sight(self) -> tuple[int, int, int, int]:
        """All of it: a picture from afar is made once, and not at every step that the view moves."""
        return 0, self.indices.shape[0], 0, self.indices.shape[1]

    def _paint_afar(self, painter: QPainter, seen: tuple[int, int, int, int], stride: tuple[int, int]) -> None:
        """By powers of two, so that a zoom does not make it anew at every step."""
        down, across = (1 << (cells - 1).bit_length() for cells in stride)
        super()._paint_afar(painter, seen, (down, across))
