"""The weight grid, through its cells, keys, buttons, wheel and the clipboard."""

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QModelIndex, QPoint, QPointF, Qt
from PySide6.QtGui import QGuiApplication, QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit, QTableView, QToolButton
from pytestqt.qtbot import QtBot
from shiboken6 import isValid

from tests.cells import several
from tests.ui.finding import child
from visualizer.engine.config import ModelConfig
from visualizer.engine.model import Model
from visualizer.engine.parameters import parameter_shapes
from visualizer.formats import OpenedModel, open_model
from visualizer.session.document.edits import OpenModel, SetCells, pin_baseline
from visualizer.session.selection import CellRef
from visualizer.session.session import Session
from visualizer.ui.look.theme import DARK, LIGHT, apply_theme
from visualizer.ui.panels.weights.panel import WeightPanel
from visualizer.ui.panels.weights.sweep import PAUSE, step_for

C_ATTN = "blocks.0.attn.c_attn.w"
EDIT = Qt.ItemDataRole.EditRole
CTRL, SHIFT, ALT = (
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.AltModifier,
)
LEFT, NO_KEY = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier


class Grid:
    """A panel on screen, and what a person does to it."""

    def __init__(self, qtbot: QtBot, session: Session, size: tuple[int, int] = (900, 420)) -> None:
        self.qtbot, self.session = qtbot, session
        self.panel = WeightPanel(session)
        qtbot.addWidget(self.panel)
        self.panel.resize(*size)
        with qtbot.waitActive(self.panel):
            self.panel.show()
            self.panel.activateWindow()
        found = child(self.panel, QTableView, "weightGrid")
        self.view = found
        self.view.setFocus()
        self.said: list[str] = []
        self.panel.message.connect(self.said.append)

    def at(self, row: int, column: int) -> QModelIndex:
        return self.view.model().index(row, column)

    def text(self, row: int, column: int) -> str:
        return str(self.at(row, column).data())

    def value(self, *cell: int) -> float:
        return float(self.array()[cell])

    def array(self) -> np.ndarray:
        return self.session.document.state.model.parameters[self.session.selection.now.parameter]

    def centre(self, row: int, column: int) -> QPoint:
        return self.view.visualRect(self.at(row, column)).center()

    def click(self, row: int, column: int, keys: Qt.KeyboardModifier = NO_KEY) -> None:
        self.qtbot.mouseClick(self.view.viewport(), LEFT, keys, self.centre(row, column))

    def select(self, top: int, left: int, bottom: int, right: int) -> None:
        self.click(top, left)
        self.click(bottom, right, SHIFT)

    def key(self, key: Qt.Key, modifier: Qt.KeyboardModifier = NO_KEY) -> None:
        self.qtbot.keyClick(self.view, key, modifier)

    def editor(self) -> QLineEdit | None:
        return next((e for e in self.view.findChildren(QLineEdit, "cellEditor") if e.isVisible()), None)

    def type_into(self, row: int, column: int, text: str, end: Qt.Key = Qt.Key.Key_Return) -> QLineEdit:
        self.click(row, column)
        self.key(Qt.Key.Key_F2)
        return self.retype(text, end)

    def retype(self, text: str, end: Qt.Key = Qt.Key.Key_Return, modifier: Qt.KeyboardModifier = NO_KEY) -> QLineEdit:
        editor = self.editor()
        assert editor is not None
        editor.selectAll()
        self.qtbot.keyClicks(editor, text)
        self.qtbot.keyClick(editor, end, modifier)
        return editor

    def wheel(self, row: int, column: int, notches: float, keys: Qt.KeyboardModifier = ALT) -> None:
        where = QPointF(self.centre(row, column))
        over = QPointF(self.view.viewport().mapToGlobal(where.toPoint()))
        turned = QPoint(0, round(notches * 120))
        event = QWheelEvent(
            where, over, QPoint(), turned, Qt.MouseButton.NoButton, keys, Qt.ScrollPhase.NoScrollPhase, False
        )
        QApplication.sendEvent(self.view.viewport(), event)

    def mouse(self, kind: QEvent.Type, where: QPoint, keys: Qt.KeyboardModifier) -> None:
        over = QPointF(self.view.viewport().mapToGlobal(where))
        held = Qt.MouseButton.NoButton if kind == QEvent.Type.MouseButtonRelease else LEFT
        button = Qt.MouseButton.NoButton if kind == QEvent.Type.MouseMove else LEFT
        QApplication.sendEvent(self.view.viewport(), QMouseEvent(kind, QPointF(where), over, button, held, keys))

    def run(self, name: str) -> None:
        self.panel.actions_by_name[name].trigger()

    def history(self) -> list[str]:
        titles, done = self.session.document.history()
        return titles[:done]


