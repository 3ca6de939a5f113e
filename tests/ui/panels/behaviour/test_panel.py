"""The behaviour panel: live, filtered, and each row leads to its internals."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QComboBox, QLineEdit, QTableView
from pytestqt.qtbot import QtBot

from tests.engine.models import of_kind
from tests.ui.finding import child, on_screen, words
from visualizer.engine.interventions import Intervention
from visualizer.formats import OpenedModel, open_model
from visualizer.session.document.edits import OpenModel, SetCells, SetInterventions, SetParameters, pin_baseline
from visualizer.session.evaluation.executor import InlineExecutor
from visualizer.session.evaluation.request import Request
from visualizer.session.evaluation.result import Result
from visualizer.session.session import Session
from visualizer.ui.panels.behaviour.panel import BehaviourPanel


@pytest.fixture
def panel(session: Session, qtbot: QtBot) -> BehaviourPanel:
    """The panel, shown."""
    return shown_panel(session, qtbot)


def shown_panel(session: Session, qtbot: QtBot) -> BehaviourPanel:
    """A panel on screen."""
    return on_screen(BehaviourPanel(session), qtbot, 360, 500)


def cells(panel: BehaviourPanel) -> list[list[str]]:
    """What the table shows."""
    model = panel.table.model()
    return [[model.index(row, column).data() for column in range(5)] for row in range(model.rowCount())]


def break_it(session: Session) -> None:
    """Every next token is a."""
    weights = np.zeros((8, 8), dtype=np.float32)
    session.document.apply(SetParameters((("blocks.0.attn.c_proj.w", weights),), "zero c_proj"))


def choose_filter(panel: BehaviourPanel, text: str) -> None:
    """Pick an entry of the filter."""
    box = child(panel, QComboBox, "behaviourFilter")
    box.setCurrentText(text)


def test_interventions_are_in_the_table_as_in_every_other_panel(panel: BehaviourPanel, session: Session) -> None:
    change = Intervention("blocks.0.attn.z", "zero")
    session.document.apply(SetInterventions((change,)))
    assert words(panel, "behaviourCount") == "failures 4 of 13 in the pattern · 62 inputs"
    assert words(panel, "behaviourNote") == "With the intervention in every pass."
    session.document.apply(SetInterventions((replace(change, enabled=False),)))
    assert words(panel, "behaviourCount") == "failures 0 of 13 in the pattern · 62 inputs"
    assert words(panel, "behaviourNote") == ""


def test_all_inputs_are_listed_with_the_next_and_the_expected_token(panel: BehaviourPanel) -> None:
    rows = {row[0]: row[1:] for row in cells(panel)}
    assert len(rows) == 62
    assert rows["aab"] == ["a", "a", "✓", "1023"]
    assert rows["a"][1:3] == ["?", ""]
    assert rows["bb"][1:3] == ["–", ""]
    assert words(panel, "behaviourCount") == "failures 0 of 13 in the pattern · 62 inputs"
    assert words(panel, "behaviourNote") == ""


def test_an_edit_shows_at_once_and_failures_can_be_singled_out(panel: BehaviourPanel, session: Session) -> None:
    choose_filter(panel, "Show failures")
    assert cells(panel) == []
    break_it(session)
    assert [row[0] for row in cells(panel)] == ["aa", "baa", "abaa", "aabaa"]
    assert {row[3] for row in cells(panel)} == {"✗"}
    assert words(panel, "behaviourCount").startswith("failures 4 of 13")
    session.document.undo()
    assert cells(panel) == []
    choose_filter(panel, "Show in the pattern")
    assert len(cells(panel)) == 13


def test_a_click_or_return_makes_a_row_the_prompt(panel: BehaviourPanel, session: Session, qtbot: QtBot) -> None:
    table = child(panel, QTableView, "behaviourTable")
    at = table.visualRect(table.model().index(4, 0)).center()
    qtbot.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(at))
    assert session.document.state.prompt_text == "ba"
    qtbot.keyClick(table, Qt.Key.Key_Down)
    assert session.document.state.prompt_text == "ba"
    qtbot.keyClick(table, Qt.Key.Key_Return)
    assert session.document.state.prompt_text == "bb"
    session.document.undo()
    assert session.document.state.prompt_text == "ba"
    assert [index.row() for index in table.selectionModel().selectedRows()] == [4]


def test_it_is_sorted_by_margin(panel: BehaviourPanel) -> None:
    panel.table.sortByColumn(4, Qt.SortOrder.DescendingOrder)
    assert [row[4] for row in cells(panel)[:2]] == ["3071", "3071"]
    panel.table.sortByColumn(4, Qt.SortOrder.AscendingOrder)
    assert cells(panel)[0][4] == "1023"


def test_another_pattern_can_be_asked_for(panel: BehaviourPanel, qtbot: QtBot) -> None:
    field = child(panel, QLineEdit, "behaviourPattern")
    assert field.text() == "aab"
    field.clear()
    qtbot.keyClicks(field, "ab")
    assert words(panel, "behaviourCount").startswith("failures 4 of 10")
    assert {row[0]: row[3] for row in cells(panel)}["ba"] == "✗"
    field.selectAll()
    with qtbot.waitSignal(panel.message) as said:
        qtbot.keyClicks(field, "x")
    assert "'x'" in said.args[0]


def test_what_differs_from_the_baseline_is_marked(panel: BehaviourPanel, session: Session) -> None:
    session.document.apply(pin_baseline(session.document.state))
    assert "0 unlike the baseline" in words(panel, "behaviourCount")
    break_it(session)
    assert {row[0]: row[1] for row in cells(panel)}["aa"] == "a Δ"
    assert "unlike the baseline (Δ)" in words(panel, "behaviourCount")


def test_a_vocabulary_too_large_is_said_to_be(qtbot: QtBot) -> None:
    session = Session(OpenedModel(of_kind("gpt-2", d_vocab=30_000, d_model=2, n_heads=1), "large", "large"))
    panel = shown_panel(session, qtbot)
    assert "With 30,000 tokens" in words(panel, "behaviourNote")
    assert cells(panel) == []


def test_larger_tables_are_worked_out_beside_the_window(qtbot: QtBot) -> None:
    session = Session(OpenedModel(of_kind("gpt-2", d_vocab=20, n_ctx=8), "medium", "medium"))
    panel = shown_panel(session, qtbot)
    qtbot.waitUntil(lambda: panel.table.model().rowCount() == 20 + 400 + 8000, timeout=10_000)
    assert words(panel, "behaviourNote").startswith("Inputs of up to 3 tokens")
    assert panel.table.model().index(25, 0).data() == "0 5"


def test_a_hidden_panel_catches_up_when_it_is_shown(panel: BehaviourPanel, session: Session) -> None:
    before = panel.shown
    panel.hide()
    session.document.apply(SetCells("wte", (0, 0), 1.0))
    assert panel.shown is before
    panel.show()
    assert panel.shown is not before


class Held(InlineExecutor):
    """Leaves every request unanswered while it is told to hold."""

    holding = False

    def submit(self, request: Request, done: Callable[[Result], None]) -> None:
        """Answer, or don't."""
        if not self.holding:
            super().submit(request, done)


