"""The colour bar of a heatmap: pyqtgraph's, whose levels are dragged and reset by a double click."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QImage, QPainter, QPixmap, QPolygonF, QTransform

from visualizer.session.words.numbers import MINUS, short
from visualizer.ui.heatmap.image import indexed_image
from visualizer.ui.heatmap.layer import Layer, Shown
from visualizer.ui.heatmap.layout import BAR_WIDTH, LABEL_GAP
from visualizer.ui.heatmap.text import TextCache
from visualizer.ui.look import colors
from visualizer.ui.look.colors import LookupTable, Scale, place_on_scale

SPECIAL_WORDS = {
    colors.NOT_A_NUMBER: "nan",
    colors.POSITIVE_INFINITY: "inf",
    colors.NEGATIVE_INFINITY: MINUS + "inf",
}
#: One step of the levels while they are dragged, as a part of what lies between them.
STEP = 1e-3
#: Between the ends of a logarithmic scale, where more numbers are said: a part of the ends.
INNER_TICK = 1 / 32
POINTER = 6.0
#: Qt gives no mouse to what is wholly transparent.
UNSEEN = 0.004


class LevelBar(pg.ColorBarItem):
    """The scale beside (or below) the cells; its handles are seen while the mouse is over it.

    Signals:
        reset_wanted(): a double click.
        menu_wanted(object): a right click, at this place on the screen (QPoint).
    """

    reset_wanted = Signal()
    menu_wanted = Signal(object)

    def __init__(self, horizontal: bool) -> None:
        super().__init__(
            values=(0.0, 1.0),
            width=BAR_WIDTH,
            rounding=STEP,
            orientation="horizontal" if horizontal else "vertical",
            colorMapMenu=False,
        )
        self._table: LookupTable | None = None
        self.layout.setContentsMargins(0, 0, 0, 0)
        # Numbers and frame are drawn with the key to special values, which pyqtgraph's axes know nothing of.
        for side in ("left", "right", "top", "bottom"):
            self.hideAxis(side)
        self.region.setOpacity(UNSEEN)

    def place(self, rect: QRectF) -> None:
        """Stand there, in the scene's coordinates."""
        if self.geometry() != rect:
            self.setGeometry(rect)

    def show_scale(self, shown: Shown) -> None:
        """Show the colours and the levels of what is painted; dragged levels stay as they are under the hand."""
        texts, levels = shown.texts, shown.painted.levels
        if shown.table is not self._table:
            self._table = shown.table
            self._colorMap = pg.ColorMap(None, shown.table.rgba[: colors.STEPS])
            self.bar.setPixmap(QPixmap.fromImage(_ramp(shown.table.argb, self.horizontal)))
            length = 256 / colors.STEPS  # the bar is 256 units long, whatever its colours
            scaled = QTransform.fromScale(length, 1) if self.horizontal else QTransform(1, 0, 0, -length, 0, 256)
            self.bar.setTransform(scaled)
            for line in self.region.lines:
                line.setPen(pg.mkPen(texts.theme.text, width=2))
                line.setHoverPen(pg.mkPen(texts.theme.accent, width=2))
            self.region.setHoverBrush(pg.mkBrush(None))
        if levels != tuple(self.levels()) and not self.dragged:
            self.rounding = max((levels[1] - levels[0]) * STEP, 1e-300)
            self.setLevels(levels, update_items=False)
            low, high = levels
            ticks = ticks_of(shown.painted.scale, levels)
            self.axis.setTicks([[(low + place * (high - low), word) for place, word in ticks]])

    @property
    def dragged(self) -> bool:
        """Whether its levels are being dragged right now."""
        return self.region.moving or any(line.moving for line in self.region.lines)

    # -- pyqtgraph

    def hoverEvent(self, event: pg.GraphicsScene.mouseEvents.HoverEvent) -> None:
        self.region.setOpacity(UNSEEN if event.isExit() else 1.0)

    def mouseClickEvent(self, event: pg.GraphicsScene.mouseEvents.MouseClickEvent) -> None:
        event.accept()
        if event.button() == Qt.MouseButton.RightButton:
            self.menu_wanted.emit(event.screenPos().toPoint())
        elif event.double():
            self.reset_wanted.emit()


