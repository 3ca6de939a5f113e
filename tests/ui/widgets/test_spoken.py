"""For eyes and ears alike: every control says what it is, and what the keyboard comes to is said aloud."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent, QAccessibleEvent
from PySide6.QtWidgets import QApplication, QLabel, QWidget
from pytestqt.qtbot import QtBot

import visualizer
from tests.ui.finding import child
from visualizer.session.document.edits import SetCells
from visualizer.ui.widgets import spoken
from visualizer.ui.widgets.focus_order import stops
from visualizer.ui.window.catalog import PANELS
from visualizer.ui.window.main_window import MainWindow

DOWN, RIGHT = Qt.Key.Key_Down, Qt.Key.Key_Right
#: Panel, widget that paints itself, a key that moves in it, and words that it then says.
WALKED = [
    ("attentionPanel", "scoresHeatmap", DOWN, "query"),
    ("attentionPanel", "patternHeatmap", RIGHT, "query"),
    ("attentionPanel", "logitsHeatmap", DOWN, "token"),
    ("flowPanel", "flowCanvas", RIGHT, "="),
    ("headsPanel", "headMosaic", RIGHT, "head"),
    ("arcsPanel", "arcs", RIGHT, "chosen"),
    ("nextTokenPanel", "probabilityBars", DOWN, "probability"),
    ("lensPanel", "contributionBars", DOWN, ":"),
    ("lensPanel", "lensHeatmap", DOWN, "predict"),
    ("", "tokenStrip", RIGHT, "position"),
]


@pytest.fixture
def window(qtbot: QtBot) -> MainWindow:
    window = visualizer.ui.open_window("induction")
    qtbot.addWidget(window)
    qtbot.waitExposed(window)
    window.resize(1440, 900)
    window.activateWindow()
    window.session.wait()
    return window


def show(window: MainWindow, name: str) -> None:
    if name:
        window.docks[name].reveal()
    QApplication.processEvents()
    window.session.wait()
    QApplication.processEvents()


@pytest.mark.parametrize(("panel", "name", "key", "word"), WALKED, ids=[name for _, name, _, _ in WALKED])
def test_a_painted_widget_speaks_the_cell_that_a_key_comes_to(
    window: MainWindow,
    qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
    panel: str,
    name: str,
    key: Qt.Key,
    word: str,
) -> None:
    show(window, panel)
    widget = child(window, QWidget, name)
    said: list[str] = []

    class Heard:
        @staticmethod
        def updateAccessibility(event: QAccessibleEvent) -> None:
            assert isinstance(event, QAccessibleAnnouncementEvent)
            said.append(event.message())

    monkeypatch.setattr(spoken, "QAccessible", Heard)
    widget.setFocus(Qt.FocusReason.TabFocusReason)
    for _ in range(2):
        qtbot.keyClick(widget, key)
    interface = QAccessible.queryAccessibleInterface(widget)
    assert interface is not None
    description = interface.text(QAccessible.Text.Description)
    assert word in description.lower()
    assert description == said[-1]
    assert len(set(said)) > 1 or name == "headMosaic", "it says the same wherever one goes"
    assert interface.text(QAccessible.Text.Name)


def test_a_number_that_changes_under_the_cursor_is_described_anew(window: MainWindow, qtbot: QtBot) -> None:
    heatmap = child(window, QWidget, "logitsHeatmap")
    heatmap.setFocus(Qt.FocusReason.TabFocusReason)
    before = heatmap.accessibleDescription()
    token = window.session.document.state.prompt[0]
    window.session.document.apply(SetCells("wte", (token, 0), 9.0))
    window.session.wait()
    QApplication.processEvents()
    assert heatmap.accessibleDescription() != before


@pytest.mark.parametrize("name", ["", *PANELS])
def test_everything_that_tab_stops_at_has_a_name_and_a_tooltip(window: MainWindow, name: str) -> None:
    show(window, name)
    parts = [window.docks[name].panel] if name else [window.prompt_bar, window.token_strip, window.status]
    buddies = {label.buddy() for part in parts for label in part.findChildren(QLabel)}
    nameless, unexplained = [], []
    for part in parts:
        for stop in stops(part):
            text = getattr(stop, "text", str)()
            if not (stop.accessibleName() or text or stop in buddies):
                nameless.append(stop.objectName() or type(stop).__name__)
            if not stop.toolTip():
                unexplained.append(stop.objectName() or type(stop).__name__)
    assert nameless == []
    assert unexplained == []
