"""The gradients panel: what should change for a wanted token, by how much, and steps that do so."""

from __future__ import annotations

from functools import partial

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QTreeWidgetItem, QWidget

from visualizer.engine.trace import Trace
from visualizer.errors import InputError, TokenError
from visualizer.session.analysis.descent import Descent, Reading, cost, usual_rate, words
from visualizer.session.analysis.gradient_work import checking, difference_words, reading_of, stepping
from visualizer.session.document.edits import SetParameters
from visualizer.session.document.state import State
from visualizer.session.selection import CellRef, Chosen
from visualizer.session.session import Session
from visualizer.session.words.numbers import full, short
from visualizer.session.words.typed_numbers import parse_decimal
from visualizer.ui.bridge.background import Background
from visualizer.ui.bridge.panel import COMPUTING, SessionPanel
from visualizer.ui.bridge.remarks import Remark, zoom_remarks
from visualizer.ui.panels.gradients.maps import show_activation, show_parameter
from visualizer.ui.panels.gradients.view import GradientView
from visualizer.ui.panels.gradients.wanted import Wanted

#: Readings cheaper than this many multiplications are made at once.
AT_ONCE = 5e6
#: Of a model with more parameters than this, gradients are made only when asked for.
BY_ITSELF = 5_000_000
EMPTY = "The prompt is empty, so nothing precedes a wanted token. Type a prompt."
INTERVENED = "Interventions are left out here: gradients are those of the weights alone."
ACTIVATIONS = ("attn.pattern", "attn.qk", "attn.q", "attn.k", "attn.v", "attn.z", "attn_out", "mlp.post", "mlp_out")
STREAM = ("resid_pre", "resid_mid", "resid_post")