def test_while_another_model_is_computed_no_row_of_the_old_one_can_be_chosen(qtbot: QtBot) -> None:
    executor = Held()
    session = Session(open_model("aab"), executor)
    panel = shown_panel(session, qtbot)
    before = cells(panel)
    executor.holding = True
    session.document.apply(OpenModel(open_model("induction")))
    assert cells(panel) == []
    executor.holding = False
    session.document.undo()
    assert cells(panel) == before


def test_the_baselines_table_and_the_difference_of_margins_are_shown(panel: BehaviourPanel, session: Session) -> None:
    session.document.apply(pin_baseline(session.document.state))
    before = {row[0]: row for row in cells(panel)}
    break_it(session)
    now = {row[0]: row for row in cells(panel)}
    assert (before["aabaa"][1:4], now["aabaa"][1:4]) == (["b", "b", "✓"], ["a Δ", "b", "✗"])
    session.selection.choose(comparison="baseline")
    shown = {row[0]: row for row in cells(panel)}
    assert shown["aabaa"][1:] == ["b Δ", "b", "✓", before["aabaa"][4]]
    session.selection.choose(comparison="difference")
    shown = {row[0]: row for row in cells(panel)}
    assert shown["aabaa"][1:4] == ["a Δ", "b", "✗"]
    assert shown["aabaa"][4] == "2"  # 1025 instead of 1023
    assert panel.table.model().headerData(4, Qt.Orientation.Horizontal) == "Δmargin"
