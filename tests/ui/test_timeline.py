"""The timeline: its slider is the cursor, and each bar stands over its step."""

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QLabel, QSlider
from pytestqt.qtbot import QtBot

from visualizer.formats import open_model
from visualizer.session.edits import SetCells, SetPrompt
from visualizer.session.session import Session
from visualizer.ui.panels.timeline import BAR_HEIGHT, TimelinePanel
from visualizer.ui.theme import current_theme, token_color


@pytest.fixture
def session() -> Session:
    """The article's model."""
    return Session(open_model("aab"))


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
    found = panel.findChild(QSlider, "timelineSlider")
    assert found is not None
    return found


def label(panel: TimelinePanel) -> str:
    """What stands beside it."""
    found = panel.findChild(QLabel, "timelineLabel")
    assert found is not None
    return found.text()


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
    session.document.apply(SetCells("blocks.0.attn.c_proj.w", ((7, 5), (7, 6)), (-0.5, 0.5)))
    session.document.apply(SetCells("blocks.0.attn.c_proj.b", ((5,),), (0.6,)))
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
    assert said.startswith("step 0\nb   id 1")
    assert "probability 1" in said
    assert "runner-up a" in said


def test_nothing_generated_leaves_one_step(panel: TimelinePanel, session: Session) -> None:
    session.reset_generation()
    assert slider(panel).maximum() == 0
    assert label(panel) == "step 0 of 0"
    assert panel.bars.step_at(300) == 0
    assert not panel.grab().isNull()


def test_probabilities_that_are_nan_are_said_to_be(panel: TimelinePanel, session: Session) -> None:
    session.document.apply(SetCells("wte", ((0, 5),), (float("nan"),)))
    assert "nan" in panel.bars.tooltip(0)
    assert not panel.grab().isNull()


def test_thousands_of_steps_paint_no_more_bars_than_pixels(panel: TimelinePanel, session: Session) -> None:
    session.generate(1500)
    session.go_to_step(1500)
    assert label(panel) == "step 1500 of 1500"
    image = panel.bars.grab().toImage()
    hues = {QColor(token_color(token, current_theme())).rgb() for token in (0, 1)}
    assert any(image.pixel(x, image.height() - 4) in hues for x in range(100, 200))
