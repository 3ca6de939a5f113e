"""The reference implementation: the whole forward pass a second time, slowly, the formulas in loops over Python floats.

Nothing here is shared with the operations, and no NumPy does its arithmetic, so that an agreement of the two is
worth something. Letters: t, s positions (query, key), i, j dimensions, h heads.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from numpy.typing import NDArray

from visualizer.engine.config import ModelConfig

Vector = list[float]
Matrix = list[Vector]
Heads = list[Matrix]  # [position][head][d_head], or [head][query][key]
Weights = dict[str, Any]  # vectors and matrices by name
Values = dict[str, Any]  # activations by name, as nested lists

MASK = -1e10
#: The largest number of single precision.
SINGLE = (2 - 2**-23) * 2.0**127


class _Recorded(dict[str, Any]):
    """Activations by name; in each that is put here, what lies beyond the `largest` number becomes infinite."""

    def __init__(self, largest: float) -> None:
        super().__init__()
        self._largest = largest

    def __setitem__(self, name: str, values: list[Any]) -> None:
        self._bound(values)
        super().__setitem__(name, values)

    def _bound(self, values: list[Any]) -> None:
        for i, value in enumerate(values):
            if isinstance(value, list):
                self._bound(value)
            elif abs(value) > self._largest:
                values[i] = math.copysign(math.inf, value)


def reference_forward(
    config: ModelConfig, parameters: Mapping[str, NDArray[Any]], tokens: Iterable[int]
) -> dict[str, list[Any]]:
    """Every activation of a pass over the last n_ctx of `tokens`, by name, as nested lists in double precision.

    Axes are those of a trace: [position][…], or [head][query][key] between q·k and the pattern. Infinity and NaN
    follow IEEE 754, and what is too large for the model's precision is infinite, as it is there. Time grows with the
    number of multiplications, some ten million a second: for small models.
    """
    w: Weights = {name: array.tolist() for name, array in parameters.items()}
    seen = [int(token) for token in tokens][-config.n_ctx :]
    a: Values = _Recorded(SINGLE if config.dtype == "float32" else sys.float_info.max)
    x = a["embed"] = [list(w["wte"][token]) for token in seen]
    if config.positional_embedding_type != "rotary":
        a["pos_embed"] = _positions(config, w, len(seen))
        x = _add(x, a["pos_embed"])
    for block in range(config.n_layers):
        x = _block(config, w, a, f"blocks.{block}.", x)
    x = _norm(config, w, a, "ln_final", "ln_f", x)
    unembedding = w["lm_head.w"] if "lm_head.w" in w else _transposed(w["wte"])
    a["logits"] = _linear(x, unembedding, w.get("lm_head.b"))
    a["probs"] = [_softmax(row) for row in a["logits"]]
    return a


def _block(config: ModelConfig, w: Weights, a: Values, block: str, x: Matrix) -> Matrix:
    """One block: x + Attention(Norm(x)), then the same with the MLP. Returns the residual stream after the block."""
    a[f"{block}resid_pre"] = x
    normed = _norm(config, w, a, f"{block}ln1", f"{block}ln_1", x)
    a[f"{block}attn_out"] = _attention(config, w, a, f"{block}attn.", normed)
    x = a[f"{block}resid_mid"] = _add(x, a[f"{block}attn_out"])
    if not config.attn_only:
        normed = _norm(config, w, a, f"{block}ln2", f"{block}ln_2", x)
        a[f"{block}mlp_out"] = _mlp(config, w, a, f"{block}mlp.", normed)
        x = _add(x, a[f"{block}mlp_out"])
    a[f"{block}resid_post"] = x
    return x


def _positions(config: ModelConfig, w: Weights, count: int) -> Matrix:
    """Rows of wpe, or sin and cos of t / 10000^(2i/d_model) in turn."""
    if config.positional_embedding_type == "standard":
        return [list(row) for row in w["wpe"][:count]]
    rows = []
    for t in range(count):
        row = []
        for j in range(config.d_model):
            angle = t / math.pow(10000.0, 2 * (j // 2) / config.d_model)
            row.append(math.sin(angle) if j % 2 == 0 else math.cos(angle))
        rows.append(row)
    return rows


def _norm(config: ModelConfig, w: Weights, a: Values, name: str, parameters: str, x: Matrix) -> Matrix:
    """LayerNorm: (x − mean) / √(variance + eps) · g + b. RMSNorm: the same without the mean."""
    if config.normalization_type is None:
        return x
    gain, bias = w[f"{parameters}.g"], w.get(f"{parameters}.b") or [0.0] * config.d_model
    means, scales, out = [], [], []
    for row in x:
        mean = sum(row) / len(row) if config.normalization_type == "LN" else 0.0
        scale = math.sqrt(sum((number - mean) * (number - mean) for number in row) / len(row) + config.eps)
        out.append([_over(number - mean, scale) * g + b for number, g, b in zip(row, gain, bias, strict=True)])
        means.append([mean])
        scales.append([scale])
    a[f"{name}.normalized"], a[f"{name}.scale"] = out, scales
    if config.normalization_type == "LN":
        a[f"{name}.mean"] = means
    return out


def _attention(config: ModelConfig, w: Weights, a: Values, attn: str, x: Matrix) -> Matrix:
    """softmax(Q Kᵀ / √d_head + mask) V for each head, through c_proj; query heads h share key/value head h // group."""
    heads, shared, size = config.n_heads, config.n_key_value_heads, config.d_head
    group = heads // shared
    qkv = _linear(x, w[f"{attn}c_attn.w"], w.get(f"{attn}c_attn.b"))
    q = a[f"{attn}q"] = [_split(row, 0, heads, size) for row in qkv]
    k = a[f"{attn}k"] = [_split(row, heads * size, shared, size) for row in qkv]
    v = a[f"{attn}v"] = [_split(row, (heads + shared) * size, shared, size) for row in qkv]
    if config.positional_embedding_type == "rotary":
        q = a[f"{attn}rot_q"] = _rotated(config, q)
        k = a[f"{attn}rot_k"] = _rotated(config, k)
    times = range(len(x))
    qk: Heads = [[[_dot(q[t][h], k[s][h // group]) for s in times] for t in times] for h in range(heads)]
    a[f"{attn}qk"] = qk
    scaled = [[[number / math.sqrt(size) for number in row] for row in head] for head in qk]
    a[f"{attn}scaled"] = scaled
    scores = [[[_masked(row[s], s > t) for s in times] for t, row in enumerate(head)] for head in scaled]
    pattern = [[_softmax(row[: t + 1]) + [0.0] * (len(x) - t - 1) for t, row in enumerate(head)] for head in scores]
    a[f"{attn}scores"], a[f"{attn}pattern"] = scores, pattern
    z = a[f"{attn}z"] = [
        [[sum(pattern[h][t][s] * v[s][h // group][i] for s in range(t + 1)) for i in range(size)] for h in range(heads)]
        for t in times
    ]
    output = w[f"{attn}c_proj.w"]
    a[f"{attn}result"] = [_linear_by_head(row, [output[h * size : (h + 1) * size] for h in range(heads)]) for row in z]
    return _linear([[number for head in row for number in head] for row in z], output, w.get(f"{attn}c_proj.b"))


def _mlp(config: ModelConfig, w: Weights, a: Values, mlp: str, x: Matrix) -> Matrix:
    """f(x W₁ + b₁) W₂ + b₂; gated: (f(x W_gate) · (x W₁)) W₂."""
    f = FUNCTIONS[str(config.act_fn)]
    first = "c_gate" if config.gated_mlp else "c_fc"
    pre = a[f"{mlp}pre"] = _linear(x, w[f"{mlp}{first}.w"], w.get(f"{mlp}{first}.b"))
    post = [[f(number) for number in row] for row in pre]
    if config.gated_mlp:
        linear = a[f"{mlp}pre_linear"] = _linear(x, w[f"{mlp}c_fc.w"], w.get(f"{mlp}c_fc.b"))
        post = [[m * n for m, n in zip(*rows, strict=True)] for rows in zip(post, linear, strict=True)]
    a[f"{mlp}post"] = post
    return _linear(post, w[f"{mlp}c_proj.w"], w.get(f"{mlp}c_proj.b"))


def _rotated(config: ModelConfig, x: Heads) -> Heads:
    """Pair i at position t turned by t · base^(−2i / rotary_dim); what lies beyond rotary_dim stays."""
    half = config.rotary_dim // 2
    out = [[list(head) for head in row] for row in x]
    for t, row in enumerate(x):
        for h, head in enumerate(row):
            for i in range(half):
                m, n = (2 * i, 2 * i + 1) if config.rotary_adjacent_pairs else (i, i + half)
                angle = t / math.pow(config.rotary_base, 2 * i / config.rotary_dim)
                out[t][h][m] = head[m] * math.cos(angle) - head[n] * math.sin(angle)
                out[t][h][n] = head[m] * math.sin(angle) + head[n] * math.cos(angle)
    return out


def _linear(x: Matrix, weight: Matrix, bias: Vector | None = None) -> Matrix:
    """Row by column, plus the bias: x W + b."""
    columns = _transposed(weight)
    return [[_dot(row, c) + b for c, b in zip(columns, bias or [0.0] * len(columns), strict=True)] for row in x]


def _linear_by_head(z: Matrix, weights: list[Matrix]) -> Matrix:
    return [_linear([head], weight)[0] for head, weight in zip(z, weights, strict=True)]


def _split(row: Vector, start: int, heads: int, size: int) -> Matrix:
    return [row[start + h * size : start + (h + 1) * size] for h in range(heads)]


def _transposed(matrix: Matrix) -> Matrix:
    return [list(column) for column in zip(*matrix, strict=True)]


def _add(x: Matrix, y: Matrix) -> Matrix:
    return [[m + n for m, n in zip(*rows, strict=True)] for rows in zip(x, y, strict=True)]


def _dot(x: Sequence[float], y: Sequence[float]) -> float:
    return sum(m * n for m, n in zip(x, y, strict=True))


def _masked(score: float, hidden: bool) -> float:
    """A hidden cell is hidden whatever it held."""
    if not hidden:
        return score
    return score + MASK if math.isfinite(score) else MASK


def _softmax(row: Vector) -> Vector:
    """e^(x − max) / Σ e^(x − max); uniform where everything is −∞."""
    top = math.nan if any(map(math.isnan, row)) else max(row)
    if top == -math.inf:
        return [1 / len(row)] * len(row)
    weights = [_exp(number - top) for number in row]
    total = sum(weights)
    return [_over(weight, total) for weight in weights]


def _exp(x: float) -> float:
    """e^x, infinite where Python's refuses."""
    return math.exp(x) if not x > 709 else math.inf


def _over(x: float, y: float) -> float:
    """The quotient x / y, with IEEE 754's answer where Python refuses to divide by 0."""
    if y != 0:
        return x / y
    return math.nan if x == 0 or math.isnan(x) else math.copysign(math.inf, x) * math.copysign(1.0, y)


def _relu(x: float) -> float:
    return x if x > 0 or math.isnan(x) else 0.0


def _gelu(x: float) -> float:
    return 0.5 * x * (1 + math.erf(x / math.sqrt(2)))


def _gelu_new(x: float) -> float:
    return 0.5 * x * (1 + math.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x * x * x)))


def _silu(x: float) -> float:
    return x / (1 + _exp(-x))


FUNCTIONS: dict[str, Callable[[float], float]] = {
    "relu": _relu,
    "gelu": _gelu,
    "gelu_new": _gelu_new,
    "silu": _silu,
}
