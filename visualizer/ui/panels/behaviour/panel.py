"""The behaviour panel: what a small model does after every input there is, live while its weights change."""

from __future__ import annotations

from collections.abc import Generator

import numpy as np
from PySide6.QtCore import QItemSelectionModel, QModelIndex, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QVBoxLayout,
    QWidget,
)

from visualizer.errors import TokenError
from visualizer.formats import OpenedModel
from visualizer.session.analysis.behaviour import MOST_ROWS, Behaviour, behaviour, cost
from visualizer.session.document.edits import SetPrompt
from visualizer.session.document.state import Baseline, State
from visualizer.session.selection import Chosen
from visualizer.session.session import Session
from visualizer.ui.bridge.background import Background
from visualizer.ui.bridge.panel import SessionPanel
from visualizer.ui.panels.behaviour.table import COLUMNS, FILTERS, BehaviourModel
from visualizer.ui.widgets.tables import TextTable

#: Tables that take fewer multiplications are worked out at once.
AT_ONCE = 5e6
Tables = tuple[State, tuple[int, ...], Behaviour | None, Behaviour | None]


class BehaviourPanel(SessionPanel):
    """Every input up to the context's length, the model's next token, and what the pattern expects."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(session, parent)
        self.setObjectName("behaviourPanel")
        self.setAccessibleName("Behaviour")
        self._asked: tuple[object, ...] | None = None
        self._opened: OpenedModel | None = None
        self._make()
        self._work = Background(self)
        self._work.finished.connect(self._show)
        self._work.progressed.connect(self._say_progress)

    @property
    def shown(self) -> Behaviour | None:
        """The table on screen, unfiltered; None where there is none."""
        return self.rows.behaviour

    def _make(self) -> None:
        self.pattern = QLineEdit(self)
        self.pattern.setObjectName("behaviourPattern")
        self.pattern.setAccessibleName("Pattern that repeats")
        self.pattern.setToolTip("The text that the model is meant to repeat; each input is compared with it")
        self.pattern.setPlaceholderText("none")
        self.pattern.textEdited.connect(lambda _text: self.refresh_if_seen())
        self.filter = QComboBox(self)
        self.filter.setObjectName("behaviourFilter")
        self.filter.setAccessibleName("Which inputs are listed")
        self.filter.setToolTip("List only the failures, only inputs that are part of the pattern, or all")
        self.filter.addItems([f"Show {which}" for which in FILTERS])
        self.filter.setCurrentIndex(FILTERS.index("all"))
        self.filter.currentIndexChanged.connect(self._filtered)
        self.count = QLabel(self)
        self.count.setObjectName("behaviourCount")
        self.count.setTextFormat(Qt.TextFormat.PlainText)
        self.note = QLabel(self)
        self.note.setObjectName("behaviourNote")
        self.note.setTextFormat(Qt.TextFormat.PlainText)
        self.note.setWordWrap(True)
        self.rows = BehaviourModel()
        self.rows.setParent(self)
        self.table = BehaviourView(self)
        self.table.setModel(self.rows)
        self.table.fit_columns()
        self.table.clicked.connect(self._choose)
        self.table.returned.connect(self._choose)
        head = QHBoxLayout()
        head.addWidget(QLabel("Pattern", self))
        head.addWidget(self.pattern, 1)
        head.addWidget(self.filter)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 4, 8, 4)
        layout.setSpacing(4)
        layout.addLayout(head)
        layout.addWidget(self.count)
        layout.addWidget(self.note)
        layout.addWidget(self.table, 1)
        layout.addStretch()  # takes the table's room where there is none, so that the note stays on top

    # -- following the session

    def refresh(self) -> None:
        """Work the table out for the weights of the present result, unless it is there already."""
        result = self.result
        if result is None:
            self._work.cancel()
            self._asked = self._opened = None
            self.pattern.clear()
            self.note.hide()
            self.table.show()
            self.rows.show_behaviour(self.session.document.state.opened, None, None)
            self.count.setText("computing …")
            return
        self.rows.set_comparison(self.session.selection.now.comparison)
        state = result.state
        if state.opened is not self._opened:
            self._opened = state.opened
            self.pattern.setText(state.opened.pattern or "")
        pattern = self._pattern_ids(state)
        base = state.baseline
        asked = (Baseline(state.model, state.interventions), base, pattern)
        if asked != self._asked:
            self._asked = asked
            small = cost(state.model) * (1 if base is None else 2) <= AT_ONCE
            self._work.request(lambda: _tables(state, pattern, base), at_once=small)
        else:
            self._mark_prompt()

    def selection_changed(self, before: Chosen, now: Chosen) -> None:
        """What is chosen changes no input's next token, only which of the two tables is shown."""
        if before.comparison != now.comparison:
            self.rows.set_comparison(now.comparison)
            self._mark_prompt()

    def _pattern_ids(self, state: State) -> tuple[int, ...]:
        text = self.pattern.text()
        try:
            ids = tuple(map(int, state.model.ids(text))) if text else ()
        except TokenError as error:
            self.message.emit(str(error))
            return ()
        return ids

    def _say_progress(self, share: float) -> None:
        self.count.setText(f"computing … {100 * share:.0f} %")

    def _show(self, tables: Tables) -> None:
        state, pattern, table, base = tables
        changed = None if table is None or base is None else np.asarray(table.next != base.next)
        self.rows.show_behaviour(state.opened, table, base)
        self.count.setText(_counted(table, pattern, changed))
        note = _note(state, table)
        self.note.setText(note)
        self.note.setVisible(bool(note))
        self.table.setVisible(table is not None)
        self.table.setAccessibleDescription(self.count.text())
        self._mark_prompt()

    def _mark_prompt(self) -> None:
        """Select the row of the present prompt."""
        row = self.rows.row_of(self.session.document.state.prompt)
        chosen = self.table.selectionModel()
        if row is None:
            chosen.clear()
            return
        index = self.rows.index(row, 0)
        flags = QItemSelectionModel.SelectionFlag.ClearAndSelect | QItemSelectionModel.SelectionFlag.Rows
        if not chosen.isRowSelected(row, QModelIndex()):
            chosen.setCurrentIndex(index, flags)

    # -- what the user does

    def _filtered(self, index: int) -> None:
        self.rows.set_filter(FILTERS[index])
        self._mark_prompt()

    def _choose(self, index: QModelIndex) -> None:
        """Make a row's input the prompt, so that its internals are shown everywhere."""
        ids = self.rows.input(index.row())
        if ids != self.session.document.state.prompt:
            self.session.document.apply(SetPrompt(ids, words=self.session.document.state.model.text(ids)), self)


