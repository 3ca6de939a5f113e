"""What is marked in the picture: the chosen token's way, the keys it reads from, chosen and hovered cells, sources."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from PySide6.QtCore import QLineF, QRectF, Qt
from PySide6.QtGui import QColor, QPen

from visualizer.session.analysis.landscape.shapes import Box, Landscape, Tile
from visualizer.session.analysis.stage_values import StageValues
from visualizer.session.selection import CellRef, Chosen
from visualizer.ui.heatmap.frames import SMALLEST_FRAME, draw_frame
from visualizer.ui.panels.flow.paper import Paper

POSITIONS = ("position", "query")
LEAST_WEIGHT, FRAMED = 0.02, 0.1  # of a key that lights up, and that is framed
KEY_BAR = 4.0

Cell = tuple[int, int]


@dataclass(frozen=True)
class PassMarks:
    """What is marked, tiles by their index.

    Attributes:
        row: the token whose way is lit; None before there is one.
        chosen: whether it was chosen, or is the last by default.
        keys: for tiles of keys and values, how much the row reads from each of their rows.
        cells, sources, hovered: the chosen cell, those that made it, and the one pointed at.
        head: the chosen one.
    """

    row: int | None = None
    chosen: bool = False
    keys: Mapping[int, tuple[float, ...]] = field(default_factory=dict)
    cells: Mapping[int, Cell] = field(default_factory=dict)
    sources: Mapping[int, tuple[Cell, ...]] = field(default_factory=dict)
    hovered: Mapping[int, Cell] = field(default_factory=dict)
    head: int = 0
    block: int = 0


def marks_of(
    landscape: Landscape,
    values: StageValues,
    now: Chosen,
    hovered: CellRef | None,
    sources: Sequence[CellRef],
    keys: Mapping[str, str],
) -> PassMarks:
    """The marks of what is chosen; `keys` names the pattern by which the rows of a matrix are read from."""
    by_name: dict[tuple[str, str], list[CellRef]] = defaultdict(list)
    for ref in sources:
        by_name[ref.kind, ref.name].append(ref)
    chosen = now.row is not None and now.row < landscape.count
    row = now.row if chosen else landscape.count - 1 if landscape.count else None
    cells, found, pointed, weights = {}, {}, {}, {}
    for i, tile in enumerate(landscape.tiles):
        matrix = tile.matrix
        place = _place(values, tile, now.cell)
        if place is None and chosen and matrix.plane == ("query", "key") and now.key is not None and row is not None:
            place = (row, now.key) if now.key < matrix.size[1] else None
        if place is not None:
            cells[i] = place
        placed = [_place(values, tile, ref) for ref in by_name.get((matrix.kind, matrix.name), ())]
        if placed:
            found[i] = tuple(spot for spot in placed if spot is not None)
        if hovered is not None and (spot := _place(values, tile, hovered)) is not None:
            pointed[i] = spot
        if matrix.name in keys and row is not None and values.trace is not None:
            weights[i] = tuple(values.trace.head(keys[matrix.name], now.head)[row].tolist())
    return PassMarks(row, chosen, weights, cells, found, pointed, now.head, now.block)


def _place(values: StageValues, tile: Tile, ref: CellRef | None) -> Cell | None:
    return values.place(tile.matrix, ref) if ref is not None else None


def paint_way(paper: Paper, landscape: Landscape, marks: PassMarks) -> None:
    """Under the matrices: the line that the chosen token's row goes along from the prompt to its prediction."""
    if marks.row is None:
        return
    band = paper.camera.rect(landscape.row(marks.row))
    color = QColor(paper.theme.accent if marks.chosen else paper.theme.muted_text)
    left, right = (paper.camera.x(x) for x in (landscape.prompt.right, landscape.prediction.left))
    line = QLineF(left, band.center().y(), right, band.center().y())
    pen = paper.texts.pen(paper.theme.accent, 2.0) if marks.chosen else paper.texts.pen(paper.theme.rule, 2.0)
    color.setAlpha(28 if marks.chosen else 20)
    band.setLeft(line.x1())
    paper.painter.fillRect(band, color)
    paper.painter.setPen(pen)
    paper.painter.drawLine(line)


