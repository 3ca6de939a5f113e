"""The cache strip: under each step, what became of the keys and values of every position."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PySide6.QtCore import QEvent, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QHelpEvent, QImage, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from visualizer.session.evaluation.cache_map import AGAIN, COMPUTED, COPIED, REUSED, said
from visualizer.ui.look.theme import Theme, current_theme
from visualizer.ui.panels.timeline.step_bars import INSET
from visualizer.ui.widgets.plain_text import show_tip

TALLEST_CELL = 12.0
#: Columns stand apart where their steps are farther from each other than this.
WIDEST_COLUMN = 2.0 * INSET
#: With smaller cells there are no lines between them.
LINES_FROM = 4.0


def state_colors(theme: Theme) -> dict[int, str]:
    """The colour of each state; lightness alone tells them apart, and purple is what an edit changed."""
    copied, computed = ("#66717d", "#b9c2cb") if theme.dark else ("#a3acb6", "#4a5560")
    return {REUSED: theme.rule, COPIED: copied, COMPUTED: computed, AGAIN: theme.changed}


class CacheStrip(QWidget):
    """One column a step, one row a position; as one picture, so that long texts cost no more.

    Signals:
        cell_chosen(int, int): step and position that were clicked.
    """

    cell_chosen = Signal(int, int)

    def __init__(self, centre: Callable[[int], float], spacing: Callable[[], float], parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("cacheStrip")
        self.setAccessibleName("What the key/value cache reused")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMouseTracking(True)
        self._centre, self._spacing = centre, spacing
        self._step = 0
        self.states = np.zeros((0, 0), dtype=np.uint8)

    def show_states(self, states: np.ndarray, step: int) -> None:
        """Show [position, step]; `step` is the one under the cursor."""
        self.states, self._step = states, step
        if step < states.shape[1]:
            self.setAccessibleDescription(f"step {step}: {said(states, step)}")
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(200, 44)

    def minimumSizeHint(self) -> QSize:
        return QSize(100, 24)

    def _room(self) -> QRectF:
        """Where the picture lies: the middle of each column under its step's bar."""
        positions, steps = self.states.shape
        left = self._centre(0) - self._spacing() / 2
        height = min(float(self.height()), positions * TALLEST_CELL)
        return QRectF(left, 0, self._spacing() * steps, height)

    def cell_at(self, x: float, y: float) -> tuple[int, int] | None:
        """Step and position under a pixel."""
        room = self._room()
        if not self.states.size or not room.contains(x, y):
            return None
        positions, steps = self.states.shape
        step = min(int((x - room.left()) / room.width() * steps), steps - 1)
        return step, min(int(y / room.height() * positions), positions - 1)

    def readout(self, step: int, position: int) -> str:
        """A cell in words."""
        return f"step {step}, position {position}: {said(self.states, step, position)}\nclick to go there"

    def paintEvent(self, _event: QPaintEvent) -> None:
        if not self.states.size:
            return
        theme, room = current_theme(), self._room()
        positions, steps = self.states.shape
        colors = np.zeros((5, 4), dtype=np.uint8)
        for state, color in state_colors(theme).items():
            colors[state] = [*(int(color[i : i + 2], 16) for i in (1, 3, 5)), 255]
        pixels = np.ascontiguousarray(colors[self.states])
        image = QImage(pixels.data, steps, positions, 4 * steps, QImage.Format.Format_RGBA8888)
        painter = QPainter(self)
        across, down = room.width() / steps, room.height() / positions
        width = min(across, WIDEST_COLUMN)
        painter.setPen(QPen(QColor(theme.background), 1))
        if width == across:
            painter.drawImage(room, image)
        for step in range(steps if across >= LINES_FROM else 0):
            column = QRectF(room.left() + step * across + (across - width) / 2, 0, width, room.height())
            if width < across:
                painter.drawImage(column, image, QRectF(step, 0, 1, positions))
            else:
                painter.drawLine(round(column.left()), 0, round(column.left()), round(room.height()))
        if down >= LINES_FROM:
            for position in range(positions + 1):
                y = round(position * down)
                painter.drawLine(round(room.left()), y, round(room.right()), y)
        mark = QRectF(room.left() + self._step * across + (across - width) / 2, 0, width, room.height())
        painter.setPen(QPen(QColor(theme.text), 1, Qt.PenStyle.DotLine))
        painter.drawRect(mark.adjusted(0, 0, -1, -1))
        painter.end()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        cell = self.cell_at(event.position().x(), event.position().y())
        if event.button() == Qt.MouseButton.LeftButton and cell is not None:
            self.cell_chosen.emit(*cell)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            cell = self.cell_at(event.pos().x(), event.pos().y())
            show_tip(event.globalPos(), "" if cell is None else self.readout(*cell), self)
            return True
        return super().event(event)
