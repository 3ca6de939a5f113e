"""Where the heads lie in the mosaic: in which order and groups, how large, and which one is under a point."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF, QRectF

from visualizer.engine.head_scores import SCORES
from visualizer.ui.panels.heads.tiles import Heads

GAP = 4.0  # between tiles, in logical pixels
SMALLEST_SIDE = 4.0
HEADING_WIDTH = 120.0
AXES = 40.0  # room for the labels of blocks and heads
WORDS = (200.0, 130.0)  # room for a head's scores beside or below its pattern

#: The orders in which the heads can lie, and what each is called.
MODEL, ROLE = "model", "role"
ORDERS = {
    MODEL: "Model order",
    ROLE: "What it mainly does",
    "previous_token": "Previous token",
    "first_token": "First token",
    "current_token": "Current token",
    "duplicate_token": "Duplicate token",
    "induction": "Induction",
}
ROLE_NAMES = {
    "previous_token": ("previous token", "previous", "prev"),
    "first_token": ("first token", "first", "1st"),
    "current_token": ("current token", "current", "cur"),
    "duplicate_token": ("duplicate token", "duplicate", "dup"),
    "induction": ("induction", "induct", "ind"),
}
NO_ROLE = "nothing clear"


@dataclass(frozen=True)
class Group:
    """Heads that lie together, under a heading or none; a head is layer · heads + head."""

    heading: str
    heads: tuple[int, ...]


def grouped(heads: Heads, order: str) -> tuple[Group, ...]:
    """The heads in one of ORDERS: one group, or with ROLE one for each role; highest scores first, undefined last."""
    layers, per_layer = heads.shape
    everyone = range(layers * per_layer)
    if order == MODEL:
        return (Group("", tuple(everyone)),)
    if order != ROLE:
        return (Group("", _by_score(heads.scores[order].ravel(), list(everyone))),)
    members: dict[str, list[int]] = {name: [] for name in (*SCORES, NO_ROLE)}
    for head in everyone:
        role = heads.role(head)
        members[NO_ROLE if role is None else role.name].append(head)
    return tuple(
        Group(
            f"{ROLE_NAMES[name][0] if name in SCORES else name} ({len(found)})",
            _by_score(heads.scores[name].ravel(), found) if name in SCORES else tuple(found),
        )
        for name, found in members.items()
        if found
    )


def _by_score(scores: np.ndarray, heads: list[int]) -> tuple[int, ...]:
    """Highest first, NaN last, equal ones in the order of the model."""
    chosen = scores[heads]
    ranked = np.argsort(np.where(np.isnan(chosen), np.inf, -chosen), kind="stable")
    return tuple(heads[i] for i in ranked.tolist())


@dataclass(frozen=True)
class MosaicLayout:
    """Tiles in rows; all lengths in cells of the one picture that holds them all.

    Attributes:
        side: of a tile; a weight is `repeat` cells wide.
        gap: between tiles; caption: below each.
        columns: tiles in a row.
        groups: what lies where.
        places: (row, column, y) of each head's tile, in the order in which they lie.
        headings: (text, first column, y, columns that it may reach over) of each heading.
        width, height: of all; gaps: where there is no tile.
    """

    side: int
    repeat: int
    gap: int
    caption: int
    columns: int
    groups: tuple[Group, ...]
    places: dict[int, tuple[int, int, int]]
    headings: tuple[tuple[str, int, int, int], ...]
    width: int
    height: int
    gaps: tuple[QRectF, ...]

    @property
    def pitch(self) -> int:
        """From one tile to the next in its row."""
        return self.side + self.gap

    def corner(self, head: int) -> tuple[int, int]:
        """Left and upper edge of a head's tile. Raises KeyError for a head that is not there."""
        _, column, y = self.places[head]
        return column * self.pitch, y

    def rect(self, head: int) -> QRectF:
        """Where a head's tile lies. Raises KeyError for a head that is not there."""
        return QRectF(*self.corner(head), self.side, self.side)

    def at(self, point: QPointF) -> int | None:
        """The head whose tile or caption is under a point."""
        for head in self.places:
            if self.rect(head).adjusted(0, 0, 0, self.caption).contains(point):
                return head
        return None

    def neighbour(self, head: int, right: int, down: int) -> int:
        """The head so many places away, or as near to it as there is one."""
        row, column, _ = self.places[head]
        if right:
            ordered = list(self.places)
            return ordered[min(max(ordered.index(head) + right, 0), len(ordered) - 1)]
        there = [other for other, (its_row, _, _) in self.places.items() if its_row == row + down]
        return min(there, key=lambda other: abs(self.places[other][1] - column), default=head)


