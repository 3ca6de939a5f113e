"""Passes that nobody shows any more are given back to the system, beside the window."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Iterator

import pytest
from pytestqt.qtbot import QtBot

from visualizer.formats import open_model
from visualizer.session.document.edits import OpenModel, SetPrompt
from visualizer.session.evaluation.evaluate import evaluate
from visualizer.session.evaluation.generation import Watch
from visualizer.session.evaluation.request import Request
from visualizer.session.evaluation.result import Result
from visualizer.session.session import Session
from visualizer.ui.bridge import executor as executor_module
from visualizer.ui.bridge.executor import WorkerExecutor


@pytest.fixture
def session(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    """Everything is evaluated on the worker, however small."""
    monkeypatch.setattr(executor_module, "AT_ONCE", 0.0)
    session = Session(open_model("aab"), WorkerExecutor())
    session.wait()
    yield session
    session.close()


def let_go_of(session: Session) -> tuple[list[threading.Thread], int]:
    """The threads on which the present passes' arrays are let go of, once they are; and how many arrays there are."""
    threads: list[threading.Thread] = []
    assert session.result is not None
    arrays = {id(array): array for trace in session.result.passes() for array in trace.recorded.values()}
    for array in arrays.values():
        weakref.finalize(array, lambda: threads.append(threading.current_thread()))
    return threads, len(arrays)


def test_the_window_does_not_wait_for_it(session: Session, qtbot: QtBot) -> None:
    threads, count = let_go_of(session)
    for prompt in ("bab", "abba", "ab"):  # what a pass has in common with the next one stays until that one goes
        session.document.apply(SetPrompt(prompt))
        session.wait()
    qtbot.waitUntil(lambda: len(threads) == count)
    assert threading.main_thread() not in threads


def test_it_does_not_wait_for_the_first_pass_of_another_model(
    session: Session, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = threading.Event()

    def slow(request: Request, watch: Watch, begun: Callable[[Result], None]) -> Result:
        go_on.wait(30)
        return evaluate(request, watch, begun)

    monkeypatch.setattr(executor_module, "evaluate", slow)
    threads, count = let_go_of(session)
    session.document.apply(OpenModel(open_model("aab")))
    qtbot.waitUntil(lambda: len(threads) == count)
    assert session.stale
    go_on.set()
    session.wait()
