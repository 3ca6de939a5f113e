"""Element-wise nonlinearities of the MLP: ReLU, GELU (erf and tanh), SiLU, and the gated form."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from visualizer.engine.erf import erf
from visualizer.engine.explanation import Explanation, Source, Term
from visualizer.engine.ops.base import Array, Axes, Cell, Gradients, Operation, Run, accumulate

_SQRT_2_OVER_PI = math.sqrt(2.0 / math.pi)
_CUBIC = 0.044715
#: From here on the slope of `gelu_new` is that at ±∞.
_FLAT = 100.0


def relu(x: Array) -> Array:
    """max(0, x); NaN stays NaN."""
    out: Array = np.maximum(x, x.dtype.type(0))
    return out


def relu_slope(x: Array) -> Array:
    """1 where x > 0, else 0 (at 0 too, as PyTorch has it)."""
    return (x > 0).astype(x.dtype)


def gelu_new(x: Array) -> Array:
    """½ x (1 + tanh(√(2/π) (x + 0.044715 x³))), GPT-2's GELU (Hendrycks and Gimpel 2016)."""
    kind = x.dtype.type
    out = x * x
    out *= kind(_CUBIC * _SQRT_2_OVER_PI)
    out += kind(_SQRT_2_OVER_PI)
    out *= x
    np.tanh(out, out=out)
    out += kind(1)
    out *= kind(0.5)  # before x, which doubled may be infinite
    out *= x
    return out


def gelu_new_slope(x: Array) -> Array:
    """Derivative of `gelu_new`."""
    kind = x.dtype.type
    x = np.clip(x, kind(-_FLAT), kind(_FLAT))  # so that no square is infinite, which times 0 would be NaN
    inner = x * x
    inner *= kind(_CUBIC * _SQRT_2_OVER_PI)
    growth: Array = inner * kind(3)
    growth += kind(_SQRT_2_OVER_PI)
    inner += kind(_SQRT_2_OVER_PI)
    inner *= x
    t = np.tanh(inner, out=inner)
    growth *= x
    growth *= kind(1) - t * t
    growth += t
    growth += kind(1)
    growth *= kind(0.5)
    return growth


def gelu(x: Array) -> Array:
    """½ x (1 + erf(x / √2)) (Hendrycks and Gimpel 2016)."""
    out = erf(x * x.dtype.type(math.sqrt(0.5)))
    out += x.dtype.type(1)
    out *= x.dtype.type(0.5)  # before x, which doubled may be infinite
    out *= x
    return out


def gelu_slope(x: Array) -> Array:
    """Derivative of `gelu`: Φ(x) + x φ(x)."""
    kind = x.dtype.type
    cumulative = (erf(x * kind(math.sqrt(0.5))) + kind(1)) * kind(0.5)
    density = np.exp(x * x * kind(-0.5)) * kind(1 / math.sqrt(2 * math.pi))
    slope: Array = cumulative + x * density
    return slope


def silu(x: Array) -> Array:
    """X · sigmoid(x) = x / (1 + e^(−x))."""
    out = np.negative(x)
    np.exp(out, out=out)
    out += x.dtype.type(1)
    np.divide(x, out, out=out)
    return out


def silu_slope(x: Array) -> Array:
    """Derivative of `silu`: σ(x) (1 + x (1 − σ(x)))."""
    kind = x.dtype.type
    sigmoid = kind(1) / (kind(1) + np.exp(-x))
    slope: Array = sigmoid * (kind(1) + x * (kind(1) - sigmoid))
    return slope


Function = Callable[[Array], Array]
FUNCTIONS: dict[str, tuple[Function, Function, str]] = {
    "relu": (relu, relu_slope, "max(0, x)"),
    "gelu": (gelu, gelu_slope, "½·x·(1 + erf(x/√2))"),
    "gelu_new": (gelu_new, gelu_new_slope, "½·x·(1 + tanh(√(2/π)·(x + 0.044715·x³)))"),
    "silu": (silu, silu_slope, "x / (1 + e^−x)"),
}


def _at(function: Function, x: float) -> float:
    """`function` of one number, in float64."""
    with np.errstate(all="ignore"):
        return float(function(np.array([x], dtype=np.float64))[0])


@dataclass(frozen=True)
class Activation(Operation):
    """`mlp.post` [..., position, d_mlp] = f(`mlp.pre`)."""

    function: str = "relu"
    formula: ClassVar[str] = "f(pre)"

    def axes(self, name: str) -> Axes:
        return ("position", "d_mlp")

    def forward(self, run: Run) -> None:
        run.values[self.writes[0]] = FUNCTIONS[self.function][0](run.values[self.reads[0]])

    def backward(self, run: Run, gradients: Gradients) -> None:
        slope = FUNCTIONS[self.function][1](run.values[self.reads[0]])
        accumulate(gradients, self.reads[0], gradients[self.name] * slope)

    def explain(self, run: Run, name: str, cell: Cell) -> Explanation:
        forward, _, formula = FUNCTIONS[self.function]
        x = float(run.values[self.reads[0]][cell])
        term = Term(x, (Source("activation", self.reads[0], cell, x),))
        value = float(run.values[name][cell])
        symbols = (("x", x),)
        return Explanation(name, cell, value, formula, (term,), "function", 0, lambda v: _at(forward, v), symbols)


@dataclass(frozen=True)
class GatedActivation(Operation):
    """`mlp.post` [..., position, d_mlp] = f(`mlp.pre`) · `mlp.pre_linear` (Shazeer 2020)."""

    function: str = "silu"
    formula: ClassVar[str] = "f(pre) · pre_linear"

    def axes(self, name: str) -> Axes:
        return ("position", "d_mlp")

    def forward(self, run: Run) -> None:
        out = FUNCTIONS[self.function][0](run.values[self.reads[0]])
        out *= run.values[self.reads[1]]
        run.values[self.writes[0]] = out

    def backward(self, run: Run, gradients: Gradients) -> None:
        forward, slope, _ = FUNCTIONS[self.function]
        gate, linear, given = run.values[self.reads[0]], run.values[self.reads[1]], gradients[self.name]
        accumulate(gradients, self.reads[1], given * forward(gate))
        accumulate(gradients, self.reads[0], given * linear * slope(gate))

    def explain(self, run: Run, name: str, cell: Cell) -> Explanation:
        forward, _, formula = FUNCTIONS[self.function]
        gate, linear = (float(run.values[read][cell]) for read in self.reads)
        sources = (
            Source("activation", self.reads[0], cell, gate),
            Source("activation", self.reads[1], cell, linear),
        )
        term = Term(_at(forward, gate) * linear, sources)
        value, symbols = float(run.values[name][cell]), (("x", gate), ("pre_linear", linear))
        return Explanation(name, cell, value, f"({formula}) · pre_linear", (term,), symbols=symbols)
