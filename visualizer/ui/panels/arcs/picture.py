"""The picture part of the arcs: whose attention is shown and marked, in words, on screen and on paper."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from PySide6.QtCore import QEvent, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QScrollBar, QWidget

from visualizer.session.analysis.arc_weights import ArcFilter, Weights
from visualizer.session.words.axis_labels import visible_label, with_position
from visualizer.session.words.comparison import ADDED
from visualizer.session.words.numbers import full, short
from visualizer.ui.look.theme import current_theme
from visualizer.ui.panels.arcs.line import Line, lay_out
from visualizer.ui.panels.arcs.paint import Arcs, ArcsLook, ArcsPainter
from visualizer.ui.widgets.drawing import paint_message

EMPTY = "The prompt is empty. Type a few tokens to see which of them attend to which."
MOST_ARCS = 600
FEW = 32  # tokens up to which the arcs that there are decide how high they rise
MOST_QUERIES = 128  # of more chosen tokens than this, only those in view have arcs
#: So much, in pixels, may the tokens' widths add up to more than the room that they were given.
ROUNDING = 1e-6


class ArcsPicture(QWidget):
    """Tokens on a line, arcs from queries to their keys above it, what each key receives below it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("arcs")
        self.setAccessibleName("Attention as arcs")
        self.setToolTip("Who attends to whom; click tokens to see theirs alone or summed (arrows, space, Esc)")
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self._weights: Weights | None = None
        self._filter = ArcFilter()
        self._tokens: list[str] = []
        self._names: list[str] = []
        self._message, self._about = EMPTY, ""
        self._chosen: frozenset[int] = frozenset()
        self._key: int | None = None
        self._cursor: int | None = None
        self._hovered: int | None = None
        self._walking = False
        self._received: tuple[object, list[float]] | None = None
        self._resting: tuple[object, Arcs] | None = None
        self._painter: ArcsPainter | None = None
        self._reach: int | None = None
        self._line = lay_out([], self.font(), 0, 0)
        self._scroll = QScrollBar(Qt.Orientation.Horizontal, self)
        self._scroll.setAccessibleName("Scroll the tokens")
        self._scroll.setSingleStep(40)
        self._scroll.valueChanged.connect(self._place)
        self._scroll.hide()

    # -- what is shown

    @property
    def weights(self) -> Weights | None:
        """Whose attention is shown; None before the first."""
        return self._weights

    @property
    def chosen(self) -> frozenset[int]:
        """The tokens whose weights are summed; none of them stands for all."""
        return self._chosen

    def set_weights(self, weights: Weights | None, message: str = EMPTY, about: str = "") -> None:
        """Show these weights, or without any a sentence in their place.

        `about` says for a picture's caption which model, block, head and text they are of.
        """
        before, self._weights, self._message, self._about = self._weights, weights, message, about
        labels = () if weights is None else weights.labels
        if before is None or before.labels != labels:
            self._tokens = [visible_label(label) for label in labels]
            self._names = [with_position(token, place) for place, token in enumerate(self._tokens)]
        self._received = self._resting = self._painter = None  # what was drawn goes, too
        few = weights is not None and len(labels) <= FEW
        self._reach = weights.reach(ArcFilter().at_least) if weights is not None and few else None
        count = len(labels)
        self._cursor = None if self._cursor is None or self._cursor >= count else self._cursor
        self._hovered = None if self._hovered is None or self._hovered >= count else self._hovered
        self._chosen = frozenset(place for place in self._chosen if place < count)
        self._lay_out()
        self._describe()

    def set_filter(self, wanted: ArcFilter) -> None:
        """Draw arcs for these of the weights; the bars go on adding up all."""
        self._filter = wanted
        self.update()

    def _lay_out(self) -> None:
        """Find places for the tokens in the room that there is, and scroll them where it is too small."""
        width, height = self.width(), self.height()
        line = lay_out(self._tokens, self.font(), width, height, reach=self._reach)
        beyond = max(math.ceil(line.total - ROUNDING) - width, 0)
        bar = self._scroll.sizeHint().height()
        self._scroll.setVisible(beyond > 0)
        self._scroll.setGeometry(0, height - bar, width, bar)
        if beyond:
            line = lay_out(self._tokens, self.font(), width, height - bar)
        self._line = line
        self._scroll.setPageStep(width)
        self._scroll.setRange(0, beyond)
        self._place()

    def _place(self) -> None:
        """Move the tokens as far as they are scrolled."""
        if self._scroll.maximum() or self._line.total > self._line.width + ROUNDING:
            self._line = replace(self._line, offset=-float(self._scroll.value()))
        self._painter = None
        self.update()

    def set_chosen(self, chosen: frozenset[int], key: int | None) -> None:
        """Frame these tokens and sum their weights; `key` is the token whose received weight is marked."""
        if (chosen, key) != (self._chosen, self._key):
            self._chosen, self._key = chosen, key
            self._describe()
            self.update()

    def pointed(self) -> int | None:
        """The token under the mouse, else the one that an arrow key went to: its arcs alone stand out."""
        if self._hovered is not None:
            return self._hovered
        return self._cursor if self._walking and self.hasFocus() else None

    def queries(self, pointing: bool = True) -> list[int]:
        """The tokens whose weights the bars add up: the one pointed at, else the chosen ones, else all."""
        pointed = self.pointed() if pointing else None
        if pointed is not None:
            return [pointed]
        return sorted(self._chosen) if self._chosen else list(range(len(self._names)))

    def received(self, pointing: bool = True) -> list[float]:
        """The number under each token."""
        if self._weights is None:
            return []
        queries = self.queries(pointing)
        key = (self._weights, queries)
        if self._received is None or self._received[0] != key:
            self._received = (key, self._weights.received(queries).tolist())
        return self._received[1]

    def summary(self, pointing: bool = True) -> str:
        """Whose weights the bars add up, in words."""
        pointed = self.pointed() if pointing else None
        if self._weights is None:
            return ""
        if pointed is not None:
            return f"from {self._names[pointed]}"
        if not self._chosen:
            hint = " (click tokens to choose them)" if pointing else ""
            return f"summed over all {len(self._names)} tokens{hint}"
        names = [self._names[i] for i in sorted(self._chosen)]
        shown = ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")
        return f"from {shown}" if len(names) == 1 else f"summed over {shown}"

    def arcs(self, queries: Sequence[int]) -> Arcs:
        """The arcs that some queries have, the faintest first."""
        return [] if self._weights is None else self._weights.arcs(queries, self._filter, MOST_ARCS)

    def token_rect(self, place: int) -> QRectF:
        """Where a token lies. Raises IndexError for one that is not there."""
        return self._line.token_rect(place)

    def bar_rect(self, place: int) -> QRectF:
        """Where the weight that a token receives is drawn. Raises IndexError for a token that is not there."""
        return self._line.bar_rect(place)

    def _look(self, line: Line, pointing: bool) -> ArcsLook:
        """What is drawn and marked on a line of the tokens, with or without what mouse and keyboard are on."""
        queries = sorted(self._chosen) or list(range(len(self._names)))
        if len(queries) > MOST_QUERIES:
            queries = [place for place in line.visible() if not self._chosen or place in self._chosen]
        key = (self._weights, self._filter, queries)
        if self._resting is None or self._resting[0] != key:
            self._resting = (key, self.arcs(queries))
        pointed = self.pointed() if pointing else None
        pointed_at = [] if pointed is None else self.arcs([pointed])
        shown, of = (self._resting[1], queries) if pointed is None else (pointed_at, [pointed])
        return ArcsLook(
            resting=self._resting[1],
            pointed_at=pointed_at,
            chosen=self._chosen,
            key=self._key,
            pointed=pointed,
            cursor=self._cursor if pointing and self.hasFocus() else None,
            received=self.received(pointing),
            summary=f"{self._kind()} {self.summary(pointing)}",
            note=f"{len(shown):,} of {sum(place + 1 for place in of):,} have an arc",
        )

    def paint_picture(self, painter: QPainter, target: QRectF) -> None:
        """Draw all tokens and their arcs into a rectangle of any size, as lines and letters, without focus and mouse.

        What is chosen stays marked: it says whose weights are drawn.
        """
        painter.save()
        painter.translate(target.topLeft())
        area = QRectF(0, 0, target.width(), target.height())
        if self._weights is None:
            paint_message(painter, area, self._message)
        else:
            painter.fillRect(area, QColor(current_theme().panel))
            line = lay_out(self._tokens, self.font(), area.width(), area.height(), 0.0, self._reach)
            ArcsPainter(self._weights, line, self.font()).paint(painter, self._look(line, pointing=False))
        painter.restore()

    # -- words

    def _kind(self) -> str:
        """What is drawn."""
        weights = self._weights
        compared = weights is not None and weights.baseline is not None
        return "weights" + ADDED[weights.comparison if weights is not None and compared else "value"]

    def picture_caption(self) -> str:
        """What is drawn, and what arcs and bars mean; empty where nothing is."""
        weights = self._weights
        if weights is None:
            return ""
        return (
            f"{self._about} · arcs: {self._filter.words(weights.signed)}, as wide as the weight, 1 the widest"
            f" · bars: all {self._kind()} {self.summary(pointing=False)}"
        )

    def readout(self, place: int) -> str:
        """A token in words: how much it receives, and what it attends to most."""
        weights = self._weights
        if weights is None:
            return ""
        dtype = weights.trace[weights.name].dtype
        lines = [f"{self._names[place]} receives {full(self.received()[place], dtype)} {self.summary()}"]
        best = weights.arcs([place], ArcFilter(0.0, 3), 3)[::-1]
        if best:
            attended = ", ".join(f"{self._names[key]} {short(weight)}" for _, key, weight in best)
            lines.append(f"attends to {attended}")
        return "\n".join(lines)

    def _describe(self) -> None:
        place = self._cursor
        if self._weights is None:
            self.setAccessibleDescription(self._message)
        elif place is None:
            self.setAccessibleDescription(f"{len(self._names)} tokens; {self._kind()} {self.summary()}")
        else:
            state = "chosen" if place in self._chosen else "not chosen"
            self.setAccessibleDescription(f"{state}; " + self.readout(place).replace("\n", "; "))

    # -- Qt

    def sizeHint(self) -> QSize:
        return QSize(480, 240)

    def minimumSizeHint(self) -> QSize:
        return QSize(160, 120)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        if self._weights is None:
            paint_message(painter, QRectF(self.rect()), self._message)
        else:
            if self._painter is None:
                self._painter = ArcsPainter(self._weights, self._line, self.font())
            look = self._look(self._line, pointing=True)
            self._painter.paint_kept(painter, look, self.size(), self.devicePixelRatioF())
        painter.end()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._lay_out()

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.FontChange:
            self._lay_out()
        super().changeEvent(event)
