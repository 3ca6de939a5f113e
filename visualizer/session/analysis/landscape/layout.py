"""Laying out the picture of the whole pass: columns, the rows that all of them share, tiles, weights and wires."""

from __future__ import annotations

from collections.abc import Sequence

from visualizer.session.analysis.landscape.columns import EDGE, Column, columns_of, highest_row
from visualizer.session.analysis.landscape.shapes import HEADER, Box, Frame, HeadGrid, Landscape, Sheet, Tile
from visualizer.session.analysis.landscape.wires import Levels, Linker, wire
from visualizer.session.analysis.stages import StageMatrix
from visualizer.session.analysis.stations import Station

STREAM = HEADER + 16.0
TITLES, MORE_TITLES = 34.0, 30.0  # between stream and rows, and how much more where there is height to spare
ARROW, WEIGHTS_LIFT, WEIGHTS_GAP, VECTOR, LEAST_WEIGHTS, MOST_WEIGHTS = 8.0, 6.0, 4.0, 4.0, 8.0, 30.0
FRAME = 1 / 12  # of the gap between a block and what stands beside it
LEAST_HEIGHT = 60.0  # of all rows together
HIGHEST_HEAD = 2.6  # by its width


def lay_out(stations: Sequence[Station], sheet: Sheet, opened: frozenset[int]) -> Landscape:
    """Every station a column, in their order, on rows that all share; a block that is not opened is one column.

    A prompt without tokens has no picture.
    """
    if not sheet.rows:
        return Landscape()
    columns = columns_of(stations, sheet, opened)
    links = Linker(stations, columns).links()
    levels = _levels(sheet, links.lanes)
    rows = Box(columns[0].left, levels.top, columns[-1].right - columns[0].left, levels.bottom - levels.top)
    height = max(sheet.height, levels.lane(links.lanes) + EDGE)
    bounds = Box(0.0, 0.0, max(sheet.width, columns[-1].right + EDGE), height)
    tiles = tuple(tile for column in columns for tile in _tiles(column, rows, sheet.rows))
    heights = {tile.matrix.name: tile.box.middle[1] for tile in tiles if tile.matrix.row_ids is not None}
    frames = _frames(columns, levels.stream - STREAM, levels.lane(links.lanes))
    return Landscape(
        bounds=bounds,
        rows=rows,
        count=sheet.rows,
        prompt=Box(columns[0].left, rows.top, columns[0].width, rows.height),
        prediction=Box(columns[-1].left, rows.top, columns[-1].width, rows.height),
        tiles=tiles,
        heads=tuple(_heads(stations, columns, rows)),
        frames=tuple(frames),
        wires=tuple(wire(link, levels, heights) for link in links.found),
        joins=tuple(links.joins),
        stream=links.stream,
        stream_height=levels.stream,
    )


def _levels(sheet: Sheet, lanes: int) -> Levels:
    """Stream, rows and lanes one under the other, a little above the middle of the height that there is."""
    below = Levels(0.0, 0.0, 0.0).lane(lanes) + EDGE
    free = sheet.height - STREAM - TITLES - below
    height = max(min(free, sheet.rows * highest_row(sheet)), LEAST_HEIGHT)
    spare = max(free - height, 0.0)
    titles = TITLES + min(spare / 3, MORE_TITLES)
    stream = STREAM + max(spare + TITLES - titles, 0.0) * 0.4
    return Levels(stream, stream + titles, stream + titles + height)


def _tiles(column: Column, rows: Box, count: int) -> list[Tile]:
    """The matrix of a column, after the weights that it is made with."""
    matrix, station = column.matrix, column.station
    if column.kind != "tile" or matrix is None or station is None:
        return []
    tiles = []
    if matrix is station.results[0] and station.parameters:
        tiles += _weights(column, station, rows)
    row = rows.height / count
    ids = matrix.row_ids
    top, height = (rows.top, rows.height) if ids is None else (rows.top + ids[0] * row, len(ids) * row)
    return [*tiles, Tile(matrix, station.name, column.block, Box(column.left, top, column.width, height))]


def _weights(column: Column, station: Station, rows: Box) -> list[Tile]:
    """The parameters of a station, small, one above the other over the arrow to what they make."""
    arrow = min(ARROW, column.gap / 4)
    left = (column.branch if column.from_stream else column.left - column.gap) + arrow
    width = column.left - arrow - left
    heights = [_weights_height(matrix, width) for matrix in station.parameters]
    shrunk = min(rows.height / 2 / (sum(heights) + WEIGHTS_GAP * (len(heights) - 1) + WEIGHTS_LIFT), 1.0)
    tiles, bottom = [], rows.middle[1] - WEIGHTS_LIFT * shrunk
    for matrix, height in zip(reversed(station.parameters), reversed(heights), strict=True):
        box = Box(left, bottom - height * shrunk, width, height * shrunk)
        tiles.append(Tile(matrix, station.name, column.block, box))
        bottom = box.top - WEIGHTS_GAP * shrunk
    return tiles[::-1]


def _weights_height(matrix: StageMatrix, width: float) -> float:
    rows, columns = matrix.size
    return VECTOR if rows == 1 else min(max(width * rows / columns, LEAST_WEIGHTS), MOST_WEIGHTS)


def _heads(stations: Sequence[Station], columns: Sequence[Column], rows: Box) -> list[HeadGrid]:
    """The heads of each block that has a place for them."""
    patterns = {
        station.block: result
        for station in stations
        for result in station.results
        if station.block is not None and result.bounded and result.per_head
    }
    found = []
    for column in columns:
        if column.kind not in ("heads", "closed") or column.block is None:
            continue
        pattern = patterns.get(column.block)
        if pattern is not None:
            box = Box(column.left, rows.top, column.width, rows.height)
            found.append(HeadGrid(column.block, pattern, *_grid(box, pattern.shape[0])))
    return found


def _grid(box: Box, count: int) -> tuple[Box, int]:
    """The columns that so many heads fit in, and what they fill; a head may be higher than it is wide."""
    columns = 1
    while -(-count // columns) * box.width / columns > box.height and columns < count:
        columns += 1
    lines = -(-count // columns)
    return Box(box.left, box.top, box.width, min(box.height, lines * HIGHEST_HEAD * box.width / columns)), columns


def _frames(columns: Sequence[Column], top: float, bottom: float) -> list[Frame]:
    """A frame around the columns of each block, a little wider than they are."""
    frames = []
    for block in dict.fromkeys(column.block for column in columns if column.block is not None):
        places = [i for i, column in enumerate(columns) if column.block == block]
        first, last, following = columns[places[0]], columns[places[-1]], columns[places[-1] + 1]
        opened = first.kind != "closed"
        # What reads the stream first branches off in the gap before it, which is the block's own.
        left = first.left - first.gap * (1 - FRAME) if opened else first.left - first.gap * FRAME
        right = last.right + following.gap * FRAME
        frames.append(Frame(block, opened, Box(left, top, right - left, bottom - top)))
    return frames
