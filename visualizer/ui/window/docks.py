"""Docks that build their panel when it is first seen, so that the window opens before all of it exists."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QApplication, QDockWidget, QFrame, QMainWindow, QScrollArea, QVBoxLayout, QWidget

from visualizer.ui.bridge.panel import SessionPanel
from visualizer.ui.bridge.remarks import RemarkStrip, pass_remarks
from visualizer.ui.widgets.focus_order import go_through
from visualizer.ui.window.veil import Veil


class PanelDock(QDockWidget):
    """A dock for one panel.

    Signals:
        built(object): the panel has just been made; it is the dock's widget.
        edge_moved(): the user is moving an edge between this panel and another.

    Attributes:
        panel_name: the panel's object name.
        in_front: whether the panel is seen, and not only the tab of it.
        scrolls: whether the panel is scrolled where it has less room than it needs.
        shows_pass: whether a strip above the panel says what is not plain about the pass that it shows.
        least: the (width, height) in pixels that the panel is given at least. It is fixed, so that a panel whose
            contents change never pushes its neighbours about.
    """

    built = Signal(object)
    edge_moved = Signal()

    def __init__(self, title: str, name: str, build: Callable[[], SessionPanel], window: QMainWindow) -> None:
        """`name` is the panel's object name; the dock is called after it."""
        super().__init__(title, window)
        self.setObjectName(f"{name}Dock")
        self.panel_name = name
        self.in_front = False
        self._least = (1, 1)
        self._stale = False
        self._veil: Veil | None = None
        self._make = build
        self._panel: SessionPanel | None = None
        self.scrolls = True
        self.shows_pass = False
        self._strip: RemarkStrip | None = None
        self.toggleViewAction().setVisible(False)  # the View menu has its own, which also brings the panel to the front
        self.visibilityChanged.connect(self._seen)

    @property
    def least(self) -> tuple[int, int]:
        """Width and height in pixels that the panel is given at least."""
        return self._least

    @least.setter
    def least(self, size: tuple[int, int]) -> None:
        self._least = size
        if self._panel is not None:
            self.widget().setMinimumSize(*size)

    @property
    def panel(self) -> SessionPanel:
        """The panel, built now if nobody has seen it yet."""
        return self.build() if self._panel is None else self._panel

    def build(self) -> SessionPanel:
        """Make the panel, if nobody has seen it yet; returns it."""
        if self._panel is None:
            self._panel = self._make()
            self.setWidget(self._body(self._panel))
            self.widget().setMinimumSize(*self._least)
            self._hide_behind()
            self.built.emit(self._panel)
        return self._panel

    def _body(self, panel: SessionPanel) -> QWidget:
        room: QWidget = _Room(panel) if self.scrolls else panel
        if not self.shows_pass:
            return room
        body = QWidget(self)
        rows = QVBoxLayout(body)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(0)
        self._strip = RemarkStrip(body)
        rows.addWidget(self._strip)
        rows.addWidget(room, 1)
        session = panel.session
        session.document.subscribe(lambda _change: self._remark())
        session.subscribe(lambda _result: self._remark())
        session.selection.subscribe(lambda _before, _now: self._remark())
        panel.remarks_changed.connect(self._remark)
        return body

    def _remark(self) -> None:
        """Say what is not plain, where anybody sees it."""
        if self._strip is not None and self._panel is not None and self.in_front:
            self._strip.show_remarks([*pass_remarks(self._panel.session), *self._panel.remarks()])

    @property
    def built_panel(self) -> SessionPanel | None:
        """The panel, or None while nobody has seen it."""
        return self._panel

    def reveal(self) -> None:
        """Show the panel, in front of those that share its place."""
        self.build()
        self.show()
        self.raise_()

    def mark_stale(self, stale: bool) -> None:
        """Lay a veil over the panel, or take it away; a panel that is not seen gets it when it is."""
        self._stale = stale
        if stale and self._veil is None and self._panel is not None and self.in_front:
            self._veil = Veil(self.widget())
        elif not stale and self._veil is not None:
            self._veil.deleteLater()
            self._veil.hide()
            self._veil = None

    def _seen(self, visible: bool) -> None:
        self.in_front = visible
        if visible:
            self.build()
            self.mark_stale(self._stale)
            self._remark()
        self._hide_behind()

    def _hide_behind(self) -> None:
        """Have a panel behind another tab know that nobody sees it: Qt leaves it visible, somewhere off the screen."""
        if self._panel is not None and self.scrolls:
            self._panel.setVisible(self.in_front)

    def focusNextPrevChild(self, forward: bool) -> bool:
        return go_through([self.panel], forward) if self.isFloating() else super().focusNextPrevChild(forward)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self._veil is not None:
            self._veil.setGeometry(self.widget().rect())
        if QApplication.mouseButtons() & Qt.MouseButton.LeftButton:
            self.edge_moved.emit()


class _Room(QScrollArea):
    """Shows a panel as large as it is itself, but never smaller than the panel can be: then it scrolls."""

    def __init__(self, panel: QWidget) -> None:
        super().__init__()
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setWidgetResizable(True)
        self.setWidget(panel)
