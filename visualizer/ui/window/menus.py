"""The menus: every action of every panel, in the places where people look for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from html import escape
from typing import Protocol

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QFileDialog, QMainWindow, QMenu, QMessageBox

from visualizer.formats import PRESETS, SHIPPED, save_safetensors
from visualizer.session.session import Session
from visualizer.ui.bridge.panel import SessionPanel
from visualizer.ui.look.theme import THEMES
from visualizer.ui.widgets.focus_order import enter
from visualizer.ui.widgets.plain_text import entry_words
from visualizer.ui.window.docks import PanelDock
from visualizer.ui.window.guide import guide_actions
from visualizer.ui.window.palette import CommandPalette
from visualizer.ui.window.script_export import script_action
from visualizer.ui.window.status import StatusBar


class Commands(Protocol):
    """What a window has and does that its menus offer."""

    session: Session
    status: StatusBar
    docks: dict[str, PanelDock]
    undo_action: QAction
    redo_action: QAction

    def remembered(self, key: str, default: object) -> object:
        """A remembered setting."""

    def open_source(self, source: str) -> None:
        """Open a preset or a file."""

    def note_saved(self) -> None:
        """The model as it is now has been written to a file."""

    def choose_theme(self, choice: str) -> None:
        """Use the light or dark theme, or the system's."""

    def build_next(self) -> bool:
        """Build one panel that nobody has looked at yet; returns whether there are more."""

    def build_all(self) -> None:
        """Build all panels now."""

    def menus_here(self) -> list[QMenu]:
        """The context menus of what is chosen, not shown."""

    def go_to_panel(self, by: int) -> None:
        """Give the keyboard to another panel."""

    def float_panel(self) -> None:
        """Make a window of the panel that has the keyboard, or put it back."""

    def reset_layout(self) -> None:
        """Put every panel back into its place."""


class Menus:
    """The menu bar of a window. Panels that are built later add their actions when they are."""

    def __init__(self, window: QMainWindow, does: Commands) -> None:
        """The menus stand in `window`, and offer what `does` does."""
        self._window, self._does = window, does
        bar = window.menuBar()
        names = ("&File", "&Edit", "&View", "&Model", "&Generate", "&Help")
        self.file, self.edit, self.view, self.model, self.generate, self.help = map(bar.addMenu, names)
        self.panels = QMenu("&Panels", window)
        self._of_panels: dict[str, QMenu] = {}

    def fill(self) -> None:
        """Add what the window itself offers, once its panels are there."""
        self._fill_file()
        self._fill_edit()
        self._fill_view()
        self._fill_model()
        self._fill_help()

    def take_actions(self, panel: SessionPanel) -> None:
        """Put what a panel can do where people look for it."""
        actions = list(panel.actions_by_name.values())
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
            dock = self._does.docks[name]
            menu = self._of_panels[name] = QMenu(dock.windowTitle(), self._window)
            menu.addAction(_show_action(self._window, dock))
        return self._of_panels[name]

    def _add(self, menu: QMenu, text: str, run: Callable[[], object], shortcut: str | None = None) -> QAction:
        action = QAction(text, self._window)
        if shortcut:
            action.setShortcut(QKeySequence(shortcut))
        action.triggered.connect(lambda _checked=False: run())
        menu.addAction(action)
        return action

    def _fill_file(self) -> None:
        window, does, menu = self._window, self._does, self.file
        self._add(menu, "&Open…", partial(_open, window, does), "Ctrl+O")
        self._add(menu, "&Save model as…", partial(_save, window, does), "Ctrl+S")
        menu.addSeparator()
        menu.addAction(script_action(does.session, window, does.status.say))
        self._add(menu, "Save window as &PNG…", partial(_save_picture, window, does), "Ctrl+Shift+E")
        menu.addSeparator()
        self._add(menu, "&Quit", window.close, "Ctrl+Q")

    def _fill_edit(self) -> None:
        """Undo and redo stand before what the panels have put here."""
        before = self.edit.actions()
        for action in (self._does.undo_action, self._does.redo_action):
            if before:
                self.edit.insertAction(before[0], action)
            else:
                self.edit.addAction(action)
        if before:
            self.edit.insertSeparator(before[0])

    def _fill_view(self) -> None:
        window, does, menu = self._window, self._does, self.view
        menu.addMenu(self.panels)
        self._fill_panels()
        self._fill_themes(menu.addMenu("&Theme"))
        menu.addSeparator()
        palette = CommandPalette(window, does.build_next, does.menus_here)
        opens = self._add(menu, "&Command palette", partial(palette.open_for, window), "Ctrl+Shift+P")
        opens.setObjectName("commandPaletteAction")
        self._add(menu, "&Full screen", partial(_toggle_full_screen, window), "F11")
        self._add(menu, "&Clear selection", does.session.selection.let_go, "Ctrl+Shift+A")
        menu.addSeparator()
        for name, dock in does.docks.items():
            of_panel = self._menu_of(name)
            of_panel.aboutToShow.connect(dock.build)  # its commands are wanted
            menu.addMenu(of_panel)

    def _fill_panels(self) -> None:
        does, menu = self._does, self.panels
        for dock in does.docks.values():
            menu.addAction(_sight_action(self._window, dock))
        menu.addSeparator()
        self._add(menu, "&Next panel", partial(does.go_to_panel, 1), "F6")
        self._add(menu, "&Previous panel", partial(does.go_to_panel, -1), "Shift+F6")
        self._add(menu, "&Float this panel, or put it back", does.float_panel)
        self._add(menu, "&Reset layout", does.reset_layout)

    def _fill_themes(self, menu: QMenu) -> None:
        group = QActionGroup(self._window)
        chosen = str(self._does.remembered("theme", "system"))
        for choice in THEMES:
            action = self._add(menu, f"{choice.capitalize()} theme", partial(self._does.choose_theme, choice))
            action.setCheckable(True)
            action.setChecked(choice == chosen)
            group.addAction(action)

    def _fill_model(self) -> None:
        does, menu = self._does, self.model
        for preset in PRESETS:
            self._add(menu, f"Open ({preset})*", partial(does.open_source, preset))
        menu.addSeparator()
        for name in SHIPPED:
            self._add(menu, f"Open the trained model {name}", partial(does.open_source, name))

    def _fill_help(self) -> None:
        self.help.addActions(guide_actions(self._window))
        self._add(self.help, "&Keyboard shortcuts", partial(_show_shortcuts, self._window, self._does), "Ctrl+?")
        self._add(self.help, "&About", partial(_show_about, self._window))


