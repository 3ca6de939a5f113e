"""The layout of a heatmap at its present size and zoom, worked out anew only where something of it has changed."""

from __future__ import annotations

from PySide6.QtCore import QSizeF

from visualizer.ui.heatmap.box import CellBox
from visualizer.ui.heatmap.layout import Layout, Metrics, arrange
from visualizer.ui.heatmap.matrix import Matrix
from visualizer.ui.heatmap.text import TextCache


class Arranged:
    """Keeps the sizes of the texts, the layout with all cells in sight, and the one of the cells now in sight."""

    def __init__(self) -> None:
        self._metrics: tuple[object, Metrics] | None = None
        self._whole: tuple[object, Layout] | None = None
        self._seen: tuple[object, Layout] | None = None

    def layout(
        self,
        matrix: Matrix,
        box: CellBox,
        texts: TextCache,
        bar_characters: int,
        size: QSizeF,
        square: bool,
        ratio: float,
    ) -> Layout:
        """Where everything lies in a widget of `size`, whose bar has room for so many characters.

        `ratio` is how many device pixels a logical one has.
        """
        key = (matrix.label_key, bar_characters, texts)
        if self._metrics is None or self._metrics[0] != key:
            self._metrics = (key, texts.metrics(matrix, bar_characters))
            self._whole = None
        place = (size.toTuple(), ratio, square, matrix.shape)
        if self._whole is None or self._whole[0] != place:
            self._whole = (place, arrange(size, matrix.shape, self._metrics[1], square=square, pixel_ratio=ratio))
            self._seen = None
        box.set_shape(*matrix.shape)
        x, y = (tuple(ends) for ends in box.viewRange())
        if self._seen is None or self._seen[0] != (x, y):
            self._seen = ((x, y), self._whole[1].seen(x, y))
        return self._seen[1]