def paint_marks(paper: Paper, landscape: Landscape, marks: PassMarks, cursor: tuple[int, Cell] | None) -> None:
    """Over the matrices: the row, the keys read from, and single cells. `cursor` is the keyboard's."""
    theme = paper.theme
    for i, tile in enumerate(landscape.tiles):
        if not paper.sees(tile.box, 6.0):
            continue
        if i in marks.keys:
            _keys(paper, tile, marks.keys[i], marks.chosen)
        if marks.chosen and marks.row is not None:
            _row(paper, tile, marks.row)
        for rect in _source_rects(paper, tile, marks.sources.get(i, ())):
            _outline(paper, rect, theme.text, 1.0, Qt.PenStyle.DashLine)
        if i in marks.cells:
            _outline(paper, _cell(paper, tile, marks.cells[i]), theme.accent, 2.0)
        if i in marks.hovered:
            _outline(paper, _cell(paper, tile, marks.hovered[i]).adjusted(2, 2, -2, -2), theme.text, 1.0)
        if cursor is not None and cursor[0] == i:
            _outline(paper, _cell(paper, tile, cursor[1]).adjusted(3, 3, -3, -3), theme.text, 2.0)


def _cell(paper: Paper, tile: Tile, cell: Cell) -> QRectF:
    return paper.camera.rect(tile.cell(*cell))


def _row(paper: Paper, tile: Tile, row: int) -> None:
    matrix = tile.matrix
    if matrix.kind != "activation" or matrix.plane[0] not in POSITIONS:
        return
    shown = row if matrix.row_ids is None else matrix.row_ids.index(row) if row in matrix.row_ids else None
    if shown is not None and shown < matrix.size[0]:
        box = tile.box.cell(shown, 0, matrix.size[0], 1)
        near = paper.view.adjusted(-8, -8, 8, 8)  # a long row is mostly out of sight
        _outline(paper, paper.camera.rect(box).intersected(near), paper.theme.accent, 2.0)


def _keys(paper: Paper, tile: Tile, weights: Sequence[float], chosen: bool) -> None:
    """The rows that are read from, framed the stronger the more is read."""
    color = QColor(paper.theme.accent if chosen else paper.theme.text)
    for row, weight in enumerate(weights[: tile.matrix.size[0]]):
        if not weight >= LEAST_WEIGHT:
            continue
        rect = paper.camera.rect(tile.box.cell(row, 0, tile.matrix.size[0], 1))
        color.setAlphaF(min(weight, 1.0) ** 0.5)
        bar = QRectF(rect.left() - KEY_BAR - 1, rect.top() + 0.5, KEY_BAR, max(rect.height() - 1, 1.0))
        paper.painter.fillRect(bar, color)
        if weight >= FRAMED and rect.height() >= SMALLEST_FRAME:
            paper.painter.setPen(QPen(color, 1.5))
            paper.painter.setBrush(Qt.BrushStyle.NoBrush)
            paper.painter.drawRect(rect.adjusted(0, 0.5, -1, -1.5))


def _source_rects(paper: Paper, tile: Tile, sources: Sequence[Cell]) -> list[QRectF]:
    """Each source's outline; one around them all where cells are too small for outlines of their own."""
    if not sources:
        return []
    first = _cell(paper, tile, sources[0])
    if min(first.width(), first.height()) >= SMALLEST_FRAME:
        near = paper.view.adjusted(-8, -8, 8, 8)
        rects = (_cell(paper, tile, cell) for cell in sources)
        return [rect.adjusted(2, 2, -2, -2) for rect in rects if rect.intersects(near)]
    rows, columns = [row for row, _ in sources], [column for _, column in sources]
    corner, end = tile.cell(min(rows), min(columns)), tile.cell(max(rows), max(columns))
    return [paper.camera.rect(Box(corner.left, corner.top, end.right - corner.left, end.bottom - corner.top))]


def _outline(paper: Paper, rect: QRectF, color: str, width: float, style: Qt.PenStyle = Qt.PenStyle.SolidLine) -> None:
    paper.painter.setBrush(Qt.BrushStyle.NoBrush)
    draw_frame(paper.painter, paper.texts, rect, color, width, style)
