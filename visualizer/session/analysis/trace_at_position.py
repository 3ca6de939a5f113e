"""A trace cut down to one position, so that readings of a long pass cost what that position costs."""

from __future__ import annotations

from visualizer.engine.trace import Trace


def at_position(trace: Trace, position: int) -> Trace:
    """Everything recorded of one position, as a trace of one token that shares the arrays.

    What runs over keys is left out; what follows from the rest (`logits`, `blocks.{i}.attn.result`) is computed for
    this position alone. It is a trace of its own, so another thread may read it. Raises IndexError outside the pass.
    """
    count = len(trace.tokens)
    if not 0 <= position < count:
        raise IndexError(f"there is no position {position} in a pass of {count}")
    rows = slice(position, position + 1)
    recorded = {
        name: array[rows] for name, array in list(trace.recorded.items()) if trace.graph.axes(name)[0] == "position"
    }
    return Trace(trace.graph, trace.parameters, trace.tokens[rows], recorded, trace.interventions)
