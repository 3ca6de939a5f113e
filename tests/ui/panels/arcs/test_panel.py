"""The arcs panel: which weights are drawn and summed, choosing tokens by mouse and key, and long texts."""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QContextMenuEvent, QFontMetricsF, QImage, QPainter
from PySide6.QtWidgets import QApplication, QDoubleSpinBox, QScrollBar, QSpinBox, QToolButton
from pytestqt.qtbot import QtBot

import visualizer
from tests.cells import several
from tests.ui.finding import child, on_screen
from visualizer.engine.parameters import parameter_shapes
from visualizer.formats import OpenedModel, open_model
from visualizer.session.analysis.arc_weights import ArcFilter
from visualizer.session.document.edits import OpenModel, SetBaseline, SetCells, SetPrompt
from visualizer.session.document.state import Baseline
from visualizer.session.selection import CellRef
from visualizer.session.session import Session
from visualizer.tokenizers import CharacterTokenizer
from visualizer.ui.look.theme import current_theme
from visualizer.ui.panels.arcs.line import lay_out
from visualizer.ui.panels.arcs.paint import written_tokens
from visualizer.ui.panels.arcs.panel import ArcsPanel

TEXT = "the arcs of a longer text are drawn between its tokens and they scroll".replace(" ", "")


def random_model(n_ctx: int = 64) -> OpenedModel:
    """Two blocks of three heads."""
    config = visualizer.ModelConfig(
        n_layers=2, d_model=12, n_ctx=n_ctx, n_heads=3, d_vocab=26, act_fn="gelu_new", d_mlp=8
    )
    random = np.random.default_rng(3)
    arrays = {
        name: np.ones(shape) if name.endswith(".g") else random.normal(size=shape)
        for name, shape in parameter_shapes(config).items()
    }
    tokenizer = CharacterTokenizer("abcdefghijklmnopqrstuvwxyz")
    return OpenedModel(visualizer.Model(config, arrays, tokenizer), "random", "random")


def opened(session: Session, qtbot: QtBot, size: tuple[int, int] = (640, 300)) -> ArcsPanel:
    """The panel, shown."""
    return on_screen(ArcsPanel(session), qtbot, *size)


@pytest.fixture(autouse=True)
def _first_use() -> Iterator[None]:
    """Each test sets the fields anew."""
    yield
    ArcsPanel.remembered = ArcFilter()


@pytest.fixture
def session() -> Session:
    """Twelve tokens, two blocks of three heads."""
    return Session(random_model(), prompt=TEXT[:12])


@pytest.fixture
def panel(session: Session, qtbot: QtBot) -> ArcsPanel:
    """The panel on that, shown."""
    return opened(session, qtbot)


def click(panel: ArcsPanel, place: int, qtbot: QtBot) -> None:
    """Click on a token, and move away from it."""
    where = panel.view.token_rect(place).center().toPoint()
    qtbot.mouseClick(panel.view, Qt.MouseButton.LeftButton, pos=where)


def pattern(session: Session, block: int = 0) -> np.ndarray:
    """The weights of a block [head, query, key]."""
    assert session.trace is not None
    return session.trace[f"blocks.{block}.attn.pattern"]


def has_color(image: QImage, rect: tuple[int, int, int, int], color: str) -> bool:
    """Whether any pixel of a rectangle (left, top, right, bottom) is of a colour."""
    left, top, right, bottom = rect
    wanted = QColor(color).rgb()
    return any(image.pixel(x, y) == wanted for x in range(left, right) for y in range(top, bottom))


def framed(panel: ArcsPanel) -> list[int]:
    """The tokens that are framed in the accent."""
    image, places = panel.view.grab().toImage(), range(len(panel.view.received()))
    rects = [panel.view.token_rect(place).toAlignedRect() for place in places]
    accent = current_theme().accent
    return [i for i, r in enumerate(rects) if has_color(image, (r.left(), r.top(), r.right(), r.bottom()), accent)]


def test_without_a_choice_all_tokens_are_summed(panel: ArcsPanel, session: Session) -> None:
    np.testing.assert_allclose(panel.view.received(), pattern(session)[0].sum(axis=0), rtol=1e-5)
    assert "all 12 tokens" in panel.view.summary()
    assert framed(panel) == []


