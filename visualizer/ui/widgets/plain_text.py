"""Texts of other people's, tokens above all, shown as they are: no markup in a tool tip, no mnemonic in a menu."""

from __future__ import annotations

from html import escape

from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import Qt as GuiQt
from PySide6.QtWidgets import QLabel, QToolTip, QWidget


class PlainLabel(QLabel):
    """A label whose text is no markup, whatever it looks like."""

    def __init__(self, text: str, parent: QWidget | None) -> None:
        super().__init__(parent)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setText(text)


def as_tip(text: str) -> str:
    """A tool tip that says `text`: where Qt would take it for markup, as markup that says it."""
    return f"<p style='white-space:pre-wrap'>{escape(text)}</p>" if GuiQt.mightBeRichText(text) else text


def as_entry(text: str) -> str:
    """The text of a menu entry, a button or a tab that says `text`: an ampersand alone would underline what follows."""
    return text.replace("&", "&&")


def entry_words(text: str) -> str:
    """What a menu entry, a button or a tab says, without its mnemonic: the inverse of `as_entry`."""
    return text.replace("&&", "\0").replace("&", "").replace("\0", "&")


def show_tip(at: QPoint, text: str, widget: QWidget, area: QRect | None = None) -> None:
    """Show `text` as a tool tip at a place of the screen, for as long as the mouse stays in `area` of the widget."""
    QToolTip.showText(at, as_tip(text), widget, *(() if area is None else (area,)))
