"""The axes of the mosaic: blocks down the side and heads along the top, as many numbers as fit."""

from __future__ import annotations

from collections.abc import Sequence

import pyqtgraph as pg
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter
from PySide6.QtWidgets import QStyleOptionGraphicsItem, QWidget

from visualizer.ui.heatmap.layer import is_drawing
from visualizer.ui.look.theme import current_theme

TIGHT = 0.9  # of a line's height: numbers may stand this close
LABEL_GAP = 10.0


class TileAxis(pg.AxisItem):
    """One axis for the whole mosaic, with a number at the middle of each row or column of tiles.

    Args:
        orientation: "left" or "top".
        name: what is numbered.
    """

    def __init__(self, orientation: str, name: str) -> None:
        super().__init__(orientation, maxTickLength=0)
        self._name = name
        self._count = 1
        self._middles: list[float] = []
        self.setStyle(tickTextOffset=4, autoReduceTextSpace=False)

    def set_look(self, font: QFont) -> None:
        """Write in this font and the theme's colours."""
        theme = current_theme()
        self.setStyle(tickFont=font)
        self.setPen(QColor(theme.panel))
        self.setTextPen(QColor(theme.text))
        self.setLabel(self._name, color=theme.muted_text, **{"font-size": f"{font.pixelSize()}px"})
        self._fit()

    def set_count(self, count: int) -> None:
        """Keep room for the numbers of so many rows or columns."""
        if count != self._count:
            self._count = count
            self._fit()

    def set_middles(self, middles: Sequence[float]) -> None:
        """Number the rows or columns whose middles lie here, in the mosaic's cells."""
        self._middles = list(middles)
        self.picture = None
        self.update()

    def numbers(self) -> list[str]:
        """What is written now."""
        low, high = sorted(self.range)
        size = self.geometry().height() if self.orientation == "left" else self.geometry().width()
        return self.tickStrings(self.tickValues(low, high, size)[0][1], 1.0, 1.0)

    @property
    def _metrics(self) -> QFontMetricsF:
        return QFontMetricsF(self.style["tickFont"] or QFont())

    def _widest(self) -> float:
        return self._metrics.horizontalAdvance(str(max(self._count - 1, 0)))

    def _fit(self) -> None:
        line = self._metrics.height()
        if self.orientation == "left":
            self.setWidth(line + self._widest() + LABEL_GAP)
        else:
            self.setHeight(2 * line + LABEL_GAP)

    # -- pyqtgraph

    def tickValues(self, minVal: float, maxVal: float, size: float) -> list[tuple[float, list[float]]]:
        low, high = sorted((minVal, maxVal))
        pitch = self._middles[1] - self._middles[0] if len(self._middles) > 1 else high - low
        room = self._metrics.height() * TIGHT if self.orientation == "left" else self._widest() + LABEL_GAP / 2
        tile = size * pitch / max(high - low, 1e-9)
        steps = (step * 10**power for power in range(6) for step in (1, 2, 5))
        every = next(step for step in steps if step * tile >= room or step >= len(self._middles))
        return [(pitch * every, [middle for middle in self._middles[::every] if low <= middle <= high])]

    def paint(self, painter: QPainter, *args: QWidget | QStyleOptionGraphicsItem | None) -> None:
        specs = self.generateDrawSpecs(painter) if is_drawing(painter) else None
        if specs is None:
            super().paint(painter, *args)
        else:  # not by way of a QPicture, which would be scaled to the drawing's points
            self.drawPicture(painter, *specs)

    def tickStrings(self, values: list[float], scale: float, spacing: float) -> list[str]:
        return [str(self._middles.index(value)) for value in values]
