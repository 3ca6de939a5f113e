"""Every command of a window, found among its actions and buttons: its words, where it stands, and its keys."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QAbstractButton, QDockWidget, QGraphicsScene, QMainWindow, QMenu, QToolButton, QWidget

from visualizer.session.words.fuzzy_match import match
from visualizer.ui.widgets.plain_text import entry_words
from visualizer.ui.window.docks import PanelDock


@dataclass(frozen=True)
class Command:
    """One action or button of the window.

    Attributes:
        text: its words, without the marks of mnemonics.
        place: the menu it stands in (`View › Theme`), or the panel that it belongs to.
        keys: its shortcut as the platform writes it; empty without one.
        source: the action that is triggered, or the button that is clicked.
    """

    text: str
    place: str
    keys: str
    source: QAction | QAbstractButton

    @property
    def name(self) -> str:
        """Text and place: what tells it from all others, also in another run of the program."""
        return f"{self.place} › {self.text}" if self.place else self.text

    @property
    def enabled(self) -> bool:
        """Whether it can be run now."""
        return self.source.isEnabled()

    @property
    def ticked(self) -> bool:
        """Whether it is a switch that is on."""
        return self.source.isCheckable() and self.source.isChecked()

    @property
    def tip(self) -> str:
        """What it does, where more is said than its words."""
        return self.source.statusTip() or self.source.toolTip()

    def run(self) -> None:
        """Do it; the panel of a button is shown, for its answer stands there."""
        if isinstance(self.source, QAction):
            self.source.trigger()
            return
        for ancestor in _ancestors(self.source):
            if isinstance(ancestor, QDockWidget):
                ancestor.show()
                ancestor.raise_()
        self.source.click()


def commands(window: QMainWindow, here: Sequence[QMenu] = ()) -> list[Command]:
    """All commands of the window, those of the menus first, in the menus' order; then those of the buttons.

    `here` are context menus of what is chosen, and no children of the window; of them only what can be done is taken.
    Separators, submenus, what is invisible, and what belongs to other context menus and windows is left out.
    """
    # QAction.menu() would tie the menu's life to the action's wrapper, so the menus are asked for their actions.
    of_here = [inner for menu in here for inner in (menu, *menu.findChildren(QMenu))]
    menus = {menu.menuAction(): menu for menu in (*window.findChildren(QMenu), *of_here)}
    places: dict[QAction, str] = {}
    of_bar: set[QObject] = set()
    for top in window.menuBar().actions():
        for place, action in _in_menu(top, (), menus, of_bar):
            places.setdefault(action, place)
    for action in window.findChildren(QAction):
        if action not in places and action not in menus and _belongs(action, window, of_bar):
            places[action] = _panel(action)
    for menu in here:
        for place, action in _in_menu(menu.menuAction(), (), menus, of_bar):
            if action.isEnabled():
                places.setdefault(action, place)
    found: dict[tuple[str, str], Command] = {}
    for action, place in places.items():
        text = plain(action.text())
        if not text or action.isSeparator() or not action.isVisible():
            continue
        keys = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
        found.setdefault((text, place), Command(text, place, keys, action))
    of_actions = {(text, place.split(" › ")[-1]) for text, place in found}
    for button in window.findChildren(QAbstractButton):
        text, place = button.accessibleName() or plain(button.text()), _panel(button)
        if text and (text, place) not in of_actions and _stands_alone(button, window):
            found.setdefault((text, place), Command(text, place, "", button))
    return list(found.values())


def plain(text: str) -> str:
    """An action's text without the marks of mnemonics."""
    return entry_words(text).strip()


def ranked(all_commands: Sequence[Command], query: str, recent: Sequence[str]) -> list[Command]:
    """The commands that fit the query, best first; without a query all, those used last first.

    Commands that are disabled now come after the others.
    """
    order = {name: place for place, name in enumerate(recent)}
    scored = []
    for index, command in enumerate(all_commands):
        own = match(query, command.text)
        found = own if own is not None else match(query, command.name)
        if found is not None:
            used = order.get(command.name, len(order))
            # Words of the text count before those of the menu that it stands in, short texts before long ones.
            fit = 0.0 if not query.strip() else found[0] - (len(command.text) / 1000 if own is not None else 0.0)
            key = (not command.enabled, own is None, -fit, used, index)
            scored.append((key, command))
    return [command for _, command in sorted(scored, key=lambda pair: pair[0])]


def _in_menu(
    action: QAction, path: tuple[str, ...], menus: Mapping[QAction, QMenu], seen: set[QObject]
) -> Iterator[tuple[str, QAction]]:
    """The actions below one of a menu bar or menu, each with the path to it; the menus on the way join `seen`."""
    menu = menus.get(action)
    if menu is None:
        yield " › ".join(path), action
        return
    seen.add(menu)
    for inner in menu.actions():
        yield from _in_menu(inner, (*path, plain(action.text())), menus, seen)


def _belongs(action: QAction, window: QMainWindow, of_bar: Collection[QObject]) -> bool:
    """Whether an action is one of this window's, and of no context menu."""
    for ancestor in _ancestors(action):
        if isinstance(ancestor, QMenu):
            if ancestor not in of_bar:
                return False
        elif isinstance(ancestor, QGraphicsScene):  # the plotting library's own menu
            return False
        elif isinstance(ancestor, QWidget) and ancestor.isWindow():
            # A floating dock is a window of its own and yet a part of this one.
            return ancestor is window or isinstance(ancestor, QDockWidget)
    return False


def _stands_alone(button: QAbstractButton, window: QMainWindow) -> bool:
    """Whether a button is one that can be seen, and not the picture of an action or a part of Qt's own."""
    if button.objectName().startswith("qt_") or (
        isinstance(button, QToolButton) and (button.defaultAction() is not None or button.menu() is not None)
    ):
        return False
    dock = next((part for part in _ancestors(button) if isinstance(part, PanelDock)), None)
    return button.isVisibleTo(window if dock is None else dock.panel)


def _panel(action: QObject) -> str:
    """What the part of the window is called that an action outside the menus, or a button, belongs to."""
    for ancestor in _ancestors(action):
        if isinstance(ancestor, QDockWidget):
            return plain(ancestor.windowTitle())
    for ancestor in _ancestors(action):
        if isinstance(ancestor, QWidget) and not ancestor.isWindow() and ancestor.accessibleName():
            return ancestor.accessibleName()
    return ""


def _ancestors(action: QObject) -> Iterator[QObject]:
    parent = action.parent()
    while parent is not None:
        yield parent
        parent = parent.parent()
