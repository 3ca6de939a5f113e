"""The terms of an explanation as a table whose cells are links."""

from __future__ import annotations

from typing import Literal

from PySide6.QtCore import QAbstractTableModel, QModelIndex, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontMetrics, QFontMetricsF, QKeyEvent, QPainter, QPen, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from visualizer.session.analysis.explained_cell import ExplainedTerm, Link
from visualizer.session.words.term_names import shared_name
from visualizer.ui.look.theme import current_theme, number_font
from visualizer.ui.widgets.plain_text import as_tip
from visualizer.ui.widgets.tables import NOWHERE, AnyIndex, TextTable

LEAST_OF_A_NAME = 0.7
Form = Literal["roomy", "products", "bare"]
FORMS: tuple[Form, ...] = ("roomy", "products", "bare")


class TermModel(QAbstractTableModel):
    """Rows are terms; the first column is the term, the others are the numbers it was made of.

    Its form is "roomy" where there is room: the first column holds the term's value, the others names and numbers.
    "products" holds the numbers multiplied first, and then what tells their names apart: the rest is the heading.
    "bare" has neither products nor numbers.
    """

    def __init__(self) -> None:
        super().__init__()
        self._lines: tuple[ExplainedTerm, ...] = ()
        self._columns = 1
        self._form: Form = "roomy"
        self._headings: list[str] = []  # of the columns of names, where there is little room
        self._names: list[list[str]] = []  # of each column, by row
        self.plain_font = number_font(number_font().pointSizeF() * 0.9)
        self._link_font = QFont(self.plain_font)
        self._link_font.setUnderline(True)

    def set_lines(self, lines: tuple[ExplainedTerm, ...]) -> None:
        """Show other terms."""
        columns = 1 + max((len(line.links) for line in lines), default=0)
        named = [
            shared_name([line.links[i].name if i < len(line.links) else "" for line in lines])
            for i in range(columns - 1)
        ]
        self._headings, self._names = [heading for heading, _ in named], [names for _, names in named]
        if len(lines) == len(self._lines) and columns == self._columns:
            self._lines = lines
            self._all_changed()
            return
        self.beginResetModel()
        self._lines, self._columns = lines, columns
        self.endResetModel()

    @property
    def lines(self) -> tuple[ExplainedTerm, ...]:
        """The terms that are shown."""
        return self._lines

    def set_form(self, form: Form) -> None:
        """Show the texts for much room, for little, or for very little."""
        if form != self._form:
            self._form = form
            self._all_changed()

    def _all_changed(self) -> None:
        if self._lines:
            self.dataChanged.emit(self.index(0, 0), self.index(len(self._lines) - 1, self._columns - 1))
            self.headerDataChanged.emit(Qt.Orientation.Horizontal, 0, self._columns - 1)

    def longest(self, column: int, form: Form) -> int:
        """The most characters that a column has."""
        texts = (self._text(row, column, form) for row in range(len(self._lines)))
        return max(map(len, (*texts, self._heading(column, form))))

    def _heading(self, column: int, form: Form) -> str:
        shared = self._headings[column - 1] if form != "roomy" and column else ""
        return shared or ("term" if column == 0 else "from" if column == 1 else "with")

    def _text(self, row: int, column: int, form: Form) -> str:
        line = self._lines[row]
        if column == 0:
            return line.product if form == "products" else line.value
        if column > len(line.links):
            return ""
        link = line.links[column - 1]
        return f"{link.name} = {link.value}" if form == "roomy" else self._names[column - 1][row]

    def link(self, index: AnyIndex) -> Link | None:
        """The number at a cell; in the value's column, the term's number where it has just one to walk to."""
        if not index.isValid():
            return None
        links = self._lines[index.row()].links
        if index.column() == 0:
            walkable = [link for link in links if link.target is not None]
            return walkable[0] if len(walkable) == 1 else None
        return links[index.column() - 1] if index.column() <= len(links) else None

    def rowCount(self, parent: AnyIndex = NOWHERE) -> int:
        return 0 if parent.isValid() else len(self._lines)

    def columnCount(self, parent: AnyIndex = NOWHERE) -> int:
        return 0 if parent.isValid() else self._columns

    def data(self, index: AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> str | QFont | Qt.AlignmentFlag | None:
        line, column = self._lines[index.row()], index.column()
        link = line.links[column - 1] if 0 < column <= len(line.links) else None
        if role == Qt.ItemDataRole.DisplayRole:
            return self._text(index.row(), column, self._form)
        if role == Qt.ItemDataRole.ToolTipRole:
            return as_tip(line.tip) if column == 0 else as_tip(link.tip) if link is not None else None
        if role == Qt.ItemDataRole.FontRole:
            return self._link_font if link is not None and link.target is not None else self.plain_font
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignRight if column == 0 else Qt.AlignmentFlag.AlignLeft
            return side | Qt.AlignmentFlag.AlignVCenter
        return None

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> str | None:
        if role != Qt.ItemDataRole.DisplayRole or orientation != Qt.Orientation.Horizontal:
            return None
        return self._heading(section, self._form)


class TermDelegate(QStyledItemDelegate):
    """Draws a cell as text on the table's ground; much faster than the style, which asks for all it might need."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: AnyIndex) -> None:
        theme = current_theme()
        text, font = index.data(Qt.ItemDataRole.DisplayRole), index.data(Qt.ItemDataRole.FontRole)
        align = index.data(Qt.ItemDataRole.TextAlignmentRole)
        if not text:
            return
        rect = option.rect.adjusted(3, 0, -3, 0)
        if option.state & QStyle.StateFlag.State_HasFocus:
            painter.setPen(QPen(QColor(theme.text), 1, Qt.PenStyle.DotLine))
            painter.drawRect(option.rect.adjusted(0, 0, -1, -1))
        painter.setFont(font)
        painter.setPen(QColor(theme.text))
        metrics = QFontMetrics(font)
        if metrics.horizontalAdvance(text) > rect.width():
            # A name's last index tells it from others: it stays.
            mode = Qt.TextElideMode.ElideMiddle if text.endswith("]") else Qt.TextElideMode.ElideRight
            text = metrics.elidedText(text, mode, rect.width())
        painter.drawText(rect, align, text)


class TermTable(TextTable):
    """The table.

    Signals:
        followed(object): the CellRef of a link that was clicked, or on which Return was pressed.
    """

    followed = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        tip = "What the number is made of, the largest term first; Return goes to a term's own cell"
        super().__init__("explainTerms", "Terms, largest first", tip, parent)
        self.terms = TermModel()
        self.setModel(self.terms)
        self.setItemDelegate(TermDelegate(self))
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setWordWrap(False)
        self.setMouseTracking(True)
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 6)
        header = self.horizontalHeader()
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setTextElideMode(Qt.TextElideMode.ElideRight)
        header.setMinimumSectionSize(24)
        header.setStretchLastSection(True)
        self._digit = QFontMetricsF(self.terms.plain_font).horizontalAdvance("0")
        self.clicked.connect(self._follow)

    def set_lines(self, lines: tuple[ExplainedTerm, ...]) -> None:
        """Show other terms; the keyboard stays where it was as far as there are rows."""
        if lines == self.terms.lines:
            return
        before = self.currentIndex()
        self.terms.set_lines(lines)
        self._fit_columns()
        if lines:
            row = min(max(before.row(), 0), len(lines) - 1)
            column = min(max(before.column(), min(1, self.terms.columnCount() - 1)), self.terms.columnCount() - 1)
            self.setCurrentIndex(self.terms.index(row, column))
            self.horizontalScrollBar().setValue(0)  # the terms come first

    def _fit_columns(self) -> None:
        columns = range(self.terms.columnCount())
        room = self.viewport().width()
        for form in FORMS:
            widths = [self._column_width(column, form) for column in columns]
            # Long names are cut a little before products are given up, or anyone has to scroll sideways for them.
            least = 1.0 if form == "roomy" else LEAST_OF_A_NAME
            shrink = min((room - widths[0]) / max(sum(widths[1:]), 1), 1.0)
            if shrink >= least:
                break
        widths[1:] = [int(width * max(shrink, least)) for width in widths[1:]]
        self.terms.set_form(form)
        for column, width in zip(columns, widths, strict=True):
            if self.columnWidth(column) != width:
                self.setColumnWidth(column, width)

    def _column_width(self, column: int, form: Form) -> int:
        words = round(max(self.terms.longest(column, form), 4) * self._digit) + 10
        return words if column else max(words, self.horizontalHeader().sectionSizeHint(column))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_columns()

    def _follow(self, index: QModelIndex) -> None:
        link = self.terms.link(index)
        if link is not None and link.target is not None:
            self.followed.emit(link.target)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._follow(self.currentIndex())
        elif event.key() in (Qt.Key.Key_Backspace, Qt.Key.Key_Escape):
            event.ignore()  # the panel's: back, forward, let go
        else:
            super().keyPressEvent(event)
