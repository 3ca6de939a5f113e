"""The numbers of one matrix and their picture, made for how near it is looked at; and the items that show them."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np
import pyqtgraph
from numpy.typing import NDArray
from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage, QPainter, QTransform
from PySide6.QtWidgets import QStyleOptionGraphicsItem, QWidget

from visualizer.ui.heatmap.loudest import loudest
from visualizer.ui.look import colors
from visualizer.ui.look.theme import Theme, current_theme
from visualizer.ui.panels.flow.paper import snapped

Array = NDArray[Any]
Stride = tuple[int, int]

#: Pictures of more cells than this are made later, when there is nothing else to do.
AT_ONCE = 100_000
KEPT_IMAGES = 3
VECTOR_POINTS = 400  # about so many along a picture in a drawing


class Picture:
    """The numbers [rows, columns] of one matrix, and pictures of them; made and measured when first asked for.

    Attributes:
        origin: what the numbers follow from; the same objects, the same numbers.
        values: the numbers.
        kind: "sequential" or "diverging".
        changed: which of them differ from the model as it was opened; None for none.
        queries: how many rows, and columns, belong to one causal pattern, whose later keys are masked; 0 for none.
    """

    def __init__(
        self,
        origin: tuple[object, ...],
        values: Array,
        kind: str,
        queries: int = 0,
        beside: Array | None = None,
        changed: NDArray[np.bool_] | None = None,
    ) -> None:
        self.origin = origin
        self.values = values
        self.kind = kind
        self.queries = queries
        self.changed = changed
        self._beside = beside
        self._images: dict[tuple[Stride, Theme], QImage] = {}

    def is_of(self, origin: tuple[object, ...]) -> bool:
        """Whether the numbers follow from these very objects."""
        return self.origin[0] is origin[0] and self.origin[1] is origin[1] and self.origin[2] == origin[2]

    def masked(self, rows: slice = slice(None), columns: slice = slice(None)) -> NDArray[np.bool_] | None:
        """Which of some cells are hidden from the softmax; None for none."""
        if not self.queries:
            return None
        down, across = (np.arange(n)[part] % self.queries for n, part in zip(self.values.shape, (rows, columns), strict=True))
        hidden: NDArray[np.bool_] = across > down[:, None]
        return hidden

    @cached_property
    def limit(self) -> float:
        """The end of a diverging scale: that of the numbers that are compared with these, too."""
        if self.kind == "sequential":
            return 1.0
        return max(_limit(array, self.masked()) for array in (self.values, self._beside) if array is not None)

    @cached_property
    def odd(self) -> int:
        """How many numbers that count are NaN or infinite."""
        with np.errstate(all="ignore"):
            if np.isfinite(np.add.reduce(self.values, axis=None)):
                return 0
        odd, hidden = ~np.isfinite(self.values), self.masked()
        return int(np.count_nonzero(odd if hidden is None else odd & ~hidden))

    def indices(self, rows: slice, columns: slice) -> NDArray[np.uint8]:
        """The colours' indices of some cells."""
        return colors.color_indices(self.values[rows, columns], self.masked(rows, columns), self.kind, self.limit)

    def image(self, stride: Stride, theme: Theme, now: bool = True) -> tuple[QImage, Stride] | None:
        """A picture in which each point is the loudest of `stride` cells.

        Where it would take long and is not needed `now`: the nearest that was made before, or None.
        """
        if (stride, theme) not in self._images:
            if not now and self.values.size > AT_ONCE:
                known = [made for made, of in self._images if of is theme]
                wanted = stride[0] * stride[1]
                nearest = min(known, key=lambda made: abs(math.log(made[0] * made[1] / wanted)), default=None)
                return (self._images[nearest, theme], nearest) if nearest is not None else None
            if len(self._images) >= KEPT_IMAGES:
                self._images.pop(next(iter(self._images)))
            self._images[stride, theme] = self._drawn(stride, theme)
        return self._images[stride, theme], stride

    def _drawn(self, stride: Stride, theme: Theme) -> QImage:
        seen, hidden = loudest(self.values, self.masked(), stride)
        indices = np.ascontiguousarray(colors.color_indices(seen, hidden, self.kind, self.limit))
        rows, columns = indices.shape
        image = QImage(indices.data, columns, rows, columns, QImage.Format.Format_Indexed8)
        image.setColorTable(colors.lookup_table(self.kind, theme).argb)
        return image.convertToFormat(QImage.Format.Format_RGB32)  # else every repaint looks all colours up


def _limit(values: Array, masked: NDArray[np.bool_] | None) -> float:
    with np.errstate(all="ignore"):
        if masked is None and values.size and math.isfinite(top := max(float(values.max()), -float(values.min()))):
            return max(top, 0.0)
    return colors.symmetric_limit(values, masked)


class MatrixItem(pyqtgraph.ImageItem):
    """A picture in its place. One that takes long is asked for by `later`, and shown when it has been made."""

    def __init__(self, later: Callable[[MatrixItem], None]) -> None:
        super().__init__(axisOrder="row-major")
        self.picture: Picture | None = None
        self.wanted: Stride = (1, 1)
        self._later = later
        self._size = (1.0, 1.0)

    def place(self, rect: QRectF) -> None:
        """Lie there in the picture of the whole pass."""
        self.setPos(rect.topLeft())
        if (rect.width(), rect.height()) != self._size:
            self.prepareGeometryChange()
            self._size = rect.width(), rect.height()

    def show_picture(self, picture: Picture | None) -> None:
        """Show other numbers."""
        if picture is not self.picture:
            self.picture = picture
            self.update()

    def make(self) -> None:
        """Make what is wanted."""
        if self.picture is not None:
            self.picture.image(self.wanted, current_theme())
            self.update()

    def boundingRect(self) -> QRectF:
        return QRectF(0, 0, *self._size)

    def paint(self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None) -> None:
        if self.picture is None or not self.picture.values.size:
            return
        transform = painter.worldTransform()
        painter.setWorldTransform(QTransform())
        ratio = painter.device().devicePixelRatioF() if painter.device() is not None else 1.0
        self.wanted, drawn = draw_picture(painter, self.picture, transform.mapRect(self.boundingRect()), ratio, now=False)
        painter.setWorldTransform(transform)
        if not drawn:
            self._later(self)


def draw_picture(
    painter: QPainter, picture: Picture, rect: QRectF, ratio: float, now: bool = True, vector: bool = False
) -> tuple[Stride, bool]:
    """Draw a picture as fine as so many pixels can show; tells the stride, and whether it was there in that stride.

    A `vector` drawing gets a picture of larger points: whoever shows it smooths between them.
    """
    rows, columns = picture.values.shape
    stride = _stride(rect.height() * ratio / rows), _stride(rect.width() * ratio / columns)
    found = picture.image(stride, current_theme(), now)
    if found is None:
        painter.fillRect(rect, current_theme().masked)
        return stride, False
    image, made = found
    larger = max(1, round(VECTOR_POINTS / max(image.width(), image.height()))) if vector else 1
    if larger > 1:
        image = image.scaled(image.size() * larger)
    source = QRectF(0, 0, columns / made[1] * larger, rows / made[0] * larger)
    painter.drawImage(snapped(rect, ratio), image, source)
    return stride, made == stride


def _stride(pixels: float) -> int:
    """How many cells become one point where one is so many device pixels wide: a power of two."""
    return 1 if pixels >= 0.7 else 2 ** math.floor(math.log2(0.7 / max(pixels, 1e-9)) + 1)
