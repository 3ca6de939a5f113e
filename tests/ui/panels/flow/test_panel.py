"""The flow panel: the whole pass in one picture that follows the session, opens blocks, and marks what is chosen."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pyqtgraph
import pytest
from PySide6.QtCore import QEvent, QPoint, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtWidgets import QApplication, QComboBox, QLabel
from pytestqt.qtbot import QtBot

from tests.engine.models import of_kind
from tests.ui.finding import child
from tests.ui.panels.flow.helpers import (
    ATTN,
    box_in_view,
    click,
    click_cell,
    colors_in,
    deep_session,
    index_of,
    names,
    picture,
    point_of,
    shown,
)
from visualizer.engine.interventions import Intervention
from visualizer.engine.memory import LARGE_VOCABULARY
from visualizer.formats import OpenedModel, open_model
from visualizer.session.document.edits import OpenModel, SetBaseline, SetCells, SetInterventions, SetPrompt
from visualizer.session.document.state import Baseline
from visualizer.session.selection import CellRef
from visualizer.session.session import Session
from visualizer.ui.look.theme import DARK, LIGHT, apply_theme, current_theme
from visualizer.ui.panels.flow.content import FlowContent
from visualizer.ui.panels.flow.items import MatrixItem
from visualizer.ui.panels.flow.panel import FlowPanel
from visualizer.ui.panels.flow.pictures import Picture
from visualizer.ui.widgets.drawing import as_svg


@pytest.fixture
def panel(session: Session, qtbot: QtBot) -> FlowPanel:
    """The panel, shown."""
    return shown(session, qtbot)


# -- what is shown


def test_the_whole_pass_stands_in_the_order_of_the_operations(panel: FlowPanel, session: Session) -> None:
    assert names(panel.canvas) == [
        "blocks.0.resid_pre",
        *(ATTN + name for name in ("q", "k", "v", "scores", "pattern", "z")),
        "blocks.0.attn_out",
        "logits",
        "probs",
    ]
    assert set(names(panel.canvas, "parameter")) == set(session.document.state.model.parameters)


def test_every_step_shows_every_activation(panel: FlowPanel, session: Session) -> None:
    assert session.trace is not None
    panel.actions_by_name["flow_every_step"].trigger()
    assert names(panel.canvas) == list(session.trace)
    panel.actions_by_name["flow_every_step"].trigger()
    assert len(names(panel.canvas)) < len(session.trace)


def test_the_scores_are_those_that_are_chosen(panel: FlowPanel, session: Session) -> None:
    session.selection.choose(score_stage="qk")
    assert ATTN + "qk" in names(panel.canvas)
    assert ATTN + "scores" not in names(panel.canvas)


def test_tiles_are_images_of_pyqtgraph_in_one_view_box(panel: FlowPanel) -> None:
    items = [item for item in panel.canvas.scene().items() if isinstance(item, MatrixItem)]
    assert len(items) == len(panel.canvas.landscape.tiles) + len(panel.canvas.landscape.heads)
    assert all(isinstance(item, pyqtgraph.ImageItem) and item.getViewBox() is panel.canvas.box for item in items)
    assert {item.image.shape for item in items} >= {(5, 8), (5, 5), (5, 2), (8, 24)}


def test_an_edit_is_followed_at_once_and_only_what_it_reaches_is_drawn_anew(panel: FlowPanel, session: Session) -> None:
    canvas = panel.canvas
    before = dict(canvas.pictures)
    assert canvas.value(index_of(canvas, ATTN + "q"), 2, 2) == 1024
    session.document.apply(SetCells(ATTN + "c_proj.w", (7, 6), 7.0))
    changed = {key[1] for key, made in canvas.pictures.items() if before[key] is not made}
    assert {ATTN + "c_proj.w", "blocks.0.attn_out", "logits", "probs"} <= changed
    assert not {ATTN + "q", ATTN + "k", ATTN + "v", "wte", "wpe", "blocks.0.resid_pre"} & changed
    assert canvas.value(index_of(canvas, ATTN + "c_proj.w"), 7, 6) == 7


def test_another_prompt_changes_the_shapes_and_an_empty_one_says_what_to_do(panel: FlowPanel, session: Session) -> None:
    session.document.apply(SetPrompt("ab"))
    tiles = panel.canvas.landscape.tiles
    assert tiles[index_of(panel.canvas, ATTN + "pattern")].matrix.size == (2, 2)
    session.document.apply(SetPrompt(""))
    assert panel.canvas.landscape.tiles == ()
    empty = picture(panel.canvas)
    assert len(colors_in(empty, QRectF(empty.rect()))) > 1
    session.document.apply(OpenModel(open_model("aaab")))
    assert panel.canvas.landscape.tiles


def test_a_hidden_panel_does_no_work_and_catches_up(panel: FlowPanel, session: Session, qtbot: QtBot) -> None:
    panel.hide()
    before = panel.canvas.landscape
    session.document.apply(SetPrompt("ab"))
    session.selection.choose(row=1)
    assert panel.canvas.landscape is before or panel.canvas.landscape.count == 0
    with qtbot.waitExposed(panel):
        panel.show()
    assert panel.canvas.landscape.count == 2


def test_both_themes_paint_their_own_ground_and_colours(panel: FlowPanel) -> None:
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    seen = []
    try:
        for theme in (DARK, LIGHT):
            apply_theme(app, theme)
            image = picture(panel.canvas)
            assert image.pixelColor(2, 2).name() == theme.panel
            seen.append(colors_in(image, box_in_view(panel.canvas, ATTN + "q").adjusted(2, 2, -2, -2)))
    finally:
        apply_theme(app, LIGHT)
    assert seen[0] != seen[1]


def test_of_a_large_vocabulary_the_picture_says_which_part_it_shows(qtbot: QtBot) -> None:
    session = Session(OpenedModel(of_kind("gpt-2", d_vocab=LARGE_VOCABULARY + 1), "wide", "wide"))
    session.document.apply(SetPrompt((1, 4, 0)))
    canvas = shown(session, qtbot).canvas
    content = FlowContent(session)
    shapes = {tile.matrix.name: content.heading(tile.matrix).shapes[0] for tile in canvas.landscape.tiles}
    assert shapes["probs"].endswith(" of 4,097 tokens · last position only")
    assert shapes["logits"].endswith(" of 4,097 tokens")
    last = canvas.landscape.row(2)
    probs = canvas.landscape.tiles[index_of(canvas, "probs")].box
    assert (probs.top, probs.bottom) == pytest.approx((last.top, last.bottom))
    assert "logits" not in session.trace.recorded if session.trace is not None else False
    assert list(content.predictions(0)) == [0, 2]


def test_what_comes_next_is_predicted_in_every_row(session: Session) -> None:
    found = FlowContent(session).predictions(None)
    assert [found[row].label for row in range(5)] == ["b", "b", "a", "a", "b"]
    assert found[4].probability == pytest.approx(1.0)


# -- blocks and heads


def test_one_block_is_open_and_a_click_opens_and_closes_others(qtbot: QtBot) -> None:
    session = deep_session()
    panel = shown(session, qtbot)
    canvas = panel.canvas
    assert [frame.opened for frame in canvas.landscape.frames] == [True, False]
    assert not any(name.startswith("blocks.1") for name in names(canvas))
    frame = canvas.landscape.frames[1]
    click(panel, qtbot, canvas.camera.rect(frame.box).topLeft().toPoint() + QPoint(3, 5))
    assert [frame.opened for frame in canvas.landscape.frames] == [True, True]
    assert session.selection.now.block == 1
    assert "blocks.1.attn.pattern" in names(canvas)
    click(panel, qtbot, canvas.camera.rect(canvas.landscape.frames[0].header).center().toPoint())
    assert [frame.opened for frame in canvas.landscape.frames] == [False, True]


def test_a_head_is_chosen_by_its_small_picture(qtbot: QtBot) -> None:
    session = deep_session()
    panel = shown(session, qtbot)
    canvas = panel.canvas
    own, other = (next(h for h in canvas.landscape.heads if h.block == block) for block in (0, 1))
    click(panel, qtbot, canvas.camera.rect(own.head(1)).center().toPoint())
    assert (session.selection.now.block, session.selection.now.head) == (0, 1)
    assert session.trace is not None
    shown_value = canvas.value(index_of(canvas, ATTN + "q"), 4, 2)
    assert shown_value == pytest.approx(session.trace[ATTN + "q"][4, 1, 2])
    click(panel, qtbot, canvas.camera.rect(other.head(0)).center().toPoint())
    assert (session.selection.now.block, session.selection.now.head) == (1, 0)
    assert "blocks.1.attn.q" in names(canvas)


def test_choosing_block_and_head_shows_them(qtbot: QtBot) -> None:
    session = deep_session()
    panel = shown(session, qtbot)
    block, head = panel.findChild(QComboBox, "flowBlockChooser"), panel.findChild(QComboBox, "flowHeadChooser")
    assert block is not None
    assert head is not None
    assert block.isVisible()
    qtbot.keyClick(block, Qt.Key.Key_Down)
    qtbot.keyClick(head, Qt.Key.Key_Down)
    now, trace, canvas = session.selection.now, session.trace, panel.canvas
    assert (now.block, now.head) == (1, 1)
    # The block that was open only because it was chosen is closed for the one that is chosen now.
    assert [frame.opened for frame in canvas.landscape.frames] == [False, True]
    assert trace is not None
    found = canvas.value(index_of(canvas, "blocks.1.attn.pattern"), 4, 2)
    assert found == pytest.approx(trace["blocks.1.attn.pattern"][1, 4, 2])


def test_opening_a_block_lets_go_of_the_chosen_number_and_is_seen_at_once(qtbot: QtBot) -> None:
    session = deep_session()
    panel = shown(session, qtbot)
    panel.toggle_block(0)
    session.selection.choose(cell=CellRef("activation", "logits", (2, 3)), row=2)
    panel.toggle_block(0)
    assert panel.canvas.landscape.frames[0].opened
    assert session.selection.now.cell is None


def test_the_keyboard_opens_and_closes_the_block_that_it_is_in(qtbot: QtBot) -> None:
    panel = shown(deep_session(), qtbot)
    canvas = panel.canvas
    canvas.setFocus()
    canvas.set_cursor(index_of(canvas, ATTN + "z"), (0, 0))
    qtbot.keyClick(canvas, Qt.Key.Key_Space)
    assert not any(frame.opened for frame in canvas.landscape.frames)
    panel.actions_by_name["flow_open"].trigger()
    assert canvas.landscape.frames[0].opened


# -- choosing


def test_a_click_chooses_the_cell_and_its_row_everywhere(panel: FlowPanel, session: Session, qtbot: QtBot) -> None:
    click_cell(panel, qtbot, ATTN + "scores", 2, 1)
    now = session.selection.now
    assert (now.cell, now.row, now.key) == (CellRef("activation", ATTN + "scores", (0, 2, 1)), 2, 1)
    click_cell(panel, qtbot, ATTN + "scores", 2, 1)
    assert session.selection.now.cell is None


def test_a_click_on_weights_opens_them(panel: FlowPanel, session: Session, qtbot: QtBot) -> None:
    session.selection.choose(row=3)
    wanted: list[str] = []
    panel.panel_wanted.connect(wanted.append)
    click_cell(panel, qtbot, ATTN + "c_proj.w", 7, 5)
    now = session.selection.now
    assert (now.parameter, now.row, now.cell) == (ATTN + "c_proj.w", 3, None)
    assert wanted == ["weightPanel"]
    canvas = panel.canvas
    canvas.show_box(canvas.landscape.tiles[index_of(canvas, ATTN + "c_proj.w")].box)
    click_cell(panel, qtbot, ATTN + "c_proj.w", 6, 4)  # near, a cell of them
    assert session.selection.now.cell == CellRef("parameter", ATTN + "c_proj.w", (6, 4))
    assert session.selection.now.row == 3


def test_a_token_at_either_end_chooses_its_row(panel: FlowPanel, session: Session, qtbot: QtBot) -> None:
    canvas = panel.canvas
    for end, row in ((canvas.landscape.prompt, 1), (canvas.landscape.prediction, 3)):
        click(panel, qtbot, canvas.camera.rect(end.cell(row, 0, 5, 1)).center().toPoint())
        assert session.selection.now.row == row
    click(panel, qtbot, canvas.camera.rect(canvas.landscape.prompt.cell(3, 0, 5, 1)).center().toPoint())
    assert session.selection.now.row is None


def test_what_is_under_the_mouse_is_previewed_and_read_out(panel: FlowPanel, session: Session, qtbot: QtBot) -> None:
    qtbot.mouseMove(panel.canvas.viewport(), point_of(panel.canvas, ATTN + "pattern", 2, 1))
    assert session.selection.hovered == CellRef("activation", ATTN + "pattern", (0, 2, 1))
    readout = child(panel, QLabel, "flowReadout")
    assert readout.text() == "pattern[b₂, a₁] = 0.5"
    QApplication.sendEvent(panel.canvas.viewport(), QEvent(QEvent.Type.Leave))
    assert session.selection.hovered is None


# -- marks


def test_the_chosen_tokens_way_is_lit_from_the_prompt_to_the_prediction(panel: FlowPanel, session: Session) -> None:
    canvas, accent = panel.canvas, current_theme().accent
    row = canvas.camera.rect(canvas.landscape.row(2))
    line = QRectF(row.left(), row.center().y() - 1, row.width(), 3)
    assert accent not in colors_in(picture(canvas), line)
    session.selection.choose(row=2)
    image = picture(canvas)
    tiles = [tile for tile in canvas.landscape.tiles if tile.matrix.kind == "activation"]
    for before, after in pairwise(tiles):  # through every gap, and around the row of every matrix
        gap = QRectF(canvas.camera.x(before.box.right) + 2, line.top(), 3, 3)
        if after.box.left - before.box.right > 8:
            assert accent in colors_in(image, gap), after.key
        edge = canvas.camera.rect(after.cell(2, 0))
        assert accent in colors_in(image, QRectF(edge.left() - 2, edge.top() - 2, 5, 5)), after.key


def test_the_keys_that_are_read_from_light_up_in_keys_and_values(panel: FlowPanel, session: Session) -> None:
    canvas = panel.canvas
    session.selection.choose(row=4)

    def lit(name: str, row: int) -> bool:
        """Whether something like the accent stands left of a row."""
        cell = canvas.camera.rect(canvas.landscape.tiles[index_of(canvas, name)].cell(row, 0))
        beside = QRectF(cell.left() - 5, cell.center().y() - 2, 4, 4)
        return any(QColor(c).hsvSaturation() > 80 for c in colors_in(picture(canvas), beside))

    # a₄ reads half from a₃ and half from itself.
    for name in (ATTN + "k", ATTN + "v"):
        assert [lit(name, row) for row in range(4)] == [False, False, False, True], name
    assert not lit(ATTN + "q", 3)


def test_the_sources_of_the_chosen_cell_are_outlined(panel: FlowPanel, session: Session) -> None:
    canvas, theme = panel.canvas, current_theme()
    session.selection.choose(cell=CellRef("activation", ATTN + "scores", (0, 2, 1)), row=2, key=1)
    session.selection.choose(cell=CellRef("activation", ATTN + "z", (2, 0, 7)), row=2, key=None)
    box = canvas.camera.rect(canvas.landscape.tiles[index_of(canvas, ATTN + "v")].cell(1, 7))
    assert theme.text in colors_in(picture(canvas), box)
    session.selection.let_go()
    assert theme.text not in colors_in(picture(canvas), box)


def test_the_comparison_with_a_baseline_is_shown_and_where_it_differs_is_said(
    panel: FlowPanel, session: Session
) -> None:
    session.document.apply(SetBaseline(Baseline(session.document.state.model)))
    session.document.apply(SetCells("wte", (0, 5), 3.0))
    canvas = panel.canvas
    seen = {}
    for comparison in ("value", "baseline", "difference"):
        session.selection.choose(comparison=comparison)
        seen[comparison] = canvas.value(index_of(canvas, "blocks.0.resid_pre"), 0, 5)
    assert seen == {"value": 3, "baseline": 1, "difference": 2}
    content = FlowContent(session)
    signs = {tile.matrix.name: signs_of(content, tile.matrix) for tile in canvas.landscape.tiles}
    assert signs["wte"] == "≠Δ"
    assert signs["blocks.0.resid_pre"] == "Δ"
    assert signs["wpe"] == ""


def signs_of(content: FlowContent, matrix: object) -> str:
    """The signs of what is out of the ordinary about a matrix."""
    return "".join(remark.sign for remark in content.remarks(matrix, 0))  # type: ignore[arg-type]


def test_an_intervention_is_marked_on_its_station_and_on_its_block_when_that_is_closed(qtbot: QtBot) -> None:
    session = deep_session()
    panel = shown(session, qtbot)
    change = Intervention("blocks.1.attn.pattern", "zero", (("head", 0),), 0.0)
    session.document.apply(SetInterventions((change,), "zero head 0"))
    content = FlowContent(session)
    assert [remark.sign for remark in content.block_remarks(1)] == ["✱"]
    assert content.block_remarks(0) == []
    panel.toggle_block(1)
    tile = panel.canvas.landscape.tiles[index_of(panel.canvas, "blocks.1.attn.pattern")]
    assert signs_of(content, tile.matrix) == "✱"
    assert current_theme().changed in colors_in(picture(panel.canvas), above(panel, tile.matrix.name))


def above(panel: FlowPanel, name: str) -> QRectF:
    """Where the title of a matrix is."""
    rect = box_in_view(panel.canvas, name)
    return QRectF(rect.left() - 20, rect.top() - 44, rect.width() + 40, 44)


def test_nan_is_seen_in_its_colour_counted_and_marked(panel: FlowPanel, session: Session) -> None:
    session.document.apply(SetCells("wte", (0, 5), float("nan")))
    canvas = panel.canvas
    index = index_of(canvas, "blocks.0.resid_pre")
    tile = canvas.landscape.tiles[index]
    found = colors_in(picture(canvas), box_in_view(canvas, "blocks.0.resid_pre"))
    assert QColor(current_theme().not_a_number).name() in found
    assert canvas.pictures[tile.key].odd == 4  # one number in the row of each a
    assert "4 NaN or Inf" in FlowContent(session).tip(tile.matrix, 0, 5, float("nan"), 4)


def test_two_matrices_to_be_compared_share_one_scale() -> None:
    small, large = np.full((30, 40), 2.0), np.full((30, 40), -5.0)
    small[3, 4] = np.nan
    limits = [Picture((), values, "diverging", beside=beside).limit for values, beside in (
        (small, large), (large, small), (small, None))]  # fmt: skip
    assert limits == [5.0, 5.0, 2.0]


# -- for elsewhere


def test_a_picture_shows_all_of_it_at_any_size_whatever_is_in_sight(panel: FlowPanel, session: Session) -> None:
    session.document.apply(SetPrompt("aab"))
    canvas = panel.canvas
    canvas.zoom_by(8)
    seen = []
    for width, height in ((1000, 500), (500, 300)):
        image = QImage(width, height, QImage.Format.Format_RGB32)
        painter = QPainter(image)
        canvas.paint_picture(painter, QRectF(0, 0, width, height))
        painter.end()
        yellow = QColor(current_theme().masked).name()
        seen.append(len(colors_in(image, QRectF(0, 0, width, height))) > 20 and yellow in colors_in(
            image, QRectF(width * 0.3, 0, width * 0.6, height)))  # fmt: skip
    assert seen == [True, True]
    assert not canvas.fitted  # what is on screen stays as it was
    caption = canvas.picture_caption()
    assert all(word in caption for word in ("aab", "block 0", "head 0", "0 to 1"))


def test_a_drawing_has_texts_and_cells_of_its_own(panel: FlowPanel, tmp_path: Path) -> None:
    drawing = as_svg(panel.canvas, "flow").decode()
    assert "softmax" in drawing.lower() or "pattern" in drawing
    assert "next token" in drawing
    assert drawing.count("<rect") > 200
    assert drawing.count("<image") >= 5  # the weights are too small for rectangles
    assert len(drawing) < 1_000_000
