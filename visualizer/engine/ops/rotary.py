"""Rotary positions: queries and keys turned by an angle that grows with the position."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np

from visualizer.engine.explanation import Explanation, Source, Term
from visualizer.engine.ops.base import Array, Axes, Cell, Gradients, Operation, Run, accumulate, table_rows


@lru_cache(maxsize=16)
def rotation(positions: int, rotary_dim: int, base: float, dtype: np.dtype[Any]) -> tuple[Array, Array]:
    """Cos and sin [position, rotary_dim/2] of position · base^(−2i/rotary_dim) (Su et al. 2021, RoFormer)."""
    frequency = base ** (-np.arange(0, rotary_dim, 2, dtype=np.float64) / rotary_dim)
    angle = np.arange(positions, dtype=np.float64)[:, None] * frequency
    cos, sin = np.cos(angle).astype(dtype), np.sin(angle).astype(dtype)
    cos.flags.writeable = sin.flags.writeable = False
    return cos, sin


@dataclass(frozen=True)
class Rotate(Operation):
    """x [..., position, head, d_head] with each pair (a, b) of its first `rotary_dim` dimensions turned:
    a·cos − b·sin, b·cos + a·sin.

    Pairs are dimensions (i, i + rotary_dim/2), as in GPT-NeoX and Hugging Face's Llama, or neighbours
    (2i, 2i+1) where `adjacent`, as in GPT-J and the original Llama.
    """

    n_ctx: int = 1
    rotary_dim: int = 2
    base: float = 10000.0
    adjacent: bool = False
    formula: ClassVar[str] = "a·cos − b·sin,  b·cos + a·sin"

    def axes(self, name: str) -> Axes:
        return ("position", "head", "d_head")

    def _halves(self) -> tuple[slice, slice]:
        if self.adjacent:
            return slice(0, self.rotary_dim, 2), slice(1, self.rotary_dim, 2)
        half = self.rotary_dim // 2
        return slice(0, half), slice(half, self.rotary_dim)

    def _angles(self, x: Array, offset: int) -> tuple[Array, Array]:
        end = offset + x.shape[-3]
        cos, sin = rotation(table_rows(end, self.n_ctx), self.rotary_dim, self.base, x.dtype)
        return cos[offset:end, None, :], sin[offset:end, None, :]

    def forward(self, run: Run) -> None:
        x = run.values[self.reads[0]]
        cos, sin = self._angles(x, run.offset)
        run.values[self.writes[0]] = self._turn(x, cos, sin)

    def backward(self, run: Run, gradients: Gradients) -> None:
        given = gradients[self.name]
        cos, sin = self._angles(given, run.offset)
        accumulate(gradients, self.reads[0], self._turn(given, cos, -sin))  # a turn's transpose is the turn back

    def _turn(self, x: Array, cos: Array, sin: Array) -> Array:
        first, second = self._halves()
        out = np.array(x)
        a, b = x[..., first], x[..., second]
        out[..., first] = a * cos - b * sin
        out[..., second] = b * cos + a * sin
        return out

    def explain(self, run: Run, name: str, cell: Cell) -> Explanation:
        position, head, dimension = cell
        x = run.values[self.reads[0]]
        value = float(run.values[name][cell])
        own = Source("activation", self.reads[0], cell, float(x[cell]))
        if dimension >= self.rotary_dim:
            return Explanation(name, cell, value, "x (not rotated)", (Term(own.value, (own,)),))
        indices = np.arange(x.shape[-1])
        firsts, seconds = (indices[part].tolist() for part in self._halves())
        is_first = dimension in firsts
        pair = firsts.index(dimension) if is_first else seconds.index(dimension)
        partner_cell = (position, head, seconds[pair] if is_first else firsts[pair])
        cos, sin = self._angles(x, 0)
        cosine = Source("constant", f"cos(angle {position}·{pair})", (), float(cos[position, 0, pair]))
        sine = Source("constant", f"sin(angle {position}·{pair})", (), float(sin[position, 0, pair]))
        partner = Source("activation", self.reads[0], partner_cell, float(x[partner_cell]))
        sign = -1.0 if is_first else 1.0
        terms = (
            Term(own.value * cosine.value, (own, cosine)),
            Term(sign * partner.value * sine.value, (partner, sine)),
        )
        formula = "a·cos − b·sin" if is_first else "b·cos + a·sin"
        return Explanation(name, cell, value, formula, terms)
