"""Everything that is drawn around the matrices, in its order; and the whole picture for export."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from PySide6.QtCore import QLineF, QRectF
from PySide6.QtGui import QPainter

from visualizer.session.analysis.landscape.shapes import HeadGrid, Landscape
from visualizer.ui.heatmap.grid import Grid
from visualizer.ui.panels.flow.cells import paint_cells
from visualizer.ui.panels.flow.content import FlowContent, Prediction
from visualizer.ui.panels.flow.ground import paint_block_title, paint_ground
from visualizer.ui.panels.flow.items import MatrixItem
from visualizer.ui.panels.flow.legend import legend_height, paint_legend
from visualizer.ui.panels.flow.marks import Cell, PassMarks, paint_marks, paint_way
from visualizer.ui.panels.flow.paper import Camera, Paper, Texts
from visualizer.ui.panels.flow.pictures import Picture
from visualizer.ui.panels.flow.titles import paint_titles
from visualizer.ui.panels.flow.words import (
    column_label_height,
    paint_block_remarks,
    paint_column_labels,
    paint_predictions,
    paint_prompt,
    paint_row_labels,
    paint_weights_name,
)

Key = tuple[str, str]


class Scenery:
    """What is drawn of a pass that is laid out: its words, its marks, its wires.

    Attributes:
        landscape: where everything lies.
        pictures: the numbers of each matrix, and of the heads.
        marks: what is chosen.
    """

    def __init__(self) -> None:
        self.landscape = Landscape()
        self.pictures: Mapping[Key, Picture] = {}
        self.marks = PassMarks()
        self._content: FlowContent | None = None
        self._predictions: dict[int, Prediction] = {}

    def lay_out(self, landscape: Landscape) -> None:
        """Draw at other places."""
        self.landscape, self.marks = landscape, PassMarks()

    def fill(self, content: FlowContent | None, pictures: Mapping[Key, Picture]) -> None:
        """Draw other numbers."""
        self._content, self.pictures = content, pictures
        self._predict()

    def mark(self, marks: PassMarks) -> None:
        """Mark something else."""
        again = marks.row != self.marks.row
        self.marks = marks
        if again:
            self._predict()

    def _predict(self) -> None:
        self._predictions = self._content.predictions(self.marks.row) if self._content is not None else {}

    def ground(self, paper: Paper, message: str = "") -> None:
        """Under the matrices."""
        paint_ground(paper, self.landscape, message)
        if self._content is not None:
            paint_way(paper, self.landscape, self.marks)

    def over(self, paper: Paper, cursor: tuple[int, Cell] | None) -> None:
        """Over the matrices."""
        content, landscape = self._content, self.landscape
        if content is None or not landscape.count:
            return
        grids = {}
        for i, tile in enumerate(landscape.tiles):
            rect = paper.camera.rect(tile.box)
            picture, grid = self.pictures.get(tile.key), Grid.onto(rect, tile.matrix.size, paper.view)
            if picture is not None and grid is not None:
                grids[i] = grid
                if picture.made:
                    paint_cells(paper, picture, grid, rect)
        for heads in landscape.heads:
            if paper.sees(heads.box, 30.0):
                self._heads(paper, heads, content)
        paint_marks(paper, landscape, self.marks, cursor)
        odd = {key: picture.odd for key, picture in self.pictures.items() if picture.made}
        below = paint_titles(paper, landscape, content, odd, partial(column_label_height, paper, content))
        for i, grid in grids.items():
            marked = self.marks.cells[i][1] if i in self.marks.cells else None
            paint_column_labels(paper, landscape.tiles[i], content, grid, marked, below)
            if landscape.tiles[i].matrix.kind == "parameter":
                paint_row_labels(paper, landscape.tiles[i], content, grid)
                paint_weights_name(paper, landscape.tiles[i], content, odd.get(landscape.tiles[i].key, 0))
        for frame in landscape.frames:
            paint_block_title(paper, frame, frame.block == self.marks.block)
        paint_predictions(paper, landscape, self._predictions, self.marks.row, self.marks.chosen)
        paint_prompt(paper, landscape, content.tokens, self.marks.row, self.marks.chosen)

    def _heads(self, paper: Paper, heads: HeadGrid, content: FlowContent) -> None:
        """Lines between the heads, a frame around the chosen one, and what is out of the ordinary in the block."""
        painter, theme, rect = paper.painter, paper.theme, paper.camera.rect(heads.box)
        for head in range(heads.count, heads.rows * heads.columns):
            painter.fillRect(paper.camera.rect(heads.head(head)), paper.texts.color(theme.background))
        painter.setPen(paper.texts.pen(theme.background, 2.0))
        rows = (rect.top() + row * rect.height() / heads.rows for row in range(heads.rows + 1))
        columns = (rect.left() + column * rect.width() / heads.columns for column in range(heads.columns + 1))
        lines = [QLineF(rect.left(), y, rect.right(), y) for y in rows]
        painter.drawLines([*lines, *(QLineF(x, rect.top(), x, rect.bottom()) for x in columns)])
        if heads.count > 1 and heads.block == self.marks.block:
            painter.setPen(paper.texts.pen(theme.accent, 2.0))
            painter.drawRect(paper.camera.rect(heads.head(min(self.marks.head, heads.count - 1))))
        if not any(frame.block == heads.block and frame.opened for frame in self.landscape.frames):
            paint_block_remarks(paper, heads, content.block_remarks(heads.block))

    def whole(
        self, painter: QPainter, rect: QRectF, landscape: Landscape, items: Mapping[Key, MatrixItem], texts: Texts
    ) -> None:
        """The whole picture in a rectangle, fitted, with the legend below it."""
        before, legend = self.landscape, legend_height(texts)
        room = rect.adjusted(0, 0, 0, -legend)
        bounds = landscape.bounds
        camera = Camera(room.width() / bounds.width, room.height() / bounds.height, room.left(), room.top())
        paper = Paper(painter, camera, texts, room)
        painter.fillRect(rect, texts.color(texts.theme.panel))
        self.landscape = landscape
        self.ground(paper)
        places = {tile.key: tile.box for tile in landscape.tiles} | {heads.key: heads.box for heads in landscape.heads}
        for key in places.keys() & items.keys():
            items[key].paint_at(painter, camera.rect(places[key]))
        self.over(paper, None)
        self.landscape = before
        paint_legend(paper, QRectF(rect.left() + 6, rect.bottom() - legend, rect.width() - 12, legend))
