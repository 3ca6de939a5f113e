"""The menus: every action of every panel, in the places where people look for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QFileDialog, QMenu, QMessageBox, QWidget

from visualizer.errors import InputError
from visualizer.formats import PRESETS, SHIPPED, save_safetensors
from visualizer.ui.widgets.focus_order import enter
from visualizer.ui.window.docks import PanelDock
from visualizer.ui.window.export import ask_and_export_picture, script_action
from visualizer.ui.window.guide import guide_actions
from visualizer.ui.window.palette import CommandPalette

if TYPE_CHECKING:
    from visualizer.ui.window.main_window import MainWindow


class Menus:
    """The menu bar of a window. Panels that are built later add their actions when they are."""

    def __init__(self, window: MainWindow) -> None:
        self._window = window
        bar = window.menuBar()
        names = ("&File", "&Edit", "&View", "&Model", "&Generate", "&Help")
        self.file, self.edit, self.view, self.model, self.generate, self.help = map(bar.addMenu, names)
        self.panels = QMenu("&Panels", window)
        self._of_panels: dict[str, QMenu] = {}

    def fill(self) -> None:
        """Add what the window itself offers, once its panels are there."""
        window = self._window
        _file(window, self.file)
        before = self.edit.actions()
        for action in (window.undo_action, window.redo_action):
            if before:
                self.edit.insertAction(before[0], action)
            else:
                self.edit.addAction(action)
        if before:
            self.edit.insertSeparator(before[0])
        _view(window, self.view)
        self.view.addSeparator()
        for name, dock in window.docks.items():
            menu = self._menu_of(name)
            menu.aboutToShow.connect(partial(_build, dock))
            self.view.addMenu(menu)
        for preset in PRESETS:
            _add(window, self.model, f"Open ({preset})*", partial(window.open_source, preset))
        self.model.addSeparator()
        for name in SHIPPED:
            _add(window, self.model, f"Open the trained model {name}", partial(window.open_source, name))
        _help(window, self.help)

    def take_actions(self, panel: QWidget) -> None:
        """Put what a panel can do where people look for it."""
        actions = list(getattr(panel, "actions_by_name", {}).values())
        if not actions:
            return
        name = panel.objectName()
        if name == "promptBar":
            self.generate.addActions(actions)
        elif name in ("weightPanel", "parameterPanel"):
            self.edit.addActions(actions)
        else:
            menu = self._menu_of(name)
            menu.addSeparator()
            menu.addActions(actions)

    def _menu_of(self, name: str) -> QMenu:
        """The menu of a panel: to show it, and its own commands once it is built."""
        if name not in self._of_panels:
            dock = self._window.docks[name]
            menu = self._of_panels[name] = QMenu(dock.windowTitle(), self._window)
            menu.addAction(_show_action(self._window, dock))
        return self._of_panels[name]


def _build(dock: PanelDock) -> None:
    """A panel's menu is opened: its commands are wanted."""
    assert dock.panel is not None


def _add(window: MainWindow, menu: QMenu, text: str, run: Callable[[], object], shortcut: str | None = None) -> QAction:
    action = QAction(text, window)
    if shortcut:
        action.setShortcut(QKeySequence(shortcut))
    action.triggered.connect(lambda _checked=False: run())
    menu.addAction(action)
    return action


def _show_action(window: MainWindow, dock: PanelDock) -> QAction:
    """Brings a panel to the front and gives it the keyboard."""
    action = QAction(f"Show {dock.windowTitle()}", window)
    action.triggered.connect(lambda _checked=False: _show(dock))
    return action


def _show(dock: PanelDock) -> None:
    dock.reveal()
    if not enter(dock.panel):
        dock.panel.setFocus(Qt.FocusReason.ShortcutFocusReason)  # an empty panel: F1 tells of it


def _sight_action(window: MainWindow, dock: PanelDock) -> QAction:
    """Ticked while a panel is in sight: closes that one, shows one that is closed or behind another."""
    action = QAction(dock.windowTitle(), window)
    action.setCheckable(True)

    def seen(_visible: bool) -> None:
        action.setChecked(dock.isVisible() and dock.in_front)

    def toggle() -> None:
        if dock.isVisible() and dock.in_front:
            dock.close()
        else:
            _show(dock)
        seen(True)

    dock.visibilityChanged.connect(seen)
    action.triggered.connect(lambda _checked=False: toggle())
    return action


