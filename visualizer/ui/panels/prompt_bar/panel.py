"""The bar at the top: which model, which prompt, what it is continued with, and stepping through the generation."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QSignalBlocker, QTimer
from PySide6.QtGui import QAction, QHideEvent, QKeySequence, QResizeEvent
from PySide6.QtWidgets import QComboBox, QGridLayout, QHBoxLayout, QLabel, QToolButton, QWidget

from visualizer.engine.model import Model
from visualizer.errors import InputError
from visualizer.formats import NAMES, open_model
from visualizer.session.document.document import Change
from visualizer.session.document.edits import MODEL, PROMPT, OpenModel, SetPrompt
from visualizer.session.evaluation.result import Result
from visualizer.session.selection import Chosen
from visualizer.session.session import Session
from visualizer.tokenizers.characters import CharacterTokenizer
from visualizer.ui.bridge.panel import SessionPanel
from visualizer.ui.look.theme import Theme, current_theme, icon, number_font
from visualizer.ui.widgets.buttons import action_button
from visualizer.ui.widgets.number_fields import WholeField
from visualizer.ui.widgets.plain_text import PlainLabel, as_tip
from visualizer.ui.widgets.prompt_edit import PromptEdit, TextLine, inserted

#: A pause this long ends a burst of typing: what follows is undone separately.
BURST_MS = 1000
#: Playing stops at so many generated tokens (or at the end of more that are there already).
PLAY_LIMIT = 200
SPEEDS = (1, 2, 4, 8)
#: Alphabets up to this size are written out in the empty field.
LISTED = 12
#: The chooser of the model grows with the model's name up to so many pixels.
WIDEST_CHOOSER = 200


class PromptBar(SessionPanel):
    """Model, prompt, continuation, and the generation's controls.

    Everything here is an edit of the document or a move of its cursor; only a refused text is the field's own.
    """

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(session, parent)
        self.setObjectName("promptBar")
        self._bursts = 0
        self._text = ""
        self._stepping = False
        self._icons_of: Theme | None = None
        self._burst_end = QTimer(self, singleShot=True, interval=BURST_MS)
        self._burst_end.timeout.connect(self._end_burst)
        self._ticks = QTimer(self)
        self._ticks.timeout.connect(self._tick)
        self._make_fields()
        self._make_generation()
        self._make_actions()
        self._lay_out()
        self._show_model()
        self._show_prompt()
        self.refresh()

    # -- making it

    def _make_fields(self) -> None:
        self.model_chooser = QComboBox(self)
        self.model_chooser.setObjectName("modelChooser")
        self.model_chooser.setAccessibleName("Model")
        self.model_chooser.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.model_chooser.setMaximumWidth(WIDEST_CHOOSER)
        self.model_chooser.setToolTip("Open another model; undo brings this one back with all its edits")
        self.model_chooser.currentIndexChanged.connect(self._choose_model)

        self.prompt_edit = PromptEdit(self)
        self.prompt_edit.setObjectName("promptEdit")
        self.prompt_edit.setAccessibleName("Prompt")
        self.prompt_edit.setFont(number_font())
        self.prompt_edit.setMinimumWidth(120)
        self.prompt_edit.textChanged.connect(self._typed)
        self.prompt_edit.editingFinished.connect(self._end_burst)
        self.prompt_edit.undo_wanted.connect(self._undo)
        self.prompt_edit.redo_wanted.connect(lambda: self.session.document.redo())

        self.output_text = TextLine(self)
        self.output_text.setObjectName("outputText")
        self.output_text.setReadOnly(True)
        self.output_text.setFont(number_font())
        self.output_text.setMinimumWidth(100)
        self.output_text.setAccessibleName("Continuation")
        self.output_text.setToolTip("What the model continues the prompt with")

        self.refusal = PlainLabel("", self)
        self.refusal.setObjectName("promptRefusal")
        self.refusal.setWordWrap(True)
        self.refusal.setAutoFillBackground(True)
        self.refusal.setFrameShape(QLabel.Shape.Box)
        self.refusal.setMargin(4)
        self.refusal.hide()

    def _make_generation(self) -> None:
        self.count = WholeField(self)
        self.count.setObjectName("generateCount")
        self.count.setRange(1, 1000)
        self.count.setValue(10)
        self.count.setAccessibleName("How many tokens to generate")
        self.count.setToolTip("How many tokens “Generate” adds after the cursor")

        self.speed = QComboBox(self)
        self.speed.setObjectName("playSpeed")
        for speed in SPEEDS:
            self.speed.addItem(f"{speed}/s", speed)
        self.speed.setCurrentIndex(1)
        self.speed.setAccessibleName("Tokens a second while playing")
        self.speed.setToolTip("Tokens a second while playing")
        self.speed.currentIndexChanged.connect(lambda: self._ticks.setInterval(self._interval()))

    def _make_actions(self) -> None:
        forward, back = QKeySequence("Alt+Right"), QKeySequence("Alt+Left")
        self._add("stepBack", "Step back", "Move the cursor one token back", [back]).triggered.connect(self._step_back)
        self._add(
            "stepForward", "Step forward", "Move the cursor one token on; at the end, generate one more", [forward]
        ).triggered.connect(self._step_forward)
        play = self._add("play", "Play", "Step forward until stopped", [QKeySequence("F5"), QKeySequence("Ctrl+Space")])
        play.setCheckable(True)
        play.toggled.connect(self._play)
        self._add(
            "generateAll", "Generate", "Generate this many tokens after the cursor", [QKeySequence("Ctrl+G")]
        ).triggered.connect(self._generate)
        self._add(
            "resetGeneration", "Clear generated tokens", "Take all generated tokens away", [QKeySequence("Ctrl+R")]
        ).triggered.connect(self._reset)
        focus = self._add("focusPrompt", "Edit the prompt", "Go to the prompt", [QKeySequence("Ctrl+L")])
        focus.triggered.connect(self._focus_prompt)
        self.addAction(focus)

    def _add(self, name: str, text: str, what: str, keys: list[QKeySequence]) -> QAction:
        action = QAction(text, self)
        action.setObjectName(f"{name}Action")
        action.setShortcuts(keys)
        said = " or ".join(key.toString(QKeySequence.SequenceFormat.NativeText) for key in keys)
        action.setToolTip(f"{what} ({said})")
        action.setStatusTip(what)
        self.actions_by_name[name] = action
        return action

    def _button(self, name: str) -> QToolButton:
        return action_button(self.actions_by_name[name], name, self, flat=True)

    def _lay_out(self) -> None:
        model_label, prompt_label = QLabel("Model", self), QLabel("&Prompt", self)
        model_label.setBuddy(self.model_chooser)
        prompt_label.setBuddy(self.prompt_edit)
        arrow = QLabel("→", self)
        arrow.setAccessibleName("is continued with")
        controls = QHBoxLayout()
        controls.setSpacing(2)
        for name in ("stepBack", "stepForward", "play"):
            controls.addWidget(self._button(name))
        controls.addWidget(self.speed)
        controls.addSpacing(8)
        controls.addWidget(self._button("generateAll"))
        controls.addWidget(self.count)
        controls.addWidget(self._button("resetGeneration"))
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(2)
        row = (model_label, self.model_chooser, prompt_label, self.prompt_edit, arrow, self.output_text)
        for column, widget in enumerate(row):
            grid.addWidget(widget, 0, column)
        grid.addLayout(controls, 0, len(row))
        grid.setColumnStretch(3, 3)
        grid.setColumnStretch(5, 2)

    # -- following the session

    def refresh(self) -> None:
        """Show the continuation, and what can be done at the cursor."""
        self._show_icons()
        result = self.result
        self._show_output("" if result is None else result.state.model.text(result.generated))
        step, length = self.session.selection.now.step, self.session.document.state.length
        self.actions_by_name["stepBack"].setEnabled(step > 0)
        self.actions_by_name["resetGeneration"].setEnabled(step > 0 or length > 0)

    def result_arrived(self, result: Result) -> None:
        """The continuation is kept right even while the bar is hidden: others read it."""
        self.refresh()

    def selection_changed(self, before: Chosen, now: Chosen) -> None:
        if before.step != now.step:
            if not self._stepping:
                self.stop()
            self.refresh()

    def document_changed(self, change: Change) -> None:
        if not change.touches & {MODEL, PROMPT}:
            return
        self.stop()
        if MODEL in change.touches:
            self._show_model()
        if change.initiator is not self or MODEL in change.touches:
            self._bursts += 1
            self._show_prompt()

    def _show_model(self) -> None:
        opened = self.session.document.state.opened
        names = list(NAMES)
        if opened.name not in names:
            names.append(opened.name)
        with QSignalBlocker(self.model_chooser):  # what the document says is not chosen
            if [self.model_chooser.itemText(i) for i in range(self.model_chooser.count())] != names:
                self.model_chooser.clear()
                self.model_chooser.addItems(names)
            self.model_chooser.setCurrentText(opened.name)
        self.prompt_edit.setPlaceholderText(accepted(opened.model))
        self.prompt_edit.setToolTip(as_tip(f"What the model continues: {accepted(opened.model)} (Ctrl+L)"))

    def _show_prompt(self) -> None:
        text = self.session.document.state.prompt_text
        if text != self.prompt_edit.text():
            caret, at_end = self.prompt_edit.cursorPosition(), len(self.prompt_edit.text())
            with QSignalBlocker(self.prompt_edit):  # what the document says is not typed
                self.prompt_edit.setText(text)
            self._text = text
            self.prompt_edit.update()
            self.prompt_edit.setCursorPosition(len(text) if caret == at_end else min(caret, len(text)))
        self._refuse("")

    def _show_output(self, text: str) -> None:
        result = self.session.result
        going_on = result is not None and not result.complete
        self.output_text.setPlaceholderText("generating …" if going_on else "nothing generated")
        before = self.output_text.text()
        if text == before:
            return
        grew = len(text) > len(before) > 0 and text.startswith(before)
        self.output_text.setText(text)
        self.output_text.setCursorPosition(len(text) if grew else 0)

    def _show_icons(self) -> None:
        theme = current_theme()
        if theme is self._icons_of:
            return
        self._icons_of = theme
        names = {"stepBack": "step-back", "stepForward": "step-forward", "generateAll": "generate-all"}
        for name, file in {**names, "resetGeneration": "reset"}.items():
            self.actions_by_name[name].setIcon(icon(file))
        self._play_icon, self._pause_icon = icon("play"), icon("pause")
        self._show_playing()

    def _show_playing(self) -> None:
        play = self.actions_by_name["play"]
        play.setIcon(self._pause_icon if play.isChecked() else self._play_icon)
        play.setText("Pause" if play.isChecked() else "Play")

    # -- what the user does

    def _choose_model(self, index: int) -> None:
        state = self.session.document.state
        name = self.model_chooser.itemText(index)
        if name == state.opened.name:
            return
        try:
            self.session.document.apply(OpenModel(open_model(name)), initiator=self)
        except InputError as error:
            self.model_chooser.setCurrentText(state.opened.name)
            self.message.emit(str(error))

    def _undo(self) -> None:
        """Take back the text that is no prompt; where there is none, the document's last step."""
        if self.prompt_edit.refused:
            self._end_burst()
            self._show_prompt()
        else:
            self.session.document.undo()

    def _typed(self, text: str) -> None:
        document = self.session.document
        pasted = inserted(self._text, text) > 1  # which is undone by itself
        self._text = text
        if pasted:
            self._end_burst()
        try:
            from visualizer.session.analysis.two_prompts import read_prompt

            ids = read_prompt(document.state.model, text)
            if ids != document.state.prompt:
                document.apply(SetPrompt(ids, f"typing {id(self)} {self._bursts}", text), initiator=self)
        except InputError as error:
            self._refuse(str(error))
        else:
            self._refuse("")
        if pasted:
            self._end_burst()
        else:
            self._burst_end.start()

    def _refuse(self, why: str) -> None:
        self.refusal.setText(f"⚠ {why}; the prompt is still the last one that could be read." if why else "")
        self.refusal.setVisible(bool(why))
        if why:
            self._place_refusal()
        self.prompt_edit.set_refused(bool(why))
        self.prompt_edit.setAccessibleDescription(why)

    def _place_refusal(self) -> None:
        """Under the field and above what stands there, so that nothing moves while one types."""
        window, field = self.window(), self.prompt_edit
        if self.refusal.parentWidget() is not window:
            self.refusal.setParent(window)
            self.refusal.show()
        corner = field.mapTo(window, field.rect().bottomLeft()) + QPoint(0, 2)
        room = window.width() - corner.x() - 8
        self.refusal.setFixedWidth(
            max(40, min(self.refusal.fontMetrics().horizontalAdvance(self.refusal.text()) + 16, room))
        )
        self.refusal.resize(self.refusal.width(), self.refusal.heightForWidth(self.refusal.width()))
        self.refusal.move(corner)
        self.refusal.raise_()

    def _end_burst(self) -> None:
        self._burst_end.stop()
        self._bursts += 1

    def _focus_prompt(self) -> None:
        self.prompt_edit.setFocus()
        self.prompt_edit.selectAll()

    def _step_back(self) -> None:
        self.stop()
        self.session.step_back()

    def _step_forward(self) -> None:
        self.stop()
        self.attempt(self.session.step_forward)

    def _generate(self) -> None:
        self.stop()
        self.attempt(lambda: self.session.generate(self.count.value()))

    def _reset(self) -> None:
        self.stop()
        self.session.reset_generation()

    # -- playing

    @property
    def playing(self) -> bool:
        """Whether tokens are being stepped through by themselves."""
        return self._ticks.isActive()

    def stop(self) -> None:
        """Stop playing, if it plays."""
        self.actions_by_name["play"].setChecked(False)

    def _interval(self) -> int:
        return 1000 // int(self.speed.currentData())

    def _play(self, on: bool) -> None:
        self._show_playing()
        if not on:
            self._ticks.stop()
            return
        self._ticks.start(self._interval())
        self._tick()

    def _tick(self) -> None:
        if self.session.pending:
            return  # what was asked for last is still being computed
        if self.session.selection.now.step >= max(PLAY_LIMIT, self.session.document.state.length):
            self.stop()
            self.message.emit(f"Stopped after {PLAY_LIMIT} tokens; step forward for more.")
            return
        self._stepping = True
        try:
            if not self.attempt(self.session.step_forward):
                self.stop()
        finally:
            self._stepping = False

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self.refusal.isVisible():
            self._place_refusal()

    def hideEvent(self, event: QHideEvent) -> None:
        self.stop()
        super().hideEvent(event)


def accepted(model: Model) -> str:
    """What the field takes, in a few words: `text of a, b`."""
    tokenizer = model.tokenizer
    if tokenizer is None:
        return f"token ids from 0 to {model.config.d_vocab - 1}, separated by commas"
    if not isinstance(tokenizer, CharacterTokenizer):
        return "any text"
    alphabet = tokenizer.alphabet
    listed = len(alphabet) <= LISTED
    return f"text of {', '.join(alphabet)}" if listed else f"text of the model's {len(alphabet)} characters"
