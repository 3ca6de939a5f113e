"""The picture part of the mosaic: every head's pattern as a tile of one image of pyqtgraph's, between two axes."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QRect, QRectF, QSize, Qt
from PySide6.QtGui import (
    QColor,
    QFontMetricsF,
    QPainter,
    QResizeEvent,
)
from PySide6.QtWidgets import QWidget

from visualizer.engine.head_scores import SCORES
from visualizer.session.words.comparison import ADDED
from visualizer.session.words.numbers import short
from visualizer.ui.heatmap.box import CellBox
from visualizer.ui.heatmap.image import MatrixImage
from visualizer.ui.look.colors import MASKED, lookup_table
from visualizer.ui.look.theme import current_theme, drawn_font
from visualizer.ui.panels.heads.axis import TileAxis
from visualizer.ui.panels.heads.layout import MODEL, ORDERS, ROLE_NAMES, MosaicLayout, arrange, grouped
from visualizer.ui.panels.heads.paint import BAR, Look, Overlay, Placing, ShownMosaic, draw_frames, draw_words
from visualizer.ui.panels.heads.tiles import Heads, tile_indices

EMPTY = "The prompt is empty. Type a few tokens to see what every head attends to."
MARGIN = 4.0
_CENTRED = int(Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap)


class MosaicPicture(pg.GraphicsView):
    """All heads as tiles, in an order; one of them may be chosen. Wheel and drag are pyqtgraph's: zoom and pan."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, background=None)
        self.setCacheMode(pg.GraphicsView.CacheModeFlag.CacheNone)  # a ground of one colour is painted fast enough
        self.viewport().setObjectName("qt_scrollarea_viewport")  # as Qt calls those that it makes itself
        for export in self.scene().contextMenu:  # the window has its own
            export.setParent(None)
        self.scene().contextMenu.clear()
        self.setObjectName("headMosaic")
        self.setAccessibleName("Heads")
        self.setToolTip("The pattern of every head; arrows choose, Esc lets go, the menu key offers to intervene")
        self._heads: Heads | None = None
        self._order, self._message, self._about = MODEL, EMPTY, ""
        self._font = drawn_font(self.font().pointSizeF() * 0.85)
        self._look = Look(0, False, None, False)
        self._layout: MosaicLayout | None = None
        self._image, self._box = MatrixImage(), CellBox()
        self._box.addItem(self._image)
        self._box.sigRangeChanged.connect(self._overlay)
        self._blocks, self._numbers = TileAxis("left", "block"), TileAxis("top", "head")
        self._words, self._frames = Overlay(draw_words), Overlay(draw_frames, beyond=MARGIN)
        for item in (self._box, self._blocks, self._numbers, self._words, self._frames):
            self.addItem(item)
        for axis in (self._blocks, self._numbers):
            axis.linkToView(self._box)
        self.theme_changed()

    # -- what is shown

    @property
    def current(self) -> int:
        """The chosen head, as layer · heads + head."""
        return self._look.current

    def view_box(self) -> pg.ViewBox:
        """The window onto the tiles."""
        return self._box

    def image_item(self) -> pg.ImageItem:
        """The one picture of all tiles."""
        return self._image

    def set_heads(self, heads: Heads | None, order: str, message: str = EMPTY, about: str = "") -> None:
        """Show these heads in one of ORDERS, or without any a sentence in their place.

        `about` says for a picture's caption which model and text they are of.
        """
        before, self._heads, self._order = self._heads, heads, order
        self._message, self._about = message, about
        self._look = replace(self._look, hovered=None)
        self._lay_out()
        if before is None or heads is None or before.trace.parameters.config != heads.trace.parameters.config:
            self.fit()  # another model
        self._describe()

    def set_current(self, head: int, held: bool) -> None:
        """Which head the other panels show, and whether it is framed as chosen."""
        self._set_look(replace(self._look, current=head, held=held))
        self._describe()

    def layout_now(self) -> MosaicLayout | None:
        """Where every head lies, in cells of the picture; None without heads."""
        return self._layout

    def tile_rect(self, head: int) -> QRectF:
        """Where a head's tile is seen, in logical pixels. Raises KeyError for a head that is not there."""
        assert self._layout is not None
        return self._placing().rect(self._layout.rect(head))

    def order_shown(self) -> list[int]:
        """The heads in the order in which they lie."""
        return [] if self._layout is None else list(self._layout.places)

    def axis_numbers(self) -> tuple[list[str], list[str]]:
        """What the axes say now: blocks and heads; nothing where the heads do not lie as in the model."""
        axes = (self._blocks, self._numbers)
        return tuple(axis.numbers() if axis.isVisible() else [] for axis in axes)  # type: ignore[return-value]

    def fit(self) -> None:
        """Show all tiles."""
        self._box.fit()

    @property
    def zoomed(self) -> float:
        """How many times the tiles are enlarged; 1 shows all."""
        return min(self._box.factors()) if self._layout is not None else 1.0

    def zoom_by(self, factor: float) -> None:
        """Enlarge the tiles around the chosen head."""
        if self._layout is not None:
            middle = self._layout.rect(self.current).center()
            self._box.zoom(factor, middle.x(), middle.y())

    def bring_into_view(self, head: int) -> None:
        """Move so far that a head's tile is in sight."""
        if self._layout is None or head not in self._layout.places:
            return
        rect, (across, down) = self._layout.rect(head), self._box.viewRange()
        margin = self._layout.gap
        for low, high, (first, last), move in (
            (rect.left() - margin, rect.right() + margin, across, "x"),
            (rect.top() - margin, rect.bottom() + margin, down, "y"),
        ):
            step = min(low - first, 0.0) or max(high - last, 0.0)
            if step:
                self._box.translateBy(**{move: step})

    def _lay_out(self) -> None:
        """Place box and axes in the widget, and make the picture, in which tiles lie as the order has it."""
        heads, by_model = self._heads, self._order == MODEL
        for item in (self._box, self._blocks, self._numbers):
            item.setVisible(heads is not None and (by_model or item is self._box))
        if heads is None:
            self._layout = None
            self._image.clear()
            self._overlay()
            self.viewport().update()
            return
        layers, per_layer = heads.shape
        line = QFontMetricsF(self._font).height()
        self._blocks.set_count(layers)
        self._numbers.set_count(per_layer)
        left, top = (self._blocks.maximumWidth(), self._numbers.maximumHeight()) if by_model else (MARGIN, MARGIN)
        width, height = max(self.width() - left - MARGIN, 1.0), max(self.height() - top - MARGIN, 1.0)
        groups, cells = grouped(heads, self._order), heads.tiles.shape[-1]
        if by_model:
            layout = arrange(width, height, groups, per_layer, cells=cells)
        else:
            layout = arrange(width, height, groups, None, cells=cells, caption=line + BAR + 3, heading=line + 6)
            widest = QFontMetricsF(self._font).horizontalAdvance(f"{layers - 1}.{per_layer - 1}")
            if layout.side * min(width / layout.width, height / layout.height) < widest:  # names would not fit
                layout = arrange(width, height, groups, None, cells=cells, caption=BAR + 2, heading=line + 6)
        scale = min(width / layout.width, height / layout.height)
        area = QRectF(0, 0, layout.width * scale, layout.height * scale)
        area.moveTo(round(left + (width - area.width()) / 2), round(top + (height - area.height()) / 2))
        if (layout, area) != (self._layout, self._box.geometry()):
            self._layout = layout
            self._box.setGeometry(area)
            self._box.set_shape(layout.height, layout.width)
            if by_model:
                self._blocks.set_middles([layout.rect(layer * per_layer).center().y() for layer in range(layers)])
                self._numbers.set_middles([layout.rect(head).center().x() for head in range(per_layer)])
            self._blocks.setGeometry(QRectF(area.left() - left, area.top(), left, area.height()))
            self._numbers.setGeometry(QRectF(area.left(), area.top() - top, area.width(), top))
        self._paste(heads, layout)
        self._overlay()

    def _paste(self, heads: Heads, layout: MosaicLayout) -> None:
        """Make one picture of all tiles."""
        tiles = tile_indices(heads)
        if layout.repeat > 1:
            tiles = tiles.repeat(layout.repeat, axis=1).repeat(layout.repeat, axis=2)
        canvas = np.full((layout.height, layout.width), MASKED, dtype=np.uint8)
        for head in layout.places:
            x, y = layout.corner(head)
            canvas[y : y + layout.side, x : x + layout.side] = tiles[head]
        table = lookup_table(heads.kind, current_theme())
        self._image.show_matrix(canvas, canvas, table, heads.kind, (0.0, float(MASKED)))

    def _placing(self) -> Placing:
        (left, right), (top, bottom) = self._box.viewRange()
        area = self._box.geometry()
        return Placing(area, left, top, (area.width() / (right - left), area.height() / (bottom - top)))

    def _overlay(self) -> None:
        """Paint words and frames where the tiles are now."""
        shown = None
        if self._heads is not None and self._layout is not None:
            shown = ShownMosaic(self._heads, self._order, self._layout, self._placing(), self._look, self._font)
        self._words.show_it(shown)
        self._frames.show_it(shown)

    def _set_look(self, look: Look) -> None:
        if look != self._look:
            self._look = look
            if self._layout is not None and self._heads is not None:
                self._frames.show_it(
                    ShownMosaic(self._heads, self._order, self._layout, self._placing(), look, self._font)
                )

    # -- as a picture

    def paint_picture(self, painter: QPainter, target: QRectF) -> None:
        """Draw all tiles with their axes into a rectangle, without focus, mouse and zoom."""
        look, (across, down) = self._look, self._box.viewRange()
        self._set_look(replace(look, hovered=None, focused=False))
        self._box.fit()
        painter.fillRect(target, QColor(current_theme().panel))
        self.scene().prepareForPaint()
        self.scene().render(painter, target, QRectF(self.viewport().rect()))
        self._box.setRange(xRange=across, yRange=down, padding=0)
        self._set_look(look)

    def picture_caption(self) -> str:
        """Model and text, what is shown of how many heads, in which order, on which scale; empty without heads."""
        heads = self._heads
        if heads is None:
            return ""
        layers, per_layer = heads.shape
        limit = short(heads.limit)
        ends = f"−{limit} to {limit}" if heads.signed else "0 to 1"
        order = "" if self._order == MODEL else f" · sorted by: {ORDERS[self._order].lower()}"
        shape = f"pattern{ADDED[heads.comparison]} of {layers} × {per_layer} heads"
        return f"{self._about} · {shape}, queries down, keys across{order} · colours from {ends}"

    # -- words

    def readout(self, head: int) -> str:
        """A head in words: where it is, what it mainly does, and its scores."""
        heads = self._heads
        if heads is None:
            return ""
        layer, number = divmod(head, heads.shape[1])
        role = heads.role(head)
        what = "nothing clear" if role is None else f"mainly {ROLE_NAMES[role.name][0]}"
        if head in heads.intervened:
            what += f"; {heads.intervened[head]} by an intervention"
        scores = (
            f"{ROLE_NAMES[name][0]} {'undefined' if math.isnan(score) else short(score)}"
            for name in SCORES
            for score in [float(heads.scores[name][layer, number])]
        )
        return f"block {layer}, head {number}: {what}\n" + "\n".join(scores)

    def _describe(self) -> None:
        if self._heads is None:
            self.setAccessibleDescription(self._message)
        else:
            self.setAccessibleDescription(self.readout(self.current).replace("\n", "; "))

    # -- Qt

    def theme_changed(self) -> None:
        """Paint in the colours of the theme."""
        self._font = drawn_font(self.font().pointSizeF() * 0.85)
        self.setBackground(QColor(current_theme().panel))
        for axis in (self._blocks, self._numbers):
            axis.set_look(self._font)
        self._lay_out()

    def sizeHint(self) -> QSize:
        return QSize(480, 320)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event is not None:  # pyqtgraph's own call, before there are any tiles
            self._lay_out()

    def drawForeground(self, painter: QPainter, rect: QRectF | QRect) -> None:
        if self._heads is None:
            painter.setPen(QColor(current_theme().muted_text))
            painter.drawText(QRectF(self.viewport().rect()).adjusted(8, 8, -8, -8), _CENTRED, self._message)

    def close(self) -> bool:
        """Hide it; pyqtgraph would empty the scene, and there would be nothing to show again."""
        return QWidget.close(self)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self.theme_changed()
