"""Buttons with all that every button needs: a name, words for who cannot see it, and a tooltip."""

from __future__ import annotations

from PySide6.QtGui import QAction
from PySide6.QtWidgets import QPushButton, QToolButton, QWidget


def action_button(action: QAction, name: str, parent: QWidget, flat: bool = False) -> QToolButton:
    """A button that shows an action and does it; a flat one has no frame until the mouse is over it."""
    button = QToolButton(parent)
    button.setObjectName(name)
    button.setDefaultAction(action)
    button.setAccessibleName(action.text())
    button.setAutoRaise(flat)
    return button


def push_button(text: str, name: str, tip: str, parent: QWidget) -> QPushButton:
    """A button with words on it, which does nothing until it is connected."""
    button = QPushButton(text, parent)
    button.setObjectName(name)
    button.setToolTip(tip)
    return button
