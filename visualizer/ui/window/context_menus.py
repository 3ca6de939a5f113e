"""The context menus of the window: of a number, of what is drawn, of a table; shown at the mouse or for the palette."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QPoint, Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QApplication, QMenu, QWidget

from visualizer.session.selection import CellRef
from visualizer.session.session import Session
from visualizer.ui.heatmap.widget import Heatmap
from visualizer.ui.widgets.drawing import Drawing, Zoomable
from visualizer.ui.widgets.tables import COPY_TABLE

if TYPE_CHECKING:
    from visualizer.ui.window.cell_menu import CellMenu

#: The object names of what is drawn and is no heatmap.
DRAWINGS = ("headMosaic", "flowCanvas", "arcs")


class ContextMenus(QObject):
    """Makes the menus of what a window shows.

    Signals:
        message(str): what an entry did, for the status bar.
        panel_wanted(str): the object name of a panel to bring to the front.
        number_wanted(int, object): the number of a new intervention is to be typed, as `CellMenu` says.
    """

    message = Signal(str)
    panel_wanted = Signal(str)
    number_wanted = Signal(int, object)

    def __init__(self, session: Session, window: QWidget) -> None:
        super().__init__(window)
        self._session, self._window = session, window

    def show(self, ref: object, where: QPoint) -> None:
        """Show what can be done with a number (None for one that is not the present pass's), and with its heatmap."""
        if isinstance(ref, CellRef):
            menu: QMenu = self._of_number(ref, self._window)
            menu.addSeparator()
        else:
            menu = QMenu(self._window)
            menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        drawing = drawing_at(where)
        if drawing is not None:
            self._add_picture_actions(menu, drawing)
        menu.popup(where)

    def _add_picture_actions(self, menu: QMenu, drawing: Drawing) -> None:
        """How a heatmap is looked at, and copying and saving any drawing."""
        # Here and below, so that the window opens without what most of its menus need.
        from visualizer.ui.heatmap.menu import add_view_actions, add_view_all
        from visualizer.ui.window.export import drawing_actions, heatmap_actions

        if isinstance(drawing, Heatmap):
            add_view_actions(menu, drawing)
            menu.addSeparator()
            menu.addActions(heatmap_actions(drawing, menu, self.message.emit))
        else:
            if isinstance(drawing, Zoomable):
                add_view_all(menu, drawing)
                menu.addSeparator()
            menu.addActions(drawing_actions(drawing, menu, self.message.emit))

    def _of_number(self, ref: CellRef, parent: QWidget | None) -> CellMenu:
        from visualizer.ui.window.cell_menu import build_cell_menu

        menu = build_cell_menu(self._session, ref, parent)
        menu.panel_wanted.connect(self.panel_wanted)
        menu.number_wanted.connect(self.number_wanted)
        return menu

    def here(self) -> list[QMenu]:
        """Context menus, not shown: of the number pointed at, the chosen one or head, and of all that is on screen.

        They belong to whoever asks, not to the window: what `findChildren` has once found below a window is kept in
        Python's memory as long as the window, although Qt has long deleted it.
        """
        selection = self._session.selection
        now = selection.now
        head = CellRef("activation", f"blocks.{now.block}.attn.pattern", (now.head, now.row or 0, now.key or 0))
        menus: list[QMenu] = [self._of_number(selection.hovered or now.cell or head, None)]
        menus[0].setTitle("This number")
        for heatmap in self._window.findChildren(Heatmap):
            if heatmap.isVisible() and heatmap.matrix is not None:
                menus.append(QMenu(f"{heatmap.called} heatmap"))
                self._add_picture_actions(menus[-1], heatmap)
        for name in DRAWINGS:
            drawing = self._window.findChild(QWidget, name)
            if drawing is not None and drawing.isVisible() and isinstance(drawing, Drawing):
                menus.append(QMenu(drawing.accessibleName()))
                self._add_picture_actions(menus[-1], drawing)
        for copy in self._window.findChildren(QAction, COPY_TABLE):
            table = copy.parent()
            if isinstance(table, QWidget) and table.isVisible():
                menus.append(QMenu(table.accessibleName()))
                menus[-1].addAction(copy)
        return menus


def drawing_at(where: QPoint) -> Drawing | None:
    """What is drawn at a place on the screen: a heatmap or another picture that can be exported, if there is one."""
    widget = QApplication.widgetAt(where)
    while widget is not None and not isinstance(widget, Drawing):
        widget = widget.parentWidget()
    return widget
