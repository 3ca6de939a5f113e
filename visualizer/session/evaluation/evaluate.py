"""One evaluation of the document: a frozen request, and the immutable result that the panels draw."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from visualizer.engine.accuracy import Accuracy, next_token_accuracy
from visualizer.engine.generate import Step, generate
from visualizer.engine.interventions import Intervention, within
from visualizer.engine.model import Model
from visualizer.engine.progress import told_to
from visualizer.engine.sampling import top_tokens
from visualizer.engine.trace import Trace
from visualizer.session.document.state import State
from visualizer.session.evaluation.difference import Earlier, Ripple, is_small, ripple

#: Repetitions of the pattern over which the accuracy is measured.
PATTERN_REPEATS = 10


#: Traces of passes that share no memory with others are kept up to this many bytes; the rest is run again on demand.
KEPT_BYTES = 256 * 2**20

#: Of a large vocabulary panels show the most probable so many.
SHOWN_TOKENS = 24

#: Called while the passes are made with the rows done and those there will be, 0 of 0 where that is not known;
#: raises CancelledError to end the work.
Watch = Callable[[int, int], None]


@dataclass(frozen=True)
class Request:
    """What to compute: the document's state, and what may be reused.

    Attributes:
        revision: the document's revision that it describes.
        state: model, prompt, generation settings and interventions, all immutable.
        previous: the last result, whose passes are reused where they still hold.
        step: the generation step that is looked at: its internals are kept whatever their size.
        began: the document's revision with which its last step began, a whole drag being one.
    """

    revision: int
    state: State
    previous: Result | None = None
    step: int = 0
    began: int = 0

    def cost(self) -> float:
        """A rough count of multiplications, to tell what can be done at once from what needs the worker."""
        state = self.state
        rows = max(len(state.prompt), 1) + state.length * state.model.config.n_ctx
        return 2.0 * rows * state.model.parameters.count()

    def after(self, result: Result | None) -> Request:
        """The same request where it had to wait for `result`: that is what is shown, compared with and reused then."""
        if result is None or result.state.opened is not self.state.opened:
            return self
        return replace(self, previous=result)


@dataclass(frozen=True)
class Result:
    """What came of a request.

    Attributes:
        revision, state, began: those of the request.
        steps: one for each generated token, and one more for the token that would come next.
        tokens: ids of the prompt and of the generated tokens.
        accuracy: over the model's own pattern; None where it has none.
        seconds: how long it took.
        step: the request's.
        baseline_steps: the generation of the pinned baseline from the same prompt; None where nothing is pinned.
        baseline_trace: the baseline's pass over the very context of the step that is looked at.
        branches: the tokens of every branch, prompt included.
        branch_log_probabilities: of all generated tokens of each branch together, in nats.
        second: the pass of the second prompt; None where there is none.
        earlier: the generation before the last change of weights or interventions, a whole drag being one; None where
            there was none.
        ripple: what differs between the step that is looked at and the baseline, where that takes long to compute.
        untouched: the last position's logits [d_vocab] of the step that is looked at, without interventions; None
            where there are none, or no second prompt to compare with.
        second_logits: the second prompt's last logits [d_vocab]; None where there is none.
        second_baseline: the baseline's pass of the second prompt; None where there is none, or nothing is pinned.
    """

    revision: int
    state: State
    steps: tuple[Step, ...]
    tokens: tuple[int, ...]
    accuracy: Accuracy | None
    seconds: float
    step: int = 0
    baseline_steps: tuple[Step, ...] | None = None
    baseline_trace: Trace | None = None
    branches: tuple[tuple[int, ...], ...] = ()
    branch_log_probabilities: tuple[float, ...] = ()
    second: Trace | None = None
    earlier: Earlier | None = None
    ripple: Ripple | None = None
    untouched: NDArray[Any] | None = None
    second_logits: NDArray[Any] | None = None
    second_baseline: Trace | None = None
    began: int = 0

    @property
    def changed(self) -> frozenset[int]:
        """Places in `tokens` that differ from the text before the last change of weights or interventions."""
        before = () if self.earlier is None else self.earlier.tokens
        places = range(len(self.state.prompt), len(self.tokens))
        return frozenset(place for place, old in zip(places, before, strict=False) if self.tokens[place] != old)

    @property
    def generated(self) -> tuple[int, ...]:
        """Ids of the generated tokens."""
        return self.tokens[len(self.state.prompt) :]

    def trace(self, step: int) -> Trace | None:
        """The internals of one step's pass; None where its context is empty, or where they were not kept."""
        return self.steps[step].trace

    def kept(self, step: int) -> bool:
        """Whether the internals of a step are at hand (an empty context has none to keep)."""
        return self.steps[step].trace is not None or self.steps[step].position == 0

    def context(self, step: int) -> tuple[int, tuple[int, ...]]:
        """Where in `tokens` the step's context starts, and the ids in it."""
        chosen = self.steps[step]
        return chosen.context_start, self.tokens[chosen.context_start : chosen.position]


