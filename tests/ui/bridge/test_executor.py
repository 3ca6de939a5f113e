"""The worker: an edit is heard of by everyone before its evaluation begins, and the result comes afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from pytestqt.qtbot import QtBot

from visualizer.formats import open_model
from visualizer.session.document.document import Change
from visualizer.session.document.edits import SetCells, SetPrompt
from visualizer.session.evaluation.request import Request
from visualizer.session.evaluation.result import Result
from visualizer.session.session import Session
from visualizer.ui.bridge import executor as executor_module
from visualizer.ui.bridge.executor import WorkerExecutor


class Noting(WorkerExecutor):
    """Works on its thread, and notes when that is asked to."""

    def __init__(self, log: list[str]) -> None:
        super().__init__()
        self._log = log

    def submit(self, request: Request, done: Callable[[Result], None]) -> None:
        """Note the revision that is evaluated."""
        self._log.append(f"evaluation of {request.snapshot.revision}")
        super().submit(request, done)


@pytest.fixture
def log() -> list[str]:
    return []


@pytest.fixture(params=["on the worker", "at once"])
def session(
    qtbot: QtBot, log: list[str], monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[Session]:
    """A session whose requests all go to the worker, or are all small."""
    if request.param == "on the worker":
        monkeypatch.setattr(executor_module, "AT_ONCE", 0.0)
    executor = Noting(log)
    session = Session(open_model("aab"), executor)
    qtbot.waitUntil(lambda: not session.stale)
    yield session
    executor.stop()


def test_every_listener_hears_of_an_edit_before_an_evaluation_begins(
    session: Session, log: list[str], qtbot: QtBot
) -> None:
    session.document.subscribe(lambda change: log.append(f"first hears of {change.revision}"))
    session.document.subscribe(lambda change: log.append(f"second hears of {change.revision}"))
    session.subscribe(lambda result: log.append(f"result of {result.revision}"))
    log.clear()
    session.document.apply(SetPrompt("ab"))
    qtbot.waitUntil(lambda: not session.stale)
    assert log == ["first hears of 1", "second hears of 1", "evaluation of 1", "result of 1"]


def test_an_edit_that_a_listener_makes_is_evaluated_once_all_have_heard_of_both(
    session: Session, log: list[str], qtbot: QtBot
) -> None:
    def correct(change: Change) -> None:
        if change.revision == 1:
            session.document.apply(SetCells("wpe", (0, 0), 1.0))

    session.document.subscribe(correct)
    session.document.subscribe(lambda change: log.append(f"hears of {change.revision}"))
    session.subscribe(lambda result: log.append(f"result of {result.revision}"))
    log.clear()
    session.document.apply(SetPrompt("ab"))
    qtbot.waitUntil(lambda: not session.stale)
    assert log == ["hears of 1", "hears of 2", "evaluation of 2", "result of 2"]
