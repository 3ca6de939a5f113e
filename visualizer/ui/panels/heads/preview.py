"""One head close up: its pattern as a heatmap between its tokens, and what it does."""

from __future__ import annotations

import numpy as np
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QWidget

from visualizer.ui.heatmap.widget import Heatmap
from visualizer.ui.look.colors import SEQUENTIAL, Scale
from visualizer.ui.look.theme import current_theme, token_color
from visualizer.ui.panels.heads.scores import HeadScores
from visualizer.ui.panels.heads.tiles import Heads

NAMES = {
    "value": "softmax weights",
    "baseline": "softmax weights of the baseline",
    "difference": "change of the weights",
}


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
        self._shown: tuple[Heads | None, int, object] | None = None
        self._box = QBoxLayout(QBoxLayout.Direction.TopToBottom, self)
        self._box.setContentsMargins(0, 0, 0, 0)
        self._box.setSpacing(8)
        self._box.addWidget(self.heatmap, 1)
        self._box.addWidget(self.scores)

    @property
    def head(self) -> int:
        """Which head is shown, as layer · heads + head."""
        return self.scores.head

    def set_head(self, heads: Heads | None, head: int, message: str = "") -> None:
        """Show one of these heads, or without any a sentence."""
        shown = (heads, head, current_theme())
        if shown == self._shown and heads is not None:
            return
        self._shown = shown
        self.scores.set_head(heads, head)
        self.scores.setVisible(heads is not None)
        if heads is None:
            self.heatmap.set_empty(message)
            return
        layer, number = divmod(head, heads.shape[1])
        hues = [token_color(int(token), current_theme()) for token in heads.trace.tokens]
        self.heatmap.whose = f"block {layer}, head {number}"
        self.heatmap.set_matrix(
            heads.weights(head),
            masked=np.triu(np.ones((heads.count, heads.count), dtype=bool), 1),
            row_labels=heads.labels,
            column_labels=heads.labels,
            scale=Scale("diverging", heads.limit) if heads.signed else SEQUENTIAL,
            name=NAMES[heads.comparison],
            row_label_colors=hues,
            column_label_colors=hues,
        )

    # -- Qt

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        beside = self.width() > self.height() * 1.2
        self._box.setDirection(QBoxLayout.Direction.LeftToRight if beside else QBoxLayout.Direction.TopToBottom)
