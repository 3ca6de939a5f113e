"""The items of a heatmap's scene: pyqtgraph's box, image, axes and colour bar, and the layers over the cells."""

from __future__ import annotations

from collections.abc import Iterator

from PySide6.QtCore import QObject, QRectF, Signal
from PySide6.QtWidgets import QGraphicsItem, QGraphicsScene

from visualizer.ui.heatmap.axis import LabelAxis
from visualizer.ui.heatmap.bar import BarNotes, LevelBar
from visualizer.ui.heatmap.box import CellBox
from visualizer.ui.heatmap.digits import Digits
from visualizer.ui.heatmap.frames import Frames
from visualizer.ui.heatmap.hatch import Hatch
from visualizer.ui.heatmap.image import MatrixImage
from visualizer.ui.heatmap.layer import Shown


class Parts(QObject):
    """All items of one heatmap, shown, placed and marked together.

    Signals:
        bar_made(object): there is a new colour bar (LevelBar).
    """

    bar_made = Signal(object)

    def __init__(self, scene: QGraphicsScene) -> None:
        super().__init__(scene)
        self._scene = scene
        self.box, self.image = CellBox(), MatrixImage()
        self.box.addItem(self.image)
        self.rows, self.columns = LabelAxis("left"), LabelAxis("top")
        self.hatch, self.digits, self.frames, self.notes = Hatch(10), Digits(11), Frames(12), BarNotes(13)
        self._bar: LevelBar | None = None
        for axis in (self.rows, self.columns):
            axis.linkToView(self.box)
        for item in self._items():
            scene.addItem(item)
        self.set_visible(False)

    def _items(self) -> Iterator[QGraphicsItem]:
        yield from (self.box, self.rows, self.columns, self.hatch, self.digits, self.frames, self.notes)
        if self._bar is not None:
            yield self._bar

    def bar(self, shown: Shown | None) -> LevelBar:
        """The colour bar, beside the cells or below them, as the layout says; made when it is asked for."""
        horizontal = shown is not None and shown.layout.bar_below
        if self._bar is not None and self._bar.horizontal != horizontal:
            self._scene.removeItem(self._bar)
            self._bar = None
        if self._bar is None:
            self._bar = LevelBar(horizontal)
            self._scene.addItem(self._bar)
            self._bar.setVisible(shown is not None)
            if shown is not None:
                self._bar.place(self.notes.bar(shown))
                self._bar.show_scale(shown)
            self._bar.setImageItem(self.image)
            self.bar_made.emit(self._bar)
        return self._bar

    def set_visible(self, visible: bool) -> None:
        """Have all of them seen, or none."""
        for item in self._items():
            item.setVisible(visible)

    def show(self, shown: Shown) -> None:
        """Show a matrix in its colours."""
        painted = shown.painted
        self.image.show_matrix(painted.matrix.values, painted.indices, shown.table, painted.scale.kind, painted.levels)
        self.set_visible(True)
        self.place(shown)
        if self._bar is not None:
            self.bar(shown).show_scale(shown)

    def place(self, shown: Shown) -> None:
        """Stand where the layout says."""
        layout, matrix = shown.layout, shown.painted.matrix
        if self.box.geometry() != layout.cells:
            self.box.setGeometry(layout.cells)
            self.rows.setWidth(layout.row_labels.right() - layout.row_axis.left())
            self.columns.setHeight(layout.column_labels.bottom() - layout.column_axis.top())
            self.rows.setGeometry(QRectF(layout.row_axis.topLeft(), layout.row_labels.bottomRight()))
            self.columns.setGeometry(QRectF(layout.column_axis.topLeft(), layout.column_labels.bottomRight()))
        self.rows.show_axis(matrix.rows, layout, shown.texts)
        self.columns.show_axis(matrix.columns, layout, shown.texts)
        self.hatch.show_it(shown)
        self.digits.show_it(shown)
        if self._bar is not None:
            self._bar.place(self.notes.bar(shown))
        self.mark(shown)

    def mark(self, shown: Shown) -> None:
        """Mark what is chosen and pointed at."""
        marks = shown.marks
        pointed = marks.pointed or (None, None)
        self.rows.mark(marks.row, pointed[0])
        self.columns.mark(marks.column, pointed[1])
        self.frames.show_it(shown)
        if self.notes.differ(shown):
            self.notes.show_it(shown)
