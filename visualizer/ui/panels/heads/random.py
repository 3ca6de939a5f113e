"""Passes over a random text that repeats itself, off the window's thread where they take long."""

from __future__ import annotations

from contextlib import nullcontext
from functools import partial

from PySide6.QtCore import QObject, QSignalBlocker, Signal

from visualizer.engine.head_scores import repeated_random_tokens
from visualizer.engine.model import Model
from visualizer.engine.trace import Trace
from visualizer.ui.bridge.background import Background, Steps

#: Cheaper passes (multiplications) are done at once.
AT_ONCE = 5e6

Models = tuple[Model, Model | None]
Passes = tuple[Trace, Trace | None]


class RandomText(QObject):
    """The passes of a model, and of the baseline's, over `repeated_random_tokens`; the latest wanted wins.

    Signals:
        ready(): `passes` has those that were wanted last, and were not there at once.

    Attributes:
        passes: the latest; None before the first.
    """

    ready = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.passes: Passes | None = None
        self._wanted: Models | None = None
        self._work = Background(self)
        self._work.finished.connect(self._take)

    def want(self, model: Model, baseline: Model | None) -> bool:
        """Have the passes of these models made, unless they are there; whether they are there on return."""
        wanted = (model, baseline)
        if wanted != self._wanted:
            self.passes, self._wanted = None, wanted
            at_once = 2.0 * model.config.n_ctx * model.parameters.count() <= AT_ONCE
            with QSignalBlocker(self) if at_once else nullcontext():
                self._work.request(partial(_passes, wanted), at_once=at_once)
        return self.passes is not None

    def forget(self) -> None:
        """Let go of the passes; they are made again when they are wanted."""
        self.passes = self._wanted = None
        self._work.cancel()

    def _take(self, result: tuple[Models, Passes]) -> None:
        if result[0] == self._wanted:
            self.passes = result[1]
            self.ready.emit()


def _passes(models: Models) -> Steps:
    model, baseline = models
    tokens = repeated_random_tokens(model)
    trace = model.forward(tokens)
    yield None
    return models, (trace, None if baseline is None else baseline.forward(tokens))
