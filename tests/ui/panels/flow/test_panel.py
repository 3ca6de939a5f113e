"""The flow panel: every stage on the canvas, zooming into a cell, choosing it by mouse and key, and staying true."""

import time
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QContextMenuEvent, QImage, QWheelEvent
from PySide6.QtWidgets import QApplication, QComboBox, QLabel, QToolButton
from pytestqt.qtbot import QtBot

from tests.engine.models import of_kind
from tests.ui.finding import child
from visualizer.engine.graph import LARGE_VOCABULARY
from visualizer.formats import OpenedModel, open_model
from visualizer.session.document.edits import OpenModel, SetBaseline, SetCells, SetPrompt
from visualizer.session.document.state import Baseline
from visualizer.session.selection import CellRef
from visualizer.session.session import Session
from visualizer.ui.look.colors import color_indices, lookup_table
from visualizer.ui.look.theme import DARK, LIGHT, apply_theme, current_theme
from visualizer.ui.panels.flow.canvas import FlowCanvas
from visualizer.ui.panels.flow.content import FlowContent
from visualizer.ui.panels.flow.panel import FlowPanel
from visualizer.ui.panels.flow.view import PAINT_SECONDS
from visualizer.ui.panels.flow.words import WordPainter

ATTN = "blocks.0.attn."


@pytest.fixture
def panel(session: Session, qtbot: QtBot) -> FlowPanel:
    """The panel, shown."""
    return shown(session, qtbot)


def shown(session: Session, qtbot: QtBot) -> FlowPanel:
    """A panel on a session, shown and painted."""
    panel = FlowPanel(session)
    qtbot.addWidget(panel)
    panel.resize(680, 520)
    with qtbot.waitExposed(panel):
        panel.show()
    return panel


def deep_session() -> Session:
    """Two blocks with two heads and an MLP, and six tokens."""
    session = Session(OpenedModel(of_kind("gpt-2"), "deep", "deep"))
    session.document.apply(SetPrompt([3, 1, 4, 1, 5, 2]))
    return session


def index_of(canvas: FlowCanvas, name: str) -> int:
    """The first tile with an activation or parameter."""
    return next(i for i, tile in enumerate(canvas.scene.tiles) if tile.matrix.name == name)


def point_of(canvas: FlowCanvas, name: str, row: int, column: int) -> QPoint:
    """Where a cell is in the view, brought into sight."""
    index = index_of(canvas, name)
    canvas.reveal(canvas.scene.tiles[index].slot)
    return canvas.point_of(index, row, column).toPoint()


def click(panel: FlowPanel, qtbot: QtBot, name: str, row: int, column: int) -> None:
    """Click on a cell."""
    point = point_of(panel.canvas, name, row, column)
    qtbot.mouseClick(panel.canvas.viewport(), Qt.MouseButton.LeftButton, pos=point)


def picture(canvas: FlowCanvas) -> QImage:
    """The canvas as it is painted once all pictures are made."""
    for _ in range(3):
        QApplication.processEvents()
    return canvas.viewport().grab().toImage()


def colors_in(image: QImage, rect: tuple[int, int, int, int]) -> set[str]:
    """The colours that occur in x, y, width, height."""
    x, y, width, height = rect
    return {image.pixelColor(i, j).name() for i in range(x, x + width) for j in range(y, y + height)}


