"""Attention between the projections: q·k, scale, mask, softmax, and the weighted sum of values.

Letters: T queries (the rows of this pass), S keys (all positions so far), H heads, K key/value heads, d = d_head.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from visualizer.engine.explanation import Explanation, Source, Term
from visualizer.engine.ops.base import Array, Axes, Cell, Gradients, Operation, Run, accumulate
from visualizer.engine.ops.linear import products
from visualizer.engine.ops.softmax import causal_softmax, causal_softmax_by_key, future, softmax_backward, stored_by_key
from visualizer.engine.threads import each

#: Added to the score of a key that lies after its query, as in the article.
MASK = -1e10
#: Queries at a time in long passes, so that one block of scores stays in the cache.
BLOCK = 128
#: From this many queries on, scores of a short pass are stored with the keys along the outer axis.
MANY_SHORT_ROWS = 16


def heads_first(x: Array, group: int = 1) -> Array:
    """[..., position, head, d] → [..., head, position, d], each head repeated for the `group` queries it serves."""
    by_head = x.swapaxes(-3, -2)
    return by_head if group == 1 else np.repeat(by_head, group, axis=-3)


def sum_groups(x: Array, group: int) -> Array:
    """[..., H, position, d] → [..., position, K, d]: gradients of a group of query heads, added."""
    if group > 1:
        x = x.reshape(*x.shape[:-3], -1, group, *x.shape[-2:]).sum(axis=-3)
    return x.swapaxes(-3, -2)


def all_rows(run: Run, name: str) -> Array:
    """Keys or values of every position so far [..., S, K, d]."""
    rows = run.values[name]
    return rows if run.cache is None else run.cache.extend(name, rows)


@dataclass(frozen=True)
class Dot(Operation):
    """`qk` [..., head, query, key] = q · k, for every pair of positions, hidden ones too."""

    group: int = 1
    formula: ClassVar[str] = "Q Kᵀ"

    @property
    def derived(self) -> bool:
        return True

    def axes(self, name: str) -> Axes:
        return ("head", "query", "key")

    def forward(self, run: Run) -> None:
        q, k = run.values[self.reads[0]], all_rows(run, self.reads[1])
        run.values[self.writes[0]] = np.matmul(heads_first(q), heads_first(k, self.group).swapaxes(-1, -2))

    def one_head(self, parameters: Mapping[str, Array], head: int) -> tuple[Operation, Mapping[str, Array]]:
        return replace(self, group=1), parameters

    def backward(self, run: Run, gradients: Gradients) -> None:
        q, k = (run.values[read] for read in self.reads)
        given = gradients[self.name]
        d_q = np.matmul(given, heads_first(k, self.group))
        d_k = np.matmul(given.swapaxes(-1, -2), heads_first(q))
        accumulate(gradients, self.reads[0], d_q.swapaxes(-3, -2))
        accumulate(gradients, self.reads[1], sum_groups(d_k, self.group))

    def explain(self, run: Run, name: str, cell: Cell) -> Explanation:
        head, query, key = cell
        dimensions = range(run.values[self.reads[0]].shape[-1])
        q_cells = [(query, head, i) for i in dimensions]
        k_cells = [(key, head // self.group, i) for i in dimensions]
        terms = products(run, self.reads[0], q_cells, self.reads[1], k_cells)
        return Explanation(name, cell, float(run.values[name][cell]), "q · k", terms)


@dataclass(frozen=True)
class ScaleScores(Operation):
    """`scaled` [..., head, query, key] = `qk` / √d_head; `scale` is 1/√d_head."""

    scale: float = 1.0
    formula: ClassVar[str] = "Q Kᵀ / √d_k"

    @property
    def derived(self) -> bool:
        return True

    def axes(self, name: str) -> Axes:
        return ("head", "query", "key")

    def forward(self, run: Run) -> None:
        qk = run.values[self.reads[0]]
        run.values[self.writes[0]] = qk * self.scale

    def backward(self, run: Run, gradients: Gradients) -> None:
        accumulate(gradients, self.reads[0], gradients[self.name] * self.scale)

    def explain(self, run: Run, name: str, cell: Cell) -> Explanation:
        qk = float(run.values[self.reads[0]][cell])
        sources = (Source("activation", self.reads[0], cell, qk), Source("constant", "1/√d_head", (), self.scale))
        term = Term(qk * self.scale, sources)
        return Explanation(name, cell, float(run.values[name][cell]), "qk / √d_head", (term,))


@dataclass(frozen=True)
class Mask(Operation):
    """`scores` [..., head, query, key] = `scaled` − 1e10 where the key lies after the query.

    A hidden cell stays hidden whatever it held: NaN and infinity are masked too.
    """

    formula: ClassVar[str] = "Q Kᵀ / √d_k + mask"

    @property
    def derived(self) -> bool:
        return True

    def axes(self, name: str) -> Axes:
        return ("head", "query", "key")

    def forward(self, run: Run) -> None:
        scaled = run.values[self.reads[0]]
        rows, keys = scaled.shape[-2:]
        scores = scaled + future(rows, keys, scaled.dtype, MASK)
        hidden = future(rows, keys, scaled.dtype, -math.inf) < 0
        run.values[self.writes[0]] = np.where(hidden & ~np.isfinite(scores), scaled.dtype.type(MASK), scores)

    def backward(self, run: Run, gradients: Gradients) -> None:
        accumulate(gradients, self.reads[0], gradients[self.name])

    def explain(self, run: Run, name: str, cell: Cell) -> Explanation:
        _, query, key = cell
        scaled = Source("activation", self.reads[0], cell, float(run.values[self.reads[0]][cell]))
        value = float(run.values[name][cell])
        mask = Term(MASK, (Source("constant", "mask", (), MASK),))
        if key <= query:
            terms: tuple[Term, ...] = (Term(scaled.value, (scaled,)),)
        elif math.isfinite(scaled.value):
            terms = (Term(scaled.value, (scaled,)), mask)
        else:
            terms = (mask,)
        return Explanation(name, cell, value, "scaled + mask", terms)


@dataclass(frozen=True)
class Pattern(Operation):
    """`pattern` [..., head, query, key] = softmax of the scores over the keys up to the query.

    Reads `scores`. Where nobody asked for those, they are made from q and k a block at a time and not kept:
    a long pass would spend its time writing them to memory. `scale` is 1/√d_head.
    """

    q: str = ""
    k: str = ""
    scale: float = 1.0
    group: int = 1
    formula: ClassVar[str] = "softmax(Q Kᵀ / √d_k + mask)"

    def axes(self, name: str) -> Axes:
        return ("head", "query", "key")

    def forward(self, run: Run) -> None:
        scores = run.values.get(self.reads[0])
        if scores is not None:
            all_rows(run, self.k)
            run.values[self.writes[0]] = causal_softmax(np.array(scores), run.careful)
            return
        q = heads_first(run.values[self.q])
        k = heads_first(all_rows(run, self.k), self.group).swapaxes(-1, -2)
        rows, keys = q.shape[-2], k.shape[-1]
        if MANY_SHORT_ROWS <= rows == keys <= BLOCK:
            queries = (q * self.scale).swapaxes(-1, -2)
            scores = np.matmul(k.swapaxes(-1, -2), queries)  # stored [key, query]
            run.values[self.writes[0]] = causal_softmax_by_key(scores, run.careful).swapaxes(-1, -2)
        elif rows <= BLOCK:
            scores = np.matmul(q, k)
            scores *= self.scale
            run.values[self.writes[0]] = causal_softmax(scores, run.careful)
        else:
            run.values[self.writes[0]] = _blocked_pattern(q, k, self.scale, run.careful)

    def backward(self, run: Run, gradients: Gradients) -> None:
        weights = run.values[self.name]
        accumulate(gradients, self.reads[0], softmax_backward(weights, gradients[self.name]))

    def explain(self, run: Run, name: str, cell: Cell) -> Explanation:
        head, query, key = cell
        value = float(run.values[name][cell])
        if key > query:
            hidden = Source("constant", "hidden: the key lies after the query", (), 0.0)
            return Explanation(name, cell, value, "0 (masked)", (Term(0.0, (hidden,)),))
        row = [float(s) for s in run.values[self.reads[0]][head, query, : query + 1]]
        top = max(row) if not any(map(math.isnan, row)) else math.nan
        rounded = run.values[name].dtype.type  # what is too small for the model's numbers is 0 in them
        terms = []
        for j, score in enumerate(row):
            weight = 1.0 if top == -math.inf else float(rounded(_exp(score - top)))
            source = Source("activation", self.reads[0], (head, query, j), score)
            terms.append(Term(weight, (source, Source("constant", "max", (), top))))
        return Explanation(name, cell, value, "e^(score − max) / Σ e^(score − max)", tuple(terms), "share", key)


def _exp(x: float) -> float:
    return math.exp(x) if x < 700 or math.isnan(x) else math.inf


def _blocked_pattern(q: Array, k: Array, scale: float, careful: bool) -> Array:
    """softmax(q k · scale) for q [..., T, d], k [..., d, S], a block of queries and their visible keys at a time.

    Each block is made in its place and stays in the cache from the product to the division.
    """
    rows, keys = q.shape[-2], k.shape[-1]
    offset = keys - rows
    pattern = np.zeros((*q.shape[:-1], keys), dtype=q.dtype)

    def fill(index: tuple[int, ...]) -> None:
        queries, of_head, weights = q[index] * scale, k[index], pattern[index]
        for start in range(0, rows, BLOCK):
            stop = min(start + BLOCK, rows)
            visible = offset + stop
            scores = np.matmul(queries[start:stop], of_head[:, :visible], out=weights[start:stop, :visible])
            causal_softmax(scores, careful)

    _for_heads(fill, q.shape[:-2])
    return pattern


def _for_heads(work: Callable[[tuple[int, ...]], None], shape: tuple[int, ...]) -> None:
    """`work` of each head's index; several at once where there is no batch that is spread over the cores already."""
    if len(shape) == 1:
        each(work, np.ndindex(*shape))
    else:
        for index in np.ndindex(*shape):
            work(index)


