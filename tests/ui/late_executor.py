"""An executor that answers when it is asked to, in the place of the window's worker."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Signal

from visualizer.session.evaluation.evaluate import evaluate
from visualizer.session.evaluation.request import Request
from visualizer.session.evaluation.result import Result


class LateExecutor(QObject):
    """One request under way and one waiting, as on the worker thread; the answer comes when it is asked for."""

    busy_changed = Signal(bool)
    progressed = Signal(int, int)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._kept: list[tuple[Request, Callable[[Result], None]]] = []

    @property
    def busy(self) -> bool:
        """Whether there is something to answer."""
        return bool(self._kept)

    def submit(self, request: Request, done: Callable[[Result], None]) -> None:
        """Keep the request in the place of the one that waits."""
        self._kept[1:] = []
        self._kept.append((request, done))
        self.busy_changed.emit(True)

    def answer(self) -> None:
        """Answer what is under way."""
        if self._kept:
            request, done = self._kept.pop(0)
            self.busy_changed.emit(self.busy)
            done(evaluate(request))

    def begin(self) -> None:
        """Answer what is under way as far as its text is shown before the rest."""
        if self._kept:
            request, done = self._kept[0]
            evaluate(request, None, done)

    def cancel(self) -> None:
        """Nothing is cancelled here."""

    def wait(self) -> None:
        """Answer everything."""
        while self._kept:
            self.answer()

    def stop(self) -> None:
        """Nothing runs."""
