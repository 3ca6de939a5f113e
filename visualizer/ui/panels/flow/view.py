"""The picture of the whole pass on pyqtgraph: a view box with a matrix item for every matrix, between two layers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from time import perf_counter

import pyqtgraph
from PySide6.QtCore import QEvent, QPointF, QRectF, QTimer, Signal
from PySide6.QtGui import QPainter, QResizeEvent
from PySide6.QtWidgets import QWidget

from visualizer.session.analysis.landscape.layout import lay_out
from visualizer.session.analysis.landscape.shapes import Box, Landscape, Sheet
from visualizer.session.analysis.stations import Station
from visualizer.ui.look.theme import current_theme
from visualizer.ui.panels.flow.box import PassBox, ViewLayer
from visualizer.ui.panels.flow.content import FlowContent
from visualizer.ui.panels.flow.items import MatrixItem
from visualizer.ui.panels.flow.legend import legend_height
from visualizer.ui.panels.flow.marks import Cell, PassMarks
from visualizer.ui.panels.flow.paper import LABEL, Camera, Texts
from visualizer.ui.panels.flow.pictures import Picture, picture_of, picture_of_heads
from visualizer.ui.panels.flow.scenery import Scenery

MAKING_SECONDS = 0.008  # for making large pictures at a time; what is left over follows
NEAREST_CELL, LEAST_NEAREST = 64.0, 12.0
Key = tuple[str, str]


class FlowView(pyqtgraph.GraphicsView):
    """The picture, without mouse and keyboard.

    Attributes:
        landscape: where everything lies.
        box: the view box; its units are those of the landscape.
        opened: the blocks that are shown open.

    Signals:
        laid_out(): everything lies elsewhere, so that marks have to be found anew.
        zoom_changed(): another part of it is in sight.
    """

    laid_out = Signal()
    zoom_changed = Signal()

    _ready = False  # the base class sends events before this class is there

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, background=current_theme().panel)
        self.landscape = Landscape()
        self.box = PassBox()
        self.setCentralItem(self.box)
        for export in self.scene().contextMenu:  # ours makes a drawing of all of it, whatever is in sight
            export.setParent(None)
        self.scene().contextMenu.clear()
        self.cursor_at: tuple[int, Cell] | None = None
        self.fitted = True
        self.content: FlowContent | None = None
        self._message = ""
        self._stations: Sequence[Station] = ()
        self.opened: frozenset[int] = frozenset()
        self._scenery = Scenery()
        self._texts: Texts | None = None
        self._items: dict[Key, MatrixItem] = {}
        self._ground = ViewLayer(lambda paper: self._scenery.ground(paper, self._message), self.texts)
        self._over = ViewLayer(
            lambda paper: self._scenery.over(paper, self.cursor_at if self.hasFocus() else None), self.texts
        )
        for layer, z in ((self._ground, -10), (self._over, 10)):
            layer.setZValue(z)
            self.box.addItem(layer, ignoreBounds=True)
        self._waiting: list[MatrixItem] = []
        self._later = QTimer(self, singleShot=True, interval=0)
        self._later.timeout.connect(self._make_pictures)
        self.box.sigRangeChangedManually.connect(self._moved_by_hand)
        self.box.sigRangeChanged.connect(lambda *_: self.zoom_changed.emit())
        self._ready = True

    # -- what is shown

    def show_pass(self, content: FlowContent, stations: Sequence[Station], opened: frozenset[int]) -> None:
        """Show the numbers of a pass; it is laid out anew where its stations or open blocks are others."""
        tokens = self.landscape.count if self.content is not None else 0
        self.content, self._message = content, ""
        laid_out = (self._stations, self.opened, tokens)
        self._stations, self.opened = stations, opened
        if laid_out != (stations, opened, len(content.tokens)):
            self.lay_out()
        else:
            self._fill()

    def show_nothing(self, message: str = "") -> None:
        """Let go of the numbers; a message says what is missing, and what to do next."""
        self.content, self._message, self._stations = None, message, ()
        self.cursor_at = None
        self._put(Landscape())

    def set_marks(self, marks: PassMarks) -> None:
        """Mark what is chosen, hovered, read from."""
        if marks != self._scenery.marks:
            self._scenery.mark(marks)
            self._ground.update()
            self._over.update()

    @property
    def pictures(self) -> Mapping[Key, Picture]:
        """The numbers of each matrix by its key, and of the heads."""
        return self._scenery.pictures

    def value(self, index: int, row: int, column: int) -> float | None:
        """The number in a cell of a tile; None where there is none yet."""
        picture = self._scenery.pictures.get(self.landscape.tiles[index].key)
        if picture is None or row >= picture.values.shape[0] or column >= picture.values.shape[1]:
            return None
        return float(picture.values[row, column])

    def texts(self) -> Texts:
        """Fonts and colours of the present theme."""
        theme = current_theme()
        if self._texts is None or self._texts.theme is not theme:
            self._texts = Texts(theme, self.font())
        return self._texts

    # -- where it lies

    def lay_out(self) -> None:
        """Lay out the picture for the size of the view; the cursor stays on its matrix where there still is one."""
        if self.content is None:
            return
        before = self.landscape.tiles[self.cursor_at[0]].key if self.cursor_at is not None else None
        self._put(lay_out(self._stations, self._sheet(float(self.width()), float(self.height())), self.opened))
        index = self.landscape.tile_of(before)
        if index is None or self.cursor_at is None:
            self.cursor_at = None
        else:
            size = self.landscape.tiles[index].matrix.size
            self.cursor_at = (index, (min(self.cursor_at[1][0], size[0] - 1), min(self.cursor_at[1][1], size[1] - 1)))
        if self.fitted:
            self.fit()
        self.laid_out.emit()

    def _sheet(self, width: float, height: float) -> Sheet:
        assert self.content is not None
        texts, labels = self.texts(), [text for text, _ in self.content.tokens]
        prompt = max((texts.width(text, LABEL) for text in set(labels)), default=0.0) + 12
        prediction = max((texts.width(text.rstrip("₀₁₂₃₄₅₆₇₈₉"), LABEL) for text in set(labels)), default=0.0)
        return Sheet(width, height, len(labels), prompt, prediction + texts.width(" 0.0000", LABEL) + 8)

    def _put(self, landscape: Landscape) -> None:
        self.landscape = landscape
        self._scenery.lay_out(landscape)
        for layer in (self._ground, self._over):
            layer.cover(landscape.bounds)
        places = {tile.key: tile.box for tile in landscape.tiles} | {heads.key: heads.box for heads in landscape.heads}
        for key in self._items.keys() - places.keys():
            self.box.removeItem(self._items.pop(key))
        for key, box in places.items():
            if key not in self._items:
                item = self._items[key] = MatrixItem(self._make_later)
                self.box.addItem(item, ignoreBounds=True)
            self._items[key].place(QRectF(box.left, box.top, box.width, box.height))
        self.box.hold(landscape.bounds, _nearest(landscape))
        self._fill()

    def _fill(self) -> None:
        """Give every matrix its numbers; those that are the same keep their picture."""
        content, known = self.content, self._scenery.pictures
        pictures: dict[Key, Picture] = {}
        if content is not None:
            for tile in self.landscape.tiles:
                pictures[tile.key] = picture_of(tile, content.values, known.get(tile.key))
            for heads in self.landscape.heads:
                pictures[heads.key] = picture_of_heads(heads, content.values, known.get(heads.key))
        self._scenery.fill(content, pictures)
        for key, picture in pictures.items():
            self._items[key].show_picture(picture)
        self._ground.update()
        self._over.update()

    # -- looking

    @property
    def camera(self) -> Camera:
        """How the picture is looked at."""
        return Camera.of(self.box.childTransform())

    @property
    def zoomed(self) -> float:
        """How many times it is enlarged; 1 where all of it is in sight."""
        bounds, seen = self.landscape.bounds, self.box.viewRect()
        near = max(bounds.width / max(seen.width(), 1e-9), bounds.height / max(seen.height(), 1e-9))
        return 1.0 if self.fitted else max(near, 1.0)

    def fit(self) -> None:
        """Show all of it."""
        self.fitted = True
        bounds = self.landscape.bounds
        self.box.setRange(QRectF(bounds.left, bounds.top, bounds.width, bounds.height), padding=0)

    def show_box(self, box: Box, margin: float = 0.08) -> None:
        """Go near enough for a part of the picture to fill the view."""
        self.fitted = False
        camera = self.camera
        ratio = self.width() / max(self.height(), 1) * camera.down / camera.across  # of the units, as they are now
        width = max(box.width, box.height * ratio) * (1 + 2 * margin)
        height = width / ratio
        (x, y) = box.middle
        self.box.setRange(QRectF(x - width / 2, y - height / 2, width, height), padding=0)

    def zoom_by(self, factor: float, around: QPointF | None = None) -> None:
        """Nearer or farther; a point of the view, else its middle or the cursor, stays where it is."""
        self.fitted = False
        camera = self.camera
        if around is None and self.cursor_at is not None:
            around = camera.rect(self.landscape.tiles[self.cursor_at[0]].cell(*self.cursor_at[1])).center()
        if around is None or not QRectF(self.rect()).contains(around):
            around = QPointF(self.width() / 2, self.height() / 2)
        self.box.scaleBy((1 / factor, 1 / factor), center=pyqtgraph.Point(*camera.point(around)))

    def reveal(self, box: Box) -> None:
        """Bring a part of the picture into sight, without another zoom."""
        seen = self.box.viewRect()
        margins = seen.width() * 0.04, seen.height() * 0.04
        dx = _shift(box.left - margins[0], box.right + margins[0], seen.left(), seen.right())
        dy = _shift(box.top - margins[1], box.bottom + margins[1], seen.top(), seen.bottom())
        if dx or dy:
            self.fitted = False
            self.box.translateBy(x=dx, y=dy)

    def _moved_by_hand(self) -> None:
        self.fitted = False

    # -- large pictures, when there is time for them

    def _make_later(self, item: MatrixItem) -> None:
        if item not in self._waiting:
            self._waiting.append(item)
        self._later.start()

    def _make_pictures(self) -> None:
        until = perf_counter() + MAKING_SECONDS
        while self._waiting and perf_counter() < until:
            item = self._waiting.pop(0)
            if item.scene() is not None:
                item.make()
                self._over.update()
        if self._waiting:
            self._later.start()

    # -- pictures for elsewhere

    def paint_picture(self, painter: QPainter, target: QRectF) -> None:
        """Paint all of it into a rectangle of any size, with the legend, without cursor and zoom."""
        if self.content is not None:
            texts = self.texts()
            sheet = self._sheet(target.width(), target.height() - legend_height(texts))
            landscape = lay_out(self._stations, sheet, self.opened)
            self._scenery.whole(painter, target, landscape, self._items, texts)

    def picture_caption(self) -> str:
        """What a picture shows: the prompt, the chosen block and head, and the scales."""
        return self.content.caption() if self.content is not None else ""

    # -- Qt

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self._ready and self.fitted:
            self.lay_out()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.PaletteChange, QEvent.Type.StyleChange):
            self._texts = None
            if self._ready:
                self.setBackground(current_theme().panel)
                self.lay_out()


def _nearest(landscape: Landscape) -> float:
    """The strongest zoom: the narrowest cell is wide enough for its digits, and more."""
    narrowest = min((t.box.width / max(t.matrix.size[1], 1) for t in landscape.tiles), default=NEAREST_CELL)
    return max(NEAREST_CELL / narrowest, LEAST_NEAREST)


def _shift(first: float, last: float, seen_first: float, seen_last: float) -> float:
    """How far a view has to move for a span to be in it; its beginning, where it is too long."""
    if first < seen_first or last - first > seen_last - seen_first:
        return first - seen_first
    return max(last - seen_last, 0.0)
