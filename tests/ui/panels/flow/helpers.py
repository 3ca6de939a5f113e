"""What the tests of the flow share: a panel that is shown, places in it, and what it looks like."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QImage, QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from tests.engine.models import of_kind
from visualizer.formats import OpenedModel
from visualizer.session.document.edits import SetPrompt
from visualizer.session.session import Session
from visualizer.ui.panels.flow.canvas import FlowCanvas
from visualizer.ui.panels.flow.panel import FlowPanel

ATTN = "blocks.0.attn."


def shown(session: Session, qtbot: QtBot, width: int = 900, height: int = 520) -> FlowPanel:
    """A panel on a session, shown and painted."""
    panel = FlowPanel(session)
    qtbot.addWidget(panel)
    panel.resize(width, height)
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
    return next(i for i, tile in enumerate(canvas.landscape.tiles) if tile.matrix.name == name)


def names(canvas: FlowCanvas, kind: str = "activation") -> list[str]:
    """What is shown, from left to right."""
    return [tile.matrix.name for tile in canvas.landscape.tiles if tile.matrix.kind == kind]


def point_of(canvas: FlowCanvas, name: str, row: int, column: int) -> QPoint:
    """Where a cell is in the view."""
    return canvas.point_of(index_of(canvas, name), row, column).toPoint()


def click(panel: FlowPanel, qtbot: QtBot, point: QPoint, button: Qt.MouseButton = Qt.MouseButton.LeftButton) -> None:
    """Click at a point of the view."""
    qtbot.mouseClick(panel.canvas.viewport(), button, pos=point)


def click_cell(panel: FlowPanel, qtbot: QtBot, name: str, row: int, column: int) -> None:
    """Click on a cell."""
    click(panel, qtbot, point_of(panel.canvas, name, row, column))


def drag(canvas: FlowCanvas, qtbot: QtBot, start: QPoint, way: QPoint, button: Qt.MouseButton) -> None:
    """Press a button, go some way with it, and let it go."""
    viewport = canvas.viewport()
    qtbot.mousePress(viewport, button, pos=start)
    for share in (0.5, 1.0):
        point = QPointF(start) + QPointF(way) * share
        place = QPointF(viewport.mapToGlobal(point.toPoint()))
        kind, none = QEvent.Type.MouseMove, Qt.MouseButton.NoButton
        QApplication.sendEvent(viewport, QMouseEvent(kind, point, place, none, button, Qt.KeyboardModifier.NoModifier))
    qtbot.mouseRelease(viewport, button, pos=start + way)


def wheel(canvas: FlowCanvas, point: QPoint, notches: int) -> None:
    """Turn the wheel over a point of the view."""
    event = QWheelEvent(
        QPointF(point),
        QPointF(canvas.viewport().mapToGlobal(point)),
        QPoint(),
        QPoint(0, 120 * notches),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(canvas.viewport(), event)


def picture(canvas: FlowCanvas) -> QImage:
    """The canvas as it is painted once all pictures are made."""
    for _ in range(3):
        QApplication.processEvents()
    return canvas.viewport().grab().toImage()


def colors_in(image: QImage, rect: QRectF) -> set[str]:
    """The colours that occur in a rectangle."""
    inside = rect.toAlignedRect().intersected(image.rect())
    xs, ys = range(inside.left(), inside.right() + 1), range(inside.top(), inside.bottom() + 1)
    return {image.pixelColor(x, y).name() for x in xs for y in ys}


def box_in_view(canvas: FlowCanvas, name: str) -> QRectF:
    """Where a matrix is in the view."""
    return canvas.camera.rect(canvas.landscape.tiles[index_of(canvas, name)].box)
