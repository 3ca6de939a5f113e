"""Linear layers: y = x W + b, their split into queries, keys and values, the heads' projection, and the unembedding."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from visualizer.engine.explanation import Explanation, Source, Term
from visualizer.engine.names import last_part
from visualizer.engine.ops.base import (
    Array,
    Axes,
    Cell,
    Gradients,
    Operation,
    Run,
    accumulate,
    matmul_rows,
    rows_of,
    sum_rows,
)


def products(
    run: Run, left: str, left_cells: Sequence[Cell], right: str, right_cells: Sequence[Cell]
) -> tuple[Term, ...]:
    """The addends of a sum of products, in float64, each pointing to its two factors: cells of `left` and `right`."""
    return tuple(
        Term(a.value * b.value, (a, b))
        for a, b in zip(_sources(run, left, left_cells), _sources(run, right, right_cells), strict=True)
    )


def _sources(run: Run, name: str, cells: Sequence[Cell]) -> list[Source]:
    """Cells of an activation or a parameter."""
    if name in run.parameters:
        array = run.parameters[name]
        return [Source("parameter", name, cell, float(array[cell])) for cell in cells]
    array = run.values[name]
    return [Source("activation", name, cell, float(array[cell])) for cell in cells]


def bias_term(run: Run, name: str, index: int) -> Term:
    """The addend that a bias is."""
    value = float(run.parameters[name][index])
    return Term(value, (Source("parameter", name, (index,), value),))


@dataclass(frozen=True)
class Linear(Operation):
    """y [..., position, out] = x [..., position, in] · W [in, out] + b [out].

    Parameters are W and, where the model has one, b.
    """

    output_axis: str = "d_model"
    formula: ClassVar[str] = "x W + b"

    def axes(self, name: str) -> Axes:
        return ("position", self.output_axis)

    def forward(self, run: Run) -> None:
        out = matmul_rows(run.values[self.reads[0]], run.parameters[self.parameters[0]])
        if len(self.parameters) > 1:
            out += run.parameters[self.parameters[1]]
        run.values[self.writes[0]] = out

    def backward(self, run: Run, gradients: Gradients) -> None:
        linear_backward(self, run, gradients, run.values[self.reads[0]], gradients[self.name])

    def explain(self, run: Run, name: str, cell: Cell) -> Explanation:
        position, column = cell
        w_name = self.parameters[0]
        rows = range(len(run.parameters[w_name]))
        terms = products(run, self.reads[0], [(position, i) for i in rows], w_name, [(i, column) for i in rows])
        terms += tuple(bias_term(run, bias, column) for bias in self.parameters[1:])
        return Explanation(name, cell, float(run.values[name][cell]), self.formula_of(name), terms)


def linear_backward(op: Operation, run: Run, gradients: Gradients, x: Array, given: Array) -> None:
    """Backward of y = x W + b: dx = dy Wᵀ, dW = xᵀ dy, db = Σ dy. `x` and `given` are [..., in] and [..., out]."""
    w = run.parameters[op.parameters[0]]
    x_rows, given_rows = rows_of(x), rows_of(given)
    if len(op.parameters) > 1:
        accumulate(gradients, op.parameters[1], sum_rows(given_rows))
    accumulate(gradients, op.parameters[0], np.matmul(x_rows.T, given_rows))
    accumulate(gradients, op.reads[0], np.matmul(given_rows, w.T).reshape(run.values[op.reads[0]].shape))


@dataclass(frozen=True)
class SplitHeads(Operation):
    """q, k and v in one product: x [..., position, d_model] · c_attn [d_model, q|k|v] + b.

    Results are q [..., position, head, d_head] and k, v [..., position, key/value head, d_head].
    """

    n_heads: int = 1
    n_key_value_heads: int = 1
    d_head: int = 1
    formula: ClassVar[str] = "x W_q|k|v + b"

    def formula_of(self, name: str) -> str:
        return super().formula_of(name).replace("q|k|v", last_part(name))

    def axes(self, name: str) -> Axes:
        return ("position", "head", "d_head")

    def _columns(self) -> tuple[int, int, int]:
        """Where q, k and v end among the columns of c_attn."""
        q = self.n_heads * self.d_head
        kv = self.n_key_value_heads * self.d_head
        return q, q + kv, q + 2 * kv

    def forward(self, run: Run) -> None:
        x = run.values[self.reads[0]]
        out = matmul_rows(x, run.parameters[self.parameters[0]])
        if len(self.parameters) > 1:
            out += run.parameters[self.parameters[1]]
        heads, kv = self.n_heads, self.n_key_value_heads
        by_head = out.reshape(*x.shape[:-1], heads + 2 * kv, self.d_head)
        q, k, v = self.writes
        run.values[q] = by_head[..., :heads, :]
        run.values[k] = by_head[..., heads : heads + kv, :]
        run.values[v] = by_head[..., heads + kv :, :]

    def backward(self, run: Run, gradients: Gradients) -> None:
        lead = run.values[self.reads[0]].shape[:-1]
        given = np.concatenate([gradients[name].reshape(*lead, -1) for name in self.writes], axis=-1)
        linear_backward(self, run, gradients, run.values[self.reads[0]], given)

    def explain(self, run: Run, name: str, cell: Cell) -> Explanation:
        position, head, dimension = cell
        start = (0, *self._columns())[self.writes.index(name)]
        column = start + head * self.d_head + dimension
        w_name = self.parameters[0]
        rows = range(len(run.parameters[w_name]))
        terms = products(run, self.reads[0], [(position, i) for i in rows], w_name, [(i, column) for i in rows])
        terms += tuple(bias_term(run, bias, column) for bias in self.parameters[1:])
        return Explanation(name, cell, float(run.values[name][cell]), self.formula_of(name), terms)


@dataclass(frozen=True)
class HeadOutputs(Operation):
    """`result` [..., position, head, d_model] = z of each head through its rows of c_proj, before the bias."""

    d_head: int = 1
    formula: ClassVar[str] = "z W_O, head by head"

    @property
    def derived(self) -> bool:
        return True

    def axes(self, name: str) -> Axes:
        return ("position", "head", "d_model")

    def forward(self, run: Run) -> None:
        z = run.values[self.reads[0]]
        w = run.parameters[self.parameters[0]].reshape(z.shape[-2], z.shape[-1], -1)
        run.values[self.writes[0]] = np.matmul(z.swapaxes(-3, -2), w).swapaxes(-3, -2)

    def one_head(self, parameters: Mapping[str, Array], head: int) -> tuple[Operation, Mapping[str, Array]]:
        rows = slice(head * self.d_head, (head + 1) * self.d_head)
        return self, {name: parameters[name][rows] for name in self.parameters}

    def backward(self, run: Run, gradients: Gradients) -> None:
        """Nothing to do: the output that adds the heads up goes back to z and c_proj at once."""

    def explain(self, run: Run, name: str, cell: Cell) -> Explanation:
        position, head, column = cell
        d_head = run.values[self.reads[0]].shape[-1]
        z_cells = [(position, head, i) for i in range(d_head)]
        w_cells = [(head * d_head + i, column) for i in range(d_head)]
        terms = products(run, self.reads[0], z_cells, self.parameters[0], w_cells)
        return Explanation(name, cell, float(run.values[name][cell]), "z W_O", terms)


@dataclass(frozen=True)
class AttentionOutput(Operation):
    """`attn_out` [..., position, d_model] = the heads' results added up, plus the bias of c_proj.

    Reads `result`. Where nobody asked for that, one product of all of z with c_proj gives the same sum.
    """

    z: str = ""
    formula: ClassVar[str] = "z W_O + b"

    def axes(self, name: str) -> Axes:
        return ("position", "d_model")

    def forward(self, run: Run) -> None:
        result = run.values.get(self.reads[0])
        if result is not None:
            out = result.sum(axis=-2)
        else:
            z = run.values[self.z]
            w = run.parameters[self.parameters[0]]
            out = np.matmul(z.reshape(-1, w.shape[0]), w)
            if z.ndim > 3:
                out = out.reshape(*z.shape[:-2], w.shape[1])
        if len(self.parameters) > 1:
            out += run.parameters[self.parameters[1]]
        run.values[self.writes[0]] = out

    def backward(self, run: Run, gradients: Gradients) -> None:
        given, z = gradients[self.name], run.values[self.z]
        given_rows, z_rows = rows_of(given), z.reshape(-1, z.shape[-2] * z.shape[-1])
        w = run.parameters[self.parameters[0]]
        for bias in self.parameters[1:]:
            accumulate(gradients, bias, sum_rows(given_rows))
        accumulate(gradients, self.parameters[0], np.matmul(z_rows.T, given_rows))
        accumulate(gradients, self.z, np.matmul(given_rows, w.T).reshape(z.shape))
        shape = (*given.shape[:-1], z.shape[-2], given.shape[-1])
        gradients[self.reads[0]] = np.broadcast_to(given[..., None, :], shape)  # each head adds to the sum alike

    def explain(self, run: Run, name: str, cell: Cell) -> Explanation:
        position, column = cell
        result = run.values[self.reads[0]]
        terms = []
        for head in range(result.shape[-2]):
            source_cell = (position, head, column)
            value = float(result[source_cell])
            terms.append(Term(value, (Source("activation", self.reads[0], source_cell, value),)))
        terms += [bias_term(run, bias, column) for bias in self.parameters[1:]]
        return Explanation(name, cell, float(run.values[name][cell]), "Σ heads + b", tuple(terms))


@dataclass(frozen=True)
class Unembed(Operation):
    """`logits` [..., position, d_vocab] = x · lm_head, or x · wteᵀ where the embeddings are tied.

    A large vocabulary makes this the largest array of a pass, of which few rows are looked at: `lazy`.
    """

    tied: bool = True
    lazy: bool = False
    formula: ClassVar[str] = "x W_U"

    @property
    def derived(self) -> bool:
        return self.lazy

    def axes(self, name: str) -> Axes:
        return ("position", "d_vocab")

    def _matrix(self, run: Run) -> Array:
        w = run.parameters[self.parameters[0]]
        return w.T if self.tied else w

    def forward(self, run: Run) -> None:
        out = matmul_rows(run.values[self.reads[0]], self._matrix(run))
        if len(self.parameters) > 1:
            out += run.parameters[self.parameters[1]]
        run.values[self.writes[0]] = out

    def columns(self, x: Array, parameters: Mapping[str, Array], tokens: Sequence[int]) -> Array:
        """The logits [position, len(tokens)] of some tokens only, for x [position, d_model]."""
        w = parameters[self.parameters[0]]
        chosen = list(tokens)
        out: Array = np.matmul(x, w[chosen].T if self.tied else w[:, chosen])
        for bias in self.parameters[1:]:
            out += parameters[bias][chosen]
        return out

    def backward(self, run: Run, gradients: Gradients) -> None:
        x = run.values[self.reads[0]]
        x_rows, given = rows_of(x), rows_of(gradients[self.name])
        if len(self.parameters) > 1:
            accumulate(gradients, self.parameters[1], sum_rows(given))
        gradient = np.matmul(given.T, x_rows) if self.tied else np.matmul(x_rows.T, given)
        accumulate(gradients, self.parameters[0], gradient)
        accumulate(gradients, self.reads[0], np.matmul(given, self._matrix(run).T).reshape(x.shape))

    def explain(self, run: Run, name: str, cell: Cell) -> Explanation:
        position, token = cell
        dimensions = range(run.values[self.reads[0]].shape[-1])
        x_cells = [(position, i) for i in dimensions]
        w_cells: list[Cell] = [(token, i) if self.tied else (i, token) for i in dimensions]
        terms = products(run, self.reads[0], x_cells, self.parameters[0], w_cells)
        terms += tuple(bias_term(run, bias, token) for bias in self.parameters[1:])
        return Explanation(name, cell, float(run.values[name][cell]), self.formula_of(name), terms)
