"""Each operation as lines of plain NumPy: one emitter an operation type, for scripts that repeat a pass.

In the lines, an activation or parameter `blocks.0.attn.q` is the variable `blocks_0_attn_q`; `T` is the number of
positions, and `dtype` the model's.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from visualizer.engine.ops.activation import Activation, GatedActivation
from visualizer.engine.ops.attention import MASK, Dot, Mask, Pattern, ScaleScores, WeightedValues
from visualizer.engine.ops.base import Operation
from visualizer.engine.ops.embedding import Embed, LearnedPositions, SinusoidalPositions
from visualizer.engine.ops.linear import AttentionOutput, HeadOutputs, Linear, SplitHeads, Unembed
from visualizer.engine.ops.normalization import LayerNorm, RMSNorm
from visualizer.engine.ops.probabilities import Probabilities
from visualizer.engine.ops.residual import Add, Identity
from visualizer.engine.ops.rotary import Rotate


@dataclass(frozen=True)
class Emission:
    """What an emitter has to know of the script around its lines.

    Attributes:
        made: activations that the script computes.
        careful: whether NaN or infinity occurs, so that a product must not read values to come.
    """

    made: frozenset[str]
    careful: bool


Lines = list[str]
Emitter = Callable[[Any, Emission], Lines]


def variable(name: str) -> str:
    """The script's variable for an activation or parameter."""
    return name.replace(".", "_")


def _plus_bias(op: Operation) -> str:
    return f" + {variable(op.parameters[1])}" if len(op.parameters) > 1 else ""


def _embed(op: Embed, _: Emission) -> Lines:
    return [f"{variable(op.name)} = {variable(op.parameters[0])}[tokens]"]


def _learned_positions(op: LearnedPositions, _: Emission) -> Lines:
    return [f"{variable(op.name)} = {variable(op.parameters[0])}[:T]"]


def _sinusoidal_positions(op: SinusoidalPositions, _: Emission) -> Lines:
    out = variable(op.name)
    return [
        f"column = np.arange({op.d_model})",
        f"angle = np.arange(T)[:, None] / 10000.0 ** ((column - column % 2) / {op.d_model})",
        f"{out} = np.where(column % 2 == 0, np.sin(angle), np.cos(angle)).astype(dtype)",
    ]


def _add(op: Add, _: Emission) -> Lines:
    return [f"{variable(op.name)} = {variable(op.reads[0])} + {variable(op.reads[1])}"]


def _identity(op: Identity, _: Emission) -> Lines:
    return [f"{variable(op.name)} = {variable(op.reads[0])}"]


def _linear(op: Linear, _: Emission) -> Lines:
    return [f"{variable(op.name)} = {variable(op.reads[0])} @ {variable(op.parameters[0])}{_plus_bias(op)}"]


def _split_heads(op: SplitHeads, _: Emission) -> Lines:
    q_end = op.n_heads * op.d_head
    k_end = q_end + op.n_key_value_heads * op.d_head
    parts = (f":{q_end}", f"{q_end}:{k_end}", f"{k_end}:")
    heads = (op.n_heads, op.n_key_value_heads, op.n_key_value_heads)
    lines = [f"qkv = {variable(op.reads[0])} @ {variable(op.parameters[0])}{_plus_bias(op)}"]
    for name, columns, count in zip(op.writes, parts, heads, strict=True):
        lines.append(f"{variable(name)} = qkv[:, {columns}].reshape(T, {count}, {op.d_head})")
    return lines


def _layer_norm(op: LayerNorm, _: Emission) -> Lines:
    out, scale, mean = map(variable, op.writes)
    x = variable(op.reads[0])
    return [
        f"{mean} = {x}.mean(axis=-1, keepdims=True)",
        f"{scale} = np.sqrt((({x} - {mean}) ** 2).mean(axis=-1, keepdims=True) + {float(op.eps)!r})",
        f"{out} = ({x} - {mean}) / {scale} * {variable(op.parameters[0])}{_plus_bias(op)}",
    ]


def _rms_norm(op: RMSNorm, _: Emission) -> Lines:
    out, scale = map(variable, op.writes)
    x = variable(op.reads[0])
    return [
        f"{scale} = np.sqrt(({x} ** 2).mean(axis=-1, keepdims=True) + {float(op.eps)!r})",
        f"{out} = {x} / {scale} * {variable(op.parameters[0])}{_plus_bias(op)}",
    ]


def _rotate(op: Rotate, _: Emission) -> Lines:
    x, out, half = variable(op.reads[0]), variable(op.name), op.rotary_dim // 2
    first, second = (f":{half}", f"{half}:{op.rotary_dim}")
    if op.adjacent:
        first, second = f"0:{op.rotary_dim}:2", f"1:{op.rotary_dim}:2"
    return [
        f"angle = np.arange(T)[:, None] * {float(op.base)!r} ** (-np.arange(0, {op.rotary_dim}, 2) / {op.rotary_dim})",
        "cos, sin = np.cos(angle).astype(dtype)[:, None], np.sin(angle).astype(dtype)[:, None]",
        f"a, b = {x}[..., {first}], {x}[..., {second}]",
        f"{out} = {x}.copy()",
        f"{out}[..., {first}] = a * cos - b * sin",
        f"{out}[..., {second}] = b * cos + a * sin",
    ]