@pytest.fixture
def grid(qtbot: QtBot) -> Grid:
    session = Session(open_model("aab"))
    session.selection.choose(parameter="wte")
    return Grid(qtbot, session)


@pytest.fixture
def c_attn(qtbot: QtBot) -> Grid:
    session = Session(open_model("aab"))
    session.selection.choose(parameter=C_ATTN)
    return Grid(qtbot, session)


# What is shown


def test_the_grid_shows_the_chosen_parameter_with_words_for_its_axes(c_attn: Grid) -> None:
    model = c_attn.view.model()
    assert (model.rowCount(), model.columnCount()) == (8, 24)
    columns = [model.headerData(i, Qt.Orientation.Horizontal) for i in range(24)]
    rows = [model.headerData(i, Qt.Orientation.Vertical) for i in range(8)]
    assert columns == [f"{letter}{i}" for letter in "QKV" for i in range(8)]
    assert rows == ["P0", "P1", "P2", "P3", "P4", "a", "b", "scratch"]
    shown = [[c_attn.text(r, c) for c in range(24)] for r in range(8)]
    expected = [[str(int(v)).replace("-", "−") for v in row] for row in c_attn.array()]
    assert shown == expected
    title = child(c_attn.panel, QLabel, "weightTitle")
    assert title.text().split() == [C_ATTN, "8×24"]


def test_a_vector_is_one_row(grid: Grid) -> None:
    grid.session.selection.choose(parameter="blocks.0.attn.c_proj.b")
    assert (grid.view.model().rowCount(), grid.view.model().columnCount()) == (1, 8)
    grid.view.model().setData(grid.at(0, 2), "LG/4", EDIT)
    assert grid.value(2) == 256
    assert grid.history() == ["blocks.0.attn.c_proj.b[2] = 256"]
    assert grid.view.model().headerData(0, Qt.Orientation.Vertical) == "bias"


def test_a_cell_is_short_and_its_editor_and_tooltip_have_every_digit(grid: Grid) -> None:
    grid.view.model().setData(grid.at(0, 0), "1/3", EDIT)
    assert grid.text(0, 0) == "0.333"
    assert grid.at(0, 0).data(EDIT) == "0.33333334"
    tip = grid.at(0, 0).data(Qt.ItemDataRole.ToolTipRole)
    assert "wte[0,0] = 0.33333334" in tip
    assert "as opened: 0" in tip
    assert "as opened" not in grid.at(0, 1).data(Qt.ItemDataRole.ToolTipRole)


