"""The heads that interventions change, and what each of them does to its head."""

from __future__ import annotations

from collections.abc import Iterator

from visualizer.engine.interventions import WORDS
from visualizer.engine.trace import Trace


def intervened_heads(trace: Trace) -> dict[int, str]:
    """Of the heads (layer · heads + head) in which a pass intervenes, what is done: `zeroed`, in a part `changed`."""
    return dict(_intervened(trace))


def _intervened(trace: Trace) -> Iterator[tuple[int, str]]:
    """Head and what is done, of every enabled intervention in a part of one or in all of it."""
    config = trace.parameters.config
    for change in trace.interventions:
        if not change.enabled or "head" not in trace.graph.axes(change.name):
            continue
        key_value = change.name.rsplit(".", 1)[1] in ("k", "v", "rot_k")
        heads = range(config.n_key_value_heads if key_value else config.n_heads)
        index = dict(change.where).get("head")
        part = heads if index is None else heads[slice(*index)] if isinstance(index, tuple) else [heads[index]]
        whole = all(axis == "head" for axis, _ in change.where)
        first, shared_by = int(change.name.split(".")[1]) * config.n_heads, config.n_heads // len(heads)
        for head in part:
            for query_head in range(head * shared_by, (head + 1) * shared_by):
                yield first + query_head, WORDS[change.kind] if whole else "changed"
