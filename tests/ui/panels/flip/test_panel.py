"""The flip finder's panel: choose a weight, find, apply, cancel."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtWidgets import QComboBox, QLabel, QPushButton
from pytestqt.qtbot import QtBot

from tests.engine.models import of_kind
from tests.ui.finding import child, on_screen
from visualizer.formats import OpenedModel
from visualizer.session.document.edits import SetPrompt
from visualizer.session.selection import CellRef
from visualizer.session.session import Session
from visualizer.ui.panels.flip.panel import NOTHING_CHOSEN, FlipPanel
from visualizer.ui.panels.flip.plot import FlipPlot

CELL = CellRef("parameter", "blocks.0.attn.c_proj.w", (7, 5))


@pytest.fixture
def panel(session: Session, qtbot: QtBot) -> FlipPanel:
    """The panel, shown."""
    return shown_panel(session, qtbot)


def shown_panel(session: Session, qtbot: QtBot) -> FlipPanel:
    """A panel on screen."""
    return on_screen(FlipPanel(session), qtbot, 560, 360)


def said(panel: FlipPanel) -> str:
    """What it says."""
    return child(panel, QLabel, "flipSaid").text()


def button(panel: FlipPanel, name: str) -> QPushButton:
    """One of its buttons."""
    return child(panel, QPushButton, name)


def choose_kind(panel: FlipPanel, text: str) -> None:
    """Pick what is changed."""
    box = child(panel, QComboBox, "flipKind")
    box.setCurrentText(text)


def test_it_asks_for_a_weight_first(panel: FlipPanel, session: Session) -> None:
    assert said(panel) == NOTHING_CHOSEN
    assert not button(panel, "flipFind").isEnabled()
    session.selection.choose(cell=CellRef("activation", "probs", (0, 0)))
    assert said(panel) == NOTHING_CHOSEN


def test_a_weight_is_searched_and_the_change_made(panel: FlipPanel, session: Session, qtbot: QtBot) -> None:
    session.selection.choose(cell=CELL)
    assert "“aabaa”" in said(panel)
    qtbot.mouseClick(button(panel, "flipFind"), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: button(panel, "flipApply").isEnabled())
    assert "−1024" in said(panel).replace("-", "−")
    assert "makes the next token a instead of b" in said(panel)
    assert session.result is not None
    assert session.result.generated[0] == 1
    qtbot.mouseClick(button(panel, "flipApply"), Qt.MouseButton.LeftButton)
    assert session.result.generated[0] == 0
    assert session.document.history()[0][-1].endswith("→ a")
    session.document.undo()
    assert session.result.generated[0] == 1


def test_a_small_search_is_made_by_itself(panel: FlipPanel, session: Session, qtbot: QtBot) -> None:
    session.selection.choose(cell=CELL)
    qtbot.waitUntil(lambda: panel.flip is not None)
    choose_kind(panel, "scale its row")
    assert panel.flip is None
    qtbot.waitUntil(lambda: panel.flip is not None)
    assert "row blocks.0.attn.c_proj.w[7] scaled by 0.5" in said(panel)


def test_no_flip_is_said_with_what_was_searched(panel: FlipPanel, session: Session, qtbot: QtBot) -> None:
    session.selection.choose(cell=CellRef("parameter", "wpe", (4, 0)))
    qtbot.waitUntil(lambda: panel.flip is not None)
    assert said(panel).startswith("Nothing from −")
    assert not button(panel, "flipApply").isEnabled()


def test_an_edit_makes_what_was_found_untrue(panel: FlipPanel, session: Session, qtbot: QtBot) -> None:
    session.selection.choose(cell=CELL)
    qtbot.waitUntil(lambda: panel.flip is not None)
    session.step_forward()
    assert panel.flip is None
    assert not button(panel, "flipApply").isEnabled()


def test_a_long_search_can_be_cancelled(qtbot: QtBot) -> None:
    model = of_kind("gpt-2", n_layers=4, d_model=64, n_heads=4, d_mlp=256, n_ctx=256, dtype="float32")
    session = Session(OpenedModel(model, "medium", "medium"))
    session.document.apply(_prompt(256))
    panel = shown_panel(session, qtbot)
    session.selection.choose(cell=CellRef("parameter", "blocks.0.attn.c_attn.w", (0, 0)))
    qtbot.mouseClick(button(panel, "flipFind"), Qt.MouseButton.LeftButton)
    cancel = button(panel, "flipCancel")
    qtbot.waitUntil(cancel.isVisible)
    qtbot.waitUntil(lambda: said(panel).startswith("searching"))
    qtbot.mouseClick(cancel, Qt.MouseButton.LeftButton)
    assert not cancel.isVisible()
    assert said(panel).startswith("Cancelled")
    assert button(panel, "flipFind").isEnabled()
    qtbot.wait(50)
    assert panel.flip is None


def _prompt(count: int) -> SetPrompt:
    return SetPrompt(tuple((np.arange(count) * 7 % 6).tolist()))


def test_the_mouse_over_the_curve_asks_for_the_values_that_were_tried(
    panel: FlipPanel, session: Session, qtbot: QtBot
) -> None:
    session.selection.choose(cell=CELL)
    qtbot.waitUntil(lambda: panel.flip is not None)
    plot, flip = panel.findChild(FlipPlot), panel.flip
    assert plot is not None
    assert flip is not None
    assert flip.found is not None
    box = plot.getPlotItem().getViewBox()
    for trial in (flip.present, flip.found):
        place = plot.mapFromScene(box.mapViewToScene(QPointF(trial.x, 0.0)))
        nearest = plot.nearest(QPointF(place))
        assert nearest is not None
        pixel = box.viewPixelSize()[0]
        assert abs(nearest.x - trial.x) <= 2 * pixel
        qtbot.mouseMove(plot.viewport(), place)
    before = box.viewRange()
    qtbot.mousePress(plot.viewport(), Qt.MouseButton.LeftButton, pos=place)
    qtbot.mouseMove(plot.viewport(), place + QPoint(40, 0))
    qtbot.mouseRelease(plot.viewport(), Qt.MouseButton.LeftButton, pos=place + QPoint(40, 0))
    assert box.viewRange() == before
