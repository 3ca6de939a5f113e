"""The badge: what it says, when it checks, and where a click leads."""

import threading
from collections.abc import Generator

import numpy as np
import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from tests.engine.models import of_kind
from visualizer.engine.interventions import Intervention
from visualizer.engine.model import Model
from visualizer.engine.trace import Trace
from visualizer.formats import OpenedModel
from visualizer.session.analysis import self_check
from visualizer.session.analysis.self_check import Check, check_steps
from visualizer.session.document.edits import SetCells, SetInterventions, SetPrompt
from visualizer.session.selection import CellRef
from visualizer.session.session import Session
from visualizer.ui.look.theme import DARK, LIGHT, Theme, contrast_ratio
from visualizer.ui.panels.self_check.panel import GREEN, NOTHING, SelfCheckBadge


@pytest.fixture
def badge(session: Session, qtbot: QtBot) -> SelfCheckBadge:
    """The badge, shown."""
    badge = SelfCheckBadge(session)
    qtbot.addWidget(badge)
    badge.show()
    return badge


def settled(badge: SelfCheckBadge, qtbot: QtBot) -> str:
    """What it says once it has checked."""
    qtbot.waitUntil(lambda: badge.button.text() != "self-check …")
    return badge.button.text()


def test_it_says_how_many_numbers_agree(badge: SelfCheckBadge, session: Session, qtbot: QtBot) -> None:
    trace = session.trace
    assert trace is not None
    count = sum(trace[name].size for name in trace)
    assert settled(badge, qtbot) == f"✓ self-check ok: {count} numbers agree exactly"
    assert "reference implementation" in badge.button.toolTip()


def test_edits_are_checked_once_they_have_come_to_rest(badge: SelfCheckBadge, session: Session, qtbot: QtBot) -> None:
    settled(badge, qtbot)
    before = badge.check
    for value in range(5):
        session.document.apply(SetCells("wpe", (0, 0), float(value + 2), gesture="drag"))
        assert badge.button.text() == "self-check …"
        assert badge.check is before
    assert settled(badge, qtbot).startswith("✓ self-check ok")
    assert badge.check is not before


def test_a_click_checks_again_and_says_so(badge: SelfCheckBadge, qtbot: QtBot) -> None:
    settled(badge, qtbot)
    with qtbot.waitSignal(badge.message) as said:
        qtbot.mouseClick(badge.button, Qt.MouseButton.LeftButton)
    assert "agree exactly" in said.args[0]


def test_a_number_that_does_not_agree_is_named_and_a_click_explains_it(
    badge: SelfCheckBadge, session: Session, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    trace = session.trace
    assert trace is not None
    recorded = dict(trace.recorded)
    recorded["blocks.0.attn.z"] = recorded["blocks.0.attn.z"] + np.float32(1)
    wrong = Trace(trace.graph, trace.parameters, trace.tokens, recorded)
    monkeypatch.setattr(Session, "trace", wrong)
    qtbot.mouseClick(badge.button, Qt.MouseButton.LeftButton)
    assert badge.button.text() == "✗ self-check: blocks.0.attn.z[0, 0, 0] does not agree"
    qtbot.mouseClick(badge.button, Qt.MouseButton.LeftButton)
    assert session.selection.now.cell == CellRef("activation", "blocks.0.attn.z", (0, 0, 0))


def test_interventions_and_an_empty_prompt_are_said(badge: SelfCheckBadge, session: Session, qtbot: QtBot) -> None:
    session.document.apply(SetInterventions((Intervention("blocks.0.attn.z", "zero"),)))
    assert "ok without interventions" in settled(badge, qtbot)
    session.document.apply(SetPrompt(""))
    assert badge.button.text() == NOTHING


@pytest.fixture
def larger(qtbot: QtBot) -> SelfCheckBadge:
    """The badge of a model that is too large for the reference implementation, shown."""
    model = of_kind("gpt-2", d_model=64, n_heads=4, d_mlp=256, d_vocab=60, n_ctx=40, dtype="float32")
    session = Session(OpenedModel(model, "larger", "larger"))
    session.document.apply(SetPrompt(tuple(range(30))))
    badge = SelfCheckBadge(session)
    qtbot.addWidget(badge)
    badge.show()
    return badge


def test_a_larger_model_is_checked_beside_the_window(
    larger: SelfCheckBadge, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[threading.Thread] = []

    def watched(model: Model, trace: Trace, seed: int) -> Generator[int, None, Check]:
        threads.append(threading.current_thread())
        check = yield from check_steps(model, trace, seed)
        threads.append(threading.current_thread())
        return check

    monkeypatch.setattr(self_check, "check_steps", watched)
    settled(larger, qtbot)
    assert len(threads) == 2
    assert threading.main_thread() not in threads
    with qtbot.waitSignal(larger.message) as said:
        qtbot.mouseClick(larger.button, Qt.MouseButton.LeftButton)
    assert "random sample" in said.args[0]
    assert len(threads) == 4


def test_what_a_check_of_an_earlier_pass_comes_to_is_not_said(
    larger: SelfCheckBadge, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def slow(model: Model, trace: Trace, seed: int) -> Generator[int, None, Check]:
        yield 0
        begun.set()
        go_on.wait(30)
        yield 1
        return Check("sampled", 1, 1.0, CellRef("activation", "embed", (0, 0)))

    monkeypatch.setattr(self_check, "check_steps", slow)
    qtbot.waitUntil(begun.is_set)
    monkeypatch.setattr(self_check, "check_steps", check_steps)
    larger.session.document.apply(SetPrompt(tuple(range(20))))
    go_on.set()
    assert settled(larger, qtbot).startswith("✓ self-check ok")


def test_a_larger_model_is_said_to_be_sampled(larger: SelfCheckBadge, qtbot: QtBot) -> None:
    badge = larger
    assert "sampled numbers agree to 1e-" in settled(badge, qtbot)
    assert "too large" in badge.button.toolTip()


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_its_green_can_be_read(theme: Theme) -> None:
    assert contrast_ratio(GREEN[theme.dark], theme.background) >= 4.5
