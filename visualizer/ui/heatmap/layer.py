"""What is laid over the cells of a heatmap: the base of the items for hatch, digits, marks and the bar's notes."""

from __future__ import annotations

from dataclasses import dataclass, field

from PySide6.QtCore import QRectF
from PySide6.QtGui import QPaintEngine, QPainter, QPainterPath
from PySide6.QtWidgets import QGraphicsItem

from visualizer.ui.heatmap.layout import Layout
from visualizer.ui.heatmap.matrix import Painted
from visualizer.ui.heatmap.text import TextCache
from visualizer.ui.look.colors import LookupTable

Cell = tuple[int, int]


@dataclass(frozen=True)
class Marks:
    """What is framed: rows and columns count from 0, cells are (row, column)."""

    row: int | None = None
    column: int | None = None
    hovered: Cell | None = None
    cursor: Cell | None = None
    sources: tuple[Cell, ...] = ()
    block: tuple[Cell, Cell] | None = None

    @property
    def pointed(self) -> Cell | None:
        """The cell under the mouse or, without one, under the keyboard's cursor."""
        return self.hovered if self.hovered is not None else self.cursor


@dataclass
class Shown:
    """What all layers of a heatmap draw: a matrix in its colours, where it lies, and what is marked."""

    painted: Painted
    layout: Layout
    texts: TextCache
    table: LookupTable
    marks: Marks = field(default_factory=Marks)
    pixel_ratio: float = 1.0


class Layer(QGraphicsItem):
    """Draws something of `shown` over the cells, in the widget's coordinates; takes no mouse."""

    #: How far it reaches beyond the cells, in logical pixels.
    BEYOND = 0.0

    def __init__(self, depth: float) -> None:
        super().__init__()
        self.shown: Shown | None = None
        self._bounds = QRectF()
        self.setZValue(depth)

    def show_it(self, shown: Shown) -> None:
        """Draw something else, or the same in another place."""
        bounds = self.area(shown)
        if bounds != self._bounds:
            self.prepareGeometryChange()
            self._bounds = bounds
        self.shown = shown
        self.update()

    def area(self, shown: Shown) -> QRectF:
        """Where it may draw."""
        beyond = self.BEYOND
        return shown.layout.cells.adjusted(-beyond, -beyond, max(beyond, 1), max(beyond, 1))

    def draw(self, painter: QPainter, shown: Shown) -> None:
        """Draw it."""
        raise NotImplementedError

    # -- Qt

    def boundingRect(self) -> QRectF:
        return self._bounds

    def shape(self) -> QPainterPath:
        return QPainterPath()

    def paint(self, painter: QPainter, *_args: object) -> None:
        if self.shown is not None:
            painter.save()
            painter.setClipRect(self._bounds)
            self.draw(painter, self.shown)
            painter.restore()


def is_drawing(painter: QPainter) -> bool:
    """Whether what is painted becomes lines and texts of a file, and not pixels."""
    return painter.paintEngine().type() in (QPaintEngine.Type.SVG, QPaintEngine.Type.Pdf)
