"""The picture part of the heatmap widget: its parts from pyqtgraph, what they show, what is marked, how near."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, QSize, QSizeF, Signal
from PySide6.QtGui import QPainter, QResizeEvent
from PySide6.QtWidgets import QWidget

from visualizer.session.words.numbers import short
from visualizer.ui.heatmap.arranged import Arranged
from visualizer.ui.heatmap.bar import LevelBar
from visualizer.ui.heatmap.layer import Cell, Marks, Shown
from visualizer.ui.heatmap.layout import Layout
from visualizer.ui.heatmap.matrix import Matrix, Painted
from visualizer.ui.heatmap.parts import Parts
from visualizer.ui.heatmap.scales import ScaleChoice, remembered_choice
from visualizer.ui.heatmap.text import TextCache, texts_for
from visualizer.ui.look.colors import Levels, lookup_table
from visualizer.ui.look.theme import current_theme
from visualizer.ui.widgets.drawing import paint_message
from visualizer.ui.widgets.plain_text import as_tip

if TYPE_CHECKING:
    from collections.abc import Iterator

#: What can be done with any heatmap, for its tooltip.
KEYS = "wheel: zoom · drag: move · click or Return: choose and explain · right click: intervene, copy, scale · 0: all"
USUAL_BAR_LABEL = 6  # characters; the room grows with a longer limit and then stays, so that nothing jumps


class HeatmapView(pg.GraphicsView):
    """One matrix on screen, without mouse and keyboard.

    Signals:
        zoom_changed(): other cells are in sight than before.

    Attributes:
        whose: words that tell it from another heatmap of the same name; empty where there is none.
    """

    zoom_changed = Signal()

    # pyqtgraph's own construction already asks for these.
    _matrix: Matrix | None = None
    _shown: Shown | None = None
    _message = ""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, background=None)
        # Parts that rest are not to be painted again with their neighbours.
        self.setOptimizationFlag(pg.GraphicsView.OptimizationFlag.DontAdjustForAntialiasing)
        self.setCacheMode(pg.GraphicsView.CacheModeFlag.CacheNone)  # a ground of one colour is painted fast enough
        self.viewport().setObjectName("qt_scrollarea_viewport")  # as Qt calls those that it makes itself
        for export in self.scene().contextMenu:  # ours writes the numbers, too
            export.setParent(None)
        self.scene().contextMenu.clear()
        self.whose = ""
        self._square = True
        self._bar_characters = USUAL_BAR_LABEL
        self._marks = Marks()
        self._by_hand: Levels | None = None
        self._choice: ScaleChoice | None = None
        self._arranged = Arranged()
        self._parts = Parts(self.scene())
        self._box = self._parts.box
        self._parts.bar_made.connect(self._bar_made)
        self._box.sigRangeChanged.connect(self._moved)

    # -- pyqtgraph's parts

    def view_box(self) -> pg.ViewBox:
        """The window onto the cells: columns along x, rows along y, downwards."""
        return self._box

    def image_item(self) -> pg.ImageItem:
        """The cells as an image: its `image` holds the numbers, its `levels` the ends of the scale."""
        return self._parts.image

    def color_bar(self) -> LevelBar:
        """The colour bar; another one where it has moved from beside the cells to below them, or back.

        It is made when it is asked for, as when the mouse comes: four of them are a tenth of the window's start.
        """
        return self._parts.bar(self._shown)

    def _bar_made(self, bar: LevelBar) -> None:
        bar.sigLevelsChanged.connect(self._levels_dragged)
        bar.sigLevelsChangeFinished.connect(self._show)
        bar.reset_wanted.connect(self.reset_levels)
        bar.menu_wanted.connect(self._bar_menu)

    def _bar_menu(self, where: QPoint) -> None:
        """A menu is wanted at the colour bar."""

    # -- what is shown

    def set_matrix(self, matrix: Matrix) -> None:
        """Show a matrix."""
        if self._shown is not None and type(matrix) is Matrix and matrix.same_as(self._shown.painted.matrix):
            return  # an edit leaves most of a pass as it was
        before, self._matrix = self._matrix, matrix
        if before is None or before.shape != matrix.shape or before.name != matrix.name:
            self._bar_characters = USUAL_BAR_LABEL
            hovered, cursor = self._inside(self._marks.hovered), self._inside(self._marks.cursor)
            self._marks = replace(self._marks, hovered=hovered, cursor=cursor, block=None)
            self.name_it(matrix)
        if before is None or before.origin is not matrix.origin:
            self.fit()
            self._by_hand = None
        self._describe()
        self._show()

    def name_it(self, matrix: Matrix) -> None:
        """Have screen readers and the tooltip say what is shown."""
        rows, columns = matrix.shape
        self.setAccessibleName(f"{self.called} heatmap, {matrix.rows.name} {rows} by {matrix.columns.name} {columns}")
        self.setToolTip(as_tip(f"{self.called} [{matrix.rows.name} {rows}, {matrix.columns.name} {columns}]\n{KEYS}"))

    def set_empty(self, message: str) -> None:
        """Show no matrix but a sentence: what is missing, and what to do next."""
        self._matrix = self._shown = None
        self._message = message
        self._marks = Marks()
        self._parts.set_visible(False)
        self.setAccessibleName("empty heatmap")
        self.setAccessibleDescription(message)
        self.setToolTip(as_tip(message))
        self.viewport().update()

    @property
    def matrix(self) -> Matrix | None:
        """What is shown, with its labels; None when empty."""
        return self._matrix

    @property
    def painted(self) -> Painted | None:
        """What is shown, as colours; None when empty."""
        return self._shown.painted if self._shown is not None else None

    @property
    def called(self) -> str:
        """What is shown, in words; empty when nothing is."""
        name = self._matrix.name if self._matrix is not None else ""
        return f"{name} of {self.whose}" if self.whose and name else name

    def image(self) -> NDArray[Any]:
        """The displayed numbers [rows, columns], read-only, masked ones as they are; [0, 0] when empty."""
        return self._matrix.values if self._matrix is not None else np.zeros((0, 0))

    def cell(self, row: int, column: int) -> float:
        """The displayed value of a cell. Raises IndexError outside the matrix."""
        if self._matrix is None:
            raise IndexError(f"no cell [{row}, {column}]: the heatmap is empty")
        return self._matrix.cell(row, column)

    def readout(self, row: int, column: int) -> str:
        """A cell in words with all its digits; empty outside the matrix."""
        if self._matrix is None or self._inside((row, column)) is None:
            return ""
        return self._matrix.readout(row, column)

    def set_square(self, square: bool) -> None:
        """Whether cells are square (the default) or take the room there is."""
        if square != self._square:
            self._square = square
            self._show()

    # -- how numbers become colours

    @property
    def choice(self) -> ScaleChoice:
        """How the user wants numbers to become colours here."""
        if self._choice is None:
            self._choice = remembered_choice(self.objectName())
        return self._choice

    def choose_scale(self, choice: ScaleChoice) -> None:
        """Use another scale or colour map, now and from now on."""
        self._choice = choice
        choice.remember(self.objectName())
        self._by_hand = None
        self._show()

    @property
    def levels_by_hand(self) -> bool:
        """Whether the levels were dragged."""
        return self._by_hand is not None

    def reset_levels(self) -> None:
        """Levels as the scale has them, after they were dragged."""
        self._by_hand = None
        self._show()

    def _levels_dragged(self, bar: pg.ColorBarItem) -> None:
        if self._shown is None:
            return
        low, high = bar.levels()
        if self._shown.painted.scale.kind == "diverging":  # stays centred on zero: the end that moved says how far
            was = self._shown.painted.levels
            limit = abs(high) if abs(high - was[1]) >= abs(low - was[0]) else abs(low)
            low, high = -limit, limit
        self._by_hand = (float(low), float(high))
        self._show()

    # -- what is marked

    def set_selection(self, row: int | None, column: int | None) -> None:
        """Frame a cell, a whole row (`column` None), a whole column (`row` None), or nothing."""
        self._mark(row=row, column=column)

    def set_marked_cells(self, cells: Iterable[Cell]) -> None:
        """Outline cells as the sources of an explanation; an empty list takes the outlines away."""
        self._mark(sources=tuple(cells))

    def _mark(self, **changes: object) -> None:
        marks = replace(self._marks, **changes)  # type: ignore[arg-type]
        if marks != self._marks:
            self._marks = marks
            self._show_marks()

    # -- how near

    def zoom_by(self, factor: float, around: QPointF | None = None) -> None:
        """Zoom in (`factor` above 1) or out around a point of the widget, or around cursor or middle."""
        layout = self.layout_now()
        if layout is None:
            return
        if around is None:
            cursor = self._marks.cursor
            around = layout.cell_rect(*cursor).center() if cursor else layout.cells.center()
        column, row = (around.x() - layout.left) / layout.cell_width, (around.y() - layout.top) / layout.cell_height
        self._box.zoom(factor, column, row)

    def fit(self) -> None:
        """Show the whole matrix."""
        self._box.fit()

    @property
    def zoomed(self) -> float:
        """How many times enlarged, by the side that is more so; 1 where all is in sight."""
        return max(self._box.factors()) if self._matrix is not None and self._matrix.values.size else 1.0

    def layout_now(self) -> Layout | None:
        """Where everything lies at the present size and zoom, in the widget's coordinates; None if empty."""
        matrix = self._matrix
        if matrix is None or not matrix.values.size:
            return None
        size, ratio = QSizeF(self.size()), self.devicePixelRatioF()
        return self._arranged.layout(matrix, self._box, self._texts(), self._bar_characters, size, self._square, ratio)

    # -- drawing

    def _texts(self) -> TextCache:
        font = self.font()
        points = font.pointSizeF() if font.pointSizeF() > 0 else 9.0
        return texts_for(current_theme(), points, font.family())

    def _show(self, _bar: object = None) -> None:
        """Have all parts show the matrix as it is now."""
        matrix = self._matrix
        if matrix is None:
            return
        if not matrix.values.size:
            self._parts.set_visible(False)
            self._message = f"{matrix.name} has no cells"
            self.viewport().update()
            return
        painted = Painted(matrix, self.choice.applied(matrix.scale), self._by_hand)
        self._parts.notes.by_hand = self._by_hand is not None
        self._bar_characters = max(self._bar_characters, *(len(short(level)) for level in painted.levels))
        layout = self.layout_now()
        assert layout is not None
        table = lookup_table(painted.scale.kind, current_theme(), painted.scale.map)
        self._shown = Shown(painted, layout, self._texts(), table, self._within(), self.devicePixelRatioF())
        self._parts.show(self._shown)

    def _place(self) -> None:
        """Have all parts stand where the layout says."""
        layout = self.layout_now()
        if self._shown is not None and layout is not None:
            self._shown.layout, self._shown.marks = layout, self._within()
            self._parts.place(self._shown)

    def _show_marks(self) -> None:
        if self._shown is not None:
            self._shown.marks = self._within()
            self._parts.mark(self._shown)

    def _moved(self, *_ranges: object) -> None:
        """The window onto the cells shows others; while another matrix is being put there, its own follow."""
        if self._shown is not None and self._shown.painted.matrix is self._matrix:
            self._place()
            self.zoom_changed.emit()

    def _inside(self, cell: Cell | None) -> Cell | None:
        if cell is None or self._matrix is None:
            return None
        rows, columns = self._matrix.shape
        return cell if 0 <= cell[0] < rows and 0 <= cell[1] < columns else None

    def _within(self) -> Marks:
        """The marks that lie on the matrix: a selection may be of a step with more tokens."""
        marks, (rows, columns) = self._marks, self.image().shape
        row, column = marks.row, marks.column
        outside = (row is not None and not 0 <= row < rows) or (column is not None and not 0 <= column < columns)
        return replace(
            marks,
            row=None if outside else row,
            column=None if outside else column,
            hovered=self._inside(marks.hovered),
            cursor=self._inside(marks.cursor) if self.hasFocus() else None,
            sources=tuple(cell for cell in marks.sources if self._inside(cell) is not None),
        )

    def _describe(self) -> None:
        """Keep the screen reader's description with the cell under mouse or cursor."""
        cell = self._marks.pointed
        if self._matrix is None:
            return
        text = self._matrix.spoken(*cell) if self._inside(cell) is not None and cell is not None else ""
        if text != self.accessibleDescription():
            self.setAccessibleDescription(text)

    # -- pictures

    @contextmanager
    def _as_picture(self, pixel_ratio: float) -> Iterator[None]:
        """The whole matrix without cursor and hover, for as long as a picture of it is made."""
        shown, marks, seen = self._shown, self._marks, self._box.viewRange()
        linked = self._box.blockSignals(True)
        self._marks = replace(marks, hovered=None, cursor=None, block=None)
        self._box.fit()
        self._place()
        if shown is not None:
            shown.pixel_ratio = pixel_ratio
        try:
            yield
        finally:
            self._marks = marks
            self._box.setRange(xRange=seen[0], yRange=seen[1], padding=0)
            if shown is not None:
                shown.pixel_ratio = self.devicePixelRatioF()
            self._place()
            self._box.blockSignals(linked)

    def paint_picture(self, painter: QPainter, target: QRectF) -> None:
        """Paint the whole heatmap with axes and colour bar, without cursor and hover, into `target`."""
        with self._as_picture(painter.device().devicePixelRatioF()):
            painter.fillRect(target, self._texts().color(current_theme().panel))
            self.scene().prepareForPaint()
            if self._shown is None:
                paint_message(painter, target, self._message)
            else:
                self.scene().render(painter, target, QRectF(QPointF(0, 0), QSizeF(self.size())))

    def picture_caption(self) -> str:
        """What is shown, of what, and on which scale; empty where nothing is."""
        painted = self.painted
        return "" if painted is None else " · ".join((self.called, *painted.words(self.levels_by_hand)))

    # -- Qt

    def drawBackground(self, painter: QPainter, rect: QRectF) -> None:
        painter.fillRect(rect, self._texts().color(current_theme().panel))
        if self._shown is None:
            paint_message(painter, QRectF(self.viewport().rect()), self._message)

    def sizeHint(self) -> QSize:
        return QSize(276, 236)

    def minimumSizeHint(self) -> QSize:
        return QSize(120, 100)

    def close(self) -> bool:
        """Hide it; pyqtgraph would empty the scene, and there would be nothing to show again."""
        return QWidget.close(self)

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        super().resizeEvent(event)
        if event is not None:
            self._place_anew()

    def _place_anew(self) -> None:
        layout = self.layout_now()
        if layout is not None and self._shown is not None:
            self._show()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.PaletteChange, QEvent.Type.StyleChange):
            self._show()
            self.viewport().update()
