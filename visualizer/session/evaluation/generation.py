"""The generations that an evaluation makes: of the model and of the baseline, watched while they are made."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from visualizer.engine.generate import Step, generate
from visualizer.engine.interventions import Intervention
from visualizer.engine.model import Model
from visualizer.engine.progress import told_to
from visualizer.session.document.state import State

#: Traces of passes that share no memory with others are kept up to this many bytes; the rest is run again on demand.
KEPT_BYTES = 256 * 2**20

#: Called while the passes are made with the rows done and those there will be, 0 of 0 where that is not known;
#: raises CancelledError to end the work.
Watch = Callable[[int, int], None]


def generated(
    state: State,
    model: Model,
    interventions: tuple[Intervention, ...],
    *,
    branch: int,
    looked_at: int = -1,
    earlier: Sequence[Step] = (),
    watch: Watch | None = None,
) -> Iterator[Step]:
    """How a model continues the prompt on one branch: a step for each token, and one for what would come next.

    What still holds is taken from the `earlier` steps. The internals of slid windows are dropped once they take much
    memory, save those of the step that is looked at.
    """
    prompt = np.array(state.prompt, dtype=np.intp)
    forced = dict(state.branches[branch].forced)
    total = 0
    steps = generate(model, prompt, state.length + 1, state.sampling, interventions, earlier, forced)
    for number, step in enumerate(_watched(steps, rows(state, interventions), watch)):
        if step.trace is not None and (step.context_start > 0 or interventions):
            total += sum(array.nbytes for array in step.trace.recorded.values())
            if total > KEPT_BYTES and number != looked_at:
                step = replace(step, trace=None)
        yield step


def rows(state: State, interventions: tuple[Intervention, ...]) -> list[int]:
    """How many rows each pass of a generation computes, where none can be taken from an earlier generation."""
    n_ctx, cached = state.model.config.n_ctx, not any(change.enabled for change in interventions)
    ends = range(len(state.prompt), len(state.prompt) + state.length + 1)
    return [1 if cached and ends[0] < end <= n_ctx else min(end, n_ctx) for end in ends]


def _watched(steps: Iterator[Step], counts: list[int], watch: Watch | None) -> Iterator[Step]:
    """The same steps; while each is made, `watch` hears how many of all rows are done."""
    if watch is None:
        yield from steps
        return
    total, done = sum(counts), 0
    for count in counts:

        def tell(share: float, done: int = done, count: int = count) -> None:
            watch(done + int(share * count), total)

        with told_to(tell):
            step = next(steps)
        done += count
        yield step
