"""The heads panel: what is shown and measured, orders and groups, choosing by mouse and key, and large models."""

from dataclasses import replace
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
import pyqtgraph as pg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QByteArray, QEvent, QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QImage, QMouseEvent, QPainter, QWheelEvent
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QApplication, QComboBox, QToolButton, QWidget
from pytestqt.qtbot import QtBot

import visualizer
from tests.cells import several
from tests.ui.finding import child, on_screen
from visualizer.engine.head_scores import SCORES, head_scores, repeated_random_tokens
from visualizer.engine.interventions import Intervention
from visualizer.engine.parameters import parameter_shapes
from visualizer.formats import OpenedModel, open_model
from visualizer.session.document.edits import OpenModel, SetBaseline, SetCells, SetInterventions, SetPrompt
from visualizer.session.document.state import Baseline
from visualizer.session.selection import CellRef
from visualizer.session.session import Session
from visualizer.tokenizers import CharacterTokenizer
from visualizer.ui.look.colors import MASKED, lookup_table
from visualizer.ui.look.theme import current_theme, number_font
from visualizer.ui.panels.heads.layout import ORDERS, Group, arrange
from visualizer.ui.panels.heads.panel import HeadsPanel
from visualizer.ui.panels.heads.tiles import MOST_CELLS, Heads, hidden_cells, pooled, tile_indices
from visualizer.ui.widgets.drawing import as_svg


def random_model(layers: int = 3, heads: int = 4, n_ctx: int = 32, seed: int = 0) -> OpenedModel:
    """Random weights wide enough that heads differ."""
    config = visualizer.ModelConfig(
        n_layers=layers, d_model=4 * heads, n_ctx=n_ctx, n_heads=heads, d_vocab=26, act_fn="gelu_new", d_mlp=8
    )
    random = np.random.default_rng(seed)
    arrays = {
        name: np.ones(shape) if name.endswith(".g") else 0.8 * random.normal(size=shape)
        for name, shape in parameter_shapes(config).items()
    }
    model = visualizer.Model(config, arrays, CharacterTokenizer("abcdefghijklmnopqrstuvwxyz"))
    return OpenedModel(model, "random", "random")


def opened(session: Session, qtbot: QtBot, size: tuple[int, int] = (640, 360)) -> HeadsPanel:
    """The panel, shown."""
    return on_screen(HeadsPanel(session), qtbot, *size)


@pytest.fixture
def session() -> Session:
    """Three blocks of four heads on a text in which tokens come again."""
    return Session(random_model(), prompt="abcabdabcaab")


@pytest.fixture
def panel(session: Session, qtbot: QtBot) -> HeadsPanel:
    """The panel on that, shown."""
    return opened(session, qtbot)


def shown(panel: HeadsPanel) -> Heads:
    """What is on screen."""
    assert panel.heads is not None
    return panel.heads


def middle(panel: HeadsPanel, head: int) -> QPoint:
    """The middle of a head's tile."""
    return panel.mosaic.tile_rect(head).center().toPoint()


def click(panel: HeadsPanel, head: int, qtbot: QtBot) -> None:
    """Click on a head."""
    qtbot.mouseClick(panel.mosaic.viewport(), Qt.MouseButton.LeftButton, pos=middle(panel, head))


def place(session: Session) -> tuple[int, int]:
    """The chosen block and head."""
    return session.selection.now.block, session.selection.now.head


def framed(panel: HeadsPanel, color: str) -> list[int]:
    """The heads whose frame has a colour."""
    image, wanted = panel.mosaic.grab().toImage(), QColor(color).rgb()
    return [head for head in panel.mosaic.order_shown() if _left_edge_has(image, panel.mosaic.tile_rect(head), wanted)]


def has_ink(panel: HeadsPanel, head: int, color: str) -> bool:
    """Whether any pixel of a head's tile is of a colour."""
    image, rect = panel.mosaic.grab().toImage(), panel.mosaic.tile_rect(head).toAlignedRect()
    tile, wanted = image.copy(rect), QColor(color).rgb()
    return any(tile.pixel(x, y) == wanted for x in range(tile.width()) for y in range(tile.height()))


def _left_edge_has(image: QImage, tile: QRectF, wanted: int) -> bool:
    x, y = round(tile.left()), round(tile.center().y())
    return any(image.pixel(at, y) == wanted for at in range(max(x - 2, 0), x + 2))