def _show_action(window: QMainWindow, dock: PanelDock) -> QAction:
    """Brings a panel to the front and gives it the keyboard."""
    action = QAction(f"Show {dock.windowTitle()}", window)
    action.triggered.connect(lambda _checked=False: _show(dock))
    return action


def _show(dock: PanelDock) -> None:
    dock.reveal()
    if not enter(dock.panel):
        dock.panel.setFocus(Qt.FocusReason.ShortcutFocusReason)  # an empty panel: F1 tells of it


def _sight_action(window: QMainWindow, dock: PanelDock) -> QAction:
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


def _open(window: QMainWindow, does: Commands) -> None:
    path, _ = QFileDialog.getOpenFileName(window, "Open a model", "", "Models (*.safetensors);;All files (*)")
    if path:
        does.open_source(path)


def _save(window: QMainWindow, does: Commands) -> None:
    from visualizer.ui.window.export import asked_name, try_to_write  # here, so that the window opens without it

    state = does.session.document.state
    name = f"{state.opened.name}.safetensors"
    target = asked_name(window, name, "Models (*.safetensors)", ".safetensors", "Save the model")
    if target is None:
        return
    opened = replace(state.opened, model=state.model)

    def write() -> None:
        save_safetensors(opened, target)
        does.note_saved()

    try_to_write(write, does.status.say, target)


def _toggle_full_screen(window: QMainWindow) -> None:
    if window.isFullScreen():
        window.showNormal()
    else:
        window.showFullScreen()


def _save_picture(window: QMainWindow, does: Commands) -> None:
    from visualizer.ui.widgets.drawing import widget_image
    from visualizer.ui.window.export import ask_and_export_image  # here, so that the window opens without it

    ask_and_export_image(window, widget_image(window), "window", does.status.say)


def _show_shortcuts(window: QMainWindow, does: Commands) -> None:
    does.build_all()
    rows = []
    for action in window.findChildren(QAction):
        keys = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
        text = escape(entry_words(action.text()))
        if keys and text:
            rows.append(f"<tr><td style='padding-right:16px'><b>{escape(keys)}</b></td><td>{text}</td></tr>")
    QMessageBox.information(window, "Keyboard shortcuts", f"<table>{''.join(sorted(set(rows)))}</table>")


def _show_about(window: QMainWindow) -> None:
    from importlib.metadata import version  # here, for it brings all of email with it

    QMessageBox.about(
        window,
        "About",
        f"<b>Attention visualizer {version('attention-visualizer')}</b>"
        "<p>See, question and change every number of a transformer.</p>"
        "<p>The handmade model is after “I made a transformer by hand (no training!)” by Theia Vogel.</p>",
    )
