"""The ground of the picture: the blocks' frames, the residual stream, and the wires from matrix to matrix."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise

from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPainterPath, QPolygonF

from visualizer.engine.names import local_name
from visualizer.session.analysis.landscape.shapes import Frame, Landscape, Wire
from visualizer.ui.panels.flow.paper import BLOCK, DETAIL, Paper

ROUND, ARROW, RING, DOT = 5.0, 6.0, 6.5, 3.0  # logical pixels, at any zoom
SMALLEST_RING = 3.0
STREAM_WIDTH = 3.0
STREAM_NAME = "residual stream"
SUBLAYERS = {"attn": "attention", "mlp": "MLP"}  # how the names of their activations begin


def paint_ground(paper: Paper, landscape: Landscape, message: str = "") -> None:
    """Everything under the matrices, or a message in its place."""
    if message:
        paper.painter.setFont(paper.texts.fonts[BLOCK])
        paper.painter.setPen(paper.texts.color(paper.theme.muted_text))
        paper.painter.drawText(paper.view, Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, message)
        return
    for frame in landscape.frames:
        if paper.sees(frame.box):
            _frame(paper, frame)
    for name, left, right in sublayers(landscape):
        _sublayer(paper, landscape, name, left, right)
    paper.painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
    _stream(paper, landscape)
    radii = rings(paper, landscape)
    for wire in landscape.wires:
        _wire(paper, wire, paper.theme.muted_text, radii)
    for wire in landscape.wires:
        if wire.kind == "reads":
            _dot(paper, wire.points[0])
    for x, radius in radii.items():
        _join(paper, x, landscape.stream_height, radius)
    paper.painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)


def _frame(paper: Paper, frame: Frame) -> None:
    painter, theme, texts = paper.painter, paper.theme, paper.texts
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
    painter.setPen(texts.pen(theme.rule))
    painter.setBrush(texts.color(theme.background))
    painter.drawRoundedRect(paper.camera.rect(frame.box), ROUND, ROUND)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)


def paint_block_title(paper: Paper, frame: Frame, chosen: bool) -> None:
    """A block's title, which stays in sight as long as the block does."""
    theme, texts, rect = paper.theme, paper.texts, paper.camera.rect(frame.box)
    sign = "▾" if frame.opened else "▸"
    words = (f"{sign} block {frame.block}", f"{sign} {frame.block}", f"{frame.block}")
    text = texts.fitting(words, BLOCK, rect.width() - 4)
    if not text or not rect.intersects(paper.view):
        return
    width = texts.width(text, BLOCK)
    left = rect.center().x() - width / 2
    if frame.opened:
        left = max(rect.left() + 6, min(paper.view.left() + 4, rect.right() - width - 4))
    top = max(rect.top() + 2, paper.view.top() + 1)
    paper.write(text, BLOCK, theme.text if chosen else theme.muted_text, left, top, theme.background)


def sublayers(landscape: Landscape) -> list[tuple[str, float, float]]:
    """What the parts of the open blocks are called, and from where to where their matrices reach."""
    found: list[tuple[str, float, float]] = []
    before: tuple[int | None, str] = (None, "")
    for tile in landscape.tiles:
        local = local_name(tile.matrix.name)
        name = next((words for start, words in SUBLAYERS.items() if local.startswith(start)), "")
        if tile.matrix.kind != "activation" or tile.block is None or not name:
            continue
        left = found.pop()[1] if (tile.block, name) == before else tile.box.left
        found.append((name, left, tile.box.right))
        before = tile.block, name
    return found


def _sublayer(paper: Paper, landscape: Landscape, name: str, left: float, right: float) -> None:
    """The name of a part of a block, in the middle of it, level with the block's title."""
    camera, texts = paper.camera, paper.texts
    start, end = max(camera.x(left), paper.view.left()), min(camera.x(right), paper.view.right())
    width = texts.width(name, BLOCK)
    top = next((camera.y(f.header.top) for f in landscape.frames if f.opened), 0.0)
    if end - start > width and camera.y(landscape.stream_height) > paper.view.top() + texts.line:
        paper.write(name, BLOCK, paper.theme.muted_text, (start + end - width) / 2, max(top, paper.view.top()) + 2)


def _stream(paper: Paper, landscape: Landscape) -> None:
    y = paper.camera.y(landscape.stream_height)
    left, right = (paper.camera.x(x) for x in landscape.stream)
    paper.painter.setPen(paper.texts.pen(paper.theme.muted_text, STREAM_WIDTH))
    paper.painter.drawLine(QLineF(max(left, paper.view.left() - 9), y, min(right, paper.view.right() + 9), y))
    _stream_name(paper, landscape, y)


