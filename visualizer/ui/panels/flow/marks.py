"""What the selection marks on the canvas of the flow view: rows, cells, and the sources of the chosen number."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from visualizer.session.analysis.stage_values import StageValues
from visualizer.session.analysis.stages import StageMatrix
from visualizer.session.selection import CellRef, Chosen
from visualizer.ui.panels.flow.layout import Tile
from visualizer.ui.panels.flow.paint import Cell, TileMarks

POSITIONS = ("position", "query")


def marks_of(
    tiles: Sequence[Tile],
    values: StageValues,
    now: Chosen,
    hovered: CellRef | None,
    sources: Sequence[CellRef],
) -> dict[int, TileMarks]:
    """The marks of each tile that has any, by its index."""
    by_name: dict[tuple[str, str], list[CellRef]] = defaultdict(list)
    for ref in sources:
        by_name[ref.kind, ref.name].append(ref)
    result = {}
    for i, tile in enumerate(tiles):
        matrix = tile.matrix
        row, cell = _chosen(matrix, values, now)
        found = by_name.get((matrix.kind, matrix.name), ())
        placed = [values.place(matrix, ref) for ref in found]
        pointed = values.place(matrix, hovered) if hovered is not None else None
        marks = TileMarks(row, cell, tuple(place for place in placed if place is not None), pointed)
        if marks != TileMarks():
            result[i] = marks
    return result


def _chosen(matrix: StageMatrix, values: StageValues, now: Chosen) -> tuple[int | None, Cell | None]:
    """The chosen row, or the chosen cell in place of it."""
    if now.cell is not None:
        place = values.place(matrix, now.cell)
        if place is not None:
            return None, place
    if matrix.kind != "activation" or now.row is None or matrix.plane[0] not in POSITIONS:
        return None, None
    row: int | None = now.row
    if matrix.row_ids is not None:
        row = matrix.row_ids.index(now.row) if now.row in matrix.row_ids else None
    if row is None or row >= matrix.size[0]:
        return None, None
    if matrix.plane[1] == "key" and now.key is not None and now.key < matrix.size[1]:
        return None, (row, now.key)
    return row, None
