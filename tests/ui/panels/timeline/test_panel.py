"""The timeline: its slider is the cursor, and each bar stands over its step."""

import math

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QComboBox, QLabel, QLineEdit, QSlider, QToolButton
from pytestqt.qtbot import QtBot

import visualizer
from tests.cells import several
from tests.ui.finding import child
from visualizer.session.document.edits import SetCells, SetPrompt, force_token, pin_baseline
from visualizer.session.evaluation.cache_map import AGAIN, COMPUTED, REUSED
from visualizer.session.session import Session
from visualizer.ui.look.signed_color import signed_color
from visualizer.ui.look.theme import current_theme, token_color
from visualizer.ui.panels.timeline.branch_list import CONTINUES, LOG_P
from visualizer.ui.panels.timeline.panel import TimelinePanel
from visualizer.ui.panels.timeline.step_bars import BAR_HEIGHT


@pytest.fixture
def panel(session: Session, qtbot: QtBot) -> TimelinePanel:
    """The timeline, shown."""
    panel = TimelinePanel(session)
    qtbot.addWidget(panel)
    panel.resize(700, panel.sizeHint().height())
    panel.show()
    return panel


def slider(panel: TimelinePanel) -> QSlider:
    """The slider."""
    return child(panel, QSlider, "timelineSlider")


def label(panel: TimelinePanel) -> str:
    """What stands beside it."""
    return child(panel, QLabel, "timelineLabel").text()


def test_it_says_where_the_cursor_is(panel: TimelinePanel, session: Session) -> None:
    assert (slider(panel).minimum(), slider(panel).maximum(), slider(panel).value()) == (0, 10, 0)
    session.go_to_step(3)
    assert slider(panel).value() == 3
    assert label(panel) == "step 3 of 10"
    session.generate(20)
    assert label(panel) == "step 23 of 23"


def test_scrubbing_and_keys_move_the_cursor(panel: TimelinePanel, session: Session, qtbot: QtBot) -> None:
    slider(panel).setValue(7)
    assert session.selection.now.step == 7
    qtbot.keyClick(slider(panel), Qt.Key.Key_Left)
    assert session.selection.now.step == 6
    qtbot.keyClick(slider(panel), Qt.Key.Key_Home)
    assert session.selection.now.step == 0


def test_following_the_session_does_not_answer_back(panel: TimelinePanel, session: Session) -> None:
    session.go_to_step(8)
    moves: list[int] = []
    session.selection.subscribe(lambda _before, now: moves.append(now.step))
    session.document.apply(SetPrompt("aab"))
    assert moves == [0]


@pytest.mark.parametrize("step", [0, 4, 10])
def test_a_click_on_a_bar_goes_to_its_step(panel: TimelinePanel, session: Session, qtbot: QtBot, step: int) -> None:
    session.go_to_step(5)
    at = QPoint(round(panel.bars.centre(step)), panel.bars.height() - 5)
    qtbot.mouseClick(panel.bars, Qt.MouseButton.LeftButton, pos=at)
    assert session.selection.now.step == step


def test_a_bar_stands_over_the_handle_at_its_step(panel: TimelinePanel, session: Session) -> None:
    session.go_to_step(10)
    handle = slider(panel).mapTo(panel, QPoint(slider(panel).width(), 0)).x()
    bar = panel.bars.mapTo(panel, QPoint(round(panel.bars.centre(10)), 0)).x()
    assert 0 < handle - bar < 20


def test_a_bar_is_as_high_as_its_token_was_probable(panel: TimelinePanel, session: Session) -> None:
    # Halve the difference of the logits until both tokens are possible.
    session.document.apply(SetCells("blocks.0.attn.c_proj.w", several((7, 5), (7, 6)), (-0.5, 0.5)))
    session.document.apply(SetCells("blocks.0.attn.c_proj.b", (5,), 0.6))
    result = session.result
    assert result is not None
    image = panel.bars.grab().toImage()
    for step in range(10):
        chosen = result.steps[step]
        hue = QColor(token_color(chosen.token, current_theme())).rgb()
        x = round(panel.bars.centre(step))
        rows = range(image.height() - 2 - round(BAR_HEIGHT) - 1, image.height())
        height = sum(image.pixel(x, y) == hue for y in rows)
        assert abs(height - float(chosen.probs[chosen.token]) * BAR_HEIGHT) <= 2.5
        assert 0.5 <= float(chosen.probs[chosen.token]) < 0.99


def test_hovering_says_the_token_its_probability_and_the_runner_up(panel: TimelinePanel) -> None:
    said = panel.bars.tooltip(0)
    assert said.startswith("step 0\nb (id 1)")
    assert "probability 1" in said
    assert "runner-up a" in said


