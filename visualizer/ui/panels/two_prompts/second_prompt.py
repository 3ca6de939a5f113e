"""The field for the second prompt: a word of undo for each burst of typing, and refused text says why."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QGridLayout, QLabel, QWidget

from visualizer.errors import InputError
from visualizer.session.analysis.two_prompts import read_prompt
from visualizer.session.document.document import Change
from visualizer.session.document.edits import MODEL, SECOND_PROMPT, SetSecondPrompt
from visualizer.session.session import Session
from visualizer.ui.bridge.panel import SessionPanel
from visualizer.ui.look.theme import number_font
from visualizer.ui.widgets.prompt_edit import PromptEdit

#: A pause this long ends a burst of typing: what follows is undone separately.
BURST_MS = 1000


class SecondPromptField(SessionPanel):
    """A labelled field; an empty one means no second prompt."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(session, parent)
        self._bursts = 0
        self._burst_end = QTimer(self, singleShot=True, interval=BURST_MS)
        self._burst_end.timeout.connect(self._end_burst)
        self.edit = PromptEdit(self)
        self.edit.setObjectName("secondPromptEdit")
        self.edit.setAccessibleName("Second prompt")
        self.edit.setToolTip("Another prompt on the same model; empty for none")
        self.edit.setFont(number_font())
        self.edit.setClearButtonEnabled(True)
        self.edit.setPlaceholderText("another prompt on the same model")
        self.edit.textEdited.connect(self._typed)
        self.edit.textChanged.connect(self._cleared)
        self.edit.editingFinished.connect(self._end_burst)
        self.edit.undo_wanted.connect(lambda: session.document.undo())
        self.edit.redo_wanted.connect(lambda: session.document.redo())
        self.refusal = QLabel(self)
        self.refusal.setObjectName("secondPromptRefusal")
        self.refusal.setTextFormat(Qt.TextFormat.PlainText)
        self.refusal.setWordWrap(True)
        self.refusal.hide()
        label = QLabel("&Second prompt", self)
        label.setBuddy(self.edit)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(2)
        grid.addWidget(label, 0, 0)
        grid.addWidget(self.edit, 0, 1)
        grid.addWidget(self.refusal, 1, 1)
        self._show()

    def refresh(self) -> None:
        """Nothing that follows the result: the field follows the document."""

    def document_changed(self, change: Change) -> None:
        """The text is kept right even while the field is hidden."""
        if MODEL in change.touches or (SECOND_PROMPT in change.touches and change.initiator is not self):
            self._bursts += 1
            self._show()

    def _show(self) -> None:
        state = self.session.document.state
        text = state.model.text(state.second_prompt or ())
        if text != self.edit.text():
            self.edit.setText(text)
        self._refuse("")

    def _typed(self, text: str) -> None:
        document = self.session.document
        try:
            ids = read_prompt(document.state.model, text) or None
            if ids != document.state.second_prompt:
                document.apply(SetSecondPrompt(ids, f"second prompt {id(self)} {self._bursts}", text), self)
        except InputError as error:
            self._refuse(str(error))
        else:
            self._refuse("")
        self._burst_end.start()

    def _cleared(self, text: str) -> None:
        """The field's own button takes the text away."""
        if not text and self.session.document.state.second_prompt is not None:
            self._typed(text)

    def _refuse(self, why: str) -> None:
        self.refusal.setText(f"⚠ {why}; the second prompt is still the last one that could be read." if why else "")
        self.refusal.setVisible(bool(why))
        self.edit.set_refused(bool(why))
        self.edit.setAccessibleDescription(why)

    def _end_burst(self) -> None:
        self._burst_end.stop()
        self._bursts += 1
