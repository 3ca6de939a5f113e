"""Where the stages' matrices and the wires between them lie on the canvas of the flow view. No painting."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QPainterPath

from visualizer.session.analysis.stages import Section, Stage, StageMatrix

# In units of the canvas, one of which is a logical pixel at zoom 1.
CELL_WIDTH, CELL_HEIGHT = 32.0, 20.0
WIDEST, HIGHEST, NARROWEST = 256.0, 260.0, 64.0
FEW_COLUMNS, WIDEST_OF_FEW = 24, 560.0  # so few are wide enough for digits
OBLONG, MOST_OBLONG = 2.5, 12.0  # a cell's longer side by its shorter one; more where the matrix got too thin
HEADER = 66.0  # title, formula, shape and column labels above the cells
MARGIN = 38.0  # left of the cells, for row labels
SLOT = 140.0  # the least width of a title
GAP_X, GAP_Y = 30.0, 26.0
LINE = 630.0  # the width of a block
SECTION_TITLE = 34.0
SECTION_GAP = 150.0
LANE, LANES = 12.0, 5


@dataclass(frozen=True)
class Tile:
    """One matrix on the canvas.

    Attributes:
        rect: its cells.
        slot: cells, labels and title.
        line: which line of its column of the canvas it stands in.
        key: what tells it from all others, also after the canvas has been laid out anew.
    """

    matrix: StageMatrix
    stage: Stage
    section: int
    rect: QRectF
    slot: QRectF
    line: int
    key: tuple[str, str, str]

    @property
    def cell_width(self) -> float:
        """Width of a cell in units of the canvas."""
        return self.rect.width() / max(self.matrix.size[1], 1)

    @property
    def cell_height(self) -> float:
        """Height of a cell in units of the canvas."""
        return self.rect.height() / max(self.matrix.size[0], 1)

    def cell_rect(self, row: int, column: int) -> QRectF:
        """One cell on the canvas."""
        corner = QPointF(self.rect.left() + column * self.cell_width, self.rect.top() + row * self.cell_height)
        return QRectF(corner.x(), corner.y(), self.cell_width, self.cell_height)

    def cell_at(self, point: QPointF) -> tuple[int, int] | None:
        """The cell under a point of the canvas."""
        rows, columns = self.matrix.size
        row = int((point.y() - self.rect.top()) // self.cell_height) if rows else -1
        column = int((point.x() - self.rect.left()) // self.cell_width) if columns else -1
        return (row, column) if 0 <= row < rows and 0 <= column < columns else None


@dataclass(frozen=True)
class Wire:
    """What feeds what: indices of two tiles, and the way between them, which ends in an arrow."""

    source: int
    target: int
    path: QPainterPath
    bounds: QRectF
    angle: float  # in degrees, clockwise from the right: how it arrives


@dataclass(frozen=True)
class Scene:
    """The whole canvas."""

    sections: tuple[Section, ...] = ()
    tiles: tuple[Tile, ...] = ()
    wires: tuple[Wire, ...] = ()
    frames: tuple[QRectF, ...] = ()  # of the sections
    bounds: QRectF = field(default_factory=QRectF)
    all_wires: QPainterPath = field(default_factory=QPainterPath)  # in one path, for the view from afar

    def tile_at(self, point: QPointF) -> int | None:
        """The tile whose cells are under a point."""
        return next((i for i, tile in enumerate(self.tiles) if tile.rect.contains(point)), None)

    def section_at(self, point: QPointF) -> int | None:
        """The section under a point."""
        return next((i for i, frame in enumerate(self.frames) if frame.contains(point)), None)

    def frame_of_block(self, block: int) -> QRectF:
        """Where a block lies; empty if there is none such."""
        found = (frame for section, frame in zip(self.sections, self.frames, strict=True) if section.block == block)
        return next(found, QRectF())

    def nearest(self, point: QPointF) -> int | None:
        """The tile nearest to a point."""
        if not self.tiles:
            return None
        return min(range(len(self.tiles)), key=lambda i: _distance(self.tiles[i].rect, point))

    def index(self, key: tuple[str, str, str] | None) -> int | None:
        """The tile with a key."""
        return next((i for i, tile in enumerate(self.tiles) if tile.key == key), None)


def cell_size(matrix: StageMatrix) -> tuple[float, float]:
    """Width and height of a matrix' cells: as large as a small matrix needs, as small as a large one fits."""
    rows, columns = (max(n, 1) for n in matrix.size)
    widest = WIDEST_OF_FEW if columns <= FEW_COLUMNS else WIDEST
    width, height = min(CELL_WIDTH, widest / columns), min(CELL_HEIGHT, HIGHEST / rows)
    if matrix.plane == ("query", "key") and rows > 1:
        width = height = min(width, HIGHEST / rows)
    if height > OBLONG * width:
        height = max(OBLONG * width, min(height, NARROWEST / rows, MOST_OBLONG * width))
    if width > OBLONG * height:
        width = max(OBLONG * height, min(width, NARROWEST / columns, MOST_OBLONG * height))
    return width, height


