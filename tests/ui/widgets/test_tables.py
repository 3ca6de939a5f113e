"""Tables are copied whole, as a spreadsheet takes them."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QGuiApplication, QStandardItem, QStandardItemModel
from pytestqt.qtbot import QtBot

from tests.ui.finding import child
from visualizer.formats import open_model
from visualizer.session.document.edits import SetCells, pin_baseline
from visualizer.session.session import Session
from visualizer.ui.panels.behaviour.panel import BehaviourPanel
from visualizer.ui.panels.compare.panel import ComparePanel
from visualizer.ui.widgets.tables import TextTable, table_text

CTRL = Qt.KeyboardModifier.ControlModifier


def copied() -> list[list[str]]:
    """What is on the clipboard, by lines and cells."""
    return [line.split("\t") for line in QGuiApplication.clipboard().text().split("\n")]


def test_ctrl_c_copies_every_row_of_the_behaviour_table_with_its_headings(qtbot: QtBot) -> None:
    panel = BehaviourPanel(Session(open_model("aab")))
    qtbot.addWidget(panel)
    with qtbot.waitActive(panel):
        panel.show()
        panel.activateWindow()
    panel.table.setFocus()
    qtbot.keyClick(panel.table, Qt.Key.Key_C, CTRL)
    lines = copied()
    assert lines[0] == ["input", "next", "expected", "", "margin"]
    assert ["aab", "a", "a", "✓", "1023"] in lines
    assert len(lines) == 1 + 62


def test_negative_numbers_are_copied_as_a_spreadsheet_reads_them(qtbot: QtBot) -> None:
    session = Session(open_model("aab"))
    session.document.apply(pin_baseline(session.document.state))
    session.document.apply(SetCells("wte", (0, 0), -3.5))
    session.selection.choose(comparison="difference")
    panel = BehaviourPanel(session)
    qtbot.addWidget(panel)
    panel.show()
    assert panel.rows.index(0, 4).data() == "−8.75"
    child(panel.table, QAction, "copyTable").trigger()
    lines = copied()
    assert float(lines[1][4]) == -8.75
    assert ["bb", "a", "–", "", "0"] in lines


def test_a_column_of_bars_is_left_out(qtbot: QtBot) -> None:
    session = Session(open_model("aab"))
    panel = ComparePanel(session)
    qtbot.addWidget(panel)
    panel.show()
    session.document.apply(SetCells("blocks.0.attn.c_attn.w", (6, 23), 3.0))
    action = child(panel.table, QAction, "copyTable")
    action.trigger()
    lines = copied()
    assert [len(line) for line in lines] == [2] * (1 + len(panel.table.ripple.stages))
    assert lines[0][0] == "stage"


def test_words_that_a_spreadsheet_would_compute_are_copied_as_words(qtbot: QtBot) -> None:
    model = QStandardItemModel()
    for row in (("=1+1", "−3.5"), ("@b", "-2"), ("plain", "+x")):
        model.appendRow([QStandardItem(text) for text in row])
    model.setHorizontalHeaderLabels(["-input", "number"])
    table = TextTable("words", "Words", "", None)
    qtbot.addWidget(table)
    table.setModel(model)
    assert table_text(table).split("\n") == ["'-input\tnumber", "'=1+1\t-3.5", "'@b\t-2", "plain\t'+x"]