def test_nothing_generated_leaves_one_step(panel: TimelinePanel, session: Session) -> None:
    session.reset_generation()
    assert slider(panel).maximum() == 0
    assert label(panel) == "step 0 of 0"
    assert panel.bars.step_at(300) == 0
    assert not panel.grab().isNull()


def test_probabilities_that_are_nan_are_said_to_be(panel: TimelinePanel, session: Session) -> None:
    session.document.apply(SetCells("wte", (0, 5), float("nan")))
    assert "nan" in panel.bars.tooltip(0)
    assert not panel.grab().isNull()


def test_thousands_of_steps_paint_no_more_bars_than_pixels(panel: TimelinePanel, session: Session) -> None:
    session.generate(1500)
    session.go_to_step(1500)
    assert label(panel) == "step 1500 of 1500"
    image = panel.bars.grab().toImage()
    hues = {QColor(token_color(token, current_theme())).rgb() for token in (0, 1)}
    assert any(image.pixel(x, image.height() - 4) in hues for x in range(100, 200))


# -- details: the cache and the branches


def open_details(panel: TimelinePanel) -> None:
    """Press the button."""
    button = child(panel, QToolButton, "timelineDetails")
    button.click()
    panel.resize(700, panel.sizeHint().height() + 60)


def branch(session: Session, place: int, token: int) -> None:
    """Force a token."""
    session.document.apply(force_token(session.document.state, place, token))


def names(panel: TimelinePanel) -> list[str]:
    """The branches as listed."""
    listed = (panel.branches.topLevelItem(i) for i in range(panel.branches.topLevelItemCount()))
    return [item.text(0) for item in listed if item is not None]


def test_details_are_shown_when_asked_for(panel: TimelinePanel) -> None:
    compact = panel.sizeHint().height()
    assert not panel.cache.isVisible()
    assert not panel.branches.isVisible()
    open_details(panel)
    assert panel.cache.isVisible()
    assert panel.sizeHint().height() > compact
    assert not panel.grab().isNull()
    panel.actions_by_name["timelineDetails"].trigger()
    assert not panel.cache.isVisible()
    assert panel.sizeHint().height() == compact


def test_the_cache_strip_tells_reused_rows_from_computed_ones(
    panel: TimelinePanel, session: Session, qtbot: QtBot
) -> None:
    session.document.apply(SetPrompt("bba"))
    open_details(panel)
    states = panel.cache.states
    assert states.shape == (5, 11)
    assert states[:, 1].tolist() == [REUSED, REUSED, REUSED, COMPUTED, 0]
    assert states[:, 3].tolist() == [COMPUTED] * 5  # the window slides
    session.go_to_step(3)
    assert "full context" in panel.legend.text()
    session.document.apply(SetCells("blocks.0.attn.c_attn.w", (0, 8), 0.5))
    assert panel.cache.states[:, 1].tolist() == [REUSED, REUSED, REUSED, AGAIN, 0]
    assert "computed again after the edit" in panel.legend.text()
    x = round(panel.bars.centre(1))
    cell = panel.cache.cell_at(x, 1)
    assert cell == (1, 0)
    assert panel.cache.readout(1, 3).startswith("step 1, position 3: computed again")
    qtbot.mouseClick(panel.cache, Qt.MouseButton.LeftButton, pos=QPoint(x, 1))
    assert (session.selection.now.step, session.selection.now.row) == (1, 0)


def test_branches_are_listed_compared_and_switched(panel: TimelinePanel, session: Session, qtbot: QtBot) -> None:
    chooser = child(panel, QComboBox, "branchChooser")
    assert not chooser.isVisible()
    open_details(panel)
    branch(session, 6, 1)
    assert names(panel) == ["main", "'b' at 6"]
    assert chooser.isVisible()
    assert chooser.currentText() == "'b' at 6"
    assert session.result is not None
    assert session.result.generated[1] == 1
    first = panel.branches.topLevelItem(0)
    assert first is not None
    # The first token agrees; the second does not.
    assert [len(part) for part in first.data(CONTINUES, Qt.ItemDataRole.UserRole)] == [1, 1, 8]
    second = panel.branches.topLevelItem(1)
    assert second is not None
    assert [first.text(LOG_P), second.text(LOG_P)] == ["0", "−1023"]
    assert "differs from position 6" in first.toolTip(0)
    at = panel.branches.visualItemRect(first).center()
    qtbot.mouseClick(panel.branches.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(10, at.y()))
    assert session.document.state.branch == 0
    assert session.result.generated[1] == 0
    qtbot.keyClick(panel.branches, Qt.Key.Key_Down)
    qtbot.keyClick(panel.branches, Qt.Key.Key_Return)
    assert session.document.state.branch == 1
    chooser.activated.emit(0)
    assert session.document.state.branch == 0


