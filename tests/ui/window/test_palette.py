"""The command palette: what it lists, how it finds, and that it is driven by the keyboard alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, QSettings, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QApplication,
    QDockWidget,
    QGraphicsScene,
    QLabel,
    QLineEdit,
    QMainWindow,
    QMenu,
    QTableView,
    QWidget,
)
from pytestqt.qtbot import QtBot
from shiboken6 import isValid

from tests.ui.finding import child
from visualizer.formats import open_model
from visualizer.session.words.fuzzy_match import match
from visualizer.ui.window.main_window import MainWindow
from visualizer.ui.window.palette import CommandPalette


class Window(QMainWindow):
    """A window with menus, a panel of its own action, and a record of what ran."""

    def __init__(self) -> None:
        super().__init__()
        self.ran: list[str] = []
        file, view = self.menuBar().addMenu("&File"), self.menuBar().addMenu("&View")
        self.add(file, "&Open file…", "Ctrl+O")
        file.addSeparator()
        self.add(file, "Quit")
        theme = view.addMenu("&Theme")
        self.add(theme, "Light")
        self.add(theme, "Dark")
        self.add(view, "Zero head").setEnabled(False)
        self.add(view, "Hidden").setVisible(False)
        scene = QGraphicsScene(self)
        self.scene_action = QAction("Of a plot's own menu", scene)
        dock = QDockWidget("Weights", self)
        self.panel = QLineEdit()
        dock.setWidget(self.panel)
        self.addDockWidget(Qt.DockWidgetArea.LeftDockWidgetArea, dock)
        self.add(self.panel, "Zero selection", "Del")
        self.add(QMenu(self), "Of a context menu")
        self.resize(700, 500)

    def add(self, owner: QWidget, text: str, keys: str = "") -> QAction:
        """An action that records its run."""
        action = QAction(text, owner)
        if keys:
            action.setShortcut(keys)
        action.triggered.connect(lambda: self.ran.append(text))
        owner.addAction(action)
        return action


@pytest.fixture
def window(qtbot: QtBot) -> Window:
    """The window, shown, with the keyboard in its panel."""
    window = Window()
    qtbot.addWidget(window)
    with qtbot.waitActive(window):
        window.show()
        window.activateWindow()
    window.panel.setFocus()
    return window


@pytest.fixture
def palette(window: Window) -> CommandPalette:
    """The palette, open."""
    palette = CommandPalette(window)
    palette.open_for(window)
    return palette


def listed(palette: CommandPalette) -> list[str]:
    """The texts in the list, from the top."""
    return [command.text for command in palette.shown_commands()]


def press(palette: CommandPalette, key: Qt.Key, qtbot: QtBot) -> None:
    """Press a key in the palette's field."""
    qtbot.keyClick(palette.edit, key)


def test_it_lists_every_command_of_menus_and_panels_and_nothing_else(palette: CommandPalette) -> None:
    assert listed(palette) == ["Open file…", "Quit", "Light", "Dark", "Weights", "Zero selection", "Zero head"]
    places = {command.text: (command.place, command.keys) for command in palette.shown_commands()}
    assert places["Open file…"] == ("File", "Ctrl+O")
    assert places["Dark"] == ("View › Theme", "")
    assert places["Zero selection"] == ("Weights", "Del")


def test_letters_find_and_return_runs_what_is_on_top(palette: CommandPalette, window: Window, qtbot: QtBot) -> None:
    qtbot.keyClicks(palette.edit, "dk")
    assert listed(palette) == ["Dark"]
    press(palette, Qt.Key.Key_Return, qtbot)
    assert window.ran == ["Dark"]
    assert not palette.isVisible()
    assert window.focusWidget() is window.panel


def test_of_two_equal_matches_the_shorter_comes_first(palette: CommandPalette, window: Window, qtbot: QtBot) -> None:
    window.add(window, "Quit all the programs")
    window.add(window, "Qui")
    palette.open_for(window)
    palette.open_for(window)
    qtbot.keyClicks(palette.edit, "qui")
    assert listed(palette) == ["Qui", "Quit", "Quit all the programs"]


def test_the_words_of_a_menu_find_its_commands_after_those_that_have_them_themselves(
    palette: CommandPalette, qtbot: QtBot
) -> None:
    qtbot.keyClicks(palette.edit, "theme")
    assert listed(palette) == ["Light", "Dark"]


def test_arrows_move_and_escape_closes_without_running(palette: CommandPalette, window: Window, qtbot: QtBot) -> None:
    press(palette, Qt.Key.Key_Up, qtbot)
    assert palette.list.currentIndex().row() == 0
    press(palette, Qt.Key.Key_Down, qtbot)
    press(palette, Qt.Key.Key_Down, qtbot)
    assert palette.edit.accessibleDescription() == "Light, View › Theme"
    press(palette, Qt.Key.Key_PageDown, qtbot)
    assert palette.list.currentIndex().row() == len(listed(palette)) - 1
    press(palette, Qt.Key.Key_Escape, qtbot)
    assert not palette.isVisible()
    assert window.ran == []


