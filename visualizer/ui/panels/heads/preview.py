"""One head close up: its pattern as a heatmap between its tokens, and what it does."""

from __future__ import annotations

import numpy as np
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QWidget

from visualizer.formats import OpenedModel
from visualizer.session.words.comparison import ADDED
from visualizer.ui.heatmap.matrix import Axis, Matrix
from visualizer.ui.heatmap.widget import Heatmap
from visualizer.ui.look.colors import SEQUENTIAL, Scale
from visualizer.ui.look.theme import current_theme, token_color
from visualizer.ui.panels.heads.scores import HeadScores
from visualizer.ui.panels.heads.tiles import Heads

LARGEST = 16777215  # Qt's own largest size of a widget


class HeadPreview(QWidget):
    """Heatmap and scores of one head; beside each other where it is wider than high.

    Attributes:
        heatmap: the pattern [query, key]; scores: what the head does, in words.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("headPreview")
        self.setAccessibleName("One head")
        self.heatmap, self.scores = Heatmap(self), HeadScores(self)
        self.heatmap.setObjectName("headHeatmap")
        self._shown: tuple[object, ...] | None = None
        self._box = QBoxLayout(QBoxLayout.Direction.TopToBottom, self)
        self._box.setContentsMargins(0, 0, 0, 0)
        self._box.setSpacing(8)
        self._box.addWidget(self.heatmap, 1)
        self._box.addWidget(self.scores)
        self._box.addStretch()

    @property
    def head(self) -> int:
        """Which head is shown, as layer · heads + head."""
        return self.scores.head

    def set_head(self, heads: Heads | None, head: int, opened: OpenedModel, about: str) -> None:
        """Show one of these heads, which are those of a model; without any, `about` is a sentence to show instead."""
        shown = (heads, head, current_theme(), about)
        if shown == self._shown:
            return
        self._shown = shown
        self.scores.set_head(heads, head)
        self.scores.setVisible(heads is not None)
        if heads is None:
            self.heatmap.set_empty(about)
            return
        layer, number = divmod(head, heads.shape[1])
        hues = [token_color(int(token), current_theme()) for token in heads.trace.tokens]
        self.heatmap.whose = f"block {layer}, head {number}"
        self.heatmap.set_matrix(
            Matrix(
                heads.weights(head),
                Axis("query", heads.labels, hues),
                Axis("key", heads.labels, hues),
                name=f"pattern{ADDED[heads.comparison]}",
                scale=Scale("diverging", heads.limit) if heads.signed else SEQUENTIAL,
                masked=np.triu(np.ones((heads.count, heads.count), dtype=np.bool_), 1),
                about=about,
                origin=opened,
            )
        )

    # -- Qt

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        beside = self.width() > self.height() * 1.2
        self._box.setDirection(QBoxLayout.Direction.LeftToRight if beside else QBoxLayout.Direction.TopToBottom)
        # Cells of a long text are drawn higher than wide where there is room: a pattern is known by its diagonals.
        self.heatmap.setMaximumSize(*((LARGEST, LARGEST) if beside else (LARGEST, round(self.width() * 1.1))))
        self.scores.setMaximumWidth(self.scores.sizeHint().width() * 3 // 2 if beside else LARGEST)
