"""What the picture of the whole pass is made of: rows of tokens, tiles, heads, blocks, wires. Numbers, no painting."""

from __future__ import annotations

from dataclasses import dataclass

from visualizer.session.analysis.stages import StageMatrix

HEADER = 18.0  # the height of a block's title


@dataclass(frozen=True)
class Box:
    """A rectangle."""

    left: float
    top: float
    width: float
    height: float

    @property
    def right(self) -> float:
        """Its right edge."""
        return self.left + self.width

    @property
    def bottom(self) -> float:
        """Its lower edge."""
        return self.top + self.height

    @property
    def middle(self) -> tuple[float, float]:
        """Its middle."""
        return self.left + self.width / 2, self.top + self.height / 2

    def holds(self, x: float, y: float) -> bool:
        """Whether a point lies in it."""
        return self.left <= x < self.right and self.top <= y < self.bottom

    def cell(self, row: int, column: int, rows: int, columns: int) -> Box:
        """One of rows × columns equal cells."""
        width, height = self.width / columns, self.height / rows
        return Box(self.left + column * width, self.top + row * height, width, height)

    def cell_at(self, x: float, y: float, rows: int, columns: int) -> tuple[int, int] | None:
        """Row and column of the cell at a point."""
        if not self.holds(x, y) or not rows or not columns:
            return None
        row, column = int((y - self.top) * rows / self.height), int((x - self.left) * columns / self.width)
        return min(row, rows - 1), min(column, columns - 1)


@dataclass(frozen=True)
class Tile:
    """A matrix in its place. What belongs to no block has none."""

    matrix: StageMatrix
    station: str
    block: int | None
    box: Box

    @property
    def key(self) -> tuple[str, str]:
        """What tells it from all others, also in a picture laid out anew."""
        return self.station, self.matrix.name

    def cell(self, row: int, column: int) -> Box:
        """The place of a cell."""
        return self.box.cell(row, column, *self.matrix.size)


@dataclass(frozen=True)
class HeadGrid:
    """The patterns of all heads of a block, small, in a grid of so many columns."""

    block: int
    pattern: StageMatrix
    box: Box
    columns: int

    @property
    def count(self) -> int:
        """How many heads there are."""
        return self.pattern.shape[0]

    @property
    def key(self) -> tuple[str, str]:
        """What tells them from every matrix, and from the heads of other blocks."""
        return f"heads {self.block}", self.pattern.name

    @property
    def rows(self) -> int:
        """How many lines of heads there are."""
        return -(-self.count // self.columns)

    def head(self, head: int) -> Box:
        """The place of one head."""
        return self.box.cell(*divmod(head, self.columns), self.rows, self.columns)

    def head_at(self, x: float, y: float) -> int | None:
        """The head at a point."""
        place = self.box.cell_at(x, y, self.rows, self.columns)
        head = place[0] * self.columns + place[1] if place is not None else self.count
        return head if head < self.count else None


@dataclass(frozen=True)
class Frame:
    """A block: open, with its stations in it, or closed."""

    block: int
    opened: bool
    box: Box

    @property
    def header(self) -> Box:
        """Where a click opens and closes it: its title, or all of it where it is closed."""
        return Box(self.box.left, self.box.top, self.box.width, HEADER if self.opened else self.box.height)


@dataclass(frozen=True)
class Wire:
    """What feeds what, and its way. `kind`: "feeds", "reads" (from the stream), "adds" or "begins" (the stream)."""

    source: str
    target: str
    kind: str
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Sheet:
    """What the picture has to fit: the size of the view, how many tokens, and the widths of words at both ends."""

    width: float
    height: float
    rows: int
    prompt_width: float = 30.0
    prediction_width: float = 64.0


@dataclass(frozen=True)
class Landscape:
    """The whole picture.

    Attributes:
        bounds: all of it.
        rows: where the tokens' rows lie, `count` of them, from the first column to the last.
        prompt, prediction: the columns of words at both ends.
        tiles: activations and weights in the order of their stations.
        joins: x and name of each sum on the residual stream.
        stream: from x to x the stream runs, at `stream_height`.
    """

    bounds: Box = Box(0, 0, 1, 1)
    rows: Box = Box(0, 0, 1, 1)
    count: int = 0
    prompt: Box = Box(0, 0, 0, 0)
    prediction: Box = Box(0, 0, 0, 0)
    tiles: tuple[Tile, ...] = ()
    heads: tuple[HeadGrid, ...] = ()
    frames: tuple[Frame, ...] = ()
    wires: tuple[Wire, ...] = ()
    joins: tuple[tuple[float, str], ...] = ()
    stream: tuple[float, float] = (0.0, 0.0)
    stream_height: float = 0.0

    def row(self, row: int) -> Box:
        """The row of a token across the picture."""
        return self.rows.cell(row, 0, self.count, 1)

    def tile_at(self, x: float, y: float) -> int | None:
        """The tile at a point."""
        return next((i for i, tile in enumerate(self.tiles) if tile.box.holds(x, y)), None)

    def tile_of(self, key: tuple[str, str] | None) -> int | None:
        """The tile with a key."""
        return next((i for i, tile in enumerate(self.tiles) if tile.key == key), None)
