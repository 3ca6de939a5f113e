"""The explain panel: where does this number come from? Walk from any cell to the cells that made it."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeyEvent, QKeySequence, QPalette
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from visualizer.engine.trace import Trace
from visualizer.session.analysis.cell_numbers import against_baseline, present_number
from visualizer.session.analysis.choose_cell import choose_cell
from visualizer.session.analysis.explained_cell import EMPTY, Explained, explain_cell
from visualizer.session.document.document import Change
from visualizer.session.document.edits import MODEL
from visualizer.session.document.state import State
from visualizer.session.selection import CellRef, Chosen
from visualizer.session.session import Session
from visualizer.session.words.numbers import full
from visualizer.ui.bridge.panel import SessionPanel
from visualizer.ui.look.theme import number_font
from visualizer.ui.panels.explain.term_table import TermTable
from visualizer.ui.widgets.buttons import action_button, push_button
from visualizer.ui.widgets.labels import WrappedLabel

HISTORY = 200


class ExplainPanel(SessionPanel):
    """Name, value, formula, the formula with its numbers, and the terms as links.

    Backspace goes back and Shift+Backspace forward while the keyboard is in the panel. While nothing is chosen,
    the number under the mouse is explained.
    """

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(session, parent)
        self.setObjectName("explainPanel")
        self.setAccessibleName("Where does it come from?")
        self._history: list[CellRef] = []
        self._at = -1
        self._shown: Explained | None = None
        self._make_labels()
        self._make_actions()
        self._lay_out()
        end_hover = session.selection.subscribe_hover(self._hovered)
        self.destroyed.connect(lambda: end_hover())

    @property
    def shown(self) -> Explained | None:
        """What is on screen; None while nothing is explained."""
        return self._shown

    # -- making it

    def _make_labels(self) -> None:
        self.title = self._label("explainTitle")
        font = number_font(self.font().pointSizeF() * 1.2)
        font.setBold(True)
        self.title.setFont(font)
        self.place = self._label("explainPlace")
        self.place.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        self.formula = self._label("explainFormula")
        self.numbers = self._label("explainNumbers")
        self.numbers.setFont(number_font())
        self.compared = self._label("explainCompared")
        self.note = self._label("explainNote")
        self.rest = self._label("explainRest")
        tip = "Go to the number in the grid, to edit it"
        self.show_parameter = push_button("Show in the grid", "explainParameter", tip, self)
        self.show_parameter.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.show_parameter.clicked.connect(self._show_parameter)
        self.table = TermTable(self)
        self.table.followed.connect(self._follow)

    def _label(self, name: str) -> QLabel:
        label = WrappedLabel(name, self)
        label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        return label

    def _make_actions(self) -> None:
        self.actions_by_name["explainBack"] = self._action("Back", "Backspace", self.back)
        self.actions_by_name["explainForward"] = self._action("Forward", "Shift+Backspace", self.forward)

    def _action(self, text: str, key: str, run: Callable[[], None]) -> QAction:
        action = QAction(text, self)
        action.setIconText("←" if text == "Back" else "→")
        action.setShortcut(QKeySequence(key))
        action.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        action.setToolTip(f"{text} to the number explained {'before' if text == 'Back' else 'after'} this one ({key})")
        action.triggered.connect(run)
        self.addAction(action)
        return action

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.setSpacing(2)
        top.addWidget(self.title, 1)
        for name in ("explainBack", "explainForward"):
            button = action_button(self.actions_by_name[name], name, self, flat=True)
            top.addWidget(button, 0, Qt.AlignmentFlag.AlignTop)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 4, 8, 4)
        layout.setSpacing(4)
        layout.addLayout(top)
        for widget in (self.place, self.compared, self.formula, self.numbers, self.note, self.show_parameter):
            layout.addWidget(widget)
        layout.addWidget(self.table, 1)
        layout.addWidget(self.rest)
        layout.addStretch(0)

    # -- following the session

    def refresh(self) -> None:
        """Explain the chosen cell, or the hovered one while none is chosen."""
        selection = self.session.selection
        self._remember(selection.now.cell)
        cell = selection.now.cell or selection.hovered
        result = self.result
        said: Explained | str = EMPTY
        if cell is not None and result is not None:
            said = explain_cell(*self._of(result.state), cell)
        self._say_compared(cell)
        if isinstance(said, Explained):
            self._show(said)
        else:
            self._show_nothing(said)
        self.actions_by_name["explainBack"].setEnabled(self._back_index() >= 0)
        self.actions_by_name["explainForward"].setEnabled(self._at + 1 < len(self._history))

    def _of(self, state: State) -> tuple[State, Trace | None]:
        """The state and the pass whose numbers are explained: the baseline's where those are shown everywhere."""
        base = self.session.baseline_trace
        if self.session.selection.now.comparison != "baseline" or state.baseline is None or base is None:
            return state, self.session.trace
        return state.with_(model=state.baseline.model), base

    def _say_compared(self, cell: CellRef | None) -> None:
        """How the number stands to that of the baseline, where one is pinned."""
        text = against_baseline(self.session, cell) if cell is not None else ""
        now = present_number(self.session, cell) if cell is not None else None
        if text and now is not None and self.session.selection.now.comparison == "baseline":
            text = f"in the baseline; at present {full(float(now), now.dtype)}"
        self.compared.setText(text)
        self.compared.setVisible(bool(text))

    def selection_changed(self, before: Chosen, now: Chosen) -> None:
        self._remember(now.cell)
        if (before.cell, before.step, before.comparison) != (now.cell, now.step, now.comparison):
            self.refresh_if_seen()

    def document_changed(self, change: Change) -> None:
        if MODEL in change.touches:  # its cells may not exist any more
            self._history.clear()
            self._at = -1
            self.refresh_if_seen()

    def _hovered(self, cell: CellRef | None) -> None:
        if self.session.selection.now.cell is None:
            self.refresh_if_seen()

    def _show(self, said: Explained) -> None:
        self._shown = said
        self.title.setText(f"{said.title} = {said.value}")
        for label, text in (
            (self.place, said.place),
            (self.formula, said.formula),
            (self.numbers, f"= {said.numbers}" if said.numbers else ""),
            (self.note, said.note),
            (self.rest, said.rest),
        ):
            label.setText(text)
            label.setVisible(bool(text))
        self.show_parameter.setVisible(said.parameter is not None)
        if said.parameter is not None:
            self.show_parameter.setAccessibleName(f"Show {said.parameter} in the grid")
            self.show_parameter.setToolTip(f"Go to this number of {said.parameter} in the grid, to edit it")
        self.table.setVisible(bool(said.lines))
        self.table.set_lines(said.lines)
        self.setAccessibleDescription(f"{said.title} = {said.value}. {said.formula}. {said.numbers}")

    def _show_nothing(self, why: str) -> None:
        self._shown = None
        self.title.setText("No number is chosen")
        self.formula.setText(why)
        self.formula.show()
        for widget in (self.place, self.numbers, self.note, self.rest, self.show_parameter, self.table):
            widget.hide()
        self.setAccessibleDescription(why)

    # -- walking

    def _remember(self, cell: CellRef | None) -> None:
        """Put a newly chosen cell after the present one, forgetting what lay ahead, as a browser does."""
        if cell is None or (0 <= self._at < len(self._history) and self._history[self._at] == cell):
            return
        self._history = [*self._history[: self._at + 1], cell][-HISTORY:]
        self._at = len(self._history) - 1

    def _back_index(self) -> int:
        """Where back leads; to the last cell itself while none is chosen."""
        return self._at - 1 if self.session.selection.now.cell is not None else self._at

    def back(self) -> None:
        """Explain the number that was explained before this one."""
        self._go(self._back_index())

    def forward(self) -> None:
        """Explain the number from which `back` came."""
        self._go(self._at + 1)

    def _go(self, index: int) -> None:
        if 0 <= index < len(self._history):
            self._at = index
            self._follow(self._history[index])

    def _follow(self, cell: CellRef) -> None:
        """Choose a cell, with the block, head, row and key it lies in, or the matrix, so that it is seen there."""
        choose_cell(self.session, cell)

    def _show_parameter(self) -> None:
        if self._shown is not None and self._shown.parameter is not None:
            selection = self.session.selection
            selection.choose(parameter=self._shown.parameter, cell=selection.now.cell or selection.hovered)
            self.panel_wanted.emit("weightPanel")

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.session.selection.let_go()
        else:
            super().keyPressEvent(event)