def test_every_head_shows_its_own_pattern_in_the_colours_of_the_heatmaps(panel: HeadsPanel, session: Session) -> None:
    heads = shown(panel)
    assert session.trace is not None
    assert heads.tiles.shape == (12, 12, 12)
    table = lookup_table("sequential", current_theme()).argb
    image = panel.mosaic.grab().toImage()
    for head in range(12):
        pattern = session.trace[f"blocks.{head // 4}.attn.pattern"][head % 4]
        assert np.array_equal(heads.tiles[head], pattern)
        rect = panel.mosaic.tile_rect(head)
        for query, key in ((11, 0), (7, 3), (9, 9)):
            x, y = rect.left() + (key + 0.5) * rect.width() / 12, rect.top() + (query + 0.5) * rect.height() / 12
            wanted = table[round(float(pattern[query, key]) * 250 - 1e-9)]
            nearby = {image.pixel(int(x) + dx, int(y) + dy) for dx in (-1, 0, 1) for dy in (-1, 0, 1)}
            assert wanted in nearby


def test_scores_are_those_of_the_engine(panel: HeadsPanel, session: Session) -> None:
    assert session.trace is not None
    for name, scores in head_scores(session.trace).items():
        np.testing.assert_array_equal(shown(panel).scores[name], scores)


def test_a_click_chooses_a_head_and_another_lets_go(panel: HeadsPanel, session: Session, qtbot: QtBot) -> None:
    accent = current_theme().accent
    assert framed(panel, accent) == []
    click(panel, 6, qtbot)
    assert place(session) == (1, 2)
    assert framed(panel, accent) == [6]
    session.selection.choose(row=3, cell=CellRef("activation", "blocks.1.attn.pattern", (2, 3, 1)))
    click(panel, 6, qtbot)
    now = session.selection.now
    assert (place(session), now.row, now.cell) == ((1, 2), None, None)
    assert framed(panel, accent) == []
    click(panel, 6, qtbot)
    assert framed(panel, accent) == [6]


def test_the_first_head_can_be_chosen_although_it_is_shown_already(panel: HeadsPanel, qtbot: QtBot) -> None:
    click(panel, 0, qtbot)
    assert framed(panel, current_theme().accent) == [0]


def test_arrow_keys_walk_over_the_heads_and_escape_lets_go(panel: HeadsPanel, session: Session, qtbot: QtBot) -> None:
    mosaic = panel.mosaic
    qtbot.keyClick(mosaic, Qt.Key.Key_Down)
    qtbot.keyClick(mosaic, Qt.Key.Key_Right)
    assert place(session) == (1, 1)
    qtbot.keyClick(mosaic, Qt.Key.Key_Up)
    qtbot.keyClick(mosaic, Qt.Key.Key_Up)
    qtbot.keyClick(mosaic, Qt.Key.Key_Left)
    qtbot.keyClick(mosaic, Qt.Key.Key_Left)
    assert place(session) == (0, 0)
    qtbot.keyClick(mosaic, Qt.Key.Key_End)
    assert place(session) == (2, 3)
    assert framed(panel, current_theme().accent) == [11]
    assert "block 2, head 3" in mosaic.accessibleDescription()
    qtbot.keyClick(mosaic, Qt.Key.Key_Escape)
    assert framed(panel, current_theme().accent) == []
    qtbot.keyClick(mosaic, Qt.Key.Key_Space)
    assert framed(panel, current_theme().accent) == [11]
    qtbot.keyClick(mosaic, Qt.Key.Key_Home)
    assert place(session) == (0, 0)


def test_arrow_keys_follow_the_order_on_screen(panel: HeadsPanel, session: Session, qtbot: QtBot) -> None:
    panel.actions_by_name["heads_induction"].trigger()
    order = panel.mosaic.order_shown()
    qtbot.keyClick(panel.mosaic, Qt.Key.Key_Home)
    assert place(session) == divmod(order[0], 4)
    qtbot.keyClick(panel.mosaic, Qt.Key.Key_Right)
    assert place(session) == divmod(order[1], 4)


def test_a_choice_made_elsewhere_is_framed(panel: HeadsPanel, session: Session) -> None:
    session.selection.choose(block=2, head=1)
    assert framed(panel, current_theme().accent) == [9]
    assert panel.preview.scores.words()[0] == "block 2 · head 1"


