"""What is painted over the mosaic's picture: the ground between tiles, what is written at them, and frames."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPainterPath, QPen
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from visualizer.engine.head_scores import main_role
from visualizer.ui.look.theme import current_theme
from visualizer.ui.panels.heads.layout import MODEL, ROLE, ROLE_NAMES, MosaicLayout
from visualizer.ui.panels.heads.tiles import Heads

BAR = 3.0


@dataclass(frozen=True)
class Placing:
    """Where the mosaic is seen: `area` of the widget shows the cells from `left` and `top` on, `scale` pixels each."""

    area: QRectF
    left: float
    top: float
    scale: tuple[float, float]

    def rect(self, cells: QRectF) -> QRectF:
        """Cells in logical pixels of the widget."""
        across, down = self.scale
        return QRectF(
            self.area.left() + (cells.left() - self.left) * across,
            self.area.top() + (cells.top() - self.top) * down,
            cells.width() * across,
            cells.height() * down,
        )


@dataclass(frozen=True)
class Look:
    """How the mosaic stands: the chosen head and whether it is held, the one pointed at, whether it has the focus."""

    current: int
    held: bool
    hovered: int | None
    focused: bool


@dataclass(frozen=True)
class Shown:
    """What lies where, in which order, and how it stands."""

    heads: Heads
    order: str
    layout: MosaicLayout
    placing: Placing
    look: Look
    font: QFont

    def tiles(self) -> list[tuple[int, QRectF]]:
        """The heads in sight, each with where its tile is seen."""
        placed = ((head, self.placing.rect(self.layout.rect(head))) for head in self.layout.places)
        reach = self.placing.area.adjusted(0, -self.layout.caption * self.placing.scale[1], 0, 0)
        return [(head, rect) for head, rect in placed if rect.intersects(reach)]


class Overlay(QGraphicsItem):
    """Paints `shown` by a function, within the mosaic's area; takes no mouse."""

    def __init__(self, draw: Callable[[QPainter, Shown], None], beyond: float = 0.0) -> None:
        super().__init__()
        self._draw, self._beyond = draw, beyond
        self._shown: Shown | None = None
        self._bounds = QRectF()

    def show_it(self, shown: Shown | None) -> None:
        """Paint something else, or nothing."""
        bounds = QRectF() if shown is None else shown.placing.area.adjusted(*(s * self._beyond for s in (-1, -1, 1, 1)))
        if bounds != self._bounds:
            self.prepareGeometryChange()
            self._bounds = bounds
        self._shown = shown
        self.update()

    # -- Qt

    def boundingRect(self) -> QRectF:
        return self._bounds

    def shape(self) -> QPainterPath:
        return QPainterPath()

    def paint(self, painter: QPainter, _option: QStyleOptionGraphicsItem, _widget: QWidget | None = None) -> None:
        if self._shown is not None:
            painter.save()
            painter.setClipRect(self._bounds)
            self._draw(painter, self._shown)
            painter.restore()


def draw_words(painter: QPainter, shown: Shown) -> None:
    """The ground between the tiles, and what is written at them."""
    _fill_gaps(painter, shown)
    painter.setFont(shown.font)
    tiles, metrics = shown.tiles(), QFontMetricsF(shown.font)
    theme, heads = current_theme(), shown.heads
    if shown.order != MODEL:
        _write_scores(painter, shown, tiles, metrics)
    for head, rect in tiles:
        if head in heads.intervened:
            painter.setPen(QColor(theme.changed))
            _write_in_corner(painter, heads.count, rect, metrics, (f"● {heads.intervened[head]}", "●"))
        elif (role := main_role(heads.scores, *divmod(head, heads.shape[1]))) is not None:
            painter.setPen(QColor(theme.masked_text))
            _write_in_corner(painter, heads.count, rect, metrics, ROLE_NAMES[role.name])


def draw_frames(painter: QPainter, shown: Shown) -> None:
    """Around the chosen head, in the accent if it is held, and around the one pointed at."""
    theme, look = current_theme(), shown.look
    for head, rect in shown.tiles():
        if head == look.current:
            _frame(
                painter,
                rect.adjusted(-0.5, -0.5, 0.5, 0.5),
                *((theme.accent, 2.0) if look.held else (theme.muted_text, 1.0)),
            )
            if look.focused:
                painter.setPen(QPen(QColor(theme.text), 1, Qt.PenStyle.DotLine))
                painter.drawRect(rect.adjusted(-3, -3, 3, 3))
        if head == look.hovered:
            _frame(painter, rect.adjusted(2, 2, -2, -2), theme.text, 1.0)


