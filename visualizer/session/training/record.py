"""What a training run has told so far: curves, samples, snapshots."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from visualizer.formats import OpenedModel
from visualizer.session.training.report import Evaluation, Report, TextSample, TrainingSnapshot

Array = NDArray[Any]

#: A curve is drawn through at most so many points.
DRAWN = 400


class TrainingRecord:
    """Adds up reports. It belongs to the thread that reads them.

    Attributes:
        opened: the model that the run began with; None before it began.
        last: the last report.
        evaluations, samples, snapshots: all of them, in order.
    """

    def __init__(self) -> None:
        self.opened: OpenedModel | None = None
        self.last: Report | None = None
        self.evaluations: list[Evaluation] = []
        self.samples: list[TextSample] = []
        self.snapshots: list[TrainingSnapshot] = []
        self._points = np.empty((1024, 4))
        self._count = 0

    def add(self, report: Report) -> None:
        """Take in what is new."""
        self.last = report
        self.opened = self.opened or report.opened
        self.evaluations += report.evaluations
        self.samples += report.samples
        self.snapshots += report.snapshots
        needed = self._count + len(report.points)
        if needed > len(self._points):
            grown = np.empty((2 * needed, 4))
            grown[: self._count] = self._points[: self._count]
            self._points = grown
        for point in report.points:
            self._points[self._count] = (point.step, point.loss, point.lr, point.gradient_norm)
            self._count += 1

    @property
    def newest(self) -> TrainingSnapshot | None:
        """The parameters as they were told last."""
        return self.last.newest if self.last is not None else None

    def curves(self) -> Array:
        """[points, 4]: step, loss, learning rate and gradient norm; neighbours are averaged where there are many."""
        points = self._points[: self._count]
        width = -(-self._count // DRAWN)
        if width <= 1:
            return points.copy()
        whole = self._count // width * width
        means: Array = points[:whole].reshape(-1, width, 4).mean(axis=1)
        means[:, 0] = points[width - 1 : whole : width, 0]
        return means

    def snapshot_at(self, index: int) -> TrainingSnapshot:
        """One of the snapshots. Raises IndexError beyond them."""
        if not 0 <= index < len(self.snapshots):
            raise IndexError(f"there is no snapshot {index}; there are {len(self.snapshots)}")
        return self.snapshots[index]
