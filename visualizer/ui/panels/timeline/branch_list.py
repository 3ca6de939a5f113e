"""The branches of the text: named, compared with the shown one, switched, renamed and deleted."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QKeyEvent, QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTreeWidget,
    QTreeWidgetItem,
    QWidget,
)

from visualizer.session.document.edits import SetBranches
from visualizer.session.evaluation.result import Result
from visualizer.session.session import Session
from visualizer.session.words.axis_labels import token_label
from visualizer.session.words.numbers import short
from visualizer.ui.look.theme import current_theme, number_font
from visualizer.ui.widgets.plain_text import as_tip

#: So many tokens of a branch are written, starting shortly before the first difference.
WRITTEN, LEAD = 60, 12
PARTS = Qt.ItemDataRole.UserRole
HERE = "▸ "
COMPUTING = "computing …"
NAME, LOG_P, CONTINUES = range(3)


class BranchList(QTreeWidget):
    """One row a branch: its name, and how it goes on, with what differs from the shown branch standing out.

    Signals:
        message(str): a sentence for the status bar.
    """

    message = Signal(str)

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.setObjectName("branchList")
        self.setAccessibleName("Branches")
        self.setHeaderLabels(["branch", "log p", "continues"])
        self.headerItem().setToolTip(
            LOG_P, "Natural logarithm of how probable all generated tokens are together, forced ones included"
        )
        self.setRootIsDecorated(False)
        self.setUniformRowHeights(True)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setAllColumnsShowFocus(True)
        self.setItemDelegateForColumn(CONTINUES, _TextDelegate(self))
        for column in (NAME, LOG_P):
            self.header().setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
        self.setToolTip("Click or Return shows a branch, F2 (or a double click) renames it, Delete deletes it")
        self.itemClicked.connect(lambda item, _column: self.switch_to(self.indexOfTopLevelItem(item)))
        self.itemDoubleClicked.connect(lambda item, _column: self.editItem(item, NAME))
        self.itemChanged.connect(self._renamed)

    def show_result(self, result: Result) -> None:
        """List the branches of a result; their texts once all of them are computed."""
        state = result.state
        blocked = self.blockSignals(True)
        while self.topLevelItemCount() > len(state.branches):
            self.takeTopLevelItem(self.topLevelItemCount() - 1)
        for number, branch in enumerate(state.branches):
            item = self.topLevelItem(number)
            if item is None:
                item = QTreeWidgetItem(self)
                item.setFlags(item.flags() | Qt.ItemFlag.ItemIsEditable)
            here = number == state.branch
            font = QFont(self.font())
            font.setBold(here)
            item.setFont(NAME, font)
            item.setText(NAME, branch.name)
            text = result.branches[number] if result.complete else None
            parts = ("", "", COMPUTING) if text is None else _compared(result, text.tokens)
            item.setData(CONTINUES, PARTS, parts)
            item.setText(CONTINUES, (HERE if here else "") + "".join(parts))
            item.setToolTip(NAME, as_tip(branch.name if text is None else _tip(result, number, text.tokens)))
            item.setText(LOG_P, "" if text is None else short(text.log_probability, 4))
            item.setFont(LOG_P, number_font(self.font().pointSizeF()))
            for column in (LOG_P, CONTINUES):
                item.setToolTip(column, item.toolTip(NAME))
        current = self.topLevelItem(state.branch)
        if current is not None:
            self.setCurrentItem(current)
        self.blockSignals(blocked)

    def sizeHint(self) -> QSize:
        return QSize(240, self.minimumSizeHint().height() + 20)

    def minimumSizeHint(self) -> QSize:
        row = self.fontMetrics().height() + 5
        return QSize(120, self.header().sizeHint().height() + row + 2)

    # -- what the user does

    def switch_to(self, number: int) -> None:
        """Show another branch."""
        state = self._session.document.state
        if 0 <= number < len(state.branches) and number != state.branch:
            name = f"show branch {state.branches[number].name}"
            self._session.document.apply(SetBranches(state.branches, number, name, "switch branch"), self)

    def rename(self, number: int, name: str) -> None:
        """Give a branch another name."""
        branches = self._session.document.state.branches
        if not 0 <= number < len(branches):
            return
        named = tuple(replace(b, name=name) if i == number else b for i, b in enumerate(branches))
        self._session.document.apply(
            SetBranches(named, self._session.document.state.branch, f"rename branch {branches[number].name}"), self
        )

    def delete(self, number: int) -> None:
        """Delete a branch; one always stays."""
        state = self._session.document.state
        if len(state.branches) == 1:
            self.message.emit("One branch has to stay. Force a token to begin another.")
            return
        kept = tuple(b for i, b in enumerate(state.branches) if i != number)
        shown = state.branch - (number < state.branch)
        shown = min(shown, len(kept) - 1)
        self._session.document.apply(SetBranches(kept, shown, f"delete branch {state.branches[number].name}"), self)

    def _renamed(self, item: QTreeWidgetItem, column: int) -> None:
        number, name = self.indexOfTopLevelItem(item), item.text(NAME).strip()
        branches = self._session.document.state.branches
        before = branches[number].name if number < len(branches) else ""
        if column == NAME and name and name != before:
            self.rename(number, name)
        elif column == NAME and name != item.text(NAME):
            item.setText(NAME, before)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        number = self.indexOfTopLevelItem(self.currentItem()) if self.currentItem() is not None else -1
        if number >= 0 and event.key() == Qt.Key.Key_Delete:
            self.delete(number)
        elif number >= 0 and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.switch_to(number)
        elif number >= 0 and event.key() == Qt.Key.Key_F2:
            self.editItem(self.currentItem(), NAME)
        else:
            super().keyPressEvent(event)


class _TextDelegate(QStyledItemDelegate):
    """Muted as far as the shown branch agrees; the first token that differs underlined."""

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        parts = index.data(PARTS)
        if not parts:
            return
        theme = current_theme()
        painter.save()
        selected = option.state & QStyle.StateFlag.State_Selected and option.state & QStyle.StateFlag.State_HasFocus
        left, right = option.rect.left() + 4, option.rect.right()
        for text, color, underlined in zip(parts, (theme.muted_text, theme.text, theme.text), (0, 1, 0), strict=True):
            font = number_font(option.font.pointSizeF())
            font.setUnderline(bool(underlined))
            painter.setFont(font)
            painter.setPen(QColor(theme.text if selected else color))
            room = option.rect.adjusted(left - option.rect.left(), 0, 0, 0)
            painter.drawText(room, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, text)
            left += painter.fontMetrics().horizontalAdvance(text)
            if left >= right:
                break
        painter.restore()


def first_difference(one: tuple[int, ...], other: tuple[int, ...]) -> int | None:
    """The first place at which two texts differ; None where they are the same."""
    for place, (a, b) in enumerate(zip(one, other, strict=False)):
        if a != b:
            return place
    return min(len(one), len(other)) if len(one) != len(other) else None


def _compared(result: Result, tokens: tuple[int, ...]) -> tuple[str, str, str]:
    """A branch's continuation in three parts: as in the shown one, the first token that differs, and the rest."""
    opened, prompt = result.state.opened, len(result.state.prompt)
    apart = "" if opened.model.tokenizer is not None else " "
    place = first_difference(tokens, result.tokens)
    split = len(tokens) if place is None else max(place, prompt)
    start = max(prompt, min(split, len(tokens)) - LEAD) if len(tokens) - prompt > WRITTEN else prompt
    end = split + 1 + WRITTEN

    def written(first: int, last: int) -> str:
        return "".join(token_label(opened, token) + apart for token in tokens[first:last])

    before = ("… " if start > prompt else "") + written(start, split)
    return before, written(split, split + 1), written(split + 1, end) + (" …" if len(tokens) > end else "")


def _tip(result: Result, number: int, tokens: tuple[int, ...]) -> str:
    state = result.state
    branch = state.branches[number]
    forced = ", ".join(f"{token_label(state.opened, token)} at {place}" for place, token in branch.forced)
    lines = [f"{branch.name}: {'forced ' + forced if forced else 'no forced tokens'}"]
    place = first_difference(tokens, result.tokens)
    if number == state.branch:
        lines.append("the shown branch")
    else:
        lines.append(
            "the same text as the shown one" if place is None else f"differs from position {place} of the text on"
        )
    return "\n".join(lines)
