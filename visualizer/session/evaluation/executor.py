"""Who carries out evaluation requests: the caller's own thread here; a worker thread in visualizer.ui."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from visualizer.session.evaluation.evaluate import evaluate
from visualizer.session.evaluation.request import Request
from visualizer.session.evaluation.result import Result


class Executor(Protocol):
    """Takes requests, latest wins: one that waits is replaced by a newer one."""

    def submit(self, request: Request, done: Callable[[Result], None]) -> None:
        """Carry out `request` and call `done(result)` on the caller's thread, now or later.

        Where the text takes long, first with a result that is not complete.
        """

    def wait(self) -> None:
        """Return when nothing is under way and every result has been reported."""

    def stop(self) -> None:
        """Finish or drop what is under way; nothing is called after this."""


class InlineExecutor:
    """Carries out each request at once, on the caller's thread."""

    def submit(self, request: Request, done: Callable[[Result], None]) -> None:
        """Evaluate and report before returning."""
        done(evaluate(request))

    def wait(self) -> None:
        """Nothing is ever under way."""

    def stop(self) -> None:
        """Nothing is ever under way."""
