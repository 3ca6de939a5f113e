"""A worker's thread: it ends before the program does, however that comes to its end."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QObject, Signal, Slot
from pytestqt.qtbot import QtBot

from visualizer.ui.bridge.worker_thread import WorkerThread

ROOT = Path(__file__).resolve().parents[3]


class Digger(QObject):
    """Works until it is told to stop.

    Signals:
        dug(): it has stopped.
    """

    dug = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.at_work, self.wanted_no_more = threading.Event(), threading.Event()
        self.thread_name = ""

    @Slot()
    def dig(self) -> None:
        self.thread_name = self.thread().objectName()
        self.at_work.set()
        self.wanted_no_more.wait()
        self.dug.emit()


class Owner(QObject):
    """Has a digger at work.

    Signals:
        asked(): dig.
        heard(): the digger has stopped, heard of on the window's thread.
    """

    asked = Signal()
    heard = Signal()

    def __init__(self, afterwards: Callable[[], None] = lambda: None) -> None:
        super().__init__()
        self.worker = Digger()
        self.thread_ = WorkerThread(
            "digging", self.worker, self, hurry=self.worker.wanted_no_more.set, afterwards=afterwards
        )
        self.asked.connect(self.worker.dig)
        self.worker.dug.connect(self.heard)

    def dig(self) -> None:
        self.worker.at_work.clear()
        self.worker.wanted_no_more.clear()
        self.thread_.begin()
        self.asked.emit()
        assert self.worker.at_work.wait(30)


def test_the_worker_works_beside_the_window_and_again_after_a_rest(qtbot: QtBot) -> None:
    owner = Owner()
    for _ in range(2):
        owner.dig()
        assert owner.worker.thread_name == "digging"
        with qtbot.waitSignal(owner.heard):
            owner.worker.wanted_no_more.set()
        owner.thread_.rest()
    owner.thread_.stop()


def test_stopping_hurries_the_work_and_joins_before_anything_else_is_done(qtbot: QtBot) -> None:
    joined: list[str] = []
    owner = Owner(lambda: joined.append("joined"))
    owner.dig()
    owner.thread_.stop()
    assert owner.worker.wanted_no_more.is_set()
    assert joined == ["joined"]


def test_the_work_ends_with_its_owner(qtbot: QtBot) -> None:
    joined: list[str] = []
    owner = Owner(lambda: joined.append("joined"))
    worker = owner.worker
    owner.dig()
    owner.deleteLater()
    qtbot.waitUntil(lambda: joined == ["joined"])
    assert worker.wanted_no_more.is_set()


@pytest.mark.parametrize(
    "end", ["pass", "del owner; gc.collect()", "sys.exit(0)", "QTimer.singleShot(0, app.quit); app.exec()"]
)
def test_a_program_that_ends_with_work_under_way_joins_it_first(end: str) -> None:
    script = f"""
import gc, sys
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from tests.ui.bridge.test_worker_thread import Owner
app = QApplication([])
owner = Owner(lambda: print("joined", flush=True))
owner.dig()
print("under way", flush=True)
{end}
"""
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        timeout=120,
        check=False,
    )
    assert done.stdout.splitlines()[:2] == ["under way", "joined"], done.stderr
    assert done.returncode == 0
