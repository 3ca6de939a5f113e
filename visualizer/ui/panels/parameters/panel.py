"""The parameter tree: every matrix and vector of the model with its shape, and a dot where it was changed."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPoint, QSize, Qt
from PySide6.QtGui import QColor, QKeyEvent
from PySide6.QtWidgets import QHeaderView, QMenu, QTreeWidget, QTreeWidgetItem, QVBoxLayout, QWidget

from visualizer.engine.names import block_prefix, local_name
from visualizer.errors import EditError
from visualizer.session.document.document import Change
from visualizer.session.document.edits import SetCells, reset_parameters
from visualizer.session.evaluation.result import Result
from visualizer.session.selection import Chosen
from visualizer.session.session import Session
from visualizer.session.words.parameters import meaning, shape_text
from visualizer.ui.bridge.panel import SessionPanel
from visualizer.ui.look.theme import current_theme

NAME, SHAPE, CHANGED = range(3)
DOT = "●"
#: Models with more blocks than this open with their blocks closed.
OPEN_BLOCKS = 3


class ParameterPanel(SessionPanel):
    """Choosing a parameter here shows it in the grid. The tree is kept right even while nobody sees it."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(session, parent)
        self.setObjectName("parameterPanel")
        self._items: dict[str, QTreeWidgetItem] = {}
        self._arrays: dict[str, object] = {}  # the array whose dot is shown
        self._following = False
        self.tree = _Tree(self)
        column = QVBoxLayout(self)
        column.setContentsMargins(4, 4, 4, 0)
        column.addWidget(self.tree)
        self._fill()
        self.tree.currentItemChanged.connect(self._item_chosen)
        self.tree.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.tree.customContextMenuRequested.connect(self._menu)

    def _fill(self) -> None:
        """Build the tree for the model at hand."""
        state = self.session.document.state
        self._opened = state.opened
        self._following = True
        self.tree.clear()
        self._items.clear()
        self._arrays.clear()
        self._groups: dict[str, QTreeWidgetItem] = {}
        for name, array in state.model.parameters.items():
            item = QTreeWidgetItem(self._parent_of(name))
            item.setText(NAME, _leaf(name))
            item.setText(SHAPE, shape_text(array.shape))
            item.setTextAlignment(SHAPE, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            item.setData(NAME, Qt.ItemDataRole.UserRole, name)
            item.setData(NAME, Qt.ItemDataRole.AccessibleTextRole, f"{name} {shape_text(array.shape)}")
            for column in (NAME, SHAPE):
                item.setToolTip(column, f"{name} {shape_text(array.shape)}\n{meaning(name)}")
            self._items[name] = item
        few = state.model.config.n_layers <= OPEN_BLOCKS
        for group in self._groups.values():
            group.setExpanded(few or group.parent() is not None)
        self._following = False
        self._mark_changes(())
        self._follow(self.session.selection.now.parameter)

    def _parent_of(self, name: str) -> QTreeWidgetItem:
        """The group that a parameter belongs to, made where it is not there yet: `blocks.0`, and `attn` within."""
        block = block_prefix(name).removesuffix(".")
        if not block:
            return self.tree.invisibleRootItem()
        parent = self._group(block, block, self.tree.invisibleRootItem())
        part = local_name(name).split(".")[0]
        return self._group(f"{block}.{part}", part, parent) if part in ("attn", "mlp") else parent

    def _group(self, key: str, text: str, parent: QTreeWidgetItem) -> QTreeWidgetItem:
        if key not in self._groups:
            group = QTreeWidgetItem(parent)
            group.setText(NAME, text)
            self._groups[key] = group
        return self._groups[key]

    # What the session says

    def refresh(self) -> None:
        """Nothing is left to be shown: every change of the document is followed at once."""

    def result_arrived(self, result: Result) -> None:
        """Nothing here is about the result."""

    def document_changed(self, change: Change) -> None:
        if self.session.document.state.opened is not self._opened:
            self._fill()
        else:
            self._mark_changes(change.edits)

    def _mark_changes(self, edits: tuple[object, ...]) -> None:
        """Set or clear the dots of parameters whose array is another one than at the last look."""
        looked_at = False
        for name, array in self.session.document.state.model.parameters.items():
            if self._arrays.get(name) is not array:
                self._arrays[name] = array
                self._dot(self._items[name], self._differs(name, edits))
                looked_at = True
        if looked_at:
            for group in reversed(self._groups.values()):
                children = (group.child(i) for i in range(group.childCount()))
                self._dot(group, any(child.text(CHANGED) for child in children))

    def _differs(self, name: str, edits: tuple[object, ...]) -> bool:
        """Whether a parameter differs from the model as opened: the edited cells first, which mostly settles it."""
        state = self.session.document.state
        now, then = state.model.parameters[name], state.opened.model.parameters[name]
        written = [edit.cells for edit in edits if isinstance(edit, SetCells) and edit.parameter == name]
        if any(not np.array_equal(now[cells], then[cells], equal_nan=True) for cells in written):
            return True
        return state.is_changed(name)

    def _dot(self, item: QTreeWidgetItem, changed: bool) -> None:
        if changed != bool(item.text(CHANGED)):
            name = _name_of(item)
            item.setText(CHANGED, DOT if changed else "")
            item.setForeground(CHANGED, QColor(current_theme().changed))
            tip = (
                "differs from the model as it was opened"
                if name
                else "something in here differs from the model as it was opened"
            )
            item.setToolTip(CHANGED, tip if changed else "")

    def selection_changed(self, before: Chosen, now: Chosen) -> None:
        if before.parameter != now.parameter:
            self._follow(now.parameter)

    def _follow(self, parameter: str) -> None:
        item = self._items.get(parameter)
        if item is not None and item is not self.tree.currentItem():
            self._following = True
            self.tree.setCurrentItem(item)
            self.tree.scrollToItem(item)
            self._following = False

    def theme_changed(self) -> None:
        for item in (*self._items.values(), *self._groups.values()):
            item.setForeground(CHANGED, QColor(current_theme().changed))

    # What the user does

    def _item_chosen(self, item: QTreeWidgetItem | None) -> None:
        name = _name_of(item)
        if name and not self._following:
            self.session.selection.choose(parameter=name)

    def _menu(self, at: QPoint) -> None:
        name = _name_of(self.tree.itemAt(at)) or _name_of(self.tree.currentItem())
        menu = QMenu(self)
        menu.setObjectName("parameterMenu")
        one = menu.addAction(f"Reset {name}" if name else "Reset this matrix")
        one.setEnabled(name is not None)
        one.triggered.connect(lambda: self.reset([name] if name is not None else []))
        every = menu.addAction("Reset all weights")
        every.triggered.connect(lambda: self.reset(list(self._items)))
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(self.tree.viewport().mapToGlobal(at))

    def reset(self, names: list[str]) -> None:
        """Give parameters the numbers they had when the model was opened, as one step."""
        try:
            edit = reset_parameters(self.session.document.state, names)
        except EditError as error:
            self.message.emit(str(error))
            return
        self.session.document.apply(edit, self)
        self.message.emit(edit.title())


def _name_of(item: QTreeWidgetItem | None) -> str | None:
    """The parameter that an item stands for; None for a group, or where there is no item."""
    return None if item is None else item.data(NAME, Qt.ItemDataRole.UserRole)


def _leaf(name: str) -> str:
    """What the tree shows of a name under its group: `c_attn.w` under `attn`."""
    local = local_name(name)
    return local.split(".", 1)[1] if local.startswith(("attn.", "mlp.")) else local


class _Tree(QTreeWidget):
    """Three columns; the dot's keeps its place at the right while the name takes what is left."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("parameterTree")
        self.setAccessibleName("Parameters")
        self.setToolTip("Every parameter with its shape; the chosen one is in the grid below")
        self.setColumnCount(3)
        self.setHeaderLabels(["parameter", "shape", DOT])
        self.headerItem().setToolTip(CHANGED, "a dot: differs from the model as it was opened")
        self.headerItem().setTextAlignment(SHAPE, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.setUniformRowHeights(True)
        self.setIndentation(14)
        header = self.header()
        header.setStretchLastSection(False)
        header.setMinimumSectionSize(20)
        header.setSectionResizeMode(NAME, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(SHAPE, QHeaderView.ResizeMode.Fixed)
        header.setSectionResizeMode(CHANGED, QHeaderView.ResizeMode.Fixed)
        header.resizeSection(SHAPE, self.fontMetrics().horizontalAdvance("50257×0768") + 12)
        header.resizeSection(CHANGED, 24)

    def sizeHint(self) -> QSize:
        return QSize(280, 220)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        at = self.currentIndex().siblingAtColumn(NAME)
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.model().hasChildren(at) and at.isValid():
            self.setExpanded(at, not self.isExpanded(at))
            return
        super().keyPressEvent(event)
