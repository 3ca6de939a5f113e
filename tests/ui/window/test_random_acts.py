"""Random acts while results come late: nothing breaks, what is shown is true, and undo restores the bits."""

from __future__ import annotations

import gc
import random
import resource
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QComboBox,
    QLineEdit,
    QMenu,
    QPushButton,
    QSlider,
    QTableView,
    QWidget,
)
from pytestqt.qtbot import QtBot

import visualizer
from tests.engine.models import bits
from tests.ui.finding import child
from tests.ui.late_executor import LateExecutor
from visualizer.engine.interventions import within
from visualizer.session.document import document
from visualizer.session.document.state import State
from visualizer.session.evaluation import evaluate as evaluation
from visualizer.session.training.record import TrainingRecord
from visualizer.session.training.report import Evaluation, Point, Report, TrainingSnapshot
from visualizer.ui.heatmap.widget import Heatmap
from visualizer.ui.panels.training.panel import TrainingPanel
from visualizer.ui.window import main_window
from visualizer.ui.window.main_window import MainWindow
from visualizer.ui.window.palette import CommandPalette

LEFT = Qt.MouseButton.LeftButton
PROMPTS = ("", "b", "aabaa", "abba aab", "z", "a😀", "a" * 40, "cab 12", "  ")
NUMBERS = ("nan", "inf", "-inf", "1e38", "1/0", "LG", "-1", "", "x", "1e400", "½")
BUTTONS = (
    *("stepForward", "stepBack", "generateAll", "resetGeneration", "zeroWeightsButton"),
    *("pinBaseline", "unpinBaseline", "show_difference", "show_value", "explainBack"),
)
KEYS = (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_Right, Qt.Key.Key_End, Qt.Key.Key_Return, Qt.Key.Key_Escape)
#: Words of commands that end the window, open another, or begin what does not end by itself.
NOT_BY_CHANCE = ("Quit", "Full screen", "palette", "Train", "guide", "Guide", "shortcuts", "About", "Play", "Float")


