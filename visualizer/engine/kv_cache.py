"""Preallocated rows of a growing pass: keys and values to attend to, and the record of every activation."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from visualizer.engine.graph import Graph

Array = NDArray[Any]


class RowCache:
    """Buffers with room for `capacity` positions of every recorded activation.

    The keys and values in it are the key/value cache; the rest is kept so that each step of a generation can
    be looked at whole. Rows are only ever added, so views handed out earlier stay true.
    """

    def __init__(self, graph: Graph, capacity: int) -> None:
        self._graph = graph
        self._buffers: dict[str, Array] = {}
        self.capacity = capacity
        self.length = 0

    def extend(self, name: str, rows: Array) -> Array:
        """Store the new `rows` [new, ...] of `name` and return all rows so far [position, ...]."""
        buffer = self._buffers.get(name)
        if buffer is None:
            buffer = self._buffers[name] = np.empty((self.capacity, *rows.shape[1:]), dtype=rows.dtype)
        end = self.length + rows.shape[0]
        buffer[self.length : end] = rows
        return buffer[:end]

    def commit(self, values: dict[str, Array], count: int) -> dict[str, Array]:
        """Store every other activation of the `count` new rows; return views of all rows so far, by name."""
        end = self.length + count
        views = {}
        for name, rows in values.items():
            if "key" in self._graph.axes(name):
                views[name] = self._extend_square(name, rows, end)
            else:
                views[name] = self.extend(name, rows)
        self.length = end
        return views

    def _extend_square(self, name: str, rows: Array, end: int) -> Array:
        """[head, new, key]: queries are rows here, and keys to come are 0."""
        buffer = self._buffers.get(name)
        if buffer is None:
            shape = (rows.shape[0], self.capacity, self.capacity)
            buffer = self._buffers[name] = np.zeros(shape, dtype=rows.dtype)
        buffer[:, self.length : end, :end] = rows
        return buffer[:, :end, :end]