def test_clicks_add_and_take_away_tokens_whose_weights_are_summed(
    panel: ArcsPanel, session: Session, qtbot: QtBot
) -> None:
    click(panel, 7, qtbot)
    click(panel, 11, qtbot)
    assert panel.view.chosen == {7, 11}
    assert framed(panel) == [7, 11]
    np.testing.assert_allclose(panel.view.received(), pattern(session)[0, [7, 11]].sum(axis=0), rtol=1e-5)
    assert session.selection.now.row == 11
    click(panel, 11, qtbot)
    assert (panel.view.chosen, session.selection.now.row) == ({7}, 7)
    click(panel, 7, qtbot)
    assert (panel.view.chosen, session.selection.now.row) == (frozenset(), None)


def test_a_row_chosen_elsewhere_is_chosen_here(panel: ArcsPanel, session: Session, qtbot: QtBot) -> None:
    click(panel, 2, qtbot)
    session.selection.choose(row=5)
    assert panel.view.chosen == {5}
    session.selection.let_go()
    assert panel.view.chosen == frozenset()


def test_keys_walk_choose_take_all_and_let_go(panel: ArcsPanel, session: Session, qtbot: QtBot) -> None:
    view = panel.view
    view.setFocus()
    qtbot.keyClick(view, Qt.Key.Key_End)
    qtbot.keyClick(view, Qt.Key.Key_Left)
    qtbot.keyClick(view, Qt.Key.Key_Space)
    assert view.chosen == {10}
    assert view.accessibleDescription().startswith("chosen")
    qtbot.keyClick(view, Qt.Key.Key_Home)
    qtbot.keyClick(view, Qt.Key.Key_Right)
    np.testing.assert_allclose(view.received(), pattern(session)[0, 1], rtol=1e-6)
    assert view.accessibleDescription().split("; ")[1].startswith("h₁ receives")
    qtbot.keyClick(view, Qt.Key.Key_Return)
    assert view.chosen == {1, 10}
    np.testing.assert_allclose(view.received(), pattern(session)[0, [1, 10]].sum(axis=0), rtol=1e-5)
    qtbot.keyClick(view, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    assert view.chosen == set(range(12))
    assert session.selection.now.row == 1
    qtbot.keyClick(view, Qt.Key.Key_Escape)
    assert view.chosen == frozenset()
    assert session.selection.now.row is None


def test_actions_choose_all_and_none(panel: ArcsPanel) -> None:
    panel.actions_by_name["arcs_all"].trigger()
    assert panel.view.chosen == set(range(12))
    panel.actions_by_name["arcs_none"].trigger()
    assert panel.view.chosen == frozenset()
    assert all(action.toolTip() for action in panel.actions_by_name.values())


def test_pointing_at_a_token_shows_its_weights_alone(panel: ArcsPanel, session: Session, qtbot: QtBot) -> None:
    click(panel, 3, qtbot)
    before = panel.view.grab().toImage()
    qtbot.mouseMove(panel.view, panel.view.token_rect(9).center().toPoint())
    np.testing.assert_allclose(panel.view.received(), pattern(session)[0, 9], rtol=1e-6)
    assert panel.view.grab().toImage() != before
    assert panel.view.chosen == {3}
    qtbot.mouseMove(panel.view, QPoint(2, 2))
    np.testing.assert_allclose(panel.view.received(), pattern(session)[0, 3], rtol=1e-6)


def test_the_head_that_is_chosen_is_drawn_or_the_mean_of_its_block(panel: ArcsPanel, session: Session) -> None:
    session.selection.choose(block=1, head=2)
    np.testing.assert_allclose(panel.view.received(), pattern(session, 1)[2].sum(axis=0), rtol=1e-5)
    panel.actions_by_name["arcs_mean"].trigger()
    np.testing.assert_allclose(panel.view.received(), pattern(session, 1).mean(axis=0).sum(axis=0), rtol=1e-5)
    weights = panel.view.weights
    assert weights is not None
    np.testing.assert_allclose(weights.rows([4, 9]), pattern(session, 1)[:, [4, 9]].mean(axis=0), rtol=1e-5)


def test_arcs_are_the_weights_that_reach_the_threshold_strongest_last(panel: ArcsPanel, session: Session) -> None:
    weights, numbers = panel.view.weights, pattern(session)[0]
    assert weights is not None
    arcs = weights.arcs(range(12), ArcFilter(0.01, 0), 1000)
    assert {(query, key) for query, key, _ in arcs} == {tuple(place) for place in np.argwhere(numbers >= 0.01)}
    sizes = [weight for _, _, weight in arcs]
    assert sizes == sorted(sizes)
    assert [weight for _, _, weight in weights.arcs(range(12), ArcFilter(0.01, 0), 5)] == sizes[-5:]


def test_a_query_has_arcs_to_its_strongest_keys_and_of_equal_ones_to_the_first(qtbot: QtBot) -> None:
    session = Session(random_model(), prompt=TEXT[:12])
    weights = opened(session, qtbot).view.weights
    assert weights is not None
    arcs = weights.arcs(range(12), ArcFilter(0.0, 2), 1000)
    for query, row in enumerate(pattern(session)[0]):
        assert {key for one, key, _ in arcs if one == query} == set(np.argsort(-row[: query + 1])[:2].tolist())
    even = opened(Session(open_model("aab")), qtbot).view.weights
    assert even is not None
    assert [(query, key) for query, key, _ in even.arcs([4], ArcFilter(0.0, 1), 10)] == [(4, 3)]


def test_the_fields_say_which_weights_have_an_arc_and_are_remembered(
    panel: ArcsPanel, session: Session, qtbot: QtBot
) -> None:
    before, bars = panel.view.grab().toImage(), panel.view.received()
    child(panel, QDoubleSpinBox, "arcsAtLeast").setValue(0.3)
    child(panel, QSpinBox, "arcsStrongest").setValue(1)
    numbers = pattern(session)[0]
    wanted = {(query, int(row.argmax())) for query, row in enumerate(numbers) if row.max() >= 0.3}
    assert {(query, key) for query, key, _ in panel.view.arcs(range(12))} == wanted
    assert panel.view.grab().toImage() != before
    assert panel.view.received() == bars, "bars add up all weights"
    assert "weights of at least 0.3, the 1 strongest of each query" in panel.view.picture_caption()
    another = opened(Session(open_model("aab")), qtbot)
    assert another.view.arcs([4]) == [(4, 3, 0.5)]
    assert child(another, QSpinBox, "arcsStrongest").text() == "top 1 a query"


def test_a_picture_has_all_of_a_scrolled_text_and_nothing_of_mouse_and_keyboard(qtbot: QtBot) -> None:
    session = Session(random_model(200), prompt=(TEXT * 3)[:150])
    panel = opened(session, qtbot, (500, 300))
    click(panel, 3, qtbot)

    def picture() -> QImage:
        image = QImage(900, 400, QImage.Format.Format_RGB32)
        image.fill(QColor("#123456"))
        painter = QPainter(image)
        panel.view.paint_picture(painter, QRectF(20, 30, 860, 340))
        painter.end()
        return image

    plain = picture()
    panel.view.setFocus()
    qtbot.keyClick(panel.view, Qt.Key.Key_End)
    assert picture() == plain
    ground, outside = QColor(current_theme().panel).rgb(), QColor("#123456").rgb()
    assert {plain.pixel(x, 200) for x in (0, 19, 881)} | {plain.pixel(400, y) for y in (0, 29, 371)} == {outside}
    assert any(plain.pixel(x, y) not in (ground, outside) for x in range(860, 880) for y in range(200, 370))
    assert has_color(plain, (20, 200, 60, 370), current_theme().accent), "what is chosen says whose arcs these are"
    caption = panel.view.picture_caption()
    assert caption.startswith("random · block 0, head 0 · ")
    assert (TEXT * 3)[:60] in caption
    assert "from a₃" in caption


def test_an_arc_is_drawn_where_there_is_weight_and_nothing_where_there_is_none(qtbot: QtBot) -> None:
    panel = opened(Session(open_model("aab")), qtbot)
    click(panel, 4, qtbot)  # a₄ attends to a₃ and itself alone
    image, view = panel.view.grab().toImage(), panel.view
    ground = QColor(current_theme().panel).rgb()

    def drawn_above(place: QPointF) -> bool:
        return any(image.pixel(round(place.x()), y) != ground for y in range(25, round(place.y()) - 1))

    line = view.token_rect(0).top()
    centres = [view.token_rect(place).center().x() for place in range(5)]
    assert drawn_above(QPointF((centres[3] + centres[4]) / 2, line))
    assert not drawn_above(QPointF((centres[1] + centres[2]) / 2, line))


def test_a_click_on_a_bar_explains_the_weight(panel: ArcsPanel, session: Session, qtbot: QtBot) -> None:
    bar = panel.view.bar_rect(4).center().toPoint()
    with qtbot.waitSignal(panel.message):  # from which token is not chosen yet
        qtbot.mouseClick(panel.view, Qt.MouseButton.LeftButton, pos=bar)
    click(panel, 9, qtbot)
    qtbot.mouseClick(panel.view, Qt.MouseButton.LeftButton, pos=bar)
    now = session.selection.now
    assert now.cell == CellRef("activation", "blocks.0.attn.pattern", (0, 9, 4))
    assert (now.row, now.key, panel.view.chosen) == (9, 4, {9})


def test_a_mean_over_heads_is_not_explained_but_says_why(panel: ArcsPanel, session: Session, qtbot: QtBot) -> None:
    panel.actions_by_name["arcs_mean"].trigger()
    click(panel, 9, qtbot)
    with qtbot.waitSignal(panel.message) as said:
        qtbot.mouseClick(panel.view, Qt.MouseButton.LeftButton, pos=panel.view.bar_rect(4).center().toPoint())
    assert said.args is not None
    assert "mean over heads" in said.args[0]
    assert session.selection.now.cell is None


def test_comparison_shows_the_baseline_and_the_difference(panel: ArcsPanel, session: Session) -> None:
    session.document.apply(SetBaseline(Baseline(session.document.state.model)))
    session.document.apply(SetCells("blocks.0.attn.c_attn.w", several((0, 0), (1, 1)), (6.0, -6.0)))
    for comparison in ("baseline", "difference"):
        session.selection.choose(comparison=comparison)
        wanted = session.compared(lambda trace: trace["blocks.0.attn.pattern"])
        assert wanted is not None
        np.testing.assert_allclose(panel.view.received(), wanted[0].sum(axis=0), atol=1e-6)
    weights = panel.view.weights
    assert weights is not None
    assert weights.signed
    assert {weight < 0 for _, _, weight in weights.arcs(range(12), ArcFilter(0.01, 0), 100)} == {True, False}
    assert not panel.view.grab().isNull()


def test_nan_weights_are_written_and_draw_no_arc(qtbot: QtBot) -> None:
    session = Session(open_model("aab"))
    session.document.apply(SetCells("blocks.0.attn.c_attn.w", (0, 0), np.nan))
    panel = opened(session, qtbot)
    weights = panel.view.weights
    assert weights is not None
    assert np.isnan(panel.view.received()).any()
    assert all(np.isfinite(weight) for _, _, weight in weights.arcs(range(5), ArcFilter(0.0, 0), 100))
    assert not panel.view.grab().isNull()


def test_edits_steps_and_other_models_are_followed(panel: ArcsPanel, session: Session, qtbot: QtBot) -> None:
    click(panel, 11, qtbot)
    session.document.apply(SetPrompt("abc"))
    assert len(panel.view.received()) == 3
    assert panel.view.chosen == frozenset()
    session.go_to_step(2)
    assert len(panel.view.received()) == 5
    session.document.apply(OpenModel(open_model("aab")))
    np.testing.assert_allclose(panel.view.received(), pattern(session)[0].sum(axis=0))
    assert not child(panel, QToolButton, "arcs_meanButton").isVisible()


def test_an_empty_prompt_says_what_to_do(panel: ArcsPanel, session: Session, qtbot: QtBot) -> None:
    click(panel, 4, qtbot)
    session.document.apply(SetPrompt(""))
    assert "Type a few tokens" in panel.view.accessibleDescription()
    assert panel.view.received() == []
    qtbot.mouseClick(panel.view, Qt.MouseButton.LeftButton, pos=QPoint(100, 100))
    qtbot.keyClick(panel.view, Qt.Key.Key_Right)
    qtbot.keyClick(panel.view, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    assert panel.chosen == ()


def test_a_hidden_panel_waits_until_it_is_shown(panel: ArcsPanel, session: Session) -> None:
    panel.hide()
    session.document.apply(SetPrompt("abcab"))
    assert panel.view.weights is None
    panel.show()
    assert len(panel.view.received()) == 5


def test_sixty_tokens_fit_a_small_window_and_more_scroll_to_the_one_at_the_cursor(qtbot: QtBot) -> None:
    panel = opened(Session(random_model(200), prompt=TEXT[:57]), qtbot, (500, 300))
    view = panel.view
    assert view.token_rect(0).left() >= 0
    assert view.token_rect(56).right() <= view.width()
    panel.session.document.apply(SetPrompt((TEXT * 3)[:150]))
    assert view.token_rect(149).left() > view.width()
    view.setFocus()
    qtbot.keyClick(view, Qt.Key.Key_End)
    assert view.token_rect(149).right() <= view.width()
    assert view.token_rect(0).right() < 0
    qtbot.keyClick(view, Qt.Key.Key_Home)
    assert view.token_rect(0).left() >= 0


@pytest.mark.parametrize("word", ["a", "of", "tokens", "interventions"])
@pytest.mark.parametrize(("count", "width"), [(5, 400), (20, 400), (64, 400), (64, 660), (64, 1300), (300, 660)])
def test_what_is_written_at_tokens_never_collides(word: str, count: int, width: int, panel: ArcsPanel) -> None:
    line = lay_out([word] * count, panel.font(), width, 300, smallest=0.0)
    assert line.total <= width + 1e-6
    metrics = QFontMetricsF(line.font)
    written = written_tokens(line, [count - 1, count - 2], metrics.height())
    assert count - 1 in written, "the token that matters most has its words"
    half = [(metrics.height() if line.upright else metrics.horizontalAdvance(line.labels[place])) / 2
            for place in sorted(written)]  # fmt: skip
    centres = [line.centre(place) for place in sorted(written)]
    for (left, before), (right, after) in pairwise(zip(centres, half, strict=True)):
        assert left + before <= right - after + 0.5
    room = count * (metrics.height() if line.upright else metrics.horizontalAdvance(word))
    assert len(written) >= min(count, int(count * width / room) // 3), "many are written where there is room"


def test_tokens_that_fit_have_no_scroll_bar_at_any_width(qtbot: QtBot) -> None:
    panel = opened(Session(random_model(), prompt=TEXT[:12]), qtbot)
    view = panel.view
    bar = view.findChild(QScrollBar)
    assert bar is not None
    for width in range(400, 500):
        panel.resize(width, 300)
        assert bar.isVisible() == (view.token_rect(11).right() > view.width())


def test_all_of_a_long_text_can_be_chosen_and_drawn(qtbot: QtBot) -> None:
    text = "".join(np.random.default_rng(0).choice(list("abcdef"), size=500))
    session = Session(random_model(500), prompt=text)
    panel = opened(session, qtbot)
    panel.choose_all()
    np.testing.assert_allclose(panel.view.received(), pattern(session)[0].sum(axis=0), rtol=1e-4)
    assert "494 more" in panel.view.summary()
    assert not panel.view.grab().isNull()


def test_stepping_back_before_a_chosen_token_lets_go_of_it(panel: ArcsPanel, session: Session, qtbot: QtBot) -> None:
    session.go_to_step(3)
    click(panel, 14, qtbot)
    session.step_back()
    assert not panel.chosen
    assert panel.view.summary().startswith("summed over all 14 tokens")


def test_a_right_click_asks_for_the_menu_of_a_tokens_row_or_of_a_bars_weight(
    panel: ArcsPanel, session: Session, qtbot: QtBot
) -> None:
    asked: list[object] = []
    panel.context_requested.connect(lambda ref, _where: asked.append(ref))
    right_click(panel, panel.view.token_rect(5).center())
    assert session.trace is not None
    row = session.trace["blocks.0.attn.pattern"][0, 5]
    assert asked.pop() == CellRef("activation", "blocks.0.attn.pattern", (0, 5, int(row.argmax())))
    click(panel, 7, qtbot)
    right_click(panel, panel.view.bar_rect(3).center())
    assert asked.pop() == CellRef("activation", "blocks.0.attn.pattern", (0, 7, 3))
    right_click(panel, QPointF(3, 3))
    assert asked.pop() is None


def right_click(panel: ArcsPanel, at: QPointF) -> None:
    """Ask for the context menu with the mouse."""
    place = at.toPoint()
    event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, place, panel.view.mapToGlobal(place))
    QApplication.sendEvent(panel.view, event)