def evaluate(request: Request, watch: Watch | None = None) -> Result:
    """Run the prompt, generate, compare and measure; a pure function of the request.

    Raises:
        CancelledError: `watch` ended it.
    """
    if watch is None:
        return _evaluate(request, None)
    with told_to(lambda _share: watch(0, 0)):
        return _evaluate(request, watch)


def _evaluate(request: Request, watch: Watch | None) -> Result:
    began = time.perf_counter()
    state, previous = request.state, request.previous
    earlier = previous.steps if previous is not None else ()
    steps = _generate(state, state.model, state.interventions, state.branch, request.step, earlier, watch)
    tokens = _text(state, steps)
    looked_at = steps[min(request.step, len(steps) - 1)].trace
    _prepare(looked_at)
    baseline_steps, baseline_trace = _baseline(request, steps, tokens, watch)
    pinned = None if state.baseline is None else state.baseline.model
    second = _second(state, state.model, previous.second if previous is not None else None)
    second_baseline = _second(state, pinned, previous.second_baseline if previous is not None else None)
    branches = _branches(state, steps, watch)
    result = Result(
        request.revision,
        state,
        steps,
        tokens,
        _accuracy(state, previous),
        0.0,
        request.step,
        baseline_steps,
        baseline_trace,
        tuple(_text(state, branch) for branch in branches),
        tuple(sum(step.log_probability for step in branch[:-1]) for branch in branches),
        second,
        _earlier(request),
        _ripple(looked_at, baseline_trace),
        _untouched(request, looked_at),
        second.logits_at(-1) if second is not None else None,
        second_baseline,
        request.began,
    )
    return replace(result, seconds=time.perf_counter() - began)


def _prepare(trace: Trace | None) -> None:
    """Have what panels ask of a pass at once, and what takes long, computed here instead of on their thread."""
    if trace is not None and len(trace.tokens):
        trace.nonfinite()
        if "logits" not in trace.recorded:
            trace.log_normalizers()
            trace.vocabulary_columns("logits", top_tokens(trace.logits_at(-1), SHOWN_TOKENS))


def _generate(
    state: State,
    model: Model,
    interventions: tuple[Intervention, ...],
    branch: int,
    looked_at: int,
    earlier: tuple[Step, ...] = (),
    watch: Watch | None = None,
) -> tuple[Step, ...]:
    """The steps of one generation; the internals of slid windows are dropped once they take much memory."""
    prompt = np.array(state.prompt, dtype=np.intp)
    forced = dict(state.branches[branch].forced)
    kept, total = [], 0
    steps = generate(model, prompt, state.length + 1, state.sampling, interventions, earlier, forced)
    for number, step in enumerate(_watched(steps, _rows(state, interventions), watch)):
        if step.trace is not None and (step.context_start > 0 or interventions):
            total += sum(array.nbytes for array in step.trace.recorded.values())
            if total > KEPT_BYTES and number != looked_at:
                step = replace(step, trace=None)
        kept.append(step)
    return tuple(kept)


def _rows(state: State, interventions: tuple[Intervention, ...]) -> list[int]:
    """How many rows each pass of a generation computes, where none can be taken from an earlier generation."""
    n_ctx, cached = state.model.config.n_ctx, not any(change.enabled for change in interventions)
    ends = range(len(state.prompt), len(state.prompt) + state.length + 1)
    return [1 if cached and ends[0] < end <= n_ctx else min(end, n_ctx) for end in ends]


