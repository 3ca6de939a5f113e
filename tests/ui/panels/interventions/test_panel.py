"""Interventions by hand: the menu of a number, and the list with its switches and numbers."""

from __future__ import annotations

import math

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QGuiApplication
from PySide6.QtWidgets import QLabel, QLineEdit, QMenu, QToolButton
from pytestqt.qtbot import QtBot

from tests.engine.models import of_kind
from tests.ui.finding import child, on_screen
from visualizer.engine.trace import Trace
from visualizer.formats import OpenedModel
from visualizer.session.document.edits import SetPrompt
from visualizer.session.selection import CellRef
from visualizer.session.session import Session
from visualizer.session.words.typed_numbers import parse_number
from visualizer.ui.panels.interventions.panel import InterventionsPanel
from visualizer.ui.panels.interventions.table import NUMBER, WHAT, WHERE
from visualizer.ui.window.cell_menu import build_cell_menu

PATTERN, Z = "blocks.0.attn.pattern", "blocks.0.attn.z"
HALF = CellRef("activation", PATTERN, (0, 4, 3))


@pytest.fixture
def panel(session: Session, qtbot: QtBot) -> InterventionsPanel:
    """The panel, shown."""
    return on_screen(InterventionsPanel(session), qtbot, 360, 240)


def choose(session: Session, qtbot: QtBot, ref: CellRef, *path: str, panel: InterventionsPanel | None = None) -> None:
    """Take the entry of a number's menu that `path` leads to; its number is typed in `panel`."""
    menu = build_cell_menu(session, ref)
    qtbot.addWidget(menu)
    if panel is not None:
        menu.number_wanted.connect(panel.type_number)
    entry(menu, *path).trigger()


def entry(menu: QMenu, *path: str) -> QAction:
    """The entry whose text begins with the last of `path`, in the submenu whose title begins with the one before."""
    for title in path[:-1]:
        menu = next(sub for sub in menu.findChildren(QMenu) if sub.title().startswith(title))
    return next(action for action in menu.actions() if action.text().startswith(path[-1]))


def trace_of(session: Session) -> Trace:
    assert session.trace is not None
    return session.trace


def row(panel: InterventionsPanel, number: int = 0) -> list[str]:
    model = panel.table.interventions
    return [str(model.data(model.index(number, column))) for column in (WHAT, WHERE, NUMBER)]


def editor(panel: InterventionsPanel, qtbot: QtBot) -> QLineEdit:
    qtbot.waitUntil(lambda: panel.table.findChild(QLineEdit) is not None)
    found = panel.table.findChild(QLineEdit)
    assert found is not None
    return found


def test_the_menu_names_the_number_and_what_it_belongs_to(session: Session, qtbot: QtBot) -> None:
    menu = build_cell_menu(session, HALF)
    qtbot.addWidget(menu)
    assert [action.text() for action in menu.actions() if not action.isSeparator()] == [
        "pattern[0,4,3] of block 0 = 0.5",
        "Explain this number",
        "Copy value",
        "Zero head 0 of block 0",
        "This cell",
        "Row of a₄ (head 0)",
        "Column of a₃ (head 0)",
        "Head 0 of pattern",
    ]


def test_explaining_and_copying(session: Session, qtbot: QtBot) -> None:
    choose(session, qtbot, HALF, "Explain")
    assert session.selection.now.cell == HALF
    choose(session, qtbot, HALF, "Copy")
    assert QGuiApplication.clipboard().text() == "0.5"


def test_zeroing_a_head_silences_it_and_undo_brings_it_back(
    session: Session, panel: InterventionsPanel, qtbot: QtBot
) -> None:
    before = np.array(trace_of(session)["logits"])
    choose(session, qtbot, HALF, "Zero head 0")
    assert not trace_of(session)[Z].any()
    assert row(panel) == ["zero", "head 0", ""]
    session.document.undo()
    assert np.array_equal(trace_of(session)["logits"], before)
    assert panel.table.interventions.rowCount() == 0


@pytest.mark.parametrize(("part", "index"), [("This cell", (4, 3)), ("Row", (4,)), ("Column", (slice(3, 5), 3))])
def test_every_part_can_be_zeroed(session: Session, qtbot: QtBot, part: str, index: tuple[int | slice, ...]) -> None:
    choose(session, qtbot, HALF, part, "Zero")
    assert not trace_of(session)[PATTERN][0][index].any()
    assert trace_of(session)[PATTERN][0, 2].any()


def test_freezing_keeps_the_present_numbers(session: Session, panel: InterventionsPanel, qtbot: QtBot) -> None:
    choose(session, qtbot, HALF, "Head 0", "Freeze")
    choose(session, qtbot, CellRef("activation", "blocks.0.attn.scores", (0, 4, 3)), "Head 0", "Scale")
    assert row(panel) == ["freeze", "head 0 of pattern", ""]
    assert trace_of(session)[PATTERN][0, 4, 3] == 0.5


