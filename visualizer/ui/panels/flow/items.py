"""A matrix of the picture of the whole pass as an image item of pyqtgraph."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QRectF
from PySide6.QtGui import QPainter

from visualizer.ui.heatmap.image import MatrixImage, indexed_image
from visualizer.ui.heatmap.layer import is_drawing
from visualizer.ui.heatmap.loudest import loudest_entries
from visualizer.ui.look.colors import lookup_table
from visualizer.ui.look.theme import Theme, current_theme
from visualizer.ui.panels.flow.pictures import AT_ONCE, Picture

#: In a drawing, cells from this size on are rectangles, in logical pixels; others become a picture of so many points.
LEAST_RECTANGLE, MOST_POINTS = 2.0, 400


class MatrixItem(MatrixImage):
    """A picture in its place. One that takes long is asked for by `later`, and shown when it has been made."""

    def __init__(self, later: Callable[[MatrixItem], None]) -> None:
        super().__init__()
        self._picture: Picture | None = None
        self._shown: tuple[Picture, Theme] | None = None
        self._place = QRectF()
        self._later = later

    def place(self, rect: QRectF) -> None:
        """Lie there in the picture of the whole pass."""
        self._place = rect
        if self.image is not None:
            self.setRect(rect)

    def show_picture(self, picture: Picture) -> None:
        """Show other numbers: now, or those from before until their colours have been made."""
        if self._shown == (picture, current_theme()):
            return
        self._picture = picture
        if picture.made or picture.values.size <= AT_ONCE:
            self.make()
        else:
            self._later(self)

    def make(self) -> None:
        """Show the numbers that are wanted."""
        picture = self._picture
        if picture is None or not picture.values.size:
            return
        table, levels = lookup_table(picture.kind, current_theme()), (-picture.limit, picture.limit)
        self.show_matrix(picture.values, picture.indices, table, picture.kind, levels)
        self.setRect(self._place)
        self._shown = picture, current_theme()

    def paint_at(self, painter: QPainter, rect: QRectF) -> None:
        """Paint it elsewhere, in a rectangle."""
        self.make()
        rows, columns = self.indices.shape
        if not rows or not columns or self._shown is None:
            return
        if is_drawing(painter) and min(rect.width() / columns, rect.height() / rows) < LEAST_RECTANGLE:
            picture = self._shown[0]
            stride = (-(-rows // MOST_POINTS), -(-columns // MOST_POINTS))
            points = loudest_entries(self.indices, picture.kind, stride)
            image = indexed_image(points, lookup_table(picture.kind, self._shown[1]).argb)
            # Larger points: whoever shows the drawing smooths between them.
            painter.drawImage(rect, image.scaled(image.size() * max(1, MOST_POINTS // max(points.shape))))
            return
        painter.save()
        painter.translate(rect.topLeft())
        painter.scale(rect.width() / columns, rect.height() / rows)
        self.paint(painter)
        painter.restore()

    # -- how finely it is painted

    def _in_sight(self) -> tuple[int, int, int, int]:
        """All of it: a picture from afar is made once, and not at every step that the view moves."""
        return 0, self.indices.shape[0], 0, self.indices.shape[1]

    def _paint_afar(self, painter: QPainter, seen: tuple[int, int, int, int], stride: tuple[int, int]) -> None:
        """By powers of two, so that a zoom does not make it anew at every step."""
        down, across = (1 << (cells - 1).bit_length() for cells in stride)
        super()._paint_afar(painter, seen, (down, across))
