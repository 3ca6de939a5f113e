"""Which token is wanted, and where: what the choosers of the gradients panel say, as an objective."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt

from visualizer.engine.sampling import argmax
from visualizer.engine.trace import Trace
from visualizer.session.analysis.objective import Objective
from visualizer.session.document.state import State
from visualizer.session.session import Session
from visualizer.session.words.axis_labels import token_label
from visualizer.ui.panels.gradients.view import GradientView

#: So many tokens are offered by name; others are typed.
OFFERED = 512


class Wanted:
    """The wanted token: the user's choice, or as long as there is none, what the text should or would go on with."""

    def __init__(self, session: Session, view: GradientView) -> None:
        self._session = session
        self._view = view
        self._token: int | None = None
        self._chosen_by_user = False

    def objective(self) -> Objective | None:
        """What is wanted now; None where the prompt is empty."""
        state = self._session.document.state
        if self._view.scope.currentData() == "pattern" and state.opened.pattern:
            return Objective.pattern(state.model, state.opened.pattern)
        return self.here()

    def here(self) -> Objective | None:
        """The token after the present context alone; None where the prompt is empty."""
        model, trace = self._session.document.state.model, self._session.trace
        if trace is None or self._token is None:
            return None
        return Objective.here(trace.tokens, self._token, repr(model.text([self._token])))

    def offer(self) -> None:
        """Offer the tokens and the pattern of another model, and forget what was wanted of the one before."""
        opened, scope, target = self._session.document.state.opened, self._view.scope, self._view.target
        for box in (scope, target):
            box.blockSignals(True)
            box.clear()
        scope.addItem("After this context", "here")
        if opened.pattern:
            scope.addItem(f"Everywhere in ({opened.pattern})*", "pattern")
        if opened.model.config.d_vocab <= OFFERED:
            target.addItems([token_label(opened, token) for token in range(opened.model.config.d_vocab)])
        for box in (scope, target):
            box.blockSignals(False)
        self._token, self._chosen_by_user = None, False

    def follow(self, trace: Trace, context: Sequence[int]) -> None:
        """Show the user's choice, or what comes next after another context."""
        state = self._session.document.state
        if self._token is None or not self._chosen_by_user:
            self._token = _next_token(state, trace, context)
        self._view.show_target(token_label(state.opened, self._token))

    def take(self) -> None:
        """Want what was chosen or typed.

        Raises:
            TokenError: what was typed is no token of the model.
        """
        view = self._view
        text = view.target.currentText()
        offered = view.target.findText(text, Qt.MatchFlag.MatchExactly | Qt.MatchFlag.MatchCaseSensitive)
        self._token = offered if offered >= 0 else self._session.document.state.model.token_id(text)
        self._chosen_by_user = True
        view.typed.setModified(False)


def _next_token(state: State, trace: Trace, context: Sequence[int]) -> int:
    """What the pattern goes on with after a context; else what the model thinks most probable."""
    pattern = state.opened.pattern
    if pattern:
        ids = [int(i) for i in state.model.ids(pattern)]
        for phase in range(len(ids)):
            if all(ids[(phase + i) % len(ids)] == token for i, token in enumerate(context)):
                return ids[(phase + len(context)) % len(ids)]
    return argmax(trace.logits_at(-1))