def lay_out(sections: Sequence[Section]) -> Scene:
    """Each block a column of lines, in the order of its stages; what precedes and follows them joins the outer ones."""
    tiles: list[Tile] = []
    frames: list[QRectF] = []
    first_block = next((i for i, section in enumerate(sections) if section.block is not None), 0)
    x = y = 0.0
    line = 0
    for number, section in enumerate(sections):
        if number > first_block and section.block is not None:
            x, y, line = max(frame.right() for frame in frames) + SECTION_GAP, 0.0, 0
        placed, bottom = _section(section, number, x, y, line)
        tiles += placed
        line = max((tile.line for tile in placed), default=line) + 1
        right = max((tile.slot.right() for tile in placed), default=x)
        frames.append(QRectF(x, y, max(right - x, LINE), bottom - y))
        y = bottom + GAP_Y
    wires = _wires(tiles, frames)
    bounds = QRectF()
    for frame in frames:
        bounds = bounds.united(frame)
    bounds = bounds.adjusted(-LANE * LANES, 0, 0, 0)
    together = QPainterPath()
    for wire in wires:
        together.addPath(wire.path)
    return Scene(tuple(sections), tuple(tiles), wires, tuple(frames), bounds, together)


def _section(section: Section, number: int, x: float, y: float, line: int) -> tuple[list[Tile], float]:
    """The tiles of a section whose corner is x, y, and where it ends."""
    tiles: list[Tile] = []
    left, top, below = x, y + SECTION_TITLE, y + SECTION_TITLE
    for stage in section.stages:
        groups = [group for group in (stage.parameters, *((result,) for result in stage.results)) if group]
        # What multiplies or scales stands beside the (first) result, where a line holds both.
        together = sum(_width(group) + GAP_X for group in groups[:2]) - GAP_X
        for group in groups:
            needed = together if group is groups[0] and stage.parameters and together <= LINE else _width(group)
            if left > x and left + needed > x + LINE:
                left, top, line = x, below + GAP_Y, line + 1
            end = top
            for matrix in group:
                tile = _tile(matrix, stage, number, left, end, line)
                tiles.append(tile)
                end = tile.slot.bottom() + GAP_Y / 2
                below = max(below, tile.slot.bottom())
            left += _width(group) + GAP_X
    return tiles, below


def _width(group: Sequence[StageMatrix]) -> float:
    return max(max(cell_size(matrix)[0] * matrix.size[1], SLOT) for matrix in group) + MARGIN


def _tile(matrix: StageMatrix, stage: Stage, section: int, left: float, top: float, line: int) -> Tile:
    width, height = cell_size(matrix)
    rows, columns = matrix.size
    rect = QRectF(left + MARGIN, top + HEADER, width * columns, height * rows)
    slot = QRectF(left, top, MARGIN + max(rect.width(), SLOT), HEADER + rect.height())
    return Tile(matrix, stage, section, rect, slot, line, (stage.name, matrix.kind, matrix.name))


