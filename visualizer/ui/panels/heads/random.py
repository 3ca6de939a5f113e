"""Passes over a random text that repeats itself, off the window's thread where they take long."""

from __future__ import annotations

from contextlib import nullcontext
from functools import partial
from typing import Any

from numpy.typing import NDArray
from PySide6.QtCore import QObject, QSignalBlocker, Signal

from visualizer.engine.head_scores import head_scores, mean_scores, repeated_random_tokens
from visualizer.engine.model import Model
from visualizer.engine.trace import Trace
from visualizer.ui.bridge.background import Background, Steps

#: Cheaper passes (multiplications) are done at once.
AT_ONCE = 5e6
#: So many random texts are measured.
TEXTS = 4

Array = NDArray[Any]
Models = tuple[Model, Model | None]
Passes = tuple[Trace, Trace | None]
#: Scores of the heads of the model, and of the baseline's, each of SCORES [layer, head].
Measured = tuple[dict[str, Array], dict[str, Array] | None]


class RandomText(QObject):
    """The passes of a model, and of the baseline's, over `repeated_random_tokens`; the latest wanted wins.

    A head is measured by the mean over several such texts: in one alone chance has its say. The first is shown.

    Signals:
        ready(): `passes` and `scores` have those that were wanted last, and were not there at once.

    Attributes:
        passes: the latest; None before the first.
        scores: the heads' scores in these models, means over `TEXTS` texts; None before the first.
    """

    ready = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.passes: Passes | None = None
        self.scores: Measured | None = None
        self._wanted: Models | None = None
        self._work = Background(self)
        self._work.finished.connect(self._take)

    def want(self, model: Model, baseline: Model | None) -> bool:
        """Have the passes of these models made, unless they are there; whether they are there on return."""
        wanted = (model, baseline)
        if wanted != self._wanted:
            self.passes, self.scores, self._wanted = None, None, wanted
            at_once = 2.0 * TEXTS * model.config.n_ctx * model.parameters.count() <= AT_ONCE
            with QSignalBlocker(self) if at_once else nullcontext():
                self._work.request(partial(_passes, wanted), at_once=at_once)
        return self.passes is not None

    def forget(self) -> None:
        """Let go of the passes; they are made again when they are wanted."""
        self.passes = self.scores = self._wanted = None
        self._work.cancel()

    def _take(self, result: tuple[Models, Passes, Measured]) -> None:
        if result[0] == self._wanted:
            _, self.passes, self.scores = result
            self.ready.emit()


def _passes(models: Models) -> Steps:
    firsts: list[Trace | None] = []
    means: list[dict[str, Array] | None] = []
    for model in models:
        if model is None:
            firsts.append(None)
            means.append(None)
            continue
        scores = []
        for seed in range(TEXTS):
            trace = model.forward(repeated_random_tokens(models[0], seed))
            if seed == 0:
                firsts.append(trace)
            yield None
            scores.append(head_scores(trace))
        means.append(mean_scores(scores))
    return models, tuple(firsts), tuple(means)
