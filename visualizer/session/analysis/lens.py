"""What each residual stream would predict, and what each part of the model adds to a logit, for the lens panel."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from visualizer.engine.graph import Graph
from visualizer.engine.names import block_of, local_name
from visualizer.engine.ops.residual import Identity
from visualizer.engine.ops.softmax import softmax
from visualizer.engine.readings import Contribution, direct_contributions, logit_lens
from visualizer.engine.sampling import largest
from visualizer.engine.trace import Trace
from visualizer.session.analysis.trace_at_position import at_position

Array = NDArray[Any]

#: So many tokens are kept for each stream and position.
TOP = 5
#: Readings of all positions that take more multiplications are made of the chosen position alone.
ALL_POSITIONS = 4e8


@dataclass(frozen=True)
class Lens:
    """The most probable tokens by stream and position.

    Attributes:
        names: the residual streams, first to last.
        positions: which positions were read.
        tokens, probabilities: the TOP most probable, [stream, position, rank].
        position: the position that contributions are about.
        part: the trace of that position alone, with its logits.
        asked: the probabilities of the tokens that were asked for, [stream, position]; None where none were.
    """

    names: tuple[str, ...]
    positions: tuple[int, ...]
    tokens: Array
    probabilities: Array
    position: int
    part: Trace
    asked: Array | None = None


def streams(graph: Graph) -> tuple[str, ...]:
    """The residual streams that differ from each other, in the order of the model."""
    found = [name for name in graph.names if ".resid_" in name]
    return tuple(name for i, name in enumerate(found) if i == 0 or not isinstance(graph.producer[name], Identity))


def cost(trace: Trace, positions: int) -> float:
    """A rough count of the multiplications of a reading of so many positions, by the passes through the unembedding."""
    config = trace.parameters.config
    return float(len(streams(trace.graph)) * positions * config.d_vocab * (config.d_model + 30))


def reads_all(trace: Trace) -> bool:
    """Whether a reading covers all positions."""
    return cost(trace, len(trace.tokens)) <= ALL_POSITIONS


def lens(trace: Trace, position: int, asked: Array | None = None) -> Generator[float, None, Lens]:
    """Read every stream, yielding how much is done (0 to 1). Long passes and large vocabularies: `position` alone.

    `asked` are tokens [stream, position] whose probabilities are wanted too.

    Raises IndexError where there is no such position.
    """
    names = streams(trace.graph)
    part = at_position(trace, position)
    if reads_all(trace):
        positions = tuple(range(len(trace.tokens)))
        source = Trace(trace.graph, trace.parameters, trace.tokens, dict(trace.recorded), trace.interventions)
    else:
        positions, source = (position,), part
    count = min(TOP, trace.parameters.config.d_vocab)
    tokens = np.empty((len(names), len(positions), count), dtype=np.intp)
    probabilities = np.empty((len(names), len(positions), count))
    wanted = None if asked is None else np.empty(asked.shape)
    for i, name in enumerate(names):
        with np.errstate(all="ignore"):
            probs = softmax(logit_lens(source, name))
        tokens[i] = largest(probs, count, nan_first=True)
        probabilities[i] = np.take_along_axis(probs, tokens[i], axis=1)
        if wanted is not None and asked is not None:
            wanted[i] = np.take_along_axis(probs, asked[i][:, None], axis=1)[:, 0]
        yield (i + 1) / (len(names) + 1)
    part["logits"]  # made here, so that whoever reads contributions next need not
    return Lens(names, positions, tokens, probabilities, position, part, wanted)


def contributions(part: Trace, token: int, minus: int | None = None) -> list[Contribution]:
    """What each part of the model adds to the logit of `token` (less that of `minus`), in the order of the model.

    `part` is a trace of one position. The values sum to the logit, or to the difference of the two.
    """
    first = direct_contributions(part, 0, token)
    return first if minus is None else less(first, direct_contributions(part, 0, minus))


def less(one: list[Contribution], other: list[Contribution]) -> list[Contribution]:
    """The differences, part by part; what only one of them has counts as 0 in the other."""
    values = {(c.name, c.head): c.value for c in other}
    out = [Contribution(c.name, c.head, c.value - values.pop((c.name, c.head), 0.0)) for c in one]
    return out + [Contribution(name, head, -value) for (name, head), value in values.items()]


def contribution_words(contribution: Contribution, blocks: int) -> str:
    """A part as a person says it: `head 3 of block 0`, `MLP of block 1`, `embedding`."""
    name, head = contribution.name, contribution.head
    block = block_of(name)
    of_block = f" of block {block}" if block is not None and blocks > 1 else ""
    if head is not None:
        return f"head {head}{of_block}"
    known = {
        "embed": "token embedding",
        "pos_embed": "position embedding",
        "ln_f.b": "bias of the final norm",
        "lm_head.b": "bias of the unembedding",
        "interventions": "interventions",
    }
    if name in known:
        return known[name]
    inside = local_name(name)
    return {"mlp_out": "MLP", "attn.c_proj.b": "attention bias"}.get(inside, inside) + of_block