def test_a_disabled_command_is_shown_last_and_does_not_run(
    palette: CommandPalette, window: Window, qtbot: QtBot
) -> None:
    qtbot.keyClicks(palette.edit, "zero")
    assert listed(palette) == ["Zero selection", "Zero head"]
    press(palette, Qt.Key.Key_Down, qtbot)
    assert "not available now" in palette.edit.accessibleDescription()
    press(palette, Qt.Key.Key_Return, qtbot)
    assert palette.isVisible()
    assert window.ran == []


def test_what_was_run_last_comes_first_the_next_time(palette: CommandPalette, window: Window, qtbot: QtBot) -> None:
    for text in ("quit", "light"):
        qtbot.keyClicks(palette.edit, text)
        press(palette, Qt.Key.Key_Return, qtbot)
        palette.open_for(window)
    assert listed(palette)[:3] == ["Light", "Quit", "Open file…"]
    assert palette.edit.text() == ""


def test_a_click_runs_a_command_and_one_beside_the_palette_closes_it(
    palette: CommandPalette, window: Window, qtbot: QtBot
) -> None:
    where = palette.list.visualRect(palette.list.model().index(2, 0)).center()
    qtbot.mouseClick(palette.list.viewport(), Qt.MouseButton.LeftButton, pos=where)
    assert window.ran == ["Light"]
    palette.open_for(window)
    qtbot.mouseClick(palette, Qt.MouseButton.LeftButton, pos=QPoint(5, palette.height() - 5))
    assert not palette.isVisible()


def test_it_says_when_nothing_fits_and_toggles(palette: CommandPalette, window: Window, qtbot: QtBot) -> None:
    qtbot.keyClicks(palette.edit, "xyz")
    empty = child(palette, QLabel, "commandPaletteEmpty")
    assert empty.isVisible()
    assert "“xyz”" in empty.text()
    press(palette, Qt.Key.Key_Return, qtbot)
    assert palette.isVisible()
    palette.open_for(window)
    assert not palette.isVisible()


def test_it_follows_the_size_of_its_window(palette: CommandPalette, window: Window) -> None:
    window.resize(420, 300)
    assert palette.size() == window.size()
    assert palette.rect().contains(palette.edit.mapTo(palette, palette.edit.rect().bottomRight()))


def test_the_real_window_has_its_undo_and_its_weights_in_it(qtbot: QtBot, tmp_path: object) -> None:
    window = MainWindow(open_model("aab"), QSettings(f"{tmp_path}/settings.ini", QSettings.Format.IniFormat))
    qtbot.addWidget(window)
    window.show()
    window.session.wait()
    palette = CommandPalette(window)
    palette.open_for(window)
    assert {"Undo", "Copy weights", "Scores: raw", "Quit", "Full screen"} <= set(listed(palette))
    names = [command.name for command in palette.shown_commands()]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("query", "better", "worse"),
    [
        ("sf", "Step forward", "Transform"),
        ("zs", "Zero selection", "Maze solver"),
        ("step", "Step back", "Set temporary"),
        ("open", "Open file", "Reopen file"),
    ],
)
def test_word_starts_and_letters_in_a_row_count_more(query: str, better: str, worse: str) -> None:
    first, second = match(query, better), match(query, worse)
    assert first is not None
    assert second is not None
    assert first[0] > second[0]


@given(st.text(max_size=6), st.text(max_size=12))
def test_a_match_is_a_subsequence_and_every_subsequence_matches(query: str, text: str) -> None:
    wanted = [c for c in query.casefold() if not c.isspace()]
    letters = iter([c.casefold() for c in text])
    is_subsequence = all(any(letter == c for letter in letters) for c in wanted)
    found = match(query, text)
    assert (found is not None) == is_subsequence
    if found is not None:
        assert [text[place].casefold() for place in found[1]] == wanted
        assert list(found[1]) == sorted(set(found[1]))


def test_the_keyboard_goes_back_to_the_grid_whose_editor_has_closed(qtbot: QtBot) -> None:
    """A double click on a number opens an editor in its cell, which the palette closes when it takes the keyboard."""
    window = MainWindow(open_model("aab"), QSettings())
    qtbot.addWidget(window)
    with qtbot.waitActive(window):
        window.show()
        window.activateWindow()
    grid = child(window, QTableView, "weightGrid")
    grid.setFocus()
    grid.edit(grid.model().index(0, 0))
    editor = QApplication.focusWidget()
    assert isinstance(editor, QLineEdit)
    palette = CommandPalette(window)
    palette.open_for(window)
    qtbot.waitUntil(lambda: not isValid(editor))
    press(palette, Qt.Key.Key_Escape, qtbot)
    assert QApplication.focusWidget() is grid
    window.session.wait()


def test_more_letters_than_any_command_has_are_not_taken(palette: CommandPalette) -> None:
    palette.edit.setText("open " * 1000)
    assert len(palette.edit.text()) == 200
    assert listed(palette) == []
