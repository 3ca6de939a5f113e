"""Shift+F10 opens the context menu of what has the keyboard, with the entries that the mouse gets there."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QMenu, QWidget
from pytestqt.qtbot import QtBot

import visualizer
from visualizer.ui.window.main_window import MainWindow

SHIFT = Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def window(qtbot: QtBot) -> MainWindow:
    with qtbot.waitActive(window := visualizer.ui.open_window()):
        window.activateWindow()
    qtbot.addWidget(window)
    window.session.wait()
    return window


@pytest.mark.parametrize(
    ("dock", "name", "entry"),
    [
        ("attentionPanel", "patternHeatmap", "Explain this number"),
        ("weightPanel", "weightGrid", "Reset cells"),
        ("parameterPanel", "parameterTree", "Reset all weights"),
        ("nextTokenPanel", "probabilityBars", "Explain its logit"),
        ("behaviourPanel", "behaviourTable", "Copy table"),
        ("headsPanel", "headMosaic", "Copy picture"),
    ],
)
def test_it_opens_the_menu_of_what_has_the_keyboard(
    window: MainWindow, qtbot: QtBot, dock: str, name: str, entry: str
) -> None:
    window.docks[dock].reveal()
    control = window.findChild(QWidget, name)
    assert control is not None
    qtbot.waitUntil(control.isVisible)
    control.setFocus()
    qtbot.keyClick(control, Qt.Key.Key_F10, SHIFT)
    qtbot.waitUntil(lambda: isinstance(QApplication.activePopupWidget(), QMenu))
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    assert entry in [action.text() for action in menu.actions()]
    menu.close()


def test_without_the_keyboard_nothing_opens(window: MainWindow, qtbot: QtBot) -> None:
    focus = QApplication.focusWidget()
    if focus is not None:
        focus.clearFocus()
    qtbot.keyClick(window, Qt.Key.Key_F10, SHIFT)
    assert QApplication.activePopupWidget() is None
