"""From token ids to the first residual stream: token embedding and positions."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import numpy as np

from visualizer.engine.explanation import Explanation, Source, Term
from visualizer.engine.ops.base import Array, Axes, Cell, Gradients, Operation, Run, accumulate, rows_of, table_rows


@dataclass(frozen=True)
class Embed(Operation):
    """`embed` [position, d_model] = the row of `wte` [d_vocab, d_model] of each token."""

    formula: ClassVar[str] = "wte[token]"

    def axes(self, name: str) -> Axes:
        return ("position", "d_model")

    def forward(self, run: Run) -> None:
        run.values[self.writes[0]] = run.parameters[self.parameters[0]].take(run.tokens, axis=0)

    def backward(self, run: Run, gradients: Gradients) -> None:
        tokens = run.tokens.reshape(-1)
        gradient = np.zeros_like(run.parameters[self.parameters[0]])
        if tokens.size:  # sorted by token, the rows of each are added up in one go
            order = np.argsort(tokens, kind="stable")
            ids, starts = np.unique(tokens[order], return_index=True)
            gradient[ids] = np.add.reduceat(rows_of(gradients[self.name])[order], starts, axis=0)
        accumulate(gradients, self.parameters[0], gradient)

    def explain(self, run: Run, name: str, cell: Cell) -> Explanation:
        position, dimension = cell
        place = (int(run.tokens[position]), dimension)
        return _copied(run, name, cell, self.parameters[0], place, self.formula)


@dataclass(frozen=True)
class LearnedPositions(Operation):
    """`pos_embed` [position, d_model] = the first rows of `wpe` [n_ctx, d_model]."""

    formula: ClassVar[str] = "wpe[position]"

    def axes(self, name: str) -> Axes:
        return ("position", "d_model")

    def forward(self, run: Run) -> None:
        table = run.parameters[self.parameters[0]]
        run.values[self.writes[0]] = table[run.offset : run.offset + run.tokens.shape[-1]]

    def backward(self, run: Run, gradients: Gradients) -> None:
        gradient = np.zeros_like(run.parameters[self.parameters[0]])
        given = gradients[self.name]
        rows = given.shape[-2]
        gradient[run.offset : run.offset + rows] = given.reshape(-1, rows, given.shape[-1]).sum(axis=0)
        accumulate(gradients, self.parameters[0], gradient)

    def explain(self, run: Run, name: str, cell: Cell) -> Explanation:
        return _copied(run, name, cell, self.parameters[0], cell, self.formula)


def _copied(run: Run, name: str, cell: Cell, parameter: str, place: Cell, formula: str) -> Explanation:
    """A number that is a parameter's."""
    weight = float(run.parameters[parameter][place])
    term = Term(weight, (Source("parameter", parameter, place, weight),))
    return Explanation(name, cell, float(run.values[name][cell]), formula, (term,))


@lru_cache(maxsize=16)
def sinusoids(positions: int, d_model: int, dtype: str) -> Array:
    """Sinusoidal positions [position, d_model] of "Attention Is All You Need", section 3.5.

    Even columns 2i hold sin(p / 10000^(2i/d_model)), odd columns 2i+1 the cosine of the same angle.
    """
    position = np.arange(positions, dtype=np.float64)[:, None]
    column = np.arange(d_model)
    angle = position / 10000.0 ** ((column - column % 2) / d_model)
    table = np.where(column % 2 == 0, np.sin(angle), np.cos(angle)).astype(dtype)
    table.flags.writeable = False
    return table


@dataclass(frozen=True)
class SinusoidalPositions(Operation):
    """`pos_embed` [position, d_model]: sines and cosines of the position; nothing is learned."""

    n_ctx: int = 0
    d_model: int = 0
    dtype: str = "float32"
    formula: ClassVar[str] = "sin, cos(position / 10000^(2i/d_model))"

    def axes(self, name: str) -> Axes:
        return ("position", "d_model")

    def forward(self, run: Run) -> None:
        end = run.offset + run.tokens.shape[-1]
        run.values[self.writes[0]] = self._table(end)[run.offset : end]

    def _table(self, end: int) -> Array:
        """At least the rows of the positions before `end`."""
        return sinusoids(table_rows(end, self.n_ctx), self.d_model, self.dtype)

    def backward(self, run: Run, gradients: Gradients) -> None:
        """Nothing to learn and nothing before it."""

    def explain(self, run: Run, name: str, cell: Cell) -> Explanation:
        position, column = cell
        value = float(self._table(position + 1)[cell])
        wave = "sin" if column % 2 == 0 else "cos"
        what = f"{wave}({position} / 10000^({column - column % 2}/{self.d_model}))"
        term = Term(value, (Source("constant", what, (), value),))
        return Explanation(name, cell, float(run.values[name][cell]), self.formula, (term,))
