"""Titles over the matrices: in one line where there is room, else in two by turns; nearer with formulas."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QRectF

from visualizer.session.analysis.landscape.shapes import HeadGrid, Landscape, Tile
from visualizer.ui.panels.flow.content import FlowContent, Sign
from visualizer.ui.panels.flow.paper import DETAIL, TITLE, Paper

GAP = 4.0
PROMPT = "prompt"  # the title of the first column
MOST_MISSING = 0.34  # of the matrices in sight may have no room for what all others say of themselves
Key = tuple[str, str]


@dataclass
class PlacedTitle:
    """What stands over one matrix (or the heads of a block), between `left` and `right` in the view.

    `slot` is its own share of the width; a title in the upper line may reach beyond it. It stands `up` lines above the
    lowest.
    """

    place: Tile | HeadGrid
    rect: QRectF
    texts: tuple[str, ...]
    left: float
    right: float
    slot: tuple[float, float]
    remarks: Sequence[Sign] = ()
    text: str = ""
    up: int = 0

    @property
    def width(self) -> float:
        """The width that there is for the title."""
        return self.right - self.left - 2

    @property
    def width_below(self) -> float:
        """The width for what stands under it, which has one line for all."""
        return self.slot[1] - self.slot[0] - 2

    def room(self, paper: Paper) -> float:
        """The width for the text alone."""
        signs = "".join(remark.sign for remark in self.remarks)
        return self.width - (paper.texts.width(signs, TITLE) + 3 if signs else 0.0)


def paint_titles(
    paper: Paper,
    landscape: Landscape,
    content: FlowContent,
    odd: Mapping[Key, int],
    labels: Callable[[Tile, QRectF], float],
) -> float:
    """The titles of all matrices in sight; tells how far down they reach where they stand at the edge of the view.

    `odd` counts NaN and Inf, `labels` is the height of columns' labels.
    """
    titles = _titles(paper, landscape, content, odd)
    if not titles:
        return 0.0
    room = (landscape.rows.top - landscape.stream_height) * paper.camera.down - 6
    _choose(paper, titles)
    height = max((labels(t.place, t.rect) for t in titles if isinstance(t.place, Tile)), default=0.0)
    lines = 1 + max(title.up for title in titles)
    spare = room - height - lines * paper.texts.line
    details: list[dict[int, str]] = []
    for found, silent in (_shapes(paper, titles, content), _formulas(paper, titles, content)):
        if spare >= paper.texts.detail_line and len(titles) - len(found) - silent <= MOST_MISSING * len(titles):
            details.append(found)
            spare -= paper.texts.detail_line
    for i, title in enumerate(titles):
        _paint(paper, title, [found.get(i, "") for found in details], height, lines)
    return (lines + 1) * paper.texts.line + GAP + len(details) * paper.texts.detail_line


def _titles(paper: Paper, landscape: Landscape, content: FlowContent, odd: Mapping[Key, int]) -> list[PlacedTitle]:
    """Those in sight from left to right, each half way to the next."""
    opened = {frame.block for frame in landscape.frames if frame.opened}
    places: list[Tile | HeadGrid] = [tile for tile in landscape.tiles if tile.matrix.kind == "activation"]
    places += [heads for heads in landscape.heads if heads.block in opened]
    places.sort(key=lambda place: place.box.left)
    x, view = paper.camera.x, paper.view
    ends = [landscape.prompt.right, *(place.box.right for place in places)]
    starts = [*(place.box.left for place in places), landscape.prediction.left]
    edges = [x((end + start) / 2) for end, start in zip(ends, starts, strict=True)]
    edges[0] = max(edges[0], x(landscape.prompt.left) + paper.texts.width(PROMPT, TITLE) + GAP)
    found = []
    for left, place, right in zip(edges, places, edges[1:], strict=False):
        rect = paper.camera.rect(place.box)
        if right < view.left() or left > view.right() or rect.bottom() < view.top():
            continue
        if isinstance(place, HeadGrid):
            found.append(PlacedTitle(place, rect, ("heads", ""), left, right, (left, right)))
            continue
        remarks = content.remarks(place.matrix, odd.get(place.key, 0))
        titles = content.heading(place.matrix).titles
        found.append(PlacedTitle(place, rect, titles, left, right, (left, right), remarks))
    return found


def _choose(paper: Paper, titles: Sequence[PlacedTitle]) -> None:
    """The longest words where all have room for them, else their names; those without room for it stand by turns."""
    width = paper.texts.width
    if all(width(title.texts[0], TITLE) <= title.room(paper) for title in titles):
        for title in titles:
            title.text = title.texts[0]
        return
    tight = [width(_name(title), TITLE) > title.room(paper) for title in titles]
    for i, title in enumerate(titles):
        title.text = _name(title)
        if not tight[i]:
            continue
        before = titles[i - 1] if i else None
        title.up = 0 if before is not None and tight[i - 1] and before.up else 1
        for j in (i - 1, i + 1):
            if 0 <= j < len(titles) and (tight[j] or title.up):  # the neighbour's words stand in the other line
                middle = sum(titles[j].slot) / 2
                title.left, title.right = min(title.left, middle), max(title.right, middle)
    for title in titles:
        if width(title.text, TITLE) > title.room(paper):
            title.text = paper.texts.fitting(title.texts[1:] or title.texts, TITLE, title.room(paper))


def _name(title: PlacedTitle) -> str:
    return title.texts[1] if len(title.texts) > 1 and title.texts[1] else title.texts[0]


def _shapes(paper: Paper, titles: Sequence[PlacedTitle], content: FlowContent) -> tuple[dict[int, str], int]:
    """Each matrix' shape, with the names of its axes and more where that fits everywhere; and how many have none."""
    shapes = {i: content.heading(t.place.matrix).shapes for i, t in enumerate(titles) if isinstance(t.place, Tile)}
    for length in range(3):
        chosen = {i: texts[min(length, len(texts) - 1)] for i, texts in shapes.items()}
        found = {i: text for i, text in chosen.items() if paper.texts.width(text, DETAIL) <= titles[i].width_below}
        if len(found) == len(shapes):
            break
    return found, len(titles) - len(shapes)