def _watched(steps: Iterator[Step], rows: list[int], watch: Watch | None) -> Iterator[Step]:
    """The same steps; while each is made, `watch` hears how many of all rows are done."""
    if watch is None:
        yield from steps
        return
    total, done = sum(rows), 0
    for count in rows:

        def tell(share: float, done: int = done, count: int = count) -> None:
            watch(done + int(share * count), total)

        with told_to(tell):
            step = next(steps)
        done += count
        yield step


def _text(state: State, steps: tuple[Step, ...]) -> tuple[int, ...]:
    return (*state.prompt, *(step.token for step in steps[:-1]))


def _accuracy(state: State, previous: Result | None) -> Accuracy | None:
    """Over the model's own pattern; taken over where weights and interventions are the same."""
    pattern = state.opened.pattern
    if pattern is None:
        return None
    if previous is not None and previous.state.opened is state.opened and _same_run(previous.state, state):
        return previous.accuracy
    ids = state.model.ids(pattern * PATTERN_REPEATS)
    return next_token_accuracy(state.model, ids, interventions=state.interventions)


def _baseline(
    request: Request, steps: tuple[Step, ...], tokens: tuple[int, ...], watch: Watch | None
) -> tuple[tuple[Step, ...] | None, Trace | None]:
    """The pinned model's own generation, and its pass over the context that is looked at."""
    state, previous = request.state, request.previous
    pinned = state.baseline
    if pinned is None:
        return None, None
    earlier = (previous.baseline_steps or ()) if previous is not None else ()
    own = _generate(state, pinned.model, pinned.interventions, state.branch, request.step, earlier, watch)
    chosen = steps[min(request.step, len(steps) - 1)]
    context = tokens[chosen.context_start : chosen.position]
    if not context:
        return own, None
    reuse = previous.baseline_trace if previous is not None else None
    changes = within(pinned.interventions, pinned.model.graph, len(context))
    return own, pinned.model.forward(context, interventions=changes, reuse=reuse)


def _branches(state: State, steps: tuple[Step, ...], watch: Watch | None) -> list[tuple[Step, ...]]:
    """The steps of every branch; the shown one's are known already."""
    return [
        steps if branch == state.branch else _generate(state, state.model, state.interventions, branch, -1, (), watch)
        for branch in range(len(state.branches))
    ]


def _second(state: State, model: Model | None, reuse: Trace | None) -> Trace | None:
    """A model's pass of the second prompt, without interventions: it is what one patches from."""
    if not state.second_prompt or model is None:
        return None
    return model.forward(state.second_prompt, reuse=reuse)


def _earlier(request: Request) -> Earlier | None:
    """What was there before the last change of weights or interventions; during a drag, before the drag."""
    state, previous = request.state, request.previous
    if previous is None or not _same_question(previous.state, state):
        return None
    if _same_run(previous.state, state):
        return previous.earlier
    if previous.began == request.began and previous.earlier is not None:
        return previous.earlier
    return Earlier.of(previous.steps)


def _same_question(left: State, right: State) -> bool:
    """Whether two states continue the same text in the same way, so that what differs comes of the model."""
    forced = [state.branches[state.branch].forced for state in (left, right)]
    same = left.opened is right.opened and left.prompt == right.prompt and left.sampling == right.sampling
    return same and forced[0] == forced[1]


def _same_run(left: State, right: State) -> bool:
    """Whether two states compute the same from the same tokens."""
    return left.model is right.model and left.interventions == right.interventions


def _ripple(trace: Trace | None, baseline: Trace | None) -> Ripple | None:
    """What differs from the baseline, where those who show it should not wait for it."""
    if trace is None or baseline is None or is_small(trace):
        return None
    return ripple(trace, baseline)


def _untouched(request: Request, trace: Trace | None) -> NDArray[Any] | None:
    """The last logits of the same context without interventions: what a patch is measured against."""
    state, previous = request.state, request.previous
    if trace is None or not state.second_prompt or not trace.interventions:
        return None
    if previous is not None and previous.untouched is not None and previous.state.model is state.model:
        before = previous.trace(min(previous.step, len(previous.steps) - 1))
        if before is not None and np.array_equal(before.tokens, trace.tokens):
            return previous.untouched
    return state.model.forward(trace.tokens, reuse=trace).logits_at(-1)
