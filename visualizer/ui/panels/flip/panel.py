"""The flip finder: how little must a weight change for another next token, and how the margin goes on the way."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from visualizer.engine.trace import Trace
from visualizer.errors import EditError
from visualizer.session.analysis.flip import Flip, Kind, Target, Trial, apply_flip, cost, find_flip
from visualizer.session.document.state import State
from visualizer.session.selection import Chosen
from visualizer.session.session import Session
from visualizer.session.words.axis_labels import token_label
from visualizer.session.words.numbers import full, short
from visualizer.ui.bridge.background import Background
from visualizer.ui.bridge.panel import SessionPanel
from visualizer.ui.widgets.buttons import push_button

if TYPE_CHECKING:
    from visualizer.ui.panels.flip.plot import FlipPlot

#: Searches with fewer multiplications are made by themselves, once things have come to rest for SETTLED_MS.
BY_ITSELF, SETTLED_MS = 2e7, 200
KINDS: tuple[tuple[Kind, str], ...] = (
    ("cell", "change this cell"),
    ("shift", "shift its row"),
    ("scale", "scale its row"),
)
NOTHING_CHOSEN = "Choose a weight in the grid: here is shown how little it must change for another next token."


class FlipPanel(SessionPanel):
    """Search, curve, and a button that makes the change that was found."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(session, parent)
        self.setObjectName("flipPanel")
        self.setAccessibleName("Flip finder")
        self._searched: tuple[State, Trace, Target] | None = None
        self._flip: Flip | None = None
        self._plot: FlipPlot | None = None
        self._settle = QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.setInterval(SETTLED_MS)
        self._settle.timeout.connect(self._search_by_itself)
        self._work = Background(self)
        self._work.progressed.connect(self._show_trials)
        self._work.finished.connect(self._show_flip)
        self._work.busy_changed.connect(self._busy_changed)
        self._make()
        self._lay_out()

    @property
    def flip(self) -> Flip | None:
        """What the last search found, while it is still true of the model; None otherwise."""
        return self._flip

    def _make(self) -> None:
        self.kind = QComboBox(self)
        self.kind.setObjectName("flipKind")
        self.kind.setAccessibleName("What is changed")
        self.kind.setToolTip(
            "Change the chosen cell alone, or add a number to its whole row, or multiply the row by one"
        )
        self.kind.addItems([words for _, words in KINDS])
        self.kind.currentIndexChanged.connect(lambda _index: self.refresh_if_seen())
        self.find_button = self._button("Find flip", "flipFind", "Search for the smallest change of the next token")
        self.cancel_button = self._button("Cancel", "flipCancel", "Stop searching")
        self.apply_button = self._button(
            "Apply this change", "flipApply", "Make the change, as one step of the history"
        )
        self.apply_button.setAccessibleName("Apply this change")
        self.find_button.clicked.connect(self.search)
        self.cancel_button.clicked.connect(self._cancel)
        self.apply_button.clicked.connect(self._apply)
        action = QAction(self.find_button.text(), self)
        action.setStatusTip(self.find_button.toolTip())
        action.triggered.connect(self.search)
        self.actions_by_name["findFlip"] = action
        self.said = QLabel(NOTHING_CHOSEN, self)
        self.said.setObjectName("flipSaid")
        self.said.setTextFormat(Qt.TextFormat.PlainText)
        self.said.setWordWrap(True)
        self._room = QStackedWidget(self)
        self._room.addWidget(QWidget(self._room))
        self.kind.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.kind.setMinimumContentsLength(6)
        self.kind.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(4)
        head.addWidget(self.kind, 1)
        head.addWidget(self.find_button)
        head.addWidget(self.cancel_button)
        found = QHBoxLayout()
        found.addWidget(self.apply_button)
        found.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 4, 8, 4)
        layout.setSpacing(4)
        layout.addLayout(head)
        layout.addWidget(self.said)
        layout.addLayout(found)
        layout.addWidget(self._room, 1)
        self.cancel_button.hide()
        self._offer(False)

    def _button(self, text: str, name: str, tip: str) -> QPushButton:
        button = push_button(text, name, tip, self)
        button.setEnabled(False)
        return button

    # -- following the session

    def refresh(self) -> None:
        """Say what is chosen; a search that is no longer true is dropped, and made again by itself if it is small."""
        wanted = self._wanted()
        self.find_button.setEnabled(wanted is not None and not self._work.busy)
        if wanted is None:
            self._drop()
            self.said.setText(NOTHING_CHOSEN)
            return
        if self._searched is not None and _same(self._searched, wanted):
            return
        self._drop()
        self.said.setText(self._invitation(wanted))
        if cost(wanted[0].model, wanted[1]) <= BY_ITSELF:
            self._settle.start()

    def theme_changed(self) -> None:
        if self._plot is not None:
            self._plot.apply_theme()
            if self._flip is not None:
                self._show_flip(self._flip)

    def selection_changed(self, before: Chosen, now: Chosen) -> None:
        if (before.cell, before.step) != (now.cell, now.step):
            self.refresh_if_seen()

    def _wanted(self) -> tuple[State, Trace, Target] | None:
        """The state, context and target that a search now would be about; None where no weight is chosen."""
        result, trace, ref = self.result, self.session.trace, self.session.selection.now.cell
        if result is None or trace is None or ref is None or ref.kind != "parameter":
            return None
        parameters = result.state.model.parameters
        if ref.name not in parameters or len(ref.cell) != parameters[ref.name].ndim:
            return None
        if not all(i < n for i, n in zip(ref.cell, parameters[ref.name].shape, strict=True)):
            return None
        return result.state, trace, Target(ref.name, ref.cell, KINDS[self.kind.currentIndex()][0])

    def _invitation(self, wanted: tuple[State, Trace, Target]) -> str:
        state, trace, target = wanted
        context = state.model.text(trace.tokens[-8:])
        return f"How little must {_named(target)} change for another token after “{context}”?"

    def _offer(self, found: bool) -> None:
        """Offer to make the change; its button takes no room while there is none."""
        self.apply_button.setEnabled(found)
        self.apply_button.setVisible(found)

    def _drop(self) -> None:
        """What was found is no longer true."""
        self._settle.stop()
        self._work.cancel()
        self._searched = self._flip = None
        self._offer(False)
        self._room.setCurrentIndex(0)

    # -- searching

    def _search_by_itself(self) -> None:
        if self.isVisible():
            self.search()

    def search(self) -> None:
        """Search for the chosen weight, away from the window's thread."""
        wanted = self._wanted()
        if wanted is None:
            self.message.emit(NOTHING_CHOSEN)
            return
        self._drop()
        state, trace, target = self._searched = wanted
        self._work.request(lambda: find_flip(state.model, trace, target), at_once=False)

    def _busy_changed(self, busy: bool) -> None:
        self.cancel_button.setVisible(busy)
        self.cancel_button.setEnabled(busy)
        self.find_button.setVisible(not busy)
        self.find_button.setEnabled(not busy and self._wanted() is not None)

    def _cancel(self) -> None:
        self._drop()
        self.said.setText("Cancelled. The search can be started again.")

    def _plotted(self) -> FlipPlot:
        """The plot, made when there is something to draw."""
        if self._plot is None:
            from visualizer.ui.panels.flip.plot import FlipPlot  # the plotting library takes as long as a start

            self._plot = FlipPlot(self._trial_words, self._room)
            self._room.addWidget(self._plot)
        self._room.setCurrentWidget(self._plot)
        return self._plot

    def _show_trials(self, trials: tuple[Trial, ...]) -> None:
        if self._searched is not None:
            self.said.setText(f"searching … {len(trials)} values tried")
            self._plotted().show_curve(trials, _axis(self._searched[2]))

    def _show_flip(self, flip: Flip) -> None:
        if self._searched is None:
            return
        self._flip = flip
        plot = self._plotted()
        plot.show_flip(flip, _axis(flip.target))
        said = self._found_words(flip)
        self.said.setText(said)
        plot.setAccessibleDescription(said)
        self._offer(flip.found is not None)

    def _trial_words(self, trial: Trial) -> str:
        """One value that was tried, what it leads to, and how surely."""
        if self._searched is None:
            return ""
        state, _, target = self._searched
        token = token_label(state.opened, trial.token)
        x = full(trial.x, np.dtype(state.model.config.dtype))
        return f"{_axis(target)}: {x}\nnext token {token}, margin {short(trial.margin, 4)}"

    def _found_words(self, flip: Flip) -> str:
        assert self._searched is not None
        opened = self._searched[0].opened
        present = token_label(opened, flip.present.token)
        name = _named(flip.target)
        if flip.found is None:
            low, high = (short(x) for x in flip.range)
            verb = {"cell": "set to", "shift": "shifted by", "scale": "scaled by"}[flip.target.kind]
            return f"Nothing from {low} to {high} flips the next token: with {name} {verb} it, {present} stays."
        token, x = token_label(opened, flip.found.token), full(flip.found.x, np.dtype(opened.model.config.dtype))
        margin = short(flip.present.margin)
        if flip.target.kind == "cell":
            now = full(flip.present.x, np.dtype(opened.model.config.dtype))
            what = f"{name}: {now} → {x} (a change of {short(flip.change)})"
        else:
            what = f"{name} {'shifted' if flip.target.kind == 'shift' else 'scaled'} by {x}"
        return f"{what} makes the next token {token} instead of {present}, whose margin is {margin} now."

    def _apply(self) -> None:
        if self._flip is None or self._flip.found is None:
            return
        state, found = self.session.document.state, self._flip.found
        token = token_label(state.opened, found.token)
        try:
            self.session.document.apply(apply_flip(state, self._flip.target, found.x, short(found.x, 6), token), self)
        except EditError as error:
            self.message.emit(str(error))


def _same(one: tuple[State, Trace, Target], other: tuple[State, Trace, Target]) -> bool:
    """Whether a search would be the same: weights, context and interventions, and what is changed."""
    return (
        one[0].model is other[0].model
        and one[2] == other[2]
        and one[1].tokens.tolist() == other[1].tokens.tolist()
        and one[1].interventions == other[1].interventions
    )


def _named(target: Target) -> str:
    place = target.cell if target.kind == "cell" else target.cell[:-1]
    where = f"{target.parameter}[{', '.join(map(str, place))}]" if place else target.parameter
    return where if target.kind == "cell" else f"row {where}" if place else f"all of {where}"


def _axis(target: Target) -> str:
    words = {"cell": "", "shift": "added to ", "scale": "factor of "}
    return words[target.kind] + _named(target)
