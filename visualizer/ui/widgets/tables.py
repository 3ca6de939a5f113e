"""What the tables of words and numbers share: headings, a look, and copying them whole for a spreadsheet."""

from __future__ import annotations

import re
from functools import partial

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, QPoint, Qt
from PySide6.QtGui import QAction, QGuiApplication, QKeySequence
from PySide6.QtWidgets import QMenu, QTableView, QWidget

from visualizer.formats.tables import as_cell

AnyIndex = QModelIndex | QPersistentModelIndex
NOWHERE = QModelIndex()
COPY_TABLE = "copyTable"
#: As numbers are written for people; other programs read a hyphen.
MINUS = "\N{MINUS SIGN}"
_NEGATIVE = re.compile(rf"{MINUS}(\d.*|inf)")


class HeadedModel(QAbstractTableModel):
    """A model whose columns are always the same."""

    def __init__(self, headings: tuple[str, ...]) -> None:
        super().__init__()
        self._headings = headings

    def columnCount(self, parent: AnyIndex = NOWHERE) -> int:
        return 0 if parent.isValid() else len(self._headings)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> str | None:
        if role == Qt.ItemDataRole.DisplayRole and orientation == Qt.Orientation.Horizontal:
            return self._headings[section]
        return None


class TextTable(QTableView):
    """A table of words and numbers without a grid, which can be copied whole: Ctrl+C, or its context menu."""

    def __init__(self, name: str, said: str, tip: str, parent: QWidget | None) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self.setAccessibleName(said)
        self.setToolTip(tip)
        self.setTabKeyNavigation(False)
        self.setShowGrid(False)
        self.verticalHeader().hide()
        self.horizontalHeader().setHighlightSections(False)
        _offer_copy(self)


def table_text(view: QTableView) -> str:
    """The columns of words and numbers, with their headings, as lines of tab-separated cells in the order on screen.

    Numbers are written as other programs read them, with a hyphen for minus; words are never taken for formulas.
    """
    model = view.model()
    columns = [column for column in range(model.columnCount()) if not view.isColumnHidden(column)]
    rows = [[model.index(row, column).data() for column in columns] for row in range(model.rowCount())]
    kept = [place for place in range(len(columns)) if all(isinstance(row[place], str) for row in rows)]
    headings = [str(model.headerData(columns[place], Qt.Orientation.Horizontal) or "") for place in kept]
    return "\n".join(
        "\t".join(line) for line in (map(as_cell, headings), *([_copied(row[place]) for place in kept] for row in rows))
    )


def _copied(text: str) -> str:
    """A cell as it is copied."""
    return as_cell(text.replace(MINUS, "-", 1) if _NEGATIVE.fullmatch(text) else text)


def _offer_copy(view: QTableView) -> None:
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