def _mix(pattern: Array, v: Array, out: Array) -> None:
    """Out = pattern v; in long passes a block of queries at a time, each with the keys that it can see."""
    rows, keys = pattern.shape[-2:]
    if rows <= BLOCK:
        np.matmul(pattern, v, out=out)
        return

    def weigh(index: tuple[int, ...]) -> None:
        of_head, values, weighted = pattern[index], v[index], out[index]
        for start in range(0, rows, 2 * BLOCK):
            stop = min(start + 2 * BLOCK, rows)
            seen = keys - rows + stop
            np.matmul(of_head[start:stop, :seen], values[:seen], out=weighted[start:stop])

    _for_heads(weigh, pattern.shape[:-2])


def _mix_carefully(pattern: Array, v: Array, out: Array) -> None:
    """`_mix` where something may not be finite: a NaN among values to come must not reach a row, and 0 · NaN is NaN.

    Rows before the first such value come out as if it were not there, to the bit.
    """
    rows, keys = pattern.shape[-2:]
    finite = np.isfinite(v)
    if finite.all():
        _mix(pattern, v, out)
        return
    _mix(pattern, np.where(finite, v, 0), out)
    positions = np.flatnonzero(~finite.swapaxes(-2, -1).reshape(-1, keys).all(axis=0))
    first = positions[0] if positions.size else keys
    for i in range(max(first - (keys - rows), 0), rows):
        seen = keys - rows + i + 1
        np.matmul(pattern[..., i : i + 1, :seen], v[..., :seen, :], out=out[..., i : i + 1, :])