def test_pointing_previews_a_head_and_its_number_and_changes_no_choice(
    panel: HeadsPanel, session: Session, qtbot: QtBot
) -> None:
    rect = panel.mosaic.tile_rect(7)
    cell = QPointF(rect.left() + 2.5 * rect.width() / 12, rect.top() + 5.5 * rect.height() / 12)
    qtbot.mouseMove(panel.mosaic.viewport(), cell.toPoint())
    assert panel.preview.head == 7
    assert session.selection.hovered == CellRef("activation", "blocks.1.attn.pattern", (3, 5, 2))
    assert place(session) == (0, 0)
    qtbot.mouseMove(panel.mosaic.viewport(), QPoint(1, 1))
    assert panel.preview.head == 0
    assert session.selection.hovered is None


@pytest.mark.parametrize("score", list(SCORES))
def test_heads_can_be_sorted_by_each_score(score: str, panel: HeadsPanel, qtbot: QtBot) -> None:
    chooser = child(panel, QComboBox, "headOrder")
    chooser.setFocus()
    index = list(ORDERS).index(score)
    chooser.setCurrentIndex(index)
    chooser.activated.emit(index)
    order = panel.mosaic.order_shown()
    assert sorted(order) == list(range(12))
    values = shown(panel).scores[score].ravel()[order]
    assert np.all(np.diff(values) <= 0)
    assert panel.actions_by_name[f"heads_{score}"].isChecked()


def test_heads_whose_score_is_not_defined_come_last_in_the_order_of_the_model(
    panel: HeadsPanel, session: Session
) -> None:
    session.document.apply(SetPrompt("abcdef"))
    panel.set_order("induction")
    assert panel.mosaic.order_shown() == list(range(12))
    assert "no token comes twice" in " ".join(panel.preview.scores.notes())


def test_heads_are_grouped_by_what_they_mainly_do(panel: HeadsPanel) -> None:
    panel.set_order("role")
    layout = panel.mosaic.layout_now()
    assert layout is not None
    named = [(group.heading, [shown(panel).role(head) for head in group.heads]) for group in layout.groups]
    assert sum(len(roles) for _, roles in named) == 12
    for heading, roles in named:
        for role in roles:
            assert heading.startswith("nothing clear" if role is None else role.name.replace("_", " "))


def test_the_handmade_head_looks_at_the_two_tokens_it_was_made_to(qtbot: QtBot) -> None:
    panel = opened(Session(open_model("aab")), qtbot)
    assert shown(panel).shape == (1, 1)
    assert panel.preview.scores.words() == ("block 0 · head 0", "mainly previous token 0.5")
    assert "mainly previous token" in panel.mosaic.readout(0)


def test_a_head_that_is_intervened_in_says_so_until_it_is_switched_off(panel: HeadsPanel, session: Session) -> None:
    zero = Intervention("blocks.1.attn.z", "zero", (("head", 2),))
    session.document.apply(SetInterventions((zero, Intervention("blocks.0.attn.pattern", "set", (("query", 3),)))))
    assert shown(panel).intervened == {6: "zeroed", 0: "changed", 1: "changed", 2: "changed", 3: "changed"}
    assert has_ink(panel, 6, current_theme().changed)
    assert not has_ink(panel, 7, current_theme().changed)
    assert "zeroed by an intervention" in panel.mosaic.readout(6)
    assert "intervention" not in panel.mosaic.readout(7)
    session.document.apply(SetInterventions((replace(zero, enabled=False),)))
    assert not shown(panel).intervened
    assert not has_ink(panel, 6, current_theme().changed)


def test_an_edit_is_followed_and_a_hidden_panel_waits(panel: HeadsPanel, session: Session) -> None:
    before = shown(panel)
    panel.hide()
    session.document.apply(SetCells("blocks.0.attn.c_attn.w", (0, 0), 5.0))
    assert panel.heads is None
    panel.show()
    assert session.trace is not None
    assert np.array_equal(shown(panel).tiles[0], session.trace["blocks.0.attn.pattern"][0])
    assert not np.array_equal(before.tiles[0], shown(panel).tiles[0])


def test_another_model_with_other_heads_is_shown(panel: HeadsPanel, session: Session) -> None:
    session.selection.choose(block=2, head=3)
    session.document.apply(OpenModel(open_model("aab")))
    assert shown(panel).shape == (1, 1)
    session.document.undo()
    assert shown(panel).shape == (3, 4)


