"""The token strip: what is told apart, what a click and the keys do, and that length costs nothing."""

from dataclasses import replace

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QPoint, Qt
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from visualizer import Model
from visualizer.formats import open_model
from visualizer.session.analysis.token_chips import ChipPlaces, Strip
from visualizer.session.document.edits import OpenModel, SetCells, SetPrompt
from visualizer.session.session import Session
from visualizer.ui.look.theme import current_theme
from visualizer.ui.panels.token_strip.panel import TokenStrip

C_ATTN = "blocks.0.attn.c_attn.w"


@pytest.fixture
def strip(session: Session, qtbot: QtBot) -> TokenStrip:
    """The strip, shown."""
    strip = TokenStrip(session)
    qtbot.addWidget(strip)
    strip.resize(700, strip.sizeHint().height())
    strip.show()
    return strip


def click(strip: TokenStrip, place: int, qtbot: QtBot) -> None:
    """Click on a token."""
    qtbot.mouseClick(strip, Qt.MouseButton.LeftButton, pos=strip.chip_rect(place).center().toPoint())


def seen(strip: TokenStrip) -> Strip:
    """What is on screen."""
    assert strip.strip is not None
    return strip.strip


def has_color(image: QImage, strip: TokenStrip, place: int, color: str) -> bool:
    """Whether any pixel of a chip is of a colour."""
    rect, wanted = strip.chip_rect(place).toAlignedRect(), QColor(color).rgb()
    return any(
        image.pixel(x, y) == wanted
        for x in range(rect.left(), rect.right() + 1)
        for y in range(rect.top(), rect.bottom() + 1)
    )


def test_tokens_in_the_context_carry_the_position_that_the_heatmaps_give_them(
    strip: TokenStrip, session: Session
) -> None:
    assert [seen(strip).name(i) for i in range(7)] == ["a₀", "a₁", "b₂", "a₃", "a₄", "b", "a"]
    session.go_to_step(2)
    assert [seen(strip).name(i) for i in range(8)] == ["a", "a", "b₀", "a₁", "a₂", "b₃", "a₄", "a"]
    assert [seen(strip).is_dim(i) for i in range(9)] == [True, True, *[False] * 6, True]


def test_a_click_chooses_the_row_and_another_lets_go(strip: TokenStrip, session: Session, qtbot: QtBot) -> None:
    click(strip, 3, qtbot)
    assert session.selection.now.row == 3
    click(strip, 3, qtbot)
    assert session.selection.now.row is None


def test_a_click_counts_rows_from_where_the_context_begins(strip: TokenStrip, session: Session, qtbot: QtBot) -> None:
    session.go_to_step(2)
    click(strip, 4, qtbot)
    assert (session.selection.now.step, session.selection.now.row) == (2, 2)


def test_a_click_on_a_token_not_in_context_moves_the_cursor_to_a_step_that_sees_it(
    strip: TokenStrip, session: Session, qtbot: QtBot
) -> None:
    click(strip, 8, qtbot)
    assert (session.selection.now.step, session.selection.now.row) == (4, 4)
    click(strip, 1, qtbot)
    assert (session.selection.now.step, session.selection.now.row) == (1, 0)


def test_a_token_that_no_step_sees_is_said_to_be_so(session: Session, qtbot: QtBot) -> None:
    session.document.apply(SetPrompt("aabaabaab"))
    strip = TokenStrip(session)
    qtbot.addWidget(strip)
    strip.show()
    with qtbot.waitSignal(strip.message) as said:
        click(strip, 0, qtbot)
    assert said.args is not None
    assert "last 5" in said.args[0]
    assert session.selection.now.row is None


def test_arrow_keys_walk_the_tokens_and_escape_lets_go(strip: TokenStrip, session: Session, qtbot: QtBot) -> None:
    click(strip, 3, qtbot)
    qtbot.keyClick(strip, Qt.Key.Key_Right)
    assert (session.selection.now.step, session.selection.now.row) == (0, 4)
    qtbot.keyClick(strip, Qt.Key.Key_Right)
    assert (session.selection.now.step, session.selection.now.row) == (1, 4)
    qtbot.keyClick(strip, Qt.Key.Key_Home)
    assert session.selection.now.row == 0
    qtbot.keyClick(strip, Qt.Key.Key_Left)
    assert (session.selection.now.step, session.selection.now.row) == (0, 0)
    qtbot.keyClick(strip, Qt.Key.Key_Escape)
    assert session.selection.now.row is None


def test_at_the_end_the_token_that_would_come_next_is_framed_and_a_click_generates_it(
    strip: TokenStrip, session: Session, qtbot: QtBot
) -> None:
    assert len(seen(strip).ids) == 15
    session.go_to_step(10)
    assert len(seen(strip).ids) == 16
    assert seen(strip).is_next(15)
    click(strip, 15, qtbot)
    assert (session.document.state.length, session.selection.now.step) == (11, 11)


def test_tokens_that_an_edit_changed_are_marked_in_the_changed_colour(strip: TokenStrip, session: Session) -> None:
    theme = current_theme()
    before = strip.grab().toImage()
    assert not any(has_color(before, strip, i, theme.changed) for i in range(15))
    session.document.apply(SetCells(C_ATTN, (6, 23), 3.0))
    image = strip.grab().toImage()
    marked = {i for i in range(15) if has_color(image, strip, i, theme.changed)}
    assert session.result is not None
    assert marked == session.result.changed != frozenset()


