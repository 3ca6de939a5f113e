"""What memory has no room for is refused with a word wherever it is asked for, and nothing is computed."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pytestqt.qtbot import QtBot

from visualizer.engine import memory
from visualizer.formats import open_model
from visualizer.session.session import Session
from visualizer.ui.bridge.panel import SessionPanel
from visualizer.ui.panels.compare.panel import ComparePanel
from visualizer.ui.panels.prompt_bar.panel import PromptBar
from visualizer.ui.panels.token_strip.panel import TokenStrip


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> Session:
    """A session after which nothing larger has room."""
    session = Session(open_model("induction"))
    monkeypatch.setattr(memory, "pass_limit", lambda: 1)
    return session


def pressed(name: str) -> Callable[[SessionPanel], None]:
    return lambda panel: panel.actions_by_name[name].trigger()


def next_chosen(panel: SessionPanel) -> None:
    assert isinstance(panel, TokenStrip)
    panel.choose(len(panel.session.document.state.prompt) + panel.session.document.state.length)


ASKED: dict[str, tuple[Callable[[Session], SessionPanel], Callable[[SessionPanel], None]]] = {
    "step": (PromptBar, pressed("stepForward")),
    "generate": (PromptBar, pressed("generateAll")),
    "play": (PromptBar, pressed("play")),
    "next token": (TokenStrip, next_chosen),
    "baseline": (ComparePanel, pressed("pinBaseline")),
}


@pytest.mark.parametrize(("make", "ask"), ASKED.values(), ids=ASKED)
def test_what_is_too_large_is_refused_with_a_word(
    session: Session,
    qtbot: QtBot,
    make: Callable[[Session], SessionPanel],
    ask: Callable[[SessionPanel], None],
) -> None:
    panel = make(session)
    qtbot.addWidget(panel)
    panel.show()
    session.go_to_step(session.document.state.length)
    state, said = session.document.state, list[str]()
    panel.message.connect(said.append)
    ask(panel)
    assert [" needs about " in text for text in said] == [True]
    assert session.document.state is state
    assert not (isinstance(panel, PromptBar) and panel.playing)
