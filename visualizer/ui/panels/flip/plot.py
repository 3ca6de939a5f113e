"""The flip finder's picture: the logit margin against the value of what is changed."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QMouseEvent, QPen
from PySide6.QtWidgets import QWidget

from visualizer.session.analysis.flip import Flip, Trial
from visualizer.ui.look.theme import current_theme, token_color
from visualizer.ui.widgets.plain_text import show_tip


class FlipPlot(pg.PlotWidget):
    """Above zero the next token is the present one; a ring marks the present value, a diamond the flip.

    The mouse over it asks for the nearest value that was tried, whose words `describe` gives.
    """

    def __init__(self, describe: Callable[[Trial], str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._describe = describe
        self._shown: tuple[Trial, ...] = ()
        self.setObjectName("flipPlot")
        self.setAccessibleName("Logit margin along the change")
        self.setMinimumSize(120, 90)
        item = self.getPlotItem()
        item.setMenuEnabled(False)
        item.setMouseEnabled(x=False, y=False)  # a drag would move the curve out of sight, and nothing bring it back
        item.hideButtons()
        item.setLabel("left", "logit margin")
        for side in ("left", "bottom"):
            item.getAxis(side).enableAutoSIPrefix(False)  # "×0.001" beside an axis is read as a unit
        item.showGrid(x=False, y=False)
        for side in ("left", "bottom"):
            item.getAxis(side).enableAutoSIPrefix(False)  # "(x0.001)" beside an axis is for no one
        self._zero = pg.InfiniteLine(pos=0, angle=0)
        self._curve = pg.PlotDataItem(connect="finite")
        self._present = pg.ScatterPlotItem(size=11, symbol="o")
        self._found = pg.ScatterPlotItem(size=13, symbol="d")
        for part in (self._zero, self._curve, self._present, self._found):
            item.addItem(part)
        self.apply_theme()

    def apply_theme(self) -> None:
        """Take the present theme's colours."""
        theme = current_theme()
        self.setBackground(theme.panel)
        for side in ("left", "bottom"):
            axis = self.getPlotItem().getAxis(side)
            axis.setPen(theme.rule)
            axis.setTextPen(theme.muted_text)
        self._zero.setPen(pg.mkPen(theme.muted_text, style=Qt.PenStyle.DashLine))
        self._curve.setPen(pg.mkPen(theme.text, width=1.5))

    def show_curve(self, trials: tuple[Trial, ...], what: str) -> None:
        """Draw what a search has tried so far; `what` names the horizontal axis."""
        self._draw(trials)
        self._present.setData([], [])
        self._found.setData([], [])
        self.getPlotItem().setLabel("bottom", what)
        self.autoRange()

    def show_flip(self, flip: Flip, what: str) -> None:
        """Draw a finished search, close enough to see the flip."""
        self.getPlotItem().setLabel("bottom", what)
        nearest = flip.trials
        if flip.found is not None:
            reach = 1.7 * abs(flip.change)
            nearest = tuple(s for s in flip.trials if abs(s.x - flip.present.x) <= reach)
        self._draw(nearest)
        self._mark(self._present, flip.present, hollow=True)
        self._mark(self._found, flip.found, hollow=False)
        self.autoRange()

    def _draw(self, trials: tuple[Trial, ...]) -> None:
        self._shown = tuple(s for s in trials if math.isfinite(s.x))
        finite = self._shown
        margins = np.array([s.margin if math.isfinite(s.margin) else np.nan for s in finite])
        self._curve.setData(np.array([s.x for s in finite]), margins)

    def _mark(self, points: pg.ScatterPlotItem, trial: Trial | None, hollow: bool) -> None:
        if trial is None or not math.isfinite(trial.margin):
            points.setData([], [])
            return
        theme = current_theme()
        hue = QColor(token_color(trial.token, theme))
        pen = QPen(hue, 2)
        pen.setCosmetic(True)
        points.setData([trial.x], [trial.margin], pen=pen, brush=pg.mkBrush(theme.panel if hollow else hue))

    def nearest(self, place: QPointF) -> Trial | None:
        """The value that was tried nearest to a place in the widget; None where nothing is drawn."""
        x = self.getPlotItem().getViewBox().mapSceneToView(self.mapToScene(place.toPoint())).x()
        return min(self._shown, key=lambda trial: abs(trial.x - x), default=None)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        super().mouseMoveEvent(event)
        trial = self.nearest(event.position())
        if trial is not None:
            show_tip(event.globalPosition().toPoint(), self._describe(trial), self)
