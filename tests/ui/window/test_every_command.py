"""Nothing that the window can do is missing from the command palette: menus, buttons and context menus."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QContextMenuEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QMenu,
    QTableView,
    QWidget,
)
from pytestqt.qtbot import QtBot

import visualizer
from tests.ui.finding import child
from visualizer.session.selection import CellRef
from visualizer.ui.heatmap.widget import Heatmap
from visualizer.ui.widgets.focus_order import stops
from visualizer.ui.window.main_window import MainWindow
from visualizer.ui.window.palette import CommandPalette
from visualizer.ui.window.palette_commands import plain

#: What a context menu calls a command that the palette has under another name.
ALSO_CALLED = ((r"Reset (wte|wpe|.*\..*)", "Reset matrix"), (r"Force . here and branch", "Force this token"))

#: What has a context menu of its own, beside all heatmaps; of the others Qt's lists the panels, or cuts and pastes.
WITH_MENU = ("parameterTree", "weightGrid", "flowCanvas", "headMosaic", "arcs", "probabilityBars")


@pytest.fixture
def window(qtbot: QtBot) -> Iterator[MainWindow]:
    window = visualizer.ui.open_window()
    qtbot.addWidget(window)
    qtbot.waitExposed(window)
    window.session.wait()
    window.activateWindow()
    window.build_all()
    yield window
    for menu in window.findChildren(QMenu):
        menu.close()


def listed(window: MainWindow) -> set[str]:
    """The words of all commands that the palette lists now; it is closed again."""
    opens = window.findChild(QAction, "commandPaletteAction")
    palette = window.findChild(CommandPalette)
    assert opens is not None
    assert palette is not None
    opens.trigger()
    found = {command.text for command in palette.shown_commands()}
    palette.dismiss()
    return found


def test_every_action_of_the_window_is_in_the_palette(window: MainWindow) -> None:
    of_menus = {id(menu.menuAction()) for menu in window.findChildren(QMenu)}
    wanted = {
        plain(action.text())
        for action in window.findChildren(QAction)
        if action.isVisible() and plain(action.text()) and not action.isSeparator() and id(action) not in of_menus
    }
    assert len(wanted) > 80
    assert wanted - listed(window) == set()


def test_every_button_of_every_panel_is_in_the_palette(window: MainWindow) -> None:
    commands = listed(window)
    for dock in window.docks.values():
        dock.reveal()
        for button in dock.panel.findChildren(QAbstractButton):
            action = button.defaultAction() if hasattr(button, "defaultAction") else None
            has_menu = hasattr(button, "menu") and button.menu() is not None
            # Qt's own have such a name, a grid's corner only from 6.10.3 on.
            of_qt = button.objectName().startswith("qt_") or isinstance(button.parent(), QTableView)
            if button.isVisible() and not of_qt and not has_menu:
                words = plain(action.text() if action is not None else button.accessibleName() or button.text())
                assert words in commands, (dock.objectName(), button.objectName(), words)


def test_everything_a_context_menu_offers_by_the_keyboard_is_in_the_palette(window: MainWindow, qtbot: QtBot) -> None:
    opened = set()
    for dock in window.docks.values():
        window.session.selection.hover(None)
        dock.reveal()
        QApplication.processEvents()
        shown = [heatmap for heatmap in dock.panel.findChildren(Heatmap) if heatmap.objectName() != "secondHeatmap"]
        qtbot.waitUntil(lambda shown=shown: all(heatmap.layout_now() is not None for heatmap in shown))  # type: ignore[misc]
        for widget in stops(dock.panel):
            if not widget.isVisible() or not (isinstance(widget, Heatmap) or widget.objectName() in WITH_MENU):
                continue
            window.activateWindow()
            widget.setFocus(Qt.FocusReason.TabFocusReason)
            qtbot.keyClick(widget, Qt.Key.Key_Home)
            menu = menu_by_key(widget)
            if menu is None:
                continue
            opened.add(widget.objectName())
            offered = {in_palette(text) for text in texts(menu)}
            menu.close()
            with qtbot.waitActive(window):  # a menu may take the window's activity with it
                window.activateWindow()
            widget.setFocus(Qt.FocusReason.TabFocusReason)
            assert offered - listed(window) == set(), widget.objectName()
    assert {
        "scoresHeatmap",
        "lensHeatmap",
        "gradientWeights",
        "firstHeatmap",
        "flowCanvas",
        "headMosaic",
        "weightGrid",
        "probabilityBars",
    } <= opened


def menu_by_key(widget: QWidget) -> QMenu | None:
    """The menu that the menu key opens on a widget; None where there is none."""
    inner = widget.viewport() if hasattr(widget, "viewport") else widget
    cursor = widget.inputMethodQuery(Qt.InputMethodQuery.ImCursorRectangle)
    at = cursor.center() if cursor is not None else widget.rect().center()
    event = QContextMenuEvent(QContextMenuEvent.Reason.Keyboard, at, inner.mapToGlobal(at))
    QApplication.sendEvent(inner, event)
    menu = QApplication.activePopupWidget()
    return menu if isinstance(menu, QMenu) else None


def in_palette(text: str) -> str:
    """What the palette calls a command of a context menu."""
    return next((name for pattern, name in ALSO_CALLED if re.fullmatch(pattern, text)), text)


def texts(menu: QMenu) -> set[str]:
    """The words of all that can be done in a menu and its submenus."""
    found = {plain(action.text()) for action in menu.actions() if action.isEnabled() and not action.isSeparator()}
    submenus = menu.findChildren(QMenu)
    found -= {plain(submenu.title()) for submenu in submenus}
    return found.union(*(texts(submenu) for submenu in submenus if submenu.parent() is menu))


def test_the_chosen_number_can_be_intervened_in_from_the_palette(window: MainWindow, qtbot: QtBot) -> None:
    window.session.selection.choose(cell=CellRef("activation", "blocks.0.attn.pattern", (0, 4, 3)))
    qtbot.keyClick(window, Qt.Key.Key_P, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
    palette = window.findChild(CommandPalette)
    assert palette is not None
    qtbot.keyClicks(palette.edit, "this cell zero")
    qtbot.keyClick(palette.edit, Qt.Key.Key_Return)
    made = window.session.document.state.interventions
    assert [(change.kind, dict(change.where)["key"]) for change in made] == [("zero", 3)]


def test_a_heatmap_on_screen_can_be_exported_from_the_palette(window: MainWindow, qtbot: QtBot) -> None:
    qtbot.keyClick(window, Qt.Key.Key_P, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
    palette = window.findChild(CommandPalette)
    assert palette is not None
    qtbot.keyClicks(palette.edit, "logits heatmap copy")
    qtbot.keyClick(palette.edit, Qt.Key.Key_Return)
    heatmap = child(window, Heatmap, "logitsHeatmap")
    assert QApplication.clipboard().text().split() == [f"{value:g}" for value in heatmap.image().ravel()]


def test_f6_goes_from_panel_to_panel_and_back(window: MainWindow, qtbot: QtBot) -> None:
    window.prompt_bar.prompt_edit.setFocus()
    met = []
    for _ in range(3):
        qtbot.keyClick(window, Qt.Key.Key_F6)
        met.append(window.focusWidget().objectName())
    assert met[:2] == ["tokenStrip", "parameterTree"]
    for _ in range(3):
        qtbot.keyClick(window, Qt.Key.Key_F6, Qt.KeyboardModifier.ShiftModifier)
    assert window.prompt_bar.isAncestorOf(window.focusWidget())


def test_a_panel_floats_and_returns_by_keys_and_keeps_the_keyboard(window: MainWindow, qtbot: QtBot) -> None:
    heatmap = child(window, Heatmap, "scoresHeatmap")
    heatmap.setFocus()
    floats = next(action for action in window.findChildren(QAction) if action.text().startswith("&Float"))
    for floating in (True, False):
        floats.trigger()
        assert window.docks["attentionPanel"].isFloating() == floating
        qtbot.waitUntil(heatmap.hasFocus)
        assert window.docks["attentionPanel"].in_front