def test_an_empty_prompt_says_what_to_do_and_nothing_can_be_chosen(
    panel: HeadsPanel, session: Session, qtbot: QtBot
) -> None:
    session.document.apply(SetPrompt(""))
    assert panel.heads is None
    assert "Type a few tokens" in panel.mosaic.accessibleDescription()
    qtbot.mouseClick(panel.mosaic.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(50, 50))
    qtbot.keyClick(panel.mosaic, Qt.Key.Key_Right)
    assert place(session) == (0, 0)


def test_comparison_shows_the_baseline_and_the_difference(panel: HeadsPanel, session: Session) -> None:
    session.document.apply(SetBaseline(Baseline(session.document.state.model)))
    session.document.apply(SetCells("blocks.0.attn.c_attn.w", several((0, 0), (1, 1)), (3.0, -3.0)))
    for comparison in ("baseline", "difference"):
        session.selection.choose(comparison=comparison)
        wanted = session.compared(lambda trace: trace["blocks.0.attn.pattern"])
        assert wanted is not None
        assert np.array_equal(shown(panel).tiles[:4], wanted)
    assert shown(panel).signed
    assert shown(panel).limit == pytest.approx(float(np.abs(shown(panel).tiles).max()))
    assert "− baseline" in panel.title.accessibleName()
    assert session.trace is not None
    assert session.baseline_trace is not None
    now, before = head_scores(session.trace), head_scores(session.baseline_trace)
    for row, name in zip(panel.preview.scores.score_rows(), SCORES, strict=True):
        assert row[1:] == pytest.approx((now[name][0, 0], now[name][0, 0] - before[name][0, 0]), nan_ok=True)


def test_random_text_twice_takes_the_prompts_place(panel: HeadsPanel, session: Session, qtbot: QtBot) -> None:
    button = child(panel, QToolButton, "headsOnRandomText")
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    model = session.document.state.model
    half = model.config.d_vocab // 2
    qtbot.waitUntil(lambda: shown(panel).count == 2 * half)
    tokens = shown(panel).trace.tokens
    assert np.array_equal(tokens[:half], tokens[half:])
    scores = [head_scores(model.forward(repeated_random_tokens(model, seed)))["induction"] for seed in range(4)]
    np.testing.assert_allclose(shown(panel).scores["induction"], np.mean(scores, axis=0))
    assert "random" in panel.title.accessibleName()
    qtbot.mouseMove(panel.mosaic.viewport(), middle(panel, 3))
    assert session.selection.hovered is None
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert shown(panel).trace is session.trace


def has_random_text(panel: HeadsPanel, wanted: bool) -> bool:
    """Whether the panel's title says what it should about the text."""
    return ("random" in panel.title.accessibleName()) == wanted


def test_an_induction_head_is_named_on_its_prompt_and_on_random_text(qtbot: QtBot) -> None:
    session = Session(open_model("induction"))
    panel = opened(session, qtbot)
    session.selection.choose(block=1, head=0)
    for random in (False, True):
        panel.actions_by_name["heads_random_text"].setChecked(random)
        qtbot.waitUntil(partial(has_random_text, panel, random), timeout=20_000)
        assert "mainly induction" in panel.mosaic.readout(4)
        assert panel.preview.scores.words()[1].startswith("mainly induction")
        for order in ("model", "role", "induction"):
            panel.set_order(order)
            assert is_written_on(panel, 4)
            assert not is_written_on(panel, 3)


def is_written_on(panel: HeadsPanel, head: int) -> bool:
    """Whether a word stands in the upper right corner of a tile, where no weight is."""
    rect = panel.mosaic.tile_rect(head)
    corner = QRectF(rect.center().x() + 8, rect.top() + 3, rect.width() / 2 - 11, 9).toAlignedRect()
    image = panel.mosaic.grab().toImage().copy(corner)
    return len({image.pixel(x, y) for x in range(image.width()) for y in range(image.height())}) > 1


