"""The history list."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QListWidget
from pytestqt.qtbot import QtBot

from tests.ui.finding import child
from visualizer.session.document.edits import SetCells
from visualizer.session.session import Session
from visualizer.ui.panels.history.panel import HistoryPanel


@pytest.fixture
def history(qtbot: QtBot, session: Session) -> QListWidget:
    panel = HistoryPanel(session)
    qtbot.addWidget(panel)
    panel.resize(260, 200)
    panel.show()
    return child(panel, QListWidget, "historyList")


def write(session: Session, value: float, gesture: object = None) -> None:
    session.document.apply(SetCells("wte", (0, 0), value, gesture))


def rows(history: QListWidget) -> list[str]:
    return [history.item(row).text().strip() for row in range(history.count())]


def click(qtbot: QtBot, history: QListWidget, row: int) -> None:
    place = history.visualItemRect(history.item(row)).center()
    qtbot.mouseClick(history.viewport(), Qt.MouseButton.LeftButton, pos=place)


def test_an_empty_history_says_so(history: QListWidget, session: Session) -> None:
    panel = history.parentWidget()
    assert panel is not None
    empty = child(panel, QLabel, "historyEmpty")
    assert empty.text() == "Nothing changed yet."
    assert empty.isVisible()
    assert not history.isVisible()
    write(session, 1)
    assert not empty.isVisible()
    assert history.isVisible()


def test_the_present_is_marked_and_what_was_undone_stands_back(history: QListWidget, session: Session) -> None:
    for value in (1, 2, 3):
        write(session, value)
    session.document.undo()
    assert rows(history) == ["as opened", "wte[0,0] = 1", "▸ wte[0,0] = 2", "wte[0,0] = 3"]
    assert [history.item(row).font().bold() for row in range(4)] == [False, False, True, False]
    assert [history.item(row).font().italic() for row in range(4)] == [False, False, False, True]
    assert history.item(3).foreground() != history.item(1).foreground()
    session.document.redo()
    assert rows(history)[3] == "▸ wte[0,0] = 3"
    assert not history.item(3).font().italic()


def test_a_click_goes_to_any_step_and_back(qtbot: QtBot, history: QListWidget, session: Session) -> None:
    for value in (1, 2, 3):
        write(session, value)
    for row, expected in ((1, 1), (3, 3), (0, 0), (2, 2)):
        click(qtbot, history, row)
        assert float(session.document.state.model.parameters["wte"][0, 0]) == expected
        assert rows(history)[row].startswith("▸")
        assert sum(text.startswith("▸") for text in rows(history)) == 1
        assert history.count() == 4


def test_return_goes_to_the_step_under_the_cursor(qtbot: QtBot, history: QListWidget, session: Session) -> None:
    write(session, 1)
    write(session, 2)
    history.setFocus()
    qtbot.keyClick(history, Qt.Key.Key_Up)
    qtbot.keyClick(history, Qt.Key.Key_Return)
    assert float(session.document.state.model.parameters["wte"][0, 0]) == 1


def test_a_new_edit_drops_what_was_undone_and_a_gesture_keeps_one_row(history: QListWidget, session: Session) -> None:
    for value in (1, 2, 3):
        write(session, value)
    session.document.go_to(1)
    for value in (7, 8, 9):
        write(session, value, "drag")
    assert rows(history) == ["as opened", "wte[0,0] = 1", "▸ wte[0,0] = 9"]
