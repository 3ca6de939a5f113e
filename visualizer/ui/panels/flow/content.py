"""What the flow view says about a matrix and its cells: headings, labels, and numbers in words."""

from __future__ import annotations

from functools import cached_property
from typing import Literal

import numpy as np

from visualizer.engine.explanation import Source
from visualizer.engine.names import block_prefix
from visualizer.session.analysis.stage_values import StageValues
from visualizer.session.analysis.stages import StageMatrix
from visualizer.session.session import Session
from visualizer.session.words.axis_labels import axis_labels, dimensions, token_label, with_position
from visualizer.session.words.formulas import Words
from visualizer.session.words.numbers import full
from visualizer.session.words.parameters import meaning, shape_text
from visualizer.ui.look.theme import current_theme, token_color
from visualizer.ui.panels.flow.layout import Tile
from visualizer.ui.panels.flow.words import Heading, Label

POSITIONS = ("position", "query", "key")


class FlowContent:
    """The words for the matrices of one moment of a session.

    Attributes:
        values: their numbers.
        block: the chosen one.
    """

    def __init__(self, session: Session) -> None:
        state = session.document.state if session.result is None else session.result.state
        self.values = StageValues(session)
        self.block = session.selection.now.block
        self._state = state
        self._opened = state.opened
        self._heads = state.model.config.n_heads
        self._touched = {item.name for item in state.interventions if item.enabled}
        self._words = Words(state.opened, self.values.trace)
        self._headings: dict[tuple[str, str, str], Heading] = {}
        self._parameter_labels: dict[str, tuple[list[str], list[str]]] = {}

    def heading(self, tile: Tile) -> Heading:
        """Title, formula and shape of a matrix."""
        known = self._headings.get(tile.key)
        if known is None:
            known = self._headings[tile.key] = self._heading(tile.matrix)
        return known

    def _heading(self, matrix: StageMatrix) -> Heading:
        rows, columns = matrix.size
        if matrix.kind == "parameter":
            shape = f"{meaning(matrix.name).partition(':')[0]} {shape_text(matrix.shape)}"
            remark = "● changed" if self._state.is_changed(matrix.name) else ""
        else:
            names = [name for name in matrix.plane if name]
            shape = f"[{', '.join(names)}] {rows}×{columns}"
            remark = "● intervened" if matrix.name in self._touched else ""
        shape += self._part(matrix)
        return Heading(matrix.title, matrix.formula, shape, remark)

    def row_label(self, tile: Tile) -> Label:
        """Texts and colours for the rows of a matrix."""
        ids, axis = tile.matrix.row_ids, tile.matrix.plane[0]
        return lambda row: self._label(tile.matrix, axis, 0, row if ids is None else ids[row])

    def column_label(self, tile: Tile) -> Label:
        """Texts and colours for the columns of a matrix."""
        ids, axis = tile.matrix.column_ids, tile.matrix.plane[1]
        return lambda column: self._label(tile.matrix, axis, 1, column if ids is None else ids[column])

    def readout(self, tile: Tile, row: int, column: int, value: float) -> str:
        """A cell in words with all its digits: `pattern[b₂, a₁] = 0.5`; what is masked or compared is said."""
        matrix = tile.matrix
        ref = self.values.cell(matrix, row, column)
        kind: Literal["parameter", "activation"] = "parameter" if matrix.kind == "parameter" else "activation"
        words = self._words.cell(Source(kind, ref.name, ref.cell, value), block_prefix(ref.name))
        remark = " (masked)" if matrix.causal and column > row else ""
        if self.values.is_difference(matrix):
            words += " − baseline"
        return f"{words} = {full(value, np.dtype(self._state.model.config.dtype))}{remark}"

    def tip(self, tile: Tile, row: int, column: int, value: float) -> str:
        """The same with what the matrix is, for a tooltip."""
        heading = self.heading(tile)
        about = meaning(tile.matrix.name) if tile.matrix.kind == "parameter" else heading.formula
        where = f"{tile.matrix.name} {heading.shape}"
        return "\n".join(part for part in (self.readout(tile, row, column, value), about, where) if part)

    def _part(self, matrix: StageMatrix) -> str:
        """Which head or which part of a matrix is shown, where that is not all of it."""
        if matrix.per_head and self._heads > 1:
            return f" · head {self.values.head_of(matrix)}"
        if matrix.kind == "activation" and matrix.column_ids is not None:
            rows = "" if matrix.row_ids is None else " · last position only"
            return f" of {matrix.shape[-1]:,} tokens{rows}"
        if matrix.row_ids is not None or matrix.column_ids is not None:
            return f" · {len(matrix.row_ids or matrix.column_ids or ())} tokens of it"
        return ""

    def _label(self, matrix: StageMatrix, axis: str, side: int, index: int) -> tuple[str, str | None]:
        if matrix.kind == "parameter":
            return self._parameter_label(matrix, side, index)
        trace = self.values.trace
        if axis in POSITIONS and trace is not None:
            token = int(trace.tokens[index])
            return with_position(token_label(self._opened, token), index), token_color(token, current_theme())
        if axis == "d_vocab":
            return token_label(self._opened, index), token_color(index, current_theme())
        if axis == "d_model":
            return self._dimensions[index], None
        return ("" if axis == "1" else f"m{index}" if axis == "d_mlp" else str(index)), None

    def _parameter_label(self, matrix: StageMatrix, side: int, index: int) -> tuple[str, str | None]:
        embeds, unembeds = matrix.name == "wte", matrix.name.startswith("lm_head.")
        if (embeds and side == 0) or (unembeds and side == 1):  # a vocabulary is too long to label all of it
            return token_label(self._opened, index), token_color(index, current_theme())
        if embeds or unembeds:
            return self._dimensions[index] if len(matrix.shape) == 2 else "b", None
        labels = self._parameter_labels.get(matrix.name)
        if labels is None:
            labels = self._parameter_labels[matrix.name] = axis_labels(self._opened, matrix.name)
        return labels[side][index], None

    @cached_property
    def _dimensions(self) -> list[str]:
        return dimensions(self._opened)
