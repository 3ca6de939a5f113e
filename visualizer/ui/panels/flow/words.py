"""The words of the picture: tokens at both ends, titles and labels around the matrices; the nearer, the more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor

from visualizer.session.analysis.landscape.shapes import HeadGrid, Landscape, Tile
from visualizer.session.words.numbers import short
from visualizer.ui.heatmap.axis import TIGHT, thinned
from visualizer.ui.heatmap.grid import Grid
from visualizer.ui.panels.flow.content import FlowContent, Prediction, Sign
from visualizer.ui.panels.flow.paper import DETAIL, LABEL, TITLE, Paper
from visualizer.ui.panels.flow.titles import PROMPT, paint_remarks

GAP = 4.0
STICKY = 44.0  # the height of titles that stay in sight
PREDICTION_TITLES = ("next token", "next")
TITLE_ROOM = 8.0  # so much of the gap on either side may a title use
WEIGHTS_NAMED_FROM = 2.5  # zoom


def paint_prompt(
    paper: Paper, landscape: Landscape, tokens: Sequence[tuple[str, str]], row: int | None, chosen: bool
) -> None:
    """Each row's token at its left end; it stays in sight where that end is not."""
    texts, view = paper.texts, paper.view
    rect = paper.camera.rect(landscape.prompt)
    stuck = rect.right() < view.left()
    if not stuck:
        _end_title(paper, rect, (PROMPT,))
    height = rect.height() / landscape.count
    visible = range(
        max(int((view.top() - rect.top()) / height), 0),
        min(int((view.bottom() - rect.top()) / height) + 1, landscape.count),
    )
    labelled = set(thinned(visible.start, visible.stop, height, texts.label_line * TIGHT, row))
    for i in visible:
        text, hue = tokens[i]
        top = rect.top() + i * height
        if rect.right() > view.left():
            stripe = QRectF(rect.right() - 4, top + (0.5 if height > 3 else 0), 4, height - (1 if height > 3 else 0))
            paper.painter.fillRect(stripe, texts.color(hue))
        middle = (max(top, view.top()) + min(top + height, view.bottom())) / 2 if height > STICKY else top + height / 2
        if i in labelled and not (stuck and middle < view.top() + STICKY):
            width = texts.width(text, LABEL)
            left = max(rect.right() - 8 - width, view.left() + GAP)
            accent = chosen and i == row
            ground = paper.theme.accent if accent else paper.theme.panel if left > rect.right() - 8 - width else ""
            color = paper.theme.accent_text if accent else hue
            paper.write(text, LABEL, color, left, middle - texts.label_line / 2, ground)


def paint_predictions(
    paper: Paper, landscape: Landscape, predictions: Mapping[int, Prediction], row: int | None, chosen: bool
) -> None:
    """The most probable token after each position, with a bar as long as it is probable."""
    rect = paper.camera.rect(landscape.prediction)
    if not rect.adjusted(0, -40, 0, 0).intersects(paper.view):
        return
    texts = paper.texts
    _end_title(paper, rect, PREDICTION_TITLES)
    height = rect.height() / landscape.count
    labelled = set(thinned(0, landscape.count, height, texts.label_line * TIGHT, row))
    for i, found in predictions.items():
        top = rect.top() + i * height
        if top > paper.view.bottom() or top + height < paper.view.top():
            continue
        ink = QColor(paper.theme.accent if chosen and i == row else paper.theme.muted_text)
        ink.setAlpha(110 if i == row else 60)
        share = found.probability if found.probability == found.probability else 0.0
        bar = QRectF(rect.left(), top + min(height * 0.1, 2.0), max(rect.width() * share, 1.0), max(height * 0.8, 1.0))
        paper.painter.fillRect(bar, ink)
        if i in labelled:
            text = f"{found.label} {short(found.probability, 2)}"
            ground = paper.theme.panel if height < texts.label_line * TIGHT else ""
            paper.write(text, LABEL, paper.theme.text, rect.left() + GAP, top + (height - texts.label_line) / 2, ground)


