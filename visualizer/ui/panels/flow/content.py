"""What the picture says of a matrix and its cells: titles, labels, numbers in words, what is out of the ordinary."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from visualizer.engine.explanation import Source
from visualizer.engine.names import block_prefix, local_name
from visualizer.session.analysis.landscape.shapes import Tile
from visualizer.session.analysis.stage_values import StageValues
from visualizer.session.analysis.stages import StageMatrix
from visualizer.session.analysis.stations import keys_of
from visualizer.session.session import Session
from visualizer.session.words.axis_labels import (
    about_pass,
    axis_labels,
    dimensions,
    token_label,
    visible_label,
    with_position,
)
from visualizer.session.words.comparison import ADDED
from visualizer.session.words.formulas import Words
from visualizer.session.words.numbers import full
from visualizer.session.words.parameters import meaning, shape_text
from visualizer.ui.look.theme import current_theme, token_color

POSITIONS = ("position", "query", "key")
#: What stands over a matrix from afar, where the name that it has is too long.
SHORT = {
    "resid_pre": ("stream", "x"),
    "resid_mid": ("mid",),
    "resid_post": ("post",),
    "attn_out": ("out",),
    "mlp_out": ("out",),
    "pos_embed": ("pos",),
}


@dataclass(frozen=True)
class Heading:
    """What stands above a matrix: titles from the longest to the shortest, formula, and shapes likewise."""

    titles: tuple[str, ...]
    formula: str
    shapes: tuple[str, ...]


@dataclass(frozen=True)
class Sign:
    """Something out of the ordinary: a sign, in words, and its colour."""

    sign: str
    words: str
    color: str


@dataclass(frozen=True)
class Prediction:
    """The most probable token after a position, and how probable it is."""

    token: int
    label: str
    probability: float


class FlowContent:
    """The words for the matrices of one moment of a session.

    Attributes:
        values: their numbers.
        keys: activations whose rows are keys, with the name of the pattern that says how much is read from them.
    """

    def __init__(self, session: Session) -> None:
        state = session.document.state if session.result is None else session.result.state
        self.values = StageValues(session)
        self.keys = keys_of(self.values.trace.graph) if self.values.trace is not None else {}
        self._session = session
        self._state = state
        self._opened = state.opened
        self._heads = state.model.config.n_heads
        self._touched = {item.name for item in state.interventions if item.enabled}
        self._words = Words(state.opened, self.values.trace)
        self._parameter_labels: dict[str, tuple[list[str], list[str]]] = {}
        self._headings: dict[StageMatrix, Heading] = {}
        self._labels: dict[tuple[str, int, int], tuple[str, str | None]] = {}
        self._remarks: dict[tuple[StageMatrix, int], list[Sign]] = {}
        self._block_remarks: dict[int, list[Sign]] = {}

    def heading(self, matrix: StageMatrix) -> Heading:
        """PlacedTitle, formula and shape of a matrix."""
        known = self._headings.get(matrix)
        if known is None:
            known = self._headings[matrix] = self._heading(matrix)
        return known

    def _heading(self, matrix: StageMatrix) -> Heading:
        local = local_name(matrix.name)
        name = local.removeprefix("attn.").removeprefix("mlp.")
        rows, columns = matrix.size
        size = f"{rows}×{columns}"
        if matrix.kind == "parameter":
            axes = meaning(matrix.name).partition(":")[0]
            return Heading(
                (name,), "", (f"{axes} {shape_text(matrix.shape)}{self._part(matrix)}", shape_text(matrix.shape))
            )
        if name.endswith(".normalized"):
            name = "norm"
        titles = tuple(dict.fromkeys((matrix.title, *SHORT.get(name, (name,)))))
        axes = ", ".join(axis for axis in matrix.plane if axis)
        return Heading(titles, matrix.formula, (f"[{axes}] {size}{self._part(matrix)}", f"[{axes}] {size}", size))

    def remarks(self, matrix: StageMatrix, odd: int) -> list[Sign]:
        """What is out of the ordinary about a matrix, each with its colour: changed, intervened in, differing, NaN."""
        known = self._remarks.get((matrix, odd))
        if known is None:
            known = self._remarks[matrix, odd] = self._remarks_of(matrix, odd)
        return known

    def _remarks_of(self, matrix: StageMatrix, odd: int) -> list[Sign]:
        theme = current_theme()
        found = []
        if matrix.kind == "parameter" and self._state.is_changed(matrix.name):
            found.append(Sign("≠", "changed", theme.changed))
        if matrix.name in self._touched:
            found.append(Sign("✱", "intervened", theme.changed))
        if self.values.differs(matrix):
            found.append(Sign("Δ", "differs from the baseline", theme.changed))
        if odd:
            found.append(Sign("!", f"{odd} NaN or Inf", theme.text))
        return found

    def block_remarks(self, block: int) -> list[Sign]:
        """The same for a closed block: whatever in it is out of the ordinary."""
        known = self._block_remarks.get(block)
        if known is None:
            known = self._block_remarks[block] = self._block_remarks_of(block)
        return known

    def _block_remarks_of(self, block: int) -> list[Sign]:
        theme, prefix, trace = current_theme(), f"blocks.{block}.", self.values.trace
        found = []
        if any(name.startswith(prefix) and self._state.is_changed(name) for name in self._state.model.parameters):
            found.append(Sign("≠", "changed", theme.changed))
        if any(name.startswith(prefix) for name in self._touched):
            found.append(Sign("✱", "intervened", theme.changed))
        if trace is not None and trace.nonfinite():
            arrays = (array for name, array in trace.recorded.items() if name.startswith(prefix))
            if not all(np.isfinite(array).all() for array in arrays):
                found.append(Sign("!", "NaN or Inf", theme.text))
        return found

    @cached_property
    def tokens(self) -> list[tuple[str, str]]:
        """Each position's token with its position, and its colour."""
        trace, theme = self.values.trace, current_theme()
        if trace is None:
            return []
        ids = [int(token) for token in trace.tokens]
        return [
            (with_position(visible_label(token_label(self._opened, t)), i), token_color(t, theme))
            for i, t in enumerate(ids)
        ]

    def predictions(self, row: int | None) -> dict[int, Prediction]:
        """The most probable token after each position; of a large vocabulary after the last one and `row`."""
        trace = self._session.baseline_trace if self.values.shows_baseline else self.values.trace
        if trace is None:
            return {}
        last = len(trace.tokens) - 1
        rows = (
            range(last + 1) if "logits" in trace.recorded else sorted({last, last if row is None else min(row, last)})
        )
        found = {}
        for position in rows:
            logits = trace.logits_at(position)
            token = int(np.argmax(logits))
            with np.errstate(all="ignore"):
                share = float(1 / np.exp(logits.astype(np.float64) - logits[token]).sum())
            found[position] = Prediction(token, visible_label(token_label(self._opened, token)), share)
        return found

    def caption(self) -> str:
        """Which model, block, head and prompt a picture shows, and on which scale."""
        now, trace = self._session.selection.now, self.values.trace
        tokens = [int(token) for token in trace.tokens] if trace is not None else []
        compared = ADDED[now.comparison] if self._state.baseline is not None else ""
        scales = "softmax weights and probabilities from 0 to 1, other matrices each to its largest magnitude"
        return f"{about_pass(self._opened, tokens, now.block, now.head)}{compared} · {scales}"

    def label(self, tile: Tile, side: int, index: int) -> tuple[str, str | None]:
        """Text of a row (side 0) or column (side 1), and its colour if it has its own."""
        key = (tile.matrix.name, side, index)
        known = self._labels.get(key)
        if known is None:
            matrix = tile.matrix
            ids = (matrix.row_ids, matrix.column_ids)[side]
            text, color = self._label(matrix, matrix.plane[side], side, index if ids is None else ids[index])
            known = self._labels[key] = (visible_label(text), color)
        return known

    def readout(self, matrix: StageMatrix, row: int, column: int, value: float) -> str:
        """A cell in words with all its digits: `pattern[b₂, a₁] = 0.5`; what is masked or compared is said."""
        ref = self.values.cell(matrix, row, column)
        kind: Literal["parameter", "activation"] = "parameter" if matrix.kind == "parameter" else "activation"
        words = self._words.cell(Source(kind, ref.name, ref.cell, value), block_prefix(ref.name))
        remark = " (masked)" if matrix.causal and column > row else ""
        if self.values.is_difference(matrix):
            words += " − baseline"
        return f"{words} = {full(value, np.dtype(self._state.model.config.dtype))}{remark}"

    def tip(self, matrix: StageMatrix, row: int, column: int, value: float, odd: int) -> str:
        """The same with what the matrix is and what is out of the ordinary about it, for a tooltip."""
        heading = self.heading(matrix)
        about = meaning(matrix.name) if matrix.kind == "parameter" else heading.formula
        title = "" if matrix.kind == "parameter" else f"{matrix.title}: "
        remarks = ", ".join(f"{remark.sign} {remark.words}" for remark in self.remarks(matrix, odd))
        where = f"{title}{matrix.name} {heading.shapes[0]}"
        lines = (self.readout(matrix, row, column, value), about, where, remarks)
        return "\n".join(line for line in lines if line)

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
