"""The pictures of the flow view: made when a tile is first seen, kept as long as its numbers are the same."""

from __future__ import annotations

import time

from visualizer.session.analysis.stage_values import StageValues
from visualizer.ui.panels.flow.layout import Tile
from visualizer.ui.panels.flow.picture import Picture

Key = tuple[str, str, str]

KEPT_BYTES = 96 * 2**20  # of numbers that were computed for the picture alone and are out of sight


class Gallery:
    """Pictures by the keys of their tiles."""

    def __init__(self) -> None:
        self._pictures: dict[Key, tuple[tuple[object, ...], Picture]] = {}
        self._pending: dict[Key, tuple[tuple[object, ...], Picture]] = {}
        self._values: StageValues | None = None
        self._fresh: dict[Key, Picture] = {}

    def clear(self) -> None:
        """Forget everything."""
        self._pictures.clear()
        self._pending.clear()
        self._fresh.clear()
        self._values = None

    def picture(self, tile: Tile, values: StageValues, until: float) -> tuple[Picture | None, bool]:
        """A tile's picture, and whether it shows the numbers of `values`.

        When time has run out it is the picture of the numbers before, or None where there was none of this shape.
        """
        if values is not self._values:
            self._values = values
            self._fresh.clear()
        fresh = self._fresh.get(tile.key)
        if fresh is not None:
            return fresh, True
        origin = values.origin(tile.matrix)
        known = self._pictures.get(tile.key)
        if known is not None and _same(known[0], origin):
            self._fresh[tile.key] = known[1]
            return known[1], True
        last = known[1] if known is not None and known[1].values.shape == tile.matrix.size else None
        if time.perf_counter() > until:
            return last, False
        pending = self._pending.get(tile.key)
        if pending is None or not _same(pending[0], origin):
            bounded = tile.matrix.bounded and not values.is_difference(tile.matrix)
            picture = Picture(
                values.values(tile.matrix),
                causal=tile.matrix.causal,
                kind="sequential" if bounded else "diverging",
                changed=values.changed(tile.matrix),
                beside=None if bounded else values.beside(tile.matrix),
            )
            pending = (origin, picture)
        if not pending[1].measure(until):
            self._pending[tile.key] = pending
            return last, False
        self._pending.pop(tile.key, None)
        self._pictures[tile.key] = pending
        self._fresh[tile.key] = pending[1]
        return pending[1], True

    def trim(self, seen: set[Key]) -> None:
        """Forget pictures out of sight: those from before, which keep their pass alive, and what takes too much."""
        for key in self._pictures.keys() - self._fresh.keys() - seen:
            del self._pictures[key]
        total = sum(_owned(picture) for _, picture in self._pictures.values())
        for key in list(self._pictures):
            if total <= KEPT_BYTES:
                return
            if key not in seen:
                total -= _owned(self._pictures.pop(key)[1])
                self._fresh.pop(key, None)


def _owned(picture: Picture) -> int:
    return picture.values.nbytes if picture.values.base is None else 0


def _same(one: tuple[object, ...], other: tuple[object, ...]) -> bool:
    """The same arrays, and an equal description."""
    return one[0] is other[0] and one[1] is other[1] and one[2] == other[2]
