"""Painting the canvas of the flow view: wires, tiles near and far, titles of the sections."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFont, QPainter, QPen, QPolygonF, QTransform

from visualizer.ui.look.theme import Theme
from visualizer.ui.panels.flow.camera import Camera, window_onto
from visualizer.ui.panels.flow.content import FlowContent
from visualizer.ui.panels.flow.layout import Scene, Tile
from visualizer.ui.panels.flow.paint import Cell, CellPainter, TileMarks
from visualizer.ui.panels.flow.picture import Picture, stride_for, stride_of_one_block
from visualizer.ui.panels.flow.words import WordPainter

ARROWS_FROM = 0.25  # zoom
FAR = 0.3  # zoom below which matrices are thumbnails without words
NO_MARKS = TileMarks()


@dataclass(frozen=True)
class View:
    """What is to be painted: the canvas, how it is looked at, and what is marked.

    Attributes:
        rect: the widget's, in logical pixels.
        cursor: tile and cell of the keyboard's cursor; None while the keyboard is elsewhere.
        until: when time for making pictures runs out (perf_counter).
        picture: a tile's picture; None while it has none.
    """

    scene: Scene
    camera: Camera
    rect: QRectF
    content: FlowContent | None
    marks: Mapping[int, TileMarks]
    cursor: tuple[int, Cell] | None
    pixel_ratio: float
    until: float
    picture: Callable[[Tile], Picture | None]

    def marks_of(self, index: int) -> TileMarks:
        """The marks of a tile, with the cursor where it is there."""
        marks = self.marks.get(index, NO_MARKS)
        if self.cursor is not None and self.cursor[0] == index:
            marks = replace(marks, cursor=self.cursor[1])
        return marks


class ScenePainter:
    """Draws the canvas in one theme with one font; made anew when either changes."""

    def __init__(self, theme: Theme, font: QFont) -> None:
        self.theme = theme
        self._cells = CellPainter(theme, font)
        self._texts = self._cells.texts
        self._words = WordPainter(self._texts, font)

    def message(self, painter: QPainter, rect: QRectF, message: str) -> None:
        """The text of the empty state, in the middle."""
        painter.fillRect(rect, self._texts.color(self.theme.panel))
        painter.setFont(self._texts.axis_font)
        painter.setPen(self._texts.color(self.theme.muted_text))
        flags = int(Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap)
        painter.drawText(rect.adjusted(12, 12, -12, -12), flags, message)

    def paint(self, painter: QPainter, view: View, content: FlowContent) -> bool:
        """Everything in sight; False where a part of a picture had to wait."""
        painter.fillRect(view.rect, self._texts.color(self.theme.panel))
        scene, camera = view.scene, view.camera
        seen = camera.seen(view.rect.width(), view.rect.height())
        far, whole = camera.scale < FAR, True
        if not far:
            self._prepare(view, seen)
        self._wires(painter, view, seen, far)
        for i, tile in enumerate(scene.tiles):
            if not tile.slot.intersects(seen):
                continue
            if far:
                self._thumbnail(painter, view, i)
            elif not self._tile(painter, view, content, i):
                whole = False
        several = len({section.block for section in scene.sections} - {None}) > 1
        for section, frame in zip(scene.sections, scene.frames, strict=True):
            if frame.intersects(seen):
                chosen = several and section.block == content.block
                self._words.section(painter, camera.rect(frame), section.title, camera.scale, chosen)
        self._caption(painter, view, content)
        return whole

    def _prepare(self, view: View, seen: QRectF) -> None:
        """Make pictures for as long as there is time. Before the painting: that alone can take longer."""
        for tile in view.scene.tiles:
            if time.perf_counter() > view.until:
                return
            window = window_onto(tile, view.camera, view.rect) if tile.slot.intersects(seen) else None
            picture = view.picture(tile) if window is not None else None
            if window is not None and picture is not None:
                self._cells.prepare(picture, window, view.pixel_ratio, view.until)

    def _tile(self, painter: QPainter, view: View, content: FlowContent, index: int) -> bool:
        """A matrix with its words; whether all of the picture was there."""
        words, tile, camera = self._words, view.scene.tiles[index], view.camera
        window = window_onto(tile, camera, view.rect)
        rows_fit, columns_fit = (False, False) if window is None else words.labels_fit(window)
        words.heading(
            painter, camera.rect(tile.rect), tile, content.heading(tile), camera.scale, view.rect, columns_fit
        )
        if window is None:
            return True
        picture = view.picture(tile)
        if picture is None:
            painter.fillRect(window.clip, self._texts.color(self.theme.rule))
            return True
        whole = self._cells.paint(painter, picture, window, view.pixel_ratio)
        marks = view.marks_of(index)
        if marks != NO_MARKS:
            self._cells.frames(painter, window, tile.matrix.size[1], marks)
        row, column = marks.cell if marks.cell is not None else (marks.row, None)
        pointed = marks.hovered or marks.cursor or (None, None)
        if rows_fit:
            words.row_labels(painter, window, content.row_label(tile), row, pointed[0], view.rect)
        if columns_fit:
            words.column_labels(painter, window, content.column_label(tile), column, pointed[1], view.rect)
        if tile.matrix.bands:
            words.bands(painter, window, tile.matrix.bands, columns_fit)
        return whole

    def _thumbnail(self, painter: QPainter, view: View, index: int) -> None:
        """A matrix from afar: its picture, and a line or frame for what is chosen in it."""
        tile, color = view.scene.tiles[index], self._texts.color
        rect = view.camera.rect(tile.rect)
        rect.setHeight(max(rect.height(), 1.0))
        picture = view.picture(tile)
        if picture is None:
            painter.fillRect(rect, color(self.theme.rule))
            return
        rows, columns = picture.values.shape
        if not rows or not columns:
            return
        stride = (
            max(stride_for(rect.height() / rows * view.pixel_ratio), stride_of_one_block(rows)),
            max(stride_for(rect.width() / columns * view.pixel_ratio), stride_of_one_block(columns)),
        )
        painter.fillRect(rect.adjusted(-1, -1, 1, 1), color(self.theme.rule))
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, max(stride) > 1)
        painter.drawImage(rect, picture.block(0, 0, stride, self.theme))
        if picture.points:
            painter.fillRect(QRectF(rect.right() - 3, rect.top(), 4, 4), color(self.theme.not_a_number))
        marks = view.marks_of(index)
        if marks.row is not None:
            y = rect.top() + (marks.row + 0.5) * rect.height() / rows
            painter.fillRect(QRectF(rect.left(), y - 1, rect.width(), 2), color(self.theme.accent))
        framed = replace(marks, row=None) if marks.row is not None else marks
        if framed != NO_MARKS:
            window = window_onto(tile, view.camera, view.rect)
            if window is not None:
                self._cells.frames(painter, window, columns, framed)

    def _caption(self, painter: QPainter, view: View, content: FlowContent) -> None:
        """Say what fills the view where its heading is out of sight."""
        index = view.scene.tile_at(view.camera.canvas(view.rect.center()))
        if index is not None:
            tile = view.scene.tiles[index]
            if view.camera.rect(tile.rect).top() < view.rect.top() + self._texts.label_height:
                self._words.caption(painter, view.rect, content.heading(tile))

    def _wires(self, painter: QPainter, view: View, seen: QRectF, far: bool) -> None:
        """What feeds what; the wires of the matrices that are pointed at or chosen stand out."""
        camera, theme, color = view.camera, self.theme, self._texts.color
        near = {i for i, marks in view.marks.items() if marks.hovered is not None or marks.cell is not None}
        if view.cursor is not None:
            near.add(view.cursor[0])
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        scale = camera.scale
        transform = QTransform(scale, 0, 0, scale, -camera.x * scale, -camera.y * scale)
        if far:
            painter.setPen(QPen(color(theme.muted_text), 0.0))
            painter.drawPath(transform.map(view.scene.all_wires))
        grown = seen.adjusted(-8, -8, 8, 8)
        for wire in view.scene.wires:
            strong = wire.source in near or wire.target in near
            if (far and not strong) or not wire.bounds.adjusted(-1, -1, 1, 1).intersects(grown):
                continue
            ink = color(theme.text if strong else theme.muted_text)
            painter.setPen(QPen(ink, 1.8 if strong else 1.0))
            painter.drawPath(transform.map(wire.path))
            if scale >= ARROWS_FROM:
                tip = camera.point(wire.path.currentPosition())
                turn = QTransform().translate(tip.x(), tip.y()).rotate(wire.angle)
                painter.setBrush(ink)
                painter.drawPolygon(turn.map(QPolygonF([QPointF(0, 0), QPointF(-6, -3), QPointF(-6, 3)])))
                painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.restore()