class Hand:
    """Does one thing after another to a window, as the seed says."""

    def __init__(self, window: MainWindow, seed: int) -> None:
        self.window, self.random = window, random.Random(seed)

    def act(self) -> None:
        """One act, and sometimes an answer."""
        acts = {
            self.type: 2,
            self.write: 4,
            self.click: 4,
            self.keys: 2,
            self.intervene: 4,
            self.press: 4,
            self.undo: 2,
            self.open: 2,
            self.show: 2,
            self.hover: 2,
            self.theme: 1,
            self.force: 1,
            self.differentiate: 2,
            self.train: 1,
            self.command: 1,
            self.walk: 1,
            self.edit: 1,
        }
        self.random.choices(list(acts), list(acts.values()))[0]()
        if self.random.random() < 0.3:
            executor(self.window).begin()
        if self.random.random() < 0.4:
            executor(self.window).answer()
        QApplication.processEvents()
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)  # which an event loop does by itself

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
        for _ in range(self.random.choice((1, 1, 1, 3))):
            chooser.setCurrentIndex(self.random.randrange(5))  # aab, ab, aaab, induction, sort

    def show(self) -> None:
        self.random.choice(list(self.window.docks.values())).reveal()

    def hover(self) -> None:
        """The mouse goes over whatever is there, and sometimes leaves it."""
        grid = child(self.window, QTableView, "weightGrid")
        index = grid.model().index(self.random.randrange(3), self.random.randrange(3))
        heatmap, place = self.heatmap()
        bars, strip = child(self.window, QWidget, "probabilityBars"), self.window.token_strip
        widget, at = self.random.choice(
            (
                (grid.viewport(), grid.visualRect(index).center()),
                (heatmap.viewport(), place),
                (bars, QPoint(30, self.random.randrange(200))),
                (strip, QPoint(self.random.randrange(400), 10)),
            )
        )
        QTest.mouseMove(widget, at)
        if widget is grid.viewport() and index.isValid():
            grid.entered.emit(index)
        if self.random.random() < 0.5:
            QApplication.sendEvent(widget, QEvent(QEvent.Type.Leave))

    def theme(self) -> None:
        self.window.choose_theme(self.random.choice(("light", "dark")))

    def force(self) -> None:
        """By the button, by a click on a token, or by a key on a number."""
        bars, panel = child(self.window, QWidget, "probabilityBars"), self.window.docks["nextTokenPanel"].panel
        panel.actions_by_name[self.random.choice(("forceToken", "explain_probs", "explain_logits"))].trigger()
        QTest.mouseClick(bars, LEFT, pos=QPoint(self.random.randrange(120), self.random.randrange(120)))
        QTest.keyClick(bars, self.random.choice(KEYS))

    def differentiate(self) -> None:
        """Something in the gradients panel, seen or not."""
        panel = self.window.docks["gradientsPanel"].panel
        if self.random.random() < 0.5:
            self.window.docks["gradientsPanel"].reveal()
        for name in self.random.choices(("gradientActivation", "gradientScope", "gradientTarget"), k=2):
            box = child(panel, QComboBox, name)
            if box.count():
                box.setCurrentIndex(self.random.randrange(box.count()))
                box.activated.emit(box.currentIndex())
        child(panel, QLineEdit, "gradientRate").setText(self.random.choice(("0.1", "1e308", "x", "-1", "nan")))
        panel.actions_by_name[self.random.choice(("adamStep", "checkGradient"))].trigger()

    def train(self) -> None:
        """What a run would tell, and the slider through its snapshots: the same step may be kept twice."""
        panel, state = self.window.docks["trainingPanel"].panel, self.window.session.document.state
        assert isinstance(panel, TrainingPanel)
        if self.random.random() < 0.5:
            self.window.docks["trainingPanel"].reveal()
        step, number = self.random.randrange(3), self.random.choice((0.5, 2.0, np.nan))
        with np.errstate(all="ignore"):
            arrays = {name: array * array.dtype.type(number) for name, array in state.opened.model.parameters.items()}
        snapshot = TrainingSnapshot(step, arrays)
        rate = self.random.choice((0.1, 1e308, np.inf))
        point = Point(step, number, rate, self.random.choice((1.0, np.nan, 1e308)))
        told = Report(
            self.random.choice(("running", "done")), step=step, steps=3, opened=state.opened, newest=snapshot,
            points=(point,), evaluations=(Evaluation(step, number, rate),), snapshots=(snapshot,),
        )  # fmt: skip
        if panel.record.opened is not state.opened or len(panel.record.snapshots) > 20:
            panel.record, panel._landing = TrainingRecord(), None
        panel.thread_.reported.emit(told)
        slider = child(panel, QSlider, "trainingSlider")
        for _ in range(3):
            slider.setValue(self.random.randrange(slider.maximum() + 1))
        if self.random.random() < 0.3:
            child(panel, QPushButton, "trainingUse").click()

    def command(self) -> None:
        """A few letters in the palette, and Return where what they find asks nothing and leaves the window open."""
        palette = CommandPalette(self.window, menus_here=self.window.menus_here)
        palette.open_for(self.window)
        palette.edit.setText("".join(self.random.choices("abcdefilmnoprst ", k=self.random.choice((1, 2, 3, 3000)))))
        QTest.keyClick(palette.edit, Qt.Key.Key_Down)
        row = palette.list.currentIndex().row()
        found = palette.shown_commands()[row].text if row >= 0 else ""
        harmless = not found.endswith("…") and not any(word in found for word in NOT_BY_CHANCE)
        QTest.keyClick(palette.edit, Qt.Key.Key_Return if found and harmless else Qt.Key.Key_Escape)
        palette.dismiss()
        palette.deleteLater()

    def walk(self) -> None:
        """Tab, F6 and back."""
        for _ in range(5):
            if self.random.random() < 0.5:
                self.window.focusNextPrevChild(self.random.random() < 0.5)
            else:
                self.window.go_to_panel(self.random.choice((1, -1)))

    def edit(self) -> None:
        """An editor in a cell of the grid, and something else while it is open."""
        grid = child(self.window, QTableView, "weightGrid")
        grid.setFocus()
        grid.edit(grid.model().index(0, 0))
        self.random.choice((self.command, self.undo, self.open, self.theme))()


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


def resident() -> float:
    """Megabytes that this process has in memory; 0 where the system does not say."""
    statm = Path("/proc/self/statm")
    return int(statm.read_text().split()[1]) * resource.getpagesize() / 2**20 if statm.exists() else 0.0


@pytest.fixture
def window(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> MainWindow:
    """A window whose results come when they are asked for, and long texts in two parts."""
    monkeypatch.setattr(main_window, "WorkerExecutor", LateExecutor)
    monkeypatch.setattr(evaluation, "LONG", 1.0)
    window = visualizer.ui.open_window()
    qtbot.addWidget(window)
    qtbot.waitExposed(window)
    executor(window).wait()
    return window


@pytest.mark.parametrize("seed", range(4))
def test_whatever_is_done_nothing_breaks_and_everything_can_be_undone(seed: int, window: MainWindow) -> None:
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


def test_many_acts_break_nothing_and_memory_levels_off(
    window: MainWindow, pytestconfig: pytest.Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As many as `--acts` says, such as 20,000; in a plain run, none."""
    acts = pytestconfig.getoption("--acts")
    if not acts:
        pytest.skip("a long run is asked for with --acts 20000")
    monkeypatch.setattr(document, "UNDO_BYTES", 2**22)  # so that the history is soon as long as it gets
    hand, seen = Hand(window, acts), list[float]()
    for _ in range(10):
        for _ in range(acts // 10):
            hand.act()
        assert_true(window)
        gc.collect()
        seen.append(resident())
    assert seen[-1] < seen[3] + 60, seen
