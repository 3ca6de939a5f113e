"""The interventions panel: everything that is done to activations on the way, each with a switch and a number."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QHBoxLayout, QLabel, QStackedLayout, QVBoxLayout, QWidget

from visualizer.errors import EditError
from visualizer.session.document.document import Change
from visualizer.session.document.edits import INTERVENTIONS, MODEL
from visualizer.session.document.interventions import remove, set_value, switch, switch_all
from visualizer.session.session import Session
from visualizer.session.words.typed_numbers import parse_number
from visualizer.ui.bridge.panel import SessionPanel
from visualizer.ui.panels.interventions.table import WHAT, InterventionTable, rows_of
from visualizer.ui.widgets.buttons import action_button
from visualizer.ui.widgets.plain_text import PlainLabel

EMPTY = (
    "No interventions.\n\nRight-click a number in a heatmap, or press the menu key on it: zero, set, scale, "
    "freeze or mean-ablate its cell, row, position or head, and the rest of the pass follows."
)


class InterventionsPanel(SessionPanel):
    """A list with switches. Space switches, Return or F2 types a number, Delete removes."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(session, parent)
        self.setObjectName("interventionsPanel")
        self.setAccessibleName("Interventions")
        self._to_type: int | None = None
        self._fresh: tuple[int, object] | None = None
        self.table = InterventionTable(self)
        self.table.interventions.switched.connect(self._switch)
        self.table.interventions.typed.connect(self._typed)
        self.refusal = PlainLabel("", self)
        self.refusal.setObjectName("interventionRefusal")
        self.refusal.setWordWrap(True)
        self.refusal.hide()
        self._empty = QLabel(EMPTY, self)
        self._empty.setObjectName("interventionsEmpty")
        self._empty.setWordWrap(True)
        self._empty.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._empty.setMargin(12)
        self._make_actions()
        self._lay_out()
        self.table.selectionModel().currentChanged.connect(lambda _now, _before: self._enable())
        self.table.interventions.modelReset.connect(self._enable)

    def _make_actions(self) -> None:
        self._action("interventionsSwitchAll", "Switch all off", None, self._switch_all)
        self._action("interventionsRemove", "Remove", QKeySequence("Delete"), self._remove)
        self.actions_by_name["interventionsRemove"].setToolTip("Take the chosen intervention away (Delete)")

    def _action(self, name: str, text: str, key: QKeySequence | None, run: Callable[[], None]) -> None:
        action = QAction(text, self)
        action.setObjectName(f"{name}Action")
        if key is not None:
            action.setShortcut(key)
            action.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        action.triggered.connect(lambda _checked=False: run())
        self.addAction(action)
        self.actions_by_name[name] = action

    def _lay_out(self) -> None:
        buttons = QHBoxLayout()
        buttons.setSpacing(4)
        for name in self.actions_by_name:
            buttons.addWidget(action_button(self.actions_by_name[name], name, self))
        buttons.addStretch(1)
        self._list = QWidget(self)
        column = QVBoxLayout(self._list)
        column.setContentsMargins(8, 4, 8, 4)
        column.setSpacing(4)
        column.addLayout(buttons)
        column.addWidget(self.table, 1)
        column.addWidget(self.refusal)
        self._layout = QStackedLayout(self)
        self._layout.addWidget(self._empty)
        self._layout.addWidget(self._list)

    # -- following the session

    def refresh(self) -> None:
        """Show the document's interventions, and which of them the present pass reaches."""
        state, trace = self.session.document.state, self.session.trace
        current = self.table.currentIndex().row()
        self.table.interventions.set_rows(rows_of(state, 0 if trace is None else len(trace.tokens)))
        count = len(state.interventions)
        self._layout.setCurrentWidget(self._list if count else self._empty)
        if count and self.table.currentIndex().row() < 0:
            row = min(max(current, 0), count - 1)
            self.table.setCurrentIndex(self.table.interventions.index(row, WHAT))
        self._enable()
        if self._to_type is not None:
            QTimer.singleShot(0, self, self._open_editor)

    def document_changed(self, change: Change) -> None:
        if not change.touches & {INTERVENTIONS, MODEL}:
            return
        self._refuse("")
        if change.initiator is not self:
            self._fresh = None
        self.refresh_if_seen()

    def _enable(self) -> None:
        interventions = self.session.document.state.interventions
        switch_all_action = self.actions_by_name["interventionsSwitchAll"]
        any_on = any(change.enabled for change in interventions)
        switch_all_action.setText("Switch all off" if any_on or not interventions else "Switch all on")
        switch_all_action.setEnabled(bool(interventions))
        self.actions_by_name["interventionsRemove"].setEnabled(self._current() is not None)

    def _current(self) -> int | None:
        row = self.table.currentIndex().row()
        return row if 0 <= row < len(self.session.document.state.interventions) else None

    def _open_editor(self) -> None:
        row, self._to_type = self._to_type, None
        if row is not None and self.isVisible():
            self.table.setFocus()
            self.table.type_number(row)

    # -- what the user does

    def type_number(self, row: int, gesture: object) -> None:
        """Have the number of an intervention typed that has just been made, as a part of the same step to undo."""
        self._to_type, self._fresh = row, (row, gesture)
        self.panel_wanted.emit(self.objectName())
        self.refresh_if_seen()

    def _switch(self, row: int, on: bool) -> None:
        self.session.document.apply(switch(self.session.document.state, row, on), self)

    def _typed(self, row: int, text: str) -> None:
        """Give an intervention the number that was typed; a refused one stays as it is."""
        gesture = self._fresh[1] if self._fresh is not None and self._fresh[0] == row else None
        try:
            self.session.document.apply(set_value(self.session.document.state, row, parse_number(text), gesture), self)
        except EditError as error:
            self._refuse(str(error))
        else:
            self._fresh = None

    def _refuse(self, why: str) -> None:
        self.refusal.setText(f"⚠ {why}; the number is still what it was." if why else "")
        self.refusal.setVisible(bool(why))
        if why:
            self.message.emit(why)

    def _switch_all(self) -> None:
        state = self.session.document.state
        self.session.document.apply(switch_all(state, not any(change.enabled for change in state.interventions)), self)

    def _remove(self) -> None:
        row = self._current()
        if row is not None:
            self.session.document.apply(remove(self.session.document.state, row), self)
