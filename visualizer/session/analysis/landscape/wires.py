"""The wires of the picture of the whole pass: from what is read to what is made of it, and along the stream."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from visualizer.session.analysis.landscape.columns import BRANCH_OFF, GAP_IN_GROUP, Column
from visualizer.session.analysis.landscape.shapes import Wire
from visualizer.session.analysis.stations import Station

PROMPT, PREDICTION = "prompt", "prediction"
LANE = 8.0
FIRST_LANE = 10.0  # below the rows


@dataclass(frozen=True)
class Levels:
    """How high things lie: the stream, the edges of the rows, and half way between those."""

    stream: float
    top: float
    bottom: float

    @property
    def middle(self) -> float:
        """Half way between the rows' edges, where wires go from one matrix to the next."""
        return (self.top + self.bottom) / 2

    def lane(self, number: int) -> float:
        """The height of a lane under the rows."""
        return self.bottom + FIRST_LANE + number * LANE


@dataclass(frozen=True)
class Connection:
    """A wire before its height is known: from `start` to `end`; on a lane under the rows where it has one.

    A `detour` is where a stream that is no longer the present one is left.
    """

    source: str
    target: str
    kind: Literal["feeds", "reads", "adds", "begins"]
    start: float
    end: float
    lane: int | None = None
    detour: float | None = None


@dataclass
class Connections:
    """All wires of a picture, the sums on the stream (x, name), and from where to where the stream runs."""

    found: list[Connection]
    joins: list[tuple[float, str]]
    stream: tuple[float, float]

    @property
    def lanes(self) -> int:
        """How many lanes there are under the rows."""
        return max((link.lane + 1 for link in self.found if link.lane is not None), default=0)


class Linker:
    """Walks along the columns and finds what feeds what."""

    def __init__(self, stations: Sequence[Station], columns: Sequence[Column]) -> None:
        self._columns = columns
        self._streams = {station.name for station in stations if station.stream}
        self._made = {c.matrix.name: i for i, c in enumerate(columns) if c.kind == "tile" and c.matrix is not None}
        self._present: set[str] = set()  # the names that the stream has where the walk is
        self._left: dict[str, float] = {}  # where it was last called so
        self._links: list[Connection] = []
        self._joins: list[tuple[float, str]] = []
        self._ends: list[float] = []
        self._stations = stations

    def links(self) -> Connections:
        """All of them."""
        for station in self._stations:
            own = [i for i, column in enumerate(self._columns) if column.station is station]
            if station.stream:
                self._sum(station, own)
            elif own:
                self._feeds(station, own[0])
        for i, column in enumerate(self._columns):
            if column.kind == "closed":
                self._through(i)
        self._predicts()
        spread = _on_lanes(self._links)
        return Connections(
            _side_by_side(spread, self._columns),
            self._joins,
            (min(self._ends, default=0.0), max(self._ends, default=0.0)),
        )

    # -- the residual stream

    def _sum(self, station: Station, own: list[int]) -> None:
        """What is added to the stream, or begins it; and the numbers of the sum, where they are shown."""
        join = next((self._columns[i] for i in own if self._columns[i].kind == "join"), None)
        tile = next((i for i in own if self._columns[i].kind == "tile"), None)
        adds = list(station.adds)
        if station.begins and adds:
            first = self._made.get(adds.pop(0))
            if first is not None:
                self._begin(station.name, first)
        if join is not None:
            self._joins.append((join.middle, station.name))
            self._ends.append(join.middle)
            for name in adds:
                if name in self._made:
                    self._add(name, station.name, self._made[name], join)
        before = self._columns[own[0]].left if own else self._closed(station.block)
        if station.adds or station.begins:
            self._left |= dict.fromkeys(self._present, before)
            self._present = set()
        self._present.add(station.name)
        if tile is not None:
            if station.begins and not station.adds:  # made of the tokens themselves
                self._link(PROMPT, station.name, 0, tile)
                self._begin(station.name, tile)
            else:
                self._read(station.name, station.name, self._columns[tile])

    def _closed(self, block: int | None) -> float:
        """Where the column of a closed block ends."""
        return next((c.right for c in self._columns if c.kind == "closed" and c.block == block), 0.0)

    def _begin(self, name: str, source: int) -> None:
        start, following = self._columns[source].right, self._columns[source + 1]
        made = self._columns[source].matrix
        assert made is not None
        end = following.middle if following.kind == "start" else start + BRANCH_OFF
        self._links.append(Connection(made.name, name, "begins", start, end))
        self._ends.append(end)

    def _add(self, name: str, total: str, source: int, join: Column) -> None:
        direct = self._columns[self._after(source)] is join
        column = self._columns[source]
        start = column.right if direct else column.middle
        self._links.append(Connection(name, total, "adds", start, join.middle, None if direct else 0))

    def _read(self, stream: str, target: str, column: Column) -> None:
        x = column.branch
        detour = None if stream in self._present else self._left.get(stream, x) - BRANCH_OFF
        self._links.append(Connection(stream, target, "reads", x, column.left, None, detour))
        self._ends.append(x if detour is None else detour)

    def _through(self, index: int) -> None:
        """A closed block reads from the stream and adds to it."""
        column = self._columns[index]
        name = f"blocks.{column.block}"
        self._links.append(
            Connection(name, name, "reads", column.left + column.width / 4, column.left + column.width / 4)
        )
        self._links.append(
            Connection(name, name, "adds", column.right - column.width / 4, column.right - column.width / 4)
        )
        self._joins.append((column.right - column.width / 4, name))
        self._ends.append(column.middle)

    # -- from matrix to matrix

    def _feeds(self, station: Station, target: int) -> None:
        """Wires to the first result of a station: the others stand beside it."""
        if not station.reads:
            self._link(PROMPT, station.name, 0, target)
        for read in station.reads:
            if read in self._streams:
                self._read(read, station.name, self._columns[target])
            elif read in self._made:
                self._link(read, station.name, self._made[read], target)

    def _link(self, source: str, target: str, start: int, end: int) -> None:
        if self._after(start) == end:
            self._links.append(Connection(source, target, "feeds", self._columns[start].right, self._columns[end].left))
        else:
            middles = self._columns[start].middle, self._columns[end].middle
            self._links.append(Connection(source, target, "feeds", *middles, 0))

    def _predicts(self) -> None:
        last = len(self._columns) - 2
        matrix = self._columns[last].matrix
        if matrix is not None:
            self._link(matrix.name, PREDICTION, last, last + 1)

    def _after(self, index: int) -> int:
        """The next column: a wire from a pattern passes under its heads."""
        following = index + 1
        return following + 1 if self._columns[following].kind == "heads" else following


