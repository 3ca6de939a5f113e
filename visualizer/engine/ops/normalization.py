"""LayerNorm and RMSNorm over the last axis."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from visualizer.engine.explanation import Explanation, Source, Term
from visualizer.engine.ops.base import (
    Array,
    Axes,
    Cell,
    Gradients,
    Operation,
    Run,
    accumulate,
    mean_last,
    rows_of,
    sum_rows,
)


def _over(x: float, y: float) -> float:
    """The quotient x / y; infinite or NaN where y is 0."""
    with np.errstate(all="ignore"):
        return float(np.divide(x, y))


@dataclass(frozen=True)
class Norm(Operation):
    """What both norms share: scale by gain `g` [d_model], shift by bias `b` where there is one."""

    eps: float = 1e-5

    def axes(self, name: str) -> Axes:
        return ("position", "d_model") if name == self.name else ("position", "1")

    def frozen_direction(
        self, direction: Array, parameters: Mapping[str, Array], values: Mapping[str, Array], position: int
    ) -> Array:
        """The vector whose product with x is `direction` · y without the shift, the scale held as recorded."""
        scale = float(values[self.writes[1]][position, 0])
        scaled: Array = direction * parameters[self.parameters[0]] / scale
        return scaled

    def _write_normalized(self, run: Run, x: Array, out: Array | None = None) -> None:
        """Write y from x (centred where the norm does that) and the scale; into `out`, where that is given."""
        out = np.divide(x, run.values[self.writes[1]], out=out)
        out *= run.parameters[self.parameters[0]]
        if len(self.parameters) > 1:
            out += run.parameters[self.parameters[1]]
        run.values[self.writes[0]] = out

    def _write_scale(self, run: Run, x: Array) -> None:
        """Write the scale √(mean(x²) + eps) of x (centred where the norm does that)."""
        mean_square = np.einsum("...i,...i->...", x, x)[..., None] / x.dtype.type(x.shape[-1])
        run.values[self.writes[1]] = np.sqrt(mean_square + x.dtype.type(self.eps))

    @staticmethod
    def _d_scale(d_hat_hat: Array, scale: Array, x: Array) -> Array:
        """Gradient of the scale: −Σ dŷ ŷ / scale, from the mean of dŷ ŷ over the d_model numbers of x."""
        d_scale: Array = d_hat_hat * x.dtype.type(-x.shape[-1]) / scale
        return d_scale

    def _explain_squares(self, run: Run, name: str, cell: Cell, centre: float, formula: str) -> Explanation:
        x = run.values[self.reads[0]][cell[0]]
        terms = []
        for i, number in enumerate(map(float, x)):
            source = Source("activation", self.reads[0], (cell[0], i), number)
            terms.append(Term((number - centre) * (number - centre) / x.shape[0], (source,)))
        terms.append(Term(self.eps, (Source("constant", "eps", (), self.eps),)))
        return Explanation(name, cell, float(run.values[name][cell]), formula, tuple(terms), rule="root")

    def _gain(self, run: Run, column: int) -> Source:
        name = self.parameters[0]
        return Source("parameter", name, (column,), float(run.parameters[name][column]))

    def _shift_terms(self, run: Run, column: int) -> list[Term]:
        values = [(name, float(run.parameters[name][column])) for name in self.parameters[1:]]
        return [Term(value, (Source("parameter", name, (column,), value),)) for name, value in values]


@dataclass(frozen=True)
class LayerNorm(Norm):
    """y = (x − mean) / scale · g + b with scale = √(mean((x − mean)²) + eps), for x [..., position, d_model].

    Ba et al. 2016. Writes y, `scale` and `mean`, both [..., position, 1].
    """

    formula: ClassVar[str] = "(x − mean) / scale · g + b"

    def frozen_direction(
        self, direction: Array, parameters: Mapping[str, Array], values: Mapping[str, Array], position: int
    ) -> Array:
        scaled = super().frozen_direction(direction, parameters, values, position)
        centred: Array = scaled - scaled.mean()  # taking the mean from x or from the direction is the same product
        return centred

    def forward(self, run: Run) -> None:
        x = run.values[self.reads[0]]
        mean = run.values[self.writes[2]] = mean_last(x)
        centred = x - mean
        left = mean_last(centred)  # by rounding, of the mean of large numbers that differ little
        mean += np.where(np.isfinite(left), left, 0) if run.careful else left
        np.subtract(x, mean, out=centred)
        self._write_scale(run, centred)
        self._write_normalized(run, centred, out=centred)

    def follow(self, run: Run, name: str) -> None:
        if name == self.name:
            return
        centred = run.values[self.reads[0]] - run.values[self.writes[2]]
        if name == self.writes[2]:
            self._write_scale(run, centred)
        self._write_normalized(run, centred, out=centred)

    def backward(self, run: Run, gradients: Gradients) -> None:
        x, given = run.values[self.reads[0]], gradients[self.name]
        scale, mean = run.values[self.writes[1]], run.values[self.writes[2]]
        hat = (x - mean) / scale
        if len(self.parameters) > 1:
            accumulate(gradients, self.parameters[1], sum_rows(rows_of(given)))
        accumulate(gradients, self.parameters[0], sum_rows(rows_of(given * hat)))
        d_hat = given * run.parameters[self.parameters[0]]
        # y depends on x directly, through the mean, and through the scale.
        d_hat_mean = mean_last(d_hat)
        d_hat_hat = mean_last(d_hat * hat)
        gradients[self.writes[1]] = self._d_scale(d_hat_hat, scale, x)
        gradients[self.writes[2]] = d_hat_mean * x.dtype.type(-x.shape[-1]) / scale
        accumulate(gradients, self.reads[0], (d_hat - d_hat_mean - hat * d_hat_hat) / scale)

    def explain(self, run: Run, name: str, cell: Cell) -> Explanation:
        position, column = cell
        values = run.values
        mean = float(values[self.writes[2]][position, 0])
        if name == self.writes[2]:
            return self._explain_mean(run, cell)
        if name == self.writes[1]:
            return self._explain_squares(run, name, cell, mean, "√(Σ (x − mean)² / d_model + eps)")
        x = float(values[self.reads[0]][cell])
        scale = Source("activation", self.writes[1], (position, 0), float(values[self.writes[1]][position, 0]))
        gain = self._gain(run, column)
        own = Source("activation", self.reads[0], cell, x)
        centre = Source("activation", self.writes[2], (position, 0), mean)
        formula = "x·g/scale − mean·g/scale" + (" + b" if len(self.parameters) > 1 else "")
        factor = _over(gain.value, scale.value)
        terms = [Term(x * factor, (own, scale, gain)), Term(-mean * factor, (centre, scale, gain))]
        if not all(math.isfinite(term.value) for term in terms):  # ∞ − ∞ would not tell what the difference is
            formula = self.formula_of(name)
            terms = [Term(_over(x - mean, scale.value) * gain.value, (own, centre, scale, gain))]
        terms += self._shift_terms(run, column)
        return Explanation(name, cell, float(values[name][cell]), formula, tuple(terms))

    def _explain_mean(self, run: Run, cell: Cell) -> Explanation:
        x = run.values[self.reads[0]][cell[0]]
        terms = tuple(
            Term(number / x.shape[0], (Source("activation", self.reads[0], (cell[0], i), number),))
            for i, number in enumerate(map(float, x))
        )
        name = self.writes[2]
        return Explanation(name, cell, float(run.values[name][cell]), "Σ x / d_model", terms)


@dataclass(frozen=True)
class RMSNorm(Norm):
    """y = x / scale · g (+ b) with scale = √(mean(x²) + eps), for x [..., position, d_model].

    Zhang and Sennrich 2019. Writes y and `scale` [..., position, 1].
    """

    formula: ClassVar[str] = "x / scale · g + b"

    def forward(self, run: Run) -> None:
        x = run.values[self.reads[0]]
        self._write_scale(run, x)
        self._write_normalized(run, x)

    def follow(self, run: Run, name: str) -> None:
        if name == self.writes[1]:
            self._write_normalized(run, run.values[self.reads[0]])

    def backward(self, run: Run, gradients: Gradients) -> None:
        x, given = run.values[self.reads[0]], gradients[self.name]
        scale = run.values[self.writes[1]]
        hat = x / scale
        if len(self.parameters) > 1:
            accumulate(gradients, self.parameters[1], sum_rows(rows_of(given)))
        accumulate(gradients, self.parameters[0], sum_rows(rows_of(given * hat)))
        d_hat = given * run.parameters[self.parameters[0]]
        d_hat_hat = mean_last(d_hat * hat)
        gradients[self.writes[1]] = self._d_scale(d_hat_hat, scale, x)
        accumulate(gradients, self.reads[0], (d_hat - hat * d_hat_hat) / scale)

    def explain(self, run: Run, name: str, cell: Cell) -> Explanation:
        position, column = cell
        values = run.values
        if name == self.writes[1]:
            return self._explain_squares(run, name, cell, 0.0, "√(Σ x² / d_model + eps)")
        x = float(values[self.reads[0]][cell])
        scale = Source("activation", self.writes[1], (position, 0), float(values[self.writes[1]][position, 0]))
        gain = self._gain(run, column)
        product = _over(x, scale.value) * gain.value
        terms = [Term(product, (Source("activation", self.reads[0], cell, x), scale, gain))]
        terms += self._shift_terms(run, column)
        return Explanation(name, cell, float(values[name][cell]), self.formula_of(name), tuple(terms))
