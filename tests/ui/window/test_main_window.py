"""The whole window, driven through its named widgets as a user or another program would."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QAction, QColor, QImage
from PySide6.QtWidgets import QAbstractButton, QFileDialog, QLabel, QLineEdit, QMenu, QTableView, QTreeView, QWidget
from pytestqt.qtbot import QtBot

import visualizer
from tests.ui.finding import child, words
from visualizer.engine.interventions import Intervention
from visualizer.resources import resource
from visualizer.session.document.edits import SetCells, SetInterventions, pin_baseline
from visualizer.session.selection import CellRef
from visualizer.ui.heatmap.widget import Heatmap
from visualizer.ui.look.theme import current_theme
from visualizer.ui.widgets.title import Title
from visualizer.ui.window.catalog import AT_ONCE, EARLY_KEYS
from visualizer.ui.window.main_window import MainWindow
from visualizer.ui.window.palette import CommandPalette

NAMED = [
    *("promptEdit", "tokenStrip", "parameterTree", "weightGrid", "scoresHeatmap", "patternHeatmap", "logitsHeatmap"),
    *("stepForward", "stepBack", "generateAll", "resetGeneration", "outputText", "modelChooser", "explainPanel"),
    *("undoAction", "redoAction", "statusBar"),
]


@pytest.fixture
def window(qtbot: QtBot) -> MainWindow:
    window = visualizer.ui.open_window()
    qtbot.addWidget(window)
    qtbot.waitExposed(window)
    return window


def press(window: MainWindow, name: str) -> None:
    found = window.findChild(QAction, name) or child(window, QAbstractButton, name)
    found.trigger() if isinstance(found, QAction) else found.click()


def output(window: MainWindow) -> str:
    return child(window, QLineEdit, "outputText").text()


def write_cell(window: MainWindow, parameter: str, row: int, column: int, text: str) -> None:
    window.session.selection.choose(parameter=parameter)
    model = child(window, QTableView, "weightGrid").model()
    assert model.setData(model.index(row, column), text, Qt.ItemDataRole.EditRole)


@pytest.mark.parametrize("name", NAMED)
def test_what_others_call_by_name_is_there(window: MainWindow, name: str) -> None:
    assert window.objectName() == "mainWindow"
    assert window.findChild(QObject, name) is not None


def test_it_is_alive_before_anyone_has_clicked(window: MainWindow) -> None:
    trace = visualizer.handmade("aab").forward("aabaa")
    pattern = child(window, Heatmap, "patternHeatmap")
    assert np.array_equal(pattern.image(), trace["blocks.0.attn.pattern"][0])
    assert np.array_equal(child(window, Heatmap, "scoresHeatmap").image(), trace["blocks.0.attn.scores"][0])
    assert np.array_equal(child(window, Heatmap, "logitsHeatmap").image(), trace["logits"])
    assert pattern.cell(4, 3) == 0.5
    assert output(window) == "baabaabaab"


def test_typing_a_prompt_changes_everything_that_shows_it(window: MainWindow, qtbot: QtBot) -> None:
    prompt = child(window, QLineEdit, "promptEdit")
    prompt.selectAll()
    qtbot.keyClicks(prompt, "bab")
    trace = visualizer.handmade("aab").forward("bab")
    assert np.array_equal(child(window, Heatmap, "logitsHeatmap").image(), trace["logits"])
    assert output(window) == "aabaabaaba"


def test_one_cell_breaks_the_text_and_undo_mends_it_to_the_bit(window: MainWindow) -> None:
    before = child(window, Heatmap, "logitsHeatmap").image().copy()
    write_cell(window, "blocks.0.attn.c_attn.w", 5, 23, "-1")
    assert output(window) == "aaaaaaaaaa"
    assert not np.array_equal(child(window, Heatmap, "logitsHeatmap").image(), before)
    press(window, "undoAction")
    assert output(window) == "baabaabaab"
    assert np.array_equal(child(window, Heatmap, "logitsHeatmap").image(), before)
    press(window, "redoAction")
    assert output(window) == "aaaaaaaaaa"


def test_undo_and_redo_say_what_they_did(window: MainWindow) -> None:
    write_cell(window, "wpe", 3, 3, "0")
    press(window, "undoAction")
    assert window.status.currentMessage() == "undone: wpe[3,3] = 0"
    press(window, "redoAction")
    assert window.status.currentMessage() == "done again: wpe[3,3] = 0"


def test_stepping_shows_the_internals_of_each_step_forwards_and_back(window: MainWindow) -> None:
    model, heatmap = visualizer.handmade("aab"), child(window, Heatmap, "logitsHeatmap")
    text = "aabaa" + output(window)
    for step in (1, 2, 3):
        press(window, "stepForward")
        assert np.array_equal(heatmap.image(), model.forward(text[: 5 + step])["logits"])
    press(window, "stepBack")
    assert np.array_equal(heatmap.image(), model.forward(text[:7])["logits"])


def test_reset_and_generate(window: MainWindow) -> None:
    press(window, "resetGeneration")
    assert output(window) == ""
    press(window, "stepForward")
    assert output(window) == "b"
    press(window, "resetGeneration")
    press(window, "generateAll")
    assert output(window) == "baabaabaab"


def test_a_nan_is_shown_counted_and_undone(window: MainWindow) -> None:
    write_cell(window, "wpe", 4, 0, "nan")
    image = child(window, Heatmap, "patternHeatmap").image()
    assert np.isnan(image[4]).all()
    assert np.isfinite(image[:4]).all()
    assert "NaN/Inf" in child(window, QWidget, "runFacts").text()  # type: ignore[attr-defined]
    press(window, "undoAction")
    assert np.isfinite(child(window, Heatmap, "patternHeatmap").image()).all()


def test_choosing_a_number_explains_it_everywhere(window: MainWindow, qtbot: QtBot) -> None:
    heatmap = child(window, Heatmap, "patternHeatmap")
    heatmap.setFocus()
    heatmap.set_cursor(2, 1)
    qtbot.keyClick(heatmap, Qt.Key.Key_Return)
    assert window.session.selection.now.row == 2
    shown = child(window, QWidget, "explainPanel")
    assert words(shown, "explainTitle") == "pattern[b₂, a₁] = 0.5"
    qtbot.keyClick(heatmap, Qt.Key.Key_Escape)
    assert window.session.selection.now.row is None


def test_a_weights_explanation_leads_to_its_cell_even_when_the_grid_is_behind(window: MainWindow) -> None:
    window.docks["flipPanel"].reveal()
    weight = CellRef("parameter", "blocks.0.attn.c_proj.b", (6,))
    window.session.selection.choose(cell=weight)
    press(window, "explainParameter")
    assert window.docks["weightPanel"].in_front
    assert child(window, QTableView, "weightGrid").currentIndex().column() == 6
    assert window.session.selection.now.cell == weight


def test_explain_this_number_shows_the_explanation(window: MainWindow) -> None:
    window.docks["comparePanel"].reveal()
    menu = window.menus_here()[0]
    next(action for action in menu.actions() if action.text() == "Explain this number").trigger()
    assert window.docks["explainPanel"].in_front


def test_a_number_to_set_is_typed_in_the_list_of_interventions_wherever_that_was(
    window: MainWindow, qtbot: QtBot
) -> None:
    window.docks["historyPanel"].reveal()
    window.session.selection.choose(cell=CellRef("activation", "blocks.0.attn.pattern", (0, 4, 3)))
    cell = child(window.menus_here()[0], QMenu, "cellMenu_cell")
    next(action for action in cell.actions() if action.text() == "Set…").trigger()
    dock = window.docks["interventionsPanel"]
    qtbot.waitUntil(lambda: dock.panel.findChild(QLineEdit) is not None)
    assert dock.in_front
    qtbot.keyClicks(child(dock.panel, QLineEdit, ""), "1/4\r")
    qtbot.waitUntil(lambda: [change.value for change in window.session.document.state.interventions] == [0.25])
    assert window.session.document.history()[1] == 1


def test_an_empty_prompt_says_so_and_generation_begins_with_a(window: MainWindow) -> None:
    child(window, QLineEdit, "promptEdit").clear()
    assert child(window, Heatmap, "patternHeatmap").image().size == 0
    assert output(window).startswith("ab")


def test_geometry_and_theme_are_remembered(qtbot: QtBot) -> None:
    first = visualizer.ui.open_window()
    qtbot.addWidget(first)
    first.choose_theme("dark")
    first.resize(790, 610)
    first.close()
    second = visualizer.ui.open_window()
    qtbot.addWidget(second)
    assert second.size() == first.size()
    assert second.remembered("theme", "system") == "dark"
    second.choose_theme("light")


def test_each_control_has_a_name_for_a_screen_reader(window: MainWindow) -> None:
    silent = [
        widget.objectName() or type(widget).__name__
        for widget in window.findChildren(QWidget)
        if widget.focusPolicy() & Qt.FocusPolicy.TabFocus
        and widget.isVisibleTo(window)
        and not widget.accessibleName()
        and not widget.objectName().startswith("qt_")  # parts of Qt's own widgets, named by those
        and not (isinstance(widget, QAbstractButton) and widget.text())
    ]
    assert not silent


def test_what_cannot_be_opened_is_said_and_nothing_is_lost(window: MainWindow) -> None:
    window.open_source("no-such-file")
    assert "no-such-file" in window.status.currentMessage()
    assert output(window) == "baabaabaab"


def test_nothing_of_the_model_needs_scrolling_at_1024_by_640(window: MainWindow, qtbot: QtBot) -> None:
    window.reset_layout()
    window.resize(1024, 640)
    grid, tree = child(window, QTableView, "weightGrid"), child(window, QTreeView, "parameterTree")
    qtbot.waitUntil(lambda: not grid.verticalScrollBar().maximum() and not tree.verticalScrollBar().maximum())
    assert window.size().toTuple() == (1024, 640)
    middle = window.docks["attentionPanel"].width()
    assert window.docks["weightPanel"].width() + window.docks["explainPanel"].width() < middle


def test_columns_keep_their_part_of_the_width_when_the_window_is_resized(window: MainWindow, qtbot: QtBot) -> None:
    window.resize(1280, 720)
    window.reset_layout()
    side = window.docks["weightPanel"]
    window.resize(1500, 900)
    qtbot.waitUntil(lambda: abs(side.width() - 0.265 * 1500) < 3)
    window.resize(900, 700)
    qtbot.waitUntil(lambda: abs(side.width() - 254) < 3)
    window.resize(1500, 900)
    qtbot.waitUntil(lambda: abs(side.width() - 0.265 * 1500) < 3)


def test_looking_at_every_panel_moves_no_other_and_leaves_the_window_its_size(window: MainWindow, qtbot: QtBot) -> None:
    window.resize(1280, 720)
    window.reset_layout()
    qtbot.waitUntil(lambda: abs(window.docks["weightPanel"].width() - 0.265 * 1280) < 3)
    kept = [window.docks[name] for name in ("weightPanel", "attentionPanel", "explainPanel")]
    before = [dock.width() for dock in kept]
    for dock in window.docks.values():
        dock.reveal()
        qtbot.waitUntil(lambda dock=dock: dock.in_front)  # type: ignore[misc]
    write_cell(window, "blocks.0.attn.c_attn.w", 0, 0, "12345.678")
    window.session.selection.choose(cell=CellRef("parameter", "blocks.0.attn.c_attn.w", (0, 0)))
    for dock in kept:
        dock.reveal()
    assert window.size().toTuple() == (1280, 720)
    assert [dock.width() for dock in kept] == before


def test_a_refused_prompt_is_said_without_moving_anything(window: MainWindow, qtbot: QtBot) -> None:
    heatmap, prompt = child(window, Heatmap, "scoresHeatmap"), child(window, QLineEdit, "promptEdit")
    window.resize(1280, 720)
    window.reset_layout()
    qtbot.waitUntil(lambda: abs(window.docks["weightPanel"].width() - 0.265 * 1280) < 3)
    before = heatmap.mapTo(window, heatmap.rect().topLeft()), heatmap.size()
    qtbot.keyClicks(prompt, "x")
    said = child(window, QLabel, "promptRefusal")
    assert said.isVisible()
    assert window.rect().contains(said.geometry())
    assert (heatmap.mapTo(window, heatmap.rect().topLeft()), heatmap.size()) == before
    qtbot.keyClick(prompt, Qt.Key.Key_Backspace)
    assert not said.isVisible()


def test_a_closed_panel_comes_back_from_the_menu_and_the_layout_can_be_reset(window: MainWindow) -> None:
    actions = {action.text().replace("&", ""): action for action in window.menus.panels.actions()}
    shown, dock = actions["Explain"], window.docks["explainPanel"]
    assert shown.isChecked()
    shown.trigger()
    assert not dock.isVisible()
    assert not shown.isChecked()
    shown.trigger()
    assert dock.in_front
    assert not actions["Lens"].isChecked()  # behind Explain
    dock.setFloating(True)
    window.docks["timelinePanel"].close()
    actions["Reset layout"].trigger()
    assert not dock.isFloating()
    assert window.docks["timelinePanel"].isVisible()
    assert {dock.objectName() for dock in window.tabifiedDockWidgets(dock)} == {"lensPanelDock", "comparePanelDock"}


def test_tab_goes_from_the_prompt_through_the_panels_in_the_order_of_the_screen(
    window: MainWindow, qtbot: QtBot
) -> None:
    window.activateWindow()
    window.docks["lensPanel"].reveal()  # made last, but not the last on screen
    window.docks["explainPanel"].reveal()
    prompt = child(window, QLineEdit, "promptEdit")
    assert window.focusWidget() is prompt
    docked: list[QWidget | None] = [dock.built_panel for dock in window.docks.values()]
    parts: list[QWidget | None] = [window.prompt_bar, window.token_strip, *docked, window.status]
    visited: list[str] = []
    for _ in range(80):
        focused = window.focusWidget()
        homes = [part for part in parts if part is not None and (part is focused or part.isAncestorOf(focused))]
        if homes and visited[-1:] != [homes[0].objectName()]:
            visited.append(homes[0].objectName())
        qtbot.keyClick(focused, Qt.Key.Key_Tab)
        if window.focusWidget() is prompt:
            break
    expected = ["promptBar", "tokenStrip", "parameterPanel", "weightPanel", "attentionPanel", "nextTokenPanel"]
    assert visited[:6] == expected
    assert visited[-1] in ("statusBar", "promptBar")  # the model's chooser stands before the prompt
    assert "timelinePanel" in visited


def test_a_panel_shown_from_the_menu_has_the_keyboard(window: MainWindow) -> None:
    actions = {action.text(): action for action in window.menus.panels.actions()}
    window.activateWindow()
    actions["Lens"].trigger()
    assert window.docks["lensPanel"].panel.isAncestorOf(window.focusWidget())


def test_the_theme_reaches_the_colours_of_the_tokens_in_the_heatmaps(window: MainWindow) -> None:
    heatmap = child(window, Heatmap, "patternHeatmap")
    window.choose_theme("light")
    light = heatmap.grab().toImage()
    window.choose_theme("dark")
    fresh = visualizer.ui.open_window()
    other = child(fresh, Heatmap, "patternHeatmap")
    other.resize(heatmap.size())
    heatmap.repaint()
    assert heatmap.grab().toImage() != light
    fresh.resize(window.size())
    other.setFixedSize(heatmap.size())
    assert other.grab().toImage() == heatmap.grab().toImage()
    fresh.close()
    window.choose_theme("light")


def test_the_accent_is_in_the_weight_grid_only_while_the_chosen_number_is(window: MainWindow, qtbot: QtBot) -> None:
    grid = child(window, QTableView, "weightGrid")
    accent = QColor(current_theme().accent).rgb()

    def accented() -> bool:
        image = grid.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
        return bool((np.frombuffer(image.constBits(), np.uint32) == accent).any())

    assert not accented()
    window.session.selection.choose(cell=CellRef("parameter", "blocks.0.attn.c_attn.w", (2, 1)))
    assert accented()
    window.session.selection.choose(cell=CellRef("activation", "blocks.0.attn.qk", (0, 2, 1)))
    assert not accented()


def test_the_tab_of_the_interventions_counts_those_that_are_at_work(window: MainWindow) -> None:
    dock = window.docks["interventionsPanel"]
    assert dock.windowTitle() == "Interventions"
    change = Intervention("blocks.0.attn.pattern", "zero")
    window.session.document.apply(SetInterventions((change,), "zero the pattern"))
    assert dock.windowTitle() == "Interventions (1)"
    press(window, "undoAction")
    assert dock.windowTitle() == "Interventions"


def test_the_keys_that_the_guide_gives_for_the_whole_window_are_those_of_its_actions(window: MainWindow) -> None:
    for dock in window.docks.values():
        assert dock.panel is not None
    known = {key.toString() for action in window.findChildren(QAction) for key in action.shortcuts()}
    first_table = resource("guide/keyboard.md").read_text(encoding="utf-8").split("## ")[0]
    told = set(re.findall(r"(?:Ctrl|Alt|Shift)(?:\+\w+)*\+[\w?]+|F\d+", first_table))
    assert len(told) > 15
    assert told - {"Shift+Tab"} <= known


def test_the_commands_of_panels_that_nobody_has_seen_are_there_after_a_while(window: MainWindow, qtbot: QtBot) -> None:
    assert window.docks["comparePanel"].widget() is None
    qtbot.waitUntil(lambda: all(dock.widget() is not None for dock in window.docks.values()), timeout=15000)
    assert window.findChild(QAction, "pinBaselineAction") is not None
    assert not window.docks["comparePanel"].in_front


def test_the_palette_knows_every_command_even_at_once(window: MainWindow, qtbot: QtBot) -> None:
    child(window, QAction, "commandPaletteAction").trigger()
    opened = child(window, QLineEdit, "commandPaletteEdit")
    qtbot.keyClicks(opened, "pin baseline")
    qtbot.keyClick(opened, Qt.Key.Key_Return)
    assert window.session.document.state.baseline is not None


def test_the_palette_is_open_before_all_commands_are_there_and_lists_them_as_they_come(
    window: MainWindow, qtbot: QtBot
) -> None:
    child(window, QAction, "commandPaletteAction").trigger()
    assert child(window, QLineEdit, "commandPaletteEdit").isVisible()
    assert window.docks["lensPanel"].widget() is None
    qtbot.waitUntil(lambda: all(dock.widget() is not None for dock in window.docks.values()))
    names = {command.text for command in child(window, CommandPalette, "commandPalette").shown_commands()}
    assert {"Pin baseline", "Flow: fit", "Train"} <= names


def test_a_key_works_before_its_panel_was_ever_seen_and_after(window: MainWindow, qtbot: QtBot) -> None:
    window.activateWindow()
    for number in (5.0, 6.0):
        window.session.document.apply(SetCells("wte", (0, 0), number))
        qtbot.keyClick(window, Qt.Key.Key_B, Qt.KeyboardModifier.ControlModifier)
        state = window.session.document.state
        assert state.baseline is not None
        assert state.baseline.model is state.model
    window.build_all()
    late = [(name, dock.panel) for name, dock in window.docks.items() if name not in AT_ONCE]
    keys = {
        (action.shortcut().toString(), name)
        for name, panel in late
        for action in getattr(panel, "actions_by_name", {}).values()
        if not action.shortcut().isEmpty() and action.shortcutContext() == Qt.ShortcutContext.WindowShortcut
    }
    assert keys == {(key, name) for key, name, _ in EARLY_KEYS}


def test_a_menu_of_a_panel_that_nobody_has_seen_has_its_commands(window: MainWindow) -> None:
    menus = {menu.title(): menu for menu in window.findChildren(QMenu)}
    assert [action.text() for action in menus["Flow"].actions()] == ["Show Flow"]
    menus["Flow"].popup(window.mapToGlobal(window.rect().center()))
    assert "Flow: fit" in [action.text() for action in menus["Flow"].actions()]
    menus["Flow"].close()


def test_the_difference_from_the_baseline_is_shown_as_soon_as_it_is_asked_for(window: MainWindow) -> None:
    heatmap = child(window, Heatmap, "logitsHeatmap")
    window.build_all()
    press(window, "pinBaselineAction")
    before = heatmap.image().copy()
    write_cell(window, "blocks.0.attn.c_attn.w", 5, 23, "-1")
    after = heatmap.image().copy()
    window.session.selection.choose(comparison="difference")
    assert np.array_equal(heatmap.image(), after - before)
    titles = [title.accessibleName() for title in window.findChildren(Title)]
    assert any(title.startswith("Logits − baseline") for title in titles)
    window.session.selection.choose(comparison="baseline")
    assert np.array_equal(heatmap.image(), before)
    window.session.selection.choose(comparison="value")
    assert np.array_equal(heatmap.image(), after)


def test_a_panel_has_a_title_of_its_own_only_while_no_tab_names_it(window: MainWindow, qtbot: QtBot) -> None:
    heads = window.docks["headsPanel"]
    assert heads.titleBarWidget() is not None  # an empty one in place of Qt's
    heads.reveal()
    heads.setFloating(True)
    qtbot.waitUntil(lambda: heads.titleBarWidget() is None)
    heads.setFloating(False)
    qtbot.waitUntil(lambda: heads.titleBarWidget() is not None)
    assert window.docks["timelinePanel"].titleBarWidget() is None


def test_the_view_menu_names_the_panels_as_their_tabs_do_and_in_their_order(window: MainWindow) -> None:
    window.build_all()
    shown = [action.text() for action in window.menus.view.actions() if action.isVisible() and action.text()]
    titles = [dock.windowTitle() for dock in window.docks.values()]
    named = [text for text in shown if text in titles]
    assert named == [title for title in titles if title in named]
    assert {"Explain", "Baseline", "Arcs", "Heads"} <= set(named)


def test_a_value_and_its_baseline_are_coloured_on_one_scale(window: MainWindow) -> None:
    heatmap = child(window, Heatmap, "logitsHeatmap")
    assert heatmap.painted is not None
    own = heatmap.painted.levels[1]
    window.session.document.apply(pin_baseline(window.session.document.state))
    write_cell(window, "blocks.0.attn.c_attn.w", 5, 23, "7")
    limits = []
    for comparison in ("value", "baseline", "difference"):
        window.session.selection.choose(comparison=comparison)
        limits.append(heatmap.painted.levels[1])
    assert limits[0] == limits[1] > own
    assert limits[2] == np.abs(heatmap.image()).max()


def test_the_number_under_the_cursor_follows_an_edit_and_is_told_beside_the_baseline(window: MainWindow) -> None:
    readout = next(
        label for label in window.status.findChildren(QLabel) if label.accessibleName() == "Number under the cursor"
    )
    window.session.selection.hover(CellRef("activation", "logits", (4, 1)))
    assert readout.text() == "logits[position a₄, token 'b'] = 1024"
    window.session.document.apply(pin_baseline(window.session.document.state))
    write_cell(window, "blocks.0.attn.c_proj.w", 7, 6, "0")
    window.session.wait()
    assert readout.text() == "logits[position a₄, token 'b'] = 0; baseline 1024, difference −1024"


def test_the_star_in_the_title_is_gone_once_the_model_is_saved(
    window: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    window.session.document.apply(SetCells("wte", (0, 0), 3.0))
    assert window.isWindowModified()
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "mine.safetensors"), ""))
    next(action for action in window.findChildren(QAction) if action.text() == "&Save model as…").trigger()
    assert "mine" in window.status.currentMessage()
    assert not window.isWindowModified()
    window.session.document.apply(SetCells("wte", (0, 0), 4.0))
    assert window.isWindowModified()
    window.undo_action.trigger()
    assert not window.isWindowModified()
    window.undo_action.trigger()
    assert window.isWindowModified()  # as opened, and not as saved
