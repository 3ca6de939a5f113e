"""Any table as text for a spreadsheet: Ctrl+C, or its context menu."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAction, QGuiApplication, QKeySequence
from PySide6.QtWidgets import QMenu, QTableView

COPY_TABLE = "copyTable"


def table_text(view: QTableView) -> str:
    """The columns of words and numbers, with their headings, as lines of tab-separated cells in the order on screen."""
    model = view.model()
    columns = [column for column in range(model.columnCount()) if not view.isColumnHidden(column)]
    rows = [[model.index(row, column).data() for column in columns] for row in range(model.rowCount())]
    kept = [place for place in range(len(columns)) if all(isinstance(row[place], str) for row in rows)]
    headings = [str(model.headerData(columns[place], Qt.Orientation.Horizontal) or "") for place in kept]
    return "\n".join("\t".join(line) for line in (headings, *([row[place] for place in kept] for row in rows)))


def offer_copy(view: QTableView) -> None:
    """Let a table be copied whole, by Ctrl+C and in a context menu."""
    copy = QAction("Copy table", view)
    copy.setObjectName(COPY_TABLE)
    copy.setShortcut(QKeySequence.StandardKey.Copy)
    copy.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
    copy.setToolTip("Copy all rows on show as tab-separated text")
    copy.triggered.connect(lambda _checked=False: QGuiApplication.clipboard().setText(table_text(view)))
    view.addAction(copy)
    view.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
    view.customContextMenuRequested.connect(partial(_show_menu, view, copy))


def _show_menu(view: QTableView, copy: QAction, at: QPoint) -> None:
    menu = QMenu(view)
    menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    menu.addAction(copy)
    menu.popup(view.viewport().mapToGlobal(at))