def test_a_number_is_typed_into_the_list_and_undone_with_its_intervention(
    session: Session, panel: InterventionsPanel, qtbot: QtBot
) -> None:
    with qtbot.waitSignal(panel.panel_wanted) as wanted:
        choose(session, qtbot, HALF, "This cell", "Set", panel=panel)
    assert wanted.args == ["interventionsPanel"]
    field = editor(panel, qtbot)
    assert field.text() == "0.5"
    qtbot.keyClicks(field, "1/4")
    qtbot.keyClick(field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: session.document.state.interventions[0].value == 0.25)
    assert trace_of(session)[PATTERN][0, 4, 3] == 0.25
    assert session.document.history()[0] == ["set pattern[0,4,3] of block 0 to 0.25"]
    session.document.undo()
    assert session.document.state.interventions == ()


def test_a_number_that_is_none_is_refused_and_said(session: Session, panel: InterventionsPanel, qtbot: QtBot) -> None:
    choose(session, qtbot, HALF, "Row", "Scale", panel=panel)
    field = editor(panel, qtbot)
    with qtbot.waitSignal(panel.message):
        qtbot.keyClicks(field, "much")
        qtbot.keyClick(field, Qt.Key.Key_Return)
    refusal = child(panel, QLabel, "interventionRefusal")
    assert refusal.isVisible()
    assert "'much' is not a number" in refusal.text()
    assert session.document.state.interventions[0].value == 1.0


def test_a_switch_is_a_click_or_space(session: Session, panel: InterventionsPanel, qtbot: QtBot) -> None:
    choose(session, qtbot, HALF, "Zero head 0")
    panel.table.setFocus()
    qtbot.keyClick(panel.table, Qt.Key.Key_Space)
    assert trace_of(session)[Z].any()
    box = panel.table.visualRect(panel.table.interventions.index(0, WHAT))
    place = box.center()
    place.setX(box.left() + 12)
    qtbot.mouseClick(panel.table.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert not trace_of(session)[Z].any()
    assert session.document.history()[0][1:] == [
        "switch off: zero head 0 of block 0",
        "switch on: zero head 0 of block 0",
    ]


def test_switching_all_and_removing(session: Session, panel: InterventionsPanel, qtbot: QtBot) -> None:
    choose(session, qtbot, HALF, "Zero head 0")
    choose(session, qtbot, HALF, "Row", "Mean")
    button = child(panel, QToolButton, "interventionsSwitchAll")
    texts = [button.text()]
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert [change.enabled for change in session.document.state.interventions] == [False, False]
    assert [*texts, button.text()] == ["Switch all off", "Switch all on"]
    panel.table.setCurrentIndex(panel.table.interventions.index(0, WHAT))
    panel.table.setFocus()
    panel.activateWindow()
    remove = child(panel, QToolButton, "interventionsRemove")
    qtbot.mouseClick(remove, Qt.MouseButton.LeftButton)
    assert row(panel)[0] == "mean-ablate"
    assert panel.table.interventions.rowCount() == 1


def test_an_empty_list_says_how_to_make_one(session: Session, panel: InterventionsPanel, qtbot: QtBot) -> None:
    empty = child(panel, QLabel, "interventionsEmpty")
    assert empty.isVisible()
    assert "Right-click" in empty.text()
    choose(session, qtbot, HALF, "Zero head 0")
    assert not empty.isVisible()


def test_what_the_context_does_not_reach_says_so(session: Session, panel: InterventionsPanel, qtbot: QtBot) -> None:
    choose(session, qtbot, CellRef("activation", Z, (4, 0, 0)), "Row", "Zero")
    session.document.apply(SetPrompt("ab"))
    assert row(panel)[1] == "head 0 of z, position 4 — not in this context"
    session.go_to_step(3)
    assert row(panel)[1] == "head 0 of z, position 4"


def test_a_hidden_cell_offers_nothing_and_says_why(session: Session, qtbot: QtBot) -> None:
    menu = build_cell_menu(session, CellRef("activation", "blocks.0.attn.scores", (0, 1, 3)))
    qtbot.addWidget(menu)
    cell = child(menu, QMenu, "cellMenu_cell")
    said = cell.actions()
    assert [action.isEnabled() for action in said] == [False]
    assert "hidden by the mask" in said[0].text()


def test_a_number_that_is_gone_is_not_offered(session: Session, qtbot: QtBot) -> None:
    menu = build_cell_menu(session, CellRef("activation", PATTERN, (0, 9, 9)))
    qtbot.addWidget(menu)
    assert [action.text() for action in menu.actions()] == ["This number is not in the present pass."]


@pytest.mark.parametrize("kind", ["gpt-2", "llama"])
def test_every_activation_has_a_menu_whose_entries_work(kind: str, qtbot: QtBot) -> None:
    session = Session(OpenedModel(of_kind(kind), kind, kind))
    session.reset_generation()
    session.document.apply(SetPrompt((1, 2, 3)))
    for name in trace_of(session):
        shape = trace_of(session)[name].shape
        menu = build_cell_menu(session, CellRef("activation", name, tuple(min(1, n - 1) for n in shape)))
        qtbot.addWidget(menu)
        value = float(trace_of(session)[name][tuple(min(1, n - 1) for n in shape)])
        assert math.isclose(parse_number(menu.actions()[0].text().rpartition(" = ")[2]), value)
        for place in menu.findChildren(QMenu):
            for action in place.actions():
                if not action.isSeparator() and action.isEnabled():
                    action.trigger()
                    assert len(session.document.state.interventions) == 1, (name, action.text())
                    session.document.undo()
                    assert session.document.state.interventions == ()
