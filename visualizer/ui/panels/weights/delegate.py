"""How a cell of the grid is edited."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QAbstractItemModel, QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QLineEdit, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from visualizer.errors import EditError
from visualizer.session.document.cells import named
from visualizer.session.words.typed_numbers import parse_number
from visualizer.ui.look.theme import current_theme, number_font
from visualizer.ui.panels.weights.table import WeightTableModel
from visualizer.ui.widgets.tables import AnyIndex

EDITOR_WIDTH = 96
SETS_THE_VALUE = "This is the value itself. The grid shows how far it is from the baseline."
_LEAVING = (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Tab, Qt.Key.Key_Backtab)


class WeightDelegate(QStyledItemDelegate):
    """An editor that keeps what is no number until it is mended or given up.

    Signals:
        told(QWidget, str): what has to be known while one types.
        refused(QWidget, str): the editor holds no number and stays open; the message says what would do.
        accepted(): what was refused is being mended, or the editor is gone.
        fill_asked(str): Ctrl+Return: this text is meant for all selected cells.
    """

    told = Signal(QWidget, str)
    refused = Signal(QWidget, str)
    accepted = Signal()
    fill_asked = Signal(str)

    def __init__(self, table: WeightTableModel, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._table = table

    def _complaint(self, editor: QLineEdit) -> str:
        """Why the editor's text is no number; empty where it is one."""
        try:
            parse_number(editor.text())
        except EditError as error:
            return str(error)
        return ""

    def _fill(self, editor: QLineEdit) -> None:
        text = editor.text()
        self.closeEditor.emit(editor, QStyledItemDelegate.EndEditHint.NoHint)
        self.fill_asked.emit(text)

    @staticmethod
    def _room(editor: QWidget) -> int:
        viewport = editor.parentWidget()
        return viewport.width() if viewport is not None else EDITOR_WIDTH

    # Overrides of QStyledItemDelegate

    def createEditor(self, parent: QWidget, option: QStyleOptionViewItem, index: AnyIndex) -> QWidget:
        editor = QLineEdit(parent)
        editor.setObjectName("cellEditor")
        theme = current_theme()
        editor.setStyleSheet(f"border: 1px solid {theme.text}; background: {theme.panel}; padding: 0 2px;")
        editor.setFont(number_font())
        editor.setAlignment(Qt.AlignmentFlag.AlignRight)
        cell = self._table.cell(index.row(), index.column())
        editor.setAccessibleName(named(self._table.parameter, cell))
        editor.textEdited.connect(partial(self._tell, editor))
        return editor

    def _tell(self, editor: QWidget, _text: str = "") -> None:
        """Say that what is typed is the value where the grid shows something else; else there is nothing to say."""
        if self._table.comparison == "difference":
            self.told.emit(editor, SETS_THE_VALUE)
        else:
            self.accepted.emit()

    def setEditorData(self, editor: QWidget, index: AnyIndex) -> None:
        if isinstance(editor, QLineEdit) and editor.property("before") is None:
            text = str(index.data(Qt.ItemDataRole.EditRole))
            editor.setProperty("before", text)
            editor.setText(text)
            editor.selectAll()
            self._tell(editor)

    def setModelData(self, editor: QWidget, model: QAbstractItemModel, index: AnyIndex) -> None:
        if isinstance(editor, QLineEdit) and editor.text() != editor.property("before"):
            model.setData(index, editor.text(), Qt.ItemDataRole.EditRole)

    def updateEditorGeometry(self, editor: QWidget, option: QStyleOptionViewItem, index: AnyIndex) -> None:
        rect = option.rect
        width = max(rect.width(), EDITOR_WIDTH)
        left = max(min(rect.left(), self._room(editor) - width), 0)
        editor.setGeometry(left, rect.top(), width, rect.height())

    def destroyEditor(self, editor: QWidget, index: AnyIndex) -> None:
        self.accepted.emit()
        super().destroyEditor(editor, index)

    def eventFilter(self, editor: QObject, event: QEvent) -> bool:
        leaves = isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress and event.key() in _LEAVING
        if isinstance(editor, QLineEdit) and isinstance(event, QKeyEvent) and leaves:
            complaint = self._complaint(editor)
            if complaint:
                self.refused.emit(editor, complaint)
                return True
            if event.modifiers() & Qt.KeyboardModifier.ControlModifier and event.key() in _LEAVING[:2]:
                self._fill(editor)
                return True
            if event.key() in _LEAVING[:2]:  # at once, where Qt would wait for its event loop
                self.commitData.emit(editor)
                self.closeEditor.emit(editor, QStyledItemDelegate.EndEditHint.NoHint)
                return True
        return super().eventFilter(editor, event)