def _repeated(name: str, group: int) -> str:
    """Keys or values, each head once for every query head that it serves."""
    return variable(name) if group == 1 else f"np.repeat({variable(name)}, {group}, axis=1)"


def _dot(op: Dot, _: Emission) -> Lines:
    keys = _repeated(op.reads[1], op.group)
    return [f"{variable(op.name)} = {variable(op.reads[0])}.transpose(1, 0, 2) @ {keys}.transpose(1, 2, 0)"]


def _scale(op: ScaleScores, _: Emission) -> Lines:
    return [f"{variable(op.name)} = {variable(op.reads[0])} * {float(op.scale)!r}  # 1/√{round(op.scale**-2)}"]


def _mask(op: Mask, emission: Emission) -> Lines:
    scaled = variable(op.reads[0])
    if not emission.careful:
        return [f"{variable(op.name)} = {scaled} + np.where(visible, 0, {MASK!r}).astype(dtype)"]
    hidden = f"np.where(np.isfinite({scaled}), {scaled} + dtype({MASK!r}), dtype({MASK!r}))"
    return [f"{variable(op.name)} = np.where(visible, {scaled}, {hidden})"]


def _pattern(op: Pattern, _: Emission) -> Lines:
    return [f"{variable(op.name)} = causal_softmax({variable(op.reads[0])})"]


def _weighted_values(op: WeightedValues, emission: Emission) -> Lines:
    pattern, values = variable(op.reads[0]), f"{_repeated(op.reads[1], op.group)}.transpose(1, 0, 2)"
    if not emission.careful:
        return [f"{variable(op.name)} = ({pattern} @ {values}).transpose(1, 0, 2)"]
    # 0 · NaN is NaN: each query reads only the values that it can see.
    return [
        f"v = {values}",
        f"{variable(op.name)} = np.stack([({pattern}[:, i, None, : i + 1] @ v[:, : i + 1])[:, 0] for i in range(T)])",
    ]


def _head_outputs(op: HeadOutputs, _: Emission) -> Lines:
    z, w = variable(op.reads[0]), variable(op.parameters[0])
    return [
        f"w = {w}.reshape({z}.shape[1], {z}.shape[2], -1)  # each head's rows",
        f"{variable(op.name)} = ({z}.transpose(1, 0, 2) @ w).transpose(1, 0, 2)",
    ]


def _attention_output(op: AttentionOutput, emission: Emission) -> Lines:
    if op.reads[0] in emission.made:
        return [f"{variable(op.name)} = {variable(op.reads[0])}.sum(axis=1){_plus_bias(op)}"]
    return [f"{variable(op.name)} = {variable(op.z)}.reshape(T, -1) @ {variable(op.parameters[0])}{_plus_bias(op)}"]


_FUNCTIONS = {
    "relu": "np.maximum({x}, 0)",
    "gelu": f"0.5 * {{x}} * (1 + erf({{x}} * {math.sqrt(0.5)!r}))",
    "gelu_new": f"0.5 * {{x}} * (1 + np.tanh({math.sqrt(2 / math.pi)!r} * ({{x}} + 0.044715 * {{x}} ** 3)))",
    "silu": "{x} / (1 + np.exp(-{x}))",
}


def _activation(op: Activation, _: Emission) -> Lines:
    return [f"{variable(op.name)} = {_FUNCTIONS[op.function].format(x=variable(op.reads[0]))}"]


def _gated_activation(op: GatedActivation, _: Emission) -> Lines:
    gate, linear = map(variable, op.reads)
    return [f"{variable(op.name)} = ({_FUNCTIONS[op.function].format(x=gate)}) * {linear}"]


def _unembed(op: Unembed, _: Emission) -> Lines:
    w = variable(op.parameters[0]) + (".T" if op.tied else "")
    return [f"{variable(op.name)} = {variable(op.reads[0])} @ {w}{_plus_bias(op)}"]


def _probabilities(op: Probabilities, _: Emission) -> Lines:
    return [f"{variable(op.name)} = softmax({variable(op.reads[0])})"]


EMITTERS: dict[type[Operation], Emitter] = {
    Embed: _embed,
    LearnedPositions: _learned_positions,
    SinusoidalPositions: _sinusoidal_positions,
    Add: _add,
    Identity: _identity,
    Linear: _linear,
    SplitHeads: _split_heads,
    LayerNorm: _layer_norm,
    RMSNorm: _rms_norm,
    Rotate: _rotate,
    Dot: _dot,
    ScaleScores: _scale,
    Mask: _mask,
    Pattern: _pattern,
    WeightedValues: _weighted_values,
    HeadOutputs: _head_outputs,
    AttentionOutput: _attention_output,
    Activation: _activation,
    GatedActivation: _gated_activation,
    Unembed: _unembed,
    Probabilities: _probabilities,
}
