"""Random acts while results come late: nothing breaks, what is shown is true, and undo restores the bits."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QComboBox, QMenu, QTableView
from pytestqt.qtbot import QtBot

import visualizer
from tests.engine.models import bits
from tests.ui.finding import child
from tests.ui.late_executor import LateExecutor
from visualizer.engine.interventions import within
from visualizer.session.document.state import State
from visualizer.session.evaluation import evaluate as evaluation
from visualizer.ui.heatmap.widget import Heatmap
from visualizer.ui.window import main_window
from visualizer.ui.window.main_window import MainWindow

LEFT = Qt.MouseButton.LeftButton
PROMPTS = ("", "b", "aabaa", "abba aab", "z", "a😀", "a" * 40, "cab 12", "  ")
NUMBERS = ("nan", "inf", "-inf", "1e38", "1/0", "LG", "-1", "", "x", "1e400", "½")
BUTTONS = (
    *("stepForward", "stepBack", "generateAll", "resetGeneration", "zeroWeightsButton"),
    *("pinBaseline", "unpinBaseline", "show_difference", "show_value", "explainBack"),
)
KEYS = (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_Right, Qt.Key.Key_End, Qt.Key.Key_Return, Qt.Key.Key_Escape)


class Hand:
    """Does one thing after another to a window, as the seed says."""

    def __init__(self, window: MainWindow, seed: int) -> None:
        self.window, self.random = window, random.Random(seed)

    def act(self) -> None:
        """One act, and sometimes an answer."""
        acts = (
            self.type,
            self.write,
            self.click,
            self.keys,
            self.intervene,
            self.press,
            self.undo,
            self.open,
            self.show,
        )
        self.random.choices(acts, (1, 2, 2, 1, 2, 2, 1, 1, 1))[0]()
        if self.random.random() < 0.3:
            executor(self.window).begin()
        if self.random.random() < 0.4:
            executor(self.window).answer()
        QApplication.processEvents()

    def type(self) -> None:
        self.window.prompt_bar.prompt_edit.setText(self.random.choice(PROMPTS))

    def write(self) -> None:
        parameters = self.window.session.document.state.model.parameters
        self.window.session.selection.choose(parameter=self.random.choice(list(parameters)))
        grid = child(self.window, QTableView, "weightGrid")
        row, column = (self.random.randrange(count) for count in (grid.model().rowCount(), grid.model().columnCount()))
        grid.model().setData(grid.model().index(row, column), self.random.choice(NUMBERS), Qt.ItemDataRole.EditRole)

    def heatmap(self) -> tuple[Heatmap, QPoint]:
        shown = [heatmap for heatmap in self.window.findChildren(Heatmap) if heatmap.isVisible()]
        if not shown:  # a panel without one is in front
            self.window.docks["attentionPanel"].reveal()
            shown = [child(self.window, Heatmap, "patternHeatmap")]
        chosen = self.random.choice(shown)
        return chosen, QPoint(*(self.random.randrange(max(1, size)) for size in chosen.size().toTuple()))

    def click(self) -> None:
        heatmap, place = self.heatmap()
        QTest.mouseMove(heatmap, place)
        QTest.mouseClick(heatmap, LEFT, pos=place)

    def keys(self) -> None:
        heatmap, _ = self.heatmap()
        for key in self.random.choices(KEYS, k=4):
            QTest.keyClick(heatmap, key)

    def intervene(self) -> None:
        heatmap, place = self.heatmap()
        where = heatmap.mapToGlobal(place)
        QApplication.sendEvent(heatmap, QContextMenuEvent(QContextMenuEvent.Reason.Mouse, place, where))
        menu = QApplication.activePopupWidget()
        if isinstance(menu, QMenu):
            menus = [menu, *menu.findChildren(QMenu)]
            actions = [a for m in menus for a in m.actions() if a.isEnabled() and not a.text().endswith("…")]
            if actions and heatmap.isVisible():
                self.random.choice(actions).trigger()
            menu.close()

    def press(self) -> None:
        button = self.window.findChild(QAbstractButton, self.random.choice(BUTTONS))
        if button is not None and button.isEnabled():
            button.click()

    def undo(self) -> None:
        for _ in range(self.random.randrange(1, 6)):
            self.random.choice((self.window.undo_action, self.window.redo_action)).trigger()

    def open(self) -> None:
        chooser = child(self.window, QComboBox, "modelChooser")
        chooser.setCurrentIndex(self.random.randrange(5))  # aab, ab, aaab, induction, sort

    def show(self) -> None:
        self.random.choice([dock for name, dock in self.window.docks.items() if name != "trainingPanel"]).reveal()


def executor(window: MainWindow) -> LateExecutor:
    """The window's, made by the test."""
    found = window.findChild(LateExecutor)
    assert found is not None
    return found


def same(left: State, right: State) -> bool:
    """Whether two states are the same to the bit."""
    one, other = left.model.parameters, right.model.parameters
    fields = (
        "opened",
        "prompt",
        "length",
        "sampling",
        "interventions",
        "branches",
        "branch",
        "second_prompt",
        "baseline",
    )
    return all(getattr(left, name) == getattr(right, name) for name in fields) and all(
        np.array_equal(bits(one[name]), bits(other[name])) for name in one
    )


def assert_true(window: MainWindow) -> None:
    """What is on screen is what the document's model computes from scratch."""
    executor(window).wait()
    session = window.session
    state, result, trace, now = session.document.state, session.result, session.trace, session.selection.now
    assert result is not None
    assert result.state is state
    if trace is None or not len(trace.tokens):
        return
    _, context = result.context(session.shown_step)
    fresh = state.model.forward(context, interventions=within(state.interventions, state.model.graph, len(context)))
    close: dict[str, Any] = {"rtol": 1e-3, "atol": 1e-3, "equal_nan": True}
    for name in fresh:
        np.testing.assert_allclose(trace[name], fresh[name], **close, err_msg=name)
    shown: list[tuple[str, str]] = [("scoresHeatmap", now.score_stage), ("patternHeatmap", "pattern")]
    window.docks["attentionPanel"].reveal()
    if now.comparison == "value":
        for widget, name in shown:
            heatmap = child(window, Heatmap, widget)
            np.testing.assert_allclose(heatmap.image(), fresh[f"blocks.{now.block}.attn.{name}"][now.head], **close)


@pytest.mark.parametrize("seed", range(3))
def test_whatever_is_done_nothing_breaks_and_everything_can_be_undone(
    seed: int, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(main_window, "WorkerExecutor", LateExecutor)
    monkeypatch.setattr(evaluation, "LONG", 1.0)
    window = visualizer.ui.open_window()
    qtbot.addWidget(window)
    qtbot.waitExposed(window)
    executor(window).wait()
    first, hand = window.session.document.state, Hand(window, seed)
    for _ in range(6):
        for _ in range(12):
            hand.act()
        assert_true(window)
    last, (_, done) = window.session.document.state, window.session.document.history()
    while window.undo_action.isEnabled():
        window.undo_action.trigger()
    assert same(window.session.document.state, first)
    assert_true(window)
    window.session.document.go_to(done)
    assert same(window.session.document.state, last)
    assert_true(window)
