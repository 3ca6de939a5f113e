"""The status bar: what just happened on the left, the state of the run on the right."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt
from PySide6.QtWidgets import QStatusBar, QWidget

from visualizer.session.analysis.cell_numbers import against_baseline, present_number
from visualizer.session.selection import CellRef
from visualizer.session.session import Session
from visualizer.session.words.axis_labels import token_labels
from visualizer.session.words.numbers import full
from visualizer.ui.widgets.plain_text import PlainLabel

MESSAGE_MS = 8000
#: Between two parts, in pixels.
GAP = 8


class StatusBar(QStatusBar):
    """Messages and the hovered number at the left; accuracy, time, NaN count and the next undo at the right."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("statusBar")
        self.setMinimumWidth(1)  # what it has to say is no reason for the window to grow
        self._session = session
        self._readout = PlainLabel("", self)
        self._readout.setAccessibleName("Number under the cursor")
        self._facts = PlainLabel("", self)
        self._facts.setObjectName("runFacts")
        self._facts.setAccessibleName("State of the run")
        self.addWidget(self._readout, 1)
        self.addPermanentWidget(self._facts)
        self.messageChanged.connect(self._share_room)
        session.subscribe(lambda _: self._show_result())
        session.selection.subscribe(lambda _before, _now: self.refresh())
        session.selection.subscribe_hover(self._show_readout)
        self.refresh()

    def say(self, message: str) -> None:
        """Show a message for a while."""
        self.showMessage(message, MESSAGE_MS)

    def _share_room(self) -> None:
        """A long message, or work under way, takes the room of the facts for as long as it is shown."""
        parts = self.findChildren(QWidget, options=Qt.FindChildOption.FindDirectChildrenOnly)
        wanted = [
            part.sizeHint().width() + GAP for part in parts if part.isVisibleTo(self) and part is not self._readout
        ]
        if self._facts.isHidden():
            wanted.append(self._facts.sizeHint().width() + GAP)
        message = self.currentMessage()
        words = self.fontMetrics().horizontalAdvance(message) + 2 * GAP if message else 0
        self._facts.setVisible(words + sum(wanted) <= self.width())

    def refresh(self) -> None:
        """Write the facts of the present result."""
        result = self._session.result
        if result is None:
            self._facts.setText("")
            return
        facts = []
        if result.accuracy is not None:
            pattern = result.state.opened.pattern
            facts.append(f"accuracy on ({pattern})* {100 * result.accuracy.fraction:.3g} %")
        facts.append(f"{result.seconds:.1f} s" if result.seconds >= 1 else f"{1000 * result.seconds:.3g} ms")
        trace = self._session.trace
        count = 0 if trace is None else trace.nonfinite()
        facts.append(f"{count} NaN/Inf" if count else "0 NaN")
        titles, done = self._session.document.history()
        if done:
            facts.append(f"undo: {titles[done - 1]}")
        self._facts.setText(" · ".join(facts))

    def _show_result(self) -> None:
        self.refresh()
        self._show_readout(self._session.selection.hovered)

    def _show_readout(self, cell: CellRef | None) -> None:
        self._readout.setText("" if cell is None else self._describe(cell))

    def _describe(self, ref: CellRef) -> str:
        """`pattern[head 0, query b₂, key a₁] = 0.5`, with all digits, and how it stands to the baseline."""
        trace, number = self._session.trace, present_number(self._session, ref)
        if ref.kind != "activation" or trace is None or number is None:
            return ""
        opened = self._session.document.state.opened
        words = []
        for axis, index in zip(trace.axes(ref.name), ref.cell, strict=True):
            if axis in ("position", "query", "key"):
                words.append(f"{axis} {token_labels(opened, [int(trace.tokens[index])], index)[0]}")
            elif axis == "d_vocab":
                words.append(f"token {opened.model.text([index])!r}")
            else:
                words.append(f"{axis} {index}")
        said = f"{ref.name.rpartition('.')[2]}[{', '.join(words)}] = {full(float(number), number.dtype)}"
        compared = against_baseline(self._session, ref)
        return f"{said}; {compared}" if compared else said

    def event(self, event: QEvent) -> bool:
        done = super().event(event)
        if event.type() in (QEvent.Type.LayoutRequest, QEvent.Type.Resize):
            self._share_room()
        return done
