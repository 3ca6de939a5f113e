"""The arcs panel: attention drawn between the tokens themselves, several of them summed."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from visualizer.session.analysis.arc_weights import Weights
from visualizer.session.selection import CellRef, Chosen
from visualizer.session.session import Session
from visualizer.session.words.axis_labels import token_label
from visualizer.ui.bridge.panel import COMPUTING, SessionPanel
from visualizer.ui.panels.arcs.view import EMPTY, ArcsView

HEAD, MEAN = 0, 1


class ArcsPanel(SessionPanel):
    """Arcs of the chosen block and head, or of the mean over the block's heads.

    A click on a token adds it to those whose weights are summed, another takes it away; none stands for all. The one
    that was added last is the row that all panels mark. A click on a bar explains the weight.
    """

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(session, parent)
        self.setObjectName("arcsPanel")
        self.setAccessibleName("Attention as arcs")
        self._chosen: tuple[int, ...] = ()  # in the order in which they were chosen
        self._choosing = False
        self.view = ArcsView(self)
        self.view.toggled.connect(self._toggle)
        self.view.all_wanted.connect(self.choose_all)
        self.view.key_chosen.connect(self._explain)
        self.view.let_go.connect(self.let_go)
        self.view.menu_asked.connect(self._show_menu)
        self.title = QLabel(self)
        self.title.setObjectName("arcsTitle")
        self.title.setTextFormat(Qt.TextFormat.RichText)
        self.title.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.heads = QComboBox(self)
        self.heads.setObjectName("arcsHeads")
        self.heads.setAccessibleName("Whose arcs")
        self.heads.setToolTip("Draw the weights of the chosen head, or their mean over all heads of its block")
        self.heads.addItems(["Chosen head", "Mean over heads"])
        self.heads.currentIndexChanged.connect(self.refresh_if_seen)
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(self.title, 1)
        head.addWidget(self.heads)
        for action in self._actions():
            button = QToolButton(self)
            button.setDefaultAction(action)
            button.setAccessibleName(action.text())
            head.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 4, 8, 4)
        column.setSpacing(4)
        column.addLayout(head)
        column.addWidget(self.view, 1)

    def _actions(self) -> list[QAction]:
        everything = QAction("Arcs: choose all tokens", self)
        everything.setIconText("All")
        everything.setToolTip("Sum the weights of all tokens (Ctrl+A in the panel)")
        everything.triggered.connect(self.choose_all)
        nothing = QAction("Arcs: let go of the tokens", self)
        nothing.setIconText("None")
        nothing.setToolTip("Choose no token (Esc in the panel)")
        nothing.triggered.connect(self.let_go)
        self.actions_by_name = {"arcs_all": everything, "arcs_none": nothing}
        return [everything, nothing]

    # -- what is shown

    @property
    def chosen(self) -> tuple[int, ...]:
        """The chosen tokens, the latest last."""
        return self._chosen

    def refresh(self) -> None:
        """Draw the step under the cursor."""
        trace, result = self.session.trace, self.result
        if trace is None or result is None or not len(trace.tokens):
            self.view.set_weights(None, EMPTY if result is not None else COMPUTING)
            self._chosen = ()
            self._mark()
            return
        now, config = self.session.selection.now, trace.graph
        block, head = now.block, None if self.heads.currentIndex() == MEAN else now.head
        name = f"blocks.{block}.attn.pattern"
        if name not in config.producer or len(trace[name]) <= now.head:
            return  # the pass of a model that was chosen just now is still being made
        baseline = self.session.baseline_trace
        self.heads.setVisible(len(trace[name]) > 1)
        shown = self.view.weights
        if shown is None or not shown.is_of(trace, baseline, block, head, now.comparison):
            tokens = tuple(trace.tokens.tolist())
            if shown is not None and shown.trace is trace:
                labels = shown.labels
            else:
                labels = tuple(token_label(result.state.opened, token) for token in tokens)
            self.view.set_weights(Weights(trace, baseline, block, head, now.comparison, tokens, labels))
        self._chosen = tuple(place for place in self._chosen if place < len(trace.tokens))
        self._mark()

    def forget(self) -> None:
        self.view.set_weights(None, COMPUTING)

    def _mark(self) -> None:
        now = self.session.selection.now
        alone = len(self._chosen) == 1 and now.row == self._chosen[0]
        self.view.set_chosen(frozenset(self._chosen), now.key if alone else None)
        weights = self.view.weights
        if weights is None:
            self.title.setText("<b>Arcs</b>")
            return
        whose = "mean over heads" if weights.head is None else f"head {weights.head}"
        compared = {"baseline": " · baseline", "difference": " · change against the baseline"}
        kind = compared.get(weights.comparison, "") if weights.baseline is not None else ""
        self.title.setText(f"<b>Arcs</b> block {weights.block} · {whose}{kind}")

    def selection_changed(self, before: Chosen, now: Chosen) -> None:
        if not self._choosing and before.row != now.row:
            self._chosen = () if now.row is None else (now.row,)
        elif not self._choosing and now.row is None and (before.step, before.cell) != (now.step, now.cell):
            self._chosen = ()
        super().selection_changed(before, now)

    # -- what the user does

    def _toggle(self, place: int) -> None:
        kept = tuple(other for other in self._chosen if other != place)
        self._choose(kept if place in self._chosen else (*kept, place))

    def choose_all(self) -> None:
        """Choose every token; the row that all panels mark stays, or is the last one."""
        weights = self.view.weights
        if weights is None:
            return
        row = self.session.selection.now.row
        last = weights.count - 1 if row is None or row >= weights.count else row
        self._choose((*(place for place in range(weights.count) if place != last), last))

    def let_go(self) -> None:
        """Choose no token, here and in all panels."""
        self._chosen = ()
        self.session.selection.let_go()
        self._mark()

    def _choose(self, places: tuple[int, ...]) -> None:
        self._chosen = places
        self._choosing = True
        self.session.selection.choose(row=places[-1] if places else None, key=None, cell=None)
        self._choosing = False
        self._mark()

    def _explain(self, key: int) -> None:
        """Choose the weight that one token gives another, of one head."""
        weights = self.view.weights
        if weights is None:
            return
        if weights.head is None or len(self._chosen) != 1:
            self.message.emit(
                "A mean over heads is no single number of the model: show the chosen head to explain a weight"
                if weights.head is None
                else "Choose one token first: then a click below another explains the weight between the two"
            )
            return
        row = self._chosen[0]
        cell = CellRef("activation", weights.name, (weights.head, row, key))
        self.session.selection.choose(row=row, key=key, cell=cell)

    def _show_menu(self, place: int, below: bool, where: QPoint) -> None:
        """A menu for the row of a token, at its largest weight, or for the weight that a bar stands for."""
        weights, trace, ref = self.view.weights, self.session.trace, None
        if weights is not None and weights.head is not None and trace is not None and place >= 0:
            row, key = place, int(np.argmax(trace[weights.name][weights.head, place, : place + 1]))
            if below:
                row, key = self._chosen[0] if len(self._chosen) == 1 else len(trace.tokens) - 1, place
            if key <= row:
                ref = CellRef("activation", weights.name, (weights.head, row, key))
        self.context_requested.emit(ref, where)

    # -- Qt

    def theme_changed(self) -> None:
        """Everything drawn is keyed on the theme."""
        self.view.update()
