"""What a widget that paints itself says to a screen reader."""

from __future__ import annotations

from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent
from PySide6.QtWidgets import QWidget


def speak(widget: QWidget, words: str | None = None) -> None:
    """Say aloud what the keyboard has come to in `widget`; without `words`, its description as it is."""
    if words is not None and words != widget.accessibleDescription():
        widget.setAccessibleDescription(words)
    QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(widget, widget.accessibleDescription()))
