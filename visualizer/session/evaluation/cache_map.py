"""Which rows of each generation step came from the key/value cache, from before an edit, or were computed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from visualizer.engine.names import OF_KEY_VALUE_HEADS
from visualizer.session.evaluation.difference import Earlier
from visualizer.session.evaluation.result import Result

Array = NDArray[Any]

#: What became of a row of keys and values.
ABSENT, REUSED, COPIED, COMPUTED, AGAIN = range(5)
WORDS = {
    REUSED: "reused from the key/value cache",
    COPIED: "copied from before: no change reaches it",
    COMPUTED: "computed",
    AGAIN: "computed again after the edit",
}


def without_internals(result: Result) -> Result:
    """The same result without the arrays of its passes: all that `cache_map` reads, and small enough to be kept."""
    steps = tuple(replace(step, trace=None) for step in result.steps)
    earlier = None if result.earlier is None else Earlier(result.earlier.tokens, ())
    return replace(result, steps=steps, earlier=earlier, baseline=None, second=None)


def cache_map(result: Result, block: int) -> Array:
    """What became of the keys and values of `block`, uint8 [position, step]; ABSENT after the end of a context.

    Rows that the generation before the last change of weights or interventions had of the same context are AGAIN
    where they were computed anew.
    """
    longest = max((step.position - step.context_start for step in result.steps), default=0)
    states = np.full((longest, len(result.steps)), ABSENT, dtype=np.uint8)
    attention = f"blocks.{block}.attn."
    kept = {f"{attention}{name}" for name in OF_KEY_VALUE_HEADS} & result.state.model.graph.producer.keys()
    had = _steps_known_before(result)
    for number, step in enumerate(result.steps):
        count = step.position - step.context_start
        states[:count, number] = REUSED
        computed = AGAIN if number < had else COMPUTED
        states[step.reused : count, number] = COPIED if kept <= step.copied else computed
    return states


def _steps_known_before(result: Result) -> int:
    """How many steps at the beginning saw the same tokens before the last change."""
    if result.earlier is None:
        return 0
    before, now = result.earlier.tokens, tuple(step.token for step in result.steps)
    same = next((i for i, (old, new) in enumerate(zip(before, now, strict=False)) if old != new), len(before))
    return min(same + 1, len(before))


def said(states: Array, step: int, position: int | None = None) -> str:
    """A step's rows in words, or those of one position."""
    column = states[:, step]
    if position is not None:
        return WORDS.get(int(column[position]), "not in this step's context")
    parts = [f"{count} {words}" for kind, words in WORDS.items() if (count := int((column == kind).sum()))]
    return ", ".join(parts) or "an empty context: nothing to compute"
