"""The prompt bar: typing, refused text, one undo stack, choosing a model, stepping and playing."""

from collections.abc import Callable

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QApplication, QComboBox, QLineEdit, QSpinBox, QToolButton
from pytestqt.qtbot import QtBot

from tests.ui.finding import child
from visualizer.engine.model import Model
from visualizer.errors import TokenError
from visualizer.formats import OpenedModel, open_model
from visualizer.session.analysis.two_prompts import read_prompt
from visualizer.session.document.edits import SetCells, SetPrompt
from visualizer.session.session import Session
from visualizer.ui.panels.prompt_bar.panel import PromptBar, accepted

C_ATTN = "blocks.0.attn.c_attn.w"


@pytest.fixture
def bar(session: Session, qtbot: QtBot) -> PromptBar:
    """The bar, shown."""
    bar = PromptBar(session)
    qtbot.addWidget(bar)
    bar.show()
    return bar


@pytest.fixture
def press(bar: PromptBar, qtbot: QtBot) -> Callable[[str], None]:
    """Clicks the tool button of a name."""

    def click(name: str) -> None:
        button = child(bar, QToolButton, name)
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)

    return click


def field(bar: PromptBar) -> QLineEdit:
    """The prompt's field."""
    return child(bar, QLineEdit, "promptEdit")


def output(bar: PromptBar) -> str:
    """The continuation on screen."""
    return child(bar, QLineEdit, "outputText").text()


def retype(bar: PromptBar, qtbot: QtBot, text: str) -> None:
    """Type another prompt over the one in the field."""
    field(bar).selectAll()
    qtbot.keyClicks(field(bar), text)


def test_it_opens_on_the_documents_prompt_and_its_continuation(bar: PromptBar) -> None:
    assert field(bar).text() == "aabaa"
    assert output(bar) == "baabaabaab"


def test_each_letter_typed_is_the_prompt_at_once(bar: PromptBar, session: Session, qtbot: QtBot) -> None:
    seen: list[str] = []
    session.subscribe(lambda result: seen.append(result.state.prompt_text))
    retype(bar, qtbot, "aba")
    assert seen == ["a", "ab", "aba"]
    assert output(bar) == session.document.state.model.text(session.result.generated if session.result else ())