def test_tints_are_symmetric_about_zero_and_follow_the_largest_number(grid: Grid) -> None:
    model = grid.view.model()

    def tint(row: int, column: int) -> str:
        return str(model.index(row, column).data(Qt.ItemDataRole.BackgroundRole).name())

    one, zero = tint(0, 5), tint(0, 0)
    model.setData(grid.at(0, 0), "-1", EDIT)
    minus_one = tint(0, 0)
    assert len({one, zero, minus_one}) == 3
    model.setData(grid.at(1, 1), "LG", EDIT)
    assert tint(1, 1) == one
    assert tint(0, 1) == zero
    assert tint(0, 5) != one
    grid.session.document.undo()
    assert tint(0, 5) == one
    assert tint(0, 0) == minus_one


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_a_changed_cell_is_marked_with_a_corner(qtbot: QtBot, c_attn: Grid, theme: object) -> None:
    assert isinstance(theme, type(LIGHT))
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    try:
        apply_theme(app, theme)
        c_attn.view.model().setData(c_attn.at(3, 3), "0", EDIT)
        picture = c_attn.view.viewport().grab().toImage()
        for row, column, changed in ((3, 3, True), (4, 4, False), (6, 6, False)):
            corner = c_attn.view.visualRect(c_attn.at(row, column)).topRight()
            found = picture.pixelColor(corner + QPoint(-2, 2)).name() == theme.changed
            assert found == changed, (row, column)
    finally:
        apply_theme(app, LIGHT)


def test_nan_and_infinity_are_shown_as_they_are(grid: Grid) -> None:
    model = grid.view.model()
    model.setData(grid.at(0, 0), "nan", EDIT)
    model.setData(grid.at(0, 1), "-inf", EDIT)
    assert (grid.text(0, 0), grid.text(0, 1)) == ("nan", "−inf")
    assert grid.at(0, 0).data(Qt.ItemDataRole.BackgroundRole).name() == LIGHT.not_a_number
    assert grid.at(0, 1).data(Qt.ItemDataRole.BackgroundRole).name() == LIGHT.negative_infinity
    assert grid.text(0, 5) == "1"


# Typing


@pytest.mark.parametrize(("typed", "number"), [("2.5", 2.5), ("1e-3", 0.001), ("1/4", 0.25), ("-LG", -1024.0)])
def test_a_number_typed_into_a_cell_is_one_step_and_shows_at_once(grid: Grid, typed: str, number: float) -> None:
    grid.type_into(0, 1, typed)
    assert grid.editor() is None
    assert grid.value(0, 1) == pytest.approx(number)
    assert grid.session.result is not None
    assert grid.session.result.state is grid.session.document.state
    assert len(grid.history()) == 1
    grid.session.document.undo()
    assert (grid.value(0, 1), grid.text(0, 1)) == (0.0, "0")


def test_typing_over_a_cell_replaces_its_number(grid: Grid) -> None:
    grid.click(1, 2)
    grid.qtbot.keyClick(grid.view, "7")
    editor = grid.editor()
    assert editor is not None
    grid.qtbot.keyClicks(editor, ".5")
    grid.qtbot.keyClick(editor, Qt.Key.Key_Return)
    assert grid.value(1, 2) == 7.5


def test_what_is_no_number_stays_in_the_editor_with_a_word_beneath(grid: Grid) -> None:
    grid.type_into(0, 1, "abc")
    editor = grid.editor()
    assert editor is not None
    assert editor.text() == "abc"
    note = child(grid.view, QLabel, "refusalNote")
    assert note.isVisible()
    assert "'abc' is not a number" in note.text()
    assert "'abc' is not a number" in grid.said[-1]
    assert grid.history() == []
    grid.retype("3")
    assert not note.isVisible()
    assert grid.value(0, 1) == 3


def test_a_refused_table_edit_leaves_the_cell_and_says_why(grid: Grid) -> None:
    assert not grid.view.model().setData(grid.at(0, 5), "abc", EDIT)
    assert grid.value(0, 5) == 1
    assert grid.said[-1].startswith("wte[0,5] stays as it is: 'abc' is not a number")


def test_leaving_an_editor_without_a_change_or_by_escape_is_no_step(grid: Grid) -> None:
    grid.type_into(0, 5, "1")
    grid.type_into(0, 5, "9", Qt.Key.Key_Escape)
    grid.click(0, 5)
    grid.key(Qt.Key.Key_F2)
    grid.click(1, 1)
    assert grid.editor() is None
    assert grid.history() == []


