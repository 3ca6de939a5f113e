"""A failure in a handler is said, kept and told to whoever was told before; the window goes on."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import pytest
import shiboken6
from pytestqt.qtbot import QtBot

import visualizer
from visualizer.session.document.edits import SetPrompt
from visualizer.ui.window import application, failures
from visualizer.ui.window.main_window import MainWindow

Told = list[BaseException]


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Told:
    """What the terminal is told."""
    heard = Told()
    monkeypatch.setattr(sys, "excepthook", lambda _kind, error, _trace: heard.append(error))
    return heard


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where failures are kept, in a folder that is not there yet."""
    place = tmp_path / "data" / "errors.log"
    monkeypatch.setattr(application, "errors_file", lambda: place)
    return place


@pytest.fixture
def window(told: Told, file: Path, qtbot: QtBot) -> MainWindow:
    """A window, shown."""
    window = visualizer.ui.open_window()
    qtbot.addWidget(window)
    window.session.wait()
    return window


def broken(*_told: object) -> None:
    raise IndexError("no such\nrow")


def test_a_handler_that_fails_is_said_kept_and_told_and_the_window_goes_on(
    window: MainWindow, told: Told, file: Path, qtbot: QtBot
) -> None:
    window.redo_action.toggled.connect(broken)
    window.redo_action.setCheckable(True)
    window.redo_action.setChecked(True)
    said = window.status.currentMessage()
    assert "IndexError: no such row." in said
    assert str(file) in said
    assert "Traceback" in file.read_text()
    assert "in broken" in file.read_text()
    assert [str(error) for error in told] == ["no such\nrow"]
    window.session.document.apply(SetPrompt("ab"))
    window.session.wait()
    assert window.session.result is not None
    assert window.session.result.state is window.session.document.state


def test_a_listener_that_fails_is_said_and_title_and_heatmap_follow_all_the_same(
    window: MainWindow, told: Told, qtbot: QtBot
) -> None:
    window.session.document._listeners._listeners.insert(0, broken)
    window.open_source("sort")
    window.session.wait()
    assert "IndexError" in window.status.currentMessage()
    assert window.windowTitle().startswith("sort")
    assert window.session.result is not None
    assert window.session.result.state.opened.name == "sort"
    assert len(told) == 1


def test_a_failure_on_another_thread_is_said_by_the_window_s(window: MainWindow, told: Told, qtbot: QtBot) -> None:
    def fail() -> None:
        try:
            broken()
        except IndexError as error:
            sys.excepthook(type(error), error, error.__traceback__)

    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()
    qtbot.waitUntil(lambda: "IndexError" in window.status.currentMessage())
    assert len(told) == 1


def test_the_file_of_failures_does_not_grow_for_ever(
    window: MainWindow, told: Told, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(failures, "LONGEST_FILE", 1000)
    for _ in range(50):
        sys.excepthook(IndexError, IndexError("again"), None)
    assert 0 < file.stat().st_size < 1200
    file.unlink()
    file.mkdir()  # where nothing can be written, the rest is done
    sys.excepthook(KeyError, KeyError("last"), None)
    assert "KeyError" in window.status.currentMessage()


def test_a_window_that_is_gone_hears_no_more(told: Told, file: Path, qtbot: QtBot) -> None:
    before, window = sys.excepthook, visualizer.ui.open_window()
    window.close()
    window.deleteLater()
    qtbot.waitUntil(lambda: not shiboken6.isValid(window))
    assert sys.excepthook is before
    sys.excepthook(IndexError, IndexError("later"), None)
    assert len(told) == 1
    assert not file.exists()
