"""A veil over a panel whose numbers are not up to date."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QVBoxLayout, QWidget

from visualizer.ui.look.theme import current_theme
from visualizer.ui.widgets.plain_text import PlainLabel

OPACITY = 55  # per cent
BEFORE = "from before the last change"


class Veil(QWidget):
    """Over a panel whose numbers are from before the last change: they stay legible, and say so. Takes no clicks.

    All of it is painted without Python, which the work under way would keep waiting.
    """

    def __init__(self, panel: QWidget) -> None:
        super().__init__(panel)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setObjectName("veil")
        self.setAccessibleName(BEFORE)
        theme = current_theme()
        ground = QColor(theme.background)
        self.setStyleSheet(
            f"#veil {{ background: rgba({ground.red()}, {ground.green()}, {ground.blue()}, {OPACITY}%); }}"
            f"#veilWords {{ color: {theme.text}; background: {theme.panel}; border: 1px solid {theme.text};"
            " padding: 1px 5px; }"
        )
        words = PlainLabel(BEFORE, self)
        words.setObjectName("veilWords")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.addWidget(words, 0, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignBottom)
        self.setGeometry(panel.rect())
        self.raise_()
        self.show()
