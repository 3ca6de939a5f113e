"""One evaluation of the document: what a request asks for is run, compared and measured."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from visualizer.engine.accuracy import Accuracy, next_token_accuracy
from visualizer.engine.generate import Step
from visualizer.engine.interventions import within
from visualizer.engine.progress import told_to
from visualizer.engine.sampling import top_tokens
from visualizer.engine.trace import Trace
from visualizer.session.document.state import PATTERN_REPEATS
from visualizer.session.evaluation.difference import Earlier, is_small, ripple
from visualizer.session.evaluation.generation import Watch, generated, rows
from visualizer.session.evaluation.request import Request
from visualizer.session.evaluation.result import BaselineRun, BranchText, Result, SecondPrompt, text_of

#: The first part of a text is shown by itself where the rest takes more than so many multiplications: about 0.1 s.
LONG = 1e9
#: Of a large vocabulary panels show the most probable so many.
SHOWN_TOKENS = 24


def evaluate(request: Request, watch: Watch | None = None, begun: Callable[[Result], None] | None = None) -> Result:
    """Run the prompt, generate, compare and measure; a pure function of the request.

    Where the rest of the text takes long, `begun` hears of the result as far as the step that is looked at: at the
    beginning of a text, of the prompt's own pass.

    Raises:
        CancelledError: `watch` ended it.
    """
    if watch is None:
        return _evaluate(request, None, begun)
    with told_to(lambda _share: watch(0, 0)):
        return _evaluate(request, watch, begun)


def _evaluate(request: Request, watch: Watch | None, begun: Callable[[Result], None] | None) -> Result:
    started = time.perf_counter()
    snapshot, previous = request.snapshot, request.previous
    state = snapshot.state
    generation = generated(
        state,
        state.model,
        state.interventions,
        branch=state.branch,
        looked_at=snapshot.step,
        earlier=previous.steps if previous is not None else (),
        watch=watch,
    )
    steps = tuple(islice(generation, snapshot.step + 1))
    looked_at = steps[-1]
    _prepare(looked_at.trace)
    baseline_generation = _baseline_generation(request, watch)
    result = Result(
        snapshot=snapshot,
        steps=steps,
        baseline=_baseline(request, tuple(islice(baseline_generation, len(steps))), steps),
        second=_second(request, looked_at.trace),
        earlier=_earlier(request),
        accuracy=_accuracy(request),
        seconds=time.perf_counter() - started,
        complete=False,
    )
    if begun is not None and _is_worth_showing(request):
        begun(result)
    steps = (*steps, *generation)
    baseline = result.baseline
    if baseline is not None:
        baseline = replace(baseline, steps=(*baseline.steps, *baseline_generation))
    branches = _branches(request, steps, watch)
    seconds = time.perf_counter() - started
    return replace(result, steps=steps, baseline=baseline, branches=branches, seconds=seconds, complete=True)


def _is_worth_showing(request: Request) -> bool:
    """Whether the rest of a text takes long, and what is shown meanwhile is not a part of that very text already."""
    snapshot, previous = request.snapshot, request.previous
    state = snapshot.state
    if previous is not None and snapshot.continues_as(previous.snapshot) and snapshot.computes_as(previous.snapshot):
        return False
    rest = sum(rows(state, state.interventions)[snapshot.step + 1 :])
    return 2.0 * rest * state.model.parameters.count() >= LONG


def _prepare(trace: Trace | None) -> None:
    """Have what panels ask of a pass at once, and what takes long, computed here instead of on their thread."""
    if trace is not None and len(trace.tokens):
        trace.nonfinite()
        if "logits" not in trace.recorded:
            trace.log_normalizers()
            trace.vocabulary_columns("logits", top_tokens(trace.logits_at(-1), SHOWN_TOKENS))


def _accuracy(request: Request) -> Accuracy | None:
    """Over the model's own pattern; taken over where weights and interventions are the same."""
    snapshot, previous = request.snapshot, request.previous
    state, pattern = snapshot.state, snapshot.state.opened.pattern
    if pattern is None:
        return None
    same = previous is not None and previous.state.opened is state.opened
    if previous is not None and same and snapshot.computes_as(previous.snapshot):
        return previous.accuracy
    ids = state.model.ids(pattern * PATTERN_REPEATS)
    return next_token_accuracy(state.model, ids, interventions=state.interventions)


