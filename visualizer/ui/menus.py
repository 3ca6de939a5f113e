"""The menus: every action of every panel, in the places where people look for it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QApplication, QFileDialog, QMenu, QMessageBox

from visualizer.formats import PRESETS

if TYPE_CHECKING:
    from visualizer.ui.main_window import MainWindow


def build_menus(window: MainWindow) -> None:
    """Fill the menu bar of `window`."""
    bar = window.menuBar()
    _file(window, bar.addMenu("&File"))
    _edit(window, bar.addMenu("&Edit"))
    _view(window, bar.addMenu("&View"))
    model = bar.addMenu("&Model")
    for preset in PRESETS:
        _add(window, model, f"Open ({preset})*", partial(window.open_source, preset))
    generate = bar.addMenu("&Generate")
    for action in window.prompt_bar.actions_by_name.values():
        generate.addAction(action)
    _help(window, bar.addMenu("&Help"))


def _add(window: MainWindow, menu: QMenu, text: str, run: object, shortcut: str | None = None) -> QAction:
    action = QAction(text, window)
    if shortcut:
        action.setShortcut(QKeySequence(shortcut))
    action.triggered.connect(lambda _checked=False: run())  # type: ignore[operator]
    menu.addAction(action)
    return action


def _file(window: MainWindow, menu: QMenu) -> None:
    _add(window, menu, "Save window as &PNG…", partial(_save_picture, window), "Ctrl+Shift+E")
    menu.addSeparator()
    _add(window, menu, "&Quit", window.close, "Ctrl+Q")


def _edit(window: MainWindow, menu: QMenu) -> None:
    menu.addAction(window.undo_action)
    menu.addAction(window.redo_action)
    menu.addSeparator()
    for panel in (window.weights, window.parameters):
        for action in getattr(panel, "actions_by_name", {}).values():
            menu.addAction(action)


def _view(window: MainWindow, menu: QMenu) -> None:
    for action in window.attention.actions_by_name.values():
        menu.addAction(action)
    menu.addSeparator()
    panels = menu.addMenu("&Panels")
    for dock in window.docks:
        panels.addAction(dock.toggleViewAction())
    theme = menu.addMenu("&Theme")
    group = QActionGroup(window)
    chosen = str(window.remembered("theme", "system"))
    for choice in ("light", "dark", "system"):
        action = _add(window, theme, choice.capitalize(), partial(window.choose_theme, choice))
        action.setCheckable(True)
        action.setChecked(choice == chosen)
        group.addAction(action)
    menu.addSeparator()
    _add(window, menu, "&Full screen", partial(_toggle_full_screen, window), "F11")
    _add(window, menu, "&Let go of the selection", window.session.selection.let_go)


def _help(window: MainWindow, menu: QMenu) -> None:
    _add(window, menu, "&Keyboard shortcuts", partial(_show_shortcuts, window), "Ctrl+?")
    _add(window, menu, "&About", partial(_show_about, window))


def _toggle_full_screen(window: MainWindow) -> None:
    if window.isFullScreen():
        window.showNormal()
    else:
        window.showFullScreen()


def _save_picture(window: MainWindow) -> None:
    path, _ = QFileDialog.getSaveFileName(window, "Save window as PNG", "window.png", "PNG pictures (*.png)")
    if path and not window.grab().save(path, "PNG"):
        window.status.say(f"{path!r} could not be written; choose a folder that can be")
    elif path:
        window.status.say(f"saved {path}")


def _show_shortcuts(window: MainWindow) -> None:
    rows = []
    for action in window.findChildren(QAction):
        keys = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
        text = action.text().replace("&", "")
        if keys and text:
            rows.append(f"<tr><td style='padding-right:16px'><b>{keys}</b></td><td>{text}</td></tr>")
    QMessageBox.information(window, "Keyboard shortcuts", f"<table>{''.join(sorted(set(rows)))}</table>")


def _show_about(window: MainWindow) -> None:
    QMessageBox.about(
        window,
        "About",
        f"<b>Attention visualizer {QApplication.applicationVersion()}</b>"
        "<p>See, question and change every number of a transformer.</p>"
        "<p>The handmade model is after “I made a transformer by hand (no training!)” by Theia Vogel.</p>",
    )