def _stream_name(paper: Paper, landscape: Landscape, y: float) -> None:
    """What the line is, after the first that reads it, where there is room before the first sum."""
    starts = [wire.points[0][0] for wire in landscape.wires if wire.kind == "reads"]
    ends = [x for x, _ in landscape.joins] or [landscape.stream[1]]
    if not starts:
        return
    left = max(paper.camera.x(min(starts)), paper.view.left()) + 2 * ROUND
    width = paper.texts.width(STREAM_NAME, DETAIL)
    if (
        left + width
        < min(
            paper.camera.x(min((x for x in ends if x > min(starts)), default=landscape.stream[1])), paper.view.right()
        )
        - RING
    ):
        paper.write(STREAM_NAME, DETAIL, paper.theme.muted_text, left, y - paper.texts.detail_line - 2)


def _wire(paper: Paper, wire: Wire, color: str, radii: Mapping[float, float]) -> None:
    """A wire with round corners; it passes over others in a gap of theirs, and ends in an arrow where it arrives."""
    camera = paper.camera
    points = [QPointF(camera.x(x), camera.y(y)) for x, y in wire.points]
    if not QPolygonF(points).boundingRect().adjusted(-9, -9, 9, 9).intersects(paper.view):
        return
    joins = wire.kind in ("adds", "begins")
    if wire.kind == "adds":
        points[-1] = QPointF(points[-1].x(), points[-1].y() + radii.get(wire.points[-1][0], RING))
    path = rounded(points)
    paper.painter.setBrush(Qt.BrushStyle.NoBrush)
    paper.painter.setPen(paper.texts.pen(_ground(paper, wire), 4.0))
    paper.painter.drawPath(path)
    paper.painter.setPen(paper.texts.pen(color, 1.2))
    paper.painter.drawPath(path)
    if not joins or wire.kind == "adds":
        _arrow(paper, points[-2], points[-1], color)


def _ground(paper: Paper, wire: Wire) -> str:
    inside = wire.source.startswith("blocks.") and wire.kind != "begins"
    return paper.theme.background if inside else paper.theme.panel


def rounded(points: Sequence[QPointF]) -> QPainterPath:
    """A way along points with its corners rounded off."""
    path = QPainterPath(points[0])
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        into, out = QLineF(corner, before), QLineF(corner, after)
        into.setLength(min(ROUND, into.length() / 2))
        out.setLength(min(ROUND, out.length() / 2))
        path.lineTo(into.p2())
        path.quadTo(corner, out.p2())
    path.lineTo(points[-1])
    return path


def _arrow(paper: Paper, before: QPointF, tip: QPointF, color: str) -> None:
    line = QLineF(tip, before)
    if line.length() < ARROW:
        return
    line.setLength(ARROW)
    aside = line.normalVector()
    aside.setLength(ARROW / 2)
    half = QPointF(aside.dx(), aside.dy())
    paper.painter.setPen(Qt.PenStyle.NoPen)
    paper.painter.setBrush(paper.texts.color(color))
    paper.painter.drawPolygon(QPolygonF([tip, line.p2() + half, line.p2() - half]))
    paper.painter.setBrush(Qt.BrushStyle.NoBrush)


def rings(paper: Paper, landscape: Landscape) -> dict[float, float]:
    """How large the sum at each place on the stream is drawn: smaller where others are near."""
    places = sorted(x for x, _ in landscape.joins)
    apart = [(after - before) * paper.camera.across for before, after in pairwise(places)]
    room = [min(pair) for pair in zip([math.inf, *apart], [*apart, math.inf], strict=True)]
    return {x: max(min(RING, 0.45 * wide), SMALLEST_RING) for x, wide in zip(places, room, strict=False)}


def _dot(paper: Paper, place: tuple[float, float]) -> None:
    """Something reads the stream here."""
    paper.painter.setPen(Qt.PenStyle.NoPen)
    paper.painter.setBrush(paper.texts.color(paper.theme.text))
    radius = DOT if paper.camera.across >= 0.5 else DOT - 0.5
    paper.painter.drawEllipse(QPointF(paper.camera.x(place[0]), paper.camera.y(place[1])), radius, radius)
    paper.painter.setBrush(Qt.BrushStyle.NoBrush)


def _join(paper: Paper, x: float, y: float, radius: float) -> None:
    """Something is added to the stream here."""
    middle = QPointF(paper.camera.x(x), paper.camera.y(y))
    box = QRectF(middle.x() - radius, middle.y() - radius, 2 * radius, 2 * radius)
    paper.painter.setPen(paper.texts.pen(paper.theme.text, 1.3))
    paper.painter.setBrush(paper.texts.color(paper.theme.panel))
    paper.painter.drawEllipse(box)
    arm = radius - 2.5 if radius > 4 else radius - 1.0
    paper.painter.drawLine(QLineF(middle.x() - arm, middle.y(), middle.x() + arm, middle.y()))
    paper.painter.drawLine(QLineF(middle.x(), middle.y() - arm, middle.x(), middle.y() + arm))
    paper.painter.setBrush(Qt.BrushStyle.NoBrush)