class BehaviourView(TextTable):
    """The table itself; Return does what a click does.

    Signals:
        returned(QModelIndex): Return was pressed on a cell.
    """

    returned = Signal(QModelIndex)

    def __init__(self, parent: QWidget | None = None) -> None:
        tip = "Every input and the token that follows it; Return shows the internals of the row's pass"
        super().__init__("behaviourTable", "Every input and what follows it", tip, parent)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setWordWrap(False)
        self.setSortingEnabled(True)
        self.sortByColumn(0, Qt.SortOrder.AscendingOrder)
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 6)

    def fit_columns(self) -> None:
        """Room for the header's words; the input takes what is left."""
        header = self.horizontalHeader()
        header.setMinimumSectionSize(24)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        for column, word in enumerate(COLUMNS):
            if column:
                self.setColumnWidth(column, self.fontMetrics().horizontalAdvance(word or "✗") + 28)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.currentIndex().isValid():
            self.returned.emit(self.currentIndex())
        else:
            super().keyPressEvent(event)


def _tables(state: State, pattern: tuple[int, ...], base: Baseline | None) -> Generator[float, None, Tables]:
    """The table of the present weights and interventions and, where something is pinned, of the baseline's."""
    table = yield from behaviour(state.model, pattern, state.interventions)
    other = None
    if base is not None and table is not None:
        other = yield from behaviour(base.model, pattern, base.interventions)
    return state, pattern, table, other


def _counted(table: Behaviour | None, pattern: tuple[int, ...], changed: np.ndarray | None) -> str:
    if table is None:
        return ""
    total = len(table.lengths)
    words = f"{total:,} inputs"
    if pattern:
        words = f"failures {int(table.failed.sum())} of {int(table.judged.sum())} in the pattern · {words}"
    if changed is not None:
        words += f" · {int(changed.sum())} unlike the baseline (Δ)"
    return words


def _note(state: State, table: Behaviour | None) -> str:
    if table is None:
        return (
            f"With {state.model.config.d_vocab:,} tokens there are more than {MOST_ROWS:,} inputs of one token alone; "
            "a table of every input is for smaller vocabularies."
        )
    notes = []
    if table.longest < table.n_ctx:
        notes.append(
            f"Inputs of up to {table.longest} tokens: longer ones (the context has room for {table.n_ctx}) "
            f"would make more than {MOST_ROWS:,} rows."
        )
    count = sum(change.enabled for change in state.interventions)
    if count:
        notes.append(f"With {'the intervention' if count == 1 else f'the {count} interventions'} in every pass.")
    return " ".join(notes)