def _end_title(paper: Paper, rect: QRectF, titles: tuple[str, ...]) -> None:
    text = paper.texts.fitting(titles, TITLE, rect.width() + 2 * TITLE_ROOM)
    top = max(rect.top() - paper.texts.line - 2, paper.view.top())
    paper.write(text, TITLE, paper.theme.muted_text, max(rect.left(), 2.0), top)


def paint_block_remarks(paper: Paper, heads: HeadGrid, remarks: Sequence[Sign]) -> None:
    """Over a closed block, what is out of the ordinary in it."""
    rect = paper.camera.rect(heads.box)
    signs = "".join(remark.sign for remark in remarks)
    if signs:
        left = rect.center().x() - paper.texts.width(signs, TITLE) / 2
        paper.write(signs, TITLE, remarks[0].color, left, rect.top() - paper.texts.line, paper.theme.background)


def paint_weights_name(paper: Paper, tile: Tile, content: FlowContent, odd: int) -> None:
    """The name of weights over them, where they are large enough for it, and whether they were changed."""
    rect = paper.camera.rect(tile.box)
    remarks = content.remarks(tile.matrix, odd)
    room = rect.width() + 6
    name = paper.texts.fitting(content.heading(tile.matrix).titles, DETAIL, room)
    top = rect.top() - paper.texts.detail_line
    if name and "…" not in name and paper.camera.down >= WEIGHTS_NAMED_FROM:
        written = paper.write(
            name,
            DETAIL,
            paper.theme.muted_text,
            rect.center().x() - min(room, paper.texts.width(name, DETAIL)) / 2,
            top,
        )
        paint_remarks(paper, remarks, written, rect.right() + GAP)
    elif remarks:
        paper.write(
            remarks[0].sign, DETAIL, remarks[0].color, rect.right() - 4, rect.top() - paper.texts.detail_line / 2
        )


def column_label_height(paper: Paper, content: FlowContent, tile: Tile, rect: QRectF) -> float:
    """The height of a matrix' column labels, which are there once there is room for every other of them."""
    columns = tile.matrix.size[1]
    if not columns or tile.matrix.plane[1] == "1":
        return 0.0
    width = rect.width() / columns
    label = content.label(tile, 1, 0)[0]
    return paper.texts.label_line if width * 2 >= paper.texts.width(label, LABEL) + GAP and width >= 10 else 0.0


def paint_column_labels(
    paper: Paper, tile: Tile, content: FlowContent, grid: Grid, marked: int | None, below: float
) -> None:
    """As many columns' labels as have room, above the cells, or so far below the view's edge."""
    texts, rect = paper.texts, paper.camera.rect(tile.box)
    if not column_label_height(paper, content, tile, rect):
        return
    widest = max(texts.width(content.label(tile, 1, c)[0], LABEL) for c in grid.columns[:64])
    top = max(rect.top() - texts.label_line - 1, paper.view.top() + below)
    for column in thinned(grid.columns.start, grid.columns.stop, grid.width, widest + GAP, marked):
        text, hue = content.label(tile, 1, column)
        cell = grid.cell(0, column)
        left = cell.center().x() - texts.width(text, LABEL) / 2
        accent = column == marked
        ground = paper.theme.accent if accent else paper.theme.panel if top > rect.top() - texts.label_line - 1 else ""
        color = paper.theme.accent_text if accent else hue or paper.theme.muted_text
        paper.write(text, LABEL, color, left, top, ground)


def paint_row_labels(paper: Paper, tile: Tile, content: FlowContent, grid: Grid) -> None:
    """Rows' labels of weights that are near: those of tokens stand at the left of the whole picture."""
    texts = paper.texts
    if grid.height < texts.label_line * TIGHT:
        return
    for row in grid.rows:
        text, hue = content.label(tile, 0, row)
        width = texts.width(text, LABEL)
        left = max(grid.left - GAP - width, paper.view.left() + GAP)
        top = grid.cell(row, 0).center().y() - texts.label_line / 2
        paper.write(text, LABEL, hue or paper.theme.muted_text, left, top, paper.theme.panel)
