"""The behaviour table's rows: filtered, sorted, and put into words only where they are seen."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QAbstractTableModel, Qt
from PySide6.QtGui import QColor, QFont

from visualizer.formats import OpenedModel
from visualizer.session.analysis.behaviour import AMBIGUOUS, Behaviour
from visualizer.session.words.axis_labels import token_label
from visualizer.session.words.numbers import against, full, short
from visualizer.ui.look.theme import current_theme, number_font, token_color
from visualizer.ui.widgets.plain_text import as_tip
from visualizer.ui.widgets.tables import NOWHERE, AnyIndex

COLUMNS = ("input", "next", "expected", "", "margin")
TIPS = (
    "What the model is given; click a row to make it the prompt",
    "The token that the model finds most probable after it",
    "The token that the pattern has there (– the input is no part of it, ? it goes on in several ways)",
    "✓ the model agrees with the pattern, ✗ it does not",
    "Largest logit less the second largest: how sure the model is",
)
INPUT, NEXT, EXPECTED, VERDICT, MARGIN = range(5)
FILTERS = ("failures", "in the pattern", "all")


class BehaviourModel(QAbstractTableModel):
    """One row an input. With a baseline's table `base`, rows whose next token is not the baseline's are marked, and the
    rows are the present ones or the baseline's, or the margins are differences, as `set_comparison` asks.
    """

    def __init__(self) -> None:
        super().__init__()
        self.behaviour: Behaviour | None = None
        self.base: Behaviour | None = None
        self._comparison = "value"
        self._opened: OpenedModel | None = None
        self._labels: dict[int, str] = {}
        self._order: NDArray[np.intp] = np.zeros(0, dtype=np.intp)
        self._filter = "all"
        self._sorted = (INPUT, Qt.SortOrder.AscendingOrder)
        self._font = number_font()
        self._bold = QFont(self._font)
        self._bold.setBold(True)

    def set_comparison(self, comparison: str) -> None:
        """Show the "value", the "baseline" or the "difference"; the value where there is no baseline."""
        if comparison != self._comparison:
            self._comparison = comparison
            self._arrange()

    @property
    def shown(self) -> Behaviour | None:
        """The table whose rows are on screen."""
        return self.base if self._comparison == "baseline" and self.base is not None else self.behaviour

    def show_behaviour(self, opened: OpenedModel, behaviour: Behaviour | None, base: Behaviour | None) -> None:
        """Show another table; where the same rows are shown, only their contents are announced as changed."""
        if opened is not self._opened:
            self._opened, self._labels = opened, {}
        before, had = self._order, self.behaviour
        baseline = base is not None and self._comparison == "baseline"
        order = self._ordered(base if baseline else behaviour)
        same_inputs = had is not None and behaviour is not None and had.inputs is behaviour.inputs
        if same_inputs and np.array_equal(order, before):
            self.behaviour, self.base = behaviour, base
            if len(order):
                self.dataChanged.emit(self.index(0, NEXT), self.index(len(order) - 1, MARGIN))
            return
        self.beginResetModel()
        self.behaviour, self.base, self._order = behaviour, base, order
        self.endResetModel()

    def set_filter(self, which: str) -> None:
        """Show "failures", those "in the pattern", or "all"."""
        self._filter = which
        self._arrange()

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Sort by a column; rows that are equal there stay in the order of inputs."""
        self._sorted = (column, order)
        self._arrange()

    def row_of(self, ids: tuple[int, ...]) -> int | None:
        """Where an input is shown; None where it is not."""
        if self.behaviour is None or not 0 < len(ids) <= self.behaviour.longest:
            return None
        wanted = np.full(self.behaviour.longest, -1)
        wanted[: len(ids)] = ids
        found = np.flatnonzero((self.behaviour.inputs[self._order] == wanted).all(axis=1))
        return int(found[0]) if found.size else None

    def input(self, row: int) -> tuple[int, ...]:
        """The ids of a shown row's input."""
        assert self.behaviour is not None
        return self.behaviour.input(int(self._order[row]))

    def _arrange(self) -> None:
        self.beginResetModel()
        self._order = self._ordered(self.shown)
        self.endResetModel()

    def _ordered(self, behaviour: Behaviour | None) -> NDArray[np.intp]:
        if behaviour is None:
            return np.zeros(0, dtype=np.intp)
        shown: NDArray[Any] = np.arange(len(behaviour.lengths))
        if self._filter == "failures":
            shown = np.flatnonzero(behaviour.failed)
        elif self._filter == "in the pattern":
            shown = np.flatnonzero(behaviour.judged)
        column, order = self._sorted
        verdict = behaviour.judged.astype(np.int8) + behaviour.failed
        keys = {NEXT: behaviour.next, EXPECTED: behaviour.expected, VERDICT: -verdict, MARGIN: behaviour.margin}
        descending = order == Qt.SortOrder.DescendingOrder
        if column in keys:
            key = keys[column][shown]
            return shown[np.argsort(-key if descending else key, kind="stable")]
        return shown[::-1] if descending else shown

    # -- Qt

    def rowCount(self, parent: AnyIndex = NOWHERE) -> int:
        return 0 if parent.isValid() else len(self._order)

    def columnCount(self, parent: AnyIndex = NOWHERE) -> int:
        return 0 if parent.isValid() else len(COLUMNS)

    def data(
        self, index: AnyIndex, role: int = Qt.ItemDataRole.DisplayRole
    ) -> str | QFont | QColor | Qt.AlignmentFlag | None:
        behaviour = self.shown
        if behaviour is None:
            return None
        row, column = int(self._order[index.row()]), index.column()
        if role == Qt.ItemDataRole.DisplayRole:
            return self._text(behaviour, row, column)
        if role == Qt.ItemDataRole.ToolTipRole:
            return as_tip(self._tip(behaviour, row))
        if role == Qt.ItemDataRole.FontRole:
            return self._bold if column == VERDICT and behaviour.failed[row] else self._font
        if role == Qt.ItemDataRole.ForegroundRole:
            return self._color(behaviour, row, column)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignRight if column == MARGIN else Qt.AlignmentFlag.AlignLeft
            return (Qt.AlignmentFlag.AlignHCenter if column == VERDICT else side) | Qt.AlignmentFlag.AlignVCenter
        return None

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> str | None:
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            signed = section == MARGIN and self.base is not None and self._comparison == "difference"
            return f"Δ{COLUMNS[section]}" if signed else COLUMNS[section]
        return TIPS[section] if role == Qt.ItemDataRole.ToolTipRole else None

    # -- words

    def _differs(self, row: int) -> bool:
        """Whether the next token is not the baseline's."""
        now, base = self.behaviour, self.base
        return now is not None and base is not None and bool(now.next[row] != base.next[row])

    def _margin(self, behaviour: Behaviour, row: int) -> float:
        """The margin, or its difference from the baseline's."""
        margin = float(behaviour.margin[row])
        if self.base is None or self._comparison != "difference":
            return margin
        return margin - float(self.base.margin[row])

    def _label(self, token: int) -> str:
        label = self._labels.get(token)
        if label is None:
            assert self._opened is not None
            label = self._labels[token] = token_label(self._opened, token)
        return label

    def _text(self, behaviour: Behaviour, row: int, column: int) -> str:
        if column == INPUT:
            assert self._opened is not None
            apart = "" if self._opened.model.tokenizer is not None else " "
            return apart.join(map(self._label, behaviour.input(row)))
        if column == NEXT:
            return self._label(int(behaviour.next[row])) + (" Δ" if self._differs(row) else "")
        if column == MARGIN:
            return short(self._margin(behaviour, row))
        expected = int(behaviour.expected[row])
        if column == EXPECTED:
            return self._label(expected) if expected >= 0 else "?" if expected == AMBIGUOUS else "–"
        return "" if expected < 0 else "✗" if behaviour.failed[row] else "✓"

    def _tip(self, behaviour: Behaviour, row: int) -> str:
        given, following = self._text(behaviour, row, INPUT), self._label(int(behaviour.next[row]))
        lines = [f"after {given!r} the model says {following!r}"]
        expected = int(behaviour.expected[row])
        if expected == AMBIGUOUS:
            lines.append("the pattern could go on in several ways")
        elif expected < 0:
            lines.append("no part of the repeated pattern")
        else:
            lines.append(f"the pattern has {self._label(expected)!r} there")
        if not math.isinf(float(behaviour.margin[row])):
            lines.append(f"margin {full(float(behaviour.margin[row]))}")
            if self.base is not None and behaviour is self.behaviour:
                lines[-1] += f" ({against(float(behaviour.margin[row]), float(self.base.margin[row]))})"
        if self.base is not None and self._differs(row):
            lines.append(f"Δ the baseline says {self._label(int(self.base.next[row]))!r}")
        return "\n".join([*lines, "click to make it the prompt (Return)"])

    def _color(self, behaviour: Behaviour, row: int, column: int) -> QColor | None:
        theme = current_theme()
        if column == NEXT:
            if self._differs(row):
                return QColor(theme.changed)
            return QColor(token_color(int(behaviour.next[row]), theme))
        if column == EXPECTED and behaviour.expected[row] >= 0:
            return QColor(token_color(int(behaviour.expected[row]), theme))
        return QColor(theme.muted_text) if behaviour.expected[row] < 0 and column != INPUT else None