def wheel(canvas: FlowCanvas, point: QPoint, notches: int, control: bool) -> None:
    """Turn the wheel over a point of the view."""
    modifier = Qt.KeyboardModifier.ControlModifier if control else Qt.KeyboardModifier.NoModifier
    place = QPointF(point)
    event = QWheelEvent(
        place,
        QPointF(canvas.viewport().mapToGlobal(point)),
        QPoint(),
        QPoint(0, 120 * notches),
        Qt.MouseButton.NoButton,
        modifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(canvas.viewport(), event)


def test_every_activation_and_parameter_has_a_matrix_in_the_order_of_the_operations(
    panel: FlowPanel, session: Session
) -> None:
    names = [tile.matrix.name for tile in panel.canvas.scene.tiles if tile.matrix.kind == "activation"]
    assert session.trace is not None
    assert names == list(session.trace)
    parameters = {tile.matrix.name for tile in panel.canvas.scene.tiles if tile.matrix.kind == "parameter"}
    assert parameters == set(session.document.state.model.parameters)


@pytest.mark.parametrize("make", [lambda: Session(open_model("aab")), deep_session], ids=["aab", "deep"])
def test_matrices_do_not_overlap_and_wires_join_what_is_read(make: object, qtbot: QtBot) -> None:
    assert callable(make)
    scene = shown(make(), qtbot).canvas.scene
    for i, tile in enumerate(scene.tiles):
        assert not any(tile.slot.intersects(other.slot) for other in scene.tiles[i + 1 :]), tile.key
    joined = {(scene.tiles[w.source].matrix.name, scene.tiles[w.target].matrix.name) for w in scene.wires}
    assert (ATTN + "c_attn.w", ATTN + "q") in joined
    assert (ATTN + "pattern", ATTN + "z") in joined
    assert ("blocks.0.resid_pre", "blocks.0.resid_mid") in joined


def test_a_wire_along_the_margin_passes_under_the_matrices_of_its_line(qtbot: QtBot) -> None:
    scene = shown(Session(open_model("induction")), qtbot).canvas.scene
    names = [tile.matrix.name for tile in scene.tiles]
    embed, stream, wte = (names.index(name) for name in ("embed", "blocks.0.resid_pre", "wte"))
    assert scene.tiles[wte].rect.bottom() > scene.tiles[embed].rect.bottom()
    path = next(wire.path for wire in scene.wires if (wire.source, wire.target) == (embed, stream))
    assert not any(scene.tiles[wte].rect.contains(path.pointAtPercent(part / 200)) for part in range(201))


def test_a_click_chooses_the_cell_and_its_row_everywhere(panel: FlowPanel, session: Session, qtbot: QtBot) -> None:
    click(panel, qtbot, ATTN + "qk", 2, 1)
    now = session.selection.now
    assert (now.cell, now.row, now.key) == (CellRef("activation", ATTN + "qk", (0, 2, 1)), 2, 1)
    click(panel, qtbot, ATTN + "qk", 2, 1)
    assert session.selection.now.cell is None


def test_a_click_on_a_weight_chooses_it_in_the_grid_and_leaves_the_row(
    panel: FlowPanel, session: Session, qtbot: QtBot
) -> None:
    session.selection.choose(row=3)
    click(panel, qtbot, ATTN + "c_proj.w", 7, 5)
    now = session.selection.now
    assert now.cell == CellRef("parameter", ATTN + "c_proj.w", (7, 5))
    assert (now.parameter, now.row) == (ATTN + "c_proj.w", 3)


def test_what_is_under_the_mouse_is_previewed_and_read_out(panel: FlowPanel, session: Session, qtbot: QtBot) -> None:
    point = point_of(panel.canvas, ATTN + "pattern", 2, 1)
    qtbot.mouseMove(panel.canvas.viewport(), point)
    assert session.selection.hovered == CellRef("activation", ATTN + "pattern", (0, 2, 1))
    readout = child(panel, QLabel, "flowReadout")
    assert readout.text() == "pattern[b₂, a₁] = 0.5"
    QApplication.sendEvent(panel.canvas.viewport(), QEvent(QEvent.Type.Leave))
    assert session.selection.hovered is None


def test_the_row_and_the_sources_of_the_chosen_cell_are_marked(panel: FlowPanel, session: Session) -> None:
    canvas, theme = panel.canvas, current_theme()
    session.selection.choose(cell=CellRef("activation", ATTN + "qk", (0, 2, 1)), row=2, key=1)
    for name, row in ((ATTN + "q", 2), (ATTN + "k", 2)):
        index = index_of(canvas, name)
        canvas.show_rect(canvas.scene.tiles[index].slot)
        edge = canvas.point_of(index, row, 3)
        half = canvas.scene.tiles[index].cell_height * canvas.camera.scale / 2
        around = (int(edge.x()), int(edge.y() - half) - 3, 2, 7)
        assert theme.accent in colors_in(picture(canvas), around), name
    index = index_of(canvas, ATTN + "k")
    canvas.show_rect(canvas.scene.tiles[index].slot)
    tile = canvas.scene.tiles[index]
    corner = canvas.camera.rect(tile.cell_rect(1, 0))
    line = (int(corner.left()), int(corner.top()) + 1, int(corner.width()), 4)
    assert theme.text in colors_in(picture(canvas), line)
    session.selection.let_go()
    assert theme.accent not in colors_in(picture(canvas), line)


def test_zooming_with_the_wheel_keeps_the_cell_under_the_mouse_and_ends_at_its_digits(
    panel: FlowPanel, session: Session
) -> None:
    canvas = panel.canvas
    point = point_of(canvas, ATTN + "v", 2, 7)
    before = canvas.place_at(QPointF(point))
    assert before is not None
    scales = []
    for _ in range(40):
        wheel(canvas, point, 1, control=True)
        scales.append(canvas.camera.scale)
        assert canvas.place_at(QPointF(point)) == before
    tile = canvas.scene.tiles[before[0]]
    assert tile.cell_height * canvas.camera.scale == pytest.approx(96, rel=0.01)
    assert scales[-1] == scales[-2]
    for _ in range(60):
        wheel(canvas, point, -1, control=True)
    assert canvas.camera.scale < scales[0]
    assert canvas.camera.seen(canvas.viewport().width(), canvas.viewport().height()).contains(canvas.scene.bounds)


def test_the_plain_wheel_scrolls(panel: FlowPanel) -> None:
    canvas, middle = panel.canvas, QPoint(200, 200)
    before = canvas.camera
    wheel(canvas, middle, -2, control=False)
    assert canvas.camera.scale == before.scale
    assert canvas.camera.y > before.y
    assert canvas.verticalScrollBar().value() > 0
    canvas.verticalScrollBar().setValue(0)
    assert canvas.camera.y == pytest.approx(before.y, abs=40 / before.scale)


def test_dragging_pans_and_chooses_nothing(panel: FlowPanel, session: Session, qtbot: QtBot) -> None:
    viewport, canvas = panel.canvas.viewport(), panel.canvas
    before = canvas.camera
    start = point_of(canvas, "pos_embed", 2, 2)
    qtbot.mousePress(viewport, Qt.MouseButton.LeftButton, pos=start)
    qtbot.mouseMove(viewport, start - QPoint(0, 40))
    qtbot.mouseMove(viewport, start - QPoint(0, 90))
    qtbot.mouseRelease(viewport, Qt.MouseButton.LeftButton, pos=start - QPoint(0, 90))
    assert session.selection.now.cell is None
    assert canvas.camera.y > before.y


def test_a_double_click_goes_nearer_until_the_digits_can_be_read(panel: FlowPanel, qtbot: QtBot) -> None:
    canvas = panel.canvas
    canvas.fit_stack()
    index = index_of(canvas, ATTN + "c_attn.w")
    for _ in range(2):
        point = canvas.point_of(index, 3, 3).toPoint()
        qtbot.mouseDClick(canvas.viewport(), Qt.MouseButton.LeftButton, pos=point)
    tile = canvas.scene.tiles[index]
    assert tile.cell_width * canvas.camera.scale >= 26
    assert canvas.viewport().rect().contains(canvas.point_of(index, 3, 3).toPoint())


def test_digits_appear_in_the_cells_when_they_are_near(panel: FlowPanel, session: Session) -> None:
    canvas = panel.canvas
    index = index_of(canvas, ATTN + "q")
    canvas.show_rect(canvas.scene.tiles[index].slot)
    cell = canvas.camera.rect(canvas.scene.tiles[index].cell_rect(0, 7)).toRect().adjusted(3, 3, -3, -3)
    inside = (cell.x(), cell.y(), cell.width(), cell.height())
    assert len(colors_in(picture(canvas), inside)) > 1
    canvas.fit_stack()
    cell = canvas.camera.rect(canvas.scene.tiles[index].cell_rect(0, 7)).toRect()
    assert len(colors_in(picture(canvas), (cell.center().x(), cell.center().y(), 1, 1))) == 1


def test_arrow_keys_go_from_cell_to_cell_and_on_to_the_next_matrix(
    panel: FlowPanel, session: Session, qtbot: QtBot
) -> None:
    canvas = panel.canvas
    panel.activateWindow()
    canvas.setFocus()
    canvas.set_cursor(index_of(canvas, ATTN + "scaled"), (0, 3))
    qtbot.keyClick(canvas, Qt.Key.Key_Right)
    assert session.selection.hovered == CellRef("activation", ATTN + "scaled", (0, 0, 4))
    assert "scaled[a₀, a₄]" in canvas.accessibleDescription()
    qtbot.keyClick(canvas, Qt.Key.Key_Right)
    assert canvas.cursor_at is not None
    assert canvas.scene.tiles[canvas.cursor_at[0]].matrix.name != ATTN + "scaled"
    qtbot.keyClick(canvas, Qt.Key.Key_Return)
    assert session.selection.now.cell == session.selection.hovered
    qtbot.keyClick(canvas, Qt.Key.Key_Escape)
    assert session.selection.now.cell is None


def test_page_keys_walk_through_every_stage_in_order(panel: FlowPanel, qtbot: QtBot) -> None:
    canvas = panel.canvas
    canvas.setFocus()
    canvas.set_cursor(0, (0, 0))
    visited = [0]
    for _ in range(len(canvas.scene.tiles) + 2):
        qtbot.keyClick(canvas, Qt.Key.Key_PageDown)
        assert canvas.cursor_at is not None
        visited.append(canvas.cursor_at[0])
        tile = canvas.scene.tiles[canvas.cursor_at[0]]
        assert canvas.viewport().rect().contains(canvas.point_of(canvas.cursor_at[0], 0, 0).toPoint()), tile.key
    assert sorted(set(visited)) == list(range(len(canvas.scene.tiles)))
    qtbot.keyClick(canvas, Qt.Key.Key_Home, Qt.KeyboardModifier.ControlModifier)
    assert canvas.cursor_at == (0, (0, 0))


def test_plus_minus_and_zero_zoom_by_key(panel: FlowPanel, qtbot: QtBot) -> None:
    canvas = panel.canvas
    panel.activateWindow()
    canvas.setFocus()
    fitted = canvas.camera
    qtbot.keyClick(canvas, Qt.Key.Key_Plus)
    assert canvas.camera.scale == pytest.approx(fitted.scale * 1.25)
    qtbot.keyClick(canvas, Qt.Key.Key_Minus)
    qtbot.keyClick(canvas, Qt.Key.Key_Minus)
    assert canvas.camera.scale == pytest.approx(fitted.scale / 1.25)
    panel.actions_by_name["flow_fit_block"].trigger()
    assert canvas.camera == fitted


def test_an_edit_is_followed_at_once(panel: FlowPanel, session: Session) -> None:
    canvas = panel.canvas
    tile = canvas.scene.tiles[index_of(canvas, ATTN + "qk")]
    assert canvas.value(tile, 2, 1) == 1024
    session.document.apply(SetCells(ATTN + "c_attn.w", (2, 1), 7.0))
    assert canvas.value(tile, 2, 1) == 7
    weights = canvas.scene.tiles[index_of(canvas, ATTN + "c_attn.w")]
    assert canvas.value(weights, 2, 1) == 7


def test_the_comparison_with_a_baseline_is_shown(panel: FlowPanel, session: Session) -> None:
    session.document.apply(SetBaseline(Baseline(session.document.state.model)))
    session.document.apply(SetCells("wte", (0, 5), 3.0))
    canvas = panel.canvas
    tile = canvas.scene.tiles[index_of(canvas, "embed")]
    seen = {}
    for comparison in ("value", "baseline", "difference"):
        session.selection.choose(comparison=comparison)
        seen[comparison] = canvas.value(tile, 0, 5)
    assert seen == {"value": 3, "baseline": 1, "difference": 2}


def test_nan_is_seen_in_its_colour_however_far_away(panel: FlowPanel, session: Session) -> None:
    session.document.apply(SetCells("wte", (0, 5), float("nan")))
    panel.canvas.fit_stack()
    image = picture(panel.canvas)
    rect = panel.canvas.camera.rect(panel.canvas.scene.tiles[index_of(panel.canvas, "embed")].rect).toRect()
    found = colors_in(image, (rect.x(), rect.y(), rect.width() + 2, rect.height()))
    assert QColor(current_theme().not_a_number).name() in found


def test_another_prompt_changes_the_shapes_and_an_empty_one_says_what_to_do(panel: FlowPanel, session: Session) -> None:
    session.document.apply(SetPrompt("ab"))
    tiles = panel.canvas.scene.tiles
    assert tiles[index_of(panel.canvas, ATTN + "pattern")].matrix.size == (2, 2)
    session.document.apply(SetPrompt(""))
    assert panel.canvas.scene.tiles == ()
    empty = picture(panel.canvas)
    assert len(colors_in(empty, (0, 0, empty.width(), empty.height()))) > 1
    session.document.apply(OpenModel(open_model("aaab")))
    assert panel.canvas.scene.tiles


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
    frame = canvas.camera.rect(canvas.scene.frame_of_block(1))
    assert 0 <= frame.left() < canvas.viewport().width() / 2
    tile = canvas.scene.tiles[index_of(canvas, "blocks.1.attn.pattern")]
    assert trace is not None
    assert canvas.value(tile, 4, 2) == pytest.approx(trace["blocks.1.attn.pattern"][1, 4, 2])


def test_a_cell_of_another_block_takes_the_selection_there_without_moving_the_canvas(qtbot: QtBot) -> None:
    session = deep_session()
    panel = shown(session, qtbot)
    button = child(panel, QToolButton, "flow_fit_stack")
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    camera = panel.canvas.camera
    index = index_of(panel.canvas, "blocks.1.mlp.post")
    point = panel.canvas.point_of(index, 3, 4).toPoint()
    qtbot.mouseClick(panel.canvas.viewport(), Qt.MouseButton.LeftButton, pos=point)
    assert session.selection.now.block == 1
    assert session.selection.now.cell is not None
    assert session.selection.now.cell.name == "blocks.1.mlp.post"
    assert panel.canvas.camera == camera


def test_a_right_click_asks_for_a_menu_on_the_number(panel: FlowPanel) -> None:
    asked: list[CellRef] = []
    panel.context_requested.connect(lambda ref, _where: asked.append(ref))
    viewport, point = panel.canvas.viewport(), point_of(panel.canvas, ATTN + "z", 4, 7)
    event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, point, viewport.mapToGlobal(point))
    QApplication.sendEvent(viewport, event)
    assert asked == [CellRef("activation", ATTN + "z", (4, 0, 7))]


