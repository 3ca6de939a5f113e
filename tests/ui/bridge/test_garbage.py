"""Circles of references are collected on the window's thread, and Python's own way comes back afterwards."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator

import pytest
from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

import visualizer
from visualizer.ui.bridge import garbage
from visualizer.ui.bridge.garbage import GarbageCollector


class Circle:
    """Holds on to itself, and notes on which thread it is found."""

    def __init__(self, found: list[threading.Thread]) -> None:
        self.itself, self._found = self, found

    def __del__(self) -> None:
        self._found.append(threading.current_thread())


def allocate() -> list[list[None]]:
    """What has Python collect: many things at once, in another thread."""
    many: list[list[None]] = []
    thread = threading.Thread(target=lambda: many.extend([] for _ in range(100_000)))
    thread.start()
    thread.join()
    return many


@pytest.fixture(autouse=True)
def enabled() -> Iterator[None]:
    """What a failing test leaves behind is no matter of the next one."""
    assert gc.isenabled()
    yield
    gc.enable()


def test_what_another_thread_would_find_is_found_on_the_windows(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    by_python: list[threading.Thread] = []
    Circle(by_python)
    allocate()
    assert by_python != [threading.main_thread()]  # what the collector is for
    monkeypatch.setattr(garbage, "EVERY_MS", 1)
    owner = QObject()
    collector = GarbageCollector(lambda: False, owner)
    found: list[threading.Thread] = []
    Circle(found)
    many = allocate()
    assert found == []
    qtbot.waitUntil(lambda: found == [threading.main_thread()])
    del many
    collector.stop()
    assert gc.isenabled()


@pytest.mark.parametrize("busy", [True, False])
def test_what_is_old_is_looked_through_only_while_nothing_is_awaited(qtbot: QtBot, busy: bool) -> None:
    owner = QObject()
    collector = GarbageCollector(lambda: busy, owner)
    found: list[threading.Thread] = []
    circle = Circle(found)
    for _ in range(gc.get_threshold()[2] + 1):  # it grows old, until all would be looked through
        gc.collect(0)
        gc.collect(1)
    del circle
    young: list[list[None]] = [[] for _ in range(gc.get_threshold()[0] + 1)]
    collector.collect()
    assert bool(found) is not busy
    del young
    collector.stop()


def test_it_goes_with_its_window_and_the_last_one_leaves_it_to_python_again(qtbot: QtBot) -> None:
    windows = [visualizer.ui.open_window() for _ in range(2)]
    for window in windows:
        qtbot.addWidget(window)
        assert not gc.isenabled()
    windows[0].close()
    assert not gc.isenabled()
    windows[1].close()
    assert gc.isenabled()