def test_an_untouched_editor_does_not_round_the_number_under_it(grid: Grid) -> None:
    grid.view.model().setData(grid.at(0, 0), "1/3", EDIT)
    grid.click(0, 0)
    grid.key(Qt.Key.Key_F2)
    editor = grid.editor()
    assert editor is not None
    assert editor.text() == "0.33333334"
    grid.qtbot.keyClick(editor, Qt.Key.Key_Return)
    assert len(grid.history()) == 1


def test_ctrl_return_fills_the_selection_in_one_step(grid: Grid) -> None:
    grid.select(0, 1, 1, 3)
    grid.key(Qt.Key.Key_F2)
    grid.retype("1/2", Qt.Key.Key_Return, CTRL)
    np.testing.assert_array_equal(grid.array()[:, 1:4], np.full((2, 3), 0.5))
    assert grid.history() == ["fill 6 cells of wte with 1/2"]
    assert grid.editor() is None


# Several cells at once


def test_delete_zeroes_the_selection(c_attn: Grid) -> None:
    c_attn.select(0, 0, 1, 1)
    c_attn.key(Qt.Key.Key_Delete)
    assert not c_attn.array()[:2, :2].any()
    assert c_attn.value(2, 1) == 1024
    assert c_attn.history() == [f"zero 4 cells of {C_ATTN}"]
    c_attn.key(Qt.Key.Key_Delete)
    assert len(c_attn.history()) == 1
    assert "would change no number" in c_attn.said[-1]


def test_fill_and_scale_take_the_value_beside_their_buttons(grid: Grid) -> None:
    value = grid.panel.findChild(QLineEdit, "weightValue")
    scale = grid.panel.findChild(QToolButton, "scaleWeightsButton")
    assert value is not None
    assert scale is not None
    grid.select(0, 5, 1, 6)
    scale.click()
    assert value.hasFocus()
    assert "type a value" in grid.said[-1]
    grid.qtbot.keyClicks(value, "-LG")
    scale.click()
    np.testing.assert_array_equal(grid.array()[:, 5:7], [[-1024, 0], [0, -1024]])
    value.clear()
    grid.qtbot.keyClicks(value, "2")
    grid.qtbot.keyClick(value, Qt.Key.Key_Return)
    np.testing.assert_array_equal(grid.array()[:, 5:7], [[2, 2], [2, 2]])
    assert grid.history() == ["scale 4 cells of wte by -LG", "fill 4 cells of wte with 2"]
    value.setText("two")
    scale.click()
    assert "'two' is not a number" in grid.said[-1]
    assert len(grid.history()) == 2


def test_a_cell_a_matrix_and_everything_are_reset(grid: Grid) -> None:
    before = grid.array()
    for row in range(2):
        grid.view.model().setData(grid.at(row, 0), "5", EDIT)
    grid.session.document.apply(SetCells("wpe", (0, 0), 9.0))
    grid.click(0, 0)
    grid.run("resetCells")
    assert (grid.value(0, 0), grid.value(1, 0)) == (0, 5)
    grid.run("resetMatrix")
    np.testing.assert_array_equal(grid.array(), before)
    assert grid.session.document.state.is_changed("wpe")
    grid.run("resetAll")
    assert not grid.session.document.state.is_changed("wpe")
    assert grid.history()[-3:] == ["reset wte[0,0]", "reset wte", "reset wpe"]
    steps = len(grid.history())
    grid.run("resetAll")
    assert len(grid.history()) == steps
    assert "as it was opened already" in grid.said[-1]


# The clipboard


def test_a_block_is_copied_with_all_digits_and_pasted_elsewhere(grid: Grid) -> None:
    grid.view.model().setData(grid.at(0, 4), "1/3", EDIT)
    grid.select(0, 4, 1, 6)
    grid.key(Qt.Key.Key_C, CTRL)
    assert QGuiApplication.clipboard().text() == "0.33333334\t1\t0\n0\t0\t1"
    copied = grid.array()[:2, 4:7].copy()
    grid.session.selection.choose(parameter="wpe")
    grid.click(3, 5)
    grid.key(Qt.Key.Key_V, CTRL)
    np.testing.assert_array_equal(grid.array()[3:, 5:], copied)
    assert grid.history()[-1] == "paste 2×3 into wpe"
    grid.session.document.undo()
    assert not grid.array()[3:, 5:].any()


