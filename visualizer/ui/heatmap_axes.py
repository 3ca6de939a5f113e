"""Painting what surrounds the cells of a heatmap: labels on both axes, the axes' names, the colour bar."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPolygonF

from visualizer.session.numbers_shown import MINUS, short
from visualizer.ui import colors
from visualizer.ui.heatmap_layout import LABEL_GAP, Layout
from visualizer.ui.heatmap_matrix import Matrix
from visualizer.ui.heatmap_text import TextBox, TextCache

TIGHT = 0.85  # of a line's height: lines of labels may stand this close
STRIDES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000)


def paint_row_labels(
    painter: QPainter,
    texts: TextCache,
    matrix: Matrix,
    layout: Layout,
    selected: int | None,
    pointed: int | None,
) -> None:
    """As many row labels as fit, the selected and the pointed one among them."""
    height = texts.label_height
    first, end = layout.labelled_rows(height * TIGHT)
    painter.save()
    painter.setFont(texts.label_font)
    painter.setClipRect(layout.row_labels.adjusted(-2, -height / 2, LABEL_GAP, height / 2))
    for row in thinned(first, end, layout.cell_height, height * TIGHT, selected, pointed):
        box = texts.box(matrix.row_text(row), "label", texts.label_font)
        x = max(layout.row_labels.left(), layout.row_labels.right() - 2 * box.half_width)
        corner = QPointF(x, layout.row_middle(row) - box.half_height)
        hue = matrix.row_label_colors[row] if matrix.row_label_colors else texts.theme.text
        _paint_label(painter, texts, box, corner, hue, row == selected, row == pointed)
    painter.restore()


def paint_column_labels(
    painter: QPainter,
    texts: TextCache,
    matrix: Matrix,
    layout: Layout,
    selected: int | None,
    pointed: int | None,
) -> None:
    """As many column labels as fit, upright where the layout says so."""
    room = texts.label_height * TIGHT if layout.upright else layout.label_room
    first, end = layout.labelled_columns(room)
    bottom = layout.column_labels.bottom()
    painter.save()
    painter.setFont(texts.label_font)
    painter.setClipRect(layout.column_labels.adjusted(-room / 2, 0, room / 2, LABEL_GAP))
    for column in thinned(first, end, layout.cell_width, room, selected, pointed):
        box = texts.box(matrix.column_text(column), "label", texts.label_font)
        center = layout.column_middle(column)
        hue = matrix.column_label_colors[column] if matrix.column_label_colors else texts.theme.text
        if layout.upright:
            painter.save()
            painter.translate(center - box.half_height, bottom)
            painter.rotate(-90)
            _paint_label(painter, texts, box, QPointF(0, 0), hue, column == selected, column == pointed)
            painter.restore()
        else:
            corner = QPointF(center - box.half_width, bottom - 2 * box.half_height)
            _paint_label(painter, texts, box, corner, hue, column == selected, column == pointed)
    painter.restore()


def paint_axis_names(painter: QPainter, texts: TextCache, matrix: Matrix, layout: Layout) -> None:
    """The name of the columns above them, that of the rows beside them, turned."""
    painter.setFont(texts.axis_font)
    painter.setPen(texts.color(texts.theme.muted_text))
    box = texts.box(matrix.column_axis, "axis", texts.axis_font)
    x = max(layout.column_axis.left(), layout.column_axis.center().x() - box.half_width)
    painter.drawStaticText(QPointF(x, layout.column_axis.top()), box.static)
    box = texts.box(matrix.row_axis, "axis", texts.axis_font)
    painter.save()
    bottom = max(layout.row_axis.center().y() + box.half_width, 2 * box.half_width)
    painter.translate(layout.row_axis.left(), bottom)
    painter.rotate(-90)
    painter.drawStaticText(QPointF(0, 0), box.static)
    painter.restore()


def paint_bar(
    painter: QPainter, texts: TextCache, matrix: Matrix, layout: Layout, pointed: tuple[int, int] | None
) -> None:
    """The colour bar with its limits, a pointer at the value of the cell `pointed` at, and a key to NaN and Inf."""
    line = texts.small_height
    special = matrix.special_indices()
    bar = QRectF(layout.bar)
    bar.setHeight(max(bar.height() - (len(special) * (line + 2) + 4 if special else 0), 2 * line))
    table = matrix.table(texts.theme)
    painter.drawImage(bar, _ramp(table.argb))
    painter.setPen(texts.color(texts.theme.rule))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRect(bar)

    x = bar.right() + LABEL_GAP
    high = matrix.limit
    low = 0.0 if matrix.scale.kind == "sequential" else -high
    ticks = [(bar.top(), high), (bar.bottom() - line + 1, low)] if high > low else []
    if bar.height() >= 4 * line or not ticks:
        ticks.append((bar.center().y() - line / 2, (high + low) / 2))
    painter.setFont(texts.small_font)
    painter.setPen(texts.color(texts.theme.muted_text))
    for y, value in ticks:
        painter.drawStaticText(QPointF(x, y), texts.box(short(value), "small", texts.small_font).static)

    words = {
        colors.NOT_A_NUMBER: "nan",
        colors.POSITIVE_INFINITY: "inf",
        colors.NEGATIVE_INFINITY: MINUS + "inf",
    }
    y = bar.bottom() + 4
    for index in special:
        swatch = QRectF(bar.left(), y + (line - bar.width()) / 2, bar.width(), bar.width())
        painter.fillRect(swatch, QColor.fromRgb(table.argb[index]))
        painter.drawStaticText(QPointF(x, y), texts.box(words[index], "small", texts.small_font).static)
        y += line + 2
    if pointed is not None and matrix.indices[pointed] < colors.STEPS:
        level = 1.0 - float(matrix.indices[pointed]) / (colors.STEPS - 1)
        _paint_pointer(painter, texts, QPointF(bar.left() - 1, bar.top() + level * bar.height()))


def indexed_image(indices: np.ndarray, argb: tuple[int, ...]) -> QImage:
    """A QImage of uint8 [height, width], each an index into `argb`, that owns its pixels.

    Qt looks the colours up faster than NumPy, and draws the result faster than an indexed image.
    """
    pixels = np.ascontiguousarray(indices)
    height, width = pixels.shape
    image = QImage(pixels.data, width, height, width, QImage.Format.Format_Indexed8)
    image.setColorTable(argb)
    return image.convertToFormat(QImage.Format.Format_RGB32)


@lru_cache(maxsize=8)
def _ramp(argb: tuple[int, ...]) -> QImage:
    """The colours of a scale from its upper end down, one a row."""
    return indexed_image(np.arange(colors.STEPS - 1, -1, -1, dtype=np.uint8)[:, None], argb)


def thinned(first: int, end: int, step: float, room: float, *always: int | None) -> list[int]:
    """Which of the labels `first` to `end` fit, `step` pixels apart and `room` wide; those in `always` come last."""
    stride = next((stride for stride in STRIDES if stride * step >= room), STRIDES[-1])
    marked = [i for i in dict.fromkeys(always) if i is not None and first <= i < end]
    # A marked label takes the room of those that it would cover.
    clear = room / step if stride > 1 else 0.5
    regular = range(first + -first % stride, end, stride)
    return [i for i in regular if all(abs(i - other) >= clear for other in marked)] + marked


def _paint_label(
    painter: QPainter,
    texts: TextCache,
    box: TextBox,
    corner: QPointF,
    hue: str,
    selected: bool,
    pointed: bool,
) -> None:
    theme = texts.theme
    ground = QRectF(corner.x() - 2, corner.y(), 2 * box.half_width + 4, 2 * box.half_height)
    if selected:
        painter.fillRect(ground, texts.color(theme.accent))
        hue = theme.accent_text
    elif pointed:
        painter.fillRect(ground, texts.color(theme.panel))
        underline = QRectF(ground.left(), ground.bottom() - 1, ground.width(), 1)
        painter.fillRect(underline, texts.color(theme.text))
    painter.setPen(texts.color(hue))
    painter.drawStaticText(corner, box.static)


def _paint_pointer(painter: QPainter, texts: TextCache, tip: QPointF) -> None:
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(texts.color(texts.theme.text))
    painter.drawPolygon(QPolygonF([tip + QPointF(-5, -4), tip, tip + QPointF(-5, 4)]))
    painter.restore()
