"""The numbers in the cells of a heatmap, where they fit."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF
from PySide6.QtGui import QPainter

from visualizer.ui.heatmap.grid import Grid
from visualizer.ui.heatmap.layer import Layer, Shown
from visualizer.ui.heatmap.text import TextBox, TextCache
from visualizer.ui.look import colors
from visualizer.ui.look.colors import LookupTable

SMALLEST_NUMBER = 8  # pixel size of the digits in cells; the largest is a label's, or a fifth of the cell
USUAL_NUMBER = 5  # characters; narrower texts don't enlarge the digits, so that the size rests while values change
FEWEST_CHARACTERS = 4  # with less room, some cells would have numbers, rounded beyond use, and others none
BLACK, WHITE = "#000000", "#ffffff"


class Digits(Layer):
    """Each cell's number in an ink that can be read on its colour."""

    def draw(self, painter: QPainter, shown: Shown) -> None:
        grid, painted = shown.layout.grid, shown.painted
        draw_digits(painter, shown.texts, shown.table, grid, painted.indices[grid.part], painted.matrix.text)


def draw_digits(
    painter: QPainter,
    texts: TextCache,
    table: LookupTable,
    grid: Grid,
    indices: NDArray[np.uint8],
    text: Callable[[int, int, int], str],
) -> None:
    """The numbers of the cells in sight, as long as there is room for them.

    `indices` are their entries in the table, `text` is what is written of a row and column in so many characters.
    """
    room = int((grid.width - 5) / (texts.digit_width * SMALLEST_NUMBER))
    if room < FEWEST_CHARACTERS or grid.height < SMALLEST_NUMBER * 1.6:
        return
    numbers = [text(row, column, room) for row in grid.rows for column in grid.columns]
    longest = max(max(map(len, numbers), default=0), min(USUAL_NUMBER, room))
    comfortable = max(texts.label_ascent, grid.height * 0.2)
    size = min((grid.width - 5) / (texts.digit_width * longest), grid.height * 0.4, comfortable)
    pixels = max(int(size), SMALLEST_NUMBER)
    font = texts.number_font(pixels)
    kind = f"number {pixels}"
    inks: dict[str, list[tuple[float, float, TextBox]]] = {texts.theme.masked_text: [], BLACK: [], WHITE: []}
    masked, black, white = inks.values()
    cells = iter(zip(indices.ravel().tolist(), numbers, strict=True))
    centers = [grid.left + (column + 0.5) * grid.width + 0.5 for column in grid.columns]
    for row in grid.rows:
        middle = grid.top + (row + 0.5) * grid.height + 0.5
        for center in centers:
            index, number = next(cells)
            if number:
                box = texts.box(number, kind, font)
                ink = masked if index == colors.MASKED else black if table.dark_ink[index] else white
                ink.append((center - box.half_width, middle - box.half_height, box))
    painter.setFont(font)
    for color, placed in inks.items():
        painter.setPen(texts.color(color))
        for x, y, box in placed:
            painter.drawStaticText(QPointF(x, y), box.static)
