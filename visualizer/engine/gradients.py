"""Gradients: the list of operations walked in reverse, from a loss back to every parameter and activation."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from visualizer.engine.graph import Graph
from visualizer.engine.ops.base import Gradients, Run
from visualizer.engine.ops.softmax import softmax

Array = NDArray[Any]


def cross_entropy(logits: Array, targets: Array) -> tuple[float, Array]:
    """Mean cross-entropy in nats of `targets` [...] under softmax(logits [..., d_vocab]), and d loss / d logits.

    −log p(target) = log Σ e^(logit) − logit(target); its gradient is softmax(logits) − one-hot(target), over the
    number of targets.
    """
    rows = logits.reshape(-1, logits.shape[-1])
    flat = targets.reshape(-1)
    index = np.arange(flat.size)
    probs = softmax(rows)
    with np.errstate(divide="ignore", invalid="ignore"):
        shifted = rows - rows.max(axis=-1, keepdims=True)
        losses = np.log(np.exp(shifted).sum(axis=-1, dtype=np.float64)) - shifted[index, flat]
    gradient = probs
    gradient[index, flat] -= 1
    gradient /= flat.size
    return float(losses.mean()), gradient.reshape(logits.shape)


def backward(
    graph: Graph, run: Run, gradients: Gradients, keep: Collection[str] = (), parameters_only: bool = True
) -> Gradients:
    """Walk the operations in reverse, from the gradients given to those of everything before.

    Args:
        graph: the operations that made `run`.
        run: a finished pass (batch axes allowed), with every value that backward needs.
        gradients: d loss / d activation for where to start, by name; it is filled and returned.
        keep: activations whose gradient is wanted too.
        parameters_only: drop an activation's gradient as soon as it has been passed on, unless kept.
    """
    for op in reversed(graph.operations):
        if not any(name in gradients for name in op.writes):
            continue
        op.backward(run, gradients)
        if parameters_only:
            for name in op.writes:
                if name not in keep:
                    gradients.pop(name, None)
    return gradients


@dataclass(frozen=True)
class LossGradients:
    """What a loss says about a pass.

    Attributes:
        loss: cross-entropy in nats.
        parameters: d loss / d parameter by name, in the parameters' shapes; zeros for what has no effect.
        activations: d loss / d activation by name, for those that were asked for.
    """

    loss: float
    parameters: dict[str, Array]
    activations: dict[str, Array]


def loss_gradients(
    graph: Graph,
    parameters: Mapping[str, Array],
    tokens: Array,
    targets: Array,
    *,
    last_only: bool = False,
    activations: Collection[str] = (),
) -> LossGradients:
    """Loss and gradients of one pass over `tokens` [..., position] with `targets` of the same shape.

    `last_only`: `targets` [...] holds only what follows the last position, and only that counts.
    """
    with np.errstate(all="ignore"):
        run = Run(tokens, parameters)
        for op in graph.schedule(("logits",)):
            op.forward(run)
        logits = run.values["logits"]
        if last_only:
            loss, last = cross_entropy(logits[..., -1, :], targets)
            d_logits = np.zeros_like(logits)
            d_logits[..., -1, :] = last
        else:
            loss, d_logits = cross_entropy(logits, targets)
        gradients = backward(graph, run, {"logits": d_logits}, activations)
        wanted = {name: _of_activation(graph, run, gradients, name) for name in activations}
    found = {}
    for name, array in parameters.items():
        gradient = gradients.get(name)
        found[name] = np.zeros_like(array) if gradient is None else gradient.astype(array.dtype, copy=False)
    return LossGradients(loss, found, wanted)


def _of_activation(graph: Graph, run: Run, gradients: Gradients, name: str) -> Array:
    """D loss / d activation; 0 where nothing reads it, and at keys after their query, which nothing can change."""
    gradient = gradients.get(name)
    if gradient is None:
        if name not in run.values:
            graph.producer[name].forward(run)
        return np.zeros_like(run.values[name])
    if "key" in graph.axes(name):
        return np.tril(gradient)
    return np.array(gradient)


def global_norm(gradients: Mapping[str, Array]) -> float:
    """√ of the sum of squares of all gradients together."""
    total = 0.0
    with np.errstate(over="ignore", invalid="ignore"):
        for gradient in gradients.values():
            flat = gradient.reshape(-1)
            total += float(flat.dot(flat))
        if math.isinf(total):  # the squares may lie outside single precision, and the norm within
            total = sum(float(np.square(gradient, dtype=np.float64).sum()) for gradient in gradients.values())
    return math.sqrt(total) if total >= 0 else math.nan