def _formulas(paper: Paper, titles: Sequence[PlacedTitle], content: FlowContent) -> tuple[dict[int, str], int]:
    """Each matrix' formula where it fits, and how many have none."""
    tiles = {i: title.place for i, title in enumerate(titles) if isinstance(title.place, Tile)}
    formulas = {i: formula for i, tile in tiles.items() if (formula := content.heading(tile.matrix).formula)}
    fitting = {i: text for i, text in formulas.items() if paper.texts.width(text, DETAIL) <= titles[i].width_below}
    return fitting, len(titles) - len(formulas)


def _paint(paper: Paper, title: PlacedTitle, details: Sequence[str], labels: float, lines: int) -> None:
    """A title, in one of so many lines, with what follows under it; in sight as long as its matrix is."""
    texts, view, rect = paper.texts, paper.view, title.rect
    height = lines * texts.line + len(details) * texts.detail_line + labels
    inside = title.place.block is not None
    ground = paper.theme.background if inside else paper.theme.panel
    top = rect.top() - height - 1
    sticky = view.top() + texts.line + GAP  # the title of the block comes first
    if top < sticky:
        top = min(sticky, rect.bottom() - height)
    signs = title.width - title.room(paper)
    width = texts.width(title.text, TITLE) + signs
    line = top + (lines - 1 - title.up) * texts.line
    written = paper.write(
        title.text, TITLE, paper.theme.text, _beside(title, view, width, (title.left, title.right)), line, ground
    )
    paint_remarks(paper, title.remarks, written, title.right)
    top += lines * texts.line
    for text in details:
        if text:
            paper.write(
                text,
                DETAIL,
                paper.theme.muted_text,
                _beside(title, view, texts.width(text, DETAIL), title.slot),
                top,
                ground,
            )
        top += texts.detail_line


def _beside(title: PlacedTitle, view: QRectF, width: float, slot: tuple[float, float]) -> float:
    """Where a text begins: over the middle of a matrix that is all in sight, else where there is a part of it."""
    rect = title.rect
    if rect.left() >= view.left() or width > rect.width():
        left = rect.center().x() - width / 2 if rect.width() < view.width() / 2 else rect.left()
        return max(min(left, slot[1] - 1 - width), slot[0] + 1)
    return max(rect.left(), min(view.left() + GAP, rect.right() - width))


def paint_remarks(paper: Paper, remarks: Sequence[Sign], title: QRectF, right: float) -> None:
    """What is out of the ordinary, after a title: in words where there is room up to `right`, else in signs."""
    left = title.right() + 3
    words = [f"{remark.sign} {remark.words}" for remark in remarks]
    spelled = left + sum(paper.texts.width(text, DETAIL) + 6 for text in words) <= right
    for remark, text in zip(remarks, words, strict=True):
        written, kind = (text, DETAIL) if spelled else (remark.sign, TITLE)
        left = paper.write(written, kind, remark.color, left, title.top()).right() + (6 if spelled else 1)
