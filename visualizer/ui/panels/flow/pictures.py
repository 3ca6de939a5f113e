"""The numbers of one matrix as colours, made when there is time for them."""

from __future__ import annotations

import math
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from visualizer.session.analysis.landscape.shapes import HeadGrid, Tile
from visualizer.session.analysis.stage_values import StageValues
from visualizer.session.words.numbers import fitted
from visualizer.ui.look import colors
from visualizer.ui.look.colors import Kind

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
        return (
            alone and same and self.values.size <= AT_ONCE and np.array_equal(self.values, other.values, equal_nan=True)
        )

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


def picture_of(tile: Tile, values: StageValues, known: Picture | None) -> Picture:
    """The picture of a matrix: the one that is known, where its numbers are the same."""
    matrix = tile.matrix
    origin = values.origin(matrix)
    if known is not None and known.is_of(origin):
        return known
    bounded = matrix.bounded and not values.is_difference(matrix)
    beside = None if bounded else values.beside(matrix)
    kind: Kind = "sequential" if bounded else "diverging"
    queries = matrix.size[0] if matrix.causal else 0
    made = Picture(origin, values.values(matrix), kind, queries, beside, values.changed(matrix))
    return known.again(origin) if known is not None and known.looks_like(made) else made


def picture_of_heads(heads: HeadGrid, values: StageValues, known: Picture | None) -> Picture:
    """The picture of the patterns of all heads of a block, the same way."""
    present, base, key = values.origin(heads.pattern)
    difference = values.is_difference(heads.pattern)
    origin = (present, base, (heads.columns, key[-1] if isinstance(key, tuple) else key))
    if known is not None and known.is_of(origin):
        return known
    patterns = values.all_heads(heads.pattern.name)
    made = Picture(
        origin, _in_a_grid(patterns, heads.columns), "diverging" if difference else "sequential", patterns.shape[1]
    )
    return known.again(origin) if known is not None and known.looks_like(made) else made


def _in_a_grid(patterns: NDArray[np.generic], columns: int) -> NDArray[np.generic]:
    """Patterns [head, query, key] beside and below each other; places without a head hold zeros."""
    heads, queries, keys = patterns.shape
    if columns == 1:
        return patterns.reshape(heads * queries, keys)
    lines = -(-heads // columns)
    grid = np.zeros((lines * columns, queries, keys), patterns.dtype)
    grid[:heads] = patterns
    return grid.reshape(lines, columns, queries, keys).swapaxes(1, 2).reshape(lines * queries, columns * keys)
