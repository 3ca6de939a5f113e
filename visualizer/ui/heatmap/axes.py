"""Painting what surrounds the cells of a heatmap: labels on both axes, the axes' names, the colour bar."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPolygonF

from visualizer.session.words.numbers import MINUS, short
from visualizer.ui.heatmap.layout import LABEL_GAP, Layout
from visualizer.ui.heatmap.matrix import Matrix
from visualizer.ui.heatmap.text import TextBox, TextCache
from visualizer.ui.look import colors

TIGHT = 0.85  # of a line's height: lines of labels may stand this close
SPECIAL_WORDS = {
    colors.NOT_A_NUMBER: "nan",
    colors.POSITIVE_INFINITY: "inf",
    colors.NEGATIVE_INFINITY: MINUS + "inf",
}
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
    argb = matrix.table(texts.theme).argb
    key = [(QColor.fromRgb(argb[index]), SPECIAL_WORDS[index]) for index in matrix.special_indices()]
    bar = _bar_less_key(texts, layout, len(key))
    painter.drawImage(bar, _level_ramp(argb) if layout.bar_below else _ramp(argb))
    painter.setPen(texts.color(texts.theme.rule))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRect(bar)
    painter.setFont(texts.small_font)
    painter.setPen(texts.color(texts.theme.muted_text))
    _paint_ticks(painter, texts, matrix, bar, layout.bar_below)
    _paint_key(painter, texts, bar, layout.bar_below, key)
    if pointed is not None and matrix.indices[pointed] < colors.STEPS:
        level = float(matrix.indices[pointed]) / (colors.STEPS - 1)
        if layout.bar_below:
            _paint_pointer(painter, texts, QPointF(bar.left() + level * bar.width(), bar.top() - 1), 90)
        else:
            _paint_pointer(painter, texts, QPointF(bar.left() - 1, bar.bottom() - level * bar.height()), 0)


def _bar_less_key(texts: TextCache, layout: Layout, entries: int) -> QRectF:
    """The colour bar without the room that the key of so many entries takes from its end."""
    bar, line = QRectF(layout.bar), texts.small_height
    if entries and layout.bar_below:
        bar.setWidth(max(bar.width() - entries * _key_width(texts, bar), 2 * line))
    elif entries:
        bar.setHeight(max(bar.height() - entries * (line + 2) - 4, 2 * line))
    return bar


def _key_width(texts: TextCache, bar: QRectF) -> float:
    """Room for one entry of the key beside a level bar: its gap, its colour and its word."""
    widest = max(2 * texts.box(word, "small", texts.small_font).half_width for word in SPECIAL_WORDS.values())
    return bar.height() + 3 * LABEL_GAP + widest


def _paint_ticks(painter: QPainter, texts: TextCache, matrix: Matrix, bar: QRectF, level: bool) -> None:
    """The numbers at both ends of the bar and, where there is room, in its middle."""
    high, line = matrix.limit, texts.small_height
    low = 0.0 if matrix.scale.kind == "sequential" else -high
    boxes = [texts.box(short(value), "small", texts.small_font) for value in (low, (low + high) / 2, high)]
    widths = [2 * box.half_width for box in boxes]
    places = (0.0, 0.5, 1.0)
    if not high > low:
        shown = [1]
    elif level:
        shown = [0, 1, 2] if sum(widths) + 4 * LABEL_GAP <= bar.width() else [0, 2]
    else:
        shown = [0, 1, 2] if bar.height() >= 4 * line else [0, 2]
    for i in shown:
        if level:
            at = QPointF(bar.left() + places[i] * (bar.width() - widths[i]), bar.bottom() + 1)
        else:
            at = QPointF(bar.right() + LABEL_GAP, bar.top() + (1 - places[i]) * (bar.height() - line + 1))
        painter.drawStaticText(at, boxes[i].static)


def _paint_key(painter: QPainter, texts: TextCache, bar: QRectF, level: bool, key: list[tuple[QColor, str]]) -> None:
    """What the colours of NaN and of the infinities mean, after the end of the bar."""
    line, side = texts.small_height, min(bar.width(), bar.height())
    for i, (color, word) in enumerate(key):
        if level:
            corner = QPointF(bar.right() + i * _key_width(texts, bar) + 2 * LABEL_GAP, bar.top())
        else:
            corner = QPointF(bar.left(), bar.bottom() + 4 + i * (line + 2) + (line - side) / 2)
        painter.fillRect(QRectF(corner.x(), corner.y(), side, side), color)
        box = texts.box(word, "small", texts.small_font)
        painter.drawStaticText(corner + QPointF(side + LABEL_GAP, (side - line) / 2), box.static)


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


@lru_cache(maxsize=8)
def _level_ramp(argb: tuple[int, ...]) -> QImage:
    """The colours of a scale from its lower end to the right, one a column."""
    return indexed_image(np.arange(colors.STEPS, dtype=np.uint8)[None], argb)


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


def _paint_pointer(painter: QPainter, texts: TextCache, tip: QPointF, turned: float) -> None:
    """A small arrow to the right, or `turned` by so many degrees."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(texts.color(texts.theme.text))
    painter.translate(tip)
    painter.rotate(turned)
    painter.drawPolygon(QPolygonF([QPointF(-5, -4), QPointF(0, 0), QPointF(-5, 4)]))
    painter.restore()
