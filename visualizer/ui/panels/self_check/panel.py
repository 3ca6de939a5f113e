"""The self-check badge: whether what is shown agrees with another way of computing it."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QHBoxLayout, QToolButton, QWidget

from visualizer.engine.trace import Trace
from visualizer.session.analysis.choose_cell import choose_cell
from visualizer.session.document.document import Change
from visualizer.session.selection import Chosen
from visualizer.session.session import Session
from visualizer.session.words.numbers import full
from visualizer.ui.bridge.background import Background
from visualizer.ui.bridge.panel import SessionPanel
from visualizer.ui.look.theme import current_theme

if TYPE_CHECKING:
    from visualizer.session.analysis.self_check import Check

#: The check waits until nothing has changed for so long.
SETTLED_MS = 200
#: Green that can be read on the light and on the dark ground.
GREEN = {False: "#17702f", True: "#57c878"}
NOTHING = "self-check: nothing to check"


class SelfCheckBadge(SessionPanel):
    """A line for the status bar. A click checks again or, where a number does not agree, explains that number."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(session, parent)
        self.setObjectName("selfCheck")
        self.button = QToolButton(self)
        self.button.setObjectName("selfCheckButton")
        self.button.setAutoRaise(True)
        self.button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
        self.button.clicked.connect(self._clicked)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.button)
        self._settle = QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.setInterval(SETTLED_MS)
        self._settle.timeout.connect(self.run_check)
        self._work = Background(self)
        self._work.finished.connect(self._ended)
        self._checked: Trace | None = None
        self._count = 0
        self._asked = False  # whether a click waits for what comes of it
        self.check: Check | None = None
        self._show()

    def refresh(self) -> None:
        """Check soon, unless this very pass has been checked."""
        trace = self.session.trace
        if self.result is not None and not self.result.kept(self.session.shown_step):
            self._show(pending=True)  # its pass is being made again
        elif trace is None:
            self._settle.stop()
            self._work.cancel()
            self.check = self._checked = None
            self._asked = False
            self._show()
        elif trace is not self._checked:
            self._work.cancel()
            self._checked = None
            self._settle.start()
            self._show(pending=True)

    def run_check(self) -> None:
        """Check the pass that is shown now, beside the window where it is large.

        Waits on while its edits are still being computed.
        """
        trace, result = self.session.trace, self.result
        if trace is None or result is None or not result.kept(self.session.shown_step):
            return
        if self.session.stale:
            self._settle.start()
            return
        # Here, so that the window opens without it: the first check comes once nothing has changed for a moment.
        from visualizer.session.analysis.self_check import check_steps, is_small

        self._count += 1
        self._checked = trace
        model = result.state.model
        self._work.request(partial(check_steps, model, trace, self._count), at_once=is_small(model, trace))

    def _ended(self, check: Check) -> None:
        self.check = check
        self._show()
        if self._asked:
            self._asked = False
            self.message.emit(_details(check))

    def selection_changed(self, before: Chosen, now: Chosen) -> None:
        if before.step != now.step:
            self.refresh_if_seen()

    def document_changed(self, change: Change) -> None:
        super().document_changed(change)
        if self._settle.isActive():
            self._settle.start()

    def theme_changed(self) -> None:
        self._show(pending=self._settle.isActive() or self._work.busy)

    def _clicked(self) -> None:
        check = self.check
        if check is not None and check.where is not None:
            choose_cell(self.session, check.where)
            self.message.emit(_details(check))
        else:
            self._asked = self.session.trace is not None
            self.run_check()

    def _show(self, pending: bool = False) -> None:
        theme, check = current_theme(), self.check
        text = NOTHING if check is None else _words(check)
        tip = "The prompt is empty: nothing was computed." if check is None else _details(check)
        if pending:
            text, tip = "self-check …", "Checked once nothing has changed for a moment."
        color = theme.muted_text if pending or check is None else GREEN[theme.dark] if check.ok else theme.text
        palette = QPalette(self.palette())
        for role in (QPalette.ColorRole.ButtonText, QPalette.ColorRole.WindowText, QPalette.ColorRole.Text):
            palette.setColor(role, QColor(color))
        font = self.font()
        font.setBold(check is not None and not check.ok and not pending)
        self.button.setFont(font)
        self.button.setPalette(palette)
        self.button.setText(text)
        self.button.setToolTip(tip)
        self.button.setAccessibleName(text)
        self.button.setAccessibleDescription(tip)


def _words(check: Check) -> str:
    if check.where is not None:
        return f"✗ self-check: {_cell(check)} does not agree"
    where = " without interventions" if check.without_interventions else ""
    how = "numbers" if check.kind == "reference" else "sampled numbers"
    return f"✓ self-check ok{where}: {check.count:,} {how} agree {_closeness(check.worst)}"


def _details(check: Check) -> str:
    if check.kind == "reference":
        how = "Every number of this pass against a reference implementation in plain loops that share no code with it"
    else:
        how = (
            "This model is too large for the reference implementation: a random sample of its numbers against what "
            "their explanations recombine to"
        )
    if check.without_interventions:
        how += ", both without the interventions, which the reference implementation does not know"
    if check.where is None:
        return f"{how}: all {check.count:,} agree {_closeness(check.worst)}. Click to check again."
    return (
        f"{how}: {_cell(check)} is {full(check.got)}, and the check gives {full(check.expected)}. "
        "Click to see where it comes from."
    )


def _cell(check: Check) -> str:
    assert check.where is not None
    return f"{check.where.name}[{', '.join(map(str, check.where.cell))}]"


def _closeness(worst: float) -> str:
    """`to 1e-6`, the next power of ten; what double precision cannot tell apart agrees exactly."""
    if worst == 0:
        return "exactly"
    return f"to 1e{math.ceil(math.log10(worst))}"
