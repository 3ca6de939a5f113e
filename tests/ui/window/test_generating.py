"""A long text in the window: the prompt's pass is shown first, and that the rest is under way is said."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from PySide6.QtWidgets import QLabel, QLineEdit, QPushButton, QWidget
from pytestqt.qtbot import QtBot

import visualizer
from tests.ui.finding import child
from visualizer.session.document.edits import SetPrompt
from visualizer.session.evaluation import evaluate as evaluation
from visualizer.session.evaluation.evaluate import evaluate
from visualizer.session.evaluation.generation import Watch
from visualizer.session.evaluation.request import Request
from visualizer.session.evaluation.result import Result
from visualizer.ui.bridge import executor
from visualizer.ui.heatmap.widget import Heatmap
from visualizer.ui.panels.timeline.branch_list import CONTINUES
from visualizer.ui.panels.timeline.panel import TimelinePanel
from visualizer.ui.window import busy_bar
from visualizer.ui.window.main_window import MainWindow
from visualizer.ui.window.veil import Veil


class Halfway:
    """Evaluates for real, and waits with the rest of a text until that is let go on."""

    def __init__(self) -> None:
        self.rest = threading.Event()

    def __call__(self, request: Request, watch: Watch, begun: Callable[[Result], None]) -> Result:
        def wait(result: Result) -> None:
            begun(result)
            while not self.rest.wait(0.01):
                watch(1, 10)

        return evaluate(request, watch, wait)


@pytest.fixture
def halfway(monkeypatch: pytest.MonkeyPatch) -> Iterator[Halfway]:
    """Every text is long."""
    halfway = Halfway()
    monkeypatch.setattr(executor, "evaluate", halfway)
    monkeypatch.setattr(executor, "AT_ONCE", 0.0)
    monkeypatch.setattr(evaluation, "LONG", 1.0)
    monkeypatch.setattr(busy_bar, "SHOWN_AFTER_MS", 20)
    yield halfway
    halfway.rest.set()


@pytest.fixture
def window(qtbot: QtBot, halfway: Halfway) -> MainWindow:
    """The window with all its panels."""
    halfway.rest.set()
    window = visualizer.ui.open_window()
    qtbot.addWidget(window)
    qtbot.waitUntil(lambda: not window.session.pending)
    window.build_all()
    halfway.rest.clear()
    return window


def bar(window: MainWindow) -> QWidget:
    return child(window, QWidget, "busyBar")


def words(window: MainWindow) -> str:
    return " ".join(label.text() for label in bar(window).findChildren(QLabel))


def veiled(window: MainWindow) -> bool:
    return bool(window.docks["attentionPanel"].findChildren(Veil))


def test_the_prompt_s_pass_is_shown_while_the_text_goes_on(window: MainWindow, halfway: Halfway, qtbot: QtBot) -> None:
    heatmap, timeline = child(window, Heatmap, "logitsHeatmap"), window.docks["timelinePanel"].panel
    assert isinstance(timeline, TimelinePanel)
    timeline.actions_by_name["timelineDetails"].setChecked(True)
    at = timeline.bars.centre(10)
    window.session.document.apply(SetPrompt("bab"))
    qtbot.waitUntil(lambda: bar(window).isVisible() and words(window) == "generating …")
    assert not window.session.stale
    assert window.session.pending
    qtbot.waitUntil(lambda: not veiled(window))
    assert np.array_equal(heatmap.image(), visualizer.handmade("aab").forward("bab")["logits"])
    assert timeline.bars.centre(10) == at  # the bars stay under the slider's steps
    assert timeline.bars.tooltip(4) == "step 4\nnot computed yet"
    output = child(window, QLineEdit, "outputText")
    assert (output.text(), output.placeholderText()) == ("", "generating …")
    branch = timeline.branches.topLevelItem(0)
    assert branch is not None
    assert branch.text(CONTINUES).endswith("computing …")
    for dock in window.docks.values():
        dock.reveal()  # each copes with a text that has only begun
    window.session.go_to_step(4)
    assert window.session.shown_step == 0
    halfway.rest.set()
    qtbot.waitUntil(lambda: not window.session.pending and not bar(window).isVisible())
    assert window.session.shown_step == 4
    assert timeline.bars.tooltip(4) != "step 4\nnot computed yet"


def test_generating_can_be_cancelled_and_what_is_there_stays(
    window: MainWindow, halfway: Halfway, qtbot: QtBot
) -> None:
    button = child(window, QPushButton, "cancelButton")
    window.session.document.apply(SetPrompt("bab"))
    qtbot.waitUntil(lambda: button.isVisible() and words(window) == "generating …")
    button.click()
    qtbot.waitUntil(lambda: button.text() == "Compute")
    assert words(window) == "not computed: the rest of the text"
    qtbot.waitUntil(lambda: not veiled(window))
    halfway.rest.set()
    button.click()
    qtbot.waitUntil(lambda: not window.session.pending and not button.isVisible())
    assert window.session.result is not None
    assert len(window.session.result.steps) == 11


def test_an_edit_made_while_the_text_goes_on_veils_what_is_shown(
    window: MainWindow, halfway: Halfway, qtbot: QtBot
) -> None:
    window.session.document.apply(SetPrompt("bab"))
    qtbot.waitUntil(lambda: words(window) == "generating …" and not veiled(window))
    window.session.document.apply(SetPrompt("baba"))
    qtbot.waitUntil(lambda: words(window) == "computing …" and veiled(window))
    halfway.rest.set()
    qtbot.waitUntil(lambda: not window.session.pending and not veiled(window))
    assert window.session.result is not None
    assert window.session.result.state.prompt == (1, 0, 1, 0)
