"""The columns of the picture of the whole pass: what stands in each, and how the width is shared out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from visualizer.session.analysis.landscape.shapes import Sheet
from visualizer.session.analysis.stages import StageMatrix
from visualizer.session.analysis.stations import Station

# In units of the picture, one of which is a logical pixel where all of it is fitted into the view.
EDGE = 6.0
GAP, GAP_OF_WEIGHTS, GAP_OF_READ, GAP_IN_GROUP = 16.0, 24.0, 9.0, 7.0
WIDEST_GAP, TIGHTEST = 40.0, 0.6
JOIN, START, STRIP, STRIP_GAP = 16.0, 14.0, 20.0, 5.0
NARROWEST, PER_COLUMN, LEAST_OF_MANY, WIDEST = 12.0, 5.0, 32.0, 240.0
LEAST_HIGHEST, HIGHEST_ROW, ROWS_ACROSS = 44.0, 110.0, 14.0
LARGER = 1.25  # attention comes first
BRANCH_OFF = 5.0  # from the edge of what stands before
CELL_SHAPE = 0.9  # the width of a cell by its height, where there is room


@dataclass
class Column:
    """A column of the picture.

    Attributes:
        gap: the free width before it.
        least, wanted: its width at least, and the width that it is good at.
        station, matrix: what stands in it.
        from_stream: whether its station reads the residual stream, and it is the first of that station.
        left, width: what it gets.
    """

    kind: Literal["prompt", "tile", "heads", "closed", "join", "start", "prediction"]
    gap: float
    least: float
    wanted: float
    block: int | None = None
    station: Station | None = None
    matrix: StageMatrix | None = None
    from_stream: bool = False
    left: float = 0.0
    width: float = 0.0

    @property
    def right(self) -> float:
        """Its right edge."""
        return self.left + self.width

    @property
    def branch(self) -> float:
        """Where in the gap before it a wire leaves the stream."""
        return self.left - self.gap + min(self.gap / 8, BRANCH_OFF)

    @property
    def middle(self) -> float:
        """Half way between its edges."""
        return self.left + self.width / 2


def columns_of(stations: Sequence[Station], sheet: Sheet, opened: frozenset[int]) -> list[Column]:
    """The columns from the prompt to the prediction, in their places."""
    columns = [Column("prompt", 0.0, sheet.prompt_width, sheet.prompt_width)]
    streams = {station.name for station in stations if station.stream}
    closed: set[int] = set()
    for station in stations:
        block = station.block
        if block is None or block in opened:
            columns += _columns_of(station, streams, sheet)
        elif block not in closed:
            closed.add(block)
            columns.append(Column("closed", GAP / 2, STRIP, 1.5 * STRIP, block))
    columns.append(Column("prediction", GAP, sheet.prediction_width, sheet.prediction_width))
    _spread(columns, sheet.width - 2 * EDGE)
    return columns


def _columns_of(station: Station, streams: set[str], sheet: Sheet) -> list[Column]:
    columns: list[Column] = []
    if len(station.adds) > (1 if station.begins else 0):
        columns.append(Column("join", GAP / 2, JOIN, JOIN, station.block, station))
    reads = any(read in streams for read in station.reads) or bool(station.stream and station.reads)
    gap = GAP + (GAP_OF_WEIGHTS if station.parameters else 0.0) + (GAP_OF_READ if reads else 0.0)
    row_height = min(highest_row(sheet), sheet.height / max(sheet.rows, 1))
    for i, matrix in enumerate(station.results):
        count = matrix.size[1]
        least = min(LEAST_OF_MANY, max(NARROWEST, PER_COLUMN * count)) * (LARGER if "query" in matrix.axes else 1.0)
        wanted = max(least, min(WIDEST, CELL_SHAPE * row_height * count))
        gap = GAP_IN_GROUP if i else gap
        reading = reads and not i
        columns.append(Column("tile", gap, least, wanted, station.block, station, matrix, reading))
        if matrix.bounded and matrix.per_head and matrix.shape[0] > 1:
            columns.append(Column("heads", STRIP_GAP, STRIP, 1.5 * STRIP, station.block, station, matrix))
    if station.begins and not station.adds:
        columns.append(Column("start", 0.0, START, START, None, station))
    return columns


def highest_row(sheet: Sheet) -> float:
    """How high a token's row is at most: few tokens in a large view have large cells."""
    return min(max(sheet.width / ROWS_ACROSS, LEAST_HIGHEST), HIGHEST_ROW)


def _spread(columns: Sequence[Column], width: float) -> None:
    """Give each column what it needs, a share of the rest up to what it is good at, and of what is left then.

    Where there is less than all need, the gaps get narrower first, and then all but the words at the ends.
    """
    words = columns[0].least + columns[-1].least
    gaps, tiles = sum(column.gap for column in columns), sum(column.least for column in columns[1:-1])
    room = max(width - words, words)
    tight = min(max((room - tiles) / gaps, TIGHTEST), 1.0)
    scale = min(room / (tight * gaps + tiles), 1.0)
    for column in columns[1:]:
        column.gap *= tight * scale
    for column in columns[1:-1]:
        column.least, column.wanted = column.least * scale, column.wanted * scale
    rest = max(width - sum(column.gap + column.least for column in columns), 0.0)
    wishes = sum(column.wanted - column.least for column in columns)
    granted = min(rest / wishes, 1.0) if wishes else 0.0
    rest -= granted * wishes
    apart = [column for column in columns[1:] if column.gap > GAP_IN_GROUP]
    wider = min(rest / 2 / max(len(apart), 1), WIDEST_GAP)
    rest -= wider * len(apart)
    tiles = sum(column.wanted for column in columns if column.kind == "tile")
    x = EDGE
    for column in columns:
        column.gap += wider if column in apart else 0.0
        column.left = x + column.gap
        column.width = column.least + granted * (column.wanted - column.least)
        if column.kind == "tile":
            column.width += rest * column.wanted / tiles
        x = column.right