@pytest.mark.parametrize(
    ("layers", "heads", "size", "blocks_written", "heads_written"),
    [
        (1, 1, (640, 360), 1, 1),
        (2, 4, (640, 360), 2, 4),
        (12, 12, (660, 420), 12, 12),
        (12, 12, (430, 340), 12, 12),
        (40, 3, (420, 340), 8, 1),
    ],
)
def test_blocks_and_heads_are_numbered_on_two_axes_as_far_as_numbers_fit(
    layers: int, heads: int, size: tuple[int, int], blocks_written: int, heads_written: int, qtbot: QtBot
) -> None:
    panel = opened(Session(random_model(layers, heads), prompt="abcabc"), qtbot, size)
    down, across = panel.mosaic.axis_numbers()
    assert len(down) >= blocks_written
    assert len(across) >= heads_written
    steps = np.diff([int(number) for number in down])
    assert len(set(steps.tolist())) <= 1
    pitch = panel.mosaic.tile_rect(heads).top() - panel.mosaic.tile_rect(0).top() if layers > 1 else 0.0
    if len(steps):
        assert pitch * steps[0] >= 0.8 * QFontMetricsF(number_font(panel.font().pointSizeF() * 0.85)).height()
    panel.set_order("induction")
    assert panel.mosaic.axis_numbers() == ([], [])
    assert len([axis for axis in panel.mosaic.items() if isinstance(axis, pg.AxisItem)]) == 2


def test_the_mosaic_is_one_image_that_the_wheel_enlarges_and_a_drag_moves(
    panel: HeadsPanel, session: Session, qtbot: QtBot
) -> None:
    mosaic = panel.mosaic
    assert len([image for image in mosaic.items() if isinstance(image, pg.ImageItem)]) == 1
    before = mosaic.tile_rect(5)
    for _ in range(4):
        wheel(mosaic, before.center(), 120)
    assert mosaic.tile_rect(5).width() > before.width()
    assert "zoomed" in panel.title.accessibleName()
    qtbot.mouseClick(mosaic.viewport(), Qt.MouseButton.LeftButton, pos=middle(panel, 5))
    assert place(session) == (1, 1)
    near, chosen = mosaic.tile_rect(5), place(session)
    drag(mosaic, near.center().toPoint(), QPoint(-30, -20), qtbot)
    moved = mosaic.tile_rect(5).topLeft() - near.topLeft()
    assert (round(moved.x()), round(moved.y())) == (-30, -20)
    assert place(session) == chosen, "a drag chooses nothing"
    qtbot.keyClick(mosaic, Qt.Key.Key_0)
    assert mosaic.tile_rect(5) == before
    assert "zoomed" not in panel.title.accessibleName()
    qtbot.keyClick(mosaic, Qt.Key.Key_Plus)
    assert mosaic.tile_rect(5).width() > before.width()
    qtbot.keyClick(mosaic, Qt.Key.Key_End)
    assert QRectF(mosaic.viewport().rect()).contains(mosaic.tile_rect(11)), "the keyboard's head is brought into sight"
    panel.actions_by_name["heads_fit"].trigger()
    assert mosaic.tile_rect(5) == before
    qtbot.keyClick(mosaic, Qt.Key.Key_Plus)
    session.document.apply(OpenModel(open_model("aab")))
    assert mosaic.zoomed == pytest.approx(1.0)


