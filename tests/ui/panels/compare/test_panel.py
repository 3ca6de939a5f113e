"""The compare panel: pinning, what every panel shows, and the ripple of a change."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton, QToolButton
from pytestqt.qtbot import QtBot

from tests.engine.models import of_kind
from tests.ui.finding import child, on_screen, words
from visualizer.engine.interventions import Intervention
from visualizer.formats import OpenedModel
from visualizer.session.document.edits import SetCells, SetInterventions, SetPrompt
from visualizer.session.selection import CellRef
from visualizer.session.session import Session
from visualizer.ui.panels.compare.panel import ComparePanel
from visualizer.ui.panels.compare.ripple_table import BAR, LARGEST, NAME

BREAKING = SetCells("blocks.0.attn.c_attn.w", (6, 23), 3.0)


@pytest.fixture
def panel(session: Session, qtbot: QtBot) -> ComparePanel:
    """The panel, shown."""
    return shown(session, qtbot)


def shown(session: Session, qtbot: QtBot) -> ComparePanel:
    return on_screen(ComparePanel(session), qtbot, 340, 480)


def click(panel: ComparePanel, qtbot: QtBot, name: str) -> None:
    button = child(panel, QToolButton, name)
    assert button.isEnabled()
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def column(panel: ComparePanel, which: int) -> list[object]:
    model = panel.table.ripple
    return [model.data(model.index(row, which)) for row in range(model.rowCount())]


def test_at_first_there_is_nothing_to_compare_with(panel: ComparePanel) -> None:
    assert words(panel, "compareAbout").startswith("Nothing to compare with yet.")
    assert not panel.table.isVisible()
    for name in ("show_baseline", "show_difference", "unpinBaseline"):
        button = child(panel, QToolButton, name)
        assert not button.isEnabled()
    difference = child(panel, QToolButton, "show_difference")
    assert "Pin a baseline first" in difference.toolTip()


def test_an_edit_ripples_through_the_stages_in_their_order(panel: ComparePanel, session: Session) -> None:
    session.document.apply(BREAKING)
    assert words(panel, "compareFirst") == "First stage that differs: blocks.0.attn.v"
    names = column(panel, NAME)
    assert names.index("▸ v") < names.index("z") < names.index("resid_mid") < names.index("logits")
    unmoved = [column(panel, BAR)[names.index(name)] for name in ("embed", "q", "k", "pattern")]
    assert unmoved == [0, 0, 0, 0]
    assert max(float(str(share)) for share in column(panel, BAR)) == 1
    assert session.trace is not None
    assert column(panel, LARGEST)[names.index("embed")] == "0"


def test_the_first_token_that_flips_leads_to_its_step(panel: ComparePanel, session: Session, qtbot: QtBot) -> None:
    before = [step.token for step in session.result.steps] if session.result else []
    session.document.apply(BREAKING)
    assert session.result is not None
    now = [step.token for step in session.result.steps]
    flipped = next(i for i, (old, new) in enumerate(zip(before, now, strict=True)) if old != new)
    button = child(panel, QPushButton, "compareFlip")
    assert button.text() == f"First token that flips: step {flipped}, {'ab'[before[flipped]]} → {'ab'[now[flipped]]}"
    session.go_to_step(flipped + 1)
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert session.selection.now.step == flipped
    session.document.undo()
    session.document.apply(SetCells("wpe", (0, 0), 1.0 + 1e-6))
    assert button.text() == "No generated token flips."


def test_a_stage_leads_to_the_cell_that_moved_most(qtbot: QtBot) -> None:
    session = Session(OpenedModel(of_kind("gpt-2"), "random", "random"))
    session.document.apply(SetPrompt((1, 2, 3, 4)))
    panel = shown(session, qtbot)
    session.document.apply(SetInterventions((Intervention("blocks.1.attn.z", "scale", (("head", 1),), 3.0),)))
    row = column(panel, NAME).index("▸ 1 z")
    panel.table.scrollTo(panel.table.ripple.index(row, NAME))
    place = panel.table.visualRect(panel.table.ripple.index(row, NAME)).center()
    qtbot.mouseClick(panel.table.viewport(), Qt.MouseButton.LeftButton, pos=place)
    now = session.selection.now
    assert now.cell is not None
    assert (now.cell.name, now.block, now.head, now.row) == ("blocks.1.attn.z", 1, 1, now.cell.cell[0])
    session.selection.let_go()
    panel.table.setFocus()
    panel.table.setCurrentIndex(panel.table.ripple.index(column(panel, NAME).index("1 result"), NAME))
    qtbot.keyClick(panel.table, Qt.Key.Key_Return)
    assert session.selection.now.cell is not None
    assert session.selection.now.cell.name == "blocks.1.attn.result"


def test_a_pinned_baseline_is_compared_with_over_many_edits(
    panel: ComparePanel, session: Session, qtbot: QtBot
) -> None:
    click(panel, qtbot, "pinBaseline")
    assert words(panel, "compareAbout").endswith("changed since then: nothing.")
    assert words(panel, "compareFirst") == "All numbers are the same."
    session.document.apply(SetCells("wpe", (0, 0), 2.0))
    session.document.apply(BREAKING)
    assert words(panel, "compareAbout").endswith("changed since then: 2 parameters.")
    assert words(panel, "compareFirst") == "First stage that differs: pos_embed"
    session.document.apply(SetPrompt("ab"))
    assert words(panel, "compareFirst") == "First stage that differs: pos_embed"


def test_value_baseline_and_difference_are_chosen_for_every_panel(
    panel: ComparePanel, session: Session, qtbot: QtBot
) -> None:
    click(panel, qtbot, "pinBaseline")
    session.document.apply(BREAKING)
    assert session.trace is not None
    assert session.baseline_trace is not None
    click(panel, qtbot, "show_difference")
    difference = session.compared(lambda trace: trace["logits"])
    assert difference is not None
    np.testing.assert_array_equal(difference, session.trace["logits"] - session.baseline_trace["logits"])
    click(panel, qtbot, "show_baseline")
    assert session.selection.now.comparison == "baseline"
    click(panel, qtbot, "unpinBaseline")
    assert session.selection.now.comparison == "value"
    value = child(panel, QToolButton, "show_value")
    assert value.isChecked()


def test_undoing_the_pin_shows_values_again_even_while_the_panel_is_hidden(
    panel: ComparePanel, session: Session, qtbot: QtBot
) -> None:
    click(panel, qtbot, "pinBaseline")
    click(panel, qtbot, "show_difference")
    panel.hide()
    session.document.undo()
    assert session.selection.now.comparison == "value"


def test_steps_after_different_texts_are_not_compared(panel: ComparePanel, session: Session) -> None:
    session.document.apply(BREAKING)
    session.go_to_step(9)
    assert words(panel, "compareNote").startswith("Before this step the texts already differ")
    assert not panel.table.isVisible()
    session.go_to_step(0)
    assert words(panel, "compareNote") == ""
    session.document.apply(SetPrompt(""))
    assert session.selection.now.cell != CellRef("activation", "logits", (0, 0))
