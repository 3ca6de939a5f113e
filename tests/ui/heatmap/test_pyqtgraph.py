"""What a heatmap takes from pyqtgraph: its parts, its habits with the mouse, linked views, levels and colour scales."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyqtgraph as pg
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, QSettings, Qt
from PySide6.QtGui import QAction, QColor, QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QApplication, QMenu
from pytestqt.qtbot import QtBot

from visualizer.ui.heatmap.matrix import Axis, Matrix
from visualizer.ui.heatmap.menu import add_view_actions
from visualizer.ui.heatmap.scales import ScaleChoice, remember_choices_in, remembered_choice
from visualizer.ui.heatmap.widget import Heatmap
from visualizer.ui.look.colors import DIVERGING, SEQUENTIAL, Scale

VALUES = np.array([[1024.0, -1.0, 0.0], [0.0, 1.0, -512.0], [3.0, 0.5, 2.0]])


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[QSettings]:
    """Choices are remembered in settings of the test's own."""
    settings = QSettings(str(tmp_path / "settings.ini"), QSettings.Format.IniFormat)
    remember_choices_in(settings)
    yield settings
    remember_choices_in(None)


def matrix(
    values: np.ndarray = VALUES, scale: Scale = DIVERGING, name: str = "scores", origin: object = None
) -> Matrix:
    rows, columns = (Axis(axis, [str(i) for i in range(n)]) for axis, n in zip("qk", values.shape, strict=True))
    return Matrix(values, rows, columns, name=name, scale=scale, origin=origin)


def shown(qtbot: QtBot, what: Matrix | None = None, name: str = "") -> Heatmap:
    heatmap = Heatmap()
    heatmap.setObjectName(name)
    qtbot.addWidget(heatmap)
    heatmap.resize(420, 360)
    heatmap.set_matrix(what if what is not None else matrix())
    heatmap.show()
    qtbot.waitExposed(heatmap)
    return heatmap


