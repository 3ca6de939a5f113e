"""From a configuration to the list of operations: the one place that knows the order of a transformer."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable
from functools import lru_cache

from visualizer.engine.config import ModelConfig
from visualizer.engine.memory import LARGE_VOCABULARY, most_positions
from visualizer.engine.ops.activation import Activation, GatedActivation
from visualizer.engine.ops.attention import Dot, Mask, Pattern, ScaleScores, WeightedValues
from visualizer.engine.ops.base import Operation
from visualizer.engine.ops.embedding import Embed, LearnedPositions, SinusoidalPositions
from visualizer.engine.ops.linear import AttentionOutput, HeadOutputs, Linear, SplitHeads, Unembed
from visualizer.engine.ops.normalization import LayerNorm, RMSNorm
from visualizer.engine.ops.probabilities import Probabilities
from visualizer.engine.ops.residual import Add, Identity
from visualizer.engine.ops.rotary import Rotate

Given = Callable[..., tuple[str, ...]]


class Graph:
    """The operations of one model in order, and what follows from what.

    Attributes:
        operations: every operation, derived ones included.
        producer: the operation that writes each activation.
        names: every activation, in order.
        n_heads: of the queries.
        most_positions: the longest pass that memory has room for.
    """

    def __init__(self, operations: Iterable[Operation], most_positions: int) -> None:
        self.operations = tuple(operations)
        self.producer = {name: op for op in self.operations for name in op.writes}
        self.names = tuple(self.producer)
        self.eager = tuple(op for op in self.operations if not op.derived)
        self.final_stream = self.producer["logits"].reads[0]  # what everything before it flows into
        self.last_residual = [name for name in self.names if name.endswith(".resid_post")][-1]
        place = {name: number for number, name in enumerate(self.names)}
        after = place[self.last_residual]
        self.readout = tuple(op for op in self.operations if place[op.name] > after and op.name != "probs")
        self.n_heads = next(op.n_heads for op in self.operations if isinstance(op, SplitHeads))
        self.most_positions = most_positions
        self._eager_after: dict[str, tuple[Operation, ...]] = {}

    def axes(self, name: str) -> tuple[str, ...]:
        """Axis names of an activation."""
        return self.producer[name].axes(name)

    def is_derived(self, name: str) -> bool:
        """Whether an activation is computed only when asked for."""
        return self.producer[name].derived

    def downstream(self, parameters: Collection[str] = (), activations: Collection[str] = ()) -> set[str]:
        """Names of every activation that can change when these parameters, or how these activations are made, do."""
        dirty: set[str] = set()
        for op in self.operations:
            if (
                any(name in parameters for name in op.parameters)
                or any(name in dirty for name in op.reads)
                or any(name in activations for name in op.writes)
            ):
                dirty.update(op.writes)
        return dirty

    def eager_after(self, parameter: str) -> tuple[Operation, ...]:
        """The operations to run again when one parameter changes."""
        known = self._eager_after.get(parameter)
        if known is None:
            dirty = self.downstream(parameters=(parameter,))
            known = self._eager_after[parameter] = tuple(op for op in self.eager if op.name in dirty)
        return known

    def schedule(self, wanted: Collection[str]) -> tuple[Operation, ...]:
        """The operations of a pass that must really make the activations `wanted` (those with an intervention).

        A derived operation runs where its result is wanted, where one that runs reads it, and where it reads from
        a derived one that runs itself: what follows from a changed number has to follow.
        """
        needed = set(wanted)
        for op in reversed(self.operations):
            if op.derived and any(name in needed for name in op.writes):
                needed.update(op.reads)
        running: set[str] = set()
        chosen = []
        for op in self.operations:
            needed_here = any(name in needed for name in op.writes)
            if not op.derived or needed_here or any(name in running for name in op.reads):
                chosen.append(op)
                if op.derived:
                    running.update(op.writes)
        return tuple(chosen)


@lru_cache(maxsize=64)
def build_graph(config: ModelConfig, parameter_names: frozenset[str]) -> Graph:
    """The operations of a decoder-only pre-norm transformer: x + Sublayer(Norm(x)) per sublayer.

    Biases that are not among `parameter_names` are left out.
    """

    def given(*names: str) -> tuple[str, ...]:
        return tuple(name for name in names if name in parameter_names)

    def norm(name: str, parameters: str, x: str) -> str:
        if config.normalization_type is None:
            return x
        y, gains = f"{name}.normalized", given(f"{parameters}.g", f"{parameters}.b")
        if config.normalization_type == "LN":
            ops.append(LayerNorm((y, f"{name}.scale", f"{name}.mean"), (x,), gains, eps=config.eps))
        else:
            ops.append(RMSNorm((y, f"{name}.scale"), (x,), gains, eps=config.eps))
        return y

    ops: list[Operation] = [Embed(("embed",), (), ("wte",))]
    stream = "embed"
    kind = config.positional_embedding_type
    if kind != "rotary":
        if kind == "standard":
            ops.append(LearnedPositions(("pos_embed",), (), ("wpe",)))
        else:
            ops.append(
                SinusoidalPositions(("pos_embed",), n_ctx=config.n_ctx, d_model=config.d_model, dtype=config.dtype)
            )
        ops.append(Add(("blocks.0.resid_pre",), ("embed", "pos_embed")))
        stream = "blocks.0.resid_pre"
    for i in range(config.n_layers):
        block = f"blocks.{i}."
        if stream != f"{block}resid_pre":
            ops.append(Identity((f"{block}resid_pre",), (stream,)))
        x = norm(f"{block}ln1", f"{block}ln_1", f"{block}resid_pre")
        ops += _attention(config, f"{block}attn.", x, f"{block}attn_out", given)
        ops.append(Add((f"{block}resid_mid",), (f"{block}resid_pre", f"{block}attn_out")))
        if config.attn_only:
            ops.append(Identity((f"{block}resid_post",), (f"{block}resid_mid",)))
        else:
            x = norm(f"{block}ln2", f"{block}ln_2", f"{block}resid_mid")
            ops += _mlp(config, f"{block}mlp.", x, f"{block}mlp_out", given)
            ops.append(Add((f"{block}resid_post",), (f"{block}resid_mid", f"{block}mlp_out")))
        stream = f"{block}resid_post"
    x = norm("ln_final", "ln_f", stream)
    unembedding = "wte" if config.tie_embeddings else "lm_head.w"
    lazy = config.d_vocab > LARGE_VOCABULARY
    ops.append(Unembed(("logits",), (x,), given(unembedding, "lm_head.b"), tied=bool(config.tie_embeddings), lazy=lazy))
    ops.append(Probabilities(("probs",), ("logits",)))
    return Graph(ops, most_positions(config))


def _attention(config: ModelConfig, prefix: str, x: str, out: str, given: Given) -> list[Operation]:
    group, d_head = config.group_size, config.d_head
    scale = 1 / math.sqrt(d_head)
    q, k, v = f"{prefix}q", f"{prefix}k", f"{prefix}v"
    ops: list[Operation] = [
        SplitHeads(
            (q, k, v),
            (x,),
            given(f"{prefix}c_attn.w", f"{prefix}c_attn.b"),
            n_heads=config.n_heads,
            n_key_value_heads=config.n_key_value_heads,
            d_head=d_head,
        )
    ]
    if config.positional_embedding_type == "rotary":
        for name in ("q", "k"):
            ops.append(
                Rotate(
                    (f"{prefix}rot_{name}",),
                    (f"{prefix}{name}",),
                    n_ctx=config.n_ctx,
                    rotary_dim=config.rotary_dim,
                    base=config.rotary_base,
                    adjacent=config.rotary_adjacent_pairs,
                )
            )
        q, k = f"{prefix}rot_q", f"{prefix}rot_k"
    qk, scaled, scores, pattern = (f"{prefix}{name}" for name in ("qk", "scaled", "scores", "pattern"))
    projection = given(f"{prefix}c_proj.w", f"{prefix}c_proj.b")
    return [
        *ops,
        Dot((qk,), (q, k), group=group),
        ScaleScores((scaled,), (qk,), scale=scale),
        Mask((scores,), (scaled,)),
        Pattern((pattern,), (scores,), q=q, k=k, scale=scale, group=group),
        WeightedValues((f"{prefix}z",), (pattern, v), group=group),
        HeadOutputs((f"{prefix}result",), (f"{prefix}z",), projection[:1], d_head=d_head),
        AttentionOutput((out,), (f"{prefix}result",), projection, z=f"{prefix}z"),
    ]


def _mlp(config: ModelConfig, prefix: str, x: str, out: str, given: Given) -> list[Operation]:
    assert config.act_fn is not None
    pre, post = f"{prefix}pre", f"{prefix}post"
    down = Linear((out,), (post,), given(f"{prefix}c_proj.w", f"{prefix}c_proj.b"))
    if not config.gated_mlp:
        up = Linear((pre,), (x,), given(f"{prefix}c_fc.w", f"{prefix}c_fc.b"), output_axis="d_mlp")
        return [up, Activation((post,), (pre,), function=config.act_fn), down]
    linear = f"{prefix}pre_linear"
    return [
        Linear((pre,), (x,), given(f"{prefix}c_gate.w", f"{prefix}c_gate.b"), output_axis="d_mlp"),
        Linear((linear,), (x,), given(f"{prefix}c_fc.w", f"{prefix}c_fc.b"), output_axis="d_mlp"),
        GatedActivation((post,), (pre, linear), function=config.act_fn),
        down,
    ]