def arrange(
    width: float,
    height: float,
    groups: tuple[Group, ...],
    columns: int | None,
    *,
    cells: int,
    caption: float = 0.0,
    heading: float = 0.0,
) -> MosaicLayout:
    """The layout whose tiles of `cells` weights a side are the largest in a room of so many logical pixels.

    `columns` None takes the number that makes them largest. `caption` and `heading` are heights in logical pixels.
    """
    best, best_columns = 0.0, columns or 1
    best_bands = _bands(groups, best_columns, 1)
    for tried in [columns] if columns else range(1, sum(len(group.heads) for group in groups) + 1):
        across = width / tried - GAP
        bands = _bands(groups, tried, math.ceil(HEADING_WIDTH / max(across, SMALLEST_SIDE)))
        rows = sum(_rows(band, tried) for band in bands)
        headings = sum(bool(band[0][0].heading) for band in bands)
        side = min(across, (height - headings * heading) / rows - GAP - caption)
        if side > best:
            best, best_columns, best_bands = side, tried, bands
    repeat = max(1, round(best / cells))
    in_cells = cells * repeat / max(best, SMALLEST_SIDE)  # of one logical pixel
    return _placed(
        best_columns,
        groups,
        best_bands,
        cells * repeat,
        repeat,
        gap=max(1, round(GAP * in_cells)),
        caption=math.ceil(caption * in_cells),
        heading=math.ceil(heading * in_cells),
    )


def _bands(groups: Sequence[Group], columns: int, least: int) -> list[list[tuple[Group, int]]]:
    """Groups that lie beside each other, as many as fit, and each's first column; a heading needs `least` columns."""
    bands: list[list[tuple[Group, int]]] = []
    used = columns
    for group in groups:
        needed = max(len(group.heads), least if group.heading else 1)
        if used + needed > columns:
            bands.append([])
            used = 0
        bands[-1].append((group, used))
        used += needed
    return bands


def _rows(band: list[tuple[Group, int]], columns: int) -> int:
    return max(-(-len(group.heads) // columns) for group, _ in band)


def _placed(
    columns: int,
    groups: tuple[Group, ...],
    bands: list[list[tuple[Group, int]]],
    side: int,
    repeat: int,
    *,
    gap: int,
    caption: int,
    heading: int,
) -> MosaicLayout:
    places: dict[int, tuple[int, int, int]] = {}
    headings = []
    row, y = 0, 0
    for band in bands:
        ends = [start for _, start in band[1:]] + [columns]
        for (group, start), end in zip(band, ends, strict=True):
            if group.heading:
                headings.append((group.heading, start, y, end - start))
        y += heading * bool(band[0][0].heading)
        for group, start in band:
            for index, head in enumerate(group.heads):
                down, across = divmod(index, columns)
                places[head] = (row + down, start + across, y + down * (side + caption + gap))
        y += _rows(band, columns) * (side + caption + gap)
        row += _rows(band, columns)
    width, height = columns * (side + gap) - gap, y - gap
    gaps = tuple(QRectF(*rect) for rect in _gaps(places, side, gap, columns, width, height))
    return MosaicLayout(side, repeat, gap, caption, columns, groups, places, tuple(headings), width, height, gaps)


def _gaps(
    places: dict[int, tuple[int, int, int]], side: int, gap: int, columns: int, width: int, height: int
) -> Iterator[tuple[int, int, int, int]]:
    """Left, top, width and height of what no tile covers."""
    for column in range(1, columns):
        yield column * (side + gap) - gap, 0, gap, height
    rows: dict[int, set[int]] = {}
    for _, column, y in places.values():
        rows.setdefault(y, set()).add(column)
    end = 0
    for y, taken in rows.items():
        yield 0, end, width, y - end
        end = y + side
        for column in set(range(columns)) - taken:
            yield column * (side + gap), y, side, side
    yield 0, end, width, height - end


def share(width: float, height: float, rows: int, columns: int) -> tuple[bool, float]:
    """How a panel is best shared between the mosaic and one head close up.

    Returns whether they lie beside each other (else below), and how much of the width (or height) the mosaic gets.
    """
    best = (-1.0, True, width)
    weight = 0.7 if rows * columns > 1 else 0.5  # of the mosaic, which of a single head shows nothing more
    for beside, extent, other in ((True, width, height), (False, height, width)):
        for tenth in range(3, 9):
            part = extent * tenth / 10
            room, rest = ((part, other), (extent - part, other)) if beside else ((other, part), (other, extent - part))
            tile = min((room[0] - AXES) / columns, (room[1] - AXES) / rows)
            close = max(min(rest[0], rest[1] - WORDS[1]), min(rest[0] - WORDS[0], rest[1]))
            area = max(tile, 0.0) * math.sqrt(rows * columns)
            best = max(best, (area**weight * max(close, 0.0) ** (1 - weight), beside, part))
    return best[1], best[2]
