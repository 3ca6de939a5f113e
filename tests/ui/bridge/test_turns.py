"""The worker and the window take turns: what there is to show is painted before the engine goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from tests.ui.finding import on_screen
from visualizer.formats import open_model
from visualizer.session.document.edits import SetPrompt
from visualizer.session.evaluation.evaluate import evaluate
from visualizer.session.evaluation.generation import Watch
from visualizer.session.evaluation.request import Request
from visualizer.session.evaluation.result import Result
from visualizer.session.session import Session
from visualizer.ui.bridge import executor as executor_module
from visualizer.ui.bridge.executor import WorkerExecutor


class Picture(QWidget):
    """Notes when it is painted."""

    def __init__(self, log: list[str]) -> None:
        super().__init__()
        self._log = log

    def paintEvent(self, _event: QPaintEvent) -> None:
        self._log.append("painted")


@pytest.fixture
def log() -> list[str]:
    return []


@pytest.fixture
def session(qtbot: QtBot, log: list[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    """Its results are painted; each is reported once before all of it is there."""

    def in_two_parts(request: Request, watch: Watch, begun: Callable[[Result], None]) -> Result:
        log.append(f"evaluation of {request.snapshot.revision}")
        result = evaluate(request, watch)
        begun(result)
        log.append("goes on")
        return result

    monkeypatch.setattr(executor_module, "AT_ONCE", 0.0)
    monkeypatch.setattr(executor_module, "PATIENCE", 60.0)
    monkeypatch.setattr(executor_module, "evaluate", in_two_parts)
    session = Session(open_model("aab"), WorkerExecutor())
    picture = on_screen(Picture(log), qtbot, 80, 80)
    qtbot.waitExposed(picture)
    session.subscribe(lambda _result: picture.update())
    session.document.apply(SetPrompt("b"))
    qtbot.waitUntil(lambda: "evaluation of 1" in log and not session.stale and log[-2:] == ["goes on", "painted"])
    log.clear()
    yield session
    session.close()


def test_the_rest_waits_until_the_first_part_is_painted(session: Session, log: list[str], qtbot: QtBot) -> None:
    session.document.apply(SetPrompt("ab"))
    qtbot.waitUntil(lambda: log[-1:] == ["painted"] and "goes on" in log)
    assert log == ["evaluation of 2", "painted", "goes on", "painted"]


def test_the_next_evaluation_waits_until_the_last_one_is_painted(
    session: Session, log: list[str], qtbot: QtBot
) -> None:
    session.document.apply(SetPrompt("ab"))
    session.document.apply(SetPrompt("bb"))
    qtbot.waitUntil(lambda: log.count("painted") == 4)
    first = ["evaluation of 2", "painted", "goes on", "painted"]
    assert log == [*first, "evaluation of 3", "painted", "goes on", "painted"]


def test_a_window_that_is_closed_keeps_no_worker_waiting(
    session: Session, log: list[str], qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(executor_module, "PAINTED_MS", 100_000_000)
    closed = Session(open_model("aab"), WorkerExecutor())
    closed.subscribe(lambda _result: log.append("shown"))
    qtbot.waitUntil(lambda: "shown" in log)
    assert "goes on" not in log
    closed.close()
    assert "goes on" in log
