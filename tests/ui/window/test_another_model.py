"""Another model is opened, and its first pass takes long: nothing of the one before stays or answers, in any panel."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QEnterEvent, QHoverEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QTableView, QWidget
from pytestqt.qtbot import QtBot

import visualizer
from tests.ui.finding import child
from tests.ui.late_executor import LateExecutor
from tests.ui.painted_texts import painted_texts
from visualizer.session.selection import CellRef
from visualizer.ui.heatmap.widget import Heatmap
from visualizer.ui.window import main_window
from visualizer.ui.window.catalog import RESULTS
from visualizer.ui.window.main_window import MainWindow


@pytest.fixture
def window(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> MainWindow:
    """A window whose results come when they are asked for."""
    monkeypatch.setattr(main_window, "WorkerExecutor", LateExecutor)
    window = visualizer.ui.open_window("sort")
    qtbot.addWidget(window)
    answer(window)
    return window


def answer(window: MainWindow) -> None:
    """Have everything computed that was asked for."""
    child_executor = window.findChild(LateExecutor)
    assert child_executor is not None
    child_executor.wait()


def texts(widget: QWidget) -> set[str]:
    """Everything that is written in it."""
    return {painted.text for painted in painted_texts(widget)}


def shown(window: MainWindow, name: str) -> QWidget:
    """A panel, in front."""
    window.docks[name].reveal()
    panel: QWidget = window.docks[name].panel
    QApplication.processEvents()
    return panel


@pytest.mark.parametrize("name", [*RESULTS, "gradientsPanel"])
def test_a_panel_says_what_it_would_say_had_it_shown_nothing_before(
    name: str, window: MainWindow, qtbot: QtBot
) -> None:
    fresh = visualizer.ui.open_window("aab")
    qtbot.addWidget(fresh)
    shown(window, name)
    answer(window)
    QApplication.processEvents()
    window.open_source("aab")
    QApplication.processEvents()
    said = texts(shown(window, name))
    assert said == texts(shown(fresh, name))
    assert not [text for text in said if "empty" in text]


@pytest.mark.parametrize("name", [*RESULTS, "gradientsPanel"])
def test_nothing_in_a_panel_answers_clicks(name: str, window: MainWindow) -> None:
    panel = shown(window, name)
    answer(window)
    QApplication.processEvents()
    window.open_source("aab")
    QApplication.processEvents()
    before = window.session.selection.now, window.session.document.state
    for heatmap in panel.findChildren(Heatmap):
        if heatmap.isVisible():
            assert heatmap.image().size == 0
    for part in (panel, *panel.findChildren(QWidget)):
        if part.isVisible() and not part.objectName() and part.accessibleName() == "":
            QTest.mouseClick(part, Qt.MouseButton.LeftButton, pos=part.rect().center())
    assert (window.session.selection.now, window.session.document.state) == before


def test_the_token_strip_is_empty_and_answers_no_key(window: MainWindow) -> None:
    window.open_source("aab")
    before = window.session.selection.now
    assert texts(window.token_strip) == {"computing …"}
    for key in (Qt.Key.Key_Home, Qt.Key.Key_Return, Qt.Key.Key_Left):
        QTest.keyClick(window.token_strip, key)
    QTest.mouseClick(window.token_strip, Qt.MouseButton.LeftButton, pos=QPoint(30, 15))
    assert window.session.selection.now == before


def test_no_token_is_forced_of_a_model_that_is_open_no_more(window: MainWindow) -> None:
    force = window.docks["nextTokenPanel"].panel.actions_by_name["forceToken"]
    window.open_source("aab")
    state = window.session.document.state
    assert not force.isEnabled()
    QTest.keyClick(child(window, QWidget, "probabilityBars"), Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    assert window.session.document.state is state


def test_a_token_forced_from_elsewhere_while_the_panel_is_behind_is_one_of_the_present_model(
    window: MainWindow,
) -> None:
    panel = window.docks["nextTokenPanel"].panel
    window.docks["nextTokenPanel"].hide()
    window.open_source("aab")
    answer(window)
    panel.actions_by_name["forceToken"].trigger()
    answer(window)
    assert len(window.session.document.state.branches) == 2
    assert max(window.session.result.tokens) < 2  # type: ignore[union-attr]


def test_a_number_that_is_hovered_when_the_model_goes_goes_with_it(window: MainWindow) -> None:
    """Its name may be one that the other model does not have."""
    window.open_source("aab")
    answer(window)
    window.open_source("sort")
    answer(window)
    window.session.selection.hover(CellRef("parameter", "blocks.0.ln_1.g", (0,)))
    window.undo_action.trigger()
    answer(window)
    assert window.session.selection.hovered is None
    assert window.windowTitle().startswith("aab")
    assert window.session.result is not None
    assert window.session.result.state.opened.name == "aab"
    assert child(window, QLabel, "explainTitle").text() == "No number is chosen"


def test_a_weight_is_explained_only_while_the_mouse_is_over_it(window: MainWindow) -> None:
    grid = child(window, QTableView, "weightGrid")
    place = grid.visualRect(grid.model().index(0, 0)).center()
    QTest.mouseMove(grid.viewport(), place)
    QApplication.sendEvent(
        grid.viewport(), QHoverEvent(QEvent.Type.HoverMove, QPointF(place), QPointF(place), QPointF(place))
    )
    hovered = window.session.selection.hovered
    QApplication.sendEvent(grid, QEnterEvent(QPointF(place), QPointF(place), QPointF(place)))
    QApplication.sendEvent(grid, QEvent(QEvent.Type.Leave))
    assert window.session.selection.hovered is None
    assert hovered is not None