def test_a_burst_of_typing_is_undone_at_once(bar: PromptBar, session: Session, qtbot: QtBot) -> None:
    retype(bar, qtbot, "bbb")
    assert session.document.history() == (["prompt “bbb”"], 1)
    qtbot.keyClick(field(bar), Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert session.document.state.prompt_text == "aabaa"
    assert field(bar).text() == "aabaa"
    qtbot.keyClick(field(bar), Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
    assert field(bar).text() == session.document.state.prompt_text == "bbb"


def test_leaving_the_field_ends_the_burst(bar: PromptBar, session: Session, qtbot: QtBot) -> None:
    retype(bar, qtbot, "b")
    qtbot.keyClick(field(bar), Qt.Key.Key_Return)
    qtbot.keyClicks(field(bar), "a")
    assert session.document.history() == (["prompt “b”", "prompt “ba”"], 2)
    session.document.undo()
    assert field(bar).text() == "b"


def test_text_that_cannot_be_read_says_why_and_leaves_the_prompt(
    bar: PromptBar, session: Session, qtbot: QtBot
) -> None:
    assert not bar.refusal.isVisible()
    qtbot.keyClicks(field(bar), "x")
    assert field(bar).text() == "aabaax"
    assert session.document.state.prompt_text == "aabaa"
    assert bar.refusal.isVisible()
    assert "'x' at position 5" in bar.refusal.text()
    assert "'a' 'b'" in bar.refusal.text()
    assert bar.prompt_edit.refused
    assert "'x'" in field(bar).accessibleDescription()
    qtbot.keyClick(field(bar), Qt.Key.Key_Backspace)
    assert not bar.refusal.isVisible()
    assert not bar.prompt_edit.refused


def test_refused_text_is_underlined_not_only_coloured(bar: PromptBar, qtbot: QtBot) -> None:
    bar.prompt_edit.setText("aab")
    bar.prompt_edit.clearFocus()
    plain = bar.prompt_edit.grab().toImage()
    bar.prompt_edit.set_refused(True)
    marked = bar.prompt_edit.grab().toImage()
    differing = [y for y in range(plain.height()) if any(plain.pixel(x, y) != marked.pixel(x, y) for x in (20, 41, 62))]
    assert differing
    assert min(differing) > plain.height() / 2


def test_an_edit_of_weights_leaves_refused_text_alone(bar: PromptBar, session: Session, qtbot: QtBot) -> None:
    qtbot.keyClicks(field(bar), "x")
    session.document.apply(SetCells("wpe", (0, 0), 2.0))
    assert field(bar).text() == "aabaax"
    assert bar.refusal.isVisible()


def test_a_prompt_from_elsewhere_is_followed_with_the_caret_where_it_was(bar: PromptBar, session: Session) -> None:
    field(bar).setCursorPosition(2)
    session.document.apply(SetPrompt("bbbb"))
    assert field(bar).text() == "bbbb"
    assert field(bar).cursorPosition() == 2


def test_the_caret_stays_while_one_types_in_the_middle(bar: PromptBar, qtbot: QtBot) -> None:
    field(bar).setCursorPosition(1)
    qtbot.keyClicks(field(bar), "b")
    assert (field(bar).text(), field(bar).cursorPosition()) == ("ababaa", 2)


def test_choosing_a_model_is_an_edit_that_undo_takes_back_with_all_weights(bar: PromptBar, session: Session) -> None:
    session.document.apply(SetCells(C_ATTN, (6, 23), 3.0))
    edited = session.document.state
    chooser = child(bar, QComboBox, "modelChooser")
    listed = [chooser.itemText(i) for i in range(chooser.count())]
    assert listed == ["aab", "ab", "aaab", "induction", "sort", "reverse", "rhymes"]
    chooser.setCurrentText("aaab")
    assert session.document.state.opened.name == "aaab"
    assert field(bar).text() == session.document.state.prompt_text
    session.document.undo()
    assert session.document.state is edited
    assert chooser.currentText() == "aab"
    assert field(bar).text() == "aabaa"


def test_a_model_that_is_no_preset_is_listed_too(qtbot: QtBot) -> None:
    preset = open_model("ab")
    bar = PromptBar(Session(OpenedModel(preset.model, "mine", "mine", "ab", preset.dimension_names)))
    qtbot.addWidget(bar)
    assert bar.model_chooser.currentText() == "mine"


def test_the_empty_field_says_what_it_takes(bar: PromptBar, session: Session, qtbot: QtBot) -> None:
    assert field(bar).placeholderText() == "text of a, b"
    field(bar).selectAll()
    qtbot.keyClick(field(bar), Qt.Key.Key_Delete)
    assert session.document.state.prompt == ()
    assert output(bar) == "abaabaabaa"


def test_stepping_buttons_move_the_cursor(bar: PromptBar, session: Session, press: Callable[[str], None]) -> None:
    back = child(bar, QToolButton, "stepBack")
    assert not back.isEnabled()
    press("stepForward")
    press("stepForward")
    press("stepBack")
    assert session.selection.now.step == 1
    assert back.isEnabled()


def test_stepping_by_keyboard(bar: PromptBar, session: Session, qtbot: QtBot) -> None:
    with qtbot.waitExposed(bar):
        bar.activateWindow()
    field(bar).setFocus()
    qtbot.keyClick(field(bar), Qt.Key.Key_Right, Qt.KeyboardModifier.AltModifier)
    assert session.selection.now.step == 1
    qtbot.keyClick(field(bar), Qt.Key.Key_Left, Qt.KeyboardModifier.AltModifier)
    assert session.selection.now.step == 0
    qtbot.keyClick(field(bar), Qt.Key.Key_R, Qt.KeyboardModifier.ControlModifier)
    assert session.document.state.length == 0
    qtbot.keyClick(field(bar), Qt.Key.Key_G, Qt.KeyboardModifier.ControlModifier)
    assert session.document.state.length == 10


def test_generating_and_resetting(bar: PromptBar, session: Session, press: Callable[[str], None]) -> None:
    press("resetGeneration")
    assert output(bar) == ""
    count = child(bar, QSpinBox, "generateCount")
    count.setValue(4)
    press("generateAll")
    assert output(bar) == "baab"
    assert session.selection.now.step == 4


def test_the_continuation_is_whole_wherever_the_cursor_is(bar: PromptBar, session: Session) -> None:
    session.go_to_step(3)
    assert output(bar) == "baabaabaab"


def test_playing_steps_until_it_is_stopped(
    bar: PromptBar, session: Session, press: Callable[[str], None], qtbot: QtBot
) -> None:
    bar.speed.setCurrentIndex(bar.speed.findData(8))
    press("play")
    assert bar.playing
    assert session.selection.now.step == 1
    qtbot.waitUntil(lambda: session.selection.now.step >= 3, timeout=3000)
    press("play")
    assert not bar.playing


def test_the_speed_can_change_while_playing(bar: PromptBar, press: Callable[[str], None]) -> None:
    press("play")
    bar.speed.setCurrentIndex(bar.speed.findData(4))
    assert bar._ticks.interval() == 250
    bar.stop()


@pytest.mark.parametrize(
    "interrupt",
    [
        lambda bar: bar.session.document.apply(SetPrompt("ab")),
        lambda bar: bar.session.step_back(),
        lambda bar: bar.actions_by_name["stepForward"].trigger(),
        lambda bar: bar.hide(),
    ],
    ids=["prompt", "step elsewhere", "step", "hide"],
)
def test_playing_ends_when_the_user_goes_elsewhere(
    bar: PromptBar, press: Callable[[str], None], interrupt: Callable[[PromptBar], object]
) -> None:
    press("play")
    interrupt(bar)
    assert not bar.playing


def test_playing_goes_on_while_weights_are_edited(
    bar: PromptBar, session: Session, press: Callable[[str], None]
) -> None:
    press("play")
    session.document.apply(SetCells("wpe", (0, 0), 2.0))
    assert bar.playing
    bar.stop()


def test_playing_stops_by_itself_after_two_hundred_tokens(bar: PromptBar, session: Session, qtbot: QtBot) -> None:
    session.generate(200)
    with qtbot.waitSignal(bar.message) as said:
        bar.actions_by_name["play"].trigger()
    assert said.args is not None
    assert "200" in said.args[0]
    assert not bar.playing
    assert session.document.state.length == 200


def test_every_control_has_a_name_and_says_what_it_does(bar: PromptBar) -> None:
    for widget in (*bar.findChildren(QToolButton), bar.model_chooser, bar.count, bar.speed, bar.output_text):
        assert widget.accessibleName()
        assert widget.toolTip()
    for name in ("stepBack", "stepForward", "play", "generateAll", "resetGeneration"):
        assert "(" in bar.actions_by_name[name].toolTip()


def test_icons_follow_the_theme(bar: PromptBar, qapp: QApplication) -> None:
    from visualizer.ui.look.theme import DARK, LIGHT, apply_theme

    before = QPalette(qapp.palette())
    sheet = qapp.styleSheet()
    images = []
    for theme in (LIGHT, DARK):
        apply_theme(qapp, theme)
        images.append(bar.actions_by_name["play"].icon().pixmap(16, 16).toImage())
    apply_theme(qapp, LIGHT)
    qapp.setPalette(before)
    qapp.setStyleSheet(sheet)
    assert images[0] != images[1]


def test_a_model_without_a_tokenizer_takes_ids() -> None:
    preset = open_model("aab")
    bare = Model(preset.model.config, dict(preset.model.parameters), None)
    assert accepted(bare) == "token ids from 0 to 1, separated by commas"
    assert read_prompt(bare, "0, 1,0,") == (0, 1, 0)
    with pytest.raises(TokenError, match=r"'x' is not a token id; token ids from 0 to 1"):
        read_prompt(bare, "0,x")
    np.testing.assert_array_equal(bare.ids(read_prompt(bare, "1,1")), [1, 1])


def test_a_new_line_is_typed_and_seen(qtbot: QtBot) -> None:
    session = Session(open_model("rhymes"))
    bar = PromptBar(session)
    qtbot.addWidget(bar)
    bar.resize(900, 40)
    bar.show()
    bar.prompt_edit.setText("cat ")
    with_space = bar.prompt_edit.grab().toImage()
    bar.prompt_edit.setText("cat")
    qtbot.keyClick(bar.prompt_edit, Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    assert session.document.state.prompt_text == bar.prompt_edit.text() == "cat\n"
    assert bar.prompt_edit.grab().toImage() != with_space


def test_undo_takes_back_a_text_that_is_no_prompt_and_nothing_else(
    bar: PromptBar, session: Session, qtbot: QtBot
) -> None:
    def refused() -> bool:
        return bar.prompt_edit.refused

    retype(bar, qtbot, "bb")
    qtbot.keyClicks(field(bar), "xy")
    assert refused()
    qtbot.keyClick(field(bar), Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert field(bar).text() == session.document.state.prompt_text == "bb"
    assert not refused()
    qtbot.keyClick(field(bar), Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert field(bar).text() == session.document.state.prompt_text == "aabaa"


def test_what_is_pasted_between_letters_is_undone_by_itself(bar: PromptBar, session: Session, qtbot: QtBot) -> None:
    retype(bar, qtbot, "b")
    QApplication.clipboard().setText("aba")
    field(bar).paste()
    qtbot.keyClicks(field(bar), "b")
    seen = [session.document.state.prompt_text]
    for _ in range(3):
        session.document.undo()
        seen.append(field(bar).text())
    assert seen == ["babab", "baba", "b", "aabaa"]


def test_a_letter_typed_and_taken_back_is_no_step_to_undo(bar: PromptBar, session: Session, qtbot: QtBot) -> None:
    qtbot.keyClicks(field(bar), "b")
    qtbot.keyClick(field(bar), Qt.Key.Key_Backspace)
    assert field(bar).text() == session.document.state.prompt_text == "aabaa"
    assert session.document.history() == ([], 0)