def _baseline_generation(request: Request, watch: Watch | None) -> Iterator[Step]:
    """The pinned model's own generation; no step where nothing is pinned."""
    snapshot, previous = request.snapshot, request.previous
    pinned = snapshot.state.baseline
    if pinned is None:
        return iter(())
    return generated(
        snapshot.state,
        pinned.model,
        pinned.interventions,
        branch=snapshot.state.branch,
        looked_at=snapshot.step,
        earlier=previous.baseline.steps if previous is not None and previous.baseline is not None else (),
        watch=watch,
    )


def _baseline(request: Request, own: tuple[Step, ...], steps: tuple[Step, ...]) -> BaselineRun | None:
    """The pinned model's `own` steps, and its pass over the context of the last of `steps`."""
    pinned, looked_at = request.snapshot.state.baseline, steps[-1]
    if pinned is None:
        return None
    context = text_of(request.snapshot.state, steps)[looked_at.context_start : looked_at.position]
    if not context:
        return BaselineRun(own)
    before = request.previous.baseline if request.previous is not None else None
    changes = within(pinned.interventions, pinned.model.graph, len(context))
    trace = pinned.model.forward(context, interventions=changes, reuse=before.trace if before is not None else None)
    now = looked_at.trace
    # What differs is found here where those who show it should not wait for it.
    return BaselineRun(own, trace, None if now is None or is_small(now) else ripple(now, trace))


def _branches(request: Request, steps: tuple[Step, ...], watch: Watch | None) -> tuple[BranchText, ...]:
    """The text of every branch; the shown one's steps are known already."""
    state, texts = request.snapshot.state, []
    for branch in range(len(state.branches)):
        own = steps
        if branch != state.branch:
            own = tuple(generated(state, state.model, state.interventions, branch=branch, watch=watch))
        texts.append(BranchText(text_of(state, own), sum(step.log_probability for step in own[:-1])))
    return tuple(texts)


def _second(request: Request, looked_at: Trace | None) -> SecondPrompt | None:
    """The second prompt's passes, without interventions: they are what one patches from."""
    state = request.snapshot.state
    if not state.second_prompt:
        return None
    before = request.previous.second if request.previous is not None else None
    trace = state.model.forward(state.second_prompt, reuse=before.trace if before is not None else None)
    of_baseline = None
    if state.baseline is not None:
        reuse = before.baseline_trace if before is not None else None
        of_baseline = state.baseline.model.forward(state.second_prompt, reuse=reuse)
    return SecondPrompt(trace, trace.logits_at(-1), of_baseline, _untouched(request, looked_at))


def _untouched(request: Request, trace: Trace | None) -> NDArray[Any] | None:
    """The last logits of the same context without interventions: what a patch is measured against."""
    state, previous = request.snapshot.state, request.previous
    if trace is None or not trace.interventions:
        return None
    if previous is not None and previous.second is not None and previous.state.model is state.model:
        before = previous.trace(min(previous.snapshot.step, len(previous.steps) - 1))
        known = previous.second.untouched
        if known is not None and before is not None and np.array_equal(before.tokens, trace.tokens):
            return known
    return state.model.forward(trace.tokens, reuse=trace).logits_at(-1)


def _earlier(request: Request) -> Earlier | None:
    """What was there before the last change of weights or interventions; during a drag, before the drag."""
    snapshot, previous = request.snapshot, request.previous
    if previous is None or not snapshot.continues_as(previous.snapshot):
        return None
    if snapshot.computes_as(previous.snapshot):
        return previous.earlier
    if previous.snapshot.began == snapshot.began and previous.earlier is not None:
        return previous.earlier
    return Earlier.of(previous.steps)
