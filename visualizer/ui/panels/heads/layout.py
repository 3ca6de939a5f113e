"""Where the heads lie in the mosaic: in which order and groups, how large, and which one is under a point."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF, QRectF

from visualizer.engine.head_scores import SCORES, main_role
from visualizer.ui.panels.heads.tiles import Heads

GAP = 4.0
SMALLEST_SIDE, LARGEST_SIDE = 26.0, 320.0

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
        role = main_role(heads.scores, *divmod(head, per_layer))
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
    """Tiles in rows; all lengths in logical pixels.

    Attributes:
        side: of a tile.
        columns: tiles in a row.
        left, top: room for the labels of blocks and heads.
        caption: height of the line under a tile.
        groups: what lies where.
        places: (row, column, y of the tile) of each head, in the order in which they lie.
        headings: (text, y) of each heading.
        width, height: of all.
    """

    side: float
    columns: int
    left: float
    top: float
    caption: float
    groups: tuple[Group, ...]
    places: dict[int, tuple[int, int, float]]
    headings: tuple[tuple[str, float], ...]
    width: float
    height: float

    def rect(self, head: int) -> QRectF:
        """Where a head's picture lies. Raises KeyError for a head that is not there."""
        _, column, y = self.places[head]
        return QRectF(self.left + column * (self.side + GAP), y, self.side, self.side)

    def at(self, point: QPointF) -> int | None:
        """The head whose picture or caption is under a point."""
        for head in self.places:
            rect = self.rect(head)
            if rect.adjusted(0, 0, 0, self.caption).contains(point):
                return head
        return None

    def neighbour(self, head: int, right: int, down: int) -> int:
        """The head so many places away, or as near to it as there is one."""
        row, column, _ = self.places[head]
        if right:
            ordered = list(self.places)
            return ordered[min(max(ordered.index(head) + right, 0), len(ordered) - 1)]
        rows: dict[int, list[int]] = {}
        for other, (its_row, _, _) in self.places.items():
            rows.setdefault(its_row, []).append(other)
        wanted = row + down
        if wanted not in rows:
            return head
        return rows[wanted][min(column, len(rows[wanted]) - 1)]


def arrange(
    width: float,
    height: float,
    groups: tuple[Group, ...],
    columns: int | None,
    *,
    left: float,
    top: float,
    caption: float,
    heading: float,
    smallest: float = SMALLEST_SIDE,
) -> MosaicLayout:
    """The layout with the largest tiles that fits; where even the `smallest` don't, one that is larger than the room.

    `columns` None takes the number that makes the tiles largest.
    """
    total = sum(len(group.heads) for group in groups)
    headings = sum(bool(group.heading) for group in groups)
    best, best_columns = 0.0, columns or 1
    for tried in [columns] if columns else range(1, total + 1):
        rows = sum(-(-len(group.heads) // tried) for group in groups)
        across = (width - left - GAP) / tried - GAP
        down = (height - top - headings * heading - GAP) / rows - GAP - caption
        side = min(across, down)
        # Scrolling sideways is worse than scrolling down: a width that is too small counts first.
        if across < smallest and columns is None and tried > 1:
            break
        if side > best or (best < smallest and columns is None):
            best, best_columns = side, tried
    side = float(int(min(max(best, smallest), LARGEST_SIDE)))
    return _placed(side, best_columns, groups, left, top, caption, heading)


def _placed(
    side: float, columns: int, groups: tuple[Group, ...], left: float, top: float, caption: float, heading: float
) -> MosaicLayout:
    places: dict[int, tuple[int, int, float]] = {}
    headings = []
    row, y = 0, top
    for group in groups:
        if group.heading:
            headings.append((group.heading, y))
            y += heading
        for start in range(0, len(group.heads), columns):
            for column, head in enumerate(group.heads[start : start + columns]):
                places[head] = (row, column, y)
            y += side + caption + GAP
            row += 1
    return MosaicLayout(
        side, columns, left, top, caption, groups, places, tuple(headings), left + columns * (side + GAP) + GAP, y
    )
