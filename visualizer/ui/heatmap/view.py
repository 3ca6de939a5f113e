"""The picture part of the heatmap widget: what it shows, what is marked, how near, and drawing it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, QSizeF, Qt
from PySide6.QtGui import QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from visualizer.session.words.numbers import short
from visualizer.ui.heatmap.layout import FIT, Layout, Metrics, Zoom, arrange, held, limited_factor, scrolled
from visualizer.ui.heatmap.matrix import Matrix
from visualizer.ui.heatmap.paint import HeatmapPainter, Marks
from visualizer.ui.look.colors import Scale
from visualizer.ui.look.theme import current_theme

Cell = tuple[int, int]

#: What can be done with any heatmap, for its tooltip.
KEYS = "arrows: cell cursor · Return: choose and explain · menu key: intervene, copy, export · + and −: zoom"

USUAL_BAR_LABEL = 5  # characters; the room grows with a longer limit and then stays, so that nothing jumps


class HeatmapView(QWidget):
    """One matrix on screen, without mouse and keyboard.

    Attributes:
        whose: words that tell it from another heatmap of the same name; empty where there is none.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._matrix: Matrix | None = None
        self._message = ""
        self._square = True
        self._zoom = FIT
        self._bar_characters = USUAL_BAR_LABEL
        self._hovered: Cell | None = None
        self._cursor: Cell | None = None
        self._selection: tuple[int | None, int | None] = (None, None)
        self._sources: tuple[Cell, ...] = ()
        self.whose = ""
        self._painter: HeatmapPainter | None = None
        self._metrics: tuple[object, Metrics] | None = None
        self._layout: tuple[object, Layout] | None = None
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)

    # -- what is shown

    def set_matrix(
        self,
        values: NDArray[Any],
        *,
        masked: NDArray[np.bool_] | None = None,
        row_labels: Sequence[str],
        column_labels: Sequence[str],
        scale: Scale,
        name: str,
        row_axis: str = "query",
        column_axis: str = "key",
        row_label_colors: Sequence[str] | None = None,
        column_label_colors: Sequence[str] | None = None,
        changed: NDArray[np.bool_] | None = None,
        row_positions: bool = True,
        column_positions: bool = True,
    ) -> None:
        """Show a copy of `values` [rows, columns].

        `masked` and `changed` are bool of the same shape; label colours are ``#rrggbb``, one a label. Rows and
        columns that are positions get their index as a subscript. Raises ValueError where the shapes disagree.
        """
        matrix = Matrix(
            values,
            masked=masked,
            changed=changed,
            row_labels=row_labels,
            column_labels=column_labels,
            scale=scale,
            name=name,
            row_axis=row_axis,
            column_axis=column_axis,
            row_label_colors=row_label_colors,
            column_label_colors=column_label_colors,
            row_positions=row_positions,
            column_positions=column_positions,
        )
        before, self._matrix = self._matrix, matrix
        if before is None or before.shape != matrix.shape or before.name != matrix.name:
            self._bar_characters = USUAL_BAR_LABEL
            self._hovered = self._inside(self._hovered)
            self._cursor = self._inside(self._cursor)
            rows, columns = matrix.shape
            self.setAccessibleName(f"{self.called} heatmap, {row_axis} {rows} by {column_axis} {columns}")
            self.setToolTip(f"{self.called} [{row_axis} {rows}, {column_axis} {columns}]\n{KEYS}")
        self._bar_characters = max(self._bar_characters, len(short(-matrix.limit)))
        self._describe()
        self.update()

    def set_empty(self, message: str) -> None:
        """Show no matrix but a sentence: what is missing, and what to do next."""
        self._matrix = None
        self._message = message
        self._hovered = self._cursor = None
        self._zoom = FIT
        self.setAccessibleName("empty heatmap")
        self.setAccessibleDescription(message)
        self.setToolTip(message)
        self.update()

    @property
    def matrix(self) -> Matrix | None:
        """What is shown, with its labels and colours; None when empty."""
        return self._matrix

    @property
    def called(self) -> str:
        """What is shown, in words; empty when nothing is."""
        name = self._matrix.name if self._matrix is not None else ""
        return f"{name} of {self.whose}" if self.whose and name else name

    @property
    def square(self) -> bool:
        """Whether cells are square."""
        return self._square

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
            self.update()

    # -- what is marked

    def set_selection(self, row: int | None, column: int | None) -> None:
        """Frame a cell, a whole row (`column` None), a whole column (`row` None), or nothing."""
        if (row, column) != self._selection:
            self._selection = (row, column)
            self.update()

    def set_marked_cells(self, cells: Iterable[Cell]) -> None:
        """Outline cells as the sources of an explanation; an empty list takes the outlines away."""
        sources = tuple(cells)
        if sources != self._sources:
            self._sources = sources
            self.update()

    # -- how near

    def zoom_by(self, factor: float, around: QPointF | None = None) -> None:
        """Zoom in (`factor` above 1) or out around a point of the widget, or around cursor or middle."""
        layout = self.layout_now()
        if layout is None:
            return
        target = limited_factor(self._arranged(FIT), self._zoom, factor)
        if around is None:
            around = layout.cell_rect(*self._cursor).center() if self._cursor else layout.cells.center()
        self._zoom = held(layout, self._arranged(Zoom(target)), around, target)
        self.update()

    def fit(self) -> None:
        """Show the whole matrix."""
        self._zoom = FIT
        self.update()

    def layout_now(self) -> Layout | None:
        """Where everything lies at the present size and zoom, in the widget's coordinates; None if empty."""
        return self._arranged(self._zoom) if self._matrix is not None and self._matrix.values.size else None

    def to_image(self, scale: float = 1.0, size: QSize | None = None) -> QImage:
        """The whole heatmap with axes and colour bar, without cursor and hover.

        `size` in logical pixels; None takes the widget's own. The image has `scale` pixels to a logical pixel.
        """
        size = size if size is not None else self.size()
        image = QImage(size * scale, QImage.Format.Format_RGB32)
        image.setDevicePixelRatio(scale)
        painter = QPainter(image)
        marks = Marks(selected_row=self._selection[0], selected_column=self._selection[1], sources=self._sources)
        self._draw(painter, size, FIT, marks, scale)
        painter.end()
        return image

    # -- inside

    def _draw(self, painter: QPainter, size: QSize, zoom: Zoom, marks: Marks, pixel_ratio: float) -> None:
        brush = self._brush()
        matrix = self._matrix
        if matrix is None or not matrix.values.size:
            message = self._message if matrix is None else f"{matrix.name} has no cells"
            brush.paint_message(painter, QRectF(QPointF(0, 0), QSizeF(size)), message)
            return
        layout = self._arranged(zoom, size, pixel_ratio)
        brush.paint(painter, size, matrix, layout, self._within(marks, matrix), pixel_ratio)

    def _brush(self) -> HeatmapPainter:
        if self._painter is None or self._painter.theme is not current_theme():
            self._painter = HeatmapPainter(current_theme(), self.font())
            self._metrics = None
        return self._painter

    def _arranged(self, zoom: Zoom, size: QSize | None = None, pixel_ratio: float | None = None) -> Layout:
        matrix, brush = self._matrix, self._brush()
        assert matrix is not None
        key = (matrix.label_key, self._bar_characters)
        if self._metrics is None or self._metrics[0] != key:
            self._metrics = (key, brush.texts.metrics(matrix, self._bar_characters))
            self._layout = None
        size = size if size is not None else self.size()
        ratio = pixel_ratio if pixel_ratio is not None else self.devicePixelRatioF()
        place = (size.toTuple(), ratio, self._square, zoom, matrix.shape)
        if self._layout is None or self._layout[0] != place:
            metrics = self._metrics[1]
            layout = arrange(QSizeF(size), matrix.shape, metrics, square=self._square, zoom=zoom, pixel_ratio=ratio)
            self._layout = (place, layout)
        return self._layout[1]

    def _inside(self, cell: Cell | None) -> Cell | None:
        if cell is None or self._matrix is None:
            return None
        rows, columns = self._matrix.shape
        return cell if 0 <= cell[0] < rows and 0 <= cell[1] < columns else None

    def _within(self, marks: Marks, matrix: Matrix) -> Marks:
        """The marks that lie on the matrix: a selection may be of a step with more tokens."""
        rows, columns = matrix.shape
        row, column = marks.selected_row, marks.selected_column
        outside = (row is not None and not 0 <= row < rows) or (column is not None and not 0 <= column < columns)
        return replace(
            marks,
            selected_row=None if outside else row,
            selected_column=None if outside else column,
            hovered=self._inside(marks.hovered),
            cursor=self._inside(marks.cursor),
            sources=tuple(cell for cell in marks.sources if self._inside(cell) is not None),
        )

    def _describe(self) -> None:
        """Keep the screen reader's description with the cell under mouse or cursor."""
        cell = self._hovered if self._hovered is not None else self._cursor
        if self._matrix is None:
            return
        text = self._matrix.spoken(*cell) if cell is not None else ""
        if text != self.accessibleDescription():
            self.setAccessibleDescription(text)

    def _scroll_by(self, dx: float, dy: float) -> None:
        layout = self.layout_now()
        if layout is not None:
            self._zoom = scrolled(layout, self._zoom, dx, dy)
            self.update()

    # -- Qt

    def sizeHint(self) -> QSize:
        return QSize(276, 236)

    def minimumSizeHint(self) -> QSize:
        return QSize(120, 100)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        marks = Marks(
            selected_row=self._selection[0],
            selected_column=self._selection[1],
            hovered=self._hovered,
            cursor=self._cursor if self.hasFocus() else None,
            sources=self._sources,
        )
        self._draw(painter, self.size(), self._zoom, marks, self.devicePixelRatioF())
        painter.end()

    def changeEvent(self, event: QEvent) -> None:
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.PaletteChange, QEvent.Type.StyleChange):
            self._painter = self._metrics = None
            self.update()
        super().changeEvent(event)