def test_the_accent_marks_the_chosen_token_and_nothing_else(strip: TokenStrip, session: Session) -> None:
    accent = current_theme().accent
    assert not any(has_color(strip.grab().toImage(), strip, i, accent) for i in range(15))
    session.selection.choose(row=1)
    image = strip.grab().toImage()
    assert [i for i in range(15) if has_color(image, strip, i, accent)] == [1]


def test_generated_tokens_are_drawn_differently(strip: TokenStrip, session: Session) -> None:
    session.go_to_step(3)  # tokens 3 … 7 are in view of the pass: a prompt's a and a generated one
    image = strip.grab().toImage()
    pictures = []
    for place in (4, 6):
        assert seen(strip).text(place) == "a"
        rect = strip.chip_rect(place).toAlignedRect()
        pictures.append(QColor(image.pixel(rect.left() + 4, rect.center().y())).lightness())
    assert pictures[0] != pictures[1]


def test_hovering_says_token_places_probability_and_runner_up(strip: TokenStrip) -> None:
    said = strip.tooltip(5)
    assert "b (id 1)" in said
    assert "position 5 in the text (generated)" in said
    assert "chosen with probability 1" in said
    assert "runner-up a (id 0): 0" in said
    assert "position 2 in the text (prompt), 2 in the context" in strip.tooltip(2)
    assert "the first token" in strip.tooltip(0)


def test_a_token_that_is_an_id_says_it_once(strip: TokenStrip, session: Session) -> None:
    assert seen(strip).id_line(2) == "1"
    opened = open_model("aab")
    model = Model(opened.model.config, opened.model.parameters)
    session.document.apply(OpenModel(replace(opened, model=model, pattern=None)))
    session.document.apply(SetPrompt([0, 0, 1]))
    assert seen(strip).name(2) == "1₂"
    assert seen(strip).id_line(2) == ""
    assert strip.tooltip(2).startswith("id 1\n")
    assert "runner-up id 0:" in strip.tooltip(5)


def test_a_new_line_is_drawn_as_in_the_prompt(strip: TokenStrip, session: Session) -> None:
    session.document.apply(OpenModel(open_model("sort")))
    session.document.apply(SetPrompt("a>\n"))
    assert seen(strip).text(2) == "↵"


def test_a_screen_reader_hears_the_current_token(strip: TokenStrip, session: Session) -> None:
    assert strip.accessibleDescription().startswith("at the cursor: b")
    session.selection.choose(row=0)
    assert strip.accessibleDescription().startswith("chosen: a (id 0)")


def test_an_empty_prompt_shows_what_follows_it(strip: TokenStrip, session: Session, qtbot: QtBot) -> None:
    session.document.apply(SetPrompt(""))
    assert (seen(strip).start, seen(strip).stop, seen(strip).cursor) == (0, 0, 0)
    click(strip, 0, qtbot)
    assert (session.selection.now.step, session.selection.now.row) == (1, 0)


def test_another_model_draws_its_own_tokens(strip: TokenStrip, session: Session) -> None:
    session.document.apply(OpenModel(open_model("ab")))
    assert "".join(seen(strip).text(i) for i in range(5)) == "ababa"
    assert not strip.grab().isNull()


def test_long_texts_scroll_to_the_cursor_and_paint_only_what_is_in_view(strip: TokenStrip, session: Session) -> None:
    session.generate(300)
    rect = strip.chip_rect(305)
    assert strip.rect().contains(rect.toAlignedRect())
    strip.grab()
    session.go_to_step(0)
    assert strip.rect().contains(strip.chip_rect(5).toAlignedRect())


def test_places_find_the_chips_between_two_pixels() -> None:
    places = ChipPlaces([10.0] * 5000, 2.0, (2, 8.0))
    assert places.lefts[:4] == [2.0, 14.0, 34.0, 46.0]
    assert places.bar == 29.0
    assert list(places.visible(14.0, 47.0)) == [1, 2, 3]
    assert len(places.visible(30000, 30700)) < 65
    assert places.at(15) == 1
    assert places.at(25) is None
    assert places.at(0) is None


def test_a_hidden_strip_does_nothing_until_it_is_shown(session: Session, qtbot: QtBot) -> None:
    strip = TokenStrip(session)
    qtbot.addWidget(strip)
    session.document.apply(SetPrompt("bb"))
    assert strip.strip is None
    strip.show()
    assert seen(strip).text(0) == "b"
    strip.hide()
    session.document.apply(SetPrompt("a"))
    assert seen(strip).text(0) == "b"
    strip.show()
    assert seen(strip).text(0) == "a"


def test_a_closed_strip_leaves_the_session_working(session: Session, qapp: QApplication) -> None:
    strip = TokenStrip(session)
    strip.show()
    strip.close()
    strip.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    session.document.apply(SetPrompt("b"))
    assert session.result is not None
    assert session.result.state.prompt_text == "b"


def test_a_click_beside_the_chips_chooses_nothing(strip: TokenStrip, session: Session, qtbot: QtBot) -> None:
    qtbot.mouseClick(strip, Qt.MouseButton.LeftButton, pos=QPoint(690, 10))
    assert session.selection.now.row is None
