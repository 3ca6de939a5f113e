"""A matrix of the flow view as pictures: blocks of cells at the fineness that a zoom needs, made when they are seen."""

from __future__ import annotations

import math
import time
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QImage

from visualizer.ui.heatmap.image import indexed_image
from visualizer.ui.heatmap.loudest import loudest
from visualizer.ui.look import colors
from visualizer.ui.look.theme import Theme

Array = NDArray[Any]

#: Cells of a block's side, at the fineness at hand.
BLOCK = 256
MOST_BLOCKS = 48
MEASURED_AT_ONCE = 1 << 20  # cells
MOST_POINTS = 2000


@lru_cache(maxsize=8)
def causal_mask(count: int) -> NDArray[np.bool_]:
    """[query, key], true where the key lies after the query."""
    mask = np.arange(count) > np.arange(count)[:, None]
    mask.flags.writeable = False
    return mask


class Picture:
    """The numbers [rows, columns] of one matrix, their limit, and the blocks that have been painted.

    `beside` are numbers of the same shape that share the limit. `points` lists (row, column) of NaN and infinities,
    the first few of them, which no coarse picture may lose.
    """

    def __init__(
        self,
        values: Array,
        *,
        causal: bool,
        kind: str,
        changed: NDArray[np.bool_] | None = None,
        beside: Array | None = None,
    ) -> None:
        self.values = values
        self._beside = beside if kind == "diverging" else None
        self.masked = causal_mask(values.shape[0]) if causal and values.shape[0] == values.shape[1] else None
        self.kind = kind
        self.changed = changed
        self.limit = 1.0 if kind == "sequential" else 0.0
        self.points: list[tuple[int, int]] = []
        self._measured = 0
        self._blocks: dict[object, QImage] = {}

    def measure(self, until: float) -> bool:
        """Find the limit of the colours and what is not finite, for so long; whether that is done."""
        rows, columns = self.values.shape
        step = max(1, MEASURED_AT_ONCE // max(columns, 1))
        while self._measured < rows:
            first = self._measured
            part = self.values[first : first + step]
            hidden = self.masked[first : first + step] if self.masked is not None else None
            self._measure(first, part, hidden)
            if self._beside is not None:
                self._extend_limit(self._beside[first : first + step], hidden)
            self._measured += step
            if self._measured < rows and time.perf_counter() > until:
                return False
        self._beside = None
        return True

    def _measure(self, first: int, part: Array, hidden: NDArray[np.bool_] | None) -> None:
        with np.errstate(all="ignore"):
            finite = bool(np.isfinite(np.add.reduce(part, axis=None))) if part.size else True
        if not finite and len(self.points) < MOST_POINTS:
            odd = ~np.isfinite(part)
            if hidden is not None:
                odd &= ~hidden
            self.points += [(first + row, column) for row, column in np.argwhere(odd)[:MOST_POINTS].tolist()]
        if self.kind == "sequential" or not part.size:
            return
        if finite and hidden is None:
            self.limit = max(self.limit, float(part.max()), -float(part.min()))
        else:
            self._extend_limit(part, hidden)

    def _extend_limit(self, part: Array, hidden: NDArray[np.bool_] | None) -> None:
        self.limit = max(self.limit, colors.symmetric_limit(part, hidden))

    def indices(self, rows: slice, columns: slice) -> NDArray[np.uint8]:
        """The colours' indices of a part of the matrix."""
        hidden = self.masked[rows, columns] if self.masked is not None else None
        return colors.color_indices(self.values[rows, columns], hidden, self.kind, self.limit)

    def block(self, row: int, column: int, stride: tuple[int, int], theme: Theme) -> QImage:
        """The picture of a block: `BLOCK` points a side, each the largest magnitude of `stride` cells."""
        key = (row, column, stride, theme)
        image = self._blocks.get(key)
        if image is None:
            if len(self._blocks) >= MOST_BLOCKS:
                self._blocks.pop(next(iter(self._blocks)))
            down, across = BLOCK * stride[0], BLOCK * stride[1]
            rows = slice(row * down, (row + 1) * down)
            columns = slice(column * across, (column + 1) * across)
            hidden = self.masked[rows, columns] if self.masked is not None else None
            seen, hidden = loudest(self.values[rows, columns], hidden, stride)
            indices = colors.color_indices(seen, hidden, self.kind, self.limit)
            table = colors.lookup_table(self.kind, theme)
            image = self._blocks[key] = indexed_image(indices, table.argb)
        return image

    def has_block(self, row: int, column: int, stride: tuple[int, int], theme: Theme) -> bool:
        """Whether a block has been painted before."""
        return (row, column, stride, theme) in self._blocks


def stride_for(pixels: float) -> int:
    """How many cells become one point where one is so many device pixels wide: two points a pixel, a power of two."""
    return 1 if pixels >= 0.5 else 2 ** math.floor(math.log2(0.5 / max(pixels, 1e-9)) + 1)


def stride_of_one_block(count: int) -> int:
    """How many of `count` cells become one point for one block to hold them all, a power of two."""
    return 1 if count <= BLOCK else 2 ** math.ceil(math.log2(count / BLOCK))
