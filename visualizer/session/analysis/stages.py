"""The stages of a pass in the order of the operations: what each makes, from what, with which parameters."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from visualizer.engine.config import ModelConfig
from visualizer.engine.memory import LARGE_VOCABULARY
from visualizer.engine.names import block_of, last_part, local_name
from visualizer.engine.ops.activation import Activation, GatedActivation
from visualizer.engine.ops.attention import Mask, Pattern
from visualizer.engine.ops.base import Operation
from visualizer.engine.ops.embedding import Embed
from visualizer.engine.ops.linear import AttentionOutput, SplitHeads, Unembed
from visualizer.engine.ops.probabilities import Probabilities
from visualizer.engine.ops.residual import Add, Identity
from visualizer.engine.trace import Trace
from visualizer.session.words.axis_labels import qkv_bands

#: Words for activations; one that is not listed goes by its name.
TITLES = {
    "embed": "Token embeddings",
    "pos_embed": "Positions",
    "resid_pre": "Residual stream",
    "ln1.normalized": "Norm",
    "attn.q": "Queries",
    "attn.k": "Keys",
    "attn.v": "Values",
    "attn.rot_q": "Queries, turned",
    "attn.rot_k": "Keys, turned",
    "attn.qk": "Raw scores",
    "attn.scaled": "Scaled scores",
    "attn.scores": "Masked scores",
    "attn.pattern": "Softmax weights",
    "attn.z": "Weighted values",
    "attn.result": "Output of the head",
    "attn_out": "Attention output",
    "resid_mid": "Residual stream",
    "ln2.normalized": "Norm",
    "mlp.pre": "Hidden units",
    "mlp.pre_linear": "Hidden units, linear",
    "mlp.post": "Activations",
    "mlp_out": "MLP output",
    "resid_post": "Residual stream",
    "ln_final.normalized": "Final norm",
    "logits": "Logits",
    "probs": "Probabilities",
}


@dataclass(frozen=True)
class StageMatrix:
    """One matrix of a stage: an activation (of one head, where it has heads) or a parameter.

    Attributes:
        kind: "activation" or "parameter".
        name: as in the trace or among the parameters.
        title: what it is called; for a parameter the name inside its block.
        formula: how it is made; empty for a parameter and for a by-product.
        axes: names of the array's axes, as the trace has them; ("in", "out") or ("out",) for a parameter.
        shape: of the whole array.
        row_ids, column_ids: which rows and columns are shown, by their indices in the array; None shows all.
        bounded: whether the numbers lie between 0 and 1.
        causal: whether a row's cells beyond its own position are masked.
        bands: (letter, first column, column after the last) of what stands side by side in the columns.
    """

    kind: str
    name: str
    title: str
    formula: str
    axes: tuple[str, ...]
    shape: tuple[int, ...]
    row_ids: tuple[int, ...] | None = None
    column_ids: tuple[int, ...] | None = None
    bounded: bool = False
    causal: bool = False
    bands: tuple[tuple[str, int, int], ...] = ()

    @property
    def per_head(self) -> bool:
        """Whether one head of several is shown."""
        return "head" in self.axes

    @property
    def plane(self) -> tuple[str, str]:
        """Names of the axes that rows and columns run along; a vector is one row."""
        axes = [axis for axis in self.axes if axis != "head"]
        return (axes[0], axes[1]) if len(axes) > 1 else ("", axes[0])

    @property
    def size(self) -> tuple[int, int]:
        """How many rows and columns are shown."""
        lengths = [n for axis, n in zip(self.axes, self.shape, strict=True) if axis != "head"]
        rows, columns = (lengths[0], lengths[1]) if len(lengths) > 1 else (1, lengths[0])
        return (
            rows if self.row_ids is None else len(self.row_ids),
            columns if self.column_ids is None else len(self.column_ids),
        )

    def cell(self, row: int, column: int, head: int) -> tuple[int, ...]:
        """The index in the whole array of a shown cell; `head` counts the heads of this array."""
        row = row if self.row_ids is None else self.row_ids[row]
        column = column if self.column_ids is None else self.column_ids[column]
        if len(self.axes) == 1:
            return (column,)
        places = [row, column]
        if self.per_head:
            places.insert(self.axes.index("head"), head)
        return tuple(places)

    def place(self, cell: tuple[int, ...], head: int) -> tuple[int, int] | None:
        """Row and column at which a cell of the array is shown; None where it is not."""
        if len(cell) != len(self.axes) or not all(0 <= i < n for i, n in zip(cell, self.shape, strict=True)):
            return None
        places = list(cell)
        if self.per_head and places.pop(self.axes.index("head")) != head:
            return None
        row, column = (0, places[0]) if len(places) == 1 else places
        for ids, index in ((self.row_ids, row), (self.column_ids, column)):
            if ids is not None and index not in ids:
                return None
        return (
            row if self.row_ids is None else self.row_ids.index(row),
            column if self.column_ids is None else self.column_ids.index(column),
        )


@dataclass(frozen=True)
class Stage:
    """What one operation does.

    Attributes:
        name: the operation's.
        reads: the activations that it is made from.
        parameters, results: the matrices that it uses and makes, in the operation's order.
        stream: whether it makes the residual stream: adds to it, or hands it on.
    """

    name: str
    reads: tuple[str, ...]
    parameters: tuple[StageMatrix, ...]
    results: tuple[StageMatrix, ...]
    stream: bool = False

    @property
    def title(self) -> str:
        """What it makes, in words."""
        return ", ".join(result.title for result in self.results)


@dataclass(frozen=True)
class Section:
    """Stages that follow one another: those before the blocks, those of a block, or those after them."""

    title: str
    block: int | None
    stages: tuple[Stage, ...]


def sections_of(trace: Trace, config: ModelConfig, vocabulary: Iterable[int] | None = None) -> tuple[Section, ...]:
    """All stages of a pass, in the order of its operations, block by block.

    Of a large vocabulary only the tokens `vocabulary` are shown, in that order; of the embeddings the text's own.
    """
    shown = tuple(vocabulary or ()) if config.d_vocab > LARGE_VOCABULARY else None
    sections: list[Section] = []
    for block, operations in groupby(trace.graph.operations, key=lambda op: block_of(op.name)):
        title = f"Block {block}" if block is not None else "Output" if sections else "Input"
        sections.append(Section(title, block, tuple(_stage(op, trace, config, shown) for op in operations)))
    return tuple(sections)


def _stage(op: Operation, trace: Trace, config: ModelConfig, shown: tuple[int, ...] | None) -> Stage:
    # What an operation before it has multiplied with already (c_proj, head by head) is not shown twice.
    used = {name for read in op.reads for name in trace.graph.producer[read].parameters}
    parameters = tuple(_parameter(op, name, trace, config, shown) for name in op.parameters if name not in used)
    results = tuple(_result(op, name, trace, config, shown) for name in op.writes)
    return Stage(op.name, op.reads, parameters, results, isinstance(op, Add | Identity))


def _result(op: Operation, name: str, trace: Trace, config: ModelConfig, shown: tuple[int, ...] | None) -> StageMatrix:
    axes = op.axes(name)
    recorded, count = trace.recorded.get(name), len(trace.tokens)
    sizes = {"head": config.n_heads, "d_head": config.d_head, "d_model": config.d_model, "d_vocab": config.d_vocab}
    sizes |= {"position": count, "query": count, "key": count, "d_mlp": config.d_mlp, "1": 1}
    local = local_name(name)
    return StageMatrix(
        kind="activation",
        name=name,
        title=TITLES.get(local, last_part(local).replace("_", " ").capitalize()),
        formula=_formula(op, name),
        axes=axes,
        shape=recorded.shape if recorded is not None else tuple(sizes[axis] for axis in axes),
        # All probabilities of one position need all of its logits, so of a large vocabulary the last is shown.
        row_ids=(count - 1,) if shown is not None and isinstance(op, Probabilities) and count else None,
        column_ids=shown if "d_vocab" in axes else None,
        bounded=isinstance(op, Pattern | Probabilities),
        causal=isinstance(op, Mask | Pattern),
    )


def _parameter(
    op: Operation, name: str, trace: Trace, config: ModelConfig, shown: tuple[int, ...] | None
) -> StageMatrix:
    shape = trace.parameters[name].shape
    rows = columns = None
    if shown is not None and isinstance(op, Embed):
        rows = tuple(sorted({int(token) for token in trace.tokens}))
    elif shown is not None and isinstance(op, Unembed):
        across = len(shape) == 2 and op.tied
        rows, columns = (shown, None) if across else (None, shown)
    return StageMatrix(
        kind="parameter",
        name=name,
        title=local_name(name),
        formula="",
        axes=("in", "out") if len(shape) == 2 else ("out",),
        shape=shape,
        row_ids=rows,
        column_ids=columns,
        bands=tuple(qkv_bands(config)) if isinstance(op, SplitHeads) else (),
    )


def _formula(op: Operation, name: str) -> str:
    """The operation's formula for one of its results, with what it really reads and applies."""
    if isinstance(op, Add):
        return " + ".join(last_part(read) for read in op.reads)
    if name != op.name and not isinstance(op, SplitHeads):
        return ""
    formula = op.formula_of(name)
    if isinstance(op, AttentionOutput):
        formula = formula.replace("z W_O", "Σ heads")
    if isinstance(op, Activation | GatedActivation):
        formula = formula.replace("f(", f"{op.function}(")
    return formula
