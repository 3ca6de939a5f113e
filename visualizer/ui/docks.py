"""Docks that build their panel when it is first seen, so that the window opens before all of it exists."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QDockWidget, QMainWindow, QWidget


class PanelDock(QDockWidget):
    """A dock for one panel.

    Signals:
        built(object): the panel has just been made; it is the dock's widget.
    """

    built = Signal(object)

    def __init__(self, title: str, name: str, build: Callable[[], QWidget], window: QMainWindow) -> None:
        """`name` is the panel's object name; the dock is called after it."""
        super().__init__(title, window)
        self.setObjectName(f"{name}Dock")
        self._build: Callable[[], QWidget] | None = build
        self.visibilityChanged.connect(self._seen)

    @property
    def panel(self) -> QWidget:
        """The panel, built now if nobody has seen it yet."""
        if self._build is not None:
            build, self._build = self._build, None
            panel = build()
            self.setWidget(panel)
            self.built.emit(panel)
        return self.widget()

    def reveal(self) -> None:
        """Show the panel, in front of those that share its place."""
        assert self.panel is not None
        self.show()
        self.raise_()

    def _seen(self, visible: bool) -> None:
        if visible:
            assert self.panel is not None
