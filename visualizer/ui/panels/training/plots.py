"""The curves of a training run: loss, learning rate, norm of the gradient."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from visualizer.session.training.record import TrainingRecord
from visualizer.ui.look.theme import current_theme

SMALL_HEIGHT = 84
#: An axis cannot be laid out for numbers near the end of what can be written.
LARGEST = 1e100
LEGEND = "loss in nats  ·  thin: batch  ·  ● train  ·  ◆ validation"


class TrainingPlots(QWidget):
    """Redrawn from the record; an accent line marks the snapshot that is looked at."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.loss = _plot("trainingLossPlot", "Loss by step", self)
        self.rate = _plot("trainingRatePlot", "Learning rate by step", self)
        self.norm = _plot("trainingNormPlot", "Norm of the gradient by step", self)
        self._batch, self._rate, self._norm = (pg.PlotDataItem(connect="finite") for _ in range(3))
        self._train = pg.PlotDataItem(symbol="o", symbolSize=5)
        self._validation = pg.PlotDataItem(symbol="d", symbolSize=7)
        self._looked_at = pg.InfiniteLine(angle=90)
        self._looked_at.hide()
        for curve in (self._batch, self._train, self._validation, self._looked_at):
            self.loss.addItem(curve)
        self.rate.addItem(self._rate)
        self.norm.addItem(self._norm)
        self._legend = QLabel(LEGEND, self)
        self._small = [QLabel("Learning rate", self), QLabel("Norm of the gradient", self)]
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._legend)
        layout.addWidget(self.loss, 1)
        below = QHBoxLayout()
        for label, plot in zip(self._small, (self.rate, self.norm), strict=True):
            column = QVBoxLayout()
            column.setSpacing(0)
            plot.setFixedHeight(SMALL_HEIGHT)
            column.addWidget(label)
            column.addWidget(plot)
            below.addLayout(column)
        layout.addLayout(below)
        self.apply_theme()

    def show_record(self, record: TrainingRecord) -> None:
        """Draw what the record holds now."""
        curves = record.curves()
        steps = curves[:, 0]
        for curve, column in ((self._batch, 1), (self._rate, 2), (self._norm, 3)):
            curve.setData(steps, _drawable(curves[:, column]))
        at = np.array([float(evaluation.step) for evaluation in record.evaluations])
        losses = np.array([(evaluation.train, evaluation.validation) for evaluation in record.evaluations])
        for curve, column in ((self._train, 0), (self._validation, 1)):
            values = _drawable(losses.reshape(-1, 2)[:, column])
            there = np.isfinite(values)  # a symbol has no gaps
            curve.setData(at[there], values[there])
        if record.evaluations:
            last = record.evaluations[-1]
            self.loss.setAccessibleDescription(
                f"after step {last.step}: train {last.train:.3f}, validation {last.validation:.3f} nats"
            )

    def look_at(self, step: int | None) -> None:
        """Mark a step, or none."""
        self._looked_at.setVisible(step is not None)
        if step is not None:
            self._looked_at.setValue(step)

    def apply_theme(self) -> None:
        """Take the present theme's colours."""
        theme = current_theme()
        for plot in (self.loss, self.rate, self.norm):
            plot.setBackground(theme.panel)
            for side in ("left", "bottom"):
                axis = plot.getPlotItem().getAxis(side)
                axis.setPen(theme.rule)
                axis.setTextPen(theme.muted_text)
        thin = pg.mkPen(theme.muted_text, width=1)
        for curve in (self._batch, self._rate, self._norm):
            curve.setPen(thin)
        self._train.setPen(pg.mkPen(theme.text, width=1.5))
        self._validation.setPen(pg.mkPen(theme.text, width=1.5, style=Qt.PenStyle.DashLine))
        for curve in (self._train, self._validation):
            curve.setSymbolPen(theme.text)
            curve.setSymbolBrush(theme.panel if curve is self._validation else theme.text)
        self._looked_at.setPen(pg.mkPen(theme.accent, width=1.5))


def _plot(name: str, said: str, parent: QWidget) -> Any:  # noqa: ANN401 - pyqtgraph has no types
    plot = pg.PlotWidget(parent)
    plot.setObjectName(name)
    plot.setAccessibleName(said)
    item = plot.getPlotItem()
    item.setMenuEnabled(False)
    item.hideButtons()
    item.setMouseEnabled(x=False, y=False)
    item.getAxis("left").setWidth(44)
    plot.setMinimumHeight(60)
    plot.setMinimumWidth(80)
    return plot


def _drawable(values: NDArray[Any]) -> NDArray[Any]:
    """The values with gaps where there is no number, or none that an axis could be marked for."""
    with np.errstate(invalid="ignore"):
        return np.where(np.abs(values) <= LARGEST, values, np.nan)