def _file(window: MainWindow, menu: QMenu) -> None:
    _add(window, menu, "&Open…", partial(_open, window), "Ctrl+O")
    _add(window, menu, "&Save model as…", partial(_save, window), "Ctrl+S")
    menu.addSeparator()
    menu.addAction(script_action(window.session, window, window.status.say))
    _add(window, menu, "Save window as &PNG…", partial(_save_picture, window), "Ctrl+Shift+E")
    menu.addSeparator()
    _add(window, menu, "&Quit", window.close, "Ctrl+Q")


def _view(window: MainWindow, menu: QMenu) -> None:
    panels = window.menus.panels
    menu.addMenu(panels)
    for dock in window.docks.values():
        panels.addAction(_sight_action(window, dock))
    panels.addSeparator()
    _add(window, panels, "&Next panel", partial(window.go_to_panel, 1), "F6")
    _add(window, panels, "&Previous panel", partial(window.go_to_panel, -1), "Shift+F6")
    _add(window, panels, "&Float this panel, or put it back", window.float_panel)
    _add(window, panels, "&Reset layout", window.reset_layout)
    theme = menu.addMenu("&Theme")
    group = QActionGroup(window)
    chosen = str(window.remembered("theme", "system"))
    for choice in ("light", "dark", "system"):
        action = _add(window, theme, f"{choice.capitalize()} theme", partial(window.choose_theme, choice))
        action.setCheckable(True)
        action.setChecked(choice == chosen)
        group.addAction(action)
    menu.addSeparator()
    palette = CommandPalette(window, window.build_next, window.menus_here)
    opens = _add(window, menu, "&Command palette", partial(palette.open_for, window), "Ctrl+Shift+P")
    opens.setObjectName("commandPaletteAction")
    _add(window, menu, "&Full screen", partial(_toggle_full_screen, window), "F11")
    _add(window, menu, "&Let go of the selection", window.session.selection.let_go, "Ctrl+Shift+A")


def _help(window: MainWindow, menu: QMenu) -> None:
    menu.addActions(guide_actions(window))
    _add(window, menu, "&Keyboard shortcuts", partial(_show_shortcuts, window), "Ctrl+?")
    _add(window, menu, "&About", partial(_show_about, window))


def _open(window: MainWindow) -> None:
    path, _ = QFileDialog.getOpenFileName(window, "Open a model", "", "Models (*.safetensors);;All files (*)")
    if path:
        window.open_source(path)


def _save(window: MainWindow) -> None:
    state = window.session.document.state
    path, _ = QFileDialog.getSaveFileName(
        window, "Save the model", f"{state.opened.name}.safetensors", "Models (*.safetensors)"
    )
    if not path:
        return
    target = Path(path).with_suffix(".safetensors")
    try:
        save_safetensors(replace(state.opened, model=state.model), target)
    except InputError as error:
        window.status.say(str(error))
    else:
        window.status.say(f"saved {target}")


def _toggle_full_screen(window: MainWindow) -> None:
    if window.isFullScreen():
        window.showNormal()
    else:
        window.showFullScreen()


def _save_picture(window: MainWindow) -> None:
    ask_and_export_picture(window, window.grab().toImage(), "window", window.status.say)


def _show_shortcuts(window: MainWindow) -> None:
    window.build_all()
    rows = []
    for action in window.findChildren(QAction):
        keys = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
        text = action.text().replace("&", "")
        if keys and text:
            rows.append(f"<tr><td style='padding-right:16px'><b>{keys}</b></td><td>{text}</td></tr>")
    QMessageBox.information(window, "Keyboard shortcuts", f"<table>{''.join(sorted(set(rows)))}</table>")


def _show_about(window: MainWindow) -> None:
    from importlib.metadata import version  # here, for it brings all of email with it

    QMessageBox.about(
        window,
        "About",
        f"<b>Attention visualizer {version('attention-visualizer')}</b>"
        "<p>See, question and change every number of a transformer.</p>"
        "<p>The handmade model is after “I made a transformer by hand (no training!)” by Theia Vogel.</p>",
    )