def _on_lanes(links: Sequence[Connection]) -> list[Connection]:
    """Short wires on the lanes next to the rows, longer ones below them, none upon another."""
    taken: list[list[tuple[float, float]]] = []
    lanes: dict[int, int] = {}
    order = sorted(
        (i for i, link in enumerate(links) if link.lane is not None), key=lambda i: links[i].end - links[i].start
    )
    for i in order:
        start, end = sorted((links[i].start, links[i].end))
        free = (
            n
            for n, spans in enumerate(taken)
            if all(end + GAP_IN_GROUP < a or start - GAP_IN_GROUP > b for a, b in spans)
        )
        lane = next(free, len(taken))
        if lane == len(taken):
            taken.append([])
        taken[lane].append((start, end))
        lanes[i] = lane
    return [replace(link, lane=lanes.get(i)) for i, link in enumerate(links)]


def _side_by_side(links: Sequence[Connection], columns: Sequence[Column]) -> list[Connection]:
    """Wires on lanes that meet at one matrix next to each other: those that arrive, the nearest source first, and then
    the one that leaves.
    """
    found = list(links)
    under = [i for i, link in enumerate(links) if link.lane is not None]
    for column in columns:
        arriving = [i for i in under if links[i].end == column.middle and links[i].kind == "feeds"]
        leaving = [i for i in under if links[i].start == column.middle]
        arriving.sort(key=lambda i: -links[i].start)
        parts = len(arriving) + bool(leaving) + 1
        for place, i in enumerate(arriving):
            found[i] = replace(found[i], end=column.left + column.width * (place + 1) / parts)
        for i in leaving:
            found[i] = replace(found[i], start=column.left + column.width * (len(arriving) + 1) / parts)
    return found


def wire(link: Connection, levels: Levels, heights: Mapping[str, float]) -> Wire:
    """A wire with its way. `heights` are the middles of matrices that do not show every row."""
    stream = levels.stream
    middle = heights.get(link.target, heights.get(link.source, levels.middle))
    below = levels.lane(link.lane) if link.lane is not None else 0.0
    if link.kind == "reads":
        points: tuple[tuple[float, float], ...] = ((link.start, stream), (link.start, middle), (link.end, middle))
        if link.start == link.end:
            points = ((link.start, stream), (link.start, levels.top))
        elif link.detour is not None:
            aside = stream + BRANCH_OFF + 1.0
            points = ((link.detour, stream), (link.detour, aside), (link.start, aside), *points[1:])
    elif link.kind in ("adds", "begins"):
        if link.start == link.end:
            points = ((link.start, levels.top), (link.start, stream))
        elif link.lane is None:
            points = ((link.start, middle), (link.end, middle), (link.end, stream))
        else:
            points = ((link.start, levels.bottom), (link.start, below), (link.end, below), (link.end, stream))
    elif link.lane is None:
        points = ((link.start, middle), (link.end, middle))
    else:
        points = ((link.start, levels.bottom), (link.start, below), (link.end, below), (link.end, levels.bottom))
    return Wire(link.source, link.target, link.kind, points)
