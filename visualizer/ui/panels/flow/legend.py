"""The one legend of the picture: what its colours, signs and frames mean."""

from __future__ import annotations

from PySide6.QtCore import QLineF, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QBrush, QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from visualizer.session.words.numbers import MINUS
from visualizer.ui.look import colors
from visualizer.ui.look.theme import current_theme
from visualizer.ui.panels.flow.paper import DETAIL, Camera, Paper, Texts

SWATCH, BAR, GAP = 12.0, 54.0, 14.0
WORDS = (
    "Sequential colours run from 0 to 1: softmax weights and probabilities. Diverging ones from the largest magnitude "
    "of their matrix below zero, over 0 in the middle, to it above zero. ● reads the residual stream, + adds to it."
)


class Legend(QWidget):
    """The legend as a strip; what has no room is left out, the last first."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("flowLegend")
        self.setAccessibleName("Legend")
        self.setAccessibleDescription(WORDS)
        self.setToolTip(f"<p>{WORDS}</p>")
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        return QSize(400, round(legend_height(Texts(current_theme(), self.font()))))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        rect = QRectF(self.rect())
        paint_legend(Paper(painter, Camera(), Texts(current_theme(), self.font()), rect), rect)
        painter.end()


def legend_height(texts: Texts) -> float:
    """How high the legend is."""
    return texts.detail_line + 4


def paint_legend(paper: Paper, rect: QRectF) -> None:
    """The legend in one line, as far as it fits."""
    x = rect.left()
    theme = paper.theme
    for kind, before, after in (("sequential", "0", "1"), ("diverging", f"{MINUS}max", "max")):
        width = sum(paper.texts.width(text, DETAIL) for text in (before, after)) + BAR + 8
        if x + width > rect.right():
            return
        x = _word(paper, before, x, rect) + 4
        _bar(paper, kind, QRectF(x, rect.center().y() - 4, BAR, 8))
        x = _word(paper, after, x + BAR + 4, rect) + GAP
    swatches = (
        ("masked", theme.masked),
        ("nan", theme.not_a_number),
        ("inf", theme.positive_infinity),
        (f"{MINUS}inf", theme.negative_infinity),
        ("chosen", theme.accent),
        ("● reads the stream, ⊕ adds to it", ""),
        ("✱ intervened", ""),
    )
    for words, color in swatches:
        width = paper.texts.width(words, DETAIL) + (SWATCH + 4 if color else 0)
        if x + width > rect.right():
            return
        if color:
            _swatch(paper, QRectF(x, rect.center().y() - 5, SWATCH, 10), color)
            x += SWATCH + 4
        x = _word(paper, words, x, rect) + GAP


def _word(paper: Paper, text: str, x: float, rect: QRectF) -> float:
    height = paper.texts.detail_line
    return paper.write(text, DETAIL, paper.theme.muted_text, x, rect.center().y() - height / 2).right()


def _bar(paper: Paper, kind: str, rect: QRectF) -> None:
    image = QImage(bytes(range(colors.STEPS)) + b"\0", colors.STEPS, 1, colors.STEPS + 1, QImage.Format.Format_Indexed8)
    image.setColorTable(colors.lookup_table(kind, paper.theme).argb)
    paper.painter.drawImage(rect, image)
    paper.painter.setPen(paper.texts.pen(paper.theme.muted_text))
    paper.painter.setBrush(Qt.BrushStyle.NoBrush)
    paper.painter.drawRect(rect.adjusted(-0.5, -0.5, 0.5, 0.5))


def _swatch(paper: Paper, rect: QRectF, color: str) -> None:
    theme, painter = paper.theme, paper.painter
    if color == theme.accent:
        painter.setPen(paper.texts.pen(color, 2.0))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(rect)
        return
    painter.fillRect(rect, paper.texts.color(color))
    if color == theme.masked:
        painter.fillRect(rect, QBrush(paper.texts.color(theme.masked_hatch), Qt.BrushStyle.BDiagPattern))
    painter.setPen(paper.texts.pen(theme.muted_text))
    painter.drawLines([QLineF(QPointF(rect.left(), rect.bottom()), QPointF(rect.right(), rect.bottom()))])
