"""Parts of activations: how long their axes can be, what a person calls a part of one, and whether it is hidden."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from visualizer.engine.interventions import POSITIONS, Index, Intervention
from visualizer.engine.model import Model
from visualizer.engine.names import block_of, has_key_value_heads, short_name
from visualizer.errors import EditError

Where = tuple[tuple[str, Index], ...]


@dataclass(frozen=True)
class ActivationPart:
    """A part of one activation.

    Attributes:
        name: the activation.
        where: an index for some of its axes, as an intervention has it.
        kind: which part: "cell", "row", "column", "head", "position", "dimension" or "whole".
    """

    name: str
    where: Where
    kind: str = "whole"


def axis_size(model: Model, name: str, axis: str) -> int:
    """How long an axis of an activation is at most: for positions the whole context."""
    config = model.config
    if axis == "head":
        return config.n_key_value_heads if has_key_value_heads(name) else config.n_heads
    sizes = {"d_head": config.d_head, "d_model": config.d_model, "d_mlp": config.d_mlp, "d_vocab": config.d_vocab}
    return config.n_ctx if axis in POSITIONS else sizes.get(axis, 1)


def check_part(model: Model, change: Intervention) -> None:
    """Refuse what no pass of this model could do.

    Raises:
        EditError: this model does not have the activation, or a patch is of another shape.
        InterventionError: the activation does not have the axis or the index.
    """
    name = change.name
    if name not in model.graph.producer:
        raise EditError(f"this model has no activation {name!r} to intervene in")
    axes = model.graph.axes(name)
    shape = [axis_size(model, name, axis) for axis in axes]
    change.slices(axes, shape)
    if change.array is not None:
        fits = change.array.ndim == len(axes) and all(
            given == size or (axis in POSITIONS and 0 < given <= size)
            for given, size, axis in zip(change.array.shape, shape, axes, strict=True)
        )
        if not fits:
            raise EditError(f"{name} cannot be patched with an array of shape {list(change.array.shape)}")


def parts_around(model: Model, name: str, cell: Sequence[int]) -> list[ActivationPart]:
    """The parts of an activation that a cell belongs to, from the cell itself to the whole of its head.

    A row of an array with a key axis is what its query sees; a column, what can see its key.
    """
    axes = model.graph.axes(name)
    at = dict(zip(axes, map(int, cell), strict=True))
    found = [ActivationPart(name, tuple(at.items()), "cell")]
    if "key" in axes:
        head, query, key = at["head"], at["query"], at["key"]
        return [
            *found,
            ActivationPart(name, (("head", head), ("query", query), ("key", (0, query + 1))), "row"),
            ActivationPart(name, (("head", head), ("query", (key, model.config.n_ctx)), ("key", key)), "column"),
            ActivationPart(name, (("head", head),), "head"),
        ]
    position = ("position", at["position"])
    if "head" in axes:
        head_part = ("head", at["head"])
        found.append(ActivationPart(name, (position, head_part), "row"))
        if axis_size(model, name, "head") > 1:
            found.append(ActivationPart(name, (position,), "position"))
        return [*found, ActivationPart(name, (head_part,), "head")]
    dimension = axes[-1]
    return [
        *found,
        ActivationPart(name, (position,), "position"),
        ActivationPart(name, ((dimension, at[dimension]),), "dimension"),
        ActivationPart(name, (), "whole"),
    ]


def is_hidden(where: Where) -> bool:
    """Whether a part is one cell that the mask hides: its key comes after its query."""
    at = dict(where)
    query, key = at.get("query"), at.get("key")
    return isinstance(query, int) and isinstance(key, int) and key > query >= 0


def part_words(model: Model, name: str, where: Where) -> str:
    """A part as a person says it: `head 3 of block 0`, `pattern[0,4,2] of block 0`, `query 4 of scores, head 0 …`."""
    axes = model.graph.axes(name)
    at = {axis: index for axis, index in where if index is not None}
    block = block_of(name)
    of_block = "" if block is None else f" of block {block}"
    if all(isinstance(at.get(axis), int) for axis in axes):
        return f"{short_name(name)}[{','.join(str(at[axis]) for axis in axes)}]{of_block}"
    if short_name(name) == "z" and list(at) == ["head"]:
        return f"head {_said(at['head'])}{of_block}"
    parts = [f"{_axis_word(axis)} {_said(at[axis])}" for axis in axes if axis in at and not _implied(axis, at)]
    if parts:
        first, *rest = [parts[-1], *parts[:-1]] if "head" in at else parts
        words = f"{first} of {short_name(name)}"
        return ", ".join([words, *rest]) + ("" if block is None else f", block {block}")
    return f"all of {short_name(name)}" + ("" if block is None else f", block {block}")


def _implied(axis: str, at: dict[str, int | tuple[int, int]]) -> bool:
    """Whether an index says only what is visible anyway: the keys of one query, the queries of one key."""
    query, key = at.get("query"), at.get("key")
    if axis == "key" and isinstance(query, int) and isinstance(key, tuple):
        return key == (0, query + 1)
    return axis == "query" and isinstance(key, int) and isinstance(query, tuple) and query[0] == key


def _axis_word(axis: str) -> str:
    return "dimension" if axis.startswith("d_") and axis != "d_vocab" else "token" if axis == "d_vocab" else axis


def _said(index: int | tuple[int, int]) -> str:
    return f"{index[0]}–{index[1] - 1}" if isinstance(index, tuple) else str(index)
