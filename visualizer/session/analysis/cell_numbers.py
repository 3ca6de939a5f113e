"""The number in a cell, at present and in the baseline, read without making more of the pass than it takes."""

from __future__ import annotations

from typing import Any

import numpy as np

from visualizer.engine.model import Model
from visualizer.engine.trace import Trace
from visualizer.session.selection import CellRef
from visualizer.session.session import Session
from visualizer.session.words.numbers import against


def number(model: Model, trace: Trace | None, ref: CellRef) -> np.floating[Any] | None:
    """The number that `ref` names in a model and one of its passes; None where there is no such cell."""
    if ref.kind == "parameter":
        array = model.parameters.get(ref.name)
        if array is None or len(ref.cell) != array.ndim:
            return None
        inside = all(0 <= i < n for i, n in zip(ref.cell, array.shape, strict=True))
        return array[ref.cell] if inside else None
    if trace is None or ref.name not in trace:
        return None
    try:
        return trace.number(ref.name, ref.cell)  # type: ignore[return-value]
    except IndexError:
        return None


def present_number(session: Session, ref: CellRef) -> np.floating[Any] | None:
    """The number at present."""
    return number(session.document.state.model, session.trace, ref)


def baseline_number(session: Session, ref: CellRef) -> np.floating[Any] | None:
    """The pinned baseline's; None where nothing is pinned, or where it has no pass over this context yet."""
    pinned = session.document.state.baseline
    return None if pinned is None else number(pinned.model, session.baseline_trace, ref)


def against_baseline(session: Session, ref: CellRef) -> str:
    """`baseline 0.5, difference −0.375`, in all digits; empty where there is nothing to compare with."""
    now, before = present_number(session, ref), baseline_number(session, ref)
    return "" if now is None or before is None else against(float(now), float(before), now.dtype)
