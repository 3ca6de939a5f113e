"""The compare panel: pin a baseline, show value, baseline or difference everywhere, and see what an edit changed."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtGui import QAction, QActionGroup, QFont, QFontMetrics, QKeySequence
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from visualizer.session.analysis.choose_cell import choose_cell
from visualizer.session.document.document import Change
from visualizer.session.document.edits import SetBaseline, pin_baseline
from visualizer.session.document.state import State
from visualizer.session.evaluation.comparison import Comparison, compare
from visualizer.session.evaluation.difference import ActivationChange, FlippedToken
from visualizer.session.selection import CellRef
from visualizer.session.session import Session
from visualizer.session.words.axis_labels import token_label
from visualizer.ui.bridge.panel import SessionPanel
from visualizer.ui.panels.compare.ripple_table import RippleTable
from visualizer.ui.widgets.buttons import action_button, push_button
from visualizer.ui.widgets.labels import WrappedLabel

SHOWN = (
    ("value", "Value", "Every panel shows the present numbers"),
    ("baseline", "Baseline", "Every panel shows the numbers of the pinned baseline"),
    ("difference", "Difference", "Every panel shows the present minus the baseline, on a diverging scale"),
)
NOTHING_YET = (
    "Nothing to compare with yet. Edit a weight or intervene, and every stage says how far it moved; "
    "pin a baseline to compare with one state over many edits."
)
OTHER_TOKENS = (
    "Before this step the texts already differ, so their internals cannot be compared. "
    "Go back to a step before the first token that flips."
)
NOT_KEPT = "The internals before the last change take too much memory to keep; pin a baseline to compare with them."
COMPUTING = "computing …"


class ComparePanel(SessionPanel):
    """Baseline, comparison, and the ripple of the last change."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(session, parent)
        self.setObjectName("comparePanel")
        self.setAccessibleName("Compare")
        self._flip: FlippedToken | None = None
        self._make_actions()
        self._make_widgets()
        self._lay_out()
        self._enable()

    # -- making it

    def _make_actions(self) -> None:
        pin = self._action("pinBaseline", "Pin baseline", "Compare from now on with the present state", self._pin)
        pin.setShortcut(QKeySequence("Ctrl+B"))
        pin.setToolTip(f"{pin.statusTip()} (Ctrl+B)")
        self._action("unpinBaseline", "Unpin", "Compare with nothing any more", self._unpin)
        group = QActionGroup(self)
        for comparison, word, tip in SHOWN:
            action = self._action(f"show_{comparison}", f"Show {word.lower()}", tip, partial(self._show, comparison))
            action.setIconText(word)
            action.setCheckable(True)
            group.addAction(action)

    def _action(self, name: str, text: str, tip: str, run: Callable[[], None]) -> QAction:
        action = QAction(text, self)
        action.setObjectName(f"{name}Action")
        action.setToolTip(tip)
        action.setStatusTip(tip)
        action.triggered.connect(lambda _checked=False: run())
        self.actions_by_name[name] = action
        return action

    def _make_widgets(self) -> None:
        self.about = WrappedLabel("compareAbout", self)
        self.first = WrappedLabel("compareFirst", self)
        self.flip = push_button("", "compareFlip", "Go to the first step that chooses another token", self)
        self.flip.setFlat(True)
        self.flip.setStyleSheet("text-align: left; padding: 2px 0;")
        self.flip.clicked.connect(self._go_to_flip)
        self.note = WrappedLabel("compareNote", self)
        self.table = RippleTable(self)
        self.table.followed.connect(self._follow)

    def _buttons(self, *names: str, spacing: int = 4) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(spacing)
        for name in names:
            button = action_button(self.actions_by_name[name], name, self)
            if self.actions_by_name[name].isCheckable():  # the chosen one is told apart in either theme
                button.setStyleSheet("QToolButton:checked { font-weight: bold; }")
                bold = QFont(self.font())
                bold.setBold(True)
                button.setMinimumWidth(QFontMetrics(bold).horizontalAdvance(button.text()) + 16)
            row.addWidget(button)
        row.addStretch(1)
        return row

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 4, 8, 4)
        layout.setSpacing(4)
        layout.addLayout(self._buttons("pinBaseline", "unpinBaseline"))
        layout.addLayout(self._buttons(*(f"show_{name}" for name, _, _ in SHOWN), spacing=0))
        for widget in (self.about, self.first, self.flip, self.note):
            layout.addWidget(widget)
        layout.addWidget(self.table, 1)
        layout.addStretch(0)

    # -- following the session

    def refresh(self) -> None:
        """Show what is compared with what, and how far each stage moved."""
        self._enable()
        result = self.result
        comparison = compare(result, self.session.shown_step) if result is not None else Comparison()
        self._say(comparison)
        ripple = comparison.ripple
        self.table.ripple.set_ripple(ripple)
        self.table.setVisible(ripple is not None)
        if ripple is not None and ripple.first is not None:
            self.table.scrollTo(self.table.ripple.index(ripple.stages.index(ripple.first), 0))

    def document_changed(self, change: Change) -> None:
        super().document_changed(change)
        if self.session.document.state.baseline is None and self.session.selection.now.comparison != "value":
            self.session.selection.choose(comparison="value")
        self._enable()

    def _enable(self) -> None:
        pinned = self.session.document.state.baseline is not None
        self.actions_by_name["unpinBaseline"].setEnabled(pinned)
        self.actions_by_name["pinBaseline"].setText("Pin again" if pinned else "Pin baseline")
        for name, _, tip in SHOWN:
            action = self.actions_by_name[f"show_{name}"]
            action.setEnabled(pinned or name == "value")
            action.setToolTip(tip if action.isEnabled() else f"{tip}. Pin a baseline first (Ctrl+B).")
            action.setChecked(name == self.session.selection.now.comparison)

    def _say(self, comparison: Comparison) -> None:
        state, ripple = self.session.document.state, comparison.ripple
        self._flip = comparison.flip
        about = {
            "baseline": _since_pinned(state),
            "last change": "No baseline is pinned: compared with the state before the last change.",
            "": NOTHING_YET,
        }[comparison.against]
        self.about.setText(about)
        first = ripple.first if ripple is not None else None
        if first is not None:
            self.first.setText(f"First stage that differs: {first.name}")
        elif ripple is not None:
            self.first.setText("All numbers are the same.")
        self.first.setVisible(ripple is not None)
        self._say_flip(comparison)
        note = ""
        if comparison.against and ripple is None:
            note = COMPUTING if self.session.stale else OTHER_TOKENS if comparison.kept else NOT_KEPT
            if self.session.trace is None:
                note = "The context is empty: nothing was computed at this step."
        elif ripple is not None and ripple.partial:
            note = "A large pass: what is made only on demand is left out."
        self.note.setText(note)
        self.note.setVisible(bool(note))

    def _say_flip(self, comparison: Comparison) -> None:
        flip, opened = comparison.flip, self.session.document.state.opened
        if flip is None:
            self.flip.setText("No generated token flips.")
        else:
            before, now = token_label(opened, flip.before), token_label(opened, flip.now)
            self.flip.setText(f"First token that flips: step {flip.step}, {before} → {now}")
        self.flip.setEnabled(flip is not None)
        self.flip.setVisible(bool(comparison.against))
        self.flip.setAccessibleName(self.flip.text())

    # -- what the user does

    def _pin(self) -> None:
        pin = pin_baseline(self.session.document.state)
        if self.attempt(lambda: self.session.document.apply(pin, self)):
            self.message.emit("Pinned: every panel can now show the baseline, and the difference from it.")

    def _unpin(self) -> None:
        self.session.document.apply(SetBaseline(None), self)

    def _show(self, comparison: str) -> None:
        self.session.selection.choose(comparison=comparison)

    def _go_to_flip(self) -> None:
        if self._flip is not None:
            self.session.go_to_step(self._flip.step)

    def _follow(self, stage: ActivationChange) -> None:
        """Choose the cell that moved most, and whose block and head it is of."""
        choose_cell(self.session, CellRef("activation", stage.name, stage.cell))


def _since_pinned(state: State) -> str:
    """What differs between the state and its baseline, in words."""
    base = state.baseline
    if base is None:
        return ""
    now, then = state.model.parameters, base.model.parameters
    parameters = [name for name in now if now[name] is not then[name]]
    words = []
    if parameters:
        words.append(parameters[0] if len(parameters) == 1 else f"{len(parameters)} parameters")
    if state.interventions != base.interventions:
        words.append("the interventions")
    return f"Compared with the pinned baseline; changed since then: {' and '.join(words) or 'nothing'}."