def test_a_single_number_fills_the_selection(grid: Grid) -> None:
    QGuiApplication.clipboard().setText("1/4\r\n")
    grid.select(0, 0, 1, 1)
    grid.run("pasteWeights")
    np.testing.assert_array_equal(grid.array()[:, :2], np.full((2, 2), 0.25))


def test_a_paste_over_a_selection_made_backwards_begins_at_its_first_cell(grid: Grid) -> None:
    QGuiApplication.clipboard().setText("1\t2\n3\t4")
    grid.select(1, 3, 0, 2)
    grid.run("pasteWeights")
    np.testing.assert_array_equal(grid.array()[:, 2:4], [[1, 2], [3, 4]])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1\t2\n3\tfoo", "row 2, column 2 of the block: 'foo' is not a number"),
        ("1\t2\n3\t4\n5\t6", "3×2 does not fit into wte 2×8 at [0,7]: there is room for 2×1"),
        ("", "no text to paste"),
    ],
)
def test_a_block_that_cannot_be_pasted_is_refused_whole(grid: Grid, text: str, said: str) -> None:
    QGuiApplication.clipboard().setText(text)
    before = grid.array()
    grid.click(0, 7)
    grid.key(Qt.Key.Key_V, CTRL)
    assert grid.array() is before
    assert said in grid.said[-1]
    assert grid.history() == []


def test_a_selection_with_gaps_is_not_copied(grid: Grid) -> None:
    QGuiApplication.clipboard().setText("kept")
    grid.click(0, 0)
    grid.click(1, 1, CTRL)
    grid.key(Qt.Key.Key_C, CTRL)
    assert "gaps" in grid.said[-1]
    assert QGuiApplication.clipboard().text() == "kept"


# Sweeping


@pytest.mark.parametrize("key", [ALT, CTRL], ids=["Alt", "Ctrl"])
def test_a_key_and_the_wheel_sweep_a_cell_as_one_step(c_attn: Grid, key: Qt.KeyboardModifier) -> None:
    revision = c_attn.session.document.revision
    for _ in range(3):
        c_attn.wheel(0, 0, 1, key)
    assert c_attn.value(0, 0) == 1024 + 3 * 50
    assert c_attn.session.document.revision == revision + 3
    c_attn.wheel(0, 0, -4)
    assert c_attn.value(0, 0) == 1024 - 50
    c_attn.wheel(0, 0, 1, ALT | SHIFT)
    assert c_attn.value(0, 0) == 1024 - 50 + 5
    assert c_attn.history() == [f"sweep {C_ATTN}[0,0] to 979"]
    c_attn.session.document.undo()
    assert c_attn.value(0, 0) == 1024


def test_a_pause_or_another_cell_begins_another_step(c_attn: Grid) -> None:
    c_attn.wheel(0, 0, 1)
    c_attn.wheel(1, 1, 1)
    assert len(c_attn.history()) == 2
    c_attn.qtbot.wait(PAUSE + 100)
    c_attn.wheel(1, 1, 1)
    assert len(c_attn.history()) == 3


def test_the_wheel_alone_scrolls(c_attn: Grid) -> None:
    c_attn.panel.resize(260, 200)
    bar = c_attn.view.verticalScrollBar()
    c_attn.qtbot.waitUntil(lambda: bar.maximum() > 0)
    c_attn.wheel(0, 0, -1, NO_KEY)
    assert bar.value() > 0
    assert c_attn.history() == []