class BarNotes(Layer):
    """The numbers at the bar, the value pointed at, what is not plain about the scale, and a key to NaN and Inf.

    Attributes:
        by_hand: whether the levels were dragged.
    """

    def __init__(self, depth: float) -> None:
        super().__init__(depth)
        self.by_hand = False
        self._drawn: object = None

    def area(self, shown: Shown) -> QRectF:
        return shown.layout.bar_room.adjusted(-POINTER - 1, -POINTER - 1, LABEL_GAP, LABEL_GAP)

    def differ(self, shown: Shown) -> bool:
        """Whether there is something else to draw than before: most edits leave the bar alone."""
        painted, cell = shown.painted, shown.marks.pointed
        pointed = None if cell is None else int(painted.indices[cell])
        what = (painted.scale, painted.levels, painted.special, self.by_hand, pointed, shown.layout, shown.texts)
        before, self._drawn = self._drawn, what
        return what != before

    def lines(self, shown: Shown) -> list[tuple[QColor | None, str]]:
        """What is said below the bar: a colour and its word, or a word."""
        words = (*shown.painted.scale.words(), *(("by hand",) if self.by_hand else ()))
        argb = shown.table.argb
        key = [(QColor.fromRgb(argb[index]), SPECIAL_WORDS[index]) for index in shown.painted.special]
        return [*key, *((None, word) for word in words)]

    def bar(self, shown: Shown) -> QRectF:
        """The bar without the room that the lines below (or behind) it take."""
        layout, line, texts = shown.layout, shown.texts.small_height, self.lines(shown)
        bar = QRectF(layout.bar)
        if texts and layout.bar_below:
            bar.setWidth(max(bar.width() - sum(_width(shown.texts, word) for _, word in texts), 2 * line))
        elif texts:
            bar.setHeight(max(bar.height() - len(texts) * (line + 2) - 4, 2 * line))
        return bar

    def draw(self, painter: QPainter, shown: Shown) -> None:
        bar, texts, below = self.bar(shown), shown.texts, shown.layout.bar_below
        painter.drawImage(bar, _ramp(shown.table.argb, below))
        painter.setFont(texts.small_font)
        painter.setPen(texts.color(texts.theme.rule))
        painter.drawRect(bar)
        painter.setPen(texts.color(texts.theme.muted_text))
        self._numbers(painter, shown, bar)
        x, y = (bar.right() + 2 * LABEL_GAP, bar.top()) if below else (bar.left(), bar.bottom() + 4)
        for color, word in self.lines(shown):
            box, side = texts.box(word, "small", texts.small_font), min(BAR_WIDTH, texts.small_height - 2)
            if color is not None:
                painter.fillRect(QRectF(x, y + (texts.small_height - side) / 2, side, side), color)
            start = x + side + LABEL_GAP if color is not None else x
            painter.drawStaticText(QPointF(start, y), box.static)
            x, y = (x + _width(texts, word), y) if below else (x, y + texts.small_height + 2)
        self._pointer(painter, shown, bar)

    def _numbers(self, painter: QPainter, shown: Shown, bar: QRectF) -> None:
        """The numbers at both ends and, where there is room, between them."""
        texts, below = shown.texts, shown.layout.bar_below
        ticks = ticks_of(shown.painted.scale, shown.painted.levels)
        boxes = [texts.box(word, "small", texts.small_font) for _, word in ticks]
        line = texts.small_height
        taken: list[tuple[float, float]] = []
        for i in sorted(range(len(ticks)), key=lambda i: abs(ticks[i][0] - 0.5), reverse=True):  # the ends first
            size = 2 * boxes[i].half_width if below else line
            length = bar.width() if below else bar.height()
            start = ticks[i][0] * (length - size)
            room = (start - LABEL_GAP, start + size + LABEL_GAP) if below else (start, start + size)
            if any(room[0] < end and begin < room[1] for begin, end in taken):
                continue
            taken.append(room)
            if below:
                painter.drawStaticText(QPointF(bar.left() + start, bar.bottom() + 1), boxes[i].static)
            else:
                at = QPointF(bar.right() + LABEL_GAP, bar.bottom() - start - size + 1)
                painter.drawStaticText(at, boxes[i].static)

    def _pointer(self, painter: QPainter, shown: Shown, bar: QRectF) -> None:
        """A small arrow at the colour of the cell pointed at."""
        cell = shown.marks.pointed
        if cell is None or shown.painted.indices[cell] >= colors.STEPS:
            return
        level = float(shown.painted.indices[cell]) / (colors.STEPS - 1)
        below = shown.layout.bar_below
        if below:
            tip = QPointF(bar.left() + level * bar.width(), bar.top() - 1)
        else:
            tip = QPointF(bar.left() - 1, bar.bottom() - level * bar.height())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(shown.texts.color(shown.texts.theme.text))
        painter.translate(tip)
        painter.rotate(90 if below else 0)
        painter.drawPolygon(QPolygonF([QPointF(1 - POINTER, -4), QPointF(0, 0), QPointF(1 - POINTER, 4)]))


@lru_cache(maxsize=16)
def _ramp(argb: tuple[int, ...], level: bool) -> QImage:
    """The colours of a scale from its lower end to the right, or from its upper end down."""
    entries = np.arange(colors.STEPS, dtype=np.uint8)
    return indexed_image(entries[None] if level else entries[::-1, None], argb)


def ticks_of(scale: Scale, levels: tuple[float, float]) -> list[tuple[float, str]]:
    """(place from 0 to 1, word) of what is said at the bar."""
    low, high = levels
    if scale.mode == "row":
        ends = ("0", "max") if scale.kind == "sequential" else (MINUS + "max", "max")
        return [(0.0, ends[0]), (1.0, ends[1])] + ([(0.5, "0")] if scale.kind == "diverging" else [])
    if not high > low:
        return [(0.5, short(high))]
    values = [low, high, 0.0 if low < 0 < high else (low + high) / 2]
    if scale.mode == "log":
        values = [low, high, *(end * INNER_TICK for end in (low, high)), *([0.0] if low < 0 < high else [])]
    return [(place_on_scale(value, scale, levels), short(value)) for value in dict.fromkeys(values)]


def _width(texts: TextCache, word: str) -> float:
    """Room for one entry behind a level bar: its colour, its word and gaps."""
    return BAR_WIDTH + 3 * LABEL_GAP + 2 * texts.box(word, "small", texts.small_font).half_width
