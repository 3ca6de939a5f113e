"""The arcs panel: attention drawn between the tokens themselves, several of them summed."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from PySide6.QtCore import QPoint
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QAbstractSpinBox, QHBoxLayout, QVBoxLayout, QWidget

from visualizer.session.analysis.arc_weights import ArcFilter, Weights
from visualizer.session.selection import CellRef, Chosen
from visualizer.session.session import Session
from visualizer.session.words.axis_labels import about_pass, token_label
from visualizer.ui.bridge.panel import COMPUTING, SessionPanel
from visualizer.ui.panels.arcs.picture import EMPTY
from visualizer.ui.panels.arcs.view import ArcsView
from visualizer.ui.widgets.buttons import action_button
from visualizer.ui.widgets.number_fields import DecimalField, WholeField
from visualizer.ui.widgets.title import Title

MOST_KEYS = 99


class ArcsPanel(SessionPanel):
    """Arcs of the chosen block and head, or of the mean over the block's heads.

    A click on a token adds it to those whose weights are summed, another takes it away; none stands for all. The one
    that was added last is the row that all panels mark. A click on a bar explains the weight.
    """

    #: Which weights have an arc, as it was set last while the program runs.
    remembered: ClassVar[ArcFilter] = ArcFilter()

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
        self.title = Title(self)
        row = QHBoxLayout()
        row.setSpacing(4)
        row.addWidget(self.title, 1)
        self._actions()
        mean, everything, nothing = (
            action_button(action, f"{name}Button", self) for name, action in self.actions_by_name.items()
        )
        self._mean, self._all, self._none = mean, everything, nothing
        for control in (mean, *self._filter_controls(), everything, nothing):
            row.addWidget(control)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 4, 8, 4)
        column.setSpacing(4)
        column.addLayout(row)
        column.addWidget(self.view, 1)

    def _filter_controls(self) -> list[QAbstractSpinBox]:
        """Which weights have an arc: two fields."""
        self.at_least = DecimalField(self)
        self.at_least.setObjectName("arcsAtLeast")
        self.at_least.setPrefix("at least ")
        self.at_least.setRange(0.0, 1.0)
        self.at_least.setSingleStep(0.05)
        self.at_least.setValue(ArcsPanel.remembered.at_least)
        self.at_least.setAccessibleName("Weights of at least")
        self.at_least.setToolTip("Draw arcs for weights of at least this; the bars add up all weights")
        self.keys = WholeField(self)
        self.keys.setObjectName("arcsStrongest")
        self.keys.setPrefix("top ")
        self.keys.setSuffix(" a query")
        self.keys.setSpecialValueText("all keys")
        self.keys.setRange(0, MOST_KEYS)
        self.keys.setValue(ArcsPanel.remembered.keys)
        self.keys.setAccessibleName("Strongest keys of each query")
        self.keys.setToolTip("Draw arcs to this many keys of each query, the strongest; 0 stands for all keys")
        for field in (self.at_least, self.keys):
            field.valueChanged.connect(self._filter)
        self.view.set_filter(ArcsPanel.remembered)
        return [self.at_least, self.keys]

    def _filter(self) -> None:
        """Draw what the two fields ask for, here and in every panel that is made from now on."""
        ArcsPanel.remembered = ArcFilter(round(self.at_least.value(), 2), self.keys.value())
        self.view.set_filter(ArcsPanel.remembered)

    def _actions(self) -> None:
        self.mean = QAction("Arcs: mean over heads", self, checkable=True)
        self.mean.setIconText("Mean")
        self.mean.setToolTip("Draw the mean over all heads of the block in place of the chosen head")
        self.mean.toggled.connect(self.refresh_if_seen)
        everything = QAction("Arcs: choose all tokens", self)
        everything.setIconText("All")
        everything.setToolTip("Sum the weights of all tokens (Ctrl+A in the panel)")
        everything.triggered.connect(self.choose_all)
        nothing = QAction("Arcs: clear selected tokens", self)
        nothing.setIconText("None")
        nothing.setToolTip("Choose no token (Esc in the panel)")
        nothing.triggered.connect(self.let_go)
        self.actions_by_name = {"arcs_mean": self.mean, "arcs_all": everything, "arcs_none": nothing}

    # -- what is shown

    @property
    def chosen(self) -> tuple[int, ...]:
        """The chosen tokens, the latest last."""
        return self._chosen

    def refresh(self) -> None:
        """Draw the step under the cursor."""
        trace, result = self.session.trace, self.result
        if trace is None or result is None or not len(trace.tokens):
            self.view.set_weights(None, message=EMPTY if result is not None else COMPUTING)
            self._chosen = ()
            self._mark()
            return
        now, config = self.session.selection.now, trace.graph
        block, head = now.block, None if self.mean.isChecked() else now.head
        name = f"blocks.{block}.attn.pattern"
        if name not in config.producer or len(trace[name]) <= now.head:
            return  # the pass of a model that was chosen just now is still being made
        baseline = self.session.baseline_trace
        self._mean.setVisible(len(trace[name]) > 1)
        shown = self.view.weights
        if shown is None or not shown.is_of(trace, baseline, block, head, now.comparison):
            tokens = tuple(trace.tokens.tolist())
            if shown is not None and shown.trace is trace:
                labels = shown.labels
            else:
                labels = tuple(token_label(result.state.opened, token) for token in tokens)
            weights = Weights(trace, baseline, block, head, now.comparison, tokens, labels)
            where = (block,) if head is None else (block, head)
            about = about_pass(result.state.opened, tokens, *where)
            self.view.set_weights(weights, about=about if head is not None else f"{about} · mean over heads")
        self._chosen = tuple(place for place in self._chosen if place < len(trace.tokens))
        self._mark()

    def forget(self) -> None:
        self.view.set_weights(None, message=COMPUTING)

    def _mark(self) -> None:
        now = self.session.selection.now
        alone = len(self._chosen) == 1 and now.row == self._chosen[0]
        self.view.set_chosen(frozenset(self._chosen), now.key if alone else None)
        self._all.setVisible(not self._chosen)
        self._none.setVisible(bool(self._chosen))
        weights = self.view.weights
        if weights is None:
            self.title.set_words("", "")
        else:
            whose = "mean of heads" if weights.head is None else f"head {weights.head}"
            self.title.set_words(f"Block {weights.block} · {whose}", "")

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
