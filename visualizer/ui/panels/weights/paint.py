"""Painting the visible part of the grid: tints as one small image, then the numbers over it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPoint, QRect
from PySide6.QtGui import QColor, QImage, QPainter, QPolygon

from visualizer.ui.look.theme import current_theme
from visualizer.ui.panels.weights.table import WeightTableModel

RULE = 2  # px: the rule that tells bands apart
CORNER = 7  # px: the mark of a changed cell
PADDING = 4  # px: right of a number


@dataclass(frozen=True)
class Visible:
    """The cells that are on screen, all of one size.

    Attributes:
        rows, columns: their ranges in the table.
        left, top: where the first of them begins, in px of the viewport.
        width, height: of one cell, in px.
    """

    rows: range
    columns: range
    left: int
    top: int
    width: int
    height: int

    def cell(self, row: int, column: int) -> QRect:
        """Where the cell `row` and `column` of the visible part is."""
        return QRect(self.left + column * self.width, self.top + row * self.height, self.width, self.height)

    def area(self) -> QRect:
        """All of it."""
        return QRect(self.left, self.top, self.width * len(self.columns), self.height * len(self.rows))


def paint_cells(painter: QPainter, table: WeightTableModel, visible: Visible, band_starts: frozenset[int]) -> None:
    """Paint tints, numbers, corners of changed cells and rules between bands, with the painter's font."""
    block = (slice(visible.rows.start, visible.rows.stop), slice(visible.columns.start, visible.columns.stop))
    tints = table.tints(block)
    height, width = tints.shape
    pixels = table.argb[tints].tobytes()  # Qt scales this depth several times faster than an indexed image
    painter.drawImage(visible.area(), QImage(pixels, width, height, 4 * width, QImage.Format.Format_RGB32))
    _paint_numbers(painter, table, visible, block, tints)
    theme = current_theme()
    changed = np.argwhere(table.changed(block)).tolist()
    if changed:
        painter.setPen(QColor(theme.panel))
        painter.setBrush(QColor(theme.changed))
        for row, column in changed:
            corner = visible.cell(row, column).topRight()
            painter.drawPolygon(
                QPolygon([corner + QPoint(1 - CORNER, 0), corner + QPoint(1, 0), corner + QPoint(1, CORNER)])
            )
    for column in band_starts.intersection(visible.columns):
        first = visible.cell(0, column - visible.columns.start)
        painter.fillRect(first.left(), first.top(), RULE, visible.area().height(), QColor(theme.muted_text))


def _paint_numbers(
    painter: QPainter, table: WeightTableModel, visible: Visible, block: tuple[slice, slice], tints: np.ndarray
) -> None:
    """Right-aligned by count of characters: the grid's font gives each the same width."""
    metrics = painter.fontMetrics()
    advance = metrics.horizontalAdvance("0" * 16) / 16
    rights = [visible.left + (i + 1) * visible.width - PADDING for i in range(tints.shape[1])]
    baseline = visible.top + (visible.height + metrics.ascent() - metrics.descent()) // 2
    present, inks, shown = -1, table.ink_codes(block, tints).tolist(), table.texts(block)
    for row, (codes, texts) in enumerate(zip(inks, shown, strict=True)):
        y = baseline + row * visible.height
        for code, text, right in zip(codes, texts, rights, strict=True):
            if code != present:
                painter.setPen(table.inks[code])
                present = code
            painter.drawText(round(right - len(text) * advance), y, text)
