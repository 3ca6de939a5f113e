"""Readings of a trace: logit lens and direct contributions to a logit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from visualizer.engine.graph import Graph
from visualizer.engine.ops.base import Run
from visualizer.engine.ops.linear import AttentionOutput, Unembed
from visualizer.engine.ops.normalization import Norm
from visualizer.engine.ops.residual import Add, Identity
from visualizer.engine.trace import Trace
from visualizer.errors import InputError

Array = NDArray[Any]


def logit_lens(trace: Trace, name: str) -> Array:
    """The logits [position, d_vocab] that a residual stream (`blocks.{i}.resid_*`) would give if it were the last.

    It goes through the final norm and the unembedding (nostalgebraist 2020).

    Raises:
        InputError: `name` is no residual stream of this model.
    """
    graph = trace.graph
    if name not in graph.producer or ".resid_" not in name:
        streams = ", ".join(stream for stream in graph.names if ".resid_" in stream)
        raise InputError(f"{name!r} is not a residual stream; there are {streams}")
    run = Run(trace.tokens, trace.parameters.as_dict(), {graph.last_residual: trace[name]})
    with np.errstate(all="ignore"):
        for op in graph.readout:
            op.forward(run)
    return run.values["logits"]


@dataclass(frozen=True)
class Contribution:
    """What one part of the model adds to a logit directly.

    Attributes:
        name: the activation that was added to the residual stream (`embed`, `blocks.0.attn.result`,
            `blocks.0.mlp_out`, …), or the parameter, for biases.
        head: which head, for `result`; None otherwise.
        value: its addend.
    """

    name: str
    head: int | None
    value: float


@np.errstate(all="ignore")  # NaN and infinity are shown, not warned about
def direct_contributions(trace: Trace, position: int, token: int) -> list[Contribution]:
    """What each head, MLP, embedding and bias adds to `logits[position, token]`, in the order of the model.

    The final norm's scale is held at what it was, which makes the rest linear (Elhage et al. 2021, "A Mathematical
    Framework for Transformer Circuits"); so the values sum to the logit. Where interventions have put a number into
    the stream that no part wrote, a last entry named `interventions` holds the difference.

    Raises:
        InputError: there is no such logit.
    """
    shape = (len(trace.tokens), trace.parameters.config.d_vocab)
    if not (0 <= position < shape[0] and 0 <= token < shape[1]):
        raise InputError(f"there is no logit [{position}, {token}]; logits have the shape {list(shape)}")
    direction, constants = _direction(trace, position, token)
    contributions = [
        Contribution(name, head, float(vector.astype(np.float64) @ direction))
        for name, head, vector in _parts(trace, position)
    ]
    contributions += constants
    total, logit = sum(c.value for c in contributions), float(trace.logits_at(position)[token])
    if any(change.enabled for change in trace.interventions) and not np.isclose(total, logit, rtol=1e-4, atol=1e-5):
        contributions.append(Contribution("interventions", None, logit - total))
    return contributions


def _direction(trace: Trace, position: int, token: int) -> tuple[Array, list[Contribution]]:
    """The vector [d_model] whose product with a part of the stream is what it adds to the logit; and the constants."""
    parameters = trace.parameters
    unembed = next(op for op in trace.graph.readout if isinstance(op, Unembed))
    matrix = parameters[unembed.parameters[0]]
    direction = np.asarray(matrix[token] if unembed.tied else matrix[:, token], dtype=np.float64)
    constants = [Contribution(name, None, float(parameters[name][token])) for name in unembed.parameters[1:]]
    norm = next((op for op in trace.graph.readout if isinstance(op, Norm)), None)
    if norm is not None:
        for name in norm.parameters[1:]:
            constants.insert(0, Contribution(name, None, float(parameters[name].astype(np.float64) @ direction)))
        direction = norm.frozen_direction(direction, parameters, trace, position)
    return direction, constants


def _parts(trace: Trace, position: int) -> list[tuple[str, int | None, Array]]:
    """The vectors [d_model] that were added up into the last residual stream at one position."""
    parts: list[tuple[str, int | None, Array]] = []
    for name in addends(trace.graph, trace.graph.last_residual):
        op = trace.graph.producer[name]
        if isinstance(op, AttentionOutput):
            result = trace.row(op.reads[0], position)
            parts += [(op.reads[0], head, result[head]) for head in range(len(result))]
            parts += [(bias, None, trace.parameters[bias]) for bias in op.parameters[1:]]
        else:
            parts.append((name, None, trace[name][position]))
    return parts


def addends(graph: Graph, name: str) -> list[str]:
    """The activations whose sum the residual stream `name` is, in the order of the model."""
    op = graph.producer[name]
    if isinstance(op, Add | Identity):
        return [part for read in op.reads for part in addends(graph, read)]
    return [name]
