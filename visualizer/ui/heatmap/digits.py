"""The numbers in the cells of a heatmap, where they fit."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QPainter

from visualizer.ui.heatmap.layer import Layer, Shown
from visualizer.ui.heatmap.text import TextBox
from visualizer.ui.look import colors

SMALLEST_NUMBER = 8  # pixel size of the digits in cells; the largest is a label's, or a fifth of the cell
USUAL_NUMBER = 5  # characters; narrower texts don't enlarge the digits, so that the size rests while values change
FEWEST_CHARACTERS = 4  # with less room, some cells would have numbers, rounded beyond use, and others none
BLACK, WHITE = "#000000", "#ffffff"


class Digits(Layer):
    """Each cell's number in an ink that can be read on its colour."""

    def draw(self, painter: QPainter, shown: Shown, exposed: QRectF) -> None:
        layout, texts, matrix = shown.layout, shown.texts, shown.painted.matrix
        room = int((layout.cell_width - 5) / (texts.digit_width * SMALLEST_NUMBER))
        if room < FEWEST_CHARACTERS or layout.cell_height < SMALLEST_NUMBER * 1.6:
            return
        first_row, end_row, first_column, end_column = layout.visible()
        rows, columns = range(first_row, end_row), range(first_column, end_column)
        numbers = [matrix.text(row, column, room) for row in rows for column in columns]
        longest = max(max(map(len, numbers), default=0), min(USUAL_NUMBER, room))
        comfortable = max(texts.label_ascent, layout.cell_height * 0.2)
        size = min((layout.cell_width - 5) / (texts.digit_width * longest), layout.cell_height * 0.4, comfortable)
        pixels = max(int(size), SMALLEST_NUMBER)
        font = texts.number_font(pixels)
        kind = f"number {pixels}"
        indices = shown.painted.indices[first_row:end_row, first_column:end_column].ravel().tolist()
        inks: dict[str, list[tuple[float, float, TextBox]]] = {texts.theme.masked_text: [], BLACK: [], WHITE: []}
        masked, black, white = inks.values()
        cells = iter(zip(indices, numbers, strict=True))
        centers = [layout.left + (column + 0.5) * layout.cell_width + 0.5 for column in columns]
        for row in rows:
            middle = layout.top + (row + 0.5) * layout.cell_height + 0.5
            for center in centers:
                index, number = next(cells)
                if number:
                    box = texts.box(number, kind, font)
                    ink = masked if index == colors.MASKED else black if shown.table.dark_ink[index] else white
                    ink.append((center - box.half_width, middle - box.half_height, box))
        painter.setFont(font)
        for color, placed in inks.items():
            painter.setPen(texts.color(color))
            for x, y, box in placed:
                painter.drawStaticText(QPointF(x, y), box.static)