def test_a_branch_is_renamed_in_place(panel: TimelinePanel, session: Session, qtbot: QtBot) -> None:
    open_details(panel)
    branch(session, 6, 1)
    panel.branches.setFocus()
    qtbot.keyClick(panel.branches, Qt.Key.Key_F2)
    editor = panel.branches.findChild(QLineEdit)
    assert editor is not None
    editor.setText("what if")
    qtbot.keyClick(editor, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: session.document.state.branches[1].name == "what if")
    assert names(panel) == ["main", "what if"]
    assert session.document.history()[0][-1] == "rename branch 'b' at 6"
    session.document.undo()
    assert names(panel) == ["main", "'b' at 6"]


def test_a_branch_is_deleted_but_for_the_last(panel: TimelinePanel, session: Session, qtbot: QtBot) -> None:
    open_details(panel)
    branch(session, 6, 1)
    branch(session, 8, 1)
    assert len(names(panel)) == 3
    qtbot.keyClick(panel.branches, Qt.Key.Key_Delete)
    qtbot.keyClick(panel.branches, Qt.Key.Key_Delete)
    assert names(panel) == ["main"]
    with qtbot.waitSignal(panel.message) as said:
        qtbot.keyClick(panel.branches, Qt.Key.Key_Delete)
    assert "has to stay" in said.args[0]
    session.document.undo()
    session.document.undo()
    assert len(names(panel)) == 3
    assert session.document.state.branch == 2


def test_forced_tokens_are_marked(panel: TimelinePanel, session: Session) -> None:
    def mark(step: int) -> bool:
        image = panel.bars.grab().toImage()
        y = round(panel.bars.height() - 2 - BAR_HEIGHT + 3)
        return bool(image.pixel(round(panel.bars.centre(step)), y) == QColor(current_theme().text).rgb())

    assert not mark(2)
    branch(session, 7, 1)
    assert mark(2)
    assert "forced" in panel.bars.tooltip(2)
    assert "forced" not in panel.bars.tooltip(3)


def test_the_window_makes_room_for_the_details_and_takes_it_back(qtbot: QtBot) -> None:
    window = visualizer.ui.open_window()
    qtbot.addWidget(window)
    qtbot.waitExposed(window)
    panel = window.docks["timelinePanel"].panel
    assert isinstance(panel, TimelinePanel)
    low = panel.height()
    panel.details_button.click()
    qtbot.waitUntil(lambda: panel.height() > low + 80)
    assert panel.branches.isVisible()
    assert panel.branches.height() >= panel.branches.minimumSizeHint().height()
    panel.details_button.click()
    qtbot.waitUntil(lambda: panel.height() <= low + 5)
    assert not panel.details.isVisible()


def test_details_show_wherever_there_is_room_for_them(panel: TimelinePanel) -> None:
    panel.resize(700, 200)
    assert panel.details.isVisible()
    assert panel.details_button.isChecked()
    panel.resize(700, 60)
    assert not panel.details.isVisible()
    assert not panel.details_button.isChecked()


def test_the_baselines_steps_and_the_difference_from_them_are_drawn(panel: TimelinePanel, session: Session) -> None:
    session.document.apply(pin_baseline(session.document.state))
    session.document.apply(SetCells("blocks.0.attn.c_proj.w", (7, 6), 0.0))  # b has nothing more to say
    result = session.result
    assert result is not None
    assert result.baseline is not None
    now, base = result.steps[0], result.baseline.steps[0]
    assert (now.token, base.token) == (0, 1)
    assert panel.bars.height_of(0) == pytest.approx(float(now.probs[0]))
    assert "the baseline has b here; of a: baseline 0, difference 0.7310586" in panel.bars.tooltip(0)
    assert "after another text" in panel.bars.tooltip(1)
    session.selection.choose(comparison="baseline")
    assert panel.bars.height_of(0) == pytest.approx(float(base.probs[1])) == 1
    assert token_color(1, current_theme()) in colors(panel)
    session.selection.choose(comparison="difference")
    assert panel.bars.height_of(0) == pytest.approx(float(now.probs[0] - base.probs[0]))
    assert math.isnan(panel.bars.height_of(1))  # the texts differ from there on
    assert signed_color(1).name() in colors(panel)


def colors(panel: TimelinePanel) -> set[str]:
    """Every colour of the bars."""
    picture = panel.bars.grab().toImage()
    return {picture.pixelColor(x, y).name() for x in range(picture.width()) for y in range(picture.height())}
