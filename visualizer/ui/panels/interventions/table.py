"""The table of interventions: what each does, where, its number, and a switch."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QColor, QFont, QKeyEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QWidget

from visualizer.session.document.interventions import FREEZE, WITH_VALUE, intervention_words, standing
from visualizer.session.document.state import State
from visualizer.session.words.activation_parts import part_words
from visualizer.session.words.numbers import MINUS, full
from visualizer.ui.look.theme import current_theme, number_font
from visualizer.ui.widgets.plain_text import as_tip
from visualizer.ui.widgets.tables import NOWHERE, AnyIndex, HeadedModel, TextTable

WHAT, WHERE, NUMBER = range(3)
HEADERS = ("does", "where", "number")
VERBS = {"set": "set", "zero": "zero", "mean": "mean-ablate", "scale": "scale", "add": "add", "patch": "patch"}
STANDING = {
    "on": "It is applied in this pass.",
    "off": "It is switched off.",
    "in part": "This pass has more positions than the numbers that were kept: the others are left free.",
    "not in this context": "This pass does not reach the position, so it is left alone. A longer prompt may.",
}


@dataclass(frozen=True)
class InterventionRow:
    """One intervention in words."""

    what: str
    where: str
    number: str
    enabled: bool
    editable: bool
    standing: str
    title: str


def rows_of(state: State, count: int) -> list[InterventionRow]:
    """The interventions of a state, and how each stands in a pass over `count` positions."""
    rows = []
    for change in state.interventions:
        editable = change.kind in WITH_VALUE
        number = full(change.value) if editable else "" if change.label == FREEZE else change.label
        what = FREEZE if change.label == FREEZE and change.kind == "patch" else VERBS[change.kind]
        where = part_words(state.model, change.name, change.where)
        if state.model.config.n_layers == 1:  # the only block needs no mention
            where = where.removesuffix(" of block 0").removesuffix(", block 0")
        stands = standing(state.model, change, count)
        title = intervention_words(state.model, change)
        rows.append(InterventionRow(what, where, number, change.enabled, editable, stands, title))
    return rows


class InterventionModel(HeadedModel):
    """Rows are interventions. It writes nothing itself.

    Signals:
        switched(int, bool): a switch was moved.
        typed(int, str): a number was typed.
    """

    switched = Signal(int, bool)
    typed = Signal(int, str)

    def __init__(self) -> None:
        super().__init__(HEADERS)
        self.rows: list[InterventionRow] = []

    def set_rows(self, rows: list[InterventionRow]) -> None:
        """Show other interventions."""
        if len(rows) != len(self.rows):
            self.beginResetModel()
            self.rows = rows
            self.endResetModel()
        elif rows != self.rows:
            self.rows = rows
            self.dataChanged.emit(self.index(0, 0), self.index(len(rows) - 1, NUMBER))

    def rowCount(self, parent: AnyIndex = NOWHERE) -> int:
        return 0 if parent.isValid() else len(self.rows)

    def flags(self, index: AnyIndex) -> Qt.ItemFlag:
        flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        if index.column() == WHAT:
            flags |= Qt.ItemFlag.ItemIsUserCheckable
        elif index.column() == NUMBER and self.rows[index.row()].editable:
            flags |= Qt.ItemFlag.ItemIsEditable
        return flags

    def data(
        self, index: AnyIndex, role: int = Qt.ItemDataRole.DisplayRole
    ) -> str | QFont | QColor | Qt.CheckState | Qt.AlignmentFlag | None:
        row, column = self.rows[index.row()], index.column()
        match role:
            case Qt.ItemDataRole.DisplayRole:
                outside = row.standing in ("not in this context", "in part")
                where = f"{row.where} — {row.standing}" if outside else row.where
                return (row.what, where, row.number)[column]
            case Qt.ItemDataRole.EditRole:
                return row.number.replace(MINUS, "-")
            case Qt.ItemDataRole.CheckStateRole if column == WHAT:
                return Qt.CheckState.Checked if row.enabled else Qt.CheckState.Unchecked
            case Qt.ItemDataRole.ToolTipRole:
                typing = "\nDouble click, F2 or Return to type another number." if row.editable else ""
                return as_tip(f"{row.title}\n{STANDING[row.standing]}{typing if column == NUMBER else ''}")
            case Qt.ItemDataRole.AccessibleTextRole:
                return f"{(row.title, row.where, row.number or 'no number')[column]}, {row.standing}"
            case Qt.ItemDataRole.ForegroundRole if row.standing in ("off", "not in this context"):
                return QColor(current_theme().muted_text)
            case Qt.ItemDataRole.FontRole if column == NUMBER:
                return number_font()
            case Qt.ItemDataRole.TextAlignmentRole if column == NUMBER and row.editable:
                return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        return None

    def setData(self, index: AnyIndex, value: object, role: int = Qt.ItemDataRole.EditRole) -> bool:
        if role == Qt.ItemDataRole.CheckStateRole and index.column() == WHAT:
            self.switched.emit(index.row(), Qt.CheckState(value) == Qt.CheckState.Checked)
            return True
        if role == Qt.ItemDataRole.EditRole and index.column() == NUMBER:
            if str(value) != self.rows[index.row()].number:
                self.typed.emit(index.row(), str(value))
            return True
        return False


class InterventionTable(TextTable):
    """The table: Space switches, F2 or Return types a number."""

    def __init__(self, parent: QWidget | None = None) -> None:
        tip = "Space switches one on or off, F2 edits its number, Delete takes it away"
        super().__init__("interventionTable", "Interventions", tip, parent)
        self.interventions = InterventionModel()
        self.setModel(self.interventions)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setWordWrap(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header = self.horizontalHeader()
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setSectionResizeMode(WHERE, QHeaderView.ResizeMode.Stretch)
        letter = self.fontMetrics().averageCharWidth()
        self.setColumnWidth(WHAT, 12 * letter + 28)
        self.setColumnWidth(NUMBER, 11 * letter)

    def type_number(self, row: int) -> None:
        """Open the editor of a row's number, where it has one."""
        if row < len(self.interventions.rows) and self.interventions.rows[row].editable:
            index = self.interventions.index(row, NUMBER)
            self.setCurrentIndex(index)
            self.edit(index)

    # -- Qt

    def keyPressEvent(self, event: QKeyEvent) -> None:
        row, key = self.currentIndex().row(), event.key()
        editing = self.state() == QAbstractItemView.State.EditingState  # its keys come here when it leaves them
        if row < 0 or editing:
            super().keyPressEvent(event)
        elif key == Qt.Key.Key_Space:
            self.interventions.switched.emit(row, not self.interventions.rows[row].enabled)
        elif key in (Qt.Key.Key_F2, Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.type_number(row)
        else:
            super().keyPressEvent(event)
