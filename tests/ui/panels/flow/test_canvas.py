"""The flow's canvas under mouse and keyboard: looking around as in pyqtgraph, and a cursor that goes along a token."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtWidgets import QMenu
from pytestqt.qtbot import QtBot

from tests.engine.models import of_kind
from tests.ui.painted_texts import painted_texts
from tests.ui.panels.flow.helpers import (
    ATTN,
    click,
    colors_in,
    deep_session,
    drag,
    index_of,
    picture,
    point_of,
    shown,
    wheel,
)
from visualizer.formats import OpenedModel, open_model
from visualizer.session.document.edits import SetPrompt
from visualizer.session.selection import CellRef
from visualizer.session.session import Session
from visualizer.ui.heatmap.menu import add_view_all
from visualizer.ui.look.colors import color_indices, lookup_table
from visualizer.ui.look.theme import current_theme
from visualizer.ui.panels.flow.panel import FlowPanel
from visualizer.ui.panels.flow.paper import DETAIL, TITLE, Paper


@pytest.fixture
def panel(session: Session, qtbot: QtBot) -> FlowPanel:
    """The panel, shown."""
    return shown(session, qtbot)


# -- looking around, as in pyqtgraph


def test_the_wheel_zooms_around_the_pointer_up_to_the_digits_and_back_to_all_of_it(panel: FlowPanel) -> None:
    canvas = panel.canvas
    point = point_of(canvas, ATTN + "v", 2, 7)
    before = canvas.place_at(QPointF(point))
    assert before is not None
    scales = []
    for _ in range(40):
        wheel(canvas, point, 1)
        scales.append(canvas.camera.down)
        assert canvas.place_at(QPointF(point)) == before
    cell = canvas.camera.rect(canvas.landscape.tiles[before[0]].cell(2, 7))
    assert min(cell.width(), cell.height()) > 60
    assert scales[-1] == pytest.approx(scales[-2])
    for _ in range(60):
        wheel(canvas, point, -1)
    bounds, seen = canvas.landscape.bounds, canvas.box.viewRect()
    assert seen.left() <= bounds.left + 1
    assert seen.right() >= bounds.right - 1
    assert not canvas.fitted


def test_a_drag_pans_and_chooses_nothing(panel: FlowPanel, session: Session, qtbot: QtBot) -> None:
    canvas = panel.canvas
    canvas.zoom_by(4)
    start, before = QPoint(300, 200), canvas.camera
    drag(canvas, qtbot, start, QPoint(-60, -40), Qt.MouseButton.LeftButton)
    assert canvas.camera.dx == pytest.approx(before.dx - 60, abs=2)
    assert canvas.camera.dy == pytest.approx(before.dy - 40, abs=2)
    assert canvas.camera.across == pytest.approx(before.across)
    assert session.selection.now.cell is None


def test_a_drag_with_the_right_button_scales_each_way_by_itself(panel: FlowPanel, qtbot: QtBot) -> None:
    canvas, asked = panel.canvas, []
    panel.context_requested.connect(lambda *what: asked.append(what))
    before = canvas.camera
    drag(canvas, qtbot, QPoint(300, 200), QPoint(50, 0), Qt.MouseButton.RightButton)
    assert canvas.camera.across > before.across * 1.2
    assert canvas.camera.down == pytest.approx(before.down)
    assert not asked  # a drag asks for no menu


def test_plus_minus_and_zero_zoom_by_key_and_fit_shows_all(panel: FlowPanel, qtbot: QtBot) -> None:
    canvas = panel.canvas
    panel.activateWindow()
    canvas.setFocus()
    fitted = canvas.camera
    qtbot.keyClick(canvas, Qt.Key.Key_Plus)
    assert canvas.camera.across == pytest.approx(fitted.across * 1.25)
    qtbot.keyClick(canvas, Qt.Key.Key_Minus)
    assert canvas.camera.across == pytest.approx(fitted.across)
    qtbot.keyClick(canvas, Qt.Key.Key_Plus)
    panel.actions_by_name["flow_fit"].trigger()
    assert canvas.camera.across == pytest.approx(fitted.across)
    view = canvas.viewport().rect()
    for tile in canvas.landscape.tiles:
        assert view.contains(canvas.camera.rect(tile.box).toRect())


def test_what_is_fitted_stays_fitted_when_the_panel_gets_another_size(panel: FlowPanel, qtbot: QtBot) -> None:
    canvas = panel.canvas
    panel.resize(1300, 700)
    qtbot.waitUntil(lambda: canvas.landscape.bounds.width == canvas.width())
    assert canvas.box.viewRect().width() == pytest.approx(canvas.width(), abs=1)
    assert canvas.box.viewRect().height() == pytest.approx(canvas.height(), abs=1)


def test_a_double_click_goes_nearer_until_the_digits_can_be_read_and_back(panel: FlowPanel, qtbot: QtBot) -> None:
    canvas = panel.canvas
    index = index_of(canvas, ATTN + "c_attn.w")
    for _ in range(2):
        point = canvas.point_of(index, 3, 3).toPoint()
        qtbot.mouseDClick(canvas.viewport(), Qt.MouseButton.LeftButton, pos=point)
        qtbot.mouseRelease(canvas.viewport(), Qt.MouseButton.LeftButton, pos=point)
    cell = canvas.camera.rect(canvas.landscape.tiles[index].cell(3, 3))
    assert cell.width() >= 26
    assert canvas.viewport().rect().contains(cell.center().toPoint())
    assert not canvas.fitted


@pytest.mark.parametrize(("factor", "labels", "digits"), [(1, False, False), (3.2, True, False), (8, True, True)])
def test_labels_shapes_and_formulas_and_then_digits_come_with_the_zoom(
    factor: float, labels: bool, digits: bool, session: Session, qtbot: QtBot
) -> None:
    canvas = shown(session, qtbot, 660, 460).canvas
    canvas.zoom_by(factor, canvas.point_of(index_of(canvas, ATTN + "q"), 1, 1))
    texts = {found.text for found in painted_texts(canvas)}
    assert ({"6", "7"} <= texts) == labels  # dimensions of a head
    assert ("x W_q + b" in texts) == labels
    assert ("1024" in texts) == digits
    assert "a₁" in texts  # tokens can be read from any distance


def test_the_strip_and_the_menu_say_that_it_is_zoomed_and_lead_back(panel: FlowPanel) -> None:
    canvas = panel.canvas
    told: list[None] = []
    panel.remarks_changed.connect(lambda: told.append(None))
    assert panel.remarks() == []
    canvas.zoom_by(3)
    assert told
    (remark,) = panel.remarks()
    assert remark.words == "zoomed 3×"
    menu = QMenu(panel)
    add_view_all(menu, canvas)
    (everything,) = menu.actions()
    assert everything.isEnabled()
    everything.trigger()
    assert canvas.fitted
    assert canvas.zoomed == 1
    canvas.zoom_by(3)
    assert remark.undo is not None
    remark.undo()
    assert panel.remarks() == []


# -- keyboard


def test_arrow_keys_go_along_a_token_from_matrix_to_matrix(panel: FlowPanel, session: Session, qtbot: QtBot) -> None:
    canvas = panel.canvas
    panel.activateWindow()
    canvas.setFocus()
    canvas.set_cursor(index_of(canvas, ATTN + "scores"), (2, 3))
    qtbot.keyClick(canvas, Qt.Key.Key_Right)
    assert session.selection.hovered == CellRef("activation", ATTN + "scores", (0, 2, 4))
    assert "scores[b₂, a₄]" in canvas.accessibleDescription()
    qtbot.keyClick(canvas, Qt.Key.Key_Right)
    assert session.selection.hovered == CellRef("activation", ATTN + "pattern", (0, 2, 0))
    qtbot.keyClick(canvas, Qt.Key.Key_Left)
    qtbot.keyClick(canvas, Qt.Key.Key_Up)
    assert session.selection.hovered == CellRef("activation", ATTN + "scores", (0, 1, 4))
    qtbot.keyClick(canvas, Qt.Key.Key_Return)
    assert session.selection.now.cell == session.selection.hovered
    qtbot.keyClick(canvas, Qt.Key.Key_Escape)
    assert session.selection.now.cell is None


def test_page_keys_walk_through_every_matrix_and_all_its_weights(panel: FlowPanel, qtbot: QtBot) -> None:
    canvas = panel.canvas
    canvas.zoom_by(3)
    canvas.setFocus()
    canvas.set_cursor(0, (0, 0))
    visited = [0]
    for _ in range(len(canvas.landscape.tiles) + 2):
        qtbot.keyClick(canvas, Qt.Key.Key_PageDown)
        assert canvas.cursor_at is not None
        index, cell = canvas.cursor_at
        visited.append(index)
        assert canvas.viewport().rect().contains(canvas.point_of(index, *cell).toPoint()), index
    assert sorted(set(visited)) == list(range(len(canvas.landscape.tiles)))
    qtbot.keyClick(canvas, Qt.Key.Key_Home, Qt.KeyboardModifier.ControlModifier)
    assert canvas.cursor_at is not None
    assert canvas.cursor_at[0] == 0


def test_the_cursor_stays_on_its_matrix_when_another_block_is_opened(qtbot: QtBot) -> None:
    panel = shown(deep_session(), qtbot)
    canvas = panel.canvas
    canvas.set_cursor(index_of(canvas, "logits"), (3, 2))
    panel.toggle_block(1)
    assert canvas.cursor_at == (index_of(canvas, "logits"), (3, 2))


# -- menu


def test_a_right_click_asks_for_a_menu_on_the_number(panel: FlowPanel, qtbot: QtBot) -> None:
    asked: list[object] = []
    panel.context_requested.connect(lambda ref, _where: asked.append(ref))
    click(panel, qtbot, point_of(panel.canvas, ATTN + "z", 4, 7), Qt.MouseButton.RightButton)
    click(panel, qtbot, QPoint(3, 3), Qt.MouseButton.RightButton)
    assert asked == [CellRef("activation", ATTN + "z", (4, 0, 7)), None]


# -- what is far, wide and many


def test_a_wide_matrix_says_the_same_numbers_near_as_far(qtbot: QtBot) -> None:
    session = Session(OpenedModel(of_kind("gpt-2", d_model=100, d_mlp=1200, n_heads=2), "wide", "wide"))
    session.document.apply(SetPrompt([3, 1, 4]))
    canvas = shown(session, qtbot).canvas
    index = index_of(canvas, "blocks.0.mlp.c_fc.w")
    tile = canvas.landscape.tiles[index]
    qtbot.waitUntil(lambda: canvas.pictures[tile.key].made)  # 120,000 numbers come when there is time for them
    canvas.zoom_by(1e6, canvas.point_of(index, 40, 1100))
    weights = session.document.state.model.parameters["blocks.0.mlp.c_fc.w"]
    middle = canvas.point_of(index, 40, 1100)
    assert canvas.place_at(middle) == (index, 40, 1100)
    cell = canvas.camera.rect(tile.cell(40, 1100)).toRect()
    entry = color_indices(weights[40:41, 1100:1101], None, "diverging", float(np.abs(weights).max()))[0, 0]
    seen = picture(canvas).pixelColor(max(cell.left(), 0) + 4, max(cell.top(), 0) + 4)
    assert (seen.red(), seen.green(), seen.blue()) == tuple(lookup_table("diverging", current_theme()).rgba[entry][:3])


def test_one_loud_weight_among_many_is_seen_from_afar(qtbot: QtBot) -> None:
    model = of_kind("gpt-2", d_model=100, d_mlp=1200, n_heads=2)
    loud = np.zeros((100, 1200))
    loud[57, 803] = 5.0
    session = Session(OpenedModel(model.replace({"blocks.0.mlp.c_fc.w": loud}), "wide", "wide"))
    session.document.apply(SetPrompt([3, 1, 4]))
    canvas = shown(session, qtbot).canvas
    tile = canvas.landscape.tiles[index_of(canvas, "blocks.0.mlp.c_fc.w")]
    qtbot.waitUntil(lambda: canvas.pictures[tile.key].made)
    strongest = "#{:02x}{:02x}{:02x}".format(*lookup_table("diverging", current_theme()).rgba[250][:3])
    assert strongest in colors_in(picture(canvas), canvas.camera.rect(tile.box))


@pytest.mark.parametrize("model", ["aab", "deep"])
@pytest.mark.parametrize("size", [(420, 300), (491, 432), (660, 460), (1300, 700)])
@pytest.mark.parametrize("zoom", [1.0, 2.5])
def test_no_two_titles_stand_in_each_others_way(
    model: str, size: tuple[int, int], zoom: float, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    written, write = [], Paper.write

    def recorded(paper: Paper, text: str, kind: str, *more: object) -> object:
        rect = write(paper, text, kind, *more)  # type: ignore[arg-type]
        if kind in (TITLE, DETAIL):
            written.append((text, rect))
        return rect

    panel = shown(deep_session() if model == "deep" else Session(open_model(model)), qtbot, *size)
    panel.canvas.zoom_by(zoom)
    monkeypatch.setattr(Paper, "write", recorded)
    panel.canvas.viewport().repaint()
    assert len(written) > 5
    for i, (text, rect) in enumerate(written):
        for other, place in written[i + 1 :]:
            assert not rect.adjusted(1, 2, -1, -2).intersects(place), (text, other)