def _fill_gaps(painter: QPainter, shown: Shown) -> None:
    """The panel's colour where the picture has no tile."""
    layout, ground = shown.layout, QColor(current_theme().panel)

    def fill(left: int, top: int, width: int, height: int) -> None:
        painter.fillRect(shown.placing.rect(QRectF(left, top, width, height)), ground)

    rows: dict[int, set[int]] = {}
    for _, column, y in layout.places.values():
        rows.setdefault(y, set()).add(column)
    for column in range(1, layout.columns):
        fill(column * layout.pitch - layout.gap, 0, layout.gap, layout.height)
    end = 0
    for y, taken in rows.items():
        fill(0, end, layout.width, y - end)
        end = y + layout.side
        for column in set(range(layout.columns)) - taken:
            fill(column * layout.pitch, y, layout.side, layout.side)
    fill(0, end, layout.width, layout.height - end)


def _write_in_corner(painter: QPainter, count: int, rect: QRectF, metrics: QFontMetricsF, names: Sequence[str]) -> None:
    """The longest of the names for which the weights, up to the diagonal, leave room in the upper right corner."""
    line = metrics.height()
    # In the line's lower edge the weights reach this far in from the left.
    weights = (math.floor(line / rect.height() * count) + 1) * rect.width() / count
    room = rect.width() - weights - 2
    words = next((name for name in names if metrics.horizontalAdvance(name) <= room), "")
    painter.drawText(QRectF(rect.left(), rect.top(), rect.width() - 2, line), Qt.AlignmentFlag.AlignRight, words)


def _write_scores(painter: QPainter, shown: Shown, tiles: list[tuple[int, QRectF]], metrics: QFontMetricsF) -> None:
    """Headings, and under each tile block and head, the score as a number and as a bar."""
    theme, line = current_theme(), metrics.height()
    muted, text, rule = QColor(theme.muted_text), QColor(theme.text), QColor(theme.rule)
    painter.setPen(text)
    layout = shown.layout
    for heading, column, y, reach in layout.headings:
        place = shown.placing.rect(QRectF(column * layout.pitch, y, reach * layout.pitch, 1))
        heading = metrics.elidedText(heading, Qt.TextElideMode.ElideRight, place.width() - 4)
        painter.drawText(
            QRectF(place.left(), place.top() + 3, place.width(), line), Qt.AlignmentFlag.AlignLeft, heading
        )
    layers, per_layer = shown.heads.shape
    named = bool(tiles) and tiles[0][1].width() >= metrics.horizontalAdvance(f"{layers - 1}.{per_layer - 1}")
    for head, rect in tiles:
        words, score = caption(shown.heads, shown.order, head)
        if score is not None:
            bar = QRectF(rect.left(), rect.bottom() + 1, rect.width(), BAR)
            painter.fillRect(bar, rule)
            if not math.isnan(score):
                painter.fillRect(bar.adjusted(0, 0, rect.width() * (min(max(score, 0.0), 1.0) - 1), 0), muted)
        under = QRectF(rect.left(), rect.bottom() + BAR + 2, rect.width(), line)
        number = "" if score is None else "–" if math.isnan(score) else f"{score:.2f}"
        if named:
            painter.drawText(under, Qt.AlignmentFlag.AlignLeft, words)
        if metrics.horizontalAdvance(f"{words} 0.00") <= rect.width():
            painter.drawText(under, Qt.AlignmentFlag.AlignRight, number)


def caption(heads: Heads, order: str, head: int) -> tuple[str, float | None]:
    """What is written under a head's tile, and the score of its bar; None where the order has none to show."""
    place = divmod(head, heads.shape[1])
    words = f"{place[0]}.{place[1]}"
    if order == ROLE:
        role = main_role(heads.scores, *place)
        return words, None if role is None else role.score
    return words, float(heads.scores[order][place])


def _frame(painter: QPainter, rect: QRectF, color: str, width: float) -> None:
    """A frame with a halo in the panel's colour, to be seen on any tile."""
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for ink, line in ((current_theme().panel, width + 2), (color, width)):
        pen = QPen(QColor(ink), line)
        pen.setJoinStyle(Qt.PenJoinStyle.MiterJoin)
        painter.setPen(pen)
        painter.drawRect(rect)
