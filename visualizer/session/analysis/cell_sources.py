"""The numbers that the chosen number was made of, for whoever outlines them."""

from __future__ import annotations

from visualizer.engine.trace import Trace
from visualizer.errors import InputError
from visualizer.session.selection import CellRef


def sources_of(trace: Trace | None, ref: CellRef | None) -> tuple[CellRef, ...]:
    """The numbers that a number was made of; none of a share in a large vocabulary, which is made of every logit."""
    if trace is None or ref is None or ref.kind != "activation" or ref.name not in trace:
        return ()
    if ref.name == "probs" and trace.graph.is_derived("logits"):
        return ()
    try:
        explanation = trace.explain(ref.name, ref.cell)
    except InputError:
        return ()
    found = (source for term in explanation.terms for source in term.sources if source.kind != "constant")
    return tuple(dict.fromkeys(CellRef(source.kind, source.name, source.cell) for source in found))
