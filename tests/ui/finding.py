"""Widgets as a person finds them: by what they are called, on screen."""

from typing import TypeVar

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QLabel, QWidget
from pytestqt.qtbot import QtBot

Kind = TypeVar("Kind", bound=QObject)
Shown = TypeVar("Shown", bound=QWidget)


def child(parent: QObject, kind: type[Kind], name: str) -> Kind:
    """What has an object name below `parent`."""
    found = parent.findChild(kind, name)
    assert found is not None, name
    return found


def words(parent: QObject, name: str) -> str:
    """The text of a label, empty where it is hidden."""
    label = child(parent, QLabel, name)
    return label.text() if label.isVisible() else ""


def on_screen(widget: Shown, qtbot: QtBot, width: int, height: int) -> Shown:
    """A widget, shown at a size; closed when the test ends."""
    qtbot.addWidget(widget)
    widget.resize(width, height)
    widget.show()
    return widget