@dataclass(frozen=True)
class WeightedValues(Operation):
    """`z` [..., position, head, d_head] = the values of each head, weighted by its pattern: softmax(…) V."""

    group: int = 1
    formula: ClassVar[str] = "softmax(Q Kᵀ / √d_k + mask) V"

    def axes(self, name: str) -> Axes:
        return ("position", "head", "d_head")

    def forward(self, run: Run) -> None:
        pattern = run.values[self.reads[0]]
        v = heads_first(all_rows(run, self.reads[1]), self.group)
        rows = pattern.shape[-2]
        if rows <= BLOCK and pattern.shape[-3] == 1 and not run.careful:
            z = np.matmul(pattern, v).swapaxes(-3, -2)  # one head: its rows lie as they should
        else:
            z = np.empty((*pattern.shape[:-3], rows, pattern.shape[-3], v.shape[-1]), dtype=v.dtype)
            (_mix_carefully if run.careful else _mix)(pattern, v, z.swapaxes(-3, -2))
        run.values[self.writes[0]] = z

    def backward(self, run: Run, gradients: Gradients) -> None:
        pattern, v = (run.values[read] for read in self.reads)
        given = heads_first(gradients[self.name])
        v_by_head = heads_first(v, self.group)
        if stored_by_key(pattern):  # its gradient in the same order, or every step after this one jumps about
            d_pattern = np.matmul(v_by_head, given.swapaxes(-1, -2)).swapaxes(-1, -2)
        else:
            d_pattern = np.matmul(given, v_by_head.swapaxes(-1, -2))
        accumulate(gradients, self.reads[0], d_pattern)
        d_v = np.matmul(pattern.swapaxes(-1, -2), given)
        accumulate(gradients, self.reads[1], sum_groups(d_v, self.group))

    def explain(self, run: Run, name: str, cell: Cell) -> Explanation:
        position, head, dimension = cell
        weights = [(head, position, j) for j in range(position + 1)]
        values = [(j, head // self.group, dimension) for j in range(position + 1)]
        terms = products(run, self.reads[0], weights, self.reads[1], values)
        return Explanation(name, cell, float(run.values[name][cell]), "Σ pattern · v", terms)