def test_keys_sweep_the_current_cell(c_attn: Grid) -> None:
    c_attn.click(2, 1)
    c_attn.key(Qt.Key.Key_Up, ALT)
    c_attn.key(Qt.Key.Key_Up, ALT)
    c_attn.key(Qt.Key.Key_Down, ALT | SHIFT)
    assert c_attn.value(2, 1) == 1024 + 50 + 50 - 5
    assert len(c_attn.history()) == 1
    assert c_attn.view.currentIndex() == c_attn.at(2, 1)


def test_ctrl_and_a_drag_sweep_until_the_button_is_released(c_attn: Grid) -> None:
    start = c_attn.centre(1, 1)
    c_attn.mouse(QEvent.Type.MouseButtonPress, start, CTRL)
    for up in (12, 24, 36):
        c_attn.mouse(QEvent.Type.MouseMove, start - QPoint(0, up), CTRL)
    assert c_attn.value(1, 1) == 1024 + 6 * 50
    c_attn.mouse(QEvent.Type.MouseMove, start, CTRL)
    assert c_attn.value(1, 1) == 1024
    c_attn.mouse(QEvent.Type.MouseMove, start + QPoint(0, 12), CTRL)
    c_attn.mouse(QEvent.Type.MouseButtonRelease, start + QPoint(0, 12), CTRL)
    assert c_attn.value(1, 1) == 1024 - 2 * 50
    assert len(c_attn.history()) == 1


def test_ctrl_and_a_click_still_add_to_the_selection(grid: Grid) -> None:
    grid.click(0, 0)
    grid.click(1, 3, CTRL)
    chosen = {(index.row(), index.column()) for index in grid.view.selectedIndexes()}
    assert chosen == {(0, 0), (1, 3)}
    grid.click(0, 0, CTRL)
    assert {(index.row(), index.column()) for index in grid.view.selectedIndexes()} == {(1, 3)}


def test_nan_is_not_swept(grid: Grid) -> None:
    grid.view.model().setData(grid.at(0, 0), "nan", EDIT)
    grid.wheel(0, 0, 1)
    assert "cannot be swept" in grid.said[-1]
    assert len(grid.history()) == 1


def test_an_undo_in_the_middle_ends_the_sweep(c_attn: Grid) -> None:
    c_attn.wheel(0, 0, 2)
    c_attn.session.document.undo()
    c_attn.wheel(0, 0, 1)
    assert c_attn.value(0, 0) == 1074
    assert len(c_attn.history()) == 1


@pytest.mark.parametrize(
    ("value", "limit", "step"),
    [(1024, 1024, 50), (-1, 1, 0.05), (0, 1024, 50), (0, 0, 0.05), (0.003, 1, 0.0001), (40, 1e9, 2)],
)
def test_a_step_is_about_a_twentieth_and_round(value: float, limit: float, step: float) -> None:
    assert step_for(value, limit) == step


# Following


def test_only_the_cells_that_changed_are_painted_again(c_attn: Grid) -> None:
    changed: list[tuple[int, int, int, int]] = []
    resets: list[int] = []
    model = c_attn.view.model()
    model.dataChanged.connect(lambda a, b, *_: changed.append((a.row(), a.column(), b.row(), b.column())))
    model.modelReset.connect(lambda: resets.append(1))
    c_attn.session.document.apply(SetCells(C_ATTN, several((2, 5), (4, 6)), (3.0, 4.0)))
    c_attn.session.document.apply(SetCells("wte", (0, 0), 3.0))
    assert changed == [(2, 5, 4, 6)]
    c_attn.session.document.apply(SetCells(C_ATTN, (2, 5), 9999.0))
    assert changed[1:] == [(0, 0, 7, 23)]
    assert c_attn.text(2, 5) == "9999"
    assert not resets


