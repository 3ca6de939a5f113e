"""The lens as a heatmap whose cells show the most probable token."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QSize

from visualizer.engine.names import block_of, local_name
from visualizer.formats import OpenedModel
from visualizer.session.analysis.lens import Lens
from visualizer.session.words.axis_labels import about_pass, token_label, visible_label, with_position
from visualizer.session.words.comparison import ADDED
from visualizer.session.words.numbers import against, full, short
from visualizer.ui.heatmap.matrix import Axis, Matrix
from visualizer.ui.heatmap.view import KEYS
from visualizer.ui.heatmap.widget import Heatmap
from visualizer.ui.look.colors import SEQUENTIAL, Scale
from visualizer.ui.look.theme import current_theme, token_color


def stream_words(name: str) -> str:
    """A residual stream for a row's label: `embed`, `0.mid`, `0.post`."""
    block, stream = block_of(name), local_name(name)
    return "embed" if (block, stream) == (0, "resid_pre") else f"{block}.{stream.removeprefix('resid_')}"


class _TokenMatrix(Matrix):
    """Probabilities whose cells are written as tokens, each put into words when it is seen."""

    opened: OpenedModel
    seen: Lens
    base: Lens | None = None

    def text(self, row: int, column: int, room: int) -> str:
        token = visible_label(token_label(self.opened, int(self.seen.tokens[row, column, 0])))
        probability = short(float(self.values[row, column]), 2)
        if len(token) + 1 + len(probability) <= room:
            return f"{token} {probability}"
        return token if len(token) <= room else token[: room - 1] + "…"

    def readout(self, row: int, column: int) -> str:
        tokens, probabilities = self.seen.tokens[row, column], self.seen.probabilities[row, column]
        lines = [f"{self.seen.names[row]} after {self.columns.labels[column]} would predict"]
        for token, probability in zip(tokens.tolist(), probabilities.tolist(), strict=True):
            lines.append(f"  {token_label(self.opened, token)}   {full(probability, np.float32)}")
        if self.base is not None and self.base.asked is not None:
            words = against(float(probabilities[0]), float(self.base.asked[row, column]), np.float32)
            lines.append(f"{token_label(self.opened, int(tokens[0]))}: {words}")
        if self.changed is not None and self.changed[row, column]:
            was = token_label(self.opened, int(self.base.tokens[row, column, 0])) if self.base is not None else ""
            lines.append(f"another token than the baseline's {was}")
        return "\n".join(lines)

    def spoken(self, row: int, column: int) -> str:
        return self.readout(row, column).replace("\n", "; ")


class LensGrid(Heatmap):
    """Rows are residual streams, columns positions; coloured by the probability of the token in the cell."""

    def show_lens(
        self, opened: OpenedModel, ids: Sequence[int], seen: Lens, base: Lens | None, compared: bool = False
    ) -> None:
        """Show a reading of the context `ids`; cells whose token is not the baseline's are marked as changed.

        `compared` colours them by how much more probable their token is than in the baseline.
        """
        labels = [with_position(token_label(opened, ids[p]), p) for p in seen.positions]
        theme = current_theme()
        if base is not None and base.positions != seen.positions:
            base = None
        then = base.asked if compared and base is not None else None
        values = seen.probabilities[:, :, 0]
        hues = [token_color(ids[p], theme) for p in seen.positions]
        matrix = _TokenMatrix(
            values if then is None else values - then,
            Axis("stream", [stream_words(name) for name in seen.names], positions=False),
            Axis("position", labels, hues, positions=False),
            name="logit lens" + ADDED["value" if then is None else "difference"],
            scale=SEQUENTIAL if then is None else Scale("diverging", 1.0),
            changed=seen.tokens[:, :, 0] != base.tokens[:, :, 0] if base is not None else None,
            about=about_pass(opened, ids),
            origin=opened,
        )
        matrix.opened, matrix.seen, matrix.base = opened, seen, base
        self.set_matrix(matrix)

    def name_it(self, matrix: Matrix) -> None:
        rows, columns = matrix.shape
        self.setAccessibleName(f"logit lens, {rows} streams by {columns} positions")
        meaning = "the next token as each stream would have it"
        self.setToolTip(f"logit lens [stream {rows}, position {columns}]: {meaning}\n{KEYS}")

    def minimumSizeHint(self) -> QSize:
        return QSize(170, 84)
