"""Veils over all panels that show what was computed, while it is computed anew."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QObject, QTimer

from visualizer.ui.window.docks import PanelDock

#: Between the veils of two panels.
EVERY_MS = 15


class Veils(QObject):
    """Veils the panels of some docks one after the other: to draw all of them anew at once, with the engine at work,
    would be felt.
    """

    def __init__(self, docks: Sequence[PanelDock], parent: QObject) -> None:
        super().__init__(parent)
        self._docks = docks
        self._waiting: list[PanelDock] = []
        self._timer = QTimer(self, singleShot=True, interval=EVERY_MS)
        self._timer.timeout.connect(self._next)

    def mark(self, stale: bool) -> None:
        """Veil what is seen, or take all veils away."""
        self._waiting = list(self._docks) if stale else []
        for dock in [] if stale else self._docks:
            dock.mark_stale(False)
        self._next()

    def _next(self) -> None:
        while self._waiting:
            dock = self._waiting.pop(0)
            dock.mark_stale(True)
            if dock.in_front:
                self._timer.start()
                return