class GradientsPanel(SessionPanel):
    """Reads gradients for an objective, shows them, and descends.

    Attributes:
        reading: the gradients that are shown; None while there are none.
    """

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(session, parent)
        self.setObjectName("gradientsPanel")
        self.setAccessibleName("Gradients")
        self.reading: Reading | None = None
        self._descent = Descent()
        self._opened: object = None
        self._shown: object = None
        self._rows = self._columns = np.arange(0)
        self._reader, self._actor = Background(self), Background(self)
        self._reader.finished.connect(self._read)
        self._actor.finished.connect(self._acted)
        self._actor.progressed.connect(self._progressed)
        self.view = GradientView(self)
        self._wanted = Wanted(session, self.view)
        self._connect()

    def _connect(self) -> None:
        view = self.view
        view.scope.currentIndexChanged.connect(self._choice_changed)
        view.target.activated.connect(self._target_chosen)
        view.typed.returnPressed.connect(self._target_chosen)
        view.activation.currentIndexChanged.connect(self._choice_changed)
        view.compute.clicked.connect(partial(self._request, True))
        view.parameters.currentItemChanged.connect(self._parameter_chosen)
        for heatmap in (view.weight_map, view.activation_map):
            heatmap.zoom_changed.connect(self.remarks_changed)
        view.weight_map.cell_chosen.connect(self._cell_chosen)
        view.weight_map.let_go.connect(self.session.selection.let_go)
        view.weight_map.cell_hovered.connect(self._cell_hovered)
        view.weight_map.context_requested.connect(
            lambda row, column, where: self.context_requested.emit(self._ref(row, column) if row >= 0 else None, where)
        )
        view.activation_map.context_requested.connect(
            lambda _row, _column, where: self.context_requested.emit(None, where)
        )
        view.one.clicked.connect(partial(self.descend, 1))
        view.many.clicked.connect(lambda: self.descend(view.count.value()))
        view.check.clicked.connect(self.check_cell)
        for name, button, run in (
            ("adamStep", view.one, partial(self.descend, 1)),
            ("checkGradient", view.check, self.check_cell),
        ):
            action = QAction(button.text(), self)
            action.setStatusTip(button.toolTip())
            action.triggered.connect(lambda _checked=False, run=run: run())
            self.actions_by_name[name] = action

    # -- what is wanted

    def _offer(self, state: State) -> None:
        """Offer what the model has; called when another model is open."""
        self._wanted.offer()
        activation, recorded = self.view.activation, state.model.graph.producer
        activation.blockSignals(True)
        activation.clear()
        for name in ("logits", *ACTIVATIONS, *STREAM):
            if name == "logits" or f"blocks.0.{name}" in recorded:
                activation.addItem(name, name)
        activation.setCurrentIndex(max(activation.findData("attn.pattern"), 0))
        activation.blockSignals(False)
        self.view.rate.setText(f"{usual_rate(state.model):g}")
        self._opened = state.opened
        self._nothing("")  # what is shown or being read is of another model

    def _target_chosen(self, _index: int = 0) -> None:
        try:
            self._wanted.take()
        except TokenError as error:
            self._say(str(error))
            return
        self.refresh_if_seen()

    # -- following the session

    def remarks(self) -> list[Remark]:
        return zoom_remarks((self.view.weight_map, self.view.activation_map))

    def refresh(self) -> None:
        """Read the gradients anew where something they depend on has changed."""
        state, trace, result = self.session.document.state, self.session.trace, self.result
        if state.opened is not self._opened:
            self._offer(state)
        if trace is None or result is None:
            self._nothing(EMPTY if result is not None else COMPUTING)
            return
        _, context = result.context(self.session.shown_step)
        self._wanted.follow(trace, context)
        self._request(False)

    def selection_changed(self, before: Chosen, now: Chosen) -> None:
        if (before.step, before.block) != (now.step, now.block):
            self.refresh_if_seen()
        elif not self.isVisible():
            self._behind = True
        elif self.reading is not None:
            self._follow_selection()

    def _follow_selection(self) -> None:
        self._mark_parameter()
        self._show_maps()
        self._enable()

    def _choice_changed(self) -> None:
        self.refresh_if_seen()

    def _activation(self) -> str | None:
        name = self.view.activation.currentData()
        if name is None or name == "logits":
            return name
        return f"blocks.{self.session.selection.now.block}.{name}"

    def _request(self, asked: bool) -> None:
        """Read at once what is small, on the other thread what is not, and only when asked what is large."""
        state, trace, objective = self.session.document.state, self.session.trace, self._wanted.objective()
        if objective is None or trace is None:
            self._nothing(EMPTY)
            return
        here, activation = self._wanted.here(), self._activation()
        key = (state.model, objective.key, here, activation)
        if key == self._shown and self.reading is not None:
            self._follow_selection()
            return
        large = state.model.parameters.count() > BY_ITSELF
        if large and not asked:
            self._nothing("A large model: its gradients take a while and as much memory as the model.")
            self.view.compute.setVisible(True)
            return
        assert here is not None
        self._shown = key
        self.view.compute.setVisible(False)
        if cost(state.model, objective) > AT_ONCE:
            self._say("computing …")
        self._reader.request(
            partial(reading_of, state, objective, here, activation), at_once=cost(state.model, objective) <= AT_ONCE
        )

    def _read(self, reading: Reading) -> None:
        if self._opened is not self.session.document.state.opened:
            return  # a model that is open no more; its tokens may mean nothing in this one
        objective = self._wanted.objective()
        if objective is None:
            return
        self.reading = reading
        self.view.loss.setText(f"loss {short(reading.loss, 4)} nats · |gradient| {short(reading.norm)}")
        said = words(reading, objective)
        if self.session.document.state.interventions:
            said = f"{said} {INTERVENED}".strip()
        self._say(said)
        self._fill_parameters(reading)
        self._show_maps()
        self._enable()

    def _nothing(self, said: str) -> None:
        self._reader.cancel()
        self.reading = self._shown = None
        self.view.loss.setText("")
        self.view.parameters.clear()
        self.view.clear_maps()
        self._say(said)
        self._enable()

    def _fill_parameters(self, reading: Reading) -> None:
        tree = self.view.parameters
        tree.blockSignals(True)
        tree.clear()
        for name, norm in reading.norms:
            item = QTreeWidgetItem([name, short(norm)])
            item.setToolTip(0, f"{name}: norm of its gradient {full(norm)}")
            item.setTextAlignment(1, Qt.AlignmentFlag.AlignRight)
            tree.addTopLevelItem(item)
        tree.blockSignals(False)
        self._mark_parameter()

    def _mark_parameter(self) -> None:
        tree = self.view.parameters
        tree.blockSignals(True)
        for item in tree.findItems(self.session.selection.now.parameter, Qt.MatchFlag.MatchExactly):
            tree.setCurrentItem(item)
        tree.blockSignals(False)

    def _show_maps(self) -> None:
        reading, trace, view = self.reading, self.session.trace, self.view
        state, now = self.session.document.state, self.session.selection.now
        if reading is None or trace is None or now.parameter not in reading.gradients:
            return
        view.weight_title.setText(f"d loss / d {now.parameter} · a step goes against it")
        gradient = reading.gradients[now.parameter]
        self._rows, self._columns = show_parameter(view.weight_map, state.opened, now.parameter, gradient)
        cell = now.cell
        chosen: tuple[int | None, int | None] = (None, None)
        if cell is not None and cell.kind == "parameter" and cell.name == now.parameter:
            row, column = cell.cell if len(cell.cell) == 2 else (0, cell.cell[0])
            chosen = (_place(self._rows, row), _place(self._columns, column))
        view.weight_map.set_selection(*chosen)
        activation = self._activation()
        if reading.activation is not None and activation is not None and self._is_about(reading, activation, trace):
            view.activation_title.setText(f"d loss / d {activation}")
            show_activation(view.activation_map, state.opened, trace, activation, reading.activation, now.head)

    @staticmethod
    def _is_about(reading: Reading, activation: str, trace: Trace) -> bool:
        """Whether a reading is of the activation and the context that are chosen now; else another is on its way."""
        return reading.activation_name == activation and reading.context == tuple(map(int, trace.tokens))

    def _enable(self) -> None:
        ready = self.reading is not None and not self._actor.busy
        for button in (self.view.one, self.view.many):
            button.setEnabled(ready)
        self.view.check.setEnabled(ready and self._weight() is not None)
        self.actions_by_name["adamStep"].setEnabled(ready)
        self.actions_by_name["checkGradient"].setEnabled(self.view.check.isEnabled())

    def _say(self, text: str) -> None:
        self.view.said.setText(text)
        self.view.said.setVisible(bool(text))

    # -- what the user does

    def _parameter_chosen(self, item: QTreeWidgetItem | None, _before: QTreeWidgetItem | None = None) -> None:
        if item is not None:
            self.session.selection.choose(parameter=item.text(0))

    def _cell_chosen(self, row: int, column: int) -> None:
        self.session.selection.choose(cell=self._ref(row, column))

    def _cell_hovered(self, row: int, column: int) -> None:
        self.session.selection.hover(self._ref(row, column) if row >= 0 else None)

    def _ref(self, row: int, column: int) -> CellRef:
        """The weight of a cell of the map."""
        name = self.session.selection.now.parameter
        place = (int(self._rows[row]), int(self._columns[column]))
        vector = self.session.document.state.model.parameters[name].ndim == 1
        return CellRef("parameter", name, place[1:] if vector else place)

    def _weight(self) -> CellRef | None:
        cell = self.session.selection.now.cell
        parameters = self.session.document.state.model.parameters
        if cell is None or cell.kind != "parameter" or cell.name not in parameters:
            return None
        shape = parameters[cell.name].shape
        inside = len(cell.cell) == len(shape) and all(i < n for i, n in zip(cell.cell, shape, strict=True))
        return cell if inside else None

    def descend(self, steps: int) -> None:
        """Take steps of Adam, as one edit."""
        state = self.session.document.state
        if self.reading is None or self._opened is not state.opened or self._actor.busy:
            return  # what is shown may be of another model, where the panel is not seen
        objective = self._wanted.objective()
        if objective is None:
            return
        rate = parse_decimal(self.view.rate.text())
        if rate is None:
            self._say(f"{self.view.rate.text()[:30]!r} is not a learning rate; a number such as 0.01 is needed")
            return
        only = self.session.selection.now.parameter if self.view.only.isChecked() else None
        work = partial(stepping, self._descent, state, objective, rate, steps, only)
        self._actor.request(work, at_once=steps * cost(state.model, objective) <= AT_ONCE)
        self._enable()

    def check_cell(self) -> None:
        """Compare the chosen weight's gradient with finite differences."""
        state, cell = self.session.document.state, self._weight()
        if cell is None or self._opened is not state.opened or self._actor.busy:
            return
        objective = self._wanted.objective()
        if objective is None:
            return
        work = partial(checking, state, objective, cell)
        self._actor.request(work, at_once=20 * cost(state.model, objective) <= AT_ONCE)
        self._enable()

    def _progressed(self, made: object) -> None:
        self.view.checked.setText(f"working … {made}")

    def _acted(self, outcome: object) -> None:
        if isinstance(outcome, tuple) and isinstance(outcome[1], SetParameters):
            state, edit = outcome
            if self.session.document.state.model is state.model:
                self.session.document.apply(edit, self)
                taken = self._descent.taken
                moments = f", {taken} in a row" if taken > 1 else ""
                self.view.checked.setText(f"{edit.title()}{moments}.")
        elif isinstance(outcome, tuple):
            self.view.checked.setText(difference_words(*outcome))
        elif isinstance(outcome, InputError):
            self._say(str(outcome))
            self.message.emit(str(outcome))
        self._enable()


def _place(shown: np.ndarray, index: int) -> int | None:
    at = np.flatnonzero(shown == index)
    return int(at[0]) if at.size else None
