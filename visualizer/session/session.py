"""The session: a document, a selection, and the latest result, kept in step with each other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from visualizer.engine.trace import Trace
from visualizer.formats import OpenedModel
from visualizer.session.document.document import Change, Document
from visualizer.session.document.edits import MODEL, PROMPT, SetGeneration
from visualizer.session.evaluation.executor import Executor, InlineExecutor
from visualizer.session.evaluation.request import Request
from visualizer.session.evaluation.result import Result
from visualizer.session.evaluation.snapshot import Snapshot
from visualizer.session.listeners import Listeners
from visualizer.session.selection import Selection


class Session:
    """Evaluates the document after every change, once all its listeners have heard of it, and tells its own listeners
    of each new result.

    A result is shown if it is newer than the last one shown, even when the document has moved on: during a
    drag there is always something to see. Of a long text the part as far as the cursor is shown before the rest is
    there. Only when another model is opened there is nothing until its own first result: `result` always belongs to
    the model that is open.

    Attributes:
        document: what the user works on.
        selection: what is chosen.
        result: the latest result of the model that is open; None before its first, which is there from the start
            where the executor works at once.
    """

    def __init__(self, opened: OpenedModel, executor: Executor | None = None, prompt: str | None = None) -> None:
        self.document = Document(opened, prompt)
        self.selection = Selection()
        self.result: Result | None = None
        self._executor = executor or InlineExecutor()
        self._listeners = Listeners[Result]()
        self._last_trace: Trace | None = None
        self._asked: Snapshot | None = None
        self._going_to: int | None = None  # where the cursor goes with the edit that is being made
        self.document.subscribe(self._document_changed)
        self.document.subscribe_after(self._evaluate)
        self.selection.subscribe_after(self._complete)
        self._evaluate()

    def subscribe(self, listener: Callable[[Result], None]) -> Callable[[], None]:
        """Call `listener(result)` for every new result; returns a function that ends it."""
        return self._listeners.subscribe(listener)

    @property
    def stale(self) -> bool:
        """Whether the document has moved on since the result that is shown."""
        return self.result is None or self.result.revision != self.document.revision

    @property
    def pending(self) -> bool:
        """Whether something of the present document is still to be computed: all of it, or the rest of the text."""
        return self.stale or self.result is None or not self.result.complete

    @property
    def trace(self) -> Trace | None:
        """The internals of the step under the cursor; None before the first result and for an empty context.

        While those of a long text are being computed again, the ones shown before.
        """
        if self.result is None:
            return None
        step = self.shown_step
        return self.result.trace(step) if self.result.kept(step) else self._last_trace

    @property
    def shown_step(self) -> int:
        """The step under the cursor, as far as the result reaches."""
        return 0 if self.result is None else min(self.selection.now.step, len(self.result.steps) - 1)

    @property
    def baseline_trace(self) -> Trace | None:
        """The baseline's pass over the same context as `trace`; None where nothing is pinned or it is not there yet."""
        result, trace = self.result, self.trace
        base = result.baseline.trace if result is not None and result.baseline is not None else None
        if base is None or trace is None:
            return None
        return base if np.array_equal(base.tokens, trace.tokens) else None

    def compared(self, read: Callable[[Trace], NDArray[Any]]) -> NDArray[Any]:
        """What `read` finds in the present step's pass as the comparison asks for it. There must be a pass."""
        trace, base = self.trace, self.baseline_trace
        assert trace is not None
        comparison = self.selection.now.comparison
        if base is None or comparison == "value":
            return read(trace)
        if comparison == "baseline":
            return read(base)
        with np.errstate(all="ignore"):
            difference: NDArray[Any] = read(trace) - read(base)
        return difference

    def recompute(self) -> None:
        """Evaluate the present document, after the last evaluation was cancelled."""
        self._evaluate()

    def wait(self) -> None:
        """Return when the result of the present document is there."""
        self._executor.wait()

    def close(self) -> None:
        """Stop evaluating."""
        self._executor.stop()

    # Generation, step by step. The cursor is a selection; how many tokens there are is the document's.

    def step_forward(self) -> None:
        """Move the cursor one token on; at the end, generate one more."""
        step = self.selection.now.step + 1
        self._go(step, max(self.document.state.length, step), gesture="stepping")

    def step_back(self) -> None:
        """Move the cursor one token back."""
        self.selection.choose(step=max(self.selection.now.step - 1, 0))

    def go_to_step(self, step: int) -> None:
        """Move the cursor to after `step` generated tokens."""
        self.selection.choose(step=min(max(step, 0), self.document.state.length))

    def generate(self, count: int) -> None:
        """Have at least `count` tokens generated after the cursor's, and move the cursor to the last of them."""
        target = self.selection.now.step + count
        self._go(target, max(self.document.state.length, target))

    def reset_generation(self) -> None:
        """No generated tokens; the cursor is at the end of the prompt."""
        self._go(0, 0)

    def _go(self, step: int, length: int, gesture: str | None = None) -> None:
        """Edit how many tokens there are, with the cursor moving along: both are one evaluation.

        Stepping (or playing) token by token is one gesture, undone as one.
        """
        state = self.document.state
        if length != state.length:
            self._going_to = step
            try:
                self.document.apply(SetGeneration(length, state.sampling, gesture), initiator=self)
            finally:
                self._going_to = None
        self.selection.choose(step=step)

    def _document_changed(self, change: Change) -> None:
        state, now = self.document.state, self.selection.now
        step = now.step if self._going_to is None else self._going_to
        chosen: dict[str, object] = {"step": min(step, state.length)}
        if change.touches & {MODEL, PROMPT}:
            chosen = {"step": 0, "row": None, "key": None, "cell": None}
        if MODEL in change.touches:
            self._forget_another_model()
            self.selection.hover(None)
            chosen |= {"block": 0, "head": 0}
            chosen["parameter"] = now.parameter if now.parameter in state.model.parameters else "wte"
        self.selection.choose(**chosen)

    def _forget_another_model(self) -> None:
        """A result of another model has other names, shapes and tokens than what is chosen and edited now."""
        if self.result is not None and self.result.state.opened is not self.document.state.opened:
            self.result = self._last_trace = None

    def _evaluate(self) -> None:
        document, step = self.document, self.selection.now.step
        self._asked = Snapshot(document.revision, document.state, step, document.began)
        self._executor.submit(Request(self._asked, self.result), self._arrived)

    def _complete(self) -> None:
        """Evaluate what the cursor has moved to, where that was not kept or not compared with the baseline."""
        result, step, asked = self.result, self.selection.now.step, self._asked
        if result is None or self.pending or step >= len(result.steps) or result.snapshot.step == step:
            return
        if asked is not None and (asked.revision, asked.step) == (result.revision, step):
            return
        if not result.kept(step) or result.baseline is not None:
            self._evaluate()

    def _arrived(self, result: Result) -> None:
        if result.state.opened is not self.document.state.opened:
            return
        if self.result is not None and result.revision < self.result.revision:
            return
        self.result = result
        self._last_trace = self.trace
        self._listeners.tell(result)
        if result is self.result:
            self._complete()  # the cursor may have moved on while this was computed