def wheel(heatmap: Heatmap, at: QPointF, notches: int = 1) -> None:
    event = QWheelEvent(
        at,
        heatmap.mapToGlobal(at),
        QPoint(),
        QPoint(0, 120 * notches),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(heatmap.viewport(), event)


def drag(heatmap: Heatmap, qtbot: QtBot, start: QPointF, by: QPointF) -> None:
    view, left = heatmap.viewport(), Qt.MouseButton.LeftButton
    qtbot.mouseMove(heatmap, start.toPoint())
    qtbot.mousePress(view, left, pos=start.toPoint())
    for part in (0.25, 0.5, 0.75, 1.0):
        point = QPointF(start.toPoint()) + by * part
        move = QMouseEvent(
            QEvent.Type.MouseMove,
            point,
            heatmap.mapToGlobal(point),
            Qt.MouseButton.NoButton,
            left,
            Qt.KeyboardModifier.NoModifier,
        )
        QApplication.sendEvent(view, move)
    qtbot.mouseRelease(view, left, pos=(start + by).toPoint())


def double_click(heatmap: Heatmap, qtbot: QtBot, at: QPointF) -> None:
    """As a window system sends it: the second press is the double click itself."""
    view, left, none = heatmap.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    qtbot.mouseClick(view, left, pos=at.toPoint())
    place = QPointF(at.toPoint())
    QApplication.sendEvent(
        view, QMouseEvent(QEvent.Type.MouseButtonDblClick, place, heatmap.mapToGlobal(place), left, left, none)
    )
    qtbot.mouseRelease(view, left, pos=at.toPoint())


def centre(heatmap: Heatmap, row: int, column: int) -> QPointF:
    layout = heatmap.layout_now()
    assert layout is not None
    return layout.cell_rect(row, column).center()


def color_of(heatmap: Heatmap, row: int, column: int) -> QColor:
    layout = heatmap.layout_now()
    assert layout is not None
    corner = layout.cell_rect(row, column).bottomLeft()
    return heatmap.grab().toImage().pixelColor(int(corner.x()) + 4, int(corner.y()) - 4)


def distance(left: QColor, right: QColor) -> float:
    return float(max(abs(left.red() - right.red()), abs(left.green() - right.green()), abs(left.blue() - right.blue())))


def test_its_parts_are_pyqtgraphs_and_hold_the_real_numbers(qtbot: QtBot) -> None:
    heatmap = shown(qtbot)
    box, image, bar = heatmap.view_box(), heatmap.image_item(), heatmap.color_bar()
    assert isinstance(box, pg.ViewBox)
    assert isinstance(image, pg.ImageItem)
    assert isinstance(bar, pg.ColorBarItem)
    np.testing.assert_array_equal(image.image, VALUES)
    np.testing.assert_array_equal(image.image, heatmap.image())
    assert tuple(image.getLevels()) == tuple(bar.levels()) == (-1024, 1024)
    assert box.viewRange() == [[0, 3], [0, 3]]
    corner = box.mapViewToScene(QPointF(1.5, 0.5))
    assert corner.x() == pytest.approx(centre(heatmap, 0, 1).x(), abs=0.5)
    assert corner.y() == pytest.approx(centre(heatmap, 0, 1).y(), abs=0.5)


def test_linked_heatmaps_zoom_and_move_and_hover_as_one(qtbot: QtBot) -> None:
    left, right = shown(qtbot), shown(qtbot, matrix(VALUES / 2048, SEQUENTIAL, "pattern"))
    left.link(right)
    for one, other in ((left, right), (right, left)):
        wheel(one, centre(one, 1, 1), 2)
        near = one.view_box().viewRange()
        assert near[0][1] - near[0][0] < 3
        for axis in (0, 1):
            assert other.view_box().viewRange()[axis] == pytest.approx(near[axis], abs=0.02)
        qtbot.keyClick(one, Qt.Key.Key_0)
        assert one.zoomed == pytest.approx(1)
        assert other.zoomed == pytest.approx(1)
    before = right.grab().toImage()
    qtbot.mouseMove(left, centre(left, 2, 1).toPoint())
    qtbot.waitUntil(lambda: right.grab().toImage() != before)  # the same cell is pointed at


def test_a_zoom_is_undone_by_another_model_and_outlasts_an_edit(qtbot: QtBot) -> None:
    model, other = object(), object()
    heatmap = shown(qtbot, matrix(origin=model))
    heatmap.zoom_by(2.0)
    heatmap.set_matrix(matrix(VALUES + 1, origin=model))
    assert heatmap.zoomed == pytest.approx(2)
    heatmap.set_matrix(matrix(VALUES + 1, origin=other))
    assert heatmap.zoomed == 1


def test_levels_are_dragged_on_the_bar_and_reset_by_a_double_click(qtbot: QtBot) -> None:
    heatmap = shown(qtbot)
    quiet = color_of(heatmap, 2, 0)  # 3 beside 1024 is as good as 0
    bar = heatmap.color_bar()
    rect = bar.sceneBoundingRect()
    upper = QPointF(rect.center().x(), rect.bottom() - rect.height() * 191 / 256)
    drag(heatmap, qtbot, upper, QPointF(0, rect.height() * 0.2))
    assert heatmap.levels_by_hand
    low, high = heatmap.image_item().getLevels()
    assert 0 < high < 1024
    assert low == pytest.approx(-high)  # still centred on zero
    assert tuple(bar.levels()) == pytest.approx((low, high))
    assert "by hand" in heatmap.picture_caption()
    double_click(heatmap, qtbot, rect.center())
    assert "by hand" not in heatmap.picture_caption()
    assert tuple(heatmap.image_item().getLevels()) == (-1024, 1024)
    assert color_of(heatmap, 2, 0) == quiet


def test_levels_follow_the_data_again_after_an_edit_unless_dragged(qtbot: QtBot) -> None:
    heatmap = shown(qtbot)
    heatmap.set_matrix(matrix(VALUES * 2))
    assert tuple(heatmap.color_bar().levels()) == (-2048, 2048)


def test_one_is_seen_beside_1024_on_the_logarithmic_scale(qtbot: QtBot) -> None:
    heatmap = shown(qtbot)
    assert distance(color_of(heatmap, 1, 1), color_of(heatmap, 1, 0)) < 3
    heatmap.choose_scale(ScaleChoice(mode="log"))
    zero, one, minus = (color_of(heatmap, *cell) for cell in ((1, 0), (1, 1), (0, 1)))
    assert distance(one, zero) > 12
    assert distance(minus, zero) > 12
    assert distance(one, minus) > 12
    assert "log" in heatmap.picture_caption()


def test_each_row_by_itself_reaches_both_ends(qtbot: QtBot) -> None:
    values = np.array([[0.9, 0.1], [0.02, 0.01]])
    heatmap = shown(qtbot, matrix(values, SEQUENTIAL, "pattern"))
    heatmap.choose_scale(ScaleChoice(mode="row"))
    assert color_of(heatmap, 0, 0) == color_of(heatmap, 1, 0)
    assert color_of(heatmap, 1, 1) != color_of(heatmap, 1, 0)


def test_without_the_first_key_the_others_are_told_apart(qtbot: QtBot) -> None:
    values = np.array([[1.0, 0, 0], [0.98, 0.02, 0], [0.97, 0.02, 0.01]])
    heatmap = shown(qtbot, matrix(values, SEQUENTIAL, "pattern"))
    dark = distance(color_of(heatmap, 1, 1), color_of(heatmap, 1, 2))
    heatmap.choose_scale(ScaleChoice(first_key=False))
    assert tuple(heatmap.image_item().getLevels()) == (0, 0.02)
    assert distance(color_of(heatmap, 1, 1), color_of(heatmap, 1, 2)) > 10 * max(dark, 1)


def test_scale_and_colour_map_are_remembered_for_the_heatmap_of_a_name(qtbot: QtBot, kept: QSettings) -> None:
    chosen = ScaleChoice("log", first_key=False, diverging="CET-D1")
    shown(qtbot, name="scoresHeatmap").choose_scale(chosen)
    assert shown(qtbot, name="scoresHeatmap").choice == chosen
    assert shown(qtbot, name="patternHeatmap").choice == ScaleChoice()
    kept.setValue("scales/scoresHeatmap/mode", "nonsense")
    kept.setValue("scales/scoresHeatmap/diverging", "no such map")
    assert remembered_choice("scoresHeatmap") == ScaleChoice(first_key=False)


def test_the_menu_chooses_scale_and_map_and_undoes_zoom_and_levels(qtbot: QtBot) -> None:
    heatmap = shown(qtbot)

    def action(name: str) -> QAction:
        menu = QMenu(heatmap)
        add_view_actions(menu, heatmap)
        found = menu.findChild(QAction, name)
        assert isinstance(found, QAction)
        return found

    assert not action("viewAll").isEnabled()
    heatmap.zoom_by(2.0)
    action("viewAll").trigger()
    assert heatmap.zoomed == 1
    action("scale_log").trigger()
    assert heatmap.choice.mode == "log"
    assert action("scale_log").isChecked()
    before = color_of(heatmap, 0, 0)
    action("map_CET-D1").trigger()
    assert color_of(heatmap, 0, 0) != before
    action("scaleLessFirstKey").trigger()
    assert not heatmap.choice.first_key
    assert not action("resetLevels").isEnabled()


def test_a_right_click_on_the_bar_asks_for_a_menu_without_a_cell(qtbot: QtBot) -> None:
    heatmap = shown(qtbot)
    place = heatmap.color_bar().sceneBoundingRect().center().toPoint()
    with qtbot.waitSignal(heatmap.context_requested) as asked:
        qtbot.mouseClick(heatmap.viewport(), Qt.MouseButton.RightButton, pos=place)
    assert asked.args[:2] == [-1, -1]


def test_a_wheel_on_an_axis_scales_that_axis_alone(qtbot: QtBot) -> None:
    heatmap = shown(qtbot)
    layout = heatmap.layout_now()
    assert layout is not None
    wheel(heatmap, layout.row_labels.center())
    (left, right), (top, bottom) = heatmap.view_box().viewRange()
    assert (left, right) == (0, 3)
    assert bottom - top < 3


@pytest.mark.parametrize("kind", ["sequential", "diverging"])
@pytest.mark.parametrize("mode", ["fixed", "data", "log", "row"])
def test_every_scale_paints_numbers_of_every_size_without_a_warning(qtbot: QtBot, kind: str, mode: str) -> None:
    values = np.array([[np.nan, np.inf, -np.inf], [3e38, -3e38, 1e-45], [0.0, 0.0, 0.0]], dtype=np.float32)
    heatmap = shown(qtbot, matrix(values, SEQUENTIAL if kind == "sequential" else DIVERGING))
    heatmap.choose_scale(ScaleChoice(mode=mode, first_key=False))  # type: ignore[arg-type]
    assert heatmap.grab().toImage().width() > 0
    assert heatmap.painted is not None
    assert len(heatmap.painted.special) == 3
