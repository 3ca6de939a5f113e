"""The immutable result of an evaluation, in parts: what the panels draw."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from numpy.typing import NDArray

from visualizer.engine.accuracy import Accuracy
from visualizer.engine.generate import Step
from visualizer.engine.trace import Trace
from visualizer.session.document.state import State
from visualizer.session.evaluation.difference import Earlier, Ripple
from visualizer.session.evaluation.snapshot import Snapshot


@dataclass(frozen=True)
class BranchText:
    """The text of one branch.

    Attributes:
        tokens: its ids, prompt included.
        log_probability: of all its generated tokens together, in nats.
    """

    tokens: tuple[int, ...]
    log_probability: float


@dataclass(frozen=True)
class BaselineRun:
    """What the pinned baseline makes of the same prompt.

    Attributes:
        steps: its own generation.
        trace: its pass over the very context of the step that is looked at; None where that is empty.
        ripple: what differs between the two passes, where that takes long to compute.
    """

    steps: tuple[Step, ...]
    trace: Trace | None = None
    ripple: Ripple | None = None


@dataclass(frozen=True)
class SecondPrompt:
    """The second prompt's passes, without interventions: what one patches from.

    Attributes:
        trace: the model's own pass.
        logits: its last position's [d_vocab].
        baseline_trace: the baseline's pass; None where nothing is pinned.
        untouched: the last position's logits [d_vocab] of the first prompt's step that is looked at, without
            interventions: what a patch is measured against. None where there are none.
    """

    trace: Trace
    logits: NDArray[Any]
    baseline_trace: Trace | None = None
    untouched: NDArray[Any] | None = None


@dataclass(frozen=True, kw_only=True)
class Result:
    """What came of a request.

    Attributes:
        snapshot: what was evaluated.
        steps: one for each generated token, and one more for the token that would come next.
        complete: whether that is so. At first a long text is shown as far as the step that is looked at, at the
            beginning with the prompt's own pass alone; the baseline's steps are as many, branches are to come.
        branches: the text of every branch.
        baseline: None where nothing is pinned.
        second: None where there is no second prompt.
        earlier: the generation before the last change of weights or interventions, a whole drag being one; None where
            there was none.
        accuracy: over the model's own pattern; None where it has none.
        seconds: how long it took.
    """

    snapshot: Snapshot
    steps: tuple[Step, ...]
    complete: bool = True
    branches: tuple[BranchText, ...] = ()
    baseline: BaselineRun | None = None
    second: SecondPrompt | None = None
    earlier: Earlier | None = None
    accuracy: Accuracy | None = None
    seconds: float = 0.0

    @property
    def state(self) -> State:
        """The document's state that was evaluated."""
        return self.snapshot.state

    @property
    def revision(self) -> int:
        """The document's revision that was evaluated."""
        return self.snapshot.revision

    @cached_property
    def tokens(self) -> tuple[int, ...]:
        """Ids of the prompt and of the generated tokens."""
        return text_of(self.state, self.steps)

    @property
    def generated(self) -> tuple[int, ...]:
        """Ids of the generated tokens."""
        return self.tokens[len(self.state.prompt) :]

    @cached_property
    def changed(self) -> frozenset[int]:
        """Places in `tokens` that differ from the text before the last change of weights or interventions."""
        before = () if self.earlier is None else self.earlier.tokens
        places = range(len(self.state.prompt), len(self.tokens))
        return frozenset(place for place, old in zip(places, before, strict=False) if self.tokens[place] != old)

    def trace(self, step: int) -> Trace | None:
        """The internals of one step's pass; None where its context is empty, or where they were not kept."""
        return self.steps[step].trace

    def kept(self, step: int) -> bool:
        """Whether the internals of a step are at hand (an empty context has none to keep)."""
        return self.steps[step].trace is not None or self.steps[step].position == 0

    def passes(self) -> list[Trace]:
        """Every pass that it keeps."""
        steps = [*self.steps, *(self.baseline.steps if self.baseline is not None else ())]
        traces = [step.trace for step in steps]
        if self.baseline is not None:
            traces.append(self.baseline.trace)
        if self.second is not None:
            traces += [self.second.trace, self.second.baseline_trace]
        if self.earlier is not None:
            traces += self.earlier.traces
        return [trace for trace in traces if trace is not None]

    def context(self, step: int) -> tuple[int, tuple[int, ...]]:
        """Where in `tokens` the step's context starts, and the ids in it."""
        chosen = self.steps[step]
        return chosen.context_start, self.tokens[chosen.context_start : chosen.position]


def text_of(state: State, steps: tuple[Step, ...]) -> tuple[int, ...]:
    """Ids of the prompt and of what `steps` generated after it: the last of them chose what would come next."""
    return (*state.prompt, *(step.token for step in steps[:-1]))