def test_a_hidden_panel_does_no_work_and_catches_up(panel: FlowPanel, session: Session, qtbot: QtBot) -> None:
    before = panel.canvas.scene
    panel.hide()
    session.document.apply(SetPrompt("ab"))
    assert panel.canvas.scene is before
    with qtbot.waitExposed(panel):
        panel.show()
    assert panel.canvas.scene is not before


def test_both_themes_paint_their_own_ground(panel: FlowPanel) -> None:
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    try:
        for theme in (DARK, LIGHT):
            apply_theme(app, theme)
            image = picture(panel.canvas)
            assert image.pixelColor(image.width() - 2, 2).name() == theme.panel
    finally:
        apply_theme(app, LIGHT)


def test_a_wide_matrix_is_painted_in_parts_and_says_the_same_numbers(qtbot: QtBot) -> None:
    session = Session(OpenedModel(of_kind("gpt-2", d_model=8, d_mlp=1200), "wide", "wide"))
    session.document.apply(SetPrompt([3, 1, 4]))
    panel = shown(session, qtbot)
    canvas = panel.canvas
    index = index_of(canvas, "blocks.0.mlp.c_fc.w")
    tile = canvas.scene.tiles[index]
    canvas.show_rect(tile.slot)
    canvas.zoom_by(1000, canvas.point_of(index, 4, 1100))
    weights = session.document.state.model.parameters["blocks.0.mlp.c_fc.w"]
    limit = float(np.abs(weights).max())
    place = canvas.place_at(QPointF(canvas.viewport().rect().center()))
    assert place is not None
    _, row, column = place
    middle = canvas.viewport().rect().center()
    left = canvas.camera.rect(tile.cell_rect(row, column)).toRect().left()
    assert column > 1000
    seen = picture(canvas).pixelColor(left + 3, middle.y())
    index_of_color = color_indices(weights[row : row + 1, column : column + 1], None, "diverging", limit)[0, 0]
    assert (seen.red(), seen.green(), seen.blue()) == tuple(
        lookup_table("diverging", current_theme()).rgba[index_of_color][:3]
    )