def test_the_cursor_is_the_sessions_chosen_cell_both_ways(grid: Grid) -> None:
    grid.click(1, 6)
    assert grid.session.selection.now.cell == CellRef("parameter", "wte", (1, 6))
    grid.session.selection.choose(parameter="wpe", cell=CellRef("parameter", "wpe", (4, 3)))
    assert grid.view.currentIndex() == grid.at(4, 3)
    grid.session.selection.choose(parameter="blocks.0.attn.c_proj.b")
    grid.session.selection.choose(cell=CellRef("parameter", "blocks.0.attn.c_proj.b", (7,)))
    assert grid.view.currentIndex() == grid.at(0, 7)


def test_a_click_where_the_cursor_stands_chooses_that_number(grid: Grid) -> None:
    assert grid.view.currentIndex() == grid.at(0, 0)
    for _ in range(2):
        grid.click(0, 0)
        assert grid.session.selection.now.cell == CellRef("parameter", "wte", (0, 0))
        grid.session.selection.let_go()


def test_a_parameter_opens_at_its_chosen_number(grid: Grid) -> None:
    chosen = CellRef("parameter", "blocks.0.attn.c_proj.b", (6,))
    grid.session.selection.choose(cell=chosen)
    grid.session.selection.choose(parameter=chosen.name)
    assert grid.view.currentIndex() == grid.at(0, 6)


def test_coming_back_to_a_parameter_finds_the_selection_that_was_left(grid: Grid) -> None:
    grid.select(0, 2, 1, 4)
    grid.session.selection.choose(parameter="wpe")
    assert len(grid.view.selectedIndexes()) == 1
    grid.session.selection.choose(parameter="wte")
    assert {(index.row(), index.column()) for index in grid.view.selectedIndexes()} == {
        (row, column) for row in (0, 1) for column in (2, 3, 4)
    }
    assert grid.view.currentIndex() == grid.at(1, 4)


def test_another_model_brings_its_own_numbers_and_labels(grid: Grid) -> None:
    grid.session.selection.choose(parameter=C_ATTN)
    grid.view.model().setData(grid.at(0, 0), "3", EDIT)
    grid.session.document.apply(OpenModel(open_model("aaab")))
    expected = open_model("aaab").model.parameters[C_ATTN]
    shown = [[float(grid.at(r, c).data(EDIT)) for c in range(24)] for r in range(8)]
    np.testing.assert_array_equal(shown, expected)
    grid.session.document.undo()
    assert grid.at(0, 0).data(EDIT) == "3"


def test_a_model_that_lacks_the_parameter_shows_another(qtbot: QtBot, grid: Grid) -> None:
    grid.session.selection.choose(parameter="wpe")
    grid.session.document.apply(OpenModel(large(rows=16, columns=8)))
    assert grid.session.selection.now.parameter == "wte"
    assert (grid.view.model().rowCount(), grid.view.model().columnCount()) == (4, 16)


def large(rows: int = 768, columns: int = 3072) -> OpenedModel:
    """A model of one block with an MLP matrix [rows, columns] and neither tokenizer nor learned positions."""
    config = ModelConfig(
        n_layers=1, d_model=rows, n_ctx=4, d_vocab=4, n_heads=1, d_head=4, d_mlp=columns, act_fn="relu",
        normalization_type=None, positional_embedding_type="sinusoidal", tie_embeddings=True,
    )  # fmt: skip
    generator = np.random.default_rng(0)
    arrays = {name: generator.normal(size=shape) for name, shape in parameter_shapes(config).items()}
    return OpenedModel(Model(config, arrays), "large", "large")


def test_a_large_matrix_is_scrolled_to_its_end_and_edited_there(qtbot: QtBot) -> None:
    session = Session(large())
    session.selection.choose(parameter="blocks.0.mlp.c_fc.w")
    grid = Grid(qtbot, session)
    grid.key(Qt.Key.Key_End, CTRL)
    assert grid.view.currentIndex() == grid.at(767, 3071)
    grid.type_into(767, 3071, "LG")
    assert grid.value(767, 3071) == 1024
    grid.key(Qt.Key.Key_A, CTRL)
    grid.key(Qt.Key.Key_Delete)
    assert not grid.array().any()
    assert grid.history()[-1] == f"zero {768 * 3072} cells of blocks.0.mlp.c_fc.w"
    grid.session.document.undo()
    assert grid.value(767, 3071) == 1024