def _wires(tiles: Sequence[Tile], frames: Sequence[QRectF]) -> tuple[Wire, ...]:
    made: dict[str, int] = {}
    wires: list[Wire] = []
    lanes: dict[int, int] = {}
    for i, tile in enumerate(tiles):
        stage, matrix = tile.stage, tile.matrix
        if matrix.kind == "activation":
            made[matrix.name] = i
            first_result = matrix.name == stage.name
            for j in range(i - 1, -1, -1):  # the parameters stand right before the results
                if tiles[j].stage is not stage:
                    break
                if tiles[j].matrix.kind == "parameter" and first_result:
                    wires.append(_wire(tiles, j, i, 0.0))
            if first_result:
                for read in stage.reads:
                    if read in made:
                        wires.append(_routed(tiles, frames, made[read], i, lanes))
    return tuple(wires)


def _routed(tiles: Sequence[Tile], frames: Sequence[QRectF], source: int, target: int, lanes: dict[int, int]) -> Wire:
    """A wire that leaves by the left margin where it would cross other lines, in a lane of its own."""
    here, there = tiles[source], tiles[target]
    same = frames[here.section].left() == frames[there.section].left()
    if same and there.line - here.line <= 1:
        return _wire(tiles, source, target, 0.0)
    lane = lanes.get(there.section, 0)
    lanes[there.section] = (lane + 1) % LANES
    x = frames[there.section].left() - LANE * (lane + 1)
    return _wire(tiles, source, target, x, around=True)


def _wire(tiles: Sequence[Tile], source: int, target: int, lane: float, around: bool = False) -> Wire:
    start_tile, end_tile = tiles[source], tiles[target]
    here, there = start_tile.rect, end_tile.rect
    angle = 0.0
    if around:
        path = _around(start_tile, end_tile, lane, _below(tiles, start_tile, lane))
    elif start_tile.line == end_tile.line and there.left() > here.right():
        path = _across(QPointF(here.right(), here.center().y()), QPointF(end_tile.slot.left() - 2, there.center().y()))
    else:
        start = QPointF(here.center().x(), here.bottom())
        end = QPointF(there.center().x(), end_tile.slot.top())
        bend = max((end.y() - start.y()) * 0.5, 18.0)
        path = QPainterPath(start)
        path.cubicTo(start + QPointF(0, bend), end - QPointF(0, bend), end)
        angle = 90.0
    return Wire(source, target, path, path.boundingRect(), angle)


def _across(start: QPointF, end: QPointF) -> QPainterPath:
    bend = (end.x() - start.x()) * 0.5
    path = QPainterPath(start)
    path.cubicTo(start + QPointF(bend, 0), end - QPointF(bend, 0), end)
    return path


def _below(tiles: Sequence[Tile], source: Tile, lane: float) -> float:
    """How far down a wire must go to pass under what stands in its line between the source and the lane."""
    near, far = sorted((lane, source.rect.center().x()))
    beside = (t.rect for t in tiles if (t.section, t.line) == (source.section, source.line) and t is not source)
    passed = [r.bottom() for r in beside if near < r.center().x() < far and r.top() < source.rect.bottom()]
    return max([source.rect.bottom(), *passed])


def _around(source: Tile, target: Tile, lane: float, below: float) -> QPainterPath:
    """Down from the source, along the margin, and into the target from its left."""
    start = QPointF(source.rect.center().x(), source.rect.bottom())
    turn, level = below + GAP_Y / 2, min(target.rect.center().y(), target.rect.top() + 24)
    end = QPointF(target.slot.left() - 2, level)
    round_ = LANE
    toward = -1.0 if lane < start.x() else 1.0
    down = 1.0 if level > turn else -1.0
    path = QPainterPath(start)
    path.lineTo(start.x(), turn - round_)
    path.quadTo(start.x(), turn, start.x() + toward * round_, turn)
    path.lineTo(lane - toward * round_, turn)
    path.quadTo(lane, turn, lane, turn + down * round_)
    path.lineTo(lane, level - down * round_)
    path.quadTo(lane, level, lane + round_, level)
    path.lineTo(end)
    return path


def _distance(rect: QRectF, point: QPointF) -> float:
    dx = max(rect.left() - point.x(), 0.0, point.x() - rect.right())
    dy = max(rect.top() - point.y(), 0.0, point.y() - rect.bottom())
    return float(dx * dx + dy * dy)