def test_of_a_large_vocabulary_the_picture_says_which_part_it_shows(qtbot: QtBot) -> None:
    session = Session(OpenedModel(of_kind("gpt-2", d_vocab=LARGE_VOCABULARY + 1), "wide", "wide"))
    session.document.apply(SetPrompt((1, 4, 0)))
    canvas = shown(session, qtbot).canvas
    content = FlowContent(session)
    shapes = {tile.matrix.name: content.heading(tile).shape for tile in canvas.scene.tiles}
    assert shapes["probs"].endswith(" of 4,097 tokens · last position only")
    assert shapes["logits"].endswith(" of 4,097 tokens")


def test_every_picture_comes_however_long_painting_takes(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    heading = WordPainter.heading

    def slow(*arguments: Any, **more: Any) -> None:
        time.sleep(PAINT_SECONDS)
        heading(*arguments, **more)

    monkeypatch.setattr(WordPainter, "heading", slow)
    panel = shown(Session(open_model("induction")), qtbot)
    panel.resize(1600, 1200)
    canvas = panel.canvas

    def shown_and_blank() -> tuple[int, list[str]]:
        image, view = canvas.viewport().grab().toImage(), canvas.viewport().rect().toRectF()
        count, empty = 0, []
        for tile in canvas.scene.tiles:
            rect = canvas.camera.rect(tile.rect).adjusted(4, 4, -4, -4)
            if view.contains(rect):
                count += 1
                xs = np.linspace(rect.left(), rect.right(), 12).astype(int).tolist()
                ys = np.linspace(rect.top(), rect.bottom(), 12).astype(int).tolist()
                if len({image.pixel(x, y) for x in xs for y in ys}) == 1:
                    empty.append(tile.matrix.name)
        return count, empty

    qtbot.waitUntil(lambda: shown_and_blank()[0] >= 4 and not shown_and_blank()[1])
