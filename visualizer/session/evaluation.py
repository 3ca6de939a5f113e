"""One evaluation of the document: a frozen request, and the immutable result that the panels draw."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from visualizer.engine.accuracy import Accuracy, next_token_accuracy
from visualizer.engine.generate import Step, generate
from visualizer.engine.trace import Trace
from visualizer.session.state import State

#: Repetitions of the pattern over which the accuracy is measured.
PATTERN_REPEATS = 10


@dataclass(frozen=True)
class Request:
    """What to compute: the document's state, and what may be reused.

    Attributes:
        revision: the document's revision that it describes.
        state: model, prompt, generation settings and interventions, all immutable.
        previous: the last result, whose passes are reused where they still hold.
    """

    revision: int
    state: State
    previous: Result | None = None

    def cost(self) -> float:
        """A rough count of multiplications, to tell what can be done at once from what needs the worker."""
        state = self.state
        rows = max(len(state.prompt), 1) + state.length * state.model.config.n_ctx
        return 2.0 * rows * state.model.parameters.count()


@dataclass(frozen=True)
class Result:
    """What came of a request.

    Attributes:
        revision, state: those of the request.
        steps: one for each generated token, and one more for the token that would come next.
        tokens: ids of the prompt and of the generated tokens.
        changed: places in `tokens` that differ from the result before it, where that had the same prompt.
        accuracy: over the model's own pattern; None where it has none.
        seconds: how long it took.
    """

    revision: int
    state: State
    steps: tuple[Step, ...]
    tokens: tuple[int, ...]
    changed: frozenset[int]
    accuracy: Accuracy | None
    seconds: float

    @property
    def generated(self) -> tuple[int, ...]:
        """Ids of the generated tokens."""
        return self.tokens[len(self.state.prompt) :]

    def trace(self, step: int) -> Trace | None:
        """The internals of one step's pass; None where its context is empty."""
        return self.steps[step].trace

    def context(self, step: int) -> tuple[int, tuple[int, ...]]:
        """Where in `tokens` the step's context starts, and the ids in it."""
        chosen = self.steps[step]
        return chosen.context_start, self.tokens[chosen.context_start : chosen.position]


def evaluate(request: Request) -> Result:
    """Run the prompt, generate, and measure; a pure function of the request."""
    began = time.perf_counter()
    state = request.state
    prompt = np.array(state.prompt, dtype=np.intp)
    earlier = request.previous.steps if request.previous is not None else ()
    steps = tuple(generate(state.model, prompt, state.length + 1, state.sampling, state.interventions, earlier))
    tokens = (*state.prompt, *(step.token for step in steps[:-1]))
    accuracy = None
    pattern = state.opened.pattern
    if pattern is not None:
        ids = state.model.ids(pattern * PATTERN_REPEATS)
        accuracy = next_token_accuracy(state.model, ids)
    seconds = time.perf_counter() - began
    return Result(request.revision, state, steps, tokens, _changed(request.previous, state, tokens), accuracy, seconds)


def _changed(previous: Result | None, state: State, tokens: tuple[int, ...]) -> frozenset[int]:
    """Places whose token differs from the previous result's, or kept from it while nothing was edited."""
    if previous is None or previous.state.prompt != state.prompt or previous.state.opened is not state.opened:
        return frozenset()
    if previous.state.model is state.model and previous.state.interventions == state.interventions:
        return frozenset(place for place in previous.changed if place < len(tokens))
    return frozenset(i for i, (a, b) in enumerate(zip(previous.tokens, tokens, strict=False)) if a != b)
