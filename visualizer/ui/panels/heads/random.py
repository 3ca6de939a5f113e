"""Passes over a random text that repeats itself, off the window's thread where they take long."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial

from PySide6.QtCore import QObject, QTimer, Signal

from visualizer.engine.head_scores import repeated_random_tokens
from visualizer.engine.model import Model
from visualizer.engine.trace import Trace

#: Cheaper passes (multiplications) are done at once.
AT_ONCE = 5e6
ASK_EVERY = 20  # milliseconds

Passes = tuple[Trace, Trace | None]


class RandomText(QObject):
    """The passes of a model, and of the baseline's, over `repeated_random_tokens`; the latest wanted wins.

    Signals:
        ready(): `passes` has those that were wanted last.

    Attributes:
        passes: the latest; None before the first.
    """

    ready = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.passes: Passes | None = None
        self._of: tuple[Model, Model | None] | None = None
        self._wanted: tuple[Model, Model | None] | None = None
        self._running: tuple[tuple[Model, Model | None], Future[Passes]] | None = None
        self._pool: ThreadPoolExecutor | None = None
        self._timer = QTimer(self)
        self._timer.setInterval(ASK_EVERY)
        self._timer.timeout.connect(self._ask)

    def want(self, model: Model, baseline: Model | None) -> bool:
        """Have the passes of these models made, unless they are there; whether they are there on return."""
        wanted = (model, baseline)
        if self.passes is not None and self._of == wanted:
            return True
        self._wanted = wanted
        if 2.0 * model.config.n_ctx * model.parameters.count() <= AT_ONCE:
            self.passes, self._of = _run(*wanted), wanted
            return True
        if self._running is None:
            self._begin(wanted)
        return False

    def forget(self) -> None:
        """Let go of the passes; they are made again when they are wanted."""
        self.passes = self._of = None

    def _begin(self, wanted: tuple[Model, Model | None]) -> None:
        if self._pool is None:
            self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="random text")
            self.destroyed.connect(partial(self._pool.shutdown, wait=False, cancel_futures=True))
        self._running = (wanted, self._pool.submit(_run, *wanted))
        self._timer.start()

    def _ask(self) -> None:
        """Whether the thread is done; and if so, whether something else has been wanted since."""
        if self._running is None or not self._running[1].done():
            return
        (of, future), self._running = self._running, None
        self._timer.stop()
        self.passes, self._of = future.result(), of
        if self._wanted is not None and self._wanted != of:
            self._begin(self._wanted)
        self.ready.emit()


def _run(model: Model, baseline: Model | None) -> Passes:
    tokens = repeated_random_tokens(model)
    return model.forward(tokens), None if baseline is None else baseline.forward(tokens)
