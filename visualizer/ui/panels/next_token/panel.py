"""The next-token panel: how probable each token is after the cursor's context, or after the chosen position."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QFrame, QHBoxLayout, QMenu, QScrollArea, QToolButton, QVBoxLayout, QWidget

from visualizer.engine.sampling import Sampling
from visualizer.session.analysis.token_probabilities import NextTokens, next_tokens
from visualizer.session.document.edits import SetGeneration, force_token
from visualizer.session.evaluation.result import Result
from visualizer.session.selection import CellRef
from visualizer.session.session import Session
from visualizer.session.words.axis_labels import token_label
from visualizer.ui.bridge.panel import SessionPanel
from visualizer.ui.panels.next_token.bars import ROW_HEIGHT, ProbabilityBars
from visualizer.ui.panels.next_token.sampling_controls import SamplingControls, sampling_words
from visualizer.ui.widgets.labels import ElidedLabel
from visualizer.ui.widgets.plain_text import PlainLabel, as_entry

LONGEST_FORCED = 8  # characters of a token that are written on the button


class NextTokenPanel(SessionPanel):
    """The distribution of the next token as bars, the most probable first."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(session, parent)
        self.setObjectName("nextTokenPanel")
        self.setAccessibleName("Next token")
        self._result_shown: Result | None = None
        self._about: tuple[int, int | None, str] | None = None
        self.title = ElidedLabel(self)
        self.title.setObjectName("nextTokenTitle")
        self.note = PlainLabel("", self)
        self.note.setObjectName("nextTokenNote")
        self.note.setWordWrap(True)
        self.bars = ProbabilityBars(self)
        self.bars.token_chosen.connect(self._explain)
        self.bars.let_go.connect(session.selection.let_go)
        self.bars.force_asked.connect(self.force)
        self.bars.menu_asked.connect(self._show_menu)
        self._make_controls()
        area = QScrollArea(self)
        area.setWidget(self.bars)
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._area = area
        self.bars.current_moved.connect(self._bring_into_view)
        self.bars.current_moved.connect(self._name_force)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 4, 8, 4)
        layout.setSpacing(4)
        head = QHBoxLayout()
        head.setSpacing(4)
        head.addWidget(self.title, 1)
        head.addWidget(self.force_button)
        head.addWidget(self.sampling_button)
        layout.addLayout(head)
        layout.addWidget(self.controls)
        layout.addWidget(self.note)
        layout.addWidget(area, 1)

    def _make_controls(self) -> None:
        self.controls = SamplingControls(self.session, self)
        self.controls.hide()
        self.sampling_button = QToolButton(self)
        self.sampling_button.setObjectName("samplingButton")
        self.sampling_button.setCheckable(True)
        self.sampling_button.setToolTip("How the next token is chosen: temperature, top-k, top-p, seed")
        self.sampling_button.toggled.connect(self.controls.setVisible)
        force = QAction("Force this token", self)
        force.setIconText("Force")
        force.setToolTip("Put this token here, whatever the model would choose, and branch (or click a token)")
        force.triggered.connect(self._force_current)
        self.actions_by_name["forceToken"] = force
        for name, words in (("probs", "probability"), ("logits", "logit")):
            explain = QAction(f"Explain its {words}", self)
            explain.setStatusTip(f"Show where the {words} of the token with the cursor comes from")
            explain.triggered.connect(partial(self._explain_current, name))
            self.actions_by_name[f"explain_{name}"] = explain
        self.force_button = QToolButton(self)
        self.force_button.setObjectName("forceButton")
        self.force_button.setDefaultAction(force)

    @property
    def shown(self) -> NextTokens | None:
        """The distribution on screen; None before the first result."""
        return self.bars.shown

    def refresh(self) -> None:
        """Show the distribution after the chosen row, or after the whole context."""
        result = self.result
        if result is None:
            self._show_nothing()
            return
        if not result.kept(self.session.shown_step):
            return  # its pass is being made again: what is shown stays until then
        now = self.session.selection.now
        shown, about = self.shown, (self.session.shown_step, now.row, now.comparison)
        if shown is None or result is not self._result_shown or about != self._about:
            # A large vocabulary is worth doing this once.
            shown = next_tokens(result, *about, baseline=self.session.baseline_trace)
            self._result_shown, self._about = result, about
        self.title.setText(shown.title)
        self.note.setText(shown.note)
        self.note.setVisible(bool(shown.note))
        self.bars.set_shown(shown, self._chosen_token(shown))
        self._show_sampling(result.state.sampling)
        self.actions_by_name["forceToken"].setEnabled(shown.forcible and bool(shown.rows))
        self._name_force()

    def _show_nothing(self) -> None:
        """Of this model nothing is computed yet, and the probabilities of another are not its."""
        self._result_shown = None
        self.title.setText("computing …")
        self.note.hide()
        self.bars.set_shown(None, None)
        self._show_sampling(self.session.document.state.sampling)
        self.actions_by_name["forceToken"].setEnabled(False)
        self._name_force()

    def _show_sampling(self, sampling: Sampling) -> None:
        self.controls.show_sampling(sampling)
        self.sampling_button.setText(sampling_words(sampling))
        self.sampling_button.setAccessibleName(f"Sampling: {sampling_words(sampling)}")

    def _name_force(self) -> None:
        """Write the token that the button forces on it."""
        token = self.bars.current_token()
        label = "" if token is None else token_label(self.session.document.state.opened, token)
        shown = label if len(label) <= LONGEST_FORCED else label[: LONGEST_FORCED - 1] + "…"
        self.actions_by_name["forceToken"].setIconText(as_entry(f"Force {shown}".rstrip()))

    def forget(self) -> None:
        self._result_shown = None

    def _chosen_token(self, shown: NextTokens) -> int | None:
        """The token whose probability or logit is the chosen cell."""
        cell = self.session.selection.now.cell
        if cell is None or cell.kind != "activation" or cell.name not in ("probs", "logits"):
            return None
        return cell.cell[1] if cell.cell[0] == shown.position else None

    def _explain(self, token: int, name: str = "probs") -> None:
        position = None if self.shown is None else self.shown.position
        if position is not None:
            self.session.selection.choose(cell=CellRef("activation", name, (position, token)))

    def _catch_up(self) -> None:
        """A command may come from the palette while the panel is not seen: it is about the present result."""
        if self._behind:
            self.refresh()

    def _explain_current(self, name: str, _checked: bool = False) -> None:
        self._catch_up()
        token = self.bars.current_token()
        if token is not None:
            self._explain(token, name)

    # -- forcing

    def _force_current(self) -> None:
        self._catch_up()
        token = self.bars.current_token()
        if token is not None:
            self.force(token)

    def force(self, token: int) -> None:
        """Put `token` where the shown one would come, as a branch of its own, and move the cursor behind it."""
        shown, state = self.shown, self.session.document.state
        if shown is None:
            return
        if not shown.forcible or shown.place < len(state.prompt):
            self.message.emit(
                f"Position {shown.place} of the text belongs to the prompt: change the prompt to change it."
            )
            return
        generated = shown.place - len(state.prompt) + 1
        gesture = object()  # one step, also where the text must first become longer
        if generated > state.length:
            self.session.document.apply(SetGeneration(generated, state.sampling, gesture), self)
        edit = force_token(self.session.document.state, shown.place, token)
        self.session.document.apply(replace(edit, gesture=gesture), self)
        self.session.selection.choose(row=None, key=None, cell=None)
        self.session.go_to_step(generated)
        self.message.emit(f"a branch with {token_label(state.opened, token)} at position {shown.place} of the text")

    def _show_menu(self, token: int, where: QPoint) -> None:
        shown = self.shown
        if shown is None:
            return
        label = token_label(self.session.document.state.opened, token)
        menu = QMenu(self)
        menu.setObjectName("nextTokenMenu")
        force = menu.addAction(as_entry(f"Force {label} here and branch"), partial(self.force, token))
        force.setEnabled(shown.forcible)
        menu.addSeparator()
        for name, words in (("probs", "probability"), ("logits", "logit")):
            menu.addAction(f"Explain its {words}", partial(self._explain, token, name))
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(where)

    def _bring_into_view(self, row: int) -> None:
        self._area.ensureVisible(0, round((row + 1.5) * ROW_HEIGHT), 0, round(ROW_HEIGHT))