def test_every_action_has_words_and_the_grid_a_name(grid: Grid) -> None:
    assert grid.view.accessibleName()
    for name, action in grid.panel.actions_by_name.items():
        assert action.text(), name
        assert action.toolTip(), name
        assert action in grid.view.actions()
    for button in grid.panel.findChildren(QToolButton):
        assert button.accessibleName() or not button.isVisible()


def test_a_panel_that_is_gone_is_told_nothing(qtbot: QtBot) -> None:
    session = Session(open_model("aab"))
    panel = WeightPanel(session)
    panel.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    assert not isValid(panel)
    session.document.apply(SetCells("wte", (0, 0), 3.0))
    session.selection.choose(parameter="wpe")


def test_the_grid_shows_value_baseline_or_difference_and_typing_sets_the_value(qtbot: QtBot) -> None:
    session = Session(open_model("aab"))
    grid = Grid(qtbot, session)
    session.document.apply(pin_baseline(session.document.state))
    grid.view.model().setData(grid.at(0, 0), "1000")
    shown = {}
    for comparison in ("value", "baseline", "difference"):
        session.selection.choose(comparison=comparison)
        shown[comparison] = grid.text(0, 0), grid.text(0, 1), label_text(grid)
    assert shown == {
        "value": ("1000", "0", f"{C_ATTN}  8×24"),
        "baseline": ("1024", "0", f"{C_ATTN}  of the baseline  8×24"),
        "difference": ("−24", "0", f"{C_ATTN}  − baseline  8×24"),
    }
    assert grid.at(0, 0).data(EDIT) == "1000"
    assert "baseline 1024, difference −24" in grid.at(0, 0).data(Qt.ItemDataRole.ToolTipRole)
    grid.view.model().setData(grid.at(0, 0), "2048")
    assert grid.value(0, 0) == 2048
    assert grid.text(0, 0) == "1024"
    same, more = (grid.at(row, 0).data(Qt.ItemDataRole.BackgroundRole).name() for row in (1, 0))
    assert same != more  # nothing has changed in row 1: the middle of the scale
    session.selection.choose(comparison="baseline")
    assert not grid.at(0, 0).flags() & Qt.ItemFlag.ItemIsEditable
    session.document.go_to(0)
    assert grid.text(0, 0) == "1024"
    assert grid.at(0, 0).flags() & Qt.ItemFlag.ItemIsEditable  # nothing is pinned any more


def label_text(grid: Grid) -> str:
    """What stands above the grid."""
    return child(grid.panel, QLabel, "weightTitle").text()


def test_an_editor_over_a_difference_says_that_it_holds_the_value(qtbot: QtBot) -> None:
    session = Session(open_model("aab"))
    grid = Grid(qtbot, session)
    session.document.apply(pin_baseline(session.document.state))
    note = child(grid.view, QLabel, "refusalNote")
    for comparison, told in (("value", False), ("difference", True)):
        session.selection.choose(comparison=comparison)
        grid.view.edit(grid.at(0, 0))
        editor = child(grid.view, QLineEdit, "cellEditor")
        qtbot.keyClicks(editor, "7")
        assert note.isVisible() == told
        if told:
            assert note.text() == "This is the value itself. The grid shows how far it is from the baseline."
            qtbot.keyClicks(editor, "x")
            qtbot.keyClick(editor, Qt.Key.Key_Return)
            assert "is not a number" in note.text()
            qtbot.keyClick(editor, Qt.Key.Key_Backspace)
            assert "the value itself" in note.text()
        qtbot.keyClick(editor, Qt.Key.Key_Return)
        assert not note.isVisible()
        qtbot.waitUntil(lambda editor=editor: not isValid(editor))  # type: ignore[misc]
    assert (grid.value(0, 0), grid.text(0, 0)) == (7, "−1017")
