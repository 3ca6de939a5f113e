"""Long computations in the window: what is shown is marked as not up to date, and the work can be ended."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from PySide6.QtWidgets import QLabel, QPushButton, QWidget
from pytestqt.qtbot import QtBot

import visualizer
from tests.ui.finding import child
from visualizer.errors import CancelledError
from visualizer.formats import open_model
from visualizer.session.document.edits import OpenModel, SetCells, SetPrompt
from visualizer.session.evaluation import generation
from visualizer.session.evaluation.evaluate import evaluate
from visualizer.session.evaluation.generation import Watch
from visualizer.session.evaluation.request import Request
from visualizer.session.evaluation.result import Result
from visualizer.ui.bridge import executor
from visualizer.ui.heatmap.widget import Heatmap
from visualizer.ui.panels.next_token.panel import NextTokenPanel
from visualizer.ui.panels.self_check.panel import NOTHING, SelfCheckBadge
from visualizer.ui.window import busy_bar
from visualizer.ui.window.main_window import MainWindow
from visualizer.ui.window.veil import Veil


class Gate:
    """Evaluates for real, but only once it is opened."""

    def __init__(self) -> None:
        self.open = threading.Event()

    def __call__(self, request: Request, watch: Watch, begun: Callable[[Result], None]) -> Result:
        while not self.open.wait(0.01):
            watch(0, 2)
        return evaluate(request, watch, begun)


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    """Every computation takes as long as the test wants."""
    gate = Gate()
    monkeypatch.setattr(executor, "evaluate", gate)
    monkeypatch.setattr(executor, "AT_ONCE", 0.0)
    monkeypatch.setattr(busy_bar, "SHOWN_AFTER_MS", 20)
    yield gate
    gate.open.set()


@pytest.fixture
def window(qtbot: QtBot, gate: Gate) -> MainWindow:
    gate.open.set()
    window = visualizer.ui.open_window()
    qtbot.addWidget(window)
    qtbot.waitUntil(lambda: not window.session.stale)
    gate.open.clear()
    return window


def part(window: MainWindow, name: str) -> QWidget:
    return child(window, QWidget, name)


def veiled(window: MainWindow) -> bool:
    return bool(window.docks["attentionPanel"].findChildren(Veil))


def test_a_long_computation_shows_itself_and_keeps_the_last_picture(
    window: MainWindow, gate: Gate, qtbot: QtBot
) -> None:
    heatmap = child(window, Heatmap, "logitsHeatmap")
    before = heatmap.image().copy()
    window.session.document.apply(SetPrompt("bab"))
    qtbot.waitUntil(lambda: part(window, "busyBar").isVisible())
    assert veiled(window)
    assert np.array_equal(heatmap.image(), before)
    gate.open.set()
    qtbot.waitUntil(lambda: not window.session.stale)
    qtbot.waitUntil(lambda: not part(window, "busyBar").isVisible() and not veiled(window))
    assert np.array_equal(heatmap.image(), visualizer.handmade("aab").forward("bab")["logits"])


def test_a_panel_that_comes_to_the_front_meanwhile_is_veiled_and_the_veil_covers_it(
    window: MainWindow, gate: Gate, qtbot: QtBot
) -> None:
    lens, explain = window.docks["lensPanel"], window.docks["explainPanel"]
    assert lens.panel is not None
    window.session.document.apply(SetPrompt("bab"))
    qtbot.waitUntil(lambda: bool(explain.findChildren(Veil)))
    assert not lens.findChildren(Veil)
    lens.reveal()
    qtbot.waitUntil(lambda: bool(lens.findChildren(Veil)))
    window.resize(window.width() + 60, window.height() + 40)
    attention = window.docks["attentionPanel"]
    veil = attention.findChildren(Veil)[0]
    qtbot.waitUntil(lambda: veil.size() == attention.widget().size())
    gate.open.set()
    qtbot.waitUntil(lambda: not lens.findChildren(Veil))


def test_cancelling_ends_the_work_and_it_can_be_taken_up_again(window: MainWindow, gate: Gate, qtbot: QtBot) -> None:
    button = child(window, QPushButton, "cancelButton")
    window.session.document.apply(SetPrompt("bab"))
    qtbot.waitUntil(lambda: button.isVisible() and button.text() == "Cancel")
    button.click()
    qtbot.waitUntil(lambda: button.text() == "Compute")
    assert window.session.stale
    assert veiled(window)
    gate.open.set()
    button.click()
    qtbot.waitUntil(lambda: not window.session.stale and not veiled(window))
    assert not button.isVisible()


def words(window: MainWindow) -> str:
    return " ".join(label.text() for label in part(window, "busyBar").findChildren(QLabel))


def test_work_taken_up_again_says_that_it_is_under_way_and_can_be_cancelled_again(
    window: MainWindow, gate: Gate, qtbot: QtBot
) -> None:
    button = child(window, QPushButton, "cancelButton")
    window.session.document.apply(SetPrompt("bab"))
    for _ in range(2):
        qtbot.waitUntil(lambda: button.isVisible() and button.text() == "Cancel")
        assert words(window) == "computing …"
        button.click()
        qtbot.waitUntil(lambda: button.text() == "Compute")
        button.click()
    qtbot.waitUntil(lambda: button.text() == "Cancel" and words(window) == "computing …")


def test_an_edit_made_while_the_work_is_being_cancelled_is_computed_and_says_so(
    window: MainWindow, gate: Gate, qtbot: QtBot
) -> None:
    button = child(window, QPushButton, "cancelButton")
    window.session.document.apply(SetPrompt("bab"))
    qtbot.waitUntil(lambda: button.isVisible() and button.text() == "Cancel")
    button.click()
    assert words(window) == "stopping …"
    window.session.document.apply(SetPrompt("baba"))
    qtbot.waitUntil(lambda: words(window) == "computing …")
    gate.open.set()
    qtbot.waitUntil(lambda: not window.session.stale and not button.isVisible())
    assert window.session.result is not None
    assert window.session.result.state.prompt == (1, 0, 1, 0)


def test_a_step_whose_pass_is_made_again_is_never_said_to_be_that_of_an_empty_prompt(
    window: MainWindow, gate: Gate, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generation, "KEPT_BYTES", 0)  # of the slid windows only that of the cursor is kept
    gate.open.set()
    window.session.document.apply(SetCells("wte", (0, 0), 5.0))
    qtbot.waitUntil(lambda: not window.session.stale)
    gate.open.clear()
    session, panel, badge = window.session, window.docks["nextTokenPanel"].panel, window.findChild(SelfCheckBadge)
    assert isinstance(panel, NextTokenPanel)
    assert badge is not None
    before = panel.shown
    session.go_to_step(6)
    assert session.result is not None
    assert not session.result.kept(6)
    assert panel.shown is before
    assert badge.button.text() != NOTHING
    gate.open.set()
    qtbot.waitUntil(lambda: session.result is not None and session.result.kept(6))
    assert panel.shown is not None
    assert panel.shown.place == len(session.document.state.prompt) + 6


def test_nothing_is_veiled_once_another_model_is_open(window: MainWindow, gate: Gate, qtbot: QtBot) -> None:
    window.session.document.apply(SetPrompt("bab"))
    qtbot.waitUntil(lambda: veiled(window))
    window.open_source("ab")
    qtbot.waitUntil(lambda: not veiled(window))
    assert window.session.result is None


def test_a_change_that_had_to_wait_is_compared_with_what_was_shown_meanwhile(
    window: MainWindow, gate: Gate, qtbot: QtBot
) -> None:
    document = window.session.document
    document.apply(SetCells("wte", (0, 0), 5.0))
    document.apply(SetCells("wte", (0, 1), 7.0))  # while the first is being computed
    gate.open.set()
    qtbot.waitUntil(lambda: not window.session.stale)
    result = window.session.result
    assert result is not None
    assert result.earlier is not None
    before = result.earlier.traces[0]
    assert before is not None
    assert before.parameters["wte"][0, 0] == 5.0


def test_the_first_pass_shows_itself_too_and_can_be_cancelled(gate: Gate, qtbot: QtBot) -> None:
    window = visualizer.ui.open_window()
    qtbot.addWidget(window)
    button = child(window, QPushButton, "cancelButton")
    qtbot.waitUntil(lambda: button.isVisible() and button.text() == "Cancel")
    assert not veiled(window)  # there is nothing from before
    button.click()
    qtbot.waitUntil(lambda: button.text() == "Compute")
    gate.open.set()
    button.click()
    qtbot.waitUntil(lambda: not window.session.stale and not button.isVisible())


def test_opening_another_model_does_not_wait_for_the_old_ones_pass(
    window: MainWindow, gate: Gate, qtbot: QtBot
) -> None:
    ended = []

    def watched(request: Request, watch: Watch, begun: Callable[[Result], None]) -> Result:
        if request.snapshot.state.opened.name == "ab":
            return evaluate(request, watch)
        try:
            return gate(request, watch, begun)
        except CancelledError:
            ended.append(request.snapshot.state.opened.name)
            raise

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(executor, "evaluate", watched)
        window.session.document.apply(SetPrompt("bab"))  # waits for the gate, which stays shut
        window.session.document.apply(OpenModel(open_model("ab")))
        qtbot.waitUntil(lambda: not window.session.stale)
    assert ended == ["aab"]


def test_work_under_way_leaves_a_narrow_window_its_width(window: MainWindow, gate: Gate, qtbot: QtBot) -> None:
    gate.open.set()
    window.session.document.apply(SetCells("blocks.0.attn.c_attn.w", (0, 0), 1024.5))
    qtbot.waitUntil(lambda: not window.session.stale)
    window.resize(window.minimumSizeHint().width(), 600)
    gate.open.clear()
    window.session.document.apply(SetCells("blocks.0.attn.c_attn.w", (0, 1), 1024.5))
    width = window.width()
    facts, button = child(window, QLabel, "runFacts"), child(window, QPushButton, "cancelButton")
    qtbot.waitUntil(button.isVisible)
    qtbot.waitUntil(lambda: window.width() == width and button.geometry().right() <= window.width())
    qtbot.waitUntil(lambda: not facts.isVisible() or facts.width() >= facts.sizeHint().width())
    gate.open.set()
    qtbot.waitUntil(lambda: not window.session.stale and not button.isVisible())
    assert window.width() == width


def test_closing_the_window_does_not_wait_for_what_is_under_way(window: MainWindow, gate: Gate) -> None:
    window.session.document.apply(SetPrompt("bab"))
    window.close()  # joins the thread, which would wait for ever
    assert not gate.open.is_set()
