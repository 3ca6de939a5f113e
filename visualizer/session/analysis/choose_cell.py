"""Choosing a number together with all that it lies in, so that every panel shows it where it is."""

from __future__ import annotations

from typing import Any

from visualizer.engine.model import Model
from visualizer.engine.names import block_of, has_key_value_heads
from visualizer.session.selection import CellRef
from visualizer.session.session import Session


def choose_cell(session: Session, ref: CellRef, **more: Any) -> None:  # noqa: ANN401
    """Choose a number, and the block, head, row and key that it lies in, or its matrix; `more` is chosen, too."""
    model, head = session.document.state.model, session.selection.now.head
    session.selection.choose(cell=ref, **{**_around(model, ref, head), **more})


def _around(model: Model, ref: CellRef, head: int) -> dict[str, object]:
    """What is to be chosen for a number to be seen; `head` is the one that is chosen already."""
    around: dict[str, object] = {}
    if ref.kind == "parameter":
        around["parameter"] = ref.name
    elif ref.name not in model.graph.producer:
        return {}
    else:
        at = dict(zip(model.graph.axes(ref.name), ref.cell, strict=True))
        around |= {"row": at.get("query", at.get("position")), "key": at.get("key")}
        if "head" in at:
            # Several query heads may read the same keys: where the chosen one does, it stays.
            sharing = model.config.group_size if has_key_value_heads(ref.name) else 1
            around["head"] = head if head // sharing == at["head"] else at["head"] * sharing
    block = block_of(ref.name)
    return around if block is None else {**around, "block": block}
