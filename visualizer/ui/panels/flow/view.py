"""The picture part of the flow view: what is on the canvas, how near, what is marked, and drawing what is in sight."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, QTimer
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QWidget

from visualizer.ui.look.theme import current_theme
from visualizer.ui.panels.flow.camera import (
    BORDER,
    FARTHEST,
    Camera,
    fitting,
    fitting_width,
    nearest_scale,
    revealing,
)
from visualizer.ui.panels.flow.content import FlowContent
from visualizer.ui.panels.flow.gallery import Gallery
from visualizer.ui.panels.flow.layout import Scene, Tile
from visualizer.ui.panels.flow.paint import Cell, TileMarks
from visualizer.ui.panels.flow.picture import Picture
from visualizer.ui.panels.flow.scene_paint import ScenePainter, View

PAINT_SECONDS = 0.008  # for making pictures in one repaint; what is left over follows in the next
LARGEST_FIT = 1.4


class FlowView(QAbstractScrollArea):
    """A canvas of matrices, without mouse and keyboard.

    Attributes:
        scene: where everything lies.
        camera: how it is looked at.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.scene = Scene()
        self.camera = Camera()
        self.cursor_at: tuple[int, Cell] | None = None
        self._content: FlowContent | None = None
        self._message = ""
        self._marks: Mapping[int, TileMarks] = {}
        self._gallery = Gallery()
        self._painter: ScenePainter | None = None
        self._fit: Callable[[], Camera] | None = None
        self._syncing = False
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.timeout.connect(self._make_pictures)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
        self.viewport().setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)

    # -- what is shown

    def set_scene(self, scene: Scene) -> None:
        """Show another canvas; the cursor stays on its matrix where there still is one."""
        key = self.scene.tiles[self.cursor_at[0]].key if self.cursor_at is not None else None
        cell = self.cursor_at[1] if self.cursor_at is not None else (0, 0)
        self.scene, self._marks = scene, {}
        index = scene.index(key)
        self.cursor_at = None
        if index is not None:
            rows, columns = scene.tiles[index].matrix.size
            if rows and columns:
                self.cursor_at = (index, (min(cell[0], rows - 1), min(cell[1], columns - 1)))
        self._look(self._fit() if self._fit is not None else self.camera)

    def set_content(self, content: FlowContent | None) -> None:
        """Show other numbers on the same canvas; None while they are to come."""
        self._content, self._message = content, ""
        if content is None:
            self._gallery.clear()
        self.viewport().update()

    def set_marks(self, marks: Mapping[int, TileMarks]) -> None:
        """Mark cells, by the index of their tile."""
        if marks != self._marks:
            self._marks = marks
            self.viewport().update()

    def set_empty(self, message: str) -> None:
        """Show no canvas but a sentence: what is missing, and what to do next."""
        self.scene, self._content, self._message, self._marks = Scene(), None, message, {}
        self.cursor_at = None
        self._gallery.clear()
        self._sync_bars()
        self.viewport().update()

    def value(self, tile: Tile, row: int, column: int) -> float | None:
        """The number shown in a cell; None where it has not been made."""
        picture = self._picture(tile, float("inf"))
        inside = picture is not None and row < picture.values.shape[0] and column < picture.values.shape[1]
        return float(picture.values[row, column]) if picture is not None and inside else None

    # -- how near

    def fit_block(self, block: int) -> None:
        """Show a block in its whole width, from its top on; the first with what precedes it."""
        self._fit_to(lambda: fitting_width(self._column(block), self._width(), LARGEST_FIT))

    def bring_block(self, block: int) -> None:
        """Show a block as `fit_block` does, unless it is in sight already."""
        frame = self.scene.frame_of_block(block)
        seen = self.camera.seen(self._width(), self._height())
        if not seen.left() <= frame.center().x() <= seen.right() or not seen.intersects(frame):
            self.fit_block(block)

    def fit_stack(self) -> None:
        """Show the whole stack."""
        self._fit_to(lambda: fitting(self.scene.bounds, self._width(), self._height(), LARGEST_FIT))

    def show_rect(self, rect: QRectF) -> None:
        """Show a part of the canvas as large as it fits."""
        self._fit = None
        nearest = self._nearest(rect.center())
        self._look(fitting(rect, self._width(), self._height(), nearest))

    def zoom_by(self, factor: float, around: QPointF | None = None) -> None:
        """Zoom in (`factor` above 1) or out; the spot under a point of the view, or the cursor or middle, stays."""
        if not self.scene.tiles:
            return
        if around is None:
            around = QPointF(self._width() / 2, self._height() / 2)
            if self.cursor_at is not None:
                tile = self.scene.tiles[self.cursor_at[0]]
                place = self.camera.point(tile.cell_rect(*self.cursor_at[1]).center())
                if QRectF(self.viewport().rect()).contains(place):
                    around = place
        farthest = fitting(self.scene.bounds, self._width(), self._height(), LARGEST_FIT).scale * FARTHEST
        scale = min(max(self.camera.scale * factor, farthest), self._nearest(self.camera.canvas(around)))
        self._fit = None
        self._look(self.camera.zoomed(scale, around))

    def scroll_by(self, dx: float, dy: float) -> None:
        """Move the canvas by so many logical pixels to the right and down."""
        camera = self.camera
        self._fit = None
        self._look(Camera(camera.scale, camera.x - dx / camera.scale, camera.y - dy / camera.scale))

    def reveal(self, rect: QRectF) -> None:
        """Bring a part of the canvas into sight with the least movement."""
        camera = revealing(self.camera, rect, self._width(), self._height())
        if camera != self.camera:
            self._fit = None
            self._look(camera)

    # -- inside

    def _fit_to(self, fit: Callable[[], Camera]) -> None:
        self._fit = fit
        self._look(fit())

    def _look(self, camera: Camera) -> None:
        if self.scene.tiles:
            self.camera = camera.within(self.scene.bounds, self._width(), self._height())
        self._sync_bars()
        self.viewport().update()

    def _column(self, block: int) -> QRectF:
        """A block, and what precedes it in the same column."""
        frame = self.scene.frame_of_block(block)
        above = (other for other in self.scene.frames if other.left() == frame.left() and other.top() < frame.top())
        for other in above:
            frame = frame.united(other)
        return frame

    def _nearest(self, point: QPointF) -> float:
        """The zoom at which the cells of the tile nearest to a point are as large as they get."""
        index = self.scene.nearest(point)
        if index is None:
            return 1.0
        return max(nearest_scale(self.scene.tiles[index]), LARGEST_FIT)

    def _width(self) -> float:
        return float(max(self.viewport().width(), 1))

    def _height(self) -> float:
        return float(max(self.viewport().height(), 1))

    def _sees(self, tile: Tile) -> bool:
        return tile.slot.intersects(self.camera.seen(self._width(), self._height()))

    def _make_pictures(self) -> None:
        """Make pictures that had to wait, for a moment, and show them; painting asks for more until all are there."""
        until = time.perf_counter() + PAINT_SECONDS
        for tile in self.scene.tiles:
            if self._sees(tile):
                self._picture(tile, until)
                if time.perf_counter() > until:
                    break
        self.viewport().update()

    def _sync_bars(self) -> None:
        """Let the scroll bars follow the camera."""
        camera, bounds = self.camera, self.scene.bounds
        border = BORDER / camera.scale
        self._syncing = True
        for bar, start, low, length, page in (
            (self.horizontalScrollBar(), camera.x, bounds.left(), bounds.width(), self._width()),
            (self.verticalScrollBar(), camera.y, bounds.top(), bounds.height(), self._height()),
        ):
            whole = (length + 2 * border) * camera.scale
            bar.setRange(0, max(0, round(whole - page)) if self.scene.tiles else 0)
            bar.setPageStep(round(page))
            bar.setSingleStep(40)
            bar.setValue(round((start - low + border) * camera.scale))
        self._syncing = False

    def _picture(self, tile: Tile, until: float) -> Picture | None:
        if self._content is None:
            return None
        picture, fresh = self._gallery.picture(tile, self._content.values, until)
        if not fresh:
            self._later.start(0)
        return picture

    # -- Qt

    def paintEvent(self, event: QPaintEvent) -> None:
        until = time.perf_counter() + PAINT_SECONDS
        view = View(
            self.scene,
            self.camera,
            QRectF(self.viewport().rect()),
            self._content,
            self._marks,
            self.cursor_at if self.hasFocus() else None,
            self.devicePixelRatioF(),
            until,
            lambda tile: self._picture(tile, until),
        )
        if self._painter is None or self._painter.theme is not current_theme():
            self._painter = ScenePainter(current_theme(), self.font())
        painter = QPainter(self.viewport())
        if self._content is None:
            self._painter.message(painter, view.rect, self._message)
        else:
            whole = self._painter.paint(painter, view, self._content)
            self._gallery.trim({tile.key for tile in self.scene.tiles if self._sees(tile)})
            if not whole:
                self._later.start(0)
        painter.end()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._look(self._fit() if self._fit is not None and self.scene.tiles else self.camera)

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        if not self._syncing and self.scene.tiles:
            self.scroll_by(float(dx), float(dy))

    def changeEvent(self, event: QEvent) -> None:
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.PaletteChange, QEvent.Type.StyleChange):
            self._painter = None
            self.viewport().update()
        super().changeEvent(event)
