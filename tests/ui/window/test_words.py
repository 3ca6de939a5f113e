"""The words of the window: sentence case for what one presses, a minus for negative numbers, and plain English."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QAbstractButton, QApplication, QComboBox, QLabel, QWidget
from pytestqt.qtbot import QtBot

import visualizer
from tests.cells import several
from visualizer.resources import resource
from visualizer.session.document.edits import SetCells, pin_baseline
from visualizer.ui.window.main_window import MainWindow
from visualizer.ui.window.palette_commands import plain

#: Names of the field and of models, and what sampling is set to, are written as they are.
AS_THEY_ARE = ("raw", "scaled", "masked", "greedy", "aab", "ab", "aaab", "induction", "sort", "reverse", "rhymes")
UNPLAIN = (
    "does nothing clear", "less nothing", "let go of", "so many", "intervened in", "since then changed",
    "is no window", "is no name", "is no kind", "is no token id", "is no checkpoint of ours", "is no learning rate",
)  # fmt: skip
SOURCES = sorted((Path(__file__).resolve().parents[3] / "visualizer").rglob("*.py"))


@pytest.fixture
def window(qtbot: QtBot) -> MainWindow:
    window: MainWindow = visualizer.ui.open_window()
    qtbot.addWidget(window)
    document = window.session.document
    document.apply(pin_baseline(document.state))
    document.apply(SetCells("wte", several((0, 0), (1, 1)), (-3.5, -1e-5)))
    for dock in window.docks.values():
        dock.reveal()
        QApplication.processEvents()
        window.session.wait()
    return window


def pressed(window: MainWindow) -> Iterator[str]:
    """What one presses, ticks or chooses from a menu."""
    yield from (plain(action.text()) for action in window.findChildren(QAction))
    yield from (plain(button.text()) for button in window.findChildren(QAbstractButton))


def all_texts(window: MainWindow) -> Iterator[str]:
    yield from pressed(window)
    yield from (label.text() for label in window.findChildren(QLabel))
    yield from (widget.toolTip() for widget in window.findChildren(QWidget))
    for box in window.findChildren(QComboBox):
        yield from (box.itemText(i) for i in range(box.count()))


def test_what_one_presses_begins_with_a_capital(window: MainWindow) -> None:
    texts = {text for text in pressed(window) if text and text not in AS_THEY_ARE}
    assert len(texts) > 80
    assert sorted(text for text in texts if text[0].islower()) == []


def test_negative_numbers_have_a_minus(window: MainWindow) -> None:
    texts = list(all_texts(window))
    assert any("−" in text for text in texts)
    assert [text for text in texts if re.search(r"(?<![\w.-])-\d", text)] == []


def test_english_is_plain() -> None:
    """In the window, in messages and in the guide: comments may say it as they like."""
    quoted = re.compile(r'(?<!")"(?!")((?:[^"\\\n]|\\.)*)"(?!")')
    said = [(path.name, text) for path in SOURCES for text in quoted.findall(path.read_text("utf-8"))]
    said += [(page.name, page.read_text("utf-8")) for page in resource("guide").glob("*.md")]
    assert len(said) > 5000
    assert [(name, text) for name, text in said for words in UNPLAIN if words in text.lower()] == []
