"""Which rows of each generation step came from the key/value cache, from before an edit, or were computed."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from visualizer.session.evaluation import Result

Array = NDArray[Any]

#: What became of a row of keys and values.
ABSENT, REUSED, COPIED, COMPUTED, AGAIN = range(5)
WORDS = {
    REUSED: "reused from the key/value cache",
    COPIED: "copied from before: no change reaches it",
    COMPUTED: "computed",
    AGAIN: "computed again after the edit",
}


def cache_map(result: Result, block: int, before: Result | None = None) -> Array:
    """What became of the keys and values of `block`, uint8 [position, step]; ABSENT after the end of a context.

    `before` is the result before this one: rows that it had of the same context are AGAIN where they were computed
    anew because weights or interventions changed.
    """
    longest = max((step.position - step.context_start for step in result.steps), default=0)
    states = np.full((longest, len(result.steps)), ABSENT, dtype=np.uint8)
    attention = f"blocks.{block}.attn."
    kept = {f"{attention}{name}" for name in ("k", "v", "rot_k")} & result.state.model.graph.producer.keys()
    edited = before is not None and _edited(before, result)
    for number, step in enumerate(result.steps):
        count = step.position - step.context_start
        states[:count, number] = REUSED
        if kept <= step.copied:
            state = COPIED
        else:
            known = edited and before is not None and _had(before, result, number)
            state = AGAIN if known else COMPUTED
        states[step.reused : count, number] = state
    return states


def _edited(before: Result, now: Result) -> bool:
    """Whether the two generate from the same prompt with other weights or interventions."""
    if before.state.opened is not now.state.opened or before.state.prompt != now.state.prompt:
        return False
    return before.state.model is not now.state.model or before.state.interventions != now.state.interventions


def _had(before: Result, now: Result, step: int) -> bool:
    return step < len(before.steps) and before.context(step) == now.context(step)


def said(states: Array, step: int, position: int | None = None) -> str:
    """A step's rows in words, or those of one position."""
    column = states[:, step]
    if position is not None:
        return WORDS.get(int(column[position]), "not in this step's context")
    parts = [f"{count} {words}" for kind, words in WORDS.items() if (count := int((column == kind).sum()))]
    return ", ".join(parts) or "an empty context: nothing to compute"