def wheel(mosaic: QWidget, at: QPointF, angle: int) -> None:
    """Turn the wheel over a place of the mosaic."""
    viewport = mosaic.viewport()  # type: ignore[attr-defined]
    event = QWheelEvent(
        at, QPointF(viewport.mapToGlobal(at.toPoint())), QPoint(), QPoint(0, angle), Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(viewport, event)


def drag(mosaic: QWidget, start: QPoint, by: QPoint, qtbot: QtBot) -> None:
    """Drag with the left button, in steps as a hand does."""
    viewport = mosaic.viewport()  # type: ignore[attr-defined]
    qtbot.mousePress(viewport, Qt.MouseButton.LeftButton, pos=start)
    for part in (0.3, 0.6, 1.0):
        at = QPointF(start) + QPointF(by) * part
        event = QMouseEvent(
            QEvent.Type.MouseMove, at, QPointF(viewport.mapToGlobal(at.toPoint())), Qt.MouseButton.NoButton,
            Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier,
        )  # fmt: skip
        QApplication.sendEvent(viewport, event)
    qtbot.mouseRelease(viewport, Qt.MouseButton.LeftButton, pos=start + by)


def test_a_picture_of_the_mosaic_has_all_heads_and_nothing_of_mouse_zoom_and_focus(
    panel: HeadsPanel, qtbot: QtBot
) -> None:
    def picture() -> QImage:
        image = QImage(panel.mosaic.size(), QImage.Format.Format_RGB32)
        painter = QPainter(image)
        panel.mosaic.paint_picture(painter, QRectF(image.rect()))
        painter.end()
        return image

    panel.mosaic.clearFocus()
    plain = picture()
    assert plain.size() == panel.mosaic.size()
    qtbot.mouseMove(panel.mosaic.viewport(), middle(panel, 7))
    panel.mosaic.setFocus()
    panel.mosaic.zoom_by(3.0)
    enlarged = panel.mosaic.tile_rect(0)
    assert picture() == plain
    assert panel.mosaic.tile_rect(0) == enlarged
    assert "abcabdabcaab" in panel.mosaic.picture_caption()
    assert "3 × 4 heads" in panel.mosaic.picture_caption()
    assert "colours from 0 to 1" in panel.mosaic.picture_caption()


def test_numbers_of_the_axes_stand_at_their_tiles_in_a_drawing_too(panel: HeadsPanel) -> None:
    renderer = QSvgRenderer(QByteArray(as_svg(panel.mosaic, "heads")))
    image = QImage(renderer.viewBox().size(), QImage.Format.Format_RGB32)
    image.fill(QColor(current_theme().panel))
    painter = QPainter(image)
    renderer.render(painter)
    painter.end()
    ground = QColor(current_theme().panel).rgb()
    top = round(panel.mosaic.tile_rect(0).top())
    for head in range(4):
        tile = panel.mosaic.tile_rect(head)
        inked = [
            x for x in range(round(tile.left()), round(tile.right()))
            if any(image.pixel(x, y) != ground for y in range(top - 16, top - 4))
        ]  # fmt: skip
        assert inked, head
        assert abs((inked[0] + inked[-1]) / 2 - tile.center().x()) < 3


def test_the_head_close_up_is_a_heatmap_whose_cells_are_explained(
    panel: HeadsPanel, session: Session, qtbot: QtBot
) -> None:
    cell, heatmap = (4, 3), panel.preview.heatmap
    session.selection.choose(block=2, head=1)
    assert session.trace is not None
    assert np.array_equal(heatmap.image(), session.trace["blocks.2.attn.pattern"][1])
    assert heatmap.matrix is not None
    assert list(heatmap.matrix.rows.labels) == list("abcabdabcaab")
    assert heatmap.matrix.masked is not None
    assert heatmap.matrix.masked[3, 4]
    heatmap.cell_hovered.emit(*cell)
    ref = CellRef("activation", "blocks.2.attn.pattern", (1, *cell))
    assert session.selection.hovered == ref
    heatmap.cell_chosen.emit(*cell)
    assert (session.selection.now.cell, session.selection.now.row, session.selection.now.key) == (ref, *cell)
    layout, image = heatmap.layout_now(), heatmap.grab().toImage()
    assert layout is not None
    frame = layout.cell_rect(*cell)
    assert _left_edge_has(image, frame, QColor(current_theme().accent).rgb())
    click(panel, 9, qtbot)
    click(panel, 2, qtbot)
    assert not _left_edge_has(heatmap.grab().toImage(), frame, QColor(current_theme().accent).rgb())


@pytest.mark.parametrize(("layers", "heads"), [(1, 1), (2, 4), (12, 12), (1, 8), (6, 1)])
@pytest.mark.parametrize("size", [(500, 340), (660, 420), (1100, 780)])
def test_mosaic_and_the_head_close_up_fill_the_panel(
    layers: int, heads: int, size: tuple[int, int], qtbot: QtBot
) -> None:
    panel = opened(Session(random_model(layers, heads), prompt="abcabc"), qtbot, size)
    tiles = panel.mosaic.tile_rect(0).united(panel.mosaic.tile_rect(layers * heads - 1))
    room = panel.mosaic.viewport().rect()
    assert max(tiles.width() / room.width(), tiles.height() / room.height()) > 0.8, "the tiles fill one direction"
    close = panel.preview.heatmap.layout_now()
    assert close is not None
    assert close.cells.width() >= 0.16 * min(size)


def test_a_context_menu_is_asked_for_with_the_number_under_the_mouse(panel: HeadsPanel, qtbot: QtBot) -> None:
    with qtbot.waitSignal(panel.context_requested) as asked:
        qtbot.mouseClick(panel.mosaic.viewport(), Qt.MouseButton.RightButton, pos=middle(panel, 9))
    assert asked.args is not None
    assert (asked.args[0].name, asked.args[0].cell[0]) == ("blocks.2.attn.pattern", 1)


def test_a_long_text_is_read_in_portions_and_ends_as_if_read_at_once(qtbot: QtBot) -> None:
    text = "".join(np.random.default_rng(1).choice(list("abcdef"), size=600))
    session = Session(random_model(2, 4, 600), prompt=text)
    panel = HeadsPanel(session)
    qtbot.addWidget(panel)
    panel.resize(640, 360)
    panel.show()
    assert panel.heads is None  # the first portion is not all
    qtbot.waitUntil(lambda: panel.heads is not None)
    heads = shown(panel)
    assert heads.tiles.shape == (8, MOST_CELLS, MOST_CELLS)
    assert session.trace is not None
    for name, scores in head_scores(session.trace).items():
        np.testing.assert_array_equal(heads.scores[name], scores)
    pattern = session.trace["blocks.1.attn.pattern"]
    at = np.arange(MOST_CELLS + 1) * 600 // MOST_CELLS
    for row, column in ((0, 0), (127, 127), (64, 3), (100, 90)):
        part = pattern[2, at[row] : at[row + 1], at[column] : at[column + 1]]
        assert heads.tiles[6, row, column] == part.max()
    assert "largest of" in panel.preview.scores.notes()[0]


def test_a_hundred_and_forty_four_heads_fit_without_scrolling(qtbot: QtBot) -> None:
    panel = opened(Session(random_model(12, 12), prompt="abcabc"), qtbot, (800, 460))
    layout = panel.mosaic.layout_now()
    assert layout is not None
    assert len(layout.places) == 144
    inside = QRectF(panel.mosaic.viewport().rect())
    rects = [panel.mosaic.tile_rect(head) for head in layout.places]
    assert all(inside.contains(rect) for rect in rects)
    assert min(rect.width() for rect in rects) > 24


@given(st.integers(1, 9), st.integers(1, 9), st.booleans(), st.integers(0, 1000))
def test_pooling_keeps_the_largest(count: int, cells: int, signed: bool, seed: int) -> None:
    tiles: Any = np.random.default_rng(seed).normal(size=(2, count, count))
    result = pooled(tiles, cells, signed)
    side = min(count, cells)
    assert result.shape == (2, side, side)
    at = np.arange(side + 1) * count // side
    for tile in range(2):
        for row, column in np.ndindex(side, side):
            part = tiles[tile, at[row] : at[row + 1], at[column] : at[column + 1]].ravel()
            wanted = part[np.abs(part).argmax()] if signed else part.max()
            assert result[tile, row, column] == wanted


@given(st.integers(1, 12), st.integers(1, 12))
def test_only_cells_without_any_key_that_can_be_seen_are_hidden(count: int, cells: int) -> None:
    cells = min(count, cells)
    at = np.arange(cells + 1) * count // cells
    hidden = hidden_cells(count, cells)
    for row, column in np.ndindex(cells, cells):
        assert hidden[row, column] == (at[column] > at[row + 1] - 1)


def test_a_nan_has_its_colour_and_keys_after_their_query_are_masked(session: Session) -> None:
    assert session.trace is not None
    heads = Heads(session.trace)
    while not heads.advance():
        pass
    heads.tiles[3, 8, 2] = np.nan
    indices = tile_indices(heads)
    assert np.argwhere(indices > MASKED).tolist() == [[3, 8, 2]]
    assert np.array_equal(indices == MASKED, np.broadcast_to(np.triu(np.ones((12, 12), bool), 1), indices.shape))


@settings(max_examples=60)
@given(
    st.integers(60, 1400),
    st.integers(60, 900),
    st.lists(st.integers(1, 60), min_size=1, max_size=4),
    st.sampled_from([None, 4, 12]),
    st.integers(1, 128),
)
def test_tiles_never_overlap_and_every_head_has_one(
    width: int, height: int, counts: list[int], columns: int | None, cells: int
) -> None:
    starts = np.cumsum([0, *counts]).tolist()
    groups = tuple(Group("words", tuple(range(a, b))) for a, b in pairwise(starts))
    layout = arrange(width, height, groups, columns, cells=cells, caption=12, heading=15)
    assert sorted(layout.places) == list(range(starts[-1]))
    for head in layout.places:
        rect = layout.rect(head)
        assert layout.at(rect.center()) == head
        assert rect.left() >= 0
        assert rect.right() <= layout.width
        assert rect.bottom() + layout.caption <= layout.height
        for step in ((1, 0), (-1, 0), (0, 1), (0, -1)):
            assert layout.neighbour(head, *step) in layout.places
