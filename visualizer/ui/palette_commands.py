"""Every command of a window, found among its actions: what it is called, where it stands, and its keys."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QDockWidget, QMainWindow, QMenu, QWidget

from visualizer.ui.palette_match import match


@dataclass(frozen=True)
class Command:
    """One action of the window.

    Attributes:
        text: its words, without the marks of mnemonics.
        place: the menu it stands in (`View › Theme`), or the panel that it belongs to.
        keys: its shortcut as the platform writes it; empty without one.
        action: what triggers it.
    """

    text: str
    place: str
    keys: str
    action: QAction

    @property
    def name(self) -> str:
        """Text and place: what tells it from all others, also in another run of the program."""
        return f"{self.place} › {self.text}" if self.place else self.text


def commands(window: QMainWindow) -> list[Command]:
    """All commands of the window, those of the menus first, in the menus' order.

    Separators, submenus, invisible actions and those of context menus and other windows are left out.
    """
    # QAction.menu() would tie the menu's life to the action's wrapper, so the menus are asked for their actions.
    menus = {menu.menuAction(): menu for menu in window.findChildren(QMenu)}
    places: dict[QAction, str] = {}
    of_bar: set[QObject] = set()
    for top in window.menuBar().actions():
        for place, action in _in_menu(top, (), menus, of_bar):
            places.setdefault(action, place)
    for action in window.findChildren(QAction):
        if action not in places and action not in menus and _belongs(action, window, of_bar):
            places[action] = _panel(action)
    found: dict[tuple[str, str], Command] = {}
    for action, place in places.items():
        text = plain(action.text())
        if not text or action.isSeparator() or not action.isVisible():
            continue
        keys = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
        found.setdefault((text, place), Command(text, place, keys, action))
    return list(found.values())


def plain(text: str) -> str:
    """An action's text without the marks of mnemonics."""
    return text.replace("&&", "\0").replace("&", "").replace("\0", "&").strip()


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
            key = (not command.action.isEnabled(), own is None, -fit, used, index)
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
        elif isinstance(ancestor, QWidget) and ancestor.isWindow():
            # A floating dock is a window of its own and yet a part of this one.
            return ancestor is window or isinstance(ancestor, QDockWidget)
    return False


def _panel(action: QAction) -> str:
    """What the part of the window is called that an action outside the menus belongs to."""
    for ancestor in _ancestors(action):
        if isinstance(ancestor, QDockWidget):
            return plain(ancestor.windowTitle())
    for ancestor in _ancestors(action):
        if isinstance(ancestor, QWidget) and not ancestor.isWindow() and ancestor.accessibleName():
            return ancestor.accessibleName()
    return ""


def _ancestors(action: QAction) -> Iterator[QObject]:
    parent = action.parent()
    while parent is not None:
        yield parent
        parent = parent.parent()
