"""What the guide's page about the window says to try: panels closed, drawn out, and all of it put back."""

from __future__ import annotations

from PySide6.QtGui import QAction
from pytestqt.qtbot import QtBot

import visualizer
from visualizer.ui.window.main_window import MainWindow
from visualizer.ui.window.palette_commands import plain


def named(actions: list[QAction], text: str) -> QAction:
    return next(action for action in actions if plain(action.text()) == text)


def test_reset_layout_puts_back_a_closed_panel_and_one_drawn_out_of_the_window(qtbot: QtBot) -> None:
    window: MainWindow = visualizer.ui.open_window()
    qtbot.addWidget(window)
    window.session.wait()
    explain, heads = window.docks["explainPanel"], window.docks["headsPanel"]
    assert explain.isVisible()
    named(window.menus.panels.actions(), "Explain").trigger()
    qtbot.waitUntil(lambda: not explain.isVisible())
    heads.reveal()
    heads.setFloating(True)
    assert heads.isFloating()
    named(window.menus.panels.actions(), "Reset layout").trigger()
    qtbot.waitUntil(explain.isVisible)
    assert not heads.isFloating()
