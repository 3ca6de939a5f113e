"""Long prompts in the fields: none loses its end, the part that counts; one that is too long is refused whole."""

import pytest
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from tests.ui.finding import child
from visualizer.errors import TokenError
from visualizer.session.analysis.two_prompts import LONGEST_PROMPT, read_prompt
from visualizer.session.session import Session
from visualizer.ui.panels.prompt_bar.panel import PromptBar
from visualizer.ui.panels.two_prompts.panel import TwoPromptsPanel


def shown(widget: QWidget, qtbot: QtBot) -> QWidget:
    qtbot.addWidget(widget)
    widget.show()
    return widget


def paste(field: QLineEdit, text: str) -> None:
    QGuiApplication.clipboard().setText(text)
    field.selectAll()
    field.paste()


@pytest.mark.parametrize("length", [32_767, 32_768, 32_769, LONGEST_PROMPT])
def test_a_pasted_prompt_keeps_its_end(session: Session, qtbot: QtBot, length: int) -> None:
    bar = shown(PromptBar(session), qtbot)
    text = "a" * (length - 1) + "b"
    paste(child(bar, QLineEdit, "promptEdit"), text)
    assert session.document.state.prompt_text == text
    assert child(bar, QLineEdit, "promptEdit").text() == text


def test_a_second_prompt_keeps_its_end_too(session: Session, qtbot: QtBot) -> None:
    panel = shown(TwoPromptsPanel(session), qtbot)
    text = "a" * 32_768 + "b"
    paste(child(panel, QLineEdit, "secondPromptEdit"), text)
    second = session.document.state.second_prompt
    assert second is not None
    assert session.document.state.model.text(second) == text


def test_a_prompt_that_is_too_long_is_refused_whole(session: Session, qtbot: QtBot) -> None:
    bar = shown(PromptBar(session), qtbot)
    assert isinstance(bar, PromptBar)
    paste(child(bar, QLineEdit, "promptEdit"), "ab" * (LONGEST_PROMPT // 2 + 1))
    assert session.document.state.prompt_text == "aabaa"
    assert "more than 250,000 characters is too long to be a prompt" in bar.refusal.text()


def test_reading_refuses_what_is_too_long(session: Session) -> None:
    model = session.document.state.model
    assert len(read_prompt(model, "a" * LONGEST_PROMPT)) == LONGEST_PROMPT
    with pytest.raises(TokenError, match="too long to be a prompt"):
        read_prompt(model, "a" * (LONGEST_PROMPT + 1))
